/*
 * Local upgrade: a host commands, the device obeys, tells how it stands, and
 * is in the end what it said. Hosts of every kind, and power cuts.
 */
#include "check.h"
#include "fixture.h"
#include "tandem/local.h"

#define PUSHES 400

struct world {
    struct fixture f;
    struct package old, new;
    struct tandem_local_options options;
    struct tandem_local local;
    struct tandem_local_report pushes[PUSHES];
    unsigned pushed;
    unsigned reboots;
    enum tandem_status permit; /* the product's answer */
    enum tandem_status push;   /* the host's */
    uint32_t now;
};

static enum tandem_status take_push(void *ctx, const struct tandem_local_report *report)
{
    struct world *w = ctx;
    if (w->push == TANDEM_OK && w->pushed < PUSHES)
        w->pushes[w->pushed++] = *report;
    return w->push;
}

static enum tandem_status permit(void *ctx)
{
    return ((struct world *)ctx)->permit;
}

static struct world *rebooting;

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    rebooting->reboots++;
    return TANDEM_OK;
}

/* As after a reset. */
static void open_service(struct world *w)
{
    CHECK_EQUAL(fixture_install(&w->f), TANDEM_OK);
    tandem_local_init(&w->local, &w->options, &w->f.install);
    tandem_local_enable(&w->local);
}

static void start(struct world *w, const struct fixture_options *options)
{
    static const struct tandem_local_options usual = {
        .product = "earbud", .alias = "Left", .push = take_push, .permit = permit};
    struct tandem_boot boot;
    memset(w, 0, sizeof *w);
    rebooting = w;
    w->options = usual;
    w->options.ctx = w;
    w->old = fixture_package(1);
    w->new = fixture_package(2);
    fixture_open(&w->f, options);
    w->f.system.reboot = reboot;
    fixture_factory(&w->f, 0, &w->old);
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    open_service(w);
}

static void end(struct world *w)
{
    fixture_close(&w->f);
    package_free(&w->old);
    package_free(&w->new);
}

static enum tandem_status poll(struct world *w)
{
    w->now += 10;
    w->f.now_us += 10000;
    return tandem_local_poll(&w->local, w->now);
}

static void wait_ms(struct world *w, uint32_t ms)
{
    for (uint32_t begin = w->now; w->now - begin < ms;)
        (void)poll(w);
}

static void settle(struct world *w)
{
    for (unsigned polls = 0; poll(w) == TANDEM_AGAIN;)
        REQUIRE(++polls < 100000);
}

static void md5(const void *data, size_t size, uint8_t digest[TANDEM_MD5_SIZE])
{
    struct tandem_md5 hash;
    tandem_md5_init(&hash);
    tandem_md5_update(&hash, data, size);
    tandem_md5_final(&hash, digest);
}

/* Hand over bytes in chunks, as a command channel does. */
static enum tandem_status give(struct world *w, const uint8_t *bytes, uint32_t size, uint32_t chunk)
{
    for (uint32_t at = 0; at < size;) {
        uint32_t part = size - at < chunk ? size - at : chunk;
        size_t taken;
        enum tandem_status status = tandem_local_data(&w->local, bytes + at, part, &taken);
        CHECK(taken <= part && (taken == part) == (status == TANDEM_OK));
        if (status != TANDEM_OK && status != TANDEM_AGAIN)
            return status;
        at += (uint32_t)taken;
        (void)poll(w);
    }
    return TANDEM_OK;
}

static enum tandem_status check(struct world *w)
{
    enum tandem_status status;
    for (unsigned polls = 0; (status = tandem_local_check(&w->local)) == TANDEM_AGAIN;) {
        (void)poll(w);
        REQUIRE(++polls < 100000);
    }
    return status;
}

