/**
 * @file
 * Realtek's Bluetooth DFU, host half: makes a Realtek device a target for the
 * updater, over GATT or over a byte stream (SPP, an iAP session, UART, the
 * vendor service of LE). Which dialect the device speaks is found out before
 * anything is written. docs/realtek.md is the guide.
 */
#ifndef TANDEM_REALTEK_HOST_H
#define TANDEM_REALTEK_HOST_H

#include "tandem/crypto.h"
#include "tandem/group.h"
#include "tandem/port.h"
#include "tandem/realtek.h"
#include "tandem/update.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_REALTEK_PARTS_MAX 64        /**< images in a file, those for both banks counted */
#define TANDEM_REALTEK_PLAN_MAX 40         /**< images that one device gets */
#define TANDEM_REALTEK_ENTRIES_MAX 32      /**< images whose versions a device tells */
#define TANDEM_REALTEK_HOST_ANSWER_MAX 200 /**< bytes of a device's answer that a host keeps */
#define TANDEM_REALTEK_FRAME_BYTES 647     /**< of the longest frame of the stream dialect */
#define TANDEM_REALTEK_BANK_ANY 2          /**< tandem_realtek_part::bank: it runs from either */

/** An image in a file. */
struct tandem_realtek_part {
    uint32_t offset;     /**< of its first byte in the source */
    uint32_t size;       /**< bytes, its header included */
    uint32_t version;    /**< as its maker packed it, if `versioned` */
    uint16_t image;      /**< id */
    uint8_t bank;        /**< it is linked for: 0, 1 or TANDEM_REALTEK_BANK_ANY */
    uint8_t versioned;   /**< 1: `version` is known */
    uint8_t compressed;  /**< 1: the device is to expand it */
    uint8_t control[12]; /**< its control header, as it lies in the image */
};

/** What is offered: the images of a pack, of one image file, or of one bud's pack in a combined file. */
struct tandem_realtek_file {
    const struct tandem_source *source;                         /**< the bytes */
    uint8_t ic;                                                 /**< chip that it is for */
    uint8_t packed;                                             /**< 1: a pack; 0: a single image */
    uint8_t count;                                              /**< images */
    struct tandem_realtek_part parts[TANDEM_REALTEK_PARTS_MAX]; /**< ascending by their place in the pack */
};

/**
 * Open a file: an MPPack, a single image with or without its MP header, or a
 * combined file with packs for both buds.
 * @param file to fill
 * @param source its bytes, all there; must outlive `file`
 * @param role of the bud whose pack is wanted: 2 the secondary one's; else the other's. Only combined files ask
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT (none of these, or it contradicts itself); TANDEM_ERROR_TRUNCATED;
 *         TANDEM_ERROR_UNSUPPORTED (a variant not known, or a pack for production lines only);
 *         TANDEM_ERROR_INCOMPLETE (no pack for that bud); TANDEM_ERROR_TOO_LARGE; the source's reason
 */
enum tandem_status tandem_realtek_file_open(struct tandem_realtek_file *file, const struct tandem_source *source,
                                            uint8_t role);

/** How a stream comes up and goes down. */
struct tandem_realtek_connector {
    void *ctx; /**< handed to every function */
    /** Establish it. @return TANDEM_OK it is up; TANDEM_AGAIN call again; TANDEM_ERROR_TIMEOUT, _DISCONNECTED, _PORT
     *  not now */
    enum tandem_status (*connect)(void *ctx);
    /** Optional: take it down. */
    void (*disconnect)(void *ctx);
};

