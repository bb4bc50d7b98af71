/**
 * @file
 * The bootloader's decision: what may be started. It verifies, counts trials,
 * undoes what failed, and says why. The port jumps.
 */
#ifndef TANDEM_BOOT_H
#define TANDEM_BOOT_H

#include "tandem/bank.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An image to start. */
struct tandem_boot_image {
    uint8_t kind;            /**< enum tandem_kind; 0: the slot is empty */
    struct tandem_area area; /**< where it lies */
    uint32_t size;           /**< its bytes */
    uint32_t load_address;   /**< where it wants to run; 0: anywhere */
    uint32_t offset;         /**< bytes of a header before what runs (MCUboot's images): its vectors are behind it */
};

/** What to start. */
struct tandem_boot {
    uint8_t bank;                   /**< 0 or 1 */
    uint8_t loader;                 /**< the bootloader's own copy, for its caller to set, if it has two */
    enum tandem_boot_reason reason; /**< why */
    enum tandem_status status;      /**< what was wrong with the bank that was not taken; TANDEM_OK: nothing */
    struct tandem_version version;  /**< of the package that is started */
    struct tandem_boot_image images[TANDEM_CONFIG_MAX_IMAGES]; /**< in the order of device->slots */
};

/**
 * Decide. Call it once after reset, before anything else uses the flash. Images that run from one place only are
 * brought there, which takes as long as the flash takes; the watchdog is fed.
 * @param boot to fill
 * @param device description
 * @param buffer,size scratch: as large as the largest package head in use
 * @return TANDEM_OK: start `boot->images` of `boot->bank`; TANDEM_ERROR_NOTHING: nothing may be started, go to
 *         recovery; TANDEM_ERROR_LAYOUT (also when the scratch is smaller than device->head_max)
 */
enum tandem_status tandem_boot_decide(struct tandem_boot *boot, const struct tandem_device *device, uint8_t *buffer,
                                      size_t size);

/** A short English text for a reason. */
const char *tandem_boot_reason_text(enum tandem_boot_reason reason);

#ifdef __cplusplus
}
#endif

#endif
