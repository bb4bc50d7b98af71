/*
 * Calls of the port under check, and cells compared with what they should hold.
 */
#include "portcheck/portcheck_ops.h"

#include <string.h>

#define AGAIN_CALLS 10000000u /* an operation that takes more has no end */
#define AGAIN_US 60000000u    /* nor has one that takes longer: the slowest sectors need a few seconds */
#define SETTLE_US 2000000u    /* what comes right within this time was reported too early, and is not wrong */
#define SETTLE_READS 20000u   /* without a clock: so many reads */

/* ---- findings ---- */

int tandem_pc_reported(const struct tandem_pc *pc, enum tandem_portcheck_id id)
{
    return (pc->seen[id / 32] >> id % 32 & 1) != 0;
}

void tandem_pc_report_text(struct tandem_pc *pc, enum tandem_portcheck_id id, uint32_t address, uint32_t value,
                           const char *text)
{
    struct tandem_portcheck_finding finding = {id, TANDEM_PORTCHECK_INFO, address, value, NULL};
    if (tandem_pc_reported(pc, id))
        return;
    pc->seen[id / 32] |= 1u << id % 32;
    finding.text = tandem_pc_words(id, &finding.severity);
    if (text != NULL)
        finding.text = text;
    pc->result->faults += finding.severity == TANDEM_PORTCHECK_FAULT;
    pc->result->warnings += finding.severity == TANDEM_PORTCHECK_WARNING;
    if (pc->check->report != NULL)
        pc->check->report(pc->check->ctx, &finding);
}

void tandem_pc_report(struct tandem_pc *pc, enum tandem_portcheck_id id, uint32_t address, uint32_t value)
{
    tandem_pc_report_text(pc, id, address, value, NULL);
}

/* ---- calls ---- */

static uint32_t now(const struct tandem_pc *pc)
{
    return pc->clock ? pc->check->clock_us(pc->check->ctx) : 0;
}

static void feed(const struct tandem_pc *pc)
{
    tandem_watchdog(pc->check->system);
}

/* One call has ended. */
static enum tandem_status answer(struct tandem_pc *pc, uint32_t address, uint32_t began, enum tandem_status status)
{
    uint32_t us = now(pc) - began;
    if (us > pc->result->call_us)
        pc->result->call_us = us;
    if (status != TANDEM_OK && status != TANDEM_AGAIN && status != TANDEM_ERROR_FLASH)
        tandem_pc_report(pc, TANDEM_PORTCHECK_STATUS, address, (uint32_t)status);
    return status;
}

/* Call until there is an end: an erase if `data` is NULL. `*us` is set to what it took. */
static enum tandem_status operate(struct tandem_pc *pc, uint32_t address, const void *data, uint32_t size, uint32_t *us)
{
    uint32_t limit = pc->check->again_calls != 0 ? pc->check->again_calls : AGAIN_CALLS;
    uint32_t began = now(pc);
    *us = 0;
    if (pc->stuck)
        return TANDEM_ERROR_FLASH;
    for (uint32_t calls = 0; calls < limit && now(pc) - began <= AGAIN_US; calls++) {
        uint32_t call = now(pc);
        enum tandem_status status;
        feed(pc);
        if (data == NULL)
            status = pc->flash->erase(pc->flash->ctx, address);
        else
            status = pc->flash->program(pc->flash->ctx, address, data, size);
        if (answer(pc, address, call, status) == TANDEM_AGAIN)
            continue;
        *us = now(pc) - began;
        return status == TANDEM_OK ? TANDEM_OK : TANDEM_ERROR_FLASH;
    }
    pc->stuck = 1;
    tandem_pc_report(pc, TANDEM_PORTCHECK_ENDLESS, address, limit);
    return TANDEM_ERROR_FLASH;
}

enum tandem_status tandem_pc_erase(struct tandem_pc *pc, uint32_t address)
{
    uint32_t us;
    struct tandem_sector sector = {0, 0};
    pc->result->erases++;
    pc->result->sector_wear += address == pc->begin; /* no sector is erased more often than the first */
    enum tandem_status status = operate(pc, address, NULL, 0, &us);
    if (status != TANDEM_OK)
        return status;
    (void)tandem_flash_sector(pc->flash, address, &sector);
    pc->erase_us += us;
    pc->erase_bytes += sector.size;
    if (us > pc->result->erase_us)
        pc->result->erase_us = us;
    return TANDEM_OK;
}

enum tandem_status tandem_pc_program(struct tandem_pc *pc, uint32_t address, const void *data, uint32_t size)
{
    uint32_t us;
    enum tandem_status status = operate(pc, address, data, size, &us);
    if (status == TANDEM_OK && size >= pc->large) {
        pc->program_us += us;
        pc->program_bytes += size;
    }
    return status;
}

enum tandem_status tandem_pc_read(struct tandem_pc *pc, uint32_t address, void *data, uint32_t size)
{
    if (pc->stuck)
        return TANDEM_ERROR_FLASH;
    uint32_t began = now(pc);
    feed(pc);
    enum tandem_status status = answer(pc, address, began, pc->flash->read(pc->flash->ctx, address, data, size));
    if (status == TANDEM_AGAIN)
        tandem_pc_report(pc, TANDEM_PORTCHECK_STATUS, address, (uint32_t)status);
    if (status != TANDEM_OK)
        return TANDEM_ERROR_FLASH;
    if (size >= pc->large) {
        pc->read_us += now(pc) - began;
        pc->read_bytes += size;
    }
    return TANDEM_OK;
}

/* ---- cells ---- */

