/*
 * Realtek's DFU, device half: an image from START to VALIDATE.
 */
#include "realtek_device.h"

#include <string.h>

/* Steps of VALIDATE. */
#define STEP_FIRST 0u  /* the door has the last bytes */
#define STEP_HEADER 1u /* the image is the one that was announced */
#define STEP_VERIFY 2u /* it is whole */

#define CHUNK_MAX 4096u  /* bytes between two checks, at most */
#define CHUNK_SPARE 255u /* bytes of the window that may wait for their page */

/* The status with which a refusal goes to the host. */
uint8_t tandem_realtek_code(enum tandem_status status)
{
    switch (status) {
    case TANDEM_OK:
        return REALTEK_SUCCESS;
    case TANDEM_ERROR_TOO_LARGE:
    case TANDEM_ERROR_SPACE:
        return REALTEK_TOO_LARGE;
    case TANDEM_ERROR_NOT_SUPPORTED:
        return REALTEK_INVALID;
    case TANDEM_ERROR_VERSION:
    case TANDEM_ERROR_COUNTER:
        return REALTEK_VERSION;
    case TANDEM_ERROR_FLASH:
        return REALTEK_ERASE; /* the one that hosts do not try again after */
    default:
        break;
    }
    if (tandem_status_group(status) == TANDEM_STATUS_FORMAT ||
        tandem_status_group(status) == TANDEM_STATUS_AUTHENTICITY)
        return REALTEK_INTEGRITY;
    return REALTEK_FAILED;
}

/* What the installer said last, as a status for the host. */
uint8_t tandem_realtek_installer_code(const struct tandem_realtek_device *device)
{
    enum tandem_status status = tandem_install_outcome(device->bare->install)->status;

    return status == TANDEM_OK ? REALTEK_FAILED : tandem_realtek_code(status);
}

const struct tandem_realtek_map *tandem_realtek_find(const struct tandem_realtek_device *device, uint16_t image)
{
    for (unsigned i = 0; i < device->config->image_count; i++)
        if (device->config->images[i].image == image)
            return &device->config->images[i];
    return NULL;
}

/* ---- an image begins ---- */

void tandem_realtek_go_on_at(struct tandem_realtek_device *device, uint32_t offset)
{
    device->at = offset;
    device->fed = offset;
    device->chunk = offset;
    device->check = 0;
    device->error = 0;
    device->carry_fill = 0;
}

/* The first byte of the image in hand is due, again or for the first time. */
static enum tandem_status open_image(struct tandem_realtek_device *device)
{
    enum tandem_status status;

    tandem_realtek_go_on_at(device, device->row->data_from);
    device->magic_fill = 0;
    device->fault = 0;
    device->passed = 0;
    device->sink = SINK_HEAD;
    if (device->image->kind == 0) {
        device->sink = SINK_DROP;
        return TANDEM_OK;
    }
    if (!realtek_description(device)->allow_unsigned)
        return TANDEM_OK; /* a package may come, and nothing else */
    status = tandem_realtek_open_bare(device, TANDEM_PAYLOAD_BARE);
    if (status != TANDEM_OK)
        return status;
    device->sink = SINK_HEAD_BARE;
    realtek_hold(device, device->buffer_size != 0);
    if (device->row->flags & REALTEK_STORES_HEADER)
        (void)tandem_bare_feed(device->bare, 0, device->control, sizeof device->control);
    return TANDEM_OK;
}

/* Nothing is in hand. */
void tandem_realtek_forget(struct tandem_realtek_device *device)
{
    device->image = NULL;
    device->sink = SINK_NONE;
    device->pending = 0;
    device->error = 0;
    device->fault = 0;
    device->passed = 0;
    device->kept = 0;
}

/* What came in over this transport is given up; a package's part stays for a later resume. */
void tandem_realtek_release(struct tandem_realtek_device *device)
{
    if (device->image != NULL || device->kept) {
        (void)tandem_bare_abort(device->bare);
    }
    tandem_realtek_forget(device);
}

