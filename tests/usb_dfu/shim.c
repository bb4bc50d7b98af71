/*
 * A libusb-1.0 whose bus is a simulated device behind a Unix socket: put
 * before the real one, it lets programs that were never told of it, dfu-util
 * above all, talk to that device. It has the functions that they call, and
 * answers as libusb on Linux does: a stall is LIBUSB_ERROR_PIPE, a device that
 * left LIBUSB_ERROR_NO_DEVICE, one that came out of a reset as another
 * LIBUSB_ERROR_NOT_FOUND.
 */
#define _GNU_SOURCE

#include <libusb-1.0/libusb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus.h"

struct libusb_device {
    int references;
    uint8_t address;
    struct libusb_device_descriptor descriptor;
};

struct libusb_device_handle {
    struct libusb_device *device;
};

static int bus = -1;

static int all(int writing, void *data, size_t size, int timeout_ms)
{
    uint8_t *at = data;
    while (size > 0) {
        struct pollfd wait = {bus, writing ? POLLOUT : POLLIN, 0};
        if (timeout_ms > 0 && poll(&wait, 1, timeout_ms) == 0)
            return -1;
        ssize_t part = writing ? write(bus, at, size) : read(bus, at, size);
        if (part <= 0) {
            fprintf(stderr, "the simulated bus is gone\n");
            exit(99);
        }
        at += part;
        size -= (size_t)part;
    }
    return 0;
}

/* One question to the bus. @return as libusb */
static int ask(uint8_t operation, uint8_t address, const uint8_t *setup, uint8_t *data, uint16_t size, uint16_t *got,
               int timeout_ms)
{
    uint8_t head[BUS_REQUEST] = {operation, address}, answer[BUS_ANSWER];
    if (setup != NULL)
        memcpy(head + 2, setup, 8);
    int in = setup != NULL && (setup[0] & 0x80);
    all(1, head, sizeof head, 0);
    if (setup != NULL && !in)
        all(1, data, size, 0);
    if (all(0, answer, sizeof answer, timeout_ms) != 0)
        exit(98); /* the bus answers at once, whatever the device does */
    uint16_t length = (uint16_t)(answer[1] | answer[2] << 8);
    uint8_t *room = malloc(length + 1u);
    if (room == NULL)
        exit(1);
    all(0, room, length, 0);
    if (in || setup == NULL)
        memcpy(data, room, length < size ? length : size);
    free(room);
    *got = setup != NULL && !in ? size : length;
    return (int8_t)answer[0];
}

static int connect_bus(void)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    const char *path = getenv(BUS_VARIABLE);
    if (bus >= 0)
        return 0;
    if (path == NULL || strlen(path) >= sizeof place.sun_path)
        return -1;
    strcpy(place.sun_path, path);
    bus = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(bus, (struct sockaddr *)&place, sizeof place);
}

int libusb_init(libusb_context **context)
{
    if (context != NULL)
        *context = NULL;
    return connect_bus() == 0 ? 0 : LIBUSB_ERROR_OTHER;
}

void libusb_exit(libusb_context *context)
{
    (void)context;
}

int libusb_set_option(libusb_context *context, enum libusb_option option, ...)
{
    (void)context;
    (void)option;
    return 0;
}

const struct libusb_version *libusb_get_version(void)
{
    static const struct libusb_version version = {1, 0, 26, 0, "", "simulated"};
    return &version;
}

const char *libusb_error_name(int code)
{
    switch (code) {
    case LIBUSB_ERROR_IO:
        return "LIBUSB_ERROR_IO";
    case LIBUSB_ERROR_NO_DEVICE:
        return "LIBUSB_ERROR_NO_DEVICE";
    case LIBUSB_ERROR_NOT_FOUND:
        return "LIBUSB_ERROR_NOT_FOUND";
    case LIBUSB_ERROR_TIMEOUT:
        return "LIBUSB_ERROR_TIMEOUT";
    case LIBUSB_ERROR_PIPE:
        return "LIBUSB_ERROR_PIPE";
    default:
        return code == 0 ? "LIBUSB_SUCCESS" : "LIBUSB_ERROR_OTHER";
    }
}

/* ---- devices ---- */

static int get_descriptor(const struct libusb_device *device, uint8_t type, uint8_t index, uint8_t *data, uint16_t size)
{
    uint8_t setup[8] = {0x80, 6, index, type, 0, 0, (uint8_t)size, (uint8_t)(size >> 8)};
    uint16_t got;
    int code = ask(BUS_CONTROL, device->address, setup, data, size, &got, 5000);
    return code == 0 ? got : code;
}

ssize_t libusb_get_device_list(libusb_context *context, libusb_device ***list)
{
    uint8_t address = 0;
    uint16_t got;
    (void)context;
    *list = calloc(2, sizeof **list);
    if (ask(BUS_LIST, 0, NULL, &address, 1, &got, 5000) != 0 || got == 0)
        return 0;
    struct libusb_device *device = calloc(1, sizeof *device);
    device->references = 1;
    device->address = address;
    /* On a little-endian machine the structure begins as the descriptor does. */
    if (get_descriptor(device, 1, 0, (uint8_t *)&device->descriptor, 18) != 18) {
        free(device);
        return 0;
    }
    (*list)[0] = device;
    return 1;
}

void libusb_free_device_list(libusb_device **list, int unref)
{
    for (size_t i = 0; list[i] != NULL && unref; i++)
        libusb_unref_device(list[i]);
    free(list);
}

libusb_device *libusb_ref_device(libusb_device *device)
{
    device->references++;
    return device;
}

void libusb_unref_device(libusb_device *device)
{
    if (--device->references == 0)
        free(device);
}

