/*
 * The installer's work, one bounded step at a time. Only authenticated bytes
 * get this far: the head by its signatures, each block by the digest that the
 * one before it carried. The order of flash and journal writes is what makes
 * a power cut harmless: first it becomes durable that the free bank does not
 * count, then it is written, and last it becomes durable that it is whole.
 */
#include <string.h>

#include "core/bank.h"
#include "core/bytes.h"
#include "core/flash.h"
#include "core/install.h"
#include "core/journal.h"
#include "core/loader.h"

#define PROGRAM_MAX 1024u /* bytes programmed in one step */
#define HASH_MAX 1024u    /* bytes hashed in one step */
#define BAD_BLOCKS_MAX 3  /* damaged blocks in a row that are asked for again */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static const struct tandem_area *manifest_area(const struct tandem_install *install)
{
    return tandem_bank_manifest_area(&install->bank, tandem_bank_free(&install->bank));
}

static enum tandem_status next(struct tandem_install *install, enum job job)
{
    install->job = (uint8_t)job;
    return TANDEM_AGAIN;
}

static enum tandem_status flash_failed(struct tandem_install *install, uint32_t address)
{
    return tandem_install_fail(install, TANDEM_ERROR_FLASH, TANDEM_STAGE_RECEIVE, install->kind, address);
}

/* Run an operation; TANDEM_AGAIN whether it is done or goes on, as there is more to do either way. */
static enum tandem_status start_op(struct tandem_install *install, const struct tandem_flash_port *flash,
                                   uint32_t address, const uint8_t *data, uint32_t size)
{
    install->op.flash = flash;
    install->op.address = address;
    install->op.data = data;
    install->op.size = size;
    enum tandem_status status = tandem_flash_op_run(&install->op, device_of(install)->system);
    return status == TANDEM_ERROR_FLASH ? flash_failed(install, address) : TANDEM_AGAIN;
}

/* Program at most PROGRAM_MAX of `size` bytes; a last part unit is filled up. Tells in `*done` how many. */
static enum tandem_status start_program(struct tandem_install *install, const struct tandem_flash_port *flash,
                                        uint32_t address, const uint8_t *data, uint32_t size, uint32_t *done)
{
    uint32_t unit = flash->program_unit;
    uint32_t whole = least(size, PROGRAM_MAX) & ~(unit - 1);
    *done = whole;
    if (whole != 0)
        return start_op(install, flash, address, data, whole);
    *done = size;
    memset(install->tail, flash->erased, sizeof install->tail);
    memcpy(install->tail, data, size);
    return start_op(install, flash, address, install->tail, unit);
}

/* ---- the head ---- */

static enum tandem_status refused(struct tandem_install *install, enum tandem_status status, uint32_t detail)
{
    return tandem_install_fail(install, status, TANDEM_STAGE_CHECK, install->outcome.image,
                               install->outcome.detail != 0 ? install->outcome.detail : detail);
}

static enum tandem_status work_head(struct tandem_install *install)
{
    struct tandem_package_header header;
    struct tandem_manifest manifest;
    if (install->fill < TANDEM_PACKAGE_HEADER_SIZE)
        return TANDEM_OK;
    enum tandem_status status = tandem_package_header(&header, install->buffer);
    if (status != TANDEM_OK)
        return refused(install, status, 0);
    if (header.head_size > install->buffer_size)
        return refused(install, TANDEM_ERROR_TOO_LARGE, install->buffer_size);
    if (install->package_size != 0 && install->package_size != header.package_size)
        return refused(install, TANDEM_ERROR_FORMAT, header.package_size);
    if (install->fill < header.head_size)
        return TANDEM_OK;

    uint8_t wanted[TANDEM_PACKAGE_ID_SIZE];
    static const uint8_t any[TANDEM_PACKAGE_ID_SIZE] = {0};
    memcpy(wanted, install->outcome.id, sizeof wanted);
    status = tandem_manifest_parse(&manifest, device_of(install)->crypto, install->buffer, install->fill);
    if (status == TANDEM_OK && memcmp(wanted, any, sizeof any) != 0 && memcmp(wanted, manifest.id, sizeof wanted) != 0)
        status = TANDEM_ERROR_FORMAT;
    if (status == TANDEM_OK)
        status = tandem_install_check(install, &manifest, 0);
    if (status != TANDEM_OK)
        return refused(install, status, 0);
    install->package_size = header.package_size;
    install->head_size = header.head_size;
    return next(install, JOB_CONSENT);
}