/** Wishes. All zero is a good choice. */
struct tandem_realtek_options {
    const uint8_t *aes_key;  /**< the product's, for devices that want it; NULL: none. There is no default */
    uint8_t aes_key_size;    /**< bytes: 16 or 32 */
    uint8_t battery_minimum; /**< percent below which nothing is begun; 0: 30 */
    uint8_t any_version;     /**< 1: also images that are not newer */
    uint8_t no_skip;         /**< 1: send also images that the device says it has */
    uint8_t ota_mode;        /**< 1: use OTA mode even if the application takes updates */
    uint8_t checksum;        /**< 1: frames carry a checksum (UART) */
    uint16_t settle_ms;      /**< pause after connecting; 0: 1500 */
    const struct tandem_crypto_port *crypto; /**< replacements, or NULL */
    void *ctx;                               /**< handed to battery() */
    /** Optional: charge in percent, as the protocol does not tell it. `bud`: 0 the device reached; 1 the other bud.
     *  @return TANDEM_OK; any other: not known */
    enum tandem_status (*battery)(void *ctx, uint8_t bud, uint8_t *percent);
    const struct tandem_gatt_parameters *parameters; /**< to ask for during transfer; NULL: as they are */
};

/** A version or a section's size. */
struct tandem_realtek_entry {
    uint16_t image; /**< id */
    uint32_t value; /**< version as packed, or bytes */
};

