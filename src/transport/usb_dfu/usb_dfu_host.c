/*
 * USB DFU, host half: one device as a target of the updater. Every function
 * goes on where it was when it is called again; no request is made while the
 * device has asked for time.
 *
 * Source: Universal Serial Bus Device Class Specification for Device Firmware
 * Upgrade, Version 1.1; STMicroelectronics UM0424 for DfuSe.
 */
#include "usb_dfu_host.h"

#include <string.h>

#include "core/bytes.h"
#include "usb_dfu_text.h"
#include "usb_dfu_wire.h"

#define DETACH_MS 1000u    /* told to the device with DETACH */
#define PATIENCE_MS 60000u /* longest that a block or a manifestation may take */
#define POLL_LEAST_MS 1u
#define STALLS 3u /* of a GETSTATUS, by DfuSe devices that are busy */

#define ATTRIBUTE_UPLOAD 0x02u
#define ATTRIBUTE_TOLERANT 0x04u
#define ATTRIBUTE_WILL_DETACH 0x08u

/* What is being done; each function of the target has its own. 0 begins. */
enum { START };
enum { IDLE_ASK = START, IDLE_CLEAR, IDLE_ABORT, IDLE_DONE };
enum { SEND_FILL = 16, SEND_ERASE, SEND_ERASE_STATUS, SEND_ADDRESS, SEND_ADDRESS_STATUS, SEND_BLOCK, SEND_STATUS };
enum { END_ADDRESS = 32, END_ADDRESS_STATUS, END_EMPTY, END_STATUS, END_DETACH, END_RESET, END_DONE };
enum { READ_ADDRESS = 48, READ_ADDRESS_STATUS, READ_ABORT, READ_BLOCK, READ_CLOSE };
enum { TELL_STATUS = 64, TELL_STRING, TELL_DONE };
enum { ENTER_DETACH = 80, ENTER_RESET };

static int is_dfuse(const struct tandem_usb_dfu_host *host)
{
    return host->found.version == 0x011A;
}

static enum tandem_status request(struct tandem_usb_dfu_host *host, enum dfu_request what, uint16_t value, void *data,
                                  uint16_t size, uint16_t *got)
{
    uint8_t type = what == DFU_UPLOAD || what == DFU_GETSTATUS || what == DFU_GETSTATE ? 0xA1 : 0x21;
    return tandem_usb_dfu_transfer(host, type, (uint8_t)what, value, host->found.interface, data, size, got);
}

static void pause(struct tandem_usb_dfu_host *host, uint32_t ms)
{
    host->waiting = 1;
    host->until = host->now + ms;
}

static int paused(struct tandem_usb_dfu_host *host)
{
    if (host->waiting && host->now - host->until <= UINT32_MAX / 2)
        host->waiting = 0;
    return host->waiting;
}

static enum tandem_status go(struct tandem_usb_dfu_host *host, unsigned step)
{
    host->step = (uint8_t)step;
    return TANDEM_OK;
}

/* The next step begins a wait that has an end. */
static enum tandem_status go_wait(struct tandem_usb_dfu_host *host, unsigned step)
{
    host->since = host->now;
    host->tries = 0;
    return go(host, step);
}

/* GETSTATUS, once the device's time has passed. Tells in *poll how much more it wants. */
static enum tandem_status get_status(struct tandem_usb_dfu_host *host, uint32_t *poll)
{
    uint16_t got = 0;
    uint8_t *bytes = host->scratch;
    if (paused(host))
        return TANDEM_AGAIN;
    enum tandem_status status = request(host, DFU_GETSTATUS, 0, bytes, DFU_STATUS_SIZE, &got);
    if (status == TANDEM_ERROR_PROTOCOL && host->tries++ < STALLS) {
        pause(host, 100); /* some are deaf while they erase */
        return TANDEM_AGAIN;
    }
    if (status != TANDEM_OK)
        return status;
    if (got < DFU_STATUS_SIZE || bytes[4] >= DFU_STATES)
        return TANDEM_ERROR_PROTOCOL;
    host->status = bytes[0];
    host->state = bytes[4];
    host->string = bytes[5];
    *poll = bytes[1] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3] << 16;
    return TANDEM_OK;
}

