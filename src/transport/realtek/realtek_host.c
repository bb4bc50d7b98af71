/*
 * Realtek, host half: a device as a target for the updater. It is asked who
 * it is, before anything is written; then each image is started, received and
 * validated, then all are activated.
 */
#include "realtek_host_inner.h"

#include <string.h>

#include "core/bytes.h"

#define SETTLE_MS 1500u /* default of options.settle_ms */
#define BATTERY 30u     /* default of options.battery_minimum */
#define LEAVE_MS 6000u  /* wait for the device to go down once it was told to */
#define ENTER_MS 1000u  /* the same, for OTA mode: some wait for us to leave */
#define CHECK_ASKS 3u   /* times that a device is asked to check, before it counts as one that does not */
#define HANDSHAKE_SIZE 16u

/* Sizes that the public header repeats. */
typedef char frame_fits[TANDEM_REALTEK_FRAME_BYTES == REALTEK_FRAME_MAX ? 1 : -1];
typedef char info_fits[sizeof((struct tandem_realtek_host *)0)->info == REALTEK_INFO_MAX ? 1 : -1];

/* ---- coming and going ---- */

/* Nothing of a session outlives its link. */
static void reset(struct tandem_realtek_host *host)
{
    tandem_realtek_host_forget(host);
    host->ready = 0;
    host->validated = 0;
    host->step = 0;
    host->fresh = 0;
    host->reported = 0;
    host->busy = 0;
    host->in_fill = host->in_done = 0;
    host->frame_size = host->frame_at = 0;
    host->ack_fill = 0;
    host->heard = 0;
    host->buffer_size = 0;
    host->reasks = 0;
    tandem_aes_wipe(&host->aes);
    host->ciphers = 0;
}

static void came_up(struct tandem_realtek_host *host)
{
    reset(host);
    host->up = 1;
    host->broken = TANDEM_OK;
    host->connected_ms = host->now;
    host->linking = LINK_SETTLING;
}

void tandem_realtek_host_on_connected(struct tandem_realtek_host *host)
{
    if (host->linking == LINK_COMING)
        came_up(host);
}

void tandem_realtek_host_on_disconnected(struct tandem_realtek_host *host)
{
    if (host->linking == LINK_DOWN)
        return;
    host->up = 0;
    if (host->broken == TANDEM_OK)
        host->broken = TANDEM_ERROR_DISCONNECTED;
}

/* The device may be found by what its application is, or by what it advertises in OTA mode, where an earlier host may
 * have left it. */
static enum tandem_status seek(struct tandem_realtek_host *host)
{
    struct tandem_gatt_peer peer = host->peer;
    const uint8_t *address = host->has_address != 0 ? host->address : host->peer.address;

    if (host->seek == SEEK_BUD) {
        memset(&peer, 0, sizeof peer);
        address = host->other;
        peer.address = address;
    }
    if (address != NULL && (peer.manufacturer_size == 0 || host->seek != SEEK_APPLICATION)) {
        tandem_realtek_advertisement(address, host->manufacturer);
        peer.manufacturer = host->manufacturer;
        peer.manufacturer_size = sizeof host->manufacturer;
    }
    return host->gatt->connect(host->gatt->ctx, &peer);
}

static enum tandem_status begin_link(struct tandem_realtek_host *host)
{
    enum tandem_status status;

    host->broken = TANDEM_OK;
    if (!realtek_is_stream(host)) {
        host->linking = LINK_COMING;
        status = seek(host);
        if (status != TANDEM_OK)
            host->linking = LINK_DOWN;
        return status == TANDEM_OK ? TANDEM_AGAIN : status;
    }
    status = host->connector != NULL ? host->connector->connect(host->connector->ctx) : TANDEM_OK;
    if (status != TANDEM_OK)
        return status;
    came_up(host);
    host->linking = LINK_UP;
    return TANDEM_OK;
}

static enum tandem_status host_connect(void *ctx)
{
    struct tandem_realtek_host *host = ctx;
    enum tandem_status status = (enum tandem_status)host->broken;

    if (host->linking == LINK_DOWN)
        return begin_link(host);
    if (status != TANDEM_OK)
        return status;
    if (host->linking == LINK_SETTLING && host->now - host->connected_ms >= host->options.settle_ms)
        host->linking = LINK_UP;
    return host->linking == LINK_UP ? TANDEM_OK : TANDEM_AGAIN;
}

