/*
 * The bootloader's decision. A bank is started only when every image in it is
 * described by a signed manifest and has the digest that was signed; a trial
 * is counted before it starts; what failed is undone and explained.
 */
#include "tandem/boot.h"

#include <stddef.h>
#include <string.h>

#include "core/bank.h"
#include "core/bytes.h"
#include "core/exchange.h"
#include "core/flash.h"
#include "core/loader.h"
#include "core/package_wire.h"
#include "core/twice.h"

#define TRIAL_BOOTS_DEFAULT 3
#define VERIFIED 0x9C5A3B60u /* and the bank's number: no value that comes about by itself */

/* A look at one bank. Large members come last: small cores reach the first ones best. */
struct look {
    uint8_t which;
    uint8_t digests_needed;   /* 0: a proof stands for the images */
    uint8_t by_images;        /* 1: the images of the head in hand have to vouch for it */
    uint32_t verified;        /* VERIFIED + the bank that has passed all checks; else 0 */
    uint32_t counter;         /* of its newest package */
    size_t size;              /* of the scratch for heads */
    uint8_t *buffer;          /* scratch for heads */
    struct tandem_boot *boot; /* takes images and version */
    struct tandem_bank bank;
    uint8_t found[TANDEM_SHA256_SIZE]; /* the proof that a walk ended with */
    struct tandem_sha256 proof;        /* over the heads that count */
};

/* Read an image and compare its digest with the one signed. */
static enum tandem_status check_digest(const struct look *look, const struct tandem_area *area,
                                       const struct tandem_image *image)
{
    const struct tandem_device *device = look->bank.device;
    uint8_t digest[TANDEM_SHA256_SIZE];
    struct tandem_sha256 hash;
    enum tandem_status status = tandem_sha256_init(&hash, device->crypto);
    if (status == TANDEM_OK)
        status = tandem_flash_hash(area->flash, area->address, image->size, &hash, device->system);
    if (status == TANDEM_OK)
        status = tandem_sha256_final(&hash, digest);
    if (status == TANDEM_OK && memcmp(digest, image->digest, sizeof digest) != 0)
        status = TANDEM_ERROR_DIGEST;
    return status;
}

/* Whether what a slot runs is a copy of what its store holds still. */
static int is_copy(const struct look *look, const struct tandem_slot *slot)
{
    const struct tandem_bank_state *state = &look->bank.state;
    return TANDEM_CONFIG_EXCHANGE && slot->mode == TANDEM_MODE_OVERWRITE && look->which == state->home &&
           state->phase >= TANDEM_PHASE_TRIAL && state->phase <= TANDEM_PHASE_PREVIOUS;
}

/* The same of a slot's image. A damaged copy is made anew. */
static enum tandem_status check_image(const struct look *look, uint8_t slot, const struct tandem_image *image)
{
    const struct tandem_area *area = &look->boot->images[slot].area;
    const struct tandem_slot *place = &look->bank.device->slots[slot];
    enum tandem_status status = check_digest(look, area, image);
    if (status == TANDEM_OK || !is_copy(look, place) || check_digest(look, &place->areas[1], image) != TANDEM_OK)
        return status;
    tandem_exchange_restore(&look->bank, slot, image->size);
    return check_digest(look, area, image);
}

/* A head that counts: authenticate it, unless a proof stands for it. */
static enum tandem_status count_head(struct look *look, const struct tandem_manifest *manifest)
{
    enum tandem_status status = TANDEM_OK;
    if (look->digests_needed)
        status = tandem_bank_authenticate(look->bank.device, manifest, look->bank.state.revoked);
    if (tandem_bank_takes_mcuboot(look->bank.device) && status == TANDEM_ERROR_UNSIGNED) {
        look->by_images = 1;
        status = TANDEM_OK;
    }
    return status == TANDEM_OK ? tandem_sha256_update(&look->proof, manifest->digest, sizeof manifest->digest) : status;
}

