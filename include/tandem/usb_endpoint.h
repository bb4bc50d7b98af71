/**
 * @file
 * Endpoint zero of a device whose USB does nothing but DFU, as a bootloader's:
 * the standard requests and all descriptors, Windows' and WebUSB's included.
 * A product with a USB stack of its own takes the descriptors alone.
 */
#ifndef TANDEM_USB_ENDPOINT_H
#define TANDEM_USB_ENDPOINT_H

#include "tandem/usb_dfu.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_USB_DESCRIPTOR_MAX 256 /**< bytes of the longest descriptor made here */
#define TANDEM_USB_INTERFACE_SIZE 18  /**< bytes of the run-time interface and its functional descriptor */
#define TANDEM_USB_GUID_LENGTH 38     /**< characters of "{01234567-89AB-CDEF-0123-456789ABCDEF}" */

/** Who the device is. Texts are ASCII, at most 126 characters; NULL: none. */
struct tandem_usb_identity {
    uint16_t vendor;          /**< idVendor */
    uint16_t product;         /**< idProduct in run-time mode */
    uint16_t dfu_product;     /**< idProduct in DFU mode: another one, for Windows remembers descriptors by it */
    uint16_t release;         /**< bcdDevice */
    const char *manufacturer; /**< name */
    const char *name;         /**< of the product */
    const char *serial;       /**< number, the same in both modes */
    const char *guid;         /**< of the WinUSB interface, TANDEM_USB_GUID_LENGTH characters; NULL: no WinUSB */
    const char *url;          /**< WebUSB's landing page without "https://"; NULL: no WebUSB */
    uint8_t vendor_code;      /**< bRequest of Windows' and WebUSB's requests */
    uint8_t packet_max;       /**< bMaxPacketSize0: 8, 16, 32 or 64 (0: 64) */
    uint8_t power;            /**< bMaxPower, in 2 mA (0: 50) */
    uint8_t composite;        /**< 1: other interfaces are beside DFU's in run-time mode */
};

/** Endpoint zero. Fields are the library's own. */
struct tandem_usb_endpoint {
    struct tandem_usb_dfu *dfu;                 /**< the function */
    const struct tandem_usb_identity *identity; /**< who it is */
    uint8_t configuration;                      /**< chosen: 0 or 1 */
    uint8_t reply[TANDEM_USB_DESCRIPTOR_MAX];   /**< being sent */
};

/** Read the eight bytes of a set-up packet. */
void tandem_usb_setup_load(struct tandem_usb_setup *setup, const uint8_t bytes[8]);

/**
 * Answer a standard request for a descriptor, or one of Windows or WebUSB. Standard descriptors are those of a device
 * that has the DFU interface alone.
 * @param dfu prepared
 * @param identity who the device is
 * @param setup the request
 * @param out takes the descriptor, TANDEM_USB_DESCRIPTOR_MAX bytes
 * @return its bytes, not yet cut to what was asked for; 0: there is none
 */
uint16_t tandem_usb_describe(const struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity,
                             const struct tandem_usb_setup *setup, uint8_t out[TANDEM_USB_DESCRIPTOR_MAX]);

/**
 * The run-time interface for a product's own configuration descriptor: interface and functional descriptor.
 * @param dfu prepared
 * @param string index of the interface's string, which the product has; 0: none
 * @param out takes them
 * @return bytes: 18, or 16 for DFU 1.0
 */
uint16_t tandem_usb_dfu_interface(const struct tandem_usb_dfu *dfu, uint8_t string,
                                  uint8_t out[TANDEM_USB_INTERFACE_SIZE]);

/**
 * Prepare.
 * @param endpoint caller's
 * @param dfu prepared; must outlive it
 * @param identity must outlive it
 */
void tandem_usb_endpoint_init(struct tandem_usb_endpoint *endpoint, struct tandem_usb_dfu *dfu,
                              const struct tandem_usb_identity *identity);

/**
 * As tandem_usb_dfu_setup(), for all requests. SET_ADDRESS is acknowledged; the driver takes the address from the
 * packet once the status stage is over.
 */
enum tandem_usb_answer tandem_usb_endpoint_setup(struct tandem_usb_endpoint *endpoint,
                                                 const struct tandem_usb_setup *setup, struct tandem_usb_data *data);

/** The host has reset the bus. */
void tandem_usb_endpoint_reset(struct tandem_usb_endpoint *endpoint);

#ifdef __cplusplus
}
#endif

#endif
