/*
 * May this package come in? Everything that can be known from its head is
 * decided here, before a byte of flash is touched, and with a reason.
 */
#include <string.h>

#include "core/bank.h"
#include "core/install.h"
#include "core/loader.h"

/* Note what a head of the running bank says. @return 1 if it describes something that no newer head describes */
static int note_head(struct tandem_install *install, const struct tandem_manifest *manifest)
{
    const struct tandem_device *device = device_of(install);
    struct tandem_image image;
    int counts = 0;
    for (uint8_t i = 0; i < device->slot_count; i++) {
        struct tandem_installed *installed = &install->installed[i];
        if (installed->kind != 0 || tandem_loader_has(&device->slots[i]) ||
            tandem_manifest_find(manifest, device->slots[i].kind, tandem_bank_running(&install->bank), &image) !=
                TANDEM_OK)
            continue;
        installed->kind = image.kind;
        installed->variant = image.variant;
        installed->size = image.size;
        memcpy(installed->digest, image.digest, sizeof installed->digest);
        counts = 1;
    }
    return counts;
}

/* Walk the running bank's heads. `*proven` tells whether they are those that the bootloader verified. */
static enum tandem_status survey(struct tandem_install *install, int authenticate, int *proven)
{
    const struct tandem_device *device = device_of(install);
    const struct tandem_bank_state *state = &install->bank.state;
    uint8_t running = tandem_bank_running(&install->bank), first = 1, proof[TANDEM_SHA256_SIZE];
    struct tandem_heads heads = tandem_bank_heads(&install->bank, running);
    struct tandem_manifest manifest;
    struct tandem_sha256 hash;
    enum tandem_status status, hashed = tandem_bank_proof_begin(&hash, device, running);
    memset(&install->running, 0, sizeof install->running);
    memset(install->installed, 0, sizeof install->installed);
    while ((status = tandem_bank_next_head(&heads, device, &manifest, install->buffer, install->buffer_size)) ==
           TANDEM_OK) {
        if (authenticate && tandem_bank_trust(&install->bank, running, &manifest, state->revoked) != TANDEM_OK)
            break;
        if (first)
            install->running = manifest.version;
        if ((note_head(install, &manifest) || first) && hashed == TANDEM_OK)
            hashed = tandem_sha256_update(&hash, manifest.digest, sizeof manifest.digest);
        first = 0;
    }
    if (hashed == TANDEM_OK)
        hashed = tandem_sha256_final(&hash, proof);
    *proven = first || (hashed == TANDEM_OK && tandem_equal(proof, state->proofs[running], sizeof state->proofs[0]));
    return status == TANDEM_ERROR_SPACE ? TANDEM_ERROR_SPACE : TANDEM_OK;
}

/*
 * What a damaged head says must not stand against a new package. A head that
 * the bootloader has verified is known by its proof; others are verified here.
 */
enum tandem_status tandem_install_survey(struct tandem_install *install)
{
    int proven;
    enum tandem_status status = survey(install, 0, &proven);
    return status == TANDEM_OK && !proven ? survey(install, 1, &proven) : status;
}

static enum tandem_status refuse(struct tandem_install *install, enum tandem_status status, uint8_t image,
                                 uint32_t detail)
{
    install->outcome.image = image;
    install->outcome.detail = detail;
    return status;
}

static int name_is(const uint8_t *name, uint8_t size, const char *text)
{
    uint8_t i = 0;
    while (i < size && text[i] != '\0' && name[i] == (uint8_t)text[i])
        i++;
    return i == size && text[i] == '\0';
}

/* Made for this device? */
static enum tandem_status check_target(struct tandem_install *install, const struct tandem_manifest *manifest)
{
    const struct tandem_device *device = device_of(install);
    if (!name_is(manifest->vendor, manifest->vendor_size, device->vendor) ||
        !name_is(manifest->product, manifest->product_size, device->product))
        return TANDEM_ERROR_TARGET;
    if (!tandem_manifest_fits_hardware(manifest, device->hardware))
        return refuse(install, TANDEM_ERROR_HARDWARE, 0, device->hardware);
    return TANDEM_OK;
}

/* Signed by keys that will still be trusted when it runs? Not asked again of a head that was taken before. */
static enum tandem_status check_signatures(struct tandem_install *install, const struct tandem_manifest *manifest,
                                           int taken_before)
{
    const struct tandem_device *device = device_of(install);
    install->revoked = install->bank.state.revoked | tandem_bank_revocations(device, manifest);
    /* Of bare images each was judged for itself when it had arrived. */
    return taken_before || install->bare ? TANDEM_OK : tandem_bank_authenticate(device, manifest, install->revoked);
}

