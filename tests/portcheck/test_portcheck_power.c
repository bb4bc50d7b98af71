/*
 * The port checker's looks after a reset and after a power cut. A cut of any
 * kind, at any operation, alone or in pairs, on sound flash is no fault; cells
 * that a cut must not change are missed; lost writes are noticed.
 */
#include "check.h"
#include "rig.h"

#define SECTOR 128u
#define SECTORS 4u
#define ROUNDS 3u /* between two looks */

static struct rig rig;
static uint8_t start[0x4000], start_spent[0x4000]; /* a chip in the middle of the drill */

static void open_rig(uint8_t unit, uint8_t erased, enum defect defect)
{
    rig_open_sectors(&rig, unit, erased, 0, defect, SECTOR, SECTORS);
    rig.check.scratch.address = 0x1000;
    rig.check.scratch.size = SECTOR * SECTORS;
    rig.check.buffer_size = TANDEM_PORTCHECK_BUFFER_MIN;
    rig.check.clock_us = NULL;
}

static enum tandem_status drill(uint32_t rounds)
{
    rig_forget(&rig);
    return tandem_portcheck_drill(&rig.check, rounds, &rig.result);
}

/* Drill until operation `number` from here on is cut. @return 0 if there is no such operation within the rounds */
static int drill_until(uint64_t number, enum sim_tear tear)
{
    rig.power.cut_at = rig.power.ops + number;
    rig.power.tear = tear;
    (void)drill(ROUNDS);
    int cut = !rig.power.on;
    rig_reset(&rig);
    return cut;
}

/* Look, and expect no fault. */
static int is_content(const char *what, unsigned first, unsigned second)
{
    enum tandem_status status = drill(UINT32_MAX);
    if (status != TANDEM_OK || rig_complaints(&rig)[0] != '\0') {
        fprintf(stderr, "%s, operations %u and %u: found \"%s\"\n", what, first, second, rig_complaints(&rig));
        return 0;
    }
    return 1;
}

static void save(void)
{
    memcpy(start, rig.chip.cells, rig.chip.size);
    memcpy(start_spent, rig.chip.spent, rig.chip.size / rig.chip.spec.program_unit);
}

static void restore(void)
{
    memcpy(rig.chip.cells, start, rig.chip.size);
    memcpy(rig.chip.spent, start_spent, rig.chip.size / rig.chip.spec.program_unit);
    memset(rig.chip.doubt, 0, rig.chip.size);
    memset(rig.chip.weak, 0, rig.chip.size);
    rig.chip.doubtful = 0;
}

static void drill_goes_on(void)
{
    open_rig(8, 0xFF, SOUND);
    CHECK_EQUAL(drill(2), TANDEM_OK);
    CHECK(rig.found[TANDEM_PORTCHECK_CUT_BEGIN] && !rig.found[TANDEM_PORTCHECK_CUT_ROUND]);
    CHECK_EQUAL(rig.result.round, 2);
    CHECK_EQUAL(drill(7), TANDEM_OK);
    CHECK(rig.found[TANDEM_PORTCHECK_CUT_NONE] && rig.found[TANDEM_PORTCHECK_CUT_ROUND]);
    CHECK_EQUAL(rig.findings[TANDEM_PORTCHECK_CUT_ROUND].value, 2);
    CHECK_EQUAL(rig.result.round, 9);
    uint64_t ops = rig.power.ops;
    CHECK_EQUAL(drill(UINT32_MAX), TANDEM_OK);
    CHECK_EQUAL(rig.power.ops, ops); /* it only looked */
    CHECK_EQUAL(sim_flash_violations(&rig.chip), 0);
    rig_close(&rig);
}

/* From a first start, and in the middle: each operation, each kind of cut. */
static void cuts_are_no_faults(void)
{
    static const struct {
        uint8_t unit, erased;
        uint32_t rounds; /* before the cut */
    } cases[] = {{8, 0xFF, 0},  {8, 0xFF, 2}, {8, 0xFF, 6}, {8, 0xFF, 7},
                 {32, 0xFF, 5}, {4, 0x00, 8}, {1, 0xFF, 6}, {1, 0x00, 9}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned tear = 0; tear < SIM_TEARS; tear++) {
            open_rig(cases[i].unit, cases[i].erased, SOUND);
            if (cases[i].rounds != 0)
                (void)drill(cases[i].rounds);
            save();
            unsigned number = 1;
            for (;; number++) {
                restore();
                if (!drill_until(number, (enum sim_tear)tear))
                    break;
                if (!CHECK(is_content(sim_tear_text((enum sim_tear)tear), number, 0)))
                    break;
                CHECK_EQUAL(drill(SECTORS), TANDEM_OK); /* every sector can be used again */
                CHECK(is_content("afterwards", number, 0));
            }
            CHECK(number > ROUNDS * SECTOR / 64);
            rig_close(&rig);
        }
}

