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

int main(void)
{
    RUN(test_sign);
    RUN(test_nothing_left);
    RUN(test_equal);
    RUN(test_keys);
    return check_report();
}
