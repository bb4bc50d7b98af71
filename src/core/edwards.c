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
#include "window.h"

static const uint32_t prime[TANDEM_WORDS] = {0xFFFFFFED, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF,
                                             0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0x7FFFFFFF};
const uint32_t tandem_edwards_order[TANDEM_WORDS] = {0x5CF5D3ED, 0x5812631A, 0xA2F79CD6, 0x14DEF9DE,
                                                     0x00000000, 0x00000000, 0x00000000, 0x10000000};
/* d = -121665 / 121666 */
static const uint32_t curve_d[TANDEM_WORDS] = {0x135978A3, 0x75EB4DCA, 0x4141D8AB, 0x00700A4D,
                                               0x7779E898, 0x8CC74079, 0x2B6FFE73, 0x52036CEE};
/* 2^((p - 1) / 4), a root of -1 */
static const uint32_t root_of_minus_one[TANDEM_WORDS] = {0x4A0EA0B0, 0xC4EE1B27, 0xAD2FE478, 0x2F431806,
                                                         0x3DFBD7A7, 0x2B4D0099, 0x4FC1DF0B, 0x2B832480};
/* 1, 3, 5, 7 times the base point, z = 1: y - x, y + x, 2dxy */
static const uint32_t base[TANDEM_WINDOW_ODDS][3][TANDEM_WORDS] = {
    {{0xD740913E, 0x9D103905, 0xD140BEB3, 0xFD399F05, 0x688F8A09, 0xA5C18434, 0x98F81267, 0x44FD2F92},
     {0xF58C3B85, 0x2FBC93C6, 0xFB8C0E19, 0xCF932DC6, 0x643D42C2, 0x270B4898, 0x33D4BA65, 0x07CF9D3A},
     {0x877AAA68, 0xABC91205, 0xCCAAC49E, 0x26D9E823, 0xDD43598C, 0x5A1B7DCB, 0x9F0C65A8, 0x6F117B68}},
    {{0xA4FCD265, 0x56611FE8, 0xE5C1BA7D, 0x3BD353FD, 0x214BD6BD, 0x8131F31A, 0x555BDA62, 0x2AB91587},
     {0x4CEE9730, 0xAF25B0A8, 0xE8864B8A, 0x025A8430, 0x9F016732, 0xC11B5002, 0x9A80F8F4, 0x7A164E1B},
     {0x0DD0D889, 0x14AE933F, 0x1C35DA62, 0x58942322, 0x8CF2DB4C, 0xD170E545, 0x12B9B4C6, 0x5A2826AF}},
    {{0xA447D6BA, 0x7F9182C3, 0x4B2729B7, 0xD50014D1, 0xB864A087, 0xE33CF11C, 0xEB1B55F3, 0x154A7E73},
     {0x08A5BB33, 0xA212BC44, 0xC75EED02, 0x8D5048C3, 0x5ABFEC44, 0xDD1BEB0C, 0x46E206EB, 0x2945CCF1},
     {0x812A8285, 0xBCBBDBF1, 0xD0BDD1FC, 0x270E0807, 0x1BBDA72D, 0xB41B670B, 0x6B3BB69A, 0x43AABE69}},
    {{0xAA3221B1, 0xBA6F2C9A, 0x3BBA23A7, 0x6CA02153, 0x92192C3A, 0x9DEA764F, 0x2E5317E0, 0x1D6EDD5D},
     {0x944EA3BF, 0x6B1A5CD0, 0xB39DC0D2, 0x7470353A, 0x28542E49, 0x71B25282, 0x283C927E, 0x461BEA69},
     {0x01B8B3A2, 0xF1836DC8, 0x053EA49A, 0xB3035F47, 0x5877ADF3, 0x529C41BA, 0x6A0F90A7, 0x7A9FBB1C}}};

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

/* The end of every group operation. */
static void finish(tandem_element *reg, int with_t)
{
    static const uint16_t steps[] = {MUL(T, E, H), MUL(X, E, F), MUL(Y, G, H), MUL(Z, F, G), 0};

    run(reg, with_t ? steps : steps + 1);
}

void tandem_edwards_neutral(tandem_element *reg)
{
    memset(reg, 0, 4 * sizeof *reg);
    reg[TANDEM_ED_Y][0] = 1;
    reg[TANDEM_ED_Z][0] = 1;
}

