/*
 * What the board's own files tell each other.
 */
#ifndef BOARD_LINE_H
#define BOARD_LINE_H

#include "board.h"

/* Microseconds; wraps. May be called from an interrupt. */
uint32_t board_now_us(void);

/* Whether received bytes wait. */
int board_line_received(void);

#endif
