/*
 * Realtek's DFU, device half: the transfer of images, from START to the
 * switch, and its timers. It knows neither GATT nor streams. Where bytes end
 * is the bare door's and the installer's business: nothing here writes flash.
 */
#include "realtek_device.h"

#include <string.h>

#include "core/bytes.h"

/* What is due after the last answer has left. */
#define RESTART_NOT 0u
#define RESTART_REBOOT 1u
#define RESTART_ENTER 2u

/* Steps of an operation that is under way. */
#define STEP_FIRST 0u
#define STEP_VERIFY 1u /* VALIDATE */
#define STEP_WAIT 1u   /* ACTIVATE, SWAP */

#define STEPS 2u                /* installer steps in one poll */
#define CHUNK_MAX 4096u         /* bytes between two checks, at most */
#define CHUNK_SPARE 255u        /* bytes of the window that may wait for their page */
#define SILENCE_MS 30000u       /* an image that does not go on for so long is given up */
#define OTA_CONNECT_MS 60000u   /* OTA mode: waits so long for a connection */
#define OTA_TRANSFER_MS 200000u /* from there to the end of the transfer */
#define OTA_TOTAL_MS 240000u    /* and so long in all */
#define RESTART_MS 500u         /* from the answer to the restart */
#define RESTART_AUDIO_MS 3000u  /* the same on the audio line */
#define PAIR_TURN_MS 180000u    /* the second bud waits so long for the host */
#define PAIR_TOTAL_MS 240000u   /* the first one for the second */
#define PAIR_ASK_MS 500u        /* between two requests to switch */
#define PAIR_ASKS 3u            /* of which there are so many */

static const struct tandem_device *description(const struct tandem_realtek_device *device)
{
    return device->bare->install->bank.device;
}

static int past(uint32_t now, uint32_t moment)
{
    return now - moment <= UINT32_MAX / 2;
}

/* The status with which a refusal goes to the host. */
static uint8_t code_of(enum tandem_status status)
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
static uint8_t installer_code(const struct tandem_realtek_device *device)
{
    enum tandem_status status = tandem_install_outcome(device->bare->install)->status;

    return status == TANDEM_OK ? REALTEK_FAILED : code_of(status);
}

static int stored(const struct tandem_realtek_device *device)
{
    return device->sink == SINK_HEAD_BARE || device->sink == SINK_BARE;
}

const struct tandem_realtek_map *tandem_realtek_find(const struct tandem_realtek_device *device, uint16_t image)
{
    for (unsigned i = 0; i < device->config->image_count; i++)
        if (device->config->images[i].image == image)
            return &device->config->images[i];
    return NULL;
}

/* ---- bytes on their way ---- */

/* Offset in the package of the byte that comes next. */
static uint32_t package_at(const struct tandem_realtek_device *device)
{
    return device->fed - device->layout_header;
}

/* Behind its head a package waits until the images that it does not bring are copied: that needs the window. */
static int must_wait(const struct tandem_realtek_device *device)
{
    const struct tandem_install *install = device->bare->install;

    return device->fed >= device->head_end &&
           (install->closed || install->base < device->head_end - device->layout_header);
}

static uint32_t room(const struct tandem_realtek_device *device)
{
    uint32_t limit, from, end = device->total;

    if (tandem_install_state(device->bare->install) != TANDEM_STATE_RECEIVING)
        return UINT32_MAX;
    if (stored(device)) {
        limit = tandem_bare_limit(device->bare);
        from = tandem_bare_wants(device->bare);
    } else if (device->sink == SINK_PACKAGE) {
        if (must_wait(device))
            return 0;
        limit = tandem_install_limit(device->bare->install);
        from = package_at(device);
        end -= device->layout_header;
    } else {
        return UINT32_MAX;
    }
    if (limit == end)
        return UINT32_MAX; /* the window reaches to the end */
    return limit > from ? limit - from : 0;
}

uint32_t tandem_realtek_device_room(const struct tandem_realtek_device *device)
{
    return room(device);
}

