/**
 * @file
 * The installer: the one door through which firmware enters a device. It
 * takes the bytes of a package, wherever they come from, and does the rest:
 * authenticates, checks the policy, erases ahead, programs, reads back,
 * keeps checkpoints, copies what the package does not bring, validates.
 *
 * It never waits. tandem_install_feed() only stores bytes;
 * tandem_install_poll() does one bounded step of work.
 */
#ifndef TANDEM_INSTALL_H
#define TANDEM_INSTALL_H

#include "tandem/bank.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_INSTALL_BUFFER_MIN (TANDEM_BLOCK_SIZE_MIN + TANDEM_BLOCK_DIGEST_SIZE) /**< least buffer, bytes */

/** What a device says of its update. Every transport maps it to its own numbers. */
enum tandem_state {
    TANDEM_STATE_IDLE = 0,       /**< nothing under way; no outcome to report */
    TANDEM_STATE_RECEIVING = 1,  /**< takes package bytes */
    TANDEM_STATE_VALIDATING = 2, /**< has all it needs; copies and reads back */
    TANDEM_STATE_VALIDATED = 3,  /**< whole and verified; waits for activation */
    TANDEM_STATE_PENDING = 4,    /**< activated; the next start tries it */
    TANDEM_STATE_TRIAL = 5,      /**< the new firmware runs and has not confirmed itself */
    TANDEM_STATE_CONFIRMED = 6,  /**< the last update is confirmed */
    TANDEM_STATE_FAILED = 7      /**< the last update, or attempt, failed: see the outcome */
};

/** Bytes that arrived ahead of a gap. */
struct tandem_segment {
    uint32_t begin; /**< package offset of the first */
    uint32_t end;   /**< one past the last */
};

#define TANDEM_INSTALL_SEGMENTS 4 /**< runs of early bytes that are remembered */

/** What the running bank holds in one slot. */
struct tandem_installed {
    uint8_t kind;      /**< enum tandem_kind; 0: nothing */
    uint8_t variant;   /**< bank it is linked for */
    uint8_t digest[8]; /**< its digest, cut */
    uint32_t size;     /**< bytes */
};

/**
 * An installer. Fields are the library's own; ask through the functions. Small
 * and often used ones come first: small cores reach them with short
 * instructions.
 */
struct tandem_install {
    uint8_t job;                            /**< what the next poll does */
    uint8_t state;                          /**< enum tandem_state, while `live` */
    uint8_t live;                           /**< 1: `state` and `outcome` are newer than the durable ones */
    uint8_t step;                           /**< copy or image in hand */
    uint8_t slot;                           /**< slot in hand */
    uint8_t kind;                           /**< kind of the image in hand */
    uint8_t retries;                        /**< bad blocks in a row */
    uint8_t activate;                       /**< 1: activate as soon as it is validated */
    uint8_t all_erased;                     /**< 1: the free bank was erased beforehand */
    uint8_t closed;                         /**< 1: the buffer is in use for something else */
    uint8_t bare;                           /**< 1: images come without a package, see bare.h */
    uint16_t block_size;                    /**< data bytes of a full block */
    uint8_t plan[TANDEM_CONFIG_MAX_IMAGES]; /**< what each slot of the free bank gets */
    uint8_t *buffer;                        /**< package bytes from `base` on */
    uint32_t buffer_size;                   /**< bytes */
    uint32_t base;                          /**< package offset of buffer[0] */
    uint32_t fill;                          /**< contiguous bytes in the buffer */
    uint32_t cursor;                        /**< place of the job in hand */
    uint32_t written;                       /**< bytes of the image in hand that are programmed and read back */
    uint32_t erased;                        /**< bytes of its slot that are erased or written */
    uint32_t image_size;                    /**< bytes of it in all */
    uint32_t payload;                       /**< package offset of the payload in hand */
    uint32_t payload_left;                  /**< bytes of it not yet taken */
    uint32_t package_size;                  /**< bytes; 0: not known yet */
    uint32_t head_size;                     /**< bytes of the package's head */
    uint32_t area_used;                     /**< bytes used in the manifest area */
    uint32_t revoked;                       /**< keys revoked once it is confirmed */
    uint32_t here;                          /**< slots whose new image is in them already, as bits */
    struct tandem_area area;                /**< where the image in hand goes */
    struct tandem_flash_op op;              /**< under way */
    struct tandem_outcome outcome;          /**< of the present or last update, while `live` */
    struct tandem_segment early[TANDEM_INSTALL_SEGMENTS];        /**< bytes beyond a gap */
    struct tandem_bank bank;                                     /**< the durable state */
    uint8_t expected[TANDEM_BLOCK_DIGEST_SIZE];                  /**< digest of the block in hand */
    uint8_t digest[TANDEM_SHA256_SIZE];                          /**< digest of the image in hand */
    uint8_t tail[TANDEM_CONFIG_MAX_PROGRAM_UNIT];                /**< a padded last unit */
    struct tandem_version running;                               /**< the running package's version */
    struct tandem_installed installed[TANDEM_CONFIG_MAX_IMAGES]; /**< the running images, by slot */
    struct tandem_sha256 hash;                                   /**< read-back under way */
};