static enum tandem_status host_disconnect(void *ctx)
{
    struct tandem_realtek_host *host = ctx;

    reset(host);
    host->up = 0;
    host->linking = LINK_DOWN;
    host->broken = TANDEM_ERROR_DISCONNECTED;
    if (!realtek_is_stream(host))
        (void)host->gatt->disconnect(host->gatt->ctx);
    else if (host->connector != NULL && host->connector->disconnect != NULL)
        host->connector->disconnect(host->connector->ctx);
    return TANDEM_OK;
}

/* ---- OTA mode ---- */

static enum tandem_status host_enter(void *ctx)
{
    static const uint8_t go = 1;
    struct tandem_realtek_host *host = ctx;
    enum tandem_status status;

    if (host->step == 0) {
        status = tandem_realtek_host_ask(host, ASK_OTA_MODE, &go, sizeof go);
        if (status != TANDEM_OK)
            return status;
        host->step = 1;
        host->sent_ms = host->now;
    }
    if (host->broken == TANDEM_OK && host->now - host->sent_ms < ENTER_MS)
        return TANDEM_AGAIN;
    host->step = 0;
    host->seek = SEEK_OTA;
    return TANDEM_OK;
}

/* ---- first words of a session ---- */

static enum tandem_status cipher(struct tandem_realtek_host *host)
{
    const struct tandem_realtek_options *options = &host->options;

    if (!(realtek_mode(host) & REALTEK_MODE_AES) || host->ciphers)
        return TANDEM_OK;
    if (options->aes_key == NULL)
        return TANDEM_ERROR_KEY;
    host->ciphers = 1;
    return tandem_aes_init(&host->aes, options->crypto, options->aes_key, options->aes_key_size);
}

/* A device that knows the key, or without one a device that can count. */
static enum tandem_status shake_hands(struct tandem_realtek_host *host)
{
    uint8_t sent[HANDSHAKE_SIZE], back[HANDSHAKE_SIZE];
    enum tandem_status status = TANDEM_OK;
    unsigned i;

    for (i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)((host->connected_ms >> (i & 7)) + 37u * i);
    status = tandem_realtek_host_demand(host, ASK_HANDSHAKE, sent, sizeof sent, TANDEM_STAGE_CHECK);
    if (status != TANDEM_OK)
        return status;
    if (host->answer_size < 1 + HANDSHAKE_SIZE)
        return TANDEM_ERROR_PROTOCOL;
    memcpy(back, host->answer + 1, sizeof back);
    if (host->ciphers)
        status = tandem_aes_decrypt(&host->aes, sent, sent, 1);
    if (host->ciphers && status == TANDEM_OK)
        status = tandem_aes_decrypt(&host->aes, back, back, 1);
    for (i = 0; i < sizeof sent && status == TANDEM_OK; i++)
        if (back[i] != (uint8_t)(sent[i] + 1))
            status = TANDEM_ERROR_KEY;
    return status;
}

/* How much is checked at once. No answer, or no: nothing is. */
static enum tandem_status enable_check(struct tandem_realtek_host *host)
{
    struct realtek_info info;
    enum tandem_status status = tandem_realtek_host_ask(host, ASK_CHECK, NULL, 0);

    if (status == TANDEM_AGAIN)
        return status;
    if (host->broken != TANDEM_OK)
        return (enum tandem_status)host->broken;
    if (status == TANDEM_ERROR_TIMEOUT && ++host->reasks < CHECK_ASKS)
        return TANDEM_AGAIN; /* the answer may have been lost, and a device that checks waits for reports */
    if (status != TANDEM_OK && status != TANDEM_ERROR_TIMEOUT && status != TANDEM_ERROR_NOT_SUPPORTED)
        return status;
    tandem_realtek_host_info_of(host, &info);
    host->buffer_size = 0;
    if (status == TANDEM_OK && host->answer_size >= 3 && host->answer[0] == REALTEK_SUCCESS)
        host->buffer_size = tandem_load_le16(host->answer + 1);
    if (host->buffer_size < 64) /* cannot be meant */
        host->buffer_size = 0;
    return TANDEM_OK;
}

enum session_step { SESSION_CIPHER, SESSION_PARAMETERS, SESSION_HANDSHAKE, SESSION_CHECK, SESSION_READY };

static enum tandem_status session(struct tandem_realtek_host *host)
{
    const struct tandem_gatt_host_port *gatt = host->gatt;
    enum tandem_status status = TANDEM_OK;

