/*
 * Versions: order, text, bytes.
 */
#include "tandem/version.h"

#include <string.h>

#include "core/bytes.h"

int tandem_version_compare(const struct tandem_version *a, const struct tandem_version *b)
{
    uint32_t x = a->major, y = b->major; /* the first numbers that differ */
    if (x == y) {
        x = a->minor;
        y = b->minor;
    }
    if (x == y) {
        x = a->patch;
        y = b->patch;
    }
    if (x == y) {
        x = a->build;
        y = b->build;
    }
    return (x > y) - (x < y);
}

#if TANDEM_WIRE_ORDER
/* The struct is laid out as the wire is. */
typedef char tandem_version_check[sizeof(struct tandem_version) == TANDEM_VERSION_WIRE_SIZE ? 1 : -1];

void tandem_version_store(const struct tandem_version *version, uint8_t bytes[TANDEM_VERSION_WIRE_SIZE])
{
    memcpy(bytes, version, sizeof *version);
}

void tandem_version_load(struct tandem_version *version, const uint8_t bytes[TANDEM_VERSION_WIRE_SIZE])
{
    memcpy(version, bytes, sizeof *version);
}
#else
void tandem_version_store(const struct tandem_version *version, uint8_t bytes[TANDEM_VERSION_WIRE_SIZE])
{
    tandem_store_le16(bytes, version->major);
    tandem_store_le16(bytes + 2, version->minor);
    tandem_store_le32(bytes + 4, version->patch);
    tandem_store_le32(bytes + 8, version->build);
}

void tandem_version_load(struct tandem_version *version, const uint8_t bytes[TANDEM_VERSION_WIRE_SIZE])
{
    version->major = tandem_load_le16(bytes);
    version->minor = tandem_load_le16(bytes + 2);
    version->patch = tandem_load_le32(bytes + 4);
    version->build = tandem_load_le32(bytes + 8);
}
#endif

static size_t put_number(char *text, uint32_t number)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < count; i++)
        text[i] = digits[count - 1 - i];
    return count;
}

size_t tandem_version_format(const struct tandem_version *version, char *text)
{
    size_t at = put_number(text, version->major);
    text[at++] = '.';
    at += put_number(text + at, version->minor);
    text[at++] = '.';
    at += put_number(text + at, version->patch);
    if (version->build != 0) {
        text[at++] = '+';
        at += put_number(text + at, version->build);
    }
    text[at] = '\0';
    return at;
}

/* Read one number of at most `limit`; returns the character after it, or NULL. */
static const char *take_number(const char *text, uint32_t limit, uint32_t *number)
{
    uint32_t value = 0;
    if (*text < '0' || *text > '9')
        return NULL;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint32_t digit = (uint32_t)(*text - '0');
        if (value > (limit - digit) / 10)
            return NULL;
        value = value * 10 + digit;
    }
    *number = value;
    return text;
}

enum tandem_status tandem_version_parse(struct tandem_version *version, const char *text)
{
    static const uint32_t limits[4] = {0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF};
    uint32_t numbers[4] = {0, 0, 0, 0};
    unsigned count = 0;
    for (;;) {
        text = take_number(text, limits[count], &numbers[count]);
        if (text == NULL)
            return TANDEM_ERROR_FORMAT;
        count++;
        if (count == 4 || (*text != '.' && *text != '+'))
            break;
        if (*text == '+')
            count = 3; /* what follows is the build number */
        text++;
    }
    if (*text != '\0')
        return TANDEM_ERROR_FORMAT;
    version->major = (uint16_t)numbers[0];
    version->minor = (uint16_t)numbers[1];
    version->patch = numbers[2];
    version->build = numbers[3];
    return TANDEM_OK;
}
