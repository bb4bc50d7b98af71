/*
 * The bench for the link, the updater and groups: see link_rig.h.
 */
#include "link_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t rig_now;

static const uint8_t seeds[2][TANDEM_ED25519_KEY_SIZE] = {{1, 2, 3}, {9, 9, 9}};
static uint8_t public_key[TANDEM_ED25519_KEY_SIZE];

uint32_t rig_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static int happens(uint32_t *state, uint32_t ppm)
{
    return ppm != 0 && rig_random(state) % 1000000u < ppm;
}

/* ---- releases ---- */

static enum tandem_status sign(void *ctx, const uint8_t *message, size_t size, uint8_t *signature)
{
    tandem_ed25519_sign(signature, ctx, message, size);
    return TANDEM_OK;
}

static enum tandem_status source_read(void *ctx, uint32_t offset, void *data, size_t size)
{
    struct rig_release *release = ctx;

    release->reads++;
    if (release->broken_at != 0 && offset + size > release->broken_at)
        return TANDEM_ERROR_PORT;
    if (offset > release->size || size > release->size - offset)
        return TANDEM_ERROR_ARGUMENT;
    memcpy(data, release->bytes + offset, size);
    return TANDEM_OK;
}

static void must(enum tandem_status status, const char *what)
{
    if (status == TANDEM_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, tandem_status_text(status));
    exit(1);
}

void rig_release_make(struct rig_release *release, const struct rig_spec *spec)
{
    uint8_t key[TANDEM_ED25519_KEY_SIZE];
    uint8_t seed[TANDEM_ED25519_KEY_SIZE];
    struct tandem_signer signer = {seed, {TANDEM_KEY_ED25519, key}, sign};
    struct tandem_pack_image image = {0};
    struct tandem_pack pack = {0};
    const uint16_t hardware[2] = {spec->hardware, spec->hardware};
    uint32_t random = spec->version * 77u + 5u + (spec->twin ? 1000u : 0), i;

    memset(release, 0, sizeof *release);
    memcpy(seed, seeds[spec->stranger ? 1 : 0], sizeof seed);
    tandem_ed25519_public_key(public_key, seeds[0]);
    tandem_ed25519_public_key(key, seed);
    release->image_size = spec->image_size != 0 ? spec->image_size : 20000;
    release->image = malloc(release->image_size);
    for (i = 0; i < release->image_size; i++)
        release->image[i] = (uint8_t)rig_random(&random);
    release->image[0] = spec->bad ? 'B' : 'G';
    release->image[1] = (uint8_t)spec->version;
    image.kind = TANDEM_KIND_APPLICATION;
    image.variant = TANDEM_VARIANT_ANY;
    image.version.major = spec->version;
    image.data = release->image;
    image.size = release->image_size;
    pack.vendor = "acme";
    pack.product = spec->product != NULL ? spec->product : "bud";
    pack.version.major = spec->version;
    pack.counter = spec->counter;
    pack.minimum.major = spec->minimum;
    pack.hardware = spec->hardware != 0 ? &hardware : NULL;
    pack.hardware_count = spec->hardware != 0;
    pack.block_size = 1024;
    pack.images = &image;
    pack.image_count = 1;
    pack.signers = &signer;
    pack.signer_count = 1;
    must(tandem_pack_size(&pack, &release->size), "pack size");
    release->bytes = malloc(release->size);
    must(tandem_pack_write(&pack, NULL, release->bytes, release->size), "pack");
    release->source.ctx = release;
    release->source.size = release->size;
    release->source.read = source_read;
    must(tandem_offer_open(&release->offer, &release->source, NULL, release->head, sizeof release->head), "offer");
    memcpy(release->id, release->offer.manifest.id, sizeof release->id);
}

void rig_release_free(struct rig_release *release)
{
    free(release->bytes);
    free(release->image);
}

/* ---- flash ---- */

static enum tandem_status flash_read(void *ctx, uint32_t address, void *data, size_t size)
{
    struct rig_device *device = ctx;

    if (address > RIG_FLASH || size > RIG_FLASH - address)
        return TANDEM_ERROR_FLASH;
    memcpy(data, device->flash + address, size);
    return TANDEM_OK;
}

static enum tandem_status flash_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    struct rig_device *device = ctx;
    const uint8_t *bytes = data;
    size_t i;

    if (address > RIG_FLASH || size > RIG_FLASH - address)
        return TANDEM_ERROR_FLASH;
    if (device->damage != 0 && address < 2 * RIG_BANK && --device->damage == 0)
        return TANDEM_ERROR_FLASH;
    for (i = 0; i < size; i++)
        device->flash[address + i] &= bytes[i];
    return TANDEM_OK;
}

