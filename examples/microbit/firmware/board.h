/*
 * The micro:bit as Tandem's ports: flash, UART, clock, watchdog, button.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/port.h"

#define BOARD_FEED_MS 10000u /* the watchdog's patience; one signature takes 1.5 s */

/* Start the crystal, the clock and the watchdog. */
void board_init(void);
/* Microseconds; wraps. May be called from an interrupt. */
uint32_t board_now_us(void);
/* Milliseconds; wraps. Call it at least once an hour. */
uint32_t board_now_ms(void);
/* Sleep until an interrupt, 10 ms at most. */
void board_sleep(void);
/* Tell the watchdog that all is well. */
void board_feed(void);
/* Whether button A is held. */
int board_button(void);
/* Stop everything that could interrupt, before another image takes over. */
void board_quiet(void);

/* The UART at 115200 baud over the USB interface chip. */
void board_uart_init(void);
/* Take received bytes; returns how many. */
size_t board_uart_read(uint8_t *data, size_t size);
/* Whether received bytes wait. */
int board_uart_received(void);

/* Interrupt handlers, for an image's vector table. */
void board_uart_interrupt(void);
void board_timer_interrupt(void);

extern const struct tandem_flash_port board_flash;
extern const struct tandem_stream_port board_uart;
extern const struct tandem_system_port board_system;

#endif
