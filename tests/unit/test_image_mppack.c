/*
 * Realtek's packs: the head of a real one byte by byte, every version made
 * here, which files a device gets, every truncation, every changed byte of the
 * head; a real pack, where it is, comes out of reader and writer as it went in.
 */
#include "check.h"
#include "hex.h"
#include "realtek_files.h"
#include "tandem/image_mppack.h"
#include "tandem/package.h"

static uint8_t bytes[40000];
static const char *vendor_folder;

/* ---- packs made here, by the reference ---- */

struct made_file {
    unsigned bit;
    uint16_t id;
    uint32_t address, size; /* without the MP header */
};

/* @return bytes of the pack; flags are the lower byte of the extension, without the version */
static uint32_t made_pack(unsigned version, unsigned flags, uint8_t ic, const struct made_file *files, unsigned count)
{
    unsigned bitmap = version <= 1 ? 4 : 32;
    unsigned wide = (flags & 0x10) && version == 5 ? 8 : 4;
    uint32_t at = 40 + (version > 4 ? 32 : 0);
    uint8_t *map = bytes + at;

    memset(bytes, 0, sizeof bytes);
    made_put(bytes, 0x4D47, 2);
    made_put(bytes + 38, version | flags | (uint32_t)ic << 8, 2);
    at += bitmap;
    for (unsigned i = 0; i < count; i++) {
        map[files[i].bit / 8] |= (uint8_t)(1u << (files[i].bit % 8));
        made_put(bytes + at, files[i].address, 4);
        made_put(bytes + at + wide, 512 + files[i].size, 4);
        made_put(bytes + at + 2 * wide, i == 1, 4); /* the second is flagged as compressed */
        at += 2 * wide + 4;
    }
    for (unsigned i = 0; i < count; i++) {
        hex(bytes + at, "0100020003"
                        "02000478563412"
                        "120002");
        made_put(bytes + at + 15, files[i].id, 2);
        memset(bytes + at + 512, (int)(0xA0 + i), files[i].size);
        at += 512 + files[i].size;
    }
    made_put(bytes + 2, at, 4);
    return at;
}

static const struct made_file single[] = {{5, 0x2793, 0x80E000, 100}};
static const struct made_file mixed[] = {
    {1, 0x278D, 0x801000, 10}, {2, 0x2790, 0x803000, 20}, {5, 0x2793, 0x80E000, 300}, {6, 0x2794, 0x820000, 40}};
static const struct made_file dual[] = {{1, 0x278D, 0x801000, 10},   {2, 0x2790, 0x803000, 20},
                                        {5, 0x2793, 0x80E000, 300},  {15, 0x2799, 0x870000, 7},
                                        {130, 0x2790, 0x843000, 21}, {133, 0x2793, 0x84E000, 301}};

static void open_pack(struct tandem_mppack *pack, struct tandem_source *source, uint32_t size)
{
    tandem_image_memory(source, bytes, size);
    REQUIRE(tandem_mppack_open(pack, source) == TANDEM_OK);
}

static void test_versions(void)
{
    for (unsigned version = 0; version <= 5; version++) {
        for (unsigned flags = 0; flags < 0x100; flags += 0x10) {
            uint32_t size = made_pack(version, flags, 5, mixed, 4);
            struct tandem_source source;
            struct tandem_mppack pack;
            struct tandem_mppack_file file;
            uint32_t at;

            open_pack(&pack, &source, size);
            CHECK_EQUAL(pack.version, version);
            CHECK_EQUAL(pack.ic, 5);
            CHECK_EQUAL(pack.count, 4);
            CHECK_EQUAL(pack.size, size);
            CHECK_EQUAL(pack.bits, version <= 1 ? 32 : 256);
            CHECK_EQUAL(pack.ota_allowed, version < 3 || (flags & 0x40));
            CHECK_EQUAL(pack.dual_bank, (flags & 0x80) != 0);
            CHECK_EQUAL(pack.compressed, version >= 4 && (flags & 0x20));
            CHECK_EQUAL(pack.entry_size, version == 5 && (flags & 0x10) ? 20 : 12);
            CHECK_EQUAL(pack.data_at, (version > 4 ? 104u : version > 1 ? 72u : 44u) + 4u * pack.entry_size);
            at = pack.data_at;
            for (uint16_t i = 0; i < 4; i++) {
                CHECK_EQUAL(tandem_mppack_file(&pack, i, &file), TANDEM_OK);
                CHECK_EQUAL(file.function, mixed[i].bit);
                CHECK_EQUAL(file.bank, 0);
                CHECK_EQUAL(file.address, mixed[i].address);
                CHECK_EQUAL(file.offset, at);
                CHECK_EQUAL(file.size, 512 + mixed[i].size);
                CHECK_EQUAL(file.is_compressed, i == 1);
                CHECK_EQUAL(file.mp.image, mixed[i].id);
                CHECK_EQUAL(file.mp.bin_version, 0x12345678);
                at += file.size;
            }
            CHECK_EQUAL(tandem_mppack_file(&pack, 4, &file), TANDEM_ERROR_ARGUMENT);
        }
    }
    for (unsigned version = 6; version < 16; version++) {
        struct tandem_source source;
        struct tandem_mppack pack;

        tandem_image_memory(&source, bytes, made_pack(version, 0, 5, mixed, 4));
        CHECK_EQUAL(tandem_mppack_open(&pack, &source), TANDEM_ERROR_UNSUPPORTED);
    }
}

