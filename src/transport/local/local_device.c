/*
 * Local upgrade, device half: a session takes one file to the installer and
 * starts it; how it stands is read off the installer, so that it is told right
 * after a restart too, and when another transport does the work.
 */
#include "tandem/local.h"

#include <string.h>

/* Numbers that options may leave at zero. */
#define PREPARE_S 10u
#define RESTART_S 30u
#define GRACE_MS 1000u
#define INTERVAL_MS 200u
#define REPEAT_MS 1000u
#define SILENCE_MS 60000u

#define RECEIVED_PERCENT 90u /* of the work is done when all is received */
#define STEPS 2u             /* of the installer in one poll */

/* What the session is at. */
enum step {
    STEP_NONE,    /* there is none: what is told is the device's durable state */
    STEP_PREPARE, /* the free bank is being erased */
    STEP_OPEN,    /* prepared, no file yet */
    STEP_RECEIVE, /* a file comes */
    STEP_END,     /* a bare image is being ended, */
    STEP_FINISH,  /* and the set of it */
    STEP_VERIFY,  /* the installer has all, and says what it is worth */
    STEP_RESTART, /* activated */
    STEP_FAILED   /* `status` says why */
};

static struct tandem_install *install_of(const struct tandem_local *local)
{
    return local->bare.install;
}

