/*
 * Erase, program and read, in all the ways that Tandem uses them.
 */
#include "portcheck/portcheck_cells.h"

#include <string.h>

#define SKEWS 8u    /* a pointer's alignments */
#define GUARD 0xC3u /* around what a read may write */
#define ALIAS_SIZE 16u

/* Seeds of the patterns, one for each step, so that what one left behind does not pass in the next. */
enum { SEED_UNITS = 0x101, SEED_RUNS, SEED_SOURCES, SEED_BORDER, SEED_FILL, SEED_TWICE, SEED_OTHER };

/* ---- erase ---- */

/* Erase a sector, and look at all of it. */
static int erase_whole(struct tandem_pc *pc, const struct tandem_sector *sector)
{
    const uint8_t *buffer = pc->check->buffer;
    if (tandem_pc_erase(pc, sector->address) != TANDEM_OK) {
        int blank = tandem_pc_compare(pc, SEED_ERASED, sector->address, sector->size) == PC_SAME;
        if (!pc->stuck)
            tandem_pc_report(pc, blank ? TANDEM_PORTCHECK_ERASE_AGAIN : TANDEM_PORTCHECK_ERASE, sector->address, 0);
        return 0;
    }
    enum tandem_pc_verdict verdict = tandem_pc_compare(pc, SEED_ERASED, sector->address, sector->size);
    if (verdict == PC_DIFFERENT && pc->bad == sector->address) {
        /* Nothing is as it should be: another value throughout? */
        uint32_t part = tandem_pc_least(sector->size, pc->piece), same = 0;
        while (same < part && buffer[same] == buffer[0])
            same++;
        if (same == part) {
            tandem_pc_report(pc, TANDEM_PORTCHECK_ERASED_VALUE, sector->address, buffer[0]);
            return 0;
        }
    }
    if (verdict == PC_SAME)
        return 1;
    if (pc->stuck)
        return 0;
    if (verdict == PC_UNREADABLE)
        tandem_pc_report(pc, TANDEM_PORTCHECK_READ, pc->bad, 0);
    else
        tandem_pc_report(pc, verdict == PC_LATE ? TANDEM_PORTCHECK_EARLY : TANDEM_PORTCHECK_ERASE_WHOLE, pc->bad,
                         pc->bad - sector->address);
    return 0;
}

int tandem_pc_try_erase(struct tandem_pc *pc)
{
    uint32_t count = tandem_pc_sectors(pc);
    for (uint32_t i = 0; i < count; i++) {
        struct tandem_sector sector = tandem_pc_sector(pc, i);
        if (!erase_whole(pc, &sector))
            return 0;
    }
    return 1;
}

/* Erase the first sector for the next step. */
static int renew(struct tandem_pc *pc, struct tandem_sector *sector)
{
    *sector = tandem_pc_sector(pc, 0);
    return erase_whole(pc, sector);
}

/* ---- program ---- */

static enum tandem_status put(struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size)
{
    return tandem_pc_program(pc, address, tandem_pc_pattern(pc, seed, address, size, 0), size);
}

/* Program and look; `id` if the call fails or the cells differ. */
static int put_and_look(struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size,
                        enum tandem_portcheck_id id, uint32_t value)
{
    if (put(pc, seed, address, size) == TANDEM_OK)
        return tandem_pc_expect(pc, seed, address, size, id, value);
    if (!pc->stuck)
        tandem_pc_report(pc, id, address, value);
    return 0;
}

/* The least size in which units can be programmed side by side; 0: none is found. */
static uint32_t working_unit(struct tandem_pc *pc)
{
    struct tandem_sector sector = tandem_pc_sector(pc, 0);
    for (uint32_t size = 2u * pc->flash->program_unit; size <= 32; size *= 2) {
        if (4 * size > sector.size || tandem_pc_erase(pc, sector.address) != TANDEM_OK)
            return 0;
        uint32_t done = 0;
        while (done < 4 && put(pc, SEED_UNITS, sector.address + done * size, size) == TANDEM_OK)
            done++;
        if (done == 4 && tandem_pc_compare(pc, SEED_UNITS, sector.address, 4 * size) == PC_SAME)
            return size;
    }
    return 0;
}

