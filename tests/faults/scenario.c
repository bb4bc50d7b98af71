/*
 * The scenarios: see scenario.h. The old firmware is in bank 0 and confirmed,
 * its counter is 3; in bank 1 is what may not be started.
 */
#include "scenario.h"

#include "check.h"
#include "core/bank.h"
#include "core/edwards.h"
#include "core/package_wire.h"
#include "core/bytes.h"
#include "unit/fixture.h"

#define OLD_COUNTER 3
#define TRIALS 3
#define STARTS 6 /* more than a trial takes */

static struct fixture world;

/* A package of two small images, so that a run is short. */
static struct package make(uint16_t major, unsigned signer, uint32_t counter)
{
    struct recipe recipe;
    recipe_begin(&recipe, major);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 2u * major, 700);
    recipe_image(&recipe, TANDEM_KIND_STACK, 2u * major + 1, 300);
    recipe.pack.counter = counter;
    recipe.signers[0] = fixture_signer(signer);
    return recipe_make(&recipe);
}

static void put_state(const struct tandem_bank_state *state)
{
    struct tandem_bank bank;
    REQUIRE(tandem_bank_open(&bank, &world.device) == TANDEM_OK);
    bank.state = *state;
    REQUIRE(tandem_bank_store(&bank) == TANDEM_OK);
}

/* The old firmware in bank 0, started and confirmed. */
static void old_firmware(void)
{
    struct tandem_boot boot;
    struct package old = make(1, 0, OLD_COUNTER);
    fixture_erase(&world);
    fixture_factory(&world, 0, &old);
    REQUIRE(fixture_boot(&world, &boot) == TANDEM_OK && boot.bank == 0);
    package_free(&old);
}

/* A package in bank 1, whatever it is worth, and the state as if it had been installed and was in `phase`. */
static void new_firmware(const struct package *package, enum tandem_phase phase, uint8_t attempts, uint32_t revoked)
{
    old_firmware();
    fixture_factory(&world, 1, package);
    struct tandem_bank_state state = fixture_state(&world);
    state.phase = (uint8_t)phase;
    state.attempts = attempts;
    state.revoked = revoked;
    memcpy(state.outcome.id, package->id, sizeof package->id);
    state.outcome.stage = phase == TANDEM_PHASE_TRIAL ? TANDEM_STAGE_TRIAL : TANDEM_STAGE_ACTIVATE;
    put_state(&state);
}

static void good_firmware(enum tandem_phase phase, uint8_t attempts)
{
    struct package package = make(2, 0, OLD_COUNTER + 1);
    new_firmware(&package, phase, attempts, 0);
    package_free(&package);
}

/* ---- bad signatures ---- */

static uint8_t *signature_of(struct package *package)
{
    return package->bytes + TANDEM_PACKAGE_HEADER_SIZE + tandem_load_le16(package->bytes + HEADER_MANIFEST_SIZE) +
           FIELD_HEAD + TANDEM_KEY_ID_SIZE;
}

/* Bend the signature: the sum that a verifier computes has the first byte of the one that it compares with, as a forger
 * can have by trying, and no more. */
static void forge(struct package *package)
{
    uint8_t *signature = signature_of(package), message[SIGNED_SIZE], sum[32];
    uint32_t s[TANDEM_WORDS], h[TANDEM_WORDS];
    memcpy(message, SIGNED_PREFIX, SIGNED_PREFIX_SIZE);
    tandem_sha256(NULL, package->bytes,
                  TANDEM_PACKAGE_HEADER_SIZE + tandem_load_le16(package->bytes + HEADER_MANIFEST_SIZE),
                  message + SIGNED_PREFIX_SIZE);
    const uint8_t *key = fixture_key(0)->key;
    tandem_edwards_hash(h, signature, key, message, sizeof message);
    do {
        tandem_store_le32(signature + 32, tandem_load_le32(signature + 32) + 1);
        tandem_number_load_le(s, signature + 32);
        REQUIRE(tandem_edwards_combine(sum, s, h, key));
    } while (sum[0] != signature[0]);
    REQUIRE(memcmp(sum, signature, sizeof sum) != 0);
}

static void bad_signature(void)
{
    struct package package = make(2, 0, OLD_COUNTER + 1);
    forge(&package);
    new_firmware(&package, TANDEM_PHASE_PENDING, 0, 0);
    package_free(&package);
}

static void bad_signature_on_trial(void)
{
    struct package package = make(2, 0, OLD_COUNTER + 1);
    forge(&package);
    new_firmware(&package, TANDEM_PHASE_TRIAL, 1, 0);
    package_free(&package);
}

/* By a key that the device does not know, under that key's own name. */
static void stranger(void)
{
    struct package package = make(2, 2, OLD_COUNTER + 1);
    new_firmware(&package, TANDEM_PHASE_PENDING, 0, 0);
    package_free(&package);
}

static void nobody(void)
{
    struct recipe recipe;
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 4, 700);
    recipe_image(&recipe, TANDEM_KIND_STACK, 5, 300);
    recipe.pack.counter = OLD_COUNTER + 1;
    recipe.pack.signer_count = 0;
    struct package package = recipe_make(&recipe);
    new_firmware(&package, TANDEM_PHASE_PENDING, 0, 0);
    package_free(&package);
}

