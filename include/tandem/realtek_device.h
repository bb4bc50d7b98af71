/**
 * @file
 * Realtek's Bluetooth DFU, device half: a Tandem device that existing Realtek
 * apps and tools update, over GATT or over a byte stream. docs/realtek.md says
 * which dialect to choose and what to plug in where.
 *
 * What arrives is a Realtek image: a header of 1 KB and a payload. A payload
 * that is a Tandem package goes to the installer, which authenticates it.
 * Anything else is bare: it is taken under `allow_unsigned` only.
 */
#ifndef TANDEM_REALTEK_DEVICE_H
#define TANDEM_REALTEK_DEVICE_H

#include "tandem/bare.h"
#include "tandem/image_realtek.h"
#include "tandem/port.h"
#include "tandem/realtek.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_REALTEK_IMAGES_MAX 16      /**< entries of the table of images */
#define TANDEM_REALTEK_ANSWER_MAX 104     /**< bytes of the longest answer */
#define TANDEM_REALTEK_EVENTS 4           /**< events of a stream that may wait for their acknowledgement */
#define TANDEM_REALTEK_STREAM_PAYLOAD 512 /**< bytes of data in a frame of a stream, at most */
#define TANDEM_REALTEK_STREAM_IN 519      /**< bytes of a stream's receive buffer */
#define TANDEM_REALTEK_STREAM_OUT_MIN 128 /**< least bytes of a stream's send buffer */

/** An image that the device takes, and what it is here. */
struct tandem_realtek_map {
    uint16_t image;   /**< Realtek's id */
    uint8_t kind;     /**< enum tandem_kind; 0: taken, and not kept (an OTA header where there is no use for it) */
    uint8_t index;    /**< place in packs and in the image indicator, 0 … 15 */
    uint32_t version; /**< of the running one, its bits as Realtek lays them out for it */
};

/** What the buds of a pair tell each other. */
enum tandem_realtek_pair_event {
    TANDEM_REALTEK_PAIR_DONE = 1,      /**< mine is updated and waits; now you */
    TANDEM_REALTEK_PAIR_FAILED = 2,    /**< mine is not to be: stay on the old firmware, both */
    TANDEM_REALTEK_PAIR_COMMIT = 3,    /**< both are updated: switch */
    TANDEM_REALTEK_PAIR_COMMITTED = 4, /**< I do */
    TANDEM_REALTEK_PAIR_LOST = 5       /**< never sent: the link between the buds is gone */
};

/** Bud status: link state and role, as the device information has them. */
#define TANDEM_REALTEK_BUD_ALONE 0x00     /**< a product of one piece */
#define TANDEM_REALTEK_BUD_UNLINKED 0x01  /**< the other bud is away */
#define TANDEM_REALTEK_BUD_LINKED 0x02    /**< the other bud is there */
#define TANDEM_REALTEK_BUD_PRIMARY 0x04   /**< or-ed to it */
#define TANDEM_REALTEK_BUD_SECONDARY 0x08 /**< or-ed to it */

/** A pair of buds: how one reaches the other. All of it is required. */
struct tandem_realtek_pair_port {
    void *ctx; /**< handed to every function */
    /** TANDEM_REALTEK_BUD_… now. */
    uint8_t (*bud)(void *ctx);
    /** The other bud's address, most significant byte first; zeros if it is not known. */
    void (*other)(void *ctx, uint8_t address[6]);
    /** Send an enum tandem_realtek_pair_event over the link between the buds, which repeats what is lost. The other
     *  hands it to tandem_realtek_device_pair(). @return TANDEM_OK; TANDEM_ERROR_DISCONNECTED */
    enum tandem_status (*tell)(void *ctx, uint8_t event);
    /** Exchange the roles: the phone's next connection, to the same address, reaches the other bud. @return TANDEM_OK;
     *  TANDEM_ERROR_PORT */
    enum tandem_status (*swap)(void *ctx);
    /** Begin (1) or end (0) to advertise as the second bud: tandem_realtek_advertisement() of the own address.
     *  Connections to it come to this bud. */
    void (*advertise)(void *ctx, int on);
};

