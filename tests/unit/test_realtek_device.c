/*
 * Realtek's DFU over GATT, device half, byte by byte as its description has
 * it, and whole updates as a host would do them.
 */
#include "realtek_rig.h"

#include "core/bytes.h"
#include "transport/realtek/realtek_wire.h"

#define BEE2 TANDEM_REALTEK_BEE2
#define B8752H TANDEM_REALTEK_8752H
#define AUDIO TANDEM_REALTEK_AUDIO
#define APP TANDEM_KIND_APPLICATION

static struct rig rig, other;

/* The chip whose images a dialect's usual product takes. */
static uint8_t chip(uint8_t dialect)
{
    return dialect == BEE2 ? 5 : dialect == B8752H ? 16 : 11;
}

static struct rig_image app_of(uint8_t dialect)
{
    return rig_image(chip(dialect), RIG_APP, fixture_bytes(30, 5000), 5000, 0);
}

/* ---- what is read ---- */

static void test_reads(void)
{
    struct rig *r = &rig;
    uint8_t byte;
    size_t size;

    rig_open(r, BEE2, 5);
    READS(r, TANDEM_REALTEK_ADDRESS, "00e04c123456");
    READS(r, TANDEM_REALTEK_PATCH_VERSION, "01200000");
    READS(r, TANDEM_REALTEK_APP_VERSION, "01400000");
    /* ic, spec, secure version, mode (check, copy, multi), buffer 1024, temp 14 KB, indicator: 2, 4, 5, 6 in bank 0 */
    READS(r, TANDEM_REALTEK_INFO, "050100190004030010150000");
    READS(r, TANDEM_REALTEK_VERSIONS, "00000001012000000140000005000000");
    CHECK_EQUAL(tandem_realtek_device_read(&r->device, TANDEM_REALTEK_PROTOCOL, 0, &byte, 1, &size),
                TANDEM_ATT_NOT_FOUND);
    CHECK_EQUAL(tandem_realtek_device_read(&r->device, TANDEM_REALTEK_VERSIONS_1, 0, &byte, 1, &size),
                TANDEM_ATT_NOT_FOUND);
    CHECK_EQUAL(tandem_realtek_device_read(&r->device, TANDEM_REALTEK_SECTIONS, 0, &byte, 1, &size),
                TANDEM_ATT_NOT_FOUND);
    CHECK_EQUAL(tandem_realtek_device_read(&r->device, TANDEM_REALTEK_ADDRESS, 7, &byte, 1, &size),
                TANDEM_ATT_INVALID_OFFSET);
    CHECK_EQUAL(tandem_realtek_device_read(&r->device, TANDEM_REALTEK_CONTROL, 0, &byte, 1, &size),
                TANDEM_ATT_READ_NOT_PERMITTED);
    r->config.single_bank = 1;
    READS(r, TANDEM_REALTEK_INFO, "0501001900040300303f0000");
    rig_close(r);

    rig_open(r, B8752H, 16);
    r->config.secure_version = 2;
    READS(r, TANDEM_REALTEK_PROTOCOL, "1200");
    READS(r, TANDEM_REALTEK_INFO, "100502190004030010150000b0010000");
    READS(r, TANDEM_REALTEK_VERSIONS, "00000001012000000140000005000000");
    rig_close(r);

    rig_open(r, AUDIO, 11);
    READS(r, TANDEM_REALTEK_PROTOCOL, "1000");
    READS(r, TANDEM_REALTEK_ADDRESS, "00e04c12345600e04c123456");
    /* mode: check, multi, OTA mode; alone; temp 3; bank 0; MTU 247 */
    READS(r, TANDEM_REALTEK_INFO, "0b0519000301f70000000000");
    READS(r, TANDEM_REALTEK_VERSIONS, "0004902700000001922701200000932701400000942705000000");
    READS(r, TANDEM_REALTEK_VERSIONS_1, "0104902700000000922700000000932700000000942700000000");
    READS(r, TANDEM_REALTEK_SECTIONS, "049027ffffff7f922700100000932700200000942700080000");
    rig_close(r);
}

/* ---- one op after another ---- */

static void test_ops_bee2(void)
{
    struct rig *r = &rig;

    rig_open(r, BEE2, 5);
    ANSWERS(r, "0b", "100b0105");
    ANSWERS(r, "069327", "1006010140000000000000");
    ANSWERS(r, "069427", "1006010500000000000000");
    ANSWERS(r, "069f37", "1006020000000000000000"); /* no such image */
    ANSWERS(r, "09", "1009010004f700");
    ANSWERS(r, "07060011000000f401", "100701");
    CHECK_EQUAL(r->parameters.interval_min, 6);
    CHECK_EQUAL(r->parameters.interval_max, 17);
    CHECK_EQUAL(r->parameters.timeout, 500);
    ANSWERS(r, "07110006000000f401", "100702"); /* the least is more than the most */
    /* The real RTL8762C app of 47 KB: more than the slot of 8 KB. */
    ANSWERS(r, "010500010193270000a0b6000000000000", "100104");
    /* The same with a payload of 4 KB */
    ANSWERS(r, "0105000101932700000010000000000000", "100101");
    ANSWERS(r, "0293270c000000", "");           /* no answer */
    ANSWERS(r, "0a04000602", "100a060c000000"); /* nothing came */
    /* chunk 01 02 03 04: its check value is 06 02 on the wire */
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, "\1\2\3\4", 4), TANDEM_ATT_OK);
    ANSWERS(r, "0a04000602", "100a0110000000");
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, "\1\2\3\4", 4), TANDEM_ATT_OK);
    ANSWERS(r, "0a04000206", "100a0510000000"); /* the image's first chunks come again from its beginning */
    ANSWERS(r, "0a01040000", "100a0210000000"); /* larger than the buffer */
    ANSWERS(r, "039327", "100306");             /* bytes are missing */
    ANSWERS(r, "039227", "100302");             /* not the image begun */
    ANSWERS(r, "0c92270000000000100000", "100c01");
    ANSWERS(r, "0c90370000000000100000", "100c02");
    ANSWERS(r, "00", "1000ff");
    ANSWERS(r, "08", "1008ff");
    ANSWERS(r, "0d932701400000", "100dff");
    ANSWERS(r, "12", "1012ff");
    ANSWERS(r, "ff", "10ffff");
    ANSWERS(r, "05", ""); /* abort: the chip resets */
    rig_settle(r, 2000);
    for (unsigned i = 0; i < 1000; i++)
        rig_settle(r, 2);
    CHECK_EQUAL(r->reboots, 1);
    rig_close(r);
}

