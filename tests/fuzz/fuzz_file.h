/*
 * A file for fuzz targets that watches where it is read. To plant a fault, let
 * its source claim more bytes than there are.
 */
#ifndef TANDEM_FUZZ_FILE_H
#define TANDEM_FUZZ_FILE_H

#include <string.h>

#include "fuzz.h"
#include "tandem/port.h"

struct fuzz_file {
    const uint8_t *bytes;
    size_t size;
};

static inline enum tandem_status fuzz_file_read(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct fuzz_file *file = ctx;

    MUST(offset <= file->size && size <= file->size - offset);
    memcpy(data, file->bytes + offset, size);
    return TANDEM_OK;
}

#endif
