/*
 * SHA-1, because services in the field still sign and check with it: under
 * HMAC it holds, by itself it is a check against accidents.
 *
 * FIPS 180-4 §6.1.
 */
#include <string.h>

#include "tandem/crypto.h"
#include "bytes.h"

static uint32_t rotate(uint32_t x, unsigned n)
{
    return (x << n) | (x >> (32 - n));
}

static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    switch (round) {
    case 0:
        return d ^ (b & (c ^ d));
    case 2:
        return (b & c) | (d & (b | c));
    default:
        return b ^ c ^ d;
    }
}

static void compress(uint32_t state[5], const uint8_t *block)
{
    static const uint32_t constants[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    uint32_t w[16]; /* the last sixteen words of the schedule, a ring */

    for (unsigned i = 0; i < 16; i++)
        w[i] = tandem_load_be32(block + 4 * i);
    for (unsigned i = 0; i < 80; i++) {
        uint32_t *word = &w[i & 15u];

        if (i >= 16)
            *word = rotate(w[(i + 13) & 15u] ^ w[(i + 8) & 15u] ^ w[(i + 2) & 15u] ^ *word, 1);
        uint32_t sum = rotate(a, 5) + mix(i / 20, b, c, d) + e + constants[i / 20] + *word;
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = sum;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void tandem_sha1_init(struct tandem_sha1 *hash)
{
    static const uint32_t start[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};

    memcpy(hash->state, start, sizeof start);
    hash->length = 0;
}

void tandem_sha1_update(struct tandem_sha1 *hash, const void *data, size_t size)
{
    const uint8_t *p = data;
    uint32_t used = (uint32_t)hash->length & 63u;

    hash->length += size;
    while (size > 0) {
        uint32_t take = 64 - used;

        if (take > size)
            take = (uint32_t)size;
        memcpy(hash->block + used, p, take);
        p += take;
        size -= take;
        used = (used + take) & 63u;
        if (used == 0)
            compress(hash->state, hash->block);
    }
}

void tandem_sha1_final(struct tandem_sha1 *hash, uint8_t digest[TANDEM_SHA1_SIZE])
{
    uint32_t used = (uint32_t)hash->length & 63u;

    hash->block[used++] = 0x80;
    for (; used != 56; used++) { /* zeros, up to the place of the length in this block or the next */
        if (used == 64) {
            compress(hash->state, hash->block);
            used = 0;
        }
        hash->block[used] = 0;
    }
    tandem_store_be64(hash->block + 56, hash->length << 3);
    compress(hash->state, hash->block);
    for (int i = 0; i < 5; i++)
        tandem_store_be32(digest + 4 * i, hash->state[i]);
}