/* Check the images that a head describes and no newer head has described. One that has none does not count. */
static enum tandem_status check_head(struct look *look, const struct tandem_manifest *manifest, int counts)
{
    const struct tandem_device *device = look->bank.device;
    uint32_t slots = 0;
    if (TANDEM_CONFIG_MCUBOOT)
        look->by_images = 0;
    enum tandem_status status = counts ? count_head(look, manifest) : TANDEM_OK;
    for (uint8_t i = 0; i < device->slot_count && status == TANDEM_OK; i++) {
        struct tandem_boot_image *found = &look->boot->images[i];
        struct tandem_image image;
        if (found->kind != 0 || tandem_loader_has(&device->slots[i]) ||
            tandem_manifest_locate(manifest, device->slots[i].kind, look->which, &image) != TANDEM_OK)
            continue;
        if (!counts)
            status = count_head(look, manifest);
        counts = 1;
        found->kind = image.kind;
        found->area = tandem_bank_area(&look->bank, i, look->which);
        found->size = image.size;
        found->load_address = image.load_address;
        if (image.size > found->area.size)
            return TANDEM_ERROR_TOO_LARGE;
        if (status == TANDEM_OK && look->digests_needed)
            status = check_image(look, i, &image);
        if (tandem_bank_takes_mcuboot(device))
            found->offset = tandem_bank_image_offset(&found->area);
        slots |= 1u << i;
    }
    if (tandem_bank_takes_mcuboot(device) && status == TANDEM_OK && look->by_images)
        status = tandem_bank_trust_images(&look->bank, look->which, manifest, slots, look->bank.state.revoked);
    return status;
}

static int is_complete(const struct look *look)
{
    for (uint8_t i = 0; i < look->bank.device->slot_count; i++) {
        const struct tandem_slot *slot = &look->bank.device->slots[i];
        if (look->boot->images[i].kind == 0 && !slot->optional && !tandem_loader_has(slot))
            return 0;
    }
    return 1;
}

/* Walk the heads, the newest first: it gives the bank its version and counter. */
static enum tandem_status check_heads(struct look *look)
{
    const struct tandem_device *device = look->bank.device;
    struct tandem_manifest manifest;
    struct tandem_heads heads = tandem_bank_heads(&look->bank, look->which);
    enum tandem_status status;
    int first = 1;
    memset(look->boot->images, 0, sizeof look->boot->images);
    while ((status = tandem_bank_next_head(&heads, device, &manifest, look->buffer, look->size)) == TANDEM_OK) {
        if (first) {
            look->boot->version = manifest.version;
            look->counter = manifest.counter;
        }
        status = check_head(look, &manifest, first);
        if (status != TANDEM_OK)
            return status;
        first = 0;
    }
    if (status != TANDEM_ERROR_NOTHING || first)
        return status;
    return is_complete(look) ? TANDEM_OK : TANDEM_ERROR_INCOMPLETE;
}

/* One walk over a bank. Its proof comes of it only if all is well. */
static enum tandem_status pass(struct look *look, uint8_t digests_needed)
{
    look->digests_needed = digests_needed;
    look->counter = 0;
    memset(look->found, 0, sizeof look->found);
    enum tandem_status status = tandem_bank_proof_begin(&look->proof, look->bank.device, look->which);
    if (status == TANDEM_OK)
        status = check_heads(look);
    if (status == TANDEM_OK && look->counter < look->bank.state.counter)
        status = TANDEM_ERROR_COUNTER;
    return status == TANDEM_OK ? tandem_sha256_final(&look->proof, look->found) : status;
}

/* By its proof, where that serves, else by all its signatures and digests. */
static enum tandem_status check_bank(struct look *look)
{
    const struct tandem_bank_state *state = &look->bank.state;
    if (look->bank.device->verify_policy == TANDEM_VERIFY_ONCE && pass(look, 0) == TANDEM_OK &&
        memcmp(look->found, state->proofs[look->which], sizeof state->proofs[0]) == 0)
        return TANDEM_OK;
    return pass(look, 1);
}

/* Whether a bank may be started, and what of it. Yes is said twice, and the same. */
static enum tandem_status verify(struct look *look, uint8_t which)
{
    struct tandem_boot_image images[TANDEM_CONFIG_MAX_IMAGES];
    look->which = which;
    look->verified = 0;
    enum tandem_status status = check_bank(look);
    if (TANDEM_CONFIG_VERIFY_TWICE && status == TANDEM_OK) {
        memcpy(images, look->boot->images, sizeof images);
        status = check_bank(look);
        if (status == TANDEM_OK && memcmp(images, look->boot->images, sizeof images) != 0)
            status = TANDEM_ERROR_FLASH;
    }
    memcpy(look->bank.state.proofs[which], look->found, sizeof look->bank.state.proofs[0]);
    if (status == TANDEM_OK)
        look->verified = VERIFIED + which;
    return status;
}

/* The last question: did the bank that is chosen pass its checks? */
static int is_verified(const struct look *look)
{
    return tandem_again(&look->verified) == VERIFIED + look->which;
}

