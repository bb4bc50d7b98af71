/*
 * Devices and hosts in the simulated world: see actors.h.
 */
#include "actors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_US 10000   /* a device with nothing to do looks around so often */
#define RETRY_US 500000 /* an installer that did not open is tried again after so long */

static void *must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return memory;
}

/* ---- devices ---- */

static void unit_receive(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct sim_unit_port *port = ctx;

    tandem_link_device_receive(&port->device, channel, data, size);
}

static void unit_links(struct sim_unit *unit, int up)
{
    for (unsigned i = 0; i < unit->port_count; i++)
        sim_link_enable(unit->ports[i].link, SIM_LINK_DEVICE, up);
}

static void unit_restart(struct sim_unit *unit, uint64_t after_us);

static void unit_reset_done(void *ctx, uint64_t tag)
{
    struct sim_unit *unit = ctx;

    if (tag != unit->cpu.generation)
        return;
    unit->state = SIM_UNIT_BOOTING;
    sim_cpu_wake(&unit->cpu);
}

static void unit_restart(struct sim_unit *unit, uint64_t after_us)
{
    sim_cpu_stop(&unit->cpu);
    unit_links(unit, 0);
    unit->state = SIM_UNIT_OFF;
    sim_world_at(unit->world, unit->world->now_us + after_us, unit_reset_done, unit, unit->cpu.generation);
}

static void unit_lost_power(struct sim_unit *unit)
{
    struct sim_flash *chips[SIM_CHIPS] = {&unit->board.chips[0], &unit->board.chips[1]};

    unit->cuts++;
    sim_power_return(&unit->board.power, chips, unit->board.layout->chip_count);
    unit_restart(unit, unit->spec.off_us + unit->spec.boot_us);
}

static void unit_open(struct sim_unit *unit)
{
    struct sim_board *board = &unit->board;

    unit->started_us = unit->world->now_us;
    unit->idle_erased = 0;
    unit->state = SIM_UNIT_DEAF;
    if (tandem_install_init(&board->install, &board->device, board->buffer, board->layout->buffer_size) != TANDEM_OK)
        return;
    tandem_link_service_init(&unit->service, &board->install, NULL);
    for (unsigned i = 0; i < unit->port_count; i++) {
        struct sim_unit_port *port = &unit->ports[i];
        struct sim_end *end = &port->link->device;

        if (port->link->is_radio) {
            tandem_link_device_init(&port->device, &unit->service, &end->packet, 0);
            continue;
        }
        tandem_stream_init(&port->stream, &end->stream, port->in, sizeof port->in, port->out, sizeof port->out,
                           unit_receive, port);
        tandem_link_device_init(&port->device, &unit->service, tandem_stream_packets(&port->stream),
                                tandem_stream_receive_max(&port->stream));
    }
    unit->state = SIM_UNIT_RUNS;
    unit_links(unit, 1);
}

static void unit_boot(struct sim_unit *unit)
{
    struct sim_flash *chips[SIM_CHIPS] = {&unit->board.chips[0], &unit->board.chips[1]};
    uint64_t stall;
    enum tandem_status status;

    unit->starts++;
    status = sim_board_start(&unit->board);
    stall = unit->board.clock_us; /* the board collected it; the processor suffers it */
    unit->board.clock_us = 0;
    chips[0]->stall_us += stall;
    if (status == TANDEM_OK || status == TANDEM_ERROR_NOTHING)
        unit_open(unit); /* with nothing to start, the bootloader itself receives */
    else
        unit->state = SIM_UNIT_BRICK;
}

static void unit_hear(struct sim_unit_port *port)
{
    struct sim_end *end = &port->link->device;
    struct sim_packet packet;
    uint8_t bytes[256];
    size_t size;
    int change;

    while ((change = sim_end_change(end)) != 0) {
        if (change < 0)
            tandem_link_device_disconnected(&port->device);
        if (!port->link->is_radio)
            tandem_stream_reset(&port->stream);
    }
    if (port->link->is_radio) {
        while (sim_end_packet(end, &packet))
            tandem_link_device_receive(&port->device, (enum tandem_channel)packet.channel, packet.data, packet.size);
        return;
    }
    while ((size = sim_end_bytes(end, bytes, sizeof bytes)) != 0)
        tandem_stream_receive(&port->stream, bytes, size);
    tandem_stream_poll(&port->stream);
}

