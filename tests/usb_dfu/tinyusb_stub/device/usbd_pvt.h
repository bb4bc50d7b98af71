/*
 * TinyUSB's interface for class drivers, as far as the glue uses it.
 */
#ifndef STUB_USBD_PVT_H
#define STUB_USBD_PVT_H

#include "tusb.h"

typedef struct {
    char const *name;
    void (*init)(void);
    bool (*deinit)(void);
    void (*reset)(uint8_t rhport);
    uint16_t (*open)(uint8_t rhport, tusb_desc_interface_t const *interface, uint16_t most);
    bool (*control_xfer_cb)(uint8_t rhport, uint8_t stage, tusb_control_request_t const *request);
    bool (*xfer_cb)(uint8_t rhport, uint8_t endpoint, xfer_result_t result, uint32_t bytes);
    void (*sof)(uint8_t rhport, uint32_t count);
} usbd_class_driver_t;

usbd_class_driver_t const *usbd_app_driver_get_cb(uint8_t *count);

#endif
