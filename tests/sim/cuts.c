/*
 * Power cuts, all of them. A board lives through updates, good and bad; at
 * every flash operation of that life the power fails, in every way that flash
 * can tear, and what is left must start the old or the new firmware, whole,
 * go on with the transfer, and take a fresh update. In the recovery power may
 * fail again.
 *
 * A failure prints an id; `sim_cuts --replay ID` does it again.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "life.h"
#include "tandem/bare.h"

#define LEVELS 3
#define RELEASES 15
#define SEEN_BITS 21
#define FAILURES_SHOWN 20

/* One step of a scenario. */
enum step_kind { STEP_END, STEP_UPDATE, STEP_AUTO, STEP_ERASE, STEP_ABORT, STEP_SEEN, STEP_BARE };

struct step {
    enum step_kind kind;
    unsigned release; /* index into `plans` */
};

struct scenario {
    const char *name;
    struct step steps[12];
};

/* Releases: 0 is what the factory ships, the last is the fresh one that must always go in. */
static const struct sim_release_spec plans[RELEASES] = {
    {.number = 1, .counter = 1},
    {.number = 2, .counter = 2},
    {.number = 3, .counter = 2},
    {.number = 4, .counter = 4, .bad = 1},
    {.number = 5, .counter = 5, .kinds = 1},
    {.number = 6, .counter = 6, .kinds = 2},
    {.number = 9, .counter = 9},
    {.number = 8, .counter = 8, .kinds = 1, .bad = 1},
    {.number = 7, .counter = 7, .bad_loader = 1},
    {.number = 10, .counter = 10, .kinds = 1},
    {.number = 11, .counter = 11, .bad_loader = 2},
    {.number = 12, .counter = 12, .kinds = 2},
    {.number = 2, .counter = 1},
    {.number = 3, .counter = 1, .kinds = 1},
    {.number = 99, .counter = 99},
};
#define FRESH (RELEASES - 1)

static const struct scenario scenarios[] = {
    {"life", {{STEP_UPDATE, 1}, {STEP_SEEN, 0}, {STEP_AUTO, 2}, {STEP_UPDATE, 3}, {STEP_ERASE, 0}, {STEP_AUTO, 6}}},
    {"parts", {{STEP_AUTO, 4}, {STEP_UPDATE, 5}, {STEP_UPDATE, 7}, {STEP_AUTO, 6}}},
    {"abort", {{STEP_ABORT, 1}, {STEP_UPDATE, 1}, {STEP_ABORT, 2}, {STEP_AUTO, 6}}},
    {"loader",
     {{STEP_UPDATE, 1}, {STEP_AUTO, 8}, {STEP_UPDATE, 9}, {STEP_AUTO, 10}, {STEP_SEEN, 0}, {STEP_UPDATE, 11}}},
    {"bare", {{STEP_BARE, 12}, {STEP_BARE, 13}, {STEP_AUTO, 4}, {STEP_AUTO, 6}}},
    {NULL, {{STEP_END, 0}}},
};

struct campaign;

/* A board at some depth: 0 lives, 1 was cut once, 2 twice. */
struct run {
    struct sim_life life;
    struct campaign *campaign;
    unsigned level;
    uint64_t k;         /* the operation of the level above that was cut */
    enum sim_tear tear; /* and how */
    int recovering;     /* between a cut and the board's being well again */
    uint64_t ops;       /* candidates seen */
};

struct campaign {
    const struct sim_layout *layout;
    const struct scenario *scenario;
    struct sim_release releases[RELEASES];
    struct run runs[LEVELS];
    const char *plant;
    uint64_t seed;
    int asynchronous;
    unsigned depth;         /* levels of cuts: 1 or 2 */
    unsigned stride;        /* inside a long program call: one unit in so many */
    unsigned pair_stride;   /* second cuts: one in so many */
    unsigned slice, slices; /* which part of the first cuts */
    int everywhere;         /* second cuts also in the updates after the recovery */
    uint64_t replay_k[2];   /* 0: all */
    enum sim_tear replay_tear[2];
    uint64_t *seen; /* states judged before: a hash set */
    uint64_t cuts[2], pruned, failures, worst_resent;
};

