/*
 * A Realtek device for tests: see realtek_peer.h.
 */
#include "realtek_peer.h"

#include <stdio.h>
#include <string.h>

#include "tandem/crypto.h"

enum { EVENT_CONNECTED, EVENT_READ, EVENT_WRITTEN, EVENT_SUBSCRIBED, EVENT_NOTIFIED, EVENT_BYTES, EVENT_GONE };

#define IS(letters) (strchr(letters, peer->spec.dialect) != NULL)

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value);
    put16(p + 2, value >> 16);
}

static void wrong(struct peer *peer, const char *why)
{
    peer->wrong++;
    snprintf(peer->why, sizeof peer->why, "%s", why);
}

/* ---- telling the host ---- */

static void tell(struct peer *peer, int kind, int att, const void *bytes, size_t size, uint32_t after)
{
    struct peer_event *event = &peer->events[peer->last++ % PEER_EVENTS];

    event->kind = (uint8_t)kind;
    event->att = (uint8_t)att;
    event->size = (uint16_t)size;
    event->due = peer->now + after;
    if (size != 0)
        memcpy(event->bytes, bytes, size);
}

static void say(struct peer *peer, int kind, const void *bytes, size_t size)
{
    peer->answers++;
    if (peer->answers == peer->lose)
        return;
    tell(peer, kind, 0, bytes, size, peer->answers == peer->delay ? 700 : 2);
    if (peer->answers == peer->repeat)
        tell(peer, kind, 0, bytes, size, 30);
}

static void deliver(struct peer *peer, const struct peer_event *event)
{
    struct tandem_realtek_host *host = peer->host;

    switch (event->kind) {
    case EVENT_CONNECTED:
        tandem_realtek_host_on_connected(host);
        break;
    case EVENT_READ:
        tandem_realtek_host_on_read(host, (enum tandem_att)event->att, event->bytes, event->size);
        break;
    case EVENT_WRITTEN:
        tandem_realtek_host_on_written(host, (enum tandem_att)event->att);
        break;
    case EVENT_SUBSCRIBED:
        tandem_realtek_host_on_subscribed(host, (enum tandem_att)event->att);
        break;
    case EVENT_NOTIFIED:
        tandem_realtek_host_on_notification(host, TANDEM_REALTEK_CONTROL, event->bytes, event->size);
        break;
    case EVENT_BYTES:
        tandem_realtek_host_receive(host, event->bytes, event->size);
        break;
    default:
        tandem_realtek_host_on_disconnected(host);
        break;
    }
}

/* ---- losing everything ---- */

static void forget_images(struct peer *peer)
{
    for (unsigned i = 0; i < PEER_IMAGES; i++)
        peer->other[i].ready = 0;
    peer->started = NULL;
    peer->fill = 0;
}

static void unlink_host(struct peer *peer)
{
    if (!peer->linked)
        return;
    peer->linked = 0;
    peer->subscribed = 0;
    peer->wire_fill = 0;
    peer->first = peer->last; /* what was under way is lost */
    tell(peer, EVENT_GONE, 0, NULL, 0, 1);
    if (!peer->spec.keeps)
        forget_images(peer);
    peer->fill = 0;
    peer->checking = 0;
    peer->event_id = 0;
    if (peer->ota_mode && IS("BC") && peer->reset_ms == 0)
        peer->down_for = 300; /* it resets, and comes back in OTA mode */
}

static void restart(struct peer *peer)
{
    unlink_host(peer);
    forget_images(peer);
    peer->down_for = 400;
    peer->ota_mode = peer->reset_to_ota;
    peer->reset_to_ota = 0;
    peer->reset_ms = 0;
    peer->sequence = 0;
    peer->heard = 0;
}

static int reached(struct peer *peer)
{
    peer->packets++;
    if (peer->packets == peer->cut_at)
        unlink_host(peer);
    return peer->linked;
}

/* ---- images ---- */

static unsigned header_size(const struct peer_spec *spec)
{
    return spec->dialect == 'F' ? 1280 : spec->dialect == 'A' ? 12 : 1024;
}

static unsigned control_at(const struct peer_spec *spec)
{
    return spec->ic == 11 ? 304 : spec->ic == 15 ? 416 : spec->ic == 16 ? 432 : 0;
}

