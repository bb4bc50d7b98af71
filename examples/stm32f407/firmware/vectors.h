/*
 * The vector table, as the processor reads it.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include "layout.h"

struct vectors {
    void *stack;                            /* initial stack pointer */
    void (*exceptions[15])(void);           /* reset, 14 exceptions */
    void (*interrupts[VECTORS - 16])(void); /* 82 */
};

/* The interrupt of the application's self-test. Unexpected unless an image has it. */
void spare_interrupt(void);

#endif
