/*
 * Realtek's DFU over a byte stream, device half: frames, acknowledgements,
 * and events that are sent again until the host has them.
 */
#include "realtek_device.h"

#include <string.h>

#include "core/bytes.h"

#define PADDING 15u       /* entries that lists are padded to, unless told otherwise */
#define FRAGMENT_MS 1000u /* a frame that takes longer was none */
#define ACK_SIZE 3u

/* ---- out ---- */

static int has_space(const struct tandem_realtek_stream *stream, size_t payload)
{
    return stream->out_fill + REALTEK_FRAME_HEADER + payload + 1u <= stream->out_size;
}

static enum tandem_status flush(struct tandem_realtek_stream *stream)
{
    size_t sent = 0;
    enum tandem_status status;

    if (stream->out_fill == 0)
        return TANDEM_OK;
    status = stream->port->write(stream->port->ctx, stream->out, stream->out_fill, &sent);
    if (status != TANDEM_OK || sent == 0)
        return status;
    stream->out_fill = (uint16_t)(stream->out_fill - sent);
    memmove(stream->out, stream->out + sent, stream->out_fill);
    return TANDEM_OK;
}

static void put(struct tandem_realtek_stream *stream, uint8_t sequence, uint16_t id, const uint8_t *payload,
                size_t size)
{
    size_t frame =
        tandem_realtek_frame_store(stream->out + stream->out_fill, sequence, id, payload, size, stream->checksum);

    stream->out_fill = (uint16_t)(stream->out_fill + frame);
}

static uint8_t next_sequence(struct tandem_realtek_stream *stream)
{
    stream->sequence_out = realtek_sequence_next(stream->sequence_out);
    return stream->sequence_out;
}

static void acknowledge(struct tandem_realtek_stream *stream, uint16_t id, uint8_t status)
{
    uint8_t payload[ACK_SIZE];

    tandem_store_le16(payload, id);
    payload[2] = status;
    stream->owed = 0;
    put(stream, next_sequence(stream), REALTEK_ACK, payload, sizeof payload);
}

static void send_events(struct tandem_realtek_stream *stream)
{
    for (unsigned i = 0; i < stream->count; i++) {
        struct tandem_realtek_event *event = &stream->events[i];

        if (event->sent >= REALTEK_SENDINGS || !has_space(stream, event->size))
            continue;
        if (event->sent != 0 && stream->device->now - event->sent_ms < REALTEK_RESEND_MS)
            continue;
        if (event->sent == 0)
            event->sequence = next_sequence(stream);
        put(stream, event->sequence, event->id, event->body, event->size);
        event->sent++;
        event->sent_ms = stream->device->now;
    }
}

static void remove_event(struct tandem_realtek_stream *stream, unsigned index)
{
    stream->count--;
    memmove(&stream->events[index], &stream->events[index + 1], (stream->count - index) * sizeof stream->events[0]);
}

/* An event that nobody acknowledges is forgotten, so that it blocks nothing. */
static void expire_events(struct tandem_realtek_stream *stream)
{
    for (unsigned i = stream->count; i-- > 0;) {
        const struct tandem_realtek_event *event = &stream->events[i];

        if (event->sent >= REALTEK_SENDINGS && stream->device->now - event->sent_ms >= REALTEK_RESEND_MS)
            remove_event(stream, i);
    }
}

/* An event whose body is to be filled in. There is room: commands are refused where there is none. */
static uint8_t *new_event(struct tandem_realtek_stream *stream, uint16_t id)
{
    struct tandem_realtek_event *event;

    if (stream->count == TANDEM_REALTEK_EVENTS)
        remove_event(stream, 0);
    event = &stream->events[stream->count++];
    memset(event, 0, sizeof *event);
    event->id = id;
    return event->body;
}

static void set_size(struct tandem_realtek_stream *stream, size_t size)
{
    stream->events[stream->count - 1].size = (uint8_t)size;
}

static void status_event(struct tandem_realtek_stream *stream, uint16_t id, uint8_t status)
{
    new_event(stream, id)[0] = status;
    set_size(stream, 1);
}

/* An operation has come to its end. */
static void answer(void *front, uint8_t op, uint8_t status)
{
    struct tandem_realtek_stream *stream = front;

    switch (op) {
    case REALTEK_OP_START:
        status_event(stream, REALTEK_EVENT_START, status);
        break;
    case REALTEK_OP_VALIDATE:
        status_event(stream, REALTEK_EVENT_VALIDATE, status);
        break;
    case REALTEK_OP_ACTIVATE:
        status_event(stream, REALTEK_EVENT_ACTIVATE, status);
        break;
    case REALTEK_OP_SWAP:
        status_event(stream, REALTEK_EVENT_SWAP, status);
        break;
    case REALTEK_OP_COPY:
        status_event(stream, REALTEK_EVENT_COPY, status);
        break;
    default:
        status_event(stream, REALTEK_EVENT_REPORT, status);
        tandem_store_le32(stream->events[stream->count - 1].body + 1, stream->device->at);
        set_size(stream, 5);
        break;
    }
}

