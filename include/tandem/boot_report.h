/**
 * @file
 * The boot report: what the bootloader decided at this start, and why, handed
 * to whoever runs next. And the request: how an application asks the
 * bootloader for its recovery. Both lie in RAM that a reset leaves alone, and
 * are checked, since after power-on that RAM holds anything.
 *
 * Give them a place that neither program's start-up code clears: a section
 * that is not loaded, or a fixed address that both linker scripts spare.
 */
#ifndef TANDEM_BOOT_REPORT_H
#define TANDEM_BOOT_REPORT_H

#include "tandem/boot.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_BOOT_REPORT_SIZE 32 /**< bytes of a report in memory */
#define TANDEM_BOOT_REQUEST_SIZE 8 /**< bytes of a request in memory */

/** Why the bootloader answers hosts itself. One byte on the wire. */
enum tandem_recovery_cause {
    TANDEM_RECOVERY_NOT = 0,     /**< it does not: an application runs */
    TANDEM_RECOVERY_NOTHING = 1, /**< nothing may be started */
    TANDEM_RECOVERY_PIN = 2,     /**< a pin or a button says so */
    TANDEM_RECOVERY_REQUEST = 3, /**< the application asked for it */
    TANDEM_RECOVERY_DOUBT = 4,   /**< the last update went wrong: a moment for hosts before what is left is started */
    TANDEM_RECOVERY_RESTARTS = 5 /**< the firmware restarts again and again without getting well */
};

/** What the last start came to. */
struct tandem_boot_report {
    enum tandem_boot_reason reason;      /**< why the bank was chosen */
    enum tandem_status status;           /**< what was wrong with the bank that was not taken; TANDEM_OK: nothing */
    enum tandem_recovery_cause recovery; /**< why the bootloader went into recovery */
    uint8_t bank;                        /**< 0 or 1 */
    uint8_t loader;                      /**< copy of the bootloader, 0 or 1; for tandem_loader_good() */
    uint32_t starts;                     /**< since power-on, this one included */
    uint32_t restarts;                   /**< of these in a row without tandem_boot_report_well() or recovery */
    struct tandem_version version;       /**< of the package chosen */
};

/**
 * Bootloader: note a decision, before the jump or the recovery. The counts go
 * on from the report that the memory holds.
 * @param memory that outlives a reset
 * @param boot as tandem_boot_decide() left it
 * @param recovery TANDEM_RECOVERY_NOT: an image is started
 */
void tandem_boot_report_store(uint8_t memory[TANDEM_BOOT_REPORT_SIZE], const struct tandem_boot *boot,
                              enum tandem_recovery_cause recovery);

/**
 * Read what the bootloader noted.
 * @param report to fill; all zero if there is none
 * @param memory as handed to tandem_boot_report_store()
 * @return TANDEM_OK; TANDEM_ERROR_NOTHING: the memory holds no whole report
 */
enum tandem_status tandem_boot_report_load(struct tandem_boot_report *report,
                                           const uint8_t memory[TANDEM_BOOT_REPORT_SIZE]);

/**
 * Application: this firmware does its work, so restarts are counted anew.
 * Call it after the self-test, at every start; for a firmware that is
 * confirmed nothing else tells a bootloader that it crashes again and again.
 */
void tandem_boot_report_well(uint8_t memory[TANDEM_BOOT_REPORT_SIZE]);

/** Application: ask for recovery at the next start. A reset is to follow, as from `enter_ota` of the system port. */
void tandem_boot_request_store(uint8_t memory[TANDEM_BOOT_REQUEST_SIZE]);

/** Bootloader: whether recovery was asked for. Clears the request, so that it counts for one start. @return 1 or 0 */
int tandem_boot_request_take(uint8_t memory[TANDEM_BOOT_REQUEST_SIZE]);

/** A short English text for a cause. Host builds only. */
const char *tandem_recovery_cause_text(enum tandem_recovery_cause cause);

#ifdef __cplusplus
}
#endif

#endif
