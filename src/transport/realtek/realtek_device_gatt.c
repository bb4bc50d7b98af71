/*
 * Realtek's DFU over GATT, device half: what a host reads, the requests of
 * the control point and their answers, in the style of the dialect.
 */
#include "realtek_device.h"

#include <string.h>

#include "core/bytes.h"

#define BEE_VERSIONS 5u /* versions in one characteristic */
#define ATT_OVERHEAD 3u /* bytes of a notification that are not its value */
#define ATT_BUSY 0x80u  /* procedure already running */
#define HANDSHAKE_SIZE 16u

/* ---- reading ---- */

static int has_lists(const struct tandem_realtek_device *device)
{
    return (device->row->flags & REALTEK_LISTS) != 0;
}

/* Characteristics FFE0, FFE1, … that carry u32 after u32. */
static unsigned bee_lists(const struct tandem_realtek_device *device)
{
    return (device->config->image_count + BEE_VERSIONS - 1u) / BEE_VERSIONS;
}

int tandem_realtek_device_has(const struct tandem_realtek_device *device, uint16_t characteristic)
{
    switch (characteristic) {
    case TANDEM_REALTEK_OTA_SERVICE:
    case TANDEM_REALTEK_OTA_COMMAND:
    case TANDEM_REALTEK_ADDRESS:
    case TANDEM_REALTEK_PATCH_VERSION:
    case TANDEM_REALTEK_APP_VERSION:
    case TANDEM_REALTEK_INFO:
    case TANDEM_REALTEK_DFU_SERVICE:
    case TANDEM_REALTEK_DATA:
    case TANDEM_REALTEK_CONTROL:
        return 1;
    case TANDEM_REALTEK_PROTOCOL:
        return device->config->dialect != TANDEM_REALTEK_BEE2;
    case TANDEM_REALTEK_SECTIONS:
    case TANDEM_REALTEK_VERSIONS_1:
        if (has_lists(device) || characteristic == TANDEM_REALTEK_SECTIONS)
            return has_lists(device);
        break;
    default:
        break;
    }
    return characteristic >= TANDEM_REALTEK_VERSIONS && characteristic <= TANDEM_REALTEK_VERSIONS_LAST &&
           (unsigned)characteristic - TANDEM_REALTEK_VERSIONS < (has_lists(device) ? 1u : bee_lists(device));
}

/* The dialect that GATT speaks, also where the device was set up for streams. */
static enum tandem_realtek_dialect gatt_dialect(const struct tandem_realtek_device *device)
{
    return (enum tandem_realtek_dialect)device->config->dialect;
}

static size_t tell_address(const struct tandem_realtek_device *device, uint8_t *bytes)
{
    const struct tandem_realtek_pair_port *pair = device->config->pair;

    memcpy(bytes, device->config->address, 6);
    if (!has_lists(device))
        return 6;
    memcpy(bytes + 6, bytes, 6);
    if (pair != NULL)
        pair->other(pair->ctx, bytes + 6);
    return 12;
}

static size_t tell_bee_versions(const struct tandem_realtek_device *device, unsigned part, uint8_t *bytes)
{
    size_t size = 0;

    for (unsigned i = part * BEE_VERSIONS; i < device->config->image_count && i < (part + 1) * BEE_VERSIONS; i++) {
        tandem_store_le32(bytes + size, device->config->images[i].version);
        size += 4;
    }
    return size;
}

