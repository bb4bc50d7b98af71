/*
 * The port checker: sound ports pass, and for each check there is a port that
 * is wrong in just that way, and is found by name.
 *
 *   test_portcheck docs/portcheck.md
 */
#include "check.h"
#include "rig.h"

static struct rig rig;
static const char *page; /* the checker's page */

/* Run, and compare the faults and warnings with a list of names. */
static int complains(enum tandem_status status, const char *names)
{
    enum tandem_status got = rig_run(&rig);
    int right = strcmp(rig_complaints(&rig), names) == 0;
    if (!right)
        fprintf(stderr, "found \"%s\", not \"%s\"\n", rig_complaints(&rig), names);
    CHECK_EQUAL(got, status);
    return right;
}

/* ---- sound ports ---- */

static void sound_ports_pass(void)
{
    static const uint8_t units[] = {1, 2, 4, 8, 16, 32};
    for (unsigned i = 0; i < sizeof units; i++)
        for (unsigned kind = 0; kind < 4; kind++) {
            rig_open(&rig, units[i], kind & 1 ? 0x00 : 0xFF, kind & 2, SOUND);
            CHECK(complains(TANDEM_OK, ""));
            CHECK_EQUAL(sim_flash_violations(&rig.chip), 0); /* the checker itself keeps the rules */
            CHECK(rig.found[TANDEM_PORTCHECK_TIME_RATE] && rig.found[TANDEM_PORTCHECK_NOT_TRIED]);
            CHECK(rig.found[TANDEM_PORTCHECK_MAP_GAP] && !rig.found[TANDEM_PORTCHECK_STOPPED]);
            rig_close(&rig);
        }
}

/* Probes break rules, and a sound port refuses. Plain NOR, so a second program is told as such. */
static void probes_are_refused(void)
{
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    rig.check.probes = TANDEM_PORTCHECK_PROBE_TWICE | TANDEM_PORTCHECK_PROBE_ODD | TANDEM_PORTCHECK_PROBE_OUTSIDE;
    CHECK(complains(TANDEM_OK, ""));
    CHECK(!rig.found[TANDEM_PORTCHECK_NOT_TRIED]);
    CHECK(strstr(rig.findings[TANDEM_PORTCHECK_TWICE].text, "plain NOR") != NULL);
    CHECK_EQUAL(rig.chip.violations[SIM_VIOLATION_TWICE], 1);
    CHECK(rig.chip.violations[SIM_VIOLATION_UNALIGNED] == 2 && rig.chip.violations[SIM_VIOLATION_SECTOR] == 1);
    CHECK(rig.chip.violations[SIM_VIOLATION_RANGE] >= 3);
    rig_close(&rig);
}

/* Nothing outside the scratch area changes, and what is inside is erased in the end. */
static void only_scratch_is_touched(void)
{
    static uint8_t before[0x4000];
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    memcpy(before, rig.chip.cells, rig.chip.size);
    rig.check.scratch.address = 0x2400;
    rig.check.scratch.size = 0x800;
    CHECK(complains(TANDEM_OK, ""));
    CHECK_BYTES(rig.chip.cells, before, 0x1400);
    CHECK_BYTES(rig.chip.cells + 0x1C00, before + 0x1C00, rig.chip.size - 0x1C00);
    for (uint32_t i = 0x1400; i < 0x1C00; i++)
        REQUIRE(rig.chip.cells[i] == 0xFF);
    rig_close(&rig);
}

