/**
 * @file
 * USB DFU, host half: finds devices, brings them into DFU mode, sends and
 * reads firmware by DFU 1.1, 1.0 and DfuSe, and is a target for the updater.
 *
 * It tells how a download ended by the device's own word, before and after
 * the end. What DFU cannot tell is which firmware runs afterwards: a device
 * that left DFU mode counts as updated.
 */
#ifndef TANDEM_USB_DFU_HOST_H
#define TANDEM_USB_DFU_HOST_H

#include "tandem/update.h"
#include "tandem/usb.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_USB_DFU_HOST_ALTERNATES 16 /**< alternate settings that are looked at */
#define TANDEM_USB_DFU_HOST_TEXT 128      /**< bytes of a string, with its final zero */
#define TANDEM_USB_DFU_HOST_SCRATCH 1024  /**< bytes of the longest configuration descriptor */

/** Which device, and how. Zero means any, or the usual. */
struct tandem_usb_dfu_host_config {
    const struct tandem_usb_port *port; /**< the PC's USB */
    uint8_t *buffer;                    /**< takes one block */
    uint16_t buffer_size;               /**< its bytes; 4096 is as much as Linux allows */
    uint16_t vendor;                    /**< idVendor in run-time mode */
    uint16_t product;                   /**< idProduct in run-time mode */
    uint16_t dfu_vendor;                /**< idVendor in DFU mode; 0: as `vendor` */
    uint16_t dfu_product;               /**< idProduct in DFU mode */
    const char *serial;                 /**< serial number, the same in both modes */
    const char *alternate_name;         /**< the alternate setting of that name, else that of number `alternate` */
    uint8_t alternate;                  /**< its number */
    uint8_t has_address;                /**< 1: `address` is given */
    uint32_t address;                   /**< DfuSe: where firmware goes; without it, the first sector told */
    uint16_t transfer_size;             /**< bytes of a block, for devices that tell a wrong size */
};

/** A device that was found. */
struct tandem_usb_dfu_found {
    struct tandem_usb_place place;                   /**< where */
    uint16_t vendor;                                 /**< idVendor */
    uint16_t product;                                /**< idProduct */
    uint16_t release;                                /**< bcdDevice */
    uint16_t version;                                /**< bcdDFUVersion; 0100 where it is not told */
    uint16_t detach_ms;                              /**< wDetachTimeOut */
    uint16_t transfer_size;                          /**< wTransferSize */
    uint8_t attributes;                              /**< bmAttributes */
    uint8_t dfu;                                     /**< 1: in DFU mode */
    uint8_t interface;                               /**< number of the DFU interface */
    uint8_t packet_max;                              /**< bMaxPacketSize0 */
    uint8_t alternates;                              /**< alternate settings */
    uint8_t strings[TANDEM_USB_DFU_HOST_ALTERNATES]; /**< indices of their names */
    char serial[TANDEM_USB_DFU_HOST_TEXT];           /**< serial number; "" if it has none */
};

/** A host's way to one device. Fields are the library's own, but `found` may be read. */
struct tandem_usb_dfu_host {
    const struct tandem_usb_dfu_host_config *config; /**< caller's */
    struct tandem_target target;                     /**< for the updater */
    struct tandem_usb_dfu_found found;               /**< the device */
    struct tandem_usb_place last_place;              /**< where it was last */
    struct tandem_outcome outcome;                   /**< what the device said last */
    uint32_t now;                                    /**< last time seen */
    uint32_t since;                                  /**< when the wait for the device began */
    uint32_t until;                                  /**< no request before */
    uint32_t offset;                                 /**< bytes sent or read */
    uint32_t total;                                  /**< bytes to send */
    uint32_t erased;                                 /**< DfuSe: address up to which is erased */
    uint32_t start;                                  /**< DfuSe: address of the first byte */
    unsigned number;                                 /**< of the device that is looked at */
    uint16_t block;                                  /**< number of the next block */
    uint16_t size;                                   /**< bytes in the buffer */
    uint16_t config_size;                            /**< bytes of the configuration descriptor */
    uint8_t configuration;                           /**< that is looked at */
    uint8_t configurations;                          /**< of so many */
    uint8_t serial_index;                            /**< of its string */
    uint8_t protocol;                                /**< bInterfaceProtocol */
    uint8_t look;                                    /**< an alternate setting whose name is asked for */
    uint8_t step;                                    /**< of what is being done */
    uint8_t waiting;                                 /**< 1: `until` counts */
    uint8_t status;                                  /**< bStatus */
    uint8_t state;                                   /**< bState */
    uint8_t string;                                  /**< iString */
    uint8_t tries;                                   /**< of a request that was stalled */
    uint8_t placed;                                  /**< 1: the device was found once */
    uint8_t activated;                               /**< 1: it was told to start the firmware */
    uint8_t reported;                                /**< 1: `outcome` is the device's */
    uint8_t left;                                    /**< address under which it was told so */
    char layout[TANDEM_USB_DFU_HOST_TEXT];           /**< name of the alternate setting; DfuSe: its memory */
    char reason[TANDEM_USB_DFU_HOST_TEXT];           /**< the device's own words for its last error; "" if none */
    uint8_t scratch[TANDEM_USB_DFU_HOST_SCRATCH];    /**< descriptors */
};

/**
 * Prepare.
 * @param host caller's
 * @param config must outlive it
 */
void tandem_usb_dfu_host_init(struct tandem_usb_dfu_host *host, const struct tandem_usb_dfu_host_config *config);

/** The device as a target, to hand to tandem_update_init(). It is sent an offer's bytes as they are. */
const struct tandem_target *tandem_usb_dfu_host_target(const struct tandem_usb_dfu_host *host);

/**
 * Look for the next device with a DFU interface, whichever it is; leaves it open.
 * @param host prepared; its `number` 0: from the first one
 * @return TANDEM_OK: host->found; TANDEM_AGAIN: call again; TANDEM_ERROR_NOTHING: no more; TANDEM_ERROR_PORT
 */
enum tandem_status tandem_usb_dfu_host_next(struct tandem_usb_dfu_host *host);

/**
 * The name of an alternate setting of the open device.
 * @param text TANDEM_USB_DFU_HOST_TEXT bytes; set to "" if it has none
 * @return TANDEM_OK; TANDEM_AGAIN; as the port
 */
enum tandem_status tandem_usb_dfu_host_name(struct tandem_usb_dfu_host *host, uint8_t alternate, char *text);

/** Time passes; for those who do not use the updater, which calls it by itself. */
void tandem_usb_dfu_host_poll(struct tandem_usb_dfu_host *host, uint32_t now_ms);

/**
 * Read what is in the alternate setting. The device is connected and in DFU mode.
 * @param host connected, by its target
 * @param write takes what was read, in order. @return TANDEM_OK, or a reason to stop
 * @param ctx handed to it
 * @param limit most bytes to read; DfuSe devices know no other end
 * @return TANDEM_OK; TANDEM_AGAIN: call again; the device's reason; TANDEM_ERROR_NOT_SUPPORTED (it cannot upload)
 */
enum tandem_status tandem_usb_dfu_host_upload(struct tandem_usb_dfu_host *host,
                                              enum tandem_status (*write)(void *ctx, const void *data, size_t size),
                                              void *ctx, uint32_t limit);

/** The device's own words for its last error; "" if there were none. */
const char *tandem_usb_dfu_host_reason(const struct tandem_usb_dfu_host *host);

/** The reason that a status string of a Tandem device means. @return TANDEM_OK: no such text */
enum tandem_status tandem_usb_dfu_status(const char *text);

#ifdef __cplusplus
}
#endif

#endif
