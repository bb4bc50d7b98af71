/*
 * Simulated flash: see flash.h. Contents are four arrays (cells, bits in
 * doubt, weak bits, spent units), so that a whole flash can be copied and a
 * cut be tried on the copy while the original lives on.
 */
#include "flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(size_t size)
{
    void *memory = calloc(1, size ? size : 1);

    if (!memory) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return memory;
}

static void violate(struct sim_flash *flash, enum sim_violation violation, uint32_t address)
{
    flash->violations[violation]++;
    flash->violation_address = address;
}

uint32_t sim_flash_sector(const struct sim_flash *flash, uint32_t address, uint32_t *start)
{
    for (unsigned i = 0; i < flash->spec.region_count; i++) {
        const struct tandem_flash_region *region = &flash->spec.regions[i];

        if (address >= region->address && address - region->address < region->sector_size * region->count) {
            *start = address - (address - region->address) % region->sector_size;
            return region->sector_size;
        }
    }
    return 0;
}

static unsigned sector_index(const struct sim_flash *flash, uint32_t address)
{
    unsigned index = 0;

    for (unsigned i = 0; i < flash->spec.region_count; i++) {
        const struct tandem_flash_region *region = &flash->spec.regions[i];

        if (address - region->address < region->sector_size * region->count)
            return index + (address - region->address) / region->sector_size;
        index += region->count;
    }
    return 0;
}

static int inside(const struct sim_flash *flash, uint32_t address, size_t size)
{
    return address >= flash->base && size <= flash->size && address - flash->base <= flash->size - size;
}

/* Power is gone: leave as the processor does, or answer an error for ever. */
static enum tandem_status dead(struct sim_flash *flash)
{
    if (flash->power->out)
        longjmp(*flash->power->out, 1);
    return TANDEM_ERROR_FLASH;
}

static uint64_t flash_now(const struct sim_flash *flash)
{
    return *flash->now_us + flash->stall_us;
}

/* ---- tears ---- */

static void mark_doubt(struct sim_flash *flash, uint32_t at, uint8_t doubt, uint8_t weak)
{
    flash->doubt[at] = doubt;
    flash->weak[at] = weak;
    if (doubt | weak)
        flash->doubtful++;
}

/* A unit that was being programmed when power failed. */
static void tear_unit(struct sim_flash *flash, uint32_t at, const uint8_t *data, enum sim_tear tear,
                      struct sim_rng *rng)
{
    uint32_t unit = flash->spec.program_unit;

    for (uint32_t i = 0; i < unit; i++) {
        uint8_t old = flash->cells[at + i];
        uint8_t change = (uint8_t)(old ^ data[i]);
        uint8_t some = (uint8_t)sim_random(rng);
        uint8_t others = (uint8_t)sim_random(rng);

        switch (tear) {
        case SIM_TEAR_SOME:
            flash->cells[at + i] = (uint8_t)(old ^ (change & some));
            break;
        case SIM_TEAR_UNSTABLE:
            flash->cells[at + i] = (uint8_t)(old ^ (change & some));
            mark_doubt(flash, at + i, (uint8_t)(change & others), 0);
            break;
        case SIM_TEAR_WEAK:
            mark_doubt(flash, at + i, 0, change);
            break;
        default: /* almost done */
            flash->cells[at + i] = data[i];
            mark_doubt(flash, at + i, 0, (uint8_t)(change & some & others));
            break;
        }
    }
    /* A unit that still reads as erased may be taken for a fresh one: what
     * follows from that is for the checkers to find, not for this rule. */
    flash->spent[at / unit] = tear != SIM_TEAR_WEAK;
}

static void store_unit(struct sim_flash *flash, uint32_t at, const uint8_t *data)
{
    uint32_t unit = flash->spec.program_unit;

    for (uint32_t i = 0; i < unit; i++) {
        uint8_t change = (uint8_t)(flash->cells[at + i] ^ data[i]);

        if (flash->stuck)
            change &= (uint8_t)~flash->stuck[at + i];
        flash->cells[at + i] ^= change;
        flash->doubt[at + i] &= (uint8_t)~change;
        flash->weak[at + i] &= (uint8_t)~change;
    }
    flash->spent[at / unit] = 1;
}

