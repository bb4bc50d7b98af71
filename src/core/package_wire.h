/*
 * The package's constants on the wire, shared by its reader and its writer.
 * docs/package.md explains them.
 */
#ifndef TANDEM_CORE_PACKAGE_WIRE_H
#define TANDEM_CORE_PACKAGE_WIRE_H

#include "tandem/package.h"

#define PACKAGE_FORMAT 1 /* version of the format */

/* Header fields: offsets. */
#define HEADER_MAGIC 0            /* u32 */
#define HEADER_FORMAT 4           /* u8 */
#define HEADER_FLAGS 5            /* u8, zero */
#define HEADER_SIZE 6             /* u16, bytes of the header */
#define HEADER_MANIFEST_SIZE 8    /* u16 */
#define HEADER_SIGNATURES_SIZE 10 /* u16 */
#define HEADER_PACKAGE_SIZE 12    /* u32 */
#define HEADER_CRC 16             /* u32, CRC-32/ISO-HDLC of what is before */

/* A field of the manifest: u16 type, u16 length, value. */
#define FIELD_HEAD 4
#define FIELD_CRITICAL 0x8000u /* a reader that does not know the type must refuse */
#define FIELD_VENDOR 0x8001u
#define FIELD_PRODUCT 0x8002u
#define FIELD_HARDWARE 0x8003u
#define FIELD_VERSION 0x8004u
#define FIELD_MINIMUM 0x8005u
#define FIELD_COUNTER 0x8006u
#define FIELD_REVOKE 0x8007u
#define FIELD_IMAGE 0x8010u
#define FIELD_DESCRIPTION 0x0020u

/* An image field's fixed part: offsets; nested fields follow it. */
#define IMAGE_KIND 0            /* u8 */
#define IMAGE_VARIANT 1         /* u8 */
#define IMAGE_ENCODING 2        /* u8 */
#define IMAGE_RESERVED 3        /* u8, zero */
#define IMAGE_VERSION 4         /* version, 12 bytes */
#define IMAGE_LOAD_ADDRESS 16   /* u32 */
#define IMAGE_SIZE 20           /* u32 */
#define IMAGE_PAYLOAD_OFFSET 24 /* u32 */
#define IMAGE_PAYLOAD_SIZE 28   /* u32 */
#define IMAGE_BLOCK_SIZE 32     /* u16 */
#define IMAGE_RESERVED2 34      /* u16, zero */
#define IMAGE_DIGEST 36         /* 32 bytes */
#define IMAGE_FIRST_BLOCK 68    /* 16 bytes */
#define IMAGE_FIXED 84

#define IMAGE_FIELD_DEPENDENCY 0x8001u /* u8 kind, version */
#define DEPENDENCY_SIZE 13

/* An entry of the signature block: u16 type, u16 length, key id, signature. */
#define SIGNATURE_VALUE_SIZE (TANDEM_KEY_ID_SIZE + TANDEM_SIGNATURE_SIZE)

/* What is signed: this text, then the digest of header and manifest. */
#define SIGNED_PREFIX "tandem-package-1"
#define SIGNED_PREFIX_SIZE 16
#define SIGNED_SIZE (SIGNED_PREFIX_SIZE + TANDEM_SHA256_SIZE)

/* Largest value of an image field, so that a device can read it into a small buffer. */
#define IMAGE_FIELD_MAX 192

/* Parse the value of an image field (package.c). */
enum tandem_status tandem_image_parse(struct tandem_image *image, const uint8_t *value, size_t size);

/*
 * For heads that were checked when they were installed, and that a signature
 * or a proof vouches for: as tandem_manifest_parse() and
 * tandem_manifest_find(), without the checks that matter to installers alone
 * (order, names, payloads; the values of an image) and without dependencies.
 * No length is trusted all the same. A bootloader is half a KB smaller for it.
 */
enum tandem_status tandem_manifest_open(struct tandem_manifest *manifest, const struct tandem_crypto_port *crypto,
                                        const uint8_t *head, size_t size);
enum tandem_status tandem_manifest_locate(const struct tandem_manifest *manifest, uint8_t kind, uint8_t bank,
                                          struct tandem_image *image);

#endif
