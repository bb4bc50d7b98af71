/*
 * The constants of SHA-2. SHA-256's are the upper halves of SHA-512's, so a
 * build with Ed25519 has them once; others have those of SHA-256 alone.
 */
#ifndef TANDEM_CORE_SHA2_H
#define TANDEM_CORE_SHA2_H

#include <stdint.h>

/* SHA-512's, each in two halves, the upper one first. */
extern const uint32_t tandem_sha2_constants[80][2];
extern const uint32_t tandem_sha2_start[8][2];
/* SHA-256's. */
extern const uint32_t tandem_sha256_constants[64];
extern const uint32_t tandem_sha256_start[8];

#endif
