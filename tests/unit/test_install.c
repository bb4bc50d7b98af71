/*
 * The installer: what comes in, what stays out and why, and that a transfer
 * goes on wherever it was left.
 */
#include "check.h"
#include "core/bank.h"
#include "core/journal.h"
#include "core/install.h"
#include "fixture.h"

/* A device that runs `old` from bank 0, confirmed, and a package for it. */
struct world {
    struct fixture f;
    struct package old, new;
};

static void start(struct world *w, const struct fixture_options *options)
{
    struct tandem_boot boot;
    w->old = fixture_package(1);
    w->new = fixture_package(2);
    fixture_open(&w->f, options);
    fixture_factory(&w->f, 0, &w->old);
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_FIRST);
    CHECK_EQUAL(fixture_install(&w->f), TANDEM_OK);
}

static void end(struct world *w)
{
    fixture_close(&w->f);
    package_free(&w->old);
    package_free(&w->new);
}

/* Boot and expect. */
static void boots(struct world *w, enum tandem_boot_reason reason, uint8_t bank, uint16_t major)
{
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, reason);
    CHECK_EQUAL(boot.bank, bank);
    CHECK_EQUAL(boot.version.major, major);
}

/* Start the pending update, which must hold these packages' images (app, stack, data), and confirm it. */
static void finish(struct world *w, const struct package *app, const struct package *stack, const struct package *data)
{
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    CHECK(fixture_holds(&w->f, boot.bank, TANDEM_KIND_APPLICATION, app));
    CHECK(fixture_holds(&w->f, boot.bank, TANDEM_KIND_STACK, stack));
    if (data != NULL)
        CHECK(fixture_holds(&w->f, boot.bank, TANDEM_KIND_DATA, data));
    CHECK_EQUAL(fixture_confirm(&w->f), TANDEM_OK);
    CHECK_EQUAL(fixture_install(&w->f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w->f.install), TANDEM_STATE_CONFIRMED);
}

static enum tandem_status outcome(const struct world *w)
{
    return tandem_install_outcome(&w->f.install)->status;
}

/* ---- whole updates ---- */

static void whole_update(void)
{
    struct world w;
    start(&w, NULL);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_IDLE);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 0), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_RECEIVING);
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 100, 0), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(w.f.sent, w.new.size);
    CHECK_EQUAL(outcome(&w), TANDEM_OK);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->stage, TANDEM_STAGE_VALIDATE);
    CHECK_EQUAL(tandem_install_wants(&w.f.install), w.new.size);
    CHECK_EQUAL(tandem_install_limit(&w.f.install), w.new.size);
    boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1); /* it waits for its activation */
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_PENDING);
    finish(&w, &w.new, &w.new, &w.new);
    CHECK_EQUAL(w.f.asked, 1);
    /* And back again: the same version, into bank 0. */
    w.f.device.version_policy = TANDEM_VERSION_ANY;
    CHECK_EQUAL(fixture_update(&w.f, &w.old, 1), TANDEM_STATE_PENDING);
    finish(&w, &w.old, &w.old, &w.old);
    end(&w);
}

static void every_flash(void)
{
    for (unsigned i = 0; i < 24; i++) {
        struct world w;
        struct fixture_options options = {i % 3 == 0 ? 4096u : 1024u, (uint8_t)(1u << i / 4), i % 2, i / 2 % 2, 0};
        start(&w, &options);
        CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
        CHECK_EQUAL(w.f.sent, w.new.size);
        finish(&w, &w.new, &w.new, &w.new);
        end(&w);
    }
}

static void every_chunk(void)
{
    static const uint32_t chunks[] = {1, 7, 16, 20, 511, 512, 528, 1000, 100000};
    for (unsigned i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct world w;
        start(&w, NULL);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, i % 2 ? w.new.id : NULL, i % 3 ? w.new.size : 0, 1), TANDEM_OK);
        CHECK_EQUAL(fixture_send(&w.f, &w.new, chunks[i], 0), TANDEM_STATE_PENDING);
        finish(&w, &w.new, &w.new, &w.new);
        end(&w);
    }
}

/* One block and its digest is the least buffer; the head has to fit too. */
static void least_buffers(void)
{
    struct tandem_manifest manifest;
    for (uint32_t block = 512; block <= 4096; block *= 2) {
        struct world w;
        struct recipe recipe;
        uint8_t *buffer = (uint8_t *)malloc(block + TANDEM_BLOCK_DIGEST_SIZE);
        REQUIRE(buffer != NULL);
        recipe_begin(&recipe, 2);
        recipe.pack.block_size = (uint16_t)block;
        recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 5000);
        recipe_image(&recipe, TANDEM_KIND_STACK, 7, 3000);
        struct package package = recipe_make(&recipe);
        start(&w, NULL);
        REQUIRE(tandem_manifest_parse(&manifest, NULL, w.old.bytes, w.old.size) == TANDEM_OK);
        CHECK(manifest.header.head_size < 528);
        uint32_t size = block + TANDEM_BLOCK_DIGEST_SIZE;
        CHECK_EQUAL(tandem_install_init(&w.f.install, &w.f.device, NULL, size), TANDEM_ERROR_SPACE);
        CHECK_EQUAL(tandem_install_init(&w.f.install, &w.f.device, buffer, 527), TANDEM_ERROR_SPACE);
        CHECK_EQUAL(tandem_install_init(&w.f.install, &w.f.device, buffer, size), TANDEM_OK);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
        CHECK_EQUAL(fixture_send(&w.f, &package, 200, 0), TANDEM_STATE_PENDING);
        finish(&w, &package, &package, &w.old);
        if (block > 512) {
            /* A byte less, and it is said at once. */
            end(&w);
            start(&w, NULL);
            CHECK_EQUAL(tandem_install_init(&w.f.install, &w.f.device, buffer, size - 1), TANDEM_OK);
            uint64_t before = w.f.power.ops;
            CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
            CHECK_EQUAL(fixture_send(&w.f, &package, 200, 0), TANDEM_STATE_FAILED);
            CHECK_EQUAL(outcome(&w), TANDEM_ERROR_SPACE);
            CHECK_EQUAL(tandem_install_outcome(&w.f.install)->detail, size - 1);
            CHECK_EQUAL(tandem_install_outcome(&w.f.install)->image, TANDEM_KIND_APPLICATION);
            CHECK_EQUAL(w.f.power.ops, before);
        }
        package_free(&package);
        free(buffer);
        end(&w);
    }
}

/* A running head larger than the buffer. */
static void head_too_large_to_open(void)
{
    struct world w;
    struct recipe recipe;
    char text[801];
    memset(text, 'x', sizeof text);
    text[800] = '\0';
    start(&w, NULL);
    fixture_erase(&w.f);
    recipe_begin(&recipe, 1);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 600);
    recipe_image(&recipe, TANDEM_KIND_STACK, 7, 600);
    recipe.pack.description = text;
    struct package package = recipe_make(&recipe);
    fixture_factory(&w.f, 0, &package);
    boots(&w, TANDEM_BOOT_FIRST, 0, 1);
    CHECK_EQUAL(tandem_install_init(&w.f.install, &w.f.device, w.f.buffer, 800), TANDEM_ERROR_SPACE);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    w.f.device.journal.size = 1024;
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_ERROR_LAYOUT);
    w.f.device.vendor = "";
    CHECK(fixture_install(&w.f) != TANDEM_OK);
    package_free(&package);
    end(&w);
}

/* ---- several images, variants, parts ---- */

/* Images for both banks travel in one package; only one of them is sent. */
static void variants(void)
{
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 4000)->variant = 0;
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 7, 4100)->variant = 1;
    recipe_image(&recipe, 0x80, 8, 6000); /* a kind that this device does not have */
    recipe_image(&recipe, TANDEM_KIND_STACK, 9, 1000)->variant = 1;
    recipe_image(&recipe, TANDEM_KIND_STACK, 10, 1100)->variant = 0;
    struct package package = recipe_make(&recipe);
    for (uint8_t bank = 0; bank < 2; bank++) {
        uint64_t before = w.f.sent;
        CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
        /* What was in the window before a jump has been sent for nothing, and that is all. */
        CHECK(w.f.sent - before < package.size - 6000);
        finish(&w, &package, &package, &w.old);
    }
    /* Now the other bank's variants run, and none of them can be copied: a package without them is incomplete. */
    recipe_begin(&recipe, 3);
    recipe_image(&recipe, TANDEM_KIND_STACK, 11, 900);
    struct package part = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&w.f, &part, 1), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(&w), TANDEM_ERROR_INCOMPLETE);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->image, TANDEM_KIND_APPLICATION);
    package_free(&package);
    package_free(&part);
    end(&w);
}

static struct package one_image(uint16_t major, uint8_t kind, unsigned seed, uint32_t size)
{
    struct recipe recipe;
    recipe_begin(&recipe, major);
    recipe_image(&recipe, kind, seed, size);
    return recipe_make(&recipe);
}

/* Packages that bring one image: the others come along, and the heads that describe them. */
static void parts(void)
{
    struct world w;
    start(&w, NULL);
    struct package app = one_image(2, TANDEM_KIND_APPLICATION, 20, 3333);
    struct package stack = one_image(3, TANDEM_KIND_STACK, 21, 2222);
    struct package data = one_image(4, TANDEM_KIND_DATA, 22, 1111);
    struct package again = one_image(5, TANDEM_KIND_APPLICATION, 23, 1);
    CHECK_EQUAL(fixture_update(&w.f, &app, 1), TANDEM_STATE_PENDING);
    CHECK(w.f.sent < app.size + FIXTURE_BUFFER);
    finish(&w, &app, &w.old, &w.old);
    CHECK_EQUAL(fixture_update(&w.f, &stack, 1), TANDEM_STATE_PENDING);
    finish(&w, &app, &stack, &w.old);
    CHECK_EQUAL(fixture_update(&w.f, &data, 1), TANDEM_STATE_PENDING);
    finish(&w, &app, &stack, &data); /* the first head is no longer needed */
    CHECK_EQUAL(fixture_update(&w.f, &again, 1), TANDEM_STATE_PENDING);
    finish(&w, &again, &stack, &data);
    boots(&w, TANDEM_BOOT_CONFIRMED, 0, 5);
    package_free(&app);
    package_free(&stack);
    package_free(&data);
    package_free(&again);
    end(&w);
}

/* A new application beside the same stack and data. */
static struct package same_but_app(uint16_t major)
{
    struct recipe recipe;
    recipe_begin(&recipe, major);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 25, 2000);
    recipe_image(&recipe, TANDEM_KIND_STACK, 4, 3001);
    recipe_image(&recipe, TANDEM_KIND_DATA, 5, 1024);
    return recipe_make(&recipe);
}

