/*
 * What a file is, and what all formats have in common to say. For hosts: it
 * knows every format.
 */
#include <string.h>

#include "tandem/image.h"
#include "tandem/image_hex.h"
#include "tandem/image_mcuboot.h"
#include "tandem/image_mppack.h"
#include "tandem/image_realtek.h"
#include "tandem/image_usb.h"
#include "tandem/package.h"
#include "bytes.h"
#include "image_mppack.h"
#include "mcuboot.h"

#define HEAD_MAX 4096 /* bytes of a package's head that are looked at */

const char *tandem_image_format_name(enum tandem_image_format format)
{
    static const char *const names[] = {
        [TANDEM_FORMAT_RAW] = "raw bytes",
        [TANDEM_FORMAT_PACKAGE] = "Tandem package",
        [TANDEM_FORMAT_MCUBOOT] = "MCUboot image",
        [TANDEM_FORMAT_REALTEK] = "Realtek image",
        [TANDEM_FORMAT_REALTEK_FILE] = "Realtek image with MP header",
        [TANDEM_FORMAT_REALTEK_PACK] = "Realtek pack",
        [TANDEM_FORMAT_REALTEK_PAIR] = "Realtek packs for a pair",
        [TANDEM_FORMAT_DFU] = "file with a DFU suffix",
        [TANDEM_FORMAT_DFUSE] = "DfuSe file",
        [TANDEM_FORMAT_INTEL_HEX] = "Intel HEX file",
    };

    return (unsigned)format < sizeof names / sizeof names[0] ? names[format] : "unknown format";
}

/* ---- which one ---- */

static int is_mcuboot(const struct tandem_source *source)
{
    uint8_t bytes[MCUBOOT_HEADER_SIZE];
    struct tandem_mcuboot image;

    return tandem_image_read(source, 0, bytes, sizeof bytes) == TANDEM_OK && tandem_load_le32(bytes) == MCUBOOT_MAGIC &&
           tandem_mcuboot_header(&image, bytes) == TANDEM_OK;
}

/* Two letters are little: that the checksum nobody computes is zero tells a damaged pack from chance. */
static int is_pack(const struct tandem_source *source)
{
    uint8_t bytes[PACK_HEAD];
    struct tandem_mppack pack;
    uint8_t any = 0;

    if (tandem_mppack_open(&pack, source) == TANDEM_OK)
        return 1;
    if (tandem_image_read(source, 0, bytes, sizeof bytes) != TANDEM_OK || tandem_load_le16(bytes) != PACK_MAGIC)
        return 0;
    for (unsigned i = 6; i < PACK_EXTENSION; i++)
        any |= bytes[i];
    return any == 0;
}

static int is_image(const struct tandem_source *source)
{
    struct tandem_realtek_header image;
    enum tandem_status status = tandem_realtek_image_find(&image, source);

    return status == TANDEM_OK || status == TANDEM_ERROR_TRUNCATED;
}

static int is_image_file(const struct tandem_source *source)
{
    uint8_t bytes[TANDEM_MP_HEADER_SIZE];
    struct tandem_mp_header header;

    return tandem_image_read(source, 0, bytes, sizeof bytes) == TANDEM_OK &&
           tandem_mp_header_read(&header, bytes) == TANDEM_OK && (header.has & TANDEM_MP_IMAGE) &&
           tandem_realtek_image_known(header.image);
}

static int is_hex(const struct tandem_source *source)
{
    uint8_t first;
    struct tandem_hex hex;

    if (tandem_image_read(source, 0, &first, 1) != TANDEM_OK || first != ':')
        return 0;
    return tandem_hex_read(&hex, source) == TANDEM_OK || hex.line > 1; /* its first line at least */
}

static int begins(const struct tandem_source *source, const char *magic, size_t size)
{
    uint8_t bytes[8];

    return tandem_image_read(source, 0, bytes, size) == TANDEM_OK && memcmp(bytes, magic, size) == 0;
}

enum tandem_image_format tandem_image_format(const struct tandem_source *source)
{
    struct tandem_dfu_suffix suffix;
    enum tandem_status ending;

    if (begins(source, "DfuSe", 5))
        return TANDEM_FORMAT_DFUSE;
    ending = tandem_dfu_suffix_read(&suffix, source);
    if (ending == TANDEM_OK || ending == TANDEM_ERROR_DIGEST)
        return TANDEM_FORMAT_DFU;
    if (begins(source, "TDM1", 4))
        return TANDEM_FORMAT_PACKAGE;
    if (is_mcuboot(source))
        return TANDEM_FORMAT_MCUBOOT;
    if (begins(source, "\xC8\xB5\x97\x96", 4))
        return TANDEM_FORMAT_REALTEK_PAIR;
    if (is_pack(source))
        return TANDEM_FORMAT_REALTEK_PACK;
    if (is_image_file(source))
        return TANDEM_FORMAT_REALTEK_FILE;
    if (is_image(source))
        return TANDEM_FORMAT_REALTEK;
    return is_hex(source) ? TANDEM_FORMAT_INTEL_HEX : TANDEM_FORMAT_RAW;
}

