/*
 * The package's reader: header, manifest, signatures. Everything in it comes
 * from outside, so every length is checked before it is used, and what is not
 * understood and critical is refused. docs/package.md is the specification.
 */
#include "tandem/package.h"

#include <string.h>

#include "core/bytes.h"
#include "core/crypto_port.h"
#include "core/package_wire.h"

/* A walk over fields. */
struct fields {
    const uint8_t *at;  /* next field */
    const uint8_t *end; /* one past the last */
};

struct field {
    uint16_t type;
    uint16_t size;
    const uint8_t *value;
};

/* Take the next field. TANDEM_ERROR_NOTHING at the end. */
static enum tandem_status next_field(struct fields *fields, struct field *field)
{
    size_t left = (size_t)(fields->end - fields->at);
    if (left == 0)
        return TANDEM_ERROR_NOTHING;
    if (left < FIELD_HEAD)
        return TANDEM_ERROR_FORMAT;
    field->type = tandem_load_le16(fields->at);
    field->size = tandem_load_le16(fields->at + 2);
    field->value = fields->at + FIELD_HEAD;
    if (field->size > left - FIELD_HEAD)
        return TANDEM_ERROR_FORMAT;
    fields->at = field->value + field->size;
    return TANDEM_OK;
}

enum tandem_status tandem_package_header(struct tandem_package_header *header,
                                         const uint8_t bytes[TANDEM_PACKAGE_HEADER_SIZE])
{
    if (tandem_load_le32(bytes + HEADER_MAGIC) != TANDEM_PACKAGE_MAGIC)
        return TANDEM_ERROR_FORMAT;
    if ((tandem_crc32(TANDEM_CRC32_START, bytes, HEADER_CRC) ^ 0xFFFFFFFFu) != tandem_load_le32(bytes + HEADER_CRC))
        return TANDEM_ERROR_FORMAT;
    if (bytes[HEADER_FORMAT] != PACKAGE_FORMAT || bytes[HEADER_FLAGS] != 0 ||
        tandem_load_le16(bytes + HEADER_SIZE) != TANDEM_PACKAGE_HEADER_SIZE)
        return TANDEM_ERROR_UNSUPPORTED;
    header->manifest_size = tandem_load_le16(bytes + HEADER_MANIFEST_SIZE);
    header->signatures_size = tandem_load_le16(bytes + HEADER_SIGNATURES_SIZE);
    header->head_size = TANDEM_PACKAGE_HEADER_SIZE + header->manifest_size + header->signatures_size;
    header->package_size = tandem_load_le32(bytes + HEADER_PACKAGE_SIZE);
    return header->package_size > header->head_size ? TANDEM_OK : TANDEM_ERROR_FORMAT;
}

/* Data bytes in a payload whose blocks chain by digests; 0 if the sizes cannot be. */
static uint32_t payload_data_size(uint32_t payload_size, uint32_t block_size)
{
    uint32_t whole = block_size + TANDEM_BLOCK_DIGEST_SIZE;
    if (payload_size == 0)
        return 0;
    uint32_t chained = (payload_size - 1) / whole; /* blocks that carry a digest: all but the last */
    uint32_t last = payload_size - chained * whole;
    return last <= block_size ? chained * block_size + last : 0;
}

static enum tandem_status parse_dependency(struct tandem_image *image, const struct field *field)
{
    if (field->size != DEPENDENCY_SIZE || field->value[0] == 0)
        return TANDEM_ERROR_FORMAT;
    if (image->dependency_count == TANDEM_DEPENDENCIES_MAX)
        return TANDEM_ERROR_UNSUPPORTED;
    struct tandem_dependency *dependency = &image->dependencies[image->dependency_count++];
    dependency->kind = field->value[0];
    tandem_version_load(&dependency->minimum, field->value + 1);
    return TANDEM_OK;
}

static void load_image(struct tandem_image *image, const uint8_t *bytes)
{
    image->kind = bytes[IMAGE_KIND];
    image->variant = bytes[IMAGE_VARIANT];
    image->encoding = bytes[IMAGE_ENCODING];
    tandem_version_load(&image->version, bytes + IMAGE_VERSION);
    image->load_address = tandem_load_le32(bytes + IMAGE_LOAD_ADDRESS);
    image->size = tandem_load_le32(bytes + IMAGE_SIZE);
    image->payload_offset = tandem_load_le32(bytes + IMAGE_PAYLOAD_OFFSET);
    image->payload_size = tandem_load_le32(bytes + IMAGE_PAYLOAD_SIZE);
    image->block_size = tandem_load_le16(bytes + IMAGE_BLOCK_SIZE);
    memcpy(image->digest, bytes + IMAGE_DIGEST, sizeof image->digest);
    memcpy(image->first_block, bytes + IMAGE_FIRST_BLOCK, sizeof image->first_block);
    image->dependency_count = 0;
}

