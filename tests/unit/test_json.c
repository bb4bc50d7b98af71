/*
 * The JSON reader: values that are waited for come out, whole or cut to their
 * place; whatever is not JSON is refused; and it is all one how the bytes
 * come in.
 */
#include "check.h"
#include "tandem/json.h"

struct values {
    char name[8];
    char number[12];
    char element[8];
    char deep[8];
};

#define AT(member) offsetof(struct values, member), sizeof(((struct values *)0)->member)

static const struct tandem_json_field fields[] = {
    {"data/name", AT(name)},
    {"data/number", AT(number)},
    {"list/*/x", AT(element)},
    {"a/b/c/d", AT(deep)},
    {"data", 0, 0},
    {"list/*", 0, 0},
};

struct reading {
    struct tandem_json json;
    struct values values;
    char log[2000];
};

static void note(void *ctx, uint8_t field, enum tandem_json_type type, uint32_t length)
{
    struct reading *r = ctx;
    size_t at = strlen(r->log);
    snprintf(r->log + at, sizeof r->log - at, "%u%c%u ", (unsigned)field, "sntfz()"[type], (unsigned)length);
}

/* Read a text in pieces. @return how it ended */
static enum tandem_status read_text(struct reading *r, const char *text, size_t size, size_t piece)
{
    memset(r, 0, sizeof *r);
    tandem_json_init(&r->json, fields, sizeof fields / sizeof fields[0], &r->values, note, r);
    for (size_t at = 0; at < size; at += piece) {
        size_t take = size - at < piece ? size - at : piece;
        (void)tandem_json_feed(&r->json, text + at, take);
    }
    return tandem_json_end(&r->json);
}

/* All ways to cut it give the same. */
static enum tandem_status read_all(struct reading *r, const char *text)
{
    struct reading other;
    size_t size = strlen(text);
    enum tandem_status status = read_text(r, text, size, size + 1);
    for (size_t piece = 1; piece < size; piece++) {
        CHECK_EQUAL(read_text(&other, text, size, piece), status);
        CHECK(strcmp(other.log, r->log) == 0);
        CHECK_BYTES(&other.values, &r->values, sizeof other.values);
    }
    return status;
}

static void values_come_out(void)
{
    struct reading r;
    CHECK_EQUAL(read_all(&r,
                         " {\"x\":{\"name\":1,\"data\":{\"name\":2}},\"data\" : {\"name\":\"abc\",\"number\":-1.5e+3, "
                         "\"more\":[1,{\"name\":\"no\"}]}, \"list\":[{\"x\":1},{\"y\":2},[{\"x\":3}],{\"x\":\"4\"}]}"),
                TANDEM_OK);
    CHECK(strcmp(r.log, "4(0 0s3 1n7 4)0 5(0 2n1 5)0 5(0 5)0 5(0 5)0 5(0 2s1 5)0 ") == 0);
    CHECK(strcmp(r.values.name, "abc") == 0);
    CHECK(strcmp(r.values.number, "-1.5e+3") == 0);
    CHECK(strcmp(r.values.element, "4") == 0);
    CHECK_EQUAL(read_all(&r, "{\"data\":{\"name\":\"12345678\"},\"a\":{\"b\":{\"c\":{\"d\":true}}}}"), TANDEM_OK);
    CHECK(strcmp(r.log, "4(0 0s8 4)0 3t0 ") == 0); /* cut, and the length tells */
    CHECK(strcmp(r.values.name, "1234567") == 0);
    CHECK_EQUAL(read_all(&r, "{\"data\":{\"name\":null,\"number\":false}}"), TANDEM_OK);
    CHECK(strcmp(r.log, "4(0 0z0 1f0 4)0 ") == 0);
    CHECK_EQUAL(read_all(&r, "{\"data\":null,\"list\":[1]}"), TANDEM_OK);
    CHECK(strcmp(r.log, "4z0 5n1 ") == 0);
    CHECK_EQUAL(read_all(&r, "{\"list\":{\"x\":1,\"*\":2}}"), TANDEM_OK); /* an object is no array, but for a key '*' */
    CHECK(strcmp(r.log, "5n1 ") == 0);
}

