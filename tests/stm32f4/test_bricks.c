/*
 * What bricks a common bootloader of this layout (a flag in a parameter
 * sector, an unchecked copy of the store over the application, a jump in any
 * case) must not harm ours: on an STM32F407 of full size, through the real
 * port, power and cells failing at the worst moments.
 *
 * After each misfortune the next start runs a whole firmware, the old one or
 * the new one, or nothing; and a good update always goes in.
 *
 * With a number as its argument it cuts the copy in each n-th operation; with
 * 1, in all of them, which takes some minutes.
 */
#include <setjmp.h>

#include "board.h"
#include "check.h"
#include "layout.h"
#include "tandem_cortex_m.h"

#define OLD_SIZE 120001u
#define NEW_SIZE 200003u /* 64 KB, 128 KB and a bit: three sectors of four, and the manifest's */
#define SMALL_SIZE 5000u
#define FOREVER 0xFFFFFFFFu

/* What the tests begin with: version 1 runs, version 2 is in the store, and the next start is to bring it in. */
static struct package old, new, small;
static struct board pending;
static struct board board; /* the one under test */
static unsigned stride = 1201;

static uint32_t wear(unsigned sector)
{
    return board.chip.wear[sector];
}

static uint32_t application_wear(void)
{
    return wear(4) + wear(5) + wear(6) + wear(7);
}

/* Version 2 pending, as often as a test wants it. */
static void begin(void)
{
    board_copy(&board, &pending);
    memset(board.chip.wear, 0, board.chip.sectors * sizeof board.chip.wear[0]);
    memset(board.chip.violations, 0, sizeof board.chip.violations);
}

/* A start that finds nothing to run leaves the bootloader's recovery; one that runs something runs it whole. */
static int starts_whole(void)
{
    enum tandem_status status = board_start(&board);
    if (status == TANDEM_ERROR_NOTHING)
        return 0;
    CHECK_EQUAL(status, TANDEM_OK);
    CHECK_EQUAL(board.boot.images[0].area.address, APPLICATION_ADDRESS);
    uint16_t major = board.boot.version.major;
    const struct package *package = major == 1 ? &old : major == 2 ? &new : &small;
    CHECK(board_holds(&board, package));
    return major;
}

/* A good update goes in, from the application or from recovery, whatever happened before. */
static void takes_an_update(void)
{
    CHECK_EQUAL(board_receive(&board, &small, 1, 0), TANDEM_STATE_PENDING);
    CHECK_EQUAL(starts_whole(), 3);
    CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_TRIAL);
    CHECK_EQUAL(board_confirm(&board), TANDEM_OK);
    CHECK_EQUAL(starts_whole(), 3);
    CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_CONFIRMED);
    CHECK(board_behaved(&board));
}

/* The new version is there, on its first or second start; it confirms itself, and the next one goes in. */
static void lives_on_with_the_new_one(void)
{
    CHECK_EQUAL(starts_whole(), 2);
    CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_TRIAL);
    CHECK_EQUAL(board_confirm(&board), TANDEM_OK);
    takes_an_update();
}

/* ---- operations of a start ---- */

#define OPS_MAX 65536u

static struct {
    uint32_t count; /* operations */
    uint8_t erases[OPS_MAX];
    uint64_t first;
    unsigned fed;
    uint32_t hungry, most; /* operations since the watchdog was fed last */
} seen;

static void look(void *ctx, const struct sim_op *op)
{
    (void)ctx;
    REQUIRE(op->number - seen.first < OPS_MAX);
    seen.erases[op->number - seen.first] = op->kind == SIM_OP_ERASE;
    seen.count = (uint32_t)(op->number - seen.first);
    seen.hungry = seen.fed == board.fed ? seen.hungry + 1 : 1;
    seen.fed = board.fed;
    seen.most = seen.most > seen.hungry ? seen.most : seen.hungry;
}

/* Watch the start that copies: seen.erases[n] says whether operation n of it, from 1 on, is an erase. */
static void watch_the_copy(void)
{
    begin();
    memset(&seen, 0, sizeof seen);
    seen.first = board.power.ops;
    board.power.hook = look;
    CHECK_EQUAL(starts_whole(), 2);
    board.power.hook = NULL;
    CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_TRIAL);
}