/* Bring a verified bank's images to where they run, and verify them there. */
static enum tandem_status bring_home(struct look *look, uint8_t which, enum tandem_phase phase)
{
    if (!TANDEM_CONFIG_EXCHANGE || !tandem_exchange_needed(&look->bank, which))
        return TANDEM_OK;
    look->verified = 0;
    enum tandem_status status = tandem_exchange_begin(&look->bank, phase);
    if (status == TANDEM_OK)
        status = tandem_exchange_run(&look->bank);
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
    uint8_t phase = look->bank.state.phase;
    return TANDEM_CONFIG_EXCHANGE && (phase == TANDEM_PHASE_SWAPPING || phase == TANDEM_PHASE_REVERTING);
}

/* Whether a state lets the bank that is not confirmed be started once more. */
static int may_try(const struct tandem_device *device, const struct tandem_bank_state *state)
{
    uint8_t limit = device->trial_boots ? device->trial_boots : TRIAL_BOOTS_DEFAULT;
    return state->phase == TANDEM_PHASE_PENDING || (state->phase == TANDEM_PHASE_TRIAL && state->attempts < limit);
}

/* The updated bank, when there is one to try: its trial is counted first. */
static enum tandem_boot_reason try_candidate(struct look *look)
{
    struct tandem_bank_state *state = &look->bank.state;
    const struct tandem_device *device = look->bank.device;
    enum tandem_stage stage = TANDEM_STAGE_TRIAL;
    enum tandem_status status;
    if (state->phase == TANDEM_PHASE_PENDING)
        state->attempts = 0;
    if (may_try(device, state)) {
        status = verify_home(look, !state->active, TANDEM_PHASE_SWAPPING);
        stage = status == TANDEM_OK ? TANDEM_STAGE_TRIAL : TANDEM_STAGE_BOOT;
    } else if (state->phase != TANDEM_PHASE_TRIAL) {
        return TANDEM_BOOT_NONE;
    } else if (TANDEM_CONFIG_EXCHANGE && tandem_exchange_one_way(device)) {
        /* What was written over cannot come back: what there is goes on, without being confirmed. */
        status = TANDEM_ERROR_TRIAL;
        state->active = !state->active;
    } else {
        status = TANDEM_ERROR_REVERTED;
    }
    look->boot->status = status;
    if (is_half_way(look))
        return TANDEM_BOOT_NONE;
    tandem_bank_set_outcome(state, status, stage);
    if (status == TANDEM_OK)
        state->attempts++; /* and what is rejected keeps them */
    state->phase = status == TANDEM_OK ? TANDEM_PHASE_TRIAL : TANDEM_PHASE_REJECTED;
    return status == TANDEM_OK ? TANDEM_BOOT_TRIAL : TANDEM_BOOT_NONE;
}

/* No state yet: the bank that verifies, and of two the newer, which then has to prove itself against the other. */
static int survey(struct look *look)
{
    struct tandem_bank_state *state = &look->bank.state;
    if (tandem_again(&look->bank.journal.newest[0]) != 0)
        return 0;
    enum tandem_status status = verify(look, 0);
    uint32_t counter = look->counter;
    struct tandem_version version = look->boot->version;
    look->boot->status = status;
    if (verify(look, 1) != TANDEM_OK) {
        state->counter = status == TANDEM_OK ? counter : 0;
        return status == TANDEM_OK;
    }
    int newer = look->counter > counter ||
                (look->counter == counter && tandem_version_compare(&look->boot->version, &version) > 0);
    state->active = status != TANDEM_OK || !newer;
    state->counter = state->active ? look->counter : counter;
    if (status == TANDEM_OK)
        state->phase = TANDEM_PHASE_PENDING;
    return 1;
}

/* Why the confirmed bank is taken, by what became of the other. */
static enum tandem_boot_reason reason_for(enum tandem_status candidate)
{
    if (candidate == TANDEM_OK)
        return TANDEM_BOOT_CONFIRMED;
    if (candidate == TANDEM_ERROR_REVERTED)
        return TANDEM_BOOT_REVERTED;
    return TANDEM_CONFIG_EXCHANGE && candidate == TANDEM_ERROR_TRIAL ? TANDEM_BOOT_KEPT : TANDEM_BOOT_REFUSED;
}

