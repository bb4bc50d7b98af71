/*
 * What the files about streams share: descriptors that do not block, are not
 * inherited, and raise no signal when the other end is gone.
 */
#ifndef TANDEM_PORT_POSIX_STREAM_H
#define TANDEM_PORT_POSIX_STREAM_H

#include <fcntl.h>
#include <sys/socket.h>

#ifdef MSG_NOSIGNAL
#define POSIX_SEND_FLAGS MSG_NOSIGNAL
#else
#define POSIX_SEND_FLAGS 0 /* macOS: posix_prepare() sets the socket option instead */
#endif

/* Make a descriptor ready for use here. Returns 0, or −1 and errno. */
static inline int posix_prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);
#ifdef SO_NOSIGPIPE
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on); /* fails on what is no socket: no matter */
#endif
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ? -1 : 0;
}

#endif
