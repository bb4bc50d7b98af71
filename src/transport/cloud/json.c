/*
 * JSON as a stream. A bit for each field that is waited for says, level by
 * level, whether the way down so far is the field's path.
 */
#include "tandem/json.h"

#include <string.h>

enum {
    VALUE,       /* a value must come */
    FIRST_VALUE, /* or the array is empty */
    FIRST_KEY,   /* or the object is empty */
    KEY,         /* a key must come */
    COLON,       /* after a key */
    AFTER,       /* after a value: a comma or the end of what it is in */
    STRING,      /* inside one */
    ESCAPE,      /* after a backslash */
    HEX,         /* in \uXXXX */
    LOW_ESCAPE,  /* after the first half of a pair: a backslash */
    LOW_U,       /* and a u */
    NUMBER,      /* inside one */
    WORD,        /* in true, false, null */
    DONE,        /* white space only */
    FAILED,      /* for good */
    TOO_DEEP     /* for good */
};

#define NOBODY 0xFF

static const char *const words[] = {"true", "false", "null"};

void tandem_json_init(struct tandem_json *json, const struct tandem_json_field *fields, uint8_t count, void *base,
                      void (*found)(void *ctx, uint8_t field, enum tandem_json_type type, uint32_t length), void *ctx)
{
    memset(json, 0, sizeof *json);
    json->fields = fields;
    json->count = count;
    json->base = base;
    json->found = found;
    json->ctx = ctx;
    json->match[0] = (uint16_t)((1u << count) - 1u);
    json->state = VALUE;
}

/* ---- paths ---- */

/* Component `n` of a path, its size to `*size`; NULL if there are fewer. */
static const char *component(const char *path, unsigned n, size_t *size)
{
    size_t length = 0;

    while (n > 0) {
        while (*path != '/' && *path != 0)
            path++;
        if (*path == 0)
            return NULL;
        path++;
        n--;
    }
    while (path[length] != '/' && path[length] != 0)
        length++;
    *size = length;
    return path;
}

/* Fields of `from` whose component `n` is this. */
static uint16_t matching(const struct tandem_json *json, uint16_t from, unsigned n, const char *text, size_t size)
{
    uint16_t match = 0;

    for (unsigned i = 0; i < json->count; i++) {
        size_t length;
        const char *part = ((unsigned)from >> i & 1u) != 0 ? component(json->fields[i].path, n, &length) : NULL;

        if (part != NULL && length == size && memcmp(part, text, size) == 0)
            match |= (uint16_t)(1u << i);
    }
    return match;
}

/* The field that ends at this level; NOBODY. */
static uint8_t target(const struct tandem_json *json)
{
    size_t length;

    for (uint8_t i = 0; i < json->count; i++)
        if ((((unsigned)json->match[json->depth] & ~(unsigned)json->off) >> i & 1u) != 0 &&
            component(json->fields[i].path, json->depth, &length) == NULL)
            return i;
    return NOBODY;
}

/* ---- values ---- */

static void tell(struct tandem_json *json, enum tandem_json_type type)
{
    if (json->target == NOBODY)
        return;
    const struct tandem_json_field *field = &json->fields[json->target];
    if (field->size > 0 && (type == TANDEM_JSON_STRING || type == TANDEM_JSON_NUMBER)) {
        uint32_t end = json->length < field->size ? json->length : field->size - 1u;
        json->base[field->offset + end] = 0;
    }
    json->found(json->ctx, json->target, type, json->length);
}

static void store(struct tandem_json *json, uint8_t byte)
{
    if (json->is_key) {
        if (json->length < TANDEM_JSON_KEY_MAX)
            json->key[json->length] = (char)byte;
    } else if (json->target != NOBODY) {
        const struct tandem_json_field *field = &json->fields[json->target];
        if (json->length + 1 < field->size)
            json->base[field->offset + json->length] = byte;
    }
    if (json->length < 0xFFFFFFFFu)
        json->length++;
}

static void value_ended(struct tandem_json *json)
{
    json->state = json->depth > 0 ? AFTER : DONE;
}

static void open_level(struct tandem_json *json, int array)
{
    json->target = target(json);
    json->length = 0;
    tell(json, TANDEM_JSON_OPEN);
    if (json->depth == TANDEM_JSON_DEPTH) {
        json->state = TOO_DEEP;
        return;
    }
    uint16_t above = json->match[json->depth++];
    json->match[json->depth] = array ? matching(json, above, json->depth - 1u, "*", 1) : 0;
    json->arrays = (uint16_t)((json->arrays & ~(1u << json->depth)) | (unsigned)(array != 0) << json->depth);
    json->state = array ? FIRST_VALUE : FIRST_KEY;
}

