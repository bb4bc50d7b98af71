/*
 * Packets over byte streams: whatever is sent arrives whole or not at all,
 * and after any noise the next frame arrives.
 */
#include "check.h"

#include "tandem/link.h"

#define MOST TANDEM_LINK_PACKET_MAX
#define BUFFER (MOST + TANDEM_STREAM_OVERHEAD)

/* A wire that keeps what is written, and takes as much as the test allows. */
struct wire {
    uint8_t bytes[8192];
    size_t count;
    size_t grain;              /* bytes taken at once; 0: all */
    size_t budget;             /* bytes taken until none are */
    enum tandem_status status; /* what write() answers */
};

static enum tandem_status wire_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    struct wire *wire = ctx;

    if (wire->status != TANDEM_OK)
        return wire->status;
    if (wire->grain != 0 && size > wire->grain)
        size = wire->grain;
    if (size > wire->budget)
        size = wire->budget;
    wire->budget -= size;
    memcpy(wire->bytes + wire->count, data, size);
    wire->count += size;
    *sent = size;
    return TANDEM_OK;
}

/* What has arrived. */
struct got {
    unsigned packets;
    enum tandem_channel channel[8];
    size_t size[8];
    uint8_t data[8][MOST];
};

static void take(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct got *got = ctx;

    REQUIRE(size <= MOST && got->packets < 8);
    got->channel[got->packets] = channel;
    got->size[got->packets] = size;
    memcpy(got->data[got->packets++], data, size);
}

static struct wire wire;
static struct tandem_stream_port port = {&wire, wire_write};
static struct got got;
static struct tandem_stream sender, receiver;
static uint8_t buffers[4][BUFFER];

static void setup(void)
{
    memset(&wire, 0, sizeof wire);
    wire.budget = SIZE_MAX;
    memset(&got, 0, sizeof got);
    REQUIRE(tandem_stream_init(&sender, &port, buffers[0], BUFFER, buffers[1], BUFFER, take, &got) == TANDEM_OK);
    REQUIRE(tandem_stream_init(&receiver, &port, buffers[2], BUFFER, buffers[3], BUFFER, take, &got) == TANDEM_OK);
}

static enum tandem_status send(enum tandem_channel channel, const void *data, size_t size)
{
    const struct tandem_packet_port *packets = tandem_stream_packets(&sender);

    return packets->send(packets->ctx, channel, data, size);
}

static void test_every_size(void)
{
    static const uint8_t fills[] = {0x00, 0x01, 0xFF};
    uint8_t data[MOST];
    size_t size, fill, i;

    for (size = 1; size <= MOST; size++) {
        for (fill = 0; fill <= sizeof fills; fill++) {
            for (i = 0; i < size; i++)
                data[i] = fill < sizeof fills ? fills[fill] : (uint8_t)(i * 7 % 256);
            setup();
            REQUIRE(send(TANDEM_CHANNEL_DATA, data, size) == TANDEM_OK);
            CHECK(wire.count <= size + TANDEM_STREAM_OVERHEAD);
            tandem_stream_receive(&receiver, wire.bytes, wire.count);
            CHECK_EQUAL(got.packets, 1);
            CHECK_EQUAL(got.size[0], size);
            CHECK_EQUAL(got.channel[0], TANDEM_CHANNEL_DATA);
            CHECK_BYTES(got.data[0], data, size);
        }
    }
}

/* The frames of the specification's examples. */
static void test_published_frames(void)
{
    static const uint8_t packet[] = {0xC0, 0x06, 0x05, 0x00};
    static const uint8_t frame[] = {0x00, 0x01, 0x04, 0xC0, 0x06, 0x05, 0x05, 0xEC, 0x91, 0x95, 0xC9, 0x00};

    setup();
    REQUIRE(send(TANDEM_CHANNEL_CONTROL, packet, sizeof packet) == TANDEM_OK);
    CHECK_EQUAL(wire.count, sizeof frame);
    CHECK_BYTES(wire.bytes, frame, sizeof frame);
}

