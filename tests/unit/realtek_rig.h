/*
 * A bench for Realtek's DFU: a Tandem device with the device half on it, a
 * maker of Realtek images, and what a host of few words would do. The images
 * and requests are made from the protocol's description, not by our encoder.
 */
#ifndef TANDEM_TESTS_UNIT_REALTEK_RIG_H
#define TANDEM_TESTS_UNIT_REALTEK_RIG_H

#include "check.h"
#include "fixture.h"
#include "hex.h"
#include "tandem/realtek_device.h"

#define RIG_HEADER 1024u
#define RIG_APP 0x2793
#define RIG_PATCH 0x2792
#define RIG_DATA 0x2794
#define RIG_OTA_HEADER 0x2790
#define RIG_BOX 32 /* notifications that are kept */

struct rig_note {
    uint16_t characteristic;
    uint16_t size;
    uint8_t bytes[160];
};

/* A device with a Realtek face. */
struct rig {
    struct fixture f;
    struct tandem_bare bare;
    struct tandem_realtek_map map[4];
    struct tandem_realtek_config config;
    struct tandem_gatt_port gatt;
    struct tandem_realtek_device device;
    struct package old;
    struct rig_note box[RIG_BOX];
    unsigned notes; /* in all */
    unsigned seen;  /* of which so many were looked at */
    unsigned again; /* notifications that the port puts off first */
    uint16_t mtu;
    int deaf;         /* 1: not subscribed */
    unsigned refused; /* packets of data */
    unsigned disconnects;
    unsigned reboots;
    unsigned entered;
    struct tandem_gatt_parameters parameters;
    uint32_t ms;
    int quick; /* 1: time stands still */
};

/* An image as a vendor's tool makes it. */
struct rig_image {
    uint16_t id;
    uint32_t size;
    uint8_t control[12]; /* its control header */
    uint8_t *bytes;
};

/* A device that runs version 1 from bank 0, its door open. Change `config` after it, then rig_start(). */
void rig_open(struct rig *r, uint8_t dialect, uint8_t ic);
/* The same on another flash. */
void rig_open_on(struct rig *r, uint8_t dialect, uint8_t ic, const struct fixture_options *options);
void rig_start(struct rig *r);
void rig_close(struct rig *r);
/* Checks in here that did not hold: each file counts its own. */
unsigned rig_failures(void);
/* As after a reset: boot, open everything anew. @return the bank that runs */
uint8_t rig_reset(struct rig *r);
/* Poll until nothing is under way, at most `ms` milliseconds. */
void rig_settle(struct rig *r, uint32_t ms);

/* Make an image of payload bytes; crc 1: with a CRC in place of the SHA-256. */
struct rig_image rig_image(uint8_t ic, uint16_t id, const uint8_t *payload, uint32_t size, int crc);
/* Make its SHA-256 right again. */
void rig_image_seal(struct rig_image *image, uint8_t ic);
void rig_image_free(struct rig_image *image);
/* Whether a bank's slot holds bytes. */
int rig_holds(struct rig *r, uint8_t bank, uint8_t kind, const uint8_t *bytes, uint32_t size);

/* Write bytes, in hexadecimal, to the control point, and let time pass. */
enum tandem_att rig_ask(struct rig *r, const char *request);
/* The next notification that was not looked at. NULL: there is none. */
const struct rig_note *rig_next(struct rig *r);
/* Ask, and see that the one answer is so; "" for none. */
#define ANSWERS(r, request, answer) \
    CHECK_EQUAL(rig_ask(r, request), TANDEM_ATT_OK), rig_answers(r, answer, request, __FILE__, __LINE__)
void rig_answers(struct rig *r, const char *answer, const char *request, const char *file, int line);
/* The value of a characteristic is so. */
#define READS(r, characteristic, value) rig_reads(r, characteristic, value, __FILE__, __LINE__)
void rig_reads(struct rig *r, uint16_t characteristic, const char *value, const char *file, int line);

/* How an image is sent. */
struct rig_way {
    uint32_t packet;    /* bytes; 0: 100 */
    int check;          /* 1: buffer check */
    const uint8_t *key; /* AES */
    uint8_t key_size;
    int all;         /* every block */
    uint32_t stop;   /* bytes after which the link breaks; 0: none */
    unsigned damage; /* the chunk that is damaged on its way, once; 0: none */
};
/* START, data, VALIDATE. @return the status of VALIDATE, or the one that ended it before */
uint8_t rig_send(struct rig *r, const struct rig_image *image, const struct rig_way *way);
/* ACTIVATE, and let it restart. @return 1: it did */
int rig_activate(struct rig *r);

#endif
