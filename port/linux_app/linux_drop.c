/*
 * A drop folder: what is complete is taken out of the server's reach under
 * another name, handed to the service, and removed.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* F_SETLEASE */
#else
#define _XOPEN_SOURCE 700
#endif

#include "tandem_linux_drop.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../posix/posix_reason.h"

#define LOOK_MS 250u
#define CHUNK 16384u
#define TAKEN ".taken" /* in the folder; hidden from most clients */

static void say(struct tandem_linux_drop *drop, const char *name, const char *what)
{
    char line[2 * TANDEM_POSIX_REASON_SIZE];
    if (drop->options->say == NULL)
        return;
    (void)snprintf(line, sizeof line, "%.255s: %s", name, what);
    drop->options->say(drop->options->ctx, line);
}

/* Of what stays where it is, once. */
static void complain(struct tandem_linux_drop *drop, const char *name, const char *what)
{
    if (drop->complaint == what && strncmp(drop->complained, name, sizeof drop->complained) == 0)
        return;
    drop->complaint = what;
    (void)snprintf(drop->complained, sizeof drop->complained, "%s", name);
    say(drop, name, what);
}

/* ---- is it complete? ---- */

/* 1: nobody writes to it; 0: somebody does; -1: this system does not tell. */
static int is_at_rest(int file)
{
#if defined(F_SETLEASE)
    if (fcntl(file, F_SETLEASE, F_RDLCK) == 0) {
        (void)fcntl(file, F_SETLEASE, F_UNLCK);
        return 1;
    }
    if (errno == EAGAIN)
        return 0;
#else
    (void)file;
#endif
    return -1;
}

/* Whether it has not changed for as long as it takes. No client can set this time. */
static int has_settled(const struct tandem_linux_drop *drop, const struct stat *now)
{
    uint32_t settle = drop->options->settle_s != 0 ? drop->options->settle_s : TANDEM_LINUX_DROP_SETTLE_S;
    return time(NULL) - now->st_ctime >= (time_t)settle;
}