/* A whole session, up to the check. @return the first answer that is not good */
static enum tandem_status send(struct world *w, const char *name, const struct package *package, uint32_t chunk)
{
    uint8_t digest[TANDEM_MD5_SIZE];
    uint16_t wait_s = 0;
    enum tandem_status status = tandem_local_enter(&w->local, &wait_s);
    if (status != TANDEM_OK)
        return status;
    CHECK(wait_s > 0);
    settle(w);
    status = tandem_local_begin(&w->local, name, package->size);
    if (status == TANDEM_OK)
        status = give(w, package->bytes, package->size, chunk);
    md5(package->bytes, package->size, digest);
    if (status == TANDEM_OK)
        status = tandem_local_end(&w->local, digest);
    return status == TANDEM_OK ? check(w) : status;
}

static enum tandem_local_stage stage(const struct world *w)
{
    struct tandem_local_report report;
    tandem_local_report(&w->local, &report);
    return report.stage;
}

static enum tandem_status why(const struct world *w)
{
    struct tandem_local_report report;
    tandem_local_report(&w->local, &report);
    return report.status;
}

/* Boot, and be the firmware that was started. */
static void boots(struct world *w, enum tandem_boot_reason reason, uint16_t major)
{
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, reason);
    CHECK_EQUAL(boot.version.major, major);
    open_service(w);
}

/* The stages that were pushed, each once in a row, as digits. */
static const char *story(const struct world *w)
{
    static char text[PUSHES + 1];
    unsigned n = 0;
    for (unsigned i = 0; i < w->pushed; i++)
        if (n == 0 || text[n - 1] != (char)('0' + w->pushes[i].stage))
            text[n++] = (char)('0' + w->pushes[i].stage);
    text[n] = '\0';
    return text;
}

/* ---- what is meant to be ---- */

static void from_file_to_version(void)
{
    static const uint32_t chunks[] = {1, 3, 127, 128, 1000, 65535};
    for (unsigned i = 0; i < 2 * sizeof chunks / sizeof chunks[0]; i++) {
        const struct fixture_options slow = {.asynchronous = (uint8_t)(i & 1)};
        struct world w;
        start(&w, &slow);
        CHECK_EQUAL(send(&w, "earbud_V02.00.00.00.bin", &w.new, chunks[i / 2]), TANDEM_OK);
        CHECK_EQUAL(stage(&w), TANDEM_LOCAL_READY);
        settle(&w);
        CHECK_EQUAL(w.reboots, 0);
        CHECK_EQUAL(tandem_local_start(&w.local), TANDEM_OK);
        wait_ms(&w, 900);
        CHECK_EQUAL(stage(&w), TANDEM_LOCAL_RESTARTING);
        CHECK_EQUAL(w.pushes[w.pushed - 1].restart_s, 30);
        CHECK_EQUAL(w.reboots, 0); /* the host hears of it first */
        wait_ms(&w, 200);
        CHECK_EQUAL(w.reboots, 1);
        CHECK(strcmp(story(&w), "102345") == 0);
        for (unsigned n = 1; n < w.pushed; n++)
            CHECK(w.pushes[n].percent >= w.pushes[n - 1].percent);
        CHECK_EQUAL(w.pushes[w.pushed - 1].percent, 100);

        /* Success is that the new version runs, not that the old one restarts. */
        w.pushed = 0;
        boots(&w, TANDEM_BOOT_TRIAL, 2);
        settle(&w);
        CHECK_EQUAL(stage(&w), TANDEM_LOCAL_TRIAL);
        CHECK_EQUAL(tandem_local_enter(&w.local, NULL), TANDEM_ERROR_TRIAL);
        CHECK_EQUAL(tandem_local_begin(&w.local, "earbud_V02.00.00.00.bin", 1000), TANDEM_ERROR_TRIAL);
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        open_service(&w);
        wait_ms(&w, 5500);
        CHECK(strcmp(story(&w), "67") == 0);
        CHECK(w.pushed >= 6 && w.pushed <= 7); /* once a second until it is acknowledged, */
        CHECK_EQUAL(w.pushes[w.pushed - 1].version.major, 2);
        boots(&w, TANDEM_BOOT_CONFIRMED, 2);
        wait_ms(&w, 500);
        CHECK_EQUAL(stage(&w), TANDEM_LOCAL_DONE); /* also after another restart */
        CHECK_EQUAL(tandem_local_acknowledge(&w.local), TANDEM_OK);
        w.pushed = 0;
        wait_ms(&w, 3000);
        CHECK(strcmp(story(&w), "0") == 0);
        boots(&w, TANDEM_BOOT_CONFIRMED, 2);
        w.pushed = 0;
        wait_ms(&w, 3000);
        CHECK_EQUAL(w.pushed, 0);
        end(&w);
    }
}