uint8_t tandem_pc_cell(const struct tandem_pc *pc, uint32_t seed, uint32_t address)
{
    uint8_t erased = pc->flash->erased;
    if (seed == SEED_ERASED)
        return erased;
    uint32_t x = address * 0x9E3779B1u + seed * 0x85EBCA77u;
    x = (x ^ x >> 15) * 0xC2B2AE3Du;
    uint8_t value = (uint8_t)(x >> 16 ^ x >> 24);
    return value != erased ? value : (uint8_t)(value ^ 0x5A);
}

uint8_t *tandem_pc_pattern(const struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size, uint32_t skew)
{
    uint8_t *at = pc->check->buffer + skew;
    for (uint32_t i = 0; i < size; i++)
        at[i] = tandem_pc_cell(pc, seed, address + i);
    return at;
}

/* Read cells of one sector; returns how many are as they should be before the first that is not. */
static uint32_t same_cells(struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size,
                           enum tandem_status *status)
{
    uint32_t same = 0;
    *status = tandem_pc_read(pc, address, pc->check->buffer, size);
    if (*status == TANDEM_OK)
        while (same < size && pc->check->buffer[same] == tandem_pc_cell(pc, seed, address + same))
            same++;
    return same;
}

/* Cells are wrong: do they come right by themselves? */
static enum tandem_pc_verdict settle(struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size)
{
    uint32_t began = now(pc);
    enum tandem_status status = TANDEM_OK;
    for (uint32_t i = 0; pc->clock ? now(pc) - began < SETTLE_US : i < SETTLE_READS; i++)
        if (same_cells(pc, seed, address, size, &status) == size)
            return PC_LATE;
        else if (status != TANDEM_OK)
            break;
    return PC_DIFFERENT;
}

enum tandem_pc_verdict tandem_pc_compare(struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size)
{
    while (size != 0) {
        struct tandem_sector sector = {address, size};
        enum tandem_status status;
        (void)tandem_flash_sector(pc->flash, address, &sector); /* no read goes over a border: that is tried apart */
        uint32_t part = tandem_pc_least(tandem_pc_least(size, pc->piece), sector.address + sector.size - address);
        uint32_t same = same_cells(pc, seed, address, part, &status);
        pc->bad = address + same;
        if (status != TANDEM_OK)
            return PC_UNREADABLE;
        if (same < part)
            return settle(pc, seed, address, part);
        address += part;
        size -= part;
    }
    return PC_SAME;
}

int tandem_pc_expect(struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size, enum tandem_portcheck_id id,
                     uint32_t value)
{
    enum tandem_pc_verdict verdict = tandem_pc_compare(pc, seed, address, size);
    if (verdict == PC_SAME)
        return 1;
    if (verdict == PC_UNREADABLE && !pc->stuck)
        tandem_pc_report(pc, TANDEM_PORTCHECK_READ, pc->bad, 0);
    if (!pc->stuck)
        tandem_pc_report(pc, verdict == PC_LATE ? TANDEM_PORTCHECK_EARLY : id, pc->bad, value);
    return 0;
}

struct tandem_sector tandem_pc_sector(const struct tandem_pc *pc, uint32_t index)
{
    struct tandem_sector sector = {pc->begin, 0};
    uint32_t at = pc->begin;
    for (uint32_t i = 0; i <= index; i++) {
        (void)tandem_flash_sector(pc->flash, at, &sector);
        at = sector.address + sector.size;
    }
    return sector;
}

uint32_t tandem_pc_sectors(const struct tandem_pc *pc)
{
    uint32_t count = 0;
    struct tandem_sector sector;
    for (uint32_t at = pc->begin; at < pc->end && tandem_flash_sector(pc->flash, at, &sector); count++)
        at = sector.address + sector.size;
    return count;
}

/* ---- time ---- */

/* Microseconds for a KB. */
static uint32_t for_a_kb(uint32_t us, uint32_t bytes)
{
    return bytes != 0 ? (uint32_t)((uint64_t)us * 1024 / bytes) : 0;
}

void tandem_pc_times(struct tandem_pc *pc)
{
    struct tandem_portcheck_result *result = pc->result;
    const struct tandem_portcheck *check = pc->check;
    if (!pc->clock)
        return;
    result->program_us = for_a_kb(pc->program_us, pc->program_bytes);
    result->read_us = for_a_kb(pc->read_us, pc->read_bytes);
    tandem_pc_report(pc, TANDEM_PORTCHECK_TIME_ERASE, TANDEM_PORTCHECK_NOWHERE, result->erase_us);
    tandem_pc_report(pc, TANDEM_PORTCHECK_TIME_PROGRAM, TANDEM_PORTCHECK_NOWHERE, result->program_us);
    tandem_pc_report(pc, TANDEM_PORTCHECK_TIME_READ, TANDEM_PORTCHECK_NOWHERE, result->read_us);
    if (check->watchdog_ms != 0 && result->call_us / 1000 >= check->watchdog_ms)
        tandem_pc_report(pc, TANDEM_PORTCHECK_TIME_CALL, TANDEM_PORTCHECK_NOWHERE, result->call_us);
    uint32_t kb_us = for_a_kb(pc->erase_us, pc->erase_bytes) + result->program_us;
    if (kb_us == 0)
        return;
    result->rate = (uint32_t)(1024u * UINT64_C(1000000) / kb_us);
    if (check->link_rate > result->rate)
        tandem_pc_report(pc, TANDEM_PORTCHECK_TIME_SLOW, TANDEM_PORTCHECK_NOWHERE, result->rate);
    else
        tandem_pc_report(pc, TANDEM_PORTCHECK_TIME_RATE, TANDEM_PORTCHECK_NOWHERE, result->rate);
}