static void unchanged_images(void)
{
    struct world w;
    struct tandem_manifest manifest;
    struct tandem_image image;
    start(&w, NULL);
    struct package package = same_but_app(2);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
    REQUIRE(tandem_manifest_image(&manifest, 0, &image) == TANDEM_OK);
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
    /* What was in the window before the copies, and behind the payload, has been sent for nothing. */
    CHECK(w.f.sent <= manifest.header.head_size + image.payload_size + 2 * FIXTURE_BUFFER);
    finish(&w, &package, &w.old, &w.old);
    package_free(&package);
    end(&w);
}

/* The bytes that arrived ahead of a copy are gone with it: they are asked for anew, not taken for a bad block. */
static void copy_uses_the_buffer(void)
{
    struct world w;
    start(&w, NULL);
    struct package package = same_but_app(2);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 1), TANDEM_OK);
    CHECK_EQUAL(tandem_install_feed(&w.f.install, 0, package.bytes, 1800), TANDEM_OK);
    CHECK_EQUAL(tandem_install_feed(&w.f.install, 1900, package.bytes + 1900, 100), TANDEM_OK);
    for (unsigned i = 0; tandem_install_poll(&w.f.install) == TANDEM_AGAIN; i++) {
        CHECK_EQUAL(w.f.install.retries, 0);
        REQUIRE(i < 10000);
    }
    CHECK(!tandem_install_gap(&w.f.install));
    CHECK_EQUAL(fixture_send(&w.f, &package, 244, 0), TANDEM_STATE_PENDING);
    finish(&w, &package, &w.old, &w.old);
    package_free(&package);
    end(&w);
}

/* A copy of what the package brings too turns out damaged: it is received after all. */
static void damaged_copy(void)
{
    for (unsigned slot = 1; slot < 4; slot++) {
        struct world w;
        start(&w, NULL);
        struct package package = same_but_app(2);
        for (unsigned i = 1; i < 3; i++)
            if (slot & i)
                sim_flash_flip(&w.f.flash, w.f.slots[i].areas[0].address + 500, 2);
        CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
        finish(&w, &package, &w.old, &w.old);
        package_free(&package);
        end(&w);
    }
    /* What the package does not bring cannot be helped; a package that brings it helps. */
    struct world w;
    start(&w, NULL);
    struct package app = one_image(2, TANDEM_KIND_APPLICATION, 20, 3333);
    sim_flash_flip(&w.f.flash, w.f.slots[1].areas[0].address + 500, 2);
    CHECK_EQUAL(fixture_update(&w.f, &app, 1), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(&w), TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->stage, TANDEM_STAGE_VALIDATE);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->image, TANDEM_KIND_STACK);
    CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
    finish(&w, &w.new, &w.new, &w.new);
    package_free(&app);
    end(&w);
}

/* ---- flash that cannot be read in places ---- */

static uint32_t bad_from, bad_to;
static const struct tandem_flash_port *good_port;

static enum tandem_status failing_read(void *ctx, uint32_t address, void *data, size_t size)
{
    if (address < bad_to && bad_from < address + size)
        return TANDEM_ERROR_FLASH;
    return good_port->read(ctx, address, data, size);
}

static void unreadable_copy(void)
{
    struct world w;
    start(&w, NULL);
    struct package package = same_but_app(2), app = one_image(2, TANDEM_KIND_APPLICATION, 20, 3333);
    struct tandem_flash_port port = w.f.flash.port;
    good_port = &w.f.flash.port;
    port.read = failing_read;
    w.f.slots[1].areas[0].flash = &port;
    bad_from = w.f.slots[1].areas[0].address + 1500;
    bad_to = bad_from + 1;
    CHECK_EQUAL(fixture_update(&w.f, &app, 1), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(&w), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->image, TANDEM_KIND_STACK);
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
    finish(&w, &package, &w.old, &w.old);
    package_free(&package);
    package_free(&app);
    end(&w);
}

/* Read back after programming. */
static void cells_that_do_not_take(void)
{
    static const unsigned places[] = {0, 1500, 4999};
    for (unsigned i = 0; i < 3; i++) {
        struct world w;
        start(&w, NULL);
        const struct tandem_area *area = &w.f.slots[0].areas[1];
        for (uint32_t at = 0; at < 16; at++)
            sim_flash_stick(&w.f.flash, (area->address + places[i]) / 16 * 16 + at, 0xFF);
        CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_FAILED);
        CHECK_EQUAL(outcome(&w), TANDEM_ERROR_FLASH);
        CHECK_EQUAL(tandem_install_outcome(&w.f.install)->stage, TANDEM_STAGE_RECEIVE);
        CHECK_EQUAL(tandem_install_outcome(&w.f.install)->image, TANDEM_KIND_APPLICATION);
        boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1);
        end(&w);
    }
}

/* ---- refusals ---- */

/* Send a package that must be refused before a single flash operation. */
static void refused(struct world *w, const struct package *package, enum tandem_status status, uint8_t image,
                    uint32_t detail)
{
    uint64_t before = w->f.power.ops;
    CHECK_EQUAL(tandem_install_begin(&w->f.install, NULL, 0, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w->f, package, 300, 0), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(w), status);
    CHECK_EQUAL(tandem_install_outcome(&w->f.install)->stage, TANDEM_STAGE_CHECK);
    CHECK_EQUAL(tandem_install_outcome(&w->f.install)->image, image);
    CHECK_EQUAL(tandem_install_outcome(&w->f.install)->detail, detail);
    CHECK_EQUAL(w->f.power.ops, before);
    CHECK_EQUAL(tandem_install_feed(&w->f.install, 0, package->bytes, 10), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_install_wants(&w->f.install), tandem_install_limit(&w->f.install));
}

/* A recipe of the two needed images. */
static void usual(struct recipe *recipe, uint16_t major)
{
    recipe_begin(recipe, major);
    recipe_image(recipe, TANDEM_KIND_APPLICATION, 6, 1000);
    recipe_image(recipe, TANDEM_KIND_STACK, 7, 1000);
}

#define REFUSED(change, status, image, detail)          \
    do {                                                \
        usual(&recipe, 2);                              \
        change;                                         \
        struct package package_ = recipe_make(&recipe); \
        refused(&w, &package_, status, image, detail);  \
        package_free(&package_);                        \
    } while (0)

static void refusals(void)
{
    static const uint16_t revisions[2][2] = {{0, 6}, {8, 9}};
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    w.f.device.signatures_needed = 0;
    REFUSED(recipe.pack.vendor = "Acm", TANDEM_ERROR_TARGET, 0, 0);
    REFUSED(recipe.pack.vendor = "Acmee", TANDEM_ERROR_TARGET, 0, 0);
    REFUSED(recipe.pack.vendor = "acme", TANDEM_ERROR_TARGET, 0, 0);
    REFUSED(recipe.pack.product = "Buds", TANDEM_ERROR_TARGET, 0, 0);
    REFUSED((recipe.pack.hardware = revisions, recipe.pack.hardware_count = 2), TANDEM_ERROR_HARDWARE, 0, 7);
    REFUSED(recipe.signers[0] = fixture_signer(2), TANDEM_ERROR_KEY, 0, 0);
    REFUSED(recipe.pack.signer_count = 0, TANDEM_ERROR_UNSIGNED, 0, 0);
    REFUSED(recipe.pack.counter = 0, TANDEM_ERROR_COUNTER, 0, 1);
    REFUSED(recipe.pack.version.major = 0, TANDEM_ERROR_VERSION, 0, 0);
    REFUSED((recipe.pack.minimum.major = 1, recipe.pack.minimum.build = 1), TANDEM_ERROR_VERSION, 0, 0);
    REFUSED((recipe.images[1].size = 4097), TANDEM_ERROR_TOO_LARGE, TANDEM_KIND_STACK, 4096);
    REFUSED(recipe.pack.block_size = 4096, TANDEM_ERROR_SPACE, TANDEM_KIND_APPLICATION, FIXTURE_BUFFER);
    REFUSED((recipe.images[0].kind = 0x80, recipe.images[1].kind = 0x81), TANDEM_ERROR_INCOMPLETE, 0, 0);
    REFUSED((recipe.images[0].dependency_count = 1, recipe.images[0].dependencies[0].kind = 0x90),
            TANDEM_ERROR_DEPENDENCY, TANDEM_KIND_APPLICATION, 0x90);
    w.f.device.signatures_needed = 2;
    REFUSED(, TANDEM_ERROR_KEY, 0, 0);
    REFUSED((recipe.signers[1] = fixture_signer(0), recipe.pack.signer_count = 2), TANDEM_ERROR_KEY, 0, 0);
    w.f.device.signatures_needed = 1;
    w.f.battery = 29;
    w.f.device.battery_minimum = 30;
    REFUSED(, TANDEM_ERROR_BATTERY, 0, 29);
    w.f.battery = 30;
    w.f.consent = TANDEM_ERROR_CONSENT;
    REFUSED(, TANDEM_ERROR_CONSENT, 0, 0);
    w.f.consent = TANDEM_ERROR_PORT;
    REFUSED(, TANDEM_ERROR_CONSENT, 0, 0);
    /* None of it stands in the way of a good one. */
    w.f.consent = TANDEM_OK;
    CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
    finish(&w, &w.new, &w.new, &w.new);
    end(&w);
}

static void refused_heads(void)
{
    struct world w;
    struct recipe recipe;
    char text[1801];
    start(&w, NULL);
    memset(text, 'x', sizeof text);
    text[1800] = '\0';
    /* Larger than the buffer; larger than the manifest area of the bank that it would go to. */
    REFUSED(recipe.pack.description = text, TANDEM_ERROR_TOO_LARGE, 0, FIXTURE_BUFFER);
    w.f.device.manifests[1].size = 1024;
    text[1000] = '\0';
    REFUSED(recipe.pack.description = text, TANDEM_ERROR_TOO_LARGE, 0, 1024);
    w.f.device.head_max = 1000; /* what the bootloader can read is less still */
    REFUSED(recipe.pack.description = text, TANDEM_ERROR_TOO_LARGE, 0, 1000);
    w.f.device.head_max = 0;
    /* Damaged: by a bit, by another's id, by a size that does not match. */
    usual(&recipe, 2);
    struct package package = recipe_make(&recipe);
    static const struct {
        uint32_t offset;
        enum tandem_status status;
    } flips[] = {
        {0, TANDEM_ERROR_FORMAT},      {5, TANDEM_ERROR_FORMAT},     {21, TANDEM_ERROR_UNSUPPORTED},
        {24, TANDEM_ERROR_TARGET},     {40, TANDEM_ERROR_SIGNATURE}, {80, TANDEM_ERROR_SIGNATURE},
        {300, TANDEM_ERROR_SIGNATURE},
    };
    for (unsigned i = 0; i < sizeof flips / sizeof flips[0]; i++) {
        package.bytes[flips[i].offset] ^= 0x08;
        refused(&w, &package, flips[i].status, 0, 0);
        package.bytes[flips[i].offset] ^= 0x08;
    }
    uint64_t before = w.f.power.ops;
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, 0, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w.f, &package, 300, 0), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(&w), TANDEM_ERROR_FORMAT);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size + 1, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w.f, &package, 300, 0), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(&w), TANDEM_ERROR_FORMAT);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->detail, package.size);
    CHECK_EQUAL(w.f.power.ops, before);
    package_free(&package);
    end(&w);
}