/* Data cannot be held back, so what is in their way is worked off, within bounds. */
static int make_room(struct tandem_realtek_device *device, uint32_t size)
{
    unsigned steps = TANDEM_REALTEK_STEPS;

    if (device->sink == SINK_PACKAGE && device->buffer_size == 0 && must_wait(device))
        steps = TANDEM_REALTEK_COPY_STEPS;
    while (steps-- > 0 && room(device) < size)
        (void)tandem_bare_poll(device->bare);
    return room(device) >= size;
}

/* The image may not come in. */
static void refuse(struct tandem_realtek_device *device, uint8_t code)
{
    device->sink = SINK_REFUSED;
    device->fault = code;
}

static enum tandem_status open_bare(struct tandem_realtek_device *device)
{
    struct tandem_bare_image image = {0};

    image.kind = device->image->kind;
    image.variant = TANDEM_VARIANT_ANY;
    image.size = device->total;
    return tandem_bare_begin(device->bare, &image);
}

/* The first bytes of the payload are here. */
static void decide(struct tandem_realtek_device *device)
{
    struct tandem_package_header header;
    enum tandem_status status;

    if (tandem_payload_recognise(device->magic, device->magic_fill) != TANDEM_PAYLOAD_PACKAGE ||
        device->magic_fill < sizeof device->magic) {
        if (device->sink == SINK_HEAD_BARE)
            device->sink = SINK_BARE;
        else
            refuse(device, code_of(open_bare(device))); /* it says why not, and notes it */
        return;
    }
    if (device->sink == SINK_HEAD_BARE) {
        (void)tandem_install_abort(device->bare->install);
        tandem_bare_init(device->bare, device->bare->install);
    }
    status = tandem_install_begin(device->bare->install, NULL, device->total - device->layout_header, 0);
    if (status == TANDEM_OK)
        status = tandem_package_header(&header, device->magic);
    if (status != TANDEM_OK) {
        refuse(device, code_of(status));
        return;
    }
    device->head_end = device->layout_header + header.head_size;
    device->sink = SINK_PACKAGE;
    (void)tandem_install_feed(device->bare->install, 0, device->magic, device->magic_fill);
}

/* Hand bytes on, decrypted, that lie on one side of the decision. */
static void deliver_part(struct tandem_realtek_device *device, const uint8_t *data, uint32_t size)
{
    enum tandem_state state = tandem_install_state(device->bare->install);
    int wanted = stored(device) || device->sink == SINK_PACKAGE;

    if (wanted && state == TANDEM_STATE_FAILED)
        refuse(device, installer_code(device));
    else if (wanted && !make_room(device, size))
        device->error = device->sink == SINK_PACKAGE && device->buffer_size != 0 ? 0 : REALTEK_LENGTH;
    else if (stored(device))
        (void)tandem_bare_feed(device->bare, device->fed, data, size);
    else if (device->sink == SINK_PACKAGE && state == TANDEM_STATE_RECEIVING)
        (void)tandem_install_feed(device->bare->install, package_at(device), data, size);
    device->fed += size;
}

/* Bytes up to where something changes: the image's header ends, what tells the payload, a package's head. */
static uint32_t part_of(const struct tandem_realtek_device *device, uint32_t size)
{
    const uint32_t edges[3] = {device->layout_header, device->layout_header + (uint32_t)sizeof device->magic,
                               device->sink == SINK_PACKAGE ? device->head_end : 0};

    for (unsigned i = 0; i < 3; i++)
        if (device->fed < edges[i] && size > edges[i] - device->fed)
            size = edges[i] - device->fed;
    return size;
}

static void deliver(struct tandem_realtek_device *device, const uint8_t *data, uint32_t size)
{
    while (size > 0) {
        uint32_t part = part_of(device, size);

        if (device->fed >= device->layout_header && device->sink <= SINK_HEAD_BARE) {
            memcpy(device->magic + device->magic_fill, data, part);
            device->magic_fill = (uint8_t)(device->magic_fill + part);
        }
        deliver_part(device, data, part);
        data += part;
        size -= part;
        if (device->magic_fill == sizeof device->magic && device->sink <= SINK_HEAD_BARE)
            decide(device);
    }
}

