/*
 * USB DFU, host half: which devices are on the bus, and what their
 * descriptors say. Descriptors are a stranger's: every length is checked.
 */
#include "usb_dfu_host.h"

#include <string.h>

#include "core/bytes.h"
#include "usb_dfu_wire.h"

enum step {
    FIND_LIST,
    FIND_OPEN,
    FIND_DEVICE,
    FIND_CONFIG_HEAD,
    FIND_CONFIG,
    FIND_MODE,
    FIND_SERIAL,
    FIND_MATCH,
    FIND_NAMES,
    FIND_CLAIM,
};

#define TRANSFER_SIZE_UNTOLD 64u /* for devices that tell none */

enum tandem_status tandem_usb_dfu_transfer(struct tandem_usb_dfu_host *host, uint8_t type, uint8_t request,
                                           uint16_t value, uint16_t index, void *data, uint16_t size, uint16_t *got)
{
    const struct tandem_usb_port *port = host->config->port;
    struct tandem_usb_setup setup = {type, request, value, index, size};
    uint16_t count = size;
    enum tandem_status status = port->control(port->ctx, &setup, data, &count);
    if (got != NULL)
        *got = count < size ? count : size;
    return status;
}

static enum tandem_status descriptor(struct tandem_usb_dfu_host *host, uint8_t type, uint8_t number, uint16_t language,
                                     uint16_t size, uint16_t *got)
{
    return tandem_usb_dfu_transfer(host, USB_IN, USB_GET_DESCRIPTOR, (uint16_t)(type << 8 | number), language,
                                   host->scratch, size, got);
}

enum tandem_status tandem_usb_dfu_string(struct tandem_usb_dfu_host *host, uint8_t index, char *text)
{
    uint16_t size = 0;
    enum tandem_status status = TANDEM_OK;
    text[0] = '\0';
    if (index == 0)
        return TANDEM_OK;
    status = descriptor(host, USB_STRING, index, 0x0409, 255, &size);
    if (status != TANDEM_OK)
        return status == TANDEM_ERROR_PROTOCOL ? TANDEM_OK : status;
    if (size < 2 || host->scratch[1] != USB_STRING)
        return TANDEM_OK;
    if (size > host->scratch[0])
        size = host->scratch[0];
    unsigned length = 0;
    for (unsigned at = 2; at + 1 < size && length < TANDEM_USB_DFU_HOST_TEXT - 1; at += 2) {
        uint16_t c = tandem_load_le16(host->scratch + at);
        text[length++] = c >= 0x20 && c < 0x7F ? (char)c : '?';
    }
    text[length] = '\0';
    return TANDEM_OK;
}

