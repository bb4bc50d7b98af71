/*
 * How the POSIX ports say why something failed: one sentence, into a place
 * that the caller may leave out.
 */
#ifndef TANDEM_PORT_POSIX_REASON_H
#define TANDEM_PORT_POSIX_REASON_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tandem_posix.h"

/* "what: the system's reason" */
static inline void posix_reason(char *reason, const char *what, const char *why)
{
    if (reason != NULL)
        (void)snprintf(reason, TANDEM_POSIX_REASON_SIZE, "%.120s: %.120s", what, why);
}

#endif
