/*
 * USB DFU, device half: the protocol. Which request does what in which state
 * is one table; what the host waits for between its requests is done by
 * tandem_usb_dfu_poll().
 *
 * Source: Universal Serial Bus Device Class Specification for Device Firmware
 * Upgrade, Version 1.1, appendix A; STMicroelectronics UM0424 for DfuSe.
 */
#include "usb_dfu_device.h"

#include <string.h>

#include "core/bytes.h"
#include "usb_dfu_wire.h"

#define STEPS 2u              /* of work in one poll */
#define DETACH_AFTER_MS 100u  /* the host shall first see its request acknowledged */
#define RESET_WITHIN_MS 1500u /* dfu-util asks for the status a second after manifestation, and then resets */

#define LEAVING_IDLE 1u /* unless the host says something */
#define LEAVING_SURE 2u

/* What a request does. */
enum action {
    REFUSE, /* stalls */
    FORGET, /* stalls, and so takes back a DETACH */
    FAULT,  /* stalls, which is an error of the host */
    DETACH,
    LEAVE,
    LOAD,
    SHOW,
    TELL,
    EARLY, /* GETSTATUS at a time when there should be none */
    CLEAR,
    STATE,
    ABORT
};

/* clang-format off */
static const uint8_t actions[DFU_STATES][DFU_REQUESTS] = {
    /*                    DETACH  DNLOAD  UPLOAD  GETSTATUS CLRSTATUS GETSTATE ABORT */
    /* appIDLE        */ {DETACH, REFUSE, REFUSE, TELL,     REFUSE,   STATE,   REFUSE},
    /* appDETACH      */ {FORGET, FORGET, FORGET, TELL,     FORGET,   STATE,   FORGET},
    /* dfuIDLE        */ {LEAVE,  LOAD,   SHOW,   TELL,     FAULT,    STATE,   ABORT},
    /* dfuDNLOAD-SYNC */ {FAULT,  FAULT,  FAULT,  TELL,     FAULT,    STATE,   FAULT},
    /* dfuDNBUSY      */ {FAULT,  FAULT,  FAULT,  EARLY,    FAULT,    FAULT,   FAULT},
    /* dfuDNLOAD-IDLE */ {FAULT,  LOAD,   FAULT,  TELL,     FAULT,    STATE,   ABORT},
    /* dfuMANIFEST-.. */ {FAULT,  FAULT,  FAULT,  TELL,     FAULT,    STATE,   FAULT},
    /* dfuMANIFEST    */ {FAULT,  FAULT,  FAULT,  EARLY,    FAULT,    FAULT,   FAULT},
    /* ..-WAIT-RESET  */ {REFUSE, REFUSE, REFUSE, TELL,     REFUSE,   STATE,   REFUSE},
    /* dfuUPLOAD-IDLE */ {FAULT,  FAULT,  SHOW,   TELL,     FAULT,    STATE,   ABORT},
    /* dfuERROR       */ {REFUSE, REFUSE, REFUSE, TELL,     CLEAR,    STATE,   REFUSE},
};
/* clang-format on */

/* bmRequestType of each. */
static const uint8_t types[DFU_REQUESTS] = {0x21, 0x21, 0xA1, 0xA1, 0x21, 0xA1, 0x21};

static int elapsed(const struct tandem_usb_dfu *dfu, uint32_t at)
{
    return dfu->now - at <= UINT32_MAX / 2;
}

static uint8_t attributes(const struct tandem_usb_dfu *dfu)
{
    return dfu->config->attributes != 0 ? dfu->config->attributes : TANDEM_USB_DFU_DEFAULT;
}

static uint16_t or_default(uint16_t value, uint16_t otherwise)
{
    return value != 0 ? value : otherwise;
}

/* DfuSe devices leave at the end of a download, whatever they say. */
static int tolerant(const struct tandem_usb_dfu *dfu)
{
    return !dfu_is_dfuse(dfu) && (attributes(dfu) & TANDEM_USB_DFU_TOLERANT);
}

