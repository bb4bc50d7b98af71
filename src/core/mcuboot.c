/*
 * The reader of MCUboot's images. All of it comes from outside: every length
 * is checked before it is used, and every sum before it can overflow.
 */
#include "core/mcuboot.h"

#include <string.h>

#include "core/bytes.h"
#include "core/crypto_port.h"

/* Header: offsets. */
#define AT_MAGIC 0           /* u32 */
#define AT_LOAD_ADDRESS 4    /* u32 */
#define AT_HEADER_SIZE 8     /* u16 */
#define AT_PROTECTED_SIZE 10 /* u16 */
#define AT_IMAGE_SIZE 12     /* u32 */
#define AT_FLAGS 16          /* u32 */
#define AT_VERSION 20        /* u8, u8, u16, u32 */

#define MAGIC_TLVS 0x6907u
#define MAGIC_PROTECTED 0x6908u

#define DEPENDENCY_SIZE 12u /* u8 image, 3 unused, version */
#define COUNTER_SIZE 4u
#define PIECE_SIZE 128u
#define DER_KEY_MAX 91u       /* a P-256 key as DER */
#define DER_SIGNATURE_MAX 80u /* 72, and what pads it */

static void load_version(struct tandem_version *version, const uint8_t bytes[8])
{
    version->major = bytes[0];
    version->minor = bytes[1];
    version->patch = tandem_load_le16(bytes + 2);
    version->build = tandem_load_le32(bytes + 4);
}

enum tandem_status tandem_mcuboot_header(struct tandem_mcuboot *image, const uint8_t bytes[MCUBOOT_HEADER_SIZE])
{
    memset(image, 0, sizeof *image);
    if (tandem_load_le32(bytes + AT_MAGIC) != MCUBOOT_MAGIC)
        return TANDEM_ERROR_FORMAT;
    image->load_address = tandem_load_le32(bytes + AT_LOAD_ADDRESS);
    image->header_size = tandem_load_le16(bytes + AT_HEADER_SIZE);
    image->protected_size = tandem_load_le16(bytes + AT_PROTECTED_SIZE);
    image->image_size = tandem_load_le32(bytes + AT_IMAGE_SIZE);
    image->flags = tandem_load_le32(bytes + AT_FLAGS);
    load_version(&image->version, bytes + AT_VERSION);
    uint32_t around = image->header_size + image->protected_size + MCUBOOT_AREA_HEAD;
    if (image->header_size < MCUBOOT_HEADER_SIZE || image->image_size == 0 ||
        image->image_size > 0xFFFFFFFFu - around ||
        (image->protected_size != 0 && image->protected_size < MCUBOOT_AREA_HEAD))
        return TANDEM_ERROR_FORMAT;
    image->total_size = image->image_size + around;
    image->signed_size = image->total_size - MCUBOOT_AREA_HEAD;
    return TANDEM_OK;
}

/* The head of an area of TLVs. */
static enum tandem_status read_area(const struct tandem_source *source, uint32_t at, uint16_t magic, uint16_t *size)
{
    uint8_t bytes[MCUBOOT_AREA_HEAD];
    enum tandem_status status = source->read(source->ctx, at, bytes, sizeof bytes);
    if (status != TANDEM_OK)
        return status;
    *size = tandem_load_le16(bytes + 2);
    return tandem_load_le16(bytes) == magic && *size >= MCUBOOT_AREA_HEAD ? TANDEM_OK : TANDEM_ERROR_FORMAT;
}

enum tandem_status tandem_mcuboot_next(const struct tandem_mcuboot *image, const struct tandem_source *source,
                                       uint32_t *at, struct tandem_mcuboot_tlv *tlv)
{
    uint8_t bytes[MCUBOOT_TLV_HEAD];
    if (*at == 0)
        *at = image->signed_size - image->protected_size + (image->protected_size != 0 ? MCUBOOT_AREA_HEAD : 0);
    if (*at == image->signed_size)
        *at += MCUBOOT_AREA_HEAD;
    tlv->is_protected = *at < image->signed_size;
    uint32_t left = (tlv->is_protected ? image->signed_size : image->total_size) - *at;
    if (left == 0)
        return TANDEM_ERROR_NOTHING;
    if (left < MCUBOOT_TLV_HEAD)
        return TANDEM_ERROR_FORMAT;
    enum tandem_status status = source->read(source->ctx, *at, bytes, sizeof bytes);
    if (status != TANDEM_OK)
        return status;
    tlv->type = tandem_load_le16(bytes);
    tlv->size = tandem_load_le16(bytes + 2);
    tlv->offset = *at + MCUBOOT_TLV_HEAD;
    if (tlv->size > left - MCUBOOT_TLV_HEAD)
        return TANDEM_ERROR_FORMAT;
    *at = tlv->offset + tlv->size;
    return TANDEM_OK;
}