/* The first unit, alone in its sector. */
static int try_first_unit(struct tandem_pc *pc, const struct tandem_sector *sector)
{
    uint32_t unit = pc->flash->program_unit;
    if (put(pc, SEED_UNITS, sector->address, unit) != TANDEM_OK) {
        uint32_t larger = pc->stuck ? 0 : working_unit(pc);
        if (!pc->stuck)
            tandem_pc_report(pc, larger != 0 ? TANDEM_PORTCHECK_UNIT_SMALL : TANDEM_PORTCHECK_PROGRAM, sector->address,
                             larger);
        return 0;
    }
    /* What lies beside it first: bytes at the wrong place are the better word for bytes that are missing. */
    if (!tandem_pc_expect(pc, SEED_ERASED, sector->address + unit, sector->size - unit, TANDEM_PORTCHECK_PROGRAM_BEYOND,
                          0) ||
        !tandem_pc_expect(pc, SEED_UNITS, sector->address, unit, TANDEM_PORTCHECK_READ_BACK, 0))
        return 0;
    for (uint32_t i = 1; i < tandem_pc_sectors(pc); i++) {
        struct tandem_sector other = tandem_pc_sector(pc, i);
        int mirrored = tandem_pc_compare(pc, SEED_ERASED, other.address, unit) == PC_DIFFERENT;
        if (mirrored ||
            !tandem_pc_expect(pc, SEED_ERASED, other.address, other.size, TANDEM_PORTCHECK_PROGRAM_BEYOND, 0)) {
            if (mirrored)
                tandem_pc_report(pc, TANDEM_PORTCHECK_MAP_ALIAS, other.address, 0);
            return 0;
        }
    }
    return 1;
}

int tandem_pc_try_units(struct tandem_pc *pc)
{
    static const uint8_t order[] = {0, 1, 3, 2, 7, 6, 5, 4};
    uint32_t unit = pc->flash->program_unit, programmed = 0;
    struct tandem_sector sector;
    if (!renew(pc, &sector) || !try_first_unit(pc, &sector))
        return 0;
    for (unsigned i = 1; i < sizeof order && (order[i] + 1u) * unit <= sector.size; i++) {
        int fine = put(pc, SEED_UNITS, sector.address + order[i] * unit, unit) == TANDEM_OK;
        programmed = 1u << order[i] | programmed | 1;
        for (unsigned j = 0; fine && j < 8 && (j + 1) * unit <= sector.size; j++)
            fine = tandem_pc_compare(pc, programmed >> j & 1 ? SEED_UNITS : SEED_ERASED, sector.address + j * unit,
                                     unit) == PC_SAME;
        if (fine)
            continue;
        uint32_t at = sector.address + order[i] * unit, larger = pc->stuck ? 0 : working_unit(pc);
        if (!pc->stuck)
            tandem_pc_report(pc, larger != 0 ? TANDEM_PORTCHECK_UNIT_SMALL : TANDEM_PORTCHECK_PROGRAM, at, larger);
        return 0;
    }
    return 1;
}

int tandem_pc_try_runs(struct tandem_pc *pc)
{
    uint32_t unit = pc->flash->program_unit, at = 0;
    struct tandem_sector sector;
    if (!renew(pc, &sector))
        return 0;
    for (uint32_t units = 2; at < sector.size; units = units * 3 / 2) {
        uint32_t size = tandem_pc_least(tandem_pc_least(units * unit, pc->piece), sector.size - at);
        if (!put_and_look(pc, SEED_RUNS, sector.address + at, size, TANDEM_PORTCHECK_PROGRAM_RUN, size))
            return 0;
        at += size;
    }
    return tandem_pc_expect(pc, SEED_RUNS, sector.address, sector.size, TANDEM_PORTCHECK_PROGRAM_BEYOND, 0);
}

