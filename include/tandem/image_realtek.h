/**
 * @file
 * Realtek's files: images with their headers, the MP header before them, packs
 * of several images, and packs for both buds of a pair. docs/images.md has the
 * layouts, and says what of them was seen in real files.
 *
 * The image reader and its check serve both halves; what follows them is for
 * hosts.
 */
#ifndef TANDEM_IMAGE_REALTEK_H
#define TANDEM_IMAGE_REALTEK_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/crypto.h"
#include "tandem/image.h"
#include "tandem/status.h"
#include "tandem/version.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_REALTEK_CONTROL_SIZE 12      /**< bytes of a control header */
#define TANDEM_REALTEK_NOT_READY 0x0080u    /**< control flag: not yet validated; in no digest */
#define TANDEM_REALTEK_NOT_OBSOLETE 0x0100u /**< control flag: not yet copied to its place */
#define TANDEM_REALTEK_HEADER_MAX 1280      /**< bytes of the longest image header */

/** The forms of image headers. */
enum tandem_realtek_form {
    TANDEM_REALTEK_OLD = 0,       /**< the control header comes first, and begins with the chip */
    TANDEM_REALTEK_NEW = 1,       /**< what authenticates comes first; the control header begins with the CRC */
    TANDEM_REALTEK_COMPRESSED = 2 /**< a short header before compressed bytes; the order of NEW */
};

/** How a chip's images are laid out. */
struct tandem_realtek_layout {
    uint16_t control;  /**< offset of the control header */
    uint16_t digest;   /**< offset of the SHA-256 */
    uint16_t uuid;     /**< offset of the UUID, 16 bytes */
    uint16_t header;   /**< bytes before the payload */
    uint16_t versions; /**< offset of an OTA header's version; 0: not known */
    uint8_t form;      /**< enum tandem_realtek_form */
    uint8_t sure;      /**< 0: taken from the chip's neighbours */
};

/** A control header: what an image says of itself in 12 bytes. */
struct tandem_realtek_control {
    uint8_t ic;             /**< chip */
    uint8_t secure_version; /**< may not go down */
    uint16_t flags;         /**< TANDEM_REALTEK_NOT_READY, ... */
    uint16_t image;         /**< id */
    uint16_t crc;           /**< CRC-16; 0: none */
    uint32_t payload;       /**< bytes behind the image header */
};

/** Read a control header. @param form enum tandem_realtek_form of its image */
void tandem_realtek_control_get(struct tandem_realtek_control *control, uint8_t form,
                                const uint8_t bytes[TANDEM_REALTEK_CONTROL_SIZE]);
/** Write a control header. */
void tandem_realtek_control_put(const struct tandem_realtek_control *control, uint8_t form,
                                uint8_t bytes[TANDEM_REALTEK_CONTROL_SIZE]);

/** An image whose header was read. */
struct tandem_realtek_header {
    struct tandem_realtek_layout layout;   /**< of its chip */
    struct tandem_realtek_control control; /**< as it lies there */
    uint32_t size;                         /**< bytes, header and payload */
};

/**
 * The layout of a chip's images.
 * @param layout to fill
 * @param ic chip
 * @return TANDEM_OK; TANDEM_ERROR_UNSUPPORTED (a chip whose images are laid out otherwise, or not known)
 */
enum tandem_status tandem_realtek_layout(struct tandem_realtek_layout *layout, uint8_t ic);
/**
 * The layout of compressed images (RTL8752H): a header of 96 bytes, then LZMA.
 * From documents only: what its digest covers was seen in no real file.
 */
void tandem_realtek_layout_compressed(struct tandem_realtek_layout *layout);

/**
 * Read the header of an image of a known chip.
 * @param image to fill
 * @param source from its first byte on; there may be more behind it
 * @param layout of its chip
 * @param ic its chip
 * @return TANDEM_OK; TANDEM_ERROR_TRUNCATED (the source ends before the image); TANDEM_ERROR_TARGET (for another
 *         chip); TANDEM_ERROR_FORMAT (an id that there is not); the source's reason
 */