    while (status == TANDEM_OK && host->ready != SESSION_READY) {
        switch ((enum session_step)host->ready) {
        case SESSION_CIPHER:
            status = cipher(host);
            break;
        case SESSION_PARAMETERS:
            if (gatt != NULL && gatt->parameters != NULL && host->options.parameters != NULL)
                (void)gatt->parameters(gatt->ctx, host->options.parameters);
            break;
        case SESSION_HANDSHAKE:
            if (realtek_mode(host) & REALTEK_MODE_HANDSHAKE && host->dialect == TANDEM_REALTEK_8752H)
                status = shake_hands(host);
            break;
        default:
            if (realtek_mode(host) & REALTEK_MODE_CHECK)
                status = enable_check(host);
            break;
        }
        if (status == TANDEM_OK)
            host->ready++;
    }
    return status;
}

/* ---- a restart ---- */

/*
 * The device is told to switch, and waited for to go down. Many go down
 * before they answer: `unsure` then says that the word may have been lost.
 */
enum tandem_status tandem_realtek_host_switch(struct tandem_realtek_host *host, enum realtek_ask ask, uint8_t body,
                                              size_t size)
{
    int was_out = host->asking == (uint8_t)ask && host->sent;
    enum tandem_status status;

    if (host->step == 0) {
        host->unsure = 0;
        status = tandem_realtek_host_ask(host, ask, &body, size);
        if (status == TANDEM_ERROR_DISCONNECTED && was_out)
            host->unsure = 1;
        else if (status != TANDEM_OK)
            return status;
        else if (realtek_is_stream(host) && host->answer_size != 0 && host->answer[0] != REALTEK_SUCCESS)
            return tandem_realtek_host_refused(host, host->answer[0], TANDEM_STAGE_ACTIVATE);
        host->step = 1;
        host->sent_ms = host->now;
    }
    tandem_realtek_host_pump(host); /* its event is to be acknowledged: it waits for that */
    if (host->broken == TANDEM_OK && host->now - host->sent_ms < LEAVE_MS)
        return TANDEM_AGAIN;
    host->step = 0;
    host->resumable = 0;
    return TANDEM_OK;
}

/* All of a group is sent: the chip restarts, and copies it to its place. The updater then finds it again. */
static enum tandem_status next_round(struct tandem_realtek_host *host)
{
    int says = host->dialect != TANDEM_REALTEK_BEE2 && host->dialect != TANDEM_REALTEK_BEE1 && host->seek == SEEK_OTA;
    enum tandem_status status = tandem_realtek_host_switch(host, ASK_ACTIVATE, 1, says ? 1u : 0u);

    if (status != TANDEM_OK)
        return status;
    if (!host->unsure)
        host->round++;
    if (!says)
        host->seek = SEEK_APPLICATION;
    return TANDEM_ERROR_DISCONNECTED;
}

/* ---- an image begins ---- */

/* Where the device would go on with an image. */
static enum tandem_status ask_target(struct tandem_realtek_host *host, uint16_t image, uint32_t *offset)
{
    uint8_t body[2];
    enum tandem_status status;

    tandem_store_le16(body, image);
    *offset = 0;
    host->check_offset = 0;
    status = tandem_realtek_host_ask(host, ASK_TARGET, body, sizeof body);
    if (status == TANDEM_ERROR_NOT_SUPPORTED)
        return TANDEM_OK; /* it is not needed to go on */
    if (status != TANDEM_OK)
        return status;
    if (host->answer_size == 0)
        return TANDEM_ERROR_PROTOCOL;
    if (host->answer[0] != REALTEK_SUCCESS)
        return tandem_realtek_host_refused(host, host->answer[0], TANDEM_STAGE_CHECK);
    if (host->answer_size >= 9)
        *offset = tandem_load_le32(host->answer + 5);
    if (realtek_has(host, REALTEK_CHECK_OFFSET) && host->answer_size >= 11)
        host->check_offset = tandem_load_le16(host->answer + 9);
    return TANDEM_OK;
}

/* On a stream nothing tells the device where we go on, nor what else it has kept: there all begins anew. */
static int resumes(const struct tandem_realtek_host *host)
{
    return realtek_has(host, REALTEK_RESUMES) && !realtek_is_stream(host);
}

