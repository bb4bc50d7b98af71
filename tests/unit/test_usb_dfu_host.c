/*
 * USB DFU, host half: the updater drives it over a simulated bus against the
 * device half, in all its variants, with time that passes only when somebody
 * waits; and against devices that are not ours: hostile descriptors, wrong
 * answers, requests that never end.
 */
#include "check.h"
#include "core/bytes.h"
#include "fixture.h"
#include "tandem/update.h"
#include "tandem/usb_dfu_host.h"
#include "tandem/usb_endpoint.h"

#define AWAY_MS 120u
#define BASE 0x08000000u

struct bench {
    struct fixture f; /* first: the system port's ctx */
    struct tandem_usb_dfu_alternate alternates[2];
    struct tandem_usb_dfu_config config;
    struct tandem_usb_device_port device_port;
    struct tandem_usb_identity identity;
    struct tandem_usb_dfu dfu;
    struct tandem_usb_endpoint endpoint;
    struct tandem_bare bare;
    uint8_t device_block[4096];
    struct tandem_usb_port port;
    struct tandem_usb_dfu_host_config host_config;
    struct tandem_usb_dfu_host host;
    uint8_t host_block[4096];
    struct tandem_update update;
    struct tandem_source source;
    struct tandem_offer offer;
    uint8_t head[1024];
    struct package old, new;
    uint32_t now, back_at;
    uint8_t address, last_address, open, restart, stays;
    enum tandem_usb_mode start;
    unsigned lazy;      /* every so many calls of the port answer TANDEM_AGAIN; 0: none */
    unsigned calls;     /* of the port */
    unsigned transfers; /* made */
    unsigned unplug_at; /* the device leaves after so many transfers; 0: never */
    uint32_t told;      /* no request is allowed before */
    unsigned impatient; /* requests that came too early */
    uint8_t no_reset;   /* the bus cannot be reset */
};

static struct bench b;

/* ---- the device ---- */

static void enumerate(void)
{
    struct tandem_usb_setup setup = {0, 9, 1, 0, 0};
    struct tandem_usb_data data;
    for (int i = 0; i < 3; i++)
        tandem_usb_endpoint_reset(&b.endpoint);
    (void)tandem_usb_endpoint_setup(&b.endpoint, &setup, &data);
    b.address = ++b.last_address;
}

static void power_on(void)
{
    struct tandem_boot boot;
    sim_power_return(&b.f.power, (struct sim_flash *const[]){&b.f.flash}, 1);
    REQUIRE(fixture_boot(&b.f, &boot) == TANDEM_OK);
    if (boot.reason == TANDEM_BOOT_TRIAL)
        REQUIRE(fixture_confirm(&b.f) == TANDEM_OK);
    REQUIRE(fixture_install(&b.f) == TANDEM_OK);
    tandem_bare_init(&b.bare, &b.f.install);
    REQUIRE(tandem_usb_dfu_init(&b.dfu, &b.config, b.start) == TANDEM_OK);
    tandem_usb_endpoint_init(&b.endpoint, &b.dfu, &b.identity);
    b.restart = 0;
    b.address = 0;
    b.back_at = b.now + AWAY_MS;
}

static enum tandem_status attach(void *ctx, enum tandem_usb_mode mode, int in_reset)
{
    (void)ctx;
    (void)mode;
    if (b.stays)
        return TANDEM_ERROR_PORT;
    if (!in_reset) {
        b.address = 0;
        b.back_at = b.now + AWAY_MS;
    }
    return TANDEM_OK;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    b.restart = !b.stays;
    return b.stays ? TANDEM_ERROR_PORT : TANDEM_OK;
}

static void pass(uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++) {
        b.now++;
        b.f.now_us += 1000;
        for (unsigned turn = 0; turn < 8; turn++)
            (void)tandem_usb_dfu_poll(&b.dfu, b.now);
        if (b.restart)
            power_on();
        if (b.address == 0 && b.now - b.back_at <= UINT32_MAX / 2)
            enumerate();
    }
}

/* ---- the bus, as the host sees it ---- */

static int dawdles(void)
{
    return b.lazy != 0 && ++b.calls % b.lazy != 0;
}

