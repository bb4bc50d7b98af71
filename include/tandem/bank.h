/**
 * @file
 * Dual-bank state: which bank runs, what is in the other, and the record of
 * how the last update ended. The application opens it to ask and to confirm.
 */
#ifndef TANDEM_BANK_H
#define TANDEM_BANK_H

#include "tandem/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is in the bank that is not the confirmed one. One byte in flash. */
enum tandem_phase {
    TANDEM_PHASE_UNKNOWN = 0,   /**< nothing that may be relied on */
    TANDEM_PHASE_ERASED = 1,    /**< erased throughout, ready to be written */
    TANDEM_PHASE_RECEIVING = 2, /**< an update is being written */
    TANDEM_PHASE_VALIDATED = 3, /**< a whole, verified update waits for its activation */
    TANDEM_PHASE_PENDING = 4,   /**< the next start tries it */
    TANDEM_PHASE_TRIAL = 5,     /**< it runs, and has not confirmed itself yet */
    TANDEM_PHASE_REJECTED = 6,  /**< it failed its checks or its trial */
    TANDEM_PHASE_PREVIOUS = 7,  /**< the firmware before the confirmed one, whole */
    TANDEM_PHASE_SWAPPING = 8, /**< it is being brought to where it runs, for its trial; the bootloader finishes that */
    TANDEM_PHASE_REVERTING = 9 /**< the confirmed one is being brought back there */
};

/** How an update, or an attempt at one, ended or stands. */
struct tandem_outcome {
    enum tandem_status status;          /**< TANDEM_OK: as far as `stage` all is well */
    enum tandem_stage stage;            /**< where it happened */
    uint8_t image;                      /**< kind of the image concerned; 0: the package */
    uint8_t seen;                       /**< 1: the host has acknowledged it */
    uint32_t detail;                    /**< depends on the status: an offset, a size, a counter; else 0 */
    uint8_t id[TANDEM_PACKAGE_ID_SIZE]; /**< of the package */
    struct tandem_version version;      /**< of the package */
};

/** Why the bootloader chose as it did. One byte in flash. */
enum tandem_boot_reason {
    TANDEM_BOOT_NONE = 0,      /**< nothing may be started */
    TANDEM_BOOT_CONFIRMED = 1, /**< the confirmed bank, as always */
    TANDEM_BOOT_FIRST = 2,     /**< no journal yet: the bank that verified */
    TANDEM_BOOT_TRIAL = 3,     /**< the updated bank, on trial */
    TANDEM_BOOT_REVERTED = 4,  /**< trial starts used up: back to the confirmed bank */
    TANDEM_BOOT_REFUSED = 5,   /**< the updated bank did not verify: the confirmed one */
    TANDEM_BOOT_FALLBACK = 6,  /**< the confirmed bank did not verify: the other one */
    TANDEM_BOOT_KEPT = 7       /**< trial starts used up, and overwritten what was before: the updated bank stays */
};

/** The durable state: one journal record. */
struct tandem_bank_state {
    uint8_t active;                /**< the confirmed bank, 0 or 1 */
    uint8_t phase;                 /**< enum tandem_phase of the other bank */
    uint8_t attempts;              /**< trial starts so far */
    uint8_t reason;                /**< enum tandem_boot_reason of the last start that changed something */
    uint32_t counter;              /**< security counter: no package below it */
    uint32_t revoked;              /**< bit n: device->keys[n] is revoked */
    uint8_t proofs[2][8];          /**< verify-once proof of each bank */
    struct tandem_outcome outcome; /**< of the last update */
    uint8_t home;                  /**< the bank whose images are where they run; of no account in direct mode */
    uint8_t lift;                  /**< 1: swapped images are stored one exchange unit into their store */
};

/** A checkpoint of a transfer: one journal record. */
struct tandem_progress {
    uint32_t offset;                          /**< package offset of the next byte that is wanted */
    uint32_t written;                         /**< installed bytes of the image in hand that are durable */
    uint16_t tag;                             /**< first bytes of the package's id */
    uint8_t step;                             /**< which copy or image is in hand */
    uint8_t digest[TANDEM_BLOCK_DIGEST_SIZE]; /**< of the next block */
};

