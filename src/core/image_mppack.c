/*
 * Reading Realtek's files of several images: the MP header before an image,
 * packs, packs for a pair. docs/images.md has the layouts.
 */
#include <stddef.h>
#include <string.h>

#include "tandem/image_mppack.h"
#include "bytes.h"
#include "image_mppack.h"

/* ---- the MP header ---- */

/* Known fields, in the order in which they are written. */
static const struct {
    uint16_t type;
    uint8_t size;  /* of the value in the header */
    uint8_t width; /* of the number that it becomes; 0: bytes */
    uint16_t field;
    uint16_t place;
} fields[] = {
#define FIELD(type, size, width, field, member)                             \
    {                                                                       \
        type, size, width, field, offsetof(struct tandem_mp_header, member) \
    }
    FIELD(0x0001, 2, 2, TANDEM_MP_BIN_ID, bin_id),
    FIELD(0x0002, 4, 4, TANDEM_MP_BIN_VERSION, bin_version),
    FIELD(0x0003, 32, 0, TANDEM_MP_PART, part),
    FIELD(0x0004, 4, 4, TANDEM_MP_DATA_SIZE, data_size),
    FIELD(0x00FE, 1, 1, TANDEM_MP_REVISION, revision),
    FIELD(0x0011, 1, 1, TANDEM_MP_OTA_VERSION, ota_version),
    FIELD(0x0012, 2, 2, TANDEM_MP_IMAGE, image),
    FIELD(0x0013, 4, 4, TANDEM_MP_ADDRESS, address),
    FIELD(0x0014, 4, 4, TANDEM_MP_IMAGE_SIZE, image_size),
    FIELD(0x0016, 4, 4, TANDEM_MP_IMAGE_VERSION, image_version),
    FIELD(0x001B, 2, 2, TANDEM_MP_DIGEST_AT, digest_at),
    FIELD(0x001C, 8, 8, TANDEM_MP_ADDRESS_64, address_64),
    FIELD(0x0021, 1, 1, TANDEM_MP_MEMORY, memory),
    FIELD(0x0024, 8, 8, TANDEM_MP_VERSION_64, version_64),
    FIELD(0x0100, 1, 1, TANDEM_MP_IC, ic),
#undef FIELD
};
#define FIELDS (sizeof fields / sizeof fields[0])

static uint64_t load(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    while (size-- > 0)
        value = value << 8 | at[size];
    return value;
}

static void put_number(void *place, unsigned width, uint64_t value)
{
    uint8_t byte = (uint8_t)value;
    uint16_t half = (uint16_t)value;
    uint32_t word = (uint32_t)value;
    const void *from = width == 1 ? (const void *)&byte : width == 2 ? (const void *)&half : (const void *)&word;

    memcpy(place, width == 8 ? (const void *)&value : from, width);
}

static uint64_t get_number(const void *place, unsigned width)
{
    uint8_t byte;
    uint16_t half;
    uint32_t word;
    uint64_t value;

    switch (width) {
    case 1:
        memcpy(&byte, place, 1);
        return byte;
    case 2:
        memcpy(&half, place, 2);
        return half;
    case 4:
        memcpy(&word, place, 4);
        return word;
    default:
        memcpy(&value, place, 8);
        return value;
    }
}

static enum tandem_status take_field(struct tandem_mp_header *header, uint16_t type, const uint8_t *value, uint8_t size)
{
    unsigned row = 0;

    while (row < FIELDS && fields[row].type != type)
        row++;
    if (row == FIELDS)
        return TANDEM_OK;
    if ((header->has & fields[row].field) || (size != fields[row].size && !(type == 0x001C && size == 4)))
        return TANDEM_ERROR_FORMAT;
    header->has |= fields[row].field;
    if (fields[row].width == 0)
        memcpy((uint8_t *)header + fields[row].place, value, size);
    else
        put_number((uint8_t *)header + fields[row].place, fields[row].width, load(value, size));
    return TANDEM_OK;
}

