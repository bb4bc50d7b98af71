/*
 * The package's reader: header, manifest, signatures. Everything in it comes
 * from outside, so every length is checked before it is used, and what is not
 * understood and critical is refused. docs/package.md is the specification.
 */
#include "tandem/package.h"

#include <stddef.h>
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
    /* Format, flags and size of the header at once. */
    if (tandem_load_le32(bytes + HEADER_FORMAT) != (PACKAGE_FORMAT | TANDEM_PACKAGE_HEADER_SIZE << 16))
        return TANDEM_ERROR_UNSUPPORTED;
    header->manifest_size = tandem_load_le16(bytes + HEADER_MANIFEST_SIZE);
    header->signatures_size = tandem_load_le16(bytes + HEADER_SIGNATURES_SIZE);
    header->head_size = TANDEM_PACKAGE_HEADER_SIZE + header->manifest_size + header->signatures_size;
    header->package_size = tandem_load_le32(bytes + HEADER_PACKAGE_SIZE);
    return header->package_size > header->head_size ? TANDEM_OK : TANDEM_ERROR_FORMAT;
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
#if TANDEM_WIRE_ORDER
    memcpy(image, bytes, IMAGE_RESERVED2); /* so far the struct is laid out as the wire is */
#else
    image->kind = bytes[IMAGE_KIND];
    image->variant = bytes[IMAGE_VARIANT];
    image->encoding = bytes[IMAGE_ENCODING];
    tandem_version_load(&image->version, bytes + IMAGE_VERSION);
    image->load_address = tandem_load_le32(bytes + IMAGE_LOAD_ADDRESS);
    image->size = tandem_load_le32(bytes + IMAGE_SIZE);
    image->payload_offset = tandem_load_le32(bytes + IMAGE_PAYLOAD_OFFSET);
    image->payload_size = tandem_load_le32(bytes + IMAGE_PAYLOAD_SIZE);
    image->block_size = tandem_load_le16(bytes + IMAGE_BLOCK_SIZE);
#endif
    memcpy(image->digest, bytes + IMAGE_DIGEST, sizeof image->digest);
    memcpy(image->first_block, bytes + IMAGE_FIRST_BLOCK, sizeof image->first_block);
    image->dependency_count = 0;
}

#if TANDEM_WIRE_ORDER
typedef char tandem_image_check[offsetof(struct tandem_image, variant) == IMAGE_VARIANT &&
                                        offsetof(struct tandem_image, encoding) == IMAGE_ENCODING &&
                                        offsetof(struct tandem_image, version) == IMAGE_VERSION &&
                                        offsetof(struct tandem_image, load_address) == IMAGE_LOAD_ADDRESS &&
                                        offsetof(struct tandem_image, size) == IMAGE_SIZE &&
                                        offsetof(struct tandem_image, payload_offset) == IMAGE_PAYLOAD_OFFSET &&
                                        offsetof(struct tandem_image, payload_size) == IMAGE_PAYLOAD_SIZE &&
                                        offsetof(struct tandem_image, block_size) == IMAGE_BLOCK_SIZE
                                    ? 1
                                    : -1];
#endif

/* log2 of a block size, 0 if it is none that may be. */
static uint32_t block_shift(uint32_t size)
{
    for (uint32_t shift = 9; shift <= 12; shift++)
        if (size == 1u << shift)
            return shift;
    return 0;
}

