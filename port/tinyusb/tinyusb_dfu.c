/*
 * Tandem's USB DFU as a class driver of TinyUSB. Everything runs in tud_task()
 * and tandem_tinyusb_task(), so in one context.
 */
#include "tandem_tinyusb.h"

#include "device/usbd_pvt.h"
#include "tusb.h"

#define DFU_CLASS 0xFEu
#define DFU_SUBCLASS 0x01u
#define DFU_FUNCTIONAL 0x21u
#define AWAY_MS 100u /* off the bus between two modes: hubs look at their ports every now and then */

static struct tandem_usb_dfu *function;
static const struct tandem_usb_identity *identity_of_device;
static uint8_t reply[TANDEM_USB_DESCRIPTOR_MAX];
static uint32_t now, back_at;
static int away;

/* ---- the port ---- */

static enum tandem_status attach(void *ctx, enum tandem_usb_mode mode, int in_reset)
{
    (void)ctx;
    (void)mode; /* descriptors are asked of tandem_usb_dfu_mode() */
    if (in_reset)
        return TANDEM_OK;
    (void)tud_disconnect();
    away = 1;
    back_at = now + AWAY_MS;
    return TANDEM_OK;
}

const struct tandem_usb_device_port *tandem_tinyusb_port(void)
{
    static const struct tandem_usb_device_port port = {NULL, attach};
    return &port;
}

enum tandem_status tandem_tinyusb_task(uint32_t now_ms)
{
    now = now_ms;
    if (away && now - back_at <= UINT32_MAX / 2) {
        away = 0;
        (void)tud_connect();
    }
    return tandem_usb_dfu_poll(function, now_ms);
}

/* ---- the driver ---- */

static void driver_init(void)
{
}

static bool driver_deinit(void)
{
    return true;
}

static void driver_reset(uint8_t rhport)
{
    (void)rhport;
    tandem_usb_dfu_reset(function);
}

/* Take the interface with all its alternate settings and the functional descriptor. */
static uint16_t driver_open(uint8_t rhport, tusb_desc_interface_t const *interface, uint16_t most)
{
    const uint8_t *at = (const uint8_t *)interface;
    uint16_t size = 0;
    (void)rhport;
    if (interface->bInterfaceClass != DFU_CLASS || interface->bInterfaceSubClass != DFU_SUBCLASS)
        return 0;
    while (size + 2u <= most && at[0] != 0 && at[0] <= most - size) {
        int ours = (at[1] == TUSB_DESC_INTERFACE && at[2] == interface->bInterfaceNumber) || at[1] == DFU_FUNCTIONAL;
        if (!ours)
            break;
        size = (uint16_t)(size + at[0]);
        at += at[0];
    }
    return size;
}

static void load(struct tandem_usb_setup *setup, tusb_control_request_t const *request)
{
    setup->type = request->bmRequestType;
    setup->request = request->bRequest;
    setup->value = request->wValue;
    setup->index = request->wIndex;
    setup->length = request->wLength;
}

static bool driver_control(uint8_t rhport, uint8_t stage, tusb_control_request_t const *request)
{
    struct tandem_usb_setup setup;
    struct tandem_usb_data data = {NULL, 0};
    if (stage == CONTROL_STAGE_DATA && (request->bmRequestType & 0x80) == 0)
        return tandem_usb_dfu_received(function, request->wLength) == TANDEM_USB_DONE;
    if (stage != CONTROL_STAGE_SETUP)
        return true;
    load(&setup, request);
    switch (tandem_usb_dfu_setup(function, &setup, &data)) {
    case TANDEM_USB_DONE:
        return tud_control_status(rhport, request);
    case TANDEM_USB_SEND:
    case TANDEM_USB_RECEIVE:
        return tud_control_xfer(rhport, request, data.bytes, data.size);
    default:
        return false;
    }
}

static bool driver_transfer(uint8_t rhport, uint8_t endpoint, xfer_result_t result, uint32_t bytes)
{
    (void)rhport;
    (void)endpoint;
    (void)result;
    (void)bytes;
    return false; /* there are no other endpoints */
}

usbd_class_driver_t const *usbd_app_driver_get_cb(uint8_t *count)
{
    static usbd_class_driver_t const driver = {
        .init = driver_init,
        .deinit = driver_deinit,
        .reset = driver_reset,
        .open = driver_open,
        .control_xfer_cb = driver_control,
        .xfer_cb = driver_transfer,
    };
    *count = 1;
    return &driver;
}

int tandem_tinyusb_vendor(uint8_t rhport, uint8_t stage, const void *request)
{
    tusb_control_request_t const *packet = (tusb_control_request_t const *)request;
    struct tandem_usb_setup setup;
    if (identity_of_device == NULL || packet->bRequest != identity_of_device->vendor_code)
        return 0;
    if (stage != CONTROL_STAGE_SETUP)
        return 1;
    load(&setup, packet);
    uint16_t size = tandem_usb_describe(function, identity_of_device, &setup, reply);
    return size != 0 && tud_control_xfer(rhport, packet, reply, size);
}

void tandem_tinyusb_init(struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity)
{
    function = dfu;
    identity_of_device = identity;
}
