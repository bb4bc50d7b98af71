/*
 * tandem device: a simulated device. Switches it on; after that the process
 * is the device, and what it executes is what is in its flash.
 */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"

static const char help[] = "Usage: tandem device --state DIR [--pub KEY.pub --listen ADDRESS\n"
                           "                     --factory PACKAGE.tdm] [OPTION ...]\n"
                           "\n"
                           "Switch on a simulated device. DIR holds its flash and its description. The\n"
                           "bootloader verifies the firmware in the active bank and executes it; that\n"
                           "firmware takes updates from `tandem update`. Kill the process with -9 to pull\n"
                           "the plug; start it again to plug it in. SIGTERM or ctrl-C switch it off.\n"
                           "\n"
                           "A new device, which is made when DIR has none:\n"
                           "  --factory PACKAGE    its first firmware; ignored if there is a device already\n"
                           "  --pub KEY.pub        a key that it trusts; repeat for several\n"
                           "  --listen ADDRESS     HOST:PORT (port 0: the system chooses) or unix:PATH\n"
                           "  --name NAME          what it calls itself (its role, or device)\n"
                           "  --role ROLE          its place in a group: left, right or a number (0: alone)\n"
                           "  --vendor, --product NAME   as in its first firmware\n"
                           "  --hardware N         revision (1)\n"
                           "  --profile realtek    its firmware speaks Realtek's DFU, as over SPP, in place of\n"
                           "                       Tandem's link\n"
                           "  --one-bank           with it: it says that it has one bank and a temp area\n"
                           "  --radio DIR          with it: it is reached by GATT over a simulated radio, whose\n"
                           "                       air is that folder\n"
                           "  --pair DIR           with it: the other bud of its pair is in that folder\n"
                           "\n"
                           "With --vendor and --product in place of --factory it has a bootloader alone, which\n"
                           "takes the first firmware from `tandem update`.\n"
                           "\n"
                           "DIR remembers these; given again they replace what it remembers. The address\n"
                           "that hosts connect to is also in the file DIR/address.\n"
                           "\n"
                           "How it behaves:\n"
                           "  --watchdog[=SECONDS] restart it when its firmware crashes, or hangs for so\n"
                           "                       long (10), as the chip's watchdog would\n"
                           "  --battery PERCENT    it has a battery; below 20 it refuses updates\n"
                           "  --flash-timing E,P   an erase takes E ms, programming 256 bytes P us; a usual\n"
                           "                       serial flash is 45,400. Without it: as fast as the file\n"
                           "  --erase-idle         erase the free bank in idle time\n"
                           "  --recovery           the recovery button is held: the bootloader takes an update\n"
                           "                       itself, as it does when there is nothing to start\n"
                           "  -h, --help           this text\n";

enum {
    OPTION_STATE = 256,
    OPTION_PUB,
    OPTION_LISTEN,
    OPTION_FACTORY,
    OPTION_NAME,
    OPTION_ROLE,
    OPTION_VENDOR,
    OPTION_PRODUCT,
    OPTION_HARDWARE,
    OPTION_WATCHDOG,
    OPTION_BATTERY,
    OPTION_TIMING,
    OPTION_ERASE_IDLE,
    OPTION_RECOVERY,
    OPTION_PROFILE,
    OPTION_ONE_BANK,
    OPTION_PAIR,
    OPTION_RADIO,
    OPTION_AFTER_RESET
};

static const struct option options[] = {
    {"state", required_argument, NULL, OPTION_STATE},
    {"pub", required_argument, NULL, OPTION_PUB},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"factory", required_argument, NULL, OPTION_FACTORY},
    {"name", required_argument, NULL, OPTION_NAME},
    {"role", required_argument, NULL, OPTION_ROLE},
    {"vendor", required_argument, NULL, OPTION_VENDOR},
    {"product", required_argument, NULL, OPTION_PRODUCT},
    {"hardware", required_argument, NULL, OPTION_HARDWARE},
    {"watchdog", optional_argument, NULL, OPTION_WATCHDOG},
    {"battery", required_argument, NULL, OPTION_BATTERY},
    {"flash-timing", required_argument, NULL, OPTION_TIMING},
    {"erase-idle", no_argument, NULL, OPTION_ERASE_IDLE},
    {"recovery", no_argument, NULL, OPTION_RECOVERY},
    {"profile", required_argument, NULL, OPTION_PROFILE},
    {"one-bank", no_argument, NULL, OPTION_ONE_BANK},
    {"pair", required_argument, NULL, OPTION_PAIR},
    {"radio", required_argument, NULL, OPTION_RADIO},
    {"after-reset", required_argument, NULL, OPTION_AFTER_RESET}, /* the firmware's own way back here */
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* The command line. */
struct order {
    const char *state;
    const char *factory;
    struct board_facts facts; /* as it is given */
    uint32_t given;           /* bit n: option OPTION_STATE + n was */
    int listener;             /* of the time before the reset; -1: it was switched on */
};