/* ---- what the device says of its errors ---- */

static enum tandem_status status_meant(uint8_t status)
{
    switch (status) {
    case DFU_ERR_TARGET:
        return TANDEM_ERROR_TARGET;
    case DFU_ERR_FILE:
        return TANDEM_ERROR_FORMAT;
    case DFU_ERR_WRITE:
    case DFU_ERR_ERASE:
    case DFU_ERR_CHECK_ERASED:
    case DFU_ERR_PROG:
        return TANDEM_ERROR_FLASH;
    case DFU_ERR_VERIFY:
        return TANDEM_ERROR_DIGEST;
    case DFU_ERR_ADDRESS:
        return TANDEM_ERROR_TOO_LARGE;
    case DFU_ERR_NOTDONE:
        return TANDEM_ERROR_TRUNCATED;
    case DFU_ERR_FIRMWARE:
        return TANDEM_ERROR_NOTHING;
    case DFU_ERR_VENDOR:
        return TANDEM_ERROR_STATE;
    default:
        return TANDEM_ERROR_PROTOCOL;
    }
}

/* After a refusal: ask why. @return the reason */
static enum tandem_status tell(struct tandem_usb_dfu_host *host)
{
    uint32_t poll;
    enum tandem_status status;
    if (host->step == TELL_STATUS) {
        status = get_status(host, &poll);
        if (status != TANDEM_OK)
            return status;
        (void)go(host, TELL_STRING);
    }
    if (host->step == TELL_STRING) {
        status = tandem_usb_dfu_string(host, host->string, host->reason);
        if (status == TANDEM_AGAIN)
            return TANDEM_AGAIN;
        (void)go(host, TELL_DONE);
    }
    status = tandem_usb_dfu_status(host->reason);
    if (status == TANDEM_OK)
        status = status_meant(host->status);
    memset(&host->outcome, 0, sizeof host->outcome);
    host->outcome.status = status;
    host->outcome.stage = host->activated ? TANDEM_STAGE_ACTIVATE : TANDEM_STAGE_RECEIVE;
    host->outcome.detail = host->offset;
    host->reported = host->status != DFU_OK && host->status != DFU_ERR_STALLEDPKT;
    return status;
}

/* A request was stalled, or a status tells of an error. */
static enum tandem_status refused(struct tandem_usb_dfu_host *host, int status_is_known)
{
    host->tries = 0;
    (void)go(host, status_is_known ? TELL_STRING : TELL_STATUS);
    return tell(host);
}

static int is_telling(const struct tandem_usb_dfu_host *host)
{
    return host->step >= TELL_STATUS && host->step <= TELL_DONE;
}

/* ---- idle, from wherever it is ---- */

static enum tandem_status to_idle(struct tandem_usb_dfu_host *host)
{
    uint32_t poll;
    enum tandem_status status;
    for (;;) {
        switch (host->step) {
        case IDLE_ASK:
            status = get_status(host, &poll);
            if (status != TANDEM_OK)
                return status;
            if (host->now - host->since > PATIENCE_MS)
                return TANDEM_ERROR_TIMEOUT;
            if (host->state == DFU_IDLE)
                return go(host, IDLE_DONE);
            if (host->state == DFU_ERROR)
                (void)go(host, IDLE_CLEAR);
            else if (host->state == DFU_DNLOAD_IDLE || host->state == DFU_UPLOAD_IDLE)
                (void)go(host, IDLE_ABORT);
            else if (host->state == DFU_MANIFEST_WAIT_RESET || host->state <= DFU_APP_DETACH)
                return TANDEM_ERROR_STATE;
            else
                pause(host, poll != 0 ? poll : POLL_LEAST_MS);
            break;
        case IDLE_CLEAR:
        case IDLE_ABORT:
            status = request(host, host->step == IDLE_CLEAR ? DFU_CLRSTATUS : DFU_ABORT, 0, NULL, 0, NULL);
            if (status != TANDEM_OK)
                return status;
            (void)go(host, IDLE_ASK);
            break;
        default:
            return TANDEM_OK;
        }
    }
}