/* ---- which files a device gets ---- */

static void check_choice(const struct tandem_mppack *pack, uint8_t bank, const unsigned *bits, unsigned count,
                         enum tandem_status end)
{
    uint16_t function = 0;
    struct tandem_mppack_file file;

    for (unsigned i = 0; i < count; i++) {
        CHECK_EQUAL(tandem_mppack_next(pack, bank, &function, &file), TANDEM_OK);
        CHECK_EQUAL(file.function + file.bank * (pack->bits / 2u), bits[i]);
    }
    CHECK_EQUAL(tandem_mppack_next(pack, bank, &function, &file), end);
    CHECK_EQUAL(tandem_mppack_next(pack, bank, &function, &file), end); /* and again */
}

static void test_banks(void)
{
    static const unsigned low[] = {1, 2, 5, 15};
    static const unsigned high[] = {1, 130, 133, 15}; /* what is there once serves both */
    static const unsigned none[] = {1};
    struct tandem_source source;
    struct tandem_mppack pack;

    open_pack(&pack, &source, made_pack(3, 0xC0, 5, dual, 6));
    check_choice(&pack, 0, low, 4, TANDEM_ERROR_NOTHING);
    check_choice(&pack, 1, high, 4, TANDEM_ERROR_NOTHING);
    /* On another chip function 15 is not known to be there once: it was made for bank 0. */
    open_pack(&pack, &source, made_pack(3, 0xC0, 16, dual, 6));
    check_choice(&pack, 0, low, 4, TANDEM_ERROR_NOTHING);
    check_choice(&pack, 1, high, 3, TANDEM_ERROR_INCOMPLETE);
    /* Made for devices with one bank. */
    open_pack(&pack, &source, made_pack(1, 0, 5, mixed, 4));
    check_choice(&pack, 0, (const unsigned[]){1, 2, 5, 6}, 4, TANDEM_ERROR_NOTHING);
    check_choice(&pack, 1, none, 1, TANDEM_ERROR_INCOMPLETE);
    /* Thirty-two bits: the half is 16. */
    open_pack(&pack, &source, made_pack(1, 0, 5, (const struct made_file[]){{21, 0x2793, 0, 8}}, 1));
    check_choice(&pack, 1, (const unsigned[]){21}, 1, TANDEM_ERROR_NOTHING);
    check_choice(&pack, 0, NULL, 0, TANDEM_ERROR_INCOMPLETE);
}

/* ---- what is wrong ---- */

static void test_truncated(void)
{
    for (unsigned version = 1; version <= 5; version += 2) {
        uint32_t size = made_pack(version, 0x50, 5, mixed, 4);

        for (uint32_t cut = 0; cut < size; cut++) {
            uint8_t *copy = malloc(cut ? cut : 1);
            struct tandem_source source;
            struct tandem_mppack pack;

            REQUIRE(copy != NULL);
            memcpy(copy, bytes, cut);
            tandem_image_memory(&source, copy, cut);
            CHECK_EQUAL(tandem_mppack_open(&pack, &source), TANDEM_ERROR_TRUNCATED);
            free(copy);
        }
    }
}

