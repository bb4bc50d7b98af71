/*
 * Dual-bank state: which bank runs, what the other holds, how the last update
 * ended. All of it is one journal record, so a change is whole or not at all.
 */
#include "core/bank.h"

#include <stddef.h>
#include <string.h>

#include "core/bytes.h"
#include "core/exchange.h"
#include "core/flash.h"
#include "core/journal.h"
#include "core/loader.h"
#include "core/package_wire.h"
#include "core/twice.h"

#define OPEN_TRIES 8

/* Whether the state lies in memory as it does in its record; a compiler knows. */
static int is_record(void)
{
    return TANDEM_WIRE_ORDER && offsetof(struct tandem_bank_state, lift) == JOURNAL_STATE_SIZE - 1 &&
           offsetof(struct tandem_outcome, detail) == 4 && offsetof(struct tandem_outcome, version) == 24;
}

/* The record of a state: in `bytes`, or where it is already. */
static const uint8_t *encode(uint8_t bytes[JOURNAL_STATE_SIZE], const struct tandem_bank_state *state)
{
    const struct tandem_outcome *outcome = &state->outcome;
    if (is_record())
        return (const uint8_t *)state;
    bytes[0] = state->active;
    bytes[1] = state->phase;
    bytes[2] = state->attempts;
    bytes[3] = state->reason;
    tandem_store_le32(bytes + 4, state->counter);
    tandem_store_le32(bytes + 8, state->revoked);
    memcpy(bytes + 12, state->proofs, 16);
    bytes[28] = (uint8_t)outcome->status;
    bytes[29] = (uint8_t)outcome->stage;
    bytes[30] = outcome->image;
    bytes[31] = outcome->seen;
    tandem_store_le32(bytes + 32, outcome->detail);
    memcpy(bytes + 36, outcome->id, TANDEM_PACKAGE_ID_SIZE);
    tandem_version_store(&outcome->version, bytes + 52);
    bytes[64] = state->home;
    bytes[65] = state->lift;
    return bytes;
}

static void decode(struct tandem_bank_state *state, const uint8_t bytes[JOURNAL_STATE_SIZE])
{
    struct tandem_outcome *outcome = &state->outcome;
    state->active = bytes[0];
    state->phase = bytes[1];
    state->attempts = bytes[2];
    state->reason = bytes[3];
    state->counter = tandem_load_le32(bytes + 4);
    state->revoked = tandem_load_le32(bytes + 8);
    memcpy(state->proofs, bytes + 12, 16);
    outcome->status = (enum tandem_status)bytes[28];
    outcome->stage = (enum tandem_stage)bytes[29];
    outcome->image = bytes[30];
    outcome->seen = bytes[31];
    outcome->detail = tandem_load_le32(bytes + 32);
    memcpy(outcome->id, bytes + 36, TANDEM_PACKAGE_ID_SIZE);
    tandem_version_load(&outcome->version, bytes + 52);
    state->home = bytes[64];
    state->lift = bytes[65];
}

/* Read the newest record; all zero if there is none. */
static enum tandem_status read_state(const struct tandem_bank *bank, struct tandem_bank_state *state)
{
    uint8_t bytes[JOURNAL_STATE_SIZE];
    enum tandem_status status =
        tandem_journal_read(&bank->journal, JOURNAL_STATE, is_record() ? (uint8_t *)state : bytes);
    if (status != TANDEM_OK || !is_record())
        memset(state, 0, sizeof *state);
    if (status == TANDEM_OK && !is_record())
        decode(state, bytes);
    state->active &= 1; /* these choose places */
    state->home &= 1;
    state->lift &= 1;
    return status;
}

/* What comes behind the last member is of no account. */
static int is_same(const struct tandem_bank_state *a, const struct tandem_bank_state *b)
{
    return memcmp(a, b, offsetof(struct tandem_bank_state, lift) + 1) == 0;
}

enum tandem_status tandem_bank_store(struct tandem_bank *bank)
{
    uint8_t bytes[JOURNAL_STATE_SIZE];
    struct tandem_bank_state stored, said;
    /* A record that says something else than it should is whole too, and counts: then another one has to follow. */
    for (unsigned tries = 0;; tries++) {
        (void)read_state(bank, &stored);
        if (tries > 0 && is_same(&stored, &bank->state))
            return TANDEM_OK;
        if (tries == AGREE_TRIES)
            return TANDEM_ERROR_FLASH;
        /* A copy, so that it shows should the state go wrong in memory on the way; and one that cannot overrun. */
        for (size_t i = 0; i < sizeof said; i++)
            ((volatile uint8_t *)&said)[i] = ((const uint8_t *)&bank->state)[i];
        enum tandem_status status = tandem_journal_append(&bank->journal, JOURNAL_STATE, encode(bytes, &said));
        if (status != TANDEM_OK)
            return status;
    }
}