static int block_size_valid(uint32_t size)
{
    return size >= TANDEM_BLOCK_SIZE_MIN && size <= TANDEM_BLOCK_SIZE_MAX && (size & (size - 1)) == 0;
}

/* The values of an image's fixed part, each alone and against the others. */
static enum tandem_status check_image(const struct tandem_image *image, const uint8_t *bytes)
{
    if (image->kind == 0 || (image->variant > 1 && image->variant != TANDEM_VARIANT_ANY) ||
        bytes[IMAGE_RESERVED] != 0 || tandem_load_le16(bytes + IMAGE_RESERVED2) != 0)
        return TANDEM_ERROR_FORMAT;
    if (image->encoding != TANDEM_ENCODING_PLAIN)
        return TANDEM_ERROR_UNSUPPORTED;
    if (!block_size_valid(image->block_size) || image->size == 0 ||
        payload_data_size(image->payload_size, image->block_size) != image->size)
        return TANDEM_ERROR_FORMAT;
    return TANDEM_OK;
}

enum tandem_status tandem_image_parse(struct tandem_image *image, const uint8_t *value, size_t size)
{
    if (size < IMAGE_FIXED)
        return TANDEM_ERROR_FORMAT;
    if (size > IMAGE_FIELD_MAX)
        return TANDEM_ERROR_UNSUPPORTED;
    load_image(image, value);
    enum tandem_status status = check_image(image, value);
    if (status != TANDEM_OK)
        return status;

    struct fields fields = {value + IMAGE_FIXED, value + size};
    struct field field;
    while ((status = next_field(&fields, &field)) == TANDEM_OK) {
        if (field.type == IMAGE_FIELD_DEPENDENCY)
            status = parse_dependency(image, &field);
        else if (field.type & FIELD_CRITICAL)
            status = TANDEM_ERROR_UNSUPPORTED;
        if (status != TANDEM_OK)
            return status;
    }
    return status == TANDEM_ERROR_NOTHING ? TANDEM_OK : status;
}

static enum tandem_status parse_name(const uint8_t **name, uint8_t *name_size, const struct field *field)
{
    if (field->size == 0 || field->size > TANDEM_NAME_SIZE_MAX)
        return TANDEM_ERROR_FORMAT;
    for (uint16_t i = 0; i < field->size; i++)
        if (field->value[i] < 0x20 || field->value[i] == 0x7F)
            return TANDEM_ERROR_FORMAT; /* names are printed: no control characters */
    *name = field->value;
    *name_size = (uint8_t)field->size;
    return TANDEM_OK;
}

static enum tandem_status parse_version(struct tandem_version *version, const struct field *field)
{
    if (field->size != TANDEM_VERSION_WIRE_SIZE)
        return TANDEM_ERROR_FORMAT;
    tandem_version_load(version, field->value);
    return TANDEM_OK;
}

/* A list of equal items. */
static enum tandem_status parse_list(const uint8_t **items, uint8_t *count, const struct field *field, uint16_t size)
{
    if (field->size == 0 || field->size % size != 0 || field->size / size > 255)
        return TANDEM_ERROR_FORMAT;
    *items = field->value;
    *count = (uint8_t)(field->size / size);
    return TANDEM_OK;
}

static enum tandem_status parse_field(struct tandem_manifest *manifest, const struct field *field)
{
    struct tandem_image image;
    switch (field->type) {
    case FIELD_VENDOR:
        return parse_name(&manifest->vendor, &manifest->vendor_size, field);
    case FIELD_PRODUCT:
        return parse_name(&manifest->product, &manifest->product_size, field);
    case FIELD_HARDWARE:
        return parse_list(&manifest->hardware, &manifest->hardware_count, field, 4);
    case FIELD_VERSION:
        return parse_version(&manifest->version, field);
    case FIELD_MINIMUM:
        return parse_version(&manifest->minimum, field);
    case FIELD_COUNTER:
        if (field->size != 4)
            return TANDEM_ERROR_FORMAT;
        manifest->counter = tandem_load_le32(field->value);
        return TANDEM_OK;
    case FIELD_REVOKE:
        return parse_list(&manifest->revoked, &manifest->revoked_count, field, TANDEM_KEY_ID_SIZE);
    case FIELD_IMAGE:
        if (manifest->image_count == TANDEM_CONFIG_MAX_IMAGES)
            return TANDEM_ERROR_TOO_LARGE;
        manifest->image_count++;
        return tandem_image_parse(&image, field->value, field->size);
    case FIELD_DESCRIPTION:
        manifest->description = field->value;
        manifest->description_size = field->size;
        return TANDEM_OK;
    default:
        return field->type & FIELD_CRITICAL ? TANDEM_ERROR_UNSUPPORTED : TANDEM_OK;
    }
}

