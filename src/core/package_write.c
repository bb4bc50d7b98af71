/*
 * The package's writer, for hosts and build tools: lays out the manifest,
 * chains the payload's blocks from the last to the first, and has the head
 * signed. docs/package.md is the specification.
 */
#include <string.h>

#include "core/bytes.h"
#include "core/package_wire.h"
#include "tandem/package.h"

/* Where the next field goes. */
struct writer {
    uint8_t *at;
};

static size_t name_size(const char *name)
{
    size_t size = 0;
    while (size <= TANDEM_NAME_SIZE_MAX && name[size] != '\0')
        size++;
    return size;
}

/* Names are printed: 1 to 31 bytes, no control characters. */
static int name_valid(const char *name)
{
    size_t size = name == NULL ? 0 : name_size(name);
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)name[i] < 0x20 || name[i] == 0x7F)
            return 0;
    return size > 0 && size <= TANDEM_NAME_SIZE_MAX;
}

static size_t text_size(const char *text)
{
    size_t size = 0;
    while (text != NULL && size < 0x10000u && text[size] != '\0')
        size++;
    return size;
}

static uint32_t image_field_size(const struct tandem_pack_image *image)
{
    return FIELD_HEAD + IMAGE_FIXED + image->dependency_count * (uint32_t)(FIELD_HEAD + DEPENDENCY_SIZE);
}

static uint32_t optional_field(size_t size)
{
    return size == 0 ? 0 : FIELD_HEAD + (uint32_t)size;
}

static uint32_t manifest_size(const struct tandem_pack *pack)
{
    static const struct tandem_version none = {0, 0, 0, 0};
    uint32_t size = 2 * FIELD_HEAD + (uint32_t)name_size(pack->vendor) + (uint32_t)name_size(pack->product);
    size += optional_field(4u * pack->hardware_count);
    size += FIELD_HEAD + TANDEM_VERSION_WIRE_SIZE;
    size += optional_field(tandem_version_compare(&pack->minimum, &none) ? TANDEM_VERSION_WIRE_SIZE : 0);
    size += FIELD_HEAD + 4;
    size += optional_field((size_t)TANDEM_KEY_ID_SIZE * pack->revoke_count);
    for (uint8_t i = 0; i < pack->image_count; i++)
        size += image_field_size(&pack->images[i]);
    return size + optional_field(text_size(pack->description));
}

static uint32_t signatures_size(const struct tandem_pack *pack)
{
    return pack->signer_count * (uint32_t)(FIELD_HEAD + SIGNATURE_VALUE_SIZE);
}

/* Payload bytes of an image; 0 when there would be too many. */
static uint32_t payload_size(uint32_t size, uint32_t block_size)
{
    uint32_t chained = (size - 1) / block_size;
    if (chained > (0xFFFFFFFFu - size) / TANDEM_BLOCK_DIGEST_SIZE)
        return 0;
    return size + chained * TANDEM_BLOCK_DIGEST_SIZE;
}

/* One image alone, and against those before it: no bank may get two of a kind. */
static int image_valid(const struct tandem_pack *pack, uint8_t index)
{
    const struct tandem_pack_image *image = &pack->images[index];
    if (image->kind == 0 || image->data == NULL || image->size == 0 ||
        image->dependency_count > TANDEM_DEPENDENCIES_MAX ||
        (image->variant > 1 && image->variant != TANDEM_VARIANT_ANY))
        return 0;
    for (uint8_t i = 0; i < image->dependency_count; i++)
        if (image->dependencies[i].kind == 0)
            return 0;
    for (uint8_t i = 0; i < index; i++) {
        const struct tandem_pack_image *other = &pack->images[i];
        if (other->kind == image->kind && (other->variant == image->variant || other->variant == TANDEM_VARIANT_ANY ||
                                           image->variant == TANDEM_VARIANT_ANY))
            return 0;
    }
    return 1;
}

/* Whether a reader will accept what these fields say. */
static int pack_valid(const struct tandem_pack *pack)
{
    uint16_t block = pack->block_size;
    if (!name_valid(pack->vendor) || !name_valid(pack->product) || pack->images == NULL || pack->image_count == 0 ||
        pack->image_count > TANDEM_CONFIG_MAX_IMAGES || block < TANDEM_BLOCK_SIZE_MIN ||
        block > TANDEM_BLOCK_SIZE_MAX || (block & (block - 1)) != 0)
        return 0;
    if ((pack->hardware_count != 0 && pack->hardware == NULL) || (pack->revoke_count != 0 && pack->revoke == NULL) ||
        (pack->signer_count != 0 && pack->signers == NULL))
        return 0;
    for (uint8_t i = 0; i < pack->image_count; i++)
        if (!image_valid(pack, i))
            return 0;
    return 1;
}