uint8_t libusb_get_bus_number(libusb_device *device)
{
    (void)device;
    return 1;
}

uint8_t libusb_get_device_address(libusb_device *device)
{
    return device->address;
}

int libusb_get_port_numbers(libusb_device *device, uint8_t *numbers, int size)
{
    (void)device;
    if (size < 2)
        return LIBUSB_ERROR_OVERFLOW;
    numbers[0] = 1;
    numbers[1] = 3;
    return 2;
}

int libusb_get_device_descriptor(libusb_device *device, struct libusb_device_descriptor *descriptor)
{
    *descriptor = device->descriptor;
    return 0;
}

/* What follows a descriptor and is not of USB itself belongs to it as "extra". */
static void add_extra(const unsigned char **extra, int *length, const uint8_t *bytes)
{
    unsigned char *grown = realloc((void *)(uintptr_t)*extra, (size_t)*length + bytes[0]);
    memcpy(grown + *length, bytes, bytes[0]);
    *extra = grown;
    *length += bytes[0];
}

int libusb_get_config_descriptor(libusb_device *device, uint8_t index, struct libusb_config_descriptor **config)
{
    uint8_t bytes[1024];
    int size = get_descriptor(device, 2, index, bytes, sizeof bytes);
    struct libusb_interface_descriptor *setting = NULL;
    if (size < 9)
        return size < 0 ? size : LIBUSB_ERROR_IO;
    struct libusb_config_descriptor *c = calloc(1, sizeof *c);
    memcpy(c, bytes, 9);
    c->wTotalLength = (uint16_t)(bytes[2] | bytes[3] << 8);
    c->bNumInterfaces = bytes[4];
    c->bConfigurationValue = bytes[5];
    struct libusb_interface *interfaces = calloc(c->bNumInterfaces, sizeof *interfaces);
    c->interface = interfaces;
    for (int at = bytes[0]; at + 1 < size && bytes[at] >= 2 && at + bytes[at] <= size; at += bytes[at]) {
        if (bytes[at + 1] == 4 && bytes[at + 2] < c->bNumInterfaces) {
            struct libusb_interface *interface = &interfaces[bytes[at + 2]];
            struct libusb_interface_descriptor *settings = (void *)(uintptr_t)interface->altsetting;
            settings = realloc(settings, (size_t)(interface->num_altsetting + 1) * sizeof *settings);
            interface->altsetting = settings;
            setting = &settings[interface->num_altsetting++];
            memset(setting, 0, sizeof *setting);
            memcpy(setting, bytes + at, 9);
        } else if (setting != NULL) {
            add_extra(&setting->extra, &setting->extra_length, bytes + at);
        } else {
            add_extra(&c->extra, &c->extra_length, bytes + at);
        }
    }
    *config = c;
    return 0;
}

void libusb_free_config_descriptor(struct libusb_config_descriptor *config)
{
    if (config == NULL)
        return;
    for (int i = 0; i < config->bNumInterfaces; i++) {
        for (int k = 0; k < config->interface[i].num_altsetting; k++)
            free((void *)(uintptr_t)config->interface[i].altsetting[k].extra);
        free((void *)(uintptr_t)config->interface[i].altsetting);
    }
    free((void *)(uintptr_t)config->interface);
    free((void *)(uintptr_t)config->extra);
    free(config);
}

/* ---- open devices ---- */

int libusb_open(libusb_device *device, libusb_device_handle **handle)
{
    *handle = calloc(1, sizeof **handle);
    (*handle)->device = libusb_ref_device(device);
    return 0;
}

void libusb_close(libusb_device_handle *handle)
{
    if (handle == NULL)
        return;
    libusb_unref_device(handle->device);
    free(handle);
}

libusb_device *libusb_get_device(libusb_device_handle *handle)
{
    return handle->device;
}

static int present(const libusb_device_handle *handle)
{
    uint8_t address;
    uint16_t got;
    return ask(BUS_LIST, 0, NULL, &address, 1, &got, 5000) == 0 && got == 1 && address == handle->device->address;
}

int libusb_claim_interface(libusb_device_handle *handle, int interface)
{
    (void)interface;
    return present(handle) ? 0 : LIBUSB_ERROR_NO_DEVICE;
}

int libusb_release_interface(libusb_device_handle *handle, int interface)
{
    (void)interface;
    return present(handle) ? 0 : LIBUSB_ERROR_NO_DEVICE;
}

int libusb_set_interface_alt_setting(libusb_device_handle *handle, int interface, int alternate)
{
    uint8_t setup[8] = {0x01, 11, (uint8_t)alternate, 0, (uint8_t)interface, 0, 0, 0};
    uint16_t got;
    int code = ask(BUS_CONTROL, handle->device->address, setup, NULL, 0, &got, 5000);
    return code == LIBUSB_ERROR_PIPE ? LIBUSB_ERROR_NOT_FOUND : code;
}

int libusb_reset_device(libusb_device_handle *handle)
{
    uint8_t none;
    uint16_t got;
    return ask(BUS_RESET, handle->device->address, NULL, &none, 0, &got, 5000);
}

int libusb_control_transfer(libusb_device_handle *handle, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                            unsigned char *data, uint16_t length, unsigned timeout)
{
    uint8_t setup[8] = {type,
                        request,
                        (uint8_t)value,
                        (uint8_t)(value >> 8),
                        (uint8_t)index,
                        (uint8_t)(index >> 8),
                        (uint8_t)length,
                        (uint8_t)(length >> 8)};
    uint16_t got;
    int code = ask(BUS_CONTROL, handle->device->address, setup, data, length, &got, (int)timeout);
    return code == 0 ? got : code;
}
