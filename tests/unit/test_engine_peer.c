/*
 * The engine side by side with libraries that the world trusts: OpenSSL for
 * hashes, MACs, key derivation, AES, ECDSA and Ed25519, libsodium for Ed25519.
 * Random cases, whole and corrupted; the seed is printed, and taken as the
 * first argument, so a failure can be had again.
 *
 * Where strictness differs:
 * - A key of small order or with y not below p: libsodium refuses as we do,
 *   OpenSSL takes it.
 * - An R of small order that satisfies the equation: OpenSSL takes it as we
 *   do, libsodium refuses. Nobody but the key's owner can make one.
 * All three refuse an s of L or above and check without cofactor.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <sodium.h>

#include "check.h"
#include "hex.h"
#include "tandem/crypto.h"

static uint64_t state; /* of the generator: xorshift64*, G. Marsaglia 2003, S. Vigna 2016 */

static uint32_t random_word(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545F4914F6CDD1DULL) >> 32);
}

static uint32_t random_below(uint32_t limit)
{
    return random_word() % limit;
}

static void random_bytes(uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)random_word();
}

static void turn_a_bit(uint8_t *data, size_t size)
{
    uint32_t bit = random_below((uint32_t)(8 * size));

    data[bit >> 3] ^= (uint8_t)(1u << (bit & 7));
}

static void test_hashes(void)
{
    static uint8_t data[3000];

    random_bytes(data, sizeof data);
    for (int i = 0; i < 2000; i++) {
        size_t size = random_below(sizeof data);
        size_t cut = size ? random_below((uint32_t)size) : 0;
        struct tandem_sha256 sha256;
        struct tandem_sha512 sha512;
        struct tandem_md5 md5;
        uint8_t got[64];
        uint8_t want[64];

        tandem_sha256_init(&sha256, NULL);
        tandem_sha256_update(&sha256, data, cut);
        tandem_sha256_update(&sha256, data + cut, size - cut);
        tandem_sha256_final(&sha256, got);
        EVP_Digest(data, size, want, NULL, EVP_sha256(), NULL);
        CHECK_BYTES(got, want, 32);
        tandem_sha512_init(&sha512);
        tandem_sha512_update(&sha512, data, cut);
        tandem_sha512_update(&sha512, data + cut, size - cut);
        tandem_sha512_final(&sha512, got);
        EVP_Digest(data, size, want, NULL, EVP_sha512(), NULL);
        CHECK_BYTES(got, want, 64);
        tandem_md5_init(&md5);
        tandem_md5_update(&md5, data, cut);
        tandem_md5_update(&md5, data + cut, size - cut);
        tandem_md5_final(&md5, got);
        EVP_Digest(data, size, want, NULL, EVP_md5(), NULL);
        CHECK_BYTES(got, want, 16);
    }
}

static void test_hmac(void)
{
    uint8_t key[200];
    uint8_t data[300];

    for (int i = 0; i < 2000; i++) {
        size_t key_size = 1 + random_below(sizeof key - 1);
        size_t size = random_below(sizeof data);
        struct tandem_hmac_sha256 mac;
        uint8_t got[32];
        uint8_t want[32];

        random_bytes(key, key_size);
        random_bytes(data, size);
        tandem_hmac_sha256_init(&mac, NULL, key, key_size);
        tandem_hmac_sha256_update(&mac, data, size);
        tandem_hmac_sha256_final(&mac, got);
        HMAC(EVP_sha256(), key, (int)key_size, data, size, want, NULL);
        CHECK_BYTES(got, want, 32);
    }
}

static void test_hkdf(void)
{
    uint8_t secret[100];
    uint8_t salt[100];
    uint8_t info[100];
    uint8_t got[300];
    uint8_t want[300];
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);

    REQUIRE(kdf != NULL);
    for (int i = 0; i < 500; i++) {
        size_t secret_size = 1 + random_below(99);
        size_t salt_size = random_below(100);
        size_t info_size = random_below(100);
        size_t size = 1 + random_below(299);
        EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
        OSSL_PARAM params[5];
        char name[] = "SHA256";

        random_bytes(secret, secret_size);
        random_bytes(salt, salt_size);
        random_bytes(info, info_size);
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
        params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, secret_size);
        params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, salt_size);
        params[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, info_size);
        params[4] = OSSL_PARAM_construct_end();
        CHECK(EVP_KDF_derive(ctx, want, size, params) == 1);
        CHECK_EQUAL(tandem_hkdf_sha256(NULL, salt, salt_size, secret, secret_size, info, info_size, got, size),
                    TANDEM_OK);
        CHECK_BYTES(got, want, size);
        EVP_KDF_CTX_free(ctx);
    }
    EVP_KDF_free(kdf);
}