/* And a second one while the drill goes on after the first, every kind with every kind. */
static void pairs_of_cuts_are_no_faults(void)
{
    open_rig(16, 0xFF, SOUND);
    (void)drill(6);
    save();
    for (unsigned kinds = 0; kinds < SIM_TEARS * SIM_TEARS; kinds++) {
        enum sim_tear first = (enum sim_tear)(kinds / SIM_TEARS), second = (enum sim_tear)(kinds % SIM_TEARS);
        for (unsigned number = 1; number < 40; number += 1) {
            for (unsigned again = 1 + (number + kinds) % 5; again < 24; again += 5) {
                restore();
                if (!drill_until(number, first) || !drill_until(again, second))
                    continue;
                if (!CHECK(is_content(sim_tear_text(first), number, again)))
                    return;
                CHECK_EQUAL(drill(SECTORS), TANDEM_OK);
                if (!CHECK(is_content(sim_tear_text(second), number, again)))
                    return;
            }
        }
    }
    rig_close(&rig);
}

/* What kind of cut it was is told. */
static void cuts_are_told_apart(void)
{
    /* From the fourth round on: an erase, then 8 units in calls of one unit; then an erase, and two calls of 4 units.
     */
    static const struct {
        unsigned number;
        enum sim_tear tear;
        enum tandem_portcheck_id id;
    } cuts[] = {
        {1, SIM_TEAR_BEFORE, TANDEM_PORTCHECK_CUT_NONE},   {1, SIM_TEAR_SOME, TANDEM_PORTCHECK_CUT_ERASE},
        {1, SIM_TEAR_SCATTER, TANDEM_PORTCHECK_CUT_ERASE}, {1, SIM_TEAR_UNSTABLE, TANDEM_PORTCHECK_CUT_UNSTABLE},
        {1, SIM_TEAR_AFTER, TANDEM_PORTCHECK_CUT_PROGRAM}, {4, SIM_TEAR_BEFORE, TANDEM_PORTCHECK_CUT_PROGRAM},
        {4, SIM_TEAR_SOME, TANDEM_PORTCHECK_CUT_UNIT},     {4, SIM_TEAR_UNSTABLE, TANDEM_PORTCHECK_CUT_UNIT},
        {9, SIM_TEAR_AFTER, TANDEM_PORTCHECK_CUT_NONE},    {10, SIM_TEAR_SOME, TANDEM_PORTCHECK_CUT_ERASE},
        {12, SIM_TEAR_AFTER, TANDEM_PORTCHECK_CUT_UNITS},  {16, SIM_TEAR_AFTER, TANDEM_PORTCHECK_CUT_UNITS},
    };
    open_rig(16, 0xFF, SOUND);
    (void)drill(5);
    save();
    for (unsigned i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        restore();
        CHECK(drill_until(cuts[i].number, cuts[i].tear));
        CHECK(is_content("told apart", cuts[i].number, 0));
        if (!CHECK(rig.found[cuts[i].id]))
            fprintf(stderr, "cut %u was not told as %s\n", i, tandem_portcheck_name(cuts[i].id));
    }
    rig_close(&rig);
}

/* Cells with ECC: the port says that it cannot read them, which is right. */
static void unreadable_cells_are_no_fault(void)
{
    open_rig(16, 0xFF, ECC_FAULTS);
    (void)drill(5);
    save();
    for (unsigned number = 1; number < 19; number++) {
        restore();
        CHECK(drill_until(number, SIM_TEAR_UNSTABLE));
        CHECK(is_content("with ECC", number, 0));
        CHECK(rig.found[TANDEM_PORTCHECK_CUT_READ]);
        CHECK_EQUAL(drill(SECTORS), TANDEM_OK);
    }
    rig_close(&rig);
}

