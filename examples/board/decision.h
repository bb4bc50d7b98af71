/*
 * What a bootloader does at reset: an image to start, or a reason to recover.
 */
#ifndef DECISION_H
#define DECISION_H

#include "tandem/boot.h"
#include "tandem/recovery.h"

/* Whether an image can be started at all: what was signed may still have been linked for another place. The board's. */
int board_is_startable(const struct tandem_boot_image *image);

/*
 * Decide, and leave word of it to the application. `button`: recovery is asked
 * for at the board. Returns TANDEM_RECOVERY_NOT: start `boot->images[0]`;
 * TANDEM_RECOVERY_DOUBT: give hosts a moment, then start it all the same; else
 * why to recover.
 */
enum tandem_recovery_cause decision_make(struct tandem_boot *boot, int button);

#endif
