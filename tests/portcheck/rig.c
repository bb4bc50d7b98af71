/*
 * Ports that are wrong in one way each.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ECC_UNIT 16u

uint8_t rig_ever[TANDEM_PORTCHECK_IDS];

static struct tandem_flash_port *inner(struct rig *rig)
{
    return &rig->chip.port;
}

/* Where an address of the port leads to. */
static uint32_t place(const struct rig *rig, uint32_t address)
{
    if (rig->defect == WRAPS && address >= rig->chip.base + rig->chip.size)
        return rig->chip.base + (address - rig->chip.base) % rig->chip.size;
    if (rig->defect == MIRRORS && address >= 0x2800)
        return address - 0x800;
    return address;
}

static uint32_t sector_of(const struct rig *rig, uint32_t address, uint32_t *size)
{
    uint32_t start = 0;
    *size = sim_flash_sector(&rig->chip, address, &start);
    return start;
}

/* For a while, reads will show what is there now. */
static void keep_before(struct rig *rig, uint32_t address, uint32_t size)
{
    memcpy(rig->before, sim_flash_at(&rig->chip, address), size);
    rig->stale_address = address;
    rig->stale_size = size;
    rig->stale = 100;
}

/* ---- read ---- */

static enum tandem_status read_cells(struct rig *rig, uint32_t address, uint8_t *data, size_t size)
{
    enum tandem_status status = inner(rig)->read(inner(rig)->ctx, place(rig, address), data, size);
    if (status == TANDEM_OK && rig->cache != NULL)
        memcpy(data, rig->cache + (address - rig->chip.base), size);
    for (size_t i = 0; rig->stale != 0 && i < size; i++)
        if (address + i >= rig->stale_address && address + i < rig->stale_address + rig->stale_size)
            data[i] = rig->before[address + i - rig->stale_address];
    rig->stale -= rig->stale != 0;
    return status;
}

static int has_torn_cells(const struct rig *rig, uint32_t address, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (rig->chip.doubt[address - rig->chip.base + i] != 0)
            return 1;
    return 0;
}

static enum tandem_status wrong_read(void *ctx, uint32_t address, void *data, size_t size)
{
    struct rig *rig = ctx;
    uint32_t sector, start = sector_of(rig, address, &sector);
    uint8_t words[64];
    rig->now_us += 1 + size / 16;
    switch ((int)rig->defect) {
    case READ_FAILS:
        if (address <= 0x1303 && address + size > 0x1303)
            return TANDEM_ERROR_FLASH;
        break;
    case READ_REFUSES:
        if (address < 0x1100)
            return TANDEM_ERROR_FLASH;
        break;
    case READ_AGAIN:
        return TANDEM_AGAIN;
    case READ_PORT:
        return TANDEM_ERROR_PORT;
    case READ_ALIGNED:
        return read_cells(rig, address & ~3u, data, size);
    case READ_WORDS:
        if (size > 33)
            break;
        if (read_cells(rig, address, words, (size + 3) & ~3u) != TANDEM_OK)
            return TANDEM_ERROR_FLASH;
        memcpy(data, words, (size + 3) & ~3u);
        return TANDEM_OK;
    case READ_IN_SECTOR:
        if (size <= 16 && address + size > start + sector) {
            memset(data, 0, size);
            return read_cells(rig, address, data, start + sector - address);
        }
        break;
    case ECC_FAULTS:
        if (has_torn_cells(rig, address, size))
            return TANDEM_ERROR_FLASH;
        break;
    case TWICE_FAULTS:
        if (rig->twice != 0 && address <= rig->twice && address + size > rig->twice)
            return TANDEM_ERROR_FLASH;
        break;
    default:
        break;
    }
    return read_cells(rig, address, data, size);
}

/* ---- program ---- */

static enum tandem_status program_cells(struct rig *rig, uint32_t address, const uint8_t *data, size_t size)
{
    if (rig->cache == NULL)
        return inner(rig)->program(inner(rig)->ctx, place(rig, address), data, size);
    memcpy(rig->cache + (address - rig->chip.base), data, size);
    return TANDEM_OK;
}

static int is_spent(const struct rig *rig, uint32_t address, uint32_t size)
{
    for (uint32_t at = address; at < address + size; at += rig->chip.spec.program_unit)
        if (rig->chip.spent[(at - rig->chip.base) / rig->chip.spec.program_unit])
            return 1;
    return 0;
}

/* A chip that programs and protects 16 bytes at once. */
static enum tandem_status program_ecc(struct rig *rig, uint32_t address, const uint8_t *data, size_t size)
{
    if (rig->defect == ECC_WHOLE && (address % ECC_UNIT != 0 || size % ECC_UNIT != 0))
        return TANDEM_ERROR_FLASH;
    for (uint32_t at = address & ~(ECC_UNIT - 1); at < address + size; at += ECC_UNIT) {
        if (!is_spent(rig, at, ECC_UNIT))
            continue;
        if (rig->defect == ECC_REFUSES)
            return TANDEM_ERROR_FLASH;
        sim_flash_flip(&rig->chip, at, 3);
    }
    return program_cells(rig, address, data, size);
}