/* Fields stand in ascending order of their type (without the critical bit); only images repeat. */
static enum tandem_status parse_fields(struct tandem_manifest *manifest)
{
    struct fields fields = {manifest->head + TANDEM_PACKAGE_HEADER_SIZE,
                            manifest->head + TANDEM_PACKAGE_HEADER_SIZE + manifest->header.manifest_size};
    struct field field;
    enum tandem_status status;
    unsigned last = 0, version_seen = 0, counter_seen = 0;
    while ((status = next_field(&fields, &field)) == TANDEM_OK) {
        unsigned order = field.type & ~FIELD_CRITICAL;
        if (order < last || (order == last && field.type != FIELD_IMAGE))
            return TANDEM_ERROR_FORMAT;
        last = order;
        version_seen |= field.type == FIELD_VERSION;
        counter_seen |= field.type == FIELD_COUNTER;
        status = parse_field(manifest, &field);
        if (status != TANDEM_OK)
            return status;
    }
    if (status != TANDEM_ERROR_NOTHING)
        return status;
    if (manifest->vendor == NULL || manifest->product == NULL || !version_seen || !counter_seen ||
        manifest->image_count == 0)
        return TANDEM_ERROR_FORMAT;
    return TANDEM_OK;
}

enum tandem_status tandem_manifest_image(const struct tandem_manifest *manifest, uint8_t index,
                                         struct tandem_image *image)
{
    struct fields fields = {manifest->head + TANDEM_PACKAGE_HEADER_SIZE,
                            manifest->head + TANDEM_PACKAGE_HEADER_SIZE + manifest->header.manifest_size};
    struct field field;
    while (next_field(&fields, &field) == TANDEM_OK)
        if (field.type == FIELD_IMAGE && index-- == 0)
            return tandem_image_parse(image, field.value, field.size);
    return TANDEM_ERROR_ARGUMENT;
}

enum tandem_status tandem_manifest_find(const struct tandem_manifest *manifest, uint8_t kind, uint8_t bank,
                                        struct tandem_image *image)
{
    for (uint8_t i = 0; tandem_manifest_image(manifest, i, image) == TANDEM_OK; i++)
        if (image->kind == kind && (image->variant == bank || image->variant == TANDEM_VARIANT_ANY))
            return TANDEM_OK;
    return TANDEM_ERROR_INCOMPLETE;
}

/* Payloads follow the head one after the other to the package's end, and no bank has two images of a kind. */
static enum tandem_status check_payloads(const struct tandem_manifest *manifest)
{
    struct tandem_image image;
    uint32_t at = manifest->header.head_size;
    for (uint8_t i = 0; tandem_manifest_image(manifest, i, &image) == TANDEM_OK; i++) {
        if (image.payload_offset != at || image.payload_size > manifest->header.package_size - at)
            return TANDEM_ERROR_FORMAT;
        at += image.payload_size;
        struct tandem_image other;
        for (uint8_t j = 0; j < i; j++) {
            tandem_manifest_image(manifest, j, &other);
            if (other.kind == image.kind && (other.variant == image.variant || other.variant == TANDEM_VARIANT_ANY ||
                                             image.variant == TANDEM_VARIANT_ANY))
                return TANDEM_ERROR_FORMAT;
        }
    }
    return at == manifest->header.package_size ? TANDEM_OK : TANDEM_ERROR_FORMAT;
}

enum tandem_status tandem_manifest_parse(struct tandem_manifest *manifest, const struct tandem_crypto_port *crypto,
                                         const uint8_t *head, size_t size)
{
    memset(manifest, 0, sizeof *manifest);
    if (size < TANDEM_PACKAGE_HEADER_SIZE)
        return TANDEM_ERROR_TRUNCATED;
    enum tandem_status status = tandem_package_header(&manifest->header, head);
    if (status != TANDEM_OK)
        return status;
    if (size < manifest->header.head_size)
        return TANDEM_ERROR_TRUNCATED;
    manifest->head = head;
    status = parse_fields(manifest);
    if (status == TANDEM_OK)
        status = check_payloads(manifest);
    if (status == TANDEM_OK)
        status =
            tandem_sha256(crypto, head, TANDEM_PACKAGE_HEADER_SIZE + manifest->header.manifest_size, manifest->digest);
    memcpy(manifest->id, manifest->digest, sizeof manifest->id);
    return status;
}

int tandem_manifest_fits_hardware(const struct tandem_manifest *manifest, uint16_t revision)
{
    for (uint8_t i = 0; i < manifest->hardware_count; i++) {
        const uint8_t *pair = manifest->hardware + 4u * i;
        if (revision >= tandem_load_le16(pair) && revision <= tandem_load_le16(pair + 2))
            return 1;
    }
    return manifest->hardware_count == 0;
}

