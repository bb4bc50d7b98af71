/*
 * A simulated radio: see air.h.
 */
#include "air.h"

#include <stdio.h>
#include <string.h>

void air_init(struct air *air)
{
    memset(air, 0, sizeof *air);
    tandem_posix_stream_init(&air->wire);
}

void air_close(struct air *air)
{
    tandem_posix_stream_close(&air->wire);
    air->in_fill = air->out_fill = 0;
}

int air_send(struct air *air, enum air_what what, uint16_t characteristic, const void *bytes, size_t size)
{
    uint8_t *at = air->out + air->out_fill;
    if (size > AIR_PAYLOAD_MAX || sizeof air->out - air->out_fill < AIR_HEAD + size)
        return -1;
    at[0] = (uint8_t)size;
    at[1] = (uint8_t)(size >> 8);
    at[2] = (uint8_t)what;
    at[3] = (uint8_t)characteristic;
    at[4] = (uint8_t)(characteristic >> 8);
    if (size != 0)
        memcpy(at + AIR_HEAD, bytes, size);
    air->out_fill += AIR_HEAD + size;
    return 0;
}

enum tandem_status air_move(struct air *air)
{
    size_t moved = 0;
    enum tandem_status status = TANDEM_OK;
    if (air->wire.fd < 0)
        return TANDEM_ERROR_DISCONNECTED;
    if (air->out_fill != 0)
        status = air->wire.port.write(air->wire.port.ctx, air->out, air->out_fill, &moved);
    air->out_fill -= moved;
    memmove(air->out, air->out + moved, air->out_fill);
    moved = 0;
    if (status == TANDEM_OK && air->in_fill < sizeof air->in)
        status = tandem_posix_stream_read(&air->wire, air->in + air->in_fill, sizeof air->in - air->in_fill, &moved);
    air->in_fill += moved;
    return status;
}

static size_t size_of(const struct air *air)
{
    return air->in[0] | (size_t)air->in[1] << 8;
}

int air_next(const struct air *air, struct air_message *message)
{
    if (air->in_fill < AIR_HEAD || air->in_fill < AIR_HEAD + size_of(air))
        return 0;
    message->size = size_of(air);
    message->what = air->in[2];
    message->characteristic = (uint16_t)(air->in[3] | air->in[4] << 8);
    message->bytes = air->in + AIR_HEAD;
    return 1;
}

void air_drop(struct air *air)
{
    size_t size = AIR_HEAD + size_of(air);
    air->in_fill -= size;
    memmove(air->in, air->in + size, air->in_fill);
}

void air_name(char name[AIR_NAME_SIZE], const char *what, const uint8_t address[6])
{
    (void)snprintf(name, AIR_NAME_SIZE, "%.3s-%02x%02x%02x%02x%02x%02x", what, address[0], address[1], address[2],
                   address[3], address[4], address[5]);
}