/* The units of one call in any order: each done or not, this one torn. */
static void tear_scatter(struct sim_flash *flash, const struct sim_op *op, struct sim_rng *rng)
{
    uint32_t unit = flash->spec.program_unit;
    const uint8_t *data = op->data - (size_t)op->index * unit;
    uint32_t first = op->address - op->index * unit - flash->base;

    for (uint32_t i = op->index; i < op->count; i++) {
        uint32_t dice = sim_below(rng, 8);

        if (dice < 4)
            store_unit(flash, first + i * unit, data + (size_t)i * unit);
        else if (dice == 4)
            tear_unit(flash, first + i * unit, data + (size_t)i * unit, SIM_TEAR_UNSTABLE, rng);
    }
}

static void tear_erase_byte(struct sim_flash *flash, uint32_t at, enum sim_tear tear, struct sim_rng *rng)
{
    uint8_t change = (uint8_t)(flash->cells[at] ^ flash->spec.erased);
    uint64_t dice = sim_random(rng);
    uint8_t some = (uint8_t)dice;
    uint8_t others = (uint8_t)(dice >> 8);
    uint8_t few = (uint8_t)(others & (dice >> 16) & (dice >> 24));

    switch (tear) {
    case SIM_TEAR_SOME:
        flash->cells[at] ^= (uint8_t)(change & some);
        break;
    case SIM_TEAR_UNSTABLE:
        flash->cells[at] ^= (uint8_t)(change & some);
        mark_doubt(flash, at, (uint8_t)(change & others), 0);
        break;
    case SIM_TEAR_WEAK:
        flash->cells[at] = flash->spec.erased;
        mark_doubt(flash, at, 0, few);
        break;
    default: /* as if untouched */
        mark_doubt(flash, at, 0, (uint8_t)(change & few));
        break;
    }
}

static void clear_range(struct sim_flash *flash, uint32_t at, uint32_t size)
{
    memset(flash->cells + at, flash->spec.erased, size);
    if (flash->doubtful) {
        memset(flash->doubt + at, 0, size);
        memset(flash->weak + at, 0, size);
    }
    memset(flash->spent + at / flash->spec.program_unit, 0, size / flash->spec.program_unit);
}

static void tear_erase(struct sim_flash *flash, const struct sim_op *op, enum sim_tear tear, struct sim_rng *rng)
{
    uint32_t at = op->address - flash->base;

    if (tear == SIM_TEAR_SCATTER) {
        uint32_t half = op->size / 2;

        clear_range(flash, at + (sim_random(rng) & 1 ? half : 0), half);
        return;
    }
    for (uint32_t i = 0; i < op->size; i++)
        tear_erase_byte(flash, at + i, tear, rng);
    /* Nothing of the sector may be programmed before it is erased again. */
    memset(flash->spent + at / flash->spec.program_unit, tear != SIM_TEAR_WEAK, op->size / flash->spec.program_unit);
}

void sim_flash_tear(struct sim_flash *flash, const struct sim_op *op, enum sim_tear tear, struct sim_rng *rng)
{
    if (tear == SIM_TEAR_BEFORE)
        return;
    if (op->kind == SIM_OP_ERASE) {
        if (tear == SIM_TEAR_AFTER)
            clear_range(flash, op->address - flash->base, op->size);
        else
            tear_erase(flash, op, tear, rng);
        return;
    }
    if (tear == SIM_TEAR_AFTER)
        store_unit(flash, op->address - flash->base, op->data);
    else if (tear == SIM_TEAR_SCATTER)
        tear_scatter(flash, op, rng);
    else
        tear_unit(flash, op->address - flash->base, op->data, tear, rng);
}

/* ---- operations ---- */

/* Count one operation; take the cut or the failure that was set for it. @return how it went */
static enum tandem_status begin_op(struct sim_flash *flash, struct sim_op *op)
{
    struct sim_power *power = flash->power;

    op->number = ++power->ops;
    op->flash = flash;
    if (power->hook)
        power->hook(power->hook_ctx, op);
    if (power->cut_at == op->number) {
        sim_flash_tear(flash, op, power->tear, &power->rng);
        power->on = 0;
        return dead(flash);
    }
    if (power->fail_at && op->number >= power->fail_at && op->number - power->fail_at < power->fail_count) {
        sim_flash_tear(flash, op, SIM_TEAR_SOME, &power->rng);
        return TANDEM_ERROR_FLASH;
    }
    return TANDEM_OK;
}

