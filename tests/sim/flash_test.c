/*
 * The simulated flash and world, tested themselves: each rule is broken once
 * on purpose and must be noticed, each kind of cut must leave what it says.
 */
#include "check.h"
#include "flash.h"
#include "world.h"

static uint64_t now_us;
static struct sim_power power;
static struct sim_flash flash;

static const struct sim_flash_spec spec4 = {
    .regions = {{0x1000, 256, 4}, {0x2000, 1024, 2}},
    .region_count = 2,
    .program_unit = 4,
    .erased = 0xFF,
    .erase_us = 1000,
    .program_ns = 1000,
};

static void fresh(int asynchronous)
{
    struct sim_flash_spec spec = spec4;

    spec.asynchronous = (uint8_t)asynchronous;
    now_us = 0;
    sim_power_init(&power, 1);
    sim_flash_init(&flash, &spec, &power, &now_us);
}

static enum tandem_status program(uint32_t address, const void *data, size_t size)
{
    return flash.port.program(flash.port.ctx, address, data, size);
}

static enum tandem_status erase(uint32_t address)
{
    return flash.port.erase(flash.port.ctx, address);
}

static uint8_t read1(uint32_t address)
{
    uint8_t byte = 0;

    flash.port.read(flash.port.ctx, address, &byte, 1);
    return byte;
}

