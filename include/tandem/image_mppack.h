/**
 * @file
 * Realtek's files of several images, reading and writing: the MP header that
 * its tools put before an image, MPPack ("ImgPacketFile-….bin"), which a phone
 * app sends to a device, and the file that holds packs for both buds of a
 * pair. docs/images.md has the layouts. Host builds only.
 */
#ifndef TANDEM_IMAGE_MPPACK_H
#define TANDEM_IMAGE_MPPACK_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/image.h"
#include "tandem/image_realtek.h"
#include "tandem/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the MP header ---- */

#define TANDEM_MP_HEADER_SIZE 512 /**< bytes before the image */
#define TANDEM_MP_PART_SIZE 32    /**< bytes of a part number */

/** Fields of an MP header. Bits of tandem_mp_header's `has`. */
enum tandem_mp_field {
    TANDEM_MP_BIN_ID = 0x0001,        /**< what the tools call it */
    TANDEM_MP_BIN_VERSION = 0x0002,   /**< packed as the image's */
    TANDEM_MP_PART = 0x0004,          /**< part number */
    TANDEM_MP_DATA_SIZE = 0x0008,     /**< bytes behind the header */
    TANDEM_MP_REVISION = 0x0010,      /**< of the header */
    TANDEM_MP_OTA_VERSION = 0x0020,   /**< 1 */
    TANDEM_MP_IMAGE = 0x0040,         /**< image id */
    TANDEM_MP_ADDRESS = 0x0080,       /**< in flash */
    TANDEM_MP_IMAGE_SIZE = 0x0100,    /**< bytes */
    TANDEM_MP_IMAGE_VERSION = 0x0200, /**< packed */
    TANDEM_MP_DIGEST_AT = 0x0400,     /**< offset of the SHA-256 in the image */
    TANDEM_MP_ADDRESS_64 = 0x0800,    /**< in flash, of 4 or 8 bytes */
    TANDEM_MP_MEMORY = 0x1000,        /**< 0 NOR, 1 NAND */
    TANDEM_MP_VERSION_64 = 0x2000,    /**< packed, of 8 bytes */
    TANDEM_MP_IC = 0x4000             /**< chip */
};

/** What an MP header says. */
struct tandem_mp_header {
    uint32_t has;                      /**< enum tandem_mp_field: which of the following */
    uint16_t bin_id;                   /**< TANDEM_MP_BIN_ID */
    uint16_t image;                    /**< TANDEM_MP_IMAGE */
    uint16_t digest_at;                /**< TANDEM_MP_DIGEST_AT */
    uint8_t revision;                  /**< TANDEM_MP_REVISION */
    uint8_t ota_version;               /**< TANDEM_MP_OTA_VERSION */
    uint8_t memory;                    /**< TANDEM_MP_MEMORY */
    uint8_t ic;                        /**< TANDEM_MP_IC */
    uint8_t part[TANDEM_MP_PART_SIZE]; /**< TANDEM_MP_PART; padded with 0xFF or zeros */
    uint32_t bin_version;              /**< TANDEM_MP_BIN_VERSION */
    uint32_t data_size;                /**< TANDEM_MP_DATA_SIZE */
    uint32_t address;                  /**< TANDEM_MP_ADDRESS */
    uint32_t image_size;               /**< TANDEM_MP_IMAGE_SIZE */
    uint32_t image_version;            /**< TANDEM_MP_IMAGE_VERSION */
    uint64_t address_64;               /**< TANDEM_MP_ADDRESS_64 */
    uint64_t version_64;               /**< TANDEM_MP_VERSION_64 */
};

/**
 * Read one. Fields that are not known are skipped.
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT (does not begin as one; a field of a wrong length, twice, or beyond the end)
 */
enum tandem_status tandem_mp_header_read(struct tandem_mp_header *header, const uint8_t bytes[TANDEM_MP_HEADER_SIZE]);
/** Write one; unknown fields of one that was read are gone. */
void tandem_mp_header_write(const struct tandem_mp_header *header, uint8_t bytes[TANDEM_MP_HEADER_SIZE]);

/* ---- packs ---- */