/* What the product's firmware does beside updates. @return 1: more to do soon */
static int unit_application(struct sim_unit *unit)
{
    struct sim_board *board = &unit->board;
    enum tandem_state state = tandem_install_state(&board->install);
    int bad;

    sim_board_runs(board, &bad);
    if (state == TANDEM_STATE_PENDING && !unit->pending_us)
        unit->pending_us = sim_cpu_now(&unit->cpu);
    if (state == TANDEM_STATE_TRIAL && !bad && unit->world->now_us >= unit->started_us + unit->spec.confirm_us)
        tandem_install_confirm(&board->install);
    if (unit->spec.erase_idle && !unit->idle_erased &&
        (state == TANDEM_STATE_IDLE || state == TANDEM_STATE_CONFIRMED)) {
        enum tandem_status status = tandem_install_erase_idle(&board->install);

        unit->idle_erased = status != TANDEM_AGAIN;
        return 1;
    }
    return 0;
}

static uint64_t unit_turn(struct sim_unit *unit)
{
    uint32_t now_ms = (uint32_t)(sim_cpu_now(&unit->cpu) / 1000);
    int busy = 0;

    if (unit->state == SIM_UNIT_BOOTING) {
        unit_boot(unit);
        return 0;
    }
    if (unit->state == SIM_UNIT_DEAF) {
        unit_open(unit);
        return RETRY_US;
    }
    if (unit->state != SIM_UNIT_RUNS)
        return SIM_NEVER;
    for (unsigned i = 0; i < unit->port_count; i++) {
        unit_hear(&unit->ports[i]);
        busy |= tandem_link_device_poll(&unit->ports[i].device, now_ms) == TANDEM_AGAIN;
        if (!unit->ports[i].link->is_radio)
            busy |= tandem_stream_poll(&unit->ports[i].stream) == TANDEM_AGAIN;
    }
    busy |= unit_application(unit);
    if (unit->board.reboot) {
        unit->board.reboot = 0;
        unit->restart_us = sim_cpu_now(&unit->cpu);
        unit_restart(unit, unit->spec.boot_us);
        return SIM_NEVER;
    }
    return busy ? 0 : IDLE_US;
}

static uint64_t unit_step(void *ctx)
{
    struct sim_unit *unit = ctx;

    if (setjmp(unit->out)) {
        unit_lost_power(unit);
        return SIM_NEVER;
    }
    unit->board.power.out = &unit->out;
    return unit_turn(unit);
}

void sim_unit_init(struct sim_unit *unit, struct sim_world *world, const struct sim_layout *layout,
                   const struct sim_unit_spec *spec)
{
    struct sim_rng rng = sim_world_rng(world);

    memset(unit, 0, sizeof *unit);
    unit->world = world;
    unit->spec = *spec;
    sim_board_init(&unit->board, layout, spec->asynchronous, sim_random(&rng), &world->now_us);
    sim_cpu_init(&unit->cpu, world, unit_step, unit, spec->step_us);
    for (unsigned i = 0; i < layout->chip_count; i++)
        unit->cpu.flashes[i] = &unit->board.chips[i];
}

void sim_unit_free(struct sim_unit *unit)
{
    sim_board_free(&unit->board);
}

void sim_unit_factory(struct sim_unit *unit, const struct sim_release *release)
{
    sim_board_factory(&unit->board, release);
}

void sim_unit_attach(struct sim_unit *unit, struct sim_link *link)
{
    unit->ports[unit->port_count++].link = link;
}

void sim_unit_power_on(struct sim_unit *unit)
{
    unit_restart(unit, unit->spec.boot_us);
}

void sim_unit_power_cut(struct sim_unit *unit)
{
    unit_lost_power(unit);
}

/* ---- hosts ---- */

static enum tandem_status source_read(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct sim_host *host = ctx;

    memcpy(data, host->release->bytes + offset, size);
    return TANDEM_OK;
}

static enum tandem_status peer_connect(void *ctx)
{
    struct sim_peer *peer = ctx;

    sim_link_enable(peer->link, SIM_LINK_HOST, 1);
    return peer->link->up && peer->link->host.up_seen == 1 ? TANDEM_OK : TANDEM_AGAIN;
}

static void peer_disconnect(void *ctx)
{
    struct sim_peer *peer = ctx;

    sim_link_enable(peer->link, SIM_LINK_HOST, 0);
}

static void peer_receive(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct sim_peer *peer = ctx;

    tandem_link_host_receive(&peer->host, channel, data, size);
}

