/**
 * @file
 * The package (.tdm): header, manifest, signatures, payloads. This is its
 * reader, and for hosts its writer. docs/package.md is the format's
 * specification.
 *
 * The reader works on the package's head (header, manifest and signatures,
 * contiguous in memory) and keeps pointers into it.
 */
#ifndef TANDEM_PACKAGE_H
#define TANDEM_PACKAGE_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/config.h"
#include "tandem/crypto.h"
#include "tandem/status.h"
#include "tandem/version.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_PACKAGE_MAGIC 0x314D4454u /**< "TDM1", little-endian */
#define TANDEM_PACKAGE_HEADER_SIZE 20    /**< bytes of the header */
#define TANDEM_PACKAGE_ID_SIZE 16        /**< bytes of a package id */
#define TANDEM_BLOCK_DIGEST_SIZE 16      /**< bytes of a block's digest: SHA-256, cut */
#define TANDEM_BLOCK_SIZE_MIN 512        /**< least data bytes of a block */
#define TANDEM_BLOCK_SIZE_MAX 4096       /**< most data bytes of a block */
#define TANDEM_NAME_SIZE_MAX 31          /**< bytes of a vendor or product name */
#define TANDEM_KEY_ID_SIZE 8             /**< bytes of a key id */
#define TANDEM_DEPENDENCIES_MAX 4        /**< dependencies of one image */
#define TANDEM_VARIANT_ANY 0xFF          /**< an image that runs from either bank */

/** What an image is for. Products may use 0x80 … 0xFE for kinds of their own. */
enum tandem_kind {
    TANDEM_KIND_APPLICATION = 1, /**< "app" */
    TANDEM_KIND_STACK = 2,       /**< "stack": radio stack, patch, second core */
    TANDEM_KIND_CONFIG = 3,      /**< "config" */
    TANDEM_KIND_DATA = 4,        /**< "data": prompts, fonts, file systems */
    TANDEM_KIND_BOOTLOADER = 5   /**< "boot" */
};

/** How an image's payload is encoded. */
enum tandem_encoding {
    TANDEM_ENCODING_PLAIN = 0 /**< the image's bytes */
};

/** Signature algorithms: the type field of the signature block's entries. */
enum tandem_key_type {
    TANDEM_KEY_ED25519 = 1, /**< RFC 8032, 32-byte key */
    TANDEM_KEY_P256 = 2     /**< ECDSA over NIST P-256 with SHA-256, 64-byte key */
};

/** A public key that a device trusts. */
struct tandem_key {
    uint8_t type;       /**< enum tandem_key_type */
    const uint8_t *key; /**< 32 or 64 bytes */
};

/** The fixed first bytes of a package. */
struct tandem_package_header {
    uint32_t manifest_size;   /**< bytes, follows the header */
    uint32_t signatures_size; /**< bytes, follows the manifest */
    uint32_t head_size;       /**< header, manifest and signatures together */
    uint32_t package_size;    /**< bytes of everything */
};

/** What one image needs of another. */
struct tandem_dependency {
    uint8_t kind;                  /**< enum tandem_kind of the other */
    struct tandem_version minimum; /**< its least version */
};

/** One image's entry in a manifest. */
struct tandem_image {
    uint8_t kind;                                  /**< enum tandem_kind */
    uint8_t variant;                               /**< bank it is linked for: 0, 1, TANDEM_VARIANT_ANY */
    uint8_t encoding;                              /**< enum tandem_encoding */
    struct tandem_version version;                 /**< its own */
    uint32_t load_address;                         /**< where it runs; 0: anywhere */
    uint32_t size;                                 /**< bytes when installed */
    uint32_t payload_offset;                       /**< in the package */
    uint32_t payload_size;                         /**< in the package, digests of the chain included */
    uint16_t block_size;                           /**< data bytes of a full block */
    uint8_t digest[TANDEM_SHA256_SIZE];            /**< of the installed bytes */
    uint8_t first_block[TANDEM_BLOCK_DIGEST_SIZE]; /**< digest of the payload's first block */
    uint8_t dependency_count;                      /**< entries used below */
    struct tandem_dependency dependencies[TANDEM_DEPENDENCIES_MAX]; /**< all must hold */
};

