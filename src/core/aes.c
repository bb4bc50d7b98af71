/*
 * AES with keys of 128 and 256 bits, for protocols that encrypt what they
 * carry. Small, and without a table that a secret could index: the bits of two
 * blocks lie in eight words, one for each bit of a byte, and the S-box is
 * computed on all 32 bytes at once, by the inverse in GF(2^8) taken as a field
 * of pairs over GF(2^4).
 *
 * FIPS 197, SP 800-38A.
 */
#include <string.h>

#include "tandem/config.h"
#include "tandem/crypto.h"
#include "bytes.h"

#define BLOCK TANDEM_AES_BLOCK_SIZE

/*
 * A bit's place in a word: 8 * row + 2 * column + block. So a row is a byte of
 * the word, and shifting it by a column turns that byte by two bits.
 */
#define FIRST 0x55555555u /* the places of the first block */

/* ---- the S-box ---- */

/*
 * Elements of GF(2^8) are taken as a y + b, with y^2 = y + z^3 + z over
 * GF(2)[z] / (z^4 + z + 1): a in the upper four words, b in the lower four.
 * Each map between the two ways to write them is a matrix over bits.
 */

/* To pairs over GF(2^4). */
static void to_pairs(uint32_t x[8])
{
    uint32_t in[8];

    memcpy(in, x, sizeof in);
    x[0] = in[0] ^ in[5];
    x[1] = in[2] ^ in[3] ^ in[5];
    x[2] = in[1] ^ in[6] ^ in[7];
    x[3] = in[1] ^ in[3] ^ in[6] ^ in[7];
    x[4] = in[2] ^ in[3] ^ in[4] ^ in[6] ^ in[7];
    x[5] = in[2] ^ in[3] ^ in[5] ^ in[7];
    x[6] = in[1] ^ in[4] ^ in[5] ^ in[6];
    x[7] = in[5] ^ in[7];
}

/* And back. */
static void from_pairs(uint32_t x[8])
{
    uint32_t in[8];

    memcpy(in, x, sizeof in);
    x[0] = in[0] ^ in[1] ^ in[5] ^ in[7];
    x[1] = in[4] ^ in[5] ^ in[6];
    x[2] = in[2] ^ in[3] ^ in[5] ^ in[7];
    x[3] = in[2] ^ in[3];
    x[4] = in[2] ^ in[6] ^ in[7];
    x[5] = in[1] ^ in[5] ^ in[7];
    x[6] = in[1] ^ in[2] ^ in[4] ^ in[6];
    x[7] = in[1] ^ in[5];
}

/* Back, and the matrix of the affine map. */
static void from_pairs_affine(uint32_t x[8])
{
    uint32_t in[8];

    memcpy(in, x, sizeof in);
    x[0] = in[0] ^ in[4] ^ in[5] ^ in[7];
    x[1] = in[0] ^ in[2];
    x[2] = in[0] ^ in[1] ^ in[3];
    x[3] = in[0] ^ in[4] ^ in[6];
    x[4] = in[0] ^ in[1] ^ in[2] ^ in[4] ^ in[5] ^ in[7];
    x[5] = in[1] ^ in[2] ^ in[4] ^ in[5] ^ in[7];
    x[6] = in[4] ^ in[7];
    x[7] = in[1] ^ in[2] ^ in[3] ^ in[4];
}

/* The inverse of that. */
static void affine_to_pairs(uint32_t x[8])
{
    uint32_t in[8];

    memcpy(in, x, sizeof in);
    x[0] = in[4] ^ in[5];
    x[1] = in[0] ^ in[1] ^ in[5];
    x[2] = in[1] ^ in[4] ^ in[5];
    x[3] = in[0] ^ in[1] ^ in[2] ^ in[4];
    x[4] = in[1] ^ in[2] ^ in[7];
    x[5] = in[0] ^ in[4] ^ in[5] ^ in[6];
    x[6] = in[1] ^ in[2] ^ in[3] ^ in[4] ^ in[5] ^ in[7];
    x[7] = in[1] ^ in[2] ^ in[6] ^ in[7];
}