static void test_partial_writes(void)
{
    uint8_t data[300], other[5] = {1, 0, 2, 0, 3};
    size_t grain, i;

    for (i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i % 3);
    for (grain = 1; grain < 20; grain++) {
        setup();
        wire.grain = grain;
        wire.budget = 100;
        CHECK_EQUAL(send(TANDEM_CHANNEL_DATA, data, sizeof data), TANDEM_OK);
        CHECK_EQUAL(wire.count, 100);
        CHECK_EQUAL(send(TANDEM_CHANNEL_CONTROL, other, sizeof other), TANDEM_AGAIN);
        CHECK_EQUAL(tandem_stream_poll(&sender), TANDEM_AGAIN);
        wire.budget = 1000;
        CHECK_EQUAL(tandem_stream_poll(&sender), TANDEM_OK);
        CHECK_EQUAL(send(TANDEM_CHANNEL_CONTROL, other, sizeof other), TANDEM_OK);
        for (i = 0; i < wire.count; i++)
            tandem_stream_receive(&receiver, wire.bytes + i, 1);
        CHECK_EQUAL(got.packets, 2);
        CHECK_BYTES(got.data[0], data, sizeof data);
        CHECK_BYTES(got.data[1], other, sizeof other);
    }
}

static void test_port_errors(void)
{
    uint8_t data[30] = {0};

    setup();
    wire.status = TANDEM_ERROR_DISCONNECTED;
    CHECK_EQUAL(send(TANDEM_CHANNEL_CONTROL, data, sizeof data), TANDEM_ERROR_DISCONNECTED);
    CHECK_EQUAL(tandem_stream_poll(&sender), TANDEM_ERROR_DISCONNECTED);
    tandem_stream_reset(&sender);
    CHECK_EQUAL(tandem_stream_poll(&sender), TANDEM_OK);
    wire.status = TANDEM_OK;
    CHECK_EQUAL(send(TANDEM_CHANNEL_CONTROL, data, sizeof data), TANDEM_OK);
    tandem_stream_receive(&receiver, wire.bytes, wire.count);
    CHECK_EQUAL(got.packets, 1);
}

static void test_sizes(void)
{
    uint8_t small[TANDEM_LINK_PACKET_MIN + TANDEM_STREAM_OVERHEAD], data[MOST + 1] = {0};
    struct tandem_stream stream;
    const struct tandem_packet_port *packets;

    setup();
    CHECK_EQUAL(tandem_stream_init(&stream, &port, small, sizeof small - 1, small, sizeof small, take, &got),
                TANDEM_ERROR_SPACE);
    CHECK_EQUAL(tandem_stream_init(&stream, &port, small, sizeof small, small, sizeof small - 1, take, &got),
                TANDEM_ERROR_SPACE);
    CHECK_EQUAL(tandem_stream_init(&stream, &port, small, sizeof small, small, sizeof small, take, &got), TANDEM_OK);
    packets = tandem_stream_packets(&stream);
    CHECK_EQUAL(packets->mtu(packets->ctx), TANDEM_LINK_PACKET_MIN);
    CHECK_EQUAL(tandem_stream_receive_max(&stream), TANDEM_LINK_PACKET_MIN);
    CHECK_EQUAL(packets->send(packets->ctx, TANDEM_CHANNEL_DATA, data, TANDEM_LINK_PACKET_MIN + 1),
                TANDEM_ERROR_ARGUMENT);
    packets = tandem_stream_packets(&sender);
    CHECK_EQUAL(packets->mtu(packets->ctx), MOST);
    CHECK_EQUAL(send(TANDEM_CHANNEL_DATA, data, MOST + 1), TANDEM_ERROR_ARGUMENT);
}

/* Three frames with a change at one place: the others arrive, and nothing else does. */
static uint8_t sent[3][64];
static const size_t sent_sizes[3] = {40, 25, 64};
static size_t starts[4];

static void send_three(void)
{
    size_t i, j;

    setup();
    for (i = 0; i < 3; i++) {
        for (j = 0; j < sent_sizes[i]; j++)
            sent[i][j] = (uint8_t)((j * 5 + i) % 11);
        starts[i] = wire.count;
        REQUIRE(send(TANDEM_CHANNEL_DATA, sent[i], sent_sizes[i]) == TANDEM_OK);
    }
    starts[3] = wire.count;
}

static void check_survivors(size_t place)
{
    unsigned seen[3] = {0}, i, j;

    for (i = 0; i < got.packets; i++) {
        for (j = 0; j < 3; j++) {
            if (got.size[i] == sent_sizes[j] && memcmp(got.data[i], sent[j], sent_sizes[j]) == 0) {
                seen[j]++;
                break;
            }
        }
        CHECK(j < 3); /* nothing that was not sent */
    }
    for (j = 0; j < 3; j++) {
        CHECK(seen[j] <= 1);
        /* A change in a frame, or in the delimiter before it, may cost that frame and no other. */
        if (place + 1 < starts[j] || place >= starts[j + 1])
            CHECK_EQUAL(seen[j], 1);
    }
}

