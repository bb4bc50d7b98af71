/*
 * The simulated world: see world.h. Air times are those of the Bluetooth Core
 * specification, Vol 6 Part B §2.1: preamble, access address, header,
 * payload, MIC if encrypted, CRC; 150 µs between packets.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IFS_US 150
#define L2CAP_ATT 7      /* bytes of L2CAP and ATT headers around a value */
#define WIRE_TICK_US 500 /* a wire is moved on in such steps */
#define SIM_CHANNEL_RESPONSE 0xFE

static void *must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return memory;
}

/* ---- clock ---- */

void sim_world_init(struct sim_world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->seed = seed;
}

void sim_world_free(struct sim_world *world)
{
    free(world->events);
    world->events = NULL;
    world->count = world->capacity = 0;
}

struct sim_rng sim_world_rng(struct sim_world *world)
{
    struct sim_rng rng = {sim_mix(world->seed, ++world->parts)};

    return rng;
}

static int earlier(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void sim_world_at(struct sim_world *world, uint64_t at, void (*action)(void *ctx, uint64_t tag), void *ctx,
                  uint64_t tag)
{
    struct sim_event event = {0};
    size_t i;

    if (world->count == world->capacity) {
        world->capacity = world->capacity ? world->capacity * 2 : 64;
        world->events = must(realloc(world->events, world->capacity * sizeof *world->events));
    }
    event.at = at < world->now_us ? world->now_us : at;
    event.order = world->order++;
    event.action = action;
    event.ctx = ctx;
    event.tag = tag;
    for (i = world->count++; i > 0 && earlier(&event, &world->events[(i - 1) / 2]); i = (i - 1) / 2)
        world->events[i] = world->events[(i - 1) / 2];
    world->events[i] = event;
}

static struct sim_event take_first(struct sim_world *world)
{
    struct sim_event first = world->events[0];
    struct sim_event last = world->events[--world->count];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= world->count)
            break;
        if (child + 1 < world->count && earlier(&world->events[child + 1], &world->events[child]))
            child++;
        if (!earlier(&world->events[child], &last))
            break;
        world->events[i] = world->events[child];
        i = child;
    }
    world->events[i] = last;
    return first;
}

int sim_world_run(struct sim_world *world, uint64_t until)
{
    world->stop = 0;
    while (!world->stop && world->count && world->events[0].at <= until) {
        struct sim_event event = take_first(world);

        world->now_us = event.at;
        event.action(event.ctx, event.tag);
    }
    if (!world->stop && world->now_us < until && until != SIM_NEVER)
        world->now_us = until;
    return world->stop;
}

/* ---- processors ---- */

static void cpu_turn(void *ctx, uint64_t tag)
{
    struct sim_cpu *cpu = ctx;
    uint64_t sleep;
    uint64_t stall = 0;
    uint64_t generation = cpu->generation;

    if (tag != cpu->generation || cpu->due > cpu->world->now_us)
        return;
    cpu->due = SIM_NEVER;
    cpu->turns++;
    sleep = cpu->step(cpu->ctx);
    if (generation != cpu->generation)
        return; /* switched off meanwhile */
    for (unsigned i = 0; i < SIM_CPU_FLASHES && cpu->flashes[i]; i++) {
        stall += cpu->flashes[i]->stall_us;
        cpu->flashes[i]->stall_us = 0;
    }
    cpu->busy_until = cpu->world->now_us + stall + cpu->step_us;
    if (cpu->due != SIM_NEVER && cpu->due < cpu->busy_until)
        cpu->due = SIM_NEVER, sleep = 0; /* woken during the turn: again at once */
    if (sleep != SIM_NEVER && cpu->busy_until + sleep < cpu->due) {
        cpu->due = cpu->busy_until + sleep;
        sim_world_at(cpu->world, cpu->due, cpu_turn, cpu, cpu->generation);
    }
}

