/*
 * A vector table, as the Cortex-M0 reads it, and whose is in use: without
 * VTOR the bootloader forwards every interrupt.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include "layout.h"

struct vectors {
    void *stack;                /* initial stack pointer */
    void (*handlers[47])(void); /* reset, 14 exceptions, 32 interrupts */
};

/* Whose interrupts run; read by the bootloader's trampoline. */
#define VECTORS_IN_USE (*(const struct vectors *volatile *)VECTORS_IN_USE_ADDRESS)

#endif
