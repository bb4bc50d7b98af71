/*
 * The bootloader's own update: the first stage's choice, seals and marks, and
 * what the installer does with a package that brings a bootloader. Power cuts
 * have a campaign of their own in tests/sim.
 */
#include "tandem/loader.h"

#include "check.h"
#include "core/flash.h"
#include "core/stage.h"
#include "fixture.h"
#include "tandem/boot_report.h"

#define LOADER 1 /* its slot */
#define APP_SIZE 3000
#define LOADER_SIZE 2001

static struct fixture f;
static struct tandem_boot boot;
static struct tandem_slot *slot;

/* A package with an application and, if `seed` is not 0, a bootloader. */
static struct package make(uint16_t major, unsigned seed)
{
    struct recipe recipe;
    recipe_begin(&recipe, major);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, major, APP_SIZE);
    if (seed != 0)
        recipe_image(&recipe, TANDEM_KIND_BOOTLOADER, seed, LOADER_SIZE);
    return recipe_make(&recipe);
}

static void put_tail(uint8_t copy, unsigned seed)
{
    uint8_t tail[TANDEM_STAGE_TAIL];
    uint32_t at = slot->areas[copy].address + slot->areas[copy].size - TANDEM_STAGE_TAIL;
    CHECK_EQUAL(tandem_loader_tail(tail, fixture_bytes(seed, LOADER_SIZE), LOADER_SIZE, f.flash.spec.erased),
                TANDEM_OK);
    for (uint32_t place = 0; place < STAGE_PLACES; place++)
        if (place == STAGE_SEAL || place == STAGE_GOOD || place == STAGE_GOOD + 1)
            sim_flash_put(&f.flash, at + place * STAGE_PLACE, tail + place * STAGE_PLACE, STAGE_PLACE);
}

static void put_copy(uint8_t copy, unsigned seed)
{
    sim_flash_put(&f.flash, slot->areas[copy].address, fixture_bytes(seed, LOADER_SIZE), LOADER_SIZE);
    put_tail(copy, seed);
}

/* The fixture's device with a bootloader in place of its second image. */
static void open_device(const struct fixture_options *options)
{
    struct fixture_options two = {0, 0, 0, 0, 2};
    if (options != NULL)
        two = *options;
    two.slots = 2;
    fixture_open(&f, &two);
    slot = &f.slots[LOADER];
    slot->kind = TANDEM_KIND_BOOTLOADER;
    slot->mode = TANDEM_MODE_LOADER;
}

/* A device from the factory: version 1, bootloader 41 in copy 0. */
static void begin(void)
{
    struct package one = make(1, 41);
    open_device(NULL);
    fixture_factory(&f, 0, &one);
    put_tail(0, 41);
    package_free(&one);
}

static int holds(uint8_t copy, unsigned seed)
{
    return memcmp(sim_flash_at(&f.flash, slot->areas[copy].address), fixture_bytes(seed, LOADER_SIZE), LOADER_SIZE) ==
           0;
}

static uint8_t choose(void)
{
    return tandem_stage_choose(slot->areas);
}

/* First stage, bootloader; again when it asks for it. @return the copy that led to a firmware */
static uint8_t start(void)
{
    for (unsigned restarts = 0;; restarts++) {
        uint8_t copy = choose();
        CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
        if (!tandem_loader_run(&f.device, copy, f.buffer, sizeof f.buffer))
            return copy;
        REQUIRE(restarts < 8);
    }
}

/* From a package to its confirmation, without another start. */
static void install(const struct package *package)
{
    CHECK_EQUAL(fixture_update(&f, package, 1), TANDEM_STATE_PENDING);
    start();
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    CHECK_EQUAL(fixture_confirm(&f), TANDEM_OK);
}

static void expect_refusal(const struct package *package, enum tandem_status status)
{
    CHECK_EQUAL(fixture_update(&f, package, 1), TANDEM_STATE_FAILED);
    const struct tandem_outcome *outcome = tandem_install_outcome(&f.install);
    CHECK_EQUAL(outcome->status, status);
    CHECK_EQUAL(outcome->stage, TANDEM_STAGE_CHECK);
    CHECK_EQUAL(outcome->image, TANDEM_KIND_BOOTLOADER);
}

/* ---- the first stage ---- */

