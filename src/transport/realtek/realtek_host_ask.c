/*
 * Realtek, host half: requests and image bytes, over GATT or over frames.
 * One request is in hand at a time, and no data flow beside it.
 */
#include <string.h>

#include "core/bytes.h"
#include "realtek_host_inner.h"

#define ACK_MS 2000u     /* wait for a frame's acknowledgement before it is sent again */
#define ACK_TRIES 3u     /* times that a frame is sent */
#define BUSY_MS 1500u    /* pause when the device says that it is busy */
#define ATT_RUNNING 0x80 /* Common Profile and Service Error: procedure already in progress */

/* How a request goes out over GATT. */
enum way {
    WAY_NONE,      /* not at all */
    WAY_READ,      /* a characteristic is read */
    WAY_SUBSCRIBE, /* notifications are switched on */
    WAY_COMMAND,   /* written without response */
    WAY_CONTROL,   /* written to the control point, and answered by a notification */
    WAY_SILENT     /* written to the control point */
};

static const struct {
    uint8_t way;
    uint16_t what;     /* characteristic, or op */
    uint16_t command;  /* stream; 0: not there */
    uint16_t event;    /* its answer; REALTEK_ACK: none but the acknowledgement */
    uint32_t patience; /* ms */
} asks[ASKS] = {
    {WAY_NONE, 0, 0, 0, 0},
    {WAY_READ, TANDEM_REALTEK_PROTOCOL, REALTEK_CMD_PROTOCOL, REALTEK_EVENT_PROTOCOL, 10000},
    {WAY_READ, TANDEM_REALTEK_INFO, REALTEK_CMD_INFO, REALTEK_EVENT_INFO, 10000},
    {WAY_READ, TANDEM_REALTEK_ADDRESS, 0, 0, 10000},
    {WAY_READ, TANDEM_REALTEK_VERSIONS, REALTEK_CMD_VERSIONS, REALTEK_EVENT_VERSIONS, 10000},
    {WAY_READ, TANDEM_REALTEK_SECTIONS, REALTEK_CMD_SECTIONS, REALTEK_EVENT_SECTIONS, 10000},
    {WAY_SUBSCRIBE, TANDEM_REALTEK_CONTROL, 0, 0, 10000},
    {WAY_COMMAND, TANDEM_REALTEK_OTA_COMMAND, 0, 0, 10000},
    {WAY_CONTROL, REALTEK_OP_IC, 0, 0, 10000},
    {WAY_CONTROL, REALTEK_OP_HANDSHAKE, 0, 0, 10000},
    {WAY_CONTROL, REALTEK_OP_CHECK, REALTEK_CMD_CHECK, REALTEK_EVENT_CHECK, 3000},
    {WAY_CONTROL, REALTEK_OP_TARGET, REALTEK_CMD_TARGET, REALTEK_EVENT_TARGET, 10000},
    {WAY_CONTROL, REALTEK_OP_START, REALTEK_CMD_START, REALTEK_EVENT_START, 15000},
    {WAY_SILENT, REALTEK_OP_RECEIVE, 0, 0, 10000},
    {WAY_NONE, 0, REALTEK_CMD_DATA, REALTEK_ACK, 15000},
    {WAY_CONTROL, REALTEK_OP_REPORT, REALTEK_CMD_REPORT, REALTEK_EVENT_REPORT, 10000},
    {WAY_CONTROL, REALTEK_OP_VALIDATE, REALTEK_CMD_VALIDATE, REALTEK_EVENT_VALIDATE, 30000},
    {WAY_SILENT, REALTEK_OP_ACTIVATE, REALTEK_CMD_ACTIVATE, REALTEK_EVENT_ACTIVATE, 10000},
    {WAY_SILENT, REALTEK_OP_ABORT, REALTEK_CMD_ABORT, REALTEK_ACK, 3000},
    {WAY_CONTROL, REALTEK_OP_COPY, REALTEK_CMD_COPY, REALTEK_EVENT_COPY, 30000},
    {WAY_CONTROL, REALTEK_OP_SHA, REALTEK_CMD_SHA, REALTEK_EVENT_SHA, 30000},
    {WAY_NONE, 0, REALTEK_CMD_SWAP, REALTEK_EVENT_SWAP, 30000},
};

