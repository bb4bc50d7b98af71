/*
 * USB DFU, device half: every state against every request, by a table of the
 * standard's; downloads whole, damaged, cut short and interrupted, judged by
 * what is in flash; upload, detaching, resets, DfuSe, descriptors.
 */
#include "check.h"
#include "core/bytes.h"
#include "fixture.h"
#include "tandem/usb_endpoint.h"

enum {
    APP_IDLE,
    APP_DETACH,
    IDLE,
    DNLOAD_SYNC,
    DNBUSY,
    DNLOAD_IDLE,
    MANIFEST_SYNC,
    MANIFEST,
    WAIT_RESET,
    UPLOAD_IDLE,
    ERROR,
    STATES
};
enum { DETACH, DNLOAD, UPLOAD, GETSTATUS, CLRSTATUS, GETSTATE, ABORT };

#define BLOCK_MAX 4096
#define STALLED_PACKET 15
#define LAST_ADDRESS 0x08000000u

/* A device with its bus. */
struct rig {
    struct fixture f;
    struct tandem_usb_dfu_alternate alternates[2];
    struct tandem_usb_dfu_config config;
    struct tandem_usb_device_port port;
    struct tandem_usb_dfu dfu;
    struct tandem_usb_endpoint endpoint;
    uint8_t block[BLOCK_MAX];
    uint32_t now;
    unsigned attached, in_reset; /* calls of attach() */
    unsigned reboots;
    enum tandem_usb_mode mode;      /* as attached last */
    enum tandem_status attach_says; /* its answer */
    uint8_t got[6];                 /* the last status */
    struct package old, new;
};

static struct rig r;

static enum tandem_status attach(void *ctx, enum tandem_usb_mode mode, int in_reset)
{
    struct rig *rig = (struct rig *)ctx;
    rig->attached++;
    rig->in_reset += in_reset ? 1u : 0u;
    if (rig->attach_says == TANDEM_OK)
        rig->mode = mode;
    return rig->attach_says;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx; /* the fixture's, which lies first in the rig */
    r.reboots++;
    return TANDEM_OK;
}

static void restart(enum tandem_usb_mode mode)
{
    sim_power_return(&r.f.power, (struct sim_flash *const[]){&r.f.flash}, 1);
    REQUIRE(fixture_install(&r.f) == TANDEM_OK);
    REQUIRE(tandem_usb_dfu_init(&r.dfu, &r.config, mode) == TANDEM_OK);
    r.mode = mode;
    r.attached = r.in_reset = r.reboots = 0;
    (void)tandem_usb_dfu_poll(&r.dfu, r.now);
}

/* Version 1 runs from bank 0. */
static void open_rig(uint16_t block, enum tandem_usb_mode mode)
{
    struct fixture_options options = {0, 0, 0, 1, 0};
    memset(&r, 0, sizeof r);
    fixture_open(&r.f, &options);
    r.f.system.reboot = reboot;
    r.old = fixture_package(1);
    r.new = fixture_package(2);
    fixture_factory(&r.f, 0, &r.old);
    r.alternates[0].name = "Firmware";
    r.alternates[0].area = r.f.slots[0].areas[0];
    r.alternates[0].address = LAST_ADDRESS;
    r.alternates[1].name = "Settings";
    r.alternates[1].content = TANDEM_USB_DFU_MEMORY;
    r.alternates[1].readable = 1;
    r.alternates[1].area = r.f.slots[2].areas[0];
    r.alternates[1].address = 0x09000000u;
    r.port.ctx = &r;
    r.port.attach = attach;
    r.config.install = &r.f.install;
    r.config.port = &r.port;
    r.config.alternates = r.alternates;
    r.config.alternate_count = 2;
    r.config.buffer = r.block;
    r.config.buffer_size = block;
    r.config.attributes = TANDEM_USB_DFU_DEFAULT | TANDEM_USB_DFU_CAN_UPLOAD;
    r.config.text = tandem_usb_dfu_text;
    restart(mode);
}

static void close_rig(void)
{
    package_free(&r.old);
    package_free(&r.new);
    CHECK_EQUAL(sim_flash_violations(&r.f.flash), 0);
    fixture_close(&r.f);
}

/* Let time pass, and the device work in it. */
static void pass(uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++) {
        r.now++;
        r.f.now_us += 1000;
        for (unsigned turn = 0; turn < 8; turn++)
            (void)tandem_usb_dfu_poll(&r.dfu, r.now);
    }
}

/* A control transfer. @return bytes transferred, or -1: stalled */
static int control(uint8_t type, uint8_t request, uint16_t value, uint16_t index, void *data, uint16_t length)
{
    struct tandem_usb_setup setup = {type, request, value, index, length};
    struct tandem_usb_data stage = {NULL, 0};
    switch (tandem_usb_dfu_setup(&r.dfu, &setup, &stage)) {
    case TANDEM_USB_DONE:
        return 0;
    case TANDEM_USB_SEND:
        CHECK(stage.size <= length);
        memcpy(data, stage.bytes, stage.size);
        return stage.size;
    case TANDEM_USB_RECEIVE:
        CHECK_EQUAL(stage.size, length);
        memcpy(stage.bytes, data, length);
        return tandem_usb_dfu_received(&r.dfu, length) == TANDEM_USB_DONE ? length : -1;
    default:
        return -1;
    }
}

static int request(uint8_t number, uint16_t value, void *data, uint16_t length)
{
    uint8_t type = number == UPLOAD || number == GETSTATUS || number == GETSTATE ? 0xA1 : 0x21;
    return control(type, number, value, 0, data, length);
}

static int get_state(void)
{
    uint8_t state = 0xFF;
    return request(GETSTATE, 0, &state, 1) == 1 ? state : -1;
}

/* @return the state told */
static int get_status(void)
{
    return request(GETSTATUS, 0, r.got, 6) == 6 ? r.got[4] : -1;
}

static uint32_t poll_ms(void)
{
    return r.got[1] | (uint32_t)r.got[2] << 8 | (uint32_t)r.got[3] << 16;
}

/* As hosts do: ask until it is no longer busy. */
static int wait_status(void)
{
    for (unsigned i = 0; i < 10000; i++) {
        int state = get_status();
        if (state != DNLOAD_SYNC && state != DNBUSY && state != MANIFEST_SYNC && state != MANIFEST)
            return state;
        CHECK(poll_ms() > 0 || state == MANIFEST_SYNC || state == DNLOAD_SYNC);
        pass(poll_ms());
    }
    return -1;
}

/* Send blocks of `size` bytes, at most `limit` of them. @return the last state told, or -1: stalled */
static int send_blocks(const struct package *package, uint32_t bytes, uint16_t size, unsigned limit, uint16_t number)
{
    int state = IDLE;
    for (uint32_t at = 0; at < bytes && limit-- != 0; at += size) {
        uint16_t part = (uint16_t)(bytes - at < size ? bytes - at : size);
        if (request(DNLOAD, number++, package->bytes + at, part) != part)
            return -1;
        state = wait_status();
        if (state != DNLOAD_IDLE)
            return state;
    }
    return state;
}

