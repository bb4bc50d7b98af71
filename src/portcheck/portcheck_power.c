/*
 * What a reset or a power cut leaves behind.
 *
 * The scratch area is written in rounds: round r goes to sector (r - 1) mod n,
 * so that all sectors but one or two are whole at any moment. A sector begins
 * with its round; every other byte follows from round and address. So what is
 * found after a cut tells by itself what was under way.
 *
 * A sector that a reset may have torn is not erased at once: it would be
 * unknown then, after the next cut, what tore it. The round after a reset is
 * marked instead, the sector before it counts no more, and it gets a new round
 * when its turn comes.
 */
#include "portcheck/portcheck_ops.h"

#include <string.h>

#include "core/bytes.h"

#define HEAD_SIZE 12u
#define MAGIC 0x4B437254u
#define AFTER_RESET 0x5A3C96E1u /* a mark in the head: the sector before this one may be torn */
#define RUN 64u                 /* bytes of a call in odd rounds; even ones go by units */
#define LOOKS 3                 /* reads of cells that may be unstable */

/* The sectors in their rounds. */
struct drill {
    struct tandem_pc *pc;
    uint32_t count;  /* sectors */
    uint32_t newest; /* round of the newest head; 0: none */
};

/* ---- one sector's contents ---- */

static void make_head(uint8_t *head, uint32_t round, int after_reset)
{
    tandem_store_le32(head, MAGIC);
    tandem_store_le32(head + 4, round);
    tandem_store_le32(head + 8, ~round ^ (after_reset ? AFTER_RESET : 0));
}

/* The round of a sector, or 0. */
static uint32_t read_head(struct tandem_pc *pc, uint32_t address, int *after_reset)
{
    uint8_t head[HEAD_SIZE];
    if (tandem_pc_read(pc, address, head, sizeof head) != TANDEM_OK || tandem_load_le32(head) != MAGIC)
        return 0;
    uint32_t round = tandem_load_le32(head + 4), check = tandem_load_le32(head + 8) ^ ~round;
    *after_reset = check == AFTER_RESET;
    return check == 0 || check == AFTER_RESET ? round : 0;
}

/* Bytes that a round programs in one call. */
static uint32_t call_size(const struct tandem_pc *pc, uint32_t round)
{
    return round % 2 != 0 ? RUN : pc->flash->program_unit;
}

/* What `size` bytes of a sector hold in a round; `at` is the place in the sector. */
static uint8_t *contents(const struct tandem_pc *pc, const struct tandem_sector *sector, uint32_t round,
                         int after_reset, uint32_t at, uint32_t size, uint8_t *to)
{
    uint8_t head[HEAD_SIZE];
    make_head(head, round, after_reset);
    for (uint32_t i = 0; i < size; i++)
        to[i] = at + i < HEAD_SIZE ? head[at + i] : tandem_pc_cell(pc, round, sector->address + at + i);
    return to;
}

static struct tandem_sector sector_of(const struct drill *drill, uint32_t round)
{
    return tandem_pc_sector(drill->pc, (round - 1) % drill->count);
}

/* Erase a sector, and write a round into it. */
static int write_round(const struct drill *drill, uint32_t round, int after_reset)
{
    struct tandem_pc *pc = drill->pc;
    struct tandem_sector sector = sector_of(drill, round);
    uint32_t step = tandem_pc_least(call_size(pc, round), sector.size);
    if (tandem_pc_erase(pc, sector.address) != TANDEM_OK) {
        if (!pc->stuck)
            tandem_pc_report(pc, TANDEM_PORTCHECK_ERASE, sector.address, 0);
        return 0;
    }
    for (uint32_t at = 0; at < sector.size; at += step) {
        uint32_t size = tandem_pc_least(sector.size - at, step);
        const uint8_t *data = contents(pc, &sector, round, after_reset, at, size, pc->check->buffer);
        if (tandem_pc_program(pc, sector.address + at, data, size) == TANDEM_OK)
            continue;
        if (!pc->stuck)
            tandem_pc_report(pc, TANDEM_PORTCHECK_PROGRAM, sector.address + at, 0);
        return 0;
    }
    if (tandem_flash_sync(pc->flash) != TANDEM_OK)
        tandem_pc_report(pc, TANDEM_PORTCHECK_SYNC, TANDEM_PORTCHECK_NOWHERE, 0);
    return 1;
}

/* ---- what a sector looks like ---- */

enum look { LOOK_WHOLE, LOOK_ERASED, LOOK_BEGUN, LOOK_OTHER };

