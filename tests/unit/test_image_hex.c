/*
 * Intel HEX: the records of the specification, line ends of all kinds, gaps,
 * overlaps, every truncation, every changed character.
 */
#include "check.h"
#include "tandem/image.h"
#include "tandem/image_hex.h"

static enum tandem_status look(struct tandem_hex *hex, const char *text)
{
    struct tandem_source source;

    tandem_image_memory(&source, text, (uint32_t)strlen(text));
    return tandem_hex_read(hex, &source);
}

static const char usual[] = ":020000040800F2\r\n"
                            ":10400000000102030405060708090A0B0C0D0E0F38\r\n"
                            ":04401000AABBCCDD9E\r\n"
                            ":0400000508004001AE\r\n"
                            ":00000001FF\r\n";

static void test_usual(void)
{
    struct tandem_hex hex;
    struct tandem_source source;
    uint8_t out[20];
    uint8_t taken[20] = {0};
    uint8_t want[20] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xAA, 0xBB, 0xCC, 0xDD};

    CHECK_EQUAL(look(&hex, usual), TANDEM_OK);
    CHECK_EQUAL(hex.bytes, 20);
    CHECK_EQUAL(hex.first, 0x08004000);
    CHECK_EQUAL(hex.last, 0x08004013);
    CHECK_EQUAL(hex.has_start, 1);
    CHECK_EQUAL(hex.start, 0x08004001);
    tandem_image_memory(&source, usual, sizeof usual - 1);
    CHECK_EQUAL(tandem_hex_load(&hex, &source, hex.first, out, taken, sizeof out), TANDEM_OK);
    CHECK_BYTES(out, want, sizeof want);
    memset(taken, 0, sizeof taken);
    CHECK_EQUAL(tandem_hex_load(&hex, &source, hex.first, out, taken, sizeof out - 1), TANDEM_ERROR_FORMAT);
    CHECK_EQUAL(hex.line, 3);
}

static void test_addresses(void)
{
    struct tandem_hex hex;

    /* Segments: paragraphs, and offsets that wrap in 64 KB. */
    CHECK_EQUAL(look(&hex, ":020000021200EA\n:02FFFF00AABB9B\n:00000001FF\n"), TANDEM_OK);
    CHECK_EQUAL(hex.first, 0x12000);
    CHECK_EQUAL(hex.last, 0x21FFF);
    /* Linear: they run on. */
    CHECK_EQUAL(look(&hex, ":020000041200E8\n:02FFFF00AABB9B\n:00000001FF\n"), TANDEM_OK);
    CHECK_EQUAL(hex.first, 0x1200FFFF);
    CHECK_EQUAL(hex.last, 0x12010000);
    /* Up to the last byte there is; a start by segment is taken and of no use. */
    CHECK_EQUAL(look(&hex, ":02000004FFFFFC\n:01FFFF00AA57\n:0400000300003800C1\n:00000001FF"), TANDEM_OK);
    CHECK_EQUAL(hex.first, 0xFFFFFFFF);
    CHECK_EQUAL(hex.last, 0xFFFFFFFF);
    CHECK_EQUAL(hex.has_start, 0);
    /* Nothing in it. */
    CHECK_EQUAL(look(&hex, ":00000001FF"), TANDEM_OK);
    CHECK_EQUAL(hex.bytes, 0);
    /* Gaps, order, lower case, blank lines, another system's end of file. */
    CHECK_EQUAL(look(&hex, "\n :0100100011de \n\n:0100000022dd\n\t\n:00000001ff\r\n\x1a"), TANDEM_OK);
    CHECK_EQUAL(hex.bytes, 2);
    CHECK_EQUAL(hex.first, 0);
    CHECK_EQUAL(hex.last, 0x10);
}

static void test_gaps(void)
{
    static const char text[] = ":0100100011DE\n:0100000022DD\n:00000001FF\n";
    static const char overlap[] = ":020000001122CB\n:0100010011ED\n:00000001FF\n";
    struct tandem_source source;
    struct tandem_hex hex;
    uint8_t out[17];
    uint8_t taken[17] = {0};
    unsigned sum = 0;

    tandem_image_memory(&source, text, sizeof text - 1);
    memset(out, 0xFF, sizeof out);
    CHECK_EQUAL(tandem_hex_load(&hex, &source, 0, out, taken, sizeof out), TANDEM_OK);
    CHECK_EQUAL(out[0], 0x22);
    CHECK_EQUAL(out[16], 0x11);
    for (int i = 1; i < 16; i++) {
        CHECK_EQUAL(out[i], 0xFF);
        sum += taken[i];
    }
    CHECK_EQUAL(sum, 0);
    tandem_image_memory(&source, overlap, sizeof overlap - 1);
    CHECK_EQUAL(tandem_hex_read(&hex, &source), TANDEM_OK);
    memset(taken, 0, sizeof taken);
    CHECK_EQUAL(tandem_hex_load(&hex, &source, 0, out, taken, 2), TANDEM_ERROR_FORMAT);
    CHECK_EQUAL(hex.line, 2);
}

