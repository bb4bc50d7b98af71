/*
 * The way to Realtek devices: see host_realtek.h.
 */
#define _POSIX_C_SOURCE 200809L

#include "host_realtek.h"

#include <stdlib.h>
#include <string.h>

#include "tandem/image_mppack.h"

#define GREETING_US 60000 /* a bud that is not the phone's hangs up within this time */
#define WRAP_CHIP TANDEM_REALTEK_IC_87X3E

/* ---- what is sent ---- */

/* A Tandem package goes as the payload of an application image, with the OTA header that chips with two banks want. */
static int wrap_package(struct host_realtek *realtek, const char *path)
{
    static const uint8_t nothing[64];
    struct tandem_realtek_wrap wraps[2];
    uint32_t sizes[2] = {0, 0};
    struct tandem_package_header header;
    struct tandem_manifest manifest;
    if (tandem_package_header(&header, realtek->file.data) != TANDEM_OK || header.head_size > realtek->file.size ||
        tandem_manifest_parse(&manifest, NULL, realtek->file.data, header.head_size) != TANDEM_OK)
        return tool_fail(TANDEM_ERROR_FORMAT, "%s is a damaged package; see `tandem verify`", path);
    memset(wraps, 0, sizeof wraps);
    for (unsigned i = 0; i < 2; i++) {
        wraps[i].ic = WRAP_CHIP;
        wraps[i].version = manifest.version;
        wraps[i].image = i == 0 ? TANDEM_REALTEK_IMAGE_OTA_HEADER : TANDEM_REALTEK_IMAGE_APP;
        wraps[i].payload = i == 0 ? nothing : realtek->file.data;
        wraps[i].size = i == 0 ? (uint32_t)sizeof nothing : (uint32_t)realtek->file.size;
        if (tandem_realtek_wrap_size(&wraps[i], &sizes[i]) != TANDEM_OK)
            return tool_fail(TANDEM_ERROR_TOO_LARGE, "%s is too large for a Realtek image", path);
    }
    realtek->wrapped.size = (size_t)sizes[0] + sizes[1];
    realtek->wrapped.data = malloc(realtek->wrapped.size);
    if (realtek->wrapped.data == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    tandem_image_memory(&realtek->source, realtek->wrapped.data, (uint32_t)realtek->wrapped.size);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t at = i == 0 ? 0 : sizes[0];
        struct tandem_realtek_file one;
        struct tandem_source image;
        enum tandem_status status = tandem_realtek_wrap_write(&wraps[i], NULL, realtek->wrapped.data + at, sizes[i]);
        tandem_image_memory(&image, realtek->wrapped.data + at, sizes[i]);
        if (status == TANDEM_OK)
            status = tandem_realtek_file_open(&one, &image, 0);
        if (status != TANDEM_OK)
            return tool_fail((int)status, "%s: version and size do not fit a Realtek image", path);
        realtek->files[0].ic = one.ic;
        realtek->files[0].parts[i] = one.parts[0];
        realtek->files[0].parts[i].offset = at;
        /* An OTA header has no place for a version that every chip agrees on: it is told beside it. */
        realtek->files[0].parts[i].versioned =
            tandem_realtek_version_pack(&realtek->files[0].parts[i].version, WRAP_CHIP, wraps[i].image,
                                        &manifest.version) == TANDEM_OK;
    }
    realtek->files[0].source = &realtek->source;
    realtek->files[0].count = 2;
    realtek->files[1] = realtek->files[0];
    return TOOL_OK;
}

