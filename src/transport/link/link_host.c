/*
 * The link, host half: a packet link as a target for the updater. Sends
 * requests until they are answered, keeps as many package bytes under way as
 * the device has room for, and sends again what was lost.
 */
#include "tandem/link_host.h"

#include <string.h>

#include "core/bytes.h"
#include "link_wire.h"
#include "tandem/link.h"

#define ANSWER_MS 1000u        /* first wait for an answer; doubled with each try */
#define ANSWER_TRIES 4u        /* 1 + 2 + 4 + 8 s */
#define KEEP_ALIVE_MS 2000u    /* silence after which the device is asked for its status */
#define SILENCE_MS 15000u      /* silence after which the link counts as dead */
#define PROGRESS_FIRST_MS 1000 /* wait for progress while the round trip is not known */
#define PROGRESS_LEAST_MS 120u /* least wait for progress */
#define PROGRESS_MOST_MS 4000u /* most */

/* ---- what goes out ---- */

static uint16_t packet_max(const struct tandem_link_host *link)
{
    uint16_t most = link->port->mtu(link->port->ctx);

    if (most > link->peer_max)
        most = link->peer_max;
    if (most < TANDEM_LINK_PACKET_MIN)
        most = TANDEM_LINK_PACKET_MIN;
    return most < TANDEM_LINK_PACKET_MAX ? most : TANDEM_LINK_PACKET_MAX;
}

static void broken(struct tandem_link_host *link, enum tandem_status status)
{
    if (link->broken == TANDEM_OK)
        link->broken = (uint8_t)status;
}

/* Send the segments of the request that are not out yet. */
static void pump_request(struct tandem_link_host *link)
{
    while (link->busy != 0 && link->request_at < link->request_size) {
        uint8_t packet[TANDEM_LINK_PACKET_MIN];
        size_t left = (size_t)(link->request_size - link->request_at);
        size_t size = left < sizeof packet - 1 ? left : sizeof packet - 1;
        enum tandem_status status;

        packet[0] = link->sequence_out & LINK_SEGMENT_SEQUENCE;
        if (link->request_at == 0)
            packet[0] |= LINK_SEGMENT_FIRST;
        if (size == left)
            packet[0] |= LINK_SEGMENT_LAST;
        memcpy(packet + 1, link->request + link->request_at, size);
        status = link->port->send(link->port->ctx, TANDEM_CHANNEL_CONTROL, packet, size + 1);
        if (status == TANDEM_AGAIN)
            return;
        if (status != TANDEM_OK) {
            broken(link, status);
            return;
        }
        link->sequence_out++;
        link->request_at = (uint16_t)(link->request_at + size);
    }
}

static void start_request(struct tandem_link_host *link, uint8_t operation, const uint8_t *body, size_t size)
{
    link->busy = operation;
    link->answered = 0;
    link->tries = 0;
    link->asked_ms = link->now;
    link->tag++;
    link->request[0] = operation;
    link->request[1] = link->tag;
    link->request[2] = 0;
    if (size != 0)
        memcpy(link->request + LINK_HEADER, body, size);
    link->request_size = (uint8_t)(LINK_HEADER + size);
    link->request_at = 0;
    pump_request(link);
}

/* Ask, or go on asking. An answered STATUS of our own, sent to keep the link alive, gives way. */
static enum tandem_status ask(struct tandem_link_host *link, uint8_t operation, const uint8_t *body, size_t size)
{
    if (link->broken != TANDEM_OK) {
        link->busy = 0;
        link->reported = 0;
        return (enum tandem_status)link->broken;
    }
    if (link->busy != operation) {
        start_request(link, operation, body, size);
        return TANDEM_AGAIN;
    }
    if (!link->answered)
        return TANDEM_AGAIN;
    link->busy = 0;
    link->reported = link->result != TANDEM_OK;
    return (enum tandem_status)link->result;
}

static void time_request(struct tandem_link_host *link)
{
    if (link->busy == 0 || link->answered || link->request_at < link->request_size)
        return;
    if (link->now - link->asked_ms < (uint32_t)ANSWER_MS << link->tries)
        return;
    if (++link->tries >= ANSWER_TRIES) {
        broken(link, TANDEM_ERROR_TIMEOUT);
        return;
    }
    link->asked_ms = link->now;
    link->request_at = 0;
}

/* ---- package bytes ---- */

