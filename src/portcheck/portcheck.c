/*
 * The port checker: the table, the map, the places it was given; then the run.
 */
#include "portcheck/portcheck_cells.h"

#include <string.h>

#define CLOCK_LOOKS 200000u /* a clock that has not moved after so many stands still */

/* ---- the port table ---- */

static int is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static int check_region(struct tandem_pc *pc, uint8_t index, uint64_t end)
{
    const struct tandem_flash_region *region = &pc->flash->regions[index];
    if (region->sector_size == 0 || region->count == 0 || region->sector_size % pc->flash->program_unit != 0) {
        tandem_pc_report(pc, TANDEM_PORTCHECK_MAP_SECTOR, region->address, region->sector_size);
        return 0;
    }
    if (region->address < end) {
        tandem_pc_report(pc, TANDEM_PORTCHECK_MAP_ORDER, region->address, 0);
        return 0;
    }
    if (region->address + (uint64_t)region->sector_size * region->count > UINT64_C(0x100000000)) {
        tandem_pc_report(pc, TANDEM_PORTCHECK_MAP_END, region->address, 0);
        return 0;
    }
    if (index != 0 && region->address != end)
        tandem_pc_report(pc, TANDEM_PORTCHECK_MAP_GAP, region->address, (uint32_t)(region->address - end));
    return 1;
}

static int check_table(struct tandem_pc *pc)
{
    const struct tandem_flash_port *flash = pc->flash;
    if (flash == NULL || flash->read == NULL || flash->program == NULL || flash->erase == NULL)
        tandem_pc_report(pc, TANDEM_PORTCHECK_TABLE_FUNCTION, TANDEM_PORTCHECK_NOWHERE, 0);
    else if (!is_power_of_two(flash->program_unit) || flash->program_unit > TANDEM_CONFIG_MAX_PROGRAM_UNIT)
        tandem_pc_report(pc, TANDEM_PORTCHECK_TABLE_UNIT, TANDEM_PORTCHECK_NOWHERE, flash->program_unit);
    else if (flash->erased != 0xFF && flash->erased != 0x00)
        tandem_pc_report(pc, TANDEM_PORTCHECK_TABLE_ERASED, TANDEM_PORTCHECK_NOWHERE, flash->erased);
    else if (flash->regions == NULL || flash->region_count == 0)
        tandem_pc_report(pc, TANDEM_PORTCHECK_MAP_EMPTY, TANDEM_PORTCHECK_NOWHERE, 0);
    if (pc->result->faults != 0)
        return 0;
    uint64_t end = 0;
    for (uint8_t i = 0; i < flash->region_count; i++) {
        const struct tandem_flash_region *region = &flash->regions[i];
        if (!check_region(pc, i, end))
            return 0;
        end = region->address + (uint64_t)region->sector_size * region->count;
    }
    return 1;
}

/* ---- what the caller gave ---- */

/* Whole sectors, without a gap, and enough of them. */
static int check_scratch(struct tandem_pc *pc)
{
    const struct tandem_area *scratch = &pc->check->scratch;
    struct tandem_sector sector;
    uint32_t count = 0;
    uint64_t at = scratch->address, end = at + scratch->size;
    while (at < end && tandem_flash_sector(pc->flash, (uint32_t)at, &sector) && sector.address == at) {
        at += sector.size;
        count++;
    }
    if (at == end && end <= 0xFFFFFFFFu && count >= 2)
        return 1;
    tandem_pc_report(pc, TANDEM_PORTCHECK_SCRATCH, scratch->address, scratch->size);
    return 0;
}

static int overlaps(const struct tandem_area *a, const struct tandem_area *b)
{
    return a->flash == b->flash && a->address < b->address + b->size && b->address < a->address + a->size;
}

/* The description, and that the scratch area takes nothing from it that a device could not do without. */
static int check_device(struct tandem_pc *pc)
{
    const struct tandem_device *device = pc->check->device;
    const struct tandem_area *scratch = &pc->check->scratch;
    const char *reason = "";
    if (device == NULL)
        return 1;
    if (tandem_device_check(device, &reason) != TANDEM_OK) {
        tandem_pc_report_text(pc, TANDEM_PORTCHECK_LAYOUT, TANDEM_PORTCHECK_NOWHERE, 0, reason);
        return 0;
    }
    if (overlaps(scratch, &device->journal) || overlaps(scratch, &device->manifests[0]) ||
        overlaps(scratch, &device->manifests[1])) {
        tandem_pc_report(pc, TANDEM_PORTCHECK_SCRATCH_USED, scratch->address, 0);
        return 0;
    }
    return 1;
}

static void check_clock(struct tandem_pc *pc)
{
    const struct tandem_portcheck *check = pc->check;
    if (check->clock_us == NULL)
        return;
    uint32_t first = check->clock_us(check->ctx);
    for (uint32_t i = 0; i < CLOCK_LOOKS && !pc->clock; i++)
        pc->clock = check->clock_us(check->ctx) != first;
    if (!pc->clock)
        tandem_pc_report(pc, TANDEM_PORTCHECK_CLOCK, TANDEM_PORTCHECK_NOWHERE, 0);
}

