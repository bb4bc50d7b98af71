/*
 * Realtek's DFU over a byte stream, device half: frames, acknowledgements,
 * events; and the two forms in which a pair of buds is updated.
 */
#include "realtek_rig.h"

#include "core/bytes.h"

#define APP TANDEM_KIND_APPLICATION
#define OUT 256

/* A device with a stream, and what came out of it. */
struct world {
    struct rig rig;
    struct tandem_stream_port port;
    struct tandem_realtek_stream stream;
    uint8_t in[TANDEM_REALTEK_STREAM_IN], out[OUT];
    uint8_t heard[4096]; /* bytes that the host received */
    unsigned fill, at;   /* of them */
    uint8_t sequence;    /* of the host */
    size_t most;         /* bytes that the port takes at once; 0: none */
    int checksum;
    /* a pair */
    struct tandem_realtek_pair_port pair;
    struct world *partner;
    uint8_t bud;
    uint8_t mail[16]; /* events on their way here */
    unsigned mails;
    unsigned swaps;
    int advertising;
    int cut; /* 1: nothing gets to the partner */
};

static struct world left, right;

static enum tandem_status port_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    struct world *w = (struct world *)ctx;

    *sent = size < w->most ? size : w->most;
    REQUIRE(w->fill + *sent <= sizeof w->heard);
    memcpy(w->heard + w->fill, data, *sent);
    w->fill += (unsigned)*sent;
    return TANDEM_OK;
}

static void poll(struct world *w, uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++) {
        (void)tandem_realtek_stream_poll(&w->stream, w->rig.ms++);
        w->rig.f.now_us += 1000;
    }
}

/* Milliseconds without the fine steps. */
static void pass(struct world *w, uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i += 50) {
        w->rig.ms += 50;
        (void)tandem_realtek_stream_poll(&w->stream, w->rig.ms);
    }
}

static void start(struct world *w)
{
    rig_start(&w->rig);
    CHECK_EQUAL(
        tandem_realtek_stream_init(&w->stream, &w->rig.device, &w->port, w->in, w->out, sizeof w->out, w->checksum),
        TANDEM_OK);
    tandem_realtek_stream_connected(&w->stream);
    w->fill = 0;
    w->at = 0;
    w->sequence = 0;
    poll(w, 1);
}

static void begin_on(struct world *w, const struct fixture_options *options)
{
    memset(w, 0, sizeof *w);
    rig_open_on(&w->rig, TANDEM_REALTEK_STREAM, 11, options);
    w->port.ctx = w;
    w->port.write = port_write;
    w->most = sizeof w->heard;
    start(w);
}

static void begin(struct world *w)
{
    begin_on(w, NULL);
}

static void end(struct world *w)
{
    rig_close(&w->rig);
}

/* ---- the host's end ---- */