static void test_ops_8752h(void)
{
    struct rig *r = &rig;

    rig_open(r, B8752H, 16);
    ANSWERS(r, "0b", "100b0110");
    ANSWERS(r, "0d932701400000", "100d01"); /* the version that runs */
    ANSWERS(r, "0d932701300000", "100d09"); /* 1.0.3: older */
    ANSWERS(r, "0d9f2701400000", "100d02");
    ANSWERS(r, "0e00ff02030405060708090a0b0c0d0e0f", "100e010100030405060708090a0b0c0d0e0f10");
    /* the RTL8752H ROM patch of the description, 28 KB: the slot has 4 */
    ANSWERS(r, "0167b2100001099227006c000000000000", "100104");
    ANSWERS(r, "0167b2100001099227000a000000000000", "100101");
    ANSWERS(r, "0167b2100001099227000a000004000000", "100102"); /* compressed */
    ANSWERS(r, "0167b20b0001099227000a000000000000", "100102"); /* another chip */
    ANSWERS(r, "0f", "100fff");
    rig_close(r);
}

static void test_ops_audio(void)
{
    static const uint8_t release[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    struct rig *r = &rig;
    char sha[100];

    rig_open(r, AUDIO, 11);
    r->config.release = release;
    ANSWERS(r, "069327", "10060100000000000000000000");
    ANSWERS(r, "069f37", "10060200000000000000000000");
    ANSWERS(r, "09", "10090100040000");
    ANSWERS(r, "0d00", "100d0004902700000001922701200000932701400000942705000000");
    ANSWERS(r, "0d01", "100d0104902700000000922700000000932700000000942700000000");
    ANSWERS(r, "0e", "100e049027ffffff7f922700100000932700200000942700080000");
    ANSWERS(r, "10", "1010010203040506");
    ANSWERS(r, "1100", "");
    ANSWERS(r, "0c9327", "100c01");
    ANSWERS(r, "0c9027", "100c03"); /* nothing of it is kept */
    ANSWERS(r, "0100000b00010193270010000000000000", "100101");
    rig_close(r);
    /* What runs carries this SHA-256, or it does not. */
    rig_open(r, AUDIO, 11);
    snprintf(sha, sizeof sha, "0f01009327");
    for (unsigned i = 0; i < 32; i++)
        snprintf(sha + 10 + 2 * i, 3, "%02x", sim_flash_at(&r->f.flash, 0)[272 + i]);
    ANSWERS(r, sha, "100f932702");
    sha[12] = sha[12] == '0' ? '1' : '0';
    ANSWERS(r, sha, "100f932700");
    /* An answer that does not fit: the rest follows without a head. */
    r->mtu = 23;
    CHECK_EQUAL(rig_ask(r, "0d00"), TANDEM_ATT_OK);
    CHECK_EQUAL(r->notes - r->seen, 2);
    CHECK_EQUAL(rig_next(r)->size, 20);
    const struct rig_note *rest = rig_next(r);
    CHECK_EQUAL(rest->size, 8);
    CHECK_EQUAL(rest->bytes[7], 0x00);
    CHECK_EQUAL(rest->bytes[4], 0x05);
    rig_close(r);
}

/* ---- lengths ---- */

/* Lengths of requests, op included, that each op may have. */
static int fits(uint8_t dialect, uint8_t op, size_t size)
{
    int audio = dialect == AUDIO;

    switch (op) {
    case 0x01:
        return size == 17;
    case 0x02:
        return size == 7;
    case 0x03:
        return size == 3 || size == 4;
    case 0x04:
        return audio || size <= 2;
    case 0x05:
        return audio || size == 1;
    case 0x06:
        return size == 3;
    case 0x07:
        return !audio && size == 9;
    case 0x09:
        return size == 1;
    case 0x0A:
        return size == 5;
    case 0x0B:
        return !audio && size == 1;
    case 0x0C:
        return size == (audio ? 3u : 11u);
    case 0x0D:
        return audio ? size == 2 : dialect == B8752H && size == 7;
    case 0x0E:
        return audio ? size == 1 : dialect == B8752H && size == 17;
    case 0x0F:
        return audio && size == 37;
    case 0x10:
        return audio && size == 1;
    case 0x11:
        return audio && size == 2;
    default:
        return 0;
    }
}

/* Every op with every length: one that cannot be is refused in the dialect's own way and changes nothing. */
static void test_lengths(void)
{
    static const uint8_t dialects[] = {BEE2, B8752H, AUDIO};
    uint8_t request[72] = {0};
    struct rig *r = &rig;

    for (unsigned d = 0; d < 3; d++) {
        uint8_t last = d == 0 ? 0x0C : d == 1 ? 0x0E : 0x11;

        rig_open(r, dialects[d], chip(dialects[d]));
        for (unsigned op = 0; op < 0x16; op++)
            for (size_t size = 1; size <= 71; size++) {
                int known = op != 0 && op <= last && op != 8 && !(d == 2 && (op == 7 || op == 0x0B));
                enum tandem_att att;

                request[0] = (uint8_t)op;
                request[1] = 1;
                if (fits(dialects[d], (uint8_t)op, size))
                    continue;
                if (op == 0x0F && d == 2 && size > 37)
                    request[1] = 1; /* n = 1: the length must be that of one */
                att = tandem_realtek_device_write(&r->device, TANDEM_REALTEK_CONTROL, request, size);
                const struct rig_note *note = rig_next(r);
                if (d == 2) {
                    CHECK_EQUAL(att, TANDEM_ATT_INVALID_PDU);
                    CHECK(note == NULL);
                } else if (CHECK(note != NULL)) {
                    CHECK_EQUAL(att, TANDEM_ATT_OK);
                    CHECK_EQUAL(note->size, 3);
                    CHECK_EQUAL(note->bytes[1], op);
                    CHECK_EQUAL(note->bytes[2], known ? 0x02 : 0xFF);
                }
            }
        CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_CONTROL, request, 0),
                    TANDEM_ATT_INVALID_LENGTH);
        CHECK_EQUAL(tandem_install_state(&r->f.install), TANDEM_STATE_IDLE);
        CHECK_EQUAL(r->reboots + r->entered, 0);
        rig_close(r);
    }
}

