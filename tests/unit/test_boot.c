/*
 * The bootloader's decision: which bank, why, and what it leaves behind.
 */
#include "check.h"
#include "core/bank.h"
#include "fixture.h"

/* Decide and expect. */
static void boots(struct fixture *f, enum tandem_boot_reason reason, uint8_t bank, uint16_t major,
                  enum tandem_status status)
{
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(f, &boot), reason == TANDEM_BOOT_NONE ? TANDEM_ERROR_NOTHING : TANDEM_OK);
    CHECK_EQUAL(boot.reason, reason);
    CHECK_EQUAL(boot.status, status);
    if (reason == TANDEM_BOOT_NONE)
        return;
    CHECK_EQUAL(boot.bank, bank);
    CHECK_EQUAL(boot.version.major, major);
    for (uint8_t i = 0; i < f->device.slot_count; i++) {
        CHECK(boot.images[i].kind == f->slots[i].kind || (boot.images[i].kind == 0 && f->slots[i].optional));
        if (boot.images[i].kind != 0)
            CHECK(boot.images[i].area.address == f->slots[i].areas[bank].address && boot.images[i].size != 0);
    }
}

static void flip(struct fixture *f, uint32_t address)
{
    sim_flash_flip(&f->flash, address, 3);
}

static void flip_image(struct fixture *f, uint8_t bank, unsigned slot)
{
    flip(f, f->slots[slot].areas[bank].address + 777);
}

/* Two packages and a device with the first in bank 0. */
struct world {
    struct fixture f;
    struct package old, new;
};

static void open_world(struct world *w)
{
    w->old = fixture_package(1);
    w->new = fixture_package(2);
    fixture_open(&w->f, NULL);
    fixture_factory(&w->f, 0, &w->old);
}

static void close_world(struct world *w)
{
    fixture_close(&w->f);
    package_free(&w->old);
    package_free(&w->new);
}

/* Started once, the second one installed and activated. */
static void to_pending(struct world *w)
{
    boots(&w->f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    CHECK_EQUAL(fixture_update(&w->f, &w->new, 1), TANDEM_STATE_PENDING);
}

/* ---- first starts ---- */

static void first_start(void)
{
    struct world w;
    for (uint8_t bank = 0; bank < 2; bank++) {
        open_world(&w);
        fixture_erase(&w.f);
        fixture_factory(&w.f, bank, &w.old);
        boots(&w.f, TANDEM_BOOT_FIRST, bank, 1, bank == 0 ? TANDEM_OK : TANDEM_ERROR_NOTHING);
        struct tandem_bank_state state = fixture_state(&w.f);
        CHECK_EQUAL(state.active, bank);
        CHECK_EQUAL(state.phase, TANDEM_PHASE_UNKNOWN);
        CHECK_EQUAL(state.counter, 1);
        CHECK_EQUAL(state.reason, TANDEM_BOOT_FIRST);
        CHECK_EQUAL(state.outcome.stage, TANDEM_STAGE_NONE);
        uint64_t operations = w.f.power.ops;
        boots(&w.f, TANDEM_BOOT_CONFIRMED, bank, 1, TANDEM_OK);
        CHECK_EQUAL(w.f.power.ops, operations); /* an ordinary start writes nothing */
        CHECK(w.f.fed != 0);
        close_world(&w);
    }
}

/* Both banks are filled: the newer one has to prove itself against the other. */
static void first_start_of_two(void)
{
    for (uint8_t newer = 0; newer < 2; newer++) {
        struct world w;
        open_world(&w);
        fixture_erase(&w.f);
        fixture_factory(&w.f, newer, &w.new);
        fixture_factory(&w.f, !newer, &w.old);
        boots(&w.f, TANDEM_BOOT_TRIAL, newer, 2, TANDEM_OK);
        CHECK_EQUAL(fixture_state(&w.f).active, !newer);
        if (newer == 0)
            CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        else
            for (unsigned i = 0; i < 2; i++)
                boots(&w.f, TANDEM_BOOT_TRIAL, newer, 2, TANDEM_OK);
        boots(&w.f, newer == 0 ? TANDEM_BOOT_CONFIRMED : TANDEM_BOOT_REVERTED, 0, newer == 0 ? 2 : 1,
              newer == 0 ? TANDEM_OK : TANDEM_ERROR_REVERTED);
        close_world(&w);
    }
    /* A higher counter makes it newer whatever the versions say; equal packages do not try each other. */
    struct fixture f;
    struct recipe recipe;
    recipe_begin(&recipe, 1);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 3, 600);
    recipe_image(&recipe, TANDEM_KIND_STACK, 4, 600);
    struct package low = recipe_make(&recipe);
    recipe.pack.version.major = 0;
    recipe.pack.counter = 2;
    struct package high = recipe_make(&recipe);
    fixture_open(&f, NULL);
    fixture_factory(&f, 0, &low);
    fixture_factory(&f, 1, &high);
    boots(&f, TANDEM_BOOT_TRIAL, 1, 0, TANDEM_OK);
    fixture_erase(&f);
    fixture_factory(&f, 0, &high);
    fixture_factory(&f, 1, &low);
    boots(&f, TANDEM_BOOT_TRIAL, 0, 0, TANDEM_OK);
    CHECK_EQUAL(fixture_state(&f).counter, 1);
    fixture_close(&f);
    package_free(&low);
    package_free(&high);
}

