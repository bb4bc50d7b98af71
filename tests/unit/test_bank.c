/*
 * The dual-bank state: opened, confirmed, acknowledged; manifests looked up.
 */
#include "check.h"
#include "core/bank.h"
#include "core/flash.h"
#include "core/journal.h"
#include "fixture.h"

static void open_bank(struct fixture *f, struct tandem_bank *bank)
{
    CHECK_EQUAL(tandem_bank_open(bank, &f->device), TANDEM_OK);
}

/* A device with `old` confirmed in bank 0 and `new` on trial in bank 1. */
static void to_trial(struct fixture *f, const struct package *old, const struct package *new)
{
    struct tandem_boot boot;
    fixture_factory(f, 0, old);
    CHECK_EQUAL(fixture_boot(f, &boot), TANDEM_OK);
    CHECK_EQUAL(fixture_update(f, new, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(fixture_boot(f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
}

static void fresh(void)
{
    struct fixture f;
    struct tandem_bank bank;
    struct tandem_progress progress;
    uint8_t buffer[64];
    fixture_open(&f, NULL);
    open_bank(&f, &bank);
    CHECK_EQUAL(bank.state.active, 0);
    CHECK_EQUAL(bank.state.phase, TANDEM_PHASE_UNKNOWN);
    CHECK_EQUAL(bank.state.counter, 0);
    CHECK_EQUAL(tandem_bank_running(&bank), 0);
    CHECK_EQUAL(tandem_bank_free(&bank), 1);
    CHECK_EQUAL(tandem_bank_progress(&bank, &progress), 0);
    CHECK_EQUAL(tandem_bank_confirm(&bank, buffer, sizeof buffer), TANDEM_OK);
    CHECK_EQUAL(tandem_bank_outcome_seen(&bank), TANDEM_OK);
    CHECK_EQUAL(f.power.ops, 0); /* none of it has written anything */
    f.device.journal.address = 0x100000;
    CHECK_EQUAL(tandem_bank_open(&bank, &f.device), TANDEM_ERROR_LAYOUT);
    fixture_close(&f);
}

/* Every field of the state and of a checkpoint comes back from flash. */
static void state_round_trip(void)
{
    struct fixture f;
    struct tandem_bank bank, again;
    struct tandem_progress progress = {.tag = 0x0201u, .offset = 2, .written = 3, .step = 4, .digest = {5, 6}}, back;
    fixture_open(&f, NULL);
    open_bank(&f, &bank);
    bank.state.active = 1;
    bank.state.phase = TANDEM_PHASE_TRIAL;
    bank.state.attempts = 2;
    bank.state.reason = TANDEM_BOOT_TRIAL;
    bank.state.counter = 0x81828384u;
    bank.state.revoked = 0x91929394u;
    for (uint8_t i = 0; i < 16; i++) {
        bank.state.proofs[i / 8][i % 8] = (uint8_t)(0x10 + i);
        bank.state.outcome.id[i] = (uint8_t)(i + 1);
    }
    bank.state.outcome.status = TANDEM_ERROR_REVERTED;
    bank.state.outcome.stage = TANDEM_STAGE_CONFIRMED;
    bank.state.outcome.image = 7;
    bank.state.outcome.seen = 1;
    bank.state.outcome.detail = 0xA1A2A3A4u;
    bank.state.outcome.version.build = 0xB1B2B3B4u;
    CHECK_EQUAL(tandem_bank_store(&bank), TANDEM_OK);
    CHECK_EQUAL(tandem_bank_store_progress(&bank, &progress), TANDEM_OK);
    open_bank(&f, &again);
    CHECK_BYTES(&again.state, &bank.state, sizeof bank.state);
    CHECK_EQUAL(tandem_bank_running(&again), 0);
    CHECK_EQUAL(tandem_bank_free(&again), 1);
    CHECK_EQUAL(tandem_bank_progress(&again, &back), 1);
    CHECK_EQUAL(back.tag, progress.tag);
    CHECK_EQUAL(back.offset, 2);
    CHECK_EQUAL(back.written, 3);
    CHECK_EQUAL(back.step, 4);
    CHECK_BYTES(back.digest, progress.digest, sizeof back.digest);
    /* A checkpoint of another package is none. */
    progress.tag++;
    CHECK_EQUAL(tandem_bank_store_progress(&again, &progress), TANDEM_OK);
    CHECK_EQUAL(tandem_bank_progress(&again, &back), 0);
    fixture_close(&f);
}

/* A state of which one copy was torn is written again before anybody builds on it. */
static void twin_restored(void)
{
    struct fixture f;
    struct tandem_bank bank;
    fixture_open(&f, NULL);
    open_bank(&f, &bank);
    bank.state.counter = 5;
    CHECK_EQUAL(tandem_bank_store(&bank), TANDEM_OK);
    sim_flash_flip(
        &f.flash, f.device.journal.address + bank.journal.newest[JOURNAL_STATE] + JOURNAL_SPACE(JOURNAL_STATE_SIZE) + 9,
        2);
    uint64_t before = f.power.ops;
    open_bank(&f, &bank);
    CHECK_EQUAL(bank.state.counter, 5);
    CHECK(f.power.ops > before);
    before = f.power.ops;
    open_bank(&f, &bank);
    CHECK_EQUAL(bank.state.counter, 5);
    CHECK_EQUAL(f.power.ops, before);
    fixture_close(&f);
}

static void confirm(void)
{
    struct fixture f;
    struct tandem_bank bank;
    struct recipe recipe;
    struct package old = fixture_package(1);
    uint8_t revoke[1][TANDEM_KEY_ID_SIZE];
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 5020);
    recipe_image(&recipe, TANDEM_KIND_STACK, 7, 2000);
    recipe.pack.counter = 9;
    CHECK_EQUAL(tandem_key_id(NULL, fixture_key(1), revoke[0]), TANDEM_OK);
    recipe.pack.revoke = (const uint8_t(*)[TANDEM_KEY_ID_SIZE])revoke;
    recipe.pack.revoke_count = 1;
    struct package new = recipe_make(&recipe);
    fixture_open(&f, NULL);
    to_trial(&f, &old, &new);
    open_bank(&f, &bank);
    CHECK_EQUAL(tandem_bank_running(&bank), 1);
    CHECK_EQUAL(tandem_bank_free(&bank), 0);
    CHECK_EQUAL(bank.state.counter, 1);
    /* A buffer that does not hold the head. */
    CHECK_EQUAL(tandem_bank_confirm(&bank, f.buffer, 10), TANDEM_ERROR_SPACE);
    CHECK_EQUAL(tandem_bank_confirm(&bank, f.buffer, 100), TANDEM_ERROR_SPACE);
    CHECK_EQUAL(bank.state.phase, TANDEM_PHASE_TRIAL);
    /* Flash that fails leaves the state as it was, in RAM too. */
    struct tandem_bank_state before = bank.state;
    f.power.fail_at = f.power.ops + 1;
    f.power.fail_count = 10;
    CHECK_EQUAL(tandem_bank_confirm(&bank, f.buffer, sizeof f.buffer), TANDEM_ERROR_FLASH);
    CHECK_BYTES(&bank.state, &before, sizeof before);
    f.power.fail_at = 0;
    CHECK_EQUAL(tandem_bank_confirm(&bank, f.buffer, sizeof f.buffer), TANDEM_OK);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQUAL(tandem_bank_running(&bank), 1);
        CHECK_EQUAL(bank.state.active, 1);
        CHECK_EQUAL(bank.state.phase, TANDEM_PHASE_PREVIOUS);
        CHECK_EQUAL(bank.state.attempts, 0);
        CHECK_EQUAL(bank.state.counter, 9);
        CHECK_EQUAL(bank.state.revoked, 2);
        CHECK_EQUAL(bank.state.outcome.status, TANDEM_OK);
        CHECK_EQUAL(bank.state.outcome.stage, TANDEM_STAGE_CONFIRMED);
        CHECK_EQUAL(bank.state.outcome.version.major, 2);
        CHECK_BYTES(bank.state.outcome.id, new.id, sizeof new.id);
        open_bank(&f, &bank);
    }
    /* Again: nothing. */
    uint64_t operations = f.power.ops;
    CHECK_EQUAL(tandem_bank_confirm(&bank, f.buffer, sizeof f.buffer), TANDEM_OK);
    CHECK_EQUAL(f.power.ops, operations);
    fixture_close(&f);
    package_free(&old);
    package_free(&new);
}

/* Between start and confirmation a bit of the head turns over: its counter and revocations are not believed. */
static void confirm_damaged(void)
{
    struct fixture f;
    struct tandem_bank bank;
    struct package old = fixture_package(1), new = fixture_package(2);
    struct tandem_manifest manifest;
    fixture_open(&f, NULL);
    to_trial(&f, &old, &new);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, new.bytes, new.size) == TANDEM_OK);
    uint32_t signed_size = TANDEM_PACKAGE_HEADER_SIZE + manifest.header.manifest_size;
    for (uint32_t bit = 0; bit < 8 * signed_size; bit++) {
        sim_flash_flip(&f.flash, f.device.manifests[1].address + bit / 8, bit % 8);
        open_bank(&f, &bank);
        CHECK(tandem_bank_confirm(&bank, f.buffer, sizeof f.buffer) != TANDEM_OK);
        CHECK_EQUAL(bank.state.counter, 1);
        CHECK_EQUAL(bank.state.phase, TANDEM_PHASE_TRIAL);
        sim_flash_flip(&f.flash, f.device.manifests[1].address + bit / 8, bit % 8);
    }
    open_bank(&f, &bank);
    /* Not the package that the state speaks of, but signed: a factory that fills both banks writes no state. */
    bank.state.outcome.id[0] ^= 1;
    CHECK_EQUAL(tandem_bank_confirm(&bank, f.buffer, sizeof f.buffer), TANDEM_OK);
    fixture_close(&f);
    package_free(&old);
    package_free(&new);
}

