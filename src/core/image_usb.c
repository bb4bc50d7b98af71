/*
 * Files for USB DFU: suffix, and ST's DfuSe file.
 *
 * USB Device Firmware Upgrade 1.1, appendix B; ST UM0391.
 */
#include <string.h>

#include "tandem/crypto.h"
#include "tandem/image.h"
#include "tandem/image_usb.h"
#include "bytes.h"

/* The suffix, from its first byte. */
#define SUFFIX_DEVICE 0u
#define SUFFIX_PRODUCT 2u
#define SUFFIX_VENDOR 4u
#define SUFFIX_VERSION 6u
#define SUFFIX_SIGNATURE 8u /* "UFD", then bytes of the suffix */
#define SUFFIX_LENGTH 11u
#define SUFFIX_CRC 12u

static enum tandem_status crc_of(const struct tandem_source *source, uint32_t size, uint32_t *crc)
{
    uint8_t piece[256];

    for (uint32_t at = 0; at < size;) {
        uint32_t take = size - at < sizeof piece ? size - at : (uint32_t)sizeof piece;
        enum tandem_status status = tandem_image_read(source, at, piece, take);

        if (status != TANDEM_OK)
            return status;
        *crc = tandem_crc32(*crc, piece, take);
        at += take;
    }
    return TANDEM_OK;
}

enum tandem_status tandem_dfu_suffix_read(struct tandem_dfu_suffix *suffix, const struct tandem_source *source)
{
    uint8_t bytes[TANDEM_DFU_SUFFIX_SIZE];
    uint32_t crc = TANDEM_CRC32_START;
    enum tandem_status status;

    if (source->size < sizeof bytes)
        return TANDEM_ERROR_NOTHING;
    status = tandem_image_read(source, source->size - (uint32_t)sizeof bytes, bytes, sizeof bytes);
    if (status != TANDEM_OK)
        return status;
    if (memcmp(bytes + SUFFIX_SIGNATURE, "UFD", 3) != 0 || bytes[SUFFIX_LENGTH] < sizeof bytes)
        return TANDEM_ERROR_NOTHING;
    suffix->device = tandem_load_le16(bytes + SUFFIX_DEVICE);
    suffix->product = tandem_load_le16(bytes + SUFFIX_PRODUCT);
    suffix->vendor = tandem_load_le16(bytes + SUFFIX_VENDOR);
    suffix->version = tandem_load_le16(bytes + SUFFIX_VERSION);
    suffix->size = bytes[SUFFIX_LENGTH];
    suffix->crc = tandem_load_le32(bytes + SUFFIX_CRC);
    if (suffix->size > source->size)
        return TANDEM_ERROR_FORMAT;
    status = crc_of(source, source->size - 4, &crc);
    if (status != TANDEM_OK)
        return status;
    return crc == suffix->crc ? TANDEM_OK : TANDEM_ERROR_DIGEST;
}

/* All but the CRC. */
static void put_suffix(const struct tandem_dfu_suffix *suffix, uint8_t *bytes)
{
    tandem_store_le16(bytes + SUFFIX_DEVICE, suffix->device);
    tandem_store_le16(bytes + SUFFIX_PRODUCT, suffix->product);
    tandem_store_le16(bytes + SUFFIX_VENDOR, suffix->vendor);
    tandem_store_le16(bytes + SUFFIX_VERSION, suffix->version);
    memcpy(bytes + SUFFIX_SIGNATURE, "UFD", 3);
    bytes[SUFFIX_LENGTH] = TANDEM_DFU_SUFFIX_SIZE;
}

enum tandem_status tandem_dfu_suffix_write(const struct tandem_dfu_suffix *suffix, const struct tandem_source *source,
                                           uint8_t bytes[TANDEM_DFU_SUFFIX_SIZE])
{
    uint32_t crc = TANDEM_CRC32_START;
    enum tandem_status status = crc_of(source, source->size, &crc);

    if (status != TANDEM_OK)
        return status;
    put_suffix(suffix, bytes);
    tandem_store_le32(bytes + SUFFIX_CRC, tandem_crc32(crc, bytes, SUFFIX_CRC));
    return TANDEM_OK;
}

/* ---- DfuSe ---- */