static void test_wrong(void)
{
    static const struct {
        const char *text;
        enum tandem_status status;
        uint32_t line;
    } cases[] = {
        {"", TANDEM_ERROR_TRUNCATED, 1},
        {"\n\n", TANDEM_ERROR_TRUNCATED, 3},
        {":0100000022DD\n", TANDEM_ERROR_TRUNCATED, 2},             /* no end */
        {":0100000022DD\n:0100000022DE\n", TANDEM_ERROR_FORMAT, 2}, /* its checksum */
        {"0100000022DD\n", TANDEM_ERROR_FORMAT, 1},                 /* no colon */
        {":01000000GGDD\n", TANDEM_ERROR_FORMAT, 1},                /* no digits */
        {":0200000022DD\n:00000001FF\n", TANDEM_ERROR_FORMAT, 1},   /* too short a line */
        {":00000001FF\n:00000001FF\n", TANDEM_ERROR_FORMAT, 2},     /* more behind the end */
        {":00000001FF\nx", TANDEM_ERROR_FORMAT, 2},                 /* anything behind the end */
        {":00000006FA\n", TANDEM_ERROR_UNSUPPORTED, 1},             /* no such type */
        {":0100000408F3\n", TANDEM_ERROR_FORMAT, 1},                /* an address of one byte */
        {":0100000100FE\n", TANDEM_ERROR_FORMAT, 1},                /* an end with data */
    };
    struct tandem_hex hex;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_EQUAL(look(&hex, cases[i].text), cases[i].status);
        CHECK_EQUAL(hex.line, cases[i].line);
    }
}

static void test_truncated(void)
{
    struct tandem_hex hex;

    for (uint32_t cut = 0; cut < sizeof usual - 1; cut++) {
        char *copy = malloc(cut ? cut : 1);
        struct tandem_source source;

        REQUIRE(copy != NULL);
        memcpy(copy, usual, cut);
        tandem_image_memory(&source, copy, cut);
        CHECK_EQUAL(tandem_hex_read(&hex, &source), cut < sizeof usual - 3 ? TANDEM_ERROR_TRUNCATED : TANDEM_OK);
        free(copy);
    }
}

/* A changed character never goes unnoticed, but where nothing is said. */
static void test_changed(void)
{
    char text[sizeof usual];
    struct tandem_hex hex, good;

    CHECK_EQUAL(look(&good, usual), TANDEM_OK);
    for (size_t at = 0; at < sizeof usual - 1; at++) {
        for (int value = 1; value < 256; value++) {
            memcpy(text, usual, sizeof text);
            text[at] = (char)value;
            if (look(&hex, text) == TANDEM_OK && text[at] != usual[at])
                CHECK(usual[at] == '\r' || usual[at] == '\n' || (usual[at] >= 'A' && text[at] == usual[at] + 32));
        }
    }
}

/* A file longer than the reader's piece, and a source that fails. */
static unsigned reads;
static unsigned fail_at;

static enum tandem_status read_text(void *ctx, uint32_t offset, void *data, size_t size)
{
    memcpy(data, (const char *)ctx + offset, size);
    return ++reads == fail_at ? TANDEM_ERROR_PORT : TANDEM_OK;
}

static void test_long(void)
{
    static char text[30000];
    struct tandem_source source = {.ctx = text, .read = read_text};
    struct tandem_hex hex;
    size_t size = 0;

    for (unsigned i = 0; i < 2000; i++) {
        unsigned address = i % 0x1000;

        size += (size_t)sprintf(text + size, ":01%04X0055%02X\n", address,
                                (0u - (1u + (address >> 8) + (address & 255u) + 0x55u)) & 255u);
    }
    size += (size_t)sprintf(text + size, ":00000001FF\n");
    source.size = (uint32_t)size;
    CHECK_EQUAL(tandem_hex_read(&hex, &source), TANDEM_OK);
    CHECK_EQUAL(hex.bytes, 2000);
    CHECK_EQUAL(hex.last, 1999);
    CHECK(reads > 100);
    for (fail_at = 1; fail_at < 100; fail_at += 7) {
        reads = 0;
        CHECK_EQUAL(tandem_hex_read(&hex, &source), TANDEM_ERROR_PORT);
    }
}

int main(void)
{
    RUN(test_usual);
    RUN(test_addresses);
    RUN(test_gaps);
    RUN(test_wrong);
    RUN(test_truncated);
    RUN(test_changed);
    RUN(test_long);
    return check_report();
}