enum tandem_status tandem_pc_open(struct tandem_pc *pc, const struct tandem_portcheck *check,
                                  struct tandem_portcheck_result *result)
{
    memset(pc, 0, sizeof *pc);
    memset(result, 0, sizeof *result);
    pc->check = check;
    pc->flash = check->scratch.flash;
    pc->result = result;
    if (!check_table(pc))
        return TANDEM_ERROR_LAYOUT;
    if (check->buffer == NULL || check->buffer_size < TANDEM_PORTCHECK_BUFFER_MIN) {
        tandem_pc_report(pc, TANDEM_PORTCHECK_BUFFER, TANDEM_PORTCHECK_NOWHERE, check->buffer_size);
        return TANDEM_ERROR_ARGUMENT;
    }
    if (!check_scratch(pc))
        return TANDEM_ERROR_ARGUMENT;
    if (!check_device(pc))
        return tandem_pc_reported(pc, TANDEM_PORTCHECK_LAYOUT) ? TANDEM_ERROR_LAYOUT : TANDEM_ERROR_ARGUMENT;
    pc->begin = check->scratch.address;
    pc->end = check->scratch.address + check->scratch.size;
    pc->piece = (check->buffer_size - 16) & ~31u;
    pc->large = tandem_pc_least(pc->piece, tandem_pc_sector(pc, 0).size);
    check_clock(pc);
    return TANDEM_OK;
}

enum tandem_status tandem_pc_close(const struct tandem_pc *pc)
{
    return pc->result->faults != 0 ? TANDEM_ERROR_FLASH : TANDEM_OK;
}

/* ---- the rest of the flash, which must not change ---- */

/* A checksum of `size` cells. Cells that the port does not read are passed over. */
static uint32_t fingerprint(struct tandem_pc *pc, uint32_t crc, uint32_t address, uint64_t size)
{
    while (size != 0 && !pc->stuck) {
        uint32_t part = size < pc->piece ? (uint32_t)size : pc->piece;
        if (tandem_pc_read(pc, address, pc->check->buffer, part) == TANDEM_OK)
            crc = tandem_crc32(crc, pc->check->buffer, part);
        else if (address < pc->begin || address >= pc->end) /* there, cells may be anything before their first erase */
            tandem_pc_report(pc, TANDEM_PORTCHECK_MAP_READ, address, 0);
        address += part;
        size -= part;
    }
    return crc;
}

static uint32_t fingerprint_outside(struct tandem_pc *pc)
{
    uint32_t crc = TANDEM_CRC32_START;
    for (uint8_t i = 0; i < pc->flash->region_count; i++) {
        const struct tandem_flash_region *region = &pc->flash->regions[i];
        uint64_t begin = region->address, end = begin + (uint64_t)region->sector_size * region->count;
        uint64_t below = end < pc->begin ? end : pc->begin, above = begin > pc->end ? begin : pc->end;
        if (begin < below)
            crc = fingerprint(pc, crc, (uint32_t)begin, below - begin);
        if (above < end)
            crc = fingerprint(pc, crc, (uint32_t)above, end - above);
    }
    return crc;
}

/* Before anything can be lost outside: a first erase in the middle of the scratch area. @return whether to go on */
static int first_erase(struct tandem_pc *pc)
{
    struct tandem_sector left = tandem_pc_sector(pc, 0), middle = tandem_pc_sector(pc, 1), right = {0, 0};
    if (tandem_pc_sectors(pc) < 3)
        return 1;
    right = tandem_pc_sector(pc, 2);
    uint32_t before[2] = {fingerprint(pc, TANDEM_CRC32_START, left.address, left.size),
                          fingerprint(pc, TANDEM_CRC32_START, right.address, right.size)};
    if (tandem_pc_erase(pc, middle.address) != TANDEM_OK) {
        if (!pc->stuck)
            tandem_pc_report(pc, TANDEM_PORTCHECK_ERASE, middle.address, 0);
        return 0;
    }
    if (fingerprint(pc, TANDEM_CRC32_START, left.address, left.size) != before[0])
        tandem_pc_report(pc, TANDEM_PORTCHECK_ERASE_NEIGHBOUR, left.address, 0);
    if (fingerprint(pc, TANDEM_CRC32_START, right.address, right.size) != before[1])
        tandem_pc_report(pc, TANDEM_PORTCHECK_ERASE_NEIGHBOUR, right.address, 0);
    return !tandem_pc_reported(pc, TANDEM_PORTCHECK_ERASE_NEIGHBOUR);
}

/* ---- the run ---- */

/* The steps, each of which makes sense only if those before it found the port sound. */
static int (*const steps[])(struct tandem_pc *pc) = {
    first_erase,           tandem_pc_try_erase,  tandem_pc_try_units,  tandem_pc_try_runs,
    tandem_pc_try_sources, tandem_pc_try_border, tandem_pc_try_fill,   tandem_pc_try_reads,
    tandem_pc_try_alias,   tandem_pc_try_erases, tandem_pc_try_probes, tandem_pc_try_outside,
};

static int run_steps(struct tandem_pc *pc)
{
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++)
        if (!steps[i](pc) || pc->stuck)
            return 0;
    return 1;
}

enum tandem_status tandem_portcheck_run(const struct tandem_portcheck *check, struct tandem_portcheck_result *result)
{
    struct tandem_pc pc;
    enum tandem_status status = tandem_pc_open(&pc, check, result);
    if (status != TANDEM_OK)
        return status;
    uint32_t outside = fingerprint_outside(&pc);
    if (!run_steps(&pc))
        tandem_pc_report(&pc, TANDEM_PORTCHECK_STOPPED, TANDEM_PORTCHECK_NOWHERE, 0);
    else
        tandem_pc_times(&pc);
    if (!pc.stuck && fingerprint_outside(&pc) != outside)
        tandem_pc_report(&pc, TANDEM_PORTCHECK_OUTSIDE, TANDEM_PORTCHECK_NOWHERE, 0);
    tandem_pc_report(&pc, TANDEM_PORTCHECK_WEAR, pc.begin, result->sector_wear);
    return tandem_pc_close(&pc);
}
