/**
 * @file
 * The updater: takes one device from first contact to confirmed new firmware.
 * It knows no protocol. It drives a `struct tandem_target`, which each
 * transport's host half fills, and is where retries, back-off, resume,
 * progress, time limits and cancellation live.
 *
 * Host side. It never waits: tandem_update_poll() moves it.
 */
#ifndef TANDEM_UPDATE_H
#define TANDEM_UPDATE_H

#include "tandem/bank.h"
#include "tandem/boot_report.h"
#include "tandem/install.h"
#include "tandem/package.h"
#include "tandem/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is offered to devices: a source, and what its head says. Constant while updates use it; shared by many. */
struct tandem_offer {
    const struct tandem_source *source; /**< the bytes */
    struct tandem_manifest manifest;    /**< parsed head; meaningful if `packaged` */
    uint8_t packaged;                   /**< 1: a Tandem package; 0: something that only the target understands */
};

/**
 * Read and parse the head of what a source gives. Signatures are the device's
 * business and are not checked here.
 * @param offer to fill
 * @param source must outlive it
 * @param crypto replacement or NULL
 * @param buffer,size takes the head; must outlive `offer`. 4 KB hold any head in practice
 * @return TANDEM_OK; TANDEM_AGAIN (the source is not ready: call again); TANDEM_ERROR_TRUNCATED (the source is
 *         smaller than the package says); TANDEM_ERROR_FORMAT; TANDEM_ERROR_UNSUPPORTED; TANDEM_ERROR_SPACE
 *         (buffer); TANDEM_ERROR_PORT; the source's reason
 */
enum tandem_status tandem_offer_open(struct tandem_offer *offer, const struct tandem_source *source,
                                     const struct tandem_crypto_port *crypto, uint8_t *buffer, size_t size);

/**
 * Offer a source that is not a Tandem package (a vendor's image): nothing is
 * parsed, and the checks that need a manifest are the target's.
 */
void tandem_offer_bare(struct tandem_offer *offer, const struct tandem_source *source);

/** @name What is known of a device: bits of tandem_info::known
 * @{ */
#define TANDEM_INFO_NAMES 0x0001u    /**< vendor and product */
#define TANDEM_INFO_HARDWARE 0x0002u /**< hardware */
#define TANDEM_INFO_SERIAL 0x0004u   /**< serial */
#define TANDEM_INFO_VERSION 0x0008u  /**< version */
#define TANDEM_INFO_COUNTER 0x0010u  /**< counter */
#define TANDEM_INFO_BANK 0x0020u     /**< bank, boot_reason */
#define TANDEM_INFO_STATE 0x0040u    /**< state */
#define TANDEM_INFO_OUTCOME 0x0080u  /**< outcome */
#define TANDEM_INFO_BATTERY 0x0100u  /**< battery */
#define TANDEM_INFO_POLICY 0x0200u   /**< version_policy, battery_minimum */
#define TANDEM_INFO_ROLE 0x0400u     /**< role */
#define TANDEM_INFO_RESUME 0x0800u   /**< resume_id, resume_offset */
#define TANDEM_INFO_BOOT 0x1000u     /**< boot_status, recovery */
#define TANDEM_INFO_PLACE 0x2000u    /**< place */
/** @} */

