/*
 * What the supervisor asks of the folder while the program has it.
 */
#ifndef TANDEM_PORT_LINUX_APP_INNER_H
#define TANDEM_PORT_LINUX_APP_INNER_H

#include "tandem_linux_app.h"

/* Whether what runs is on trial, looked up without the lock and without writing. A record that is being written may be
 * missed: then the one before it counts. @return 1 or 0; 1 also if it cannot be read */
int linux_app_is_on_trial(const struct tandem_linux_app_options *options);

#endif
