/*
 * As much of TinyUSB's interface as the glue uses, so that it can be compiled,
 * and run by a test in place of the stack.
 */
#ifndef STUB_TUSB_H
#define STUB_TUSB_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint8_t bLength, bDescriptorType, bInterfaceNumber, bAlternateSetting, bNumEndpoints, bInterfaceClass,
        bInterfaceSubClass, bInterfaceProtocol, iInterface;
} tusb_desc_interface_t;

typedef struct {
    uint8_t bmRequestType, bRequest;
    uint16_t wValue, wIndex, wLength;
} tusb_control_request_t;

typedef enum { XFER_RESULT_SUCCESS } xfer_result_t;
enum { TUSB_DESC_INTERFACE = 4 };
enum { CONTROL_STAGE_IDLE, CONTROL_STAGE_SETUP, CONTROL_STAGE_DATA, CONTROL_STAGE_ACK };

bool tud_connect(void);
bool tud_disconnect(void);
bool tud_control_status(uint8_t rhport, tusb_control_request_t const *request);
bool tud_control_xfer(uint8_t rhport, tusb_control_request_t const *request, void *buffer, uint16_t length);

#endif