static void name_case(const struct campaign *campaign, const struct run *run, char *name, size_t size)
{
    const struct run *first = &campaign->runs[1];
    char more[48] = "", tears[48];

    if (run->level == 0) {
        snprintf(name, size, "sim_cuts:%s%s:%s:0:none:%llu", campaign->layout->name,
                 campaign->asynchronous ? "+async" : "", campaign->scenario->name, (unsigned long long)campaign->seed);
        return;
    }
    snprintf(tears, sizeof tears, "%s", sim_tear_text(first->tear));
    if (run->level == 2) {
        snprintf(more, sizeof more, "/%llu", (unsigned long long)run->k);
        snprintf(tears, sizeof tears, "%s/%s", sim_tear_text(first->tear), sim_tear_text(run->tear));
    }
    snprintf(name, size, "sim_cuts:%s%s:%s:%llu%s:%s:%llu", campaign->layout->name,
             campaign->asynchronous ? "+async" : "", campaign->scenario->name, (unsigned long long)first->k, more,
             tears, (unsigned long long)campaign->seed);
}

static void on_fail(struct sim_life *life, const char *text)
{
    struct run *run = life->ctx;
    struct campaign *campaign = run->campaign;
    char name[160];

    campaign->failures++;
    if (campaign->failures > FAILURES_SHOWN)
        return;
    name_case(campaign, run, name, sizeof name);
    printf("FAILED %s: %s\n", name, text);
    fflush(stdout);
}

/* ---- what was judged before ---- */

/* @return 1 if the number is new */
static int remember(struct campaign *campaign, uint64_t number)
{
    uint64_t mask = (1u << SEEN_BITS) - 1;
    uint64_t place = number & mask;

    if (number == 0)
        number = 1;
    for (unsigned tries = 0; tries < 64; tries++, place = (place + 1) & mask) {
        if (campaign->seen[place] == number)
            return 0;
        if (campaign->seen[place] == 0) {
            campaign->seen[place] = number;
            return 1;
        }
    }
    return 1; /* full thereabouts: judge it again */
}

static uint64_t situation(const struct run *run, int resume)
{
    const struct sim_expect *expect = &run->life.expect;
    uint64_t hash = sim_board_hash(&run->life.board, (uint64_t)resume);

    hash = sim_mix(hash, expect->old.head->spec.number);
    for (unsigned slot = 0; slot < SIM_SLOTS; slot++)
        hash = sim_mix(hash, expect->old.from[slot] ? expect->old.from[slot]->spec.number : 0);
    hash = sim_mix(hash, expect->new.head ? expect->new.head->spec.number : 0);
    hash = sim_mix(hash, (uint64_t)expect->may_new << 8 | (uint64_t)(expect->transfer != NULL) << 9);
    return sim_mix(hash, expect->ceiling ^ (uint64_t)expect->reached << 32);
}

/* ---- after a cut ---- */

/* Go on with the transfer that was cut; it costs little. */
static int resume(struct run *run)
{
    struct sim_life *life = &run->life;
    const struct sim_release *release = life->expect.transfer;
    uint32_t before = life->expect.reached;
    enum tandem_status status = sim_life_begin(life, release, 0);
    uint32_t first = life->expect.reached;
    char text[100];

    if (status == TANDEM_OK && before > first) {
        uint64_t resent = before - first;

        if (resent > run->campaign->worst_resent)
            run->campaign->worst_resent = resent;
        if (resent > (uint64_t)run->level * sim_life_resume_bound(life, first)) { /* each cut may cost so much */
            snprintf(text, sizeof text, "resumes at %u, was at %u: more than a block and a sector again",
                     (unsigned)first, (unsigned)before);
            on_fail(life, text);
            return 0;
        }
    }
    if (status == TANDEM_OK)
        status = sim_life_receive(life, 0);
    if (status != TANDEM_OK) {
        snprintf(text, sizeof text, "the transfer does not go on: status 0x%02x", (unsigned)status);
        on_fail(life, text);
        return 0;
    }
    return sim_life_finish(life);
}

static void recover(struct run *run, int by_resume)
{
    struct campaign *campaign = run->campaign;
    struct sim_life *life = &run->life;

    run->recovering = 1;
    if (!sim_life_start(life) || !sim_life_leave_trial(life))
        return;
    if (by_resume && life->expect.transfer && !life->expect.may_new && !resume(run))
        return;
    run->recovering = campaign->everywhere;
    sim_life_update(life, &campaign->releases[FRESH], 1);
}

static void on_op(void *ctx, const struct sim_op *op);

