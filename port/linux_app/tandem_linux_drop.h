/**
 * @file
 * A folder into which a file is dropped, by an FTP server or by hand, and out
 * of which it goes to the update service of tandem/local.h: noticed when it is
 * complete, never read half, checked, taken, and gone afterwards.
 *
 * Complete is a file that nobody has open for writing (Linux), or that has
 * not changed for a while (elsewhere); and, if it is a Tandem package, that
 * has all its bytes: an upload that broke off may go on where it was.
 */
#ifndef TANDEM_LINUX_DROP_H
#define TANDEM_LINUX_DROP_H

#include "tandem/local.h"
#include "tandem_posix.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_LINUX_DROP_SETTLE_S                                                                                     \
    3                                      /**< default: unchanged for so long is complete, where nothing better tells \
                                            */
#define TANDEM_LINUX_DROP_PATIENCE_S 86400 /**< default: an upload that broke off is thrown away after so long */
#define TANDEM_LINUX_DROP_NAME_SIZE 256    /**< bytes of the longest file name, with its zero */

/** How a drop folder is watched. Zero in a number is a good choice. */
struct tandem_linux_drop_options {
    const char *folder;  /**< must be there; only a file server writes to it */
    uint32_t settle_s;   /**< see above */
    uint32_t patience_s; /**< see above */
    /** Optional: one line of log. */
    void (*say)(void *ctx, const char *line);
    void *ctx; /**< handed to say() */
};

/** A drop folder. Fields are its own. */
struct tandem_linux_drop {
    const struct tandem_linux_drop_options *options; /**< caller's */
    struct tandem_local *local;                      /**< the service that takes what is dropped */
    int folder;                                      /**< open; −1: not */
    int file;                                        /**< being handed over; −1: none */
    uint32_t size;                                   /**< its bytes */
    uint32_t at;                                     /**< bytes handed over */
    uint32_t looked_ms;                              /**< when the folder was last looked at */
    uint8_t looked;                                  /**< 1: it was looked at at all */

    const char *complaint;                        /**< what was last complained about it */
    char name[TANDEM_LINUX_DROP_NAME_SIZE];       /**< of what is handed over */
    char complained[TANDEM_LINUX_DROP_NAME_SIZE]; /**< of what was last complained about */
};

/**
 * Open. What an earlier process had taken and not finished is thrown away: the installer has what it stored of it.
 * @param drop caller's
 * @param options,local must outlive it
 * @param reason TANDEM_POSIX_REASON_SIZE bytes, or NULL
 * @return TANDEM_OK; TANDEM_ERROR_PORT
 */
enum tandem_status tandem_linux_drop_open(struct tandem_linux_drop *drop,
                                          const struct tandem_linux_drop_options *options, struct tandem_local *local,
                                          char *reason);
/** Close. */
void tandem_linux_drop_close(struct tandem_linux_drop *drop);

/**
 * Look into the folder now and then; hand over what is complete, check it, and
 * start it. Call it after tandem_local_poll(), which tells how the last one ended.
 * @return TANDEM_AGAIN: a file is being handed over, call soon; TANDEM_OK
 */
enum tandem_status tandem_linux_drop_poll(struct tandem_linux_drop *drop, uint32_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
