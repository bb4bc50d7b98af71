/*
 * The earbud's other face: Realtek's DFU, over its socket as Realtek's apps
 * know it over SPP or an iAP session, or by GATT over a simulated radio.
 * Alone, or one bud of a pair whose other half is another process.
 */
#ifndef TANDEM_EARBUD_REALTEK_H
#define TANDEM_EARBUD_REALTEK_H

#include "air.h"
#include "board.h"
#include "tandem/realtek_device.h"

#define REALTEK_CHIP TANDEM_REALTEK_IC_87X3E
#define REALTEK_MAPS 2

struct realtek_face {
    struct board *board;
    struct tandem_bare bare;
    struct tandem_realtek_map maps[REALTEK_MAPS];
    struct tandem_realtek_config config;
    struct tandem_realtek_pair_port pair;
    struct tandem_realtek_device device;
    struct tandem_realtek_stream stream;
    struct tandem_posix_stream wire;
    uint8_t in[TANDEM_REALTEK_STREAM_IN], out[2048];
    uint8_t address[6];
    /* the radio, in place of the stream */
    int radio;                                  /* 1: it is used */
    int advertiser;                             /* the socket that advertises; -1: it does not */
    char advertised[TANDEM_POSIX_ADDRESS_SIZE]; /* and its name */
    struct tandem_gatt_port gatt;
    struct air phone;
    int subscribed;
    /* the other bud */
    int air;           /* the socket between them; -1: none */
    char own[108];     /* its name, and the other's */
    char other[108];   /* to which is sent */
    int active;        /* 1: the phone is to reach this one */
    uint32_t heard_ms; /* when the other was heard last */
    uint32_t beat_ms;  /* when it was last told that this one is there */
    int linked;        /* 1: it is there */
    int hang_up;       /* 1: the phone is to reach the other from now on */
};

/* Open. `version` is what runs. Returns 0, or -1. */
int realtek_open(struct realtek_face *face, struct board *board, struct tandem_install *install,
                 const struct tandem_version *version);
/* Take the caller, if this one is to be reached and nobody is there. */
void realtek_answer(struct realtek_face *face, struct tandem_posix_stream *caller);
/* Move on. Returns 1 if there is more to do at once. */
int realtek_serve(struct realtek_face *face);
void realtek_close(struct realtek_face *face);

#endif
