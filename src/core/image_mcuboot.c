/*
 * MCUboot images for hosts: what mcuboot.h reads, for people to see.
 */
#include <string.h>

#include "tandem/image.h"
#include "tandem/image_mcuboot.h"
#include "mcuboot.h"

/* Signature types that there are, but not here. */
#define TLV_RSA2048 0x20u
#define TLV_ECDSA224 0x21u
#define TLV_RSA3072 0x23u

/* A key's hash comes before the signature that is made with it. */
static enum tandem_status list_signatures(struct tandem_mcuboot_info *info, const struct tandem_mcuboot *image,
                                          const struct tandem_source *source)
{
    uint8_t key[TANDEM_SHA256_SIZE];
    uint8_t has_key = 0;
    uint32_t at = 0;
    struct tandem_mcuboot_tlv tlv;
    enum tandem_status status;

    while ((status = tandem_mcuboot_next(image, source, &at, &tlv)) == TANDEM_OK) {
        if (tlv.type == MCUBOOT_TLV_KEY_HASH && tlv.size == sizeof key) {
            status = source->read(source->ctx, tlv.offset, key, sizeof key);
            if (status != TANDEM_OK)
                return status;
            has_key = 1;
        } else if (tlv.type == TLV_RSA2048 || tlv.type == TLV_ECDSA224 || tlv.type == TLV_RSA3072) {
            info->other_signatures++;
        } else if ((tlv.type == MCUBOOT_TLV_ECDSA || tlv.type == MCUBOOT_TLV_ED25519) &&
                   info->signature_count < TANDEM_MCUBOOT_SIGNATURES_MAX) {
            info->signatures[info->signature_count].type =
                tlv.type == MCUBOOT_TLV_ED25519 ? TANDEM_KEY_ED25519 : TANDEM_KEY_P256;
            info->signatures[info->signature_count].has_key = has_key;
            if (has_key)
                memcpy(info->signatures[info->signature_count].key, key, sizeof key);
            info->signature_count++;
            has_key = 0;
        }
    }
    return status == TANDEM_ERROR_NOTHING ? TANDEM_OK : status;
}

enum tandem_status tandem_mcuboot_inspect(struct tandem_mcuboot_info *info, const struct tandem_source *source,
                                          const struct tandem_crypto_port *crypto)
{
    struct tandem_mcuboot image;
    enum tandem_status status;

    memset(info, 0, sizeof *info);
    status = tandem_mcuboot_open(&image, source);
    if (status != TANDEM_OK)
        return status;
    info->version = image.version;
    info->load_address = image.load_address;
    info->header_size = image.header_size;
    info->image_size = image.image_size;
    info->total_size = image.total_size;
    info->flags = image.flags;
    info->counter = image.counter;
    info->has_counter = image.has_counter;
    info->has_digest = image.has_digest;
    info->dependency_count = image.dependency_count;
    for (unsigned i = 0; i < image.dependency_count; i++) {
        info->dependencies[i].image = image.dependencies[i].image;
        info->dependencies[i].minimum = image.dependencies[i].minimum;
    }
    status = tandem_mcuboot_hash(&image, source, crypto, info->digest);
    if (status != TANDEM_OK)
        return status;
    info->digest_holds = image.has_digest && memcmp(info->digest, image.digest, sizeof image.digest) == 0;
    return list_signatures(info, &image, source);
}

enum tandem_status tandem_mcuboot_check(const struct tandem_source *source, const struct tandem_crypto_port *crypto,
                                        const struct tandem_key *keys, uint8_t count)
{
    struct tandem_mcuboot image;
    uint8_t digest[TANDEM_SHA256_SIZE];
    enum tandem_status status;

    status = tandem_mcuboot_open(&image, source);
    if (status == TANDEM_OK)
        status = tandem_mcuboot_hash(&image, source, crypto, digest);
    return status == TANDEM_OK ? tandem_mcuboot_verify(&image, source, crypto, keys, count, 0, digest) : status;
}