static void outcome_seen(void)
{
    struct fixture f;
    struct tandem_bank bank;
    struct package old = fixture_package(1), new = fixture_package(2);
    fixture_open(&f, NULL);
    to_trial(&f, &old, &new);
    open_bank(&f, &bank);
    CHECK_EQUAL(bank.state.outcome.seen, 0);
    f.power.fail_at = f.power.ops + 1;
    f.power.fail_count = 10;
    CHECK_EQUAL(tandem_bank_outcome_seen(&bank), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(bank.state.outcome.seen, 0);
    f.power.fail_at = 0;
    CHECK_EQUAL(tandem_bank_outcome_seen(&bank), TANDEM_OK);
    CHECK_EQUAL(bank.state.outcome.seen, 1);
    open_bank(&f, &bank);
    CHECK_EQUAL(bank.state.outcome.seen, 1);
    uint64_t operations = f.power.ops;
    CHECK_EQUAL(tandem_bank_outcome_seen(&bank), TANDEM_OK);
    CHECK_EQUAL(f.power.ops, operations);
    /* The next outcome has not been seen. */
    CHECK_EQUAL(tandem_bank_confirm(&bank, f.buffer, sizeof f.buffer), TANDEM_OK);
    CHECK_EQUAL(bank.state.outcome.seen, 0);
    fixture_close(&f);
    package_free(&old);
    package_free(&new);
}

/* ---- manifests ---- */

/* A package that brings only the application. */
static struct package application_only(uint16_t major)
{
    struct recipe recipe;
    recipe_begin(&recipe, major);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 30u + major, 1500);
    return recipe_make(&recipe);
}