/* Power fails in `op`, like this: look at what becomes of the board. */
static void judge(struct run *run, const struct sim_op *op, enum sim_tear tear, int by_resume)
{
    struct campaign *campaign = run->campaign;
    struct run *lab = &campaign->runs[run->level + 1];
    struct sim_board *board = &lab->life.board;
    struct sim_rng rng = {sim_mix(campaign->seed, op->number * SIM_TEARS + tear)};
    ptrdiff_t chip = op->flash - run->life.board.chips;

    lab->k = op->number;
    lab->tear = tear;
    lab->ops = 0;
    lab->life.expect = run->life.expect;
    lab->life.trial = 0;
    lab->life.steady = 0;
    sim_board_copy(board, &run->life.board);
    sim_flash_tear(&board->chips[chip], op, tear, &rng);
    if (!remember(campaign, situation(lab, by_resume))) {
        campaign->pruned++;
        return;
    }
    campaign->cuts[run->level]++;
    if (campaign->replay_k[run->level])
        printf("power fails in operation %llu, %s, %s of 0x%x (unit %u of %u)\n", (unsigned long long)op->number,
               sim_tear_text(tear), op->kind == SIM_OP_ERASE ? "erase" : "program", (unsigned)op->address,
               (unsigned)op->index + 1, (unsigned)op->count);
    sim_power_init(&board->power, sim_random(&rng));
    if (lab->level < campaign->depth) {
        board->power.hook = on_op;
        board->power.hook_ctx = lab;
    }
    recover(lab, by_resume);
}

static int tear_applies(const struct sim_op *op, enum sim_tear tear)
{
    if (op->kind == SIM_OP_ERASE)
        return 1;
    if (tear == SIM_TEAR_SCATTER)
        return op->index == 0 && op->count > 1;
    return tear != SIM_TEAR_AFTER || op->index + 1 == op->count;
}

/* Whether this operation is cut: all are but for the inside of long calls, which a stride may thin out. */
static int chosen(struct run *run, const struct sim_op *op)
{
    const struct campaign *campaign = run->campaign;
    unsigned level = run->level;

    if (campaign->replay_k[level])
        return op->number == campaign->replay_k[level];
    if (level > 0 && campaign->replay_k[0])
        return 0;
    if (op->index >= 2 && op->index + 2 < op->count && sim_mix(campaign->seed, op->number) % campaign->stride)
        return 0;
    run->ops++;
    if (level == 0)
        return run->ops % campaign->slices == campaign->slice;
    return sim_mix(campaign->seed + run->k, op->number) % campaign->pair_stride == 0;
}

static void on_op(void *ctx, const struct sim_op *op)
{
    struct run *run = ctx;
    struct campaign *campaign = run->campaign;

    if ((run->level > 0 && !run->recovering) || !chosen(run, op))
        return;
    for (unsigned tear = 0; tear < SIM_TEARS; tear++) {
        if (!tear_applies(op, (enum sim_tear)tear))
            continue;
        if (campaign->replay_k[run->level] && campaign->replay_tear[run->level] != (enum sim_tear)tear)
            continue;
        /* After a second cut one way is enough to go on; after a first, both. */
        judge(run, op, (enum sim_tear)tear, 1);
        if (run->level == 0 && run->life.expect.transfer && !run->life.expect.may_new)
            judge(run, op, (enum sim_tear)tear, 0);
    }
}

/* ---- the life that is cut ---- */

static int erase_idle(struct sim_life *life)
{
    struct sim_board *board = &life->board;
    enum tandem_status status =
        tandem_install_init(&board->install, &board->device, board->buffer, board->layout->buffer_size);

    for (unsigned i = 0; i < 100000 && status == TANDEM_OK; i++) {
        status = tandem_install_erase_idle(&board->install);
        sim_board_settle(board);
        board->clock_us += 1000;
        if (status == TANDEM_OK)
            return 1;
        if (status == TANDEM_AGAIN)
            status = TANDEM_OK;
    }
    life->fail(life, "cannot erase the free bank");
    return 0;
}