/** A parsed head. Its pointers point into the bytes that were parsed. */
struct tandem_manifest {
    struct tandem_package_header header; /**< sizes */
    const uint8_t *head;                 /**< the head's bytes */
    struct tandem_version version;       /**< the package's */
    struct tandem_version minimum;       /**< oldest installed package it may replace; 0.0.0: any */
    uint32_t counter;                    /**< security counter */
    const uint8_t *vendor;               /**< name, not terminated */
    const uint8_t *product;              /**< name, not terminated */
    const uint8_t *hardware;             /**< pairs of u16: first and last revision */
    const uint8_t *description;          /**< text, not terminated; NULL: none */
    const uint8_t *revoked;              /**< ids of keys that this package revokes */
    uint8_t vendor_size;                 /**< bytes */
    uint8_t product_size;                /**< bytes */
    uint8_t hardware_count;              /**< pairs; 0: every revision */
    uint8_t revoked_count;               /**< ids */
    uint8_t image_count;                 /**< entries */
    uint16_t description_size;           /**< bytes */
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];  /**< SHA-256 of header and manifest, cut */
    uint8_t digest[TANDEM_SHA256_SIZE];  /**< SHA-256 of header and manifest: what is signed */
};

/**
 * Read the header.
 * @param bytes the package's first TANDEM_PACKAGE_HEADER_SIZE bytes
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT (not a package, or a damaged header);
 *         TANDEM_ERROR_UNSUPPORTED (a newer format)
 */
enum tandem_status tandem_package_header(struct tandem_package_header *header,
                                         const uint8_t bytes[TANDEM_PACKAGE_HEADER_SIZE]);

/**
 * Parse and check the whole head: every length, every field once where it
 * must be, every payload inside the package and without overlap. Says nothing
 * yet about who made it: see tandem_manifest_verify().
 * @param manifest to fill
 * @param crypto replacement or NULL
 * @param head,size the package's first bytes, at least `head_size`; must outlive `manifest`
 * @return TANDEM_OK; TANDEM_ERROR_TRUNCATED; TANDEM_ERROR_FORMAT; TANDEM_ERROR_UNSUPPORTED
 *         (an unknown critical field); TANDEM_ERROR_PORT
 */
enum tandem_status tandem_manifest_parse(struct tandem_manifest *manifest, const struct tandem_crypto_port *crypto,
                                         const uint8_t *head, size_t size);

/** The image entry `index` (0 … image_count − 1). @return TANDEM_OK; TANDEM_ERROR_ARGUMENT */
enum tandem_status tandem_manifest_image(const struct tandem_manifest *manifest, uint8_t index,
                                         struct tandem_image *image);

/**
 * Find the entry for a kind that can be installed in a bank.
 * @return TANDEM_OK; TANDEM_ERROR_INCOMPLETE when there is none
 */
enum tandem_status tandem_manifest_find(const struct tandem_manifest *manifest, uint8_t kind, uint8_t bank,
                                        struct tandem_image *image);

/** Whether the package is for a hardware revision. @return 1 or 0 */
int tandem_manifest_fits_hardware(const struct tandem_manifest *manifest, uint16_t revision);

/**
 * Check the signatures.
 * @param manifest parsed
 * @param crypto replacement or NULL
 * @param keys,count the trusted keys
 * @param revoked bit n set: keys[n] no longer counts
 * @param needed how many different trusted keys must have signed (at least 1)
 * @return TANDEM_OK; TANDEM_ERROR_UNSIGNED (no signature at all); TANDEM_ERROR_KEY (too few by trusted keys);
 *         TANDEM_ERROR_REVOKED; TANDEM_ERROR_SIGNATURE (one by a trusted key is wrong)
 */