/* A whole download. @return the last state, or -1: the end was stalled */
static int download(const struct package *package, uint32_t bytes, uint16_t size)
{
    int state = send_blocks(package, bytes, size, 1000000, 0);
    if (state != DNLOAD_IDLE)
        return state;
    if (request(DNLOAD, (uint16_t)((bytes + size - 1) / size), NULL, 0) != 0)
        return -1;
    return wait_status();
}

/* What the bootloader would start: bank 0 or 1. */
static int boots(void)
{
    struct tandem_boot boot;
    pass(200); /* flash at work comes to rest */
    REQUIRE(fixture_boot(&r.f, &boot) == TANDEM_OK);
    return boot.bank;
}

static int runs_new(void)
{
    return boots() == 1 && fixture_holds(&r.f, 1, TANDEM_KIND_APPLICATION, &r.new) &&
           fixture_holds(&r.f, 1, TANDEM_KIND_STACK, &r.new);
}

/* The bootloader has written the journal: the device starts anew. */
static int runs_old(void)
{
    int old = boots() == 0 && fixture_holds(&r.f, 0, TANDEM_KIND_APPLICATION, &r.old);
    restart(TANDEM_USB_DFU);
    return old;
}

/* ---- the table ---- */

/* What a state's answer to a request is: S stalls, A acknowledges or sends; and the state after that. */
struct rule {
    char answer;
    uint8_t next;
};

/* From the standard's appendix A: requests in the order of their numbers, the empty DNLOAD last. Strict timing. A
 * manifestation is done as soon as it begins here, and not tolerated where the state demands it. */
static const struct rule rules[STATES][8] = {
    {{'A', APP_DETACH},
     {'S', APP_IDLE},
     {'S', APP_IDLE},
     {'A', APP_IDLE},
     {'S', APP_IDLE},
     {'A', APP_IDLE},
     {'S', APP_IDLE},
     {'S', APP_IDLE}},
    {{'S', APP_IDLE},
     {'S', APP_IDLE},
     {'S', APP_IDLE},
     {'A', APP_DETACH},
     {'S', APP_IDLE},
     {'A', APP_DETACH},
     {'S', APP_IDLE},
     {'S', APP_IDLE}},
    {{'S', ERROR},
     {'A', DNLOAD_SYNC},
     {'A', UPLOAD_IDLE},
     {'A', IDLE},
     {'S', ERROR},
     {'A', IDLE},
     {'A', IDLE},
     {'S', ERROR}},
    {{'S', ERROR},
     {'S', ERROR},
     {'S', ERROR},
     {'A', DNBUSY},
     {'S', ERROR},
     {'A', DNLOAD_SYNC},
     {'S', ERROR},
     {'S', ERROR}},
    {{'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}},
    {{'S', ERROR},
     {'A', DNLOAD_SYNC},
     {'S', ERROR},
     {'A', DNLOAD_IDLE},
     {'S', ERROR},
     {'A', DNLOAD_IDLE},
     {'A', IDLE},
     {'S', ERROR}},
    {{'S', ERROR},
     {'S', ERROR},
     {'S', ERROR},
     {'A', IDLE},
     {'S', ERROR},
     {'A', MANIFEST_SYNC},
     {'S', ERROR},
     {'S', ERROR}},
    {{'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'S', ERROR}},
    {{'S', WAIT_RESET},
     {'S', WAIT_RESET},
     {'S', WAIT_RESET},
     {'A', WAIT_RESET},
     {'S', WAIT_RESET},
     {'A', WAIT_RESET},
     {'S', WAIT_RESET},
     {'S', WAIT_RESET}},
    {{'S', ERROR},
     {'S', ERROR},
     {'A', UPLOAD_IDLE},
     {'A', UPLOAD_IDLE},
     {'S', ERROR},
     {'A', UPLOAD_IDLE},
     {'A', IDLE},
     {'S', ERROR}},
    {{'S', ERROR}, {'S', ERROR}, {'S', ERROR}, {'A', ERROR}, {'A', IDLE}, {'A', ERROR}, {'S', ERROR}, {'S', ERROR}},
};

/* Bring a new device into a state, by requests and time alone. */
static void reach(uint8_t state)
{
    uint8_t bytes[64];
    int runtime = state == APP_IDLE || state == APP_DETACH;
    if (state == MANIFEST || state == WAIT_RESET)
        r.config.attributes &= (uint8_t)~TANDEM_USB_DFU_TOLERANT;
    if (state == APP_DETACH)
        r.config.attributes &= (uint8_t)~TANDEM_USB_DFU_WILL_DETACH;
    restart(runtime ? TANDEM_USB_RUNTIME : TANDEM_USB_DFU);
    switch (state) {
    case APP_DETACH:
        CHECK_EQUAL(request(DETACH, 1000, NULL, 0), 0);
        break;
    case IDLE: /* of an alternate that can be read, and one that can be written, see below */
        break;
    case DNLOAD_SYNC:
    case DNBUSY:
        CHECK_EQUAL(request(DNLOAD, 0, r.new.bytes, 64), 64);
        if (state == DNBUSY)
            CHECK_EQUAL(get_status(), DNBUSY);
        break;
    case DNLOAD_IDLE:
        CHECK_EQUAL(send_blocks(&r.new, r.new.size, 64, 3, 0), DNLOAD_IDLE);
        break;
    case MANIFEST_SYNC:
    case MANIFEST:
    case WAIT_RESET:
        CHECK_EQUAL(send_blocks(&r.new, r.new.size, 64, 100000, 0), DNLOAD_IDLE);
        CHECK_EQUAL(request(DNLOAD, 0, NULL, 0), 0);
        if (state != MANIFEST_SYNC)
            CHECK_EQUAL(get_status(), MANIFEST);
        if (state == WAIT_RESET)
            pass(poll_ms());
        break;
    case UPLOAD_IDLE:
        CHECK_EQUAL(request(UPLOAD, 0, bytes, 64), 64);
        break;
    case ERROR:
        CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), -1);
        break;
    default:
        break;
    }
    CHECK_EQUAL(r.dfu.state, state);
}

static void check_rule(uint8_t state, unsigned column, struct rule rule)
{
    uint8_t number = column == 7 ? DNLOAD : (uint8_t)column;
    uint8_t bytes[64];
    uint16_t length = number == GETSTATUS ? 6 : number == GETSTATE ? 1 : number == UPLOAD ? 64 : 0;
    memcpy(bytes, r.new.bytes, sizeof bytes);
    reach(state);
    if (column == DNLOAD) {
        length = 64;
        memcpy(bytes, r.new.bytes + (state == DNLOAD_IDLE ? 3 * 64 : 0), 64);
    }
    int got = request(number, column == DNLOAD && state == DNLOAD_IDLE ? 3 : 0, bytes, length);
    if ((got < 0) != (rule.answer == 'S') || r.dfu.state != rule.next) {
        fprintf(stderr, "state %u, request %u: %s, then state %u; should be %c, %u\n", state, column,
                got < 0 ? "stalled" : "taken", r.dfu.state, rule.answer, rule.next);
        CHECK(0);
    }
    if (got >= 0 && number == GETSTATUS)
        CHECK_EQUAL(bytes[4], rule.next);
    if (got >= 0 && number == GETSTATE)
        CHECK_EQUAL(bytes[0], rule.next);
    if (got < 0 && rule.next == ERROR && state != ERROR) {
        CHECK_EQUAL(get_status(), ERROR);
        CHECK_EQUAL(r.got[0], state == DNLOAD_IDLE && column == 7 ? 9 : STALLED_PACKET);
    }
}

/* Where the usual device is kinder than the standard. */
static int lenient(uint8_t state, unsigned column, struct rule *rule)
{
    if (state == IDLE && column == DETACH)
        *rule = (struct rule){'A', IDLE};
    else if ((state == DNBUSY || state == MANIFEST) && column == GETSTATUS)
        *rule = (struct rule){'A', state};
    else
        return 0;
    return 1;
}

static void test_table(void)
{
    unsigned kinder = 0;
    open_rig(64, TANDEM_USB_DFU);
    r.alternates[0].readable = 1;
    uint8_t attributes = r.config.attributes;
    for (uint8_t strict = 0; strict < 2; strict++)
        for (uint8_t state = 0; state < STATES; state++)
            for (unsigned column = 0; column < 8; column++) {
                struct rule rule = rules[state][column];
                if (!strict)
                    kinder += (unsigned)lenient(state, column, &rule);
                r.config.strict = strict;
                r.config.attributes = attributes;
                check_rule(state, column, rule);
            }
    CHECK_EQUAL(kinder, 3);
    close_rig();
}

/* Requests that no DFU has, wrong directions, lengths, interfaces. */
static void test_malformed(void)
{
    uint8_t bytes[128] = {0};
    open_rig(64, TANDEM_USB_DFU);
    r.alternates[0].readable = 1;
    static const struct {
        uint8_t type, request;
        uint16_t length;
    } wrong[] = {{0x21, 7, 0},       {0xA1, 200, 8},     {0xA1, DETACH, 1},  {0x21, GETSTATUS, 6}, {0x21, UPLOAD, 64},
                 {0xA1, DNLOAD, 64}, {0x21, DNLOAD, 65}, {0xA1, UPLOAD, 65}, {0xA1, UPLOAD, 0},    {0x21, ABORT, 1}};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        restart(TANDEM_USB_DFU);
        CHECK_EQUAL(control(wrong[i].type, wrong[i].request, 0, 0, bytes, wrong[i].length), -1);
        CHECK_EQUAL(get_status(), ERROR);
        CHECK_EQUAL(r.got[0], STALLED_PACKET);
        CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
        CHECK_EQUAL(get_status(), IDLE);
        CHECK_EQUAL(r.got[0], 0);
        restart(TANDEM_USB_RUNTIME);
        CHECK_EQUAL(control(wrong[i].type, wrong[i].request, 0, 0, bytes, wrong[i].length), -1);
        CHECK_EQUAL(get_state(), APP_IDLE);
    }
    restart(TANDEM_USB_DFU);
    struct tandem_usb_setup other = {0xA1, GETSTATUS, 0, 1, 6};
    struct tandem_usb_data data;
    CHECK_EQUAL(tandem_usb_dfu_setup(&r.dfu, &other, &data), TANDEM_USB_OTHER);
    CHECK_EQUAL(request(GETSTATUS, 0, bytes, 3), 3);
    /* A data stage that a new set-up packet ends has not been; one that is short is an error. */
    struct tandem_usb_setup load = {0x21, DNLOAD, 0, 0, 64};
    CHECK_EQUAL(tandem_usb_dfu_setup(&r.dfu, &load, &data), TANDEM_USB_RECEIVE);
    CHECK_EQUAL(get_status(), IDLE);
    CHECK_EQUAL(tandem_usb_dfu_received(&r.dfu, 64), TANDEM_USB_STALL);
    CHECK_EQUAL(get_status(), IDLE);
    CHECK_EQUAL(tandem_usb_dfu_setup(&r.dfu, &load, &data), TANDEM_USB_RECEIVE);
    CHECK_EQUAL(tandem_usb_dfu_received(&r.dfu, 63), TANDEM_USB_STALL);
    CHECK_EQUAL(get_status(), ERROR);
    close_rig();
}

/* ---- downloads ---- */

static void test_download(void)
{
    static const uint16_t sizes[] = {64, 100, 512, 1024, 2048, 4096};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        open_rig(sizes[i], TANDEM_USB_DFU);
        CHECK_EQUAL(download(&r.new, r.new.size, sizes[i]), IDLE);
        CHECK_EQUAL(r.got[0], 0);
        CHECK_EQUAL(tandem_install_state(&r.f.install), TANDEM_STATE_PENDING);
        CHECK_EQUAL(r.reboots, 0);
        pass(3001);
        CHECK_EQUAL(r.reboots, 1);
        CHECK(runs_new());
        close_rig();
    }
}