/* Started before it is verified: it is installed when it is, and not before. */
static void started_early(void)
{
    struct world w;
    start(&w, NULL);
    CHECK_EQUAL(tandem_local_begin(&w.local, "Left_V02.00.00.00.bin", w.new.size), TANDEM_OK);
    CHECK_EQUAL(tandem_local_start(&w.local), TANDEM_ERROR_STATE);
    CHECK_EQUAL(give(&w, w.new.bytes, w.new.size, 300), TANDEM_OK);
    CHECK_EQUAL(tandem_local_start(&w.local), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_local_end(&w.local, NULL), TANDEM_OK);
    CHECK_EQUAL(tandem_local_start(&w.local), TANDEM_OK);
    wait_ms(&w, 3000);
    CHECK_EQUAL(w.reboots, 1 + (3000 - 1000) / 1010);
    boots(&w, TANDEM_BOOT_TRIAL, 2);
    end(&w);
}

/* The host went away, and hears nothing: the device restarts all the same. */
static void nobody_hears(void)
{
    struct world w;
    start(&w, NULL);
    w.push = TANDEM_AGAIN;
    CHECK_EQUAL(send(&w, "earbud_V02.00.00.00.bin", &w.new, 500), TANDEM_OK);
    CHECK_EQUAL(tandem_local_start(&w.local), TANDEM_OK);
    wait_ms(&w, 1500);
    CHECK_EQUAL(w.reboots, 1);
    CHECK_EQUAL(w.pushed, 0);
    boots(&w, TANDEM_BOOT_TRIAL, 2);
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    w.push = TANDEM_OK;
    w.options.repeat_for_ms = 10000;
    open_service(&w);
    wait_ms(&w, 60000);
    CHECK(w.pushed >= 10 && w.pushed <= 11);
    CHECK_EQUAL(stage(&w), TANDEM_LOCAL_DONE); /* it stays, for whoever asks */
    end(&w);
}

/* A version that is no good is gone by itself, and the host is told what became of it. */
static void goes_back(void)
{
    struct world w;
    struct tandem_boot boot;
    start(&w, NULL);
    CHECK_EQUAL(send(&w, "earbud_V02.00.00.00.bin", &w.new, 500), TANDEM_OK);
    CHECK_EQUAL(tandem_local_start(&w.local), TANDEM_OK);
    wait_ms(&w, 1500);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
        CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    }
    w.pushed = 0;
    boots(&w, TANDEM_BOOT_REVERTED, 1);
    wait_ms(&w, 1500);
    CHECK(strcmp(story(&w), "8") == 0);
    CHECK_EQUAL(w.pushes[0].status, TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(w.pushes[0].version.major, 2);
    /* Nobody acknowledges; a new session begins all the same. */
    CHECK_EQUAL(send(&w, "earbud_V02.00.00.00.bin", &w.new, 500), TANDEM_OK);
    end(&w);
}

/* ---- what hosts may do wrong ---- */