static enum tandem_status flash_erase(void *ctx, uint32_t address)
{
    struct rig_device *device = ctx;

    if (address >= RIG_FLASH || address % RIG_SECTOR != 0)
        return TANDEM_ERROR_FLASH;
    if (device->erase_ms != 0) {
        if (!device->erasing) {
            device->erasing = 1;
            device->erase_until = rig_now + device->erase_ms;
        }
        if (rig_now - device->erase_until > UINT32_MAX / 2)
            return TANDEM_AGAIN;
        device->erasing = 0;
    }
    memset(device->flash + address, 0xFF, RIG_SECTOR);
    return TANDEM_OK;
}

/* ---- devices ---- */

static enum tandem_status system_reboot(void *ctx)
{
    ((struct rig_device *)ctx)->reboot = 1;
    return TANDEM_OK;
}

static enum tandem_status system_enter(void *ctx)
{
    ((struct rig_device *)ctx)->ota_entered++;
    return TANDEM_OK;
}

static enum tandem_status system_battery(void *ctx, uint8_t *percent)
{
    *percent = ((struct rig_device *)ctx)->battery;
    return TANDEM_OK;
}

static void start(struct rig_device *device)
{
    unsigned i;
    uint32_t saved = device->erase_ms;

    device->erase_ms = 0;
    device->erasing = 0;
    memset(&device->install, 0xA5, sizeof device->install);
    memset(&device->service, 0xA5, sizeof device->service);
    memset(device->links, 0xA5, sizeof device->links);
    must(tandem_boot_decide(&device->boot, &device->device, device->buffer, device->buffer_size), "boot");
    must(tandem_install_init(&device->install, &device->device, device->buffer, device->buffer_size), "install");
    tandem_link_service_init(&device->service, &device->install, NULL);
    for (i = 0; i < RIG_CONNECTIONS; i++) {
        struct rig_wire *wire = device->wires[i];

        if (wire == NULL)
            continue;
        tandem_link_device_init(&device->links[i], &device->service,
                                wire->spec.stream ? tandem_stream_packets(&wire->device_stream) : &wire->device_port,
                                wire->spec.stream ? tandem_stream_receive_max(&wire->device_stream) : 0);
        tandem_stream_reset(&wire->device_stream);
    }
    device->erase_ms = saved;
    device->up = 1;
    device->reboot = 0;
    device->started_at = rig_now;
    device->starts++;
}

static void describe(struct rig_device *device, const char *serial)
{
    uint32_t at = 2 * RIG_BANK;
    unsigned i;

    device->region.address = 0;
    device->region.sector_size = RIG_SECTOR;
    device->region.count = RIG_FLASH / RIG_SECTOR;
    device->port.ctx = device;
    device->port.read = flash_read;
    device->port.program = flash_program;
    device->port.erase = flash_erase;
    device->port.regions = &device->region;
    device->port.region_count = 1;
    device->port.program_unit = 4;
    device->port.erased = 0xFF;
    device->slot.kind = TANDEM_KIND_APPLICATION;
    for (i = 0; i < 2; i++, at += RIG_SECTOR) {
        device->slot.areas[i].flash = &device->port;
        device->slot.areas[i].address = i * RIG_BANK;
        device->slot.areas[i].size = RIG_BANK;
        device->device.manifests[i].flash = &device->port;
        device->device.manifests[i].address = at;
        device->device.manifests[i].size = RIG_SECTOR;
    }
    device->device.journal.flash = &device->port;
    device->device.journal.address = at;
    device->device.journal.size = 2 * RIG_SECTOR;
    device->system.ctx = device;
    device->system.reboot = system_reboot;
    device->system.enter_ota = system_enter;
    device->system.battery = system_battery;
    device->key.type = TANDEM_KEY_ED25519;
    device->key.key = public_key;
    device->device.vendor = "acme";
    device->device.product = "bud";
    device->device.hardware = 3;
    device->device.serial = serial;
    device->device.slots = &device->slot;
    device->device.slot_count = 1;
    device->device.keys = &device->key;
    device->device.key_count = 1;
    device->device.system = &device->system;
}