/* Every bit of the head, turned over on its way in: refused, and no flash touched. */
static void head_bits(void)
{
    struct world w;
    struct tandem_manifest manifest;
    start(&w, NULL);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, w.new.bytes, w.new.size) == TANDEM_OK);
    uint64_t before = w.f.power.ops;
    uint32_t head = manifest.header.head_size;
    for (uint32_t bit = 0; bit < 8 * head; bit += 5) {
        w.new.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
        CHECK_EQUAL(tandem_install_feed(&w.f.install, 0, w.new.bytes, head), TANDEM_OK);
        while (tandem_install_poll(&w.f.install) == TANDEM_AGAIN)
            ;
        /* A size that is larger now makes it wait for more; anything else is refused. */
        CHECK(tandem_install_state(&w.f.install) == TANDEM_STATE_FAILED ||
              tandem_install_state(&w.f.install) == TANDEM_STATE_RECEIVING);
        w.new.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_EQUAL(w.f.power.ops, before);
    end(&w);
}

static void version_policies(void)
{
    static const struct {
        uint8_t policy;
        uint16_t major;
        enum tandem_status status;
    } cases[] = {
        {TANDEM_VERSION_NOT_OLDER, 4, TANDEM_ERROR_VERSION},
        {TANDEM_VERSION_NOT_OLDER, 5, TANDEM_OK},
        {TANDEM_VERSION_NOT_OLDER, 6, TANDEM_OK},
        {TANDEM_VERSION_NEWER, 4, TANDEM_ERROR_VERSION},
        {TANDEM_VERSION_NEWER, 5, TANDEM_ERROR_VERSION},
        {TANDEM_VERSION_NEWER, 6, TANDEM_OK},
        {TANDEM_VERSION_ANY, 4, TANDEM_OK},
        {TANDEM_VERSION_ANY, 5, TANDEM_OK},
        {TANDEM_VERSION_ANY, 6, TANDEM_OK},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        struct recipe recipe;
        start(&w, NULL);
        fixture_erase(&w.f);
        usual(&recipe, 5);
        struct package five = recipe_make(&recipe);
        fixture_factory(&w.f, 0, &five);
        boots(&w, TANDEM_BOOT_FIRST, 0, 5);
        w.f.device.version_policy = cases[i].policy;
        CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
        usual(&recipe, cases[i].major);
        recipe.pack.minimum.major = 5; /* the installed one is just new enough */
        struct package package = recipe_make(&recipe);
        if (cases[i].status == TANDEM_OK)
            CHECK_EQUAL(fixture_update(&w.f, &package, 0), TANDEM_STATE_VALIDATED);
        else
            refused(&w, &package, cases[i].status, 0, 0);
        package_free(&package);
        package_free(&five);
        end(&w);
    }
}

/* A device with nothing in its running bank takes what is complete, whatever the versions. */
static void empty_device(void)
{
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    fixture_erase(&w.f);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    struct package app = one_image(2, TANDEM_KIND_APPLICATION, 20, 3333);
    refused(&w, &app, TANDEM_ERROR_INCOMPLETE, TANDEM_KIND_STACK, 0);
    usual(&recipe, 0);
    recipe.pack.minimum.major = 9;
    struct package package = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 0);
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    boots(&w, TANDEM_BOOT_CONFIRMED, 1, 0);
    package_free(&app);
    package_free(&package);
    end(&w);
}

static void unsigned_packages(void)
{
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    usual(&recipe, 2);
    recipe.pack.signer_count = 0;
    struct package package = recipe_make(&recipe);
    refused(&w, &package, TANDEM_ERROR_UNSIGNED, 0, 0);
    w.f.device.allow_unsigned = 1;
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
    finish(&w, &package, &package, &w.old);
    package_free(&package);
    end(&w);
}

static void dependencies(void)
{
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    /* Of an image that comes along from the running bank (1.0.0), and of one in the package. */
    for (unsigned minor = 0; minor < 2; minor++)
        for (unsigned both = 0; both < 2; both++) {
            recipe_begin(&recipe, 2);
            recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 1000)->dependency_count = 1;
            recipe.images[0].dependencies[0].kind = TANDEM_KIND_STACK;
            recipe.images[0].dependencies[0].minimum.major = 1;
            recipe.images[0].dependencies[0].minimum.minor = (uint16_t)minor;
            if (both)
                recipe_image(&recipe, TANDEM_KIND_STACK, 7, 1000)->version.minor = 1;
            struct package package = recipe_make(&recipe);
            if (both || minor == 0)
                CHECK_EQUAL(fixture_update(&w.f, &package, 0), TANDEM_STATE_VALIDATED);
            else
                refused(&w, &package, TANDEM_ERROR_DEPENDENCY, TANDEM_KIND_APPLICATION, TANDEM_KIND_STACK);
            package_free(&package);
        }
    /* An optional image that is neither here nor in the package. */
    fixture_erase(&w.f);
    usual(&recipe, 1);
    struct package none = recipe_make(&recipe);
    fixture_factory(&w.f, 0, &none);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    usual(&recipe, 2);
    recipe.images[1].dependency_count = 2;
    recipe.images[1].dependencies[0].kind = TANDEM_KIND_APPLICATION;
    recipe.images[1].dependencies[1].kind = TANDEM_KIND_DATA;
    struct package package = recipe_make(&recipe);
    refused(&w, &package, TANDEM_ERROR_DEPENDENCY, TANDEM_KIND_STACK, TANDEM_KIND_DATA);
    package_free(&package);
    package_free(&none);
    end(&w);
}

/* What the image that stays needs counts too. */
static void dependencies_of_what_stays(void)
{
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    fixture_erase(&w.f);
    usual(&recipe, 1);
    recipe.images[0].dependency_count = 1;
    recipe.images[0].dependencies[0].kind = TANDEM_KIND_STACK;
    recipe.images[0].dependencies[0].minimum.major = 1;
    struct package pair = recipe_make(&recipe);
    fixture_factory(&w.f, 0, &pair);
    boots(&w, TANDEM_BOOT_FIRST, 0, 1);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_STACK, 8, 900)->version.major = 0;
    struct package stack = recipe_make(&recipe);
    refused(&w, &stack, TANDEM_ERROR_DEPENDENCY, TANDEM_KIND_APPLICATION, TANDEM_KIND_STACK);
    recipe.images[0].version.major = 1;
    struct package better = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&w.f, &better, 1), TANDEM_STATE_PENDING);
    finish(&w, &pair, &better, NULL);
    package_free(&pair);
    package_free(&stack);
    package_free(&better);
    end(&w);
}

static void battery_and_consent(void)
{
    struct world w;
    start(&w, NULL);
    w.f.device.battery_minimum = 30;
    w.f.battery = 10;
    /* A battery that cannot be read is no reason. */
    w.f.battery_says = TANDEM_ERROR_PORT;
    w.f.consent = TANDEM_AGAIN;
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 0), TANDEM_OK);
    uint64_t before = w.f.power.ops;
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 300, 0), TANDEM_STATE_RECEIVING);
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQUAL(tandem_install_poll(&w.f.install), TANDEM_OK); /* the user thinks */
    CHECK(w.f.asked > 10);
    CHECK_EQUAL(w.f.power.ops, before);
    w.f.consent = TANDEM_OK;
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 300, 0), TANDEM_STATE_VALIDATED);
    w.f.battery_says = TANDEM_OK;
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_ERROR_BATTERY);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_ERROR_BATTERY);
    w.f.battery = 30;
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
    /* The charge falls during the transfer: it is kept for later. */
    struct package three = fixture_package(3);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, three.id, three.size, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w.f, &three, 300, 4000), TANDEM_STATE_RECEIVING);
    w.f.battery = 29;
    CHECK_EQUAL(fixture_send(&w.f, &three, 300, 0), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_ERROR_BATTERY);
    w.f.battery = 30;
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
    package_free(&three);
    /* Without a system port, or without its functions, nothing is asked. */
    memset(&w.f.system, 0, sizeof w.f.system);
    CHECK_EQUAL(fixture_update(&w.f, &w.old, 1), TANDEM_STATE_PENDING);
    w.f.device.system = NULL;
    CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
    end(&w);
}

/* ---- keys that are revoked ---- */

static void recipe_revoke(struct recipe *recipe, unsigned key)
{
    static uint8_t ids[FIXTURE_KEYS][1][TANDEM_KEY_ID_SIZE];
    CHECK_EQUAL(tandem_key_id(NULL, fixture_key(key), ids[key][0]), TANDEM_OK);
    recipe->pack.revoke = (const uint8_t(*)[TANDEM_KEY_ID_SIZE])ids[key];
    recipe->pack.revoke_count = 1;
}

static void revocations(void)
{
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    /* A package cannot revoke the only key that signed it. */
    usual(&recipe, 2);
    recipe_revoke(&recipe, 0);
    struct package own = recipe_make(&recipe);
    refused(&w, &own, TANDEM_ERROR_REVOKED, 0, 0);
    /* Nor one that vouches for an image which stays; that is said before anything is erased. */
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 1000);
    recipe.signers[0] = fixture_signer(1);
    recipe_revoke(&recipe, 0);
    struct package part = recipe_make(&recipe);
    refused(&w, &part, TANDEM_ERROR_REVOKED, TANDEM_KIND_STACK, 0);
    /* All images, by the other key: then the first one is gone for good. */
    usual(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_DATA, 8, 800);
    recipe.signers[0] = fixture_signer(1);
    recipe_revoke(&recipe, 0);
    struct package whole = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&w.f, &whole, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(fixture_state(&w.f).revoked, 0); /* not before it has proved itself */
    finish(&w, &whole, &whole, &whole);
    CHECK_EQUAL(fixture_state(&w.f).revoked, 1);
    struct package three = fixture_package(3);
    refused(&w, &three, TANDEM_ERROR_REVOKED, 0, 0);
    package_free(&own);
    package_free(&part);
    package_free(&whole);
    package_free(&three);
    end(&w);
}

