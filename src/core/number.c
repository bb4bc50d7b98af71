/*
 * Numbers of 256 bits, written for size: loops, no unrolling. On Arm the inner
 * loops are those of number_arm.h.
 */
#include "number.h"
#include "bytes.h"

#if defined(__GNUC__) && defined(__OPTIMIZE__) && defined(__thumb__) && TANDEM_CONFIG_ASSEMBLY
#include "number_arm.h"
#else
#define NUMBER_ROW_C 1

uint32_t tandem_number_add(uint32_t *r, const uint32_t *a, const uint32_t *b, uint32_t mask)
{
    uint64_t sum = 0;

    for (int i = 0; i < TANDEM_WORDS; i++) {
        sum += (uint64_t)a[i] + (b[i] & mask);
        r[i] = (uint32_t)sum;
        sum >>= 32;
    }
    return (uint32_t)sum;
}

uint32_t tandem_number_subtract(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    uint32_t borrow = 0;

    for (int i = 0; i < TANDEM_WORDS; i++) {
        uint64_t difference = (uint64_t)a[i] - b[i] - borrow;

        r[i] = (uint32_t)difference;
        borrow = (uint32_t)(difference >> 32) & 1u;
    }
    return borrow;
}
#endif

#if defined(NUMBER_ROW_C)
uint32_t tandem_number_row(uint32_t *r, const uint32_t *b, uint32_t a)
{
    uint32_t carry = 0;

    for (int i = 0; i < TANDEM_WORDS; i++) {
        uint64_t sum = (uint64_t)a * b[i] + r[i] + carry;

        r[i] = (uint32_t)sum;
        carry = (uint32_t)(sum >> 32);
    }
    return carry;
}
#endif

void tandem_number_set(uint32_t *r, uint32_t value)
{
    r[0] = value; /* one by one: a loop would become a call of memset, and that works by bytes on small machines */
    r[1] = 0;
    r[2] = 0;
    r[3] = 0;
    r[4] = 0;
    r[5] = 0;
    r[6] = 0;
    r[7] = 0;
}

void tandem_number_multiply(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    tandem_number_set(r, 0);
    for (int i = 0; i < TANDEM_WORDS; i++, r++)
        r[TANDEM_WORDS] = tandem_number_row(r, b, a[i]);
}

uint32_t tandem_number_bit(const uint32_t *a, int place)
{
    return a[place >> 5] >> (place & 31) & 1u;
}

uint32_t tandem_number_is_zero(const uint32_t *a)
{
    uint32_t all = 0;

    for (int i = 0; i < TANDEM_WORDS; i++)
        all |= a[i];
    return 1u ^ ((all | (0u - all)) >> 31);
}

void tandem_number_load_be(uint32_t *r, const uint8_t *bytes)
{
    for (int i = 0; i < TANDEM_WORDS; i++)
        r[i] = tandem_load_be32(bytes + 28 - 4 * i);
}

void tandem_number_load_le(uint32_t *r, const uint8_t *bytes)
{
    for (int i = 0; i < TANDEM_WORDS; i++)
        r[i] = tandem_load_le32(bytes + 4 * i);
}

void tandem_number_reduce(uint32_t *r, uint32_t carry, const uint32_t *m)
{
    uint32_t borrow = tandem_number_subtract(r, r, m);

    tandem_number_add(r, r, m, carry - borrow); /* give m back if it was too much: all ones or zero */
}

void tandem_number_add_mod(uint32_t *r, const uint32_t *a, const uint32_t *b, const uint32_t *m)
{
    tandem_number_reduce(r, tandem_number_add(r, a, b, 0xFFFFFFFFu), m);
}

void tandem_number_subtract_mod(uint32_t *r, const uint32_t *a, const uint32_t *b, const uint32_t *m)
{
    uint32_t borrow = tandem_number_subtract(r, a, b);

    tandem_number_add(r, r, m, 0u - borrow);
}
