/*
 * What the parts of the port checker share: calls of the port that wait, are
 * timed and never believed; cells compared with what they should hold; and
 * findings, each reported once.
 */
#ifndef TANDEM_PORTCHECK_OPS_H
#define TANDEM_PORTCHECK_OPS_H

#include "tandem/portcheck.h"

#include "core/flash.h"

/* The seed of cells that are erased. Any other seed stands for a pattern. */
#define SEED_ERASED 0u

/* What a call of the checker knows. */
struct tandem_pc {
    const struct tandem_portcheck *check;
    const struct tandem_flash_port *flash;
    struct tandem_portcheck_result *result;
    uint32_t seen[(TANDEM_PORTCHECK_IDS + 31) / 32]; /* ids reported */
    uint32_t begin, end;                             /* the scratch area */
    uint32_t piece;                                  /* bytes handled at once: whole units */
    uint32_t large;                                  /* bytes of calls that are measured */
    uint32_t bad;                                    /* first cell that was not as expected */
    uint32_t erase_us, erase_bytes;                  /* sums, of what was measured */
    uint32_t program_us, program_bytes;              /* the same, in large calls */
    uint32_t read_us, read_bytes;                    /* the same */
    uint8_t clock;                                   /* there is one, and it moves */
    uint8_t stuck;                                   /* an operation never ended: no call makes sense any more */
};

/* How cells compare with what they should hold. */
enum tandem_pc_verdict { PC_SAME, PC_DIFFERENT, PC_LATE, PC_UNREADABLE };

/* Begin: the table, the map, the scratch area and the buffer are checked, nothing is written. */
enum tandem_status tandem_pc_open(struct tandem_pc *pc, const struct tandem_portcheck *check,
                                  struct tandem_portcheck_result *result);
/* The status of a call, from what was reported. */
enum tandem_status tandem_pc_close(const struct tandem_pc *pc);

/* Report, if this id has not been. `text` NULL: the id's own. */
void tandem_pc_report(struct tandem_pc *pc, enum tandem_portcheck_id id, uint32_t address, uint32_t value);
void tandem_pc_report_text(struct tandem_pc *pc, enum tandem_portcheck_id id, uint32_t address, uint32_t value,
                           const char *text);
/* Whether an id was reported. */
int tandem_pc_reported(const struct tandem_pc *pc, enum tandem_portcheck_id id);
/* An id's words and weight. */
const char *tandem_pc_words(enum tandem_portcheck_id id, enum tandem_portcheck_severity *severity);

/* Calls of the port, to their end. Anything but TANDEM_OK is a failure, and is left to the caller to report, save for
   an operation without end and an answer that is none. */
enum tandem_status tandem_pc_erase(struct tandem_pc *pc, uint32_t address);
enum tandem_status tandem_pc_program(struct tandem_pc *pc, uint32_t address, const void *data, uint32_t size);
enum tandem_status tandem_pc_read(struct tandem_pc *pc, uint32_t address, void *data, uint32_t size);

/* What a cell holds under a seed; a pattern never has the erased value. */
uint8_t tandem_pc_cell(const struct tandem_pc *pc, uint32_t seed, uint32_t address);
/* Put the pattern of `size` cells from `address` into the buffer, at an offset of `skew`; returns where. */
uint8_t *tandem_pc_pattern(const struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size, uint32_t skew);
/* Compare cells; on any verdict but PC_SAME pc->bad says where. */
enum tandem_pc_verdict tandem_pc_compare(struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size);
/* Compare, and report `id` with `value` if they differ. Returns whether they are the same. */
int tandem_pc_expect(struct tandem_pc *pc, uint32_t seed, uint32_t address, uint32_t size, enum tandem_portcheck_id id,
                     uint32_t value);
/* The number of sectors in the scratch area; the sector with that index, from 0 on. */
uint32_t tandem_pc_sectors(const struct tandem_pc *pc);
struct tandem_sector tandem_pc_sector(const struct tandem_pc *pc, uint32_t index);

/* Say how long things took. */
void tandem_pc_times(struct tandem_pc *pc);

static inline uint32_t tandem_pc_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

#endif
