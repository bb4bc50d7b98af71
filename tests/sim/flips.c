/*
 * Single bits turned over: every one of a package, of the flash in each of
 * its resting states, and of what goes over the wire. Nothing may start but
 * the old or the new firmware, whole, and a fresh update must go in after it.
 *
 * A failure prints an id; `sim_flips --replay ID` does it again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors.h"
#include "life.h"

enum part { PART_PACKAGE, PART_FLASH, PART_RADIO, PART_WIRE, PARTS };
static const char *const part_names[PARTS] = {"package", "flash", "radio", "wire"};

enum rest { REST_FACTORY, REST_CONFIRMED, REST_RECEIVING, REST_VALIDATED, REST_PENDING, REST_TRIAL, RESTS };
static const char *const rest_names[RESTS] = {"factory", "confirmed", "receiving", "validated", "pending", "trial"};

struct campaign {
    const struct sim_layout *layout;
    struct sim_release first, old, new, fresh;
    struct sim_set first_set, old_set, new_set;
    struct sim_life life;                                /* brings boards into their states */
    struct sim_board rest;                               /* a board in a state */
    struct sim_board lab;                                /* the flipped one */
    struct sim_place images[SIM_SLOTS][2], manifests[2]; /* where a bank's things are in that state */
    unsigned active;                                     /* the bank that runs for good, or that is all there is */
    const char *plant;
    uint64_t seed;
    unsigned bits; /* of each byte: how many are flipped */
    unsigned slice, slices;
    const char *replay; /* only this id */
    uint64_t flips[PARTS], failures, accepted, refused, nothing;
    char id[120];
};

static void fail(struct campaign *campaign, const char *text)
{
    if (campaign->failures++ < 20)
        printf("FAILED %s: %s\n", campaign->id, text);
    fflush(stdout);
}

static void on_fail(struct sim_life *life, const char *text)
{
    fail(life->ctx, text);
}

/* Whether this flip is to be done, and its name. */
static int chosen(struct campaign *campaign, enum part part, const char *state, uint64_t at, unsigned bit)
{
    uint64_t first = sim_mix(campaign->seed, at * 8 + part);

    snprintf(campaign->id, sizeof campaign->id, "sim_flips:%s:%s:%s:%llu:%u:%llu", part_names[part],
             campaign->layout->name, state, (unsigned long long)at, bit, (unsigned long long)campaign->seed);
    if (campaign->replay)
        return strcmp(campaign->replay, campaign->id) == 0;
    if (at % campaign->slices != campaign->slice)
        return 0;
    if ((bit + first) % 8 >= campaign->bits)
        return 0;
    campaign->flips[part]++;
    return 1;
}

/* The fresh update goes in and is what runs. */
static void check_alive(struct campaign *campaign, struct sim_board *board)
{
    struct sim_set set;
    enum tandem_status status = sim_board_update(board, &campaign->fresh);
    char text[80];

    sim_set_apply(&set, NULL, &campaign->fresh);
    if (status == TANDEM_OK)
        status = sim_board_start(board);
    if (status != TANDEM_OK) {
        snprintf(text, sizeof text, "a fresh update does not go in: status 0x%02x", (unsigned)status);
        fail(campaign, text);
    } else if (!sim_board_holds(board, board->boot.bank, &set)) {
        fail(campaign, "the fresh update does not run");
    }
    if (sim_board_violations(board)) {
        sim_board_complain(board);
        fail(campaign, "breaks a rule of flash");
    }
}

static void reset_lab(struct campaign *campaign)
{
    sim_power_init(&campaign->lab.power, campaign->seed);
    sim_board_copy(&campaign->lab, &campaign->rest);
}

/* ---- boards at rest ---- */

static void half_way(struct sim_life *life)
{
    if (life->expect.reached > life->expect.transfer->size * 2 / 3)
        life->board.power.on = 0;
}

static void find_banks(struct campaign *campaign, enum rest rest)
{
    const struct sim_layout *layout = campaign->layout;

    for (unsigned bank = 0; bank < 2; bank++) {
        for (unsigned slot = 0; slot < layout->slot_count; slot++)
            campaign->images[slot][bank] = sim_board_image(&campaign->rest, slot, bank);
        campaign->manifests[bank] = sim_board_manifests(&campaign->rest, bank);
    }
    campaign->active = rest != REST_FACTORY;
    if (rest == REST_TRIAL && sim_layout_one_way(layout))
        campaign->active = 0;
}