static enum tandem_status bus_list(void *ctx, unsigned number, struct tandem_usb_place *place)
{
    struct tandem_usb_place here = {1, b.address, 2, {1, 3}};
    (void)ctx;
    if (number > 0 || b.address == 0)
        return TANDEM_ERROR_NOTHING;
    *place = here;
    return TANDEM_OK;
}

static enum tandem_status bus_open(void *ctx, const struct tandem_usb_place *place)
{
    (void)ctx;
    b.open = place->address;
    return b.address == b.open ? TANDEM_OK : TANDEM_ERROR_DISCONNECTED;
}

static enum tandem_status transfer(const struct tandem_usb_setup *setup, void *bytes, uint16_t *size)
{
    struct tandem_usb_data data = {NULL, 0};
    if (b.address == 0 || b.address != b.open)
        return TANDEM_ERROR_DISCONNECTED;
    if ((setup->type & 0x60) == 0x20 && b.now - b.told > UINT32_MAX / 2)
        b.impatient++;
    b.transfers++;
    switch (tandem_usb_endpoint_setup(&b.endpoint, setup, &data)) {
    case TANDEM_USB_SEND:
        memcpy(bytes, data.bytes, data.size);
        *size = data.size;
        if (setup->type == 0xA1 && setup->request == 3 && (data.bytes[4] == 4 || data.bytes[4] == 7))
            b.told = b.now + data.bytes[1] + ((uint32_t)data.bytes[2] << 8);
        return TANDEM_OK;
    case TANDEM_USB_RECEIVE:
        memcpy(data.bytes, bytes, data.size);
        return tandem_usb_dfu_received(&b.dfu, data.size) == TANDEM_USB_DONE ? TANDEM_OK : TANDEM_ERROR_PROTOCOL;
    case TANDEM_USB_DONE:
        return TANDEM_OK;
    default:
        return TANDEM_ERROR_PROTOCOL;
    }
}

static enum tandem_status bus_control(void *ctx, const struct tandem_usb_setup *setup, void *bytes, uint16_t *size)
{
    (void)ctx;
    if (dawdles())
        return TANDEM_AGAIN;
    enum tandem_status status = transfer(setup, bytes, size);
    if (b.unplug_at != 0 && b.transfers >= b.unplug_at) {
        b.unplug_at = 0;
        power_on();
        return TANDEM_ERROR_DISCONNECTED;
    }
    return status;
}

static enum tandem_status bus_claim(void *ctx, uint8_t interface, uint8_t alternate)
{
    struct tandem_usb_setup setup = {0x01, 11, alternate, interface, 0};
    uint16_t size = 0;
    (void)ctx;
    return transfer(&setup, NULL, &size);
}

static enum tandem_status bus_reset(void *ctx)
{
    enum tandem_usb_mode mode = tandem_usb_dfu_mode(&b.dfu);
    (void)ctx;
    if (b.no_reset)
        return TANDEM_ERROR_NOT_SUPPORTED;
    if (b.address == 0 || b.address != b.open)
        return TANDEM_ERROR_DISCONNECTED;
    tandem_usb_endpoint_reset(&b.endpoint);
    if (b.restart)
        power_on();
    else
        enumerate();
    if (mode != tandem_usb_dfu_mode(&b.dfu) || b.address == 0)
        return TANDEM_ERROR_DISCONNECTED;
    b.address = b.open;
    b.last_address = b.open;
    return TANDEM_OK;
}

static void bus_close(void *ctx)
{
    (void)ctx;
    b.open = 0;
}

/* ---- scenes ---- */

static enum tandem_status read_new(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct package *package = (const struct package *)ctx;
    REQUIRE(offset + size <= package->size);
    memcpy(data, package->bytes + offset, size);
    return TANDEM_OK;
}

