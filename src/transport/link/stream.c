/*
 * Packets over a byte stream: COBS frames between zero bytes, each with its
 * channel in front and a CRC-32 at its end. Whatever noise does to the
 * stream, the next zero byte begins afresh.
 */
#include "tandem/link.h"

#include <string.h>

#include "core/bytes.h"

#define CRC_SIZE 4u
#define CHANNEL_SIZE 1u

/* ---- out ---- */

struct encoder {
    uint8_t *out;     /* frame so far */
    uint16_t at;      /* its bytes */
    uint16_t code_at; /* where the present group's code byte lies */
};

static void encoder_open(struct encoder *encoder)
{
    encoder->code_at = encoder->at++;
    encoder->out[encoder->code_at] = 1;
}

static void encoder_put(struct encoder *encoder, const uint8_t *data, size_t size)
{
    while (size--) {
        uint8_t byte = *data++;

        /* A full group is closed only when more follows, so none is empty. */
        if (encoder->out[encoder->code_at] == 0xFF)
            encoder_open(encoder);
        if (byte != 0) {
            encoder->out[encoder->at++] = byte;
            encoder->out[encoder->code_at]++;
        } else {
            encoder_open(encoder);
        }
    }
}

enum tandem_status tandem_stream_poll(struct tandem_stream *stream)
{
    while (stream->out_at < stream->out_fill) {
        size_t left = (size_t)(stream->out_fill - stream->out_at);
        size_t sent = 0;
        enum tandem_status status = stream->port->write(stream->port->ctx, stream->out + stream->out_at, left, &sent);

        if (status != TANDEM_OK)
            return status;
        if (sent == 0 || sent > left)
            return TANDEM_AGAIN;
        stream->out_at = (uint16_t)(stream->out_at + sent);
    }
    return TANDEM_OK;
}

static uint16_t stream_mtu(void *ctx)
{
    const struct tandem_stream *stream = ctx;
    uint16_t size = (uint16_t)(stream->out_size - TANDEM_STREAM_OVERHEAD);

    return size < TANDEM_LINK_PACKET_MAX ? size : TANDEM_LINK_PACKET_MAX;
}

static enum tandem_status stream_send(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct tandem_stream *stream = ctx;
    struct encoder encoder = {stream->out, 0, 0};
    uint8_t head = (uint8_t)channel, tail[CRC_SIZE];
    uint32_t crc;
    enum tandem_status status = tandem_stream_poll(stream);

    if (status != TANDEM_OK)
        return status;
    if (size > stream_mtu(ctx))
        return TANDEM_ERROR_ARGUMENT;
    crc = tandem_crc32(tandem_crc32(TANDEM_CRC32_START, &head, 1), data, size);
    tandem_store_le32(tail, ~crc);
    /* A delimiter in front keeps noise before a control frame out of it. */
    if (channel == TANDEM_CHANNEL_CONTROL || stream->fresh)
        stream->out[encoder.at++] = 0;
    encoder_open(&encoder);
    encoder_put(&encoder, &head, 1);
    encoder_put(&encoder, data, size);
    encoder_put(&encoder, tail, sizeof tail);
    stream->out[encoder.at++] = 0;
    stream->out_fill = encoder.at;
    stream->out_at = 0;
    stream->fresh = 0;
    status = tandem_stream_poll(stream);
    return status == TANDEM_AGAIN ? TANDEM_OK : status;
}

/* ---- in ---- */

static void stream_restart(struct tandem_stream *stream)
{
    stream->in_fill = 0;
    stream->code = 0;
    stream->left = 0;
    stream->skip = 0;
}

static void stream_store(struct tandem_stream *stream, uint8_t byte)
{
    if (stream->in_fill < stream->in_size)
        stream->in[stream->in_fill++] = byte;
    else
        stream->skip = 1;
}

static void stream_frame(struct tandem_stream *stream)
{
    uint16_t size = stream->in_fill;
    const uint8_t *in = stream->in;

    if (stream->skip || stream->left != 0 || size <= CHANNEL_SIZE + CRC_SIZE)
        return;
    size = (uint16_t)(size - CRC_SIZE);
    if (~tandem_crc32(TANDEM_CRC32_START, in, size) != tandem_load_le32(in + size))
        return;
    if (in[0] != TANDEM_CHANNEL_CONTROL && in[0] != TANDEM_CHANNEL_DATA)
        return;
    stream->receive(stream->receive_ctx, (enum tandem_channel)in[0], in + CHANNEL_SIZE, (size_t)(size - CHANNEL_SIZE));
}

void tandem_stream_receive(struct tandem_stream *stream, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    while (size--) {
        uint8_t byte = *bytes++;

        if (byte == 0) {
            stream_frame(stream);
            stream_restart(stream);
        } else if (stream->skip) {
            continue;
        } else if (stream->left != 0) {
            stream_store(stream, byte);
            stream->left--;
        } else {
            /* Every group but a full one, and but the last, stands for a zero at its end. */
            if (stream->code != 0 && stream->code != 0xFF)
                stream_store(stream, 0);
            stream->code = byte;
            stream->left = (uint8_t)(byte - 1);
        }
    }
}

/* ---- life ---- */

void tandem_stream_reset(struct tandem_stream *stream)
{
    stream_restart(stream);
    stream->out_fill = 0;
    stream->out_at = 0;
    stream->fresh = 1;
}

enum tandem_status tandem_stream_init(struct tandem_stream *stream, const struct tandem_stream_port *port, uint8_t *in,
                                      size_t in_size, uint8_t *out, size_t out_size,
                                      void (*receive)(void *ctx, enum tandem_channel channel, const void *data,
                                                      size_t size),
                                      void *receive_ctx)
{
    const size_t least = TANDEM_LINK_PACKET_MIN + TANDEM_STREAM_OVERHEAD;
    const size_t most = TANDEM_LINK_PACKET_MAX + TANDEM_STREAM_OVERHEAD;

    if (in_size < least || out_size < least)
        return TANDEM_ERROR_SPACE;
    stream->packets.ctx = stream;
    stream->packets.send = stream_send;
    stream->packets.mtu = stream_mtu;
    stream->port = port;
    stream->receive = receive;
    stream->receive_ctx = receive_ctx;
    stream->in = in;
    stream->in_size = (uint16_t)(in_size < most ? in_size : most);
    stream->out = out;
    stream->out_size = (uint16_t)(out_size < most ? out_size : most);
    tandem_stream_reset(stream);
    return TANDEM_OK;
}

const struct tandem_packet_port *tandem_stream_packets(const struct tandem_stream *stream)
{
    return &stream->packets;
}

uint16_t tandem_stream_receive_max(const struct tandem_stream *stream)
{
    return (uint16_t)(stream->in_size - TANDEM_STREAM_OVERHEAD);
}
