/*
 * The board's one description: where things lie in its flash, which a
 * bootloader and an application must never see differently.
 */
#define _POSIX_C_SOURCE 200809L

#include "board.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A serial NOR flash of 4 KB sectors, programmed by 4 bytes:
 *
 *   journal      4 sectors
 *   manifests    1 sector for each bank
 *   application  bank 0, bank 1: the firmware, an executable of this machine
 *   data         bank 0, bank 1: voice prompts
 */
#define SECTOR 4096u
#define JOURNAL_SIZE (4 * SECTOR)
#define MANIFEST_SIZE SECTOR
#ifndef BOARD_APPLICATION_SIZE
#define BOARD_APPLICATION_SIZE (512u * 1024u)
#endif
#define DATA_SIZE (512u * 1024u)

#define AT_JOURNAL 0u
#define AT_MANIFEST (AT_JOURNAL + JOURNAL_SIZE)
#define AT_APPLICATION (AT_MANIFEST + 2 * MANIFEST_SIZE)
#define AT_DATA (AT_APPLICATION + 2 * BOARD_APPLICATION_SIZE)
#define FLASH_SIZE (AT_DATA + 2 * DATA_SIZE)

static const struct tandem_flash_region regions[] = {{0, SECTOR, FLASH_SIZE / SECTOR}};

static enum tandem_status board_reboot(void *ctx)
{
    struct board *board = ctx;
    board->reboot = 1; /* the main loop does it when its output is out */
    return TANDEM_OK;
}

static enum tandem_status board_enter(void *ctx)
{
    struct board *board = ctx;
    tandem_boot_request_store(board->request);
    board_ram_store(board);
    board->reboot = 1;
    return TANDEM_OK;
}

static enum tandem_status board_battery(void *ctx, uint8_t *percent)
{
    const struct board *board = ctx;
    *percent = (uint8_t)board->facts.battery;
    return TANDEM_OK;
}

static void board_watchdog(void *ctx)
{
    const struct board *board = ctx;
    (void)alarm(board->facts.watchdog); /* SIGALRM ends a process that stops feeding; 0 seconds: no alarm */
}

static struct tandem_area area(const struct board *board, uint32_t address, uint32_t size)
{
    struct tandem_area result = {&board->flash.port, address, size};
    return result;
}

static void describe(struct board *board)
{
    struct tandem_device *device = &board->device;
    static const uint32_t starts[BOARD_SLOTS] = {AT_APPLICATION, AT_DATA};
    static const uint32_t sizes[BOARD_SLOTS] = {BOARD_APPLICATION_SIZE, DATA_SIZE};
    board->slots[0].kind = TANDEM_KIND_APPLICATION;
    board->slots[1].kind = TANDEM_KIND_DATA;
    board->slots[1].optional = 1;
    for (unsigned i = 0; i < BOARD_SLOTS; i++)
        for (uint32_t bank = 0; bank < 2; bank++)
            board->slots[i].areas[bank] = area(board, starts[i] + bank * sizes[i], sizes[i]);
    device->slots = board->slots;
    device->slot_count = BOARD_SLOTS;
    for (uint32_t bank = 0; bank < 2; bank++)
        device->manifests[bank] = area(board, AT_MANIFEST + bank * MANIFEST_SIZE, MANIFEST_SIZE);
    device->journal = area(board, AT_JOURNAL, JOURNAL_SIZE);

    device->vendor = board->facts.vendor;
    device->product = board->facts.product;
    device->serial = board->facts.name;
    device->hardware = (uint16_t)board->facts.hardware;
    device->role = (uint8_t)board->facts.role;
    for (uint32_t i = 0; i < board->facts.key_count; i++) {
        board->keys[i].type = board->facts.keys[i].type;
        board->keys[i].key = board->facts.keys[i].bytes;
    }
    device->keys = board->keys;
    device->key_count = (uint8_t)board->facts.key_count;

    board->system.ctx = board;
    board->system.reboot = board_reboot;
    board->system.enter_ota = board_enter;
    board->system.watchdog = board_watchdog;
    if (board->facts.battery <= 100) {
        board->system.battery = board_battery;
        device->battery_minimum = 20;
    }
    device->system = &board->system;
}

/* ---- RAM that outlives a reset ---- */

static void ram_load(struct board *board)
{
    char path[BOARD_PATH_SIZE];
    FILE *file = board_path(path, board->state, "ram") == 0 ? fopen(path, "rb") : NULL;
    if (file == NULL)
        return;
    if (fread(board->report, sizeof board->report, 1, file) != 1 ||
        fread(board->request, sizeof board->request, 1, file) != 1) {
        memset(board->report, 0, sizeof board->report);
        memset(board->request, 0, sizeof board->request);
    }
    (void)fclose(file);
}

void board_ram_store(const struct board *board)
{
    char path[BOARD_PATH_SIZE];
    FILE *file = board_path(path, board->state, "ram") == 0 ? fopen(path, "wb") : NULL;
    if (file == NULL)
        return; /* as if the power had gone */
    (void)fwrite(board->report, sizeof board->report, 1, file);
    (void)fwrite(board->request, sizeof board->request, 1, file);
    (void)fclose(file);
}

void board_ram_lose(const char *state)
{
    char path[BOARD_PATH_SIZE];
    if (board_path(path, state, "ram") == 0)
        (void)unlink(path);
}

/* ---- switching on ---- */

enum tandem_status board_open(struct board *board, const char *state, const char *flash_name, char *reason)
{
    char path[BOARD_PATH_SIZE];
    memset(board, 0, sizeof *board);
    board->flash.fd = -1;
    int n = snprintf(board->state, sizeof board->state, "%s", state);
    if (n < 0 || n >= (int)sizeof board->state || board_path(path, state, flash_name) != 0) {
        (void)snprintf(reason, TANDEM_POSIX_REASON_SIZE, "the folder's name is too long");
        return TANDEM_ERROR_SPACE;
    }
    enum tandem_status status = board_facts_load(&board->facts, state, reason);
    if (status == TANDEM_ERROR_NOTHING)
        (void)snprintf(reason, TANDEM_POSIX_REASON_SIZE, "%.150s holds no device", state);
    if (status != TANDEM_OK)
        return status;
    ram_load(board);
    struct tandem_posix_flash_options options;
    memset(&options, 0, sizeof options);
    options.path = path;
    options.regions = regions;
    options.region_count = 1;
    options.program_unit = 4;
    options.erased = 0xFF;
    options.erase_us = board->facts.erase_us;
    options.program_us = board->facts.program_us;
    status = tandem_posix_flash_open(&board->flash, &options, reason);
    if (status != TANDEM_OK)
        return status;
    describe(board);
    const char *fault = "";
    status = tandem_device_check(&board->device, &fault);
    if (status != TANDEM_OK)
        (void)snprintf(reason, TANDEM_POSIX_REASON_SIZE, "the board's description is wrong: %s", fault);
    return status;
}

void board_close(struct board *board)
{
    tandem_posix_flash_close(&board->flash);
}
