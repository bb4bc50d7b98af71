/**
 * @file
 * The link: Tandem's own protocol, device half, and the framing that carries
 * it over byte streams. docs/link.md specifies what goes over the wire; the
 * host half is in tandem/link_host.h.
 *
 * A device has one `struct tandem_link_service` and one
 * `struct tandem_link_device` for each connection that may be open at once.
 */
#ifndef TANDEM_LINK_H
#define TANDEM_LINK_H

#include "tandem/boot_report.h"
#include "tandem/install.h"
#include "tandem/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_LINK_VERSION 1        /**< protocol version spoken here */
#define TANDEM_LINK_PACKET_MIN 20    /**< bytes of a packet that every link must carry */
#define TANDEM_LINK_PACKET_MAX 512   /**< bytes of the largest packet ever sent */
#define TANDEM_LINK_WINDOW_MAX 15872 /**< most package bytes under way, a bound of the position field */
#define TANDEM_LINK_REQUEST_MAX 32   /**< bytes of a request that a device reassembles */
#define TANDEM_LINK_SILENCE_MS 10000 /**< an owner that says nothing for so long may be replaced */
#define TANDEM_LINK_RESTART_MS 100   /**< least time between the last answer and the restart */

struct tandem_link_device;

/** What a device's connections share. Fields are the library's own. */
struct tandem_link_service {
    struct tandem_install *install;         /**< the door */
    const struct tandem_boot_report *boot;  /**< of this start; NULL: not known */
    const struct tandem_link_device *owner; /**< the connection that feeds it; NULL: none */
    struct tandem_version version;          /**< of the running firmware */
    uint32_t now;                           /**< last time seen */
    uint32_t heard_ms;                      /**< when the owner was last heard */
    uint32_t wants;                         /**< as last seen */
    uint32_t limit;                         /**< as last told to the owner */
    uint32_t restart_ms;                    /**< when to restart */
    uint8_t generation;                     /**< of the data wanted: 0 or 1 */
    uint8_t heard;                          /**< 1: heard since the last poll */
    uint8_t restart;                        /**< what is due: nothing, a reboot, the OTA mode */
};

/** One connection, device side. Fields are the library's own. */
struct tandem_link_device {
    struct tandem_link_service *service;      /**< shared */
    const struct tandem_packet_port *port;    /**< packets out */
    uint32_t ack_ms;                          /**< when the last acknowledgement was sent */
    uint32_t told_wants;                      /**< in the last acknowledgement */
    uint32_t told_limit;                      /**< in the last acknowledgement */
    uint32_t told;                            /**< state, status, stage, image and ownership as last told */
    uint16_t receive_max;                     /**< largest packet taken */
    uint16_t peer_max;                        /**< largest packet that the host takes */
    uint16_t told_gap;                        /**< in the last acknowledgement */
    uint16_t tick_ms;                         /**< to the next acknowledgement without news */
    uint16_t info_at;                         /**< bytes of INFO that are sent */
    uint8_t pending;                          /**< what is to be sent */
    uint8_t reply[3];                         /**< operation, tag and result of the answer to be sent */
    uint8_t last[3];                          /**< operation, tag and result of the last command executed */
    uint8_t told_generation;                  /**< in the last acknowledgement */
    uint8_t awake;                            /**< 1: a host has spoken */
    uint8_t sequence_in;                      /**< of the next segment */
    uint8_t sequence_out;                     /**< of the next segment */
    uint8_t request_size;                     /**< bytes assembled; 0: none */
    uint8_t request[TANDEM_LINK_REQUEST_MAX]; /**< request being assembled */
};

/**
 * Prepare what the connections share.
 * @param service caller's, one for each device
 * @param install opened; must outlive it
 * @param version of the running firmware, as hosts shall see it; NULL: that of the package in the running bank
 */
void tandem_link_service_init(struct tandem_link_service *service, struct tandem_install *install,
                              const struct tandem_version *version);

/**
 * Let hosts see what the bootloader decided at this start. Without it they see the reason of its last decision that
 * changed something, as the journal has it.
 * @param service prepared
 * @param boot must outlive it; NULL: not known
 */
void tandem_link_service_boot(struct tandem_link_service *service, const struct tandem_boot_report *boot);

