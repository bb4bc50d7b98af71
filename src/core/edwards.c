/*
 * The curve edwards25519: its field, its formulas, its encoding, and the one
 * sum that a verification needs.
 *
 * RFC 8032 §5.1; formulas of H. Hisil, K. Wong, G. Carter, E. Dawson,
 * "Twisted Edwards Curves Revisited" (2008), for a = -1.
 */
#include <string.h>

#include "tandem/crypto.h"
#include "edwards.h"
#include "bytes.h"

static const uint32_t prime[TANDEM_WORDS] = {0xFFFFFFED, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF,
                                             0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0x7FFFFFFF};
const uint32_t tandem_edwards_order[TANDEM_WORDS] = {0x5CF5D3ED, 0x5812631A, 0xA2F79CD6, 0x14DEF9DE,
                                                     0x00000000, 0x00000000, 0x00000000, 0x10000000};
/* What registers begin with. */
static const uint32_t constants[][TANDEM_WORDS] = {
    /* d = -121665 / 121666 */
    {0x135978A3, 0x75EB4DCA, 0x4141D8AB, 0x00700A4D, 0x7779E898, 0x8CC74079, 0x2B6FFE73, 0x52036CEE},
    /* 2^((p - 1) / 4), a root of -1 */
    {0x4A0EA0B0, 0xC4EE1B27, 0xAD2FE478, 0x2F431806, 0x3DFBD7A7, 0x2B4D0099, 0x4FC1DF0B, 0x2B832480},
    /* the base point: x, y */
    {0x8F25D51A, 0xC9562D60, 0x9525A7B2, 0x692CC760, 0xFDD6DC5C, 0xC0A4E231, 0xCD6E53FE, 0x216936D3},
    {0x66666658, 0x66666666, 0x66666666, 0x66666666, 0x66666666, 0x66666666, 0x66666666, 0x66666666}};

/* 2^256 = 38 and 2^255 = 19 mod p: fold the upper half in, then what is above bit 255, then the rest of p. */
static void reduce(uint32_t *r, uint32_t *t)
{
    uint32_t carry;

    t += TANDEM_WORDS;
    carry = tandem_number_row(t, t + TANDEM_WORDS, 38);
    carry = (carry << 1 | t[7] >> 31) * 19u;
    t[7] &= 0x7FFFFFFFu;
    tandem_number_set(t + TANDEM_WORDS, carry);
    tandem_number_add(r, t, t + TANDEM_WORDS, 0xFFFFFFFFu);
    tandem_number_reduce(r, 0, prime);
}

static void run(tandem_element *reg, const uint16_t *steps)
{
    static const struct tandem_field field = {prime, reduce};

    tandem_field_run(&field, reg, steps);
}

/* Short names for the tables below. */
#define MUL(r, a, b) TANDEM_MUL(TANDEM_ED_##r, TANDEM_ED_##a, TANDEM_ED_##b)
#define ADD(r, a, b) TANDEM_ADD(TANDEM_ED_##r, TANDEM_ED_##a, TANDEM_ED_##b)
#define SUB(r, a, b) TANDEM_SUB(TANDEM_ED_##r, TANDEM_ED_##a, TANDEM_ED_##b)

/* What every group operation ends with. */
#define FINISH MUL(T, E, H), MUL(X, E, F), MUL(Y, G, H), MUL(Z, F, G), 0

void tandem_edwards_neutral(tandem_element *reg)
{
    memset(reg, 0, 4 * sizeof *reg);
    reg[TANDEM_ED_Y][0] = 1;
    reg[TANDEM_ED_Z][0] = 1;
}

void tandem_edwards_double(tandem_element *reg)
{
    static const uint16_t steps[] = {MUL(E, X, X), MUL(G, Y, Y), ADD(H, E, G), ADD(X, X, Y), MUL(X, X, X), SUB(G, E, G),
                                     SUB(E, H, X), MUL(Z, Z, Z), ADD(Z, Z, Z), ADD(F, Z, G), FINISH};

    run(reg, steps);
}

void tandem_edwards_add(tandem_element *reg)
{
    static const uint16_t steps[] = {SUB(E, Y, X), MUL(E, E, M), ADD(G, Y, X), MUL(G, G, P), MUL(F, T, K), MUL(Z, Z, D),
                                     ADD(H, G, E), SUB(E, G, E), ADD(G, Z, F), SUB(F, Z, F), FINISH};

    run(reg, steps);
}

void tandem_edwards_base(tandem_element *reg)
{
    static const uint16_t steps[] = {ADD(X, X, BASE_X), ADD(Y, T, BASE_Y), MUL(T, X, Y), 0};

    memcpy(reg[TANDEM_ED_CURVE_D], constants, sizeof constants);
    tandem_edwards_neutral(reg); /* X and T are zero */
    run(reg, steps);
}

void tandem_edwards_prepare(tandem_element *reg)
{
    static const uint16_t steps[] = {SUB(M, Y, X), ADD(P, Y, X), MUL(K, T, CURVE_D), ADD(K, K, K), ADD(D, Z, Z), 0};

    run(reg, steps);
}

/* F = E^(2^bits - 256 + low): ones, then the byte `low`. */
static void power(tandem_element *reg, int bits, uint32_t low)
{
    static const uint16_t square[] = {MUL(F, F, F), 0};
    static const uint16_t times[] = {MUL(F, F, E), 0};

    memcpy(reg[TANDEM_ED_F], reg[TANDEM_ED_E], sizeof *reg);
    for (int bit = bits - 2; bit >= 0; bit--) {
        run(reg, square);
        if (bit >= 8 || (low >> bit & 1))
            run(reg, times);
    }
}

