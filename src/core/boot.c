/*
 * The bootloader's decision. A bank is started only when every image in it is
 * described by a signed manifest and has the digest that was signed; a trial
 * is counted before it starts; what failed is undone and explained.
 */
#include "tandem/boot.h"

#include <string.h>

#include "core/bank.h"
#include "core/bytes.h"
#include "core/exchange.h"
#include "core/flash.h"

#define TRIAL_BOOTS_DEFAULT 3

/* A look at one bank. */
struct look {
    struct tandem_bank *bank;
    uint8_t which;
    uint8_t *buffer; /* scratch for heads */
    size_t size;
    struct tandem_boot_image *images;
    struct tandem_version version; /* of its newest package */
    uint32_t counter;
    struct tandem_sha256 proof; /* over the heads that count */
    uint8_t digests_needed;     /* 0: a proof stands for the images */
};

/* Read an image and compare its digest with the one signed. */
static enum tandem_status check_digest(const struct look *look, const struct tandem_area *area,
                                       const struct tandem_image *image, size_t head_size)
{
    const struct tandem_device *device = look->bank->device;
    uint8_t digest[TANDEM_SHA256_SIZE], small[64];
    struct tandem_sha256 hash;
    uint8_t *scratch = look->buffer + head_size;
    uint32_t scratch_size = (uint32_t)(look->size - head_size);
    if (scratch_size < sizeof small) {
        scratch = small;
        scratch_size = sizeof small;
    }
    enum tandem_status status = tandem_sha256_init(&hash, device->crypto);
    if (status == TANDEM_OK)
        status =
            tandem_flash_hash(area->flash, area->address, image->size, &hash, scratch, scratch_size, device->system);
    if (status == TANDEM_OK)
        status = tandem_sha256_final(&hash, digest);
    if (status == TANDEM_OK && !tandem_equal(digest, image->digest, sizeof digest))
        status = TANDEM_ERROR_DIGEST;
    return status;
}

/* Whether what a slot runs is a copy of what its store holds still. */
static int is_copy(const struct look *look, const struct tandem_slot *slot)
{
    const struct tandem_bank_state *state = &look->bank->state;
    return TANDEM_CONFIG_EXCHANGE && slot->mode == TANDEM_MODE_OVERWRITE && look->which == state->home &&
           state->phase >= TANDEM_PHASE_TRIAL && state->phase <= TANDEM_PHASE_PREVIOUS;
}

/* The same of a slot's image. A damaged copy is made anew. */
static enum tandem_status check_image(const struct look *look, uint8_t slot, const struct tandem_area *area,
                                      const struct tandem_image *image, size_t head_size)
{
    const struct tandem_slot *place = &look->bank->device->slots[slot];
    enum tandem_status status = check_digest(look, area, image, head_size);
    if (status == TANDEM_OK || !is_copy(look, place) ||
        check_digest(look, &place->areas[1], image, head_size) != TANDEM_OK)
        return status;
    tandem_exchange_restore(look->bank, slot, image->size);
    return check_digest(look, area, image, head_size);
}

/* The images that a head describes and no newer head has described. */
static enum tandem_status check_head(struct look *look, const struct tandem_manifest *manifest)
{
    const struct tandem_device *device = look->bank->device;
    struct tandem_image image;
    for (uint8_t i = 0; i < device->slot_count; i++) {
        const struct tandem_slot *slot = &device->slots[i];
        if (look->images[i].kind != 0 || tandem_manifest_find(manifest, slot->kind, look->which, &image) != TANDEM_OK)
            continue;
        struct tandem_area area = tandem_bank_area(look->bank, i, look->which);
        if (image.size > area.size)
            return TANDEM_ERROR_TOO_LARGE;
        if (look->digests_needed) {
            enum tandem_status status = check_image(look, i, &area, &image, manifest->header.head_size);
            if (status != TANDEM_OK)
                return status;
        }
        look->images[i].kind = slot->kind;
        look->images[i].area = area;
        look->images[i].size = image.size;
        look->images[i].load_address = image.load_address;
    }
    return TANDEM_OK;
}

