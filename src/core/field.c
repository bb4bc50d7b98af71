/*
 * The interpreter of formula tables, see field.h.
 */
#include "field.h"

static void multiply(const struct tandem_field *field, uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    uint32_t t[3 * TANDEM_WORDS];

    tandem_number_multiply(t + TANDEM_WORDS, a, b);
    field->reduce(r, t);
}

void tandem_field_run(const struct tandem_field *field, tandem_element *registers, const uint16_t *steps)
{
    for (uint32_t step; (step = *steps) != 0; steps++) {
        uint32_t *r = registers[(step >> 8) & 15u];
        const uint32_t *a = registers[(step >> 4) & 15u];
        const uint32_t *b = registers[step & 15u];

        switch (step >> 12) {
        case 1:
            multiply(field, r, a, b);
            break;
        case 2:
            tandem_number_add_mod(r, a, b, field->modulus);
            break;
        default:
            tandem_number_subtract_mod(r, a, b, field->modulus);
            break;
        }
    }
}
