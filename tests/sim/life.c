/*
 * A board's life with a checker beside it: see life.h.
 */
#include "life.h"

#include <stdio.h>
#include <string.h>

#define PIECE 192 /* bytes fed at once when in step */
#define POLLS_MAX 400000
#define STARTS_MAX 10

static int planted(const struct sim_life *life, const char *name)
{
    return strcmp(life->plant, name) == 0;
}

static int failed(struct sim_life *life, const char *text)
{
    life->fail(life, text);
    return 0;
}

static int failed_with(struct sim_life *life, const char *text, enum tandem_status status)
{
    char line[120];

    snprintf(line, sizeof line, "%s: status 0x%02x", text, (unsigned)status);
    return failed(life, line);
}

void sim_life_factory(struct sim_life *life, const struct sim_release *release)
{
    sim_board_factory(&life->board, release);
    memset(&life->expect, 0, sizeof life->expect);
    sim_set_apply(&life->expect.old, NULL, release);
    life->expect.floor = life->expect.ceiling = release->spec.counter;
}

static void now_confirmed(struct sim_life *life)
{
    life->expect.old = life->expect.new;
    life->expect.new.head = NULL;
    life->expect.may_new = 0;
    life->expect.transfer = NULL;
    life->expect.floor = life->expect.ceiling = life->expect.old.head->spec.counter;
    life->trial = 0;
}

static void now_rejected(struct sim_life *life)
{
    life->expect.new.head = NULL;
    life->expect.may_new = 0;
    life->expect.transfer = NULL;
    life->expect.ceiling = life->expect.floor;
    life->trial = 0;
}

/* The new firmware did not confirm itself, but what was before is no more. */
static void now_kept(struct sim_life *life)
{
    life->expect.old = life->expect.new;
    now_rejected(life);
}

/* Whether the board started what it may, told by the flash and not by its word. */
static int check_start(struct sim_life *life)
{
    struct sim_board *board = &life->board;
    struct sim_expect *expect = &life->expect;
    struct tandem_bank_state state;
    int runs_new = expect->may_new && sim_board_holds(board, board->boot.bank, &expect->new);
    int runs_old = sim_board_holds(board, board->boot.bank, &expect->old);

    if (!runs_new && !runs_old)
        return failed(life, sim_board_holds(board, board->boot.bank, &expect->new)
                                ? "starts the new firmware before its activation"
                                : "starts what is neither the old nor the new firmware, whole");
    if (sim_board_violations(board)) {
        sim_board_complain(board);
        return failed(life, "breaks a rule of flash");
    }
    if (board->boot.reason == TANDEM_BOOT_REFUSED || board->boot.reason == TANDEM_BOOT_FALLBACK)
        return failed_with(life, "a firmware that was whole is no more", board->boot.status);
    if (sim_board_state(board, &state) != TANDEM_OK)
        return failed(life, "cannot read its state");
    if (state.counter < expect->floor && state.counter != 0)
        return failed(life, "the security counter went down");
    if (state.counter > expect->ceiling)
        return failed(life, "the security counter rose before the firmware was confirmed");
    if (state.counter == 0 && expect->floor != 0 && board->boot.reason != TANDEM_BOOT_FIRST)
        return failed(life, "the security counter was lost");
    life->trial = runs_new && state.phase == TANDEM_PHASE_TRIAL;
    if (runs_new && !life->trial && sim_layout_one_way(board->layout) && state.phase == TANDEM_PHASE_REJECTED)
        now_kept(life);
    else if (runs_new && !life->trial)
        now_confirmed(life);
    else if (runs_old && !runs_new && expect->may_new)
        now_rejected(life);
    return 1;
}

/* The last note of what an exchange does next is lost, with its twin, as if it had never been made. */
static void lose_note(struct sim_life *life)
{
    struct sim_board *board = &life->board;
    const struct sim_place *journal = &board->layout->journal;
    struct sim_power power = board->power;
    struct tandem_bank bank;

    board->power.hook = NULL;
    for (unsigned copy = 0; copy < 2; copy++)
        if (tandem_bank_open(&bank, &board->device) == TANDEM_OK && bank.state.phase >= TANDEM_PHASE_SWAPPING)
            sim_flash_flip(&board->chips[journal->chip],
                           sim_board_address(board, journal) + bank.journal.half * bank.journal.half_size +
                               bank.journal.newest[2] + 4,
                           0);
    board->power = power;
}

