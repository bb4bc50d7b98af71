/**
 * @file
 * Recovery: a bootloader that takes an update itself, over the link, when
 * nothing may be started, when what is started restarts again and again, when
 * a pin says so, or when the application asked for it. The same installer with the same checks as in an application,
 * and the rules for coming back out: an update restarts the device, and so does silence, if there is something to
 * start.
 *
 * Device side, for bootloaders on any board. It never waits:
 * tandem_recovery_poll() moves it. The boot decision does not need it; a
 * bootloader that cannot receive does not link it.
 */
#ifndef TANDEM_RECOVERY_H
#define TANDEM_RECOVERY_H

#include "tandem/boot_report.h"
#include "tandem/link.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_RECOVERY_SILENCE_MS 60000 /**< default patience with hosts that say nothing */
#define TANDEM_RECOVERY_RESTARTS_MAX 8   /**< starts in a row of a firmware that does not get well */

/** What a recovery needs. All of it must outlive the recovery. */
struct tandem_recovery_options {
    const struct tandem_device *device;    /**< as handed to tandem_boot_decide(); with `reboot` in its system port */
    uint8_t *buffer;                       /**< as of tandem_install_init() */
    uint32_t buffer_size;                  /**< its bytes */
    const struct tandem_packet_port *port; /**< packets out; of a byte stream: tandem_stream_packets() */
    uint16_t receive_max;                  /**< as of tandem_link_device_init() */
    const struct tandem_boot_report *boot; /**< the decision, and why this is recovery */
    uint32_t silence_ms;                   /**< patience; 0: #TANDEM_RECOVERY_SILENCE_MS */
};

/** A recovery. Fields are the library's own. */
struct tandem_recovery {
    const struct tandem_recovery_options *options; /**< caller's */
    struct tandem_install install;                 /**< the door */
    struct tandem_link_service service;            /**< behind it */
    struct tandem_link_device link;                /**< the one connection */
    uint32_t heard_ms;                             /**< when a host was last heard */
    uint8_t heard;                                 /**< 1: since the last poll, or not polled yet */
};

/**
 * Whether recovery is wanted at this start, whatever is installed. Call it first; takes the request.
 * @param report memory of the boot report, as the last start left it
 * @param request memory of the request
 * @param pin 1: a pin or a button says so
 * @return #TANDEM_RECOVERY_NOT, or why
 */
enum tandem_recovery_cause tandem_recovery_wanted(const uint8_t report[TANDEM_BOOT_REPORT_SIZE],
                                                  uint8_t request[TANDEM_BOOT_REQUEST_SIZE], int pin);

/**
 * Decide as tandem_boot_decide(), at a start at which recovery is wanted
 * whatever is installed. A firmware on trial is passed by and loses its
 * trial: while one lasts, no update is taken.
 * @return as tandem_boot_decide(): TANDEM_OK if recovery may be left for a firmware
 */
enum tandem_status tandem_recovery_decide(struct tandem_boot *boot, const struct tandem_device *device, uint8_t *buffer,
                                          size_t size);

/**
 * Begin. Hosts see version 0.0.0 if nothing may be started, so that they do
 * not take what is broken for what they bring.
 * @param recovery caller's
 * @param options as above; `boot->reason` #TANDEM_BOOT_NONE tells that nothing may be started
 * @return TANDEM_OK; as tandem_install_init()
 */
enum tandem_status tandem_recovery_init(struct tandem_recovery *recovery,
                                        const struct tandem_recovery_options *options);

/**
 * Take a received packet. Only whole packets count as a sign of life, so
 * noise on an open line keeps no device in recovery. Fits tandem_stream_init().
 * @param recovery the struct tandem_recovery
 * @param channel,data,size as of tandem_link_device_receive()
 */
void tandem_recovery_receive(void *recovery, enum tandem_channel channel, const void *data, size_t size);

/** The connection is gone, where a transport tells. */
void tandem_recovery_disconnected(struct tandem_recovery *recovery);

/**
 * Feed the watchdog, move time, and do a bounded amount of work.
 * @param recovery begun
 * @param now_ms a clock in milliseconds that may wrap
 * @return TANDEM_AGAIN: more to do, call soon; TANDEM_OK: nothing to do for about 20 ms or until a packet comes;
 *         TANDEM_ERROR_TIMEOUT: no host, and there is something to start: restart
 */
enum tandem_status tandem_recovery_poll(struct tandem_recovery *recovery, uint32_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
