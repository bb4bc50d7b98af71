/*
 * Realtek's DFU, our two halves against each other: the updater and the host
 * half on one side, the device half with installer, flash and bootloader on
 * the other. What ends well is judged by the device's flash after a restart.
 */
#include "realtek_rig.h"

#include "tandem/realtek_host.h"
#include "tandem/image.h"
#include "tandem/update.h"

#define EVENTS 64
#define OLD_VERSION 0x00001001u
#define NEW_VERSION 0x00002002u
#define IMAGES 4

enum event { EVENT_CONNECTED, EVENT_READ, EVENT_WRITTEN, EVENT_SUBSCRIBED, EVENT_GONE };

static struct rig rig;
static struct tandem_realtek_host host;
static struct tandem_realtek_file file;
static struct tandem_realtek_options options;
static struct tandem_source source;
static struct tandem_offer offer;
static struct tandem_update update;
static struct rig_image images[IMAGES];
static uint8_t bytes[40000];

/* Between them. */
static struct {
    int linked, sought, down_for;
    struct {
        uint8_t kind, att;
        uint16_t size;
        uint8_t data[200];
    } events[EVENTS];
    unsigned first, last;
    unsigned packets, cut_at;
    unsigned power_at; /* the device restarts at this packet */
    int over_stream;
    struct tandem_realtek_stream stream;
    struct tandem_stream_port port;
    uint8_t in[TANDEM_REALTEK_STREAM_IN], out[512];
    uint8_t to_host[4096];
    size_t to_host_size;
    uint8_t bank;
    unsigned resets;
    uint32_t data_bytes;
} air;

static void tell(uint8_t kind, enum tandem_att att, const void *data, size_t size)
{
    unsigned at = air.last++ % EVENTS;

    air.events[at].kind = kind;
    air.events[at].att = (uint8_t)att;
    air.events[at].size = (uint16_t)size;
    if (size != 0)
        memcpy(air.events[at].data, data, size);
}

static void unlink_both(void)
{
    if (!air.linked)
        return;
    air.linked = 0;
    air.first = air.last;
    air.to_host_size = 0;
    rig.seen = rig.notes;
    if (air.over_stream)
        tandem_realtek_stream_disconnected(&air.stream);
    else
        tandem_realtek_device_disconnected(&rig.device);
    tell(EVENT_GONE, TANDEM_ATT_OK, NULL, 0);
}

static const struct tandem_realtek_map *map_of(uint16_t image)
{
    for (unsigned i = 0; i < rig.config.image_count; i++)
        if (rig.map[i].image == image)
            return &rig.map[i];
    return NULL;
}

/* What of the new release is in the bank that runs; the OTA header, which is not kept, goes with the application. */
static int runs_new(uint16_t image)
{
    const struct tandem_realtek_map *map = map_of(image == RIG_OTA_HEADER ? RIG_APP : image);

    for (unsigned i = 0; i < IMAGES; i++)
        if (images[i].id == map->image)
            return rig_holds(&rig, air.bank, map->kind, images[i].bytes, images[i].size);
    return 0;
}

/* The product tells the versions of what runs: its build knows them; here its bytes do. */
static void tell_versions(void)
{
    for (unsigned i = 0; i < rig.config.image_count; i++)
        rig.map[i].version = runs_new(rig.map[i].image) ? NEW_VERSION : OLD_VERSION;
}

static enum tandem_status to_host(void *ctx, const void *data, size_t size, size_t *sent)
{
    (void)ctx;
    *sent = sizeof air.to_host - air.to_host_size < size ? sizeof air.to_host - air.to_host_size : size;
    memcpy(air.to_host + air.to_host_size, data, *sent);
    air.to_host_size += *sent;
    return air.linked ? TANDEM_OK : TANDEM_ERROR_DISCONNECTED;
}

static void restart(void)
{
    unlink_both();
    air.bank = rig_reset(&rig);
    (void)fixture_confirm(&rig.f);
    rig_start(&rig); /* it opens its installer anew: what was on trial is confirmed */
    tandem_realtek_device_disconnected(&rig.device);
    air.port.write = to_host;
    if (air.over_stream)
        CHECK_EQUAL(tandem_realtek_stream_init(&air.stream, &rig.device, &air.port, air.in, air.out, sizeof air.out, 0),
                    TANDEM_OK);
    tell_versions();
    rig.reboots = rig.disconnects = rig.entered = 0;
    air.down_for = 300;
    air.resets++;
}