static const struct tandem_system_port *system_of(const struct tandem_usb_dfu *dfu)
{
    return dfu->config->install->bank.device->system;
}

/* ---- errors ---- */

static uint8_t status_of(const struct tandem_usb_dfu *dfu, enum tandem_status reason)
{
    switch (reason) {
    case TANDEM_OK:
        return DFU_OK;
    case TANDEM_ERROR_TARGET:
    case TANDEM_ERROR_HARDWARE:
        return DFU_ERR_TARGET;
    case TANDEM_ERROR_FLASH:
        return DFU_ERR_WRITE;
    case TANDEM_ERROR_ARGUMENT:
    case TANDEM_ERROR_SPACE:
    case TANDEM_ERROR_TOO_LARGE:
        return DFU_ERR_ADDRESS;
    case TANDEM_ERROR_TRUNCATED:
        return DFU_ERR_NOTDONE;
    case TANDEM_ERROR_NOTHING:
        return DFU_ERR_FIRMWARE;
    case TANDEM_ERROR_DIGEST: /* of what was written, or of what was sent */
        return tandem_install_outcome(dfu->config->install)->stage == TANDEM_STAGE_VALIDATE ? DFU_ERR_VERIFY
                                                                                            : DFU_ERR_FILE;
    default:
        break;
    }
    switch (tandem_status_group(reason)) {
    case TANDEM_STATUS_FORMAT:
    case TANDEM_STATUS_AUTHENTICITY:
    case TANDEM_STATUS_TARGET:
        return DFU_ERR_FILE;
    case TANDEM_STATUS_CONDITION:
    case TANDEM_STATUS_CALLER:
        return DFU_ERR_VENDOR;
    default:
        return DFU_ERR_UNKNOWN;
    }
}

/* The transfer is over; what the installer has to be told waits for the next poll, as flash may be busy. */
static void drop(struct tandem_usb_dfu *dfu)
{
    if (dfu->work != WORK_MANIFEST)
        dfu->work = dfu->begun ? WORK_DROP : WORK_NONE;
    dfu->receiving = 0;
    dfu->numbered = 0;
}

static void to_error(struct tandem_usb_dfu *dfu, uint8_t status, enum tandem_status reason)
{
    drop(dfu);
    dfu->state = DFU_ERROR;
    dfu->status = status;
    dfu->reason = (uint8_t)reason;
}

static enum tandem_usb_answer fault(struct tandem_usb_dfu *dfu, uint8_t status)
{
    to_error(dfu, status, TANDEM_OK);
    return TANDEM_USB_STALL;
}

static void to_idle(struct tandem_usb_dfu *dfu)
{
    drop(dfu);
    dfu->state = DFU_IDLE;
    dfu->status = DFU_OK;
    dfu->reason = TANDEM_OK;
}

/* ---- from mode to mode ---- */

static void enter(struct tandem_usb_dfu *dfu, int in_reset)
{
    const struct tandem_usb_device_port *port = dfu->config->port;
    const struct tandem_system_port *system = system_of(dfu);
    enum tandem_status status = TANDEM_ERROR_NOT_SUPPORTED;
    dfu->state = DFU_APP_IDLE;
    dfu->leaving = 0;
    dfu->configured = 0;
    if (port != NULL)
        status = port->attach(port->ctx, TANDEM_USB_DFU, in_reset);
    else if (system != NULL && system->enter_ota != NULL)
        status = system->enter_ota(system->ctx);
    if (status != TANDEM_OK)
        return;
    dfu->mode = TANDEM_USB_DFU;
    dfu->alternate = 0;
    dfu->done = 0;
    to_idle(dfu);
}

