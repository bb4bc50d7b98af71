/*
 * The curve edwards25519 (RFC 8032 §5.1), on a register file of field.h.
 * Points are extended coordinates (X : Y : Z : T), operands of an addition
 * are prepared (y - x, y + x, 2dt, 2z).
 */
#ifndef TANDEM_CORE_EDWARDS_H
#define TANDEM_CORE_EDWARDS_H

#include <stddef.h>

#include "field.h"

/* The registers. */
enum {
    TANDEM_ED_X, /* the point, x = X / Z, y = Y / Z, T = XY / Z */
    TANDEM_ED_Y,
    TANDEM_ED_Z,
    TANDEM_ED_T,
    TANDEM_ED_M, /* the operand: y - x */
    TANDEM_ED_P, /* y + x */
    TANDEM_ED_K, /* 2d · t */
    TANDEM_ED_D, /* 2z */
    TANDEM_ED_E, /* intermediate values */
    TANDEM_ED_F,
    TANDEM_ED_G,
    TANDEM_ED_H,
    TANDEM_ED_CURVE_D, /* constants */
    TANDEM_ED_ROOT,
    TANDEM_ED_BASE_X,
    TANDEM_ED_BASE_Y,
    TANDEM_ED_REGISTERS
};

/* The order of the base point, L. */
extern const uint32_t tandem_edwards_order[TANDEM_WORDS];

/* Point = the neutral element. */
void tandem_edwards_neutral(tandem_element *reg);
/* Point = point + point. */
void tandem_edwards_double(tandem_element *reg);
/* Point = point + operand. Complete: any two points. */
void tandem_edwards_add(tandem_element *reg);
/* The constants to their registers; point = the base point. */
void tandem_edwards_base(tandem_element *reg);
/* Operand = the point, which stays. Needs the constants. */
void tandem_edwards_prepare(tandem_element *reg);
/* The 32 bytes of the point (RFC 8032 §5.1.2). Overwrites the point. */
void tandem_edwards_encode(uint8_t *out, tandem_element *reg);
/* r = a number of 64 bytes, least significant first, mod L. */
void tandem_edwards_scalar(uint32_t *r, const uint8_t *bytes);
/* h = SHA-512(first, second, message) mod L; the first two are of 32 bytes, `second` may be NULL. */
void tandem_edwards_hash(uint32_t *h, const uint8_t *first, const uint8_t *second, const void *message, size_t size);
/* The 32 bytes of [s]B - [h]A. Returns 0 if the key is no A to use. Not for secrets. */
int tandem_edwards_combine(uint8_t *out, const uint32_t *s, const uint32_t *h, const uint8_t *key);

#endif
