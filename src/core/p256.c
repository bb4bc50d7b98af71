/*
 * ECDSA verification on NIST P-256, for the images and devices that sign with
 * it. Jacobian coordinates; field elements are kept times 2^256 (Montgomery),
 * because this prime makes that reduction a handful of additions; scalars are
 * divided, not multiplied, so that the group order needs no arithmetic of its
 * own.
 *
 * FIPS 186-5 §6.4.2, SP 800-186 §3.2.1.3.
 */
#include <string.h>

#include "tandem/crypto.h"
#include "field.h"

/* The registers. */
enum {
    X, /* the point: x = X / Z^2, y = Y / Z^3; infinity where Z = 0 */
    Y,
    Z,
    OPERAND_X, /* the other point of an addition */
    OPERAND_Y,
    OPERAND_Z,
    A, /* intermediate values */
    B,
    C,
    TO_MONTGOMERY, /* a product with it takes a number to Montgomery form */
    G_X,           /* what the bits of the two scalars ask for: the base point, */
    G_Y,
    G_Z,
    Q_X, /* the key, */
    Q_Y,
    Q_Z,
    SUM, /* and the sum of the two, beyond the reach of steps */
    REGISTERS = SUM + 3
};
#define POINT (3 * sizeof(tandem_element)) /* bytes of a point */

/* p = 2^256 - 2^224 + 2^192 + 2^96 - 1 */
static const uint32_t prime[TANDEM_WORDS] = {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0x00000000,
                                             0x00000000, 0x00000000, 0x00000001, 0xFFFFFFFF};
/* n, the order of the group */
static const uint32_t order[TANDEM_WORDS] = {0xFC632551, 0xF3B9CAC2, 0xA7179E84, 0xBCE6FAAD,
                                             0xFFFFFFFF, 0xFFFFFFFF, 0x00000000, 0xFFFFFFFF};
/* What registers begin with: 2^512 mod p, and the base point in Montgomery form. */
static const uint32_t constants[][TANDEM_WORDS] = {
    {0x00000003, 0x00000000, 0xFFFFFFFF, 0xFFFFFFFB, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0x00000004},
    {0x18A9143C, 0x79E730D4, 0x5FEDB601, 0x75BA95FC, 0x77622510, 0x79FB732B, 0xA53755C6, 0x18905F76},
    {0xCE95560A, 0xDDF25357, 0xBA19E45C, 0x8B4AB8E4, 0xDD21F325, 0xD2E88688, 0x25885D85, 0x8571FF18}};

/*
 * Montgomery: r = t / 2^256 mod p. Because p = -1 mod 2^32, the multiple of p
 * that clears word k is word k itself, call it m.
 */
#if defined(TANDEM_SLOW_PRODUCT)
/*
 * Without products: m adds m at k + 3, k + 6 and k + 8 and takes m away at
 * k + 7 and at k, where it was. Gather by column: t[k] keeps m for k < 8 and
 * is zero once used for the others; the eight words below are zero. The
 * complement and the 1 carried along make the subtraction.
 */
static void reduce(uint32_t *r, uint32_t *t)
{
    uint32_t carry = 1;

    tandem_number_set(t, 0);
    for (uint32_t *end = t + 2 * TANDEM_WORDS; t < end; t++) {
        uint32_t sum = carry;

        carry = 0;
        tandem_number_accumulate(&sum, &carry, t[8]);
        tandem_number_accumulate(&sum, &carry, t[5]);
        tandem_number_accumulate(&sum, &carry, t[2]);
        tandem_number_accumulate(&sum, &carry, ~t[1]);
        tandem_number_accumulate(&sum, &carry, t[0]);
        t[8] = sum;
        if (t >= end - TANDEM_WORDS) {
            t[8] = 0;
            *r++ = sum;
        }
    }
    tandem_number_reduce(r - TANDEM_WORDS, carry - 1u, prime);
}
#else
static void reduce(uint32_t *r, uint32_t *t)
{
    uint32_t carry = 0;

    t += TANDEM_WORDS;
    for (const uint32_t *end = t + TANDEM_WORDS; t < end; t++) {
        uint32_t sum = tandem_number_row(t, prime, t[0]);
        uint32_t over = 0;

        tandem_number_accumulate(&sum, &over, carry);
        tandem_number_accumulate(&sum, &over, t[TANDEM_WORDS]);
        t[TANDEM_WORDS] = sum;
        carry = over;
    }
    tandem_number_add(r, t, prime, 0);
    tandem_number_reduce(r, carry, prime);
}
#endif

static void run(tandem_element *reg, const uint16_t *steps)
{
    static const struct tandem_field field = {prime, reduce};

    tandem_field_run(&field, reg, steps);
}