/* Whatever a byte of the head is changed to: refused, or all files lie within, one behind the other. */
static void test_changed(void)
{
    for (unsigned version = 1; version <= 5; version += 2) {
        uint32_t size = made_pack(version, 0x50, 5, mixed, 4);
        struct tandem_source source;
        struct tandem_mppack good;

        open_pack(&good, &source, size);
        for (uint32_t at = 0; at < good.data_at; at++) {
            uint8_t before = bytes[at];

            for (unsigned value = 0; value < 256; value++) {
                struct tandem_mppack pack;
                struct tandem_mppack_file file;
                enum tandem_status status;

                bytes[at] = (uint8_t)value;
                status = tandem_mppack_open(&pack, &source);
                if (status == TANDEM_OK) {
                    uint32_t end = pack.data_at;

                    for (uint16_t i = 0; i < pack.count; i++) {
                        if (tandem_mppack_file(&pack, i, &file) != TANDEM_OK)
                            break;
                        CHECK_EQUAL(file.offset, end);
                        end += file.size;
                    }
                    CHECK(end <= size);
                } else {
                    CHECK(status == TANDEM_ERROR_FORMAT || status == TANDEM_ERROR_TRUNCATED ||
                          status == TANDEM_ERROR_UNSUPPORTED || status == TANDEM_ERROR_TOO_LARGE);
                }
            }
            bytes[at] = before;
        }
    }
}

static void test_wrong(void)
{
    struct tandem_source source;
    struct tandem_mppack pack;
    uint32_t size = made_pack(1, 0, 5, single, 1);

    tandem_image_memory(&source, bytes, size);
    made_put(bytes + 2, size - 1, 4); /* the files do not fill what the head says */
    CHECK_EQUAL(tandem_mppack_open(&pack, &source), TANDEM_ERROR_FORMAT);
    made_put(bytes + 2, size, 4);
    made_put(bytes + 48, 511, 4); /* a file smaller than its MP header */
    CHECK_EQUAL(tandem_mppack_open(&pack, &source), TANDEM_ERROR_FORMAT);
    size = made_pack(1, 0, 5, single, 0); /* no file */
    tandem_image_memory(&source, bytes, size);
    CHECK_EQUAL(tandem_mppack_open(&pack, &source), TANDEM_ERROR_FORMAT);
    size = made_pack(5, 0x10, 5, single, 1); /* 4 GB */
    tandem_image_memory(&source, bytes, size);
    CHECK_EQUAL(tandem_mppack_open(&pack, &source), TANDEM_OK);
    bytes[104 + 12] = 1;
    CHECK_EQUAL(tandem_mppack_open(&pack, &source), TANDEM_ERROR_TOO_LARGE);
}

/* ---- MP headers ---- */

