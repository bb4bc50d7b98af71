/**
 * @file
 * USB, as far as control transfers go: what a device's stack hands to Tandem
 * and what it is told to do, and what a host's library gives.
 */
#ifndef TANDEM_USB_H
#define TANDEM_USB_H

#include <stdint.h>

#include "tandem/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A set-up packet, numbers in the processor's own order. */
struct tandem_usb_setup {
    uint8_t type;    /**< bmRequestType: direction, class, recipient */
    uint8_t request; /**< bRequest */
    uint16_t value;  /**< wValue */
    uint16_t index;  /**< wIndex */
    uint16_t length; /**< wLength: bytes of the data stage */
};

/** What endpoint zero does next. */
enum tandem_usb_answer {
    TANDEM_USB_STALL = 0,   /**< stall the data or the status stage */
    TANDEM_USB_DONE = 1,    /**< no data: acknowledge */
    TANDEM_USB_SEND = 2,    /**< send the bytes told, then take the host's acknowledgement */
    TANDEM_USB_RECEIVE = 3, /**< receive wLength bytes to the place told, then ask again */
    TANDEM_USB_OTHER = 4    /**< not for this function: the product's own stack answers */
};

/** Bytes of a data stage. */
struct tandem_usb_data {
    uint8_t *bytes; /**< to send, or where to receive */
    uint16_t size;  /**< how many */
};

/** How a bus knows a device. */
struct tandem_usb_place {
    uint8_t bus;      /**< number of the bus */
    uint8_t address;  /**< of the device; changes each time that it appears */
    uint8_t depth;    /**< entries used in `ports` */
    uint8_t ports[7]; /**< ports on the way from the root: stays when the device comes back as another */
};

/**
 * Host side: the devices on a PC's buses, one of them open at a time.
 */
struct tandem_usb_port {
    void *ctx; /**< handed to every function */
    /** The device of that number in a fresh list (0: a new list is made).
     *  @return TANDEM_OK; TANDEM_ERROR_NOTHING no more; TANDEM_ERROR_PORT */
    enum tandem_status (*list)(void *ctx, unsigned number, struct tandem_usb_place *place);
    /** Open a device of the list; what was open is closed.
     *  @return TANDEM_OK; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT (no permission) */
    enum tandem_status (*open)(void *ctx, const struct tandem_usb_place *place);
    /** Take an interface for oneself and choose its alternate setting.
     *  @return TANDEM_OK; TANDEM_ERROR_BUSY a driver has it; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT */
    enum tandem_status (*claim)(void *ctx, uint8_t interface, uint8_t alternate);
    /** One control transfer with the open device; `*size` is set to the bytes transferred.
     *  @return TANDEM_OK; TANDEM_AGAIN under way: ask again with the same arguments; TANDEM_ERROR_PROTOCOL stalled;
     *          TANDEM_ERROR_TIMEOUT; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT */
    enum tandem_status (*control)(void *ctx, const struct tandem_usb_setup *setup, void *data, uint16_t *size);
    /** Reset the open device. @return TANDEM_OK it is still the same; TANDEM_ERROR_DISCONNECTED it is gone, or has come
     *  back as another; TANDEM_ERROR_NOT_SUPPORTED; TANDEM_ERROR_PORT */
    enum tandem_status (*reset)(void *ctx);
    /** Close what is open. */
    void (*close)(void *ctx);
    uint16_t transfer_max; /**< bytes of the longest control transfer (4096 on Linux); 0: any */
};

#ifdef __cplusplus
}
#endif

#endif
