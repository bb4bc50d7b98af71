/*
 * Realtek, host half: the bytes of an image, in packets, and in chunks where
 * the device checks them.
 */
#include <string.h>

#include "core/bytes.h"
#include "realtek_host_inner.h"

#define PROGRAM_MS 200u /* pause after each buffer that is not checked, for it to be programmed */
#define DATA_MS 15000u  /* longest time in which no packet can be sent */
#define REPEATS 3u      /* chunks in a row that may go wrong */
#define PIECE 20u       /* packets that are not checked are so many bytes, or a multiple */
#define BUFFER 2000u    /* of a device that does not tell */
#define PACKET_MAX REALTEK_FRAME_PAYLOAD_MAX

/* Bytes that are sent, and programmed, at once. */
static uint32_t capacity(const struct tandem_realtek_host *host)
{
    uint32_t size = host->buffer_size;
    struct realtek_info info;

    if (size != 0) {
        if (host->check_offset != 0 && host->check_offset < size)
            size -= host->check_offset;
        return size < BLOCK ? BLOCK : size - size % BLOCK;
    }
    if (realtek_has(host, REALTEK_LISTS))
        return UINT32_MAX;
    tandem_realtek_host_info_of(host, &info);
    size = info.buffer_size >= PIECE ? info.buffer_size : BUFFER;
    return size - size % PIECE;
}

static void open_chunk(struct tandem_realtek_host *host, uint32_t size)
{
    uint32_t most = capacity(host);

    host->chunk = host->at;
    host->chunk_end = size - host->at > most ? host->at + most : size;
    host->check = 0;
}

static uint32_t packet_size(struct tandem_realtek_host *host)
{
    uint32_t most = tandem_realtek_host_data_max(host);
    uint32_t unit = host->buffer_size == 0 && !realtek_has(host, REALTEK_LISTS) ? PIECE : BLOCK;

    most -= most % unit;
    if (host->dialect == TANDEM_REALTEK_BEE1)
        most = PIECE;
    return host->chunk_end - host->at < most ? host->chunk_end - host->at : most;
}

static enum tandem_status encrypt(struct tandem_realtek_host *host, uint8_t *data, uint32_t size)
{
    uint32_t blocks = size / BLOCK;

    if (!host->ciphers || blocks == 0)
        return TANDEM_OK;
    if (!(realtek_mode(host) & REALTEK_MODE_AES_ALL))
        blocks = 1;
    return tandem_aes_encrypt(&host->aes, data, data, blocks);
}

static enum tandem_status send_packet(struct tandem_realtek_host *host)
{
    const struct tandem_realtek_part *image = realtek_part(host, host->part);
    uint8_t data[PACKET_MAX];
    uint32_t size = packet_size(host);
    enum tandem_status status = host->file->source->read(host->file->source->ctx, image->offset + host->at, data, size);

    if (status == TANDEM_OK)
        status = encrypt(host, data, size);
    if (status == TANDEM_OK)
        status = tandem_realtek_host_data(host, data, size);
    if (status == TANDEM_AGAIN && host->now - host->data_ms >= DATA_MS)
        return TANDEM_ERROR_TIMEOUT;
    if (status != TANDEM_OK)
        return status;
    host->check = tandem_realtek_check(host->check, host->at - host->chunk, data, size);
    host->at += size;
    host->data_ms = host->now;
    return TANDEM_OK;
}

/* A chunk that did not arrive whole is sent again, from where the device says. */
static enum tandem_status resend(struct tandem_realtek_host *host, uint8_t status, uint32_t offset, uint32_t size)
{
    int again = status == REALTEK_INTEGRITY || status == REALTEK_LENGTH || status == REALTEK_PROGRAM;

    if (!again || ++host->repeats >= REPEATS)
        return tandem_realtek_host_refused(host, status, TANDEM_STAGE_RECEIVE);
    if (offset < realtek_row(host)->data_from || offset > size)
        return TANDEM_ERROR_PROTOCOL;
    host->at = offset;
    open_chunk(host, size);
    return TANDEM_OK;
}

static enum tandem_status report(struct tandem_realtek_host *host, uint32_t size)
{
    uint8_t body[4];
    uint32_t offset;
    enum tandem_status status;

    tandem_store_le16(body, (uint16_t)(host->chunk_end - host->chunk));
    tandem_store_le16(body + 2, host->check);
    status = tandem_realtek_host_ask(host, ASK_REPORT, body, sizeof body);
    if (status == TANDEM_ERROR_TIMEOUT && host->broken == TANDEM_OK && host->reasks++ == 0)
        return TANDEM_AGAIN; /* its answer was lost: asked once more, it tells where it stands */
    if (status != TANDEM_OK)
        return status;
    if (host->answer_size < 5)
        return TANDEM_ERROR_PROTOCOL;
    offset = tandem_load_le32(host->answer + 1);
    host->data_ms = host->now;
    if (host->answer[0] != REALTEK_SUCCESS && !(host->reasks != 0 && offset == host->chunk_end))
        return resend(host, host->answer[0], offset, size);
    if (offset > size || offset < host->chunk)
        return TANDEM_ERROR_PROTOCOL;
    host->repeats = host->reasks = 0;
    host->check_offset = 0;
    host->at = offset;
    open_chunk(host, size);
    return TANDEM_OK;
}

/* Devices that check nothing get time to program each buffer. */
static int is_programming(struct tandem_realtek_host *host)
{
    return host->at != host->chunk_end ? 0 : host->now - host->data_ms < PROGRAM_MS;
}

enum tandem_status tandem_realtek_host_send(void *ctx, const struct tandem_offer *offer, uint8_t part)
{
    struct tandem_realtek_host *host = ctx;
    enum tandem_status status = TANDEM_OK;
    uint32_t size;

    (void)offer;
    if (host->skip)
        return TANDEM_OK;
    size = realtek_part(host, part)->size;
    if (host->chunk == host->chunk_end)
        open_chunk(host, size);
    while (status == TANDEM_OK) {
        if (host->at < host->chunk_end)
            status = send_packet(host);
        else if (host->buffer_size != 0 && host->chunk < host->chunk_end)
            status = report(host, size);
        else if (host->at >= size)
            return TANDEM_OK;
        else if (is_programming(host))
            return TANDEM_AGAIN;
        else
            open_chunk(host, size);
    }
    return status;
}
