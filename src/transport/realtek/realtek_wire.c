/*
 * Realtek's DFU on the wire, for both halves: the dialects as a table, and
 * numbers in and out of bytes.
 */
#include "realtek_wire.h"

#include <string.h>

#include "core/bytes.h"

/* ---- names on air ---- */

static const uint8_t realtek_base[TANDEM_REALTEK_UUID_SIZE] = {0x12, 0xA2, 0x4D, 0x2E, 0xFE, 0x14, 0x48, 0x8E,
                                                               0x93, 0xD2, 0x17, 0x3C, 0x00, 0x00, 0x00, 0x00};
static const uint8_t sig_base[TANDEM_REALTEK_UUID_SIZE] = {0xFB, 0x34, 0x9B, 0x5F, 0x80, 0x00, 0x00, 0x80,
                                                           0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

void tandem_realtek_uuid(uint16_t characteristic, uint8_t uuid[TANDEM_REALTEK_UUID_SIZE])
{
    int vendor = characteristic == TANDEM_REALTEK_OTA_SERVICE || characteristic == TANDEM_REALTEK_DFU_SERVICE ||
                 characteristic == TANDEM_REALTEK_DATA || characteristic == TANDEM_REALTEK_CONTROL ||
                 characteristic == TANDEM_REALTEK_VENDOR_SERVICE;

    memcpy(uuid, vendor ? realtek_base : sig_base, TANDEM_REALTEK_UUID_SIZE);
    tandem_store_le16(uuid + 12, characteristic);
}

void tandem_realtek_advertisement(const uint8_t address[6], uint8_t data[TANDEM_REALTEK_ADVERTISEMENT])
{
    tandem_store_le16(data, TANDEM_REALTEK_COMPANY);
    memcpy(data + 2, address, 6);
}

/* ---- dialects ---- */

static const struct realtek_dialect dialects[] = {
    /* protocol, image header, spec, info, op max, data from, target, flags */
    {REALTEK_PROTOCOL_ABSENT, 12, 0, 1, 0x0C, 0, 9, 0},
    {0x0000, 1024, 1, 12, 0x0C, 12, 11, REALTEK_STORES_HEADER},
    {0x0012, 1024, 5, 16, 0x0E, 0, 11, 0},
    {0x0010, 1024, 5, 12, 0x11, 0, 13,
     REALTEK_ATT_ERRORS | REALTEK_LISTS | REALTEK_IS_LAST | REALTEK_CHECK_OFFSET | REALTEK_RESUMES},
    {0x0011, 1024, 7, 12, 0x00, 0, 11, REALTEK_LISTS | REALTEK_IS_LAST | REALTEK_CHECK_OFFSET | REALTEK_RESUMES},
    {0x0015, 1280, 1, 12, 0x12, 0, 13,
     REALTEK_ATT_ERRORS | REALTEK_LISTS | REALTEK_IS_LAST | REALTEK_CHECK_OFFSET | REALTEK_RESUMES},
    {0x0014, 1024, 0, 9, 0x11, 0, 13,
     REALTEK_ATT_ERRORS | REALTEK_LISTS | REALTEK_IS_LAST | REALTEK_CHECK_OFFSET | REALTEK_RESUMES},
};

const struct realtek_dialect *tandem_realtek_dialect_row(enum tandem_realtek_dialect dialect)
{
    unsigned row = (unsigned)dialect;

    return &dialects[row < sizeof dialects / sizeof dialects[0] ? row : TANDEM_REALTEK_BEE2];
}

struct realtek_layout tandem_realtek_layout_of(uint8_t ic)
{
    static const struct realtek_layout old = {0, 1024, 0, 1};
    static const struct realtek_layout audio = {304, 1024, 1, 1};
    static const struct realtek_layout b_8752h = {432, 1024, 1, 1};
    static const struct realtek_layout b_87x2g = {416, 1280, 1, 1};
    struct realtek_layout layout;

    switch (ic) {
    case TANDEM_REALTEK_IC_8763B:
    case TANDEM_REALTEK_IC_8762C:
    case TANDEM_REALTEK_IC_8762D:
        return old;
    case TANDEM_REALTEK_IC_87X3E:
        return audio;
    case TANDEM_REALTEK_IC_8752H:
        return b_8752h;
    case TANDEM_REALTEK_IC_87X2G:
        return b_87x2g;
    default:
        layout = ic >= TANDEM_REALTEK_IC_87X3E && ic != TANDEM_REALTEK_IC_8762E ? audio : old;
        layout.sure = 0;
        return layout;
    }
}

/* ---- device information ---- */

/* The audio line's mode bits, and ours for them: bit n of the first is bit n of the second. */
static const uint8_t audio_modes[] = {REALTEK_MODE_CHECK, REALTEK_MODE_AES, REALTEK_MODE_AES_ALL, REALTEK_MODE_MULTI,
                                      REALTEK_MODE_OTA};

static uint8_t audio_mode_load(uint8_t bits, unsigned count)
{
    uint8_t mode = 0;

    for (unsigned i = 0; i < count; i++)
        if (bits & 1u << i)
            mode |= audio_modes[i];
    return mode;
}

static uint8_t audio_mode_store(uint8_t mode, unsigned count)
{
    uint8_t bits = 0;

    for (unsigned i = 0; i < count; i++)
        if (mode & audio_modes[i])
            bits |= (uint8_t)(1u << i);
    return bits;
}

static void store_bee(const struct realtek_info *info, uint8_t *bytes)
{
    bytes[2] = info->secure_version;
    bytes[3] = info->mode & 0x7F;
    tandem_store_le16(bytes + 4, info->buffer_size);
    bytes[6] = (uint8_t)info->temp_size;
    tandem_store_le32(bytes + 8, info->indicator);
}

static void store_audio(const struct realtek_info *info, uint8_t *bytes, int stream)
{
    bytes[2] = (uint8_t)(audio_mode_store(info->mode, stream ? 4 : 5) | (info->voice & 3u) << (stream ? 4 : 5));
    bytes[3] = info->bud;
    bytes[4] = (uint8_t)info->temp_size;
    bytes[5] = info->active_bank;
    tandem_store_le16(bytes + 6, info->mtu);
    if (!stream) {
        bytes[8] = info->boot_patch;
        bytes[9] = info->channel;
    }
}

static void store_87x2g(const struct realtek_info *info, uint8_t *bytes)
{
    bytes[2] = (uint8_t)(audio_mode_store(info->mode, 5) | (info->merged ? 0x20u : 0));
    tandem_store_le16(bytes + 4, info->temp_size);
    bytes[6] = info->active_bank;
    bytes[7] = info->boot_patch;
    bytes[8] = info->secure_app;
    tandem_store_le16(bytes + 9, info->control_offset);
}

size_t tandem_realtek_info_store(enum tandem_realtek_dialect dialect, const struct realtek_info *info, uint8_t *bytes)
{
    const struct realtek_dialect *row = tandem_realtek_dialect_row(dialect);

    memset(bytes, 0, row->info_size);
    bytes[0] = info->ic;
    if (dialect == TANDEM_REALTEK_BEE1) { /* free banks: 1 is bank 1 */
        bytes[0] = info->active_bank == REALTEK_BANK_0 ? 0x11 : info->active_bank == REALTEK_BANK_1 ? 0x00 : 0xFF;
        return row->info_size;
    }
    bytes[1] = row->spec;
    switch (dialect) {
    case TANDEM_REALTEK_8752H:
        tandem_store_le16(bytes + 12, info->control_offset);
        tandem_store_le16(bytes + 14, info->compressed_offset);
        store_bee(info, bytes);
        break;
    case TANDEM_REALTEK_AUDIO:
    case TANDEM_REALTEK_STREAM:
        store_audio(info, bytes, dialect == TANDEM_REALTEK_STREAM);
        break;
    case TANDEM_REALTEK_87X2G:
        store_87x2g(info, bytes);
        break;
    case TANDEM_REALTEK_WATCH:
        bytes[1] = info->spec;
        bytes[2] = audio_mode_store(info->mode, 5);
        bytes[3] = info->bud;
        tandem_store_le16(bytes + 4, info->temp_size);
        bytes[6] = info->active_bank;
        tandem_store_le16(bytes + 7, info->mtu);
        break;
    default:
        store_bee(info, bytes);
        break;
    }
    return row->info_size;
}

static void load_bee1(const uint8_t *bytes, size_t size, struct realtek_info *info)
{
    uint8_t bank = size != 0 ? bytes[0] & 0x0F : 0x0F;

    info->ic = TANDEM_REALTEK_IC_8762A;
    info->mode = REALTEK_MODE_AES;
    info->active_bank = bank == 0x0F ? REALTEK_BANK_SINGLE : bank == 1 ? REALTEK_BANK_0 : REALTEK_BANK_1;
}

static enum tandem_status load_bee2(const uint8_t *bytes, size_t size, struct realtek_info *info)
{
    if (info->spec == 0) {
        if (size < 6)
            return TANDEM_ERROR_FORMAT;
        info->active_bank = bytes[2] == 1 ? REALTEK_BANK_0 : bytes[2] == 0 ? REALTEK_BANK_1 : REALTEK_BANK_SINGLE;
        info->mode = bytes[3] & 0x7F;
        info->buffer_size = tandem_load_le16(bytes + 4);
        return TANDEM_OK;
    }
    if (size < 8)
        return TANDEM_ERROR_FORMAT;
    info->secure_version = bytes[2];
    info->mode = bytes[3] & 0x7F;
    info->buffer_size = tandem_load_le16(bytes + 4);
    if (info->spec == 2) {
        info->single_image = tandem_load_le16(bytes + 6);
        return TANDEM_OK;
    }
    if (size < 12)
        return TANDEM_ERROR_FORMAT;
    info->temp_size = bytes[6];
    info->indicator = tandem_load_le32(bytes + 8);
    return TANDEM_OK;
}

static enum tandem_status load_8752h(const uint8_t *bytes, size_t size, struct realtek_info *info)
{
    enum tandem_status status = load_bee2(bytes, size, info);

    if (status != TANDEM_OK || size < 16)
        return TANDEM_ERROR_FORMAT;
    info->control_offset = tandem_load_le16(bytes + 12);
    info->compressed_offset = tandem_load_le16(bytes + 14);
    return TANDEM_OK;
}

/* What products said before there was a bank byte. */
static void load_audio_old(const uint8_t *bytes, struct realtek_info *info)
{
    info->secure_version = bytes[2];
    info->mode = bytes[3] & 0x1F;
    info->bud = (bytes[4] & 1) == 0 && (bytes[3] & 0x20) == 0
                    ? REALTEK_BUD_ALONE
                    : (uint8_t)((bytes[3] & 0x20 ? REALTEK_BUD_LINKED : REALTEK_BUD_UNLINKED) |
                                (bytes[3] & 0x40 ? REALTEK_BUD_SECONDARY : REALTEK_BUD_PRIMARY));
    info->pair_pending = (bytes[3] & 0x80) != 0;
    info->temp_size = bytes[6];
    info->indicator = tandem_load_le32(bytes + 8);
}

static enum tandem_status load_audio(const uint8_t *bytes, size_t size, struct realtek_info *info, int stream)
{
    if (size < 12)
        return TANDEM_ERROR_FORMAT;
    if (info->spec < (stream ? 6 : 4)) {
        load_audio_old(bytes, info);
        return TANDEM_OK;
    }
    info->mode = audio_mode_load(bytes[2], stream ? 4 : 5);
    info->voice = bytes[2] >> (stream ? 4 : 5) & 3;
    info->bud = bytes[3];
    info->temp_size = bytes[4];
    info->active_bank = bytes[5] == 0 ? REALTEK_BANK_SINGLE : bytes[5];
    info->mtu = tandem_load_le16(bytes + 6);
    if (!stream) {
        info->boot_patch = bytes[8];
        info->channel = bytes[9] & 3;
    }
    return TANDEM_OK;
}

static enum tandem_status load_87x2g(const uint8_t *bytes, size_t size, struct realtek_info *info)
{
    if (size < 12)
        return TANDEM_ERROR_FORMAT;
    info->mode = audio_mode_load(bytes[2], 5);
    info->merged = (bytes[2] & 0x20) != 0;
    info->temp_size = tandem_load_le16(bytes + 4);
    info->active_bank = bytes[6] == 0 ? REALTEK_BANK_SINGLE : bytes[6];
    info->boot_patch = bytes[7];
    info->secure_app = bytes[8];
    info->control_offset = tandem_load_le16(bytes + 9);
    return TANDEM_OK;
}

static enum tandem_status load_watch(const uint8_t *bytes, size_t size, struct realtek_info *info)
{
    if (size < 9)
        return TANDEM_ERROR_FORMAT;
    info->mode = audio_mode_load(bytes[2], 5);
    info->bud = bytes[3];
    info->temp_size = tandem_load_le16(bytes + 4);
    info->active_bank = bytes[6] == 0 ? REALTEK_BANK_SINGLE : bytes[6];
    info->mtu = tandem_load_le16(bytes + 7);
    return TANDEM_OK;
}

enum tandem_status tandem_realtek_classify(uint16_t protocol, const uint8_t *bytes, size_t size,
                                           enum tandem_realtek_dialect *dialect, struct realtek_info *info)
{
    memset(info, 0, sizeof *info);
    if (protocol == REALTEK_PROTOCOL_ABSENT)
        protocol = 0;
    if (protocol == 0 && size < 2) {
        *dialect = TANDEM_REALTEK_BEE1;
        load_bee1(bytes, size, info);
        return TANDEM_OK;
    }
    if (size < 2)
        return TANDEM_ERROR_FORMAT;
    info->ic = bytes[0];
    info->spec = bytes[1];
    switch (protocol) {
    case 0x0000:
        *dialect = TANDEM_REALTEK_BEE2;
        info->spec &= 0x0F;
        return info->spec > 2 ? TANDEM_ERROR_UNSUPPORTED : load_bee2(bytes, size, info);
    case 0x0010:
        *dialect = TANDEM_REALTEK_AUDIO;
        return load_audio(bytes, size, info, 0);
    case 0x0011:
        *dialect = TANDEM_REALTEK_STREAM;
        return load_audio(bytes, size, info, 1);
    case 0x0012:
        *dialect = TANDEM_REALTEK_8752H;
        return load_8752h(bytes, size, info);
    case 0x0014:
        *dialect = TANDEM_REALTEK_WATCH;
        return load_watch(bytes, size, info);
    case 0x0015:
        *dialect = TANDEM_REALTEK_87X2G;
        return load_87x2g(bytes, size, info);
    default:
        return TANDEM_ERROR_UNSUPPORTED;
    }
}

/* ---- lists ---- */

size_t tandem_realtek_list_store(uint8_t *bytes, int bank, const struct realtek_entry *entries, unsigned count,
                                 unsigned padded)
{
    uint8_t *at = bytes;

    if (bank >= 0)
        *at++ = (uint8_t)bank;
    *at++ = (uint8_t)count;
    for (unsigned i = 0; i < count; i++, at += REALTEK_ENTRY) {
        tandem_store_le16(at, entries[i].image);
        tandem_store_le32(at + 2, entries[i].value);
    }
    for (; count < padded; count++, at += REALTEK_ENTRY)
        memset(at, 0, REALTEK_ENTRY);
    return (size_t)(at - bytes);
}

int tandem_realtek_list_entry(const uint8_t *bytes, size_t size, int bank, unsigned index, struct realtek_entry *entry)
{
    size_t head = bank ? 2 : 1;
    size_t at = head + (size_t)index * REALTEK_ENTRY;

    if (size < head || index >= bytes[head - 1] || size < at + REALTEK_ENTRY)
        return 0;
    entry->image = tandem_load_le16(bytes + at);
    entry->value = tandem_load_le32(bytes + at + 2);
    return 1;
}

/* Fields of the given widths, low bits first, the first of them the most important. */
static uint32_t reorder(uint32_t version, unsigned major, unsigned minor, unsigned revision)
{
    unsigned build = 32 - major - minor - revision;
    uint32_t key = version & ((1u << major) - 1);

    version >>= major;
    key = key << minor | (version & ((1u << minor) - 1));
    version >>= minor;
    key = key << revision | (version & ((1u << revision) - 1));
    version >>= revision;
    return key << build | version;
}

uint32_t tandem_realtek_version_key(uint32_t version, enum realtek_version_bits bits)
{
    switch (bits) {
    case REALTEK_VERSION_IMAGE:
        return reorder(version, 4, 8, 15);
    case REALTEK_VERSION_AUDIO:
        return reorder(version, 4, 8, 9);
    case REALTEK_VERSION_DATA:
        return reorder(version, 8, 8, 8);
    default:
        return version;
    }
}

enum realtek_version_bits tandem_realtek_version_bits(enum tandem_realtek_dialect dialect, uint16_t image)
{
    if (image == TANDEM_REALTEK_IMAGE_OTA_HEADER || image == TANDEM_REALTEK_IMAGE_G_OTA_HEADER)
        return REALTEK_VERSION_HEADER;
    if (dialect != TANDEM_REALTEK_AUDIO && dialect != TANDEM_REALTEK_STREAM)
        return REALTEK_VERSION_IMAGE;
    if (image == TANDEM_REALTEK_IMAGE_APP_DATA || image == TANDEM_REALTEK_IMAGE_APP_DATA + 1)
        return REALTEK_VERSION_OPAQUE; /* DSP: sources disagree */
    if (image < TANDEM_REALTEK_IMAGE_ROM_PATCH || image == TANDEM_REALTEK_IMAGE_LAST ||
        image >= TANDEM_REALTEK_IMAGE_USER_DATA ||
        (image >= TANDEM_REALTEK_IMAGE_APP_DATA && image < TANDEM_REALTEK_IMAGE_APP_DATA + 6))
        return REALTEK_VERSION_DATA;
    return REALTEK_VERSION_AUDIO;
}

/* ---- buffer check ---- */

uint16_t tandem_realtek_check(uint16_t check, uint32_t at, const void *data, size_t size)
{
    const uint8_t *byte = data;

    /* As a number, low byte first: low byte = odd places, high byte = even ones. */
    for (; size > 0; size--, at++)
        check ^= (uint16_t)(at & 1u ? *byte++ : (unsigned)*byte++ << 8);
    return check;
}

/* ---- stream ---- */

void tandem_realtek_frames_init(struct realtek_frames *frames, uint8_t *buffer, uint16_t capacity, int checksum)
{
    memset(frames, 0, sizeof *frames);
    frames->buffer = buffer;
    frames->capacity = capacity;
    frames->checksum = checksum ? 1 : 0;
}

static uint8_t sum(const uint8_t *bytes, size_t size)
{
    unsigned total = 0;

    while (size-- > 0)
        total += *bytes++;
    return (uint8_t)(0u - total);
}

/* Drop `size` bytes at the front, and what follows up to the next that may begin a frame. */
static void drop(struct realtek_frames *frames, uint16_t size)
{
    while (size < frames->fill && frames->buffer[size] != REALTEK_SYNC)
        size++;
    frames->fill = (uint16_t)(frames->fill - size);
    memmove(frames->buffer, frames->buffer + size, frames->fill);
}

/* Bytes that must be there before more can be said; 0: this is no frame. Without a checksum the id's high byte is all
 * that tells a frame from a sync byte in garbage. */
static size_t needed(const struct realtek_frames *frames)
{
    const uint8_t *frame = frames->buffer;
    size_t size;

    if (frames->fill < 4)
        return 4;
    size = 4u + tandem_load_le16(frame + 2) + frames->checksum;
    if (size < REALTEK_FRAME_HEADER + frames->checksum || size > frames->capacity)
        return 0;
    if (frames->fill < REALTEK_FRAME_HEADER)
        return REALTEK_FRAME_HEADER;
    if (frame[5] != REALTEK_CMD_INFO >> 8 && tandem_load_le16(frame + 4) != REALTEK_ACK)
        return 0;
    if (frames->checksum && frames->fill >= size && sum(frame + 1, size - 2) != frame[size - 1])
        return 0;
    return size;
}

int tandem_realtek_frames_next(struct realtek_frames *frames, const uint8_t **data, size_t *size,
                               struct realtek_frame *frame)
{
    drop(frames, frames->done);
    frames->done = 0;
    for (;;) {
        size_t need, part;

        while (frames->fill == 0 && *size > 0 && **data != REALTEK_SYNC) {
            ++*data;
            --*size;
        }
        need = needed(frames);
        if (need == 0) {
            drop(frames, 1);
            continue;
        }
        if (frames->fill >= REALTEK_FRAME_HEADER && frames->fill >= need) {
            frame->sequence = frames->buffer[1];
            frame->id = tandem_load_le16(frames->buffer + 4);
            frame->payload = frames->buffer + REALTEK_FRAME_HEADER;
            frame->size = (uint16_t)(need - REALTEK_FRAME_HEADER - frames->checksum);
            frames->done = (uint16_t)need;
            return 1;
        }
        if (*size == 0)
            return 0;
        part = need - frames->fill < *size ? need - frames->fill : *size;
        memcpy(frames->buffer + frames->fill, *data, part);
        frames->fill = (uint16_t)(frames->fill + part);
        *data += part;
        *size -= part;
    }
}

int tandem_realtek_frames_waiting(const struct realtek_frames *frames)
{
    return frames->fill > frames->done;
}

void tandem_realtek_frames_give_up(struct realtek_frames *frames)
{
    drop(frames, (uint16_t)(frames->done + 1));
    frames->done = 0;
}

size_t tandem_realtek_frame_store(uint8_t *bytes, uint8_t sequence, uint16_t id, const void *payload, size_t size,
                                  int checksum)
{
    size_t end = REALTEK_FRAME_HEADER + size;

    if (size != 0)
        memmove(bytes + REALTEK_FRAME_HEADER, payload, size);
    bytes[0] = REALTEK_SYNC;
    bytes[1] = sequence;
    tandem_store_le16(bytes + 2, (uint16_t)(2 + size));
    tandem_store_le16(bytes + 4, id);
    if (checksum) {
        bytes[end] = sum(bytes + 1, end - 1);
        end++;
    }
    return end;
}
