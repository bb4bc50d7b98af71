/*
 * The program that is measured: one primitive, named by BENCH_CASE, once, on a
 * bare machine. The stack below is painted before and looked at after; the
 * instructions between the markers are counted from outside, see count.c.
 * What there is to say goes out by semihosting.
 */
#include <stdint.h>

#include "tandem/crypto.h"

#define CASE_SHA256 1
#define CASE_SHA512 2
#define CASE_MD5 3
#define CASE_CRC16 4
#define CASE_CRC32 5
#define CASE_ED25519 6
#define CASE_P256 7
#define CASE_HMAC 8
#define CASE_HKDF 9
#define CASE_AES_ENCRYPT 10
#define CASE_AES_DECRYPT 11

#define HASHED 4096 /* bytes of the message of a hash */
#define PAINT 0xA5C35A3Cu

extern uint32_t limit; /* from the linker: the lowest word of the stack */
extern uint32_t top;
void reset(void);

#if BENCH_CASE == CASE_ED25519
static const uint8_t message[] = "A manifest of usual size is a few hundred bytes: sixty-four in this line."
                                 "A manifest of usual size is a few hundred bytes: sixty-four in this line."
                                 "A manifest of usual size is a few hundred bytes: sixty-four in this line."
                                 "A manifest of usual size is a few hundred bytes: sixty-four in this line.";
static const uint8_t key[32] = {ED25519_KEY};
static const uint8_t signature[64] = {ED25519_SIGNATURE};
#elif BENCH_CASE == CASE_P256
static const uint8_t key[64] = {P256_KEY};
static const uint8_t signature[64] = {P256_SIGNATURE};
static const uint8_t digest[32] = {P256_DIGEST};
#endif

/* The call. Returns 1 if its outcome is right. */
static int call(void)
{
#if BENCH_CASE == CASE_SHA256
    uint8_t out[32];

    return tandem_sha256(0, (const void *)0, HASHED, out) == TANDEM_OK; /* the message: our own code, at 0 */
#elif BENCH_CASE == CASE_SHA512
    uint8_t out[64];
    struct tandem_sha512 hash;

    tandem_sha512_init(&hash);
    tandem_sha512_update(&hash, (const void *)0, HASHED);
    tandem_sha512_final(&hash, out);
    return 1;
#elif BENCH_CASE == CASE_MD5
    uint8_t out[16];
    struct tandem_md5 hash;

    tandem_md5_init(&hash);
    tandem_md5_update(&hash, (const void *)0, HASHED);
    tandem_md5_final(&hash, out);
    return 1;
#elif BENCH_CASE == CASE_HMAC
    uint8_t out[32];
    struct tandem_hmac_sha256 mac;

    tandem_hmac_sha256_init(&mac, 0, (const void *)0, 32);
    tandem_hmac_sha256_update(&mac, (const void *)0, HASHED);
    tandem_hmac_sha256_final(&mac, out);
    return 1;
#elif BENCH_CASE == CASE_HKDF
    uint8_t out[64];

    return tandem_hkdf_sha256(0, (const void *)0, 32, (const void *)0, 32, (const void *)0, 32, out, 64) == TANDEM_OK;
#elif BENCH_CASE == CASE_AES_ENCRYPT || BENCH_CASE == CASE_AES_DECRYPT
    uint8_t out[256];
    struct tandem_aes aes;
    int right = tandem_aes_init(&aes, 0, (const void *)0, 32) == TANDEM_OK;

    for (uint32_t i = 0; i < HASHED; i += sizeof out) {
#if BENCH_CASE == CASE_AES_ENCRYPT
        right &= tandem_aes_encrypt(&aes, out, (const void *)(uintptr_t)i, sizeof out / 16) == TANDEM_OK;
#else
        right &= tandem_aes_decrypt(&aes, out, (const void *)(uintptr_t)i, sizeof out / 16) == TANDEM_OK;
#endif
    }
    return right;
#elif BENCH_CASE == CASE_CRC16
    return tandem_crc16(TANDEM_CRC16_CCITT_START, (const void *)0, HASHED) != 0;
#elif BENCH_CASE == CASE_CRC32
    return tandem_crc32(TANDEM_CRC32_START, (const void *)0, HASHED) != 0;
#elif BENCH_CASE == CASE_ED25519
    return tandem_ed25519_verify(signature, key, message, sizeof message - 1) == TANDEM_OK;
#else
    return tandem_p256_verify(signature, key, digest) == TANDEM_OK;
#endif
}

static void semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static void say(const char *name, uint32_t value)
{
    char text[12] = "0x00000000\n";

    for (int i = 0; i < 8; i++)
        text[9 - i] = "0123456789abcdef"[(value >> (4 * i)) & 15u];
    semihosting(4, name); /* SYS_WRITE0 */
    semihosting(4, text);
}

static __attribute__((noinline)) int measured(void)
{
    int right;

    __asm__ volatile("mov r10, r10" ::: "memory");
    right = call();
    __asm__ volatile("mov r11, r11" ::: "memory");
    return right;
}

void reset(void)
{
    uint32_t *here;
    uint32_t *word;
    int right;

    __asm__ volatile("mov %0, sp" : "=r"(here));
    for (word = &limit; word < here; word++)
        *(volatile uint32_t *)word = PAINT;
    right = measured();
    for (word = &limit; word < here && *(volatile uint32_t *)word == PAINT; word++)
        continue;
    say("stack ", (uint32_t)((uintptr_t)here - (uintptr_t)word));
    say("right ", (uint32_t)right);
    semihosting(0x18, (const void *)0x20026); /* SYS_EXIT, regular */
    for (;;)
        continue;
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {&top, reset, reset, reset};
