/*
 * USB DFU, device half: descriptors. Those of USB and DFU; Microsoft's OS
 * descriptors 1.0 and 2.0, which make Windows take its WinUSB driver without
 * being asked; WebUSB's, which let a browser offer a page.
 */
#include "tandem/usb_endpoint.h"

#include <string.h>

#include "core/bytes.h"
#include "core/flash.h"
#include "usb_dfu_wire.h"

#define STRING_MANUFACTURER 1u
#define STRING_PRODUCT 2u
#define STRING_SERIAL 3u
#define STRING_MICROSOFT 0xEEu
#define STRING_MAX 126u /* characters */

#define WINDOWS_COMPATIBLE 4u /* wIndex of Microsoft's and WebUSB's requests */
#define WINDOWS_PROPERTIES 5u
#define WINDOWS_SET 7u
#define WEB_URL 2u

/* Bytes being put one after the other. */
struct writer {
    uint8_t *at;
};

static void put8(struct writer *w, unsigned value)
{
    *w->at++ = (uint8_t)value;
}

static void put16(struct writer *w, unsigned value)
{
    put8(w, value);
    put8(w, value >> 8);
}

static void put32(struct writer *w, uint32_t value)
{
    put16(w, (uint16_t)value);
    put16(w, (uint16_t)(value >> 16));
}

static void put_bytes(struct writer *w, const void *bytes, size_t size)
{
    memcpy(w->at, bytes, size);
    w->at += size;
}

static void put_zeros(struct writer *w, size_t size)
{
    memset(w->at, 0, size);
    w->at += size;
}

/* ASCII as UTF-16, `zeros` characters of end after it. */
static void put_wide(struct writer *w, const char *text, unsigned zeros)
{
    while (*text != '\0')
        put16(w, (uint8_t)*text++);
    put_zeros(w, (size_t)zeros * 2);
}

static int in_dfu(const struct tandem_usb_dfu *dfu)
{
    return dfu->mode == TANDEM_USB_DFU;
}

static uint16_t version(const struct tandem_usb_dfu *dfu)
{
    return dfu->config->version != 0 ? dfu->config->version : TANDEM_USB_DFU_1_1;
}

static int has_windows(const struct tandem_usb_identity *identity)
{
    return identity->guid != NULL;
}

static int has_web(const struct tandem_usb_identity *identity)
{
    return identity->url != NULL;
}

/* ---- USB and DFU ---- */

static void put_interface(struct writer *w, const struct tandem_usb_dfu *dfu, uint8_t alternate, uint8_t string)
{
    unsigned protocol = in_dfu(dfu) ? DFU_PROTOCOL_DFU : DFU_PROTOCOL_RUNTIME;
    put8(w, 9);
    put8(w, USB_INTERFACE);
    put8(w, in_dfu(dfu) ? 0 : dfu->config->interface);
    put8(w, alternate);
    put8(w, 0); /* endpoints */
    put8(w, DFU_CLASS);
    put8(w, DFU_SUBCLASS);
    put8(w, version(dfu) == TANDEM_USB_DFU_1_0 ? 0 : protocol);
    put8(w, string);
}

static void put_functional(struct writer *w, const struct tandem_usb_dfu *dfu)
{
    const struct tandem_usb_dfu_config *config = dfu->config;
    int old = version(dfu) == TANDEM_USB_DFU_1_0;
    unsigned attributes = config->attributes != 0 ? config->attributes : TANDEM_USB_DFU_DEFAULT;
    if (old)
        attributes &= ~TANDEM_USB_DFU_WILL_DETACH;
    put8(w, old ? DFU_FUNCTIONAL_SIZE_1_0 : DFU_FUNCTIONAL_SIZE);
    put8(w, USB_DFU_FUNCTIONAL);
    put8(w, attributes);
    put16(w, config->detach_ms != 0 ? config->detach_ms : 1000);
    put16(w, config->buffer_size);
    if (!old)
        put16(w, version(dfu));
}

uint16_t tandem_usb_dfu_interface(const struct tandem_usb_dfu *dfu, uint8_t string,
                                  uint8_t out[TANDEM_USB_INTERFACE_SIZE])
{
    struct writer w = {out};
    put_interface(&w, dfu, 0, string);
    put_functional(&w, dfu);
    return (uint16_t)(w.at - out);
}