static int has(const struct order *order, int option)
{
    return order->given >> (option - OPTION_STATE) & 1;
}

/* ---- reading the command line ---- */

static int take_text(char *to, size_t size, const char *option, const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length >= size)
        return tool_usage("device", "%s has 1 to %lu bytes", option, (unsigned long)size - 1);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20)
            return tool_usage("device", "%s holds a control character", option);
    memcpy(to, text, length + 1);
    return TOOL_OK;
}

static int take_number(uint32_t *to, const char *option, const char *text, uint32_t limit)
{
    if (tool_number(to, text, limit) == 0)
        return TOOL_OK;
    return tool_usage("device", "%s is a number from 0 to %lu, not '%s'", option, (unsigned long)limit, text);
}

static int take_role(struct board_facts *facts, const char *text)
{
    if (strcmp(text, "left") == 0 || strcmp(text, "right") == 0) {
        facts->role = text[0] == 'l' ? 1 : 2;
        return TOOL_OK;
    }
    if (tool_number(&facts->role, text, 255) == 0)
        return TOOL_OK;
    return tool_usage("device", "--role is left, right or a number, not '%s'", text);
}

static int take_key(struct board_facts *facts, const char *path)
{
    struct tool_public key;
    if (facts->key_count == BOARD_KEYS)
        return tool_usage("device", "--pub at most %d times", BOARD_KEYS);
    int code = tool_read_public(&key, path);
    if (code != TOOL_OK)
        return code;
    facts->keys[facts->key_count].type = key.type;
    memcpy(facts->keys[facts->key_count].bytes, key.bytes, sizeof key.bytes);
    facts->key_count++;
    return TOOL_OK;
}

static int take_timing(struct board_facts *facts, char *text)
{
    char *comma = strchr(text, ',');
    uint32_t erase_ms = 0;
    if (comma != NULL)
        *comma = '\0';
    if (comma == NULL || tool_number(&erase_ms, text, 10000) != 0 ||
        tool_number(&facts->program_us, comma + 1, 1000000) != 0)
        return tool_usage("device", "--flash-timing is ERASE_MS,PROGRAM_US, as 45,400");
    facts->erase_us = erase_ms * 1000u;
    return TOOL_OK;
}

static int take_option(struct order *order, int option, char *value)
{
    struct board_facts *facts = &order->facts;
    uint32_t number = 0;
    int code;
    order->given |= 1u << (option - OPTION_STATE);
    switch (option) {
    case OPTION_STATE:
        order->state = value;
        return TOOL_OK;
    case OPTION_FACTORY:
        order->factory = value;
        return TOOL_OK;
    case OPTION_PUB:
        return take_key(facts, value);
    case OPTION_LISTEN:
        return take_text(facts->listen, sizeof facts->listen, "--listen", value);
    case OPTION_NAME:
        return take_text(facts->name, sizeof facts->name, "--name", value);
    case OPTION_ROLE:
        return take_role(facts, value);
    case OPTION_VENDOR:
        return take_text(facts->vendor, sizeof facts->vendor, "--vendor", value);
    case OPTION_PRODUCT:
        return take_text(facts->product, sizeof facts->product, "--product", value);
    case OPTION_HARDWARE:
        return take_number(&facts->hardware, "--hardware", value, 65535);
    case OPTION_WATCHDOG:
        facts->watchdog = 10;
        return value == NULL ? TOOL_OK : take_number(&facts->watchdog, "--watchdog", value, 3600);
    case OPTION_BATTERY:
        return take_number(&facts->battery, "--battery", value, 100);
    case OPTION_TIMING:
        return take_timing(facts, value);
    case OPTION_ERASE_IDLE:
        facts->erase_idle = 1;
        return TOOL_OK;
    case OPTION_RECOVERY:
        return TOOL_OK;
    case OPTION_PROFILE:
        facts->realtek = strcmp(value, "realtek") == 0;
        if (facts->realtek || strcmp(value, "tandem") == 0)
            return TOOL_OK;
        return tool_usage("device", "--profile is tandem or realtek, not '%s'", value);
    case OPTION_ONE_BANK:
        facts->one_bank = 1;
        return TOOL_OK;
    case OPTION_RADIO:
        return take_text(facts->radio, sizeof facts->radio, "--radio", value);
    case OPTION_PAIR:
        return take_text(facts->pair, sizeof facts->pair, "--pair", value);
    default:
        code = take_number(&number, "--after-reset", value, 65535);
        order->listener = (int)number;
        return code;
    }
}

