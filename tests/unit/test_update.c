/*
 * The updater: with a target made of a script, every step's every answer;
 * with real devices, every way in which an update can end, and a host that
 * dies at any moment.
 */
#include "check.h"
#include "link_rig.h"

static struct rig_release old_release, new_release, bad_release, twin_release, foreign_release, stranger_release;
static struct rig_release narrow_release;
static struct rig_device device;
static struct rig_host host;

/* ---- a target made of a script ---- */

enum call { CONNECT, QUERY, ENTER, PARTS, BEGIN, SEND, VALIDATE, ACTIVATE, ABORT, SEEN, DISCONNECT, FIT, CALLS };

static struct script {
    struct tandem_target target;
    struct tandem_info info;
    struct tandem_outcome report;
    int reports;              /* 1: the last error is the device's own */
    unsigned calls[CALLS];    /* that came to an end */
    unsigned patience[CALLS]; /* TANDEM_AGAIN so many times before each answer */
    unsigned waited[CALLS];
    enum tandem_status answers[CALLS]; /* TANDEM_OK, or what comes instead */
    unsigned failing[CALLS];           /* so many times; 0: for ever */
    unsigned failed[CALLS];
    uint8_t parts;
    int forgetful;          /* 1: with its link it loses the parts it had */
    uint32_t against;       /* detail of fake_check() */
    unsigned begun[4];      /* times that each part was begun */
    uint8_t flags;          /* of the last begin() */
    unsigned confirm_after; /* queries after activation until it is confirmed */
    int activated;
    int connected;
    int deaf_to_enter;
} script;

static enum tandem_status answer(enum call call)
{
    if (script.waited[call] < script.patience[call]) {
        script.waited[call]++;
        return TANDEM_AGAIN;
    }
    script.waited[call] = 0;
    script.calls[call]++;
    if (script.answers[call] == TANDEM_OK)
        return TANDEM_OK;
    if (script.failing[call] != 0 && script.failed[call]++ >= script.failing[call])
        return TANDEM_OK;
    return script.answers[call];
}

static enum tandem_status fake_connect(void *ctx)
{
    enum tandem_status status = answer(CONNECT);

    (void)ctx;
    if (status == TANDEM_OK)
        script.connected = 1;
    return status;
}

static enum tandem_status fake_query(void *ctx, struct tandem_info *info)
{
    enum tandem_status status = answer(QUERY);

    (void)ctx;
    CHECK(script.connected);
    if (status != TANDEM_OK)
        return status;
    if (script.activated && script.confirm_after-- == 0) {
        script.info.state = TANDEM_STATE_CONFIRMED;
        script.info.outcome.status = TANDEM_OK;
        script.info.version.major = 2;
    }
    *info = script.info;
    return TANDEM_OK;
}

static enum tandem_status fake_enter(void *ctx)
{
    enum tandem_status status = answer(ENTER);

    (void)ctx;
    if (status == TANDEM_OK && !script.deaf_to_enter)
        script.info.ota_mode = 0;
    return status;
}

static enum tandem_status fake_parts(void *ctx, const struct tandem_offer *offer, uint8_t *count, uint8_t *next)
{
    (void)ctx;
    (void)offer;
    *count = script.parts;
    if (script.forgetful)
        *next = 0;
    return answer(PARTS);
}

static enum tandem_status fake_check(void *ctx, const struct tandem_offer *offer, uint32_t *detail)
{
    (void)ctx;
    (void)offer;
    CHECK_EQUAL(*detail, 0);
    *detail = script.against;
    return answer(FIT);
}

static enum tandem_status fake_begin(void *ctx, const struct tandem_offer *offer, uint8_t part, uint8_t flags)
{
    enum tandem_status status = answer(BEGIN);

    (void)ctx;
    (void)offer;
    if (status != TANDEM_AGAIN)
        script.begun[part]++;
    script.flags = flags;
    return status;
}

static enum tandem_status fake_send(void *ctx, const struct tandem_offer *offer, uint8_t part)
{
    (void)ctx;
    (void)offer;
    CHECK(script.begun[part] > 0);
    return answer(SEND);
}

static enum tandem_status fake_validate(void *ctx, uint8_t part)
{
    (void)ctx;
    CHECK(script.begun[part] > 0);
    return answer(VALIDATE);
}

static enum tandem_status fake_activate(void *ctx)
{
    enum tandem_status status = answer(ACTIVATE);

    (void)ctx;
    if (status == TANDEM_OK) {
        script.activated = 1;
        script.info.state = TANDEM_STATE_TRIAL;
        memcpy(script.info.outcome.id, new_release.id, TANDEM_PACKAGE_ID_SIZE);
    }
    return status;
}

static enum tandem_status fake_abort(void *ctx)
{
    (void)ctx;
    return answer(ABORT);
}

static enum tandem_status fake_seen(void *ctx)
{
    (void)ctx;
    return answer(SEEN);
}

static enum tandem_status fake_disconnect(void *ctx)
{
    (void)ctx;
    script.connected = 0;
    return answer(DISCONNECT);
}

static const struct tandem_outcome *fake_report(void *ctx)
{
    (void)ctx;
    return script.reports ? &script.report : NULL;
}

