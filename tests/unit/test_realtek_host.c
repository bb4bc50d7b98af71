/*
 * Realtek's host half against a device written from the protocol's
 * description (realtek_peer.c): every dialect, both banks and one, OTA mode,
 * groups, encryption, refusals, faults of the link, and the bytes themselves.
 */
#include "check.h"

#include "realtek_peer.h"
#include "tandem/update.h"

static struct peer peer;
static struct tandem_realtek_host host;
static struct tandem_realtek_file file;
static struct tandem_source source;
static struct tandem_offer offer;
static struct tandem_update update;
static struct tandem_realtek_options options;
static struct tandem_update_options wishes;
static struct tandem_gatt_peer sought;
static uint8_t store[PEER_IMAGES][PEER_IMAGE_MAX];
static uint32_t now = 0xFFFFF000u; /* the clock wraps on the way */

static const uint8_t key[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

#define OLD_VERSION 0x01000001u
#define NEW_VERSION 0x02000002u

static enum tandem_status read_store(void *ctx, uint32_t offset, void *data, size_t size)
{
    (void)ctx;
    memcpy(data, &store[0][0] + offset, size);
    return TANDEM_OK;
}

static uint32_t payload_of(unsigned index)
{
    static const uint32_t sizes[4] = {768, 9000, 4096, 5000};

    return sizes[index % 4];
}

/* Three images, for a device that has them: its OTA header, app and patch (of the chip's own ids). */
static void prepare(const struct peer_spec *spec)
{
    static const uint16_t usual[3] = {0x2790, 0x2792, 0x2793}, newest[3] = {0x37A0, 0x37A6, 0x37A9};
    const uint16_t *ids = spec->dialect == 'F' ? newest : usual;
    unsigned count = spec->bank == 0xFF ? 2 : 3, from = 3 - count;

    peer_init(&peer, spec);
    memset(&file, 0, sizeof file);
    memset(&options, 0, sizeof options);
    memset(&wishes, 0, sizeof wishes);
    memset(&sought, 0, sizeof sought);
    sought.address = peer.address;
    options.settle_ms = 20;
    source.size = sizeof store;
    source.read = read_store;
    file.source = &source;
    file.ic = spec->ic;
    for (unsigned i = 0; i < count; i++) {
        struct tandem_realtek_part *part = &file.parts[i];

        peer_add(&peer, ids[from + i], OLD_VERSION, PEER_IMAGE_MAX);
        part->offset = i * PEER_IMAGE_MAX;
        part->image = ids[from + i];
        part->version = NEW_VERSION;
        part->versioned = spec->dialect != 'A';
        part->bank = TANDEM_REALTEK_BANK_ANY;
        part->size = peer_image_make(spec, store[i], part->image, payload_of(i), NEW_VERSION, part->control);
    }
    file.count = (uint8_t)count;
}

static void begin(void)
{
    tandem_offer_bare(&offer, &source);
    peer.host = &host;
    peer.now = now;
    if (peer.spec.dialect == 'E')
        tandem_realtek_host_init_stream(&host, &peer.stream, &peer.connector, &file, &options);
    else
        tandem_realtek_host_init_gatt(&host, &peer.gatt, &sought, &file, &options);
    tandem_update_init(&update, tandem_realtek_host_target(&host), &offer, &wishes);
}

static enum tandem_status run(uint32_t limit_ms)
{
    enum tandem_status status = TANDEM_AGAIN;

    for (uint32_t i = 0; i < limit_ms && status == TANDEM_AGAIN; i++) {
        peer_step(&peer, ++now);
        status = tandem_update_poll(&update, now);
    }
    return status;
}

static enum tandem_status go(void)
{
    begin();
    return run(900000);
}

static void expect_new(const char *what)
{
    int fine = peer.wrong == 0;

    for (unsigned i = 0; i < file.count; i++)
        fine &= peer_version(&peer, file.parts[i].image) == NEW_VERSION;
    if (!CHECK(fine))
        fprintf(stderr, "  %s: %s (%u wrong)\n", what, peer.why, peer.wrong);
}

/* ---- every dialect ---- */

static const struct {
    const char *name;
    struct peer_spec spec;
} kinds[] = {
    {"A", {.dialect = 'A', .ic = 3, .mode = 0x02, .bank = 0xFF, .buffer = 2000, .mtu = 23, .key = key}},
    {"B, one bank", {.dialect = 'B', .ic = 5, .mode = 0x11, .bank = 0xFF, .buffer = 2048, .mtu = 247}},
    {"B, two banks", {.dialect = 'B', .ic = 9, .mode = 0x11, .bank = 0, .buffer = 2048, .mtu = 185}},
    {"B, unchecked", {.dialect = 'B', .ic = 5, .mode = 0x10, .bank = 1, .buffer = 2000, .mtu = 247}},
    {"B, smallest MTU", {.dialect = 'B', .ic = 5, .mode = 0x10, .bank = 1, .buffer = 2040, .mtu = 23}},
    {"B, AES", {.dialect = 'B', .ic = 5, .mode = 0x13, .bank = 0, .buffer = 2048, .mtu = 247, .key = key}},
    {"B, AES all", {.dialect = 'B', .ic = 5, .mode = 0x17, .bank = 0, .buffer = 2048, .mtu = 100, .key = key}},
    {"B, AES, unchecked", {.dialect = 'B', .ic = 5, .mode = 0x16, .bank = 0, .buffer = 2000, .mtu = 100, .key = key}},
    {"C, two banks", {.dialect = 'C', .ic = 16, .mode = 0x11, .bank = 0, .buffer = 2048, .mtu = 247}},
    {"C, handshake, AES", {.dialect = 'C', .ic = 16, .mode = 0x37, .bank = 1, .buffer = 2048, .mtu = 247, .key = key}},
    {"C, handshake", {.dialect = 'C', .ic = 16, .mode = 0x30, .bank = 1, .buffer = 2048, .mtu = 60}},
    {"D", {.dialect = 'D', .ic = 11, .mode = 0x09, .bank = 0, .buffer = 4096, .mtu = 247, .offset = 1024}},
    {"D, unchecked", {.dialect = 'D', .ic = 11, .mode = 0x08, .bank = 1, .buffer = 4096, .mtu = 23}},
    {"D, RTL8763B", {.dialect = 'D', .ic = 4, .mode = 0x09, .bank = 1, .buffer = 2048, .mtu = 517}},
    {"E", {.dialect = 'E', .ic = 11, .mode = 0x09, .bank = 0, .buffer = 4096, .mtu = 0, .offset = 512}},
    {"E, unchecked", {.dialect = 'E', .ic = 11, .mode = 0x08, .bank = 1, .buffer = 4096, .mtu = 0}},
    {"F", {.dialect = 'F', .ic = 15, .mode = 0x09, .bank = 0, .buffer = 2048, .mtu = 247, .offset = 16}},
    {"F, AES", {.dialect = 'F', .ic = 15, .mode = 0x0F, .bank = 1, .buffer = 2048, .mtu = 247, .key = key}},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static void prepare_kind(unsigned kind)
{
    prepare(&kinds[kind].spec);
    options.aes_key = kinds[kind].spec.key;
    options.aes_key_size = sizeof key;
}

static void test_every_dialect(void)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct tandem_update_progress progress;

        prepare_kind(kind);
        if (!CHECK_EQUAL(go(), TANDEM_OK))
            fprintf(stderr, "  %s\n", kinds[kind].name);
        expect_new(kinds[kind].name);
        CHECK_EQUAL(peer.switched, kinds[kind].spec.dialect == 'A' ? 2 : 1); /* A takes one image at a time */
        CHECK_EQUAL(update.result.runs, TANDEM_RUNS_NEW);
        tandem_update_progress(&update, &progress);
        CHECK_EQUAL(progress.percent, 100);
        if (kinds[kind].spec.dialect == 'A')
            continue; /* tells no versions */
        /* Offered again, there is nothing to do. */
        begin();
        CHECK_EQUAL(run(60000), TANDEM_OK);
        CHECK_EQUAL(update.result.already, 1);
        CHECK_EQUAL(peer.switched, 1);
    }
}