/* ---- DfuSe: addresses ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *read_number(const char *at, int base, uint32_t *value)
{
    *value = 0;
    for (int digit = hex_digit(*at); digit >= 0 && digit < base; digit = hex_digit(*++at))
        *value = *value * (uint32_t)base + (uint32_t)digit;
    return at;
}

/* A memory layout's next run of equal sectors: "4*16Kg" */
static const char *read_segment(const char *at, uint32_t *count, uint32_t *size)
{
    at = read_number(at, 10, count);
    if (*at != '*')
        return NULL;
    at = read_number(at + 1, 10, size);
    if (*at == 'K' || *at == 'M')
        *size *= *at == 'K' ? 1024u : 1024u * 1024u;
    if (*at == 'K' || *at == 'M' || *at == 'B' || *at == ' ')
        at++;
    return *at >= 'a' && *at <= 'g' && *count != 0 && *size != 0 ? at + 1 : NULL;
}

/* The sector that holds an address, by the text "@Name /0x08000000/4*16Kg,1*64Kg". Address 0 with `first`: the first
 * one that there is. @return 0: none */
static int find_sector(const char *text, int first, uint32_t *address, uint32_t *size)
{
    uint32_t wanted = *address, start, count;
    while (*text != '\0' && *text != '/')
        text++;
    while (text[0] == '/' && text[1] == '0' && text[2] == 'x') {
        text = read_number(text + 3, 16, &start);
        if (*text != '/')
            return 0;
        do {
            text = read_segment(text + 1, &count, size);
            if (text == NULL || *size > UINT32_MAX / count || start > UINT32_MAX - count * *size)
                return 0;
            if (first || (wanted >= start && wanted - start < count * *size)) {
                *address = first ? start : start + (wanted - start) / *size * *size;
                return 1;
            }
            start += count * *size;
        } while (*text == ',');
    }
    return 0;
}

static enum tandem_status send_command(struct tandem_usb_dfu_host *host, uint8_t code, uint32_t address)
{
    uint8_t bytes[5] = {code};
    tandem_store_le32(bytes + 1, address);
    return request(host, DFU_DNLOAD, 0, bytes, sizeof bytes, NULL);
}

/* Wait for the end of a command or a block. @return TANDEM_OK: done; TANDEM_AGAIN */
static enum tandem_status await(struct tandem_usb_dfu_host *host)
{
    uint32_t poll;
    for (;;) {
        enum tandem_status status = get_status(host, &poll);
        if (status != TANDEM_OK)
            return status;
        if (host->state == DFU_DNLOAD_IDLE)
            return TANDEM_OK;
        if (host->state == DFU_ERROR)
            return refused(host, 1);
        if (host->state != DFU_DNLOAD_SYNC && host->state != DFU_DNBUSY)
            return TANDEM_ERROR_PROTOCOL;
        if (host->now - host->since > PATIENCE_MS + poll)
            return TANDEM_ERROR_TIMEOUT;
        pause(host, poll != 0 ? poll : POLL_LEAST_MS);
    }
}

/* ---- the target ---- */

static struct tandem_usb_dfu_host *host_of(void *ctx)
{
    return (struct tandem_usb_dfu_host *)ctx;
}

static enum tandem_status target_connect(void *ctx)
{
    struct tandem_usb_dfu_host *host = host_of(ctx);
    enum tandem_status status = tandem_usb_dfu_find(host, 0);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    host->number = 0;
    (void)go(host, START);
    host->since = host->now;
    return status == TANDEM_ERROR_NOTHING ? TANDEM_ERROR_DISCONNECTED : status;
}