uint32_t peer_image_make(const struct peer_spec *spec, uint8_t *bytes, uint16_t id, uint32_t payload, uint32_t version,
                         uint8_t *control)
{
    unsigned header = header_size(spec), at = control_at(spec);
    uint8_t *c = bytes + at;

    for (uint32_t i = 0; i < header + payload; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8) + id);
    memset(c, 0, 12);
    if (at == 0) {
        c[0] = spec->ic;
        put16(c + 2, 0x0101);
        put16(c + 4, id);
    } else {
        c[2] = spec->ic;
        put16(c + 4, 0x0101);
        put16(c + 6, id);
    }
    put32(c + 8, payload);
    put32(bytes + header, version);
    memcpy(control, c, 12);
    return header + payload;
}

static struct peer_image *place(struct peer *peer, uint16_t id)
{
    for (unsigned i = 0; i < peer->count; i++)
        if (peer->ids[i] == id)
            return &peer->other[i];
    return NULL;
}

static unsigned index_of(const struct peer *peer, uint16_t id)
{
    unsigned i = 0;

    while (i < peer->count && peer->ids[i] != id)
        i++;
    return i;
}

static int encrypts(const struct peer *peer)
{
    return peer->spec.key != NULL && (peer->spec.mode & 2) != 0;
}

static void decrypt(struct peer *peer, uint8_t *bytes, size_t size, int all)
{
    struct tandem_aes aes;

    if (!encrypts(peer) || size < 16)
        return;
    tandem_aes_init(&aes, NULL, peer->spec.key, 32);
    tandem_aes_decrypt(&aes, bytes, bytes, all ? size / 16 : 1);
}

static uint32_t first_byte(const struct peer *peer)
{
    return IS("B") ? 12 : 0;
}

static void program(struct peer *peer)
{
    memcpy(peer->started->bytes + peer->at, peer->buffer, peer->fill);
    peer->at += peer->fill;
    peer->fill = 0;
    peer->first_chunk = 0;
}

/* ---- requests ---- */

static uint32_t image_size(struct peer *peer, const uint8_t *body)
{
    return get32(body + 8) * (uint32_t)(IS("A") ? 1 : 1) + header_size(&peer->spec);
}

static uint8_t op_start(struct peer *peer, const uint8_t *sent)
{
    uint8_t body[16];
    int is_new = control_at(&peer->spec) != 0;
    struct peer_image *image;

    memcpy(body, sent, sizeof body);
    decrypt(peer, body, sizeof body, 1);
    peer->starts++;
    image = place(peer, get16(body + (is_new ? 6 : 4)));
    if (body[is_new ? 2 : 0] != peer->spec.ic || image == NULL)
        return 2;
    image->size = image_size(peer, body);
    if (image->size > peer->sections[index_of(peer, image->id)])
        return 4;
    image->ready = 0;
    peer->started = image;
    peer->at = first_byte(peer);
    peer->fill = 0;
    peer->edges = 0;
    peer->first_chunk = 1;
    if (IS("B"))
        memcpy(image->bytes, body, 12);
    return 1;
}

static uint8_t op_validate(struct peer *peer, uint16_t id)
{
    struct peer_image *image = peer->started;
    uint8_t check[2048 + 12];

    if (image == NULL || image->id != id || peer->at != image->size || peer->fill != 0)
        return 3;
    for (uint32_t i = header_size(&peer->spec) + 4; i < image->size; i++)
        if (image->bytes[i] != (uint8_t)(i * 7 + (i >> 8) + id))
            return 5;
    (void)check;
    image->ready = 1;
    peer->started = NULL;
    return 1;
}

static void take_over(struct peer *peer, int back)
{
    unsigned bank = peer->spec.bank == 0xFF ? 0 : 1u - peer->spec.bank;
    unsigned ready = 0;

    for (unsigned i = 0; i < peer->count; i++)
        ready += peer->other[i].ready;
    if (ready == 0) {
        wrong(peer, "activated with nothing");
    } else if (peer->spec.bank != 0xFF && ready != peer->count) {
        wrong(peer, "activated half a bank");
    } else {
        for (unsigned i = 0; i < peer->count; i++)
            if (peer->other[i].ready)
                peer->versions[bank][i] = get32(peer->other[i].bytes + header_size(&peer->spec));
        if (peer->spec.bank != 0xFF)
            peer->spec.bank = (uint8_t)bank;
        peer->switched++;
    }
    peer->reset_to_ota = back;
    peer->reset_ms = peer->now + 50;
}