int tandem_pc_try_sources(struct tandem_pc *pc)
{
    uint32_t unit = pc->flash->program_unit;
    struct tandem_sector sector;
    if (!renew(pc, &sector))
        return 0;
    for (uint32_t skew = 0; skew < SKEWS && (skew + 1) * unit <= sector.size; skew++) {
        uint32_t at = sector.address + skew * unit;
        const uint8_t *data = tandem_pc_pattern(pc, SEED_SOURCES, at, unit, skew);
        if (tandem_pc_program(pc, at, data, unit) != TANDEM_OK) {
            if (!pc->stuck)
                tandem_pc_report(pc, TANDEM_PORTCHECK_PROGRAM_SOURCE, at, skew);
            return 0;
        }
        if (!tandem_pc_expect(pc, SEED_SOURCES, at, unit, TANDEM_PORTCHECK_PROGRAM_SOURCE, skew))
            return 0;
    }
    return 1;
}

int tandem_pc_try_border(struct tandem_pc *pc)
{
    uint32_t unit = pc->flash->program_unit;
    struct tandem_sector sector, next;
    if (!renew(pc, &sector))
        return 0;
    next = tandem_pc_sector(pc, 1);
    return put_and_look(pc, SEED_BORDER, next.address - unit, 2 * unit, TANDEM_PORTCHECK_PROGRAM_BORDER, 0) &&
           erase_whole(pc, &next) && renew(pc, &sector);
}

/* Program a whole sector, in calls as large as they can be. */
static int fill(struct tandem_pc *pc, const struct tandem_sector *sector)
{
    for (uint32_t at = 0; at < sector->size; at += pc->piece) {
        uint32_t size = tandem_pc_least(sector->size - at, pc->piece);
        if (put(pc, SEED_FILL, sector->address + at, size) == TANDEM_OK)
            continue;
        if (!pc->stuck)
            tandem_pc_report(pc, TANDEM_PORTCHECK_PROGRAM_RUN, sector->address + at, size);
        return 0;
    }
    return tandem_pc_expect(pc, SEED_FILL, sector->address, sector->size, TANDEM_PORTCHECK_READ_BACK, 0);
}

int tandem_pc_try_fill(struct tandem_pc *pc)
{
    for (uint32_t i = 0; i < tandem_pc_sectors(pc); i++) {
        struct tandem_sector sector = tandem_pc_sector(pc, i);
        if (!fill(pc, &sector))
            return 0;
    }
    return tandem_pc_expect(pc, SEED_FILL, pc->begin, pc->end - pc->begin, TANDEM_PORTCHECK_PROGRAM_BEYOND, 0);
}

/* ---- read ---- */

/* One read to an odd place in RAM, with guards around it. */
static int look(struct tandem_pc *pc, uint32_t address, uint32_t size, uint32_t skew, enum tandem_portcheck_id id)
{
    uint8_t *buffer = pc->check->buffer, *to = buffer + SKEWS + skew;
    memset(buffer, GUARD, 3 * SKEWS + size);
    if (tandem_pc_read(pc, address, to, size) != TANDEM_OK) {
        tandem_pc_report(pc, id, address, size);
        return 0;
    }
    for (uint32_t i = 0; i < 3 * SKEWS + size; i++) {
        int inside = buffer + i >= to && buffer + i < to + size;
        uint32_t at = address + i - SKEWS - skew;
        if (buffer[i] == (inside ? tandem_pc_cell(pc, SEED_FILL, at) : GUARD))
            continue;
        tandem_pc_report(pc, inside ? id : TANDEM_PORTCHECK_READ_DEST, address, size);
        return 0;
    }
    return 1;
}