/* A device that was told to start its new firmware, and has come back as another since, does what it was told. */
static int has_left(const struct tandem_usb_dfu_host *host)
{
    return !host->found.dfu || host->found.place.address != host->left;
}

static enum tandem_status target_query(void *ctx, struct tandem_info *info)
{
    struct tandem_usb_dfu_host *host = host_of(ctx);
    memset(info, 0, sizeof *info);
    if (host->activated && !has_left(host))
        return TANDEM_ERROR_DISCONNECTED; /* it is still about to leave */
    info->known = TANDEM_INFO_PLACE;
    info->place = host->activated ? TANDEM_GOAL_CONFIRMED : TANDEM_GOAL_CHECKED;
    if (host->found.serial[0] != '\0')
        info->known |= TANDEM_INFO_SERIAL;
    for (unsigned i = 0; i < TANDEM_NAME_SIZE_MAX && host->found.serial[i] != '\0'; i++)
        info->serial[i] = host->found.serial[i];
    info->ota_mode = !host->found.dfu;
    (void)go(host, START);
    return TANDEM_OK;
}

/* DETACH; a device that does not leave the bus by itself is to be reset. */
static enum tandem_status target_enter(void *ctx)
{
    struct tandem_usb_dfu_host *host = host_of(ctx);
    const struct tandem_usb_port *port = host->config->port;
    uint16_t timeout = host->found.detach_ms < DETACH_MS ? host->found.detach_ms : DETACH_MS;
    enum tandem_status status;
    int resets = host->found.version < 0x0110 || !(host->found.attributes & ATTRIBUTE_WILL_DETACH);
    if (host->step != ENTER_RESET) {
        status = request(host, DFU_DETACH, timeout, NULL, 0, NULL);
        if (status != TANDEM_OK)
            return status == TANDEM_ERROR_DISCONNECTED ? TANDEM_OK : status;
        (void)go(host, ENTER_RESET);
    }
    if (!resets)
        return TANDEM_OK;
    status = port->reset(port->ctx);
    return status == TANDEM_ERROR_DISCONNECTED ? TANDEM_OK : status;
}

static uint16_t block_size(const struct tandem_usb_dfu_host *host)
{
    const struct tandem_usb_dfu_host_config *config = host->config;
    uint32_t size = config->transfer_size != 0 ? config->transfer_size : host->found.transfer_size;
    uint32_t most = config->port->transfer_max != 0 ? config->port->transfer_max : UINT16_MAX;
    if (size < host->found.packet_max)
        size = host->found.packet_max;
    if (most > config->buffer_size)
        most = config->buffer_size;
    return (uint16_t)(size < most ? size : most);
}

static enum tandem_status target_begin(void *ctx, const struct tandem_offer *offer, uint8_t part, uint8_t flags)
{
    struct tandem_usb_dfu_host *host = host_of(ctx);
    uint32_t size;
    (void)part;
    (void)flags;
    enum tandem_status status = to_idle(host);
    if (status != TANDEM_OK)
        return status;
    host->reported = 0;
    host->reason[0] = '\0';
    host->offset = 0;
    host->total = offer->source->size;
    host->start = host->config->address;
    if (is_dfuse(host) && !host->config->has_address && !find_sector(host->layout, 1, &host->start, &size))
        return TANDEM_ERROR_NOT_SUPPORTED;
    host->erased = host->start;
    host->block = is_dfuse(host) ? DFUSE_FIRST_BLOCK : 0;
    return go_wait(host, SEND_FILL);
}

