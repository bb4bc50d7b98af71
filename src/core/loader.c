/*
 * Replacing the bootloader. The rule that all of it follows: the copy that
 * does not run is erased only while the one that runs is whole, sealed and
 * marked good beyond doubt; and it is sealed only when a confirmed, signed
 * manifest names what is in it.
 */
#include "core/loader.h"

#include <string.h>

#include "core/bank.h"
#include "core/bytes.h"
#include "core/flash.h"
#include "core/stage.h"

#define LOOKS 16 /* at a seal that may have been torn */

static const struct tandem_slot *find_slot(const struct tandem_device *device)
{
    for (uint8_t i = 0; i < device->slot_count; i++)
        if (device->slots[i].mode == TANDEM_MODE_LOADER)
            return &device->slots[i];
    return NULL;
}

/* ---- which copy runs ---- */

/* The first stage's rule, afterwards: a new copy on trial runs if a try of it was counted. */
static uint8_t running_of(const struct stage_look looks[2])
{
    uint8_t newer = stage_newer(looks);
    if (stage_is_settled(&looks[newer], &looks[!newer]))
        return newer;
    return looks[newer].next > STAGE_TRY ? newer : !newer;
}

static uint8_t look_at_both(const struct tandem_area copies[2], struct stage_look looks[2])
{
    tandem_stage_look(&copies[0], &looks[0]);
    tandem_stage_look(&copies[1], &looks[1]);
    return running_of(looks);
}

/* A copy that was started had a seal that read well then, though it may be a torn one. @return 1: it is found */
static int look_well(const struct tandem_area *copy, struct stage_look *look)
{
    for (uint8_t looks = 0; looks < LOOKS; looks++) {
        tandem_stage_look(copy, look);
        if (look->rank >= RANK_GIVEN_UP)
            return 1;
    }
    return 0;
}

uint8_t tandem_loader_running(const struct tandem_area copies[2])
{
    struct stage_look looks[2];
    return look_at_both(copies, looks);
}

struct tandem_area tandem_loader_area(const struct tandem_slot *slot, int running)
{
    uint8_t copy = tandem_loader_running(slot->areas);
    struct tandem_area area = slot->areas[running ? copy : !copy];
    area.size -= TANDEM_STAGE_TAIL;
    return area;
}

uint8_t tandem_loader_variant(const struct tandem_bank *bank, uint8_t kind, uint8_t which)
{
    const struct tandem_slot *slot = find_slot(bank->device);
    if (slot == NULL || slot->kind != kind)
        return which;
    uint8_t copy = tandem_loader_running(slot->areas);
    return which == tandem_bank_running(bank) ? copy : !copy;
}

int tandem_loader_runs(const struct tandem_slot *slot, const struct tandem_image *image)
{
    struct stage_look looks[2];
    const struct stage_look *look = &looks[look_at_both(slot->areas, looks)];
    return look->rank >= RANK_GIVEN_UP && look->seal.size == image->size &&
           memcmp(look->seal.digest, image->digest, SEAL_DIGEST_SIZE) == 0;
}

/* ---- seals ---- */

/*
 * A mark that was torn may read well today and not tomorrow. It stands in
 * pairs: the second was begun only after the first was whole, so where both
 * read well, the first stays. Once all places are spent there is no better
 * word than what reads well.
 */
static int is_good_for_sure(const struct stage_look *look)
{
    uint32_t good = look->seals >> STAGE_GOOD, pairs = good & good >> 1;
    return (pairs & 5) != 0 || (good != 0 && look->spent >> STAGE_GOOD == 15);
}

/* The first of `count` places in a row, from a multiple of `count` on, that are not spent; `end`: there are none. */
static uint32_t free_place(const struct stage_look *look, uint32_t begin, uint32_t end, uint32_t count)
{
    while (begin < end && (look->spent >> begin & ((1u << count) - 1)) != 0)
        begin += count;
    return begin;
}

static enum tandem_status write_seal(const struct tandem_area *copy, uint32_t place, const struct stage_seal *seal,
                                     const struct tandem_system_port *system)
{
    return tandem_flash_program(copy->flash, stage_place(copy, place), seal, sizeof *seal, system);
}

static void close_seal(struct stage_seal *seal, uint8_t erased)
{
    seal->magic = SEAL_MAGIC;
    memset(&seal->erased, erased, sizeof seal->erased);
    tandem_store_le32((uint8_t *)&seal->crc, tandem_crc32(TANDEM_CRC32_START, seal, offsetof(struct stage_seal, crc)));
}

/* Mark a copy good for sure: in a pair that was not begun, else in what is left of them. */
static enum tandem_status make_good(const struct tandem_area *copy, const struct stage_look *look,
                                    const struct tandem_system_port *system)
{
    if (is_good_for_sure(look))
        return TANDEM_OK;
    uint32_t count = 2, place = free_place(look, STAGE_GOOD, STAGE_PLACES, count);
    if (place == STAGE_PLACES) {
        count = 1;
        place = free_place(look, STAGE_GOOD, STAGE_PLACES, count);
    }
    enum tandem_status status = place < STAGE_PLACES ? TANDEM_OK : TANDEM_ERROR_FLASH;
    for (; count != 0 && status == TANDEM_OK; count--, place++)
        status = write_seal(copy, place, &look->seal, system);
    return status;
}

