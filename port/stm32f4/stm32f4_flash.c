/*
 * The STM32F4's flash interface as a Tandem port. Sectors of 16, 64 and
 * 128 KB; 1 to 8 bytes are written at once, as the supply allows; there is no
 * ECC. The controller is unlocked for each operation and locked behind it, so
 * that a stray write finds it locked.
 */
#include <string.h>

#include "tandem_stm32f4.h"

#define KB 1024u

/* Registers, and their bits, by their names in RM0090. */
#define ACR (TANDEM_STM32F4_REGISTERS + 0x00u)
#define ACR_ICEN (1u << 9)
#define ACR_DCEN (1u << 10)
#define ACR_ICRST (1u << 11)
#define ACR_DCRST (1u << 12)
#define KEYR (TANDEM_STM32F4_REGISTERS + 0x04u)
#define KEYR_1 0x45670123u
#define KEYR_2 0xCDEF89ABu
#define SR (TANDEM_STM32F4_REGISTERS + 0x0Cu)
#define SR_EOP (1u << 0)
#define SR_OPERR (1u << 1)
#define SR_WRPERR (1u << 4)
#define SR_PGAERR (1u << 5)
#define SR_PGPERR (1u << 6)
#define SR_PGSERR (1u << 7)
#define SR_RDERR (1u << 8) /* not on every chip; reads as 0 there */
#define SR_BSY (1u << 16)
#define SR_ERRORS (SR_OPERR | SR_WRPERR | SR_PGAERR | SR_PGPERR | SR_PGSERR | SR_RDERR)
#define CR (TANDEM_STM32F4_REGISTERS + 0x10u)
#define CR_PG (1u << 0)
#define CR_SER (1u << 1)
#define CR_SNB(sector) ((sector) << 3)
#define CR_PSIZE(log2) ((log2) << 8)
#define CR_STRT (1u << 16)
#define CR_LOCK (1u << 31)

#define SECOND_BANK 16u /* the number of its first sector */
#define STEP 64u        /* bytes that an asynchronous program() writes at once: 0.3 ms in words */

/* ---- the bus ---- */

#if TANDEM_STM32F4_BUS

static uint32_t load(const struct tandem_stm32f4_flash *flash, uint32_t address)
{
    return flash->bus->load(flash->bus->ctx, address);
}

static void store(const struct tandem_stm32f4_flash *flash, uint32_t address, uint32_t value, unsigned size)
{
    flash->bus->store(flash->bus->ctx, address, value, size);
}

static void copy(const struct tandem_stm32f4_flash *flash, uint32_t address, void *data, size_t size)
{
    flash->bus->copy(flash->bus->ctx, address, data, size);
}

static void barrier(void)
{
}

#else

static inline uint32_t load(const struct tandem_stm32f4_flash *flash, uint32_t address)
{
    (void)flash;
    return *(volatile uint32_t *)address;
}

static inline void store(const struct tandem_stm32f4_flash *flash, uint32_t address, uint32_t value, unsigned size)
{
    (void)flash;
    if (size == 1)
        *(volatile uint8_t *)address = (uint8_t)value;
    else if (size == 2)
        *(volatile uint16_t *)address = (uint16_t)value;
    else
        *(volatile uint32_t *)address = value;
}

static inline void copy(const struct tandem_stm32f4_flash *flash, uint32_t address, void *data, size_t size)
{
    (void)flash;
    memcpy(data, (const void *)address, size);
}

/* Flash and registers hang on different buses: what is written to one comes before what is read from the other. */
static inline void barrier(void)
{
    __asm__ volatile("dsb" ::: "memory");
}

#endif

/* ---- the controller ---- */

/* Wait for the end of an operation. @return what it left in SR */
static uint32_t finished(const struct tandem_stm32f4_flash *flash)
{
    uint32_t sr;
    barrier();
    do
        sr = load(flash, SR);
    while ((sr & SR_BSY) != 0);
    return sr;
}

/* Unlock, and set what is to be done. What earlier writes left in SR would make the next operation look bad, or fail:
   any write to flash or through a null pointer, anywhere in the program, sets errors there. */
