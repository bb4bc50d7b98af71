/*
 * The nRF51's flash as a Tandem port: pages of 1 KB, words of 4 bytes.
 *
 * The CPU stands still while the controller works: 46 µs for a word, 22 ms
 * for a page. The UART keeps 6 bytes meanwhile; what it loses during an erase
 * the link sends again.
 */
#include <string.h>

#include "board.h"
#include "layout.h"
#include "nrf51.h"

static void set_mode(uint32_t mode)
{
    NVMC_CONFIG = mode;
    while (NVMC_READY == 0) {
    }
}

/* The bootloader's own pages are out of reach, whatever goes wrong above. */
static int is_allowed(uint32_t address, size_t size)
{
    return address >= BOOTLOADER_ADDRESS + BOOTLOADER_SIZE && address <= FLASH_SIZE && size <= FLASH_SIZE - address;
}

static enum tandem_status flash_read(void *ctx, uint32_t address, void *data, size_t size)
{
    (void)ctx;
    if (!is_allowed(address, size))
        return TANDEM_ERROR_FLASH;
    memcpy(data, (const void *)(uintptr_t)address, size);
    return TANDEM_OK;
}

static enum tandem_status flash_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    const uint8_t *from = data;
    (void)ctx;
    if (!is_allowed(address, size) || address % 4 != 0 || size % 4 != 0)
        return TANDEM_ERROR_FLASH;
    set_mode(NVMC_CONFIG_WRITE);
    for (size_t at = 0; at < size; at += 4) {
        uint32_t word;
        memcpy(&word, from + at, sizeof word);
        REGISTER(address + at) = word;
        while (NVMC_READY == 0) {
        }
    }
    set_mode(NVMC_CONFIG_READ);
    return TANDEM_OK;
}

static enum tandem_status flash_erase(void *ctx, uint32_t address)
{
    (void)ctx;
    if (!is_allowed(address, FLASH_PAGE) || address % FLASH_PAGE != 0)
        return TANDEM_ERROR_FLASH;
    set_mode(NVMC_CONFIG_ERASE);
    NVMC_ERASEPAGE = address;
    while (NVMC_READY == 0) {
    }
    set_mode(NVMC_CONFIG_READ);
    return TANDEM_OK;
}

static const struct tandem_flash_region pages = {0, FLASH_PAGE, FLASH_SIZE / FLASH_PAGE};

const struct tandem_flash_port board_flash = {
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
    .regions = &pages,
    .region_count = 1,
    .program_unit = 4,
    .erased = 0xFF,
};
