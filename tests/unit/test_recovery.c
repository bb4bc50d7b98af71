/*
 * Recovery: a bootloader that takes an update itself. A device on simulated
 * flash starts, decides, and either runs a firmware that confirms itself or
 * recovers; a host with the real updater brings it back, from every state in
 * which nothing starts, and with the power cut in every flash operation.
 */
#include "check.h"
#include "fixture.h"
#include "tandem/link_host.h"
#include "tandem/recovery.h"
#include "tandem/update.h"

#define PACKET_MAX 244
#define QUEUE 256
#define SILENCE_MS 5000
#define LIMIT_MS 200000

struct lane {
    struct {
        enum tandem_channel channel;
        size_t size;
        uint8_t data[PACKET_MAX];
    } packets[QUEUE];
    unsigned first, count;
};

enum mode { OFF, RECOVERY, APPLICATION };

/* A device, a wire, a host. The fixture comes first: it is what the system port's ctx points to. */
struct bench {
    struct fixture f;
    struct tandem_boot boot;
    struct tandem_boot_report report;
    struct tandem_recovery_options options;
    struct tandem_recovery recovery;
    struct tandem_link_service service; /* the application's */
    struct tandem_link_device link;
    struct tandem_packet_port device_port, host_port;
    struct tandem_link_host host;
    struct tandem_update update;
    struct lane up, down;
    struct package package;
    struct tandem_source source;
    struct tandem_offer offer;
    uint8_t head[1024];
    uint8_t retained[TANDEM_BOOT_REPORT_SIZE], request[TANDEM_BOOT_REQUEST_SIZE];
    enum tandem_recovery_cause wanted; /* what the pin or the application says at the next start */
    enum mode mode;
    unsigned starts, left; /* of the latter, out of recovery by itself */
    int reboot;
    int sick; /* the application does not get well */
};

static struct bench b;

/* ---- wires ---- */

static enum tandem_status put(struct lane *lane, enum tandem_channel channel, const void *data, size_t size)
{
    unsigned place = (lane->first + lane->count) % QUEUE;
    REQUIRE(size <= PACKET_MAX);
    if (lane->count == QUEUE)
        return TANDEM_AGAIN;
    lane->packets[place].channel = channel;
    lane->packets[place].size = size;
    memcpy(lane->packets[place].data, data, size);
    lane->count++;
    return TANDEM_OK;
}

static enum tandem_status send_up(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    (void)ctx;
    return put(&b.up, channel, data, size);
}

static enum tandem_status send_down(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    (void)ctx;
    return b.mode == OFF ? TANDEM_OK : put(&b.down, channel, data, size);
}

static uint16_t mtu(void *ctx)
{
    (void)ctx;
    return PACKET_MAX;
}

static void carry(void)
{
    while (b.down.count != 0 && b.mode != OFF) {
        unsigned at = b.down.first;
        b.down.first = (at + 1) % QUEUE;
        b.down.count--;
        if (b.mode == RECOVERY)
            tandem_recovery_receive(&b.recovery, b.down.packets[at].channel, b.down.packets[at].data,
                                    b.down.packets[at].size);
        else
            tandem_link_device_receive(&b.link, b.down.packets[at].channel, b.down.packets[at].data,
                                       b.down.packets[at].size);
    }
    while (b.up.count != 0) {
        unsigned at = b.up.first;
        b.up.first = (at + 1) % QUEUE;
        b.up.count--;
        tandem_link_host_receive(&b.host, b.up.packets[at].channel, b.up.packets[at].data, b.up.packets[at].size);
    }
}

/* ---- the device ---- */

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    b.reboot = 1;
    return TANDEM_OK;
}

