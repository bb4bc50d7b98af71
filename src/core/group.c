/*
 * Groups: several updates moved through the same phases side by side. A phase
 * is a goal that every member must reach before the next phase begins; the
 * point of no return lies between the last check and the first activation.
 */
#include "tandem/group.h"

#include <string.h>

#define HEALINGS 5u /* default of options.healings */

/* Where a member stands in the present phase. */
enum note {
    NOTE_WAITING, /* its turn has not come */
    NOTE_MOVING,  /* under way to the phase's goal */
    NOTE_THERE,   /* has reached it */
    NOTE_LOST     /* has failed for good */
};

static const struct {
    enum tandem_goal goal;
    enum tandem_group_phase next;
} phases[] = {
    {TANDEM_GOAL_CHECKED, TANDEM_GROUP_PREPARING},    /* TANDEM_GROUP_CHECKING */
    {TANDEM_GOAL_VALIDATED, TANDEM_GROUP_RECHECKING}, /* TANDEM_GROUP_PREPARING */
    {TANDEM_GOAL_VALIDATED, TANDEM_GROUP_ACTIVATING}, /* TANDEM_GROUP_RECHECKING */
    {TANDEM_GOAL_ACTIVATED, TANDEM_GROUP_CONFIRMING}, /* TANDEM_GROUP_ACTIVATING */
    {TANDEM_GOAL_CONFIRMED, TANDEM_GROUP_ENDED},      /* TANDEM_GROUP_CONFIRMING */
};

/* ---- members ---- */

static int runs_new(const struct tandem_update *member)
{
    return member->ended && member->result.status == TANDEM_OK;
}

static uint16_t moving(const struct tandem_group *group)
{
    uint16_t count = 0, i;

    for (i = 0; i < group->count; i++)
        count = (uint16_t)(count + (group->members[i].note == NOTE_MOVING));
    return count;
}

/* A member that already switched, or runs the new firmware, was committed by an earlier run. */
static void note_commitment(struct tandem_group *group, const struct tandem_update *member)
{
    const struct tandem_info *info = &member->info;

    if (runs_new(member) || member->reached >= TANDEM_GOAL_ACTIVATED ||
        (member->reached == TANDEM_GOAL_VALIDATED && (info->known & TANDEM_INFO_STATE) &&
         info->state == TANDEM_STATE_PENDING))
        group->result.committed = 1;
}

/* ---- ends ---- */

static void count_members(struct tandem_group *group)
{
    uint16_t i;

    group->result.done = 0;
    for (i = 0; i < group->count; i++)
        group->result.done = (uint16_t)(group->result.done + runs_new(&group->members[i]));
    group->result.split = group->result.done != 0 && group->result.done != group->count;
}

static void end(struct tandem_group *group)
{
    group->phase = TANDEM_GROUP_ENDED;
    count_members(group);
    if (group->result.status == TANDEM_AGAIN)
        group->result.status = TANDEM_OK;
}

static void note_failure(struct tandem_group *group, uint16_t index, enum tandem_status status)
{
    if (group->result.status != TANDEM_AGAIN)
        return;
    group->result.status = status;
    group->result.member = index;
}

/* Nothing was activated yet, and nothing will be. */
static void abort_all(struct tandem_group *group)
{
    uint16_t i;

    group->phase = TANDEM_GROUP_ABORTING;
    for (i = 0; i < group->count; i++) {
        if (!group->members[i].ended)
            tandem_update_cancel(&group->members[i]);
    }
}

static void poll_abort(struct tandem_group *group, uint32_t now_ms)
{
    uint16_t left = 0, i;

    for (i = 0; i < group->count; i++) {
        (void)tandem_update_poll(&group->members[i], now_ms);
        left = (uint16_t)(left + !group->members[i].ended);
    }
    if (left == 0)
        end(group);
}

/* ---- phases ---- */

static void enter_phase(struct tandem_group *group, enum tandem_group_phase phase)
{
    uint16_t i;

    if (phase == TANDEM_GROUP_ENDED) {
        end(group);
        return;
    }
    group->phase = (uint8_t)phase;
    if (phase >= TANDEM_GROUP_ACTIVATING)
        group->result.committed = 1;
    for (i = 0; i < group->count; i++) {
        if (group->members[i].note != NOTE_LOST)
            group->members[i].note = runs_new(&group->members[i]) ? NOTE_THERE : NOTE_WAITING;
    }
}

/* Firmware that did not confirm itself is tried once more, as power may have failed; the same again is no cure. */
static uint8_t healings_for(const struct tandem_group *group, const struct tandem_update *member)
{
    if (member->result.status == TANDEM_ERROR_REVERTED && group->options.healings > 1)
        return 1;
    return group->options.healings;
}