static void revoked_key(void)
{
    struct package package = make(2, 1, OLD_COUNTER + 1);
    new_firmware(&package, TANDEM_PHASE_PENDING, 0, 1u << 1);
    package_free(&package);
}

/* ---- bad digests ---- */

/* Other bytes in an image, such that the digest begins with the two bytes that were signed. */
static void swap_image(unsigned slot, uint32_t size, unsigned seed)
{
    uint32_t address = world.slots[slot].areas[1].address;
    uint8_t image[1024], want[TANDEM_SHA256_SIZE], digest[TANDEM_SHA256_SIZE];
    REQUIRE(size <= sizeof image);
    tandem_sha256(NULL, sim_flash_at(&world.flash, address), size, want);
    memcpy(image, fixture_bytes(seed, size), size);
    uint32_t tries = 0;
    do {
        tandem_store_le32(image + size - 4, tries++);
        tandem_sha256(NULL, image, size, digest);
    } while (memcmp(digest, want, 2) != 0);
    memcpy(world.flash.cells + address - world.flash.base, image, size);
}

static void bad_digest(void)
{
    good_firmware(TANDEM_PHASE_PENDING, 0);
    swap_image(0, 700, 40);
}

static void bad_second_digest(void)
{
    good_firmware(TANDEM_PHASE_PENDING, 0);
    swap_image(1, 300, 41);
}

/* The state says that bank 1 was verified when other images were in it, or that it was not. */
static void no_proof(void)
{
    bad_signature();
    struct tandem_bank_state state = fixture_state(&world);
    memset(state.proofs[1], 0x5A, sizeof state.proofs[1]);
    put_state(&state);
}

static void never_proven(void)
{
    bad_digest();
}

/* ---- counter, trial ---- */

static void old_counter(void)
{
    struct package package = make(2, 0, OLD_COUNTER - 1);
    new_firmware(&package, TANDEM_PHASE_PENDING, 0, 0);
    package_free(&package);
}

static void trial_over(void)
{
    good_firmware(TANDEM_PHASE_TRIAL, TRIALS);
}

static void rejected(void)
{
    good_firmware(TANDEM_PHASE_REJECTED, 0);
}

static void pending(void)
{
    good_firmware(TANDEM_PHASE_PENDING, 0);
}

static void on_trial(void)
{
    good_firmware(TANDEM_PHASE_TRIAL, 1);
}

/* ---- nothing good ---- */

static void nothing_good(void)
{
    bad_digest();
    memset(world.flash.cells + world.device.manifests[0].address, 0, 64);
}

static void bad_factory(void)
{
    struct package package = make(2, 0, OLD_COUNTER + 1);
    forge(&package);
    fixture_erase(&world);
    fixture_factory(&world, 1, &package);
    package_free(&package);
}

/* ---- confirmation ---- */

/* The firmware on trial raises the counter and revokes a key. */
static void confirmation(void)
{
    struct recipe recipe;
    uint8_t id[1][TANDEM_KEY_ID_SIZE];
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 4, 700);
    recipe_image(&recipe, TANDEM_KIND_STACK, 5, 300);
    recipe.pack.counter = OLD_COUNTER + 1;
    tandem_key_id(NULL, fixture_key(1), id[0]);
    recipe.pack.revoke = (const uint8_t(*)[TANDEM_KEY_ID_SIZE])id;
    recipe.pack.revoke_count = 1;
    struct package package = recipe_make(&recipe);
    new_firmware(&package, TANDEM_PHASE_TRIAL, 1, 0);
    package_free(&package);
}