/* Start; power fails in operation `op` of it. @return 1 if it came to that */
static int start_and_cut(uint64_t op, enum sim_tear tear)
{
    jmp_buf out;
    board_power(&board);
    board.power.cut_at = board.power.ops + op;
    board.power.tear = tear;
    board.power.out = &out;
    if (setjmp(out) != 0)
        return 1;
    (void)tandem_boot_decide(&board.boot, &board.device, board.buffer, sizeof board.buffer);
    board.power.cut_at = 0;
    board.power.out = NULL;
    return 0;
}

/* ---- before the copy ---- */

/* Bring version 2 in; power fails in operation `op` of it. @return 1 if it came to that */
static int receive_and_cut(uint64_t op, enum sim_tear tear)
{
    jmp_buf out;
    board.power.cut_at = board.power.ops + op;
    board.power.tear = tear;
    board.power.out = &out;
    if (setjmp(out) != 0)
        return 1;
    CHECK_EQUAL(board_receive(&board, &new, 1, 0), TANDEM_STATE_PENDING);
    board.power.cut_at = 0;
    board.power.out = NULL;
    return 0;
}

/* Power fails in the transfer, wherever: the old one runs, and little is sent again. */
static void cut_transfer(void)
{
    static struct board fresh;
    board_open(&fresh);
    board_factory(&fresh, &old);
    CHECK_EQUAL(board_start(&fresh), TANDEM_OK);
    board_open(&board);
    for (unsigned op = 1, cuts = 0; op < NEW_SIZE / 4; op += op < 200 ? 7 : 1931, cuts++) {
        board_copy(&board, &fresh);
        CHECK_EQUAL(starts_whole(), 1);
        board.sent = 0;
        CHECK(receive_and_cut(op, (enum sim_tear)(cuts % SIM_TEARS)));
        CHECK_EQUAL(starts_whole(), 1);
        CHECK_EQUAL(application_wear(), 0);
        CHECK_EQUAL(board_receive(&board, &new, 1, 0), TANDEM_STATE_PENDING);
        CHECK(board.sent < new.size + 0x20000 + 4096); /* a sector, and what was under way */
        CHECK_EQUAL(starts_whole(), 2);
        if (cuts % 8 == 0)
            lives_on_with_the_new_one();
        CHECK(board_behaved(&board));
        memset(board.chip.wear, 0, board.chip.sectors * sizeof board.chip.wear[0]);
    }
    board_close(&fresh);
}

/* Power fails in the record that is the flag: it is set, or it is not. */
static void cut_flag(void)
{
    static struct board validated;
    jmp_buf out;
    board_open(&validated);
    board_factory(&validated, &old);
    CHECK_EQUAL(board_start(&validated), TANDEM_OK);
    CHECK_EQUAL(board_receive(&validated, &new, 0, 0), TANDEM_STATE_VALIDATED);
    volatile unsigned set = 0, not_set = 0;
    for (volatile int tear = 0, more = 1; tear < SIM_TEARS; tear++, more = 1)
        for (volatile unsigned op = 1; more; op++) {
            board_copy(&board, &validated);
            CHECK_EQUAL(starts_whole(), 1);
            REQUIRE(tandem_install_init(&board.install, &board.device, board.buffer, BOARD_BUFFER) == TANDEM_OK);
            board.power.cut_at = board.power.ops + op;
            board.power.tear = (enum sim_tear)tear;
            board.power.out = &out;
            if (setjmp(out) == 0) {
                CHECK_EQUAL(tandem_install_activate(&board.install), TANDEM_OK);
                more = 0; /* all of its operations were cut */
            }
            int runs = starts_whole();
            CHECK(runs == 1 || runs == 2);
            set += runs == 2;
            not_set += runs == 1;
            CHECK(more || runs == 2);
        }
    CHECK(set > 20 && not_set > 20);
    CHECK_EQUAL(starts_whole(), 2);
    board_close(&validated);
}

/* ---- the copy ---- */

