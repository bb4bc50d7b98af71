/*
 * Numbers, names and text from outside, in and out.
 */
#include "tool.h"

#include <stdlib.h>
#include <string.h>

char *tool_hex(char *text, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int tool_unhex(uint8_t *bytes, size_t size, const char *text)
{
    if (strlen(text) != 2 * size)
        return -1;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return -1;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

int tool_number(uint32_t *number, const char *text, uint32_t limit)
{
    uint32_t base = 10, value = 0;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (*text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        int digit = hex_digit(*text);
        if (digit < 0 || (uint32_t)digit >= base || value > (0xFFFFFFFFu - (uint32_t)digit) / base)
            return -1;
        value = value * base + (uint32_t)digit;
    }
    *number = value;
    return value <= limit ? 0 : -1;
}

void tool_print(FILE *out, const void *text, size_t size)
{
    const uint8_t *bytes = text;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] >= 0x20 && bytes[i] != 0x7F)
            fputc(bytes[i], out);
        else
            fprintf(out, "\\x%02x", bytes[i]);
    }
}

/* Bytes of the well-formed UTF-8 character at `bytes`; 0: it is not one. */
static size_t utf8_size(const uint8_t *bytes, size_t left)
{
    size_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xC2 ? 0 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    if (size == 0 || size > left || bytes[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    if ((bytes[0] == 0xE0 && bytes[1] < 0xA0) || (bytes[0] == 0xED && bytes[1] > 0x9F) ||
        (bytes[0] == 0xF0 && bytes[1] < 0x90) || (bytes[0] == 0xF4 && bytes[1] > 0x8F))
        return 0;
    return size;
}

void tool_print_json(FILE *out, const void *text, size_t size)
{
    const uint8_t *bytes = text;
    fputc('"', out);
    for (size_t i = 0; i < size;) {
        size_t part = utf8_size(bytes + i, size - i);
        if (part == 0)
            fputs("\\ufffd", out);
        else if (bytes[i] < 0x20 || bytes[i] == 0x7F)
            fprintf(out, "\\u%04x", bytes[i]);
        else if (bytes[i] == '"' || bytes[i] == '\\')
            fprintf(out, "\\%c", bytes[i]);
        else
            fwrite(bytes + i, 1, part, out);
        i += part == 0 ? 1 : part;
    }
    fputc('"', out);
}

/* The kinds that have a name; a product's own have numbers. */
static const struct {
    uint8_t kind;
    const char *name;
} kinds[] = {
    {TANDEM_KIND_APPLICATION, "app"}, {TANDEM_KIND_STACK, "stack"},     {TANDEM_KIND_CONFIG, "config"},
    {TANDEM_KIND_DATA, "data"},       {TANDEM_KIND_BOOTLOADER, "boot"},
};

const char *tool_kind(uint8_t kind, char text[TOOL_KIND_SIZE])
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    (void)snprintf(text, TOOL_KIND_SIZE, "0x%02x", kind);
    return text;
}

int tool_parse_kind(uint8_t *kind, const char *text)
{
    uint32_t number;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, text) == 0) {
            *kind = kinds[i].kind;
            return 0;
        }
    if (tool_number(&number, text, 0xFE) != 0 || number < 0x80)
        return -1;
    *kind = (uint8_t)number;
    return 0;
}