enum tandem_status tandem_bank_open(struct tandem_bank *bank, const struct tandem_device *device)
{
    enum tandem_status status = TANDEM_ERROR_FLASH, before;
    struct tandem_bank_state last;
    unsigned tries = OPEN_TRIES;
    memset(bank, 0, sizeof *bank);
    bank->device = device;
    /* Until two looks agree. A record that read well in the mount and does not in the next moment was torn: the next
     * mount does without it. */
    do {
        bank = tandem_anew(bank);
        before = status;
        last = bank->state;
        status = tandem_journal_mount(&bank->journal, &device->journal, device->system);
        if (status == TANDEM_OK)
            status = read_state(bank, &bank->state);
    } while ((status == TANDEM_ERROR_FLASH || status != before || !is_same(&last, &bank->state)) && --tries > 0);
    if (status != TANDEM_OK)
        return status == TANDEM_ERROR_NOTHING ? TANDEM_OK : status;
    /* A state without its twin may be a torn write that reads well today: nothing is done on its word alone. */
    return bank->journal.twins >> JOURNAL_STATE & 1 ? TANDEM_OK : tandem_bank_store(bank);
}

void tandem_bank_set_outcome(struct tandem_bank_state *state, enum tandem_status status, enum tandem_stage stage)
{
    state->outcome.status = status;
    state->outcome.stage = stage;
    state->outcome.image = 0;
    state->outcome.seen = 0;
    state->outcome.detail = 0;
}

int tandem_bank_progress(const struct tandem_bank *bank, struct tandem_progress *progress)
{
    uint8_t bytes[JOURNAL_PROGRESS_SIZE];
    if (tandem_journal_read(&bank->journal, JOURNAL_PROGRESS, bytes) != TANDEM_OK)
        return 0;
    progress->offset = tandem_load_le32(bytes);
    progress->written = tandem_load_le32(bytes + 4);
    memcpy(progress->digest, bytes + 8, sizeof progress->digest);
    progress->step = bytes[24];
    progress->tag = tandem_load_le16(bytes + 25);
    return progress->tag == tandem_load_le16(bank->state.outcome.id);
}

enum tandem_status tandem_bank_store_progress(struct tandem_bank *bank, const struct tandem_progress *progress)
{
    uint8_t bytes[JOURNAL_PROGRESS_SIZE];
    tandem_store_le32(bytes, progress->offset);
    tandem_store_le32(bytes + 4, progress->written);
    memcpy(bytes + 8, progress->digest, sizeof progress->digest);
    bytes[24] = progress->step;
    tandem_store_le16(bytes + 25, progress->tag);
    return tandem_journal_append(&bank->journal, JOURNAL_PROGRESS, bytes);
}

uint8_t tandem_bank_running(const struct tandem_bank *bank)
{
    return bank->state.phase == TANDEM_PHASE_TRIAL ? !bank->state.active : bank->state.active;
}

uint8_t tandem_bank_free(const struct tandem_bank *bank)
{
    return !tandem_bank_running(bank);
}

struct tandem_area tandem_bank_area(const struct tandem_bank *bank, uint8_t slot, uint8_t which)
{
    const struct tandem_slot *place = &bank->device->slots[slot];
    if (tandem_loader_has(place))
        return tandem_loader_area(place, which == tandem_bank_running(bank));
    if (!tandem_exchange_has(place))
        return place->areas[which & 1];
    uint8_t stored = bank->state.home != which;
    uint32_t spare = place->mode == TANDEM_MODE_SWAP ? tandem_exchange_unit(place) : 0;
    uint32_t room = place->areas[1].size - spare;
    struct tandem_area area = place->areas[stored];
    if (stored && bank->state.lift)
        area.address += spare;
    if (room > place->areas[0].size)
        room = place->areas[0].size;
    area.size = room & ~(uint32_t)(TANDEM_CONFIG_MAX_PROGRAM_UNIT - 1);
    return area;
}

const struct tandem_area *tandem_bank_manifest_area(const struct tandem_bank *bank, uint8_t which)
{
    if (TANDEM_CONFIG_EXCHANGE && tandem_exchange_moves_manifests(bank->device))
        which = bank->state.home != which;
    return &bank->device->manifests[which & 1];
}