static uint8_t check_control(const struct tandem_realtek_device *device, const struct tandem_realtek_control *control,
                             uint8_t mode)
{
    if (control->ic != device->config->ic || (mode != REALTEK_START_NORMAL && mode != REALTEK_START_TEMP))
        return REALTEK_INVALID;
    if (tandem_realtek_find(device, control->image) == NULL)
        return REALTEK_INVALID;
    if (device->config->single_bank && control->image <= TANDEM_REALTEK_IMAGE_OTA_HEADER)
        return REALTEK_INVALID;
    if (control->payload == 0 || control->payload > UINT32_MAX - device->layout_header)
        return REALTEK_TOO_LARGE;
    if (control->secure_version < device->config->secure_version)
        return REALTEK_VERSION;
    return REALTEK_SUCCESS;
}

uint8_t tandem_realtek_begin(struct tandem_realtek_device *device, const uint8_t *body)
{
    uint8_t plain[REALTEK_START_BODY], code;
    struct tandem_realtek_control control;
    enum tandem_status status;

    if (device->restart != RESTART_NOT || device->pair >= PAIR_DONE)
        return REALTEK_FAILED;
    memcpy(plain, body, sizeof plain);
    if (device->aes_on)
        (void)tandem_aes_decrypt(&device->aes, plain, plain, 1);
    tandem_realtek_control_get(&control, device->new_order, plain);
    code = check_control(device, &control, plain[TANDEM_REALTEK_CONTROL_SIZE]);
    if (code != REALTEK_SUCCESS)
        return code;
    if (device->fresh)
        tandem_realtek_release(device); /* another session's images are not to be mixed with this one's */
    device->fresh = 0;
    if (device->pair == PAIR_NONE && tandem_realtek_bud_linked(device))
        device->pair = PAIR_LINKED;
    device->image = tandem_realtek_find(device, control.image);
    device->total = control.payload + device->layout_header;
    control.flags &= (uint16_t)~TANDEM_REALTEK_NOT_READY;
    tandem_realtek_control_put(&control, device->new_order, device->control);
    status = open_image(device);
    if (status != TANDEM_OK) {
        device->image = NULL;
        device->sink = SINK_NONE;
    }
    return tandem_realtek_code(status);
}

uint32_t tandem_realtek_offset(const struct tandem_realtek_device *device, uint16_t image)
{
    if (!(device->row->flags & REALTEK_RESUMES) || device->image == NULL || device->image->image != image ||
        device->sink == SINK_REFUSED || device->passed)
        return 0;
    return device->buffer_size != 0 ? device->chunk : device->at;
}

/* What the door holds can go on at `offset`, with the first bytes of the payload all before it, or none. */
static int go_back_stored(struct tandem_realtek_device *device, uint32_t offset)
{
    uint32_t edge = device->layout_header;

    if (offset < device->row->data_from || (offset > edge && offset < edge + sizeof device->magic) ||
        (device->sink == SINK_MCUBOOT && offset <= edge) ||
        tandem_bare_back(device->bare, offset - realtek_skipped(device)) != TANDEM_OK)
        return 0;
    if (offset <= edge) {
        device->magic_fill = 0;
        device->sink = SINK_HEAD_BARE;
    }
    return 1;
}

/* A package takes what it has already once more, and drops it. */
static int go_back_package(const struct tandem_realtek_device *device, uint32_t offset)
{
    return offset > device->layout_header &&
           tandem_install_wants(device->bare->install) >= offset - device->layout_header;
}

/* Go back to `offset`. @return 0: not possible, or the image begins anew */
int tandem_realtek_go_back(struct tandem_realtek_device *device, uint32_t offset)
{
    if (device->sink == SINK_DROP || (realtek_stored(device) && go_back_stored(device, offset)) ||
        (device->sink == SINK_PACKAGE && go_back_package(device, offset))) {
        tandem_realtek_go_on_at(device, offset);
        return 1;
    }
    if (open_image(device) != TANDEM_OK)
        tandem_realtek_refuse(device, tandem_realtek_installer_code(device));
    return 0;
}