static void refused_at_the_door(void)
{
    static const struct {
        const char *name;
        uint32_t size;
        enum tandem_status status;
    } cases[] = {
        {"earbud_V02.00.00.00.bin", 0, TANDEM_ERROR_TRUNCATED},
        {"case_V02.00.00.00.bin", 1000, TANDEM_ERROR_TARGET},
        {"Earbud_V02.00.00.00.bin", 1000, TANDEM_ERROR_TARGET},
        {"earbud_V00.99.99.99.bin", 1000, TANDEM_ERROR_VERSION},
        {"earbud.bin", 1000, TANDEM_ERROR_FORMAT},
        {"../earbud_V02.00.00.00.bin", 1000, TANDEM_ERROR_FORMAT},
        {"", 1000, TANDEM_ERROR_FORMAT},
        {NULL, 1000, TANDEM_ERROR_FORMAT},
    };
    struct world w;
    size_t taken;
    start(&w, NULL);
    uint64_t operations = w.f.power.ops;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_EQUAL(tandem_local_begin(&w.local, cases[i].name, cases[i].size), cases[i].status);
    w.permit = TANDEM_ERROR_CONSENT;
    CHECK_EQUAL(tandem_local_enter(&w.local, NULL), TANDEM_ERROR_CONSENT);
    CHECK_EQUAL(tandem_local_begin(&w.local, "earbud_V02.00.00.00.bin", 1000), TANDEM_ERROR_CONSENT);
    w.permit = TANDEM_OK;
    CHECK_EQUAL(tandem_local_disable(&w.local), TANDEM_OK);
    CHECK_EQUAL(tandem_local_enter(&w.local, NULL), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_local_begin(&w.local, "earbud_V02.00.00.00.bin", 1000), TANDEM_ERROR_STATE);
    tandem_local_enable(&w.local);
    CHECK_EQUAL(tandem_local_data(&w.local, "x", 1, &taken), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_local_end(&w.local, NULL), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_local_check(&w.local), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_local_start(&w.local), TANDEM_ERROR_STATE);
    settle(&w);
    CHECK_EQUAL(stage(&w), TANDEM_LOCAL_IDLE);
    CHECK_EQUAL(w.f.power.ops, operations); /* none of them cost anything */
    CHECK_EQUAL(w.pushed, 0);

    /* Policies, and names of any form. */
    w.f.device.version_policy = TANDEM_VERSION_NEWER;
    CHECK_EQUAL(tandem_local_begin(&w.local, "earbud_V01.00.00.00.bin", 1000), TANDEM_ERROR_VERSION);
    w.f.device.version_policy = TANDEM_VERSION_ANY;
    CHECK_EQUAL(tandem_local_begin(&w.local, "earbud_V00.00.00.01.bin", 1000), TANDEM_OK);
    w.options.any_name = 1;
    CHECK_EQUAL(tandem_local_begin(&w.local, "firmware", 1000), TANDEM_OK);
    CHECK_EQUAL(tandem_local_begin(&w.local, NULL, 1000), TANDEM_OK);
    CHECK_EQUAL(tandem_local_begin(&w.local, "case_V02.00.00.00.bin", 1000), TANDEM_ERROR_TARGET);
    end(&w);
}

/* Another transport is at work. */
static void somebody_else_is_at_it(void)
{
    struct world w;
    start(&w, NULL);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 0), TANDEM_OK);
    (void)poll(&w);
    CHECK_EQUAL(stage(&w), TANDEM_LOCAL_RECEIVING);
    CHECK_EQUAL(tandem_local_enter(&w.local, NULL), TANDEM_ERROR_BUSY);
    CHECK_EQUAL(tandem_local_begin(&w.local, "earbud_V02.00.00.00.bin", w.new.size), TANDEM_ERROR_BUSY);
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 100, 0), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(send(&w, "earbud_V02.00.00.00.bin", &w.new, 500), TANDEM_OK);
    end(&w);
}