static void op_activate(struct peer *peer, int back)
{
    if (peer->pair == NULL || !peer->pair(peer, 0x04, 0))
        take_over(peer, back);
}

void peer_switch(struct peer *peer)
{
    take_over(peer, 0);
}

void peer_forget(struct peer *peer)
{
    forget_images(peer);
}

void peer_unlink(struct peer *peer)
{
    unlink_host(peer);
}

static size_t op_report(struct peer *peer, const uint8_t *body, uint8_t *answer)
{
    uint8_t check[2] = {0, 0};
    uint16_t size = get16(body);

    answer[0] = 1;
    for (uint32_t i = 0; i < peer->fill; i++)
        check[(i & 1) == 0] ^= peer->buffer[i];
    if (peer->started == NULL)
        answer[0] = 3;
    else if (peer->fill == size && size % 16 != 0 && peer->at + size != peer->started->size)
        wrong(peer, "odd chunk");
    else if (size != peer->fill)
        answer[0] = 6;
    else if (memcmp(check, body + 2, 2) != 0)
        answer[0] = 5;
    if (answer[0] == 1) {
        if (peer->spec.mode & 4)
            decrypt(peer, peer->buffer, peer->fill, 1);
        else
            for (unsigned i = 0; i < peer->edges; i++)
                decrypt(peer, peer->buffer + peer->edge[i], peer->fill - peer->edge[i], 0);
        program(peer);
    }
    peer->fill = 0;
    peer->edges = 0;
    put32(answer + 1, peer->started != NULL ? peer->at : 0);
    return 5;
}

static size_t op_target(struct peer *peer, uint16_t id, uint8_t *answer)
{
    int known = place(peer, id) != NULL;
    uint32_t offset = peer->started != NULL && peer->started->id == id && IS("DEF") ? peer->at : 0;

    memset(answer, 0, 11);
    answer[0] = known ? 1 : 2;
    put32(answer + 5, offset);
    if (known)
        put16(answer + 9, peer->spec.offset);
    return IS("DEF") ? 11 : 9;
}

static uint8_t op_copy(struct peer *peer, uint16_t id)
{
    struct peer_image *image = place(peer, id);
    unsigned bank = peer->spec.bank & 1u;

    if (image == NULL)
        return 2;
    peer->copies++;
    image->ready = 1;
    put32(image->bytes + header_size(&peer->spec), peer->versions[bank][index_of(peer, id)]);
    return 1;
}

static uint8_t op_sha(struct peer *peer, const uint8_t *body)
{
    struct peer_image *image = place(peer, get16(body + 2));

    if (image == NULL || !peer->spec.knows_sha || !image->ready ||
        memcmp(image->bytes + control_at(&peer->spec) - 32, body + 4, 32) != 0)
        return 0;
    peer->skipped++;
    return 1;
}

