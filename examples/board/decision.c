/*
 * Decide what to start, or to recover.
 */
#include "decision.h"

#include "device.h"
#include "handover.h"
#include "start.h"

/* Nothing brings back what was written over: what is left after an update that went wrong may be a firmware that
   crashes at once. Hosts have a chance before it is started. */
static int is_in_doubt(void)
{
    struct tandem_bank bank;
    if (device.slots[0].mode != TANDEM_MODE_OVERWRITE || tandem_bank_open(&bank, &device) != TANDEM_OK)
        return 0;
    return bank.state.reason == TANDEM_BOOT_KEPT || bank.state.reason == TANDEM_BOOT_REFUSED ||
           bank.state.reason == TANDEM_BOOT_FALLBACK;
}

enum tandem_recovery_cause decision_make(struct tandem_boot *boot, int button)
{
    enum tandem_recovery_cause cause = tandem_recovery_wanted(HANDOVER->report, HANDOVER->request, button);
    enum tandem_status status = cause == TANDEM_RECOVERY_NOT
                                    ? tandem_boot_decide(boot, &device, device_buffer, sizeof device_buffer)
                                    : tandem_recovery_decide(boot, &device, device_buffer, sizeof device_buffer);
    if (status == TANDEM_OK && !board_is_startable(&boot->images[0])) {
        if (boot->reason == TANDEM_BOOT_TRIAL)
            restart(); /* let its trial run out, which brings the firmware before it back */
        boot->reason = TANDEM_BOOT_NONE;
        boot->status = status = TANDEM_ERROR_FORMAT;
    }
    if (status != TANDEM_OK)
        cause = TANDEM_RECOVERY_NOTHING;
    else if (cause == TANDEM_RECOVERY_NOT && is_in_doubt())
        cause = TANDEM_RECOVERY_DOUBT;
    tandem_boot_report_store(HANDOVER->report, boot, cause);
    return cause;
}