/* Read a TLV that has one size. */
static enum tandem_status read_value(const struct tandem_source *source, const struct tandem_mcuboot_tlv *tlv,
                                     uint8_t *value, uint32_t size)
{
    return tlv->size == size ? source->read(source->ctx, tlv->offset, value, size) : TANDEM_ERROR_FORMAT;
}

static enum tandem_status take_digest(struct tandem_mcuboot *image, const struct tandem_source *source,
                                      const struct tandem_mcuboot_tlv *tlv)
{
    if (image->has_digest)
        return TANDEM_ERROR_FORMAT;
    image->has_digest = 1;
    return read_value(source, tlv, image->digest, sizeof image->digest);
}

static enum tandem_status take_counter(struct tandem_mcuboot *image, const struct tandem_source *source,
                                       const struct tandem_mcuboot_tlv *tlv)
{
    uint8_t value[COUNTER_SIZE] = {0};
    if (image->has_counter)
        return TANDEM_ERROR_FORMAT;
    image->has_counter = 1;
    enum tandem_status status = read_value(source, tlv, value, sizeof value);
    image->counter = tandem_load_le32(value);
    return status;
}

static enum tandem_status take_dependency(struct tandem_mcuboot *image, const struct tandem_source *source,
                                          const struct tandem_mcuboot_tlv *tlv)
{
    uint8_t value[DEPENDENCY_SIZE] = {0};
    if (image->dependency_count == TANDEM_DEPENDENCIES_MAX)
        return TANDEM_ERROR_TOO_LARGE;
    struct tandem_mcuboot_dependency *dependency = &image->dependencies[image->dependency_count++];
    enum tandem_status status = read_value(source, tlv, value, sizeof value);
    dependency->image = value[0];
    load_version(&dependency->minimum, value + 4);
    return status;
}

/* What counts of the TLVs. Counter and dependencies outside the protected ones are anybody's word. */
static enum tandem_status take_tlvs(struct tandem_mcuboot *image, const struct tandem_source *source)
{
    struct tandem_mcuboot_tlv tlv;
    uint32_t at = 0;
    enum tandem_status status;
    while ((status = tandem_mcuboot_next(image, source, &at, &tlv)) == TANDEM_OK) {
        if (!tlv.is_protected && tlv.type == MCUBOOT_TLV_SHA256)
            status = take_digest(image, source, &tlv);
        else if (tlv.is_protected && tlv.type == MCUBOOT_TLV_COUNTER)
            status = take_counter(image, source, &tlv);
        else if (tlv.is_protected && tlv.type == MCUBOOT_TLV_DEPENDENCY)
            status = take_dependency(image, source, &tlv);
        if (status != TANDEM_OK)
            return status;
    }
    return status == TANDEM_ERROR_NOTHING ? TANDEM_OK : status;
}

enum tandem_status tandem_mcuboot_open(struct tandem_mcuboot *image, const struct tandem_source *source)
{
    uint8_t bytes[MCUBOOT_HEADER_SIZE];
    uint16_t size;
    memset(image, 0, sizeof *image);
    if (source->size < MCUBOOT_HEADER_SIZE)
        return TANDEM_ERROR_TRUNCATED;
    enum tandem_status status = source->read(source->ctx, 0, bytes, sizeof bytes);
    if (status == TANDEM_OK)
        status = tandem_mcuboot_header(image, bytes);
    if (status != TANDEM_OK)
        return status;
    if (image->total_size > source->size)
        return TANDEM_ERROR_TRUNCATED;
    if (image->protected_size != 0) {
        status = read_area(source, image->signed_size - image->protected_size, MAGIC_PROTECTED, &size);
        if (status == TANDEM_OK && size != image->protected_size)
            status = TANDEM_ERROR_FORMAT;
    }
    if (status == TANDEM_OK)
        status = read_area(source, image->signed_size, MAGIC_TLVS, &size);
    if (status != TANDEM_OK)
        return status;
    if (size > source->size - image->signed_size)
        return TANDEM_ERROR_TRUNCATED;
    image->total_size = image->signed_size + size;
    return take_tlvs(image, source);
}