/* ---- the bytes ---- */

static const uint8_t *logged(unsigned index)
{
    return peer.log[index];
}

static void expect_line(unsigned index, const char *text)
{
    uint8_t want[24];
    unsigned size = 0, byte;
    int length;

    for (; sscanf(text, "%2x%n", &byte, &length) == 1; text += length)
        want[size++] = (uint8_t)byte;
    CHECK_EQUAL(logged(index)[0], size);
    CHECK_BYTES(logged(index) + 1, want, size < 23 ? size : 23);
}

/* The app of the pack whose bytes the reference gives: op for op. */
static void test_bytes_of_bee2(void)
{
    static const uint8_t control[12] = {0x05, 0x00, 0x01, 0x01, 0x93, 0x27, 0, 0, 0xA0, 0x16, 0, 0};
    struct peer_spec spec = {.dialect = 'B', .ic = 5, .mode = 0x10, .bank = 0xFF, .buffer = 2000, .mtu = 247};

    prepare(&spec);
    peer.count = 0;
    peer_add(&peer, 0x2793, OLD_VERSION, PEER_IMAGE_MAX);
    file.count = 1;
    file.parts[0].image = 0x2793;
    file.parts[0].size = peer_image_make(&spec, store[0], 0x2793, 0x16A0, NEW_VERSION, file.parts[0].control);
    CHECK_BYTES(file.parts[0].control, control, sizeof control);
    CHECK_EQUAL(go(), TANDEM_OK);
    CHECK_EQUAL(peer.logged, 5);
    expect_line(0, "06 93 27");
    expect_line(1, "01 05 00 01 01 93 27 00 00 A0 16 00 00 00 00 00 00");
    expect_line(2, "02 93 27 0C 00 00 00");
    expect_line(3, "03 93 27");
    expect_line(4, "04");
}