/* The figures are those of the chip. */
static void figures_are_right(void)
{
    rig_open(&rig, 4, 0xFF, 1, SOUND);
    CHECK(complains(TANDEM_OK, ""));
    CHECK(rig.result.erase_us >= 500 && rig.result.erase_us < 3000);
    CHECK(rig.result.program_us >= 1000 && rig.result.program_us < 6000);
    CHECK(rig.result.read_us > 0 && rig.result.read_us < 500);
    CHECK(rig.result.call_us > 0 && rig.result.rate > 0);
    uint32_t worst = 0;
    for (uint32_t i = 0; i < rig.chip.sectors; i++)
        worst = rig.chip.wear[i] > worst ? rig.chip.wear[i] : worst;
    CHECK_EQUAL(rig.result.sector_wear, worst);
    CHECK_EQUAL(rig.findings[TANDEM_PORTCHECK_WEAR].value, worst);
    CHECK_EQUAL(rig.result.erases, rig.chip.stats.erases);
    CHECK(rig.feeds >= rig.result.erases);
    rig_close(&rig);
}

/* The smallest buffer, the fewest sectors, no clock, no watchdog, nobody who listens. */
static void little_is_enough(void)
{
    rig_open(&rig, 8, 0xFF, 0, SOUND);
    rig.check.buffer_size = TANDEM_PORTCHECK_BUFFER_MIN;
    rig.check.scratch.size = 0x200;
    rig.check.clock_us = NULL;
    rig.check.system = NULL;
    CHECK(complains(TANDEM_OK, ""));
    CHECK(!rig.found[TANDEM_PORTCHECK_TIME_ERASE]);
    CHECK_EQUAL(rig.result.rate, 0);
    rig.check.report = NULL;
    CHECK_EQUAL(rig_run(&rig), TANDEM_OK);
    CHECK_EQUAL(rig.result.faults, 0);
    rig_close(&rig);
    /* Sectors that hold a few units only. */
    rig_open_sectors(&rig, 32, 0xFF, 0, SOUND, 64, 16);
    rig.check.scratch.size = 0x200;
    CHECK(complains(TANDEM_OK, ""));
    CHECK_EQUAL(sim_flash_violations(&rig.chip), 0);
    rig_close(&rig);
}

/* ---- wrong ports ---- */

struct wrong {
    enum defect defect;
    const char *names; /* faults and warnings that must be found, and no others */
    int probes;
};

static const struct wrong wrongs[] = {
    {ERASE_FAILS, "erase", 0},
    {ERASE_NOTHING, "erase-whole", 0},
    {ERASE_HALF, "erase-whole", 0},
    {ERASE_NEXT, "erase-neighbour", 0},
    {ERASE_PAIR, "erase-neighbour", 0},
    {ERASE_NOT_TWICE, "erase-again", 0},
    {ERASE_ENDLESS, "endless", 0},
    {ERASE_EARLY, "early", 0},
    {ERASE_ODD, "odd-erase", TANDEM_PORTCHECK_PROBE_ODD},
    {PROGRAM_FAILS, "program", 0},
    {PROGRAM_NEXT_UNIT, "program-beyond", 0},
    {PROGRAM_BIT, "read-back", 0},
    {PROGRAM_EXTRA, "program-beyond", 0},
    {PROGRAM_FAR, "outside", 0},
    {PROGRAM_64, "program-run", 0},
    {PROGRAM_IN_SECTOR, "program-border", 0},
    {PROGRAM_ALIGNED, "program-source", 0},
    {PROGRAM_ODD, "odd-program", TANDEM_PORTCHECK_PROBE_ODD},
    {PROGRAM_ENDLESS, "endless", 0},
    {PROGRAM_EARLY, "early", 0},
    {ECC_REFUSES, "unit-small", 0},
    {ECC_SPOILS, "unit-small", 0},
    {ECC_WHOLE, "unit-small", 0},
    {READ_FAILS, "read", 0},
    {READ_REFUSES, "", 0},
    {READ_ALIGNED, "read-odd", 0},
    {READ_WORDS, "read-dest", 0},
    {READ_IN_SECTOR, "read-border", 0},
    {READ_AGAIN, "status read", 0},
    {READ_PORT, "status read", 0},
    {SYNC_FAILS, "sync", 0},
    {WRAPS, "outside read-outside program-outside erase-outside", TANDEM_PORTCHECK_PROBE_OUTSIDE},
    {MIRRORS, "", 0}, /* not where the scratch area is */
    {TWICE_IGNORED, "", TANDEM_PORTCHECK_PROBE_TWICE},
    {TWICE_SPOILS, "", TANDEM_PORTCHECK_PROBE_TWICE},
    {TWICE_FAULTS, "", TANDEM_PORTCHECK_PROBE_TWICE},
};

