/*
 * tandem usb: devices with a DFU interface, ours and others': list them, send
 * to them, read from them, bring them into DFU mode.
 */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tandem/image_usb.h"
#include "tandem/usb_dfu_host.h"
#include "tandem_libusb.h"
#include "tandem_posix.h"

static const char help[] = "Usage: tandem usb list\n"
                           "       tandem usb download [OPTION ...] FILE\n"
                           "       tandem usb upload [OPTION ...] FILE\n"
                           "       tandem usb detach [OPTION ...]\n"
                           "\n"
                           "Devices with a USB DFU interface. A download takes a Tandem package, a file with a\n"
                           "DFU suffix, a DfuSe file, or any other as it is; a device in run-time mode is\n"
                           "brought into DFU mode first. How it ended is what the device says.\n"
                           "\n"
                           "  --device ID[,ID]   vendor:product in run-time mode, and in DFU mode\n"
                           "  --serial NUMBER    its serial number\n"
                           "  --alt NAME|N       alternate setting (0)\n"
                           "  --address A        DfuSe: where it goes, or is read from\n"
                           "  --size N           upload: bytes at most\n"
                           "  --timeout S        seconds until the device has to be back after a download (60)\n"
                           "  --force            upload: replace a file that is there\n"
                           "  -h, --help         this text\n";

enum { OPTION_ALT = 256, OPTION_ADDRESS, OPTION_SIZE, OPTION_FORCE };

static const struct option options[] = {
    {"device", required_argument, NULL, 'd'},
    {"serial", required_argument, NULL, 's'},
    {"alt", required_argument, NULL, OPTION_ALT},
    {"address", required_argument, NULL, OPTION_ADDRESS},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"timeout", required_argument, NULL, 'w'},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Bytes of the file that are sent. */
struct slice {
    const uint8_t *data;
};

struct job {
    struct tandem_libusb usb;
    struct tandem_usb_dfu_host_config config;
    struct tandem_usb_dfu_host host;
    struct tandem_target target; /* the host's */
    struct tandem_update update;
    struct tandem_offer offer;
    struct tandem_source source;
    struct slice slice;
    struct tandem_dfu_suffix suffix;
    struct tool_file file;
    uint32_t size, timeout;
    int force, has_suffix;
    uint16_t met; /* idProduct of the run-time mode */
    uint8_t head[8192], block[4096];
    uint8_t *read; /* what was uploaded */
    size_t read_size;
    int shown; /* percent */
};

/* ---- the command line ---- */

static int take_id(const char **text, uint16_t *vendor, uint16_t *product)
{
    char *end;
    *vendor = (uint16_t)strtoul(*text, &end, 16);
    if (end == *text || *end != ':')
        return -1;
    *text = end + 1;
    *product = (uint16_t)strtoul(*text, &end, 16);
    if (end == *text || (*end != '\0' && *end != ','))
        return -1;
    *text = *end == ',' ? end + 1 : end;
    return 0;
}

static int take_device(struct job *job, const char *text)
{
    struct tandem_usb_dfu_host_config *config = &job->config;
    const char *at = text;
    int bad = take_id(&at, &config->vendor, &config->product);
    config->dfu_vendor = config->vendor;
    if (!bad && *at != '\0')
        bad = take_id(&at, &config->dfu_vendor, &config->dfu_product);
    if (bad || *at != '\0')
        return tool_usage("usb", "--device is VENDOR:PRODUCT or two of them, not '%s'", text);
    return TOOL_OK;
}

static int take_option(struct job *job, int option, const char *value)
{
    struct tandem_usb_dfu_host_config *config = &job->config;
    uint32_t number;
    switch (option) {
    case 'd':
        return take_device(job, value);
    case 's':
        config->serial = value;
        return TOOL_OK;
    case OPTION_ALT:
        if (tool_number(&number, value, 255) == 0)
            config->alternate = (uint8_t)number;
        else
            config->alternate_name = value;
        return TOOL_OK;
    case OPTION_ADDRESS:
        config->has_address = 1;
        return tool_number(&config->address, value, UINT32_MAX) == 0 ? TOOL_OK
                                                                     : tool_usage("usb", "--address is a number");
    case OPTION_SIZE:
        return tool_number(&job->size, value, UINT32_MAX) == 0 ? TOOL_OK : tool_usage("usb", "--size is a number");
    case 'w':
        return tool_number(&job->timeout, value, 3600) == 0 ? TOOL_OK : tool_usage("usb", "--timeout is in seconds");
    default:
        job->force = 1;
        return TOOL_OK;
    }
}