/* A package that came without its id may still be the one that was under way. */
static int is_under_way(const struct tandem_install *install)
{
    return install->bank.state.phase == TANDEM_PHASE_RECEIVING &&
           memcmp(install->bank.state.outcome.id, install->outcome.id, TANDEM_PACKAGE_ID_SIZE) == 0;
}

static enum tandem_status work_consent(struct tandem_install *install)
{
    const struct tandem_system_port *system = device_of(install)->system;
    if (is_under_way(install)) {
        if (tandem_install_resume(install))
            return TANDEM_AGAIN;
        /* What is stored is not what it should be, and the buffer was needed to find out: begin anew. */
        install->bank.state.phase = TANDEM_PHASE_UNKNOWN;
        install->closed = 0;
        install->fill = 0;
        install->base = 0;
        memset(install->early, 0, sizeof install->early);
        install->outcome.stage = TANDEM_STAGE_CHECK;
        install->outcome.image = 0;
        install->outcome.detail = 0;
        return next(install, JOB_HEAD);
    }
    if (system != NULL && system->consent != NULL) {
        struct tandem_consent consent = {install->outcome.version, install->package_size};
        enum tandem_status status = system->consent(system->ctx, &consent);
        if (status == TANDEM_AGAIN)
            return TANDEM_OK;
        if (status != TANDEM_OK)
            return refused(install, TANDEM_ERROR_CONSENT, 0);
    }
    return next(install, JOB_FORGET);
}

static enum tandem_status work_forget(struct tandem_install *install)
{
    struct tandem_bank_state *state = &install->bank.state;
    uint8_t *proof = state->proofs[tandem_bank_free(&install->bank)];
    install->all_erased = state->phase == TANDEM_PHASE_ERASED;
    install->cursor = 0;
    install->kind = 0;
    install->written = 0;
    install->outcome.stage = TANDEM_STAGE_RECEIVE;
    state->phase = TANDEM_PHASE_UNKNOWN;
    state->attempts = 0;
    memset(proof, 0, sizeof state->proofs[0]);
    if (tandem_bank_store(&install->bank) != TANDEM_OK)
        return flash_failed(install, 0);
    if (!install->all_erased)
        return next(install, JOB_ERASE_MANIFEST);
    return next(install, install->bare ? JOB_BARE : JOB_WRITE_MANIFEST);
}

static enum tandem_status work_erase_manifest(struct tandem_install *install)
{
    const struct tandem_area *area = manifest_area(install);
    struct tandem_sector sector;
    if (install->cursor >= area->size) {
        install->cursor = 0;
        return next(install, install->bare ? JOB_BARE : JOB_WRITE_MANIFEST);
    }
    if (!tandem_flash_sector(area->flash, area->address + install->cursor, &sector))
        return flash_failed(install, area->address);
    install->cursor = sector.address + sector.size - area->address;
    return start_op(install, area->flash, sector.address, NULL, 0);
}

/* Write the head that is at the buffer's start to the manifest area, from `area_used` on. */
static enum tandem_status write_head(struct tandem_install *install, uint32_t size, enum job then)
{
    const struct tandem_area *area = manifest_area(install);
    uint32_t done;
    if (install->cursor < size) {
        uint32_t at = install->cursor;
        enum tandem_status status = start_program(install, area->flash, area->address + install->area_used + at,
                                                  install->buffer + at, size - at, &done);
        install->cursor += done;
        return status;
    }
    install->area_used += tandem_head_space(size);
    install->cursor = 0;
    return next(install, then);
}

static int needs_carry(const struct tandem_install *install, uint8_t slot)
{
    struct tandem_image image;
    return install->plan[slot] == PLAN_COPY &&
           tandem_bank_find_image(&install->bank, tandem_bank_free(&install->bank),
                                  device_of(install)->slots[slot].kind, &image) != TANDEM_OK;
}