void sim_cpu_init(struct sim_cpu *cpu, struct sim_world *world, uint64_t (*step)(void *ctx), void *ctx,
                  uint32_t step_us)
{
    memset(cpu, 0, sizeof *cpu);
    cpu->world = world;
    cpu->step = step;
    cpu->ctx = ctx;
    cpu->step_us = step_us ? step_us : 1;
    cpu->due = SIM_NEVER;
    cpu->running = 1;
}

void sim_cpu_wake(struct sim_cpu *cpu)
{
    uint64_t at = cpu->world->now_us > cpu->busy_until ? cpu->world->now_us : cpu->busy_until;

    cpu->running = 1;
    if (at >= cpu->due)
        return;
    cpu->due = at;
    sim_world_at(cpu->world, at, cpu_turn, cpu, cpu->generation);
}

void sim_cpu_stop(struct sim_cpu *cpu)
{
    cpu->generation++;
    cpu->due = SIM_NEVER;
    cpu->busy_until = 0;
    cpu->running = 0;
    for (unsigned i = 0; i < SIM_CPU_FLASHES && cpu->flashes[i]; i++)
        cpu->flashes[i]->stall_us = 0;
}

uint64_t sim_cpu_now(const struct sim_cpu *cpu)
{
    uint64_t now = cpu->world->now_us;

    for (unsigned i = 0; i < SIM_CPU_FLASHES && cpu->flashes[i]; i++)
        now += cpu->flashes[i]->stall_us;
    return now;
}

/* ---- queues ---- */

static void queue_init(struct sim_queue *queue, unsigned size)
{
    if (size == 0 || size > SIM_QUEUE_MAX)
        size = SIM_QUEUE_MAX;
    queue->packets = must(malloc(size * sizeof *queue->packets));
    queue->size = size;
    queue->first = queue->count = 0;
}

static struct sim_packet *queue_head(struct sim_queue *queue)
{
    return queue->count ? &queue->packets[queue->first] : NULL;
}

static void queue_pop(struct sim_queue *queue)
{
    queue->first = (queue->first + 1) % queue->size;
    queue->count--;
}

static struct sim_packet *queue_push(struct sim_queue *queue)
{
    return queue->count == queue->size ? NULL : &queue->packets[(queue->first + queue->count++) % queue->size];
}

static void packet_copy(struct sim_packet *to, const struct sim_packet *from)
{
    to->ready_us = from->ready_us;
    to->size = from->size;
    to->sent = from->sent;
    to->channel = from->channel;
    memcpy(to->data, from->data, from->size);
}

/* ---- ends ---- */

static struct sim_end *other_end(struct sim_end *end)
{
    return end->host ? &end->link->device : &end->link->host;
}

static enum tandem_status end_send(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct sim_end *end = ctx;
    struct sim_packet *packet;

    if (!end->link->up || end->up_seen != 1)
        return TANDEM_ERROR_DISCONNECTED;
    if (size > end->packet.mtu(end))
        return TANDEM_ERROR_PORT;
    if (end->host && channel == TANDEM_CHANNEL_CONTROL && end->awaiting) {
        end->turned_away = 1;
        return TANDEM_AGAIN;
    }
    packet = queue_push(&end->out);
    if (!packet) {
        end->turned_away = 1;
        return TANDEM_AGAIN;
    }
    if (end->host && channel == TANDEM_CHANNEL_CONTROL)
        end->awaiting = 1;
    if (channel == TANDEM_CHANNEL_DATA) {
        end->stats.data_sent += size;
        end->stats.data_packets++;
    }
    packet->ready_us = end->cpu ? sim_cpu_now(end->cpu) : end->link->world->now_us;
    packet->size = (uint16_t)size;
    packet->sent = 0;
    packet->channel = (uint8_t)channel;
    memcpy(packet->data, data, size);
    return TANDEM_OK;
}

