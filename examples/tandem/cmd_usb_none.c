/*
 * tandem usb, in a build without libusb.
 */
#include "tool.h"

static int run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return tool_fail(TANDEM_ERROR_NOT_SUPPORTED, "this build has no USB: libusb-1.0 was not there when it was made");
}

const struct tool_command cmd_usb = {"usb", "USB DFU devices (not in this build)", "This build has no USB.\n", run};
