/**
 * @file
 * Programs of a Linux product as images. A folder of the product's own holds
 * what a chip has in its flash: two banks, their manifests, the journal. A
 * small supervisor is the bootloader: it decides which bank runs, puts that
 * bank's images where the product wants them as files, and starts the
 * program. A program that does not confirm itself in time is gone at the next
 * start, and the files before it are back.
 *
 * The program takes updates with tandem_install and any transport, exactly as
 * on a chip; docs/linux.md is the guide. POSIX.1-2008.
 */
#ifndef TANDEM_LINUX_APP_H
#define TANDEM_LINUX_APP_H

#include "tandem/boot.h"
#include "tandem/install.h"
#include "tandem_posix.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_LINUX_APP_RESTART 75     /**< exit code by which a program asks to be restarted (EX_TEMPFAIL) */
#define TANDEM_LINUX_APP_BUFFER 8192    /**< bytes of scratch: the largest package head, and a window */
#define TANDEM_LINUX_APP_PATH_SIZE 1024 /**< bytes of the longest path, with its zero */

/** A file that an image becomes. */
struct tandem_linux_file {
    uint8_t kind;      /**< enum tandem_kind; the application is the program that is started */
    uint8_t optional;  /**< 1: a package may leave it out */
    const char *path;  /**< absolute; its folder must be there */
    uint32_t size_max; /**< bytes that it may ever have: room for two of these is taken, sparsely */
    uint16_t mode;     /**< permissions of a new file; those of an old one are kept; 0: 0755 for the application, else
                            0644 */
};

/** What a product is. One constant serves supervisor and program. */
struct tandem_linux_app_options {
    const char *state;                       /**< folder; made, for the owner alone, if it is not there */
    const struct tandem_linux_file *files;   /**< one for each kind */
    uint8_t file_count;                      /**< 1 … TANDEM_CONFIG_MAX_IMAGES */
    struct tandem_device device;             /**< names, keys, policies; slots, areas and journal are filled in */
    const struct tandem_system_port *system; /**< the program's; NULL: none */
};

/** A product, opened. Must not move. */
struct tandem_linux_app {
    const struct tandem_linux_app_options *options;     /**< caller's */
    struct tandem_posix_flash flash;                    /**< the folder's flash.bin */
    struct tandem_slot slots[TANDEM_CONFIG_MAX_IMAGES]; /**< one for each file */
    struct tandem_device device;                        /**< for tandem_install_init() and tandem_boot_decide() */
};

/**
 * Open the folder. It is locked: one process at a time.
 * @param app caller's
 * @param options must outlive it
 * @param reason TANDEM_POSIX_REASON_SIZE bytes, or NULL
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (options); TANDEM_ERROR_BUSY (another process has it);
 *         TANDEM_ERROR_LAYOUT (made for other sizes); TANDEM_ERROR_PORT
 */
enum tandem_status tandem_linux_app_open(struct tandem_linux_app *app, const struct tandem_linux_app_options *options,
                                         char *reason);
/** Close it. */
void tandem_linux_app_close(struct tandem_linux_app *app);

/**
 * Make an image a file, so that at any moment, also after a loss of power,
 * there is the old one or the new one, whole: written beside it, made durable,
 * read back, renamed. Nothing is done if it is there already. Owner and
 * permissions of the old one are kept.
 *
 * Refused: a path that is a link, a folder or a device, and a folder that
 * everybody may write to.
 * @param area,size the image
 * @param path,mode of the file; as in struct tandem_linux_file
 * @param reason TANDEM_POSIX_REASON_SIZE bytes, or NULL
 * @return TANDEM_OK; TANDEM_ERROR_FLASH (the image cannot be read, or the file does not hold what was written);
 *         TANDEM_ERROR_SPACE (no room on the disk); TANDEM_ERROR_PORT; TANDEM_ERROR_ARGUMENT (not a path for it)
 */
enum tandem_status tandem_linux_app_place(const struct tandem_area *area, uint32_t size, const char *path,
                                          uint16_t mode, char *reason);

/** The supervisor's wishes. Zero is a good choice. */
struct tandem_linux_supervise_options {
    const struct tandem_linux_app_options *app; /**< the product */
    char *const *arguments;                     /**< of the program, its name first; NULL at the end */
    uint32_t confirm_ms;                        /**< what a program on trial has to confirm itself; 0: one minute */
    uint32_t stop_ms;                           /**< from the request to end to the kill; 0: 5 s */
    /** Optional: one line of log. */
    void (*say)(void *ctx, const char *line);
    void *ctx; /**< handed to say() */
};

/**
 * Decide, put the files in place, start the program, wait for its end; and
 * again when it asks for that, or when it was on trial. SIGTERM and SIGINT are
 * passed on to the program and end the supervisor too. For the main program
 * of a process with one thread.
 * @return exit code: the program's own; 128 and its signal; or a Tandem status if nothing could be started
 */
int tandem_linux_app_supervise(const struct tandem_linux_supervise_options *options);

/**
 * Install a package from a file, without the program: the first one of a
 * product, or to heal it. The next start tries it.
 * @param options the product; not opened by anyone
 * @param path of the package
 * @param outcome set to what became of it
 * @param reason TANDEM_POSIX_REASON_SIZE bytes, or NULL; why the folder or the file could not be read
 * @return TANDEM_OK; the outcome's status; as tandem_linux_app_open()
 */
enum tandem_status tandem_linux_app_install(const struct tandem_linux_app_options *options, const char *path,
                                            struct tandem_outcome *outcome, char *reason);

#ifdef __cplusplus
}
#endif

#endif
