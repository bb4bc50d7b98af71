/*
 * The last 16 bytes of RAM, which bootloader and application share. They
 * outlive a reset, but not a loss of power.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdint.h>

#include "layout.h"

/* A vector table, as the processor reads it. */
struct vectors {
    void *stack;                /* initial stack pointer */
    void (*handlers[47])(void); /* reset, 14 exceptions, 32 interrupts */
};

struct handover {
    const struct vectors *volatile vectors; /* whose interrupts run; read by the bootloader's trampoline */
    volatile uint32_t request;              /* HANDOVER_RECOVERY, or nothing */
    volatile uint32_t request_check;        /* its complement: RAM is random after power-on */
    volatile uint32_t reserved;
};

#define HANDOVER ((struct handover *)HANDOVER_ADDRESS)
#define HANDOVER_RECOVERY 0x5245434Fu

#endif