static void put_device(struct writer *w, const struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity)
{
    int old = in_dfu(dfu) && version(dfu) == TANDEM_USB_DFU_1_0;
    put8(w, 18);
    put8(w, USB_DEVICE);
    put16(w, has_windows(identity) || has_web(identity) ? 0x0210 : 0x0200); /* 2.1: it has a BOS */
    put8(w, old ? DFU_CLASS : 0);
    put8(w, old ? DFU_SUBCLASS : 0);
    put8(w, 0);
    put8(w, identity->packet_max != 0 ? identity->packet_max : 64);
    put16(w, identity->vendor);
    put16(w, in_dfu(dfu) ? identity->dfu_product : identity->product);
    put16(w, identity->release);
    put8(w, identity->manufacturer != NULL ? STRING_MANUFACTURER : 0);
    put8(w, identity->name != NULL ? STRING_PRODUCT : 0);
    put8(w, identity->serial != NULL ? STRING_SERIAL : 0);
    put8(w, 1);
}

static void put_configuration(struct writer *w, const struct tandem_usb_dfu *dfu,
                              const struct tandem_usb_identity *identity)
{
    uint8_t *start = w->at, count = in_dfu(dfu) ? dfu->config->alternate_count : 1;
    put8(w, 9);
    put8(w, USB_CONFIGURATION);
    put16(w, 0);
    put8(w, 1); /* interfaces */
    put8(w, 1); /* its value */
    put8(w, 0);
    put8(w, 0x80);
    put8(w, identity->power != 0 ? identity->power : 50);
    for (uint8_t i = 0; i < count; i++)
        put_interface(w, dfu, i, (uint8_t)(DFU_STRING_ALTERNATE + i));
    put_functional(w, dfu);
    tandem_store_le16(start + 2, (uint16_t)(w->at - start));
}

/* ---- strings ---- */

static char *put_number(char *at, uint32_t value, uint32_t base)
{
    uint32_t scale = 1;
    while (value / scale >= base)
        scale *= base;
    for (; scale != 0; scale /= base)
        *at++ = "0123456789ABCDEF"[value / scale % base];
    return at;
}

/* Sectors of one size: as "4*16Kg". */
static char *put_segment(char *at, uint32_t count, uint32_t size, char type)
{
    char multiplier = 'B';
    if (size % 1024 == 0) {
        multiplier = 'K';
        size /= 1024;
    }
    at = put_number(at, count, 10);
    *at++ = '*';
    at = put_number(at, size, 10);
    *at++ = multiplier;
    *at++ = type;
    return at;
}

/* DfuSe: the memory behind an alternate setting, as "@Name /0x08000000/4*16Kg,1*64Kg". Sectors that find no room in
 * the string are not told, and so never used. */
static void describe_memory(const struct tandem_usb_dfu_alternate *alternate, char text[STRING_MAX + 1])
{
    const struct tandem_area *area = &alternate->area;
    char type = alternate->content != TANDEM_USB_DFU_FIRMWARE ? 'a' : alternate->readable ? 'g' : 'f';
    char *at = text, separator = '/';
    *at++ = '@';
    for (const char *name = alternate->name; *name != '\0' && at - text < 40; name++)
        *at++ = *name;
    memcpy(at, " /0x", 4);
    at += 4;
    for (unsigned i = 0; i < 8; i++)
        *at++ = "0123456789ABCDEF"[alternate->address >> (28 - 4 * i) & 15];
    for (uint32_t done = 0; done < area->size && text + STRING_MAX - at > 24;) {
        struct tandem_sector first, sector;
        uint32_t count = 0;
        if (!tandem_flash_sector(area->flash, area->address + done, &first))
            break;
        do {
            count++;
            done += first.size;
        } while (done < area->size && tandem_flash_sector(area->flash, area->address + done, &sector) &&
                 sector.size == first.size);
        *at++ = separator;
        separator = ',';
        at = put_segment(at, count, first.size, type);
    }
    *at = '\0';
}

