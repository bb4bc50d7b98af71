/*
 * The checksum that Realtek's images carry, over what was programmed. It is
 * against accidents: whoever makes an image can make its checksum.
 */
#include "realtek_device.h"

#include <string.h>

#include "core/bytes.h"

#define PIECE 128u /* bytes read at once */
#define PIECES 8u  /* of them in one step */

struct range {
    uint16_t begin;
    uint16_t end; /* 0: the image's */
};

/* What a SHA-256, and a CRC, covers. In the new order it begins at, and just behind, the control header's CRC. */
static const struct range old_sha[3] = {{12, 372}, {404, 752}, {1008, 0}};
static const struct range old_crc[3] = {{12, 752}, {1008, 0}, {0, 0}};

static struct range range_of(const struct tandem_realtek_device *device)
{
    struct range range = {device->layout_control, 0};

    if (!device->new_order)
        return (device->expected_crc != 0 ? old_crc : old_sha)[device->range];
    if (device->expected_crc != 0)
        range.begin += 2;
    return range;
}

static uint8_t ranges(const struct tandem_realtek_device *device)
{
    return device->new_order ? 1 : device->expected_crc != 0 ? 2 : 3;
}

void tandem_realtek_verify_begin(struct tandem_realtek_device *device)
{
    const struct tandem_device *description = device->bare->install->bank.device;

    device->range = 0;
    device->crc = 0;
    device->expected_crc = tandem_load_le16(device->control + (device->new_order ? 0 : 6));
    device->verify_at = range_of(device).begin;
    (void)tandem_sha256_init(&device->hash, description->crypto);
}

/* The image must be the one that START announced. Whether it was said to be ready is of no account: that is noted
 * elsewhere, once it is. */
static enum tandem_status check_header(struct tandem_realtek_device *device)
{
    uint8_t bytes[REALTEK_CONTROL_HEADER];
    struct realtek_control told, is;
    enum tandem_status status = tandem_bare_read(device->bare, device->layout_control, bytes, sizeof bytes);

    if (status != TANDEM_OK)
        return status;
    tandem_realtek_control_load(device->control, device->new_order, &told);
    tandem_realtek_control_load(bytes, device->new_order, &is);
    if (is.ic != told.ic || is.image != told.image || is.payload != told.payload || is.crc != told.crc)
        return TANDEM_ERROR_FORMAT;
    return TANDEM_OK;
}

static enum tandem_status finish(struct tandem_realtek_device *device)
{
    uint8_t is[TANDEM_SHA256_SIZE], should[TANDEM_SHA256_SIZE];
    enum tandem_status status;

    if (device->expected_crc != 0)
        return device->crc == device->expected_crc ? TANDEM_OK : TANDEM_ERROR_DIGEST;
    status = tandem_bare_read(device->bare, realtek_sha_at(device), should, sizeof should);
    if (status == TANDEM_OK)
        status = tandem_sha256_final(&device->hash, is);
    if (status != TANDEM_OK)
        return status;
    return memcmp(is, should, sizeof is) == 0 ? TANDEM_OK : TANDEM_ERROR_DIGEST;
}

/* In the new order the control flags are covered, as they are in an image that is ready. */
static void clear_not_ready(const struct tandem_realtek_device *device, uint8_t *bytes, uint32_t at, uint32_t size)
{
    uint32_t flags = device->layout_control + 4u;

    if (device->new_order && flags >= at && flags - at < size)
        bytes[flags - at] &= (uint8_t)~REALTEK_FLAG_NOT_READY;
}

static enum tandem_status add(struct tandem_realtek_device *device, uint32_t end)
{
    uint8_t bytes[PIECE];
    uint32_t size = end - device->verify_at < PIECE ? end - device->verify_at : PIECE;
    enum tandem_status status = tandem_bare_read(device->bare, device->verify_at, bytes, size);

    if (status != TANDEM_OK)
        return status;
    clear_not_ready(device, bytes, device->verify_at, size);
    device->verify_at += size;
    if (device->expected_crc == 0)
        return tandem_sha256_update(&device->hash, bytes, size);
    device->crc = tandem_crc16_reflected(device->crc, bytes, size);
    return TANDEM_OK;
}

enum tandem_status tandem_realtek_verify(struct tandem_realtek_device *device)
{
    unsigned i;

    if (device->range == 0 && device->verify_at == range_of(device).begin) {
        enum tandem_status status = check_header(device);

        if (status != TANDEM_OK)
            return status;
    }
    for (i = 0; i < PIECES && device->range < ranges(device); i++) {
        struct range range = range_of(device);
        uint32_t end = range.end != 0 ? range.end : device->total;
        enum tandem_status status = device->verify_at < end ? add(device, end) : TANDEM_OK;

        if (status != TANDEM_OK)
            return status;
        if (device->verify_at >= end && ++device->range < ranges(device))
            device->verify_at = range_of(device).begin;
    }
    return device->range < ranges(device) ? TANDEM_AGAIN : finish(device);
}
