/**
 * @file
 * The engine: checksums, hashes, signatures, a cipher. Streaming where data can be
 * long, bounded in state and stack, no allocation, no globals that change.
 *
 * Functions that take a `struct tandem_crypto_port` use its replacement when
 * there is one; pass NULL for the built-in code.
 */
#ifndef TANDEM_CRYPTO_H
#define TANDEM_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_SHA256_SIZE 32      /**< bytes of a SHA-256 digest */
#define TANDEM_SHA512_SIZE 64      /**< bytes of a SHA-512 digest */
#define TANDEM_MD5_SIZE 16         /**< bytes of an MD5 digest */
#define TANDEM_SHA1_SIZE 20        /**< bytes of a SHA-1 digest */
#define TANDEM_ED25519_KEY_SIZE 32 /**< bytes of an Ed25519 public key or seed */
#define TANDEM_P256_KEY_SIZE 64    /**< bytes of a P-256 public key: X then Y, big-endian */
#define TANDEM_AES_BLOCK_SIZE 16   /**< bytes of a block of AES */
#define TANDEM_AES128_KEY_SIZE 16  /**< bytes of a key of AES-128 */
#define TANDEM_AES256_KEY_SIZE 32  /**< bytes of a key of AES-256 */
#define TANDEM_SIGNATURE_SIZE 64   /**< bytes of an Ed25519 or a raw (r, s) P-256 signature */

struct tandem_crypto_port;

/** SHA-256 under way (FIPS 180-4). Its fields are the engine's or the port's own. */
struct tandem_sha256 {
    const struct tandem_crypto_port *port; /**< who does the work; NULL: built in */
    union {
        struct {
            uint32_t state[8];  /**< chaining value */
            uint32_t length[2]; /**< bytes so far, low word first */
            uint8_t block[64];  /**< the block being filled */
        } soft;                 /**< the built-in code's */
        uint64_t opaque[14];    /**< the port's, 112 bytes */
    } u;                        /**< state */
};

/** SHA-512 under way (FIPS 180-4). */
struct tandem_sha512 {
    uint64_t state[8];  /**< chaining value */
    uint64_t length;    /**< bytes so far */
    uint8_t block[128]; /**< the block being filled */
};

/** MD5 under way (RFC 1321). For protocols that demand it, never for security. */
struct tandem_md5 {
    uint32_t state[4]; /**< chaining value */
    uint64_t length;   /**< bytes so far */
    uint8_t block[64]; /**< the block being filled */
};

/** SHA-1 under way (FIPS 180-4). For protocols that demand it, never for security by itself. */
struct tandem_sha1 {
    uint32_t state[5]; /**< chaining value */
    uint64_t length;   /**< bytes so far */
    uint8_t block[64]; /**< the block being filled */
};

/** HMAC-SHA-256 under way (RFC 2104). */
struct tandem_hmac_sha256 {
    struct tandem_sha256 inner; /**< hash of the inner pad and the message */
    uint8_t outer_pad[64];      /**< key xor 0x5C */
};

/** AES with one key (FIPS 197). Secret: wipe it with tandem_aes_wipe(). */
struct tandem_aes {
    const struct tandem_crypto_port *port; /**< who does the work; NULL: built in */
    union {
        struct {
            uint32_t keys[60]; /**< of the rounds, their bits spread */
            uint8_t rounds;    /**< 10 or 14 */
        } soft;                /**< the built-in code's */
        struct {
            uint8_t key[TANDEM_AES256_KEY_SIZE]; /**< as given */
            uint8_t key_size;                    /**< 16 or 32 */
        } port;                                  /**< for the port */
    } u;                                         /**< state */
};

#define TANDEM_AES_DECRYPT 0 /**< direction of tandem_crypto_port's aes() */
#define TANDEM_AES_ENCRYPT 1 /**< direction of tandem_crypto_port's aes() */

/**
 * Replacements for the engine by hardware or by a library. Every pointer may
 * be NULL: then the built-in code is used. The three SHA-256 functions come
 * together or not at all.
 */
struct tandem_crypto_port {
    void *ctx; /**< handed to every function */
    /** Begin a digest in `hash->u.opaque`. @return TANDEM_OK or TANDEM_ERROR_PORT */
    enum tandem_status (*sha256_init)(void *ctx, struct tandem_sha256 *hash);
    /** Take `size` bytes more. @return TANDEM_OK or TANDEM_ERROR_PORT */
    enum tandem_status (*sha256_update)(void *ctx, struct tandem_sha256 *hash, const void *data, size_t size);
    /** Finish; 32 bytes to `digest`. @return TANDEM_OK or TANDEM_ERROR_PORT */
    enum tandem_status (*sha256_final)(void *ctx, struct tandem_sha256 *hash, uint8_t *digest);
    /** As tandem_ed25519_verify(). */
    enum tandem_status (*ed25519_verify)(void *ctx, const uint8_t *signature, const uint8_t *key, const void *message,
                                         size_t size);
    /** As tandem_p256_verify(). */
    enum tandem_status (*p256_verify)(void *ctx, const uint8_t *signature, const uint8_t *key, const uint8_t *digest);
    /** AES of whole blocks, each by itself (ECB); `out` may be `in`. `key_size` is 16 or 32, `direction`
     *  TANDEM_AES_ENCRYPT or TANDEM_AES_DECRYPT. @return TANDEM_OK or TANDEM_ERROR_PORT */
    enum tandem_status (*aes)(void *ctx, const uint8_t *key, size_t key_size, int direction, uint8_t *out,
                              const uint8_t *in, size_t blocks);
};

