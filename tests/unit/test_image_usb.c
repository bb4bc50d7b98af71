/*
 * DFU suffixes as dfu-suffix writes them, DfuSe files as dfuse-pack does, every
 * truncation and every changed byte.
 */
#include "check.h"
#include "hex.h"
#include "tandem/image.h"
#include "tandem/image_usb.h"

static uint8_t bytes[8000];

static void source_of(struct tandem_source *source, const char *payload, const char *suffix)
{
    uint32_t size = (uint32_t)strlen(payload);

    memcpy(bytes, payload, size);
    tandem_image_memory(source, bytes, size + (uint32_t)hex(bytes + size, suffix));
}

/* Made by dfu-suffix 0.11. */
static const struct {
    const char *payload;
    struct tandem_dfu_suffix suffix;
    const char *text;
} vectors[] = {
    {"123456789", {0x0100, 0x0001, 0x1209, 0x0100, 16, 0xFE701C62}, "000101000912000155464410621C70FE"},
    {"123456789", {0xFFFF, 0xFFFF, 0xFFFF, 0x011A, 16, 0xAD286AEB}, "FFFFFFFFFFFF1A0155464410EB6A28AD"},
    {"", {0x0100, 0x0001, 0x1209, 0x0100, 16, 0x796EA695}, "00010100091200015546441095A66E79"},
};

static void test_suffix(void)
{
    struct tandem_source source;
    struct tandem_dfu_suffix suffix;
    uint8_t want[16];
    uint8_t got[16];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        source_of(&source, vectors[i].payload, vectors[i].text);
        CHECK_EQUAL(tandem_dfu_suffix_read(&suffix, &source), TANDEM_OK);
        CHECK_EQUAL(suffix.device, vectors[i].suffix.device);
        CHECK_EQUAL(suffix.product, vectors[i].suffix.product);
        CHECK_EQUAL(suffix.vendor, vectors[i].suffix.vendor);
        CHECK_EQUAL(suffix.version, vectors[i].suffix.version);
        CHECK_EQUAL(suffix.size, 16);
        CHECK_EQUAL(suffix.crc, vectors[i].suffix.crc);
        source.size -= 16;
        hex(want, vectors[i].text);
        CHECK_EQUAL(tandem_dfu_suffix_write(&vectors[i].suffix, &source, got), TANDEM_OK);
        CHECK_BYTES(got, want, 16);
    }
}

/* A longer suffix is skipped as a whole. */
static void test_long_suffix(void)
{
    struct tandem_source source;
    struct tandem_dfu_suffix suffix;
    uint8_t ending[16];

    memset(bytes, 0x11, 100);
    tandem_image_memory(&source, bytes, 84);
    CHECK_EQUAL(tandem_dfu_suffix_write(&(struct tandem_dfu_suffix){1, 2, 3, 4, 0, 0}, &source, ending), TANDEM_OK);
    memcpy(bytes + 84, ending, 16);
    for (unsigned length = 0; length < 256; length++) {
        uint32_t crc;

        bytes[84 + 11] = (uint8_t)length;
        crc = tandem_crc32(TANDEM_CRC32_START, bytes, 96);
        for (int i = 0; i < 4; i++)
            bytes[96 + i] = (uint8_t)(crc >> (8 * i));
        tandem_image_memory(&source, bytes, 100);
        CHECK_EQUAL(tandem_dfu_suffix_read(&suffix, &source), length < 16    ? TANDEM_ERROR_NOTHING
                                                              : length > 100 ? TANDEM_ERROR_FORMAT
                                                                             : TANDEM_OK);
        if (length >= 16)
            CHECK_EQUAL(suffix.size, length);
    }
}

static void test_suffix_changed(void)
{
    struct tandem_source source;
    struct tandem_dfu_suffix suffix;

    source_of(&source, "123456789", "000101000912000155464410621C70FE");
    for (uint32_t at = 0; at < source.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            enum tandem_status status;

            bytes[at] ^= (uint8_t)(1u << bit);
            status = tandem_dfu_suffix_read(&suffix, &source);
            if (at >= 17 && at < 20)
                CHECK_EQUAL(status, TANDEM_ERROR_NOTHING); /* its letters */
            else if (at == 20)
                CHECK(status == TANDEM_ERROR_NOTHING || status == TANDEM_ERROR_FORMAT || status == TANDEM_ERROR_DIGEST);
            else
                CHECK_EQUAL(status, TANDEM_ERROR_DIGEST);
            bytes[at] ^= (uint8_t)(1u << bit);
        }
    }
    for (source.size = 0; source.size < 25; source.size++)
        CHECK_EQUAL(tandem_dfu_suffix_read(&suffix, &source), TANDEM_ERROR_NOTHING);
}

/* ---- DfuSe ---- */

static const uint8_t first[] = "first area";
static const uint8_t second[] = "second";
static const uint8_t third[] = "3";
static const struct tandem_dfuse_item items[] = {
    {0, "Internal", 0x08000000, first, sizeof first},
    {0, "Internal", 0x08004000, second, sizeof second},
    {3, NULL, 0x90000000, third, sizeof third},
};
static const struct tandem_dfu_suffix device = {0x2200, 0xDF11, 0x0483, 0, 0, 0};

static uint32_t make(void)
{
    uint32_t size;

    REQUIRE(tandem_dfuse_size(items, 3, &size) == TANDEM_OK && size <= sizeof bytes);
    REQUIRE(tandem_dfuse_write(items, 3, &device, bytes, size) == TANDEM_OK);
    return size;
}

