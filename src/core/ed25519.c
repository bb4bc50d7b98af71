/*
 * Ed25519 verification, strict: one signature, one key, one answer on every
 * machine.
 *
 * RFC 8032 §5.1.7.
 */
#include "tandem/crypto.h"
#include "edwards.h"

enum tandem_status tandem_ed25519_verify(const uint8_t signature[TANDEM_SIGNATURE_SIZE],
                                         const uint8_t key[TANDEM_ED25519_KEY_SIZE], const void *message, size_t size)
{
    uint32_t s[TANDEM_WORDS];
    uint32_t h[TANDEM_WORDS];
    uint8_t r[32];

    tandem_number_load_le(s, signature + 32);
    if (!tandem_number_subtract(h, s, tandem_edwards_order))
        return TANDEM_ERROR_SIGNATURE; /* s is not below L: someone has bent a good signature */

    tandem_edwards_hash(h, signature, key, message, size);
    /* The sum is encoded canonically, so an R that is encoded otherwise differs, and so does no point at all. */
    if (!tandem_edwards_combine(r, s, h, key) || !tandem_equal(r, signature, sizeof r))
        return TANDEM_ERROR_SIGNATURE;
    return TANDEM_OK;
}