/* out = a b in GF(2^4). `out` may be either. */
static void multiply(uint32_t out[4], const uint32_t a[4], const uint32_t b[4])
{
    uint32_t sum[4] = {0};
    uint32_t a0 = a[0];
    uint32_t a1 = a[1];
    uint32_t a2 = a[2];
    uint32_t a3 = a[3];

    for (int i = 0; i < 4; i++) {
        uint32_t top = a3;

        sum[0] ^= a0 & b[i];
        sum[1] ^= a1 & b[i];
        sum[2] ^= a2 & b[i];
        sum[3] ^= a3 & b[i];
        a3 = a2; /* a <- a z */
        a2 = a1;
        a1 = a0 ^ top;
        a0 = top;
    }
    memcpy(out, sum, sizeof sum);
}

static void square(uint32_t a[4])
{
    uint32_t a1 = a[1];

    a[0] ^= a[2];
    a[1] = a[2];
    a[2] = a1 ^ a[3];
}

/* x <- 1 / x, and 0 of 0: of a y + b it is (a y + a + b) / (e a^2 + b (a + b)), where y^2 = y + e. */
static void invert(uint32_t x[8])
{
    uint32_t *a = x + 4;
    uint32_t *b = x;
    uint32_t sum[4];
    uint32_t norm[4];
    uint32_t power[4];

    for (int i = 0; i < 4; i++)
        sum[i] = a[i] ^ b[i];
    multiply(norm, b, sum);
    norm[0] ^= a[2] ^ a[3]; /* e a^2: linear */
    norm[1] ^= a[0] ^ a[1];
    norm[2] ^= a[1] ^ a[2];
    norm[3] ^= a[0] ^ a[1] ^ a[2];

    square(norm); /* 1 / norm is its power 14 = 2 + 4 + 8 */
    memcpy(power, norm, sizeof power);
    square(power);
    multiply(norm, norm, power);
    square(power);
    multiply(norm, norm, power);

    multiply(a, a, norm);
    multiply(b, sum, norm);
}

/* The constant of the affine map, 0x63. */
static void add_constant(uint32_t bits[8])
{
    bits[0] = ~bits[0];
    bits[1] = ~bits[1];
    bits[5] = ~bits[5];
    bits[6] = ~bits[6];
}

static void substitute(uint32_t bits[8])
{
    to_pairs(bits);
    invert(bits);
    from_pairs_affine(bits);
    add_constant(bits);
}

static void substitute_back(uint32_t bits[8])
{
    add_constant(bits);
    affine_to_pairs(bits);
    invert(bits);
    from_pairs(bits);
}

/* ---- bytes and bits ---- */

/* Eight words of four bytes each, to eight words of one bit of each byte, and back. */
static void transpose(uint32_t words[8])
{
    static const uint32_t masks[3] = {0x55555555u, 0x33333333u, 0x0F0F0F0Fu};

    for (int level = 0; level < 3; level++) {
        int step = 1 << level;

        for (int i = 0; i < 8; i++) {
            uint32_t turn;

            if (i & step)
                continue;
            turn = ((words[i] >> step) ^ words[i + step]) & masks[level];
            words[i + step] ^= turn;
            words[i] ^= turn << step;
        }
    }
}

static void load(uint32_t bits[8], const uint8_t *in, int both)
{
    for (int column = 0; column < 4; column++) {
        bits[2 * column] = tandem_load_le32(in + 4 * column);
        bits[2 * column + 1] = both ? tandem_load_le32(in + BLOCK + 4 * column) : 0;
    }
    transpose(bits);
}

static void store(uint8_t *out, uint32_t bits[8], int both)
{
    transpose(bits);
    for (int column = 0; column < 4; column++) {
        tandem_store_le32(out + 4 * column, bits[2 * column]);
        if (both)
            tandem_store_le32(out + BLOCK + 4 * column, bits[2 * column + 1]);
    }
}

/* ---- the other layers ---- */

/* Row r of every block turns by r columns: rows 1 and 3 by one, then rows 2 and 3 by two. */
static void shift_rows(uint32_t bits[8], int back)
{
    for (int i = 0; i < 8; i++) {
        uint32_t word = bits[i];
        uint32_t one = back ? ((word << 2) & 0xFC00FC00u) | ((word >> 6) & 0x03000300u)
                            : ((word >> 2) & 0x3F003F00u) | ((word << 6) & 0xC000C000u);

        word = (word & 0x00FF00FFu) | one;
        bits[i] = (word & 0x0000FFFFu) | ((word >> 4) & 0x0F0F0000u) | ((word << 4) & 0xF0F00000u);
    }
}

