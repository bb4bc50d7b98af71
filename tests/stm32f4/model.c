/*
 * A model of the STM32F4's flash interface: see model.h.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KB 1024u
#define ROW 16u
#define WORD_US 16u
#define SECOND_BANK 16u

/* Offsets of the registers, and their bits. */
enum { ACR = 0x00, KEYR = 0x04, OPTKEYR = 0x08, SR = 0x0C, CR = 0x10, OPTCR = 0x14, OPTCR1 = 0x18 };

#define ACR_BITS 0x1F0Fu
#define ACR_ICEN (1u << 9)
#define ACR_DCEN (1u << 10)
#define ACR_ICRST (1u << 11)
#define ACR_DCRST (1u << 12)
#define SR_EOP (1u << 0)
#define SR_WRPERR (1u << 4)
#define SR_PGAERR (1u << 5)
#define SR_PGPERR (1u << 6)
#define SR_PGSERR (1u << 7)
#define SR_ERRORS 0x1F2u
#define SR_BSY (1u << 16)
#define CR_PG (1u << 0)
#define CR_SER (1u << 1)
#define CR_MER (1u << 2)
#define CR_STRT (1u << 16)
#define CR_EOPIE (1u << 24)
#define CR_LOCK (1u << 31)
#define CR_BITS_SINGLE 0x8301037Fu
#define CR_BITS_DUAL 0x830183FFu

static void misuse(struct stm32f4_model *model, enum model_misuse what, uint32_t address, uint32_t flag)
{
    model->misuses[what]++;
    model->misuse_address = address;
    model->sr |= flag;
}

/* ---- time ---- */

static void end_operation(struct stm32f4_model *model)
{
    if (model->now_us < model->until_us)
        return;
    model->until_us = 0;
    model->cr &= ~CR_STRT;
    if (model->cr & CR_EOPIE && !(model->sr & SR_ERRORS))
        model->sr |= SR_EOP;
}

static void stall(struct stm32f4_model *model)
{
    if (model->until_us == 0)
        return;
    model->stalls_us += model->until_us - model->now_us;
    model->now_us = model->until_us;
    end_operation(model);
}

/* A program in the same flash is not there to see an operation go on: its next instruction comes at the end. */
static void tick(struct stm32f4_model *model)
{
    if (model->program == MODEL_FROM_FLASH)
        stall(model);
}

/* What stalls the bus until the operation ends. */
static void want_idle(struct stm32f4_model *model, uint32_t address)
{
    if (model->until_us == 0)
        return;
    misuse(model, MODEL_BUSY, address, 0);
    stall(model);
}

static void take(struct stm32f4_model *model, uint32_t us)
{
    model->until_us = model->now_us + us;
}

/* Typical times of the data sheet, by sector and PSIZE. */
static uint32_t erase_us(uint32_t sector_size, unsigned psize)
{
    static const uint32_t ms[3][3] = {{400, 300, 250}, {1200, 700, 550}, {2000, 1300, 1000}};
    unsigned kind = sector_size == 16 * KB ? 0 : sector_size == 64 * KB ? 1 : 2;

    return ms[kind][psize < 2 ? psize : 2] * 1000;
}

/* ---- what is where ---- */

static uint32_t flash_size(const struct stm32f4_model *model)
{
    return model->bank_size * model->banks;
}

static int is_cell(const struct stm32f4_model *model, uint32_t address)
{
    return address >= TANDEM_STM32F4_FLASH && address - TANDEM_STM32F4_FLASH < flash_size(model);
}

/* First byte of sector `number` as SNB has it; 0: there is none. */
static uint32_t sector_address(const struct stm32f4_model *model, uint32_t number, uint32_t *size)
{
    uint32_t bank = number / SECOND_BANK, index = number % SECOND_BANK;
    uint32_t at = index < 4 ? index * 16 * KB : index == 4 ? 64 * KB : (index - 4) * 128 * KB;

    *size = index < 4 ? 16 * KB : index == 4 ? 64 * KB : 128 * KB;
    if (bank >= model->banks || at >= model->bank_size)
        return 0;
    return TANDEM_STM32F4_FLASH + bank * model->bank_size + at;
}