static void peer_hear(struct sim_peer *peer)
{
    struct sim_end *end = &peer->link->host;
    struct sim_packet packet;
    uint8_t bytes[256];
    size_t size;
    int change;

    while ((change = sim_end_change(end)) != 0) {
        if (change < 0)
            tandem_link_host_disconnected(&peer->host);
        if (!peer->link->is_radio)
            tandem_stream_reset(&peer->stream);
    }
    if (peer->link->is_radio) {
        while (sim_end_packet(end, &packet))
            tandem_link_host_receive(&peer->host, (enum tandem_channel)packet.channel, packet.data, packet.size);
        return;
    }
    while ((size = sim_end_bytes(end, bytes, sizeof bytes)) != 0)
        tandem_stream_receive(&peer->stream, bytes, size);
    tandem_stream_poll(&peer->stream);
}

static enum tandem_status host_poll(struct sim_host *host, uint32_t now_ms)
{
    enum tandem_status status = TANDEM_OK;

    if (host->grouped)
        return tandem_group_poll(&host->group, now_ms);
    for (unsigned i = 0; i < host->count; i++) {
        enum tandem_status each = tandem_update_poll(&host->updates[i], now_ms);

        if (each == TANDEM_AGAIN || status == TANDEM_OK)
            status = each;
    }
    return status;
}

static uint64_t host_step(void *ctx)
{
    struct sim_host *host = ctx;

    if (host->status != TANDEM_AGAIN)
        return SIM_NEVER;
    for (unsigned i = 0; i < host->count; i++)
        peer_hear(&host->peers[i]);
    host->status = host_poll(host, (uint32_t)(host->world->now_us / 1000));
    for (unsigned i = 0; i < host->count; i++)
        if (!host->peers[i].link->is_radio)
            tandem_stream_poll(&host->peers[i].stream);
    if (host->status == TANDEM_AGAIN)
        return host->tick_us;
    host->ended_us = host->world->now_us;
    if (host->stop)
        *host->stop = 1;
    return SIM_NEVER;
}

void sim_host_init(struct sim_host *host, struct sim_world *world, const struct sim_release *release, unsigned count)
{
    memset(host, 0, sizeof *host);
    host->world = world;
    host->release = release;
    host->count = count;
    host->tick_us = 5000;
    host->peers = must(calloc(count, sizeof *host->peers));
    host->updates = must(calloc(count, sizeof *host->updates));
    host->source.ctx = host;
    host->source.size = release->size;
    host->source.read = source_read;
    sim_cpu_init(&host->cpu, world, host_step, host, 5);
    if (tandem_offer_open(&host->offer, &host->source, &sim_crypto, host->head, sizeof host->head) != TANDEM_OK) {
        fprintf(stderr, "cannot open the offer\n");
        exit(2);
    }
}

void sim_host_attach(struct sim_host *host, unsigned index, struct sim_link *link,
                     const struct tandem_update_options *options)
{
    struct sim_peer *peer = &host->peers[index];
    struct sim_end *end = &link->host;

    peer->link = link;
    end->cpu = &host->cpu;
    peer->connector.ctx = peer;
    peer->connector.connect = peer_connect;
    peer->connector.disconnect = peer_disconnect;
    if (link->is_radio) {
        tandem_link_host_init(&peer->host, &end->packet, &peer->connector, 0);
    } else {
        tandem_stream_init(&peer->stream, &end->stream, peer->in, sizeof peer->in, peer->out, sizeof peer->out,
                           peer_receive, peer);
        tandem_link_host_init(&peer->host, tandem_stream_packets(&peer->stream), &peer->connector,
                              tandem_stream_receive_max(&peer->stream));
    }
    tandem_update_init(&host->updates[index], tandem_link_host_target(&peer->host), &host->offer, options);
}

void sim_host_run(struct sim_host *host, const struct tandem_group_options *group, int grouped)
{
    host->grouped = grouped;
    if (grouped)
        tandem_group_init(&host->group, host->updates, (uint16_t)host->count, group);
    host->status = TANDEM_AGAIN;
    sim_cpu_wake(&host->cpu);
}

void sim_host_kill(struct sim_host *host)
{
    sim_cpu_stop(&host->cpu);
    for (unsigned i = 0; i < host->count; i++) {
        host->peers[i].link->host.cpu = NULL;
        sim_link_enable(host->peers[i].link, SIM_LINK_HOST, 0);
    }
}

void sim_host_free(struct sim_host *host)
{
    free(host->peers);
    free(host->updates);
}