void tandem_realtek_host_forget(struct tandem_realtek_host *host)
{
    host->asking = ASK_NONE;
    host->sent = 0;
    host->completed = 0;
    host->answered = 0;
    host->acked = 0;
    host->tries = 0;
}

static void broken(struct tandem_realtek_host *host, enum tandem_status status)
{
    if (host->broken == TANDEM_OK)
        host->broken = (uint8_t)status;
}

static void pause(struct tandem_realtek_host *host)
{
    host->busy = 1;
    host->busy_ms = host->now;
}

/* ---- refusals ---- */

static enum tandem_status meaning(uint8_t status, enum tandem_stage stage)
{
    switch (status) {
    case REALTEK_INVALID:
        return stage == TANDEM_STAGE_CHECK ? TANDEM_ERROR_TARGET : TANDEM_ERROR_PROTOCOL;
    case REALTEK_FAILED:
        return TANDEM_ERROR_STATE;
    case REALTEK_TOO_LARGE:
        return TANDEM_ERROR_TOO_LARGE;
    case REALTEK_INTEGRITY:
        return TANDEM_ERROR_DIGEST;
    case REALTEK_PROGRAM:
    case REALTEK_ERASE:
        return TANDEM_ERROR_FLASH;
    case REALTEK_VERSION:
        return TANDEM_ERROR_VERSION;
    case REALTEK_UNKNOWN_OP:
        return TANDEM_ERROR_NOT_SUPPORTED;
    default:
        return TANDEM_ERROR_PROTOCOL;
    }
}

enum tandem_status tandem_realtek_host_refused(struct tandem_realtek_host *host, uint8_t status,
                                               enum tandem_stage stage)
{
    memset(&host->outcome, 0, sizeof host->outcome);
    host->outcome.status = meaning(status, stage);
    host->outcome.stage = stage;
    host->outcome.detail = status;
    host->reported = 1;
    return host->outcome.status;
}

enum tandem_status tandem_realtek_host_demand(struct tandem_realtek_host *host, enum realtek_ask ask, const void *body,
                                              size_t size, enum tandem_stage stage)
{
    enum tandem_status status = tandem_realtek_host_ask(host, ask, body, size);

    if (status != TANDEM_OK)
        return status;
    if (host->answer_size == 0)
        return TANDEM_ERROR_PROTOCOL;
    return host->answer[0] == REALTEK_SUCCESS ? TANDEM_OK : tandem_realtek_host_refused(host, host->answer[0], stage);
}

/* ---- GATT ---- */

static enum tandem_status issue(struct tandem_realtek_host *host)
{
    const struct tandem_gatt_host_port *gatt = host->gatt;
    uint16_t what = asks[host->asking].what;

    switch (asks[host->asking].way) {
    case WAY_READ:
        if (host->asking == ASK_VERSIONS)
            what = (uint16_t)(what + host->frame[0]);
        return gatt->read(gatt->ctx, what);
    case WAY_SUBSCRIBE:
        return gatt->subscribe(gatt->ctx, what, 1);
    case WAY_COMMAND:
        return gatt->write_command(gatt->ctx, what, host->frame, host->frame_size);
    case WAY_CONTROL:
    case WAY_SILENT:
        return gatt->write(gatt->ctx, TANDEM_REALTEK_CONTROL, host->frame, host->frame_size);
    default:
        return TANDEM_ERROR_NOT_SUPPORTED;
    }
}

static enum tandem_status att_meaning(uint8_t att)
{
    switch (att) {
    case TANDEM_ATT_OK:
        return TANDEM_OK;
    case TANDEM_ATT_NOT_FOUND:
    case TANDEM_ATT_INVALID_HANDLE:
    case TANDEM_ATT_READ_NOT_PERMITTED:
    case TANDEM_ATT_INVALID_PDU: /* so D and F answer to what they do not know */
    case TANDEM_ATT_NOT_SUPPORTED:
        return TANDEM_ERROR_NOT_SUPPORTED;
    case ATT_RUNNING:
        return TANDEM_ERROR_BUSY;
    default:
        return TANDEM_ERROR_PROTOCOL;
    }
}

