/*
 * The journal: an append-only log of checksummed records over two halves of
 * an area of flash. The newest whole record of a type counts. A record is
 * whole program units and is written once; what was torn is skipped.
 */
#ifndef TANDEM_CORE_JOURNAL_H
#define TANDEM_CORE_JOURNAL_H

#include "tandem/bank.h"

#define JOURNAL_STATE 0    /* struct tandem_bank_state, kept twice */
#define JOURNAL_PROGRESS 1 /* struct tandem_progress */
#define JOURNAL_EXCHANGE 2 /* what an exchange does next, kept twice */
#define JOURNAL_TYPES 3
/* A record begins with its type, mixed with this: next to all of its bits are programmed, so that one that was torn
 * there shows. */
#define JOURNAL_MARK(flash) ((uint8_t) ~(flash)->erased)

#define JOURNAL_STATE_SIZE 66u
#define JOURNAL_PROGRESS_SIZE 27u
#define JOURNAL_EXCHANGE_SIZE 12u
#define JOURNAL_PAYLOAD_MAX 66u

/* Records begin and end at multiples of this, whatever the flash: a bootloader and its applications are built with the
 * same limit. */
#define JOURNAL_GRAIN (TANDEM_CONFIG_MAX_PROGRAM_UNIT > 8 ? (uint32_t)TANDEM_CONFIG_MAX_PROGRAM_UNIT : 8u)
/* Bytes that one copy of a record takes: type, payload, checksum. */
#define JOURNAL_SPACE(payload) (((payload) + 5u + JOURNAL_GRAIN - 1) & ~(JOURNAL_GRAIN - 1))
/* Least bytes of a half: seals, everything that is brought over, one more of each, and the gap before it. */
#define JOURNAL_HALF_MIN                                                                                        \
    (4 * JOURNAL_SPACE(4u) + 5 * JOURNAL_SPACE(JOURNAL_STATE_SIZE) + 2 * JOURNAL_SPACE(JOURNAL_PROGRESS_SIZE) + \
     4 * JOURNAL_SPACE(JOURNAL_EXCHANGE_SIZE))

/* Find the active half and the newest records. An area that was never written is fine. */
enum tandem_status tandem_journal_mount(struct tandem_journal *journal, const struct tandem_area *area,
                                        const struct tandem_system_port *system);
/* Read the newest record of a type: TANDEM_OK; TANDEM_ERROR_NOTHING; TANDEM_ERROR_FLASH, when it read well at the
 * mount and does not now. */
enum tandem_status tandem_journal_read(const struct tandem_journal *journal, uint8_t type, uint8_t *payload);
/* Write a record: durable and whole when TANDEM_OK comes back. Else the one before it counts on; should its first copy
 * be whole all the same, the next mount finds it, as after a power cut. */
enum tandem_status tandem_journal_append(struct tandem_journal *journal, uint8_t type, const uint8_t *payload);
/* Make room ahead of time, when the active half is more than half full. */
enum tandem_status tandem_journal_tidy(struct tandem_journal *journal);
/* Bytes of a half: half the area, in whole sectors. */
uint32_t tandem_journal_half_size(const struct tandem_area *area, uint32_t sector_size);

#endif
