/*
 * SHA-256: what ties a package together, and where an update spends its time.
 * Small and fast at once: one loop, and a state that slides through memory
 * instead of being moved from variable to variable.
 *
 * FIPS 180-4 §6.2.
 */
#include <string.h>

#include "tandem/crypto.h"
#include "bytes.h"

/* FIPS 180-4 §4.2.2. */
static const uint32_t constants[64] = {
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
    0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
    0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
    0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
    0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
    0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
};

static uint32_t rotate(uint32_t x, uint32_t n)
{
    return (x >> n) | (x << (32 - n));
}

/*
 * One round. The eight variables a … h are v[0] … v[7]; the round writes the
 * new e over d and the new a before the others, so that they are in place for
 * the next round at v - 1. Rotations are nested, which asks for one temporary.
 */
static void round_at(uint32_t *v, uint32_t input)
{
    uint32_t a = v[0];
    uint32_t e = v[4];
    uint32_t sum = v[7] + input + (v[6] ^ (e & (v[5] ^ v[6])));

    sum += rotate(rotate(rotate(e, 14) ^ e, 5) ^ e, 6);
    v[3] += sum;
    sum += rotate(rotate(rotate(a, 9) ^ a, 11) ^ a, 2);
    v[-1] = sum + ((a & v[1]) | (v[2] & (a | v[1])));
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[32]; /* 16 words of the schedule, and the next 16 */
    uint32_t slide[24];
    const uint32_t *k = constants;

    for (int i = 0; i < 16; i++)
        w[i] = tandem_load_be32(block + 4 * i);
    for (int i = 0; i < 8; i++)
        slide[i] = state[i];
    for (;;) {
        uint32_t *v = slide + 16;

        for (int i = 0; i < 8; i++)
            v[i] = slide[i];
        for (int i = 0; i < 16; i++)
            round_at(v--, w[i] + *k++);
        if (k == constants + 64)
            break;
        for (int i = 0; i < 16; i++) {
            uint32_t x = w[i + 1];
            uint32_t y = w[i + 14];

            w[i + 16] = w[i] + w[i + 9] + (rotate(rotate(x, 11) ^ x, 7) ^ (x >> 3)) +
                        (rotate(rotate(y, 2) ^ y, 17) ^ (y >> 10));
        }
        for (int i = 0; i < 16; i++)
            w[i] = w[i + 16];
    }
    for (int i = 0; i < 8; i++)
        state[i] += slide[i];
}

enum tandem_status tandem_sha256_init(struct tandem_sha256 *hash, const struct tandem_crypto_port *port)
{
    static const uint32_t start[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                      0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

    hash->port = port;
    if (port != NULL && port->sha256_init != NULL)
        return port->sha256_init(port->ctx, hash);

    hash->port = NULL;
    memcpy(hash->u.soft.state, start, sizeof start);
    hash->u.soft.length[0] = 0;
    hash->u.soft.length[1] = 0;
    return TANDEM_OK;
}

static void update(struct tandem_sha256 *hash, const uint8_t *p, size_t size)
{
    uint32_t used = hash->u.soft.length[0] & 63u;

    hash->u.soft.length[1] += (uint32_t)((uint64_t)size >> 32);
    hash->u.soft.length[0] += (uint32_t)size;
    if (hash->u.soft.length[0] < (uint32_t)size)
        hash->u.soft.length[1]++;
    while (size > 0) {
        uint32_t take = 64 - used;

        if (take > size)
            take = (uint32_t)size;
        if (take == 64) {
            compress(hash->u.soft.state, p); /* a whole block: from where it lies */
        } else {
            memcpy(hash->u.soft.block + used, p, take);
            if (used + take == 64)
                compress(hash->u.soft.state, hash->u.soft.block);
        }
        p += take;
        size -= take;
        used = (used + take) & 63u;
    }
}

enum tandem_status tandem_sha256_update(struct tandem_sha256 *hash, const void *data, size_t size)
{
    if (hash->port != NULL)
        return hash->port->sha256_update(hash->port->ctx, hash, data, size);

    update(hash, data, size);
    return TANDEM_OK;
}

enum tandem_status tandem_sha256_final(struct tandem_sha256 *hash, uint8_t digest[TANDEM_SHA256_SIZE])
{
    static const uint8_t padding[64] = {0x80};
    enum tandem_status status = TANDEM_OK;

    if (hash->port != NULL) {
        status = hash->port->sha256_final(hash->port->ctx, hash, digest);
    } else {
        uint32_t low = hash->u.soft.length[0];
        uint8_t bits[8];

        tandem_store_be32(bits, (hash->u.soft.length[1] << 3) | (low >> 29));
        tandem_store_be32(bits + 4, low << 3);
        update(hash, padding, 1 + ((55u - low) & 63u));
        update(hash, bits, sizeof bits);
        for (int i = 0; i < 8; i++)
            tandem_store_be32(digest + 4 * i, hash->u.soft.state[i]);
    }
    tandem_wipe(&hash->u, sizeof hash->u);
    return status;
}

enum tandem_status tandem_sha256(const struct tandem_crypto_port *port, const void *data, size_t size,
                                 uint8_t digest[TANDEM_SHA256_SIZE])
{
    struct tandem_sha256 hash;
    enum tandem_status status = tandem_sha256_init(&hash, port);

    if (status == TANDEM_OK)
        status = tandem_sha256_update(&hash, data, size);
    if (status == TANDEM_OK)
        status = tandem_sha256_final(&hash, digest);
    return status;
}
