/*
 * Realtek's DFU, device half: the bytes of an image on their way. Decrypted,
 * told apart, and handed to the bare door or to the installer: nothing here
 * writes flash.
 */
#include "realtek_device.h"

#include <string.h>

/* ---- bytes on their way ---- */

/* Offset in the package of the byte that comes next. */
static uint32_t package_at(const struct tandem_realtek_device *device)
{
    return device->fed - device->layout_header;
}

/* Behind its head a package waits until the images that it does not bring are copied: that needs the window. */
static int must_wait(const struct tandem_realtek_device *device)
{
    const struct tandem_install *install = device->bare->install;

    return device->fed >= device->head_end &&
           (install->closed || install->base < device->head_end - device->layout_header);
}

uint32_t tandem_realtek_device_room(const struct tandem_realtek_device *device)
{
    uint32_t limit, from, end = device->total;

    if (tandem_install_state(device->bare->install) != TANDEM_STATE_RECEIVING)
        return UINT32_MAX;
    if (realtek_stored(device)) {
        limit = tandem_bare_limit(device->bare);
        from = tandem_bare_wants(device->bare);
        end -= realtek_skipped(device);
    } else if (device->sink == SINK_PACKAGE) {
        if (must_wait(device))
            return 0;
        limit = tandem_install_limit(device->bare->install);
        from = package_at(device);
        end -= device->layout_header;
    } else {
        return UINT32_MAX;
    }
    if (limit == end)
        return UINT32_MAX; /* the window reaches to the end */
    return limit > from ? limit - from : 0;
}

/* Data cannot be held back, so what is in their way is worked off, within bounds. */
static int make_room(struct tandem_realtek_device *device, uint32_t size)
{
    unsigned steps = TANDEM_REALTEK_STEPS;

    while (steps-- > 0 && tandem_realtek_device_room(device) < size)
        (void)tandem_bare_poll(device->bare);
    return tandem_realtek_device_room(device) >= size;
}

/* The image may not come in. */
void tandem_realtek_refuse(struct tandem_realtek_device *device, uint8_t code)
{
    device->sink = SINK_REFUSED;
    device->fault = code;
}

enum tandem_status tandem_realtek_open_bare(struct tandem_realtek_device *device, uint8_t payload)
{
    struct tandem_bare_image image = {0};

    image.kind = device->image->kind;
    image.variant = TANDEM_VARIANT_ANY;
    image.payload = payload;
    image.size = device->total - (payload == TANDEM_PAYLOAD_MCUBOOT ? device->layout_header : 0);
    return tandem_bare_begin(device->bare, &image);
}

static enum tandem_status begin_package(struct tandem_realtek_device *device)
{
    struct tandem_package_header header;
    enum tandem_status status;

    if (device->sink == SINK_HEAD_BARE)
        (void)tandem_bare_abort(device->bare);
    status = tandem_install_begin(device->bare->install, NULL, device->total - device->layout_header, 0);
    if (status == TANDEM_OK)
        status = tandem_package_header(&header, device->magic);
    if (status != TANDEM_OK)
        return status;
    device->head_end = device->layout_header + header.head_size;
    device->sink = SINK_PACKAGE;
    return tandem_install_feed(device->bare->install, 0, device->magic, device->magic_fill);
}

static enum tandem_status begin_mcuboot(struct tandem_realtek_device *device)
{
    enum tandem_status status = tandem_realtek_open_bare(device, TANDEM_PAYLOAD_MCUBOOT);

    if (status != TANDEM_OK)
        return status;
    device->sink = SINK_MCUBOOT;
    if (device->buffer_size != 0) /* what came of the chunk in hand is not checked yet */
        (void)tandem_bare_hold(device->bare,
                               device->chunk > device->layout_header ? device->chunk - device->layout_header : 0);
    return tandem_bare_feed(device->bare, 0, device->magic, device->magic_fill);
}

void tandem_realtek_decide(struct tandem_realtek_device *device)
{
    enum tandem_payload payload = TANDEM_PAYLOAD_BARE;
    enum tandem_status status = TANDEM_OK;

    if (device->magic_fill == sizeof device->magic)
        payload = tandem_payload_recognise(device->magic, device->magic_fill);
    if (payload == TANDEM_PAYLOAD_PACKAGE)
        status = begin_package(device);
    else if (payload == TANDEM_PAYLOAD_MCUBOOT)
        status = begin_mcuboot(device);
    else if (device->sink == SINK_HEAD_BARE)
        device->sink = SINK_BARE;
    else /* the door says why not, and notes it */
        status = tandem_realtek_open_bare(device, TANDEM_PAYLOAD_BARE);
    if (status != TANDEM_OK)
        tandem_realtek_refuse(device, tandem_realtek_code(status));
}

/* Bytes of a package that come once: what the installer has to do before it takes them is done here, within bounds. */
static void pass_on(struct tandem_realtek_device *device, const uint8_t *data, uint32_t size)
{
    uint32_t begin = package_at(device), at = begin;
    unsigned steps = TANDEM_REALTEK_COPY_STEPS;
    enum tandem_status status;

    do {
        status = tandem_install_pass(device->bare->install, &at, data + (at - begin), size - (at - begin));
        if (status == TANDEM_AGAIN)
            (void)tandem_bare_poll(device->bare);
    } while (status == TANDEM_AGAIN && --steps > 0);
    if (status == TANDEM_AGAIN)
        device->error = REALTEK_LENGTH;
    else if (status != TANDEM_OK)
        tandem_realtek_refuse(device, tandem_realtek_code(status));
}