static void first_start_of_nothing(void)
{
    struct world w;
    open_world(&w);
    flip_image(&w.f, 0, 1);
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_DIGEST);
    flip_image(&w.f, 0, 1);
    boots(&w.f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    fixture_erase(&w.f);
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_NOTHING);
    w.f.device.journal.address = 0x100000;
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_ERROR_LAYOUT);
    close_world(&w);
}

/* ---- trials ---- */

static void trial_and_confirm(void)
{
    struct world w;
    open_world(&w);
    to_pending(&w);
    for (unsigned i = 1; i <= 3; i++) {
        boots(&w.f, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        struct tandem_bank_state state = fixture_state(&w.f);
        CHECK_EQUAL(state.attempts, i);
        CHECK_EQUAL(state.active, 0);
        CHECK_EQUAL(state.phase, TANDEM_PHASE_TRIAL);
        CHECK_EQUAL(state.outcome.stage, TANDEM_STAGE_TRIAL);
        CHECK_BYTES(state.outcome.id, w.new.id, sizeof w.new.id);
    }
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    for (unsigned i = 0; i < 5; i++)
        boots(&w.f, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
    CHECK_EQUAL(fixture_state(&w.f).outcome.stage, TANDEM_STAGE_CONFIRMED);
    close_world(&w);
}

static void trial_limits(void)
{
    for (uint8_t limit = 0; limit < 6; limit++) {
        struct world w;
        open_world(&w);
        w.f.device.trial_boots = limit;
        to_pending(&w);
        for (unsigned i = 0; i < (limit != 0 ? limit : 3u); i++)
            boots(&w.f, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        boots(&w.f, TANDEM_BOOT_REVERTED, 0, 1, TANDEM_ERROR_REVERTED);
        struct tandem_bank_state state = fixture_state(&w.f);
        CHECK_EQUAL(state.phase, TANDEM_PHASE_REJECTED);
        CHECK_EQUAL(state.attempts, limit != 0 ? limit : 3u);
        CHECK_EQUAL(state.reason, TANDEM_BOOT_REVERTED);
        CHECK_EQUAL(state.outcome.status, TANDEM_ERROR_REVERTED);
        CHECK_EQUAL(state.outcome.stage, TANDEM_STAGE_TRIAL);
        CHECK_BYTES(state.outcome.id, w.new.id, sizeof w.new.id);
        for (unsigned i = 0; i < 3; i++)
            boots(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
        CHECK_EQUAL(fixture_state(&w.f).outcome.status, TANDEM_ERROR_REVERTED); /* it can still be read */
        /* It can be installed again. */
        CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
        boots(&w.f, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        close_world(&w);
    }
}

/* The trial firmware's bank goes bad between its starts. */
static void trial_goes_bad(void)
{
    struct world w;
    open_world(&w);
    to_pending(&w);
    boots(&w.f, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    flip_image(&w.f, 1, 0);
    boots(&w.f, TANDEM_BOOT_REFUSED, 0, 1, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(fixture_state(&w.f).phase, TANDEM_PHASE_REJECTED);
    boots(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    close_world(&w);
}

/* ---- refused candidates ---- */

static void refused(struct world *w, enum tandem_status status)
{
    boots(&w->f, TANDEM_BOOT_REFUSED, 0, 1, status);
    struct tandem_bank_state state = fixture_state(&w->f);
    CHECK_EQUAL(state.phase, TANDEM_PHASE_REJECTED);
    CHECK_EQUAL(state.active, 0);
    CHECK_EQUAL(state.outcome.status, status);
    CHECK_EQUAL(state.outcome.stage, TANDEM_STAGE_BOOT);
    CHECK_BYTES(state.outcome.id, w->new.id, sizeof w->new.id);
    boots(&w->f, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    /* No dead end: a fresh update goes in. */
    CHECK_EQUAL(fixture_update(&w->f, &w->new, 1), TANDEM_STATE_PENDING);
    boots(&w->f, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    close_world(w);
}

static void candidates(void)
{
    struct world w;
    struct tandem_manifest manifest;
    for (unsigned slot = 0; slot < 3; slot++) {
        open_world(&w);
        to_pending(&w);
        flip_image(&w.f, 1, slot);
        refused(&w, TANDEM_ERROR_DIGEST);
    }
    open_world(&w);
    to_pending(&w);
    flip(&w.f, w.f.device.manifests[1].address + 2);
    refused(&w, TANDEM_ERROR_NOTHING);
    open_world(&w);
    to_pending(&w);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, w.new.bytes, w.new.size) == TANDEM_OK);
    flip(&w.f, w.f.device.manifests[1].address + manifest.header.head_size - 5);
    refused(&w, TANDEM_ERROR_SIGNATURE);
    open_world(&w);
    to_pending(&w);
    flip(&w.f, w.f.device.manifests[1].address + 24); /* a letter of the vendor's name */
    refused(&w, TANDEM_ERROR_SIGNATURE);
    open_world(&w);
    to_pending(&w);
    flip(&w.f, w.f.device.manifests[1].address + manifest.header.head_size - 70); /* of the key id */
    refused(&w, TANDEM_ERROR_KEY);
}

/* Put another package's head and images in the pending bank, as damage or an attacker with a probe would. */
static void swapped(const struct package *other, enum tandem_status status, uint32_t counter)
{
    struct world w;
    open_world(&w);
    to_pending(&w);
    struct tandem_bank bank;
    CHECK_EQUAL(tandem_bank_open(&bank, &w.f.device), TANDEM_OK);
    bank.state.counter = counter;
    CHECK_EQUAL(tandem_bank_store(&bank), TANDEM_OK);
    memset(w.f.flash.cells + w.f.device.manifests[1].address, 0xFF, w.f.device.manifests[1].size);
    fixture_factory(&w.f, 1, other);
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w.f, &boot), counter > 1 ? TANDEM_ERROR_NOTHING : TANDEM_OK);
    if (counter <= 1)
        CHECK_EQUAL(boot.status, status);
    CHECK_EQUAL(fixture_state(&w.f).phase, TANDEM_PHASE_REJECTED);
    fixture_close(&w.f);
    package_free(&w.old);
    package_free(&w.new);
}

static void swapped_candidates(void)
{
    struct recipe recipe;
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 3, 600);
    recipe_image(&recipe, TANDEM_KIND_STACK, 4, 600);
    recipe.pack.counter = 0;
    struct package low = recipe_make(&recipe);
    swapped(&low, TANDEM_ERROR_COUNTER, 1);
    swapped(&low, TANDEM_ERROR_COUNTER, 5); /* then the confirmed one is below it too: nothing may be started */
    recipe.pack.counter = 1;
    recipe.signers[0] = fixture_signer(2);
    struct package stranger = recipe_make(&recipe);
    swapped(&stranger, TANDEM_ERROR_KEY, 1);
    recipe.pack.signer_count = 0;
    struct package nobody = recipe_make(&recipe);
    swapped(&nobody, TANDEM_ERROR_UNSIGNED, 1);
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 3, 600);
    struct package part = recipe_make(&recipe);
    swapped(&part, TANDEM_ERROR_INCOMPLETE, 1);
    recipe_image(&recipe, TANDEM_KIND_STACK, 4, 4097); /* a byte more than the slot has */
    struct package large = recipe_make(&recipe);
    swapped(&large, TANDEM_ERROR_TOO_LARGE, 1);
    package_free(&low);
    package_free(&stranger);
    package_free(&nobody);
    package_free(&part);
    package_free(&large);
}

static void unsigned_allowed(void)
{
    struct world w;
    struct recipe recipe;
    recipe_begin(&recipe, 3);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 3, 600);
    recipe_image(&recipe, TANDEM_KIND_STACK, 4, 600);
    recipe.pack.signer_count = 0;
    struct package nobody = recipe_make(&recipe);
    open_world(&w);
    fixture_erase(&w.f);
    fixture_factory(&w.f, 0, &nobody);
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_UNSIGNED);
    w.f.device.allow_unsigned = 1;
    fixture_erase(&w.f);
    fixture_factory(&w.f, 0, &nobody);
    boots(&w.f, TANDEM_BOOT_FIRST, 0, 3, TANDEM_OK);
    close_world(&w);
    package_free(&nobody);
}

/* ---- the confirmed bank goes bad ---- */

static void fallback(void)
{
    struct world w;
    open_world(&w);
    to_pending(&w);
    boots(&w.f, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    flip_image(&w.f, 1, 0);
    boots(&w.f, TANDEM_BOOT_FALLBACK, 0, 1, TANDEM_ERROR_DIGEST);
    struct tandem_bank_state state = fixture_state(&w.f);
    CHECK_EQUAL(state.active, 0);
    CHECK_EQUAL(state.phase, TANDEM_PHASE_REJECTED);
    CHECK_EQUAL(state.outcome.status, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(state.outcome.stage, TANDEM_STAGE_BOOT);
    boots(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    /* Both bad. Then nothing, for as long as it is so; and it is noted. */
    flip_image(&w.f, 0, 0);
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_DIGEST);
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(fixture_state(&w.f).reason, TANDEM_BOOT_NONE);
    flip_image(&w.f, 0, 0);
    boots(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    close_world(&w);
    /* Trial used up and the confirmed bank bad: better the new firmware than none. */
    open_world(&w);
    w.f.device.trial_boots = 1;
    to_pending(&w);
    boots(&w.f, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    flip_image(&w.f, 0, 1);
    boots(&w.f, TANDEM_BOOT_FALLBACK, 1, 2, TANDEM_ERROR_DIGEST);
    boots(&w.f, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
    close_world(&w);
}

static void revoked_keys(void)
{
    struct world w;
    struct recipe recipe;
    struct tandem_bank bank;
    uint8_t revoke[1][TANDEM_KEY_ID_SIZE];
    open_world(&w);
    boots(&w.f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    /* A key that was revoked vouches for nothing. */
    CHECK_EQUAL(tandem_bank_open(&bank, &w.f.device), TANDEM_OK);
    bank.state.revoked = 1;
    CHECK_EQUAL(tandem_bank_store(&bank), TANDEM_OK);
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_REVOKED);
    close_world(&w);
    /* Once the update that revokes it is confirmed, the firmware before it is nothing to fall back to: not even where
     * a proof stands for its signatures. */
    for (uint8_t once = 0; once < 2; once++) {
        open_world(&w);
        w.f.device.verify_policy = once ? TANDEM_VERIFY_ONCE : TANDEM_VERIFY_ALWAYS;
        boots(&w.f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
        CHECK_EQUAL(tandem_key_id(NULL, fixture_key(0), revoke[0]), TANDEM_OK);
        recipe_begin(&recipe, 2);
        recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 1000);
        recipe_image(&recipe, TANDEM_KIND_STACK, 7, 1000);
        recipe_image(&recipe, TANDEM_KIND_DATA, 8, 1000);
        recipe.signers[0] = fixture_signer(1);
        recipe.pack.revoke = (const uint8_t(*)[TANDEM_KEY_ID_SIZE])revoke;
        recipe.pack.revoke_count = 1;
        struct package rotation = recipe_make(&recipe);
        CHECK_EQUAL(fixture_update(&w.f, &rotation, 1), TANDEM_STATE_PENDING);
        boots(&w.f, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        boots(&w.f, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
        flip(&w.f, w.f.device.manifests[1].address + 24);
        boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_SIGNATURE);
        package_free(&rotation);
        close_world(&w);
    }
}

/* ---- verify once ---- */

/* Bytes read from the slots' areas are what is saved; heads and journal are always read. */
static uint64_t reads_of_boot(struct fixture *f, enum tandem_boot_reason reason, uint8_t bank, uint16_t major)
{
    uint64_t before = f->flash.stats.reads;
    boots(f, reason, bank, major, TANDEM_OK);
    return f->flash.stats.reads - before;
}

static void verify_once(void)
{
    struct world w;
    uint32_t images = 5010 + 3001 + 1024;
    open_world(&w);
    w.f.device.verify_policy = TANDEM_VERIFY_ONCE;
    CHECK(reads_of_boot(&w.f, TANDEM_BOOT_FIRST, 0, 1) > images);
    uint64_t quick = reads_of_boot(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1);
    CHECK(reads_of_boot(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1) == quick);
    w.f.device.verify_policy = TANDEM_VERIFY_ALWAYS;
    CHECK(reads_of_boot(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1) >= quick + images);
    w.f.device.verify_policy = TANDEM_VERIFY_ONCE;
    /* An image that changes behind its back is not noticed: that is the bargain. */
    flip_image(&w.f, 0, 0);
    boots(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    flip_image(&w.f, 0, 0);
    /* A new update is read once in full, its trials are quick. */
    CHECK_EQUAL(fixture_update(&w.f, &w.new, 1), TANDEM_STATE_PENDING);
    uint64_t first = reads_of_boot(&w.f, TANDEM_BOOT_TRIAL, 1, 2);
    uint64_t second = reads_of_boot(&w.f, TANDEM_BOOT_TRIAL, 1, 2);
    CHECK(first >= second + images / 2); /* the journal grows meanwhile */
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    /* Writing to a bank takes its proof away. */
    struct tandem_bank_state state = fixture_state(&w.f);
    static const uint8_t none[8] = {0};
    CHECK(memcmp(state.proofs[0], none, 8) != 0 && memcmp(state.proofs[1], none, 8) != 0);
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    while (tandem_install_erase_idle(&w.f.install) == TANDEM_AGAIN)
        ;
    state = fixture_state(&w.f);
    CHECK_BYTES(state.proofs[0], none, 8);
    CHECK(memcmp(state.proofs[1], none, 8) != 0);
    boots(&w.f, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
    close_world(&w);
}

/* Every bit of the head takes the proof away; and then the signature decides. */
static void proof_and_head(void)
{
    struct world w;
    struct tandem_manifest manifest;
    open_world(&w);
    w.f.device.verify_policy = TANDEM_VERIFY_ONCE;
    boots(&w.f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, w.old.bytes, w.old.size) == TANDEM_OK);
    uint8_t *start = (uint8_t *)malloc(w.f.flash.size);
    REQUIRE(start != NULL);
    memcpy(start, w.f.flash.cells, w.f.flash.size);
    uint32_t signed_size = TANDEM_PACKAGE_HEADER_SIZE + manifest.header.manifest_size;
    for (uint32_t bit = 0; bit < 8 * signed_size; bit += 3) {
        struct tandem_boot boot;
        sim_flash_flip(&w.f.flash, w.f.device.manifests[0].address + bit / 8, bit % 8);
        CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_ERROR_NOTHING);
        memcpy(w.f.flash.cells, start, w.f.flash.size);
        memset(w.f.flash.spent, 0, w.f.flash.size / 4);
    }
    /* Another bank's proof is none: its number is part of it. */
    struct tandem_bank bank;
    CHECK_EQUAL(tandem_bank_open(&bank, &w.f.device), TANDEM_OK);
    fixture_factory(&w.f, 1, &w.old);
    memcpy(bank.state.proofs[1], bank.state.proofs[0], 8);
    bank.state.active = 1;
    CHECK_EQUAL(tandem_bank_store(&bank), TANDEM_OK);
    flip_image(&w.f, 1, 0);
    boots(&w.f, TANDEM_BOOT_FALLBACK, 0, 1, TANDEM_ERROR_DIGEST);
    free(start);
    close_world(&w);
}

/* A counter that was raised stands above any proof. */
static void proof_and_counter(void)
{
    struct world w;
    struct tandem_bank bank;
    open_world(&w);
    w.f.device.verify_policy = TANDEM_VERIFY_ONCE;
    boots(&w.f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    CHECK_EQUAL(tandem_bank_open(&bank, &w.f.device), TANDEM_OK);
    bank.state.counter = 2;
    CHECK_EQUAL(tandem_bank_store(&bank), TANDEM_OK);
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_COUNTER);
    close_world(&w);
}

/* ---- surroundings ---- */

/* An optional slot may be empty, one that is described must be whole. */
static void optional_slots(void)
{
    struct fixture f;
    struct recipe recipe;
    struct tandem_boot boot;
    recipe_begin(&recipe, 1);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 3, 600);
    recipe_image(&recipe, TANDEM_KIND_STACK, 4, 601)->load_address = 0x20000000u;
    struct package package = recipe_make(&recipe);
    fixture_open(&f, NULL);
    fixture_factory(&f, 0, &package);
    boots(&f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.images[0].size, 600);
    CHECK_EQUAL(boot.images[1].size, 601);
    CHECK_EQUAL(boot.images[1].load_address, 0x20000000u);
    CHECK_EQUAL(boot.images[2].kind, 0);
    f.slots[2].optional = 0;
    boots(&f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_INCOMPLETE);
    fixture_close(&f);
    package_free(&package);
}

/* A head that describes nothing that the ones before it do not is passed over, whoever signed it. */
static void superfluous_heads(void)
{
    struct world w;
    struct recipe recipe;
    struct tandem_manifest manifest;
    recipe_begin(&recipe, 9);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 3, 600);
    recipe.signers[0] = fixture_signer(2);
    struct package stranger = recipe_make(&recipe);
    open_world(&w);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, w.old.bytes, w.old.size) == TANDEM_OK);
    uint32_t place = w.f.device.manifests[0].address + tandem_head_space(manifest.header.head_size);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, stranger.bytes, stranger.size) == TANDEM_OK);
    sim_flash_put(&w.f.flash, place, stranger.bytes, manifest.header.head_size);
    boots(&w.f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    package_free(&stranger);
    close_world(&w);
}

/* The scratch buffer: any size that holds the head will do. */
static void small_buffers(void)
{
    struct world w;
    struct tandem_manifest manifest;
    struct tandem_boot boot;
    open_world(&w);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, w.old.bytes, w.old.size) == TANDEM_OK);
    boots(&w.f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    uint32_t head = manifest.header.head_size;
    for (uint32_t size = head; size < head + 80; size += 9) {
        CHECK_EQUAL(tandem_boot_decide(&boot, &w.f.device, w.f.buffer, size), TANDEM_OK);
        CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
    }
    for (uint32_t size = 0; size < head; size += 50) {
        CHECK_EQUAL(tandem_boot_decide(&boot, &w.f.device, w.f.buffer, size), TANDEM_ERROR_NOTHING);
        CHECK_EQUAL(boot.status, TANDEM_ERROR_SPACE);
    }
    boots(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    w.f.device.head_max = sizeof w.f.buffer + 1;
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_ERROR_LAYOUT);
    close_world(&w);
}

/* A trial that cannot be counted does not begin; anything else starts all the same. */
static void flash_fails(void)
{
    struct world w;
    open_world(&w);
    w.f.power.fail_at = 1;
    w.f.power.fail_count = 1000;
    boots(&w.f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    w.f.power.fail_at = 0;
    to_pending(&w);
    w.f.power.fail_at = w.f.power.ops + 1;
    for (unsigned i = 0; i < 5; i++)
        boots(&w.f, TANDEM_BOOT_REFUSED, 0, 1, TANDEM_ERROR_FLASH);
    w.f.power.fail_at = 0;
    for (unsigned i = 0; i < 3; i++)
        boots(&w.f, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    w.f.power.fail_at = w.f.power.ops + 1;
    for (unsigned i = 0; i < 3; i++) /* it cannot be noted, but it is over */
        boots(&w.f, TANDEM_BOOT_REVERTED, 0, 1, TANDEM_ERROR_REVERTED);
    w.f.power.fail_at = 0;
    boots(&w.f, TANDEM_BOOT_REVERTED, 0, 1, TANDEM_ERROR_REVERTED);
    boots(&w.f, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    close_world(&w);
    /* Neither the trial nor the confirmed bank. */
    open_world(&w);
    to_pending(&w);
    flip_image(&w.f, 0, 0);
    w.f.power.fail_at = w.f.power.ops + 1;
    w.f.power.fail_count = 1000;
    boots(&w.f, TANDEM_BOOT_FALLBACK, 1, 2, TANDEM_ERROR_FLASH);
    close_world(&w);
    /* At the first start of two banks the older one is what is left, whichever it is. */
    for (uint8_t newer = 0; newer < 2; newer++) {
        open_world(&w);
        fixture_erase(&w.f);
        fixture_factory(&w.f, newer, &w.new);
        fixture_factory(&w.f, !newer, &w.old);
        w.f.power.fail_at = 1;
        w.f.power.fail_count = 1000;
        boots(&w.f, TANDEM_BOOT_REFUSED, !newer, 1, TANDEM_ERROR_FLASH);
        close_world(&w);
    }
}

/* ---- a hash that fails, and flash that cannot be read ---- */

static unsigned hashes, fail_at, fail_update;

static enum tandem_status hash_init(void *ctx, struct tandem_sha256 *hash)
{
    (void)ctx;
    hash->u.opaque[0] = 0;
    hashes++;
    return fail_at != 0 && hashes >= fail_at ? TANDEM_ERROR_PORT : TANDEM_OK;
}

static enum tandem_status hash_update(void *ctx, struct tandem_sha256 *hash, const void *data, size_t size)
{
    (void)ctx;
    (void)data;
    hash->u.opaque[0] += size;
    return fail_update != 0 && hashes >= fail_update ? TANDEM_ERROR_PORT : TANDEM_OK;
}

static enum tandem_status hash_final(void *ctx, struct tandem_sha256 *hash, uint8_t *digest)
{
    (void)ctx;
    memset(digest, (int)(hash->u.opaque[0] & 0xFF), TANDEM_SHA256_SIZE);
    return TANDEM_OK;
}

/* Two images that nobody signed. */
static void usual(struct recipe *recipe)
{
    recipe_begin(recipe, 3);
    recipe_image(recipe, TANDEM_KIND_APPLICATION, 3, 600);
    recipe_image(recipe, TANDEM_KIND_STACK, 4, 600);
    recipe->pack.signer_count = 0;
}

static void engine_fails(void)
{
    static const struct tandem_crypto_port broken = {
        .sha256_init = hash_init, .sha256_update = hash_update, .sha256_final = hash_final};
    struct world w;
    open_world(&w);
    w.f.device.crypto = &broken;
    hashes = 0;
    fail_at = 1;
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_PORT);
    fail_at = 0;
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_KEY); /* it runs, and is no SHA-256 */
    w.f.device.allow_unsigned = 1;
    for (unsigned i = 1; i < 4; i++) {
        /* The proof, the manifest, an image. */
        struct recipe recipe;
        usual(&recipe);
        struct package nobody = recipe_make(&recipe);
        fixture_erase(&w.f);
        fixture_factory(&w.f, 0, &nobody);
        hashes = 0;
        fail_update = i;
        boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_PORT);
        hashes = 0;
        fail_update = 0;
        fail_at = i;
        boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_PORT);
        fail_at = 0;
        package_free(&nobody);
    }
    fixture_erase(&w.f);
    fixture_factory(&w.f, 0, &w.old);
    w.f.device.crypto = fixture_crypto();
    boots(&w.f, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    /* An image that lies where nothing can be read. */
    w.f.slots[0].areas[0].address = 0x100000;
    boots(&w.f, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_FLASH);
    w.f.flash.violations[SIM_VIOLATION_RANGE] = 0;
    close_world(&w);
}

int main(void)
{
    RUN(first_start);
    RUN(first_start_of_two);
    RUN(first_start_of_nothing);
    RUN(trial_and_confirm);
    RUN(trial_limits);
    RUN(trial_goes_bad);
    RUN(candidates);
    RUN(swapped_candidates);
    RUN(unsigned_allowed);
    RUN(fallback);
    RUN(revoked_keys);
    RUN(verify_once);
    RUN(proof_and_head);
    RUN(proof_and_counter);
    RUN(optional_slots);
    RUN(superfluous_heads);
    RUN(small_buffers);
    RUN(flash_fails);
    RUN(engine_fails);
    return check_report();
}