/* Power fails in erases and words of the copy, in all ways, and again in what follows. */
static void cut_copy(void)
{
    unsigned cuts = 0, tear = 0;
    watch_the_copy();
    uint32_t count = seen.count;
    CHECK(count > (NEW_SIZE + MANIFEST_SIZE) / 4);
    for (uint32_t op = 1; op <= count; op++) {
        int edge = op < 60 || op + 60 > count || seen.erases[op] || seen.erases[op - 1] || seen.erases[op + 1];
        if (!edge && op % stride != 7 % stride)
            continue;
        for (int i = 0; i < (seen.erases[op] ? SIM_TEARS : 1); i++, cuts++, tear++) {
            begin();
            CHECK(start_and_cut(op, (enum sim_tear)(tear % SIM_TEARS)));
            if (cuts % 3 == 0)
                (void)start_and_cut(1 + cuts * 977u % count, (enum sim_tear)(cuts / 3 % SIM_TEARS));
            int runs = starts_whole();
            /* The old one is whole until the first erase of its area. */
            CHECK(runs == 2 || (runs == 1 && application_wear() == 0));
            CHECK(board_behaved(&board));
            if (cuts % 40 == 0 && runs == 2)
                lives_on_with_the_new_one();
        }
    }
    printf("       %u cuts in %u operations of a start\n", cuts, (unsigned)count);
    CHECK(cuts > 150);
}

/* Power fails at every start, each time a little later. It comes to its end. */
static void cut_for_ever(void)
{
    unsigned starts = 0;
    begin();
    while (start_and_cut(9000 + starts * 311u, (enum sim_tear)(starts % SIM_TEARS)))
        REQUIRE(++starts < 100);
    CHECK(starts > 3);
    CHECK_EQUAL(starts_whole(), 2);
}

/* A start that finds the copy done does not do it again, confirmed or not. */
static void copied_once(void)
{
    watch_the_copy();
    CHECK_EQUAL(wear(4), 1);
    CHECK_EQUAL(wear(5), 1);
    CHECK_EQUAL(wear(6), 1);
    CHECK_EQUAL(wear(7), 1); /* for the manifest at its end */
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQUAL(starts_whole(), 2);
    CHECK_EQUAL(board_confirm(&board), TANDEM_OK);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQUAL(starts_whole(), 2);
    CHECK_EQUAL(application_wear(), 4);
}

/* Between two feeds lies an erase, or 64 words: 1 ms, 6 at worst. */
static void watchdog_is_fed(void)
{
    watch_the_copy();
    CHECK(seen.most <= 64);
}

/* An operation of the copy fails, once, for a while or for the rest of this start: nothing half-written runs. */
static void failing_copy(void)
{
    static const uint32_t lengths[] = {1, 5000, FOREVER};
    unsigned tried = 0, recovered = 0;
    watch_the_copy();
    uint32_t count = seen.count;
    for (uint32_t op = 1; op <= count; op++) {
        if (!seen.erases[op] && op % 2503 != 11 && op > 3)
            continue;
        for (unsigned i = 0; i < 3; i++, tried++) {
            begin();
            board_power(&board);
            board.power.fail_at = board.power.ops + op;
            board.power.fail_count = lengths[i];
            enum tandem_status status =
                tandem_boot_decide(&board.boot, &board.device, board.buffer, sizeof board.buffer);
            CHECK(status == TANDEM_ERROR_NOTHING ||
                  (status == TANDEM_OK && board_holds(&board, board.boot.version.major == 1 ? &old : &new)));
            board.power.fail_at = 0;
            int runs = starts_whole();
            recovered += status == TANDEM_ERROR_NOTHING && runs == 2;
            CHECK(runs == 2 || (runs == 1 && application_wear() == 0));
        }
    }
    CHECK(tried > 40 && recovered > 5);
}

/* The copy fails, and power fails while that is noted. */
static void failing_copy_and_cut(void)
{
    unsigned cuts = 0;
    for (uint64_t op = 1; op < 70000; op += op < 60000 ? 7919 : 13) {
        begin();
        board_power(&board);
        board.power.fail_at = board.power.ops + 20000;
        board.power.fail_count = 30;
        cuts += (unsigned)start_and_cut(op, (enum sim_tear)(op % SIM_TEARS));
        board.power.fail_at = 0;
        int runs = starts_whole();
        CHECK(runs == 2 || (runs == 1 && application_wear() == 0));
    }
    CHECK(cuts > 5);
}