static void bring_to(struct campaign *campaign, enum rest rest)
{
    struct sim_life *life = &campaign->life;
    int well = 1;

    memset(life, 0, sizeof *life);
    life->plant = "";
    life->fail = on_fail;
    life->ctx = campaign;
    life->steady = 1;
    snprintf(campaign->id, sizeof campaign->id, "sim_flips:%s:%s", campaign->layout->name, rest_names[rest]);
    sim_board_init(&life->board, campaign->layout, 0, campaign->seed, NULL);
    sim_life_factory(life, &campaign->first);
    well = sim_life_start(life);
    if (rest >= REST_CONFIRMED)
        well = well && sim_life_update(life, &campaign->old, 0);
    if (rest == REST_RECEIVING)
        life->progress = half_way;
    if (rest >= REST_RECEIVING) {
        well = well && sim_life_begin(life, &campaign->new, 0) == TANDEM_OK;
        well = well && (sim_life_receive(life, 0) == TANDEM_OK || rest == REST_RECEIVING);
    }
    life->board.power.on = 1;
    if (rest >= REST_PENDING)
        well = well && tandem_install_activate(&life->board.install) == TANDEM_OK;
    if (rest >= REST_TRIAL)
        well = well && sim_board_start(&life->board) == TANDEM_OK && life->board.boot.reason == TANDEM_BOOT_TRIAL;
    if (!well)
        fail(campaign, "cannot be brought into this state");
    sim_board_copy(&campaign->rest, &life->board);
    sim_board_free(&life->board);
    find_banks(campaign, rest);
}

/* ---- packages ---- */

static void flip_package(struct campaign *campaign, const struct sim_release *release, uint32_t at, unsigned bit)
{
    static uint8_t bytes[1 << 16];
    struct sim_board *board = &campaign->lab;
    enum tandem_status status;
    struct sim_set set;

    reset_lab(campaign);
    memcpy(bytes, release->bytes, release->size);
    bytes[at] ^= (uint8_t)(1u << bit);
    status = sim_board_start(board);
    if (status == TANDEM_OK)
        status = tandem_install_init(&board->install, &board->device, board->buffer, board->layout->buffer_size);
    if (status == TANDEM_OK)
        status = sim_board_feed_bytes(board, bytes, release->size, NULL, 1, NULL);
    if (status == TANDEM_ERROR_TIMEOUT)
        fail(campaign, "a damaged package neither goes in nor is refused");
    campaign->accepted += status == TANDEM_OK;
    campaign->refused += status != TANDEM_OK;
    sim_set_apply(&set, &campaign->first_set, release);
    if (sim_board_start(board) != TANDEM_OK)
        fail(campaign, "starts nothing after a damaged package");
    else if (!sim_board_holds(board, board->boot.bank, &campaign->first_set) &&
             !(status == TANDEM_OK && sim_board_holds(board, board->boot.bank, &set)))
        fail(campaign, "a damaged package runs");
    check_alive(campaign, board);
}

static void flip_packages(struct campaign *campaign)
{
    struct sim_release bad;
    struct sim_release_spec spec = {.number = 50, .counter = 50};

    bring_to(campaign, REST_FACTORY);
    for (uint32_t at = 0; at < campaign->old.size; at++)
        for (unsigned bit = 0; bit < 8; bit++)
            if (chosen(campaign, PART_PACKAGE, "own", at, bit))
                flip_package(campaign, &campaign->old, at, bit);
    /* What a stranger signed, or nobody, must not go in whatever bit of its signatures is turned. */
    for (int stranger = 0; stranger < 2; stranger++) {
        struct tandem_package_header header;
        uint64_t accepted = campaign->accepted;

        spec.stranger = stranger;
        spec.unsigned_ = !stranger;
        sim_release_make(&bad, campaign->layout, &spec);
        tandem_package_header(&header, bad.bytes);
        for (uint32_t at = 0; at < header.head_size; at++)
            for (unsigned bit = 0; bit < 8; bit++)
                if (chosen(campaign, PART_PACKAGE, stranger ? "stranger" : "unsigned", at, bit))
                    flip_package(campaign, &bad, at, bit);
        if (campaign->accepted != accepted)
            fail(campaign, "a stranger's package is accepted");
        sim_release_free(&bad);
    }
}

/* ---- flash ---- */

static int inside(const struct sim_layout *layout, const struct sim_place *place, unsigned chip, uint32_t address)
{
    uint32_t first = layout->chip_base[chip] + place->address;

    return place->chip == chip && address >= first && address - first < place->size;
}

