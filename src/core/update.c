/*
 * The updater: one device from first contact to confirmed. Whenever contact
 * is made the device is asked where it stands, and its answer alone decides
 * what comes next. So a broken link, a dead host or a second host leave
 * nothing to be repaired: the next one simply asks again.
 */
#include "tandem/update.h"

#include <string.h>

#define CONFIRM_MS 120000u /* default of options.confirm_ms */
#define BACKOFF_MS 250u    /* default of options.backoff_ms */
#define RESTART_MS 500u    /* default of options.restart_ms */
#define ATTEMPTS 10u       /* default of options.attempts */
#define DOUBLINGS 5u       /* of the back-off */
#define TRIAL_POLL_MS 500u /* between two looks at a device on trial */
#define SEEK_MS 2000u      /* longest wait between two attempts to find a restarting device */
#define CONNECT_MS 30000u  /* longest wait for a connection */
#define FAREWELL_MS 5000u  /* longest wait for the answers to the last words */
#define ENTER_TIMES 3u     /* times that a device is put into OTA mode */
#define STEPS_PER_POLL 16u
#define ALL UINT32_MAX /* progress: there is no further */

enum step {
    STEP_CONNECT,  /* reach the device */
    STEP_QUERY,    /* ask it, and decide */
    STEP_CHECK,    /* does the offer suit it? */
    STEP_ENTER,    /* put it into OTA mode */
    STEP_PARTS,    /* how many parts */
    STEP_BEGIN,    /* announce a part */
    STEP_SEND,     /* wait until it has all of it */
    STEP_VALIDATE, /* wait until it is verified */
    STEP_ACTIVATE, /* switch */
    STEP_WAIT,     /* for some time, then `after` */
    STEP_REST,     /* a goal is reached */
    STEP_ABORT,    /* last words of a failure */
    STEP_SEEN,     /* last words otherwise */
    STEP_LEAVE,    /* disconnect for good */
    STEP_END
};

/* ---- what is offered ---- */

static enum tandem_status read_header(const struct tandem_source *source, struct tandem_package_header *header)
{
    uint8_t bytes[TANDEM_PACKAGE_HEADER_SIZE] = {0};
    size_t size = source->size < sizeof bytes ? source->size : sizeof bytes;
    enum tandem_status status = source->read(source->ctx, 0, bytes, size);

    if (status != TANDEM_OK)
        return status;
    status = tandem_package_header(header, bytes);
    if (status != TANDEM_OK)
        return status;
    return source->size < header->package_size ? TANDEM_ERROR_TRUNCATED : TANDEM_OK;
}

enum tandem_status tandem_offer_open(struct tandem_offer *offer, const struct tandem_source *source,
                                     const struct tandem_crypto_port *crypto, uint8_t *buffer, size_t size)
{
    struct tandem_package_header header;
    enum tandem_status status = read_header(source, &header);

    if (status != TANDEM_OK)
        return status;
    if (source->size != header.package_size)
        return TANDEM_ERROR_FORMAT;
    if (header.head_size > size)
        return TANDEM_ERROR_SPACE;
    status = source->read(source->ctx, 0, buffer, header.head_size);
    if (status != TANDEM_OK)
        return status;
    memset(offer, 0, sizeof *offer);
    offer->source = source;
    offer->packaged = 1;
    return tandem_manifest_parse(&offer->manifest, crypto, buffer, header.head_size);
}

void tandem_offer_bare(struct tandem_offer *offer, const struct tandem_source *source)
{
    memset(offer, 0, sizeof *offer);
    offer->source = source;
}

/* ---- does it suit the device? ---- */

static int same_name(const uint8_t *name, size_t size, const char *text)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (text[i] == '\0' || (uint8_t)text[i] != name[i])
            return 0;
    }
    return text[size] == '\0';
}

static enum tandem_status check_version(const struct tandem_manifest *manifest, const struct tandem_info *info)
{
    int order = tandem_version_compare(&manifest->version, &info->version);

