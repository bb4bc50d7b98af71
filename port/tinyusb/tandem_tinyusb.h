/**
 * @file
 * Tandem's USB DFU as a class driver of TinyUSB (0.15 or later), beside a
 * product's other classes. CFG_TUD_DFU and CFG_TUD_DFU_RUNTIME stay 0.
 *
 * The product answers TinyUSB's tud_descriptor_…_cb(): in DFU mode with what
 * tandem_usb_describe() makes, in run-time mode with its own configuration and
 * tandem_usb_dfu_interface() in it.
 */
#ifndef TANDEM_TINYUSB_H
#define TANDEM_TINYUSB_H

#include "tandem/usb_endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Hand over the DFU function; before tusb_init(). Its configuration's port is
 * tandem_tinyusb_port().
 * @param dfu prepared; must outlive the stack
 * @param identity for Windows' and WebUSB's requests; NULL: none are answered
 */
void tandem_tinyusb_init(struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity);

/** Off the bus and on again, by TinyUSB. For devices whose DFU mode is in the application. */
const struct tandem_usb_device_port *tandem_tinyusb_port(void);

/**
 * Call it beside tud_task(), with the time in milliseconds.
 * @return as tandem_usb_dfu_poll()
 */
enum tandem_status tandem_tinyusb_task(uint32_t now_ms);

/** For tud_vendor_control_xfer_cb(): Windows' and WebUSB's requests. @return 1: it was one, and is answered */
int tandem_tinyusb_vendor(uint8_t rhport, uint8_t stage, const void *request);

#ifdef __cplusplus
}
#endif

#endif