int host_realtek_read(struct host_realtek *realtek, const char *path)
{
    int code = tool_read(&realtek->file, path);
    if (code != TOOL_OK)
        return code;
    if (realtek->file.size >= TANDEM_PACKAGE_HEADER_SIZE && memcmp(realtek->file.data, "TDM1", 4) == 0)
        return wrap_package(realtek, path);
    if (realtek->file.size > UINT32_MAX)
        return tool_fail(TANDEM_ERROR_TOO_LARGE, "%s is too large", path);
    tandem_image_memory(&realtek->source, realtek->file.data, (uint32_t)realtek->file.size);
    for (unsigned i = 0; i < HOST_REALTEK_BUDS; i++) {
        enum tandem_status status = tandem_realtek_file_open(&realtek->files[i], &realtek->source, (uint8_t)(i + 1));
        if (status == TANDEM_ERROR_UNSUPPORTED)
            return tool_fail((int)status, "%s is a pack of a kind not known here, or for production lines only", path);
        if (status != TANDEM_OK)
            return tool_fail((int)status,
                             "%s is neither a Realtek pack or image nor a Tandem package; see `tandem inspect`", path);
    }
    return TOOL_OK;
}

/* ---- the wire ---- */

static enum tandem_status begin(struct host_realtek *realtek)
{
    if (realtek->serial)
        return tandem_posix_serial_open(&realtek->wire, realtek->addresses[0], realtek->baud, realtek->note);
    return tandem_posix_connect(&realtek->wire, realtek->addresses[realtek->tried], realtek->note);
}

static enum tandem_status next_address(struct host_realtek *realtek)
{
    tandem_posix_stream_close(&realtek->wire);
    realtek->connecting = 0;
    if (++realtek->tried < realtek->count)
        return TANDEM_AGAIN;
    realtek->tried = 0;
    return TANDEM_ERROR_DISCONNECTED;
}

/* Of a pair, the bud that does not hold the phone's link hangs up at once: then the other is tried. */
static enum tandem_status greet(struct host_realtek *realtek)
{
    uint8_t byte;
    size_t got = 0;
    if (realtek->count > 1 && tandem_posix_now_us() - realtek->connected_us < GREETING_US)
        return tandem_posix_stream_read(&realtek->wire, &byte, 1, &got) == TANDEM_OK ? TANDEM_AGAIN
                                                                                     : next_address(realtek);
    realtek->connecting = 0;
    realtek->note[0] = '\0';
    return TANDEM_OK;
}

static enum tandem_status wire_connect(void *ctx)
{
    struct host_realtek *realtek = ctx;
    if (realtek->connecting == 2)
        return greet(realtek);
    enum tandem_status status =
        realtek->connecting ? tandem_posix_connected(&realtek->wire, realtek->note) : begin(realtek);
    realtek->connecting = status == TANDEM_AGAIN;
    if (status == TANDEM_AGAIN)
        return status;
    if (status != TANDEM_OK)
        return next_address(realtek);
    realtek->connecting = 2;
    realtek->connected_us = tandem_posix_now_us();
    return TANDEM_AGAIN;
}

static void wire_disconnect(void *ctx)
{
    struct host_realtek *realtek = ctx;
    tandem_posix_stream_close(&realtek->wire);
    realtek->connecting = 0;
}

/* ---- the radio ---- */

static const char *const advertised[3] = {"app", "ota", "bud"};

static enum tandem_status gatt_connect(void *ctx, const struct tandem_gatt_peer *peer)
{
    struct host_realtek *realtek = ctx;
    memset(realtek->sought, 0, sizeof realtek->sought);
    if (peer->address != NULL)
        memcpy(realtek->sought[0], peer->address, 6);
    for (unsigned i = 1; i < 3 && peer->manufacturer_size == TANDEM_REALTEK_ADVERTISEMENT; i++)
        memcpy(realtek->sought[i], peer->manufacturer + 2, 6);
    realtek->seeking = 1;
    return TANDEM_OK;
}

static enum tandem_status gatt_disconnect(void *ctx)
{
    struct host_realtek *realtek = ctx;
    (void)air_move(&realtek->phone); /* last words */
    air_close(&realtek->phone);
    realtek->seeking = 0;
    return TANDEM_OK;
}

static enum tandem_status put(struct host_realtek *realtek, enum air_what what, uint16_t characteristic,
                              const void *data, size_t size)
{
    if (realtek->phone.wire.fd < 0)
        return TANDEM_ERROR_DISCONNECTED;
    return air_send(&realtek->phone, what, characteristic, data, size) == 0 ? TANDEM_OK : TANDEM_AGAIN;
}

