/*
 * Writing for Realtek's tools and apps: an image header before a payload, and
 * packs. docs/images.md has the layouts.
 */
#include <string.h>

#include "tandem/image_mppack.h"
#include "bytes.h"
#include "image_mppack.h"

#define FLAG_XIP 0x0001u           /* runs where it lies */
#define FLAG_HEADER_KIB (1u << 10) /* audio chips: header size */
#define VERSION_AT 0x60u           /* from the control header on */
#define OLD_BASES 28u              /* execution base u32, load base u32 */

/* ---- one image ---- */

enum tandem_status tandem_realtek_wrap_size(const struct tandem_realtek_wrap *wrap, uint32_t *size)
{
    struct tandem_realtek_layout layout;
    enum tandem_status status = tandem_realtek_layout(&layout, wrap->ic);

    if (status != TANDEM_OK)
        return status;
    if (wrap->size > 0xFFFFFFFFu - layout.header)
        return TANDEM_ERROR_TOO_LARGE;
    *size = layout.header + wrap->size;
    return TANDEM_OK;
}

/* The digest of what lies in `out`, to its place there. */
static enum tandem_status put_digest(const struct tandem_realtek_layout *layout,
                                     const struct tandem_crypto_port *crypto, uint8_t *out, uint32_t size)
{
    struct tandem_sha256 hash;
    enum tandem_status status = tandem_sha256_init(&hash, crypto);

    if (layout->form == TANDEM_REALTEK_NEW) {
        if (status == TANDEM_OK)
            status = tandem_sha256_update(&hash, out + layout->control, size - layout->control);
    } else {
        if (status == TANDEM_OK)
            status = tandem_sha256_update(&hash, out + 12, 372 - 12);
        if (status == TANDEM_OK)
            status = tandem_sha256_update(&hash, out + 404, 752 - 404);
        if (status == TANDEM_OK)
            status = tandem_sha256_update(&hash, out + 1008, size - 1008);
    }
    return status == TANDEM_OK ? tandem_sha256_final(&hash, out + layout->digest) : status;
}

enum tandem_status tandem_realtek_wrap_write(const struct tandem_realtek_wrap *wrap,
                                             const struct tandem_crypto_port *crypto, uint8_t *out, uint32_t size)
{
    struct tandem_realtek_control control = {.ic = wrap->ic,
                                             .secure_version = wrap->secure_version,
                                             .flags = TANDEM_REALTEK_NOT_OBSOLETE | FLAG_XIP,
                                             .image = wrap->image,
                                             .payload = wrap->size};
    struct tandem_realtek_layout layout;
    uint32_t whole, version;
    uint32_t version_at;
    enum tandem_status status = tandem_realtek_wrap_size(wrap, &whole);

    if (status == TANDEM_OK && (whole != size || !tandem_realtek_image_known(wrap->image)))
        status = TANDEM_ERROR_ARGUMENT;
    if (status == TANDEM_OK)
        status = tandem_realtek_version_pack(&version, wrap->ic, wrap->image, &wrap->version);
    if (status == TANDEM_OK)
        status = tandem_realtek_layout(&layout, wrap->ic);
    if (status != TANDEM_OK)
        return status;
    if (tandem_mppack_is_audio(wrap->ic) && layout.form == TANDEM_REALTEK_NEW)
        control.flags |= FLAG_HEADER_KIB;
    memset(out, 0, layout.header);
    tandem_realtek_control_put(&control, layout.form, out + layout.control);
    version_at = layout.control + VERSION_AT;
    if (wrap->image == 0x2790 || wrap->image == 0x37A0)
        version_at = layout.versions;
    if (version_at != 0)
        tandem_store_le32(out + version_at, version);
    if (layout.form == TANDEM_REALTEK_OLD && wrap->address != 0) {
        tandem_store_le32(out + OLD_BASES, wrap->address);
        tandem_store_le32(out + OLD_BASES + 4, wrap->address);
    }
    if (wrap->size > 0)
        memcpy(out + layout.header, wrap->payload, wrap->size);
    return put_digest(&layout, crypto, out, size);
}

/* ---- packs ---- */

static size_t length_of(const char *name)
{
    size_t length = 0;

    while (name != NULL && name[length] != '\0' && length < 200)
        length++;
    return length;
}

static uint32_t half_of(const struct tandem_mppack_plan *plan)
{
    return plan->version <= 1 ? 16 : TANDEM_MPPACK_BITS_MAX / 2;
}

static uint32_t bit_of(const struct tandem_mppack_plan *plan, const struct tandem_mppack_item *item)
{
    return item->function + (item->bank ? half_of(plan) : 0);
}

static uint32_t head_size(const struct tandem_mppack_plan *plan)
{
    return PACK_HEAD + half_of(plan) / 4 + plan->count * PACK_ENTRY;
}

/* Without the trailer. */
static enum tandem_status body_size(const struct tandem_mppack_plan *plan, uint32_t *size)
{
    uint64_t sum = head_size(plan);