enum tandem_status tandem_pack_size(const struct tandem_pack *pack, uint32_t *size)
{
    if (!pack_valid(pack))
        return TANDEM_ERROR_ARGUMENT;
    if (text_size(pack->description) > 0x4000u)
        return TANDEM_ERROR_TOO_LARGE;
    /* At most 16 KB of text, 3 KB of lists, and images of at most 192 bytes: far below 64 KB. */
    uint32_t total = TANDEM_PACKAGE_HEADER_SIZE + manifest_size(pack) + signatures_size(pack);
    for (uint8_t i = 0; i < pack->image_count; i++) {
        uint32_t payload = payload_size(pack->images[i].size, pack->block_size);
        if (payload == 0 || payload > 0xFFFFFFFFu - total)
            return TANDEM_ERROR_TOO_LARGE;
        total += payload;
    }
    *size = total;
    return TANDEM_OK;
}

/* Open a field; its value follows at the returned place. */
static uint8_t *put_field(struct writer *writer, uint16_t type, size_t size)
{
    uint8_t *value = writer->at + FIELD_HEAD;
    tandem_store_le16(writer->at, type);
    tandem_store_le16(writer->at + 2, (uint16_t)size);
    writer->at = value + size;
    return value;
}

static void put_bytes(struct writer *writer, uint16_t type, const void *bytes, size_t size)
{
    if (size != 0)
        memcpy(put_field(writer, type, size), bytes, size);
}

/* Lay out one payload and chain its blocks, last to first. */
static enum tandem_status put_payload(uint8_t *payload, const struct tandem_pack_image *image, uint32_t block_size,
                                      const struct tandem_crypto_port *crypto, uint8_t first[TANDEM_BLOCK_DIGEST_SIZE])
{
    uint32_t count = (image->size - 1) / block_size + 1;
    for (uint32_t i = count; i-- > 0;) {
        uint8_t *block = payload + i * (block_size + TANDEM_BLOCK_DIGEST_SIZE);
        uint32_t size = i + 1 == count ? image->size - i * block_size : block_size;
        memcpy(block, image->data + i * block_size, size);
        if (i + 1 < count) {
            memcpy(block + size, first, TANDEM_BLOCK_DIGEST_SIZE);
            size += TANDEM_BLOCK_DIGEST_SIZE;
        }
        enum tandem_status status = tandem_block_digest(crypto, block, size, first);
        if (status != TANDEM_OK)
            return status;
    }
    return TANDEM_OK;
}

static void put_dependencies(struct writer *writer, const struct tandem_pack_image *image)
{
    for (uint8_t i = 0; i < image->dependency_count; i++) {
        uint8_t *value = put_field(writer, IMAGE_FIELD_DEPENDENCY, DEPENDENCY_SIZE);
        value[0] = image->dependencies[i].kind;
        tandem_version_store(&image->dependencies[i].minimum, value + 1);
    }
}

static enum tandem_status put_image(struct writer *writer, const struct tandem_pack *pack,
                                    const struct tandem_pack_image *image, const struct tandem_crypto_port *crypto,
                                    uint8_t *package, uint32_t offset)
{
    uint8_t *value = put_field(writer, FIELD_IMAGE, image_field_size(image) - FIELD_HEAD);
    memset(value, 0, IMAGE_FIXED);
    value[IMAGE_KIND] = image->kind;
    value[IMAGE_VARIANT] = image->variant;
    value[IMAGE_ENCODING] = TANDEM_ENCODING_PLAIN;
    tandem_version_store(&image->version, value + IMAGE_VERSION);
    tandem_store_le32(value + IMAGE_LOAD_ADDRESS, image->load_address);
    tandem_store_le32(value + IMAGE_SIZE, image->size);
    tandem_store_le32(value + IMAGE_PAYLOAD_OFFSET, offset);
    tandem_store_le32(value + IMAGE_PAYLOAD_SIZE, payload_size(image->size, pack->block_size));
    tandem_store_le16(value + IMAGE_BLOCK_SIZE, pack->block_size);
    struct writer nested = {value + IMAGE_FIXED};
    put_dependencies(&nested, image);
    enum tandem_status status = tandem_sha256(crypto, image->data, image->size, value + IMAGE_DIGEST);
    if (status == TANDEM_OK)
        status = put_payload(package + offset, image, pack->block_size, crypto, value + IMAGE_FIRST_BLOCK);
    return status;
}