/* Heads that come along need room beside the new one. */
static void room_for_carried_heads(void)
{
    struct world w;
    struct recipe recipe;
    char text[601];
    start(&w, NULL);
    memset(text, 'x', sizeof text);
    text[600] = '\0';
    w.f.device.manifests[1].size = 1024;
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 1000);
    recipe.pack.description = text;
    struct package package = recipe_make(&recipe);
    refused(&w, &package, TANDEM_ERROR_SPACE, TANDEM_KIND_STACK, 1024);
    package_free(&package);
    end(&w);
}

/* With the least buffer there is no room to look at them beforehand: it turns out when they are carried over. */
static void carried_heads_in_the_least_buffer(void)
{
    struct world w;
    struct recipe recipe;
    char text[61];
    memset(text, 'x', sizeof text);
    text[60] = '\0';
    start(&w, NULL);
    for (unsigned i = 0; i < 3; i++) {
        static const enum tandem_status wanted[] = {TANDEM_ERROR_REVOKED, TANDEM_ERROR_SPACE, TANDEM_OK};
        w.f.device.manifests[1].size = i == 1 ? 1024 - 384 : 1024; /* whole sectors do not matter here */
        recipe_begin(&recipe, 2);
        recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 1000);
        recipe.pack.description = text;
        if (i == 0) {
            recipe.signers[0] = fixture_signer(1);
            recipe_revoke(&recipe, 0);
        }
        struct package package = recipe_make(&recipe);
        w.f.install.buffer_size = 528;
        CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 0), TANDEM_OK);
        enum tandem_state state = fixture_send(&w.f, &package, 300, 0);
        CHECK_EQUAL(state, wanted[i] == TANDEM_OK ? TANDEM_STATE_VALIDATED : TANDEM_STATE_FAILED);
        CHECK_EQUAL(outcome(&w), wanted[i]);
        if (wanted[i] != TANDEM_OK) {
            CHECK_EQUAL(tandem_install_outcome(&w.f.install)->stage, TANDEM_STAGE_RECEIVE);
            CHECK_EQUAL(tandem_install_outcome(&w.f.install)->image, TANDEM_KIND_STACK);
        }
        boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1);
        package_free(&package);
    }
    end(&w);
}

/* A head that comes along speaks of an image that would not be there: better refused now than at the next start. */
static void carried_head_promises_more(void)
{
    struct world w;
    struct recipe recipe;
    start(&w, NULL);
    fixture_erase(&w.f);
    usual(&recipe, 1);
    recipe_image(&recipe, TANDEM_KIND_DATA, 8, 800)->variant = 1;
    struct package old = recipe_make(&recipe);
    fixture_factory(&w.f, 0, &old);
    boots(&w, TANDEM_BOOT_FIRST, 0, 1);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    struct package app = one_image(2, TANDEM_KIND_APPLICATION, 20, 3333);
    refused(&w, &app, TANDEM_ERROR_INCOMPLETE, TANDEM_KIND_DATA, 0);
    CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
    finish(&w, &w.new, &w.new, &w.new);
    package_free(&old);
    package_free(&app);
    end(&w);
}

/* ---- going on ---- */

static uint32_t head_of(const struct package *package)
{
    struct tandem_package_header header;
    REQUIRE(tandem_package_header(&header, package->bytes) == TANDEM_OK);
    return header.head_size;
}

/* Stop after `stop` bytes, reset, go on with or without the id; see what it costs. */
static void resume_once(uint32_t stop, int with_id, uint32_t sector)
{
    struct world w;
    struct fixture_options options = {sector, 0, 0, 0, 0};
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
    uint32_t offset = 0;
    start(&w, &options);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 132, stop), TANDEM_STATE_RECEIVING);
    fixture_settle(&w.f);
    CHECK_EQUAL(w.f.sent, stop);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK); /* a reset */
    CHECK(tandem_install_state(&w.f.install) == TANDEM_STATE_IDLE ||
          tandem_install_state(&w.f.install) == TANDEM_STATE_FAILED);
    int resumable = tandem_install_resumable(&w.f.install, id, &offset);
    CHECK_EQUAL(resumable, stop >= head_of(&w.new));
    if (resumable) {
        CHECK_BYTES(id, w.new.id, sizeof id);
        CHECK(offset <= stop && stop - offset <= 528 + sector + sector);
    }
    CHECK_EQUAL(tandem_install_begin(&w.f.install, with_id ? w.new.id : NULL, with_id ? w.new.size : 0, 1), TANDEM_OK);
    if (with_id && resumable)
        CHECK_EQUAL(tandem_install_wants(&w.f.install), offset);
    uint64_t before = w.f.sent;
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 132, 0), TANDEM_STATE_PENDING);
    uint64_t again = w.f.sent - before;
    uint64_t least = w.new.size - stop;
    /* At most one block and one sector anew; without the id, the head and what was in the window behind it. */
    CHECK(again <= least + 528 + sector + (with_id ? 0 : FIXTURE_BUFFER));
    finish(&w, &w.new, &w.new, &w.new);
    end(&w);
}

static void resume_everywhere(void)
{
    for (uint32_t stop = 50; stop < 9000; stop += stop < 800 ? 50 : 264)
        resume_once(stop, stop / 2 % 2, stop % 3 == 0 ? 4096 : 1024);
}

/*
 * Power fails while the last checkpoint of an image is written. It does not read well, so the transfer goes on at the
 * one before, and writes its last part again, where power fails once more. Now the torn checkpoint reads well after
 * all: it must not count any more.
 */
static void torn_checkpoint(void)
{
    struct world w;
    struct package app = one_image(2, TANDEM_KIND_APPLICATION, 20, 3333);
    start(&w, NULL);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, app.id, app.size, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w.f, &app, 132, app.size - 1), TANDEM_STATE_RECEIVING);
    fixture_settle(&w.f);
    uint32_t tail = w.f.device.journal.address + w.f.install.bank.journal.half * w.f.install.bank.journal.half_size +
                    w.f.install.bank.journal.tail;
    CHECK_EQUAL(fixture_send(&w.f, &app, 132, 0), TANDEM_STATE_PENDING);
    uint8_t record[32], torn[32];
    memcpy(record, sim_flash_at(&w.f.flash, tail), sizeof record); /* of that checkpoint */
    CHECK_EQUAL(record[0], JOURNAL_PROGRESS ^ JOURNAL_MARK(&w.f.flash.port));
    memset(torn, 0xFF, sizeof torn);
    memcpy(torn, record, 20);
    end(&w);

    start(&w, NULL);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, app.id, app.size, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w.f, &app, 132, app.size - 1), TANDEM_STATE_RECEIVING);
    fixture_settle(&w.f);
    sim_flash_put(&w.f.flash, tail, torn, sizeof torn);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, app.id, app.size, 1), TANDEM_OK);
    uint32_t wants = tandem_install_wants(&w.f.install);
    CHECK_EQUAL(fixture_send(&w.f, &app, 132, 100), TANDEM_STATE_RECEIVING);
    memcpy(w.f.flash.cells + tail, record, sizeof record);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, app.id, app.size, 1), TANDEM_OK);
    CHECK_EQUAL(tandem_install_wants(&w.f.install), wants);
    CHECK_EQUAL(fixture_send(&w.f, &app, 132, 0), TANDEM_STATE_PENDING);
    package_free(&app);
    end(&w);
}

/* The link goes and comes back without a reset; the same package is begun again. */
static void begin_again(void)
{
    struct world w;
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
    uint32_t offset = 0;
    start(&w, NULL);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
    for (uint32_t i = 0; i < 12; i++) {
        CHECK_EQUAL(fixture_send(&w.f, &w.new, 200, 700), TANDEM_STATE_RECEIVING);
        if (i > 0) {
            CHECK_EQUAL(tandem_install_resumable(&w.f.install, id, &offset), 1);
            CHECK_EQUAL(offset, tandem_install_wants(&w.f.install));
        }
        if (i % 2)
            CHECK_EQUAL(tandem_install_abort(&w.f.install), TANDEM_OK);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
    }
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 200, 0), TANDEM_STATE_PENDING);
    finish(&w, &w.new, &w.new, &w.new);
    CHECK_EQUAL(tandem_install_resumable(&w.f.install, id, &offset), 0);
    end(&w);
}

/* Another package takes over, but not before its head has been accepted. */
static void another_package(void)
{
    struct world w;
    struct recipe recipe;
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
    uint32_t offset = 0;
    start(&w, NULL);
    struct package three = fixture_package(3);
    usual(&recipe, 4);
    recipe.signers[0] = fixture_signer(2);
    struct package stranger = recipe_make(&recipe);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 200, 4000), TANDEM_STATE_RECEIVING);
    refused(&w, &stranger, TANDEM_ERROR_KEY, 0, 0);
    CHECK_EQUAL(tandem_install_resumable(&w.f.install, id, &offset), 1);
    CHECK_BYTES(id, w.new.id, sizeof id);
    CHECK(offset > 3000);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, three.id, three.size, 1), TANDEM_OK);
    CHECK_EQUAL(tandem_install_wants(&w.f.install), 0);
    CHECK_EQUAL(fixture_send(&w.f, &three, 200, 0), TANDEM_STATE_PENDING);
    finish(&w, &three, &three, &three);
    package_free(&three);
    package_free(&stranger);
    end(&w);
}

/* What is stored of a transfer is not what it should be: it begins anew, and asks again. */
static void resume_of_something_damaged(void)
{
    for (unsigned what = 0; what < 4; what++)
        for (unsigned with_id = 0; with_id < 2; with_id++) {
            struct world w;
            start(&w, NULL);
            CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
            CHECK_EQUAL(fixture_send(&w.f, &w.new, 200, 4000), TANDEM_STATE_RECEIVING);
            CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
            if (what == 0)
                sim_flash_flip(&w.f.flash, w.f.device.manifests[1].address + 3, 1);
            else if (what == 1)
                sim_flash_flip(&w.f.flash, w.f.device.manifests[1].address + 24, 1);
            else if (what == 2)
                w.f.device.battery_minimum = 101; /* a condition that did not hold for a moment */
            if (what == 3) {
                /* A checkpoint that cannot be. */
                struct tandem_progress progress;
                CHECK_EQUAL(tandem_bank_progress(&w.f.install.bank, &progress), 1);
                progress.offset = 17;
                CHECK_EQUAL(tandem_bank_store_progress(&w.f.install.bank, &progress), TANDEM_OK);
            }
            w.f.battery = 100;
            CHECK_EQUAL(tandem_install_begin(&w.f.install, with_id ? w.new.id : NULL, 0, 1), TANDEM_OK);
            if (what == 2) {
                CHECK_EQUAL(fixture_send(&w.f, &w.new, 200, 0), TANDEM_STATE_FAILED);
                CHECK_EQUAL(outcome(&w), TANDEM_ERROR_BATTERY);
                w.f.device.battery_minimum = 0;
                CHECK_EQUAL(tandem_install_begin(&w.f.install, with_id ? w.new.id : NULL, 0, 1), TANDEM_OK);
            } else {
                CHECK_EQUAL(tandem_install_wants(&w.f.install), 0);
            }
            CHECK_EQUAL(fixture_send(&w.f, &w.new, 200, 0), TANDEM_STATE_PENDING);
            CHECK_EQUAL(tandem_install_outcome(&w.f.install)->detail, 0);
            finish(&w, &w.new, &w.new, &w.new);
            end(&w);
        }
}