/** What a device is, to Realtek's apps. Constant, caller's. */
struct tandem_realtek_config {
    uint8_t dialect;        /**< TANDEM_REALTEK_BEE2, _8752H, _AUDIO (also with a stream), _STREAM */
    uint8_t ic;             /**< enum tandem_realtek_ic: what images are made for, how they are laid out */
    uint8_t secure_version; /**< told, and the least that is taken */
    uint8_t single_bank;    /**< 1: say that images run from one place, and the free bank is a temp area */
    uint8_t ota_mode;       /**< 1: this is the OTA mode: its timers run, a restart ends it */
    uint8_t aes_key_size;   /**< bytes: 16 or 32 */
    uint8_t aes_all;        /**< 1: every block is encrypted; 0: the first of each packet */
    const uint8_t *aes_key; /**< NULL: nothing is encrypted. The product's own: there is no default. */
    const uint8_t *address; /**< 6 bytes, most significant first */
    uint32_t patch_version; /**< told as TANDEM_REALTEK_PATCH_VERSION */
    uint32_t app_version;   /**< told as TANDEM_REALTEK_APP_VERSION */
    const uint8_t *release; /**< optional: 12 bytes, told as the release version */
    const struct tandem_realtek_map *images;     /**< what is taken; ascending by `index` */
    uint8_t image_count;                         /**< entries, at most TANDEM_REALTEK_IMAGES_MAX */
    uint8_t list_padding;                        /**< entries that lists of a stream are padded to; 0: 15 */
    const struct tandem_realtek_pair_port *pair; /**< NULL: a product of one piece */
};

struct realtek_dialect;

/** The device. Fields are the library's own. */
struct tandem_realtek_device {
    const struct tandem_realtek_config *config;              /**< what it is */
    const struct realtek_dialect *row;                       /**< the dialect's */
    struct tandem_bare *bare;                                /**< the door, and through it the installer */
    const struct tandem_gatt_port *gatt;                     /**< NULL: no GATT */
    const struct tandem_realtek_map *image;                  /**< begun last; NULL: none */
    void (*answer)(void *front, uint8_t op, uint8_t status); /**< who asked */
    void *front;                                             /**< handed to it */
    uint32_t now;                                            /**< last time seen */
    uint32_t heard_ms;                                       /**< when something came last */
    uint32_t restart_ms;                                     /**< when to restart */
    uint32_t pair_ms;                                        /**< when the pair gives up, or asks again */
    uint32_t mode_ms;                                        /**< OTA mode: when it began */
    uint32_t link_ms;                                        /**< OTA mode: when the connection came, or went */
    uint32_t total;                                          /**< bytes of the image */
    uint32_t at;                                             /**< offset of the next byte */
    uint32_t fed;                                            /**< of which so many went on */
    uint32_t chunk;                                          /**< offset of the chunk in hand */
    uint32_t head_end;                                       /**< offset behind the head of a package */
    uint16_t buffer_size;                                    /**< bytes of a chunk; 0: buffer check off */
    uint16_t check;                                          /**< of the chunk so far */
    uint16_t layout_control;                                 /**< of images: offset of the control header */
    uint16_t layout_header;                                  /**< of images: bytes before the payload */
    uint8_t new_order;                                       /**< of control headers */
    uint8_t aes_on;                                          /**< 1: what arrives is encrypted */
    uint8_t sink;                                            /**< where bytes go */
    uint8_t pending;                                         /**< operation that is not answered yet; 0: none */
    uint8_t step;                                            /**< of it */
    uint8_t error;                                           /**< status that the chunk in hand has earned; 0: none */
    uint8_t fault;                                           /**< status that ended the image; 0: none */
    uint8_t passed;                                          /**< 1: the image in hand is validated */
    uint8_t kept;                                            /**< 1: an image of the set is validated */
    uint8_t fresh;                                           /**< 1: nothing begun since the connection came */
    uint8_t clocked;                                         /**< 1: the time is known */
    uint8_t linked;                                          /**< 1: connected */
    uint8_t heard;                                           /**< 1: something came since the last poll */
    uint8_t restart;                                         /**< what is due */
    uint8_t pair;                                            /**< how far the pair is */
    uint8_t pair_tries;                                      /**< of the commit */
    uint8_t magic_fill;                                      /**< bytes of `magic` */
    uint8_t carry_fill;                                      /**< bytes of `carry` */
    uint8_t answer_size;                                     /**< bytes that are to be notified; 0: none */
    uint8_t answer_at;                                       /**< of which so many went */
    uint8_t magic[TANDEM_PACKAGE_HEADER_SIZE];               /**< first bytes of the payload */
    uint8_t control[12];                                     /**< control header of START */
    uint8_t carry[TANDEM_AES_BLOCK_SIZE];                    /**< a block that is not whole yet */
    uint8_t come_back;                                       /**< 1: restart into OTA mode */
    uint8_t reply[TANDEM_REALTEK_ANSWER_MAX];                /**< answer on its way */
    struct tandem_source source;                             /**< the image in hand, as it was programmed */
    struct tandem_realtek_check verify;                      /**< integrity check under way */
    struct tandem_aes aes;                                   /**< the key */
};