/* The bootloader, as a board writes it. */
static void start(void)
{
    if (b.wanted == TANDEM_RECOVERY_REQUEST)
        tandem_boot_request_store(b.request);
    enum tandem_recovery_cause cause = tandem_recovery_wanted(b.retained, b.request, b.wanted == TANDEM_RECOVERY_PIN);
    b.wanted = TANDEM_RECOVERY_NOT;
    b.reboot = 0;
    b.starts++;
    b.down.count = 0;
    enum tandem_status status = cause == TANDEM_RECOVERY_NOT
                                    ? fixture_boot(&b.f, &b.boot)
                                    : tandem_recovery_decide(&b.boot, &b.f.device, b.f.buffer, sizeof b.f.buffer);
    if (status != TANDEM_OK)
        cause = TANDEM_RECOVERY_NOTHING;
    tandem_boot_report_store(b.retained, &b.boot, cause);
    CHECK_EQUAL(tandem_boot_report_load(&b.report, b.retained), TANDEM_OK);
    b.mode = cause == TANDEM_RECOVERY_NOT ? APPLICATION : RECOVERY;
    if (b.mode == RECOVERY) {
        memset(&b.recovery, 0xA5, sizeof b.recovery);
        CHECK_EQUAL(tandem_recovery_init(&b.recovery, &b.options), TANDEM_OK);
        return;
    }
    CHECK_EQUAL(fixture_install(&b.f), TANDEM_OK);
    tandem_link_service_init(&b.service, &b.f.install, NULL);
    tandem_link_service_boot(&b.service, &b.report);
    tandem_link_device_init(&b.link, &b.service, &b.device_port, 0);
    if (b.sick)
        return;
    tandem_boot_report_well(b.retained);
    (void)tandem_install_confirm(&b.f.install);
}

/* One ms. */
static void live(void)
{
    b.f.now_us += 1000;
    if (b.mode == OFF || b.reboot)
        start();
    carry();
    if (b.mode == RECOVERY) {
        unsigned fed = b.f.fed;
        enum tandem_status status = tandem_recovery_poll(&b.recovery, (uint32_t)(b.f.now_us / 1000));
        CHECK(b.f.fed != fed);
        if (status == TANDEM_ERROR_TIMEOUT) {
            b.left++;
            b.reboot = 1;
        }
    } else {
        (void)tandem_link_device_poll(&b.link, (uint32_t)(b.f.now_us / 1000));
    }
}

static void pass(unsigned ms)
{
    while (ms-- != 0)
        live();
}

static void cut(void)
{
    struct sim_flash *flash = &b.f.flash;
    sim_power_return(&b.f.power, &flash, 1);
    memset(b.f.flash.violations, 0, sizeof b.f.flash.violations);
    b.mode = OFF;
}

/* ---- the host ---- */

static enum tandem_status source_read(void *ctx, uint32_t offset, void *data, size_t size)
{
    (void)ctx;
    memcpy(data, b.package.bytes + offset, size);
    return TANDEM_OK;
}

static struct package release(uint16_t major)
{
    struct recipe recipe;
    recipe_begin(&recipe, major);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, major, 4000u + 10u * major);
    return recipe_make(&recipe);
}

/* What the host offers from here on. */
static void offer(uint16_t major)
{
    package_free(&b.package);
    b.package = release(major);
    b.source.size = b.package.size;
    b.source.read = source_read;
    CHECK_EQUAL(tandem_offer_open(&b.offer, &b.source, NULL, b.head, sizeof b.head), TANDEM_OK);
}

static void host_arrives(void)
{
    static const struct tandem_update_options wishes = {.backoff_ms = 20, .restart_ms = 200, .attempts = 100};
    b.up.count = b.down.count = 0;
    tandem_link_host_init(&b.host, &b.host_port, NULL, 0);
    tandem_update_init(&b.update, tandem_link_host_target(&b.host), &b.offer, &wishes);
}

/* Run the update to its end, or until power fails. */
static enum tandem_status run(void)
{
    enum tandem_status status = TANDEM_AGAIN;
    for (unsigned ms = 0; ms < LIMIT_MS && status == TANDEM_AGAIN; ms++) {
        live();
        status = tandem_update_poll(&b.update, (uint32_t)(b.f.now_us / 1000));
    }
    return status;
}

static void updates(uint16_t major)
{
    offer(major);
    host_arrives();
    CHECK_EQUAL(run(), TANDEM_OK);
    CHECK_EQUAL(b.mode, APPLICATION);
    CHECK_EQUAL(b.boot.version.major, major);
    CHECK_EQUAL(b.f.install.bank.state.active, b.boot.bank); /* for good */
}