/* ---- updates ---- */

static void check_update(uint8_t dialect, uint8_t ic, const struct rig_way *way, int crc)
{
    struct rig_image app = rig_image(ic, RIG_APP, fixture_bytes(30, 5000), 5000, crc);
    struct rig_image patch = rig_image(ic, RIG_PATCH, fixture_bytes(31, 2003), 2003, crc);
    struct rig *r = &rig;

    rig_open(r, dialect, ic);
    if (way->key != NULL) {
        r->config.aes_key = way->key;
        r->config.aes_key_size = way->key_size;
        r->config.aes_all = (uint8_t)way->all;
        rig_start(r);
    }
    CHECK_EQUAL(rig_send(r, &patch, way), 1);
    CHECK_EQUAL(rig_send(r, &app, way), 1);
    CHECK_EQUAL(fixture_state(&r->f).phase, TANDEM_PHASE_UNKNOWN); /* nothing that could start */
    CHECK(rig_activate(r));
    CHECK_EQUAL(rig_reset(r), 1);
    CHECK(rig_holds(r, 1, APP, app.bytes, app.size));
    CHECK(rig_holds(r, 1, TANDEM_KIND_STACK, patch.bytes, patch.size));
    CHECK(fixture_holds(&r->f, 1, TANDEM_KIND_DATA, &r->old)); /* copied */
    rig_close(r);
    rig_image_free(&app);
    rig_image_free(&patch);
}

static void test_updates(void)
{
    static const uint8_t key[32] = "a key of the product's own, 32 b";
    static const struct rig_way ways[] = {
        {0, 0, NULL, 0, 0, 0, 0},   {20, 0, NULL, 0, 0, 0, 0},  {240, 1, NULL, 0, 0, 0, 0}, {16, 1, NULL, 0, 0, 0, 0},
        {100, 0, key, 32, 1, 0, 0}, {96, 0, key, 32, 0, 0, 0},  {240, 1, key, 32, 1, 0, 0}, {240, 1, key, 16, 0, 0, 0},
        {8, 0, key, 16, 1, 0, 0},   {500, 1, NULL, 0, 0, 0, 0}, {500, 0, NULL, 0, 0, 0, 0},
    };

    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        check_update(BEE2, 5, &ways[i], i % 2);
        check_update(B8752H, 16, &ways[i], i % 2);
        check_update(AUDIO, i % 2 ? 11 : 4, &ways[i], i / 2 % 2);
    }
}

