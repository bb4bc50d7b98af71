/*
 * What runs before main(), and what an image hands to the processor.
 */
#ifndef START_H
#define START_H

#include <stdint.h>

#include "layout.h"

/* A vector table, as the processor reads it. */
struct vectors {
    void *stack;                            /* initial stack pointer */
    void (*exceptions[15])(void);           /* reset, 14 exceptions */
    void (*interrupts[VECTORS - 16])(void); /* 82 */
};

/* Set up variables and run main(). The reset handler of both images. */
void start(void);
/* Something happened that must not: a fault, an interrupt that nobody asked for. Restarts, so that a firmware on
   trial that crashes uses up its starts. */
void unexpected(void);
/* The interrupt of the application's self-test; unexpected unless an image has it. */
void spare_interrupt(void);

/* The image's own. */
int main(void);

/* From the linker script. */
extern uint32_t stack_top, data_start, data_end, bss_start, bss_end;
extern const uint32_t data_load;

#endif
