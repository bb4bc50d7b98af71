/*
 * The bare door: images that come one by one without a package. What comes
 * in, what stays out and why, how the set becomes firmware, and what power
 * cuts leave of it.
 */
#include "bare_rig.h"

#define KB 1024u
#define APP TANDEM_KIND_APPLICATION
#define STACK TANDEM_KIND_STACK
#define DATA TANDEM_KIND_DATA

static const struct payload app2 = {APP, 40, 5000, 2, NULL}, app3 = {APP, 41, 7001, 3, NULL},
                            stack2 = {STACK, 42, 3001, 2, NULL}, data2 = {DATA, 43, 2048, 2, NULL};

static int all_cuts;        /* 1: every operation in every way; 0: one in so many, each in another way */
static unsigned stride = 5; /* so many */

/* ---- whole sets ---- */

static void whole_set(void)
{
    struct world w;
    start(&w, NULL);
    CHECK_EQUAL(begin(&w, &stack2), TANDEM_OK);
    CHECK_EQUAL(state(&w), TANDEM_STATE_RECEIVING);
    feed(&w, &stack2, 20, stack2.size);
    CHECK_EQUAL(close_image(&w), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_end(&w.bare), TANDEM_OK); /* asked again */
    CHECK_EQUAL(send(&w, &data2), TANDEM_OK);
    CHECK_EQUAL(state(&w), TANDEM_STATE_RECEIVING);
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_ERROR_STATE);
    CHECK_EQUAL(send(&w, &app2), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_finish(&w.bare), TANDEM_ERROR_STATE);
    run(&w, 2);
    CHECK(holds(&w, running(&w), &app2) && holds(&w, running(&w), &stack2) && holds(&w, running(&w), &data2));
    CHECK_EQUAL(w.f.asked, 1);
    end(&w);
}

/* What is not brought is taken over; then a signed package takes over what was bare. */
static void parts(void)
{
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    CHECK_EQUAL(send(&w, &app2), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    CHECK(holds(&w, 1, &app2));
    CHECK(fixture_holds(&w.f, 1, STACK, &w.old) && fixture_holds(&w.f, 1, DATA, &w.old));
    /* A set without an application leaves the version as it is. */
    CHECK_EQUAL(send(&w, &stack2), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    CHECK(holds(&w, 0, &app2) && holds(&w, 0, &stack2) && fixture_holds(&w.f, 0, DATA, &w.old));
    recipe_begin(&recipe, 3);
    recipe_image(&recipe, APP, 9, 6000);
    struct package package = recipe_make(&recipe);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 0), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w.f, &package, 200, 0), TANDEM_STATE_VALIDATED);
    run(&w, 3);
    CHECK(fixture_holds(&w.f, 1, APP, &package) && holds(&w, 1, &stack2) && fixture_holds(&w.f, 1, DATA, &w.old));
    package_free(&package);
    end(&w);
}

static void every_flash(void)
{
    static const uint32_t pieces[] = {1, 20, 255, 256, 1000, 5000};
    for (unsigned i = 0; i < 24; i++) {
        struct world w;
        struct fixture_options options = {i % 3 == 0 ? 4096u : 1024u, (uint8_t)(1u << i / 4), i % 2, i / 2 % 2, 0};
        start(&w, &options);
        if (i % 5 == 0)
            while (tandem_install_erase_idle(&w.f.install) == TANDEM_AGAIN)
                w.f.now_us += 1000;
        CHECK_EQUAL(begin(&w, &app2), TANDEM_OK);
        feed(&w, &app2, pieces[i % 6], app2.size);
        CHECK_EQUAL(close_image(&w), TANDEM_OK);
        CHECK_EQUAL(send(&w, &stack2), TANDEM_OK);
        CHECK_EQUAL(finish(&w), TANDEM_OK);
        run(&w, 2);
        CHECK(holds(&w, 1, &app2) && holds(&w, 1, &stack2) && fixture_holds(&w.f, 1, DATA, &w.old));
        end(&w);
    }
}

