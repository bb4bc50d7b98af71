/**
 * @file
 * Local upgrade: one file arrives over a channel of the product's own, and
 * becomes the next version. Device side.
 *
 * Some program or vehicle that the product is attached to commands: enter, a
 * file's bytes, its MD5, check, start, finish; and is told how it stands, on
 * change and at a bounded rate. This is the shape of DJI's Payload SDK and of
 * its likes; port/dji_psdk fits it to their callbacks, docs/local.md tells the
 * whole story. What arrives is a Tandem package or, where the device allows
 * what nobody signed, one bare image.
 *
 * It never waits: calls post, tandem_local_poll() works. None of it may be
 * called from an interrupt, nor two at a time.
 */
#ifndef TANDEM_LOCAL_H
#define TANDEM_LOCAL_H

#include "tandem/bare.h"
#include "tandem/file_name.h"
#include "tandem/install.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is being done. */
enum tandem_local_stage {
    TANDEM_LOCAL_IDLE = 0,       /**< nothing */
    TANDEM_LOCAL_PREPARING = 1,  /**< room is made for what comes */
    TANDEM_LOCAL_RECEIVING = 2,  /**< a file comes in */
    TANDEM_LOCAL_VERIFYING = 3,  /**< it is here; it is read back, and what it does not bring is copied */
    TANDEM_LOCAL_READY = 4,      /**< whole and verified: tandem_local_start() */
    TANDEM_LOCAL_RESTARTING = 5, /**< the device restarts into it in a moment */
    TANDEM_LOCAL_TRIAL = 6,      /**< the new version runs, and has not confirmed itself yet */
    TANDEM_LOCAL_DONE = 7,       /**< the new version runs, confirmed: tandem_local_acknowledge() */
    TANDEM_LOCAL_FAILED = 8      /**< it came to nothing: tandem_local_acknowledge() */
};

/** How it stands. */
struct tandem_local_report {
    enum tandem_local_stage stage; /**< what is being done */
    uint8_t percent;               /**< of receiving and verifying together, 0 … 100; never falls within a session */
    uint16_t restart_s;            /**< RESTARTING: how long it will take, in seconds */
    enum tandem_status status;     /**< FAILED: why; else TANDEM_OK */
    struct tandem_version version; /**< of what comes or came, as far as known */
};

/** The product's wishes. Zero in a number is a good choice. */
struct tandem_local_options {
    void *ctx;           /**< handed to every function */
    const char *product; /**< name that a file may carry */
    const char *alias;   /**< another one; NULL: none */
    /** Optional: may an upgrade begin now? Not in flight, say. @return TANDEM_OK, or the reason why not */
    enum tandem_status (*permit)(void *ctx);
    /** Tell the host. Called from tandem_local_poll() only. @return TANDEM_OK; else it is told again later */
    enum tandem_status (*push)(void *ctx, const struct tandem_local_report *report);
    uint16_t prepare_s;     /**< what hosts are told to wait after tandem_local_enter(), in seconds; 0: 10 */
    uint16_t restart_s;     /**< what a restart takes, in seconds; 0: 30 */
    uint16_t grace_ms;      /**< from the announcement of a restart to the restart; 0: 1000 */
    uint16_t interval_ms;   /**< least time between two pushes while only the percentage changes; 0: 200 */
    uint16_t repeat_ms;     /**< time after which an outcome that nobody acknowledged is pushed again; 0: 1000 */
    uint32_t repeat_for_ms; /**< how long that goes on; 0: until it is acknowledged */
    uint32_t silence_ms;    /**< a file of which nothing comes for so long is given up; 0: a minute */
    uint8_t any_name;       /**< 1: also files whose name is not of the form of tandem/file_name.h */
    uint8_t kind;           /**< of a bare image: enum tandem_kind; 0: the application */
    uint8_t variant;        /**< of a bare image that is linked for a bank: that bank plus 1; 0: it runs from either */
};

/** The service. Fields are the library's own. */
struct tandem_local {
    const struct tandem_local_options *options;   /**< caller's */
    struct tandem_bare bare;                      /**< the door; the installer is behind it */
    struct tandem_md5 md5;                        /**< of what came so far */
    struct tandem_version version;                /**< in the file's name; 0.0.0: not said */
    struct tandem_local_report told;              /**< last */
    uint32_t now;                                 /**< last time seen */
    uint32_t heard_ms;                            /**< when the host was last heard */
    uint32_t told_ms;                             /**< when it was last told */
    uint32_t since_ms;                            /**< when the stage was first told */
    uint32_t restart_ms;                          /**< when the restart was decided, or last tried */
    uint32_t size;                                /**< bytes of the file */
    uint32_t at;                                  /**< bytes that came */
    enum tandem_status status;                    /**< why the session failed, if not the installer says so */
    uint8_t step;                                 /**< what the session is at */
    uint8_t payload;                              /**< enum tandem_payload, once told apart */
    uint8_t magic[TANDEM_PAYLOAD_RECOGNISE_SIZE]; /**< the file's first bytes */
    uint8_t enabled;                              /**< 1: sessions may begin */
    uint8_t wanted;                               /**< 1: start as soon as it is verified */
    uint8_t percent;                              /**< highest so far */
    uint8_t silent;                               /**< 1: nothing is pushed until something changes */
    uint8_t heard;                                /**< 1: the host was heard since the last poll */
};