/* Leave DFU mode: restart into what was installed, or be the product again. */
static void leave(struct tandem_usb_dfu *dfu, int in_reset)
{
    const struct tandem_usb_device_port *port = dfu->config->port;
    const struct tandem_system_port *system = system_of(dfu);
    int reboot = system != NULL && system->reboot != NULL;
    enum tandem_status status = TANDEM_ERROR_NOTHING;
    dfu->leaving = 0;
    dfu->done = 0;
    dfu->configured = 0;
    drop(dfu);
    if (reboot && (port == NULL || tandem_install_state(dfu->config->install) == TANDEM_STATE_PENDING))
        status = system->reboot(system->ctx);
    else if (port != NULL)
        status = port->attach(port->ctx, TANDEM_USB_RUNTIME, in_reset);
    if (status != TANDEM_OK) {
        to_error(dfu, DFU_ERR_FIRMWARE, status);
        return;
    }
    dfu->mode = TANDEM_USB_RUNTIME;
    dfu->state = DFU_APP_IDLE;
    dfu->status = DFU_OK;
    dfu->reason = TANDEM_OK;
}

static void leave_in(struct tandem_usb_dfu *dfu, uint8_t how, uint32_t ms)
{
    dfu->leaving = how;
    dfu->leave_at = dfu->now + ms;
}

/* An update waits for the restart. */
static void finished(struct tandem_usb_dfu *dfu)
{
    dfu->done = 1;
    if (tandem_install_state(dfu->config->install) == TANDEM_STATE_PENDING)
        leave_in(dfu, LEAVING_IDLE, or_default(dfu->config->leave_ms, 3000));
}

/* ---- what time does ---- */

static void pass_time(struct tandem_usb_dfu *dfu)
{
    if (dfu->state == DFU_APP_DETACH && !dfu->leaving && elapsed(dfu, dfu->until))
        dfu->state = DFU_APP_IDLE;
    if (dfu->state == DFU_DNBUSY && elapsed(dfu, dfu->until))
        dfu->state = DFU_DNLOAD_SYNC;
    if (dfu->state != DFU_MANIFEST || !elapsed(dfu, dfu->until))
        return;
    if (dfu->reason != TANDEM_OK) {
        to_error(dfu, status_of(dfu, (enum tandem_status)dfu->reason), (enum tandem_status)dfu->reason);
    } else if (tolerant(dfu)) {
        dfu->state = DFU_MANIFEST_SYNC;
    } else if (dfu->work == WORK_NONE) {
        dfu->state = DFU_MANIFEST_WAIT_RESET;
        leave_in(dfu, LEAVING_SURE,
                 attributes(dfu) & TANDEM_USB_DFU_WILL_DETACH ? RESET_WITHIN_MS
                                                              : or_default(dfu->config->leave_ms, 3000));
    }
}

/* ---- GETSTATUS ---- */

/* How long the host may wait: as long as such work took last time, then for half as long again, and so on. */
static uint32_t estimate(const struct tandem_usb_dfu *dfu, uint32_t usual)
{
    uint32_t since = dfu->now - dfu->began;
    uint32_t ms = usual > since ? usual - since : since / 2;
    if (ms == 0)
        ms = 1;
    if (ms == 100 && dfu_is_dfuse(dfu))
        ms = 99; /* dfu-util takes 100 for a chip whose erase takes 35 s */
    return ms < DFU_POLL_MAX ? ms : DFU_POLL_MAX;
}

static uint32_t busy(struct tandem_usb_dfu *dfu, uint8_t state, uint32_t ms)
{
    dfu->state = state;
    dfu->until = dfu->now + ms;
    return ms;
}

static uint32_t failed(struct tandem_usb_dfu *dfu)
{
    to_error(dfu, status_of(dfu, (enum tandem_status)dfu->reason), (enum tandem_status)dfu->reason);
    return 0;
}

