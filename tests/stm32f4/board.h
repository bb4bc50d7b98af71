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
    unsigned fed; /* times that the watchdog was fed */
    /* RAM: garbage after each start */
    struct tandem_boot boot;
    struct tandem_install install;
    uint8_t buffer[BOARD_BUFFER];
};

/* A board with erased flash, in direct mode: banks of three sectors of 128 KB. */
void board_open_direct(struct board *board);
void board_close(struct board *board);
/* Power on, or a reset: registers and RAM are new, the start-up code switches caches on, the port is set up. */
void board_power(struct board *board);
/* board_power(), and the bootloader's decision. */
enum tandem_status board_start(struct board *board);
/* As the factory does: head and image of a package in bank 0. No journal. */
void board_factory(struct board *board, const struct package *package);
/* Open the installer, and bring a package in, `stop` bytes of it (0: all). @return the state reached */
enum tandem_state board_receive(struct board *board, const struct package *package, uint8_t activate, uint32_t stop);
/* Nothing was done to the flash that must not be; complains otherwise. */
int board_behaved(const struct board *board);

/* A package with one image of `size` bytes, version `major`.0.0. The same number gives the same bytes. */
struct package board_package(uint16_t major, uint32_t size);
/* The image's bytes in it, `size` of them; free() them. */
uint8_t *board_image(uint16_t major, uint32_t size);

#endif