/* A package that is shorter than it says of itself. */
static int is_part(int file, off_t size)
{
    uint8_t bytes[TANDEM_PACKAGE_HEADER_SIZE];
    struct tandem_package_header header;
    if (size < (off_t)sizeof bytes || pread(file, bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return 0;
    return tandem_package_header(&header, bytes) == TANDEM_OK && size < (off_t)header.package_size;
}

static int is_complete(struct tandem_linux_drop *drop, const char *name, int file, const struct stat *now)
{
    uint32_t patience = drop->options->patience_s != 0 ? drop->options->patience_s : TANDEM_LINUX_DROP_PATIENCE_S;
    int rest = is_at_rest(file);
    if (rest == 0 || ((rest < 0 || now->st_size == 0) && !has_settled(drop, now)))
        return 0; /* a server makes an empty file first */
    if (!is_part(file, now->st_size))
        return 1;
    complain(drop, name, "not all of it is here: upload the rest");
    if (time(NULL) - now->st_ctime > (time_t)patience && unlinkat(drop->folder, name, 0) == 0)
        say(drop, name, "nobody uploaded the rest: thrown away");
    return 0;
}

/* ---- taking ---- */

/* A file of the folder, opened, if it is complete; else -1. */
static int open_complete(struct tandem_linux_drop *drop, const char *name, struct stat *now)
{
    if (name[0] == '.' || strlen(name) >= TANDEM_LINUX_DROP_NAME_SIZE)
        return -1;
    /* Neither a link is followed, nor does a pipe hold us up. */
    int file = openat(drop->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || fstat(file, now) != 0 || !S_ISREG(now->st_mode))
        complain(drop, name, file < 0 && errno != ELOOP ? "cannot be read: left alone" : "is not a file: left alone");
    else if (is_complete(drop, name, file, now))
        return file;
    if (file >= 0)
        (void)close(file);
    return -1;
}

/* The oldest complete file. @return it, opened, and its name; -1: there is none */
static int find(struct tandem_linux_drop *drop, char *name, struct stat *found)
{
    struct stat now;
    int file = -1, again = openat(drop->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = again >= 0 ? fdopendir(again) : NULL;
    if (list == NULL) {
        if (again >= 0)
            (void)close(again);
        return -1;
    }
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;) {
        int other = open_complete(drop, entry->d_name, &now);
        if (other < 0)
            continue;
        if (file >= 0 && now.st_mtime >= found->st_mtime) {
            (void)close(other);
            continue;
        }
        if (file >= 0)
            (void)close(file);
        file = other;
        *found = now;
        (void)snprintf(name, TANDEM_LINUX_DROP_NAME_SIZE, "%s", entry->d_name);
    }
    (void)closedir(list);
    return file;
}

/* Hand a file over, from its beginning. It no longer has the name under which a client could write to it. */
static void begin(struct tandem_linux_drop *drop, const char *name, int file, off_t size)
{
    enum tandem_status status = TANDEM_ERROR_TOO_LARGE;
    (void)snprintf(drop->name, sizeof drop->name, "%s", name);
    if (size <= (off_t)UINT32_MAX)
        status = tandem_local_begin(drop->local, name, (uint32_t)size);
    if (status != TANDEM_OK) {
        say(drop, name, tandem_status_text(status));
        (void)unlinkat(drop->folder, TAKEN, 0);
        (void)close(file);
        return;
    }
    say(drop, name, "taken");
    drop->file = file;
    drop->size = (uint32_t)size;
    drop->at = 0;
}

static void look(struct tandem_linux_drop *drop, uint32_t now_ms)
{
    char name[TANDEM_LINUX_DROP_NAME_SIZE] = "";
    struct stat found = {0};
    drop->looked = 1;
    drop->looked_ms = now_ms;
    int file = find(drop, name, &found);
    if (file < 0)
        return;
    if (renameat(drop->folder, name, drop->folder, TAKEN) == 0) {
        begin(drop, name, file, found.st_size);
        return;
    }
    complain(drop, name, "cannot be taken: this user must own the folder");
    (void)close(file);
}

/* ---- handing over ---- */

static void finish(struct tandem_linux_drop *drop)
{
    (void)unlinkat(drop->folder, TAKEN, 0);
    (void)close(drop->file);
    drop->file = -1;
}

static enum tandem_status hand_over(struct tandem_linux_drop *drop)
{
    uint8_t bytes[CHUNK];
    size_t taken = 0;
    uint32_t part = drop->size - drop->at < CHUNK ? drop->size - drop->at : CHUNK;
    ssize_t got = pread(drop->file, bytes, part, (off_t)drop->at);
    if (got < 0 && errno == EINTR)
        return TANDEM_AGAIN;
    if (got <= 0) {
        (void)tandem_local_abort(drop->local);
        return TANDEM_ERROR_PORT;
    }
    enum tandem_status status = tandem_local_data(drop->local, bytes, (size_t)got, &taken);
    drop->at += (uint32_t)taken;
    if (status != TANDEM_OK || drop->at < drop->size)
        return status == TANDEM_OK ? TANDEM_AGAIN : status;
    status = tandem_local_end(drop->local, NULL);
    return status == TANDEM_OK ? tandem_local_start(drop->local) : status;
}

enum tandem_status tandem_linux_drop_poll(struct tandem_linux_drop *drop, uint32_t now_ms)
{
    struct tandem_local_report report;
    if (drop->file >= 0) {
        enum tandem_status status = hand_over(drop);
        if (status == TANDEM_AGAIN)
            return TANDEM_AGAIN;
        if (status != TANDEM_OK && status != TANDEM_ERROR_STATE) /* else the service has told, and been heard */
            say(drop, drop->name, tandem_status_text(status));
        finish(drop);
        return TANDEM_OK;
    }
    if (drop->looked && now_ms - drop->looked_ms < LOOK_MS)
        return TANDEM_OK;
    /* One at a time: a second one waits until the first is installed, or has failed. */
    tandem_local_report(drop->local, &report);
    if (report.stage == TANDEM_LOCAL_IDLE || report.stage == TANDEM_LOCAL_DONE || report.stage == TANDEM_LOCAL_FAILED)
        look(drop, now_ms);
    return TANDEM_OK;
}

enum tandem_status tandem_linux_drop_open(struct tandem_linux_drop *drop,
                                          const struct tandem_linux_drop_options *options, struct tandem_local *local,
                                          char *reason)
{
    memset(drop, 0, sizeof *drop);
    drop->options = options;
    drop->local = local;
    drop->file = -1;
    drop->folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (drop->folder < 0) {
        posix_reason(reason, options->folder, strerror(errno));
        return TANDEM_ERROR_PORT;
    }
    (void)unlinkat(drop->folder, TAKEN, 0);
    return TANDEM_OK;
}

void tandem_linux_drop_close(struct tandem_linux_drop *drop)
{
    if (drop->file >= 0)
        finish(drop);
    if (drop->folder >= 0)
        (void)close(drop->folder);
    drop->folder = -1;
}
