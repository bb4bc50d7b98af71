/*
 * JSON as a stream: bytes go in, the few values that somebody waits for come
 * out. No tree, no heap, no recursion, some hundred bytes of state. What is
 * not waited for is checked and forgotten.
 *
 * RFC 8259, with bounds: JSON_DEPTH levels, JSON_KEY_MAX bytes of a key that
 * can match, no character of value 0 in a text.
 */
#ifndef TANDEM_CLOUD_JSON_H
#define TANDEM_CLOUD_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/status.h"

#define JSON_DEPTH 12
#define JSON_KEY_MAX 24

enum json_type {
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_OPEN, /* an object or an array begins */
    JSON_CLOSE /* and ends */
};

/* A value that is waited for. `path`: keys between '/', '*' any element of an array. A string or number goes to
 * `size` bytes, its end included, `offset` bytes into what the reader writes to; size 0: only that it is there. */
struct json_field {
    const char *path;
    uint16_t offset;
    uint16_t size;
};

/* Told of each value that was waited for, when it is whole; `length` is what it would have been without the bound of
 * its place. */
typedef void json_found(void *ctx, uint8_t field, enum json_type type, uint32_t length);

/* At most 16 fields, each with a path of its own. */
struct json_reader {
    const struct json_field *fields;
    uint8_t *base;
    json_found *found;
    void *ctx;
    uint32_t length;                /* bytes so far of the value or key in hand */
    uint16_t match[JSON_DEPTH + 1]; /* fields whose path is met down to this level, as bits */
    uint16_t arrays;                /* levels that are arrays, as bits */
    uint16_t code;                  /* of an escaped character */
    uint16_t pair;                  /* first half of a surrogate pair */
    uint8_t count;                  /* of fields */
    uint8_t depth;
    uint8_t state;
    uint8_t place;  /* in a number's grammar, or in true, false, null */
    uint8_t digits; /* of an escape, still to come */
    uint8_t is_key;
    uint8_t target; /* field of the value in hand */
    char key[JSON_KEY_MAX];
};

void tandem_json_init(struct json_reader *json, const struct json_field *fields, uint8_t count, void *base,
                      json_found *found, void *ctx);
/* TANDEM_OK; TANDEM_ERROR_FORMAT; TANDEM_ERROR_SPACE: too deep. Errors stay. */
enum tandem_status tandem_json_feed(struct json_reader *json, const void *data, size_t size);
/* TANDEM_OK: one value, and it is whole; TANDEM_ERROR_TRUNCATED; as the last feed. */
enum tandem_status tandem_json_end(struct json_reader *json);

#endif
