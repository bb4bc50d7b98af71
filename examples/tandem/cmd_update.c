/*
 * tandem update: carry a package into one device, or into several as one.
 */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explain.h"
#include "host.h"
#include "host_realtek.h"
#include "package_file.h"
#include "show.h"
#include "tandem/group.h"

static const char help[] = "Usage: tandem update --to ADDRESS [--to ADDRESS ...] [OPTION ...] PACKAGE\n"
                           "       tandem update --serial DEVICE [--baud N] [OPTION ...] PACKAGE\n"
                           "\n"
                           "Carry a package into a device, and wait until it runs it and has confirmed it.\n"
                           "Several devices move as one: all verify it before any switches to it; if one\n"
                           "cannot take it, all stay as they are. What a device has received already is\n"
                           "not sent again, also after an interruption.\n"
                           "\n"
                           "  --to ADDRESS     HOST:PORT or unix:PATH; repeat for several\n"
                           "  --serial DEVICE  a serial line, as /dev/ttyUSB0; repeat for several\n"
                           "  --baud N         of the serial lines (115200)\n"
                           "  --profile realtek   the device speaks Realtek's DFU; PACKAGE is then a pack or\n"
                           "                   image of Realtek's, or a package. Two --to are a pair of buds.\n"
                           "  --radio DIR      with it: by GATT over a simulated radio; ADDRESS is then a\n"
                           "                   device's own, of 12 digits\n"
                           "  --in-sequence    one device after the other; without it all at once\n"
                           "  --reinstall      also if the device runs that firmware already\n"
                           "  --take-over      take the device from another host that is updating it\n"
                           "  --timeout S      give up when it is not done after so many seconds\n"
                           "  --attempts N     attempts without progress before a device is given up (10)\n"
                           "  --json           one JSON object a line: state, progress, result\n"
                           "  -h, --help       this text\n"
                           "\n"
                           "Ctrl-C stops it in order: the devices stay on their old firmware, unless they\n"
                           "are past the point where they switch, from which on none is left behind.\n";

#define DEVICES_MAX 64

/* The command line, and all that is under way. */
struct work {
    const char *path;
    struct package_file package;
    struct tandem_source source;
    struct tandem_offer offer;
    struct host_device devices[DEVICES_MAX];
    struct host_realtek realtek; /* in place of them, with --profile realtek */
    int is_realtek;
    struct show_device lines[DEVICES_MAX];
    struct tandem_update updates[DEVICES_MAX];
    struct tandem_group group;
    struct show show;
    struct tandem_update_options options;
    size_t count;
    uint32_t baud, timeout;
    int in_sequence, json;
    uint8_t met[DEVICES_MAX]; /* 1: its state before was shown */
    int timed_out, cancelled;
};

static volatile sig_atomic_t interrupts;

static void interrupted(int signal_number)
{
    if (interrupts++ != 0)
        _exit(128 + signal_number); /* asked twice: at once */
}

/* ---- reading the command line ---- */

enum { OPTION_SEQUENCE = 256, OPTION_REINSTALL, OPTION_TAKE_OVER, OPTION_ATTEMPTS, OPTION_PROFILE, OPTION_RADIO };

