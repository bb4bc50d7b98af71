/*
 * MCUboot's images, arbitrary and edited. The input is an image, but for its
 * first byte: bit 0 makes the sizes of its areas agree, so that inputs get
 * past them; bit 1 makes the digest right. Whatever the sizes say, nothing is
 * read that is not there, and nothing verifies that was not signed.
 */
#include <string.h>

#include "core/bytes.h"
#include "core/mcuboot.h"
#include "fuzz.h"

#define TLVS_MAX 40000 /* of both areas, at four bytes each */

struct input {
    uint8_t *bytes;
    size_t size;
};

static enum tandem_status read_input(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct input *input = ctx;

    MUST(offset <= input->size && size <= input->size - offset);
    memcpy(data, input->bytes + offset, size);
    return TANDEM_OK;
}

/* What a tool would have written, where it can be told. */
static void repair(struct input *input, unsigned how)
{
    struct tandem_mcuboot image;
    struct tandem_source source = {.ctx = input, .size = (uint32_t)input->size, .read = read_input};
    struct tandem_mcuboot_tlv tlv;
    uint32_t at = 0;

    if (input->size < MCUBOOT_HEADER_SIZE)
        return;
    if (how & 1) {
        tandem_store_le32(input->bytes, MCUBOOT_MAGIC);
        if (tandem_mcuboot_header(&image, input->bytes) != TANDEM_OK || image.total_size > input->size)
            return;
        if (image.protected_size) {
            tandem_store_le16(input->bytes + image.signed_size - image.protected_size, 0x6908);
            tandem_store_le16(input->bytes + image.signed_size - image.protected_size + 2,
                              (uint16_t)image.protected_size);
        }
        tandem_store_le16(input->bytes + image.signed_size, 0x6907);
        if (input->size - image.signed_size <= 0xFFFF)
            tandem_store_le16(input->bytes + image.signed_size + 2, (uint16_t)(input->size - image.signed_size));
    }
    if (!(how & 2) || tandem_mcuboot_open(&image, &source) != TANDEM_OK)
        return;
    while (tandem_mcuboot_next(&image, &source, &at, &tlv) == TANDEM_OK)
        if (!tlv.is_protected && tlv.type == MCUBOOT_TLV_SHA256 && tlv.size == TANDEM_SHA256_SIZE)
            MUST(tandem_mcuboot_hash(&image, &source, NULL, input->bytes + tlv.offset) == TANDEM_OK);
}

/* The keys of the corpus, and the digests (their beginnings) of what they signed there. */
static const uint8_t ed25519[TANDEM_ED25519_KEY_SIZE] = {
    0x6E, 0xD6, 0x2E, 0x4B, 0x71, 0x25, 0x61, 0xFD, 0xB7, 0x0A, 0x93, 0xE7, 0x29, 0x29, 0x81, 0x73,
    0x52, 0x51, 0xEA, 0xB8, 0xDE, 0xC1, 0x3A, 0xFD, 0xFC, 0xA8, 0xC5, 0x27, 0xBC, 0x39, 0x06, 0x21,
};
static const uint8_t p256[TANDEM_P256_KEY_SIZE] = {
    0xFC, 0xBD, 0x53, 0x7D, 0x7B, 0x51, 0x46, 0x3B, 0xF2, 0xAC, 0x74, 0x64, 0x2E, 0xEF, 0x96, 0x10,
    0x9E, 0x45, 0x83, 0xCB, 0x6C, 0xF5, 0xBC, 0x1D, 0x00, 0x4A, 0xA5, 0xF0, 0x94, 0x85, 0xAC, 0xFF,
    0x1C, 0xB7, 0x8A, 0xEB, 0x55, 0x28, 0x11, 0xFD, 0xA9, 0x9C, 0x88, 0xB9, 0xF0, 0xAE, 0x4C, 0x6C,
    0x6C, 0x15, 0xA2, 0xEF, 0x71, 0x86, 0x0E, 0x77, 0x80, 0x26, 0x37, 0xD9, 0xC1, 0xF1, 0xAC, 0x49,
};
static const struct tandem_key keys[] = {{TANDEM_KEY_ED25519, ed25519}, {TANDEM_KEY_P256, p256}};
static const uint8_t signed_digests[][8] = {
    {0x72, 0xD0, 0x6D, 0xD1, 0x01, 0x59, 0xB1, 0x63},
    {0x0F, 0x98, 0xD3, 0xAE, 0x67, 0x12, 0x13, 0x13},
    {0x3C, 0x7B, 0xE8, 0x4B, 0xFF, 0x51, 0x96, 0x6F},
    {0xE8, 0x86, 0x46, 0x9B, 0x42, 0x32, 0xC0, 0x51},
};

/* Planted: a verification that lets everything pass. */
static enum tandem_status trust(void *ctx, const uint8_t *signature, const uint8_t *key, const void *message,
                                size_t size)
{
    (void)ctx;
    (void)signature;
    (void)key;
    (void)message;
    (void)size;
    return TANDEM_OK;
}

static const struct tandem_crypto_port trusting = {.ed25519_verify = trust};

static int was_signed(const uint8_t digest[TANDEM_SHA256_SIZE])
{
    for (unsigned i = 0; i < sizeof signed_digests / sizeof signed_digests[0]; i++)
        if (memcmp(digest, signed_digests[i], sizeof signed_digests[i]) == 0)
            return 1;
    return 0;
}

static void check(const struct tandem_mcuboot *image, const struct tandem_source *source)
{
    const struct tandem_crypto_port *crypto = fuzz_planted() ? &trusting : NULL;
    struct tandem_mcuboot_tlv tlv;
    uint32_t at = 0, last = 0, count = 0;
    uint8_t digest[TANDEM_SHA256_SIZE];

    MUST(image->total_size <= source->size);
    MUST(image->signed_size + MCUBOOT_AREA_HEAD <= image->total_size);
    MUST(image->header_size + image->image_size + image->protected_size == image->signed_size);
    MUST(image->dependency_count <= TANDEM_DEPENDENCIES_MAX);
    while (tandem_mcuboot_next(image, source, &at, &tlv) == TANDEM_OK) {
        MUST(at > last && ++count <= TLVS_MAX);
        MUST(tlv.offset >= image->header_size + image->image_size && tlv.size <= image->total_size - tlv.offset);
        MUST(!tlv.is_protected || tlv.offset + tlv.size <= image->signed_size);
        last = at;
    }
    MUST(at == image->total_size);
    MUST(tandem_mcuboot_hash(image, source, NULL, digest) == TANDEM_OK);
    if (tandem_mcuboot_verify(image, source, crypto, keys, 2, 0, digest) == TANDEM_OK)
        MUST(was_signed(digest));
    if (was_signed(digest)) {
        MUST(tandem_mcuboot_verify(image, source, NULL, keys, 2, 3, digest) != TANDEM_OK);
        digest[31] ^= 1;
        MUST(tandem_mcuboot_verify(image, source, NULL, keys, 2, 0, digest) != TANDEM_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = {data, size};
    unsigned how = fuzz_byte(&script);
    struct input input = {malloc(script.size ? script.size : 1), script.size};
    struct tandem_source source = {.ctx = &input, .size = (uint32_t)script.size, .read = read_input};
    struct tandem_mcuboot image;

    MUST(input.bytes);
    if (input.size)
        memcpy(input.bytes, script.data, input.size);
    repair(&input, how);
    if (tandem_mcuboot_open(&image, &source) == TANDEM_OK)
        check(&image, &source);
    free(input.bytes);
    return 0;
}
