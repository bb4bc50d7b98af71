/*
 * The folder of a Linux product: its layout, and what is installed without
 * the program.
 */
#define _POSIX_C_SOURCE 200809L

#include "linux_app_inner.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../posix/posix_reason.h"

/*
 *   journal    4 sectors
 *   manifests  2 sectors for each bank
 *   images     for each file: bank 0, bank 1
 */
#define SECTOR 4096u
#define JOURNAL (4 * SECTOR)
#define MANIFEST (2 * SECTOR)
#define UNIT 8u

static enum tandem_status refuse(char *reason, enum tandem_status status, const char *text)
{
    posix_reason(reason, "the product's description", text);
    return status;
}

static uint32_t whole_sectors(uint32_t size)
{
    return (size + SECTOR - 1) & ~(SECTOR - 1);
}

/* Bytes of the flash file; 0: more than 32 bits can say. */
static uint32_t flash_size(const struct tandem_linux_app_options *options)
{
    uint64_t size = JOURNAL + 2 * MANIFEST;
    for (uint8_t i = 0; i < options->file_count; i++)
        size += 2 * (uint64_t)options->files[i].size_max + 2 * SECTOR;
    return size > UINT32_MAX ? 0 : (uint32_t)size & ~(SECTOR - 1);
}

static struct tandem_area take(struct tandem_linux_app *app, uint32_t *at, uint32_t size)
{
    struct tandem_area area = {&app->flash.port, *at, size};
    *at += size;
    return area;
}

static void describe(struct tandem_linux_app *app)
{
    const struct tandem_linux_app_options *options = app->options;
    struct tandem_device *device = &app->device;
    uint32_t at = 0;
    *device = options->device;
    device->journal = take(app, &at, JOURNAL);
    for (unsigned bank = 0; bank < 2; bank++)
        device->manifests[bank] = take(app, &at, MANIFEST);
    for (uint8_t i = 0; i < options->file_count; i++) {
        app->slots[i].kind = options->files[i].kind;
        app->slots[i].mode = TANDEM_MODE_DIRECT;
        app->slots[i].optional = options->files[i].optional;
        for (unsigned bank = 0; bank < 2; bank++)
            app->slots[i].areas[bank] = take(app, &at, whole_sectors(options->files[i].size_max));
    }
    device->slots = app->slots;
    device->slot_count = options->file_count;
    device->system = options->system;
}

/* The folder, and whether only its owner can write to it: what is in there becomes a program. */
static enum tandem_status make_folder(const char *path, char *reason)
{
    struct stat now;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        posix_reason(reason, path, strerror(errno));
        return TANDEM_ERROR_PORT;
    }
    if (stat(path, &now) != 0 || !S_ISDIR(now.st_mode)) {
        posix_reason(reason, path, "is not a folder");
        return TANDEM_ERROR_PORT;
    }
    if ((now.st_uid != geteuid() && now.st_uid != 0) || (now.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        posix_reason(reason, path, "others may write to it: give it to this user, with permissions 0700");
        return TANDEM_ERROR_PORT;
    }
    return TANDEM_OK;
}

enum tandem_status tandem_linux_app_open(struct tandem_linux_app *app, const struct tandem_linux_app_options *options,
                                         char *reason)
{
    char path[TANDEM_LINUX_APP_PATH_SIZE];
    struct tandem_flash_region region = {0, SECTOR, flash_size(options) / SECTOR};
    struct tandem_posix_flash_options flash;
    const char *fault;
    memset(app, 0, sizeof *app);
    app->options = options;
    app->flash.fd = -1;
    if (options->file_count == 0 || options->file_count > TANDEM_CONFIG_MAX_IMAGES || region.count == 0)
        return refuse(reason, TANDEM_ERROR_ARGUMENT, "no file, too many, or too large ones");
    for (uint8_t i = 0; i < options->file_count; i++)
        if (options->files[i].path == NULL || options->files[i].path[0] != '/' || options->files[i].size_max == 0)
            return refuse(reason, TANDEM_ERROR_ARGUMENT, "a file without an absolute path or a size");
    int n = snprintf(path, sizeof path, "%s/flash.bin", options->state);
    if (n < 0 || (size_t)n >= sizeof path)
        return refuse(reason, TANDEM_ERROR_ARGUMENT, "the folder's name is too long");
    enum tandem_status status = make_folder(options->state, reason);
    if (status != TANDEM_OK)
        return status;
    memset(&flash, 0, sizeof flash);
    flash.path = path;
    flash.regions = &region;
    flash.region_count = 1;
    flash.program_unit = UNIT;
    flash.erased = 0xFF;
    flash.durable = 1;
    status = tandem_posix_flash_open(&app->flash, &flash, reason);
    if (status != TANDEM_OK)
        return status;
    describe(app);
    status = tandem_device_check(&app->device, &fault);
    if (status != TANDEM_OK) {
        tandem_linux_app_close(app);
        return refuse(reason, status, fault);
    }
    return TANDEM_OK;
}

