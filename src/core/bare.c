/*
 * The bare door: images come one by one into the free bank, without a package.
 * The installer's window, its writing and its jobs serve here too. While a set
 * is open the free bank is forgotten, durably; its images become firmware only
 * when the installer has written their head, read them back and noted that.
 */
#include "core/bare.h"

#include <string.h>

#include "core/bank.h"
#include "core/bytes.h"
#include "core/flash.h"
#include "core/install.h"
#include "core/loader.h"
#include "core/mcuboot.h"

#define PAGE 256u /* pieces that are programmed end at multiples of this, the last one aside */

/* What becomes of the image in hand. */
enum step {
    STEP_CLOSED,    /* there is none */
    STEP_HEADER,    /* its header must come first, and decide */
    STEP_OPENING,   /* the free bank is being made ready for it */
    STEP_RECEIVING, /* it comes in */
    STEP_ENDING,    /* all of it is here, but not yet programmed */
    STEP_HASHING,   /* it is read back */
    STEP_JUDGING,   /* what its signature covers is read once more */
    STEP_ENDED      /* it is in the set */
};

enum tandem_payload tandem_payload_recognise(const void *data, size_t size)
{
    uint32_t magic = size >= TANDEM_PAYLOAD_RECOGNISE_SIZE ? tandem_load_le32((const uint8_t *)data) : 0;
    if (magic == TANDEM_PACKAGE_MAGIC)
        return TANDEM_PAYLOAD_PACKAGE;
    return magic == MCUBOOT_MAGIC ? TANDEM_PAYLOAD_MCUBOOT : TANDEM_PAYLOAD_BARE;
}

void tandem_bare_init(struct tandem_bare *bare, struct tandem_install *install)
{
    memset(bare, 0, sizeof *bare);
    bare->install = install;
}

/* A set is open: neither finished, nor failed, nor given up for something else. */
static int is_open(const struct tandem_bare *bare)
{
    const struct tandem_install *install = bare->install;
    return install->bare && (install->job == JOB_BARE || install->job == JOB_CONSENT || install->job == JOB_FORGET ||
                             install->job == JOB_ERASE_MANIFEST);
}

/* An image is in hand, and bytes of it may come. */
static int is_receiving(const struct tandem_bare *bare)
{
    return is_open(bare) && (bare->step == STEP_HEADER || bare->step == STEP_OPENING || bare->step == STEP_RECEIVING);
}

/* ---- may it come? ---- */

/* An image with a signature of its own, on a device that takes such. */
static int speaks_for_itself(const struct tandem_device *device, uint8_t payload)
{
    return tandem_bank_takes_mcuboot(device) && payload == TANDEM_PAYLOAD_MCUBOOT;
}

static uint8_t find_slot(const struct tandem_install *install, uint8_t kind)
{
    const struct tandem_device *device = device_of(install);
    uint8_t i = 0;
    while (i < device->slot_count &&
           (device->slots[i].kind != kind || kind == 0 || tandem_loader_has(&device->slots[i])))
        i++;
    return i;
}

static int is_known(const struct tandem_version *version)
{
    static const struct tandem_version none = {0, 0, 0, 0};
    return tandem_version_compare(version, &none) != 0;
}

/* The version of a set is its application's. */
static enum tandem_status check_version(const struct tandem_install *install, uint8_t kind,
                                        const struct tandem_version *version)
{
    if (kind != TANDEM_KIND_APPLICATION)
        version = &install->running;
    int order = tandem_version_compare(version, &install->running);
    uint8_t policy = device_of(install)->version_policy;
    if (!is_known(&install->running))
        return TANDEM_OK;
    return (policy == TANDEM_VERSION_NOT_OLDER && order < 0) || (policy == TANDEM_VERSION_NEWER && order <= 0)
               ? TANDEM_ERROR_VERSION
               : TANDEM_OK;
}

static uint8_t count_with(const struct tandem_bare *bare, uint8_t slot)
{
    uint32_t here = (is_open(bare) ? bare->here : 0) | 1u << slot;
    uint8_t count = 0;
    for (; here != 0; here &= here - 1)
        count++;
    return count;
}

