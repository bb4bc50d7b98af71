/*
 * Executing a program that is in memory. Linux can do that; elsewhere it is
 * put into a file first.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* memfd_create() */
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

#if defined(__linux__)
#include <sys/mman.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u /* since Linux 6.3, where a system may forbid executable memory unless asked */
#endif

static void execute_memory(const uint8_t *image, size_t size, char *const *arguments)
{
    extern char **environ;
    int fd = memfd_create("firmware", MFD_CLOEXEC | MFD_EXEC);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("firmware", MFD_CLOEXEC);
    if (fd < 0)
        return;
    if (write_all(fd, image, size) == 0)
        (void)fexecve(fd, arguments, environ);
    (void)close(fd);
}
#else
static void execute_memory(const uint8_t *image, size_t size, char *const *arguments)
{
    (void)image;
    (void)size;
    (void)arguments;
}
#endif

void device_execute(const uint8_t *image, size_t size, const char *keep, char *const *arguments)
{
    execute_memory(image, size, arguments);
    if (errno == ENOEXEC)
        return; /* it is no program: a file would not make it one */
    (void)unlink(keep);
    int fd = open(keep, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    if (fd < 0)
        return;
    int failed = write_all(fd, image, size);
    if (close(fd) == 0 && !failed)
        (void)execv(keep, arguments);
}