/* The request in hand, or what has become of it. The answer may come before the end of the write. */
static enum tandem_status gatt_ask(struct tandem_realtek_host *host)
{
    uint8_t way = asks[host->asking].way;
    enum tandem_status status;

    if (!host->sent) {
        status = issue(host);
        if (status == TANDEM_ERROR_NOT_SUPPORTED || status == TANDEM_AGAIN)
            return status;
        if (status != TANDEM_OK) {
            broken(host, status);
            return status;
        }
        host->sent = 1;
        host->completed = way == WAY_COMMAND;
    }
    if (!host->completed)
        return TANDEM_AGAIN;
    status = att_meaning(host->att);
    if (status != TANDEM_OK || way != WAY_CONTROL || host->answered)
        return status;
    return TANDEM_AGAIN;
}

static void store(struct tandem_realtek_host *host, const uint8_t *bytes, size_t size)
{
    if (size > sizeof host->answer)
        size = sizeof host->answer;
    if (size != 0)
        memcpy(host->answer, bytes, size);
    host->answer_size = (uint16_t)size;
}

/* An answer to the report before, that came twice: it names a place that was passed already. */
static int is_stale(const struct tandem_realtek_host *host, const uint8_t *bytes, size_t size)
{
    return host->asking == ASK_REPORT && size >= 5 && bytes[0] == REALTEK_SUCCESS &&
           tandem_load_le32(bytes + 1) <= host->chunk;
}

/* What the port has told the end of. */
static void complete(struct tandem_realtek_host *host, int fits, enum tandem_att att)
{
    if (!fits || !host->sent || host->completed)
        return;
    host->completed = 1;
    host->att = (uint8_t)att;
}

void tandem_realtek_host_on_read(struct tandem_realtek_host *host, enum tandem_att att, const void *data, size_t size)
{
    int fits = asks[host->asking].way == WAY_READ;

    if (fits && host->sent && !host->completed)
        store(host, data, att == TANDEM_ATT_OK ? size : 0);
    complete(host, fits, att);
}

void tandem_realtek_host_on_written(struct tandem_realtek_host *host, enum tandem_att att)
{
    complete(host, asks[host->asking].way == WAY_CONTROL || asks[host->asking].way == WAY_SILENT, att);
}

void tandem_realtek_host_on_subscribed(struct tandem_realtek_host *host, enum tandem_att att)
{
    complete(host, asks[host->asking].way == WAY_SUBSCRIBE, att);
}

void tandem_realtek_host_on_notification(struct tandem_realtek_host *host, uint16_t characteristic, const void *data,
                                         size_t size)
{
    const uint8_t *bytes = data;

    if (characteristic == TANDEM_REALTEK_VENDOR_TX && realtek_is_stream(host))
        tandem_realtek_host_receive(host, data, size);
    if (characteristic != TANDEM_REALTEK_CONTROL || size < 2 || bytes[0] != REALTEK_ANSWER)
        return;
    if (bytes[1] == REALTEK_OP_BUSY) {
        pause(host);
        return;
    }
    if (asks[host->asking].way != WAY_CONTROL || asks[host->asking].what != bytes[1] || !host->sent || host->answered ||
        is_stale(host, bytes + 2, size - 2))
        return;
    store(host, bytes + 2, size - 2);
    host->answered = 1;
}

/* ---- frames ---- */

void tandem_realtek_host_pump(struct tandem_realtek_host *host)
{
    const struct tandem_stream_port *stream = host->stream;
    enum tandem_status status = TANDEM_OK;
    size_t sent;

    if (stream == NULL || !host->up || host->broken != TANDEM_OK)
        return;
    /* A frame that has begun goes first; then acknowledgements; then the next frame. */
    while (status == TANDEM_OK && (host->frame_at < host->frame_size || host->ack_fill != 0)) {
        int acks = host->ack_fill != 0 && (host->frame_at == 0 || host->frame_at == host->frame_size);

        sent = 0;
        if (acks) {
            status = stream->write(stream->ctx, host->acks, host->ack_fill, &sent);
            host->ack_fill = (uint8_t)(host->ack_fill - sent);
            memmove(host->acks, host->acks + sent, host->ack_fill);
            if (host->ack_fill != 0)
                break;
        } else {
            status = stream->write(stream->ctx, host->frame + host->frame_at,
                                   (size_t)(host->frame_size - host->frame_at), &sent);
            host->frame_at = (uint16_t)(host->frame_at + sent);
            if (host->frame_at < host->frame_size)
                break;
        }
    }
    if (status != TANDEM_OK)
        broken(host, status);
}

