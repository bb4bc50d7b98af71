/*
 * An STM32F407 with Tandem on it: simulated cells, the model of the flash
 * interface before them, the real port before that, and the layout of
 * examples/stm32f407. Power may fail in any operation on a cell.
 */
#ifndef TANDEM_TESTS_STM32F4_BOARD_H
#define TANDEM_TESTS_STM32F4_BOARD_H

#include "model.h"
#include "tandem/boot.h"
#include "tandem/install.h"
#include "unit/fixture.h"

#define BOARD_BUFFER 2048

struct board {
    struct sim_power power;
    uint64_t now_us;
    struct sim_flash chip;
    struct stm32f4_model model;
    struct tandem_stm32f4_flash_options options;
    struct tandem_stm32f4_flash flash;
    struct tandem_slot slot;
    struct tandem_key key;
    struct tandem_system_port system;
    struct tandem_device device;
    unsigned fed;  /* times that the watchdog was fed */
    uint64_t sent; /* bytes of packages that were fed */
    /* RAM: garbage after each start */
    struct tandem_boot boot;
    struct tandem_install install;
    uint8_t buffer[BOARD_BUFFER];
};

/* A board with erased flash, laid out as the example: the image runs from one place, a copy of the store is written
   over it. */
void board_open(struct board *board);
/* In direct mode: with one bank of flash, three sectors of 128 KB for each of ours; with two (an STM32F427 of 2 MB),
   all of each but its first four sectors. */
void board_open_direct(struct board *board, uint8_t banks);
void board_close(struct board *board);
/* Power on, or a reset: registers and RAM are new, the start-up code switches caches on, the port is set up. */
void board_power(struct board *board);
/* board_power(), and the bootloader's decision. */
enum tandem_status board_start(struct board *board);
/* Take over another board's cells, as they are. */
void board_copy(struct board *board, const struct board *from);
/* As the factory does: head and image of a package in bank 0. No journal. */
void board_factory(struct board *board, const struct package *package);
/* Open the installer, and bring a package in, `stop` bytes of it (0: all). @return the state reached */
enum tandem_state board_receive(struct board *board, const struct package *package, uint8_t activate, uint32_t stop);
/* The firmware that runs is good. @return as tandem_install_confirm() */
enum tandem_status board_confirm(struct board *board);
/* Whether a package's image stands where it runs, bit by bit. */
int board_holds(const struct board *board, const struct package *package);
/* Nothing was done to the flash that must not be; complains otherwise. */
int board_behaved(const struct board *board);

/* A package with one image of `size` bytes, version `major`.0.0. The same numbers give the same bytes. */
struct package board_package(uint16_t major, uint32_t size);

#endif