static void manifests(void)
{
    struct fixture f;
    struct tandem_bank bank;
    struct tandem_manifest manifest;
    struct tandem_image image;
    struct tandem_boot boot;
    struct package old = fixture_package(1), new = application_only(2);
    fixture_open(&f, NULL);
    fixture_factory(&f, 0, &old);
    open_bank(&f, &bank);
    CHECK_EQUAL(tandem_bank_manifest(&bank, 0, 0, &manifest, NULL, f.buffer, sizeof f.buffer), TANDEM_OK);
    CHECK_EQUAL(manifest.version.major, 1);
    CHECK_EQUAL(tandem_bank_manifest(&bank, 1, 0, &manifest, NULL, f.buffer, sizeof f.buffer), TANDEM_ERROR_NOTHING);
    CHECK_EQUAL(tandem_bank_manifest(&bank, 0, 9, &manifest, &image, f.buffer, sizeof f.buffer), TANDEM_ERROR_NOTHING);
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(fixture_update(&f, &new, 1), TANDEM_STATE_PENDING);
    open_bank(&f, &bank);
    /* The newest head first; the stack is described by the one that was carried over. */
    CHECK_EQUAL(tandem_bank_manifest(&bank, 1, 0, &manifest, NULL, f.buffer, sizeof f.buffer), TANDEM_OK);
    CHECK_EQUAL(manifest.version.major, 2);
    CHECK_EQUAL(tandem_bank_manifest(&bank, 1, TANDEM_KIND_APPLICATION, &manifest, &image, f.buffer, sizeof f.buffer),
                TANDEM_OK);
    CHECK_EQUAL(manifest.version.major, 2);
    CHECK_EQUAL(image.version.major, 2);
    CHECK_EQUAL(tandem_bank_manifest(&bank, 1, TANDEM_KIND_STACK, &manifest, NULL, f.buffer, sizeof f.buffer),
                TANDEM_OK);
    CHECK_EQUAL(manifest.version.major, 1);
    CHECK_EQUAL(tandem_bank_find_image(&bank, 1, TANDEM_KIND_APPLICATION, &image), TANDEM_OK);
    CHECK_EQUAL(image.version.major, 2);
    CHECK_EQUAL(tandem_bank_find_image(&bank, 1, TANDEM_KIND_STACK, &image), TANDEM_OK);
    CHECK_EQUAL(image.version.major, 1);
    CHECK_EQUAL(tandem_bank_find_image(&bank, 1, 9, &image), TANDEM_ERROR_NOTHING);
    /* A buffer that is too small for a head. */
    for (size_t size = 0; size < manifest.header.head_size; size += 19)
        CHECK_EQUAL(tandem_bank_manifest(&bank, 1, TANDEM_KIND_STACK, &manifest, NULL, f.buffer, size),
                    TANDEM_ERROR_SPACE);
    fixture_close(&f);
    package_free(&old);
    package_free(&new);
}

