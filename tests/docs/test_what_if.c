/*
 * What docs/what-if.md says about banks, journal and packages, done. Power
 * cuts have a campaign of their own in tests/sim.
 */
#include <string.h>

#include "check.h"
#include "unit/fixture.h"

static struct fixture f;
static struct tandem_boot boot;
static struct package one, two, three;

/* A device that runs package one. */
static void begin(void)
{
    fixture_open(&f, NULL);
    fixture_factory(&f, 0, &one);
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_FIRST);
}

static enum tandem_status start(void)
{
    return fixture_boot(&f, &boot);
}

/* Package two is confirmed in bank 1, package one is the previous firmware in bank 0. */
static void begin_updated(void)
{
    begin();
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    CHECK_EQUAL(fixture_confirm(&f), TANDEM_OK);
}

static void damage(uint8_t bank)
{
    sim_flash_flip(&f.flash, f.slots[0].areas[bank].address + 100, 3);
}

/* A good package makes the device whole, whatever it is told to start from. */
static void expect_recovery(const struct package *package)
{
    CHECK_EQUAL(fixture_update(&f, package, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    CHECK_EQUAL(fixture_confirm(&f), TANDEM_OK);
    CHECK(fixture_holds(&f, boot.bank, TANDEM_KIND_APPLICATION, package));
}

static void both_banks_bad(void)
{
    begin_updated();
    damage(0);
    damage(1);
    CHECK_EQUAL(start(), TANDEM_ERROR_NOTHING);
    expect_recovery(&two);
    fixture_close(&f);

    begin(); /* an update is pending */
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    damage(0);
    damage(1);
    CHECK_EQUAL(start(), TANDEM_ERROR_NOTHING);
    expect_recovery(&three);
    fixture_close(&f);

    begin(); /* an update is on trial */
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(start(), TANDEM_OK);
    damage(0);
    damage(1);
    CHECK_EQUAL(start(), TANDEM_ERROR_NOTHING);
    expect_recovery(&three);
    fixture_close(&f);

    fixture_open(&f, NULL); /* a device that never had a firmware */
    CHECK_EQUAL(start(), TANDEM_ERROR_NOTHING);
    expect_recovery(&one);
    fixture_close(&f);
}

static void confirmed_bank_bad(void)
{
    begin_updated();
    damage(1);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_FALLBACK);
    CHECK_EQUAL(boot.bank, 0);
    CHECK_EQUAL(boot.status, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(start(), TANDEM_OK); /* and it stays */
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
    CHECK_EQUAL(boot.bank, 0);
    expect_recovery(&three);
    fixture_close(&f);
}

/* The update is validated, not activated; the confirmed bank goes bad. */
static void validated_is_a_fallback(void)
{
    begin();
    CHECK_EQUAL(fixture_update(&f, &two, 0), TANDEM_STATE_VALIDATED);
    damage(0);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_FALLBACK);
    CHECK_EQUAL(boot.bank, 1);
    fixture_close(&f);
}

/* A trial is used up, and the old firmware has gone bad in the meantime. */
static void trial_is_all_there_is(void)
{
    begin();
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQUAL(start(), TANDEM_OK);
        CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    }
    damage(0);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_FALLBACK);
    CHECK_EQUAL(boot.bank, 1);
    fixture_close(&f);
}

static void candidate_bad(void)
{
    begin();
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    damage(1);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_REFUSED);
    CHECK_EQUAL(boot.bank, 0);
    CHECK_EQUAL(fixture_state(&f).outcome.status, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(fixture_state(&f).outcome.stage, TANDEM_STAGE_BOOT);
    fixture_close(&f);
}

static void journal_lost(void)
{
    begin_updated();
    for (uint32_t at = 0; at < f.device.journal.size; at += 1024)
        CHECK_EQUAL(f.flash.port.erase(f.flash.port.ctx, f.device.journal.address + at), TANDEM_OK);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL); /* the newer of two good ones proves itself once more */
    CHECK_EQUAL(boot.bank, 1);
    CHECK_EQUAL(fixture_confirm(&f), TANDEM_OK);
    fixture_close(&f);
}

/* From the next operation on, none succeeds. */
static void wear_out(void)
{
    f.power.fail_at = f.power.ops + 1;
    f.power.fail_count = UINT64_MAX / 2;
}

static void journal_worn(void)
{
    begin();
    wear_out();
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_FAILED);
    CHECK_EQUAL(tandem_install_outcome(&f.install)->status, TANDEM_ERROR_FLASH);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.bank, 0);
    fixture_close(&f);

    begin(); /* a trial that cannot be counted is not begun */
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    wear_out();
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.bank, 0);
    CHECK_EQUAL(boot.status, TANDEM_ERROR_FLASH);
    fixture_close(&f);
}