static void stage_without_seals(void)
{
    open_device(NULL);
    CHECK_EQUAL(choose(), 0);
    CHECK_EQUAL(tandem_loader_running(slot->areas), 0);
    put_copy(1, 42);
    CHECK_EQUAL(choose(), 1);
    CHECK_EQUAL(tandem_loader_running(slot->areas), 1);
    fixture_close(&f);
}

static void stage_takes_what_is_whole(void)
{
    open_device(NULL);
    put_copy(0, 41);
    put_copy(1, 42);
    CHECK_EQUAL(choose(), 0);
    sim_flash_flip(&f.flash, slot->areas[0].address + LOADER_SIZE - 1, 2);
    CHECK_EQUAL(choose(), 1);
    CHECK_EQUAL(tandem_loader_running(slot->areas), 1);
    /* Both damaged: better than what was never sealed. */
    sim_flash_flip(&f.flash, slot->areas[1].address, 7);
    CHECK_EQUAL(choose(), 0);
    fixture_close(&f);
    open_device(NULL);
    put_copy(1, 42);
    sim_flash_flip(&f.flash, slot->areas[1].address, 7);
    CHECK_EQUAL(choose(), 1);
    fixture_close(&f);
}

/* Every bit of a seal counts. */
static void stage_refuses_damaged_seals(void)
{
    open_device(NULL);
    put_copy(0, 41);
    put_copy(1, 42);
    for (uint32_t place = 0; place < STAGE_PLACES; place++)
        if (place == STAGE_SEAL || place >= STAGE_GOOD)
            for (uint32_t i = 0; i < STAGE_PLACE; i++)
                sim_flash_flip(&f.flash, stage_place(&slot->areas[0], place) + i, (unsigned)(i + place) % 8);
    CHECK_EQUAL(choose(), 1);
    struct stage_look look;
    for (unsigned bit = 0; bit < 8 * STAGE_PLACE; bit++) {
        sim_flash_flip(&f.flash, stage_place(&slot->areas[1], STAGE_SEAL) + bit / 8, bit % 8);
        tandem_stage_look(&slot->areas[1], &look);
        CHECK_EQUAL(look.seals >> STAGE_SEAL & 1, 0);
        sim_flash_flip(&f.flash, stage_place(&slot->areas[1], STAGE_SEAL) + bit / 8, bit % 8);
    }
    fixture_close(&f);
}

/* A device with bootloader 42 sealed in copy 1, not started yet. */
static void begin_sealed(void)
{
    struct package two = make(2, 42);
    begin();
    install(&two);
    CHECK_EQUAL(choose(), 0);
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(tandem_loader_run(&f.device, 0, f.buffer, sizeof f.buffer), 1);
    package_free(&two);
}

static void stage_counts_tries(void)
{
    begin_sealed();
    CHECK_EQUAL(tandem_loader_running(slot->areas), 0);
    for (unsigned i = 0; i < TANDEM_STAGE_TRIES; i++) {
        CHECK_EQUAL(choose(), 1);
        CHECK_EQUAL(tandem_loader_running(slot->areas), 1);
    }
    uint64_t ops = f.power.ops;
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQUAL(choose(), 0);
        CHECK_EQUAL(tandem_loader_running(slot->areas), 0);
    }
    CHECK_EQUAL(f.power.ops - ops, 8); /* noted once: 32 bytes in units of four */
    /* With nothing else, it starts all the same. */
    sim_flash_flip(&f.flash, slot->areas[0].address, 0);
    CHECK_EQUAL(choose(), 1);
    fixture_close(&f);
}

static enum tandem_status no_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    (void)ctx, (void)address, (void)data, (void)size;
    return TANDEM_OK; /* and nothing happens */
}

static void stage_begins_no_try_that_cannot_be_counted(void)
{
    begin_sealed();
    enum tandem_status (*program)(void *, uint32_t, const void *, size_t) = f.flash.port.program;
    f.flash.port.program = no_program;
    CHECK_EQUAL(choose(), 0);
    f.flash.port.program = program;
    CHECK_EQUAL(choose(), 1);
    fixture_close(&f);
}

static enum tandem_status no_read(void *ctx, uint32_t address, void *data, size_t size)
{
    (void)ctx, (void)address, (void)data, (void)size;
    return TANDEM_ERROR_FLASH;
}