static size_t frame(struct world *w, uint8_t *bytes, uint8_t sequence, uint16_t id, const uint8_t *payload, size_t size)
{
    uint8_t sum = 0;

    bytes[0] = 0xAA;
    bytes[1] = sequence;
    tandem_store_le16(bytes + 2, (uint16_t)(2 + size));
    tandem_store_le16(bytes + 4, id);
    if (size != 0)
        memcpy(bytes + 6, payload, size);
    for (size_t i = 1; i < 6 + size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    if (w->checksum)
        bytes[6 + size] = (uint8_t)-sum;
    return 6 + size + (w->checksum ? 1 : 0);
}

static void send(struct world *w, uint16_t id, const uint8_t *payload, size_t size)
{
    uint8_t bytes[700];

    w->sequence = w->sequence == 255 ? 1 : (uint8_t)(w->sequence + 1);
    size = frame(w, bytes, w->sequence, id, payload, size);
    tandem_realtek_stream_receive(&w->stream, bytes, size);
    poll(w, 1);
}

/* A whole frame waits to be looked at. */
static int is_there(const struct world *w)
{
    return w->fill >= w->at + 6 &&
           w->fill >= w->at + 4u + tandem_load_le16(w->heard + w->at + 2) + (w->checksum ? 1 : 0);
}

/* Let time pass until there is one. */
static void await(struct world *w)
{
    for (unsigned i = 0; i < 20000 && !is_there(w); i++)
        poll(w, 1);
}

/* The next frame that was heard. @return its id, 0xFFFF: none */
static uint16_t next(struct world *w, const uint8_t **payload, size_t *size)
{
    unsigned at = w->at;

    if (!is_there(w))
        return 0xFFFF;
    CHECK_EQUAL(w->heard[at], 0xAA);
    CHECK(w->heard[at + 1] != 0);
    *size = tandem_load_le16(w->heard + at + 2) - 2u;
    *payload = w->heard + at + 6;
    w->at += 6 + (unsigned)*size + (w->checksum ? 1 : 0);
    return tandem_load_le16(w->heard + at + 4);
}

static void acknowledge(struct world *w, uint16_t event)
{
    uint8_t payload[3] = {(uint8_t)event, (uint8_t)(event >> 8), 0};

    send(w, 0x0000, payload, 3);
}

/* Send a command; its acknowledgement has this status; @return 1 */
static int acked(struct world *w, uint16_t id, uint8_t status)
{
    const uint8_t *payload = NULL;
    size_t size = 0;

    await(w);
    return CHECK_EQUAL(next(w, &payload, &size), 0x0000) && CHECK_EQUAL(size, 3) &&
           CHECK_EQUAL(tandem_load_le16(payload), id) && CHECK_EQUAL(payload[2], status);
}

/* Send a command in hexadecimal; its acknowledgement has this status; the event (0: none) follows, and is acknowledged.
 */
static void ask(struct world *w, uint16_t id, const char *payload, uint8_t status, uint16_t event, const char *body)
{
    uint8_t bytes[600], want[200];
    size_t size = hex(bytes, payload), expected = hex(want, body), got = 0;
    const uint8_t *is = NULL;

    send(w, id, bytes, size);
    if (!acked(w, id, status))
        return;
    if (event != 0)
        await(w);
    if (event == 0) {
        poll(w, 10);
        CHECK_EQUAL(w->fill, w->at);
        return;
    }
    CHECK_EQUAL(next(w, &is, &got), event);
    if (CHECK_EQUAL(got, expected))
        CHECK_BYTES(is, want, expected);
    acknowledge(w, event);
}

/* START … VALIDATE. @return the status of VALIDATE */
static uint8_t update(struct world *w, const struct rig_image *image, uint32_t packet, uint32_t buffer)
{
    uint8_t start_body[16] = {0}, validate[3] = {(uint8_t)image->id, (uint8_t)(image->id >> 8), 1};
    const uint8_t *payload;
    uint32_t chunk = 0;
    uint8_t check[2] = {0, 0}, status;
    size_t size;

    memcpy(start_body, image->control, 12);
    send(w, 0x0602, start_body, 16);
    if (!acked(w, 0x0602, 0))
        return 0xF1;
    await(w);
    if (next(w, &payload, &size) != 0x0602)
        return 0xF1;
    status = payload[0];
    acknowledge(w, 0x0602);
    if (status != 1)
        return status;
    for (uint32_t at = 0, part; at < image->size; at += part) {
        part = image->size - at < packet ? image->size - at : packet;
        if (buffer != 0 && part > buffer - chunk)
            part = buffer - chunk;
        send(w, 0x0603, image->bytes + at, part);
        if (!acked(w, 0x0603, 0))
            return 0xF2;
        if (w->at == w->fill)
            w->fill = w->at = 0;
        for (uint32_t i = 0; i < part; i++)
            check[(chunk + i) % 2 == 0] ^= image->bytes[at + i];
        chunk += part;
        if (buffer != 0 && (chunk == buffer || at + part == image->size)) {
            uint8_t report[4] = {(uint8_t)chunk, (uint8_t)(chunk >> 8), check[0], check[1]};

            send(w, 0x0608, report, 4);
            if (!acked(w, 0x0608, 0))
                return 0xF3;
            await(w);
            CHECK_EQUAL(next(w, &payload, &size), 0x0606);
            CHECK_EQUAL(size, 5);
            CHECK_EQUAL(payload[0], 1);
            CHECK_EQUAL(tandem_load_le32(payload + 1), at + part);
            acknowledge(w, 0x0606);
            chunk = 0;
            check[0] = check[1] = 0;
        }
    }
    send(w, 0x0604, validate, 3);
    if (!acked(w, 0x0604, 0))
        return 0xF4;
    await(w);
    CHECK_EQUAL(next(w, &payload, &size), 0x0604);
    status = payload[0];
    acknowledge(w, 0x0604);
    w->fill = w->at = 0;
    return status;
}

static struct rig_image app_image(unsigned seed)
{
    return rig_image(11, RIG_APP, fixture_bytes(seed, 5000), 5000, 0);
}

/* ---- frames ---- */

static void test_first_words(void)
{
    struct world *w = &left;
    uint8_t bytes[16];

    begin(w);
    /* The device information request of the description, and the acknowledgement that it shall have */
    tandem_realtek_stream_receive(&w->stream, bytes, hex(bytes, "aa0102000006"));
    poll(w, 1);
    CHECK_BYTES(w->heard + 2, "\x05\x00\x00\x00\x00\x06\x00", 7);
    CHECK_EQUAL(w->heard[0], 0xAA);
    w->at = 9;
    const uint8_t *payload;
    size_t size;
    CHECK_EQUAL(next(w, &payload, &size), 0x0600);
    /* ic, spec 7, mode check + multi, alone, temp, bank 0, payloads of 512 */
    CHECK_BYTES(payload, "\x0b\x07\x09\x00\x03\x01\x00\x02\x00\x00\x00\x00", 12);
    CHECK_EQUAL(size, 12);
    end(w);
}

/* Every command of the table, with the acknowledgement and the event that it shall have. */
static void test_commands(void)
{
    static const uint8_t release[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    struct world *w = &left;
    char list[200] = "0004902700000001922701200000932701400000942705000000";
    char sizes[200] = "049027ffffff7f922700100000932700200000942700080000";

    begin(w);
    w->rig.config.release = release;
    while (strlen(list) < 2 * 92)
        strcat(list, "00");
    while (strlen(sizes) < 2 * 91)
        strcat(sizes, "00");
    ask(w, 0x0600, "", 0, 0x0600, "0b0709000301000200000000");
    ask(w, 0x0601, "00", 0, 0x0601, list);
    ask(w, 0x0601, "", 0, 0x0601, list);
    ask(w, 0x0607, "", 0, 0x0605, "0100040000");
    ask(w, 0x0609, "9327", 0, 0x0607, "0100000000000000000000");
    ask(w, 0x0609, "9f37", 0, 0x0607, "0200000000000000000000");
    ask(w, 0x060A, "", 0, 0x0608, sizes);
    ask(w, 0x060B, "", 0, 0x0609, "000000000000");
    ask(w, 0x060C, "", 0, 0x060A, "110007");
    ask(w, 0x060C, "0102", 0, 0x060A, "110007");
    ask(w, 0x060D, "", 0, 0x060C, "0102030405060708090a0b0c");
    ask(w, 0x060F, "9327", 0, 0x060E, "01");
    ask(w, 0x060F, "9f37", 0, 0x060E, "02");
    ask(w, 0x0611, "00", 0, 0x0610, "03"); /* not a pair */
    ask(w, 0x0612, "00", 0, 0, "");
    ask(w, 0x0604, "932701", 0, 0x0604, "03"); /* nothing begun */
    ask(w, 0x0608, "04000602", 0, 0x0606, "0300000000");
    ask(w, 0x0606, "", 0, 0x060B, "03");
    ask(w, 0x0605, "", 0, 0, "");
    /* what there is not */
    ask(w, 0x0613, "", 2, 0, "");
    ask(w, 0x06FF, "", 2, 0, "");
    /* data before START */
    ask(w, 0x0603, "0102", 5, 0, "");
    end(w);
}

/* A payload of another length: status 03, and no event. */
static void test_lengths(void)
{
    static const struct {
        uint16_t least, most;
    } may[0x13] = {{0, 0}, {0, 1}, {16, 16}, {0, 512}, {2, 3}, {0, 0}, {0, 1},    {0, 0}, {4, 4}, {2, 2},
                   {0, 0}, {0, 0}, {0, 512}, {0, 0},   {0, 0}, {2, 2}, {36, 512}, {1, 1}, {1, 1}};
    struct world *w = &left;
    uint8_t payload[40] = {0};

    begin(w);
    for (unsigned i = 0; i < 0x13; i++)
        for (size_t size = 0; size < 40; size++) {
            if ((size >= may[i].least && size <= may[i].most) || (i == 0x10 && size == 36))
                continue;
            send(w, (uint16_t)(0x0600 + i), payload, size);
            (void)acked(w, (uint16_t)(0x0600 + i), 3);
            CHECK_EQUAL(w->fill, w->at);
            w->fill = w->at = 0;
        }
    CHECK_EQUAL(tandem_install_state(&w->rig.f.install), TANDEM_STATE_IDLE);
    end(w);
}

/* An event that is not acknowledged comes a second time after 2 s, with the same number, and no third time. */
static void test_events(void)
{
    struct world *w = &left;
    const uint8_t *payload;
    size_t size;

    begin(w);
    send(w, 0x060C, NULL, 0);
    CHECK(acked(w, 0x060C, 0));
    unsigned first = w->at;
    CHECK_EQUAL(next(w, &payload, &size), 0x060A);
    pass(w, 1900);
    CHECK_EQUAL(w->fill, w->at);
    pass(w, 200);
    unsigned second = w->at;
    CHECK_EQUAL(next(w, &payload, &size), 0x060A);
    CHECK_BYTES(w->heard + first, w->heard + second, 9);
    pass(w, 10000);
    CHECK_EQUAL(w->fill, w->at);
    /* The same command with the same number is acknowledged again, and not done again. */
    w->sequence--;
    send(w, 0x060C, NULL, 0);
    CHECK(acked(w, 0x060C, 0));
    CHECK_EQUAL(w->fill, w->at);
    /* Without a number it is. */
    for (unsigned i = 0; i < 2; i++) {
        uint8_t bytes[16];

        tandem_realtek_stream_receive(&w->stream, bytes, frame(w, bytes, 0, 0x060C, NULL, 0));
        CHECK(acked(w, 0x060C, 0));
        CHECK_EQUAL(next(w, &payload, &size), 0x060A);
        acknowledge(w, 0x060A);
    }
    /* More events than can wait: busy, until the host acknowledges. */
    for (unsigned i = 0; i < TANDEM_REALTEK_EVENTS; i++) {
        send(w, 0x060C, NULL, 0);
        CHECK(acked(w, 0x060C, 0));
        CHECK_EQUAL(next(w, &payload, &size), 0x060A);
    }
    send(w, 0x060C, NULL, 0);
    CHECK(acked(w, 0x060C, 4));
    acknowledge(w, 0x060A);
    send(w, 0x060C, NULL, 0);
    CHECK(acked(w, 0x060C, 0));
    end(w);
}

/* Garbage between frames, frames in pieces, a port that takes little. */
static void test_rough_stream(void)
{
    struct rig_image app = app_image(30);
    struct sim_rng rng = {77};
    struct world *w = &left;

    for (unsigned checksum = 0; checksum < 2; checksum++) {
        const uint8_t *payload;
        uint8_t bytes[64];
        size_t size;

        memset(w, 0, sizeof *w);
        begin(w);
        w->checksum = (int)checksum;
        start(w);
        w->most = 1;
        for (unsigned i = 0; i < 200; i++) {
            uint8_t noise[8];

            sim_random_bytes(&rng, noise, sizeof noise);
            tandem_realtek_stream_receive(&w->stream, noise, sim_below(&rng, sizeof noise));
            pass(w, 1100); /* what began in it is given up */
            w->fill = w->at = 0;
            pass(w, 4500);
            w->fill = w->at = 0;
            w->sequence = w->sequence == 255 ? 1 : (uint8_t)(w->sequence + 1);
            size = frame(w, bytes, w->sequence, 0x060C, NULL, 0);
            for (size_t j = 0; j < size; j++)
                tandem_realtek_stream_receive(&w->stream, bytes + j, 1);
            poll(w, 40);
            CHECK(acked(w, 0x060C, 0));
            CHECK_EQUAL(next(w, &payload, &size), 0x060A);
            acknowledge(w, 0x060A);
        }
        /* The beginning of a frame that does not go on is no frame after a while. */
        tandem_realtek_stream_receive(&w->stream, (const uint8_t *)"\xaa\x01\xf0\x01\x00\x06", 6);
        poll(w, 1100);
        w->fill = w->at = 0;
        send(w, 0x060C, NULL, 0);
        CHECK(acked(w, 0x060C, 0));
        await(w);
        CHECK_EQUAL(next(w, &payload, &size), 0x060A);
        acknowledge(w, 0x060A);
        w->most = 3;
        w->fill = w->at = 0;
        CHECK_EQUAL(update(w, &app, 512, 0), 1);
        end(w);
    }
    rig_image_free(&app);
}

/* ---- updates ---- */

static void test_updates(void)
{
    static const uint32_t packets[] = {512, 100, 7};
    struct rig_image app = app_image(30), patch = rig_image(11, RIG_PATCH, fixture_bytes(31, 2003), 2003, 1);
    struct world *w = &left;

    for (unsigned i = 0; i < 6; i++) {
        static const struct fixture_options slow = {.asynchronous = 1};
        uint32_t buffer = i % 2 ? 1024 : 0;

        begin_on(w, i < 2 ? &slow : NULL); /* data are acknowledged when there is room for more */
        w->checksum = i == 4;
        start(w);
        if (buffer != 0)
            ask(w, 0x0607, "", 0, 0x0605, "0100040000");
        w->fill = w->at = 0;
        CHECK_EQUAL(update(w, &patch, packets[i / 2], buffer), 1);
        CHECK_EQUAL(update(w, &app, packets[i / 2], buffer), 1);
        send(w, 0x0606, NULL, 0);
        CHECK(acked(w, 0x0606, 0));
        await(w);
        const uint8_t *payload;
        size_t size;
        CHECK_EQUAL(next(w, &payload, &size), 0x060B);
        CHECK_EQUAL(payload[0], 1);
        pass(w, 1000);
        CHECK_EQUAL(fixture_state(&w->rig.f).phase, TANDEM_PHASE_VALIDATED); /* waits for the host's acknowledgement */
        acknowledge(w, 0x060B);
        pass(w, 3100);
        CHECK_EQUAL(w->rig.reboots, 1);
        CHECK_EQUAL(rig_reset(&w->rig), 1);
        CHECK(rig_holds(&w->rig, 1, APP, app.bytes, app.size));
        CHECK(rig_holds(&w->rig, 1, TANDEM_KIND_STACK, patch.bytes, patch.size));
        end(w);
    }
    rig_image_free(&app);
    rig_image_free(&patch);
}

/* Data twice, too much, damaged; the session breaks in the middle. */
static void test_data(void)
{
    struct rig_image app = app_image(30);
    struct world *w = &left;
    uint8_t start_body[16] = {0};

    begin(w);
    memcpy(start_body, app.control, 12);
    send(w, 0x0602, start_body, 16);
    CHECK(acked(w, 0x0602, 0));
    w->at = w->fill;
    acknowledge(w, 0x0602);
    for (uint32_t at = 0; at < 5120; at += 512) {
        send(w, 0x0603, app.bytes + at, 512);
        CHECK(acked(w, 0x0603, 0));
        w->sequence--;
        send(w, 0x0603, app.bytes + at, 512); /* twice */
        CHECK(acked(w, 0x0603, 0));
        w->fill = w->at = 0;
    }
    ask(w, 0x0609, "9327", 0, 0x0607, "0100000000001400000000");
    tandem_realtek_stream_disconnected(&w->stream);
    pass(w, 3000);
    tandem_realtek_stream_connected(&w->stream);
    w->fill = w->at = 0;
    ask(w, 0x0609, "9327", 0, 0x0607, "0100000000001400000000");
    send(w, 0x0603, app.bytes + 5120, 500);
    CHECK(acked(w, 0x0603, 0));
    send(w, 0x0603, app.bytes, 512);
    CHECK(acked(w, 0x0603, 3)); /* more than there is to come */
    send(w, 0x0603, app.bytes + 5620, app.size - 5620);
    CHECK(acked(w, 0x0603, 0));
    w->fill = w->at = 0;
    ask(w, 0x0604, "932701", 0, 0x0604, "01");
    end(w);
    rig_image_free(&app);
}

/* The session breaks behind every frame of data; it goes on where the device says, or begins anew. */
static void test_cuts(void)
{
    struct rig_image app = app_image(30);
    struct world *w = &left;

    for (uint32_t stop = 0; stop < app.size; stop += 500)
        for (unsigned resume = 0; resume < 2; resume++) {
            uint8_t start_body[16] = {0};
            const uint8_t *payload;
            uint32_t at;
            size_t size;

            begin(w);
            memcpy(start_body, app.control, 12);
            send(w, 0x0602, start_body, 16);
            for (at = 0; at < stop; at += 500)
                send(w, 0x0603, app.bytes + at, 500);
            send(w, 0x0603, app.bytes + at, 1); /* its acknowledgement is lost */
            tandem_realtek_stream_disconnected(&w->stream);
            pass(w, 500);
            tandem_realtek_stream_connected(&w->stream);
            w->fill = w->at = 0;
            send(w, 0x0609, (const uint8_t *)"\x93\x27", 2);
            CHECK(acked(w, 0x0609, 0));
            CHECK_EQUAL(next(w, &payload, &size), 0x0607);
            CHECK_EQUAL(tandem_load_le32(payload + 5), stop + 1);
            acknowledge(w, 0x0607);
            w->fill = w->at = 0;
            for (at = stop + 1; resume && at < app.size; at += (uint32_t)size) {
                size = app.size - at < 512 ? app.size - at : 512;
                send(w, 0x0603, app.bytes + at, size);
                CHECK(acked(w, 0x0603, 0));
            }
            if (resume)
                ask(w, 0x0604, "932701", 0, 0x0604, "01");
            else
                CHECK_EQUAL(update(w, &app, 512, 0), 1);
            ask(w, 0x0606, "", 0, 0x060B, "01");
            pass(w, 3100);
            CHECK_EQUAL(w->rig.reboots, 1);
            CHECK_EQUAL(rig_reset(&w->rig), 1);
            CHECK(rig_holds(&w->rig, 1, APP, app.bytes, app.size));
            end(w);
        }
    rig_image_free(&app);
}

/* ---- pairs ---- */

static uint8_t pair_bud(void *ctx)
{
    return ((struct world *)ctx)->bud;
}

static void pair_other(void *ctx, uint8_t address[6])
{
    (void)ctx;
    memcpy(address, "\x00\xe0\x4c\x65\x43\x21", 6);
}

static enum tandem_status pair_tell(void *ctx, uint8_t event)
{
    struct world *w = (struct world *)ctx;

    if (w->cut)
        return TANDEM_ERROR_DISCONNECTED;
    REQUIRE(w->partner->mails < sizeof w->partner->mail);
    w->partner->mail[w->partner->mails++] = event;
    return TANDEM_OK;
}

static enum tandem_status pair_swap(void *ctx)
{
    struct world *w = (struct world *)ctx;

    w->swaps++;
    w->bud ^= TANDEM_REALTEK_BUD_PRIMARY | TANDEM_REALTEK_BUD_SECONDARY;
    w->partner->bud ^= TANDEM_REALTEK_BUD_PRIMARY | TANDEM_REALTEK_BUD_SECONDARY;
    return TANDEM_OK;
}

static void pair_advertise(void *ctx, int on)
{
    ((struct world *)ctx)->advertising = on;
}

static void begin_pair(void)
{
    struct world *both[2] = {&left, &right};

    begin(&left);
    begin(&right);
    for (unsigned i = 0; i < 2; i++) {
        struct world *w = both[i];
        static const struct tandem_realtek_pair_port port = {NULL,      pair_bud,  pair_other,
                                                             pair_tell, pair_swap, pair_advertise};

        w->pair = port;
        w->pair.ctx = w;
        w->partner = both[1 - i];
        w->bud = TANDEM_REALTEK_BUD_LINKED | (i == 0 ? TANDEM_REALTEK_BUD_PRIMARY : TANDEM_REALTEK_BUD_SECONDARY);
        w->rig.config.pair = &w->pair;
    }
}

static void deliver(struct world *w)
{
    while (w->mails > 0) {
        uint8_t event = w->mail[0];

        memmove(w->mail, w->mail + 1, --w->mails);
        tandem_realtek_device_pair(&w->rig.device, event);
    }
}

/* Time passes for both. */
static void pass_both(uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i += 50) {
        pass(&left, 50);
        pass(&right, 50);
        deliver(&left);
        deliver(&right);
    }
}

static void complete(struct world *w, uint16_t command, const uint8_t *payload, size_t size, uint16_t event,
                     uint8_t status)
{
    const uint8_t *body;

    w->fill = w->at = 0;
    send(w, command, payload, size);
    CHECK(acked(w, command, 0));
    await(w);
    CHECK_EQUAL(next(w, &body, &size), event);
    CHECK_EQUAL(body[0], status);
    acknowledge(w, event);
    w->fill = w->at = 0;
}

/* How far a pair gets before something happens. */
enum moment { FIRST_SENT, FIRST_DONE, SECOND_SENT, COMMITTED, MOMENTS };

static void go_to(enum moment moment, const struct rig_image *app)
{
    CHECK_EQUAL(update(&left, app, 512, 0), 1);
    if (moment == FIRST_SENT)
        return;
    complete(&left, 0x0611, (const uint8_t *)"\0", 1, 0x0610, 1);
    CHECK_EQUAL(left.swaps, 1);
    tandem_realtek_stream_disconnected(&left.stream);
    pass_both(100);
    CHECK_EQUAL(left.rig.reboots, 0);
    if (moment == FIRST_DONE)
        return;
    tandem_realtek_stream_connected(&right.stream);
    CHECK_EQUAL(update(&right, app, 512, 0), 1);
    if (moment == SECOND_SENT)
        return;
    complete(&right, 0x0606, NULL, 0, 0x060B, 1);
}

/* The stream's form: the first bud is done, roles change, the second one follows, both restart. */
static void test_pair(void)
{
    struct rig_image app = app_image(30);

    begin_pair();
    ask(&left, 0x0611, "01", 0, 0x0610, "01"); /* only change the roles, and back */
    pass_both(50);
    CHECK_EQUAL(left.swaps, 1);
    ask(&left, 0x0611, "01", 0, 0x0610, "01");
    CHECK_EQUAL(left.swaps, 2);
    left.swaps = 0;
    left.fill = left.at = 0;
    ask(&left, 0x0600, "", 0, 0x0600, "0b0709060301000200000000");
    left.fill = left.at = 0;
    go_to(FIRST_DONE, &app);
    CHECK_EQUAL(right.advertising, 1);
    ask(&right, 0x0600, "", 0, 0x0600, "0b0709060301000200000000"); /* it is the primary one now */
    ask(&right, 0x060B, "", 0, 0x0609, "010000000000");             /* and it is due */
    right.fill = right.at = 0;
    CHECK_EQUAL(update(&right, &app, 512, 0), 1);
    complete(&right, 0x0606, NULL, 0, 0x060B, 1);
    pass_both(4000);
    CHECK_EQUAL(left.rig.reboots, 1);
    CHECK_EQUAL(right.rig.reboots, 1);
    CHECK_EQUAL(rig_reset(&left.rig), 1);
    CHECK_EQUAL(rig_reset(&right.rig), 1);
    end(&left);
    end(&right);
    rig_image_free(&app);
}

/* Whatever goes wrong before the switch leaves both on what they had, and the next attempt succeeds. */
static void test_pair_failures(void)
{
    struct rig_image app = app_image(30);

    for (unsigned moment = 0; moment < COMMITTED; moment++)
        for (unsigned fault = 0; fault < 3; fault++) {
            begin_pair();
            go_to((enum moment)moment, &app);
            if (fault == 0) { /* the buds lose each other */
                tandem_realtek_device_pair(&left.rig.device, TANDEM_REALTEK_PAIR_LOST);
                tandem_realtek_device_pair(&right.rig.device, TANDEM_REALTEK_PAIR_LOST);
                tandem_realtek_device_pair(&left.rig.device, TANDEM_REALTEK_PAIR_COMMIT); /* from before */
                CHECK_EQUAL(right.mail[right.mails - 1], TANDEM_REALTEK_PAIR_FAILED);
                tandem_realtek_stream_connected(&left.stream);
                complete(&left, 0x0606, NULL, 0, 0x060B, 3);
            } else if (fault == 1) { /* the host goes away */
                tandem_realtek_stream_disconnected(&left.stream);
                tandem_realtek_stream_disconnected(&right.stream);
                pass_both(250000);
            } else { /* one of them is restarted */
                (void)rig_reset(&right.rig);
                start(&right);
                tandem_realtek_device_pair(&left.rig.device, TANDEM_REALTEK_PAIR_LOST);
            }
            pass_both(5000);
            CHECK_EQUAL(rig_reset(&left.rig), 0);
            CHECK_EQUAL(rig_reset(&right.rig), 0);
            left.mails = right.mails = 0;
            left.bud = TANDEM_REALTEK_BUD_LINKED | TANDEM_REALTEK_BUD_PRIMARY;
            right.bud = TANDEM_REALTEK_BUD_LINKED | TANDEM_REALTEK_BUD_SECONDARY;
            left.swaps = 0;
            start(&left);
            start(&right);
            go_to(COMMITTED, &app);
            pass_both(4000);
            CHECK_EQUAL(rig_reset(&left.rig), 1);
            CHECK_EQUAL(rig_reset(&right.rig), 1);
            end(&left);
            end(&right);
        }
    /* The switch is agreed on by nobody: the second bud asks three times, and both stay. */
    begin_pair();
    go_to(SECOND_SENT, &app);
    right.cut = 1;
    complete(&right, 0x0606, NULL, 0, 0x060B, 1);
    pass_both(3000);
    right.cut = 0;
    pass_both(260000);
    CHECK_EQUAL(left.rig.reboots + right.rig.reboots, 0);
    CHECK_EQUAL(rig_reset(&left.rig), 0);
    CHECK_EQUAL(rig_reset(&right.rig), 0);
    end(&left);
    end(&right);
    /* The other bud is gone when the first is done: refused. */
    begin_pair();
    CHECK_EQUAL(update(&left, &app, 512, 0), 1);
    left.bud = TANDEM_REALTEK_BUD_UNLINKED | TANDEM_REALTEK_BUD_PRIMARY;
    complete(&left, 0x0611, (const uint8_t *)"\0", 1, 0x0610, 3);
    complete(&left, 0x0606, NULL, 0, 0x060B, 3);
    end(&left);
    end(&right);
    rig_image_free(&app);
}

/* The LE form: the first bud drops the phone, the second one advertises, both restart. */
static void test_pair_gatt(void)
{
    struct rig_image app = app_image(30);

    begin_pair();
    left.rig.config.dialect = right.rig.config.dialect = TANDEM_REALTEK_AUDIO;
    rig_start(&left.rig);
    rig_start(&right.rig);
    READS(&left.rig, TANDEM_REALTEK_ADDRESS, "00e04c12345600e04c654321");
    READS(&left.rig, TANDEM_REALTEK_INFO, "0b0519060301f70000000000");
    CHECK_EQUAL(rig_send(&left.rig, &app, NULL), 1);
    CHECK_EQUAL(rig_ask(&left.rig, "04"), TANDEM_ATT_OK);
    CHECK_EQUAL(left.rig.disconnects, 1);
    tandem_realtek_device_disconnected(&left.rig.device);
    deliver(&right);
    CHECK_EQUAL(right.advertising, 1);
    CHECK_EQUAL(rig_ask(&left.rig, "0100000b00010193270010000000000000"), TANDEM_ATT_OK);
    CHECK_EQUAL(rig_next(&left.rig)->bytes[2], 3); /* not in between */
    CHECK_EQUAL(rig_send(&right.rig, &app, NULL), 1);
    CHECK_EQUAL(rig_ask(&right.rig, "04"), TANDEM_ATT_OK);
    pass_both(4000);
    CHECK_EQUAL(left.rig.reboots, 1);
    CHECK_EQUAL(right.rig.reboots, 1);
    CHECK_EQUAL(rig_reset(&left.rig), 1);
    CHECK_EQUAL(rig_reset(&right.rig), 1);
    end(&left);
    end(&right);
    rig_image_free(&app);
}

int main(void)
{
    RUN(test_first_words);
    RUN(test_commands);
    RUN(test_lengths);
    RUN(test_events);
    RUN(test_rough_stream);
    RUN(test_updates);
    RUN(test_data);
    RUN(test_cuts);
    RUN(test_pair);
    RUN(test_pair_failures);
    RUN(test_pair_gatt);
    CHECK_EQUAL(rig_failures(), 0);
    return check_report();
}
