/*
 * USB DFU, device half: endpoint zero of a device that does nothing else on
 * USB. Chapter 9 of the Universal Serial Bus Specification, Revision 2.0, as
 * far as such a device goes.
 */
#include "tandem/usb_endpoint.h"

#include <string.h>

#include "core/bytes.h"
#include "usb_dfu_wire.h"

void tandem_usb_setup_load(struct tandem_usb_setup *setup, const uint8_t bytes[8])
{
    setup->type = bytes[0];
    setup->request = bytes[1];
    setup->value = tandem_load_le16(bytes + 2);
    setup->index = tandem_load_le16(bytes + 4);
    setup->length = tandem_load_le16(bytes + 6);
}

void tandem_usb_endpoint_init(struct tandem_usb_endpoint *endpoint, struct tandem_usb_dfu *dfu,
                              const struct tandem_usb_identity *identity)
{
    memset(endpoint, 0, sizeof *endpoint);
    endpoint->dfu = dfu;
    endpoint->identity = identity;
}

static enum tandem_usb_answer send(struct tandem_usb_endpoint *endpoint, const struct tandem_usb_setup *setup,
                                   uint16_t size, struct tandem_usb_data *data)
{
    data->bytes = endpoint->reply;
    data->size = setup->length < size ? setup->length : size;
    return TANDEM_USB_SEND;
}

static enum tandem_usb_answer standard(struct tandem_usb_endpoint *endpoint, const struct tandem_usb_setup *setup,
                                       struct tandem_usb_data *data)
{
    switch (setup->request) {
    case USB_SET_ADDRESS:
        return setup->type == 0 ? TANDEM_USB_DONE : TANDEM_USB_STALL;
    case USB_SET_CONFIGURATION:
        if (setup->type != 0 || setup->value > 1)
            return TANDEM_USB_STALL;
        endpoint->configuration = (uint8_t)setup->value;
        return TANDEM_USB_DONE;
    case USB_GET_CONFIGURATION:
        endpoint->reply[0] = endpoint->configuration;
        return setup->type == USB_IN ? send(endpoint, setup, 1, data) : TANDEM_USB_STALL;
    case USB_GET_STATUS:
        endpoint->reply[0] = 0;
        endpoint->reply[1] = 0;
        return setup->type & USB_IN ? send(endpoint, setup, 2, data) : TANDEM_USB_STALL;
    default:
        return TANDEM_USB_STALL;
    }
}

enum tandem_usb_answer tandem_usb_endpoint_setup(struct tandem_usb_endpoint *endpoint,
                                                 const struct tandem_usb_setup *setup, struct tandem_usb_data *data)
{
    enum tandem_usb_answer answer = tandem_usb_dfu_setup(endpoint->dfu, setup, data);
    if (answer != TANDEM_USB_OTHER)
        return answer;
    uint16_t size = tandem_usb_describe(endpoint->dfu, endpoint->identity, setup, endpoint->reply);
    if (size != 0)
        return send(endpoint, setup, size, data);
    return (setup->type & USB_TYPE_MASK) == USB_TYPE_STANDARD ? standard(endpoint, setup, data) : TANDEM_USB_STALL;
}

void tandem_usb_endpoint_reset(struct tandem_usb_endpoint *endpoint)
{
    endpoint->configuration = 0;
    tandem_usb_dfu_reset(endpoint->dfu);
}
