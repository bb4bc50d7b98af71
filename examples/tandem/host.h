/*
 * The way to devices: each over its own socket or serial line, by the link.
 */
#ifndef TANDEM_HOST_H
#define TANDEM_HOST_H

#include "tandem/link.h"
#include "tandem/link_host.h"
#include "tandem_posix.h"
#include "tool.h"

#define HOST_FRAME (TANDEM_LINK_PACKET_MAX + TANDEM_STREAM_OVERHEAD)
#define HOST_NOTE_SIZE TANDEM_POSIX_REASON_SIZE

/* One device and what leads to it. Must not move once host_init() was called. */
struct host_device {
    const char *address; /* HOST:PORT, unix:PATH, or a serial line's name */
    int serial;          /* 1: a serial line */
    uint32_t baud;
    int connecting; /* 1: a connection is being made */
    struct tandem_posix_stream wire;
    struct tandem_stream stream;
    struct tandem_link_host link;
    struct tandem_link_connector connector;
    uint8_t in[HOST_FRAME], out[HOST_FRAME];
    char note[HOST_NOTE_SIZE]; /* why it could not be reached last; "" */
};

void host_init(struct host_device *device);
void host_close(struct host_device *device);
/* Whether the address can be one: says what is wrong and returns the exit code. */
int host_check_address(const char *command, const char *address);
/* Hand over what has arrived. */
void host_receive(struct host_device *device);
/* Send what is left, then sleep until something arrives, at most `ms`. */
void host_rest(struct host_device *devices, size_t count, int ms);

#endif