/* The largest head that can be composed, stored and read by the bootloader. */
static uint32_t head_room(const struct tandem_install *install)
{
    uint32_t room = tandem_bank_manifest_area(&install->bank, tandem_bank_free(&install->bank))->size;
    uint16_t most = device_of(install)->head_max;
    if (most != 0 && most < room)
        room = most;
    return install->buffer_size < room ? install->buffer_size : room;
}

static enum tandem_status check_image(const struct tandem_bare *bare, const struct tandem_bare_image *image,
                                      uint8_t slot, uint32_t *detail)
{
    const struct tandem_install *install = bare->install;
    const struct tandem_device *device = device_of(install);
    uint8_t bank = tandem_bank_free(&install->bank), percent = 0;
    if (!device->allow_unsigned && !speaks_for_itself(device, image->payload))
        return TANDEM_ERROR_UNSIGNED;
    if (image->payload == TANDEM_PAYLOAD_PACKAGE)
        return TANDEM_ERROR_ARGUMENT; /* the installer takes it as what it is */
    if (slot == device->slot_count)
        return TANDEM_ERROR_NOT_SUPPORTED;
    if (image->variant != TANDEM_VARIANT_ANY && image->variant != bank)
        return TANDEM_ERROR_INCOMPLETE;
    if (image->size == 0)
        return TANDEM_ERROR_TRUNCATED;
    *detail = tandem_bank_area(&install->bank, slot, bank).size;
    if (image->size != TANDEM_BARE_SIZE_UNKNOWN && image->size > *detail)
        return TANDEM_ERROR_TOO_LARGE;
    *detail = head_room(install);
    if (tandem_bare_head_size(device, count_with(bare, slot), 0) > *detail)
        return TANDEM_ERROR_SPACE;
    *detail = 0;
    enum tandem_status status = TANDEM_OK;
    if (!speaks_for_itself(device, image->payload)) /* else its header tells the version */
        status = check_version(install, image->kind, is_known(&image->version) ? &image->version : &install->running);
    if (status == TANDEM_OK)
        status = tandem_install_battery(install, &percent);
    if (status == TANDEM_ERROR_BATTERY)
        *detail = percent;
    return status;
}

/* Say why not. What is under way is not disturbed. */
static enum tandem_status refuse(struct tandem_install *install, enum tandem_status status,
                                 const struct tandem_bare_image *image, uint32_t detail)
{
    if (install->job != JOB_IDLE && install->job != JOB_ERASE_IDLE)
        return status;
    memset(&install->outcome, 0, sizeof install->outcome);
    install->outcome.status = status;
    install->outcome.stage = TANDEM_STAGE_CHECK;
    install->outcome.image = image->kind;
    install->outcome.detail = detail;
    install->outcome.version = image->version;
    install->state = TANDEM_STATE_FAILED;
    install->live = 1;
    return status;
}

/* ---- begin, feed, go back ---- */

/* Begin a set, as the installer begins a package. */
static enum tandem_status open_set(struct tandem_bare *bare, const struct tandem_bare_image *image)
{
    struct tandem_install *install = bare->install;
    enum tandem_status status = tandem_install_take_over(install);
    if (status != TANDEM_OK)
        return status;
    bare->here = 0;
    bare->opened = 0;
    bare->step = STEP_CLOSED;
    memset(&install->outcome, 0, sizeof install->outcome);
    install->outcome.stage = TANDEM_STAGE_CHECK;
    install->outcome.version = image->version;
    install->bare = 1;
    install->activate = 0;
    install->live = 1;
    install->state = TANDEM_STATE_RECEIVING;
    install->package_size = image->size;
    install->job = JOB_BARE;
    return TANDEM_OK;
}

/*
 * What was written to the slot in hand does not count any more. Its sectors
 * are erased when they are written to again, but for one that it shares with
 * the manifest, which nobody erases later.
 */