enum tandem_status tandem_realtek_image_read(struct tandem_realtek_header *image, const struct tandem_source *source,
                                             const struct tandem_realtek_layout *layout, uint8_t ic);
/**
 * Read the header of an image of any chip: the layout is the one under which
 * chip, id and size agree.
 * @return TANDEM_OK; TANDEM_ERROR_TRUNCATED; TANDEM_ERROR_FORMAT (no Realtek image); the source's reason
 */
enum tandem_status tandem_realtek_image_find(struct tandem_realtek_header *image, const struct tandem_source *source);

/** Whether there is such an image id. @return 1 or 0 */
int tandem_realtek_image_known(uint16_t image);
/** What an image id is for. @return enum tandem_kind; 0: none of these (the OTA header) */
uint8_t tandem_realtek_image_kind(uint16_t image);
/** Version of an image as its header has it, unpacked. @return 1; 0: there is none, or its place is not known */
int tandem_realtek_image_version(const struct tandem_realtek_header *image, const struct tandem_source *source,
                                 struct tandem_version *version);
/** Unpack a version's 32 bits. @param ic,image whose; they lie differently */
void tandem_realtek_version(struct tandem_version *version, uint8_t ic, uint16_t image, uint32_t packed);
/** Pack it again. @return TANDEM_OK; TANDEM_ERROR_TOO_LARGE (a number has too few bits) */
enum tandem_status tandem_realtek_version_pack(uint32_t *packed, uint8_t ic, uint16_t image,
                                               const struct tandem_version *version);

/** The check of an image against its own CRC or digest, under way. */
struct tandem_realtek_check {
    const struct tandem_source *source; /**< the image */
    struct tandem_realtek_header image; /**< its header */
    struct tandem_sha256 hash;          /**< so far */
    uint32_t at;                        /**< next byte */
    uint16_t crc;                       /**< so far */
    uint8_t range;                      /**< of those that are covered */
    uint8_t cleared;                    /**< 1: the not-ready flag counts as cleared */
    uint8_t integrity;                  /**< enum tandem_image_integrity: what the image carries */
    uint8_t broken;                     /**< of these, what does not hold; good after the last step */
};

/**
 * Begin. The new layouts have a SHA-256, and a CRC-16 if that is not zero; the
 * old one has either, by whether the CRC is zero. Where the not-ready flag is set
 * the image is taken as without it, and if that does not hold, as it lies.
 * @param check caller's
 * @param image read before
 * @param source its bytes; must outlive `check`
 * @param crypto replacement or NULL
 * @return TANDEM_OK; TANDEM_ERROR_PORT
 */
enum tandem_status tandem_realtek_check_init(struct tandem_realtek_check *check,
                                             const struct tandem_realtek_header *image,
                                             const struct tandem_source *source,
                                             const struct tandem_crypto_port *crypto);
/**
 * Go on by one piece of at most `size` bytes.
 * @param check begun
 * @param buffer,size to read into, at least 32 bytes
 * @return TANDEM_AGAIN there is more; TANDEM_OK it holds; TANDEM_ERROR_DIGEST it does not; TANDEM_ERROR_ARGUMENT (a
 *         buffer too small); TANDEM_ERROR_PORT; the source's reason
 */
enum tandem_status tandem_realtek_check_step(struct tandem_realtek_check *check, void *buffer, size_t size);

/**
 * All of it at once, for who can wait: a host.
 * @return TANDEM_OK; TANDEM_ERROR_DIGEST (`check->broken` says what); as the two above
 */
enum tandem_status tandem_realtek_check_whole(struct tandem_realtek_check *check,
                                              const struct tandem_realtek_header *image,
                                              const struct tandem_source *source,
                                              const struct tandem_crypto_port *crypto);

#ifdef __cplusplus
}
#endif

#endif
