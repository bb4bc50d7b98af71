/*
 * Realtek, host half: a pair of earbuds. Each bud is sent all of it by itself.
 * The first then hands over to the other: either that one advertises for the
 * update, or the two exchange their roles behind one address. What activates
 * the second restarts both.
 */
#include <string.h>

#include "realtek_host_inner.h"

#define HAND_OVER_MS 3000u /* least time for an exchange of roles */
#define PARTNER_MS 600000u /* longest wait of a bud that is ready for the other */

/* How far the pair is. */
enum stage {
    STAGE_FIRST,   /* the first bud is reached */
    STAGE_SECOND,  /* it has all, and has handed over */
    STAGE_SWITCHED /* both were told to switch */
};

/* A look at the other bud, where the one reached has the offered firmware already. */
enum peek { PEEK_NONE, PEEK_SWAPPING, PEEK_SWAPPED, PEEK_DONE };

static const struct tandem_target *way(const struct tandem_realtek_rws *pair)
{
    return &pair->host->target;
}

static struct realtek_info facts_of(const struct tandem_realtek_rws *pair)
{
    struct realtek_info facts;

    tandem_realtek_host_info_of(pair->host, &facts);
    return facts;
}

/* Is this the bud that is reached now? */
static int is_reached(const struct tandem_realtek_bud *bud)
{
    return bud->index == (bud->pair->stage == STAGE_SECOND);
}

/* Does the other bud have an address of its own, by which it is found? */
static int advertises(const struct tandem_realtek_rws *pair)
{
    struct realtek_info facts = facts_of(pair);

    return !realtek_is_stream(pair->host) && facts.channel == 0;
}

static int can_swap(const struct tandem_realtek_rws *pair)
{
    return realtek_is_stream(pair->host) && facts_of(pair).spec >= 6;
}

static void begin_anew(struct tandem_realtek_rws *pair)
{
    pair->stage = STAGE_FIRST;
    pair->asked = 0;
    pair->host->bud = 0;
    pair->host->same = 0;
    pair->host->seek = SEEK_APPLICATION;
    pair->buds[0].done = pair->buds[1].done = 0;
}

/* ---- coming and going ---- */

static enum tandem_status bud_connect(void *ctx)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_rws *pair = bud->pair;
    enum tandem_status status = TANDEM_OK;

    if (pair->swapping && is_reached(bud) && pair->host->now - pair->handed_ms < HAND_OVER_MS)
        return TANDEM_AGAIN; /* too early: it would be the same bud that answers */
    if (is_reached(bud))
        pair->swapping = 0;
    if (is_reached(bud) || pair->stage != STAGE_SECOND)
        status = way(pair)->connect(pair->host);
    return status;
}

/* The link is the bud's that is reached; the other's updater only believes to have one. */
static enum tandem_status bud_disconnect(void *ctx)
{
    struct tandem_realtek_bud *bud = ctx;

    return is_reached(bud) ? way(bud->pair)->disconnect(bud->pair->host) : TANDEM_OK;
}

/* ---- who is there? ---- */

/* The offered firmware runs on this bud. On the other? Roles are exchanged to see. */
static enum tandem_status look_at_other(struct tandem_realtek_rws *pair)
{
    enum tandem_status status;

    pair->role = pair->host->role;
    pair->peek = PEEK_SWAPPING;
    status = tandem_realtek_host_switch(pair->host, ASK_SWAP, 1, 1);
    if (status == TANDEM_AGAIN)
        return status;
    pair->peek = PEEK_SWAPPED;
    pair->swapping = 1;
    pair->handed_ms = pair->host->now;
    return TANDEM_ERROR_DISCONNECTED; /* the updater comes back, to the other */
}

static enum tandem_status judge_first(struct tandem_realtek_rws *pair, struct tandem_info *info)
{
    struct realtek_info facts = facts_of(pair);
    int runs = tandem_realtek_host_runs(pair->host);

    if ((facts.bud & REALTEK_BUD_LINK) == REALTEK_BUD_ALONE || (advertises(pair) && pair->host->has_address != 12))
        return TANDEM_ERROR_NOT_SUPPORTED;
    if ((facts.bud & REALTEK_BUD_LINK) != REALTEK_BUD_LINKED)
        return TANDEM_ERROR_DISCONNECTED; /* a pair that cannot finish is not begun: perhaps the other comes back */
    if (runs == 1 && pair->peek == PEEK_NONE && can_swap(pair) && pair->stage == STAGE_FIRST)
        return look_at_other(pair);
    if (pair->peek == PEEK_SWAPPED && pair->role == pair->host->role)
        return TANDEM_ERROR_DISCONNECTED; /* still the same: they have not exchanged them yet */
    if (pair->peek == PEEK_SWAPPED) {
        pair->peek = PEEK_DONE;
        pair->apart = runs == 0;
    }
    if (pair->stage == STAGE_SWITCHED && runs == 0)
        begin_anew(pair); /* both are back with the old firmware */
    memcpy(pair->host->other, pair->host->address + 6, sizeof pair->host->other);
    pair->role = pair->host->role;
    pair->first = *info;
    pair->asked = 1;
    return TANDEM_OK;
}

