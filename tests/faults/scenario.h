/*
 * What a fault may not bring about: devices on the brink of starting an image
 * that they must not start, and how to tell from their flash that all is well.
 */
#ifndef TANDEM_TESTS_FAULTS_SCENARIO_H
#define TANDEM_TESTS_FAULTS_SCENARIO_H

#include "machine.h"
#include "tandem/boot.h"

#define NO_BANK 2

struct scenario {
    const char *name;
    const char *text;
    void (*prepare)(void);     /* the world's flash, as the fault finds it */
    uint8_t forbidden;         /* bit n: bank n may not be started */
    uint8_t home;              /* the bank that undisturbed starts come to in the end, or NO_BANK */
    uint8_t now;               /* the bank that an undisturbed run starts */
    enum tandem_status status; /* where it starts none: what it says */
    uint8_t confirms;          /* 1: the application confirms itself; 0: the bootloader decides */
    uint8_t verify_once;       /* the device's policy */
    uint8_t trusts;            /* 1: after confirmation, counter and revocations are `new`'s; else the old ones */
    uint8_t genuine;           /* 1: what is forbidden is whole and signed, so that it may stand in for a lost `home` */
};

extern const struct scenario scenarios[];
extern const unsigned scenario_count;

/* Prepare: the flash, and the board's keys and policy. */
void scenario_open(const struct scenario *scenario, uint8_t *flash, struct board *board);
/* Fill flash so that the second bank is on trial, all in order: what a start before may have left in RAM. */
void scenario_ordinary(uint8_t *flash);

/* What is wrong with the flash that a disturbed run left; bits, 0 is well. */
enum {
    WRONG_START = 1, /* a later start takes a forbidden bank */
    WRONG_HOME = 2,  /* later starts do not come to the bank that they should: it was damaged */
    WRONG_STATE = 4, /* what is kept for good: a bank confirmed that may not, counter or revocations fell */
    WRONG_UPDATE = 8 /* a good update is not taken */
};
unsigned scenario_judge(const struct scenario *scenario, const uint8_t *flash);

#endif