static int carries(const struct tandem_install *install, const struct tandem_manifest *manifest)
{
    struct tandem_image image;
    for (uint8_t i = 0; i < device_of(install)->slot_count; i++)
        if (needs_carry(install, i) && tandem_manifest_find(manifest, device_of(install)->slots[i].kind,
                                                            tandem_bank_running(&install->bank), &image) == TANDEM_OK)
            return 1;
    return 0;
}

/*
 * Images that the package does not bring are described by older heads, which
 * come over with them. They must hold under the keys that will be left.
 */
static enum tandem_status work_carry(struct tandem_install *install)
{
    const struct tandem_device *device = device_of(install);
    struct tandem_heads heads = tandem_bank_heads(&install->bank, tandem_bank_running(&install->bank));
    struct tandem_manifest manifest;
    uint8_t needed = 0, slot = 0;
    for (; slot < device->slot_count && !needed; slot++)
        needed = (uint8_t)needs_carry(install, slot);
    if (!needed)
        return next(install, JOB_START);
    tandem_install_close(install);
    enum tandem_status status;
    do
        status = tandem_bank_next_head(&heads, device, &manifest, install->buffer, install->buffer_size);
    while (status == TANDEM_OK && !carries(install, &manifest));
    if (status == TANDEM_OK)
        status = tandem_bank_trust(&install->bank, tandem_bank_running(&install->bank), &manifest, install->revoked);
    if (status == TANDEM_OK && manifest.header.head_size > manifest_area(install)->size - install->area_used)
        status = TANDEM_ERROR_SPACE;
    if (status != TANDEM_OK)
        return tandem_install_fail(install, status == TANDEM_ERROR_NOTHING ? TANDEM_ERROR_INCOMPLETE : status,
                                   TANDEM_STAGE_RECEIVE, device->slots[slot - 1].kind, 0);
    install->payload_left = manifest.header.head_size; /* what JOB_WRITE_MANIFEST has to write this time */
    return next(install, JOB_WRITE_MANIFEST);
}

/* ---- steps: copies first, then images in the package's order ---- */

static uint8_t find_step(const struct tandem_install *install, unsigned from, uint8_t *slot)
{
    uint8_t best = STEP_NONE;
    for (uint8_t i = 0; i < device_of(install)->slot_count; i++) {
        if (install->plan[i] == PLAN_NOTHING)
            continue;
        unsigned step = install->plan[i] >= PLAN_SAME ? i : STEP_RECEIVE + (unsigned)install->plan[i];
        if (step >= from && step < best) {
            best = (uint8_t)step;
            *slot = i;
        }
    }
    return best;
}

static enum tandem_status checkpoint(struct tandem_install *install)
{
    struct tandem_progress progress;
    if (install->bare)
        return TANDEM_OK; /* there is no package to go on with */
    progress.tag = tandem_load_le16(install->outcome.id);
    progress.offset = install->base;
    progress.written = install->written;
    progress.step = install->step;
    memcpy(progress.digest, install->expected, sizeof progress.digest);
    return tandem_bank_store_progress(&install->bank, &progress);
}

/* Whether the image in hand is the bootloader. */
static int is_loader(const struct tandem_install *install)
{
    return tandem_loader_has(&device_of(install)->slots[install->slot]);
}

/* Take up the image of a step; 0 if its description cannot be read. */
static int take_step(struct tandem_install *install, uint8_t step, uint8_t slot)
{
    struct tandem_image image;
    if (tandem_bank_find_image(&install->bank, tandem_bank_free(&install->bank), device_of(install)->slots[slot].kind,
                               &image) != TANDEM_OK)
        return 0;
    install->step = step;
    install->slot = slot;
    install->area = tandem_bank_area(&install->bank, slot, tandem_bank_free(&install->bank));
    install->kind = image.kind;
    install->image_size = image.size;
    install->payload = image.payload_offset;
    install->payload_left = image.payload_size;
    install->block_size = image.block_size;
    install->written = 0;
    install->erased = install->all_erased && !is_loader(install) ? install->area.size : 0;
    install->cursor = 0;
    memcpy(install->digest, image.digest, sizeof install->digest);
    memcpy(install->expected, image.first_block, sizeof install->expected);
    return 1;
}