static struct tandem_info ask(void)
{
    struct tandem_info info;
    enum tandem_status status = TANDEM_AGAIN;
    host_arrives();
    const struct tandem_target *target = tandem_link_host_target(&b.host);
    target->poll(target->ctx, (uint32_t)(b.f.now_us / 1000));
    CHECK_EQUAL(target->connect(target->ctx), TANDEM_OK);
    for (unsigned ms = 0; ms < LIMIT_MS && status == TANDEM_AGAIN; ms++) {
        live();
        target->poll(target->ctx, (uint32_t)(b.f.now_us / 1000));
        status = target->query(target->ctx, &info);
    }
    REQUIRE(status == TANDEM_OK);
    return info;
}

/* ---- states in which a device may be found ---- */

static void begin(void)
{
    static const struct fixture_options small = {.unit = 32, .slots = 1};
    memset(&b, 0, sizeof b);
    fixture_open(&b.f, &small);
    b.f.system.reboot = reboot;
    b.device_port.send = send_up;
    b.host_port.send = send_down;
    b.device_port.mtu = b.host_port.mtu = mtu;
    b.options.device = &b.f.device;
    b.options.buffer = b.f.buffer;
    b.options.buffer_size = sizeof b.f.buffer;
    b.options.port = &b.device_port;
    b.options.boot = &b.report;
    b.options.silence_ms = SILENCE_MS;
    b.package = release(1);
}

static void end(void)
{
    package_free(&b.package);
    fixture_close(&b.f);
}

static void spoil(uint8_t bank)
{
    sim_flash_flip(&b.f.flash, b.f.slots[0].areas[bank].address + 777, 3);
}

static void spoil_journal(void)
{
    struct sim_rng rng = {7};
    uint8_t noise[256];
    for (uint32_t at = 0; at < b.f.device.journal.size; at += sizeof noise) {
        sim_random_bytes(&rng, noise, sizeof noise);
        sim_flash_put(&b.f.flash, b.f.device.journal.address + at, noise, sizeof noise);
    }
}

static void virgin(void)
{
}

/* Version 2 is confirmed, version 1 lies in the other bank. */
static void two_banks(void)
{
    fixture_factory(&b.f, 0, &b.package);
    start();
    updates(2);
    b.mode = OFF;
}

static void both_damaged(void)
{
    two_banks();
    spoil(0);
    spoil(1);
}

static void confirmed_damaged_other_erased(void)
{
    fixture_factory(&b.f, 0, &b.package);
    start();
    b.mode = OFF;
    spoil(0);
}

static void only_noise(void)
{
    both_damaged();
    spoil_journal();
}

static void journal_noise_alone(void)
{
    spoil_journal();
}

static void heads_damaged(void)
{
    two_banks();
    for (unsigned bank = 0; bank < 2; bank++)
        sim_flash_flip(&b.f.flash, b.f.device.manifests[bank].address + 30, 1);
}

