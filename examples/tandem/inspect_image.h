/*
 * `tandem inspect` for firmware that is no Tandem package.
 */
#ifndef TANDEM_INSPECT_IMAGE_H
#define TANDEM_INSPECT_IMAGE_H

#include "tool.h"

/* Whether the file is in a format that is known, other than a package. Returns 1 or 0. */
int inspect_knows(const struct tool_file *file);
/* Show it, in words or as JSON; says what is wrong and returns the exit code. */
int inspect_image(const struct tool_file *file, const char *path, int json);
/* Say why a file in a known format cannot be read. Returns the exit code. */
int inspect_fail(const char *path, const char *what, enum tandem_status status);

#endif
