/*
 * Images that speak for themselves: a head that nobody signed describes
 * MCUboot's images, which are signed. They are read where they lie.
 */
#include <string.h>

#include "core/bank.h"
#include "core/flash.h"
#include "core/loader.h"
#include "core/mcuboot.h"
#include "core/package_wire.h"

/* An image in flash. */
struct place {
    const struct tandem_area *area;
    const struct tandem_system_port *system;
};

static enum tandem_status read_place(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct place *place = (const struct place *)ctx;
    const struct tandem_flash_port *flash = place->area->flash;
    tandem_watchdog(place->system);
    return flash->read(flash->ctx, place->area->address + offset, data, size) == TANDEM_OK ? TANDEM_OK
                                                                                           : TANDEM_ERROR_FLASH;
}

static struct tandem_source source_at(struct place *place, uint32_t size)
{
    struct tandem_source source = {.ctx = place, .size = size, .read = read_place};
    return source;
}

enum tandem_status tandem_bank_mcuboot_open(struct tandem_mcuboot *image, const struct tandem_device *device,
                                            const struct tandem_area *area, uint32_t size)
{
    struct place place = {area, device->system};
    struct tandem_source source = source_at(&place, size);
    enum tandem_status status = tandem_mcuboot_open(image, &source);
    if (status == TANDEM_OK && image->total_size != size)
        status = TANDEM_ERROR_FORMAT; /* what follows it would be signed by nobody */
    if (status == TANDEM_OK && (image->flags & (MCUBOOT_FLAG_ENCRYPTED | MCUBOOT_FLAG_COMPRESSED)) != 0)
        status = TANDEM_ERROR_UNSUPPORTED;
    return status;
}

enum tandem_status tandem_bank_mcuboot_verify(const struct tandem_mcuboot *image, const struct tandem_device *device,
                                              const struct tandem_area *area, uint32_t revoked, const uint8_t *digest)
{
    struct place place = {area, device->system};
    struct tandem_source source = source_at(&place, image->total_size);
    uint8_t computed[TANDEM_SHA256_SIZE];
    if (device->signatures_needed > 1)
        return TANDEM_ERROR_KEY; /* it has but one */
    if (digest == NULL) {
        enum tandem_status status = tandem_mcuboot_hash(image, &source, device->crypto, computed);
        if (status != TANDEM_OK)
            return status;
        digest = computed;
    }
    return tandem_mcuboot_verify(image, &source, device->crypto, device->keys, device->key_count, revoked, digest);
}

/* The head must not say more of an image than the image does. */
static enum tandem_status trust_image(const struct tandem_bank *bank, const struct tandem_area *area,
                                      const struct tandem_manifest *manifest, const struct tandem_image *entry,
                                      uint32_t revoked)
{
    struct tandem_mcuboot image;
    if (entry->size > area->size)
        return TANDEM_ERROR_TOO_LARGE;
    enum tandem_status status = tandem_bank_mcuboot_open(&image, bank->device, area, entry->size);
    if (status == TANDEM_OK)
        status = tandem_bank_mcuboot_verify(&image, bank->device, area, revoked, NULL);
    if (status != TANDEM_OK)
        return status;
    if (tandem_version_compare(&entry->version, &image.version) != 0 || entry->load_address != image.load_address ||
        (entry->kind == TANDEM_KIND_APPLICATION && tandem_version_compare(&manifest->version, &image.version) != 0))
        return TANDEM_ERROR_UNSIGNED;
    return manifest->counter <= image.counter ? TANDEM_OK : TANDEM_ERROR_COUNTER;
}

enum tandem_status tandem_bank_trust_images(const struct tandem_bank *bank, uint8_t which,
                                            const struct tandem_manifest *manifest, uint32_t slots, uint32_t revoked)
{
    enum tandem_status status = TANDEM_ERROR_UNSIGNED;
    if (manifest->revoked_count != 0)
        return TANDEM_ERROR_UNSIGNED; /* no image says that */
    for (uint8_t i = 0; i < bank->device->slot_count; i++) {
        struct tandem_image entry;
        struct tandem_area area = tandem_bank_area(bank, i, which);
        if ((slots >> i & 1) == 0)
            continue;
        status = tandem_manifest_locate(manifest, bank->device->slots[i].kind, which, &entry);
        if (status == TANDEM_OK)
            status = trust_image(bank, &area, manifest, &entry, revoked);
        if (status != TANDEM_OK)
            return status;
    }
    return status;
}

/* The slots that a head of a bank describes, and no newer one. */
static uint32_t described_slots(const struct tandem_bank *bank, uint8_t which, const struct tandem_manifest *manifest)
{
    uint32_t slots = 0;
    for (uint8_t i = 0; i < bank->device->slot_count; i++) {
        const struct tandem_slot *slot = &bank->device->slots[i];
        struct tandem_image entry, newest;
        if (!tandem_loader_has(slot) && tandem_manifest_locate(manifest, slot->kind, which, &entry) == TANDEM_OK &&
            tandem_bank_find_image(bank, which, slot->kind, &newest) == TANDEM_OK &&
            memcmp(entry.digest, newest.digest, sizeof entry.digest) == 0)
            slots |= 1u << i;
    }
    return slots;
}

enum tandem_status tandem_bank_trust(const struct tandem_bank *bank, uint8_t which,
                                     const struct tandem_manifest *manifest, uint32_t revoked)
{
    enum tandem_status status = tandem_bank_authenticate(bank->device, manifest, revoked);
    if (status != TANDEM_ERROR_UNSIGNED || !tandem_bank_takes_mcuboot(bank->device))
        return status;
    return tandem_bank_trust_images(bank, which, manifest, described_slots(bank, which, manifest), revoked);
}

uint32_t tandem_bank_image_offset(const struct tandem_area *area)
{
    struct tandem_mcuboot image;
    uint8_t bytes[MCUBOOT_HEADER_SIZE];
    return area->size >= sizeof bytes &&
                   area->flash->read(area->flash->ctx, area->address, bytes, sizeof bytes) == TANDEM_OK &&
                   tandem_mcuboot_header(&image, bytes) == TANDEM_OK
               ? image.header_size
               : 0;
}