/* The same kind again replaces the first, also where the slot's end shares a sector with the manifest. */
static void replaced(void)
{
    for (unsigned shared = 0; shared < 2; shared++) {
        struct world w;
        start(&w, NULL);
        if (shared) { /* the data's slot reaches half a sector into the manifest's */
            for (unsigned bank = 0; bank < 2; bank++) {
                w.f.slots[2].areas[bank].size += KB / 2;
                w.f.device.manifests[bank].address += KB / 2;
                w.f.device.manifests[bank].size -= KB / 2;
            }
            fixture_erase(&w.f);
            fixture_factory(&w.f, 0, &w.old);
            struct tandem_boot boot;
            CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
            reset(&w);
        }
        struct payload data = {DATA, 44, 2 * KB + shared * 300, 2, NULL},
                       other = {DATA, 45, 2 * KB + shared * 400, 2, NULL};
        CHECK_EQUAL(send(&w, &other), TANDEM_OK);
        CHECK_EQUAL(send(&w, &app3), TANDEM_OK);
        CHECK_EQUAL(send(&w, &data), TANDEM_OK);
        CHECK_EQUAL(send(&w, &app2), TANDEM_OK);
        CHECK_EQUAL(finish(&w), TANDEM_OK);
        run(&w, 2);
        CHECK(holds(&w, 1, &app2) && holds(&w, 1, &data) && fixture_holds(&w.f, 1, STACK, &w.old));
        /* Given up in the middle, and as a whole: what runs is taken over. */
        CHECK_EQUAL(begin(&w, &other), TANDEM_OK);
        feed(&w, &other, 300, other.size - 1);
        CHECK_EQUAL(begin(&w, &app3), TANDEM_OK);
        feed(&w, &app3, 300, app3.size);
        CHECK_EQUAL(close_image(&w), TANDEM_OK);
        CHECK_EQUAL(send(&w, &stack2), TANDEM_OK);
        CHECK_EQUAL(send(&w, &other), TANDEM_OK);
        CHECK_EQUAL(tandem_bare_drop(&w.bare), TANDEM_OK);
        CHECK_EQUAL(tandem_bare_drop(&w.bare), TANDEM_ERROR_STATE);
        CHECK_EQUAL(finish(&w), TANDEM_OK);
        run(&w, 3);
        CHECK(holds(&w, 0, &app3) && holds(&w, 0, &data) && holds(&w, 0, &stack2));
        end(&w);
    }
}

/* Into a bank that was erased beforehand: a copy goes where an image was given up; what is running comes once more. */
static void erased_beforehand(void)
{
    struct world w;
    start(&w, NULL);
    for (unsigned i = 0; i < 2; i++) {
        while (tandem_install_erase_idle(&w.f.install) == TANDEM_AGAIN)
            w.f.now_us += 1000;
        CHECK_EQUAL(fixture_state(&w.f).phase, TANDEM_PHASE_ERASED);
        if (i == 0) {
            CHECK_EQUAL(begin(&w, &stack2), TANDEM_OK);
            feed(&w, &stack2, 300, 2000);
        }
        CHECK_EQUAL(send(&w, &app2), TANDEM_OK);
        CHECK_EQUAL(finish(&w), TANDEM_OK);
        run(&w, 2);
        CHECK(holds(&w, !i, &app2) && fixture_holds(&w.f, !i, STACK, &w.old));
    }
    end(&w);
}

/* A protocol that does not say how much comes. */
static void size_unknown(void)
{
    struct world w;
    struct tandem_bare_image image = describe(&app2);
    image.size = TANDEM_BARE_SIZE_UNKNOWN;
    start(&w, NULL);
    CHECK_EQUAL(tandem_bare_begin(&w.bare, &image), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_end(&w.bare), TANDEM_ERROR_TRUNCATED); /* nothing at all */
    feed(&w, &app2, 64, app2.size);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, app2.size, fixture_bytes(1, 8 * KB), 8 * KB - app2.size + 1),
                TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(close_image(&w), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    CHECK(holds(&w, 1, &app2));
    /* As much as there is room for. */
    struct payload full = {APP, 46, 8 * KB, 3, NULL};
    CHECK_EQUAL(tandem_bare_begin(&w.bare, &image), TANDEM_OK);
    feed(&w, &full, 200, full.size);
    settle(&w);
    CHECK_EQUAL(tandem_bare_limit(&w.bare), full.size);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, full.size, "", 1), TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(close_image(&w), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    CHECK(holds(&w, 0, &full));
    end(&w);
}

/* ---- pieces that are checked, sent again, read back ---- */

