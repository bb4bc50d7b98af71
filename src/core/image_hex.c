/*
 * Intel HEX files: records of up to 255 bytes, one a line.
 *
 * Intel, Hexadecimal Object File Format Specification, revision A, 1988.
 */
#include <string.h>

#include "tandem/image.h"
#include "tandem/image_hex.h"

#define DATA 0u
#define END 1u
#define SEGMENT 2u       /* base, in paragraphs of 16 bytes; offsets wrap in 64 KB */
#define START_SEGMENT 3u /* CS:IP, of no use here */
#define LINEAR 4u        /* upper half of addresses */
#define START_LINEAR 5u

#define HEAD 4u         /* bytes before a record's data: length, offset, type */
#define RECORD_MAX 260u /* bytes: head, 255 of data, checksum */

struct reader {
    const struct tandem_source *source;
    struct tandem_hex *hex;
    uint32_t at;    /* next byte of the file */
    uint32_t base;  /* added to offsets */
    uint8_t linear; /* 1: offsets run on beyond 64 KB */
    uint8_t *out;   /* NULL: only looking */
    uint8_t *taken;
    uint32_t size;   /* of both */
    uint32_t origin; /* address of their first byte */
    uint8_t piece[256];
    uint32_t piece_at; /* what of the file is in it */
    uint32_t piece_size;
    uint8_t record[RECORD_MAX];
};

/* The next character, or -1 at the end. */
static int next(struct reader *self, enum tandem_status *status)
{
    if (self->at - self->piece_at >= self->piece_size) {
        uint32_t left = self->source->size - self->at;

        if (left == 0)
            return -1;
        self->piece_at = self->at;
        self->piece_size = left < sizeof self->piece ? left : (uint32_t)sizeof self->piece;
        *status = tandem_image_read(self->source, self->at, self->piece, self->piece_size);
        if (*status != TANDEM_OK) {
            self->piece_size = 0;
            return -1;
        }
    }
    return self->piece[self->at++ - self->piece_at];
}

static int digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of a record, behind its colon, up to its checksum, which holds. */
static enum tandem_status read_record(struct reader *self)
{
    uint32_t size = HEAD + 1;
    uint8_t sum = 0;
    enum tandem_status status = TANDEM_OK;

    for (uint32_t i = 0; i < size; i++) {
        int high = digit(next(self, &status));
        int low = high < 0 ? -1 : digit(next(self, &status));

        if (status != TANDEM_OK)
            return status;
        if (low < 0)
            return self->at == self->source->size ? TANDEM_ERROR_TRUNCATED : TANDEM_ERROR_FORMAT;
        self->record[i] = (uint8_t)(high << 4 | low);
        sum = (uint8_t)(sum + self->record[i]);
        if (i == 0)
            size += self->record[0];
    }
    return sum == 0 ? TANDEM_OK : TANDEM_ERROR_FORMAT;
}

static uint32_t number(const uint8_t *bytes, uint32_t size)
{
    uint32_t value = 0;

    while (size-- > 0)
        value = value << 8 | *bytes++;
    return value;
}

static enum tandem_status take_byte(struct reader *self, uint32_t address, uint8_t byte)
{
    struct tandem_hex *hex = self->hex;

    if (self->out != NULL) {
        if (address < self->origin || address - self->origin >= self->size || self->taken[address - self->origin])
            return TANDEM_ERROR_FORMAT;
        self->out[address - self->origin] = byte;
        self->taken[address - self->origin] = 1;
    }
    if (hex->bytes == 0 || address < hex->first)
        hex->first = address;
    if (hex->bytes == 0 || address > hex->last)
        hex->last = address;
    hex->bytes++;
    return TANDEM_OK;
}

static enum tandem_status take_data(struct reader *self)
{
    uint32_t offset = number(self->record + 1, 2);

    for (uint32_t i = 0; i < self->record[0]; i++) {
        uint32_t place = self->linear ? offset + i : (offset + i) & 0xFFFFu;
        enum tandem_status status = take_byte(self, self->base + place, self->record[HEAD + i]);

        if (status != TANDEM_OK)
            return status;
    }
    return TANDEM_OK;
}

static enum tandem_status take_record(struct reader *self)
{
    static const uint8_t sizes[] = {[END] = 0, [SEGMENT] = 2, [START_SEGMENT] = 4, [LINEAR] = 2, [START_LINEAR] = 4};
    const uint8_t *data = self->record + HEAD;
    uint8_t type = self->record[3];

    if (type == DATA)
        return take_data(self);
    if (type > START_LINEAR)
        return TANDEM_ERROR_UNSUPPORTED;
    if (self->record[0] != sizes[type])
        return TANDEM_ERROR_FORMAT;
    if (type == SEGMENT || type == LINEAR) {
        self->base = number(data, 2) << (type == SEGMENT ? 4 : 16);
        self->linear = type == LINEAR;
    } else if (type == START_LINEAR) {
        self->hex->start = number(data, 4);
        self->hex->has_start = 1;
    }
    return TANDEM_OK;
}

/* Behind a record, or between two: nothing but line ends and blanks. @return the first other character, -1: the end */
static int skip_blank(struct reader *self, enum tandem_status *status)
{
    int c;

    do {
        c = next(self, status);
        if (c == '\n')
            self->hex->line++;
    } while (c == '\n' || c == '\r' || c == ' ' || c == '\t' || c == 0x1A);
    return c;
}

static enum tandem_status read_all(struct reader *self)
{
    enum tandem_status status = TANDEM_OK;

    self->hex->line = 1;
    self->linear = 1;
    for (int ended = 0;;) {
        int c = skip_blank(self, &status);

        if (status != TANDEM_OK)
            return status;
        if (c < 0)
            return ended ? TANDEM_OK : TANDEM_ERROR_TRUNCATED;
        if (c != ':' || ended)
            return TANDEM_ERROR_FORMAT;
        status = read_record(self);
        if (status == TANDEM_OK)
            status = take_record(self);
        if (status != TANDEM_OK)
            return status;
        ended = self->record[3] == END;
    }
}

enum tandem_status tandem_hex_read(struct tandem_hex *hex, const struct tandem_source *source)
{
    struct reader self = {.source = source, .hex = hex};

    memset(hex, 0, sizeof *hex);
    return read_all(&self);
}

enum tandem_status tandem_hex_load(struct tandem_hex *hex, const struct tandem_source *source, uint32_t first,
                                   uint8_t *out, uint8_t *taken, uint32_t size)
{
    struct reader self = {.source = source, .hex = hex, .out = out, .taken = taken, .size = size, .origin = first};

    memset(hex, 0, sizeof *hex);
    return read_all(&self);
}
