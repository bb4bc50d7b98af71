/**
 * @file
 * Files for USB DFU: the suffix that may end any of them (DFU 1.1, appendix
 * B), and ST's DfuSe file of several memory areas. Reading and writing. Host
 * builds only.
 */
#ifndef TANDEM_IMAGE_USB_H
#define TANDEM_IMAGE_USB_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/port.h"
#include "tandem/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_DFU_SUFFIX_SIZE 16 /**< bytes of a suffix as it is written */
#define TANDEM_DFU_ANY 0xFFFFu    /**< vendor, product or device: any */
#define TANDEM_DFU_PLAIN 0x0100u  /**< version in the suffix of files that are not DfuSe */
#define TANDEM_DFU_DFUSE 0x011Au  /**< version in the suffix of a DfuSe file */

/** A suffix: for which device the file is. */
struct tandem_dfu_suffix {
    uint16_t device;  /**< release number (bcdDevice), or TANDEM_DFU_ANY */
    uint16_t product; /**< idProduct, or TANDEM_DFU_ANY */
    uint16_t vendor;  /**< idVendor, or TANDEM_DFU_ANY */
    uint16_t version; /**< TANDEM_DFU_PLAIN, TANDEM_DFU_DFUSE, or what stands there */
    uint8_t size;     /**< bytes of the suffix, at least 16; the file without it is so much shorter */
    uint32_t crc;     /**< over all before it */
};

/**
 * Find a file's suffix and check it.
 * @param suffix filled also when the CRC is wrong
 * @param source the whole file
 * @return TANDEM_OK; TANDEM_ERROR_NOTHING (it has none); TANDEM_ERROR_FORMAT (it is longer than the file);
 *         TANDEM_ERROR_DIGEST (the CRC is wrong); the source's reason
 */
enum tandem_status tandem_dfu_suffix_read(struct tandem_dfu_suffix *suffix, const struct tandem_source *source);
/**
 * Make the suffix for a file.
 * @param suffix what it shall say; `size` and `crc` are not looked at
 * @param source the file without one
 * @param bytes what to append
 * @return TANDEM_OK; the source's reason
 */
enum tandem_status tandem_dfu_suffix_write(const struct tandem_dfu_suffix *suffix, const struct tandem_source *source,
                                           uint8_t bytes[TANDEM_DFU_SUFFIX_SIZE]);

/* ---- DfuSe ---- */

#define TANDEM_DFUSE_NAME_SIZE 255 /**< bytes of a target's name, zeros behind it included */

/** A DfuSe file that was opened. */
struct tandem_dfuse {
    const struct tandem_source *source; /**< its bytes */
    uint32_t size;                      /**< bytes without the suffix */
    uint8_t targets;                    /**< alternate settings */
    uint32_t elements;                  /**< areas of memory, in all of them */
    uint8_t has_suffix;                 /**< 1: `suffix` says something */
    struct tandem_dfu_suffix suffix;    /**< for which device */
};

/** An area of memory. */
struct tandem_dfuse_element {
    uint32_t target_at;                    /**< where its target's prefix is */
    uint32_t index;                        /**< in its target */
    uint32_t offset;                       /**< of its bytes in the file */
    uint32_t size;                         /**< bytes */
    uint32_t address;                      /**< in the device */
    uint8_t alternate;                     /**< setting */
    uint8_t is_named;                      /**< 1: its target has a name */
    char name[TANDEM_DFUSE_NAME_SIZE + 1]; /**< of the target, terminated */
};

/**
 * Open a DfuSe file and check all that its prefixes say.
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT; TANDEM_ERROR_TRUNCATED; TANDEM_ERROR_UNSUPPORTED (another version of the
 *         format); TANDEM_ERROR_DIGEST (a suffix with a wrong CRC; the rest is opened); the source's reason
 */
enum tandem_status tandem_dfuse_open(struct tandem_dfuse *file, const struct tandem_source *source);
/**
 * The next element.
 * @param element all zero before the first; then what the last call left there
 * @return TANDEM_OK; TANDEM_ERROR_NOTHING (no more); the source's reason
 */
enum tandem_status tandem_dfuse_next(const struct tandem_dfuse *file, struct tandem_dfuse_element *element);

/** An area to write. */
struct tandem_dfuse_item {
    uint8_t alternate;   /**< setting; items of one setting stand together */
    const char *name;    /**< of the setting's target, at most 254 bytes; NULL: none. The first item's counts */
    uint32_t address;    /**< in the device */
    const uint8_t *data; /**< bytes */
    uint32_t size;       /**< how many */
};

/** Bytes that the file will have, suffix included. @return TANDEM_OK; TANDEM_ERROR_ARGUMENT; TANDEM_ERROR_TOO_LARGE */
enum tandem_status tandem_dfuse_size(const struct tandem_dfuse_item *items, uint32_t count, uint32_t *size);
/**
 * Write it.
 * @param suffix vendor, product and device
 * @param out,size where, the size that tandem_dfuse_size() gave
 * @return as tandem_dfuse_size()
 */
enum tandem_status tandem_dfuse_write(const struct tandem_dfuse_item *items, uint32_t count,
                                      const struct tandem_dfu_suffix *suffix, uint8_t *out, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