/* A cell of the application's area takes no value any more. Nothing runs; what does not need that cell goes in. */
static void worn_cell(void)
{
    uint32_t address = APPLICATION_ADDRESS + 150000;
    begin();
    sim_flash_stick(&board.chip, address, 0xFF);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQUAL(starts_whole(), 0);
    takes_an_update();
    sim_flash_stick(&board.chip, address, 0);
}

/* ---- what was received goes bad ---- */

static void wipe(uint32_t address, uint32_t size, uint8_t value)
{
    memset(board.chip.cells + (address - FLASH_ADDRESS), value, size);
    memset(board.chip.spent + (address - FLASH_ADDRESS) / 4, value != 0xFF, size / 4);
}

/* A bit of the store or of its head turns over after the flag was set: refused before anything is erased. */
static void damaged_store(void)
{
    static const uint32_t places[] = {0, 1, 65535, 65536, NEW_SIZE - 1};
    for (unsigned i = 0; i < 8; i++) {
        begin();
        uint32_t at = i < 5 ? STORE_ADDRESS + places[i] : MANIFEST_1_ADDRESS + (i - 5) * 60 + 8;
        sim_flash_flip(&board.chip, at, i % 8);
        CHECK_EQUAL(starts_whole(), 1);
        CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_REFUSED);
        CHECK(board.boot.status != TANDEM_OK);
        CHECK_EQUAL(application_wear(), 0);
        CHECK_EQUAL(starts_whole(), 1);
        CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_CONFIRMED);
        takes_an_update();
    }
}

/* The store goes bad in the middle of the copy: too late for the old one, so the bootloader takes the next. */
static void damaged_store_in_the_copy(void)
{
    begin();
    CHECK(start_and_cut(30000, SIM_TEAR_SOME));
    sim_flash_flip(&board.chip, STORE_ADDRESS + NEW_SIZE - 100, 2);
    CHECK_EQUAL(starts_whole(), 0);
    CHECK_EQUAL(starts_whole(), 0);
    takes_an_update();
}

/* The journal goes bad: a bit in any record, or all of it from some place on. */
static void damaged_parameters(void)
{
    unsigned ran[3] = {0, 0, 0}, tried = 0;
    for (uint32_t at = 0; at < JOURNAL_SIZE; at++) {
        if (*sim_flash_at(&pending.chip, JOURNAL_ADDRESS + at) == 0xFF || tried++ % 3 != 0)
            continue;
        begin();
        sim_flash_flip(&board.chip, JOURNAL_ADDRESS + at, at % 8);
        if (tried % 2 == 0)
            wipe(JOURNAL_ADDRESS + at / 4 * 4, JOURNAL_SIZE - at / 4 * 4, 0x00);
        int runs = starts_whole();
        REQUIRE(runs == 1 || runs == 2);
        ran[runs]++;
        if (tried % 50 != 0)
            continue;
        if (runs == 2)
            lives_on_with_the_new_one();
        else
            takes_an_update();
    }
    printf("       %u bytes: the old one %u times, the new one %u times\n", tried, ran[1], ran[2]);
    CHECK(tried > 500 && ran[1] > 50 && ran[2] > 50);
}

