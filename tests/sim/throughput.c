/*
 * How fast a package moves in the simulated radio, against the slower of that
 * radio and the flash. Time is simulated, so the promises are asserted: 95 %
 * of the slower one, from first contact to activation; and 95 % of the radio
 * alone when the free bank was erased beforehand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors.h"

#define IMAGE (256u * 1024u)

struct figure {
    const char *name;
    struct sim_radio_spec radio;
    uint32_t window;     /* the installer's buffer */
    uint16_t block;      /* of the package */
    uint32_t program_ns; /* a byte */
    int erased;          /* 1: free bank erased beforehand */
    int asynchronous;    /* flash */
    int promised;        /* 1: 95 % are promised */
    uint8_t receive;     /* the controller's buffers, if not 20 */
};

#define LE(ms, speed)                                                                                 \
    {                                                                                                 \
        .interval_us = (ms), .guard_us = 0, .mtu = 247, .pdu = 251, .phy = (speed), .host_queue = 32, \
        .device_queue = 8, .device_receive = 20, .reconnect_us = 30000, .supervision_us = 4000000     \
    }

/* The rows of the table. */
static const struct figure figures[] = {
    {"2M 15 ms", LE(15000, 2), 16384, 4096, 0, 0, 0, 1, 0},
    {"2M 15 ms", LE(15000, 2), 16384, 4096, 0, 0, 1, 1, 0},
    {"2M 15 ms", LE(15000, 2), 16384, 4096, 0, 1, 0, 1, 0},
    {"2M 15 ms", LE(15000, 2), 16384, 4096, 0, 1, 1, 1, 0},
    {"2M 15 ms", LE(15000, 2), 8192, 1024, 0, 0, 0, 1, 0},
    {"2M 15 ms", LE(15000, 2), 8192, 1024, 0, 0, 1, 1, 0},
    {"2M 15 ms", LE(15000, 2), 8192, 1024, 0, 1, 0, 0, 0},
    {"2M 15 ms", LE(15000, 2), 8192, 1024, 0, 1, 1, 0, 0},
    {"2M 15 ms", LE(15000, 2), 4096, 1024, 0, 1, 0, 0, 0},
    {"2M 15 ms", LE(15000, 2), 2048, 512, 0, 1, 0, 0, 0},
    {"2M 15 ms", LE(15000, 2), 2048, 512, 0, 0, 0, 0, 0},
    {"2M 15 ms", LE(15000, 2), 16384, 4096, 0, 0, 0, 0, 12},
    {"2M 15 ms", LE(15000, 2), 16384, 4096, 0, 0, 0, 0, 6},
    {"2M 15 ms", LE(15000, 2), 16384, 4096, 10000, 0, 0, 0, 0},
    {"2M 15 ms", LE(15000, 2), 16384, 4096, 10000, 0, 1, 0, 0},
    {"2M 15 ms", LE(15000, 2), 16384, 4096, 10000, 1, 1, 0, 0},
    {"2M 7.5 ms", LE(7500, 2), 16384, 4096, 0, 1, 0, 0, 0},
    {"2M 30 ms", LE(30000, 2), 16384, 4096, 0, 1, 0, 0, 0},
    {"1M 15 ms", LE(15000, 1), 16384, 4096, 0, 1, 0, 0, 0},
    {"1M 30 ms", LE(30000, 1), 16384, 4096, 0, 0, 0, 0, 0},
};

struct measured {
    double seconds; /* from first contact to activation */
    double radio;   /* the radio's least */
    double flash;   /* the flash's least */
    int well;
};

