/*
 * Bytes of images: from memory, and parts of a whole.
 */
#include <string.h>

#include "tandem/image.h"

enum tandem_status tandem_image_read(const struct tandem_source *source, uint32_t offset, void *data, size_t size)
{
    if (offset > source->size || size > source->size - offset)
        return TANDEM_ERROR_TRUNCATED;
    return size > 0 ? source->read(source->ctx, offset, data, size) : TANDEM_OK;
}

static enum tandem_status read_memory(void *ctx, uint32_t offset, void *data, size_t size)
{
    memcpy(data, (const uint8_t *)ctx + offset, size);
    return TANDEM_OK;
}

void tandem_image_memory(struct tandem_source *source, const void *data, uint32_t size)
{
    source->ctx = (void *)(uintptr_t)data; /* read_memory() only reads */
    source->size = size;
    source->read = read_memory;
}

static enum tandem_status read_part(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct tandem_image_part *part = ctx;

    return part->whole->read(part->whole->ctx, part->offset + offset, data, size);
}

enum tandem_status tandem_image_part(struct tandem_image_part *part, const struct tandem_source *whole, uint32_t offset,
                                     uint32_t size)
{
    part->source.ctx = part;
    part->source.size = size;
    part->source.read = read_part;
    part->whole = whole;
    part->offset = offset;
    return offset <= whole->size && size <= whole->size - offset ? TANDEM_OK : TANDEM_ERROR_TRUNCATED;
}
