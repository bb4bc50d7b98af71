/**
 * @file
 * The device's description: who it is, where its flash lies, whom it trusts,
 * what it allows. One constant of this type serves bootloader and application.
 */
#ifndef TANDEM_DEVICE_H
#define TANDEM_DEVICE_H

#include "tandem/package.h"
#include "tandem/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How an image comes to run from its bank. */
enum tandem_mode {
    TANDEM_MODE_DIRECT = 0,    /**< it runs from either bank: `areas` are those of bank 0 and bank 1 */
    TANDEM_MODE_SWAP = 1,      /**< it runs from areas[0]; areas[1] stores the other bank's, and the two change places.
                                    The store has one exchange unit to spare: the largest sector of either area. */
    TANDEM_MODE_OVERWRITE = 2, /**< it runs from areas[0], over which a copy of areas[1] is written: there is no way
                                 back. Manifest areas that follow the slot's areas go with them. */
    TANDEM_MODE_LOADER = 3     /**< the bootloader: `areas` are its two copies, which belong to no bank, see loader.h */
};

/** Where one kind of image lies in each bank. */
struct tandem_slot {
    uint8_t kind;                /**< enum tandem_kind */
    uint8_t mode;                /**< enum tandem_mode */
    uint8_t optional;            /**< 1: a bank may lack it */
    struct tandem_area areas[2]; /**< in bank 0 and bank 1, or as `mode` says; on sector borders */
};

/** Which versions may replace the installed one. The security counter binds in any case. */
enum tandem_version_policy {
    TANDEM_VERSION_NOT_OLDER = 0, /**< the same again, or newer (default) */
    TANDEM_VERSION_NEWER = 1,     /**< newer only */
    TANDEM_VERSION_ANY = 2        /**< also older, within the security counter */
};

/** When the bootloader reads whole images. */
enum tandem_verify_policy {
    TANDEM_VERIFY_ALWAYS = 0, /**< at every start (default) */
    TANDEM_VERIFY_ONCE = 1    /**< at the first start; then a proof in the journal serves */
};

/** A device. Unnamed fields of an initializer are zero, and zero is the safe choice. */
struct tandem_device {
    const char *vendor;  /**< name, 1 … 31 bytes */
    const char *product; /**< name, 1 … 31 bytes */
    uint16_t hardware;   /**< revision */
    const char *serial;  /**< optional: serial number, at most 31 bytes */
    uint8_t role;        /**< place in a group: 0 alone; 1 primary (left), 2 secondary (right), … */

    const struct tandem_slot *slots; /**< one for each kind */
    uint8_t slot_count;              /**< 1 … TANDEM_CONFIG_MAX_IMAGES */
    struct tandem_area manifests[2]; /**< of bank 0 and 1; whole sectors, or the tail of the bank's last slot */
    struct tandem_area journal;      /**< at least two sectors, of one size */

    const struct tandem_key *keys; /**< trusted keys, in an order that never changes: revocation goes by place */
    uint8_t key_count;             /**< at most 32 */
    uint8_t signatures_needed;     /**< by different keys; 0 means 1 */
    uint8_t allow_unsigned;        /**< 1: take what nobody signed. Development only. */
    uint8_t mcuboot;               /**< 1: take images that MCUboot's imgtool signed with one of the keys, see bare.h */

    uint8_t version_policy;  /**< enum tandem_version_policy */
    uint8_t verify_policy;   /**< enum tandem_verify_policy */
    uint8_t trial_boots;     /**< starts that a new image has to confirm itself; 0 means 3 */
    uint8_t battery_minimum; /**< percent below which no update begins or is activated */
    uint16_t head_max;       /**< bytes of the bootloader's scratch: no larger head is taken; 0: any */

    const struct tandem_crypto_port *crypto; /**< replacements, or NULL */
    const struct tandem_system_port *system; /**< surroundings, or NULL */
};

/**
 * Check a description: areas inside their flash, on sector borders, without
 * overlap, journal large enough. Call it at init; a mistake here is the
 * brick of tomorrow.
 * @param device to check
 * @param reason set to a constant text that names the fault; NULL: not wanted
 * @return TANDEM_OK; TANDEM_ERROR_LAYOUT; TANDEM_ERROR_ARGUMENT (a missing pointer or an empty name)
 */
enum tandem_status tandem_device_check(const struct tandem_device *device, const char **reason);

#ifdef __cplusplus
}
#endif

#endif
