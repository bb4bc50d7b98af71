/*
 * USB DFU, device half: where blocks go to and come from. The host is kept
 * waiting after the last block until the whole update has been read back:
 * there it still listens to what is wrong.
 */
#include "usb_dfu_device.h"

static struct tandem_install *install_of(const struct tandem_usb_dfu *dfu)
{
    return dfu->config->install;
}

/* The first block tells what comes. */
static enum tandem_status begin(struct tandem_usb_dfu *dfu)
{
    const struct tandem_usb_dfu_alternate *alternate = dfu_alternate(dfu);
    struct tandem_bare *bare = dfu->config->bare;
    enum tandem_payload payload = tandem_payload_recognise(dfu->config->buffer, dfu->size);
    enum tandem_status status;
    if (bare == NULL || payload == TANDEM_PAYLOAD_PACKAGE) {
        /* A DfuSe host may never say that it has finished. */
        status = tandem_install_begin(install_of(dfu), NULL, 0, dfu_is_dfuse(dfu) ? 1 : 0);
    } else {
        struct tandem_bare_image image = {0};
        image.kind = alternate->kind != 0 ? alternate->kind : TANDEM_KIND_APPLICATION;
        image.variant = alternate->bank != 0 ? (uint8_t)(alternate->bank - 1) : TANDEM_VARIANT_ANY;
        image.payload = (uint8_t)payload;
        image.size = TANDEM_BARE_SIZE_UNKNOWN;
        status = tandem_bare_begin(bare, &image);
    }
    if (status == TANDEM_OK)
        dfu->begun = bare == NULL || payload == TANDEM_PAYLOAD_PACKAGE ? BEGUN_PACKAGE : BEGUN_BARE;
    return status;
}

/* Whether the next block may come. After the last one it may once the whole update has been read back. */
static enum tandem_status taken(const struct tandem_usb_dfu *dfu, enum tandem_status polled)
{
    const struct tandem_install *install = install_of(dfu);
    switch (tandem_install_state(install)) {
    case TANDEM_STATE_VALIDATED:
    case TANDEM_STATE_PENDING:
        return TANDEM_OK;
    case TANDEM_STATE_FAILED:
        return tandem_install_outcome(install)->status;
    case TANDEM_STATE_VALIDATING:
        return TANDEM_AGAIN;
    case TANDEM_STATE_RECEIVING:
        break;
    default:
        return TANDEM_ERROR_CANCELLED; /* another transport's host has stopped it */
    }
    if (tandem_install_wants(install) < dfu->fed)
        return TANDEM_ERROR_DIGEST; /* it would have to come again, and cannot */
    if (dfu->fed < dfu->offset + dfu->size ||
        (install->package_size != 0 && tandem_install_wants(install) >= install->package_size))
        return TANDEM_AGAIN;
    return dfu_is_dfuse(dfu) ? polled : TANDEM_OK; /* a DfuSe host may read the flash next */
}

static enum tandem_status package_block(struct tandem_usb_dfu *dfu)
{
    struct tandem_install *install = install_of(dfu);
    enum tandem_status status = tandem_install_pass(install, &dfu->fed, dfu->config->buffer + (dfu->fed - dfu->offset),
                                                    dfu->offset + dfu->size - dfu->fed);
    if (status != TANDEM_OK && status != TANDEM_AGAIN)
        return status;
    return taken(dfu, tandem_install_poll(install));
}

static enum tandem_status bare_block(struct tandem_usb_dfu *dfu)
{
    struct tandem_bare *bare = dfu->config->bare;
    uint32_t wants = tandem_bare_wants(bare), end = dfu->offset + dfu->size;
    enum tandem_status status = TANDEM_OK;
    if (wants >= dfu->offset && wants < end)
        status = tandem_bare_feed(bare, wants, dfu->config->buffer + (wants - dfu->offset), end - wants);
    if (status != TANDEM_OK)
        return status;
    (void)tandem_bare_poll(bare);
    if (tandem_install_state(install_of(dfu)) == TANDEM_STATE_FAILED)
        return tandem_install_outcome(install_of(dfu))->status;
    return tandem_bare_wants(bare) >= end ? TANDEM_OK : TANDEM_AGAIN;
}