static void answer_now(struct tandem_realtek_stream *stream, uint8_t op, uint8_t status)
{
    if (status != REALTEK_LATER)
        answer(stream, op, status);
}

/* ---- commands ---- */

static unsigned padding(const struct tandem_realtek_stream *stream)
{
    uint8_t entries = stream->device->config->list_padding;

    return entries != 0 ? entries : PADDING;
}

static void tell_check(struct tandem_realtek_stream *stream)
{
    uint16_t size = tandem_realtek_check_on(stream->device);
    uint8_t *body = new_event(stream, REALTEK_EVENT_CHECK);

    body[0] = size != 0;
    tandem_store_le16(body + 1, size);
    set_size(stream, 5);
}

static void tell_target(struct tandem_realtek_stream *stream, const uint8_t *payload)
{
    const struct tandem_realtek_map *map = tandem_realtek_find(stream->device, tandem_load_le16(payload));
    uint8_t *body = new_event(stream, REALTEK_EVENT_TARGET);

    body[0] = map != NULL ? REALTEK_SUCCESS : REALTEK_INVALID;
    if (map != NULL)
        tandem_store_le32(body + 5, tandem_realtek_offset(stream->device, map->image));
    set_size(stream, stream->device->config->dialect == TANDEM_REALTEK_STREAM ? stream->device->row->target_size : 11);
}

static void tell_protocol(struct tandem_realtek_stream *stream)
{
    const struct realtek_dialect *row = tandem_realtek_dialect_row(TANDEM_REALTEK_STREAM);
    uint8_t *body = new_event(stream, REALTEK_EVENT_PROTOCOL);

    tandem_store_le16(body, row->protocol);
    body[2] = row->spec;
    set_size(stream, 3);
}

static void tell_release(struct tandem_realtek_stream *stream)
{
    uint8_t *body = new_event(stream, REALTEK_EVENT_RELEASE);

    if (stream->device->config->release != NULL)
        memcpy(body, stream->device->config->release, 12);
    set_size(stream, 12);
}

static void swap(struct tandem_realtek_stream *stream, uint8_t how)
{
    uint8_t status = REALTEK_FAILED;

    stream->swap_done = how == 0;
    if (tandem_realtek_bud_linked(stream->device))
        status = how == 0 ? tandem_realtek_complete(stream->device, REALTEK_OP_SWAP) : REALTEK_SUCCESS;
    answer_now(stream, REALTEK_OP_SWAP, status);
}

/* What has a body of its own kind. */
static void tell(struct tandem_realtek_stream *stream, uint16_t id, const uint8_t *payload, uint16_t size)
{
    struct tandem_realtek_device *device = stream->device;

    switch (id) {
    case REALTEK_CMD_INFO:
        set_size(stream,
                 tandem_realtek_tell_info(device, TANDEM_REALTEK_STREAM, new_event(stream, REALTEK_EVENT_INFO)));
        break;
    case REALTEK_CMD_VERSIONS:
        set_size(stream, tandem_realtek_tell_versions(device, size != 0 && payload[0] == 1, padding(stream),
                                                      new_event(stream, REALTEK_EVENT_VERSIONS)));
        break;
    case REALTEK_CMD_INACTIVE:
        set_size(stream,
                 tandem_realtek_tell_versions(device, 1, padding(stream), new_event(stream, REALTEK_EVENT_INACTIVE)));
        break;
    case REALTEK_CMD_SECTIONS:
        set_size(stream,
                 tandem_realtek_tell_sections(device, padding(stream), new_event(stream, REALTEK_EVENT_SECTIONS)));
        break;
    case REALTEK_CMD_EXTRA:
        new_event(stream, REALTEK_EVENT_EXTRA)[0] = device->pair == PAIR_TURN;
        set_size(stream, 6);
        break;
    case REALTEK_CMD_PROTOCOL:
        tell_protocol(stream);
        break;
    case REALTEK_CMD_RELEASE:
        tell_release(stream);
        break;
    case REALTEK_CMD_SHA:
        set_size(stream, tandem_realtek_tell_sha(device, payload, size, new_event(stream, REALTEK_EVENT_SHA)));
        break;
    case REALTEK_CMD_CHECK:
        tell_check(stream);
        break;
    default:
        tell_target(stream, payload);
        break;
    }
}