int tandem_pc_try_reads(struct tandem_pc *pc)
{
    static const uint8_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 33};
    struct tandem_sector sector = tandem_pc_sector(pc, 0);
    int fine = 1;
    for (unsigned i = 0; i < sizeof sizes; i++)
        for (uint32_t from = 0; from < 9 && from + sizes[i] <= sector.size; from++)
            for (uint32_t skew = 0; skew < SKEWS; skew += 1 + from % 2)
                fine &= look(pc, sector.address + from, sizes[i], skew, TANDEM_PORTCHECK_READ_ODD);
    if (!fine)
        return 0;
    for (uint32_t i = 1; i < tandem_pc_sectors(pc); i++) {
        struct tandem_sector next = tandem_pc_sector(pc, i);
        for (uint32_t before = 1; before < 9 && before <= sector.size; before++)
            fine &= look(pc, next.address - before, 2 * before, 0, TANDEM_PORTCHECK_READ_BORDER);
    }
    return fine;
}

/* Whether what the scratch area holds is to be seen elsewhere too. */
static void look_for_alias(struct tandem_pc *pc, uint32_t address)
{
    uint8_t bytes[ALIAS_SIZE];
    struct tandem_sector sector = tandem_pc_sector(pc, 0);
    if (sector.size < sizeof bytes || tandem_pc_read(pc, address, bytes, sizeof bytes) != TANDEM_OK)
        return;
    for (uint32_t i = 0; i < sizeof bytes; i++)
        if (bytes[i] != tandem_pc_cell(pc, SEED_FILL, sector.address + i))
            return;
    tandem_pc_report(pc, TANDEM_PORTCHECK_MAP_ALIAS, address, 0);
}

int tandem_pc_try_alias(struct tandem_pc *pc)
{
    for (uint8_t i = 0; i < pc->flash->region_count; i++) {
        const struct tandem_flash_region *region = &pc->flash->regions[i];
        for (uint32_t j = 0; j < region->count && region->sector_size >= ALIAS_SIZE; j++) {
            uint32_t at = region->address + j * region->sector_size;
            if (at < pc->begin || at >= pc->end)
                look_for_alias(pc, at);
        }
    }
    return !tandem_pc_reported(pc, TANDEM_PORTCHECK_MAP_ALIAS);
}

/* ---- erase, between sectors that hold something ---- */

int tandem_pc_try_erases(struct tandem_pc *pc)
{
    uint32_t count = tandem_pc_sectors(pc);
    for (uint32_t i = 0; i < count; i++) {
        struct tandem_sector sector = tandem_pc_sector(pc, i), other;
        if (!erase_whole(pc, &sector))
            return 0;
        for (uint32_t j = i > 0 ? i - 1 : 1; j < count && j <= i + 1; j += 2) {
            other = tandem_pc_sector(pc, j);
            if (!tandem_pc_expect(pc, SEED_FILL, other.address, other.size, TANDEM_PORTCHECK_ERASE_NEIGHBOUR, 0))
                return 0;
        }
        if (i == 0 && !erase_whole(pc, &sector))
            return 0;
        if (!fill(pc, &sector))
            return 0;
    }
    return tandem_pc_expect(pc, SEED_FILL, pc->begin, pc->end - pc->begin, TANDEM_PORTCHECK_ERASE_NEIGHBOUR, 0);
}

/* ---- what Tandem never does ---- */

/* What became of a unit that was programmed twice, with one bit pattern and then the other. */
static const char *twice_text(struct tandem_pc *pc, uint32_t address, enum tandem_status status)
{
    uint8_t bytes[32], erased = pc->flash->erased;
    uint32_t unit = pc->flash->program_unit, first = 0, both = 0;
    if (tandem_pc_read(pc, address, bytes, unit) != TANDEM_OK)
        return "a unit programmed twice cannot be read any more, and the port says so: flash with ECC, handled well";
    for (uint32_t i = 0; i < unit; i++) {
        uint8_t old = tandem_pc_cell(pc, SEED_TWICE, address + i), new = tandem_pc_cell(pc, SEED_OTHER, address + i);
        first += bytes[i] == old;
        both += bytes[i] == (erased == 0xFF ? old & new : old | new);
    }
    if (first == unit)
        return status == TANDEM_OK ? "programming a unit again changes nothing, and is not refused"
                                   : "programming a unit again is refused: as it should be";
    if (both == unit)
        return "programming a unit again spends more bits: plain NOR, without ECC";
    return "programming a unit again leaves other bytes than either: most likely flash with ECC";
}

