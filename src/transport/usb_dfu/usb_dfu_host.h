/*
 * What the host half's files share: usb_dfu_host.c (the target),
 * usb_dfu_host_find.c (devices on the bus and what they are).
 */
#ifndef TANDEM_USB_DFU_HOST_PRIVATE_H
#define TANDEM_USB_DFU_HOST_PRIVATE_H

#include "tandem/usb_dfu_host.h"

/* One control transfer. @return as the port; fewer bytes than wanted come as TANDEM_OK with `*got` set */
enum tandem_status tandem_usb_dfu_transfer(struct tandem_usb_dfu_host *host, uint8_t type, uint8_t request,
                                           uint16_t value, uint16_t index, void *data, uint16_t size, uint16_t *got);
/* The string of that index as ASCII; "" if there is none. */
enum tandem_status tandem_usb_dfu_string(struct tandem_usb_dfu_host *host, uint8_t index, char *text);
/* Look at one device after the other until one suits. With `any` each suits. */
enum tandem_status tandem_usb_dfu_find(struct tandem_usb_dfu_host *host, int any);

#endif