static int has_new_image(const struct look *look, const struct tandem_manifest *manifest)
{
    struct tandem_image image;
    for (uint8_t i = 0; i < look->bank->device->slot_count; i++)
        if (look->images[i].kind == 0 &&
            tandem_manifest_find(manifest, look->bank->device->slots[i].kind, look->which, &image) == TANDEM_OK)
            return 1;
    return 0;
}

static int is_complete(const struct look *look)
{
    for (uint8_t i = 0; i < look->bank->device->slot_count; i++)
        if (look->images[i].kind == 0 && !look->bank->device->slots[i].optional)
            return 0;
    return 1;
}

/* Walk the heads: authenticate each that counts, then its images. */
static enum tandem_status check_heads(struct look *look)
{
    const struct tandem_device *device = look->bank->device;
    struct tandem_manifest manifest;
    struct tandem_heads heads = tandem_bank_heads(look->bank, look->which);
    enum tandem_status status;
    uint8_t first = 1;
    memset(look->images, 0, TANDEM_CONFIG_MAX_IMAGES * sizeof look->images[0]);
    while ((status = tandem_bank_next_head(&heads, device, &manifest, look->buffer, look->size)) == TANDEM_OK) {
        if (first) {
            look->version = manifest.version;
            look->counter = manifest.counter;
        } else if (!has_new_image(look, &manifest)) {
            continue;
        }
        first = 0;
        if (look->digests_needed)
            status = tandem_bank_authenticate(device, &manifest, look->bank->state.revoked);
        if (status == TANDEM_OK)
            status = check_head(look, &manifest);
        if (status == TANDEM_OK)
            status = tandem_sha256_update(&look->proof, manifest.digest, sizeof manifest.digest);
        if (status != TANDEM_OK)
            return status;
    }
    if (status != TANDEM_ERROR_NOTHING)
        return status;
    if (first)
        return TANDEM_ERROR_NOTHING;
    return is_complete(look) ? TANDEM_OK : TANDEM_ERROR_INCOMPLETE;
}

static enum tandem_status pass(struct look *look, uint8_t digests_needed, uint8_t proof[TANDEM_SHA256_SIZE])
{
    look->digests_needed = digests_needed;
    enum tandem_status status = tandem_bank_proof_begin(&look->proof, look->bank->device, look->which);
    if (status == TANDEM_OK)
        status = check_heads(look);
    return status == TANDEM_OK ? tandem_sha256_final(&look->proof, proof) : status;
}

/* Whether a bank may be started. `*proven` says whether its proof was, or is now, in the state. */
static enum tandem_status verify(struct look *look, uint8_t which)
{
    struct tandem_bank_state *state = &look->bank->state;
    uint8_t proof[TANDEM_SHA256_SIZE];
    static const uint8_t none[sizeof state->proofs[0]] = {0};
    look->which = which;
    look->counter = 0;
    if (look->bank->device->verify_policy == TANDEM_VERIFY_ONCE &&
        memcmp(state->proofs[which], none, sizeof none) != 0 && pass(look, 0, proof) == TANDEM_OK &&
        tandem_equal(proof, state->proofs[which], sizeof state->proofs[0]) && look->counter >= state->counter)
        return TANDEM_OK;
    enum tandem_status status = pass(look, 1, proof);
    if (status == TANDEM_OK && look->counter < state->counter)
        status = TANDEM_ERROR_COUNTER;
    if (status == TANDEM_OK)
        memcpy(state->proofs[which], proof, sizeof state->proofs[0]);
    else
        memset(state->proofs[which], 0, sizeof state->proofs[0]);
    return status;
}

/* Bring a verified bank's images to where they run, and verify them there. */
static enum tandem_status bring_home(struct look *look, uint8_t which, enum tandem_phase phase)
{
    if (!TANDEM_CONFIG_EXCHANGE || !tandem_exchange_needed(look->bank, which))
        return TANDEM_OK;
    enum tandem_status status = tandem_exchange_begin(look->bank, phase);
    if (status == TANDEM_OK)
        status = tandem_exchange_run(look->bank);
    return status == TANDEM_OK ? verify(look, which) : status;
}