/* The confirmed bank; if it does not verify, nor when asked again, whatever else does. */
static enum tandem_boot_reason take_confirmed(struct look *look, enum tandem_status candidate)
{
    struct tandem_bank_state *state = &look->bank.state;
    enum tandem_status status = verify_home(look, state->active, TANDEM_PHASE_REVERTING);
    if (status != TANDEM_OK && !is_half_way(look))
        status = verify_home(look, state->active, TANDEM_PHASE_REVERTING);
    if (status == TANDEM_OK)
        return reason_for(candidate);
    look->boot->status = status;
    if (is_half_way(look))
        return TANDEM_BOOT_NONE;
    tandem_bank_set_outcome(state, status, TANDEM_STAGE_BOOT); /* else a host would be told that all is well */
    if (verify(look, !state->active) != TANDEM_OK)
        return TANDEM_BOOT_NONE;
    state->active = !state->active;
    state->phase = TANDEM_PHASE_REJECTED;
    state->attempts = 0;
    if (bring_home(look, state->active, TANDEM_PHASE_REVERTING) != TANDEM_OK)
        return TANDEM_BOOT_NONE;
    return TANDEM_BOOT_FALLBACK;
}

/* Finish what a cut interrupted. */
static enum tandem_status finish_exchange(struct look *look)
{
    struct tandem_bank_state *state = &look->bank.state;
    if (!is_half_way(look))
        return TANDEM_OK;
    look->boot->status = tandem_exchange_run(&look->bank);
    if (look->boot->status != TANDEM_OK)
        return TANDEM_ERROR_NOTHING;
    if (state->phase == TANDEM_PHASE_REJECTED)
        look->boot->status = state->outcome.status;
    return TANDEM_OK;
}

static enum tandem_boot_reason choose(struct look *look, int first)
{
    enum tandem_boot_reason reason;
    if (first && look->bank.state.phase != TANDEM_PHASE_PENDING) {
        reason = take_confirmed(look, TANDEM_OK);
        return reason == TANDEM_BOOT_CONFIRMED ? TANDEM_BOOT_FIRST : reason;
    }
    reason = try_candidate(look);
    if (reason != TANDEM_BOOT_NONE || is_half_way(look))
        return reason;
    return take_confirmed(look, look->boot->status);
}

/*
 * The question before anything is kept: a decision changes neither counter nor keys, and which bank is confirmed only
 * when that one is given up. If another than the confirmed one is started, it had a trial left.
 */
static int is_plausible(const struct look *look, const struct tandem_bank_state *before, int first)
{
    const struct tandem_bank_state *state = &look->bank.state;
    const struct tandem_device *device = look->bank.device;
    if (first)
        return 1;
    if (state->counter != before->counter || state->revoked != before->revoked ||
        (state->active != before->active && look->boot->reason != TANDEM_BOOT_FALLBACK &&
         !(TANDEM_CONFIG_EXCHANGE && tandem_exchange_one_way(device))))
        return 0;
    return look->boot->reason == TANDEM_BOOT_NONE || look->which == state->active || may_try(device, before);
}

static enum tandem_status decide(struct look *look, struct tandem_boot *boot)
{
    enum tandem_status status = finish_exchange(look);
    if (status != TANDEM_OK)
        return status;
    struct tandem_bank_state before = look->bank.state;
    int first = look->bank.journal.newest[0] == 0;
    if (first && !survey(look))
        return TANDEM_ERROR_NOTHING;
    boot->reason = choose(look, first);
    if (boot->reason != TANDEM_BOOT_CONFIRMED)
        look->bank.state.reason = (uint8_t)boot->reason;
    if (!is_plausible(look, &before, first))
        return TANDEM_ERROR_NOTHING;
    /* Kept also when nothing can be started: recovery must not take a lost trial for one that goes on. */
    if (memcmp(&before, &look->bank.state, sizeof before) != 0)
        status = tandem_bank_store(&look->bank);
    if (status != TANDEM_OK && boot->reason == TANDEM_BOOT_TRIAL) {
        /* A trial that cannot be counted could go on for ever: do not begin it. */
        boot->reason = take_confirmed(look, TANDEM_ERROR_FLASH);
        boot->status = TANDEM_ERROR_FLASH;
    }
    if (boot->reason == TANDEM_BOOT_NONE || !is_verified(look))
        return TANDEM_ERROR_NOTHING;
    boot->bank = look->which;
    return TANDEM_OK;
}

enum tandem_status tandem_boot_decide(struct tandem_boot *boot, const struct tandem_device *device, uint8_t *buffer,
                                      size_t size)
{
    struct look look;
    memset(boot, 0, sizeof *boot);
    memset(&look, 0, sizeof look); /* what the last start left there would look right */
    look.boot = boot;
    look.buffer = buffer;
    look.size = size;
    if (size < device->head_max)
        return TANDEM_ERROR_LAYOUT;
    enum tandem_status status = tandem_bank_open(&look.bank, device);
    if (status != TANDEM_ERROR_LAYOUT)
        status = decide(&look, boot);
    if (status != TANDEM_OK)
        memset(&boot->version, 0, sizeof *boot - offsetof(struct tandem_boot, version));
    return status;
}
