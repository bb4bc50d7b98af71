/*
 * Realtek images: the header in its forms, and the check of the whole against
 * the CRC or the digest that it carries. For both halves: a device reads its
 * flash with this, a host a file.
 *
 * docs/images.md has the layouts.
 */
#include <string.h>

#include "tandem/image_realtek.h"
#include "tandem/package.h"
#include "bytes.h"

#define OTA_HEADER 0x2790u /* names the others' places */
#define OTA_HEADER_87X2G 0x37A0u
#define VERSION_AT 0x60u /* of an image, from its control header on */

/* ---- layouts ---- */

/* Rows of layouts[]. */
enum { OLD, AUDIO, L87X2G, L8752H, NONE };

static const struct tandem_realtek_layout layouts[] = {
    /* control, digest, uuid, header, versions, form, sure */
    [OLD] = {0, 372, 12, 1024, 404, TANDEM_REALTEK_OLD, 1},
    [AUDIO] = {304, 272, 316, 1024, 0, TANDEM_REALTEK_NEW, 1},
    [L87X2G] = {416, 384, 428, 1280, 936, TANDEM_REALTEK_NEW, 1},
    [L8752H] = {432, 400, 444, 1024, 932, TANDEM_REALTEK_NEW, 1},
};

#define GUESSED 0x80u /* no image of this chip was described: as its neighbours */

/* By chip. */
static const uint8_t chips[] = {
    [4] = OLD,           /* RTL8763B */
    [5] = OLD,           /* RTL8762C, RTL8752C */
    [6] = OLD | GUESSED, /* RTL8763C and its like */
    [7] = OLD | GUESSED,
    [8] = OLD | GUESSED,
    [9] = OLD, /* RTL8762D */
    [10] = AUDIO | GUESSED,
    [11] = AUDIO,         /* RTL87x3E */
    [12] = OLD | GUESSED, /* RTL8762E */
    [13] = AUDIO | GUESSED,
    [14] = AUDIO | GUESSED,
    [15] = L87X2G,
    [16] = L8752H,
    [17] = AUDIO | GUESSED,
};

static unsigned row_of(uint8_t ic)
{
    return ic >= 4 && ic < sizeof chips ? chips[ic] : NONE;
}

enum tandem_status tandem_realtek_layout(struct tandem_realtek_layout *layout, uint8_t ic)
{
    unsigned row = row_of(ic);

    if (row == NONE)
        return TANDEM_ERROR_UNSUPPORTED;
    *layout = layouts[row & ~GUESSED];
    layout->sure = (row & GUESSED) == 0;
    return TANDEM_OK;
}

void tandem_realtek_layout_compressed(struct tandem_realtek_layout *layout)
{
    static const struct tandem_realtek_layout compressed = {0, 36, 12, 96, 28, TANDEM_REALTEK_COMPRESSED, 0};

    *layout = compressed;
}

/* ---- the control header ---- */

void tandem_realtek_control_get(struct tandem_realtek_control *control, uint8_t form,
                                const uint8_t bytes[TANDEM_REALTEK_CONTROL_SIZE])
{
    const uint8_t *chip = form == TANDEM_REALTEK_OLD ? bytes : bytes + 2;

    control->ic = chip[0];
    control->secure_version = chip[1];
    control->flags = tandem_load_le16(chip + 2);
    control->image = tandem_load_le16(form == TANDEM_REALTEK_OLD ? bytes + 4 : bytes + 6);
    control->crc = tandem_load_le16(form == TANDEM_REALTEK_OLD ? bytes + 6 : bytes);
    control->payload = tandem_load_le32(bytes + 8);
}

void tandem_realtek_control_put(const struct tandem_realtek_control *control, uint8_t form,
                                uint8_t bytes[TANDEM_REALTEK_CONTROL_SIZE])
{
    uint8_t *chip = form == TANDEM_REALTEK_OLD ? bytes : bytes + 2;

    chip[0] = control->ic;
    chip[1] = control->secure_version;
    tandem_store_le16(chip + 2, control->flags);
    tandem_store_le16(form == TANDEM_REALTEK_OLD ? bytes + 4 : bytes + 6, control->image);
    tandem_store_le16(form == TANDEM_REALTEK_OLD ? bytes + 6 : bytes, control->crc);
    tandem_store_le32(bytes + 8, control->payload);
}

