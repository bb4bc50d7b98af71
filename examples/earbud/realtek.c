/*
 * The earbud's other face: see realtek.h. The link between buds is a pair of
 * datagram sockets, in which each says ten times a second that it is there.
 */
#define _POSIX_C_SOURCE 200809L

#include "realtek.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tandem/image_realtek.h"

#define BEAT_MS 100     /* between two signs of life */
#define SILENCE_MS 1500 /* without one the other bud counts as away */

/* What goes between the buds: what the library has them say, and besides. */
enum word { WORD_BEAT = 0x10, WORD_BEAT_ACTIVE = 0x11, WORD_SWAP = 0x20 };

/* ---- the other bud ---- */

static enum tandem_status say(struct realtek_face *face, uint8_t word)
{
    struct sockaddr_un to;
    memset(&to, 0, sizeof to);
    to.sun_family = AF_UNIX;
    memcpy(to.sun_path, face->other, sizeof face->other);
    ssize_t n = face->air < 0 ? -1 : sendto(face->air, &word, 1, 0, (const struct sockaddr *)&to, sizeof to);
    return n == 1 ? TANDEM_OK : TANDEM_ERROR_DISCONNECTED;
}

/* Left is the primary bud, right the secondary, whichever of them the phone reaches. */
static uint8_t pair_bud(void *ctx)
{
    const struct realtek_face *face = ctx;
    int role = face->board->facts.role == 2 ? TANDEM_REALTEK_BUD_SECONDARY : TANDEM_REALTEK_BUD_PRIMARY;
    return (uint8_t)(role | (face->linked ? TANDEM_REALTEK_BUD_LINKED : TANDEM_REALTEK_BUD_UNLINKED));
}

/* Every device has the address that its folder's name gives. */
static void address_of(uint8_t address[6], const char *folder)
{
    const char *name = strrchr(folder, '/');
    name = name == NULL ? folder : name + 1;
    uint32_t crc = tandem_crc32(TANDEM_CRC32_START, name, strlen(name));
    address[0] = 0xC0;
    address[1] = 0x00;
    for (unsigned i = 0; i < 4; i++)
        address[2 + i] = (uint8_t)(crc >> (8 * i));
}

static void pair_other(void *ctx, uint8_t address[6])
{
    const struct realtek_face *face = ctx;
    address_of(address, face->board->facts.pair);
}

static enum tandem_status pair_tell(void *ctx, uint8_t event)
{
    return say(ctx, event);
}

static enum tandem_status pair_swap(void *ctx)
{
    struct realtek_face *face = ctx;
    face->active = 0;
    face->hang_up = 1;
    printf("%s: the phone's link goes to the other bud\n", face->board->facts.name);
    return say(face, WORD_SWAP);
}

/* Be seen, as what; NULL: not any more. */
static void advertise(struct realtek_face *face, const char *what)
{
    char name[AIR_NAME_SIZE], address[TANDEM_POSIX_ADDRESS_SIZE];
    if (face->advertiser >= 0) {
        (void)close(face->advertiser);
        (void)unlink(face->advertised);
    }
    face->advertiser = -1;
    if (what == NULL || !face->radio)
        return;
    air_name(name, what, face->address);
    (void)snprintf(face->advertised, sizeof face->advertised, "%s/%s", face->board->facts.radio, name);
    (void)snprintf(address, sizeof address, "unix:%.60s/%s", face->board->facts.radio, name);
    (void)unlink(face->advertised);
    if (tandem_posix_listen(&face->advertiser, address, NULL, NULL) != TANDEM_OK)
        face->advertiser = -1;
}

/* Over a stream nobody looks for it by what it advertises. */
static void pair_advertise(void *ctx, int on)
{
    struct realtek_face *face = ctx;
    advertise(face, on ? "bud" : face->active ? "app" : NULL);
}

static void hear(struct realtek_face *face, uint8_t word)
{
    switch (word) {
    case WORD_SWAP:
        face->active = 1;
        break;
    case WORD_BEAT_ACTIVE:
        if (face->board->facts.role == 2) /* after a start both may believe that they are the one */
            face->active = 0;
        break;
    case WORD_BEAT:
        if (face->board->facts.role != 2 && !face->linked)
            face->active = 1;
        break;
    default:
        tandem_realtek_device_pair(&face->device, word);
        break;
    }
}

