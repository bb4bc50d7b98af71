/*
 * From reset to main(), for the bootloader and for the application.
 */
#include "start.h"

#include "board.h"
#include "cmsdk.h"

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

void start(void)
{
    const uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end;)
        *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    (void)main();
    restart();
}

void restart(void)
{
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) {
    }
}

void unexpected(void)
{
    restart();
}
