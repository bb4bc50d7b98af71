/*
 * Images in MCUboot's format, as its imgtool makes them: header, image,
 * protected TLVs, TLVs. Read at random through a source, so that a file, a
 * buffer and a slot in flash serve alike. Nothing is believed that the
 * signature does not cover, but for the signature itself.
 */
#ifndef TANDEM_CORE_MCUBOOT_H
#define TANDEM_CORE_MCUBOOT_H

#include "tandem/package.h"
#include "tandem/port.h"

#define MCUBOOT_MAGIC 0x96F3B83Du
#define MCUBOOT_HEADER_SIZE 32u /* of the fields; the header may be longer */
#define MCUBOOT_AREA_HEAD 4u    /* before the TLVs of an area: magic, bytes of all of it */
#define MCUBOOT_TLV_HEAD 4u     /* before a TLV's value: type, bytes */

/* Flags of the header that matter here. */
#define MCUBOOT_FLAG_ENCRYPTED 0x000Cu /* AES-128, AES-256 */
#define MCUBOOT_FLAG_NOT_BOOTABLE 0x0010u
#define MCUBOOT_FLAG_RAM_LOAD 0x0020u
#define MCUBOOT_FLAG_ROM_FIXED 0x0100u
#define MCUBOOT_FLAG_COMPRESSED 0x0E00u /* LZMA, LZMA2, Thumb filter */

/* Types of TLVs. */
#define MCUBOOT_TLV_KEY_HASH 0x01u /* SHA-256 of the public key, DER */
#define MCUBOOT_TLV_PUBLIC_KEY 0x02u
#define MCUBOOT_TLV_SHA256 0x10u
#define MCUBOOT_TLV_ECDSA 0x22u   /* DER, over the digest */
#define MCUBOOT_TLV_ED25519 0x24u /* over the digest's 32 bytes */
#define MCUBOOT_TLV_DEPENDENCY 0x40u
#define MCUBOOT_TLV_COUNTER 0x50u

struct tandem_mcuboot_dependency {
    uint8_t image; /* number */
    struct tandem_version minimum;
};

/* An image's description. */
struct tandem_mcuboot {
    uint32_t load_address;
    uint32_t header_size;    /* bytes before the image proper: its vectors are there */
    uint32_t image_size;     /* bytes of the image proper */
    uint32_t protected_size; /* bytes of the protected TLVs, the area's head included; 0: none */
    uint32_t flags;
    uint32_t signed_size; /* header, image and protected TLVs: what the digest covers */
    uint32_t total_size;  /* all of it */
    uint32_t counter;     /* security counter */
    struct tandem_version version;
    uint8_t has_counter;
    uint8_t has_digest;
    uint8_t dependency_count;
    uint8_t digest[TANDEM_SHA256_SIZE]; /* as its TLV says */
    struct tandem_mcuboot_dependency dependencies[TANDEM_DEPENDENCIES_MAX];
};

struct tandem_mcuboot_tlv {
    uint16_t type;
    uint16_t size;
    uint32_t offset; /* of the value, in the image */
    uint8_t is_protected;
};

/*
 * Read the header alone, of which 32 bytes are at hand. `source` and TLVs are
 * not needed: `total_size` is not known yet, the least it can be is told.
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT
 */
enum tandem_status tandem_mcuboot_header(struct tandem_mcuboot *image, const uint8_t bytes[MCUBOOT_HEADER_SIZE]);

/*
 * Read header and TLVs.
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT; TANDEM_ERROR_TRUNCATED (the source is too short); TANDEM_ERROR_TOO_LARGE (too
 *         many dependencies); the source's reason
 */
enum tandem_status tandem_mcuboot_open(struct tandem_mcuboot *image, const struct tandem_source *source);

/*
 * Walk the TLVs, protected ones first.
 * @param at 0 before the first
 * @return TANDEM_OK; TANDEM_ERROR_NOTHING (no more); TANDEM_ERROR_FORMAT; the source's reason
 */
enum tandem_status tandem_mcuboot_next(const struct tandem_mcuboot *image, const struct tandem_source *source,
                                       uint32_t *at, struct tandem_mcuboot_tlv *tlv);

/* Hash what the digest covers. @return TANDEM_OK; TANDEM_ERROR_PORT; the source's reason */
enum tandem_status tandem_mcuboot_hash(const struct tandem_mcuboot *image, const struct tandem_source *source,
                                       const struct tandem_crypto_port *crypto, uint8_t digest[TANDEM_SHA256_SIZE]);

/*
 * Check digest and signature.
 * @param digest what was hashed: it has to be the one that the image states
 * @param keys,count,revoked as for tandem_manifest_verify()
 * @return TANDEM_OK; TANDEM_ERROR_DIGEST (also none stated); TANDEM_ERROR_UNSIGNED (no signature that is known here);
 *         TANDEM_ERROR_KEY (none by a trusted key); TANDEM_ERROR_REVOKED; TANDEM_ERROR_SIGNATURE; TANDEM_ERROR_FORMAT;
 *         TANDEM_ERROR_PORT; the source's reason
 */
enum tandem_status tandem_mcuboot_verify(const struct tandem_mcuboot *image, const struct tandem_source *source,
                                         const struct tandem_crypto_port *crypto, const struct tandem_key *keys,
                                         uint8_t count, uint32_t revoked, const uint8_t digest[TANDEM_SHA256_SIZE]);

/* The hash by which an image names a key: SHA-256 of its DER form. @return TANDEM_OK; TANDEM_ERROR_PORT */
enum tandem_status tandem_mcuboot_key_hash(const struct tandem_crypto_port *crypto, const struct tandem_key *key,
                                           uint8_t hash[TANDEM_SHA256_SIZE]);

#endif