static void plant_before_start(struct sim_life *life)
{
    const struct sim_place *journal = &life->board.layout->journal;

    if (planted(life, "no-note"))
        lose_note(life);
    if (planted(life, "amnesia")) { /* forgets its journal */
        struct sim_op op = {0};

        for (uint32_t at = 0; at < journal->size; at += op.size) {
            op.kind = SIM_OP_ERASE;
            op.address = sim_board_address(&life->board, journal) + at;
            op.size = sim_flash_sector(&life->board.chips[journal->chip], op.address, &op.address);
            sim_flash_tear(&life->board.chips[journal->chip], &op, SIM_TEAR_AFTER, &life->board.power.rng);
        }
    }
}

/* Takes a new bootloader for good before it has proved itself. */
static void plant_gullible(struct sim_life *life)
{
    if (planted(life, "gullible")) {
        (void)tandem_loader_good(&life->board.device, 0);
        (void)tandem_loader_good(&life->board.device, 1);
    }
}

static void plant_after_start(struct sim_life *life)
{
    const struct sim_layout *layout = life->board.layout;
    const struct sim_slot_plan *last = &layout->slots[layout->slot_count - 1];
    const struct sim_place *place = sim_layout_runs(layout, layout->slot_count - 1u, life->board.boot.bank & 1);

    if (planted(life, "other-bank")) /* starts the bank that was not chosen */
        life->board.boot.bank ^= 1;
    if (planted(life, "one-bit") && life->starts % 16 == 15) /* verifies nothing */
        sim_flash_flip(&life->board.chips[place->chip], sim_board_address(&life->board, place) + last->image_size / 2,
                       3);
}

int sim_life_start(struct sim_life *life)
{
    enum tandem_status status;

    plant_before_start(life);
    plant_gullible(life);
    status = sim_board_start(&life->board);
    plant_after_start(life);
    life->starts++;
    if (status)
        return failed_with(life, "starts nothing", status);
    return check_start(life);
}

static enum tandem_status open_installer(struct sim_life *life)
{
    struct sim_board *board = &life->board;
    enum tandem_status status =
        tandem_install_init(&board->install, &board->device, board->buffer, board->layout->buffer_size);

    sim_board_settle(board);
    return status;
}

static int confirm(struct sim_life *life)
{
    struct sim_board *board = &life->board;
    enum tandem_status status;

    life->expect.ceiling = life->expect.new.head->spec.counter;
    status = tandem_install_confirm(&board->install);
    sim_board_settle(board);
    if (status)
        return failed_with(life, "cannot confirm", status);
    now_confirmed(life);
    return 1;
}

int sim_life_leave_trial(struct sim_life *life)
{
    for (unsigned starts = 0; life->trial; starts++) {
        enum tandem_status status = open_installer(life);
        int bad;

        if (status)
            return failed_with(life, "cannot open the installer", status);
        if (tandem_install_state(&life->board.install) != TANDEM_STATE_TRIAL)
            return failed(life, "is on trial and does not say so");
        sim_board_runs(&life->board, &bad);
        if (!bad)
            return confirm(life);
        if (starts == STARTS_MAX)
            return failed(life, "a trial that does not end");
        if (!sim_life_start(life))
            return 0;
    }
    return 1;
}

enum tandem_status sim_life_begin(struct sim_life *life, const struct sim_release *release, int activate)
{
    struct sim_expect *expect = &life->expect;
    enum tandem_status status = open_installer(life);
    struct sim_set base = expect->old;

    if (status)
        return status;
    sim_set_apply(&expect->new, &base, release);
    expect->may_new = 0;
    expect->transfer = release;
    expect->reached = 0;
    status = tandem_install_begin(&life->board.install, planted(life, "no-resume") ? NULL : release->id, release->size,
                                  activate ? 1 : 0);
    sim_board_settle(&life->board);
    expect->reached = tandem_install_wants(&life->board.install);
    return status;
}

static void feed_some(struct sim_life *life)
{
    const struct sim_release *release = life->expect.transfer;
    struct tandem_install *install = &life->board.install;
    uint32_t wants = tandem_install_wants(install);
    uint32_t limit = tandem_install_limit(install);

    if (wants > life->expect.reached)
        life->expect.reached = wants;
    if (limit > release->size)
        limit = release->size;
    if (life->steady && limit > wants + PIECE)
        limit = wants + PIECE;
    if (wants < limit)
        tandem_install_feed(install, wants, release->bytes + wants, limit - wants);
}