static uint16_t end_mtu(void *ctx)
{
    const struct sim_end *end = ctx;
    uint16_t size = (uint16_t)(end->link->radio.mtu - 3);

    return size > SIM_PACKET_MAX ? SIM_PACKET_MAX : size;
}

int sim_end_change(struct sim_end *end)
{
    int up = end->link->up;

    /* A connection that went and came back between two looks is seen as both. */
    if (end->up_seen == 2) {
        end->up_seen = 0;
        return -1;
    }
    if (up == end->up_seen)
        return 0;
    end->up_seen = up;
    return up ? 1 : -1;
}

int sim_end_packet(struct sim_end *end, struct sim_packet *packet)
{
    struct sim_packet *head = queue_head(&end->in);

    if (!head)
        return 0;
    packet_copy(packet, head);
    queue_pop(&end->in);
    if (!end->host && packet->channel == TANDEM_CHANNEL_CONTROL) {
        struct sim_packet *response = queue_push(&end->out);

        if (response) {
            response->ready_us = sim_cpu_now(end->cpu);
            response->size = 0;
            response->sent = 0;
            response->channel = SIM_CHANNEL_RESPONSE;
        } else {
            end->link->host.awaiting = 0; /* the stack keeps a buffer for responses */
        }
    }
    end->stats.packets++;
    end->stats.bytes += packet->size;
    if (packet->channel == TANDEM_CHANNEL_DATA)
        end->stats.data_bytes += packet->size;
    return 1;
}

size_t sim_end_bytes(struct sim_end *end, uint8_t *bytes, size_t size)
{
    size_t take = end->wire_in_count < size ? end->wire_in_count : size;

    if (take == 0)
        return 0;
    memcpy(bytes, end->wire_in, take);
    end->wire_in_count -= (uint32_t)take;
    memmove(end->wire_in, end->wire_in + take, end->wire_in_count);
    end->stats.bytes += take;
    return take;
}

static void end_flush(struct sim_end *end)
{
    end->out.count = end->in.count = 0;
    end->wire_out_count = end->wire_in_count = 0;
    end->awaiting = end->turned_away = 0;
    if (end->up_seen == 1)
        end->up_seen = 2;
}

static void end_wake(struct sim_end *end)
{
    if (end->cpu && end->cpu->running)
        sim_cpu_wake(end->cpu);
}

/* ---- connections ---- */

static void radio_event(void *ctx, uint64_t generation);
static void wire_tick(void *ctx, uint64_t generation);

static void link_up(void *ctx, uint64_t generation)
{
    struct sim_link *link = ctx;

    if (generation != link->generation || link->enabled != (SIM_LINK_HOST | SIM_LINK_DEVICE) || link->up)
        return;
    link->up = 1;
    link->connections++;
    link->anchor_us = link->contact_us = link->world->now_us;
    end_wake(&link->host);
    end_wake(&link->device);
    sim_world_at(link->world, link->world->now_us, link->is_radio ? radio_event : wire_tick, link, link->generation);
}

static void link_down(struct sim_link *link)
{
    link->generation++;
    if (!link->up)
        return;
    link->up = 0;
    link->holding = 0;
    end_flush(&link->host);
    end_flush(&link->device);
    end_wake(&link->host);
    end_wake(&link->device);
}

void sim_link_drop(struct sim_link *link)
{
    uint32_t delay = link->is_radio ? link->radio.reconnect_us : link->wire.replug_us;

    link_down(link);
    if (link->enabled == (SIM_LINK_HOST | SIM_LINK_DEVICE))
        sim_world_at(link->world, link->world->now_us + delay, link_up, link, link->generation);
}

void sim_link_enable(struct sim_link *link, unsigned ends, int enabled)
{
    unsigned now = enabled ? link->enabled | ends : link->enabled & ~ends;

    if (link->enabled == now)
        return;
    link->enabled = now;
    sim_link_drop(link);
}