enum tandem_status tandem_mp_header_read(struct tandem_mp_header *header, const uint8_t bytes[TANDEM_MP_HEADER_SIZE])
{
    uint32_t at = 0;

    memset(header, 0, sizeof *header);
    if (bytes[0] != 1 || bytes[1] != 0 || bytes[2] != 2)
        return TANDEM_ERROR_FORMAT;
    while (at + 3 <= TANDEM_MP_HEADER_SIZE) {
        uint16_t type = tandem_load_le16(bytes + at);
        uint8_t size = bytes[at + 2];

        if (type == 0 || type == 0xFFFF)
            break;
        at += 3;
        if (size > TANDEM_MP_HEADER_SIZE - at || take_field(header, type, bytes + at, size) != TANDEM_OK)
            return TANDEM_ERROR_FORMAT;
        at += size;
    }
    return TANDEM_OK;
}

void tandem_mp_header_write(const struct tandem_mp_header *header, uint8_t bytes[TANDEM_MP_HEADER_SIZE])
{
    uint8_t *at = bytes;

    memset(bytes, 0, TANDEM_MP_HEADER_SIZE);
    for (unsigned row = 0; row < FIELDS; row++) {
        const uint8_t *place = (const uint8_t *)header + fields[row].place;

        if (!(header->has & fields[row].field))
            continue;
        tandem_store_le16(at, fields[row].type);
        at[2] = fields[row].size;
        at += 3;
        if (fields[row].width == 0) {
            memcpy(at, place, fields[row].size);
        } else {
            uint64_t value = get_number(place, fields[row].width);

            for (unsigned i = 0; i < fields[row].size; i++)
                at[i] = (uint8_t)(value >> (8 * i));
        }
        at += fields[row].size;
    }
}

/* ---- packs ---- */

static int has_bit(const struct tandem_mppack *pack, uint32_t bit)
{
    return (pack->bitmap[bit / 8] >> (bit % 8)) & 1;
}

/* One line of the table. */
struct entry {
    uint32_t address;
    uint32_t size;
    uint32_t flags;
};

static enum tandem_status read_entry(const struct tandem_mppack *pack, uint16_t index, struct entry *entry)
{
    uint8_t bytes[PACK_ENTRY_LONG];
    unsigned width = pack->entry_size == PACK_ENTRY ? 4 : 8;
    enum tandem_status status =
        tandem_image_read(pack->source, pack->entries_at + (uint32_t)index * pack->entry_size, bytes, pack->entry_size);

    if (status != TANDEM_OK)
        return status;
    if (load(bytes, width) > 0xFFFFFFFFu || load(bytes + width, width) > 0xFFFFFFFFu)
        return TANDEM_ERROR_TOO_LARGE;
    entry->address = (uint32_t)load(bytes, width);
    entry->size = (uint32_t)load(bytes + width, width);
    entry->flags = (uint32_t)load(bytes + 2 * width, 4);
    return TANDEM_OK;
}

/* The files fill what the header says, to the byte. */
static enum tandem_status check_table(const struct tandem_mppack *pack)
{
    uint32_t left = pack->size - pack->data_at;

    for (uint16_t i = 0; i < pack->count; i++) {
        struct entry entry;
        enum tandem_status status = read_entry(pack, i, &entry);

        if (status != TANDEM_OK)
            return status;
        if (entry.size < TANDEM_MP_HEADER_SIZE || entry.size > left)
            return TANDEM_ERROR_FORMAT;
        left -= entry.size;
    }
    return left == 0 ? TANDEM_OK : TANDEM_ERROR_FORMAT;
}

enum tandem_status tandem_mppack_open(struct tandem_mppack *pack, const struct tandem_source *source)
{
    uint8_t head[PACK_HEAD];
    uint16_t extension;
    uint32_t bitmap_at = PACK_HEAD;
    enum tandem_status status = tandem_image_read(source, 0, head, sizeof head);

