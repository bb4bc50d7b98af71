/*
 * The update service of a board: Tandem's link over its UART, in the
 * application, and in the bootloader while it recovers.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "tandem/recovery.h"

/* Application: open the installer and the UART. `version` as hosts shall see it; NULL: the running package's.
   @return as tandem_install_init() */
enum tandem_status service_open(const struct tandem_version *version);

/* Application: the installer, for confirming. */
struct tandem_install *service_install(void);

/* Application: do what there is to do, then sleep until the next interrupt. */
void service_run(void);

/* Bootloader: take an update. Comes back when there is something else to do than that: the chip is to be restarted, or
   no host was heard for `silence_ms`; 0: a minute. */
void service_recover(uint32_t silence_ms);

#endif
