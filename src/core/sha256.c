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

/* Macros, because a compiler that is told to be small calls a function that is used twice. */
#define ROTATE(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
/* Sigma1(e) + Ch(e, f, g). The rotations are nested: 14 + 5 + 6 = 25, 5 + 6 = 11, 6; that asks for one temporary. */
#define CHOOSE(e, f, g) (ROTATE(ROTATE(ROTATE(e, 14) ^ (e), 5) ^ (e), 6) + ((g) ^ ((e) & ((f) ^ (g)))))
/* Sigma0(a) + Maj(a, b, c), given b ^ c and a ^ b: the latter is the former of the next round. */
#define MAJORITY(a, b, b_c, a_b) (ROTATE(ROTATE(ROTATE(a, 9) ^ (a), 11) ^ (a), 2) + ((b) ^ ((a_b) & (b_c))))

/* sigma0(x), sigma1(x) of the schedule */
#define SMALL0(x) (ROTATE(ROTATE(x, 11) ^ (x), 7) ^ ((x) >> 3))
#define SMALL1(x) (ROTATE(ROTATE(x, 2) ^ (x), 17) ^ ((x) >> 10))

#if defined(__thumb__) && !defined(__thumb2__)
/*
 * Few registers: the eight variables stay in memory and slide through it. A
 * round at v writes the new e over d and the new a in front, and all are in
 * place for the round at v - 1.
 */
#define ROOM 16

static void sixteen_rounds(uint32_t *state, const uint32_t *w, const uint32_t *k)
{
    const uint32_t *end = w + 16;
    uint32_t *v = state + ROOM;

    v[0] = state[0]; /* one by one: a loop would become a call of memcpy, by bytes */
    v[1] = state[1];
    v[2] = state[2];
    v[3] = state[3];
    v[4] = state[4];
    v[5] = state[5];
    v[6] = state[6];
    v[7] = state[7];
    do {
        uint32_t sum = *w++ + *k++ + v[7] + CHOOSE(v[4], v[5], v[6]);

        v[3] += sum;
        v--;
        v[0] = sum + MAJORITY(v[1], v[2], (v[2] ^ v[3]), (v[1] ^ v[2]));
    } while (w != end);
}
#else
/* Registers enough: eight rounds, after which every variable is back in its own. */
#define ROOM 0
#define ROUND(a, b, c, d, e, f, g, h, b_c, a_b, i) \
    do {                                           \
        (h) += w[i] + k[i] + CHOOSE(e, f, g);      \
        (d) += (h);                                \
        (a_b) = (a) ^ (b);                         \
        (h) += MAJORITY(a, b, b_c, a_b);           \
    } while (0)

static void sixteen_rounds(uint32_t *state, const uint32_t *w, const uint32_t *k)
{
    uint32_t a = state[0];
    uint32_t b = state[1];
    uint32_t c = state[2];
    uint32_t d = state[3];
    uint32_t e = state[4];
    uint32_t f = state[5];
    uint32_t g = state[6];
    uint32_t h = state[7];
    uint32_t x = b ^ c;
    uint32_t y;

    for (const uint32_t *end = w + 16; w != end; w += 8, k += 8) {
        ROUND(a, b, c, d, e, f, g, h, x, y, 0);
        ROUND(h, a, b, c, d, e, f, g, y, x, 1);
        ROUND(g, h, a, b, c, d, e, f, x, y, 2);
        ROUND(f, g, h, a, b, c, d, e, y, x, 3);
        ROUND(e, f, g, h, a, b, c, d, x, y, 4);
        ROUND(d, e, f, g, h, a, b, c, y, x, 5);
        ROUND(c, d, e, f, g, h, a, b, x, y, 6);
        ROUND(b, c, d, e, f, g, h, a, y, x, 7);
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = d;
    state[4] = e;
    state[5] = f;
    state[6] = g;
    state[7] = h;
}
#endif

/* The next sixteen words of the schedule. Each is kept twice, so that none has to look for its neighbours in a ring. */
static void next_words(uint32_t *w)
{
    for (const uint32_t *end = w + 16; w != end; w++) {
        uint32_t next = w[0] + w[9] + SMALL0(w[1]) + SMALL1(w[14]);

        w[0] = next;
        w[16] = next;
    }
}

static void compress(uint32_t *state, const uint8_t *block)
{
    uint32_t w[32];
    uint32_t s[8 + ROOM];

    for (int i = 0; i < 16; i++)
        w[i] = tandem_load_be32(block + 4 * i);
    for (int i = 0; i < 8; i++)
        s[i] = state[i];
    sixteen_rounds(s, w, constants);
    for (const uint32_t *k = constants + 16; k != constants + 64; k += 16) {
        next_words(w);
        sixteen_rounds(s, w, k);
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
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

static void finish(struct tandem_sha256 *hash, uint8_t *digest)
{
    uint8_t *block = hash->u.soft.block;
    uint32_t low = hash->u.soft.length[0];
    uint32_t used = low & 63u;

    block[used++] = 0x80;
    for (; used != 56; used++) { /* zeros, up to the place of the length in this block or the next */
        if (used == 64) {
            compress(hash->u.soft.state, block);
            used = 0;
        }
        block[used] = 0;
    }
    tandem_store_be32(block + 56, hash->u.soft.length[1] << 3 | low >> 29);
    tandem_store_be32(block + 60, low << 3);
    compress(hash->u.soft.state, block);
    for (int i = 0; i < 8; i++)
        tandem_store_be32(digest + 4 * i, hash->u.soft.state[i]);
}

enum tandem_status tandem_sha256_final(struct tandem_sha256 *hash, uint8_t digest[TANDEM_SHA256_SIZE])
{
    enum tandem_status status = TANDEM_OK;

    if (hash->port != NULL)
        status = hash->port->sha256_final(hash->port->ctx, hash, digest);
    else
        finish(hash, digest);
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
