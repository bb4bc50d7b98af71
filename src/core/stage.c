/*
 * The first stage. It decides by checksums and marks alone: a copy is sealed
 * only after its signature and digest were checked, see loader.c.
 */
#include "core/stage.h"

/* A place, as a seal and as words. */
union place {
    struct stage_seal seal;
    uint32_t words[STAGE_PLACE / 4];
};

/* Read 32 bytes, and go on with a checksum; what cannot be read makes it wrong. */
static uint32_t get(const struct tandem_area *copy, uint32_t address, union place *place, uint32_t crc)
{
    if (copy->flash->read(copy->flash->ctx, address, place, STAGE_PLACE) != TANDEM_OK)
        for (uint32_t i = 0; i < STAGE_PLACE / 4; i++)
            place->words[i] = crc = 1; /* neither erased nor a seal */
    return tandem_crc32(crc, place, STAGE_PLACE);
}

static int is_erased(const struct tandem_area *copy, const union place *place)
{
    uint32_t erased = 0u - (copy->flash->erased & 1u), spent = 0;
    for (uint32_t i = STAGE_PLACE / 4; i-- > 0;)
        spent |= place->words[i] ^ erased;
    return spent == 0;
}

void tandem_stage_look(const struct tandem_area *copy, struct stage_look *look)
{
    union place place;
    uint32_t address = stage_place(copy, 0), crc;
    look->rank = look->spent = look->seals = 0;
    look->next = STAGE_TRY;
    for (uint32_t i = 0; i < STAGE_PLACES; i++, address += STAGE_PLACE) {
        crc = get(copy, address, &place, TANDEM_CRC32_START);
        if (is_erased(copy, &place))
            continue;
        look->spent |= 1u << i;
        if (i >= STAGE_TRY && i < STAGE_GOOD) {
            look->next = i + 1;
        } else if (crc == 0 && place.seal.magic == SEAL_MAGIC && place.seal.size <= copy->size) {
            look->seals |= 1u << i;
            look->seal = place.seal;
        }
    }
    if (look->seals == 0)
        return;
    look->rank = RANK_DAMAGED;
    /* The image's checksum goes over whole places. */
    crc = TANDEM_CRC32_START;
    for (uint32_t at = 0; at < look->seal.size; at += STAGE_PLACE)
        crc = get(copy, copy->address + at, &place, crc);
    if (crc == look->seal.image_crc)
        look->rank = look->next > STAGE_GIVEN_UP ? RANK_GIVEN_UP : look->seal.sequence;
}

void tandem_stage_mark(const struct tandem_area *copy, uint32_t place)
{
    const struct tandem_flash_port *flash = copy->flash;
    uint8_t mark[STAGE_PLACE];
    for (uint32_t i = 0; i < STAGE_PLACE; i++)
        mark[i] = (uint8_t)~flash->erased;
    while (flash->program(flash->ctx, stage_place(copy, place), mark, STAGE_PLACE) == TANDEM_AGAIN)
        ;
}

uint8_t tandem_stage_choose(const struct tandem_area copies[2])
{
    struct stage_look first, second, *newer = &first, *older = &second;
    uint8_t choice = 0;
    tandem_stage_look(&copies[0], &first);
    tandem_stage_look(&copies[1], &second);
    if (second.rank > first.rank) {
        choice = 1;
        newer = &second;
        older = &first;
    }
    if (!stage_is_settled(newer, older)) {
        /* Counted before it starts. A try that cannot be counted could go on for ever: it is not begun. */
        uint32_t try = newer->next;
        tandem_stage_mark(&copies[choice], try);
        tandem_stage_look(&copies[choice], newer);
        if (newer->next == try || try == STAGE_GIVEN_UP)
            choice ^= 1;
    }
    return choice;
}
