/*
 * The installer's door: begin, feed, ask, activate, stop. Bytes wait in a
 * window of the package that begins at `base`; the work on them is in
 * install_jobs.c.
 */
#include "core/install.h"

#include <string.h>

#include "core/bank.h"
#include "core/flash.h"
#include "core/journal.h"
#include "core/loader.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static enum tandem_state state_at_rest(const struct tandem_bank_state *state)
{
    switch (state->phase) {
    case TANDEM_PHASE_VALIDATED:
        return TANDEM_STATE_VALIDATED;
    case TANDEM_PHASE_PENDING:
        return TANDEM_STATE_PENDING;
    case TANDEM_PHASE_TRIAL:
        return TANDEM_STATE_TRIAL;
    default:
        break;
    }
    if (state->outcome.status != TANDEM_OK)
        return TANDEM_STATE_FAILED;
    return state->outcome.stage == TANDEM_STAGE_CONFIRMED ? TANDEM_STATE_CONFIRMED : TANDEM_STATE_IDLE;
}

enum tandem_status tandem_install_init(struct tandem_install *install, const struct tandem_device *device,
                                       uint8_t *buffer, uint32_t size)
{
    memset(install, 0, sizeof *install);
    if (buffer == NULL || size < TANDEM_INSTALL_BUFFER_MIN)
        return TANDEM_ERROR_SPACE;
    install->buffer = buffer;
    install->buffer_size = size;
    enum tandem_status status = tandem_device_check(device, NULL);
    if (status == TANDEM_OK)
        status = tandem_bank_open(&install->bank, device);
    if (status == TANDEM_OK)
        status = tandem_install_survey(install);
    return status;
}

void tandem_install_settle(struct tandem_install *install)
{
    enum tandem_status status;
    do
        status = tandem_flash_op_run(&install->op, device_of(install)->system);
    while (status == TANDEM_AGAIN);
    if (status != TANDEM_OK && install->job == JOB_ERASE_IDLE)
        install->job = JOB_IDLE; /* it is begun anew */
    else if (status != TANDEM_OK && install->job != JOB_IDLE)
        (void)tandem_install_fail(install, TANDEM_ERROR_FLASH, TANDEM_STAGE_RECEIVE, install->kind, install->written);
}

/* The stored update is the one wanted, whole, and only waits. */
static int is_stored_whole(const struct tandem_install *install, const uint8_t *id)
{
    const struct tandem_bank_state *state = &install->bank.state;
    return (state->phase == TANDEM_PHASE_VALIDATED || state->phase == TANDEM_PHASE_PENDING) &&
           memcmp(state->outcome.id, id, TANDEM_PACKAGE_ID_SIZE) == 0;
}

static void open_window(struct tandem_install *install)
{
    install->base = 0;
    install->fill = 0;
    install->closed = 0;
    install->retries = 0;
    install->all_erased = 0;
    install->bare = 0;
    install->here = 0;
    memset(install->early, 0, sizeof install->early);
}

enum tandem_status tandem_install_take_over(struct tandem_install *install)
{
    if (install->bank.state.phase == TANDEM_PHASE_TRIAL)
        return TANDEM_ERROR_TRIAL;
    if (install->bank.state.phase >= TANDEM_PHASE_SWAPPING)
        return TANDEM_ERROR_STATE; /* the bootloader has to finish first */
    tandem_install_settle(install);
    open_window(install);
    return TANDEM_OK;
}

enum tandem_status tandem_install_begin(struct tandem_install *install, const uint8_t *id, uint32_t package_size,
                                        uint8_t activate)
{
    enum tandem_status status = tandem_install_take_over(install);
    if (status != TANDEM_OK)
        return status;
    install->package_size = package_size;
    install->activate = activate != 0;
    if (id != NULL && is_stored_whole(install, id)) {
        install->job = JOB_IDLE;
        install->base = package_size;
        install->live = 0;
        return activate ? tandem_install_activate(install) : TANDEM_OK;
    }
    install->live = 1;
    install->state = TANDEM_STATE_RECEIVING;
    if (id != NULL && install->bank.state.phase == TANDEM_PHASE_RECEIVING &&
        memcmp(install->bank.state.outcome.id, id, TANDEM_PACKAGE_ID_SIZE) == 0 && tandem_install_resume(install))
        return TANDEM_OK;
    open_window(install);
    memset(&install->outcome, 0, sizeof install->outcome);
    install->outcome.stage = TANDEM_STAGE_CHECK;
    if (id != NULL)
        memcpy(install->outcome.id, id, TANDEM_PACKAGE_ID_SIZE);
    install->job = JOB_HEAD;
    return TANDEM_OK;
}

