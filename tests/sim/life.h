/*
 * A board's life with a checker beside it: every start is compared, bit by
 * bit, with what may run at that moment. Campaigns lead a board through it
 * and let power fail, cells flip or operations fail on the way.
 */
#ifndef TANDEM_SIM_LIFE_H
#define TANDEM_SIM_LIFE_H

#include "board.h"

/* What is true of the board now, and so what a start may find. */
struct sim_expect {
    struct sim_set old;                 /* confirmed */
    struct sim_set new;                 /* being installed or on trial; head NULL: nothing */
    int may_new;                        /* 1: its activation has begun */
    uint32_t floor;                     /* the security counter is not below */
    uint32_t ceiling;                   /* and not above */
    const struct sim_release *transfer; /* being received; NULL: nothing */
    uint32_t reached;                   /* package offset that was wanted last */
};

struct sim_life {
    struct sim_board board;
    struct sim_expect expect;
    const char *plant;                                     /* a fault planted on purpose, or "" */
    int trial;                                             /* the started firmware is on trial */
    int steady;                                            /* 1: feed in step with the device, a piece at a time */
    void (*progress)(struct sim_life *life);               /* optional: called between steps of a transfer */
    void (*fail)(struct sim_life *life, const char *text); /* something that must not be */
    void *ctx;                                             /* fail()'s own */
    uint64_t starts;                                       /* checked so far */
};

/* A new board from the factory: `release` in bank 0, no journal. */
void sim_life_factory(struct sim_life *life, const struct sim_release *release);
/* Start and check. @return 1 if all is well */
int sim_life_start(struct sim_life *life);
/* Good firmware confirms, bad firmware is started until it is gone. @return 1 if all is well */
int sim_life_leave_trial(struct sim_life *life);
/* Open the installer and begin. @return TANDEM_OK or the reason */
enum tandem_status sim_life_begin(struct sim_life *life, const struct sim_release *release, int activate);
/* The rest of a transfer, to its end. @return TANDEM_OK validated or pending, or the reason */
enum tandem_status sim_life_receive(struct sim_life *life, int activate);
/* Activate what was validated, start it, and see it through. @return 1 if all is well */
int sim_life_finish(struct sim_life *life);
/* All of it: to the release confirmed (or, if it is bad, reverted). @return 1 if all is well */
int sim_life_update(struct sim_life *life, const struct sim_release *release, int activate);
/* Bytes that a resumed transfer may send again: a block and a sector, and what was under way. */
uint32_t sim_life_resume_bound(const struct sim_life *life, uint32_t first);

#endif