static void escapes(void)
{
    struct reading r;
    CHECK_EQUAL(read_all(&r, "{\"data\":{\"name\":\"\\\"\\\\\\/\\n\\u0041\"}}"), TANDEM_OK);
    CHECK(strcmp(r.values.name, "\"\\/\nA") == 0);
    CHECK_EQUAL(read_all(&r, "{\"d\\u0061ta\":{\"name\":\"\\u00e4\\u20AC\"}}"), TANDEM_OK);
    CHECK(strcmp(r.values.name, "\xC3\xA4\xE2\x82\xAC") == 0);
    CHECK_EQUAL(read_all(&r, "{\"data\":{\"name\":\"\\ud83d\\ude00\"}}"), TANDEM_OK);
    CHECK(strcmp(r.values.name, "\xF0\x9F\x98\x80") == 0);
    static const char *const bad[] = {
        "\"\\x\"",     "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"",
        "\"\\ude00\"", "\"\\u0000\"", "\"\n\"",      "\"\x01\""};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQUAL(read_all(&r, bad[i]), TANDEM_ERROR_FORMAT);
}

static void grammar(void)
{
    static const char *const good[] = {"0",  "-0", "10",   "1.0",  "1e5",   "1E-5", "-12.25e+10",  "\"\"",
                                       "[]", "{}", "[[]]", "true", "false", "null", " [ 1 , 2 ] ", "{\"a\":[{}]}"};
    static const char *const bad[] = {"01",         "+1",    ".5",        "1.",  "1.e5",          "1e",      "1e+",
                                      "--1",        "[1,]",  "[,1]",      "{,}", "{1:2}",         "{\"a\"}", "{\"a\":}",
                                      "{\"a\":1,}", "[1}",   "{\"a\":1]", "]",   "tru e",         "nul1",    "1 2",
                                      "{} {}",      "[1 2]", "{\"a\" 1}", "'a'", "\xEF\xBB\xBF{}"};
    static const char *const cut[] = {"",  " ",   "-", "1e+",  "\"",      "\"\\", "\"\\u12",
                                      "[", "[1,", "{", "{\"a", "{\"a\":", "tru",  "{\"a\":1"};
    struct reading r;
    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK_EQUAL(read_all(&r, good[i]), TANDEM_OK);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum tandem_status status = read_all(&r, bad[i]);
        CHECK(status == TANDEM_ERROR_FORMAT || status == TANDEM_ERROR_TRUNCATED);
    }
    for (unsigned i = 0; i < sizeof cut / sizeof cut[0]; i++)
        CHECK_EQUAL(read_all(&r, cut[i]), TANDEM_ERROR_TRUNCATED);
}

static void bounds(void)
{
    struct reading r;
    char text[400];
    for (unsigned depth = 1; depth < 40; depth++) {
        size_t at = 0;
        for (unsigned i = 0; i < depth; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s", i % 2 ? "{\"a\":" : "[");
        at += (size_t)snprintf(text + at, sizeof text - at, "1");
        for (unsigned i = depth; i-- > 0;)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s", i % 2 ? "}" : "]");
        CHECK_EQUAL(read_all(&r, text), depth <= TANDEM_JSON_DEPTH ? TANDEM_OK : TANDEM_ERROR_SPACE);
    }
    /* A long key matches nothing, not even by its beginning. */
    CHECK_EQUAL(read_all(&r, "{\"datadatadatadatadatadatadata\":{\"name\":1},\"dat\":{\"name\":1}}"), TANDEM_OK);
    CHECK(strcmp(r.log, "") == 0);
    CHECK(sizeof(struct tandem_json) <= 128);
}

int main(void)
{
    RUN(values_come_out);
    RUN(escapes);
    RUN(grammar);
    RUN(bounds);
    return check_report();
}