/* ---- what they share ---- */

static int explain(const struct job *job, const char *what, enum tandem_status status)
{
    const char *words = tandem_usb_dfu_host_reason(&job->host);
    if (words[0] != '\0')
        return tool_fail((int)status, "%s: %s (the device says: %s)", what, tandem_status_text(status), words);
    if (job->usb.reason[0] != '\0')
        return tool_fail((int)status, "%s: %s (%s)", what, tandem_status_text(status), job->usb.reason);
    return tool_fail((int)status, "%s: %s", what, tandem_status_text(status));
}

/* Reach the device, and be patient with one that is about to come back. */
static enum tandem_status reach(struct job *job, int in_dfu)
{
    const struct tandem_target *target = &job->target;
    uint32_t begin = tandem_posix_now_ms();
    struct tandem_info info;
    int entered = 0;
    for (;;) {
        target->poll(target->ctx, tandem_posix_now_ms());
        enum tandem_status status = target->connect(target->ctx);
        if (status == TANDEM_OK)
            status = target->query(target->ctx, &info);
        if (status == TANDEM_OK && (job->host.found.dfu || !in_dfu))
            return TANDEM_OK;
        if (status == TANDEM_OK)
            job->met = job->host.found.product;
        if (status == TANDEM_OK && !entered) {
            status = target->enter(target->ctx);
            entered = 1;
        }
        if (status != TANDEM_OK && (!entered || status != TANDEM_ERROR_DISCONNECTED))
            return status;
        (void)target->disconnect(target->ctx);
        if (tandem_posix_now_ms() - begin > 10000)
            return TANDEM_ERROR_TIMEOUT;
        tandem_posix_sleep_ms(100);
    }
}

static void show_percent(struct job *job, uint32_t done, uint32_t total, const char *what)
{
    int percent = total != 0 ? (int)((uint64_t)done * 100 / total) : 0;
    if (!isatty(2) || percent == job->shown)
        return;
    job->shown = percent;
    fprintf(stderr, "\r%s %3d%%%s", what, percent, percent == 100 ? "\n" : "");
}

/* ---- list ---- */

static int list(struct job *job)
{
    char name[TANDEM_USB_DFU_HOST_TEXT];
    enum tandem_status status;
    unsigned count = 0;
    while ((status = tandem_usb_dfu_host_next(&job->host)) == TANDEM_OK) {
        const struct tandem_usb_dfu_found *found = &job->host.found;
        count++;
        printf("%04x:%04x bus %u address %u, %s mode, DFU %x.%02x, block %u", found->vendor, found->product,
               found->place.bus, found->place.address, found->dfu ? "DFU" : "run-time", found->version >> 8,
               found->version & 0xFFu, found->transfer_size);
        if (found->serial[0] != '\0')
            printf(", serial %s", found->serial);
        putchar('\n');
        for (uint8_t i = 0; found->dfu && i < found->alternates; i++) {
            (void)tandem_usb_dfu_host_name(&job->host, i, name);
            printf("  alt %u: %s\n", i, name);
        }
    }
    if (status != TANDEM_ERROR_NOTHING)
        return explain(job, "cannot list", status);
    return count != 0 ? TOOL_OK : tool_fail(TANDEM_ERROR_NOTHING, "no device with a DFU interface");
}

/* ---- detach ---- */

static int detach(struct job *job)
{
    enum tandem_status status = reach(job, 0);
    if (status == TANDEM_OK)
        status = job->target.enter(job->target.ctx);
    return status == TANDEM_OK ? TOOL_OK : explain(job, "cannot detach", status);
}

/* ---- download ---- */

static enum tandem_status read_slice(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct slice *slice = ctx;
    memcpy(data, slice->data + offset, size);
    return TANDEM_OK;
}