static void fake_progress(void *ctx, uint32_t *done, uint32_t *total)
{
    (void)ctx;
    *total = 1000;
    *done = script.waited[SEND] * 100;
}

static struct tandem_update update;

static void script_reset(void)
{
    struct tandem_target target = {&script,       fake_connect,  fake_query,    fake_enter, fake_parts, fake_begin,
                                   fake_send,     fake_validate, fake_activate, fake_abort, fake_seen,  fake_disconnect,
                                   fake_progress, fake_report,   NULL,          NULL};

    memset(&script, 0, sizeof script);
    script.target = target;
    script.parts = 1;
    script.info.known = TANDEM_INFO_STATE | TANDEM_INFO_OUTCOME | TANDEM_INFO_VERSION;
    script.info.version.major = 1;
    tandem_update_init(&update, &script.target, &new_release.offer, NULL);
}

static enum tandem_status script_run(uint32_t limit_ms)
{
    enum tandem_status status = TANDEM_AGAIN;
    uint32_t begin = rig_now;

    while (status == TANDEM_AGAIN && rig_now - begin < limit_ms)
        status = tandem_update_poll(&update, ++rig_now);
    return status;
}

static void test_straight_through(void)
{
    unsigned patience, call;

    for (patience = 0; patience < 5; patience++) {
        struct tandem_update_progress progress;

        script_reset();
        for (call = 0; call < CALLS; call++)
            script.patience[call] = patience;
        script.patience[DISCONNECT] = 0;
        script.confirm_after = patience;
        CHECK_EQUAL(script_run(20000), TANDEM_OK);
        CHECK_EQUAL(update.result.runs, TANDEM_RUNS_NEW);
        CHECK_EQUAL(update.result.stage, TANDEM_STAGE_CONFIRMED);
        CHECK_EQUAL(update.result.already, 0);
        CHECK_EQUAL(script.calls[CONNECT], 2);
        CHECK_EQUAL(script.calls[QUERY], 2 + patience);
        CHECK_EQUAL(script.calls[ENTER], 0);
        CHECK_EQUAL(script.calls[BEGIN], 1);
        CHECK_EQUAL(script.calls[SEND], 1);
        CHECK_EQUAL(script.calls[VALIDATE], 1);
        CHECK_EQUAL(script.calls[ACTIVATE], 1);
        CHECK_EQUAL(script.calls[SEEN], 1);
        CHECK_EQUAL(script.calls[ABORT], 0);
        CHECK_EQUAL(script.calls[DISCONNECT], 2);
        CHECK_EQUAL(script.connected, 0);
        CHECK_EQUAL(script.flags, TANDEM_BEGIN_ACTIVATE);
        tandem_update_progress(&update, &progress);
        CHECK_EQUAL(progress.percent, 100);
        CHECK_EQUAL(progress.done, progress.total);
        CHECK_EQUAL(progress.stage, TANDEM_STAGE_CONFIRMED);
        /* It stays ended. */
        CHECK_EQUAL(tandem_update_poll(&update, rig_now), TANDEM_OK);
        CHECK_EQUAL(tandem_update_goal(&update, TANDEM_GOAL_VALIDATED), TANDEM_OK);
        tandem_update_cancel(&update);
        CHECK_EQUAL(tandem_update_poll(&update, rig_now), TANDEM_OK);
    }
}

static void test_several_parts(void)
{
    script_reset();
    script.parts = 3;
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    CHECK_EQUAL(script.calls[BEGIN], 3);
    CHECK_EQUAL(script.calls[VALIDATE], 3);
    CHECK_EQUAL(script.calls[ACTIVATE], 1);
    /* The link breaks in the second part: it is begun again, and the first is not. */
    script_reset();
    script.parts = 3;
    script.answers[BEGIN] = TANDEM_OK;
    script.answers[SEND] = TANDEM_ERROR_DISCONNECTED;
    script.failing[SEND] = 1;
    script.patience[SEND] = 5;
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    CHECK_EQUAL(script.begun[0], 2);
    CHECK_EQUAL(script.begun[1], 1);
    /* A device that loses all with its link is sent all again. */
    script_reset();
    script.parts = 2;
    script.forgetful = 1;
    script.answers[VALIDATE] = TANDEM_ERROR_DISCONNECTED;
    script.failing[VALIDATE] = 1;
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    CHECK_EQUAL(script.begun[0], 2);
    CHECK_EQUAL(script.begun[1], 1);
    script_reset();
    script.target.parts = NULL;
    script.parts = 9;
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    CHECK_EQUAL(script.calls[BEGIN], 1);
    CHECK_EQUAL(script.calls[PARTS], 0);
    script_reset();
    script.answers[PARTS] = TANDEM_ERROR_UNSUPPORTED;
    CHECK_EQUAL(script_run(20000), TANDEM_ERROR_UNSUPPORTED);
    CHECK_EQUAL(update.result.stage, TANDEM_STAGE_CHECK);
}

