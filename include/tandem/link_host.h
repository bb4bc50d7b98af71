/**
 * @file
 * The link, host half: makes a packet link to one device a target for the
 * updater. docs/link.md specifies what goes over the wire.
 */
#ifndef TANDEM_LINK_HOST_H
#define TANDEM_LINK_HOST_H

#include "tandem/port.h"
#include "tandem/update.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_LINK_MESSAGE_MAX 256 /**< bytes of a device's message that a host reassembles */

/** How the link comes up and goes down. */
struct tandem_link_connector {
    void *ctx; /**< handed to every function */
    /** Establish the link. @return TANDEM_OK it is up; TANDEM_AGAIN call again; TANDEM_ERROR_TIMEOUT,
     *  _DISCONNECTED, _PORT not now */
    enum tandem_status (*connect)(void *ctx);
    /** Optional: take it down. */
    void (*disconnect)(void *ctx);
};

/** The host half of one connection. Fields are the library's own. */
struct tandem_link_host {
    struct tandem_target target;                   /**< what it offers */
    const struct tandem_packet_port *port;         /**< packets out */
    const struct tandem_link_connector *connector; /**< NULL: the link is always up */
    const struct tandem_offer *offer;              /**< being sent */
    struct tandem_info *info;                      /**< where the answer to a query goes */
    struct tandem_outcome outcome;                 /**< device's last report */
    uint32_t now;                                  /**< last time seen */
    uint32_t asked_ms;                             /**< when the request was last sent */
    uint32_t heard_ms;                             /**< when the device was last heard */
    uint32_t progress_ms;                          /**< since when progress is waited for */
    uint32_t hole_ms;                              /**< when the hole was last filled */
    uint32_t timed_ms;                             /**< when the timed byte was sent */
    uint32_t timed;                                /**< offset whose acknowledgement is timed; 0: none */
    uint32_t wants;                                /**< next byte that the device lacks */
    uint32_t limit;                                /**< first byte that may not be sent */
    uint32_t next;                                 /**< next byte to send */
    uint32_t top;                                  /**< one past the highest byte sent */
    uint32_t hole;                                 /**< lost bytes to send again: from here */
    uint32_t hole_end;                             /**< to here */
    uint32_t hole_at;                              /**< where the hole began that was filled last */
    uint32_t resume;                               /**< offset at which the device would go on */
    uint32_t payload_sent;                         /**< package bytes sent since init, repetitions included */
    uint16_t round_trip;                           /**< smoothed, ms; 0: not measured yet */
    uint16_t timeout;                              /**< present wait for progress, ms */
    uint16_t receive_max;                          /**< largest packet that can be received */
    uint16_t peer_max;                             /**< largest packet that the device takes */
    uint16_t window;                               /**< the device's, bytes */
    uint16_t message_size;                         /**< bytes assembled; 0: none */
    uint16_t request_at;                           /**< bytes of the request that are out */
    uint8_t resume_id[TANDEM_PACKAGE_ID_SIZE];     /**< package that the device has in part */
    uint8_t flags;                                 /**< device's last */
    uint8_t state;                                 /**< device's last, enum tandem_state */
    uint8_t generation;                            /**< stamp of the data sent */
    uint8_t busy;                                  /**< operation under way; 0: none */
    uint8_t answered;                              /**< 1: its answer is in */
    uint8_t result;                                /**< the answer's result */
    uint8_t tries;                                 /**< times that the request was repeated */
    uint8_t tag;                                   /**< of the request */
    uint8_t up;                                    /**< 1: connected */
    uint8_t broken;                                /**< why the link is of no use; 0: it is */
    uint8_t source_status;                         /**< why the source gave no bytes */
    uint8_t reported;                              /**< 1: the last error is the device's own */
    uint8_t begun;                                 /**< 1: data may flow */
    uint8_t accepted;                              /**< 1: the device has accepted the BEGIN */
    uint8_t probing;                               /**< 1: one packet at a time until there is progress */
    uint8_t sequence_in;                           /**< of the next segment */
    uint8_t sequence_out;                          /**< of the next segment */
    uint8_t request_size;                          /**< bytes of the request */
    uint8_t request[32];                           /**< the request */
    uint8_t message[TANDEM_LINK_MESSAGE_MAX];      /**< message being assembled */
};

/**
 * Prepare.
 * @param link caller's
 * @param port packets out; must outlive it
 * @param connector how the link comes up; NULL: it is always up
 * @param receive_max largest packet in bytes that can be received; 0: as large as `port` sends
 */
void tandem_link_host_init(struct tandem_link_host *link, const struct tandem_packet_port *port,
                           const struct tandem_link_connector *connector, uint16_t receive_max);

/** The target for tandem_update_init(); lives as long as `link`. */
const struct tandem_target *tandem_link_host_target(const struct tandem_link_host *link);

/** Take a received packet. Anything is safe; what makes no sense is dropped. */
void tandem_link_host_receive(struct tandem_link_host *link, enum tandem_channel channel, const void *data,
                              size_t size);

/** The link is gone. Functions of the target then return TANDEM_ERROR_DISCONNECTED until connect(). */
void tandem_link_host_disconnected(struct tandem_link_host *link);

#ifdef __cplusplus
}
#endif

#endif