/* Op numbers of the control point. @return bytes of the answer; -1: none */
static int do_op(struct peer *peer, uint8_t op, const uint8_t *body, size_t size, uint8_t *answer)
{
    answer[0] = 1;
    if (op == peer->refuse_op && peer->refuse_with != 0) {
        answer[0] = peer->refuse_with;
        return op == 0x0A ? 5 : 1;
    }
    switch (op) {
    case 0x01:
        if (size != 16)
            wrong(peer, "length of start");
        answer[0] = op_start(peer, body);
        return 1;
    case 0x02:
        if (size != 6 || peer->started == NULL || peer->started->id != get16(body))
            wrong(peer, "receive");
        else
            peer->at = get32(body + 2);
        peer->fill = 0;
        return -1;
    case 0x03:
        if (size != (IS("DEF") ? 3u : 2u))
            wrong(peer, "length of validate");
        answer[0] = op_validate(peer, get16(body));
        return 1;
    case 0x04:
        if (IS("B") && size != 0)
            wrong(peer, "length of activate");
        if (IS("F") && size != 1)
            wrong(peer, "length of activate");
        op_activate(peer, size == 1 && body[0] == 1);
        return IS("E") ? 1 : -1;
    case 0x05:
        peer->aborts++;
        forget_images(peer);
        return -1;
    case 0x06:
        return (int)op_target(peer, get16(body), answer);
    case 0x09:
        peer->checking = (peer->spec.mode & 1) != 0;
        answer[0] = peer->checking ? 1 : IS("BC") ? 3 : 0;
        put16(answer + 1, peer->spec.buffer);
        put16(answer + 3, IS("BC") ? peer->spec.mtu : 0);
        return 5;
    case 0x0A:
        return (int)op_report(peer, body, answer);
    case 0x0B:
        answer[1] = peer->spec.ic;
        return 2;
    case 0x0C:
        answer[0] = op_copy(peer, get16(body));
        return 1;
    case 0x0E:
        memcpy(answer + 1, body, 16);
        decrypt(peer, answer + 1, 16, 1);
        for (unsigned i = 1; i <= 16; i++)
            answer[i]++;
        if (encrypts(peer)) {
            struct tandem_aes aes;

            tandem_aes_init(&aes, NULL, peer->spec.key, 32);
            tandem_aes_encrypt(&aes, answer + 1, answer + 1, 1);
        }
        return 17;
    case 0x0F:
        put16(answer, get16(body + 2));
        answer[2] = op_sha(peer, body);
        return 3;
    default:
        answer[0] = 0xFF;
        return 1;
    }
}

/* Image bytes. @return status of the stream's acknowledgement */
static uint8_t take_data(struct peer *peer, const uint8_t *data, size_t size)
{
    uint8_t bytes[700];
    uint32_t capacity = IS("BC") ? peer->spec.buffer - peer->spec.buffer % 20u : 0;

    memcpy(bytes, data, size);
    peer->data_bytes += (uint32_t)size;
    if (peer->corrupt_at != 0 && peer->corrupt_at == peer->packets)
        bytes[size / 2] ^= 0x10;
    if (peer->started == NULL)
        return 5;
    if (peer->at + peer->fill + size > peer->started->size)
        return 3;
    if (peer->checking) {
        uint32_t room = peer->spec.buffer - (uint32_t)(IS("DEF") && peer->first_chunk ? peer->spec.offset : 0);

        if (peer->fill + size > room) {
            wrong(peer, "buffer overrun");
            return 5;
        }
        memcpy(peer->buffer + peer->fill, bytes, size);
        if (peer->edges < PEER_EDGES)
            peer->edge[peer->edges++] = (uint16_t)peer->fill;
        peer->fill += (uint32_t)size;
        return 0;
    }
    decrypt(peer, bytes, size, (peer->spec.mode & 4) != 0);
    if (IS("BC") && peer->fill + size > capacity) {
        wrong(peer, "a packet over the end of the buffer");
        return 5;
    }
    if (IS("DEF") && size % 4 != 0 && peer->at + size != peer->started->size)
        wrong(peer, "a packet that is not aligned");
    memcpy(peer->buffer + peer->fill, bytes, size);
    peer->fill += (uint32_t)size;
    if (!IS("BC") || peer->fill == capacity || peer->at + peer->fill == peer->started->size)
        program(peer);
    return 0;
}

/* ---- what can be read ---- */