/* A target that reads the offer itself judges, too: whether it suits, and how far the device is with it. */
static void test_target_judges(void)
{
    script_reset();
    script.target.check = fake_check;
    script.patience[FIT] = 3;
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    CHECK_EQUAL(script.calls[FIT], 1);
    script_reset();
    script.target.check = fake_check;
    script.answers[FIT] = TANDEM_ERROR_HARDWARE;
    script.against = 77;
    CHECK_EQUAL(script_run(20000), TANDEM_ERROR_HARDWARE);
    CHECK_EQUAL(update.result.detail, 77);
    CHECK_EQUAL(update.result.stage, TANDEM_STAGE_CHECK);
    CHECK_EQUAL(script.calls[BEGIN], 0);
    /* A broken link is no judgement. */
    script_reset();
    script.target.check = fake_check;
    script.answers[FIT] = TANDEM_ERROR_DISCONNECTED;
    script.failing[FIT] = 2;
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    CHECK_EQUAL(script.calls[FIT], 3);
    /* The offer runs already. */
    script_reset();
    script.info.known |= TANDEM_INFO_PLACE;
    script.info.place = TANDEM_GOAL_CONFIRMED;
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    CHECK_EQUAL(update.result.already, 1);
    CHECK_EQUAL(script.calls[BEGIN], 0);
    /* All is there and verified: it only has to switch. */
    script_reset();
    script.info.known |= TANDEM_INFO_PLACE;
    script.info.place = TANDEM_GOAL_VALIDATED;
    tandem_update_goal(&update, TANDEM_GOAL_ACTIVATED);
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    CHECK_EQUAL(script.calls[BEGIN], 0);
    CHECK_EQUAL(script.calls[ACTIVATE], 1);
}

static void test_ota_mode(void)
{
    script_reset();
    script.info.ota_mode = 1;
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    CHECK_EQUAL(script.calls[ENTER], 1);
    CHECK_EQUAL(script.calls[CONNECT], 3);
    script_reset();
    script.info.ota_mode = 1;
    script.target.enter = NULL;
    CHECK_EQUAL(script_run(20000), TANDEM_ERROR_NOT_SUPPORTED);
    script_reset();
    script.info.ota_mode = 1;
    script.patience[ENTER] = 3;
    CHECK_EQUAL(script_run(20000), TANDEM_OK);
    /* It says that it entered, and never does. */
    script_reset();
    script.info.ota_mode = 1;
    script.deaf_to_enter = 1;
    CHECK_EQUAL(script_run(20000), TANDEM_ERROR_NOT_SUPPORTED);
    CHECK_EQUAL(script.calls[ENTER], 3);
    /* Checks come before: nothing is entered for nothing. */
    script_reset();
    script.info.ota_mode = 1;
    script.info.known |= TANDEM_INFO_NAMES;
    CHECK_EQUAL(script_run(20000), TANDEM_ERROR_TARGET);
    CHECK_EQUAL(script.calls[ENTER], 0);
}

/* What passes is tried again; what does not is final; and every end is orderly. */
static void test_errors_at_every_step(void)
{
    static const enum call steps[] = {CONNECT, QUERY, BEGIN, SEND, VALIDATE, ACTIVATE};
    static const enum tandem_status passing[] = {TANDEM_ERROR_TIMEOUT, TANDEM_ERROR_DISCONNECTED, TANDEM_ERROR_PORT,
                                                 TANDEM_ERROR_PROTOCOL, TANDEM_ERROR_BUSY};
    static const enum tandem_status final[] = {TANDEM_ERROR_SIGNATURE, TANDEM_ERROR_FLASH, TANDEM_ERROR_TOO_LARGE,
                                               TANDEM_ERROR_NOT_SUPPORTED};
    unsigned step, i;

    for (step = 0; step < sizeof steps / sizeof steps[0]; step++) {
        for (i = 0; i < sizeof passing / sizeof passing[0]; i++) {
            script_reset();
            script.answers[steps[step]] = passing[i];
            script.failing[steps[step]] = 3;
            CHECK_EQUAL(script_run(60000), TANDEM_OK);
            /* And for ever: it gives up, in an orderly way. */
            script_reset();
            script.answers[steps[step]] = passing[i];
            CHECK_EQUAL(script_run(300000), passing[i]);
            CHECK_EQUAL(script.calls[steps[step]], 10);
            CHECK_EQUAL(script.connected, 0);
            CHECK_EQUAL(update.result.reported, 0);
            CHECK_EQUAL(update.result.runs, step < 2 ? TANDEM_RUNS_UNKNOWN : TANDEM_RUNS_OLD);
            CHECK_EQUAL(tandem_update_goal(&update, TANDEM_GOAL_CONFIRMED), TANDEM_ERROR_STATE);
        }
        for (i = 0; i < sizeof final / sizeof final[0]; i++) {
            script_reset();
            script.answers[steps[step]] = final[i];
            script.reports = steps[step] > QUERY;
            script.report.status = final[i];
            script.report.stage = TANDEM_STAGE_RECEIVE;
            script.report.image = 7;
            script.report.detail = 99;
            CHECK_EQUAL(script_run(60000), final[i]);
            CHECK_EQUAL(script.calls[steps[step]], 1);
            CHECK_EQUAL(script.connected, 0);
            CHECK_EQUAL(script.calls[ABORT], steps[step] > BEGIN ? 1 : 0);
            CHECK_EQUAL(update.result.reported, script.reports);
            CHECK_EQUAL(update.result.image, script.reports ? 7 : 0);
            CHECK_EQUAL(update.result.detail, script.reports ? 99 : 0);
            /* Restarted, it goes through. */
            script.answers[steps[step]] = TANDEM_OK;
            tandem_update_restart(&update);
            CHECK_EQUAL(script_run(60000), TANDEM_OK);
        }
    }
}