static uint32_t sector_number(const struct stm32f4_model *model, uint32_t address)
{
    for (uint32_t number = 0, size; number < 2 * SECOND_BANK; number++) {
        uint32_t start = sector_address(model, number, &size);

        if (start && address >= start && address - start < size)
            return number;
    }
    return 0;
}

static unsigned psize(const struct stm32f4_model *model)
{
    return model->cr >> 8 & 3;
}

/* Whether the supply drives as many cells at once as PSIZE says. */
static int is_driven(const struct stm32f4_model *model)
{
    static const uint16_t least_mv[4] = {1700, 2100, 2700, 2700};

    return model->supply_mv >= least_mv[psize(model)] && (psize(model) != 3 || model->vpp);
}

/* ---- operations ---- */

/* Cells that were not driven hard enough: some of their bits have changed. */
static void underdrive(struct stm32f4_model *model, enum sim_op_kind kind, uint32_t address, const uint8_t *data,
                       uint32_t size)
{
    struct sim_op op = {0};

    misuse(model, MODEL_SUPPLY, address, 0);
    op.kind = kind;
    op.flash = model->chip;
    op.address = address;
    op.data = data;
    op.size = size;
    op.count = 1;
    sim_flash_tear(model->chip, &op, SIM_TEAR_SOME, &model->chip->power->rng);
}

static void start_erase(struct stm32f4_model *model)
{
    uint32_t number = model->cr >> 3 & (model->banks == 2 ? 31u : 15u), size;
    uint32_t address = sector_address(model, number, &size);

    if (model->sr & SR_ERRORS) {
        misuse(model, MODEL_STALE, address, SR_PGSERR);
    } else if ((model->cr & (CR_PG | CR_SER | CR_MER)) != CR_SER) {
        misuse(model, MODEL_SEQUENCE, address, SR_PGSERR);
    } else if (address == 0) {
        misuse(model, MODEL_SECTOR, number, SR_PGSERR);
    } else if (model->protected_sectors >> number & 1) {
        misuse(model, MODEL_PROTECTED, address, SR_WRPERR);
    } else if (!is_driven(model)) {
        underdrive(model, SIM_OP_ERASE, address, NULL, size);
        take(model, erase_us(size, psize(model)));
        return;
    } else {
        /* That it failed is not said: a read will tell. */
        (void)model->chip->port.erase(model->chip->port.ctx, address);
        model->erases++;
        take(model, erase_us(size, psize(model)));
        return;
    }
    model->cr &= ~CR_STRT;
}

/* Cells and cache take the same value, where the cache has the row. */
static void program(struct stm32f4_model *model, uint32_t address, const uint8_t *data, uint32_t size)
{
    take(model, WORD_US);
    if (!is_driven(model)) {
        underdrive(model, SIM_OP_PROGRAM, address, data, size);
        return;
    }
    (void)model->chip->port.program(model->chip->port.ctx, address, data, size);
    model->units++;
    if (model->cached[(address - TANDEM_STM32F4_FLASH) / ROW])
        for (uint32_t i = 0; i < size; i++)
            model->cache[address - TANDEM_STM32F4_FLASH + i] &= data[i];
}

