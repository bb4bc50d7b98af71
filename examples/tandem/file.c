/*
 * Files: read whole, written whole or not at all.
 */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ---- */

/* Grow the buffer when it is full. Returns 0, or -1. */
static int make_room(struct tool_file *file, size_t *room)
{
    if (file->size < *room)
        return 0;
    size_t more = *room < 65536 ? 65536 : *room * 2;
    uint8_t *data = more > *room ? realloc(file->data, more) : NULL;
    if (data == NULL)
        return -1;
    file->data = data;
    *room = more;
    return 0;
}

int tool_read(struct tool_file *file, const char *path)
{
    struct stat status;
    size_t room = 0;
    memset(file, 0, sizeof *file);
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tool_fail(TOOL_SYSTEM, "cannot read %s: %s", path, strerror(errno));
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        (uintmax_t)status.st_size < SIZE_MAX) {
        room = (size_t)status.st_size + 1; /* one more, so that the end is seen without growing */
        file->data = malloc(room);
    }
    for (;;) {
        if (file->data == NULL)
            room = 0;
        if (make_room(file, &room) != 0) {
            (void)close(fd);
            return tool_fail(TOOL_SYSTEM, "cannot read %s: not enough memory", path);
        }
        ssize_t n = read(fd, file->data + file->size, room - file->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int why = errno;
            (void)close(fd);
            return n == 0 ? TOOL_OK : tool_fail(TOOL_SYSTEM, "cannot read %s: %s", path, strerror(why));
        }
        file->size += (size_t)n;
    }
}

void tool_release(struct tool_file *file)
{
    free(file->data);
    memset(file, 0, sizeof *file);
}

/* ---- writing ---- */

static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int fail_write(const char *path, int why)
{
    if (why == EEXIST)
        return tool_fail(TOOL_SYSTEM, "%s exists; it is not overwritten", path);
    return tool_fail(TOOL_SYSTEM, "cannot write %s: %s", path, strerror(why));
}

/* A device or a pipe: there is nothing to replace, only somewhere to write to. */
static int write_through(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write_all(fd, data, size) != 0) {
        int why = errno;
        if (fd >= 0)
            (void)close(fd);
        return fail_write(path, why);
    }
    return close(fd) == 0 ? TOOL_OK : fail_write(path, errno);
}

/* Give the finished file its name. Without `force` the name must be free. */
static int put_in_place(const char *from, const char *path, int force)
{
    struct stat status;
    if (force)
        return rename(from, path);
    if (link(from, path) == 0)
        return unlink(from);
    if (errno == EEXIST)
        return -1;
    /* A file system without hard links: look, then rename. */
    if (lstat(path, &status) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, path);
}

static int write_beside(const char *path, const char *name, int fd, const uint8_t *data, size_t size, unsigned mode,
                        int force)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    if (write_all(fd, data, size) != 0 || fchmod(fd, (mode_t)mode & ~mask) != 0 || fsync(fd) != 0 ||
        put_in_place(name, path, force) != 0) {
        int why = errno;
        (void)unlink(name);
        return fail_write(path, why);
    }
    return TOOL_OK;
}

int tool_write(const char *path, const void *data, size_t size, unsigned mode, int force)
{
    struct stat status;
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return tool_fail(TOOL_SYSTEM, "cannot write %s: it is a directory", path);
        if (!S_ISREG(status.st_mode))
            return write_through(path, data, size);
        if (!force)
            return fail_write(path, EEXIST);
    }
    size_t length = strlen(path) + sizeof ".XXXXXX";
    char *name = malloc(length);
    if (name == NULL)
        return fail_write(path, ENOMEM);
    (void)snprintf(name, length, "%s.XXXXXX", path);
    sigset_t all, before; /* an interrupt waits until the other file is gone again */
    sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, &before);
    int fd = mkstemp(name);
    int result = fd < 0 ? fail_write(path, errno) : write_beside(path, name, fd, data, size, mode, force);
    if (fd >= 0)
        (void)close(fd);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    free(name);
    return result;
}