    if (!(info->known & TANDEM_INFO_VERSION))
        return TANDEM_OK;
    if (tandem_version_compare(&info->version, &manifest->minimum) < 0)
        return TANDEM_ERROR_VERSION;
    if (!(info->known & TANDEM_INFO_POLICY) || info->version_policy == TANDEM_VERSION_ANY)
        return TANDEM_OK;
    if (order < 0 || (order == 0 && info->version_policy == TANDEM_VERSION_NEWER))
        return TANDEM_ERROR_VERSION;
    return TANDEM_OK;
}

static enum tandem_status check_manifest(const struct tandem_manifest *manifest, const struct tandem_info *info,
                                         uint32_t *detail)
{
    if ((info->known & TANDEM_INFO_NAMES) && (!same_name(manifest->vendor, manifest->vendor_size, info->vendor) ||
                                              !same_name(manifest->product, manifest->product_size, info->product)))
        return TANDEM_ERROR_TARGET;
    if ((info->known & TANDEM_INFO_HARDWARE) && !tandem_manifest_fits_hardware(manifest, info->hardware)) {
        *detail = info->hardware;
        return TANDEM_ERROR_HARDWARE;
    }
    if ((info->known & TANDEM_INFO_COUNTER) && manifest->counter < info->counter) {
        *detail = info->counter;
        return TANDEM_ERROR_COUNTER;
    }
    return check_version(manifest, info);
}

enum tandem_status tandem_update_check(const struct tandem_offer *offer, const struct tandem_info *info,
                                       uint32_t *detail)
{
    const uint32_t charge = TANDEM_INFO_BATTERY | TANDEM_INFO_POLICY;
    uint32_t value = 0;
    enum tandem_status status = offer->packaged ? check_manifest(&offer->manifest, info, &value) : TANDEM_OK;

    if (status == TANDEM_OK && (info->known & charge) == charge && info->battery < info->battery_minimum) {
        value = info->battery;
        status = TANDEM_ERROR_BATTERY;
    }
    if (detail != NULL)
        *detail = value;
    return status;
}

/* ---- moves ---- */

static void go(struct tandem_update *update, enum step step)
{
    update->step = (uint8_t)step;
    update->since = update->now;
}

static void wait_then(struct tandem_update *update, uint32_t wait_ms, enum step after)
{
    update->wait = wait_ms;
    update->after = (uint8_t)after;
    go(update, STEP_WAIT);
}

static void leave(struct tandem_update *update)
{
    (void)update->target->disconnect(update->target->ctx);
    update->connected = 0;
}

static enum tandem_stage stage_of(const struct tandem_update *update)
{
    switch (update->step == STEP_WAIT ? update->after : update->step) {
    case STEP_CONNECT:
    case STEP_QUERY:
    case STEP_ENTER:
        return update->activated ? TANDEM_STAGE_TRIAL : TANDEM_STAGE_CONNECT;
    case STEP_CHECK:
    case STEP_PARTS:
    case STEP_BEGIN:
        return TANDEM_STAGE_CHECK;
    case STEP_SEND:
        return TANDEM_STAGE_RECEIVE;
    case STEP_VALIDATE:
        return TANDEM_STAGE_VALIDATE;
    case STEP_ACTIVATE:
        return TANDEM_STAGE_ACTIVATE;
    case STEP_REST:
        return update->reached >= TANDEM_GOAL_ACTIVATED   ? TANDEM_STAGE_TRIAL
               : update->reached >= TANDEM_GOAL_VALIDATED ? TANDEM_STAGE_VALIDATE
                                                          : TANDEM_STAGE_CHECK;
    default:
        return update->result.stage;
    }
}

/* It has failed for good: note why, then say the last words. */
static void fail(struct tandem_update *update, enum tandem_status status, enum tandem_stage stage, uint32_t detail)
{
    const struct tandem_target *target = update->target;
    const struct tandem_outcome *report = NULL;
    int undo = update->connected && update->begun && !update->activated;

    update->result.status = status;
    update->result.stage = stage;
    update->result.detail = detail;
    update->result.image = 0;
    update->result.reported = 0;
    if (update->connected && target->report != NULL)
        report = target->report(target->ctx);
    if (report != NULL && report->status == status) {
        update->result.stage = report->stage != TANDEM_STAGE_NONE ? report->stage : stage;
        update->result.image = report->image;
        update->result.detail = report->detail;
        update->result.reported = 1;
    }
    go(update, undo ? STEP_ABORT : STEP_LEAVE);
}

