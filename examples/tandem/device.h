/*
 * The simulated device's boot process: what its files share.
 */
#ifndef TANDEM_DEVICE_COMMAND_H
#define TANDEM_DEVICE_COMMAND_H

#include "board.h"
#include "tandem/boot_report.h"
#include "tool.h"

/* Write a package into bank 0 of a new flash, STATE/flash.bin. Says what is wrong and returns the exit code. */
int device_provision(const char *state, const char *package);
/*
 * The names in a package, for the device that it is to make. Says what is
 * wrong and returns the exit code.
 */
int device_take_names(struct board_facts *facts, const char *package);

/*
 * Decide, and become the firmware, or recover. `pin`: the recovery button is
 * held. Comes back only if that failed or the device was switched off, with
 * the exit code.
 */
int device_boot(const char *state, int listener, const char *program, int pin);
/* Run `device_boot` in a child and start it anew when it crashes. Returns the exit code. */
int device_watch(const char *state, int listener, const char *program, const char *name, int pin);
/*
 * Take an update, until there is a reason to restart or the device is switched
 * off; `*restart` tells. Returns the exit code.
 */
int device_recover(struct board *board, const struct tandem_boot_report *report, int listener, int *restart);

/*
 * Replace this process by a program that is in memory. `keep` is where to put
 * it on systems that cannot execute memory. Comes back, with errno, if it failed.
 */
void device_execute(const uint8_t *image, size_t size, const char *keep, char *const *arguments);

#endif