static enum tandem_status open_controller(const struct tandem_stm32f4_flash *flash, uint32_t what)
{
    uint32_t log2 = 0;
    while (1u << log2 != flash->port.program_unit)
        log2++;
    finished(flash);
    if ((load(flash, CR) & CR_LOCK) != 0) {
        store(flash, KEYR, KEYR_1, 4);
        store(flash, KEYR, KEYR_2, 4);
        if ((load(flash, CR) & CR_LOCK) != 0)
            return TANDEM_ERROR_FLASH; /* somebody gave it wrong keys: it stays locked until a reset */
    }
    store(flash, SR, SR_ERRORS | SR_EOP, 4);
    store(flash, CR, what | CR_PSIZE(log2), 4);
    barrier();
    return TANDEM_OK;
}

static enum tandem_status close_controller(const struct tandem_stm32f4_flash *flash)
{
    uint32_t sr = finished(flash);
    store(flash, SR, SR_ERRORS | SR_EOP, 4);
    store(flash, CR, CR_LOCK, 4);
    return (sr & SR_ERRORS) == 0 ? TANDEM_OK : TANDEM_ERROR_FLASH;
}

/* Programming keeps the caches right, erasing does not. They can be reset only while they are off. */
static void flush_caches(const struct tandem_stm32f4_flash *flash)
{
    uint32_t on = load(flash, ACR), off = on & ~(ACR_ICEN | ACR_DCEN);
    store(flash, ACR, off, 4);
    store(flash, ACR, off | ACR_ICRST | ACR_DCRST, 4);
    store(flash, ACR, off, 4);
    store(flash, ACR, on, 4);
    barrier();
}

/* ---- sectors ---- */

struct sector {
    uint32_t address;
    uint32_t size;
    uint32_t number; /* as CR has it */
};

static struct sector sector_at(const struct tandem_stm32f4_flash *flash, uint32_t address)
{
    struct sector sector;
    uint32_t bank = (address - TANDEM_STM32F4_FLASH) / flash->bank_size;
    uint32_t base = TANDEM_STM32F4_FLASH + bank * flash->bank_size, at = address - base;
    sector.size = at < 64 * KB ? 16 * KB : at < 128 * KB ? 64 * KB : 128 * KB;
    sector.address = base + at / sector.size * sector.size;
    sector.number = bank * SECOND_BANK + (at < 64 * KB ? at / (16 * KB) : 4 + at / (128 * KB));
    return sector;
}

static int is_inside(const struct tandem_stm32f4_flash *flash, uint32_t address, size_t size)
{
    return address >= TANDEM_STM32F4_FLASH && size <= flash->size &&
           address - TANDEM_STM32F4_FLASH <= flash->size - (uint32_t)size;
}

/* Whether no sector of a range inside the flash is locked. */
static int is_open(const struct tandem_stm32f4_flash *flash, uint32_t address, uint32_t size)
{
    uint32_t end = address + size;
    while (address < end) {
        struct sector sector = sector_at(flash, address);
        if ((flash->locked >> sector.number & 1) != 0)
            return 0;
        address = sector.address + sector.size;
    }
    return 1;
}

/* ---- the port ---- */

static enum tandem_status flash_read(void *ctx, uint32_t address, void *data, size_t size)
{
    const struct tandem_stm32f4_flash *flash = ctx;
    if (!is_inside(flash, address, size) || flash->erasing != 0)
        return TANDEM_ERROR_FLASH;
    copy(flash, address, data, size);
    return TANDEM_OK;
}

static void store_unit(const struct tandem_stm32f4_flash *flash, uint32_t address, const uint8_t *data)
{
    unsigned unit = flash->port.program_unit, width = unit < 4 ? unit : 4;
    for (unsigned i = 0; i < unit; i += width) { /* eight bytes are two words, one behind the other */
        uint32_t value = 0;
        for (unsigned j = 0; j < width; j++)
            value |= (uint32_t)data[i + j] << (8 * j);
        store(flash, address + i, value, width);
    }
}

static enum tandem_status program_units(const struct tandem_stm32f4_flash *flash, uint32_t address, const uint8_t *data,
                                        uint32_t size)
{
    enum tandem_status status = open_controller(flash, CR_PG);
    if (status != TANDEM_OK)
        return status;
    for (uint32_t at = 0; at < size; at += flash->port.program_unit) {
        store_unit(flash, address + at, data + at);
        if ((finished(flash) & SR_ERRORS) != 0)
            break;
    }
    return close_controller(flash);
}