/**
 * Open. The buffer must hold the largest package head (header, manifest,
 * signatures) that the device is to take, and one block with its digest; what
 * is left is the window that lets a fast link run on.
 * @param install caller's
 * @param device description, must outlive it
 * @param buffer,size at least TANDEM_INSTALL_BUFFER_MIN bytes; 2 KB suit most
 * @return TANDEM_OK; as tandem_device_check(); TANDEM_ERROR_FLASH; TANDEM_ERROR_SPACE
 */
enum tandem_status tandem_install_init(struct tandem_install *install, const struct tandem_device *device,
                                       uint8_t *buffer, uint32_t size);

/**
 * Begin, or go on with, a package. With the id of the one that was under way,
 * the transfer goes on at the last checkpoint; otherwise at offset 0, and
 * what was under way is given up as soon as the new head has been accepted.
 * @param install opened
 * @param id of the package, or NULL if not known (then the head decides)
 * @param package_size in bytes, or 0 if not known
 * @param activate 1: activate without being asked once it is validated
 * @return TANDEM_OK; TANDEM_ERROR_TRIAL (confirm the running firmware first); TANDEM_ERROR_STATE (the bootloader has an
 *         exchange of images to finish first); TANDEM_ERROR_FLASH
 */
enum tandem_status tandem_install_begin(struct tandem_install *install, const uint8_t *id, uint32_t package_size,
                                        uint8_t activate);

/** Package offset of the next byte that is wanted. It may move forward past parts not needed, and back after a
 *  damaged block. */
uint32_t tandem_install_wants(const struct tandem_install *install);
/** Package offset of the first byte for which there is no room now (wants + window). */
uint32_t tandem_install_limit(const struct tandem_install *install);
/** 1: bytes beyond a gap are in the buffer, so what is missing was lost or comes late. */
int tandem_install_gap(const struct tandem_install *install);

/**
 * Store package bytes. What lies before wants or at and beyond limit is
 * dropped without harm; order does not matter within the window.
 * @param install begun
 * @param offset of the first byte, in the package
 * @param data,size the bytes
 * @return TANDEM_OK; TANDEM_ERROR_STATE (not receiving)
 */
enum tandem_status tandem_install_feed(struct tandem_install *install, uint32_t offset, const void *data, size_t size);

/**
 * Store the next bytes of a package that a transport cannot jump in: they come
 * once, in order. What the device does not want is passed over, also what it
 * has from before a power cut; nothing is stored that would be asked for again.
 * @param install begun
 * @param at package offset of the first byte; moved on past those that were taken
 * @param data,size the bytes
 * @return TANDEM_OK: all are taken; TANDEM_AGAIN: poll, then call again with the rest; TANDEM_ERROR_DIGEST (a block was
 *         damaged, and cannot come again); TANDEM_ERROR_STATE (nothing begun); TANDEM_ERROR_TOO_LARGE (beyond 4 GB);
 * the outcome's status if it has failed
 */
enum tandem_status tandem_install_pass(struct tandem_install *install, uint32_t *at, const void *data, size_t size);

/**
 * Do one step: at most one flash operation, or one KB hashed, or one
 * signature verified. A journal record may be part of a step; it is waited
 * for, and once in many records so is the erase of half the journal.
 * @return TANDEM_AGAIN: more to do, call soon; TANDEM_OK: nothing to do until bytes or commands come
 */
enum tandem_status tandem_install_poll(struct tandem_install *install);

/**
 * The package that a transfer can go on with.
 * @param install opened
 * @param id set to its id
 * @param offset set to the package offset at which it goes on
 * @return 1, or 0 if there is none
 */
int tandem_install_resumable(const struct tandem_install *install, uint8_t id[TANDEM_PACKAGE_ID_SIZE],
                             uint32_t *offset);

/** Where it stands. */
enum tandem_state tandem_install_state(const struct tandem_install *install);
/** How the present or last update stands or ended, durable ones included. */
const struct tandem_outcome *tandem_install_outcome(const struct tandem_install *install);

/**
 * Switch to the validated update at the next start.
 * @return TANDEM_OK (also when already pending); TANDEM_ERROR_STATE (nothing validated); TANDEM_ERROR_BATTERY;
 *         TANDEM_ERROR_FLASH. The caller reboots when it is ready.
 */
enum tandem_status tandem_install_activate(struct tandem_install *install);

/**
 * Stop. What was received stays for a later resume; an activation that has
 * not happened yet is taken back.
 * @return TANDEM_OK; TANDEM_ERROR_FLASH
 */
enum tandem_status tandem_install_abort(struct tandem_install *install);

/**
 * The running firmware is good: tandem_bank_confirm() with the installer's
 * own buffer.
 * @return TANDEM_OK; TANDEM_ERROR_STATE (an update is under way); as tandem_bank_confirm()
 */
enum tandem_status tandem_install_confirm(struct tandem_install *install);

/** The host has seen the outcome. @return TANDEM_OK; TANDEM_ERROR_FLASH */
enum tandem_status tandem_install_seen(struct tandem_install *install);

/**
 * Erase the free bank in idle time, one sector a call, so that the next
 * update need not wait for erases. Gives up the previous firmware: a
 * confirmed bank that goes bad then has nothing to fall back to.
 * @return TANDEM_AGAIN: more to do; TANDEM_OK: all erased; TANDEM_ERROR_STATE (an update is there);
 *         TANDEM_ERROR_FLASH
 */
enum tandem_status tandem_install_erase_idle(struct tandem_install *install);

#ifdef __cplusplus
}
#endif

#endif
