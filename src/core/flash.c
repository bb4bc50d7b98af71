/*
 * Flash by sectors and units, on top of the port.
 */
#include "core/flash.h"

#include <string.h>

#define HASH_PIECE 256u /* bytes hashed at a time */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

int tandem_flash_sector(const struct tandem_flash_port *flash, uint32_t address, struct tandem_sector *sector)
{
    for (uint8_t i = 0; i < flash->region_count; i++) {
        const struct tandem_flash_region *region = &flash->regions[i];
        sector->address = region->address;
        sector->size = region->sector_size;
        /* By steps, not by division: small cores would link a function for it. */
        for (uint32_t left = region->count; left != 0; left--, sector->address += sector->size)
            if (address - sector->address < sector->size)
                return 1;
    }
    return 0;
}

enum tandem_status tandem_flash_sync(const struct tandem_flash_port *flash)
{
    return flash->sync != NULL ? flash->sync(flash->ctx) : TANDEM_OK;
}

int tandem_flash_is_erased(const struct tandem_flash_port *flash, uint32_t address, uint32_t size)
{
    uint8_t piece[32];
    while (size != 0) {
        uint32_t part = size < sizeof piece ? size : (uint32_t)sizeof piece;
        if (flash->read(flash->ctx, address, piece, part) != TANDEM_OK)
            return 0;
        for (uint32_t i = 0; i < part; i++)
            if (piece[i] != flash->erased)
                return 0;
        address += part;
        size -= part;
    }
    return 1;
}

/* Compare flash with what was programmed. */
static enum tandem_status read_back(const struct tandem_flash_op *op)
{
    uint8_t piece[64];
    for (uint32_t at = 0; at < op->size; at += (uint32_t)sizeof piece) {
        uint32_t part = op->size - at < sizeof piece ? op->size - at : (uint32_t)sizeof piece;
        if (op->flash->read(op->flash->ctx, op->address + at, piece, part) != TANDEM_OK ||
            memcmp(piece, op->data + at, part) != 0)
            return TANDEM_ERROR_FLASH;
    }
    return TANDEM_OK;
}

enum tandem_status tandem_flash_op_run(struct tandem_flash_op *op, const struct tandem_system_port *system)
{
    enum tandem_status status = TANDEM_OK;
    if (op->flash == NULL)
        return TANDEM_OK;
    tandem_watchdog(system);
    if (op->data == NULL)
        status = op->flash->erase(op->flash->ctx, op->address);
    else
        status = op->flash->program(op->flash->ctx, op->address, op->data, op->size);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status == TANDEM_OK && op->data != NULL)
        status = read_back(op);
    op->flash = NULL;
    return status == TANDEM_OK ? TANDEM_OK : TANDEM_ERROR_FLASH;
}

static enum tandem_status wait(struct tandem_flash_op *op, const struct tandem_system_port *system)
{
    enum tandem_status status;
    do
        status = tandem_flash_op_run(op, system);
    while (status == TANDEM_AGAIN);
    return status;
}

enum tandem_status tandem_flash_erase(const struct tandem_flash_port *flash, uint32_t address,
                                      const struct tandem_system_port *system)
{
    struct tandem_flash_op op = {flash, NULL, address, 0};
    return wait(&op, system);
}

enum tandem_status tandem_flash_program(const struct tandem_flash_port *flash, uint32_t address, const void *data,
                                        uint32_t size, const struct tandem_system_port *system)
{
    struct tandem_flash_op op = {flash, (const uint8_t *)data, address, size};
    return wait(&op, system);
}

enum tandem_status tandem_flash_hash(const struct tandem_flash_port *flash, uint32_t address, uint32_t size,
                                     struct tandem_sha256 *hash, const struct tandem_system_port *system)
{
    uint8_t piece[HASH_PIECE];
    while (size != 0) {
        uint32_t part = least(size, sizeof piece);
        if (flash->read(flash->ctx, address, piece, part) != TANDEM_OK)
            return TANDEM_ERROR_FLASH;
        enum tandem_status status = tandem_sha256_update(hash, piece, part);
        if (status != TANDEM_OK)
            return status;
        tandem_watchdog(system);
        address += part;
        size -= part;
    }
    return TANDEM_OK;
}