static size_t read_info(const struct peer *peer, uint8_t *bytes)
{
    uint32_t indicator = 0;
    const struct peer_spec *spec = &peer->spec;

    memset(bytes, 0, 16);
    bytes[0] = spec->ic;
    for (unsigned i = 0; i < peer->count; i++) {
        unsigned bit = peer->ids[i] == 0x278E ? 1 : peer->ids[i] - 0x2790u + 2;

        if (bit > 15)
            continue; /* an image that this dialect has no place for */
        indicator |= (spec->bank == 0xFF || bit == 1 ? 3u : spec->bank + 1u) << (2 * bit);
    }
    switch (spec->dialect) {
    case 'A':
        bytes[0] = 0xFF;
        return 1;
    case 'B':
    case 'C':
        bytes[1] = spec->dialect == 'B' ? 1 : 5;
        bytes[3] = spec->mode;
        put16(bytes + 4, spec->buffer);
        bytes[6] = spec->temp;
        put32(bytes + 8, indicator);
        put16(bytes + 12, 432);
        return spec->dialect == 'B' ? 12 : 16;
    case 'D':
    case 'E':
        bytes[1] = spec->dialect == 'D' ? 5 : 7;
        bytes[2] = spec->mode;
        bytes[3] = spec->bud;
        bytes[4] = spec->temp;
        bytes[5] = spec->bank == 0xFF ? 3 : (uint8_t)(spec->bank + 1);
        put16(bytes + 6, spec->dialect == 'D' ? spec->mtu : 512);
        return 12;
    default:
        bytes[1] = 1;
        bytes[2] = spec->mode;
        put16(bytes + 4, spec->temp);
        bytes[6] = spec->bank == 0xFF ? 0 : (uint8_t)(spec->bank + 1);
        put16(bytes + 9, 416);
        return 12;
    }
}

uint32_t peer_version(const struct peer *peer, uint16_t id)
{
    return peer->versions[peer->spec.bank == 0xFF ? 0 : peer->spec.bank][index_of(peer, id)];
}

static size_t read_list(const struct peer *peer, int sections, uint8_t *bytes)
{
    uint8_t *at = bytes;

    if (!sections)
        *at++ = 0;
    *at++ = (uint8_t)peer->count;
    for (unsigned i = 0; i < peer->count; i++, at += 6) {
        put16(at, peer->ids[i]);
        put32(at + 2, sections ? peer->sections[i] : peer_version(peer, peer->ids[i]));
    }
    return (size_t)(at - bytes);
}

/* @return bytes; -1: no such characteristic */
static int read_value(const struct peer *peer, uint16_t characteristic, uint8_t *bytes)
{
    if (peer->ota_mode && IS("BC"))
        return -1;
    switch (characteristic) {
    case 0xFFF3:
        put16(bytes, peer->protocol);
        return peer->protocol == 0xFFFF ? -1 : 2;
    case 0xFFF1:
        return (int)read_info(peer, bytes);
    case 0xFFD2:
        memcpy(bytes, peer->address, 12);
        return IS("DF") ? 12 : 6;
    case 0xFFE0:
    case 0xFFE1:
        if (IS("A"))
            return -1;
        if (IS("DF"))
            return characteristic == 0xFFE0 ? (int)read_list(peer, 0, bytes) : -1;
        {
            unsigned n = 0;

            for (unsigned i = characteristic == 0xFFE0 ? 0 : 5; i < peer->count && n < 5; i++, n++)
                put32(bytes + 4 * n, peer_version(peer, peer->ids[i]));
            return (int)(4 * n);
        }
    case 0xFFF4:
        return IS("DF") ? (int)read_list(peer, 1, bytes) : -1;
    default:
        return -1;
    }
}

/* ---- GATT ---- */

static enum tandem_status gatt_connect(void *ctx, const struct tandem_gatt_peer *sought)
{
    struct peer *peer = ctx;
    uint8_t own[8] = {0x5D, 0x00};
    int by_data, by_address;

    memcpy(own + 2, peer->address, 6);
    by_data = sought->manufacturer_size == 8 && memcmp(sought->manufacturer, own, 8) == 0;
    by_address = sought->address != NULL && memcmp(sought->address, peer->address, 6) == 0;
    /* In OTA mode it has another address, and is known by what it advertises. */
    peer->looking = peer->ota_mode || peer->hidden == 2 ? by_data : by_address || by_data;
    if (peer->hidden == 1)
        peer->looking = 0;
    if (!peer->looking)
        peer->looking = -1; /* sought, but not found now */
    return TANDEM_OK;
}

static enum tandem_status gatt_disconnect(void *ctx)
{
    struct peer *peer = ctx;

    peer->looking = 0;
    unlink_host(peer);
    peer->first = peer->last;
    return TANDEM_OK;
}