/* Send the piece that begins at `at`, up to `end`. @return its size; 0: not now */
static size_t send_piece(struct tandem_link_host *link, uint32_t at, uint32_t end)
{
    const struct tandem_source *source = link->offer->source;
    uint8_t packet[TANDEM_LINK_PACKET_MAX];
    size_t room = (size_t)packet_max(link) - LINK_DATA_HEADER;
    size_t size = end - at < room ? (size_t)(end - at) : room;
    enum tandem_status status = source->read(source->ctx, at, packet + LINK_DATA_HEADER, size);

    if (status == TANDEM_AGAIN)
        return 0;
    if (status != TANDEM_OK) {
        link->source_status = (uint8_t)status;
        return 0;
    }
    tandem_store_le16(packet, (uint16_t)((at & LINK_DATA_POSITION) | (link->generation ? LINK_DATA_GENERATION : 0)));
    status = link->port->send(link->port->ctx, TANDEM_CHANNEL_DATA, packet, size + LINK_DATA_HEADER);
    if (status != TANDEM_OK) {
        if (status != TANDEM_AGAIN)
            broken(link, status);
        return 0;
    }
    link->payload_sent += (uint32_t)size;
    return size;
}

/* Fill the hole that the device named. @return 1: filled, or there is none */
static int pump_hole(struct tandem_link_host *link)
{
    while (link->hole < link->hole_end) {
        size_t size = send_piece(link, link->hole, link->hole_end);

        if (size == 0)
            return 0;
        link->hole += (uint32_t)size;
    }
    return 1;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void pump_data(struct tandem_link_host *link)
{
    uint32_t size = link->offer->source->size;
    uint32_t end = least(size, link->limit);

    if (!pump_hole(link))
        return;
    while (link->next < end) {
        size_t room = (size_t)packet_max(link) - LINK_DATA_HEADER;
        size_t sent;

        /* Room for a part of a packet only: more room will come with what is under way. */
        if (end - link->next < room && end < size && link->next > link->wants)
            return;
        if (link->probing && link->next > link->wants)
            return;
        sent = send_piece(link, link->next, end);
        if (sent == 0)
            return;
        if (link->next == link->wants)
            link->progress_ms = link->now;
        link->next += (uint32_t)sent;
        if (link->timed == 0 && link->next > link->top) {
            link->timed = link->next;
            link->timed_ms = link->now;
        }
        if (link->next > link->top)
            link->top = link->next;
    }
}

static void set_timeout(struct tandem_link_host *link)
{
    uint32_t value = PROGRESS_FIRST_MS;

    if (link->round_trip != 0) {
        value = 4u * link->round_trip;
        if (value < PROGRESS_LEAST_MS)
            value = PROGRESS_LEAST_MS;
    }
    link->timeout = (uint16_t)least(value, PROGRESS_MOST_MS);
}

/* No progress for too long: what is under way counts as lost, and one packet is sent to find out. */
static void time_progress(struct tandem_link_host *link)
{
    if (link->next <= link->wants || link->now - link->progress_ms < link->timeout)
        return;
    link->next = link->wants;
    link->hole = link->hole_end = 0;
    link->timed = 0;
    link->probing = 1;
    link->progress_ms = link->now;
    link->timeout = (uint16_t)least(2u * link->timeout, PROGRESS_MOST_MS);
}

static void measure(struct tandem_link_host *link)
{
    uint32_t sample = link->now - link->timed_ms;

    if (link->timed == 0 || link->wants < link->timed)
        return;
    link->timed = 0;
    sample = least(sample + 1, PROGRESS_MOST_MS);
    if (link->round_trip == 0)
        link->round_trip = (uint16_t)sample;
    else
        link->round_trip = (uint16_t)((7u * link->round_trip + sample) / 8u);
}

/* The device wants bytes from another place than was to be expected. */
static void jump(struct tandem_link_host *link, uint32_t wants)
{
    link->wants = wants;
    link->next = wants;
    link->top = wants;
    link->hole = link->hole_end = 0;
    link->hole_at = UINT32_MAX;
    link->timed = 0;
    link->probing = 0;
    link->progress_ms = link->now;
    set_timeout(link);
}

static void synchronize(struct tandem_link_host *link, uint32_t wants, uint16_t window)
{
    uint8_t generation = link->flags & LINK_FLAG_GENERATION;

    if (generation != link->generation || wants < link->wants) {
        link->generation = generation;
        jump(link, wants);
    } else if (wants > link->wants) {
        link->wants = wants;
        link->progress_ms = link->now;
        link->probing = 0;
        measure(link);
        set_timeout(link);
        if (link->next < wants)
            link->next = wants;
        if (link->top < wants)
            link->top = wants;
        if (link->hole < wants)
            link->hole = least(wants, link->hole_end);
    }
    link->limit = wants + window;
    link->hole_end = least(link->hole_end, link->limit);
}

/* Bytes from `wants` on are missing, and later ones are there. */
static void note_hole(struct tandem_link_host *link, uint16_t size)
{
    if (size == 0 || link->next <= link->wants)
        return;
    if (link->hole_at == link->wants && link->now - link->hole_ms < link->timeout)
        return; /* being filled */
    link->hole_at = link->wants;
    link->hole_ms = link->now;
    link->hole = link->wants;
    link->hole_end = least(link->wants + size, least(link->next, link->limit));
    link->timed = 0;
}

/* ---- what comes in ---- */

static void take_status(struct tandem_link_host *link, const uint8_t *message, int flow)
{
    uint32_t wants = tandem_load_le32(message + LINK_STATUS_WANTS);
    uint16_t window = tandem_load_le16(message + LINK_STATUS_WINDOW);

    link->state = message[LINK_STATUS_STATE];
    link->outcome.status = (enum tandem_status)message[LINK_STATUS_STATUS];
    link->outcome.stage = (enum tandem_stage)message[LINK_STATUS_STAGE];
    link->outcome.image = message[LINK_STATUS_IMAGE];
    link->outcome.detail = tandem_load_le32(message + LINK_STATUS_DETAIL);
    link->flags = message[LINK_STATUS_FLAGS];
    if (flow && window <= TANDEM_LINK_WINDOW_MAX)
        synchronize(link, wants, window);
}

static void take_ack(struct tandem_link_host *link, const uint8_t *message, size_t size)
{
    uint16_t window;

    if (size < LINK_ACK_SIZE || !link->accepted)
        return;
    window = tandem_load_le16(message + LINK_ACK_WINDOW);
    if (window > TANDEM_LINK_WINDOW_MAX)
        return;
    link->flags = message[LINK_ACK_FLAGS];
    synchronize(link, tandem_load_le32(message + LINK_ACK_WANTS), window);
    note_hole(link, tandem_load_le16(message + LINK_ACK_GAP));
}

/* A counted string at `*at`; longer ones than fit are cut. */
static void take_string(const uint8_t *message, size_t size, size_t *at, char *text)
{
    size_t length = 0, kept;

    text[0] = '\0';
    if (*at >= size)
        return;
    length = message[(*at)++];
    if (length > size - *at)
        length = size - *at;
    kept = length < TANDEM_NAME_SIZE_MAX ? length : TANDEM_NAME_SIZE_MAX;
    memcpy(text, message + *at, kept);
    text[kept] = '\0';
    *at += length;
}

/* Behind the fixed part: names, and what is known of the last start. */
static void take_rest(struct tandem_info *info, const uint8_t *message, size_t size)
{
    size_t at = LINK_INFO_FIXED;

    take_string(message, size, &at, info->vendor);
    take_string(message, size, &at, info->product);
    take_string(message, size, &at, info->serial);
    if (size >= at + LINK_INFO_BOOT) {
        info->known |= TANDEM_INFO_BOOT;
        info->boot_status = (enum tandem_status)message[at];
        info->recovery = (enum tandem_recovery_cause)message[at + 1];
    }
    if (info->vendor[0] != '\0' && info->product[0] != '\0')
        info->known |= TANDEM_INFO_NAMES;
    if (info->serial[0] != '\0')
        info->known |= TANDEM_INFO_SERIAL;
}

static void take_resume(struct tandem_link_host *link, struct tandem_info *info, const uint8_t *message)
{
    static const uint8_t none[TANDEM_PACKAGE_ID_SIZE];

    memcpy(link->resume_id, message + LINK_INFO_RESUME_ID, TANDEM_PACKAGE_ID_SIZE);
    link->resume = tandem_load_le32(message + LINK_STATUS_WANTS);
    memcpy(info->resume_id, link->resume_id, TANDEM_PACKAGE_ID_SIZE);
    info->resume_offset = link->resume;
    if (memcmp(none, link->resume_id, sizeof none) != 0)
        info->known |= TANDEM_INFO_RESUME;
}

static void take_info(struct tandem_link_host *link, const uint8_t *message, size_t size)
{
    struct tandem_info *info = link->info;

    memset(info, 0, sizeof *info);
    info->known = TANDEM_INFO_HARDWARE | TANDEM_INFO_VERSION | TANDEM_INFO_COUNTER | TANDEM_INFO_BANK |
                  TANDEM_INFO_STATE | TANDEM_INFO_OUTCOME | TANDEM_INFO_POLICY | TANDEM_INFO_ROLE;
    info->protocol = message[LINK_INFO_PROTOCOL];
    info->state = (enum tandem_state)link->state;
    info->outcome = link->outcome;
    info->outcome.seen = message[LINK_INFO_SEEN];
    memcpy(info->outcome.id, message + LINK_INFO_OUTCOME_ID, TANDEM_PACKAGE_ID_SIZE);
    tandem_version_load(&info->outcome.version, message + LINK_INFO_OUTCOME_VERSION);
    info->hardware = tandem_load_le16(message + LINK_INFO_HARDWARE);
    info->role = message[LINK_INFO_ROLE];
    info->bank = message[LINK_INFO_BANK];
    info->boot_reason = message[LINK_INFO_REASON];
    info->battery = message[LINK_INFO_BATTERY];
    if (info->battery != LINK_BATTERY_UNKNOWN)
        info->known |= TANDEM_INFO_BATTERY;
    info->battery_minimum = message[LINK_INFO_BATTERY_MINIMUM];
    info->version_policy = message[LINK_INFO_POLICY];
    tandem_version_load(&info->version, message + LINK_INFO_VERSION);
    info->counter = tandem_load_le32(message + LINK_INFO_COUNTER);
    link->peer_max = tandem_load_le16(message + LINK_INFO_PACKET_MAX);
    link->window = tandem_load_le16(message + LINK_STATUS_WINDOW);
    link->generation = link->flags & LINK_FLAG_GENERATION;
    take_resume(link, info, message);
    take_rest(info, message, size);
}

static void take_answer(struct tandem_link_host *link, const uint8_t *message, size_t size)
{
    uint8_t operation = message[0] & (uint8_t)~LINK_ANSWER;

    if (operation != link->busy || message[1] != link->tag || link->answered)
        return;
    if (operation == LINK_QUERY && message[LINK_STATUS_RESULT] == TANDEM_OK) {
        if (size < LINK_INFO_FIXED || link->info == NULL)
            return;
        take_status(link, message, 0);
        take_info(link, message, size);
    } else {
        int begun = operation == LINK_BEGIN && message[LINK_STATUS_RESULT] == TANDEM_OK;
        if (begun)
            link->accepted = 1;
        take_status(link, message, link->accepted);
        if (begun && link->next > link->limit) /* sent too early: there was no room for it */
            link->next = link->limit;
    }
    link->result = message[LINK_STATUS_RESULT] != TANDEM_AGAIN ? message[LINK_STATUS_RESULT] : TANDEM_ERROR_PROTOCOL;
    link->answered = 1;
}

static void take_message(struct tandem_link_host *link, const uint8_t *message, size_t size)
{
    /* Acknowledgements come from a device that receives. From one believed not to, they tell that a status message
       was lost or damaged: as it then counts as silent, it is soon asked. */
    if (message[0] != LINK_EVENT_ACK || !link->accepted || link->state == TANDEM_STATE_RECEIVING)
        link->heard_ms = link->now;
    if (message[0] == LINK_EVENT_ACK)
        take_ack(link, message, size);
    else if (size < LINK_STATUS_SIZE)
        return;
    else if (message[0] == LINK_EVENT_STATUS)
        take_status(link, message, link->accepted);
    else if (message[0] & LINK_ANSWER)
        take_answer(link, message, size);
}

void tandem_link_host_receive(struct tandem_link_host *link, enum tandem_channel channel, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t sequence;

    if (channel != TANDEM_CHANNEL_CONTROL || size < 2)
        return;
    sequence = bytes[0] & LINK_SEGMENT_SEQUENCE;
    if (bytes[0] & LINK_SEGMENT_FIRST) {
        link->message_size = 0;
    } else if (link->message_size == 0) {
        return;
    } else if (sequence != link->sequence_in) {
        if (((sequence + 1u) & LINK_SEGMENT_SEQUENCE) != link->sequence_in)
            link->message_size = 0; /* one is missing */
        return;                     /* else it came twice */
    }
    link->sequence_in = (sequence + 1u) & LINK_SEGMENT_SEQUENCE;
    if (size - 1 > (size_t)(TANDEM_LINK_MESSAGE_MAX - link->message_size)) {
        link->message_size = 0;
        return;
    }
    memcpy(link->message + link->message_size, bytes + 1, size - 1);
    link->message_size = (uint16_t)(link->message_size + size - 1);
    if (bytes[0] & LINK_SEGMENT_LAST) {
        size = link->message_size;
        link->message_size = 0;
        if (size >= LINK_HEADER)
            take_message(link, link->message, size);
    }
}

void tandem_link_host_disconnected(struct tandem_link_host *link)
{
    broken(link, TANDEM_ERROR_DISCONNECTED);
}

/* ---- the target ---- */

static void forget(struct tandem_link_host *link)
{
    link->offer = NULL;
    link->info = NULL;
    link->busy = 0;
    link->answered = 0;
    link->message_size = 0;
    link->accepted = 0;
    link->begun = 0;
    link->reported = 0;
    link->source_status = TANDEM_OK;
    link->peer_max = TANDEM_LINK_PACKET_MIN;
    link->window = 0;
    link->round_trip = 0;
    link->flags = 0;
    link->state = TANDEM_STATE_IDLE;
    memset(link->resume_id, 0, sizeof link->resume_id);
}

static enum tandem_status host_connect(void *ctx)
{
    struct tandem_link_host *link = ctx;

    if (link->connector != NULL && !link->up) {
        enum tandem_status status = link->connector->connect(link->connector->ctx);

        if (status != TANDEM_OK)
            return status;
    }
    forget(link);
    link->up = 1;
    link->broken = TANDEM_OK;
    link->heard_ms = link->now;
    return TANDEM_OK;
}

static enum tandem_status host_disconnect(void *ctx)
{
    struct tandem_link_host *link = ctx;

    forget(link);
    link->up = 0;
    broken(link, TANDEM_ERROR_DISCONNECTED);
    if (link->connector != NULL && link->connector->disconnect != NULL)
        link->connector->disconnect(link->connector->ctx);
    return TANDEM_OK;
}

static enum tandem_status host_query(void *ctx, struct tandem_info *info)
{
    struct tandem_link_host *link = ctx;
    uint8_t body[LINK_QUERY_SIZE];
    uint16_t most = link->receive_max != 0 ? link->receive_max : link->port->mtu(link->port->ctx);
    enum tandem_status status;

    body[0] = TANDEM_LINK_VERSION;
    tandem_store_le16(body + 1, most);
    link->info = info;
    status = ask(link, LINK_QUERY, body, sizeof body);
    if (status != TANDEM_AGAIN)
        link->info = NULL;
    return status;
}

static enum tandem_status host_enter(void *ctx)
{
    return ask(ctx, LINK_ENTER, NULL, 0);
}

static const uint8_t *offer_id(const struct tandem_offer *offer)
{
    static const uint8_t none[TANDEM_PACKAGE_ID_SIZE];

    return offer->packaged ? offer->manifest.id : none;
}

/* Data may flow behind the BEGIN at once: the device told beforehand where it would go on and what it has room for. */
static void flow_early(struct tandem_link_host *link, const struct tandem_offer *offer, uint8_t flags)
{
    uint32_t start = 0;

    if (offer->packaged && memcmp(link->resume_id, offer->manifest.id, TANDEM_PACKAGE_ID_SIZE) == 0)
        start = link->resume;
    link->offer = offer;
    link->begun = 1;
    jump(link, start);
    if ((link->flags & LINK_FLAG_HELD) && !(flags & TANDEM_BEGIN_FORCE))
        link->limit = start; /* it will hardly take it */
    else
        link->limit = start + (link->window < TANDEM_LINK_WINDOW_MAX ? link->window : TANDEM_LINK_WINDOW_MAX);
}

static enum tandem_status host_begin(void *ctx, const struct tandem_offer *offer, uint8_t part, uint8_t flags)
{
    struct tandem_link_host *link = ctx;
    uint8_t body[LINK_BEGIN_SIZE];
    enum tandem_status status;

    if (part != 0)
        return TANDEM_ERROR_ARGUMENT;
    if (link->busy != LINK_BEGIN && link->broken == TANDEM_OK) {
        link->accepted = 0;
        link->generation ^= 1u;
        flow_early(link, offer, flags);
    }
    body[0] = link->generation ? LINK_BEGIN_GENERATION : 0;
    if (flags & TANDEM_BEGIN_ACTIVATE)
        body[0] |= LINK_BEGIN_ACTIVATE;
    if (flags & TANDEM_BEGIN_FORCE)
        body[0] |= LINK_BEGIN_FORCE;
    tandem_store_le32(body + 1, offer->source->size);
    memcpy(body + 5, offer_id(offer), TANDEM_PACKAGE_ID_SIZE);
    status = ask(link, LINK_BEGIN, body, sizeof body);
    if (status != TANDEM_OK && status != TANDEM_AGAIN)
        link->begun = 0;
    return status;
}

/* What the device's state means to one who waits for it to have everything. */
static enum tandem_status progress_status(struct tandem_link_host *link, enum tandem_state reached)
{
    enum tandem_state state = (enum tandem_state)link->state;

    link->reported = 0;
    if (link->broken != TANDEM_OK)
        return (enum tandem_status)link->broken;
    if (link->source_status != TANDEM_OK)
        return (enum tandem_status)link->source_status;
    if (state == TANDEM_STATE_FAILED) {
        link->reported = 1;
        return link->outcome.status > TANDEM_AGAIN ? link->outcome.status : TANDEM_ERROR_PROTOCOL;
    }
    if (state >= reached && state <= TANDEM_STATE_PENDING)
        return TANDEM_OK;
    if (link->flags & LINK_FLAG_HELD)
        return TANDEM_ERROR_BUSY;
    if (!(link->flags & LINK_FLAG_YOURS))
        return TANDEM_ERROR_DISCONNECTED; /* it restarted, and knows us no more */
    return TANDEM_AGAIN;
}

static enum tandem_status host_send(void *ctx, const struct tandem_offer *offer, uint8_t part)
{
    (void)offer;
    (void)part;
    return progress_status(ctx, TANDEM_STATE_VALIDATING);
}

static enum tandem_status host_validate(void *ctx, uint8_t part)
{
    (void)part;
    return progress_status(ctx, TANDEM_STATE_VALIDATED);
}

static enum tandem_status host_activate(void *ctx)
{
    static const uint8_t now[LINK_ACTIVATE_SIZE] = {0};

    return ask(ctx, LINK_ACTIVATE, now, sizeof now);
}

static enum tandem_status host_abort(void *ctx)
{
    struct tandem_link_host *link = ctx;

    link->begun = 0;
    return ask(link, LINK_ABORT, NULL, 0);
}

static enum tandem_status host_seen(void *ctx)
{
    return ask(ctx, LINK_SEEN, NULL, 0);
}

static void host_progress(void *ctx, uint32_t *done, uint32_t *total)
{
    const struct tandem_link_host *link = ctx;

    *total = link->offer != NULL ? link->offer->source->size : 0;
    *done = link->accepted ? least(link->wants, *total) : 0;
    if (link->accepted && link->state >= TANDEM_STATE_VALIDATING && link->state <= TANDEM_STATE_PENDING)
        *done = *total;
}

static const struct tandem_outcome *host_report(void *ctx)
{
    const struct tandem_link_host *link = ctx;

    return link->reported ? &link->outcome : NULL;
}

static void host_poll(void *ctx, uint32_t now_ms)
{
    struct tandem_link_host *link = ctx;

    link->now = now_ms;
    if (!link->up || link->broken != TANDEM_OK)
        return;
    if (now_ms - link->heard_ms >= SILENCE_MS) {
        broken(link, TANDEM_ERROR_TIMEOUT);
        return;
    }
    time_request(link);
    if (link->busy == LINK_STATUS && link->answered)
        link->busy = 0;
    if (link->busy == 0 && now_ms - link->heard_ms >= KEEP_ALIVE_MS)
        start_request(link, LINK_STATUS, NULL, 0);
    pump_request(link);
    if (!link->begun || link->request_at < link->request_size)
        return;
    if (link->accepted && link->state != TANDEM_STATE_RECEIVING)
        return;
    if (link->accepted)
        time_progress(link);
    pump_data(link);
}

/* ---- life ---- */

void tandem_link_host_init(struct tandem_link_host *link, const struct tandem_packet_port *port,
                           const struct tandem_link_connector *connector, uint16_t receive_max)
{
    struct tandem_target target = {link,          host_connect,  host_query,    host_enter, NULL,      host_begin,
                                   host_send,     host_validate, host_activate, host_abort, host_seen, host_disconnect,
                                   host_progress, host_report,   host_poll,     NULL};

    memset(link, 0, sizeof *link);
    link->target = target;
    link->port = port;
    link->connector = connector;
    link->receive_max = receive_max;
    link->broken = TANDEM_ERROR_DISCONNECTED;
    forget(link);
}

const struct tandem_target *tandem_link_host_target(const struct tandem_link_host *link)
{
    return &link->target;
}