/* Heads that fill the area to the last byte, and heads with a damaged middle. */
static void odd_areas(void)
{
    struct fixture f;
    struct tandem_bank bank;
    struct tandem_manifest manifest;
    struct tandem_image image;
    struct package only = application_only(1);
    fixture_open(&f, NULL);
    open_bank(&f, &bank);
    struct tandem_area whole = f.device.manifests[0];
    REQUIRE(tandem_manifest_parse(&manifest, NULL, only.bytes, only.size) == TANDEM_OK);
    uint32_t head = manifest.header.head_size, taken = (head + HEAD_ALIGN - 1) & ~(HEAD_ALIGN - 1);
    sim_flash_put(&f.flash, whole.address, only.bytes, head);
    sim_flash_put(&f.flash, whole.address + taken, only.bytes, head);
    for (uint32_t size = 0; size <= 2 * taken; size++) {
        f.device.manifests[0].size = size;
        CHECK_EQUAL(tandem_bank_manifest(&bank, 0, 0, &manifest, NULL, f.buffer, sizeof f.buffer),
                    size < head ? TANDEM_ERROR_NOTHING : TANDEM_OK);
        CHECK_EQUAL(tandem_bank_manifest(&bank, 0, TANDEM_KIND_DATA, &manifest, NULL, f.buffer, sizeof f.buffer),
                    TANDEM_ERROR_NOTHING);
        CHECK_EQUAL(tandem_bank_find_image(&bank, 0, TANDEM_KIND_APPLICATION, &image),
                    size < head ? TANDEM_ERROR_NOTHING : TANDEM_OK);
        CHECK_EQUAL(tandem_bank_find_image(&bank, 0, TANDEM_KIND_DATA, &image), TANDEM_ERROR_NOTHING);
    }
    f.device.manifests[0] = whole;
    /* A field whose size leads beyond the manifest; the walk in flash trusts nothing. */
    sim_flash_flip(&f.flash, whole.address + TANDEM_PACKAGE_HEADER_SIZE + 3, 7);
    CHECK_EQUAL(tandem_bank_manifest(&bank, 0, 0, &manifest, NULL, f.buffer, sizeof f.buffer), TANDEM_ERROR_NOTHING);
    CHECK_EQUAL(tandem_bank_find_image(&bank, 0, TANDEM_KIND_APPLICATION, &image), TANDEM_OK); /* the second head */
    fixture_close(&f);
    package_free(&only);
}