/* Blocks smaller than the device's, numbers that begin anywhere and wrap. */
static void test_block_numbers(void)
{
    open_rig(2048, TANDEM_USB_DFU);
    CHECK_EQUAL(send_blocks(&r.new, r.new.size, 500, 1000, 65530), DNLOAD_IDLE);
    CHECK_EQUAL(request(DNLOAD, 0, NULL, 0), 0);
    CHECK_EQUAL(wait_status(), IDLE);
    CHECK(runs_new());
    close_rig();
    open_rig(2048, TANDEM_USB_DFU);
    CHECK_EQUAL(send_blocks(&r.new, r.new.size, 500, 2, 0), DNLOAD_IDLE);
    CHECK_EQUAL(request(DNLOAD, 3, r.new.bytes, 500), -1);
    CHECK_EQUAL(get_status(), ERROR);
    CHECK_EQUAL(r.got[0], 8);
    close_rig();
}

static void recovers(uint16_t size)
{
    CHECK_EQUAL(control(0x01, 11, 0, 0, NULL, 0), 0);
    CHECK_EQUAL(download(&r.new, r.new.size, size), IDLE);
    CHECK(runs_new());
}

static void test_truncated(void)
{
    open_rig(512, TANDEM_USB_DFU);
    for (uint32_t cut = 100; cut < r.new.size; cut += 977) {
        restart(TANDEM_USB_DFU);
        CHECK_EQUAL(download(&r.new, cut, 512), -1);
        CHECK_EQUAL(get_status(), ERROR);
        CHECK_EQUAL(r.got[0], 9); /* errNOTDONE */
        pass(10);
    }
    recovers(512);
    close_rig();
}

