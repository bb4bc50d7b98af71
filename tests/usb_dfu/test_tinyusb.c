/*
 * The glue for TinyUSB, with a stand-in for the stack that does what TinyUSB
 * is documented to do with control transfers: a whole update through it.
 */
#include "../unit/fixture.h"
#include "check.h"
#include "device/usbd_pvt.h"
#include "tandem_tinyusb.h"

static struct fixture f;
static struct tandem_usb_dfu dfu;
static struct tandem_usb_dfu_config config;
static uint8_t block[1024];
static usbd_class_driver_t const *driver;
static uint32_t now;
static int connected = 1;

/* What the driver has asked for in its set-up stage. */
static int acknowledged;
static uint8_t *buffer;
static uint16_t length;

bool tud_connect(void)
{
    connected = 1;
    return true;
}

bool tud_disconnect(void)
{
    connected = 0;
    return true;
}

bool tud_control_status(uint8_t rhport, tusb_control_request_t const *request)
{
    (void)rhport;
    (void)request;
    acknowledged = 1;
    return true;
}

bool tud_control_xfer(uint8_t rhport, tusb_control_request_t const *request, void *bytes, uint16_t size)
{
    (void)rhport;
    buffer = (uint8_t *)bytes;
    length = size < request->wLength ? size : request->wLength;
    return true;
}

/* A control transfer. @return bytes, or -1: stalled */
static int control(uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t size)
{
    tusb_control_request_t packet = {type, request, value, 0, size};
    acknowledged = 0;
    buffer = NULL;
    if (!driver->control_xfer_cb(0, CONTROL_STAGE_SETUP, &packet))
        return -1;
    if (acknowledged)
        return 0;
    REQUIRE(buffer != NULL);
    if (type & 0x80)
        memcpy(data, buffer, length);
    else
        memcpy(buffer, data, length);
    if (!driver->control_xfer_cb(0, CONTROL_STAGE_DATA, &packet))
        return -1;
    (void)driver->control_xfer_cb(0, CONTROL_STAGE_ACK, &packet);
    return length;
}

static void pass(uint32_t ms)
{
    while (ms-- != 0) {
        f.now_us += 1000;
        now++;
        for (unsigned i = 0; i < 8; i++)
            (void)tandem_tinyusb_task(now);
    }
}

static int wait_status(void)
{
    uint8_t status[6] = {0};
    do {
        CHECK_EQUAL(control(0xA1, 3, 0, status, 6), 6);
        pass(status[1]);
    } while (status[4] == 4 || status[4] == 7);
    return status[4];
}

static void open_device(void)
{
    static const struct tandem_usb_dfu_alternate alternate = {"Firmware", 0, 0, 0, 0, {NULL, 0, 0}, 0};
    uint8_t count = 0;
    config.install = &f.install;
    config.alternates = &alternate;
    config.alternate_count = 1;
    config.buffer = block;
    config.buffer_size = sizeof block;
    config.port = tandem_tinyusb_port();
    REQUIRE(tandem_usb_dfu_init(&dfu, &config, TANDEM_USB_RUNTIME) == TANDEM_OK);
    tandem_tinyusb_init(&dfu, NULL);
    driver = usbd_app_driver_get_cb(&count);
    REQUIRE(count == 1);
    driver->init();
}

static void test_update(void)
{
    struct package old, new;
    uint8_t descriptor[TANDEM_USB_INTERFACE_SIZE];
    fixture_open(&f, NULL);
    old = fixture_package(1);
    new = fixture_package(2);
    fixture_factory(&f, 0, &old);
    REQUIRE(fixture_install(&f) == TANDEM_OK);
    open_device();
    uint16_t size = tandem_usb_dfu_interface(&dfu, 0, descriptor);
    CHECK_EQUAL(driver->open(0, (tusb_desc_interface_t const *)(const void *)descriptor, size), size);
    descriptor[5] = 3;
    CHECK_EQUAL(driver->open(0, (tusb_desc_interface_t const *)(const void *)descriptor, size), 0);

    CHECK_EQUAL(control(0x21, 0, 1000, NULL, 0), 0); /* DETACH */
    pass(101);
    CHECK_EQUAL(connected, 0);
    pass(101);
    CHECK_EQUAL(connected, 1);
    driver->reset(0);
    CHECK_EQUAL(tandem_usb_dfu_mode(&dfu), TANDEM_USB_DFU);
    CHECK_EQUAL(control(0x01, 11, 0, NULL, 0), 0); /* SET_INTERFACE */
    CHECK_EQUAL(control(0x21, 4, 0, NULL, 0), -1); /* CLRSTATUS, out of place */
    CHECK_EQUAL(control(0x21, 4, 0, NULL, 0), 0);
    for (uint32_t at = 0; at < new.size; at += sizeof block) {
        uint16_t part = (uint16_t)(new.size - at < sizeof block ? new.size - at : sizeof block);
        CHECK_EQUAL(control(0x21, 1, (uint16_t)(at / sizeof block), new.bytes + at, part), part);
        CHECK_EQUAL(wait_status(), 5);
    }
    CHECK_EQUAL(control(0x21, 1, 0, NULL, 0), 0);
    CHECK_EQUAL(wait_status(), 2);
    CHECK_EQUAL(tandem_install_state(&f.install), TANDEM_STATE_PENDING);
    package_free(&old);
    package_free(&new);
    fixture_close(&f);
}

int main(void)
{
    RUN(test_update);
    return check_report();
}