struct sight {
    enum look look;
    uint32_t torn;       /* place of the one call that is neither done nor undone; the sector's size: none */
    uint32_t torn_bytes; /* of it, bytes that are neither */
    uint32_t beyond;     /* LOOK_OTHER: place of the first byte that no single call explains */
    uint32_t done;       /* bytes that are as the round has them, from the beginning on */
};

/* One call's range against what it would program. @return bit 0: a byte is new; 1: erased; 2: neither, or unreadable */
static unsigned look_at_call(struct tandem_pc *pc, const uint8_t *want, uint32_t address, uint32_t size,
                             uint32_t *neither)
{
    uint8_t *got = pc->check->buffer + RUN;
    unsigned kinds = 0;
    *neither = 0;
    if (tandem_pc_read(pc, address, got, size) != TANDEM_OK)
        return 4;
    for (uint32_t i = 0; i < size; i++) {
        int is_new = got[i] == want[i], is_erased = got[i] == pc->flash->erased;
        if (is_new && is_erased)
            continue; /* it tells nothing */
        kinds |= is_new ? 1u : is_erased ? 2u : 4u;
        *neither += !is_new && !is_erased;
    }
    return kinds;
}

/* Compare a sector with a round, call by call: done ones, then perhaps a torn one, then erased ones. */
static struct sight look_at_sector(struct tandem_pc *pc, const struct tandem_sector *sector, uint32_t round,
                                   int after_reset)
{
    struct sight sight = {LOOK_WHOLE, sector->size, 0, 0, 0};
    uint32_t step = tandem_pc_least(call_size(pc, round), sector->size), neither;
    int undone = 0;
    for (uint32_t at = 0; at < sector->size; at += step) {
        uint32_t size = tandem_pc_least(sector->size - at, step);
        const uint8_t *want = contents(pc, sector, round, after_reset, at, size, pc->check->buffer);
        unsigned kinds = look_at_call(pc, want, sector->address + at, size, &neither);
        if (kinds <= 1 && !undone)
            sight.done = at + size;
        if (kinds == 0 || (kinds == 1 && !undone))
            continue;
        if (kinds != 2 && undone) {
            sight.look = LOOK_OTHER;
            sight.beyond = at;
            return sight;
        }
        if (kinds != 2) {
            sight.torn = at;
            sight.torn_bytes = kinds == 4 && neither == 0 ? size : neither;
        }
        undone = 1;
    }
    if (undone)
        sight.look = sight.done == 0 && sight.torn == sector->size ? LOOK_ERASED : LOOK_BEGUN;
    return sight;
}

/* Where a sector that should be whole is not: the first byte, or the call that holds it. */
static uint32_t first_wrong(const struct tandem_sector *sector, const struct sight *sight)
{
    return sight->torn < sector->size ? sight->torn : sight->done;
}

/* Cells that were torn may read differently each time, or not at all. Say so. */
static void look_for_doubt(struct tandem_pc *pc, const struct tandem_sector *sector)
{
    uint32_t first = 0;
    for (int i = 0; i < LOOKS; i++) {
        uint32_t crc = TANDEM_CRC32_START;
        for (uint32_t at = 0; at < sector->size; at += RUN) {
            uint32_t size = tandem_pc_least(sector->size - at, RUN);
            if (tandem_pc_read(pc, sector->address + at, pc->check->buffer, size) != TANDEM_OK)
                tandem_pc_report(pc, TANDEM_PORTCHECK_CUT_READ, sector->address + at, 0);
            else
                crc = tandem_crc32(crc, pc->check->buffer, size);
        }
        first = i == 0 ? crc : first;
        if (crc != first)
            tandem_pc_report(pc, TANDEM_PORTCHECK_CUT_UNSTABLE, sector->address, 0);
    }
}

/* ---- after a cut ---- */

/* A call was torn: between its units, or in one. */
static void report_torn(struct tandem_pc *pc, const struct tandem_sector *sector, const struct sight *sight)
{
    if (sight->torn == sector->size)
        tandem_pc_report(pc, TANDEM_PORTCHECK_CUT_PROGRAM, sector->address + sight->done, 0);
    else
        tandem_pc_report(pc, sight->torn_bytes != 0 ? TANDEM_PORTCHECK_CUT_UNIT : TANDEM_PORTCHECK_CUT_UNITS,
                         sector->address + sight->torn, sight->torn_bytes);
}

