/*
 * One image that `tandem pack` is given.
 */
#ifndef TANDEM_PACK_IMAGE_H
#define TANDEM_PACK_IMAGE_H

#include "tool.h"

struct pack_image {
    struct tandem_pack_image pack;
    const char *path;
    int has_version; /* 0: it takes the package's */
    struct tool_file file;
};

/* Read the option's value; `text` is cut up. Says what is wrong and returns the exit code. */
int pack_image_parse(struct pack_image *image, char *text);
/* Read the image's file. */
int pack_image_load(struct pack_image *image);

#endif