static int probe_twice(struct tandem_pc *pc)
{
    struct tandem_sector sector;
    uint32_t unit = pc->flash->program_unit;
    if (!renew(pc, &sector))
        return 0;
    if (put(pc, SEED_TWICE, sector.address, unit) != TANDEM_OK)
        return 1;
    enum tandem_status status = put(pc, SEED_OTHER, sector.address, unit);
    tandem_pc_report_text(pc, TANDEM_PORTCHECK_TWICE, sector.address, 0, twice_text(pc, sector.address, status));
    return 1;
}

static int probe_odd(struct tandem_pc *pc)
{
    struct tandem_sector sector;
    uint32_t unit = pc->flash->program_unit;
    if (!renew(pc, &sector))
        return 0;
    if (unit > 1 && sector.size >= 4 * unit) {
        if (put(pc, SEED_TWICE, sector.address + 1, unit) == TANDEM_OK)
            tandem_pc_report(pc, TANDEM_PORTCHECK_ODD_PROGRAM, sector.address + 1, unit);
        if (put(pc, SEED_TWICE, sector.address + 2 * unit, unit - 1) == TANDEM_OK)
            tandem_pc_report(pc, TANDEM_PORTCHECK_ODD_PROGRAM, sector.address + 2 * unit, unit - 1);
    }
    if (sector.size > unit && tandem_pc_erase(pc, sector.address + unit) == TANDEM_OK)
        tandem_pc_report(pc, TANDEM_PORTCHECK_ODD_ERASE, sector.address + unit, 0);
    return 1;
}

int tandem_pc_try_probes(struct tandem_pc *pc)
{
    uint8_t probes = pc->check->probes;
    if ((probes & TANDEM_PORTCHECK_PROBE_TWICE) != 0 && !probe_twice(pc))
        return 0;
    if ((probes & TANDEM_PORTCHECK_PROBE_ODD) != 0 && !probe_odd(pc))
        return 0;
    if (!pc->stuck && tandem_flash_sync(pc->flash) != TANDEM_OK)
        tandem_pc_report(pc, TANDEM_PORTCHECK_SYNC, TANDEM_PORTCHECK_NOWHERE, 0);
    return tandem_pc_try_erase(pc);
}

int tandem_pc_try_outside(struct tandem_pc *pc)
{
    const struct tandem_flash_region *last = &pc->flash->regions[pc->flash->region_count - 1];
    uint64_t end = last->address + (uint64_t)last->sector_size * last->count;
    uint32_t unit = pc->flash->program_unit, all = TANDEM_PORTCHECK_PROBE_TWICE | TANDEM_PORTCHECK_PROBE_ODD | 4u;
    if ((pc->check->probes & all) != all)
        tandem_pc_report(pc, TANDEM_PORTCHECK_NOT_TRIED, TANDEM_PORTCHECK_NOWHERE, 0);
    if ((pc->check->probes & TANDEM_PORTCHECK_PROBE_OUTSIDE) == 0 || end > 0xFFFFFF00u)
        return 1;
    uint32_t past = (uint32_t)end;
    if (tandem_pc_read(pc, past, pc->check->buffer, 4) == TANDEM_OK ||
        tandem_pc_read(pc, past - 2, pc->check->buffer, 4) == TANDEM_OK)
        tandem_pc_report(pc, TANDEM_PORTCHECK_READ_OUTSIDE, past, 0);
    /* The erased value: on most flash it harms nothing where it should not have come to. */
    if (tandem_pc_program(pc, past, tandem_pc_pattern(pc, SEED_ERASED, past, unit, 0), unit) == TANDEM_OK)
        tandem_pc_report(pc, TANDEM_PORTCHECK_PROGRAM_OUTSIDE, past, 0);
    if (tandem_pc_erase(pc, past) == TANDEM_OK)
        tandem_pc_report(pc, TANDEM_PORTCHECK_ERASE_OUTSIDE, past, 0);
    return 1;
}