/* A whole value. @return its size; 0: there is none to be read */
static size_t value_of(const struct tandem_realtek_device *device, uint16_t characteristic, uint8_t *bytes)
{
    switch (characteristic) {
    case TANDEM_REALTEK_ADDRESS:
        return tell_address(device, bytes);
    case TANDEM_REALTEK_PATCH_VERSION:
        tandem_store_le32(bytes, device->config->patch_version);
        return 4;
    case TANDEM_REALTEK_APP_VERSION:
        tandem_store_le32(bytes, device->config->app_version);
        return 4;
    case TANDEM_REALTEK_INFO:
        return tandem_realtek_tell_info(device, gatt_dialect(device), bytes);
    case TANDEM_REALTEK_PROTOCOL:
        tandem_store_le16(bytes, device->row->protocol);
        return 2;
    case TANDEM_REALTEK_SECTIONS:
        return tandem_realtek_tell_sections(device, 0, bytes);
    default:
        break;
    }
    if (characteristic < TANDEM_REALTEK_VERSIONS || characteristic > TANDEM_REALTEK_VERSIONS_LAST)
        return 0;
    if (has_lists(device))
        return tandem_realtek_tell_versions(device, characteristic == TANDEM_REALTEK_VERSIONS_1, 0, bytes);
    return tell_bee_versions(device, (unsigned)characteristic - TANDEM_REALTEK_VERSIONS, bytes);
}

enum tandem_att tandem_realtek_device_read(const struct tandem_realtek_device *device, uint16_t characteristic,
                                           uint16_t offset, uint8_t *data, size_t capacity, size_t *size)
{
    uint8_t bytes[TANDEM_REALTEK_ANSWER_MAX];
    size_t whole;

    *size = 0;
    if (!tandem_realtek_device_has(device, characteristic))
        return TANDEM_ATT_NOT_FOUND;
    whole = value_of(device, characteristic, bytes);
    if (whole == 0)
        return TANDEM_ATT_READ_NOT_PERMITTED;
    if (offset > whole)
        return TANDEM_ATT_INVALID_OFFSET;
    *size = whole - offset < capacity ? whole - offset : capacity;
    memcpy(data, bytes + offset, *size);
    return TANDEM_ATT_OK;
}

/* ---- answers ---- */

/*
 * Notify what is due. Where it does not fit, what follows the first piece are
 * bytes of the body alone. The protocol's own devices cut at the MTU, which
 * no notification can carry.
 */
static void flush(struct tandem_realtek_device *device)
{
    while (device->answer_at < device->answer_size) {
        size_t most = device->gatt->mtu(device->gatt->ctx) - ATT_OVERHEAD;
        size_t left = (size_t)device->answer_size - device->answer_at, part = left < most ? left : most;
        enum tandem_status status =
            device->gatt->notify(device->gatt->ctx, TANDEM_REALTEK_CONTROL, device->reply + device->answer_at, part);

        if (status == TANDEM_AGAIN)
            return;
        if (status != TANDEM_OK)
            break; /* nobody listens */
        device->answer_at = (uint8_t)(device->answer_at + part);
    }
    device->answer_size = 0;
    device->answer_at = 0;
}

/* The answer's bytes are in place: send them. */
static enum tandem_att send(struct tandem_realtek_device *device, uint8_t op, size_t size)
{
    device->reply[0] = REALTEK_ANSWER;
    device->reply[1] = op;
    device->answer_size = (uint8_t)size;
    device->answer_at = 0;
    flush(device);
    return TANDEM_ATT_OK;
}

static enum tandem_att send_status(struct tandem_realtek_device *device, uint8_t op, uint8_t status)
{
    device->reply[2] = status;
    return send(device, op, 3);
}

/* A request that cannot be: the audio line says so in ATT, the others in a notification. */
static enum tandem_att bad(struct tandem_realtek_device *device, uint8_t op, uint8_t status)
{
    if (device->row->flags & REALTEK_ATT_ERRORS)
        return TANDEM_ATT_INVALID_PDU;
    return send_status(device, op, status);
}

/* The set is complete and verified, or cannot be. Success has no answer: the device goes. */
static void completed(struct tandem_realtek_device *device, uint8_t status)
{
    if (status == REALTEK_SUCCESS)
        status = tandem_realtek_switch(device, device->come_back);
    if (status != REALTEK_SUCCESS)
        (void)send_status(device, REALTEK_OP_ACTIVATE, status);
}

