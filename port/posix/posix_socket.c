/*
 * Sockets: TCP and Unix-domain, listening and connecting, never waiting.
 */
#define _POSIX_C_SOURCE 200809L

#include "tandem_posix.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "posix_reason.h"
#include "posix_stream.h"

#define BACKLOG 8

/* A socket address of either family. */
struct place {
    struct sockaddr_storage address;
    socklen_t size;
    int family;
};

/* ---- reading addresses ---- */

static enum tandem_status place_unix(struct place *place, const char *address, char *reason)
{
    struct sockaddr_un local;
    const char *path = address + 5;
    if (*path == '\0' || strlen(path) >= sizeof local.sun_path) {
        posix_reason(reason, address, *path == '\0' ? "the path is missing" : "the path is too long for a socket");
        return TANDEM_ERROR_ARGUMENT;
    }
    memset(&local, 0, sizeof local);
    local.sun_family = AF_UNIX;
    memcpy(local.sun_path, path, strlen(path));
    memcpy(&place->address, &local, sizeof local);
    place->size = (socklen_t)sizeof local;
    place->family = AF_UNIX;
    return TANDEM_OK;
}

/* Split "HOST:PORT" or "[HOST]:PORT". */
static int split(const char *address, char *host, size_t host_size, const char **port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address || colon[1] == '\0')
        return -1;
    const char *begin = address;
    size_t length = (size_t)(colon - address);
    if (*begin == '[') {
        if (length < 3 || begin[length - 1] != ']')
            return -1;
        begin++;
        length -= 2;
    } else if (memchr(begin, ':', length) != NULL) {
        return -1; /* an IPv6 address without brackets could be read in two ways */
    }
    if (length >= host_size)
        return -1;
    memcpy(host, begin, length);
    host[length] = '\0';
    *port = colon + 1;
    for (const char *p = *port; *p != '\0'; p++)
        if (*p < '0' || *p > '9')
            return -1;
    return strlen(*port) <= 5 && atol(*port) <= 65535 ? 0 : -1;
}

static enum tandem_status bad_address(const char *address, char *reason)
{
    posix_reason(reason, address, "not an address; use HOST:PORT, [IPV6]:PORT or unix:PATH");
    return TANDEM_ERROR_ARGUMENT;
}

enum tandem_status tandem_posix_address_check(const char *address, char *reason)
{
    struct place place;
    char host[256];
    const char *port;
    if (strncmp(address, "unix:", 5) == 0)
        return place_unix(&place, address, reason);
    return split(address, host, sizeof host, &port) == 0 ? TANDEM_OK : bad_address(address, reason);
}

static enum tandem_status place_of(struct place *place, const char *address, int passive, char *reason)
{
    char host[256];
    const char *port;
    if (strncmp(address, "unix:", 5) == 0)
        return place_unix(place, address, reason);
    if (split(address, host, sizeof host, &port) != 0)
        return bad_address(address, reason);
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = passive ? AI_PASSIVE : 0;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error != 0 || found == NULL) {
        posix_reason(reason, address, gai_strerror(error));
        return TANDEM_ERROR_DISCONNECTED;
    }
    memcpy(&place->address, found->ai_addr, found->ai_addrlen);
    place->size = found->ai_addrlen;
    place->family = found->ai_family;
    freeaddrinfo(found);
    return TANDEM_OK;
}

/* ---- listening ---- */

/* A socket file that nobody serves any more is in the way: remove that, and nothing else. */
static void remove_stale(const struct place *place)
{
    struct sockaddr_un local;
    struct stat status;
    memcpy(&local, &place->address, sizeof local);
    if (lstat(local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)&place->address, place->size) != 0 && errno == ECONNREFUSED)
        (void)unlink(local.sun_path);
    (void)close(fd);
}