/**
 * @name Cyclic redundancy checks
 * Each takes the value so far (the named start value at first) and returns
 * the new one, so data may come in pieces. The names and check values are
 * those of the CRC RevEng catalogue. The build switch
 * TANDEM_CONFIG_CRC_TABLE takes 256-entry tables (fast) in place of loops
 * over bits (small). May be called from an interrupt.
 * @{
 */
#define TANDEM_CRC16_CCITT_START 0xFFFFu  /**< start of CRC-16/IBM-3740, "CCITT-FALSE" */
#define TANDEM_CRC16_XMODEM_START 0x0000u /**< start of CRC-16/XMODEM: same function */
/** CRC-16, polynomial 0x1021, not reflected. */
uint16_t tandem_crc16(uint16_t crc, const void *data, size_t size);
#define TANDEM_CRC16_ARC_START 0x0000u /**< start of CRC-16/ARC */
/** CRC-16, polynomial 0x8005, reflected (ARC; start 0xFFFF gives CRC-16/MODBUS). */
uint16_t tandem_crc16_reflected(uint16_t crc, const void *data, size_t size);
#define TANDEM_CRC32_START 0xFFFFFFFFu /**< start of tandem_crc32() */
/**
 * CRC-32, polynomial 0x04C11DB7, reflected, without the final inversion:
 * the value itself is CRC-32/JAMCRC (USB DFU), its complement is
 * CRC-32/ISO-HDLC (zip, Ethernet).
 */
uint32_t tandem_crc32(uint32_t crc, const void *data, size_t size);
/** @} */

/** Begin a SHA-256. @param hash caller's @param port replacement or NULL @return TANDEM_OK, TANDEM_ERROR_PORT */
enum tandem_status tandem_sha256_init(struct tandem_sha256 *hash, const struct tandem_crypto_port *port);
/** Take `size` bytes more. @return TANDEM_OK, TANDEM_ERROR_PORT */
enum tandem_status tandem_sha256_update(struct tandem_sha256 *hash, const void *data, size_t size);
/** Finish; 32 bytes to `digest`; the state is wiped. @return TANDEM_OK, TANDEM_ERROR_PORT */
enum tandem_status tandem_sha256_final(struct tandem_sha256 *hash, uint8_t digest[TANDEM_SHA256_SIZE]);
/** The three steps in one. @return TANDEM_OK, TANDEM_ERROR_PORT */
enum tandem_status tandem_sha256(const struct tandem_crypto_port *port, const void *data, size_t size,
                                 uint8_t digest[TANDEM_SHA256_SIZE]);

/** Begin a SHA-512. */
void tandem_sha512_init(struct tandem_sha512 *hash);
/** Take `size` bytes more. */
void tandem_sha512_update(struct tandem_sha512 *hash, const void *data, size_t size);
/** Finish; 64 bytes to `digest`; the state is wiped. */
void tandem_sha512_final(struct tandem_sha512 *hash, uint8_t digest[TANDEM_SHA512_SIZE]);

/** Begin an MD5. */
void tandem_md5_init(struct tandem_md5 *hash);
/** Take `size` bytes more. */
void tandem_md5_update(struct tandem_md5 *hash, const void *data, size_t size);
/** Finish; 16 bytes to `digest`. */
void tandem_md5_final(struct tandem_md5 *hash, uint8_t digest[TANDEM_MD5_SIZE]);

/** Begin a SHA-1. */
void tandem_sha1_init(struct tandem_sha1 *hash);
/** Take `size` bytes more. */
void tandem_sha1_update(struct tandem_sha1 *hash, const void *data, size_t size);
/** Finish; 20 bytes to `digest`. */
void tandem_sha1_final(struct tandem_sha1 *hash, uint8_t digest[TANDEM_SHA1_SIZE]);

/** Begin an HMAC-SHA-256 with a key of any length. @return TANDEM_OK, TANDEM_ERROR_PORT */
enum tandem_status tandem_hmac_sha256_init(struct tandem_hmac_sha256 *mac, const struct tandem_crypto_port *port,
                                           const void *key, size_t size);
/** Take `size` bytes more of the message. @return TANDEM_OK, TANDEM_ERROR_PORT */
enum tandem_status tandem_hmac_sha256_update(struct tandem_hmac_sha256 *mac, const void *data, size_t size);
/** Finish; 32 bytes to `tag`; the state is wiped. @return TANDEM_OK, TANDEM_ERROR_PORT */
enum tandem_status tandem_hmac_sha256_final(struct tandem_hmac_sha256 *mac, uint8_t tag[TANDEM_SHA256_SIZE]);
/**
 * HKDF-SHA-256 (RFC 5869), extract and expand.
 * @param port replacement or NULL
 * @param salt,salt_size may be NULL and 0
 * @param secret,secret_size input keying material
 * @param info,info_size may be NULL and 0
 * @param out,out_size at most 255 × 32 bytes
 * @return TANDEM_OK, TANDEM_ERROR_ARGUMENT (out_size), TANDEM_ERROR_PORT
 */