/* The text of a string, in `room` if it has to be made. */
static const char *text_of(const struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity, uint8_t index,
                           char room[STRING_MAX + 1])
{
    const struct tandem_usb_dfu_config *config = dfu->config;
    unsigned alternate = index - DFU_STRING_ALTERNATE;
    switch (index) {
    case STRING_MANUFACTURER:
        return identity->manufacturer;
    case STRING_PRODUCT:
        return identity->name;
    case STRING_SERIAL:
        return identity->serial;
    case DFU_STRING_STATUS:
        return config->text != NULL && dfu->reason != TANDEM_OK ? config->text((enum tandem_status)dfu->reason) : NULL;
    default:
        break;
    }
    if (index < DFU_STRING_ALTERNATE || alternate >= config->alternate_count)
        return NULL;
    if (!in_dfu(dfu) || version(dfu) != TANDEM_USB_DFUSE)
        return config->alternates[alternate].name;
    describe_memory(&config->alternates[alternate], room);
    return room;
}

static uint16_t put_string(const struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity, uint8_t index,
                           uint8_t *out)
{
    static const uint8_t languages[] = {4, USB_STRING, 0x09, 0x04}; /* English (United States) */
    static const char microsoft[] = "MSFT100";
    char room[STRING_MAX + 1];
    struct writer w = {out};
    if (index == 0) {
        memcpy(out, languages, sizeof languages);
        return sizeof languages;
    }
    put8(&w, 0);
    put8(&w, USB_STRING);
    if (index == STRING_MICROSOFT && has_windows(identity)) {
        put_wide(&w, microsoft, 0);
        put16(&w, identity->vendor_code);
    } else {
        const char *text = text_of(dfu, identity, index, room);
        if (text == NULL)
            return 0;
        for (unsigned i = 0; text[i] != '\0' && i < STRING_MAX; i++)
            put16(&w, (uint8_t)text[i]);
    }
    out[0] = (uint8_t)(w.at - out);
    return out[0];
}

/* ---- Windows and WebUSB ---- */

#define WINDOWS_VERSION 0x06030000u /* 8.1, the first that knows OS 2.0 descriptors */
#define WINDOWS_PROPERTY 132u       /* bytes of the property that names the GUID, in both */
#define WINDOWS_COMPATIBLE_ID 20u

static uint8_t interface_of(const struct tandem_usb_dfu *dfu)
{
    return in_dfu(dfu) ? 0 : dfu->config->interface;
}

static int is_composite(const struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity)
{
    return !in_dfu(dfu) && identity->composite;
}

static uint16_t set_size(const struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity)
{
    return (uint16_t)(10 + WINDOWS_COMPATIBLE_ID + WINDOWS_PROPERTY + (is_composite(dfu, identity) ? 16 : 0));
}

/* Microsoft OS 2.0 descriptor set. */
static void put_windows_set(struct writer *w, const struct tandem_usb_dfu *dfu,
                            const struct tandem_usb_identity *identity)
{
    uint16_t size = set_size(dfu, identity);
    put16(w, 10);
    put16(w, 0);
    put32(w, WINDOWS_VERSION);
    put16(w, size);
    if (is_composite(dfu, identity)) { /* on a device of one function Windows ignores what is in a subset */
        put16(w, 8);
        put16(w, 1); /* configuration subset */
        put16(w, 0);
        put16(w, size - 10u);
        put16(w, 8);
        put16(w, 2); /* function subset */
        put16(w, interface_of(dfu));
        put16(w, size - 18u);
    }
    put16(w, WINDOWS_COMPATIBLE_ID);
    put16(w, 3);
    put_bytes(w, "WINUSB\0\0\0\0\0\0\0\0\0", 16);
    put16(w, WINDOWS_PROPERTY);
    put16(w, 4);
    put16(w, 7); /* REG_MULTI_SZ */
    put16(w, 42);
    put_wide(w, "DeviceInterfaceGUIDs", 1);
    put16(w, 80);
    put_wide(w, identity->guid, 2);
}

/* Microsoft OS 1.0: the driver to take. */
static void put_windows_compatible(struct writer *w, const struct tandem_usb_dfu *dfu)
{
    put32(w, 40);
    put16(w, 0x0100);
    put16(w, WINDOWS_COMPATIBLE);
    put8(w, 1);
    put_zeros(w, 7);
    put8(w, interface_of(dfu));
    put8(w, 1);
    put_bytes(w, "WINUSB\0\0\0\0\0\0\0\0\0", 16);
    put_zeros(w, 6);
}

