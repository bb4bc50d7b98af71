/*
 * What the rest of the device half asks of a slot whose image is the
 * bootloader: which of its two copies runs, and which may be replaced.
 */
#ifndef TANDEM_CORE_LOADER_H
#define TANDEM_CORE_LOADER_H

#include "tandem/loader.h"

/* Whether a slot holds the copies of the bootloader, in a build that knows of such. It is no part of what is started.
 */
static inline int tandem_loader_has(const struct tandem_slot *slot)
{
    return TANDEM_CONFIG_LOADER && slot->mode == TANDEM_MODE_LOADER;
}

/* Where the image of a copy may lie: the one that runs, or the other. */
struct tandem_area tandem_loader_area(const struct tandem_slot *slot, int running);
/* The variant of a kind that a bank takes: its own number, but for the bootloader that of the copy. */
uint8_t tandem_loader_variant(const struct tandem_bank *bank, uint8_t kind, uint8_t which);
/* Whether an image is what runs already. */
int tandem_loader_runs(const struct tandem_slot *slot, const struct tandem_image *image);
/* Whether the copy that runs can be relied on, so that the other may be erased. @return TANDEM_OK; TANDEM_ERROR_TRIAL
 * (not marked good yet); TANDEM_ERROR_FLASH */
enum tandem_status tandem_loader_may_replace(const struct tandem_slot *slot, const struct tandem_system_port *system);

#endif