static int abort_half_way(struct sim_life *life, const struct sim_release *release)
{
    struct sim_board *board = &life->board;
    enum tandem_status status = sim_life_begin(life, release, 0);

    for (unsigned i = 0; i < 100000 && status == TANDEM_OK; i++) {
        uint32_t wants = tandem_install_wants(&board->install);

        if (wants > life->expect.reached)
            life->expect.reached = wants;
        if (wants > release->size / 2)
            break;
        tandem_install_feed(&board->install, wants, release->bytes + wants, 64);
        while (sim_board_poll(board) == TANDEM_AGAIN)
            ;
    }
    if (status == TANDEM_OK)
        status = tandem_install_abort(&board->install);
    sim_board_settle(board);
    if (status != TANDEM_OK) {
        life->fail(life, "cannot abort");
        return 0;
    }
    return sim_life_start(life);
}

static int outcome_seen(struct sim_life *life)
{
    if (tandem_bank_outcome_seen(&life->board.install.bank) == TANDEM_OK)
        return 1;
    life->fail(life, "cannot note that the outcome was seen");
    return 0;
}

/* Send a release's images one by one, without its package; half of the first one is sent twice. */
static enum tandem_status send_bare(struct sim_life *life, const struct sim_release *release)
{
    struct sim_board *board = &life->board;
    uint8_t bank = tandem_bank_free(&board->install.bank);
    struct tandem_bare bare;
    enum tandem_status status = TANDEM_OK;

    tandem_bare_init(&bare, &board->install);
    for (unsigned slot = 0; slot < board->layout->slot_count && status == TANDEM_OK; slot++) {
        struct tandem_bare_image image = {.kind = board->layout->slots[slot].kind, .version = release->version};
        int half = slot == 0;

        if (!(release->kinds >> slot & 1) || sim_layout_is_loader(board->layout, slot))
            continue;
        image.variant = board->layout->linked >> slot & 1 ? bank : TANDEM_VARIANT_ANY;
        image.size = release->sizes[slot];
        status = tandem_bare_begin(&bare, &image);
        for (unsigned polls = 0; polls < 100000 && (status == TANDEM_OK || status == TANDEM_AGAIN); polls++) {
            uint32_t wants = tandem_bare_wants(&bare), limit = tandem_bare_limit(&bare);

            if (half && wants > image.size / 2)
                half = tandem_bare_back(&bare, 0) != TANDEM_OK;
            else if (wants < limit)
                tandem_bare_feed(&bare, wants, release->images[slot][bank] + wants, limit - wants);
            tandem_bare_poll(&bare);
            sim_board_settle(board);
            board->clock_us += 1000;
            status = tandem_bare_wants(&bare) == image.size ? tandem_bare_end(&bare) : TANDEM_AGAIN;
            if (status == TANDEM_OK)
                break;
        }
    }
    while (status == TANDEM_OK && (status = tandem_bare_finish(&bare)) == TANDEM_AGAIN) {
        tandem_bare_poll(&bare);
        board->clock_us += 1000;
        status = TANDEM_OK;
    }
    return status;
}

static int update_bare(struct sim_life *life, const struct sim_release *release)
{
    struct sim_board *board = &life->board;
    struct sim_set base = life->expect.old;
    enum tandem_status status =
        tandem_install_init(&board->install, &board->device, board->buffer, board->layout->buffer_size);

    sim_set_apply(&life->expect.new, &base, release);
    life->expect.may_new = 0;
    if (status == TANDEM_OK)
        status = send_bare(life, release);
    for (unsigned i = 0; i < 100000 && status == TANDEM_OK; i++)
        if (sim_board_poll(board) == TANDEM_OK && tandem_install_state(&board->install) == TANDEM_STATE_VALIDATED)
            break;
    if (status != TANDEM_OK) {
        life->fail(life, "bare images are refused");
        return 0;
    }
    life->expect.transfer = release;
    return sim_life_finish(life);
}

static void live(struct campaign *campaign)
{
    struct run *run = &campaign->runs[0];
    struct sim_life *life = &run->life;
    int well;

    sim_life_factory(life, &campaign->releases[0]);
    life->board.power.hook = on_op;
    life->board.power.hook_ctx = run;
    life->steady = 1;
    well = sim_life_start(life);
    for (const struct step *step = campaign->scenario->steps; well && step->kind != STEP_END; step++) {
        const struct sim_release *release = &campaign->releases[step->release];

        switch (step->kind) {
        case STEP_UPDATE:
        case STEP_AUTO:
            well = sim_life_update(life, release, step->kind == STEP_AUTO);
            break;
        case STEP_BARE:
            well = update_bare(life, release);
            break;
        case STEP_ERASE:
            well = erase_idle(life);
            break;
        case STEP_ABORT:
            well = abort_half_way(life, release);
            break;
        default:
            well = outcome_seen(life);
            break;
        }
    }
}

