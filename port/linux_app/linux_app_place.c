/*
 * An image becomes a file. At any moment there is the old one or the new one:
 * the new one is written under another name, made durable, read back, and
 * only then takes the name; the folder is made durable last.
 */
#define _XOPEN_SOURCE 700

#include "tandem_linux_app.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../posix/posix_reason.h"

#define CHUNK 16384u
#define NAME_SIZE 256u

/* Where a file goes. */
struct place {
    int folder;                  /* open */
    const char *name;            /* in it */
    char beside[NAME_SIZE + 16]; /* the new one's name until it is whole */
    struct stat before;          /* the old one */
    int is_there;                /* 1: there is an old one */
};

static enum tandem_status fail(char *reason, enum tandem_status status, const char *path, const char *why)
{
    posix_reason(reason, path, why);
    return status;
}

static enum tandem_status fail_here(char *reason, const char *path)
{
    int disk_full = errno == ENOSPC || errno == EDQUOT;
    return fail(reason, disk_full ? TANDEM_ERROR_SPACE : TANDEM_ERROR_PORT, path, strerror(errno));
}

/* The folder must not be one where anybody can put a link or a file in our way. */
static enum tandem_status open_folder(struct place *place, const char *path, char *reason)
{
    char folder[TANDEM_LINUX_APP_PATH_SIZE];
    struct stat now;
    const char *slash = strrchr(path, '/');
    if (path[0] != '/' || slash == NULL || slash[1] == '\0' || strlen(slash + 1) >= NAME_SIZE ||
        (size_t)(slash - path) >= sizeof folder || strcmp(slash + 1, ".") == 0 || strcmp(slash + 1, "..") == 0)
        return fail(reason, TANDEM_ERROR_ARGUMENT, path, "not the absolute path of a file");
    memcpy(folder, path, (size_t)(slash - path) + 1);
    folder[slash == path ? 1 : slash - path] = '\0';
    place->name = slash + 1;
    (void)snprintf(place->beside, sizeof place->beside, ".%s.tandem", place->name);
    place->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place->folder < 0 || fstat(place->folder, &now) != 0)
        return fail_here(reason, folder);
    if ((now.st_mode & S_IWOTH) != 0 || (now.st_uid != 0 && now.st_uid != geteuid()))
        return fail(reason, TANDEM_ERROR_ARGUMENT, folder, "others may write to this folder");
    return TANDEM_OK;
}

static enum tandem_status look_at_old(struct place *place, const char *path, char *reason)
{
    place->is_there = fstatat(place->folder, place->name, &place->before, AT_SYMLINK_NOFOLLOW) == 0;
    if (!place->is_there && errno != ENOENT)
        return fail_here(reason, path);
    if (place->is_there && !S_ISREG(place->before.st_mode))
        return fail(reason, TANDEM_ERROR_ARGUMENT, path,
                    S_ISLNK(place->before.st_mode) ? "is a link: name the file itself" : "is not a file");
    return TANDEM_OK;
}

static int read_some(int fd, uint8_t *data, size_t size, off_t at)
{
    while (size > 0) {
        ssize_t got = pread(fd, data, size, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        data += got;
        at += got;
        size -= (size_t)got;
    }
    return 0;
}

static int write_some(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        data += put;
        size -= (size_t)put;
    }
    return 0;
}

/* Whether an open file holds the image and nothing else. */
static int holds(int fd, const struct tandem_area *area, uint32_t size)
{
    uint8_t want[CHUNK], got[CHUNK];
    struct stat now;
    if (fstat(fd, &now) != 0 || now.st_size != (off_t)size)
        return 0;
    for (uint32_t at = 0; at < size;) {
        uint32_t part = size - at < CHUNK ? size - at : CHUNK;
        if (area->flash->read(area->flash->ctx, area->address + at, want, part) != TANDEM_OK ||
            read_some(fd, got, part, (off_t)at) != 0 || memcmp(want, got, part) != 0)
            return 0;
        at += part;
    }
    return 1;
}

static int is_there_already(const struct place *place, const struct tandem_area *area, uint32_t size)
{
    if (!place->is_there)
        return 0;
    int fd = openat(place->folder, place->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int same = holds(fd, area, size);
    (void)close(fd);
    return same;
}

/* Write the image to an open file and make it durable. */
static enum tandem_status fill(int fd, const struct place *place, const struct tandem_area *area, uint32_t size,
                               uint16_t mode, const char *path, char *reason)
{
    uint8_t bytes[CHUNK];
    for (uint32_t at = 0; at < size;) {
        uint32_t part = size - at < CHUNK ? size - at : CHUNK;
        if (area->flash->read(area->flash->ctx, area->address + at, bytes, part) != TANDEM_OK)
            return fail(reason, TANDEM_ERROR_FLASH, path, "its image cannot be read");
        if (write_some(fd, bytes, part) != 0)
            return fail_here(reason, path);
        at += part;
    }
    /* Owner first: changing it may take permissions away. */
    if (place->is_there && (place->before.st_uid != geteuid() || place->before.st_gid != getegid()) &&
        fchown(fd, place->before.st_uid, place->before.st_gid) != 0)
        return fail(reason, TANDEM_ERROR_PORT, path, "its owner cannot be kept");
    if (fchmod(fd, place->is_there ? place->before.st_mode & 07777 : mode) != 0 || fsync(fd) != 0)
        return fail_here(reason, path);
    return holds(fd, area, size) ? TANDEM_OK
                                 : fail(reason, TANDEM_ERROR_FLASH, path, "does not hold what was written to it");
}

static enum tandem_status replace(const struct place *place, const struct tandem_area *area, uint32_t size,
                                  uint16_t mode, const char *path, char *reason)
{
    if (unlinkat(place->folder, place->beside, 0) != 0 && errno != ENOENT)
        return fail_here(reason, path);
    int fd = openat(place->folder, place->beside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_here(reason, path);
    enum tandem_status status = fill(fd, place, area, size, mode, path, reason);
    if (close(fd) != 0 && status == TANDEM_OK)
        status = fail_here(reason, path);
    if (status == TANDEM_OK &&
        (renameat(place->folder, place->beside, place->folder, place->name) != 0 || fsync(place->folder) != 0))
        status = fail_here(reason, path);
    if (status != TANDEM_OK)
        (void)unlinkat(place->folder, place->beside, 0);
    return status;
}

enum tandem_status tandem_linux_app_place(const struct tandem_area *area, uint32_t size, const char *path,
                                          uint16_t mode, char *reason)
{
    struct place place;
    memset(&place, 0, sizeof place);
    place.folder = -1;
    enum tandem_status status = open_folder(&place, path, reason);
    if (status == TANDEM_OK)
        status = look_at_old(&place, path, reason);
    if (status == TANDEM_OK && !is_there_already(&place, area, size))
        status = replace(&place, area, size, mode, path, reason);
    if (place.folder >= 0)
        (void)close(place.folder);
    return status;
}