/* An image whose checksum is wrong, or that is not the one announced, does not pass, and a good one does after it. */
static void test_bad_images(void)
{
    static const uint8_t dialects[] = {BEE2, B8752H, AUDIO};
    struct rig *r = &rig;

    for (unsigned d = 0; d < 3; d++)
        for (unsigned crc = 0; crc < 2; crc++) {
            struct rig_image good = rig_image(chip(dialects[d]), RIG_APP, fixture_bytes(30, 5000), 5000, (int)crc);

            rig_open(r, dialects[d], chip(dialects[d]));
            for (unsigned i = 0; i < 3; i++) {
                static const uint32_t places[] = {500, 1024, 6023};

                good.bytes[places[i]] ^= 0x10;
                CHECK_EQUAL(rig_send(r, &good, NULL), 5);
                good.bytes[places[i]] ^= 0x10;
                CHECK(rig_ask(r, "04") == TANDEM_ATT_OK); /* nothing to be activated: said so */
                const struct rig_note *note = rig_next(r);
                if (CHECK(note != NULL))
                    CHECK_EQUAL(note->bytes[2], 3);
            }
            CHECK_EQUAL(rig_send(r, &good, NULL), 1);
            CHECK(rig_activate(r));
            CHECK_EQUAL(rig_reset(r), 1);
            rig_close(r);
            /* One that did not pass is no part of a set that follows. */
            struct rig_image patch = rig_image(chip(dialects[d]), RIG_PATCH, fixture_bytes(31, 2003), 2003, 0);
            rig_open(r, dialects[d], chip(dialects[d]));
            good.bytes[2000] ^= 0x10;
            CHECK_EQUAL(rig_send(r, &good, NULL), 5);
            CHECK_EQUAL(rig_send(r, &patch, NULL), 1);
            CHECK(rig_activate(r));
            CHECK_EQUAL(rig_reset(r), 1);
            CHECK(fixture_holds(&r->f, 1, APP, &r->old));
            rig_close(r);
            rig_image_free(&good);
            rig_image_free(&patch);
        }
}

/* A device that takes signed firmware only refuses bare images, and says so; a package in their place goes in. */
static void test_signed_only(void)
{
    static const uint8_t dialects[] = {BEE2, B8752H, AUDIO};
    static const struct rig_way checked = {240, 1, NULL, 0, 0, 0, 0};
    struct package package = fixture_package(2), stranger, small;
    struct recipe recipe;
    struct rig *r = &rig;

    recipe_begin(&recipe, 3);
    recipe_image(&recipe, APP, 9, 5000);
    recipe.signers[0] = fixture_signer(2); /* not trusted */
    stranger = recipe_make(&recipe);
    recipe.signers[0] = fixture_signer(0);
    small = recipe_make(&recipe);
    for (unsigned d = 0; d < 3; d++)
        for (unsigned w = 0; w < 2; w++) {
            const struct rig_way *way = w == 0 ? NULL : &checked;
            uint8_t ic = chip(dialects[d]);
            struct rig_image bare = app_of(dialects[d]);
            struct rig_image carrier = rig_image(ic, RIG_APP, package.bytes, package.size, 0);
            struct rig_image small_carrier = rig_image(ic, RIG_APP, small.bytes, small.size, 0);
            struct rig_image strange = rig_image(ic, RIG_APP, stranger.bytes, stranger.size, 0);

            rig_open(r, dialects[d], ic);
            r->f.device.allow_unsigned = 0;
            uint64_t before = r->f.power.ops;
            r->refused = 0;
            CHECK_EQUAL(rig_send(r, &bare, way), w == 0 ? 5 : 3); /* the first chunk's report, or the validation */
            CHECK_EQUAL(r->f.power.ops, before);
            CHECK_EQUAL(r->refused, w == 0 ? 0 : 4); /* of the chunk with the first of the payload, all but that */
            CHECK_EQUAL(tandem_install_outcome(&r->f.install)->status, TANDEM_ERROR_UNSIGNED);
            r->refused = 0;
            CHECK_EQUAL(rig_send(r, &strange, way), w == 0 ? 5 : 3);
            CHECK_EQUAL(tandem_install_outcome(&r->f.install)->status, TANDEM_ERROR_KEY);
            r->refused = 0;
            CHECK_EQUAL(rig_send(r, &carrier, way), 1);
            CHECK_EQUAL(r->refused, 0);
            CHECK(rig_activate(r));
            CHECK_EQUAL(rig_reset(r), 1);
            CHECK(fixture_holds(&r->f, 1, APP, &package));
            rig_close(r);
            rig_open(r, dialects[d], ic); /* the door is open: a package is still taken as what it is */
            CHECK_EQUAL(rig_send(r, &small_carrier, way), 1);
            CHECK(rig_activate(r));
            CHECK_EQUAL(rig_reset(r), 1);
            CHECK(fixture_holds(&r->f, 1, APP, &small));
            rig_close(r);
            rig_image_free(&small_carrier);
            rig_image_free(&bare);
            rig_image_free(&carrier);
            rig_image_free(&strange);
        }
    package_free(&package);
    package_free(&stranger);
    package_free(&small);
}