static void put_header(uint8_t *out, const struct tandem_pack *pack, uint32_t size)
{
    tandem_store_le32(out + HEADER_MAGIC, TANDEM_PACKAGE_MAGIC);
    out[HEADER_FORMAT] = PACKAGE_FORMAT;
    out[HEADER_FLAGS] = 0;
    tandem_store_le16(out + HEADER_SIZE, TANDEM_PACKAGE_HEADER_SIZE);
    tandem_store_le16(out + HEADER_MANIFEST_SIZE, (uint16_t)manifest_size(pack));
    tandem_store_le16(out + HEADER_SIGNATURES_SIZE, (uint16_t)signatures_size(pack));
    tandem_store_le32(out + HEADER_PACKAGE_SIZE, size);
    tandem_store_le32(out + HEADER_CRC, tandem_crc32(TANDEM_CRC32_START, out, HEADER_CRC) ^ 0xFFFFFFFFu);
}

/* The fields before the images. */
static void put_identity(struct writer *writer, const struct tandem_pack *pack)
{
    static const struct tandem_version none = {0, 0, 0, 0};
    uint8_t version[TANDEM_VERSION_WIRE_SIZE];
    put_bytes(writer, FIELD_VENDOR, pack->vendor, name_size(pack->vendor));
    put_bytes(writer, FIELD_PRODUCT, pack->product, name_size(pack->product));
    if (pack->hardware_count != 0) {
        uint8_t *value = put_field(writer, FIELD_HARDWARE, 4u * pack->hardware_count);
        for (uint8_t i = 0; i < pack->hardware_count; i++) {
            tandem_store_le16(value + 4u * i, pack->hardware[i][0]);
            tandem_store_le16(value + 4u * i + 2, pack->hardware[i][1]);
        }
    }
    tandem_version_store(&pack->version, version);
    put_bytes(writer, FIELD_VERSION, version, sizeof version);
    tandem_version_store(&pack->minimum, version);
    if (tandem_version_compare(&pack->minimum, &none) != 0)
        put_bytes(writer, FIELD_MINIMUM, version, sizeof version);
    tandem_store_le32(put_field(writer, FIELD_COUNTER, 4), pack->counter);
    put_bytes(writer, FIELD_REVOKE, pack->revoke, (size_t)TANDEM_KEY_ID_SIZE * pack->revoke_count);
}

static enum tandem_status put_signatures(struct writer *writer, const struct tandem_pack *pack,
                                         const struct tandem_crypto_port *crypto, const uint8_t *out, size_t size)
{
    uint8_t message[SIGNED_SIZE];
    memcpy(message, SIGNED_PREFIX, SIGNED_PREFIX_SIZE);
    enum tandem_status status = tandem_sha256(crypto, out, size, message + SIGNED_PREFIX_SIZE);
    for (uint8_t i = 0; i < pack->signer_count && status == TANDEM_OK; i++) {
        const struct tandem_signer *signer = &pack->signers[i];
        uint8_t *value = put_field(writer, signer->key.type, SIGNATURE_VALUE_SIZE);
        status = tandem_key_id(crypto, &signer->key, value);
        if (status == TANDEM_OK)
            status = signer->sign(signer->ctx, message, sizeof message, value + TANDEM_KEY_ID_SIZE);
    }
    return status;
}

enum tandem_status tandem_pack_write(const struct tandem_pack *pack, const struct tandem_crypto_port *crypto,
                                     uint8_t *out, uint32_t size)
{
    uint32_t needed = 0;
    enum tandem_status status = tandem_pack_size(pack, &needed);
    if (status != TANDEM_OK)
        return status;
    if (size != needed)
        return TANDEM_ERROR_ARGUMENT;
    put_header(out, pack, size);
    struct writer writer = {out + TANDEM_PACKAGE_HEADER_SIZE};
    put_identity(&writer, pack);
    uint32_t offset = TANDEM_PACKAGE_HEADER_SIZE + manifest_size(pack) + signatures_size(pack);
    for (uint8_t i = 0; i < pack->image_count && status == TANDEM_OK; i++) {
        status = put_image(&writer, pack, &pack->images[i], crypto, out, offset);
        offset += payload_size(pack->images[i].size, pack->block_size);
    }
    if (status != TANDEM_OK)
        return status;
    put_bytes(&writer, FIELD_DESCRIPTION, pack->description, text_size(pack->description));
    return put_signatures(&writer, pack, crypto, out, TANDEM_PACKAGE_HEADER_SIZE + manifest_size(pack));
}
