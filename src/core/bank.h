/*
 * What boot and install share of the dual-bank state.
 */
#ifndef TANDEM_CORE_BANK_H
#define TANDEM_CORE_BANK_H

#include "tandem/bank.h"

#define HEAD_ALIGN 32u /* heads in a manifest area begin at multiples of this */

/* Bytes that a head takes in a manifest area. */
static inline uint32_t tandem_head_space(uint32_t size)
{
    return (size + HEAD_ALIGN - 1) & ~(HEAD_ALIGN - 1);
}

/* Make bank->state durable. */
enum tandem_status tandem_bank_store(struct tandem_bank *bank);

/* The checkpoint of the transfer that the state speaks of; 0 if there is none. */
int tandem_bank_progress(const struct tandem_bank *bank, struct tandem_progress *progress);
/* Make a checkpoint durable. */
enum tandem_status tandem_bank_store_progress(struct tandem_bank *bank, const struct tandem_progress *progress);

/* A walk over the heads in a bank's manifest area, newest package first. */
struct tandem_heads {
    const struct tandem_area *area;
    uint32_t at; /* place of the next head */
};

/* Where a bank's heads lie at present. */
const struct tandem_area *tandem_bank_manifest_area(const struct tandem_bank *bank, uint8_t which);
struct tandem_heads tandem_bank_heads(const struct tandem_bank *bank, uint8_t which);
/* Read and parse the next head into `buffer`. TANDEM_ERROR_NOTHING: no more that is whole. */
enum tandem_status tandem_bank_next_head(struct tandem_heads *heads, const struct tandem_device *device,
                                         struct tandem_manifest *manifest, uint8_t *buffer, size_t size);

/* Find the image entry for a kind straight in flash, without a buffer for the head. */
enum tandem_status tandem_bank_find_image(const struct tandem_bank *bank, uint8_t which, uint8_t kind,
                                          struct tandem_image *image);

/* Whether a head is signed as the device demands, the keys in `revoked` aside. */
enum tandem_status tandem_bank_authenticate(const struct tandem_device *device, const struct tandem_manifest *manifest,
                                            uint32_t revoked);

/* Begin the hash that is a bank's proof; the digests of the heads that count follow, newest first. */
enum tandem_status tandem_bank_proof_begin(struct tandem_sha256 *hash, const struct tandem_device *device,
                                           uint8_t which);

/* The device's keys that a manifest revokes, as bits. */
uint32_t tandem_bank_revocations(const struct tandem_device *device, const struct tandem_manifest *manifest);

#endif