enum tandem_status tandem_realtek_image_read(struct tandem_realtek_header *image, const struct tandem_source *source,
                                             const struct tandem_realtek_layout *layout, uint8_t ic)
{
    uint8_t bytes[TANDEM_REALTEK_CONTROL_SIZE];
    enum tandem_status status = tandem_image_read(source, layout->control, bytes, sizeof bytes);

    if (status != TANDEM_OK)
        return status;
    image->layout = *layout;
    tandem_realtek_control_get(&image->control, layout->form, bytes);
    if (image->control.ic != ic)
        return TANDEM_ERROR_TARGET;
    if (!tandem_realtek_image_known(image->control.image))
        return TANDEM_ERROR_FORMAT;
    if (source->size < layout->header || image->control.payload > source->size - layout->header)
        return TANDEM_ERROR_TRUNCATED;
    image->size = layout->header + image->control.payload;
    return TANDEM_OK;
}

/* As one layout has it. `*lacks` says that it could be one whose end is missing. */
static enum tandem_status try_layout(struct tandem_realtek_header *image, const struct tandem_source *source,
                                     unsigned row, int *lacks)
{
    const struct tandem_realtek_layout *layout = &layouts[row];
    uint8_t bytes[TANDEM_REALTEK_CONTROL_SIZE];
    struct tandem_realtek_control control;
    enum tandem_status status = tandem_image_read(source, layout->control, bytes, sizeof bytes);

    if (status != TANDEM_OK)
        return status == TANDEM_ERROR_TRUNCATED ? TANDEM_ERROR_FORMAT : status;
    tandem_realtek_control_get(&control, layout->form, bytes);
    if ((row_of(control.ic) & ~GUESSED) != row)
        return TANDEM_ERROR_FORMAT;
    status = tandem_realtek_image_read(image, source, layout, control.ic);
    if (status == TANDEM_ERROR_TRUNCATED)
        *lacks = 1;
    image->layout.sure = (row_of(control.ic) & GUESSED) == 0;
    return status;
}

enum tandem_status tandem_realtek_image_find(struct tandem_realtek_header *image, const struct tandem_source *source)
{
    struct tandem_realtek_header found;
    int fits = 0;
    int lacks = 0;

    for (unsigned row = OLD; row < NONE; row++) {
        enum tandem_status status = try_layout(&found, source, row, &lacks);

        if (status == TANDEM_OK && (!fits || found.size == source->size)) {
            fits = 1;
            *image = found;
        } else if (status != TANDEM_OK && status != TANDEM_ERROR_FORMAT && status != TANDEM_ERROR_TRUNCATED) {
            return status;
        }
    }
    return fits ? TANDEM_OK : lacks ? TANDEM_ERROR_TRUNCATED : TANDEM_ERROR_FORMAT;
}

/* ---- ids and versions ---- */

/* How a version's bits lie. */
enum { NUMBERS, BYTES, SHORT, HEADER, OPAQUE };

/* Of a run of ids: what they are for, and how their versions lie on chips for sensors and on those for audio. */
static const struct {
    uint16_t first;
    uint16_t last;
    uint8_t kind;
    uint8_t version;
    uint8_t audio;
} ids[] = {
    {0x278D, 0x278F, TANDEM_KIND_CONFIG, BYTES, BYTES},
    {0x2790, 0x2790, 0, HEADER, HEADER},
    {0x2791, 0x2791, TANDEM_KIND_BOOTLOADER, NUMBERS, SHORT},
    {0x2792, 0x2792, TANDEM_KIND_STACK, NUMBERS, SHORT},
    {0x2793, 0x2793, TANDEM_KIND_APPLICATION, NUMBERS, SHORT},
    {0x2794, 0x2795, TANDEM_KIND_DATA, NUMBERS, OPAQUE}, /* audio: DSP */
    {0x2796, 0x2796, TANDEM_KIND_DATA, NUMBERS, BYTES},
    {0x2797, 0x2797, TANDEM_KIND_DATA, NUMBERS, OPAQUE}, /* audio: DSP configuration */
    {0x2798, 0x2799, TANDEM_KIND_DATA, NUMBERS, BYTES},
    {0x279A, 0x279F, TANDEM_KIND_STACK, NUMBERS, SHORT},
    {0x27A0, 0x27A4, TANDEM_KIND_DATA, NUMBERS, BYTES},
    {0x379D, 0x379D, TANDEM_KIND_CONFIG, BYTES, BYTES},
    {0x379F, 0x379F, TANDEM_KIND_BOOTLOADER, NUMBERS, NUMBERS},
    {0x37A0, 0x37A0, 0, HEADER, HEADER},
    {0x37A2, 0x37A3, TANDEM_KIND_DATA, NUMBERS, NUMBERS}, /* secure application, its data */
    {0x37A6, 0x37A8, TANDEM_KIND_STACK, NUMBERS, NUMBERS},
    {0x37A9, 0x37A9, TANDEM_KIND_APPLICATION, NUMBERS, NUMBERS},
    {0x37AA, 0x37AA, TANDEM_KIND_CONFIG, BYTES, BYTES},
    {0x37AE, 0x37B3, TANDEM_KIND_DATA, NUMBERS, NUMBERS},
    {0x37B4, 0x37B4, TANDEM_KIND_STACK, NUMBERS, NUMBERS},
    {0xFFF7, 0xFFFE, TANDEM_KIND_DATA, BYTES, BYTES}, /* user data */
};
#define IDS (sizeof ids / sizeof ids[0])

