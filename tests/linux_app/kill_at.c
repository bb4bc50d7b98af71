/*
 * Loaded into a process before the C library: the process is killed before or
 * after its n-th call that changes a file, as if by kill -9. KILL_AT=n, or
 * KILL_AT=-n for after; without it the calls are counted into KILL_COUNT's
 * file. Children are left alone.
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static pid_t owner;
static long at, count;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("KILL_AT");
    at = text != NULL ? strtol(text, NULL, 10) : 0;
    owner = getpid();
    (void)unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void)
{
    const char *name = getenv("KILL_COUNT");
    FILE *file = name != NULL && getpid() == owner ? fopen(name, "w") : NULL;
    if (file == NULL)
        return;
    fprintf(file, "%ld\n", count);
    (void)fclose(file);
}

static void before(void)
{
    if (getpid() == owner && ++count == at)
        (void)raise(SIGKILL);
}

static void after(void)
{
    if (getpid() == owner && count == -at)
        (void)raise(SIGKILL);
}

/* The C library's function behind a name. The standard has no way to write this conversion. */
#define FIND(real, name) (*(void **)(&(real)) = dlsym(RTLD_NEXT, name))

#define CHANGES(result_type, call_name, parameters, arguments) \
    result_type call_name parameters                           \
    {                                                          \
        result_type(*real) parameters;                         \
        FIND(real, #call_name);                                \
        before();                                              \
        result_type result = real arguments;                   \
        after();                                               \
        return result;                                         \
    }

CHANGES(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
CHANGES(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t place), (fd, data, size, place))
CHANGES(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t place), (fd, data, size, place))
CHANGES(int, fsync, (int fd), (fd))
CHANGES(int, fdatasync, (int fd), (fd))
CHANGES(int, fchmod, (int fd, mode_t mode), (fd, mode))
CHANGES(int, renameat, (int from, const char *old, int to, const char *now), (from, old, to, now))
CHANGES(int, unlinkat, (int folder, const char *name, int flags), (folder, name, flags))
CHANGES(int, unlink, (const char *name), (name))

/* Only those that make a file count. */
int openat(int folder, const char *name, int flags, ...)
{
    int (*real)(int, const char *, int, ...);
    mode_t mode;
    FIND(real, "openat");
    if ((flags & O_CREAT) == 0)
        return real(folder, name, flags);
    va_list list;
    va_start(list, flags);
    mode = (mode_t)va_arg(list, unsigned);
    va_end(list);
    before();
    int result = real(folder, name, flags, mode);
    after();
    return result;
}
