/*
 * The engine on this machine, beside OpenSSL and libsodium where they are
 * found (BENCH_OPENSSL, BENCH_SODIUM). Theirs are made for such machines, with
 * assembly for each; ours is made for small ones. The figures tell whether a
 * host has reason to put another engine behind the crypto port.
 */
#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#ifdef BENCH_OPENSSL
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#endif
#ifdef BENCH_SODIUM
#include <sodium.h>
#endif

#include "tandem/crypto.h"

#define DATA (1024 * 1024)

static uint8_t data[DATA];
static uint8_t seed[32] = {1, 2, 3};
static uint8_t key[32];
static uint8_t signature[64];
static uint8_t digest[64];

/* A signature of P-256, its key, and the digest that it signs. */
static const uint8_t p256_key[64] = {0x26, 0xab, 0xe1, 0x53, 0xa1, 0xc5, 0x7d, 0xb4, 0x2a, 0x9c, 0x2f, 0xe3, 0x07,
                                     0x21, 0x6c, 0x83, 0x2a, 0x4b, 0xde, 0xde, 0x50, 0xfe, 0x23, 0x0b, 0x79, 0x17,
                                     0xa2, 0x2f, 0x4f, 0xb6, 0x6d, 0x74, 0xfa, 0xd8, 0x50, 0xbb, 0xf9, 0xe9, 0x9f,
                                     0xa1, 0xa0, 0xe3, 0x95, 0x43, 0x2e, 0x11, 0x16, 0xb9, 0xed, 0x79, 0x79, 0xe7,
                                     0x44, 0x8d, 0x03, 0xba, 0x28, 0xd2, 0xc7, 0xd5, 0xe7, 0x9d, 0xb2, 0x9b};
static const uint8_t p256_signature[64] = {0x03, 0xb1, 0x63, 0xf7, 0x0c, 0x35, 0x54, 0x63, 0xa1, 0xe7, 0xbe, 0xfb, 0xe3,
                                           0xcc, 0xe8, 0xbf, 0xc4, 0x9d, 0x4b, 0x8e, 0x45, 0xda, 0x20, 0x95, 0x15, 0xeb,
                                           0xe3, 0x00, 0x47, 0x2c, 0x59, 0xf9, 0x6b, 0x14, 0x22, 0x8a, 0xbd, 0x96, 0x8a,
                                           0xfc, 0x4e, 0xa3, 0x7a, 0x5e, 0xa5, 0x41, 0xe6, 0x6b, 0xd8, 0xe5, 0x1e, 0xec,
                                           0x1c, 0x8a, 0x53, 0xab, 0x2f, 0xcd, 0xdf, 0x29, 0x75, 0xe5, 0x2a, 0x3c};
static const uint8_t p256_digest[32] = {0x92, 0xa3, 0xb5, 0xe7, 0x52, 0x7f, 0xdc, 0x93, 0x36, 0xaf, 0x96,
                                        0xe2, 0x09, 0xfb, 0x8b, 0xde, 0xc4, 0x94, 0x3b, 0xa8, 0xfd, 0xf7,
                                        0x8b, 0x62, 0x7f, 0x1e, 0xed, 0xe0, 0xd4, 0x85, 0xf4, 0xf2};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Call for half a second; print how often a second, or megabytes a second. A call returns 1 if it went right. */
static void measure(const char *what, const char *library, int (*call)(void), size_t bytes)
{
    double start = now();
    double end;
    unsigned long count = 0;
    int right = 1;

    do {
        right &= call();
        count++;
        end = now();
    } while (end - start < 0.5);
    double rate = (double)count / (end - start);
    if (bytes != 0)
        printf("%-16s %-10s %10.1f MB/s%s\n", what, library, rate * (double)bytes / 1e6, right ? "" : "  WRONG");
    else
        printf("%-16s %-10s %10.0f /s%s\n", what, library, rate, right ? "" : "  WRONG");
}

static int tandem_hash256(void)
{
    return tandem_sha256(NULL, data, DATA, digest) == TANDEM_OK;
}

static int tandem_hash512(void)
{
    struct tandem_sha512 hash;

    tandem_sha512_init(&hash);
    tandem_sha512_update(&hash, data, DATA);
    tandem_sha512_final(&hash, digest);
    return 1;
}

static int tandem_check32(void)
{
    return tandem_crc32(TANDEM_CRC32_START, data, DATA) != 0;
}

static int tandem_cipher(void)
{
    uint8_t counter[16] = {0};
    struct tandem_aes aes;

    return tandem_aes_init(&aes, NULL, seed, sizeof seed) == TANDEM_OK &&
           tandem_aes_ctr(&aes, counter, data, data, DATA) == TANDEM_OK;
}

