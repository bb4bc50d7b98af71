/*
 * USB DFU, device half: where blocks go to and come from. The installer is
 * fed as any transport feeds it, with one difference: a DFU host cannot be
 * asked for anything twice. So a block is kept until the installer is sure
 * not to come back for it, and the last one until the whole update has been
 * read back: there the host still listens to what is wrong.
 */
#include "usb_dfu_device.h"

#include "core/install.h"

static struct tandem_install *install_of(const struct tandem_usb_dfu *dfu)
{
    return dfu->config->install;
}

static enum tandem_status begin(struct tandem_usb_dfu *dfu)
{
    /* A DfuSe host may never say that it has finished. */
    enum tandem_status status = tandem_install_begin(install_of(dfu), NULL, 0, dfu_is_dfuse(dfu) ? 1 : 0);
    if (status == TANDEM_OK)
        dfu->begun = 1;
    return status;
}

/* Nothing that was fed can be asked for anew, short of damage: the heads are checked, copies are made. */
static int settled(const struct tandem_install *install)
{
    return !install->closed && (install->job == JOB_BLOCK || install->job == JOB_WRITE || install->job == JOB_HASH);
}

static enum tandem_status taken(const struct tandem_usb_dfu *dfu, enum tandem_status polled)
{
    const struct tandem_install *install = install_of(dfu);
    switch (tandem_install_state(install)) {
    case TANDEM_STATE_VALIDATED:
    case TANDEM_STATE_PENDING:
        return TANDEM_OK;
    case TANDEM_STATE_VALIDATING:
        return TANDEM_AGAIN;
    case TANDEM_STATE_RECEIVING:
        break;
    case TANDEM_STATE_FAILED:
        return tandem_install_outcome(install)->status;
    default:
        return TANDEM_ERROR_CANCELLED; /* another transport's host has stopped it */
    }
    uint32_t wants = tandem_install_wants(install);
    if (wants < dfu->offset)
        return install->job == JOB_HEAD ? TANDEM_ERROR_STATE : TANDEM_ERROR_DIGEST; /* wants again what is gone */
    if (wants < dfu->offset + dfu->size || install->job == JOB_CONSENT ||
        (install->package_size != 0 && wants >= install->package_size))
        return TANDEM_AGAIN;
    if (settled(install) && !dfu_is_dfuse(dfu))
        return TANDEM_OK;
    return polled;
}

enum tandem_status tandem_dfu_store_block(struct tandem_usb_dfu *dfu)
{
    struct tandem_install *install = install_of(dfu);
    if (!dfu->begun) {
        enum tandem_status status = dfu->offset == 0 ? begin(dfu) : TANDEM_ERROR_ARGUMENT;
        if (status != TANDEM_OK)
            return status;
    }
    uint32_t wants = tandem_install_wants(install), end = dfu->offset + dfu->size;
    if (tandem_install_state(install) == TANDEM_STATE_RECEIVING && wants >= dfu->offset && wants < end)
        (void)tandem_install_feed(install, wants, dfu->config->buffer + (wants - dfu->offset), end - wants);
    enum tandem_status status = taken(dfu, tandem_install_poll(install));
    if (status != TANDEM_OK && status != TANDEM_AGAIN)
        tandem_dfu_store_drop(dfu);
    return status;
}

enum tandem_status tandem_dfu_store_end(struct tandem_usb_dfu *dfu)
{
    struct tandem_install *install = install_of(dfu);
    enum tandem_status status;
    switch (tandem_install_state(install)) {
    case TANDEM_STATE_VALIDATED:
    case TANDEM_STATE_PENDING:
        status = tandem_install_activate(install);
        break;
    case TANDEM_STATE_FAILED:
        status = tandem_install_outcome(install)->status;
        break;
    default:
        status = TANDEM_ERROR_TRUNCATED;
        break;
    }
    dfu->begun = dfu->begun && status == TANDEM_ERROR_TRUNCATED;
    return status;
}

enum tandem_status tandem_dfu_store_manifest(struct tandem_usb_dfu *dfu)
{
    (void)dfu;
    return TANDEM_OK;
}

void tandem_dfu_store_drop(struct tandem_usb_dfu *dfu)
{
    enum tandem_state state = tandem_install_state(install_of(dfu));
    if (dfu->begun && (state == TANDEM_STATE_RECEIVING || state == TANDEM_STATE_VALIDATING))
        (void)tandem_install_abort(install_of(dfu));
    dfu->begun = 0;
}

enum tandem_status tandem_dfu_store_idle(struct tandem_usb_dfu *dfu)
{
    return dfu->begun ? tandem_install_poll(install_of(dfu)) : TANDEM_OK;
}

enum tandem_status tandem_dfu_store_read(struct tandem_usb_dfu *dfu, uint32_t offset, uint16_t *size)
{
    const struct tandem_area *area = &dfu_alternate(dfu)->area;
    if (offset > area->size)
        return TANDEM_ERROR_ARGUMENT;
    if (install_of(dfu)->op.flash == area->flash)
        return TANDEM_ERROR_BUSY; /* an erase in idle time must not be disturbed */
    if (*size > area->size - offset)
        *size = (uint16_t)(area->size - offset);
    if (*size == 0)
        return TANDEM_OK;
    return area->flash->read(area->flash->ctx, area->address + offset, dfu->config->buffer, *size);
}
