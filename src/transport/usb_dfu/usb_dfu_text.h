/*
 * USB DFU: a device's reasons as texts, and back; each half has one of the two
 * in its public header.
 */
#ifndef TANDEM_USB_DFU_TEXT_H
#define TANDEM_USB_DFU_TEXT_H

#include <stdint.h>

#include "tandem/status.h"

const char *tandem_usb_dfu_text(enum tandem_status status);
enum tandem_status tandem_usb_dfu_status(const char *text);

#endif