void rig_device_make(struct rig_device *device, const struct rig_release *release, const char *serial)
{
    uint32_t head = release->offer.manifest.header.head_size;

    memset(device, 0, sizeof *device);
    memset(device->flash, 0xFF, sizeof device->flash);
    describe(device, serial);
    device->battery = 80;
    device->buffer_size = 8192;
    device->confirm_ms = 300;
    device->steps = 4;
    memcpy(device->flash, release->image, release->image_size);
    memcpy(device->flash + 2 * RIG_BANK, release->bytes, head);
    start(device);
}

void rig_device_reboot(struct rig_device *device)
{
    unsigned i;

    device->up = 0;
    device->down_until = rig_now + 150;
    for (i = 0; i < RIG_CONNECTIONS; i++) {
        if (device->wires[i] != NULL)
            rig_cut(device->wires[i]);
    }
}

uint16_t rig_device_runs(const struct rig_device *device)
{
    return device->flash[device->boot.bank * RIG_BANK + 1];
}

static void live(struct rig_device *device)
{
    uint8_t character = device->flash[device->boot.bank * RIG_BANK];
    uint32_t age = rig_now - device->started_at;
    unsigned i, step;

    if (!device->up) {
        if (rig_now - device->down_until < UINT32_MAX / 2)
            start(device);
        return;
    }
    if (device->frozen)
        return;
    for (step = 0; step < device->steps; step++) {
        for (i = 0; i < RIG_CONNECTIONS; i++) {
            if (device->wires[i] != NULL)
                (void)tandem_link_device_poll(&device->links[i], rig_now);
        }
    }
    if (tandem_install_state(&device->install) == TANDEM_STATE_TRIAL && age >= device->confirm_ms) {
        if (character == 'G')
            (void)tandem_install_confirm(&device->install);
        else
            device->reboot = 1; /* its watchdog bit */
    }
    if (device->reboot)
        rig_device_reboot(device);
}

/* ---- wires ---- */

static struct rig_packet *lane_add(struct rig_lane *lane)
{
    return &lane->packets[(lane->first + lane->count++) % RIG_QUEUE];
}

static void lane_repeat(struct rig_lane *lane)
{
    const struct rig_packet *last = &lane->packets[(lane->first + lane->count - 1) % RIG_QUEUE];

    *lane_add(lane) = *last;
}

static void flip_bit(uint32_t *random, uint8_t *data, size_t size)
{
    size_t at = rig_random(random) % size;

    data[at] ^= (uint8_t)(1u << rig_random(random) % 8);
}

static enum tandem_status lane_send(struct rig_wire *wire, struct rig_lane *lane, enum tandem_channel channel,
                                    const void *data, size_t size)
{
    unsigned most = wire->spec.queue != 0 ? wire->spec.queue : RIG_QUEUE - 2;
    struct rig_packet *packet;

    if (!wire->up_now)
        return TANDEM_ERROR_DISCONNECTED;
    if (size > wire->spec.mtu)
        return TANDEM_ERROR_ARGUMENT;
    if (lane->count >= most)
        return TANDEM_AGAIN;
    lane->carried += (uint32_t)size;
    lane->packets_carried++;
    if (channel == TANDEM_CHANNEL_DATA) {
        lane->data_carried += (uint32_t)size;
        if (happens(&wire->random, wire->spec.loss_ppm))
            return TANDEM_OK;
    }
    packet = lane_add(lane);
    packet->due = rig_now + (wire->spec.interval != 0 ? 1 : wire->spec.latency);
    packet->channel = (uint8_t)channel;
    packet->size = (uint16_t)size;
    memcpy(packet->data, data, size);
    if (channel != TANDEM_CHANNEL_DATA)
        return TANDEM_OK;
    if (happens(&wire->random, wire->spec.flip_ppm))
        flip_bit(&wire->random, packet->data, size);
    if (lane->count > 1 && happens(&wire->random, wire->spec.swap_ppm)) {
        struct rig_packet *before = &lane->packets[(lane->first + lane->count - 2) % RIG_QUEUE];
        struct rig_packet kept = *packet;

        if (before->channel == TANDEM_CHANNEL_DATA) {
            *packet = *before;
            *before = kept;
        }
    }
    if (happens(&wire->random, wire->spec.twin_ppm))
        lane_repeat(lane);
    return TANDEM_OK;
}

static enum tandem_status host_send(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct rig_wire *wire = ctx;

    return lane_send(wire, &wire->down, channel, data, size);
}