/* A remainder shorter than a block was sent plain. */
static void deliver_rest(struct tandem_realtek_device *device)
{
    uint8_t size = device->carry_fill;

    device->carry_fill = 0;
    deliver(device, device->carry, size);
}

static void decrypt_block(struct tandem_realtek_device *device)
{
    (void)tandem_aes_decrypt(&device->aes, device->carry, device->carry, 1);
    deliver(device, device->carry, TANDEM_AES_BLOCK_SIZE);
    device->carry_fill = 0;
}

/* Blocks are counted from the packet's beginning, or from the chunk's where chunks are checked. */
static void decrypt(struct tandem_realtek_device *device, const uint8_t *data, uint32_t size)
{
    if (!device->config->aes_all && size >= TANDEM_AES_BLOCK_SIZE) {
        memcpy(device->carry, data, TANDEM_AES_BLOCK_SIZE);
        decrypt_block(device);
        data += TANDEM_AES_BLOCK_SIZE;
        size -= TANDEM_AES_BLOCK_SIZE;
    }
    if (!device->config->aes_all) {
        deliver(device, data, size);
        return;
    }
    while (size > 0) {
        uint32_t part = TANDEM_AES_BLOCK_SIZE - device->carry_fill;

        if (part > size)
            part = size;
        memcpy(device->carry + device->carry_fill, data, part);
        device->carry_fill = (uint8_t)(device->carry_fill + part);
        data += part;
        size -= part;
        if (device->carry_fill == TANDEM_AES_BLOCK_SIZE)
            decrypt_block(device);
    }
    if (device->buffer_size == 0)
        deliver_rest(device);
}

enum realtek_taken tandem_realtek_take(struct tandem_realtek_device *device, const uint8_t *data, size_t size)
{
    if (device->image == NULL || device->sink == SINK_REFUSED || device->pending != 0)
        return TAKEN_NOT_BEGUN;
    if (device->error != 0)
        return TAKEN_OVERFLOW; /* until the host has been told */
    if (size > device->total - device->at) {
        if (!(device->row->flags & REALTEK_LISTS))
            device->error = REALTEK_LENGTH;
        return TAKEN_BEYOND;
    }
    if (device->buffer_size != 0 && size > device->buffer_size - (device->at - device->chunk)) {
        device->error = REALTEK_LENGTH;
        return TAKEN_OVERFLOW;
    }
    device->check = tandem_realtek_check(device->check, device->at - device->chunk, data, size);
    device->at += (uint32_t)size;
    if (device->aes_on)
        decrypt(device, data, (uint32_t)size);
    else
        deliver(device, data, (uint32_t)size);
    return device->error != 0 ? TAKEN_OVERFLOW : TAKEN;
}

/* ---- an image begins ---- */

static void go_on_at(struct tandem_realtek_device *device, uint32_t offset)
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

    go_on_at(device, device->row->data_from);
    device->magic_fill = 0;
    device->fault = 0;
    device->passed = 0;
    device->sink = SINK_HEAD;
    if (device->image->kind == 0) {
        device->sink = SINK_DROP;
        return TANDEM_OK;
    }
    if (!description(device)->allow_unsigned)
        return TANDEM_OK; /* a package may come, and nothing else */
    status = open_bare(device);
    if (status != TANDEM_OK)
        return status;
    device->sink = SINK_HEAD_BARE;
    if (device->buffer_size != 0)
        (void)tandem_bare_hold(device->bare, device->at);
    if (device->row->flags & REALTEK_STORES_HEADER)
        (void)tandem_bare_feed(device->bare, 0, device->control, sizeof device->control);
    return TANDEM_OK;
}

/* Nothing is in hand. */
static void forget(struct tandem_realtek_device *device)
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
static void release(struct tandem_realtek_device *device)
{
    if (device->image != NULL || device->kept) {
        (void)tandem_install_abort(device->bare->install);
        tandem_bare_init(device->bare, device->bare->install);
    }
    forget(device);
}

