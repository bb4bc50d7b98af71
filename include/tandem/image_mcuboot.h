/**
 * @file
 * MCUboot images, as imgtool makes them: what is in one, and whether it is
 * signed by a key that is trusted. Host builds only; a device takes them by
 * tandem/bare.h.
 */
#ifndef TANDEM_IMAGE_MCUBOOT_H
#define TANDEM_IMAGE_MCUBOOT_H

#include <stdint.h>

#include "tandem/package.h"
#include "tandem/port.h"
#include "tandem/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_MCUBOOT_SIGNATURES_MAX 4 /**< signatures that are listed */

/** What an MCUboot image says of itself. */
struct tandem_mcuboot_info {
    struct tandem_version version;      /**< of the image */
    uint32_t load_address;              /**< where it runs, for images that are copied to RAM */
    uint32_t header_size;               /**< bytes before the image proper */
    uint32_t image_size;                /**< bytes of it */
    uint32_t total_size;                /**< bytes of all, TLVs included */
    uint32_t flags;                     /**< of the header */
    uint32_t counter;                   /**< security counter, if `has_counter` */
    uint8_t has_counter;                /**< 1: `counter` says something */
    uint8_t has_digest;                 /**< 1: it carries a SHA-256 */
    uint8_t digest_holds;               /**< 1: and that is its digest */
    uint8_t dependency_count;           /**< images that it needs */
    uint8_t signature_count;            /**< signatures by algorithms that are known here */
    uint8_t other_signatures;           /**< by others */
    uint8_t digest[TANDEM_SHA256_SIZE]; /**< computed */
    struct {
        uint8_t image;                       /**< its number */
        struct tandem_version minimum;       /**< at least */
    } dependencies[TANDEM_DEPENDENCIES_MAX]; /**< what it needs */
    struct {
        uint8_t type;                            /**< enum tandem_key_type */
        uint8_t has_key;                         /**< 1: `key` says something */
        uint8_t key[TANDEM_SHA256_SIZE];         /**< SHA-256 of the key's DER form, as the image says */
    } signatures[TANDEM_MCUBOOT_SIGNATURES_MAX]; /**< who signed */
};

/**
 * Read one.
 * @param info to fill
 * @param source its bytes; there may be more behind it
 * @param crypto replacement or NULL
 * @return TANDEM_OK, also when the digest does not hold; TANDEM_ERROR_FORMAT; TANDEM_ERROR_TRUNCATED;
 *         TANDEM_ERROR_TOO_LARGE (too many dependencies); TANDEM_ERROR_PORT; the source's reason
 */
enum tandem_status tandem_mcuboot_inspect(struct tandem_mcuboot_info *info, const struct tandem_source *source,
                                          const struct tandem_crypto_port *crypto);
/**
 * Check digest and signature as a device would.
 * @param keys,count whom to trust
 * @return TANDEM_OK; TANDEM_ERROR_DIGEST; TANDEM_ERROR_UNSIGNED; TANDEM_ERROR_KEY; TANDEM_ERROR_SIGNATURE; as
 *         tandem_mcuboot_inspect()
 */
enum tandem_status tandem_mcuboot_check(const struct tandem_source *source, const struct tandem_crypto_port *crypto,
                                        const struct tandem_key *keys, uint8_t count);

#ifdef __cplusplus
}
#endif

#endif