static void hold_and_back(void)
{
    struct fixture_options options = {0, 0, 0, 1, 0};
    const uint8_t *bytes = fixture_bytes(app2.seed, app2.size), *noise = fixture_bytes(50, 1024);
    uint8_t copy[1024];
    struct world w;
    start(&w, &options);
    CHECK_EQUAL(begin(&w, &app2), TANDEM_OK);
    for (uint32_t at = 0; at < app2.size; at += 1000) {
        CHECK_EQUAL(tandem_bare_hold(&w.bare, at), TANDEM_OK);
        /* A piece that is damaged, seen to be so, and sent again. */
        feed(&w, &app2, 100, at + 400);
        CHECK_EQUAL(tandem_bare_feed(&w.bare, at + 400, noise, 600), TANDEM_OK);
        settle(&w);
        CHECK_EQUAL(tandem_bare_wants(&w.bare), at + 1000);
        CHECK(tandem_bare_written(&w.bare) <= at);
        CHECK_EQUAL(tandem_bare_read(&w.bare, at, copy, 1000), TANDEM_OK);
        CHECK_BYTES(copy, bytes + at, 400);
        CHECK_BYTES(copy + 400, noise, 600);
        CHECK_EQUAL(tandem_bare_back(&w.bare, at + 1001), TANDEM_ERROR_ARGUMENT);
        CHECK_EQUAL(tandem_bare_back(&w.bare, at), TANDEM_OK);
        CHECK_EQUAL(tandem_bare_wants(&w.bare), at);
        if (at >= 1000)
            CHECK_EQUAL(tandem_bare_back(&w.bare, at - 300), TANDEM_ERROR_ARGUMENT);
        feed(&w, &app2, 100, at + 1000);
        CHECK_EQUAL(tandem_bare_read(&w.bare, at, copy, 1000), TANDEM_OK);
        CHECK_BYTES(copy, bytes + at, 1000);
        CHECK_EQUAL(tandem_bare_hold(&w.bare, at + 1000), TANDEM_OK);
        settle(&w);
    }
    CHECK_EQUAL(close_image(&w), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_read(&w.bare, 4500, copy, 500), TANDEM_OK); /* a protocol's own check, once it is there */
    CHECK_BYTES(copy, bytes + 4500, 500);
    CHECK_EQUAL(tandem_bare_read(&w.bare, 4500, copy, 501), TANDEM_ERROR_ARGUMENT);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_read(&w.bare, 0, copy, 1), TANDEM_ERROR_STATE);
    run(&w, 2);
    CHECK(holds(&w, 1, &app2));
    end(&w);
}

/* The image from its beginning, at any time, also while the flash works. */
static void start_over(void)
{
    struct fixture_options options = {0, 0, 0, 1, 0};
    for (uint32_t at = 0; at <= app3.size; at += 233 * (stride > 5 ? 3u : 1u)) {
        struct world w;
        start(&w, &options);
        CHECK_EQUAL(begin(&w, &app3), TANDEM_OK);
        feed(&w, &app3, 233, at);
        CHECK_EQUAL(tandem_bare_back(&w.bare, 0), TANDEM_OK);
        CHECK_EQUAL(tandem_bare_wants(&w.bare), 0);
        feed(&w, &app3, 500, app3.size);
        CHECK_EQUAL(close_image(&w), TANDEM_OK);
        CHECK_EQUAL(finish(&w), TANDEM_OK);
        run(&w, 3);
        CHECK(holds(&w, 1, &app3));
        end(&w);
    }
}

/* Out of order within the window, twice, and too far ahead. */
static void order(void)
{
    struct world w;
    const uint8_t *bytes = fixture_bytes(app2.seed, app2.size);
    start(&w, NULL);
    CHECK_EQUAL(begin(&w, &app2), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 500, bytes + 500, 500), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_wants(&w.bare), 0);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 0, bytes, 600), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_wants(&w.bare), 1000);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 0, fixture_bytes(50, 1000), 1000), TANDEM_OK); /* late, and wrong */
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 4000, bytes, 500), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 4501, bytes, 500), TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 5001, bytes, 0), TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(tandem_bare_limit(&w.bare), FIXTURE_BUFFER);
    /* Not by the installer's own door. */
    CHECK_EQUAL(tandem_install_feed(&w.f.install, 1000, bytes, 100), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_install_limit(&w.f.install), 1000);
    feed(&w, &app2, 3000, 4999);
    CHECK_EQUAL(tandem_bare_end(&w.bare), TANDEM_ERROR_TRUNCATED);
    settle(&w);
    CHECK_EQUAL(tandem_bare_end(&w.bare), TANDEM_ERROR_TRUNCATED); /* and can go on */
    feed(&w, &app2, 3000, 5000);
    CHECK_EQUAL(close_image(&w), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 0, bytes, 1), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_bare_hold(&w.bare, 0), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_bare_back(&w.bare, 0), TANDEM_ERROR_STATE);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    CHECK(holds(&w, 1, &app2));
    end(&w);
}

