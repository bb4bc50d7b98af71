/*
 * Signature checks by the port's replacement where there is one, else by the
 * engine's own code.
 */
#ifndef TANDEM_CORE_CRYPTO_PORT_H
#define TANDEM_CORE_CRYPTO_PORT_H

#include "tandem/config.h"
#include "tandem/crypto.h"

static inline enum tandem_status tandem_port_ed25519_verify(const struct tandem_crypto_port *port,
                                                            const uint8_t *signature, const uint8_t *key,
                                                            const void *message, size_t size)
{
    if (TANDEM_CONFIG_CRYPTO_PORT && port != NULL && port->ed25519_verify != NULL)
        return port->ed25519_verify(port->ctx, signature, key, message, size);
    return tandem_ed25519_verify(signature, key, message, size);
}

static inline enum tandem_status tandem_port_p256_verify(const struct tandem_crypto_port *port,
                                                         const uint8_t *signature, const uint8_t *key,
                                                         const uint8_t *digest)
{
    if (TANDEM_CONFIG_CRYPTO_PORT && port != NULL && port->p256_verify != NULL)
        return port->p256_verify(port->ctx, signature, key, digest);
    return tandem_p256_verify(signature, key, digest);
}

#endif