static enum tandem_status verify_home(struct look *look, uint8_t which, enum tandem_phase phase)
{
    enum tandem_status status = verify(look, which);
    return status == TANDEM_OK ? bring_home(look, which, phase) : status;
}

/* An exchange was begun and not ended: nothing else can be decided before it is. */
static int is_half_way(const struct look *look)
{
    uint8_t phase = look->bank->state.phase;
    return TANDEM_CONFIG_EXCHANGE && (phase == TANDEM_PHASE_SWAPPING || phase == TANDEM_PHASE_REVERTING);
}

static void set_outcome(struct tandem_bank_state *state, enum tandem_status status, enum tandem_stage stage)
{
    state->outcome.status = status;
    state->outcome.stage = stage;
    state->outcome.image = 0;
    state->outcome.detail = 0;
    state->outcome.seen = 0;
}

static enum tandem_boot_reason chosen(struct tandem_boot *boot, const struct look *look, enum tandem_boot_reason reason)
{
    boot->bank = look->which;
    boot->version = look->version;
    return reason;
}

/* The updated bank, when there is one to try: its trial is counted first. */
static enum tandem_boot_reason try_candidate(struct tandem_boot *boot, struct look *look)
{
    struct tandem_bank_state *state = &look->bank->state;
    uint8_t limit = look->bank->device->trial_boots ? look->bank->device->trial_boots : TRIAL_BOOTS_DEFAULT;
    if (state->phase != TANDEM_PHASE_PENDING && state->phase != TANDEM_PHASE_TRIAL)
        return TANDEM_BOOT_NONE;
    if (state->phase == TANDEM_PHASE_TRIAL && state->attempts >= limit) {
        /* What was written over cannot come back: then what there is goes on, without being confirmed. */
        int kept = TANDEM_CONFIG_EXCHANGE && tandem_exchange_one_way(look->bank->device);
        boot->status = kept ? TANDEM_ERROR_TRIAL : TANDEM_ERROR_REVERTED;
        set_outcome(state, boot->status, TANDEM_STAGE_TRIAL);
        state->active ^= (uint8_t)kept;
    } else {
        boot->status = verify_home(look, !state->active, TANDEM_PHASE_SWAPPING);
        if (boot->status == TANDEM_OK) {
            state->attempts = state->phase == TANDEM_PHASE_TRIAL ? (uint8_t)(state->attempts + 1) : 1;
            state->phase = TANDEM_PHASE_TRIAL;
            set_outcome(state, TANDEM_OK, TANDEM_STAGE_TRIAL);
            return chosen(boot, look, TANDEM_BOOT_TRIAL);
        }
        if (is_half_way(look))
            return TANDEM_BOOT_NONE;
        set_outcome(state, boot->status, TANDEM_STAGE_BOOT);
    }
    state->phase = TANDEM_PHASE_REJECTED;
    state->attempts = 0;
    return TANDEM_BOOT_NONE;
}

/* No state yet: the bank that verifies, and of two the newer, which then has to prove itself against the other. */
static enum tandem_boot_reason first_start(struct tandem_boot *boot, struct look *look)
{
    struct tandem_bank_state *state = &look->bank->state;
    uint8_t good[2];
    struct tandem_version versions[2];
    uint32_t counters[2];
    for (uint8_t which = 0; which < 2; which++) {
        enum tandem_status status = verify(look, which);
        good[which] = status == TANDEM_OK;
        versions[which] = look->version;
        counters[which] = look->counter;
        if (status != TANDEM_OK && which == 0)
            boot->status = status;
    }
    if (!good[0] && !good[1])
        return TANDEM_BOOT_NONE;
    state->active = !good[0];
    if (good[0] && good[1]) {
        uint8_t newer = counters[1] > counters[0] ||
                        (counters[1] == counters[0] && tandem_version_compare(&versions[1], &versions[0]) > 0);
        state->active = !newer;
        state->phase = TANDEM_PHASE_PENDING;
        state->counter = counters[state->active];
        return try_candidate(boot, look);
    }
    state->counter = counters[state->active];
    if (look->which != state->active)
        verify(look, state->active);
    if (bring_home(look, state->active, TANDEM_PHASE_REVERTING) != TANDEM_OK)
        return TANDEM_BOOT_NONE;
    return chosen(boot, look, TANDEM_BOOT_FIRST);
}