static void scheduled_drop(void *ctx, uint64_t tag)
{
    struct sim_link *link = ctx;
    uint32_t every = link->is_radio ? link->radio.disconnect_us : link->wire.unplug_us;

    (void)tag;
    if (link->up)
        sim_link_drop(link);
    if (every)
        sim_world_at(link->world, link->world->now_us + every, scheduled_drop, link, 0);
}

/* ---- radio ---- */

uint32_t sim_radio_air_us(const struct sim_radio_spec *spec, uint32_t size)
{
    uint32_t mic = spec->encrypted && size ? 4 : 0;

    return spec->phy == 2 ? (2 + 4 + 2 + size + mic + 3) * 4 : (1 + 4 + 2 + size + mic + 3) * 8;
}

double sim_radio_best(const struct sim_radio_spec *spec)
{
    uint32_t value = spec->mtu - 3u > SIM_PACKET_MAX ? SIM_PACKET_MAX : spec->mtu - 3u;
    uint32_t frame = value + L2CAP_ATT;
    uint32_t pdus = 0;
    uint32_t time = 0;
    double packets;

    for (uint32_t sent = 0; sent < frame; sent += spec->pdu, pdus++) {
        uint32_t part = frame - sent < spec->pdu ? frame - sent : spec->pdu;

        time += sim_radio_air_us(spec, part) + sim_radio_air_us(spec, 0) + 2 * IFS_US;
    }
    packets = (double)((spec->interval_us - spec->guard_us) / (time / pdus)) / pdus;
    if (spec->max_exchanges && packets > (double)spec->max_exchanges / pdus)
        packets = (double)spec->max_exchanges / pdus;
    return packets * value * 1e6 / spec->interval_us;
}

/* The packet that an end would send at this moment. */
static struct sim_packet *ready_packet(struct sim_end *end)
{
    struct sim_packet *packet = queue_head(&end->out);

    return packet && packet->ready_us <= end->link->world->now_us ? packet : NULL;
}

static uint32_t frame_size(const struct sim_packet *packet)
{
    return packet->channel == SIM_CHANNEL_RESPONSE ? 5u : packet->size + (uint32_t)L2CAP_ATT;
}

static uint32_t next_part(const struct sim_link *link, const struct sim_packet *packet)
{
    uint32_t left;

    if (!packet)
        return 0;
    left = frame_size(packet) - packet->sent;
    return left < link->radio.pdu ? left : link->radio.pdu;
}

static int chance(struct sim_link *link, uint32_t ppm)
{
    return ppm && sim_below(&link->rng, 1000000) < ppm;
}

static void deliver_packet(struct sim_end *end, const struct sim_packet *packet)
{
    struct sim_packet *slot = queue_push(&end->in);

    if (!slot) {
        end->stats.dropped++;
        return;
    }
    packet_copy(slot, packet);
}

/* The one flip that a campaign asked for. */
static void flip_asked(struct sim_link *link, uint8_t *bytes, uint32_t size)
{
    if (link->flip_at > link->bytes && link->flip_at <= link->bytes + size)
        bytes[link->flip_at - link->bytes - 1] ^= (uint8_t)(1u << link->flip_bit);
    link->bytes += size;
}

/* A whole packet has arrived: what the stacks above make of it. */
static void deliver(struct sim_link *link, struct sim_end *end, struct sim_packet *packet)
{
    flip_asked(link, packet->data, packet->size);
    if (packet->channel == SIM_CHANNEL_RESPONSE) {
        end->awaiting = 0;
        end->turned_away = 0;
        return;
    }
    if (packet->channel == TANDEM_CHANNEL_DATA) {
        if (chance(link, link->radio.packet_loss_ppm)) {
            end->stats.dropped++;
            return;
        }
        if (packet->size && chance(link, link->radio.flip_ppm))
            packet->data[sim_below(&link->rng, packet->size)] ^= (uint8_t)(1u << sim_below(&link->rng, 8));
        if (!link->holding && chance(link, link->radio.swap_ppm)) {
            packet_copy(&link->held, packet);
            link->holding = 1;
            return;
        }
    }
    deliver_packet(end, packet);
    if (link->holding && packet->channel == TANDEM_CHANNEL_DATA) {
        deliver_packet(end, &link->held);
        link->holding = 0;
    }
}