static void open_bench(uint16_t version, uint8_t attributes, enum tandem_usb_mode mode, uint16_t block)
{
    struct fixture_options options = {0, 0, 0, 1, 0};
    static char serial[] = "4711";
    memset(&b, 0, sizeof b);
    fixture_open(&b.f, &options);
    b.f.flash.spec.erase_us = 20000;
    b.f.system.reboot = reboot;
    b.old = fixture_package(1);
    b.new = fixture_package(2);
    fixture_factory(&b.f, 0, &b.old);
    b.alternates[0].name = "Firmware";
    b.alternates[0].area = b.f.slots[0].areas[0];
    b.alternates[0].area.size = 20480;
    b.alternates[0].address = BASE;
    b.alternates[1].name = "Settings";
    b.alternates[1].content = TANDEM_USB_DFU_MEMORY;
    b.alternates[1].readable = 1;
    b.alternates[1].area = b.f.slots[2].areas[0];
    b.alternates[1].address = 0x09000000u;
    b.device_port.attach = attach;
    b.config.install = &b.f.install;
    b.config.bare = &b.bare;
    b.config.port = &b.device_port;
    b.config.alternates = b.alternates;
    b.config.alternate_count = 2;
    b.config.buffer = b.device_block;
    b.config.buffer_size = block;
    b.config.version = version;
    b.config.attributes = attributes;
    b.config.text = tandem_usb_dfu_text;
    b.identity.vendor = 0x1209;
    b.identity.product = 1;
    b.identity.dfu_product = 2;
    b.identity.serial = serial;
    b.start = mode;
    b.port.list = bus_list;
    b.port.open = bus_open;
    b.port.claim = bus_claim;
    b.port.control = bus_control;
    b.port.reset = bus_reset;
    b.port.close = bus_close;
    b.port.transfer_max = 4096;
    b.host_config.port = &b.port;
    b.host_config.buffer = b.host_block;
    b.host_config.buffer_size = sizeof b.host_block;
    b.host_config.vendor = 0x1209;
    b.host_config.product = 1;
    b.host_config.dfu_product = 2;
    power_on();
    pass(AWAY_MS + 1);
    tandem_usb_dfu_host_init(&b.host, &b.host_config);
}

static void close_bench(void)
{
    CHECK_EQUAL(sim_flash_violations(&b.f.flash), 0);
    CHECK_EQUAL(b.impatient, 0);
    package_free(&b.old);
    package_free(&b.new);
    fixture_close(&b.f);
}

/* Let the updater bring `package` to the device. */
static enum tandem_status update(struct package *package, int packaged)
{
    struct tandem_update_options options = {0};
    enum tandem_status status;
    b.source.ctx = package;
    b.source.size = package->size;
    b.source.read = read_new;
    if (packaged)
        CHECK_EQUAL(tandem_offer_open(&b.offer, &b.source, NULL, b.head, sizeof b.head), TANDEM_OK);
    else
        tandem_offer_bare(&b.offer, &b.source);
    options.attempts = 6;
    options.confirm_ms = 20000;
    tandem_update_init(&b.update, tandem_usb_dfu_host_target(&b.host), &b.offer, &options);
    for (unsigned i = 0; i < 200000; i++) {
        status = tandem_update_poll(&b.update, b.now);
        if (status != TANDEM_AGAIN)
            return status;
        pass(1);
    }
    return TANDEM_AGAIN;
}

/* The version in the bank that runs. */
static unsigned runs(void)
{
    pass(5000);
    power_on();
    return b.f.install.running.major;
}

static void test_updates(void)
{
    static const uint16_t versions[] = {0, TANDEM_USB_DFU_1_0, TANDEM_USB_DFUSE};
    static const uint8_t attributes[] = {13, 5, 9, 1};
    static const uint16_t blocks[] = {64, 1024, 4096};
    for (unsigned i = 0; i < 3 * 4 * 3 * 2; i++) {
        enum tandem_usb_mode mode = i % 2 ? TANDEM_USB_DFU : TANDEM_USB_RUNTIME;
        open_bench(versions[i / 2 % 3], attributes[i / 6 % 4], mode, blocks[i / 24]);
        b.lazy = i % 5;
        enum tandem_status status = update(&b.new, 1);
        if (!CHECK_EQUAL(status, TANDEM_OK))
            fprintf(stderr, "version %x, attributes %u, mode %u, block %u\n", versions[i / 2 % 3],
                    attributes[i / 6 % 4], mode, blocks[i / 24]);
        CHECK_EQUAL(tandem_update_result(&b.update)->runs, TANDEM_RUNS_NEW);
        CHECK_EQUAL(runs(), 2);
        close_bench();
    }
}

