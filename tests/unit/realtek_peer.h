/*
 * A Realtek device for tests of the host half, written from the protocol's
 * description and sharing no code with the library: services, control point,
 * frames, banks. It tells when it is spoken to wrongly, and can lose, repeat
 * and delay what it says.
 */
#ifndef TANDEM_REALTEK_PEER_H
#define TANDEM_REALTEK_PEER_H

#include "tandem/realtek_host.h"

#define PEER_IMAGES 8
#define PEER_IMAGE_MAX 16384
#define PEER_EVENTS 64
#define PEER_LOG 256
#define PEER_EDGES 256

struct peer_image {
    uint16_t id;
    uint32_t size;
    uint8_t ready;
    uint8_t bytes[PEER_IMAGE_MAX];
};

/* Something that the host will be told. */
struct peer_event {
    uint8_t kind;
    uint8_t att;
    uint16_t size;
    uint32_t due;
    uint8_t bytes[600];
};

/* How it is. */
struct peer_spec {
    char dialect; /* 'A' ... 'F' */
    uint8_t ic;
    uint8_t mode;    /* as on the wire */
    uint8_t bank;    /* that runs: 0, 1; 0xFF: there is one only */
    uint8_t temp;    /* 4 KiB */
    uint16_t buffer; /* of the buffer check */
    uint16_t mtu;
    uint16_t offset;        /* in its sector, of each image's place */
    uint8_t app_has_no_dfu; /* 1: only OTA mode takes updates */
    uint8_t keeps;          /* 1: a lost link costs nothing */
    uint8_t bud;            /* bud status byte */
    uint8_t knows_sha;      /* 1: answers op 0x0F truly */
    const uint8_t *key;     /* of AES */
};

struct peer {
    struct peer_spec spec;
    /* A bud asks its pair what an activation or an exchange of roles comes to. @return 1: all is done */
    int (*pair)(struct peer *peer, uint16_t op, uint8_t body);
    int hidden; /* 1: not to be found; 2: advertises as the second bud */
    struct tandem_realtek_host *host;
    struct tandem_gatt_host_port gatt;
    struct tandem_stream_port stream;
    struct tandem_realtek_connector connector;
    uint32_t now;
    /* durable */
    uint16_t ids[PEER_IMAGES]; /* what it has */
    uint32_t versions[2][PEER_IMAGES];
    uint32_t sections[PEER_IMAGES];
    unsigned count;
    struct peer_image other[PEER_IMAGES]; /* the other bank, or the temp area */
    uint8_t address[12];
    uint16_t protocol; /* 0xFFFF: absent */
    /* until it restarts */
    int ota_mode;
    int linked;
    int subscribed;
    int looking;  /* the host seeks it */
    int down_for; /* ms until it can be reached again */
    struct peer_image *started;
    uint32_t at;
    uint8_t buffer[4096];
    uint32_t fill;
    uint16_t edge[PEER_EDGES]; /* where in the buffer packets began */
    unsigned edges;
    int checking;
    int first_chunk;
    uint8_t test;
    uint32_t reset_ms; /* 0: not due */
    int reset_to_ota;
    uint8_t heard;
    uint8_t sequence;
    uint8_t wire[8192]; /* bytes from the host, not yet a frame */
    unsigned wire_fill;
    uint8_t swap_body;
    uint16_t unacknowledged; /* event whose acknowledgement sets it going */
    uint16_t event_id;       /* not acknowledged yet; 0: none */
    uint32_t event_ms;       /* when it is sent again */
    size_t event_size;
    uint8_t event_bytes[300];
    struct peer_event events[PEER_EVENTS];
    unsigned first, last;
    /* faults */
    unsigned packets;             /* data and control from the host, so far */
    unsigned cut_at;              /* the link ends at this packet; 0: never */
    unsigned answers;             /* notifications, so far */
    unsigned lose, repeat, delay; /* the nth of these; 0: none */
    unsigned busy_at;             /* after this packet it says that it is busy */
    unsigned refuse_op;           /* op that is answered with `refuse_with` */
    uint8_t refuse_with;
    unsigned corrupt_at; /* this data packet arrives with a bit wrong */
    unsigned no_room;    /* of so many calls, one finds no buffer free */
    unsigned calls;
    /* what happened */
    uint8_t log[PEER_LOG][24]; /* control point: size, bytes */
    unsigned logged;
    unsigned wrong; /* times that the host did what it may not */
    char why[80];
    unsigned switched; /* activations that took effect */
    unsigned starts, copies, skipped, aborts, entered;
    uint32_t data_bytes;
};

void peer_init(struct peer *peer, const struct peer_spec *spec);
void peer_add(struct peer *peer, uint16_t id, uint32_t version, uint32_t section);
/* Let time pass. */
void peer_step(struct peer *peer, uint32_t now);
/* Its link ends. */
void peer_unlink(struct peer *peer);
/* Take over what it received, and restart. */
void peer_switch(struct peer *peer);
/* Throw away what it received. */
void peer_forget(struct peer *peer);
uint32_t peer_version(const struct peer *peer, uint16_t id);

/* Make an image for it: version in the first bytes of its payload. @return its size */
uint32_t peer_image_make(const struct peer_spec *spec, uint8_t *bytes, uint16_t id, uint32_t payload, uint32_t version,
                         uint8_t *control);

#endif