static int bud_linked(const struct tandem_realtek_device *device)
{
    const struct tandem_realtek_pair_port *pair = device->config->pair;

    return pair != NULL && (pair->bud(pair->ctx) & REALTEK_BUD_LINK) == TANDEM_REALTEK_BUD_LINKED;
}

static uint8_t check_control(const struct tandem_realtek_device *device, const struct realtek_control *control,
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
    struct realtek_control control;
    enum tandem_status status;

    if (device->restart != RESTART_NOT || device->pair >= PAIR_DONE)
        return REALTEK_FAILED;
    memcpy(plain, body, sizeof plain);
    if (device->aes_on)
        (void)tandem_aes_decrypt(&device->aes, plain, plain, 1);
    tandem_realtek_control_load(plain, device->new_order, &control);
    code = check_control(device, &control, plain[REALTEK_CONTROL_HEADER]);
    if (code != REALTEK_SUCCESS)
        return code;
    if (device->fresh)
        release(device); /* another session's images are not to be mixed with this one's */
    device->fresh = 0;
    if (device->pair == PAIR_NONE && bud_linked(device))
        device->pair = PAIR_LINKED;
    device->image = tandem_realtek_find(device, control.image);
    device->total = control.payload + device->layout_header;
    control.flags &= (uint16_t)~REALTEK_FLAG_NOT_READY;
    tandem_realtek_control_store(&control, device->new_order, device->control);
    status = open_image(device);
    if (status != TANDEM_OK) {
        device->image = NULL;
        device->sink = SINK_NONE;
    }
    return code_of(status);
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
        tandem_bare_back(device->bare, offset) != TANDEM_OK)
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
static int go_back(struct tandem_realtek_device *device, uint32_t offset)
{
    if (device->sink == SINK_DROP || (stored(device) && go_back_stored(device, offset)) ||
        (device->sink == SINK_PACKAGE && go_back_package(device, offset))) {
        go_on_at(device, offset);
        return 1;
    }
    if (open_image(device) != TANDEM_OK)
        refuse(device, installer_code(device));
    return 0;
}

void tandem_realtek_go_to(struct tandem_realtek_device *device, uint16_t image, uint32_t offset)
{
    if (device->image == NULL || device->image->image != image || device->sink == SINK_REFUSED || device->pending != 0)
        return;
    device->fresh = 0;
    if (offset == device->at && device->error == 0)
        return;
    if (offset < device->at && go_back(device, offset))
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
    go_on_at(device, device->fed);
    if (stored(device))
        (void)tandem_bare_hold(device->bare, size != 0 ? device->at : TANDEM_BARE_NO_HOLD);
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
            refuse(device, code_of(status));
        go_on_at(device, device->layout_header + tandem_install_wants(install));
        return code;
    }
    (void)go_back(device, device->chunk);
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
    deliver_rest(device);
    if (device->error != 0)
        return reject_chunk(device, device->error);
    go_on_at(device, device->at);
    if (stored(device))
        (void)tandem_bare_hold(device->bare, device->at);
    device->pending = REALTEK_OP_REPORT;
    return REALTEK_LATER;
}

/* The chunk is good; wait until there is room for the next one. @return its answer */
static uint8_t work_report(struct tandem_realtek_device *device, enum tandem_status idle)
{
    enum tandem_state state = tandem_install_state(device->bare->install);
    uint32_t next = device->total - device->at, wants;

    if (state == TANDEM_STATE_FAILED && (stored(device) || device->sink == SINK_PACKAGE))
        refuse(device, installer_code(device));
    if (device->sink == SINK_REFUSED)
        return device->fault == REALTEK_ERASE ? REALTEK_ERASE : REALTEK_FAILED;
    if (device->sink == SINK_PACKAGE && state == TANDEM_STATE_RECEIVING) {
        wants = tandem_install_wants(device->bare->install);
        if (idle == TANDEM_AGAIN)
            return REALTEK_LATER;
        if (device->layout_header + wants < device->at) { /* a damaged block comes again */
            go_on_at(device, device->layout_header + wants);
            return REALTEK_INTEGRITY;
        }
        return REALTEK_SUCCESS;
    }
    if (room(device) < (next < device->buffer_size ? next : device->buffer_size) && idle == TANDEM_AGAIN)
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
    deliver_rest(device);
    if (device->sink <= SINK_HEAD_BARE)
        decide(device); /* a payload of a few bytes */
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
        return installer_code(device);
    }
}