static uint32_t or_else(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

/* ---- the session ---- */

/* It failed; what is under way in the installer on its account is stopped. */
static enum tandem_status fail(struct tandem_local *local, enum tandem_status status)
{
    if (local->step >= STEP_RECEIVE && tandem_install_state(install_of(local)) != TANDEM_STATE_FAILED)
        (void)tandem_bare_abort(&local->bare);
    local->step = STEP_FAILED;
    local->status = status;
    local->wanted = 0;
    return status;
}

static int is_receiving(const struct tandem_local *local)
{
    return local->step >= STEP_RECEIVE && local->step <= STEP_VERIFY;
}

/* May a session begin? */
static enum tandem_status may_begin(const struct tandem_local *local)
{
    enum tandem_state state = tandem_install_state(install_of(local));
    if (!local->enabled || local->step == STEP_RESTART || state == TANDEM_STATE_PENDING)
        return TANDEM_ERROR_STATE;
    if (state == TANDEM_STATE_TRIAL)
        return TANDEM_ERROR_TRIAL;
    if (!is_receiving(local) && (state == TANDEM_STATE_RECEIVING || state == TANDEM_STATE_VALIDATING))
        return TANDEM_ERROR_BUSY;
    return local->options->permit != NULL ? local->options->permit(local->options->ctx) : TANDEM_OK;
}

/* Forget the session, if any. */
static enum tandem_status clear(struct tandem_local *local)
{
    int busy = is_receiving(local) || local->step == STEP_PREPARE;
    enum tandem_status status = busy ? tandem_bare_abort(&local->bare) : TANDEM_OK;
    local->step = STEP_NONE;
    local->status = TANDEM_OK;
    local->percent = 0;
    local->wanted = 0;
    local->silent = 0;
    local->heard = 1;
    memset(&local->version, 0, sizeof local->version);
    return status;
}

enum tandem_status tandem_local_enter(struct tandem_local *local, uint16_t *wait_s)
{
    enum tandem_status status = may_begin(local);
    if (status == TANDEM_OK)
        status = clear(local);
    if (status != TANDEM_OK)
        return status;
    local->step = STEP_PREPARE;
    if (wait_s != NULL)
        *wait_s = (uint16_t)or_else(local->options->prepare_s, PREPARE_S);
    return TANDEM_OK;
}

/* What a file's name says must fit: a mistake is then told before anything is sent. The package itself is what counts
 * in the end. */
static enum tandem_status check_name(const struct tandem_local *local, const char *name, struct tandem_version *version)
{
    static const struct tandem_version none = {0, 0, 0, 0};
    const struct tandem_install *install = install_of(local);
    struct tandem_file_name parsed;
    *version = none;
    if (name == NULL || tandem_file_name_parse(&parsed, name) != TANDEM_OK)
        return local->options->any_name ? TANDEM_OK : TANDEM_ERROR_FORMAT;
    if (!tandem_file_name_fits(&parsed, local->options->product, local->options->alias))
        return TANDEM_ERROR_TARGET;
    *version = parsed.version;
    if (tandem_version_compare(&install->running, &none) == 0)
        return TANDEM_OK;
    int order = tandem_version_compare(version, &install->running);
    uint8_t policy = install->bank.device->version_policy;
    return (policy == TANDEM_VERSION_NOT_OLDER && order < 0) || (policy == TANDEM_VERSION_NEWER && order <= 0)
               ? TANDEM_ERROR_VERSION
               : TANDEM_OK;
}

enum tandem_status tandem_local_begin(struct tandem_local *local, const char *name, uint32_t size)
{
    struct tandem_version version;
    enum tandem_status status = may_begin(local);
    if (status == TANDEM_OK)
        status = check_name(local, name, &version);
    if (status == TANDEM_OK && size == 0)
        status = TANDEM_ERROR_TRUNCATED;
    if (status == TANDEM_OK)
        status = clear(local);
    if (status != TANDEM_OK)
        return status;
    local->step = STEP_RECEIVE;
    local->version = version;
    local->size = size;
    local->at = 0;
    local->payload = TANDEM_PAYLOAD_BARE;
    tandem_md5_init(&local->md5);
    return TANDEM_OK;
}

/* The first bytes are here: to which door does it go? */
static enum tandem_status open_door(struct tandem_local *local, uint32_t known)
{
    const struct tandem_local_options *options = local->options;
    struct tandem_bare_image image;
    local->payload = (uint8_t)tandem_payload_recognise(local->magic, known);
    if (local->payload == TANDEM_PAYLOAD_PACKAGE)
        return tandem_install_begin(install_of(local), NULL, local->size, 0);
    memset(&image, 0, sizeof image);
    image.kind = (uint8_t)or_else(options->kind, TANDEM_KIND_APPLICATION);
    image.variant = options->variant != 0 ? (uint8_t)(options->variant - 1) : TANDEM_VARIANT_ANY;
    image.payload = local->payload;
    image.version = local->version;
    image.size = local->size;
    return tandem_bare_begin(&local->bare, &image);
}

/* Hand bytes to the door, from the file's offset `*at` on. */
static enum tandem_status hand_over(struct tandem_local *local, uint32_t *at, const void *data, uint32_t size)
{
    if (local->payload == TANDEM_PAYLOAD_PACKAGE)
        return tandem_install_pass(install_of(local), at, data, size);
    uint32_t room = tandem_bare_limit(&local->bare) - *at;
    uint32_t part = size < room ? size : room;
    enum tandem_status status = tandem_bare_feed(&local->bare, *at, data, part);
    if (status != TANDEM_OK)
        return tandem_install_outcome(install_of(local))->status != TANDEM_OK
                   ? tandem_install_outcome(install_of(local))->status
                   : status;
    *at += part;
    return part == size ? TANDEM_OK : TANDEM_AGAIN;
}

/* Collect the first bytes, of which the last one opens the door. @return as tandem_local_data() */
static enum tandem_status take_magic(struct tandem_local *local, const uint8_t *data, size_t size, size_t *taken)
{
    uint32_t need = local->size < sizeof local->magic ? local->size : (uint32_t)sizeof local->magic, at = 0;
    enum tandem_status status = TANDEM_OK;
    while (*taken < size && local->at + *taken < need) {
        local->magic[local->at + *taken] = data[*taken];
        (*taken)++;
    }
    tandem_md5_update(&local->md5, data, *taken);
    local->at += (uint32_t)*taken;
    if (local->at < need)
        return TANDEM_OK;
    status = open_door(local, need);
    while (status == TANDEM_OK && at < need)
        status = hand_over(local, &at, local->magic + at, need - at); /* the doors are wider than that */
    return status;
}

enum tandem_status tandem_local_data(struct tandem_local *local, const void *data, size_t size, size_t *taken)
{
    const uint8_t *bytes = data;
    enum tandem_status status = TANDEM_OK;
    *taken = 0;
    if (local->step == STEP_FAILED)
        return local->status;
    if (local->step != STEP_RECEIVE)
        return TANDEM_ERROR_STATE;
    if (size > local->size - local->at)
        return fail(local, TANDEM_ERROR_TOO_LARGE);
    local->heard = 1;
    if (local->at < sizeof local->magic)
        status = take_magic(local, bytes, size, taken);
    if (status == TANDEM_OK && *taken < size) {
        uint32_t at = local->at;
        status = hand_over(local, &at, bytes + *taken, (uint32_t)(size - *taken));
        tandem_md5_update(&local->md5, bytes + *taken, at - local->at);
        *taken += at - local->at;
        local->at = at;
    }
    return status == TANDEM_OK || status == TANDEM_AGAIN ? status : fail(local, status);
}

enum tandem_status tandem_local_end(struct tandem_local *local, const uint8_t *md5)
{
    uint8_t digest[TANDEM_MD5_SIZE];
    if (local->step == STEP_FAILED)
        return local->status;
    if (local->step != STEP_RECEIVE)
        return TANDEM_ERROR_STATE;
    if (local->at < local->size)
        return fail(local, TANDEM_ERROR_TRUNCATED);
    tandem_md5_final(&local->md5, digest);
    if (md5 != NULL && !tandem_equal(md5, digest, sizeof digest))
        return fail(local, TANDEM_ERROR_DIGEST);
    local->step = local->payload == TANDEM_PAYLOAD_PACKAGE ? STEP_VERIFY : STEP_END;
    return TANDEM_OK;
}

enum tandem_status tandem_local_check(const struct tandem_local *local)
{
    if (local->step == STEP_FAILED)
        return local->status;
    if (local->step == STEP_RESTART)
        return TANDEM_OK;
    if (local->step < STEP_END)
        return TANDEM_ERROR_STATE;
    return tandem_install_state(install_of(local)) == TANDEM_STATE_VALIDATED ? TANDEM_OK : TANDEM_AGAIN;
}

enum tandem_status tandem_local_start(struct tandem_local *local)
{
    if (local->step == STEP_FAILED)
        return local->status;
    if (local->step < STEP_END)
        return TANDEM_ERROR_STATE;
    local->wanted = 1;
    return TANDEM_OK;
}

enum tandem_status tandem_local_acknowledge(struct tandem_local *local)
{
    if (local->step == STEP_FAILED || local->step == STEP_OPEN)
        (void)clear(local);
    return tandem_install_seen(install_of(local));
}

enum tandem_status tandem_local_abort(struct tandem_local *local)
{
    /* An activation is taken back as long as the device has not restarted. */
    enum tandem_status status = local->step == STEP_RESTART ? tandem_bare_abort(&local->bare) : TANDEM_OK;
    enum tandem_status cleared = clear(local);
    return status != TANDEM_OK ? status : cleared;
}

void tandem_local_enable(struct tandem_local *local)
{
    local->enabled = 1;
}

enum tandem_status tandem_local_disable(struct tandem_local *local)
{
    local->enabled = 0;
    return tandem_local_abort(local);
}

/* ---- how it stands ---- */

/* What the device itself tells when no session does. */
static enum tandem_local_stage stage_of_device(const struct tandem_local *local)
{
    const struct tandem_outcome *outcome = tandem_install_outcome(install_of(local));
    switch (tandem_install_state(install_of(local))) {
    case TANDEM_STATE_RECEIVING:
        return TANDEM_LOCAL_RECEIVING;
    case TANDEM_STATE_VALIDATING:
        return TANDEM_LOCAL_VERIFYING;
    case TANDEM_STATE_PENDING:
        return TANDEM_LOCAL_RESTARTING;
    case TANDEM_STATE_TRIAL:
        return TANDEM_LOCAL_TRIAL;
    case TANDEM_STATE_CONFIRMED:
        return outcome->seen ? TANDEM_LOCAL_IDLE : TANDEM_LOCAL_DONE;
    case TANDEM_STATE_FAILED:
        return outcome->seen ? TANDEM_LOCAL_IDLE : TANDEM_LOCAL_FAILED;
    default:
        return TANDEM_LOCAL_IDLE;
    }
}

static enum tandem_local_stage stage_of(const struct tandem_local *local)
{
    switch (local->step) {
    case STEP_NONE:
        return stage_of_device(local);
    case STEP_PREPARE:
        return TANDEM_LOCAL_PREPARING;
    case STEP_OPEN:
        return TANDEM_LOCAL_IDLE;
    case STEP_RECEIVE:
        return TANDEM_LOCAL_RECEIVING;
    case STEP_RESTART:
        return TANDEM_LOCAL_RESTARTING;
    case STEP_FAILED:
        return TANDEM_LOCAL_FAILED;
    default:
        return tandem_install_state(install_of(local)) == TANDEM_STATE_VALIDATED ? TANDEM_LOCAL_READY
                                                                                 : TANDEM_LOCAL_VERIFYING;
    }
}

/* Measured: bytes received, then bytes of the image in hand that were read back. */
static uint8_t percent_of(const struct tandem_local *local)
{
    const struct tandem_install *install = install_of(local);
    enum tandem_local_stage stage = stage_of(local);
    if (stage >= TANDEM_LOCAL_READY && stage <= TANDEM_LOCAL_DONE)
        return 100;
    if (local->step == STEP_RECEIVE)
        return (uint8_t)((uint64_t)local->at * RECEIVED_PERCENT / local->size);
    if (local->step < STEP_RECEIVE || local->step == STEP_FAILED)
        return local->percent;
    if (install->image_size == 0 || install->cursor > install->image_size)
        return RECEIVED_PERCENT;
    return (uint8_t)(RECEIVED_PERCENT + (uint64_t)install->cursor * (99 - RECEIVED_PERCENT) / install->image_size);
}

void tandem_local_report(const struct tandem_local *local, struct tandem_local_report *report)
{
    const struct tandem_outcome *outcome = tandem_install_outcome(install_of(local));
    static const struct tandem_version none = {0, 0, 0, 0};
    memset(report, 0, sizeof *report);
    report->stage = stage_of(local);
    report->percent = percent_of(local) > local->percent ? percent_of(local) : local->percent;
    if (report->stage == TANDEM_LOCAL_RESTARTING)
        report->restart_s = (uint16_t)or_else(local->options->restart_s, RESTART_S);
    if (report->stage == TANDEM_LOCAL_FAILED)
        report->status = local->step == STEP_FAILED ? local->status : outcome->status;
    if (report->stage == TANDEM_LOCAL_IDLE) {
        report->percent = 0;
        return;
    }
    int named = tandem_version_compare(&local->version, &none) != 0;
    report->version = named ? local->version : outcome->version;
}

/* ---- work ---- */

/* A package's own version is what its file's name said, or one of the two is wrong. */
static int is_misnamed(const struct tandem_local *local)
{
    static const struct tandem_version none = {0, 0, 0, 0};
    const struct tandem_version *found = &tandem_install_outcome(install_of(local))->version;
    return local->payload == TANDEM_PAYLOAD_PACKAGE && local->at > sizeof local->magic &&
           tandem_version_compare(&local->version, &none) != 0 && tandem_version_compare(found, &none) != 0 &&
           tandem_version_compare(&local->version, found) != 0;
}

static enum tandem_status prepare(struct tandem_local *local)
{
    enum tandem_status status = tandem_install_erase_idle(install_of(local));
    if (status != TANDEM_AGAIN)
        local->step = STEP_OPEN; /* whatever was in the way: the transfer erases for itself */
    return status == TANDEM_AGAIN ? TANDEM_AGAIN : TANDEM_OK;
}

/* A bare image makes a set of one. */
static void finish_bare(struct tandem_local *local)
{
    enum tandem_status status =
        local->step == STEP_END ? tandem_bare_end(&local->bare) : tandem_bare_finish(&local->bare);
    if (status == TANDEM_OK)
        local->step++;
    else if (status != TANDEM_AGAIN)
        (void)fail(local, status);
}

/* Switch over when that is wanted and can be. */
static void activate(struct tandem_local *local)
{
    if (!local->wanted || tandem_install_state(install_of(local)) != TANDEM_STATE_VALIDATED)
        return;
    enum tandem_status status = tandem_install_activate(install_of(local));
    if (status != TANDEM_OK) {
        local->step = STEP_FAILED; /* the verified update stays, and may be started another time */
        local->status = status;
        local->wanted = 0;
        return;
    }
    local->step = STEP_RESTART;
    local->restart_ms = local->now;
}

static void restart(struct tandem_local *local)
{
    const struct tandem_system_port *system = install_of(local)->bank.device->system;
    if (local->now - local->restart_ms < or_else(local->options->grace_ms, GRACE_MS))
        return;
    local->restart_ms = local->now; /* if it did not work, it is tried again */
    if (system != NULL && system->reboot != NULL)
        (void)system->reboot(system->ctx);
}

/* `idle`: the installer has nothing to do. */
static enum tandem_status work_session(struct tandem_local *local, int idle)
{
    const struct tandem_install *install = install_of(local);
    if (local->step == STEP_PREPARE)
        return prepare(local);
    if (is_receiving(local) && local->at >= sizeof local->magic) {
        if (tandem_install_state(install) == TANDEM_STATE_FAILED)
            (void)fail(local, tandem_install_outcome(install)->status);
        else if (is_misnamed(local))
            (void)fail(local, TANDEM_ERROR_VERSION);
    }
    if (local->step == STEP_RECEIVE && local->now - local->heard_ms >= or_else(local->options->silence_ms, SILENCE_MS))
        (void)fail(local, TANDEM_ERROR_TIMEOUT);
    if (local->step == STEP_END || local->step == STEP_FINISH)
        finish_bare(local);
    if (local->step == STEP_VERIFY && idle && tandem_install_state(install) == TANDEM_STATE_RECEIVING)
        (void)fail(local, TANDEM_ERROR_DIGEST); /* a block was damaged: it waits for what cannot come again */
    if (local->step == STEP_VERIFY)
        activate(local);
    if (local->step == STEP_RESTART)
        restart(local);
    return TANDEM_OK;
}

/* ---- telling ---- */

static int is_outcome(enum tandem_local_stage stage)
{
    return stage == TANDEM_LOCAL_DONE || stage == TANDEM_LOCAL_FAILED;
}

/* Whether the host is to be told now: at once of what is new, at times of a percentage, again of an outcome. */
static int is_due(struct tandem_local *local, const struct tandem_local_report *report)
{
    const struct tandem_local_options *options = local->options;
    uint32_t waited = local->now - local->told_ms;
    if (report->stage != local->told.stage || report->status != local->told.status) {
        local->since_ms = local->now;
        local->silent = 0;
        return 1;
    }
    if (report->percent != local->told.percent)
        return waited >= or_else(options->interval_ms, INTERVAL_MS);
    if (!is_outcome(report->stage) || local->silent || waited < or_else(options->repeat_ms, REPEAT_MS))
        return 0;
    if (options->repeat_for_ms != 0 && local->now - local->since_ms >= options->repeat_for_ms)
        local->silent = 1; /* nobody listens; the outcome stays */
    return !local->silent;
}

static void tell(struct tandem_local *local)
{
    struct tandem_local_report report;
    tandem_local_report(local, &report);
    local->percent = report.percent;
    if (!is_due(local, &report) || local->options->push(local->options->ctx, &report) != TANDEM_OK)
        return;
    local->told = report;
    local->told_ms = local->now;
}

enum tandem_status tandem_local_poll(struct tandem_local *local, uint32_t now_ms)
{
    enum tandem_status status = TANDEM_AGAIN, worked;
    local->now = now_ms;
    if (local->heard)
        local->heard_ms = now_ms; /* calls bring no time of their own */
    local->heard = 0;
    for (unsigned i = 0; i < STEPS && status == TANDEM_AGAIN; i++)
        status = tandem_bare_poll(&local->bare);
    worked = work_session(local, status == TANDEM_OK);
    tell(local);
    return worked == TANDEM_AGAIN || local->step == STEP_END || local->step == STEP_FINISH ? TANDEM_AGAIN : status;
}

void tandem_local_init(struct tandem_local *local, const struct tandem_local_options *options,
                       struct tandem_install *install)
{
    memset(local, 0, sizeof *local);
    local->options = options;
    tandem_bare_init(&local->bare, install);
}