static void member_failed(struct tandem_group *group, uint16_t index)
{
    struct tandem_update *member = &group->members[index];

    if (!group->result.committed) {
        member->note = NOTE_LOST;
        note_failure(group, index, member->result.status);
        abort_all(group);
    } else if (member->healings < healings_for(group, member)) {
        member->healings++;
        tandem_update_restart(member);
        member->note = NOTE_WAITING; /* others first: it has just used up its own patience */
    } else {
        member->note = NOTE_LOST;
        note_failure(group, index, member->result.status);
    }
}

static void move_member(struct tandem_group *group, uint16_t index, uint32_t now_ms)
{
    struct tandem_update *member = &group->members[index];
    enum tandem_status status = tandem_update_poll(member, now_ms);

    if (status == TANDEM_AGAIN)
        return;
    if (status != TANDEM_OK) {
        member_failed(group, index);
        return;
    }
    note_commitment(group, member);
    /* Ready, but would it still switch? A battery may have run low since it was first asked. */
    if (group->phase == TANDEM_GROUP_RECHECKING && !group->result.committed)
        status = tandem_update_check(member->offer, &member->info, NULL);
    if (status != TANDEM_OK) {
        member->note = NOTE_LOST;
        note_failure(group, index, status);
        abort_all(group);
        return;
    }
    member->note = NOTE_THERE;
    if (group->options.parallel < group->count)
        tandem_update_release(member);
}

static void poll_phase(struct tandem_group *group, uint32_t now_ms)
{
    enum tandem_group_phase phase = (enum tandem_group_phase)group->phase;
    uint16_t room = (uint16_t)(group->options.parallel - moving(group));
    uint16_t left = 0, i;

    for (i = 0; i < group->count && group->phase == (uint8_t)phase; i++) {
        struct tandem_update *member = &group->members[i];

        if (member->note == NOTE_WAITING && room != 0) {
            (void)tandem_update_goal(member, phases[phase].goal);
            member->note = NOTE_MOVING;
            room--;
        }
        if (member->note == NOTE_MOVING)
            move_member(group, i, now_ms);
        else if (member->note == NOTE_THERE && member->connected)
            (void)tandem_update_poll(member, now_ms); /* keeps its link alive */
        left = (uint16_t)(left + (member->note == NOTE_WAITING || member->note == NOTE_MOVING));
    }
    if (left == 0 && group->phase == (uint8_t)phase)
        enter_phase(group, phases[phase].next);
}

enum tandem_status tandem_group_poll(struct tandem_group *group, uint32_t now_ms)
{
    if (group->phase == TANDEM_GROUP_ENDED)
        return group->result.status;
    if (group->cancel && !group->result.committed && group->phase != TANDEM_GROUP_ABORTING) {
        note_failure(group, 0, TANDEM_ERROR_CANCELLED);
        abort_all(group);
    }
    if (group->phase == TANDEM_GROUP_ABORTING)
        poll_abort(group, now_ms);
    else
        poll_phase(group, now_ms);
    return group->phase == TANDEM_GROUP_ENDED ? group->result.status : TANDEM_AGAIN;
}

/* ---- the caller's words ---- */

enum tandem_status tandem_group_init(struct tandem_group *group, struct tandem_update *members, uint16_t count,
                                     const struct tandem_group_options *options)
{
    uint16_t i;

    if (members == NULL || count == 0)
        return TANDEM_ERROR_ARGUMENT;
    memset(group, 0, sizeof *group);
    group->members = members;
    group->count = count;
    if (options != NULL)
        group->options = *options;
    if (group->options.parallel == 0 || group->options.parallel > count)
        group->options.parallel = count;
    if (group->options.healings == 0)
        group->options.healings = HEALINGS;
    group->result.status = TANDEM_AGAIN;
    for (i = 0; i < count; i++) {
        members[i].options.keep_pending = 1;
        members[i].note = NOTE_WAITING;
        members[i].healings = 0;
    }
    return TANDEM_OK;
}

void tandem_group_cancel(struct tandem_group *group)
{
    group->cancel = 1;
}

enum tandem_group_phase tandem_group_phase(const struct tandem_group *group)
{
    return (enum tandem_group_phase)group->phase;
}

const struct tandem_group_result *tandem_group_result(const struct tandem_group *group)
{
    return &group->result;
}

void tandem_group_progress(const struct tandem_group *group, struct tandem_update_progress *progress)
{
    uint64_t done = 0, total = 0;
    uint32_t percent = 0;
    uint16_t i;

    memset(progress, 0, sizeof *progress);
    progress->stage = TANDEM_STAGE_CONFIRMED;
    for (i = 0; i < group->count; i++) {
        struct tandem_update_progress one;

        tandem_update_progress(&group->members[i], &one);
        done += one.done;
        total += one.total;
        percent += one.percent;
        if (one.stage <= progress->stage) {
            progress->stage = one.stage;
            progress->attempt = one.attempt;
        }
    }
    progress->done = done < UINT32_MAX ? (uint32_t)done : UINT32_MAX;
    progress->total = total < UINT32_MAX ? (uint32_t)total : UINT32_MAX;
    progress->percent = (uint8_t)(percent / group->count);
}