static int can_go_on(const struct tandem_realtek_host *host, uint8_t part, uint32_t offset)
{
    uint32_t size = realtek_is_copy(host, part) ? 0 : realtek_part(host, part)->size;

    return resumes(host) && host->resumable == host->images[part] && offset != 0 &&
           (offset % BLOCK == 0 || offset == size) && offset <= size;
}

static uint8_t round_begin(const struct tandem_realtek_host *host)
{
    uint8_t part = 0;

    while (part < host->plan_count && host->rounds[part] != host->round)
        part++;
    return part;
}

/* How many, and from which on: with its link a device loses what it has, unless it says that it has not. */
static enum tandem_status host_parts(void *ctx, const struct tandem_offer *offer, uint8_t *count, uint8_t *first)
{
    struct tandem_realtek_host *host = ctx;
    enum tandem_status status = session(host);
    uint32_t offset = 0;
    uint8_t i;

    (void)offer;
    if (status == TANDEM_OK && !host->planned)
        status = TANDEM_ERROR_STATE;
    if (status == TANDEM_OK && resumes(host) && host->resumable != 0 && *first < host->plan_count &&
        host->images[*first] == host->resumable)
        status = ask_target(host, host->resumable, &offset);
    if (status != TANDEM_OK)
        return status;
    if (offset == 0 || !can_go_on(host, *first, offset)) {
        host->resumable = 0;
        *first = round_begin(host);
    }
    host->base = 0;
    for (i = 0; i < *first; i++)
        host->base += realtek_is_copy(host, i) ? 0 : realtek_part(host, i)->size;
    host->at = 0;
    host->step = 0;
    *count = host->plan_count;
    return TANDEM_OK;
}

enum begin_step { BEGIN_SHA, BEGIN_COPY, BEGIN_TARGET, BEGIN_START, BEGIN_RECEIVE, BEGIN_READY };

/* Ask whether the device has this image, in one bank or the other. Never for the last: it says that it is. */
static enum tandem_status compare(struct tandem_realtek_host *host, uint8_t part)
{
    const struct tandem_realtek_part *image = realtek_part(host, part);
    struct realtek_layout layout = tandem_realtek_layout_of(host->file->ic);
    uint8_t body[4 + TANDEM_SHA256_SIZE], result = REALTEK_SHA_SEND;
    struct realtek_info info;
    enum tandem_status status;

    tandem_realtek_host_info_of(host, &info);
    host->step = BEGIN_TARGET;
    if (host->options.no_skip || !realtek_has(host, REALTEK_LISTS) || !tandem_realtek_host_has_banks(&info) ||
        layout.control < TANDEM_SHA256_SIZE || image->compressed || part == 0 || part + 1 == host->plan_count)
        return TANDEM_OK;
    host->step = BEGIN_SHA;
    tandem_store_le16(body, 1);
    tandem_store_le16(body + 2, image->image);
    status = host->file->source->read(host->file->source->ctx, image->offset + layout.control - TANDEM_SHA256_SIZE,
                                      body + 4, TANDEM_SHA256_SIZE);
    if (status == TANDEM_OK)
        status = tandem_realtek_host_ask(host, ASK_SHA, body, sizeof body);
    if (status == TANDEM_AGAIN || host->broken != TANDEM_OK)
        return status;
    if (status == TANDEM_OK && host->answer_size >= 3 && tandem_load_le16(host->answer) == image->image)
        result = host->answer[2];
    host->skip = result == REALTEK_SHA_INACTIVE || result == REALTEK_SHA_BOTH;
    host->step = result == REALTEK_SHA_ACTIVE ? BEGIN_COPY : host->skip ? BEGIN_READY : BEGIN_TARGET;
    return TANDEM_OK;
}

static enum tandem_status copy(struct tandem_realtek_host *host, uint8_t part)
{
    uint8_t body[2];
    enum tandem_status status;

    tandem_store_le16(body, host->images[part]);
    status = tandem_realtek_host_ask(host, ASK_COPY, body, sizeof body);
    if (status != TANDEM_OK && status != TANDEM_ERROR_NOT_SUPPORTED)
        return status;
    host->skip = status == TANDEM_OK && host->answer_size != 0 && host->answer[0] == REALTEK_SUCCESS;
    host->step = BEGIN_READY;
    if (host->skip)
        return TANDEM_OK;
    if (!realtek_is_copy(host, part)) {
        host->step = BEGIN_TARGET; /* then it is sent */
        return TANDEM_OK;
    }
    if (status == TANDEM_ERROR_NOT_SUPPORTED)
        return TANDEM_ERROR_INCOMPLETE;
    host->skip = host->answer_size != 0 && host->answer[0] == REALTEK_INVALID; /* it has one place: none to copy to */
    if (host->skip)
        return TANDEM_OK;
    (void)tandem_realtek_host_refused(host, host->answer_size != 0 ? host->answer[0] : 0, TANDEM_STAGE_CHECK);
    host->outcome.status = TANDEM_ERROR_INCOMPLETE;
    return TANDEM_ERROR_INCOMPLETE;
}

