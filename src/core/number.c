/*
 * Numbers of 256 bits, written for size: loops, no unrolling. The one place
 * that is worth a thought on a small machine is the product of two words.
 */
#include "number.h"
#include "bytes.h"

/*
 * Cores that multiply 32 × 32 bits to 32 bits only (Cortex-M0, M0+, M23) would
 * call the compiler's 64 × 64 routine; four products of halves are shorter.
 */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
static inline uint64_t product(uint32_t a, uint32_t b)
{
    uint32_t a0 = a & 0xFFFFu;
    uint32_t a1 = a >> 16;
    uint32_t b0 = b & 0xFFFFu;
    uint32_t b1 = b >> 16;
    uint32_t low = a0 * b0;
    uint32_t high = a1 * b1;
    uint32_t middle = a1 * b0;
    uint32_t other = a0 * b1;

    middle += other;
    if (middle < other)
        high += 0x10000u;
    return (((uint64_t)high << 32) | low) + ((uint64_t)middle << 16);
}
#else
static inline uint64_t product(uint32_t a, uint32_t b)
{
    return (uint64_t)a * b;
}
#endif

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

void tandem_number_multiply(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    for (int i = 0; i < TANDEM_WORDS; i++)
        r[i] = 0;
    for (int i = 0; i < TANDEM_WORDS; i++) {
        uint32_t carry = 0;

        for (int j = 0; j < TANDEM_WORDS; j++) {
            uint64_t sum = product(a[i], b[j]) + r[i + j] + carry;

            r[i + j] = (uint32_t)sum;
            carry = (uint32_t)(sum >> 32);
        }
        r[i + TANDEM_WORDS] = carry;
    }
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
