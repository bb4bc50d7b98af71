/*
 * An STM32F407 as Tandem's ports: flash, UART, clock, watchdog, button.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "tandem_stm32f4.h"

#define BOARD_FEED_MS 10000u /* the watchdog's patience; an erase of 128 KB takes 1 s, 2 at worst */

/* Start the clock and the watchdog, and open the flash with the sectors in `locked` out of reach. */
void board_init(uint32_t locked);
/* Milliseconds; wraps. */
uint32_t board_now_ms(void);
/* Sleep until an interrupt, 1 ms at most. */
void board_sleep(void);
/* Tell the watchdog that all is well. */
void board_feed(void);
/* Whether the button at PA0 is held. */
int board_button(void);
/* USART2 at 115200 baud, PA2 and PA3. */
void board_uart_init(void);
/* Stop it, before another image takes over. */
void board_uart_stop(void);
/* Take received bytes; returns how many. */
size_t board_uart_read(uint8_t *data, size_t size);

/* Interrupt handlers. */
void board_clock_interrupt(void);
void board_uart_interrupt(void);

extern struct tandem_stm32f4_flash board_flash;
extern const struct tandem_stream_port board_uart;
extern const struct tandem_system_port board_system;

#endif