/* The same status is final if the device itself reports it. */
static void test_reported_errors_are_final(void)
{
    script_reset();
    script.answers[SEND] = TANDEM_ERROR_PORT;
    script.reports = 1;
    script.report.status = TANDEM_ERROR_PORT;
    CHECK_EQUAL(script_run(60000), TANDEM_ERROR_PORT);
    CHECK_EQUAL(script.calls[SEND], 1);
    CHECK_EQUAL(script.calls[SEEN], 1);
    CHECK_EQUAL(update.result.reported, 1);
}

static void test_backoff_doubles(void)
{
    uint32_t begin = rig_now;

    script_reset();
    script.answers[CONNECT] = TANDEM_ERROR_TIMEOUT;
    CHECK_EQUAL(script_run(300000), TANDEM_ERROR_TIMEOUT);
    /* 250 + 500 + 1000 + 2000 + 4000 + 4000 × 4 ms between ten attempts */
    CHECK(rig_now - begin > 23700 && rig_now - begin < 23800);
    CHECK_EQUAL(script.calls[CONNECT], 10);
}

static void test_progress_renews_patience(void)
{
    unsigned i;

    script_reset();
    script.answers[SEND] = TANDEM_ERROR_DISCONNECTED;
    script.failing[SEND] = 40;
    for (i = 0; i < 9; i++) /* each attempt gets a little further */
        script.patience[SEND] = i + 1;
    CHECK_EQUAL(script_run(2000), TANDEM_AGAIN);
    CHECK_EQUAL(update.percent > 0, 1);
}

static void test_connection_that_never_comes(void)
{
    script_reset();
    update.options.attempts = 2;
    script.patience[CONNECT] = UINT32_MAX;
    CHECK_EQUAL(script_run(300000), TANDEM_ERROR_TIMEOUT);
    CHECK_EQUAL(update.result.stage, TANDEM_STAGE_CONNECT);
}

/* Last words that nobody answers do not hold it up. */
static void test_farewell_is_bounded(void)
{
    uint32_t begin;

    script_reset();
    script.answers[SEND] = TANDEM_ERROR_SIGNATURE;
    script.patience[ABORT] = UINT32_MAX;
    begin = rig_now;
    CHECK_EQUAL(script_run(60000), TANDEM_ERROR_SIGNATURE);
    CHECK(rig_now - begin < 5100);
    script_reset();
    script.patience[SEEN] = UINT32_MAX;
    CHECK_EQUAL(script_run(60000), TANDEM_OK);
    script_reset();
    script.target.seen = NULL;
    script.target.abort = NULL;
    CHECK_EQUAL(script_run(60000), TANDEM_OK);
}