/* ---- refusals ---- */

/* Refused with this, before anything is touched, and told. */
static void refuses(struct world *w, const struct tandem_bare_image *image, enum tandem_status status, uint32_t detail)
{
    uint64_t before = w->f.power.ops;
    CHECK_EQUAL(tandem_bare_begin(&w->bare, image), status);
    CHECK_EQUAL(state(w), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(w)->status, status);
    CHECK_EQUAL(outcome(w)->stage, TANDEM_STAGE_CHECK);
    CHECK_EQUAL(outcome(w)->image, image->kind);
    CHECK_EQUAL(outcome(w)->detail, detail);
    settle(w);
    CHECK_EQUAL(tandem_bare_feed(&w->bare, 0, "", 1), TANDEM_ERROR_STATE);
    CHECK_EQUAL(w->f.power.ops, before);
}

static void refusals(void)
{
    struct world w;
    struct tandem_bare_image image = describe(&app2);
    start(&w, NULL);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 0, "", 1), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_bare_end(&w.bare), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_bare_drop(&w.bare), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_bare_finish(&w.bare), TANDEM_ERROR_STATE);
    w.f.device.allow_unsigned = 0;
    refuses(&w, &image, TANDEM_ERROR_UNSIGNED, 0);
    w.f.device.allow_unsigned = 1;
    image.payload = TANDEM_PAYLOAD_PACKAGE;
    refuses(&w, &image, TANDEM_ERROR_ARGUMENT, 0);
    image.payload = TANDEM_PAYLOAD_BARE;
    image.kind = TANDEM_KIND_CONFIG;
    refuses(&w, &image, TANDEM_ERROR_NOT_SUPPORTED, 0);
    image.kind = 0;
    refuses(&w, &image, TANDEM_ERROR_NOT_SUPPORTED, 0);
    image = describe(&app2);
    image.variant = 0;
    refuses(&w, &image, TANDEM_ERROR_INCOMPLETE, 0);
    image = describe(&app2);
    image.size = 0;
    refuses(&w, &image, TANDEM_ERROR_TRUNCATED, 0);
    image.size = 8 * KB + 1;
    refuses(&w, &image, TANDEM_ERROR_TOO_LARGE, 8 * KB);
    image = describe(&app2);
    image.version.major = 0;
    image.version.minor = 9;
    refuses(&w, &image, TANDEM_ERROR_VERSION, 0);
    w.f.device.version_policy = TANDEM_VERSION_NEWER;
    image.version.minor = 0; /* not known: the same again at best */
    refuses(&w, &image, TANDEM_ERROR_VERSION, 0);
    w.f.device.version_policy = TANDEM_VERSION_NOT_OLDER;
    image = describe(&app2);
    w.f.device.battery_minimum = 30;
    w.f.battery = 29;
    refuses(&w, &image, TANDEM_ERROR_BATTERY, 29);
    w.f.battery = 30;
    w.f.device.head_max = 200;
    CHECK_EQUAL(send(&w, &app2), TANDEM_OK);
    image = describe(&stack2);
    CHECK_EQUAL(tandem_bare_begin(&w.bare, &image), TANDEM_ERROR_SPACE);
    CHECK_EQUAL(state(&w), TANDEM_STATE_RECEIVING); /* the set goes on */
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    end(&w);
}