static int same_text(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* ---- descriptors ---- */

static void take_functional(struct tandem_usb_dfu_found *found, const uint8_t *bytes)
{
    found->attributes = bytes[2];
    found->detach_ms = tandem_load_le16(bytes + 3);
    found->transfer_size = tandem_load_le16(bytes + 5);
    found->version = 0x0100;
    if (bytes[0] >= DFU_FUNCTIONAL_SIZE)
        found->version = tandem_load_le16(bytes + 7);
}

/* Find the DFU interface in a configuration; its functional descriptor may be anywhere. @return 1: there is one */
static int take_configuration(struct tandem_usb_dfu_host *host, const uint8_t *bytes, uint16_t size)
{
    struct tandem_usb_dfu_found *found = &host->found;
    int has_functional = 0;
    found->alternates = 0;
    found->attributes = 0;
    found->version = 0x0100;
    found->transfer_size = 0;
    for (uint16_t at = 0; at + 2 <= size && bytes[at] >= 2 && bytes[at] <= size - at; at = (uint16_t)(at + bytes[at])) {
        const uint8_t *one = bytes + at;
        if (one[1] == USB_INTERFACE && one[0] >= 9 && one[5] == DFU_CLASS && one[6] == DFU_SUBCLASS &&
            (found->alternates == 0 || one[2] == found->interface) &&
            found->alternates < TANDEM_USB_DFU_HOST_ALTERNATES) {
            found->interface = one[2];
            host->protocol = one[7];
            found->strings[found->alternates++] = one[8];
        } else if (one[1] == USB_DFU_FUNCTIONAL && one[0] >= DFU_FUNCTIONAL_SIZE_1_0 && !has_functional) {
            has_functional = 1;
            take_functional(found, one);
        }
    }
    if (found->transfer_size == 0)
        found->transfer_size = TRANSFER_SIZE_UNTOLD;
    return found->alternates != 0;
}

static void take_device(struct tandem_usb_dfu_host *host, const uint8_t *bytes)
{
    struct tandem_usb_dfu_found *found = &host->found;
    found->packet_max = bytes[7];
    found->vendor = tandem_load_le16(bytes + 8);
    found->product = tandem_load_le16(bytes + 10);
    found->release = tandem_load_le16(bytes + 12);
    host->serial_index = bytes[16];
    host->configurations = bytes[17];
    host->configuration = 0;
}

/* ---- is it the one? ---- */

static int same_place(const struct tandem_usb_place *a, const struct tandem_usb_place *b)
{
    return a->depth != 0 && a->depth <= sizeof a->ports && a->bus == b->bus && a->depth == b->depth &&
           memcmp(a->ports, b->ports, a->depth) == 0;
}

static int suits(const struct tandem_usb_dfu_host *host)
{
    const struct tandem_usb_dfu_host_config *config = host->config;
    const struct tandem_usb_dfu_found *found = &host->found;
    uint16_t vendor = config->vendor, product = config->product;
    if (host->placed && same_place(&found->place, &host->last_place))
        return 1; /* in another mode it may have other numbers */
    if (found->dfu) {
        vendor = config->dfu_vendor != 0 ? config->dfu_vendor : config->vendor;
        product = config->dfu_product;
    }
    return (vendor == 0 || vendor == found->vendor) && (product == 0 || product == found->product) &&
           (config->serial == NULL || same_text(config->serial, found->serial));
}

/* ---- steps ---- */

static enum tandem_status go(struct tandem_usb_dfu_host *host, enum step step)
{
    host->step = (uint8_t)step;
    return TANDEM_OK;
}

static enum tandem_status another(struct tandem_usb_dfu_host *host)
{
    host->number++;
    return go(host, FIND_LIST);
}

/* A device that does not answer is none. */
static enum tandem_status unless_again(struct tandem_usb_dfu_host *host, enum tandem_status status)
{
    return status == TANDEM_AGAIN ? TANDEM_AGAIN : another(host);
}

static enum tandem_status do_step(struct tandem_usb_dfu_host *host)
{
    const struct tandem_usb_port *port = host->config->port;
    struct tandem_usb_dfu_found *found = &host->found;
    enum tandem_status status;
    uint16_t got = 0;
    switch ((enum step)host->step) {
    case FIND_LIST:
        status = port->list(port->ctx, host->number, &found->place);
        return status == TANDEM_OK ? go(host, FIND_OPEN) : status;
    case FIND_OPEN:
        status = port->open(port->ctx, &found->place);
        return status == TANDEM_OK ? go(host, FIND_DEVICE) : unless_again(host, status);
    case FIND_DEVICE:
        status = descriptor(host, USB_DEVICE, 0, 0, 18, &got);
        if (status != TANDEM_OK || got < 18)
            return unless_again(host, status);
        take_device(host, host->scratch);
        return go(host, FIND_CONFIG_HEAD);
    case FIND_CONFIG_HEAD:
        if (host->configuration >= host->configurations)
            return another(host);
        status = descriptor(host, USB_CONFIGURATION, host->configuration, 0, 9, &got);
        if (status != TANDEM_OK || got < 9)
            return unless_again(host, status);
        host->config_size = tandem_load_le16(host->scratch + 2);
        if (host->config_size > sizeof host->scratch)
            host->config_size = sizeof host->scratch;
        return go(host, FIND_CONFIG);
    case FIND_CONFIG:
        status = descriptor(host, USB_CONFIGURATION, host->configuration, 0, host->config_size, &got);
        if (status != TANDEM_OK)
            return unless_again(host, status);
        if (take_configuration(host, host->scratch, got))
            return go(host, FIND_MODE);
        host->configuration++;
        return go(host, FIND_CONFIG_HEAD);
    case FIND_MODE:
        found->dfu = host->protocol == DFU_PROTOCOL_DFU || found->version == 0x011A;
        if (host->protocol == 0 && found->version != 0x011A) { /* DFU 1.0: only the state tells */
            status = tandem_usb_dfu_transfer(host, 0xA1, DFU_GETSTATE, 0, found->interface, host->scratch, 1, &got);
            if (status == TANDEM_AGAIN)
                return TANDEM_AGAIN;
            found->dfu = status == TANDEM_OK && got == 1 && host->scratch[0] >= DFU_IDLE;
        }
        if (host->protocol == DFU_PROTOCOL_RUNTIME)
            found->dfu = 0;
        return go(host, FIND_SERIAL);
    case FIND_SERIAL:
        status = tandem_usb_dfu_string(host, host->serial_index, found->serial);
        if (status != TANDEM_OK)
            return unless_again(host, status);
        return go(host, FIND_MATCH);
    case FIND_MATCH:
        host->look = 0;
        return suits(host) ? go(host, FIND_NAMES) : another(host);
    default:
        return TANDEM_ERROR_STATE;
    }
}

/* Whether an alternate setting has that name; DfuSe's begin with @, and the memory follows. */
static int has_name(const char *text, const char *name)
{
    if (same_text(text, name))
        return 1;
    if (*text++ != '@')
        return 0;
    while (*name != '\0' && *text == *name) {
        text++;
        name++;
    }
    while (*text == ' ')
        text++;
    return *name == '\0' && *text == '/';
}

/* In DFU mode: the alternate setting that is wanted, and its name, which tells a DfuSe host about the memory. */
static enum tandem_status choose(struct tandem_usb_dfu_host *host)
{
    const struct tandem_usb_dfu_host_config *config = host->config;
    const struct tandem_usb_dfu_found *found = &host->found;
    enum tandem_status status;
    host->layout[0] = '\0';
    if (!found->dfu)
        return TANDEM_OK;
    if (config->alternate_name == NULL)
        host->look = config->alternate;
    for (; host->look < found->alternates; host->look++) {
        status = tandem_usb_dfu_string(host, found->strings[host->look], host->layout);
        if (status != TANDEM_OK || config->alternate_name == NULL || has_name(host->layout, config->alternate_name))
            return status;
    }
    return TANDEM_ERROR_NOTHING;
}

enum tandem_status tandem_usb_dfu_find(struct tandem_usb_dfu_host *host, int any)
{
    const struct tandem_usb_port *port = host->config->port;
    enum step last = any ? FIND_MATCH : FIND_NAMES;
    enum tandem_status status = TANDEM_OK;
    while (host->step < last && status == TANDEM_OK)
        status = do_step(host);
    if (status != TANDEM_OK || any)
        return status;
    if (host->step == FIND_NAMES) {
        status = choose(host);
        if (status != TANDEM_OK)
            return status;
        host->step = FIND_CLAIM;
    }
    status = port->claim(port->ctx, host->found.interface, host->found.dfu ? host->look : 0);
    if (status == TANDEM_OK) {
        host->last_place = host->found.place;
        host->placed = 1;
    }
    return status;
}

enum tandem_status tandem_usb_dfu_host_next(struct tandem_usb_dfu_host *host)
{
    if (host->step == FIND_MATCH) {
        host->number++;
        host->step = FIND_LIST;
    }
    return tandem_usb_dfu_find(host, 1);
}

enum tandem_status tandem_usb_dfu_host_name(struct tandem_usb_dfu_host *host, uint8_t alternate, char *text)
{
    text[0] = '\0';
    return alternate < host->found.alternates ? tandem_usb_dfu_string(host, host->found.strings[alternate], text)
                                              : TANDEM_OK;
}