static void test_waiting_for_confirmation(void)
{
    uint32_t begin = rig_now;

    /* It never confirms. */
    script_reset();
    script.confirm_after = UINT32_MAX;
    CHECK_EQUAL(script_run(300000), TANDEM_ERROR_TIMEOUT);
    CHECK_EQUAL(update.result.stage, TANDEM_STAGE_TRIAL);
    CHECK(rig_now - begin >= 120000 && rig_now - begin < 130000);
    /* It never comes back. */
    script_reset();
    update.options.confirm_ms = 20000;
    begin = rig_now;
    CHECK_EQUAL(script_run(1), TANDEM_AGAIN);
    script.answers[CONNECT] = TANDEM_ERROR_TIMEOUT;
    CHECK_EQUAL(script_run(300000), TANDEM_ERROR_TIMEOUT);
    CHECK(rig_now - begin >= 20000 && rig_now - begin < 25000);
    CHECK_EQUAL(update.result.runs, TANDEM_RUNS_UNKNOWN);
    /* It comes back with its old firmware and says nothing of what happened. */
    script_reset();
    CHECK_EQUAL(script_run(1), TANDEM_AGAIN);
    script.activated = 0;
    script.info.state = TANDEM_STATE_IDLE;
    CHECK_EQUAL(script_run(60000), TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(update.result.runs, TANDEM_RUNS_OLD);
    CHECK_EQUAL(update.result.reported, 0);
    /* It says why. */
    script_reset();
    CHECK_EQUAL(script_run(1), TANDEM_AGAIN);
    script.activated = 0;
    script.info.state = TANDEM_STATE_FAILED;
    script.info.outcome.status = TANDEM_ERROR_DIGEST;
    script.info.outcome.stage = TANDEM_STAGE_BOOT;
    CHECK_EQUAL(script_run(60000), TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(update.result.stage, TANDEM_STAGE_BOOT);
    CHECK_EQUAL(update.result.reported, 1);
    CHECK_EQUAL(script.calls[SEEN], 1);
    /* It lost the order to switch: it gets it again. */
    script_reset();
    CHECK_EQUAL(script_run(1), TANDEM_AGAIN);
    script.activated = 0;
    script.info.state = TANDEM_STATE_VALIDATED;
    CHECK_EQUAL(script_run(60000), TANDEM_OK);
    CHECK_EQUAL(script.calls[ACTIVATE], 2);
    CHECK_EQUAL(script.calls[BEGIN], 1);
}

/* A target that knows neither state nor outcome, and a package that only it understands. */
static void test_bare_offers(void)
{
    struct tandem_offer bare;

    tandem_offer_bare(&bare, &new_release.source);
    script_reset();
    tandem_update_init(&update, &script.target, &bare, NULL);
    script.info.known = TANDEM_INFO_VERSION;
    CHECK_EQUAL(script_run(60000), TANDEM_OK);
    CHECK_EQUAL(update.result.runs, TANDEM_RUNS_NEW);
    script_reset();
    script.info.known = TANDEM_INFO_VERSION;
    script.confirm_after = 3; /* the old version is seen a few times more */
    CHECK_EQUAL(script_run(60000), TANDEM_OK);
    script_reset();
    script.info.known = 0;
    update.options.confirm_ms = 10000;
    CHECK_EQUAL(script_run(60000), TANDEM_ERROR_TIMEOUT); /* nothing tells whether it took it */
}

static void test_goals(void)
{
    script_reset();
    CHECK_EQUAL(tandem_update_goal(&update, TANDEM_GOAL_CHECKED), TANDEM_OK);
    CHECK_EQUAL(script_run(100), TANDEM_OK);
    CHECK_EQUAL(script.calls[BEGIN], 0);
    CHECK_EQUAL(tandem_update_goal(&update, TANDEM_GOAL_VALIDATED), TANDEM_OK);
    CHECK_EQUAL(script_run(100), TANDEM_OK);
    CHECK_EQUAL(script.calls[QUERY], 1);
    CHECK_EQUAL(script.calls[VALIDATE], 1);
    CHECK_EQUAL(script.flags, 0);
    CHECK_EQUAL(script.calls[ACTIVATE], 0);
    /* Once more: the device is asked, and has lost it. */
    CHECK_EQUAL(tandem_update_goal(&update, TANDEM_GOAL_VALIDATED), TANDEM_OK);
    CHECK_EQUAL(script_run(100), TANDEM_OK);
    CHECK_EQUAL(script.calls[QUERY], 2);
    CHECK_EQUAL(script.calls[VALIDATE], 2);
    /* Once more, after a pause: it has it. */
    script.info.state = TANDEM_STATE_VALIDATED;
    memcpy(script.info.outcome.id, new_release.id, TANDEM_PACKAGE_ID_SIZE);
    tandem_update_release(&update);
    CHECK_EQUAL(script.connected, 0);
    CHECK_EQUAL(tandem_update_goal(&update, TANDEM_GOAL_VALIDATED), TANDEM_OK);
    CHECK_EQUAL(script_run(100), TANDEM_OK);
    CHECK_EQUAL(script.calls[VALIDATE], 2);
    CHECK_EQUAL(tandem_update_goal(&update, TANDEM_GOAL_ACTIVATED), TANDEM_OK);
    CHECK_EQUAL(script_run(100), TANDEM_OK);
    CHECK_EQUAL(script.calls[ACTIVATE], 1);
    CHECK_EQUAL(script.connected, 0);
    CHECK_EQUAL(tandem_update_goal(&update, TANDEM_GOAL_CONFIRMED), TANDEM_OK);
    CHECK_EQUAL(script_run(2000), TANDEM_OK);
    CHECK_EQUAL(update.result.runs, TANDEM_RUNS_NEW);
}

/* Left and taken up again, or started over, at any moment. */
static void test_releasing_and_restarting(void)
{
    unsigned when, kind;

    for (kind = 0; kind < 2; kind++) {
        for (when = 1; when < 700; when += when < 60 ? 1 : 50) {
            unsigned call;

            script_reset();
            for (call = 0; call < DISCONNECT; call++)
                script.patience[call] = 5;
            if (script_run(when) != TANDEM_AGAIN)
                break;
            if (kind == 0)
                tandem_update_release(&update);
            else
                tandem_update_restart(&update);
            CHECK_EQUAL(script.connected, 0);
            memset(script.waited, 0, sizeof script.waited);
            CHECK_EQUAL(script_run(60000), TANDEM_OK);
        }
    }
}

static void test_cancelling_a_script(void)
{
    unsigned when;

    for (when = 1; when < 40; when++) {
        unsigned call;
        enum tandem_status status;

        script_reset();
        for (call = 0; call < DISCONNECT; call++)
            script.patience[call] = 3;
        status = script_run(when);
        if (status == TANDEM_OK)
            break;
        tandem_update_cancel(&update);
        CHECK_EQUAL(script_run(100), TANDEM_ERROR_CANCELLED);
        CHECK_EQUAL(script.connected, 0);
        CHECK_EQUAL(script.calls[ABORT], script.calls[BEGIN] == 1 && !script.activated ? 1 : 0);
    }
}

/* ---- what suits a device ---- */

static void test_checks(void)
{
    struct tandem_info info;
    uint32_t detail = 1;

    memset(&info, 0, sizeof info);
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, &detail), TANDEM_OK);
    CHECK_EQUAL(detail, 0);
    info.known = TANDEM_INFO_NAMES;
    strcpy(info.vendor, "acme");
    strcpy(info.product, "bud");
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, NULL), TANDEM_OK);
    strcpy(info.product, "buds");
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, NULL), TANDEM_ERROR_TARGET);
    strcpy(info.product, "bu");
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, NULL), TANDEM_ERROR_TARGET);
    strcpy(info.product, "bud");
    strcpy(info.vendor, "acne");
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, NULL), TANDEM_ERROR_TARGET);
    info.known = TANDEM_INFO_COUNTER;
    info.counter = 2;
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, &detail), TANDEM_OK);
    info.counter = 3;
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, &detail), TANDEM_ERROR_COUNTER);
    CHECK_EQUAL(detail, 3);
    info.known = TANDEM_INFO_VERSION | TANDEM_INFO_POLICY;
    info.version.major = 2;
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, NULL), TANDEM_OK);
    info.version_policy = TANDEM_VERSION_NEWER;
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, NULL), TANDEM_ERROR_VERSION);
    info.version.major = 3;
    info.version_policy = TANDEM_VERSION_NOT_OLDER;
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, NULL), TANDEM_ERROR_VERSION);
    info.version_policy = TANDEM_VERSION_ANY;
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, NULL), TANDEM_OK);
    info.known = TANDEM_INFO_HARDWARE;
    info.hardware = 4;
    CHECK_EQUAL(tandem_update_check(&narrow_release.offer, &info, &detail), TANDEM_ERROR_HARDWARE);
    CHECK_EQUAL(detail, 4);
    info.hardware = 5;
    CHECK_EQUAL(tandem_update_check(&narrow_release.offer, &info, &detail), TANDEM_OK);
    info.known = TANDEM_INFO_VERSION;
    CHECK_EQUAL(tandem_update_check(&narrow_release.offer, &info, NULL), TANDEM_OK);
    info.version.major = 2;
    CHECK_EQUAL(tandem_update_check(&narrow_release.offer, &info, NULL), TANDEM_ERROR_VERSION);
    info.known = TANDEM_INFO_BATTERY | TANDEM_INFO_POLICY;
    info.battery = 19;
    info.battery_minimum = 20;
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, &detail), TANDEM_ERROR_BATTERY);
    CHECK_EQUAL(detail, 19);
    info.battery = 20;
    CHECK_EQUAL(tandem_update_check(&new_release.offer, &info, &detail), TANDEM_OK);
}

