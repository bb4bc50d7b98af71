/*
 * The vector table of bootloader and application.
 */
#include "vectors.h"

#include "board.h"
#include "start.h"

__attribute__((weak)) void spare_interrupt(void)
{
    unexpected();
}

#define TWO(handler) handler, handler
#define TEN(handler) TWO(handler), TWO(handler), TWO(handler), TWO(handler), TWO(handler)

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    &stack_top,
    {start, TEN(unexpected), TWO(unexpected), unexpected, board_clock_interrupt},
    {TEN(unexpected), TEN(unexpected), TEN(unexpected), TWO(unexpected), TWO(unexpected), TWO(unexpected),
     TWO(unexpected), board_uart_interrupt, unexpected, TEN(unexpected), TEN(unexpected), TEN(unexpected),
     TEN(unexpected), unexpected, spare_interrupt},
};
