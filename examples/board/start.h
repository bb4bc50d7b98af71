/*
 * What runs before main(), in every image of a Cortex-M board.
 */
#ifndef START_H
#define START_H

#include <stdint.h>

/* Set up variables and run main(). The reset handler. */
void start(void);

/* Restart the chip. */
void restart(void) __attribute__((noreturn));

/* Something happened that must not: a fault, an interrupt that nobody asked for, a watchdog that nobody fed.
   Restarts, so that a firmware on trial that crashes uses up its starts. */
void unexpected(void);

/* The image's own. */
int main(void);

/* From the linker script. */
extern uint32_t stack_top, data_start, data_end, bss_start, bss_end;
extern const uint32_t data_load;

#endif