#define PREFIX 11u /* "DfuSe", version u8, size u32, targets u8 */
#define PREFIX_VERSION 5u
#define PREFIX_SIZE 6u
#define PREFIX_TARGETS 10u
#define TARGET 274u /* "Target", setting u8, named u32, name, size u32, elements u32 */
#define TARGET_SETTING 6u
#define TARGET_NAMED 7u
#define TARGET_NAME 11u
#define TARGET_SIZE 266u
#define TARGET_ELEMENTS 270u
#define ELEMENT 8u /* address u32, size u32 */

/* The elements of one target, which fill it. */
static enum tandem_status check_target(const struct tandem_dfuse *file, uint32_t at, uint32_t size, uint32_t elements)
{
    uint8_t bytes[ELEMENT];

    for (; elements > 0; elements--) {
        uint32_t length;
        enum tandem_status status;

        if (size < ELEMENT)
            return TANDEM_ERROR_FORMAT;
        status = tandem_image_read(file->source, at, bytes, sizeof bytes);
        if (status != TANDEM_OK)
            return status;
        length = tandem_load_le32(bytes + 4);
        if (length > size - ELEMENT)
            return TANDEM_ERROR_FORMAT;
        at += ELEMENT + length;
        size -= ELEMENT + length;
    }
    return size == 0 ? TANDEM_OK : TANDEM_ERROR_FORMAT;
}

static enum tandem_status check_targets(struct tandem_dfuse *file)
{
    uint32_t at = PREFIX;
    uint8_t bytes[TARGET];

    for (unsigned i = 0; i < file->targets; i++) {
        uint32_t size, elements;
        enum tandem_status status;

        if (file->size - at < TARGET)
            return TANDEM_ERROR_FORMAT;
        status = tandem_image_read(file->source, at, bytes, sizeof bytes);
        if (status != TANDEM_OK)
            return status;
        size = tandem_load_le32(bytes + TARGET_SIZE);
        elements = tandem_load_le32(bytes + TARGET_ELEMENTS);
        at += TARGET;
        if (memcmp(bytes, "Target", 6) != 0 || size > file->size - at)
            return TANDEM_ERROR_FORMAT;
        status = check_target(file, at, size, elements);
        if (status != TANDEM_OK)
            return status;
        file->elements += elements;
        at += size;
    }
    return at == file->size ? TANDEM_OK : TANDEM_ERROR_FORMAT;
}

enum tandem_status tandem_dfuse_open(struct tandem_dfuse *file, const struct tandem_source *source)
{
    uint8_t bytes[PREFIX];
    uint32_t said;
    enum tandem_status ending;
    enum tandem_status status = tandem_image_read(source, 0, bytes, sizeof bytes);

    if (status != TANDEM_OK)
        return status;
    if (memcmp(bytes, "DfuSe", 5) != 0)
        return TANDEM_ERROR_FORMAT;
    if (bytes[PREFIX_VERSION] != 1)
        return TANDEM_ERROR_UNSUPPORTED;
    memset(file, 0, sizeof *file);
    file->source = source;
    file->targets = bytes[PREFIX_TARGETS];
    file->size = source->size;
    ending = tandem_dfu_suffix_read(&file->suffix, source);
    if (ending == TANDEM_OK || ending == TANDEM_ERROR_DIGEST) {
        file->has_suffix = 1;
        file->size -= file->suffix.size;
    } else if (ending != TANDEM_ERROR_NOTHING) {
        return ending;
    }
    said = tandem_load_le32(bytes + PREFIX_SIZE); /* some writers count the suffix, some do not */
    if (said > source->size)
        return TANDEM_ERROR_TRUNCATED;
    if (file->size < PREFIX || (said != source->size && said != file->size))
        return TANDEM_ERROR_FORMAT;
    status = check_targets(file);
    return status == TANDEM_OK && ending == TANDEM_ERROR_DIGEST ? ending : status;
}

/* Fill in what the target at `at` says. */
static enum tandem_status enter_target(const struct tandem_dfuse *file, uint32_t at,
                                       struct tandem_dfuse_element *element, uint32_t *elements, uint32_t *end)
{
    uint8_t bytes[TARGET];
    enum tandem_status status = tandem_image_read(file->source, at, bytes, sizeof bytes);

    if (status != TANDEM_OK)
        return status;
    memset(element, 0, sizeof *element);
    element->target_at = at;
    element->alternate = bytes[TARGET_SETTING];
    element->is_named = tandem_load_le32(bytes + TARGET_NAMED) != 0;
    memcpy(element->name, bytes + TARGET_NAME, TANDEM_DFUSE_NAME_SIZE);
    *elements = tandem_load_le32(bytes + TARGET_ELEMENTS);
    *end = at + TARGET + tandem_load_le32(bytes + TARGET_SIZE);
    return TANDEM_OK;
}

