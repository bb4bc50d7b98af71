/*
 * File names that say what is in them.
 */
#include "check.h"
#include "tandem/file_name.h"

static const struct tandem_version version = {2, 1, 0, 4};

static void good_names(void)
{
    static const struct {
        const char *name, *product;
        struct tandem_version version;
    } cases[] = {
        {"PSDK_ALIAS_V02.01.00.04.bin", "PSDK_ALIAS", {2, 1, 0, 4}},
        {"PSDK_ALIAS_V2.1.0.4.bin", "PSDK_ALIAS", {2, 1, 0, 4}},
        {"x_V99.99.99.99.BIN", "x", {99, 99, 99, 99}},
        {"Two_V1_V00.00.00.01.tdm", "Two_V1", {0, 0, 0, 1}},
        {"Two_V1.0.0.0_V03.00.00.00.Tdm", "Two_V1.0.0.0", {3, 0, 0, 0}},
        {"with a space_V01.02.03.04.bin", "with a space", {1, 2, 3, 4}},
        {"\xE4\xB8\xAD_V01.02.03.04.bin", "\xE4\xB8\xAD", {1, 2, 3, 4}},
        {"1234567890123456789012345678901_V01.02.03.04.bin", "1234567890123456789012345678901", {1, 2, 3, 4}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tandem_file_name parsed;
        CHECK_EQUAL(tandem_file_name_parse(&parsed, cases[i].name), TANDEM_OK);
        CHECK_EQUAL(tandem_version_compare(&parsed.version, &cases[i].version), 0);
        CHECK(tandem_file_name_fits(&parsed, cases[i].product, NULL));
        CHECK(tandem_file_name_fits(&parsed, "another", cases[i].product));
        CHECK(!tandem_file_name_fits(&parsed, "another", NULL));
        CHECK(!tandem_file_name_fits(&parsed, NULL, NULL));
    }
}

static void bad_names(void)
{
    static const char *const names[] = {
        "",
        ".",
        "bin",
        ".bin",
        "_V.bin",
        "x.bin",
        "x_V01.02.03.bin",
        "x_V01.02.03.04.05.bin",
        "x_V01.02.03.04",
        "x_V01.02.03.04.txt",
        "x_V01.02.03.04.bin.bin",
        "x_V01.02.03.04.bin ",
        "x_V001.02.03.04.bin",
        "x_V1000.02.03.04.bin",
        "x_V-1.02.03.04.bin",
        "x_V+1.02.03.04.bin",
        "x_V 1.02.03.04.bin",
        "x_V01..03.04.bin",
        "x_V01.02.03.04..bin",
        "x_V01,02,03,04.bin",
        "x_V01.02.03.0x.bin",
        "x_v01.02.03.04.bin",
        "xV01.02.03.04.bin",
        "_V01.02.03.04.bin",
        "a/x_V01.02.03.04.bin",
        "../x_V01.02.03.04.bin",
        "/x_V01.02.03.04.bin",
        "a\\x_V01.02.03.04.bin",
        "c:x_V01.02.03.04.bin",
        ".x_V01.02.03.04.bin",
        "x\n_V01.02.03.04.bin",
        "x\x7F_V01.02.03.04.bin",
        "x_V01.02.03.04_V.bin",
        "12345678901234567890123456789012_V01.02.03.04.bin",
        "x_V99.99.99.100.bin",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct tandem_file_name parsed;
        if (!CHECK_EQUAL(tandem_file_name_parse(&parsed, names[i]), TANDEM_ERROR_FORMAT))
            fprintf(stderr, "  \"%s\"\n", names[i]);
    }
}

/* No other length of a good name is taken for something it is not. */
static void cut_names(void)
{
    static const char whole[] = "Camera_V01.02.03.04.bin";
    for (size_t i = 0; i < sizeof whole - 1; i++) {
        char name[sizeof whole] = {0};
        struct tandem_file_name parsed;
        memcpy(name, whole, i);
        CHECK_EQUAL(tandem_file_name_parse(&parsed, name), TANDEM_ERROR_FORMAT);
    }
}

static void built_names(void)
{
    static const struct tandem_version highest = {99, 99, 99, 99}, higher[] = {{100, 0, 0, 0},
                                                                               {0, 100, 0, 0},
                                                                               {0, 0, 100, 0},
                                                                               {0, 0, 0, 100},
                                                                               {0, 0, 0, UINT32_MAX}};
    static const char *const bad[] = {"", "a/b", ".a", "a\tb", "12345678901234567890123456789012"};
    static const char longest[] = "1234567890123456789012345678901";
    char name[TANDEM_FILE_NAME_SIZE + 1];
    struct tandem_file_name parsed;
    CHECK_EQUAL(tandem_file_name_build(name, sizeof name, "Camera", &version), TANDEM_OK);
    CHECK(strcmp(name, "Camera_V02.01.00.04.bin") == 0);
    memset(name, 'x', sizeof name);
    CHECK_EQUAL(tandem_file_name_build(name, TANDEM_FILE_NAME_SIZE, longest, &highest), TANDEM_OK);
    CHECK_EQUAL(strlen(name), TANDEM_FILE_NAME_SIZE - 1);
    CHECK_EQUAL(name[TANDEM_FILE_NAME_SIZE], 'x');
    CHECK_EQUAL(tandem_file_name_parse(&parsed, name), TANDEM_OK);
    CHECK(tandem_file_name_fits(&parsed, longest, NULL));
    CHECK_EQUAL(tandem_version_compare(&parsed.version, &highest), 0);
    CHECK_EQUAL(tandem_file_name_build(name, TANDEM_FILE_NAME_SIZE - 1, longest, &highest), TANDEM_ERROR_SPACE);
    for (size_t i = 0; i < sizeof higher / sizeof higher[0]; i++)
        CHECK_EQUAL(tandem_file_name_build(name, sizeof name, "x", &higher[i]), TANDEM_ERROR_ARGUMENT);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQUAL(tandem_file_name_build(name, sizeof name, bad[i], &version), TANDEM_ERROR_ARGUMENT);
}

int main(void)
{
    RUN(good_names);
    RUN(bad_names);
    RUN(cut_names);
    RUN(built_names);
    return check_report();
}
