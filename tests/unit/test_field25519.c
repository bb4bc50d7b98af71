/* The field of edwards25519 on extreme operands. */
#include "core/edwards.c"

#include "field_check.h"

static void test_operations(void)
{
    static const uint16_t multiply[] = {MUL(X, Y, Z), 0};
    static const uint16_t square[] = {MUL(X, Y, Y), 0};
    static const uint16_t add[] = {ADD(X, Y, Z), 0};
    static const uint16_t subtract[] = {SUB(X, Y, Z), 0};
    tandem_element reg[TANDEM_ED_REGISTERS];
    uint32_t want[8];

    for (int i = 0; i < FIELD_CASES; i++) {
        uint32_t *a = reg[TANDEM_ED_Y];
        uint32_t *b = reg[TANDEM_ED_Z];

        field_element(a, prime);
        field_element(b, prime);
        run(reg, multiply);
        field_product(want, a, b, prime);
        CHECK_BYTES(reg[TANDEM_ED_X], want, 32);
        run(reg, square);
        field_product(want, a, a, prime);
        CHECK_BYTES(reg[TANDEM_ED_X], want, 32);
        run(reg, add);
        field_sum(want, a, b, prime, 0);
        CHECK_BYTES(reg[TANDEM_ED_X], want, 32);
        run(reg, subtract);
        field_sum(want, a, b, prime, 1);
        CHECK_BYTES(reg[TANDEM_ED_X], want, 32);
    }
}

/* The reduction alone, on all that 16 words can hold: also what no product is. */
static void test_reduce(void)
{
    static const uint32_t words[] = {0, 0, 1, 0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFEu, 0x7FFFFFFFu, 38, 19, 0xFFFFFFEDu};
    uint32_t t[24];
    uint32_t got[8];
    uint32_t want[8];

    for (int i = 0; i < FIELD_CASES; i++) {
        for (int j = 0; j < 24; j++)
            t[j] = words[field_random() % 10];
        field_divide(want, t + 8, prime);
        reduce(got, t);
        CHECK_BYTES(got, want, 32);
    }
}

/* Scalars of 64 bytes mod L. */
static void test_scalar(void)
{
    static const uint8_t extremes[] = {0, 0xFF, 0xFE, 1, 0x10, 0xED, 0x80, 0x7F};
    uint8_t bytes[64];
    uint32_t t[16];
    uint32_t got[8];
    uint32_t want[8];

    for (int i = 0; i < FIELD_CASES / 50 + 1; i++) {
        for (int j = 0; j < 64; j++)
            bytes[j] = i % 2 ? extremes[field_random() % 8] : (uint8_t)field_random();
        for (int j = 0; j < 16; j++)
            t[j] = tandem_load_le32(bytes + 4 * j);
        field_divide(want, t, tandem_edwards_order);
        tandem_edwards_scalar(got, bytes);
        CHECK_BYTES(got, want, 32);
    }
}

int main(void)
{
    RUN(test_operations);
    RUN(test_reduce);
    RUN(test_scalar);
    return check_report();
}
