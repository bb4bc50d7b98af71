/**
 * @file
 * The bare door: images without a package, as vendor protocols send them one
 * by one (Realtek, raw USB DFU, DJI). Nobody signed them, so the door is shut
 * unless the device's description says `allow_unsigned`. See docs/bare.md.
 *
 * Images make a *set*. Each is begun, fed, ended; then the set is finished:
 * the installer takes over what was not brought, reads everything back and
 * says TANDEM_STATE_VALIDATED, and tandem_install_activate() does the rest.
 * State and outcome are the installer's: tandem_install_state(),
 * tandem_install_outcome().
 *
 * It never waits. Feed only stores bytes; tandem_bare_poll() does one bounded
 * step of work. None of it may be called from an interrupt.
 */
#ifndef TANDEM_BARE_H
#define TANDEM_BARE_H

#include "tandem/install.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_BARE_SIZE_UNKNOWN 0xFFFFFFFFu /**< the image ends where tandem_bare_end() says */
#define TANDEM_BARE_NO_HOLD 0xFFFFFFFFu      /**< everything may be programmed */
#define TANDEM_PAYLOAD_RECOGNISE_SIZE 4      /**< first bytes that tell a payload */

/** What a payload is, by its first bytes. */
enum tandem_payload {
    TANDEM_PAYLOAD_BARE = 0,    /**< nothing that is known here */
    TANDEM_PAYLOAD_PACKAGE = 1, /**< a Tandem package: it goes to tandem_install_begin() and _feed() */
    TANDEM_PAYLOAD_MCUBOOT = 2  /**< an image with MCUboot's header */
};

/** What a protocol says of an image before it sends it. */
struct tandem_bare_image {
    uint8_t kind;                  /**< enum tandem_kind */
    uint8_t variant;               /**< bank it is linked for: 0, 1, TANDEM_VARIANT_ANY */
    uint8_t payload;               /**< enum tandem_payload, as recognised */
    struct tandem_version version; /**< its own; 0.0.0: not known */
    uint32_t load_address;         /**< where it runs; 0: anywhere */
    uint32_t size;                 /**< bytes; TANDEM_BARE_SIZE_UNKNOWN */
};

/** What is known of an image that has arrived. */
struct tandem_bare_entry {
    struct tandem_version version;      /**< its own */
    uint32_t load_address;              /**< where it runs */
    uint32_t size;                      /**< bytes */
    uint32_t counter;                   /**< security counter */
    uint8_t variant;                    /**< bank it is linked for */
    uint8_t payload;                    /**< enum tandem_payload */
    uint8_t dependency_count;           /**< images that it needs */
    uint8_t digest[TANDEM_SHA256_SIZE]; /**< of what was read back */
};

/** The door. Fields are the library's own; ask through the functions. */
struct tandem_bare {
    struct tandem_install *install; /**< behind it */
    uint8_t step;                   /**< what becomes of the image in hand */
    uint8_t touched;                /**< 1: some of it is in flash */
    uint8_t opened;                 /**< 1: the free bank is, or is being, made ready for the set */
    uint8_t open_ended;             /**< 1: its size is not known */
    uint32_t here;                  /**< slots whose image has arrived, as bits */
    uint32_t hold;                  /**< from there on nothing is programmed yet */
    uint32_t in_flight;             /**< bytes being programmed */
    struct tandem_bare_entry entries[TANDEM_CONFIG_MAX_IMAGES]; /**< by slot; those of `here` count */
};

/**
 * What is this payload?
 * @param data,size its first bytes, TANDEM_PAYLOAD_RECOGNISE_SIZE or more; of fewer nothing is known
 */
enum tandem_payload tandem_payload_recognise(const void *data, size_t size);

/**
 * Open the door. Writes nothing.
 * @param bare caller's, one for each installer
 * @param install opened; must outlive it
 */
void tandem_bare_init(struct tandem_bare *bare, struct tandem_install *install);

/**
 * Begin an image. An image of the same kind that is in the set already is
 * replaced; one that was not ended is given up. The first of a set gives up
 * whatever else was under way in the free bank; that becomes durable in the
 * polls that follow, before the bank is touched.
 * @param bare opened
 * @param image what comes
 * @return TANDEM_OK; TANDEM_ERROR_UNSIGNED (not without `allow_unsigned`, but for MCUboot's
 *         images on a device that takes them); TANDEM_ERROR_ARGUMENT (a package is the installer's);
 * TANDEM_ERROR_NOT_SUPPORTED (no slot for this kind, or the bootloader's); TANDEM_ERROR_INCOMPLETE (linked for the bank
 * that runs); TANDEM_ERROR_TRUNCATED (no bytes); TANDEM_ERROR_TOO_LARGE; TANDEM_ERROR_SPACE (the installer's buffer
 * cannot describe so many images); TANDEM_ERROR_VERSION; TANDEM_ERROR_BATTERY; TANDEM_ERROR_TRIAL; TANDEM_ERROR_STATE
 * (the bootloader has an exchange of images to finish first). Also, once, if a set with images in it was lost since:
 * its outcome's status, or TANDEM_ERROR_CANCELLED (given up for something else); all of its images have to come again.
 * After an error nothing has changed, but for the outcome that tells of it when nothing else is under way.
 */
