/*
 * Field arithmetic against long division. Random operands meet no rare carry;
 * these are made of words that are all zeros, all ones, or one away, so that
 * carries run through whole numbers and results fall on the modulus itself.
 */
#ifndef TANDEM_TESTS_UNIT_FIELD_CHECK_H
#define TANDEM_TESTS_UNIT_FIELD_CHECK_H

#include "check.h"

#ifndef FIELD_CASES
#define FIELD_CASES 20000
#endif

static uint64_t field_state = 0x66696C6421ULL; /* xorshift64*, as in test_engine_peer.c */

static uint32_t field_random(void)
{
    field_state ^= field_state >> 12;
    field_state ^= field_state << 25;
    field_state ^= field_state >> 27;
    return (uint32_t)((field_state * 0x2545F4914F6CDD1DULL) >> 32);
}

/* 1 if the `words` words of a are below those of b. */
static int field_below(const uint32_t *a, const uint32_t *b, int words)
{
    for (int i = words - 1; i >= 0; i--) {
        if (a[i] != b[i])
            return a[i] < b[i];
    }
    return 0;
}

/* r = t mod m by shifting and subtracting, a bit at a time; t of 16 words. */
static void field_divide(uint32_t *r, const uint32_t *t, const uint32_t *m)
{
    uint32_t rest[9] = {0};
    uint32_t modulus[9] = {0};

    memcpy(modulus, m, 32);
    for (int bit = 511; bit >= 0; bit--) {
        uint32_t in = (t[bit >> 5] >> (bit & 31)) & 1u;

        for (int i = 0; i < 9; i++) {
            uint32_t out = rest[i] >> 31;

            rest[i] = rest[i] << 1 | in;
            in = out;
        }
        if (!field_below(rest, modulus, 9)) {
            uint64_t borrow = 0;

            for (int i = 0; i < 9; i++) {
                uint64_t difference = (uint64_t)rest[i] - modulus[i] - borrow;

                rest[i] = (uint32_t)difference;
                borrow = (difference >> 32) & 1u;
            }
        }
    }
    memcpy(r, rest, 32);
}

/* r = a b mod m, the plain way. */
static void field_product(uint32_t *r, const uint32_t *a, const uint32_t *b, const uint32_t *m)
{
    uint32_t t[16] = {0};

    for (int i = 0; i < 8; i++) {
        uint64_t carry = 0;

        for (int j = 0; j < 8; j++) {
            carry += (uint64_t)a[i] * b[j] + t[i + j];
            t[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        t[i + 8] = (uint32_t)carry;
    }
    field_divide(r, t, m);
}

/* r = a + b mod m, or a - b mod m, the plain way. */
static void field_sum(uint32_t *r, const uint32_t *a, const uint32_t *b, const uint32_t *m, int negative)
{
    uint32_t t[16] = {0};
    uint64_t carry = 0;

    for (int i = 0; i < 8; i++) { /* a - b is a + m - b */
        carry += (uint64_t)a[i] + (negative ? m[i] : b[i]);
        t[i] = (uint32_t)carry;
        carry >>= 32;
    }
    t[8] = (uint32_t)carry;
    if (negative) {
        uint64_t borrow = 0;

        for (int i = 0; i < 9; i++) {
            uint64_t difference = (uint64_t)t[i] - (i < 8 ? b[i] : 0) - borrow;

            t[i] = (uint32_t)difference;
            borrow = (difference >> 32) & 1u;
        }
    }
    field_divide(r, t, m);
}

/* An element of extreme words: small, or the modulus less a little, or any mixture. */
static void field_element(uint32_t *r, const uint32_t *m)
{
    static const uint32_t words[] = {0, 0, 1, 0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFEu, 0x80000000u, 0x7FFFFFFFu};
    uint32_t kind = field_random() % 8;

    do {
        for (int i = 0; i < 8; i++) {
            if (kind == 0)
                r[i] = field_random();
            else if (kind == 1)
                r[i] = i == 0 ? field_random() % 40 : 0;
            else if (kind == 2)
                r[i] = m[i];
            else
                r[i] = words[field_random() % 8];
        }
        if (kind == 2) { /* the low word of either modulus is large enough */
            r[0] -= 1 + field_random() % 40;
        }
        if (!field_below(r, m, 8) && m[7] == 0x7FFFFFFFu)
            r[7] &= 0x7FFFFFFFu;
    } while (!field_below(r, m, 8));
}

#endif