static void forget(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    uint32_t address;
    bare->here &= ~(1u << install->slot);
    if (!bare->touched)
        return;
    bare->touched = 0;
    install->all_erased = 0;
    if (tandem_install_shared(install, &address) != 0) {
        install->cursor = 0;
        install->job = JOB_ERASE_MANIFEST;
    }
}

/* The set that was open is no more. Its images must not be taken for part of the next one. */
static enum tandem_status lost(struct tandem_bare *bare)
{
    const struct tandem_install *install = bare->install;
    bare->here = 0;
    return install->bare && install->outcome.status != TANDEM_OK ? install->outcome.status : TANDEM_ERROR_CANCELLED;
}

/* The image in hand begins, or begins anew. */
static void start_image(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    install->base = 0;
    install->fill = 0;
    install->written = 0;
    install->closed = 0;
    memset(install->early, 0, sizeof install->early);
    bare->in_flight = 0;
    bare->hold = TANDEM_BARE_NO_HOLD;
    bare->step =
        speaks_for_itself(device_of(install), bare->entries[install->slot].payload) ? STEP_HEADER : STEP_OPENING;
}

/* Wait for the flash, and take note of what it did. */
static int settled(struct tandem_bare *bare)
{
    tandem_install_settle(bare->install);
    return is_open(bare);
}

enum tandem_status tandem_bare_begin(struct tandem_bare *bare, const struct tandem_bare_image *image)
{
    struct tandem_install *install = bare->install;
    uint8_t slot = find_slot(install, image->kind);
    uint32_t detail = 0;
    enum tandem_status status = check_image(bare, image, slot, &detail);
    if (status == TANDEM_OK && is_open(bare))
        tandem_install_settle(install);
    if (status == TANDEM_OK && !is_open(bare))
        status = bare->here != 0 ? lost(bare) : open_set(bare, image);
    if (status != TANDEM_OK)
        return refuse(install, status, image, detail);
    if (bare->step != STEP_CLOSED && bare->step != STEP_ENDED)
        forget(bare); /* the one before was not ended */
    struct tandem_bare_entry *entry = &bare->entries[slot];
    entry->version = image->version;
    entry->load_address = image->load_address;
    entry->variant = image->variant;
    entry->payload = image->payload;
    entry->counter = install->bank.state.counter; /* no word of it: as it is */
    entry->dependency_count = 0;
    install->slot = slot;
    install->kind = image->kind;
    install->area = tandem_bank_area(&install->bank, slot, tandem_bank_free(&install->bank));
    bare->touched = bare->here >> slot & 1;
    forget(bare);
    bare->open_ended = image->size == TANDEM_BARE_SIZE_UNKNOWN;
    install->image_size = bare->open_ended ? install->area.size : image->size;
    install->package_size = install->image_size; /* where the window ends */
    start_image(bare);
    return TANDEM_OK;
}

uint32_t tandem_bare_wants(const struct tandem_bare *bare)
{
    return tandem_install_wants(bare->install);
}

uint32_t tandem_bare_limit(const struct tandem_bare *bare)
{
    return is_receiving(bare) ? tandem_install_window_end(bare->install) : tandem_bare_wants(bare);
}

uint32_t tandem_bare_written(const struct tandem_bare *bare)
{
    return bare->install->written;
}

enum tandem_status tandem_bare_feed(struct tandem_bare *bare, uint32_t offset, const void *data, size_t size)
{
    struct tandem_install *install = bare->install;
    if (!is_receiving(bare))
        return TANDEM_ERROR_STATE;
    if (offset > install->image_size || size > install->image_size - offset)
        return TANDEM_ERROR_TOO_LARGE;
    tandem_install_take_in(install, offset, data, size);
    return TANDEM_OK;
}

enum tandem_status tandem_bare_hold(struct tandem_bare *bare, uint32_t offset)
{
    if (!is_receiving(bare))
        return TANDEM_ERROR_STATE;
    bare->hold = offset;
    return TANDEM_OK;
}