enum tandem_status tandem_bank_next_head(struct tandem_heads *heads, const struct tandem_device *device,
                                         struct tandem_manifest *manifest, uint8_t *buffer, size_t size)
{
    const struct tandem_flash_port *flash = heads->area->flash;
    struct tandem_package_header header;
    uint32_t left = heads->area->size - heads->at, address = heads->area->address + heads->at;
    if (left < TANDEM_PACKAGE_HEADER_SIZE)
        return TANDEM_ERROR_NOTHING;
    if (size < TANDEM_PACKAGE_HEADER_SIZE)
        return TANDEM_ERROR_SPACE;
    if (flash->read(flash->ctx, address, buffer, TANDEM_PACKAGE_HEADER_SIZE) != TANDEM_OK)
        return TANDEM_ERROR_FLASH;
    if (tandem_package_header(&header, buffer) != TANDEM_OK || header.head_size > left)
        return TANDEM_ERROR_NOTHING;
    if (header.head_size > size)
        return TANDEM_ERROR_SPACE;
    if (flash->read(flash->ctx, address, buffer, header.head_size) != TANDEM_OK)
        return TANDEM_ERROR_FLASH;
    uint32_t taken = tandem_head_space(header.head_size);
    heads->at = taken < left ? heads->at + taken : heads->area->size;
    return tandem_manifest_open(manifest, device->crypto, buffer, header.head_size);
}

/* Look for a kind among the image fields of the manifest that begins at `at` and has `left` bytes. */
static enum tandem_status find_in_manifest(const struct tandem_area *area, uint32_t at, uint32_t left, uint8_t kind,
                                           uint8_t which, struct tandem_image *image)
{
    const struct tandem_flash_port *flash = area->flash;
    uint8_t value[IMAGE_FIELD_MAX];
    while (left >= FIELD_HEAD) {
        if (flash->read(flash->ctx, area->address + at, value, FIELD_HEAD) != TANDEM_OK)
            return TANDEM_ERROR_FLASH;
        uint16_t type = tandem_load_le16(value), size = tandem_load_le16(value + 2);
        at += FIELD_HEAD;
        left -= FIELD_HEAD;
        if (size > left)
            break;
        if (type == FIELD_IMAGE && size <= sizeof value) {
            if (flash->read(flash->ctx, area->address + at, value, size) != TANDEM_OK)
                return TANDEM_ERROR_FLASH;
            if (tandem_image_parse(image, value, size) == TANDEM_OK && image->kind == kind &&
                (image->variant == which || image->variant == TANDEM_VARIANT_ANY))
                return TANDEM_OK;
        }
        at += size;
        left -= size;
    }
    return TANDEM_ERROR_NOTHING;
}

enum tandem_status tandem_bank_find_image(const struct tandem_bank *bank, uint8_t which, uint8_t kind,
                                          struct tandem_image *image)
{
    const struct tandem_area *area = tandem_bank_manifest_area(bank, which);
    struct tandem_package_header header;
    uint8_t bytes[TANDEM_PACKAGE_HEADER_SIZE];
    uint8_t variant = TANDEM_CONFIG_LOADER ? tandem_loader_variant(bank, kind, which) : which;
    uint32_t at = 0;
    while (area->size - at >= sizeof bytes) {
        if (area->flash->read(area->flash->ctx, area->address + at, bytes, sizeof bytes) != TANDEM_OK)
            return TANDEM_ERROR_FLASH;
        if (tandem_package_header(&header, bytes) != TANDEM_OK || header.head_size > area->size - at)
            break;
        enum tandem_status status =
            find_in_manifest(area, at + TANDEM_PACKAGE_HEADER_SIZE, header.manifest_size, kind, variant, image);
        if (status != TANDEM_ERROR_NOTHING)
            return status;
        uint32_t taken = tandem_head_space(header.head_size);
        if (taken > area->size - at)
            break;
        at += taken;
    }
    return TANDEM_ERROR_NOTHING;
}

