/*
 * The way to devices: sockets and serial lines as links for the updater.
 */
#define _POSIX_C_SOURCE 200809L

#include "host.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_FDS 64 /* descriptors looked at in one sleep; further ones wait for the next turn */

static void receive(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct host_device *device = ctx;
    tandem_link_host_receive(&device->link, channel, data, size);
}

static enum tandem_status begin_connect(struct host_device *device)
{
    if (device->serial)
        return tandem_posix_serial_open(&device->wire, device->address, device->baud, device->note);
    return tandem_posix_connect(&device->wire, device->address, device->note);
}

static enum tandem_status host_connect(void *ctx)
{
    struct host_device *device = ctx;
    enum tandem_status status =
        device->connecting ? tandem_posix_connected(&device->wire, device->note) : begin_connect(device);
    device->connecting = status == TANDEM_AGAIN;
    if (status == TANDEM_OK) {
        device->note[0] = '\0';
        tandem_stream_reset(&device->stream);
    }
    /* What is wrong with an address does not mend; the updater knows these reasons as passing ones. */
    return status == TANDEM_ERROR_ARGUMENT || status == TANDEM_ERROR_BUSY ? TANDEM_ERROR_PORT : status;
}

static void host_disconnect(void *ctx)
{
    struct host_device *device = ctx;
    tandem_posix_stream_close(&device->wire);
    tandem_stream_reset(&device->stream);
    device->connecting = 0;
}

void host_init(struct host_device *device)
{
    device->connecting = 0;
    device->note[0] = '\0';
    tandem_posix_stream_init(&device->wire);
    (void)tandem_stream_init(&device->stream, &device->wire.port, device->in, sizeof device->in, device->out,
                             sizeof device->out, receive, device);
    device->connector.ctx = device;
    device->connector.connect = host_connect;
    device->connector.disconnect = host_disconnect;
    tandem_link_host_init(&device->link, tandem_stream_packets(&device->stream), &device->connector,
                          tandem_stream_receive_max(&device->stream));
}

void host_close(struct host_device *device)
{
    host_disconnect(device);
}

int host_check_address(const char *command, const char *address)
{
    char reason[TANDEM_POSIX_REASON_SIZE];
    const char *port = strrchr(address, ':');
    if (tandem_posix_address_check(address, reason) != TANDEM_OK)
        return tool_usage(command, "%s", reason);
    if (strncmp(address, "unix:", 5) != 0 && atoi(port + 1) == 0)
        return tool_usage(command, "%s: a device listens at no port 0", address);
    return TOOL_OK;
}

void host_receive(struct host_device *device)
{
    uint8_t data[4096];
    size_t got;
    if (device->wire.fd < 0 || device->connecting)
        return;
    do {
        if (tandem_posix_stream_read(&device->wire, data, sizeof data, &got) != TANDEM_OK) {
            (void)snprintf(device->note, sizeof device->note, "it hung up");
            tandem_link_host_disconnected(&device->link);
            tandem_posix_stream_close(&device->wire);
            return;
        }
        tandem_stream_receive(&device->stream, data, got);
    } while (got == sizeof data);
}

void host_rest(struct host_device *devices, size_t count, int ms)
{
    struct pollfd fds[WAIT_FDS];
    static size_t first; /* so that with many devices each gets its turn */
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        struct host_device *device = &devices[(first + i) % count];
        if (device->wire.fd < 0)
            continue;
        int more = device->connecting || tandem_stream_poll(&device->stream) == TANDEM_AGAIN;
        if (used == WAIT_FDS)
            continue;
        fds[used].fd = device->wire.fd;
        fds[used].events = (short)(POLLIN | (more ? POLLOUT : 0));
        used++;
    }
    first = count > WAIT_FDS ? (first + WAIT_FDS) % count : 0;
    (void)tandem_posix_wait(fds, used, ms);
}