static unsigned id_row(uint16_t image)
{
    unsigned row = 0;

    while (row < IDS && (image < ids[row].first || image > ids[row].last))
        row++;
    return row;
}

int tandem_realtek_image_known(uint16_t image)
{
    return id_row(image) < IDS;
}

uint8_t tandem_realtek_image_kind(uint16_t image)
{
    unsigned row = id_row(image);

    return row < IDS ? ids[row].kind : 0;
}

/* Bits of major, minor, patch and build, in this order from the lowest on; of HEADER in the reverse. */
static const uint8_t widths[][4] = {[NUMBERS] = {4, 8, 15, 5}, [BYTES] = {8, 8, 8, 8}, [SHORT] = {4, 8, 9, 11}};

static unsigned version_bits(uint8_t ic, uint16_t image)
{
    unsigned row = id_row(image);
    unsigned layout = row_of(ic) & ~GUESSED;
    int audio = layout == AUDIO || (layout == OLD && ic != 5 && ic != 9 && ic != 12);

    return row == IDS ? OPAQUE : audio ? ids[row].audio : ids[row].version;
}

void tandem_realtek_version(struct tandem_version *version, uint8_t ic, uint16_t image, uint32_t packed)
{
    unsigned bits = version_bits(ic, image);
    uint32_t numbers[4];

    if (bits == OPAQUE) {
        memset(version, 0, sizeof *version);
        version->build = packed;
        return;
    }
    if (bits == HEADER)
        for (int i = 0; i < 4; i++)
            numbers[i] = (packed >> (24 - 8 * i)) & 0xFFu;
    else
        for (int i = 0; i < 4; packed >>= widths[bits][i], i++)
            numbers[i] = packed & ((1u << widths[bits][i]) - 1);
    version->major = (uint16_t)numbers[0];
    version->minor = (uint16_t)numbers[1];
    version->patch = numbers[2];
    version->build = numbers[3];
}

enum tandem_status tandem_realtek_version_pack(uint32_t *packed, uint8_t ic, uint16_t image,
                                               const struct tandem_version *version)
{
    unsigned bits = version_bits(ic, image);
    uint32_t numbers[4] = {version->major, version->minor, version->patch, version->build};
    struct tandem_version back;
    uint32_t value = 0;

    if (bits == OPAQUE)
        value = version->build;
    else if (bits == HEADER)
        value = numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3];
    else
        for (int i = 3; i >= 0; i--)
            value = value << widths[bits][i] | numbers[i];
    *packed = value;
    tandem_realtek_version(&back, ic, image, value);
    return tandem_version_compare(&back, version) == 0 ? TANDEM_OK : TANDEM_ERROR_TOO_LARGE;
}

int tandem_realtek_image_version(const struct tandem_realtek_header *image, const struct tandem_source *source,
                                 struct tandem_version *version)
{
    const struct tandem_realtek_layout *layout = &image->layout;
    uint32_t at = layout->control + VERSION_AT;
    uint8_t bytes[4];
    uint32_t packed;

    if (layout->form == TANDEM_REALTEK_COMPRESSED || image->control.image == OTA_HEADER ||
        image->control.image == OTA_HEADER_87X2G)
        at = layout->versions;
    if (at == 0 || tandem_image_read(source, at, bytes, sizeof bytes) != TANDEM_OK)
        return 0;
    packed = tandem_load_le32(bytes);
    tandem_realtek_version(version, image->control.ic, image->control.image, packed);
    return packed != 0 && packed != 0xFFFFFFFFu && version_bits(image->control.ic, image->control.image) != OPAQUE;
}

/* ---- integrity ---- */

#define CRC TANDEM_INTEGRITY_CRC16
#define SHA TANDEM_INTEGRITY_SHA256

/* What is covered, in order; from the control header on. `to` 0: the image's end. */
struct range {
    uint16_t from;
    uint16_t to;
    uint8_t by;
};
#define RANGES 3

static const struct range old_digest[RANGES] = {{12, 372, SHA}, {404, 752, SHA}, {1008, 0, SHA}};
static const struct range old_crc[RANGES] = {{12, 752, CRC}, {1008, 0, CRC}};
static const struct range new_both[RANGES] = {{0, 2, SHA}, {2, 0, SHA | CRC}};
static const struct range compressed[RANGES] = {{96, 0, SHA}};