/* Why the confirmed bank is taken, by what became of the other. */
static enum tandem_boot_reason reason_for(enum tandem_status candidate)
{
    switch (candidate) {
    case TANDEM_OK:
        return TANDEM_BOOT_CONFIRMED;
    case TANDEM_ERROR_REVERTED:
        return TANDEM_BOOT_REVERTED;
    case TANDEM_ERROR_TRIAL:
        return TANDEM_BOOT_KEPT;
    default:
        return TANDEM_BOOT_REFUSED;
    }
}

/* The confirmed bank; if it does not verify, whatever else does. */
static enum tandem_boot_reason take_confirmed(struct tandem_boot *boot, struct look *look, enum tandem_status candidate)
{
    struct tandem_bank_state *state = &look->bank->state;
    enum tandem_status status = verify_home(look, state->active, TANDEM_PHASE_REVERTING);
    if (status == TANDEM_OK)
        return chosen(boot, look, reason_for(candidate));
    boot->status = status;
    if (is_half_way(look))
        return TANDEM_BOOT_NONE;
    set_outcome(state, status, TANDEM_STAGE_BOOT); /* else a host would be told that all is well */
    if (verify(look, !state->active) != TANDEM_OK)
        return TANDEM_BOOT_NONE;
    state->active = !state->active;
    state->phase = TANDEM_PHASE_REJECTED;
    state->attempts = 0;
    if (bring_home(look, state->active, TANDEM_PHASE_REVERTING) != TANDEM_OK)
        return TANDEM_BOOT_NONE;
    return chosen(boot, look, TANDEM_BOOT_FALLBACK);
}

enum tandem_status tandem_boot_decide(struct tandem_boot *boot, const struct tandem_device *device, uint8_t *buffer,
                                      size_t size)
{
    struct tandem_bank bank;
    memset(boot, 0, sizeof *boot);
    if (size < device->head_max)
        return TANDEM_ERROR_LAYOUT;
    enum tandem_status status = tandem_bank_open(&bank, device);
    if (status == TANDEM_ERROR_LAYOUT)
        return status;
    struct tandem_bank_state before = bank.state;
    struct look look = {.bank = &bank, .buffer = buffer, .size = size, .images = boot->images};
    if (is_half_way(&look)) {
        boot->status = tandem_exchange_run(&bank);
        if (boot->status != TANDEM_OK)
            return TANDEM_ERROR_NOTHING;
        if (bank.state.phase == TANDEM_PHASE_REJECTED)
            boot->status = bank.state.outcome.status;
    }
    int first = bank.journal.newest[0] == 0;
    boot->reason = first ? first_start(boot, &look) : try_candidate(boot, &look);
    if (boot->reason == TANDEM_BOOT_NONE && !is_half_way(&look) &&
        (!first || bank.state.phase == TANDEM_PHASE_REJECTED))
        boot->reason = take_confirmed(boot, &look, boot->status);
    if (boot->reason != TANDEM_BOOT_CONFIRMED)
        bank.state.reason = (uint8_t)boot->reason;
    /* Kept also when nothing can be started: recovery must not take a lost trial for one that goes on. */
    status = memcmp(&before, &bank.state, sizeof before) != 0 ? tandem_bank_store(&bank) : TANDEM_OK;
    if (boot->reason == TANDEM_BOOT_NONE)
        return TANDEM_ERROR_NOTHING;
    if (status == TANDEM_OK || boot->reason != TANDEM_BOOT_TRIAL)
        return TANDEM_OK;
    /* A trial that cannot be counted could go on for ever: do not begin it. */
    boot->reason = take_confirmed(boot, &look, TANDEM_ERROR_FLASH);
    boot->status = TANDEM_ERROR_FLASH;
    return boot->reason == TANDEM_BOOT_NONE ? TANDEM_ERROR_NOTHING : TANDEM_OK;
}