static void test_bytes_of_audio(void)
{
    struct peer_spec spec = {.dialect = 'D', .ic = 11, .mode = 0x09, .bank = 0, .buffer = 4096, .mtu = 247};

    prepare(&spec);
    options.no_skip = 1;
    CHECK_EQUAL(go(), TANDEM_OK);
    expect_line(0, "09");
    expect_line(1, "06 90 27");
    expect_line(2, "01 00 00 0B 00 01 01 90 27 00 03 00 00 00 00 00 00");
    expect_line(3, "02 90 27 00 00 00 00");
    CHECK_EQUAL(logged(4)[0], 5);
    CHECK_EQUAL(logged(4)[1], 0x0A);
    CHECK_EQUAL(logged(4)[2] | logged(4)[3] << 8, 1792);
    expect_line(5, "03 90 27 00");
    expect_line(peer.logged - 2, "03 93 27 01");
    expect_line(peer.logged - 1, "04");
}

static void test_bytes_of_87x2g(void)
{
    struct peer_spec spec = {.dialect = 'F', .ic = 15, .mode = 0x08, .bank = 0, .buffer = 0, .mtu = 247};

    prepare(&spec);
    CHECK_EQUAL(go(), TANDEM_OK);
    expect_line(peer.logged - 2, "03 A9 37 01");
    expect_line(peer.logged - 1, "04 00");
}

static void test_bytes_of_stream(void)
{
    struct peer_spec spec = {.dialect = 'E', .ic = 11, .mode = 0x08, .bank = 0, .buffer = 4096};

    prepare(&spec);
    options.no_skip = 1;
    CHECK_EQUAL(go(), TANDEM_OK);
    expect_line(0, "AA 01 02 00 0C 06");
    CHECK_EQUAL(logged(1)[0], 6); /* device information; its number depends on what was acknowledged before */
    CHECK_EQUAL(logged(1)[5] | logged(1)[6] << 8, 0x0600);
}