    if (status != TANDEM_OK)
        return status;
    if (tandem_load_le16(head) != PACK_MAGIC)
        return TANDEM_ERROR_FORMAT;
    extension = tandem_load_le16(head + PACK_EXTENSION);
    memset(pack, 0, sizeof *pack);
    pack->source = source;
    pack->size = tandem_load_le32(head + PACK_SIZE);
    pack->version = extension & PACK_VERSION_MASK;
    pack->ic = (uint8_t)(extension >> 8);
    pack->dual_bank = (extension & PACK_DUAL_BANK) != 0;
    pack->ota_allowed = pack->version < 3 || (extension & PACK_OTA_ALLOWED) != 0;
    pack->compressed = pack->version >= 4 && (extension & PACK_COMPRESSED) != 0;
    pack->entry_size = pack->version == 5 && (extension & PACK_LONG) ? PACK_ENTRY_LONG : PACK_ENTRY;
    pack->bits = pack->version <= 1 ? 32 : TANDEM_MPPACK_BITS_MAX;
    if (pack->version > 5)
        return TANDEM_ERROR_UNSUPPORTED;
    if (pack->version > 4)
        bitmap_at += PACK_EXTRA;
    status = tandem_image_read(source, bitmap_at, pack->bitmap, pack->bits / 8u);
    if (status != TANDEM_OK)
        return status;
    for (uint32_t bit = 0; bit < pack->bits; bit++)
        pack->count = (uint16_t)(pack->count + has_bit(pack, bit));
    pack->entries_at = bitmap_at + pack->bits / 8u;
    pack->data_at = pack->entries_at + (uint32_t)pack->count * pack->entry_size;
    if (pack->count == 0 || pack->size < pack->data_at)
        return TANDEM_ERROR_FORMAT;
    if (pack->size > source->size)
        return TANDEM_ERROR_TRUNCATED;
    return check_table(pack);
}

/* Images that are there once, for both banks: what lies outside them. */
static int once(uint8_t ic, uint16_t function, const struct tandem_mp_header *mp)
{
    if (tandem_mppack_is_audio(ic) && ((function >= 14 && function <= 16) || function == 24))
        return 1; /* factory, backups, voice prompts */
    if ((ic == 5 || ic == 9 || ic == 12) && (function == 14 || function == 15))
        return 1;
    if (!(mp->has & TANDEM_MP_IMAGE))
        return 0;
    return (mp->image >= 0x278D && mp->image <= 0x278F) || mp->image == 0x379D || mp->image == 0x27A4 ||
           mp->image >= 0xFFF7;
}

enum tandem_status tandem_mppack_file(const struct tandem_mppack *pack, uint16_t index, struct tandem_mppack_file *file)
{
    uint8_t bytes[TANDEM_MP_HEADER_SIZE];
    uint16_t half = pack->bits / 2;
    uint32_t bit = 0;
    struct entry entry = {0, 0, 0};
    enum tandem_status status = TANDEM_OK;

    if (index >= pack->count)
        return TANDEM_ERROR_ARGUMENT;
    memset(file, 0, sizeof *file);
    file->offset = pack->data_at;
    for (uint16_t i = 0; i <= index && status == TANDEM_OK; i++) {
        file->offset += entry.size;
        status = read_entry(pack, i, &entry);
    }
    if (status == TANDEM_OK)
        status = tandem_image_read(pack->source, file->offset, bytes, sizeof bytes);
    if (status != TANDEM_OK)
        return status;
    for (uint16_t seen = 0; bit < pack->bits; bit++)
        if (has_bit(pack, bit) && seen++ == index)
            break;
    file->index = index;
    file->bank = bit >= half;
    file->function = (uint16_t)(bit % half);
    file->address = entry.address;
    file->size = entry.size;
    file->is_compressed = entry.flags & 1;
    status = tandem_mp_header_read(&file->mp, bytes);
    file->any_bank =
        !file->bank && !has_bit(pack, (uint32_t)file->function + half) && once(pack->ic, file->function, &file->mp);
    return status;
}

