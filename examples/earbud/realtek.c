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

static void pair_other(void *ctx, uint8_t address[6])
{
    const struct realtek_face *face = ctx;
    memcpy(address, face->config.address, 6);
    address[5] ^= 3;
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

/* Over a stream nobody looks for it by what it advertises. */
static void pair_advertise(void *ctx, int on)
{
    (void)ctx;
    (void)on;
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

/* ---- the phone ---- */

int realtek_open(struct realtek_face *face, struct board *board, struct tandem_install *install,
                 const struct tandem_version *version)
{
    static const uint8_t address[6] = {0xC0, 0x00, 0x00, 0x00, 0x00, 0x01};
    static const struct tandem_realtek_map maps[REALTEK_MAPS] = {
        {TANDEM_REALTEK_IMAGE_OTA_HEADER, 0, 2, 0},
        {TANDEM_REALTEK_IMAGE_APP, TANDEM_KIND_APPLICATION, 5, 0},
    };
    memset(face, 0, sizeof *face);
    face->board = board;
    face->air = -1;
    face->active = 1;
    tandem_posix_stream_init(&face->wire);
    memcpy(face->maps, maps, sizeof maps);
    for (unsigned i = 0; i < REALTEK_MAPS; i++)
        (void)tandem_realtek_version_pack(&face->maps[i].version, REALTEK_CHIP, maps[i].image, version);
    face->config.dialect = TANDEM_REALTEK_STREAM;
    face->config.ic = REALTEK_CHIP;
    face->config.single_bank = board->facts.one_bank != 0;
    face->config.address = address;
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
    tandem_bare_init(&face->bare, install);
    if (tandem_realtek_device_init(&face->device, &face->config, &face->bare, NULL) != TANDEM_OK)
        return -1;
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
    if (face->wire.fd >= 0 || !face->active) {
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
    if (face->air >= 0)
        (void)close(face->air);
    if (face->own[0] != '\0')
        (void)unlink(face->own);
}
