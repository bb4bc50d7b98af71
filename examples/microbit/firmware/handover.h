/*
 * The end of RAM, which bootloader and application share. It outlives a
 * reset, but not a loss of power: what lies there is checked.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdint.h>

#include "tandem/boot_report.h"

#include "layout.h"

/* A vector table, as the processor reads it. */
struct vectors {
    void *stack;                /* initial stack pointer */
    void (*handlers[47])(void); /* reset, 14 exceptions, 32 interrupts */
};

struct handover {
    const struct vectors *volatile vectors;    /* whose interrupts run; read by the bootloader's trampoline */
    uint8_t request[TANDEM_BOOT_REQUEST_SIZE]; /* from the application: recovery, please */
    uint8_t report[TANDEM_BOOT_REPORT_SIZE];   /* to the application: what was decided */
};

#define HANDOVER ((struct handover *)HANDOVER_ADDRESS)

#endif