/* DfuSe: erase what the block in hand needs, then say where it goes; blocks that follow one another need neither. */
static enum tandem_status prepare(struct tandem_usb_dfu_host *host)
{
    uint32_t address = host->start + host->offset, sector, size;
    if (!is_dfuse(host))
        return go_wait(host, SEND_BLOCK);
    if (address + host->size > host->erased) {
        sector = host->erased;
        if (!find_sector(host->layout, 0, &sector, &size))
            return TANDEM_ERROR_TOO_LARGE;
        host->erased = sector + size;
        host->block = 0;
        return go_wait(host, SEND_ERASE);
    }
    return go_wait(host, host->block < DFUSE_FIRST_BLOCK || host->block == UINT16_MAX ? SEND_ADDRESS : SEND_BLOCK);
}

static enum tandem_status after(struct tandem_usb_dfu_host *host, enum tandem_status status, unsigned step)
{
    if (status == TANDEM_ERROR_PROTOCOL && !is_telling(host))
        return refused(host, 0);
    return status == TANDEM_OK ? go(host, step) : status;
}

static enum tandem_status send_step(struct tandem_usb_dfu_host *host, const struct tandem_offer *offer)
{
    enum tandem_status status;
    uint32_t left = host->total - host->offset, most = block_size(host), sector = host->erased - 1, size;
    switch (host->step) {
    case SEND_FILL:
        host->size = (uint16_t)(left < most ? left : most);
        status = offer->source->read(offer->source->ctx, host->offset, host->config->buffer, host->size);
        return status == TANDEM_OK ? prepare(host) : status;
    case SEND_ERASE:
        (void)find_sector(host->layout, 0, &sector, &size);
        return after(host, send_command(host, DFUSE_ERASE, sector), SEND_ERASE_STATUS);
    case SEND_ERASE_STATUS:
        status = await(host);
        return status == TANDEM_OK ? prepare(host) : status;
    case SEND_ADDRESS:
        return after(host, send_command(host, DFUSE_SET_ADDRESS, host->start + host->offset), SEND_ADDRESS_STATUS);
    case SEND_ADDRESS_STATUS:
        status = await(host);
        host->block = DFUSE_FIRST_BLOCK;
        return status == TANDEM_OK ? go_wait(host, SEND_BLOCK) : status;
    case SEND_BLOCK:
        return after(host, request(host, DFU_DNLOAD, host->block, host->config->buffer, host->size, NULL), SEND_STATUS);
    case SEND_STATUS:
        status = await(host);
        if (status != TANDEM_OK)
            return status;
        host->offset += host->size;
        host->block++;
        return go_wait(host, SEND_FILL);
    default:
        return tell(host);
    }
}

static enum tandem_status target_send(void *ctx, const struct tandem_offer *offer, uint8_t part)
{
    struct tandem_usb_dfu_host *host = host_of(ctx);
    enum tandem_status status = TANDEM_OK;
    (void)part;
    while (status == TANDEM_OK && (host->offset < host->total || host->step != SEND_FILL))
        status = send_step(host, offer);
    return status;
}

/* The device has verified what can be verified before the end: it said so with its last block. */
static enum tandem_status target_validate(void *ctx, uint8_t part)
{
    struct tandem_usb_dfu_host *host = host_of(ctx);
    (void)part;
    return go_wait(host, is_dfuse(host) ? END_ADDRESS : END_EMPTY);
}

static int may_vanish(const struct tandem_usb_dfu_host *host)
{
    return is_dfuse(host) || !(host->found.attributes & ATTRIBUTE_TOLERANT) ||
           (host->found.attributes & ATTRIBUTE_WILL_DETACH);
}

/* The device has the end: what does it make of it? */
static enum tandem_status await_end(struct tandem_usb_dfu_host *host)
{
    uint32_t poll;
    enum tandem_status status = get_status(host, &poll);
    if (status == TANDEM_ERROR_DISCONNECTED && may_vanish(host))
        return go(host, END_DONE);
    if (status != TANDEM_OK)
        return status;
    switch (host->state) {
    case DFU_IDLE:
        return go(host, END_DETACH);
    case DFU_MANIFEST_WAIT_RESET:
        return go(host, END_RESET);
    case DFU_ERROR:
        return refused(host, 1);
    case DFU_MANIFEST_SYNC:
    case DFU_MANIFEST:
        if (is_dfuse(host) && host->state == DFU_MANIFEST)
            return go(host, END_DONE); /* it leaves, and need not be asked any more */
        if (host->now - host->since > PATIENCE_MS + poll)
            return TANDEM_ERROR_TIMEOUT;
        pause(host, poll != 0 ? poll : POLL_LEAST_MS);
        return TANDEM_OK;
    default:
        return TANDEM_ERROR_PROTOCOL;
    }
}

