/**
 * @file
 * Port tables: what Tandem asks of the chip, the OS and the radio.
 *
 * A table is constant after init. Every function takes the table's `ctx`
 * first. A pointer marked optional may be NULL. Functions are called from the
 * context that called into Tandem, never from another thread.
 */
#ifndef TANDEM_PORT_H
#define TANDEM_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/config.h"
#include "tandem/crypto.h"
#include "tandem/status.h"
#include "tandem/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A run of equal sectors. */
struct tandem_flash_region {
    uint32_t address;     /**< of the first sector */
    uint32_t sector_size; /**< bytes that one erase clears */
    uint32_t count;       /**< sectors in the run */
};

/**
 * One flash device. Addresses are the port's own and need not be the CPU's.
 *
 * program() and erase() may do the whole work and return TANDEM_OK, or start
 * it and return TANDEM_AGAIN: Tandem then comes back with the same arguments
 * until another answer comes, and touches that flash with nothing else in
 * between. So an erase of 85 ms need not stop the radio.
 */
struct tandem_flash_port {
    void *ctx; /**< handed to every function */
    /** Read any bytes. @return TANDEM_OK; TANDEM_ERROR_FLASH (also for an ECC fault) */
    enum tandem_status (*read)(void *ctx, uint32_t address, void *data, size_t size);
    /** Program whole units into erased cells; never called twice for a unit between erases.
     *  @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_FLASH */
    enum tandem_status (*program)(void *ctx, uint32_t address, const void *data, size_t size);
    /** Erase the one sector that begins at `address`. @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_FLASH */
    enum tandem_status (*erase)(void *ctx, uint32_t address);
    /** Optional: make everything before durable (a file's fsync). @return TANDEM_OK; TANDEM_ERROR_FLASH */
    enum tandem_status (*sync)(void *ctx);
    const struct tandem_flash_region *regions; /**< sector map, ascending, without overlap */
    uint8_t region_count;                      /**< entries in `regions` */
    uint8_t program_unit;                      /**< bytes: 1, 2, 4, 8, 16 or 32 */
    uint8_t erased;                            /**< value of an erased byte: 0xFF or 0x00 */
};

/** A range of one flash, on sector borders where the text that uses it says so. */
struct tandem_area {
    const struct tandem_flash_port *flash; /**< where */
    uint32_t address;                      /**< first byte, the flash's addressing */
    uint32_t size;                         /**< bytes */
};

/** What consent is asked for. */
struct tandem_consent {
    struct tandem_version version; /**< of the new package */
    uint32_t size;                 /**< bytes of the package */
};

/** The device's surroundings. Every function is optional. */
struct tandem_system_port {
    void *ctx; /**< handed to every function */
    /** Restart the device; may return before it happens. @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*reboot)(void *ctx);
    /** Restart into a receive-only mode of the product. @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*enter_ota)(void *ctx);
    /** Charge in percent, 0 … 100. @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*battery)(void *ctx, uint8_t *percent);
    /** Received signal in dBm. @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*signal)(void *ctx, int8_t *dbm);
    /** Ask the user. @return TANDEM_OK yes; TANDEM_AGAIN not answered yet; TANDEM_ERROR_CONSENT no */
    enum tandem_status (*consent)(void *ctx, const struct tandem_consent *consent);
    /** Feed the watchdog: called at least once per flash operation and per KB hashed. The longest stretch without
     *  it is the check of one signature. */
    void (*watchdog)(void *ctx);
    /** One line of log, without a line end. */
    void (*log)(void *ctx, const char *line);
};

/**
 * A byte stream: UART, SPP, an iAP session, TCP. Received bytes are handed to
 * the transport by the application.
 */
struct tandem_stream_port {
    void *ctx; /**< handed to every function */
    /** Send up to `size` bytes without waiting; `*sent` says how many were taken (0 … size).
     *  @return TANDEM_OK; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT */
    enum tandem_status (*write)(void *ctx, const void *data, size_t size, size_t *sent);
};