static enum tandem_status gatt_read(void *ctx, uint16_t characteristic)
{
    struct peer *peer = ctx;
    uint8_t bytes[200];
    int size;

    if (!peer->linked)
        return TANDEM_ERROR_DISCONNECTED;
    size = read_value(peer, characteristic, bytes);
    tell(peer, EVENT_READ, size < 0 ? TANDEM_ATT_NOT_FOUND : TANDEM_ATT_OK, bytes, size < 0 ? 0 : (size_t)size, 3);
    return TANDEM_OK;
}

static void log_control(struct peer *peer, const uint8_t *bytes, size_t size)
{
    uint8_t *line = peer->log[peer->logged++ % PEER_LOG];

    memset(line, 0, sizeof peer->log[0]);
    line[0] = (uint8_t)size;
    memcpy(line + 1, bytes, size < sizeof peer->log[0] - 1 ? size : sizeof peer->log[0] - 1);
}

static enum tandem_status gatt_write(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    struct peer *peer = ctx;
    const uint8_t *bytes = data;
    uint8_t answer[64] = {0x10};
    int length;

    if (!peer->linked)
        return TANDEM_ERROR_DISCONNECTED;
    if (peer->no_room != 0 && peer->calls++ % peer->no_room == 0)
        return TANDEM_AGAIN;
    if (!reached(peer))
        return TANDEM_OK;
    if (characteristic != 0x6487 || !peer->subscribed)
        wrong(peer, "control point written before it was subscribed to");
    log_control(peer, bytes, size);
    if (peer->packets == peer->busy_at) {
        const uint8_t busy[3] = {0x10, 0x08, 0x01};

        tell(peer, EVENT_NOTIFIED, 0, busy, sizeof busy, 0);
    }
    if (IS("DF") && bytes[0] > 0x12) {
        tell(peer, EVENT_WRITTEN, TANDEM_ATT_INVALID_PDU, NULL, 0, 3);
        return TANDEM_OK;
    }
    answer[1] = bytes[0];
    length = do_op(peer, bytes[0], bytes + 1, size - 1, answer + 2);
    /* The answer may overtake the end of the write. */
    if (length >= 0 && (peer->packets & 1))
        say(peer, EVENT_NOTIFIED, answer, (size_t)length + 2);
    if (bytes[0] != 0x04 || (peer->packets & 1))
        tell(peer, EVENT_WRITTEN, TANDEM_ATT_OK, NULL, 0, 3);
    if (length >= 0 && !(peer->packets & 1))
        say(peer, EVENT_NOTIFIED, answer, (size_t)length + 2);
    return TANDEM_OK;
}

static enum tandem_status gatt_write_command(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    struct peer *peer = ctx;
    const uint8_t *bytes = data;

    if (!peer->linked)
        return TANDEM_ERROR_DISCONNECTED;
    if (peer->no_room != 0 && peer->calls++ % peer->no_room == 0)
        return TANDEM_AGAIN;
    if (size > peer->spec.mtu - 3u)
        wrong(peer, "a packet larger than the MTU");
    if (!reached(peer))
        return TANDEM_OK;
    if (characteristic == 0xFFD1 && size == 1 && bytes[0] == 1) {
        peer->entered++;
        peer->reset_to_ota = 1;
        peer->reset_ms = peer->now + 100;
    } else if (characteristic == 0x6387) {
        (void)take_data(peer, bytes, size);
    } else {
        wrong(peer, "a command that there is not");
    }
    return TANDEM_OK;
}

static enum tandem_status gatt_subscribe(void *ctx, uint16_t characteristic, int on)
{
    struct peer *peer = ctx;
    int there = characteristic == 0x6487 && (peer->ota_mode || !peer->spec.app_has_no_dfu);

    if (!peer->linked)
        return TANDEM_ERROR_DISCONNECTED;
    peer->subscribed = there && on;
    tell(peer, EVENT_SUBSCRIBED, there ? TANDEM_ATT_OK : TANDEM_ATT_NOT_FOUND, NULL, 0, 3);
    return TANDEM_OK;
}

static uint16_t gatt_mtu(void *ctx)
{
    const struct peer *peer = ctx;

    return peer->spec.mtu;
}

/* ---- frames ---- */