/* Chunks that do not arrive as they were sent. */
static void test_chunks(void)
{
    struct rig_image app = app_of(AUDIO);
    struct rig *r = &rig;
    uint8_t bytes[1024];

    rig_open(r, AUDIO, 11);
    ANSWERS(r, "09", "10090100040000");
    char start[64] = "01";
    for (unsigned i = 0; i < 12; i++)
        snprintf(start + 2 + 2 * i, 3, "%02x", app.control[i]);
    strcat(start, "00000000");
    ANSWERS(r, start, "100101");
    for (uint32_t i = 0; i < 1024; i += 512) /* nothing is programmed before it is checked */
        CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, app.bytes + i, 512), 0);
    rig_settle(r, 100);
    CHECK_EQUAL(tandem_bare_written(&r->bare), 0);
    ANSWERS(r, start, "100101");
    /* Two chunks that are good. */
    for (uint32_t at = 0; at < 2048; at += 1024) {
        char report[16], next[20];
        uint16_t check = tandem_realtek_check(0, 0, app.bytes + at, 1024);

        for (uint32_t i = 0; i < 1024; i += 256)
            CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, app.bytes + at + i, 256), 0);
        snprintf(report, sizeof report, "0a0004%02x%02x", check & 0xFF, check >> 8);
        snprintf(next, sizeof next, "100a0100%02x0000", (unsigned)(at + 1024) >> 8);
        ANSWERS(r, report, next);
    }
    /* One that is damaged comes again, from its beginning. */
    memcpy(bytes, app.bytes + 2048, 1024);
    bytes[77] ^= 1;
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes, 512), 0);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes + 512, 512), 0);
    ANSWERS(r, "0a00040000", "100a0500080000");
    /* A lost packet: the size does not fit. */
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes, 512), 0);
    ANSWERS(r, "0a00040000", "100a0600080000");
    /* More than the buffer: refused, and the next report says so. */
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes, 512), 0);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes, 512), 0);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes, 1), TANDEM_ATT_APPLICATION);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes, 1), TANDEM_ATT_APPLICATION);
    ANSWERS(r, "0a00040000", "100a0600080000");
    /* Where it would go on is what is checked. */
    ANSWERS(r, "069327", "10060100000000000800000000");
    /* More than the image has: refused. */
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes, 8000), TANDEM_ATT_INVALID_PDU);
    /* Without a report the chunk's bytes are not programmed; with it they are. */
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, app.bytes + 2048, 1024), 0);
    rig_settle(r, 100);
    CHECK_EQUAL(tandem_bare_written(&r->bare), 2048);
    rig_close(r);
    rig_image_free(&app);
}

/* Any chunk damaged on its way comes again, and the update succeeds; bare images and packages alike. */
static void test_damaged_chunks(void)
{
    static const uint8_t dialects[] = {BEE2, B8752H, AUDIO};
    struct package package = fixture_package(2);
    struct rig *r = &rig;

    for (unsigned d = 0; d < 3; d++)
        for (unsigned packed = 0; packed < 2; packed++)
            for (unsigned damage = 1; damage <= (packed ? 11u : 6u); damage++) {
                uint8_t ic = chip(dialects[d]);
                struct rig_image image =
                    packed ? rig_image(ic, RIG_APP, package.bytes, package.size, 0) : app_of(dialects[d]);
                struct rig_way way = {240, 1, NULL, 0, 0, 0, damage};

                rig_open(r, dialects[d], ic);
                r->f.device.allow_unsigned = !packed;
                CHECK_EQUAL(rig_send(r, &image, &way), 1);
                CHECK(rig_activate(r));
                CHECK_EQUAL(rig_reset(r), 1);
                if (packed)
                    CHECK(fixture_holds(&r->f, 1, APP, &package));
                else
                    CHECK(rig_holds(r, 1, APP, image.bytes, image.size));
                rig_close(r);
                rig_image_free(&image);
            }
    package_free(&package);
}

/* Out of turn, twice, too late: a refusal, and after it a good update all the same. */
static void test_order(void)
{
    static const uint8_t dialects[] = {BEE2, B8752H, AUDIO};
    struct rig *r = &rig;

    for (unsigned d = 0; d < 3; d++) {
        struct rig_image app = app_of(dialects[d]);
        char start[64] = "01";

        for (unsigned i = 0; i < 12; i++)
            snprintf(start + 2 + 2 * i, 3, "%02x", app.control[i]);
        strcat(start, "00000000");
        rig_open(r, dialects[d], chip(dialects[d]));
        CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, "1", 1), TANDEM_ATT_APPLICATION);
        ANSWERS(r, "039327", "100303");
        ANSWERS(r, "0a04000602", "100a0300000000");
        ANSWERS(r, "04", "100403");
        ANSWERS(r, "02932700000000", "");
        ANSWERS(r, start, "100101");
        ANSWERS(r, start, "100101");      /* twice: from the beginning */
        ANSWERS(r, "04", "100403");       /* in the middle of it */
        ANSWERS(r, "02922700000000", ""); /* another image's offset: ignored */
        ANSWERS(r, "02932700020000", ""); /* ahead of what came: data would be missing */
        CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, "1", 1), TANDEM_ATT_APPLICATION);
        CHECK_EQUAL(rig_send(r, &app, NULL), 1);
        ANSWERS(r, "039327", "100301"); /* asked twice */
        CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, "1", 1),
                    d == 2 ? TANDEM_ATT_INVALID_PDU : TANDEM_ATT_INVALID_PDU);
        CHECK(rig_activate(r));
        ANSWERS(r, "04", ""); /* too late, or again */
        ANSWERS(r, "069327", d == 2 ? "10060100000000000000000000" : "1006010140000000000000");
        CHECK_EQUAL(rig_reset(r), 1);
        rig_close(r);
        rig_image_free(&app);
    }
}

