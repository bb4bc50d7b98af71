/*
 * From reset to main(), for the bootloader and for the application.
 */
#include "start.h"

#include "board.h"
#include "tandem_stm32f4.h"

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

void start(void)
{
    const uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end;)
        *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    (void)main();
    tandem_stm32f4_restart();
}

void unexpected(void)
{
    tandem_stm32f4_restart();
}