static enum tandem_status work_next(struct tandem_install *install, unsigned from)
{
    uint8_t slot = 0, step = find_step(install, from, &slot);
    if (step == STEP_NONE) {
        tandem_install_rebase(install, install->package_size);
        return next(install, JOB_FINISH);
    }
    if (!take_step(install, step, slot))
        return flash_failed(install, manifest_area(install)->address);
    if (step < STEP_RECEIVE || (install->here >> slot & 1)) {
        tandem_install_close(install);
        return next(install, step < STEP_RECEIVE ? JOB_COPY : JOB_HASH);
    }
    install->closed = 0;
    tandem_install_rebase(install, install->payload);
    return next(install, is_loader(install) ? JOB_UNSEAL : JOB_BLOCK);
}

/* Go on at the checkpoint; 0 if that cannot be. The plan is known. */
static int go_on(struct tandem_install *install)
{
    struct tandem_progress progress;
    uint8_t slot = 0;
    if (!tandem_bank_progress(&install->bank, &progress) || find_step(install, progress.step, &slot) != progress.step ||
        !take_step(install, progress.step, slot))
        return 0;
    install->closed = progress.step < STEP_RECEIVE;
    install->base = progress.offset;
    install->fill = 0;
    memset(install->early, 0, sizeof install->early);
    if (progress.step < STEP_RECEIVE) {
        install->job = JOB_COPY;
        return 1;
    }
    if (progress.offset < install->payload || progress.offset - install->payload > install->payload_left ||
        progress.written > install->image_size)
        return 0;
    install->payload_left -= progress.offset - install->payload;
    install->written = install->erased = progress.written;
    memcpy(install->expected, progress.digest, sizeof install->expected);
    install->job = install->payload_left != 0 ? JOB_BLOCK : JOB_HASH;
    if (progress.written == 0 && is_loader(install))
        install->job = JOB_UNSEAL;
    return 1;
}

/* The transfer begins: from here on it can be gone on with. */
static enum tandem_status work_start(struct tandem_install *install)
{
    struct tandem_bank_state *state = &install->bank.state;
    if (state->phase == TANDEM_PHASE_RECEIVING) /* the heads were only written anew */
        return go_on(install) ? TANDEM_AGAIN : flash_failed(install, manifest_area(install)->address);
    enum tandem_status status = work_next(install, 0);
    if (status != TANDEM_AGAIN || install->bare)
        return status;
    state->phase = TANDEM_PHASE_RECEIVING;
    state->outcome = install->outcome;
    if (checkpoint(install) != TANDEM_OK || tandem_bank_store(&install->bank) != TANDEM_OK)
        return flash_failed(install, 0);
    return TANDEM_AGAIN;
}

/* Read the new head back into the buffer's start. */
static int reread_head(struct tandem_install *install, struct tandem_manifest *manifest)
{
    const struct tandem_device *device = device_of(install);
    struct tandem_heads heads = tandem_bank_heads(&install->bank, tandem_bank_free(&install->bank));
    return tandem_bank_next_head(&heads, device, manifest, install->buffer, install->buffer_size) == TANDEM_OK &&
           memcmp(manifest->id, install->bank.state.outcome.id, sizeof manifest->id) == 0;
}

uint32_t tandem_install_shared(const struct tandem_install *install, uint32_t *address)
{
    const struct tandem_area *area = &install->area, *manifest = manifest_area(install);
    struct tandem_sector sector;
    if (area->flash != manifest->flash || !tandem_flash_sector(manifest->flash, manifest->address, &sector))
        return 0;
    *address = sector.address > area->address ? sector.address : area->address;
    uint32_t end = least(manifest->address, area->address + area->size);
    return end > *address ? end - *address : 0;
}

/* Erase that sector, and with it the heads, which are written anew from the buffer. Then it goes on at the checkpoint.
 */
static enum tandem_status renew_heads(struct tandem_install *install)
{
    install->closed = 1;
    install->cursor = 0;
    install->area_used = 0;
    install->payload_left = install->head_size;
    return next(install, JOB_ERASE_MANIFEST);
}