/* An ECC fault is no erased place, and no seal. */
static void stage_reads_nothing(void)
{
    struct stage_look look;
    begin();
    enum tandem_status (*read)(void *, uint32_t, void *, size_t) = f.flash.port.read;
    f.flash.port.read = no_read;
    tandem_stage_look(&slot->areas[0], &look);
    CHECK_EQUAL(look.rank, RANK_NONE);
    CHECK_EQUAL(look.spent, (1u << STAGE_PLACES) - 1);
    CHECK_EQUAL(look.seals, 0);
    f.flash.port.read = read;
    fixture_close(&f);
}

/* ---- an update ---- */

static void update_is_sealed_once_confirmed(void)
{
    struct package two = make(2, 42);
    begin();
    CHECK_EQUAL(start(), 0);
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    CHECK(holds(0, 41) && holds(1, 42));
    CHECK_EQUAL(start(), 0);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    CHECK_EQUAL(start(), 0);
    CHECK_EQUAL(fixture_confirm(&f), TANDEM_OK);
    CHECK_EQUAL(start(), 1);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
    CHECK_EQUAL(boot.images[LOADER].kind, 0); /* no part of what is started */
    CHECK_EQUAL(tandem_loader_good(&f.device, 1), TANDEM_OK);
    uint64_t ops = f.power.ops;
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQUAL(start(), 1);
        CHECK_EQUAL(tandem_loader_good(&f.device, 1), TANDEM_OK);
    }
    CHECK_EQUAL(f.power.ops, ops); /* all is said */
    package_free(&two);
    fixture_close(&f);
}

/* And back to the first copy: the older one is replaced each time. */
static void updates_alternate(void)
{
    begin();
    for (uint16_t i = 2; i < 7; i++) {
        struct package package = make(i, 40u + i);
        uint8_t before = start();
        install(&package);
        CHECK_EQUAL(start(), !before);
        CHECK(holds(!before, 40u + i));
        CHECK_EQUAL(tandem_loader_good(&f.device, !before), TANDEM_OK);
        package_free(&package);
    }
    fixture_close(&f);
}

