/*
 * The STM32F4's flash port over a model of the chip's registers; and the
 * model itself, so that what it refuses is known.
 */
#include "board.h"
#include "check.h"
#include "tandem/portcheck.h"

#define KB 1024u
#define ACR (TANDEM_STM32F4_REGISTERS + 0x00u)
#define KEYR (TANDEM_STM32F4_REGISTERS + 0x04u)
#define SR (TANDEM_STM32F4_REGISTERS + 0x0Cu)
#define CR (TANDEM_STM32F4_REGISTERS + 0x10u)
#define KEY_1 0x45670123u
#define KEY_2 0xCDEF89ABu
#define SR_WRPERR (1u << 4)
#define SR_PGAERR (1u << 5)
#define SR_PGPERR (1u << 6)
#define SR_PGSERR (1u << 7)
#define SR_BSY (1u << 16)
#define CR_PG 1u
#define CR_SER 2u
#define CR_MER 4u
#define CR_SNB(n) ((n) << 3)
#define CR_X32 (2u << 8)
#define CR_STRT (1u << 16)
#define CR_LOCK (1u << 31)

#define BASE TANDEM_STM32F4_FLASH

/* A chip with the port before it. */
struct rig {
    struct sim_power power;
    uint64_t now_us;
    struct sim_flash chip;
    struct stm32f4_model model;
    struct tandem_stm32f4_flash_options options;
    struct tandem_stm32f4_flash flash;
};

static void open_chip(struct rig *rig, uint32_t bank_size, uint8_t banks, uint8_t unit)
{
    struct sim_flash_spec spec;
    memset(rig, 0, sizeof *rig);
    model_spec(&spec, bank_size, banks, unit);
    sim_power_init(&rig->power, 3);
    sim_flash_init(&rig->chip, &spec, &rig->power, &rig->now_us);
    model_init(&rig->model, &rig->chip, bank_size, banks);
    rig->options.bank_size = bank_size;
    rig->options.banks = banks;
    rig->options.parallelism = unit;
    rig->options.bus = &rig->model.bus;
    REQUIRE(tandem_stm32f4_flash_init(&rig->flash, &rig->options) == TANDEM_OK);
}

/* An F407 in words. */
static void open_rig(struct rig *rig)
{
    open_chip(rig, 1024 * KB, 1, 4);
}

/* The port behaved: no misuse, and the controller is locked. */
static void close_rig(struct rig *rig)
{
    CHECK_EQUAL(model_misused(&rig->model), 0);
    model_complain(&rig->model);
    CHECK_EQUAL(rig->model.cr, CR_LOCK);
    CHECK_EQUAL(rig->model.sr, 0);
    model_free(&rig->model);
    sim_flash_free(&rig->chip);
}

static uint32_t load(struct rig *rig, uint32_t address)
{
    return rig->model.bus.load(rig->model.bus.ctx, address);
}

static void store(struct rig *rig, uint32_t address, uint32_t value, unsigned size)
{
    rig->model.bus.store(rig->model.bus.ctx, address, value, size);
}

static enum tandem_status read_flash(struct rig *rig, uint32_t address, void *data, size_t size)
{
    return rig->flash.port.read(rig->flash.port.ctx, address, data, size);
}

static enum tandem_status program(struct rig *rig, uint32_t address, const void *data, size_t size)
{
    return rig->flash.port.program(rig->flash.port.ctx, address, data, size);
}

static enum tandem_status erase(struct rig *rig, uint32_t address)
{
    return rig->flash.port.erase(rig->flash.port.ctx, address);
}

/* That a misuse happened, and no other; it is forgiven then. */
static void expect_misuse(struct rig *rig, enum model_misuse what, uint32_t flags)
{
    CHECK_EQUAL(rig->model.misuses[what], 1);
    CHECK_EQUAL(model_misused(&rig->model), 1);
    CHECK_EQUAL(load(rig, SR) & 0x1FEu, flags);
    memset(rig->model.misuses, 0, sizeof rig->model.misuses);
    store(rig, SR, 0x1FFu, 4);
}

/* ---- the model ---- */

static void unlock(struct rig *rig)
{
    store(rig, KEYR, KEY_1, 4);
    store(rig, KEYR, KEY_2, 4);
}