static int in_array(const struct tandem_json *json)
{
    return (json->arrays >> json->depth & 1u) != 0;
}

static void close_level(struct tandem_json *json, uint8_t byte)
{
    if (json->depth == 0 || (byte == ']') != in_array(json)) {
        json->state = FAILED;
        return;
    }
    json->depth--;
    json->target = target(json);
    json->length = 0;
    tell(json, TANDEM_JSON_CLOSE);
    value_ended(json);
}

static void begin_text(struct tandem_json *json, uint8_t is_key, uint8_t state)
{
    json->is_key = is_key;
    json->length = 0;
    json->target = is_key ? NOBODY : target(json);
    json->place = 0;
    json->state = state;
}

static void begin_value(struct tandem_json *json, uint8_t byte)
{
    if (byte == '{' || byte == '[') {
        open_level(json, byte == '[');
    } else if (byte == '"') {
        begin_text(json, 0, STRING);
    } else if (byte == '-' || (byte >= '0' && byte <= '9')) {
        begin_text(json, 0, NUMBER);
        json->place = byte == '-' ? 0 : byte == '0' ? 1 : 2;
        store(json, byte);
    } else if (byte == 't' || byte == 'f' || byte == 'n') {
        begin_text(json, 0, WORD);
        json->digits = byte == 't' ? 0 : byte == 'f' ? 1 : 2;
        json->place = 1;
    } else {
        json->state = FAILED;
    }
}

static void end_string(struct tandem_json *json)
{
    if (json->is_key) {
        json->match[json->depth] =
            json->length <= TANDEM_JSON_KEY_MAX
                ? matching(json, json->match[json->depth - 1], json->depth - 1u, json->key, json->length)
                : 0;
        json->state = COLON;
        return;
    }
    tell(json, TANDEM_JSON_STRING);
    value_ended(json);
}

/* ---- inside texts ---- */

static void store_code(struct tandem_json *json, uint32_t code)
{
    if (code < 0x80) {
        store(json, (uint8_t)code);
        return;
    }
    if (code < 0x800) {
        store(json, (uint8_t)(0xC0u | code >> 6));
    } else {
        if (code < 0x10000) {
            store(json, (uint8_t)(0xE0u | code >> 12));
        } else {
            store(json, (uint8_t)(0xF0u | code >> 18));
            store(json, (uint8_t)(0x80u | (code >> 12 & 0x3Fu)));
        }
        store(json, (uint8_t)(0x80u | (code >> 6 & 0x3Fu)));
    }
    store(json, (uint8_t)(0x80u | (code & 0x3Fu)));
}

static void end_escape(struct tandem_json *json)
{
    int high = (json->code & 0xFC00u) == 0xD800u, low = (json->code & 0xFC00u) == 0xDC00u;

    if (low != (json->pair != 0) || json->code == 0) {
        json->state = FAILED;
    } else if (high) {
        json->pair = json->code;
        json->state = LOW_ESCAPE;
    } else {
        uint32_t code = low ? 0x10000u + ((json->pair & 0x3FFu) << 10) + (json->code & 0x3FFu) : json->code;
        json->pair = 0;
        json->state = STRING;
        store_code(json, code);
    }
}

static void hex_digit(struct tandem_json *json, uint8_t byte)
{
    unsigned lower = byte | 0x20u, digit;

    if (byte >= '0' && byte <= '9') {
        digit = byte - (unsigned)'0';
    } else if (lower >= 'a' && lower <= 'f') {
        digit = lower - 'a' + 10u;
    } else {
        json->state = FAILED;
        return;
    }
    json->code = (uint16_t)((uint32_t)json->code << 4 | digit);
    if (--json->digits == 0)
        end_escape(json);
}

static void escape(struct tandem_json *json, uint8_t byte)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";

    json->state = STRING;
    for (unsigned i = 0; i < sizeof names - 1; i++) {
        if (byte == (uint8_t)names[i]) {
            store(json, (uint8_t)values[i]);
            return;
        }
    }
    json->state = byte == 'u' ? HEX : FAILED;
    json->digits = 4;
    json->code = 0;
}

static void string_byte(struct tandem_json *json, uint8_t byte)
{
    if (byte == '"')
        end_string(json);
    else if (byte == '\\')
        json->state = ESCAPE;
    else if (byte < 0x20)
        json->state = FAILED;
    else
        store(json, byte);
}