/* Another bootloader's records, or rubbish, where ours should be. */
static void foreign_parameters(void)
{
    static const uint8_t flag[] = {0x44, 0x33, 0x22, 0x11, 1, 0, 0, 0};
    static const uint8_t info[] = {0xFF, 0xFF, 0xFF, 0x7F, 'x', '.', 'b', 'i', 'n', 0};
    for (unsigned i = 0; i < 4; i++) {
        struct sim_rng rng = {i};
        begin();
        uint8_t *cells = board.chip.cells + (JOURNAL_ADDRESS - FLASH_ADDRESS);
        memset(cells, i == 1 ? 0x00 : 0xFF, JOURNAL_SIZE);
        if (i == 2)
            sim_random_bytes(&rng, cells, JOURNAL_SIZE);
        memset(board.chip.spent + (JOURNAL_ADDRESS - FLASH_ADDRESS) / 4, i == 1 || i == 2, JOURNAL_SIZE / 4);
        if (i == 3) {
            sim_flash_put(&board.chip, JOURNAL_ADDRESS, flag, sizeof flag);
            sim_flash_put(&board.chip, STORE_ADDRESS + 0x7FC00, info, sizeof info);
            sim_flash_flip(&board.chip, STORE_ADDRESS + 5, 5);
        }
        int runs = starts_whole();
        CHECK_EQUAL(runs, i == 3 ? 1 : 2); /* two whole ones: the newer is tried */
        if (runs == 2)
            CHECK_EQUAL(board_confirm(&board), TANDEM_OK);
        takes_an_update();
    }
}

/* ---- nothing to run ---- */

/* No application, no store, no journal, or none of them: recovery takes the next firmware. */
static void nothing_to_run(void)
{
    for (unsigned i = 0; i < 4; i++) {
        begin();
        wipe(APPLICATION_ADDRESS, 4, i % 2 ? 0x00 : 0xFF); /* erased, but for what is behind the stack pointer */
        wipe(APPLICATION_ADDRESS + 8, APPLICATION_SIZE - 8, i % 2 ? 0x00 : 0xFF);
        wipe(STORE_ADDRESS, STORE_SIZE, 0xFF);
        if (i >= 2)
            wipe(JOURNAL_ADDRESS, JOURNAL_SIZE, 0xFF);
        CHECK_EQUAL(starts_whole(), 0);
        CHECK_EQUAL(starts_whole(), 0);
        takes_an_update();
    }
}

/* ---- the new one does not work ---- */

/* It crashes before it can confirm itself. It is not copied again and again; and it can be replaced. */
static void crashing_firmware(void)
{
    watch_the_copy();
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQUAL(starts_whole(), 2);
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQUAL(starts_whole(), 2);
        CHECK(board.boot.reason == (i == 0 ? TANDEM_BOOT_KEPT : TANDEM_BOOT_CONFIRMED));
        struct tandem_bank bank;
        CHECK_EQUAL(tandem_bank_open(&bank, &board.device), TANDEM_OK);
        CHECK_EQUAL(bank.state.outcome.status, TANDEM_ERROR_TRIAL); /* the bootloader sees it, and listens first */
    }
    CHECK_EQUAL(application_wear(), 4);
    takes_an_update();
}

/* ---- sizes ---- */

/* What does not fit where it runs is refused before the transfer, though the store would hold it. */
static void oversize(void)
{
    static const uint32_t sizes[] = {APPLICATION_SIZE + 1, 448 * 1024 + 1, STORE_SIZE, STORE_SIZE + 1, 0x80000};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct package large = board_package(9, sizes[i]);
        board_close(&board);
        board_open(&board);
        board_factory(&board, &old);
        CHECK_EQUAL(starts_whole(), 1);
        uint32_t erases = board.model.erases;
        CHECK_EQUAL(board_receive(&board, &large, 1, 0), TANDEM_STATE_FAILED);
        const struct tandem_outcome *outcome = tandem_install_outcome(&board.install);
        CHECK_EQUAL(outcome->status, TANDEM_ERROR_TOO_LARGE);
        CHECK_EQUAL(outcome->detail, APPLICATION_SIZE);
        CHECK_EQUAL(board.model.erases, erases);
        CHECK_EQUAL(starts_whole(), 1);
        takes_an_update();
        package_free(&large);
    }
}

/* The largest that fits, to its last byte; and the smallest. */
static void extreme_sizes(void)
{
    static const uint32_t sizes[] = {APPLICATION_SIZE, APPLICATION_SIZE - 1, 1};
    for (unsigned i = 0; i < 3; i++) {
        struct package extreme = board_package(2, sizes[i]);
        board_close(&board);
        board_open(&board);
        board_factory(&board, &old);
        CHECK_EQUAL(starts_whole(), 1);
        CHECK_EQUAL(board_receive(&board, &extreme, 1, 0), TANDEM_STATE_PENDING);
        CHECK_EQUAL(board_start(&board), TANDEM_OK);
        CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_TRIAL);
        CHECK(board_holds(&board, &extreme));
        CHECK_EQUAL(board.boot.images[0].size, sizes[i]);
        CHECK_EQUAL(board_confirm(&board), TANDEM_OK);
        takes_an_update();
        package_free(&extreme);
    }
}

