/*
 * What the tests of the bare door share: a device that runs a package, and a
 * vendor's tool that sends it images one by one.
 */
#ifndef TANDEM_TESTS_UNIT_BARE_RIG_H
#define TANDEM_TESTS_UNIT_BARE_RIG_H

#include "check.h"
#include "core/bank.h"
#include "core/bare.h"
#include "core/install.h"
#include "fixture.h"

/* A development device that runs `old` from bank 0, confirmed, with its door open. */
struct world {
    struct fixture f;
    struct tandem_bare bare;
    struct package old;
};

/* An image that a vendor's tool sends. */
struct payload {
    uint8_t kind;
    unsigned seed;
    uint32_t size;
    uint16_t major;
    const uint8_t *bytes; /* NULL: fixture_bytes() of the seed */
};

static inline const uint8_t *bytes_of(const struct payload *payload)
{
    return payload->bytes != NULL ? payload->bytes : fixture_bytes(payload->seed, payload->size);
}

static inline void reset(struct world *w)
{
    CHECK_EQUAL(fixture_install(&w->f), TANDEM_OK);
    tandem_bare_init(&w->bare, &w->f.install);
}

static inline void start(struct world *w, const struct fixture_options *options)
{
    struct tandem_boot boot;
    w->old = fixture_package(1);
    fixture_open(&w->f, options);
    w->f.device.allow_unsigned = 1;
    fixture_factory(&w->f, 0, &w->old);
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_FIRST);
    reset(w);
}

static inline void end(struct world *w)
{
    fixture_close(&w->f);
    package_free(&w->old);
}

static inline struct tandem_bare_image describe(const struct payload *payload)
{
    struct tandem_bare_image image;
    memset(&image, 0, sizeof image);
    image.kind = payload->kind;
    image.variant = TANDEM_VARIANT_ANY;
    image.version.major = payload->major;
    image.size = payload->size;
    image.payload = (uint8_t)tandem_payload_recognise(bytes_of(payload), payload->size);
    return image;
}

static inline enum tandem_status begin(struct world *w, const struct payload *payload)
{
    struct tandem_bare_image image = describe(payload);
    return tandem_bare_begin(&w->bare, &image);
}

static inline void settle(struct world *w)
{
    unsigned polls = 0;
    while (tandem_bare_poll(&w->bare) == TANDEM_AGAIN) {
        w->f.now_us += 1000;
        REQUIRE(++polls < 100000);
    }
}

/* Feed as a link does, in pieces, up to `until`. */
static inline void feed(struct world *w, const struct payload *payload, uint32_t piece, uint32_t until)
{
    const uint8_t *bytes = bytes_of(payload);
    unsigned polls = 0;
    while (tandem_bare_wants(&w->bare) < until && tandem_install_state(&w->f.install) == TANDEM_STATE_RECEIVING) {
        uint32_t wants = tandem_bare_wants(&w->bare), limit = tandem_bare_limit(&w->bare);
        uint32_t part = limit - wants < piece ? limit - wants : piece;
        part = until - wants < part ? until - wants : part;
        REQUIRE(limit >= wants && ++polls < 100000);
        CHECK_EQUAL(tandem_bare_feed(&w->bare, wants, bytes + wants, part), TANDEM_OK);
        (void)tandem_bare_poll(&w->bare);
        w->f.now_us += 1000;
    }
}

static inline enum tandem_status wait_for(struct world *w, enum tandem_status (*what)(struct tandem_bare *))
{
    enum tandem_status status;
    unsigned polls = 0;
    while ((status = what(&w->bare)) == TANDEM_AGAIN) {
        (void)tandem_bare_poll(&w->bare);
        w->f.now_us += 1000;
        REQUIRE(++polls < 100000);
    }
    return status;
}

static inline enum tandem_status close_image(struct world *w)
{
    return wait_for(w, tandem_bare_end);
}

static inline enum tandem_status send(struct world *w, const struct payload *payload)
{
    enum tandem_status status = begin(w, payload);
    if (status != TANDEM_OK)
        return status;
    feed(w, payload, 200, payload->size);
    return close_image(w);
}

static inline enum tandem_status finish(struct world *w)
{
    enum tandem_status status = wait_for(w, tandem_bare_finish);
    settle(w);
    return status;
}

static inline int holds(struct world *w, uint8_t bank, const struct payload *payload)
{
    struct tandem_bank opened;
    REQUIRE(tandem_bank_open(&opened, &w->f.device) == TANDEM_OK);
    for (uint8_t i = 0; i < w->f.device.slot_count; i++)
        if (w->f.slots[i].kind == payload->kind) {
            struct tandem_area area = tandem_bank_area(&opened, i, bank);
            return memcmp(sim_flash_at((const struct sim_flash *)area.flash->ctx, area.address), bytes_of(payload),
                          payload->size) == 0;
        }
    return 0;
}

static inline const struct tandem_outcome *outcome(const struct world *w)
{
    return tandem_install_outcome(&w->f.install);
}

static inline enum tandem_state state(const struct world *w)
{
    return tandem_install_state(&w->f.install);
}

/* Activate, start, confirm, and start again. */
static inline void run(struct world *w, uint16_t major)
{
    struct tandem_boot boot;
    CHECK_EQUAL(state(w), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(outcome(w)->status, TANDEM_OK);
    CHECK_EQUAL(tandem_install_activate(&w->f.install), TANDEM_OK);
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    CHECK_EQUAL(boot.version.major, major);
    CHECK_EQUAL(fixture_confirm(&w->f), TANDEM_OK);
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
    CHECK_EQUAL(boot.version.major, major);
    reset(w);
    CHECK_EQUAL(state(w), TANDEM_STATE_CONFIRMED);
}

static inline uint8_t running(const struct world *w)
{
    return tandem_bank_running(&w->f.install.bank);
}

#endif