static void test_dfuse(void)
{
    uint32_t size = make();
    struct tandem_source source;
    struct tandem_dfuse file;
    struct tandem_dfuse_element element;

    CHECK_EQUAL(size, 11 + 2 * 274 + 3 * 8 + sizeof first + sizeof second + sizeof third + 16);
    tandem_image_memory(&source, bytes, size);
    CHECK_EQUAL(tandem_dfuse_open(&file, &source), TANDEM_OK);
    CHECK_EQUAL(file.targets, 2);
    CHECK_EQUAL(file.elements, 3);
    CHECK_EQUAL(file.has_suffix, 1);
    CHECK_EQUAL(file.suffix.vendor, 0x0483);
    CHECK_EQUAL(file.suffix.product, 0xDF11);
    CHECK_EQUAL(file.suffix.device, 0x2200);
    CHECK_EQUAL(file.suffix.version, TANDEM_DFU_DFUSE);
    memset(&element, 0, sizeof element);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQUAL(tandem_dfuse_next(&file, &element), TANDEM_OK);
        CHECK_EQUAL(element.alternate, items[i].alternate);
        CHECK_EQUAL(element.address, items[i].address);
        CHECK_EQUAL(element.size, items[i].size);
        CHECK_BYTES(bytes + element.offset, items[i].data, items[i].size);
        CHECK_EQUAL(element.is_named, items[i].name != NULL);
        CHECK(strcmp(element.name, items[i].name != NULL ? items[i].name : "") == 0);
    }
    CHECK_EQUAL(tandem_dfuse_next(&file, &element), TANDEM_ERROR_NOTHING);

    /* Some writers do not count the suffix; some write none. */
    bytes[6] = (uint8_t)(size - 16);
    bytes[7] = (uint8_t)((size - 16) >> 8);
    CHECK_EQUAL(tandem_dfuse_open(&file, &source), TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(file.elements, 3);
    source.size = size - 16;
    CHECK_EQUAL(tandem_dfuse_open(&file, &source), TANDEM_OK);
    CHECK_EQUAL(file.has_suffix, 0);
}

static void test_dfuse_arguments(void)
{
    struct tandem_dfuse_item twice[3];
    uint32_t size;

    CHECK_EQUAL(tandem_dfuse_size(items, 0, &size), TANDEM_ERROR_ARGUMENT);
    memcpy(twice, items, sizeof twice);
    twice[2].alternate = 0; /* together with the others: one target */
    CHECK_EQUAL(tandem_dfuse_size(twice, 3, &size), TANDEM_OK);
    twice[1].alternate = 3; /* apart */
    CHECK_EQUAL(tandem_dfuse_size(twice, 3, &size), TANDEM_ERROR_ARGUMENT);
    memcpy(twice, items, sizeof twice);
    twice[0].size = 0xFFFFFFF0u;
    CHECK_EQUAL(tandem_dfuse_size(twice, 3, &size), TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(tandem_dfuse_size(items, 3, &size), TANDEM_OK);
    CHECK_EQUAL(tandem_dfuse_write(items, 3, &device, bytes, size - 1), TANDEM_ERROR_ARGUMENT);
}

static void test_dfuse_truncated(void)
{
    uint32_t size = make();

    for (uint32_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        struct tandem_source source;
        struct tandem_dfuse file;

        REQUIRE(copy != NULL);
        memcpy(copy, bytes, cut);
        tandem_image_memory(&source, copy, cut);
        CHECK_EQUAL(tandem_dfuse_open(&file, &source), TANDEM_ERROR_TRUNCATED);
        free(copy);
    }
}

/* Whatever a byte is changed to, with its CRC set right: refused, or elements within the file. */
static void test_dfuse_changed(void)
{
    uint32_t size = make();
    struct tandem_source source;

    tandem_image_memory(&source, bytes, size);
    for (uint32_t at = 0; at < size; at++) {
        static const uint8_t values[] = {0, 1, 2, 0x7F, 0x80, 0xFF};

        for (size_t i = 0; i < sizeof values; i++) {
            uint8_t before = bytes[at];
            struct tandem_dfuse file;
            struct tandem_dfuse_element element;
            enum tandem_status status;
            uint32_t elements = 0;

            bytes[at] = values[i];
            status = tandem_dfuse_open(&file, &source);
            if (status == TANDEM_OK || status == TANDEM_ERROR_DIGEST) {
                memset(&element, 0, sizeof element);
                while (tandem_dfuse_next(&file, &element) == TANDEM_OK) {
                    CHECK(element.offset <= file.size && element.size <= file.size - element.offset);
                    elements++;
                }
                CHECK_EQUAL(elements, file.elements);
                CHECK(status == TANDEM_OK ? values[i] == before || file.has_suffix == 0 : values[i] != before);
            } else {
                CHECK(status == TANDEM_ERROR_FORMAT || status == TANDEM_ERROR_TRUNCATED ||
                      status == TANDEM_ERROR_UNSUPPORTED);
            }
            bytes[at] = before;
        }
    }
}

int main(void)
{
    RUN(test_suffix);
    RUN(test_long_suffix);
    RUN(test_suffix_changed);
    RUN(test_dfuse);
    RUN(test_dfuse_arguments);
    RUN(test_dfuse_truncated);
    RUN(test_dfuse_changed);
    return check_report();
}