/* DfuSe: addresses outside of the area are refused; erasing is the installer's business, and is done in time. */
static enum tandem_status command(struct tandem_usb_dfu *dfu)
{
    const struct tandem_usb_dfu_alternate *alternate = dfu_alternate(dfu);
    const uint8_t *bytes = dfu->config->buffer;
    uint32_t address = dfu->size == 5 ? tandem_load_le32(bytes + 1) : alternate->address;
    if (bytes[0] == DFUSE_READ_UNPROTECT)
        return TANDEM_ERROR_NOT_SUPPORTED;
    if (address < alternate->address || address - alternate->address >= alternate->area.size)
        return TANDEM_ERROR_TARGET;
    if (bytes[0] == DFUSE_ERASE && alternate->content != TANDEM_USB_DFU_FIRMWARE)
        return TANDEM_ERROR_TARGET;
    if (bytes[0] == DFUSE_SET_ADDRESS)
        dfu->address = address;
    return TANDEM_OK;
}

static int is_command(const struct tandem_usb_dfu *dfu)
{
    uint8_t code = dfu->config->buffer[0];
    return (dfu->size == 5 && (code == DFUSE_SET_ADDRESS || code == DFUSE_ERASE)) ||
           (dfu->size == 1 && (code == DFUSE_ERASE || code == DFUSE_READ_UNPROTECT));
}

/* GETSTATUS moves the state on. @return bwPollTimeout */
static uint32_t advance(struct tandem_usb_dfu *dfu)
{
    switch (dfu->state) {
    case DFU_DNLOAD_SYNC:
    case DFU_DNBUSY:
        if (dfu->work == WORK_COMMAND) { /* DfuSe hosts demand to see it busy once */
            dfu->reason = (uint8_t)command(dfu);
            dfu->work = WORK_NONE;
            return busy(dfu, DFU_DNBUSY, 1);
        }
        if (dfu->reason != TANDEM_OK)
            return failed(dfu);
        if (dfu->work == WORK_BLOCK)
            return dfu->state == DFU_DNBUSY ? dfu->until - dfu->now : busy(dfu, DFU_DNBUSY, estimate(dfu, dfu->took));
        dfu->state = DFU_DNLOAD_IDLE;
        return 0;
    case DFU_MANIFEST_SYNC:
        if (dfu->reason != TANDEM_OK)
            return failed(dfu);
        if (dfu->work == WORK_MANIFEST || !tolerant(dfu))
            return busy(dfu, DFU_MANIFEST, estimate(dfu, or_default(dfu->config->manifest_ms, 100)));
        to_idle(dfu);
        finished(dfu);
        return 0;
    case DFU_MANIFEST:
        if (dfu->reason == TANDEM_OK && (dfu->work == WORK_MANIFEST || !tolerant(dfu)))
            return elapsed(dfu, dfu->until) ? busy(dfu, DFU_MANIFEST, 10) : dfu->until - dfu->now;
        dfu->state = DFU_MANIFEST_SYNC; /* it took less time than was told */
        return 0;
    default:
        return 0;
    }
}

static enum tandem_usb_answer reply(struct tandem_usb_dfu *dfu, const struct tandem_usb_setup *setup, uint16_t size,
                                    struct tandem_usb_data *data)
{
    data->bytes = dfu->reply;
    data->size = setup->length < size ? setup->length : size;
    return TANDEM_USB_SEND;
}

static enum tandem_usb_answer tell(struct tandem_usb_dfu *dfu, const struct tandem_usb_setup *setup,
                                   struct tandem_usb_data *data)
{
    uint32_t poll = advance(dfu);
    dfu->reply[0] = dfu->status;
    dfu->reply[1] = (uint8_t)poll;
    dfu->reply[2] = (uint8_t)(poll >> 8);
    dfu->reply[3] = (uint8_t)(poll >> 16);
    dfu->reply[4] = dfu->state;
    dfu->reply[5] = dfu->reason != TANDEM_OK && dfu->config->text != NULL ? DFU_STRING_STATUS : 0;
    return reply(dfu, setup, DFU_STATUS_SIZE, data);
}

/* ---- download ---- */

