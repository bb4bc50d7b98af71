/*
 * USB DFU: texts for status strings, from which a host reads the reason again.
 * Linked on a device only where a configuration names tandem_usb_dfu_text().
 */
#include "usb_dfu_text.h"

struct text {
    uint8_t status;
    const char *text;
};

static const struct text texts[] = {
    {TANDEM_ERROR_STATE, "not possible now"},
    {TANDEM_ERROR_BUSY, "busy"},
    {TANDEM_ERROR_NOT_SUPPORTED, "not supported"},
    {TANDEM_ERROR_CANCELLED, "cancelled"},
    {TANDEM_ERROR_FLASH, "flash fault"},
    {TANDEM_ERROR_SPACE, "no room"},
    {TANDEM_ERROR_FORMAT, "not a firmware package"},
    {TANDEM_ERROR_TRUNCATED, "the file is cut short"},
    {TANDEM_ERROR_UNSUPPORTED, "unknown kind of package"},
    {TANDEM_ERROR_TOO_LARGE, "too large"},
    {TANDEM_ERROR_UNSIGNED, "not signed"},
    {TANDEM_ERROR_KEY, "signed by nobody trusted here"},
    {TANDEM_ERROR_REVOKED, "signed by a revoked key"},
    {TANDEM_ERROR_SIGNATURE, "wrong signature"},
    {TANDEM_ERROR_DIGEST, "damaged"},
    {TANDEM_ERROR_TARGET, "made for another product"},
    {TANDEM_ERROR_HARDWARE, "made for another hardware revision"},
    {TANDEM_ERROR_VERSION, "version not allowed"},
    {TANDEM_ERROR_COUNTER, "security counter too low"},
    {TANDEM_ERROR_DEPENDENCY, "needs another image"},
    {TANDEM_ERROR_BASE, "made against other firmware"},
    {TANDEM_ERROR_INCOMPLETE, "an image is missing"},
    {TANDEM_ERROR_BATTERY, "battery too low"},
    {TANDEM_ERROR_CONSENT, "the user did not agree"},
    {TANDEM_ERROR_TRIAL, "the running firmware is on trial"},
    {TANDEM_ERROR_NOTHING, "no firmware to run"},
};

const char *tandem_usb_dfu_text(enum tandem_status status)
{
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "refused";
}

enum tandem_status tandem_usb_dfu_status(const char *text)
{
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *a = texts[i].text, *b = text;
        while (*a != '\0' && *a == *b) {
            a++;
            b++;
        }
        if (*a == *b)
            return (enum tandem_status)texts[i].status;
    }
    return TANDEM_OK;
}
