/*
 * A pair of earbuds updated as one. Every kind of misfortune strikes either
 * bud, or the host, at every moment of the update; in the end both run the
 * old firmware or both the new one, and a host that comes later gets both to
 * the new one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors.h"

#define MEMBERS 2
#define MOMENTS 40

enum fault {
    FAULT_NONE,    /* nothing */
    FAULT_POWER,   /* power fails, and returns */
    FAULT_GONE,    /* out of range for good */
    FAULT_LINK,    /* the link drops once */
    FAULT_STRANGE, /* the member's hardware is another: it refuses from the start */
    FAULT_SECTOR,  /* its flash fails from here on: it refuses in the middle */
    FAULT_BATTERY, /* its battery runs low */
    FAULT_HOST,    /* the host dies */
    FAULT_CANCEL,  /* the user cancels */
    FAULTS
};

static const char *const fault_names[FAULTS] = {"none",   "power",   "gone", "link",  "strange",
                                                "sector", "battery", "host", "cancel"};

struct pair {
    struct sim_world world;
    struct sim_release old, new;
    struct sim_set old_set, new_set;
    struct sim_unit units[MEMBERS];
    struct sim_link links[2][MEMBERS];
    struct sim_host hosts[2];
    enum fault fault;
    unsigned member;
};

static unsigned failures, runs, on_old, on_new;
static const char *plant = "";

static void complain(const struct pair *pair, unsigned moment, int parallel, const char *text)
{
    failures++;
    printf("FAILED sim_group:%s:%u:%u:%d:%llu: %s\n", fault_names[pair->fault], pair->member, moment, parallel,
           (unsigned long long)pair->world.seed, text);
}

static void add_host(struct pair *pair, unsigned index, int parallel)
{
    static const struct sim_radio_spec radio = {.interval_us = 15000,
                                                .supervision_us = 1000000,
                                                .reconnect_us = 60000,
                                                .mtu = 247,
                                                .pdu = 251,
                                                .phy = 2,
                                                .host_queue = 16,
                                                .device_queue = 8,
                                                .device_receive = 16,
                                                .event_loss_ppm = 5000};
    struct tandem_update_options options = {.confirm_ms = 15000, .attempts = 6};
    struct tandem_group_options group = {.parallel = (uint16_t)(parallel ? 0 : 1)};
    struct sim_host *host = &pair->hosts[index];

    sim_host_init(host, &pair->world, &pair->new, MEMBERS);
    for (unsigned i = 0; i < MEMBERS; i++) {
        sim_radio_init(&pair->links[index][i], &pair->world, &radio, &host->cpu, &pair->units[i].cpu);
        sim_unit_attach(&pair->units[i], &pair->links[index][i]);
        sim_host_attach(host, i, &pair->links[index][i], &options);
    }
    host->stop = &pair->world.stop;
    host->grouped = 1;
    tandem_group_init(&host->group, host->updates, MEMBERS, &group);
}

static void open_pair(struct pair *pair, enum fault fault, unsigned member, int parallel, uint64_t seed)
{
    struct sim_unit_spec spec = {.boot_us = 100000, .confirm_us = 500000, .off_us = 300000, .step_us = 50};
    static struct sim_layout layout;

    memset(pair, 0, sizeof *pair);
    layout = *sim_layout_named("earbud");
    layout.block_size = 1024;
    layout.buffer_size = 4096;
    layout.chips[0].erase_us = 20000;
    layout.chips[0].program_ns = 3000;
    pair->fault = fault;
    pair->member = member;
    sim_release_make(&pair->old, &layout, &(struct sim_release_spec){.number = 1, .counter = 1, .image_size = 30000});
    sim_release_make(&pair->new, &layout, &(struct sim_release_spec){.number = 2, .counter = 2, .image_size = 32000});
    sim_set_apply(&pair->old_set, NULL, &pair->old);
    sim_set_apply(&pair->new_set, NULL, &pair->new);
    sim_world_init(&pair->world, seed);
    for (unsigned i = 0; i < MEMBERS; i++) {
        spec.asynchronous = (int)(seed + i) & 1;
        sim_unit_init(&pair->units[i], &pair->world, &layout, &spec);
        sim_unit_factory(&pair->units[i], &pair->old);
        pair->units[i].board.device.role = (uint8_t)(i + 1);
        pair->units[i].board.device.battery_minimum = 20;
    }
    if (fault == FAULT_STRANGE)
        pair->units[member].board.device.product = "Another";
    add_host(pair, 0, parallel);
    add_host(pair, 1, parallel);
    for (unsigned i = 0; i < MEMBERS; i++)
        sim_unit_power_on(&pair->units[i]);
}