static void wrong_ports_are_found(void)
{
    for (unsigned i = 0; i < sizeof wrongs / sizeof *wrongs; i++)
        for (int clock = 0; clock < 2; clock++) {
            const struct wrong *wrong = &wrongs[i];
            rig_open(&rig, 4, 0xFF, 0, wrong->defect);
            rig.check.probes = (uint8_t)wrong->probes;
            rig.check.clock_us = clock ? rig.check.clock_us : NULL;
            int warning = strncmp(wrong->names, "odd-", 4) == 0;
            if (!CHECK(complains(wrong->names[0] == '\0' || warning ? TANDEM_OK : TANDEM_ERROR_FLASH, wrong->names)))
                fprintf(stderr, "in defect %u, %s a clock\n", i, clock ? "with" : "without");
            CHECK_EQUAL(rig.found[TANDEM_PORTCHECK_MAP_READ],
                        wrong->defect == READ_REFUSES || wrong->defect == READ_AGAIN || wrong->defect == READ_PORT);
            rig_close(&rig);
        }
}

/* Whichever operation fails, once: the port is not called sound, and the rest of the flash stays as it is. */
static void any_failure_is_noticed(void)
{
    uint64_t operations;
    rig_open(&rig, 16, 0xFF, 0, SOUND);
    CHECK(complains(TANDEM_OK, ""));
    operations = rig.power.ops;
    rig_close(&rig);
    REQUIRE(operations > 200);
    for (uint64_t number = 1; number <= operations; number++) {
        rig_open(&rig, 16, 0xFF, 0, SOUND);
        rig.check.clock_us = NULL;
        rig.power.fail_at = number;
        rig.power.fail_count = 1;
        CHECK_EQUAL(rig_run(&rig), TANDEM_ERROR_FLASH);
        CHECK(rig.found[TANDEM_PORTCHECK_STOPPED] && !rig.found[TANDEM_PORTCHECK_OUTSIDE]);
        rig_close(&rig);
    }
}

/* The unit that would work is named. */
static void unit_is_named(void)
{
    static const enum defect defects[] = {ECC_REFUSES, ECC_SPOILS, ECC_WHOLE};
    for (unsigned i = 0; i < 3; i++) {
        rig_open(&rig, 4, 0xFF, 0, defects[i]);
        (void)rig_run(&rig);
        CHECK_EQUAL(rig.findings[TANDEM_PORTCHECK_UNIT_SMALL].value, 16);
        rig.port.program_unit = 16; /* and it does work */
        CHECK(complains(TANDEM_OK, ""));
        rig_close(&rig);
    }
}

static void second_programs_are_told_apart(void)
{
    static const struct {
        enum defect defect;
        const char *word;
    } kinds[] = {{SOUND, "plain NOR"},
                 {TWICE_IGNORED, "not refused"},
                 {TWICE_SPOILS, "most likely"},
                 {TWICE_FAULTS, "cannot be read"},
                 {ECC_REFUSES, "as it should be"}};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        rig_open(&rig, 4, 0xFF, 0, kinds[i].defect);
        rig.port.program_unit = 16;
        rig.check.probes = TANDEM_PORTCHECK_PROBE_TWICE;
        CHECK(complains(TANDEM_OK, ""));
        CHECK(rig.found[TANDEM_PORTCHECK_TWICE] &&
              strstr(rig.findings[TANDEM_PORTCHECK_TWICE].text, kinds[i].word) != NULL);
        rig_close(&rig);
    }
}