/* Do it. Its acknowledgement is out already, but for data. */
static void execute(struct tandem_realtek_stream *stream, uint16_t id, const uint8_t *payload, uint16_t size)
{
    struct tandem_realtek_device *device = stream->device;

    switch (id) {
    case REALTEK_CMD_START:
        answer_now(stream, REALTEK_OP_START, tandem_realtek_begin(device, payload));
        break;
    case REALTEK_CMD_VALIDATE:
        answer_now(stream, REALTEK_OP_VALIDATE, tandem_realtek_validate(device, tandem_load_le16(payload)));
        break;
    case REALTEK_CMD_ABORT:
        tandem_realtek_give_up(device);
        break;
    case REALTEK_CMD_ACTIVATE:
        answer_now(stream, REALTEK_OP_ACTIVATE, tandem_realtek_complete(device, REALTEK_OP_ACTIVATE));
        break;
    case REALTEK_CMD_REPORT:
        answer_now(stream, REALTEK_OP_REPORT,
                   tandem_realtek_report(device, tandem_load_le16(payload), tandem_load_le16(payload + 2)));
        break;
    case REALTEK_CMD_COPY:
        answer_now(stream, REALTEK_OP_COPY, tandem_realtek_copy(device, tandem_load_le16(payload)));
        break;
    case REALTEK_CMD_SWAP:
        swap(stream, payload[0]);
        break;
    case REALTEK_CMD_TEST:
        tandem_realtek_test(device, payload[0]);
        break;
    default:
        tell(stream, id, payload, size);
        break;
    }
}

/* ---- in ---- */

/* How long commands are, from INFO on. */
static const struct {
    uint16_t least, most;
} shapes[] = {
    {0, 0},
    {0, 1},
    {16, 16},
    {0, TANDEM_REALTEK_STREAM_PAYLOAD},
    {2, 3},
    {0, 0},
    {0, 1},
    {0, 0},
    {4, 4},
    {2, 2},
    {0, 0},
    {0, 0},
    {0, TANDEM_REALTEK_STREAM_PAYLOAD},
    {0, 0},
    {0, 0},
    {2, 2},
    {36, TANDEM_REALTEK_STREAM_PAYLOAD},
    {1, 1},
    {1, 1},
};

/* Whether a command may be, before it is. @return status of its acknowledgement */
static uint8_t judge(const struct tandem_realtek_stream *stream, const struct realtek_frame *frame)
{
    unsigned place = (unsigned)frame->id - REALTEK_CMD_INFO;

    if (frame->id < REALTEK_CMD_INFO || frame->id > REALTEK_CMD_LAST)
        return REALTEK_ACK_UNKNOWN;
    if (frame->size < shapes[place].least || frame->size > shapes[place].most)
        return REALTEK_ACK_PARAMETER;
    if (frame->id == REALTEK_CMD_SHA && frame->size != 2 + tandem_load_le16(frame->payload) * 34u)
        return REALTEK_ACK_PARAMETER;
    if (frame->id == REALTEK_CMD_ABORT)
        return REALTEK_ACK_COMPLETE;
    if (stream->owed || stream->device->pending != 0 || stream->count == TANDEM_REALTEK_EVENTS)
        return REALTEK_ACK_BUSY;
    return REALTEK_ACK_COMPLETE;
}

static uint8_t take_data(struct tandem_realtek_stream *stream, const struct realtek_frame *frame)
{
    switch (tandem_realtek_take(stream->device, frame->payload, frame->size)) {
    case TAKEN:
        return REALTEK_ACK_COMPLETE;
    case TAKEN_BEYOND:
        return REALTEK_ACK_PARAMETER;
    default:
        return REALTEK_ACK_FAILED;
    }
}

static void take_command(struct tandem_realtek_stream *stream, const struct realtek_frame *frame)
{
    uint8_t status = judge(stream, frame);

    if (status == REALTEK_ACK_BUSY) {
        acknowledge(stream, frame->id, status);
        return; /* it may come again, with the same number */
    }
    tandem_realtek_heard(stream->device, answer, stream);
    stream->sequence_in = frame->sequence;
    stream->last_id = frame->id;
    if (status == REALTEK_ACK_COMPLETE && frame->id == REALTEK_CMD_DATA)
        status = take_data(stream, frame);
    stream->last_status = status;
    if (frame->id == REALTEK_CMD_DATA && status == REALTEK_ACK_COMPLETE &&
        tandem_realtek_device_room(stream->device) < TANDEM_REALTEK_STREAM_PAYLOAD) {
        stream->owed = 1; /* the host may go on once there is room for more */
        return;
    }
    acknowledge(stream, frame->id, status);
    if (status == REALTEK_ACK_COMPLETE && frame->id != REALTEK_CMD_DATA)
        execute(stream, frame->id, frame->payload, frame->size);
}