static void close_pair(struct pair *pair)
{
    for (unsigned host = 0; host < 2; host++) {
        for (unsigned i = 0; i < MEMBERS; i++)
            sim_link_free(&pair->links[host][i]);
        sim_host_free(&pair->hosts[host]);
    }
    for (unsigned i = 0; i < MEMBERS; i++)
        sim_unit_free(&pair->units[i]);
    sim_world_free(&pair->world);
    sim_release_free(&pair->old);
    sim_release_free(&pair->new);
}

static void strike(struct pair *pair)
{
    struct sim_unit *unit = &pair->units[pair->member];

    switch (pair->fault) {
    case FAULT_POWER:
        sim_unit_power_cut(unit);
        break;
    case FAULT_GONE:
        sim_link_enable(&pair->links[0][pair->member], SIM_LINK_DEVICE, 0);
        unit->ports[0].link = &pair->links[1][pair->member]; /* it never offers that link again */
        unit->port_count = 1;
        sim_end_change(&pair->links[0][pair->member].device);
        tandem_link_device_disconnected(&unit->ports[0].device);
        unit->ports[0] = unit->ports[1];
        sim_unit_power_cut(unit);
        break;
    case FAULT_LINK:
        sim_link_drop(&pair->links[0][pair->member]);
        break;
    case FAULT_SECTOR:
        unit->board.power.fail_at = unit->board.power.ops + 1;
        unit->board.power.fail_count = 100000;
        break;
    case FAULT_BATTERY:
        unit->board.battery = 5;
        break;
    case FAULT_HOST:
        sim_host_kill(&pair->hosts[0]);
        break;
    case FAULT_CANCEL:
        tandem_group_cancel(&pair->hosts[0].group);
        break;
    default:
        break;
    }
}

static void heal(struct pair *pair)
{
    struct sim_unit *unit = &pair->units[pair->member];

    unit->board.power.fail_count = 0;
    unit->board.battery = 100;
    unit->board.device.product = "Board";
}

/* Let the devices come to rest: trials end, restarts happen. */
static void settle(struct pair *pair)
{
    uint64_t until = pair->world.now_us + 20000000;

    while (sim_world_run(&pair->world, until))
        ;
}

static int runs_set(const struct pair *pair, unsigned member, const struct sim_set *set)
{
    const struct sim_board *board = &pair->units[member].board;

    return (pair->units[member].state == SIM_UNIT_RUNS || pair->units[member].state == SIM_UNIT_DEAF) &&
           sim_board_holds(board, board->boot.bank, set);
}

/* What the first host left behind, while nobody helped. */
static void check_first(struct pair *pair, unsigned moment, int parallel)
{
    const struct tandem_group_result *result = tandem_group_result(&pair->hosts[0].group);
    int new = runs_set(pair, 0, &pair->new_set) + runs_set(pair, 1, &pair->new_set);
    int old = runs_set(pair, 0, &pair->old_set) + runs_set(pair, 1, &pair->old_set);

    if (new + old != MEMBERS)
        complain(pair, moment, parallel, "a member runs neither the old nor the new firmware, whole");
    on_old += old == MEMBERS;
    on_new += new == MEMBERS;
    if (pair->fault != FAULT_HOST && pair->hosts[0].status == TANDEM_AGAIN) {
        complain(pair, moment, parallel, "the group's update does not end");
        return;
    }
    if (pair->hosts[0].status == TANDEM_OK && new != MEMBERS)
        complain(pair, moment, parallel, "says all is done, and not all run the new firmware");
    /* A member that is gone, or whose flash broke after the point of no return, cannot be helped: it is then said. */
    if (new == 1 && pair->fault != FAULT_HOST && !result->split)
        complain(pair, moment, parallel, "one new and one old, and it is not said");
    if (new == 1 && !result->committed && pair->fault != FAULT_HOST)
        complain(pair, moment, parallel, "one new and one old, though the point of no return was not passed");
    if (new == 1 && (pair->fault == FAULT_POWER || pair->fault == FAULT_LINK || pair->fault == FAULT_STRANGE ||
                     pair->fault == FAULT_CANCEL))
        complain(pair, moment, parallel, "one new and one old");
    if (pair->fault == FAULT_STRANGE && new)
        complain(pair, moment, parallel, "a member was updated beside one that refused");
    if (pair->fault <= FAULT_POWER && (new != MEMBERS || pair->hosts[0].status != TANDEM_OK))
        complain(pair, moment, parallel, "a group that could be updated was not");
}