/** A packet link's two channels. On GATT they are two characteristics. */
enum tandem_channel {
    TANDEM_CHANNEL_CONTROL = 0, /**< commands, answers, events: reliable, in order */
    TANDEM_CHANNEL_DATA = 1     /**< package bytes, host to device: may be lost or reordered */
};

/**
 * A packet link. On GATT, device side: a notification (or indication); host
 * side: a write without response (data) or a write (control).
 */
struct tandem_packet_port {
    void *ctx; /**< handed to every function */
    /** Send one packet of at most mtu() bytes, whole or not at all.
     *  @return TANDEM_OK; TANDEM_AGAIN no buffer free now; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT */
    enum tandem_status (*send)(void *ctx, enum tandem_channel channel, const void *data, size_t size);
    /** Largest packet now, in bytes (on GATT: ATT MTU − 3, at most 512); at least 20. */
    uint16_t (*mtu)(void *ctx);
};

/** Answers of the Attribute Protocol (Bluetooth Core, Vol 3 Part F, 3.4.1.1), as far as Tandem gives or looks at
 *  them. A handler's answer goes to the peer as it is. */
enum tandem_att {
    TANDEM_ATT_OK = 0x00,                  /**< done */
    TANDEM_ATT_INVALID_HANDLE = 0x01,      /**< no such attribute */
    TANDEM_ATT_READ_NOT_PERMITTED = 0x02,  /**< cannot be read */
    TANDEM_ATT_WRITE_NOT_PERMITTED = 0x03, /**< cannot be written */
    TANDEM_ATT_INVALID_PDU = 0x04,         /**< makes no sense */
    TANDEM_ATT_AUTHENTICATION = 0x05,      /**< pair first */
    TANDEM_ATT_NOT_SUPPORTED = 0x06,       /**< the peer does not know the request */
    TANDEM_ATT_INVALID_OFFSET = 0x07,      /**< beyond the value's end */
    TANDEM_ATT_NOT_FOUND = 0x0A,           /**< no such attribute in the range; host: no such characteristic */
    TANDEM_ATT_INVALID_LENGTH = 0x0D,      /**< a value of that length does not fit */
    TANDEM_ATT_UNLIKELY = 0x0E,            /**< failed for a reason of its own */
    TANDEM_ATT_ENCRYPTION = 0x0F,          /**< encrypt first */
    TANDEM_ATT_RESOURCES = 0x11,           /**< no room for it */
    TANDEM_ATT_APPLICATION = 0x80          /**< first of those that a profile defines, up to 0x9F */
};

/** Connection parameters, in the units of the Bluetooth Core. */
struct tandem_gatt_parameters {
    uint16_t interval_min; /**< 1.25 ms */
    uint16_t interval_max; /**< 1.25 ms */
    uint16_t latency;      /**< connection events that the device may skip */
    uint16_t timeout;      /**< 10 ms */
};

/**
 * GATT, device side: what a server's transport sends. A characteristic is a
 * number of the transport's own, which the port maps to its handles. What the
 * host reads and writes comes in through the transport's handlers; the
 * `enum tandem_att` that they return goes to the host.
 */
struct tandem_gatt_port {
    void *ctx; /**< handed to every function */
    /** Send a value of at most mtu() - 3 bytes, unconfirmed.
     *  @return TANDEM_OK; TANDEM_AGAIN no buffer free now; TANDEM_ERROR_STATE not subscribed;
     * TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT */
    enum tandem_status (*notify)(void *ctx, uint16_t characteristic, const void *data, size_t size);
    /** Optional: the same, confirmed by the host. @return as notify(); TANDEM_AGAIN also while one is unconfirmed */
    enum tandem_status (*indicate)(void *ctx, uint16_t characteristic, const void *data, size_t size);
    /** ATT MTU of the connection now, in bytes; at least 23. */
    uint16_t (*mtu)(void *ctx);
    /** Optional: ask the host for connection parameters. @return TANDEM_OK asked; TANDEM_ERROR_DISCONNECTED;
     *  TANDEM_ERROR_PORT */
    enum tandem_status (*parameters)(void *ctx, const struct tandem_gatt_parameters *parameters);
    /** Optional: end the connection once what was sent is out. @return TANDEM_OK; TANDEM_ERROR_DISCONNECTED */
    enum tandem_status (*disconnect)(void *ctx);
};