static int in_bank(const struct campaign *campaign, unsigned bank, unsigned chip, uint32_t address)
{
    for (unsigned slot = 0; slot < campaign->layout->slot_count; slot++)
        if (inside(campaign->layout, &campaign->images[slot][bank], chip, address))
            return 1;
    return inside(campaign->layout, &campaign->manifests[bank], chip, address);
}

/* What the flipped board may run, and whether it may start nothing at all. */
static void judge_start(struct campaign *campaign, enum rest rest, enum tandem_status status, unsigned chip,
                        uint32_t address)
{
    struct sim_board *board = &campaign->lab;
    const struct sim_set *confirmed = rest == REST_FACTORY ? &campaign->first_set : &campaign->old_set;
    unsigned active = campaign->active;
    struct tandem_bank_state state;

    if (status == TANDEM_ERROR_NOTHING) {
        campaign->nothing++;
        if (!in_bank(campaign, active, chip, address))
            fail(campaign, "starts nothing, though the running bank is sound");
        return;
    }
    if (status != TANDEM_OK) {
        fail(campaign, "the bootloader gives up");
        return;
    }
    if (sim_board_holds(board, board->boot.bank, confirmed)) {
        if (sim_board_state(board, &state) != TANDEM_OK || state.counter != confirmed->head->spec.counter)
            fail(campaign, "the security counter is not what it was");
        return;
    }
    if (rest >= REST_PENDING && sim_board_holds(board, board->boot.bank, &campaign->new_set))
        return;
    if (board->boot.reason == TANDEM_BOOT_FALLBACK && in_bank(campaign, active, chip, address) &&
        (sim_board_holds(board, board->boot.bank, &campaign->first_set) ||
         sim_board_holds(board, board->boot.bank, &campaign->new_set)))
        return;
    fail(campaign, "starts what is neither the old nor the new firmware, whole");
}

/* Go on with the transfer that was under way: it ends well, or with a reason. */
static void go_on(struct campaign *campaign)
{
    struct sim_board *board = &campaign->lab;
    enum tandem_status status =
        tandem_install_init(&board->install, &board->device, board->buffer, board->layout->buffer_size);

    if (status == TANDEM_OK && tandem_install_state(&board->install) == TANDEM_STATE_TRIAL)
        return;
    if (status == TANDEM_OK)
        status = sim_board_feed(board, &campaign->new, 1, NULL);
    if (status == TANDEM_ERROR_TIMEOUT)
        fail(campaign, "the transfer neither goes on nor fails");
    if (sim_board_start(board) != TANDEM_OK)
        return;
    /* An image that was read back before the flip is not read again until it starts: then it is refused. */
    if (status == TANDEM_OK && !sim_board_holds(board, board->boot.bank, &campaign->new_set) &&
        !(board->boot.reason == TANDEM_BOOT_REFUSED && sim_board_holds(board, board->boot.bank, &campaign->old_set)))
        fail(campaign, "says it is validated, and neither runs nor is refused");
}

static void flip_flash(struct campaign *campaign, enum rest rest, unsigned chip, uint32_t address, unsigned bit)
{
    struct sim_board *board = &campaign->lab;
    const struct sim_place *place;
    enum tandem_status status;

    reset_lab(campaign);
    sim_flash_flip(&board->chips[chip], address, bit);
    status = sim_board_start(board);
    place = sim_layout_runs(campaign->layout, 0, board->boot.bank & 1);
    if (strcmp(campaign->plant, "blind") == 0) /* a bit changes and nobody verifies */
        sim_flash_flip(&board->chips[place->chip], sim_board_address(board, place) + 40, 0);
    judge_start(campaign, rest, status, chip, address);
    if (status == TANDEM_OK && rest == REST_RECEIVING && (bit & 1))
        go_on(campaign);
    check_alive(campaign, board);
}

static void flip_flashes(struct campaign *campaign)
{
    const struct sim_layout *layout = campaign->layout;

    for (enum rest rest = REST_FACTORY; rest < RESTS; rest = (enum rest)(rest + 1)) {
        bring_to(campaign, rest);
        for (unsigned chip = 0; chip < layout->chip_count; chip++) {
            const struct sim_flash *flash = &campaign->rest.chips[chip];

            for (uint32_t i = 0; i < flash->size; i++) {
                uint32_t address = flash->base + i;

                if (!in_bank(campaign, 0, chip, address) && !in_bank(campaign, 1, chip, address) &&
                    !inside(layout, &layout->journal, chip, address))
                    continue;
                for (unsigned bit = 0; bit < 8; bit++)
                    if (chosen(campaign, PART_FLASH, rest_names[rest], ((uint64_t)chip << 32) + i, bit))
                        flip_flash(campaign, rest, chip, address, bit);
            }
        }
    }
}