/* The device may ask us to be patient, or not to know what it was asked. */
static enum tandem_status ack_meaning(struct tandem_realtek_host *host)
{
    switch (host->ack) {
    case REALTEK_ACK_COMPLETE:
        return TANDEM_OK;
    case REALTEK_ACK_UNKNOWN:
        return TANDEM_ERROR_NOT_SUPPORTED;
    case REALTEK_ACK_BUSY:
        pause(host);
        return TANDEM_ERROR_BUSY;
    case REALTEK_ACK_VERSION:
        return tandem_realtek_host_refused(host, REALTEK_VERSION, TANDEM_STAGE_CHECK);
    case REALTEK_ACK_FAILED:
        return tandem_realtek_host_refused(host, REALTEK_PROGRAM, TANDEM_STAGE_RECEIVE);
    case REALTEK_ACK_DISALLOWED:
    case REALTEK_ACK_SCENARIO:
        return tandem_realtek_host_refused(host, REALTEK_FAILED, TANDEM_STAGE_CHECK);
    default:
        return TANDEM_ERROR_PROTOCOL;
    }
}

static enum tandem_status stream_ask(struct tandem_realtek_host *host)
{
    uint16_t event = asks[host->asking].event;

    if (asks[host->asking].command == 0)
        return TANDEM_ERROR_NOT_SUPPORTED;
    if (!host->sent) {
        host->sent = 1;
        host->tries = 1;
        host->sent_ms = host->now;
        host->frame_at = 0;
    } else if (!host->acked && !host->answered && host->now - host->sent_ms >= ACK_MS && host->tries < ACK_TRIES &&
               host->frame_at == host->frame_size) {
        host->tries++; /* with the same number: what it had already it only acknowledges */
        host->sent_ms = host->now;
        host->frame_at = 0;
    }
    tandem_realtek_host_pump(host);
    if (host->acked && host->ack != REALTEK_ACK_COMPLETE)
        return ack_meaning(host);
    if (event == REALTEK_ACK ? host->acked : host->answered)
        return TANDEM_OK;
    return TANDEM_AGAIN;
}

static void acknowledge(struct tandem_realtek_host *host, uint16_t event)
{
    uint8_t payload[3];

    tandem_store_le16(payload, event);
    payload[2] = REALTEK_ACK_COMPLETE;
    if (host->ack_fill + REALTEK_FRAME_HEADER + sizeof payload + 1 > sizeof host->acks)
        return; /* no room: the device sends its event again */
    host->sequence = realtek_sequence_next(host->sequence);
    host->ack_fill =
        (uint8_t)(host->ack_fill + tandem_realtek_frame_store(host->acks + host->ack_fill, host->sequence, REALTEK_ACK,
                                                              payload, sizeof payload, host->options.checksum));
}

static void take_frame(struct tandem_realtek_host *host, const struct realtek_frame *frame)
{
    int again = frame->sequence != 0 && frame->sequence == host->heard;

    if (frame->id == REALTEK_ACK) {
        if (frame->size >= 3 && host->sent && !host->acked && asks[host->asking].command != 0 &&
            tandem_load_le16(frame->payload) == asks[host->asking].command) {
            host->acked = 1;
            host->ack = frame->payload[2];
        }
        return;
    }
    host->heard = frame->sequence;
    acknowledge(host, frame->id);
    if (again || !host->sent || host->answered || asks[host->asking].command == 0 ||
        asks[host->asking].event != frame->id || is_stale(host, frame->payload, frame->size))
        return;
    store(host, frame->payload, frame->size);
    host->answered = 1;
}

