/*
 * Fuzzing: the JSON reader. Whatever the input, nothing is written outside
 * the places of the fields, and it is all one how the bytes come in.
 */
#include <string.h>

#include "fuzz.h"
#include "tandem/json.h"

struct values {
    uint8_t before[4];
    char tiny[1];
    char text[8];
    char wide[40];
    uint8_t after[4];
};

#define AT(member) offsetof(struct values, member), sizeof(((struct values *)0)->member)

static const struct tandem_json_field fields[] = {
    {"a", AT(text)}, {"data/tid", AT(tiny)}, {"c/*/b/*/x", AT(wide)}, {"data", 0, 0}, {"*", 0, 0}, {"*/*", 0, 0},
};

struct reading {
    struct tandem_json json;
    struct values values;
    uint32_t trace;
    int depth;
};

static void found(void *ctx, uint8_t field, enum tandem_json_type type, uint32_t length)
{
    struct reading *r = ctx;

    MUST(field < sizeof fields / sizeof fields[0]);
    r->depth += type == TANDEM_JSON_OPEN ? 1 : type == TANDEM_JSON_CLOSE ? -1 : 0;
    MUST(r->depth >= 0);
    r->trace = r->trace * 31 + field * 7u + (uint32_t)type + length * 101;
}

static enum tandem_status read_in(struct reading *r, const uint8_t *data, size_t size, size_t piece)
{
    memset(r, 0, sizeof *r);
    tandem_json_init(&r->json, fields, sizeof fields / sizeof fields[0], &r->values, found, r);
    for (size_t at = 0; at < size; at += piece)
        if (!(fuzz_planted() && at == 30))
            (void)tandem_json_feed(&r->json, data + at, size - at < piece ? size - at : piece);
    return tandem_json_end(&r->json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, pieces;
    enum tandem_status status = read_in(&whole, data, size, size + 1);

    MUST(read_in(&pieces, data, size, 1) == status);
    MUST(pieces.trace == whole.trace);
    MUST(memcmp(&pieces.values, &whole.values, sizeof whole.values) == 0);
    MUST(memcmp(whole.values.before, "\0\0\0\0", 4) == 0 && memcmp(whole.values.after, "\0\0\0\0", 4) == 0);
    MUST(status != TANDEM_OK || whole.depth == 0);
    return 0;
}