/* Windows cannot reset the bus. Devices that leave by themselves do not need it. */
static void test_without_resets(void)
{
    for (uint8_t tolerant = 0; tolerant < 2; tolerant++) {
        open_bench(0, (uint8_t)(tolerant ? 13 : 9), TANDEM_USB_RUNTIME, 1024);
        b.no_reset = 1;
        CHECK_EQUAL(update(&b.new, 1), TANDEM_OK);
        CHECK_EQUAL(runs(), 2);
        close_bench();
    }
}

static void test_bare_images(void)
{
    struct package image = {(uint8_t *)malloc(7000), 7000, {0}};
    memcpy(image.bytes, fixture_bytes(40, 7000), 7000);
    for (unsigned allowed = 0; allowed < 2; allowed++) {
        open_bench(0, 13, TANDEM_USB_DFU, 1024);
        b.f.device.allow_unsigned = (uint8_t)allowed;
        CHECK_EQUAL(update(&image, 0), allowed ? TANDEM_OK : TANDEM_ERROR_UNSIGNED);
        pass(5000);
        power_on();
        CHECK_EQUAL(tandem_bank_running(&b.f.install.bank), allowed);
        if (allowed)
            CHECK_BYTES(sim_flash_at(&b.f.flash, b.f.slots[0].areas[1].address), image.bytes, image.size);
        close_bench();
    }
    free(image.bytes);
}