static void test_mp_header(void)
{
    /* Of a real application; 0015 and 0022 are not known. */
    static const char real[] = "010002"
                               "0003"
                               "020004"
                               "01400000"
                               "030020"
                               "52544c383736324300ffffffffffffffffffffffffffffffffffffffffffffff"
                               "040004"
                               "a0ba0000"
                               "fe0001"
                               "01"
                               "110001"
                               "01"
                               "120002"
                               "9327"
                               "130004"
                               "00e08000"
                               "140004"
                               "a0ba0000"
                               "150001"
                               "00"
                               "160004"
                               "01400000"
                               "220001"
                               "02";
    uint8_t header_bytes[512] = {0};
    uint8_t again[512];
    struct tandem_mp_header header, back;
    size_t size = hex(header_bytes, real);

    CHECK_EQUAL(tandem_mp_header_read(&header, header_bytes), TANDEM_OK);
    CHECK_EQUAL(header.has, 0x3FF);
    CHECK_EQUAL(header.bin_id, 0x0300);
    CHECK_EQUAL(header.bin_version, 0x4001);
    CHECK_BYTES(header.part, "RTL8762C", 9);
    CHECK_EQUAL(header.data_size, 0xBAA0);
    CHECK_EQUAL(header.ota_version, 1);
    CHECK_EQUAL(header.image, 0x2793);
    CHECK_EQUAL(header.address, 0x80E000);
    CHECK_EQUAL(header.image_size, 0xBAA0);
    CHECK_EQUAL(header.image_version, 0x4001);

    header.has |= TANDEM_MP_ADDRESS_64 | TANDEM_MP_VERSION_64 | TANDEM_MP_MEMORY | TANDEM_MP_DIGEST_AT | TANDEM_MP_IC;
    header.address_64 = 0x123456789ABCDEF0u;
    header.version_64 = 0x0F1E2D3C4B5A6978u;
    header.memory = 1;
    header.digest_at = 272;
    header.ic = 11;
    tandem_mp_header_write(&header, again);
    CHECK_EQUAL(tandem_mp_header_read(&back, again), TANDEM_OK);
    CHECK_BYTES(&back, &header, sizeof back);

    /* A 32-bit address where 64 are usual. */
    memset(again, 0, sizeof again);
    hex(again, "0100020003"
               "1c000404030201");
    CHECK_EQUAL(tandem_mp_header_read(&back, again), TANDEM_OK);
    CHECK_EQUAL(back.address_64, 0x01020304);

    /* Twice; of a wrong length; not one at all; over the end; filled to the end. */
    hex(again, "0100020003"
               "010002"
               "0003");
    CHECK_EQUAL(tandem_mp_header_read(&back, again), TANDEM_ERROR_FORMAT);
    hex(again, "0100020003"
               "020003");
    CHECK_EQUAL(tandem_mp_header_read(&back, again), TANDEM_ERROR_FORMAT);
    hex(again, "020002");
    CHECK_EQUAL(tandem_mp_header_read(&back, again), TANDEM_ERROR_FORMAT);
    memset(again, 0, sizeof again);
    hex(again, "0100020003"
               "5000FF");
    hex(again + 5 + 3 + 255, "5000F5");
    CHECK_EQUAL(tandem_mp_header_read(&back, again), TANDEM_OK); /* 3 bytes are left, all zero */
    hex(again + 5 + 3 + 255, "5000F7");
    CHECK_EQUAL(tandem_mp_header_read(&back, again), TANDEM_ERROR_FORMAT);
    hex(again + 5 + 3 + 255, "5000F6");
    CHECK_EQUAL(tandem_mp_header_read(&back, again), TANDEM_OK);
    memset(again + size, 0xFF, 512 - size); /* type FFFF ends it too */
    memcpy(again, header_bytes, size);
    CHECK_EQUAL(tandem_mp_header_read(&back, again), TANDEM_OK);
    CHECK_EQUAL(back.has, 0x3FF);
}

/* ---- writing ---- */

static uint8_t out[40000];

static void test_head(void)
{
    static uint8_t image[0xBAA0];
    static uint8_t pack_bytes[0xBCD8 + 1000];
    struct tandem_mppack_item item = {
        .function = 5, .address = 0x80E000, .data = image, .size = sizeof image, .name = "app"};
    struct tandem_mppack_plan plan = {.ic = 5, .version = 1, .ota_allowed = 1, .items = &item, .count = 1};
    uint8_t want[56];
    uint32_t size;

    item.mp.has = TANDEM_MP_BIN_ID;
    item.mp.bin_id = 0x0300;
    memset(want, 0, sizeof want);
    hex(want, "474DD8BC0000");
    hex(want + 38, "0105"
                   "20000000"
                   "00E08000"
                   "A0BC0000"
                   "00000000");
    CHECK_EQUAL(tandem_mppack_plan_size(&plan, &size), TANDEM_OK);
    CHECK_EQUAL(size, 0xBCD8 + 2 * 5 + 512);
    REQUIRE(size <= sizeof pack_bytes);
    CHECK_EQUAL(tandem_mppack_write(&plan, pack_bytes, size), TANDEM_OK);
    CHECK_BYTES(pack_bytes, want, sizeof want);
    hex(want, "0100020003");
    CHECK_BYTES(pack_bytes + 56, want, 5);
    hex(want, "7C00"
              "610070007000"
              "3A00");
    CHECK_BYTES(pack_bytes + 0xBCD8, want, 10);
    CHECK_BYTES(pack_bytes + 0xBCD8 + 10, pack_bytes + 56, 512);
    CHECK_EQUAL(tandem_mppack_write(&plan, pack_bytes, size + 1), TANDEM_ERROR_ARGUMENT);
}