/* While a request is worked on, another one is told to wait; a lost answer does not stop the next request. */
static void test_busy(void)
{
    struct rig_image app = app_of(AUDIO);
    struct rig *r = &rig;
    const uint8_t validate[3] = {0x03, 0x93, 0x27}, target[3] = {0x06, 0x93, 0x27};

    rig_open(r, AUDIO, 11);
    r->deaf = 1;
    CHECK_EQUAL(rig_send(r, &app, NULL), 0); /* nobody hears the answers */
    r->deaf = 0;
    r->again = 3;
    ANSWERS(r, "069327", "10060100000000000000000000");
    CHECK_EQUAL(rig_send(r, &app, NULL), 1);
    (void)rig_ask(r, "02932700000000");
    rig_close(r);

    rig_open(r, AUDIO, 11);
    struct rig_way way = {0, 0, NULL, 0, 0, app.size, 0};
    CHECK_EQUAL(rig_send(r, &app, &way), 1);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_CONTROL, validate, 3), TANDEM_ATT_OK);
    rig_close(r);

    rig_open(r, AUDIO, 11);
    struct rig_way most = {0, 0, NULL, 0, 0, 6000, 0};
    CHECK_EQUAL(rig_send(r, &app, &most), 0xFE);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, app.bytes + 6000, 24), TANDEM_ATT_OK);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_CONTROL, validate, 3), TANDEM_ATT_OK);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_CONTROL, target, 3), 0x80);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, "1", 1), TANDEM_ATT_APPLICATION);
    rig_settle(r, 1000);
    CHECK_EQUAL(rig_next(r)->bytes[2], 1);
    rig_close(r);
    rig_image_free(&app);
}

/* The link breaks at every packet: the audio line goes on, the others begin anew. */
static void test_cuts(void)
{
    static const uint8_t dialects[] = {BEE2, B8752H, AUDIO};
    struct rig *r = &rig;

    for (unsigned d = 0; d < 3; d++)
        for (unsigned check = 0; check < 2; check++)
            for (uint32_t stop = 240; stop < 5900; stop += 240) {
                struct rig_image app = app_of(dialects[d]);
                struct rig_way way = {240, (int)check, NULL, 0, 0, stop, 0},
                               whole = {240, (int)check, NULL, 0, 0, 0, 0};
                uint32_t offset;

                rig_open(r, dialects[d], chip(dialects[d]));
                CHECK_EQUAL(rig_send(r, &app, &way), 0xFE);
                tandem_realtek_device_disconnected(&r->device);
                rig_settle(r, 50);
                tandem_realtek_device_connected(&r->device);
                CHECK_EQUAL(rig_ask(r, "069327"), TANDEM_ATT_OK);
                offset = tandem_load_le32(rig_next(r)->bytes + 7);
                if (d < 2)
                    CHECK_EQUAL(offset, 0);
                else if (!check)
                    CHECK_EQUAL(offset, stop);
                else
                    CHECK(offset % 1024 == 0 && offset <= stop + 240 && stop < offset + 1024);
                if (d == 2 && offset != 0) {
                    char receive[20];

                    snprintf(receive, sizeof receive, "029327%02x%02x0000", offset & 0xFF, offset >> 8);
                    ANSWERS(r, receive, "");
                    for (uint32_t at = offset, part; at < app.size; at += part) {
                        part = app.size - at < 200 ? app.size - at : 200;
                        CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, app.bytes + at, part),
                                    0);
                    }
                    ANSWERS(r, "03932701", "100301");
                } else {
                    CHECK_EQUAL(rig_send(r, &app, &whole), 1);
                }
                CHECK(rig_activate(r));
                CHECK_EQUAL(rig_reset(r), 1);
                CHECK(rig_holds(r, 1, APP, app.bytes, app.size));
                rig_close(r);
                rig_image_free(&app);
            }
}

/* Given up: by the host, by silence. Nothing of it starts, and the next update is taken. */
static void test_giving_up(void)
{
    struct rig_image app = app_of(AUDIO);
    struct rig *r = &rig;

    rig_open(r, AUDIO, 11);
    CHECK_EQUAL(rig_send(r, &app, NULL), 1);
    ANSWERS(r, "05", "");
    CHECK_EQUAL(r->disconnects, 1);
    ANSWERS(r, "04", "100403");
    CHECK_EQUAL(rig_send(r, &app, NULL), 1);
    for (unsigned i = 0; i < 320; i++) { /* 32 s */
        r->ms += 100;
        (void)tandem_realtek_device_poll(&r->device, r->ms);
    }
    CHECK_EQUAL(r->disconnects, 2);
    ANSWERS(r, "04", "100403");
    CHECK_EQUAL(rig_send(r, &app, NULL), 1);
    CHECK_EQUAL(rig_ask(r, "04"), TANDEM_ATT_OK); /* activated, restart in 3 s */
    ANSWERS(r, "05", "");                         /* and taken back */
    for (unsigned i = 0; i < 50; i++) {
        r->ms += 100;
        (void)tandem_realtek_device_poll(&r->device, r->ms);
    }
    CHECK_EQUAL(r->reboots, 0);
    CHECK_EQUAL(rig_reset(r), 0);
    CHECK_EQUAL(rig_send(r, &app, NULL), 1);
    CHECK(rig_activate(r));
    CHECK_EQUAL(rig_reset(r), 1);
    rig_close(r);
    rig_image_free(&app);
}

static void pass(struct rig *r, uint32_t ms)
{
    unsigned before = r->reboots;

    for (uint32_t i = 0; i < ms && r->reboots == before; i += 100) {
        r->ms += 100;
        (void)tandem_realtek_device_poll(&r->device, r->ms);
    }
}