#define MUL(r, a, b) TANDEM_MUL(r, a, b)
#define ADD(r, a, b) TANDEM_ADD(r, a, b)
#define SUB(r, a, b) TANDEM_SUB(r, a, b)

/* Point = 2 · point; infinity stays. For a = -3: "dbl-2001-b" of D. Bernstein (2001), with Z3 = 2YZ. */
static const uint16_t twice[] = {MUL(A, Z, Z),
                                 MUL(B, Y, Y),
                                 MUL(Z, Y, Z),
                                 ADD(Z, Z, Z), /* delta, gamma, Z3 */
                                 MUL(Y, X, B),
                                 ADD(C, X, A),
                                 SUB(A, X, A),
                                 MUL(A, A, C), /* beta */
                                 ADD(C, A, A),
                                 ADD(A, A, C),
                                 ADD(Y, Y, Y),
                                 ADD(Y, Y, Y), /* alpha, 4 beta */
                                 MUL(X, A, A),
                                 SUB(X, X, Y),
                                 SUB(X, X, Y),
                                 SUB(Y, Y, X), /* X3 */
                                 MUL(Y, Y, A),
                                 ADD(B, B, B),
                                 MUL(B, B, B),
                                 ADD(B, B, B),
                                 SUB(Y, Y, B), /* Y3 */
                                 0};

/* Point = point + one of G, Q and their sum, asked for by 1, 2, 3. Whatever the two are. */
static void plus(tandem_element *reg, uint32_t bits)
{
    static const uint16_t meet[] = {MUL(A, OPERAND_Z, OPERAND_Z),
                                    MUL(X, X, A), /* U1 */
                                    MUL(A, A, OPERAND_Z),
                                    MUL(Y, Y, A), /* S1 */
#define AFFINE 4                                  /* U1 and S1 are X and Y if the operand's Z is one */
                                    MUL(A, Z, Z),
                                    MUL(B, OPERAND_X, A), /* U2 */
                                    MUL(A, A, Z),
                                    MUL(C, OPERAND_Y, A), /* S2 */
                                    SUB(B, B, X),         /* H = U2 - U1 */
                                    SUB(C, C, Y),         /* R = S2 - S1 */
                                    0};
    static const uint16_t end[] = {MUL(Z, Z, OPERAND_Z),
                                   MUL(Z, Z, B),
                                   MUL(A, B, B),
                                   MUL(B, B, A),
                                   MUL(A, X, A), /* Z3, H^3, U1 H^2 */
                                   MUL(X, C, C),
                                   SUB(X, X, B),
                                   SUB(X, X, A),
                                   SUB(X, X, A), /* X3 */
                                   SUB(A, A, X),
                                   MUL(A, A, C),
                                   MUL(B, B, Y),
                                   SUB(Y, A, B), /* Y3 */
                                   0};
    uint32_t at_infinity = tandem_number_is_zero(reg[Z]);

    memcpy(reg[OPERAND_X], reg[G_X + 3 * (bits - 1)], POINT);
    if (tandem_number_is_zero(reg[OPERAND_Z]))
        return;
    if (!at_infinity) {
        run(reg, bits == 3 ? meet : meet + AFFINE);
        if (!tandem_number_is_zero(reg[B]) || !tandem_number_is_zero(reg[C])) {
            run(reg, end); /* opposite points: H = 0 makes Z = 0 */
            return;
        }
    }
    memcpy(reg[X], reg[OPERAND_X], POINT);
    if (!at_infinity)
        run(reg, twice); /* the two are one point */
}

/* Point = [u]G + [v]Q. Needs Z = 0. */
static void combine(tandem_element *reg, const uint32_t *u, const uint32_t *v)
{
    plus(reg, 1);
    plus(reg, 2);
    memcpy(reg[SUM], reg[X], POINT);
    tandem_number_set(reg[Z], 0);
    for (int place = 255; place >= 0; place--) {
        uint32_t bits = tandem_number_bit(u, place) | tandem_number_bit(v, place) << 1;

        run(reg, twice);
        if (bits != 0)
            plus(reg, bits);
    }
}

/* a = (carry:a) / 2 */
static void halve(uint32_t *a, uint32_t carry)
{
    for (int i = TANDEM_WORDS - 1; i >= 0; i--) {
        uint32_t word = a[i];

        a[i] = word >> 1 | carry << 31;
        carry = word;
    }
}

/*
 * r = a / b mod n, b not zero: the binary algorithm of Euclid on (b, n), which
 * keeps b x = a u and b y = a v until u is 0, so that v is 1 and y the answer.
 */