/* The device itself told, in its answer to a query, how the update ended. */
static void fail_with_outcome(struct tandem_update *update, const struct tandem_outcome *outcome)
{
    update->result.status = outcome->status;
    update->result.stage = outcome->stage;
    update->result.image = outcome->image;
    update->result.detail = outcome->detail;
    update->result.reported = 1;
    update->result.runs = TANDEM_RUNS_OLD;
    go(update, outcome->seen ? STEP_LEAVE : STEP_SEEN);
}

/* May the same thing go well a little later? */
static int is_passing(const struct tandem_update *update, enum tandem_status status)
{
    const struct tandem_target *target = update->target;

    switch (status) {
    case TANDEM_ERROR_BUSY:
    case TANDEM_ERROR_TRIAL:
        return 1;
    case TANDEM_ERROR_PORT:
    case TANDEM_ERROR_TIMEOUT:
    case TANDEM_ERROR_DISCONNECTED:
    case TANDEM_ERROR_PROTOCOL:
        return target->report == NULL || target->report(target->ctx) == NULL;
    default:
        return 0;
    }
}

static uint32_t backoff(const struct tandem_update *update)
{
    unsigned doublings = update->attempt > DOUBLINGS ? DOUBLINGS : update->attempt;

    return (uint32_t)update->options.backoff_ms << (doublings != 0 ? doublings - 1 : 0);
}

static int confirm_expired(const struct tandem_update *update)
{
    return update->activated && update->now - update->activated_ms >= update->options.confirm_ms;
}

/* A step went wrong: leave the device, and either try again or give up. */
static void trouble(struct tandem_update *update, enum tandem_status status)
{
    enum tandem_stage stage = stage_of(update);
    uint32_t wait_ms;

    if (!is_passing(update, status)) {
        fail(update, status, stage, 0);
        return;
    }
    if (update->attempt < UINT8_MAX)
        update->attempt++;
    if (update->activated ? confirm_expired(update) : update->attempt >= update->options.attempts) {
        if (update->activated)
            update->result.runs = TANDEM_RUNS_UNKNOWN;
        fail(update, update->activated ? TANDEM_ERROR_TIMEOUT : status, stage, 0);
        return;
    }
    leave(update);
    wait_ms = backoff(update);
    if (update->activated && wait_ms > SEEK_MS)
        wait_ms = SEEK_MS;
    wait_then(update, wait_ms, STEP_CONNECT);
}

/* ---- where does the device stand? ---- */

static int is_mine(const struct tandem_update *update)
{
    const struct tandem_info *info = &update->info;

    return update->offer->packaged && (info->known & TANDEM_INFO_OUTCOME) &&
           memcmp(info->outcome.id, update->offer->manifest.id, TANDEM_PACKAGE_ID_SIZE) == 0;
}

static int same_version(const struct tandem_update *update)
{
    return update->offer->packaged && (update->info.known & TANDEM_INFO_VERSION) &&
           tandem_version_compare(&update->info.version, &update->offer->manifest.version) == 0;
}

static enum tandem_state state_of(const struct tandem_update *update)
{
    return (update->info.known & TANDEM_INFO_STATE) ? update->info.state : TANDEM_STATE_IDLE;
}

/* The device runs what is offered, and has confirmed it. */
static int runs_offer(const struct tandem_update *update)
{
    enum tandem_state state = state_of(update);

    if (!update->activated && update->options.reinstall)
        return 0;
    if (update->info.known & TANDEM_INFO_PLACE)
        return update->info.place >= TANDEM_GOAL_CONFIRMED;
    if (state == TANDEM_STATE_CONFIRMED && is_mine(update))
        return 1;
    if (state == TANDEM_STATE_TRIAL || (state == TANDEM_STATE_PENDING && update->activated))
        return 0;
    if (!update->offer->packaged)
        return update->activated && state != TANDEM_STATE_FAILED && state != TANDEM_STATE_VALIDATED;
    /* Another package of the same version is not this one. */
    if (state == TANDEM_STATE_CONFIRMED && (update->info.known & TANDEM_INFO_OUTCOME))
        return 0;
    return same_version(update);
}

