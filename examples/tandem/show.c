/*
 * Showing devices and progress: bars on a terminal, lines in a pipe, objects
 * for programs.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* struct winsize */
#define _DARWIN_C_SOURCE

#include "show.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "explain.h"

#define REDRAW_US 50000u /* 20 pictures a second */
#define NAME_WIDTH 12
#define BAR_NAME 16
#define BAR_MIN 10
#define BAR_MAX 40
#define BAR_OTHERS 64 /* columns beside the bar: name, percent, speed, what it is doing */
#define LINE_STEP 10  /* percent between two lines in a pipe */

void show_init(struct show *show, int json)
{
    const char *terminal = getenv("TERM"), *plain = getenv("NO_COLOR");
    int screen = isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
    memset(show, 0, sizeof *show);
    show->mode = json ? SHOW_JSON : screen ? SHOW_TERMINAL : SHOW_LINES;
    show->colour = show->mode == SHOW_TERMINAL && (plain == NULL || *plain == '\0');
    (void)setvbuf(stdout, NULL, show->mode == SHOW_TERMINAL ? _IOFBF : _IOLBF, BUFSIZ);
}

char *show_bytes(char text[24], double bytes)
{
    if (bytes < 1e4)
        (void)snprintf(text, 24, "%.0f B", bytes);
    else if (bytes < 1e7)
        (void)snprintf(text, 24, "%.0f kB", bytes / 1e3);
    else
        (void)snprintf(text, 24, "%.1f MB", bytes / 1e6);
    return text;
}

double show_speed(const struct show_device *device)
{
    if (device->first_us == 0 || device->last_us <= device->first_us || device->last_done <= device->first_done)
        return 0;
    return (device->last_done - device->first_done) * 1e6 / (double)(device->last_us - device->first_us);
}

/* ---- devices ---- */

static void json_text(const char *key, const char *text)
{
    printf(",\"%s\":", key);
    tool_print_json(stdout, text, strlen(text));
}

/* What its bootloader decided. A status belongs to this start; without one the reason may be older. */
static void json_boot(const struct tandem_info *info)
{
    printf(",\"boot\":{\"reason\":%u", info->boot_reason);
    json_text("text", tandem_boot_reason_text((enum tandem_boot_reason)info->boot_reason));
    if (info->known & TANDEM_INFO_BOOT) {
        printf(",\"status\":%u,\"recovery\":%u", (unsigned)info->boot_status, (unsigned)info->recovery);
        json_text("recovery_text", tandem_recovery_cause_text(info->recovery));
    }
    fputs("}", stdout);
}

static void json_info(const struct tandem_info *info)
{
    char version[TANDEM_VERSION_TEXT_SIZE];
    if (info->known & TANDEM_INFO_NAMES) {
        json_text("vendor", info->vendor);
        json_text("product", info->product);
    }
    if (info->known & TANDEM_INFO_SERIAL)
        json_text("serial", info->serial);
    if (info->known & TANDEM_INFO_HARDWARE)
        printf(",\"hardware\":%u", info->hardware);
    if (info->known & TANDEM_INFO_ROLE)
        printf(",\"role\":%u", info->role);
    if (info->known & TANDEM_INFO_BANK)
        printf(",\"bank\":%u", info->bank);
    if (info->known & TANDEM_INFO_VERSION) {
        tandem_version_format(&info->version, version);
        json_text("version", version);
    }
    if (info->known & TANDEM_INFO_COUNTER)
        printf(",\"counter\":%lu", (unsigned long)info->counter);
    if (info->known & TANDEM_INFO_BATTERY)
        printf(",\"battery\":%u", info->battery);
    if (info->known & TANDEM_INFO_STATE)
        json_text("state", explain_state(info->state));
    if (info->known & TANDEM_INFO_OUTCOME) {
        printf(",\"outcome\":{\"status\":%u", (unsigned)info->outcome.status);
        json_text("text", tandem_status_text(info->outcome.status));
        json_text("stage", tandem_stage_text(info->outcome.stage));
        fputs("}", stdout);
    }
    if (info->known & TANDEM_INFO_RESUME)
        printf(",\"resume_offset\":%lu", (unsigned long)info->resume_offset);
    if (info->known & TANDEM_INFO_BANK)
        json_boot(info);
}

