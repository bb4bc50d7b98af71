/*
 * What the parts of the device half share: the transfer, which knows no
 * transport, and what its fronts (GATT, stream) ask of it.
 */
#ifndef TANDEM_REALTEK_DEVICE_PRIVATE_H
#define TANDEM_REALTEK_DEVICE_PRIVATE_H

#include "realtek_wire.h"
#include "tandem/realtek_device.h"

/* Operations are answered with a status now, or with this: the answer comes later, by device->answer(). */
#define REALTEK_LATER 0u
/* Beside the ops of the control point: what the stream has of its own. */
#define REALTEK_OP_SWAP 0x40u

/* What is due after the last answer has left. */
enum realtek_restart { RESTART_NOT, RESTART_REBOOT, RESTART_ENTER };

/* Where bytes go. */
enum realtek_sink {
    SINK_NONE,      /* no image begun */
    SINK_HEAD,      /* the image's header passes by: what the payload is shows later; only a package will do */
    SINK_HEAD_BARE, /* the same, and it is stored */
    SINK_BARE,      /* into the bare door */
    SINK_MCUBOOT,   /* into the bare door, what is behind the header: it is authenticated there */
    SINK_PACKAGE,   /* into the installer, what is behind the header */
    SINK_DROP,      /* nowhere: the product has no use for this image */
    SINK_REFUSED    /* nowhere: it may not come in */
};

/* How the pair of buds stands. */
enum realtek_pair {
    PAIR_NONE,     /* nothing agreed */
    PAIR_LINKED,   /* the other bud was there when the update began */
    PAIR_TURN,     /* the other one is done: this one is due */
    PAIR_DONE,     /* this one is done and waits */
    PAIR_COMMIT,   /* both are done: the other one was asked to switch */
    PAIR_COMMITTED /* switched, restart due */
};

/* What became of data. */
enum realtek_taken {
    TAKEN,
    TAKEN_NOT_BEGUN, /* there is no image in hand, or it was refused */
    TAKEN_BEYOND,    /* more than the image has */
    TAKEN_OVERFLOW   /* more than a chunk, or than there is room for */
};

/* ---- the transfer ---- */

/* START. @param body 16 bytes as sent */
uint8_t tandem_realtek_begin(struct tandem_realtek_device *device, const uint8_t *body);
/* RECEIVE: data go on at `offset`. What makes no sense is ignored, as the protocol has it. */
void tandem_realtek_go_to(struct tandem_realtek_device *device, uint16_t image, uint32_t offset);
enum realtek_taken tandem_realtek_take(struct tandem_realtek_device *device, const uint8_t *data, size_t size);
/* CHECK. @return bytes of a chunk; 0: there is no buffer check */
uint16_t tandem_realtek_check_on(struct tandem_realtek_device *device);
uint8_t tandem_realtek_report(struct tandem_realtek_device *device, uint16_t size, uint16_t check);
uint8_t tandem_realtek_validate(struct tandem_realtek_device *device, uint16_t image);
/* ACTIVATE, up to the moment of the switch: the set is whole and verified. @param op ACTIVATE or SWAP */
uint8_t tandem_realtek_complete(struct tandem_realtek_device *device, uint8_t op);
/* The switch itself; what was completed becomes the next firmware, or waits for the other bud. @param ota 1: come back
 * in OTA mode. @return a status of the protocol */
uint8_t tandem_realtek_switch(struct tandem_realtek_device *device, int ota);
/* SWAP's second half: this bud is done, the other one is due. */
uint8_t tandem_realtek_swap(struct tandem_realtek_device *device, int done);
/* ABORT. */
void tandem_realtek_give_up(struct tandem_realtek_device *device);
uint8_t tandem_realtek_copy(struct tandem_realtek_device *device, uint16_t image);
/* Go to OTA mode. @return 0: there is none */
int tandem_realtek_enter(struct tandem_realtek_device *device);
void tandem_realtek_test(struct tandem_realtek_device *device, uint8_t bits);
/* Where an image would go on; 0: at its beginning. */
uint32_t tandem_realtek_offset(const struct tandem_realtek_device *device, uint16_t image);
const struct tandem_realtek_map *tandem_realtek_find(const struct tandem_realtek_device *device, uint16_t image);
/* Note that the host lives, and whom to answer. */
void tandem_realtek_heard(struct tandem_realtek_device *device, void (*answer)(void *front, uint8_t op, uint8_t status),
                          void *front);