static enum tandem_goal place_of(const struct tandem_update *update)
{
    enum tandem_state state = state_of(update);
    int mine = is_mine(update) || (update->activated && !update->offer->packaged);

    if (runs_offer(update))
        return TANDEM_GOAL_CONFIRMED;
    if (update->info.known & TANDEM_INFO_PLACE)
        return update->info.place < TANDEM_GOAL_CONFIRMED ? (enum tandem_goal)update->info.place : TANDEM_GOAL_CHECKED;
    if (mine && state == TANDEM_STATE_TRIAL)
        return TANDEM_GOAL_ACTIVATED;
    if (mine && (state == TANDEM_STATE_VALIDATED || state == TANDEM_STATE_PENDING))
        return TANDEM_GOAL_VALIDATED;
    return TANDEM_GOAL_CHECKED;
}

static void arrive(struct tandem_update *update)
{
    update->result.status = TANDEM_OK;
    update->result.stage = TANDEM_STAGE_CONFIRMED;
    update->result.runs = TANDEM_RUNS_NEW;
    update->result.already = !update->activated && !update->begun;
    update->reached = TANDEM_GOAL_CONFIRMED;
    go(update, is_mine(update) && !update->info.outcome.seen ? STEP_SEEN : STEP_LEAVE);
}

/* The device is back with its old firmware, after it was told to switch. */
static void explain_return(struct tandem_update *update)
{
    const struct tandem_outcome *outcome = &update->info.outcome;

    if (is_mine(update) && outcome->status != TANDEM_OK) {
        fail_with_outcome(update, outcome);
    } else if (update->info.known & TANDEM_INFO_STATE) {
        update->result.runs = TANDEM_RUNS_OLD;
        fail(update, TANDEM_ERROR_REVERTED, TANDEM_STAGE_TRIAL, 0);
    } else {
        trouble(update, TANDEM_ERROR_TIMEOUT); /* it does not say; perhaps it has not restarted yet */
    }
}

/* What the updater can tell, then what only the target can. */
static enum tandem_status suits(const struct tandem_update *update, uint32_t *detail)
{
    const struct tandem_target *target = update->target;
    enum tandem_status status = tandem_update_check(update->offer, &update->info, detail);

    if (status != TANDEM_OK || target->check == NULL)
        return status;
    return target->check(target->ctx, update->offer, detail);
}

static enum tandem_status step_check(struct tandem_update *update)
{
    uint32_t detail = 0;
    enum tandem_status status = suits(update, &detail);

    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    update->result.runs = TANDEM_RUNS_OLD;
    if (state_of(update) == TANDEM_STATE_TRIAL)
        trouble(update, TANDEM_ERROR_TRIAL);
    else if (status != TANDEM_OK && is_passing(update, status))
        trouble(update, status);
    else if (status != TANDEM_OK)
        fail(update, status, TANDEM_STAGE_CHECK, detail);
    else if (update->info.ota_mode && update->goal > TANDEM_GOAL_CHECKED)
        go(update, STEP_ENTER);
    else if (update->goal <= TANDEM_GOAL_CHECKED)
        go(update, STEP_REST);
    else
        go(update, STEP_PARTS);
    return TANDEM_OK;
}

/* The device has answered: what comes next? */
static void decide(struct tandem_update *update)
{
    enum tandem_goal place = place_of(update);

    update->reached = (uint8_t)place;
    if (place == TANDEM_GOAL_CONFIRMED) {
        arrive(update);
    } else if (place == TANDEM_GOAL_ACTIVATED) {
        if (!update->activated) {
            update->activated = 1;
            update->activated_ms = update->now;
        }
        if (update->goal <= TANDEM_GOAL_ACTIVATED)
            go(update, STEP_REST);
        else if (confirm_expired(update))
            trouble(update, TANDEM_ERROR_TIMEOUT);
        else
            wait_then(update, TRIAL_POLL_MS, STEP_QUERY);
    } else if (place == TANDEM_GOAL_VALIDATED) {
        update->begun = 1;
        update->result.runs = TANDEM_RUNS_OLD;
        go(update, update->goal <= TANDEM_GOAL_VALIDATED ? STEP_REST : STEP_ACTIVATE);
    } else if (update->activated) {
        explain_return(update);
    } else {
        go(update, STEP_CHECK);
    }
}

