/**
 * @file
 * USB DFU, device half: Device Firmware Upgrade 1.1 and 1.0 of the USB
 * Implementers Forum, and ST's DfuSe 1.1a, behind the installer.
 *
 * A state machine that is handed set-up packets and data of endpoint zero and
 * says what to answer. It knows no USB stack; tandem_usb_endpoint, below, is
 * all of the stack that a bootloader needs.
 *
 * docs/usb.md tells how to build it in, and what hosts do with it.
 */
#ifndef TANDEM_USB_DFU_H
#define TANDEM_USB_DFU_H

#include "tandem/bare.h"
#include "tandem/usb.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which descriptor set the device shows. */
enum tandem_usb_mode {
    TANDEM_USB_RUNTIME = 0, /**< the product's own, with one DFU interface more */
    TANDEM_USB_DFU = 1      /**< DFU alone: firmware may be sent */
};

/** Protocol versions, as bcdDFUVersion has them. */
enum tandem_usb_dfu_version {
    TANDEM_USB_DFU_1_0 = 0x0100, /**< DFU 1.0: no WillDetach, shorter descriptor */
    TANDEM_USB_DFU_1_1 = 0x0110, /**< DFU 1.1 (the default) */
    TANDEM_USB_DFUSE = 0x011A    /**< DfuSe 1.1a: downloads and uploads have addresses */
};

/** @name Attributes, as bmAttributes has them
 * @{ */
#define TANDEM_USB_DFU_CAN_DOWNLOAD 0x01u /**< takes firmware */
#define TANDEM_USB_DFU_CAN_UPLOAD 0x02u   /**< shows what is in alternates marked readable */
#define TANDEM_USB_DFU_TOLERANT 0x04u     /**< still answers after a download */
#define TANDEM_USB_DFU_WILL_DETACH 0x08u  /**< drops off the bus by itself; Windows cannot do without */
/** Suits all hosts: read-back is off. */
#define TANDEM_USB_DFU_DEFAULT (TANDEM_USB_DFU_CAN_DOWNLOAD | TANDEM_USB_DFU_TOLERANT | TANDEM_USB_DFU_WILL_DETACH)
/** @} */

#define TANDEM_USB_DFU_ALTERNATES_MAX 16 /**< alternate settings at most */

/** What stands behind an alternate setting. */
enum tandem_usb_dfu_content {
    TANDEM_USB_DFU_FIRMWARE = 0, /**< the installer: what is downloaded goes there */
    TANDEM_USB_DFU_MEMORY = 1    /**< flash that may be read, never written */
};

/** An alternate setting of the DFU interface. */
struct tandem_usb_dfu_alternate {
    const char *name;        /**< for people, ASCII, without a slash; the interface's string is made of it */
    uint8_t content;         /**< enum tandem_usb_dfu_content */
    uint8_t readable;        /**< 1: `area` may be uploaded, by whoever has a cable. Never where secrets are. */
    uint8_t kind;            /**< firmware: enum tandem_kind of a bare image sent here; 0: the application */
    uint8_t bank;            /**< firmware: 1 or 2: a bare image sent here is linked for bank 0 or 1; 0: for either */
    struct tandem_area area; /**< what an upload reads. DfuSe: its sectors are told to hosts also for firmware */
    uint32_t address;        /**< DfuSe: the address under which hosts know the area */
};

/** What the device half asks of the USB stack. */
struct tandem_usb_device_port {
    void *ctx; /**< handed to every function */
    /**
     * Show the descriptors of `mode`, or restart into it. `in_reset` 0: drop off the bus for at least 10 ms (100 is
     * better), then attach. 1: the host resets the bus at this moment; do not drop off, merely be another afterwards.
     * @return TANDEM_OK; TANDEM_ERROR_NOTHING: run-time mode is asked for and there is no firmware to run
     */
    enum tandem_status (*attach)(void *ctx, enum tandem_usb_mode mode, int in_reset);
};