/* Microsoft OS 1.0: the name under which programs find it. */
static void put_windows_properties(struct writer *w, const struct tandem_usb_identity *identity)
{
    put32(w, 10 + WINDOWS_PROPERTY);
    put16(w, 0x0100);
    put16(w, WINDOWS_PROPERTIES);
    put16(w, 1);
    put32(w, WINDOWS_PROPERTY);
    put32(w, 1); /* REG_SZ */
    put16(w, 40);
    put_wide(w, "DeviceInterfaceGUID", 1);
    put32(w, 78);
    put_wide(w, identity->guid, 1);
}

static uint16_t put_bos(const struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity, uint8_t *out)
{
    static const uint8_t windows[] = {0xDF, 0x60, 0xDD, 0xD8, 0x89, 0x45, 0xC7, 0x4C,
                                      0x9C, 0xD2, 0x65, 0x9D, 0x9E, 0x64, 0x8A, 0x9F};
    static const uint8_t web[] = {0x38, 0xB6, 0x08, 0x34, 0xA9, 0x09, 0xA0, 0x47,
                                  0x8B, 0xFD, 0xA0, 0x76, 0x88, 0x15, 0xB6, 0x65};
    struct writer w = {out};
    if (!has_windows(identity) && !has_web(identity))
        return 0;
    put8(&w, 5);
    put8(&w, USB_BOS);
    put16(&w, 0);
    put8(&w, (unsigned)has_windows(identity) + (unsigned)has_web(identity));
    if (has_windows(identity)) {
        put8(&w, 28);
        put8(&w, USB_CAPABILITY);
        put16(&w, 5); /* of the platform */
        put_bytes(&w, windows, sizeof windows);
        put32(&w, WINDOWS_VERSION);
        put16(&w, set_size(dfu, identity));
        put8(&w, identity->vendor_code);
        put8(&w, 0);
    }
    if (has_web(identity)) {
        put8(&w, 24);
        put8(&w, USB_CAPABILITY);
        put16(&w, 5);
        put_bytes(&w, web, sizeof web);
        put16(&w, 0x0100);
        put8(&w, identity->vendor_code);
        put8(&w, 1); /* the number of its page */
    }
    tandem_store_le16(out + 2, (uint16_t)(w.at - out));
    return (uint16_t)(w.at - out);
}

static void put_url(struct writer *w, const char *url)
{
    size_t length = 0;
    while (url[length] != '\0' && length < STRING_MAX)
        length++;
    put8(w, 3 + (unsigned)length);
    put8(w, 3);
    put8(w, 1); /* https:// */
    put_bytes(w, url, length);
}

static uint16_t describe_vendor(const struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity,
                                const struct tandem_usb_setup *setup, uint8_t *out)
{
    struct writer w = {out};
    if (setup->request != identity->vendor_code)
        return 0;
    if (setup->index == WINDOWS_SET && has_windows(identity))
        put_windows_set(&w, dfu, identity);
    else if (setup->index == WINDOWS_COMPATIBLE && has_windows(identity))
        put_windows_compatible(&w, dfu);
    else if (setup->index == WINDOWS_PROPERTIES && has_windows(identity))
        put_windows_properties(&w, identity);
    else if (setup->index == WEB_URL && setup->value == 1 && has_web(identity))
        put_url(&w, identity->url);
    return (uint16_t)(w.at - out);
}

uint16_t tandem_usb_describe(const struct tandem_usb_dfu *dfu, const struct tandem_usb_identity *identity,
                             const struct tandem_usb_setup *setup, uint8_t out[TANDEM_USB_DESCRIPTOR_MAX])
{
    struct writer w = {out};
    if (!(setup->type & USB_IN))
        return 0;
    if ((setup->type & USB_TYPE_MASK) == USB_TYPE_VENDOR)
        return describe_vendor(dfu, identity, setup, out);
    if ((setup->type & USB_TYPE_MASK) != USB_TYPE_STANDARD || setup->request != USB_GET_DESCRIPTOR)
        return 0;
    switch (setup->value >> 8) {
    case USB_DEVICE:
        put_device(&w, dfu, identity);
        break;
    case USB_CONFIGURATION:
        if ((setup->value & 0xFF) == 0)
            put_configuration(&w, dfu, identity);
        break;
    case USB_STRING:
        return put_string(dfu, identity, (uint8_t)setup->value, out);
    case USB_BOS:
        return put_bos(dfu, identity, out);
    case USB_DFU_FUNCTIONAL:
        put_functional(&w, dfu);
        break;
    default:
        break;
    }
    return (uint16_t)(w.at - out);
}