enum tandem_status tandem_manifest_verify(const struct tandem_manifest *manifest,
                                          const struct tandem_crypto_port *crypto, const struct tandem_key *keys,
                                          uint8_t count, uint32_t revoked, uint8_t needed);

/** The id of a key: SHA-256 of its type byte and its bytes, cut. @return TANDEM_OK; TANDEM_ERROR_PORT */
enum tandem_status tandem_key_id(const struct tandem_crypto_port *crypto, const struct tandem_key *key,
                                 uint8_t id[TANDEM_KEY_ID_SIZE]);

/** Digest of one block as sent (data, and the next block's digest unless last). @return TANDEM_OK, TANDEM_ERROR_PORT */
enum tandem_status tandem_block_digest(const struct tandem_crypto_port *crypto, const uint8_t *block, size_t size,
                                       uint8_t digest[TANDEM_BLOCK_DIGEST_SIZE]);

/* ---- writer: src/core/package_write.c, host builds only ---- */

/** One image to pack. */
struct tandem_pack_image {
    uint8_t kind;                                                   /**< enum tandem_kind */
    uint8_t variant;                                                /**< 0, 1 or TANDEM_VARIANT_ANY */
    struct tandem_version version;                                  /**< its own */
    uint32_t load_address;                                          /**< where it runs; 0: anywhere */
    const uint8_t *data;                                            /**< the image */
    uint32_t size;                                                  /**< its bytes */
    uint8_t dependency_count;                                       /**< entries used below */
    struct tandem_dependency dependencies[TANDEM_DEPENDENCIES_MAX]; /**< all must hold */
};

/** Makes one signature; a private key may stay in an HSM behind it. */
struct tandem_signer {
    void *ctx;             /**< handed to sign() */
    struct tandem_key key; /**< the public half */
    /** Sign `message`, 64 bytes to `signature`. @return TANDEM_OK or the reason */
    enum tandem_status (*sign)(void *ctx, const uint8_t *message, size_t size,
                               uint8_t signature[TANDEM_SIGNATURE_SIZE]);
};

/** What to pack. */
struct tandem_pack {
    const char *vendor;                          /**< 1 … 31 bytes */
    const char *product;                         /**< 1 … 31 bytes */
    const char *description;                     /**< NULL: none */
    struct tandem_version version;               /**< the package's */
    struct tandem_version minimum;               /**< oldest installed package it may replace */
    uint32_t counter;                            /**< security counter */
    const uint16_t (*hardware)[2];               /**< first and last revision, pairs */
    uint8_t hardware_count;                      /**< pairs; 0: every revision */
    uint16_t block_size;                         /**< 512, 1024, 2048 or 4096 */
    const struct tandem_pack_image *images;      /**< to pack, in this order */
    uint8_t image_count;                         /**< 1 … TANDEM_CONFIG_MAX_IMAGES */
    const struct tandem_signer *signers;         /**< who signs */
    uint8_t signer_count;                        /**< 0: unsigned */
    const uint8_t (*revoke)[TANDEM_KEY_ID_SIZE]; /**< keys that a device shall no longer trust once it confirmed */
    uint8_t revoke_count;                        /**< ids */
};

/**
 * How many bytes the package will have.
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (a field outside its range); TANDEM_ERROR_TOO_LARGE (over 4 GB)
 */
enum tandem_status tandem_pack_size(const struct tandem_pack *pack, uint32_t *size);
/**
 * Write it.
 * @param pack what
 * @param crypto replacement or NULL
 * @param out,size where, exactly the size that tandem_pack_size() gave
 * @return TANDEM_OK; as tandem_pack_size(); the signer's reason
 */
enum tandem_status tandem_pack_write(const struct tandem_pack *pack, const struct tandem_crypto_port *crypto,
                                     uint8_t *out, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
