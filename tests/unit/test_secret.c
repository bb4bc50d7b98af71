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
    RUN(test_equal);
    RUN(test_keys);
    return check_report();
}
