/*
 * A simulated chip, a port on it that can be wrong in one way, and a checker
 * whose findings are collected.
 */
#ifndef TANDEM_TESTS_PORTCHECK_RIG_H
#define TANDEM_TESTS_PORTCHECK_RIG_H

#include "sim/flash.h"
#include "tandem/portcheck.h"

/* What is wrong with a port. */
enum defect {
    SOUND,
    ERASE_FAILS,
    ERASE_NOTHING,
    ERASE_HALF,      /* the second half of the sector stays */
    ERASE_NEXT,      /* the next sector goes too */
    ERASE_PAIR,      /* the chip's sectors are twice as large as the map's */
    ERASE_NOT_TWICE, /* refuses a sector that is erased */
    ERASE_ENDLESS,   /* TANDEM_AGAIN for ever */
    ERASE_EARLY,     /* TANDEM_OK while the chip is still busy */
    ERASE_ODD,       /* takes any address of a sector */
    PROGRAM_FAILS,
    PROGRAM_NEXT_UNIT, /* off by one unit */
    PROGRAM_BIT,       /* loses a bit */
    PROGRAM_EXTRA,     /* rounds the size up: one unit too many */
    PROGRAM_FAR,       /* writes to the second region as well */
    PROGRAM_64,        /* no more than 64 bytes of a call */
    PROGRAM_IN_SECTOR, /* wraps around at the sector's end */
    PROGRAM_ALIGNED,   /* takes the source for aligned to words */
    PROGRAM_ODD,       /* takes any size and address */
    PROGRAM_ENDLESS,
    PROGRAM_EARLY,
    ECC_REFUSES,    /* the chip's unit is 16: a second program in it is refused */
    ECC_SPOILS,     /* the same: it spoils the word */
    ECC_WHOLE,      /* the same: less than 16 bytes are refused */
    READ_FAILS,     /* in the scratch area, at one place */
    READ_REFUSES,   /* outside the scratch area, at one place */
    READ_ALIGNED,   /* takes the address for aligned to words */
    READ_WORDS,     /* rounds the size up */
    READ_IN_SECTOR, /* nothing behind the sector's end */
    READ_AGAIN,     /* an answer that read must not give */
    READ_PORT,      /* the same */
    SYNC_FAILS,
    WRAPS,           /* addresses outside the map lead into it */
    MIRRORS,         /* the second region's second half is its first */
    CACHES,          /* keeps programs to itself until sync, */
    CACHES_FOR_EVER, /* or for ever */
    ECC_FAULTS,      /* cells that were torn are not read */
    TWICE_IGNORED,   /* a second program changes nothing, and is not refused */
    TWICE_SPOILS,    /* leaves other bytes than either */
    TWICE_FAULTS     /* makes the unit unreadable */
};

struct rig {
    struct sim_power power;
    struct sim_flash chip;
    uint64_t now_us;
    struct tandem_flash_port port;         /* the chip's, with the defect */
    struct tandem_flash_region regions[4]; /* what the port says of the chip */
    enum defect defect;
    uint32_t twice; /* unit that was programmed twice; 0: none */
    unsigned stale; /* reads that still show what was there before */
    uint32_t stale_address, stale_size;
    uint8_t before[4096]; /* that */
    uint8_t *cache;       /* CACHES: cells as the port shows them */
    struct tandem_portcheck check;
    struct tandem_portcheck_result result;
    uint8_t buffer[1024 + 16];
    uint8_t found[TANDEM_PORTCHECK_IDS]; /* in the last call */
    struct tandem_portcheck_finding findings[TANDEM_PORTCHECK_IDS];
    unsigned feeds; /* of the watchdog */
    int verbose;    /* print each finding */
};

/* Ids that were reported since the program began. */
extern uint8_t rig_ever[TANDEM_PORTCHECK_IDS];

/* A chip of two runs of sectors with a gap between, full of noise, and a port on it; everything that can be set is in
   rig->check and rig->port afterwards. */
void rig_open(struct rig *rig, uint8_t unit, uint8_t erased, int asynchronous, enum defect defect);
/* The same, with the first run's sectors of that size and count. */
void rig_open_sectors(struct rig *rig, uint8_t unit, uint8_t erased, int asynchronous, enum defect defect,
                      uint32_t sector, uint32_t count);
void rig_close(struct rig *rig);
/* Power was off: what the port had not written is gone. */
void rig_reset(struct rig *rig);
/* Forget what was found. */
void rig_forget(struct rig *rig);
enum tandem_status rig_run(struct rig *rig);
/* Faults and warnings found in the last call, by name, "" if there are none. */
const char *rig_complaints(const struct rig *rig);

#endif
