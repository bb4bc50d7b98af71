/*
 * The boot process: decide what may be started, say why, become it; or take
 * an update.
 */
#define _POSIX_C_SOURCE 200809L

#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tandem/recovery.h"

static void report(const struct board *board, const struct tandem_boot *boot)
{
    char version[TANDEM_VERSION_TEXT_SIZE];
    tandem_version_format(&boot->version, version);
    printf("%s: bootloader starts bank %u, version %s: %s", board->facts.name, boot->bank, version,
           tandem_boot_reason_text(boot->reason));
    if (boot->status != TANDEM_OK && boot->reason != TANDEM_BOOT_REVERTED) /* that one says it already */
        printf(" (the other: %s)", tandem_status_text(boot->status));
    putchar('\n');
}

/* The listening socket is to survive into the firmware; everything else closes. */
static int inherit(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
}

static const struct tandem_boot_image *application(const struct tandem_boot *boot)
{
    for (size_t i = 0; i < TANDEM_CONFIG_MAX_IMAGES; i++)
        if (boot->images[i].kind == TANDEM_KIND_APPLICATION)
            return &boot->images[i];
    return NULL;
}

/* Jump: the bytes that the bank holds become this process. */
static int jump(struct board *board, const struct tandem_boot_image *image, int listener, const char *program)
{
    const struct tandem_flash_port *flash = image->area.flash;
    char keep[BOARD_PATH_SIZE], number[16], state[BOARD_PATH_SIZE];
    uint8_t *bytes = malloc(image->size);
    if (bytes == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    if (flash->read(flash->ctx, image->area.address, bytes, image->size) != TANDEM_OK ||
        board_path(keep, board->state, "running") != 0 || inherit(listener) != 0)
        return tool_fail(TANDEM_ERROR_FLASH, "%s: cannot read the firmware: %s", board->facts.name, board->flash.fault);
    memcpy(state, board->state, sizeof state);
    (void)snprintf(number, sizeof number, "%d", listener);
    char *arguments[] = {board->facts.name, state, number, (char *)program, NULL};
    board->system.watchdog(board); /* from here on it counts */
    board_close(board);            /* also gives up the lock, for the firmware to take */
    (void)fflush(stdout);
    device_execute(bytes, image->size, keep, arguments);
    int why = errno;
    free(bytes);
    int code = tool_fail(TOOL_SYSTEM, "%s: the firmware cannot be executed: %s", board->facts.name, strerror(why));
    if (why == ENOEXEC && board->facts.watchdog != 0)
        (void)raise(SIGILL); /* a chip that is sent into nonsense crashes */
    return code;
}

/* Start what may be started. Comes back, with the exit code, if that failed. */
static int run_firmware(struct board *board, const struct tandem_boot *boot, int listener, const char *program)
{
    const struct tandem_boot_image *image = application(boot);
    if (image == NULL)
        return tool_fail(TANDEM_ERROR_NOTHING, "%s: the package has no image app", board->facts.name);
    report(board, boot);
    return jump(board, image, listener, program);
}

int device_boot(const char *state, int listener, const char *program, int pin)
{
    static struct board board;
    static uint8_t buffer[BOARD_BUFFER];
    struct tandem_boot boot;
    struct tandem_boot_report decided;
    char reason[TANDEM_POSIX_REASON_SIZE] = "";
    int code = TOOL_OK;
    for (int restart = 1; code == TOOL_OK && restart; pin = 0) {
        enum tandem_status status = board_open(&board, state, "flash.bin", reason);
        if (status != TANDEM_OK)
            return tool_fail(status == TANDEM_ERROR_PORT ? TOOL_SYSTEM : (int)status, "%s", reason);
        enum tandem_recovery_cause cause = tandem_recovery_wanted(board.report, board.request, pin);
        status = cause == TANDEM_RECOVERY_NOT ? tandem_boot_decide(&boot, &board.device, buffer, sizeof buffer)
                                              : tandem_recovery_decide(&boot, &board.device, buffer, sizeof buffer);
        if (status != TANDEM_OK)
            cause = TANDEM_RECOVERY_NOTHING;
        tandem_boot_report_store(board.report, &boot, cause);
        (void)tandem_boot_report_load(&decided, board.report);
        board_ram_store(&board);
        if (cause == TANDEM_RECOVERY_NOT)
            return run_firmware(&board, &boot, listener, program);
        code = device_recover(&board, &decided, listener, &restart);
        board_close(&board);
    }
    return code;
}