/* ---- switching on ---- */

/* What is given replaces what the board remembers. */
static void merge(struct board_facts *facts, const struct order *order)
{
    const struct board_facts *given = &order->facts;
    if (has(order, OPTION_LISTEN)) {
        if (strcmp(facts->listen, given->listen) != 0)
            facts->address[0] = '\0';
        memcpy(facts->listen, given->listen, sizeof facts->listen);
    }
    if (has(order, OPTION_NAME))
        memcpy(facts->name, given->name, sizeof facts->name);
    if (has(order, OPTION_VENDOR))
        memcpy(facts->vendor, given->vendor, sizeof facts->vendor);
    if (has(order, OPTION_PRODUCT))
        memcpy(facts->product, given->product, sizeof facts->product);
    if (has(order, OPTION_ROLE))
        facts->role = given->role;
    if (has(order, OPTION_PROFILE))
        facts->realtek = given->realtek;
    if (has(order, OPTION_ONE_BANK))
        facts->one_bank = given->one_bank;
    if (has(order, OPTION_RADIO))
        memcpy(facts->radio, given->radio, sizeof facts->radio);
    if (has(order, OPTION_PAIR))
        memcpy(facts->pair, given->pair, sizeof facts->pair);
    if (has(order, OPTION_HARDWARE))
        facts->hardware = given->hardware;
    if (has(order, OPTION_BATTERY))
        facts->battery = given->battery;
    if (has(order, OPTION_TIMING)) {
        facts->erase_us = given->erase_us;
        facts->program_us = given->program_us;
    }
    if (has(order, OPTION_PUB)) {
        facts->key_count = given->key_count;
        memcpy(facts->keys, given->keys, sizeof facts->keys);
    }
    facts->erase_idle = given->erase_idle; /* how it behaves is said anew at each start */
    facts->watchdog = given->watchdog;
    if (facts->name[0] == '\0')
        (void)snprintf(facts->name, sizeof facts->name, "%s",
                       facts->role == 1   ? "left"
                       : facts->role == 2 ? "right"
                                          : "device");
}

/* The facts that the board remembers, if there is one; `exists` tells. The flash's lock tells whether it runs. */
static int recall(struct board_facts *facts, const char *state, int *exists)
{
    char path[BOARD_PATH_SIZE], reason[TANDEM_POSIX_REASON_SIZE] = "";
    static struct board board;
    board_facts_default(facts);
    *exists = 0;
    if (board_path(path, state, "flash.bin") != 0)
        return tool_fail(TOOL_SYSTEM, "%s: the name is too long", state);
    if (access(path, F_OK) != 0)
        return TOOL_OK;
    enum tandem_status status = board_open(&board, state, "flash.bin", reason);
    board_close(&board);
    if (status == TANDEM_ERROR_BUSY)
        return tool_fail((int)status, "this device is running already: %s", reason);
    /* A description that no longer suits is no obstacle here: what is given may mend it. */
    if (status != TANDEM_OK && status != TANDEM_ERROR_ARGUMENT)
        return tool_fail(status == TANDEM_ERROR_PORT ? TOOL_SYSTEM : (int)status, "%s", reason);
    *facts = board.facts;
    *exists = 1;
    return TOOL_OK;
}

static int store(const struct board_facts *facts, const char *state)
{
    char reason[TANDEM_POSIX_REASON_SIZE] = "";
    enum tandem_status status = board_facts_store(facts, state, reason);
    return status == TANDEM_OK ? TOOL_OK : tool_fail(TOOL_SYSTEM, "%s", reason);
}