/* ---- starting ---- */

/* What may be started on this chip, as the example's bootloader asks for it. */
static void start_conditions(void)
{
    static const struct tandem_cortex_m_rules ram = {RAM_ADDRESS, RAM_ADDRESS + RAM_SIZE, 4 * VECTORS};
    static const struct tandem_cortex_m_rules ccm = {CCM_ADDRESS, CCM_ADDRESS + CCM_SIZE, 4 * VECTORS};
    static const struct {
        uint32_t stack, reset;
        enum tandem_cortex_m_start in_ram, in_ccm;
    } cases[] = {
        {0x20020000, 0x08010189, TANDEM_CORTEX_M_STARTABLE, TANDEM_CORTEX_M_STACK}, /* the end of RAM */
        {0x20005000, 0x08010189, TANDEM_CORTEX_M_STARTABLE, TANDEM_CORTEX_M_STACK},
        {0x10010000, 0x08010189, TANDEM_CORTEX_M_STACK, TANDEM_CORTEX_M_STARTABLE},
        {0x20000000, 0x08010189, TANDEM_CORTEX_M_STACK, TANDEM_CORTEX_M_STACK},
        {0x20020008, 0x08010189, TANDEM_CORTEX_M_STACK, TANDEM_CORTEX_M_STACK},
        {0xFFFFFFFF, 0xFFFFFFFF, TANDEM_CORTEX_M_STACK, TANDEM_CORTEX_M_STACK}, /* erased */
        {0x20005000, 0xFFFFFFFF, TANDEM_CORTEX_M_ENTRY, TANDEM_CORTEX_M_STACK}, /* half-written */
        {0x20005000, 0x08010188, TANDEM_CORTEX_M_THUMB, TANDEM_CORTEX_M_STACK},
        {0x20005000, 0x08000189, TANDEM_CORTEX_M_ENTRY, TANDEM_CORTEX_M_STACK}, /* linked for the chip's begin */
        {0x20005000, 0x08080189, TANDEM_CORTEX_M_ENTRY, TANDEM_CORTEX_M_STACK}, /* and for the store */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t vectors[2] = {cases[i].stack, cases[i].reset};
        CHECK_EQUAL(tandem_cortex_m_check(&ram, vectors, APPLICATION_ADDRESS, 0x1000, 0), cases[i].in_ram);
        CHECK_EQUAL(tandem_cortex_m_check(&ccm, vectors, APPLICATION_ADDRESS, 0x1000, 0), cases[i].in_ccm);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        stride = (unsigned)atoi(argv[1]);
    REQUIRE(stride != 0);
    old = board_package(1, OLD_SIZE);
    new = board_package(2, NEW_SIZE);
    small = board_package(3, SMALL_SIZE);
    RUN(cut_transfer);
    board_open(&pending);
    board_factory(&pending, &old);
    REQUIRE(board_start(&pending) == TANDEM_OK);
    REQUIRE(board_receive(&pending, &new, 1, 0) == TANDEM_STATE_PENDING);
    RUN(cut_flag);
    RUN(cut_copy);
    RUN(cut_for_ever);
    RUN(copied_once);
    RUN(watchdog_is_fed);
    RUN(failing_copy);
    RUN(failing_copy_and_cut);
    RUN(worn_cell);
    RUN(damaged_store);
    RUN(damaged_store_in_the_copy);
    RUN(damaged_parameters);
    RUN(foreign_parameters);
    RUN(nothing_to_run);
    RUN(crashing_firmware);
    RUN(oversize);
    RUN(extreme_sizes);
    RUN(start_conditions);
    board_close(&board);
    board_close(&pending);
    package_free(&old);
    package_free(&new);
    package_free(&small);
    return check_report();
}