static void measure(const struct figure *figure, struct measured *result)
{
    static struct sim_unit unit;
    static struct sim_host host;
    struct sim_layout layout = *sim_layout_named("earbud");
    struct sim_unit_spec spec = {.boot_us = 100000, .confirm_us = 50000, .off_us = 1000, .step_us = 20};
    struct sim_release old, new;
    struct sim_radio_spec radio = figure->radio;
    struct sim_world world;
    struct sim_link link;
    uint64_t begin;

    if (figure->receive)
        radio.device_receive = figure->receive;
    layout.buffer_size = figure->window;
    layout.block_size = figure->block;
    layout.chips[0].program_ns = figure->program_ns;
    spec.asynchronous = figure->asynchronous;
    spec.erase_idle = figure->erased;
    sim_release_make(&old, &layout, &(struct sim_release_spec){.number = 1, .counter = 1, .image_size = IMAGE});
    sim_release_make(&new, &layout, &(struct sim_release_spec){.number = 2, .counter = 2, .image_size = IMAGE});
    sim_world_init(&world, 1);
    sim_unit_init(&unit, &world, &layout, &spec);
    sim_unit_factory(&unit, &old);
    sim_host_init(&host, &world, &new, 1);
    sim_radio_init(&link, &world, &radio, &host.cpu, &unit.cpu);
    sim_unit_attach(&unit, &link);
    sim_host_attach(&host, 0, &link, NULL);
    host.stop = &world.stop;
    sim_unit_power_on(&unit);
    sim_world_run(&world, 20000000); /* boots, and erases what it will */
    link.radio.reconnect_us = 0;
    begin = world.now_us;
    sim_host_run(&host, NULL, 0);
    sim_world_run(&world, begin + 300000000);
    memset(result, 0, sizeof *result);
    result->well = host.status == TANDEM_OK && unit.pending_us > begin;
    result->seconds = (double)(unit.pending_us - begin) / 1e6;
    result->radio = IMAGE / sim_radio_best(&figure->radio);
    result->flash = IMAGE * (figure->program_ns / 1e9);
    if (!figure->erased)
        result->flash += (IMAGE + 4095) / 4096 * (layout.chips[0].erase_us / 1e6);
    if (sim_board_violations(&unit.board)) {
        sim_board_complain(&unit.board);
        result->well = 0;
    }
    sim_link_free(&link);
    sim_host_free(&host);
    sim_unit_free(&unit);
    sim_world_free(&world);
    sim_release_free(&old);
    sim_release_free(&new);
}

int main(int argc, char **argv)
{
    unsigned failures = 0;
    double promise = 0.95;

    if (argc == 3 && strcmp(argv[1], "--promise") == 0)
        promise = atof(argv[2]);
    else if (argc != 1 && !(argc == 2 && strcmp(argv[1], "--table") == 0)) {
        printf("usage: sim_throughput [--table] [--promise SHARE]\n");
        return 2;
    }
    printf("256 KB from first contact to activation, LE, MTU 247, data length 251, 85 ms per 4 KB erased\n");
    printf("%-10s %6s %6s %7s %7s %-6s %-6s %8s %8s %8s %8s  %s\n", "radio", "buffer", "block", "receive", "program",
           "bank", "flash", "took s", "radio s", "flash s", "kB/s", "of the slower");
    for (unsigned i = 0; i < sizeof figures / sizeof *figures; i++) {
        const struct figure *figure = &figures[i];
        struct measured result;
        double limit, share;

        measure(figure, &result);
        limit = result.radio > result.flash ? result.radio : result.flash;
        share = limit / result.seconds;
        printf("%-10s %6u %6u %7u %4u us %-6s %-6s %8.3f %8.3f %8.3f %8.1f  %5.1f %%%s\n", figure->name,
               (unsigned)figure->window, figure->block, figure->receive ? figure->receive : 20u,
               (unsigned)(figure->program_ns / 1000), figure->erased ? "erased" : "old",
               figure->asynchronous ? "async" : "sync", result.seconds, result.radio, result.flash,
               IMAGE / result.seconds / 1000, 100 * share, figure->promised ? " promised" : "");
        if (!result.well)
            printf("FAILED sim_throughput:%u: the update did not end well\n", i);
        else if (figure->promised && share < promise)
            printf("FAILED sim_throughput:%u: %.1f %% of the slower of radio and flash\n", i, 100 * share);
        else
            continue;
        failures++;
    }
    return failures != 0;
}