/* ---- what goes over the wire ---- */

struct scene {
    struct sim_world world;
    struct sim_unit unit;
    struct sim_host hosts[2];
    struct sim_link links[2];
};

static void connect(struct campaign *campaign, struct scene *scene, enum part part, unsigned index,
                    const struct sim_release *release)
{
    static const struct sim_radio_spec radio = {.interval_us = 7500,
                                                .supervision_us = 1000000,
                                                .reconnect_us = 50000,
                                                .mtu = 247,
                                                .pdu = 251,
                                                .phy = 2,
                                                .host_queue = 8,
                                                .device_queue = 8,
                                                .device_receive = 16};
    static const struct sim_wire_spec wire = {.baud = 1000000, .replug_us = 50000};

    (void)campaign;
    sim_host_init(&scene->hosts[index], &scene->world, release, 1);
    if (part == PART_RADIO)
        sim_radio_init(&scene->links[index], &scene->world, &radio, &scene->hosts[index].cpu, &scene->unit.cpu);
    else
        sim_wire_init(&scene->links[index], &scene->world, &wire, &scene->hosts[index].cpu, &scene->unit.cpu);
    sim_unit_attach(&scene->unit, &scene->links[index]);
    sim_host_attach(&scene->hosts[index], 0, &scene->links[index], NULL);
    scene->hosts[index].stop = &scene->world.stop;
}

/* One update with one flip, then a fresh one without. @return bytes that went over the link in the first */
static uint64_t flip_wire(struct campaign *campaign, enum part part, uint64_t at, unsigned bit)
{
    static struct scene scene;
    struct sim_unit_spec spec = {.boot_us = 20000, .confirm_us = 20000, .step_us = 50};
    struct sim_set fresh;
    uint64_t bytes;

    memset(&scene, 0, sizeof scene);
    sim_world_init(&scene.world, campaign->seed);
    sim_unit_init(&scene.unit, &scene.world, campaign->layout, &spec);
    sim_unit_factory(&scene.unit, &campaign->first);
    connect(campaign, &scene, part, 0, &campaign->old);
    connect(campaign, &scene, part, 1, &campaign->fresh);
    scene.links[0].flip_at = at;
    scene.links[0].flip_bit = bit;
    sim_unit_power_on(&scene.unit);
    sim_host_run(&scene.hosts[0], NULL, 0);
    sim_world_run(&scene.world, 300000000);
    bytes = scene.links[0].bytes;
    campaign->accepted += scene.hosts[0].status == TANDEM_OK;
    campaign->refused += scene.hosts[0].status != TANDEM_OK;
    if (scene.hosts[0].status == TANDEM_AGAIN)
        fail(campaign, "an update does not end");
    if (scene.hosts[0].status != TANDEM_OK && part == PART_WIRE)
        fail(campaign, "a checksum did not save the update");
    if (scene.unit.state != SIM_UNIT_RUNS && scene.unit.state != SIM_UNIT_OFF)
        fail(campaign, "the device does not run");
    else if (!sim_board_holds(&scene.unit.board, scene.unit.board.boot.bank, &campaign->first_set) &&
             !sim_board_holds(&scene.unit.board, scene.unit.board.boot.bank, &campaign->old_set))
        fail(campaign, "starts what is neither the old nor the new firmware, whole");
    sim_host_kill(&scene.hosts[0]);
    sim_host_run(&scene.hosts[1], NULL, 0);
    sim_world_run(&scene.world, scene.world.now_us + 300000000);
    sim_set_apply(&fresh, NULL, &campaign->fresh);
    if (scene.hosts[1].status != TANDEM_OK || !sim_board_holds(&scene.unit.board, scene.unit.board.boot.bank, &fresh))
        fail(campaign, "a fresh update does not go in");
    for (unsigned i = 0; i < 2; i++) {
        sim_link_free(&scene.links[i]);
        sim_host_free(&scene.hosts[i]);
    }
    sim_unit_free(&scene.unit);
    sim_world_free(&scene.world);
    return bytes;
}

static void flip_wires(struct campaign *campaign, enum part part)
{
    uint64_t bytes;

    snprintf(campaign->id, sizeof campaign->id, "sim_flips:%s:count", part_names[part]);
    bytes = flip_wire(campaign, part, 0, 0);
    for (uint64_t at = 1; at <= bytes; at++)
        for (unsigned bit = 0; bit < 8; bit++)
            if (chosen(campaign, part, "update", at, bit))
                flip_wire(campaign, part, at, bit);
}