/** A DFU function. Zero is a good choice where the text says so. */
struct tandem_usb_dfu_config {
    struct tandem_install *install;            /**< the door */
    struct tandem_bare *bare;                  /**< the door for images without a package; NULL: there is none */
    const struct tandem_usb_device_port *port; /**< NULL: the mode never changes, only restarts */
    const struct tandem_usb_dfu_alternate *alternates; /**< at least one, the first being firmware as a rule */
    uint8_t *buffer;                                   /**< takes one block */
    uint16_t buffer_size;                              /**< its bytes, 64 or more: wTransferSize */
    uint16_t version;                                  /**< enum tandem_usb_dfu_version; 0: 1.1 */
    uint8_t alternate_count;                           /**< 1 … 16 */
    uint8_t interface;                                 /**< number in the run-time descriptors; in DFU mode it is 0 */
    uint8_t attributes;                                /**< TANDEM_USB_DFU_… bits; 0: the default */
    uint8_t strict;       /**< 1: stall a GETSTATUS that comes early, and DETACH in DFU mode, as the standard says */
    uint16_t detach_ms;   /**< wDetachTimeOut; 0: 1000 */
    uint16_t leave_ms;    /**< idle time after an update before the device leaves by itself; 0: 3000 */
    uint16_t block_ms;    /**< first guess how long a block takes; 0: 10. After that it is measured. */
    uint16_t manifest_ms; /**< first guess how long the end of a download takes; 0: 100 */
    /** Optional: a short text for a refusal, told as the status string; tandem_usb_dfu_text() is one. */
    const char *(*text)(enum tandem_status status);
};

/** The function's state. Fields are the library's own. */
struct tandem_usb_dfu {
    const struct tandem_usb_dfu_config *config; /**< caller's */
    uint32_t now;                               /**< last time seen */
    uint32_t until;                             /**< when the host may ask again, or a wait ends */
    uint32_t leave_at;                          /**< when the device leaves by itself, if `leaving` */
    uint32_t began;                             /**< when the work in hand began */
    uint32_t took;                              /**< how long the last such work took, ms */
    uint32_t offset;                            /**< place of the block in hand, or of the next one */
    uint32_t fed;                               /**< place of the first byte of it that the installer has not taken */
    uint32_t address;                           /**< DfuSe: the address pointer */
    uint16_t size;                              /**< bytes of the block in hand */
    uint16_t number;                            /**< the next block's */
    uint8_t mode;                               /**< enum tandem_usb_mode */
    uint8_t state;                              /**< as bState */
    uint8_t status;                             /**< as bStatus */
    uint8_t reason;                             /**< enum tandem_status behind it */
    uint8_t alternate;                          /**< chosen */
    uint8_t work;                               /**< what is being done */
    uint8_t begun;                              /**< how far the download in hand is */
    uint8_t numbered;                           /**< 1: `number` is known */
    uint8_t receiving;                          /**< 1: the data of a block are on the way */
    uint8_t done;                               /**< 1: a transfer was completed */
    uint8_t leaving;                            /**< 1: `leave_at` counts */
    uint8_t configured;                         /**< 1: the host has spoken since the last reset */
    uint8_t dated;                              /**< 1: `now` is known */
    uint8_t reply[6];                           /**< answer to a status request */
};

/**
 * Prepare.
 * @param dfu caller's
 * @param config must outlive it
 * @param mode in which the device attaches first
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (a missing pointer, no alternate, upload without a readable one);
 *         TANDEM_ERROR_SPACE (buffer)
 */
enum tandem_status tandem_usb_dfu_init(struct tandem_usb_dfu *dfu, const struct tandem_usb_dfu_config *config,
                                       enum tandem_usb_mode mode);

/**
 * Take a set-up packet. A new one ends the transfer before it, whatever became of that. Not from an interrupt while
 * another function of the same `dfu` runs.
 * @param dfu prepared
 * @param setup as received
 * @param data set to what is to be sent, or to where data are to be received
 * @return what endpoint zero does
 */
enum tandem_usb_answer tandem_usb_dfu_setup(struct tandem_usb_dfu *dfu, const struct tandem_usb_setup *setup,
                                            struct tandem_usb_data *data);

/**
 * The data that TANDEM_USB_RECEIVE asked for are there.
 * @param size bytes received
 * @return TANDEM_USB_DONE; TANDEM_USB_STALL
 */
enum tandem_usb_answer tandem_usb_dfu_received(struct tandem_usb_dfu *dfu, uint16_t size);

/** The host has reset the bus. */
void tandem_usb_dfu_reset(struct tandem_usb_dfu *dfu);

/**
 * Move time and do a bounded amount of work: some installer steps, what is due.
 * @param now_ms a clock in milliseconds that may wrap
 * @return TANDEM_AGAIN: more to do, call soon; TANDEM_OK: nothing to do for some ms or until a packet comes
 */
enum tandem_status tandem_usb_dfu_poll(struct tandem_usb_dfu *dfu, uint32_t now_ms);

/** Which descriptors the device shows. */
enum tandem_usb_mode tandem_usb_dfu_mode(const struct tandem_usb_dfu *dfu);

/** Short texts for status strings, about 1 KB; named in a configuration by those who have the room. */
const char *tandem_usb_dfu_text(enum tandem_status status);

#ifdef __cplusplus
}
#endif

#endif
