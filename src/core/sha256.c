/*
 * SHA-256: what ties a package together, and where an update spends its time.
 * Small and fast at once: one loop, and a state that slides through memory
 * instead of being moved from variable to variable.
 *
 * FIPS 180-4 §6.2.
 */
#include <string.h>

#include "tandem/config.h"
#include "tandem/crypto.h"
#include "bytes.h"
#include "sha2.h"

#if TANDEM_CONFIG_ED25519
/* SHA-512 is in the build, and its constants. */
#define SPACING 2 /* words from one constant to the next */
#define CONSTANTS (&tandem_sha2_constants[0][0])
#define START (&tandem_sha2_start[0][0])
#else
#define SPACING 1
#define CONSTANTS tandem_sha256_constants
#define START tandem_sha256_start
#endif

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
        uint32_t sum = *w++ + *k + v[7] + CHOOSE(v[4], v[5], v[6]);

        k += SPACING;
        v[3] += sum;
        v--;
        v[0] = sum + MAJORITY(v[1], v[2], (v[2] ^ v[3]), (v[1] ^ v[2]));
    } while (w != end);
}
#else
/* Registers enough: eight rounds, after which every variable is back in its own. */
#define ROOM 0
#define ROUND(a, b, c, d, e, f, g, h, b_c, a_b, i)        \
    do {                                                  \
        (h) += w[i] + k[SPACING * (i)] + CHOOSE(e, f, g); \
        (d) += (h);                                       \
        (a_b) = (a) ^ (b);                                \
        (h) += MAJORITY(a, b, b_c, a_b);                  \
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

    for (const uint32_t *end = w + 16; w != end; w += 8, k += 8 * SPACING) {
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
    sixteen_rounds(s, w, CONSTANTS);
    for (int i = 16; i < 64; i += 16) {
        next_words(w);
        sixteen_rounds(s, w, CONSTANTS + SPACING * i);
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

enum tandem_status tandem_sha256_init(struct tandem_sha256 *hash, const struct tandem_crypto_port *port)
{
    hash->port = port;
    if (TANDEM_CONFIG_CRYPTO_PORT && port != NULL && port->sha256_init != NULL)
        return port->sha256_init(port->ctx, hash);

    hash->port = NULL;
    for (int i = 0; i < 8; i++)
        hash->u.soft.state[i] = START[SPACING * i];
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
    if (TANDEM_CONFIG_CRYPTO_PORT && hash->port != NULL)
        return hash->port->sha256_update(hash->port->ctx, hash, data, size);

    update(hash, data, size);
    return TANDEM_OK;
}

static void finish(struct tandem_sha256 *hash, uint8_t *digest)
{
    uint8_t padding[64] = {0x80};
    uint32_t low = hash->u.soft.length[0];
    uint32_t high = hash->u.soft.length[1];
    uint32_t bits[2];

    update(hash, padding, ((55 - low) & 63u) + 1); /* up to the length, in this block or the next */
    tandem_store_be32((uint8_t *)&bits[0], high << 3 | low >> 29);
    tandem_store_be32((uint8_t *)&bits[1], low << 3);
    memcpy(hash->u.soft.block + 56, bits, sizeof bits);
    compress(hash->u.soft.state, hash->u.soft.block);
    for (int i = 0; i < 8; i++)
        tandem_store_be32(digest + 4 * i, hash->u.soft.state[i]);
}

enum tandem_status tandem_sha256_final(struct tandem_sha256 *hash, uint8_t digest[TANDEM_SHA256_SIZE])
{
    enum tandem_status status = TANDEM_OK;

    if (TANDEM_CONFIG_CRYPTO_PORT && hash->port != NULL)
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
