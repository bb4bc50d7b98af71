/*
 * Images that run from one place only: swapped there and back, written over,
 * alone and in mixed sets; and what becomes of them when flash fails.
 */
#include "check.h"
#include "core/bank.h"
#include "core/exchange.h"
#include "core/flash.h"
#include "core/journal.h"
#include "fixture.h"

#define KB 1024u
#define CELLS (80 * KB)

/* How a device differs from the fixture's usual one. */
struct plan {
    struct fixture_options options;
    uint8_t mode;          /* of the application */
    uint32_t store_sector; /* its store is on a flash of its own, with room for all of it; 0: as the fixture has it */
    uint8_t store_unit;
};

/* How often each sector was erased and each unit programmed, by their first addresses. */
struct tally {
    uint8_t erases[CELLS];
    uint8_t programs[CELLS];
};

struct world {
    struct fixture f;
    struct sim_flash store; /* on the same power */
    struct tally tallies[2];
    uint64_t first_erase; /* in where the application runs: its number; 0: none yet */
};

static void count(void *ctx, const struct sim_op *op)
{
    struct world *w = (struct world *)ctx;
    struct tally *tally = &w->tallies[op->flash == &w->store];
    uint8_t *counts = op->kind == SIM_OP_ERASE ? tally->erases : tally->programs;
    const struct tandem_area *run = &w->f.slots[0].areas[0];
    REQUIRE(op->address < CELLS);
    counts[op->address]++;
    if (w->first_erase == 0 && op->kind == SIM_OP_ERASE && op->flash == &w->f.flash && op->address >= run->address &&
        op->address < run->address + run->size)
        w->first_erase = op->number;
}

static void count_anew(struct world *w)
{
    memset(w->tallies, 0, sizeof w->tallies);
    w->first_erase = 0;
}

static void power_up(struct world *w)
{
    sim_power_init(&w->f.power, 1);
    w->f.power.hook = count;
    w->f.power.hook_ctx = w;
    w->f.flash.violations[SIM_VIOLATION_DEAD] = 0; /* calls after a cut let the code run out */
    w->store.violations[SIM_VIOLATION_DEAD] = 0;
    w->f.flash.pending.active = w->store.pending.active = 0;
    count_anew(w);
}

static void check_device(const struct world *w)
{
    const char *reason;
    if (!CHECK_EQUAL(tandem_device_check(&w->f.device, &reason), TANDEM_OK))
        fprintf(stderr, "  %s\n", reason);
}

static void open_world(struct world *w, const struct plan *plan)
{
    struct sim_flash_spec spec;
    fixture_open(&w->f, &plan->options);
    spec = w->f.flash.spec;
    w->f.slots[0].mode = plan->mode;
    if (plan->store_sector != 0) {
        uint32_t unit = plan->store_sector > plan->options.sector ? plan->store_sector : plan->options.sector;
        spec.regions[0].sector_size = plan->store_sector;
        spec.regions[0].count = 64 * KB / plan->store_sector;
        spec.program_unit = plan->store_unit;
        w->f.slots[0].areas[1].flash = &w->store.port;
        w->f.slots[0].areas[1].address = 2 * unit;
        w->f.slots[0].areas[1].size = w->f.slots[0].areas[0].size + (plan->mode == TANDEM_MODE_SWAP ? unit : 0);
    }
    sim_flash_init(&w->store, &spec, &w->f.power, &w->f.now_us);
    check_device(w);
    power_up(w);
}

static void close_world(struct world *w)
{
    CHECK_EQUAL(sim_flash_violations(&w->store), 0);
    sim_flash_free(&w->store);
    fixture_close(&w->f);
}

/* The flash of another world of the same plan. */
static void take_over(struct world *w, const struct world *from)
{
    sim_flash_copy(&w->f.flash, &from->f.flash);
    sim_flash_copy(&w->store, &from->store);
    power_up(w);
}

/* A package with a counter that rises with its version. Size 0: it does not bring that image. */
static struct package make(uint16_t major, uint32_t application, uint32_t stack, uint32_t data)
{
    struct recipe recipe;
    recipe_begin(&recipe, major);
    recipe.pack.counter = major;
    if (application != 0)
        recipe_image(&recipe, TANDEM_KIND_APPLICATION, 3u * major, application);
    if (stack != 0)
        recipe_image(&recipe, TANDEM_KIND_STACK, 3u * major + 1, stack);
    if (data != 0)
        recipe_image(&recipe, TANDEM_KIND_DATA, 3u * major + 2, data);
    return recipe_make(&recipe);
}

/* ---- starts ---- */

/* Decide and expect. What runs from one place is there, whichever bank it is of. */
static void boots(struct world *w, enum tandem_boot_reason reason, uint8_t bank, uint16_t major,
                  enum tandem_status status)
{
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w->f, &boot), reason == TANDEM_BOOT_NONE ? TANDEM_ERROR_NOTHING : TANDEM_OK);
    CHECK_EQUAL(boot.reason, reason);
    CHECK_EQUAL(boot.status, status);
    if (reason == TANDEM_BOOT_NONE)
        return;
    CHECK_EQUAL(boot.bank, bank);
    CHECK_EQUAL(boot.version.major, major);
    for (uint8_t i = 0; i < w->f.device.slot_count; i++) {
        const struct tandem_slot *slot = &w->f.slots[i];
        CHECK(boot.images[i].kind == slot->kind || (boot.images[i].kind == 0 && slot->optional));
        if (boot.images[i].kind != 0)
            CHECK_EQUAL(boot.images[i].area.address, slot->areas[slot->mode == TANDEM_MODE_DIRECT ? bank : 0].address);
    }
}

static int holds(struct world *w, uint8_t bank, const struct package *package)
{
    return fixture_holds(&w->f, bank, TANDEM_KIND_APPLICATION, package);
}