static uint8_t validate_bare(struct tandem_realtek_device *device)
{
    enum tandem_status status;

    if (device->step == STEP_FIRST) {
        status = tandem_bare_end(device->bare);
        if (status == TANDEM_AGAIN)
            return REALTEK_LATER;
        if (status != TANDEM_OK)
            return code_of(status);
        tandem_realtek_verify_begin(device);
        device->step = STEP_VERIFY;
        return REALTEK_LATER;
    }
    status = tandem_realtek_verify(device);
    if (status == TANDEM_AGAIN)
        return REALTEK_LATER;
    if (status != TANDEM_OK)
        (void)tandem_bare_drop(device->bare);
    return code_of(status);
}

static uint8_t work_validate(struct tandem_realtek_device *device, enum tandem_status idle)
{
    uint8_t code = REALTEK_SUCCESS;

    if (device->sink == SINK_PACKAGE)
        code = validate_package(device, idle);
    else if (stored(device))
        code = validate_bare(device);
    if (code == REALTEK_SUCCESS) {
        device->passed = 1;
        if (device->sink != SINK_DROP)
            device->kept = 1;
    } else if (code != REALTEK_LATER) {
        refuse(device, code);
    }
    return code;
}

/* ---- the switch ---- */

static void schedule(struct tandem_realtek_device *device, uint8_t what)
{
    device->restart = what;
    device->restart_ms = device->now + (device->row->flags & REALTEK_LISTS ? RESTART_AUDIO_MS : RESTART_MS);
}

static int is_whole(const struct tandem_realtek_device *device)
{
    enum tandem_state state = tandem_install_state(device->bare->install);

    return state == TANDEM_STATE_VALIDATED || state == TANDEM_STATE_PENDING;
}

uint8_t tandem_realtek_complete(struct tandem_realtek_device *device, uint8_t op)
{
    if (device->pair == PAIR_LINKED && !bud_linked(device))
        return REALTEK_FAILED; /* half a pair would be updated */
    if (is_whole(device))
        return REALTEK_SUCCESS;
    if (!device->kept || (device->image != NULL && !device->passed))
        return REALTEK_FAILED;
    device->pending = op;
    device->step = STEP_FIRST;
    return REALTEK_LATER;
}

static uint8_t work_complete(struct tandem_realtek_device *device)
{
    if (device->step == STEP_FIRST) {
        enum tandem_status status = tandem_bare_finish(device->bare);

        if (status != TANDEM_OK && status != TANDEM_AGAIN)
            return code_of(status);
        if (status == TANDEM_OK)
            device->step = STEP_WAIT;
        return REALTEK_LATER;
    }
    if (is_whole(device))
        return REALTEK_SUCCESS;
    if (tandem_install_state(device->bare->install) == TANDEM_STATE_FAILED)
        return installer_code(device);
    return REALTEK_LATER;
}

static uint8_t activate(struct tandem_realtek_device *device, uint8_t restart)
{
    enum tandem_status status = tandem_install_activate(device->bare->install);

    if (status == TANDEM_OK) {
        forget(device);
        schedule(device, restart);
    }
    return code_of(status);
}

static void disconnect(struct tandem_realtek_device *device)
{
    if (device->gatt != NULL && device->gatt->disconnect != NULL && device->linked)
        (void)device->gatt->disconnect(device->gatt->ctx);
}

static void tell(struct tandem_realtek_device *device, uint8_t event)
{
    const struct tandem_realtek_pair_port *pair = device->config->pair;

    (void)pair->tell(pair->ctx, event);
}