enum tandem_status tandem_bare_begin(struct tandem_bare *bare, const struct tandem_bare_image *image);

/** Offset in the image of the next byte that is wanted. After a lost link it goes on there. */
uint32_t tandem_bare_wants(const struct tandem_bare *bare);
/** Offset of the first byte for which there is no room now. */
uint32_t tandem_bare_limit(const struct tandem_bare *bare);
/** Bytes of the image that are programmed and read back. */
uint32_t tandem_bare_written(const struct tandem_bare *bare);

/**
 * Store bytes of the image in hand. What lies before wants or at and beyond
 * limit is dropped without harm; order does not matter within the window.
 * @param bare with an image begun
 * @param offset of the first byte, in the image
 * @param data,size the bytes
 * @return TANDEM_OK; TANDEM_ERROR_STATE (no image in hand); TANDEM_ERROR_TOO_LARGE (beyond the image's size, or the
 *         slot's if that is not known: nothing was stored)
 */
enum tandem_status tandem_bare_feed(struct tandem_bare *bare, uint32_t offset, const void *data, size_t size);

/**
 * For protocols that check what they sent piece by piece: bytes from `offset`
 * on wait in the window, unprogrammed, until this is called again with a
 * higher one. A new image is not held. The window must have room for a piece:
 * the installer's buffer less 255 bytes.
 * @param bare with an image begun
 * @param offset in the image; TANDEM_BARE_NO_HOLD
 * @return TANDEM_OK; TANDEM_ERROR_STATE (no image in hand)
 */
enum tandem_status tandem_bare_hold(struct tandem_bare *bare, uint32_t offset);

/**
 * Go back: bytes from `offset` on are wanted again. Taken are all offsets from
 * the first byte that is not yet programmed, or being programmed, up to wants;
 * and 0, with which the image starts over (waits for a flash operation that is
 * under way).
 * @param bare with an image begun
 * @param offset in the image
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (programmed already, or not received yet); TANDEM_ERROR_STATE
 */
enum tandem_status tandem_bare_back(struct tandem_bare *bare, uint32_t offset);

/**
 * Read what has arrived of the image in hand, or of the one that was ended
 * last: from flash, and from the window what is not there yet.
 * @param bare with an image begun
 * @param offset,size up to wants
 * @param data to fill
 * @return TANDEM_OK; TANDEM_AGAIN (the flash is at work: poll, ask again); TANDEM_ERROR_ARGUMENT (not received);
 *         TANDEM_ERROR_STATE; TANDEM_ERROR_FLASH
 */
enum tandem_status tandem_bare_read(const struct tandem_bare *bare, uint32_t offset, void *data, size_t size);

/**
 * Do one step: at most one flash operation, one KB hashed, or a journal record
 * written, which is waited for. Also drives the installer once the set is
 * finished.
 * @return TANDEM_AGAIN: more to do, call soon; TANDEM_OK: nothing to do until bytes or commands come
 */
enum tandem_status tandem_bare_poll(struct tandem_bare *bare);

/**
 * All bytes of the image in hand were fed. What is left of it is programmed
 * and all of it read back and hashed, in polls.
 * @return TANDEM_AGAIN: poll, and call again; TANDEM_OK: the image is in the set; TANDEM_ERROR_TRUNCATED (bytes are
 *         missing: they are still wanted); TANDEM_ERROR_STATE (no image in hand); the outcome's status if it has failed
 */
enum tandem_status tandem_bare_end(struct tandem_bare *bare);

/**
 * Give up the image in hand, or the one that was ended last. The others of the
 * set stay.
 * @return TANDEM_OK; TANDEM_ERROR_STATE (there is none)
 */
enum tandem_status tandem_bare_drop(struct tandem_bare *bare);

/**
 * Give up the whole set, or take back the activation of the one that was
 * finished: tandem_install_abort().
 * @return TANDEM_OK; TANDEM_ERROR_FLASH
 */
enum tandem_status tandem_bare_abort(struct tandem_bare *bare);

/**
 * The set is whole: describe it, and have the installer copy what was not
 * brought, read everything back and validate it, in polls.
 * @return TANDEM_OK: poll until the state is TANDEM_STATE_VALIDATED or TANDEM_STATE_FAILED; TANDEM_AGAIN: poll, and
 * call again; TANDEM_ERROR_STATE (no set, or an image that was not ended); TANDEM_ERROR_INCOMPLETE (an image is missing
 * and cannot be taken over: bring it, call again); otherwise as the installer refuses a package. After an error the set
 * is still open.
 */
enum tandem_status tandem_bare_finish(struct tandem_bare *bare);

#ifdef __cplusplus
}
#endif

#endif
