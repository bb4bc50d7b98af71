/*
 * A pair of earbuds, in both forms, updated as a group: the second bud
 * advertises, or the buds exchange their roles. Whatever fails, both end with
 * the same firmware, as far as the protocol lets a host see to it.
 */
#include "check.h"

#include "realtek_peer.h"

#define OLD_VERSION 0x01000001u
#define NEW_VERSION 0x02000002u
#define COUNT 3

static struct peer buds[2];
static int done[2];        /* has all, and waits */
static int reached;        /* by the phone, where roles are exchanged */
static int form_le;        /* 1: the second advertises */
static int current;        /* whom the phone's link is to */
static uint32_t swap_ms;   /* when roles are exchanged; 0: not due */
static uint32_t expire_ms; /* when a half-done update is given up; 0: never */
static int late_loss;      /* 1: the word to switch is lost between the buds */

static struct tandem_gatt_host_port air;
static struct tandem_stream_port wire;
static struct tandem_realtek_connector connector;
static struct tandem_realtek_host host;
static struct tandem_realtek_rws pair;
static struct tandem_realtek_file file;
static struct tandem_realtek_options options;
static struct tandem_update_options wishes;
static struct tandem_source source;
static struct tandem_offer offer;
static struct tandem_update updates[2];
static struct tandem_group group;
static struct tandem_gatt_peer sought;
static uint8_t store[COUNT][PEER_IMAGE_MAX];
static uint8_t charge[2];
static uint32_t now = 1000;
static unsigned stride = 1;

/* ---- the buds' own world ---- */

static int index_of(const struct peer *peer)
{
    return peer == &buds[1];
}

static void give_up(void)
{
    for (int i = 0; i < 2; i++) {
        peer_forget(&buds[i]);
        buds[i].spec.keeps = 0;
        buds[i].aborts = 0;
        done[i] = 0;
    }
    expire_ms = 0;
    buds[1 - reached].hidden = 1;
    buds[reached].hidden = 0;
}

/* The role that is told is the bud's own, whoever of them holds the phone's link. */
static void set_roles(void)
{
    buds[0].spec.bud = 2 | 4;
    buds[1].spec.bud = 2 | 8;
}

static void switch_both(void)
{
    if (late_loss) { /* one of them never hears of it */
        late_loss = 0;
        peer_switch(&buds[0]);
        peer_forget(&buds[1]);
        buds[1].reset_ms = now + 50;
    } else {
        peer_switch(&buds[0]);
        peer_switch(&buds[1]);
    }
    done[0] = done[1] = 0;
    expire_ms = 0;
    buds[0].spec.keeps = buds[1].spec.keeps = 0;
    if (form_le) {
        buds[0].hidden = 0;
        buds[1].hidden = 1;
    }
}

static int pair_says(struct peer *peer, uint16_t op, uint8_t body)
{
    int me = index_of(peer);

    if (op == 0x0611 && body == 1) {
        swap_ms = now + 1000;
        return 1;
    }
    if (done[1 - me]) {
        switch_both();
        return 1;
    }
    done[me] = 1;
    peer->spec.keeps = 1;
    expire_ms = now + 240000;
    if (form_le) {
        peer_unlink(peer);
        peer->hidden = 1;
        buds[1 - me].hidden = 2;
    } else {
        swap_ms = now + 1000;
    }
    return 1;
}

static void world(void)
{
    now++;
    for (int i = 0; i < 2; i++)
        peer_step(&buds[i], now);
    if (swap_ms != 0 && now == swap_ms) {
        peer_unlink(&buds[reached]);
        reached = 1 - reached;
        swap_ms = 0;
    }
    if (expire_ms != 0 && now == expire_ms)
        give_up();
    if (buds[0].aborts + buds[1].aborts != 0 && (done[0] || done[1]))
        give_up();
}

/* ---- what the phone has ---- */

