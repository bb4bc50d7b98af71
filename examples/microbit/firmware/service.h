/*
 * The application's update service: Tandem's link over the UART.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "tandem/link.h"

/* Open the installer and the UART. `version` as hosts shall see it; NULL: the running package's.
   @return as tandem_install_init() */
enum tandem_status service_open(const struct tandem_version *version);

/* The installer, for confirming. */
struct tandem_install *service_install(void);

/* Do what there is to do, then sleep for at most 10 ms. */
void service_run(void);

#endif