/* The place of a bit's file. */
static uint16_t index_of(const struct tandem_mppack *pack, uint32_t bit)
{
    uint16_t index = 0;

    while (bit-- > 0)
        index = (uint16_t)(index + has_bit(pack, bit));
    return index;
}

enum tandem_status tandem_mppack_next(const struct tandem_mppack *pack, uint8_t bank, uint16_t *function,
                                      struct tandem_mppack_file *file)
{
    uint16_t half = pack->bits / 2;

    for (; *function < half; (*function)++) {
        uint32_t bit = *function + (bank ? half : 0u);
        int other = has_bit(pack, *function + (bank ? 0u : half));
        enum tandem_status status;

        if (!has_bit(pack, bit) && !other)
            continue;
        if (!has_bit(pack, bit))
            bit = *function + (bank ? 0u : half);
        status = tandem_mppack_file(pack, index_of(pack, bit), file);
        if (status == TANDEM_OK && file->bank != (bank != 0) && !file->any_bank)
            status = TANDEM_ERROR_INCOMPLETE;
        if (status == TANDEM_OK)
            (*function)++;
        return status;
    }
    return TANDEM_ERROR_NOTHING;
}

/* ---- the trailer ---- */

/* One record, from `*at` on, which moves behind it. @return characters of the name; 0: no such record */
static size_t read_record(const struct tandem_source *source, uint32_t *at, char *text, size_t size)
{
    uint8_t character[2];
    size_t length = 0;

    if (tandem_image_read(source, *at, character, 2) != TANDEM_OK || tandem_load_le16(character) != '|')
        return 0;
    for (*at += 2; tandem_image_read(source, *at, character, 2) == TANDEM_OK; *at += 2) {
        uint16_t code = tandem_load_le16(character);

        if (code == ':') {
            *at += 2 + TANDEM_MP_HEADER_SIZE;
            if (size > 0)
                text[length < size ? length : size - 1] = '\0';
            return length;
        }
        if (length >= 1000)
            return 0;
        if (length < size)
            text[length] = code >= 0x20 && code < 0x7F ? (char)code : '?';
        length++;
    }
    return 0;
}

size_t tandem_mppack_name(const struct tandem_mppack *pack, uint16_t index, char *text, size_t size)
{
    uint32_t at = pack->size;
    size_t length;

    do
        length = read_record(pack->source, &at, text, size);
    while (length > 0 && index-- > 0);
    if (length >= size)
        length = size > 0 ? size - 1 : 0;
    return length;
}

/* ---- packs for a pair ---- */

enum tandem_status tandem_realtek_pair_open(struct tandem_realtek_pair *pair, const struct tandem_source *source)
{
    uint8_t bytes[12];
    uint32_t offset;
    enum tandem_status status = tandem_image_read(source, 0, bytes, sizeof bytes);

    if (status != TANDEM_OK)
        return status;
    if (tandem_load_le32(bytes) != PAIR_MAGIC)
        return TANDEM_ERROR_FORMAT;
    memset(pair, 0, sizeof *pair);
    pair->version = tandem_load_le32(bytes + 4);
    pair->count = tandem_load_le32(bytes + 8);
    if (pair->count == 0)
        return TANDEM_ERROR_FORMAT;
    if (pair->count > TANDEM_REALTEK_PAIR_MAX)
        return TANDEM_ERROR_TOO_LARGE;
    offset = 12 + 8 * pair->count;
    for (uint32_t i = 0; i < pair->count; i++) {
        status = tandem_image_read(source, 12 + 8 * i, bytes, 8);
        if (status != TANDEM_OK)
            return status;
        pair->packs[i].role = tandem_load_le32(bytes);
        pair->packs[i].size = tandem_load_le32(bytes + 4);
        pair->packs[i].offset = offset;
        if (pair->packs[i].size == 0)
            return TANDEM_ERROR_FORMAT;
        if (offset > source->size || pair->packs[i].size > source->size - offset)
            return TANDEM_ERROR_TRUNCATED;
        offset += pair->packs[i].size;
    }
    return offset == source->size ? TANDEM_OK : TANDEM_ERROR_FORMAT;
}