/* A reset while images are copied, and between a copy and what is received. */
static void resume_of_copies(void)
{
    struct fixture_options options = {1024, 0, 0, 0, 0};
    for (unsigned polls = 1; polls < 120; polls += 3) {
        struct world w;
        start(&w, &options);
        struct package package = same_but_app(2);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 1), TANDEM_OK);
        CHECK_EQUAL(tandem_install_feed(&w.f.install, 0, package.bytes, head_of(&package)), TANDEM_OK);
        for (unsigned i = 0; i < polls; i++)
            tandem_install_poll(&w.f.install);
        CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 1), TANDEM_OK);
        CHECK_EQUAL(fixture_send(&w.f, &package, 200, 0), TANDEM_STATE_PENDING);
        finish(&w, &package, &w.old, &w.old);
        package_free(&package);
        end(&w);
    }
}

/* ---- a manifest area in the last sector of a slot ---- */

/* The application's slot of each bank is 8 sectors with the manifest in the tail of the last; 16 KB sectors or 1 KB. */
static void share_sectors(struct world *w, uint32_t sector)
{
    struct fixture_options options = {sector, 4, 0, 0, 2};
    struct tandem_boot boot;
    const char *reason = "";
    w->old = fixture_package(1);
    w->new = fixture_package(2);
    fixture_open(&w->f, &options);
    uint32_t tail = sector == 1024 ? 512 : 2048;
    for (uint8_t bank = 0; bank < 2; bank++) {
        struct tandem_area *slot = &w->f.slots[0].areas[bank], *manifest = &w->f.device.manifests[bank];
        slot->size = sector == 1024 ? 8 * sector : sector;
        slot->size -= tail;
        manifest->address = slot->address + slot->size;
        manifest->size = tail;
    }
    if (!CHECK_EQUAL(tandem_device_check(&w->f.device, &reason), TANDEM_OK))
        fprintf(stderr, "  %s\n", reason);
    fixture_factory(&w->f, 0, &w->old);
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(fixture_install(&w->f), TANDEM_OK);
}

/* An application that reaches into the shared sector; the reset falls anywhere. */
static void shared_sector(void)
{
    for (unsigned large = 0; large < 2; large++)
        for (uint32_t stop = 300; stop < 9500; stop += 400) {
            struct world w;
            struct recipe recipe;
            usual(&recipe, 2);
            recipe.images[0].size = large ? 7400 : 7680;
            struct package package = recipe_make(&recipe);
            share_sectors(&w, large ? 16384 : 1024);
            CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 1), TANDEM_OK);
            fixture_send(&w.f, &package, 200, stop);
            fixture_settle(&w.f);
            CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
            CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 1), TANDEM_OK);
            uint64_t before = w.f.sent;
            CHECK_EQUAL(fixture_send(&w.f, &package, 200, 0), TANDEM_STATE_PENDING);
            CHECK(w.f.sent - before <=
                  package.size - (stop < package.size ? stop : package.size) + 528 + (large ? 16384 : 1024));
            boots(&w, TANDEM_BOOT_TRIAL, 1, 2);
            CHECK(fixture_holds(&w.f, 1, TANDEM_KIND_APPLICATION, &package));
            package_free(&package);
            end(&w);
        }
}

/* Copies into the shared sector: cut short, damaged; and heads that were carried over. */
static void shared_sector_copies(void)
{
    for (unsigned polls = 1; polls < 100; polls += 4)
        for (unsigned damaged = 0; damaged < 2; damaged++) {
            struct world w;
            struct recipe recipe;
            struct tandem_boot boot;
            share_sectors(&w, 16384);
            fixture_erase(&w.f);
            usual(&recipe, 1);
            recipe.images[0].size = 7400;
            struct package old = recipe_make(&recipe);
            fixture_factory(&w.f, 0, &old);
            CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
            CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
            recipe_begin(&recipe, 2);
            if (damaged)
                recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 7400);
            recipe_image(&recipe, TANDEM_KIND_STACK, 9, 1100);
            struct package package = recipe_make(&recipe);
            if (damaged)
                sim_flash_flip(&w.f.flash, w.f.slots[0].areas[0].address + 5000, 0);
            CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 1), TANDEM_OK);
            CHECK_EQUAL(tandem_install_feed(&w.f.install, 0, package.bytes, head_of(&package)), TANDEM_OK);
            for (unsigned i = 0; i < polls; i++)
                tandem_install_poll(&w.f.install);
            if (polls % 8 == 1) {
                CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
                CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 1), TANDEM_OK);
            }
            CHECK_EQUAL(fixture_send(&w.f, &package, 200, 0), TANDEM_STATE_PENDING);
            boots(&w, TANDEM_BOOT_TRIAL, 1, 2);
            package_free(&old);
            package_free(&package);
            end(&w);
        }
}

/* ---- feeding ---- */

/* A transport that shuffles, repeats, loses and invents. */
static void wild_feeds(void)
{
    for (unsigned seed = 0; seed < 12; seed++) {
        struct world w;
        struct sim_rng rng = {seed};
        unsigned rounds = 0;
        static uint8_t junk[300];
        start(&w, NULL);
        struct tandem_install *install = &w.f.install;
        sim_random_bytes(&rng, junk, sizeof junk);
        CHECK_EQUAL(tandem_install_begin(install, w.new.id, w.new.size, 1), TANDEM_OK);
        while (tandem_install_state(install) == TANDEM_STATE_RECEIVING) {
            uint32_t wants = tandem_install_wants(install);
            uint32_t at = sim_below(&rng, 4) == 0 ? wants : wants - 400 + sim_below(&rng, 3000);
            uint32_t size = sim_below(&rng, 300);
            if (sim_below(&rng, 5) == 0) {
                /* Junk where the bytes are in already, or beyond the limit: it must not matter. */
                uint32_t limit = tandem_install_limit(install);
                tandem_install_feed(install, sim_below(&rng, 2) ? limit + sim_below(&rng, 9) : wants - size, junk,
                                    size);
            }
            if (at < w.new.size && size <= w.new.size - at)
                tandem_install_feed(install, at, w.new.bytes + at, size);
            if (sim_below(&rng, 3) == 0)
                tandem_install_poll(install);
            CHECK_EQUAL(install->retries, 0);
            CHECK(tandem_install_wants(install) <= tandem_install_limit(install) &&
                  tandem_install_limit(install) <= w.new.size);
            REQUIRE(++rounds < 1000000);
        }
        fixture_settle(&w.f);
        CHECK_EQUAL(tandem_install_state(install), TANDEM_STATE_PENDING);
        finish(&w, &w.new, &w.new, &w.new);
        end(&w);
    }
}

static void gaps(void)
{
    struct world w;
    start(&w, NULL);
    struct tandem_install *install = &w.f.install;
    const uint8_t *bytes = w.new.bytes;
    CHECK_EQUAL(tandem_install_begin(install, NULL, 0, 0), TANDEM_OK);
    CHECK_EQUAL(tandem_install_limit(install), FIXTURE_BUFFER);
    CHECK_EQUAL(tandem_install_gap(install), 0);
    tandem_install_feed(install, 100, bytes + 100, 0); /* nothing leaves no trace */
    CHECK_EQUAL(tandem_install_gap(install), 0);
    for (uint32_t i = 1; i <= 4; i++) {
        tandem_install_feed(install, 20 * i, bytes + 20 * i, 10);
        CHECK_EQUAL(tandem_install_gap(install), 1);
    }
    tandem_install_feed(install, 100, bytes + 100, 10); /* a fifth run: not remembered */
    tandem_install_feed(install, 50, bytes + 50, 10);   /* touches two */
    CHECK_EQUAL(tandem_install_wants(install), 0);
    tandem_install_feed(install, 0, bytes, 20);
    CHECK_EQUAL(tandem_install_wants(install), 30);
    tandem_install_feed(install, 30, bytes + 30, 10);
    CHECK_EQUAL(tandem_install_wants(install), 70);
    tandem_install_feed(install, 60, bytes + 60, 25); /* overlaps on both sides */
    CHECK_EQUAL(tandem_install_wants(install), 90);
    CHECK_EQUAL(tandem_install_gap(install), 0);
    /* One feed over the whole window and beyond it. */
    tandem_install_feed(install, 0, bytes, w.new.size);
    CHECK_EQUAL(tandem_install_wants(install), FIXTURE_BUFFER);
    tandem_install_feed(install, FIXTURE_BUFFER, bytes + FIXTURE_BUFFER, 100);
    CHECK_EQUAL(tandem_install_wants(install), FIXTURE_BUFFER);
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 300, 0), TANDEM_STATE_VALIDATED);
    end(&w);
}

static void hostile_offsets(void)
{
    static const uint32_t offsets[] = {0xFFFFFFFFu, 0xFFFFFFF0u, 0x80000000u, 0x7FFFFFFFu, FIXTURE_BUFFER, 0xFFFFF000u};
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 100000};
    static uint8_t junk[100000];
    struct world w;
    start(&w, NULL);
    struct tandem_install *install = &w.f.install;
    CHECK_EQUAL(tandem_install_feed(install, 0, junk, 1), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_install_begin(install, NULL, 0xFFFFFFFFu, 0), TANDEM_OK);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
            for (unsigned j = 0; j < sizeof sizes / sizeof sizes[0]; j++)
                CHECK_EQUAL(tandem_install_feed(install, offsets[i], junk, sizes[j]), TANDEM_OK);
        CHECK_EQUAL(tandem_install_gap(install), 0);
        CHECK_EQUAL(tandem_install_begin(install, NULL, 0, 0), TANDEM_OK);
    }
    CHECK_EQUAL(tandem_install_wants(install), 0);
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 300, 0), TANDEM_STATE_VALIDATED);
    end(&w);
}