/* The values of an image's fixed part, each alone and against the others. */
static enum tandem_status check_image(const struct tandem_image *image, const uint8_t *bytes)
{
    if (image->kind == 0 || (image->variant > 1 && image->variant != TANDEM_VARIANT_ANY) ||
        (bytes[IMAGE_RESERVED] | bytes[IMAGE_RESERVED2] | bytes[IMAGE_RESERVED2 + 1]) != 0)
        return TANDEM_ERROR_FORMAT;
    if (image->encoding != TANDEM_ENCODING_PLAIN)
        return TANDEM_ERROR_UNSUPPORTED;
    uint32_t shift = block_shift(image->block_size);
    if (shift == 0 || image->size == 0)
        return TANDEM_ERROR_FORMAT;
    uint32_t digests = ((image->size - 1) >> shift) * TANDEM_BLOCK_DIGEST_SIZE; /* one a block, but for the last */
    return image->payload_size >= image->size && image->payload_size - image->size == digests ? TANDEM_OK
                                                                                              : TANDEM_ERROR_FORMAT;
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

/* What becomes of the fields FIELD_VENDOR … FIELD_REVOKE. */
#define RULES 7
#define TO(member) offsetof(struct tandem_manifest, member)
static const struct rule {
    uint8_t size;     /* bytes of an item */
    uint8_t most;     /* items, one being the least */
    uint8_t to;       /* where a pointer to the items goes, or the one item's value */
    uint8_t count_to; /* where their count goes; 0: it is a value */
} rules[RULES] = {
    {1, TANDEM_NAME_SIZE_MAX, TO(vendor), TO(vendor_size)},
    {1, TANDEM_NAME_SIZE_MAX, TO(product), TO(product_size)},
    {4, 255, TO(hardware), TO(hardware_count)},
    {TANDEM_VERSION_WIRE_SIZE, 1, TO(version), 0},
    {TANDEM_VERSION_WIRE_SIZE, 1, TO(minimum), 0},
    {4, 1, TO(counter), 0},
    {TANDEM_KEY_ID_SIZE, 255, TO(revoked), TO(revoked_count)},
};
#define RULE_OF(field) ((field)-FIELD_VENDOR)
#define NAMES 2 /* the first two are names */
#define REQUIRED                                                                                 \
    (1u << RULE_OF(FIELD_VENDOR) | 1u << RULE_OF(FIELD_PRODUCT) | 1u << RULE_OF(FIELD_VERSION) | \
     1u << RULE_OF(FIELD_COUNTER))

static enum tandem_status apply_rule(struct tandem_manifest *manifest, const struct rule *rule,
                                     const struct field *field)
{
    uint8_t *place = (uint8_t *)manifest;
    void *to = place + rule->to;
    uint32_t count = 0, left = field->size;
    for (; left >= rule->size; left -= rule->size) /* no division: small cores would link a function for it */
        count++;
    if (left != 0 || count == 0 || count > rule->most)
        return TANDEM_ERROR_FORMAT;
    if (rule->count_to != 0) {
        place[rule->count_to] = (uint8_t)count;
        *(const uint8_t **)to = field->value;
    } else if (rule->size == TANDEM_VERSION_WIRE_SIZE) {
        tandem_version_load(to, field->value);
    } else {
        *(uint32_t *)to = tandem_load_le32(field->value);
    }
    return TANDEM_OK;
}

static struct fields manifest_fields(const struct tandem_manifest *manifest)
{
    const uint8_t *begin = manifest->head + TANDEM_PACKAGE_HEADER_SIZE;
    struct fields fields = {begin, begin + manifest->header.manifest_size};
    return fields;
}

/* Take what the fields say. */
static enum tandem_status load_fields(struct tandem_manifest *manifest)
{
    struct fields fields = manifest_fields(manifest);
    struct field field;
    enum tandem_status status;
    while ((status = next_field(&fields, &field)) == TANDEM_OK) {
        uint32_t rule = RULE_OF(field.type);
        if (rule < RULES) {
            status = apply_rule(manifest, &rules[rule], &field);
        } else if (field.type == FIELD_IMAGE) {
            manifest->image_count++;
        } else if (field.type == FIELD_DESCRIPTION) {
            manifest->description = field.value;
            manifest->description_size = field.size;
        } else if (field.type & FIELD_CRITICAL) {
            status = TANDEM_ERROR_UNSUPPORTED;
        }
        if (status != TANDEM_OK)
            return status;
    }
    return status == TANDEM_ERROR_NOTHING ? TANDEM_OK : status;
}

/* Names are printed: no control characters. */
static int name_valid(const uint8_t *name, uint8_t size)
{
    for (uint8_t i = 0; i < size; i++)
        if (name[i] < 0x20 || name[i] == 0x7F)
            return 0;
    return 1;
}

/* An image: its payload begins where the one before ends, and no bank has two of a kind. */
static enum tandem_status check_entry(const struct tandem_manifest *manifest, const struct field *field,
                                      uint32_t *payload)
{
    struct tandem_image image;
    struct fields fields = manifest_fields(manifest);
    struct field other;
    enum tandem_status status = tandem_image_parse(&image, field->value, field->size);
    if (status != TANDEM_OK)
        return status;
    if (image.payload_offset != *payload || image.payload_size > manifest->header.package_size - *payload)
        return TANDEM_ERROR_FORMAT;
    *payload += image.payload_size;
    while (next_field(&fields, &other) == TANDEM_OK && other.value != field->value)
        if (other.type == FIELD_IMAGE && other.value[IMAGE_KIND] == image.kind &&
            (other.value[IMAGE_VARIANT] ^ image.variant) != 1) /* 0 and 1 alone are of different banks */
            return TANDEM_ERROR_FORMAT;
    return TANDEM_OK;
}

/* Fields stand in ascending order of their type (without the critical bit); only images repeat. */
static enum tandem_status check_fields(const struct tandem_manifest *manifest)
{
    struct fields fields = manifest_fields(manifest);
    struct field field;
    uint32_t last = 0, seen = 0, images = 0, payload = manifest->header.head_size;
    while (next_field(&fields, &field) == TANDEM_OK) {
        uint32_t order = field.type & ~FIELD_CRITICAL;
        if (order < last + (field.type != FIELD_IMAGE))
            return TANDEM_ERROR_FORMAT;
        last = order;
        if (field.type == FIELD_IMAGE) {
            enum tandem_status status =
                images++ == TANDEM_CONFIG_MAX_IMAGES ? TANDEM_ERROR_TOO_LARGE : check_entry(manifest, &field, &payload);
            if (status != TANDEM_OK)
                return status;
        } else if (RULE_OF(field.type) < RULES) {
            seen |= 1u << RULE_OF(field.type);
        }
    }
    return (seen & REQUIRED) == REQUIRED && payload == manifest->header.package_size &&
                   name_valid(manifest->vendor, manifest->vendor_size) &&
                   name_valid(manifest->product, manifest->product_size)
               ? TANDEM_OK
               : TANDEM_ERROR_FORMAT;
}

enum tandem_status tandem_manifest_image(const struct tandem_manifest *manifest, uint8_t index,
                                         struct tandem_image *image)
{
    struct fields fields = manifest_fields(manifest);
    struct field field;
    while (next_field(&fields, &field) == TANDEM_OK)
        if (field.type == FIELD_IMAGE && index-- == 0)
            return tandem_image_parse(image, field.value, field.size);
    return TANDEM_ERROR_ARGUMENT;
}

/* Find the entry for a kind and a bank. */
static int find_entry(const struct tandem_manifest *manifest, uint8_t kind, uint8_t bank, struct field *field)
{
    struct fields fields = manifest_fields(manifest);
    while (next_field(&fields, field) == TANDEM_OK)
        if (field->type == FIELD_IMAGE && field->size >= IMAGE_FIXED && field->value[IMAGE_KIND] == kind &&
            (field->value[IMAGE_VARIANT] == bank || field->value[IMAGE_VARIANT] == TANDEM_VARIANT_ANY))
            return 1;
    return 0;
}

enum tandem_status tandem_manifest_find(const struct tandem_manifest *manifest, uint8_t kind, uint8_t bank,
                                        struct tandem_image *image)
{
    struct field field;
    return find_entry(manifest, kind, bank, &field) ? tandem_image_parse(image, field.value, field.size)
                                                    : TANDEM_ERROR_INCOMPLETE;
}

enum tandem_status tandem_manifest_locate(const struct tandem_manifest *manifest, uint8_t kind, uint8_t bank,
                                          struct tandem_image *image)
{
    struct field field;
    if (!find_entry(manifest, kind, bank, &field))
        return TANDEM_ERROR_INCOMPLETE;
    load_image(image, field.value);
    return TANDEM_OK;
}

enum tandem_status tandem_manifest_open(struct tandem_manifest *manifest, const struct tandem_crypto_port *crypto,
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
    status = load_fields(manifest);
    if (status == TANDEM_OK)
        status =
            tandem_sha256(crypto, head, TANDEM_PACKAGE_HEADER_SIZE + manifest->header.manifest_size, manifest->digest);
    memcpy(manifest->id, manifest->digest, sizeof manifest->id);
    return status;
}

enum tandem_status tandem_manifest_parse(struct tandem_manifest *manifest, const struct tandem_crypto_port *crypto,
                                         const uint8_t *head, size_t size)
{
    enum tandem_status status = tandem_manifest_open(manifest, crypto, head, size);
    return status == TANDEM_OK ? check_fields(manifest) : status;
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
    uint8_t message[1 + TANDEM_P256_KEY_SIZE], digest[TANDEM_SHA256_SIZE];
    size_t size = key->type == TANDEM_KEY_P256 ? TANDEM_P256_KEY_SIZE : TANDEM_ED25519_KEY_SIZE;
    message[0] = key->type;
    memcpy(message + 1, key->key, size);
    enum tandem_status status = tandem_sha256(crypto, message, 1 + size, digest);
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
    uint8_t good = 0;
    enum tandem_status status, too_few = TANDEM_ERROR_KEY;
    if (manifest->header.signatures_size == 0)
        return TANDEM_ERROR_UNSIGNED;
    while ((status = next_field(&entries, &entry)) == TANDEM_OK) {
        if (entry.size != SIGNATURE_VALUE_SIZE)
            continue; /* an algorithm that is not known here: somebody else's signature */
        uint8_t key = find_key(crypto, &entry, keys, count);
        if (key == count || (signers >> key & 1))
            continue;
        if (revoked >> key & 1) {
            too_few = TANDEM_ERROR_REVOKED;
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
    return good >= needed && good > 0 ? TANDEM_OK : too_few;
}

enum tandem_status tandem_block_digest(const struct tandem_crypto_port *crypto, const uint8_t *block, size_t size,
                                       uint8_t digest[TANDEM_BLOCK_DIGEST_SIZE])
{
    uint8_t whole[TANDEM_SHA256_SIZE];
    enum tandem_status status = tandem_sha256(crypto, block, size, whole);
    memcpy(digest, whole, TANDEM_BLOCK_DIGEST_SIZE);
    return status;
}