/* ---- campaigns ---- */

static void open_campaign(struct campaign *campaign)
{
    uint64_t capacity = (uint64_t)1 << SEEN_BITS;

    campaign->seen = calloc(capacity, sizeof *campaign->seen);
    for (unsigned i = 0; i < RELEASES; i++) {
        struct sim_release_spec spec = plans[i];

        spec.kinds &= (1u << campaign->layout->slot_count) - 1; /* a single slot: the image that there is */
        sim_release_make(&campaign->releases[i], campaign->layout, &spec);
    }
    for (unsigned level = 0; level < LEVELS; level++) {
        struct run *run = &campaign->runs[level];

        memset(run, 0, sizeof *run);
        run->campaign = campaign;
        run->level = level;
        run->life.plant = campaign->plant;
        run->life.fail = on_fail;
        run->life.ctx = run;
        sim_board_init(&run->life.board, campaign->layout, campaign->asynchronous, campaign->seed, NULL);
        run->life.board.device.allow_unsigned = strcmp(campaign->scenario->name, "bare") == 0;
    }
}

static void close_campaign(struct campaign *campaign)
{
    for (unsigned i = 0; i < RELEASES; i++)
        sim_release_free(&campaign->releases[i]);
    for (unsigned level = 0; level < LEVELS; level++)
        sim_board_free(&campaign->runs[level].life.board);
    free(campaign->seen);
}

static void run_campaign(struct campaign *campaign)
{
    open_campaign(campaign);
    campaign->cuts[0] = campaign->cuts[1] = campaign->pruned = 0;
    live(campaign);
    printf("%-9s %-5s %-6s slice %u/%u seed %llu: %llu operations, %llu cuts, %llu second cuts, %llu seen before, "
           "%llu bytes resent at most\n",
           campaign->layout->name, campaign->asynchronous ? "async" : "sync", campaign->scenario->name, campaign->slice,
           campaign->slices, (unsigned long long)campaign->seed,
           (unsigned long long)campaign->runs[0].life.board.power.ops, (unsigned long long)campaign->cuts[0],
           (unsigned long long)campaign->cuts[1], (unsigned long long)campaign->pruned,
           (unsigned long long)campaign->worst_resent);
    fflush(stdout);
    close_campaign(campaign);
}

/* Take an id apart: sim_cuts:LAYOUT[+async]:SCENARIO:K[/K]:TEAR[/TEAR]:SEED. @return 1 if it is one */
static int parse_id(struct campaign *campaign, char *id)
{
    char *parts[6];
    char *second;
    unsigned count = 0;

    for (char *part = strtok(id, ":"); part && count < 6; part = strtok(NULL, ":"))
        parts[count++] = part;
    if (count != 6 || strcmp(parts[0], "sim_cuts") != 0)
        return 0;
    second = strchr(parts[1], '+');
    campaign->asynchronous = second != NULL;
    if (second)
        *second = 0;
    campaign->layout = sim_layout_named(parts[1]);
    for (campaign->scenario = scenarios; campaign->scenario->name; campaign->scenario++)
        if (strcmp(campaign->scenario->name, parts[2]) == 0)
            break;
    campaign->seed = strtoull(parts[5], NULL, 10);
    campaign->replay_k[0] = strtoull(parts[3], &second, 10);
    campaign->depth = 1;
    if (*second == '/') {
        campaign->replay_k[1] = strtoull(second + 1, NULL, 10);
        campaign->depth = 2;
        campaign->everywhere = 1;
    }
    second = strchr(parts[4], '/');
    if (second) {
        *second = 0;
        campaign->replay_tear[1] = sim_tear_named(second + 1);
    }
    campaign->replay_tear[0] = sim_tear_named(parts[4]);
    if (campaign->replay_k[0] == 0)
        campaign->replay_k[0] = UINT64_MAX; /* the life itself failed: live it, cut nothing */
    return campaign->layout && campaign->scenario->name;
}