/* ---- before anything is sent ---- */

static void refused(enum tandem_status status, uint32_t detail)
{
    CHECK_EQUAL(go(), status);
    CHECK_EQUAL(update.result.detail, detail);
    CHECK_EQUAL(update.result.stage, TANDEM_STAGE_CHECK);
    CHECK_EQUAL(peer.starts, 0);
    CHECK_EQUAL(peer.data_bytes, 0);
    CHECK_EQUAL(peer.wrong, 0);
}

static uint8_t charge[2];

static enum tandem_status battery(void *ctx, uint8_t bud, uint8_t *percent)
{
    (void)ctx;
    *percent = charge[bud];
    return TANDEM_OK;
}

static void test_refusals_before(void)
{
    struct peer_spec spec = {.dialect = 'D', .ic = 11, .mode = 0x09, .bank = 0, .buffer = 4096, .mtu = 247};
    struct peer_spec single = {
        .dialect = 'C', .ic = 16, .mode = 0x11, .bank = 0xFF, .temp = 2, .buffer = 2048, .mtu = 99};

    /* A protocol type that nobody knows: the number is told, and nothing written. */
    for (uint16_t type = 1; type < 0x20; type++) {
        prepare(&spec);
        peer.protocol = type;
        if (type == 0x10 || type == 0x11 || type == 0x12 || type == 0x14 || type == 0x15)
            continue;
        refused(TANDEM_ERROR_UNSUPPORTED, type);
        CHECK_EQUAL(peer.logged, 0);
    }
    prepare(&spec);
    file.ic = 15;
    refused(TANDEM_ERROR_HARDWARE, 11);
    prepare(&spec);
    peer.sections[1] = 4096;
    refused(TANDEM_ERROR_TOO_LARGE, 4096);
    prepare(&single);
    refused(TANDEM_ERROR_TOO_LARGE, 8192);
    /* The header is not newer: the device would go on with its other bank. */
    prepare(&spec);
    peer.versions[0][0] = NEW_VERSION;
    refused(TANDEM_ERROR_VERSION, NEW_VERSION);
    prepare(&spec);
    peer.versions[0][2] = NEW_VERSION | 0x0F; /* major 15 */
    refused(TANDEM_ERROR_VERSION, NEW_VERSION | 0x0F);
    prepare(&spec);
    options.any_version = 1;
    peer.versions[0][2] = NEW_VERSION | 0x0F;
    CHECK_EQUAL(go(), TANDEM_OK);
    expect_new("older on request");
    /* A bank without its header would never run. */
    prepare(&spec);
    file.parts[0] = file.parts[--file.count];
    refused(TANDEM_ERROR_INCOMPLETE, 0x2790);
    prepare(&spec);
    options.battery = battery;
    charge[0] = 29;
    CHECK_EQUAL(go(), TANDEM_ERROR_BATTERY);
    CHECK_EQUAL(peer.starts, 0);
    charge[0] = 30;
    CHECK_EQUAL(go(), TANDEM_OK);
    /* It wants encryption, and nobody gave the key. */
    prepare_kind(5);
    options.aes_key = NULL;
    CHECK_EQUAL(go(), TANDEM_ERROR_KEY);
    CHECK_EQUAL(peer.data_bytes, 0);
    /* A pack without images for the bank to be written. */
    prepare(&spec);
    file.packed = 1;
    for (unsigned i = 0; i < file.count; i++)
        file.parts[i].bank = 0;
    CHECK_EQUAL(go(), TANDEM_ERROR_INCOMPLETE);
    CHECK_EQUAL(peer.starts, 0);
}