/* Allowed by counter and versions? */
static enum tandem_status check_versions(struct tandem_install *install, const struct tandem_manifest *manifest)
{
    const struct tandem_device *device = device_of(install);
    static const struct tandem_version none = {0, 0, 0, 0};
    int installed = tandem_version_compare(&install->running, &none) != 0;
    int order = tandem_version_compare(&manifest->version, &install->running);
    if (manifest->counter < install->bank.state.counter)
        return refuse(install, TANDEM_ERROR_COUNTER, 0, install->bank.state.counter);
    if (!installed)
        return TANDEM_OK;
    if (tandem_version_compare(&install->running, &manifest->minimum) < 0)
        return TANDEM_ERROR_VERSION;
    if ((device->version_policy == TANDEM_VERSION_NOT_OLDER && order < 0) ||
        (device->version_policy == TANDEM_VERSION_NEWER && order <= 0))
        return TANDEM_ERROR_VERSION;
    return TANDEM_OK;
}

/* Whether there is room for an image, and for its blocks. */
static enum tandem_status check_room(struct tandem_install *install, const struct tandem_image *image, uint32_t room)
{
    if (image->size > room)
        return refuse(install, TANDEM_ERROR_TOO_LARGE, image->kind, room);
    if (image->block_size + (uint32_t)TANDEM_BLOCK_DIGEST_SIZE > install->buffer_size)
        return refuse(install, TANDEM_ERROR_SPACE, image->kind, install->buffer_size);
    return TANDEM_OK;
}

static int brings_kind(const struct tandem_manifest *manifest, uint8_t kind)
{
    struct tandem_image image;
    for (uint8_t entry = 0; tandem_manifest_image(manifest, entry, &image) == TANDEM_OK; entry++)
        if (image.kind == kind)
            return 1;
    return 0;
}

/* Decide what the copy of the bootloader that does not run gets: the package's, unless that is what runs. */
static enum tandem_status plan_loader(struct tandem_install *install, const struct tandem_manifest *manifest, uint8_t i)
{
    const struct tandem_slot *slot = &device_of(install)->slots[i];
    uint8_t running = tandem_loader_running(slot->areas), entry = 0;
    struct tandem_image image;
    install->plan[i] = PLAN_NOTHING;
    if (!brings_kind(manifest, slot->kind))
        return TANDEM_OK;
    if (tandem_manifest_find(manifest, slot->kind, running, &image) == TANDEM_OK && tandem_loader_runs(slot, &image))
        return TANDEM_OK;
    while (tandem_manifest_image(manifest, entry, &image) == TANDEM_OK &&
           (image.kind != slot->kind || (image.variant != TANDEM_VARIANT_ANY && image.variant == running)))
        entry++;
    if (entry == manifest->image_count)
        return refuse(install, TANDEM_ERROR_INCOMPLETE, slot->kind, 0);
    enum tandem_status status = check_room(install, &image, tandem_loader_area(slot, 0).size);
    if (status == TANDEM_OK)
        status = tandem_loader_may_replace(slot, device_of(install)->system);
    if (status != TANDEM_OK)
        install->outcome.image = slot->kind;
    install->plan[i] = entry;
    return status;
}

/* Decide what one slot of the free bank gets. */
static enum tandem_status plan_slot(struct tandem_install *install, const struct tandem_manifest *manifest, uint8_t i)
{
    const struct tandem_slot *slot = &device_of(install)->slots[i];
    if (tandem_loader_has(slot))
        return plan_loader(install, manifest, i);
    const struct tandem_installed *installed = &install->installed[i];
    uint32_t room = tandem_bank_area(&install->bank, i, tandem_bank_free(&install->bank)).size;
    int copyable = installed->kind != 0 && installed->variant == TANDEM_VARIANT_ANY && installed->size <= room;
    struct tandem_image image;
    for (uint8_t entry = 0; tandem_manifest_image(manifest, entry, &image) == TANDEM_OK; entry++) {
        if (image.kind != slot->kind ||
            (image.variant != TANDEM_VARIANT_ANY && image.variant != tandem_bank_free(&install->bank)))
            continue;
        enum tandem_status status = check_room(install, &image, room);
        if (status != TANDEM_OK)
            return status;
        /* The same image again need not travel: it is copied, and its digest checked like any other. */
        int same = copyable && image.variant == TANDEM_VARIANT_ANY && image.size == installed->size &&
                   memcmp(image.digest, installed->digest, sizeof installed->digest) == 0;
        install->plan[i] = same ? (uint8_t)(PLAN_SAME + entry) : entry;
        return TANDEM_OK;
    }
    install->plan[i] = copyable ? PLAN_COPY : PLAN_NOTHING;
    if (copyable || (slot->optional && installed->kind == 0))
        return TANDEM_OK;
    return refuse(install, TANDEM_ERROR_INCOMPLETE, slot->kind, 0);
}

