/*
 * Byte streams over file descriptors: what sockets and serial lines share.
 */
#define _POSIX_C_SOURCE 200809L

#include "tandem_posix.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix_stream.h"

static enum tandem_status stream_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    struct tandem_posix_stream *stream = ctx;
    *sent = 0;
    if (stream->fd < 0)
        return TANDEM_ERROR_DISCONNECTED;
    ssize_t n;
    do {
        n = stream->socket ? send(stream->fd, data, size, POSIX_SEND_FLAGS) : write(stream->fd, data, size);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        *sent = (size_t)n;
        return TANDEM_OK;
    }
    /* ENOTCONN: a connection that is still being made takes nothing yet. */
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOTCONN ? TANDEM_OK : TANDEM_ERROR_DISCONNECTED;
}

void tandem_posix_stream_init(struct tandem_posix_stream *stream)
{
    stream->port.ctx = stream;
    stream->port.write = stream_write;
    stream->fd = -1;
    stream->socket = 0;
}

void tandem_posix_stream_close(struct tandem_posix_stream *stream)
{
    if (stream->fd >= 0)
        (void)close(stream->fd);
    stream->fd = -1;
}

enum tandem_status tandem_posix_stream_read(struct tandem_posix_stream *stream, void *data, size_t size, size_t *got)
{
    *got = 0;
    if (stream->fd < 0)
        return TANDEM_ERROR_DISCONNECTED;
    ssize_t n;
    do {
        n = read(stream->fd, data, size);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        *got = (size_t)n;
    if (n > 0 || size == 0)
        return TANDEM_OK;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? TANDEM_OK : TANDEM_ERROR_DISCONNECTED;
}