/* The unit is not erased. */
static enum tandem_status program_again(struct rig *rig, uint32_t address, const uint8_t *data, size_t size)
{
    rig->twice = address;
    if (rig->defect == TWICE_SPOILS) {
        program_cells(rig, address, data, size);
        sim_flash_flip(&rig->chip, address, 1);
        sim_flash_flip(&rig->chip, address, 2);
    }
    return TANDEM_OK;
}

static enum tandem_status wrong_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    struct rig *rig = ctx;
    const uint8_t *bytes = data;
    uint32_t unit = rig->chip.spec.program_unit, sector, start = sector_of(rig, address, &sector);
    uint8_t copy[4096];
    rig->now_us += 10 + size;
    switch ((int)rig->defect) {
    case PROGRAM_FAILS:
        return TANDEM_ERROR_FLASH;
    case PROGRAM_ENDLESS:
        return TANDEM_AGAIN;
    case PROGRAM_NEXT_UNIT:
        return program_cells(rig, address + unit, bytes, size);
    case PROGRAM_BIT:
        memcpy(copy, bytes, size);
        copy[0] |= 1;
        return program_cells(rig, address, copy, size);
    case PROGRAM_EXTRA:
        memset(copy, 0x11, sizeof copy);
        memcpy(copy, bytes, size);
        return program_cells(rig, address, copy, size + unit);
    case PROGRAM_FAR:
        program_cells(rig, 0x2C00, bytes, unit);
        break;
    case PROGRAM_64:
        return program_cells(rig, address, bytes, size < 64 ? size : 64);
    case PROGRAM_IN_SECTOR:
        if (address + size > start + sector) {
            uint32_t part = start + sector - address;
            program_cells(rig, start, bytes + part, size - part);
            return program_cells(rig, address, bytes, part);
        }
        break;
    case PROGRAM_ALIGNED:
        return program_cells(rig, address, bytes - (uintptr_t)bytes % 4, size);
    case PROGRAM_ODD:
        return program_cells(rig, address / unit * unit, bytes, size / unit * unit + (size % unit != 0 ? unit : 0));
    case PROGRAM_EARLY:
        keep_before(rig, address, (uint32_t)size);
        break;
    case ECC_REFUSES:
    case ECC_SPOILS:
    case ECC_WHOLE:
        return program_ecc(rig, address, bytes, size);
    case TWICE_IGNORED:
    case TWICE_SPOILS:
    case TWICE_FAULTS:
        if (is_spent(rig, address, (uint32_t)size))
            return program_again(rig, address, bytes, size);
        break;
    default:
        break;
    }
    return program_cells(rig, address, bytes, size);
}

/* ---- erase ---- */

static enum tandem_status erase_cells(struct rig *rig, uint32_t address)
{
    enum tandem_status status = inner(rig)->erase(inner(rig)->ctx, place(rig, address));
    uint32_t sector, start = sector_of(rig, address, &sector);
    if (rig->cache != NULL)
        memset(rig->cache + (start - rig->chip.base), rig->chip.spec.erased, sector);
    return status;
}

static int is_erased(const struct rig *rig, uint32_t address, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        if (sim_flash_at(&rig->chip, address)[i] != rig->chip.spec.erased)
            return 0;
    return 1;
}

static enum tandem_status erase_half(struct rig *rig, uint32_t address, uint32_t size)
{
    uint8_t half[4096];
    memcpy(half, sim_flash_at(&rig->chip, address + size / 2), size / 2);
    enum tandem_status status = erase_cells(rig, address);
    if (status == TANDEM_OK)
        sim_flash_put(&rig->chip, address + size / 2, half, size / 2);
    return status;
}

static enum tandem_status wrong_erase(void *ctx, uint32_t address)
{
    struct rig *rig = ctx;
    uint32_t sector, start = sector_of(rig, address, &sector);
    rig->now_us += 1000;
    switch ((int)rig->defect) {
    case ERASE_FAILS:
        return TANDEM_ERROR_FLASH;
    case ERASE_ENDLESS:
        return TANDEM_AGAIN;
    case ERASE_NOTHING:
        return TANDEM_OK;
    case ERASE_HALF:
        return erase_half(rig, address, sector);
    case ERASE_NEXT:
        (void)erase_cells(rig, address + sector);
        break;
    case ERASE_PAIR:
        (void)erase_cells(rig, address ^ sector);
        break;
    case ERASE_NOT_TWICE:
        if (is_erased(rig, address, sector))
            return TANDEM_ERROR_FLASH;
        break;
    case ERASE_EARLY:
        keep_before(rig, address, sector);
        break;
    case ERASE_ODD:
        return erase_cells(rig, start);
    default:
        break;
    }
    rig->twice = 0;
    return erase_cells(rig, address);
}

