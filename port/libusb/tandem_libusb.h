/**
 * @file
 * Tandem's USB port on libusb 1.0: Linux, macOS, Windows. Transfers are waited
 * for, so a call may take as long as a device takes to answer.
 */
#ifndef TANDEM_LIBUSB_H
#define TANDEM_LIBUSB_H

#include "tandem/usb.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The USB of this machine. Hand out `port`; the other fields are its own. */
struct tandem_libusb {
    struct tandem_usb_port port; /**< the table for Tandem */
    void *context;               /**< libusb's */
    void *list;                  /**< devices as last listed */
    void *handle;                /**< of the open one */
    long count;                  /**< devices in the list */
    int claimed;                 /**< interface that was claimed; −1: none */
    char reason[128];            /**< why the last call failed; "" if none did */
};

/**
 * Open libusb.
 * @param usb caller's; must not move while its port is in use
 * @return TANDEM_OK; TANDEM_ERROR_PORT
 */
enum tandem_status tandem_libusb_open(struct tandem_libusb *usb);
/** Close it. */
void tandem_libusb_close(struct tandem_libusb *usb);

#ifdef __cplusplus
}
#endif

#endif