static void check_unit(struct sim_flash *flash, uint32_t address, const uint8_t *data)
{
    uint32_t unit = flash->spec.program_unit;
    uint32_t at = address - flash->base;

    if (flash->spent[at / unit])
        violate(flash, SIM_VIOLATION_TWICE, address);
    for (uint32_t i = 0; i < unit; i++) {
        uint8_t spent = (uint8_t)(flash->cells[at + i] ^ flash->spec.erased);
        uint8_t wanted = (uint8_t)(data[i] ^ flash->spec.erased);

        if (spent & ~wanted) {
            violate(flash, SIM_VIOLATION_BITS, address);
            return;
        }
    }
}

static enum tandem_status program_units(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t size)
{
    uint32_t unit = flash->spec.program_unit;

    for (uint32_t done = 0; done < size; done += unit) {
        struct sim_op op = {0};
        enum tandem_status status;
        uint32_t at = address + done - flash->base;

        op.kind = SIM_OP_PROGRAM;
        op.address = address + done;
        op.data = data + done;
        op.size = unit;
        op.index = done / unit;
        op.count = size / unit;
        check_unit(flash, address + done, data + done);
        status = begin_op(flash, &op);
        if (status)
            return status;
        /* What really happens: bits go one way only. */
        for (uint32_t i = 0; i < unit; i++) {
            uint8_t change =
                (uint8_t)((data[done + i] ^ flash->spec.erased) & ~(flash->cells[at + i] ^ flash->spec.erased));

            if (flash->stuck)
                change &= (uint8_t)~flash->stuck[at + i];
            flash->cells[at + i] ^= change;
            flash->doubt[at + i] &= (uint8_t)~change;
            flash->weak[at + i] &= (uint8_t)~change;
        }
        flash->spent[at / unit] = 1;
    }
    return TANDEM_OK;
}

/* Whether the operation under way is this one. @return 1: answered in *status; 0: a new operation may begin */
static int answer_pending(struct sim_flash *flash, enum sim_op_kind kind, uint32_t address, uint32_t size,
                          enum tandem_status *status)
{
    if (!flash->pending.active)
        return 0;
    if (flash->pending.kind != kind || flash->pending.address != address || flash->pending.size != size) {
        violate(flash, SIM_VIOLATION_BUSY, address);
        *status = TANDEM_ERROR_FLASH;
        return 1;
    }
    *status = TANDEM_AGAIN;
    if (flash_now(flash) >= flash->pending.done_us) {
        flash->pending.active = 0;
        *status = flash->pending.result;
    } else {
        flash->stall_us += 2; /* asking takes a moment, so that waiting in a loop ends */
    }
    return 1;
}

/* The cells have changed; make it take its time. */
static enum tandem_status take_time(struct sim_flash *flash, enum sim_op_kind kind, uint32_t address, uint32_t size,
                                    uint64_t us, enum tandem_status result)
{
    flash->stats.busy_us += us;
    if (!flash->spec.asynchronous) {
        flash->stall_us += us;
        return result;
    }
    flash->pending.active = 1;
    flash->pending.kind = kind;
    flash->pending.address = address;
    flash->pending.size = size;
    flash->pending.done_us = flash_now(flash) + us;
    flash->pending.result = result;
    return TANDEM_AGAIN;
}

static enum tandem_status port_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    struct sim_flash *flash = ctx;
    enum tandem_status status;

    if (!flash->power->on) {
        violate(flash, SIM_VIOLATION_DEAD, address);
        return dead(flash);
    }
    if (!inside(flash, address, size)) {
        violate(flash, SIM_VIOLATION_RANGE, address);
        return TANDEM_ERROR_FLASH;
    }
    if (answer_pending(flash, SIM_OP_PROGRAM, address, (uint32_t)size, &status))
        return status;
    if (address % flash->spec.program_unit || size % flash->spec.program_unit || size == 0) {
        violate(flash, SIM_VIOLATION_UNALIGNED, address);
        return TANDEM_ERROR_FLASH;
    }
    status = program_units(flash, address, data, (uint32_t)size);
    flash->stats.programs++;
    flash->stats.bytes += size;
    return take_time(flash, SIM_OP_PROGRAM, address, (uint32_t)size, (uint64_t)size * flash->spec.program_ns / 1000,
                     status);
}