/* Every byte times x, in GF(2^8). */
static void times_x(uint32_t bits[8])
{
    uint32_t top = bits[7];

    for (int i = 7; i > 0; i--)
        bits[i] = bits[i - 1];
    bits[0] = top;
    bits[1] ^= top;
    bits[3] ^= top;
    bits[4] ^= top;
}

/* Row r of the result is row r + `rows`. */
static uint32_t other_row(uint32_t word, uint32_t rows)
{
    return (word >> (8 * rows)) | (word << (32 - 8 * rows));
}

/* b(r) = 2 (a(r) + a(r + 1)) + a(r + 1) + a(r + 2) + a(r + 3) */
static void mix_columns(uint32_t bits[8])
{
    uint32_t doubled[8];

    for (int i = 0; i < 8; i++)
        doubled[i] = bits[i] ^ other_row(bits[i], 1);
    for (int i = 0; i < 8; i++)
        bits[i] = other_row(bits[i], 1) ^ other_row(doubled[i], 2);
    times_x(doubled);
    for (int i = 0; i < 8; i++)
        bits[i] ^= doubled[i];
}

/* The inverse is the same after a(r) + 4 (a(r) + a(r + 2)). */
static void mix_columns_back(uint32_t bits[8])
{
    uint32_t four[8];

    for (int i = 0; i < 8; i++)
        four[i] = bits[i] ^ other_row(bits[i], 2);
    times_x(four);
    times_x(four);
    for (int i = 0; i < 8; i++)
        bits[i] ^= four[i];
    mix_columns(bits);
}

/* A round's key has its bits for one block; bits 0 to 3 in the first block's places, bits 4 to 7 in the second's. */
static void add_key(uint32_t bits[8], const uint32_t key[4])
{
    for (int i = 0; i < 4; i++) {
        uint32_t low = key[i] & FIRST;
        uint32_t high = key[i] & ~FIRST;

        bits[i] ^= low | low << 1;
        bits[i + 4] ^= high | high >> 1;
    }
}

/* ---- keys ---- */

static uint32_t substitute_word(uint32_t word)
{
    uint32_t bits[8] = {0};

    bits[0] = word;
    transpose(bits);
    substitute(bits);
    transpose(bits);
    word = bits[0];
    tandem_wipe(bits, sizeof bits);
    return word;
}

/* The words of the key schedule, into their places of add_key(). */
static void spread(uint32_t key[4])
{
    uint32_t bits[8];

    for (int column = 0; column < 4; column++) {
        bits[2 * column] = key[column];
        bits[2 * column + 1] = key[column];
    }
    transpose(bits);
    for (int i = 0; i < 4; i++)
        key[i] = (bits[i] & FIRST) | (bits[i + 4] & ~FIRST);
    tandem_wipe(bits, sizeof bits);
}

static void expand(struct tandem_aes *aes, const uint8_t *key, size_t size)
{
    uint32_t *words = aes->u.soft.keys;
    uint32_t given = (uint32_t)size / 4;
    uint32_t total = 4 * (aes->u.soft.rounds + 1u);
    uint32_t constant = 1;

    for (uint32_t i = 0; i < given; i++)
        words[i] = tandem_load_le32(key + 4 * i);
    for (uint32_t i = given; i < total; i++) {
        uint32_t word = words[i - 1];

        if (i % given == 0) {
            word = substitute_word((word >> 8) | (word << 24)) ^ constant;
            constant = (constant << 1) ^ (0x11Bu & (0u - (constant >> 7)));
        } else if (i % given == 4) { /* of a long key only: a short one has four words */
            word = substitute_word(word);
        }
        words[i] = words[i - given] ^ word;
    }
    for (uint32_t i = 0; i < total; i += 4)
        spread(words + i);
}

