/*
 * The device's description, checked: what is wrong with a layout is said at
 * init, in words, and not found out in the field.
 */
#include "tandem/device.h"

#include <string.h>

#include "core/exchange.h"
#include "core/flash.h"
#include "core/journal.h"
#include "core/loader.h"

/* A build whose layout has been checked can leave the words out. */
#if TANDEM_CONFIG_LAYOUT_WORDS
#define WORDS(text) text
#else
#define WORDS(text) ""
#endif

static enum tandem_status fault(const char **reason, const char *text)
{
    *reason = text;
    return TANDEM_ERROR_LAYOUT;
}

static int is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static enum tandem_status check_flash(const struct tandem_flash_port *flash, const char **reason)
{
    if (flash == NULL || flash->read == NULL || flash->program == NULL || flash->erase == NULL ||
        flash->regions == NULL || flash->region_count == 0)
        return fault(reason, WORDS("a flash port lacks a function or its sector map"));
    if (!is_power_of_two(flash->program_unit) || flash->program_unit > TANDEM_CONFIG_MAX_PROGRAM_UNIT)
        return fault(reason, WORDS("a program unit is not a power of two up to TANDEM_CONFIG_MAX_PROGRAM_UNIT"));
    if (flash->erased != 0xFF && flash->erased != 0x00)
        return fault(reason, WORDS("an erased byte is neither 0xFF nor 0x00"));
    uint64_t end = 0;
    for (uint8_t i = 0; i < flash->region_count; i++) {
        const struct tandem_flash_region *region = &flash->regions[i];
        if (region->sector_size == 0 || region->count == 0 || region->sector_size % flash->program_unit != 0)
            return fault(reason, WORDS("a sector is not whole program units"));
        if (region->address < end)
            return fault(reason, WORDS("the sector map is not ascending, or overlaps"));
        end = region->address + (uint64_t)region->sector_size * region->count;
        if (end > 0x100000000u)
            return fault(reason, WORDS("a flash reaches beyond 32 bits of address"));
    }
    return TANDEM_OK;
}

/* An area must be covered by sectors without a gap, and begin (and, if asked, end) on sector borders. */
static enum tandem_status check_area(const struct tandem_area *area, int tail_of_sector, const char **reason)
{
    enum tandem_status status = check_flash(area->flash, reason);
    if (status != TANDEM_OK)
        return status;
    if (area->size == 0 || area->size > 0xFFFFFFFFu - area->address)
        return fault(reason, WORDS("an area is empty or too large"));
    uint32_t address = area->address, end = area->address + area->size;
    struct tandem_sector sector;
    while (address < end) {
        if (!tandem_flash_sector(area->flash, address, &sector))
            return fault(reason, WORDS("an area lies outside its flash"));
        if (address == area->address && sector.address != address && !tail_of_sector)
            return fault(reason, WORDS("an area does not begin on a sector border"));
        if (address % area->flash->program_unit != 0)
            return fault(reason, WORDS("an area does not begin on a program unit"));
        address = sector.address + sector.size;
    }
    return address == end ? TANDEM_OK : fault(reason, WORDS("an area does not end on a sector border"));
}

static int overlap(const struct tandem_area *a, const struct tandem_area *b)
{
    return a->flash == b->flash && a->address < b->address + b->size && b->address < a->address + a->size;
}

static int overlaps_any_slot(const struct tandem_device *device, const struct tandem_area *area)
{
    for (uint8_t i = 0; i < device->slot_count; i++)
        for (uint8_t bank = 0; bank < 2; bank++)
            if (&device->slots[i].areas[bank] != area && overlap(area, &device->slots[i].areas[bank]))
                return 1;
    return 0;
}

static int precedes(const struct tandem_area *a, const struct tandem_area *b)
{
    return a->flash == b->flash && a->address + a->size == b->address;
}

/* A swap moves whole units, which no sector may cross; the store needs one to spare. */
static int is_in_units(const struct tandem_area *area, uint32_t unit)
{
    struct tandem_sector sector;
    for (uint32_t at = 0; at < area->size; at += sector.size)
        if (!tandem_flash_sector(area->flash, area->address + at, &sector) || at % unit + sector.size > unit)
            return 0;
    return area->size % unit == 0;
}

static enum tandem_status check_exchange(const struct tandem_device *device, const struct tandem_slot *slot,
                                         const char **reason)
{
    if (!tandem_exchange_has(slot))
        return TANDEM_OK;
    uint32_t unit = tandem_exchange_unit(slot);
    if (slot->mode == TANDEM_MODE_OVERWRITE) {
        if (precedes(&slot->areas[0], &device->manifests[0]) != precedes(&slot->areas[1], &device->manifests[1]))
            return fault(reason, WORDS("only one of an overwritten slot's areas is followed by its manifest"));
    } else if (!is_in_units(&slot->areas[0], unit) || !is_in_units(&slot->areas[1], unit)) {
        return fault(reason, WORDS("a swapped slot's areas are not whole units of its largest sector"));
    } else if (slot->areas[1].size <= unit) {
        return fault(reason, WORDS("a swapped slot's store has no unit to spare"));
    }
    return TANDEM_OK;
}

/* The two copies of the bootloader are erased for themselves, and end with their seals. */
static enum tandem_status check_loader(const struct tandem_slot *slot, const char **reason)
{
    if (!tandem_loader_has(slot))
        return TANDEM_OK;
    if (slot->kind != TANDEM_KIND_BOOTLOADER)
        return fault(reason, WORDS("a slot of the bootloader's mode is not of the bootloader's kind"));
    if (slot->areas[0].size != slot->areas[1].size)
        return fault(reason, WORDS("the bootloader's two copies are not of one size"));
    if (slot->areas[0].size <= TANDEM_STAGE_TAIL)
        return fault(reason, WORDS("a copy of the bootloader has no room beside its seal"));
    return TANDEM_OK;
}