void tandem_edwards_encode(uint8_t *out, tandem_element *reg)
{
    static const uint16_t steps[] = {MUL(X, X, F), MUL(Y, Y, F), 0};

    memcpy(reg[TANDEM_ED_E], reg[TANDEM_ED_Z], sizeof *reg);
    power(reg, 255, 0xEB); /* 1 / Z = Z^(p - 2) */
    run(reg, steps);
    for (int i = 0; i < TANDEM_WORDS; i++)
        tandem_store_le32(out + 4 * i, reg[TANDEM_ED_Y][i]);
    out[31] |= (uint8_t)(reg[TANDEM_ED_X][0] << 7);
}

/*
 * Point = the negative of an encoded point (RFC 8032 §5.1.3), 0 if there is
 * none. An x of zero with its sign set passes here: such points are of small
 * order, which the caller refuses.
 */
static int decode_negative(tandem_element *reg, const uint8_t *key)
{
    /* u = y^2 - 1, v = d y^2 + 1, x = u v^3 (u v^7)^((p - 5) / 8) */
    static const uint16_t before[] = {MUL(M, Y, Y),
                                      MUL(P, M, CURVE_D),
                                      SUB(M, M, Z),
                                      ADD(P, P, Z),
                                      MUL(K, P, P),
                                      MUL(K, K, P),
                                      MUL(E, K, K),
                                      MUL(E, E, P),
                                      MUL(E, E, M),
                                      MUL(K, K, M),
                                      0};
    static const uint16_t after[] = {MUL(X, F, K), MUL(E, X, X), MUL(E, E, P), SUB(F, E, M), ADD(E, E, M), 0};
    static const uint16_t turn[] = {MUL(X, X, ROOT), 0};
    static const uint16_t end[] = {SUB(X, T, X), /* negate: T is zero */
                                   MUL(T, X, Y), 0};
    uint32_t sign = key[31] >> 7;

    tandem_edwards_neutral(reg);
    tandem_number_load_le(reg[TANDEM_ED_Y], key);
    reg[TANDEM_ED_Y][7] &= 0x7FFFFFFFu;
    if (!tandem_number_subtract(reg[TANDEM_ED_E], reg[TANDEM_ED_Y], prime))
        return 0; /* y is not below p */

    run(reg, before);
    power(reg, 252, 0xFD);
    run(reg, after);
    if (!tandem_number_is_zero(reg[TANDEM_ED_F])) {
        if (!tandem_number_is_zero(reg[TANDEM_ED_E]))
            return 0; /* u / v is no square */
        run(reg, turn);
    }
    run(reg, (reg[TANDEM_ED_X][0] & 1u) == sign ? end : end + 1);
    return 1;
}

/* The operand of the point, to a table. */
static void keep(tandem_element *reg, tandem_element *entry)
{
    tandem_edwards_prepare(reg);
    memcpy(entry, reg[TANDEM_ED_M], 4 * sizeof *reg);
}

static void operand(tandem_element *reg, tandem_element *entry)
{
    memcpy(reg[TANDEM_ED_M], entry, 4 * sizeof *reg);
}

int tandem_edwards_combine(uint8_t *out, const uint32_t *s, const uint32_t *h, const uint8_t *key)
{
    tandem_element reg[TANDEM_ED_REGISTERS];
    tandem_element table[3][4]; /* B, -A, B - A: what the bits of s and h ask for */

    tandem_edwards_base(reg);
    keep(reg, table[0]);
    if (!decode_negative(reg, key))
        return 0;
    keep(reg, table[1]);
    for (int i = 0; i < 3; i++)
        tandem_edwards_double(reg);
    if (tandem_number_is_zero(reg[TANDEM_ED_X]))
        return 0; /* eight times the key is neutral: it is of small order */
    tandem_edwards_neutral(reg);
    tandem_edwards_add(reg); /* the operand is still -A */
    operand(reg, table[0]);
    tandem_edwards_add(reg);
    keep(reg, table[2]);

    tandem_edwards_neutral(reg);
    for (int place = 255; place >= 0; place--) {
        uint32_t bits = tandem_number_bit(s, place) | tandem_number_bit(h, place) << 1;

        tandem_edwards_double(reg);
        if (bits != 0) {
            operand(reg, table[bits - 1]);
            tandem_edwards_add(reg);
        }
    }
    tandem_edwards_encode(out, reg);
    return 1;
}

void tandem_edwards_scalar(uint32_t *r, const uint8_t *bytes)
{
    tandem_number_set(r, 0);
    for (int i = 511; i >= 0; i--) {
        tandem_number_add(r, r, r, 0xFFFFFFFFu);
        r[0] |= (uint32_t)(bytes[i >> 3] >> (i & 7)) & 1u;
        tandem_number_reduce(r, 0, tandem_edwards_order);
    }
}

/* Here and not beside its callers, so that its state is off the stack before the sum is on it. */
void tandem_edwards_hash(uint32_t *h, const uint8_t *first, const uint8_t *second, const void *message, size_t size)
{
    struct tandem_sha512 hash;
    uint8_t digest[TANDEM_SHA512_SIZE];

    tandem_sha512_init(&hash);
    tandem_sha512_update(&hash, first, 32);
    if (second != NULL)
        tandem_sha512_update(&hash, second, 32);
    tandem_sha512_update(&hash, message, size);
    tandem_sha512_final(&hash, digest);
    tandem_edwards_scalar(h, digest);
    tandem_wipe(digest, sizeof digest);
}