/* ---- the rest ---- */

static enum tandem_status wrong_sync(void *ctx)
{
    struct rig *rig = ctx;
    if (rig->defect == SYNC_FAILS)
        return TANDEM_ERROR_FLASH;
    if (rig->defect == CACHES && rig->cache != NULL)
        memcpy(rig->chip.cells, rig->cache, rig->chip.size);
    return TANDEM_OK;
}

void rig_reset(struct rig *rig)
{
    struct sim_flash *chips[] = {&rig->chip};
    sim_power_return(&rig->power, chips, 1);
    if (rig->cache != NULL)
        memcpy(rig->cache, rig->chip.cells, rig->chip.size);
    rig->stale = 0;
}

static uint32_t clock_us(void *ctx)
{
    struct rig *rig = ctx;
    rig->now_us++;
    return (uint32_t)(rig->now_us + rig->chip.stall_us);
}

static void feed(void *ctx)
{
    struct rig *rig = ctx;
    rig->feeds++;
}

static void collect(void *ctx, const struct tandem_portcheck_finding *finding)
{
    struct rig *rig = ctx;
    char line[TANDEM_PORTCHECK_TEXT_SIZE];
    rig->found[finding->id]++;
    rig->findings[finding->id] = *finding;
    rig_ever[finding->id] = 1;
    if (rig->verbose)
        printf("  %s\n", tandem_portcheck_line(finding, line, sizeof line));
}

static struct tandem_system_port surroundings = {.watchdog = feed};

void rig_open_sectors(struct rig *rig, uint8_t unit, uint8_t erased, int asynchronous, enum defect defect,
                      uint32_t sector, uint32_t count)
{
    struct sim_flash_spec spec = {.regions = {{0x1000, sector, count}, {0x2000, 1024, 4}},
                                  .region_count = 2,
                                  .program_unit = unit,
                                  .erased = erased,
                                  .asynchronous = asynchronous != 0,
                                  .erase_us = 500,
                                  .program_ns = 1000};
    memset(rig, 0, sizeof *rig);
    rig->defect = defect;
    sim_power_init(&rig->power, 1);
    sim_flash_init(&rig->chip, &spec, &rig->power, &rig->now_us);
    struct sim_rng noise = {99};
    for (uint32_t i = 0; i < rig->chip.size; i++)
        rig->chip.cells[i] = (uint8_t)sim_random(&noise);
    memset(rig->chip.spent, 1, rig->chip.size / unit);
    if (defect == CACHES || defect == CACHES_FOR_EVER) {
        rig->cache = malloc(rig->chip.size);
        memcpy(rig->cache, rig->chip.cells, rig->chip.size);
    }
    memcpy(rig->regions, spec.regions, sizeof rig->regions);
    rig->port = rig->chip.port;
    rig->port.ctx = rig;
    rig->port.read = wrong_read;
    rig->port.program = wrong_program;
    rig->port.erase = wrong_erase;
    rig->port.sync = wrong_sync;
    rig->port.regions = rig->regions;
    surroundings.ctx = rig;
    rig->check.scratch.flash = &rig->port;
    rig->check.scratch.address = 0x1200;
    rig->check.scratch.size = 0x600;
    rig->check.buffer = rig->buffer;
    rig->check.buffer_size = sizeof rig->buffer;
    rig->check.system = &surroundings;
    rig->check.clock_us = clock_us;
    rig->check.again_calls = 5000;
    rig->check.report = collect;
    rig->check.ctx = rig;
}

void rig_open(struct rig *rig, uint8_t unit, uint8_t erased, int asynchronous, enum defect defect)
{
    rig_open_sectors(rig, unit, erased, asynchronous, defect, 256, 8);
}

void rig_close(struct rig *rig)
{
    sim_flash_free(&rig->chip);
    free(rig->cache);
    rig->cache = NULL;
}

void rig_forget(struct rig *rig)
{
    memset(rig->found, 0, sizeof rig->found);
}

enum tandem_status rig_run(struct rig *rig)
{
    rig_forget(rig);
    return tandem_portcheck_run(&rig->check, &rig->result);
}

const char *rig_complaints(const struct rig *rig)
{
    static char names[TANDEM_PORTCHECK_IDS * 24];
    names[0] = '\0';
    for (unsigned i = 0; i < TANDEM_PORTCHECK_IDS; i++) {
        if (!rig->found[i] || rig->findings[i].severity == TANDEM_PORTCHECK_INFO)
            continue;
        if (names[0] != '\0')
            strcat(names, " ");
        strcat(names, tandem_portcheck_name((enum tandem_portcheck_id)i));
    }
    return names;
}
