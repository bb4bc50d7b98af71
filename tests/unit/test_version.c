/*
 * Versions: their order, their text, their bytes.
 */
#include "check.h"
#include "tandem/version.h"

static void order(void)
{
    static const struct tandem_version ascending[] = {
        {0, 0, 0, 0},          {0, 0, 0, 1},
        {0, 0, 1, 0},          {0, 0, 0xFFFFFFFF, 0xFFFFFFFF},
        {0, 1, 0, 0},          {0, 2, 9, 9},
        {0, 0xFFFF, 0, 0},     {1, 0, 0, 0},
        {1, 0, 0, 0x80000000}, {1, 0, 0x7FFFFFFF, 0},
        {1, 0, 0x80000000, 0}, {2, 0, 0, 0},
        {10, 0, 0, 0},         {0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
    };
    unsigned count = sizeof ascending / sizeof ascending[0];
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < count; j++)
            CHECK_EQUAL(tandem_version_compare(&ascending[i], &ascending[j]), (i > j) - (i < j));
}

static void text(void)
{
    static const struct {
        struct tandem_version version;
        const char *text;
    } cases[] = {
        {{0, 0, 0, 0}, "0.0.0"},
        {{2, 1, 0, 0}, "2.1.0"},
        {{2, 1, 0, 7}, "2.1.0+7"},
        {{10, 20, 30, 40}, "10.20.30+40"},
        {{0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "65535.65535.4294967295+4294967295"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[TANDEM_VERSION_TEXT_SIZE + 1];
        struct tandem_version back = {9, 9, 9, 9};
        memset(text, '#', sizeof text);
        CHECK_EQUAL(tandem_version_format(&cases[i].version, text), strlen(cases[i].text));
        CHECK(strcmp(text, cases[i].text) == 0);
        CHECK_EQUAL(text[TANDEM_VERSION_TEXT_SIZE], '#');
        CHECK_EQUAL(tandem_version_parse(&back, text), TANDEM_OK);
        CHECK_EQUAL(tandem_version_compare(&back, &cases[i].version), 0);
    }
}

static void forms(void)
{
    static const struct {
        const char *text;
        struct tandem_version version;
    } cases[] = {
        {"1", {1, 0, 0, 0}},
        {"1.2", {1, 2, 0, 0}},
        {"1.2.3", {1, 2, 3, 0}},
        {"1.2.3.4", {1, 2, 3, 4}},
        {"1.2.3+4", {1, 2, 3, 4}},
        {"1.2+4", {1, 2, 0, 4}},
        {"1+4", {1, 0, 0, 4}},
        {"01.002.0003", {1, 2, 3, 0}},
        {"1.2.3+0", {1, 2, 3, 0}},
        {"65535.65535.4294967295+4294967295", {0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF}},
        {"000000000000000000001.0.0", {1, 0, 0, 0}},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tandem_version version = {9, 9, 9, 9};
        CHECK_EQUAL(tandem_version_parse(&version, cases[i].text), TANDEM_OK);
        CHECK_EQUAL(tandem_version_compare(&version, &cases[i].version), 0);
    }
}

static void junk(void)
{
    static const char *const texts[] = {
        "",
        ".",
        "+",
        "1.",
        "1.2.",
        "1.2.3.",
        "1.2.3+",
        "+1",
        ".1",
        "1..2",
        "1+",
        "1.2.3.4.5",
        "1.2.3.4+5",
        "1.2.3+4+5",
        "1.2.3+4.5",
        "v1.2.3",
        "1.2.3-rc1",
        " 1.2.3",
        "1.2.3 ",
        "1.2.3\n",
        "1.2 .3",
        "-1.2.3",
        "1.-2.3",
        "0x1.2.3",
        "1,2,3",
        "1.2.3+b",
        "65536.0.0",
        "0.65536.0",
        "0.0.4294967296",
        "0.0.0+4294967296",
        "99999999999999999999.0.0",
        "0.0.42949672950",
        "1.2.x",
    };
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct tandem_version version = {9, 9, 9, 9}, before = version;
        CHECK_EQUAL(tandem_version_parse(&version, texts[i]), TANDEM_ERROR_FORMAT);
        CHECK_EQUAL(tandem_version_compare(&version, &before), 0);
    }
}

static void bytes(void)
{
    static const uint8_t wire[TANDEM_VERSION_WIRE_SIZE] = {0x02, 0x01, 0x04, 0x03, 0x08, 0x07,
                                                           0x06, 0x05, 0x0C, 0x0B, 0x0A, 0x09};
    static const struct tandem_version want = {0x0102, 0x0304, 0x05060708, 0x090A0B0C};
    struct tandem_version version;
    uint8_t out[TANDEM_VERSION_WIRE_SIZE];
    tandem_version_load(&version, wire);
    CHECK_EQUAL(tandem_version_compare(&version, &want), 0);
    tandem_version_store(&want, out);
    CHECK_BYTES(out, wire, sizeof wire);
}

int main(void)
{
    RUN(order);
    RUN(text);
    RUN(forms);
    RUN(junk);
    RUN(bytes);
    return check_report();
}