/* One direction of an exchange has ended. */
static void part_arrives(struct sim_link *link, struct sim_end *from, uint32_t part)
{
    struct sim_packet *packet = queue_head(&from->out);
    struct sim_end *to = other_end(from);

    if (part == 0 || !packet)
        return;
    /* Flow control of the link layer: no room, no acknowledgement, sent again later. One place stays for a swap. */
    if (to->in.count + 1 >= to->in.size)
        return;
    packet->sent = (uint16_t)(packet->sent + part);
    if (packet->sent < frame_size(packet))
        return;
    deliver(link, to, packet);
    queue_pop(&from->out);
    end_wake(to);
    if (from->turned_away) {
        from->turned_away = 0;
        end_wake(from);
    }
}

static void radio_exchange(void *ctx, uint64_t generation);

/* Begin an exchange if there is something to say (or it is the event's first) and it fits. */
static void begin_exchange(struct sim_link *link)
{
    uint32_t down = next_part(link, ready_packet(&link->host));
    uint32_t up = next_part(link, ready_packet(&link->device));
    uint64_t end =
        link->world->now_us + sim_radio_air_us(&link->radio, down) + sim_radio_air_us(&link->radio, up) + 2 * IFS_US;

    if (link->exchanges && down == 0 && up == 0)
        return;
    if (link->radio.max_exchanges && link->exchanges >= link->radio.max_exchanges)
        return;
    if (end > link->anchor_us + link->radio.interval_us - link->radio.guard_us)
        return;
    link->exchanges++;
    /* The sizes travel in the event: what is queued later waits for the next exchange. */
    link->host.on_air = down;
    link->device.on_air = up;
    sim_world_at(link->world, end, radio_exchange, link, link->generation);
}

static void radio_exchange(void *ctx, uint64_t generation)
{
    struct sim_link *link = ctx;

    if (generation != link->generation)
        return;
    part_arrives(link, &link->host, link->host.on_air);
    part_arrives(link, &link->device, link->device.on_air);
    begin_exchange(link);
}

static void radio_event(void *ctx, uint64_t generation)
{
    struct sim_link *link = ctx;

    if (generation != link->generation)
        return;
    link->events++;
    link->anchor_us = link->world->now_us;
    link->exchanges = 0;
    sim_world_at(link->world, link->anchor_us + link->radio.interval_us, radio_event, link, generation);
    if (chance(link, link->radio.event_loss_ppm)) {
        if (link->radio.supervision_us && link->anchor_us - link->contact_us > link->radio.supervision_us)
            sim_link_drop(link);
        return;
    }
    link->contact_us = link->anchor_us;
    begin_exchange(link);
}

/* ---- wire ---- */

static enum tandem_status end_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    struct sim_end *end = ctx;
    size_t room = SIM_WIRE_MAX - end->wire_out_count;

    *sent = 0;
    if (!end->link->up || end->up_seen != 1)
        return TANDEM_ERROR_DISCONNECTED;
    if (size > room) {
        size = room;
        end->turned_away = 1;
    }
    if (size)
        memcpy(end->wire_out + end->wire_out_count, data, size);
    end->wire_out_count += (uint32_t)size;
    *sent = size;
    return TANDEM_OK;
}

