/*
 * The flash. The board has none: a range of its PSRAM stands for one, which
 * the emulator keeps in a file. This file makes that memory behave as NOR
 * flash does, and takes care that nothing else can write it.
 *
 * A block of words behind the flash plays the part of a flash controller's
 * registers. Since it lies in the same file, a test sees which operation is
 * under way, can have the processor stop at one of them, and knows what was
 * being written when the power failed.
 */
#include <string.h>

#include "board.h"
#include "cmsdk.h"
#include "layout.h"

enum operation { OPERATION_NONE = 0, OPERATION_PROGRAM = 1, OPERATION_ERASE = 2 };
enum class { CLASS_ALL, CLASS_ERASES, CLASS_RECORDS, CLASS_PRIMARY, CLASS_COUNT };

struct controller {
    uint32_t operation;          /* under way */
    uint32_t address;            /* of the unit or of the sector */
    uint32_t size;               /* its bytes */
    uint32_t data[2];            /* what is programmed */
    uint32_t count[CLASS_COUNT]; /* operations so far */
    uint32_t stop_class;         /* written by a test: stop at the stop_at-th operation of this class */
    uint32_t stop_at;            /* the same; 0: never */
    uint32_t stopped;            /* 1: the processor stands still */
    uint32_t refused;            /* what no NOR flash can do was asked for */
    uint32_t pause;              /* written by a test: turns to wait after each word */
};

#define CONTROLLER ((volatile struct controller *)(FLASH_ADDRESS + FLASH_SIZE))

/* ---- protection ---- */

static void set_access(uint32_t access)
{
    MPU_RBAR = FLASH_ADDRESS | MPU_RBAR_REGION_0;
    MPU_RASR = access | MPU_RASR_MEMORY | MPU_RASR_16MB;
    MPU_CTRL = MPU_CTRL_ON;
    __asm__ volatile("dsb\nisb" ::: "memory");
}

void board_flash_protect(void)
{
    set_access(MPU_RASR_READ_ONLY);
}

/* ---- operations ---- */

static void count(enum class class)
{
    uint32_t now = CONTROLLER->count[class] + 1;
    CONTROLLER->count[class] = now;
    if (CONTROLLER->stop_class != class || CONTROLLER->stop_at != now)
        return;
    CONTROLLER->stopped = 1;
    for (;;)
        board_feed();
}

static void begin(enum operation operation, uint32_t address, uint32_t size, const uint32_t *data)
{
    CONTROLLER->address = address;
    CONTROLLER->size = size;
    CONTROLLER->data[0] = data ? data[0] : 0xFFFFFFFFu;
    CONTROLLER->data[1] = data ? data[1] : 0xFFFFFFFFu;
    CONTROLLER->operation = operation;
    count(CLASS_ALL);
    if (operation == OPERATION_ERASE)
        count(CLASS_ERASES);
    if (address < PRIMARY_ADDRESS)
        count(CLASS_RECORDS);
    else if (address < PRIMARY_ADDRESS + PRIMARY_SIZE)
        count(CLASS_PRIMARY);
}

static void end(void)
{
    CONTROLLER->operation = OPERATION_NONE;
}

/* Change one word, and take time for it: else an erase would be over too soon to be cut short. */
static void set_word(volatile uint32_t *cell, uint32_t value)
{
    *cell = value;
    for (volatile uint32_t turn = CONTROLLER->pause; turn != 0; turn--) {
    }
}

/* Programming clears bits. A unit whose bits would have to be set, or that is written twice, is refused, as by flash
   with error correction. */
static int program_unit(uint32_t address, const uint32_t *data)
{
    volatile uint32_t *cells = (volatile uint32_t *)address;
    if ((cells[0] & cells[1]) != 0xFFFFFFFFu)
        return 0;
    begin(OPERATION_PROGRAM, address, FLASH_UNIT, data);
    set_word(&cells[0], cells[0] & data[0]);
    set_word(&cells[1], cells[1] & data[1]);
    end();
    return 1;
}

static void erase_sector(uint32_t address, uint32_t size)
{
    begin(OPERATION_ERASE, address, size, NULL);
    for (uint32_t at = 0; at < size; at += 4)
        set_word((volatile uint32_t *)(address + at), 0xFFFFFFFFu);
    end();
}

/* ---- the port ---- */

static enum tandem_status refuse(void)
{
    set_access(MPU_RASR_READ_WRITE);
    CONTROLLER->refused++;
    set_access(MPU_RASR_READ_ONLY);
    return TANDEM_ERROR_FLASH;
}

static int is_inside(uint32_t address, size_t size)
{
    return address >= FLASH_ADDRESS && address - FLASH_ADDRESS <= FLASH_SIZE &&
           size <= FLASH_SIZE - (address - FLASH_ADDRESS);
}

static enum tandem_status flash_read(void *ctx, uint32_t address, void *data, size_t size)
{
    (void)ctx;
    if (!is_inside(address, size))
        return refuse();
    memcpy(data, (const void *)address, size);
    return TANDEM_OK;
}

static enum tandem_status flash_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    const uint8_t *from = data;
    int done = 1;
    (void)ctx;
    if (!is_inside(address, size) || address % FLASH_UNIT != 0 || size % FLASH_UNIT != 0)
        return refuse();
    set_access(MPU_RASR_READ_WRITE);
    for (size_t at = 0; at < size && done; at += FLASH_UNIT) {
        uint32_t unit[FLASH_UNIT / 4];
        memcpy(unit, from + at, sizeof unit);
        done = program_unit(address + at, unit);
    }
    set_access(MPU_RASR_READ_ONLY);
    return done ? TANDEM_OK : refuse();
}

static enum tandem_status flash_erase(void *ctx, uint32_t address)
{
    uint32_t size = address < STORE_ADDRESS ? FLASH_SECTOR : FLASH_LARGE_SECTOR;
    (void)ctx;
    if (!is_inside(address, size) || address % size != 0)
        return refuse();
    set_access(MPU_RASR_READ_WRITE);
    erase_sector(address, size);
    set_access(MPU_RASR_READ_ONLY);
    return TANDEM_OK;
}

static const struct tandem_flash_region regions[] = {
    {FLASH_ADDRESS, FLASH_SECTOR, (STORE_ADDRESS - FLASH_ADDRESS) / FLASH_SECTOR},
    {STORE_ADDRESS, FLASH_LARGE_SECTOR, STORE_SIZE / FLASH_LARGE_SECTOR},
};

const struct tandem_flash_port board_flash = {
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
    .regions = regions,
    .region_count = sizeof regions / sizeof regions[0],
    .program_unit = FLASH_UNIT,
    .erased = 0xFF,
};