/* Time and work without the fronts'. */
enum tandem_status tandem_realtek_work(struct tandem_realtek_device *device, uint32_t now_ms);

/* ---- the parts of it among themselves ---- */

static inline const struct tandem_device *realtek_description(const struct tandem_realtek_device *device)
{
    return device->bare->install->bank.device;
}

/* The image in hand goes into the bare door. */
static inline int realtek_stored(const struct tandem_realtek_device *device)
{
    return device->sink == SINK_HEAD_BARE || device->sink == SINK_BARE || device->sink == SINK_MCUBOOT;
}

/* Bytes of the image that do not go into the door: an MCUboot image comes without what is put before it. */
static inline uint32_t realtek_skipped(const struct tandem_realtek_device *device)
{
    return device->sink == SINK_MCUBOOT ? device->layout_header : 0;
}

/* What is stored from the next byte on waits for its check; 0: nothing does. */
static inline void realtek_hold(struct tandem_realtek_device *device, int on)
{
    if (realtek_stored(device))
        (void)tandem_bare_hold(device->bare, on ? device->at - realtek_skipped(device) : TANDEM_BARE_NO_HOLD);
}

/* The status with which a refusal goes to the host; the same of what the installer said last. */
uint8_t tandem_realtek_code(enum tandem_status status);
uint8_t tandem_realtek_installer_code(const struct tandem_realtek_device *device);
/* Begin the image in hand at the bare door. @param payload enum tandem_payload */
enum tandem_status tandem_realtek_open_bare(struct tandem_realtek_device *device, uint8_t payload);
/* The first bytes of the payload are here: what is it? */
void tandem_realtek_decide(struct tandem_realtek_device *device);
/* The image may not come in, or not go on. */
void tandem_realtek_refuse(struct tandem_realtek_device *device, uint8_t code);
/* A remainder shorter than a block was sent plain. */
void tandem_realtek_deliver_rest(struct tandem_realtek_device *device);
/* Count from `offset` on. */
void tandem_realtek_go_on_at(struct tandem_realtek_device *device, uint32_t offset);
/* Go back to `offset`. @return 0: not possible, or the image begins anew */
int tandem_realtek_go_back(struct tandem_realtek_device *device, uint32_t offset);
/* Nothing is in hand. */
void tandem_realtek_forget(struct tandem_realtek_device *device);
/* What came in over this transport is given up; a package's part stays for a later resume. */
void tandem_realtek_release(struct tandem_realtek_device *device);
/* Go on with REPORT, VALIDATE. @param idle what the installer's last step said @return the answer's status, or LATER */
uint8_t tandem_realtek_work_report(struct tandem_realtek_device *device, enum tandem_status idle);
uint8_t tandem_realtek_work_validate(struct tandem_realtek_device *device, enum tandem_status idle);
/* This is one of a pair, and the other bud is there. */
int tandem_realtek_bud_linked(const struct tandem_realtek_device *device);

/* ---- what the device says of itself ---- */

/* Bytes stored; at most TANDEM_REALTEK_ANSWER_MAX. */
size_t tandem_realtek_tell_info(const struct tandem_realtek_device *device, enum tandem_realtek_dialect dialect,
                                uint8_t *bytes);
size_t tandem_realtek_tell_versions(const struct tandem_realtek_device *device, uint8_t bank, unsigned padded,
                                    uint8_t *bytes);
size_t tandem_realtek_tell_sections(const struct tandem_realtek_device *device, unsigned padded, uint8_t *bytes);
/* @param body n u16, n times {id u16, SHA-256}. @return bytes stored; 0: the body is not so */
size_t tandem_realtek_tell_sha(const struct tandem_realtek_device *device, const uint8_t *body, size_t size,
                               uint8_t *bytes);
uint32_t tandem_realtek_section(const struct tandem_realtek_device *device, const struct tandem_realtek_map *map);

/* ---- the image's own checksum ---- */

/* @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_FORMAT, _TARGET (the header is not what START said); the flash's reason
 */
enum tandem_status tandem_realtek_verify_begin(struct tandem_realtek_device *device);
/* @return TANDEM_AGAIN; TANDEM_OK; TANDEM_ERROR_DIGEST; TANDEM_ERROR_VERSION (an OTA header that is not newer); the
 *         flash's reason */
enum tandem_status tandem_realtek_verify(struct tandem_realtek_device *device);
/* Place of the SHA-256 in an image. */
static inline uint32_t realtek_sha_at(const struct tandem_realtek_device *device)
{
    return device->new_order ? device->layout_control - 32u : 372u;
}

#endif