/* ---- steps: each returns TANDEM_AGAIN if nothing more can be done now ---- */

static enum tandem_status step_connect(struct tandem_update *update)
{
    enum tandem_status status = update->target->connect(update->target->ctx);

    if (status == TANDEM_AGAIN && update->now - update->since < CONNECT_MS)
        return TANDEM_AGAIN;
    if (status == TANDEM_OK) {
        update->connected = 1;
        go(update, STEP_QUERY);
    } else {
        trouble(update, status == TANDEM_AGAIN ? TANDEM_ERROR_TIMEOUT : status);
    }
    return TANDEM_OK;
}

static enum tandem_status step_query(struct tandem_update *update)
{
    enum tandem_status status = update->target->query(update->target->ctx, &update->info);

    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status == TANDEM_OK)
        decide(update);
    else
        trouble(update, status);
    return TANDEM_OK;
}

static enum tandem_status step_enter(struct tandem_update *update)
{
    const struct tandem_target *target = update->target;
    enum tandem_status status = TANDEM_ERROR_NOT_SUPPORTED;

    if (target->enter != NULL && update->entered < ENTER_TIMES)
        status = target->enter(target->ctx);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status != TANDEM_OK) {
        trouble(update, status);
        return TANDEM_OK;
    }
    update->entered++;
    leave(update);
    wait_then(update, update->options.restart_ms, STEP_CONNECT);
    return TANDEM_OK;
}

static enum tandem_status step_parts(struct tandem_update *update)
{
    const struct tandem_target *target = update->target;
    enum tandem_status status = TANDEM_OK;

    update->parts = 1;
    if (target->parts != NULL)
        status = target->parts(target->ctx, update->offer, &update->parts, &update->part);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status != TANDEM_OK)
        trouble(update, status);
    else
        go(update, STEP_BEGIN);
    return TANDEM_OK;
}

static enum tandem_status step_begin(struct tandem_update *update)
{
    const struct tandem_target *target = update->target;
    uint8_t flags = update->options.force ? TANDEM_BEGIN_FORCE : 0;
    enum tandem_status status;

    if (update->goal >= TANDEM_GOAL_ACTIVATED && !update->options.keep_pending && update->part + 1 >= update->parts)
        flags |= TANDEM_BEGIN_ACTIVATE;
    status = target->begin(target->ctx, update->offer, update->part, flags);
    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status == TANDEM_OK) {
        update->begun = 1;
        go(update, STEP_SEND);
    } else {
        trouble(update, status);
    }
    return TANDEM_OK;
}

static enum tandem_status step_send(struct tandem_update *update)
{
    enum tandem_status status = update->target->send(update->target->ctx, update->offer, update->part);

    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status == TANDEM_OK)
        go(update, STEP_VALIDATE);
    else
        trouble(update, status);
    return TANDEM_OK;
}

static enum tandem_status step_validate(struct tandem_update *update)
{
    enum tandem_status status = update->target->validate(update->target->ctx, update->part);

    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status != TANDEM_OK) {
        trouble(update, status);
        return TANDEM_OK;
    }
    if (update->best != ALL)
        update->attempt = 0;
    update->entered = 0;
    if (++update->part < update->parts) {
        go(update, STEP_BEGIN);
    } else {
        update->part = 0; /* should they ever be needed again, then from the first */
        update->best = ALL;
        update->reached = TANDEM_GOAL_VALIDATED;
        update->percent = 100;
        go(update, update->goal <= TANDEM_GOAL_VALIDATED ? STEP_REST : STEP_ACTIVATE);
    }
    return TANDEM_OK;
}

