/*
 * Realtek images made for tests, from the rules of docs/images.md and by code
 * of its own: a reader that shares a mistake with its tests proves nothing.
 */
#ifndef TANDEM_TESTS_UNIT_REALTEK_FILES_H
#define TANDEM_TESTS_UNIT_REALTEK_FILES_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "tandem/crypto.h"

/* A layout as the reference has it. */
struct made_layout {
    uint8_t ic;
    unsigned control, digest, header;
    int old;
};

static const struct made_layout made_layouts[] = {
    {4, 0, 372, 1024, 1},    {5, 0, 372, 1024, 1},    {9, 0, 372, 1024, 1},    {12, 0, 372, 1024, 1},
    {11, 304, 272, 1024, 0}, {15, 416, 384, 1280, 0}, {16, 432, 400, 1024, 0},
};
#define MADE_LAYOUTS (sizeof made_layouts / sizeof made_layouts[0])

static inline void made_put(uint8_t *at, uint32_t value, unsigned bytes)
{
    while (bytes-- > 0) {
        *at++ = (uint8_t)value;
        value >>= 8;
    }
}

/* CRC-16/ARC, bit by bit. */
static inline uint16_t made_crc(uint16_t crc, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned low = ((uint32_t)crc ^ ((uint32_t)data[i] >> bit)) & 1u;

            crc = (uint16_t)((crc >> 1) ^ (low ? 0xA001u : 0));
        }
    return crc;
}

/* Write the control header, the digest, and the CRC if one is wanted. */
static inline void made_seal(uint8_t *image, const struct made_layout *layout, uint16_t id, uint32_t payload,
                             int with_crc)
{
    uint8_t *control = image + layout->control;
    uint32_t size = layout->header + payload;
    uint16_t crc = 0;
    struct tandem_sha256 hash;

    made_put(control + (layout->old ? 0 : 2), layout->ic, 1);
    made_put(control + (layout->old ? 1 : 3), 0, 1);
    made_put(control + (layout->old ? 2 : 4), 0x0101, 2);
    made_put(control + (layout->old ? 4 : 6), id, 2);
    made_put(control + 8, payload, 4);
    if (with_crc && !layout->old)
        made_put(control, made_crc(0, control + 2, size - layout->control - 2), 2);
    else if (!layout->old)
        made_put(control, 0, 2);
    tandem_sha256_init(&hash, NULL);
    if (layout->old) {
        tandem_sha256_update(&hash, image + 12, 372 - 12);
        tandem_sha256_update(&hash, image + 404, 752 - 404);
        tandem_sha256_update(&hash, image + 1008, size - 1008);
    } else {
        tandem_sha256_update(&hash, control, size - layout->control);
    }
    tandem_sha256_final(&hash, image + layout->digest);
    if (layout->old) {
        if (with_crc) { /* over the digest too */
            crc = made_crc(0, image + 12, 752 - 12);
            crc = made_crc(crc, image + 1008, size - 1008);
        }
        made_put(control + 6, crc, 2);
    }
}

/* An image of `payload` bytes at `image`, which has room for them and 1280 more. @return its size */
static inline uint32_t made_image(uint8_t *image, const struct made_layout *layout, uint16_t id, uint32_t payload,
                                  int with_crc)
{
    memset(image, 0xFF, layout->header);
    for (uint32_t i = 0; i < payload; i++)
        image[layout->header + i] = (uint8_t)(i * 7 + (i >> 8) + layout->ic);
    made_put(image + layout->control + 0x60, 0x00004001, 4); /* version 1.0.4 */
    made_seal(image, layout, id, payload, with_crc);
    return layout->header + payload;
}

/* Read a file of the vendor's; it has to be there. @return its bytes */
static inline uint32_t vendor_file(const char *folder, const char *name, uint8_t *out, size_t size)
{
    char path[1000];
    FILE *file;
    size_t taken;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    REQUIRE(file != NULL);
    taken = fread(out, 1, size, file);
    fclose(file);
    return (uint32_t)taken;
}

#endif