static void model_keys(void)
{
    static const uint32_t wrong[][2] = {{KEY_2, KEY_1}, {KEY_1, KEY_1}, {KEY_1, 0}, {0, KEY_2}};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct rig rig;
        open_rig(&rig);
        CHECK_EQUAL(load(&rig, CR), CR_LOCK);
        store(&rig, KEYR, wrong[i][0], 4);
        store(&rig, KEYR, wrong[i][1], 4);
        CHECK(rig.model.misuses[MODEL_KEYS] != 0);
        unlock(&rig);
        CHECK_EQUAL(load(&rig, CR), CR_LOCK); /* the right ones come too late */
        model_reset(&rig.model);
        unlock(&rig);
        CHECK_EQUAL(load(&rig, CR), 0);
        memset(rig.model.misuses, 0, sizeof rig.model.misuses);
        store(&rig, KEYR, KEY_1, 4); /* a key for an open door is a wrong one */
        expect_misuse(&rig, MODEL_KEYS, 0);
        CHECK_EQUAL(load(&rig, CR), CR_LOCK);
        store(&rig, CR, CR_PG, 4);
        expect_misuse(&rig, MODEL_LOCKED, 0);
        CHECK_EQUAL(load(&rig, CR), CR_LOCK);
        close_rig(&rig);
    }
}

static void model_programs(void)
{
    struct rig rig;
    open_rig(&rig);
    unlock(&rig);
    store(&rig, BASE, 0x11223344, 4);
    expect_misuse(&rig, MODEL_SEQUENCE, SR_PGSERR | SR_PGPERR);
    store(&rig, CR, CR_PG | CR_SER | CR_X32, 4);
    store(&rig, BASE, 0x11223344, 4);
    expect_misuse(&rig, MODEL_SEQUENCE, SR_PGSERR);
    store(&rig, CR, CR_PG | CR_X32, 4);
    store(&rig, BASE, 0x3344, 2);
    expect_misuse(&rig, MODEL_PARALLELISM, SR_PGPERR);
    store(&rig, BASE, 0x44, 1);
    expect_misuse(&rig, MODEL_PARALLELISM, SR_PGPERR);
    store(&rig, BASE + 14, 0x11223344, 4);
    expect_misuse(&rig, MODEL_ALIGNMENT, SR_PGAERR);
    store(&rig, BASE - 4, 0x11223344, 4);
    expect_misuse(&rig, MODEL_ADDRESS, 0);
    rig.model.protected_sectors = 1;
    store(&rig, BASE, 0x11223344, 4);
    CHECK_EQUAL(load(&rig, SR) & 0xFFFF, SR_WRPERR);
    store(&rig, BASE + 16 * KB, 0x11223344, 4); /* the next one fails for the error before it */
    CHECK_EQUAL(rig.model.misuses[MODEL_STALE], 1);
    CHECK_EQUAL(load(&rig, SR) & 0xFFFF, SR_WRPERR | SR_PGSERR);
    store(&rig, SR, 0, 4); /* only ones clear */
    CHECK_EQUAL(load(&rig, SR) & 0xFFFF, SR_WRPERR | SR_PGSERR);
    store(&rig, SR, SR_WRPERR, 4);
    CHECK_EQUAL(load(&rig, SR) & 0xFFFF, SR_PGSERR);
    store(&rig, SR, SR_PGSERR, 4);
    memset(rig.model.misuses, 0, sizeof rig.model.misuses);
    for (uint32_t at = 0; at < 32; at++)
        CHECK_EQUAL(*sim_flash_at(&rig.chip, BASE + at), 0xFF); /* none of all this was done */
    store(&rig, CR, 0, 4);
    store(&rig, CR, CR_LOCK, 4);
    close_rig(&rig);
}

/* Bits go one way only; a sector's erase brings them back. */
static void model_cells(void)
{
    struct rig rig;
    static const uint8_t both[4] = {0x40, 0x10, 0x00, 0x10};
    open_rig(&rig);
    unlock(&rig);
    store(&rig, CR, CR_PG | CR_X32, 4);
    store(&rig, BASE + 8, 0x10203040, 4);
    store(&rig, BASE + 8, 0x1F0F1F4F, 4);
    CHECK_BYTES(sim_flash_at(&rig.chip, BASE + 8), both, 4);
    CHECK_EQUAL(rig.chip.violations[SIM_VIOLATION_TWICE], 1); /* Tandem would never */
    store(&rig, CR, CR_SER | CR_X32, 4);
    store(&rig, CR, CR_SER | CR_X32 | CR_STRT, 4);
    for (uint32_t at = 0; at < 16 * KB; at++)
        REQUIRE(*sim_flash_at(&rig.chip, BASE + at) == 0xFF);
    store(&rig, CR, CR_LOCK, 4);
    CHECK_EQUAL(rig.model.erases, 1);
    close_rig(&rig);
}