/* A block that arrives damaged is asked for again, three times; then it is over, and can be gone on with. */
static void bad_blocks(void)
{
    struct world w;
    uint32_t bad = 3000;
    for (unsigned times = 1; times <= 4; times++) {
        start(&w, NULL);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
        unsigned left = times, limit = 0;
        while (tandem_install_state(&w.f.install) == TANDEM_STATE_RECEIVING ||
               tandem_install_state(&w.f.install) == TANDEM_STATE_VALIDATING) {
            uint32_t wants = tandem_install_wants(&w.f.install), end_at = tandem_install_limit(&w.f.install);
            uint32_t part = end_at - wants < 200 ? end_at - wants : 200;
            int hit = left != 0 && wants <= bad && bad < wants + part;
            w.new.bytes[bad] ^= hit ? 0x20 : 0;
            tandem_install_feed(&w.f.install, wants, w.new.bytes + wants, part);
            w.new.bytes[bad] ^= hit ? 0x20 : 0;
            left -= hit ? 1 : 0;
            tandem_install_poll(&w.f.install);
            REQUIRE(++limit < 100000);
        }
        if (times <= 3) {
            CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_PENDING);
        } else {
            const struct tandem_outcome *result = tandem_install_outcome(&w.f.install);
            CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_FAILED);
            CHECK_EQUAL(result->status, TANDEM_ERROR_DIGEST);
            CHECK_EQUAL(result->stage, TANDEM_STAGE_RECEIVE);
            CHECK_EQUAL(result->image, TANDEM_KIND_APPLICATION);
            CHECK(result->detail <= bad && bad - result->detail < 528);
            CHECK_EQUAL(tandem_install_feed(&w.f.install, 0, w.new.bytes, 10), TANDEM_ERROR_STATE);
            CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
            CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_FAILED); /* it can still be read */
            CHECK_EQUAL(outcome(&w), TANDEM_ERROR_DIGEST);
            CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
            CHECK(tandem_install_wants(&w.f.install) + 528 + 1024 > bad);
            CHECK_EQUAL(fixture_send(&w.f, &w.new, 200, 0), TANDEM_STATE_PENDING);
        }
        finish(&w, &w.new, &w.new, &w.new);
        end(&w);
    }
}

/* Every bit of a payload, turned over on its way in: no such block is ever taken. */
static void payload_bits(void)
{
    struct world w;
    start(&w, NULL);
    struct package package = one_image(2, TANDEM_KIND_DATA, 20, 40);
    uint32_t head = head_of(&package);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, package.id, package.size, 0), TANDEM_OK);
    CHECK_EQUAL(tandem_install_feed(&w.f.install, 0, package.bytes, head), TANDEM_OK);
    fixture_settle(&w.f);
    CHECK_EQUAL(tandem_install_wants(&w.f.install), head);
    for (uint32_t bit = 0; bit < 8 * 40; bit++) {
        w.f.install.retries = 0;
        package.bytes[head + bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQUAL(tandem_install_feed(&w.f.install, head, package.bytes + head, 40), TANDEM_OK);
        fixture_settle(&w.f);
        CHECK_EQUAL(tandem_install_wants(&w.f.install), head);
        CHECK_EQUAL(w.f.install.retries, 1);
        package.bytes[head + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_EQUAL(fixture_send(&w.f, &package, 40, 0), TANDEM_STATE_VALIDATED);
    package_free(&package);
    end(&w);
}

/* A stream that ends early: it waits, says what it wants, and can be left alone. */
static void truncated(void)
{
    struct world w;
    start(&w, NULL);
    for (uint32_t size = 0; size < w.new.size; size += 517) {
        CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
        while (tandem_install_wants(&w.f.install) < size) {
            uint32_t wants = tandem_install_wants(&w.f.install);
            tandem_install_feed(&w.f.install, wants, w.new.bytes + wants, size - wants);
            fixture_settle(&w.f);
        }
        CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_RECEIVING);
        CHECK_EQUAL(tandem_install_poll(&w.f.install), TANDEM_OK);
        CHECK_EQUAL(tandem_install_abort(&w.f.install), TANDEM_OK);
        CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_IDLE);
        CHECK_EQUAL(outcome(&w), TANDEM_ERROR_CANCELLED);
        boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1);
    }
    end(&w);
}

/* Bytes after the package's end. */
static void more_than_a_package(void)
{
    struct world w;
    start(&w, NULL);
    struct package package = one_image(2, TANDEM_KIND_DATA, 20, 40);
    uint8_t *longer = (uint8_t *)malloc(package.size + 3000);
    REQUIRE(longer != NULL);
    memset(longer, 0x5A, package.size + 3000);
    memcpy(longer, package.bytes, package.size);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 0), TANDEM_OK);
    CHECK_EQUAL(tandem_install_feed(&w.f.install, 0, longer, package.size + 3000), TANDEM_OK);
    fixture_settle(&w.f);
    CHECK_EQUAL(fixture_send(&w.f, &package, 40, 0), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(tandem_install_wants(&w.f.install), package.size);
    free(longer);
    package_free(&package);
    end(&w);
}

/* ---- commands at their right and wrong times ---- */

static void on_trial(void)
{
    struct world w;
    start(&w, NULL);
    CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_TRIAL);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_ERROR_TRIAL);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_TRIAL);
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_install_erase_idle(&w.f.install), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_install_abort(&w.f.install), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_TRIAL);
    CHECK_EQUAL(tandem_install_confirm(&w.f.install), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_CONFIRMED);
    CHECK_EQUAL(tandem_install_seen(&w.f.install), TANDEM_OK);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->seen, 1);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
    CHECK_EQUAL(tandem_install_confirm(&w.f.install), TANDEM_ERROR_STATE);
    end(&w);
    /* Not confirmed: what the host can read afterwards. */
    start(&w, NULL);
    w.f.device.trial_boots = 1;
    CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2);
    boots(&w, TANDEM_BOOT_REVERTED, 0, 1);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(&w), TANDEM_ERROR_REVERTED);
    CHECK_BYTES(tandem_install_outcome(&w.f.install)->id, w.new.id, sizeof w.new.id);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->version.major, 2);
    end(&w);
}

static void activation(void)
{
    struct world w;
    start(&w, NULL);
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_ERROR_STATE);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 0), TANDEM_OK);
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_ERROR_STATE);
    CHECK_EQUAL(fixture_send(&w.f, &w.new, 300, 0), TANDEM_STATE_VALIDATED);
    /* Flash that fails: it stays validated. */
    w.f.power.fail_at = w.f.power.ops + 1;
    w.f.power.fail_count = 100;
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_VALIDATED);
    w.f.power.fail_at = 0;
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
    uint64_t before = w.f.power.ops;
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
    CHECK_EQUAL(w.f.power.ops, before);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->stage, TANDEM_STAGE_ACTIVATE);
    /* Taken back. */
    CHECK_EQUAL(tandem_install_abort(&w.f.install), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_VALIDATED);
    boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1);
    /* Begun again: it is there already, and activates at once if asked to. */
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 0), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(tandem_install_wants(&w.f.install), w.new.size);
    CHECK_EQUAL(tandem_install_limit(&w.f.install), w.new.size);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_PENDING);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_PENDING);
    /* Another package in its place, while it is pending. */
    struct package three = fixture_package(3);
    CHECK_EQUAL(fixture_update(&w.f, &three, 0), TANDEM_STATE_VALIDATED);
    boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
    finish(&w, &three, &three, &three);
    package_free(&three);
    end(&w);
}

/* Stop after any number of polls; what runs is not touched, and the update can be made all the same. */
static void abort_anywhere(void)
{
    for (unsigned polls = 0; polls < 200; polls += 7) {
        struct world w;
        struct fixture_options options = {0, 0, 0, (uint8_t)(polls % 2), 0};
        start(&w, &options);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
        for (unsigned i = 0; i < polls; i++) {
            uint32_t wants = tandem_install_wants(&w.f.install);
            uint32_t part = tandem_install_limit(&w.f.install) - wants;
            tandem_install_feed(&w.f.install, wants, w.new.bytes + wants, part < 300 ? part : 300);
            tandem_install_poll(&w.f.install);
            w.f.now_us += 20000;
        }
        CHECK_EQUAL(tandem_install_abort(&w.f.install), TANDEM_OK);
        enum tandem_state state = tandem_install_state(&w.f.install);
        CHECK(state == TANDEM_STATE_IDLE || state == TANDEM_STATE_VALIDATED);
        if (state == TANDEM_STATE_IDLE)
            CHECK_EQUAL(outcome(&w), TANDEM_ERROR_CANCELLED);
        CHECK_EQUAL(tandem_install_poll(&w.f.install), TANDEM_OK);
        boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
        CHECK_EQUAL(fixture_send(&w.f, &w.new, 300, 0), TANDEM_STATE_PENDING);
        finish(&w, &w.new, &w.new, &w.new);
        end(&w);
    }
}

static int is_blank(struct fixture *f, uint8_t bank)
{
    for (unsigned i = 0; i < f->device.slot_count; i++)
        for (uint32_t at = 0; at < f->slots[i].areas[bank].size; at++)
            if (*sim_flash_at(&f->flash, f->slots[i].areas[bank].address + at) != f->flash.spec.erased)
                return 0;
    for (uint32_t at = 0; at < f->device.manifests[bank].size; at++)
        if (*sim_flash_at(&f->flash, f->device.manifests[bank].address + at) != f->flash.spec.erased)
            return 0;
    return 1;
}

/* As an application does: erase, and poll in between. */
static enum tandem_status erase_all(struct fixture *f, int polling)
{
    enum tandem_status status;
    unsigned rounds = 0;
    do {
        status = tandem_install_erase_idle(&f->install);
        if (polling)
            tandem_install_poll(&f->install);
        f->now_us += 10000;
        REQUIRE(++rounds < 10000);
    } while (status == TANDEM_AGAIN);
    return status;
}