/* A host hears of damage before the end, with the next block or the last. */
static void test_damaged(void)
{
    open_rig(512, TANDEM_USB_DFU);
    for (uint32_t at = 0; at < r.new.size; at += 331) {
        restart(TANDEM_USB_DFU);
        r.new.bytes[at] ^= 0x10;
        int state = send_blocks(&r.new, r.new.size, 512, 1000, 0);
        CHECK(state == ERROR || state == -1);
        CHECK_EQUAL(get_status(), ERROR);
        CHECK(r.got[0] == 2 || r.got[0] == 1 || r.got[0] == 8 || r.got[0] == 9);
        CHECK_EQUAL(r.got[5], 4);
        r.new.bytes[at] ^= 0x10;
        CHECK(runs_old());
    }
    recovers(512);
    close_rig();
}

/* The reason reaches the host, as a number and as a text. */
static void test_reasons(void)
{
    static const struct {
        const char *vendor;
        uint8_t battery, trusted, status;
        const char *text;
    } cases[] = {
        {"Other", 100, 1, 1, "made for another product"},
        {"Acme", 100, 0, 2, "signed by nobody trusted here"},
        {"Acme", 10, 1, 11, "battery too low"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct recipe recipe;
        open_rig(1024, TANDEM_USB_DFU);
        recipe_begin(&recipe, 2);
        recipe.pack.vendor = cases[i].vendor;
        if (!cases[i].trusted)
            recipe.signers[0] = fixture_signer(2);
        recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 5000);
        struct package package = recipe_make(&recipe);
        r.f.battery = cases[i].battery;
        r.f.device.battery_minimum = 20;
        CHECK_EQUAL(download(&package, package.size, 1024), ERROR);
        CHECK_EQUAL(r.got[0], cases[i].status);
        CHECK_EQUAL(r.got[5], 4);
        struct tandem_usb_identity identity = {0x1209, 1, 2, 0x0100, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0};
        struct tandem_usb_setup setup = {0x80, 6, 0x0304, 0x0409, 255};
        uint8_t text[256];
        uint16_t size = tandem_usb_describe(&r.dfu, &identity, &setup, text);
        CHECK_EQUAL(size, 2 + 2 * strlen(cases[i].text));
        for (unsigned n = 0; n < strlen(cases[i].text); n++)
            CHECK_EQUAL(text[2 + 2 * n], cases[i].text[n]);
        r.f.battery = 100;
        recovers(1024);
        package_free(&package);
        close_rig();
    }
}

/* The battery is low when the update is to be activated: the empty block is stalled, and what is there stays good. */
static void test_activation_refused(void)
{
    open_rig(1024, TANDEM_USB_DFU);
    r.f.device.battery_minimum = 20;
    CHECK_EQUAL(send_blocks(&r.new, r.new.size, 1024, 1000, 0), DNLOAD_IDLE);
    r.f.battery = 10;
    CHECK_EQUAL(request(DNLOAD, 99, NULL, 0), -1);
    CHECK_EQUAL(get_status(), ERROR);
    CHECK_EQUAL(r.got[0], 11);
    CHECK(runs_old());
    close_rig();
}

/* Power fails after each block; the same package sent again goes on where it was. */
static void test_unplugged(void)
{
    open_rig(1024, TANDEM_USB_DFU);
    unsigned blocks = (r.new.size + 1023) / 1024;
    for (unsigned n = 1; n < blocks; n++) {
        restart(TANDEM_USB_DFU);
        CHECK_EQUAL(send_blocks(&r.new, r.new.size, 1024, n, 0), DNLOAD_IDLE);
        restart(TANDEM_USB_DFU);
        CHECK(runs_old());
    }
    uint64_t programmed = r.f.flash.stats.bytes;
    CHECK_EQUAL(download(&r.new, r.new.size, 1024), IDLE);
    CHECK(r.f.flash.stats.bytes - programmed < 5000); /* not all of it again */
    CHECK(runs_new());
    close_rig();
}

/* The host lets go, resets, chooses the interface anew, aborts: the next download is as good as the first. */
static void test_interrupted(void)
{
    for (unsigned how = 0; how < 4; how++) {
        open_rig(512, TANDEM_USB_DFU);
        CHECK_EQUAL(send_blocks(&r.new, r.new.size, 512, 5, 0), DNLOAD_IDLE);
        if (how == 3)
            CHECK_EQUAL(request(DNLOAD, 5, r.new.bytes + 2560, 512), 512);
        if (how == 0) {
            CHECK_EQUAL(request(ABORT, 0, NULL, 0), 0);
            CHECK_EQUAL(get_state(), IDLE);
        } else if (how == 1) {
            for (unsigned i = 0; i < 4; i++)
                tandem_usb_dfu_reset(&r.dfu); /* one reset, as hosts make it */
            CHECK_EQUAL(get_status(), ERROR);
            CHECK_EQUAL(r.got[0], 12); /* errUSBR */
            CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
        } else {
            CHECK_EQUAL(control(0x01, 11, 0, 0, NULL, 0), 0);
            CHECK_EQUAL(get_status(), IDLE);
        }
        CHECK_EQUAL(r.attached, 0);
        CHECK_EQUAL(download(&r.new, r.new.size, 512), IDLE);
        CHECK(runs_new());
        close_rig();
    }
}

/* A package that brings one image of three: the others are copied before payload bytes are taken. */
static void test_copies(void)
{
    struct recipe recipe;
    static const uint16_t sizes[] = {64, 700, 4096};
    for (unsigned i = 0; i < 3; i++) {
        open_rig(sizes[i], TANDEM_USB_DFU);
        recipe_begin(&recipe, 2);
        recipe_image(&recipe, TANDEM_KIND_STACK, 7, 3002);
        struct package package = recipe_make(&recipe);
        CHECK_EQUAL(download(&package, package.size, sizes[i]), IDLE);
        CHECK_EQUAL(boots(), 1);
        CHECK(fixture_holds(&r.f, 1, TANDEM_KIND_STACK, &package));
        CHECK(fixture_holds(&r.f, 1, TANDEM_KIND_APPLICATION, &r.old));
        package_free(&package);
        close_rig();
    }
}

/* ---- bare images ---- */

static struct tandem_bare bare;

static void open_bare(uint8_t allowed)
{
    open_rig(1024, TANDEM_USB_DFU);
    r.f.device.allow_unsigned = allowed;
    r.config.bare = &bare;
    restart(TANDEM_USB_DFU);
    tandem_bare_init(&bare, &r.f.install);
}

static struct package raw(uint32_t size)
{
    struct package package = {(uint8_t *)malloc(size), size, {0}};
    REQUIRE(package.bytes != NULL);
    memcpy(package.bytes, fixture_bytes(40, size), size);
    return package;
}