/* ---- what it says ---- */

static enum tandem_status inspect_package(struct tandem_image_info *info, const struct tandem_source *source,
                                          const struct tandem_crypto_port *crypto)
{
    uint8_t head[HEAD_MAX];
    struct tandem_package_header header;
    struct tandem_manifest manifest;
    enum tandem_status status = tandem_image_read(source, 0, head, TANDEM_PACKAGE_HEADER_SIZE);

    if (status == TANDEM_OK)
        status = tandem_package_header(&header, head);
    if (status != TANDEM_OK)
        return status;
    info->size = header.package_size;
    info->payload_offset = header.head_size;
    info->payload_size = header.package_size - header.head_size;
    info->integrity = TANDEM_INTEGRITY_SHA256;
    if (header.signatures_size > 0)
        info->integrity |= TANDEM_INTEGRITY_SIGNATURE;
    if (header.head_size > sizeof head)
        return TANDEM_OK; /* nothing wrong with it, but no more to say */
    status = tandem_image_read(source, 0, head, header.head_size);
    if (status == TANDEM_OK)
        status = tandem_manifest_parse(&manifest, crypto, head, header.head_size);
    if (status != TANDEM_OK)
        return status;
    info->version = manifest.version;
    info->has_version = 1;
    info->parts = manifest.image_count;
    return source->size < info->size ? TANDEM_ERROR_TRUNCATED : TANDEM_OK;
}

static enum tandem_status inspect_mcuboot(struct tandem_image_info *info, const struct tandem_source *source,
                                          const struct tandem_crypto_port *crypto)
{
    struct tandem_mcuboot_info image;
    enum tandem_status status = tandem_mcuboot_inspect(&image, source, crypto);

    if (status != TANDEM_OK)
        return status;
    info->kind = TANDEM_KIND_APPLICATION;
    info->version = image.version;
    info->has_version = 1;
    info->parts = 1;
    info->size = image.total_size;
    info->payload_offset = image.header_size;
    info->payload_size = image.image_size;
    info->load_address = image.load_address;
    info->has_address = image.load_address != 0;
    if (image.has_digest)
        info->integrity = info->checked = TANDEM_INTEGRITY_SHA256;
    if (image.has_digest && !image.digest_holds)
        info->broken = TANDEM_INTEGRITY_SHA256;
    if (image.signature_count > 0 || image.other_signatures > 0)
        info->integrity |= TANDEM_INTEGRITY_SIGNATURE;
    return TANDEM_OK;
}

/* One Realtek image that begins at `offset`; what it says is added to what is there. */
static enum tandem_status inspect_realtek(struct tandem_image_info *info, const struct tandem_source *source,
                                          uint32_t offset, uint32_t size, const struct tandem_crypto_port *crypto)
{
    struct tandem_image_part part;
    struct tandem_realtek_header image;
    struct tandem_realtek_check check;
    enum tandem_status status = tandem_image_part(&part, source, offset, size);

    if (status == TANDEM_OK)
        status = tandem_realtek_image_find(&image, &part.source);
    if (status == TANDEM_OK)
        status = tandem_realtek_check_whole(&check, &image, &part.source, crypto);
    if (status != TANDEM_OK && status != TANDEM_ERROR_DIGEST)
        return status;
    info->integrity |= check.integrity;
    info->checked |= check.integrity;
    info->broken |= check.broken;
    info->kind = tandem_realtek_image_kind(image.control.image);
    info->has_version = (uint8_t)tandem_realtek_image_version(&image, &part.source, &info->version);
    info->parts++;
    info->size = offset + image.size;
    info->payload_offset = offset + image.layout.header;
    info->payload_size = image.control.payload;
    return TANDEM_OK;
}

static enum tandem_status inspect_image_file(struct tandem_image_info *info, const struct tandem_source *source,
                                             const struct tandem_crypto_port *crypto)
{
    uint8_t bytes[TANDEM_MP_HEADER_SIZE];
    struct tandem_mp_header header;
    enum tandem_status status = tandem_image_read(source, 0, bytes, sizeof bytes);

    if (status == TANDEM_OK)
        status = tandem_mp_header_read(&header, bytes);
    if (status == TANDEM_OK)
        status = inspect_realtek(info, source, TANDEM_MP_HEADER_SIZE, source->size - TANDEM_MP_HEADER_SIZE, crypto);
    if (status == TANDEM_OK && (header.has & TANDEM_MP_ADDRESS)) {
        info->load_address = header.address;
        info->has_address = 1;
    }
    return status;
}