static void test_rules_are_noticed(void)
{
    uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t byte;

    fresh(0);
    CHECK_EQUAL(program(0x1000, data, 8), TANDEM_OK);
    CHECK_EQUAL(erase(0x2400), TANDEM_OK);
    CHECK_EQUAL(sim_flash_violations(&flash), 0);
    CHECK_EQUAL(program(0x1001, data, 4), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(program(0x1010, data, 3), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(flash.violations[SIM_VIOLATION_UNALIGNED], 2);
    program(0x1004, data + 4, 4);
    CHECK_EQUAL(flash.violations[SIM_VIOLATION_TWICE], 1);
    CHECK_EQUAL(flash.violations[SIM_VIOLATION_BITS], 0);
    program(0x1004, data, 4);
    CHECK_EQUAL(flash.violations[SIM_VIOLATION_BITS], 1);
    CHECK_EQUAL(read1(0x1004), 5 & 1);
    CHECK_EQUAL(erase(0x1004), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(flash.violations[SIM_VIOLATION_SECTOR], 1);
    CHECK_EQUAL(erase(0x3000), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(flash.port.read(flash.port.ctx, 0xFFF, &byte, 1), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(program(0x2800, data, 4), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(flash.violations[SIM_VIOLATION_RANGE], 3);
    sim_flash_free(&flash);
}

static void test_asynchronous(void)
{
    uint8_t data[4] = {0};

    fresh(1);
    CHECK_EQUAL(erase(0x1000), TANDEM_AGAIN);
    now_us = 500;
    CHECK_EQUAL(erase(0x1000), TANDEM_AGAIN);
    CHECK_EQUAL(flash.violations[SIM_VIOLATION_BUSY], 0);
    read1(0x2000);
    CHECK_EQUAL(program(0x1100, data, 4), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(flash.violations[SIM_VIOLATION_BUSY], 2);
    now_us = 1000;
    CHECK_EQUAL(erase(0x1000), TANDEM_OK);
    CHECK_EQUAL(power.ops, 1);
    CHECK_EQUAL(flash.stats.erases, 1);
    sim_flash_free(&flash);
}

/* Cut in the second unit of a program. */
static void cut_program(enum sim_tear tear)
{
    static uint8_t data[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

    fresh(0);
    power.cut_at = 2;
    power.tear = tear;
    CHECK_EQUAL(program(0x1000, data, 12), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(power.on, 0);
    CHECK_EQUAL(erase(0x1000), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(flash.violations[SIM_VIOLATION_DEAD], 1);
    sim_power_return(&power, (struct sim_flash *[]){&flash}, 1);
    CHECK_EQUAL(read1(0x1000), 0);
}

static unsigned differing_reads(uint32_t address, uint32_t size)
{
    unsigned count = 0;
    uint8_t first[256], again[256];

    flash.port.read(flash.port.ctx, address, first, size);
    for (int i = 0; i < 200; i++) {
        flash.port.read(flash.port.ctx, address, again, size);
        count += memcmp(first, again, size) != 0;
    }
    return count;
}

static void test_torn_programs(void)
{
    cut_program(SIM_TEAR_BEFORE);
    CHECK_EQUAL(read1(0x1004), 0xFF);
    CHECK_EQUAL(flash.spent[1], 0);
    sim_flash_free(&flash);
    cut_program(SIM_TEAR_SOME);
    CHECK(memcmp(sim_flash_at(&flash, 0x1004), "\xFF\xFF\xFF\xFF", 4) != 0);
    CHECK_EQUAL(flash.spent[1], 1);
    CHECK_EQUAL(differing_reads(0x1000, 16), 0);
    sim_flash_free(&flash);
    cut_program(SIM_TEAR_UNSTABLE);
    CHECK(differing_reads(0x1004, 4) > 150);
    CHECK_EQUAL(differing_reads(0x1008, 8), 0);
    CHECK_EQUAL(erase(0x1000), TANDEM_OK);
    CHECK_EQUAL(differing_reads(0x1004, 4), 0);
    sim_flash_free(&flash);
    cut_program(SIM_TEAR_WEAK);
    CHECK(memcmp(sim_flash_at(&flash, 0x1004), "\xFF\xFF\xFF\xFF", 4) == 0);
    CHECK(differing_reads(0x1004, 4) > 0);
    sim_flash_free(&flash);
    cut_program(SIM_TEAR_ALMOST);
    CHECK(memcmp(sim_flash_at(&flash, 0x1004), "\0\0\0\0", 4) == 0);
    CHECK(differing_reads(0x1004, 4) > 0);
    sim_flash_free(&flash);
    cut_program(SIM_TEAR_AFTER);
    CHECK_EQUAL(read1(0x1004), 0);
    CHECK_EQUAL(read1(0x1008), 0xFF);
    sim_flash_free(&flash);
}

/* Cut in an erase of a sector full of zeros. @return bytes that read as erased */
static unsigned cut_erase(enum sim_tear tear)
{
    static uint8_t zeros[256];
    unsigned erased = 0;

    fresh(0);
    sim_flash_put(&flash, 0x1100, zeros, 256);
    power.cut_at = 1;
    power.tear = tear;
    CHECK_EQUAL(erase(0x1100), TANDEM_ERROR_FLASH);
    sim_power_return(&power, (struct sim_flash *[]){&flash}, 1);
    for (uint32_t i = 0; i < 256; i++)
        erased += *sim_flash_at(&flash, 0x1100 + i) == 0xFF;
    return erased;
}

static void test_torn_erases(void)
{
    CHECK_EQUAL(cut_erase(SIM_TEAR_BEFORE), 0);
    sim_flash_free(&flash);
    CHECK(cut_erase(SIM_TEAR_SOME) < 64);
    CHECK_EQUAL(differing_reads(0x1100, 256), 0);
    sim_flash_free(&flash);
    CHECK(cut_erase(SIM_TEAR_UNSTABLE) < 64);
    CHECK(differing_reads(0x1100, 256) > 190);
    sim_flash_free(&flash);
    CHECK_EQUAL(cut_erase(SIM_TEAR_WEAK), 256);
    CHECK(differing_reads(0x1100, 256) > 100);
    sim_flash_free(&flash);
    CHECK_EQUAL(cut_erase(SIM_TEAR_ALMOST), 0);
    CHECK(differing_reads(0x1100, 256) > 100);
    sim_flash_free(&flash);
    CHECK_EQUAL(cut_erase(SIM_TEAR_SCATTER), 128);
    sim_flash_free(&flash);
    CHECK_EQUAL(cut_erase(SIM_TEAR_AFTER), 256);
    sim_flash_free(&flash);
}

static void test_faults(void)
{
    uint8_t zeros[8] = {0};

    fresh(0);
    power.fail_at = 2;
    power.fail_count = 1;
    CHECK_EQUAL(program(0x1000, zeros, 4), TANDEM_OK);
    CHECK_EQUAL(program(0x1004, zeros, 4), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(program(0x1008, zeros, 4), TANDEM_OK);
    sim_flash_stick(&flash, 0x1010, 0x81);
    CHECK_EQUAL(program(0x1010, zeros, 4), TANDEM_OK);
    CHECK_EQUAL(read1(0x1010), 0x81);
    sim_flash_flip(&flash, 0x1000, 3);
    CHECK_EQUAL(read1(0x1000), 8);
    sim_flash_free(&flash);
}

/* ---- the world ---- */

struct peer {
    struct sim_cpu cpu;
    struct sim_end *end;
    uint64_t packets;
    uint64_t sent;
    int up;
};

static struct sim_world world;
static struct peer host, device;

static uint64_t peer_step(void *ctx)
{
    struct peer *peer = ctx;
    struct sim_packet packet;
    static const uint8_t data[SIM_PACKET_MAX];
    int change;

    while ((change = sim_end_change(peer->end)) != 0)
        peer->up = change > 0;
    while (sim_end_packet(peer->end, &packet))
        peer->packets++;
    if (!peer->end->host)
        return SIM_NEVER;
    while (peer->up &&
           peer->end->packet.send(peer->end, TANDEM_CHANNEL_DATA, data, peer->end->packet.mtu(peer->end)) == TANDEM_OK)
        peer->sent++;
    return SIM_NEVER;
}

static double measure(const struct sim_radio_spec *spec, uint64_t us)
{
    struct sim_link link;

    memset(&host, 0, sizeof host);
    memset(&device, 0, sizeof device);
    sim_world_init(&world, 7);
    sim_cpu_init(&host.cpu, &world, peer_step, &host, 1);
    sim_cpu_init(&device.cpu, &world, peer_step, &device, 1);
    sim_radio_init(&link, &world, spec, &host.cpu, &device.cpu);
    host.end = &link.host;
    device.end = &link.device;
    sim_link_enable(&link, SIM_LINK_HOST | SIM_LINK_DEVICE, 1);
    sim_world_run(&world, us);
    sim_link_free(&link);
    sim_world_free(&world);
    return (double)link.device.stats.data_bytes * 1e6 / (double)us;
}

static const struct sim_radio_spec fast = {
    .interval_us = 15000,
    .mtu = 247,
    .pdu = 251,
    .phy = 2,
    .host_queue = 24,
    .device_queue = 8,
    .device_receive = 16,
};

/* The published figures of the radio: see the table in README.md. */
static void test_radio_rates(void)
{
    struct sim_radio_spec spec = fast;

    CHECK_EQUAL(sim_radio_air_us(&spec, 251), 1048);
    CHECK_EQUAL(sim_radio_air_us(&spec, 0), 44);
    CHECK_EQUAL(sim_radio_best(&spec), 162666);
    CHECK(measure(&spec, 3000000) > 162000 && measure(&spec, 3000000) < 162700);
    spec.interval_us = 7500;
    CHECK_EQUAL(sim_radio_best(&spec), 162666);
    spec.phy = 1;
    CHECK_EQUAL(sim_radio_air_us(&spec, 251), 2088);
    CHECK_EQUAL(sim_radio_best(&spec), 97600);
    CHECK(measure(&spec, 3000000) > 97000 && measure(&spec, 3000000) < 97700);
    spec.interval_us = 30000;
    spec.pdu = 27;
    spec.mtu = 23;
    CHECK(measure(&spec, 3000000) > 28000 && measure(&spec, 3000000) < 29700);
}

static void test_radio_loss(void)
{
    struct sim_radio_spec spec = fast;

    spec.event_loss_ppm = 200000;
    CHECK(measure(&spec, 5000000) > 0.75 * 162666 && measure(&spec, 5000000) < 0.85 * 162666);
    CHECK_EQUAL(host.sent - device.packets, host.sent > device.packets ? host.sent - device.packets : 0);
    CHECK(host.sent - device.packets <= 24);
    spec.event_loss_ppm = 0;
    spec.packet_loss_ppm = 100000;
    measure(&spec, 1000000);
    CHECK(device.packets < host.sent * 95 / 100 && device.packets > host.sent * 85 / 100);
    spec.packet_loss_ppm = 0;
    spec.disconnect_us = 500000;
    spec.reconnect_us = 100000;
    CHECK(measure(&spec, 5000000) > 0.75 * 162666 && measure(&spec, 5000000) < 0.82 * 162666);
}

static uint64_t stalls_step(void *ctx)
{
    peer_step(ctx);
    flash.stall_us += 20000;
    return SIM_NEVER;
}

/* A device that stands still is not sent more than its controller holds, and loses nothing. */
static void test_flow_control(void)
{
    struct sim_radio_spec spec = fast;
    struct sim_link link;

    fresh(0);
    memset(&host, 0, sizeof host);
    memset(&device, 0, sizeof device);
    sim_world_init(&world, 7);
    sim_cpu_init(&host.cpu, &world, peer_step, &host, 1);
    sim_cpu_init(&device.cpu, &world, stalls_step, &device, 1);
    device.cpu.flashes[0] = &flash;
    spec.device_receive = 4;
    sim_radio_init(&link, &world, &spec, &host.cpu, &device.cpu);
    host.end = &link.host;
    device.end = &link.device;
    sim_link_enable(&link, SIM_LINK_HOST | SIM_LINK_DEVICE, 1);
    sim_world_run(&world, 2000000);
    CHECK_EQUAL(link.device.stats.dropped, 0);
    CHECK(device.packets > 300 && device.packets < 420);
    CHECK(host.sent - device.packets <= 24 + 4);
    sim_link_free(&link);
    sim_world_free(&world);
    sim_flash_free(&flash);
}

int main(void)
{
    RUN(test_rules_are_noticed);
    RUN(test_asynchronous);
    RUN(test_torn_programs);
    RUN(test_torn_erases);
    RUN(test_faults);
    RUN(test_radio_rates);
    RUN(test_radio_loss);
    RUN(test_flow_control);
    return check_report();
}