static enum tandem_status air_connect(void *ctx, const struct tandem_gatt_peer *peer)
{
    (void)ctx;
    for (int i = 0; i < 2; i++)
        (void)buds[i].gatt.connect(&buds[i], peer);
    if (buds[0].looking > 0)
        current = 0;
    else if (buds[1].looking > 0)
        current = 1;
    return TANDEM_OK;
}

static enum tandem_status air_disconnect(void *ctx)
{
    (void)ctx;
    (void)buds[0].gatt.disconnect(&buds[0]);
    return buds[1].gatt.disconnect(&buds[1]);
}

static enum tandem_status air_read(void *ctx, uint16_t characteristic)
{
    (void)ctx;
    return buds[current].gatt.read(&buds[current], characteristic);
}

static enum tandem_status air_write(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    (void)ctx;
    return buds[current].gatt.write(&buds[current], characteristic, data, size);
}

static enum tandem_status air_write_command(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    (void)ctx;
    return buds[current].gatt.write_command(&buds[current], characteristic, data, size);
}

static enum tandem_status air_subscribe(void *ctx, uint16_t characteristic, int on)
{
    (void)ctx;
    return buds[current].gatt.subscribe(&buds[current], characteristic, on);
}

static uint16_t air_mtu(void *ctx)
{
    (void)ctx;
    return 247;
}

static enum tandem_status wire_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    (void)ctx;
    return buds[current].stream.write(&buds[current], data, size, sent);
}

static enum tandem_status wire_connect(void *ctx)
{
    (void)ctx;
    current = reached;
    return buds[current].connector.connect(&buds[current]);
}

static void wire_disconnect(void *ctx)
{
    (void)ctx;
    buds[0].connector.disconnect(&buds[0]);
    buds[1].connector.disconnect(&buds[1]);
}

static enum tandem_status battery(void *ctx, uint8_t bud, uint8_t *percent)
{
    (void)ctx;
    *percent = charge[bud];
    return TANDEM_OK;
}

static enum tandem_status read_store(void *ctx, uint32_t offset, void *data, size_t size)
{
    (void)ctx;
    memcpy(data, &store[0][0] + offset, size);
    return TANDEM_OK;
}

static void prepare(int le)
{
    static const uint8_t second[6] = {0xC0, 0x11, 0x22, 0x33, 0x44, 0x66};
    static const uint16_t ids[COUNT] = {0x2790, 0x2792, 0x2793};
    struct peer_spec spec = {.dialect = 'D', .ic = 11, .mode = 0x09, .bank = 0, .buffer = 4096, .mtu = 247};

    spec.dialect = le ? 'D' : 'E';
    form_le = le;
    reached = current = 0;
    swap_ms = expire_ms = 0;
    done[0] = done[1] = 0;
    late_loss = 0;
    charge[0] = charge[1] = 80;
    memset(&file, 0, sizeof file);
    source.size = sizeof store;
    source.read = read_store;
    file.source = &source;
    file.ic = spec.ic;
    file.count = COUNT;
    for (int i = 0; i < 2; i++) {
        peer_init(&buds[i], &spec);
        buds[i].host = &host;
        buds[i].now = now;
        buds[i].pair = pair_says;
        buds[i].hidden = le ? i : 0;
        for (unsigned k = 0; k < COUNT; k++)
            peer_add(&buds[i], ids[k], OLD_VERSION, PEER_IMAGE_MAX);
    }
    memcpy(buds[1].address + 6, buds[0].address, 6);
    memcpy(buds[1].address, second, 6);
    set_roles();
    for (unsigned k = 0; k < COUNT; k++) {
        struct tandem_realtek_part *part = &file.parts[k];

        part->offset = k * PEER_IMAGE_MAX;
        part->image = ids[k];
        part->version = NEW_VERSION;
        part->versioned = 1;
        part->bank = TANDEM_REALTEK_BANK_ANY;
        part->size = peer_image_make(&spec, store[k], ids[k], 2000 + 700 * k, NEW_VERSION, part->control);
    }
}