static void test_bare(void)
{
    static const uint32_t sizes[] = {1, 1024, 5000, 8192};
    for (unsigned i = 0; i < 8; i++) {
        struct package image = raw(sizes[i / 2]);
        open_bare(1);
        if (i % 2)
            r.config.attributes &= (uint8_t)~TANDEM_USB_DFU_TOLERANT;
        CHECK_EQUAL(download(&image, image.size, 1024), i % 2 ? WAIT_RESET : IDLE);
        pass(3001);
        CHECK_EQUAL(r.reboots, 1);
        CHECK_EQUAL(boots(), 1);
        CHECK_BYTES(sim_flash_at(&r.f.flash, r.f.slots[0].areas[1].address), image.bytes, image.size);
        CHECK(fixture_holds(&r.f, 1, TANDEM_KIND_STACK, &r.old));
        package_free(&image);
        close_rig();
    }
}

static void test_bare_refused(void)
{
    struct package image = raw(9000);
    open_bare(0);
    CHECK_EQUAL(download(&image, 5000, 1024), ERROR);
    CHECK_EQUAL(r.got[0], 2);
    CHECK_EQUAL(r.dfu.reason, TANDEM_ERROR_UNSIGNED);
    recovers(1024);
    close_rig();
    open_bare(1);
    CHECK_EQUAL(download(&image, 9000, 1024), ERROR); /* its slot has 8 KB */
    CHECK_EQUAL(r.got[0], 8);
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    CHECK_EQUAL(send_blocks(&image, 3000, 1024, 10, 0), DNLOAD_IDLE);
    CHECK_EQUAL(request(ABORT, 0, NULL, 0), 0);
    pass(10);
    CHECK(runs_old());
    r.alternates[0].bank = 1; /* linked for the bank that runs */
    CHECK_EQUAL(download(&image, 5000, 1024), ERROR);
    r.alternates[0].bank = 2;
    recovers(1024); /* a package, by the same door */
    package_free(&image);
    close_rig();
}

/* The host goes away in the middle of the manifestation, which goes on; another download takes its place. */
static void test_bare_left_alone(void)
{
    struct package image = raw(8000);
    for (unsigned again = 0; again < 2; again++) {
        open_bare(1);
        CHECK_EQUAL(send_blocks(&image, 8000, 1024, 10, 0), DNLOAD_IDLE);
        CHECK_EQUAL(request(DNLOAD, 8, NULL, 0), 0);
        CHECK_EQUAL(get_status(), MANIFEST);
        tandem_usb_dfu_reset(&r.dfu);
        CHECK_EQUAL(control(0x01, 11, 0, 0, NULL, 0), 0);
        CHECK_EQUAL(get_status(), IDLE);
        if (again) {
            CHECK_EQUAL(download(&r.new, r.new.size, 1024), IDLE);
            CHECK(runs_new());
        } else {
            pass(2000);
            CHECK_EQUAL(boots(), 1);
            CHECK_BYTES(sim_flash_at(&r.f.flash, r.f.slots[0].areas[1].address), image.bytes, image.size);
        }
        close_rig();
    }
    package_free(&image);
}

/* ---- MCUboot's images ---- */

static const char *folder; /* of images that imgtool made; NULL: none */

static uint32_t load_file(const char *name, uint8_t *bytes, size_t size)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *stream = fopen(path, "rb");
    REQUIRE(stream != NULL);
    size_t got = fread(bytes, 1, size, stream);
    fclose(stream);
    return (uint32_t)got;
}

/* An image that is signed for MCUboot is taken where nothing unsigned is, and refused when a bit of it is wrong. */
static void test_mcuboot(void)
{
    static uint8_t key[32], bytes[16384];
    struct package image = {bytes, 0, {0}};
    CHECK_EQUAL(load_file("ed25519.key", key, sizeof key), sizeof key);
    image.size = load_file("counter7.bin", bytes, sizeof bytes);
    REQUIRE(image.size > 1000 && image.size < sizeof bytes);
    for (uint32_t flip = 0; flip <= image.size; flip += image.size / 4) {
        open_bare(0);
        r.f.device.mcuboot = 1;
        r.f.device.crypto = NULL;
        r.f.keys[1].type = TANDEM_KEY_ED25519;
        r.f.keys[1].key = key;
        restart(TANDEM_USB_DFU);
        if (flip != 0)
            bytes[flip - 1] ^= 4;
        int state = download(&image, image.size, 1024);
        CHECK(flip != 0 ? state == ERROR || state == -1 : state == IDLE);
        pass(3500);
        CHECK_EQUAL(boots(), flip == 0);
        if (flip == 0)
            CHECK_BYTES(sim_flash_at(&r.f.flash, r.f.slots[0].areas[1].address), bytes, image.size);
        else
            bytes[flip - 1] ^= 4;
        close_rig();
    }
}

/* Consent takes its time: bytes behind the head are not lost meanwhile. */
static void test_consent(void)
{
    open_rig(1024, TANDEM_USB_DFU);
    r.f.consent = TANDEM_AGAIN;
    CHECK_EQUAL(request(DNLOAD, 0, r.new.bytes, 1024), 1024);
    for (unsigned i = 0; i < 20; i++) {
        CHECK_EQUAL(get_status(), DNBUSY);
        pass(poll_ms());
    }
    r.f.consent = TANDEM_OK;
    CHECK_EQUAL(wait_status(), DNLOAD_IDLE);
    for (uint32_t at = 1024; at < r.new.size; at += 1024) {
        uint16_t part = (uint16_t)(r.new.size - at < 1024 ? r.new.size - at : 1024);
        CHECK_EQUAL(request(DNLOAD, (uint16_t)(at / 1024), r.new.bytes + at, part), part);
        CHECK_EQUAL(wait_status(), DNLOAD_IDLE);
    }
    CHECK_EQUAL(request(DNLOAD, 99, NULL, 0), 0);
    CHECK_EQUAL(wait_status(), IDLE);
    CHECK(runs_new());
    close_rig();
}

/* Time-outs tell how long blocks take: erases of 85 ms do not make hosts ask all the time. */
static void test_poll_times(void)
{
    unsigned asked = 0, blocks = 0;
    open_rig(1024, TANDEM_USB_DFU);
    for (uint32_t at = 0; at < r.new.size; at += 1024) {
        uint16_t part = (uint16_t)(r.new.size - at < 1024 ? r.new.size - at : 1024);
        CHECK_EQUAL(request(DNLOAD, (uint16_t)(at / 1024), r.new.bytes + at, part), part);
        blocks++;
        while (get_status() == DNBUSY) {
            asked++;
            CHECK(poll_ms() > 0 && poll_ms() < 3000);
            pass(poll_ms());
        }
        CHECK_EQUAL(r.got[4], DNLOAD_IDLE);
    }
    CHECK(asked <= 45); /* without learning from the block before, 57 */
    close_rig();
}

/* ---- upload ---- */

static void check_upload(uint16_t size, uint32_t bytes)
{
    uint8_t got[BLOCK_MAX];
    uint32_t at = 0;
    const uint8_t *want = sim_flash_at(&r.f.flash, r.alternates[1].area.address);
    for (uint16_t number = 0;; number++) {
        int part = request(UPLOAD, number, got, size);
        REQUIRE(part >= 0);
        CHECK_BYTES(got, want + at, (size_t)part);
        at += (uint32_t)part;
        CHECK_EQUAL(get_state(), part == size ? UPLOAD_IDLE : IDLE);
        if (part != size)
            break;
    }
    CHECK_EQUAL(at, bytes);
}