enum tandem_status tandem_loader_good(const struct tandem_device *device, uint8_t here)
{
    const struct tandem_slot *slot = find_slot(device);
    struct stage_look look;
    if (slot == NULL)
        return TANDEM_OK;
    return look_well(&slot->areas[here & 1], &look) ? make_good(&slot->areas[here & 1], &look, device->system)
                                                    : TANDEM_ERROR_NOTHING;
}

enum tandem_status tandem_loader_may_replace(const struct tandem_slot *slot, const struct tandem_system_port *system)
{
    struct stage_look looks[2];
    uint8_t copy = look_at_both(slot->areas, looks);
    if (looks[!copy].rank < RANK_GIVEN_UP && !look_well(&slot->areas[!copy], &looks[!copy]))
        return TANDEM_OK; /* nothing is lost with the other */
    /* What was marked may have been torn, and have read better then. */
    return stage_is_good(&looks[copy]) ? make_good(&slot->areas[copy], &looks[copy], system) : TANDEM_ERROR_TRIAL;
}

/* ---- the bootloader's part ---- */

struct loader {
    struct tandem_bank bank;
    const struct tandem_slot *slot;
    const struct tandem_area *copy; /* the one that does not run */
    uint8_t which;                  /* its number */
    struct stage_look looks[2];     /* of both */
};

/* A new bootloader did not make it. An update that has begun since then needs the outcome for itself. */
static void report(struct loader *loader)
{
    struct tandem_bank_state *state = &loader->bank.state;
    if (state->phase != TANDEM_PHASE_PREVIOUS && state->phase != TANDEM_PHASE_REJECTED &&
        state->phase != TANDEM_PHASE_UNKNOWN && state->phase != TANDEM_PHASE_ERASED)
        return;
    state->outcome.status = TANDEM_ERROR_REVERTED;
    state->outcome.stage = TANDEM_STAGE_BOOT;
    state->outcome.image = loader->slot->kind;
    state->outcome.detail = 0;
    state->outcome.seen = 0;
    (void)tandem_bank_store(&loader->bank);
}

/* The first stage passed over the newer copy. Noted in so many places that no torn one makes it look as if it ran. */
static void give_up(struct loader *loader)
{
    report(loader);
    for (uint32_t place = loader->looks[loader->which].next; place < STAGE_GOOD; place++)
        tandem_stage_mark(loader->copy, place);
}

/* Read the copy once: whether it has the digest that was signed, and what its checksum is. */
static int matches(const struct loader *loader, const struct tandem_image *image, struct stage_seal *seal)
{
    const struct tandem_device *device = loader->bank.device;
    const struct tandem_flash_port *flash = loader->copy->flash;
    struct tandem_sha256 hash;
    uint8_t piece[STAGE_PLACE], digest[TANDEM_SHA256_SIZE] = {0};
    enum tandem_status status = tandem_sha256_init(&hash, device->crypto);
    uint32_t crc = TANDEM_CRC32_START;
    for (uint32_t at = 0; at < image->size && status == TANDEM_OK; at += STAGE_PLACE) {
        uint32_t left = image->size - at;
        status = flash->read(flash->ctx, loader->copy->address + at, piece, STAGE_PLACE);
        crc = tandem_crc32(crc, piece, STAGE_PLACE);
        if (status == TANDEM_OK)
            status = tandem_sha256_update(&hash, piece, left < STAGE_PLACE ? left : STAGE_PLACE);
        tandem_watchdog(device->system);
    }
    if (status == TANDEM_OK)
        status = tandem_sha256_final(&hash, digest);
    seal->size = image->size;
    seal->image_crc = crc;
    memcpy(seal->digest, digest, sizeof seal->digest);
    return status == TANDEM_OK && tandem_equal(digest, image->digest, sizeof digest);
}

/* Whether the newest package of the confirmed bank, and no other, brought what is in the copy. */
static int is_wanted(const struct loader *loader, struct stage_seal *seal, uint8_t *buffer, size_t size)
{
    const struct tandem_bank *bank = &loader->bank;
    struct tandem_heads heads = tandem_bank_heads(bank, bank->state.active);
    struct tandem_manifest manifest;
    struct tandem_image image;
    return !tandem_flash_is_erased(loader->copy->flash, loader->copy->address, STAGE_PLACE) &&
           tandem_bank_next_head(&heads, bank->device, &manifest, buffer, size) == TANDEM_OK &&
           tandem_manifest_find(&manifest, loader->slot->kind, loader->which, &image) == TANDEM_OK &&
           image.size <= loader->copy->size - TANDEM_STAGE_TAIL && matches(loader, &image, seal) &&
           tandem_bank_authenticate(bank->device, &manifest, bank->state.revoked) == TANDEM_OK;
}