/* A source over some bytes. */
struct bytes {
    const uint8_t *data;
    enum tandem_status status;
    size_t most; /* reads of more than this are what has `status` */
};

static enum tandem_status bytes_read(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct bytes *bytes = ctx;

    if (bytes->status != TANDEM_OK && size > bytes->most)
        return bytes->status;
    memcpy(data, bytes->data + offset, size);
    return TANDEM_OK;
}

static void test_opening_offers(void)
{
    struct bytes bytes = {new_release.bytes, TANDEM_OK, 0};
    struct tandem_source source = {&bytes, new_release.size, bytes_read};
    struct tandem_offer offer;
    uint8_t buffer[1024], junk[100] = {1, 2, 3};
    uint32_t size;

    CHECK_EQUAL(tandem_offer_open(&offer, &source, NULL, buffer, sizeof buffer), TANDEM_OK);
    CHECK_EQUAL(offer.packaged, 1);
    CHECK_EQUAL(tandem_offer_open(&offer, &source, NULL, buffer, 40), TANDEM_ERROR_SPACE);
    for (size = TANDEM_PACKAGE_HEADER_SIZE; size < new_release.size; size += 997) {
        source.size = size;
        CHECK_EQUAL(tandem_offer_open(&offer, &source, NULL, buffer, sizeof buffer), TANDEM_ERROR_TRUNCATED);
    }
    for (size = 0; size < TANDEM_PACKAGE_HEADER_SIZE; size++) {
        source.size = size;
        CHECK(tandem_offer_open(&offer, &source, NULL, buffer, sizeof buffer) != TANDEM_OK);
    }
    source.size = new_release.size + 1;
    CHECK_EQUAL(tandem_offer_open(&offer, &source, NULL, buffer, sizeof buffer), TANDEM_ERROR_FORMAT);
    source.size = new_release.size;
    bytes.status = TANDEM_AGAIN;
    CHECK_EQUAL(tandem_offer_open(&offer, &source, NULL, buffer, sizeof buffer), TANDEM_AGAIN);
    bytes.status = TANDEM_ERROR_PORT;
    CHECK_EQUAL(tandem_offer_open(&offer, &source, NULL, buffer, sizeof buffer), TANDEM_ERROR_PORT);
    bytes.most = TANDEM_PACKAGE_HEADER_SIZE;
    CHECK_EQUAL(tandem_offer_open(&offer, &source, NULL, buffer, sizeof buffer), TANDEM_ERROR_PORT);
    bytes.status = TANDEM_OK;
    bytes.data = junk;
    source.size = sizeof junk;
    CHECK_EQUAL(tandem_offer_open(&offer, &source, NULL, buffer, sizeof buffer), TANDEM_ERROR_FORMAT);
}

/* ---- real devices ---- */

static const struct rig_wire_spec plain = {.latency = 5, .mtu = 244, .queue = 4};

static void setup(void)
{
    rig_device_make(&device, &old_release, "SN-0001");
    rig_host_make(&host, &device, 0, &plain);
}

static void teardown(void)
{
    rig_host_free(&host);
}

