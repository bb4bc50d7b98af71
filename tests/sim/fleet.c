/*
 * A fleet: 1, 10, 100 and 1000 devices updated at once by one host process
 * with one main loop. Prints what the host needs for it; memory and time must
 * grow with the number of devices, not faster.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actors.h"

#define KB 1024u

/* Small devices, so that a thousand of them fit in memory. */
static const struct sim_layout small = {
    .name = "small",
    .chips = {{.regions = {{0, 1 * KB, 24}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 2000,
               .program_ns = 3000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 0, 9 * KB}, {0, 9 * KB, 9 * KB}}, 8 * KB, TANDEM_MODE_DIRECT}},
    .slot_count = 1,
    .manifests = {{0, 18 * KB, 1 * KB}, {0, 19 * KB, 1 * KB}},
    .journal = {0, 20 * KB, 4 * KB},
    .block_size = 512,
    .buffer_size = 2048,
};

struct device {
    struct sim_unit unit;
    struct sim_link link;
};

struct measured {
    double seconds;    /* simulated, until the last is confirmed */
    double processor;  /* of this process: host, devices and world together */
    size_t host_bytes; /* of the host's state for each device */
    long resident_kb;  /* of this process */
    unsigned confirmed;
    unsigned whole;
};

static long resident_kb(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0, total = 0;

    if (file) {
        if (fscanf(file, "%ld %ld", &total, &pages) != 2)
            pages = 0;
        fclose(file);
    }
    return pages * 4;
}

static void *must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return memory;
}

static void add_device(struct device *device, struct sim_world *world, struct sim_host *host, unsigned index,
                       const struct sim_release *old)
{
    static const struct sim_radio_spec radio = {.interval_us = 15000,
                                                .supervision_us = 2000000,
                                                .reconnect_us = 30000,
                                                .mtu = 247,
                                                .pdu = 251,
                                                .phy = 2,
                                                .host_queue = 8,
                                                .device_queue = 4,
                                                .device_receive = 8};
    static const struct sim_unit_spec spec = {.boot_us = 20000, .confirm_us = 50000, .step_us = 200};

    sim_unit_init(&device->unit, world, &small, &spec);
    sim_unit_factory(&device->unit, old);
    sim_radio_init(&device->link, world, &radio, &host->cpu, &device->unit.cpu);
    sim_unit_attach(&device->unit, &device->link);
    sim_host_attach(host, index, &device->link, NULL);
    device->link.host.cpu = NULL; /* the host looks around at its own pace */
    sim_unit_power_on(&device->unit);
}

static void measure(unsigned count, uint64_t seed, struct measured *result)
{
    struct device *devices = must(calloc(count, sizeof *devices));
    struct sim_release old, new;
    struct sim_set set;
    struct sim_world world;
    static struct sim_host host;
    clock_t begin;

    memset(result, 0, sizeof *result);
    sim_release_make(&old, &small, &(struct sim_release_spec){.number = 1, .counter = 1});
    sim_release_make(&new, &small, &(struct sim_release_spec){.number = 2, .counter = 2});
    sim_set_apply(&set, NULL, &new);
    sim_world_init(&world, seed);
    sim_host_init(&host, &world, &new, count);
    for (unsigned i = 0; i < count; i++)
        add_device(&devices[i], &world, &host, i, &old);
    sim_world_run(&world, 200000);
    host.stop = &world.stop;
    begin = clock();
    sim_host_run(&host, NULL, 0);
    sim_world_run(&world, 120000000);
    result->processor = (double)(clock() - begin) / CLOCKS_PER_SEC;
    result->seconds = (double)(host.ended_us - 200000) / 1e6;
    result->resident_kb = resident_kb();
    result->host_bytes =
        sizeof(struct tandem_update) + sizeof(struct tandem_link_host) + sizeof(struct tandem_link_connector);
    for (unsigned i = 0; i < count; i++) {
        const struct sim_board *board = &devices[i].unit.board;

        result->confirmed += tandem_update_result(&host.updates[i])->status == TANDEM_OK;
        result->whole += (unsigned)sim_board_holds(board, board->boot.bank, &set);
        sim_link_free(&devices[i].link);
        sim_unit_free(&devices[i].unit);
    }
    free(devices);
    sim_host_free(&host);
    sim_world_free(&world);
    sim_release_free(&old);
    sim_release_free(&new);
}

int main(int argc, char **argv)
{
    static const unsigned counts[] = {1, 10, 100, 1000};
    struct measured results[4];
    unsigned failures = 0, plant = 0;

    if (argc == 3 && strcmp(argv[1], "--plant") == 0)
        plant = 1;
    printf("8 KB of firmware to N devices at once, LE 2M, one host process, seed 1\n");
    printf("%8s %10s %12s %14s %16s %12s %12s\n", "devices", "confirmed", "simulated s", "processor s", "host B/device",
           "host KB", "resident KB");
    for (unsigned i = 0; i < 4; i++) {
        struct measured *result = &results[i];

        measure(counts[i], 1, result);
        if (plant && i == 3)
            result->processor = 100 * results[2].processor;
        printf("%8u %10u %12.2f %14.3f %16zu %12.1f %12ld\n", counts[i], result->confirmed, result->seconds,
               result->processor, result->host_bytes, (double)(result->host_bytes * counts[i]) / 1024,
               result->resident_kb);
        if (result->confirmed != counts[i] || result->whole != counts[i])
            failures++, printf("FAILED sim_fleet:%u: not all run the new firmware\n", counts[i]);
    }
    /* Ten times the devices: ten times the work, and little more; the clock is a real one, so there is some slack. */
    if (results[3].processor > 25 * results[2].processor && results[3].processor > 1)
        failures++, printf("FAILED sim_fleet: time grows faster than the number of devices\n");
    if (results[3].resident_kb > 20 * results[2].resident_kb)
        failures++, printf("FAILED sim_fleet: memory grows faster than the number of devices\n");
    return failures != 0;
}