static void test_pack_for_both_banks(void)
{
    struct peer_spec spec = {.dialect = 'D', .ic = 11, .mode = 0x09, .bank = 0, .buffer = 4096, .mtu = 247};

    for (unsigned bank = 0; bank < 2; bank++) {
        spec.bank = (uint8_t)bank;
        prepare(&spec);
        file.packed = 1;
        for (unsigned i = 0; i < 3; i++) {
            file.parts[i].bank = (uint8_t)(1 - bank);
            file.parts[3 + i] = file.parts[i];
            file.parts[3 + i].bank = (uint8_t)bank;
            file.parts[3 + i].offset = 0; /* what must not be sent */
        }
        file.count = 6;
        CHECK_EQUAL(go(), TANDEM_OK);
        expect_new("half of a pack");
        CHECK_EQUAL(peer.spec.bank, 1 - bank);
    }
}

/* ---- what the device has already ---- */

static void test_copies_and_skips(void)
{
    struct peer_spec spec = {
        .dialect = 'D', .ic = 11, .mode = 0x09, .bank = 0, .buffer = 4096, .mtu = 247, .knows_sha = 1, .keeps = 1};

    /* Images that the file does not bring come over from the running bank. */
    prepare(&spec);
    peer_add(&peer, 0x279D, OLD_VERSION, PEER_IMAGE_MAX);
    CHECK_EQUAL(go(), TANDEM_OK);
    expect_new("with a copy");
    CHECK_EQUAL(peer.copies, 1);
    CHECK_EQUAL(peer_version(&peer, 0x279D), OLD_VERSION);
    /* A dialect that cannot copy refuses beforehand. */
    prepare_kind(2);
    peer_add(&peer, 0x279A, OLD_VERSION, PEER_IMAGE_MAX);
    CHECK_EQUAL(go(), TANDEM_ERROR_INCOMPLETE);
    CHECK_EQUAL(update.result.detail, 0x279A);
    CHECK_EQUAL(peer.starts, 0);
    /* The patch is in the other bank since the attempt before. */
    prepare(&spec);
    memcpy(peer.other[1].bytes, store[1], PEER_IMAGE_MAX);
    peer.other[1].ready = 1;
    CHECK_EQUAL(go(), TANDEM_OK);
    expect_new("with a skip");
    CHECK_EQUAL(peer.skipped, 1);
    CHECK_EQUAL(peer.starts, 2);
}

/* ---- one bank ---- */

static void test_ota_mode(void)
{
    struct peer_spec spec = {
        .dialect = 'B', .ic = 5, .mode = 0x11, .bank = 0xFF, .buffer = 2048, .mtu = 100, .app_has_no_dfu = 1};

    prepare(&spec);
    CHECK_EQUAL(go(), TANDEM_OK);
    expect_new("OTA mode");
    CHECK_EQUAL(peer.entered, 1);
    /* Left there by a host that died: found by what it advertises, though it tells next to nothing. */
    prepare(&spec);
    peer.ota_mode = 1;
    for (unsigned i = 0; i < file.count; i++)
        file.parts[i].versioned = 0;
    begin();
    CHECK_EQUAL(run(900000), TANDEM_OK);
    CHECK_EQUAL(peer.switched, 2); /* as it does not say whether it takes both at once */
    CHECK_EQUAL(peer.wrong, 0);
    /* On request, also where the application would do. */
    spec.app_has_no_dfu = 0;
    prepare(&spec);
    options.ota_mode = 1;
    CHECK_EQUAL(go(), TANDEM_OK);
    CHECK_EQUAL(peer.entered, 1);
}

static void enlarge(const struct peer_spec *spec)
{
    struct tandem_realtek_part *part = &file.parts[0];

    part->size = peer_image_make(spec, store[0], part->image, 3000, NEW_VERSION, part->control);
}

