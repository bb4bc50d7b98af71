/*
 * A scalar, recoded on the way down: signed windows of four bits, whose odd
 * digits (1, 3, 5, 7 and their negatives) are one in five places on average.
 * Going from the top, nothing has to be stored. Not for secret scalars.
 *
 * The recoding is that of R. M. Avanzi, "A Note on the Signed Sliding Window
 * Integer Recoding and a Left-to-Right Analogue" (SAC 2004): windows over the
 * digits k[i - 1] - k[i], which represent 2k - k = k.
 */
#ifndef TANDEM_CORE_WINDOW_H
#define TANDEM_CORE_WINDOW_H

#include <stdint.h>

#define TANDEM_WINDOW_TOP 256 /* the place of the first step */
#define TANDEM_WINDOW_ODDS 4  /* 1, 3, 5, 7 times the point: the table that the digits ask for */

struct tandem_window {
    const uint32_t *scalar; /* eight words */
    int free;               /* places from here down are not yet in a window */
    int place;              /* place of the digit of the last window */
    int digit;              /* the digit: odd, -7 … 7 */
};

/* Begin with a scalar below 2^256. */
void tandem_window_start(struct tandem_window *window, const uint32_t *scalar);
/* The digit at a place, 0 for none. To be called with TANDEM_WINDOW_TOP … 0, in that order. */
int tandem_window_step(struct tandem_window *window, int place);

#endif