static void model_erases(void)
{
    static const uint32_t wrong[] = {CR_STRT, CR_SER | CR_PG | CR_STRT, CR_SER | CR_MER | CR_STRT};
    struct rig rig;
    open_rig(&rig);
    unlock(&rig);
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        store(&rig, CR, wrong[i], 4);
        expect_misuse(&rig, MODEL_SEQUENCE, SR_PGSERR);
    }
    store(&rig, CR, CR_SER | CR_SNB(12u) | CR_STRT, 4);
    expect_misuse(&rig, MODEL_SECTOR, SR_PGSERR);
    store(&rig, CR, CR_SER | CR_SNB(16u) | CR_STRT, 4); /* a bit that only two banks have */
    CHECK_EQUAL(rig.model.misuses[MODEL_ADDRESS], 1);
    memset(rig.model.misuses, 0, sizeof rig.model.misuses);
    rig.model.protected_sectors = 1u << 5;
    store(&rig, CR, CR_SER | CR_SNB(5u) | CR_STRT, 4);
    expect_misuse(&rig, MODEL_PROTECTED, SR_WRPERR);
    store(&rig, CR, CR_LOCK, 4);
    close_rig(&rig);
}

/* While it works, a program elsewhere sees BSY; one in the same flash sees nothing, and time is gone. */
static void model_time(void)
{
    struct rig rig;
    open_rig(&rig);
    rig.model.program = MODEL_FROM_RAM;
    rig.model.poll_us = 250000;
    unlock(&rig);
    store(&rig, CR, CR_SER | CR_SNB(7u) | CR_X32 | CR_STRT, 4);
    for (unsigned i = 0; i < 3; i++)
        CHECK((load(&rig, SR) & SR_BSY) != 0);
    CHECK_EQUAL(load(&rig, SR), 0);
    CHECK_EQUAL(rig.model.now_us, 1000000);
    store(&rig, CR, CR_SER | CR_SNB(2u) | CR_X32 | CR_STRT, 4);
    store(&rig, CR, CR_PG | CR_X32, 4); /* the bus stalls */
    CHECK_EQUAL(rig.model.stalls_us, 250000);
    expect_misuse(&rig, MODEL_BUSY, 0);
    store(&rig, BASE, 1, 4);
    store(&rig, BASE + 4, 2, 4);
    expect_misuse(&rig, MODEL_BUSY, 0);
    CHECK_EQUAL(load(&rig, SR), 0);
    rig.model.program = MODEL_FROM_FLASH;
    rig.model.stalls_us = 0;
    store(&rig, CR, CR_SER | CR_SNB(4u) | CR_STRT, 4); /* in bytes */
    CHECK_EQUAL(load(&rig, SR), 0);
    CHECK_EQUAL(rig.model.stalls_us, 1200000);
    store(&rig, CR, CR_LOCK, 4);
    close_rig(&rig);
}

static void model_supply(void)
{
    struct rig rig;
    open_rig(&rig);
    rig.model.supply_mv = 2500;
    unlock(&rig);
    store(&rig, CR, CR_PG | CR_X32, 4);
    store(&rig, BASE, 0, 4);
    expect_misuse(&rig, MODEL_SUPPLY, 0);
    CHECK(memcmp(sim_flash_at(&rig.chip, BASE), "\0\0\0", 4) != 0);
    store(&rig, CR, CR_LOCK, 4);
    close_rig(&rig);
}

static void model_cache(void)
{
    struct rig rig;
    uint8_t byte;
    open_rig(&rig);
    store(&rig, ACR, 0x705, 4);
    sim_flash_put(&rig.chip, BASE, "old", 3);
    CHECK_EQUAL(read_flash(&rig, BASE, &byte, 1), TANDEM_OK);
    unlock(&rig);
    store(&rig, CR, CR_SER | CR_X32 | CR_STRT, 4);
    CHECK_EQUAL(read_flash(&rig, BASE, &byte, 1), TANDEM_OK);
    CHECK_EQUAL(byte, 'o'); /* what is not flushed is not seen */
    store(&rig, ACR, 0x1F05, 4);
    expect_misuse(&rig, MODEL_CACHE, 0);
    CHECK_EQUAL(read_flash(&rig, BASE, &byte, 1), TANDEM_OK);
    CHECK_EQUAL(byte, 'o');
    store(&rig, ACR, 0x105, 4);
    store(&rig, ACR, 0x1905, 4);
    CHECK_EQUAL(read_flash(&rig, BASE, &byte, 1), TANDEM_OK);
    CHECK_EQUAL(byte, 0xFF);
    store(&rig, CR, CR_LOCK, 4);
    close_rig(&rig);
}

