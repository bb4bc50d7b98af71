/*
 * AES on published vectors: FIPS 197's examples, SP 800-38A's for ECB and CTR,
 * both key sizes, both ways, at every number of blocks; CTR cut in pieces; the
 * port that replaces it.
 */
#include "check.h"
#include "hex.h"
#include "tandem/crypto.h"

/* SP 800-38A, appendix F: one message under two keys. */
static const char message[] = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                              "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
static const char counter[] = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
static const struct {
    const char *key;
    const char *ecb;
    const char *ctr;
} vectors[] = {{"2b7e151628aed2a6abf7158809cf4f3c",
                "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
                "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
                "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
                "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"},
               {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
                "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7",
                "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
                "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"}};

static void open_key(struct tandem_aes *aes, const char *text)
{
    uint8_t key[32];
    size_t size = hex(key, text);

    REQUIRE(tandem_aes_init(aes, NULL, key, size) == TANDEM_OK);
}

/* FIPS 197, appendix C. */
static void test_block(void)
{
    static const char *const cipher[] = {"69c4e0d86a7b0430d8cdb78070b4c55a", "8ea2b7ca516745bfeafc49904b496089"};
    uint8_t key[32];
    uint8_t plain[16];
    uint8_t got[16];
    uint8_t want[16];
    struct tandem_aes aes;

    for (int i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
    for (int i = 0; i < 16; i++)
        plain[i] = (uint8_t)(i * 0x11);
    for (size_t i = 0; i < 2; i++) {
        hex(want, cipher[i]);
        CHECK_EQUAL(tandem_aes_init(&aes, NULL, key, 16 + 16 * i), TANDEM_OK);
        CHECK_EQUAL(tandem_aes_encrypt(&aes, got, plain, 1), TANDEM_OK);
        CHECK_BYTES(got, want, 16);
        CHECK_EQUAL(tandem_aes_decrypt(&aes, got, got, 1), TANDEM_OK);
        CHECK_BYTES(got, plain, 16);
    }
}

static void test_ecb(void)
{
    uint8_t plain[64];
    uint8_t want[64];
    uint8_t got[65];
    struct tandem_aes aes;

    hex(plain, message);
    for (size_t i = 0; i < 2; i++) {
        open_key(&aes, vectors[i].key);
        hex(want, vectors[i].ecb);
        for (size_t blocks = 0; blocks <= 4; blocks++) {
            memset(got, 0xA5, sizeof got);
            CHECK_EQUAL(tandem_aes_encrypt(&aes, got, plain, blocks), TANDEM_OK);
            CHECK_BYTES(got, want, 16 * blocks);
            CHECK_EQUAL(got[16 * blocks], 0xA5); /* and not a byte more */
            CHECK_EQUAL(tandem_aes_decrypt(&aes, got, got, blocks), TANDEM_OK);
            CHECK_BYTES(got, plain, 16 * blocks);
            CHECK_EQUAL(got[16 * blocks], 0xA5);
        }
    }
}

static void test_ctr(void)
{
    uint8_t plain[64];
    uint8_t want[64];
    uint8_t got[65];
    uint8_t start[16];
    struct tandem_aes aes;

    hex(plain, message);
    for (size_t i = 0; i < 2; i++) {
        open_key(&aes, vectors[i].key);
        hex(want, vectors[i].ctr);
        for (size_t size = 0; size <= 64; size++) { /* any end */
            hex(start, counter);
            memset(got, 0xA5, sizeof got);
            CHECK_EQUAL(tandem_aes_ctr(&aes, start, got, plain, size), TANDEM_OK);
            CHECK_BYTES(got, want, size);
            CHECK_EQUAL(got[size], 0xA5);
        }
        for (size_t cut = 16; cut < 64; cut += 16) { /* in pieces, in place */
            hex(start, counter);
            memcpy(got, plain, 64);
            CHECK_EQUAL(tandem_aes_ctr(&aes, start, got, got, cut), TANDEM_OK);
            CHECK_EQUAL(tandem_aes_ctr(&aes, start, got + cut, got + cut, 64 - cut), TANDEM_OK);
            CHECK_BYTES(got, want, 64);
        }
    }
}

/* The counter is one number: it carries through all its bytes. */
static void test_counter(void)
{
    uint8_t start[16];
    uint8_t zero[16] = {0};
    uint8_t out[32] = {0};
    uint8_t want[16];
    struct tandem_aes aes;

    open_key(&aes, vectors[0].key);
    memset(start, 0xFF, sizeof start);
    CHECK_EQUAL(tandem_aes_ctr(&aes, start, out, out, sizeof out), TANDEM_OK);
    tandem_aes_encrypt(&aes, want, zero, 1);
    CHECK_BYTES(out + 16, want, 16);
    zero[15] = 1;
    CHECK_BYTES(start, zero, 16);
}

static void test_arguments(void)
{
    uint8_t key[33] = {0};
    struct tandem_aes aes;

    for (size_t size = 0; size <= 33; size++)
        CHECK_EQUAL(tandem_aes_init(&aes, NULL, key, size),
                    size == 16 || size == 32 ? TANDEM_OK : TANDEM_ERROR_ARGUMENT);
}

static void test_wipe(void)
{
    struct tandem_aes aes;
    uint8_t sum = 0;

    open_key(&aes, vectors[1].key);
    tandem_aes_wipe(&aes);
    for (size_t i = 0; i < sizeof aes; i++)
        sum |= ((const uint8_t *)&aes)[i];
    CHECK_EQUAL(sum, 0);
}

/* ---- the port ---- */

struct calls {
    int directions[2];
    size_t blocks;
    int fails;
};

static enum tandem_status port_aes(void *ctx, const uint8_t *key, size_t key_size, int direction, uint8_t *out,
                                   const uint8_t *in, size_t blocks)
{
    struct calls *calls = ctx;
    struct tandem_aes aes;

    calls->directions[direction]++;
    calls->blocks += blocks;
    if (calls->fails)
        return TANDEM_ERROR_PORT;
    tandem_aes_init(&aes, NULL, key, key_size);
    return direction == TANDEM_AES_ENCRYPT ? tandem_aes_encrypt(&aes, out, in, blocks)
                                           : tandem_aes_decrypt(&aes, out, in, blocks);
}

static void test_port(void)
{
    struct calls calls = {{0, 0}, 0, 0};
    struct tandem_crypto_port port = {.ctx = &calls, .aes = port_aes};
    struct tandem_crypto_port none = {.ctx = NULL};
    uint8_t plain[64];
    uint8_t want[64];
    uint8_t got[64];
    uint8_t key[32];
    uint8_t start[16];
    struct tandem_aes aes;

    hex(plain, message);
    for (size_t i = 0; i < 2; i++) {
        size_t size = hex(key, vectors[i].key);

        hex(want, vectors[i].ecb);
        CHECK_EQUAL(tandem_aes_init(&aes, &none, key, size), TANDEM_OK);
        CHECK_EQUAL(tandem_aes_encrypt(&aes, got, plain, 4), TANDEM_OK);
        CHECK_BYTES(got, want, 64);
        CHECK_EQUAL(tandem_aes_init(&aes, &port, key, size), TANDEM_OK);
        CHECK_EQUAL(tandem_aes_encrypt(&aes, got, plain, 4), TANDEM_OK);
        CHECK_BYTES(got, want, 64);
        CHECK_EQUAL(tandem_aes_decrypt(&aes, got, got, 4), TANDEM_OK);
        CHECK_BYTES(got, plain, 64);
        hex(want, vectors[i].ctr);
        hex(start, counter);
        CHECK_EQUAL(tandem_aes_ctr(&aes, start, got, plain, 64), TANDEM_OK);
        CHECK_BYTES(got, want, 64);
    }
    CHECK_EQUAL(calls.directions[TANDEM_AES_ENCRYPT], 2 * 3);
    CHECK_EQUAL(calls.directions[TANDEM_AES_DECRYPT], 2);
    CHECK_EQUAL(calls.blocks, 2 * 12);

    calls.fails = 1; /* its failure comes out, and no plain text with it */
    memset(got, 0, sizeof got);
    CHECK_EQUAL(tandem_aes_encrypt(&aes, got, plain, 4), TANDEM_ERROR_PORT);
    CHECK_EQUAL(tandem_aes_decrypt(&aes, got, plain, 4), TANDEM_ERROR_PORT);
    hex(start, counter);
    CHECK_EQUAL(tandem_aes_ctr(&aes, start, got, plain, 64), TANDEM_ERROR_PORT);
    memset(want, 0, sizeof want);
    CHECK_BYTES(got, want, 64);
}

int main(void)
{
    RUN(test_block);
    RUN(test_ecb);
    RUN(test_ctr);
    RUN(test_counter);
    RUN(test_arguments);
    RUN(test_wipe);
    RUN(test_port);
    return check_report();
}