static void test_groups(void)
{
    struct peer_spec spec = {.dialect = 'C',
                             .ic = 16,
                             .mode = 0x11,
                             .bank = 0xFF,
                             .temp = 4,
                             .buffer = 2048,
                             .mtu = 247,
                             .app_has_no_dfu = 1};

    for (unsigned both = 0; both < 2; both++) {
        spec.mode = both ? 0x11 : 0x01; /* several images at once, or one */
        spec.temp = 4;
        prepare(&spec);
        enlarge(&spec);
        CHECK_EQUAL(go(), TANDEM_OK);
        expect_new("groups");
        /* 4 KB and 10 KB: together they fit 16 KB. */
        CHECK_EQUAL(peer.switched, both ? 1 : 2);
        spec.temp = 3;
        prepare(&spec);
        enlarge(&spec);
        CHECK_EQUAL(go(), TANDEM_OK);
        expect_new("smaller groups");
        CHECK_EQUAL(peer.switched, 2);
        /* Once in OTA mode it comes back there: it was asked to. */
        CHECK_EQUAL(peer.entered, 1);
    }
    /* Bee2 cannot be asked: it is put there again. */
    spec.dialect = 'B';
    spec.ic = 5;
    spec.mode = 0x01;
    prepare(&spec);
    CHECK_EQUAL(go(), TANDEM_OK);
    expect_new("Bee2's groups");
    CHECK_EQUAL(peer.switched, 2);
    CHECK_EQUAL(peer.entered, 2);
}

/* ---- the device says no ---- */

static void test_refusals_by_the_device(void)
{
    static const struct {
        unsigned op;
        uint8_t with;
        enum tandem_status status;
        enum tandem_stage stage;
    } cases[] = {
        {0x01, 2, TANDEM_ERROR_TARGET, TANDEM_STAGE_CHECK},  {0x01, 4, TANDEM_ERROR_TOO_LARGE, TANDEM_STAGE_CHECK},
        {0x01, 9, TANDEM_ERROR_VERSION, TANDEM_STAGE_CHECK}, {0x03, 5, TANDEM_ERROR_DIGEST, TANDEM_STAGE_VALIDATE},
        {0x0A, 8, TANDEM_ERROR_FLASH, TANDEM_STAGE_RECEIVE}, {0x0A, 5, TANDEM_ERROR_DIGEST, TANDEM_STAGE_RECEIVE},
        {0x06, 2, TANDEM_ERROR_TARGET, TANDEM_STAGE_CHECK},  {0x03, 7, TANDEM_ERROR_FLASH, TANDEM_STAGE_VALIDATE},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        prepare_kind(i & 1 ? 11 : 8);
        options.no_skip = 1;
        peer.refuse_op = cases[i].op;
        peer.refuse_with = cases[i].with;
        CHECK_EQUAL(go(), cases[i].status);
        CHECK_EQUAL(update.result.stage, cases[i].stage);
        CHECK_EQUAL(update.result.detail, cases[i].with);
        CHECK_EQUAL(update.result.reported, 1);
        CHECK_EQUAL(peer.switched, 0);
        CHECK_EQUAL(peer.aborts, cases[i].op == 0x06 || cases[i].op == 0x01 ? 0 : 1);
        CHECK_EQUAL(peer.wrong, 0);
    }
}