static enum tandem_status query_first(struct tandem_realtek_rws *pair, struct tandem_info *info)
{
    enum tandem_status status;

    if (pair->peek == PEEK_SWAPPING)
        return look_at_other(pair);
    status = way(pair)->query(pair->host, info);
    return status == TANDEM_OK ? judge_first(pair, info) : status;
}

static int is_other(const struct tandem_realtek_rws *pair)
{
    const struct tandem_realtek_host *host = pair->host;

    return advertises(pair) ? memcmp(host->address, host->other, sizeof host->other) == 0 : host->role != pair->role;
}

/* It must be the other one: by its address, or by its role. */
static enum tandem_status query_second(struct tandem_realtek_rws *pair, struct tandem_info *info)
{
    struct tandem_realtek_host *host = pair->host;
    enum tandem_status status = way(pair)->query(host, info);
    int runs = tandem_realtek_host_runs(host);

    if (status != TANDEM_OK)
        return status;
    if (!is_other(pair) && runs == 1) { /* the other was ready from before, and they have switched */
        pair->stage = STAGE_SWITCHED;
        pair->asked = 0;
        host->seek = SEEK_APPLICATION;
        return TANDEM_AGAIN;
    }
    if (!is_other(pair))
        return TANDEM_ERROR_DISCONNECTED;
    if (host->validated)
        return TANDEM_OK;
    pair->apart |= runs == 1;
    host->same = runs == 1;
    if (runs == 1)
        info->place = TANDEM_GOAL_CHECKED; /* it has to take part, or the first would not switch either */
    return TANDEM_OK;
}

/* What is known of a bud that is not reached. */
static void tell_of(struct tandem_realtek_bud *bud, struct tandem_info *info)
{
    struct tandem_realtek_rws *pair = bud->pair;
    struct tandem_realtek_host *host = pair->host;

    *info = pair->first;
    if (bud->index == 0) { /* handed over, and waits for the other */
        info->known |= TANDEM_INFO_PLACE;
        info->place = TANDEM_GOAL_VALIDATED;
        return;
    }
    info->known &= ~(TANDEM_INFO_VERSION | TANDEM_INFO_BATTERY);
    info->role = pair->first.role == 1 ? 2 : 1;
    if (host->options.battery != NULL && host->options.battery(host->options.ctx, 1, &info->battery) == TANDEM_OK)
        info->known |= TANDEM_INFO_BATTERY;
}

static enum tandem_status bud_query(void *ctx, struct tandem_info *info)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_rws *pair = bud->pair;

    if (is_reached(bud))
        return bud->index == 0 ? query_first(pair, info) : query_second(pair, info);
    if (!pair->asked)
        return TANDEM_AGAIN; /* the first tells of both */
    tell_of(bud, info);
    return TANDEM_OK;
}

static enum tandem_status bud_check(void *ctx, const struct tandem_offer *offer, uint32_t *detail)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_host *host = bud->pair->host;
    enum tandem_status status;

    if (!is_reached(bud))
        return TANDEM_OK;
    status = host->target.check(host, offer, detail);
    if (status == TANDEM_OK && host->rounds[host->plan_count - 1] != 0)
        return TANDEM_ERROR_NOT_SUPPORTED; /* groups with restarts between would take the pair apart */
    return status;
}

/* ---- sending ---- */

static enum tandem_status bud_parts(void *ctx, const struct tandem_offer *offer, uint8_t *count, uint8_t *next)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_rws *pair = bud->pair;
    struct tandem_realtek_host *host = pair->host;

    if (!is_reached(bud))
        return pair->stage == STAGE_FIRST ? TANDEM_AGAIN : TANDEM_ERROR_STATE;
    if (host->linking != LINK_UP)
        return TANDEM_ERROR_DISCONNECTED; /* its turn has come: now it is sought */
    return host->target.parts(host, offer, count, next);
}

static enum tandem_status bud_begin(void *ctx, const struct tandem_offer *offer, uint8_t part, uint8_t flags)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_host *host = bud->pair->host;

    return is_reached(bud) ? host->target.begin(host, offer, part, flags) : TANDEM_ERROR_DISCONNECTED;
}

static enum tandem_status bud_send(void *ctx, const struct tandem_offer *offer, uint8_t part)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_host *host = bud->pair->host;

    return is_reached(bud) ? host->target.send(host, offer, part) : TANDEM_ERROR_DISCONNECTED;
}