enum tandem_status tandem_aes_init(struct tandem_aes *aes, const struct tandem_crypto_port *port, const uint8_t *key,
                                   size_t size)
{
    memset(aes, 0, sizeof *aes);
    if (size != TANDEM_AES128_KEY_SIZE && size != TANDEM_AES256_KEY_SIZE)
        return TANDEM_ERROR_ARGUMENT;
    if (TANDEM_CONFIG_CRYPTO_PORT && port != NULL && port->aes != NULL) {
        aes->port = port;
        aes->u.port.key_size = (uint8_t)size;
        memcpy(aes->u.port.key, key, size);
        return TANDEM_OK;
    }
    aes->u.soft.rounds = (uint8_t)(size / 4 + 6);
    expand(aes, key, size);
    return TANDEM_OK;
}

void tandem_aes_wipe(struct tandem_aes *aes)
{
    tandem_wipe(aes, sizeof *aes);
}

/* ---- blocks ---- */

static void encrypt(const struct tandem_aes *aes, uint32_t bits[8])
{
    const uint32_t *key = aes->u.soft.keys;

    add_key(bits, key);
    for (unsigned round = aes->u.soft.rounds; round > 0; round--) {
        key += 4;
        substitute(bits);
        shift_rows(bits, 0);
        if (round > 1)
            mix_columns(bits);
        add_key(bits, key);
    }
}

static void decrypt(const struct tandem_aes *aes, uint32_t bits[8])
{
    const uint32_t *key = aes->u.soft.keys + 4 * aes->u.soft.rounds;

    add_key(bits, key);
    for (unsigned round = aes->u.soft.rounds; round > 0; round--) {
        key -= 4;
        shift_rows(bits, 1);
        substitute_back(bits);
        add_key(bits, key);
        if (round > 1)
            mix_columns_back(bits);
    }
}

static enum tandem_status blocks_of(const struct tandem_aes *aes, int direction, uint8_t *out, const uint8_t *in,
                                    size_t blocks)
{
    uint32_t bits[8];

    if (TANDEM_CONFIG_CRYPTO_PORT && aes->port != NULL)
        return aes->port->aes(aes->port->ctx, aes->u.port.key, aes->u.port.key_size, direction, out, in, blocks);
    while (blocks > 0) {
        int both = blocks > 1;
        size_t taken = both ? 2 * (size_t)BLOCK : BLOCK;

        load(bits, in, both);
        if (direction == TANDEM_AES_ENCRYPT)
            encrypt(aes, bits);
        else
            decrypt(aes, bits);
        store(out, bits, both);
        in += taken;
        out += taken;
        blocks -= taken / BLOCK;
    }
    tandem_wipe(bits, sizeof bits);
    return TANDEM_OK;
}

enum tandem_status tandem_aes_encrypt(const struct tandem_aes *aes, uint8_t *out, const uint8_t *in, size_t blocks)
{
    return blocks_of(aes, TANDEM_AES_ENCRYPT, out, in, blocks);
}

enum tandem_status tandem_aes_decrypt(const struct tandem_aes *aes, uint8_t *out, const uint8_t *in, size_t blocks)
{
    return blocks_of(aes, TANDEM_AES_DECRYPT, out, in, blocks);
}

static void count(uint8_t counter[BLOCK])
{
    for (int i = BLOCK - 1; i >= 0; i--)
        if (++counter[i] != 0)
            break;
}

enum tandem_status tandem_aes_ctr(const struct tandem_aes *aes, uint8_t counter[BLOCK], uint8_t *out, const uint8_t *in,
                                  size_t size)
{
    uint8_t stream[2 * BLOCK];
    enum tandem_status status = TANDEM_OK;

    while (size > 0 && status == TANDEM_OK) {
        size_t take = size < sizeof stream ? size : sizeof stream;
        size_t blocks = (take + BLOCK - 1) / BLOCK;

        for (size_t i = 0; i < blocks; i++) {
            memcpy(stream + i * BLOCK, counter, BLOCK);
            count(counter);
        }
        status = tandem_aes_encrypt(aes, stream, stream, blocks);
        for (size_t i = 0; i < take && status == TANDEM_OK; i++)
            out[i] = in[i] ^ stream[i];
        in += take;
        out += take;
        size -= take;
    }
    tandem_wipe(stream, sizeof stream);
    return status;
}
