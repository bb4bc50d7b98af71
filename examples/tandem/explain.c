/*
 * Why a device did not take an update, in words that say what to do.
 */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

const char *explain_state(enum tandem_state state)
{
    static const char *const names[] = {"idle",    "receiving", "validating", "validated",
                                        "pending", "trial",     "confirmed",  "failed"};
    return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

/* What is being said: the parts of the sentence. */
struct speech {
    char *text;
    const struct tandem_update_result *result;
    const struct tandem_offer *offer;
    const struct tandem_info *info;
    const char *note;
    char kind[TOOL_KIND_SIZE];
    char offered[TANDEM_VERSION_TEXT_SIZE];
    char running[TANDEM_VERSION_TEXT_SIZE];
    char minimum[TANDEM_VERSION_TEXT_SIZE];
};

#define SAY(speech, ...) ((void)snprintf((speech)->text, EXPLAIN_SIZE, __VA_ARGS__))

static const char *image(struct speech *speech)
{
    return speech->result->image != 0 ? tool_kind(speech->result->image, speech->kind) : "";
}

static void say_version(struct speech *speech)
{
    const struct tandem_manifest *manifest = &speech->offer->manifest;
    if (tandem_version_compare(&speech->info->version, &manifest->minimum) < 0)
        SAY(speech, "it runs %s, and this update needs %s or newer first", speech->running, speech->minimum);
    else if (tandem_version_compare(&manifest->version, &speech->info->version) < 0)
        SAY(speech, "the package's version %s is older than %s, which it runs; it does not go back", speech->offered,
            speech->running);
    else
        SAY(speech, "its version policy does not allow %s in place of %s", speech->offered, speech->running);
}

static void say_lost(struct speech *speech)
{
    const char *what = speech->result->status == TANDEM_ERROR_TIMEOUT ? "it does not answer" : "it cannot be reached";
    if (speech->result->stage >= TANDEM_STAGE_ACTIVATE)
        SAY(speech, "it was told to switch and did not come back%s%s; run the same command again when it is there",
            *speech->note != '\0' ? ": " : "", speech->note);
    else
        SAY(speech, "%s%s%s; is it on, and the address right?", what, *speech->note != '\0' ? ": " : "", speech->note);
}

/* The reasons for which the device's own values matter. */
static int say_target(struct speech *speech)
{
    const struct tandem_manifest *manifest = &speech->offer->manifest;
    unsigned long detail = speech->result->detail;
    switch (speech->result->status) {
    case TANDEM_ERROR_TARGET:
        SAY(speech, "the package is for %.*s %.*s, the device is %s %s", (int)manifest->vendor_size,
            (const char *)manifest->vendor, (int)manifest->product_size, (const char *)manifest->product,
            speech->info->vendor, speech->info->product);
        return 1;
    case TANDEM_ERROR_HARDWARE:
        SAY(speech, "the package is not for its hardware revision %u; see `tandem inspect`", speech->info->hardware);
        return 1;
    case TANDEM_ERROR_VERSION:
        say_version(speech);
        return 1;
    case TANDEM_ERROR_COUNTER:
        SAY(speech, "the package's security counter is %lu, the device demands %lu or more",
            (unsigned long)manifest->counter, detail != 0 ? detail : (unsigned long)speech->info->counter);
        return 1;
    case TANDEM_ERROR_DEPENDENCY:
        SAY(speech, "image %s needs another one that is not there, or not new enough; see `tandem inspect`",
            image(speech));
        return 1;
    case TANDEM_ERROR_INCOMPLETE:
        SAY(speech, "image %s is missing in the package, and the device has none to keep", image(speech));
        return 1;
    case TANDEM_ERROR_TOO_LARGE:
        if (speech->result->image != 0)
            SAY(speech, "image %s is larger than its slot", image(speech));
        else
            SAY(speech, "the package's head is larger than the device can take");
        return 1;
    default:
        return 0;
    }
}

/* The bootloader has reasons of its own. */
static int say_loader(struct speech *speech)
{
    const struct tandem_update_result *result = speech->result;
    if (result->status == TANDEM_ERROR_DEPENDENCY && result->detail == TANDEM_KIND_BOOTLOADER) {
        SAY(speech, "image %s needs a newer bootloader, which has to run before: update that first", image(speech));
        return 1;
    }
    if (result->image != TANDEM_KIND_BOOTLOADER)
        return 0;
    switch (result->status) {
    case TANDEM_ERROR_NOT_SUPPORTED:
        SAY(speech, "its bootloader cannot be replaced; pack without image %s", image(speech));
        return 1;
    case TANDEM_ERROR_TRIAL:
        SAY(speech, "its bootloader is still on trial; try again after its next start");
        return 1;
    case TANDEM_ERROR_INCOMPLETE:
        SAY(speech, "the package has image %s for the copy that runs, not for the other; pack both", image(speech));
        return 1;
    case TANDEM_ERROR_REVERTED:
        SAY(speech, "the new bootloader did not get to the firmware; the one before is back");
        return 1;
    default:
        return 0;
    }
}

static int say_trust(struct speech *speech)
{
    switch (speech->result->status) {
    case TANDEM_ERROR_UNSIGNED:
        SAY(speech, "the package is not signed, and the device takes only signed ones");
        return 1;
    case TANDEM_ERROR_KEY:
        SAY(speech, "the package is not signed by a key that the device trusts");
        return 1;
    case TANDEM_ERROR_REVOKED:
        SAY(speech, "the package is signed by a key that the device has revoked");
        return 1;
    case TANDEM_ERROR_SIGNATURE:
        SAY(speech, "the package was altered: its signature is wrong");
        return 1;
    case TANDEM_ERROR_DIGEST:
        SAY(speech, "the data are not what was signed (image %s, offset %lu)", image(speech),
            (unsigned long)speech->result->detail);
        return 1;
    default:
        return 0;
    }
}

static int say_condition(struct speech *speech)
{
    switch (speech->result->status) {
    case TANDEM_ERROR_BUSY:
        SAY(speech, "another host is updating it; try again later");
        return 1;
    case TANDEM_ERROR_CANCELLED:
        SAY(speech, "cancelled; what it has received is kept for the next time");
        return 1;
    case TANDEM_ERROR_BATTERY:
        SAY(speech, "its battery is at %u %%, and it wants %u %% for an update; charge it", speech->info->battery,
            speech->info->battery_minimum);
        return 1;
    case TANDEM_ERROR_TRIAL:
        SAY(speech, "its firmware is still on trial; try again when it has confirmed itself");
        return 1;
    case TANDEM_ERROR_REVERTED:
        SAY(speech, "the new firmware did not confirm itself; the old one is back");
        return 1;
    default:
        return 0;
    }
}

void explain(char text[EXPLAIN_SIZE], const struct tandem_update_result *result, const struct tandem_offer *offer,
             const struct tandem_info *info, const char *note)
{
    struct speech speech = {.text = text, .result = result, .offer = offer, .info = info, .note = note};
    tandem_version_format(&offer->manifest.version, speech.offered);
    tandem_version_format(&offer->manifest.minimum, speech.minimum);
    tandem_version_format(&info->version, speech.running);
    int lost = result->status == TANDEM_ERROR_TIMEOUT || result->status == TANDEM_ERROR_DISCONNECTED ||
               result->status == TANDEM_ERROR_PORT;
    if (lost && !result->reported)
        say_lost(&speech);
    else if (!say_loader(&speech) && !say_target(&speech) && !say_trust(&speech) && !say_condition(&speech))
        SAY(&speech, "%s (stage %s)", tandem_status_text(result->status), tandem_stage_text(result->stage));
}