static int usage(void)
{
    printf(
        "usage: sim_cuts [--layout NAME] [--scenario NAME] [--seed N] [--slice I/N] [--stride N]\n"
        "                [--pairs N] [--everywhere] [--sync | --async] [--plant FAULT] [--list] [--replay ID]\n"
        "  --stride N      inside long program calls cut one unit in N (1: all; default 1)\n"
        "  --pairs N       cut once more during the recovery, at one operation in N\n"
        "  --everywhere    second cuts also during the fresh update that follows the recovery\n"
        "  --plant FAULT   break something on purpose: amnesia, other-bank, one-bit, no-resume, no-note, gullible\n");
    return 2;
}

static int list(void)
{
    const struct sim_layout *layout;

    for (unsigned i = 0; (layout = sim_layout_at(i)) != NULL; i++)
        printf("layout %s\n", layout->name);
    for (const struct scenario *scenario = scenarios; scenario->name; scenario++)
        printf("scenario %s\n", scenario->name);
    return 0;
}

struct options {
    const char *layout;
    const char *scenario;
    int modes; /* bit 0: sync, bit 1: async */
};

static int parse_options(struct campaign *campaign, struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--sync") == 0)
            options->modes = 1;
        else if (strcmp(argv[i], "--async") == 0)
            options->modes = 2;
        else if (strcmp(argv[i], "--everywhere") == 0)
            campaign->everywhere = 1;
        else if (strcmp(argv[i], "--list") == 0)
            exit(list());
        else if (!value)
            return 0;
        else if (strcmp(argv[i], "--layout") == 0)
            options->layout = argv[++i];
        else if (strcmp(argv[i], "--scenario") == 0)
            options->scenario = argv[++i];
        else if (strcmp(argv[i], "--seed") == 0)
            campaign->seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--stride") == 0)
            campaign->stride = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--pairs") == 0)
            campaign->pair_stride = (unsigned)strtoul(argv[++i], NULL, 10), campaign->depth = 2;
        else if (strcmp(argv[i], "--plant") == 0)
            campaign->plant = argv[++i];
        else if (strcmp(argv[i], "--slice") == 0 &&
                 sscanf(argv[++i], "%u/%u", &campaign->slice, &campaign->slices) == 2)
            continue;
        else
            return 0;
    }
    return campaign->stride && campaign->pair_stride && campaign->slices && campaign->slice < campaign->slices;
}

static int has_loader(const struct sim_layout *layout)
{
    for (unsigned slot = 0; slot < layout->slot_count; slot++)
        if (sim_layout_is_loader(layout, slot))
            return 1;
    return 0;
}

static int wanted(const struct options *options, const struct sim_layout *layout, const struct scenario *scenario)
{
    if (options->scenario && strcmp(options->scenario, scenario->name) != 0)
        return 0;
    if (!options->scenario && strcmp(scenario->name, "parts") == 0 && layout->slot_count < 2)
        return 0;
    if (strcmp(scenario->name, "loader") == 0 && !has_loader(layout))
        return 0;
    if (strcmp(scenario->name, "bare") == 0 && (!options->scenario || has_loader(layout)))
        return 0; /* on demand; and where bootloaders come too, sets are told apart by their heads */
    if (options->layout)
        return strcmp(options->layout, layout->name) == 0;
    return strcmp(layout->name, "earbud") != 0; /* large: only on demand */
}

int main(int argc, char **argv)
{
    static struct campaign campaign;
    struct options options = {NULL, NULL, 3};
    const struct sim_layout *layout;
    unsigned campaigns = 0;

    campaign.seed = 1;
    campaign.depth = campaign.stride = campaign.pair_stride = campaign.slices = 1;
    campaign.plant = "";
    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        if (!parse_id(&campaign, argv[2]))
            return usage();
        run_campaign(&campaign);
        return campaign.failures != 0;
    }
    if (!parse_options(&campaign, &options, argc, argv))
        return usage();
    for (unsigned i = 0; (layout = sim_layout_at(i)) != NULL; i++)
        for (const struct scenario *scenario = scenarios; scenario->name; scenario++)
            for (campaign.asynchronous = 0; campaign.asynchronous < 2; campaign.asynchronous++) {
                if (!wanted(&options, layout, scenario) || !(options.modes >> campaign.asynchronous & 1))
                    continue;
                campaign.layout = layout;
                campaign.scenario = scenario;
                run_campaign(&campaign);
                campaigns++;
            }
    printf("%u campaigns, %llu failures\n", campaigns, (unsigned long long)campaign.failures);
    return campaign.failures != 0 || campaigns == 0;
}