static void begin(void)
{
    static const struct tandem_gatt_host_port gatt = {
        NULL, air_connect, air_disconnect, air_read, air_write, air_write_command, air_subscribe, air_mtu, NULL};

    memset(&options, 0, sizeof options);
    options.settle_ms = 20;
    options.battery = battery;
    air = gatt;
    wire.write = wire_write;
    connector.connect = wire_connect;
    connector.disconnect = wire_disconnect;
    sought.address = buds[0].address;
    tandem_offer_bare(&offer, &source);
    if (form_le)
        tandem_realtek_host_init_gatt(&host, &air, &sought, &file, &options);
    else
        tandem_realtek_host_init_stream(&host, &wire, &connector, &file, &options);
    tandem_realtek_rws_init(&pair, &host, NULL);
    for (unsigned i = 0; i < 2; i++)
        tandem_update_init(&updates[i], tandem_realtek_rws_target(&pair, i), &offer, &wishes);
    tandem_group_init(&group, updates, 2, NULL);
}

static enum tandem_status run(uint32_t limit_ms)
{
    enum tandem_status status = TANDEM_AGAIN;

    for (uint32_t i = 0; i < limit_ms && status == TANDEM_AGAIN; i++) {
        world();
        status = tandem_group_poll(&group, now);
    }
    return status;
}

static int runs(int bud, uint32_t version)
{
    return peer_version(&buds[bud], 0x2790) == version && peer_version(&buds[bud], 0x2793) == version;
}

static void expect_both(uint32_t version)
{
    CHECK(runs(0, version));
    CHECK(runs(1, version));
    if (!CHECK_EQUAL(buds[0].wrong + buds[1].wrong, 0))
        fprintf(stderr, "  %s %s\n", buds[0].why, buds[1].why);
}

/* ---- tests ---- */

static void test_both_forms(void)
{
    for (int le = 0; le < 2; le++) {
        struct tandem_update_progress progress;

        prepare(le);
        begin();
        CHECK_EQUAL(run(900000), TANDEM_OK);
        expect_both(NEW_VERSION);
        CHECK_EQUAL(buds[0].switched, 1);
        CHECK_EQUAL(buds[1].switched, 1);
        CHECK_EQUAL(group.result.done, 2);
        CHECK_EQUAL(tandem_realtek_rws_apart(&pair), 0);
        tandem_group_progress(&group, &progress);
        CHECK_EQUAL(progress.percent, 100);
        CHECK_EQUAL(progress.done, progress.total);
        /* Again: nothing to do. */
        begin();
        CHECK_EQUAL(run(900000), TANDEM_OK);
        CHECK_EQUAL(buds[0].switched, 1);
    }
}

static void test_never_begun_if_it_cannot_finish(void)
{
    for (int le = 0; le < 2; le++) {
        for (unsigned low = 0; low < 2; low++) {
            prepare(le);
            charge[low] = 29;
            begin();
            CHECK_EQUAL(run(900000), TANDEM_ERROR_BATTERY);
            CHECK_EQUAL(group.result.member, low);
            CHECK_EQUAL(buds[0].starts, 0);
        }
        prepare(le); /* the other bud is in its case */
        buds[0].spec.bud = 1 | 4;
        begin();
        CHECK_EQUAL(run(900000), TANDEM_ERROR_DISCONNECTED);
        CHECK_EQUAL(buds[0].starts, 0);
        expect_both(OLD_VERSION);
        prepare(le); /* no pair at all */
        buds[0].spec.bud = 0;
        begin();
        CHECK_EQUAL(run(900000), TANDEM_ERROR_NOT_SUPPORTED);
        CHECK_EQUAL(buds[0].starts, 0);
    }
}