/* Names from a device go to the terminal: no control characters. */
static void print_name(const char *name, int width)
{
    size_t size = strlen(name);
    tool_print(stdout, name, size);
    for (size_t i = size; i < (size_t)width; i++)
        putchar(' ');
}

static void boot_in_words(const struct tandem_info *info)
{
    if (info->recovery != TANDEM_RECOVERY_NOT)
        printf(", in recovery: %s", tandem_recovery_cause_text(info->recovery));
    if (info->boot_status != TANDEM_OK && info->boot_status != info->outcome.status) /* else it is said already */
        printf(" (%s)", tandem_status_text(info->boot_status));
}

static void state_in_words(const struct show_device *device, const struct tandem_info *info)
{
    char version[TANDEM_VERSION_TEXT_SIZE] = "?";
    const char *state = info->known & TANDEM_INFO_STATE ? explain_state(info->state) : "unknown";
    print_name(device->name, NAME_WIDTH);
    if (info->known & TANDEM_INFO_VERSION)
        tandem_version_format(&info->version, version);
    printf("  version %-10s", version);
    if (info->known & TANDEM_INFO_BANK)
        printf("  bank %u", info->bank);
    printf("  %s", state);
    if ((info->known & TANDEM_INFO_OUTCOME) && info->outcome.status != TANDEM_OK)
        printf(" (%s)", tandem_status_text(info->outcome.status));
    if ((info->known & TANDEM_INFO_RESUME) && info->resume_offset != 0)
        printf(", an update is half there, %lu bytes", (unsigned long)info->resume_offset);
    if (info->known & TANDEM_INFO_BOOT)
        boot_in_words(info);
    putchar('\n');
}

void show_state(struct show *show, const struct show_device *device, const struct tandem_info *info, const char *when)
{
    if (show->mode == SHOW_JSON) {
        fputs("{\"event\":\"state\"", stdout);
        json_text("when", when);
        json_text("device", device->name);
        json_text("address", device->address);
        json_info(info);
        puts("}");
        return;
    }
    printf("%-8s", when);
    state_in_words(device, info);
}

/* ---- progress ---- */

/* What it is doing, from the user's side. */
static const char *activity(const struct tandem_update *update, const struct tandem_update_progress *progress)
{
    const struct tandem_update_result *result = tandem_update_result(update);
    if (result->status == TANDEM_OK && result->stage == TANDEM_STAGE_CONFIRMED)
        return result->already ? "runs it already" : "done";
    if (result->status != TANDEM_OK && result->status != TANDEM_AGAIN)
        return "failed";
    if (progress->attempt > 0 && progress->stage == TANDEM_STAGE_CONNECT)
        return "no answer, trying again";
    switch (progress->stage) {
    case TANDEM_STAGE_CONNECT:
    case TANDEM_STAGE_CHECK:
        if (progress->percent >= 100) /* a group asks once more before it switches */
            return "verified";
        return progress->stage == TANDEM_STAGE_CONNECT ? "connecting" : "checking";
    case TANDEM_STAGE_RECEIVE:
        return progress->attempt > 0 ? "trying again" : "sending";
    case TANDEM_STAGE_VALIDATE:
        return progress->percent >= 100 ? "verified" : "verifying";
    case TANDEM_STAGE_ACTIVATE:
        return "switching";
    case TANDEM_STAGE_BOOT:
    case TANDEM_STAGE_TRIAL:
        return "restarting, on trial";
    case TANDEM_STAGE_CONFIRMED:
        return "done";
    default:
        return "";
    }
}

static void measure(struct show_device *device, const struct tandem_update_progress *progress)
{
    if (progress->stage < TANDEM_STAGE_RECEIVE)
        return;
    uint64_t now = tandem_posix_now_us();
    if (device->first_us == 0) {
        device->first_us = now;
        device->first_done = progress->done;
        device->last_done = progress->done;
    }
    if (progress->done != device->last_done) {
        device->last_us = now;
        device->last_done = progress->done;
    }
}

static int screen_width(void)
{
    struct winsize window;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        return window.ws_col;
    return 80;
}