/** One device. Caller allocated; fields are the library's own. */
struct tandem_realtek_host {
    struct tandem_target target;                      /**< what it offers */
    const struct tandem_gatt_host_port *gatt;         /**< way to it, or NULL */
    const struct tandem_stream_port *stream;          /**< way to it, or NULL */
    const struct tandem_realtek_connector *connector; /**< of the stream; NULL: it is always up */
    const struct tandem_realtek_file *file;           /**< what it shall run */
    const struct tandem_realtek_file *files[2];       /**< the same, by role: all others, secondary bud */
    struct tandem_gatt_peer peer;                     /**< how its application is found */
    struct tandem_realtek_options options;            /**< wishes */
    struct tandem_outcome outcome;                    /**< the device's last refusal */
    uint32_t now;                                     /**< last time seen */
    uint32_t connected_ms;                            /**< when the link came up */
    uint32_t asked_ms;                                /**< when the request in hand was begun */
    uint32_t sent_ms;                                 /**< when it was last sent */
    uint32_t busy_ms;                                 /**< since when the device wants a pause, if `busy` */
    uint32_t at;                                      /**< next byte of the image to send */
    uint32_t chunk;                                   /**< first byte of the chunk under way */
    uint32_t chunk_end;                               /**< one past its last */
    uint32_t data_ms;                                 /**< since when no packet could be sent, or the next may be */
    uint32_t base;                                    /**< bytes of the parts before the one in hand */
    uint32_t total;                                   /**< bytes of all parts in the plan */
    uint16_t protocol;                                /**< protocol type */
    uint16_t check;                                   /**< check value of the chunk so far */
    uint16_t buffer_size;                             /**< of the buffer check; 0: there is none */
    uint16_t check_offset;                            /**< the first chunk is to be shorter by this */
    uint16_t resumable;                               /**< image that a lost link interrupted; 0: none */
    uint16_t answer_size;                             /**< bytes */
    uint16_t frame_size;                              /**< bytes of the frame that goes out */
    uint16_t frame_at;                                /**< bytes of it that are out */
    uint16_t in_fill;                                 /**< of the frame that comes in */
    uint16_t in_done;                                 /**< of it, taken */
    uint8_t known;                                    /**< 1: `protocol` and `info` are what it said */
    uint8_t dialect;                                  /**< enum tandem_realtek_dialect */
    uint8_t info_size;                                /**< bytes */
    uint8_t version_count;                            /**< entries */
    uint8_t section_count;                            /**< entries */
    uint8_t has_address;                              /**< 6: its own is known; 12: the other bud's too */
    uint8_t has_dfu;                                  /**< 1: takes updates as it is */
    uint8_t seek;                                     /**< whom to connect to next */
    uint8_t linking;                                  /**< how far the connection is */
    uint8_t up;                                       /**< 1: connected */
    uint8_t broken;                                   /**< why the link is of no use; 0: it is */
    uint8_t asking;                                   /**< request in hand; 0: none */
    uint8_t tries;                                    /**< times that it was sent */
    uint8_t sent;                                     /**< 1: it is out */
    uint8_t completed;                                /**< 1: the port has told its end */
    uint8_t att;                                      /**< and what it was */
    uint8_t answered;                                 /**< 1: the device's answer is in */
    uint8_t acked;                                    /**< 1: its acknowledgement is in */
    uint8_t ack;                                      /**< and what it says */
    uint8_t sequence;                                 /**< of the last frame sent */
    uint8_t heard;                                    /**< of the last event taken */
    uint8_t ack_fill;                                 /**< bytes of `acks` */
    uint8_t busy;                                     /**< 1: the device asked for a pause */
    uint8_t step;                                     /**< of query(), begin(), activate() */
    uint8_t part;                                     /**< of the plan, in hand */
    uint8_t ready;                                    /**< 1: the session's first words are said */
    uint8_t skip;                                     /**< 1: the part in hand need not be sent */
    uint8_t repeats;                                  /**< chunks in a row that went wrong */
    uint8_t reasks;                                   /**< reports in a row that were not answered */
    uint8_t validated;                                /**< 1: all parts are, and the link still stands */
    uint8_t switched;                                 /**< 1: it was told to switch, and its link went down */
    uint8_t unsure;                                   /**< 1: it was told to switch, and may not have heard it */
    uint8_t doubts;                                   /**< times that this was so */
    uint8_t fresh;                                    /**< 1: `versions` are of this connection */
    uint8_t bud;                                      /**< of a pair: 0 the first, 1 the other */
    uint8_t same;        /**< 1: what it runs already is sent all the same, as its pair needs it */
    uint8_t round;       /**< group of parts in hand */
    uint8_t plan_count;  /**< parts in the plan */
    uint8_t planned;     /**< 1: there is one */
    uint8_t ciphers;     /**< 1: what is sent is encrypted */
    uint8_t reported;    /**< 1: `outcome` is the device's */
    uint8_t role;        /**< of the bud that is reached */
    uint8_t other[6];    /**< address of the other bud */
    uint8_t address[12]; /**< as the device tells it */
    uint8_t manufacturer[TANDEM_REALTEK_ADVERTISEMENT];               /**< data sought */
    uint8_t info[20];                                                 /**< device information as it came */
    uint8_t plan[TANDEM_REALTEK_PLAN_MAX];                            /**< part of the file, or what to copy */
    uint8_t rounds[TANDEM_REALTEK_PLAN_MAX];                          /**< and its group */
    uint16_t images[TANDEM_REALTEK_PLAN_MAX];                         /**< and its image */
    struct tandem_realtek_entry versions[TANDEM_REALTEK_ENTRIES_MAX]; /**< of the running images */
    struct tandem_realtek_entry sections[TANDEM_REALTEK_ENTRIES_MAX]; /**< sizes of their places */
    uint8_t answer[TANDEM_REALTEK_HOST_ANSWER_MAX];                   /**< the device's, status first */
    struct tandem_aes aes;                                            /**< while `ciphers` */
    uint8_t acks[48];                                                 /**< acknowledgements to send */
    uint8_t in[TANDEM_REALTEK_HOST_ANSWER_MAX + 7];                   /**< frame coming in */
    uint8_t frame[TANDEM_REALTEK_FRAME_BYTES];                        /**< frame going out; on GATT the request */
};

/**
 * Prepare for a device that is reached by GATT.
 * @param host caller's
 * @param gatt way to it; must outlive it. Its events go to the functions `tandem_realtek_host_on_…`
 * @param peer how the device's application is found; what it points to must outlive it
 * @param file opened; must outlive it
 * @param options wishes, copied, but not the key; NULL: all defaults
 */
void tandem_realtek_host_init_gatt(struct tandem_realtek_host *host, const struct tandem_gatt_host_port *gatt,
                                   const struct tandem_gatt_peer *peer, const struct tandem_realtek_file *file,
                                   const struct tandem_realtek_options *options);