static void test_upload(void)
{
    uint8_t byte;
    open_rig(1024, TANDEM_USB_DFU);
    CHECK_EQUAL(request(UPLOAD, 0, &byte, 1), -1); /* the firmware is not readable */
    CHECK_EQUAL(get_status(), ERROR);
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    CHECK_EQUAL(control(0x01, 11, 1, 0, NULL, 0), 0);
    CHECK_EQUAL(control(0x81, 10, 0, 0, &byte, 1), 1);
    CHECK_EQUAL(byte, 1);
    check_upload(1024, 2048); /* a multiple: ends with an empty frame */
    check_upload(1000, 2048);
    check_upload(100, 2048);
    r.alternates[1].area.size = 50;
    check_upload(64, 50);                                 /* the first frame is short */
    CHECK_EQUAL(request(DNLOAD, 0, r.new.bytes, 64), -1); /* memory is not written */
    CHECK_EQUAL(get_status(), ERROR);
    CHECK_EQUAL(control(0x01, 11, 2, 0, NULL, 0), -1); /* no such alternate */
    r.config.attributes = TANDEM_USB_DFU_DEFAULT;
    restart(TANDEM_USB_DFU);
    CHECK_EQUAL(control(0x01, 11, 1, 0, NULL, 0), 0);
    CHECK_EQUAL(request(UPLOAD, 0, &byte, 1), -1); /* off by default */
    close_rig();
}

/* ---- detaching and resets ---- */

static void test_detach(void)
{
    open_rig(1024, TANDEM_USB_RUNTIME);
    CHECK_EQUAL(request(DETACH, 1000, NULL, 0), 0);
    CHECK_EQUAL(r.attached, 0); /* the status stage goes first */
    pass(99);
    CHECK_EQUAL(get_state(), APP_DETACH);
    pass(2);
    CHECK_EQUAL(r.attached, 1);
    CHECK_EQUAL(r.mode, TANDEM_USB_DFU);
    CHECK_EQUAL(get_state(), IDLE);
    /* and back, which the standard does not know */
    CHECK_EQUAL(request(DETACH, 1000, NULL, 0), 0);
    pass(101);
    CHECK_EQUAL(r.attached, 2);
    CHECK_EQUAL(r.mode, TANDEM_USB_RUNTIME);
    CHECK_EQUAL(get_state(), APP_IDLE);

    r.config.attributes = TANDEM_USB_DFU_CAN_DOWNLOAD;
    r.config.detach_ms = 600;
    restart(TANDEM_USB_RUNTIME);
    CHECK_EQUAL(request(DETACH, 1000, NULL, 0), 0);
    pass(599);
    CHECK_EQUAL(get_state(), APP_DETACH);
    pass(1);
    CHECK_EQUAL(get_state(), APP_IDLE); /* nobody reset the bus */
    tandem_usb_dfu_reset(&r.dfu);
    CHECK_EQUAL(get_state(), APP_IDLE);
    CHECK_EQUAL(request(DETACH, 100, NULL, 0), 0);
    pass(100);
    CHECK_EQUAL(get_state(), APP_IDLE); /* the host's time-out is shorter */
    CHECK_EQUAL(request(DETACH, 1000, NULL, 0), 0);
    for (unsigned i = 0; i < 7; i++) {
        tandem_usb_dfu_reset(&r.dfu); /* as many as controllers have been seen to make */
        CHECK_EQUAL(tandem_usb_dfu_mode(&r.dfu), TANDEM_USB_DFU);
    }
    CHECK_EQUAL(r.attached, 1);
    CHECK_EQUAL(r.in_reset, 1);
    CHECK_EQUAL(get_state(), IDLE);
    tandem_usb_dfu_reset(&r.dfu); /* nothing was transferred */
    CHECK_EQUAL(tandem_usb_dfu_mode(&r.dfu), TANDEM_USB_DFU);
    close_rig();
}

/* Not tolerant: after manifestation it waits for a reset, or leaves by itself. */
static void test_wait_reset(void)
{
    for (unsigned will_detach = 0; will_detach < 2; will_detach++) {
        for (unsigned reset = 0; reset < 2; reset++) {
            open_rig(1024, TANDEM_USB_DFU);
            r.config.attributes = TANDEM_USB_DFU_CAN_DOWNLOAD | (will_detach ? TANDEM_USB_DFU_WILL_DETACH : 0);
            CHECK_EQUAL(download(&r.new, r.new.size, 1024), WAIT_RESET);
            CHECK_EQUAL(r.reboots, 0);
            if (reset)
                tandem_usb_dfu_reset(&r.dfu);
            else
                pass(will_detach ? 1501 : 3001);
            CHECK_EQUAL(r.reboots, 1);
            CHECK(runs_new());
            close_rig();
        }
    }
}

/* A reset after a whole download, or out of an error, ends DFU mode; without firmware it cannot. */
static void test_leaving(void)
{
    open_rig(1024, TANDEM_USB_DFU);
    CHECK_EQUAL(download(&r.new, r.new.size, 1024), IDLE);
    tandem_usb_dfu_reset(&r.dfu);
    CHECK_EQUAL(r.reboots, 1);
    restart(TANDEM_USB_DFU);
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), -1);
    r.attach_says = TANDEM_ERROR_NOTHING;
    r.f.system.reboot = NULL;
    tandem_usb_dfu_reset(&r.dfu);
    CHECK_EQUAL(get_status(), ERROR);
    CHECK_EQUAL(r.got[0], 10); /* errFIRMWARE */
    CHECK_EQUAL(r.mode, TANDEM_USB_DFU);
    r.attach_says = TANDEM_OK;
    tandem_usb_dfu_reset(&r.dfu);
    CHECK_EQUAL(r.mode, TANDEM_USB_RUNTIME);
    close_rig();
}

/* ---- DfuSe ---- */

static int command(uint8_t code, uint32_t address, uint16_t size)
{
    uint8_t bytes[5] = {code};
    tandem_store_le32(bytes + 1, address);
    if (request(DNLOAD, 0, bytes, size) < 0)
        return -1;
    if (get_status() != DNBUSY || poll_ms() == 0)
        return -2;
    pass(poll_ms());
    return get_status();
}