/* A line that is wider than the screen would take two, and the next picture would be drawn in the wrong place. */
static void draw_bar(const struct show *show, const struct show_device *device, const struct tandem_update *update,
                     const struct tandem_update_progress *progress, int width)
{
    const struct tandem_update_result *result = tandem_update_result(update);
    size_t length = strlen(device->name), cut = length > BAR_NAME ? length - BAR_NAME : 0;
    char speed[24] = "", bytes[24];
    int bar = width - BAR_OTHERS, bad = result->status != TANDEM_OK && result->status != TANDEM_AGAIN;
    bar = bar < BAR_MIN ? BAR_MIN : bar > BAR_MAX ? BAR_MAX : bar;
    int full = bar * progress->percent / 100, rest = width - BAR_NAME - bar - 24;
    if (show_speed(device) > 0)
        (void)snprintf(speed, sizeof speed, "%.8s/s", show_bytes(bytes, show_speed(device)));
    print_name(device->name + cut, BAR_NAME); /* of a long address the end tells more */
    printf(" %s[", show->colour ? (bad ? "\033[31m" : progress->percent == 100 ? "\033[32m" : "\033[36m") : "");
    for (int i = 0; i < bar; i++)
        putchar(i < full ? '#' : '.');
    printf("]%s %3u %% %10s  %.*s\033[K\n", show->colour ? "\033[0m" : "", progress->percent, speed,
           rest > 0 ? rest : 0, activity(update, progress));
}

/* In a pipe: a line when something changes, or another tenth is done. */
static void tell(struct show_device *device, const struct tandem_update *update,
                 const struct tandem_update_progress *progress, int json)
{
    int percent = progress->percent - progress->percent % LINE_STEP;
    const char *doing = activity(update, progress);
    if (doing == device->said && percent == device->said_percent && progress->attempt == device->said_attempt)
        return;
    device->said = doing;
    device->said_percent = percent;
    device->said_attempt = progress->attempt;
    if (json) {
        fputs("{\"event\":\"progress\"", stdout);
        json_text("device", device->name);
        json_text("stage", tandem_stage_text(progress->stage));
        printf(",\"done\":%lu,\"total\":%lu,\"percent\":%u,\"attempt\":%u}\n", (unsigned long)progress->done,
               (unsigned long)progress->total, progress->percent, progress->attempt);
        return;
    }
    printf("        ");
    print_name(device->name, NAME_WIDTH);
    printf("  %3u %%  %s", progress->percent, doing);
    if (progress->attempt > 0 && *device->note != '\0')
        printf(" (%s)", device->note);
    putchar('\n');
}

void show_progress(struct show *show, struct show_device *devices, const struct tandem_update *updates, size_t count,
                   int last)
{
    struct tandem_update_progress progress;
    uint64_t now = tandem_posix_now_us();
    int draw = show->mode == SHOW_TERMINAL && (last || now >= show->next_us);
    int width = draw ? screen_width() : 0;
    if (draw && show->drawn > 0)
        printf("\033[%dA", show->drawn);
    for (size_t i = 0; i < count; i++) {
        tandem_update_progress(&updates[i], &progress);
        measure(&devices[i], &progress);
        if (draw)
            draw_bar(show, &devices[i], &updates[i], &progress, width);
        else if (show->mode != SHOW_TERMINAL)
            tell(&devices[i], &updates[i], &progress, show->mode == SHOW_JSON);
    }
    if (!draw)
        return;
    show->drawn = (int)count;
    show->next_us = now + REDRAW_US;
    (void)fflush(stdout);
}

void show_result(struct show *show, const struct show_device *device, const struct tandem_update *update,
                 const char *reason)
{
    static const char *const runs[] = {"unknown", "old", "new"};
    const struct tandem_update_result *result = tandem_update_result(update);
    if (show->mode != SHOW_JSON)
        return;
    fputs("{\"event\":\"result\"", stdout);
    json_text("device", device->name);
    printf(",\"status\":%u", (unsigned)result->status);
    json_text("text", tandem_status_text(result->status));
    json_text("stage", tandem_stage_text(result->stage));
    json_text("runs", runs[result->runs]);
    printf(",\"already\":%s,\"bytes_per_second\":%.0f", result->already ? "true" : "false", show_speed(device));
    if (reason != NULL)
        json_text("reason", reason);
    puts("}");
}