/* The suffix says for which device the file is, in either of its modes. */
static int check_suffix(const struct job *job)
{
    const struct tandem_usb_dfu_found *found = &job->host.found;
    const struct tandem_dfu_suffix *suffix = &job->suffix;
    int vendor = suffix->vendor == TANDEM_DFU_ANY || suffix->vendor == found->vendor;
    int product = suffix->product == TANDEM_DFU_ANY || suffix->product == found->product ||
                  (job->met != 0 && suffix->product == job->met) ||
                  (job->config.product != 0 && suffix->product == job->config.product);
    if (!job->has_suffix || (vendor && product))
        return TOOL_OK;
    return tool_fail(TANDEM_ERROR_TARGET, "the file is for %04x:%04x, by its suffix; the device is %04x:%04x",
                     suffix->vendor, suffix->product, found->vendor, found->product);
}

/* Look for a suffix, which is not sent. */
static int open_file(struct job *job, const char *path)
{
    int code = tool_read(&job->file, path);
    if (code != TOOL_OK)
        return code;
    if (job->file.size == 0 || job->file.size > UINT32_MAX)
        return tool_fail(TANDEM_ERROR_TRUNCATED, "%s is empty, or far too large", path);
    job->slice.data = job->file.data;
    job->source.ctx = &job->slice;
    job->source.read = read_slice;
    job->source.size = (uint32_t)job->file.size;
    enum tandem_status status = tandem_dfu_suffix_read(&job->suffix, &job->source);
    if (status == TANDEM_ERROR_DIGEST)
        return tool_fail((int)status, "%s is damaged: its suffix has another checksum", path);
    job->has_suffix = status == TANDEM_OK;
    return TOOL_OK;
}

static int finish(const struct job *job, enum tandem_status status)
{
    if (status != TANDEM_OK)
        return explain(job, "not updated", status);
    printf("sent %lu bytes; the device has taken them and left DFU mode\n", (unsigned long)job->source.size);
    return TOOL_OK;
}

/* A package or an image: the updater does it all. */
static int update(struct job *job)
{
    struct tandem_update_options wishes = {0};
    struct tandem_update_progress progress;
    enum tandem_status status;
    if (job->has_suffix)
        job->source.size -= job->suffix.size;
    if (tandem_offer_open(&job->offer, &job->source, NULL, job->head, sizeof job->head) != TANDEM_OK)
        tandem_offer_bare(&job->offer, &job->source);
    wishes.confirm_ms = job->timeout * 1000u;
    wishes.attempts = 5;
    tandem_update_init(&job->update, &job->target, &job->offer, &wishes);
    while ((status = tandem_update_poll(&job->update, tandem_posix_now_ms())) == TANDEM_AGAIN) {
        tandem_update_progress(&job->update, &progress);
        show_percent(job, progress.done, progress.total, "sent");
        tandem_posix_sleep_ms(1);
    }
    return finish(job, status);
}

/* Go on with what answers TANDEM_AGAIN. */
#define WAIT_FOR(status, call)                                        \
    do {                                                              \
        job->target.poll(job->target.ctx, tandem_posix_now_ms());     \
        while (((status) = (call)) == TANDEM_AGAIN) {                 \
            tandem_posix_sleep_ms(1);                                 \
            job->target.poll(job->target.ctx, tandem_posix_now_ms()); \
        }                                                             \
    } while (0)

/* One area of a DfuSe file. The last one makes the device start what it has. */
static enum tandem_status send_element(struct job *job, const struct tandem_dfuse_element *element, int last)
{
    const struct tandem_target *target = &job->target;
    enum tandem_status status;
    job->config.alternate = element->alternate;
    job->config.alternate_name = NULL;
    job->config.address = element->address;
    job->config.has_address = 1;
    job->slice.data = job->file.data + element->offset;
    job->source.size = element->size;
    tandem_offer_bare(&job->offer, &job->source);
    status = reach(job, 1);
    if (status == TANDEM_OK)
        WAIT_FOR(status, target->begin(target->ctx, &job->offer, 0, 0));
    if (status == TANDEM_OK)
        WAIT_FOR(status, target->send(target->ctx, &job->offer, 0));
    if (status == TANDEM_OK && last)
        WAIT_FOR(status, target->validate(target->ctx, 0));
    if (status == TANDEM_OK && last)
        WAIT_FOR(status, target->activate(target->ctx));
    (void)target->disconnect(target->ctx);
    return status;
}