static void answer(void *front, uint8_t op, uint8_t status)
{
    struct tandem_realtek_device *device = front;

    if (op == REALTEK_OP_ACTIVATE) {
        completed(device, status);
        return;
    }
    if (op == REALTEK_OP_REPORT) {
        device->reply[2] = status;
        tandem_store_le32(device->reply + 3, device->at);
        (void)send(device, op, 7);
        return;
    }
    (void)send_status(device, op, status);
}

static enum tandem_att answer_now(struct tandem_realtek_device *device, uint8_t op, uint8_t status)
{
    if (status != REALTEK_LATER)
        answer(device, op, status);
    return TANDEM_ATT_OK;
}

/* ---- requests ---- */

static enum tandem_att target(struct tandem_realtek_device *device, const uint8_t *body)
{
    const struct tandem_realtek_map *map = tandem_realtek_find(device, tandem_load_le16(body));
    uint8_t *reply = device->reply;

    memset(reply + 2, 0, 11);
    reply[2] = map != NULL ? REALTEK_SUCCESS : REALTEK_INVALID;
    if (map != NULL && !has_lists(device))
        tandem_store_le32(reply + 3, map->version);
    if (map != NULL)
        tandem_store_le32(reply + 7, tandem_realtek_offset(device, map->image));
    return send(device, REALTEK_OP_TARGET, device->row->target_size); /* the buffer-check offset is 0 */
}

static enum tandem_att check_on(struct tandem_realtek_device *device)
{
    uint16_t size = tandem_realtek_check_on(device);
    uint8_t *reply = device->reply;

    reply[2] = size != 0 ? 1 : has_lists(device) ? 0 : REALTEK_FAILED;
    tandem_store_le16(reply + 3, size);
    tandem_store_le16(reply + 5, has_lists(device) ? 0 : device->gatt->mtu(device->gatt->ctx));
    return send(device, REALTEK_OP_CHECK, 7);
}

static enum tandem_att parameters(struct tandem_realtek_device *device, const uint8_t *body)
{
    struct tandem_gatt_parameters wish;
    enum tandem_status status = TANDEM_ERROR_NOT_SUPPORTED;

    wish.interval_min = tandem_load_le16(body);
    wish.interval_max = tandem_load_le16(body + 2);
    wish.latency = tandem_load_le16(body + 4);
    wish.timeout = tandem_load_le16(body + 6);
    if (wish.interval_min < 6 || wish.interval_min > wish.interval_max || wish.interval_max > 3200)
        return send_status(device, REALTEK_OP_PARAMETERS, REALTEK_INVALID);
    if (device->gatt->parameters != NULL)
        status = device->gatt->parameters(device->gatt->ctx, &wish);
    return send_status(device, REALTEK_OP_PARAMETERS, status == TANDEM_OK ? REALTEK_SUCCESS : REALTEK_FAILED);
}

/* 8752H: is this version good to come? */
static uint8_t version_is(const struct tandem_realtek_device *device, const uint8_t *body)
{
    const struct tandem_realtek_map *map = tandem_realtek_find(device, tandem_load_le16(body));
    enum realtek_version_bits bits;

    if (map == NULL)
        return REALTEK_INVALID;
    bits = tandem_realtek_version_bits(gatt_dialect(device), map->image);
    return tandem_realtek_version_key(tandem_load_le32(body + 2), bits) < tandem_realtek_version_key(map->version, bits)
               ? REALTEK_VERSION
               : REALTEK_SUCCESS;
}

/* Show that the key is known: each byte one more, behind the cipher. */
static enum tandem_att handshake(struct tandem_realtek_device *device, const uint8_t *body)
{
    uint8_t *block = device->reply + 3;

