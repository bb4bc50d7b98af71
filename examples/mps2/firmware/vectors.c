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

#define THREE(handler) handler, handler, handler
#define TEN(handler) THREE(handler), THREE(handler), THREE(handler), handler

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    &stack_top,
    {start, TEN(unexpected), THREE(unexpected), board_clock_interrupt},
    {board_uart_interrupt, TEN(unexpected), TEN(unexpected), TEN(unexpected), spare_interrupt},
};