/* A device from the factory that was started once, and took `new`, which waits for its first start. */
static void to_pending(struct world *w, const struct package *old, const struct package *new)
{
    fixture_factory(&w->f, 0, old);
    boots(w, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    CHECK_EQUAL(fixture_update(&w->f, new, 1), TANDEM_STATE_PENDING);
    count_anew(w);
}

static void flip(struct world *w, const struct tandem_area *area, uint32_t at)
{
    sim_flash_flip(area->flash == &w->store.port ? &w->store : &w->f.flash, area->address + at, 3);
}

static struct tandem_area area_of(struct world *w, uint8_t slot, uint8_t which)
{
    struct tandem_bank bank;
    CHECK_EQUAL(tandem_bank_open(&bank, &w->f.device), TANDEM_OK);
    return tandem_bank_area(&bank, slot, which);
}

static void flip_image(struct world *w, uint8_t slot, uint8_t bank)
{
    struct tandem_area area = area_of(w, slot, bank);
    flip(w, &area, 333);
}

/* ---- what an exchange costs ---- */

/* Sectors and units of an area: those of `size` bytes from `from` on done once, the others not at all. */
static void done_once(const struct world *w, const struct tandem_area *area, uint32_t from, uint32_t size)
{
    int on_store = area->flash == &w->store.port;
    const struct sim_flash *flash = on_store ? &w->store : &w->f.flash;
    const struct tally *tally = &w->tallies[on_store];
    uint32_t sector = flash->spec.regions[0].sector_size, wrong = 0;
    for (uint32_t at = 0; at < area->size; at += flash->spec.program_unit) {
        uint32_t address = area->address + at;
        int inside = at >= from && at < from + size;
        wrong += tally->erases[address] != (inside && address % sector == 0);
        wrong += tally->programs[address] != inside;
    }
    CHECK_EQUAL(wrong, 0);
}

/* The exchange of two images of an application, each sector erased once and each unit programmed once. */
static void swapped_once(struct world *w, uint32_t larger, uint8_t lift)
{
    const struct tandem_slot *slot = &w->f.slots[0];
    uint32_t unit = tandem_exchange_unit(slot), moved = (larger + unit - 1) / unit * unit;
    done_once(w, &slot->areas[0], 0, moved);
    done_once(w, &slot->areas[1], lift ? 0 : unit, moved);
    CHECK_EQUAL(fixture_state(&w->f).lift, !lift);
    count_anew(w);
}

static void there_and_back(const struct plan *plan, uint32_t old_size, uint32_t new_size)
{
    static struct world w;
    uint32_t larger = old_size > new_size ? old_size : new_size;
    struct package old = make(1, old_size, 3000, 1024), new = make(2, new_size, 2900, 600),
                   third = make(3, old_size, 2000, 0);
    open_world(&w, plan);
    to_pending(&w, &old, &new);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    swapped_once(&w, larger, 0);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(holds(&w, 0, &old) && holds(&w, 1, &new));
        CHECK_EQUAL(fixture_state(&w.f).home, 1);
        CHECK_EQUAL(area_of(&w, 0, 1).address, w.f.slots[0].areas[0].address);
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    }
    done_once(&w, &w.f.slots[0].areas[0], 0, 0); /* it stays where it is */
    boots(&w, TANDEM_BOOT_REVERTED, 0, 1, TANDEM_ERROR_REVERTED);
    swapped_once(&w, larger, 1);
    CHECK(holds(&w, 0, &old) && holds(&w, 1, &new));
    CHECK_EQUAL(fixture_state(&w.f).phase, TANDEM_PHASE_REJECTED);
    boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    /* Once more, to stay; and one more from there, where the stored images lie a unit further. */
    CHECK_EQUAL(fixture_update(&w.f, &new, 1), TANDEM_STATE_PENDING);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    CHECK(holds(&w, 0, &old));
    CHECK_EQUAL(fixture_update(&w.f, &third, 1), TANDEM_STATE_PENDING);
    CHECK(holds(&w, 1, &new) && holds(&w, 0, &third));
    count_anew(&w);
    boots(&w, TANDEM_BOOT_TRIAL, 0, 3, TANDEM_OK);
    swapped_once(&w, larger, 1);
    CHECK(holds(&w, 1, &new) && holds(&w, 0, &third));
    close_world(&w);
    package_free(&old);
    package_free(&new);
    package_free(&third);
}

static const struct plan swaps[] = {
    {{1 * KB, 4, 0, 0, 0}, TANDEM_MODE_SWAP, 0, 0},       /* one flash, all alike */
    {{1 * KB, 32, 1, 1, 0}, TANDEM_MODE_SWAP, 0, 0},      /* large units, zeros, asynchronous */
    {{1 * KB, 8, 0, 0, 0}, TANDEM_MODE_SWAP, 4 * KB, 1},  /* small sectors on the chip, large ones beside it */
    {{2 * KB, 4, 0, 1, 0}, TANDEM_MODE_SWAP, 512, 16},    /* the other way round */
    {{1 * KB, 1, 1, 0, 0}, TANDEM_MODE_SWAP, 1 * KB, 32}, /* units apart */
};

static void swap(void)
{
    for (unsigned i = 0; i < sizeof swaps / sizeof swaps[0]; i++) {
        static struct world w;
        open_world(&w, &swaps[i]);
        uint32_t room = area_of(&w, 0, 1).size, unit = tandem_exchange_unit(&w.f.slots[0]);
        close_world(&w);
        there_and_back(&swaps[i], 5010, 3001);
        there_and_back(&swaps[i], 3001, 5010);
        there_and_back(&swaps[i], room, 1);
        there_and_back(&swaps[i], 1, room);
        there_and_back(&swaps[i], unit, unit);
        there_and_back(&swaps[i], unit + 1, unit - 1);
    }
}

/* What an exchange writes to the journal, as docs/flash.md has it. */
static void wear(void)
{
    static const struct plan large[] = {{{2 * KB, 8, 0, 0, 0}, TANDEM_MODE_SWAP, 0, 0},
                                        {{2 * KB, 8, 0, 0, 0}, TANDEM_MODE_OVERWRITE, 0, 0}};
    for (unsigned i = 0; i < 2; i++) {
        static struct world w;
        struct tandem_bank before, after;
        struct package old = make(1, 5010, 3000, 0), new = make(2, 5000, 2900, 0);
        open_world(&w, &large[i]);
        to_pending(&w, &old, &new);
        CHECK_EQUAL(tandem_bank_open(&before, &w.f.device), TANDEM_OK);
        uint64_t bytes = w.f.flash.stats.bytes;
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        bytes = w.f.flash.stats.bytes - bytes;
        CHECK_EQUAL(tandem_bank_open(&after, &w.f.device), TANDEM_OK);
        CHECK_EQUAL(after.journal.epoch, before.journal.epoch);
        /* Three sectors of 2 KB: two parts for each, or one. And the first note, the states before, after, and counted.
         */
        uint32_t parts = i == 0 ? 2 * 3 : 3, noted = (parts + 1) * 2 * JOURNAL_SPACE(JOURNAL_EXCHANGE_SIZE);
        uint32_t moved = i == 0 ? 2 * 3 * 2 * KB : 5024;
        CHECK_EQUAL(bytes, moved + noted + 3 * 2 * JOURNAL_SPACE(JOURNAL_STATE_SIZE));
        close_world(&w);
        package_free(&old);
        package_free(&new);
    }
}

