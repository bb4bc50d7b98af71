/*
 * Flash that fails without losing power: an operation that answers an error,
 * once or a few times, and cells that no longer take a value. An update may
 * end in a refusal; the firmware that runs is the old or the new one, whole,
 * and when the flash is well again a fresh update goes in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

struct campaign {
    const struct sim_layout *layout;
    int asynchronous;
    struct sim_release old, new, fresh;
    struct sim_set old_set, new_set, fresh_set;
    struct sim_board board;
    const char *plant;
    uint64_t seed, cases, failures, refused;
};

static void complain(struct campaign *campaign, const char *kind, uint64_t at, unsigned count, const char *text)
{
    if (campaign->failures++ < 20)
        printf("FAILED sim_faults:%s%s:%s:%llu:%u:%llu: %s\n", campaign->layout->name,
               campaign->asynchronous ? "+async" : "", kind, (unsigned long long)at, count,
               (unsigned long long)campaign->seed, text);
}

static void open_board(struct campaign *campaign)
{
    sim_board_init(&campaign->board, campaign->layout, campaign->asynchronous, campaign->seed, NULL);
    sim_board_factory(&campaign->board, &campaign->old);
}

/* After the fault: what runs, and does a fresh update go in? `lost`: nothing can be expected to run. */
static void check(struct campaign *campaign, const char *kind, uint64_t at, unsigned count, enum tandem_status status,
                  int lost)
{
    struct sim_board *board = &campaign->board;

    campaign->cases++;
    campaign->refused += status != TANDEM_OK;
    board->power.fail_count = 0;
    if (board->chips[0].stuck)
        memset(board->chips[0].stuck, 0, board->chips[0].size);
    if (sim_board_start(board) != TANDEM_OK) {
        if (!lost)
            complain(campaign, kind, at, count, "starts nothing");
    } else if (!sim_board_holds(board, board->boot.bank, &campaign->old_set) &&
               !sim_board_holds(board, board->boot.bank, &campaign->new_set)) {
        complain(campaign, kind, at, count, "starts what is neither the old nor the new firmware, whole");
    } else if (status == TANDEM_OK && !sim_board_holds(board, board->boot.bank, &campaign->new_set)) {
        complain(campaign, kind, at, count, "says that it is confirmed, and it does not run");
    }
    if (strcmp(campaign->plant, "lazy") == 0) /* the fault is still there */
        board->power.fail_count = UINT64_MAX;
    if (sim_board_update(board, &campaign->fresh) != TANDEM_OK || sim_board_start(board) != TANDEM_OK ||
        !sim_board_holds(board, board->boot.bank, &campaign->fresh_set))
        complain(campaign, kind, at, count, "a fresh update does not go in");
    if (sim_board_violations(board)) {
        sim_board_complain(board);
        complain(campaign, kind, at, count, "breaks a rule of flash");
    }
}

/* One update in which operation `at` and the next ones fail. @return operations that it took */
static uint64_t fail_operations(struct campaign *campaign, uint64_t at, unsigned count)
{
    struct sim_board *board = &campaign->board;
    enum tandem_status status;
    uint64_t ops;

    open_board(campaign);
    board->power.fail_at = at;
    board->power.fail_count = count;
    status = sim_board_start(board);
    if (status == TANDEM_OK)
        status = sim_board_update(board, &campaign->new);
    ops = board->power.ops;
    check(campaign, "fail", at, count, status, 0);
    sim_board_free(board);
    return ops;
}

/* One update onto flash with a byte that takes no value. */
static void stick(struct campaign *campaign, uint32_t address)
{
    struct sim_board *board = &campaign->board;
    enum tandem_status status;

    open_board(campaign);
    sim_flash_stick(&board->chips[0], address, 0xFF);
    status = sim_board_start(board);
    if (status == TANDEM_OK)
        status = sim_board_update(board, &campaign->new);
    /* Where images of both banks have to run, such a cell damages both. */
    check(campaign, "stuck", address, 0, status, sim_layout_moved_to(campaign->layout, 0, address));
    sim_board_free(board);
}

static void run(struct campaign *campaign, unsigned stride)
{
    uint64_t ops;

    sim_release_make(&campaign->old, campaign->layout, &(struct sim_release_spec){.number = 1, .counter = 1});
    sim_release_make(&campaign->new, campaign->layout, &(struct sim_release_spec){.number = 2, .counter = 2});
    sim_release_make(&campaign->fresh, campaign->layout, &(struct sim_release_spec){.number = 99, .counter = 99});
    sim_set_apply(&campaign->old_set, NULL, &campaign->old);
    sim_set_apply(&campaign->new_set, NULL, &campaign->new);
    sim_set_apply(&campaign->fresh_set, NULL, &campaign->fresh);
    ops = fail_operations(campaign, 0, 0);
    for (uint64_t at = 1; at <= ops; at += stride)
        for (unsigned count = 1; count <= 100; count *= 10)
            fail_operations(campaign, at, count);
    for (uint32_t i = 0; i < campaign->layout->chips[0].regions[0].sector_size * 24; i += 7 * stride)
        stick(campaign, campaign->layout->chips[0].regions[0].address + i);
    printf("%s %s: %llu faults, %llu updates refused, seed %llu\n", campaign->layout->name,
           campaign->asynchronous ? "async" : "sync", (unsigned long long)campaign->cases,
           (unsigned long long)campaign->refused, (unsigned long long)campaign->seed);
    campaign->cases = campaign->refused = 0;
    sim_release_free(&campaign->old);
    sim_release_free(&campaign->new);
    sim_release_free(&campaign->fresh);
}

int main(int argc, char **argv)
{
    static struct campaign campaign;
    const char *layout = "tiny";
    unsigned stride = 1;

    campaign.seed = 1;
    campaign.plant = "";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--layout") == 0)
            layout = argv[i + 1];
        else if (strcmp(argv[i], "--stride") == 0)
            stride = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            campaign.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            campaign.plant = argv[i + 1];
    }
    campaign.layout = sim_layout_named(layout);
    if (!campaign.layout || stride == 0) {
        printf("usage: sim_faults [--layout NAME] [--stride N] [--seed N] [--plant lazy]\n");
        return 2;
    }
    for (campaign.asynchronous = 0; campaign.asynchronous < 2; campaign.asynchronous++)
        run(&campaign, stride);
    return campaign.failures != 0;
}
