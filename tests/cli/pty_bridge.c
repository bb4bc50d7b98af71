/*
 * A serial line for tests: a pseudo terminal, whose name is printed, and
 * behind it a connection to a device. When the device hangs up it is called
 * again, as a cable stays plugged in over a reset.
 *
 *   pty_bridge ADDRESS
 */
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tandem_posix.h"

static int open_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return -1;
    const char *name = ptsname(master);
    if (name == NULL || open(name, O_RDWR | O_NOCTTY) < 0) /* held open: the master must not see an end */
        return -1;
    struct tandem_posix_stream raw;
    tandem_posix_stream_init(&raw);
    if (tandem_posix_serial_open(&raw, name, 0, NULL) != TANDEM_OK)
        return -1;
    tandem_posix_stream_close(&raw);
    (void)fcntl(master, F_SETFL, O_NONBLOCK);
    printf("%s\n", name);
    (void)fflush(stdout);
    return master;
}

static void write_whole(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd ready = {fd, POLLOUT, 0};
            (void)tandem_posix_wait(&ready, 1, 100);
        } else if (errno != EINTR) {
            return;
        }
    }
}

/* Carry bytes both ways until the device hangs up. */
static void carry(int master, struct tandem_posix_stream *device)
{
    char data[4096];
    size_t got;
    for (;;) {
        struct pollfd fds[2] = {{master, POLLIN, 0}, {device->fd, POLLIN, 0}};
        (void)tandem_posix_wait(fds, 2, 1000);
        ssize_t n = read(master, data, sizeof data);
        if (n > 0)
            write_whole(device->fd, data, (size_t)n);
        if (tandem_posix_stream_read(device, data, sizeof data, &got) != TANDEM_OK)
            return;
        write_whole(master, data, got);
    }
}

int main(int argc, char **argv)
{
    struct tandem_posix_stream device;
    int master = argc == 2 ? open_terminal() : -1;
    if (master < 0) {
        fputs("usage: pty_bridge ADDRESS\n", stderr);
        return 2;
    }
    tandem_posix_stream_init(&device);
    for (;;) {
        enum tandem_status status = tandem_posix_connect(&device, argv[1], NULL);
        while (status == TANDEM_AGAIN) {
            tandem_posix_sleep_ms(5);
            status = tandem_posix_connected(&device, NULL);
        }
        if (status == TANDEM_OK)
            carry(master, &device);
        tandem_posix_stream_close(&device);
        tandem_posix_sleep_ms(20);
    }
}