    memcpy(block, body, HANDSHAKE_SIZE);
    if (device->aes_on)
        (void)tandem_aes_decrypt(&device->aes, block, block, 1);
    for (unsigned i = 0; i < HANDSHAKE_SIZE; i++)
        block[i]++;
    if (device->aes_on)
        (void)tandem_aes_encrypt(&device->aes, block, block, 1);
    device->reply[2] = REALTEK_SUCCESS;
    return send(device, REALTEK_OP_HANDSHAKE, 3 + HANDSHAKE_SIZE);
}

static enum tandem_att release(struct tandem_realtek_device *device)
{
    memset(device->reply + 2, 0, 6);
    if (device->config->release != NULL)
        memcpy(device->reply + 2, device->config->release, 6);
    return send(device, REALTEK_OP_RELEASE, 8);
}

static enum tandem_att sha(struct tandem_realtek_device *device, const uint8_t *body, size_t size)
{
    size_t stored = tandem_realtek_tell_sha(device, body, size, device->reply + 2);

    return stored == 0 ? TANDEM_ATT_INVALID_PDU : send(device, REALTEK_OP_SHA, 2 + stored);
}

static enum tandem_att activate(struct tandem_realtek_device *device, const uint8_t *body, size_t size)
{
    device->come_back = size != 0 && body[0] == 1;
    return answer_now(device, REALTEK_OP_ACTIVATE, tandem_realtek_complete(device, REALTEK_OP_ACTIVATE));
}

/* Requests that all dialects have. @return 0: none of them */
static int common(struct tandem_realtek_device *device, uint8_t op, const uint8_t *body, size_t size,
                  enum tandem_att *att)
{
    *att = TANDEM_ATT_OK;
    switch (op) {
    case REALTEK_OP_START:
        *att = answer_now(device, op, tandem_realtek_begin(device, body));
        return 1;
    case REALTEK_OP_RECEIVE:
        tandem_realtek_go_to(device, tandem_load_le16(body), tandem_load_le32(body + 2));
        return 1;
    case REALTEK_OP_VALIDATE:
        *att = answer_now(device, op, tandem_realtek_validate(device, tandem_load_le16(body)));
        return 1;
    case REALTEK_OP_ACTIVATE:
        *att = activate(device, body, size);
        return 1;
    case REALTEK_OP_ABORT:
        tandem_realtek_give_up(device);
        return 1;
    case REALTEK_OP_TARGET:
        *att = target(device, body);
        return 1;
    case REALTEK_OP_CHECK:
        *att = check_on(device);
        return 1;
    case REALTEK_OP_REPORT:
        *att =
            answer_now(device, op, tandem_realtek_report(device, tandem_load_le16(body), tandem_load_le16(body + 2)));
        return 1;
    case REALTEK_OP_COPY:
        *att = answer_now(device, op, tandem_realtek_copy(device, tandem_load_le16(body)));
        return 1;
    default:
        return 0;
    }
}

static enum tandem_att bee(struct tandem_realtek_device *device, uint8_t op, const uint8_t *body)
{
    switch (op) {
    case REALTEK_OP_PARAMETERS:
        return parameters(device, body);
    case REALTEK_OP_IC:
        device->reply[2] = REALTEK_SUCCESS;
        device->reply[3] = device->config->ic;
        return send(device, op, 4);
    case REALTEK_OP_VERSION_IS:
        return send_status(device, op, version_is(device, body));
    default:
        return handshake(device, body);
    }
}

static enum tandem_att audio(struct tandem_realtek_device *device, uint8_t op, const uint8_t *body, size_t size)
{
    switch (op) {
    case REALTEK_OP_VERSIONS:
        if (body[0] > 1)
            return TANDEM_ATT_INVALID_PDU;
        return send(device, op, 2 + tandem_realtek_tell_versions(device, body[0], 0, device->reply + 2));
    case REALTEK_OP_SECTIONS:
        return send(device, op, 2 + tandem_realtek_tell_sections(device, 0, device->reply + 2));
    case REALTEK_OP_SHA:
        return sha(device, body, size);
    case REALTEK_OP_RELEASE:
        return release(device);
    default:
        tandem_realtek_test(device, body[0]);
        return TANDEM_ATT_OK;
    }
}