/* The entry of what a slot will hold; 0 if it will be empty. */
static int planned_image(const struct tandem_install *install, const struct tandem_manifest *manifest, uint8_t slot,
                         struct tandem_image *image)
{
    const struct tandem_device *device = device_of(install);
    uint8_t kind = device->slots[slot].kind;
    if (install->plan[slot] == PLAN_NOTHING)
        return 0;
    if (install->plan[slot] == PLAN_COPY)
        return tandem_bank_find_image(&install->bank, tandem_bank_running(&install->bank), kind, image) == TANDEM_OK;
    uint8_t variant = tandem_bank_free(&install->bank);
    if (tandem_loader_has(&device->slots[slot]))
        variant = tandem_loader_variant(&install->bank, kind, variant);
    return tandem_manifest_find(manifest, kind, variant, image) == TANDEM_OK;
}

/* The entry of the bootloader that runs; 0 if no manifest at hand describes it. */
static int running_loader(const struct tandem_install *install, const struct tandem_manifest *manifest,
                          const struct tandem_slot *slot, struct tandem_image *image)
{
    uint8_t copy = tandem_loader_running(slot->areas);
    return (tandem_manifest_find(manifest, slot->kind, copy, image) == TANDEM_OK && tandem_loader_runs(slot, image)) ||
           (tandem_bank_find_image(&install->bank, tandem_bank_running(&install->bank), slot->kind, image) ==
                TANDEM_OK &&
            tandem_loader_runs(slot, image));
}

static int is_satisfied(const struct tandem_install *install, const struct tandem_manifest *manifest,
                        const struct tandem_dependency *dependency)
{
    struct tandem_image image;
    for (uint8_t i = 0; i < device_of(install)->slot_count; i++) {
        const struct tandem_slot *slot = &device_of(install)->slots[i];
        if (slot->kind != dependency->kind)
            continue;
        /* A new bootloader comes only after the firmware that it came with. */
        int there = tandem_loader_has(slot) ? running_loader(install, manifest, slot, &image)
                                            : planned_image(install, manifest, i, &image);
        return there && tandem_version_compare(&image.version, &dependency->minimum) >= 0;
    }
    return 0;
}

/* What every image needs of the others, those that stay included. */
static enum tandem_status check_dependencies(struct tandem_install *install, const struct tandem_manifest *manifest)
{
    struct tandem_image image;
    for (uint8_t i = 0; i < device_of(install)->slot_count; i++) {
        if (!planned_image(install, manifest, i, &image))
            continue;
        for (uint8_t j = 0; j < image.dependency_count; j++)
            if (!is_satisfied(install, manifest, &image.dependencies[j]))
                return refuse(install, TANDEM_ERROR_DEPENDENCY, image.kind, image.dependencies[j].kind);
    }
    return TANDEM_OK;
}

/* The slots that are copied and described by nothing newer than `head`, as bits. */
static uint32_t described_by(const struct tandem_install *install, const struct tandem_manifest *head, uint32_t slots)
{
    struct tandem_image image;
    uint32_t found = 0;
    for (uint8_t i = 0; i < device_of(install)->slot_count; i++)
        if ((slots >> i & 1) && tandem_manifest_find(head, device_of(install)->slots[i].kind,
                                                     tandem_bank_running(&install->bank), &image) == TANDEM_OK)
            found |= 1u << i;
    return found;
}

/* One head that comes along: it must hold under the keys that will be left, find room, and promise nothing that will
 * not be there. `*used` bytes of the manifest area are taken before it. */
static enum tandem_status check_carried(struct tandem_install *install, const struct tandem_manifest *head,
                                        uint8_t kind, uint32_t *used)
{
    const struct tandem_device *device = device_of(install);
    uint8_t bank = tandem_bank_free(&install->bank);
    uint32_t room = tandem_bank_manifest_area(&install->bank, bank)->size;
    struct tandem_image image;
    enum tandem_status status = tandem_bank_trust(&install->bank, !bank, head, install->revoked);
    if (status != TANDEM_OK)
        return refuse(install, status, kind, 0);
    if (*used > room || head->header.head_size > room - *used)
        return refuse(install, TANDEM_ERROR_SPACE, kind, room);
    *used += tandem_head_space(head->header.head_size);
    for (uint8_t i = 0; i < device->slot_count; i++)
        if (install->plan[i] == PLAN_NOTHING && !tandem_loader_has(&device->slots[i]) &&
            tandem_manifest_find(head, device->slots[i].kind, bank, &image) == TANDEM_OK)
            return refuse(install, TANDEM_ERROR_INCOMPLETE, image.kind, 0);
    return TANDEM_OK;
}

/*
 * The heads of the images that stay. They are read into the buffer behind the
 * new one; where there is no room for that, it turns out when they are carried
 * over. Payload bytes that were there would be lost to that anyway.
 */
