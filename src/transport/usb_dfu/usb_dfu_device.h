/*
 * What the device half's files share: usb_dfu_device.c (the protocol) and
 * usb_dfu_device_store.c (where blocks go to and come from).
 */
#ifndef TANDEM_USB_DFU_DEVICE_H
#define TANDEM_USB_DFU_DEVICE_H

#include "tandem/usb_dfu.h"

/* What is being done between requests. */
enum dfu_work {
    WORK_NONE,
    WORK_BLOCK,    /* the block in hand goes to the installer */
    WORK_COMMAND,  /* DfuSe: the command in hand waits for a GETSTATUS */
    WORK_MANIFEST, /* the end of a download */
    WORK_DROP      /* the installer is to be told that the transfer is over */
};

/* How far a download is: tandem_usb_dfu::begun. */
enum dfu_begun {
    BEGUN_NOT,
    BEGUN_PACKAGE,
    BEGUN_BARE,    /* an image without a package is being received */
    BEGUN_ENDED,   /* it is whole */
    BEGUN_FINISHED /* and what it did not bring is copied */
};

static inline int dfu_is_dfuse(const struct tandem_usb_dfu *dfu)
{
    return dfu->config->version == TANDEM_USB_DFUSE;
}

static inline const struct tandem_usb_dfu_alternate *dfu_alternate(const struct tandem_usb_dfu *dfu)
{
    return &dfu->config->alternates[dfu->alternate];
}

/* Do some of the work with the block in hand. TANDEM_OK: there is room for the next one. */
enum tandem_status tandem_dfu_store_block(struct tandem_usb_dfu *dfu);
/* The host says that it has sent all. TANDEM_AGAIN: tandem_dfu_store_manifest() is to follow. */
enum tandem_status tandem_dfu_store_end(struct tandem_usb_dfu *dfu);
/* Do some of what is left after the end. */
enum tandem_status tandem_dfu_store_manifest(struct tandem_usb_dfu *dfu);
/* The transfer is over before its end; what was received stays for a later one. */
void tandem_dfu_store_drop(struct tandem_usb_dfu *dfu);
/* Let the installer work on while the next block is on its way. */
enum tandem_status tandem_dfu_store_idle(struct tandem_usb_dfu *dfu);
/* Read from the alternate's area into the block buffer; `*size` is cut at its end. */
enum tandem_status tandem_dfu_store_read(struct tandem_usb_dfu *dfu, uint32_t offset, uint16_t *size);

#endif
