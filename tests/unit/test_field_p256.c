/* The field of P-256 and division by the group order, on extreme operands. */
#include "core/p256.c"

#include "field_check.h"

/* 2^256 mod p: one in Montgomery form */
static const uint32_t one[8] = {0x00000001, 0x00000000, 0x00000000, 0xFFFFFFFF,
                                0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE, 0x00000000};

static void test_operations(void)
{
    static const uint16_t multiply[] = {MUL(X, Y, Z), 0};
    static const uint16_t square[] = {MUL(X, Y, Y), 0};
    static const uint16_t add[] = {ADD(X, Y, Z), 0};
    static const uint16_t subtract[] = {SUB(X, Y, Z), 0};
    tandem_element reg[REGISTERS];
    uint32_t got[8];
    uint32_t want[8];

    for (int i = 0; i < FIELD_CASES; i++) {
        field_element(reg[Y], prime);
        field_element(reg[Z], prime);
        run(reg, multiply); /* a Montgomery product: times 2^256 it is the product */
        CHECK(field_below(reg[X], prime, 8));
        field_product(got, reg[X], one, prime);
        field_product(want, reg[Y], reg[Z], prime);
        CHECK_BYTES(got, want, 32);
        run(reg, square);
        field_product(got, reg[X], one, prime);
        field_product(want, reg[Y], reg[Y], prime);
        CHECK_BYTES(got, want, 32);
        run(reg, add);
        field_sum(want, reg[Y], reg[Z], prime, 0);
        CHECK_BYTES(reg[X], want, 32);
        run(reg, subtract);
        field_sum(want, reg[Y], reg[Z], prime, 1);
        CHECK_BYTES(reg[X], want, 32);
    }
}

static void test_divide(void)
{
    uint32_t a[8];
    uint32_t b[8];
    uint32_t quotient[8];
    uint32_t got[8];

    for (int i = 0; i < FIELD_CASES / 50 + 1; i++) {
        field_element(a, order);
        do
            field_element(b, order);
        while (tandem_number_is_zero(b));
        divide(quotient, a, b);
        CHECK(field_below(quotient, order, 8));
        field_product(got, quotient, b, order);
        CHECK_BYTES(got, a, 32);
    }
}

int main(void)
{
    RUN(test_operations);
    RUN(test_divide);
    return check_report();
}