void tandem_realtek_host_receive(struct tandem_realtek_host *host, const void *data, size_t size)
{
    struct realtek_frames frames = {host->in, sizeof host->in, host->in_fill, host->in_done, host->options.checksum};
    struct realtek_frame frame;
    const uint8_t *bytes = data;

    if (!realtek_is_stream(host) || !host->up)
        return;
    while (tandem_realtek_frames_next(&frames, &bytes, &size, &frame))
        take_frame(host, &frame);
    host->in_fill = frames.fill;
    host->in_done = frames.done;
    tandem_realtek_host_pump(host);
}

/* ---- either way ---- */

static void prepare(struct tandem_realtek_host *host, enum realtek_ask ask, const uint8_t *body, size_t size)
{
    tandem_realtek_host_forget(host);
    host->asking = (uint8_t)ask;
    host->asked_ms = host->now;
    host->att = TANDEM_ATT_OK;
    host->answer_size = 0;
    if (realtek_is_stream(host)) {
        host->sequence = realtek_sequence_next(host->sequence);
        host->frame_size = (uint16_t)tandem_realtek_frame_store(host->frame, host->sequence, asks[ask].command, body,
                                                                size, host->options.checksum);
        host->frame_at = host->frame_size; /* not yet */
        return;
    }
    host->frame_size = 0;
    if (asks[ask].way == WAY_CONTROL || asks[ask].way == WAY_SILENT)
        host->frame[host->frame_size++] = (uint8_t)asks[ask].what;
    if (size != 0)
        memcpy(host->frame + host->frame_size, body, size);
    host->frame_size = (uint16_t)(host->frame_size + size);
}

/* Large images take long to be verified. */
static uint32_t patience(const struct tandem_realtek_host *host)
{
    uint32_t ms = asks[host->asking].patience;

    if (host->asking == ASK_VALIDATE)
        ms += host->at / 256u; /* 4 s a MiB */
    return ms;
}

enum tandem_status tandem_realtek_host_ask(struct tandem_realtek_host *host, enum realtek_ask ask, const void *body,
                                           size_t size)
{
    enum tandem_status status;

    if (host->broken != TANDEM_OK) {
        tandem_realtek_host_forget(host);
        return (enum tandem_status)host->broken;
    }
    if (host->asking != (uint8_t)ask)
        prepare(host, ask, body, size);
    status = realtek_is_stream(host) ? stream_ask(host) : gatt_ask(host);
    if (status == TANDEM_AGAIN && host->now - host->asked_ms >= patience(host)) {
        status = TANDEM_ERROR_TIMEOUT;
        if (!realtek_is_stream(host) && host->sent && !host->completed)
            broken(host, status); /* the port still owes an end: nothing else can be asked */
    }
    if (status != TANDEM_AGAIN)
        tandem_realtek_host_forget(host);
    return status;
}

enum tandem_status tandem_realtek_host_data(struct tandem_realtek_host *host, const void *data, size_t size)
{
    const struct tandem_gatt_host_port *gatt = host->gatt;
    enum tandem_status status;

    if (host->busy && host->now - host->busy_ms < BUSY_MS)
        return TANDEM_AGAIN;
    host->busy = 0;
    if (realtek_is_stream(host)) {
        status = tandem_realtek_host_ask(host, ASK_DATA, data, size);
        return status == TANDEM_ERROR_BUSY ? TANDEM_AGAIN : status;
    }
    if (host->broken != TANDEM_OK)
        return (enum tandem_status)host->broken;
    status = gatt->write_command(gatt->ctx, TANDEM_REALTEK_DATA, data, size);
    if (status != TANDEM_OK && status != TANDEM_AGAIN)
        broken(host, status);
    return status;
}

uint16_t tandem_realtek_host_data_max(struct tandem_realtek_host *host)
{
    struct realtek_info info;
    uint16_t most;

    if (!realtek_is_stream(host)) {
        most = (uint16_t)(host->gatt->mtu(host->gatt->ctx) - 3);
        return most < 20 ? 20 : most > 512 ? 512 : most;
    }
    tandem_realtek_host_info_of(host, &info);
    most = info.mtu == 0 ? 512 : info.mtu;
    return most > REALTEK_FRAME_PAYLOAD_MAX ? REALTEK_FRAME_PAYLOAD_MAX : most;
}