static void test_already(void)
{
    uint32_t sent;

    setup();
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    CHECK_EQUAL(host.update.result.already, 0);
    CHECK_EQUAL(host.update.info.outcome.seen, 0);
    CHECK_EQUAL(device.install.bank.state.outcome.seen, 1);
    sent = host.link.payload_sent;
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    CHECK_EQUAL(host.update.result.already, 1);
    CHECK_EQUAL(host.update.result.runs, TANDEM_RUNS_NEW);
    CHECK_EQUAL(host.link.payload_sent, sent);
    /* Unless it is wished. */
    CHECK_EQUAL(rig_run(&device, &host, &new_release, &(struct tandem_update_options){.reinstall = 1}, 60000),
                TANDEM_OK);
    CHECK_EQUAL(host.update.result.already, 0);
    CHECK(host.link.payload_sent > sent);
    /* Another package of the same version is another package. */
    CHECK_EQUAL(rig_run(&device, &host, &twin_release, NULL, 60000), TANDEM_OK);
    CHECK_EQUAL(host.update.result.already, 0);
    teardown();
    /* A device that left the factory with this version has no outcome to show. */
    rig_device_make(&device, &new_release, "SN-0002");
    rig_host_make(&host, &device, 0, &plain);
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    CHECK_EQUAL(host.update.result.already, 1);
    teardown();
}

/* Refusals before anything is sent. */
static void test_refused_before_the_transfer(void)
{
    setup();
    CHECK_EQUAL(rig_run(&device, &host, &foreign_release, NULL, 60000), TANDEM_ERROR_TARGET);
    CHECK_EQUAL(host.update.result.stage, TANDEM_STAGE_CHECK);
    CHECK_EQUAL(host.update.result.runs, TANDEM_RUNS_OLD);
    device.device.battery_minimum = 90;
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_ERROR_BATTERY);
    CHECK_EQUAL(host.update.result.detail, 80);
    device.device.battery_minimum = 0;
    CHECK_EQUAL(host.link.payload_sent, 0);
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    CHECK_EQUAL(rig_run(&device, &host, &old_release, NULL, 60000), TANDEM_ERROR_COUNTER);
    teardown();
}

/* Refusals by the device, with its reason. */
static void test_refused_by_the_device(void)
{
    setup();
    CHECK_EQUAL(rig_run(&device, &host, &stranger_release, NULL, 60000), TANDEM_ERROR_KEY);
    CHECK_EQUAL(host.update.result.stage, TANDEM_STAGE_CHECK);
    CHECK_EQUAL(host.update.result.reported, 1);
    CHECK_EQUAL(host.update.result.runs, TANDEM_RUNS_OLD);
    CHECK(host.link.payload_sent <= 8192); /* no more than the first window */
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    teardown();
}

static void test_flash_that_fails(void)
{
    setup();
    device.damage = 20;
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(host.update.result.stage, TANDEM_STAGE_RECEIVE);
    CHECK_EQUAL(host.update.result.image, TANDEM_KIND_APPLICATION);
    CHECK_EQUAL(host.update.result.reported, 1);
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    teardown();
}