/* ---- how much there is room for ---- */

static void room_is(struct world *w, uint32_t room)
{
    struct package old = make(1, 700, 600, 0), larger = make(2, room + 1, 600, 0), largest = make(2, room, 600, 0);
    check_device(w);
    fixture_factory(&w->f, 0, &old);
    boots(w, TANDEM_BOOT_FIRST, 0, 1, TANDEM_OK);
    CHECK_EQUAL(fixture_update(&w->f, &larger, 1), TANDEM_STATE_FAILED);
    const struct tandem_outcome *outcome = tandem_install_outcome(&w->f.install);
    CHECK_EQUAL(outcome->status, TANDEM_ERROR_TOO_LARGE);
    CHECK_EQUAL(outcome->image, TANDEM_KIND_APPLICATION);
    CHECK_EQUAL(outcome->detail, room);
    CHECK_EQUAL(fixture_update(&w->f, &largest, 1), TANDEM_STATE_PENDING);
    boots(w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    CHECK(holds(w, 1, &largest));
    close_world(w);
    package_free(&old);
    package_free(&larger);
    package_free(&largest);
}

static void room(void)
{
    static struct world w;
    static const struct plan over = {{1 * KB, 4, 0, 0, 0}, TANDEM_MODE_OVERWRITE, 0, 0};
    open_world(&w, &swaps[0]);
    room_is(&w, 7 * KB); /* the store's last sector is to spare */
    open_world(&w, &swaps[0]);
    w.f.slots[0].areas[0].size = 5 * KB;
    room_is(&w, 5 * KB);
    open_world(&w, &swaps[0]);
    w.f.slots[0].areas[1].size = 2 * KB;
    room_is(&w, 1 * KB);
    open_world(&w, &swaps[2]);
    room_is(&w, 8 * KB);
    open_world(&w, &swaps[2]);
    w.f.slots[0].areas[1].size = 8 * KB;
    room_is(&w, 4 * KB);
    open_world(&w, &over);
    room_is(&w, 8 * KB);
    open_world(&w, &over);
    w.f.slots[0].areas[0].size = 5 * KB;
    room_is(&w, 5 * KB);
    open_world(&w, &over);
    w.f.slots[0].areas[1].size = 3 * KB;
    room_is(&w, 3 * KB);
    /* Rounded down to the largest units, as it is moved in them. */
    open_world(&w, &over);
    w.f.device.slot_count = 1;
    for (uint8_t bank = 0; bank < 2; bank++) {
        struct tandem_area *area = &w.f.slots[0].areas[bank], *head = &w.f.device.manifests[bank];
        area->size -= 516;
        head->address = area->address + area->size;
        head->size = 516;
    }
    room_is(&w, (8 * KB - 516) / 32 * 32);
}

/* ---- overwriting ---- */

static const struct plan overs[] = {
    {{1 * KB, 4, 0, 0, 0}, TANDEM_MODE_OVERWRITE, 0, 0},
    {{1 * KB, 32, 1, 1, 0}, TANDEM_MODE_OVERWRITE, 0, 0},
    {{1 * KB, 8, 0, 0, 0}, TANDEM_MODE_OVERWRITE, 4 * KB, 1},
    {{2 * KB, 4, 0, 1, 0}, TANDEM_MODE_OVERWRITE, 512, 16},
};

static void overwrite(void)
{
    for (unsigned i = 0; i < sizeof overs / sizeof overs[0]; i++) {
        static struct world w;
        struct package old = make(1, 3001, 3000, 1024), new = make(2, 5010, 2900, 600), third = make(3, 900, 2000, 0);
        uint32_t sector = overs[i].options.sector;
        open_world(&w, &overs[i]);
        to_pending(&w, &old, &new);
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        for (uint32_t at = 0; at < w.f.slots[0].areas[0].size; at += sector)
            CHECK_EQUAL(w.tallies[0].erases[w.f.slots[0].areas[0].address + at], at < 5010);
        done_once(&w, &w.f.slots[0].areas[1], 0, 0); /* the store stays as it is */
        CHECK(holds(&w, 1, &new));
        count_anew(&w);
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        boots(&w, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
        done_once(&w, &w.f.slots[0].areas[0], 0, 0);
        CHECK_EQUAL(fixture_update(&w.f, &third, 1), TANDEM_STATE_PENDING);
        CHECK(holds(&w, 1, &new));
        boots(&w, TANDEM_BOOT_TRIAL, 0, 3, TANDEM_OK);
        CHECK(holds(&w, 0, &third));
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        boots(&w, TANDEM_BOOT_CONFIRMED, 0, 3, TANDEM_OK);
        close_world(&w);
        package_free(&old);
        package_free(&new);
        package_free(&third);
    }
}

/* What was written over cannot come back: a trial that was never confirmed goes on, and is not taken for confirmed. */
static void kept(void)
{
    static struct world w;
    struct package old = make(1, 3001, 3000, 0), new = make(2, 5010, 2900, 0), third = make(3, 2000, 2000, 0);
    open_world(&w, &overs[0]);
    w.f.device.trial_boots = 2;
    to_pending(&w, &old, &new);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    boots(&w, TANDEM_BOOT_KEPT, 1, 2, TANDEM_ERROR_TRIAL);
    struct tandem_bank_state state = fixture_state(&w.f);
    CHECK_EQUAL(state.active, 1);
    CHECK_EQUAL(state.phase, TANDEM_PHASE_REJECTED);
    CHECK_EQUAL(state.reason, TANDEM_BOOT_KEPT);
    CHECK_EQUAL(state.counter, 1);
    CHECK_EQUAL(state.outcome.status, TANDEM_ERROR_TRIAL);
    CHECK_EQUAL(state.outcome.stage, TANDEM_STAGE_TRIAL);
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK); /* there is nothing left to confirm */
    boots(&w, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
    CHECK_EQUAL(fixture_state(&w.f).counter, 1);
    /* Its copy is still mended, and an update goes in. */
    flip_image(&w, 0, 1);
    boots(&w, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
    CHECK(holds(&w, 1, &new));
    CHECK_EQUAL(fixture_update(&w.f, &third, 1), TANDEM_STATE_PENDING);
    boots(&w, TANDEM_BOOT_TRIAL, 0, 3, TANDEM_OK);
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    CHECK_EQUAL(fixture_state(&w.f).counter, 3);
    close_world(&w);
    package_free(&old);
    package_free(&new);
    package_free(&third);
}

/* A copy that goes bad is made anew as long as what it was made from is whole, and never from anything else. */
static void mended(void)
{
    static struct world w;
    struct package old = make(1, 3001, 3000, 0), new = make(2, 5010, 2900, 0), third = make(3, 2000, 2000, 0);
    open_world(&w, &overs[0]);
    to_pending(&w, &old, &new);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    flip_image(&w, 0, 1);
    CHECK(!holds(&w, 1, &new));
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    CHECK(holds(&w, 1, &new));
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    flip_image(&w, 0, 1);
    boots(&w, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
    CHECK(holds(&w, 1, &new));
    /* Store and copy bad. */
    flip_image(&w, 0, 1);
    flip(&w, &w.f.slots[0].areas[1], 4000);
    count_anew(&w);
    boots(&w, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_DIGEST);
    done_once(&w, &w.f.slots[0].areas[0], 0, 0);
    flip(&w, &w.f.slots[0].areas[1], 4000);
    boots(&w, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
    /* A new update has begun: the store is its own. */
    CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
    CHECK_EQUAL(tandem_install_begin(&w.f.install, third.id, third.size, 1), TANDEM_OK);
    CHECK_EQUAL(fixture_send(&w.f, &third, 100, 1000), TANDEM_STATE_RECEIVING);
    flip_image(&w, 0, 1);
    count_anew(&w);
    boots(&w, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_DIGEST);
    done_once(&w, &w.f.slots[0].areas[0], 0, 0);
    done_once(&w, &w.f.slots[0].areas[1], 0, 0);
    /* Once it is whole, it is what there is. */
    CHECK_EQUAL(fixture_update(&w.f, &third, 0), TANDEM_STATE_VALIDATED);
    boots(&w, TANDEM_BOOT_FALLBACK, 0, 3, TANDEM_ERROR_DIGEST);
    CHECK(holds(&w, 0, &third));
    close_world(&w);
    package_free(&old);
    package_free(&new);
    package_free(&third);
}

/* ---- candidates that go bad ---- */

/* In the store: nothing is moved. */
static void damaged_in_store(void)
{
    for (unsigned i = 0; i < 2; i++) {
        static struct world w;
        struct package old = make(1, 5000, 3000, 0), new = make(2, 4000, 2900, 0);
        open_world(&w, i == 0 ? &swaps[0] : &overs[0]);
        to_pending(&w, &old, &new);
        flip_image(&w, 0, 1);
        boots(&w, TANDEM_BOOT_REFUSED, 0, 1, TANDEM_ERROR_DIGEST);
        done_once(&w, &w.f.slots[0].areas[0], 0, 0);
        done_once(&w, &w.f.slots[0].areas[1], 0, 0);
        CHECK_EQUAL(fixture_state(&w.f).phase, TANDEM_PHASE_REJECTED);
        CHECK_EQUAL(fixture_update(&w.f, &new, 1), TANDEM_STATE_PENDING);
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        close_world(&w);
        package_free(&old);
        package_free(&new);
    }
}

/* Find a cell where the new image needs what the old one leaves erased, and make it take no value. */
static void stick(struct world *w, const struct package *old, const struct package *new)
{
    uint32_t at = 2 * KB;
    const uint8_t *olds = fixture_bytes(3, 4 * KB), *news = fixture_bytes(6, 4 * KB);
    (void)old;
    (void)new;
    while ((olds[at] & ~news[at] & 0x10) == 0)
        at++;
    sim_flash_stick(&w->f.flash, w->f.slots[0].areas[0].address + at, 0x10);
}

/* By cells that take no value where it is to run: the old one comes back. */
static void damaged_by_copy(void)
{
    static struct world w;
    struct package old = make(1, 5000, 3000, 0), new = make(2, 4000, 2900, 0), third = make(3, 900, 2000, 0);
    open_world(&w, &swaps[0]);
    to_pending(&w, &old, &new);
    stick(&w, &old, &new);
    boots(&w, TANDEM_BOOT_REFUSED, 0, 1, TANDEM_ERROR_DIGEST);
    struct tandem_bank_state state = fixture_state(&w.f);
    CHECK_EQUAL(state.home, 0);
    CHECK_EQUAL(state.phase, TANDEM_PHASE_REJECTED);
    CHECK_EQUAL(state.outcome.status, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(state.outcome.stage, TANDEM_STAGE_BOOT);
    CHECK(holds(&w, 0, &old));
    boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    CHECK_EQUAL(fixture_update(&w.f, &third, 1), TANDEM_STATE_PENDING); /* it does not need that cell */
    boots(&w, TANDEM_BOOT_TRIAL, 1, 3, TANDEM_OK);
    close_world(&w);
    /* At the first start of two banks too. */
    open_world(&w, &swaps[0]);
    fixture_factory(&w.f, 0, &old);
    fixture_factory(&w.f, 1, &new);
    stick(&w, &old, &new);
    boots(&w, TANDEM_BOOT_REFUSED, 0, 1, TANDEM_ERROR_DIGEST);
    boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    close_world(&w);
    /* Written over, there is none. When the cell is well again, the copy is made after all. */
    open_world(&w, &overs[0]);
    to_pending(&w, &old, &new);
    stick(&w, &old, &new);
    for (unsigned i = 0; i < 2; i++)
        boots(&w, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(fixture_update(&w.f, &third, 1), TANDEM_STATE_PENDING);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 3, TANDEM_OK);
    close_world(&w);
    open_world(&w, &overs[0]);
    to_pending(&w, &old, &new);
    stick(&w, &old, &new);
    boots(&w, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_DIGEST);
    memset(w.f.flash.stuck, 0, w.f.flash.size);
    boots(&w, TANDEM_BOOT_FALLBACK, 1, 2, TANDEM_ERROR_DIGEST);
    CHECK(holds(&w, 1, &new));
    close_world(&w);
    package_free(&old);
    package_free(&new);
    package_free(&third);
}

/* ---- power and operations that fail ---- */

/* A device with an update pending (or about to be taken back), and what its next start takes. */
struct stage {
    struct world start, w;
    struct package old, new;
    uint64_t operations; /* of the next start */
    int back;            /* the next start takes the update back */
};

static void close_stage(struct stage *s)
{
    close_world(&s->start);
    close_world(&s->w);
    package_free(&s->old);
    package_free(&s->new);
}

/* Whether the one that should run does, and what is to be had of the other is whole. */
static void check_images(struct stage *s)
{
    CHECK(holds(&s->w, s->back ? 0 : 1, s->back ? &s->old : &s->new));
    CHECK(s->w.f.slots[0].mode == TANDEM_MODE_OVERWRITE || holds(&s->w, s->back ? 1 : 0, s->back ? &s->new : &s->old));
    CHECK_EQUAL(sim_flash_violations(&s->w.f.flash), 0);
    CHECK_EQUAL(sim_flash_violations(&s->w.store), 0);
}

static void next_start(struct stage *s)
{
    if (s->back)
        boots(&s->w, TANDEM_BOOT_REVERTED, 0, 1, TANDEM_ERROR_REVERTED);
    else
        boots(&s->w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    s->w.f.power.fail_count = 0;
    check_images(s);
}

static void open_stage(struct stage *s, const struct plan *plan, int back)
{
    s->old = make(1, 2100, 600, 0);
    s->new = make(2, 2900, 700, 0);
    s->back = back;
    open_world(&s->start, plan);
    open_world(&s->w, plan);
    s->start.f.device.trial_boots = s->w.f.device.trial_boots = 2;
    to_pending(&s->start, &s->old, &s->new);
    for (int i = 0; i < 2 * back; i++)
        boots(&s->start, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    take_over(&s->w, &s->start);
    next_start(s);
    s->operations = s->w.f.power.ops;
}

/* Power fails in each operation; the next start goes on where that was, and does again at most one part. */
static void cut_everywhere(const struct plan *plan, int back, unsigned stride)
{
    static struct stage s;
    struct tandem_boot boot;
    open_stage(&s, plan, back);
    for (uint64_t at = 1; at <= s.operations; at += stride) {
        unsigned failures = check_failures;
        take_over(&s.w, &s.start);
        s.w.f.power.cut_at = at;
        s.w.f.power.tear = (enum sim_tear)(at % SIM_TEARS);
        fixture_boot(&s.w.f, &boot);
        struct tally before = s.w.tallies[0];
        power_up(&s.w);
        CHECK_EQUAL(fixture_boot(&s.w.f, &boot), TANDEM_OK);
        /* The end itself may be noted already. */
        CHECK(back ? boot.reason == TANDEM_BOOT_REVERTED ||
                         (boot.reason == TANDEM_BOOT_CONFIRMED && at + 200 > s.operations)
                   : boot.reason == TANDEM_BOOT_TRIAL);
        check_images(&s);
        unsigned again = 0;
        for (uint32_t i = 0; i < s.w.f.slots[0].areas[0].size; i += plan->options.sector) {
            uint32_t address = s.w.f.slots[0].areas[0].address + i;
            CHECK(before.erases[address] + s.w.tallies[0].erases[address] <= 2);
            again += before.erases[address] + s.w.tallies[0].erases[address] == 2;
        }
        CHECK(again <= tandem_exchange_unit(&s.w.f.slots[0]) / plan->options.sector);
        if (check_failures != failures)
            fprintf(stderr, "  power failed in operation %u of %u\n", (unsigned)at, (unsigned)s.operations);
    }
    close_stage(&s);
}

static void cuts(void)
{
    cut_everywhere(&swaps[0], 0, 37);
    cut_everywhere(&swaps[0], 1, 37);
    cut_everywhere(&swaps[1], 0, 7);
    cut_everywhere(&swaps[2], 0, 61);
    cut_everywhere(&swaps[3], 1, 61);
    cut_everywhere(&overs[0], 0, 29);
    cut_everywhere(&overs[1], 0, 3);
    cut_everywhere(&overs[2], 0, 29);
}

/* An operation fails: that part is done once more, and all is as if nothing had been. */
static void fail_once(const struct plan *plan, int back, unsigned stride)
{
    static struct stage s;
    open_stage(&s, plan, back);
    for (uint64_t at = 1; at <= s.operations; at += stride) {
        unsigned failures = check_failures;
        take_over(&s.w, &s.start);
        s.w.f.power.fail_at = at;
        s.w.f.power.fail_count = 1;
        next_start(&s);
        if (check_failures != failures)
            fprintf(stderr, "  operation %u of %u failed\n", (unsigned)at, (unsigned)s.operations);
    }
    close_stage(&s);
}

static void single_faults(void)
{
    fail_once(&swaps[0], 0, 29);
    fail_once(&swaps[0], 1, 29);
    fail_once(&swaps[1], 0, 5);
    fail_once(&overs[0], 0, 29);
    fail_once(&overs[1], 0, 5);
}

/* Whether what is started is whole, told by the flash alone: looking at the journal may write to it. */
static int runs_whole(const struct tandem_boot *boot)
{
    const struct tandem_area *area = &boot->images[0].area;
    return memcmp(sim_flash_at((const struct sim_flash *)area->flash->ctx, area->address),
                  fixture_bytes(boot->bank == 0 ? 3 : 6, 4 * KB), boot->images[0].size) == 0;
}

/* A few operations fail in a row, the journal's among them: it may take one more start, and no image is lost. */
static void several_faults(void)
{
    for (unsigned i = 0; i < 3; i++) {
        static struct stage s;
        open_stage(&s, i == 2 ? &overs[1] : &swaps[1], i == 1);
        for (uint64_t at = 1; at <= s.operations; at += 41)
            for (unsigned faults = 2; faults <= 8; faults += 2) {
                struct tandem_boot boot;
                unsigned failures = check_failures;
                take_over(&s.w, &s.start);
                s.w.f.power.fail_at = at;
                s.w.f.power.fail_count = faults;
                fixture_boot(&s.w.f, &boot);
                s.w.f.power.fail_count = 0;
                CHECK_EQUAL(fixture_boot(&s.w.f, &boot), TANDEM_OK);
                CHECK(runs_whole(&boot));
                CHECK_EQUAL(sim_flash_violations(&s.w.f.flash), 0);
                if (check_failures != failures)
                    fprintf(stderr, "  %u operations failed from %u of %u on\n", faults, (unsigned)at,
                            (unsigned)s.operations);
            }
        close_stage(&s);
    }
}

/* ---- a journal that cannot be written ---- */

static const struct tandem_flash_port *journal_port;
static uint64_t journal_writes, journal_dies, journal_heals; /* those from one to the other fail */

static int journal_write_fails(void)
{
    journal_writes++;
    return journal_writes >= journal_dies && journal_writes < journal_heals;
}

static enum tandem_status journal_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    return journal_write_fails() ? TANDEM_ERROR_FLASH : journal_port->program(ctx, address, data, size);
}

static enum tandem_status journal_erase(void *ctx, uint32_t address)
{
    return journal_write_fails() ? TANDEM_ERROR_FLASH : journal_port->erase(ctx, address);
}

/* Writes `from` to `to` - 1 of the journal fail from now on. */
static void journal_fails(uint64_t from, uint64_t to)
{
    journal_writes = 0;
    journal_dies = from;
    journal_heals = to;
}

static void wrap_journal(struct world *w, struct tandem_flash_port *port)
{
    *port = w->f.flash.port;
    journal_port = &w->f.flash.port;
    port->program = journal_program;
    port->erase = journal_erase;
    w->f.device.journal.flash = port;
    journal_fails(0, 0);
}

/* It dies with each of its writes: what was begun waits, for as long as it takes, and then goes on. */
static void dead_journal(void)
{
    for (int back = 0; back < 2; back++) {
        static struct stage s;
        struct tandem_boot boot;
        open_stage(&s, &swaps[0], back);
        struct tandem_flash_port port;
        wrap_journal(&s.w, &port);
        take_over(&s.w, &s.start);
        next_start(&s);
        uint64_t writes = journal_writes, waited = 0;
        for (uint64_t at = 1; at <= writes; at++) {
            unsigned failures = check_failures;
            take_over(&s.w, &s.start);
            for (unsigned i = 0; i < 3; i++) {
                journal_fails(i == 0 ? at : 1, UINT64_MAX);
                CHECK(fixture_boot(&s.w.f, &boot) != TANDEM_OK ? boot.status == TANDEM_ERROR_FLASH : runs_whole(&boot));
                waited += boot.reason == TANDEM_BOOT_NONE;
            }
            journal_fails(0, 0);
            CHECK_EQUAL(fixture_boot(&s.w.f, &boot), TANDEM_OK);
            CHECK(runs_whole(&boot));
            /* Before the exchange the old one may have been chosen for good. */
            CHECK(boot.reason == (back ? TANDEM_BOOT_REVERTED : TANDEM_BOOT_TRIAL) ||
                  boot.reason == TANDEM_BOOT_CONFIRMED);
            if (check_failures != failures)
                fprintf(stderr, "  %s: the journal died in write %u of %u\n", back ? "back" : "there", (unsigned)at,
                        (unsigned)writes);
        }
        CHECK(waited > writes); /* most of the exchange cannot be given up */
        close_stage(&s);
    }
}

/* It fails for a while and comes back within the same start: what was begun is not forgotten half way. */
static void failing_journal(void)
{
    for (unsigned i = 0; i < 3; i++) {
        static struct stage s;
        struct tandem_boot boot;
        open_stage(&s, i == 2 ? &overs[0] : &swaps[0], i == 1);
        struct tandem_flash_port port;
        wrap_journal(&s.w, &port);
        for (uint64_t at = 1; at < 40; at++)
            for (uint64_t faults = 1; faults < 8; faults++) {
                unsigned failures = check_failures;
                take_over(&s.w, &s.start);
                journal_fails(at, at + faults);
                fixture_boot(&s.w.f, &boot);
                journal_fails(0, 0);
                CHECK_EQUAL(fixture_boot(&s.w.f, &boot), TANDEM_OK);
                CHECK(runs_whole(&boot));
                CHECK(i != 1 || at < 3 || boot.bank == 0); /* its first two writes begin the way back */
                if (check_failures != failures)
                    fprintf(stderr, "  %u writes of the journal failed from %u on\n", (unsigned)faults, (unsigned)at);
            }
        close_stage(&s);
    }
    /* Nor is the first exchange of all begun without its first part, which nothing could go on with. */
    for (uint64_t at = 1; at < 20; at++)
        for (uint64_t faults = 1; faults < 8; faults++) {
            static struct world w;
            struct package new = make(2, 1500, 600, 0);
            struct tandem_boot boot;
            struct tandem_flash_port port;
            open_world(&w, &swaps[0]);
            wrap_journal(&w, &port);
            fixture_factory(&w.f, 1, &new);
            journal_fails(at, at + faults);
            fixture_boot(&w.f, &boot);
            journal_fails(0, 0);
            if (!CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK) || !CHECK(holds(&w, 1, &new)))
                fprintf(stderr, "  first: %u writes of the journal failed from %u on\n", (unsigned)faults,
                        (unsigned)at);
            close_world(&w);
            package_free(&new);
        }
}

/* ---- first starts, falls back ---- */

static void first_start(void)
{
    for (unsigned i = 0; i < 2; i++) {
        static struct world w;
        struct package old = make(1, 3001, 3000, 0), new = make(2, 5010, 2900, 0);
        /* Only what is stored is good. */
        open_world(&w, i == 0 ? &swaps[0] : &overs[0]);
        fixture_factory(&w.f, 1, &new);
        boots(&w, TANDEM_BOOT_FIRST, 1, 2, TANDEM_ERROR_NOTHING);
        struct tandem_bank_state state = fixture_state(&w.f);
        CHECK_EQUAL(state.active, 1);
        CHECK_EQUAL(state.home, 1);
        CHECK_EQUAL(state.counter, 2);
        CHECK(holds(&w, 1, &new));
        boots(&w, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
        close_world(&w);
        /* Both are: the newer one has to prove itself, wherever it is. */
        for (uint8_t newer = 0; newer < 2; newer++) {
            open_world(&w, i == 0 ? &swaps[0] : &overs[0]);
            w.f.device.trial_boots = 1;
            fixture_factory(&w.f, newer, &new);
            fixture_factory(&w.f, !newer, &old);
            boots(&w, TANDEM_BOOT_TRIAL, newer, 2, TANDEM_OK);
            CHECK_EQUAL(fixture_state(&w.f).home, newer);
            if (i == 0)
                boots(&w, TANDEM_BOOT_REVERTED, !newer, 1, TANDEM_ERROR_REVERTED);
            else
                boots(&w, TANDEM_BOOT_KEPT, newer, 2, TANDEM_ERROR_TRIAL);
            boots(&w, TANDEM_BOOT_CONFIRMED, i == 0 ? !newer : newer, i == 0 ? 1 : 2, TANDEM_OK);
            close_world(&w);
        }
        package_free(&old);
        package_free(&new);
    }
}

static void fallback(void)
{
    static struct world w;
    struct package old = make(1, 3001, 3000, 0), new = make(2, 5010, 2900, 0);
    old = (package_free(&old), fixture_package(1)); /* a counter that stays where it is */
    package_free(&new);
    new = fixture_package(2);
    /* The one that runs goes bad: the one before comes back. */
    open_world(&w, &swaps[0]);
    to_pending(&w, &old, &new);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    flip_image(&w, 0, 1);
    boots(&w, TANDEM_BOOT_FALLBACK, 0, 1, TANDEM_ERROR_DIGEST);
    struct tandem_bank_state state = fixture_state(&w.f);
    CHECK_EQUAL(state.active, 0);
    CHECK_EQUAL(state.home, 0);
    CHECK_EQUAL(state.phase, TANDEM_PHASE_REJECTED);
    CHECK(holds(&w, 0, &old));
    boots(&w, TANDEM_BOOT_CONFIRMED, 0, 1, TANDEM_OK);
    flip_image(&w, 0, 0);
    boots(&w, TANDEM_BOOT_NONE, 0, 0, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(fixture_update(&w.f, &new, 1), TANDEM_STATE_PENDING);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    /* Trial used up, and what was before has gone bad in its store. */
    w.f.device.trial_boots = 1;
    boots(&w, TANDEM_BOOT_FALLBACK, 1, 2, TANDEM_ERROR_DIGEST);
    boots(&w, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
    close_world(&w);
    package_free(&old);
    package_free(&new);
}

/* ---- mixed sets ---- */

static const struct plan mixed = {{1 * KB, 8, 0, 0, 0}, TANDEM_MODE_SWAP, 0, 0};

static int holds_all(struct world *w, uint8_t bank, const struct package *package)
{
    return holds(w, bank, package) && fixture_holds(&w->f, bank, TANDEM_KIND_STACK, package) &&
           fixture_holds(&w->f, bank, TANDEM_KIND_DATA, package);
}

static void mixed_sets(void)
{
    static const uint8_t modes[][2] = {{TANDEM_MODE_DIRECT, TANDEM_MODE_DIRECT},
                                       {TANDEM_MODE_SWAP, TANDEM_MODE_DIRECT},
                                       {TANDEM_MODE_DIRECT, TANDEM_MODE_SWAP},
                                       {TANDEM_MODE_OVERWRITE, TANDEM_MODE_DIRECT}};
    for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        static struct world w;
        struct package old = make(1, 5010, 3001, 1024), new = make(2, 5020, 2002, 600), part = make(3, 0, 1500, 0);
        int one_way = modes[i][0] == TANDEM_MODE_OVERWRITE;
        open_world(&w, &mixed);
        w.f.slots[1].mode = modes[i][0];
        w.f.slots[2].mode = modes[i][1];
        w.f.device.trial_boots = 1;
        check_device(&w);
        to_pending(&w, &old, &new);
        CHECK(holds_all(&w, 0, &old) && holds_all(&w, 1, &new));
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        CHECK(holds_all(&w, 1, &new) && (one_way || holds_all(&w, 0, &old)));
        if (!one_way) {
            boots(&w, TANDEM_BOOT_REVERTED, 0, 1, TANDEM_ERROR_REVERTED);
            CHECK(holds_all(&w, 0, &old) && holds_all(&w, 1, &new));
            CHECK_EQUAL(fixture_update(&w.f, &new, 1), TANDEM_STATE_PENDING);
            boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        }
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        /* One image only: the others are copied, and change places too. */
        CHECK_EQUAL(fixture_update(&w.f, &part, 1), TANDEM_STATE_PENDING);
        CHECK(holds_all(&w, 1, &new));
        boots(&w, TANDEM_BOOT_TRIAL, 0, 3, TANDEM_OK);
        CHECK(holds(&w, 0, &new) && fixture_holds(&w.f, 0, TANDEM_KIND_STACK, &part) &&
              fixture_holds(&w.f, 0, TANDEM_KIND_DATA, &new));
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        boots(&w, TANDEM_BOOT_CONFIRMED, 0, 3, TANDEM_OK);
        close_world(&w);
        package_free(&old);
        package_free(&new);
        package_free(&part);
    }
}

/* An optional image that one bank lacks, and then the other; or both. */
static void optional_images(void)
{
    static struct world w;
    struct package without = make(1, 5010, 3001, 0), with = make(2, 5020, 2002, 700), neither = make(2, 900, 800, 0);
    struct tandem_boot boot;
    open_world(&w, &mixed);
    w.f.slots[2].mode = TANDEM_MODE_SWAP;
    w.f.device.trial_boots = 1;
    to_pending(&w, &without, &with);
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.images[2].size, 700);
    CHECK(holds_all(&w, 1, &with));
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_REVERTED);
    CHECK_EQUAL(boot.images[2].kind, 0);
    CHECK(holds(&w, 0, &without) && holds_all(&w, 1, &with));
    CHECK_EQUAL(fixture_update(&w.f, &neither, 1), TANDEM_STATE_PENDING);
    count_anew(&w);
    boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
    done_once(&w, &w.f.slots[2].areas[0], 0, 0);
    done_once(&w, &w.f.slots[2].areas[1], 0, 0);
    close_world(&w);
    package_free(&without);
    package_free(&with);
    package_free(&neither);
}

/* ---- manifests that go with what is written over ---- */

/* `head` bytes behind the application of each bank; it alone. */
static void follow(struct world *w, uint32_t head)
{
    w->f.device.slot_count = 1;
    for (uint8_t bank = 0; bank < 2; bank++) {
        struct tandem_area *area = &w->f.slots[0].areas[bank], *manifest = &w->f.device.manifests[bank];
        manifest->flash = area->flash;
        manifest->address = area->address + area->size - head;
        manifest->size = head;
        area->size -= head;
    }
    check_device(w);
}

static void moved_manifests(void)
{
    static const uint32_t heads[] = {512, 1 * KB, 1536, 2 * KB}; /* in the tail, in sectors of its own, in both */
    static const uint32_t sizes[] = {400, 1024, 3000, 5700, 6144};
    for (unsigned i = 0; i < 16 * sizeof sizes / sizeof sizes[0]; i++) {
        static struct world w;
        uint32_t head = heads[i % 4], size = sizes[i / 16];
        struct package old = make(1, 3001, 0, 0), new = make(2, size, 0, 0), third = make(3, 1500, 0, 0);
        open_world(&w, &overs[i / 4 % 4]);
        /* Where a sector is larger than the store's, the image may end in the one that holds the head, or before it. */
        follow(&w, head);
        to_pending(&w, &old, &new);
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        CHECK(holds(&w, 1, &new));
        CHECK_BYTES(sim_flash_at(&w.f.flash, w.f.device.manifests[0].address), new.bytes, 200);
        const struct tandem_area *run = &w.f.slots[0].areas[0];
        uint32_t sector = overs[i / 4 % 4].options.sector, first = (run->address + run->size) / sector * sector;
        for (uint32_t at = run->address; at < run->address + run->size + head; at += sector)
            CHECK_EQUAL(w.tallies[0].erases[at], at < run->address + size || at >= first || at - run->address < 3001);
        count_anew(&w);
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        /* A copy that went bad takes its head along. */
        flip(&w, run, 300);
        boots(&w, TANDEM_BOOT_CONFIRMED, 1, 2, TANDEM_OK);
        CHECK(holds(&w, 1, &new));
        CHECK_BYTES(sim_flash_at(&w.f.flash, w.f.device.manifests[0].address), new.bytes, 200);
        CHECK_EQUAL(fixture_update(&w.f, &third, 1), TANDEM_STATE_PENDING);
        CHECK(holds(&w, 1, &new));
        boots(&w, TANDEM_BOOT_TRIAL, 0, 3, TANDEM_OK);
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        boots(&w, TANDEM_BOOT_CONFIRMED, 0, 3, TANDEM_OK);
        CHECK(holds(&w, 0, &third));
        close_world(&w);
        package_free(&old);
        package_free(&new);
        package_free(&third);
    }
}

/* ---- proofs, and who has to wait ---- */

static void proofs(void)
{
    static const uint8_t none[8] = {0};
    for (unsigned i = 0; i < 2; i++) {
        static struct world w;
        struct package old = make(1, 5010, 3001, 1024), new = make(2, 5020, 2002, 600);
        open_world(&w, i == 0 ? &swaps[0] : &overs[0]);
        w.f.device.verify_policy = TANDEM_VERIFY_ONCE;
        to_pending(&w, &old, &new);
        CHECK(memcmp(fixture_state(&w.f).proofs[0], none, sizeof none) != 0);
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        /* What was verified is somewhere else now. */
        CHECK_BYTES(fixture_state(&w.f).proofs[0], none, sizeof none);
        CHECK(memcmp(fixture_state(&w.f).proofs[1], none, sizeof none) != 0);
        uint64_t reads = w.f.flash.stats.reads;
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        CHECK(w.f.flash.stats.reads - reads < 5020 + 2002);
        boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        if (i == 0) {
            flip_image(&w, 0, 0); /* not noticed if its proof stood still */
            boots(&w, TANDEM_BOOT_FALLBACK, 1, 2, TANDEM_ERROR_DIGEST);
        }
        close_world(&w);
        package_free(&old);
        package_free(&new);
    }
}

/* Between two halves of an exchange nothing else is done to the banks. */
static void half_way(void)
{
    static const uint8_t phases[] = {TANDEM_PHASE_SWAPPING, TANDEM_PHASE_REVERTING};
    for (unsigned i = 0; i < 2; i++) {
        static struct world w;
        struct tandem_bank bank;
        struct package old = make(1, 5010, 3001, 1024), new = make(2, 5020, 2002, 600);
        open_world(&w, &swaps[0]);
        to_pending(&w, &old, &new);
        CHECK_EQUAL(tandem_bank_open(&bank, &w.f.device), TANDEM_OK);
        CHECK_EQUAL(tandem_exchange_begin(&bank, (enum tandem_phase)phases[i]), TANDEM_OK);
        CHECK_EQUAL(fixture_state(&w.f).phase, phases[i]);
        uint64_t operations = w.f.power.ops;
        CHECK_EQUAL(fixture_install(&w.f), TANDEM_OK);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, new.id, new.size, 1), TANDEM_ERROR_STATE);
        CHECK_EQUAL(tandem_install_begin(&w.f.install, NULL, 0, 0), TANDEM_ERROR_STATE);
        CHECK_EQUAL(tandem_install_erase_idle(&w.f.install), TANDEM_ERROR_STATE);
        CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_ERROR_STATE);
        CHECK_EQUAL(tandem_install_abort(&w.f.install), TANDEM_OK);
        CHECK_EQUAL(tandem_install_confirm(&w.f.install), TANDEM_OK);
        CHECK_EQUAL(w.f.power.ops, operations);
        CHECK_EQUAL(fixture_state(&w.f).phase, phases[i]);
        if (i == 0)
            boots(&w, TANDEM_BOOT_TRIAL, 1, 2, TANDEM_OK);
        close_world(&w);
        package_free(&old);
        package_free(&new);
    }
}

int main(void)
{
    RUN(swap);
    RUN(wear);
    RUN(room);
    RUN(overwrite);
    RUN(kept);
    RUN(mended);
    RUN(damaged_in_store);
    RUN(damaged_by_copy);
    RUN(cuts);
    RUN(single_faults);
    RUN(several_faults);
    RUN(dead_journal);
    RUN(failing_journal);
    RUN(first_start);
    RUN(fallback);
    RUN(mixed_sets);
    RUN(optional_images);
    RUN(moved_manifests);
    RUN(proofs);
    RUN(half_way);
    return check_report();
}
