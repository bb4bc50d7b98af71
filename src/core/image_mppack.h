/*
 * What reader and writer of packs share: where things are in one.
 */
#ifndef TANDEM_CORE_IMAGE_MPPACK_H
#define TANDEM_CORE_IMAGE_MPPACK_H

#include <stdint.h>

#define PACK_MAGIC 0x4D47u  /* "GM" */
#define PACK_SIZE 2u        /* u32: bytes without the trailer */
#define PACK_EXTENSION 38u  /* u16; between, 32 bytes of a checksum that nobody computes */
#define PACK_HEAD 40u       /* bytes before the bitmap */
#define PACK_EXTRA 32u      /* bytes between, from version 5 on */
#define PACK_ENTRY 12u      /* bytes in the table: address u32, size u32, flags u32 */
#define PACK_ENTRY_LONG 20u /* bytes: address u64, size u64, flags u32 */

/* The extension: version, flags, and the chip in the upper byte. */
#define PACK_VERSION_MASK 0x0Fu
#define PACK_LONG 0x10u        /* version 5 */
#define PACK_COMPRESSED 0x20u  /* version 4 and later */
#define PACK_OTA_ALLOWED 0x40u /* version 3 and later */
#define PACK_DUAL_BANK 0x80u

#define PAIR_MAGIC 0x9697B5C8u

/* Whether a chip is of the audio family, whose packs name other functions. */
int tandem_mppack_is_audio(uint8_t ic);

#endif