/* A cut takes cells with it that nobody was writing to. Whatever the operation, wherever the cells. */
static void disturbed_sectors_are_found(void)
{
    open_rig(16, 0xFF, SOUND);
    (void)drill(6); /* round 7 comes next, in sector 2; sector 1 holds round 6, 0 holds 5, 3 holds 4 */
    save();
    for (unsigned number = 1; number <= 9; number++)
        for (uint32_t at = 3; at < SECTOR; at += 17)
            for (unsigned sector = 0; sector < SECTORS; sector++) {
                restore();
                CHECK(drill_until(number, SIM_TEAR_BEFORE));
                uint32_t address = 0x1000 + sector * SECTOR + at;
                rig.chip.cells[address - rig.chip.base] ^= 0x24;
                int found = drill(UINT32_MAX) == TANDEM_ERROR_FLASH;
                int neighbour = rig.found[TANDEM_PORTCHECK_CUT_NEIGHBOUR],
                    beyond = rig.found[TANDEM_PORTCHECK_CUT_BEYOND];
                /* 2 is being written. Round 6 was the last before the reset, and counts no more once round 7 has begun;
                   until then a change there may pass for a torn call. Sector 3 may have been next. */
                if (sector == 0)
                    CHECK(found && neighbour && !beyond);
                else if (found)
                    CHECK(neighbour || beyond);
            }
    /* In a row, without a reset before: the sector written just before counts too. */
    restore();
    (void)drill(2);
    save();
    for (uint32_t at = 3; at < SECTOR; at += 17) {
        restore();
        rig.power.cut_at = rig.power.ops + 9 + 6;
        rig.power.tear = SIM_TEAR_BEFORE;
        (void)drill(ROUNDS); /* 9, and 10 is cut in its second call */
        rig_reset(&rig);
        rig.chip.cells[0x1000 + (9 - 1) % SECTORS * SECTOR + at - rig.chip.base] ^= 0x24;
        CHECK_EQUAL(drill(UINT32_MAX), TANDEM_ERROR_FLASH);
        CHECK(rig.found[TANDEM_PORTCHECK_CUT_NEIGHBOUR]);
    }
    rig_close(&rig);
}

/* The same within the sector that was being written: behind the call under way, and before it. */
static void disturbed_cells_are_found(void)
{
    open_rig(16, 0xFF, SOUND);
    (void)drill(7);
    save();
    for (uint32_t at = 0; at < SECTOR; at++) {
        restore();
        CHECK(drill_until(1 + 4, SIM_TEAR_SOME)); /* the fourth unit of round 8 */
        rig.chip.cells[7 % SECTORS * SECTOR + at] ^= 0x24;
        (void)drill(UINT32_MAX);
        if (at < 12)
            CHECK(rig_complaints(&rig)[0] == '\0' || rig.found[TANDEM_PORTCHECK_CUT_NEIGHBOUR]); /* its head is gone */
        else if (at < 48 || at >= 64)
            CHECK(rig.found[TANDEM_PORTCHECK_CUT_BEYOND]);
        else
            CHECK(rig_complaints(&rig)[0] == '\0');
    }
    rig_close(&rig);
}

/* ---- durability ---- */

static enum tandem_status keep(void)
{
    rig_forget(&rig);
    return tandem_portcheck_keep(&rig.check, &rig.result);
}

static enum tandem_status kept(void)
{
    rig_reset(&rig);
    rig_forget(&rig);
    return tandem_portcheck_kept(&rig.check, &rig.result);
}

static void kept_is_kept(void)
{
    static const enum defect defects[] = {SOUND, CACHES};
    for (unsigned i = 0; i < 2; i++) {
        open_rig(8, 0xFF, defects[i]);
        CHECK_EQUAL(kept(), TANDEM_ERROR_FLASH);
        CHECK(strcmp(rig_complaints(&rig), "kept-none") == 0);
        CHECK_EQUAL(keep(), TANDEM_OK);
        CHECK(strstr(rig.findings[TANDEM_PORTCHECK_KEPT].text, "now reset") != NULL);
        CHECK_EQUAL(kept(), TANDEM_OK);
        CHECK(strstr(rig.findings[TANDEM_PORTCHECK_KEPT].text, "all there") != NULL);
        CHECK_EQUAL(kept(), TANDEM_OK);
        rig.chip.cells[300] ^= 1;
        CHECK_EQUAL(kept(), TANDEM_ERROR_FLASH);
        CHECK(strcmp(rig_complaints(&rig), "kept-lost") == 0);
        CHECK_EQUAL(rig.findings[TANDEM_PORTCHECK_KEPT_LOST].address, 0x1000u + (300 & ~63u));
        rig_close(&rig);
    }
}