static const struct range *ranges_of(const struct tandem_realtek_header *image)
{
    if (image->layout.form == TANDEM_REALTEK_NEW)
        return new_both;
    if (image->layout.form == TANDEM_REALTEK_COMPRESSED)
        return compressed;
    return image->control.crc != 0 ? old_crc : old_digest;
}

static uint32_t range_end(const struct tandem_realtek_check *check, const struct range *range)
{
    return range->to != 0 ? check->image.layout.control + (uint32_t)range->to : check->image.size;
}

/* From the first covered byte on. */
static enum tandem_status begin(struct tandem_realtek_check *check, const struct tandem_crypto_port *crypto)
{
    check->range = 0;
    check->crc = 0;
    check->broken = 0;
    check->at = check->image.layout.control + (uint32_t)ranges_of(&check->image)->from;
    return tandem_sha256_init(&check->hash, crypto);
}

enum tandem_status tandem_realtek_check_init(struct tandem_realtek_check *check,
                                             const struct tandem_realtek_header *image,
                                             const struct tandem_source *source,
                                             const struct tandem_crypto_port *crypto)
{
    memset(check, 0, sizeof *check);
    check->source = source;
    check->image = *image;
    check->integrity = SHA;
    if (image->control.crc != 0 && image->layout.form == TANDEM_REALTEK_OLD)
        check->integrity = CRC;
    else if (image->control.crc != 0 && image->layout.form == TANDEM_REALTEK_NEW)
        check->integrity = SHA | CRC;
    check->cleared = image->layout.form == TANDEM_REALTEK_NEW && (image->control.flags & TANDEM_REALTEK_NOT_READY) != 0;
    return begin(check, crypto);
}

/* Devices set the flag while an image is not yet validated; its digest is that of the image without. */
static void clear_not_ready(const struct tandem_realtek_check *check, uint8_t *data, size_t size)
{
    uint32_t flags = check->image.layout.control + 4u;

    if (check->cleared && flags >= check->at && flags - check->at < size)
        data[flags - check->at] &= (uint8_t)~TANDEM_REALTEK_NOT_READY;
}

static enum tandem_status finish(struct tandem_realtek_check *check)
{
    uint8_t want[TANDEM_SHA256_SIZE];
    uint8_t got[TANDEM_SHA256_SIZE];
    struct tandem_sha256 hash = check->hash;
    enum tandem_status status = TANDEM_OK;

    if ((check->integrity & CRC) && check->crc != check->image.control.crc)
        check->broken |= CRC;
    if (check->integrity & SHA) {
        status = tandem_image_read(check->source, check->image.layout.digest, want, sizeof want);
        if (status == TANDEM_OK)
            status = tandem_sha256_final(&hash, got);
        if (status != TANDEM_OK)
            return status;
        if (memcmp(got, want, sizeof want) != 0)
            check->broken |= SHA;
    }
    if (!check->broken)
        return TANDEM_OK;
    if (!check->cleared)
        return TANDEM_ERROR_DIGEST;
    check->cleared = 0; /* some images are made with the flag: once more, as it lies */
    status = begin(check, check->hash.port);
    return status == TANDEM_OK ? TANDEM_AGAIN : status;
}

enum tandem_status tandem_realtek_check_step(struct tandem_realtek_check *check, void *buffer, size_t size)
{
    const struct range *range = &ranges_of(&check->image)[check->range];
    uint32_t left = range_end(check, range) - check->at;
    enum tandem_status status;

    if (size < 32)
        return TANDEM_ERROR_ARGUMENT;
    if (size > left)
        size = left;
    status = tandem_image_read(check->source, check->at, buffer, size);
    if (status != TANDEM_OK)
        return status;
    clear_not_ready(check, buffer, size);
    if (range->by & CRC)
        check->crc = tandem_crc16_reflected(check->crc, buffer, size);
    if (range->by & check->integrity & SHA)
        status = tandem_sha256_update(&check->hash, buffer, size);
    if (status != TANDEM_OK)
        return status;
    check->at += (uint32_t)size;
    if (size < left)
        return TANDEM_AGAIN;
    if (check->range + 1 < RANGES && range[1].by != 0) {
        check->range++;
        check->at = check->image.layout.control + (uint32_t)range[1].from;
        return TANDEM_AGAIN;
    }
    return finish(check);
}

enum tandem_status tandem_realtek_check_whole(struct tandem_realtek_check *check,
                                              const struct tandem_realtek_header *image,
                                              const struct tandem_source *source,
                                              const struct tandem_crypto_port *crypto)
{
    uint8_t piece[256];
    enum tandem_status status = tandem_realtek_check_init(check, image, source, crypto);

    if (status != TANDEM_OK)
        return status;
    do
        status = tandem_realtek_check_step(check, piece, sizeof piece);
    while (status == TANDEM_AGAIN);
    return status;
}
