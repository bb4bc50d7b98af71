/*
 * The last bytes of RAM, which bootloader and application share. They outlive
 * a reset, but not a loss of power.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "layout.h"
#include "tandem/boot_report.h"

struct handover {
    uint8_t report[TANDEM_BOOT_REPORT_SIZE];   /* the bootloader's */
    uint8_t request[TANDEM_BOOT_REQUEST_SIZE]; /* the application's */
};

#define HANDOVER ((struct handover *)HANDOVER_ADDRESS)

#endif