static void test_ota_mode(void)
{
    struct rig_image app = app_of(BEE2);
    struct rig *r = &rig;

    rig_open(r, BEE2, 5);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_OTA_COMMAND, "\1\1", 2),
                TANDEM_ATT_INVALID_LENGTH);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_OTA_COMMAND, "\2", 1), TANDEM_ATT_APPLICATION);
    CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_OTA_COMMAND, "\1", 1), TANDEM_ATT_OK);
    pass(r, 1000);
    CHECK_EQUAL(r->entered, 1);
    /* OTA mode: nobody comes for 60 s */
    r->config.ota_mode = 1;
    rig_start(r);
    tandem_realtek_device_disconnected(&r->device);
    pass(r, 59000);
    CHECK_EQUAL(r->reboots, 0);
    pass(r, 3000);
    CHECK_EQUAL(r->reboots, 1);
    /* somebody comes and stays: 200 s */
    rig_start(r);
    pass(r, 199000);
    CHECK_EQUAL(r->reboots, 1);
    pass(r, 3000);
    CHECK_EQUAL(r->reboots, 2);
    /* comes and goes: 240 s in all */
    rig_start(r);
    for (unsigned i = 0; i < 6; i++) {
        tandem_realtek_device_disconnected(&r->device);
        pass(r, 20000);
        tandem_realtek_device_connected(&r->device);
        pass(r, 19000);
    }
    CHECK_EQUAL(r->reboots, 2);
    pass(r, 10000);
    CHECK_EQUAL(r->reboots, 3);
    /* and an update in it, as ever */
    r->reboots = 0;
    rig_start(r);
    CHECK_EQUAL(rig_send(r, &app, NULL), 1);
    CHECK(rig_activate(r));
    CHECK_EQUAL(rig_reset(r), 1);
    rig_close(r);
    rig_image_free(&app);
}

/* An image that the product has no use for is taken and not kept; it makes no set of its own. */
static void test_not_kept(void)
{
    struct rig_image header = rig_image(11, RIG_OTA_HEADER, fixture_bytes(33, 3072), 3072, 0);
    struct rig_image app = app_of(AUDIO);
    struct rig *r = &rig;

    rig_open(r, AUDIO, 11);
    uint64_t before = r->f.power.ops;
    CHECK_EQUAL(rig_send(r, &header, NULL), 1);
    CHECK_EQUAL(r->f.power.ops, before);
    ANSWERS(r, "04", "100403");
    CHECK_EQUAL(rig_send(r, &header, NULL), 1);
    CHECK_EQUAL(rig_send(r, &app, NULL), 1);
    CHECK(rig_activate(r));
    CHECK_EQUAL(rig_reset(r), 1);
    r->config.single_bank = 1; /* a device of one bank refuses it */
    CHECK_EQUAL(fixture_confirm(&r->f), TANDEM_OK);
    CHECK_EQUAL(rig_send(r, &header, NULL), 2);
    rig_close(r);
    rig_image_free(&header);
    rig_image_free(&app);
}

/* Flash that works while the processor goes on: a checked chunk is answered when there is room for the next one;
 * without the check a port that holds packets back loses nothing. */
static void test_slow_flash(void)
{
    static const struct fixture_options slow = {.asynchronous = 1};
    static const struct rig_way checked = {240, 1, NULL, 0, 0, 0, 0};
    struct rig_image app = app_of(AUDIO);
    struct rig *r = &rig;
    char start[64] = "01";

    rig_open_on(r, AUDIO, 11, &slow);
    CHECK_EQUAL(rig_send(r, &app, &checked), 1);
    CHECK(rig_activate(r));
    CHECK_EQUAL(rig_reset(r), 1);
    rig_close(r);
    rig_open_on(r, AUDIO, 11, &slow);
    for (unsigned i = 0; i < 12; i++)
        snprintf(start + 2 + 2 * i, 3, "%02x", app.control[i]);
    strcat(start, "00000000");
    ANSWERS(r, start, "100101");
    for (uint32_t at = 0, part; at < app.size; at += part) {
        part = app.size - at < 240 ? app.size - at : 240;
        while (tandem_realtek_device_room(&r->device) < part)
            rig_settle(r, 1);
        CHECK_EQUAL(tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, app.bytes + at, part), TANDEM_ATT_OK);
    }
    ANSWERS(r, "03932701", "100301");
    rig_close(r);
    rig_image_free(&app);
}

/* Images of one session do not mix with those of another. */
static void test_sessions(void)
{
    static const uint8_t dialects[] = {BEE2, B8752H, AUDIO};
    struct rig *r = &rig;

    for (unsigned d = 0; d < 3; d++) {
        struct rig_image patch = rig_image(chip(dialects[d]), RIG_PATCH, fixture_bytes(31, 2003), 2003, 0);
        struct rig_image app = app_of(dialects[d]);

        rig_open(r, dialects[d], chip(dialects[d]));
        CHECK_EQUAL(rig_send(r, &patch, NULL), 1);
        tandem_realtek_device_disconnected(&r->device);
        tandem_realtek_device_connected(&r->device);
        CHECK_EQUAL(rig_send(r, &app, NULL), 1);
        CHECK(rig_activate(r));
        CHECK_EQUAL(rig_reset(r), 1);
        CHECK(fixture_holds(&r->f, 1, TANDEM_KIND_STACK, &r->old));
        rig_close(r);
        rig_image_free(&patch);
        rig_image_free(&app);
    }
}