static const struct option options[] = {
    {"to", required_argument, NULL, 't'},
    {"serial", required_argument, NULL, 's'},
    {"baud", required_argument, NULL, 'b'},
    {"in-sequence", no_argument, NULL, OPTION_SEQUENCE},
    {"reinstall", no_argument, NULL, OPTION_REINSTALL},
    {"take-over", no_argument, NULL, OPTION_TAKE_OVER},
    {"profile", required_argument, NULL, OPTION_PROFILE},
    {"radio", required_argument, NULL, OPTION_RADIO},
    {"timeout", required_argument, NULL, 'w'},
    {"attempts", required_argument, NULL, OPTION_ATTEMPTS},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int add_device(struct work *work, const char *address, int serial)
{
    if (work->count == DEVICES_MAX)
        return tool_usage("update", "at most %d devices at once", DEVICES_MAX);
    int code = TOOL_OK;
    for (size_t i = 0; code == TOOL_OK && i < work->count; i++)
        if (strcmp(work->devices[i].address, address) == 0)
            code = tool_usage("update", "%s is given twice", address);
    if (code == TOOL_OK) {
        work->devices[work->count].serial = serial;
        work->devices[work->count++].address = address;
    }
    return code;
}

static int take_number(uint32_t *number, const char *option, const char *text, uint32_t limit)
{
    if (tool_number(number, text, limit) == 0 && *number > 0)
        return TOOL_OK;
    return tool_usage("update", "%s is a number from 1 to %lu, not '%s'", option, (unsigned long)limit, text);
}

static int take_option(struct work *work, int option, const char *value)
{
    uint32_t number = 0;
    int code = TOOL_OK;
    switch (option) {
    case 't':
    case 's':
        return add_device(work, value, option == 's');
    case 'b':
        return take_number(&work->baud, "--baud", value, 10000000);
    case 'w':
        return take_number(&work->timeout, "--timeout", value, 86400);
    case OPTION_ATTEMPTS:
        code = take_number(&number, "--attempts", value, 255);
        work->options.attempts = (uint8_t)number;
        return code;
    case OPTION_PROFILE:
        work->is_realtek = strcmp(value, "realtek") == 0;
        if (work->is_realtek || strcmp(value, "tandem") == 0)
            return TOOL_OK;
        return tool_usage("update", "--profile is tandem or realtek, not '%s'", value);
    case OPTION_RADIO:
        work->realtek.radio = value;
        return TOOL_OK;
    case OPTION_SEQUENCE:
        work->in_sequence = 1;
        return TOOL_OK;
    case OPTION_REINSTALL:
        work->options.reinstall = 1;
        return TOOL_OK;
    case OPTION_TAKE_OVER:
        work->options.force = 1;
        return TOOL_OK;
    default:
        work->json = 1;
        return TOOL_OK;
    }
}

/* ---- preparing ---- */

static enum tandem_status read_package(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct package_file *package = ctx;
    memcpy(data, package->file.data + offset, size);
    return TANDEM_OK;
}

/* A package that is damaged on the way here is found before anything is sent; who signed it, the device judges. */
static int open_package(struct work *work)
{
    struct tandem_image image;
    int code = package_read(&work->package, work->path);
    if (code == TOOL_OK)
        code = package_check_size(&work->package, work->path);
    for (uint8_t i = 0; code == TOOL_OK && tandem_manifest_image(&work->package.manifest, i, &image) == TANDEM_OK; i++)
        code = package_check_image(&work->package, &image, work->path);
    if (code != TOOL_OK)
        return code;
    work->source.ctx = &work->package;
    work->source.size = (uint32_t)work->package.file.size;
    work->source.read = read_package;
    work->offer.source = &work->source;
    work->offer.manifest = work->package.manifest;
    work->offer.packaged = 1;
    return TOOL_OK;
}

/* Addresses are judged when it is known of what kind they are. */
static int check_addresses(const struct work *work)
{
    uint8_t address[6];
    int code = TOOL_OK;
    for (size_t i = 0; code == TOOL_OK && i < work->count; i++) {
        if (work->realtek.radio != NULL && tool_unhex(address, sizeof address, work->devices[i].address) != 0)
            code = tool_usage("update", "%s is no address of 12 digits", work->devices[i].address);
        else if (work->realtek.radio == NULL && !work->devices[i].serial)
            code = host_check_address("update", work->devices[i].address);
    }
    if (work->realtek.radio != NULL && !work->is_realtek)
        return tool_usage("update", "--radio is for --profile realtek");
    return code;
}

/* What only a target of Realtek's understands. */
static int open_realtek(struct work *work)
{
    if (work->count > HOST_REALTEK_BUDS)
        return tool_usage("update", "with --profile realtek, one device or the two buds of a pair");
    for (size_t i = 0; i < work->count; i++)
        work->realtek.addresses[i] = work->devices[i].address;
    work->realtek.count = work->count;
    work->realtek.serial = work->devices[0].serial;
    work->realtek.baud = work->baud;
    work->realtek.any_version = work->options.reinstall;
    if (work->realtek.radio != NULL)
        (void)tool_unhex(work->realtek.address, sizeof work->realtek.address, work->devices[0].address);
    int code = host_realtek_read(&work->realtek, work->path);
    if (code == TOOL_OK)
        tandem_offer_bare(&work->offer, work->realtek.files[0].source);
    return code;
}

static const struct tandem_target *prepare_target(struct work *work, size_t index)
{
    struct host_device *device = &work->devices[index];
    if (work->is_realtek)
        return host_realtek_target(&work->realtek, index);
    device->baud = work->baud;
    host_init(device);
    return tandem_link_host_target(&device->link);
}

static void prepare(struct work *work)
{
    struct tandem_group_options group_options = {0};
    show_init(&work->show, work->json);
    if (work->is_realtek)
        host_realtek_init(&work->realtek);
    for (size_t i = 0; i < work->count; i++) {
        struct host_device *device = &work->devices[i];
        work->lines[i].address = device->address;
        work->lines[i].note = work->is_realtek ? work->realtek.note : device->note;
        (void)snprintf(work->lines[i].name, sizeof work->lines[i].name, "%s", device->address);
        tandem_update_init(&work->updates[i], prepare_target(work, i), &work->offer, &work->options);
    }
    group_options.parallel = work->in_sequence && !work->is_realtek ? 1 : 0; /* Realtek's buds have an order anyway */
    group_options.healings = 2;
    if (work->count > 1)
        (void)tandem_group_init(&work->group, work->updates, (uint16_t)work->count, &group_options);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = interrupted;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* ---- doing it ---- */

static void cancel(struct work *work)
{
    if (work->count > 1)
        tandem_group_cancel(&work->group);
    else
        tandem_update_cancel(&work->updates[0]);
}

/* Devices that have answered for the first time: show how they stand before anything is done to them. */
static void greet(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        const struct tandem_info *info = tandem_update_info(&work->updates[i]);
        if (work->met[i] || info->known == 0)
            continue;
        work->met[i] = 1;
        if ((info->known & TANDEM_INFO_SERIAL) && info->serial[0] != '\0')
            (void)snprintf(work->lines[i].name, sizeof work->lines[i].name, "%s", info->serial);
        if (work->show.drawn > 0) {
            printf("\033[%dA\033[J", work->show.drawn); /* above the bars */
            work->show.drawn = 0;
        }
        show_state(&work->show, &work->lines[i], info, "before");
    }
}

static enum tandem_status poll_all(struct work *work)
{
    uint32_t now = tandem_posix_now_ms();
    if (work->is_realtek)
        host_realtek_receive(&work->realtek);
    for (size_t i = 0; !work->is_realtek && i < work->count; i++)
        host_receive(&work->devices[i]);
    return work->count > 1 ? tandem_group_poll(&work->group, now) : tandem_update_poll(&work->updates[0], now);
}

static enum tandem_status transfer(struct work *work)
{
    enum tandem_status status;
    uint64_t begin = tandem_posix_now_us();
    for (;;) {
        status = poll_all(work);
        greet(work);
        show_progress(&work->show, work->lines, work->updates, work->count, status != TANDEM_AGAIN);
        if (status != TANDEM_AGAIN)
            break;
        if (interrupts != 0 && !work->cancelled) {
            work->cancelled = 1;
            cancel(work);
        }
        if (work->timeout != 0 && !work->timed_out &&
            tandem_posix_now_us() - begin >= work->timeout * (uint64_t)1000000u) {
            work->timed_out = 1;
            cancel(work);
        }
        if (work->is_realtek)
            host_realtek_rest(&work->realtek, 5);
        else
            host_rest(work->devices, work->count, 5);
    }
    return status;
}

/* ---- telling how it ended ---- */

static int runs_new(const struct tandem_update *update)
{
    const struct tandem_update_result *result = tandem_update_result(update);
    return result->status == TANDEM_OK && result->runs == TANDEM_RUNS_NEW;
}

static void tell_success(const struct work *work, double seconds)
{
    char version[TANDEM_VERSION_TEXT_SIZE], size[24], speed[24];
    size_t already = 0;
    double fastest = 0;
    for (size_t i = 0; i < work->count; i++) {
        already += tandem_update_result(&work->updates[i])->already;
        double one = show_speed(&work->lines[i]);
        fastest = one > fastest ? one : fastest;
    }
    tandem_version_format(
        work->is_realtek ? &tandem_update_info(&work->updates[0])->version : &work->offer.manifest.version, version);
    if (already == work->count)
        printf("%s %s already\n", work->count == 1 ? "it runs" : "all run", version);
    else
        printf("%lu device%s now run%s %s: %s%s in %.1f s, trial included; sent at %s/s\n", (unsigned long)work->count,
               work->count == 1 ? "" : "s", work->count == 1 ? "s" : "", version,
               show_bytes(size, work->offer.source->size), work->count == 1 ? "" : " each", seconds,
               show_bytes(speed, fastest));
}

/* The reason for one device; says nothing about those that only followed the others. */
static void tell_failure(struct work *work, size_t index)
{
    const struct tandem_update_result *result = tandem_update_result(&work->updates[index]);
    char reason[EXPLAIN_SIZE], clean[EXPLAIN_SIZE];
    const struct tandem_info *info = tandem_update_info(&work->updates[index]);
    if (!work->is_realtek || !host_realtek_explain(&work->realtek, reason, sizeof reason, result, info))
        explain(reason, result, &work->offer, info, work->lines[index].note);
    size_t n = 0;
    for (const char *p = reason; *p != '\0'; p++) /* parts of it came from the device */
        clean[n++] = (unsigned char)*p < 0x20 || *p == 0x7F ? '?' : *p;
    clean[n] = '\0';
    show_result(&work->show, &work->lines[index], &work->updates[index], clean);
    if (result->status == TANDEM_ERROR_CANCELLED && !work->cancelled)
        return;
    (void)tool_fail(0, "%s: %s", work->lines[index].name, clean);
}

static int finish(struct work *work, enum tandem_status status, double seconds)
{
    size_t done = 0;
    for (size_t i = 0; i < work->count; i++) {
        const struct tandem_info *info = tandem_update_info(&work->updates[i]);
        done += (size_t)runs_new(&work->updates[i]);
        if (info->known != 0)
            show_state(&work->show, &work->lines[i], info, "after");
    }
    for (size_t i = 0; i < work->count; i++) {
        if (runs_new(&work->updates[i]))
            show_result(&work->show, &work->lines[i], &work->updates[i], NULL);
        else
            tell_failure(work, i);
    }
    if (status == TANDEM_OK && !work->json)
        tell_success(work, seconds);
    if (status == TANDEM_OK)
        return TOOL_OK;
    if (done != 0)
        return tool_fail((int)status,
                         "%lu of %lu devices run the new firmware; run the same command again to "
                         "bring the others after them",
                         (unsigned long)done, (unsigned long)work->count);
    if (work->timed_out && status == TANDEM_ERROR_CANCELLED)
        return tool_fail(TANDEM_ERROR_TIMEOUT, "not done within %lu s; given up", (unsigned long)work->timeout);
    if (work->count > 1 && !tandem_group_result(&work->group)->committed)
        return tool_fail((int)status, "so all stay on their old firmware");
    return (int)status;
}

static int update(struct work *work, int argc, char **argv)
{
    int option;
    work->baud = 115200;
    while ((option = tool_option(argc, argv, options)) != TOOL_OPTION_END) {
        if (option == TOOL_OPTION_BAD)
            return TOOL_USAGE;
        if (option == TOOL_OPTION_HELP)
            return tool_help(&cmd_update);
        int code = take_option(work, option, optarg);
        if (code != TOOL_OK)
            return code;
    }
    if (work->count == 0)
        return tool_usage("update", "--to is missing: which device?");
    if (optind + 1 != argc)
        return tool_usage("update", optind == argc ? "which package?" : "give one package only");
    work->path = argv[optind];
    int code = check_addresses(work);
    if (code == TOOL_OK)
        code = work->is_realtek ? open_realtek(work) : open_package(work);
    if (code != TOOL_OK)
        return code;
    prepare(work);
    uint64_t begin = tandem_posix_now_us();
    enum tandem_status status = transfer(work);
    return finish(work, status, (double)(tandem_posix_now_us() - begin) / 1e6);
}

static int run(int argc, char **argv)
{
    struct work *work = calloc(1, sizeof *work);
    if (work == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    int code = update(work, argc, argv);
    for (size_t i = 0; i < work->count; i++)
        if (work->devices[i].wire.port.write != NULL)
            host_close(&work->devices[i]);
    host_realtek_close(&work->realtek);
    package_release(&work->package);
    free(work);
    return code;
}

const struct tool_command cmd_update = {"update", "carry a package into devices", help, run};