/* Whether the copy may be sealed: an update may be about to write there, or have stopped in the erase of its tail. */
static int is_at_rest(const struct loader *loader)
{
    return loader->bank.state.phase != TANDEM_PHASE_UNKNOWN && loader->bank.state.phase != TANDEM_PHASE_RECEIVING &&
           loader->looks[loader->which].spent >> STAGE_TRY == 0;
}

/* Who runs on the word of a single seal runs on one that may have been torn: written once more, it stays. */
static void firm_up(const struct loader *loader, uint8_t here)
{
    const struct stage_look *own = &loader->looks[here];
    uint32_t place = free_place(own, STAGE_SEAL, STAGE_TRY, 1);
    if ((own->seals & (own->seals - 1)) == 0 && place < STAGE_TRY)
        (void)write_seal(&loader->slot->areas[here], place, &own->seal, loader->bank.device->system);
}

/* Seal the copy if it is wanted. A seal that did not lead to a start is followed by another, while there are places. */
static int bring(struct loader *loader, uint8_t *buffer, size_t size)
{
    const struct stage_look *look = &loader->looks[loader->which];
    struct stage_seal seal;
    uint32_t place = free_place(look, STAGE_SEAL, STAGE_TRY, 1);
    if (!is_at_rest(loader))
        return 0;
    if (place == STAGE_TRY || !is_wanted(loader, &seal, buffer, size)) {
        if (look->seals != 0)
            give_up(loader);
        return 0;
    }
    const struct stage_look *own = &loader->looks[!loader->which];
    seal.sequence = own->seals != 0 ? own->seal.sequence + 1 : RANK_FIRST;
    close_seal(&seal, loader->copy->flash->erased);
    /* A restart would cost a firmware on trial one of its starts: then the next one will do. */
    return write_seal(loader->copy, place, &seal, loader->bank.device->system) == TANDEM_OK &&
           loader->bank.state.phase != TANDEM_PHASE_TRIAL;
}

int tandem_loader_run(const struct tandem_device *device, uint8_t here, uint8_t *buffer, size_t size)
{
    struct loader loader = {.slot = find_slot(device), .which = !here};
    if (loader.slot == NULL || tandem_bank_open(&loader.bank, device) != TANDEM_OK)
        return 0;
    loader.copy = &loader.slot->areas[loader.which];
    (void)look_at_both(loader.slot->areas, loader.looks);
    const struct stage_look *own = &loader.looks[here], *other = &loader.looks[loader.which];
    if (own->seals == 0 && own->next > STAGE_TRY)
        (void)look_well(&loader.slot->areas[here], &loader.looks[here]);
    if (other->seals == 0 && other->next > STAGE_TRY)
        (void)look_well(loader.copy, &loader.looks[loader.which]); /* it was tried */
    uint8_t running = running_of(loader.looks);
    if (own->rank >= RANK_GIVEN_UP)
        firm_up(&loader, here);
    if (other->seals == 0)
        return bring(&loader, buffer, size);
    if (own->seals == 0)
        return 0; /* somebody tries out what was never sealed */
    /* Of equal ones, as a factory may write them, the first is preferred. */
    if (other->seal.sequence < own->seal.sequence + !here) {
        if (running != here) /* not counted, as the other was not whole; now it is */
            tandem_stage_mark(&loader.slot->areas[here], own->next);
        return 0;
    }
    if (other->next == STAGE_TRY && !stage_is_good(other))
        return bring(&loader, buffer, size);
    if (other->next < STAGE_GOOD)
        give_up(&loader);
    return 0;
}

/* ---- the factory's part ---- */

enum tandem_status tandem_loader_tail(uint8_t tail[TANDEM_STAGE_TAIL], const uint8_t *image, uint32_t size,
                                      uint8_t erased)
{
    struct stage_seal seal = {.sequence = RANK_FIRST, .size = size};
    struct tandem_sha256 hash;
    uint8_t digest[TANDEM_SHA256_SIZE];
    enum tandem_status status = tandem_sha256_init(&hash, NULL);
    if (status == TANDEM_OK)
        status = tandem_sha256_update(&hash, image, size);
    if (status == TANDEM_OK)
        status = tandem_sha256_final(&hash, digest);
    if (status != TANDEM_OK)
        return status;
    memcpy(seal.digest, digest, sizeof seal.digest);
    seal.image_crc = tandem_crc32(TANDEM_CRC32_START, image, size);
    for (uint32_t at = size; at % STAGE_PLACE != 0; at++)
        seal.image_crc = tandem_crc32(seal.image_crc, &erased, 1);
    close_seal(&seal, erased);
    memset(tail, erased, TANDEM_STAGE_TAIL);
    memcpy(tail + STAGE_SEAL * STAGE_PLACE, &seal, sizeof seal);
    memcpy(tail + STAGE_GOOD * STAGE_PLACE, &seal, sizeof seal);
    memcpy(tail + (STAGE_GOOD + 1) * STAGE_PLACE, &seal, sizeof seal);
    return TANDEM_OK;
}