static void unconfirmed_brings_nothing(void)
{
    struct package two = make(2, 42);
    begin();
    start();
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQUAL(start(), 0);
    CHECK_EQUAL(fixture_state(&f).outcome.status, TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(fixture_state(&f).outcome.image, 0);
    package_free(&two);
    fixture_close(&f);
}

/* The copy is what was signed, or it is not sealed. */
static void damaged_copy_is_not_sealed(void)
{
    struct package two = make(2, 42);
    begin();
    start();
    install(&two);
    sim_flash_flip(&f.flash, slot->areas[1].address + 77, 1);
    CHECK_EQUAL(start(), 0);
    CHECK_EQUAL(start(), 0);
    sim_flash_flip(&f.flash, slot->areas[1].address + 77, 1);
    CHECK_EQUAL(start(), 1);
    package_free(&two);
    fixture_close(&f);
}

/* The head is authenticated once more. */
static void unsigned_manifest_seals_nothing(void)
{
    struct package two = make(2, 42);
    begin();
    start();
    install(&two);
    f.device.key_count = 1;
    f.keys[0] = *fixture_key(2);
    CHECK_EQUAL(tandem_loader_run(&f.device, 0, f.buffer, sizeof f.buffer), 0);
    f.keys[0] = *fixture_key(0);
    CHECK_EQUAL(tandem_loader_run(&f.device, 0, f.buffer, sizeof f.buffer), 1);
    package_free(&two);
    fixture_close(&f);
}

/* Another update is on trial when the bootloader is sealed: it must not lose one of its starts. */
static void trial_loses_no_start(void)
{
    struct package two = make(2, 42), three = make(3, 0);
    begin();
    start();
    install(&two);
    CHECK_EQUAL(fixture_update(&f, &three, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(start(), 0);
    CHECK_EQUAL(fixture_state(&f).attempts, 1);
    CHECK_EQUAL(fixture_confirm(&f), TANDEM_OK);
    CHECK_EQUAL(start(), 1); /* although the newest package says nothing of it */
    CHECK_EQUAL(tandem_loader_good(&f.device, 1), TANDEM_OK);
    package_free(&two);
    package_free(&three);
    fixture_close(&f);
}

static void bad_one_is_given_up_and_reported(void)
{
    struct package two = make(2, 42), three = make(3, 43);
    begin_sealed();
    for (unsigned i = 0; i < TANDEM_STAGE_TRIES; i++)
        CHECK_EQUAL(choose(), 1); /* and hangs */
    CHECK_EQUAL(start(), 0);
    struct tandem_outcome outcome = fixture_state(&f).outcome;
    CHECK_EQUAL(outcome.status, TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(outcome.stage, TANDEM_STAGE_BOOT);
    CHECK_EQUAL(outcome.image, TANDEM_KIND_BOOTLOADER);
    CHECK_EQUAL(outcome.seen, 0);
    CHECK_BYTES(outcome.id, two.id, sizeof two.id);
    CHECK_EQUAL(tandem_loader_good(&f.device, 0), TANDEM_OK);
    uint64_t ops = f.power.ops;
    CHECK_EQUAL(start(), 0);
    CHECK_EQUAL(f.power.ops, ops); /* not tried again, not said again */
    /* The same once more, and this time it works; then another. */
    install(&two);
    CHECK_EQUAL(start(), 1);
    CHECK_EQUAL(tandem_loader_good(&f.device, 1), TANDEM_OK);
    install(&three);
    CHECK_EQUAL(start(), 0);
    CHECK(holds(0, 43));
    package_free(&two);
    package_free(&three);
    fixture_close(&f);
}

/* The newer copy goes bad in the field. */
static void damaged_one_is_given_up(void)
{
    struct package three = make(3, 43);
    begin_sealed();
    CHECK_EQUAL(start(), 1);
    CHECK_EQUAL(tandem_loader_good(&f.device, 1), TANDEM_OK);
    sim_flash_flip(&f.flash, slot->areas[1].address + 5, 5);
    CHECK_EQUAL(start(), 0);
    sim_flash_flip(&f.flash, slot->areas[1].address + 5, 5);
    CHECK_EQUAL(start(), 0); /* it was passed over once: it is not relied on again */
    CHECK_EQUAL(tandem_loader_good(&f.device, 0), TANDEM_OK);
    install(&three);
    CHECK_EQUAL(start(), 1);
    CHECK(holds(1, 43));
    package_free(&three);
    fixture_close(&f);
}

/* The installer has one start to live with a copy that a factory wrote twice. */
static void factory_writes_two(void)
{
    struct package two = make(2, 42);
    begin();
    put_copy(1, 41);
    CHECK_EQUAL(start(), 0);
    sim_flash_flip(&f.flash, slot->areas[0].address + 9, 0);
    CHECK_EQUAL(start(), 1);
    install(&two);
    CHECK_EQUAL(start(), 0);
    CHECK(holds(0, 42) && holds(1, 41));
    package_free(&two);
    fixture_close(&f);
}

/* Nobody sealed the one that runs: the first update puts that right. */
static void unsealed_one_is_replaced(void)
{
    struct package one = make(1, 41), two = make(2, 42);
    open_device(NULL);
    fixture_factory(&f, 0, &one);
    CHECK_EQUAL(start(), 0);
    CHECK_EQUAL(tandem_loader_good(&f.device, 0), TANDEM_ERROR_NOTHING);
    install(&two);
    CHECK_EQUAL(start(), 1);
    CHECK_EQUAL(tandem_loader_good(&f.device, 1), TANDEM_OK);
    package_free(&one);
    package_free(&two);
    fixture_close(&f);
}

/* ---- the installer ---- */

static void same_one_need_not_travel(void)
{
    struct package two = make(2, 41);
    begin();
    start();
    CHECK_EQUAL(fixture_update(&f, &two, 1), TANDEM_STATE_PENDING);
    CHECK(f.sent < two.size);
    CHECK(tandem_flash_is_erased(&f.flash.port, slot->areas[1].address, slot->areas[1].size));
    package_free(&two);
    fixture_close(&f);
}

static void application_alone_leaves_it(void)
{
    struct package two = make(2, 0);
    begin();
    put_copy(1, 44);
    start();
    install(&two);
    CHECK_EQUAL(start(), 0);
    CHECK(holds(0, 41) && holds(1, 44));
    CHECK_EQUAL(fixture_install(&f), TANDEM_OK);
    while (tandem_install_erase_idle(&f.install) == TANDEM_AGAIN)
        f.now_us += 1000;
    CHECK_EQUAL(fixture_state(&f).phase, TANDEM_PHASE_ERASED);
    CHECK(holds(1, 44)); /* idle erase is no reason to lose the way back */
    package_free(&two);
    fixture_close(&f);
}

/* A bank that was erased beforehand says nothing of the copy. */
static void update_after_idle_erase(void)
{
    struct package two = make(2, 42), three = make(3, 43);
    begin_sealed();
    CHECK_EQUAL(start(), 1);
    CHECK_EQUAL(tandem_loader_good(&f.device, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_install(&f), TANDEM_OK);
    while (tandem_install_erase_idle(&f.install) == TANDEM_AGAIN)
        f.now_us += 1000;
    install(&three);
    CHECK_EQUAL(start(), 0);
    CHECK(holds(0, 43));
    package_free(&two);
    package_free(&three);
    fixture_close(&f);
}

static void refusals(void)
{
    struct package three = make(3, 43), plain = make(3, 0), same = make(3, 42);
    struct recipe recipe;
    /* On trial: not now. The application and the one that runs may come. */
    begin_sealed();
    CHECK_EQUAL(choose(), 1);
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(tandem_loader_run(&f.device, 1, f.buffer, sizeof f.buffer), 0);
    expect_refusal(&three, TANDEM_ERROR_TRIAL);
    CHECK_EQUAL(fixture_update(&f, &plain, 0), TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(fixture_update(&f, &same, 0), TANDEM_STATE_VALIDATED);
    CHECK(holds(0, 41) && holds(1, 42));
    CHECK_EQUAL(tandem_loader_good(&f.device, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_update(&f, &three, 0), TANDEM_STATE_VALIDATED);
    fixture_close(&f);

    begin();
    start();
    recipe_begin(&recipe, 4);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 4, APP_SIZE);
    struct tandem_pack_image *image =
        recipe_image(&recipe, TANDEM_KIND_BOOTLOADER, 45, slot->areas[0].size - TANDEM_STAGE_TAIL + 1);
    struct package large = recipe_make(&recipe);
    expect_refusal(&large, TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(tandem_install_outcome(&f.install)->detail, slot->areas[0].size - TANDEM_STAGE_TAIL);
    image->size--;
    image->variant = 0;
    struct package other = recipe_make(&recipe);
    expect_refusal(&other, TANDEM_ERROR_INCOMPLETE);
    image->variant = 1;
    struct package fits = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&f, &fits, 0), TANDEM_STATE_VALIDATED);
    /* A device without such a slot says so, and does not pretend. */
    f.device.slot_count = 1;
    expect_refusal(&three, TANDEM_ERROR_NOT_SUPPORTED);
    f.device.slot_count = 2;
    fixture_close(&f);
    package_free(&large);
    package_free(&other);
    package_free(&fits);
    package_free(&three);
    package_free(&plain);
    package_free(&same);
}

/* An application may count on the bootloader that runs, not on one that has yet to prove itself. */
static void dependencies(void)
{
    struct recipe recipe;
    begin();
    start();
    recipe_begin(&recipe, 2);
    struct tandem_pack_image *application = recipe_image(&recipe, TANDEM_KIND_APPLICATION, 2, APP_SIZE);
    application->dependency_count = 1;
    application->dependencies[0].kind = TANDEM_KIND_BOOTLOADER;
    application->dependencies[0].minimum.major = 1;
    struct package needs_one = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&f, &needs_one, 0), TANDEM_STATE_VALIDATED); /* the running bank's manifest knows it */
    application->dependencies[0].minimum.major = 2;
    recipe_image(&recipe, TANDEM_KIND_BOOTLOADER, 42, LOADER_SIZE);
    struct package brings_two = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&f, &brings_two, 0), TANDEM_STATE_FAILED);
    CHECK_EQUAL(tandem_install_outcome(&f.install)->status, TANDEM_ERROR_DEPENDENCY);
    CHECK_EQUAL(tandem_install_outcome(&f.install)->detail, TANDEM_KIND_BOOTLOADER);
    struct package two = make(2, 42);
    install(&two);
    CHECK_EQUAL(start(), 1);
    CHECK_EQUAL(tandem_loader_good(&f.device, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_update(&f, &brings_two, 0), TANDEM_STATE_VALIDATED);
    package_free(&needs_one);
    package_free(&brings_two);
    package_free(&two);
    fixture_close(&f);
}

static void transfer_resumes(void)
{
    struct package two = make(2, 42);
    struct recipe recipe;
    begin();
    start();
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_BOOTLOADER, 42, LOADER_SIZE);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 2, APP_SIZE);
    struct package package = recipe_make(&recipe);
    for (uint32_t stop = 300; stop < package.size; stop += 300) {
        REQUIRE(fixture_install(&f) == TANDEM_OK);
        CHECK_EQUAL(tandem_install_begin(&f.install, package.id, package.size, 1), TANDEM_OK);
        f.sent = 0;
        fixture_send(&f, &package, 100, stop);
        fixture_settle(&f);
    }
    CHECK_EQUAL(fixture_update(&f, &package, 1), TANDEM_STATE_PENDING);
    start();
    CHECK_EQUAL(fixture_confirm(&f), TANDEM_OK);
    CHECK_EQUAL(start(), 1);
    CHECK(holds(1, 42));
    package_free(&two);
    package_free(&package);
    fixture_close(&f);
}

