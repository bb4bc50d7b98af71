/*
 * SHA-512, which Ed25519 is made with. It sees a manifest, never an image, so
 * it is written for size.
 *
 * FIPS 180-4 §6.4.
 */
#include <string.h>

#include "tandem/crypto.h"
#include "bytes.h"
#include "sha2.h"

static uint64_t join(const uint32_t *halves)
{
    return (uint64_t)halves[0] << 32 | halves[1];
}

#define SHIFT 64u /* a count with this shifts, zeros moving in, instead of rotating */

/* The exclusive or of x rotated to the right by each count, one a byte of `turns`; none is 0 or 32. */
static uint64_t sigma(uint64_t x, uint32_t turns)
{
    uint32_t low = 0;
    uint32_t high = 0;

    for (; turns != 0; turns >>= 8) {
        uint32_t from = (uint32_t)x;
        uint32_t other = (uint32_t)(x >> 32);
        uint32_t n = turns & 31u;

        if (turns & 32u) {
            from = other;
            other = (uint32_t)x;
        }
        low ^= from >> n | other << (32 - n);
        high ^= other >> n;
        if (!(turns & SHIFT))
            high ^= from << (32 - n);
    }
    return (uint64_t)high << 32 | low;
}

static void compress(struct tandem_sha512 *hash)
{
    /* The variables a … h, the next sixteen words of the schedule, the last one first, and room: each round moves all
     * up by one place. */
    uint64_t v[25];

    memcpy(v, hash->state, sizeof hash->state);
    for (int i = 0; i < 16; i++)
        v[23 - i] = tandem_load_be64(hash->block + 8 * i);
    for (int i = 0; i < 80; i++) {
        memmove(v + 1, v, 24 * sizeof v[0]);
        v[8] += v[24] + join(tandem_sha2_constants[i]);
        v[8] += v[7] ^ (v[5] & (v[6] ^ v[7]));
        v[8] += sigma(v[5], 14 | 18 << 8 | 41 << 16);
        v[4] += v[8];
        v[0] = v[8] + (v[1] ^ ((v[1] ^ v[2]) & (v[1] ^ v[3])));
        v[0] += sigma(v[1], 28 | 34 << 8 | 39 << 16);
        v[8] = v[24] + v[15];
        v[8] += sigma(v[23], 1 | 8 << 8 | (SHIFT | 7) << 16);
        v[8] += sigma(v[10], 19 | 61 << 8 | (SHIFT | 6) << 16);
    }
    for (int i = 0; i < 8; i++)
        hash->state[i] += v[i];
}

void tandem_sha512_init(struct tandem_sha512 *hash)
{
    for (int i = 0; i < 8; i++)
        hash->state[i] = join(tandem_sha2_start[i]);
    hash->length = 0;
}

void tandem_sha512_update(struct tandem_sha512 *hash, const void *data, size_t size)
{
    const uint8_t *p = data;
    uint32_t used = (uint32_t)hash->length & 127u;

    hash->length += size;
    while (size > 0) {
        uint32_t take = 128 - used;

        if (take > size)
            take = (uint32_t)size;
        memcpy(hash->block + used, p, take);
        p += take;
        size -= take;
        used = (used + take) & 127u;
        if (used == 0)
            compress(hash);
    }
}

void tandem_sha512_final(struct tandem_sha512 *hash, uint8_t digest[TANDEM_SHA512_SIZE])
{
    uint8_t padding[128] = {0x80};
    uint64_t length = hash->length;

    tandem_sha512_update(hash, padding, ((111 - (uint32_t)length) & 127u) + 1);
    tandem_store_be64(hash->block + 112, length >> 61);
    tandem_store_be64(hash->block + 120, length << 3);
    compress(hash);
    for (int i = 0; i < 8; i++)
        tandem_store_be64(digest + 8 * i, hash->state[i]);
    tandem_wipe(hash, sizeof *hash);
}