static enum tandem_status device_send(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct rig_wire *wire = ctx;

    return lane_send(wire, &wire->up, channel, data, size);
}

static uint16_t wire_mtu(void *ctx)
{
    return ((struct rig_wire *)ctx)->spec.mtu;
}

static enum tandem_status lane_write(struct rig_wire *wire, struct rig_lane *lane, const void *data, size_t size,
                                     size_t *sent)
{
    const uint8_t *bytes = data;
    size_t room = RIG_BYTES - lane->byte_count, i;

    *sent = 0;
    if (!wire->up_now)
        return TANDEM_ERROR_DISCONNECTED;
    if (wire->spec.queue != 0 && room > wire->spec.queue)
        room = lane->byte_count < wire->spec.queue ? wire->spec.queue - lane->byte_count : 0;
    for (i = 0; i < size && i < room; i++) {
        uint8_t byte = bytes[i];

        if (happens(&wire->random, wire->spec.loss_ppm))
            flip_bit(&wire->random, &byte, 1);
        lane->bytes[(lane->byte_first + lane->byte_count++) % RIG_BYTES] = byte;
        lane->carried++;
    }
    *sent = i;
    return TANDEM_OK;
}

static enum tandem_status host_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    struct rig_wire *wire = ctx;

    return lane_write(wire, &wire->down, data, size, sent);
}

static enum tandem_status device_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    struct rig_wire *wire = ctx;

    return lane_write(wire, &wire->up, data, size, sent);
}

static void host_receive(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    tandem_link_host_receive(&((struct rig_wire *)ctx)->host->link, channel, data, size);
}

static void device_receive(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct rig_wire *wire = ctx;

    if (!wire->deaf)
        tandem_link_device_receive(wire->link, channel, data, size);
}

static void deliver_packets(struct rig_wire *wire, struct rig_lane *lane,
                            void (*take)(void *ctx, enum tandem_channel, const void *, size_t))
{
    unsigned most = wire->spec.per_event != 0 ? wire->spec.per_event : RIG_QUEUE;

    if (wire->spec.interval != 0 && rig_now % wire->spec.interval != 0)
        return;
    while (lane->count != 0 && most-- != 0 && rig_now - lane->packets[lane->first].due < UINT32_MAX / 2) {
        struct rig_packet packet = lane->packets[lane->first];

        lane->first = (lane->first + 1) % RIG_QUEUE;
        lane->count--;
        take(wire, (enum tandem_channel)packet.channel, packet.data, packet.size);
    }
}

static void deliver_bytes(struct rig_wire *wire, struct rig_lane *lane, struct tandem_stream *stream)
{
    uint32_t most = wire->spec.per_ms != 0 ? wire->spec.per_ms : RIG_BYTES;

    while (lane->byte_count != 0 && most-- != 0) {
        uint8_t byte = lane->bytes[lane->byte_first];

        lane->byte_first = (lane->byte_first + 1) % RIG_BYTES;
        lane->byte_count--;
        tandem_stream_receive(stream, &byte, 1);
    }
}

static void lane_empty(struct rig_lane *lane)
{
    lane->first = lane->count = 0;
    lane->byte_first = lane->byte_count = 0;
}

void rig_cut(struct rig_wire *wire)
{
    if (!wire->up_now)
        return;
    wire->up_now = 0;
    wire->cuts++;
    lane_empty(&wire->up);
    lane_empty(&wire->down);
    if (wire->spec.silent_cut)
        return;
    if (wire->device->up)
        tandem_link_device_disconnected(wire->link);
    tandem_link_host_disconnected(&wire->host->link);
}

static void wire_tick(struct rig_wire *wire)
{
    if (!wire->up_now)
        return;
    if (wire->spec.cut_ms != 0 && rig_now - wire->cut_at < UINT32_MAX / 2) {
        rig_cut(wire);
        return;
    }
    if (!wire->device->up || wire->device->frozen)
        return;
    if (wire->spec.stream) {
        (void)tandem_stream_poll(&wire->host_stream);
        (void)tandem_stream_poll(&wire->device_stream);
        deliver_bytes(wire, &wire->down, &wire->device_stream);
        deliver_bytes(wire, &wire->up, &wire->host_stream);
        return;
    }
    /* What an end sends because of what it gets now goes in the next event. */
    deliver_packets(wire, &wire->up, host_receive);
    deliver_packets(wire, &wire->down, device_receive);
}

/* ---- hosts ---- */

