/*
 * The checks that Realtek's images carry in them, over what was programmed.
 * They are against accidents: whoever makes an image can make its checksum.
 */
#include "realtek_device.h"

#define PIECE 128u /* bytes read at once */
#define PIECES 8u  /* of them in one step */

static enum tandem_status read_back(void *ctx, uint32_t offset, void *data, size_t size)
{
    return tandem_bare_read((const struct tandem_bare *)ctx, offset, data, size);
}

/* The image must be the one that START announced. Whether it says to be ready is of no account: that is noted
 * elsewhere, once it is. */
static int is_announced(const struct tandem_realtek_device *device, const struct tandem_realtek_header *image)
{
    struct tandem_realtek_control told;

    tandem_realtek_control_get(&told, device->new_order, device->control);
    return image->size == device->total && image->control.image == told.image && image->control.crc == told.crc &&
           image->control.secure_version == told.secure_version;
}

enum tandem_status tandem_realtek_verify_begin(struct tandem_realtek_device *device)
{
    struct tandem_realtek_header image;
    struct tandem_realtek_layout layout;
    enum tandem_status status = tandem_realtek_layout(&layout, device->config->ic);

    device->source.ctx = device->bare;
    device->source.size = device->total;
    device->source.read = read_back;
    if (status == TANDEM_OK)
        status = tandem_realtek_image_read(&image, &device->source, &layout, device->config->ic);
    if (status == TANDEM_OK && !is_announced(device, &image))
        status = TANDEM_ERROR_FORMAT;
    if (status != TANDEM_OK)
        return status;
    return tandem_realtek_check_init(&device->verify, &image, &device->source,
                                     device->bare->install->bank.device->crypto);
}

/* Of two banks Realtek's own bootloader takes the one whose OTA header is newer. One that is not would never run. */
static enum tandem_status check_ota_header(const struct tandem_realtek_device *device)
{
    const struct tandem_realtek_header *image = &device->verify.image;
    struct tandem_version comes, runs;

    if (image->control.image != TANDEM_REALTEK_IMAGE_OTA_HEADER || device->image->version == 0 ||
        !tandem_realtek_image_version(image, &device->source, &comes))
        return TANDEM_OK;
    tandem_realtek_version(&runs, image->control.ic, image->control.image, device->image->version);
    return tandem_version_compare(&comes, &runs) > 0 ? TANDEM_OK : TANDEM_ERROR_VERSION;
}

enum tandem_status tandem_realtek_verify(struct tandem_realtek_device *device)
{
    enum tandem_status status = TANDEM_AGAIN;
    uint8_t piece[PIECE];

    for (unsigned i = 0; i < PIECES && status == TANDEM_AGAIN; i++)
        status = tandem_realtek_check_step(&device->verify, piece, sizeof piece);
    return status == TANDEM_OK ? check_ota_header(device) : status;
}