static enum tandem_status end_step(struct tandem_usb_dfu_host *host)
{
    const struct tandem_usb_port *port = host->config->port;
    enum tandem_status status;
    switch (host->step) {
    case END_ADDRESS:
        return after(host, send_command(host, DFUSE_SET_ADDRESS, host->start), END_ADDRESS_STATUS);
    case END_ADDRESS_STATUS:
        status = await(host);
        host->block = DFUSE_FIRST_BLOCK;
        return status == TANDEM_OK ? go_wait(host, END_EMPTY) : status;
    case END_EMPTY:
        return after(host, request(host, DFU_DNLOAD, host->block, NULL, 0, NULL), END_STATUS);
    case END_STATUS:
        return await_end(host);
    case END_DETACH: /* the standard has no way out of DFU mode but a reset; many devices take this too */
        status = request(host, DFU_DETACH, DETACH_MS, NULL, 0, NULL);
        if (status == TANDEM_AGAIN)
            return TANDEM_AGAIN;
        return go(host, status == TANDEM_OK && (host->found.attributes & ATTRIBUTE_WILL_DETACH) ? END_DONE : END_RESET);
    case END_RESET:
        status = port->reset(port->ctx);
        return status == TANDEM_AGAIN ? TANDEM_AGAIN : go(host, END_DONE);
    default:
        return tell(host);
    }
}

static enum tandem_status target_activate(void *ctx)
{
    struct tandem_usb_dfu_host *host = host_of(ctx);
    enum tandem_status status = TANDEM_OK;
    if (host->activated)
        return TANDEM_OK; /* and has not left yet */
    while (status == TANDEM_OK && host->step != END_DONE)
        status = end_step(host);
    if (status == TANDEM_OK) {
        host->activated = 1;
        host->left = host->found.place.address;
    }
    return status;
}

static enum tandem_status target_abort(void *ctx)
{
    struct tandem_usb_dfu_host *host = host_of(ctx);
    return request(host, DFU_ABORT, 0, NULL, 0, NULL);
}

static enum tandem_status target_disconnect(void *ctx)
{
    struct tandem_usb_dfu_host *host = host_of(ctx);
    const struct tandem_usb_port *port = host->config->port;
    port->close(port->ctx);
    host->number = 0;
    host->waiting = 0;
    host->tries = 0;
    return go(host, START);
}

static void target_progress(void *ctx, uint32_t *done, uint32_t *total)
{
    const struct tandem_usb_dfu_host *host = host_of(ctx);
    *done = host->offset;
    *total = host->total;
}

static const struct tandem_outcome *target_report(void *ctx)
{
    const struct tandem_usb_dfu_host *host = host_of(ctx);
    return host->reported ? &host->outcome : NULL;
}

static void target_poll(void *ctx, uint32_t now_ms)
{
    host_of(ctx)->now = now_ms;
}

/* ---- upload ---- */