enum tandem_status tandem_bare_back(struct tandem_bare *bare, uint32_t offset)
{
    struct tandem_install *install = bare->install;
    if (!is_receiving(bare))
        return TANDEM_ERROR_STATE;
    if (offset > tandem_install_wants(install) || (offset < install->written + bare->in_flight && offset != 0))
        return TANDEM_ERROR_ARGUMENT;
    if (offset >= install->written + bare->in_flight) {
        install->fill = offset - install->base;
        memset(install->early, 0, sizeof install->early);
        return TANDEM_OK;
    }
    if (!settled(bare))
        return TANDEM_ERROR_STATE;
    uint32_t hold = bare->hold;
    forget(bare);
    start_image(bare);
    bare->hold = hold;
    return TANDEM_OK;
}

enum tandem_status tandem_bare_read(const struct tandem_bare *bare, uint32_t offset, void *data, size_t size)
{
    const struct tandem_install *install = bare->install;
    const struct tandem_flash_port *flash = install->area.flash;
    uint32_t wants = tandem_install_wants(install), left = (uint32_t)size;
    uint8_t *to = (uint8_t *)data;
    if (!is_open(bare) || bare->step == STEP_CLOSED)
        return TANDEM_ERROR_STATE;
    if (offset > wants || size > wants - offset)
        return TANDEM_ERROR_ARGUMENT;
    uint32_t part = install->written - offset;
    if (offset < install->written) {
        if (install->op.flash != NULL)
            return TANDEM_AGAIN;
        part = part < left ? part : left;
        if (flash->read(flash->ctx, install->area.address + offset, to, part) != TANDEM_OK)
            return TANDEM_ERROR_FLASH;
        offset += part;
        to += part;
        left -= part;
    }
    if (left != 0)
        memcpy(to, install->buffer + (offset - install->base), left);
    return TANDEM_OK;
}

/* ---- the work ---- */

/* Bytes at the beginning of the window that may be programmed. */
static uint32_t ready(const struct tandem_bare *bare)
{
    const struct tandem_install *install = bare->install;
    uint32_t end = install->written + install->fill;
    int last = bare->step == STEP_ENDING || (!bare->open_ended && end == install->image_size);
    if (bare->hold < end && bare->step != STEP_ENDING) {
        end = bare->hold;
        last = 0;
    }
    if (!last)
        end &= ~(PAGE - 1);
    return end > install->written ? end - install->written : 0;
}

static enum tandem_status work_receive(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    uint32_t size = ready(bare);
    if (size != 0) {
        bare->touched = 1;
        return tandem_install_write(install, install->written, install->buffer, size, &bare->in_flight);
    }
    if (bare->step == STEP_ENDING) {
        install->cursor = 0;
        bare->step = STEP_HASHING;
        return TANDEM_AGAIN;
    }
    if (bare->open_ended || install->erased >= install->image_size)
        return TANDEM_OK;
    bare->touched = 1;
    return tandem_install_erase_one(install);
}

/* The header of an image that speaks for itself has come: version and sizes are known before anything is touched. */
static enum tandem_status work_header(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    struct tandem_bare_entry *entry = &bare->entries[install->slot];
    struct tandem_mcuboot image;
    uint8_t kind = device_of(install)->slots[install->slot].kind;
    if (install->fill < MCUBOOT_HEADER_SIZE)
        return TANDEM_OK;
    enum tandem_status status = tandem_mcuboot_header(&image, install->buffer);
    if (status == TANDEM_OK && image.total_size > install->image_size)
        status = bare->open_ended ? TANDEM_ERROR_TOO_LARGE : TANDEM_ERROR_TRUNCATED;
    if (status == TANDEM_OK && (image.flags & (MCUBOOT_FLAG_ENCRYPTED | MCUBOOT_FLAG_COMPRESSED)) != 0)
        status = TANDEM_ERROR_UNSUPPORTED;
    if (status == TANDEM_OK)
        status = check_version(install, kind, &image.version);
    if (status != TANDEM_OK)
        return tandem_install_fail(install, status, TANDEM_STAGE_CHECK, kind, 0);
    entry->version = image.version;
    entry->load_address = image.load_address;
    if (!bare->opened)
        install->outcome.version = image.version;
    bare->step = STEP_OPENING;
    return TANDEM_AGAIN;
}