static void test_write(void)
{
    static uint8_t data[4][600];
    struct tandem_mppack_item items[4];
    struct tandem_mppack_plan plan = {.ic = 16, .ota_allowed = 1, .items = items, .count = 4};
    static const struct {
        uint16_t function;
        uint8_t bank;
    } places[4] = {{1, 0}, {5, 0}, {2, 1}, {5, 1}};
    char text[20];

    memset(items, 0, sizeof items);
    for (unsigned i = 0; i < 4; i++) {
        memset(data[i], (int)i, sizeof data[i]);
        items[i].function = places[i].function;
        items[i].bank = places[i].bank;
        items[i].address = 0x800000 + 0x1000 * i;
        items[i].mp.has = TANDEM_MP_BIN_ID | TANDEM_MP_IMAGE;
        items[i].mp.bin_id = 0x0300;
        items[i].mp.image = 0x2793;
        items[i].data = data[i];
        items[i].size = 100 * i; /* the first is empty */
        items[i].name = i == 2 ? "with_a_name_that_is_longer_than_most" : "n";
    }
    for (plan.version = 0; plan.version <= 4; plan.version++) {
        struct tandem_source source;
        struct tandem_mppack pack;
        uint32_t size;

        REQUIRE(tandem_mppack_plan_size(&plan, &size) == TANDEM_OK && size <= sizeof out);
        memset(out, 0xCC, sizeof out);
        CHECK_EQUAL(tandem_mppack_write(&plan, out, size), TANDEM_OK);
        CHECK_EQUAL(out[size], 0xCC);
        tandem_image_memory(&source, out, size);
        CHECK_EQUAL(tandem_mppack_open(&pack, &source), TANDEM_OK);
        CHECK_EQUAL(pack.ic, 16);
        CHECK_EQUAL(pack.dual_bank, 1);
        CHECK_EQUAL(pack.ota_allowed, 1);
        for (uint16_t i = 0; i < 4; i++) {
            struct tandem_mppack_file file;

            CHECK_EQUAL(tandem_mppack_file(&pack, i, &file), TANDEM_OK);
            CHECK_EQUAL(file.function, items[i].function);
            CHECK_EQUAL(file.bank, items[i].bank);
            CHECK_EQUAL(file.address, items[i].address);
            CHECK_EQUAL(file.size, 512 + items[i].size);
            CHECK_BYTES(out + file.offset + 512, items[i].data, items[i].size);
            CHECK_EQUAL(tandem_mppack_name(&pack, i, text, sizeof text), i == 2 ? 19 : 1);
            CHECK_BYTES(text, items[i].name, i == 2 ? 19 : 2);
        }
        CHECK_EQUAL(tandem_mppack_name(&pack, 4, text, sizeof text), 0);
        source.size--; /* the last record lacks a byte, but its name is there */
        CHECK_EQUAL(tandem_mppack_open(&pack, &source), TANDEM_OK);
    }
    CHECK_EQUAL(tandem_mppack_plan_size(&plan, &(uint32_t){0}), TANDEM_ERROR_ARGUMENT); /* version 5 */
    plan.version = 1;
    items[1].function = 0; /* not ascending */
    CHECK_EQUAL(tandem_mppack_plan_size(&plan, &(uint32_t){0}), TANDEM_ERROR_ARGUMENT);
    items[1].function = 16; /* beyond the half of 32 */
    CHECK_EQUAL(tandem_mppack_plan_size(&plan, &(uint32_t){0}), TANDEM_ERROR_ARGUMENT);
    items[1].function = 5;
    items[1].bank = 2;
    CHECK_EQUAL(tandem_mppack_plan_size(&plan, &(uint32_t){0}), TANDEM_ERROR_ARGUMENT);
    items[1].bank = 0;
    plan.count = 0;
    CHECK_EQUAL(tandem_mppack_plan_size(&plan, &(uint32_t){0}), TANDEM_ERROR_ARGUMENT);
}