/* The first bud has all. Its application may want to be told by an activation, which in a pair only hands over. */
static enum tandem_status hand_over(struct tandem_realtek_rws *pair)
{
    struct tandem_realtek_host *host = pair->host;
    enum tandem_status status = can_swap(pair) ? tandem_realtek_host_switch(host, ASK_SWAP, 0, 1)
                                               : tandem_realtek_host_switch(host, ASK_ACTIVATE, 0, 0);

    if (status != TANDEM_OK)
        return status;
    pair->buds[0].done = pair->buds[0].total = host->total;
    host->seek = advertises(pair) ? SEEK_BUD : SEEK_APPLICATION;
    host->planned = 0;
    host->validated = 0;
    host->bud = 1;
    (void)way(pair)->disconnect(host);
    pair->handed_ms = host->now;
    pair->swapping = !advertises(pair);
    pair->stage = STAGE_SECOND;
    return TANDEM_OK;
}

static enum tandem_status bud_validate(void *ctx, uint8_t part)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_rws *pair = bud->pair;
    enum tandem_status status;

    if (!is_reached(bud))
        return TANDEM_ERROR_DISCONNECTED;
    if (!pair->host->validated) {
        status = way(pair)->validate(pair->host, part);
        if (status != TANDEM_OK || !pair->host->validated)
            return status;
    }
    return bud->index == 0 ? hand_over(pair) : TANDEM_OK;
}

/* ---- the end ---- */

/* One word, to the second bud, for both: who is told first says it. */
static enum tandem_status bud_activate(void *ctx)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_rws *pair = bud->pair;
    struct tandem_realtek_host *host = pair->host;
    enum tandem_status status;

    if (pair->stage == STAGE_SWITCHED)
        return TANDEM_OK;
    if (!host->validated)
        return host->now - pair->handed_ms < PARTNER_MS && bud->index == 0 ? TANDEM_AGAIN : TANDEM_ERROR_DISCONNECTED;
    status = tandem_realtek_host_switch(host, ASK_ACTIVATE, 0, 0);
    if (status != TANDEM_OK)
        return status;
    host->switched = 1;
    host->planned = 0;
    host->validated = 0;
    host->seek = SEEK_APPLICATION;
    host->bud = 0;
    host->same = 0;
    pair->stage = STAGE_SWITCHED;
    pair->asked = 0;
    return TANDEM_OK;
}

/* One refusal is enough for both: the bud that is told tells the other. */
static enum tandem_status bud_abort(void *ctx)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_rws *pair = bud->pair;

    if (pair->stage == STAGE_SWITCHED || !is_reached(bud) || pair->host->linking != LINK_UP)
        return TANDEM_OK;
    return way(pair)->abort(pair->host);
}

static void bud_progress(void *ctx, uint32_t *done, uint32_t *total)
{
    struct tandem_realtek_bud *bud = ctx;
    struct tandem_realtek_rws *pair = bud->pair;

    if (is_reached(bud) && pair->stage != STAGE_SWITCHED)
        way(pair)->progress(pair->host, &bud->done, &bud->total);
    *done = bud->done;
    *total = bud->total;
}

static const struct tandem_outcome *bud_report(void *ctx)
{
    const struct tandem_realtek_bud *bud = ctx;

    return is_reached(bud) ? way(bud->pair)->report(bud->pair->host) : NULL;
}

static void bud_poll(void *ctx, uint32_t now_ms)
{
    struct tandem_realtek_bud *bud = ctx;

    way(bud->pair)->poll(bud->pair->host, now_ms);
}

void tandem_realtek_rws_init(struct tandem_realtek_rws *pair, struct tandem_realtek_host *host,
                             const struct tandem_realtek_file *second)
{
    unsigned i;

    memset(pair, 0, sizeof *pair);
    pair->host = host;
    host->files[1] = second;
    for (i = 0; i < 2; i++) {
        struct tandem_realtek_bud *bud = &pair->buds[i];
        struct tandem_target target = {bud,          bud_connect,  bud_query,    NULL,      bud_parts, bud_begin,
                                       bud_send,     bud_validate, bud_activate, bud_abort, NULL,      bud_disconnect,
                                       bud_progress, bud_report,   bud_poll,     bud_check};

        bud->target = target;
        bud->pair = pair;
        bud->index = (uint8_t)i;
    }
}

const struct tandem_target *tandem_realtek_rws_target(const struct tandem_realtek_rws *pair, unsigned bud)
{
    return &pair->buds[bud & 1u].target;
}

int tandem_realtek_rws_apart(const struct tandem_realtek_rws *pair)
{
    return pair->apart;
}