/* A chip smaller than its map: seen inside the scratch area, and outside. */
static void mirrors_are_found(void)
{
    rig_open(&rig, 4, 0xFF, 0, MIRRORS);
    rig.check.scratch.address = 0x2000;
    rig.check.scratch.size = 0x1000;
    CHECK(complains(TANDEM_ERROR_FLASH, "map-alias"));
    rig.check.scratch.size = 0x800;
    CHECK(complains(TANDEM_ERROR_FLASH, "map-alias outside"));
    CHECK_EQUAL(rig.findings[TANDEM_PORTCHECK_MAP_ALIAS].address, 0x2800);
    rig_close(&rig);
}

/* The chip erases more at once than the map says: what lies beside the scratch area is not lost to find that out. */
static void neighbours_are_spared(void)
{
    static uint8_t before[0x200];
    rig_open(&rig, 4, 0xFF, 0, ERASE_NEXT);
    memcpy(before, rig.chip.cells + 0x800 - 0x100, 0x100); /* the run's last sector, behind the scratch area */
    rig.check.scratch.size = 0x500;
    CHECK(complains(TANDEM_ERROR_FLASH, "erase-neighbour"));
    CHECK_BYTES(rig.chip.cells + 0x700, before, 0x100);
    rig_close(&rig);
}

static void wrong_tables_are_found(void)
{
    static const struct tandem_flash_region none = {0x1000, 256, 0}, no_size = {0x1000, 0, 8}, odd = {0x1000, 130, 8},
                                            far = {0xFFFFF000, 0x1000, 2};
    static const struct tandem_flash_region overlap[] = {{0x1000, 256, 8}, {0x1700, 256, 8}},
                                            descends[] = {{0x2000, 1024, 4}, {0x1000, 256, 8}};
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    struct tandem_flash_port port = rig.port;
#define TABLE(names, ...)                                \
    do {                                                 \
        rig.port = port;                                 \
        __VA_ARGS__;                                     \
        CHECK(complains(TANDEM_ERROR_LAYOUT, names));    \
        CHECK_EQUAL(sim_flash_violations(&rig.chip), 0); \
        CHECK_EQUAL(rig.chip.stats.erases, 0);           \
    } while (0)
    TABLE("table-function", rig.port.read = NULL);
    TABLE("table-function", rig.port.program = NULL);
    TABLE("table-function", rig.port.erase = NULL);
    TABLE("table-unit", rig.port.program_unit = 0);
    TABLE("table-unit", rig.port.program_unit = 12);
    TABLE("table-unit", rig.port.program_unit = 64);
    TABLE("table-erased", rig.port.erased = 0xF0);
    TABLE("map-empty", rig.port.regions = NULL);
    TABLE("map-empty", rig.port.region_count = 0);
    TABLE("map-sector", rig.port.regions = &none; rig.port.region_count = 1);
    TABLE("map-sector", rig.port.regions = &no_size; rig.port.region_count = 1);
    TABLE("map-sector", rig.port.regions = &odd; rig.port.region_count = 1);
    TABLE("map-order", rig.port.regions = overlap);
    TABLE("map-order", rig.port.regions = descends);
    TABLE("map-end", rig.port.regions = &far; rig.port.region_count = 1);
    rig.check.scratch.flash = NULL;
    CHECK(complains(TANDEM_ERROR_LAYOUT, "table-function"));
    rig_close(&rig);
}

/* The table is well-formed, and says something else than the chip does. */
static void wrong_descriptions_are_found(void)
{
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    rig.port.erased = 0x00;
    CHECK(complains(TANDEM_ERROR_FLASH, "erased-value"));
    CHECK_EQUAL(rig.findings[TANDEM_PORTCHECK_ERASED_VALUE].value, 0xFF);
    rig_close(&rig);
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    rig.regions[0].sector_size = 128; /* the chip refuses an erase inside its sector, */
    rig.regions[0].count = 16;
    CHECK(complains(TANDEM_ERROR_FLASH, "erase"));
    rig.defect = ERASE_ODD; /* or takes it for the sector's */
    CHECK(complains(TANDEM_ERROR_FLASH, "erase-neighbour"));
    rig_close(&rig);
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    rig.regions[0].sector_size = 512;
    rig.regions[0].count = 4;
    CHECK(complains(TANDEM_ERROR_FLASH, "erase-whole"));
    CHECK_EQUAL(rig.findings[TANDEM_PORTCHECK_ERASE_WHOLE].value, 256); /* the chip's sector */
    rig_close(&rig);
}