static void ask_to_commit(struct tandem_realtek_device *device)
{
    device->pair = PAIR_COMMIT;
    device->pair_tries++;
    device->pair_ms = device->now + PAIR_ASK_MS;
    tell(device, TANDEM_REALTEK_PAIR_COMMIT);
}

static void wait_for_other(struct tandem_realtek_device *device)
{
    device->pair = PAIR_DONE;
    device->pair_ms = device->now + PAIR_TOTAL_MS;
    tell(device, TANDEM_REALTEK_PAIR_DONE);
}

uint8_t tandem_realtek_switch(struct tandem_realtek_device *device, int ota)
{
    if (device->pair == PAIR_TURN) {
        device->pair_tries = 0;
        ask_to_commit(device);
        return REALTEK_SUCCESS;
    }
    if (device->pair == PAIR_LINKED) {
        wait_for_other(device);
        disconnect(device);
        return REALTEK_SUCCESS;
    }
    if (device->pair != PAIR_NONE)
        return REALTEK_SUCCESS; /* agreed already */
    return activate(device, ota ? RESTART_ENTER : RESTART_REBOOT);
}

uint8_t tandem_realtek_swap(struct tandem_realtek_device *device, int done)
{
    const struct tandem_realtek_pair_port *pair = device->config->pair;

    if (!bud_linked(device))
        return REALTEK_FAILED;
    if (done)
        wait_for_other(device);
    return code_of(pair->swap(pair->ctx));
}

/* ---- giving up ---- */

static void end_pair(struct tandem_realtek_device *device)
{
    if (device->pair == PAIR_TURN)
        device->config->pair->advertise(device->config->pair->ctx, 0);
    device->pair = PAIR_NONE;
}

/* This bud will not be updated, so the other one must not be either. @param say 1: it does not know yet */
static void drop_update(struct tandem_realtek_device *device, int say)
{
    if (device->pair >= PAIR_TURN && say)
        tell(device, TANDEM_REALTEK_PAIR_FAILED);
    if (device->pair >= PAIR_DONE) { /* what was validated, or activated, is taken back */
        device->kept = 1;
        device->restart = RESTART_NOT;
    }
    end_pair(device);
    release(device);
}

void tandem_realtek_give_up(struct tandem_realtek_device *device)
{
    if (device->restart != RESTART_NOT) { /* activated, and not yet restarted */
        device->restart = RESTART_NOT;
        device->kept = 1;
    }
    drop_update(device, 1);
    if (device->row->flags & REALTEK_LISTS)
        disconnect(device);
    else
        schedule(device, RESTART_REBOOT);
}

/* ---- what else a host may ask ---- */

uint8_t tandem_realtek_copy(struct tandem_realtek_device *device, uint16_t image)
{
    const struct tandem_realtek_map *map = tandem_realtek_find(device, image);

    if (map == NULL)
        return REALTEK_INVALID;
    /* The installer copies what is not brought when the set is completed. */
    return map->kind != 0 && tandem_realtek_section(device, map) != 0 ? REALTEK_SUCCESS : REALTEK_FAILED;
}

void tandem_realtek_test(struct tandem_realtek_device *device, uint8_t bits)
{
    if (device->config->aes_key != NULL && (bits & REALTEK_TEST_AES))
        device->aes_on = 1;
    if (bits & REALTEK_TEST_NO_CHECK) {
        device->buffer_size = 0;
        if (stored(device))
            (void)tandem_bare_hold(device->bare, TANDEM_BARE_NO_HOLD);
    }
}

int tandem_realtek_enter(struct tandem_realtek_device *device)
{
    const struct tandem_system_port *system = description(device)->system;

    if (system == NULL || system->enter_ota == NULL || device->restart != RESTART_NOT)
        return 0;
    release(device);
    schedule(device, RESTART_ENTER);
    return 1;
}

void tandem_realtek_heard(struct tandem_realtek_device *device, void (*answer)(void *front, uint8_t op, uint8_t status),
                          void *front)
{
    device->heard = 1;
    device->answer = answer;
    device->front = front;
}

/* ---- the other bud ---- */