/* As dfu-util does: erase all, then pointer and data in turn, ABORT, and perhaps leave. */
static void dfuse(const struct package *package, uint32_t piece, int leave)
{
    CHECK_EQUAL(control(0x01, 11, 0, 0, NULL, 0), 0);
    CHECK_EQUAL(get_status(), IDLE);
    for (uint32_t at = 0; at < package->size && at < r.alternates[0].area.size; at += 1024)
        CHECK_EQUAL(command(0x41, LAST_ADDRESS + at, 5), DNLOAD_IDLE);
    for (uint32_t at = 0; at < package->size;) {
        uint32_t end = at + piece < package->size ? at + piece : package->size;
        CHECK_EQUAL(command(0x21, LAST_ADDRESS + at, 5), DNLOAD_IDLE);
        for (uint16_t number = 2; at < end; number++) {
            uint16_t part = (uint16_t)(end - at < 512 ? end - at : 512);
            CHECK_EQUAL(request(DNLOAD, number, package->bytes + at, part), part);
            CHECK_EQUAL(wait_status(), DNLOAD_IDLE);
            at += part;
        }
    }
    CHECK_EQUAL(request(ABORT, 0, NULL, 0), 0);
    CHECK_EQUAL(get_status(), IDLE);
    if (!leave)
        return;
    CHECK_EQUAL(command(0x21, LAST_ADDRESS, 5), DNLOAD_IDLE);
    CHECK_EQUAL(request(DNLOAD, 2, NULL, 0), 0);
    CHECK_EQUAL(get_status(), MANIFEST);
}

static void open_dfuse(void)
{
    open_rig(512, TANDEM_USB_DFU);
    r.config.version = TANDEM_USB_DFUSE;
    r.alternates[0].area.size = 20480;
    restart(TANDEM_USB_DFU);
}

static void test_dfuse(void)
{
    static const uint32_t pieces[] = {512, 1024, 2048, 100000};
    for (unsigned i = 0; i < 8; i++) {
        open_dfuse();
        dfuse(&r.new, pieces[i / 2], i % 2);
        CHECK_EQUAL(r.reboots, 0);
        pass(3001);
        CHECK_EQUAL(r.reboots, 1);
        CHECK(runs_new());
        close_rig();
    }
}

static void test_dfuse_errors(void)
{
    uint8_t bytes[512];
    open_dfuse();
    CHECK_EQUAL(command(0x21, LAST_ADDRESS - 1, 5), ERROR);
    CHECK_EQUAL(r.got[0], 1);
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    CHECK_EQUAL(command(0x41, LAST_ADDRESS + 20480, 5), ERROR);
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    CHECK_EQUAL(command(0x92, 0, 1), ERROR);
    CHECK_EQUAL(r.got[0], 11);
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    CHECK_EQUAL(command(0x41, 0, 1), DNLOAD_IDLE);
    CHECK_EQUAL(command(0x77, 0, 5), -1);
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    CHECK_EQUAL(request(DNLOAD, 1, bytes, 512), -1);
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    CHECK_EQUAL(request(DNLOAD, 3, bytes, 512), -1); /* does not begin at the beginning */
    CHECK_EQUAL(get_status(), ERROR);
    CHECK_EQUAL(r.got[0], 8);
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    CHECK_EQUAL(request(DNLOAD, 42, bytes, 512), -1); /* beyond the end */
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    CHECK_EQUAL(request(UPLOAD, 0, bytes, 512), 3);
    CHECK_BYTES(bytes, "\x00\x21\x41", 3);
    CHECK_EQUAL(request(UPLOAD, 2, bytes, 512), -1); /* firmware is not readable */
    CHECK_EQUAL(control(0x01, 11, 1, 0, NULL, 0), 0);
    const uint8_t *want = sim_flash_at(&r.f.flash, r.alternates[1].area.address);
    CHECK_EQUAL(request(UPLOAD, 3, bytes, 512), 512);
    CHECK_BYTES(bytes, want + 512, 512);
    CHECK_EQUAL(request(ABORT, 0, NULL, 0), 0);
    CHECK_EQUAL(command(0x21, 0x09000000u + 2000, 5), DNLOAD_IDLE);
    CHECK_EQUAL(request(ABORT, 0, NULL, 0), 0);
    CHECK_EQUAL(request(UPLOAD, 2, bytes, 512), 48);
    CHECK_BYTES(bytes, want + 2000, 48);
    CHECK_EQUAL(command(0x41, 0x09000000u, 5), ERROR); /* nor is memory erased */
    CHECK_EQUAL(request(CLRSTATUS, 0, NULL, 0), 0);
    r.alternates[0].area.size = 700; /* the second block begins within, and ends beyond */
    CHECK_EQUAL(control(0x01, 11, 0, 0, NULL, 0), 0);
    CHECK_EQUAL(request(DNLOAD, 2, r.new.bytes, 512), 512);
    CHECK_EQUAL(wait_status(), DNLOAD_IDLE);
    CHECK_EQUAL(request(DNLOAD, 3, r.new.bytes + 512, 512), -1);
    CHECK_EQUAL(get_status(), ERROR);
    CHECK_EQUAL(r.got[0], 8);
    CHECK(runs_old());
    close_rig();
}

/* ---- descriptors ---- */

static const char guid[] = "{01234567-89AB-CDEF-0123-456789ABCDEF}";

static struct tandem_usb_identity identity(void)
{
    struct tandem_usb_identity who = {0x1209, 0x0001, 0x0002, 0x0123, "Acme", "Bud", "42", guid, "example.com/dfu",
                                      0x20,   0,      0,      0};
    return who;
}

static uint8_t reply[TANDEM_USB_DESCRIPTOR_MAX];

static int describe(const struct tandem_usb_identity *who, uint8_t type, uint8_t number, uint16_t value, uint16_t index,
                    uint16_t length)
{
    struct tandem_usb_setup setup = {type, number, value, index, length};
    struct tandem_usb_data data = {NULL, 0};
    struct tandem_usb_endpoint endpoint;
    tandem_usb_endpoint_init(&endpoint, &r.dfu, who);
    enum tandem_usb_answer answer = tandem_usb_endpoint_setup(&endpoint, &setup, &data);
    if (answer == TANDEM_USB_SEND)
        memcpy(reply, data.bytes, data.size);
    return answer == TANDEM_USB_SEND ? data.size : answer == TANDEM_USB_DONE ? 0 : -1;
}

