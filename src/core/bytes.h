/*
 * Byte order: numbers in and out of byte strings, whatever the machine's own
 * order and alignment rules. Nothing here reads or writes more than its name
 * says.
 */
#ifndef TANDEM_CORE_BYTES_H
#define TANDEM_CORE_BYTES_H

#include <stdint.h>

/* 1: numbers in memory are little-endian, as on the wire: structs may be copied where their layout is the wire's. */
#if !defined(TANDEM_WIRE_ORDER)
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TANDEM_WIRE_ORDER 1
#else
#define TANDEM_WIRE_ORDER 0
#endif
#endif

static inline uint16_t tandem_load_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | ((uint32_t)p[1] << 8));
}

/* Cores that reach words at aligned places only take twenty bytes of code for one: there the two most in use are
 * functions, in bytes.c. */
#if defined(__thumb__) && !defined(__ARM_FEATURE_UNALIGNED) && !defined(TANDEM_BYTES)
uint32_t tandem_load_le32(const uint8_t *p);
void tandem_store_le32(uint8_t *p, uint32_t value);
#else
#if !defined(TANDEM_BYTES)
#define TANDEM_BYTES static inline
#endif
TANDEM_BYTES uint32_t tandem_load_le32(const uint8_t *p)
{
    return p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

TANDEM_BYTES void tandem_store_le32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}
#endif

static inline uint64_t tandem_load_le64(const uint8_t *p)
{
    return tandem_load_le32(p) | ((uint64_t)tandem_load_le32(p + 4) << 32);
}

static inline uint16_t tandem_load_be16(const uint8_t *p)
{
    return (uint16_t)(((uint32_t)p[0] << 8) | p[1]);
}

static inline uint32_t tandem_load_be32(const uint8_t *p)
{
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline uint64_t tandem_load_be64(const uint8_t *p)
{
    return ((uint64_t)tandem_load_be32(p) << 32) | tandem_load_be32(p + 4);
}

static inline void tandem_store_le16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static inline void tandem_store_le64(uint8_t *p, uint64_t value)
{
    tandem_store_le32(p, (uint32_t)value);
    tandem_store_le32(p + 4, (uint32_t)(value >> 32));
}

static inline void tandem_store_be16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void tandem_store_be32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

static inline void tandem_store_be64(uint8_t *p, uint64_t value)
{
    tandem_store_be32(p, (uint32_t)(value >> 32));
    tandem_store_be32(p + 4, (uint32_t)value);
}

#endif
