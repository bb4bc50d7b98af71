/*
 * A Cortex-M0 with the memory of machine.h, on the Unicorn emulator. Memory is
 * the caller's to look at and to set between runs.
 */
#ifndef TANDEM_TESTS_FAULTS_EMULATOR_H
#define TANDEM_TESTS_FAULTS_EMULATOR_H

#include <stddef.h>
#include <stdint.h>

#include "machine.h"

enum { REG_SP = 13, REG_LR, REG_PC, REG_XPSR, REG_COUNT };

struct emulator;

/* How a run ended. */
enum ending {
    ENDING_STARTED, /* an image: r0 is its address, r1 the reason */
    ENDING_STOPPED, /* recovery, or the application is done: r0 is the status */
    ENDING_CRASHED, /* what a real core answers with a fault */
    ENDING_HUNG     /* did not end within the limit: a watchdog would bite */
};

struct run {
    enum ending ending;
    uint32_t r0, r1;
    uint32_t pc;     /* where it ended */
    uint32_t blocks; /* straight pieces of code that were run */
};

/* Called before each instruction, with all registers. */
typedef void (*emulator_watch)(void *ctx, const uint32_t reg[REG_COUNT], uint32_t size);

/* Load a program. Ends the process if it cannot. */
struct emulator *emulator_new(const char *program);
void emulator_free(struct emulator *emulator);
uint8_t *emulator_ram(struct emulator *emulator);
uint8_t *emulator_flash(struct emulator *emulator);
struct board *emulator_board(struct emulator *emulator);
/* A place of enum watched, without the Thumb bit. */
uint32_t emulator_place(const struct emulator *emulator, enum watched which);
/* Whether the emulator acts for the program there: no code of a product. */
int emulator_is_outside(const struct emulator *emulator, uint32_t address);
/* The halfword of program at an address. */
uint16_t emulator_code(const struct emulator *emulator, uint32_t address);
/* Registers as after reset. */
void emulator_reset(const struct emulator *emulator, uint32_t reg[REG_COUNT]);
/* Run from `reg` for at most `limit` straight pieces of code. `watch` may be NULL. */
struct run emulator_run(struct emulator *emulator, const uint32_t reg[REG_COUNT], uint32_t limit, emulator_watch watch,
                        void *ctx);

#endif
