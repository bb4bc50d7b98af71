/*
 * Flash by sectors and units, on top of the port: lookup in the sector map,
 * operations that wait, operations that can be continued.
 */
#ifndef TANDEM_CORE_FLASH_H
#define TANDEM_CORE_FLASH_H

#include "tandem/bank.h"

struct tandem_sector {
    uint32_t address; /* first byte */
    uint32_t size;
};

/* The sector that holds `address`; 0 if there is none. */
int tandem_flash_sector(const struct tandem_flash_port *flash, uint32_t address, struct tandem_sector *sector);

/* Erase, and wait until done. */
enum tandem_status tandem_flash_erase(const struct tandem_flash_port *flash, uint32_t address,
                                      const struct tandem_system_port *system);
/* Program whole units, wait until done, read back. */
enum tandem_status tandem_flash_program(const struct tandem_flash_port *flash, uint32_t address, const void *data,
                                        uint32_t size, const struct tandem_system_port *system);
/* Whether `size` bytes read as erased. A read fault means no. */
int tandem_flash_is_erased(const struct tandem_flash_port *flash, uint32_t address, uint32_t size);
/* Optional sync. */
enum tandem_status tandem_flash_sync(const struct tandem_flash_port *flash);

/* Begin or go on with an operation; when programming is done the data are read back. */
enum tandem_status tandem_flash_op_run(struct tandem_flash_op *op, const struct tandem_system_port *system);

/* Hash `size` bytes from `address`. */
enum tandem_status tandem_flash_hash(const struct tandem_flash_port *flash, uint32_t address, uint32_t size,
                                     struct tandem_sha256 *hash, const struct tandem_system_port *system);

static inline void tandem_watchdog(const struct tandem_system_port *system)
{
    if (system != NULL && system->watchdog != NULL)
        system->watchdog(system->ctx);
}

#endif
