/*
 * A product brings its own: this is the file that README.md explains. It has
 * one layout, and a flash port that stands between Tandem and the simulated
 * chip as a real driver stands before a real one: its addresses begin at
 * zero, and it programs in pages of 256 bytes.
 *
 * With EXAMPLE_BLANK_CHECK in the environment it saves erases of sectors that
 * read as erased: a common shortcut, and a brick when power fails in an erase
 * that had only just done its work. The campaign finds it.
 */
#include <stdlib.h>

#include "board.h"

#define KB 1024u
#define CHIP_BASE 0x90000000u /* where the chip is; the driver's addresses begin at 0 */
#define PAGE 256u

/* The driver: its chip is the simulated one. */
struct driver {
    struct tandem_flash_port port;
    const struct tandem_flash_port *chip;
    struct tandem_flash_region regions[1];
    int saves_erases;
};

static enum tandem_status driver_read(void *ctx, uint32_t address, void *data, size_t size)
{
    const struct driver *driver = ctx;

    return driver->chip->read(driver->chip->ctx, CHIP_BASE + address, data, size);
}

static enum tandem_status driver_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    const struct driver *driver = ctx;
    const uint8_t *bytes = data;

    while (size) {
        size_t part = PAGE - address % PAGE < size ? PAGE - address % PAGE : size;
        enum tandem_status status;

        do
            status = driver->chip->program(driver->chip->ctx, CHIP_BASE + address, bytes, part);
        while (status == TANDEM_AGAIN);
        if (status != TANDEM_OK)
            return status;
        address += (uint32_t)part;
        bytes += part;
        size -= part;
    }
    return TANDEM_OK;
}

static int reads_as_erased(const struct driver *driver, uint32_t address, uint32_t size)
{
    uint8_t bytes[64];

    for (uint32_t at = 0; at < size; at += sizeof bytes) {
        driver->chip->read(driver->chip->ctx, CHIP_BASE + address + at, bytes, sizeof bytes);
        for (unsigned i = 0; i < sizeof bytes; i++)
            if (bytes[i] != driver->chip->erased)
                return 0;
    }
    return 1;
}

static enum tandem_status driver_erase(void *ctx, uint32_t address)
{
    const struct driver *driver = ctx;
    enum tandem_status status;

    if (driver->saves_erases && reads_as_erased(driver, address, driver->regions[0].sector_size))
        return TANDEM_OK;
    do
        status = driver->chip->erase(driver->chip->ctx, CHIP_BASE + address);
    while (status == TANDEM_AGAIN);
    return status;
}

#define DRIVERS 8 /* one for each board that a campaign has at once */

static const struct tandem_flash_port *make_driver(struct sim_flash *chip)
{
    static struct driver drivers[DRIVERS];
    struct driver *driver = drivers;

    while (driver->chip != NULL && driver->chip != &chip->port)
        if (++driver == drivers + DRIVERS)
            exit(2);
    driver->chip = &chip->port;
    driver->regions[0] = chip->spec.regions[0];
    driver->regions[0].address = 0;
    driver->saves_erases = getenv("EXAMPLE_BLANK_CHECK") != NULL;
    driver->port.ctx = driver;
    driver->port.read = driver_read;
    driver->port.program = driver_program;
    driver->port.erase = driver_erase;
    driver->port.regions = driver->regions;
    driver->port.region_count = 1;
    driver->port.program_unit = chip->port.program_unit;
    driver->port.erased = chip->port.erased;
    return &driver->port;
}

/* Places are in the driver's addresses. */
static const struct sim_layout example = {
    .name = "example",
    .chips = {{.regions = {{CHIP_BASE, 1 * KB, 32}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 45000,
               .program_ns = 3000}},
    .chip_count = 1,
    .chip_base = {CHIP_BASE},
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 0, 4 * KB}, {0, 4 * KB, 4 * KB}}, 2500, TANDEM_MODE_DIRECT}},
    .slot_count = 1,
    .manifests = {{0, 8 * KB, 1 * KB}, {0, 9 * KB, 1 * KB}},
    .journal = {0, 10 * KB, 4 * KB},
    .block_size = 512,
    .buffer_size = 1536,
    .wrap = make_driver,
};

extern const struct sim_layout *const sim_own_layouts[]; /* layouts.c looks for it */
const struct sim_layout *const sim_own_layouts[] = {&example, NULL};