/* Make the bank ready: once for a set, with the user's consent. */
static enum tandem_status work_open(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    if (!bare->opened) {
        bare->opened = 1;
        install->job = JOB_CONSENT;
        return TANDEM_AGAIN;
    }
    install->kind = device_of(install)->slots[install->slot].kind;
    install->erased = install->all_erased ? install->area.size : 0;
    bare->step = STEP_RECEIVING;
    return TANDEM_AGAIN;
}

static enum tandem_status image_failed(struct tandem_bare *bare, enum tandem_status status)
{
    struct tandem_install *install = bare->install;
    return tandem_install_fail(install, status, TANDEM_STAGE_VALIDATE, install->kind, 0);
}

static enum tandem_status arrived(struct tandem_bare *bare)
{
    bare->here |= 1u << bare->install->slot;
    bare->step = STEP_ENDED;
    return TANDEM_OK;
}

static enum tandem_status work_hash(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    struct tandem_bare_entry *entry = &bare->entries[install->slot];
    struct tandem_mcuboot image;
    uint8_t bytes[MCUBOOT_HEADER_SIZE];
    const struct tandem_flash_port *flash = install->area.flash;
    enum tandem_status status = tandem_install_hash(install, entry->digest);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    entry->size = install->image_size;
    if (status == TANDEM_OK && !speaks_for_itself(device_of(install), entry->payload))
        return arrived(bare);
    if (status == TANDEM_OK && flash->read(flash->ctx, install->area.address, bytes, sizeof bytes) != TANDEM_OK)
        status = TANDEM_ERROR_FLASH;
    if (status == TANDEM_OK)
        status = tandem_mcuboot_header(&image, bytes);
    if (status == TANDEM_OK && image.signed_size > entry->size)
        status = TANDEM_ERROR_FORMAT;
    if (status != TANDEM_OK)
        return image_failed(bare, status);
    install->image_size = image.signed_size;
    install->cursor = 0;
    bare->step = STEP_JUDGING;
    return TANDEM_AGAIN;
}

/* What an MCUboot image says of itself counts once its signature is known to be good. */
static enum tandem_status work_judge(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    const struct tandem_device *device = device_of(install);
    struct tandem_bare_entry *entry = &bare->entries[install->slot];
    struct tandem_mcuboot image;
    uint8_t digest[TANDEM_SHA256_SIZE];
    enum tandem_status status = tandem_install_hash(install, digest);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status == TANDEM_OK)
        status = tandem_bank_mcuboot_open(&image, device, &install->area, entry->size);
    if (status == TANDEM_OK)
        status = tandem_bank_mcuboot_verify(&image, device, &install->area, install->bank.state.revoked, digest);
    if (status == TANDEM_ERROR_UNSIGNED && device->allow_unsigned)
        status = TANDEM_OK;
    if (status == TANDEM_OK && image.counter < install->bank.state.counter)
        status = TANDEM_ERROR_COUNTER;
    if (status == TANDEM_OK &&
        (tandem_version_compare(&entry->version, &image.version) != 0 || entry->load_address != image.load_address))
        status = TANDEM_ERROR_DIGEST; /* not the header that came */
    if (status != TANDEM_OK)
        return image_failed(bare, status);
    install->image_size = entry->size;
    entry->counter = image.counter;
    entry->dependency_count = image.dependency_count;
    return arrived(bare);
}

static enum tandem_status work(struct tandem_bare *bare)
{
    switch ((enum step)bare->step) {
    case STEP_HEADER:
        return TANDEM_CONFIG_MCUBOOT ? work_header(bare) : TANDEM_OK;
    case STEP_OPENING:
        return work_open(bare);
    case STEP_RECEIVING:
    case STEP_ENDING:
        return work_receive(bare);
    case STEP_HASHING:
        return work_hash(bare);
    case STEP_JUDGING:
        return TANDEM_CONFIG_MCUBOOT ? work_judge(bare) : TANDEM_OK;
    case STEP_CLOSED:
    case STEP_ENDED:
        break;
    }
    return TANDEM_OK;
}

