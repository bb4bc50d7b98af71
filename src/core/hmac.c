/*
 * Keys and messages: HMAC-SHA-256 to authenticate with a shared key, and HKDF
 * to make keys out of secrets.
 *
 * RFC 2104, RFC 5869.
 */
#include <string.h>

#include "tandem/crypto.h"

#define BLOCK 64 /* bytes of a block of SHA-256 */

enum tandem_status tandem_hmac_sha256_init(struct tandem_hmac_sha256 *mac, const struct tandem_crypto_port *port,
                                           const void *key, size_t size)
{
    uint8_t pad[BLOCK] = {0};
    enum tandem_status status = TANDEM_OK;

    if (size > BLOCK)
        status = tandem_sha256(port, key, size, pad);
    else if (size > 0)
        memcpy(pad, key, size);
    for (int i = 0; i < BLOCK; i++) {
        mac->outer_pad[i] = pad[i] ^ 0x5C;
        pad[i] ^= 0x36;
    }
    if (status == TANDEM_OK)
        status = tandem_sha256_init(&mac->inner, port);
    if (status == TANDEM_OK)
        status = tandem_sha256_update(&mac->inner, pad, BLOCK);
    tandem_wipe(pad, sizeof pad);
    return status;
}

enum tandem_status tandem_hmac_sha256_update(struct tandem_hmac_sha256 *mac, const void *data, size_t size)
{
    return tandem_sha256_update(&mac->inner, data, size);
}

enum tandem_status tandem_hmac_sha256_final(struct tandem_hmac_sha256 *mac, uint8_t tag[TANDEM_SHA256_SIZE])
{
    const struct tandem_crypto_port *port = mac->inner.port;
    enum tandem_status status = tandem_sha256_final(&mac->inner, tag);

    if (status == TANDEM_OK)
        status = tandem_sha256_init(&mac->inner, port);
    if (status == TANDEM_OK)
        status = tandem_sha256_update(&mac->inner, mac->outer_pad, BLOCK);
    if (status == TANDEM_OK)
        status = tandem_sha256_update(&mac->inner, tag, TANDEM_SHA256_SIZE);
    if (status == TANDEM_OK)
        status = tandem_sha256_final(&mac->inner, tag);
    tandem_wipe(mac, sizeof *mac);
    return status;
}

/* One block of HKDF-Expand: T(n) = HMAC(key, T(n - 1), info, n), in place of T(n - 1). */
static enum tandem_status expand(struct tandem_hmac_sha256 *mac, const struct tandem_crypto_port *port,
                                 const uint8_t *key, uint8_t *block, size_t block_size, const void *info,
                                 size_t info_size, uint8_t number)
{
    enum tandem_status status = tandem_hmac_sha256_init(mac, port, key, TANDEM_SHA256_SIZE);

    if (status == TANDEM_OK)
        status = tandem_hmac_sha256_update(mac, block, block_size);
    if (status == TANDEM_OK)
        status = tandem_hmac_sha256_update(mac, info, info_size);
    if (status == TANDEM_OK)
        status = tandem_hmac_sha256_update(mac, &number, 1);
    if (status == TANDEM_OK)
        status = tandem_hmac_sha256_final(mac, block);
    return status;
}

enum tandem_status tandem_hkdf_sha256(const struct tandem_crypto_port *port, const void *salt, size_t salt_size,
                                      const void *secret, size_t secret_size, const void *info, size_t info_size,
                                      uint8_t *out, size_t out_size)
{
    struct tandem_hmac_sha256 mac;
    uint8_t key[TANDEM_SHA256_SIZE];
    uint8_t block[TANDEM_SHA256_SIZE];
    size_t block_size = 0;
    enum tandem_status status;

    if (out_size > 255 * TANDEM_SHA256_SIZE)
        return TANDEM_ERROR_ARGUMENT;

    status = tandem_hmac_sha256_init(&mac, port, salt, salt_size); /* no salt: zeros, as a short key is padded */
    if (status == TANDEM_OK)
        status = tandem_hmac_sha256_update(&mac, secret, secret_size);
    if (status == TANDEM_OK)
        status = tandem_hmac_sha256_final(&mac, key);
    for (uint8_t number = 1; status == TANDEM_OK && out_size > 0; number++) {
        status = expand(&mac, port, key, block, block_size, info, info_size, number);
        if (status == TANDEM_OK) {
            block_size = out_size < sizeof block ? out_size : sizeof block;
            memcpy(out, block, block_size);
            out += block_size;
            out_size -= block_size;
        }
    }
    tandem_wipe(&mac, sizeof mac);
    tandem_wipe(key, sizeof key);
    tandem_wipe(block, sizeof block);
    return status;
}
