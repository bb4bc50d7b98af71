/*
 * Images that run from one place only are brought there, and back: by swap,
 * unit by unit, or by overwriting what was there. Every part of it can be
 * gone on with after a power cut.
 */
#ifndef TANDEM_CORE_EXCHANGE_H
#define TANDEM_CORE_EXCHANGE_H

#include "tandem/bank.h"

/* Whether a slot's images run from one place only, in a build that knows of such. */
static inline int tandem_exchange_has(const struct tandem_slot *slot)
{
    return TANDEM_CONFIG_EXCHANGE && (slot->mode == TANDEM_MODE_SWAP || slot->mode == TANDEM_MODE_OVERWRITE);
}

/* Bytes that one swap moves at a time: the largest sector of either area. */
uint32_t tandem_exchange_unit(const struct tandem_slot *slot);
/* Whether some slot is overwritten, so that nothing can be brought back. */
int tandem_exchange_one_way(const struct tandem_device *device);
/* Whether manifests go with an overwritten slot: its first area is followed by the first bank's. */
int tandem_exchange_moves_manifests(const struct tandem_device *device);
/* Whether a bank's images have to be moved to where they run. */
int tandem_exchange_needed(const struct tandem_bank *bank, uint8_t which);

/* Make durable that an exchange begins: TANDEM_PHASE_SWAPPING brings the bank that is not confirmed home for its trial,
 * TANDEM_PHASE_REVERTING the confirmed one. */
enum tandem_status tandem_exchange_begin(struct tandem_bank *bank, enum tandem_phase phase);
/* Do what is left of the exchange that the state speaks of. Then the phase is TANDEM_PHASE_TRIAL or _REJECTED. */
enum tandem_status tandem_exchange_run(struct tandem_bank *bank);
/* Write an overwritten slot's first area once more from its store. */
void tandem_exchange_restore(const struct tandem_bank *bank, uint8_t slot, uint32_t image_size);

#endif
