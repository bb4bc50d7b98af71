/**
 * @file
 * Port tables: what Tandem asks of the chip, the OS and the radio.
 *
 * A table is constant after init. Every function takes the table's `ctx`
 * first. A pointer marked optional may be NULL. Functions are called from the
 * context that called into Tandem, never from another thread.
 */
#ifndef TANDEM_PORT_H
#define TANDEM_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/config.h"
#include "tandem/crypto.h"
#include "tandem/status.h"
#include "tandem/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A run of equal sectors. */
struct tandem_flash_region {
    uint32_t address;     /**< of the first sector */
    uint32_t sector_size; /**< bytes that one erase clears */
    uint32_t count;       /**< sectors in the run */
};

/**
 * One flash device. Addresses are the port's own and need not be the CPU's.
 *
 * program() and erase() may do the whole work and return TANDEM_OK, or start
 * it and return TANDEM_AGAIN: Tandem then comes back with the same arguments
 * until another answer comes, and touches that flash with nothing else in
 * between. So an erase of 85 ms need not stop the radio.
 */
struct tandem_flash_port {
    void *ctx; /**< handed to every function */
    /** Read any bytes. @return TANDEM_OK; TANDEM_ERROR_FLASH (also for an ECC fault) */
    enum tandem_status (*read)(void *ctx, uint32_t address, void *data, size_t size);
    /** Program whole units into erased cells; never called twice for a unit between erases.
     *  @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_FLASH */
    enum tandem_status (*program)(void *ctx, uint32_t address, const void *data, size_t size);
    /** Erase the one sector that begins at `address`. @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_FLASH */
    enum tandem_status (*erase)(void *ctx, uint32_t address);
    /** Optional: make everything before durable (a file's fsync). @return TANDEM_OK; TANDEM_ERROR_FLASH */
    enum tandem_status (*sync)(void *ctx);
    const struct tandem_flash_region *regions; /**< sector map, ascending, without overlap */
    uint8_t region_count;                      /**< entries in `regions` */
    uint8_t program_unit;                      /**< bytes: 1, 2, 4, 8, 16 or 32 */
    uint8_t erased;                            /**< value of an erased byte: 0xFF or 0x00 */
};

/** A range of one flash, on sector borders where the text that uses it says so. */
struct tandem_area {
    const struct tandem_flash_port *flash; /**< where */
    uint32_t address;                      /**< first byte, the flash's addressing */
    uint32_t size;                         /**< bytes */
};

/** What consent is asked for. */
struct tandem_consent {
    struct tandem_version version; /**< of the new package */
    uint32_t size;                 /**< bytes of the package */
};

/** The device's surroundings. Every function is optional. */
struct tandem_system_port {
    void *ctx; /**< handed to every function */
    /** Restart the device; may return before it happens. @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*reboot)(void *ctx);
    /** Restart into a receive-only mode of the product. @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*enter_ota)(void *ctx);
    /** Charge in percent, 0 … 100. @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*battery)(void *ctx, uint8_t *percent);
    /** Received signal in dBm. @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*signal)(void *ctx, int8_t *dbm);
    /** Ask the user. @return TANDEM_OK yes; TANDEM_AGAIN not answered yet; TANDEM_ERROR_CONSENT no */
    enum tandem_status (*consent)(void *ctx, const struct tandem_consent *consent);
    /** Feed the watchdog: called at least once per flash operation and per KB hashed. The longest stretch without
     *  it is the check of one signature. */
    void (*watchdog)(void *ctx);
    /** One line of log, without a line end. */
    void (*log)(void *ctx, const char *line);
};

/**
 * A byte stream: UART, SPP, an iAP session, TCP. Received bytes are handed to
 * the transport by the application.
 */
struct tandem_stream_port {
    void *ctx; /**< handed to every function */
    /** Send up to `size` bytes without waiting; `*sent` says how many were taken (0 … size).
     *  @return TANDEM_OK; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT */
    enum tandem_status (*write)(void *ctx, const void *data, size_t size, size_t *sent);
};

/** A packet link's two channels. On GATT they are two characteristics. */
enum tandem_channel {
    TANDEM_CHANNEL_CONTROL = 0, /**< commands, answers, events: reliable, in order */
    TANDEM_CHANNEL_DATA = 1     /**< package bytes, host to device: may be lost or reordered */
};

/**
 * A packet link. On GATT, device side: a notification (or indication); host
 * side: a write without response (data) or a write (control).
 */
struct tandem_packet_port {
    void *ctx; /**< handed to every function */
    /** Send one packet of at most mtu() bytes, whole or not at all.
     *  @return TANDEM_OK; TANDEM_AGAIN no buffer free now; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT */
    enum tandem_status (*send)(void *ctx, enum tandem_channel channel, const void *data, size_t size);
    /** Largest packet now, in bytes (on GATT: ATT MTU − 3, at most 512); at least 20. */
    uint16_t (*mtu)(void *ctx);
};

#ifdef __cplusplus
}
#endif

#endif