static void lost_writes_are_found(void)
{
    open_rig(8, 0xFF, CACHES_FOR_EVER);
    CHECK_EQUAL(keep(), TANDEM_OK);
    CHECK_EQUAL(kept(), TANDEM_ERROR_FLASH);
    CHECK(strcmp(rig_complaints(&rig), "kept-none") == 0);
    rig_close(&rig);
    /* Only the last sector was not written out. */
    open_rig(8, 0xFF, CACHES);
    rig.defect = CACHES;
    CHECK_EQUAL(keep(), TANDEM_OK);
    memset(rig.chip.cells + (SECTORS - 1) * SECTOR, 0xFF, SECTOR);
    CHECK_EQUAL(kept(), TANDEM_ERROR_FLASH);
    CHECK(strcmp(rig_complaints(&rig), "kept-lost") == 0);
    rig_close(&rig);
}

/* ---- what fails while it writes, and what cannot be drilled ---- */

static void failures_are_told(void)
{
    static const struct {
        enum defect defect;
        const char *names;
    } cases[] = {{ERASE_FAILS, "erase"},
                 {PROGRAM_FAILS, "program"},
                 {SYNC_FAILS, "sync"},
                 {ERASE_ENDLESS, "endless"},
                 {PROGRAM_ENDLESS, "endless"}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_rig(8, 0xFF, cases[i].defect);
        CHECK_EQUAL(drill(1), TANDEM_ERROR_FLASH);
        CHECK(strcmp(rig_complaints(&rig), cases[i].names) == 0);
        CHECK_EQUAL(keep(), TANDEM_ERROR_FLASH);
        CHECK(strcmp(rig_complaints(&rig), cases[i].names) == 0);
        rig_close(&rig);
    }
}

static void places_are_checked(void)
{
    open_rig(8, 0xFF, SOUND);
    rig.check.scratch.size = 2 * SECTOR;
    CHECK_EQUAL(drill(1), TANDEM_ERROR_ARGUMENT);
    CHECK(strcmp(rig_complaints(&rig), "scratch") == 0);
    CHECK_EQUAL(keep(), TANDEM_OK); /* two are enough here */
    CHECK_EQUAL(kept(), TANDEM_OK);
    rig.check.buffer = NULL;
    CHECK_EQUAL(drill(1), TANDEM_ERROR_ARGUMENT);
    CHECK_EQUAL(keep(), TANDEM_ERROR_ARGUMENT);
    CHECK_EQUAL(kept(), TANDEM_ERROR_ARGUMENT);
    rig_close(&rig);
    rig_open_sectors(&rig, 8, 0xFF, 0, SOUND, 64, 8); /* no room for a head and what follows it */
    rig.check.scratch.address = 0x1000;
    rig.check.scratch.size = 0x200;
    CHECK_EQUAL(drill(1), TANDEM_ERROR_ARGUMENT);
    CHECK(strcmp(rig_complaints(&rig), "scratch") == 0);
    rig_close(&rig);
}

static void every_check_was_seen(void)
{
    for (unsigned i = TANDEM_PORTCHECK_KEPT; i < TANDEM_PORTCHECK_IDS; i++)
        if (!CHECK(rig_ever[i]))
            fprintf(stderr, "nothing made the checker say %s\n", tandem_portcheck_name((enum tandem_portcheck_id)i));
}

int main(void)
{
    RUN(drill_goes_on);
    RUN(cuts_are_no_faults);
    RUN(pairs_of_cuts_are_no_faults);
    RUN(cuts_are_told_apart);
    RUN(unreadable_cells_are_no_fault);
    RUN(disturbed_sectors_are_found);
    RUN(disturbed_cells_are_found);
    RUN(kept_is_kept);
    RUN(lost_writes_are_found);
    RUN(failures_are_told);
    RUN(places_are_checked);
    RUN(every_check_was_seen);
    return check_report();
}
