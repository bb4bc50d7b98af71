/**
 * @file
 * JSON as a stream: bytes go in, the few values that somebody waits for come
 * out. No tree, no heap, no recursion, some hundred bytes of state. What is
 * not waited for is checked and forgotten.
 *
 * RFC 8259, with bounds: TANDEM_JSON_DEPTH levels, TANDEM_JSON_KEY_MAX bytes
 * of a key that can match, no character of value 0 in a text.
 */
#ifndef TANDEM_JSON_H
#define TANDEM_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_JSON_DEPTH 12   /**< levels of objects and arrays */
#define TANDEM_JSON_KEY_MAX 24 /**< bytes of the longest key that can match */

/** What came. */
enum tandem_json_type {
    TANDEM_JSON_STRING = 0, /**< a text */
    TANDEM_JSON_NUMBER = 1, /**< a number, as it was written */
    TANDEM_JSON_TRUE = 2,   /**< true */
    TANDEM_JSON_FALSE = 3,  /**< false */
    TANDEM_JSON_NULL = 4,   /**< null */
    TANDEM_JSON_OPEN = 5,   /**< an object or an array begins */
    TANDEM_JSON_CLOSE = 6   /**< and ends */
};

/** A value that is waited for. */
struct tandem_json_field {
    const char *path; /**< keys between '/', '*' for any element of an array */
    uint16_t offset;  /**< where its text goes, in what the reader writes to */
    uint16_t size;    /**< bytes there, the end's 0 included; 0: only that it is there is told */
};

/** A reader. Fields are the library's own, but for `off`. */
struct tandem_json {
    const struct tandem_json_field *fields; /**< waited for, at most 16, each with a path of its own */
    uint8_t *base;                          /**< what it writes to */
    /** Told of each value that was waited for, when it is whole; `length` is what its text would be without the bound
     *  of its place. */
    void (*found)(void *ctx, uint8_t field, enum tandem_json_type type, uint32_t length);
    void *ctx;                             /**< handed to it */
    uint32_t length;                       /**< bytes so far of the value or key in hand */
    uint16_t match[TANDEM_JSON_DEPTH + 1]; /**< fields whose path is met down to this level, as bits */
    uint16_t off;                          /**< fields that are no longer waited for, as bits */
    uint16_t arrays;                       /**< levels that are arrays, as bits */
    uint16_t code;                         /**< of an escaped character */
    uint16_t pair;                         /**< first half of a surrogate pair */
    uint8_t count;                         /**< of fields */
    uint8_t depth;                         /**< levels open */
    uint8_t state;                         /**< what must come next */
    uint8_t place;                         /**< in a number's grammar, or in true, false, null */
    uint8_t digits;                        /**< of an escape, still to come */
    uint8_t is_key;                        /**< 1: the text in hand is a key */
    uint8_t target;                        /**< field of the value in hand */
    char key[TANDEM_JSON_KEY_MAX];         /**< in hand */
};

/**
 * Begin a text.
 * @param json caller's
 * @param fields,count what is waited for
 * @param base what their places are in
 * @param found,ctx who is told, as above
 */
void tandem_json_init(struct tandem_json *json, const struct tandem_json_field *fields, uint8_t count, void *base,
                      void (*found)(void *ctx, uint8_t field, enum tandem_json_type type, uint32_t length), void *ctx);
/** Read on. @return TANDEM_OK; TANDEM_ERROR_FORMAT; TANDEM_ERROR_SPACE (too deep). Errors stay. */
enum tandem_status tandem_json_feed(struct tandem_json *json, const void *data, size_t size);
/** The text has ended. @return TANDEM_OK: one value, and it is whole; TANDEM_ERROR_TRUNCATED; as the last feed */
enum tandem_status tandem_json_end(struct tandem_json *json);

#ifdef __cplusplus
}
#endif

#endif