static int tandem_ed_sign(void)
{
    tandem_ed25519_sign(signature, seed, data, 300);
    return 1;
}

static int tandem_ed_verify(void)
{
    return tandem_ed25519_verify(signature, key, data, 300) == TANDEM_OK;
}

static int tandem_p256(void)
{
    return tandem_p256_verify(p256_signature, p256_key, p256_digest) == TANDEM_OK;
}

#ifdef BENCH_OPENSSL
static int openssl_cipher(void)
{
    static const uint8_t counter[16];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done;
    int right = EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, seed, counter) == 1 &&
                EVP_EncryptUpdate(ctx, data, &done, data, DATA) == 1;

    EVP_CIPHER_CTX_free(ctx);
    return right;
}

static int openssl_hash256(void)
{
    return EVP_Digest(data, DATA, digest, NULL, EVP_sha256(), NULL);
}

static int openssl_hash512(void)
{
    return EVP_Digest(data, DATA, digest, NULL, EVP_sha512(), NULL);
}

static int openssl_ed_verify(void)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int right =
        EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 && EVP_DigestVerify(ctx, signature, 64, data, 300) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return right;
}

static EVP_PKEY_CTX *p256_ctx; /* the key is parsed once */
static uint8_t *p256_der;
static int p256_der_size;

static void openssl_p256_open(void)
{
    uint8_t octets[65] = {4};
    char curve[] = "prime256v1";
    EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM params[3];

    memcpy(octets + 1, p256_key, 64);
    ECDSA_SIG_set0(sig, BN_bin2bn(p256_signature, 32, NULL), BN_bin2bn(p256_signature + 32, 32, NULL));
    p256_der_size = i2d_ECDSA_SIG(sig, &p256_der);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, sizeof octets);
    params[2] = OSSL_PARAM_construct_end();
    EVP_PKEY_fromdata_init(from);
    EVP_PKEY_fromdata(from, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    p256_ctx = EVP_PKEY_CTX_new(pkey, NULL);
    EVP_PKEY_verify_init(p256_ctx);
    EVP_PKEY_CTX_free(from);
    EVP_PKEY_free(pkey);
    ECDSA_SIG_free(sig);
}

static int openssl_p256(void)
{
    return EVP_PKEY_verify(p256_ctx, p256_der, (size_t)p256_der_size, p256_digest, 32) == 1;
}
#endif

#ifdef BENCH_SODIUM
static int sodium_hash256(void)
{
    return crypto_hash_sha256(digest, data, DATA) == 0;
}

static int sodium_hash512(void)
{
    return crypto_hash_sha512(digest, data, DATA) == 0;
}

static int sodium_ed_verify(void)
{
    return crypto_sign_ed25519_verify_detached(signature, data, 300, key) == 0;
}
#endif

int main(void)
{
    memset(data, 0x5A, sizeof data);
    tandem_ed25519_public_key(key, seed);
    measure("SHA-256", "Tandem", tandem_hash256, DATA);
#ifdef BENCH_OPENSSL
    measure("SHA-256", "OpenSSL", openssl_hash256, DATA);
#endif
#ifdef BENCH_SODIUM
    measure("SHA-256", "libsodium", sodium_hash256, DATA);
#endif
    measure("SHA-512", "Tandem", tandem_hash512, DATA);
#ifdef BENCH_OPENSSL
    measure("SHA-512", "OpenSSL", openssl_hash512, DATA);
#endif
#ifdef BENCH_SODIUM
    measure("SHA-512", "libsodium", sodium_hash512, DATA);
#endif
    measure("AES-256 CTR", "Tandem", tandem_cipher, DATA);
#ifdef BENCH_OPENSSL
    measure("AES-256 CTR", "OpenSSL", openssl_cipher, DATA);
#endif
    measure("CRC-32", "Tandem", tandem_check32, DATA);
    measure("Ed25519 sign", "Tandem", tandem_ed_sign, 0);
    measure("Ed25519 verify", "Tandem", tandem_ed_verify, 0);
#ifdef BENCH_OPENSSL
    measure("Ed25519 verify", "OpenSSL", openssl_ed_verify, 0);
#endif
#ifdef BENCH_SODIUM
    measure("Ed25519 verify", "libsodium", sodium_ed_verify, 0);
#endif
    measure("P-256 verify", "Tandem", tandem_p256, 0);
#ifdef BENCH_OPENSSL
    openssl_p256_open();
    measure("P-256 verify", "OpenSSL", openssl_p256, 0);
#endif
    return 0;
}