/* A pack that begins at `offset`. */
static enum tandem_status inspect_pack(struct tandem_image_info *info, const struct tandem_source *source,
                                       uint32_t offset, uint32_t size, const struct tandem_crypto_port *crypto)
{
    struct tandem_image_part part;
    struct tandem_mppack pack;
    enum tandem_status status = tandem_image_part(&part, source, offset, size);

    if (status == TANDEM_OK)
        status = tandem_mppack_open(&pack, &part.source);
    for (uint16_t i = 0; status == TANDEM_OK && i < pack.count; i++) {
        struct tandem_mppack_file file;

        status = tandem_mppack_file(&pack, i, &file);
        if (status == TANDEM_OK && !file.is_compressed)
            status = inspect_realtek(info, &part.source, file.offset + TANDEM_MP_HEADER_SIZE,
                                     file.size - TANDEM_MP_HEADER_SIZE, crypto);
        else if (status == TANDEM_OK)
            info->parts++;
    }
    if (status == TANDEM_OK) {
        info->kind = 0;
        info->has_version = 0;
        info->size = offset + size;
        info->payload_offset = offset + pack.data_at;
        info->payload_size = pack.size - pack.data_at;
    }
    return status;
}

static enum tandem_status inspect_pair(struct tandem_image_info *info, const struct tandem_source *source,
                                       const struct tandem_crypto_port *crypto)
{
    struct tandem_realtek_pair pair;
    enum tandem_status status = tandem_realtek_pair_open(&pair, source);

    for (uint32_t i = 0; status == TANDEM_OK && i < pair.count; i++)
        status = inspect_pack(info, source, pair.packs[i].offset, pair.packs[i].size, crypto);
    if (status == TANDEM_OK) {
        info->payload_offset = pair.packs[0].offset;
        info->payload_size = source->size - info->payload_offset;
    }
    return status;
}

static enum tandem_status inspect_dfu(struct tandem_image_info *info, const struct tandem_source *source)
{
    struct tandem_dfu_suffix suffix;
    enum tandem_status status = tandem_dfu_suffix_read(&suffix, source);

    if (status != TANDEM_OK && status != TANDEM_ERROR_DIGEST)
        return status;
    info->integrity = info->checked = TANDEM_INTEGRITY_CRC32;
    if (status != TANDEM_OK)
        info->broken = TANDEM_INTEGRITY_CRC32;
    info->parts = 1;
    info->payload_size = source->size - suffix.size;
    return TANDEM_OK;
}

static enum tandem_status inspect_dfuse(struct tandem_image_info *info, const struct tandem_source *source)
{
    struct tandem_dfuse file;
    struct tandem_dfuse_element element;
    enum tandem_status status = tandem_dfuse_open(&file, source);

    if (status != TANDEM_OK && status != TANDEM_ERROR_DIGEST)
        return status;
    if (file.has_suffix)
        info->integrity = info->checked = TANDEM_INTEGRITY_CRC32;
    if (status != TANDEM_OK)
        info->broken = TANDEM_INTEGRITY_CRC32;
    info->parts = (uint16_t)(file.elements > 0xFFFF ? 0xFFFF : file.elements);
    memset(&element, 0, sizeof element);
    status = tandem_dfuse_next(&file, &element);
    if (status != TANDEM_OK)
        return status == TANDEM_ERROR_NOTHING ? TANDEM_OK : status;
    info->payload_offset = element.offset;
    info->payload_size = element.size;
    info->load_address = element.address;
    info->has_address = 1;
    return TANDEM_OK;
}

static enum tandem_status inspect_hex(struct tandem_image_info *info, const struct tandem_source *source)
{
    struct tandem_hex hex;
    enum tandem_status status = tandem_hex_read(&hex, source);

    if (status != TANDEM_OK)
        return status;
    info->parts = hex.bytes > 0;
    info->payload_size = hex.bytes;
    info->load_address = hex.first;
    info->has_address = hex.bytes > 0;
    return TANDEM_OK;
}

enum tandem_status tandem_image_inspect(struct tandem_image_info *info, const struct tandem_source *source,
                                        const struct tandem_crypto_port *crypto)
{
    memset(info, 0, sizeof *info);
    info->format = (uint8_t)tandem_image_format(source);
    info->size = source->size;
    switch (info->format) {
    case TANDEM_FORMAT_PACKAGE:
        return inspect_package(info, source, crypto);
    case TANDEM_FORMAT_MCUBOOT:
        return inspect_mcuboot(info, source, crypto);
    case TANDEM_FORMAT_REALTEK:
        return inspect_realtek(info, source, 0, source->size, crypto);
    case TANDEM_FORMAT_REALTEK_FILE:
        return inspect_image_file(info, source, crypto);
    case TANDEM_FORMAT_REALTEK_PACK:
        return inspect_pack(info, source, 0, source->size, crypto);
    case TANDEM_FORMAT_REALTEK_PAIR:
        return inspect_pair(info, source, crypto);
    case TANDEM_FORMAT_DFU:
        return inspect_dfu(info, source);
    case TANDEM_FORMAT_DFUSE:
        return inspect_dfuse(info, source);
    case TANDEM_FORMAT_INTEL_HEX:
        return inspect_hex(info, source);
    default:
        info->payload_size = source->size;
        return TANDEM_OK;
    }
}