#define TANDEM_GATT_ADDRESS_SIZE 6 /**< bytes of a device address */

/** Whom to connect to: whoever matches one of these. Bytes are only looked at during the call. */
struct tandem_gatt_peer {
    const uint8_t *address;      /**< 6 bytes, most significant first; NULL: not by address */
    uint8_t random;              /**< 1: `address` is a random one */
    uint8_t manufacturer_size;   /**< bytes; 0: not by manufacturer data */
    const uint8_t *manufacturer; /**< what manufacturer data begin with, company first as on air */
    const char *name;            /**< complete local name; NULL: not by name */
};

/**
 * GATT, host side. One connection. At most one of connect(), read(), write()
 * and subscribe() is under way at a time; each that returned TANDEM_OK ends in
 * one call of the transport's matching `…_on_…` function, later and never from
 * inside, unless the connection ends first, which is told too. The port
 * discovers the services and exchanges the MTU on its own before it tells that
 * the connection is there; a characteristic that the device does not have
 * answers TANDEM_ATT_NOT_FOUND.
 */
struct tandem_gatt_host_port {
    void *ctx; /**< handed to every function */
    /** Find and connect; goes on until it succeeds or disconnect(). @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*connect)(void *ctx, const struct tandem_gatt_peer *peer);
    /** End the connection, or the attempt. @return TANDEM_OK (also when there was none); TANDEM_ERROR_PORT */
    enum tandem_status (*disconnect)(void *ctx);
    /** Read a whole value, with as many requests as it takes. @return TANDEM_OK; TANDEM_AGAIN;
     * TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT */
    enum tandem_status (*read)(void *ctx, uint16_t characteristic);
    /** Write with response; `data` is copied. @return as read() */
    enum tandem_status (*write)(void *ctx, uint16_t characteristic, const void *data, size_t size);
    /** Write without response at most mtu() - 3 bytes, whole or not at all; needs no completion.
     *  @return TANDEM_OK; TANDEM_AGAIN no buffer free now; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT */
    enum tandem_status (*write_command)(void *ctx, uint16_t characteristic, const void *data, size_t size);
    /** Switch notifications (or indications, where it has only these) on or off. @return as read() */
    enum tandem_status (*subscribe)(void *ctx, uint16_t characteristic, int on);
    /** ATT MTU of the connection now, in bytes; at least 23. */
    uint16_t (*mtu)(void *ctx);
    /** Optional: ask for connection parameters. @return TANDEM_OK asked; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_PORT
     */
    enum tandem_status (*parameters)(void *ctx, const struct tandem_gatt_parameters *parameters);
};

/** Where the bytes of a package or an image come from: a file, memory, a download, flash. */
struct tandem_source {
    void *ctx;     /**< handed to read() */
    uint32_t size; /**< bytes of the whole */
    /** Read exactly `size` bytes, all of them below the source's size.
     *  @return TANDEM_OK; TANDEM_AGAIN not there yet, ask again; TANDEM_ERROR_TIMEOUT, _DISCONNECTED, _PORT: the
     *  updater tries again later, a limited number of times; any other error ends the update */
    enum tandem_status (*read)(void *ctx, uint32_t offset, void *data, size_t size);
};

#define TANDEM_HTTP_UNKNOWN 0xFFFFFFFFu /**< a length or an offset that the server did not tell */
#define TANDEM_HTTP_ETAG_MAX 64         /**< bytes of an entity tag that is kept, its end included */

