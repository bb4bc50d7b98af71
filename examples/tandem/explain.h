/*
 * Why a device did not take an update, in words that say what to do.
 */
#ifndef TANDEM_EXPLAIN_H
#define TANDEM_EXPLAIN_H

#include "host.h"
#include "tandem/update.h"

#define EXPLAIN_SIZE 400

/* One sentence to `text`. `note` is the connection's last reason; "": none. */
void explain(char text[EXPLAIN_SIZE], const struct tandem_update_result *result, const struct tandem_offer *offer,
             const struct tandem_info *info, const char *note);
/* A name for a state, as `tandem status` shows it. */
const char *explain_state(enum tandem_state state);

#endif