/* How long a request's body is. A dialect that does not have it has no length either. */
struct shape {
    uint8_t least, most;
};
#define NO_OP \
    {         \
        1, 0  \
    }
#define ANY_LENGTH 255
static const struct shape bee_shapes[] = {
    NO_OP, {16, 16}, {6, 6}, {2, 3}, {0, 1},   {0, 0}, {2, 2},   {8, 8},
    NO_OP, {0, 0},   {4, 4}, {0, 0}, {10, 10}, {6, 6}, {16, 16},
};
static const struct shape audio_shapes[] = {
    NO_OP,  {16, 16}, {6, 6}, {2, 3}, {0, ANY_LENGTH}, {0, ANY_LENGTH}, {2, 2},           NO_OP,  NO_OP,
    {0, 0}, {4, 4},   NO_OP,  {2, 2}, {1, 1},          {0, 0},          {36, ANY_LENGTH}, {0, 0}, {1, 1},
};

static enum tandem_att request(struct tandem_realtek_device *device, const uint8_t *data, size_t size)
{
    struct shape shape = NO_OP;
    const uint8_t *body;
    enum tandem_att att;
    uint8_t op;

    if (size == 0)
        return TANDEM_ATT_INVALID_LENGTH;
    op = data[0];
    body = data + 1;
    if ((device->pending != 0 || device->answer_size != 0) && op != REALTEK_OP_ABORT)
        return (enum tandem_att)ATT_BUSY;
    if (op <= device->row->op_max)
        shape = (has_lists(device) ? audio_shapes : bee_shapes)[op];
    if (shape.most < shape.least)
        return bad(device, op, REALTEK_UNKNOWN_OP);
    size--;
    if (size < shape.least || (size > shape.most && shape.most != ANY_LENGTH))
        return bad(device, op, REALTEK_INVALID);
    tandem_realtek_heard(device, answer, device);
    if (common(device, op, body, size, &att))
        return att;
    return has_lists(device) ? audio(device, op, body, size) : bee(device, op, body);
}

/* ---- the other characteristics ---- */

static enum tandem_att take_data(struct tandem_realtek_device *device, const uint8_t *data, size_t size)
{
    device->heard = 1;
    switch (tandem_realtek_take(device, data, size)) {
    case TAKEN:
        return TANDEM_ATT_OK;
    case TAKEN_BEYOND:
        return TANDEM_ATT_INVALID_PDU;
    default:
        return TANDEM_ATT_APPLICATION;
    }
}

static enum tandem_att command(struct tandem_realtek_device *device, const uint8_t *data, size_t size)
{
    if (size != 1)
        return TANDEM_ATT_INVALID_LENGTH;
    if (data[0] != 1)
        return TANDEM_ATT_APPLICATION;
    return tandem_realtek_enter(device) ? TANDEM_ATT_OK : TANDEM_ATT_APPLICATION;
}

enum tandem_att tandem_realtek_device_write(struct tandem_realtek_device *device, uint16_t characteristic,
                                            const void *data, size_t size)
{
    switch (characteristic) {
    case TANDEM_REALTEK_DATA:
        return take_data(device, data, size);
    case TANDEM_REALTEK_CONTROL:
        return request(device, data, size);
    case TANDEM_REALTEK_OTA_COMMAND:
        return command(device, data, size);
    default:
        return tandem_realtek_device_has(device, characteristic) ? TANDEM_ATT_WRITE_NOT_PERMITTED
                                                                 : TANDEM_ATT_NOT_FOUND;
    }
}

enum tandem_status tandem_realtek_device_poll(struct tandem_realtek_device *device, uint32_t now_ms)
{
    enum tandem_status status = tandem_realtek_work(device, now_ms);

    if (device->gatt != NULL)
        flush(device);
    return device->answer_size != 0 ? TANDEM_AGAIN : status;
}