void tandem_realtek_device_pair(struct tandem_realtek_device *device, uint8_t event)
{
    const struct tandem_realtek_pair_port *pair = device->config->pair;

    if (pair == NULL)
        return;
    switch (event) {
    case TANDEM_REALTEK_PAIR_DONE:
        if (device->pair > PAIR_TURN)
            break;
        device->pair = PAIR_TURN;
        device->pair_ms = device->now + PAIR_TURN_MS;
        pair->advertise(pair->ctx, 1);
        break;
    case TANDEM_REALTEK_PAIR_COMMIT:
        if (device->pair == PAIR_DONE && activate(device, RESTART_REBOOT) == REALTEK_SUCCESS)
            device->pair = PAIR_COMMITTED;
        tell(device, device->pair == PAIR_COMMITTED ? TANDEM_REALTEK_PAIR_COMMITTED : TANDEM_REALTEK_PAIR_FAILED);
        break;
    case TANDEM_REALTEK_PAIR_COMMITTED:
        if (device->pair != PAIR_COMMIT)
            break;
        if (activate(device, RESTART_REBOOT) == REALTEK_SUCCESS)
            device->pair = PAIR_COMMITTED;
        else
            drop_update(device, 1);
        break;
    case TANDEM_REALTEK_PAIR_LOST:
        if (device->pair == PAIR_COMMITTED || device->pair == PAIR_NONE)
            break;
        drop_update(device, 0);
        break;
    case TANDEM_REALTEK_PAIR_FAILED:
        if (device->pair != PAIR_NONE)
            drop_update(device, 0);
        break;
    default:
        break;
    }
}

/* ---- time ---- */

static void restart(struct tandem_realtek_device *device)
{
    const struct tandem_system_port *system = description(device)->system;
    uint8_t what = device->restart;

    if (what == RESTART_NOT || !past(device->now, device->restart_ms))
        return;
    device->restart = RESTART_NOT;
    device->pair = PAIR_NONE;
    if (system != NULL && what == RESTART_ENTER && system->enter_ota != NULL)
        (void)system->enter_ota(system->ctx);
    else if (system != NULL && system->reboot != NULL)
        (void)system->reboot(system->ctx);
}

/* OTA mode does not wait for ever: the application is better than nothing. */
static void watch_ota_mode(struct tandem_realtek_device *device)
{
    uint32_t quiet = device->linked ? OTA_TRANSFER_MS : OTA_CONNECT_MS;

    if (!device->config->ota_mode || device->restart != RESTART_NOT || device->pending == REALTEK_OP_ACTIVATE)
        return;
    if (device->now - device->mode_ms < OTA_TOTAL_MS && device->now - device->link_ms < quiet)
        return;
    release(device);
    schedule(device, RESTART_REBOOT);
}

static void watch_silence(struct tandem_realtek_device *device)
{
    if (device->image == NULL && !device->kept)
        return;
    if (device->pending != 0 || device->pair >= PAIR_DONE || device->restart != RESTART_NOT)
        return;
    if (!(device->row->flags & REALTEK_RESUMES) || device->now - device->heard_ms < SILENCE_MS)
        return;
    drop_update(device, 1);
    disconnect(device);
}

static void watch_pair(struct tandem_realtek_device *device)
{
    if (device->pair < PAIR_TURN || device->pair == PAIR_COMMITTED || !past(device->now, device->pair_ms))
        return;
    if (device->pair == PAIR_TURN && (device->image != NULL || device->kept))
        return; /* the host is at it */
    if (device->pair == PAIR_COMMIT && device->pair_tries < PAIR_ASKS)
        ask_to_commit(device);
    else
        drop_update(device, 1);
}

static void work_pending(struct tandem_realtek_device *device, enum tandem_status idle)
{
    uint8_t op = device->pending, code = REALTEK_LATER;

    if (op == REALTEK_OP_REPORT)
        code = work_report(device, idle);
    else if (op == REALTEK_OP_VALIDATE)
        code = work_validate(device, idle);
    else if (op == REALTEK_OP_ACTIVATE || op == REALTEK_OP_SWAP)
        code = work_complete(device);
    if (code == REALTEK_LATER)
        return;
    device->pending = 0;
    device->heard_ms = device->now;
    device->answer(device->front, op, code);
}

