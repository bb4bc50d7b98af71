/**
 * @file
 * Tandem on POSIX systems: flash in a file, a clock, sockets and serial lines
 * as byte streams, and a wait for any of them. For simulated devices, for
 * gateways, and for hosts that update others.
 *
 * Functions that open something take `reason`, a place for one English
 * sentence that says why it failed.
 */
#ifndef TANDEM_POSIX_H
#define TANDEM_POSIX_H

#include <poll.h>

#include "tandem/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_POSIX_REASON_SIZE 256  /**< bytes that suit `reason` */
#define TANDEM_POSIX_ADDRESS_SIZE 300 /**< bytes of the longest address, with the final zero */
#define TANDEM_POSIX_FLASH_REGIONS 8  /**< most regions of one flash file */

/**
 * @name Flash in a file
 * It behaves as NOR flash does: an erase clears a whole sector, programming
 * takes whole units that are erased, and whatever breaks these rules is
 * refused rather than done. What was written is there after the process was
 * killed; with `durable`, also after the machine lost its power.
 * @{
 */

/** What the file is to stand for. */
struct tandem_posix_flash_options {
    const char *path;                          /**< of the file; made, erased throughout, if it is not there */
    const struct tandem_flash_region *regions; /**< sector map: ascending, without gaps or overlap */
    uint8_t region_count;                      /**< 1 … TANDEM_POSIX_FLASH_REGIONS */
    uint8_t program_unit;                      /**< bytes: 1, 2, 4, 8, 16 or 32 */
    uint8_t erased;                            /**< 0xFF or 0x00 */
    uint8_t durable;                           /**< 1: sync waits for the disk */
    uint32_t erase_us;                         /**< time that one erase takes, microseconds; 0: none */
    uint32_t program_us;                       /**< time for 256 bytes, microseconds; 0: none */
};

/** A flash file. Hand out `port`; the other fields are its own. */
struct tandem_posix_flash {
    struct tandem_flash_port port;                                  /**< the table for Tandem */
    struct tandem_flash_region regions[TANDEM_POSIX_FLASH_REGIONS]; /**< sector map */
    int fd;                                                         /**< the file */
    uint32_t size;                                                  /**< bytes from address 0 to the end */
    uint8_t durable;                                                /**< see the options */
    uint32_t erase_us;                                              /**< see the options */
    uint32_t program_us;                                            /**< see the options */
    uint64_t busy_until;                                            /**< end of the operation under way, µs; 0: none */
    char fault[TANDEM_POSIX_REASON_SIZE]; /**< why the last operation failed; "" if none did */
};

/**
 * Open the file, or make it. It is locked: a second process that opens it is refused.
 * @param flash caller's; must not move while its port is in use
 * @param options what the file stands for
 * @param reason TANDEM_POSIX_REASON_SIZE bytes, or NULL
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (options); TANDEM_ERROR_BUSY (another process has it);
 *         TANDEM_ERROR_LAYOUT (the file has another size); TANDEM_ERROR_PORT
 */
enum tandem_status tandem_posix_flash_open(struct tandem_posix_flash *flash,
                                           const struct tandem_posix_flash_options *options, char *reason);
/** Close the file. */
void tandem_posix_flash_close(struct tandem_posix_flash *flash);
/** @} */

/**
 * @name Time
 * @{
 */
/** Milliseconds since some moment; never goes back, wraps after 49 days as the core's clocks do. */
uint32_t tandem_posix_now_ms(void);
/** Microseconds since the same moment. */
uint64_t tandem_posix_now_us(void);
/** Wait at least so many milliseconds; signals do not cut it short. */
void tandem_posix_sleep_ms(uint32_t ms);
/** @} */

/**
 * @name Byte streams
 * An address is `HOST:PORT` (also `[::1]:PORT`), or `unix:PATH`. Nothing here
 * waits, save for the look-up of a host's name.
 * @{
 */

/** One connection or serial line. Hand out `port`; the other fields are its own. */
struct tandem_posix_stream {
    struct tandem_stream_port port; /**< the table for Tandem */
    int fd;                         /**< −1: closed */
    uint8_t socket;                 /**< 1: a socket, 0: a serial line */
};

/** Bring a stream to its closed state; do this first. */
void tandem_posix_stream_init(struct tandem_posix_stream *stream);
/** Close; a closed stream may be closed again. */
void tandem_posix_stream_close(struct tandem_posix_stream *stream);
/**
 * Take what has arrived.
 * @param stream open
 * @param data,size where to, and how much there is room for
 * @param got set to the bytes taken; 0: nothing now
 * @return TANDEM_OK; TANDEM_ERROR_DISCONNECTED (the other end closed, or the line is gone)
 */
enum tandem_status tandem_posix_stream_read(struct tandem_posix_stream *stream, void *data, size_t size, size_t *got);

/**
 * Whether a text can be an address. Looks nothing up.
 * @param address the text
 * @param reason TANDEM_POSIX_REASON_SIZE bytes, or NULL
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT
 */
enum tandem_status tandem_posix_address_check(const char *address, char *reason);

/**
 * Listen.
 * @param listener set to the socket
 * @param address where; port 0: the system chooses one
 * @param actual set to the address that a host connects to, TANDEM_POSIX_ADDRESS_SIZE bytes, elsewhere than
 *        `address`; or NULL
 * @param reason TANDEM_POSIX_REASON_SIZE bytes, or NULL
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (not an address); TANDEM_ERROR_BUSY (in use); TANDEM_ERROR_PORT
 */
enum tandem_status tandem_posix_listen(int *listener, const char *address, char *actual, char *reason);
/**
 * Take the next connection.
 * @return TANDEM_OK; TANDEM_AGAIN (none waits); TANDEM_ERROR_PORT
 */
enum tandem_status tandem_posix_accept(int listener, struct tandem_posix_stream *stream);
/**
 * Begin to connect.
 * @param stream initialised and closed
 * @param address where to
 * @param reason TANDEM_POSIX_REASON_SIZE bytes, or NULL
 * @return TANDEM_OK (connected); TANDEM_AGAIN (under way: when it can be written, ask
 *         tandem_posix_connected()); TANDEM_ERROR_ARGUMENT (not an address); TANDEM_ERROR_DISCONNECTED (nobody
 *         answers there); TANDEM_ERROR_PORT
 */
enum tandem_status tandem_posix_connect(struct tandem_posix_stream *stream, const char *address, char *reason);
/** How connecting went. @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_DISCONNECTED */
enum tandem_status tandem_posix_connected(struct tandem_posix_stream *stream, char *reason);

/**
 * Open a serial line: raw, 8 data bits, no parity, no flow control.
 * @param stream initialised and closed
 * @param device such as /dev/ttyUSB0
 * @param baud a rate that the system knows, 9600 … 4000000; 0: leave it as it is
 * @param reason TANDEM_POSIX_REASON_SIZE bytes, or NULL
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (rate); TANDEM_ERROR_BUSY (another program has it); TANDEM_ERROR_PORT
 */
enum tandem_status tandem_posix_serial_open(struct tandem_posix_stream *stream, const char *device, uint32_t baud,
                                            char *reason);
/** @} */

/**
 * Wait until something can be done with one of the descriptors, or the time is up.
 * @param fds as poll() takes them; `revents` are set. Entries whose fd is −1 are passed over.
 * @param count of them
 * @param timeout_ms longest wait; −1: no limit
 * @return TANDEM_OK (something can be done); TANDEM_AGAIN (time is up, or a signal came); TANDEM_ERROR_PORT
 */
enum tandem_status tandem_posix_wait(struct pollfd *fds, size_t count, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