/* Hand bytes on, decrypted, that lie on one side of the decision. In checked chunks a package may miss some: it then
 * wants them again. */
static void deliver_part(struct tandem_realtek_device *device, const uint8_t *data, uint32_t size)
{
    struct tandem_install *install = device->bare->install;
    enum tandem_state state = tandem_install_state(install);

    if (realtek_stored(device)) {
        if (state == TANDEM_STATE_FAILED)
            tandem_realtek_refuse(device, tandem_realtek_installer_code(device));
        else if (!make_room(device, size))
            device->error = REALTEK_LENGTH;
        else
            (void)tandem_bare_feed(device->bare, device->fed - realtek_skipped(device), data, size);
    } else if (device->sink == SINK_PACKAGE && device->buffer_size == 0) {
        pass_on(device, data, size);
    } else if (device->sink == SINK_PACKAGE) {
        if (state == TANDEM_STATE_RECEIVING && make_room(device, size))
            (void)tandem_install_feed(install, package_at(device), data, size);
    }
    device->fed += size;
}

/* Bytes up to where something changes: the image's header ends, what tells the payload, a package's head. */
static uint32_t part_of(const struct tandem_realtek_device *device, uint32_t size)
{
    const uint32_t edges[3] = {device->layout_header, device->layout_header + (uint32_t)sizeof device->magic,
                               device->sink == SINK_PACKAGE ? device->head_end : 0};

    for (unsigned i = 0; i < 3; i++)
        if (device->fed < edges[i] && size > edges[i] - device->fed)
            size = edges[i] - device->fed;
    return size;
}

static void deliver(struct tandem_realtek_device *device, const uint8_t *data, uint32_t size)
{
    while (size > 0) {
        uint32_t part = part_of(device, size);

        if (device->fed >= device->layout_header && device->sink <= SINK_HEAD_BARE) {
            memcpy(device->magic + device->magic_fill, data, part);
            device->magic_fill = (uint8_t)(device->magic_fill + part);
        }
        deliver_part(device, data, part);
        data += part;
        size -= part;
        if (device->magic_fill == sizeof device->magic && device->sink <= SINK_HEAD_BARE)
            tandem_realtek_decide(device);
    }
}

/* A remainder shorter than a block was sent plain. */
void tandem_realtek_deliver_rest(struct tandem_realtek_device *device)
{
    uint8_t size = device->carry_fill;

    device->carry_fill = 0;
    deliver(device, device->carry, size);
}

static void decrypt_block(struct tandem_realtek_device *device)
{
    (void)tandem_aes_decrypt(&device->aes, device->carry, device->carry, 1);
    deliver(device, device->carry, TANDEM_AES_BLOCK_SIZE);
    device->carry_fill = 0;
}

/* Blocks are counted from the packet's beginning, or from the chunk's where chunks are checked. */
static void decrypt(struct tandem_realtek_device *device, const uint8_t *data, uint32_t size)
{
    if (!device->config->aes_all && size >= TANDEM_AES_BLOCK_SIZE) {
        memcpy(device->carry, data, TANDEM_AES_BLOCK_SIZE);
        decrypt_block(device);
        data += TANDEM_AES_BLOCK_SIZE;
        size -= TANDEM_AES_BLOCK_SIZE;
    }
    if (!device->config->aes_all) {
        deliver(device, data, size);
        return;
    }
    while (size > 0) {
        uint32_t part = TANDEM_AES_BLOCK_SIZE - device->carry_fill;

        if (part > size)
            part = size;
        memcpy(device->carry + device->carry_fill, data, part);
        device->carry_fill = (uint8_t)(device->carry_fill + part);
        data += part;
        size -= part;
        if (device->carry_fill == TANDEM_AES_BLOCK_SIZE)
            decrypt_block(device);
    }
    if (device->buffer_size == 0)
        tandem_realtek_deliver_rest(device);
}

enum realtek_taken tandem_realtek_take(struct tandem_realtek_device *device, const uint8_t *data, size_t size)
{
    if (device->image == NULL || device->sink == SINK_REFUSED || device->pending != 0)
        return TAKEN_NOT_BEGUN;
    if (device->error != 0)
        return TAKEN_OVERFLOW; /* until the host has been told */
    if (size > device->total - device->at) {
        if (!(device->row->flags & REALTEK_LISTS))
            device->error = REALTEK_LENGTH;
        return TAKEN_BEYOND;
    }
    if (device->buffer_size != 0 && size > device->buffer_size - (device->at - device->chunk)) {
        device->error = REALTEK_LENGTH;
        return TAKEN_OVERFLOW;
    }
    device->check = tandem_realtek_check(device->check, device->at - device->chunk, data, size);
    device->at += (uint32_t)size;
    if (device->aes_on)
        decrypt(device, data, (uint32_t)size);
    else
        deliver(device, data, (uint32_t)size);
    return device->error != 0 ? TAKEN_OVERFLOW : TAKEN;
}