enum tandem_status sim_life_receive(struct sim_life *life, int activate)
{
    struct sim_board *board = &life->board;
    enum tandem_status status = TANDEM_OK;

    for (unsigned polls = 0; polls < POLLS_MAX; polls++) {
        enum tandem_state state = tandem_install_state(&board->install);

        if (state == TANDEM_STATE_FAILED)
            return tandem_install_outcome(&board->install)->status;
        if ((state == TANDEM_STATE_VALIDATED || state == TANDEM_STATE_PENDING) && status == TANDEM_OK && polls)
            return TANDEM_OK;
        if (state == TANDEM_STATE_IDLE || state == TANDEM_STATE_TRIAL || state == TANDEM_STATE_CONFIRMED)
            return TANDEM_ERROR_STATE;
        if (state == TANDEM_STATE_RECEIVING && (!life->steady || status == TANDEM_OK))
            feed_some(life);
        if (life->progress)
            life->progress(life);
        if (activate &&
            (state != TANDEM_STATE_RECEIVING || tandem_install_wants(&board->install) >= life->expect.transfer->size))
            life->expect.may_new = 1;
        status = sim_board_poll(board);
    }
    return TANDEM_ERROR_TIMEOUT;
}

/* After an update was confirmed: does the bootloader that came with it run, if it is good? */
static int check_loader(struct sim_life *life, const struct sim_release *release)
{
    struct sim_board *board = &life->board;
    struct tandem_bank_state state;

    for (unsigned slot = 0; slot < board->layout->slot_count; slot++) {
        if (!sim_layout_is_loader(board->layout, slot) || !(release->kinds >> slot & 1))
            continue;
        if (!release->spec.bad_loader)
            return board->loader == release->spec.number || failed(life, "the new bootloader does not run");
        if (board->loader == release->spec.number)
            return failed(life, "a bad bootloader runs");
        if (sim_board_state(board, &state) != TANDEM_OK || state.outcome.status != TANDEM_ERROR_REVERTED ||
            state.outcome.image != TANDEM_KIND_BOOTLOADER)
            return failed(life, "nobody hears that the new bootloader is bad");
    }
    return 1;
}

int sim_life_finish(struct sim_life *life)
{
    struct sim_board *board = &life->board;
    const struct sim_release *release = life->expect.transfer;
    int good = !release->spec.bad;
    enum tandem_status status;

    life->expect.may_new = 1;
    life->expect.transfer = NULL;
    status = tandem_install_activate(&board->install);
    sim_board_settle(board);
    if (status)
        return failed_with(life, "cannot activate", status);
    if (!sim_life_start(life))
        return 0;
    if (!life->trial)
        return failed(life, "does not try what was activated");
    if (!sim_life_leave_trial(life))
        return 0;
    if (good && !sim_life_start(life))
        return 0;
    return good ? check_loader(life, release) : 1;
}

int sim_life_update(struct sim_life *life, const struct sim_release *release, int activate)
{
    enum tandem_status status = sim_life_begin(life, release, activate);

    if (status)
        return failed_with(life, "a good update is refused", status);
    status = sim_life_receive(life, activate);
    if (status)
        return failed_with(life, "a good update fails", status);
    return sim_life_finish(life);
}

uint32_t sim_life_resume_bound(const struct sim_life *life, uint32_t first)
{
    const struct sim_layout *layout = life->board.layout;
    uint32_t sector = 0;
    uint32_t block = layout->block_size + (uint32_t)TANDEM_BLOCK_DIGEST_SIZE;
    struct tandem_package_header header;

    for (unsigned chip = 0; chip < layout->chip_count; chip++)
        for (unsigned i = 0; i < layout->chips[chip].region_count; i++)
            if (layout->chips[chip].regions[i].sector_size > sector)
                sector = layout->chips[chip].regions[i].sector_size;
    /* Package bytes that fill a sector: its data and the digests between. */
    sector += (sector / layout->block_size + 1) * TANDEM_BLOCK_DIGEST_SIZE;
    tandem_package_header(&header, life->expect.transfer->bytes);
    /* Without a checkpoint yet, the head comes again too. */
    return sector + block + PIECE + (first == 0 ? header.head_size : 0);
}
