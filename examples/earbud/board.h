/*
 * The simulated earbud's board: its flash layout, who it is, whom it trusts.
 * Shared by its boot process (`tandem device`) and its firmware, as one
 * header is shared by a real product's bootloader and application.
 */
#ifndef TANDEM_EARBUD_BOARD_H
#define TANDEM_EARBUD_BOARD_H

#include <stdint.h>

#include "tandem/boot_report.h"
#include "tandem/device.h"
#include "tandem_posix.h"

#define BOARD_KEYS 8         /* trusted keys at most */
#define BOARD_SLOTS 2        /* application, data */
#define BOARD_BUFFER 16384   /* bytes for boot and installer */
#define BOARD_PATH_SIZE 4096 /* bytes of the longest path */

/*
 * What a factory writes into a device once, and it never changes by an
 * update. The simulated one keeps it in the file STATE/board.
 */
struct board_facts {
    char name[32]; /* what it calls itself when it prints */
    char vendor[TANDEM_NAME_SIZE_MAX + 1];
    char product[TANDEM_NAME_SIZE_MAX + 1];
    char listen[TANDEM_POSIX_ADDRESS_SIZE];  /* as asked for: the port may be 0 */
    char address[TANDEM_POSIX_ADDRESS_SIZE]; /* as it is */
    uint32_t hardware;
    uint32_t role;       /* 0 alone, 1 left, 2 right */
    uint32_t battery;    /* percent; above 100: it has none */
    uint32_t erase_us;   /* time of a sector's erase; 0: none */
    uint32_t program_us; /* time for 256 bytes; 0: none */
    uint32_t watchdog;   /* seconds; 0: nobody would restart it */
    uint32_t erase_idle; /* 1: the free bank is erased in idle time */
    uint32_t realtek;    /* 1: it speaks Realtek's DFU in place of Tandem's link */
    uint32_t one_bank;   /* 1: and says that it has one bank and a temp area */
    char pair[64];       /* folder of the other bud; "": none */
    char radio[64];      /* folder that is the air, for GATT in place of the stream; "": none */
    uint32_t key_count;
    struct {
        uint8_t type;
        uint8_t bytes[TANDEM_P256_KEY_SIZE];
    } keys[BOARD_KEYS];
};

/* A board that is switched on. */
struct board {
    char state[BOARD_PATH_SIZE]; /* its folder */
    struct board_facts facts;
    struct tandem_posix_flash flash;
    struct tandem_key keys[BOARD_KEYS];
    struct tandem_slot slots[BOARD_SLOTS];
    struct tandem_system_port system;
    struct tandem_device device; /* for Tandem */
    int reboot;                  /* 1: the system port was asked to restart */
    /* RAM that outlives a reset, but not a loss of power: the file STATE/ram. */
    uint8_t report[TANDEM_BOOT_REPORT_SIZE];
    uint8_t request[TANDEM_BOOT_REQUEST_SIZE];
};

/* The path of a file in the board's folder. Returns 0, or -1: too long. */
int board_path(char path[BOARD_PATH_SIZE], const char *state, const char *name);
/* Facts of a board that has none. */
void board_facts_default(struct board_facts *facts);
/* Read STATE/board. Returns TANDEM_OK, TANDEM_ERROR_NOTHING (there is none), TANDEM_ERROR_FORMAT or _PORT. */
enum tandem_status board_facts_load(struct board_facts *facts, const char *state, char *reason);
/* Write STATE/board, whole or not at all. */
enum tandem_status board_facts_store(const struct board_facts *facts, const char *state, char *reason);

/*
 * Describe the device for Tandem and open its flash, the file `flash_name` in
 * its folder, which is made if it is not there.
 */
enum tandem_status board_open(struct board *board, const char *state, const char *flash_name, char *reason);
void board_close(struct board *board);

/* Keep what is in report and request over a reset; board_open() reads it. */
void board_ram_store(const struct board *board);
/* The power comes back: what was kept is lost. */
void board_ram_lose(const char *state);

#endif