static enum tandem_status gatt_read(void *ctx, uint16_t characteristic)
{
    return put(ctx, AIR_READ, characteristic, NULL, 0);
}

static enum tandem_status gatt_write(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    return put(ctx, AIR_WRITE, characteristic, data, size);
}

static enum tandem_status gatt_command(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    return put(ctx, AIR_COMMAND, characteristic, data, size);
}

static enum tandem_status gatt_subscribe(void *ctx, uint16_t characteristic, int on)
{
    uint8_t byte = on != 0;
    return put(ctx, AIR_SUBSCRIBE, characteristic, &byte, 1);
}

static uint16_t gatt_mtu(void *ctx)
{
    (void)ctx;
    return AIR_MTU;
}

/* Whoever of those sought is in the air. */
static void scan(struct host_realtek *realtek)
{
    char name[AIR_NAME_SIZE], address[TANDEM_POSIX_ADDRESS_SIZE];
    for (unsigned i = 0; i < 3 && realtek->seeking == 1; i++) {
        air_name(name, advertised[i], realtek->sought[i]);
        (void)snprintf(address, sizeof address, "unix:%.60s/%s", realtek->radio, name);
        enum tandem_status status = tandem_posix_connect(&realtek->phone.wire, address, realtek->note);
        if (status != TANDEM_OK && status != TANDEM_AGAIN) {
            (void)snprintf(realtek->note, sizeof realtek->note, "it is not in the air");
            continue;
        }
        realtek->seeking = 0;
        realtek->note[0] = '\0';
        tandem_realtek_host_on_connected(&realtek->host);
    }
}

static void take(struct host_realtek *realtek, const struct air_message *message)
{
    struct tandem_realtek_host *host = &realtek->host;
    enum tandem_att att = message->size != 0 ? (enum tandem_att)message->bytes[0] : TANDEM_ATT_UNLIKELY;
    switch ((enum air_what)message->what) {
    case AIR_VALUE:
        tandem_realtek_host_on_read(host, att, message->bytes + 1, message->size - (message->size != 0));
        break;
    case AIR_WRITTEN:
        tandem_realtek_host_on_written(host, att);
        break;
    case AIR_SUBSCRIBED:
        tandem_realtek_host_on_subscribed(host, att);
        break;
    case AIR_NOTIFY:
        tandem_realtek_host_on_notification(host, message->characteristic, message->bytes, message->size);
        break;
    default:
        break;
    }
}

static void receive_radio(struct host_realtek *realtek)
{
    struct air_message message;
    if (realtek->seeking == 1)
        scan(realtek);
    if (realtek->phone.wire.fd < 0)
        return;
    enum tandem_status status = air_move(&realtek->phone);
    while (air_next(&realtek->phone, &message)) {
        take(realtek, &message);
        air_drop(&realtek->phone);
    }
    if (status == TANDEM_OK)
        return;
    air_close(&realtek->phone);
    (void)snprintf(realtek->note, sizeof realtek->note, "its connection ended");
    tandem_realtek_host_on_disconnected(&realtek->host);
}

static void init_radio(struct host_realtek *realtek, const struct tandem_realtek_options *options)
{
    static const struct tandem_gatt_host_port gatt = {
        NULL, gatt_connect, gatt_disconnect, gatt_read, gatt_write, gatt_command, gatt_subscribe, gatt_mtu, NULL};
    realtek->gatt = gatt;
    realtek->gatt.ctx = realtek;
    realtek->peer.address = realtek->address;
    tandem_realtek_host_init_gatt(&realtek->host, &realtek->gatt, &realtek->peer, &realtek->files[0], options);
}

void host_realtek_init(struct host_realtek *realtek)
{
    struct tandem_realtek_options options;
    memset(&options, 0, sizeof options);
    options.any_version = realtek->any_version;
    options.checksum = realtek->serial != 0;
    tandem_posix_stream_init(&realtek->wire);
    realtek->connector.ctx = realtek;
    realtek->connector.connect = wire_connect;
    realtek->connector.disconnect = wire_disconnect;
    air_init(&realtek->phone);
    if (realtek->radio != NULL)
        init_radio(realtek, &options);
    else
        tandem_realtek_host_init_stream(&realtek->host, &realtek->wire.port, &realtek->connector, &realtek->files[0],
                                        &options);
    tandem_realtek_rws_init(&realtek->rws, &realtek->host, &realtek->files[1]);
}