void tandem_realtek_go_to(struct tandem_realtek_device *device, uint16_t image, uint32_t offset)
{
    if (device->image == NULL || device->image->image != image || device->sink == SINK_REFUSED || device->pending != 0)
        return;
    device->fresh = 0;
    if (offset == device->at && device->error == 0)
        return;
    if (offset < device->at && tandem_realtek_go_back(device, offset))
        return;
    if (offset != device->at)
        device->error = REALTEK_LENGTH; /* bytes that never came would be missing */
}

/* ---- buffer check ---- */

uint16_t tandem_realtek_check_on(struct tandem_realtek_device *device)
{
    uint32_t most = device->bare->install->buffer_size, size = CHUNK_MAX;

    most = most > CHUNK_SPARE ? most - CHUNK_SPARE : 0;
    while (size > most)
        size /= 2;
    if (size < TANDEM_AES_BLOCK_SIZE)
        size = 0;
    device->buffer_size = (uint16_t)size;
    tandem_realtek_go_on_at(device, device->fed);
    realtek_hold(device, size != 0);
    return device->buffer_size;
}

/* A chunk is not good: it comes again. */
static uint8_t reject_chunk(struct tandem_realtek_device *device, uint8_t code)
{
    struct tandem_install *install = device->bare->install;

    if (device->sink == SINK_PACKAGE && device->chunk > device->layout_header) {
        uint8_t id[TANDEM_PACKAGE_ID_SIZE];
        uint32_t offset;
        /* What the window holds may be damaged: on from the last checkpoint. */
        enum tandem_status status =
            tandem_install_begin(install, tandem_install_resumable(install, id, &offset) ? id : NULL,
                                 device->total - device->layout_header, 0);
        if (status != TANDEM_OK)
            tandem_realtek_refuse(device, tandem_realtek_code(status));
        tandem_realtek_go_on_at(device, device->layout_header + tandem_install_wants(install));
        return code;
    }
    (void)tandem_realtek_go_back(device, device->chunk);
    return code;
}

static int chunk_size_fits(const struct tandem_realtek_device *device, uint16_t size)
{
    if (size == device->at - device->chunk)
        return 1;
    return !(device->row->flags & REALTEK_LISTS) && device->at == device->total;
}

uint8_t tandem_realtek_report(struct tandem_realtek_device *device, uint16_t size, uint16_t check)
{
    if (device->image == NULL || device->sink == SINK_REFUSED)
        return device->fault == REALTEK_ERASE ? REALTEK_ERASE : REALTEK_FAILED;
    if (device->buffer_size == 0 || size > device->buffer_size)
        return REALTEK_INVALID;
    if (device->error != 0)
        return reject_chunk(device, device->error);
    if (!chunk_size_fits(device, size))
        return reject_chunk(device, REALTEK_LENGTH);
    if (device->check != check)
        return reject_chunk(device, REALTEK_INTEGRITY);
    tandem_realtek_deliver_rest(device);
    if (device->error != 0)
        return reject_chunk(device, device->error);
    tandem_realtek_go_on_at(device, device->at);
    realtek_hold(device, 1);
    device->pending = REALTEK_OP_REPORT;
    return REALTEK_LATER;
}