static int is_known_mode(const struct tandem_slot *slot)
{
    return slot->mode == TANDEM_MODE_DIRECT || tandem_exchange_has(slot) || tandem_loader_has(slot);
}

static enum tandem_status check_slots(const struct tandem_device *device, const char **reason)
{
    for (uint8_t i = 0; i < device->slot_count; i++) {
        const struct tandem_slot *slot = &device->slots[i];
        if (slot->kind == 0 || !is_known_mode(slot))
            return fault(reason, WORDS("a slot has no kind, or a mode that this build does not know"));
        for (uint8_t j = 0; j < i; j++)
            if (device->slots[j].kind == slot->kind)
                return fault(reason, WORDS("two slots have the same kind"));
        for (uint8_t bank = 0; bank < 2; bank++) {
            /* A slot may end inside a sector whose rest is its bank's manifest area. */
            struct tandem_area area = slot->areas[bank];
            const struct tandem_area *manifest = &device->manifests[bank];
            if (precedes(&area, manifest) && slot->mode != TANDEM_MODE_SWAP && !tandem_loader_has(slot))
                area.size += manifest->size;
            enum tandem_status status = check_area(&area, 0, reason);
            if (status != TANDEM_OK)
                return status;
            if (overlaps_any_slot(device, &slot->areas[bank]))
                return fault(reason, WORDS("two slots overlap"));
        }
        enum tandem_status status = check_exchange(device, slot, reason);
        if (status == TANDEM_OK)
            status = check_loader(slot, reason);
        if (status != TANDEM_OK)
            return status;
    }
    return TANDEM_OK;
}

/* A manifest area has sectors of its own, or shares one with the end of a slot of its own bank. */
static enum tandem_status check_manifest(const struct tandem_device *device, uint8_t bank, const char **reason)
{
    const struct tandem_area *area = &device->manifests[bank];
    enum tandem_status status = check_area(area, 1, reason);
    if (status != TANDEM_OK)
        return status;
    struct tandem_sector sector;
    tandem_flash_sector(area->flash, area->address, &sector);
    struct tandem_area head = {area->flash, sector.address, area->address - sector.address};
    int shared = 0;
    for (uint8_t i = 0; i < device->slot_count; i++) {
        const struct tandem_area *slot = &device->slots[i].areas[bank];
        shared |= slot->flash == area->flash && slot->address + slot->size == area->address;
        if (head.size != 0 && overlap(&head, &device->slots[i].areas[!bank]))
            return fault(reason, WORDS("a manifest area shares a sector with the other bank"));
    }
    if (head.size != 0 && !shared)
        return fault(reason, WORDS("a manifest area begins inside a sector that is not its bank's"));
    if (overlaps_any_slot(device, area) || overlap(area, &device->manifests[!bank]))
        return fault(reason, WORDS("a manifest area overlaps something"));
    return TANDEM_OK;
}

static enum tandem_status check_journal(const struct tandem_device *device, const char **reason)
{
    const struct tandem_area *area = &device->journal;
    enum tandem_status status = check_area(area, 0, reason);
    if (status != TANDEM_OK)
        return status;
    struct tandem_sector first, last;
    tandem_flash_sector(area->flash, area->address, &first);
    for (uint32_t address = area->address; address < area->address + area->size; address += first.size)
        if (!tandem_flash_sector(area->flash, address, &last) || last.address != address || last.size != first.size)
            return fault(reason, WORDS("the journal's sectors are not of one size"));
    if (tandem_journal_half_size(area, first.size) < JOURNAL_HALF_MIN)
        return fault(reason, WORDS("the journal is too small"));
    if (overlaps_any_slot(device, area) || overlap(area, &device->manifests[0]) || overlap(area, &device->manifests[1]))
        return fault(reason, WORDS("the journal overlaps something"));
    return TANDEM_OK;
}

static int name_valid(const char *name)
{
    size_t size = 0;
    while (name != NULL && size <= TANDEM_NAME_SIZE_MAX && name[size] != '\0')
        size++;
    return size > 0 && size <= TANDEM_NAME_SIZE_MAX;
}

enum tandem_status tandem_device_check(const struct tandem_device *device, const char **reason)
{
    const char *unwanted;
    if (reason == NULL)
        reason = &unwanted;
    *reason = "";
    if (!name_valid(device->vendor) || !name_valid(device->product)) {
        *reason = WORDS("vendor and product need names of 1 to 31 bytes");
        return TANDEM_ERROR_ARGUMENT;
    }
    if (device->slots == NULL || device->slot_count == 0 || device->slot_count > TANDEM_CONFIG_MAX_IMAGES ||
        device->key_count > 32 || (device->key_count != 0 && device->keys == NULL)) {
        *reason = WORDS("no slots, too many slots, or too many keys");
        return TANDEM_ERROR_ARGUMENT;
    }
    if (device->key_count < (device->signatures_needed ? device->signatures_needed : 1) && !device->allow_unsigned) {
        *reason = WORDS("fewer trusted keys than signatures needed");
        return TANDEM_ERROR_ARGUMENT;
    }
    enum tandem_status status = check_slots(device, reason);
    for (uint8_t bank = 0; bank < 2 && status == TANDEM_OK; bank++)
        status = check_manifest(device, bank, reason);
    return status == TANDEM_OK ? check_journal(device, reason) : status;
}