enum tandem_status tandem_key_id(const struct tandem_crypto_port *crypto, const struct tandem_key *key,
                                 uint8_t id[TANDEM_KEY_ID_SIZE])
{
    struct tandem_sha256 hash;
    uint8_t digest[TANDEM_SHA256_SIZE];
    size_t size = key->type == TANDEM_KEY_P256 ? TANDEM_P256_KEY_SIZE : TANDEM_ED25519_KEY_SIZE;
    enum tandem_status status = tandem_sha256_init(&hash, crypto);
    if (status == TANDEM_OK)
        status = tandem_sha256_update(&hash, &key->type, 1);
    if (status == TANDEM_OK)
        status = tandem_sha256_update(&hash, key->key, size);
    if (status == TANDEM_OK)
        status = tandem_sha256_final(&hash, digest);
    memcpy(id, digest, TANDEM_KEY_ID_SIZE);
    return status;
}

/* One signature against one key. An algorithm that the build leaves out is not linked. */
static enum tandem_status verify_one(const struct tandem_manifest *manifest, const struct tandem_crypto_port *crypto,
                                     const struct tandem_key *key, const uint8_t *signature)
{
    uint8_t message[SIGNED_SIZE];
    memcpy(message, SIGNED_PREFIX, SIGNED_PREFIX_SIZE);
    memcpy(message + SIGNED_PREFIX_SIZE, manifest->digest, TANDEM_SHA256_SIZE);
    if (TANDEM_CONFIG_ED25519 && key->type == TANDEM_KEY_ED25519)
        return tandem_port_ed25519_verify(crypto, signature, key->key, message, sizeof message);
    if (!TANDEM_CONFIG_P256 || key->type != TANDEM_KEY_P256)
        return TANDEM_ERROR_NOT_SUPPORTED;
    uint8_t digest[TANDEM_SHA256_SIZE];
    enum tandem_status status = tandem_sha256(crypto, message, sizeof message, digest);
    return status == TANDEM_OK ? tandem_port_p256_verify(crypto, signature, key->key, digest) : status;
}

/* The key that a signature entry names: its index, or `count`. */
static uint8_t find_key(const struct tandem_crypto_port *crypto, const struct field *entry,
                        const struct tandem_key *keys, uint8_t count)
{
    uint8_t id[TANDEM_KEY_ID_SIZE];
    uint8_t i = 0;
    for (; i < count; i++)
        if (keys[i].type == entry->type && tandem_key_id(crypto, &keys[i], id) == TANDEM_OK &&
            memcmp(id, entry->value, sizeof id) == 0)
            break;
    return i;
}

enum tandem_status tandem_manifest_verify(const struct tandem_manifest *manifest,
                                          const struct tandem_crypto_port *crypto, const struct tandem_key *keys,
                                          uint8_t count, uint32_t revoked, uint8_t needed)
{
    const uint8_t *begin = manifest->head + TANDEM_PACKAGE_HEADER_SIZE + manifest->header.manifest_size;
    struct fields entries = {begin, begin + manifest->header.signatures_size};
    struct field entry;
    uint32_t signers = 0;
    uint8_t good = 0, withdrawn = 0;
    enum tandem_status status;
    if (manifest->header.signatures_size == 0)
        return TANDEM_ERROR_UNSIGNED;
    while ((status = next_field(&entries, &entry)) == TANDEM_OK) {
        if (entry.size != SIGNATURE_VALUE_SIZE)
            continue; /* an algorithm that is not known here: somebody else's signature */
        uint8_t key = find_key(crypto, &entry, keys, count);
        if (key == count || (signers >> key & 1))
            continue;
        if (revoked >> key & 1) {
            withdrawn = 1;
            continue;
        }
        status = verify_one(manifest, crypto, &keys[key], entry.value + TANDEM_KEY_ID_SIZE);
        if (status != TANDEM_OK)
            return status;
        signers |= 1u << key;
        good++;
    }
    if (status != TANDEM_ERROR_NOTHING)
        return status;
    if (good >= needed && good > 0)
        return TANDEM_OK;
    return withdrawn ? TANDEM_ERROR_REVOKED : TANDEM_ERROR_KEY;
}

enum tandem_status tandem_block_digest(const struct tandem_crypto_port *crypto, const uint8_t *block, size_t size,
                                       uint8_t digest[TANDEM_BLOCK_DIGEST_SIZE])
{
    uint8_t whole[TANDEM_SHA256_SIZE];
    enum tandem_status status = tandem_sha256(crypto, block, size, whole);
    memcpy(digest, whole, TANDEM_BLOCK_DIGEST_SIZE);
    return status;
}