uint32_t tandem_install_wants(const struct tandem_install *install)
{
    return install->base + install->fill;
}

uint32_t tandem_install_window_end(const struct tandem_install *install)
{
    uint32_t wants = tandem_install_wants(install);
    if (install->job == JOB_IDLE || install->job == JOB_ERASE_IDLE || install->closed)
        return wants;
    uint32_t room = install->buffer_size - install->fill;
    if (install->package_size != 0)
        room = least(room, install->package_size > wants ? install->package_size - wants : 0);
    return wants + room;
}

uint32_t tandem_install_limit(const struct tandem_install *install)
{
    return install->bare ? tandem_install_wants(install) : tandem_install_window_end(install);
}

int tandem_install_gap(const struct tandem_install *install)
{
    for (unsigned i = 0; i < TANDEM_INSTALL_SEGMENTS; i++)
        if (install->early[i].end != 0)
            return 1;
    return 0;
}

/* Early bytes that now touch the contiguous ones become part of them. */
static void absorb(struct tandem_install *install)
{
    unsigned i = 0;
    while (i < TANDEM_INSTALL_SEGMENTS) {
        struct tandem_segment *segment = &install->early[i++];
        uint32_t wants = tandem_install_wants(install);
        if (segment->end == 0 || segment->begin > wants)
            continue;
        if (segment->end > wants)
            install->fill += segment->end - wants;
        segment->end = 0;
        i = 0; /* what it reached may touch another */
    }
}

/* Remember a run of early bytes; whether there was a place to do so. */
static int remember(struct tandem_install *install, uint32_t begin, uint32_t end)
{
    struct tandem_segment *place = NULL;
    for (unsigned i = 0; i < TANDEM_INSTALL_SEGMENTS; i++) {
        struct tandem_segment *segment = &install->early[i];
        if (segment->end == 0) {
            place = segment;
        } else if (begin <= segment->end && segment->begin <= end) {
            segment->begin = least(segment->begin, begin);
            segment->end = segment->end > end ? segment->end : end;
            return 1;
        }
    }
    if (place == NULL)
        return 0;
    place->begin = begin;
    place->end = end;
    return 1;
}

void tandem_install_take_in(struct tandem_install *install, uint32_t offset, const void *data, size_t size)
{
    uint32_t wants = tandem_install_wants(install), limit = tandem_install_window_end(install);
    if (size == 0 || size > 0xFFFFFFFFu - offset || offset >= limit || offset + size <= wants)
        return;
    /* What is already contiguous may be in use, and has perhaps been checked: it is never written over. */
    uint32_t begin = offset > wants ? offset : wants;
    uint32_t end = least(offset + (uint32_t)size, limit);
    if (begin > wants && !remember(install, begin, end))
        return;
    memcpy(install->buffer + (begin - install->base), (const uint8_t *)data + (begin - offset), end - begin);
    if (begin == wants) {
        install->fill += end - begin;
        absorb(install);
    }
}

enum tandem_status tandem_install_feed(struct tandem_install *install, uint32_t offset, const void *data, size_t size)
{
    if (install->job == JOB_IDLE || install->job == JOB_ERASE_IDLE || install->bare)
        return TANDEM_ERROR_STATE;
    tandem_install_take_in(install, offset, data, size);
    return TANDEM_OK;
}

void tandem_install_close(struct tandem_install *install)
{
    install->closed = 1;
    if (install->base < install->head_size)
        install->base = install->head_size;
    install->fill = 0;
    memset(install->early, 0, sizeof install->early);
}