static void test_wrap(void)
{
    static const uint8_t chips[] = {4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17};
    static uint8_t payload[777];

    memset(payload, 0x3C, sizeof payload);
    for (size_t i = 0; i < sizeof chips; i++) {
        uint16_t id = chips[i] == 15 ? 0x37A9 : 0x2793;
        struct tandem_realtek_wrap wrap = {.ic = chips[i],
                                           .secure_version = 2,
                                           .image = id,
                                           .version = {1, 2, 3, 4},
                                           .address = 0x80E400,
                                           .payload = payload,
                                           .size = sizeof payload};
        struct tandem_source source;
        struct tandem_realtek_header image;
        struct tandem_realtek_check check;
        struct tandem_version version;
        uint32_t size;

        CHECK_EQUAL(tandem_realtek_wrap_size(&wrap, &size), TANDEM_OK);
        CHECK_EQUAL(size, (chips[i] == 15 ? 1280u : 1024u) + 777u);
        CHECK_EQUAL(tandem_realtek_wrap_write(&wrap, NULL, out, size), TANDEM_OK);
        tandem_image_memory(&source, out, size);
        CHECK_EQUAL(tandem_realtek_image_find(&image, &source), TANDEM_OK);
        CHECK_EQUAL(image.size, size);
        CHECK_EQUAL(image.control.ic, chips[i]);
        CHECK_EQUAL(image.control.image, id);
        CHECK_EQUAL(image.control.secure_version, 2);
        CHECK_EQUAL(image.control.flags & 0x0180, 0x0100); /* ready, and not obsolete */
        CHECK_EQUAL(tandem_realtek_image_version(&image, &source, &version), 1);
        CHECK_EQUAL(tandem_version_compare(&version, &wrap.version), 0);
        CHECK_BYTES(out + size - 777, payload, 777);
        CHECK_EQUAL(tandem_realtek_check_whole(&check, &image, &source, NULL), TANDEM_OK);

        CHECK_EQUAL(tandem_realtek_wrap_write(&wrap, NULL, out, size - 1), TANDEM_ERROR_ARGUMENT);
        wrap.version.major = 16;
        CHECK_EQUAL(tandem_realtek_wrap_write(&wrap, NULL, out, size), TANDEM_ERROR_TOO_LARGE);
        wrap.image = 0x1234;
        CHECK_EQUAL(tandem_realtek_wrap_write(&wrap, NULL, out, size), TANDEM_ERROR_ARGUMENT);
        wrap.ic = 3;
        CHECK_EQUAL(tandem_realtek_wrap_size(&wrap, &size), TANDEM_ERROR_UNSUPPORTED);
        wrap.ic = chips[i];
        wrap.size = 0xFFFFFFFFu;
        CHECK_EQUAL(tandem_realtek_wrap_size(&wrap, &size), TANDEM_ERROR_TOO_LARGE);
    }
}

/* ---- pairs ---- */

static void test_pair(void)
{
    struct tandem_realtek_pair pair;
    struct tandem_source source;
    uint8_t *copy;

    memset(bytes, 0x55, 200);
    hex(bytes, "C8B59796"
               "01000000"
               "02000000"
               "0100000010000000"
               "0200000020000000");
    tandem_image_memory(&source, bytes, 12 + 16 + 0x30);
    CHECK_EQUAL(tandem_realtek_pair_open(&pair, &source), TANDEM_OK);
    CHECK_EQUAL(pair.count, 2);
    CHECK_EQUAL(pair.packs[0].role, 1);
    CHECK_EQUAL(pair.packs[0].offset, 28);
    CHECK_EQUAL(pair.packs[0].size, 16);
    CHECK_EQUAL(pair.packs[1].role, 2);
    CHECK_EQUAL(pair.packs[1].offset, 44);
    CHECK_EQUAL(pair.packs[1].size, 32);
    CHECK_EQUAL(tandem_realtek_pair_write(&pair, out), 28);
    CHECK_BYTES(out, bytes, 28);
    CHECK_EQUAL(tandem_realtek_pair_write(&(struct tandem_realtek_pair){.count = 0}, out), 0);
    CHECK_EQUAL(tandem_realtek_pair_write(&(struct tandem_realtek_pair){.count = 9}, out), 0);
    for (uint32_t cut = 0; cut < 12 + 16 + 0x30; cut++) {
        copy = malloc(cut ? cut : 1);
        REQUIRE(copy != NULL);
        memcpy(copy, bytes, cut);
        tandem_image_memory(&source, copy, cut);
        CHECK_EQUAL(tandem_realtek_pair_open(&pair, &source), TANDEM_ERROR_TRUNCATED);
        free(copy);
    }
    tandem_image_memory(&source, bytes, 12 + 16 + 0x30 + 1);
    CHECK_EQUAL(tandem_realtek_pair_open(&pair, &source), TANDEM_ERROR_FORMAT);
    source.size--;
    bytes[8] = 9;
    CHECK_EQUAL(tandem_realtek_pair_open(&pair, &source), TANDEM_ERROR_TOO_LARGE);
    bytes[8] = 0;
    CHECK_EQUAL(tandem_realtek_pair_open(&pair, &source), TANDEM_ERROR_FORMAT);
    bytes[0] ^= 1;
    CHECK_EQUAL(tandem_realtek_pair_open(&pair, &source), TANDEM_ERROR_FORMAT);
}

/* ---- names ---- */