/**
 * Prepare. Not enabled yet.
 * @param local caller's
 * @param options must outlive it; `push` is needed
 * @param install opened; must outlive it. Another transport may use it too: only one feeds it at a time
 */
void tandem_local_init(struct tandem_local *local, const struct tandem_local_options *options,
                       struct tandem_install *install);

/** Let upgrades begin. */
void tandem_local_enable(struct tandem_local *local);
/** Let none begin; what is under way is given up. @return TANDEM_OK; TANDEM_ERROR_FLASH */
enum tandem_status tandem_local_disable(struct tandem_local *local);

/**
 * A host is about to upgrade. Makes room, in polls: the free bank is erased,
 * unless a verified update waits in it.
 * @param wait_s set to the seconds that the host shall wait before it sends; NULL: not wanted
 * @return TANDEM_OK; TANDEM_ERROR_STATE (not enabled); TANDEM_ERROR_TRIAL; TANDEM_ERROR_BUSY (another transport is at
 *         it); permit()'s reason
 */
enum tandem_status tandem_local_enter(struct tandem_local *local, uint16_t *wait_s);

/**
 * A file comes. One that was coming is given up; what was stored of a package
 * serves if it comes again.
 * @param name of the file, terminated; NULL: it has none
 * @param size bytes, at least 1
 * @return TANDEM_OK; TANDEM_ERROR_STATE (not enabled); TANDEM_ERROR_TRIAL; TANDEM_ERROR_BUSY; TANDEM_ERROR_FORMAT
 *         (its name does not say what it is); TANDEM_ERROR_TARGET (the name of another product); TANDEM_ERROR_VERSION
 *         (its name says a version that the policy forbids); TANDEM_ERROR_TRUNCATED (no bytes); permit()'s reason
 */
enum tandem_status tandem_local_begin(struct tandem_local *local, const char *name, uint32_t size);

/**
 * The next bytes of the file, any number.
 * @param data,size the bytes
 * @param taken set to how many were taken
 * @return TANDEM_OK: all; TANDEM_AGAIN: poll, then hand over the rest; TANDEM_ERROR_STATE (no file is coming);
 *         TANDEM_ERROR_TOO_LARGE (more than was announced: nothing of it was taken, and the file is given up); the
 *         reason if it has failed
 */
enum tandem_status tandem_local_data(struct tandem_local *local, const void *data, size_t size, size_t *taken);

/**
 * The file has ended. What it is worth turns out in polls: see tandem_local_check().
 * @param md5 16 bytes, of the whole file; NULL: the channel has none
 * @return TANDEM_OK; TANDEM_ERROR_STATE; TANDEM_ERROR_TRUNCATED or TANDEM_ERROR_DIGEST (and it is given up); the
 *         reason if it has failed
 */
enum tandem_status tandem_local_end(struct tandem_local *local, const uint8_t *md5);

/**
 * Is the file what may be installed?
 * @return TANDEM_AGAIN: not known yet, poll; TANDEM_OK; TANDEM_ERROR_STATE (there is no file); the reason why not
 */
enum tandem_status tandem_local_check(const struct tandem_local *local);

/**
 * Install: restart into it as soon as it is verified.
 * @return TANDEM_OK; TANDEM_ERROR_STATE (there is no file, or not all of it); the reason if it has failed
 */
enum tandem_status tandem_local_start(struct tandem_local *local);

/** The host has seen the outcome. @return TANDEM_OK; TANDEM_ERROR_FLASH */
enum tandem_status tandem_local_acknowledge(struct tandem_local *local);

/** Give up. What was stored of a package stays for the next time. @return TANDEM_OK; TANDEM_ERROR_FLASH */
enum tandem_status tandem_local_abort(struct tandem_local *local);

/** How it stands. */
void tandem_local_report(const struct tandem_local *local, struct tandem_local_report *report);

/**
 * Move time, do a bounded amount of work, tell the host what is new, restart when that is due.
 * @param now_ms a clock in milliseconds that may wrap
 * @return TANDEM_AGAIN: more to do, call soon; TANDEM_OK: nothing to do for about 20 ms or until a call comes
 */
enum tandem_status tandem_local_poll(struct tandem_local *local, uint32_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
