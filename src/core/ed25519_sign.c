/*
 * Ed25519 keys and signatures, for the host that makes packages. Constant
 * time in the seed: no branch and no address depends on it, and what was
 * derived from it is wiped.
 *
 * RFC 8032 §5.1.5 and §5.1.6.
 */
#include <string.h>

#include "tandem/crypto.h"
#include "bytes.h"
#include "edwards.h"

/*
 * What the functions below us left on the stack. Called through a pointer
 * that the compiler may not look through, so that the room is where their
 * frames were and not in the caller's.
 */
static void wipe_stack(void)
{
    uint8_t room[1536];

    tandem_wipe(room, sizeof room);
}

/* Called by a pointer that the compiler must read: a call that is not merged into its caller's frame. */
static void wipe_frames(void)
{
    void (*const volatile wipe)(void) = wipe_stack;
    wipe();
}

/* The 32 bytes of [k]B: double, always add, keep the sum where the bit is set. */
static void multiply_base(uint8_t *out, const uint32_t *k)
{
    tandem_element reg[TANDEM_ED_REGISTERS];
    tandem_element doubled[4];

    tandem_edwards_base(reg);
    tandem_edwards_prepare(reg);
    tandem_edwards_neutral(reg);
    for (int place = 255; place >= 0; place--) {
        uint32_t mask = 0u - tandem_number_bit(k, place);

        tandem_edwards_double(reg);
        memcpy(doubled, reg, sizeof doubled);
        tandem_edwards_add(reg);
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < TANDEM_WORDS; j++)
                reg[i][j] = (reg[i][j] & mask) | (doubled[i][j] & ~mask);
        }
    }
    tandem_edwards_encode(out, reg);
    tandem_wipe(reg, sizeof reg);
    tandem_wipe(doubled, sizeof doubled);
}

/* r = a * b + c mod L, for b and c below L. */
static void multiply_add(uint32_t *r, const uint32_t *a, const uint32_t *b, const uint32_t *c)
{
    uint32_t term[TANDEM_WORDS];

    memset(r, 0, sizeof term);
    for (int place = 255; place >= 0; place--) {
        uint32_t mask = 0u - tandem_number_bit(a, place);

        for (int i = 0; i < TANDEM_WORDS; i++)
            term[i] = b[i] & mask;
        tandem_number_add_mod(r, r, r, tandem_edwards_order);
        tandem_number_add_mod(r, r, term, tandem_edwards_order);
    }
    tandem_number_add_mod(r, r, c, tandem_edwards_order);
    tandem_wipe(term, sizeof term);
}

/* The secret scalar to `a`, the prefix to the upper half of `digest`, the public key to `key`. */
static void expand(uint32_t *a, uint8_t *digest, uint8_t *key, const uint8_t *seed)
{
    struct tandem_sha512 hash;

    tandem_sha512_init(&hash);
    tandem_sha512_update(&hash, seed, TANDEM_ED25519_KEY_SIZE);
    tandem_sha512_final(&hash, digest);
    digest[0] &= 0xF8;
    digest[31] = (digest[31] & 0x3F) | 0x40;
    tandem_number_load_le(a, digest);
    multiply_base(key, a);
}

void tandem_ed25519_public_key(uint8_t key[TANDEM_ED25519_KEY_SIZE], const uint8_t seed[TANDEM_ED25519_KEY_SIZE])
{
    uint32_t a[TANDEM_WORDS];
    uint8_t digest[TANDEM_SHA512_SIZE];

    expand(a, digest, key, seed);
    tandem_wipe(a, sizeof a);
    tandem_wipe(digest, sizeof digest);
    wipe_frames();
}

void tandem_ed25519_sign(uint8_t signature[TANDEM_SIGNATURE_SIZE], const uint8_t seed[TANDEM_ED25519_KEY_SIZE],
                         const void *message, size_t size)
{
    uint8_t digest[TANDEM_SHA512_SIZE];
    uint8_t key[TANDEM_ED25519_KEY_SIZE];
    uint32_t a[TANDEM_WORDS];
    uint32_t r[TANDEM_WORDS];
    uint32_t h[TANDEM_WORDS];
    uint32_t s[TANDEM_WORDS];

    expand(a, digest, key, seed);
    tandem_edwards_hash(r, digest + 32, NULL, message, size);
    multiply_base(signature, r);
    tandem_edwards_hash(h, signature, key, message, size);
    multiply_add(s, a, h, r);
    for (int i = 0; i < TANDEM_WORDS; i++)
        tandem_store_le32(signature + 32 + 4 * i, s[i]);
    tandem_wipe(digest, sizeof digest);
    tandem_wipe(a, sizeof a);
    tandem_wipe(r, sizeof r);
    tandem_wipe(s, sizeof s);
    wipe_frames();
}
