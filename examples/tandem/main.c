/*
 * The `tandem` command: finds the command that is asked for and runs it.
 */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */

#include "tool.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tandem/tandem.h"

/* In the order in which the help lists them. */
static const struct tool_command *const commands[] = {
    &cmd_keygen, &cmd_pack, &cmd_inspect, &cmd_verify, &cmd_update, &cmd_status, &cmd_usb, &cmd_device,
};

static const char usage[] = "Usage: tandem COMMAND [OPTION ...] [ARGUMENT ...]\n"
                            "\n"
                            "Firmware update: pack it, prove it, carry it into devices.\n"
                            "\n";

static const char more[] = "\n"
                           "  tandem COMMAND --help   about one command\n"
                           "  tandem --version        which version this is\n"
                           "\n"
                           "Exit codes: 0 done; 1 the system said no (a file, a permission, memory);\n"
                           "2 the command line is wrong; otherwise Tandem's own status:\n"
                           "  16 ... 21     not possible now (18 busy, 20 cancelled)\n"
                           "  32 ... 37     flash or link (34 no answer in time, 35 disconnected)\n"
                           "  48 ... 51     not a package, truncated, of another kind, or too large\n"
                           "  64 ... 68     not authentic (64 unsigned, 65 no trusted key, 68 altered)\n"
                           "  80 ... 86     not for this device (81 hardware, 82 version, 83 counter)\n"
                           "  96 ... 99     a condition of the device (96 battery, 99 still on trial)\n"
                           "  112, 113      the new firmware did not hold; nothing may be started\n";

static int print_help(void)
{
    fputs(usage, stdout);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs(more, stdout);
    return TOOL_OK;
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return tool_usage("", "which command?");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help();
    if (strcmp(argv[1], "--version") == 0) {
        printf("tandem %s\n", TANDEM_VERSION_STRING);
        return TOOL_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return commands[i]->run(argc - 1, argv + 1);
    return tool_usage("", "there is no %s '%s'", argv[1][0] == '-' ? "option" : "command", argv[1]);
}

int main(int argc, char **argv)
{
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error to report, not an end */
    int code = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        return tool_fail(TOOL_SYSTEM, "cannot write the output: %s", strerror(errno));
    return code;
}