const struct tandem_target *host_realtek_target(const struct host_realtek *realtek, size_t index)
{
    return realtek->count > 1 ? tandem_realtek_rws_target(&realtek->rws, (unsigned)index)
                              : tandem_realtek_host_target(&realtek->host);
}

void host_realtek_receive(struct host_realtek *realtek)
{
    uint8_t data[2048];
    size_t got;
    if (realtek->radio != NULL)
        receive_radio(realtek);
    if (realtek->wire.fd < 0 || realtek->connecting)
        return;
    do {
        if (tandem_posix_stream_read(&realtek->wire, data, sizeof data, &got) != TANDEM_OK) {
            (void)snprintf(realtek->note, sizeof realtek->note, "it hung up");
            tandem_posix_stream_close(&realtek->wire);
            tandem_realtek_host_on_disconnected(&realtek->host);
            return;
        }
        tandem_realtek_host_receive(&realtek->host, data, got);
    } while (got == sizeof data);
}

void host_realtek_rest(struct host_realtek *realtek, int ms)
{
    struct pollfd fd;
    if (realtek->radio != NULL && realtek->phone.wire.fd >= 0)
        (void)air_move(&realtek->phone);
    int more = realtek->connecting == 1 || realtek->phone.out_fill != 0;
    fd.fd = realtek->radio != NULL ? realtek->phone.wire.fd : realtek->wire.fd;
    fd.events = (short)(POLLIN | (more ? POLLOUT : 0));
    (void)tandem_posix_wait(&fd, 1, ms);
}

void host_realtek_close(struct host_realtek *realtek)
{
    if (realtek->wire.port.write != NULL) {
        wire_disconnect(realtek);
        air_close(&realtek->phone);
    }
    tool_release(&realtek->file);
    tool_release(&realtek->wrapped);
}

/* ---- words ---- */

#define SAY(...) ((void)snprintf(text, size, __VA_ARGS__))

int host_realtek_explain(const struct host_realtek *realtek, char *text, size_t size,
                         const struct tandem_update_result *result, const struct tandem_info *info)
{
    unsigned long detail = result->detail;
    switch (result->status) {
    case TANDEM_ERROR_UNSUPPORTED:
        if (result->stage == TANDEM_STAGE_CHECK)
            SAY("it speaks a Realtek protocol that is not known here: type 0x%04lx", detail);
        return result->stage == TANDEM_STAGE_CHECK;
    case TANDEM_ERROR_HARDWARE:
        SAY("the file is for %s, the device is %s", tandem_realtek_ic_name(realtek->files[0].ic),
            tandem_realtek_ic_name((uint8_t)info->hardware));
        return 1;
    case TANDEM_ERROR_VERSION:
        SAY("the file is not newer than what it runs; --reinstall sends it all the same");
        return 1;
    case TANDEM_ERROR_TOO_LARGE:
        SAY("an image is larger than its place, or than the device can buffer: %lu bytes", detail);
        return 1;
    case TANDEM_ERROR_INCOMPLETE:
        SAY("the file lacks an image that its other bank needs: %s",
            detail != 0 ? tandem_realtek_image_name(realtek->files[0].ic, (uint16_t)detail) : "all of them");
        return 1;
    case TANDEM_ERROR_NOT_SUPPORTED:
        SAY(realtek->count > 1 ? "it is no pair that can be updated as one" : "it takes no updates over this link");
        return 1;
    case TANDEM_ERROR_CANCELLED:
        SAY("cancelled; it keeps its old firmware");
        return 1;
    default:
        if (!result->reported)
            return 0;
        SAY("%s (stage %s, the device says %lu)", tandem_status_text(result->status), tandem_stage_text(result->stage),
            detail);
        return 1;
    }
}