enum tandem_status tandem_hkdf_sha256(const struct tandem_crypto_port *port, const void *salt, size_t salt_size,
                                      const void *secret, size_t secret_size, const void *info, size_t info_size,
                                      uint8_t *out, size_t out_size);

/**
 * Verify an Ed25519 signature (RFC 8032 §5.1.7, "pure", no context).
 *
 * Strict: s must be below the group order; the key and R must be canonical
 * encodings of points, the key not of small order; the equation is checked
 * without cofactor.
 * @param signature 64 bytes, R then s
 * @param key 32 bytes
 * @param message,size what was signed
 * @return TANDEM_OK; TANDEM_ERROR_SIGNATURE
 * Stack: see docs/sizes.md. Not for interrupts: it takes millions of instructions.
 */
enum tandem_status tandem_ed25519_verify(const uint8_t signature[TANDEM_SIGNATURE_SIZE],
                                         const uint8_t key[TANDEM_ED25519_KEY_SIZE], const void *message, size_t size);

/**
 * The public key of an Ed25519 seed (RFC 8032 §5.1.5). Host builds only
 * (src/core/ed25519_sign.c); constant time in the seed.
 */
void tandem_ed25519_public_key(uint8_t key[TANDEM_ED25519_KEY_SIZE], const uint8_t seed[TANDEM_ED25519_KEY_SIZE]);
/**
 * Sign (RFC 8032 §5.1.6). Host builds only; constant time in the seed, which
 * is not kept.
 * @param signature 64 bytes out
 * @param seed 32 bytes, the private key
 * @param message,size what to sign
 */
void tandem_ed25519_sign(uint8_t signature[TANDEM_SIGNATURE_SIZE], const uint8_t seed[TANDEM_ED25519_KEY_SIZE],
                         const void *message, size_t size);

/**
 * Verify an ECDSA signature over NIST P-256 (FIPS 186-5 §6.4.2).
 * @param signature 64 bytes: r then s, big-endian, each in 1 … n−1
 * @param key 64 bytes: X then Y, big-endian, a point on the curve
 * @param digest 32 bytes, the SHA-256 of the message
 * @return TANDEM_OK; TANDEM_ERROR_SIGNATURE
 */
enum tandem_status tandem_p256_verify(const uint8_t signature[TANDEM_SIGNATURE_SIZE],
                                      const uint8_t key[TANDEM_P256_KEY_SIZE],
                                      const uint8_t digest[TANDEM_SHA256_SIZE]);

/**
 * Prepare AES for a key. Constant time in key and data, as all of AES here.
 * @param aes caller's; wipe it after use
 * @param port replacement or NULL; must outlive `aes`
 * @param key,size 16 or 32 bytes
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (another size)
 */
enum tandem_status tandem_aes_init(struct tandem_aes *aes, const struct tandem_crypto_port *port, const uint8_t *key,
                                   size_t size);
/**
 * Encrypt whole blocks, each by itself (ECB, SP 800-38A §6.1): equal blocks
 * stay equal, so this is a part of other things, or what a protocol demands.
 * @param aes after tandem_aes_init()
 * @param out where, may be `in`
 * @param in from where
 * @param blocks how many, of 16 bytes; two at a time cost what one does
 * @return TANDEM_OK; TANDEM_ERROR_PORT
 */
enum tandem_status tandem_aes_encrypt(const struct tandem_aes *aes, uint8_t *out, const uint8_t *in, size_t blocks);
/** Decrypt whole blocks, each by itself. As tandem_aes_encrypt(). */
enum tandem_status tandem_aes_decrypt(const struct tandem_aes *aes, uint8_t *out, const uint8_t *in, size_t blocks);
/**
 * Encrypt or decrypt a stream (CTR, SP 800-38A §6.5). May come in pieces, all
 * but the last of whole blocks.
 * @param aes after tandem_aes_init()
 * @param counter 16 bytes, counted up as one big-endian number; never the same twice under one key
 * @param out where, may be `in`
 * @param in,size from where, bytes
 * @return TANDEM_OK; TANDEM_ERROR_PORT
 */
enum tandem_status tandem_aes_ctr(const struct tandem_aes *aes, uint8_t counter[TANDEM_AES_BLOCK_SIZE], uint8_t *out,
                                  const uint8_t *in, size_t size);
/** Forget the key. */
void tandem_aes_wipe(struct tandem_aes *aes);

/**
 * Compare without a timing that depends on the contents.
 * @return 1 if all `size` bytes are equal, else 0
 */
int tandem_equal(const void *a, const void *b, size_t size);
/** Overwrite with zeros in a way that the compiler keeps. */
void tandem_wipe(void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