static enum tandem_status step_activate(struct tandem_update *update)
{
    enum tandem_status status = update->target->activate(update->target->ctx);

    if (status == TANDEM_AGAIN)
        return TANDEM_AGAIN;
    if (status != TANDEM_OK) {
        trouble(update, status);
        return TANDEM_OK;
    }
    if (!update->activated) {
        update->activated = 1;
        update->activated_ms = update->now;
    }
    update->attempt = 0;
    update->reached = TANDEM_GOAL_ACTIVATED;
    leave(update);
    if (confirm_expired(update))
        trouble(update, TANDEM_ERROR_TIMEOUT);
    else if (update->goal <= TANDEM_GOAL_ACTIVATED)
        go(update, STEP_REST);
    else
        wait_then(update, update->options.restart_ms, STEP_CONNECT);
    return TANDEM_OK;
}

static enum tandem_status step_wait(struct tandem_update *update)
{
    if (update->now - update->since < update->wait)
        return TANDEM_AGAIN;
    go(update, (enum step)update->after);
    return TANDEM_OK;
}

/* Last words: what they are answered, or whether, changes nothing any more. */
static enum tandem_status step_farewell(struct tandem_update *update, enum tandem_status (*say)(void *ctx),
                                        enum step next)
{
    enum tandem_status status = say != NULL && update->connected ? say(update->target->ctx) : TANDEM_OK;

    if (status == TANDEM_AGAIN && update->now - update->since < FAREWELL_MS)
        return TANDEM_AGAIN;
    go(update, next);
    return TANDEM_OK;
}

static enum tandem_status step_leave(struct tandem_update *update)
{
    leave(update);
    update->ended = 1;
    go(update, STEP_END);
    return TANDEM_OK;
}

static enum tandem_status do_step(struct tandem_update *update)
{
    switch ((enum step)update->step) {
    case STEP_CONNECT:
        return step_connect(update);
    case STEP_QUERY:
        return step_query(update);
    case STEP_CHECK:
        return step_check(update);
    case STEP_ENTER:
        return step_enter(update);
    case STEP_PARTS:
        return step_parts(update);
    case STEP_BEGIN:
        return step_begin(update);
    case STEP_SEND:
        return step_send(update);
    case STEP_VALIDATE:
        return step_validate(update);
    case STEP_ACTIVATE:
        return step_activate(update);
    case STEP_WAIT:
        return step_wait(update);
    case STEP_ABORT:
        return step_farewell(update, update->target->abort, update->result.reported ? STEP_SEEN : STEP_LEAVE);
    case STEP_SEEN:
        return step_farewell(update, update->target->seen, STEP_LEAVE);
    case STEP_LEAVE:
        return step_leave(update);
    default:
        return TANDEM_AGAIN;
    }
}

/* ---- polling ---- */

static void track(struct tandem_update *update)
{
    const struct tandem_target *target = update->target;
    uint32_t total = 0;
    uint64_t percent;

    if (target->progress == NULL || (update->step != STEP_SEND && update->step != STEP_VALIDATE))
        return;
    target->progress(target->ctx, &update->done, &total);
    update->total = total;
    if (update->done > update->best) {
        update->best = update->done;
        update->attempt = 0;
    }
    percent = total != 0 ? (uint64_t)update->done * 100u / total : 0;
    if (percent > update->percent)
        update->percent = (uint8_t)(percent < 100 ? percent : 100);
}

static void stop(struct tandem_update *update)
{
    if (!update->cancel || update->ended || update->result.status != TANDEM_AGAIN)
        return;
    update->cancel = 0;
    fail(update, TANDEM_ERROR_CANCELLED, stage_of(update), 0);
}

static enum tandem_status standing(struct tandem_update *update)
{
    if (update->ended)
        return update->result.status;
    if (update->step != STEP_REST)
        return TANDEM_AGAIN;
    update->result.stage = stage_of(update);
    return TANDEM_OK;
}

enum tandem_status tandem_update_poll(struct tandem_update *update, uint32_t now_ms)
{
    unsigned i;