enum tandem_status tandem_bank_manifest(const struct tandem_bank *bank, uint8_t which, uint8_t kind,
                                        struct tandem_manifest *manifest, struct tandem_image *image, uint8_t *buffer,
                                        size_t size)
{
    struct tandem_image found;
    struct tandem_heads heads = tandem_bank_heads(bank, which);
    enum tandem_status status;
    while ((status = tandem_bank_next_head(&heads, bank->device, manifest, buffer, size)) == TANDEM_OK)
        if (kind == 0 || tandem_manifest_find(manifest, kind, which, image != NULL ? image : &found) == TANDEM_OK)
            return TANDEM_OK;
    return status == TANDEM_ERROR_SPACE || status == TANDEM_ERROR_FLASH ? status : TANDEM_ERROR_NOTHING;
}

enum tandem_status tandem_bank_authenticate(const struct tandem_device *device, const struct tandem_manifest *manifest,
                                            uint32_t revoked)
{
    uint8_t needed = device->signatures_needed ? device->signatures_needed : 1;
    enum tandem_status status =
        tandem_manifest_verify(manifest, device->crypto, device->keys, device->key_count, revoked, needed);
    return status == TANDEM_ERROR_UNSIGNED && device->allow_unsigned ? TANDEM_OK : status;
}

enum tandem_status tandem_bank_proof_begin(struct tandem_sha256 *hash, const struct tandem_device *device,
                                           uint8_t which)
{
    enum tandem_status status = tandem_sha256_init(hash, device->crypto);
    return status == TANDEM_OK ? tandem_sha256_update(hash, &which, 1) : status;
}

uint32_t tandem_bank_revocations(const struct tandem_device *device, const struct tandem_manifest *manifest)
{
    uint8_t id[TANDEM_KEY_ID_SIZE];
    uint32_t revoked = 0;
    for (uint8_t i = 0; i < device->key_count && manifest->revoked_count != 0; i++) {
        if (tandem_key_id(device->crypto, &device->keys[i], id) != TANDEM_OK)
            continue;
        for (uint8_t j = 0; j < manifest->revoked_count; j++)
            if (memcmp(manifest->revoked + (size_t)j * TANDEM_KEY_ID_SIZE, id, sizeof id) == 0)
                revoked |= 1u << i;
    }
    return revoked;
}

/* What confirmation makes of the state. */
static enum tandem_status confirm(struct tandem_bank *bank, uint8_t *buffer, size_t size)
{
    struct tandem_manifest manifest;
    struct tandem_bank_state *state = &bank->state;
    uint8_t running = tandem_bank_running(bank);
    enum tandem_status status = tandem_bank_manifest(bank, running, 0, &manifest, NULL, buffer, size);
    /* What a damaged head says of counter and keys would be kept for ever: it must be the one that was installed. */
    if (status == TANDEM_OK && memcmp(manifest.id, state->outcome.id, sizeof manifest.id) != 0)
        status = tandem_bank_trust(bank, running, &manifest, state->revoked);
    if (status != TANDEM_OK)
        return status;
    state->active = running;
    state->phase = TANDEM_PHASE_PREVIOUS;
    state->attempts = 0;
    if (manifest.counter > state->counter)
        state->counter = manifest.counter;
    uint32_t revoked = state->revoked | tandem_bank_revocations(bank->device, &manifest);
    if (revoked != state->revoked)
        memset(state->proofs, 0, sizeof state->proofs); /* they stood for signatures by these keys too */
    state->revoked = revoked;
    tandem_bank_set_outcome(state, TANDEM_OK, TANDEM_STAGE_CONFIRMED);
    return TANDEM_OK;
}

enum tandem_status tandem_bank_confirm(struct tandem_bank *bank, uint8_t *buffer, size_t size)
{
    struct tandem_bank_state last;
    enum tandem_status status;
    unsigned tries = AGREE_TRIES;
    if (bank->state.phase != TANDEM_PHASE_TRIAL)
        return TANDEM_OK;
    do {
        last = bank->state;
        status = read_state(bank, &bank->state);
        if (status == TANDEM_OK)
            status = confirm(bank, buffer, size);
    } while (status == TANDEM_OK && !is_same(&last, &bank->state) && --tries > 0);
    if (status == TANDEM_OK)
        status = tandem_bank_store(bank);
    if (status != TANDEM_OK)
        (void)read_state(bank, &bank->state);
    return status;
}

enum tandem_status tandem_bank_outcome_seen(struct tandem_bank *bank)
{
    if (bank->state.outcome.seen || bank->state.outcome.stage == TANDEM_STAGE_NONE)
        return TANDEM_OK;
    bank->state.outcome.seen = 1;
    enum tandem_status status = tandem_bank_store(bank);
    if (status != TANDEM_OK)
        bank->state.outcome.seen = 0;
    return status;
}