static enum tandem_usb_answer end_download(struct tandem_usb_dfu *dfu)
{
    enum tandem_status status = TANDEM_OK;
    if (dfu->state == DFU_IDLE && !dfu_is_dfuse(dfu))
        return fault(dfu, DFU_ERR_STALLEDPKT);
    if (dfu->begun)
        status = tandem_dfu_store_end(dfu);
    if (status != TANDEM_OK && status != TANDEM_AGAIN) {
        to_error(dfu, status_of(dfu, status), status);
        return TANDEM_USB_STALL;
    }
    dfu->work = status == TANDEM_AGAIN ? WORK_MANIFEST : WORK_NONE;
    dfu->numbered = 0;
    dfu->began = dfu->now;
    dfu->state = DFU_MANIFEST_SYNC;
    return TANDEM_USB_DONE;
}

/* What was given up, and what a host left behind that did not wait for its end, makes way for something new. */
static void forget_dropped(struct tandem_usb_dfu *dfu)
{
    if (dfu->work != WORK_DROP && dfu->work != WORK_MANIFEST)
        return;
    dfu->work = WORK_NONE;
    tandem_dfu_store_drop(dfu);
}

static enum tandem_usb_answer load(struct tandem_usb_dfu *dfu, const struct tandem_usb_setup *setup,
                                   struct tandem_usb_data *data)
{
    if (!(attributes(dfu) & TANDEM_USB_DFU_CAN_DOWNLOAD) || setup->length > dfu->config->buffer_size)
        return fault(dfu, DFU_ERR_STALLEDPKT);
    if (setup->length == 0)
        return end_download(dfu);
    if (dfu_alternate(dfu)->content != TANDEM_USB_DFU_FIRMWARE && (!dfu_is_dfuse(dfu) || setup->value != 0))
        return fault(dfu, DFU_ERR_TARGET);
    /* Numbers count blocks, and wrap. One that does not follow means that the host has lost its place. */
    if (dfu->numbered && setup->value != dfu->number)
        return fault(dfu, DFU_ERR_ADDRESS);
    forget_dropped(dfu);
    dfu->number = setup->value;
    dfu->size = setup->length;
    dfu->receiving = 1;
    data->bytes = dfu->config->buffer;
    data->size = setup->length;
    return TANDEM_USB_RECEIVE;
}

/* DfuSe: the place of a block in the area. */
static int place(const struct tandem_usb_dfu *dfu, uint16_t number, uint32_t *offset)
{
    uint32_t blocks = number - DFUSE_FIRST_BLOCK;
    uint32_t base = dfu->address - dfu_alternate(dfu)->address, size = dfu_alternate(dfu)->area.size;
    if (number < DFUSE_FIRST_BLOCK || dfu->address < dfu_alternate(dfu)->address || base > size ||
        blocks > (size - base) / dfu->config->buffer_size)
        return 0;
    *offset = base + blocks * dfu->config->buffer_size;
    return 1;
}

/* DfuSe: a block of data goes to the installer, which takes them in order; one at the very beginning starts anew. */
static int take_place(struct tandem_usb_dfu *dfu)
{
    uint32_t next = dfu->offset, offset;
    if (!place(dfu, dfu->number, &offset) || dfu->size > dfu_alternate(dfu)->area.size - offset)
        return 0;
    if (offset != 0 && (!dfu->begun || offset != next))
        return 0;
    if (offset == 0)
        dfu->begun = BEGUN_NOT;
    dfu->offset = offset;
    return 1;
}

enum tandem_usb_answer tandem_usb_dfu_received(struct tandem_usb_dfu *dfu, uint16_t size)
{
    if (!dfu->receiving)
        return TANDEM_USB_STALL;
    if (size != dfu->size)
        return fault(dfu, DFU_ERR_STALLEDPKT);
    dfu->receiving = 0;
    dfu->work = WORK_BLOCK;
    if (dfu_is_dfuse(dfu) && dfu->number == 0) {
        if (!is_command(dfu))
            return fault(dfu, DFU_ERR_STALLEDPKT);
        dfu->work = WORK_COMMAND;
    } else if (dfu_is_dfuse(dfu)) {
        if (!take_place(dfu))
            return fault(dfu, DFU_ERR_ADDRESS);
    } else {
        if (dfu->state == DFU_IDLE) {
            dfu->begun = BEGUN_NOT;
            dfu->offset = 0;
        }
        dfu->numbered = 1;
        dfu->number++;
    }
    dfu->state = DFU_DNLOAD_SYNC;
    dfu->fed = dfu->offset;
    dfu->reason = TANDEM_OK;
    dfu->began = dfu->now;
    dfu->done = 0;
    dfu->leaving = 0;
    return TANDEM_USB_DONE;
}

