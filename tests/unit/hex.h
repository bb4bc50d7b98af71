/* Hexadecimal, as published vectors are written. */
#ifndef TANDEM_TESTS_UNIT_HEX_H
#define TANDEM_TESTS_UNIT_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Value of a hexadecimal digit, -1 for anything else. */
static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Bytes of a text of hexadecimal digits, up to the first other character. Returns how many. */
static inline size_t hex(uint8_t *out, const char *text)
{
    size_t size = 0;

    while (hex_digit(text[0]) >= 0 && hex_digit(text[1]) >= 0) {
        out[size++] = (uint8_t)(hex_digit(text[0]) * 16 + hex_digit(text[1]));
        text += 2;
    }
    return size;
}

#endif