enum tandem_status tandem_bare_poll(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    if (install->job != JOB_BARE)
        return tandem_install_poll(install);
    enum tandem_status status = tandem_flash_op_run(&install->op, device_of(install)->system);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status != TANDEM_OK)
        return tandem_install_fail(install, TANDEM_ERROR_FLASH, TANDEM_STAGE_RECEIVE, install->kind, install->written);
    install->written += bare->in_flight;
    bare->in_flight = 0;
    tandem_install_rebase(install, install->written);
    return work(bare);
}

/* ---- end, drop, finish ---- */

enum tandem_status tandem_bare_end(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    if (!is_open(bare))
        return install->bare && install->outcome.status != TANDEM_OK ? install->outcome.status : TANDEM_ERROR_STATE;
    if (bare->step == STEP_CLOSED)
        return TANDEM_ERROR_STATE;
    if (bare->step == STEP_ENDED)
        return TANDEM_OK;
    if (!is_receiving(bare))
        return TANDEM_AGAIN;
    uint32_t wants = tandem_install_wants(install);
    if (wants == 0 || (!bare->open_ended && wants < install->image_size) ||
        (bare->step == STEP_HEADER && wants < MCUBOOT_HEADER_SIZE))
        return TANDEM_ERROR_TRUNCATED;
    if (bare->step == STEP_RECEIVING) { /* else the bank is being made ready still */
        install->image_size = wants;
        bare->step = STEP_ENDING;
    }
    return TANDEM_AGAIN;
}

enum tandem_status tandem_bare_drop(struct tandem_bare *bare)
{
    if (!is_open(bare) || bare->step == STEP_CLOSED || !settled(bare))
        return TANDEM_ERROR_STATE;
    forget(bare);
    bare->in_flight = 0;
    bare->step = STEP_CLOSED;
    return TANDEM_OK;
}

enum tandem_status tandem_bare_abort(struct tandem_bare *bare)
{
    bare->here = 0;
    bare->step = STEP_CLOSED;
    return tandem_install_abort(bare->install);
}

/* Have the installer go on behind the head that is at the buffer's start. */
static void hand_over(struct tandem_bare *bare, const struct tandem_manifest *manifest)
{
    struct tandem_install *install = bare->install;
    for (uint8_t i = 0; i < TANDEM_CONFIG_MAX_IMAGES; i++)
        if (bare->here >> i & 1) /* even if the same is running: it has come, and need not be copied */
            install->plan[i] &= (uint8_t)~PLAN_SAME;
    install->here = bare->here;
    install->package_size = manifest->header.package_size;
    install->head_size = manifest->header.head_size;
    install->area_used = 0;
    install->cursor = 0;
    install->closed = 0;
    install->state = TANDEM_STATE_VALIDATING;
    install->outcome.stage = TANDEM_STAGE_VALIDATE;
    install->outcome.image = 0;
    install->outcome.detail = 0;
    install->job = JOB_WRITE_MANIFEST;
    bare->here = 0;
    bare->step = STEP_CLOSED;
}

enum tandem_status tandem_bare_finish(struct tandem_bare *bare)
{
    struct tandem_install *install = bare->install;
    struct tandem_manifest manifest;
    if (!is_open(bare) || (bare->step != STEP_CLOSED && bare->step != STEP_ENDED))
        return TANDEM_ERROR_STATE;
    if (bare->here == 0)
        return TANDEM_ERROR_INCOMPLETE;
    if (install->job != JOB_BARE || install->op.flash != NULL)
        return TANDEM_AGAIN;
    install->base = 0;
    install->fill = 0;
    uint32_t size;
    enum tandem_status status = tandem_bare_compose(bare, head_room(install), &size);
    if (status == TANDEM_OK)
        status = tandem_manifest_parse(&manifest, device_of(install)->crypto, install->buffer, size);
    if (status == TANDEM_OK)
        status = tandem_install_check(install, &manifest, 0);
    if (status == TANDEM_OK)
        hand_over(bare, &manifest);
    return status;
}
