/*
 * Swap: the store has one unit to spare. Unit by unit, what runs is copied
 * into the spare one, then what is stored over what ran; that frees the next
 * one. Afterwards what is stored lies one unit further or one nearer, so that
 * the way back is the same walk from the other end, and each sector of either
 * area is erased once.
 *
 * Overwrite: sector by sector, what is stored over what ran.
 *
 * The journal tells which half of which part comes next. The source of a half
 * is not touched before the next one is noted, so it can be done again.
 */
#include "core/exchange.h"

#include <string.h>

#include "core/bank.h"
#include "core/bytes.h"
#include "core/flash.h"
#include "core/journal.h"

#define PIECE_SIZE 256u /* bytes copied at a time */
#define PART_TRIES 3

/* What comes next. One journal record. */
struct exchange {
    uint8_t slot;
    uint8_t half;  /* of a swap: 0: what runs into the store; 1: what is stored to where it runs */
    uint32_t at;   /* bytes of the slot that are done */
    uint32_t size; /* bytes of the slot that are to be moved */
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t whole_units(uint32_t size)
{
    return (size + TANDEM_CONFIG_MAX_PROGRAM_UNIT - 1) & ~(uint32_t)(TANDEM_CONFIG_MAX_PROGRAM_UNIT - 1);
}

uint32_t tandem_exchange_unit(const struct tandem_slot *slot)
{
    uint32_t largest = 0;
    for (uint8_t i = 0; i < 2; i++) {
        const struct tandem_area *area = &slot->areas[i];
        for (uint8_t j = 0; j < area->flash->region_count; j++) {
            const struct tandem_flash_region *region = &area->flash->regions[j];
            if (region->sector_size > largest && region->address < area->address + area->size &&
                area->address <= region->address + (region->sector_size * region->count - 1))
                largest = region->sector_size;
        }
    }
    return largest;
}

int tandem_exchange_one_way(const struct tandem_device *device)
{
    for (uint8_t i = 0; i < device->slot_count; i++)
        if (device->slots[i].mode == TANDEM_MODE_OVERWRITE)
            return 1;
    return 0;
}

static int is_followed_by_manifest(const struct tandem_device *device, const struct tandem_slot *slot)
{
    const struct tandem_area *area = &slot->areas[0], *manifest = &device->manifests[0];
    return slot->mode == TANDEM_MODE_OVERWRITE && area->flash == manifest->flash &&
           area->address + area->size == manifest->address;
}

int tandem_exchange_moves_manifests(const struct tandem_device *device)
{
    for (uint8_t i = 0; i < device->slot_count; i++)
        if (is_followed_by_manifest(device, &device->slots[i]))
            return 1;
    return 0;
}

int tandem_exchange_needed(const struct tandem_bank *bank, uint8_t which)
{
    for (uint8_t i = 0; i < bank->device->slot_count; i++)
        if (tandem_exchange_has(&bank->device->slots[i]))
            return bank->state.home != which;
    return 0;
}

/* ---- copying ---- */

/* Erase the sectors that `room` bytes of `to` lie in, then copy whole program units there, as far as it goes. */
static enum tandem_status renew(const struct tandem_bank *bank, struct tandem_area to, uint32_t room,
                                struct tandem_area from, uint32_t size)
{
    uint8_t piece[PIECE_SIZE];
    struct tandem_sector sector;
    enum tandem_status status = TANDEM_OK;
    for (uint32_t at = to.address; at < to.address + room && status == TANDEM_OK; at = sector.address + sector.size)
        status = tandem_flash_sector(to.flash, at, &sector)
                     ? tandem_flash_erase(to.flash, sector.address, bank->device->system)
                     : TANDEM_ERROR_FLASH;
    for (uint32_t at = 0, part; at < size && status == TANDEM_OK; at += part) {
        part = least(size - at, sizeof piece);
        status = from.flash->read(from.flash->ctx, from.address + at, piece, part);
        if (status == TANDEM_OK)
            status = tandem_flash_program(to.flash, to.address + at, piece, part, bank->device->system);
    }
    return status;
}

/* ---- one part of a slot ---- */

static enum tandem_status swap_part(const struct tandem_bank *bank, struct exchange *now)
{
    const struct tandem_slot *slot = &bank->device->slots[now->slot];
    struct tandem_area run = slot->areas[0], spare = slot->areas[1], stored = slot->areas[1];
    uint32_t unit = tandem_exchange_unit(slot), place = now->at, last = 0;
    /* From the end on where the spare unit is the last one. */
    while (now->size - last > unit)
        last += unit;
    if (!bank->state.lift)
        place = last - now->at;
    run.address += place;
    spare.address += place;
    stored.address += place;
    if (bank->state.lift)
        stored.address += unit;
    else
        spare.address += unit;
    now->half = !now->half;
    if (now->half)
        return renew(bank, spare, unit, run, unit);
    now->at += unit;
    return renew(bank, run, unit, stored, unit);
}

/* Overwrite one sector, and move on to the next one that has something; UINT32_MAX: it was the last. */
static enum tandem_status overwrite_part(const struct tandem_bank *bank, struct exchange *now)
{
    const struct tandem_device *device = bank->device;
    const struct tandem_slot *slot = &device->slots[now->slot];
    struct tandem_area run = slot->areas[0], store = slot->areas[1];
    struct tandem_area head = device->manifests[0], stored_head = device->manifests[1];
    struct tandem_sector sector;
    uint32_t at = now->at, room = 1;
    enum tandem_status status = TANDEM_OK;
    now->at = UINT32_MAX;
    if (!tandem_flash_sector(run.flash, run.address + at, &sector))
        return TANDEM_ERROR_FLASH;
    uint32_t end = sector.address + sector.size - run.address;
    if (!is_followed_by_manifest(device, slot)) {
        now->at = end;
    } else if (end <= run.size) {
        tandem_flash_sector(head.flash, head.address, &sector);
        now->at = end < now->size ? end : sector.address - run.address;
    } else {
        /* The head goes along: with what is last in its sector, or alone. */
        status = renew(bank, head, head.size, stored_head, least(head.size, stored_head.size));
        room = 0;
    }
    run.address += at;
    store.address += at;
    return status == TANDEM_OK ? renew(bank, run, room, store, at < now->size ? least(end, now->size) - at : 0)
                               : status;
}

/* ---- the walk ---- */

/* Bytes of a slot that either bank's image takes, in whole program units. */
static uint32_t bytes_to_move(const struct tandem_bank *bank, uint8_t slot)
{
    struct tandem_image image;
    uint32_t most = 0;
    for (uint8_t which = 0; which < 2; which++)
        if (tandem_bank_find_image(bank, which, bank->device->slots[slot].kind, &image) == TANDEM_OK &&
            image.size > most)
            most = image.size;
    uint32_t room = tandem_bank_area(bank, slot, 0).size;
    return most > room ? room : whole_units(most);
}

/* Begin at the first of the slots from `slot` on that has something to move. */
static void take_slot(const struct tandem_bank *bank, struct exchange *next, uint8_t slot)
{
    memset(next, 0, sizeof *next);
    for (; slot < bank->device->slot_count; slot++) {
        next->size = tandem_exchange_has(&bank->device->slots[slot]) ? bytes_to_move(bank, slot) : 0;
        if (next->size != 0)
            break;
    }
    next->slot = slot;
}

/*
 * A part that fails is done again a few times, and then left: half an
 * exchange is worse than a damaged image, which its digest will tell.
 */
static void do_part(const struct tandem_bank *bank, struct exchange *now)
{
    const struct tandem_slot *slot = &bank->device->slots[now->slot];
    const struct exchange before = *now;
    enum tandem_status status = TANDEM_ERROR_FLASH;
    for (uint8_t tries = 0; tries < PART_TRIES && status != TANDEM_OK; tries++) {
        *now = before;
        status = slot->mode == TANDEM_MODE_OVERWRITE ? overwrite_part(bank, now) : swap_part(bank, now);
    }
    if (now->at >= (is_followed_by_manifest(bank->device, slot) ? UINT32_MAX : now->size))
        take_slot(bank, now, (uint8_t)(now->slot + 1));
}

static enum tandem_status note(struct tandem_bank *bank, const struct exchange *next)
{
    uint8_t bytes[JOURNAL_EXCHANGE_SIZE] = {0};
    bytes[0] = next->slot;
    bytes[1] = next->half;
    tandem_store_le32(bytes + 4, next->at);
    tandem_store_le32(bytes + 8, next->size);
    return tandem_journal_append(&bank->journal, JOURNAL_EXCHANGE, bytes);
}

enum tandem_status tandem_exchange_begin(struct tandem_bank *bank, enum tandem_phase phase)
{
    struct exchange first;
    enum tandem_status status = TANDEM_OK;
    if (bank->journal.newest[JOURNAL_STATE] == 0)
        status = tandem_bank_store(bank);
    take_slot(bank, &first, 0);
    if (status == TANDEM_OK)
        status = note(bank, &first);
    if (status != TANDEM_OK)
        return status; /* a phase of exchange without its first part would be gone on with where an older one ended */
    bank->state.phase = (uint8_t)phase;
    return tandem_bank_store(bank);
}

/* All is where it belongs. */
static enum tandem_status finish(struct tandem_bank *bank)
{
    struct tandem_bank_state *state = &bank->state, before = *state;
    int trial = state->phase == TANDEM_PHASE_SWAPPING;
    state->home = trial ? !state->active : state->active;
    state->lift = !state->lift;
    state->phase = trial ? TANDEM_PHASE_TRIAL : TANDEM_PHASE_REJECTED;
    state->attempts = 0;
    memset(state->proofs, 0, sizeof state->proofs); /* they stood for images in other places */
    enum tandem_status status = tandem_bank_store(bank);
    if (status != TANDEM_OK)
        *state = before; /* it is not over */
    return status;
}

static void sync(const struct tandem_slot *slot)
{
    for (uint8_t i = 0; i < 2; i++)
        (void)tandem_flash_sync(slot->areas[i].flash);
}

enum tandem_status tandem_exchange_run(struct tandem_bank *bank)
{
    uint8_t bytes[JOURNAL_EXCHANGE_SIZE];
    enum tandem_status status = tandem_journal_read(&bank->journal, JOURNAL_EXCHANGE, bytes);
    struct exchange now = {bytes[0], bytes[1], tandem_load_le32(bytes + 4), tandem_load_le32(bytes + 8)};
    if (status != TANDEM_OK)
        return TANDEM_ERROR_FLASH;
    while (now.slot < bank->device->slot_count) {
        /* Noted anew after a reset too: a record that was torn may read well today and not tomorrow. */
        status = note(bank, &now);
        if (status != TANDEM_OK)
            return status;
        uint8_t slot = now.slot;
        do_part(bank, &now);
        sync(&bank->device->slots[slot]);
    }
    return finish(bank);
}

void tandem_exchange_restore(const struct tandem_bank *bank, uint8_t slot, uint32_t image_size)
{
    struct exchange now = {slot, 0, 0, whole_units(image_size)};
    while (now.slot == slot)
        do_part(bank, &now);
    sync(&bank->device->slots[slot]);
}