static enum tandem_status port_erase(void *ctx, uint32_t address)
{
    struct sim_flash *flash = ctx;
    struct sim_op op = {0};
    enum tandem_status status;
    uint32_t start = 0;
    uint32_t size = sim_flash_sector(flash, address, &start);

    if (!flash->power->on) {
        violate(flash, SIM_VIOLATION_DEAD, address);
        return dead(flash);
    }
    if (size == 0) {
        violate(flash, SIM_VIOLATION_RANGE, address);
        return TANDEM_ERROR_FLASH;
    }
    if (answer_pending(flash, SIM_OP_ERASE, address, size, &status))
        return status;
    if (start != address) {
        violate(flash, SIM_VIOLATION_SECTOR, address);
        return TANDEM_ERROR_FLASH;
    }
    op.kind = SIM_OP_ERASE;
    op.address = address;
    op.size = size;
    op.count = 1;
    status = begin_op(flash, &op);
    if (!status) {
        uint32_t *wear = &flash->wear[sector_index(flash, address)];

        clear_range(flash, address - flash->base, size);
        flash->stats.erases++;
        if (++*wear > flash->stats.worst_wear)
            flash->stats.worst_wear = *wear;
    }
    return take_time(flash, SIM_OP_ERASE, address, size, flash->spec.erase_us, status);
}

static enum tandem_status port_read(void *ctx, uint32_t address, void *data, size_t size)
{
    struct sim_flash *flash = ctx;
    uint8_t *out = data;

    if (!flash->power->on) {
        violate(flash, SIM_VIOLATION_DEAD, address);
        return dead(flash);
    }
    if (!inside(flash, address, size)) {
        violate(flash, SIM_VIOLATION_RANGE, address);
        return TANDEM_ERROR_FLASH;
    }
    if (flash->pending.active)
        violate(flash, SIM_VIOLATION_BUSY, address);
    flash->stats.reads += size;
    if (size)
        memcpy(out, flash->cells + (address - flash->base), size);
    if (!flash->doubtful)
        return TANDEM_OK;
    for (size_t i = 0; i < size; i++) {
        uint32_t at = address - flash->base + (uint32_t)i;

        if (flash->doubt[at])
            out[i] ^= (uint8_t)(flash->doubt[at] & sim_random(&flash->power->rng));
        if (flash->weak[at]) {
            uint64_t dice = sim_random(&flash->power->rng);

            out[i] ^= (uint8_t)(flash->weak[at] & dice & (dice >> 8) & (dice >> 16) & (dice >> 24));
        }
    }
    return TANDEM_OK;
}

static enum tandem_status port_sync(void *ctx)
{
    struct sim_flash *flash = ctx;

    if (!flash->power->on)
        return dead(flash);
    if (flash->pending.active)
        violate(flash, SIM_VIOLATION_BUSY, flash->pending.address);
    return TANDEM_OK;
}

/* ---- the rest ---- */

void sim_power_init(struct sim_power *power, uint64_t seed)
{
    memset(power, 0, sizeof *power);
    power->on = 1;
    power->rng.state = seed;
}

void sim_power_return(struct sim_power *power, struct sim_flash *const *flashes, unsigned count)
{
    power->on = 1;
    power->cut_at = 0;
    power->out = NULL;
    for (unsigned i = 0; i < count; i++)
        flashes[i]->pending.active = 0;
}

void sim_flash_init(struct sim_flash *flash, const struct sim_flash_spec *spec, struct sim_power *power,
                    const uint64_t *now_us)
{
    memset(flash, 0, sizeof *flash);
    flash->spec = *spec;
    flash->power = power;
    flash->now_us = now_us;
    flash->base = spec->regions[0].address;
    for (unsigned i = 0; i < spec->region_count; i++) {
        const struct tandem_flash_region *region = &spec->regions[i];

        flash->sectors += region->count;
        flash->size = region->address - flash->base + region->sector_size * region->count;
    }
    flash->cells = allocate(flash->size);
    flash->doubt = allocate(flash->size);
    flash->weak = allocate(flash->size);
    flash->spent = allocate(flash->size / spec->program_unit);
    flash->wear = allocate(flash->sectors * sizeof *flash->wear);
    memset(flash->cells, spec->erased, flash->size);
    flash->port.ctx = flash;
    flash->port.read = port_read;
    flash->port.program = port_program;
    flash->port.erase = port_erase;
    flash->port.sync = port_sync;
    flash->port.regions = flash->spec.regions;
    flash->port.region_count = spec->region_count;
    flash->port.program_unit = spec->program_unit;
    flash->port.erased = spec->erased;
}