static void wrong_places_are_refused(void)
{
    static const struct {
        uint32_t address, size;
    } areas[] = {{0x1200, 0x100},  {0x1200, 0},     {0x1280, 0x400}, {0x1200, 0x380},
                 {0x1600, 0x1200}, {0x3000, 0x400}, {0x800, 0xA00},  {0x1200, 0xFFFFFFFF}};
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    for (unsigned i = 0; i < sizeof areas / sizeof *areas; i++) {
        rig.check.scratch.address = areas[i].address;
        rig.check.scratch.size = areas[i].size;
        CHECK(complains(TANDEM_ERROR_ARGUMENT, "scratch"));
    }
    rig_close(&rig);
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    rig.check.buffer_size = TANDEM_PORTCHECK_BUFFER_MIN - 1;
    CHECK(complains(TANDEM_ERROR_ARGUMENT, "buffer"));
    rig.check.buffer = NULL;
    CHECK(complains(TANDEM_ERROR_ARGUMENT, "buffer"));
    CHECK_EQUAL(rig.chip.stats.erases, 0);
    rig_close(&rig);
}

/* With a description: its layout is checked, and its records are not scratch. */
static void descriptions_are_respected(void)
{
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    struct tandem_slot slot = {.kind = TANDEM_KIND_APPLICATION,
                               .areas = {{&rig.port, 0x1000, 0x200}, {&rig.port, 0x1200, 0x200}}};
    struct tandem_device device = {.vendor = "acme",
                                   .product = "probe",
                                   .slots = &slot,
                                   .slot_count = 1,
                                   .manifests = {{&rig.port, 0x1400, 0x200}, {&rig.port, 0x1600, 0x200}},
                                   .journal = {&rig.port, 0x2000, 0x1000},
                                   .allow_unsigned = 1};
    rig.check.device = &device;
    rig.check.scratch.size = 0x200; /* the free bank */
    CHECK(complains(TANDEM_OK, ""));
    rig.check.scratch.size = 0x400;
    CHECK(complains(TANDEM_ERROR_ARGUMENT, "scratch-used"));
    rig.check.scratch.address = 0x2400;
    CHECK(complains(TANDEM_ERROR_ARGUMENT, "scratch"));
    rig.check.scratch.size = 0x800;
    CHECK(complains(TANDEM_ERROR_ARGUMENT, "scratch-used"));
    rig.check.scratch.address = 0x1200;
    rig.check.scratch.size = 0x200;
    device.journal.size = 0x400;
    CHECK(complains(TANDEM_ERROR_LAYOUT, "layout"));
    CHECK(strstr(rig.findings[TANDEM_PORTCHECK_LAYOUT].text, "journal") != NULL);
    rig_close(&rig);
}

static uint32_t frozen(void *ctx)
{
    (void)ctx;
    return 7;
}

