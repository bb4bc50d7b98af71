/*
 * Firmware as bytes, whatever file it comes in.
 */
#ifndef TANDEM_FLATTEN_H
#define TANDEM_FLATTEN_H

#include "tool.h"

struct flat {
    uint32_t address; /* where the bytes belong, if the file said so */
    int has_address;
    const char *from; /* what the file was, if it was anything; NULL: bytes */
};

/*
 * Take out of `file` what runs: an Intel HEX file becomes the bytes that it
 * describes, gaps 0xFF; a DFU suffix goes; a DfuSe file with one element
 * becomes that. Anything else stays. Says what is wrong and returns the exit
 * code.
 */
int flatten(struct tool_file *file, const char *path, struct flat *flat);

#endif