/* ---- the rest ---- */

static void expect_fault(const char *text)
{
    const char *reason = "";
    CHECK_EQUAL(tandem_device_check(&f.device, &reason), TANDEM_ERROR_LAYOUT);
    CHECK(strcmp(reason, text) == 0);
}

static void layouts(void)
{
    const char *reason;
    open_device(NULL);
    CHECK_EQUAL(tandem_device_check(&f.device, &reason), TANDEM_OK);
    slot->kind = TANDEM_KIND_STACK;
    expect_fault("a slot of the bootloader's mode is not of the bootloader's kind");
    slot->kind = TANDEM_KIND_BOOTLOADER;
    slot->areas[0].size -= 1024;
    expect_fault("the bootloader's two copies are not of one size");
    slot->areas[0].size -= 512;
    expect_fault("an area does not end on a sector border");
    slot->mode = 4;
    expect_fault("a slot has no kind, or a mode that this build does not know");
    fixture_close(&f);
    struct fixture_options small = {64, 0, 0, 0, 2};
    open_device(&small);
    expect_fault("a copy of the bootloader has no room beside its seal");
    fixture_close(&f);
}

static void report_tells_the_copy(void)
{
    uint8_t memory[TANDEM_BOOT_REPORT_SIZE] = {0};
    struct tandem_boot_report report;
    for (unsigned i = 0; i < 4; i++) {
        struct tandem_boot decided = {.bank = i & 1, .loader = (uint8_t)(i >> 1)};
        tandem_boot_report_store(memory, &decided, TANDEM_RECOVERY_NOT);
        CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_OK);
        CHECK_EQUAL(report.bank, i & 1);
        CHECK_EQUAL(report.loader, i >> 1);
    }
}

