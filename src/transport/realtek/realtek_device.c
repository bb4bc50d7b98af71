/*
 * Realtek's DFU, device half: from validated images to the switch, alone or as
 * one of a pair, and the timers. It knows neither GATT nor streams.
 */
#include "realtek_device.h"

#include <string.h>

/* Steps of ACTIVATE and SWAP. */
#define STEP_FIRST 0u /* the set is being closed */
#define STEP_WAIT 1u  /* the installer copies, and reads back */

#define STEPS 2u                /* installer steps in one poll */
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

static int past(uint32_t now, uint32_t moment)
{
    return now - moment <= UINT32_MAX / 2;
}

int tandem_realtek_bud_linked(const struct tandem_realtek_device *device)
{
    const struct tandem_realtek_pair_port *pair = device->config->pair;

    return pair != NULL && (pair->bud(pair->ctx) & REALTEK_BUD_LINK) == TANDEM_REALTEK_BUD_LINKED;
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
    if (device->pair == PAIR_LINKED && !tandem_realtek_bud_linked(device))
        return REALTEK_FAILED; /* half a pair would be updated */
    if (tandem_install_state(device->bare->install) == TANDEM_STATE_PENDING)
        return REALTEK_SUCCESS; /* it was asked twice */
    if (!device->kept || (device->image != NULL && !device->passed))
        return REALTEK_FAILED;
    if (is_whole(device))
        return REALTEK_SUCCESS;
    device->pending = op;
    device->step = STEP_FIRST;
    return REALTEK_LATER;
}

static uint8_t work_complete(struct tandem_realtek_device *device)
{
    if (device->step == STEP_FIRST) {
        enum tandem_status status = tandem_bare_finish(device->bare);

        if (status != TANDEM_OK && status != TANDEM_AGAIN)
            return tandem_realtek_code(status);
        if (status == TANDEM_OK)
            device->step = STEP_WAIT;
        return REALTEK_LATER;
    }
    if (is_whole(device))
        return REALTEK_SUCCESS;
    if (tandem_install_state(device->bare->install) == TANDEM_STATE_FAILED)
        return tandem_realtek_installer_code(device);
    return REALTEK_LATER;
}

static uint8_t activate(struct tandem_realtek_device *device, uint8_t restart)
{
    enum tandem_status status = tandem_install_activate(device->bare->install);

    if (status == TANDEM_OK) {
        tandem_realtek_forget(device);
        schedule(device, restart);
    }
    return tandem_realtek_code(status);
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

    if (!tandem_realtek_bud_linked(device))
        return REALTEK_FAILED;
    if (done)
        wait_for_other(device);
    return tandem_realtek_code(pair->swap(pair->ctx));
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
    tandem_realtek_release(device);
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
        realtek_hold(device, 0);
    }
}

int tandem_realtek_enter(struct tandem_realtek_device *device)
{
    const struct tandem_system_port *system = realtek_description(device)->system;

    if (system == NULL || system->enter_ota == NULL || device->restart != RESTART_NOT)
        return 0;
    tandem_realtek_release(device);
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
    const struct tandem_system_port *system = realtek_description(device)->system;
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
    tandem_realtek_release(device);
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
        code = tandem_realtek_work_report(device, idle);
    else if (op == REALTEK_OP_VALIDATE)
        code = tandem_realtek_work_validate(device, idle);
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
        tandem_realtek_go_on_at(device, device->fed);
    realtek_hold(device, 0);
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
        (void)tandem_realtek_go_back(device, device->chunk);
    device->carry_fill = 0;
    if (!(device->row->flags & REALTEK_RESUMES) || device->error != 0)
        tandem_realtek_release(device);
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
    return tandem_aes_init(&device->aes, realtek_description(device)->crypto, config->aes_key, config->aes_key_size);
}