/* The round whose sector is to be written next: was it begun? @return whether its head may have been seen before */
static int look_at_next(struct drill *drill)
{
    struct tandem_pc *pc = drill->pc;
    struct tandem_sector sector = sector_of(drill, drill->newest + 1);
    look_for_doubt(pc, &sector);
    /* It was never written, or is as it was before its turn came. */
    int mark = 0;
    uint32_t old = drill->newest + 1 - drill->count;
    if (drill->newest < drill->count ||
        (read_head(pc, sector.address, &mark) == old && look_at_sector(pc, &sector, old, mark).look == LOOK_WHOLE))
        return drill->newest < drill->count;
    struct sight sight = look_at_sector(pc, &sector, drill->newest + 1, 0),
                 marked = look_at_sector(pc, &sector, drill->newest + 1, 1);
    if (sight.look == LOOK_OTHER || marked.torn_bytes < sight.torn_bytes)
        sight = marked;
    if (sight.look == LOOK_OTHER || sight.look == LOOK_WHOLE) /* old and new, or old and erased */
        tandem_pc_report(pc, TANDEM_PORTCHECK_CUT_ERASE, sector.address, 0);
    else
        report_torn(pc, &sector, &sight);
    return sight.look != LOOK_OTHER;
}

/* The newest round. @return whether it is whole */
static int look_at_newest(struct drill *drill)
{
    struct tandem_pc *pc = drill->pc;
    struct tandem_sector sector = sector_of(drill, drill->newest);
    int mark = 0;
    look_for_doubt(pc, &sector);
    (void)read_head(pc, sector.address, &mark);
    struct sight sight = look_at_sector(pc, &sector, drill->newest, mark);
    if (sight.look == LOOK_WHOLE)
        return 1;
    if (sight.look == LOOK_OTHER)
        tandem_pc_report(pc, TANDEM_PORTCHECK_CUT_BEYOND, sector.address + sight.beyond, 0);
    else
        report_torn(pc, &sector, &sight);
    return 0;
}

/* Sectors that nobody was writing to: `oldest` is the first round that must still be there. */
static void look_at_others(struct drill *drill, uint32_t oldest)
{
    struct tandem_pc *pc = drill->pc;
    for (uint32_t round = drill->newest - 1; round >= oldest && round != 0; round--) {
        struct tandem_sector sector = sector_of(drill, round), after = sector_of(drill, round + 1);
        int mark = 0, torn_after = 0;
        (void)read_head(pc, after.address, &torn_after);
        if (torn_after)
            continue; /* a reset came between the two */
        uint32_t found = read_head(pc, sector.address, &mark);
        struct sight sight = look_at_sector(pc, &sector, round, mark);
        if (found != round || sight.look != LOOK_WHOLE)
            tandem_pc_report(pc, TANDEM_PORTCHECK_CUT_NEIGHBOUR, sector.address + first_wrong(&sector, &sight), 0);
    }
}

/* The newest head. One behind which nothing was written yet may itself be torn, and does not count. */
static void find_newest(struct drill *drill)
{
    struct tandem_pc *pc = drill->pc;
    drill->newest = 0;
    for (uint32_t i = 0; i < drill->count; i++) {
        int mark = 0;
        struct tandem_sector sector = tandem_pc_sector(pc, i);
        uint32_t round = read_head(pc, sector.address, &mark);
        if (round <= drill->newest || (round - 1) % drill->count != i)
            continue;
        uint32_t call = tandem_pc_least(call_size(pc, round), sector.size);
        uint32_t behind = (HEAD_SIZE + call - 1) / call * call; /* bytes of the calls that hold the head */
        struct sight sight = look_at_sector(pc, &sector, round, mark);
        if (sight.look == LOOK_OTHER || sight.done > behind || (sight.done == behind && sight.torn != sector.size) ||
            behind >= sector.size)
            drill->newest = round;
    }
}

