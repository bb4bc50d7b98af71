/*
 * Realtek, host half: what a file holds, as images that can be sent. Whatever
 * the file, an image is a range of its bytes that begins with an image header.
 */
#include <string.h>

#include "realtek_host_inner.h"
#include "tandem/image_mppack.h"

/* The image behind `at`, of which the MP header may say the version. */
static enum tandem_status add(struct tandem_realtek_file *file, uint32_t at, uint32_t size,
                              const struct tandem_mp_header *mp, uint8_t bank)
{
    struct tandem_realtek_part *part = &file->parts[file->count];
    struct tandem_realtek_header header;
    struct tandem_image_part bytes;
    struct tandem_version version;
    enum tandem_status status;

    if (file->count == TANDEM_REALTEK_PARTS_MAX)
        return TANDEM_ERROR_TOO_LARGE;
    memset(part, 0, sizeof *part);
    status = tandem_image_part(&bytes, file->source, at, size);
    if (status == TANDEM_OK)
        status = tandem_realtek_image_find(&header, &bytes.source);
    if (status == TANDEM_OK)
        status = tandem_image_read(&bytes.source, header.layout.control, part->control, sizeof part->control);
    if (status != TANDEM_OK)
        return status;
    if (file->count != 0 && file->ic != header.control.ic)
        return TANDEM_ERROR_FORMAT; /* for two chips at once */
    file->ic = header.control.ic;
    part->offset = at;
    part->size = header.size;
    part->image = header.control.image;
    part->bank = bank;
    part->compressed = header.layout.form == TANDEM_REALTEK_COMPRESSED;
    part->versioned = 1;
    if (mp != NULL && (mp->has & TANDEM_MP_IMAGE_VERSION))
        part->version = mp->image_version;
    else if (mp != NULL && (mp->has & TANDEM_MP_BIN_VERSION))
        part->version = mp->bin_version;
    else
        part->versioned = tandem_realtek_image_version(&header, &bytes.source, &version) &&
                          tandem_realtek_version_pack(&part->version, file->ic, part->image, &version) == TANDEM_OK;
    file->count++;
    return TANDEM_OK;
}

static enum tandem_status open_pack(struct tandem_realtek_file *file, const struct tandem_source *source, uint32_t base)
{
    struct tandem_mppack pack;
    struct tandem_mppack_file entry;
    enum tandem_status status = tandem_mppack_open(&pack, source);
    uint16_t i;

    if (status != TANDEM_OK)
        return status;
    if (!pack.ota_allowed)
        return TANDEM_ERROR_UNSUPPORTED; /* its maker says that it is for the production line */
    file->packed = 1;
    for (i = 0; i < pack.count && status == TANDEM_OK; i++) {
        status = tandem_mppack_file(&pack, i, &entry);
        if (status == TANDEM_OK && entry.size <= TANDEM_MP_HEADER_SIZE)
            status = TANDEM_ERROR_FORMAT;
        if (status == TANDEM_OK)
            status = add(file, base + entry.offset + TANDEM_MP_HEADER_SIZE, entry.size - TANDEM_MP_HEADER_SIZE,
                         &entry.mp, entry.any_bank ? TANDEM_REALTEK_BANK_ANY : entry.bank);
    }
    return status;
}

static enum tandem_status open_pair(struct tandem_realtek_file *file, uint8_t role)
{
    struct tandem_realtek_pair pair;
    struct tandem_image_part pack;
    enum tandem_status status = tandem_realtek_pair_open(&pair, file->source);
    uint32_t i = 0;

    if (status != TANDEM_OK)
        return status;
    while (i < pair.count && pair.packs[i].role != (role == 2 ? 2u : 1u))
        i++;
    if (i == pair.count)
        return TANDEM_ERROR_INCOMPLETE;
    status = tandem_image_part(&pack, file->source, pair.packs[i].offset, pair.packs[i].size);
    return status == TANDEM_OK ? open_pack(file, &pack.source, pair.packs[i].offset) : status;
}

static enum tandem_status open_single(struct tandem_realtek_file *file)
{
    uint8_t bytes[TANDEM_MP_HEADER_SIZE];
    struct tandem_mp_header mp;
    enum tandem_status status = tandem_image_read(file->source, 0, bytes, sizeof bytes);

    if (status == TANDEM_OK)
        status = tandem_mp_header_read(&mp, bytes);
    if (status != TANDEM_OK)
        return status;
    return add(file, TANDEM_MP_HEADER_SIZE, file->source->size - TANDEM_MP_HEADER_SIZE, &mp, TANDEM_REALTEK_BANK_ANY);
}

/* The first bytes of each kind: none of the others begins so. */
static enum tandem_status open_by_magic(struct tandem_realtek_file *file, uint8_t role)
{
    static const uint8_t pair[4] = {0xC8, 0xB5, 0x97, 0x96}, pack[2] = {0x47, 0x4D}, mp[3] = {0x01, 0x00, 0x02};
    uint8_t bytes[4];
    enum tandem_status status = tandem_image_read(file->source, 0, bytes, sizeof bytes);

    if (status != TANDEM_OK)
        return status;
    if (memcmp(bytes, pair, sizeof pair) == 0)
        return open_pair(file, role);
    if (memcmp(bytes, pack, sizeof pack) == 0)
        return open_pack(file, file->source, 0);
    if (memcmp(bytes, mp, sizeof mp) == 0)
        return open_single(file);
    return add(file, 0, file->source->size, NULL, TANDEM_REALTEK_BANK_ANY);
}

enum tandem_status tandem_realtek_file_open(struct tandem_realtek_file *file, const struct tandem_source *source,
                                            uint8_t role)
{
    memset(file, 0, sizeof *file);
    file->source = source;
    return open_by_magic(file, role);
}