static void both_damaged_on_trial(void)
{
    fixture_factory(&b.f, 0, &b.package);
    start();
    offer(2);
    CHECK_EQUAL(fixture_update(&b.f, &b.package, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(fixture_boot(&b.f, &b.boot), TANDEM_OK);
    CHECK_EQUAL(b.boot.reason, TANDEM_BOOT_TRIAL);
    b.mode = OFF;
    spoil(0);
    spoil(1);
}

/* Each, and a version to mend it with. */
static const struct {
    void (*make)(void);
    uint16_t version;
} states[] = {
    {virgin, 1},
    {both_damaged, 3},
    {both_damaged, 2}, /* the same again: what could be copied is not worth it */
    {confirmed_damaged_other_erased, 2},
    {only_noise, 2},
    {journal_noise_alone, 1},
    {heads_damaged, 2},
    {both_damaged_on_trial, 2},
};
#define STATES (sizeof states / sizeof states[0])

/* ---- the tests ---- */

/* From every state in which nothing starts, an update goes in. */
static void every_state(void)
{
    for (unsigned i = 0; i < STATES; i++) {
        begin();
        states[i].make();
        start();
        CHECK_EQUAL(b.mode, RECOVERY);
        struct tandem_info info = ask();
        CHECK(info.known & TANDEM_INFO_BOOT);
        CHECK_EQUAL(info.boot_reason, TANDEM_BOOT_NONE);
        CHECK_EQUAL(info.recovery, TANDEM_RECOVERY_NOTHING);
        CHECK(info.boot_status != TANDEM_OK);
        CHECK_EQUAL(info.version.major, 0);
        pass(3 * SILENCE_MS); /* nothing to leave for */
        CHECK_EQUAL(b.mode, RECOVERY);
        CHECK_EQUAL(b.left, 0);
        updates(states[i].version);
        CHECK(fixture_holds(&b.f, b.boot.bank, TANDEM_KIND_APPLICATION, &b.package));
        info = ask();
        CHECK_EQUAL(info.recovery, TANDEM_RECOVERY_NOT);
        CHECK_EQUAL(info.boot_reason, TANDEM_BOOT_TRIAL);
        CHECK_EQUAL(info.boot_status, TANDEM_OK);
        b.mode = OFF;
        info = ask();
        CHECK_EQUAL(info.boot_reason, TANDEM_BOOT_CONFIRMED); /* of this start, though it changed nothing */
        end();
    }
}

/* Recover. @return 1; 0 if power failed in operation `op` of it */
static int recovers_until(unsigned op)
{
    jmp_buf out;
    b.f.power.cut_at = b.f.power.ops + op;
    b.f.power.tear = (enum sim_tear)(op % SIM_TEARS);
    b.f.power.out = &out;
    if (setjmp(out))
        return 0;
    start();
    host_arrives();
    CHECK_EQUAL(run(), TANDEM_OK);
    b.f.power.cut_at = 0;
    return 1;
}

/* Power fails in each flash operation of a recovery. What starts is whole, and a good update succeeds. */
static void cut_everywhere(void)
{
    unsigned cuts = 0, whole = 0;
    for (unsigned i = 0; i < STATES; i++) {
        for (unsigned op = 1, done = 0; !done; op++) {
            begin();
            states[i].make();
            offer(states[i].version);
            done = (unsigned)recovers_until(op);
            if (!done) {
                cuts++;
                cut();
                start();
                if (b.mode == APPLICATION) {
                    whole++;
                    CHECK_EQUAL(b.boot.version.major, states[i].version);
                    CHECK(fixture_holds(&b.f, b.boot.bank, TANDEM_KIND_APPLICATION, &b.package));
                }
                updates(states[i].version);
            }
            end();
        }
    }
    printf("       %u cuts in %u states, after %u of them the new firmware ran\n", cuts, (unsigned)STATES, whole);
    CHECK(cuts > 100 * STATES && whole > STATES);
}

/* A pin or the application: the firmware is fine, hosts see it, and silence brings it back. */
static void wanted(void)
{
    static const enum tandem_recovery_cause causes[] = {TANDEM_RECOVERY_PIN, TANDEM_RECOVERY_REQUEST};
    for (unsigned i = 0; i < 2; i++) {
        begin();
        two_banks();
        b.wanted = causes[i];
        start();
        CHECK_EQUAL(b.mode, RECOVERY);
        pass(SILENCE_MS / 2);
        struct tandem_info info = ask();
        CHECK_EQUAL(info.recovery, causes[i]);
        CHECK_EQUAL(info.boot_reason, TANDEM_BOOT_CONFIRMED);
        CHECK_EQUAL(info.version.major, 2);
        pass(SILENCE_MS - 100); /* counted from the last word */
        CHECK_EQUAL(b.mode, RECOVERY);
        pass(200);
        CHECK_EQUAL(b.mode, APPLICATION);
        CHECK_EQUAL(b.left, 1);
        CHECK_EQUAL(b.boot.reason, TANDEM_BOOT_CONFIRMED);
        CHECK_EQUAL(b.report.starts, b.starts);
        b.wanted = causes[i];
        b.reboot = 1;
        live();
        CHECK_EQUAL(b.mode, RECOVERY);
        updates(3);
        end();
    }
}

/* A firmware on trial that is passed by loses its trial: the old one is what recovery is left for. */
static void wanted_on_trial(void)
{
    for (uint8_t boots = 0; boots < 3; boots++) {
        begin();
        fixture_factory(&b.f, 0, &b.package);
        start();
        offer(2);
        CHECK_EQUAL(fixture_update(&b.f, &b.package, 1), TANDEM_STATE_PENDING);
        for (uint8_t i = 0; i < boots; i++)
            CHECK_EQUAL(fixture_boot(&b.f, &b.boot), TANDEM_OK);
        b.wanted = TANDEM_RECOVERY_PIN;
        start();
        CHECK_EQUAL(b.mode, RECOVERY);
        CHECK_EQUAL(b.boot.reason, TANDEM_BOOT_REVERTED);
        CHECK_EQUAL(b.boot.version.major, 1);
        updates(3);
        end();
    }
}

/* A firmware that is confirmed and crashes: recovery after some starts; an update, or silence and another try. */
static void restarts(void)
{
    begin();
    two_banks();
    b.sick = 1;
    for (unsigned turn = 0; turn < 3; turn++) {
        for (unsigned i = turn != 0; i < TANDEM_RECOVERY_RESTARTS_MAX; i++) { /* one was when recovery was left */
            start();
            CHECK_EQUAL(b.mode, APPLICATION);
        }
        start();
        CHECK_EQUAL(b.mode, RECOVERY);
        struct tandem_info info = ask();
        CHECK_EQUAL(info.recovery, TANDEM_RECOVERY_RESTARTS);
        CHECK_EQUAL(info.boot_reason, TANDEM_BOOT_CONFIRMED);
        CHECK_EQUAL(info.version.major, 2);
        CHECK_EQUAL(b.left, turn);
        if (turn == 2)
            break;
        pass(SILENCE_MS + 10);
        CHECK_EQUAL(b.mode, APPLICATION);
    }
    b.sick = 0;
    updates(3);
    for (unsigned i = 0; i < 3 * TANDEM_RECOVERY_RESTARTS_MAX; i++) { /* those who are well may restart */
        start();
        CHECK_EQUAL(b.mode, APPLICATION);
    }
    end();
}

/* A host that dies between the last byte and the switch: silence is enough to start what it brought. */
static void host_dies(void)
{
    static const struct tandem_update_options wishes = {.keep_pending = 1};
    begin();
    both_damaged();
    start();
    offer(3);
    host_arrives();
    tandem_update_init(&b.update, tandem_link_host_target(&b.host), &b.offer, &wishes);
    CHECK_EQUAL(tandem_update_goal(&b.update, TANDEM_GOAL_VALIDATED), TANDEM_OK);
    CHECK_EQUAL(run(), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&b.recovery.install), TANDEM_STATE_VALIDATED);
    pass(SILENCE_MS + 100);
    CHECK_EQUAL(b.left, 1);
    CHECK_EQUAL(b.mode, APPLICATION);
    CHECK_EQUAL(b.boot.version.major, 3);
    end();
}

/* A host that leaves in the middle, and comes back later: it goes on where it was. */
static void host_returns(void)
{
    begin();
    both_damaged();
    start();
    offer(3);
    host_arrives();
    while (tandem_install_wants(&b.recovery.install) < b.package.size / 2) {
        live();
        CHECK_EQUAL(tandem_update_poll(&b.update, (uint32_t)(b.f.now_us / 1000)), TANDEM_AGAIN);
    }
    tandem_recovery_disconnected(&b.recovery);
    pass(2 * SILENCE_MS);
    CHECK_EQUAL(b.left, 0);
    CHECK(tandem_install_wants(&b.recovery.install) >= b.package.size / 2);
    host_arrives();
    CHECK_EQUAL(run(), TANDEM_OK);
    CHECK(b.host.payload_sent < b.package.size * 3 / 4);
    end();
}

/* Bytes that make no packet are no sign of life; whole packets are. */
static void noise_on_the_line(void)
{
    static uint8_t in[300], out[300];
    static struct tandem_stream_port nowhere;
    struct tandem_stream stream;
    struct sim_rng rng = {3};
    begin();
    two_banks();
    b.wanted = TANDEM_RECOVERY_PIN;
    start();
    CHECK_EQUAL(
        tandem_stream_init(&stream, &nowhere, in, sizeof in, out, sizeof out, tandem_recovery_receive, &b.recovery),
        TANDEM_OK);
    for (unsigned ms = 0; ms < SILENCE_MS + 100 && b.mode == RECOVERY; ms++) {
        uint8_t noise[12];
        sim_random_bytes(&rng, noise, sizeof noise);
        tandem_stream_receive(&stream, noise, sizeof noise);
        live();
    }
    CHECK_EQUAL(b.left, 1);
    b.wanted = TANDEM_RECOVERY_PIN;
    start();
    for (unsigned i = 0; i < 20; i++) {
        static const uint8_t nothing[2] = {0xC0, 0};
        pass(SILENCE_MS / 2);
        tandem_recovery_receive(&b.recovery, TANDEM_CHANNEL_CONTROL, nothing, sizeof nothing);
    }
    CHECK_EQUAL(b.mode, RECOVERY);
    end();
}

/* What another key signed is refused here as everywhere, and what was there is still there. */
static void stranger(void)
{
    begin();
    both_damaged();
    start();
    struct recipe recipe;
    recipe_begin(&recipe, 3);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 3, 4000);
    recipe.signers[0] = fixture_signer(2);
    package_free(&b.package);
    b.package = recipe_make(&recipe);
    b.source.size = b.package.size;
    CHECK_EQUAL(tandem_offer_open(&b.offer, &b.source, NULL, b.head, sizeof b.head), TANDEM_OK);
    static uint8_t before[36 * 1024]; /* both banks and their heads; that the outcome was seen is noted behind them */
    uint32_t banks = b.f.device.journal.address;
    REQUIRE(banks <= sizeof before);
    memcpy(before, sim_flash_at(&b.f.flash, 0), banks);
    host_arrives();
    CHECK_EQUAL(run(), TANDEM_ERROR_KEY);
    CHECK(memcmp(sim_flash_at(&b.f.flash, 0), before, banks) == 0);
    updates(3);
    end();
}

