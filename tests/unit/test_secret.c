/*
 * Secrets choose no branch and no address: run by memcheck, which is told that
 * the secret is undefined, and complains where a jump or an address depends on
 * it. Alone, this program proves nothing but that it runs.
 */
#include <valgrind/memcheck.h>

#include "check.h"
#include "tandem/crypto.h"

static void test_sign(void)
{
    uint8_t seed[32] = {9, 8, 7};
    uint8_t key[32];
    uint8_t signature[64];

    VALGRIND_MAKE_MEM_UNDEFINED(seed, sizeof seed);
    tandem_ed25519_public_key(key, seed);
    tandem_ed25519_sign(signature, seed, "message", 7);
    VALGRIND_MAKE_MEM_DEFINED(key, sizeof key); /* these may be looked at */
    VALGRIND_MAKE_MEM_DEFINED(signature, sizeof signature);
    CHECK_EQUAL(tandem_ed25519_verify(signature, key, "message", 7), TANDEM_OK);
}

/* 1 if any four bytes in a row of the secret lie in what calls left on the stack. Asks memcheck to look away. */
static __attribute__((noinline)) int left_on_stack(const uint8_t *secret, size_t size)
{
    volatile uint8_t stack[16384];
    int found = 0;

    VALGRIND_MAKE_MEM_DEFINED((const void *)(uintptr_t)stack, sizeof stack);
    for (size_t i = 0; i + 4 <= sizeof stack; i++) {
        for (size_t j = 0; j + 4 <= size; j += 4) {
            found |= stack[i] == secret[j] && stack[i + 1] == secret[j + 1] && stack[i + 2] == secret[j + 2] &&
                     stack[i + 3] == secret[j + 3];
        }
    }
    return found;
}

static __attribute__((noinline)) void sign_once(void)
{
    uint8_t seed[32];
    uint8_t signature[64];

    for (int i = 0; i < 32; i++)
        seed[i] = (uint8_t)(37 * i + 11);
    tandem_ed25519_sign(signature, seed, "message", 7);
    tandem_wipe(seed, sizeof seed);
}

/* After signing, neither the seed nor what is derived from it is left in the frames of the calls. */
static void test_nothing_left(void)
{
    static uint8_t secrets[32 + 64 + 32]; /* the seed, its hash, the hash in the words' order as the engine holds it */
    struct tandem_sha512 hash;

    for (int i = 0; i < 32; i++)
        secrets[i] = (uint8_t)(37 * i + 11);
    tandem_sha512_init(&hash);
    tandem_sha512_update(&hash, secrets, 32);
    tandem_sha512_final(&hash, secrets + 32);
    for (int i = 0; i < 32; i++)
        secrets[96 + i] = secrets[32 + 32 + (i ^ 7)];
    left_on_stack(secrets, 0); /* the dynamic linker has done its work before */
    sign_once();
    CHECK_EQUAL(left_on_stack(secrets, sizeof secrets), 0);
}

static void test_equal(void)
{
    uint8_t a[32] = {1};
    uint8_t b[32] = {1};
    int equal;

    VALGRIND_MAKE_MEM_UNDEFINED(a, sizeof a);
    equal = tandem_equal(a, b, sizeof a);
    VALGRIND_MAKE_MEM_DEFINED(&equal, sizeof equal);
    CHECK_EQUAL(equal, 1);
}

static void test_keys(void)
{
    uint8_t secret[80] = {3};
    uint8_t out[48];

    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    CHECK_EQUAL(tandem_hkdf_sha256(NULL, "salt", 4, secret, sizeof secret, "info", 4, out, sizeof out), TANDEM_OK);
}

static void test_aes(void)
{
    uint8_t key[32] = {5};
    uint8_t data[48] = {6};
    uint8_t counter[16] = {0};
    struct tandem_aes aes;

    for (size_t size = 16; size <= 32; size += 16) {
        VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
        VALGRIND_MAKE_MEM_UNDEFINED(data, sizeof data);
        CHECK_EQUAL(tandem_aes_init(&aes, NULL, key, size), TANDEM_OK);
        CHECK_EQUAL(tandem_aes_encrypt(&aes, data, data, 3), TANDEM_OK);
        CHECK_EQUAL(tandem_aes_decrypt(&aes, data, data, 3), TANDEM_OK);
        CHECK_EQUAL(tandem_aes_ctr(&aes, counter, data, data, sizeof data), TANDEM_OK);
    }
}

static __attribute__((noinline)) void encrypt_once(const uint8_t *key)
{
    struct tandem_aes aes;
    uint8_t data[16] = {0};

    tandem_aes_init(&aes, NULL, key, 32);
    tandem_aes_encrypt(&aes, data, data, 1);
    tandem_aes_wipe(&aes);
}

/* After encryption, no word of the key is left in the frames of the calls. */
static void test_no_key_left(void)
{
    static uint8_t key[32];

    for (int i = 0; i < 32; i++)
        key[i] = (uint8_t)(41 * i + 7);
    left_on_stack(key, 0);
    encrypt_once(key);
    CHECK_EQUAL(left_on_stack(key, sizeof key), 0);
}

int main(void)
{
    RUN(test_sign);
    RUN(test_nothing_left);
    RUN(test_equal);
    RUN(test_keys);
    RUN(test_aes);
    RUN(test_no_key_left);
    return check_report();
}