static void frame(struct peer *peer, uint16_t id, const uint8_t *payload, size_t size)
{
    uint8_t bytes[300];

    peer->sequence = peer->sequence == 255 ? 1 : (uint8_t)(peer->sequence + 1);
    bytes[0] = 0xAA;
    bytes[1] = peer->sequence;
    put16(bytes + 2, (uint32_t)size + 2);
    put16(bytes + 4, id);
    memcpy(bytes + 6, payload, size);
    say(peer, EVENT_BYTES, bytes, size + 6);
    if (id == 0)
        return;
    peer->event_id = id; /* until it is acknowledged */
    peer->event_ms = peer->now + 2000;
    peer->event_size = size + 6;
    memcpy(peer->event_bytes, bytes, size + 6);
}

static void acknowledge(struct peer *peer, uint16_t command, uint8_t status)
{
    uint8_t payload[3];

    put16(payload, command);
    payload[2] = status;
    frame(peer, 0x0000, payload, sizeof payload);
}

/* Ops by their commands, and the events that answer. */
static const struct {
    uint16_t command;
    uint8_t op;
    uint16_t event;
} commands[] = {
    {0x0602, 0x01, 0x0602}, {0x0604, 0x03, 0x0604}, {0x0605, 0x05, 0},
    {0x0606, 0x04, 0x060B}, {0x0607, 0x09, 0x0605}, {0x0608, 0x0A, 0x0606},
    {0x0609, 0x06, 0x0607}, {0x060F, 0x0C, 0x060E}, {0x0610, 0x0F, 0x060F},
};

static void take_command(struct peer *peer, uint16_t command, const uint8_t *payload, size_t size)
{
    uint8_t answer[200] = {0};
    size_t length;

    switch (command) {
    case 0x0600:
        acknowledge(peer, command, 0);
        length = read_info(peer, answer);
        frame(peer, 0x0600, answer, length);
        return;
    case 0x0601:
    case 0x060A:
        acknowledge(peer, command, 0);
        read_list(peer, command == 0x060A, answer);
        frame(peer, command == 0x060A ? 0x0608 : 0x0601, answer, 92); /* padded */
        return;
    case 0x0603:
        acknowledge(peer, command, take_data(peer, payload, size));
        return;
    case 0x060C:
        acknowledge(peer, command, 0);
        put16(answer, peer->protocol);
        answer[2] = 7;
        frame(peer, 0x060A, answer, 3);
        return;
    case 0x0611:
        acknowledge(peer, command, 0);
        peer->swap_body = payload[0];
        peer->unacknowledged = 0x0610;
        answer[0] = 1;
        frame(peer, 0x0610, answer, 1);
        return;
    default:
        break;
    }
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        int got;

        if (commands[i].command != command)
            continue;
        acknowledge(peer, command, 0);
        if (command == 0x0606) { /* waits for the host's word */
            peer->unacknowledged = 0x060B;
            answer[0] = 1;
            frame(peer, 0x060B, answer, 1);
            return;
        }
        got = do_op(peer, commands[i].op, payload, size, answer);
        if (got >= 0)
            frame(peer, commands[i].event, answer, (size_t)got);
        return;
    }
    acknowledge(peer, command, 2);
}

static void take_frame(struct peer *peer, const uint8_t *bytes, size_t size)
{
    uint16_t id = get16(bytes + 4);

    if (id == 0) {
        if (size >= 9 && get16(bytes + 6) == peer->event_id)
            peer->event_id = 0;
        if (size >= 9 && peer->unacknowledged != 0 && get16(bytes + 6) == peer->unacknowledged) {
            uint8_t none[8];

            peer->unacknowledged = 0;
            if (get16(bytes + 6) == 0x060B)
                do_op(peer, 0x04, none, 0, none);
            else if (peer->pair != NULL)
                peer->pair(peer, 0x0611, peer->swap_body);
        }
        return;
    }
    if (!reached(peer))
        return;
    if (bytes[1] != 0 && bytes[1] == peer->heard) {
        acknowledge(peer, id, 0);
        return;
    }
    peer->heard = bytes[1];
    log_control(peer, bytes, size);
    take_command(peer, id, bytes + 6, size - 6);
}