static enum tandem_status check_heads(struct tandem_install *install, const struct tandem_manifest *manifest)
{
    const struct tandem_device *device = device_of(install);
    struct tandem_heads heads = tandem_bank_heads(&install->bank, tandem_bank_running(&install->bank));
    uint32_t size = manifest->header.head_size, used = tandem_head_space(size), left = 0;
    struct tandem_manifest head;
    for (uint8_t i = 0; i < device->slot_count; i++)
        left |= install->plan[i] == PLAN_COPY ? 1u << i : 0;
    if (left == 0)
        return TANDEM_OK;
    if (install->fill > size)
        install->fill = size;
    memset(install->early, 0, sizeof install->early);
    while (left != 0 && tandem_bank_next_head(&heads, device, &head, install->buffer + size,
                                              install->buffer_size - size) == TANDEM_OK) {
        uint32_t found = described_by(install, &head, left);
        uint8_t slot = 0;
        if (found == 0)
            continue;
        left &= ~found;
        while ((found >> slot & 1) == 0)
            slot++;
        enum tandem_status status = check_carried(install, &head, device->slots[slot].kind, &used);
        if (status != TANDEM_OK)
            return status;
    }
    return TANDEM_OK;
}

/* Whether the package brings anything at all for this device. */
static int brings_something(const struct tandem_install *install, const struct tandem_manifest *manifest)
{
    struct tandem_image image;
    for (uint8_t i = 0; i < device_of(install)->slot_count; i++) {
        const struct tandem_slot *slot = &device_of(install)->slots[i];
        if (tandem_loader_has(slot)
                ? brings_kind(manifest, slot->kind)
                : tandem_manifest_find(manifest, slot->kind, tandem_bank_free(&install->bank), &image) == TANDEM_OK)
            return 1;
    }
    return 0;
}

/* Who sends a bootloader must not believe that it arrived. */
static enum tandem_status check_loader(struct tandem_install *install, const struct tandem_manifest *manifest)
{
    if (!brings_kind(manifest, TANDEM_KIND_BOOTLOADER))
        return TANDEM_OK;
    for (uint8_t i = 0; i < device_of(install)->slot_count; i++)
        if (device_of(install)->slots[i].kind == TANDEM_KIND_BOOTLOADER)
            return TANDEM_OK;
    return refuse(install, TANDEM_ERROR_NOT_SUPPORTED, TANDEM_KIND_BOOTLOADER, 0);
}

enum tandem_status tandem_install_battery(const struct tandem_install *install, uint8_t *percent)
{
    const struct tandem_device *device = device_of(install);
    if (device->battery_minimum == 0 || device->system == NULL || device->system->battery == NULL ||
        device->system->battery(device->system->ctx, percent) != TANDEM_OK)
        return TANDEM_OK;
    return *percent < device->battery_minimum ? TANDEM_ERROR_BATTERY : TANDEM_OK;
}

/* A head must fit its place in flash, and the bootloader's scratch. */
static enum tandem_status check_head_size(struct tandem_install *install, const struct tandem_manifest *manifest)
{
    const struct tandem_device *device = device_of(install);
    uint32_t room = tandem_bank_manifest_area(&install->bank, tandem_bank_free(&install->bank))->size;
    if (device->head_max != 0 && device->head_max < room)
        room = device->head_max;
    return manifest->header.head_size > room ? refuse(install, TANDEM_ERROR_TOO_LARGE, 0, room) : TANDEM_OK;
}

enum tandem_status tandem_install_check(struct tandem_install *install, const struct tandem_manifest *manifest,
                                        int taken_before)
{
    uint8_t percent = 0;
    install->outcome.version = manifest->version;
    memcpy(install->outcome.id, manifest->id, sizeof install->outcome.id);
    enum tandem_status status = check_target(install, manifest);
    if (status == TANDEM_OK)
        status = check_signatures(install, manifest, taken_before);
    if (status == TANDEM_OK)
        status = check_versions(install, manifest);
    if (status == TANDEM_OK)
        status = check_loader(install, manifest);
    if (status == TANDEM_OK && !brings_something(install, manifest))
        status = TANDEM_ERROR_INCOMPLETE;
    for (uint8_t i = 0; i < device_of(install)->slot_count && status == TANDEM_OK; i++)
        status = plan_slot(install, manifest, i);
    if (status == TANDEM_OK)
        status = check_dependencies(install, manifest);
    if (status == TANDEM_OK)
        status = check_head_size(install, manifest);
    if (status == TANDEM_OK)
        status = check_heads(install, manifest);
    if (status == TANDEM_OK && tandem_install_battery(install, &percent) != TANDEM_OK)
        status = refuse(install, TANDEM_ERROR_BATTERY, 0, percent);
    return status;
}