#define TANDEM_MPPACK_BITS_MAX 256 /**< images that a pack can name */

/** A pack that was opened. */
struct tandem_mppack {
    const struct tandem_source *source;         /**< its bytes */
    uint32_t size;                              /**< bytes without the trailer */
    uint32_t data_at;                           /**< where the files begin */
    uint32_t entries_at;                        /**< where their table begins */
    uint16_t bits;                              /**< of the bitmap: 32 or 256 */
    uint16_t count;                             /**< files */
    uint8_t entry_size;                         /**< bytes of an entry of the table: 12 or 20 */
    uint8_t version;                            /**< of the format */
    uint8_t ic;                                 /**< chip; 0: none said */
    uint8_t ota_allowed;                        /**< 0: for production lines only */
    uint8_t dual_bank;                          /**< 1: says that it holds every image for both banks */
    uint8_t compressed;                         /**< 1: says that it holds compressed images */
    uint8_t bitmap[TANDEM_MPPACK_BITS_MAX / 8]; /**< lowest bit first */
};

/** A file of a pack. */
struct tandem_mppack_file {
    uint16_t index;             /**< in the pack, ascending by bit */
    uint16_t function;          /**< bit, without its bank's half */
    uint8_t bank;               /**< 0 or 1: the half of the bitmap that it is in */
    uint8_t any_bank;           /**< 1: there is only this one, for both banks */
    uint8_t is_compressed;      /**< 1: flagged as compressed */
    uint32_t address;           /**< in flash, as the table says */
    uint32_t offset;            /**< of the file: its MP header */
    uint32_t size;              /**< bytes, MP header included */
    struct tandem_mp_header mp; /**< its MP header */
};

/**
 * Open a pack and check its table.
 * @param pack to fill
 * @param source must outlive `pack`
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT; TANDEM_ERROR_TRUNCATED; TANDEM_ERROR_UNSUPPORTED (a version that is not
 *         known); TANDEM_ERROR_TOO_LARGE (a file of 4 GB or more); the source's reason
 */
enum tandem_status tandem_mppack_open(struct tandem_mppack *pack, const struct tandem_source *source);
/**
 * A file, by its place.
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (no such index); TANDEM_ERROR_FORMAT (its MP header); the source's reason
 */
enum tandem_status tandem_mppack_file(const struct tandem_mppack *pack, uint16_t index,
                                      struct tandem_mppack_file *file);
/**
 * The next file that a device needs whose bank `bank` is to be written, in the
 * order in which they are sent: by function, so the OTA header comes before
 * what it describes.
 * @param pack opened
 * @param bank 0 (also devices with one bank) or 1
 * @param function in: where to look from, 0 at first; out: where to look from next
 * @param file to fill
 * @return TANDEM_OK; TANDEM_ERROR_NOTHING (no more); TANDEM_ERROR_INCOMPLETE (bank 1, but a function is there for bank
 *         0 alone); as tandem_mppack_file()
 */
enum tandem_status tandem_mppack_next(const struct tandem_mppack *pack, uint8_t bank, uint16_t *function,
                                      struct tandem_mppack_file *file);
/**
 * The name that the trailer gives a file.
 * @param text to fill; characters beyond ASCII become '?'
 * @return its length; 0: the trailer does not say
 */
size_t tandem_mppack_name(const struct tandem_mppack *pack, uint16_t index, char *text, size_t size);

/** What a function of a pack is called, for people. @return a constant text, never NULL */
const char *tandem_mppack_function_name(uint8_t ic, uint16_t function);
/** The function that an image has in packs for its chip. @return TANDEM_OK; TANDEM_ERROR_UNSUPPORTED (not known) */
enum tandem_status tandem_mppack_function(uint8_t ic, uint16_t image, uint16_t *function);
/** What an image id is called, for people. @return a constant text, never NULL */
const char *tandem_realtek_image_name(uint8_t ic, uint16_t image);
/** What a chip is called, for people. @return a constant text, never NULL */
const char *tandem_realtek_ic_name(uint8_t ic);

/* ---- packs for a pair ---- */