static enum tandem_status read_block(struct tandem_usb_dfu_host *host,
                                     enum tandem_status (*write)(void *ctx, const void *data, size_t size), void *ctx,
                                     uint32_t limit)
{
    uint16_t wanted = block_size(host), got = 0;
    if (is_dfuse(host) && limit - host->offset < wanted)
        wanted = (uint16_t)(limit - host->offset);
    if (wanted == 0)
        return go(host, READ_CLOSE);
    enum tandem_status status = request(host, DFU_UPLOAD, host->block, host->config->buffer, wanted, &got);
    if (status == TANDEM_ERROR_PROTOCOL)
        return refused(host, 0);
    if (status != TANDEM_OK)
        return status;
    if (got > limit - host->offset)
        got = (uint16_t)(limit - host->offset);
    status = got != 0 ? write(ctx, host->config->buffer, got) : TANDEM_OK;
    host->offset += got;
    host->block++;
    if (status == TANDEM_OK && (got < wanted || host->offset >= limit))
        return go(host, READ_CLOSE);
    return status;
}

/* After it the device is idle, also when not all was read. @return TANDEM_OK: all done */
static enum tandem_status read_step(struct tandem_usb_dfu_host *host,
                                    enum tandem_status (*write)(void *ctx, const void *data, size_t size), void *ctx,
                                    uint32_t limit)
{
    enum tandem_status status;
    switch (host->step) {
    case READ_ADDRESS:
        return after(host, send_command(host, DFUSE_SET_ADDRESS, host->start), READ_ADDRESS_STATUS);
    case READ_ADDRESS_STATUS:
        status = await(host);
        return status == TANDEM_OK ? go(host, READ_ABORT) : status;
    case READ_ABORT:
        return after(host, request(host, DFU_ABORT, 0, NULL, 0, NULL), READ_BLOCK);
    case READ_BLOCK:
        return read_block(host, write, ctx, limit);
    default:
        return tell(host);
    }
}

enum tandem_status tandem_usb_dfu_host_upload(struct tandem_usb_dfu_host *host,
                                              enum tandem_status (*write)(void *ctx, const void *data, size_t size),
                                              void *ctx, uint32_t limit)
{
    enum tandem_status status = TANDEM_OK;
    uint32_t size;
    if (!(host->found.attributes & ATTRIBUTE_UPLOAD))
        return TANDEM_ERROR_NOT_SUPPORTED;
    if (host->step <= IDLE_DONE) {
        status = to_idle(host);
        if (status != TANDEM_OK)
            return status;
        host->offset = 0;
        host->block = is_dfuse(host) ? DFUSE_FIRST_BLOCK : 0;
        host->start = host->config->address;
        if (is_dfuse(host) && !host->config->has_address && !find_sector(host->layout, 1, &host->start, &size))
            return TANDEM_ERROR_NOT_SUPPORTED;
        (void)go_wait(host, is_dfuse(host) ? READ_ADDRESS : READ_BLOCK);
    }
    while (status == TANDEM_OK && host->step != READ_CLOSE)
        status = read_step(host, write, ctx, limit);
    if (status != TANDEM_OK)
        return status;
    status = request(host, DFU_ABORT, 0, NULL, 0, NULL);
    return status == TANDEM_AGAIN ? TANDEM_AGAIN : go(host, START);
}

/* ---- life ---- */

void tandem_usb_dfu_host_poll(struct tandem_usb_dfu_host *host, uint32_t now_ms)
{
    target_poll(host, now_ms);
}

const char *tandem_usb_dfu_host_reason(const struct tandem_usb_dfu_host *host)
{
    return host->reason;
}

const struct tandem_target *tandem_usb_dfu_host_target(const struct tandem_usb_dfu_host *host)
{
    return &host->target;
}

void tandem_usb_dfu_host_init(struct tandem_usb_dfu_host *host, const struct tandem_usb_dfu_host_config *config)
{
    struct tandem_target *target = &host->target;
    memset(host, 0, sizeof *host);
    host->config = config;
    target->ctx = host;
    target->connect = target_connect;
    target->query = target_query;
    target->enter = target_enter;
    target->begin = target_begin;
    target->send = target_send;
    target->validate = target_validate;
    target->activate = target_activate;
    target->abort = target_abort;
    target->disconnect = target_disconnect;
    target->progress = target_progress;
    target->report = target_report;
    target->poll = target_poll;
}