/** The journal in RAM. Fields are the library's own; small ones come first, where small cores reach them best. */
struct tandem_journal {
    uint8_t half;       /**< the active half */
    uint8_t used;       /**< 1: a half is active; 0: never written */
    uint8_t seals;      /**< whole copies of the active half's seal; 0: the other half is in doubt; 0xFF: checked */
    uint8_t twins;      /**< bit n: the newest record of type n stands twice, and nothing is torn */
    uint32_t half_size; /**< bytes of each of the two halves */
    uint32_t epoch;     /**< of the active half */
    uint32_t tail;      /**< next free byte of the active half */
    uint32_t newest[3]; /**< place of the newest record of each type; 0: none */
    struct tandem_area area;                 /**< where */
    const struct tandem_system_port *system; /**< for the watchdog, or NULL */
};

/** A flash operation under way. */
struct tandem_flash_op {
    const struct tandem_flash_port *flash; /**< NULL: none */
    const uint8_t *data;                   /**< to program; NULL: erase */
    uint32_t address;                      /**< where */
    uint32_t size;                         /**< bytes to program */
};

/** The dual-bank state in RAM. Read its fields; write only through the functions. */
struct tandem_bank {
    const struct tandem_device *device; /**< description */
    struct tandem_bank_state state;     /**< the newest record */
    struct tandem_journal journal;      /**< records */
};

/**
 * Open: mount the journal, load the state. A journal that was never written
 * gives the state of a new device and is not written yet. The rest of the
 * layout is tandem_device_check()'s.
 * @return TANDEM_OK; TANDEM_ERROR_LAYOUT (the journal is outside its flash, or too small); TANDEM_ERROR_FLASH
 */
enum tandem_status tandem_bank_open(struct tandem_bank *bank, const struct tandem_device *device);

/**
 * Where a slot's image of a bank lies at present, and how large it may be.
 * @param bank opened
 * @param slot place in device->slots
 * @param which 0 or 1
 */
struct tandem_area tandem_bank_area(const struct tandem_bank *bank, uint8_t slot, uint8_t which);

/** The bank whose images run now: 0 or 1. */
uint8_t tandem_bank_running(const struct tandem_bank *bank);
/** The bank that an update is written to: the other one than tandem_bank_running(). */
uint8_t tandem_bank_free(const struct tandem_bank *bank);

/**
 * The running firmware is good: keep it. Ends the trial for all images of the
 * bank together, raises the security counter, revokes what the manifest
 * revokes. Call it after the self-test; calling it again does nothing.
 * @param bank opened
 * @param buffer,size scratch for the manifest: as large as the largest head in use
 * @return TANDEM_OK; TANDEM_ERROR_FLASH; TANDEM_ERROR_SPACE (buffer); TANDEM_ERROR_NOTHING or a status of the groups
 *         format and authenticity: the manifest is no longer what was started
 */
enum tandem_status tandem_bank_confirm(struct tandem_bank *bank, uint8_t *buffer, size_t size);

/** The host has seen the outcome. @return TANDEM_OK; TANDEM_ERROR_FLASH */
enum tandem_status tandem_bank_outcome_seen(struct tandem_bank *bank);

/**
 * Read the manifest that describes a kind of image in a bank. It is parsed,
 * not authenticated again: for the running bank the bootloader has done that.
 * @param bank opened
 * @param which 0 or 1
 * @param kind enum tandem_kind; 0: the bank's newest manifest, whatever it holds
 * @param manifest to fill; points into `buffer`
 * @param image to fill unless `kind` is 0; may be NULL
 * @param buffer,size takes the head
 * @return TANDEM_OK; TANDEM_ERROR_NOTHING (no such manifest); TANDEM_ERROR_SPACE; TANDEM_ERROR_FLASH
 */
enum tandem_status tandem_bank_manifest(const struct tandem_bank *bank, uint8_t which, uint8_t kind,
                                        struct tandem_manifest *manifest, struct tandem_image *image, uint8_t *buffer,
                                        size_t size);

#ifdef __cplusplus
}
#endif

#endif