enum tandem_status tandem_mcuboot_hash(const struct tandem_mcuboot *image, const struct tandem_source *source,
                                       const struct tandem_crypto_port *crypto, uint8_t digest[TANDEM_SHA256_SIZE])
{
    uint8_t piece[PIECE_SIZE];
    struct tandem_sha256 hash;
    enum tandem_status status = tandem_sha256_init(&hash, crypto);
    for (uint32_t at = 0, part; at < image->signed_size && status == TANDEM_OK; at += part) {
        part = image->signed_size - at < sizeof piece ? image->signed_size - at : (uint32_t)sizeof piece;
        status = source->read(source->ctx, at, piece, part);
        if (status == TANDEM_OK)
            status = tandem_sha256_update(&hash, piece, part);
    }
    return status == TANDEM_OK ? tandem_sha256_final(&hash, digest) : status;
}

/* ---- signatures ---- */

enum tandem_status tandem_mcuboot_key_hash(const struct tandem_crypto_port *crypto, const struct tandem_key *key,
                                           uint8_t hash[TANDEM_SHA256_SIZE])
{
    /* SubjectPublicKeyInfo (RFC 8410, RFC 5480) up to the key itself. */
    static const uint8_t ed25519[] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
    static const uint8_t p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
                                   0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    int is_p256 = key->type == TANDEM_KEY_P256;
    struct tandem_sha256 state;
    enum tandem_status status = tandem_sha256_init(&state, crypto);
    if (status == TANDEM_OK)
        status = tandem_sha256_update(&state, is_p256 ? p256 : ed25519, is_p256 ? sizeof p256 : sizeof ed25519);
    if (status == TANDEM_OK)
        status = tandem_sha256_update(&state, key->key, is_p256 ? TANDEM_P256_KEY_SIZE : TANDEM_ED25519_KEY_SIZE);
    return status == TANDEM_OK ? tandem_sha256_final(&state, hash) : status;
}

/* One number of an ECDSA signature (ITU-T X.690, an INTEGER), as 32 bytes. @return the bytes it takes; 0: malformed */
static uint32_t load_integer(uint8_t number[32], const uint8_t *der, uint32_t left)
{
    if (left < 2 || der[0] != 0x02 || der[1] == 0 || der[1] > left - 2)
        return 0;
    uint32_t size = der[1], skip = size == 33 && der[2] == 0 ? 1 : 0;
    if (size - skip > 32)
        return 0;
    memset(number, 0, 32);
    memcpy(number + 32 - (size - skip), der + 2 + skip, size - skip);
    return 2 + size;
}

/* An ECDSA signature from DER to 64 bytes. Zeros may follow it. */
static int load_signature(uint8_t signature[TANDEM_SIGNATURE_SIZE], const uint8_t *der, uint32_t size)
{
    if (size < 2 || der[0] != 0x30 || der[1] > size - 2)
        return 0;
    uint32_t left = der[1], first = load_integer(signature, der + 2, left);
    for (uint32_t i = 2 + left; i < size; i++)
        if (der[i] != 0)
            return 0;
    return first != 0 && load_integer(signature + 32, der + 2 + first, left - first) == left - first;
}

/* The key that an image names: its index, or `count`. */
static uint8_t find_key(const struct tandem_crypto_port *crypto, uint8_t type, const uint8_t named[TANDEM_SHA256_SIZE],
                        const struct tandem_key *keys, uint8_t count)
{
    uint8_t hash[TANDEM_SHA256_SIZE], i = 0;
    for (; i < count; i++)
        if (keys[i].type == type && tandem_mcuboot_key_hash(crypto, &keys[i], hash) == TANDEM_OK &&
            memcmp(hash, named, sizeof hash) == 0)
            break;
    return i;
}

