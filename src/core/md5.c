/*
 * MD5, because protocols in the field still carry it: a check against
 * accidents, worthless against an attacker.
 *
 * RFC 1321.
 */
#include <string.h>

#include "tandem/crypto.h"
#include "bytes.h"

/* floor(2^32 |sin(i + 1)|), RFC 1321 §3.4. */
static const uint32_t sines[64] = {
    0xD76AA478, 0xE8C7B756, 0x242070DB, 0xC1BDCEEE, 0xF57C0FAF, 0x4787C62A, 0xA8304613, 0xFD469501,
    0x698098D8, 0x8B44F7AF, 0xFFFF5BB1, 0x895CD7BE, 0x6B901122, 0xFD987193, 0xA679438E, 0x49B40821,
    0xF61E2562, 0xC040B340, 0x265E5A51, 0xE9B6C7AA, 0xD62F105D, 0x02441453, 0xD8A1E681, 0xE7D3FBC8,
    0x21E1CDE6, 0xC33707D6, 0xF4D50D87, 0x455A14ED, 0xA9E3E905, 0xFCEFA3F8, 0x676F02D9, 0x8D2A4C8A,
    0xFFFA3942, 0x8771F681, 0x6D9D6122, 0xFDE5380C, 0xA4BEEA44, 0x4BDECFA9, 0xF6BB4B60, 0xBEBFBC70,
    0x289B7EC6, 0xEAA127FA, 0xD4EF3085, 0x04881D05, 0xD9D4D039, 0xE6DB99E5, 0x1FA27CF8, 0xC4AC5665,
    0xF4292244, 0x432AFF97, 0xAB9423A7, 0xFC93A039, 0x655B59C3, 0x8F0CCC92, 0xFFEFF47D, 0x85845DD1,
    0x6FA87E4F, 0xFE2CE6E0, 0xA3014314, 0x4E0811A1, 0xF7537E82, 0xBD3AF235, 0x2AD7D2BB, 0xEB86D391,
};

/* Rotations of the four rounds, four steps each. */
static const uint8_t rotations[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};

/* The word of the block that step `step` takes: 1, 5, 3 or 7 steps on each time. */
static uint32_t word_index(uint32_t step)
{
    static const uint8_t stride[4] = {1, 5, 3, 7};
    static const uint8_t start[4] = {0, 1, 5, 0};
    uint32_t round = step >> 4;

    return (start[round] + step * stride[round]) & 15u;
}

static uint32_t mix(uint32_t round, uint32_t b, uint32_t c, uint32_t d)
{
    switch (round) {
    case 0:
        return d ^ (b & (c ^ d));
    case 1:
        return c ^ (d & (b ^ c));
    case 2:
        return b ^ c ^ d;
    default:
        return c ^ (b | ~d);
    }
}

static void compress(uint32_t state[4], const uint8_t *block)
{
    uint32_t a = state[0];
    uint32_t b = state[1];
    uint32_t c = state[2];
    uint32_t d = state[3];

    for (uint32_t step = 0; step < 64; step++) {
        uint32_t round = step >> 4;
        uint32_t turn = rotations[round * 4 + (step & 3u)];
        uint32_t sum = a + mix(round, b, c, d) + sines[step] + tandem_load_le32(block + 4 * word_index(step));

        a = d;
        d = c;
        c = b;
        b += (sum << turn) | (sum >> (32 - turn));
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void tandem_md5_init(struct tandem_md5 *hash)
{
    static const uint32_t start[4] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};

    memcpy(hash->state, start, sizeof start);
    hash->length = 0;
}

void tandem_md5_update(struct tandem_md5 *hash, const void *data, size_t size)
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

void tandem_md5_final(struct tandem_md5 *hash, uint8_t digest[TANDEM_MD5_SIZE])
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
    tandem_store_le64(hash->block + 56, hash->length << 3);
    compress(hash->state, hash->block);
    for (int i = 0; i < 4; i++)
        tandem_store_le32(digest + 4 * i, hash->state[i]);
}