#define TANDEM_REALTEK_PAIR_MAX 8 /**< packs in one file */

/** Packs for several buds in one file. */
struct tandem_realtek_pair {
    uint32_t version; /**< of the format, or of the file: nobody says */
    uint32_t count;   /**< packs */
    struct {
        uint32_t role;                /**< 1 primary, 2 secondary */
        uint32_t offset;              /**< of the pack */
        uint32_t size;                /**< bytes */
    } packs[TANDEM_REALTEK_PAIR_MAX]; /**< in the file's order */
};

/**
 * Open one.
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT; TANDEM_ERROR_TRUNCATED; TANDEM_ERROR_TOO_LARGE (too many packs); the
 *         source's reason
 */
enum tandem_status tandem_realtek_pair_open(struct tandem_realtek_pair *pair, const struct tandem_source *source);

/* ---- writing ---- */

/**
 * Write the head of a file of packs for a pair; the packs follow it.
 * @param pair version, count, and role and size of each pack
 * @param bytes what comes first, 12 + 8 × count of them
 * @return how many; 0: no pack, or too many
 */
size_t tandem_realtek_pair_write(const struct tandem_realtek_pair *pair,
                                 uint8_t bytes[12 + 8 * TANDEM_REALTEK_PAIR_MAX]);

/** What an image header shall say. */
struct tandem_realtek_wrap {
    uint8_t ic;                    /**< chip */
    uint8_t secure_version;        /**< may not go down on a device */
    uint16_t image;                /**< id */
    struct tandem_version version; /**< of the image */
    uint32_t address;              /**< where it runs (OLD form: execution and load base) */
    const uint8_t *payload;        /**< what comes behind the header */
    uint32_t size;                 /**< bytes of it */
};

/** Bytes that an image of this payload has. @return TANDEM_OK; TANDEM_ERROR_UNSUPPORTED (chip); TANDEM_ERROR_TOO_LARGE
 */
enum tandem_status tandem_realtek_wrap_size(const struct tandem_realtek_wrap *wrap, uint32_t *size);
/**
 * Put a payload behind an image header with its digest; nothing is signed, so
 * chips that want Realtek's or the maker's signature refuse it. Devices that
 * are no Realtek chips but speak their protocol do not.
 * @param out,size where, the size that tandem_realtek_wrap_size() gave
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (image id, size); TANDEM_ERROR_UNSUPPORTED; TANDEM_ERROR_TOO_LARGE (also a
 *         version that does not fit); TANDEM_ERROR_PORT
 */
enum tandem_status tandem_realtek_wrap_write(const struct tandem_realtek_wrap *wrap,
                                             const struct tandem_crypto_port *crypto, uint8_t *out, uint32_t size);

/** A file to pack. */
struct tandem_mppack_item {
    uint16_t function;          /**< its bit, without the bank's half */
    uint8_t bank;               /**< 0 or 1 */
    uint32_t address;           /**< in flash, for the table */
    struct tandem_mp_header mp; /**< to write before it */
    const uint8_t *mp_bytes;    /**< or, if not NULL, the 512 bytes to write */
    const uint8_t *data;        /**< the image */
    uint32_t size;              /**< its bytes */
    const char *name;           /**< for the trailer, ASCII without ':' */
};

/** What to pack. */
struct tandem_mppack_plan {
    uint8_t ic;                             /**< chip */
    uint8_t version;                        /**< of the format, 0 … 4 */
    uint8_t ota_allowed;                    /**< 1: not for production lines only */
    const struct tandem_mppack_item *items; /**< ascending by bank, then by function */
    uint16_t count;                         /**< files, at least 1 */
};

/** Bytes that the pack will have. @return TANDEM_OK; TANDEM_ERROR_ARGUMENT; TANDEM_ERROR_TOO_LARGE */
enum tandem_status tandem_mppack_plan_size(const struct tandem_mppack_plan *plan, uint32_t *size);
/** Write it. @param out,size where, the size that tandem_mppack_plan_size() gave @return as that */
enum tandem_status tandem_mppack_write(const struct tandem_mppack_plan *plan, uint8_t *out, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