void sim_flash_free(struct sim_flash *flash)
{
    free(flash->cells);
    free(flash->doubt);
    free(flash->weak);
    free(flash->spent);
    free(flash->wear);
    free(flash->stuck);
}

void sim_flash_copy(struct sim_flash *to, const struct sim_flash *from)
{
    memcpy(to->cells, from->cells, from->size);
    memcpy(to->spent, from->spent, from->size / from->spec.program_unit);
    if (from->doubtful || to->doubtful) {
        memcpy(to->doubt, from->doubt, from->size);
        memcpy(to->weak, from->weak, from->size);
    }
    to->doubtful = from->doubtful;
    to->pending.active = 0;
    to->stall_us = 0;
    memset(to->violations, 0, sizeof to->violations);
}

void sim_flash_flip(struct sim_flash *flash, uint32_t address, unsigned bit)
{
    flash->cells[address - flash->base] ^= (uint8_t)(1u << bit);
}

void sim_flash_stick(struct sim_flash *flash, uint32_t address, uint8_t mask)
{
    if (!flash->stuck)
        flash->stuck = allocate(flash->size);
    flash->stuck[address - flash->base] = mask;
}

const uint8_t *sim_flash_at(const struct sim_flash *flash, uint32_t address)
{
    return flash->cells + (address - flash->base);
}

void sim_flash_put(struct sim_flash *flash, uint32_t address, const void *data, uint32_t size)
{
    uint32_t unit = flash->spec.program_unit;
    uint32_t at = address - flash->base;

    if (size == 0)
        return;
    memcpy(flash->cells + at, data, size);
    for (uint32_t i = at / unit; i <= (at + size - 1) / unit; i++)
        flash->spent[i] = 1;
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t size)
{
    while (size >= 8) {
        uint64_t word;

        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * 0x9FB21C651E98DF25u;
        hash ^= hash >> 32;
        bytes += 8;
        size -= 8;
    }
    for (; size; size--)
        hash = (hash ^ *bytes++) * 0x100000001B3u;
    return hash;
}

uint64_t sim_flash_hash(const struct sim_flash *flash, uint64_t seed)
{
    uint64_t hash = hash_bytes(seed ^ 0xCBF29CE484222325u, flash->cells, flash->size);

    hash = hash_bytes(hash, flash->spent, flash->size / flash->spec.program_unit);
    if (flash->doubtful) {
        hash = hash_bytes(hash, flash->doubt, flash->size);
        hash = hash_bytes(hash, flash->weak, flash->size);
    }
    return hash;
}

uint32_t sim_flash_violations(const struct sim_flash *flash)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < SIM_VIOLATIONS; i++)
        sum += flash->violations[i];
    return sum;
}

static const char *const violation_texts[SIM_VIOLATIONS] = {
    "program not in whole units", "unit programmed twice between erases",
    "spent bit programmed back",  "erase not at a sector's start",
    "outside the flash",          "call while an operation is under way",
    "call after power failed",
};

const char *sim_violation_text(enum sim_violation violation)
{
    return (unsigned)violation < SIM_VIOLATIONS ? violation_texts[violation] : "?";
}

static const char *const tear_texts[SIM_TEARS] = {"before", "some", "unstable", "weak", "almost", "scatter", "after"};

const char *sim_tear_text(enum sim_tear tear)
{
    return (unsigned)tear < SIM_TEARS ? tear_texts[tear] : "?";
}

enum sim_tear sim_tear_named(const char *name)
{
    unsigned i = 0;

    while (i < SIM_TEARS && strcmp(name, tear_texts[i]) != 0)
        i++;
    return (enum sim_tear)i;
}