void tandem_install_rebase(struct tandem_install *install, uint32_t base)
{
    uint32_t shift = base - install->base;
    if (base < install->base || shift >= install->buffer_size) {
        install->fill = 0;
        memset(install->early, 0, sizeof install->early);
    } else if (shift != 0) {
        memmove(install->buffer, install->buffer + shift, install->buffer_size - shift);
        install->fill = install->fill > shift ? install->fill - shift : 0;
    }
    install->base = base;
    absorb(install);
}

enum tandem_status tandem_install_fail(struct tandem_install *install, enum tandem_status status,
                                       enum tandem_stage stage, uint8_t image, uint32_t detail)
{
    struct tandem_bank_state *state = &install->bank.state;
    install->outcome.status = status;
    install->outcome.stage = stage;
    install->outcome.image = image;
    install->outcome.detail = detail;
    install->outcome.seen = 0;
    install->job = JOB_IDLE;
    install->state = TANDEM_STATE_FAILED;
    if (stage == TANDEM_STAGE_CHECK)
        return TANDEM_OK; /* nothing was touched, and a stranger's packages shall not wear the journal */
    state->outcome = install->outcome;
    if (stage != TANDEM_STAGE_RECEIVE)
        state->phase = TANDEM_PHASE_UNKNOWN; /* a transfer may go on, a bank that did not validate starts anew */
    install->live = tandem_bank_store(&install->bank) != TANDEM_OK;
    return TANDEM_OK;
}

enum tandem_status tandem_install_poll(struct tandem_install *install)
{
    if (install->job == JOB_ERASE_IDLE)
        return TANDEM_OK; /* tandem_install_erase_idle() sees to its operation, and to how that ends */
    enum tandem_status status = tandem_flash_op_run(&install->op, device_of(install)->system);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (install->job == JOB_IDLE)
        return TANDEM_OK;
    if (status != TANDEM_OK)
        return tandem_install_fail(install, TANDEM_ERROR_FLASH, TANDEM_STAGE_RECEIVE, install->kind, install->written);
    return tandem_install_work(install);
}

enum tandem_state tandem_install_state(const struct tandem_install *install)
{
    return install->live ? (enum tandem_state)install->state : state_at_rest(&install->bank.state);
}

const struct tandem_outcome *tandem_install_outcome(const struct tandem_install *install)
{
    return install->live ? &install->outcome : &install->bank.state.outcome;
}

int tandem_install_resumable(const struct tandem_install *install, uint8_t id[TANDEM_PACKAGE_ID_SIZE], uint32_t *offset)
{
    const struct tandem_bank_state *state = &install->bank.state;
    struct tandem_progress progress;
    if (state->phase != TANDEM_PHASE_RECEIVING)
        return 0;
    memcpy(id, state->outcome.id, TANDEM_PACKAGE_ID_SIZE);
    if (install->job != JOB_IDLE && memcmp(install->outcome.id, id, TANDEM_PACKAGE_ID_SIZE) == 0) {
        *offset = tandem_install_wants(install);
        return 1;
    }
    /* The checkpoint is in flash, which must not be touched while an operation is under way. */
    if (install->op.flash != NULL || !tandem_bank_progress(&install->bank, &progress))
        return 0;
    *offset = progress.offset;
    return 1;
}

enum tandem_status tandem_install_activate(struct tandem_install *install)
{
    struct tandem_bank_state *state = &install->bank.state, before = *state;
    if (state->phase == TANDEM_PHASE_PENDING)
        return TANDEM_OK;
    if (state->phase != TANDEM_PHASE_VALIDATED || install->job != JOB_IDLE)
        return TANDEM_ERROR_STATE;
    uint8_t percent;
    enum tandem_status status = tandem_install_battery(install, &percent);
    if (status != TANDEM_OK)
        return status;
    state->phase = TANDEM_PHASE_PENDING;
    state->outcome.stage = TANDEM_STAGE_ACTIVATE;
    status = tandem_bank_store(&install->bank);
    if (status != TANDEM_OK) {
        *state = before;
        return status;
    }
    install->live = 0;
    return TANDEM_OK;
}

enum tandem_status tandem_install_confirm(struct tandem_install *install)
{
    if (install->job != JOB_IDLE && install->job != JOB_ERASE_IDLE)
        return TANDEM_ERROR_STATE;
    return tandem_bank_confirm(&install->bank, install->buffer, install->buffer_size);
}

