/*
 * tandem status: what devices say of themselves.
 */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "host.h"
#include "show.h"

static const char help[] = "Usage: tandem status --to ADDRESS [--to ADDRESS ...] [OPTION ...]\n"
                           "       tandem status --serial DEVICE [--baud N]\n"
                           "\n"
                           "Ask devices what they run and how their last update ended.\n"
                           "\n"
                           "  --to ADDRESS     HOST:PORT or unix:PATH; repeat for several\n"
                           "  --serial DEVICE  a serial line, as /dev/ttyUSB0; repeat for several\n"
                           "  --baud N         of the serial lines (115200)\n"
                           "  --timeout S      seconds to wait for an answer (5)\n"
                           "  --json           one JSON object for each device\n"
                           "  -h, --help       this text\n";

#define DEVICES_MAX 64

static struct host_device devices[DEVICES_MAX];

/* One step: connect, then ask. */
static enum tandem_status step(const struct tandem_target *target, int *connected, struct tandem_info *info)
{
    target->poll(target->ctx, tandem_posix_now_ms());
    if (!*connected) {
        enum tandem_status status = target->connect(target->ctx);
        if (status != TANDEM_OK)
            return status;
        *connected = 1;
    }
    return target->query(target->ctx, info);
}

static int ask(struct host_device *device, struct show *show, uint32_t timeout_ms)
{
    const struct tandem_target *target;
    struct show_device line;
    struct tandem_info info;
    enum tandem_status status;
    int connected = 0;
    host_init(device);
    target = tandem_link_host_target(&device->link);
    memset(&info, 0, sizeof info);
    uint32_t begin = tandem_posix_now_ms();
    do {
        host_receive(device);
        status = step(target, &connected, &info);
        if (status == TANDEM_AGAIN)
            host_rest(device, 1, 5);
    } while (status == TANDEM_AGAIN && tandem_posix_now_ms() - begin < timeout_ms);
    (void)target->disconnect(target->ctx);
    host_close(device);
    if (status == TANDEM_AGAIN)
        return tool_fail(TANDEM_ERROR_TIMEOUT, "%s does not answer; is it a Tandem device, and on?", device->address);
    if (status != TANDEM_OK)
        return tool_fail((int)status, "cannot ask %s: %s", device->address,
                         device->note[0] != '\0' ? device->note : tandem_status_text(status));
    memset(&line, 0, sizeof line);
    line.address = device->address;
    line.note = device->note;
    (void)snprintf(line.name, sizeof line.name, "%s",
                   (info.known & TANDEM_INFO_SERIAL) && info.serial[0] != '\0' ? info.serial : device->address);
    show_state(show, &line, &info, "now");
    return TOOL_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"to", required_argument, NULL, 't'},
                                            {"serial", required_argument, NULL, 's'},
                                            {"baud", required_argument, NULL, 'b'},
                                            {"timeout", required_argument, NULL, 'w'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    uint32_t baud = 115200, timeout = 5;
    size_t count = 0;
    int option, json = 0, code = TOOL_OK;
    while (code == TOOL_OK && (option = tool_option(argc, argv, options)) != TOOL_OPTION_END) {
        if (option == TOOL_OPTION_BAD)
            return TOOL_USAGE;
        if (option == TOOL_OPTION_HELP)
            return tool_help(&cmd_status);
        if (option == 'j')
            json = 1;
        else if (option == 'b')
            code = tool_number(&baud, optarg, 10000000) == 0 ? TOOL_OK : tool_usage("status", "--baud is a number");
        else if (option == 'w')
            code = tool_number(&timeout, optarg, 3600) == 0 ? TOOL_OK : tool_usage("status", "--timeout is in seconds");
        else if (count == DEVICES_MAX)
            code = tool_usage("status", "at most %d devices at once", DEVICES_MAX);
        else if (option == 's' || (code = host_check_address("status", optarg)) == TOOL_OK) {
            devices[count].serial = option == 's';
            devices[count++].address = optarg;
        }
    }
    if (code == TOOL_OK && optind < argc)
        code = tool_usage("status", "what is '%s'? Devices are given with --to", argv[optind]);
    if (code == TOOL_OK && count == 0)
        code = tool_usage("status", "--to is missing: which device?");
    struct show show;
    show_init(&show, json);
    for (size_t i = 0; i < count && (code == TOOL_OK || code >= TANDEM_ERROR_ARGUMENT); i++) {
        devices[i].baud = baud;
        int one = ask(&devices[i], &show, timeout * 1000u);
        code = code == TOOL_OK ? one : code;
    }
    return code;
}

const struct tool_command cmd_status = {"status", "ask devices what they run", help, run};
