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

#define JOURNAL_STATE_SIZE 64u
#define JOURNAL_PROGRESS_SIZE 32u
#define JOURNAL_EXCHANGE_SIZE 12u
#define JOURNAL_PAYLOAD_MAX 64u

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
/* Least bytes of a half for a given program unit. */
uint32_t tandem_journal_half_min(uint32_t unit);

#endif