/*
 * Make the checkpoint in use the newest one, once after each reset. Else one
 * that was torn, and does not read well now, may do so another time, when
 * what it speaks of has been erased.
 */
static int firm_up(struct tandem_install *install)
{
    uint8_t *twins = &install->bank.journal.twins, bit = 1u << JOURNAL_PROGRESS;
    if ((*twins & bit) == 0 && checkpoint(install) != TANDEM_OK)
        return 0;
    *twins |= bit;
    return 1;
}

int tandem_install_resume(struct tandem_install *install)
{
    struct tandem_manifest manifest;
    uint32_t address = 0;
    if (!reread_head(install, &manifest) || tandem_install_check(install, &manifest, 1) != TANDEM_OK)
        return 0;
    install->package_size = manifest.header.package_size;
    install->head_size = manifest.header.head_size;
    install->all_erased = 0;
    if (!go_on(install))
        return 0;
    if (!firm_up(install))
        return 0;
    install->outcome.status = TANDEM_OK;
    install->outcome.stage = TANDEM_STAGE_RECEIVE;
    install->outcome.image = 0;
    install->outcome.detail = 0;
    uint32_t shared = tandem_install_shared(install, &address);
    if (install->job != JOB_HASH && shared != 0 &&
        !tandem_flash_is_erased(manifest_area(install)->flash, address, shared))
        renew_heads(install);
    return 1;
}

/* ---- writing ---- */

/* The sector at `erased`; the one that holds this bank's manifest is erased already. */
enum tandem_status tandem_install_erase_one(struct tandem_install *install)
{
    const struct tandem_area *area = &install->area, *manifest = manifest_area(install);
    struct tandem_sector sector;
    if (!tandem_flash_sector(area->flash, area->address + install->erased, &sector))
        return flash_failed(install, area->address + install->erased);
    install->erased = sector.address + sector.size - area->address;
    if (area->flash == manifest->flash && manifest->address < sector.address + sector.size &&
        sector.address < manifest->address + manifest->size)
        return TANDEM_AGAIN;
    return start_op(install, area->flash, sector.address, NULL, 0);
}

enum tandem_status tandem_install_write(struct tandem_install *install, uint32_t place, const uint8_t *data,
                                        uint32_t size, uint32_t *done)
{
    const struct tandem_area *area = &install->area;
    *done = 0;
    if (place >= install->erased)
        return tandem_install_erase_one(install);
    return start_program(install, area->flash, area->address + place, data, least(size, install->erased - place), done);
}

/* The seal goes before anything else of the copy: whatever is there meanwhile is not started. */
static enum tandem_status work_unseal(struct tandem_install *install)
{
    const struct tandem_area *area = &install->area;
    uint32_t tail = area->address + area->size;
    struct tandem_sector sector;
    if (install->cursor >= TANDEM_STAGE_TAIL) {
        install->cursor = 0;
        return next(install, JOB_BLOCK);
    }
    if (!tandem_flash_sector(area->flash, tail + install->cursor, &sector))
        return flash_failed(install, tail);
    install->cursor = sector.address + sector.size - tail;
    return start_op(install, area->flash, sector.address, NULL, 0);
}

static uint32_t block_need(const struct tandem_install *install)
{
    return least(install->payload_left, (uint32_t)install->block_size + TANDEM_BLOCK_DIGEST_SIZE);
}

/* Data bytes of the block in hand: all of a last one, else all but the next one's digest. */
static uint32_t block_data(const struct tandem_install *install)
{
    uint32_t need = block_need(install);
    return need == install->payload_left ? need : need - TANDEM_BLOCK_DIGEST_SIZE;
}

static enum tandem_status work_block(struct tandem_install *install)
{
    uint32_t need = block_need(install);
    if (install->fill < need)
        return install->erased < install->image_size ? tandem_install_erase_one(install) : TANDEM_OK;
    uint8_t digest[TANDEM_BLOCK_DIGEST_SIZE];
    enum tandem_status status = tandem_block_digest(device_of(install)->crypto, install->buffer, need, digest);
    if (status != TANDEM_OK)
        return tandem_install_fail(install, status, TANDEM_STAGE_RECEIVE, install->kind, install->base);
    if (!tandem_equal(digest, install->expected, sizeof digest)) {
        install->fill = 0;
        memset(install->early, 0, sizeof install->early);
        if (++install->retries > BAD_BLOCKS_MAX)
            return tandem_install_fail(install, TANDEM_ERROR_DIGEST, TANDEM_STAGE_RECEIVE, install->kind,
                                       install->base);
        return TANDEM_AGAIN;
    }
    install->retries = 0;
    install->cursor = 0;
    return next(install, JOB_WRITE);
}