/* ---- campaigns ---- */

static void run(struct campaign *campaign, const char *name, unsigned parts)
{
    campaign->layout = sim_layout_named(name);
    if (!campaign->layout) {
        printf("no layout %s\n", name);
        exit(2);
    }
    sim_release_make(&campaign->first, campaign->layout, &(struct sim_release_spec){.number = 1, .counter = 1});
    sim_release_make(&campaign->old, campaign->layout, &(struct sim_release_spec){.number = 2, .counter = 2});
    sim_release_make(&campaign->new, campaign->layout, &(struct sim_release_spec){.number = 3, .counter = 3});
    sim_release_make(&campaign->fresh, campaign->layout, &(struct sim_release_spec){.number = 99, .counter = 99});
    sim_set_apply(&campaign->first_set, NULL, &campaign->first);
    sim_set_apply(&campaign->old_set, NULL, &campaign->old);
    sim_set_apply(&campaign->new_set, NULL, &campaign->new);
    sim_board_init(&campaign->rest, campaign->layout, 0, campaign->seed, NULL);
    sim_board_init(&campaign->lab, campaign->layout, 0, campaign->seed, NULL);
    if (parts >> PART_PACKAGE & 1)
        flip_packages(campaign);
    if (parts >> PART_FLASH & 1)
        flip_flashes(campaign);
    for (enum part part = PART_RADIO; part <= PART_WIRE; part = (enum part)(part + 1))
        if (parts >> part & 1)
            flip_wires(campaign, part);
    sim_board_free(&campaign->rest);
    sim_board_free(&campaign->lab);
    sim_release_free(&campaign->first);
    sim_release_free(&campaign->old);
    sim_release_free(&campaign->new);
    sim_release_free(&campaign->fresh);
    printf("%s: flips in package %llu, flash %llu, radio %llu, wire %llu (seed %llu): %llu accepted, %llu refused, "
           "%llu started nothing\n",
           name, (unsigned long long)campaign->flips[0], (unsigned long long)campaign->flips[1],
           (unsigned long long)campaign->flips[2], (unsigned long long)campaign->flips[3],
           (unsigned long long)campaign->seed, (unsigned long long)campaign->accepted,
           (unsigned long long)campaign->refused, (unsigned long long)campaign->nothing);
}

static int usage(void)
{
    printf("usage: sim_flips [--layout NAME] [--part package|flash|radio|wire] [--bits 1..8] [--slice I/N]\n"
           "                 [--seed N] [--plant blind] [--replay ID]\n");
    return 2;
}

int main(int argc, char **argv)
{
    static struct campaign campaign;
    const char *layout = "tiny";
    unsigned parts = (1u << PARTS) - 1;
    static char name[32];

    campaign.seed = 1;
    campaign.bits = campaign.slices = 1;
    campaign.plant = "";
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            return usage();
        if (strcmp(argv[i], "--layout") == 0)
            layout = argv[i + 1];
        else if (strcmp(argv[i], "--bits") == 0)
            campaign.bits = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            campaign.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            campaign.plant = argv[i + 1];
        else if (strcmp(argv[i], "--slice") == 0 &&
                 sscanf(argv[i + 1], "%u/%u", &campaign.slice, &campaign.slices) == 2 && campaign.slices)
            continue;
        else if (strcmp(argv[i], "--replay") == 0)
            campaign.replay = argv[i + 1];
        else if (strcmp(argv[i], "--part") == 0)
            for (parts = 0; parts < PARTS && strcmp(argv[i + 1], part_names[parts]) != 0; parts++)
                ;
        else
            return usage();
        if (strcmp(argv[i], "--part") == 0)
            parts = 1u << parts;
    }
    if (campaign.replay) { /* sim_flips:PART:LAYOUT:STATE:PLACE:BIT:SEED */
        char part[16];
        unsigned long long seed;

        if (sscanf(campaign.replay, "sim_flips:%15[^:]:%31[^:]:%*[^:]:%*u:%*u:%llu", part, name, &seed) != 3)
            return usage();
        for (parts = 0; parts < PARTS && strcmp(part, part_names[parts]) != 0; parts++)
            ;
        parts = 1u << parts;
        layout = name;
        campaign.seed = seed;
    }
    run(&campaign, layout, parts);
    return campaign.failures != 0;
}