static enum tandem_status stream_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    struct peer *peer = ctx;
    size_t room = peer->no_room != 0 ? 1 + peer->calls++ % 64 : size;

    if (!peer->linked)
        return TANDEM_ERROR_DISCONNECTED;
    *sent = size < room ? size : room;
    memcpy(peer->wire + peer->wire_fill, data, *sent);
    peer->wire_fill += (unsigned)*sent;
    while (peer->linked && peer->wire_fill >= 6) {
        unsigned whole = 4u + get16(peer->wire + 2);
        uint8_t bytes[700];

        if (peer->wire[0] != 0xAA || whole > 660) {
            wrong(peer, "no frame");
            peer->wire_fill = 0;
            break;
        }
        if (peer->wire_fill < whole)
            break;
        memcpy(bytes, peer->wire, whole);
        peer->wire_fill -= whole;
        memmove(peer->wire, peer->wire + whole, peer->wire_fill);
        take_frame(peer, bytes, whole);
    }
    return TANDEM_OK;
}

static enum tandem_status stream_connect(void *ctx)
{
    struct peer *peer = ctx;

    if (peer->down_for > 0)
        return TANDEM_AGAIN;
    peer->linked = 1;
    peer->wire_fill = 0;
    return TANDEM_OK;
}

static void stream_disconnect(void *ctx)
{
    (void)gatt_disconnect(ctx);
}

/* ---- life ---- */

void peer_step(struct peer *peer, uint32_t now)
{
    int passed = (int)(now - peer->now);

    peer->now = now;
    peer->down_for = peer->down_for > passed ? peer->down_for - passed : 0;
    if (peer->reset_ms != 0 && (int32_t)(now - peer->reset_ms) >= 0)
        restart(peer);
    if (peer->event_id != 0 && peer->linked && (int32_t)(now - peer->event_ms) >= 0) {
        peer->event_id = 0;
        say(peer, EVENT_BYTES, peer->event_bytes, peer->event_size);
    }
    if (peer->looking > 0 && !peer->linked && peer->down_for == 0) {
        peer->linked = 1;
        peer->looking = 0;
        tell(peer, EVENT_CONNECTED, 0, NULL, 0, 1);
    }
    for (unsigned at = peer->first; at != peer->last; at++) {
        struct peer_event event = peer->events[at % PEER_EVENTS];

        if ((int32_t)(now - event.due) < 0)
            continue;
        /* Others wait for their time; those before it keep their order. */
        for (unsigned i = at; i != peer->first; i--)
            peer->events[i % PEER_EVENTS] = peer->events[(i - 1) % PEER_EVENTS];
        peer->first++;
        deliver(peer, &event);
    }
}

void peer_init(struct peer *peer, const struct peer_spec *spec)
{
    static const uint8_t address[12] = {0xC0, 0x11, 0x22, 0x33, 0x44, 0x55, 0xC0, 0x11, 0x22, 0x33, 0x44, 0x66};
    static const struct tandem_gatt_host_port gatt = {
        NULL, gatt_connect, gatt_disconnect, gatt_read, gatt_write, gatt_write_command, gatt_subscribe, gatt_mtu, NULL};

    memset(peer, 0, sizeof *peer);
    peer->spec = *spec;
    peer->gatt = gatt;
    peer->gatt.ctx = peer;
    peer->stream.ctx = peer;
    peer->stream.write = stream_write;
    peer->connector.ctx = peer;
    peer->connector.connect = stream_connect;
    peer->connector.disconnect = stream_disconnect;
    memcpy(peer->address, address, sizeof address);
    peer->protocol = spec->dialect == 'C'   ? 0x12
                     : spec->dialect == 'D' ? 0x10
                     : spec->dialect == 'E' ? 0x11
                     : spec->dialect == 'F' ? 0x15
                                            : 0xFFFF;
}

void peer_add(struct peer *peer, uint16_t id, uint32_t version, uint32_t section)
{
    peer->ids[peer->count] = id;
    peer->versions[0][peer->count] = peer->versions[1][peer->count] = version;
    peer->sections[peer->count] = section;
    peer->other[peer->count].id = id;
    peer->count++;
}