/* The image must be the one that START announced; one that says that it is not ready is as good as one that is. */
static void test_announced(void)
{
    static const uint8_t dialects[] = {BEE2, B8752H, AUDIO};
    struct rig *r = &rig;

    for (unsigned d = 0; d < 3; d++) {
        struct rig_image app = app_of(dialects[d]);
        uint8_t flags = dialects[d] == BEE2 ? 2 : 4, crc = dialects[d] == BEE2 ? 6 : 0;

        rig_open(r, dialects[d], chip(dialects[d]));
        app.control[crc] ^= 0x55; /* another CRC than what lies in the image, or in what it covers */
        CHECK_EQUAL(rig_send(r, &app, NULL), 5);
        app.control[crc] ^= 0x55;
        app.control[flags] |= 0x80; /* not ready */
        if (d > 0)
            app.bytes[(d == 1 ? 432 : 304) + 4] |= 0x80;
        CHECK_EQUAL(rig_send(r, &app, NULL), 1);
        CHECK(rig_activate(r));
        CHECK_EQUAL(rig_reset(r), 1);
        CHECK(rig_holds(r, 1, APP, app.bytes, app.size));
        rig_close(r);
        rig_image_free(&app);
    }
}

/* Of an OTA header that is kept the version must rise: Realtek's bootloader would not take the bank otherwise. */
static void test_ota_header(void)
{
    struct rig_image header = rig_image(5, RIG_OTA_HEADER, fixture_bytes(33, 512), 512, 0);
    struct rig *r = &rig;

    rig_open(r, BEE2, 5);
    r->map[0].kind = TANDEM_KIND_DATA;
    r->config.image_count = 3;
    for (unsigned i = 0; i < 3; i++) {
        static const uint32_t versions[] = {0x01000000, 0x00FFFFFF, 0x01000001}; /* the running one, older, newer */

        tandem_store_le32(header.bytes + 404, versions[i]);
        rig_image_seal(&header, 5);
        CHECK_EQUAL(rig_send(r, &header, NULL), i == 2 ? 1 : 9);
    }
    CHECK(rig_activate(r));
    CHECK_EQUAL(rig_reset(r), 1);
    rig_close(r);
    rig_image_free(&header);
}

/* What the device's own conditions forbid is said at START. */
static void test_conditions(void)
{
    struct rig_image app = app_of(B8752H);
    struct rig *r = &rig;

    rig_open(r, B8752H, 16);
    r->f.device.battery_minimum = 30;
    r->f.battery = 29;
    CHECK_EQUAL(rig_send(r, &app, NULL), 3);
    CHECK_EQUAL(tandem_install_outcome(&r->f.install)->status, TANDEM_ERROR_BATTERY);
    r->f.battery = 30;
    r->config.secure_version = 1;
    CHECK_EQUAL(rig_send(r, &app, NULL), 9);
    r->config.secure_version = 0;
    r->f.power.fail_at = r->f.power.ops + 4;
    r->f.power.fail_count = 1000;
    CHECK_EQUAL(rig_send(r, &app, NULL), 8);
    r->f.power.fail_at = 0;
    CHECK_EQUAL(rig_ask(r, "05"), TANDEM_ATT_OK);
    rig_start(r);
    CHECK_EQUAL(rig_send(r, &app, NULL), 1);
    CHECK(rig_activate(r));
    CHECK_EQUAL(rig_reset(r), 1);
    CHECK_EQUAL(rig_send(r, &app, NULL), 3); /* on trial */
    CHECK_EQUAL(tandem_install_outcome(&r->f.install)->status, TANDEM_ERROR_TRIAL);
    rig_close(r);
    rig_image_free(&app);
}

static void test_config(void)
{
    struct rig *r = &rig;
    struct tandem_realtek_device device;
    struct tandem_realtek_config config;

    rig_open(r, AUDIO, 11);
    config = r->config;
    config.dialect = TANDEM_REALTEK_BEE1;
    CHECK_EQUAL(tandem_realtek_device_init(&device, &config, &r->bare, &r->gatt), TANDEM_ERROR_NOT_SUPPORTED);
    config.dialect = TANDEM_REALTEK_87X2G;
    CHECK_EQUAL(tandem_realtek_device_init(&device, &config, &r->bare, &r->gatt), TANDEM_ERROR_NOT_SUPPORTED);
    config = r->config;
    config.image_count = 17;
    CHECK_EQUAL(tandem_realtek_device_init(&device, &config, &r->bare, &r->gatt), TANDEM_ERROR_ARGUMENT);
    config = r->config;
    config.aes_key = (const uint8_t *)"0123456789abcdef";
    config.aes_key_size = 15;
    CHECK_EQUAL(tandem_realtek_device_init(&device, &config, &r->bare, &r->gatt), TANDEM_ERROR_ARGUMENT);
    rig_close(r);
}

int main(void)
{
    (void)other;
    RUN(test_reads);
    RUN(test_ops_bee2);
    RUN(test_ops_8752h);
    RUN(test_ops_audio);
    RUN(test_lengths);
    RUN(test_updates);
    RUN(test_bad_images);
    RUN(test_signed_only);
    RUN(test_chunks);
    RUN(test_damaged_chunks);
    RUN(test_order);
    RUN(test_busy);
    RUN(test_cuts);
    RUN(test_giving_up);
    RUN(test_ota_mode);
    RUN(test_not_kept);
    RUN(test_slow_flash);
    RUN(test_sessions);
    RUN(test_announced);
    RUN(test_ota_header);
    RUN(test_conditions);
    RUN(test_config);
    CHECK_EQUAL(rig_failures(), 0);
    return check_report();
}