/** What a device says of itself. A field counts only if its bit in `known` is set. */
struct tandem_info {
    uint32_t known;                            /**< TANDEM_INFO_… bits */
    char vendor[TANDEM_NAME_SIZE_MAX + 1];     /**< name, terminated */
    char product[TANDEM_NAME_SIZE_MAX + 1];    /**< name, terminated */
    char serial[TANDEM_NAME_SIZE_MAX + 1];     /**< serial number, terminated */
    uint16_t hardware;                         /**< revision */
    uint8_t role;                              /**< place in a group: 0 alone; 1 primary; 2 secondary; … */
    uint8_t bank;                              /**< that runs: 0 or 1 */
    uint8_t boot_reason;                       /**< enum tandem_boot_reason */
    uint8_t battery;                           /**< percent */
    uint8_t battery_minimum;                   /**< percent below which the device refuses an update */
    uint8_t version_policy;                    /**< enum tandem_version_policy */
    uint8_t ota_mode;                          /**< 1: the device must be put into its OTA mode first */
    uint8_t protocol;                          /**< the target's protocol version */
    struct tandem_version version;             /**< of the running package */
    uint32_t counter;                          /**< security counter */
    enum tandem_state state;                   /**< of its installer */
    struct tandem_outcome outcome;             /**< of the present or last update */
    uint8_t resume_id[TANDEM_PACKAGE_ID_SIZE]; /**< package that is half there */
    uint32_t resume_offset;                    /**< package offset at which it would go on */
    enum tandem_status boot_status;            /**< what was wrong with the bank that its last start did not take */
    enum tandem_recovery_cause recovery;       /**< why its bootloader answers, if it does */
    uint8_t place;                             /**< enum tandem_goal: how far the device is with what is offered, found
                                                    by a target that reads the offer itself */
};

#define TANDEM_BEGIN_ACTIVATE 0x01u /**< begin(): activate as soon as it is validated */
#define TANDEM_BEGIN_FORCE 0x02u    /**< begin(): take the device from another host that holds it */

/**
 * A way to reach one device: the host half of a transport.
 *
 * All functions return at once. TANDEM_AGAIN means: under way, call again
 * with the same arguments until another answer comes (or give up, and call
 * disconnect()). Any other answer ends that step. After an error of the group
 * TANDEM_STATUS_SURROUNDINGS the caller may disconnect(), connect() and go on.
 */
struct tandem_target {
    void *ctx; /**< handed to every function */
    /** Reach the device. @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_TIMEOUT, _DISCONNECTED, _PORT */
    enum tandem_status (*connect)(void *ctx);
    /** Ask the device about itself. */
    enum tandem_status (*query)(void *ctx, struct tandem_info *info);
    /** Optional: put the device into its OTA mode; it may restart, so disconnect() and connect() follow. */
    enum tandem_status (*enter)(void *ctx);
    /** Optional: how many parts the device takes of this offer, each begun, sent and validated on its own. NULL: 1.
     *  Called after query(). `*next` is the part in hand; it may be set to an earlier one, if the device has lost what
     *  it had. @return TANDEM_OK; TANDEM_AGAIN (the source is not ready); a reason to refuse */
    enum tandem_status (*parts)(void *ctx, const struct tandem_offer *offer, uint8_t *count, uint8_t *next);
    /** Announce a part. `flags` are TANDEM_BEGIN_… bits; a target that cannot activate by itself ignores
     *  TANDEM_BEGIN_ACTIVATE. @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_BUSY (another host); the device's reason */
    enum tandem_status (*begin)(void *ctx, const struct tandem_offer *offer, uint8_t part, uint8_t flags);
    /** Send a part, from where the device wants it. @return TANDEM_OK it has all; TANDEM_AGAIN; the device's reason */
    enum tandem_status (*send)(void *ctx, const struct tandem_offer *offer, uint8_t part);
    /** Have a part verified. @return TANDEM_OK it is; TANDEM_AGAIN; the device's reason */
    enum tandem_status (*validate)(void *ctx, uint8_t part);
    /** Switch to what was sent and restart. @return TANDEM_OK the device accepted; TANDEM_AGAIN; its reason */
    enum tandem_status (*activate)(void *ctx);
    /** Optional: give up the update. What was activated and not yet started is taken back. */
    enum tandem_status (*abort)(void *ctx);
    /** Optional: the outcome has been seen. */
    enum tandem_status (*seen)(void *ctx);
    /** Leave. Whatever was under way is forgotten; connect() may follow. */
    enum tandem_status (*disconnect)(void *ctx);
    /** Optional: bytes that the device has or does not need, and bytes in all, over all parts. */
    void (*progress)(void *ctx, uint32_t *done, uint32_t *total);
    /** Optional: the device's report behind the last error of begin(), send(), validate() or activate().
     *  NULL: the error came from the host's side. */
    const struct tandem_outcome *(*report)(void *ctx);
    /** Move time: called first of all and then often, with a clock in milliseconds that may wrap. */
    void (*poll)(void *ctx, uint32_t now_ms);
    /** Optional: whether the offer suits the device, where only the target understands both. Called after query(),
     *  before anything is sent. `*detail` is 0; it may be set to the device's value that stands against the offer.
     *  @return TANDEM_OK; TANDEM_AGAIN (the source is not ready); a reason to refuse */
    enum tandem_status (*check)(void *ctx, const struct tandem_offer *offer, uint32_t *detail);
};