static void serve_pair(struct realtek_face *face)
{
    uint32_t now = tandem_posix_now_ms();
    uint8_t word;
    if (face->air < 0)
        return;
    while (recv(face->air, &word, 1, 0) == 1) {
        hear(face, word);
        face->heard_ms = now;
        face->linked = 1;
    }
    if (face->linked && now - face->heard_ms >= SILENCE_MS) {
        face->linked = 0;
        face->active = 1;
        tandem_realtek_device_pair(&face->device, TANDEM_REALTEK_PAIR_LOST);
    }
    if (now - face->beat_ms >= BEAT_MS) {
        face->beat_ms = now;
        (void)say(face, face->active ? WORD_BEAT_ACTIVE : WORD_BEAT);
    }
}

static int open_pair(struct realtek_face *face)
{
    struct sockaddr_un own;
    memset(&own, 0, sizeof own);
    own.sun_family = AF_UNIX;
    int n = snprintf(face->own, sizeof face->own, "%.90s/bud", face->board->state);
    int m = snprintf(face->other, sizeof face->other, "%.90s/bud", face->board->facts.pair);
    if (n < 0 || m < 0)
        return -1;
    memcpy(own.sun_path, face->own, sizeof face->own);
    (void)unlink(face->own);
    face->air = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (face->air < 0 || fcntl(face->air, F_SETFL, O_NONBLOCK) != 0 || fcntl(face->air, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return bind(face->air, (const struct sockaddr *)&own, sizeof own);
}

/* ---- the phone, over the radio ---- */

static enum tandem_status gatt_notify(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    struct realtek_face *face = ctx;
    if (!face->subscribed)
        return TANDEM_ERROR_STATE;
    return air_send(&face->phone, AIR_NOTIFY, characteristic, data, size) == 0 ? TANDEM_OK : TANDEM_AGAIN;
}

static uint16_t gatt_mtu(void *ctx)
{
    (void)ctx;
    return AIR_MTU;
}

static enum tandem_status gatt_disconnect(void *ctx)
{
    struct realtek_face *face = ctx;
    face->hang_up = 1;
    return TANDEM_OK;
}

static void answer_read(struct realtek_face *face, uint16_t characteristic)
{
    uint8_t value[1 + AIR_PAYLOAD_MAX - 1];
    size_t size = 0;
    enum tandem_att att =
        tandem_realtek_device_read(&face->device, characteristic, 0, value + 1, sizeof value - 1, &size);
    value[0] = (uint8_t)att;
    (void)air_send(&face->phone, AIR_VALUE, characteristic, value, att == TANDEM_ATT_OK ? 1 + size : 1);
}

static void answer(struct realtek_face *face, enum air_what what, uint16_t characteristic, enum tandem_att att)
{
    uint8_t byte = (uint8_t)att;
    (void)air_send(&face->phone, what, characteristic, &byte, 1);
}

/* Returns 0: not now, there is no room for the data. */
static int take(struct realtek_face *face, const struct air_message *message)
{
    uint16_t characteristic = message->characteristic;
    switch ((enum air_what)message->what) {
    case AIR_READ:
        answer_read(face, characteristic);
        return 1;
    case AIR_WRITE:
        answer(face, AIR_WRITTEN, characteristic,
               tandem_realtek_device_write(&face->device, characteristic, message->bytes, message->size));
        return 1;
    case AIR_COMMAND:
        if (characteristic == TANDEM_REALTEK_DATA && tandem_realtek_device_room(&face->device) < message->size)
            return 0;
        (void)tandem_realtek_device_write(&face->device, characteristic, message->bytes, message->size);
        return 1;
    case AIR_SUBSCRIBE:
        face->subscribed = tandem_realtek_device_has(&face->device, characteristic);
        answer(face, AIR_SUBSCRIBED, characteristic, face->subscribed ? TANDEM_ATT_OK : TANDEM_ATT_NOT_FOUND);
        return 1;
    default:
        return 1;
    }
}

static void phone_gone(struct realtek_face *face)
{
    if (face->phone.wire.fd < 0)
        return;
    (void)air_move(&face->phone); /* its last words */
    air_close(&face->phone);
    face->subscribed = 0;
    tandem_realtek_device_disconnected(&face->device);
}

static int serve_radio(struct realtek_face *face)
{
    struct air_message message;
    struct tandem_posix_stream caller;
    if (face->advertiser >= 0 && face->phone.wire.fd < 0 &&
        tandem_posix_accept(face->advertiser, &caller) == TANDEM_OK) {
        face->phone.wire.fd = caller.fd;
        face->phone.wire.socket = caller.socket;
        tandem_realtek_device_connected(&face->device);
    }
    if (face->phone.wire.fd >= 0 && air_move(&face->phone) != TANDEM_OK)
        phone_gone(face);
    while (face->phone.wire.fd >= 0 && air_next(&face->phone, &message) && take(face, &message))
        air_drop(&face->phone);
    enum tandem_status status = tandem_realtek_device_poll(&face->device, tandem_posix_now_ms());
    if (face->hang_up)
        phone_gone(face);
    face->hang_up = 0;
    return status == TANDEM_AGAIN || face->phone.in_fill != 0;
}

/* ---- the phone, over the stream ---- */

int realtek_open(struct realtek_face *face, struct board *board, struct tandem_install *install,
                 const struct tandem_version *version)
{
    static const struct tandem_realtek_map maps[REALTEK_MAPS] = {
        {TANDEM_REALTEK_IMAGE_OTA_HEADER, 0, 2, 0},
        {TANDEM_REALTEK_IMAGE_APP, TANDEM_KIND_APPLICATION, 5, 0},
    };
    memset(face, 0, sizeof *face);
    face->board = board;
    face->air = -1;
    face->active = 1;
    face->advertiser = -1;
    face->radio = board->facts.radio[0] != '\0';
    address_of(face->address, board->state);
    tandem_posix_stream_init(&face->wire);
    air_init(&face->phone);
    memcpy(face->maps, maps, sizeof maps);
    for (unsigned i = 0; i < REALTEK_MAPS; i++)
        (void)tandem_realtek_version_pack(&face->maps[i].version, REALTEK_CHIP, maps[i].image, version);
    face->config.dialect = face->radio ? TANDEM_REALTEK_AUDIO : TANDEM_REALTEK_STREAM;
    face->config.ic = REALTEK_CHIP;
    face->config.single_bank = board->facts.one_bank != 0;
    face->config.address = face->address;
    face->config.app_version = face->maps[1].version;
    face->config.images = face->maps;
    face->config.image_count = REALTEK_MAPS;
    if (board->facts.pair[0] != '\0') {
        const struct tandem_realtek_pair_port pair = {face, pair_bud, pair_other, pair_tell, pair_swap, pair_advertise};
        face->pair = pair;
        face->config.pair = &face->pair;
        face->active = board->facts.role != 2;
        if (open_pair(face) != 0)
            return -1;
    }
    face->gatt.ctx = face;
    face->gatt.notify = gatt_notify;
    face->gatt.mtu = gatt_mtu;
    face->gatt.disconnect = gatt_disconnect;
    tandem_bare_init(&face->bare, install);
    if (tandem_realtek_device_init(&face->device, &face->config, &face->bare, face->radio ? &face->gatt : NULL) !=
        TANDEM_OK)
        return -1;
    if (face->active) /* of a pair, the one that the phone knows */
        advertise(face, "app");
    return tandem_realtek_stream_init(&face->stream, &face->device, &face->wire.port, face->in, face->out,
                                      sizeof face->out, 0) == TANDEM_OK
               ? 0
               : -1;
}

static void hang_up(struct realtek_face *face)
{
    if (face->wire.fd < 0)
        return;
    tandem_posix_stream_close(&face->wire);
    tandem_realtek_stream_disconnected(&face->stream);
}

void realtek_answer(struct realtek_face *face, struct tandem_posix_stream *caller)
{
    if (face->wire.fd >= 0 || !face->active || face->radio) {
        tandem_posix_stream_close(caller);
        return;
    }
    face->wire.fd = caller->fd;
    face->wire.socket = caller->socket;
    tandem_realtek_stream_connected(&face->stream);
}

int realtek_serve(struct realtek_face *face)
{
    uint8_t data[2048];
    size_t got = 0;
    serve_pair(face);
    if (face->radio)
        return serve_radio(face);
    if (face->wire.fd >= 0) {
        if (tandem_posix_stream_read(&face->wire, data, sizeof data, &got) != TANDEM_OK)
            hang_up(face);
        else if (got != 0)
            tandem_realtek_stream_receive(&face->stream, data, got);
    }
    enum tandem_status status = tandem_realtek_stream_poll(&face->stream, tandem_posix_now_ms());
    if (face->hang_up)
        hang_up(face);
    face->hang_up = 0;
    return got == sizeof data || status == TANDEM_AGAIN;
}

void realtek_close(struct realtek_face *face)
{
    tandem_posix_stream_close(&face->wire);
    air_close(&face->phone);
    advertise(face, NULL);
    if (face->air >= 0)
        (void)close(face->air);
    if (face->own[0] != '\0')
        (void)unlink(face->own);
}
