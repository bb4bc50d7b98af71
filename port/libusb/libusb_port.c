/*
 * Tandem's USB port on libusb 1.0.
 */
#include "tandem_libusb.h"

#include <libusb.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000 /* of a transfer, as other hosts have it */

#if defined(__linux__)
#define TRANSFER_MAX 4096 /* longer ones are refused by the kernel */
#else
#define TRANSFER_MAX 0
#endif

static struct tandem_libusb *usb_of(void *ctx)
{
    return (struct tandem_libusb *)ctx;
}

static enum tandem_status failed(struct tandem_libusb *usb, const char *what, int code)
{
    const char *more = code == LIBUSB_ERROR_ACCESS ? " (no permission: run as root, or add a udev rule)" : "";
    (void)snprintf(usb->reason, sizeof usb->reason, "%s: %s%s", what, libusb_error_name(code), more);
    switch (code) {
    case LIBUSB_ERROR_PIPE:
        return TANDEM_ERROR_PROTOCOL;
    case LIBUSB_ERROR_NO_DEVICE:
    case LIBUSB_ERROR_NOT_FOUND:
        return TANDEM_ERROR_DISCONNECTED;
    case LIBUSB_ERROR_TIMEOUT:
        return TANDEM_ERROR_TIMEOUT;
    case LIBUSB_ERROR_BUSY:
        return TANDEM_ERROR_BUSY;
    case LIBUSB_ERROR_NOT_SUPPORTED:
        return TANDEM_ERROR_NOT_SUPPORTED;
    default:
        return TANDEM_ERROR_PORT;
    }
}

static void free_list(struct tandem_libusb *usb)
{
    if (usb->list != NULL)
        libusb_free_device_list((libusb_device **)usb->list, 1);
    usb->list = NULL;
    usb->count = 0;
}

static void describe(libusb_device *device, struct tandem_usb_place *place)
{
    memset(place, 0, sizeof *place);
    place->bus = libusb_get_bus_number(device);
    place->address = libusb_get_device_address(device);
    int depth = libusb_get_port_numbers(device, place->ports, (int)sizeof place->ports);
    place->depth = (uint8_t)(depth > 0 ? depth : 0);
}

static enum tandem_status list(void *ctx, unsigned number, struct tandem_usb_place *place)
{
    struct tandem_libusb *usb = usb_of(ctx);
    libusb_device **devices = NULL;
    if (number == 0) {
        free_list(usb);
        long count = (long)libusb_get_device_list((libusb_context *)usb->context, &devices);
        if (count < 0)
            return failed(usb, "list", (int)count);
        usb->list = devices;
        usb->count = count;
    }
    if ((long)number >= usb->count)
        return TANDEM_ERROR_NOTHING;
    devices = (libusb_device **)usb->list;
    describe(devices[number], place);
    return TANDEM_OK;
}

static void close_device(void *ctx)
{
    struct tandem_libusb *usb = usb_of(ctx);
    if (usb->handle == NULL)
        return;
    if (usb->claimed >= 0)
        (void)libusb_release_interface((libusb_device_handle *)usb->handle, usb->claimed);
    libusb_close((libusb_device_handle *)usb->handle);
    usb->handle = NULL;
    usb->claimed = -1;
}

static enum tandem_status open_device(void *ctx, const struct tandem_usb_place *place)
{
    struct tandem_libusb *usb = usb_of(ctx);
    libusb_device **devices = (libusb_device **)usb->list;
    libusb_device_handle *handle = NULL;
    close_device(ctx);
    for (long i = 0; i < usb->count; i++) {
        if (libusb_get_bus_number(devices[i]) != place->bus || libusb_get_device_address(devices[i]) != place->address)
            continue;
        int code = libusb_open(devices[i], &handle);
        if (code != 0)
            return failed(usb, "open", code);
        usb->handle = handle;
        return TANDEM_OK;
    }
    return TANDEM_ERROR_DISCONNECTED;
}

static enum tandem_status claim(void *ctx, uint8_t interface, uint8_t alternate)
{
    struct tandem_libusb *usb = usb_of(ctx);
    libusb_device_handle *handle = (libusb_device_handle *)usb->handle;
    if (handle == NULL)
        return TANDEM_ERROR_DISCONNECTED;
    int code = libusb_claim_interface(handle, interface);
    if (code != 0)
        return failed(usb, "claim interface", code);
    usb->claimed = interface;
    code = libusb_set_interface_alt_setting(handle, interface, alternate);
    /* Devices with one setting may stall it. */
    return code == 0 || alternate == 0 ? TANDEM_OK : failed(usb, "choose alternate setting", code);
}

static enum tandem_status control(void *ctx, const struct tandem_usb_setup *setup, void *data, uint16_t *size)
{
    struct tandem_libusb *usb = usb_of(ctx);
    *size = 0;
    if (usb->handle == NULL)
        return TANDEM_ERROR_DISCONNECTED;
    int code = libusb_control_transfer((libusb_device_handle *)usb->handle, setup->type, setup->request, setup->value,
                                       setup->index, (unsigned char *)data, setup->length, TIMEOUT_MS);
    if (code < 0)
        return failed(usb, "control transfer", code);
    *size = (uint16_t)code;
    return TANDEM_OK;
}

static enum tandem_status reset(void *ctx)
{
    struct tandem_libusb *usb = usb_of(ctx);
    if (usb->handle == NULL)
        return TANDEM_ERROR_DISCONNECTED;
    int code = libusb_reset_device((libusb_device_handle *)usb->handle);
    return code == 0 ? TANDEM_OK : failed(usb, "reset", code);
}

enum tandem_status tandem_libusb_open(struct tandem_libusb *usb)
{
    libusb_context *context = NULL;
    memset(usb, 0, sizeof *usb);
    usb->claimed = -1;
    int code = libusb_init(&context);
    if (code != 0) {
        (void)failed(usb, "libusb", code);
        return TANDEM_ERROR_PORT;
    }
    usb->context = context;
    usb->port.ctx = usb;
    usb->port.list = list;
    usb->port.open = open_device;
    usb->port.claim = claim;
    usb->port.control = control;
    usb->port.reset = reset;
    usb->port.close = close_device;
    usb->port.transfer_max = TRANSFER_MAX;
    return TANDEM_OK;
}

void tandem_libusb_close(struct tandem_libusb *usb)
{
    close_device(usb);
    free_list(usb);
    libusb_exit((libusb_context *)usb->context);
}
