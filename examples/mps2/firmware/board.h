/*
 * The board as Tandem's ports: flash, UART, clock, watchdog.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/port.h"

#define BOARD_FEED_MS 4000u /* the watchdog's patience; one signature takes 0.2 s */

/* Start the clock and the watchdog, protect the flash. */
void board_init(void);
/* Milliseconds; wraps. */
uint32_t board_now_ms(void);
/* Sleep until an interrupt, 1 ms at most. */
void board_sleep(void);
/* Tell the watchdog that all is well. */
void board_feed(void);
/* Stop everything that could interrupt, before another image takes over. */
void board_quiet(void);

/* UART0 at 115200 baud. */
void board_uart_init(void);
/* Take received bytes; returns how many. */
size_t board_uart_read(uint8_t *data, size_t size);
/* Whether received bytes wait. */
int board_uart_received(void);

/* The flash can be written only by its port, as a flash is. */
void board_flash_protect(void);

/* Interrupt handlers, for an image's vector table. */
void board_uart_interrupt(void);
void board_clock_interrupt(void);

extern const struct tandem_flash_port board_flash;
extern const struct tandem_stream_port board_uart;
extern const struct tandem_system_port board_system;

#endif
