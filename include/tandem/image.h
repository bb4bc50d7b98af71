/**
 * @file
 * Firmware in the formats of others: what a file or a piece of flash is, what
 * it says of itself, and whether it is whole. docs/images.md lists the formats.
 *
 * Everything here reads through a struct tandem_source, a few bytes at a time:
 * the same code looks at a file on a host and at flash on a device. Where the
 * source answers TANDEM_AGAIN so does the function: call it again.
 */
#ifndef TANDEM_IMAGE_H
#define TANDEM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/crypto.h"
#include "tandem/port.h"
#include "tandem/status.h"
#include "tandem/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Read from a source, within its size. @return TANDEM_OK; TANDEM_ERROR_TRUNCATED (ends before); the source's reason */
enum tandem_status tandem_image_read(const struct tandem_source *source, uint32_t offset, void *data, size_t size);
/** Make a source of bytes in memory, which must outlive it. */
void tandem_image_memory(struct tandem_source *source, const void *data, uint32_t size);

/** A part of a source, as a source. */
struct tandem_image_part {
    struct tandem_source source;       /**< the part */
    const struct tandem_source *whole; /**< what it is a part of */
    uint32_t offset;                   /**< where it begins there */
};
/**
 * Make one.
 * @param part to fill; its `source` is good while `part` stays where it is
 * @param whole must outlive it
 * @param offset,size bytes of `whole`
 * @return TANDEM_OK; TANDEM_ERROR_TRUNCATED (not all of it is there)
 */
enum tandem_status tandem_image_part(struct tandem_image_part *part, const struct tandem_source *whole, uint32_t offset,
                                     uint32_t size);

/** Formats. */
enum tandem_image_format {
    TANDEM_FORMAT_RAW = 0,          /**< none that is known: bytes */
    TANDEM_FORMAT_PACKAGE = 1,      /**< Tandem package (tandem/package.h) */
    TANDEM_FORMAT_MCUBOOT = 2,      /**< MCUboot image */
    TANDEM_FORMAT_REALTEK = 3,      /**< Realtek image (tandem/image_realtek.h) */
    TANDEM_FORMAT_REALTEK_FILE = 4, /**< the same behind the MP header that Realtek's tools put before it */
    TANDEM_FORMAT_REALTEK_PACK = 5, /**< MPPack: several of these */
    TANDEM_FORMAT_REALTEK_PAIR = 6, /**< packs for both buds in one file */
    TANDEM_FORMAT_DFU = 7,          /**< anything with a USB DFU suffix (tandem/image_usb.h) */
    TANDEM_FORMAT_DFUSE = 8,        /**< ST's DfuSe file */
    TANDEM_FORMAT_INTEL_HEX = 9     /**< Intel HEX (tandem/image_hex.h) */
};

/** What protects the bytes. Bits. */
enum tandem_image_integrity {
    TANDEM_INTEGRITY_CRC16 = 0x01,    /**< against accidents */
    TANDEM_INTEGRITY_CRC32 = 0x02,    /**< against accidents */
    TANDEM_INTEGRITY_SHA256 = 0x04,   /**< against accidents: whoever alters the image alters the digest too */
    TANDEM_INTEGRITY_SIGNATURE = 0x08 /**< against anybody, if its key is trusted */
};

/** What the formats have in common. */
struct tandem_image_info {
    uint8_t format;                /**< enum tandem_image_format */
    uint8_t kind;                  /**< enum tandem_kind; 0: the format does not say */
    uint8_t integrity;             /**< enum tandem_image_integrity: what there is */
    uint8_t broken;                /**< of these, what was checked and does not hold */
    uint8_t checked;               /**< of these, what was checked */
    uint8_t has_version;           /**< 1: `version` says something */
    uint16_t parts;                /**< images inside */
    struct tandem_version version; /**< of the image, or of the package */
    uint32_t size;                 /**< bytes of all of it */
    uint32_t payload_offset;       /**< where what will run begins */
    uint32_t payload_size;         /**< bytes of it */
    uint32_t load_address;         /**< where it runs, if `has_address` */
    uint8_t has_address;           /**< 1: `load_address` says something */
};

/* ---- src/core/image_format.c, host builds only ---- */

/**
 * Say what it is, from its structure; never fails: what is nothing else is
 * TANDEM_FORMAT_RAW. Host builds only.
 */
enum tandem_image_format tandem_image_format(const struct tandem_source *source);
/**
 * Say what it is, what it says of itself, and whether what it carries against
 * accidents holds (of packs: of each image; signatures are not looked at).
 * Host builds only.
 * @param info to fill
 * @param source what to look at
 * @param crypto replacement or NULL
 * @return TANDEM_OK, also when `broken` says otherwise; TANDEM_ERROR_TRUNCATED; TANDEM_ERROR_FORMAT (contradicts
 *         itself); TANDEM_ERROR_UNSUPPORTED (a variant that is not known); the source's reason
 */
enum tandem_status tandem_image_inspect(struct tandem_image_info *info, const struct tandem_source *source,
                                        const struct tandem_crypto_port *crypto);
/** Name of a format, for people. Host builds only. */
const char *tandem_image_format_name(enum tandem_image_format format);

#ifdef __cplusplus
}
#endif

#endif
