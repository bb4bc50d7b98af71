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

/* What became of the update, its identity aside; no host has seen it yet. */
void tandem_bank_set_outcome(struct tandem_bank_state *state, enum tandem_status status, enum tandem_stage stage);

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
static inline struct tandem_heads tandem_bank_heads(const struct tandem_bank *bank, uint8_t which)
{
    struct tandem_heads heads = {tandem_bank_manifest_area(bank, which), 0};
    return heads;
}
/* Read and parse the next head into `buffer`. TANDEM_ERROR_NOTHING: no more that is whole. */
enum tandem_status tandem_bank_next_head(struct tandem_heads *heads, const struct tandem_device *device,
                                         struct tandem_manifest *manifest, uint8_t *buffer, size_t size);

/* Find the image entry for a kind straight in flash, without a buffer for the head. */
enum tandem_status tandem_bank_find_image(const struct tandem_bank *bank, uint8_t which, uint8_t kind,
                                          struct tandem_image *image);

/* Whether a head is signed as the device demands, the keys in `revoked` aside. */
enum tandem_status tandem_bank_authenticate(const struct tandem_device *device, const struct tandem_manifest *manifest,
                                            uint32_t revoked);

/*
 * The same of a head in a bank, where images may speak for it: an unsigned one
 * will do whose images are MCUboot's and signed, if the device takes those.
 */
enum tandem_status tandem_bank_trust(const struct tandem_bank *bank, uint8_t which,
                                     const struct tandem_manifest *manifest, uint32_t revoked);
/* Whether the images in these slots (bits) are MCUboot's, signed, and all that the unsigned head of a bank says of them
 * is what they say themselves. */
enum tandem_status tandem_bank_trust_images(const struct tandem_bank *bank, uint8_t which,
                                            const struct tandem_manifest *manifest, uint32_t slots, uint32_t revoked);
/* Whether a device takes such images, in a build that knows of them. */
static inline int tandem_bank_takes_mcuboot(const struct tandem_device *device)
{
    return TANDEM_CONFIG_MCUBOOT && device->mcuboot;
}
struct tandem_mcuboot;
/* Read what an MCUboot image of `size` bytes in an area says of itself. @return as tandem_mcuboot_open();
 * TANDEM_ERROR_UNSUPPORTED (encrypted or compressed); TANDEM_ERROR_FORMAT also if bytes follow it */
enum tandem_status tandem_bank_mcuboot_open(struct tandem_mcuboot *image, const struct tandem_device *device,
                                            const struct tandem_area *area, uint32_t size);
/* Verify it by the device's keys. `digest` is what it hashes to, or NULL: it is hashed here. @return as
 * tandem_mcuboot_verify(); TANDEM_ERROR_KEY also if the device wants more than one signature */
enum tandem_status tandem_bank_mcuboot_verify(const struct tandem_mcuboot *image, const struct tandem_device *device,
                                              const struct tandem_area *area, uint32_t revoked, const uint8_t *digest);
/* Bytes before what runs of the image in an area: MCUboot's header, or none. */
uint32_t tandem_bank_image_offset(const struct tandem_area *area);

/* Begin the hash that is a bank's proof; the digests of the heads that count follow, newest first. */
enum tandem_status tandem_bank_proof_begin(struct tandem_sha256 *hash, const struct tandem_device *device,
                                           uint8_t which);

/* The device's keys that a manifest revokes, as bits. */
uint32_t tandem_bank_revocations(const struct tandem_device *device, const struct tandem_manifest *manifest);

#endif
