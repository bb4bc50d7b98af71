/*
 * What runs before main(), and what an image hands to the processor.
 */
#ifndef START_H
#define START_H

#include <stdint.h>

/* A vector table, as the processor reads it. */
struct vectors {
    void *stack;                  /* initial stack pointer */
    void (*exceptions[15])(void); /* reset first, SysTick last */
    void (*interrupts[32])(void);
};

/* Set up variables and run main(). The reset handler of both images. */
void start(void);

/* Restart the chip. */
void restart(void) __attribute__((noreturn));

/* Something happened that must not: a fault, an interrupt that nobody asked for, a watchdog that nobody fed.
   Restarts, so that a firmware on trial that crashes uses up its starts. */
void unexpected(void);

/* An interrupt of the image's own choice, for its self-test. */
void spare_interrupt(void);

/* The image's own. */
int main(void);

/* From the linker script. */
extern uint32_t stack_top, data_start, data_end, bss_start, bss_end;
extern const uint32_t data_load;

#endif