/**
 * Prepare. Data need a window of the installer's buffer: 1.3 KB let the buffer
 * check work in chunks of 1 KB, 4.4 KB in the 4 KB that most devices use.
 * @param device caller's
 * @param config must outlive it
 * @param bare opened; must outlive it
 * @param gatt packets out; NULL: streams only
 * @return TANDEM_OK; TANDEM_ERROR_NOT_SUPPORTED (a dialect that has no device half); TANDEM_ERROR_ARGUMENT (the
 *         table of images, the address or the key)
 */
enum tandem_status tandem_realtek_device_init(struct tandem_realtek_device *device,
                                              const struct tandem_realtek_config *config, struct tandem_bare *bare,
                                              const struct tandem_gatt_port *gatt);

/** Whether the device has a characteristic: what a port puts into its table. */
int tandem_realtek_device_has(const struct tandem_realtek_device *device, uint16_t characteristic);

/**
 * A characteristic is read, also in parts (Read Blob).
 * @param device prepared
 * @param characteristic enum tandem_realtek_characteristic
 * @param offset first byte wanted
 * @param data,capacity where to
 * @param size set to the bytes stored
 * @return what the host is to be told
 */
enum tandem_att tandem_realtek_device_read(const struct tandem_realtek_device *device, uint16_t characteristic,
                                           uint16_t offset, uint8_t *data, size_t capacity, size_t *size);

/**
 * A characteristic is written. Work that cannot wait (data without room for
 * them) is done inside: at most TANDEM_REALTEK_STEPS steps of the installer,
 * or TANDEM_REALTEK_COPY_STEPS for a package that is sent without buffer
 * check: behind its head the images that it does not bring are copied. Not from an interrupt, nor while another
 * function of the same device runs.
 * @param device prepared
 * @param characteristic enum tandem_realtek_characteristic
 * @param data,size the value
 * @return what the host is to be told, where it asked for an answer
 */
enum tandem_att tandem_realtek_device_write(struct tandem_realtek_device *device, uint16_t characteristic,
                                            const void *data, size_t size);
#define TANDEM_REALTEK_STEPS 64        /**< steps of the installer that a write does at most */
#define TANDEM_REALTEK_COPY_STEPS 4096 /**< the same while the installer copies what the package does not bring */

/** Bytes of data that can be stored now without work: a port that can hold packets back does so beyond it. */
uint32_t tandem_realtek_device_room(const struct tandem_realtek_device *device);

/** A connection has come. */
void tandem_realtek_device_connected(struct tandem_realtek_device *device);
/** It is gone. On the audio line an image may go on where it was, within 30 s. */
void tandem_realtek_device_disconnected(struct tandem_realtek_device *device);