void tandem_linux_app_close(struct tandem_linux_app *app)
{
    tandem_posix_flash_close(&app->flash);
}

/* ---- looking on ---- */

static enum tandem_status view_read(void *ctx, uint32_t address, void *data, size_t size)
{
    return pread(*(const int *)ctx, data, size, (off_t)address) == (ssize_t)size ? TANDEM_OK : TANDEM_ERROR_FLASH;
}

static enum tandem_status view_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    (void)ctx;
    (void)address;
    (void)data;
    (void)size;
    return TANDEM_ERROR_FLASH;
}

static enum tandem_status view_erase(void *ctx, uint32_t address)
{
    (void)ctx;
    (void)address;
    return TANDEM_ERROR_FLASH;
}

int linux_app_is_on_trial(const struct tandem_linux_app_options *options)
{
    static struct tandem_linux_app app;
    struct tandem_flash_region region = {0, SECTOR, flash_size(options) / SECTOR};
    struct tandem_flash_port port = {NULL, view_read, view_program, view_erase, NULL, &region, 1, UNIT, 0xFF};
    struct tandem_bank bank;
    char path[TANDEM_LINUX_APP_PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/flash.bin", options->state);
    int fd = n > 0 && (size_t)n < sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 1;
    memset(&app, 0, sizeof app);
    app.options = options;
    port.ctx = &fd;
    app.flash.port = port;
    describe(&app);
    enum tandem_status status = tandem_bank_open(&bank, &app.device);
    (void)close(fd);
    return status != TANDEM_OK || bank.state.phase == TANDEM_PHASE_TRIAL;
}

/* ---- a package from a file ---- */

/* Let a file pass by the installer. @return TANDEM_OK: all of it did; TANDEM_ERROR_PORT; why not */
static enum tandem_status pass_file(struct tandem_install *install, int fd, const char *path, char *reason)
{
    uint8_t bytes[4096];
    uint32_t at = 0;
    enum tandem_status status = TANDEM_OK;
    while (status == TANDEM_OK) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            posix_reason(reason, path, strerror(errno));
            return TANDEM_ERROR_PORT;
        }
        if (got == 0)
            break;
        for (uint32_t begin = at; at - begin < (uint32_t)got;) {
            status = tandem_install_pass(install, &at, bytes + (at - begin), (size_t)got - (at - begin));
            while (tandem_install_poll(install) == TANDEM_AGAIN) {
            }
            if (status != TANDEM_OK && status != TANDEM_AGAIN)
                return status;
        }
        status = TANDEM_OK;
    }
    while (tandem_install_poll(install) == TANDEM_AGAIN) {
    }
    return TANDEM_OK;
}

enum tandem_status tandem_linux_app_install(const struct tandem_linux_app_options *options, const char *path,
                                            struct tandem_outcome *outcome, char *reason)
{
    static struct tandem_linux_app app;
    static struct tandem_install install;
    static uint8_t buffer[TANDEM_LINUX_APP_BUFFER];
    memset(outcome, 0, sizeof *outcome);
    if (reason != NULL)
        reason[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        posix_reason(reason, path, strerror(errno));
        return TANDEM_ERROR_PORT;
    }
    enum tandem_status status = tandem_linux_app_open(&app, options, reason);
    if (status == TANDEM_OK) {
        status = tandem_install_init(&install, &app.device, buffer, sizeof buffer);
        if (status == TANDEM_OK)
            status = tandem_install_begin(&install, NULL, 0, 1);
        if (status == TANDEM_OK)
            status = pass_file(&install, fd, path, reason);
        *outcome = *tandem_install_outcome(&install);
        if (status == TANDEM_OK && outcome->status != TANDEM_OK)
            status = outcome->status;
        if (status == TANDEM_OK && tandem_install_state(&install) != TANDEM_STATE_PENDING)
            status = TANDEM_ERROR_TRUNCATED;
        tandem_linux_app_close(&app);
    }
    (void)close(fd);
    return status;
}