/* An operation that was under way when a command came in fails. */
static void commands_settle(void)
{
    struct fixture_options options = {0, 0, 0, 1, 0};
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
    uint32_t offset;
    for (unsigned command = 0; command < 3; command++) {
        struct world w;
        start(&w, &options);
        struct tandem_install *install = &w.f.install;
        CHECK_EQUAL(tandem_install_begin(install, w.new.id, w.new.size, 1), TANDEM_OK);
        CHECK_EQUAL(fixture_send(&w.f, &w.new, 200, 3000), TANDEM_STATE_RECEIVING);
        while (install->op.flash == NULL) {
            uint32_t wants = tandem_install_wants(install);
            uint32_t part = tandem_install_limit(install) - wants;
            tandem_install_feed(install, wants, w.new.bytes + wants, part < 300 ? part : 300);
            w.f.power.fail_at = w.f.power.ops + 1;
            w.f.power.fail_count = 1;
            tandem_install_poll(install);
        }
        CHECK_EQUAL(tandem_install_poll(install), TANDEM_AGAIN);
        CHECK_EQUAL(tandem_install_resumable(install, id, &offset), 1);
        CHECK_EQUAL(offset, tandem_install_wants(install));
        if (command == 0)
            CHECK_EQUAL(tandem_install_abort(install), TANDEM_OK);
        else if (command == 1)
            CHECK_EQUAL(tandem_install_seen(install), TANDEM_OK);
        if (command < 2) {
            CHECK_EQUAL(tandem_install_state(install), TANDEM_STATE_FAILED);
            CHECK_EQUAL(outcome(&w), TANDEM_ERROR_FLASH);
        }
        CHECK_EQUAL(tandem_install_begin(install, w.new.id, w.new.size, 1), TANDEM_OK);
        CHECK_EQUAL(fixture_send(&w.f, &w.new, 200, 0), TANDEM_STATE_PENDING);
        finish(&w, &w.new, &w.new, &w.new);
        end(&w);
    }
    /* The same for an idle erase: it is begun anew. */
    struct world w;
    start(&w, &options);
    fixture_factory(&w.f, 1, &w.old);
    while (w.f.install.op.flash == NULL)
        CHECK_EQUAL(tandem_install_erase_idle(&w.f.install), TANDEM_AGAIN);
    w.f.power.fail_at = w.f.power.ops + 1;
    w.f.power.fail_count = 1;
    CHECK_EQUAL(tandem_install_resumable(&w.f.install, id, &offset), 0);
    CHECK_EQUAL(tandem_install_seen(&w.f.install), TANDEM_OK);
    CHECK_EQUAL(w.f.install.job, JOB_IDLE);
    CHECK_EQUAL(erase_all(&w.f, 0), TANDEM_OK);
    CHECK_EQUAL(is_blank(&w.f, 1), 1);
    end(&w);
}

/* The running bank's head is damaged after the start: what it says no longer stands against a package. */
static void damaged_running_head(void)
{
    struct world w;
    struct recipe recipe;
    struct tandem_manifest manifest;
    start(&w, NULL);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, w.old.bytes, w.old.size) == TANDEM_OK);
    /* The version's major number becomes 129. */
    uint32_t at = TANDEM_PACKAGE_HEADER_SIZE + 8 + 7 + 4;
    CHECK_EQUAL(w.old.bytes[at], 1);
    sim_flash_flip(&w.f.flash, w.f.device.manifests[0].address + at, 7);
    usual(&recipe, 2);
    struct package package = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2);
    package_free(&package);
    end(&w);
}

/* ---- erasing in idle time ---- */

static void erase_idle(void)
{
    for (unsigned i = 0; i < 4; i++) {
        struct world w;
        struct fixture_options options = {0, 0, (uint8_t)(i / 2), (uint8_t)(i % 2), 0};
        start(&w, &options);
        CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
        CHECK_EQUAL(tandem_install_erase_idle(&w.f.install), TANDEM_ERROR_STATE);
        finish(&w, &w.new, &w.new, &w.new);
        CHECK_EQUAL(is_blank(&w.f, 0), 0);
        CHECK_EQUAL(erase_all(&w.f, i >= 2), TANDEM_OK);
        CHECK_EQUAL(is_blank(&w.f, 0), 1);
        CHECK_EQUAL(fixture_state(&w.f).phase, TANDEM_PHASE_ERASED);
        CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_CONFIRMED);
        uint64_t erases = w.f.flash.stats.erases;
        CHECK_EQUAL(erase_all(&w.f, 1), TANDEM_OK);  /* once is enough */
        CHECK(w.f.flash.stats.erases <= erases + 2); /* the journal may have been tidied */
        boots(&w, TANDEM_BOOT_CONFIRMED, 1, 2);
        /* The next update finds it erased. */
        struct package three = fixture_package(3);
        CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
        erases = w.f.flash.stats.erases;
        CHECK_EQUAL(fixture_update(&w.f, &three, 1), TANDEM_STATE_PENDING);
        CHECK(w.f.flash.stats.erases - erases <= 2);
        finish(&w, &three, &three, &three);
        package_free(&three);
        end(&w);
    }
}

/* An update begins in the middle of it, or it is stopped. */
static void erase_idle_interrupted(void)
{
    for (unsigned calls = 1; calls < 20; calls++) {
        struct world w;
        struct fixture_options options = {0, 0, 0, (uint8_t)(calls % 2), 0};
        start(&w, &options);
        for (unsigned i = 0; i < calls; i++)
            CHECK_EQUAL(tandem_install_erase_idle(&w.f.install), TANDEM_AGAIN);
        if (calls % 3 == 0)
            CHECK_EQUAL(tandem_install_abort(&w.f.install), TANDEM_OK);
        if (calls % 3 == 1)
            CHECK_EQUAL(tandem_install_seen(&w.f.install), TANDEM_OK);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
        CHECK_EQUAL(tandem_install_erase_idle(&w.f.install), TANDEM_ERROR_STATE);
        CHECK_EQUAL(fixture_send(&w.f, &w.new, 300, 0), TANDEM_STATE_PENDING);
        finish(&w, &w.new, &w.new, &w.new);
        end(&w);
    }
}

/* Power fails in every operation of it; afterwards it starts over and the update goes in. */
static void erase_idle_cut(void)
{
    for (unsigned op = 1; op < 45; op++) {
        struct world w;
        struct sim_flash *flash = &w.f.flash;
        start(&w, NULL);
        fixture_factory(&w.f, 1, &w.old);
        w.f.power.cut_at = w.f.power.ops + op;
        w.f.power.tear = (enum sim_tear)(op % SIM_TEARS);
        CHECK(erase_all(&w.f, 0) != TANDEM_AGAIN);
        sim_power_return(&w.f.power, &flash, 1);
        memset(w.f.flash.violations, 0, sizeof w.f.flash.violations);
        boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1);
        CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
        if (op % 2)
            CHECK_EQUAL(erase_all(&w.f, 0), TANDEM_OK);
        CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
        finish(&w, &w.new, &w.new, &w.new);
        end(&w);
    }
}

/* An erase that fails is said, polled or not, and the bank does not count as erased. */
static void erase_idle_fails(void)
{
    for (unsigned i = 0; i < 260; i++) {
        struct world w;
        struct fixture_options options = {0, 0, 0, (uint8_t)(i % 2), 0};
        int polling = i / 2 % 2;
        start(&w, &options);
        fixture_factory(&w.f, 1, &w.old);
        w.f.power.fail_at = w.f.power.ops + 1 + i / 4;
        w.f.power.fail_count = i < 4 ? 100 : 1;
        enum tandem_status status = erase_all(&w.f, polling);
        w.f.power.fail_at = 0;
        CHECK(status == TANDEM_OK || status == TANDEM_ERROR_FLASH);
        if (fixture_state(&w.f).phase == TANDEM_PHASE_ERASED)
            CHECK_EQUAL(is_blank(&w.f, 1), 1);
        else
            CHECK_EQUAL(status, TANDEM_ERROR_FLASH);
        CHECK_EQUAL(erase_all(&w.f, polling), TANDEM_OK);
        CHECK_EQUAL(is_blank(&w.f, 1), 1);
        end(&w);
    }
}

/* It cannot be noted that it begins: the firmware before is kept. */
static void erase_idle_not_noted(void)
{
    struct world w;
    start(&w, NULL);
    CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
    finish(&w, &w.new, &w.new, &w.new);
    w.f.power.fail_at = w.f.power.ops + 1;
    w.f.power.fail_count = 1000;
    CHECK_EQUAL(tandem_install_erase_idle(&w.f.install), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(w.f.install.bank.state.phase, TANDEM_PHASE_PREVIOUS);
    w.f.power.fail_at = 0;
    CHECK_EQUAL(fixture_holds(&w.f, 0, TANDEM_KIND_APPLICATION, &w.old), 1);
    CHECK_EQUAL(erase_all(&w.f, 0), TANDEM_OK);
    CHECK_EQUAL(is_blank(&w.f, 0), 1);
    end(&w);
}

/* Begun anew at every start, it does not wear the journal. */
static void erase_idle_begun_often(void)
{
    struct world w;
    start(&w, NULL);
    fixture_factory(&w.f, 1, &w.old);
    CHECK_EQUAL(tandem_install_erase_idle(&w.f.install), TANDEM_AGAIN);
    uint64_t programs = w.f.flash.stats.programs;
    for (unsigned i = 0; i < 20; i++) {
        CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
        CHECK_EQUAL(tandem_install_erase_idle(&w.f.install), TANDEM_AGAIN);
    }
    CHECK_EQUAL(w.f.flash.stats.programs, programs);
    end(&w);
}

/* A flash whose manifests share the slots' last sectors. */
static void erase_idle_shared(void)
{
    struct world w;
    struct recipe recipe;
    share_sectors(&w, 16384);
    usual(&recipe, 2);
    recipe.images[0].size = 7400;
    struct package package = recipe_make(&recipe);
    CHECK_EQUAL(erase_all(&w.f, 1), TANDEM_OK);
    CHECK_EQUAL(is_blank(&w.f, 1), 1);
    uint64_t erases = w.f.flash.stats.erases;
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
    CHECK(w.f.flash.stats.erases - erases <= 2);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2);
    package_free(&package);
    end(&w);
}

/* ---- flash that fails ---- */

static unsigned operations_of_update(int twice)
{
    struct world w;
    start(&w, NULL);
    uint64_t before = w.f.power.ops;
    struct package package = twice ? same_but_app(2) : fixture_package(2);
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
    unsigned operations = (unsigned)(w.f.power.ops - before);
    package_free(&package);
    end(&w);
    return operations;
}

/* A failure in any operation: it is said, or made good; the old firmware runs; and the update can be made. */
static void failing_flash(void)
{
    for (int copies = 0; copies < 2; copies++) {
        unsigned operations = operations_of_update(copies), said = 0;
        for (unsigned op = 1; op <= operations; op += op < 400 ? 3 : 37) {
            struct world w;
            struct fixture_options options = {0, 0, 0, (uint8_t)(op % 2), 0};
            start(&w, &options);
            struct package package = copies ? same_but_app(2) : fixture_package(2);
            w.f.power.fail_at = w.f.power.ops + op;
            w.f.power.fail_count = op % 4 < 2 ? 1 : 60; /* one, or enough for a record and its second try */
            enum tandem_state state = fixture_update(&w.f, &package, 1);
            w.f.power.fail_at = 0;
            CHECK(state == TANDEM_STATE_PENDING || state == TANDEM_STATE_FAILED);
            if (state == TANDEM_STATE_FAILED) {
                CHECK_EQUAL(outcome(&w), TANDEM_ERROR_FLASH);
                CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
                if (w.f.power.fail_count == 1) { /* else it could not be noted either */
                    CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_FAILED);
                    CHECK_EQUAL(outcome(&w), TANDEM_ERROR_FLASH);
                }
                /* The last record of all may be whole although its twin could not be written. */
                if (w.f.power.fail_count == 1 || tandem_install_state(&w.f.install) != TANDEM_STATE_PENDING) {
                    boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1);
                    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
                }
                said++;
            }
            finish(&w, &package, copies ? &w.old : &package, copies ? &w.old : &package);
            package_free(&package);
            end(&w);
        }
        CHECK(said > 20);
    }
}