/** The other bud says something, or is lost: an enum tandem_realtek_pair_event. */
void tandem_realtek_device_pair(struct tandem_realtek_device *device, uint8_t event);

/**
 * Move time and do a bounded amount of work: a few installer steps, what is
 * to be sent, a restart that is due.
 * @param now_ms a clock in milliseconds that may wrap
 * @return TANDEM_AGAIN: more to do, call soon; TANDEM_OK: nothing to do for about 20 ms or until something comes
 */
enum tandem_status tandem_realtek_device_poll(struct tandem_realtek_device *device, uint32_t now_ms);

/* ---- the same over a byte stream ---- */

/** An event that waits for its acknowledgement. */
struct tandem_realtek_event {
    uint16_t id;                             /**< which */
    uint8_t sequence;                        /**< its frame's */
    uint8_t size;                            /**< bytes of `body` */
    uint8_t sent;                            /**< times that it went out */
    uint32_t sent_ms;                        /**< when, the last time */
    uint8_t body[TANDEM_REALTEK_ANSWER_MAX]; /**< payload */
};

/** A stream: SPP, an iAP session, UART, the LE vendor service. Fields are the library's own. */
struct tandem_realtek_stream {
    struct tandem_realtek_device *device;                      /**< behind it */
    const struct tandem_stream_port *port;                     /**< bytes out */
    uint8_t *in;                                               /**< frame being received */
    uint8_t *out;                                              /**< bytes on their way */
    uint16_t in_fill;                                          /**< bytes of `in` */
    uint16_t in_done;                                          /**< of which so many were a frame */
    uint16_t out_size;                                         /**< bytes of `out` */
    uint16_t out_fill;                                         /**< bytes to be sent */
    uint16_t last_id;                                          /**< of the last command */
    uint32_t begun_ms;                                         /**< when the frame being received began */
    uint8_t checksum;                                          /**< 1: UART */
    uint8_t sequence_in;                                       /**< of the last command; 0: none */
    uint8_t sequence_out;                                      /**< of the last frame sent */
    uint8_t last_status;                                       /**< with which the last command was acknowledged */
    uint8_t owed;                                              /**< 1: it was not yet, for want of room for more data */
    uint8_t swap_done;                                         /**< 1: with the swap this bud is done */
    uint8_t waiting;                                           /**< 1: `begun_ms` counts */
    uint8_t count;                                             /**< events */
    struct tandem_realtek_event events[TANDEM_REALTEK_EVENTS]; /**< oldest first */
};

/**
 * Prepare a stream.
 * @param stream caller's
 * @param device prepared, with dialect TANDEM_REALTEK_STREAM or TANDEM_REALTEK_AUDIO; must outlive it
 * @param port bytes out; must outlive it
 * @param in receive buffer of TANDEM_REALTEK_STREAM_IN bytes
 * @param out,out_size send buffer of TANDEM_REALTEK_STREAM_OUT_MIN bytes or more
 * @param checksum 1: frames carry a checksum (UART); 0: they do not (all others)
 * @return TANDEM_OK; TANDEM_ERROR_SPACE (the send buffer); TANDEM_ERROR_NOT_SUPPORTED (the dialect)
 */
enum tandem_status tandem_realtek_stream_init(struct tandem_realtek_stream *stream,
                                              struct tandem_realtek_device *device,
                                              const struct tandem_stream_port *port, uint8_t *in, uint8_t *out,
                                              size_t out_size, int checksum);
/** Take received bytes, any number. Work may be done inside, as in tandem_realtek_device_write(). */
void tandem_realtek_stream_receive(struct tandem_realtek_stream *stream, const void *data, size_t size);
/** Move time for the stream and for the device behind it. @return as tandem_realtek_device_poll() */
enum tandem_status tandem_realtek_stream_poll(struct tandem_realtek_stream *stream, uint32_t now_ms);
/** A new session: what was half received or not acknowledged is forgotten. */
void tandem_realtek_stream_connected(struct tandem_realtek_stream *stream);
/** The session is gone. */
void tandem_realtek_stream_disconnected(struct tandem_realtek_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