/* The chunk is good; wait until there is room for the next one. @return its answer */
uint8_t tandem_realtek_work_report(struct tandem_realtek_device *device, enum tandem_status idle)
{
    enum tandem_state state = tandem_install_state(device->bare->install);
    uint32_t next = device->total - device->at, wants;

    if (state == TANDEM_STATE_FAILED && (realtek_stored(device) || device->sink == SINK_PACKAGE))
        tandem_realtek_refuse(device, tandem_realtek_installer_code(device));
    if (device->sink == SINK_REFUSED)
        return device->fault == REALTEK_ERASE ? REALTEK_ERASE : REALTEK_FAILED;
    if (device->sink == SINK_PACKAGE && state == TANDEM_STATE_RECEIVING) {
        wants = tandem_install_wants(device->bare->install);
        if (idle == TANDEM_AGAIN)
            return REALTEK_LATER;
        if (device->layout_header + wants < device->at) { /* a damaged block comes again */
            tandem_realtek_go_on_at(device, device->layout_header + wants);
            return REALTEK_INTEGRITY;
        }
        return REALTEK_SUCCESS;
    }
    if (tandem_realtek_device_room(device) < (next < device->buffer_size ? next : device->buffer_size) &&
        idle == TANDEM_AGAIN)
        return REALTEK_LATER;
    return REALTEK_SUCCESS;
}

/* ---- the end of an image ---- */

uint8_t tandem_realtek_validate(struct tandem_realtek_device *device, uint16_t image)
{
    if (device->image == NULL)
        return REALTEK_FAILED;
    if (device->image->image != image)
        return REALTEK_INVALID;
    if (device->passed)
        return REALTEK_SUCCESS; /* it was asked twice */
    if (device->sink == SINK_REFUSED)
        return device->fault;
    if (device->error != 0 || device->at != device->total)
        return REALTEK_LENGTH;
    tandem_realtek_deliver_rest(device);
    if (device->sink <= SINK_HEAD_BARE)
        tandem_realtek_decide(device); /* a payload of a few bytes */
    if (device->sink == SINK_REFUSED)
        return device->fault;
    device->pending = REALTEK_OP_VALIDATE;
    device->step = STEP_FIRST;
    return REALTEK_LATER;
}

static uint8_t validate_package(struct tandem_realtek_device *device, enum tandem_status idle)
{
    switch (tandem_install_state(device->bare->install)) {
    case TANDEM_STATE_VALIDATED:
        return REALTEK_SUCCESS;
    case TANDEM_STATE_RECEIVING: /* nothing to do, and not whole: bytes were lost or damaged */
        return idle == TANDEM_AGAIN ? REALTEK_LATER : REALTEK_INTEGRITY;
    case TANDEM_STATE_VALIDATING:
        return REALTEK_LATER;
    default:
        return tandem_realtek_installer_code(device);
    }
}

static uint8_t validate_bare(struct tandem_realtek_device *device)
{
    enum tandem_status status;

    if (device->step == STEP_FIRST) {
        status = tandem_bare_end(device->bare);
        if (status == TANDEM_OK)
            device->step = STEP_HEADER;
        if (status == TANDEM_OK && device->sink == SINK_MCUBOOT)
            return REALTEK_SUCCESS; /* its signature and digest say more than what was before it */
        return status == TANDEM_OK || status == TANDEM_AGAIN ? REALTEK_LATER : tandem_realtek_code(status);
    }
    status = device->step == STEP_HEADER ? tandem_realtek_verify_begin(device) : tandem_realtek_verify(device);
    if (status == TANDEM_OK && device->step == STEP_HEADER) {
        device->step = STEP_VERIFY;
        return REALTEK_LATER;
    }
    if (status == TANDEM_AGAIN)
        return REALTEK_LATER;
    if (status != TANDEM_OK)
        (void)tandem_bare_drop(device->bare);
    return tandem_realtek_code(status);
}

uint8_t tandem_realtek_work_validate(struct tandem_realtek_device *device, enum tandem_status idle)
{
    uint8_t code = REALTEK_SUCCESS;

    if (device->sink == SINK_PACKAGE)
        code = validate_package(device, idle);
    else if (realtek_stored(device))
        code = validate_bare(device);
    if (code == REALTEK_SUCCESS) {
        device->passed = 1;
        if (device->sink != SINK_DROP)
            device->kept = 1;
    } else if (code != REALTEK_LATER) {
        tandem_realtek_refuse(device, code);
    }
    return code;
}