    if (plan->version > 4 || plan->items == NULL || plan->count == 0 || plan->count > 2 * half_of(plan))
        return TANDEM_ERROR_ARGUMENT;
    for (uint16_t i = 0; i < plan->count; i++) {
        const struct tandem_mppack_item *item = &plan->items[i];

        if (item->function >= half_of(plan) || item->bank > 1 || (item->data == NULL && item->size > 0) ||
            (i > 0 && bit_of(plan, item) <= bit_of(plan, item - 1)))
            return TANDEM_ERROR_ARGUMENT;
        sum += (uint64_t)TANDEM_MP_HEADER_SIZE + item->size;
    }
    *size = (uint32_t)sum;
    return sum <= 0xFFFFFFFFu ? TANDEM_OK : TANDEM_ERROR_TOO_LARGE;
}

enum tandem_status tandem_mppack_plan_size(const struct tandem_mppack_plan *plan, uint32_t *size)
{
    uint32_t body;
    uint64_t sum;
    enum tandem_status status = body_size(plan, &body);

    if (status != TANDEM_OK)
        return status;
    sum = body;
    for (uint16_t i = 0; i < plan->count; i++)
        sum += 2 * (2 + (uint64_t)length_of(plan->items[i].name)) + TANDEM_MP_HEADER_SIZE;
    *size = (uint32_t)sum;
    return sum <= 0xFFFFFFFFu ? TANDEM_OK : TANDEM_ERROR_TOO_LARGE;
}

static void put_mp(const struct tandem_mppack_item *item, uint8_t *out)
{
    if (item->mp_bytes != NULL)
        memcpy(out, item->mp_bytes, TANDEM_MP_HEADER_SIZE);
    else
        tandem_mp_header_write(&item->mp, out);
}

/* "|name:" in UTF-16, and the MP header once more. */
static uint8_t *put_record(const struct tandem_mppack_item *item, uint8_t *at)
{
    size_t length = length_of(item->name);

    tandem_store_le16(at, '|');
    at += 2;
    for (size_t i = 0; i < length; i++, at += 2)
        tandem_store_le16(at, (uint8_t)item->name[i]);
    tandem_store_le16(at, ':');
    at += 2;
    put_mp(item, at);
    return at + TANDEM_MP_HEADER_SIZE;
}

enum tandem_status tandem_mppack_write(const struct tandem_mppack_plan *plan, uint8_t *out, uint32_t size)
{
    uint32_t extension = plan->version | (uint32_t)plan->ic << 8;
    uint32_t body, whole;
    uint8_t *entry = out + head_size(plan) - plan->count * PACK_ENTRY;
    uint8_t *at = out + head_size(plan);
    enum tandem_status status = tandem_mppack_plan_size(plan, &whole);

    if (status == TANDEM_OK && whole != size)
        status = TANDEM_ERROR_ARGUMENT;
    if (status == TANDEM_OK)
        status = body_size(plan, &body);
    if (status != TANDEM_OK)
        return status;
    memset(out, 0, head_size(plan));
    if (plan->version >= 3 && plan->ota_allowed)
        extension |= PACK_OTA_ALLOWED;
    for (uint16_t i = 0; i < plan->count; i++) {
        const struct tandem_mppack_item *item = &plan->items[i];
        uint32_t bit = bit_of(plan, item);

        if (item->bank)
            extension |= PACK_DUAL_BANK;
        out[PACK_HEAD + bit / 8] |= (uint8_t)(1u << (bit % 8));
        tandem_store_le32(entry, item->address);
        tandem_store_le32(entry + 4, TANDEM_MP_HEADER_SIZE + item->size);
        entry += PACK_ENTRY;
        put_mp(item, at);
        if (item->size > 0)
            memcpy(at + TANDEM_MP_HEADER_SIZE, item->data, item->size);
        at += TANDEM_MP_HEADER_SIZE + item->size;
    }
    tandem_store_le16(out, PACK_MAGIC);
    tandem_store_le32(out + PACK_SIZE, body);
    tandem_store_le16(out + PACK_EXTENSION, (uint16_t)extension);
    for (uint16_t i = 0; i < plan->count; i++)
        at = put_record(&plan->items[i], at);
    return TANDEM_OK;
}

/* ---- packs for a pair ---- */

size_t tandem_realtek_pair_write(const struct tandem_realtek_pair *pair,
                                 uint8_t bytes[12 + 8 * TANDEM_REALTEK_PAIR_MAX])
{
    if (pair->count == 0 || pair->count > TANDEM_REALTEK_PAIR_MAX)
        return 0;
    tandem_store_le32(bytes, PAIR_MAGIC);
    tandem_store_le32(bytes + 4, pair->version);
    tandem_store_le32(bytes + 8, pair->count);
    for (uint32_t i = 0; i < pair->count; i++) {
        tandem_store_le32(bytes + 12 + 8 * i, pair->packs[i].role);
        tandem_store_le32(bytes + 16 + 8 * i, pair->packs[i].size);
    }
    return 12 + 8 * pair->count;
}
