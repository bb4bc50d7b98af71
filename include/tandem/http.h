/**
 * @file
 * A small HTTP/1.1 client over a byte stream, for modems and bare TCP stacks
 * that bring none: ranges, chunked bodies, redirects, kept connections, time
 * limits, and bounds on everything a server may send. It is a
 * `struct tandem_http_port`. See docs/cloud.md.
 *
 * TLS, where it is wanted, is the stream's affair: the modem's or the stack's.
 */
#ifndef TANDEM_HTTP_H
#define TANDEM_HTTP_H

#include "tandem/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_HTTP_BUFFER_MIN 128   /**< least buffer, bytes */
#define TANDEM_HTTP_HOST_MAX 80      /**< longest host name, bytes */
#define TANDEM_HTTP_HEAD_MAX 8192u   /**< most bytes of an answer's head */
#define TANDEM_HTTP_REDIRECTS_MAX 5u /**< redirects that are followed */

/** Patience. 0: the default that is named. */
struct tandem_http_limits {
    uint32_t connect_ms; /**< to open a connection; 20 s */
    uint32_t silence_ms; /**< without a byte either way; 30 s */
    uint32_t slow_ms;    /**< over how long the rate is measured; 60 s */
    uint32_t slow_bytes; /**< fewer body bytes than this in `slow_ms` is too slow; 0: nothing is */
};

/** A client. Fields are the library's own. */
struct tandem_http_client {
    struct tandem_http_port port;              /**< what it offers */
    const struct tandem_stream_port *stream;   /**< what it uses */
    const struct tandem_dial_port *dial;       /**< what it uses */
    const struct tandem_http_request *request; /**< under way */
    struct tandem_http_limits limits;          /**< patience */
    struct tandem_http_response response;      /**< head of the answer */
    const char *path;                          /**< of the present target: in the request's URL, or in `buffer` */
    uint8_t *buffer;                           /**< line of a head, then bytes of a body */
    uint32_t now;                              /**< last time seen */
    uint32_t heard_ms;                         /**< when something last moved */
    uint32_t rate_ms;                          /**< when the rate's count began */
    uint32_t rate;                             /**< body bytes since */
    uint32_t left;                             /**< bytes left of the body or chunk */
    uint16_t size;                             /**< bytes of `buffer` */
    uint16_t stash;                            /**< bytes at its front that hold a redirect's target */
    uint16_t at;                               /**< first byte not taken */
    uint16_t fill;                             /**< bytes in use */
    uint16_t head_size;                        /**< bytes of the head so far */
    uint16_t piece_at;                         /**< bytes sent of the request's piece in hand */
    uint16_t target_port;                      /**< TCP port */
    uint8_t host_size;                         /**< bytes of `host` */
    uint8_t state;                             /**< of the exchange */
    uint8_t piece;                             /**< of the request, being sent */
    uint8_t error;                             /**< enum tandem_status that ended it */
    uint8_t redirects;                         /**< followed so far */
    uint8_t flags;                             /**< see the source */
    uint8_t fresh;                             /**< 1: nothing has been polled since it began */
    char host[TANDEM_HTTP_HOST_MAX];           /**< of the target, and of the open connection */
    char number[24];                           /**< a number being sent */
};

/**
 * Prepare.
 * @param client caller's
 * @param dial opens connections; must outlive it
 * @param stream sends; must outlive it
 * @param buffer,size caller's; bounds the lines of a head that count, and the target of a redirect; 512 bytes suit
 *        most, 1 KB and more those who are sent to stores with signed URLs
 * @param limits patience; NULL: defaults
 * @return TANDEM_OK; TANDEM_ERROR_SPACE (buffer)
 */
enum tandem_status tandem_http_client_init(struct tandem_http_client *client, const struct tandem_dial_port *dial,
                                           const struct tandem_stream_port *stream, uint8_t *buffer, size_t size,
                                           const struct tandem_http_limits *limits);
/** What it offers, to hand to whoever wants HTTP. */
const struct tandem_http_port *tandem_http_client_port(const struct tandem_http_client *client);

/**
 * Take received bytes. Anything is safe.
 * @return how many were taken; the others come again, after the body was read
 */
size_t tandem_http_client_receive(struct tandem_http_client *client, const void *data, size_t size);
/** The peer has closed the connection, after all bytes were taken. */
void tandem_http_client_closed(struct tandem_http_client *client);

#ifdef __cplusplus
}
#endif

#endif
