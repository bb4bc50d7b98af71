/*
 * DFU's numbers: what both halves put on the wire. Device Firmware Upgrade
 * 1.1, USB Implementers Forum; and 1.1a, STMicroelectronics ("DfuSe").
 */
#ifndef TANDEM_USB_DFU_WIRE_H
#define TANDEM_USB_DFU_WIRE_H

/* bmRequestType */
#define USB_IN 0x80u
#define USB_TYPE_MASK 0x60u
#define USB_TYPE_STANDARD 0x00u
#define USB_TYPE_CLASS 0x20u
#define USB_TYPE_VENDOR 0x40u
#define USB_RECIPIENT_MASK 0x1Fu
#define USB_RECIPIENT_DEVICE 0u
#define USB_RECIPIENT_INTERFACE 1u

/* Standard requests. */
#define USB_GET_STATUS 0u
#define USB_SET_ADDRESS 5u
#define USB_GET_DESCRIPTOR 6u
#define USB_GET_CONFIGURATION 8u
#define USB_SET_CONFIGURATION 9u
#define USB_GET_INTERFACE 10u
#define USB_SET_INTERFACE 11u

/* Descriptors. */
#define USB_DEVICE 1u
#define USB_CONFIGURATION 2u
#define USB_STRING 3u
#define USB_INTERFACE 4u
#define USB_BOS 15u
#define USB_CAPABILITY 16u
#define USB_DFU_FUNCTIONAL 0x21u

#define DFU_CLASS 0xFEu
#define DFU_SUBCLASS 0x01u
#define DFU_PROTOCOL_RUNTIME 1u
#define DFU_PROTOCOL_DFU 2u
#define DFU_FUNCTIONAL_SIZE 9u
#define DFU_FUNCTIONAL_SIZE_1_0 7u

/* The interface's string of alternate n has the index STRING_ALTERNATE + n. */
#define DFU_STRING_STATUS 4u
#define DFU_STRING_ALTERNATE 16u

enum dfu_request {
    DFU_DETACH,
    DFU_DNLOAD,
    DFU_UPLOAD,
    DFU_GETSTATUS,
    DFU_CLRSTATUS,
    DFU_GETSTATE,
    DFU_ABORT,
    DFU_REQUESTS
};

enum dfu_state {
    DFU_APP_IDLE,
    DFU_APP_DETACH,
    DFU_IDLE,
    DFU_DNLOAD_SYNC,
    DFU_DNBUSY,
    DFU_DNLOAD_IDLE,
    DFU_MANIFEST_SYNC,
    DFU_MANIFEST,
    DFU_MANIFEST_WAIT_RESET,
    DFU_UPLOAD_IDLE,
    DFU_ERROR,
    DFU_STATES
};

enum dfu_status {
    DFU_OK,
    DFU_ERR_TARGET,
    DFU_ERR_FILE,
    DFU_ERR_WRITE,
    DFU_ERR_ERASE,
    DFU_ERR_CHECK_ERASED,
    DFU_ERR_PROG,
    DFU_ERR_VERIFY,
    DFU_ERR_ADDRESS,
    DFU_ERR_NOTDONE,
    DFU_ERR_FIRMWARE,
    DFU_ERR_VENDOR,
    DFU_ERR_USBR,
    DFU_ERR_POR,
    DFU_ERR_UNKNOWN,
    DFU_ERR_STALLEDPKT
};

#define DFU_STATUS_SIZE 6u
#define DFU_POLL_MAX 0xFFFFFFu /* ms that bwPollTimeout can say */

/* DfuSe: commands, sent as block 0; data begin with block 2. */
#define DFUSE_SET_ADDRESS 0x21u
#define DFUSE_ERASE 0x41u
#define DFUSE_READ_UNPROTECT 0x92u
#define DFUSE_FIRST_BLOCK 2u

#endif