static void times_are_judged(void)
{
    rig_open(&rig, 4, 0xFF, 0, SOUND);
    rig.check.watchdog_ms = 1; /* an erase of 1.5 ms in one call */
    CHECK(complains(TANDEM_OK, "time-call"));
    rig.check.watchdog_ms = 1000;
    CHECK(complains(TANDEM_OK, ""));
    rig.check.link_rate = rig.result.rate + 1;
    CHECK(complains(TANDEM_OK, "time-slow"));
    rig.check.link_rate = rig.result.rate;
    CHECK(complains(TANDEM_OK, ""));
    rig.check.clock_us = frozen;
    CHECK(complains(TANDEM_OK, "clock"));
    CHECK(!rig.found[TANDEM_PORTCHECK_TIME_ERASE]);
    rig_close(&rig);
    rig_open(&rig, 4, 0xFF, 0, ERASE_ENDLESS); /* the clock ends it, if calls are quick */
    rig.check.again_calls = 0xFFFFFFFFu;
    CHECK(complains(TANDEM_ERROR_FLASH, "endless"));
    rig_close(&rig);
}

/* ---- words ---- */

static void lines_are_printed(void)
{
    struct tandem_portcheck_finding finding = {TANDEM_PORTCHECK_ERASED_VALUE, TANDEM_PORTCHECK_FAULT, 0xA400, 0,
                                               "as %x, %v of 100 % or %d"};
    char line[TANDEM_PORTCHECK_TEXT_SIZE];
    finding.value = 4294967295u;
    CHECK(strcmp(tandem_portcheck_line(&finding, line, sizeof line),
                 "FAULT    erased-value at 0x0000a400: as 0xff, 4294967295 of 100 % or %d") == 0);
    finding.value = 0;
    finding.address = TANDEM_PORTCHECK_NOWHERE;
    CHECK(strcmp(tandem_portcheck_line(&finding, line, sizeof line),
                 "FAULT    erased-value: as 0x00, 0 of 100 % or %d") == 0);
    CHECK(strcmp(tandem_portcheck_line(&finding, line, 6), "FAULT") == 0);
    line[0] = 'x';
    CHECK(tandem_portcheck_line(&finding, line, 0) == line && line[0] == 'x');
    CHECK(strcmp(tandem_portcheck_name(TANDEM_PORTCHECK_IDS), "") == 0);
}

/* Every finding has a name of its own, a text that fits, and a row on the checker's page. */
static void everything_is_said(void)
{
    static char text[65536];
    FILE *file = fopen(page, "rb");
    REQUIRE(file != NULL);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (unsigned i = 0; i < TANDEM_PORTCHECK_IDS; i++) {
        const char *name = tandem_portcheck_name((enum tandem_portcheck_id)i);
        char row[64];
        CHECK(name[0] != '\0' && strlen(name) < 20);
        for (unsigned j = 0; j < i; j++)
            CHECK(strcmp(name, tandem_portcheck_name((enum tandem_portcheck_id)j)) != 0);
        snprintf(row, sizeof row, "| `%s` |", name);
        if (!CHECK(strstr(text, row) != NULL))
            fprintf(stderr, "the page has no row for %s\n", name);
    }
}

/* No check is there that nobody has seen fail; those of resets and cuts are test_portcheck_power's. */
static void every_check_was_seen(void)
{
    for (unsigned i = 0; i < TANDEM_PORTCHECK_KEPT; i++)
        if (!CHECK(rig_ever[i]))
            fprintf(stderr, "nothing made the checker say %s\n", tandem_portcheck_name((enum tandem_portcheck_id)i));
}

int main(int argc, char **argv)
{
    page = argc > 1 ? argv[1] : "docs/portcheck.md";
    RUN(sound_ports_pass);
    RUN(probes_are_refused);
    RUN(only_scratch_is_touched);
    RUN(figures_are_right);
    RUN(little_is_enough);
    RUN(wrong_ports_are_found);
    RUN(any_failure_is_noticed);
    RUN(unit_is_named);
    RUN(second_programs_are_told_apart);
    RUN(mirrors_are_found);
    RUN(neighbours_are_spared);
    RUN(wrong_tables_are_found);
    RUN(wrong_descriptions_are_found);
    RUN(wrong_places_are_refused);
    RUN(descriptions_are_respected);
    RUN(times_are_judged);
    RUN(lines_are_printed);
    RUN(everything_is_said);
    RUN(every_check_was_seen);
    return check_report();
}