static int reached(void)
{
    air.packets++;
    if (air.packets == air.power_at)
        restart();
    if (air.packets == air.cut_at)
        unlink_both();
    return air.linked;
}

/* ---- the host's port ---- */

static enum tandem_status gatt_connect(void *ctx, const struct tandem_gatt_peer *peer)
{
    (void)ctx;
    (void)peer;
    air.sought = 1;
    return TANDEM_OK;
}

static enum tandem_status gatt_disconnect(void *ctx)
{
    (void)ctx;
    air.sought = 0;
    unlink_both();
    air.first = air.last;
    return TANDEM_OK;
}

static enum tandem_status gatt_read(void *ctx, uint16_t characteristic)
{
    uint8_t data[200];
    size_t size = 0, part = 22;
    enum tandem_att att = TANDEM_ATT_OK;

    (void)ctx;
    while (att == TANDEM_ATT_OK && part == 22) {
        att = tandem_realtek_device_read(&rig.device, characteristic, (uint16_t)size, data + size, 22, &part);
        size += att == TANDEM_ATT_OK ? part : 0;
    }
    tell(EVENT_READ, att, data, att == TANDEM_ATT_OK ? size : 0);
    return TANDEM_OK;
}

static enum tandem_status gatt_write(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    (void)ctx;
    if (!air.linked)
        return TANDEM_ERROR_DISCONNECTED;
    if (reached())
        tell(EVENT_WRITTEN, tandem_realtek_device_write(&rig.device, characteristic, data, size), NULL, 0);
    return TANDEM_OK;
}

static enum tandem_status gatt_write_command(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    (void)ctx;
    if (!air.linked)
        return TANDEM_ERROR_DISCONNECTED;
    if (characteristic == TANDEM_REALTEK_DATA && tandem_realtek_device_room(&rig.device) < size)
        return TANDEM_AGAIN;
    if (!reached())
        return TANDEM_OK;
    air.data_bytes += (uint32_t)size;
    (void)tandem_realtek_device_write(&rig.device, characteristic, data, size);
    return TANDEM_OK;
}

static enum tandem_status gatt_subscribe(void *ctx, uint16_t characteristic, int on)
{
    (void)ctx;
    (void)on;
    CHECK_EQUAL(characteristic, TANDEM_REALTEK_CONTROL);
    tell(EVENT_SUBSCRIBED, TANDEM_ATT_OK, NULL, 0);
    return TANDEM_OK;
}

static uint16_t gatt_mtu(void *ctx)
{
    (void)ctx;
    return rig.mtu;
}

static const struct tandem_gatt_host_port gatt = {
    NULL, gatt_connect, gatt_disconnect, gatt_read, gatt_write, gatt_write_command, gatt_subscribe, gatt_mtu, NULL};

static enum tandem_status stream_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    (void)ctx;
    if (!air.linked)
        return TANDEM_ERROR_DISCONNECTED;
    *sent = size;
    if (reached())
        tandem_realtek_stream_receive(&air.stream, data, size);
    return TANDEM_OK;
}

static enum tandem_status stream_connect(void *ctx)
{
    (void)ctx;
    if (air.down_for > 0)
        return TANDEM_AGAIN;
    air.linked = 1;
    tandem_realtek_stream_connected(&air.stream);
    return TANDEM_OK;
}

static void stream_disconnect(void *ctx)
{
    (void)gatt_disconnect(ctx);
}

static const struct tandem_stream_port stream = {NULL, stream_write};
static const struct tandem_realtek_connector connector = {NULL, stream_connect, stream_disconnect};

/* ---- time ---- */

static void deliver(void)
{
    while (air.first != air.last) {
        unsigned at = air.first++ % EVENTS;
        enum tandem_att att = (enum tandem_att)air.events[at].att;

        switch ((enum event)air.events[at].kind) {
        case EVENT_CONNECTED:
            tandem_realtek_host_on_connected(&host);
            break;
        case EVENT_READ:
            tandem_realtek_host_on_read(&host, att, air.events[at].data, air.events[at].size);
            break;
        case EVENT_WRITTEN:
            tandem_realtek_host_on_written(&host, att);
            break;
        case EVENT_SUBSCRIBED:
            tandem_realtek_host_on_subscribed(&host, att);
            break;
        default:
            tandem_realtek_host_on_disconnected(&host);
            break;
        }
    }
}