/**
 * Prepare for a device that is reached by a byte stream.
 * @param host caller's
 * @param stream way out; must outlive it
 * @param connector how it comes up; NULL: it is always up
 * @param file,options as tandem_realtek_host_init_gatt()
 */
void tandem_realtek_host_init_stream(struct tandem_realtek_host *host, const struct tandem_stream_port *stream,
                                     const struct tandem_realtek_connector *connector,
                                     const struct tandem_realtek_file *file,
                                     const struct tandem_realtek_options *options);

/** The target for tandem_update_init(); lives as long as `host`. */
const struct tandem_target *tandem_realtek_host_target(const struct tandem_realtek_host *host);

/** @name What the GATT port tells: see struct tandem_gatt_host_port
 * Anything is safe; what makes no sense is dropped.
 * @{ */
/** The connection is there. */
void tandem_realtek_host_on_connected(struct tandem_realtek_host *host);
/** A read has come to its end. */
void tandem_realtek_host_on_read(struct tandem_realtek_host *host, enum tandem_att att, const void *data, size_t size);
/** A write has. */
void tandem_realtek_host_on_written(struct tandem_realtek_host *host, enum tandem_att att);
/** A subscription has. */
void tandem_realtek_host_on_subscribed(struct tandem_realtek_host *host, enum tandem_att att);
/** A notification has come. */
void tandem_realtek_host_on_notification(struct tandem_realtek_host *host, uint16_t characteristic, const void *data,
                                         size_t size);
/** @} */

/** Bytes came from the stream. Anything is safe. */
void tandem_realtek_host_receive(struct tandem_realtek_host *host, const void *data, size_t size);
/** The connection is gone, GATT or stream. */
void tandem_realtek_host_on_disconnected(struct tandem_realtek_host *host);

/** One bud of a pair, to the updater. Fields are the library's own. */
struct tandem_realtek_bud {
    struct tandem_target target;     /**< what it offers */
    struct tandem_realtek_rws *pair; /**< whose */
    uint32_t done;                   /**< bytes, as far as it was sent */
    uint32_t total;                  /**< bytes */
    uint8_t index;                   /**< 0 the first that is reached, 1 the other */
};

/**
 * A pair of earbuds as two targets, for a group of two. The phone reaches one
 * bud at a time: the first is sent all, then it hands over to the other, and
 * when that one has all, both switch together.
 */
struct tandem_realtek_rws {
    struct tandem_realtek_host *host;  /**< the way to whichever bud is reached */
    struct tandem_realtek_bud buds[2]; /**< members, in this order */
    struct tandem_info first;          /**< what the first bud said */
    uint32_t handed_ms;                /**< when it handed over */
    uint8_t stage;                     /**< how far the pair is */
    uint8_t asked;                     /**< 1: `first` is filled in */
    uint8_t role;                      /**< of the bud that was reached before */
    uint8_t peek;                      /**< how far the look at the other bud is */
    uint8_t swapping;                  /**< 1: the buds exchange their roles */
    uint8_t apart;                     /**< 1: the buds were found with different firmware */
};

/**
 * Make a pair of a host that was prepared for its first bud.
 *
 * Put the two targets into one tandem_group, first bud first, with
 * tandem_group_options::parallel 0. Nothing is sent unless the first bud says
 * that the other is linked, and both have enough charge, if
 * tandem_realtek_options::battery can tell.
 * @param pair caller's
 * @param host initialized; must outlive `pair`; its events go to it as ever
 * @param second file for the bud in the secondary role; NULL: the same for both
 */
void tandem_realtek_rws_init(struct tandem_realtek_rws *pair, struct tandem_realtek_host *host,
                             const struct tandem_realtek_file *second);
/** Target of a bud. @param bud 0 the first; 1 the other */
const struct tandem_target *tandem_realtek_rws_target(const struct tandem_realtek_rws *pair, unsigned bud);
/** Whether the buds were found with different firmware. @return 1 or 0 */
int tandem_realtek_rws_apart(const struct tandem_realtek_rws *pair);

#ifdef __cplusplus
}
#endif

#endif
