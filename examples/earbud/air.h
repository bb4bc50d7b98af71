/*
 * A simulated radio: GATT between two processes. A folder is the air; what a
 * device advertises is a socket in it, named by what and by whose address. A
 * message is its length, what it is, a characteristic, and bytes.
 */
#ifndef TANDEM_EARBUD_AIR_H
#define TANDEM_EARBUD_AIR_H

#include "tandem_posix.h"

#define AIR_MTU 247 /* of every connection */
#define AIR_PAYLOAD_MAX 512
#define AIR_HEAD 5 /* length u16, what u8, characteristic u16 */
#define AIR_BUFFER 8192
#define AIR_NAME_SIZE 24

enum air_what {
    AIR_READ = 1,   /* host: value wanted */
    AIR_WRITE,      /* host: value, to be answered */
    AIR_COMMAND,    /* host: value, not to be answered */
    AIR_SUBSCRIBE,  /* host: 1 on */
    AIR_VALUE,      /* device: ATT answer, value */
    AIR_WRITTEN,    /* device: ATT answer */
    AIR_SUBSCRIBED, /* device: ATT answer */
    AIR_NOTIFY      /* device: value */
};

/* One end of a connection. */
struct air {
    struct tandem_posix_stream wire;
    uint8_t in[AIR_BUFFER], out[AIR_BUFFER];
    size_t in_fill, out_fill;
};

struct air_message {
    uint8_t what;
    uint16_t characteristic;
    size_t size;
    const uint8_t *bytes; /* good until air_drop() */
};

void air_init(struct air *air);
void air_close(struct air *air);
/* Put one message on its way. Returns 0, or -1: no room now. */
int air_send(struct air *air, enum air_what what, uint16_t characteristic, const void *bytes, size_t size);
/* Move bytes both ways. Returns TANDEM_OK, or TANDEM_ERROR_DISCONNECTED. */
enum tandem_status air_move(struct air *air);
/* The oldest message that came. Returns 1, or 0. */
int air_next(const struct air *air, struct air_message *message);
/* It is done with. */
void air_drop(struct air *air);

/* The name of an advertisement: "app-c00000000001". `what` is app, ota or bud. */
void air_name(char name[AIR_NAME_SIZE], const char *what, const uint8_t address[6]);

#endif