static void hear(void)
{
    const struct rig_note *note;
    size_t size = air.to_host_size;

    while (air.linked && (note = rig_next(&rig)) != NULL)
        tandem_realtek_host_on_notification(&host, note->characteristic, note->bytes, note->size);
    if (size == 0 || !air.linked)
        return;
    air.to_host_size = 0;
    tandem_realtek_host_receive(&host, air.to_host, size);
}

static void turn(void)
{
    unsigned i;

    rig.ms++;
    rig.f.now_us += 1000;
    for (i = 0; i < 8; i++) {
        enum tandem_status status = air.over_stream ? tandem_realtek_stream_poll(&air.stream, rig.ms)
                                                    : tandem_realtek_device_poll(&rig.device, rig.ms);

        if (status == TANDEM_OK)
            break;
    }
    if (rig.reboots != 0)
        restart();
    else if (rig.disconnects != 0)
        unlink_both();
    rig.disconnects = 0;
    if (air.down_for > 0)
        air.down_for--;
    if (air.sought && air.down_for == 0 && !air.linked) {
        air.sought = 0;
        air.linked = 1;
        tandem_realtek_device_connected(&rig.device);
        tell(EVENT_CONNECTED, TANDEM_ATT_OK, NULL, 0);
    }
    deliver();
    hear();
}

/* ---- a scene ---- */

static void add(unsigned index, uint16_t id, uint32_t size, uint32_t *at)
{
    struct tandem_realtek_part *part = &file.parts[index];

    images[index] = rig_image(rig.config.ic, id, fixture_bytes(40 + index, size), size, index & 1);
    part->offset = *at;
    part->size = images[index].size;
    part->image = id;
    part->bank = TANDEM_REALTEK_BANK_ANY;
    part->version = NEW_VERSION;
    part->versioned = 1;
    memcpy(part->control, images[index].control, sizeof part->control);
    memcpy(bytes + *at, images[index].bytes, images[index].size);
    *at += images[index].size;
}

static void open_scene(uint8_t dialect, int single)
{
    uint8_t ic = dialect == TANDEM_REALTEK_BEE2 ? 5 : dialect == TANDEM_REALTEK_8752H ? 16 : 11;
    uint32_t at = 0;

    memset(&air, 0, sizeof air);
    memset(&file, 0, sizeof file);
    memset(&options, 0, sizeof options);
    rig_open(&rig, dialect, ic);
    rig.config.single_bank = (uint8_t)single;
    add(0, RIG_OTA_HEADER, 64, &at);
    add(1, RIG_PATCH, 2000, &at);
    add(2, RIG_APP, 5000, &at);
    add(3, RIG_DATA, 500, &at);
    file.count = IMAGES; /* a chip with one bank takes no OTA header, and must not be sent it */
    file.ic = ic;
    tandem_image_memory(&source, bytes, at);
    file.source = &source;
    options.settle_ms = 10;
    air.over_stream = dialect == TANDEM_REALTEK_STREAM;
    restart();
    air.resets = 0;
    air.down_for = 0;
}

static void begin(void)
{
    static const uint8_t address[6] = {0x00, 0xE0, 0x4C, 0x12, 0x34, 0x56};
    static const struct tandem_gatt_peer peer = {.address = address};

    tandem_offer_bare(&offer, &source);
    if (air.over_stream)
        tandem_realtek_host_init_stream(&host, &stream, &connector, &file, &options);
    else
        tandem_realtek_host_init_gatt(&host, &gatt, &peer, &file, &options);
    tandem_update_init(&update, tandem_realtek_host_target(&host), &offer, NULL);
}

static enum tandem_status run(uint32_t limit_ms)
{
    enum tandem_status status = TANDEM_AGAIN;

    for (uint32_t i = 0; i < limit_ms && status == TANDEM_AGAIN; i++) {
        turn();
        status = tandem_update_poll(&update, rig.ms);
    }
    return status;
}

static void close_scene(void)
{
    for (unsigned i = 0; i < IMAGES; i++)
        rig_image_free(&images[i]);
    rig_close(&rig);
}

static int holds_new(void)
{
    int all = 1;

    for (unsigned i = 0; i < IMAGES; i++)
        all &= runs_new(images[i].id);
    return all;
}

static const struct {
    uint8_t dialect;
    int single;
} scenes[] = {
    {TANDEM_REALTEK_BEE2, 0},  {TANDEM_REALTEK_BEE2, 1},  {TANDEM_REALTEK_8752H, 0},
    {TANDEM_REALTEK_8752H, 1}, {TANDEM_REALTEK_AUDIO, 0}, {TANDEM_REALTEK_STREAM, 0},
};

#define SCENES (sizeof scenes / sizeof scenes[0])

