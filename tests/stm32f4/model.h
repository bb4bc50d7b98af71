/*
 * A model of the STM32F4's flash interface, at its registers: what a store to
 * an address does, what a load from it gives, and when. The cells behind it
 * are a simulated NOR flash (../sim/flash.h), so they tear and fail as those
 * do. It is written from RM0090 as the port is, but apart from it, and where
 * the manual leaves something open it takes the worse answer.
 *
 * What no careful driver does is counted, not only refused.
 */
#ifndef TANDEM_TESTS_STM32F4_MODEL_H
#define TANDEM_TESTS_STM32F4_MODEL_H

#include "../sim/flash.h"
#include "tandem_stm32f4.h"

/* What a driver may do wrong. */
enum model_misuse {
    MODEL_KEYS,        /* a wrong key: the controller stays locked until a reset */
    MODEL_LOCKED,      /* a write to CR while it is locked, or an operation while it is */
    MODEL_BUSY,        /* a register or cells written while an operation is under way: the bus stalls */
    MODEL_STALE,       /* an operation while errors of an earlier one stand in SR */
    MODEL_SEQUENCE,    /* cells written without PG, or an erase without SER or together with PG */
    MODEL_PARALLELISM, /* an access that is not as wide as PSIZE says */
    MODEL_ALIGNMENT,   /* an access across a row of 16 bytes, or not aligned */
    MODEL_PROTECTED,   /* a sector under write protection */
    MODEL_SUPPLY,      /* PSIZE beyond what the supply can drive: cells are not what they seem */
    MODEL_SECTOR,      /* a sector that is not there */
    MODEL_CACHE,       /* a cache reset while it is on */
    MODEL_ADDRESS,     /* no such register, no such cell, a reserved bit */
    MODEL_MISUSES
};

/* Where the program is that drives it. */
enum model_program {
    MODEL_FROM_FLASH, /* in the same bank: it stands still while an operation is under way */
    MODEL_FROM_RAM    /* elsewhere: it sees the operation go on */
};

struct stm32f4_model {
    struct tandem_stm32f4_bus bus; /* hand this to the port */
    struct sim_flash *chip;        /* the cells */
    uint32_t bank_size;            /* bytes */
    uint8_t banks;                 /* 1 or 2 */
    uint16_t supply_mv;            /* at VDD */
    uint8_t vpp;                   /* 1: 8 to 9 V at VPP too */
    uint32_t protected_sectors;    /* bit n: sector n is under write protection */
    enum model_program program;    /* where it runs */
    uint32_t poll_us;              /* time that one look at SR takes, from RAM */
    /* registers */
    uint32_t acr, sr, cr;
    int key_stage;     /* 1: the first key was right */
    int key_trap;      /* 1: a wrong key came */
    uint32_t half[2];  /* x64: address and value of a first word */
    int half_waits;    /* 1: it is there */
    uint64_t now_us;   /* the model's clock */
    uint64_t until_us; /* end of the operation under way; 0: none */
    uint8_t *cache;    /* what the data cache has */
    uint8_t *cached;   /* rows of it that are there */
    /* counts */
    uint32_t misuses[MODEL_MISUSES];
    uint32_t misuse_address; /* the last one's */
    uint64_t stalls_us;      /* that the program stood still */
    uint32_t erases;         /* done */
    uint64_t units;          /* programmed */
};

/* A model in front of `chip`, whose sectors must be those of an STM32F4. At 3.3 V, running from flash, just reset. */
void model_init(struct stm32f4_model *model, struct sim_flash *chip, uint32_t bank_size, uint8_t banks);
void model_free(struct stm32f4_model *model);
/* A reset: registers as the manual gives them. Cells stay. */
void model_reset(struct stm32f4_model *model);
/* Fill in a chip: sectors, 0xFF, `unit` bytes written at once. */
void model_spec(struct sim_flash_spec *spec, uint32_t bank_size, uint8_t banks, uint8_t unit);
/* All misuses together. */
uint32_t model_misused(const struct stm32f4_model *model);
/* Print those that there were. */
void model_complain(const struct stm32f4_model *model);

#endif
