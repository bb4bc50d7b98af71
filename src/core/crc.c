/*
 * Cyclic redundancy checks, against accidents on a wire or in flash. Two
 * builds give the same values: loops over bits (the default, small) and
 * tables of 256 entries (fast).
 *
 * The parameters are those of the CRC RevEng catalogue.
 */
#include "tandem/crypto.h"

#ifndef TANDEM_CONFIG_CRC_TABLE
#define TANDEM_CONFIG_CRC_TABLE 0
#endif

#if TANDEM_CONFIG_CRC_TABLE

/*
 * A CRC is linear: the entry of a byte is the exclusive or of the entries of
 * its bits. So each table is spelled by its eight single-bit entries, and the
 * compiler works out the other 248.
 */
#define BIT(n, i, entry) (((n) >> (i)) & 1u ? (entry) : 0u)
#define ENTRY(n, e0, e1, e2, e3, e4, e5, e6, e7)                                                                     \
    (BIT(n, 0, e0) ^ BIT(n, 1, e1) ^ BIT(n, 2, e2) ^ BIT(n, 3, e3) ^ BIT(n, 4, e4) ^ BIT(n, 5, e5) ^ BIT(n, 6, e6) ^ \
     BIT(n, 7, e7))
#define FOUR(E, n) E(n), E((n) + 1u), E((n) + 2u), E((n) + 3u)
#define SIXTEEN(E, n) FOUR(E, n), FOUR(E, (n) + 4u), FOUR(E, (n) + 8u), FOUR(E, (n) + 12u)
#define SIXTY_FOUR(E, n) SIXTEEN(E, n), SIXTEEN(E, (n) + 16u), SIXTEEN(E, (n) + 32u), SIXTEEN(E, (n) + 48u)
#define TABLE(E) SIXTY_FOUR(E, 0u), SIXTY_FOUR(E, 64u), SIXTY_FOUR(E, 128u), SIXTY_FOUR(E, 192u)

#define CCITT(n) ENTRY(n, 0x1021u, 0x2042u, 0x4084u, 0x8108u, 0x1231u, 0x2462u, 0x48C4u, 0x9188u)
#define ARC(n) ENTRY(n, 0xC0C1u, 0xC181u, 0xC301u, 0xC601u, 0xCC01u, 0xD801u, 0xF001u, 0xA001u)
#define ISO_HDLC(n) \
    ENTRY(n, 0x77073096u, 0xEE0E612Cu, 0x076DC419u, 0x0EDB8832u, 0x1DB71064u, 0x3B6E20C8u, 0x76DC4190u, 0xEDB88320u)

static const uint16_t ccitt_table[256] = {TABLE(CCITT)};
static const uint16_t arc_table[256] = {TABLE(ARC)};
static const uint32_t iso_hdlc_table[256] = {TABLE(ISO_HDLC)};

uint16_t tandem_crc16(uint16_t crc, const void *data, size_t size)
{
    const uint8_t *p = data;
    uint32_t value = crc;

    while (size-- > 0)
        value = ((value << 8) & 0xFFFFu) ^ ccitt_table[(value >> 8) ^ *p++];
    return (uint16_t)value;
}

uint16_t tandem_crc16_reflected(uint16_t crc, const void *data, size_t size)
{
    const uint8_t *p = data;
    uint32_t value = crc;

    while (size-- > 0)
        value = (value >> 8) ^ arc_table[(value ^ *p++) & 0xFFu];
    return (uint16_t)value;
}

uint32_t tandem_crc32(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *p = data;

    while (size-- > 0)
        crc = (crc >> 8) ^ iso_hdlc_table[(crc ^ *p++) & 0xFFu];
    return crc;
}

#else

/* A reflected CRC of up to 32 bits, polynomial bit-reversed, low bit first. */
static uint32_t reflected(uint32_t crc, uint32_t polynomial, const uint8_t *p, size_t size)
{
    while (size-- > 0) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (polynomial & (0u - (crc & 1u)));
    }
    return crc;
}

uint16_t tandem_crc16(uint16_t crc, const void *data, size_t size)
{
    const uint8_t *p = data;
    uint32_t value = crc;

    while (size-- > 0) {
        value ^= (uint32_t)*p++ << 8;
        for (int bit = 0; bit < 8; bit++)
            value = (value << 1) ^ (0x11021u & (0u - ((value >> 15) & 1u)));
    }
    return (uint16_t)value;
}

uint16_t tandem_crc16_reflected(uint16_t crc, const void *data, size_t size)
{
    return (uint16_t)reflected(crc, 0xA001u, data, size);
}

uint32_t tandem_crc32(uint32_t crc, const void *data, size_t size)
{
    return reflected(crc, 0xEDB88320u, data, size);
}

#endif