static void say(unsigned scene, const char *what, unsigned at)
{
    fprintf(stderr, "  dialect %u, single %d, %s %u: status 0x%02x stage %u detail %lx\n", scenes[scene].dialect,
            scenes[scene].single, what, at, update.result.status, update.result.stage,
            (unsigned long)update.result.detail);
}

static void test_every_dialect(void)
{
    for (unsigned i = 0; i < SCENES; i++) {
        static const uint16_t mtus[3] = {23, 100, 247};

        for (unsigned m = 0; m < 3; m++) {
            open_scene(scenes[i].dialect, scenes[i].single);
            rig.mtu = mtus[m];
            begin();
            if (!CHECK_EQUAL(run(900000), TANDEM_OK))
                say(i, "MTU", mtus[m]);
            CHECK(holds_new());
            CHECK_EQUAL(air.resets, 1);
            begin();
            CHECK_EQUAL(run(60000), TANDEM_OK);
            CHECK_EQUAL(update.result.already, 1);
            close_scene();
        }
    }
}

static void test_encrypted(void)
{
    static const uint8_t key[32] = {9, 8, 7, 6, 5, 4, 3, 2, 1};

    for (unsigned all = 0; all < 2; all++) {
        open_scene(TANDEM_REALTEK_8752H, 0);
        rig.config.aes_key = options.aes_key = key;
        rig.config.aes_key_size = options.aes_key_size = sizeof key;
        rig.config.aes_all = (uint8_t)all;
        restart();
        begin();
        if (!CHECK_EQUAL(run(900000), TANDEM_OK))
            say(2, "AES all", all);
        CHECK(holds_new());
        close_scene();
    }
}

/* Files that do not bring all: the device copies the rest from the bank that runs. */
static void test_copies(void)
{
    open_scene(TANDEM_REALTEK_AUDIO, 0);
    file.parts[1] = file.parts[2];
    file.count = 2;
    begin();
    CHECK_EQUAL(run(900000), TANDEM_OK);
    CHECK(rig_holds(&rig, air.bank, TANDEM_KIND_APPLICATION, images[2].bytes, images[2].size));
    close_scene();
}

/* With allow_unsigned off nothing bare is taken, and the host is told so. */
static void test_unsigned_refused(void)
{
    for (unsigned i = 0; i < SCENES; i++) {
        open_scene(scenes[i].dialect, scenes[i].single);
        rig.f.device.allow_unsigned = 0;
        begin();
        CHECK(run(900000) > TANDEM_AGAIN);
        CHECK_EQUAL(update.result.reported, 1);
        CHECK_EQUAL(air.resets, scenes[i].dialect == TANDEM_REALTEK_BEE2 || scenes[i].dialect == TANDEM_REALTEK_8752H
                                    ? air.resets
                                    : 0);
        CHECK(!holds_new());
        close_scene();
    }
}

/* The link is cut, or the device restarts, at each packet. */
static void sweep(int power, unsigned stride)
{
    for (unsigned i = 0; i < SCENES; i++) {
        unsigned packets;

        open_scene(scenes[i].dialect, scenes[i].single);
        begin();
        REQUIRE(run(900000) == TANDEM_OK);
        packets = air.packets;
        close_scene();
        for (unsigned at = 1; at <= packets; at += stride) {
            open_scene(scenes[i].dialect, scenes[i].single);
            *(power ? &air.power_at : &air.cut_at) = at;
            begin();
            if (run(2000000) != TANDEM_OK) { /* then the next attempt */
                begin();
                if (!CHECK_EQUAL(run(2000000), TANDEM_OK))
                    say(i, power ? "power" : "cut", at);
            }
            if (!CHECK(holds_new()))
                say(i, power ? "power" : "cut", at);
            close_scene();
        }
    }
}

static unsigned stride = 1;

static void test_link_cut_at_every_packet(void)
{
    sweep(0, stride);
}

static void test_restart_at_every_packet(void)
{
    sweep(1, 3 * stride);
}

/* Argument: look at every so many packets only. */
int main(int argc, char **argv)
{
    if (argc > 1)
        stride = (unsigned)atoi(argv[1]);
    REQUIRE(stride != 0);
    RUN(test_every_dialect);
    RUN(test_encrypted);
    RUN(test_copies);
    RUN(test_unsigned_refused);
    RUN(test_link_cut_at_every_packet);
    RUN(test_restart_at_every_packet);
    CHECK_EQUAL(rig_failures(), 0);
    return check_report();
}
