/*
 * File names that say what is in them.
 */
#include "tandem/file_name.h"

#include <string.h>

#define FIELDS 4
#define FIELD_MAX 99
#define EXTENSION 4 /* characters, with the dot */

static size_t length_of(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes that a name of a product may have in a file's name, on any system. */
static int is_product(const char *text, size_t size)
{
    if (size == 0 || size > TANDEM_NAME_SIZE_MAX || text[0] == '.')
        return 0;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F || text[i] == '/' || text[i] == '\\' || text[i] == ':')
            return 0;
    return 1;
}

/* The same letters, whatever their case; `small` is in small ones. */
static int is_same(const char *text, const char *small, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != small[i])
            return 0;
    }
    return 1;
}

/* Four numbers with dots between them, and nothing else. */
static int take_version(const char *text, size_t size, struct tandem_version *version)
{
    unsigned numbers[FIELDS] = {0};
    size_t at = 0;
    for (unsigned i = 0; i < FIELDS; i++) {
        if (i != 0 && (at == size || text[at++] != '.'))
            return 0;
        if (at == size || !is_digit(text[at]))
            return 0;
        numbers[i] = (unsigned)(text[at++] - '0');
        if (at < size && is_digit(text[at]))
            numbers[i] = numbers[i] * 10 + (unsigned)(text[at++] - '0');
    }
    version->major = (uint16_t)numbers[0];
    version->minor = (uint16_t)numbers[1];
    version->patch = numbers[2];
    version->build = numbers[3];
    return at == size;
}

enum tandem_status tandem_file_name_parse(struct tandem_file_name *parsed, const char *name)
{
    size_t size = length_of(name);
    if (size < EXTENSION)
        return TANDEM_ERROR_FORMAT;
    size -= EXTENSION;
    if (!is_same(name + size, ".bin", EXTENSION) && !is_same(name + size, ".tdm", EXTENSION))
        return TANDEM_ERROR_FORMAT;
    size_t mark = size;
    while (mark >= 2 && !(name[mark - 2] == '_' && name[mark - 1] == 'V'))
        mark--;
    if (mark < 2 || !take_version(name + mark, size - mark, &parsed->version) || !is_product(name, mark - 2))
        return TANDEM_ERROR_FORMAT;
    parsed->product = name;
    parsed->product_size = mark - 2;
    return TANDEM_OK;
}

static int is_called(const struct tandem_file_name *parsed, const char *name)
{
    return name != NULL && length_of(name) == parsed->product_size &&
           memcmp(name, parsed->product, parsed->product_size) == 0;
}

int tandem_file_name_fits(const struct tandem_file_name *parsed, const char *product, const char *alias)
{
    return is_called(parsed, product) || is_called(parsed, alias);
}

enum tandem_status tandem_file_name_build(char *out, size_t size, const char *product,
                                          const struct tandem_version *version)
{
    const uint32_t numbers[FIELDS] = {version->major, version->minor, version->patch, version->build};
    size_t at = length_of(product);
    if (!is_product(product, at))
        return TANDEM_ERROR_ARGUMENT;
    for (unsigned i = 0; i < FIELDS; i++)
        if (numbers[i] > FIELD_MAX)
            return TANDEM_ERROR_ARGUMENT;
    if (size < at + sizeof "_V00.00.00.00.bin")
        return TANDEM_ERROR_SPACE;
    memcpy(out, product, at);
    memcpy(out + at, "_V00.00.00.00.bin", sizeof "_V00.00.00.00.bin");
    for (unsigned i = 0; i < FIELDS; i++) {
        out[at + 2 + 3 * i] = (char)('0' + numbers[i] / 10);
        out[at + 3 + 3 * i] = (char)('0' + numbers[i] % 10);
    }
    return TANDEM_OK;
}
