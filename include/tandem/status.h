/**
 * @file
 * Status codes: what every Tandem function answers, and what a device
 * reports to its host after a refusal.
 *
 * A code fits one byte and keeps its value for ever: it travels on the wire
 * and rests in flash. The upper four bits are its group, see
 * enum tandem_status_group.
 */
#ifndef TANDEM_STATUS_H
#define TANDEM_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/** What a call came to. Zero is success; TANDEM_AGAIN is not a failure. */
enum tandem_status {
    TANDEM_OK = 0x00,    /**< done */
    TANDEM_AGAIN = 0x01, /**< under way or would block: call again with the same arguments */

    TANDEM_ERROR_ARGUMENT = 0x10,      /**< an argument is outside what the function takes */
    TANDEM_ERROR_STATE = 0x11,         /**< the call does not fit the present state */
    TANDEM_ERROR_BUSY = 0x12,          /**< another host or session holds the device */
    TANDEM_ERROR_NOT_SUPPORTED = 0x13, /**< this build or this peer cannot do it */
    TANDEM_ERROR_CANCELLED = 0x14,     /**< stopped on request */
    TANDEM_ERROR_LAYOUT = 0x15,        /**< the flash layout overlaps, is misaligned or too small */

    TANDEM_ERROR_FLASH = 0x20,        /**< flash could not be read, programmed or erased */
    TANDEM_ERROR_PORT = 0x21,         /**< a port table's function failed */
    TANDEM_ERROR_TIMEOUT = 0x22,      /**< the peer did not answer in time */
    TANDEM_ERROR_DISCONNECTED = 0x23, /**< the link is gone */
    TANDEM_ERROR_PROTOCOL = 0x24,     /**< the peer said what the protocol does not allow */
    TANDEM_ERROR_SPACE = 0x25,        /**< a buffer or a store has no room for it */

    TANDEM_ERROR_FORMAT = 0x30,      /**< not a package, or a field contradicts another */
    TANDEM_ERROR_TRUNCATED = 0x31,   /**< the data ends before it should */
    TANDEM_ERROR_UNSUPPORTED = 0x32, /**< a critical field or an encoding is unknown here */
    TANDEM_ERROR_TOO_LARGE = 0x33,   /**< an image does not fit its slot, or a manifest the buffer */

    TANDEM_ERROR_UNSIGNED = 0x40,  /**< no signature, and this device requires one */
    TANDEM_ERROR_KEY = 0x41,       /**< no signature by a key that is trusted here */
    TANDEM_ERROR_REVOKED = 0x42,   /**< signed only by keys that were revoked */
    TANDEM_ERROR_SIGNATURE = 0x43, /**< a signature by a trusted key is wrong */
    TANDEM_ERROR_DIGEST = 0x44,    /**< data do not have the digest that was signed */

    TANDEM_ERROR_TARGET = 0x50,     /**< made for another vendor or product */
    TANDEM_ERROR_HARDWARE = 0x51,   /**< made for other hardware revisions */
    TANDEM_ERROR_VERSION = 0x52,    /**< the version policy forbids it (older, or too old a base) */
    TANDEM_ERROR_COUNTER = 0x53,    /**< its security counter is below the device's */
    TANDEM_ERROR_DEPENDENCY = 0x54, /**< it needs another image that is not there */
    TANDEM_ERROR_BASE = 0x55,       /**< a difference against an image that is not installed */
    TANDEM_ERROR_INCOMPLETE = 0x56, /**< an image is missing and cannot be taken over */

    TANDEM_ERROR_BATTERY = 0x60, /**< the battery is too low */
    TANDEM_ERROR_SIGNAL = 0x61,  /**< the signal is too weak */
    TANDEM_ERROR_CONSENT = 0x62, /**< the user has not agreed */
    TANDEM_ERROR_TRIAL = 0x63,   /**< the running firmware is on trial: confirm or reboot first */

    TANDEM_ERROR_REVERTED = 0x70, /**< the new firmware did not confirm itself; the old one is back */
    TANDEM_ERROR_NOTHING = 0x71   /**< no image that may be started */
};

/** The groups of enum tandem_status: its upper four bits. */
enum tandem_status_group {
    TANDEM_STATUS_OK = 0,           /**< success or under way */
    TANDEM_STATUS_CALLER = 1,       /**< the call, or its moment, is wrong */
    TANDEM_STATUS_SURROUNDINGS = 2, /**< flash, ports, link */
    TANDEM_STATUS_FORMAT = 3,       /**< the package is malformed or does not fit */
    TANDEM_STATUS_AUTHENTICITY = 4, /**< the package is not what was signed */
    TANDEM_STATUS_TARGET = 5,       /**< the package is not for this device */
    TANDEM_STATUS_CONDITION = 6,    /**< not now: a condition of the device */
    TANDEM_STATUS_OUTCOME = 7       /**< what became of an installed update */
};

/** Where in an update something happened. One byte on the wire and in flash. */
enum tandem_stage {
    TANDEM_STAGE_NONE = 0,     /**< no update */
    TANDEM_STAGE_CONNECT = 1,  /**< host: finding and reaching the device */
    TANDEM_STAGE_CHECK = 2,    /**< manifest: format, signature, policy, conditions */
    TANDEM_STAGE_RECEIVE = 3,  /**< payload: transfer, decode, write */
    TANDEM_STAGE_VALIDATE = 4, /**< read-back of whole images, copies of the others */
    TANDEM_STAGE_ACTIVATE = 5, /**< switching banks */
    TANDEM_STAGE_BOOT = 6,     /**< the bootloader's checks */
    TANDEM_STAGE_TRIAL = 7,    /**< running, not yet confirmed */
    TANDEM_STAGE_CONFIRMED = 8 /**< done */
};

/**
 * The group of a status.
 * @param status any status
 * @return its group
 * May be called from an interrupt.
 */
static inline enum tandem_status_group tandem_status_group(enum tandem_status status)
{
    return (enum tandem_status_group)((unsigned)status >> 4);
}

/**
 * A short English text for a status, for logs and tools. Host builds only:
 * a device build that never calls it does not link it.
 * @param status any status, also one received from a newer peer
 * @return a constant string, never NULL
 */
const char *tandem_status_text(enum tandem_status status);

/**
 * The name of a stage, for logs and tools.
 * @param stage any stage, also one received from a newer peer
 * @return a constant string, never NULL
 */
const char *tandem_stage_text(enum tandem_stage stage);

#ifdef __cplusplus
}
#endif

#endif