/* A device that keeps no report tells what its journal knows, and no more. */
static void no_report(void)
{
    begin();
    fixture_factory(&b.f, 0, &b.package);
    start();
    b.mode = OFF;
    start();
    struct tandem_info info = ask();
    CHECK(info.known & TANDEM_INFO_BOOT);
    CHECK_EQUAL(info.boot_reason, TANDEM_BOOT_CONFIRMED);
    tandem_link_service_boot(&b.service, NULL);
    info = ask();
    CHECK((info.known & TANDEM_INFO_BOOT) == 0);
    CHECK_EQUAL(info.boot_reason, TANDEM_BOOT_FIRST);
    end();
}

/* What is missing in the description is said, not run into. */
static void wrong_options(void)
{
    begin();
    CHECK_EQUAL(fixture_boot(&b.f, &b.boot), TANDEM_ERROR_NOTHING);
    b.options.buffer_size = 100;
    CHECK_EQUAL(tandem_recovery_init(&b.recovery, &b.options), TANDEM_ERROR_SPACE);
    b.options.buffer_size = sizeof b.f.buffer;
    b.f.device.journal.size = 1024;
    CHECK_EQUAL(tandem_recovery_init(&b.recovery, &b.options), TANDEM_ERROR_LAYOUT);
    /* A device without a system port has no watchdog to feed. */
    b.f.device.journal.size = 4096;
    b.f.device.system = NULL;
    CHECK_EQUAL(tandem_recovery_init(&b.recovery, &b.options), TANDEM_OK);
    CHECK_EQUAL(tandem_recovery_poll(&b.recovery, 1), TANDEM_OK);
    end();
}

/* Clocks wrap; patience has a default. */
static void clock_wraps(void)
{
    begin();
    two_banks();
    b.wanted = TANDEM_RECOVERY_PIN;
    b.options.silence_ms = 0;
    start();
    uint32_t now = UINT32_MAX - TANDEM_RECOVERY_SILENCE_MS / 2;
    CHECK_EQUAL(tandem_recovery_poll(&b.recovery, now), TANDEM_OK);
    CHECK_EQUAL(tandem_recovery_poll(&b.recovery, now + TANDEM_RECOVERY_SILENCE_MS - 1), TANDEM_OK);
    CHECK_EQUAL(tandem_recovery_poll(&b.recovery, now + TANDEM_RECOVERY_SILENCE_MS), TANDEM_ERROR_TIMEOUT);
    end();
}

int main(void)
{
    RUN(every_state);
    RUN(cut_everywhere);
    RUN(wanted);
    RUN(wanted_on_trial);
    RUN(restarts);
    RUN(host_dies);
    RUN(host_returns);
    RUN(noise_on_the_line);
    RUN(stranger);
    RUN(no_report);
    RUN(wrong_options);
    RUN(clock_wraps);
    return check_report();
}