static void wire_move(struct sim_link *link, struct sim_end *from, uint32_t budget)
{
    struct sim_end *to = other_end(from);
    uint32_t limit =
        link->wire.receive_size && link->wire.receive_size < SIM_WIRE_MAX ? link->wire.receive_size : SIM_WIRE_MAX;
    uint32_t count = from->wire_out_count < budget ? from->wire_out_count : budget;

    flip_asked(link, from->wire_out, count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t byte = from->wire_out[i];

        if (chance(link, link->wire.loss_ppm) || to->wire_in_count == limit) {
            to->stats.dropped++;
            continue;
        }
        if (chance(link, link->wire.noise_ppm))
            byte ^= (uint8_t)(1u << sim_below(&link->rng, 8));
        to->wire_in[to->wire_in_count++] = byte;
    }
    if (count == 0)
        return;
    from->wire_out_count -= count;
    memmove(from->wire_out, from->wire_out + count, from->wire_out_count);
    end_wake(to);
    if (from->turned_away) {
        from->turned_away = 0;
        end_wake(from);
    }
}

static void wire_tick(void *ctx, uint64_t generation)
{
    struct sim_link *link = ctx;
    uint64_t tick = (link->world->now_us - link->anchor_us) / WIRE_TICK_US;
    uint64_t before;
    uint64_t now;

    if (generation != link->generation)
        return;
    /* Whole bytes by the clock, so that no rate is rounded away. */
    before = tick * WIRE_TICK_US * link->wire.baud / 10000000u;
    now = (tick + 1) * WIRE_TICK_US * link->wire.baud / 10000000u;
    sim_world_at(link->world, link->world->now_us + WIRE_TICK_US, wire_tick, link, generation);
    wire_move(link, &link->host, (uint32_t)(now - before));
    wire_move(link, &link->device, (uint32_t)(now - before));
}

/* ---- making links ---- */

static void end_init(struct sim_end *end, struct sim_link *link, struct sim_cpu *cpu, int host)
{
    end->link = link;
    end->cpu = cpu;
    end->host = host;
    end->packet.ctx = end;
    end->packet.send = end_send;
    end->packet.mtu = end_mtu;
    end->stream.ctx = end;
    end->stream.write = end_write;
}

static void link_init(struct sim_link *link, struct sim_world *world, struct sim_cpu *host, struct sim_cpu *device)
{
    memset(link, 0, sizeof *link);
    link->world = world;
    link->rng = sim_world_rng(world);
    end_init(&link->host, link, host, 1);
    end_init(&link->device, link, device, 0);
}

void sim_radio_init(struct sim_link *link, struct sim_world *world, const struct sim_radio_spec *spec,
                    struct sim_cpu *host, struct sim_cpu *device)
{
    link_init(link, world, host, device);
    link->radio = *spec;
    link->is_radio = 1;
    queue_init(&link->host.out, spec->host_queue);
    queue_init(&link->host.in, SIM_QUEUE_MAX);
    queue_init(&link->device.out, spec->device_queue);
    queue_init(&link->device.in, spec->device_receive ? spec->device_receive + 1u : 0);
    if (spec->disconnect_us)
        sim_world_at(world, world->now_us + spec->disconnect_us, scheduled_drop, link, 0);
}

void sim_wire_init(struct sim_link *link, struct sim_world *world, const struct sim_wire_spec *spec,
                   struct sim_cpu *host, struct sim_cpu *device)
{
    link_init(link, world, host, device);
    link->wire = *spec;
    link->host.wire_out = must(malloc(SIM_WIRE_MAX));
    link->host.wire_in = must(malloc(SIM_WIRE_MAX));
    link->device.wire_out = must(malloc(SIM_WIRE_MAX));
    link->device.wire_in = must(malloc(SIM_WIRE_MAX));
    if (spec->unplug_us)
        sim_world_at(world, world->now_us + spec->unplug_us, scheduled_drop, link, 0);
}

static void end_free(struct sim_end *end)
{
    free(end->out.packets);
    free(end->in.packets);
    free(end->wire_out);
    free(end->wire_in);
}

void sim_link_free(struct sim_link *link)
{
    end_free(&link->host);
    end_free(&link->device);
}
