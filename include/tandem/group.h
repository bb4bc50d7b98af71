/**
 * @file
 * Groups: several devices updated as one, such as a pair of earbuds. All are
 * checked before any is sent to, all are validated before any is activated,
 * and after that point none is left behind.
 *
 * Host side. It never waits: tandem_group_poll() moves it.
 */
#ifndef TANDEM_GROUP_H
#define TANDEM_GROUP_H

#include "tandem/update.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where a group's update stands. */
enum tandem_group_phase {
    TANDEM_GROUP_CHECKING = 0,   /**< every member is asked and found fit; nothing is sent yet */
    TANDEM_GROUP_PREPARING = 1,  /**< the package goes to every member that lacks it */
    TANDEM_GROUP_RECHECKING = 2, /**< every member is asked once more whether it is ready */
    TANDEM_GROUP_ACTIVATING = 3, /**< the point of no return: every member is told to switch */
    TANDEM_GROUP_CONFIRMING = 4, /**< every member is seen running the new firmware */
    TANDEM_GROUP_ABORTING = 5,   /**< a member failed before the point of no return: all stay as they were */
    TANDEM_GROUP_ENDED = 6       /**< see the result */
};

/** The group's wishes. All zero is a good choice. */
struct tandem_group_options {
    uint16_t parallel; /**< members in motion at once; 0: all; 1: one after the other */
    uint8_t healings;  /**< times that a member left behind after the point of no return is tried anew; 0: 5 */
};

/** How a group's update ended, or how it stands. */
struct tandem_group_result {
    enum tandem_status status; /**< TANDEM_AGAIN: under way; TANDEM_OK: every member runs the offered firmware;
                                    else the reason of the first member that failed */
    uint16_t member;           /**< index of that member */
    uint16_t done;             /**< members that run the offered firmware, confirmed */
    uint8_t committed;         /**< 1: the point of no return was passed */
    uint8_t split;             /**< 1: some run the new, some the old firmware: run the group again to heal it */
};

/** A group's update. Caller allocated; fields are the library's own. */
struct tandem_group {
    struct tandem_update *members;       /**< caller's array */
    struct tandem_group_options options; /**< wishes, defaults filled in */
    struct tandem_group_result result;   /**< so far */
    uint16_t count;                      /**< members */
    uint8_t phase;                       /**< enum tandem_group_phase */
    uint8_t cancel;                      /**< 1: asked to stop */
};

/**
 * Prepare.
 * @param group caller's
 * @param members updates that were initialized with tandem_update_init(), one for each device, with offers of the
 *                same package; the group then owns them: poll only the group
 * @param count of members, at least 1
 * @param options wishes, copied; NULL: all defaults
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (no member)
 */
enum tandem_status tandem_group_init(struct tandem_group *group, struct tandem_update *members, uint16_t count,
                                     const struct tandem_group_options *options);

/**
 * Move on. Call it often while it returns TANDEM_AGAIN.
 *
 * A group whose host died in the middle is finished by running a new one with
 * the same package: members that already run it count as done, members that
 * are ready are activated, the others are updated.
 * @param now_ms a clock in milliseconds that may wrap
 * @return TANDEM_AGAIN: under way; TANDEM_OK: all run the offered firmware; else see tandem_group_result()
 */
enum tandem_status tandem_group_poll(struct tandem_group *group, uint32_t now_ms);

/**
 * Stop. Before the point of no return every member is left on its old
 * firmware; after it the request is ignored, since stopping would split the
 * group.
 */
void tandem_group_cancel(struct tandem_group *group);

/** Where it stands. */
enum tandem_group_phase tandem_group_phase(const struct tandem_group *group);
/** How it stands or ended. Each member's own: tandem_update_result(). */
const struct tandem_group_result *tandem_group_result(const struct tandem_group *group);
/** Progress of all members together: bytes are sums (at most UINT32_MAX), percent is the mean, the stage and the
 *  attempts are those of the member that is furthest behind. */
void tandem_group_progress(const struct tandem_group *group, struct tandem_update_progress *progress);

#ifdef __cplusplus
}
#endif

#endif