/** A request. What it points to stays until head() says more than TANDEM_AGAIN. Texts end with 0. */
struct tandem_http_request {
    const char *method;        /**< "GET", "POST", "PUT" */
    const char *url;           /**< absolute: http:// or https:// */
    const char *authorization; /**< value of Authorization; NULL: none. Does not follow a redirect to another host */
    const char *accept;        /**< value of Accept; NULL: none */
    const char *content_type;  /**< of the body; NULL: none */
    const char *if_range;      /**< entity tag that the range is asked for; NULL: none */
    const char *extra;         /**< name of one more header of the answer that is wanted; NULL: none */
    const void *body;          /**< NULL: none */
    uint32_t body_size;        /**< bytes */
    uint32_t offset;           /**< first byte of the range; with 0 and no length no range is asked for */
    uint32_t length;           /**< bytes of the range; 0: to the end */
};

/** The head of an answer. TANDEM_HTTP_UNKNOWN: not told. */
struct tandem_http_response {
    uint16_t status;                 /**< of HTTP, 200 … 599 */
    uint8_t has_extra;               /**< 1: the extra header is there */
    uint32_t length;                 /**< bytes of the body */
    uint32_t first;                  /**< of Content-Range */
    uint32_t last;                   /**< of Content-Range */
    uint32_t total;                  /**< of Content-Range */
    uint32_t retry_after_s;          /**< seconds */
    char etag[TANDEM_HTTP_ETAG_MAX]; /**< as sent, quotes included; "": none, or too long */
    char extra[16];                  /**< value of the extra header, cut */
};

/**
 * HTTP, as a client: one exchange at a time. begin(), then head() until it
 * says more than TANDEM_AGAIN, then read() until the body has ended. Redirects
 * are followed inside. Connections are kept open where the server allows.
 */
struct tandem_http_port {
    void *ctx; /**< handed to every function */
    /** Begin an exchange; what was under way is given up.
     *  @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (the URL); TANDEM_ERROR_SPACE; TANDEM_ERROR_PORT */
    enum tandem_status (*begin)(void *ctx, const struct tandem_http_request *request);
    /** The answer's head. @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_TIMEOUT; TANDEM_ERROR_DISCONNECTED;
     *  TANDEM_ERROR_PROTOCOL; TANDEM_ERROR_SPACE (a redirect that is too long); TANDEM_ERROR_PORT */
    enum tandem_status (*head)(void *ctx, const struct tandem_http_response **response);
    /** Take up to `size` bytes of the body. What is not taken holds the server back.
     *  @return TANDEM_OK with `*got` bytes, 0 at the end of a whole body; TANDEM_AGAIN; TANDEM_ERROR_TRUNCATED (the
     *  body ended early); as head() */
    enum tandem_status (*read)(void *ctx, void *data, size_t size, size_t *got);
    /** Give up what is under way. */
    void (*cancel)(void *ctx);
    /** Optional: move time and do a bounded amount of work. */
    void (*poll)(void *ctx, uint32_t now_ms);
};

/** Byte streams that are opened by name, one at a time: a modem's sockets, a TCP stack with or without TLS. */
struct tandem_dial_port {
    void *ctx; /**< handed to every function */
    /** Open; comes back with the same arguments until another answer than TANDEM_AGAIN. `host` does not end with 0.
     *  @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_DISCONNECTED; TANDEM_ERROR_NOT_SUPPORTED (no TLS);
     *  TANDEM_ERROR_PORT */
    enum tandem_status (*open)(void *ctx, const char *host, size_t host_size, uint16_t port, uint8_t tls);
    /** Close the stream, or give up opening it. */
    void (*close)(void *ctx);
};

/**
 * A small record that lasts: replaced as a whole, so that after a power cut
 * either the old or the new one is there. What is read is checked by whoever
 * reads it.
 */
struct tandem_store_port {
    void *ctx; /**< handed to every function */
    /** Read it. @return TANDEM_OK with `*got` bytes, 0 if there is none; TANDEM_ERROR_PORT */
    enum tandem_status (*load)(void *ctx, void *data, size_t size, size_t *got);
    /** Replace it; durable when it returns. @return TANDEM_OK; TANDEM_ERROR_PORT */
    enum tandem_status (*save)(void *ctx, const void *data, size_t size);
};

#ifdef __cplusplus
}
#endif

#endif