/** How far to go. */
enum tandem_goal {
    TANDEM_GOAL_CHECKED = 0,   /**< reached, asked, found fit for the update */
    TANDEM_GOAL_VALIDATED = 1, /**< and all sent and verified: it waits for activation */
    TANDEM_GOAL_ACTIVATED = 2, /**< and told to switch and restart */
    TANDEM_GOAL_CONFIRMED = 3  /**< and seen running the new firmware, confirmed */
};

/** Which firmware a device runs when its update has ended. */
enum tandem_runs {
    TANDEM_RUNS_UNKNOWN = 0, /**< it could not be asked */
    TANDEM_RUNS_OLD = 1,     /**< what ran before */
    TANDEM_RUNS_NEW = 2      /**< the offered firmware, confirmed */
};

/** The updater's wishes. All zero is a good choice. */
struct tandem_update_options {
    uint32_t confirm_ms;  /**< longest wait from activation to confirmed; 0: 120 s */
    uint16_t backoff_ms;  /**< wait before the first retry, doubled with each up to 32 times; 0: 250 ms */
    uint16_t restart_ms;  /**< wait after activation before the device is sought again; 0: 500 ms */
    uint8_t attempts;     /**< attempts without progress before it gives up; 0: 10 */
    uint8_t reinstall;    /**< 1: install also what the device already runs */
    uint8_t force;        /**< 1: take the device from another host */
    uint8_t keep_pending; /**< 1: do not set TANDEM_BEGIN_ACTIVATE: two-phase, as a group does */
};

/** How an update ended, or how it stands. */
struct tandem_update_result {
    enum tandem_status status; /**< TANDEM_AGAIN: under way; TANDEM_OK: goal reached; else why not */
    enum tandem_stage stage;   /**< where */
    uint8_t image;             /**< kind of the image concerned; 0: the package or none */
    uint8_t reported;          /**< 1: the device's own report; 0: found by the host */
    uint8_t already;           /**< 1: the device ran the offered firmware from the start */
    enum tandem_runs runs;     /**< what the device runs now, as far as known */
    uint32_t detail;           /**< depends on the status: an offset, a size, a counter; else 0 */
};

/** Progress, for a bar. */
struct tandem_update_progress {
    enum tandem_stage stage; /**< what is being done */
    uint32_t done;           /**< bytes of what is offered that the device has or does not need */
    uint32_t total;          /**< bytes in all */
    uint8_t percent;         /**< of the transfer, 0 … 100; never falls */
    uint8_t attempt;         /**< attempts since the last progress; 0: none failed */
};