static void test_descriptors(void)
{
    static const uint8_t configuration[] = {9, 2, 36,   0, 1,    1,    0,    0x80, 50, 9, 4,    0,
                                            0, 0, 0xFE, 1, 2,    16,   9,    4,    0,  1, 0,    0xFE,
                                            1, 2, 17,   9, 0x21, 0x0F, 0xE8, 3,    0,  4, 0x10, 1};
    static const uint8_t device[] = {18, 1, 0x10, 2, 0, 0, 0, 64, 0x09, 0x12, 2, 0, 0x23, 1, 1, 2, 3, 1};
    static const uint8_t runtime[] = {9, 4, 5, 0, 0, 0xFE, 1, 1, 7, 9, 0x21, 0x0F, 0xE8, 3, 0, 4, 0x10, 1};
    struct tandem_usb_identity who = identity();
    open_rig(1024, TANDEM_USB_DFU);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0100, 0, 255), sizeof device);
    CHECK_BYTES(reply, device, sizeof device);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0100, 0, 8), 8);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0200, 0, 255), sizeof configuration);
    CHECK_BYTES(reply, configuration, sizeof configuration);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0200, 0, 4), 4);
    CHECK_EQUAL(describe(&who, 0x81, 6, 0x2100, 0, 255), 9);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0300, 0, 255), 4);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0310, 0x409, 255), 18);
    CHECK_BYTES(reply,
                "\x12\x03"
                "F\0i\0r\0m\0w\0a\0r\0e\0",
                18);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0310, 0x409, 1), 1);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0312, 0x409, 255), -1);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0304, 0x409, 255), -1);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0700, 0, 255), -1);
    CHECK_EQUAL(describe(&who, 0x00, 9, 1, 0, 0), 0);
    CHECK_EQUAL(describe(&who, 0x00, 9, 2, 0, 0), -1);
    CHECK_EQUAL(describe(&who, 0x00, 5, 17, 0, 0), 0);
    CHECK_EQUAL(describe(&who, 0x80, 0, 0, 0, 2), 2);
    r.config.interface = 5;
    restart(TANDEM_USB_RUNTIME);
    CHECK_EQUAL(tandem_usb_dfu_interface(&r.dfu, 7, reply), sizeof runtime);
    CHECK_BYTES(reply, runtime, sizeof runtime);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0100, 0, 255), 18);
    CHECK_EQUAL(reply[10], 1); /* idProduct of the run-time mode */
    /* DFU 1.0 */
    r.config.version = TANDEM_USB_DFU_1_0;
    restart(TANDEM_USB_DFU);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0200, 0, 255), 34);
    CHECK_EQUAL(reply[16], 0);
    CHECK_BYTES(reply + 27, "\x07\x21\x07\xE8\x03\x00\x04", 7);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0100, 0, 255), 18);
    CHECK_EQUAL(reply[4], 0xFE);
    close_rig();
}

static void test_dfuse_strings(void)
{
    struct tandem_usb_identity who = identity();
    const char *want[] = {"@Firmware /0x08000000/20*1Kf", "@Settings /0x09000000/2*1Ka"};
    open_dfuse();
    for (uint16_t n = 0; n < 2; n++) {
        CHECK_EQUAL(describe(&who, 0x80, 6, (uint16_t)(0x0310 + n), 0x409, 255), 2 + 2 * strlen(want[n]));
        for (unsigned i = 0; want[n][i] != '\0'; i++)
            CHECK_EQUAL(reply[2 + 2 * i], want[n][i]);
    }
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0200, 0, 255), 36);
    CHECK_BYTES(reply + 27, "\x09\x21\x0F\xE8\x03\x00\x02\x1A\x01", 9);
    close_rig();
}

static void test_windows(void)
{
    struct tandem_usb_identity who = identity();
    open_rig(1024, TANDEM_USB_DFU);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x03EE, 0, 255), 18);
    CHECK_BYTES(reply,
                "\x12\x03M\0S\0F\0T\0"
                "1\0"
                "0\0"
                "0\0\x20\0",
                18);
    CHECK_EQUAL(describe(&who, 0xC0, 0x20, 0, 4, 255), 40);
    CHECK_BYTES(reply, "\x28\0\0\0\0\1\4\0\1\0\0\0\0\0\0\0\0\1WINUSB\0\0", 26);
    CHECK_EQUAL(describe(&who, 0xC1, 0x20, 0, 5, 255), 142);
    CHECK_EQUAL(tandem_load_le32(reply), 142);
    CHECK_EQUAL(reply[10], 132);
    CHECK_EQUAL(describe(&who, 0xC0, 0x20, 0, 7, 1024), 162);
    CHECK_EQUAL(tandem_load_le16(reply + 8), 162);
    CHECK_EQUAL(describe(&who, 0xC0, 0x21, 0, 7, 1024), -1);
    CHECK_EQUAL(describe(&who, 0xC0, 0x20, 1, 2, 255), 18);
    CHECK_BYTES(reply,
                "\x12\x03\x01"
                "example.com/dfu",
                18);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0F00, 0, 255), 57);
    CHECK_EQUAL(tandem_load_le16(reply + 2), 57);
    CHECK_EQUAL(reply[4], 2);
    CHECK_EQUAL(tandem_load_le16(reply + 5 + 24), 162);
    r.config.interface = 3;
    restart(TANDEM_USB_RUNTIME);
    who.composite = 1;
    CHECK_EQUAL(describe(&who, 0xC0, 0x20, 0, 7, 1024), 178);
    CHECK_BYTES(reply + 10, "\x08\0\1\0\0\0\xA8\0\x08\0\2\0\3\0\xA0\0\x14\0\3\0WINUSB", 26);
    who.guid = NULL;
    who.url = NULL;
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x0F00, 0, 255), -1);
    CHECK_EQUAL(describe(&who, 0x80, 6, 0x03EE, 0, 255), -1);
    CHECK_EQUAL(describe(&who, 0xC0, 0x20, 0, 7, 255), -1);
    close_rig();
}

static void test_init(void)
{
    open_rig(1024, TANDEM_USB_DFU);
    struct tandem_usb_dfu_config config = r.config;
    config.buffer_size = 63;
    CHECK_EQUAL(tandem_usb_dfu_init(&r.dfu, &config, TANDEM_USB_DFU), TANDEM_ERROR_SPACE);
    config = r.config;
    config.install = NULL;
    CHECK_EQUAL(tandem_usb_dfu_init(&r.dfu, &config, TANDEM_USB_DFU), TANDEM_ERROR_ARGUMENT);
    config = r.config;
    config.alternate_count = 1; /* uploads, but nothing to read */
    CHECK_EQUAL(tandem_usb_dfu_init(&r.dfu, &config, TANDEM_USB_DFU), TANDEM_ERROR_ARGUMENT);
    config.alternate_count = 17;
    CHECK_EQUAL(tandem_usb_dfu_init(&r.dfu, &config, TANDEM_USB_DFU), TANDEM_ERROR_ARGUMENT);
    close_rig();
}

int main(int argc, char **argv)
{
    folder = argc > 1 ? argv[1] : NULL;
    RUN(test_table);
    RUN(test_malformed);
    RUN(test_download);
    RUN(test_block_numbers);
    RUN(test_truncated);
    RUN(test_damaged);
    RUN(test_reasons);
    RUN(test_activation_refused);
    RUN(test_unplugged);
    RUN(test_interrupted);
    RUN(test_copies);
    RUN(test_consent);
    RUN(test_bare);
    RUN(test_bare_refused);
    RUN(test_bare_left_alone);
    if (folder != NULL)
        RUN(test_mcuboot);
    RUN(test_poll_times);
    RUN(test_upload);
    RUN(test_detach);
    RUN(test_wait_reset);
    RUN(test_leaving);
    RUN(test_dfuse);
    RUN(test_dfuse_errors);
    RUN(test_descriptors);
    RUN(test_dfuse_strings);
    RUN(test_windows);
    RUN(test_init);
    return check_report();
}
