/*
 * The end of RAM, which bootloader and application share. It outlives a
 * reset, but not a loss of power: what lies there is checked.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "layout.h"
#include "tandem/boot_report.h"

struct handover {
    uint8_t request[TANDEM_BOOT_REQUEST_SIZE]; /* from the application: recovery, please */
    uint8_t report[TANDEM_BOOT_REPORT_SIZE];   /* to the application: what was decided */
};

#define HANDOVER ((struct handover *)HANDOVER_ADDRESS)

#endif