/* Whether what was written ends where a transfer can go on after a cut: nothing of the next sector is touched. */
static int at_checkpoint(const struct tandem_install *install)
{
    const struct tandem_area *area = &install->area;
    struct tandem_sector sector;
    return install->payload_left == 0 || (tandem_flash_sector(area->flash, area->address + install->written, &sector) &&
                                          sector.address == area->address + install->written);
}

/* The image is received: while it is read back, the window is where the next one begins. */
static void look_ahead(struct tandem_install *install)
{
    struct tandem_image image;
    uint8_t slot = 0;
    if (find_step(install, install->step + 1u, &slot) == STEP_NONE)
        tandem_install_rebase(install, install->package_size);
    else if (tandem_bank_find_image(&install->bank, tandem_bank_free(&install->bank),
                                    device_of(install)->slots[slot].kind, &image) == TANDEM_OK)
        tandem_install_rebase(install, image.payload_offset);
}

static enum tandem_status work_write(struct tandem_install *install)
{
    uint32_t data = block_data(install), need = block_need(install), done;
    if (install->cursor < data) {
        uint32_t at = install->cursor;
        enum tandem_status status =
            tandem_install_write(install, install->written + at, install->buffer + at, data - at, &done);
        install->cursor += done;
        return status;
    }
    if (need != data)
        memcpy(install->expected, install->buffer + data, sizeof install->expected);
    install->written += data;
    install->payload_left -= need;
    install->cursor = 0;
    tandem_install_rebase(install, install->base + need);
    if (at_checkpoint(install) && checkpoint(install) != TANDEM_OK)
        return flash_failed(install, 0);
    if (install->payload_left != 0)
        return next(install, JOB_BLOCK);
    look_ahead(install);
    return next(install, JOB_HASH);
}

/* The image in hand is not to be had as it should be. A copy of what the package brings too is received after all. */
static enum tandem_status image_failed(struct tandem_install *install, enum tandem_status status, uint32_t detail)
{
    uint8_t *plan = &install->plan[install->slot];
    struct tandem_manifest manifest;
    uint32_t address;
    if (*plan < PLAN_SAME || *plan >= PLAN_COPY)
        return tandem_install_fail(install, status, TANDEM_STAGE_VALIDATE, install->kind, detail);
    *plan -= PLAN_SAME;
    install->state = TANDEM_STATE_RECEIVING; /* the host was told that nothing is wanted any more */
    uint32_t shared = tandem_install_shared(install, &address);
    status = work_next(install, install->step + 1u);
    if (status != TANDEM_AGAIN || shared == 0)
        return status;
    if (checkpoint(install) != TANDEM_OK || !reread_head(install, &manifest))
        return flash_failed(install, manifest_area(install)->address);
    return renew_heads(install);
}

static enum tandem_status work_copy(struct tandem_install *install)
{
    struct tandem_area from = tandem_bank_area(&install->bank, install->slot, tandem_bank_running(&install->bank));
    uint32_t left = install->image_size - install->written,
             size = least(left, least(install->buffer_size, PROGRAM_MAX));
    uint32_t done;
    if (left == 0)
        return next(install, JOB_HASH);
    if (install->written >= install->erased)
        return tandem_install_erase_one(install);
    if (from.flash->read(from.flash->ctx, from.address + install->written, install->buffer, size) != TANDEM_OK)
        return image_failed(install, TANDEM_ERROR_FLASH, from.address + install->written);
    /* A piece that is not the last ends on a program unit. */
    if (size < left)
        size &= ~(uint32_t)(TANDEM_CONFIG_MAX_PROGRAM_UNIT - 1u);
    enum tandem_status status = tandem_install_write(install, install->written, install->buffer, size, &done);
    install->written += done;
    return status;
}

