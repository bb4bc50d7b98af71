/*
 * Numbers of 256 bits: eight words, least significant first. The ground that
 * the fields of both curves and the scalars stand on. Nothing here branches on
 * the value of a number, so secrets may pass through, except where a name
 * says otherwise.
 */
#ifndef TANDEM_CORE_NUMBER_H
#define TANDEM_CORE_NUMBER_H

#include <stdint.h>

#include "tandem/config.h"

#define TANDEM_WORDS 8 /* words of a number */

/* Cores that multiply 32 × 32 bits to 32 bits only: a product of two words costs as much as ten sums. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define TANDEM_SLOW_PRODUCT 1
#endif

/* r = a small value. */
void tandem_number_set(uint32_t *r, uint32_t value);
/* r = a + (b & mask). r may be a or b. Returns the carry. */
uint32_t tandem_number_add(uint32_t *r, const uint32_t *a, const uint32_t *b, uint32_t mask);
/* r = a - b. r may be a or b. Returns the borrow. */
uint32_t tandem_number_subtract(uint32_t *r, const uint32_t *a, const uint32_t *b);
/* r += a * b for one word a. Returns the carry, the word above r. */
uint32_t tandem_number_row(uint32_t *r, const uint32_t *b, uint32_t a);
/* r[0 … 15] = a * b. r may not overlap a or b. */
void tandem_number_multiply(uint32_t *r, const uint32_t *a, const uint32_t *b);
/* high:low += x. Compilers for Thumb make much ado about a sum of 64 bits. */
static inline void tandem_number_accumulate(uint32_t *low, uint32_t *high, uint32_t x)
{
#if defined(__GNUC__) && defined(__thumb__) && TANDEM_CONFIG_ASSEMBLY
    __asm__(".syntax unified\n"
            "    adds %0, %0, %2\n"
            "    adcs %1, %1, %3\n"
            : "+l"(*low), "+l"(*high)
            : "l"(x), "l"(0)
            : "cc");
#else
    *low += x;
    *high += *low < x;
#endif
}
/* The bit at a place, 0 … 255. */
uint32_t tandem_number_bit(const uint32_t *a, int place);
/* 1 if a is zero, else 0. */
uint32_t tandem_number_is_zero(const uint32_t *a);
/* From 32 bytes, most significant first. */
void tandem_number_load_be(uint32_t *r, const uint8_t *bytes);
/* From 32 bytes, least significant first. */
void tandem_number_load_le(uint32_t *r, const uint8_t *bytes);

/* r = carry:r less m unless that is negative; for values below 2m. */
void tandem_number_reduce(uint32_t *r, uint32_t carry, const uint32_t *m);
/* r = a + b mod m, for a and b below m. */
void tandem_number_add_mod(uint32_t *r, const uint32_t *a, const uint32_t *b, const uint32_t *m);
/* r = a - b mod m, for a and b below m. */
void tandem_number_subtract_mod(uint32_t *r, const uint32_t *a, const uint32_t *b, const uint32_t *m);

#endif
