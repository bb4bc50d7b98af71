/**
 * @file
 * The first stage: a few hundred bytes at the reset vector that never change
 * in the field. They choose which of two copies of the bootloader starts, so
 * that the bootloader itself can be replaced. See docs/loader.md.
 *
 * It needs no other part of Tandem than its CRC-32, and of a flash port no
 * more than `read`, `program` and `erased`.
 */
#ifndef TANDEM_STAGE_H
#define TANDEM_STAGE_H

#include "tandem/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_STAGE_TAIL 384 /**< bytes at the end of each copy that are kept for its seal and marks */
#define TANDEM_STAGE_TRIES 3  /**< starts that a new bootloader has to be marked good */

/**
 * Choose the copy to start. A new one that is not marked good yet is marked
 * as tried first, which takes the programming of 32 bytes.
 * @param copies the two, as in `areas` of the slot
 * @return 0 or 1: start that copy. If neither is whole, the one that was sealed once, else 0: there an unsealed
 *         bootloader can be tried out.
 */
uint8_t tandem_stage_choose(const struct tandem_area copies[2]);

#ifdef __cplusplus
}
#endif

#endif