/* ---- reading back ---- */

enum tandem_status tandem_install_hash(struct tandem_install *install, uint8_t digest[TANDEM_SHA256_SIZE])
{
    const struct tandem_area *area = &install->area;
    uint32_t part = least(install->image_size - install->cursor, HASH_MAX);
    enum tandem_status status = TANDEM_OK;
    if (install->cursor == 0)
        status = tandem_sha256_init(&install->hash, device_of(install)->crypto);
    if (status == TANDEM_OK)
        status = tandem_flash_hash(area->flash, area->address + install->cursor, part, &install->hash,
                                   device_of(install)->system);
    install->cursor += part;
    if (status == TANDEM_OK && install->cursor < install->image_size)
        return TANDEM_AGAIN;
    return status == TANDEM_OK ? tandem_sha256_final(&install->hash, digest) : status;
}

static enum tandem_status work_hash(struct tandem_install *install)
{
    uint8_t digest[TANDEM_SHA256_SIZE], slot;
    if (install->cursor == 0 && find_step(install, install->step + 1u, &slot) == STEP_NONE)
        install->state = TANDEM_STATE_VALIDATING;
    enum tandem_status status = tandem_install_hash(install, digest);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status != TANDEM_OK)
        return tandem_install_fail(install, status, TANDEM_STAGE_VALIDATE, install->kind, install->cursor);
    if (!tandem_equal(digest, install->digest, sizeof digest))
        return image_failed(install, TANDEM_ERROR_DIGEST, 0);
    status = work_next(install, install->step + 1u);
    /* Later images begin with a checkpoint of their own, so that this one need not be sent again. */
    if (status == TANDEM_AGAIN && install->job != JOB_FINISH && checkpoint(install) != TANDEM_OK)
        return flash_failed(install, 0);
    return status;
}

static enum tandem_status work_finish(struct tandem_install *install)
{
    struct tandem_bank_state *state = &install->bank.state;
    uint8_t percent;
    /* With too low a battery it stays validated, and whoever asks for the activation then hears why. */
    int activate = install->activate && tandem_install_battery(install, &percent) == TANDEM_OK;
    state->phase = activate ? TANDEM_PHASE_PENDING : TANDEM_PHASE_VALIDATED;
    install->outcome.stage = activate ? TANDEM_STAGE_ACTIVATE : TANDEM_STAGE_VALIDATE;
    install->outcome.status = TANDEM_OK;
    state->outcome = install->outcome;
    install->job = JOB_IDLE;
    if (tandem_bank_store(&install->bank) != TANDEM_OK)
        return tandem_install_fail(install, TANDEM_ERROR_FLASH, TANDEM_STAGE_VALIDATE, 0, 0);
    install->live = 0;
    return TANDEM_OK;
}

static enum tandem_status work_write_manifest(struct tandem_install *install)
{
    /* The first head is the new one, and payload bytes may follow it in the buffer; the others are carried. */
    if (!install->closed)
        install->payload_left = install->head_size;
    return write_head(install, install->payload_left, JOB_CARRY);
}

enum tandem_status tandem_install_work(struct tandem_install *install)
{
    switch ((enum job)install->job) {
    case JOB_HEAD:
        return work_head(install);
    case JOB_CONSENT:
        return work_consent(install);
    case JOB_FORGET:
        install->area_used = 0;
        return work_forget(install);
    case JOB_ERASE_MANIFEST:
        return work_erase_manifest(install);
    case JOB_WRITE_MANIFEST:
        return work_write_manifest(install);
    case JOB_CARRY:
        return work_carry(install);
    case JOB_START:
        return work_start(install);
    case JOB_COPY:
        return work_copy(install);
    case JOB_UNSEAL:
        return work_unseal(install);
    case JOB_BLOCK:
        return work_block(install);
    case JOB_WRITE:
        return work_write(install);
    case JOB_HASH:
        return work_hash(install);
    case JOB_FINISH:
        return work_finish(install);
    case JOB_BARE:
    case JOB_IDLE:
    case JOB_ERASE_IDLE:
        break;
    }
    return TANDEM_OK;
}