/* Cut anywhere, on either bud: it goes on, or both keep the old firmware and the next attempt ends well. */
static void test_link_cut_at_every_packet(void)
{
    for (int le = 0; le < 2; le++) {
        unsigned packets[2];

        prepare(le);
        begin();
        REQUIRE(run(900000) == TANDEM_OK);
        packets[0] = buds[0].packets;
        packets[1] = buds[1].packets;
        for (unsigned bud = 0; bud < 2; bud++) {
            for (unsigned cut = 1; cut <= packets[bud]; cut += stride) {
                enum tandem_status status;

                prepare(le);
                buds[bud].cut_at = cut;
                begin();
                status = run(2000000);
                if (!CHECK(status == TANDEM_OK || (runs(0, OLD_VERSION) && runs(1, OLD_VERSION))))
                    fprintf(stderr, "  form %d, bud %u, cut at %u of %u: 0x%02x\n", le, bud, cut, packets[bud], status);
                if (status != TANDEM_OK) {
                    for (uint32_t i = 0; i < 300000; i++)
                        world();
                    begin();
                    CHECK_EQUAL(run(2000000), TANDEM_OK);
                }
                expect_both(NEW_VERSION);
            }
        }
    }
}

/* The second bud refuses, or is cancelled: the first, which has all, keeps its old firmware too. */
static void test_one_fails(void)
{
    for (int le = 0; le < 2; le++) {
        prepare(le);
        buds[1].refuse_op = 0x03;
        buds[1].refuse_with = 5;
        begin();
        CHECK_EQUAL(run(900000), TANDEM_ERROR_DIGEST);
        CHECK_EQUAL(group.result.member, 1);
        CHECK_EQUAL(group.result.committed, 0);
        for (int i = 0; i < 1000; i++)
            world();
        expect_both(OLD_VERSION);
        CHECK_EQUAL(done[0], 0);
        buds[1].refuse_op = 0;
        begin();
        CHECK_EQUAL(run(900000), TANDEM_OK);
        expect_both(NEW_VERSION);
    }
}

static void test_cancelled_at_any_moment(void)
{
    for (int le = 0; le < 2; le++) {
        for (uint32_t moment = 1; moment < 20000; moment += 457) {
            enum tandem_status status;

            prepare(le);
            begin();
            if (run(moment) != TANDEM_AGAIN)
                continue;
            tandem_group_cancel(&group);
            status = run(900000);
            for (uint32_t i = 0; i < 300000; i++)
                world();
            expect_both(status == TANDEM_OK ? NEW_VERSION : OLD_VERSION);
        }
    }
}

/* A pair that was left with different firmware, one way or the other, is brought together. */
static void test_apart(void)
{
    for (int le = 0; le < 2; le++) {
        for (unsigned ahead = 0; ahead < 2; ahead++) {
            prepare(le);
            for (unsigned k = 0; k < COUNT; k++)
                buds[ahead].versions[0][k] = NEW_VERSION;
            begin();
            if (le && ahead == 0) {
                /* The one reached is ahead, and the other cannot be asked: only on request. */
                CHECK_EQUAL(run(900000), TANDEM_OK);
                CHECK(runs(1, OLD_VERSION));
                CHECK_EQUAL(updates[0].result.already, 1);
                wishes.reinstall = 1;
                begin();
                host.options.any_version = 1;
                wishes.reinstall = 0;
            }
            CHECK_EQUAL(run(900000), TANDEM_OK);
            expect_both(NEW_VERSION);
            CHECK_EQUAL(tandem_realtek_rws_apart(&pair), le && ahead == 0 ? 0 : 1);
        }
    }
}

/* The word to switch reaches one bud only. The next run finds and heals it. */
static void test_split_at_the_last_moment(void)
{
    prepare(0);
    late_loss = 1;
    begin();
    (void)run(2000000);
    for (uint32_t i = 0; i < 300000; i++)
        world();
    begin();
    CHECK_EQUAL(run(2000000), TANDEM_OK);
    expect_both(NEW_VERSION);
}

/* Argument: look at every so many packets only. */
int main(int argc, char **argv)
{
    if (argc > 1)
        stride = (unsigned)atoi(argv[1]);
    REQUIRE(stride != 0);
    RUN(test_both_forms);
    RUN(test_never_begun_if_it_cannot_finish);
    RUN(test_link_cut_at_every_packet);
    RUN(test_one_fails);
    RUN(test_cancelled_at_any_moment);
    RUN(test_apart);
    RUN(test_split_at_the_last_moment);
    return check_report();
}
