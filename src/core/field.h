/*
 * Arithmetic in a prime field, and a tiny interpreter: a curve's formulas are
 * tables of steps over a file of registers. A step is two bytes where a call
 * with three pointers is ten or more, and the tables read like the formulas
 * in the papers. Elements are always below the modulus.
 *
 * Flow depends on the table alone, never on values.
 */
#ifndef TANDEM_CORE_FIELD_H
#define TANDEM_CORE_FIELD_H

#include "number.h"

struct tandem_field {
    const uint32_t *modulus; /* the prime */
    /*
     * r = the product in t[8 … 23], brought below the modulus. All of t,
     * which begins with eight words of room, may be overwritten.
     */
    void (*reduce)(uint32_t *r, uint32_t *t);
};

typedef uint32_t tandem_element[TANDEM_WORDS]; /* one register */

/* Steps: register r = a · b, a + b, a - b. Zero ends a table. */
#define TANDEM_STEP(operation, r, a, b) (uint16_t)((operation) << 12 | (r) << 8 | (a) << 4 | (b))
#define TANDEM_MUL(r, a, b) TANDEM_STEP(1, r, a, b)
#define TANDEM_ADD(r, a, b) TANDEM_STEP(2, r, a, b)
#define TANDEM_SUB(r, a, b) TANDEM_STEP(3, r, a, b)

/* Take the steps of a table, which a zero ends, over at most 16 registers. */
void tandem_field_run(const struct tandem_field *field, tandem_element *registers, const uint16_t *steps);

#endif
