/*
 * Simulated flash with the habits of real NOR: only erases give back spent
 * bits, a unit is programmed once, power may fail inside any operation and
 * leave cells that read differently each time. Rules that a caller breaks are
 * counted, not asserted, so that a campaign can say where.
 */
#ifndef TANDEM_SIM_FLASH_H
#define TANDEM_SIM_FLASH_H

#include <setjmp.h>

#include "rng.h"
#include "tandem/port.h"

#define SIM_FLASH_REGIONS 8

/* The rules of flash, by which a caller may be wrong. */
enum sim_violation {
    SIM_VIOLATION_UNALIGNED, /* program not in whole units */
    SIM_VIOLATION_TWICE,     /* a unit programmed again before an erase */
    SIM_VIOLATION_BITS,      /* a spent bit asked to come back without an erase */
    SIM_VIOLATION_SECTOR,    /* erase not at a sector's first byte */
    SIM_VIOLATION_RANGE,     /* outside the flash */
    SIM_VIOLATION_BUSY,      /* another call while an operation is under way */
    SIM_VIOLATION_DEAD,      /* a call after power failed */
    SIM_VIOLATIONS
};

/* How power fails in an operation. The same number means a program's or an erase's. */
enum sim_tear {
    SIM_TEAR_BEFORE,   /* the operation has not touched the cells */
    SIM_TEAR_SOME,     /* some bits have changed, for good */
    SIM_TEAR_UNSTABLE, /* some bits have changed, others read at random */
    SIM_TEAR_WEAK,     /* program: reads as erased, now and then otherwise; erase: the same */
    SIM_TEAR_ALMOST,   /* program: reads as done, now and then otherwise; erase: as untouched, now and then otherwise */
    SIM_TEAR_SCATTER,  /* program: units of the call in any order; erase: one half of the sector is done */
    SIM_TEAR_AFTER,    /* the operation is complete, the caller was not told */
    SIM_TEARS
};

enum sim_op_kind { SIM_OP_PROGRAM, SIM_OP_ERASE };

struct sim_flash;

/* One operation: an erase, or the programming of one unit. */
struct sim_op {
    uint64_t number;         /* 1 is the first since power was first applied */
    enum sim_op_kind kind;   /* what */
    struct sim_flash *flash; /* where */
    uint32_t address;        /* of the unit, or of the sector */
    const uint8_t *data;     /* program: the unit's bytes */
    uint32_t size;           /* of the unit, or of the sector */
    uint32_t index;          /* program: place of the unit in the call */
    uint32_t count;          /* program: units in the call */
};

/*
 * The power switch, shared by all flashes of a board. A cut is either taken
 * (control leaves through `out`, as the processor's does) or, by `hook`, only
 * looked at: what would flash hold if power failed here?
 */
struct sim_power {
    uint64_t ops;                                     /* operations begun so far */
    uint64_t cut_at;                                  /* power fails in this one; 0: never */
    enum sim_tear tear;                               /* how */
    jmp_buf *out;                                     /* where to when it fails; NULL: calls fail from then on */
    int on;                                           /* 0 after a cut */
    void (*hook)(void *ctx, const struct sim_op *op); /* optional: called before each operation */
    void *hook_ctx;                                   /* handed to it */
    uint64_t fail_at;                                 /* this operation fails with TANDEM_ERROR_FLASH; 0: none */
    uint64_t fail_count;                              /* and so many in all, counted from it */
    struct sim_rng rng;                               /* for tears and unstable reads */
};

/* What a flash is and how long it takes. */
struct sim_flash_spec {
    struct tandem_flash_region regions[SIM_FLASH_REGIONS]; /* sector map */
    uint8_t region_count;                                  /* entries used */
    uint8_t program_unit;                                  /* bytes: 1 … 32 */
    uint8_t erased;                                        /* 0xFF or 0x00 */
    uint8_t asynchronous;                                  /* 1: operations answer TANDEM_AGAIN until time has passed */
    uint32_t erase_us;                                     /* time of one erase */
    uint32_t program_ns;                                   /* time of one byte */
};