/* The address in words, with the port that the system chose. */
static void describe(int fd, const char *address, char *actual)
{
    struct sockaddr_storage local;
    socklen_t size = sizeof local;
    const char *colon = strrchr(address, ':');
    memset(&local, 0, sizeof local);
    if (strncmp(address, "unix:", 5) == 0 || colon == NULL || getsockname(fd, (struct sockaddr *)&local, &size) != 0) {
        (void)snprintf(actual, TANDEM_POSIX_ADDRESS_SIZE, "%s", address);
        return;
    }
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, &local, sizeof v4);
    memcpy(&v6, &local, sizeof v6);
    unsigned port = ntohs(local.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
    (void)snprintf(actual, TANDEM_POSIX_ADDRESS_SIZE, "%.*s:%u", (int)(colon - address), address, port);
}

enum tandem_status tandem_posix_listen(int *listener, const char *address, char *actual, char *reason)
{
    struct place place;
    int on = 1;
    *listener = -1;
    memset(&place, 0, sizeof place);
    enum tandem_status status = place_of(&place, address, 1, reason);
    if (status != TANDEM_OK)
        return status == TANDEM_ERROR_DISCONNECTED ? TANDEM_ERROR_ARGUMENT : status;
    if (place.family == AF_UNIX)
        remove_stale(&place);
    int fd = socket(place.family, SOCK_STREAM, 0);
    if (fd < 0 || posix_prepare(fd) != 0 ||
        (place.family != AF_UNIX && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) ||
        bind(fd, (const struct sockaddr *)&place.address, place.size) != 0 || listen(fd, BACKLOG) != 0) {
        int why = errno;
        posix_reason(reason, address, strerror(why));
        if (fd >= 0)
            (void)close(fd);
        return why == EADDRINUSE ? TANDEM_ERROR_BUSY : TANDEM_ERROR_PORT;
    }
    if (actual != NULL)
        describe(fd, address, actual);
    *listener = fd;
    return TANDEM_OK;
}

/* Small frames are to leave at once. Fails on Unix-domain sockets: no matter. */
static void no_delay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

enum tandem_status tandem_posix_accept(int listener, struct tandem_posix_stream *stream)
{
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) {
        int passing = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED;
        return passing ? TANDEM_AGAIN : TANDEM_ERROR_PORT;
    }
    if (posix_prepare(fd) != 0) {
        (void)close(fd);
        return TANDEM_ERROR_PORT;
    }
    no_delay(fd);
    tandem_posix_stream_init(stream);
    stream->fd = fd;
    stream->socket = 1;
    return TANDEM_OK;
}

/* ---- connecting ---- */

enum tandem_status tandem_posix_connect(struct tandem_posix_stream *stream, const char *address, char *reason)
{
    struct place place;
    memset(&place, 0, sizeof place);
    enum tandem_status status = place_of(&place, address, 0, reason);
    if (status != TANDEM_OK)
        return status;
    int fd = socket(place.family, SOCK_STREAM, 0);
    if (fd < 0 || posix_prepare(fd) != 0) {
        posix_reason(reason, address, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return TANDEM_ERROR_PORT;
    }
    no_delay(fd);
    stream->fd = fd;
    stream->socket = 1;
    if (connect(fd, (const struct sockaddr *)&place.address, place.size) == 0)
        return TANDEM_OK;
    if (errno == EINPROGRESS || errno == EINTR)
        return TANDEM_AGAIN;
    posix_reason(reason, address, strerror(errno));
    tandem_posix_stream_close(stream);
    return TANDEM_ERROR_DISCONNECTED;
}

enum tandem_status tandem_posix_connected(struct tandem_posix_stream *stream, char *reason)
{
    struct pollfd ready = {stream->fd, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    if (stream->fd < 0)
        return TANDEM_ERROR_DISCONNECTED;
    if (poll(&ready, 1, 0) <= 0)
        return TANDEM_AGAIN;
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
        return TANDEM_OK;
    posix_reason(reason, "connect", strerror(error));
    tandem_posix_stream_close(stream);
    return TANDEM_ERROR_DISCONNECTED;
}