static void run_pair(enum fault fault, unsigned member, unsigned moment, int parallel, uint64_t at_us, uint64_t seed)
{
    static struct pair pair;

    open_pair(&pair, fault, member, parallel, seed);
    sim_world_run(&pair.world, 1000000);
    pair.hosts[0].status = TANDEM_AGAIN;
    sim_cpu_wake(&pair.hosts[0].cpu);
    sim_world_run(&pair.world, 1000000 + at_us);
    strike(&pair);
    if (pair.hosts[0].status == TANDEM_AGAIN)
        sim_world_run(&pair.world, pair.world.now_us + (fault == FAULT_HOST ? 10000000 : 7200000000));
    settle(&pair);
    if (strcmp(plant, "split") == 0) /* one member is quietly put back */
        pair.units[0].board.boot.bank = 0;
    check_first(&pair, moment, parallel);
    runs++;
    /* Later another host comes, and the misfortune is over: both shall run the new firmware. */
    sim_host_kill(&pair.hosts[0]);
    heal(&pair);
    pair.hosts[1].status = TANDEM_AGAIN;
    sim_cpu_wake(&pair.hosts[1].cpu);
    sim_world_run(&pair.world, pair.world.now_us + 600000000);
    settle(&pair);
    if (pair.hosts[1].status != TANDEM_OK || !runs_set(&pair, 0, &pair.new_set) || !runs_set(&pair, 1, &pair.new_set))
        complain(&pair, moment, parallel, "a later host does not get both to the new firmware");
    for (unsigned i = 0; i < MEMBERS; i++)
        if (sim_board_violations(&pair.units[i].board)) {
            sim_board_complain(&pair.units[i].board);
            complain(&pair, moment, parallel, "breaks a rule of flash");
        }
    close_pair(&pair);
}

/* How long an undisturbed update of the pair takes. */
static uint64_t duration(int parallel, uint64_t seed)
{
    static struct pair pair;
    uint64_t took;

    open_pair(&pair, FAULT_NONE, 0, parallel, seed);
    sim_world_run(&pair.world, 1000000);
    pair.hosts[0].status = TANDEM_AGAIN;
    sim_cpu_wake(&pair.hosts[0].cpu);
    sim_world_run(&pair.world, 600000000);
    took = pair.hosts[0].ended_us - 1000000;
    if (pair.hosts[0].status != TANDEM_OK || !runs_set(&pair, 0, &pair.new_set) || !runs_set(&pair, 1, &pair.new_set))
        complain(&pair, 0, parallel, "an undisturbed update fails");
    close_pair(&pair);
    return took;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    unsigned moments = MOMENTS;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--moments") == 0)
            moments = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            plant = argv[i + 1];
        else if (strcmp(argv[i], "--replay") == 0) { /* sim_group:FAULT:MEMBER:MOMENT:PARALLEL:SEED */
            char name[16];
            unsigned member, moment;
            int parallel;
            unsigned long long replayed;

            if (sscanf(argv[i + 1], "sim_group:%15[^:]:%u:%u:%d:%llu", name, &member, &moment, &parallel, &replayed) !=
                5)
                return 2;
            for (unsigned fault = 0; fault < FAULTS; fault++)
                if (strcmp(name, fault_names[fault]) == 0)
                    run_pair((enum fault)fault, member, moment, parallel,
                             duration(parallel, replayed) * moment / moments, replayed);
            return failures != 0;
        }
    }
    for (int parallel = 0; parallel < 2; parallel++) {
        uint64_t took = duration(parallel, seed);

        printf("%s: %.2f s undisturbed\n", parallel ? "both at once" : "one after the other", (double)took / 1e6);
        for (unsigned fault = FAULT_POWER; fault < FAULTS; fault++)
            for (unsigned member = 0; member < (fault >= FAULT_HOST ? 1 : MEMBERS); member++)
                for (unsigned moment = 0; moment < moments; moment++)
                    run_pair((enum fault)fault, member, moment, parallel, took * moment / moments, seed);
    }
    printf("%u misfortunes: %u times both stayed old, %u times both became new, %u otherwise; %u failures, seed %llu\n",
           runs, on_old, on_new, runs - on_old - on_new, failures, (unsigned long long)seed);
    return failures != 0;
}