static void test_bad_firmware_comes_back(void)
{
    setup();
    CHECK_EQUAL(rig_run(&device, &host, &bad_release, NULL, 60000), TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(host.update.result.stage, TANDEM_STAGE_TRIAL);
    CHECK_EQUAL(host.update.result.reported, 1);
    CHECK_EQUAL(host.update.result.runs, TANDEM_RUNS_OLD);
    CHECK_EQUAL(rig_device_runs(&device), 1);
    CHECK_EQUAL(device.install.bank.state.outcome.seen, 1);
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    CHECK_EQUAL(rig_device_runs(&device), 2);
    teardown();
}

/* A device that does not restart by itself, and whose application does not either. */
static void test_restart_that_never_comes(void)
{
    setup();
    device.system.reboot = NULL;
    CHECK_EQUAL(rig_run(&device, &host, &new_release, &(struct tandem_update_options){.confirm_ms = 5000}, 60000),
                TANDEM_ERROR_TIMEOUT);
    CHECK_EQUAL(host.update.result.runs, TANDEM_RUNS_UNKNOWN);
    CHECK_EQUAL(tandem_install_state(&device.install), TANDEM_STATE_PENDING);
    rig_device_reboot(&device);
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    teardown();
}

static void test_source_that_fails(void)
{
    setup();
    new_release.broken_at = 15000;
    CHECK_EQUAL(rig_run(&device, &host, &new_release, &(struct tandem_update_options){.attempts = 3}, 60000),
                TANDEM_ERROR_PORT);
    CHECK_EQUAL(host.update.result.stage, TANDEM_STAGE_RECEIVE);
    CHECK_EQUAL(host.update.result.reported, 0);
    new_release.broken_at = 0;
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    teardown();
}

/* Cancelled, or dead, at any moment: the next host finds a usable device and goes on. */
static void end_at(uint32_t when, int cancel)
{
    enum tandem_status status = TANDEM_AGAIN;
    struct tandem_update *dying = &host.update;
    uint32_t begin, sent;
    int early;

    setup();
    begin = rig_now;
    tandem_update_init(dying, tandem_link_host_target(&host.link), &new_release.offer, NULL);
    while (status == TANDEM_AGAIN && rig_now - begin < when) {
        rig_tick(&device, 1, &host, 1);
        status = tandem_update_poll(dying, rig_now);
    }
    early = !dying->activated;
    if (cancel && status == TANDEM_AGAIN) {
        tandem_update_cancel(dying);
        while (status == TANDEM_AGAIN && rig_now - begin < when + 10000) {
            rig_tick(&device, 1, &host, 1);
            status = tandem_update_poll(dying, rig_now);
        }
        CHECK_EQUAL(status, TANDEM_ERROR_CANCELLED);
        if (early) { /* whatever it had, it stays what it was */
            rig_device_reboot(&device);
            for (begin = 0; begin < 2000; begin++)
                rig_tick(&device, 1, &host, 1);
            CHECK_EQUAL(rig_device_runs(&device), 1);
        }
    } else {
        rig_cut(&host.wire);
    }
    sent = host.link.payload_sent;
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    CHECK_EQUAL(rig_device_runs(&device), 2);
    CHECK(host.link.payload_sent <= new_release.size + 8192u + (cancel ? RIG_SECTOR + 1040u : 0));
    CHECK(host.link.payload_sent >= sent);
    teardown();
}

static void test_ends_at_any_moment(void)
{
    uint32_t when;

    for (when = 1; when < 1200; when += when < 150 ? 3 : 17) {
        end_at(when, 0);
        end_at(when, 1);
    }
}

/* A device that is still on trial with something else is given time, and then updated. */
static void test_device_on_trial(void)
{
    uint32_t i;

    setup();
    device.confirm_ms = 4000;
    tandem_update_init(&host.update, tandem_link_host_target(&host.link), &new_release.offer, NULL);
    for (i = 0; i < 20000 && !host.update.activated; i++) {
        rig_tick(&device, 1, &host, 1);
        (void)tandem_update_poll(&host.update, rig_now);
    }
    for (i = 0; i < 500; i++)
        rig_tick(&device, 1, &host, 1);
    REQUIRE(tandem_install_state(&device.install) == TANDEM_STATE_TRIAL);
    CHECK_EQUAL(rig_run(&device, &host, &twin_release, NULL, 60000), TANDEM_OK);
    /* One that stays on trial is not. */
    device.confirm_ms = UINT32_MAX;
    tandem_update_init(&host.update, tandem_link_host_target(&host.link), &new_release.offer, NULL);
    for (i = 0; i < 20000 && !host.update.activated; i++) {
        rig_tick(&device, 1, &host, 1);
        (void)tandem_update_poll(&host.update, rig_now);
    }
    for (i = 0; i < 500; i++)
        rig_tick(&device, 1, &host, 1);
    CHECK_EQUAL(rig_run(&device, &host, &twin_release, &(struct tandem_update_options){.attempts = 3}, 60000),
                TANDEM_ERROR_TRIAL);
    /* And a new host of the same package takes up the waiting. */
    device.confirm_ms = rig_now - device.started_at + 1000;
    CHECK_EQUAL(rig_run(&device, &host, &new_release, NULL, 60000), TANDEM_OK);
    CHECK_EQUAL(host.update.result.already, 0);
    teardown();
}

int main(void)
{
    rig_release_make(&old_release, &(struct rig_spec){.version = 1, .counter = 1});
    rig_release_make(&new_release, &(struct rig_spec){.version = 2, .counter = 2, .image_size = 30000});
    rig_release_make(&twin_release, &(struct rig_spec){.version = 2, .counter = 2, .image_size = 30000, .twin = 1});
    rig_release_make(&bad_release, &(struct rig_spec){.version = 2, .counter = 2, .bad = 1});
    rig_release_make(&foreign_release, &(struct rig_spec){.version = 2, .counter = 2, .product = "lamp"});
    rig_release_make(&stranger_release,
                     &(struct rig_spec){.version = 2, .counter = 2, .image_size = 30000, .stranger = 1});
    rig_release_make(&narrow_release, &(struct rig_spec){.version = 4, .counter = 4, .hardware = 5, .minimum = 3});
    RUN(test_straight_through);
    RUN(test_several_parts);
    RUN(test_target_judges);
    RUN(test_ota_mode);
    RUN(test_errors_at_every_step);
    RUN(test_reported_errors_are_final);
    RUN(test_backoff_doubles);
    RUN(test_progress_renews_patience);
    RUN(test_connection_that_never_comes);
    RUN(test_farewell_is_bounded);
    RUN(test_waiting_for_confirmation);
    RUN(test_bare_offers);
    RUN(test_goals);
    RUN(test_releasing_and_restarting);
    RUN(test_cancelling_a_script);
    RUN(test_checks);
    RUN(test_opening_offers);
    RUN(test_already);
    RUN(test_refused_before_the_transfer);
    RUN(test_refused_by_the_device);
    RUN(test_flash_that_fails);
    RUN(test_bad_firmware_comes_back);
    RUN(test_restart_that_never_comes);
    RUN(test_source_that_fails);
    RUN(test_ends_at_any_moment);
    RUN(test_device_on_trial);
    rig_release_free(&old_release);
    rig_release_free(&new_release);
    rig_release_free(&twin_release);
    rig_release_free(&bad_release);
    rig_release_free(&foreign_release);
    rig_release_free(&stranger_release);
    rig_release_free(&narrow_release);
    return check_report();
}