void tandem_edwards_double(tandem_element *reg, int with_t)
{
    static const uint16_t steps[] = {MUL(E, X, X),
                                     MUL(G, Y, Y),
                                     ADD(H, E, G),
                                     ADD(X, X, Y),
                                     MUL(X, X, X),
                                     SUB(G, E, G),
                                     SUB(E, H, X),
                                     MUL(Z, Z, Z),
                                     ADD(Z, Z, Z),
                                     ADD(F, Z, G),
                                     0};

    run(reg, steps);
    finish(reg, with_t);
}

void tandem_edwards_add(tandem_element *reg, int negative, int with_t)
{
    /* The negative of a point swaps y - x with y + x and negates t. */
    static const uint16_t plus[] = {SUB(E, Y, X),
                                    MUL(E, E, M),
                                    ADD(G, Y, X),
                                    MUL(G, G, P),
                                    MUL(F, T, K),
                                    MUL(Z, Z, D),
                                    ADD(H, G, E),
                                    SUB(E, G, E),
                                    ADD(G, Z, F),
                                    SUB(F, Z, F),
                                    0};
    static const uint16_t minus[] = {SUB(E, Y, X),
                                     MUL(E, E, P),
                                     ADD(G, Y, X),
                                     MUL(G, G, M),
                                     MUL(F, T, K),
                                     MUL(Z, Z, D),
                                     ADD(H, G, E),
                                     SUB(E, G, E),
                                     SUB(G, Z, F),
                                     ADD(F, Z, F),
                                     0};

    run(reg, negative ? minus : plus);
    finish(reg, with_t);
}

void tandem_edwards_operand_base(tandem_element *reg, int index)
{
    memcpy(reg[TANDEM_ED_M], base[index], sizeof base[index]);
    memset(reg[TANDEM_ED_D], 0, sizeof *reg);
    reg[TANDEM_ED_D][0] = 2;
}

/* F = E^((p - 5) / 8), the exponent being 2^252 - 3: 250 ones, a zero, a one. */
static void power(tandem_element *reg)
{
    static const uint16_t keep[] = {ADD(G, F, H), 0}; /* H is zero */
    static const uint16_t square[] = {MUL(F, F, F), 0};
    static const uint16_t join[] = {MUL(F, F, G), 0};
    static const uint16_t one_more[] = {MUL(F, F, F), MUL(F, F, E), 0};
    static const uint16_t end[] = {MUL(F, F, F), MUL(F, F, F), MUL(F, F, E), 0};
    int ones = 1;

    memset(reg[TANDEM_ED_H], 0, sizeof *reg);
    memcpy(reg[TANDEM_ED_F], reg[TANDEM_ED_E], sizeof *reg);
    for (int bit = 0x40; bit > 0; bit >>= 1) {
        run(reg, keep);
        for (int i = 0; i < ones; i++)
            run(reg, square);
        run(reg, join);
        ones *= 2;
        if (250 & bit) {
            run(reg, one_more);
            ones++;
        }
    }
    run(reg, end);
}

