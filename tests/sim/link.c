/*
 * The link under bad conditions: lost connection events, disconnects, stacks
 * that lose, reorder and damage packets, wires with noise, power cuts in the
 * middle, hosts that die. Every update must end confirmed, with no more sent
 * again than each misfortune justifies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors.h"

#define IMAGE (96u * 1024u)

struct condition {
    const char *name;
    uint32_t interval_us;
    uint16_t mtu, pdu;
    uint32_t window; /* the installer's buffer */
    uint32_t event_loss_ppm, disconnect_us, packet_loss_ppm, swap_ppm, flip_ppm;
    uint32_t baud, noise_ppm, byte_loss_ppm; /* baud not 0: a wire */
    int bounded;                             /* 1: no more is sent again than the window per disconnect */
};

static const struct condition conditions[] = {
    {"clean", 15000, 247, 251, 8192, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {"1 % of events lost", 15000, 247, 251, 8192, 10000, 0, 0, 0, 0, 0, 0, 0, 1},
    {"1 % lost, disconnect every 2 s", 15000, 247, 251, 8192, 10000, 2000000, 0, 0, 0, 0, 0, 0, 1},
    {"the same, 16 KB window", 15000, 247, 251, 16384, 10000, 2000000, 0, 0, 0, 0, 0, 0, 1},
    {"the same, 2 KB window", 15000, 247, 251, 2048, 10000, 2000000, 0, 0, 0, 0, 0, 0, 1},
    {"the same, MTU 23", 15000, 23, 27, 8192, 10000, 2000000, 0, 0, 0, 0, 0, 0, 1},
    {"the same, MTU 185", 30000, 185, 251, 4096, 10000, 2000000, 0, 0, 0, 0, 0, 0, 1},
    {"the same, MTU 498", 15000, 498, 251, 8192, 10000, 2000000, 0, 0, 0, 0, 0, 0, 1},
    {"the same, MTU 517", 15000, 517, 251, 8192, 10000, 2000000, 0, 0, 0, 0, 0, 0, 1},
    {"20 % of events lost", 15000, 247, 251, 8192, 200000, 0, 0, 0, 0, 0, 0, 0, 1},
    {"disconnect every 0.5 s", 15000, 247, 251, 8192, 0, 500000, 0, 0, 0, 0, 0, 0, 1},
    {"1 % of packets lost", 15000, 247, 251, 8192, 0, 0, 10000, 0, 0, 0, 0, 0, 0},
    {"5 % of packets lost", 15000, 247, 251, 4096, 0, 0, 50000, 0, 0, 0, 0, 0, 0},
    {"5 % of packets swapped", 15000, 247, 251, 8192, 0, 0, 0, 50000, 0, 0, 0, 0, 0},
    {"0.5 % of packets damaged", 15000, 247, 251, 8192, 0, 0, 0, 0, 5000, 0, 0, 0, 0},
    {"all of it", 15000, 247, 251, 8192, 20000, 3000000, 10000, 10000, 1000, 0, 0, 0, 0},
    {"all of it, MTU 23", 15000, 23, 27, 2048, 20000, 3000000, 2000, 2000, 200, 0, 0, 0, 0},
    {"wire, 115200 baud", 0, 0, 0, 4096, 0, 0, 0, 0, 0, 115200, 0, 0, 1},
    {"wire, 1 Mbaud, noise", 0, 0, 0, 4096, 0, 0, 0, 0, 0, 1000000, 50, 50, 0},
    {"wire, unplugged every 3 s", 0, 0, 0, 4096, 0, 3000000, 0, 0, 0, 1000000, 20, 20, 0},
};

#define CONDITIONS (sizeof conditions / sizeof *conditions)

struct scene {
    struct sim_layout layout;
    struct sim_release old, new;
    struct sim_world world;
    struct sim_unit unit;
    struct sim_host hosts[2];
    struct sim_link links[2];
    struct sim_set sets[2];
    uint64_t begin_us;
};

static unsigned failures;
static unsigned updates;

static void complain(const char *what, const char *name, uint64_t number, uint64_t seed)
{
    failures++;
    printf("FAILED sim_link:%s:%llu:%llu: %s\n", name, (unsigned long long)number, (unsigned long long)seed, what);
}

static void connect(struct scene *scene, const struct condition *condition, unsigned index)
{
    struct sim_radio_spec radio = {.supervision_us = 1000000,
                                   .reconnect_us = 100000,
                                   .phy = 2,
                                   .host_queue = 24,
                                   .device_queue = 8,
                                   .device_receive = 16};
    struct sim_wire_spec wire = {.replug_us = 200000};

    radio.interval_us = condition->interval_us;
    radio.mtu = condition->mtu;
    radio.pdu = condition->pdu;
    radio.event_loss_ppm = condition->event_loss_ppm;
    radio.disconnect_us = condition->disconnect_us;
    radio.packet_loss_ppm = condition->packet_loss_ppm;
    radio.swap_ppm = condition->swap_ppm;
    radio.flip_ppm = condition->flip_ppm;
    wire.baud = condition->baud;
    wire.noise_ppm = condition->noise_ppm;
    wire.loss_ppm = condition->byte_loss_ppm;
    wire.unplug_us = condition->disconnect_us;
    sim_host_init(&scene->hosts[index], &scene->world, &scene->new, 1);
    if (condition->baud)
        sim_wire_init(&scene->links[index], &scene->world, &wire, &scene->hosts[index].cpu, &scene->unit.cpu);
    else
        sim_radio_init(&scene->links[index], &scene->world, &radio, &scene->hosts[index].cpu, &scene->unit.cpu);
    sim_unit_attach(&scene->unit, &scene->links[index]);
    sim_host_attach(&scene->hosts[index], 0, &scene->links[index], NULL);
    scene->hosts[index].stop = &scene->world.stop;
}

static void open_scene(struct scene *scene, const struct condition *condition, uint64_t seed, uint32_t image)
{
    struct sim_unit_spec spec = {.boot_us = 50000, .confirm_us = 300000, .off_us = 100000, .step_us = 50};

    memset(scene, 0, sizeof *scene);
    scene->layout = *sim_layout_named("earbud");
    scene->layout.buffer_size = condition->window;
    scene->layout.block_size = condition->window >= 4096 ? 1024 : 512;
    scene->layout.chips[0].program_ns = 3000;
    spec.asynchronous = (int)(seed & 1);
    sim_release_make(&scene->old, &scene->layout,
                     &(struct sim_release_spec){.number = 1, .counter = 1, .image_size = image});
    sim_release_make(&scene->new, &scene->layout,
                     &(struct sim_release_spec){.number = 2, .counter = 2, .image_size = image});
    sim_set_apply(&scene->sets[0], NULL, &scene->old);
    sim_set_apply(&scene->sets[1], &scene->sets[0], &scene->new);
    sim_world_init(&scene->world, seed);
    sim_unit_init(&scene->unit, &scene->world, &scene->layout, &spec);
    sim_unit_factory(&scene->unit, &scene->old);
    connect(scene, condition, 0);
}

static void close_scene(struct scene *scene)
{
    for (unsigned i = 0; i < scene->unit.port_count; i++) {
        sim_link_free(&scene->links[i]);
        sim_host_free(&scene->hosts[i]);
    }
    sim_unit_free(&scene->unit);
    sim_world_free(&scene->world);
    sim_release_free(&scene->old);
    sim_release_free(&scene->new);
}

/* Package bytes that a host sent, repetitions included. */
static uint64_t payload_sent(const struct scene *scene, unsigned index)
{
    const struct sim_link *link = &scene->links[index];

    if (!link->is_radio)
        return scene->hosts[index].peers[0].host.payload_sent;
    return link->host.stats.data_sent - 2 * link->host.stats.data_packets;
}

/* How it should be at the end. */
static void check_end(struct scene *scene, unsigned index, const char *name, uint64_t number, uint64_t seed)
{
    struct sim_host *host = &scene->hosts[index];
    char text[120];

    updates++;
    if (host->status != TANDEM_OK) {
        const struct tandem_update_result *result = tandem_update_result(&host->updates[0]);

        snprintf(text, sizeof text, "does not end well: status 0x%02x, result 0x%02x in stage %d, device %d after %u s",
                 (unsigned)host->status, (unsigned)result->status, (int)result->stage, (int)scene->unit.state,
                 (unsigned)(scene->world.now_us / 1000000));
        complain(text, name, number, seed);
        return;
    }
    if (!sim_board_holds(&scene->unit.board, scene->unit.board.boot.bank, &scene->sets[1]) ||
        tandem_update_result(&host->updates[0])->runs != TANDEM_RUNS_NEW)
        complain("says it is done, and the device does not run the new firmware", name, number, seed);
    if (sim_board_violations(&scene->unit.board)) {
        sim_board_complain(&scene->unit.board);
        complain("breaks a rule of flash", name, number, seed);
    }
}

static void run(struct scene *scene, unsigned index, uint64_t seconds)
{
    scene->begin_us = scene->world.now_us;
    sim_host_run(&scene->hosts[index], NULL, 0);
    sim_world_run(&scene->world, scene->world.now_us + seconds * 1000000);
}

static void run_condition(const struct condition *condition, uint64_t seed, int plant)
{
    static struct scene scene;
    uint64_t sent, bound, drops;

    open_scene(&scene, condition, seed, IMAGE);
    sim_unit_power_on(&scene.unit);
    run(&scene, 0, 600);
    check_end(&scene, 0, condition->name, 0, seed);
    sent = payload_sent(&scene, 0);
    drops = scene.links[0].connections - 1; /* the restart is among them */
    bound = plant ? sent - 1 : scene.new.size + drops * condition->window;
    printf("  %-32s seed %-4llu %6.2f s, %2llu drops, %7llu bytes of %u sent, %llu again\n", condition->name,
           (unsigned long long)seed, (double)(scene.hosts[0].ended_us - scene.begin_us) / 1e6,
           (unsigned long long)drops, (unsigned long long)sent, (unsigned)scene.new.size,
           (unsigned long long)(sent > scene.new.size ? sent - scene.new.size : 0));
    if (condition->bounded && sent > bound)
        complain("sends more again than a window per disconnect", condition->name, 0, seed);
    close_scene(&scene);
}

/* Power fails in the middle of a transfer over the radio: at operation k, then the host finds its way. */
static void run_cut(uint64_t k, enum sim_tear tear, uint64_t seed)
{
    static struct scene scene;
    const struct condition *condition = &conditions[0];
    uint64_t bound;

    open_scene(&scene, condition, seed, 16384);
    sim_unit_power_on(&scene.unit);
    scene.unit.board.power.cut_at = k;
    scene.unit.board.power.tear = tear;
    run(&scene, 0, 120);
    check_end(&scene, 0, sim_tear_text(tear), k, seed);
    bound = scene.new.size + scene.unit.cuts *(condition->window + 4096 + 2 * 1040) +
            (scene.links[0].connections - 1) * condition->window;
    if (payload_sent(&scene, 0) > bound)
        complain("sends more again than a power cut justifies", sim_tear_text(tear), k, seed);
    if (scene.unit.board.power.ops < k)
        complain("there is no such operation", sim_tear_text(tear), k, seed);
    close_scene(&scene);
}

/* How many flash operations an update over the radio takes. */
static uint64_t count_operations(uint64_t seed)
{
    static struct scene scene;
    uint64_t ops;

    open_scene(&scene, &conditions[0], seed, 16384);
    sim_unit_power_on(&scene.unit);
    run(&scene, 0, 120);
    check_end(&scene, 0, "count", 0, seed);
    ops = scene.unit.board.power.ops;
    close_scene(&scene);
    return ops;
}

/* A host dies in the middle; another one finishes what it began, on a link of its own. */
static void run_takeover(uint64_t after_us, uint64_t seed)
{
    static struct scene scene;
    uint64_t first;

    open_scene(&scene, &conditions[0], seed, IMAGE);
    connect(&scene, &conditions[0], 1);
    sim_unit_power_on(&scene.unit);
    run(&scene, 0, 0);
    sim_world_run(&scene.world, scene.world.now_us + after_us);
    sim_host_kill(&scene.hosts[0]);
    first = payload_sent(&scene, 0);
    run(&scene, 1, 120);
    check_end(&scene, 1, "takeover", after_us, seed);
    if (first > 16384 && payload_sent(&scene, 1) + first > scene.new.size + 2 * conditions[0].window)
        complain("a second host does not go on where the first one stopped", "takeover", after_us, seed);
    close_scene(&scene);
}

int main(int argc, char **argv)
{
    uint64_t seeds = 2, cuts = 60, ops;
    uint64_t base = 1;
    int plant = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0)
            base = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seeds") == 0)
            seeds = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--cuts") == 0)
            cuts = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            plant = strcmp(argv[i + 1], "bound") == 0 ? 1 : 0;
    }
    for (unsigned i = 0; i < CONDITIONS; i++)
        for (uint64_t seed = base; seed < base + seeds; seed++)
            run_condition(&conditions[i], seed, plant);
    ops = count_operations(base);
    for (uint64_t i = 0; i < cuts; i++) {
        struct sim_rng rng = {sim_mix(base, i)};
        uint64_t k = ops * i / cuts + sim_below(&rng, (uint32_t)(ops / cuts)) + 1;

        run_cut(k > ops ? ops : k, (enum sim_tear)sim_below(&rng, SIM_TEARS), base);
    }
    for (uint64_t i = 0; i < 10; i++)
        run_takeover(100000 + i * 250000, base + i);
    printf("%u updates (%llu with power cuts), %u failures, seed %llu\n", updates, (unsigned long long)cuts, failures,
           (unsigned long long)base);
    return failures != 0;
}