    update->now = now_ms;
    if (update->undated) /* what was begun between two polls, by init or a new goal, knows no time */
        update->since = now_ms;
    update->undated = 0;
    if (!update->ended && update->target->poll != NULL)
        update->target->poll(update->target->ctx, now_ms);
    stop(update);
    for (i = 0; i < STEPS_PER_POLL && do_step(update) == TANDEM_OK; i++)
        ;
    track(update);
    return standing(update);
}

/* ---- the caller's words ---- */

void tandem_update_init(struct tandem_update *update, const struct tandem_target *target,
                        const struct tandem_offer *offer, const struct tandem_update_options *options)
{
    memset(update, 0, sizeof *update);
    update->target = target;
    update->offer = offer;
    if (options != NULL)
        update->options = *options;
    if (update->options.confirm_ms == 0)
        update->options.confirm_ms = CONFIRM_MS;
    if (update->options.backoff_ms == 0)
        update->options.backoff_ms = BACKOFF_MS;
    if (update->options.restart_ms == 0)
        update->options.restart_ms = RESTART_MS;
    if (update->options.attempts == 0)
        update->options.attempts = ATTEMPTS;
    update->goal = TANDEM_GOAL_CONFIRMED;
    update->result.status = TANDEM_AGAIN;
    update->step = STEP_CONNECT;
    update->undated = 1;
    update->parts = 1;
}

enum tandem_status tandem_update_goal(struct tandem_update *update, enum tandem_goal goal)
{
    uint8_t reached = update->reached;

    if (update->ended)
        return update->result.status == TANDEM_OK ? TANDEM_OK : TANDEM_ERROR_STATE;
    update->goal = (uint8_t)goal;
    if (update->step != STEP_REST)
        return TANDEM_OK;
    update->undated = 1;
    if (reached == TANDEM_GOAL_ACTIVATED && goal > TANDEM_GOAL_ACTIVATED && !update->connected)
        wait_then(update, update->options.restart_ms, STEP_CONNECT);
    else if (!update->connected)
        go(update, STEP_CONNECT);
    else if (reached == TANDEM_GOAL_VALIDATED && goal > TANDEM_GOAL_VALIDATED)
        go(update, STEP_ACTIVATE);
    else if (reached == TANDEM_GOAL_CHECKED && goal > TANDEM_GOAL_CHECKED)
        go(update, update->info.ota_mode ? STEP_ENTER : STEP_PARTS);
    else
        go(update, STEP_QUERY);
    return TANDEM_OK;
}

void tandem_update_cancel(struct tandem_update *update)
{
    update->cancel = 1;
}

void tandem_update_release(struct tandem_update *update)
{
    if (update->connected)
        leave(update);
    if (update->ended || update->step == STEP_REST || update->step == STEP_WAIT)
        return;
    update->undated = 1;
    go(update, STEP_CONNECT);
}

void tandem_update_restart(struct tandem_update *update)
{
    if (update->connected)
        leave(update);
    memset(&update->result, 0, sizeof update->result);
    update->result.status = TANDEM_AGAIN;
    update->attempt = 0;
    update->activated = 0;
    update->begun = 0;
    update->entered = 0;
    update->part = 0;
    update->best = 0;
    update->ended = 0;
    update->cancel = 0;
    update->reached = TANDEM_GOAL_CHECKED;
    update->undated = 1;
    go(update, STEP_CONNECT);
}

const struct tandem_update_result *tandem_update_result(const struct tandem_update *update)
{
    return &update->result;
}

const struct tandem_info *tandem_update_info(const struct tandem_update *update)
{
    return &update->info;
}

void tandem_update_progress(const struct tandem_update *update, struct tandem_update_progress *progress)
{
    progress->stage = stage_of(update);
    progress->total = update->total != 0 ? update->total : update->offer->source->size;
    progress->done = update->best < progress->total ? update->best : progress->total;
    if (update->reached >= TANDEM_GOAL_VALIDATED)
        progress->done = progress->total;
    progress->percent = update->reached >= TANDEM_GOAL_VALIDATED ? 100 : update->percent;
    progress->attempt = update->attempt;
}
