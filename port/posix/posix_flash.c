/*
 * NOR flash in a file. It refuses what real flash cannot do, so that a
 * mistake shows on the desk and not in the field: programming a unit twice,
 * half a unit, an erase that begins inside a sector.
 */
#define _POSIX_C_SOURCE 200809L

#include "tandem_posix.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix_reason.h"

#define CHUNK 4096u /* bytes handled at once */

/* ---- whole reads and writes ---- */

static int read_all(int fd, uint8_t *data, size_t size, off_t at)
{
    while (size > 0) {
        ssize_t n = pread(fd, data, size, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EIO : errno; /* shorter than it was: somebody cut the file */
            return -1;
        }
        data += n;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

static int write_all(int fd, const uint8_t *data, size_t size, off_t at)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, data, size, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

/* ---- the port ---- */

static enum tandem_status fault(struct tandem_posix_flash *flash, const char *what, uint32_t address, const char *why)
{
    (void)snprintf(flash->fault, sizeof flash->fault, "%s at 0x%lx: %.150s", what, (unsigned long)address, why);
    return TANDEM_ERROR_FLASH;
}

static int inside(const struct tandem_posix_flash *flash, uint32_t address, size_t size)
{
    uint32_t first = flash->regions[0].address;
    return address >= first && address <= flash->size && size <= flash->size - address;
}

/* A file's byte 0 is the first region's first byte. */
static off_t place(const struct tandem_posix_flash *flash, uint32_t address)
{
    return (off_t)(address - flash->regions[0].address);
}

/* Let an operation take its time: TANDEM_AGAIN until it is over. */
static enum tandem_status pass_time(struct tandem_posix_flash *flash, uint64_t us)
{
    if (us == 0)
        return TANDEM_OK;
    uint64_t now = tandem_posix_now_us();
    if (flash->busy_until == 0)
        flash->busy_until = now + us;
    if (now < flash->busy_until)
        return TANDEM_AGAIN;
    flash->busy_until = 0;
    return TANDEM_OK;
}

static enum tandem_status flash_read(void *ctx, uint32_t address, void *data, size_t size)
{
    struct tandem_posix_flash *flash = ctx;
    if (!inside(flash, address, size))
        return fault(flash, "read", address, "outside the flash");
    if (read_all(flash->fd, data, size, place(flash, address)) != 0)
        return fault(flash, "read", address, strerror(errno));
    return TANDEM_OK;
}

static enum tandem_status flash_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    struct tandem_posix_flash *flash = ctx;
    const uint8_t *bytes = data;
    uint8_t cells[CHUNK];
    uint8_t unit = flash->port.program_unit;
    if (!inside(flash, address, size))
        return fault(flash, "program", address, "outside the flash");
    if (address % unit != 0 || size % unit != 0)
        return fault(flash, "program", address, "not whole program units");
    enum tandem_status status = pass_time(flash, (uint64_t)flash->program_us * ((size + 255u) / 256u));
    if (status != TANDEM_OK)
        return status;
    while (size > 0) {
        size_t part = size < CHUNK ? size : CHUNK;
        if (read_all(flash->fd, cells, part, place(flash, address)) != 0)
            return fault(flash, "program", address, strerror(errno));
        for (size_t i = 0; i < part; i++)
            if (cells[i] != flash->port.erased)
                return fault(flash, "program", address + (uint32_t)i, "the unit is not erased");
        if (write_all(flash->fd, bytes, part, place(flash, address)) != 0)
            return fault(flash, "program", address, strerror(errno));
        bytes += part;
        address += (uint32_t)part;
        size -= part;
    }
    return TANDEM_OK;
}

/* Size of the sector that begins at `address`; 0: none does. */
static uint32_t sector_at(const struct tandem_posix_flash *flash, uint32_t address)
{
    for (uint8_t i = 0; i < flash->port.region_count; i++) {
        const struct tandem_flash_region *region = &flash->regions[i];
        if (address >= region->address && (address - region->address) / region->sector_size < region->count)
            return (address - region->address) % region->sector_size == 0 ? region->sector_size : 0;
    }
    return 0;
}

/* Write the erased value over a range. */
static int fill(int fd, uint8_t value, uint32_t size, off_t at)
{
    uint8_t chunk[CHUNK];
    memset(chunk, value, sizeof chunk);
    while (size > 0) {
        uint32_t part = size < CHUNK ? size : CHUNK;
        if (write_all(fd, chunk, part, at) != 0)
            return -1;
        at += (off_t)part;
        size -= part;
    }
    return 0;
}

static enum tandem_status flash_erase(void *ctx, uint32_t address)
{
    struct tandem_posix_flash *flash = ctx;
    uint32_t size = sector_at(flash, address);
    if (size == 0)
        return fault(flash, "erase", address, "no sector begins there");
    enum tandem_status status = pass_time(flash, flash->erase_us);
    if (status != TANDEM_OK)
        return status;
    if (fill(flash->fd, flash->port.erased, size, place(flash, address)) != 0)
        return fault(flash, "erase", address, strerror(errno));
    return TANDEM_OK;
}

static enum tandem_status flash_sync(void *ctx)
{
    struct tandem_posix_flash *flash = ctx;
    if (flash->durable && fsync(flash->fd) != 0)
        return fault(flash, "sync", 0, strerror(errno));
    return TANDEM_OK;
}

/* ---- opening ---- */

/* Bytes from address 0 to the end of the last region; 0: the map is not one. */
static uint32_t end_of_regions(const struct tandem_posix_flash_options *options)
{
    uint64_t at = options->region_count > 0 ? options->regions[0].address : 0;
    for (uint8_t i = 0; i < options->region_count; i++) {
        const struct tandem_flash_region *region = &options->regions[i];
        if (region->address != at || region->sector_size == 0 || region->count == 0)
            return 0;
        at += (uint64_t)region->sector_size * region->count;
    }
    return at <= 0xFFFFFFFFu ? (uint32_t)at : 0;
}

static int options_valid(const struct tandem_posix_flash_options *options)
{
    uint8_t unit = options->program_unit;
    return options->path != NULL && options->regions != NULL && options->region_count > 0 &&
           options->region_count <= TANDEM_POSIX_FLASH_REGIONS && unit != 0 && (unit & (unit - 1)) == 0 && unit <= 32 &&
           (options->erased == 0xFF || options->erased == 0) && end_of_regions(options) != 0;
}

/* A new file appears whole or not at all: it is filled under another name. */
static int make_file(const char *path, uint8_t erased, uint32_t size)
{
    size_t length = strlen(path) + sizeof ".XXXXXX";
    char *name = malloc(length);
    if (name == NULL)
        return -1;
    (void)snprintf(name, length, "%s.XXXXXX", path);
    int fd = mkstemp(name);
    if (fd < 0) {
        free(name);
        return -1;
    }
    int failed = fill(fd, erased, size, 0) != 0 || fsync(fd) != 0 || link(name, path) != 0;
    int why = errno;
    if (failed && why == EEXIST)
        failed = 0; /* somebody made it meanwhile: take theirs */
    (void)unlink(name);
    (void)close(fd);
    free(name);
    errno = why;
    return failed ? -1 : 0;
}

static int open_or_make(const struct tandem_posix_flash_options *options, uint32_t size)
{
    int fd = open(options->path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (make_file(options->path, options->erased, size) != 0)
        return -1;
    return open(options->path, O_RDWR | O_CLOEXEC);
}

/* Two processes on one flash would be two chips on one memory. */
static enum tandem_status lock(int fd, const char *path, char *reason)
{
    struct flock lock = {0};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(fd, F_SETLK, &lock) == 0)
        return TANDEM_OK;
    if (errno != EACCES && errno != EAGAIN) {
        posix_reason(reason, path, strerror(errno));
        return TANDEM_ERROR_PORT;
    }
    char text[64] = "in use by another process";
    if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        (void)snprintf(text, sizeof text, "in use by process %ld", (long)lock.l_pid);
    posix_reason(reason, path, text);
    return TANDEM_ERROR_BUSY;
}

static enum tandem_status check_size(int fd, const char *path, uint32_t size, char *reason)
{
    struct stat status;
    char text[120];
    if (fstat(fd, &status) != 0) {
        posix_reason(reason, path, strerror(errno));
        return TANDEM_ERROR_PORT;
    }
    if (S_ISREG(status.st_mode) && status.st_size == (off_t)size)
        return TANDEM_OK;
    (void)snprintf(text, sizeof text, "is not this device's flash: it has %lld bytes, not %lu",
                   (long long)status.st_size, (unsigned long)size);
    posix_reason(reason, path, text);
    return TANDEM_ERROR_LAYOUT;
}

static void set_port(struct tandem_posix_flash *flash, const struct tandem_posix_flash_options *options)
{
    memcpy(flash->regions, options->regions, options->region_count * sizeof flash->regions[0]);
    flash->size = end_of_regions(options);
    flash->durable = options->durable;
    flash->erase_us = options->erase_us;
    flash->program_us = options->program_us;
    flash->port.ctx = flash;
    flash->port.read = flash_read;
    flash->port.program = flash_program;
    flash->port.erase = flash_erase;
    flash->port.sync = flash_sync;
    flash->port.regions = flash->regions;
    flash->port.region_count = options->region_count;
    flash->port.program_unit = options->program_unit;
    flash->port.erased = options->erased;
}

enum tandem_status tandem_posix_flash_open(struct tandem_posix_flash *flash,
                                           const struct tandem_posix_flash_options *options, char *reason)
{
    memset(flash, 0, sizeof *flash);
    flash->fd = -1;
    if (!options_valid(options)) {
        posix_reason(reason, "flash options", "not a sector map, program unit or erased value");
        return TANDEM_ERROR_ARGUMENT;
    }
    set_port(flash, options);
    uint32_t bytes = flash->size - flash->regions[0].address;
    flash->fd = open_or_make(options, bytes);
    if (flash->fd < 0) {
        posix_reason(reason, options->path, strerror(errno));
        return TANDEM_ERROR_PORT;
    }
    enum tandem_status status = lock(flash->fd, options->path, reason);
    if (status == TANDEM_OK)
        status = check_size(flash->fd, options->path, bytes, reason);
    if (status != TANDEM_OK)
        tandem_posix_flash_close(flash);
    return status;
}

void tandem_posix_flash_close(struct tandem_posix_flash *flash)
{
    if (flash->fd >= 0)
        (void)close(flash->fd);
    flash->fd = -1;
}