/* What has no slot that could be copied has to be brought; the set stays open until it is. */
static void incomplete(void)
{
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    fixture_erase(&w.f);
    recipe_begin(&recipe, 1);
    recipe_image(&recipe, APP, 6, 4000)->variant = 0;
    recipe_image(&recipe, STACK, 7, 1000);
    struct package package = recipe_make(&recipe);
    fixture_factory(&w.f, 0, &package);
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
    reset(&w);
    CHECK_EQUAL(send(&w, &stack2), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_ERROR_INCOMPLETE);
    CHECK_EQUAL(outcome(&w)->image, APP);
    CHECK_EQUAL(state(&w), TANDEM_STATE_RECEIVING);
    struct tandem_bare_image image = describe(&app2);
    image.variant = 1;
    CHECK_EQUAL(tandem_bare_begin(&w.bare, &image), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_finish(&w.bare), TANDEM_ERROR_STATE); /* not while one is in hand */
    feed(&w, &app2, 200, app2.size);
    CHECK_EQUAL(close_image(&w), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    CHECK(holds(&w, 1, &app2) && holds(&w, 1, &stack2));
    /* Nothing at all is no set. */
    image.variant = 0;
    CHECK_EQUAL(tandem_bare_begin(&w.bare, &image), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_drop(&w.bare), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_finish(&w.bare), TANDEM_ERROR_INCOMPLETE);
    package_free(&package);
    end(&w);
}

/* The firmware on trial has to confirm itself first; a waiting user, and one who says no. */
static void not_now(void)
{
    struct world w;
    struct tandem_boot boot;
    struct tandem_bare_image image = describe(&app3);
    start(&w, NULL);
    w.f.consent = TANDEM_AGAIN;
    CHECK_EQUAL(begin(&w, &app2), TANDEM_OK);
    feed(&w, &app2, 200, FIXTURE_BUFFER);
    settle(&w);
    CHECK_EQUAL(tandem_bare_limit(&w.bare), FIXTURE_BUFFER);
    CHECK_EQUAL(tandem_bare_written(&w.bare), 0);
    w.f.consent = TANDEM_OK;
    feed(&w, &app2, 200, app2.size);
    CHECK_EQUAL(close_image(&w), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
    reset(&w);
    refuses(&w, &image, TANDEM_ERROR_TRIAL, 0);
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    reset(&w);
    w.f.consent = TANDEM_ERROR_CONSENT;
    uint64_t before = w.f.power.ops;
    CHECK_EQUAL(begin(&w, &app3), TANDEM_OK);
    settle(&w);
    CHECK_EQUAL(state(&w), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(&w)->status, TANDEM_ERROR_CONSENT);
    CHECK_EQUAL(tandem_bare_end(&w.bare), TANDEM_ERROR_CONSENT);
    CHECK_EQUAL(w.f.power.ops, before);
    end(&w);
}

/* A set that is lost is not mixed into the next. */
static void lost(void)
{
    struct world w;
    struct package package = fixture_package(2);
    start(&w, NULL);
    /* The flash fails. */
    CHECK_EQUAL(send(&w, &app2), TANDEM_OK);
    CHECK_EQUAL(begin(&w, &stack2), TANDEM_OK);
    w.f.power.fail_at = w.f.power.ops + 2;
    w.f.power.fail_count = 1;
    feed(&w, &stack2, 200, stack2.size);
    CHECK_EQUAL(close_image(&w), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(state(&w), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(&w)->status, TANDEM_ERROR_FLASH);
    CHECK_EQUAL(outcome(&w)->image, STACK);
    CHECK_EQUAL(finish(&w), TANDEM_ERROR_STATE);
    CHECK_EQUAL(begin(&w, &stack2), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(begin(&w, &stack2), TANDEM_OK);
    /* A package comes instead. */
    feed(&w, &stack2, 200, stack2.size);
    CHECK_EQUAL(close_image(&w), TANDEM_OK);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 0), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_limit(&w.bare), tandem_bare_wants(&w.bare));
    CHECK_EQUAL(fixture_send(&w.f, &package, 200, 0), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(tandem_bare_end(&w.bare), TANDEM_ERROR_STATE);
    CHECK_EQUAL(begin(&w, &app2), TANDEM_ERROR_CANCELLED);
    CHECK_EQUAL(begin(&w, &app2), TANDEM_OK);
    feed(&w, &app2, 200, 1000);
    /* Given up on purpose. */
    CHECK_EQUAL(send(&w, &app3), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_abort(&w.bare), TANDEM_OK);
    CHECK_EQUAL(state(&w), TANDEM_STATE_IDLE);
    CHECK_EQUAL(send(&w, &app2), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    CHECK(holds(&w, 1, &app2) && fixture_holds(&w.f, 1, STACK, &w.old));
    package_free(&package);
    end(&w);
}

/* ---- power ---- */

/* How a device of the cuts differs. */
struct plan {
    uint8_t mode; /* of the application */
    uint8_t asynchronous;
};

static void open_plan(struct world *w, const struct plan *plan)
{
    struct fixture_options options = {0, 32, 0, plan->asynchronous, 2};
    struct tandem_boot boot;
    const char *reason;
    w->old = fixture_package(1);
    fixture_open(&w->f, &options);
    w->f.device.allow_unsigned = 1;
    w->f.slots[0].mode = plan->mode;
    CHECK_EQUAL(tandem_device_check(&w->f.device, &reason), TANDEM_OK);
    fixture_factory(&w->f, 0, &w->old);
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    reset(w);
}

/* What the cuts fall into: a set of two images, one sent twice, and its activation. */
static void live(struct world *w)
{
    static const struct payload wrong = {STACK, 47, 3000, 2, NULL};
    if (send(w, &wrong) == TANDEM_OK && send(w, &app2) == TANDEM_OK && send(w, &stack2) == TANDEM_OK &&
        finish(w) == TANDEM_OK)
        (void)tandem_install_activate(&w->f.install);
}

static void power_up(struct world *w)
{
    struct sim_flash *flash = &w->f.flash;
    sim_power_return(&w->f.power, &flash, 1);
    w->f.power.cut_at = 0;
    flash->violations[SIM_VIOLATION_DEAD] = 0; /* calls after a cut let the code run out */
}

/* After a cut: the old set or the new one starts, whole, and a fresh set goes in. */
static void recover(struct world *w)
{
    static const struct payload app = {APP, 48, 5100, 4, NULL}, stack = {STACK, 49, 2900, 4, NULL};
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    int old = boot.version.major == 1;
    CHECK(old || boot.version.major == 2);
    CHECK(old ? fixture_holds(&w->f, boot.bank, APP, &w->old) && fixture_holds(&w->f, boot.bank, STACK, &w->old)
              : holds(w, boot.bank, &app2) && holds(w, boot.bank, &stack2));
    CHECK_EQUAL(fixture_confirm(&w->f), TANDEM_OK);
    reset(w);
    CHECK_EQUAL(send(w, &stack), TANDEM_OK);
    CHECK_EQUAL(send(w, &app), TANDEM_OK);
    CHECK_EQUAL(finish(w), TANDEM_OK);
    run(w, 4);
    CHECK(holds(w, running(w), &app) && holds(w, running(w), &stack));
}

/* One life, cut at its operation `k`. @return operations of a life that is not cut (`k` 0) */
static uint64_t one_life(const struct plan *plan, uint64_t k, enum sim_tear tear)
{
    struct world w;
    open_plan(&w, plan);
    uint64_t first = w.f.power.ops, ops = 0;
    w.f.power.cut_at = k != 0 ? first + k : 0;
    w.f.power.tear = tear;
    live(&w);
    ops = w.f.power.ops - first;
    if (k == 0)
        CHECK_EQUAL(state(&w), TANDEM_STATE_PENDING);
    power_up(&w);
    recover(&w);
    end(&w);
    return ops;
}

static void cuts(void)
{
    static const struct plan plans[] = {{TANDEM_MODE_DIRECT, 0}, {TANDEM_MODE_SWAP, 1}, {TANDEM_MODE_OVERWRITE, 0}};
    for (unsigned i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        uint64_t last = one_life(&plans[i], 0, SIM_TEAR_BEFORE);
        CHECK(last > 200);
        for (uint64_t k = 1; k <= last; k += all_cuts ? 1 : stride)
            for (unsigned tear = 0; tear < (all_cuts ? SIM_TEARS : 1); tear++)
                one_life(&plans[i], k, (enum sim_tear)((k + tear) % SIM_TEARS));
    }
}

/* ---- payloads ---- */

static void recognised(void)
{
    CHECK_EQUAL(tandem_payload_recognise("TDM1", 4), TANDEM_PAYLOAD_PACKAGE);
    CHECK_EQUAL(tandem_payload_recognise("\x3D\xB8\xF3\x96", 4), TANDEM_PAYLOAD_MCUBOOT);
    CHECK_EQUAL(tandem_payload_recognise("TDM1", 3), TANDEM_PAYLOAD_BARE);
    CHECK_EQUAL(tandem_payload_recognise("\0\0\0\x20", 4), TANDEM_PAYLOAD_BARE);
}

/* Argument: "all" cuts, or one in so many. */
int main(int argc, char **argv)
{
    all_cuts = argc > 1 && strcmp(argv[1], "all") == 0;
    if (argc > 1 && !all_cuts)
        stride = (unsigned)atoi(argv[1]);
    REQUIRE(stride != 0);
    RUN(whole_set);
    RUN(parts);
    RUN(every_flash);
    RUN(replaced);
    RUN(erased_beforehand);
    RUN(size_unknown);
    RUN(hold_and_back);
    RUN(start_over);
    RUN(order);
    RUN(refusals);
    RUN(incomplete);
    RUN(not_now);
    RUN(lost);
    RUN(cuts);
    RUN(recognised);
    return check_report();
}