/* Versions as before, though it restarted: nobody may be told that all is well. */
static void test_old_firmware_comes_back(void)
{
    enum tandem_status status = TANDEM_AGAIN;

    prepare_kind(11);
    begin();
    for (uint32_t i = 0; i < 200000 && status == TANDEM_AGAIN; i++) {
        status = run(1);
        peer.spec.bank = 0;
    }
    CHECK_EQUAL(status, TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(update.result.runs, TANDEM_RUNS_OLD);
    CHECK(peer.switched <= 2);
}

/* ---- faults of the link ---- */

static unsigned packets_of(unsigned kind)
{
    prepare_kind(kind);
    REQUIRE(go() == TANDEM_OK);
    return peer.packets;
}

static const unsigned swept[] = {2, 3, 8, 11, 14, 16};

/* Cut at every packet: it ends well, or the old firmware runs on and the next attempt ends well. */
static void test_link_cut_at_every_packet(void)
{
    for (unsigned i = 0; i < sizeof swept / sizeof swept[0]; i++) {
        for (unsigned keeps = 0; keeps < 2; keeps++) {
            unsigned packets = packets_of(swept[i]);
            unsigned stride = packets > 150 ? packets / 97 : 1;

            for (unsigned cut = 1; cut <= packets; cut += cut + 20 < packets && cut > 20 ? stride : 1) {
                prepare_kind(swept[i]);
                peer.spec.keeps = (uint8_t)keeps;
                peer.cut_at = cut;
                if (!CHECK_EQUAL(go(), TANDEM_OK))
                    fprintf(stderr, "  %s, cut at %u of %u\n", kinds[swept[i]].name, cut, packets);
                expect_new(kinds[swept[i]].name);
            }
        }
    }
}

/* A device that keeps what it has is sent only the rest. */
static void test_resume(void)
{
    for (unsigned i = 0; i < 2; i++) {
        unsigned kind = i ? 16 : 11;
        unsigned packets = packets_of(kind);
        uint32_t whole = peer.data_bytes;

        prepare_kind(kind);
        peer.spec.keeps = 1;
        peer.cut_at = packets * 2 / 3;
        CHECK_EQUAL(go(), TANDEM_OK);
        expect_new("resumed");
        CHECK(peer.data_bytes < whole + 8192);
    }
}

static void test_answers_lost_repeated_late(void)
{
    for (unsigned i = 0; i < sizeof swept / sizeof swept[0]; i++) {
        unsigned answers;

        prepare_kind(swept[i]);
        REQUIRE(go() == TANDEM_OK);
        answers = peer.answers;
        for (unsigned fault = 0; fault < 3; fault++) {
            for (unsigned n = 1; n <= answers; n += answers > 60 ? 3 : 1) {
                prepare_kind(swept[i]);
                *(fault == 0 ? &peer.lose : fault == 1 ? &peer.repeat : &peer.delay) = n;
                if (!CHECK_EQUAL(go(), TANDEM_OK))
                    fprintf(stderr, "  %s, fault %u at %u\n", kinds[swept[i]].name, fault, n);
                expect_new(kinds[swept[i]].name);
            }
        }
    }
}

static void test_damaged_data(void)
{
    for (unsigned n = 5; n < 60; n++) {
        prepare_kind(11);
        options.no_skip = 1;
        peer.corrupt_at = n;
        CHECK_EQUAL(go(), TANDEM_OK);
        expect_new("damaged");
    }
}

static void test_no_room_and_busy(void)
{
    for (unsigned i = 0; i < sizeof swept / sizeof swept[0]; i++) {
        for (unsigned n = 2; n < 6; n++) {
            prepare_kind(swept[i]);
            peer.no_room = n;
            peer.busy_at = 10;
            CHECK_EQUAL(go(), TANDEM_OK);
            expect_new("no room");
        }
    }
}

static void test_cancelled_at_any_moment(void)
{
    for (unsigned moment = 1; moment < 1200; moment += 37) {
        enum tandem_status status;

        prepare_kind(moment & 1 ? 11 : 2);
        begin();
        if (run(moment) != TANDEM_AGAIN)
            continue;
        tandem_update_cancel(&update);
        status = run(200000);
        CHECK(status == TANDEM_ERROR_CANCELLED || (status == TANDEM_OK && peer.switched == 1));
        CHECK_EQUAL(peer.wrong, 0);
        /* Nothing stands in the way of the next. */
        CHECK_EQUAL(go(), TANDEM_OK);
        expect_new("after a cancelled one");
    }
}

int main(void)
{
    RUN(test_every_dialect);
    RUN(test_bytes_of_bee2);
    RUN(test_bytes_of_audio);
    RUN(test_bytes_of_87x2g);
    RUN(test_bytes_of_stream);
    RUN(test_refusals_before);
    RUN(test_pack_for_both_banks);
    RUN(test_copies_and_skips);
    RUN(test_ota_mode);
    RUN(test_groups);
    RUN(test_refusals_by_the_device);
    RUN(test_old_firmware_comes_back);
    RUN(test_link_cut_at_every_packet);
    RUN(test_resume);
    RUN(test_answers_lost_repeated_late);
    RUN(test_damaged_data);
    RUN(test_no_room_and_busy);
    RUN(test_cancelled_at_any_moment);
    return check_report();
}