static void put(uint8_t *bytes, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

/* Two words that come one behind the other are one access of 64 bits. */
static void store_double(struct stm32f4_model *model, uint32_t address, uint32_t value)
{
    uint8_t bytes[8];

    if (!model->half_waits) {
        model->half[0] = address;
        model->half[1] = value;
        model->half_waits = 1;
        if (address % 8)
            misuse(model, MODEL_ALIGNMENT, address, SR_PGAERR);
        return;
    }
    model->half_waits = 0;
    if (address != model->half[0] + 4) {
        misuse(model, MODEL_PARALLELISM, address, SR_PGPERR);
        return;
    }
    put(bytes, model->half[1], 4);
    put(bytes + 4, value, 4);
    program(model, model->half[0], bytes, sizeof bytes);
}

static void store_cells(struct stm32f4_model *model, uint32_t address, uint32_t value, unsigned size)
{
    uint8_t bytes[4];
    unsigned width = psize(model) < 2 ? 1u << psize(model) : 4;

    want_idle(model, address);
    if (!(model->cr & CR_PG) || model->cr & (CR_SER | CR_MER | CR_LOCK)) {
        misuse(model, MODEL_SEQUENCE, address, SR_PGSERR | (size != width ? SR_PGPERR : 0));
        return;
    }
    if (model->sr & SR_ERRORS) {
        misuse(model, MODEL_STALE, address, SR_PGSERR);
        return;
    }
    if (size != width) {
        misuse(model, MODEL_PARALLELISM, address, SR_PGPERR);
        return;
    }
    if (address % size) {
        misuse(model, MODEL_ALIGNMENT, address, SR_PGAERR);
        return;
    }
    if (model->protected_sectors >> sector_number(model, address) & 1) {
        misuse(model, MODEL_PROTECTED, address, SR_WRPERR);
        return;
    }
    if (psize(model) == 3) {
        store_double(model, address, value);
        return;
    }
    put(bytes, value, size);
    program(model, address, bytes, size);
}

/* ---- registers ---- */

static void store_key(struct stm32f4_model *model, uint32_t value)
{
    static const uint32_t keys[2] = {0x45670123u, 0xCDEF89ABu};

    if (model->key_trap || !(model->cr & CR_LOCK) || value != keys[model->key_stage]) {
        misuse(model, MODEL_KEYS, TANDEM_STM32F4_REGISTERS + KEYR, 0);
        model->key_trap = 1;
        model->cr |= CR_LOCK;
        return;
    }
    model->key_stage++;
    if (model->key_stage < 2)
        return;
    model->key_stage = 0;
    model->cr &= ~CR_LOCK;
}

static void store_cr(struct stm32f4_model *model, uint32_t value)
{
    uint32_t address = TANDEM_STM32F4_REGISTERS + CR;

    want_idle(model, address);
    if (model->cr & CR_LOCK) {
        misuse(model, MODEL_LOCKED, address, 0);
        return;
    }
    if (value & ~(model->banks == 2 ? CR_BITS_DUAL : CR_BITS_SINGLE))
        misuse(model, MODEL_ADDRESS, address, 0);
    if (model->half_waits)
        misuse(model, MODEL_PARALLELISM, model->half[0], SR_PGPERR);
    model->half_waits = 0;
    model->cr = value;
    if (value & CR_STRT && !(value & CR_LOCK))
        start_erase(model);
}

static void store_acr(struct stm32f4_model *model, uint32_t value)
{
    uint32_t address = TANDEM_STM32F4_REGISTERS + ACR;

    if (value & ~ACR_BITS)
        misuse(model, MODEL_ADDRESS, address, 0);
    if ((value & ACR_ICRST && (model->acr | value) & ACR_ICEN) ||
        (value & ACR_DCRST && (model->acr | value) & ACR_DCEN))
        misuse(model, MODEL_CACHE, address, 0);
    else if (value & ACR_DCRST)
        memset(model->cached, 0, flash_size(model) / ROW);
    model->acr = value;
}

static void bus_store(void *ctx, uint32_t address, uint32_t value, unsigned size)
{
    struct stm32f4_model *model = ctx;

    tick(model);
    if (is_cell(model, address)) {
        store_cells(model, address, value, size);
        return;
    }
    switch (size == 4 ? address - TANDEM_STM32F4_REGISTERS : OPTKEYR) {
    case ACR:
        store_acr(model, value);
        break;
    case KEYR:
        store_key(model, value);
        break;
    case SR:
        model->sr &= ~(value & (SR_ERRORS | SR_EOP));
        break;
    case CR:
        store_cr(model, value);
        break;
    default: /* option bytes are nobody's business here */
        misuse(model, MODEL_ADDRESS, address, 0);
        break;
    }
}

static uint32_t bus_load(void *ctx, uint32_t address)
{
    struct stm32f4_model *model = ctx;

    tick(model);
    switch (address - TANDEM_STM32F4_REGISTERS) {
    case ACR:
        return model->acr;
    case SR:
        model->now_us += model->until_us ? model->poll_us : 0;
        if (model->until_us)
            end_operation(model);
        return model->sr | (model->until_us ? SR_BSY : 0);
    case CR:
        return model->cr;
    default:
        misuse(model, MODEL_ADDRESS, address, 0);
        return 0;
    }
}

static void read_row(struct stm32f4_model *model, uint32_t row)
{
    if (model->cached[row])
        return;
    (void)model->chip->port.read(model->chip->port.ctx, TANDEM_STM32F4_FLASH + row * ROW, model->cache + row * ROW,
                                 ROW);
    model->cached[row] = 1;
}

static void bus_copy(void *ctx, uint32_t address, void *data, size_t size)
{
    struct stm32f4_model *model = ctx;
    uint32_t at = address - TANDEM_STM32F4_FLASH;

    tick(model);
    if (size == 0)
        return;
    if (!is_cell(model, address) || size > flash_size(model) - at) {
        misuse(model, MODEL_ADDRESS, address, 0);
        return;
    }
    want_idle(model, address);
    if (!(model->acr & ACR_DCEN)) {
        (void)model->chip->port.read(model->chip->port.ctx, address, data, size);
        return;
    }
    for (uint32_t row = at / ROW; row <= (at + size - 1) / ROW; row++)
        read_row(model, row);
    memcpy(data, model->cache + at, size);
}

/* ---- the rest ---- */

void model_reset(struct stm32f4_model *model)
{
    model->acr = 0; /* what is in the cache stays there: nothing in the manual takes it away */
    model->sr = 0;
    model->cr = CR_LOCK;
    model->key_stage = 0;
    model->key_trap = 0;
    model->half_waits = 0;
    model->until_us = 0;
}

void model_init(struct stm32f4_model *model, struct sim_flash *chip, uint32_t bank_size, uint8_t banks)
{
    memset(model, 0, sizeof *model);
    model->bus.ctx = model;
    model->bus.load = bus_load;
    model->bus.store = bus_store;
    model->bus.copy = bus_copy;
    model->chip = chip;
    model->bank_size = bank_size;
    model->banks = banks;
    model->supply_mv = 3300;
    model->vpp = chip->spec.program_unit == 8;
    model->poll_us = 1;
    model->cache = malloc(flash_size(model));
    model->cached = calloc(flash_size(model) / ROW, 1);
    if (!model->cache || !model->cached || chip->size != flash_size(model)) {
        fprintf(stderr, "no such chip\n");
        exit(2);
    }
    model_reset(model);
}

void model_free(struct stm32f4_model *model)
{
    free(model->cache);
    free(model->cached);
}

void model_spec(struct sim_flash_spec *spec, uint32_t bank_size, uint8_t banks, uint8_t unit)
{
    memset(spec, 0, sizeof *spec);
    spec->program_unit = unit;
    spec->erased = 0xFF;
    for (uint32_t bank = 0; bank < banks; bank++) {
        uint32_t base = TANDEM_STM32F4_FLASH + bank * bank_size;
        struct tandem_flash_region regions[3] = {
            {base, 16 * KB, 4}, {base + 64 * KB, 64 * KB, 1}, {base + 128 * KB, 128 * KB, bank_size / (128 * KB) - 1}};

        for (unsigned i = 0; i < 3; i++)
            if (regions[i].count)
                spec->regions[spec->region_count++] = regions[i];
    }
}

uint32_t model_misused(const struct stm32f4_model *model)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < MODEL_MISUSES; i++)
        sum += model->misuses[i];
    return sum;
}

void model_complain(const struct stm32f4_model *model)
{
    static const char *const texts[MODEL_MISUSES] = {
        "wrong key",
        "written while locked",
        "used while an operation is under way",
        "an operation in front of old errors",
        "cells written without PG, or an erase without SER",
        "access not as wide as PSIZE",
        "access not aligned, or across a row",
        "write protection",
        "PSIZE beyond the supply",
        "no such sector",
        "cache reset while it is on",
        "no such register, cell or bit",
    };

    for (unsigned i = 0; i < MODEL_MISUSES; i++)
        if (model->misuses[i])
            fprintf(stderr, "flash interface: %s, %u times, the last time at or near 0x%08x\n", texts[i],
                    (unsigned)model->misuses[i], (unsigned)model->misuse_address);
}