/* The host has an event. Some of them it only had to have first. */
static void take_ack(struct tandem_realtek_stream *stream, const struct realtek_frame *frame)
{
    struct tandem_realtek_device *device = stream->device;
    uint16_t id = tandem_load_le16(frame->payload);
    unsigned i = 0;
    uint8_t status;

    while (i < stream->count && (stream->events[i].id != id || stream->events[i].sent == 0))
        i++;
    if (i == stream->count)
        return;
    status = stream->events[i].body[0];
    remove_event(stream, i);
    if (status != REALTEK_SUCCESS)
        return;
    if (id == REALTEK_EVENT_SWAP || (id == REALTEK_EVENT_ACTIVATE && device->pair == PAIR_LINKED))
        (void)tandem_realtek_swap(device, id == REALTEK_EVENT_ACTIVATE || stream->swap_done);
    else if (id == REALTEK_EVENT_ACTIVATE)
        (void)tandem_realtek_switch(device, 0);
}

static void take_frame(struct tandem_realtek_stream *stream, const struct realtek_frame *frame)
{
    if (frame->id == REALTEK_ACK) {
        if (frame->size == ACK_SIZE)
            take_ack(stream, frame);
        return;
    }
    if (!has_space(stream, ACK_SIZE))
        (void)flush(stream);
    if (!has_space(stream, ACK_SIZE))
        return; /* as if it had not arrived: it comes again */
    if (frame->sequence != 0 && frame->sequence == stream->sequence_in && frame->id == stream->last_id) {
        if (!stream->owed)
            acknowledge(stream, frame->id, stream->last_status);
        return;
    }
    take_command(stream, frame);
}

static void parse(struct tandem_realtek_stream *stream, const uint8_t *data, size_t size, int impatient)
{
    struct realtek_frames frames;
    struct realtek_frame frame;

    tandem_realtek_frames_init(&frames, stream->in, TANDEM_REALTEK_STREAM_IN, stream->checksum);
    frames.fill = stream->in_fill;
    frames.done = stream->in_done;
    if (impatient)
        tandem_realtek_frames_give_up(&frames);
    while (tandem_realtek_frames_next(&frames, &data, &size, &frame)) {
        stream->waiting = 0;
        take_frame(stream, &frame);
    }
    stream->in_fill = frames.fill;
    stream->in_done = frames.done;
    if (!tandem_realtek_frames_waiting(&frames)) {
        stream->waiting = 0;
    } else if (!stream->waiting || impatient) {
        stream->waiting = 1;
        stream->begun_ms = stream->device->now;
    }
}

void tandem_realtek_stream_receive(struct tandem_realtek_stream *stream, const void *data, size_t size)
{
    parse(stream, data, size, 0);
    send_events(stream);
    (void)flush(stream);
}

enum tandem_status tandem_realtek_stream_poll(struct tandem_realtek_stream *stream, uint32_t now_ms)
{
    struct tandem_realtek_device *device = stream->device;
    enum tandem_status status = tandem_realtek_device_poll(device, now_ms);

    if (stream->waiting && now_ms - stream->begun_ms >= FRAGMENT_MS)
        parse(stream, NULL, 0, 1);
    if (stream->owed && has_space(stream, ACK_SIZE) &&
        (status == TANDEM_OK || tandem_realtek_device_room(device) >= TANDEM_REALTEK_STREAM_PAYLOAD))
        acknowledge(stream, stream->last_id, stream->last_status);
    expire_events(stream);
    send_events(stream);
    (void)flush(stream);
    return stream->out_fill != 0 || stream->owed ? TANDEM_AGAIN : status;
}

/* ---- life ---- */

static void reset(struct tandem_realtek_stream *stream)
{
    stream->in_fill = 0;
    stream->in_done = 0;
    stream->out_fill = 0;
    stream->last_id = 0;
    stream->sequence_in = 0;
    stream->owed = 0;
    stream->waiting = 0;
    stream->count = 0;
}

void tandem_realtek_stream_connected(struct tandem_realtek_stream *stream)
{
    reset(stream);
    tandem_realtek_device_connected(stream->device);
}

void tandem_realtek_stream_disconnected(struct tandem_realtek_stream *stream)
{
    reset(stream);
    tandem_realtek_device_disconnected(stream->device);
}

enum tandem_status tandem_realtek_stream_init(struct tandem_realtek_stream *stream,
                                              struct tandem_realtek_device *device,
                                              const struct tandem_stream_port *port, uint8_t *in, uint8_t *out,
                                              size_t out_size, int checksum)
{
    if (device->config->dialect < TANDEM_REALTEK_AUDIO)
        return TANDEM_ERROR_NOT_SUPPORTED;
    if (out_size < TANDEM_REALTEK_STREAM_OUT_MIN || out_size > UINT16_MAX)
        return TANDEM_ERROR_SPACE;
    memset(stream, 0, sizeof *stream);
    stream->device = device;
    stream->port = port;
    stream->in = in;
    stream->out = out;
    stream->out_size = (uint16_t)out_size;
    stream->checksum = checksum ? 1 : 0;
    return TANDEM_OK;
}
