/*
 * Signed windows from the top of a scalar, see window.h.
 */
#include "window.h"

/* Bit `place` of the scalar; beyond either end, zero. */
static uint32_t bit(const uint32_t *scalar, int place)
{
    uint32_t i = (uint32_t)place;

    return i < 256 ? (scalar[i >> 5] >> (i & 31u)) & 1u : 0;
}

void tandem_window_start(struct tandem_window *window, const uint32_t *scalar)
{
    window->scalar = scalar;
    window->free = TANDEM_WINDOW_TOP;
    window->place = -1;
    window->digit = 0;
}

int tandem_window_step(struct tandem_window *window, int place)
{
    if (place <= window->free && bit(window->scalar, place) != bit(window->scalar, place - 1)) {
        uint32_t bits = 0;

        for (int i = 0; i < 5; i++)
            bits = bits << 1 | bit(window->scalar, place - i);
        /* Four digits b[i - 1] - b[i]: the sum is the low four bits less the high four. */
        window->digit = (int)(bits & 15u) - (int)(bits >> 1);
        window->place = place - 3;
        window->free = place - 4;
        while ((window->digit & 1) == 0) {
            window->digit /= 2;
            window->place++;
        }
    }
    return window->place == place ? window->digit : 0;
}