enum tandem_status tandem_install_abort(struct tandem_install *install)
{
    struct tandem_bank_state *state = &install->bank.state;
    tandem_install_settle(install);
    if (install->job != JOB_IDLE && install->job != JOB_ERASE_IDLE) {
        install->outcome.status = TANDEM_ERROR_CANCELLED;
        install->state = TANDEM_STATE_IDLE;
    }
    install->job = JOB_IDLE;
    if (state->phase != TANDEM_PHASE_PENDING)
        return TANDEM_OK;
    state->phase = TANDEM_PHASE_VALIDATED;
    state->outcome.stage = TANDEM_STAGE_VALIDATE;
    install->live = 0;
    return tandem_bank_store(&install->bank);
}

enum tandem_status tandem_install_seen(struct tandem_install *install)
{
    tandem_install_settle(install);
    return tandem_bank_outcome_seen(&install->bank);
}

/* Begin to erase the free bank, if nothing in it is worth keeping. */
static enum tandem_status erase_idle_begin(struct tandem_install *install)
{
    struct tandem_bank_state *state = &install->bank.state;
    if (state->phase != TANDEM_PHASE_UNKNOWN && state->phase != TANDEM_PHASE_REJECTED &&
        state->phase != TANDEM_PHASE_PREVIOUS)
        return TANDEM_ERROR_STATE;
    /* Begun again after a reset, it has nothing to note: it must not wear the journal. */
    enum tandem_status status = TANDEM_OK;
    struct tandem_bank_state before = *state;
    state->phase = TANDEM_PHASE_UNKNOWN;
    memset(state->proofs[tandem_bank_free(&install->bank)], 0, sizeof state->proofs[0]);
    if (before.phase != state->phase || memcmp(before.proofs, state->proofs, sizeof before.proofs) != 0)
        status = tandem_bank_store(&install->bank);
    if (status != TANDEM_OK)
        *state = before;
    install->job = status == TANDEM_OK ? JOB_ERASE_IDLE : JOB_IDLE;
    install->slot = 0;
    install->cursor = 0;
    return status;
}

enum tandem_status tandem_install_erase_idle(struct tandem_install *install)
{
    const struct tandem_device *device = device_of(install);
    uint8_t bank = tandem_bank_free(&install->bank);
    struct tandem_sector sector;
    if (install->job == JOB_IDLE && install->bank.state.phase == TANDEM_PHASE_ERASED)
        return tandem_journal_tidy(&install->bank.journal);
    enum tandem_status status = install->job == JOB_IDLE ? erase_idle_begin(install) : TANDEM_OK;
    if (status != TANDEM_OK || install->job != JOB_ERASE_IDLE)
        return status != TANDEM_OK ? status : TANDEM_ERROR_STATE;
    status = tandem_flash_op_run(&install->op, device->system);
    if (status != TANDEM_OK) {
        install->job = status == TANDEM_AGAIN ? JOB_ERASE_IDLE : JOB_IDLE;
        return status;
    }
    /* One sector of one area: the slots, and last the manifest, which may share a slot's last sector. */
    struct tandem_area area = install->slot < device->slot_count ? tandem_bank_area(&install->bank, install->slot, bank)
                                                                 : *tandem_bank_manifest_area(&install->bank, bank);
    /* The bootloader before this one is the way back from it. */
    int kept = install->slot < device->slot_count && tandem_loader_has(&device->slots[install->slot]);
    if (install->cursor >= area.size || kept) {
        install->cursor = 0;
        if (install->slot++ < device->slot_count)
            return TANDEM_AGAIN;
        install->job = JOB_IDLE;
        install->bank.state.phase = TANDEM_PHASE_ERASED;
        return tandem_bank_store(&install->bank);
    }
    if (!tandem_flash_sector(area.flash, area.address + install->cursor, &sector))
        return TANDEM_ERROR_FLASH;
    install->cursor = sector.address + sector.size - area.address;
    install->op.flash = area.flash;
    install->op.address = sector.address;
    install->op.data = NULL;
    return TANDEM_AGAIN;
}