static int check_facts(const struct order *order, const struct board_facts *facts, int exists)
{
    if (!exists && order->factory == NULL && (facts->vendor[0] == '\0' || facts->product[0] == '\0'))
        return tool_fail(TOOL_USAGE, "%s holds no device; make one with --factory PACKAGE.tdm", order->state);
    if (facts->key_count == 0)
        return tool_usage("device", "--pub is missing: whose firmware is it to trust?");
    if (facts->listen[0] == '\0')
        return tool_usage("device", "--listen is missing: where is it to be reached?");
    return TOOL_OK;
}

/* Where it was reached before is where it is reached again, if that is free. */
static int open_listener(struct board_facts *facts, int *listener)
{
    char reason[TANDEM_POSIX_REASON_SIZE] = "";
    if (facts->address[0] != '\0' && tandem_posix_listen(listener, facts->address, NULL, reason) == TANDEM_OK)
        return TOOL_OK;
    enum tandem_status status = tandem_posix_listen(listener, facts->listen, facts->address, reason);
    if (status == TANDEM_OK)
        return TOOL_OK;
    return tool_fail(status == TANDEM_ERROR_ARGUMENT ? TOOL_USAGE : TOOL_SYSTEM, "cannot listen: %s", reason);
}

static int write_address(const struct board_facts *facts, const char *state)
{
    char path[BOARD_PATH_SIZE], text[TANDEM_POSIX_ADDRESS_SIZE + 1];
    if (board_path(path, state, "address") != 0)
        return tool_fail(TOOL_SYSTEM, "%s: the name is too long", state);
    int n = snprintf(text, sizeof text, "%s\n", facts->address);
    return tool_write(path, text, (size_t)n, 0644, 1);
}

static int switch_on(const struct order *order, struct board_facts *facts, int *listener)
{
    char path[BOARD_PATH_SIZE];
    int exists = 0;
    if (mkdir(order->state, 0777) != 0 && errno != EEXIST)
        return tool_fail(TOOL_SYSTEM, "cannot make %s: %s", order->state, strerror(errno));
    int code = recall(facts, order->state, &exists);
    if (code != TOOL_OK)
        return code;
    merge(facts, order);
    code = check_facts(order, facts, exists);
    if (code == TOOL_OK && !exists && order->factory != NULL)
        code = device_take_names(facts, order->factory);
    if (code == TOOL_OK && board_path(path, order->state, "address") == 0)
        (void)unlink(path); /* it speaks of the time before */
    if (code == TOOL_OK)
        code = open_listener(facts, listener); /* before anything is made: the address may be wrong */
    if (code == TOOL_OK)
        code = store(facts, order->state);
    if (code == TOOL_OK && !exists && order->factory != NULL)
        code = device_provision(order->state, order->factory);
    board_ram_lose(order->state);
    return code == TOOL_OK ? write_address(facts, order->state) : code;
}

/* ---- the command ---- */

/* This program, to come back to after a reset. */
static const char *own_path(void)
{
    static char path[BOARD_PATH_SIZE];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0 || n >= (ssize_t)sizeof path - 1)
        return getenv("TANDEM_PROGRAM"); /* systems without /proc: the caller has to tell */
    path[n] = '\0';
    return path;
}

static int run(int argc, char **argv)
{
    static struct order order;
    static struct board_facts facts;
    int option;
    order.listener = -1;
    while ((option = tool_option(argc, argv, options)) != TOOL_OPTION_END) {
        if (option == TOOL_OPTION_BAD)
            return TOOL_USAGE;
        if (option == TOOL_OPTION_HELP)
            return tool_help(&cmd_device);
        int code = take_option(&order, option, optarg);
        if (code != TOOL_OK)
            return code;
    }
    if (optind < argc)
        return tool_usage("device", "what is '%s'?", argv[optind]);
    if (order.state == NULL)
        return tool_usage("device", "--state is missing: which folder holds the device?");
    const char *program = own_path();
    if (program == NULL)
        return tool_fail(TOOL_SYSTEM, "cannot find this program's own file; set TANDEM_PROGRAM to it");
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (order.listener >= 0)
        return device_boot(order.state, order.listener, program, 0);
    int listener = -1;
    int code = switch_on(&order, &facts, &listener);
    if (code != TOOL_OK)
        return code;
    printf("%s: on, %s, listening on %s\n", facts.name, order.state, facts.address);
    int pin = has(&order, OPTION_RECOVERY);
    return facts.watchdog != 0 ? device_watch(order.state, listener, program, facts.name, pin)
                               : device_boot(order.state, listener, program, pin);
}

const struct tool_command cmd_device = {"device", "a simulated device to update", help, run};