/** One device's update. Caller allocated; fields are the library's own. */
struct tandem_update {
    const struct tandem_target *target;   /**< the way to it */
    const struct tandem_offer *offer;     /**< what it shall run */
    struct tandem_update_options options; /**< wishes, defaults filled in */
    struct tandem_info info;              /**< its last answer */
    struct tandem_update_result result;   /**< so far */
    uint32_t now;                         /**< last time seen */
    uint32_t since;                       /**< when the present wait began */
    uint32_t wait;                        /**< its length */
    uint32_t activated_ms;                /**< when activation was accepted */
    uint32_t best;                        /**< most bytes that the device ever had */
    uint32_t done;                        /**< bytes that it has */
    uint32_t total;                       /**< bytes that it is to get; 0: the source's */
    uint8_t goal;                         /**< enum tandem_goal */
    uint8_t reached;                      /**< the furthest goal that the device was last seen at */
    uint8_t step;                         /**< what is being done */
    uint8_t after;                        /**< what follows the wait */
    uint8_t attempt;                      /**< failures since the last progress */
    uint8_t connected;                    /**< 1: connect() succeeded */
    uint8_t begun;                        /**< 1: begin() succeeded at least once */
    uint8_t activated;                    /**< 1: activate() succeeded or was found done */
    uint8_t part;                         /**< part in hand */
    uint8_t parts;                        /**< of so many */
    uint8_t entered;                      /**< times that the OTA mode was entered */
    uint8_t percent;                      /**< highest so far */
    uint8_t ended;                        /**< 1: nothing more will be done */
    uint8_t cancel;                       /**< 1: asked to stop */
    uint8_t undated;                      /**< 1: the present wait begins with the next poll */
    uint8_t note;                         /**< its group's: where it stands in the present phase */
    uint8_t healings;                     /**< its group's: times that it was tried anew */
};

/**
 * Prepare. Nothing is sent before the first poll.
 * @param update caller's
 * @param target the way to the device; must outlive it
 * @param offer opened; must outlive it
 * @param options wishes, copied; NULL: all defaults
 */
void tandem_update_init(struct tandem_update *update, const struct tandem_target *target,
                        const struct tandem_offer *offer, const struct tandem_update_options *options);

/**
 * Set how far to go; TANDEM_GOAL_CONFIRMED is set at init. A goal beyond what
 * was reached sets it going again. A goal already reached is checked again
 * with the device: with TANDEM_GOAL_VALIDATED the device is asked once more,
 * and what it lacks is sent. A device that runs the new firmware, confirmed,
 * has reached every goal.
 * @return TANDEM_OK; TANDEM_ERROR_STATE: it has failed; see tandem_update_restart()
 */
enum tandem_status tandem_update_goal(struct tandem_update *update, enum tandem_goal goal);

/**
 * Move on. Call it often (every few milliseconds) while it returns TANDEM_AGAIN.
 * @param now_ms a clock in milliseconds that may wrap
 * @return TANDEM_AGAIN: under way; TANDEM_OK: the goal is reached; else it has failed, see tandem_update_result()
 */
enum tandem_status tandem_update_poll(struct tandem_update *update, uint32_t now_ms);

/**
 * Stop. The next polls tell the device (what it received stays for a later
 * update), disconnect, and end with TANDEM_ERROR_CANCELLED. After the device
 * restarted into the new firmware it merely stops watching.
 */
void tandem_update_cancel(struct tandem_update *update);

/**
 * Leave the device without ending: disconnects; polling or a new goal
 * reconnects. For hosts with few connections. Call it when a goal is reached.
 */
void tandem_update_release(struct tandem_update *update);

/**
 * Start over after a failure, with the same goal and a fresh number of attempts.
 */
void tandem_update_restart(struct tandem_update *update);

/** How it stands or ended. */
const struct tandem_update_result *tandem_update_result(const struct tandem_update *update);
/** What the device last said of itself; `known` is 0 before its first answer. */
const struct tandem_info *tandem_update_info(const struct tandem_update *update);
/** Progress. */
void tandem_update_progress(const struct tandem_update *update, struct tandem_update_progress *progress);

/**
 * Whether a package suits a device, as far as can be told without sending it:
 * names, hardware, security counter, version policy, battery.
 * @param offer opened
 * @param info the device's answer
 * @param detail set to the device's value that stands against it, or 0; NULL: not wanted
 * @return TANDEM_OK; TANDEM_ERROR_TARGET; TANDEM_ERROR_HARDWARE; TANDEM_ERROR_COUNTER; TANDEM_ERROR_VERSION;
 *         TANDEM_ERROR_BATTERY
 */
enum tandem_status tandem_update_check(const struct tandem_offer *offer, const struct tandem_info *info,
                                       uint32_t *detail);

#ifdef __cplusplus
}
#endif

#endif