/* ---- the port ---- */

static void chips(void)
{
    static const struct {
        uint32_t bank_size;
        uint8_t banks, regions;
        uint32_t sectors;
    } kinds[] = {
        {128 * KB, 1, 2, 5},   /* F410 */
        {256 * KB, 1, 3, 6},   /* F401xC */
        {512 * KB, 1, 3, 8},   /* F446, F411 */
        {1024 * KB, 1, 3, 12}, /* F405, F407 */
        {1536 * KB, 1, 3, 16}, /* F413 */
        {512 * KB, 2, 6, 16},  /* F427 of 1 MB, DB1M set */
        {1024 * KB, 2, 6, 24}, /* F427 of 2 MB */
    };
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct rig rig;
        uint32_t sectors = 0, end = BASE;
        open_chip(&rig, kinds[i].bank_size, kinds[i].banks, 4);
        CHECK_EQUAL(rig.flash.port.region_count, kinds[i].regions);
        memset(rig.chip.cells, 0x5A, rig.chip.size);
        for (unsigned j = 0; j < rig.flash.port.region_count; j++) {
            const struct tandem_flash_region *region = &rig.flash.port.regions[j];
            CHECK_EQUAL(region->address, end);
            end += region->sector_size * region->count;
            for (uint32_t k = 0; k < region->count; k++, sectors++) {
                uint32_t at = region->address + k * region->sector_size;
                CHECK_EQUAL(erase(&rig, at), TANDEM_OK);
                CHECK_EQUAL(rig.model.erases, sectors + 1);
                CHECK_EQUAL(*sim_flash_at(&rig.chip, at), 0xFF);
                CHECK_EQUAL(*sim_flash_at(&rig.chip, at + region->sector_size - 1), 0xFF);
                if (at + region->sector_size - BASE < rig.chip.size)
                    CHECK_EQUAL(*sim_flash_at(&rig.chip, at + region->sector_size), 0x5A);
                CHECK_EQUAL(erase(&rig, at + 4), TANDEM_ERROR_FLASH);
            }
        }
        CHECK_EQUAL(sectors, kinds[i].sectors);
        CHECK_EQUAL(end - BASE, rig.chip.size);
        CHECK_EQUAL(erase(&rig, end), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(erase(&rig, BASE - 16 * KB), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(rig.model.erases, sectors);
        close_rig(&rig);
    }
}

static void wrong_options(void)
{
    struct rig rig;
    open_rig(&rig);
    struct tandem_stm32f4_flash flash;
    struct tandem_stm32f4_flash_options options = rig.options;
#define REFUSED(field, value)                                                        \
    options.field = value;                                                           \
    CHECK_EQUAL(tandem_stm32f4_flash_init(&flash, &options), TANDEM_ERROR_ARGUMENT); \
    options.field = rig.options.field
    REFUSED(bank_size, 0);
    REFUSED(bank_size, 100 * KB);
    REFUSED(bank_size, 2176 * KB);
    REFUSED(banks, 0);
    REFUSED(banks, 3);
    REFUSED(parallelism, 0);
    REFUSED(parallelism, 3);
    REFUSED(parallelism, 16);
    REFUSED(bus, NULL);
    options.banks = 2;
    REFUSED(bank_size, 1152 * KB);
    options.banks = 1;
    CHECK_EQUAL(tandem_stm32f4_flash_init(&flash, &options), TANDEM_OK);
    close_rig(&rig);
}

/* Every width, at the lowest supply that allows it. */
static void widths(void)
{
    static const struct {
        uint8_t unit;
        uint16_t supply_mv;
    } kinds[] = {{1, 1800}, {2, 2100}, {4, 2700}, {8, 2700}};
    for (unsigned i = 0; i < 4; i++) {
        struct rig rig;
        uint8_t data[256], back[256], unit = kinds[i].unit;
        struct sim_rng rng = {unit};
        open_chip(&rig, 1024 * KB, 1, unit);
        rig.model.supply_mv = kinds[i].supply_mv;
        sim_random_bytes(&rng, data, sizeof data);
        CHECK_EQUAL(erase(&rig, BASE + 64 * KB), TANDEM_OK);
        for (uint32_t at = 0, part = unit; at < sizeof data; at += part, part = part * 2 % 97 / unit * unit + unit) {
            part = part < sizeof data - at ? part : (uint32_t)sizeof data - at;
            CHECK_EQUAL(program(&rig, BASE + 64 * KB + at, data + at, part), TANDEM_OK);
            CHECK_EQUAL(rig.model.cr, CR_LOCK);
        }
        CHECK_EQUAL(read_flash(&rig, BASE + 64 * KB, back, sizeof back), TANDEM_OK);
        CHECK_BYTES(back, data, sizeof data);
        CHECK_EQUAL(rig.model.units, sizeof data / unit);
        uint64_t units = rig.model.units;
        if (unit > 1) {
            CHECK_EQUAL(program(&rig, BASE + 1, data, unit), TANDEM_ERROR_FLASH);
            CHECK_EQUAL(program(&rig, BASE, data, unit - 1u), TANDEM_ERROR_FLASH);
        }
        CHECK_EQUAL(program(&rig, BASE - unit, data, unit), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(program(&rig, BASE + 1024 * KB - unit, data, 2u * unit), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(program(&rig, BASE + 1024 * KB, data, unit), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(program(&rig, 0xFFFFFFF8u, data, 16), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(read_flash(&rig, BASE - 1, back, 2), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(read_flash(&rig, BASE + 1024 * KB - 1, back, 2), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(read_flash(&rig, BASE + 1024 * KB - 3, back, 3),
                    TANDEM_OK); /* the last bytes, unlike the sample's */
        CHECK_EQUAL(program(&rig, BASE + 1024 * KB - 8, data, 8), TANDEM_OK);
        CHECK_BYTES(sim_flash_at(&rig.chip, BASE + 1024 * KB - 8), data, 8);
        CHECK_EQUAL(rig.model.units, units + 8 / unit);
        CHECK_EQUAL(sim_flash_violations(&rig.chip), 0);
        close_rig(&rig);
    }
}

/* Sectors that are locked cannot be changed, by no call. */
static void locked_sectors(void)
{
    struct rig rig;
    uint8_t data[64] = {0};
    CHECK_EQUAL(TANDEM_STM32F4_SECTORS(0, 1), 3);
    CHECK_EQUAL(TANDEM_STM32F4_SECTORS(0, 31), 0xFFFFFFFFu);
    CHECK_EQUAL(TANDEM_STM32F4_SECTORS(16, 17), 0x30000);
    open_chip(&rig, 1024 * KB, 2, 4);
    rig.options.locked = TANDEM_STM32F4_SECTORS(0, 1) | TANDEM_STM32F4_SECTORS(16, 16);
    CHECK_EQUAL(tandem_stm32f4_flash_init(&rig.flash, &rig.options), TANDEM_OK);
    CHECK_EQUAL(erase(&rig, BASE), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(erase(&rig, BASE + 16 * KB), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(erase(&rig, BASE + 1024 * KB), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(program(&rig, BASE, data, 4), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(program(&rig, BASE + 32 * KB - 4, data, 8), TANDEM_ERROR_FLASH);     /* into it from behind */
    CHECK_EQUAL(program(&rig, BASE + 1024 * KB - 32, data, 64), TANDEM_ERROR_FLASH); /* and from before */
    CHECK_EQUAL(rig.model.erases + rig.model.units, 0);
    CHECK_EQUAL(erase(&rig, BASE + 32 * KB), TANDEM_OK);
    CHECK_EQUAL(erase(&rig, BASE + 1024 * KB + 16 * KB), TANDEM_OK);
    CHECK_EQUAL(program(&rig, BASE + 32 * KB, data, 4), TANDEM_OK);
    CHECK_EQUAL(program(&rig, BASE + 1024 * KB - 64, data, 64), TANDEM_OK);
    close_rig(&rig);
}

/* A null pointer somewhere in the program writes to flash, and leaves errors that are not ours. */
static void stale_errors(void)
{
    struct rig rig;
    uint32_t word = 0x12345678;
    open_rig(&rig);
    store(&rig, BASE, 0, 4);
    expect_misuse(&rig, MODEL_SEQUENCE, SR_PGSERR | SR_PGPERR);
    store(&rig, BASE, 0, 4);
    CHECK_EQUAL(program(&rig, BASE + 64 * KB, &word, 4), TANDEM_OK);
    CHECK_EQUAL(rig.model.misuses[MODEL_STALE], 0);
    store(&rig, BASE, 0, 4);
    CHECK_EQUAL(erase(&rig, BASE + 64 * KB), TANDEM_OK);
    CHECK_EQUAL(rig.model.misuses[MODEL_STALE], 0);
    CHECK_EQUAL(rig.model.misuses[MODEL_SEQUENCE], 2);
    memset(rig.model.misuses, 0, sizeof rig.model.misuses);
    close_rig(&rig);
}

/* Somebody gave the controller wrong keys: nothing works until a reset, and that is said. */
static void wrong_keys(void)
{
    struct rig rig;
    uint32_t word = 0x12345678;
    open_rig(&rig);
    store(&rig, KEYR, 1, 4);
    CHECK_EQUAL(program(&rig, BASE, &word, 4), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(erase(&rig, BASE), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(read_flash(&rig, BASE, &word, 4), TANDEM_OK);
    CHECK_EQUAL(word, 0xFFFFFFFFu);
    memset(rig.model.misuses, 0, sizeof rig.model.misuses);
    model_reset(&rig.model);
    CHECK_EQUAL(tandem_stm32f4_flash_init(&rig.flash, &rig.options), TANDEM_OK);
    CHECK_EQUAL(program(&rig, BASE, &word, 4), TANDEM_OK);
    /* Left open by other code: our keys would be wrong ones. */
    unlock(&rig);
    CHECK_EQUAL(program(&rig, BASE + 4, &word, 4), TANDEM_OK);
    unlock(&rig);
    CHECK_EQUAL(tandem_stm32f4_flash_init(&rig.flash, &rig.options), TANDEM_OK);
    close_rig(&rig);
}

/* Write protection, by the chip's own option bytes: an error, and the next operation is not harmed by it. */
static void write_protection(void)
{
    struct rig rig;
    uint8_t data[32] = {0};
    open_rig(&rig);
    rig.model.protected_sectors = 1u << 6;
    CHECK_EQUAL(program(&rig, BASE + 256 * KB, data, sizeof data), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(rig.model.misuses[MODEL_PROTECTED], 1); /* it stops at the first word */
    CHECK_EQUAL(erase(&rig, BASE + 256 * KB), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(rig.model.misuses[MODEL_PROTECTED], 2);
    rig.model.misuses[MODEL_PROTECTED] = 0;
    CHECK_EQUAL(erase(&rig, BASE + 384 * KB), TANDEM_OK);
    CHECK_EQUAL(program(&rig, BASE + 384 * KB, data, sizeof data), TANDEM_OK);
    close_rig(&rig);
}

/* From RAM: the erase goes on while the program does something else. */
static void asynchronous(void)
{
    struct rig rig;
    uint8_t data[200], back[200];
    struct sim_rng rng = {5};
    unsigned again = 0;
    enum tandem_status status;
    open_rig(&rig);
    sim_random_bytes(&rng, data, sizeof data);
    rig.options.asynchronous = 1;
    rig.model.program = MODEL_FROM_RAM;
    rig.model.poll_us = 10000;
    CHECK_EQUAL(tandem_stm32f4_flash_init(&rig.flash, &rig.options), TANDEM_OK);
    while ((status = erase(&rig, BASE + 128 * KB)) == TANDEM_AGAIN) {
        again++;
        CHECK_EQUAL(read_flash(&rig, BASE, back, 1), TANDEM_ERROR_FLASH); /* it would stall */
        CHECK_EQUAL(program(&rig, BASE, data, 4), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(erase(&rig, BASE), TANDEM_ERROR_FLASH);
    }
    CHECK_EQUAL(status, TANDEM_OK);
    CHECK_EQUAL(again, 100); /* 1 s */
    rig.model.poll_us = 1;
    for (again = 0; (status = program(&rig, BASE + 128 * KB, data, sizeof data)) == TANDEM_AGAIN; again++)
        CHECK_EQUAL(rig.model.cr, CR_LOCK); /* between two calls others may use the controller */
    CHECK_EQUAL(status, TANDEM_OK);
    CHECK_EQUAL(again, 3);
    CHECK_EQUAL(read_flash(&rig, BASE + 128 * KB, back, sizeof back), TANDEM_OK);
    CHECK_BYTES(back, data, sizeof data);
    rig.model.protected_sectors = 1;
    CHECK_EQUAL(program(&rig, BASE, data, sizeof data), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(erase(&rig, BASE), TANDEM_AGAIN);
    CHECK_EQUAL(erase(&rig, BASE), TANDEM_ERROR_FLASH);
    memset(rig.model.misuses, 0, sizeof rig.model.misuses);
    CHECK_EQUAL(program(&rig, BASE + 16 * KB, data, 4), TANDEM_OK);
    CHECK_EQUAL(rig.model.stalls_us, 0);
    CHECK_EQUAL(sim_flash_violations(&rig.chip), 0);
    close_rig(&rig);
}

/* From the same flash, nothing is gained by coming back later, and nothing lost. */
static void asynchronous_from_flash(void)
{
    struct rig rig;
    open_rig(&rig);
    rig.options.asynchronous = 1;
    CHECK_EQUAL(tandem_stm32f4_flash_init(&rig.flash, &rig.options), TANDEM_OK);
    CHECK_EQUAL(erase(&rig, BASE + 128 * KB), TANDEM_AGAIN);
    CHECK_EQUAL(erase(&rig, BASE + 128 * KB), TANDEM_OK);
    CHECK_EQUAL(rig.model.stalls_us, 1000000);
    close_rig(&rig);
}

/* With both caches on: what was erased reads as erased, and the caches are on again. */
static void caches(void)
{
    struct rig rig;
    uint8_t data[64], back[64];
    struct sim_rng rng = {9};
    open_rig(&rig);
    sim_random_bytes(&rng, data, sizeof data);
    store(&rig, ACR, 0x705, 4);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQUAL(erase(&rig, BASE + 64 * KB), TANDEM_OK);
        CHECK_EQUAL(read_flash(&rig, BASE + 64 * KB, back, sizeof back), TANDEM_OK);
        CHECK_EQUAL(back[0] & back[63], 0xFF);
        CHECK_EQUAL(program(&rig, BASE + 64 * KB, data, sizeof data), TANDEM_OK);
        CHECK_EQUAL(read_flash(&rig, BASE + 64 * KB, back, sizeof back), TANDEM_OK);
        CHECK_BYTES(back, data, sizeof data);
        CHECK_EQUAL(load(&rig, ACR), 0x705);
    }
    close_rig(&rig);
}

/* A reset, not a loss of power, in an erase: the chip goes on, and the cache has what was before. */
static void reset_in_an_erase(void)
{
    struct rig rig;
    uint8_t byte;
    open_rig(&rig);
    rig.options.asynchronous = 1;
    rig.model.program = MODEL_FROM_RAM;
    store(&rig, ACR, 0x700, 4);
    CHECK_EQUAL(tandem_stm32f4_flash_init(&rig.flash, &rig.options), TANDEM_OK);
    sim_flash_put(&rig.chip, BASE + 32 * KB, "old", 3);
    CHECK_EQUAL(read_flash(&rig, BASE + 32 * KB, &byte, 1), TANDEM_OK);
    CHECK_EQUAL(erase(&rig, BASE + 32 * KB), TANDEM_AGAIN);
    uint64_t until_us = rig.model.until_us;
    model_reset(&rig.model);
    rig.model.until_us = until_us;
    CHECK_EQUAL(tandem_stm32f4_flash_init(&rig.flash, &rig.options), TANDEM_OK);
    CHECK(rig.model.now_us >= until_us);
    store(&rig, ACR, 0x700, 4);
    CHECK_EQUAL(read_flash(&rig, BASE + 32 * KB, &byte, 1), TANDEM_OK);
    CHECK_EQUAL(byte, 0xFF);
    close_rig(&rig);
}

/* ---- Tandem on it ---- */

/* To look at the clock takes a moment, too. */
static uint32_t clock_us(void *ctx)
{
    struct rig *rig = ctx;
    return (uint32_t)rig->model.now_us++;
}

static void report(void *ctx, const struct tandem_portcheck_finding *finding)
{
    char line[TANDEM_PORTCHECK_TEXT_SIZE];
    (void)ctx;
    if (finding->severity != TANDEM_PORTCHECK_INFO)
        fprintf(stderr, "%s\n", tandem_portcheck_line(finding, line, sizeof line));
}

/* The port checker has nothing to find fault with, in sectors of all sizes, with every width, from flash and RAM. */
static void port_check(void)
{
    for (uint8_t unit = 1; unit <= 8; unit *= 2)
        for (uint8_t from_ram = 0; from_ram < 2; from_ram++) {
            static uint8_t buffer[1024 + 16];
            struct tandem_portcheck_result result;
            struct rig rig;
            open_chip(&rig, 1024 * KB, 1, unit);
            store(&rig, ACR, 0x705, 4);
            rig.options.asynchronous = from_ram;
            rig.model.program = from_ram ? MODEL_FROM_RAM : MODEL_FROM_FLASH;
            rig.model.poll_us = from_ram ? 10 : 1;
            CHECK_EQUAL(tandem_stm32f4_flash_init(&rig.flash, &rig.options), TANDEM_OK);
            struct tandem_portcheck check = {
                .scratch = {&rig.flash.port, BASE + 32 * KB, 224 * KB}, /* sectors 2 to 5 */
                .buffer = buffer,
                .buffer_size = sizeof buffer,
                .clock_us = clock_us,
                .watchdog_ms = 4000,
                .probes = TANDEM_PORTCHECK_PROBE_TWICE | TANDEM_PORTCHECK_PROBE_ODD | TANDEM_PORTCHECK_PROBE_OUTSIDE,
                .report = report,
                .ctx = &rig,
            };
            CHECK_EQUAL(tandem_portcheck_run(&check, &result), TANDEM_OK);
            CHECK_EQUAL(result.faults, 0);
            CHECK_EQUAL(result.warnings, 0);
            CHECK(result.erase_us >= 1000000 && result.erase_us < 2200000);
            CHECK(from_ram ? result.call_us < 10000 : result.call_us >= 1000000);
            close_rig(&rig);
        }
}

/* Update, trial, confirmation, and a firmware that does not confirm: by either way of using the port, and with the
   program in the bank that is not written. */
static void updates(void)
{
    for (uint8_t way = 0; way < 3; way++) {
        uint8_t from_ram = way != 0;
        struct board board;
        struct package old = board_package(1, 40001), new = board_package(2, 150000), bad = board_package(3, 9);
        board_open_direct(&board, way == 2 ? 2 : 1);
        board.options.asynchronous = from_ram;
        board.model.program = from_ram ? MODEL_FROM_RAM : MODEL_FROM_FLASH;
        board.model.poll_us = from_ram ? 5000 : 1;
        board_factory(&board, &old);
        CHECK_EQUAL(board_start(&board), TANDEM_OK);
        CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_FIRST);
        CHECK_EQUAL(board_receive(&board, &new, 1, 0), TANDEM_STATE_PENDING);
        CHECK_EQUAL(board_start(&board), TANDEM_OK);
        CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_TRIAL);
        CHECK_EQUAL(board.boot.bank, 1);
        CHECK_EQUAL(board_confirm(&board), TANDEM_OK);
        CHECK_EQUAL(board_receive(&board, &bad, 1, 0), TANDEM_STATE_PENDING);
        for (unsigned i = 0; i < 3; i++) {
            CHECK_EQUAL(board_start(&board), TANDEM_OK);
            CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_TRIAL);
        }
        CHECK_EQUAL(board_start(&board), TANDEM_OK);
        CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_REVERTED);
        CHECK_EQUAL(board.boot.version.major, 2);
        CHECK(board.model.erases >= 5 && board.fed != 0);
        CHECK_EQUAL(board.model.cr, CR_LOCK);
        CHECK((board.model.stalls_us == 0) == from_ram);
        board_close(&board);
        package_free(&old);
        package_free(&new);
        package_free(&bad);
    }
}

int main(void)
{
    RUN(model_keys);
    RUN(model_programs);
    RUN(model_cells);
    RUN(model_erases);
    RUN(model_time);
    RUN(model_supply);
    RUN(model_cache);
    RUN(chips);
    RUN(wrong_options);
    RUN(widths);
    RUN(locked_sectors);
    RUN(stale_errors);
    RUN(wrong_keys);
    RUN(write_protection);
    RUN(asynchronous);
    RUN(asynchronous_from_flash);
    RUN(caches);
    RUN(reset_in_an_erase);
    RUN(port_check);
    RUN(updates);
    return check_report();
}
