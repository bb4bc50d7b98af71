/*
 * The tail of a bootloader's copy: twelve places that are written once
 * between erases, each of whole program units whatever the flash. Which of
 * them are spent, and which hold a seal, tells how the copy stands.
 */
#ifndef TANDEM_CORE_STAGE_H
#define TANDEM_CORE_STAGE_H

#include "tandem/stage.h"

#define STAGE_PLACE 32u
#define STAGE_PLACES (TANDEM_STAGE_TAIL / STAGE_PLACE)

/* What the places are for: a new copy's seal (and again, if power failed), its tries, that it was given up, and what
 * makes it good: the seal once more, in pairs. */
#define STAGE_SEAL 0u
#define STAGE_TRY 3u
#define STAGE_GIVEN_UP (STAGE_TRY + TANDEM_STAGE_TRIES) /* by the first stage */
#define STAGE_NOTED (STAGE_GIVEN_UP + 1u)               /* the same, by the bootloader */
#define STAGE_GOOD 8u

#define SEAL_MAGIC 0x314C4454u /* "TDL1" */
#define SEAL_DIGEST_SIZE 8u

/* What a place of a seal holds; numbers in the processor's byte order. */
struct stage_seal {
    uint32_t magic;
    uint32_t sequence; /* from RANK_FIRST on; the higher, the newer */
    uint32_t size;     /* of the image */
    uint32_t image_crc;
    uint8_t digest[SEAL_DIGEST_SIZE]; /* of the image, cut */
    uint32_t erased;                  /* the erased value */
    uint32_t crc;                     /* of all before */
};

/* How a copy ranks: the higher, the rather it is started. */
#define RANK_NONE 0u     /* not sealed: only if there is nothing else */
#define RANK_DAMAGED 1u  /* sealed, and no longer what was sealed */
#define RANK_GIVEN_UP 2u /* whole, but did not make it */
#define RANK_FIRST 3u    /* from here on: its sequence number */

struct stage_look {
    struct stage_seal seal; /* unless the rank is RANK_NONE */
    uint32_t rank;
    uint32_t spent; /* bit n: place n is not erased */
    uint32_t seals; /* bit n: place n holds a whole seal */
    uint32_t next;  /* the place for the next mark of a try */
};

static inline uint32_t stage_place(const struct tandem_area *copy, uint32_t place)
{
    return copy->address + copy->size - TANDEM_STAGE_TAIL + place * STAGE_PLACE;
}

/* The copy of the higher rank. */
static inline uint8_t stage_newer(const struct stage_look looks[2])
{
    return looks[1].rank > looks[0].rank;
}

static inline int stage_is_good(const struct stage_look *look)
{
    return look->seals >> STAGE_GOOD != 0;
}

/* Whether the newer copy needs no trial: it is good, or there is nothing to go back to. */
static inline int stage_is_settled(const struct stage_look *newer, const struct stage_look *older)
{
    return stage_is_good(newer) || older->rank < RANK_FIRST;
}

/* Read a copy's tail. */
void tandem_stage_look(const struct tandem_area *copy, struct stage_look *look);
/* Whether the image of a sealed copy has its checksum. */
int tandem_stage_is_whole(const struct tandem_area *copy, const struct stage_look *look);
/* Spend a place with a mark. Whether it took is for the next look to tell. */
void tandem_stage_mark(const struct tandem_area *copy, uint32_t place);

#endif
