/*
 * Fuzzing: the link's host half under the updater. The input is what a device
 * says, in packets or as a stream, and how time passes. Whatever it was, the
 * host reads only what the source has, and sends nothing at or beyond the
 * limit it was given.
 */
#include <stdlib.h>
#include <string.h>

#include "tandem/link.h"
#include "tandem/link_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SOURCE 20000u

static struct tandem_link_host host;
static struct tandem_update update;
static struct tandem_stream stream;
static uint8_t in[300], out[300];
static unsigned turn;

static void must(int holds)
{
    if (!holds)
        abort();
}

static enum tandem_status read_source(void *ctx, uint32_t offset, void *data, size_t size)
{
    (void)ctx;
    must(offset <= SOURCE && size <= SOURCE - offset);
    memset(data, (int)(offset & 0xFF), size);
    return TANDEM_OK;
}

static const struct tandem_source source = {NULL, SOURCE, read_source};

static enum tandem_status send(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    (void)ctx;
    must(size >= 2 && size <= 244);
    if (++turn % 7 == 0)
        return TANDEM_AGAIN;
    if (channel == TANDEM_CHANNEL_DATA) {
        uint32_t window = host.limit - host.wants;
        uint32_t ahead = ((bytes[0] | (uint32_t)bytes[1] << 8) - host.wants) & 0x7FFF;

        must(window <= TANDEM_LINK_WINDOW_MAX);
        must(ahead + (size - 2) <= window);
    }
    return TANDEM_OK;
}

static uint16_t mtu(void *ctx)
{
    (void)ctx;
    return 244;
}

static const struct tandem_packet_port packets = {NULL, send, mtu};

static enum tandem_status write_bytes(void *ctx, const void *data, size_t size, size_t *sent)
{
    (void)ctx;
    (void)data;
    *sent = size;
    return TANDEM_OK;
}

static const struct tandem_stream_port bytes_port = {NULL, write_bytes};

static void take(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    (void)ctx;
    tandem_link_host_receive(&host, channel, data, size);
}

static void setup(struct tandem_offer *offer)
{
    static const struct tandem_update_options options = {.attempts = 3, .confirm_ms = 20000};

    memset(offer, 0, sizeof *offer);
    offer->source = &source;
    offer->packaged = 1;
    offer->manifest.vendor = (const uint8_t *)"v";
    offer->manifest.vendor_size = 1;
    offer->manifest.product = (const uint8_t *)"p";
    offer->manifest.product_size = 1;
    offer->manifest.version.major = 2;
    offer->manifest.counter = 0xFFFFFFFFu;
    memset(offer->manifest.id, 0x11, sizeof offer->manifest.id);
    tandem_link_host_init(&host, &packets, NULL, 0);
    must(tandem_stream_init(&stream, &bytes_port, in, sizeof in, out, sizeof out, take, NULL) == TANDEM_OK);
    tandem_update_init(&update, tandem_link_host_target(&host), offer, &options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tandem_offer offer;
    uint32_t now = 0xFFFFF000u;
    unsigned i;

    setup(&offer);
    while (size >= 2) {
        size_t length = data[1] < size - 2 ? data[1] : size - 2;
        uint8_t packet[256];

        memcpy(packet, data + 2, length);
        switch (data[0] & 7) {
        case 0: /* an answer to what was just asked */
            if (length > 2)
                packet[2] = host.tag;
            tandem_link_host_receive(&host, TANDEM_CHANNEL_CONTROL, packet, length);
            break;
        case 1:
            tandem_link_host_receive(&host, TANDEM_CHANNEL_CONTROL, packet, length);
            break;
        case 2:
            tandem_stream_receive(&stream, packet, length);
            break;
        case 3:
            tandem_link_host_disconnected(&host);
            length = 0;
            break;
        case 4:
            now += data[1] * 50u;
            length = 0;
            break;
        case 5:
            tandem_update_cancel(&update);
            length = 0;
            break;
        case 6:
            (void)tandem_update_goal(&update, (enum tandem_goal)(data[1] & 3));
            length = 0;
            break;
        default:
            length = 0;
            break;
        }
        for (i = 0; i < 3; i++)
            (void)tandem_update_poll(&update, ++now);
        data += 2 + length;
        size -= 2 + length;
    }
    return 0;
}