/* The device's reason arrives as what it was, with the device's own words. */
static void test_reasons(void)
{
    open_bench(0, 13, TANDEM_USB_DFU, 1024);
    b.new.bytes[b.new.size / 2] ^= 1;
    CHECK_EQUAL(update(&b.new, 1), TANDEM_ERROR_DIGEST);
    CHECK(tandem_update_result(&b.update)->reported);
    CHECK(strcmp(tandem_usb_dfu_host_reason(&b.host), "damaged") == 0);
    CHECK_EQUAL(runs(), 1);
    close_bench();
    open_bench(0, 13, TANDEM_USB_DFU, 1024);
    b.new.size -= 600;
    CHECK_EQUAL(update(&b.new, 0), TANDEM_ERROR_TRUNCATED);
    CHECK_EQUAL(runs(), 1);
    close_bench();
    open_bench(0, 9, TANDEM_USB_DFU, 1024);
    b.config.text = NULL;
    b.f.battery = 10;
    b.f.device.battery_minimum = 20;
    CHECK_EQUAL(update(&b.new, 1), TANDEM_ERROR_STATE); /* errVENDOR says no more */
    CHECK_EQUAL(runs(), 1);
    close_bench();
    open_bench(TANDEM_USB_DFUSE, 13, TANDEM_USB_DFU, 1024);
    b.host_config.has_address = 1;
    b.host_config.address = BASE - 1024;
    CHECK_EQUAL(update(&b.new, 1), TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(runs(), 1);
    close_bench();
}

/* The link breaks at every transfer; the updater goes on by itself. */
static void test_unplugged(void)
{
    for (unsigned at = 1;; at += 3) {
        open_bench(0, 13, at % 2 ? TANDEM_USB_DFU : TANDEM_USB_RUNTIME, 1024);
        b.unplug_at = b.transfers + at;
        CHECK_EQUAL(update(&b.new, 1), TANDEM_OK);
        unsigned reached = b.unplug_at == 0;
        CHECK_EQUAL(runs(), 2);
        close_bench();
        if (!reached)
            break;
        REQUIRE(at < 500);
    }
}

/* It accepted everything, and never left: that is no success. */
static void test_never_leaves(void)
{
    open_bench(0, 13, TANDEM_USB_DFU, 1024);
    b.stays = 1;
    b.no_reset = 1;
    CHECK_EQUAL(update(&b.new, 1), TANDEM_ERROR_TIMEOUT);
    close_bench();
}

static void test_other_devices(void)
{
    open_bench(0, 13, TANDEM_USB_DFU, 1024);
    b.host_config.dfu_product = 7;
    CHECK_EQUAL(update(&b.new, 1), TANDEM_ERROR_DISCONNECTED);
    close_bench();
    open_bench(0, 13, TANDEM_USB_RUNTIME, 1024);
    b.host_config.dfu_product = 7; /* but it is where the other one was */
    CHECK_EQUAL(update(&b.new, 1), TANDEM_OK);
    CHECK_EQUAL(runs(), 2);
    close_bench();
    open_bench(0, 13, TANDEM_USB_DFU, 1024);
    b.host_config.serial = "4712";
    CHECK_EQUAL(update(&b.new, 1), TANDEM_ERROR_DISCONNECTED);
    CHECK_EQUAL(runs(), 1);
    close_bench();
    open_bench(0, 13, TANDEM_USB_DFU, 1024);
    b.host_config.alternate_name = "Firmware";
    b.host_config.serial = "4711";
    CHECK_EQUAL(update(&b.new, 1), TANDEM_OK);
    close_bench();
}

/* ---- upload ---- */

struct sink {
    uint8_t bytes[4096];
    size_t size;
};

static enum tandem_status take(void *ctx, const void *data, size_t size)
{
    struct sink *sink = (struct sink *)ctx;
    REQUIRE(sink->size + size <= sizeof sink->bytes);
    memcpy(sink->bytes + sink->size, data, size);
    sink->size += size;
    return TANDEM_OK;
}

static void test_upload(void)
{
    for (unsigned i = 0; i < 8; i++) {
        struct sink sink = {{0}, 0};
        const struct tandem_target *target;
        enum tandem_status status;
        open_bench(i % 2 ? TANDEM_USB_DFUSE : 0, 15, TANDEM_USB_DFU, i & 2 ? 1000 : 1024);
        uint32_t limit = i & 4 ? 1500 : 2048;
        b.host_config.alternate_name = "Settings";
        b.lazy = i;
        target = tandem_usb_dfu_host_target(&b.host);
        target->poll(target->ctx, b.now);
        while ((status = target->connect(target->ctx)) == TANDEM_AGAIN)
            ;
        REQUIRE(status == TANDEM_OK);
        for (unsigned turn = 0; turn < 1000; turn++) {
            tandem_usb_dfu_host_poll(&b.host, b.now);
            status = tandem_usb_dfu_host_upload(&b.host, take, &sink, limit);
            if (status != TANDEM_AGAIN)
                break;
            pass(1);
        }
        CHECK_EQUAL(status, TANDEM_OK);
        CHECK_EQUAL(sink.size, limit);
        CHECK_BYTES(sink.bytes, sim_flash_at(&b.f.flash, b.alternates[1].area.address), limit);
        CHECK_EQUAL(b.dfu.state, 2);
        close_bench();
    }
}

static void test_list(void)
{
    char text[TANDEM_USB_DFU_HOST_TEXT];
    open_bench(0, 15, TANDEM_USB_DFU, 1024);
    CHECK_EQUAL(tandem_usb_dfu_host_next(&b.host), TANDEM_OK);
    CHECK_EQUAL(b.host.found.vendor, 0x1209);
    CHECK_EQUAL(b.host.found.product, 2);
    CHECK_EQUAL(b.host.found.dfu, 1);
    CHECK_EQUAL(b.host.found.alternates, 2);
    CHECK_EQUAL(b.host.found.attributes, 15);
    CHECK_EQUAL(b.host.found.transfer_size, 1024);
    CHECK_EQUAL(tandem_usb_dfu_host_name(&b.host, 1, text), TANDEM_OK);
    CHECK(strcmp(text, "Settings") == 0);
    CHECK_EQUAL(tandem_usb_dfu_host_next(&b.host), TANDEM_ERROR_NOTHING);
    close_bench();
}

/* ---- devices that are not ours ---- */

static struct sim_rng rng;

/* Answers with noise, of any length, but for what the numbers of devices need. */
static enum tandem_status noise(void *ctx, const struct tandem_usb_setup *setup, void *bytes, uint16_t *size)
{
    uint8_t *out = (uint8_t *)bytes;
    (void)ctx;
    if (!(setup->type & 0x80))
        return sim_below(&rng, 8) ? TANDEM_OK : TANDEM_ERROR_PROTOCOL;
    if (sim_below(&rng, 16) == 0)
        return TANDEM_ERROR_PROTOCOL;
    sim_random_bytes(&rng, out, setup->length);
    if (setup->request == 6 && setup->value >> 8 == 1 && setup->length >= 18)
        memcpy(out, "\x12\x01\x00\x02\x00\x00\x00\x40\x09\x12\x02\x00\x00\x01\x01\x02\x03\x01", 18);
    if (setup->request == 6 && setup->value >> 8 == 2 && setup->length >= 9) {
        out[2] = (uint8_t)sim_below(&rng, 256);
        out[3] = (uint8_t)sim_below(&rng, 5);
    }
    if (setup->request == 6 && setup->value >> 8 == 2 && setup->length >= 40 && sim_below(&rng, 4)) {
        memcpy(out, "\x09\x02\x24\x00\x01\x01\x00\x80\x32\x09\x04\x00\x00\x00\xFE\x01\x02\x10", 18);
        memcpy(out + 18, "\x09\x21\x0F\xE8\x03\x00\x04", 7);
        out[25] = sim_below(&rng, 2) ? 0x10 : 0x1A;
        out[26] = 1;
    }
    if (setup->request == 3 && setup->length == 6) {
        out[1] = (uint8_t)sim_below(&rng, 3);
        out[2] = out[3] = 0;
        out[4] = (uint8_t)sim_below(&rng, 12);
    }
    *size = sim_below(&rng, 8) ? setup->length : (uint16_t)sim_below(&rng, setup->length + 1u);
    return TANDEM_OK;
}

static enum tandem_status claim_nothing(void *ctx, uint8_t interface, uint8_t alternate)
{
    (void)ctx;
    (void)interface;
    (void)alternate;
    return TANDEM_OK;
}

static void test_hostile(void)
{
    for (unsigned seed = 1; seed <= 300; seed++) {
        rng.state = seed;
        open_bench(0, 13, TANDEM_USB_DFU, 1024);
        b.port.control = noise;
        b.port.claim = claim_nothing;
        b.host_config.vendor = 0;
        b.host_config.product = 0;
        b.host_config.dfu_product = 0;
        (void)update(&b.new, 1); /* ends, whatever it is told */
        CHECK(tandem_update_result(&b.update)->status != TANDEM_AGAIN);
        close_bench();
    }
}

/* A configuration that ends in the middle of its functional descriptor. */
static enum tandem_status cut_short(void *ctx, const struct tandem_usb_setup *setup, void *bytes, uint16_t *size)
{
    static const uint8_t device[18] = {18, 1, 0, 2, 0, 0, 0, 64, 9, 18, 2, 0, 0, 1, 0, 0, 0, 1};
    static const uint8_t configuration[22] = {9, 2, 22, 0,    1, 1, 0, 0x80, 50,   9,  4,
                                              0, 0, 0,  0xFE, 1, 2, 0, 9,    0x21, 15, 232};
    const uint8_t *what = setup->value >> 8 == 1 ? device : configuration;
    size_t whole = what == device ? sizeof device : sizeof configuration;
    (void)ctx;
    memset(bytes, 0xEE, setup->length);
    *size = (uint16_t)(setup->length < whole ? setup->length : whole);
    memcpy(bytes, what, *size);
    return TANDEM_OK;
}

static void test_cut_short(void)
{
    open_bench(0, 13, TANDEM_USB_DFU, 1024);
    b.port.control = cut_short;
    CHECK_EQUAL(tandem_usb_dfu_host_next(&b.host), TANDEM_OK);
    CHECK_EQUAL(b.host.found.alternates, 1);
    CHECK_EQUAL(b.host.found.attributes, 0);
    CHECK_EQUAL(b.host.found.version, 0x0100);
    close_bench();
}

int main(void)
{
    RUN(test_updates);
    RUN(test_without_resets);
    RUN(test_bare_images);
    RUN(test_reasons);
    RUN(test_unplugged);
    RUN(test_never_leaves);
    RUN(test_other_devices);
    RUN(test_upload);
    RUN(test_list);
    RUN(test_hostile);
    RUN(test_cut_short);
    return check_report();
}
