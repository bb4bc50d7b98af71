/*
 * SHA-512, which Ed25519 is made with. It sees a manifest, never an image, so
 * it is written for size.
 *
 * FIPS 180-4 §6.4.
 */
#include <string.h>

#include "tandem/crypto.h"
#include "bytes.h"

/* FIPS 180-4 §4.2.3. */
static const uint64_t constants[80] = {
    0x428A2F98D728AE22, 0x7137449123EF65CD, 0xB5C0FBCFEC4D3B2F, 0xE9B5DBA58189DBBC, 0x3956C25BF348B538,
    0x59F111F1B605D019, 0x923F82A4AF194F9B, 0xAB1C5ED5DA6D8118, 0xD807AA98A3030242, 0x12835B0145706FBE,
    0x243185BE4EE4B28C, 0x550C7DC3D5FFB4E2, 0x72BE5D74F27B896F, 0x80DEB1FE3B1696B1, 0x9BDC06A725C71235,
    0xC19BF174CF692694, 0xE49B69C19EF14AD2, 0xEFBE4786384F25E3, 0x0FC19DC68B8CD5B5, 0x240CA1CC77AC9C65,
    0x2DE92C6F592B0275, 0x4A7484AA6EA6E483, 0x5CB0A9DCBD41FBD4, 0x76F988DA831153B5, 0x983E5152EE66DFAB,
    0xA831C66D2DB43210, 0xB00327C898FB213F, 0xBF597FC7BEEF0EE4, 0xC6E00BF33DA88FC2, 0xD5A79147930AA725,
    0x06CA6351E003826F, 0x142929670A0E6E70, 0x27B70A8546D22FFC, 0x2E1B21385C26C926, 0x4D2C6DFC5AC42AED,
    0x53380D139D95B3DF, 0x650A73548BAF63DE, 0x766A0ABB3C77B2A8, 0x81C2C92E47EDAEE6, 0x92722C851482353B,
    0xA2BFE8A14CF10364, 0xA81A664BBC423001, 0xC24B8B70D0F89791, 0xC76C51A30654BE30, 0xD192E819D6EF5218,
    0xD69906245565A910, 0xF40E35855771202A, 0x106AA07032BBD1B8, 0x19A4C116B8D2D0C8, 0x1E376C085141AB53,
    0x2748774CDF8EEB99, 0x34B0BCB5E19B48A8, 0x391C0CB3C5C95A63, 0x4ED8AA4AE3418ACB, 0x5B9CCA4F7763E373,
    0x682E6FF3D6B2B8A3, 0x748F82EE5DEFB2FC, 0x78A5636F43172F60, 0x84C87814A1F0AB72, 0x8CC702081A6439EC,
    0x90BEFFFA23631E28, 0xA4506CEBDE82BDE9, 0xBEF9A3F7B2C67915, 0xC67178F2E372532B, 0xCA273ECEEA26619C,
    0xD186B8C721C0C207, 0xEADA7DD6CDE0EB1E, 0xF57D4F7FEE6ED178, 0x06F067AA72176FBA, 0x0A637DC5A2C898A6,
    0x113F9804BEF90DAE, 0x1B710B35131C471B, 0x28DB77F523047D84, 0x32CAAB7B40C72493, 0x3C9EBE0A15C9BEBC,
    0x431D67C49C100D4C, 0x4CC5D4BECB3E42B6, 0x597F299CFC657E2A, 0x5FCB6FAB3AD6FAEC, 0x6C44198C4A475817,
};

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
        high ^= other >> n | from << (32 - n);
    }
    return (uint64_t)high << 32 | low;
}

/* One round, in the manner of sha256.c: the variables slide down by one place. */
static void round_at(uint64_t *v, uint64_t input)
{
    uint64_t sum = v[7] + input + (v[6] ^ (v[4] & (v[5] ^ v[6]))) + sigma(v[4], 14 | 18 << 8 | 41 << 16);

    v[3] += sum;
    v[-1] = sum + sigma(v[0], 28 | 34 << 8 | 39 << 16) + (v[0] ^ ((v[0] ^ v[1]) & (v[0] ^ v[2])));
}

static void compress(uint64_t state[8], const uint8_t *block)
{
    uint64_t w[16];
    uint64_t slide[24];

    for (int i = 0; i < 16; i++)
        w[i] = tandem_load_be64(block + 8 * i);
    memcpy(slide, state, 64);
    for (int base = 0; base < 80; base += 16) {
        uint64_t *v = slide + 16;

        memcpy(v, slide, 64);
        for (int i = 0; i < 16; i++) {
            if (base > 0) {
                uint64_t x = w[(i + 1) & 15];
                uint64_t y = w[(i + 14) & 15];

                w[i] += w[(i + 9) & 15] + (sigma(x, 1 | 8 << 8) ^ x >> 7) + (sigma(y, 19 | 61 << 8) ^ y >> 6);
            }
            round_at(v--, w[i] + constants[base + i]);
        }
    }
    for (int i = 0; i < 8; i++)
        state[i] += slide[i];
}

void tandem_sha512_init(struct tandem_sha512 *hash)
{
    static const uint64_t start[8] = {
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    };

    memcpy(hash->state, start, sizeof start);
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
            compress(hash->state, hash->block);
    }
}

void tandem_sha512_final(struct tandem_sha512 *hash, uint8_t digest[TANDEM_SHA512_SIZE])
{
    uint32_t used = (uint32_t)hash->length & 127u;

    hash->block[used++] = 0x80;
    for (; used != 112; used++) { /* zeros, up to the place of the length in this block or the next */
        if (used == 128) {
            compress(hash->state, hash->block);
            used = 0;
        }
        hash->block[used] = 0;
    }
    tandem_store_be64(hash->block + 112, hash->length >> 61);
    tandem_store_be64(hash->block + 120, hash->length << 3);
    compress(hash->state, hash->block);
    for (int i = 0; i < 8; i++)
        tandem_store_be64(digest + 8 * i, hash->state[i]);
    tandem_wipe(hash, sizeof *hash);
}