static int send_dfuse(struct job *job, const struct tandem_dfuse *file)
{
    struct tandem_source whole = job->source;
    struct tandem_dfuse opened = *file;
    struct tandem_dfuse_element element;
    enum tandem_status status = TANDEM_OK;
    struct slice all = {job->file.data};
    whole.ctx = &all;
    opened.source = &whole;
    memset(&element, 0, sizeof element);
    for (uint32_t i = 0; i < file->elements && status == TANDEM_OK; i++) {
        status = tandem_dfuse_next(&opened, &element);
        if (status == TANDEM_OK)
            status = send_element(job, &element, i + 1 == file->elements);
    }
    return finish(job, status);
}

static int download(struct job *job, const char *path)
{
    struct tandem_dfuse dfuse;
    int code = open_file(job, path);
    if (code != TOOL_OK)
        return code;
    enum tandem_status status = reach(job, 1);
    if (status != TANDEM_OK)
        return explain(job, "cannot reach the device", status);
    code = check_suffix(job);
    (void)job->target.disconnect(job->target.ctx);
    if (code != TOOL_OK)
        return code;
    return tandem_dfuse_open(&dfuse, &job->source) == TANDEM_OK ? send_dfuse(job, &dfuse) : update(job);
}

/* ---- upload ---- */

static enum tandem_status keep(void *ctx, const void *data, size_t size)
{
    struct job *job = ctx;
    uint8_t *grown = realloc(job->read, job->read_size + size);
    if (grown == NULL)
        return TANDEM_ERROR_SPACE;
    job->read = grown;
    memcpy(job->read + job->read_size, data, size);
    job->read_size += size;
    return TANDEM_OK;
}

static int upload(struct job *job, const char *path)
{
    enum tandem_status status = reach(job, 1);
    if (status == TANDEM_OK)
        WAIT_FOR(status, tandem_usb_dfu_host_upload(&job->host, keep, job, job->size));
    if (status != TANDEM_OK)
        return explain(job, "cannot read", status);
    int code = tool_write(path, job->read, job->read_size, 0666, job->force);
    if (code == TOOL_OK)
        printf("read %lu bytes\n", (unsigned long)job->read_size);
    return code;
}

/* ---- the command ---- */

static int open_job(struct job *job)
{
    if (tandem_libusb_open(&job->usb) != TANDEM_OK)
        return tool_fail(TOOL_SYSTEM, "no USB: %s", job->usb.reason);
    job->config.port = &job->usb.port;
    job->config.buffer = job->block;
    job->config.buffer_size = sizeof job->block;
    tandem_usb_dfu_host_init(&job->host, &job->config);
    job->target = *tandem_usb_dfu_host_target(&job->host);
    return TOOL_OK;
}

static int perform(struct job *job, const char *what, int count, char **words)
{
    int files = strcmp(what, "download") == 0 || strcmp(what, "upload") == 0;
    if (count != files)
        return tool_usage("usb", files ? "give one file" : "what is '%s'?", words[0]);
    int code = open_job(job);
    if (code != TOOL_OK)
        return code;
    if (strcmp(what, "list") == 0)
        code = list(job);
    else if (strcmp(what, "detach") == 0)
        code = detach(job);
    else
        code = strcmp(what, "upload") == 0 ? upload(job, words[0]) : download(job, words[0]);
    tandem_libusb_close(&job->usb);
    return code;
}

static int read_options(struct job *job, int argc, char **argv)
{
    int option;
    while ((option = tool_option(argc, argv, options)) != TOOL_OPTION_END) {
        if (option == TOOL_OPTION_BAD)
            return TOOL_USAGE;
        int code = take_option(job, option, optarg);
        if (code != TOOL_OK)
            return code;
    }
    return TOOL_OK;
}

static int run(int argc, char **argv)
{
    static const char *const words[] = {"list", "download", "upload", "detach"};
    int known = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return tool_help(&cmd_usb);
    for (size_t i = 0; argc > 1 && i < sizeof words / sizeof words[0]; i++)
        known |= strcmp(argv[1], words[i]) == 0;
    if (!known)
        return tool_usage("usb", "list, download, upload or detach?");
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    job->size = UINT32_MAX;
    job->timeout = 60;
    job->shown = -1;
    int code = read_options(job, argc - 1, argv + 1);
    if (code == TOOL_OK)
        code = perform(job, argv[1], argc - 1 - optind, argv + 1 + optind);
    tool_release(&job->file);
    free(job->read);
    free(job);
    return code;
}

const struct tool_command cmd_usb = {"usb", "list, update and read USB DFU devices", help, run};