/* ---- upload ---- */

static enum tandem_usb_answer show(struct tandem_usb_dfu *dfu, const struct tandem_usb_setup *setup,
                                   struct tandem_usb_data *data)
{
    static const uint8_t commands[] = {0, DFUSE_SET_ADDRESS, DFUSE_ERASE};
    uint16_t size = setup->length;
    uint32_t offset = dfu->state == DFU_UPLOAD_IDLE ? dfu->offset : 0;
    if (!(attributes(dfu) & TANDEM_USB_DFU_CAN_UPLOAD) || size == 0 || size > dfu->config->buffer_size)
        return fault(dfu, DFU_ERR_STALLEDPKT);
    if (dfu_is_dfuse(dfu) && setup->value == 0) {
        memcpy(dfu->reply, commands, sizeof commands);
        dfu->state = DFU_UPLOAD_IDLE;
        return reply(dfu, setup, sizeof commands, data);
    }
    forget_dropped(dfu);
    if (!dfu_alternate(dfu)->readable)
        return fault(dfu, DFU_ERR_VENDOR);
    if (dfu_is_dfuse(dfu) && !place(dfu, setup->value, &offset))
        return fault(dfu, DFU_ERR_ADDRESS);
    if (tandem_dfu_store_read(dfu, offset, &size) != TANDEM_OK)
        return fault(dfu, DFU_ERR_UNKNOWN);
    dfu->offset = offset + size;
    dfu->state = size == setup->length ? DFU_UPLOAD_IDLE : DFU_IDLE;
    dfu->done = dfu->done || dfu->state == DFU_IDLE;
    data->bytes = dfu->config->buffer;
    data->size = size;
    return TANDEM_USB_SEND;
}

/* ---- the other requests ---- */

static enum tandem_usb_answer detach(struct tandem_usb_dfu *dfu, uint16_t timeout)
{
    uint16_t own = or_default(dfu->config->detach_ms, 1000);
    dfu->state = DFU_APP_DETACH;
    dfu->until = dfu->now + (timeout < own ? timeout : own);
    if (attributes(dfu) & TANDEM_USB_DFU_WILL_DETACH)
        leave_in(dfu, LEAVING_SURE, DETACH_AFTER_MS);
    return TANDEM_USB_DONE;
}

static enum tandem_usb_answer abort_transfer(struct tandem_usb_dfu *dfu)
{
    /* DfuSe hosts send it between commands. */
    if (dfu_is_dfuse(dfu))
        dfu->state = DFU_IDLE;
    else
        to_idle(dfu);
    if (dfu_is_dfuse(dfu) && !dfu->done && dfu->begun)
        finished(dfu);
    return TANDEM_USB_DONE;
}