/* Places in a number: 0 after the sign, 1 after a leading 0, 2 digits, 3 after the point, 4 digits, 5 after e, 6 after
 * its sign, 7 digits. @return the next place; NOBODY: `byte` is not of the number */
static uint8_t number_place(uint8_t place, uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        static const uint8_t after_digit[] = {2, NOBODY, 2, 4, 4, 7, 7, 7};
        return place == 0 && byte == '0' ? 1 : after_digit[place];
    }
    if (byte == '.' && (place == 1 || place == 2))
        return 3;
    if ((byte == 'e' || byte == 'E') && (place == 1 || place == 2 || place == 4))
        return 5;
    if ((byte == '+' || byte == '-') && place == 5)
        return 6;
    return NOBODY;
}

static int number_whole(const struct tandem_json *json)
{
    return json->place == 1 || json->place == 2 || json->place == 4 || json->place == 7;
}

/* @return 1: the byte was the number's; 0: the number has ended before it */
static int number_byte(struct tandem_json *json, uint8_t byte)
{
    uint8_t place = number_place(json->place, byte);

    if (place != NOBODY) {
        json->place = place;
        store(json, byte);
        return 1;
    }
    if (!number_whole(json)) {
        json->state = FAILED;
        return 1;
    }
    tell(json, TANDEM_JSON_NUMBER);
    value_ended(json);
    return 0;
}

static void word_byte(struct tandem_json *json, uint8_t byte)
{
    const char *word = words[json->digits];

    if (byte != (uint8_t)word[json->place]) {
        json->state = FAILED;
    } else if (word[++json->place] == 0) {
        tell(json, (enum tandem_json_type)(TANDEM_JSON_TRUE + json->digits));
        value_ended(json);
    }
}

/* ---- between texts ---- */

static void after_value(struct tandem_json *json, uint8_t byte)
{
    if (byte == ',')
        json->state = in_array(json) ? VALUE : KEY;
    else if (byte == '}' || byte == ']')
        close_level(json, byte);
    else
        json->state = FAILED;
}

static void structure_byte(struct tandem_json *json, uint8_t byte)
{
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r')
        return;
    switch (json->state) {
    case FIRST_VALUE:
        if (byte == ']') {
            close_level(json, byte);
            break;
        }
        begin_value(json, byte);
        break;
    case VALUE:
        begin_value(json, byte);
        break;
    case FIRST_KEY:
        if (byte == '}') {
            close_level(json, byte);
            break;
        }
        /* fall through */
    case KEY:
        if (byte == '"')
            begin_text(json, 1, STRING);
        else
            json->state = FAILED;
        break;
    case COLON:
        json->state = byte == ':' ? VALUE : FAILED;
        break;
    case AFTER:
        after_value(json, byte);
        break;
    default:
        json->state = FAILED;
        break;
    }
}

static void feed_byte(struct tandem_json *json, uint8_t byte)
{
    switch (json->state) {
    case STRING:
        string_byte(json, byte);
        break;
    case ESCAPE:
        escape(json, byte);
        break;
    case HEX:
        hex_digit(json, byte);
        break;
    case LOW_ESCAPE:
        json->state = byte == '\\' ? LOW_U : FAILED;
        break;
    case LOW_U:
        json->state = byte == 'u' ? HEX : FAILED;
        json->digits = 4;
        json->code = 0;
        break;
    case WORD:
        word_byte(json, byte);
        break;
    case NUMBER:
        if (!number_byte(json, byte))
            structure_byte(json, byte);
        break;
    case FAILED:
    case TOO_DEEP:
        break;
    default:
        structure_byte(json, byte);
        break;
    }
}

static enum tandem_status failure(const struct tandem_json *json)
{
    return json->state == FAILED ? TANDEM_ERROR_FORMAT : json->state == TOO_DEEP ? TANDEM_ERROR_SPACE : TANDEM_OK;
}

enum tandem_status tandem_json_feed(struct tandem_json *json, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        feed_byte(json, bytes[i]);
    return failure(json);
}

enum tandem_status tandem_json_end(struct tandem_json *json)
{
    if (json->state == NUMBER && json->depth == 0 && number_whole(json)) {
        tell(json, TANDEM_JSON_NUMBER);
        json->state = DONE;
    }
    return json->state == DONE ? TANDEM_OK : failure(json) != TANDEM_OK ? failure(json) : TANDEM_ERROR_TRUNCATED;
}