enum tandem_status tandem_realtek_work(struct tandem_realtek_device *device, uint32_t now_ms)
{
    enum tandem_status status = TANDEM_AGAIN;

    device->now = now_ms;
    if (device->heard) {
        device->heard = 0;
        device->heard_ms = now_ms;
    }
    if (!device->clocked) {
        device->clocked = 1;
        device->mode_ms = now_ms;
        device->link_ms = now_ms;
    }
    for (unsigned i = 0; i < STEPS && status == TANDEM_AGAIN; i++)
        status = tandem_bare_poll(device->bare);
    if (device->pending != 0) {
        work_pending(device, status);
        status = TANDEM_AGAIN;
    }
    watch_ota_mode(device);
    watch_silence(device);
    watch_pair(device);
    restart(device);
    return status;
}

/* ---- life ---- */

void tandem_realtek_device_connected(struct tandem_realtek_device *device)
{
    device->fresh = 1;
    device->linked = 1;
    device->link_ms = device->now;
    device->heard = 1;
    device->answer_size = 0;
    device->buffer_size = 0;
    if (device->image != NULL && device->error == 0) /* what was not checked comes again */
        go_on_at(device, device->fed);
    if (stored(device))
        (void)tandem_bare_hold(device->bare, TANDEM_BARE_NO_HOLD);
}

void tandem_realtek_device_disconnected(struct tandem_realtek_device *device)
{
    device->linked = 0;
    device->link_ms = device->now;
    device->answer_size = 0;
    if (device->pending == REALTEK_OP_ACTIVATE || device->pending == REALTEK_OP_SWAP)
        return; /* the last request: the host need not wait for it */
    device->pending = 0;
    if (device->image == NULL || device->pair >= PAIR_DONE)
        return;
    if (device->buffer_size != 0 && !device->passed && device->at != device->chunk)
        (void)go_back(device, device->chunk);
    device->carry_fill = 0;
    if (!(device->row->flags & REALTEK_RESUMES) || device->error != 0)
        release(device);
}

static enum tandem_status check_config(const struct tandem_realtek_config *config)
{
    if (config->dialect < TANDEM_REALTEK_BEE2 || config->dialect > TANDEM_REALTEK_STREAM)
        return TANDEM_ERROR_NOT_SUPPORTED;
    if (config->image_count == 0 || config->image_count > TANDEM_REALTEK_IMAGES_MAX || config->address == NULL)
        return TANDEM_ERROR_ARGUMENT;
    for (unsigned i = 0; i < config->image_count; i++)
        if (config->images[i].index >= TANDEM_REALTEK_IMAGES_MAX ||
            (i > 0 && config->images[i].index <= config->images[i - 1].index))
            return TANDEM_ERROR_ARGUMENT;
    return config->list_padding > TANDEM_REALTEK_IMAGES_MAX ? TANDEM_ERROR_ARGUMENT : TANDEM_OK;
}

enum tandem_status tandem_realtek_device_init(struct tandem_realtek_device *device,
                                              const struct tandem_realtek_config *config, struct tandem_bare *bare,
                                              const struct tandem_gatt_port *gatt)
{
    struct realtek_layout layout = tandem_realtek_layout_of(config->ic);
    enum tandem_status status = check_config(config);

    if (status != TANDEM_OK)
        return status;
    memset(device, 0, sizeof *device);
    device->config = config;
    device->row = tandem_realtek_dialect_row((enum tandem_realtek_dialect)config->dialect);
    device->bare = bare;
    device->gatt = gatt;
    device->layout_control = layout.control;
    device->layout_header = layout.header;
    device->new_order = layout.new_order;
    device->fresh = 1;
    if (config->aes_key == NULL)
        return TANDEM_OK;
    device->aes_on = 1;
    return tandem_aes_init(&device->aes, description(device)->crypto, config->aes_key, config->aes_key_size);
}