static enum tandem_status refusal(const struct package *package)
{
    CHECK_EQUAL(tandem_install_begin(&f.install, package->id, package->size, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&f, package, 244, 0), TANDEM_STATE_FAILED);
    CHECK_EQUAL(tandem_install_outcome(&f.install)->stage, TANDEM_STAGE_CHECK);
    return tandem_install_outcome(&f.install)->status;
}

/* What is wrong with a package is found before anything is written, and a half received update outlives it. */
static void refused_packages(void)
{
    struct recipe recipe;
    struct package bad;
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
    uint32_t offset, kept;

    begin();
    REQUIRE(fixture_install(&f) == TANDEM_OK);
    CHECK_EQUAL(tandem_install_begin(&f.install, two.id, two.size, 1), TANDEM_OK);
    fixture_send(&f, &two, 244, two.size * 2 / 3);
    CHECK_EQUAL(tandem_install_abort(&f.install), TANDEM_OK);
    REQUIRE(tandem_install_resumable(&f.install, id, &kept));
    CHECK(kept > two.size / 3);

    uint64_t ops = f.power.ops;
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 9, 1000);
    recipe.signers[0] = fixture_signer(2); /* a stranger */
    bad = recipe_make(&recipe);
    CHECK_EQUAL(refusal(&bad), TANDEM_ERROR_KEY);
    package_free(&bad);

    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 9, 1000);
    recipe.pack.product = "Lamp";
    bad = recipe_make(&recipe);
    CHECK_EQUAL(refusal(&bad), TANDEM_ERROR_TARGET);
    package_free(&bad);

    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 9, 9000);
    bad = recipe_make(&recipe);
    CHECK_EQUAL(refusal(&bad), TANDEM_ERROR_TOO_LARGE);
    package_free(&bad);

    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 9, 1000);
    recipe.pack.counter = 0;
    bad = recipe_make(&recipe);
    CHECK_EQUAL(refusal(&bad), TANDEM_ERROR_COUNTER);
    package_free(&bad);

    CHECK_EQUAL(f.power.ops, ops); /* flash was not touched */
    REQUIRE(tandem_install_resumable(&f.install, id, &offset));
    CHECK_EQUAL(offset, kept);
    CHECK(memcmp(id, two.id, sizeof id) == 0);

    /* Another package that is accepted takes its place. */
    CHECK_EQUAL(tandem_install_begin(&f.install, three.id, three.size, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&f, &three, 244, 0), TANDEM_STATE_PENDING);
    fixture_close(&f);
}

/* An activation is taken back; the update stays. */
static void abort_after_activation(void)
{
    begin();
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(tandem_install_abort(&f.install), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&f.install), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
    CHECK_EQUAL(fixture_install(&f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_state(&f.install), TANDEM_STATE_VALIDATED);
    fixture_close(&f);
}

/* The outcome of a revert stays until the next update is accepted, also when it has been seen. */
static void revert_is_remembered(void)
{
    begin();
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_REVERTED);
    CHECK_EQUAL(boot.bank, 0);
    CHECK_EQUAL(fixture_install(&f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_outcome(&f.install)->status, TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(tandem_install_seen(&f.install), TANDEM_OK);
    CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(fixture_install(&f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_outcome(&f.install)->status, TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(tandem_install_outcome(&f.install)->seen, 1);
    CHECK_EQUAL(fixture_state(&f).counter, 1); /* nothing of it has taken effect */
    fixture_close(&f);
}

/* An ordinary start writes nothing. */
static void starts_are_free(void)
{
    begin_updated();
    CHECK_EQUAL(start(), TANDEM_OK);
    uint64_t ops = f.power.ops;
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQUAL(start(), TANDEM_OK);
    CHECK_EQUAL(f.power.ops, ops);
    fixture_close(&f);
}

int main(void)
{
    one = fixture_package(1);
    two = fixture_package(2);
    three = fixture_package(3);
    RUN(both_banks_bad);
    RUN(confirmed_bank_bad);
    RUN(validated_is_a_fallback);
    RUN(trial_is_all_there_is);
    RUN(candidate_bad);
    RUN(journal_lost);
    RUN(journal_worn);
    RUN(refused_packages);
    RUN(abort_after_activation);
    RUN(revert_is_remembered);
    RUN(starts_are_free);
    package_free(&one);
    package_free(&two);
    package_free(&three);
    return check_report();
}