void tandem_edwards_encode(uint8_t *out, tandem_element *reg)
{
    /* 1 / Z = Z^(p - 2), and p - 2 = 8 (2^252 - 3) + 3. */
    static const uint16_t steps[] = {MUL(F, F, F), MUL(F, F, F), MUL(F, F, F),
                                     MUL(F, F, Z), MUL(Z, Z, Z), MUL(F, F, Z),
                                     MUL(X, X, F), MUL(Y, Y, F), 0};

    memcpy(reg[TANDEM_ED_E], reg[TANDEM_ED_Z], sizeof *reg);
    power(reg);
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
    static const uint16_t before[] = {MUL(M, Y, Y), MUL(P, M, C), SUB(M, M, Z), ADD(P, P, Z),
                                      MUL(K, P, P), MUL(K, K, P), MUL(E, K, K), MUL(E, E, P),
                                      MUL(E, E, M), MUL(K, K, M), ADD(C, C, C), 0};
    static const uint16_t after[] = {MUL(X, F, K), MUL(E, X, X), MUL(E, E, P), SUB(F, E, M), ADD(E, E, M), 0};
    static const uint16_t turn[] = {MUL(X, X, D), 0};
    static const uint16_t negate[] = {SUB(X, H, X), 0}; /* H is zero */
    static const uint16_t end[] = {MUL(T, X, Y), 0};
    uint32_t sign = key[31] >> 7;

    tandem_edwards_neutral(reg);
    tandem_number_load_le(reg[TANDEM_ED_Y], key);
    reg[TANDEM_ED_Y][7] &= 0x7FFFFFFFu;
    if (!tandem_number_subtract(reg[TANDEM_ED_E], reg[TANDEM_ED_Y], prime))
        return 0; /* y is not below p */

    memcpy(reg[TANDEM_ED_C], curve_d, sizeof curve_d);
    run(reg, before);
    power(reg);
    run(reg, after);
    if (!tandem_number_is_zero(reg[TANDEM_ED_F])) {
        if (!tandem_number_is_zero(reg[TANDEM_ED_E]))
            return 0; /* u / v is no square */
        memcpy(reg[TANDEM_ED_D], root_of_minus_one, sizeof root_of_minus_one);
        run(reg, turn);
    }
    if ((reg[TANDEM_ED_X][0] & 1u) == sign)
        run(reg, negate);
    run(reg, end);
    return 1;
}

/* The operand of the point, to the registers and to a table. Needs C = 2d. */
static void prepare(tandem_element *reg, tandem_element *entry)
{
    static const uint16_t steps[] = {SUB(M, Y, X), ADD(P, Y, X), MUL(K, T, C), ADD(D, Z, Z), 0};

    run(reg, steps);
    memcpy(entry, reg[TANDEM_ED_M], 4 * sizeof *reg);
}

static void operand(tandem_element *reg, tandem_element *entry)
{
    memcpy(reg[TANDEM_ED_M], entry, 4 * sizeof *reg);
}

/* The operands of 1, 3, 5, 7 times the point. Returns 0 if eight times the point is neutral. */
static int odd_multiples(tandem_element *reg, tandem_element (*table)[4])
{
    prepare(reg, table[0]);
    tandem_edwards_double(reg, 1);
    prepare(reg, table[3]); /* twice the point rests in the place that is filled last */
    for (int i = 0; i < 4; i++) {
        operand(reg, table[i == 0 || i == 3 ? 0 : 3]);
        tandem_edwards_add(reg, 0, 1);
        if (i < 3)
            prepare(reg, table[i + 1]);
    }
    return !tandem_number_is_zero(reg[TANDEM_ED_X]);
}

int tandem_edwards_combine(uint8_t *out, const uint32_t *s, const uint32_t *h, const uint8_t *key)
{
    tandem_element reg[TANDEM_ED_REGISTERS];
    tandem_element table[TANDEM_WINDOW_ODDS][4];
    struct tandem_window of_s;
    struct tandem_window of_h;

    if (!decode_negative(reg, key) || !odd_multiples(reg, table))
        return 0;

    tandem_window_start(&of_s, s);
    tandem_window_start(&of_h, h);
    tandem_edwards_neutral(reg);
    for (int place = TANDEM_WINDOW_TOP; place >= 0; place--) {
        int i = tandem_window_step(&of_s, place);
        int j = tandem_window_step(&of_h, place);

        tandem_edwards_double(reg, i | j);
        if (i != 0) {
            tandem_edwards_operand_base(reg, (i < 0 ? -i : i) >> 1);
            tandem_edwards_add(reg, i < 0, j);
        }
        if (j != 0) {
            operand(reg, table[(j < 0 ? -j : j) >> 1]);
            tandem_edwards_add(reg, j < 0, 0);
        }
    }
    tandem_edwards_encode(out, reg);
    return 1;
}

void tandem_edwards_scalar(uint32_t *r, const uint8_t *bytes)
{
    uint32_t bit[TANDEM_WORDS] = {0};

    memset(r, 0, sizeof bit);
    for (int i = 511; i >= 0; i--) {
        bit[0] = (uint32_t)(bytes[i >> 3] >> (i & 7)) & 1u;
        tandem_number_add_mod(r, r, r, tandem_edwards_order);
        tandem_number_add_mod(r, r, bit, tandem_edwards_order);
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