static void test_names(void)
{
    static const struct {
        uint8_t ic;
        uint16_t image, function;
    } places[] = {{5, 0x2793, 5},  {5, 0x2790, 2},  {16, 0x2792, 4},  {16, 0x279A, 12},
                  {11, 0x2796, 9}, {11, 0x2797, 8}, {11, 0x27A4, 24}, {11, 0x279C, 17}};
    uint16_t function;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        CHECK_EQUAL(tandem_mppack_function(places[i].ic, places[i].image, &function), TANDEM_OK);
        CHECK_EQUAL(function, places[i].function);
        CHECK(strcmp(tandem_mppack_function_name(places[i].ic, function),
                     tandem_realtek_image_name(places[i].ic, places[i].image)) == 0);
    }
    CHECK_EQUAL(tandem_mppack_function(15, 0x37A9, &function), TANDEM_ERROR_UNSUPPORTED);
    CHECK_EQUAL(tandem_mppack_function(5, 0, &function), TANDEM_ERROR_UNSUPPORTED);
    for (unsigned ic = 0; ic < 256; ic++) {
        CHECK(tandem_realtek_ic_name((uint8_t)ic)[0] != '\0');
        for (uint16_t i = 0; i < 130; i++)
            CHECK(tandem_mppack_function_name((uint8_t)ic, i)[0] != '\0');
    }
    for (uint32_t id = 0x2780; id < 0x3800; id++)
        if (tandem_realtek_image_known((uint16_t)id) && id != 0x27A3)
            CHECK(strcmp(tandem_realtek_image_name(5, (uint16_t)id), "unknown image") != 0);
}

/* ---- the vendor's own ---- */

static void test_vendor(void)
{
    static uint8_t file_bytes[65536];
    static uint8_t again[65536];
    char name[200];
    uint32_t size, written;
    struct tandem_source source;
    struct tandem_mppack pack;
    struct tandem_mppack_file file;
    struct tandem_mppack_item item = {.function = 0};
    struct tandem_mppack_plan plan = {.ic = 5, .version = 1, .ota_allowed = 1, .items = &item, .count = 1};

    if (vendor_folder == NULL || vendor_folder[0] == '\0') {
        printf("       the vendor's files are not here\n");
        return;
    }
    size =
        vendor_file(vendor_folder, "ImgPacketFile-3afb193b40e40dec6db3d7349c50fd06.bin", file_bytes, sizeof file_bytes);
    CHECK_EQUAL(size, 48998);
    tandem_image_memory(&source, file_bytes, size);
    REQUIRE(tandem_mppack_open(&pack, &source) == TANDEM_OK);
    CHECK_EQUAL(pack.version, 1);
    CHECK_EQUAL(pack.ic, 5);
    CHECK_EQUAL(pack.count, 1);
    CHECK_EQUAL(pack.size, 0xBCD8);
    CHECK_EQUAL(tandem_mppack_file(&pack, 0, &file), TANDEM_OK);
    CHECK_EQUAL(file.function, 5);
    CHECK_EQUAL(file.address, 0x80E000);
    CHECK_EQUAL(file.size, 0xBCA0);
    CHECK_EQUAL(file.mp.bin_id, 0x0300);
    CHECK_EQUAL(file.mp.image, 0x2793);
    CHECK_EQUAL(file.mp.image_version, 0x4001);
    CHECK(tandem_mppack_name(&pack, 0, name, sizeof name) > 0);

    item.function = file.function;
    item.address = file.address;
    item.mp_bytes = file_bytes + file.offset;
    item.data = file_bytes + file.offset + 512;
    item.size = file.size - 512;
    item.name = name;
    CHECK_EQUAL(tandem_mppack_plan_size(&plan, &written), TANDEM_OK);
    CHECK_EQUAL(written, size);
    REQUIRE(written == size && tandem_mppack_write(&plan, again, size) == TANDEM_OK);
    CHECK_BYTES(again, file_bytes, size);
}

int main(int argc, char **argv)
{
    vendor_folder = argc > 1 ? argv[1] : NULL;
    RUN(test_versions);
    RUN(test_banks);
    RUN(test_truncated);
    RUN(test_changed);
    RUN(test_wrong);
    RUN(test_mp_header);
    RUN(test_head);
    RUN(test_write);
    RUN(test_wrap);
    RUN(test_pair);
    RUN(test_names);
    RUN(test_vendor);
    return check_report();
}
