/*
 * Ed25519 verification, strict: one signature, one key, one answer on every
 * machine.
 *
 * RFC 8032 §5.1.7.
 */
#include "tandem/crypto.h"
#include "edwards.h"

/* SHA-512(R, A, message) mod L. */
static void challenge(uint32_t *h, const uint8_t *signature, const uint8_t *key, const void *message, size_t size)
{
    struct tandem_sha512 hash;
    uint8_t digest[TANDEM_SHA512_SIZE];

    tandem_sha512_init(&hash);
    tandem_sha512_update(&hash, signature, 32);
    tandem_sha512_update(&hash, key, TANDEM_ED25519_KEY_SIZE);
    tandem_sha512_update(&hash, message, size);
    tandem_sha512_final(&hash, digest);
    tandem_edwards_scalar(h, digest);
}

enum tandem_status tandem_ed25519_verify(const uint8_t signature[TANDEM_SIGNATURE_SIZE],
                                         const uint8_t key[TANDEM_ED25519_KEY_SIZE], const void *message, size_t size)
{
    uint32_t s[TANDEM_WORDS];
    uint32_t h[TANDEM_WORDS];
    uint8_t r[32];

    tandem_number_load_le(s, signature + 32);
    if (!tandem_number_subtract(h, s, tandem_edwards_order))
        return TANDEM_ERROR_SIGNATURE; /* s is not below L: someone has bent a good signature */

    challenge(h, signature, key, message, size);
    /* The sum is encoded canonically, so an R that is encoded otherwise differs, and so does no point at all. */
    if (!tandem_edwards_combine(r, s, h, key) || !tandem_equal(r, signature, sizeof r))
        return TANDEM_ERROR_SIGNATURE;
    return TANDEM_OK;
}