/**
 * Prepare a connection. May be done before the link is up.
 * @param link caller's
 * @param service prepared; must outlive it
 * @param port packets out; must outlive it
 * @param receive_max largest packet in bytes that can be received; 0: as large as `port` sends
 */
void tandem_link_device_init(struct tandem_link_device *link, struct tandem_link_service *service,
                             const struct tandem_packet_port *port, uint16_t receive_max);

/**
 * Take a received packet. Anything is safe; what makes no sense is dropped.
 * Answers may be sent from inside. Not from an interrupt while another
 * function of the same service runs.
 */
void tandem_link_device_receive(struct tandem_link_device *link, enum tandem_channel channel, const void *data,
                                size_t size);

/** The connection is gone. Another one may go on with the update at once. */
void tandem_link_device_disconnected(struct tandem_link_device *link);

/**
 * Move time and do a bounded amount of work: a few installer steps, what is
 * to be sent, a restart that is due.
 * @param now_ms a clock in milliseconds that may wrap
 * @return TANDEM_AGAIN: more to do, call soon; TANDEM_OK: nothing to do for about 20 ms or until a packet comes
 */
enum tandem_status tandem_link_device_poll(struct tandem_link_device *link, uint32_t now_ms);

/* ---- packets over a byte stream ---- */

#define TANDEM_STREAM_OVERHEAD 10 /**< bytes that a frame of up to 512 bytes adds at most, delimiters included */

/** Packets over a byte stream (COBS frames with a CRC-32). Fields are the library's own. */
struct tandem_stream {
    struct tandem_packet_port packets;     /**< what it offers */
    const struct tandem_stream_port *port; /**< what it uses */
    /** Takes a received packet. */
    void (*receive)(void *ctx, enum tandem_channel channel, const void *data, size_t size);
    void *receive_ctx; /**< handed to receive() */
    uint8_t *in;       /**< frame being received, decoded */
    uint8_t *out;      /**< frame being sent, encoded */
    uint16_t in_size;  /**< bytes of `in` */
    uint16_t out_size; /**< bytes of `out` */
    uint16_t in_fill;  /**< bytes decoded */
    uint16_t out_fill; /**< bytes encoded */
    uint16_t out_at;   /**< bytes that the port took */
    uint8_t code;      /**< COBS: length of the group at hand */
    uint8_t left;      /**< COBS: bytes left in it */
    uint8_t skip;      /**< 1: garbage until the next delimiter */
    uint8_t fresh;     /**< 1: nothing sent since the reset */
};

/**
 * Prepare. Packets of n bytes need n + TANDEM_STREAM_OVERHEAD bytes of buffer
 * in that direction.
 * @param stream caller's
 * @param port the byte stream; must outlive it
 * @param in,in_size receive buffer, at least TANDEM_LINK_PACKET_MIN + TANDEM_STREAM_OVERHEAD bytes
 * @param out,out_size send buffer, at least as much
 * @param receive called for each packet that arrives whole
 * @param receive_ctx handed to it
 * @return TANDEM_OK; TANDEM_ERROR_SPACE (buffers)
 */
enum tandem_status tandem_stream_init(struct tandem_stream *stream, const struct tandem_stream_port *port, uint8_t *in,
                                      size_t in_size, uint8_t *out, size_t out_size,
                                      void (*receive)(void *ctx, enum tandem_channel channel, const void *data,
                                                      size_t size),
                                      void *receive_ctx);
/** Its packet port, to hand to a link half. */
const struct tandem_packet_port *tandem_stream_packets(const struct tandem_stream *stream);
/** Largest packet that it can receive, in bytes. */
uint16_t tandem_stream_receive_max(const struct tandem_stream *stream);
/** Take received bytes, any number. Garbage is skipped up to the next delimiter. */
void tandem_stream_receive(struct tandem_stream *stream, const void *data, size_t size);
/** Write what the port did not take before. @return TANDEM_OK: all is out; TANDEM_AGAIN; the port's reason */
enum tandem_status tandem_stream_poll(struct tandem_stream *stream);
/** Forget half-received and half-sent frames: a new connection. */
void tandem_stream_reset(struct tandem_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