static enum tandem_usb_answer act(struct tandem_usb_dfu *dfu, const struct tandem_usb_setup *setup,
                                  struct tandem_usb_data *data)
{
    enum action action = (enum action)actions[dfu->state][setup->request];
    if (dfu->config->strict && (action == LEAVE || (action == EARLY && !elapsed(dfu, dfu->until))))
        action = FAULT;
    switch (action) {
    case DETACH:
        return detach(dfu, setup->value);
    case LEAVE:
        leave_in(dfu, LEAVING_SURE, DETACH_AFTER_MS);
        dfu->done = 1;
        return TANDEM_USB_DONE;
    case LOAD:
        return load(dfu, setup, data);
    case SHOW:
        return show(dfu, setup, data);
    case TELL:
    case EARLY:
        return tell(dfu, setup, data);
    case CLEAR:
        to_idle(dfu);
        return TANDEM_USB_DONE;
    case STATE:
        dfu->reply[0] = dfu->state;
        return reply(dfu, setup, 1, data);
    case ABORT:
        return abort_transfer(dfu);
    case FAULT:
        return fault(dfu, DFU_ERR_STALLEDPKT);
    case FORGET:
        dfu->state = DFU_APP_IDLE;
        dfu->leaving = 0;
        return TANDEM_USB_STALL;
    case REFUSE:
        break;
    }
    return TANDEM_USB_STALL;
}

static enum tandem_usb_answer set_interface(struct tandem_usb_dfu *dfu, uint16_t alternate)
{
    uint8_t count = dfu->mode == TANDEM_USB_DFU ? dfu->config->alternate_count : 1;
    if (alternate >= count)
        return TANDEM_USB_STALL;
    if (dfu->mode == TANDEM_USB_DFU) {
        /* Hosts recover from few states by themselves. */
        if (dfu->state != DFU_MANIFEST_WAIT_RESET)
            to_idle(dfu);
        dfu->alternate = (uint8_t)alternate;
        dfu->address = dfu_alternate(dfu)->address;
    }
    return TANDEM_USB_DONE;
}

enum tandem_usb_answer tandem_usb_dfu_setup(struct tandem_usb_dfu *dfu, const struct tandem_usb_setup *setup,
                                            struct tandem_usb_data *data)
{
    uint8_t interface = dfu->mode == TANDEM_USB_DFU ? 0 : dfu->config->interface;
    dfu->receiving = 0;
    if ((setup->type & USB_RECIPIENT_MASK) != USB_RECIPIENT_INTERFACE || setup->index != interface)
        return TANDEM_USB_OTHER;
    if (setup->type == USB_RECIPIENT_INTERFACE && setup->request == USB_SET_INTERFACE) {
        dfu->configured = 1;
        return set_interface(dfu, setup->value);
    }
    if (setup->type == (USB_IN | USB_RECIPIENT_INTERFACE) && setup->request == USB_GET_INTERFACE) {
        dfu->reply[0] = dfu->alternate;
        return reply(dfu, setup, 1, data);
    }
    if ((setup->type & USB_TYPE_MASK) != USB_TYPE_CLASS)
        return TANDEM_USB_OTHER;
    dfu->configured = 1;
    if (dfu->leaving == LEAVING_IDLE)
        leave_in(dfu, LEAVING_IDLE, or_default(dfu->config->leave_ms, 3000));
    pass_time(dfu);
    if (setup->request < DFU_REQUESTS && setup->type == types[setup->request] &&
        (setup->length == 0 || setup->request == DFU_DNLOAD || (setup->type & USB_IN)))
        return act(dfu, setup, data);
    /* What is no request of DFU, is unexpected. */
    if (dfu->mode == TANDEM_USB_DFU && dfu->state != DFU_MANIFEST_WAIT_RESET && dfu->state != DFU_ERROR)
        return fault(dfu, DFU_ERR_STALLEDPKT);
    return TANDEM_USB_STALL;
}

/* ---- the bus ---- */

void tandem_usb_dfu_reset(struct tandem_usb_dfu *dfu)
{
    /* Hosts reset a device several times until they talk to it: such a series is one reset. */
    uint8_t first = dfu->configured;
    dfu->configured = 0;
    dfu->receiving = 0;
    pass_time(dfu);
    switch (dfu->state) {
    case DFU_APP_DETACH:
        enter(dfu, 1);
        break;
    case DFU_MANIFEST_WAIT_RESET:
        leave(dfu, 1);
        break;
    case DFU_ERROR:
    case DFU_IDLE:
        if (first && (dfu->state == DFU_ERROR || dfu->done))
            leave(dfu, 1);
        break;
    case DFU_DNLOAD_SYNC:
    case DFU_DNBUSY:
    case DFU_DNLOAD_IDLE:
    case DFU_UPLOAD_IDLE:
        to_error(dfu, DFU_ERR_USBR, TANDEM_OK);
        break;
    default: /* manifestation goes on */
        break;
    }
}