static enum tandem_status wire_connect(void *ctx)
{
    struct rig_host *host = ctx;
    struct rig_wire *wire = &host->wire;

    if (wire->barred || !wire->device->up)
        return TANDEM_ERROR_TIMEOUT;
    if (wire->up_now)
        return TANDEM_OK;
    host->connects++;
    wire->up_now = 1;
    wire->cut_at = rig_now + wire->spec.cut_ms;
    tandem_stream_reset(&wire->host_stream);
    if (!wire->spec.silent_cut)
        tandem_stream_reset(&wire->device_stream);
    return TANDEM_OK;
}

static void wire_disconnect(void *ctx)
{
    rig_cut(&((struct rig_host *)ctx)->wire);
}

static void lane_make(struct rig_lane *lane)
{
    memset(lane, 0, sizeof *lane);
    lane->packets = calloc(RIG_QUEUE, sizeof *lane->packets);
    lane->bytes = calloc(RIG_BYTES, 1);
}

static void wire_make(struct rig_wire *wire, struct rig_host *host, struct rig_device *device, unsigned which,
                      const struct rig_wire_spec *spec)
{
    size_t size = (size_t)(spec->mtu < TANDEM_LINK_PACKET_MAX ? spec->mtu : TANDEM_LINK_PACKET_MAX);

    wire->spec = *spec;
    wire->random = 12345;
    wire->host = host;
    wire->device = device;
    wire->link = &device->links[which];
    lane_make(&wire->up);
    lane_make(&wire->down);
    wire->host_port.ctx = wire->device_port.ctx = wire;
    wire->host_port.send = host_send;
    wire->device_port.send = device_send;
    wire->host_port.mtu = wire->device_port.mtu = wire_mtu;
    wire->host_bytes.ctx = wire->device_bytes.ctx = wire;
    wire->host_bytes.write = host_write;
    wire->device_bytes.write = device_write;
    size += TANDEM_STREAM_OVERHEAD;
    must(tandem_stream_init(&wire->host_stream, &wire->host_bytes, wire->buffers[0], sizeof wire->buffers[0],
                            wire->buffers[1], sizeof wire->buffers[1], host_receive, wire),
         "host stream");
    /* The device takes packets up to the MTU, and sends only the smallest. */
    must(tandem_stream_init(&wire->device_stream, &wire->device_bytes, wire->buffers[2], size, wire->buffers[3],
                            TANDEM_LINK_PACKET_MIN + TANDEM_STREAM_OVERHEAD, device_receive, wire),
         "device stream");
}

void rig_host_make(struct rig_host *host, struct rig_device *device, unsigned which, const struct rig_wire_spec *spec)
{
    struct rig_wire *wire = &host->wire;

    memset(host, 0, sizeof *host);
    wire_make(wire, host, device, which, spec);
    device->wires[which] = wire;
    host->connector.ctx = host;
    host->connector.connect = wire_connect;
    host->connector.disconnect = wire_disconnect;
    tandem_link_host_init(&host->link, spec->stream ? tandem_stream_packets(&wire->host_stream) : &wire->host_port,
                          &host->connector, 0);
    tandem_link_device_init(wire->link, &device->service,
                            spec->stream ? tandem_stream_packets(&wire->device_stream) : &wire->device_port,
                            spec->stream ? tandem_stream_receive_max(&wire->device_stream) : 0);
}

void rig_host_free(struct rig_host *host)
{
    free(host->wire.up.packets);
    free(host->wire.up.bytes);
    free(host->wire.down.packets);
    free(host->wire.down.bytes);
}

/* ---- time ---- */

void rig_tick(struct rig_device *devices, unsigned device_count, struct rig_host *hosts, unsigned host_count)
{
    unsigned i;

    rig_now++;
    for (i = 0; i < host_count; i++)
        wire_tick(&hosts[i].wire);
    for (i = 0; i < device_count; i++)
        live(&devices[i]);
}

enum tandem_status rig_run(struct rig_device *device, struct rig_host *host, const struct rig_release *release,
                           const struct tandem_update_options *options, uint32_t limit_ms)
{
    enum tandem_status status = TANDEM_AGAIN;
    uint32_t begin = rig_now;

    tandem_update_init(&host->update, tandem_link_host_target(&host->link), &release->offer, options);
    while (status == TANDEM_AGAIN && rig_now - begin < limit_ms) {
        rig_tick(device, 1, host, 1);
        status = tandem_update_poll(&host->update, rig_now);
    }
    return status;
}
