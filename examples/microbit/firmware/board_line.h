/*
 * What the board's own files tell each other about the UART and the clock.
 */
#ifndef BOARD_LINE_H
#define BOARD_LINE_H

#include "board.h"

/* Microseconds; wraps. May be called from an interrupt. */
uint32_t board_now_us(void);

/* Whether received bytes wait. */
int board_line_received(void);

/*
 * Whether to wait with something that stops the CPU for longer than the
 * UART's buffer lasts. It says no when nothing arrived for a moment, when
 * bytes are being lost anyway, and when it has said yes for long enough.
 */
int board_line_busy(void);

#endif