/* One step. @return TANDEM_AGAIN: call again */
static enum tandem_status work(struct tandem_usb_dfu *dfu)
{
    enum tandem_status status;
    switch (dfu->work) {
    case WORK_BLOCK:
        status = tandem_dfu_store_block(dfu);
        break;
    case WORK_MANIFEST:
        status = tandem_dfu_store_manifest(dfu);
        break;
    case WORK_DROP:
        tandem_dfu_store_drop(dfu);
        dfu->work = WORK_NONE;
        return TANDEM_OK;
    case WORK_COMMAND:
        return TANDEM_OK;
    default:
        return tandem_dfu_store_idle(dfu);
    }
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (dfu->work == WORK_BLOCK) {
        dfu->took = dfu->now - dfu->began;
        dfu->offset += dfu->size;
    }
    dfu->reason = (uint8_t)status;
    dfu->work = WORK_NONE;
    return TANDEM_OK;
}

/* What was said before the first poll was said at time 0, which is now. */
static void set_clock(struct tandem_usb_dfu *dfu, uint32_t now_ms)
{
    if (!dfu->dated) {
        dfu->dated = 1;
        dfu->until += now_ms;
        dfu->leave_at += now_ms;
        dfu->began += now_ms;
    }
    dfu->now = now_ms;
}

enum tandem_status tandem_usb_dfu_poll(struct tandem_usb_dfu *dfu, uint32_t now_ms)
{
    enum tandem_status status = TANDEM_AGAIN;
    unsigned i;
    set_clock(dfu, now_ms);
    for (i = 0; i < STEPS && status == TANDEM_AGAIN; i++)
        status = work(dfu);
    pass_time(dfu);
    if (dfu->leaving && elapsed(dfu, dfu->leave_at)) {
        if (dfu->mode == TANDEM_USB_DFU)
            leave(dfu, 0);
        else
            enter(dfu, 0);
    }
    return status;
}

/* ---- life ---- */

enum tandem_usb_mode tandem_usb_dfu_mode(const struct tandem_usb_dfu *dfu)
{
    return (enum tandem_usb_mode)dfu->mode;
}

enum tandem_status tandem_usb_dfu_init(struct tandem_usb_dfu *dfu, const struct tandem_usb_dfu_config *config,
                                       enum tandem_usb_mode mode)
{
    uint8_t readable = 0;
    if (config->install == NULL || config->alternates == NULL || config->alternate_count == 0 ||
        config->alternate_count > TANDEM_USB_DFU_ALTERNATES_MAX)
        return TANDEM_ERROR_ARGUMENT;
    for (uint8_t i = 0; i < config->alternate_count; i++) {
        const struct tandem_usb_dfu_alternate *alternate = &config->alternates[i];
        if (alternate->name == NULL ||
            (alternate->area.flash == NULL && (alternate->readable || config->version == TANDEM_USB_DFUSE)))
            return TANDEM_ERROR_ARGUMENT;
        readable |= alternate->readable;
    }
    if ((config->attributes & TANDEM_USB_DFU_CAN_UPLOAD) && !readable)
        return TANDEM_ERROR_ARGUMENT;
    if (config->buffer == NULL || config->buffer_size < 64)
        return TANDEM_ERROR_SPACE;
    memset(dfu, 0, sizeof *dfu);
    dfu->config = config;
    dfu->mode = (uint8_t)mode;
    dfu->state = mode == TANDEM_USB_DFU ? DFU_IDLE : DFU_APP_IDLE;
    dfu->address = config->alternates[0].address;
    dfu->took = or_default(config->block_ms, 10);
    return TANDEM_OK;
}