/* Flash that goes on failing: it ends, and the old firmware still starts. */
static void dead_flash(void)
{
    for (unsigned op = 1; op < 200; op += 9) {
        struct world w;
        start(&w, NULL);
        w.f.power.fail_at = w.f.power.ops + op;
        w.f.power.fail_count = 1000000;
        CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_FAILED);
        CHECK_EQUAL(outcome(&w), TANDEM_ERROR_FLASH);
        CHECK(tandem_install_abort(&w.f.install) == TANDEM_OK);
        CHECK(tandem_install_erase_idle(&w.f.install) != TANDEM_OK);
        struct tandem_boot boot;
        CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
        CHECK_EQUAL(boot.bank, 0);
        w.f.power.fail_at = 0;
        CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
        finish(&w, &w.new, &w.new, &w.new);
        end(&w);
    }
}

/* ---- a hash engine that fails ---- */

static unsigned hashes, fail_hash;

static enum tandem_status hash_init(void *ctx, struct tandem_sha256 *hash)
{
    static struct tandem_sha256 soft;
    (void)ctx;
    (void)hash;
    return ++hashes == fail_hash ? TANDEM_ERROR_PORT : tandem_sha256_init(&soft, NULL);
}

static enum tandem_status hash_update(void *ctx, struct tandem_sha256 *hash, const void *data, size_t size)
{
    (void)ctx;
    (void)hash;
    (void)data;
    (void)size;
    return TANDEM_OK;
}

static enum tandem_status hash_final(void *ctx, struct tandem_sha256 *hash, uint8_t *digest)
{
    (void)ctx;
    (void)hash;
    memset(digest, 0, TANDEM_SHA256_SIZE);
    return TANDEM_OK;
}

static void failing_engine(void)
{
    static const struct tandem_crypto_port broken = {
        .sha256_init = hash_init, .sha256_update = hash_update, .sha256_final = hash_final};
    struct world w;
    start(&w, NULL);
    for (unsigned stop = 0; stop < 2; stop++) {
        /* While a block is checked; while an image is read back. */
        CHECK_EQUAL(tandem_install_begin(&w.f.install, w.new.id, w.new.size, 1), TANDEM_OK);
        while (w.f.install.job != (stop ? JOB_HASH : JOB_BLOCK)) {
            uint32_t wants = tandem_install_wants(&w.f.install);
            uint32_t part = tandem_install_limit(&w.f.install) - wants;
            tandem_install_feed(&w.f.install, wants, w.new.bytes + wants, part);
            tandem_install_poll(&w.f.install);
        }
        uint32_t wants = tandem_install_wants(&w.f.install);
        tandem_install_feed(&w.f.install, wants, w.new.bytes + wants, tandem_install_limit(&w.f.install) - wants);
        w.f.device.crypto = &broken;
        hashes = 0;
        fail_hash = 1;
        for (unsigned i = 0; i < 20; i++)
            tandem_install_poll(&w.f.install);
        CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_FAILED);
        CHECK_EQUAL(outcome(&w), TANDEM_ERROR_PORT);
        CHECK_EQUAL(tandem_install_outcome(&w.f.install)->stage, stop ? TANDEM_STAGE_VALIDATE : TANDEM_STAGE_RECEIVE);
        w.f.device.crypto = fixture_crypto();
    }
    CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
    finish(&w, &w.new, &w.new, &w.new);
    end(&w);
}

/* ---- a package that passes by ---- */

/* In chunks, as from a transport that cannot jump. @return what the last call answered */
static enum tandem_status passes(struct world *w, const struct package *package, uint32_t from, uint32_t to,
                                 uint32_t chunk)
{
    enum tandem_status status = TANDEM_OK;
    for (uint32_t at = from; at < to && status == TANDEM_OK;) {
        uint32_t end = to - at < chunk ? to : at + chunk, before;
        do {
            before = at;
            status = tandem_install_pass(&w->f.install, &at, package->bytes + at, end - at);
            CHECK(at >= before && at <= end && (at == end) == (status == TANDEM_OK));
            fixture_settle(&w->f);
        } while (status == TANDEM_AGAIN &&
                 (at != before || tandem_install_state(&w->f.install) != TANDEM_STATE_RECEIVING));
    }
    return status;
}

static void passing_by(void)
{
    static const uint32_t chunks[] = {1, 19, 20, 21, 64, 244, 511, 1024, 2048, 4096, 65535};
    for (unsigned i = 0; i < sizeof chunks / sizeof chunks[0]; i++)
        for (unsigned asynchronous = 0; asynchronous < 2; asynchronous++) {
            static const struct fixture_options slow = {.asynchronous = 1};
            struct world w;
            start(&w, asynchronous ? &slow : NULL);
            /* All of it, without its id, and then one whose other images are copied while it passes by. */
            struct package package = same_but_app(3);
            CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
            CHECK_EQUAL(passes(&w, &w.new, 0, w.new.size, chunks[i]), TANDEM_OK);
            CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_PENDING);
            finish(&w, &w.new, &w.new, &w.new);
            CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, package.size, 1), TANDEM_OK);
            CHECK_EQUAL(passes(&w, &package, 0, package.size, chunks[i]), TANDEM_OK);
            CHECK_EQUAL(tandem_install_state(&w.f.install), TANDEM_STATE_PENDING);
            finish(&w, &package, &package, &package);
            package_free(&package);
            end(&w);
        }
}

/* After a reset the package passes by from its beginning: what is there already passes by unused. */
static void passing_by_again(void)
{
    struct world w;
    start(&w, NULL);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
    CHECK_EQUAL(passes(&w, &w.new, 0, w.new.size * 2 / 3, 100), TANDEM_OK);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
    uint32_t there = 0;
    CHECK(tandem_install_resumable(&w.f.install, id, &there));
    CHECK(there > w.new.size / 2);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
    CHECK_EQUAL(passes(&w, &w.new, 0, there / 2, 100), TANDEM_OK);
    CHECK_EQUAL(tandem_install_wants(&w.f.install), there);
    CHECK_EQUAL(passes(&w, &w.new, there / 2, there, 100), TANDEM_OK);
    CHECK_EQUAL(passes(&w, &w.new, there, w.new.size, 100), TANDEM_OK);
    finish(&w, &w.new, &w.new, &w.new);
    end(&w);
}

/* What cannot come again has to be said. */
static void passing_by_damaged(void)
{
    struct world w;
    uint32_t at = 0;
    start(&w, NULL);
    CHECK_EQUAL(tandem_install_pass(&w.f.install, &at, w.new.bytes, 100), TANDEM_ERROR_STATE);
    w.new.bytes[w.new.size / 2] ^= 1;
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
    CHECK_EQUAL(passes(&w, &w.new, 0, w.new.size, 700), TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(tandem_install_abort(&w.f.install), TANDEM_OK);
    /* Its head is damaged: the reason is the installer's. */
    w.new.bytes[w.new.size / 2] ^= 1;
    w.new.bytes[100] ^= 1;
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
    CHECK_EQUAL(passes(&w, &w.new, 0, w.new.size, 700), TANDEM_ERROR_SIGNATURE);
    w.new.bytes[100] ^= 1;
    w.new.bytes[0] ^= 1;
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
    CHECK_EQUAL(passes(&w, &w.new, 0, w.new.size, 7), TANDEM_ERROR_FORMAT);
    w.new.bytes[0] ^= 1;
    at = UINT32_MAX - 10;
    CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 1), TANDEM_OK);
    CHECK_EQUAL(tandem_install_pass(&w.f.install, &at, w.new.bytes, 11), TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(passes(&w, &w.new, 0, w.new.size, 100), TANDEM_OK);
    /* More than the package is nobody's. */
    at = w.new.size;
    CHECK_EQUAL(tandem_install_pass(&w.f.install, &at, w.new.bytes, 100), TANDEM_OK);
    CHECK_EQUAL(at, w.new.size + 100);
    finish(&w, &w.new, &w.new, &w.new);
    end(&w);
}

int main(void)
{
    RUN(whole_update);
    RUN(every_flash);
    RUN(every_chunk);
    RUN(least_buffers);
    RUN(head_too_large_to_open);
    RUN(variants);
    RUN(parts);
    RUN(unchanged_images);
    RUN(copy_uses_the_buffer);
    RUN(damaged_copy);
    RUN(unreadable_copy);
    RUN(cells_that_do_not_take);
    RUN(refusals);
    RUN(refused_heads);
    RUN(head_bits);
    RUN(version_policies);
    RUN(empty_device);
    RUN(unsigned_packages);
    RUN(dependencies);
    RUN(dependencies_of_what_stays);
    RUN(battery_and_consent);
    RUN(revocations);
    RUN(room_for_carried_heads);
    RUN(carried_heads_in_the_least_buffer);
    RUN(carried_head_promises_more);
    RUN(resume_everywhere);
    RUN(torn_checkpoint);
    RUN(begin_again);
    RUN(another_package);
    RUN(resume_of_something_damaged);
    RUN(resume_of_copies);
    RUN(shared_sector);
    RUN(shared_sector_copies);
    RUN(wild_feeds);
    RUN(gaps);
    RUN(hostile_offsets);
    RUN(bad_blocks);
    RUN(payload_bits);
    RUN(truncated);
    RUN(more_than_a_package);
    RUN(on_trial);
    RUN(activation);
    RUN(abort_anywhere);
    RUN(commands_settle);
    RUN(damaged_running_head);
    RUN(erase_idle);
    RUN(erase_idle_interrupted);
    RUN(erase_idle_cut);
    RUN(erase_idle_fails);
    RUN(erase_idle_not_noted);
    RUN(erase_idle_begun_often);
    RUN(erase_idle_shared);
    RUN(failing_flash);
    RUN(dead_flash);
    RUN(failing_engine);
    RUN(passing_by);
    RUN(passing_by_again);
    RUN(passing_by_damaged);
    return check_report();
}