static void device_without(void)
{
    fixture_open(&f, NULL);
    CHECK_EQUAL(tandem_loader_run(&f.device, 0, f.buffer, sizeof f.buffer), 0);
    CHECK_EQUAL(tandem_loader_good(&f.device, 0), TANDEM_OK);
    CHECK_EQUAL(f.power.ops, 0);
    fixture_close(&f);
}

int main(void)
{
    RUN(stage_without_seals);
    RUN(stage_takes_what_is_whole);
    RUN(stage_refuses_damaged_seals);
    RUN(stage_counts_tries);
    RUN(stage_begins_no_try_that_cannot_be_counted);
    RUN(stage_reads_nothing);
    RUN(update_is_sealed_once_confirmed);
    RUN(updates_alternate);
    RUN(unconfirmed_brings_nothing);
    RUN(damaged_copy_is_not_sealed);
    RUN(unsigned_manifest_seals_nothing);
    RUN(trial_loses_no_start);
    RUN(bad_one_is_given_up_and_reported);
    RUN(damaged_one_is_given_up);
    RUN(factory_writes_two);
    RUN(unsealed_one_is_replaced);
    RUN(same_one_need_not_travel);
    RUN(application_alone_leaves_it);
    RUN(update_after_idle_erase);
    RUN(refusals);
    RUN(dependencies);
    RUN(transfer_resumes);
    RUN(layouts);
    RUN(report_tells_the_copy);
    RUN(device_without);
    return check_report();
}