enum tandem_status tandem_dfu_store_block(struct tandem_usb_dfu *dfu)
{
    enum tandem_status status = TANDEM_OK;
    if (dfu->begun == BEGUN_NOT)
        status = dfu->offset == 0 ? begin(dfu) : TANDEM_ERROR_ARGUMENT;
    if (status == TANDEM_OK)
        status = dfu->begun == BEGUN_PACKAGE ? package_block(dfu) : bare_block(dfu);
    if (status != TANDEM_OK && status != TANDEM_AGAIN)
        tandem_dfu_store_drop(dfu);
    return status;
}

enum tandem_status tandem_dfu_store_end(struct tandem_usb_dfu *dfu)
{
    struct tandem_install *install = install_of(dfu);
    enum tandem_status status = TANDEM_ERROR_TRUNCATED;
    if (dfu->begun == BEGUN_BARE) {
        status = tandem_bare_end(dfu->config->bare);
        return status == TANDEM_OK ? TANDEM_AGAIN : status;
    }
    switch (tandem_install_state(install)) {
    case TANDEM_STATE_VALIDATED:
    case TANDEM_STATE_PENDING:
        status = tandem_install_activate(install);
        break;
    case TANDEM_STATE_FAILED:
        status = tandem_install_outcome(install)->status;
        break;
    default: /* it can be gone on with */
        return status;
    }
    dfu->begun = BEGUN_NOT;
    return status;
}

/* What is left to do with a bare image: only now it is known to be whole. */
static enum tandem_status finish_bare(struct tandem_usb_dfu *dfu)
{
    struct tandem_install *install = install_of(dfu);
    enum tandem_status status = TANDEM_OK;
    (void)tandem_bare_poll(dfu->config->bare);
    if (tandem_install_state(install) == TANDEM_STATE_FAILED)
        return tandem_install_outcome(install)->status;
    if (dfu->begun == BEGUN_BARE) {
        status = tandem_bare_end(dfu->config->bare);
    } else if (dfu->begun == BEGUN_ENDED) {
        status = tandem_bare_finish(dfu->config->bare);
    } else if (tandem_install_state(install) == TANDEM_STATE_VALIDATED) {
        dfu->begun = BEGUN_NOT;
        return tandem_install_activate(install);
    } else {
        return TANDEM_AGAIN;
    }
    if (status == TANDEM_OK)
        dfu->begun++;
    return status == TANDEM_OK ? TANDEM_AGAIN : status;
}

enum tandem_status tandem_dfu_store_manifest(struct tandem_usb_dfu *dfu)
{
    enum tandem_status status = finish_bare(dfu);
    if (status != TANDEM_OK && status != TANDEM_AGAIN)
        tandem_dfu_store_drop(dfu);
    return status;
}

void tandem_dfu_store_drop(struct tandem_usb_dfu *dfu)
{
    enum tandem_state state = tandem_install_state(install_of(dfu));
    int unfinished = state == TANDEM_STATE_RECEIVING || state == TANDEM_STATE_VALIDATING;
    if (dfu->begun == BEGUN_PACKAGE && unfinished)
        (void)tandem_install_abort(install_of(dfu));
    else if (dfu->begun >= BEGUN_BARE && state != TANDEM_STATE_PENDING)
        (void)tandem_bare_abort(dfu->config->bare);
    dfu->begun = BEGUN_NOT;
}

enum tandem_status tandem_dfu_store_idle(struct tandem_usb_dfu *dfu)
{
    switch (dfu->begun) {
    case BEGUN_NOT:
        return TANDEM_OK;
    case BEGUN_PACKAGE:
        return tandem_install_poll(install_of(dfu));
    default:
        return tandem_bare_poll(dfu->config->bare);
    }
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