static enum tandem_status target(struct tandem_realtek_host *host, uint8_t part)
{
    uint32_t offset;
    enum tandem_status status = ask_target(host, host->images[part], &offset);

    if (status != TANDEM_OK)
        return status;
    host->at = realtek_row(host)->data_from;
    host->step = BEGIN_START;
    if (can_go_on(host, part, offset)) {
        host->at = offset; /* and no START, which would throw it away */
        host->step = BEGIN_RECEIVE;
    }
    return TANDEM_OK;
}

static enum tandem_status start(struct tandem_realtek_host *host, uint8_t part)
{
    uint8_t body[REALTEK_START_BODY] = {0};
    const struct tandem_realtek_part *image = realtek_part(host, part);
    enum tandem_status status = TANDEM_OK;

    memcpy(body, image->control, sizeof image->control);
    body[TANDEM_REALTEK_CONTROL_SIZE] = image->compressed ? REALTEK_START_COMPRESSED : REALTEK_START_NORMAL;
    if (host->ciphers)
        status = tandem_aes_encrypt(&host->aes, body, body, 1);
    if (status == TANDEM_OK)
        status = tandem_realtek_host_demand(host, ASK_START, body, sizeof body, TANDEM_STAGE_CHECK);
    if (status == TANDEM_OK)
        host->step = BEGIN_RECEIVE;
    return status;
}

static enum tandem_status receive(struct tandem_realtek_host *host, uint8_t part)
{
    uint8_t body[6];
    enum tandem_status status = TANDEM_OK;

    tandem_store_le16(body, host->images[part]);
    tandem_store_le32(body + 2, host->at);
    if (!realtek_is_stream(host))
        status = tandem_realtek_host_ask(host, ASK_RECEIVE, body, sizeof body);
    if (status == TANDEM_OK)
        host->step = BEGIN_READY;
    return status;
}

static enum tandem_status begin_step(struct tandem_realtek_host *host, uint8_t part)
{
    switch ((enum begin_step)host->step) {
    case BEGIN_SHA:
        return compare(host, part);
    case BEGIN_COPY:
        return copy(host, part);
    case BEGIN_TARGET:
        return target(host, part);
    case BEGIN_START:
        return start(host, part);
    default:
        return receive(host, part);
    }
}

static enum tandem_status host_begin(void *ctx, const struct tandem_offer *offer, uint8_t part, uint8_t flags)
{
    struct tandem_realtek_host *host = ctx;
    enum tandem_status status = TANDEM_OK;

    (void)offer;
    (void)flags;
    if (part >= host->plan_count)
        return TANDEM_ERROR_ARGUMENT;
    if (host->rounds[part] != host->round)
        return next_round(host);
    if (host->asking == ASK_NONE && host->step == BEGIN_SHA) {
        host->skip = 0;
        host->reported = 0;
        host->at = 0;
        host->step = realtek_is_copy(host, part) ? BEGIN_COPY : BEGIN_SHA;
    }
    while (status == TANDEM_OK && host->step != BEGIN_READY)
        status = begin_step(host, part);
    if (status == TANDEM_AGAIN)
        return status;
    host->step = 0;
    if (status != TANDEM_OK)
        return status;
    host->part = part;
    host->resumable = host->skip ? 0 : host->images[part];
    host->chunk = host->chunk_end = host->at;
    host->check = 0;
    host->repeats = host->reasks = 0;
    host->data_ms = host->now;
    return TANDEM_OK;
}

/* ---- its end ---- */

static int is_last(const struct tandem_realtek_host *host, uint8_t part)
{
    return part + 1 == host->plan_count || host->rounds[part + 1] != host->rounds[part];
}

static enum tandem_status host_validate(void *ctx, uint8_t part)
{
    struct tandem_realtek_host *host = ctx;
    uint8_t body[3];
    size_t size = realtek_has(host, REALTEK_IS_LAST) ? 3 : 2;
    enum tandem_status status = TANDEM_OK;