static enum tandem_status flash_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    struct tandem_stm32f4_flash *flash = ctx;
    uint32_t unit = flash->port.program_unit;
    if (!is_inside(flash, address, size) || flash->erasing != 0 || address % unit != 0 || size % unit != 0 ||
        !is_open(flash, address, (uint32_t)size))
        return TANDEM_ERROR_FLASH;
    uint32_t left = (uint32_t)size - flash->done, part = flash->asynchronous && left > STEP ? STEP : left;
    enum tandem_status status = program_units(flash, address + flash->done, (const uint8_t *)data + flash->done, part);
    flash->done += part;
    if (status == TANDEM_OK && flash->done < size)
        return TANDEM_AGAIN;
    flash->done = 0;
    return status;
}

static enum tandem_status begin_erase(struct tandem_stm32f4_flash *flash, uint32_t address)
{
    struct sector sector = sector_at(flash, address);
    if (sector.address != address || !is_open(flash, address, sector.size))
        return TANDEM_ERROR_FLASH;
    enum tandem_status status = open_controller(flash, CR_SER | CR_SNB(sector.number));
    if (status != TANDEM_OK)
        return status;
    store(flash, CR, load(flash, CR) | CR_STRT, 4);
    barrier();
    flash->erasing = address;
    return TANDEM_AGAIN;
}

static enum tandem_status flash_erase(void *ctx, uint32_t address)
{
    struct tandem_stm32f4_flash *flash = ctx;
    if (!is_inside(flash, address, 1) || (flash->erasing != 0 && flash->erasing != address))
        return TANDEM_ERROR_FLASH;
    if (flash->erasing == 0) {
        enum tandem_status status = begin_erase(flash, address);
        if (status != TANDEM_AGAIN || flash->asynchronous)
            return status;
    }
    if (flash->asynchronous && (load(flash, SR) & SR_BSY) != 0)
        return TANDEM_AGAIN;
    enum tandem_status status = close_controller(flash);
    flush_caches(flash);
    flash->erasing = 0;
    return status;
}

/* ---- set-up ---- */

static void add_region(struct tandem_stm32f4_flash *flash, uint32_t address, uint32_t sector_size, uint32_t count)
{
    struct tandem_flash_region *region = &flash->regions[flash->port.region_count];
    if (count == 0)
        return;
    region->address = address;
    region->sector_size = sector_size;
    region->count = count;
    flash->port.region_count++;
}

enum tandem_status tandem_stm32f4_flash_init(struct tandem_stm32f4_flash *flash,
                                             const struct tandem_stm32f4_flash_options *options)
{
    uint8_t unit = options->parallelism;
    if (options->bank_size == 0 || options->bank_size % (128 * KB) != 0 || options->banks < 1 || options->banks > 2 ||
        options->bank_size > 2048 * KB / options->banks || (unit != 1 && unit != 2 && unit != 4 && unit != 8) ||
        (TANDEM_STM32F4_BUS && options->bus == NULL))
        return TANDEM_ERROR_ARGUMENT;
    memset(flash, 0, sizeof *flash);
    flash->bus = options->bus;
    flash->bank_size = options->bank_size;
    flash->size = options->bank_size * options->banks;
    flash->locked = options->locked;
    flash->asynchronous = options->asynchronous;
    flash->port.ctx = flash;
    flash->port.read = flash_read;
    flash->port.program = flash_program;
    flash->port.erase = flash_erase;
    flash->port.regions = flash->regions;
    flash->port.program_unit = unit;
    flash->port.erased = 0xFF;
    for (uint32_t bank = 0; bank < options->banks; bank++) {
        uint32_t base = TANDEM_STM32F4_FLASH + bank * flash->bank_size;
        add_region(flash, base, 16 * KB, 4);
        add_region(flash, base + 64 * KB, 64 * KB, 1);
        add_region(flash, base + 128 * KB, 128 * KB, flash->bank_size / (128 * KB) - 1);
    }
    finished(flash);
    if ((load(flash, CR) & CR_LOCK) == 0)
        store(flash, CR, CR_LOCK, 4);
    flush_caches(flash); /* an erase that a reset cut short left them as they were */
    return TANDEM_OK;
}