static void divide(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    uint32_t store[2][2][TANDEM_WORDS];
    uint32_t(*p)[TANDEM_WORDS] = store[0]; /* u, x */
    uint32_t(*q)[TANDEM_WORDS] = store[1]; /* v, y */

    memcpy(p[0], b, sizeof p[0]);
    memcpy(p[1], a, sizeof p[1]);
    memcpy(q[0], order, sizeof order);
    tandem_number_set(q[1], 0);
    while (!tandem_number_is_zero(p[0])) {
        if (p[0][0] & 1u) {
            if (tandem_number_subtract(r, p[0], q[0])) { /* u is below v: change places */
                uint32_t(*swap)[TANDEM_WORDS] = p;

                p = q;
                q = swap;
            }
            tandem_number_subtract(p[0], p[0], q[0]);
            tandem_number_subtract_mod(p[1], p[1], q[1], order);
        }
        halve(p[0], 0);
        halve(p[1], tandem_number_add(p[1], p[1], order, 0u - (p[1][0] & 1u)));
    }
    memcpy(r, q[1], sizeof q[1]);
}

/* The constants and the key to their registers, Z = 0. Returns 0 if the key is no point of the curve. */
static int load_key(tandem_element *reg, const uint8_t *key)
{
    static const uint16_t steps[] = {/* x, y and 1 to Montgomery form */
                                     MUL(Q_X, Q_X, TO_MONTGOMERY), MUL(Q_Y, Q_Y, TO_MONTGOMERY),
                                     MUL(Q_Z, Q_Z, TO_MONTGOMERY), ADD(G_Z, Q_Z, Z),
                                     /* A = x^3 - 3x - y^2 */
                                     MUL(A, Q_X, Q_X), MUL(A, A, Q_X), SUB(A, A, Q_X), SUB(A, A, Q_X), SUB(A, A, Q_X),
                                     MUL(B, Q_Y, Q_Y), SUB(A, A, B),
                                     /* is the same for all points: -b, which need not be kept for that */
                                     MUL(C, G_X, G_X), MUL(C, C, G_X), SUB(C, C, G_X), SUB(C, C, G_X), SUB(C, C, G_X),
                                     MUL(B, G_Y, G_Y), SUB(C, C, B), SUB(A, A, C), 0};

    tandem_number_load_be(reg[Q_X], key);
    tandem_number_load_be(reg[Q_Y], key + 32);
    if (!tandem_number_subtract(reg[A], reg[Q_X], prime) || !tandem_number_subtract(reg[A], reg[Q_Y], prime))
        return 0;

    tandem_number_set(reg[Q_Z], 1);
    tandem_number_set(reg[Z], 0);
    memcpy(reg[TO_MONTGOMERY], constants, sizeof constants);
    run(reg, steps);
    return (int)tandem_number_is_zero(reg[A]);
}

/* 1 if the point's x is r mod n: r or r + n, compared as X = r Z^2. Changes r. */
static int has_x(tandem_element *reg, uint32_t *r)
{
    static const uint16_t steps[] = {MUL(A, A, TO_MONTGOMERY), MUL(B, Z, Z), MUL(A, A, B), SUB(A, A, X), 0};

    if (tandem_number_is_zero(reg[Z]))
        return 0;
    for (;;) {
        memcpy(reg[A], r, sizeof *reg);
        run(reg, steps);
        if (tandem_number_is_zero(reg[A]))
            return 1;
        if (tandem_number_add(r, r, order, 0xFFFFFFFFu) || !tandem_number_subtract(reg[A], r, prime))
            return 0;
    }
}

/* A number of 1 … n - 1 from 32 bytes, or 0. */
static int load_scalar(uint32_t *r, const uint8_t *bytes)
{
    uint32_t difference[TANDEM_WORDS];

    tandem_number_load_be(r, bytes);
    return tandem_number_subtract(difference, r, order) && !tandem_number_is_zero(r);
}

enum tandem_status tandem_p256_verify(const uint8_t signature[TANDEM_SIGNATURE_SIZE],
                                      const uint8_t key[TANDEM_P256_KEY_SIZE], const uint8_t digest[TANDEM_SHA256_SIZE])
{
    tandem_element reg[REGISTERS];
    uint32_t r[TANDEM_WORDS];
    uint32_t s[TANDEM_WORDS];
    uint32_t u[TANDEM_WORDS];
    uint32_t v[TANDEM_WORDS];

    if (!load_scalar(r, signature) || !load_scalar(s, signature + 32) || !load_key(reg, key))
        return TANDEM_ERROR_SIGNATURE;

    tandem_number_load_be(v, digest);
    tandem_number_reduce(v, 0, order);
    divide(u, v, s);
    divide(v, r, s);
    combine(reg, u, v);
    return has_x(reg, r) ? TANDEM_OK : TANDEM_ERROR_SIGNATURE;
}