/* Each of these fails with its reason, is told, touches nothing that runs, and the next good one succeeds. */
static void failed(struct world *w, enum tandem_status status)
{
    settle(w);
    CHECK_EQUAL(stage(w), TANDEM_LOCAL_FAILED);
    CHECK_EQUAL(why(w), status);
    CHECK_EQUAL(tandem_local_check(&w->local), status);
    CHECK_EQUAL(tandem_local_start(&w->local), status);
    CHECK_EQUAL(w->pushes[w->pushed - 1].stage, TANDEM_LOCAL_FAILED);
    CHECK_EQUAL(w->pushes[w->pushed - 1].status, status);
    boots(w, TANDEM_BOOT_CONFIRMED, 1);
    w->pushed = 0;
    CHECK_EQUAL(send(w, "earbud_V02.00.00.00.bin", &w->new, 999), TANDEM_OK);
    CHECK_EQUAL(tandem_local_abort(&w->local), TANDEM_OK);
    CHECK_EQUAL(stage(w), TANDEM_LOCAL_IDLE);
    open_service(w);
}

static void lies_and_accidents(void)
{
    static const char name[] = "earbud_V02.00.00.00.bin";
    struct world w;
    uint8_t digest[TANDEM_MD5_SIZE];
    size_t taken;
    start(&w, NULL);

    CHECK_EQUAL(tandem_local_begin(&w.local, name, w.new.size - 1), TANDEM_OK); /* lies about its size: less, */
    CHECK_EQUAL(give(&w, w.new.bytes, w.new.size - 10, 700), TANDEM_ERROR_FORMAT);
    failed(&w, TANDEM_ERROR_FORMAT);
    CHECK_EQUAL(tandem_local_begin(&w.local, name, w.new.size + 1), TANDEM_OK); /* more, */
    CHECK_EQUAL(give(&w, w.new.bytes, w.new.size, 700), TANDEM_ERROR_FORMAT);
    failed(&w, TANDEM_ERROR_FORMAT);
    CHECK_EQUAL(tandem_local_begin(&w.local, name, w.new.size), TANDEM_OK); /* overshoots, */
    CHECK_EQUAL(give(&w, w.new.bytes, w.new.size - 5, 700), TANDEM_OK);
    CHECK_EQUAL(tandem_local_data(&w.local, w.new.bytes, 6, &taken), TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(taken, 0);
    failed(&w, TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(tandem_local_begin(&w.local, name, w.new.size), TANDEM_OK); /* ends early, */
    CHECK_EQUAL(give(&w, w.new.bytes, w.new.size / 2, 700), TANDEM_OK);
    CHECK_EQUAL(tandem_local_end(&w.local, NULL), TANDEM_ERROR_TRUNCATED);
    failed(&w, TANDEM_ERROR_TRUNCATED);
    CHECK_EQUAL(tandem_local_begin(&w.local, name, w.new.size), TANDEM_OK); /* has another MD5, */
    CHECK_EQUAL(give(&w, w.new.bytes, w.new.size, 700), TANDEM_OK);
    md5("", 0, digest);
    CHECK_EQUAL(tandem_local_end(&w.local, digest), TANDEM_ERROR_DIGEST);
    failed(&w, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(tandem_local_begin(&w.local, name, w.new.size), TANDEM_OK); /* is silent, */
    CHECK_EQUAL(give(&w, w.new.bytes, w.new.size / 2, 700), TANDEM_OK);
    wait_ms(&w, 61000);
    CHECK_EQUAL(tandem_local_data(&w.local, w.new.bytes, 1, &taken), TANDEM_ERROR_TIMEOUT);
    failed(&w, TANDEM_ERROR_TIMEOUT);
    CHECK_EQUAL(tandem_local_begin(&w.local, "earbud_V02.00.00.01.bin", w.new.size), TANDEM_OK); /* a false name, */
    CHECK_EQUAL(give(&w, w.new.bytes, w.new.size, 100), TANDEM_ERROR_VERSION);
    failed(&w, TANDEM_ERROR_VERSION);
    w.new.bytes[w.new.size / 2] ^= 1; /* damaged, */
    CHECK_EQUAL(send(&w, name, &w.new, 300), TANDEM_ERROR_DIGEST);
    w.new.bytes[w.new.size / 2] ^= 1;
    failed(&w, TANDEM_ERROR_DIGEST);
    w.new.bytes[w.new.size - 1] ^= 1; /* in its last block, */
    CHECK_EQUAL(send(&w, name, &w.new, 65535), TANDEM_ERROR_DIGEST);
    w.new.bytes[w.new.size - 1] ^= 1;
    failed(&w, TANDEM_ERROR_DIGEST);
    w.new.bytes[100] ^= 1; /* not as it was signed */
    CHECK_EQUAL(send(&w, name, &w.new, 300), TANDEM_ERROR_SIGNATURE);
    w.new.bytes[100] ^= 1;
    failed(&w, TANDEM_ERROR_SIGNATURE);
    end(&w);
}

/* Another file half way, a second entering, an abort: the one that came last counts. */
static void begun_again(void)
{
    static const char name[] = "earbud_V02.00.00.00.bin";
    struct world w;
    size_t taken;
    start(&w, NULL);
    for (unsigned i = 0; i < 12; i++) {
        CHECK_EQUAL(tandem_local_begin(&w.local, name, w.new.size), TANDEM_OK);
        CHECK_EQUAL(give(&w, w.new.bytes, w.new.size *i / 12, 300), TANDEM_OK);
        if (i % 3 == 1)
            CHECK_EQUAL(tandem_local_enter(&w.local, NULL), TANDEM_OK);
        if (i % 3 == 2)
            CHECK_EQUAL(tandem_local_abort(&w.local), TANDEM_OK);
        if (i % 3 != 0)
            CHECK_EQUAL(tandem_local_data(&w.local, w.new.bytes, 1, &taken), TANDEM_ERROR_STATE);
        if (i % 4 == 0)
            (void)poll(&w);
    }
    CHECK_EQUAL(send(&w, name, &w.new, 300), TANDEM_OK);
    CHECK_EQUAL(tandem_local_start(&w.local), TANDEM_OK);
    (void)poll(&w);
    CHECK_EQUAL(stage(&w), TANDEM_LOCAL_RESTARTING);
    CHECK_EQUAL(tandem_local_begin(&w.local, name, w.new.size), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_local_abort(&w.local), TANDEM_OK); /* the last moment to think again */
    wait_ms(&w, 3000);
    CHECK_EQUAL(w.reboots, 0);
    boots(&w, TANDEM_BOOT_CONFIRMED, 1);
    end(&w);
}

/* ---- one image without a package ---- */

static void bare_image(void)
{
    for (unsigned allowed = 0; allowed < 2; allowed++) {
        struct world w;
        struct package image;
        start(&w, NULL);
        w.f.device.allow_unsigned = (uint8_t)allowed;
        image.size = 5000;
        image.bytes = malloc(image.size);
        REQUIRE(image.bytes != NULL);
        memcpy(image.bytes, fixture_bytes(60, image.size), image.size);
        CHECK_EQUAL(send(&w, "earbud_V02.00.00.00.bin", &image, 500), allowed ? TANDEM_OK : TANDEM_ERROR_UNSIGNED);
        CHECK_EQUAL(tandem_local_start(&w.local), allowed ? TANDEM_OK : TANDEM_ERROR_UNSIGNED);
        wait_ms(&w, 1500);
        CHECK_EQUAL(w.reboots, allowed);
        if (allowed) {
            uint8_t there[5000];
            boots(&w, TANDEM_BOOT_TRIAL, 2);
            struct tandem_area area = tandem_bank_area(&w.f.install.bank, 0, 1);
            CHECK_EQUAL(area.flash->read(area.flash->ctx, area.address, there, sizeof there), TANDEM_OK);
            CHECK_BYTES(there, image.bytes, sizeof there);
        } else {
            boots(&w, TANDEM_BOOT_CONFIRMED, 1);
        }
        package_free(&image);
        end(&w);
    }
    /* Of the smallest kind, and too large. */
    struct world w;
    size_t taken;
    start(&w, NULL);
    w.f.device.allow_unsigned = 1;
    CHECK_EQUAL(tandem_local_begin(&w.local, "earbud_V02.00.00.00.bin", 1), TANDEM_OK);
    CHECK_EQUAL(tandem_local_data(&w.local, "x", 1, &taken), TANDEM_OK);
    CHECK_EQUAL(tandem_local_end(&w.local, NULL), TANDEM_OK);
    CHECK_EQUAL(check(&w), TANDEM_OK);
    CHECK_EQUAL(tandem_local_begin(&w.local, "earbud_V02.00.00.00.bin", 1u << 30), TANDEM_OK);
    CHECK_EQUAL(tandem_local_data(&w.local, "xyzzy", 5, &taken), TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(stage(&w), TANDEM_LOCAL_FAILED);
    end(&w);
}

/* ---- power cuts ---- */

/* From a file to the restart, or as far as the power lasts. */
static void session(struct world *w)
{
    static const char name[] = "earbud_V02.00.00.00.bin";
    uint8_t digest[TANDEM_MD5_SIZE];
    md5(w->new.bytes, w->new.size, digest);
    if (tandem_local_enter(&w->local, NULL) != TANDEM_OK)
        return;
    wait_ms(w, 300);
    if (tandem_local_begin(&w->local, name, w->new.size) != TANDEM_OK ||
        give(w, w->new.bytes, w->new.size, 700) != TANDEM_OK || tandem_local_end(&w->local, digest) != TANDEM_OK)
        return;
    (void)tandem_local_start(&w->local);
    wait_ms(w, 1500);
}

/* One life, cut at its operation `k`. @return operations of a life that is not cut (`k` 0) */
static uint64_t life(uint64_t k, enum sim_tear tear)
{
    struct world w;
    struct tandem_boot boot;
    start(&w, NULL);
    struct sim_flash *flash = &w.f.flash;
    uint64_t first = w.f.power.ops, last;
    w.f.power.cut_at = k != 0 ? first + k : 0;
    w.f.power.tear = tear;
    session(&w);
    last = w.f.power.ops - first;
    CHECK(k != 0 || w.reboots == 1);
    sim_power_return(&w.f.power, &flash, 1);
    w.f.power.cut_at = 0;
    flash->violations[SIM_VIOLATION_DEAD] = 0; /* calls after a cut let the code run out */
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
    const struct package *runs = boot.version.major == 1 ? &w.old : &w.new;
    CHECK(boot.version.major == 1 || boot.version.major == 2);
    CHECK(fixture_holds(&w.f, boot.bank, TANDEM_KIND_APPLICATION, runs));
    CHECK(fixture_holds(&w.f, boot.bank, TANDEM_KIND_STACK, runs));
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    open_service(&w);
    CHECK_EQUAL(send(&w, "earbud_V02.00.00.00.bin", &w.new, 700), TANDEM_OK);
    CHECK_EQUAL(tandem_local_start(&w.local), TANDEM_OK);
    wait_ms(&w, 20);
    boots(&w, TANDEM_BOOT_TRIAL, 2);
    end(&w);
    return last;
}

static int all_cuts; /* 1: every operation in every way; 0: one in seven, each in another way */

static void cuts(void)
{
    uint64_t last = life(0, SIM_TEAR_BEFORE);
    CHECK(last > 50);
    for (uint64_t k = 1; k <= last; k += all_cuts ? 1 : 7)
        for (unsigned tear = 0; tear < (all_cuts ? SIM_TEARS : 1); tear++)
            (void)life(k, (enum sim_tear)((k + tear) % SIM_TEARS));
}

/* With any argument: all cuts. */
int main(int argc, char **argv)
{
    (void)argv;
    all_cuts = argc > 1;
    RUN(from_file_to_version);
    RUN(started_early);
    RUN(nobody_hears);
    RUN(goes_back);
    RUN(refused_at_the_door);
    RUN(somebody_else_is_at_it);
    RUN(lies_and_accidents);
    RUN(begun_again);
    RUN(bare_image);
    RUN(cuts);
    return check_report();
}