enum tandem_status tandem_dfuse_next(const struct tandem_dfuse *file, struct tandem_dfuse_element *element)
{
    uint32_t target = element->target_at != 0 ? element->target_at : PREFIX;
    uint32_t index = element->target_at != 0 ? element->index + 1 : 0;
    uint32_t at = element->target_at != 0 ? element->offset + element->size : PREFIX + TARGET;

    while (target < file->size) {
        uint32_t elements, end;
        uint8_t bytes[ELEMENT];
        enum tandem_status status = enter_target(file, target, element, &elements, &end);

        if (status != TANDEM_OK)
            return status;
        if (index < elements) {
            status = tandem_image_read(file->source, at, bytes, sizeof bytes);
            element->index = index;
            element->offset = at + ELEMENT;
            element->address = tandem_load_le32(bytes);
            element->size = tandem_load_le32(bytes + 4);
            return status;
        }
        target = end;
        at = end + TARGET;
        index = 0;
    }
    return TANDEM_ERROR_NOTHING;
}

enum tandem_status tandem_dfuse_size(const struct tandem_dfuse_item *items, uint32_t count, uint32_t *size)
{
    uint64_t sum = PREFIX + TANDEM_DFU_SUFFIX_SIZE;
    unsigned targets = 0;
    uint8_t seen[256] = {0};

    if (count == 0)
        return TANDEM_ERROR_ARGUMENT;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || items[i].alternate != items[i - 1].alternate) {
            if (seen[items[i].alternate]++ || ++targets > 255)
                return TANDEM_ERROR_ARGUMENT;
            sum += TARGET;
        }
        sum += ELEMENT + (uint64_t)items[i].size;
    }
    *size = (uint32_t)sum;
    return sum <= 0xFFFFFFFFu ? TANDEM_OK : TANDEM_ERROR_TOO_LARGE;
}

/* The items of one setting. @return how many they are */
static uint32_t put_target(const struct tandem_dfuse_item *items, uint32_t count, uint8_t **out)
{
    uint8_t *head = *out;
    uint8_t *at = head + TARGET;
    uint32_t taken = 0;

    memset(head, 0, TARGET);
    memcpy(head, "Target", 6);
    head[TARGET_SETTING] = items->alternate;
    if (items->name != NULL) {
        tandem_store_le32(head + TARGET_NAMED, 1);
        for (size_t i = 0; i < TANDEM_DFUSE_NAME_SIZE - 1 && items->name[i] != '\0'; i++)
            head[TARGET_NAME + i] = (uint8_t)items->name[i];
    }
    for (; taken < count && items[taken].alternate == items->alternate; taken++) {
        tandem_store_le32(at, items[taken].address);
        tandem_store_le32(at + 4, items[taken].size);
        if (items[taken].size > 0)
            memcpy(at + ELEMENT, items[taken].data, items[taken].size);
        at += ELEMENT + items[taken].size;
    }
    tandem_store_le32(head + TARGET_SIZE, (uint32_t)(at - head) - TARGET);
    tandem_store_le32(head + TARGET_ELEMENTS, taken);
    *out = at;
    return taken;
}

enum tandem_status tandem_dfuse_write(const struct tandem_dfuse_item *items, uint32_t count,
                                      const struct tandem_dfu_suffix *suffix, uint8_t *out, uint32_t size)
{
    struct tandem_dfu_suffix ending = *suffix;
    uint32_t whole;
    uint32_t crc;
    uint8_t *at = out + PREFIX;
    enum tandem_status status = tandem_dfuse_size(items, count, &whole);

    if (status != TANDEM_OK)
        return status;
    if (whole != size)
        return TANDEM_ERROR_ARGUMENT;
    memcpy(out, "DfuSe", 5);
    out[PREFIX_VERSION] = 1;
    tandem_store_le32(out + PREFIX_SIZE, size);
    out[PREFIX_TARGETS] = 0;
    for (uint32_t i = 0; i < count; out[PREFIX_TARGETS]++)
        i += put_target(items + i, count - i, &at);
    ending.version = TANDEM_DFU_DFUSE;
    put_suffix(&ending, at);
    crc = tandem_crc32(TANDEM_CRC32_START, out, size - 4);
    tandem_store_le32(at + SUFFIX_CRC, crc);
    return TANDEM_OK;
}