/* The key's hash that stands before a signature, in one form or the other. */
static enum tandem_status take_name(const struct tandem_source *source, const struct tandem_crypto_port *crypto,
                                    const struct tandem_mcuboot_tlv *tlv, uint8_t named[TANDEM_SHA256_SIZE])
{
    uint8_t key[DER_KEY_MAX];
    if (tlv->type == MCUBOOT_TLV_KEY_HASH)
        return read_value(source, tlv, named, TANDEM_SHA256_SIZE);
    if (tlv->size > sizeof key)
        return TANDEM_OK; /* of an algorithm that is not known here */
    enum tandem_status status = source->read(source->ctx, tlv->offset, key, tlv->size);
    return status == TANDEM_OK ? tandem_sha256(crypto, key, tlv->size, named) : status;
}

/* One signature against one key. */
static enum tandem_status verify_one(const struct tandem_source *source, const struct tandem_crypto_port *crypto,
                                     const struct tandem_mcuboot_tlv *tlv, const struct tandem_key *key,
                                     const uint8_t digest[TANDEM_SHA256_SIZE])
{
    uint8_t bytes[DER_SIGNATURE_MAX], signature[TANDEM_SIGNATURE_SIZE];
    if (tlv->size > sizeof bytes)
        return TANDEM_ERROR_FORMAT;
    enum tandem_status status = source->read(source->ctx, tlv->offset, bytes, tlv->size);
    if (status != TANDEM_OK)
        return status;
    if (TANDEM_CONFIG_ED25519 && key->type == TANDEM_KEY_ED25519)
        return tlv->size == TANDEM_SIGNATURE_SIZE
                   ? tandem_port_ed25519_verify(crypto, bytes, key->key, digest, TANDEM_SHA256_SIZE)
                   : TANDEM_ERROR_FORMAT;
    if (!TANDEM_CONFIG_P256 || key->type != TANDEM_KEY_P256)
        return TANDEM_ERROR_NOT_SUPPORTED;
    return load_signature(signature, bytes, tlv->size) ? tandem_port_p256_verify(crypto, signature, key->key, digest)
                                                       : TANDEM_ERROR_FORMAT;
}

static uint8_t key_type(const struct tandem_mcuboot_tlv *tlv)
{
    return tlv->type == MCUBOOT_TLV_ED25519 ? TANDEM_KEY_ED25519 : tlv->type == MCUBOOT_TLV_ECDSA ? TANDEM_KEY_P256 : 0;
}

enum tandem_status tandem_mcuboot_verify(const struct tandem_mcuboot *image, const struct tandem_source *source,
                                         const struct tandem_crypto_port *crypto, const struct tandem_key *keys,
                                         uint8_t count, uint32_t revoked, const uint8_t digest[TANDEM_SHA256_SIZE])
{
    uint8_t named[TANDEM_SHA256_SIZE] = {0};
    struct tandem_mcuboot_tlv tlv;
    uint32_t at = 0;
    enum tandem_status status, why = TANDEM_ERROR_UNSIGNED;
    if (!image->has_digest || !tandem_equal(digest, image->digest, TANDEM_SHA256_SIZE))
        return TANDEM_ERROR_DIGEST;
    while ((status = tandem_mcuboot_next(image, source, &at, &tlv)) == TANDEM_OK) {
        if (tlv.is_protected)
            continue;
        if (tlv.type == MCUBOOT_TLV_KEY_HASH || tlv.type == MCUBOOT_TLV_PUBLIC_KEY) {
            status = take_name(source, crypto, &tlv, named);
            if (status != TANDEM_OK)
                return status;
        }
        if (key_type(&tlv) == 0)
            continue;
        uint8_t key = find_key(crypto, key_type(&tlv), named, keys, count);
        if (key != count && (revoked >> key & 1) == 0)
            return verify_one(source, crypto, &tlv, &keys[key], digest);
        why = key != count ? TANDEM_ERROR_REVOKED : why == TANDEM_ERROR_UNSIGNED ? TANDEM_ERROR_KEY : why;
    }
    return status == TANDEM_ERROR_NOTHING ? why : status;
}
