/*
 * Firmware as bytes: out of Intel HEX, DFU and DfuSe files.
 */
#include "flatten.h"

#include <stdlib.h>
#include <string.h>

#include "inspect_image.h"
#include "tandem/image.h"
#include "tandem/image_hex.h"
#include "tandem/image_usb.h"

#define SPAN_MAX 0x4000000u /* bytes between the first and the last of a HEX file: 64 MB */

static int fail_hex(const char *path, const struct tandem_hex *hex, enum tandem_status status)
{
    if (status == TANDEM_ERROR_FORMAT)
        return tool_fail((int)status,
                         "%s is damaged: line %lu is no record of an Intel HEX file, or claims an address twice", path,
                         (unsigned long)hex->line);
    return inspect_fail(path, "Intel HEX file", status);
}

static int flatten_hex(struct tool_file *file, const char *path, struct flat *flat)
{
    struct tandem_source source;
    struct tandem_hex hex;
    tandem_image_memory(&source, file->data, (uint32_t)file->size);
    enum tandem_status status = tandem_hex_read(&hex, &source);
    if (status != TANDEM_OK)
        return fail_hex(path, &hex, status);
    if (hex.bytes == 0)
        return tool_fail(TANDEM_ERROR_ARGUMENT, "%s holds no data", path);
    if (hex.last - hex.first >= SPAN_MAX)
        return tool_fail(TANDEM_ERROR_TOO_LARGE,
                         "%s reaches from 0x%08lx to 0x%08lx; cut it into files of one area each", path,
                         (unsigned long)hex.first, (unsigned long)hex.last);
    uint32_t size = hex.last - hex.first + 1;
    uint8_t *out = malloc(size), *taken = calloc(size, 1);
    int code = out == NULL || taken == NULL ? tool_fail(TOOL_SYSTEM, "not enough memory for %s", path) : TOOL_OK;
    if (code == TOOL_OK) {
        flat->address = hex.first;
        flat->has_address = 1;
        memset(out, 0xFF, size);
        status = tandem_hex_load(&hex, &source, flat->address, out, taken, size);
        if (status != TANDEM_OK)
            code = fail_hex(path, &hex, status);
    }
    free(taken);
    if (code != TOOL_OK) {
        free(out);
        return code;
    }
    free(file->data);
    file->data = out;
    file->size = size;
    return TOOL_OK;
}

static int flatten_dfu(struct tool_file *file, const char *path)
{
    struct tandem_source source;
    struct tandem_dfu_suffix suffix;
    tandem_image_memory(&source, file->data, (uint32_t)file->size);
    if (tandem_dfu_suffix_read(&suffix, &source) != TANDEM_OK)
        return tool_fail(TANDEM_ERROR_DIGEST, "%s is damaged: the CRC of its DFU suffix does not hold", path);
    file->size -= suffix.size;
    return TOOL_OK;
}

static int flatten_dfuse(struct tool_file *file, const char *path, struct flat *flat)
{
    struct tandem_source source;
    struct tandem_dfuse dfuse;
    struct tandem_dfuse_element element;
    tandem_image_memory(&source, file->data, (uint32_t)file->size);
    enum tandem_status status = tandem_dfuse_open(&dfuse, &source);
    if (status == TANDEM_ERROR_DIGEST)
        return tool_fail((int)status, "%s is damaged: the CRC of its DFU suffix does not hold", path);
    if (status != TANDEM_OK)
        return inspect_fail(path, "DfuSe file", status);
    memset(&element, 0, sizeof element);
    if (dfuse.elements != 1 || tandem_dfuse_next(&dfuse, &element) != TANDEM_OK)
        return tool_fail(TANDEM_ERROR_UNSUPPORTED,
                         "%s holds %lu areas of memory, and one is wanted; see `tandem inspect`", path,
                         (unsigned long)dfuse.elements);
    flat->address = element.address;
    flat->has_address = 1;
    memmove(file->data, file->data + element.offset, element.size);
    file->size = element.size;
    return TOOL_OK;
}

int flatten(struct tool_file *file, const char *path, struct flat *flat)
{
    struct tandem_source source;
    memset(flat, 0, sizeof *flat);
    if (file->size > 0xFFFFFFFFu)
        return tool_fail(TANDEM_ERROR_TOO_LARGE, "%s is larger than 4 GB", path);
    tandem_image_memory(&source, file->data, (uint32_t)file->size);
    enum tandem_image_format format = tandem_image_format(&source);
    if (format != TANDEM_FORMAT_INTEL_HEX && format != TANDEM_FORMAT_DFU && format != TANDEM_FORMAT_DFUSE)
        return TOOL_OK;
    flat->from = tandem_image_format_name(format);
    if (format == TANDEM_FORMAT_INTEL_HEX)
        return flatten_hex(file, path, flat);
    return format == TANDEM_FORMAT_DFU ? flatten_dfu(file, path) : flatten_dfuse(file, path, flat);
}