static void test_damage_at_every_byte(void)
{
    static const uint8_t noise[] = {0x00, 0x01, 0x55, 0xFF};
    size_t place, total, bit, i;

    send_three();
    total = wire.count;
    for (place = 0; place < total; place++) {
        for (bit = 0; bit < 8; bit++) { /* a bit turned over */
            got.packets = 0;
            wire.bytes[place] ^= (uint8_t)(1u << bit);
            tandem_stream_reset(&receiver);
            tandem_stream_receive(&receiver, wire.bytes, total);
            wire.bytes[place] ^= (uint8_t)(1u << bit);
            check_survivors(place);
        }
        got.packets = 0; /* a byte lost */
        tandem_stream_reset(&receiver);
        tandem_stream_receive(&receiver, wire.bytes, place);
        tandem_stream_receive(&receiver, wire.bytes + place + 1, total - place - 1);
        check_survivors(place);
        for (i = 0; i < sizeof noise; i++) { /* a byte more */
            got.packets = 0;
            tandem_stream_reset(&receiver);
            tandem_stream_receive(&receiver, wire.bytes, place);
            tandem_stream_receive(&receiver, noise + i, 1);
            tandem_stream_receive(&receiver, wire.bytes + place, total - place);
            check_survivors(place);
        }
    }
}

static void test_garbage_before_frames(void)
{
    uint32_t random = 7;
    unsigned round;

    for (round = 0; round < 2000; round++) {
        uint8_t garbage[700], packet[] = {0xC5, 6, 1, 0};
        size_t size, i;

        setup();
        random = random * 1664525u + 1013904223u;
        size = random >> 8 & 511;
        for (i = 0; i < size; i++) {
            random = random * 1664525u + 1013904223u;
            garbage[i] = (uint8_t)(random >> 24);
        }
        tandem_stream_receive(&receiver, garbage, size);
        REQUIRE(send(TANDEM_CHANNEL_CONTROL, packet, sizeof packet) == TANDEM_OK);
        tandem_stream_receive(&receiver, wire.bytes, wire.count);
        CHECK_EQUAL(got.packets, 1); /* the delimiter in front keeps the garbage out */
        CHECK_BYTES(got.data[0], packet, sizeof packet);
    }
}

static void test_too_long_is_skipped(void)
{
    uint8_t small[TANDEM_LINK_PACKET_MIN + TANDEM_STREAM_OVERHEAD], spare[sizeof small], data[200] = {1, 2, 3};
    struct tandem_stream stream;

    setup();
    REQUIRE(tandem_stream_init(&stream, &port, small, sizeof small, spare, sizeof spare, take, &got) == TANDEM_OK);
    REQUIRE(send(TANDEM_CHANNEL_DATA, data, 200) == TANDEM_OK);
    REQUIRE(send(TANDEM_CHANNEL_DATA, data, TANDEM_LINK_PACKET_MIN) == TANDEM_OK);
    tandem_stream_receive(&stream, wire.bytes, wire.count);
    CHECK_EQUAL(got.packets, 1);
    CHECK_EQUAL(got.size[0], TANDEM_LINK_PACKET_MIN);
}

/* Frames whose CRC is right, and which say nothing sensible. */
static void test_senseless_frames(void)
{
    uint8_t data[4] = {1, 2, 3, 4};

    setup();
    REQUIRE(send((enum tandem_channel)2, data, sizeof data) == TANDEM_OK);
    REQUIRE(send((enum tandem_channel)0xFF, data, sizeof data) == TANDEM_OK);
    REQUIRE(send(TANDEM_CHANNEL_CONTROL, data, 0) == TANDEM_OK);
    tandem_stream_receive(&receiver, wire.bytes, wire.count);
    CHECK_EQUAL(got.packets, 0);
    tandem_stream_receive(&receiver, "\0\0\0\0\0", 5);
    CHECK_EQUAL(got.packets, 0);
}

int main(void)
{
    RUN(test_every_size);
    RUN(test_published_frames);
    RUN(test_partial_writes);
    RUN(test_port_errors);
    RUN(test_sizes);
    RUN(test_damage_at_every_byte);
    RUN(test_garbage_before_frames);
    RUN(test_too_long_is_skipped);
    RUN(test_senseless_frames);
    return check_report();
}