    tandem_store_le16(body, host->images[part]);
    body[2] = (uint8_t)is_last(host, part);
    if (!host->skip)
        status = tandem_realtek_host_demand(host, ASK_VALIDATE, body, size, TANDEM_STAGE_VALIDATE);
    if (status != TANDEM_OK)
        return status;
    host->resumable = 0;
    if (!realtek_is_copy(host, part))
        host->base += realtek_part(host, part)->size;
    host->at = 0;
    host->validated = part + 1 == host->plan_count;
    return TANDEM_OK;
}

static enum tandem_status host_activate(void *ctx)
{
    struct tandem_realtek_host *host = ctx;
    enum tandem_status status =
        tandem_realtek_host_switch(host, ASK_ACTIVATE, 0, host->dialect == TANDEM_REALTEK_87X2G ? 1u : 0u);

    if (status != TANDEM_OK)
        return status;
    host->switched = host->broken != TANDEM_OK;
    host->seek = SEEK_APPLICATION;
    host->planned = 0;
    host->round = 0;
    host->validated = 0;
    if (!host->unsure || tandem_realtek_host_runs(host) < 0 || host->doubts++ != 0)
        return TANDEM_OK;
    host->switched = 0; /* its versions will tell; twice the same is no accident */
    return TANDEM_ERROR_DISCONNECTED;
}

static enum tandem_status host_abort(void *ctx)
{
    struct tandem_realtek_host *host = ctx;
    enum tandem_status status;

    if (host->asking != ASK_ABORT)
        tandem_realtek_host_forget(host);
    status = tandem_realtek_host_ask(host, ASK_ABORT, NULL, 0);
    if (status == TANDEM_AGAIN)
        return status;
    host->planned = 0;
    host->round = 0;
    host->resumable = 0;
    host->validated = 0;
    host->doubts = 0;
    return TANDEM_OK;
}

/* ---- the rest ---- */

static void host_progress(void *ctx, uint32_t *done, uint32_t *total)
{
    const struct tandem_realtek_host *host = ctx;

    *total = host->total;
    *done = host->base + host->at < host->total ? host->base + host->at : host->total;
}

static const struct tandem_outcome *host_report(void *ctx)
{
    const struct tandem_realtek_host *host = ctx;

    return host->reported ? &host->outcome : NULL;
}

static void host_poll(void *ctx, uint32_t now_ms)
{
    struct tandem_realtek_host *host = ctx;

    host->now = now_ms;
    tandem_realtek_host_pump(host);
}

static void init(struct tandem_realtek_host *host, const struct tandem_realtek_file *file,
                 const struct tandem_realtek_options *options)
{
    struct tandem_target functions = {host,
                                      host_connect,
                                      tandem_realtek_host_query,
                                      host_enter,
                                      host_parts,
                                      host_begin,
                                      tandem_realtek_host_send,
                                      host_validate,
                                      host_activate,
                                      host_abort,
                                      NULL,
                                      host_disconnect,
                                      host_progress,
                                      host_report,
                                      host_poll,
                                      tandem_realtek_host_check};

    memset(host, 0, sizeof *host);
    host->target = functions;
    host->file = host->files[0] = file;
    if (options != NULL)
        host->options = *options;
    if (host->options.settle_ms == 0)
        host->options.settle_ms = SETTLE_MS;
    if (host->options.battery_minimum == 0)
        host->options.battery_minimum = BATTERY;
    host->broken = TANDEM_ERROR_DISCONNECTED;
}

void tandem_realtek_host_init_gatt(struct tandem_realtek_host *host, const struct tandem_gatt_host_port *gatt,
                                   const struct tandem_gatt_peer *peer, const struct tandem_realtek_file *file,
                                   const struct tandem_realtek_options *options)
{
    init(host, file, options);
    host->gatt = gatt;
    host->peer = *peer;
}

void tandem_realtek_host_init_stream(struct tandem_realtek_host *host, const struct tandem_stream_port *stream,
                                     const struct tandem_realtek_connector *connector,
                                     const struct tandem_realtek_file *file,
                                     const struct tandem_realtek_options *options)
{
    init(host, file, options);
    host->stream = stream;
    host->connector = connector;
}

const struct tandem_target *tandem_realtek_host_target(const struct tandem_realtek_host *host)
{
    return &host->target;
}