static void openssl_aes(const EVP_CIPHER *cipher, int encrypt, const uint8_t *key, const uint8_t *iv, uint8_t *out,
                        const uint8_t *in, size_t size)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done;

    CHECK(EVP_CipherInit_ex(ctx, cipher, NULL, key, iv, encrypt) == 1);
    EVP_CIPHER_CTX_set_padding(ctx, 0);
    CHECK(EVP_CipherUpdate(ctx, out, &done, in, (int)size) == 1 && done == (int)size);
    EVP_CIPHER_CTX_free(ctx);
}

static void test_aes(void)
{
    uint8_t key[32];
    uint8_t counter[16];
    uint8_t data[200];
    uint8_t got[200];
    uint8_t want[200];

    for (int i = 0; i < 1000; i++) {
        size_t key_size = random_below(2) ? 16 : 32;
        size_t size = 1 + random_below(sizeof data - 1);
        size_t blocks = size / 16;
        struct tandem_aes aes;

        random_bytes(key, key_size);
        random_bytes(counter, sizeof counter);
        if (random_below(4) == 0)
            memset(counter + random_below(16), 0xFF, 1);
        random_bytes(data, size);
        CHECK_EQUAL(tandem_aes_init(&aes, NULL, key, key_size), TANDEM_OK);
        CHECK_EQUAL(tandem_aes_encrypt(&aes, got, data, blocks), TANDEM_OK);
        openssl_aes(key_size == 16 ? EVP_aes_128_ecb() : EVP_aes_256_ecb(), 1, key, NULL, want, data, 16 * blocks);
        CHECK_BYTES(got, want, 16 * blocks);
        CHECK_EQUAL(tandem_aes_decrypt(&aes, got, data, blocks), TANDEM_OK);
        openssl_aes(key_size == 16 ? EVP_aes_128_ecb() : EVP_aes_256_ecb(), 0, key, NULL, want, data, 16 * blocks);
        CHECK_BYTES(got, want, 16 * blocks);
        openssl_aes(key_size == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr(), 1, key, counter, want, data, size);
        CHECK_EQUAL(tandem_aes_ctr(&aes, counter, got, data, size), TANDEM_OK);
        CHECK_BYTES(got, want, size);
    }
}

static int openssl_ed25519(const uint8_t *signature, const uint8_t *key, const uint8_t *message, size_t size)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int good = pkey != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
               EVP_DigestVerify(ctx, signature, 64, message, size) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good;
}

static int sodium_ed25519(const uint8_t *signature, const uint8_t *key, const uint8_t *message, size_t size)
{
    return crypto_sign_ed25519_verify_detached(signature, message, size, key) == 0;
}

static int tandem_says(const uint8_t *signature, const uint8_t *key, const uint8_t *message, size_t size)
{
    return tandem_ed25519_verify(signature, key, message, size) == TANDEM_OK;
}

static void test_ed25519(void)
{
    for (int i = 0; i < 2000; i++) {
        uint8_t seed[32];
        uint8_t key[32];
        uint8_t secret[64];
        uint8_t message[300];
        uint8_t signature[64];
        uint8_t ours[64];
        size_t size = 1 + random_below(sizeof message - 1);

        random_bytes(seed, sizeof seed);
        random_bytes(message, size);
        crypto_sign_ed25519_seed_keypair(key, secret, seed);
        crypto_sign_ed25519_detached(signature, NULL, message, size, secret);
        if (i % 4 == 0) { /* signing is slow, and the same every time */
            tandem_ed25519_public_key(ours, seed);
            CHECK_BYTES(ours, key, 32);
            tandem_ed25519_sign(ours, seed, message, size);
            CHECK_BYTES(ours, signature, 64);
        }
        CHECK_EQUAL(tandem_says(signature, key, message, size), 1);

        switch (random_below(4)) {
        case 0:
            turn_a_bit(signature, sizeof signature);
            break;
        case 1:
            turn_a_bit(key, sizeof key);
            break;
        case 2:
            turn_a_bit(message, size);
            break;
        default:
            random_bytes(key, sizeof key);
            break;
        }
        CHECK_EQUAL(tandem_says(signature, key, message, size), openssl_ed25519(signature, key, message, size));
        CHECK_EQUAL(tandem_says(signature, key, message, size), sodium_ed25519(signature, key, message, size));
    }
}

/*
 * Random scalars meet no rare path in the sum. Scalars with long runs of
 * ones and zeros meet more of them: [s]B for such an s, by R = [s]B + 0 A.
 */