const struct scenario scenarios[] = {
    {"signature", "forged signature, update pending", bad_signature, 2, 0, 0, TANDEM_OK, 0, 0, 0, 0},
    {"signature-trial", "forged signature, on trial", bad_signature_on_trial, 2, 0, 0, TANDEM_OK, 0, 0, 0, 0},
    {"stranger", "signed by a key that is not trusted", stranger, 2, 0, 0, TANDEM_OK, 0, 0, 0, 0},
    {"unsigned", "no signature", nobody, 2, 0, 0, TANDEM_OK, 0, 0, 0, 0},
    {"revoked", "signed by a revoked key", revoked_key, 2, 0, 0, TANDEM_OK, 0, 0, 0, 0},
    {"digest", "first image is not what was signed", bad_digest, 2, 0, 0, TANDEM_OK, 0, 0, 0, 0},
    {"digest-2", "last image is not what was signed", bad_second_digest, 2, 0, 0, TANDEM_OK, 0, 0, 0, 0},
    {"proof", "verify once: the proof is of something else, forged signature", no_proof, 2, 0, 0, TANDEM_OK, 0, 1, 0,
     0},
    {"no-proof", "verify once: no proof, image not what was signed", never_proven, 2, 0, 0, TANDEM_OK, 0, 1, 0, 0},
    {"counter", "security counter below the device's", old_counter, 2, 0, 0, TANDEM_OK, 0, 0, 0, 0},
    {"trial-over", "trial starts used up", trial_over, 2, 0, 0, TANDEM_OK, 0, 0, 0, 1},
    {"rejected", "rejected before", rejected, 2, 0, 0, TANDEM_OK, 0, 0, 0, 1},
    {"pending", "a trial begins: nothing may confirm it", pending, 0, 0, 1, TANDEM_OK, 0, 0, 0, 0},
    {"trial", "a trial goes on: nothing may confirm it", on_trial, 0, 0, 1, TANDEM_OK, 0, 0, 0, 0},
    {"nothing", "confirmed bank lost, other image not what was signed", nothing_good, 3, NO_BANK, NO_BANK,
     TANDEM_ERROR_NOTHING, 0, 0, 0, 0},
    {"factory", "no journal, forged signature", bad_factory, 3, NO_BANK, NO_BANK, TANDEM_ERROR_NOTHING, 0, 0, 0, 0},
    {"confirm", "confirmation: counter and revocation must come with it", confirmation, 0, 1, NO_BANK, TANDEM_OK, 1, 0,
     1, 0},
    {"confirm-pending", "confirmation by the old firmware while an update waits", pending, 0, 0, NO_BANK, TANDEM_OK, 1,
     0, 0, 0},
};
const unsigned scenario_count = sizeof scenarios / sizeof scenarios[0];

static void open_world(void)
{
    static int open;
    if (!open)
        fixture_open(&world, NULL);
    open = 1;
}

void scenario_open(const struct scenario *scenario, uint8_t *flash, struct board *board)
{
    open_world();
    world.device.verify_policy = scenario->verify_once;
    scenario->prepare();
    memcpy(flash, world.flash.cells, FLASH_SIZE);
    for (unsigned i = 0; i < KEYS; i++)
        memcpy(board->keys[i], fixture_key(i)->key, KEY_SIZE);
    board->verify_once = scenario->verify_once;
}

void scenario_ordinary(uint8_t *flash)
{
    open_world();
    world.device.verify_policy = TANDEM_VERIFY_ALWAYS;
    good_firmware(TANDEM_PHASE_TRIAL, 1);
    memcpy(flash, world.flash.cells, FLASH_SIZE);
}

/* ---- judgement ---- */

/* Take over flash that the emulated device wrote. */
static void revive(const uint8_t *flash)
{
    fixture_erase(&world);
    memcpy(world.flash.cells, flash, FLASH_SIZE);
    for (uint32_t at = 0; at < FLASH_SIZE; at++)
        if (flash[at] != 0xFF)
            world.flash.spent[at / 4] = 1;
}

static unsigned judge_state(const struct scenario *scenario)
{
    struct tandem_bank bank;
    if (tandem_bank_open(&bank, &world.device) != TANDEM_OK)
        return WRONG_STATE;
    if (scenario->home == NO_BANK)
        return 0; /* nothing was kept that could be lost */
    uint32_t counter = OLD_COUNTER, revoked = scenario->prepare == revoked_key ? 2u : 0u;
    if (scenario->trusts && bank.state.active == 1) {
        counter++;
        revoked = 2;
    } else if (bank.state.active != 0) {
        return WRONG_STATE;
    }
    return bank.state.counter == counter && bank.state.revoked == revoked ? 0 : WRONG_STATE;
}

static unsigned judge_starts(const struct scenario *scenario)
{
    struct tandem_boot boot;
    uint8_t last = NO_BANK;
    unsigned wrong = 0;
    for (unsigned i = 0; i < STARTS; i++) {
        last = fixture_boot(&world, &boot) == TANDEM_OK ? boot.bank : NO_BANK;
        int stands_in = scenario->genuine && boot.reason == TANDEM_BOOT_FALLBACK;
        if (last != NO_BANK && !stands_in && (scenario->forbidden >> last & 1))
            wrong |= WRONG_START;
    }
    /* A confirmation that was prevented leaves a trial, which then ends. */
    if (last != scenario->home && !(scenario->trusts && last == 0))
        wrong |= WRONG_HOME;
    return wrong;
}

static unsigned judge_update(void)
{
    struct tandem_boot boot;
    static struct package good;
    if (good.bytes == NULL)
        good = make(9, 0, 100);
    if (fixture_install(&world) != TANDEM_OK ||
        tandem_install_begin(&world.install, good.id, good.size, 1) != TANDEM_OK ||
        fixture_send(&world, &good, 512, 0) != TANDEM_STATE_PENDING || fixture_boot(&world, &boot) != TANDEM_OK ||
        boot.version.major != 9 || fixture_confirm(&world) != TANDEM_OK)
        return WRONG_UPDATE;
    return fixture_boot(&world, &boot) == TANDEM_OK && boot.version.major == 9 ? 0 : WRONG_UPDATE;
}

unsigned scenario_judge(const struct scenario *scenario, const uint8_t *flash)
{
    revive(flash);
    unsigned wrong = judge_state(scenario);
    wrong |= judge_starts(scenario);
    return wrong | judge_update();
}