/* Look at everything and say what the last cut did. */
static void examine(struct drill *drill)
{
    struct tandem_pc *pc = drill->pc;
    find_newest(drill);
    pc->result->round = drill->newest;
    if (drill->newest == 0) {
        tandem_pc_report(pc, TANDEM_PORTCHECK_CUT_BEGIN, pc->begin, 0);
        return;
    }
    int whole = look_at_newest(drill), begun = look_at_next(drill);
    /* If the next round's head may have counted once, the sector after it may have been erased too. */
    uint32_t spent = begun ? 2 : 1;
    uint32_t oldest = drill->newest + spent > drill->count ? drill->newest + spent - drill->count + 1 : 1;
    if (oldest < drill->newest)
        look_at_others(drill, oldest);
    if (whole && !tandem_pc_reported(pc, TANDEM_PORTCHECK_CUT_ERASE) &&
        !tandem_pc_reported(pc, TANDEM_PORTCHECK_CUT_PROGRAM) && !tandem_pc_reported(pc, TANDEM_PORTCHECK_CUT_UNIT) &&
        !tandem_pc_reported(pc, TANDEM_PORTCHECK_CUT_UNITS))
        tandem_pc_report(pc, TANDEM_PORTCHECK_CUT_NONE, TANDEM_PORTCHECK_NOWHERE, 0);
    tandem_pc_report(pc, TANDEM_PORTCHECK_CUT_ROUND, TANDEM_PORTCHECK_NOWHERE, drill->newest);
}

/* ---- the three calls ---- */

static enum tandem_status open_drill(struct drill *drill, struct tandem_pc *pc, const struct tandem_portcheck *check,
                                     struct tandem_portcheck_result *result)
{
    enum tandem_status status = tandem_pc_open(pc, check, result);
    if (status != TANDEM_OK)
        return status;
    drill->pc = pc;
    drill->count = tandem_pc_sectors(pc);
    drill->newest = 0;
    for (uint32_t i = 0; i < drill->count; i++)
        if (tandem_pc_sector(pc, i).size < 2 * RUN) {
            tandem_pc_report(pc, TANDEM_PORTCHECK_SCRATCH, check->scratch.address, check->scratch.size);
            return TANDEM_ERROR_ARGUMENT;
        }
    return TANDEM_OK;
}

enum tandem_status tandem_portcheck_drill(const struct tandem_portcheck *check, uint32_t rounds,
                                          struct tandem_portcheck_result *result)
{
    struct tandem_pc pc;
    struct drill drill;
    enum tandem_status status = open_drill(&drill, &pc, check, result);
    if (status != TANDEM_OK)
        return status;
    if (drill.count < 3) {
        tandem_pc_report(&pc, TANDEM_PORTCHECK_SCRATCH, check->scratch.address, check->scratch.size);
        return TANDEM_ERROR_ARGUMENT;
    }
    examine(&drill);
    if (rounds == UINT32_MAX)
        return tandem_pc_close(&pc);
    for (uint32_t done = 0; rounds == 0 || done < rounds; done++) {
        if (!write_round(&drill, drill.newest + 1, done == 0))
            break;
        result->round = ++drill.newest;
    }
    return tandem_pc_close(&pc);
}

enum tandem_status tandem_portcheck_keep(const struct tandem_portcheck *check, struct tandem_portcheck_result *result)
{
    struct tandem_pc pc;
    struct drill drill;
    enum tandem_status status = open_drill(&drill, &pc, check, result);
    if (status != TANDEM_OK)
        return status;
    for (uint32_t round = 1; round <= drill.count; round++)
        if (!write_round(&drill, round, 0))
            return tandem_pc_close(&pc);
    tandem_pc_report_text(
        &pc, TANDEM_PORTCHECK_KEPT, pc.begin, 0,
        "the pattern is written: now reset, cut the power or end the process, and let it be verified");
    return tandem_pc_close(&pc);
}

enum tandem_status tandem_portcheck_kept(const struct tandem_portcheck *check, struct tandem_portcheck_result *result)
{
    struct tandem_pc pc;
    struct drill drill;
    uint32_t heads = 0;
    enum tandem_status status = open_drill(&drill, &pc, check, result);
    if (status != TANDEM_OK)
        return status;
    for (uint32_t round = 1; round <= drill.count; round++) {
        int mark = 0;
        struct tandem_sector sector = sector_of(&drill, round);
        uint32_t found = read_head(&pc, sector.address, &mark);
        struct sight sight = look_at_sector(&pc, &sector, round, 0);
        heads += found == round;
        if (heads != 0 && (found != round || mark || sight.look != LOOK_WHOLE))
            tandem_pc_report(&pc, TANDEM_PORTCHECK_KEPT_LOST, sector.address + first_wrong(&sector, &sight), 0);
    }
    if (heads == 0)
        tandem_pc_report(&pc, TANDEM_PORTCHECK_KEPT_NONE, pc.begin, 0);
    else if (result->faults == 0)
        tandem_pc_report(&pc, TANDEM_PORTCHECK_KEPT, pc.begin, 0);
    return tandem_pc_close(&pc);
}