static void test_ed25519_scalars(void)
{
    uint8_t seed[32] = {1};
    uint8_t key[32];
    uint8_t secret[64];

    crypto_sign_ed25519_seed_keypair(key, secret, seed);
    for (int i = 0; i < 1000; i++) {
        uint8_t a[32];
        uint8_t h[64];
        uint8_t s[32];
        uint8_t r[32];
        uint8_t product[32];
        uint8_t signature[64];
        uint8_t message = (uint8_t)i;
        crypto_hash_sha512_state hash;

        /* A chosen s with runs; R = [s]B - [h]A needs h, which needs R: so choose r with runs and compute s. */
        memset(r, 0, sizeof r);
        for (uint32_t bit = 0; bit < 252;) {
            uint32_t run = 1 + random_below(40);
            uint32_t value = random_below(2);

            while (run-- > 0 && bit < 252) {
                r[bit >> 3] |= (uint8_t)(value << (bit & 7));
                bit++;
            }
        }
        if (crypto_scalarmult_ed25519_base_noclamp(signature, r) != 0)
            continue;
        crypto_hash_sha512_init(&hash);
        crypto_hash_sha512_update(&hash, signature, 32);
        crypto_hash_sha512_update(&hash, key, 32);
        crypto_hash_sha512_update(&hash, &message, 1);
        crypto_hash_sha512_final(&hash, h);
        crypto_core_ed25519_scalar_reduce(product, h);
        crypto_hash_sha512(h, seed, 32);
        h[0] &= 0xF8;
        h[31] = (h[31] & 0x7F) | 0x40;
        memcpy(a, h, 32);
        crypto_core_ed25519_scalar_mul(product, product, a);
        crypto_core_ed25519_scalar_add(s, product, r);
        memcpy(signature + 32, s, 32);
        CHECK_EQUAL(tandem_says(signature, key, &message, 1), 1);
        CHECK_EQUAL(sodium_ed25519(signature, key, &message, 1), 1);
    }
}

/* The differences that the head of this file claims. */
static void test_ed25519_strictness(void)
{
    uint8_t key[32];
    uint8_t signature[64];
    int openssl_takes = 0;

    hex(signature, "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
                   "2e77a7db3b2f65a47efd3cf9bbe5f05486e88756c8cc06c7691f6d5679727502");
    memset(key, 0, sizeof key);
    key[0] = 1;
    for (uint8_t message = 0; message < 8; message++) { /* the neutral element as key */
        openssl_takes += openssl_ed25519(signature, key, &message, 1);
        CHECK_EQUAL(sodium_ed25519(signature, key, &message, 1), 0);
        CHECK_EQUAL(tandem_says(signature, key, &message, 1), 0);
    }
    CHECK_EQUAL(openssl_takes, 8);

    hex(key, "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664");
    hex(signature, "0100000000000000000000000000000000000000000000000000000000000000"
                   "95bd3c404cf5cf57cdae48905c97e17e8f5286df07b21a847f8ab084a1c57008");
    const uint8_t *message = (const uint8_t *)"Tandem"; /* R the neutral element */
    CHECK_EQUAL(tandem_says(signature, key, message, 6), 1);
    CHECK_EQUAL(openssl_ed25519(signature, key, message, 6), 1);
    CHECK_EQUAL(sodium_ed25519(signature, key, message, 6), 0);
}

/* A P-256 group and what is computed with it. */
struct p256 {
    EC_GROUP *group;
    BN_CTX *ctx;
    BIGNUM *order;
    BIGNUM *n[8];
    EC_POINT *point[2];
};

static void p256_open(struct p256 *self)
{
    self->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    self->ctx = BN_CTX_new();
    self->order = BN_new();
    EC_GROUP_get_order(self->group, self->order, self->ctx);
    for (int i = 0; i < 8; i++)
        self->n[i] = BN_new();
    for (int i = 0; i < 2; i++)
        self->point[i] = EC_POINT_new(self->group);
}

static void p256_close(struct p256 *self)
{
    for (int i = 0; i < 8; i++)
        BN_free(self->n[i]);
    for (int i = 0; i < 2; i++)
        EC_POINT_free(self->point[i]);
    BN_free(self->order);
    BN_CTX_free(self->ctx);
    EC_GROUP_free(self->group);
}

