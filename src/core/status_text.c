/*
 * Status codes in words, for logs and tools. A device that never prints does
 * not link this file.
 */
#include "tandem/boot_report.h"
#include "tandem/status.h"

const char *tandem_status_text(enum tandem_status status)
{
    switch (status) {
    case TANDEM_OK:
        return "ok";
    case TANDEM_AGAIN:
        return "under way";
    case TANDEM_ERROR_ARGUMENT:
        return "an argument is out of range";
    case TANDEM_ERROR_STATE:
        return "not possible in the present state";
    case TANDEM_ERROR_BUSY:
        return "busy with another host";
    case TANDEM_ERROR_NOT_SUPPORTED:
        return "not supported";
    case TANDEM_ERROR_CANCELLED:
        return "cancelled";
    case TANDEM_ERROR_LAYOUT:
        return "the flash layout is wrong";
    case TANDEM_ERROR_FLASH:
        return "flash failure";
    case TANDEM_ERROR_PORT:
        return "failure in a port";
    case TANDEM_ERROR_TIMEOUT:
        return "no answer in time";
    case TANDEM_ERROR_DISCONNECTED:
        return "disconnected";
    case TANDEM_ERROR_PROTOCOL:
        return "the peer broke the protocol";
    case TANDEM_ERROR_SPACE:
        return "not enough room";
    case TANDEM_ERROR_FORMAT:
        return "not a valid package";
    case TANDEM_ERROR_TRUNCATED:
        return "truncated";
    case TANDEM_ERROR_UNSUPPORTED:
        return "a required feature is not known here";
    case TANDEM_ERROR_TOO_LARGE:
        return "too large";
    case TANDEM_ERROR_UNSIGNED:
        return "not signed";
    case TANDEM_ERROR_KEY:
        return "not signed by a trusted key";
    case TANDEM_ERROR_REVOKED:
        return "signed by a revoked key";
    case TANDEM_ERROR_SIGNATURE:
        return "wrong signature";
    case TANDEM_ERROR_DIGEST:
        return "wrong digest: the data are not what was signed";
    case TANDEM_ERROR_TARGET:
        return "made for another product";
    case TANDEM_ERROR_HARDWARE:
        return "made for another hardware revision";
    case TANDEM_ERROR_VERSION:
        return "the version policy forbids it";
    case TANDEM_ERROR_COUNTER:
        return "security counter too low";
    case TANDEM_ERROR_DEPENDENCY:
        return "a dependency is missing";
    case TANDEM_ERROR_BASE:
        return "the base of the difference is not installed";
    case TANDEM_ERROR_INCOMPLETE:
        return "an image is missing";
    case TANDEM_ERROR_BATTERY:
        return "battery too low";
    case TANDEM_ERROR_SIGNAL:
        return "signal too weak";
    case TANDEM_ERROR_CONSENT:
        return "the user has not agreed";
    case TANDEM_ERROR_TRIAL:
        return "the running firmware is still on trial";
    case TANDEM_ERROR_REVERTED:
        return "the new firmware did not confirm itself; the old one is back";
    case TANDEM_ERROR_NOTHING:
        return "nothing that may be started";
    }
    return "unknown status";
}

const char *tandem_stage_text(enum tandem_stage stage)
{
    switch (stage) {
    case TANDEM_STAGE_NONE:
        return "idle";
    case TANDEM_STAGE_CONNECT:
        return "connect";
    case TANDEM_STAGE_CHECK:
        return "check";
    case TANDEM_STAGE_RECEIVE:
        return "receive";
    case TANDEM_STAGE_VALIDATE:
        return "validate";
    case TANDEM_STAGE_ACTIVATE:
        return "activate";
    case TANDEM_STAGE_BOOT:
        return "boot";
    case TANDEM_STAGE_TRIAL:
        return "trial";
    case TANDEM_STAGE_CONFIRMED:
        return "confirmed";
    }
    return "unknown stage";
}

const char *tandem_boot_reason_text(enum tandem_boot_reason reason)
{
    switch (reason) {
    case TANDEM_BOOT_NONE:
        return "nothing may be started";
    case TANDEM_BOOT_CONFIRMED:
        return "confirmed";
    case TANDEM_BOOT_FIRST:
        return "first start";
    case TANDEM_BOOT_TRIAL:
        return "on trial";
    case TANDEM_BOOT_REVERTED:
        return "trial not confirmed, back to the old firmware";
    case TANDEM_BOOT_REFUSED:
        return "update did not verify, old firmware kept";
    case TANDEM_BOOT_FALLBACK:
        return "confirmed firmware did not verify, fell back";
    case TANDEM_BOOT_KEPT:
        return "trial not confirmed, nothing to go back to";
    }
    return "unknown reason";
}

const char *tandem_recovery_cause_text(enum tandem_recovery_cause cause)
{
    switch (cause) {
    case TANDEM_RECOVERY_NOT:
        return "no recovery";
    case TANDEM_RECOVERY_NOTHING:
        return "nothing may be started";
    case TANDEM_RECOVERY_PIN:
        return "a pin or button says so";
    case TANDEM_RECOVERY_REQUEST:
        return "the application asked for it";
    case TANDEM_RECOVERY_DOUBT:
        return "the last update went wrong";
    case TANDEM_RECOVERY_RESTARTS:
        return "the firmware restarts again and again";
    }
    return "unknown cause";
}