/* ---- reads that fail ---- */

static uint32_t bad_from, bad_to;
static const struct tandem_flash_port *good_port;

static enum tandem_status failing_read(void *ctx, uint32_t address, void *data, size_t size)
{
    if (address < bad_to && bad_from < address + size)
        return TANDEM_ERROR_FLASH;
    return good_port->read(ctx, address, data, size);
}

static void read_faults(void)
{
    struct fixture f;
    struct tandem_bank bank;
    struct tandem_manifest manifest;
    struct tandem_image image;
    struct package only = application_only(1);
    fixture_open(&f, NULL);
    fixture_factory(&f, 0, &only);
    open_bank(&f, &bank);
    struct tandem_flash_port port = f.flash.port;
    good_port = &f.flash.port;
    port.read = failing_read;
    f.device.manifests[0].flash = &port;
    uint32_t start = f.device.manifests[0].address;
    bad_from = start + 25;
    bad_to = start + 26;
    CHECK_EQUAL(tandem_bank_manifest(&bank, 0, 0, &manifest, NULL, f.buffer, sizeof f.buffer), TANDEM_ERROR_FLASH);
    bad_from = start + 10;
    bad_to = start + 11;
    CHECK_EQUAL(tandem_bank_manifest(&bank, 0, 0, &manifest, NULL, f.buffer, sizeof f.buffer), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(tandem_bank_find_image(&bank, 0, TANDEM_KIND_APPLICATION, &image), TANDEM_ERROR_FLASH);
    bad_from = start + 20;
    bad_to = start + 21;
    CHECK_EQUAL(tandem_bank_find_image(&bank, 0, TANDEM_KIND_APPLICATION, &image), TANDEM_ERROR_FLASH);
    bad_from = start + 100;
    bad_to = start + 101;
    CHECK_EQUAL(tandem_bank_find_image(&bank, 0, TANDEM_KIND_APPLICATION, &image), TANDEM_ERROR_FLASH);
    fixture_close(&f);
    package_free(&only);
}

/* The flash floor's own answers. */
static void flash_answers(void)
{
    struct fixture f;
    struct tandem_sector sector;
    struct tandem_sha256 hash;
    fixture_open(&f, NULL);
    CHECK_EQUAL(tandem_flash_sector(&f.flash.port, 1025, &sector), 1);
    CHECK_EQUAL(sector.address, 1024);
    CHECK_EQUAL(sector.size, 1024);
    CHECK_EQUAL(tandem_flash_sector(&f.flash.port, 36 * 1024, &sector), 0);
    CHECK_EQUAL(tandem_flash_is_erased(&f.flash.port, 0, 2000), 1);
    CHECK_EQUAL(tandem_flash_is_erased(&f.flash.port, 0x100000, 1), 0); /* cannot be read */
    f.flash.violations[SIM_VIOLATION_RANGE] = 0;
    sim_flash_put(&f.flash, 1999, "x", 1);
    CHECK_EQUAL(tandem_flash_is_erased(&f.flash.port, 0, 2000), 0);
    CHECK_EQUAL(tandem_flash_is_erased(&f.flash.port, 0, 1999), 1);
    tandem_sha256_init(&hash, NULL);
    CHECK_EQUAL(tandem_flash_hash(&f.flash.port, 0x100000, 10, &hash, &f.system), TANDEM_ERROR_FLASH);
    f.flash.violations[SIM_VIOLATION_RANGE] = 0;
    f.flash.port.sync = NULL;
    CHECK_EQUAL(tandem_flash_sync(&f.flash.port), TANDEM_OK);
    fixture_close(&f);
}

int main(void)
{
    RUN(fresh);
    RUN(state_round_trip);
    RUN(twin_restored);
    RUN(confirm);
    RUN(confirm_damaged);
    RUN(outcome_seen);
    RUN(manifests);
    RUN(odd_areas);
    RUN(read_faults);
    RUN(flash_answers);
    return check_report();
}