static int openssl_p256(const uint8_t *signature, const uint8_t *key, const uint8_t *digest)
{
    uint8_t octets[65] = {4};
    uint8_t *der = NULL;
    char curve[] = "prime256v1";
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    EVP_PKEY_CTX *ctx = NULL;
    OSSL_PARAM params[3];
    int good = 0;

    memcpy(octets + 1, key, 64);
    ECDSA_SIG_set0(sig, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, sizeof octets);
    params[2] = OSSL_PARAM_construct_end();
    if (EVP_PKEY_fromdata_init(from) == 1 && EVP_PKEY_fromdata(from, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1) {
        int size = i2d_ECDSA_SIG(sig, &der);

        ctx = EVP_PKEY_CTX_new(pkey, NULL);
        good = size > 0 && EVP_PKEY_verify_init(ctx) == 1 && EVP_PKEY_verify(ctx, der, (size_t)size, digest, 32) == 1;
    }
    OPENSSL_free(der);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_CTX_free(from);
    EVP_PKEY_free(pkey);
    ECDSA_SIG_free(sig);
    return good;
}

/* A scalar below n: random, or small, or near n, or with long runs of equal bits. */
static void random_scalar(const struct p256 *self, BIGNUM *out)
{
    uint8_t bytes[32] = {0};
    uint32_t kind = random_below(8);

    if (kind < 4) {
        random_bytes(bytes, sizeof bytes);
    } else if (kind < 6) {
        for (uint32_t bit = 0; bit < 256;) {
            uint32_t run = 1 + random_below(60);
            uint32_t value = random_below(2);

            while (run-- > 0 && bit < 256) {
                bytes[bit >> 3] |= (uint8_t)(value << (bit & 7));
                bit++;
            }
        }
    } else {
        bytes[31] = (uint8_t)random_below(20);
    }
    BN_bin2bn(bytes, 32, out);
    if (kind == 7)
        BN_sub(out, self->order, out);
    BN_nnmod(out, out, self->order, self->ctx);
}

/* A valid signature made backwards from u and v: the sum is [u]G + [v][d]G. Returns 0 if there is none. */
static int make_signature(struct p256 *self, uint8_t *signature, uint8_t *key, uint8_t *digest)
{
    BIGNUM *d = self->n[0];
    BIGNUM *u = self->n[1];
    BIGNUM *v = self->n[2];
    BIGNUM *r = self->n[3];
    BIGNUM *s = self->n[4];
    BIGNUM *e = self->n[5];
    uint8_t octets[65];

    random_scalar(self, d);
    random_scalar(self, u);
    random_scalar(self, v);
    if (BN_is_zero(d) || BN_is_zero(v))
        return 0;
    EC_POINT_mul(self->group, self->point[0], d, NULL, NULL, self->ctx);
    EC_POINT_point2oct(self->group, self->point[0], POINT_CONVERSION_UNCOMPRESSED, octets, 65, self->ctx);
    memcpy(key, octets + 1, 64);
    EC_POINT_mul(self->group, self->point[1], u, self->point[0], v, self->ctx);
    if (EC_POINT_is_at_infinity(self->group, self->point[1]))
        return 0;
    EC_POINT_get_affine_coordinates(self->group, self->point[1], r, NULL, self->ctx);
    BN_nnmod(r, r, self->order, self->ctx);
    BN_mod_inverse(s, v, self->order, self->ctx);
    BN_mod_mul(s, s, r, self->order, self->ctx);
    BN_mod_mul(e, u, s, self->order, self->ctx);
    BN_bn2binpad(r, signature, 32);
    BN_bn2binpad(s, signature + 32, 32);
    BN_bn2binpad(e, digest, 32);
    return 1;
}

static void test_p256(void)
{
    struct p256 self;
    uint8_t signature[64];
    uint8_t key[64];
    uint8_t digest[32];

    p256_open(&self);
    for (int i = 0; i < 3000; i++) {
        if (!make_signature(&self, signature, key, digest))
            continue;
        CHECK_EQUAL(tandem_p256_verify(signature, key, digest), TANDEM_OK);
        switch (random_below(4)) {
        case 0:
            turn_a_bit(signature, sizeof signature);
            break;
        case 1:
            turn_a_bit(key, sizeof key);
            break;
        case 2:
            turn_a_bit(digest, sizeof digest);
            break;
        default:
            random_bytes(signature, sizeof signature);
            break;
        }
        CHECK_EQUAL(tandem_p256_verify(signature, key, digest) == TANDEM_OK, openssl_p256(signature, key, digest));
    }
    p256_close(&self);
}

int main(int argc, char **argv)
{
    state = argc > 1 ? strtoull(argv[1], NULL, 0) : 0x7A6D656DULL;
    printf("seed 0x%llx, %s, libsodium %s\n", (unsigned long long)state, OpenSSL_version(OPENSSL_VERSION),
           sodium_version_string());
    REQUIRE(state != 0 && sodium_init() >= 0);
    RUN(test_hashes);
    RUN(test_hmac);
    RUN(test_hkdf);
    RUN(test_aes);
    RUN(test_ed25519);
    RUN(test_ed25519_scalars);
    RUN(test_ed25519_strictness);
    RUN(test_p256);
    return check_report();
}