struct sim_flash_stats {
    uint64_t erases;     /* done */
    uint64_t programs;   /* calls */
    uint64_t bytes;      /* programmed */
    uint64_t reads;      /* bytes read */
    uint64_t busy_us;    /* time spent in erases and programs */
    uint32_t worst_wear; /* erases of the sector that had most */
};

struct sim_flash {
    struct tandem_flash_port port; /* hand this to Tandem */
    struct sim_flash_spec spec;    /* what it is */
    struct sim_power *power;       /* the board's switch */
    const uint64_t *now_us;        /* the world's clock */
    uint64_t stall_us;             /* processor time that calls took since the world last collected it */
    uint32_t base;                 /* first address */
    uint32_t size;                 /* bytes */
    uint8_t *cells;                /* what is stored */
    uint8_t *doubt;                /* bits that read at random */
    uint8_t *weak;                 /* bits that read wrongly now and then */
    uint8_t *spent;                /* one byte a unit: programmed since the last erase */
    uint8_t *stuck;                /* bits that programming no longer changes; NULL: none */
    uint32_t doubtful;             /* bytes with a bit in `doubt` or `weak`, at least; 0: none */
    uint32_t *wear;                /* erases of each sector */
    uint32_t sectors;              /* entries of `wear` */
    struct {
        int active;                /* an operation is under way */
        enum sim_op_kind kind;     /* which */
        uint32_t address;          /* where */
        uint32_t size;             /* bytes */
        uint64_t done_us;          /* when it ends */
        enum tandem_status result; /* how */
    } pending;
    uint32_t violations[SIM_VIOLATIONS]; /* how often each rule was broken */
    uint32_t violation_address;          /* where the last time */
    struct sim_flash_stats stats;        /* counts */
};

void sim_power_init(struct sim_power *power, uint64_t seed);
/* Power returns: nothing is under way, what was torn stays torn. */
void sim_power_return(struct sim_power *power, struct sim_flash *const *flashes, unsigned count);

/* Make a flash, erased throughout. `now_us` is the clock that asynchronous operations wait for. */
void sim_flash_init(struct sim_flash *flash, const struct sim_flash_spec *spec, struct sim_power *power,
                    const uint64_t *now_us);
void sim_flash_free(struct sim_flash *flash);
/* Take over the contents (cells, doubts, spent units) of a flash of the same kind. */
void sim_flash_copy(struct sim_flash *to, const struct sim_flash *from);
/* Apply to `flash` what a cut in `op` would leave there. `flash` may be a copy of op->flash. */
void sim_flash_tear(struct sim_flash *flash, const struct sim_op *op, enum sim_tear tear, struct sim_rng *rng);
/* Turn one bit over, as radiation or a worn cell does. */
void sim_flash_flip(struct sim_flash *flash, uint32_t address, unsigned bit);
/* Make bits of one byte immune to programming. */
void sim_flash_stick(struct sim_flash *flash, uint32_t address, uint8_t mask);
/* Read without time, doubt or rules, for checkers. */
const uint8_t *sim_flash_at(const struct sim_flash *flash, uint32_t address);
/* Write without time or rules, for factories: erases nothing, marks the units as spent. */
void sim_flash_put(struct sim_flash *flash, uint32_t address, const void *data, uint32_t size);
/* A number that two flashes with the same contents share. */
uint64_t sim_flash_hash(const struct sim_flash *flash, uint64_t seed);
/* Rules broken so far, of all kinds. */
uint32_t sim_flash_violations(const struct sim_flash *flash);
/* The first sector address at or below `address`, and its size. @return 0 if outside */
uint32_t sim_flash_sector(const struct sim_flash *flash, uint32_t address, uint32_t *start);
const char *sim_violation_text(enum sim_violation violation);
const char *sim_tear_text(enum sim_tear tear);
/* @return the tear of that name, or SIM_TEARS */
enum sim_tear sim_tear_named(const char *name);

#endif
