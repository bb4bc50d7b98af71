/*
 * The vector table, as the processor reads it.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include "layout.h"

struct vectors {
    void *stack;                  /* initial stack pointer */
    void (*exceptions[15])(void); /* reset first, SysTick last */
    void (*interrupts[32])(void);
};

/* An interrupt of the image's own choice, for its self-test. Unexpected unless an image has it. */
void spare_interrupt(void);

#endif
