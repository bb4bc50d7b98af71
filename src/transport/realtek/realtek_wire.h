/*
 * Realtek's DFU on the wire: numbers, the dialects as a table, and the
 * encoding of what both halves exchange. Nothing here keeps state but the
 * frame parser.
 */
#ifndef TANDEM_REALTEK_WIRE_H
#define TANDEM_REALTEK_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/image_realtek.h" /* control headers */
#include "tandem/realtek.h"
#include "tandem/status.h"

/* ---- control point ---- */

/* A request is op, body. An answer is REALTEK_ANSWER, op, status, body; some ops have no status. */
#define REALTEK_ANSWER 0x10u
#define REALTEK_OP_START 0x01u       /* control header, 4 bytes of padding */
#define REALTEK_OP_RECEIVE 0x02u     /* id u16, offset u32; no answer */
#define REALTEK_OP_VALIDATE 0x03u    /* id u16; AUDIO, 87X2G: is-last u8 */
#define REALTEK_OP_ACTIVATE 0x04u    /* nothing, or u8 1: come back in OTA mode; no answer */
#define REALTEK_OP_ABORT 0x05u       /* no answer */
#define REALTEK_OP_TARGET 0x06u      /* id u16 */
#define REALTEK_OP_PARAMETERS 0x07u  /* interval min, max, latency, timeout: u16 each */
#define REALTEK_OP_BUSY 0x08u        /* device to host only */
#define REALTEK_OP_CHECK 0x09u       /* buffer check: size u16, MTU u16 come back */
#define REALTEK_OP_REPORT 0x0Au      /* size u16, check u16; next offset u32 comes back */
#define REALTEK_OP_IC 0x0Bu          /* ic u8 comes back */
#define REALTEK_OP_COPY 0x0Cu        /* id u16; BEE2, 8752H: destination u32, size u32 */
#define REALTEK_OP_RCU_INFO 0x0Du    /* BEE2 spec 2: status, device information from byte 3 on */
#define REALTEK_OP_VERSION_IS 0x0Du  /* 8752H: id u16, version u32 */
#define REALTEK_OP_VERSIONS 0x0Du    /* AUDIO, 87X2G: bank u8; list comes back, no status */
#define REALTEK_OP_HANDSHAKE 0x0Eu   /* 8752H: 16 bytes both ways */
#define REALTEK_OP_SECTIONS 0x0Eu    /* AUDIO, 87X2G: list comes back, no status */
#define REALTEK_OP_SHA 0x0Fu         /* n u16, n times {id u16, SHA-256}; n times {id, result} come back, no status */
#define REALTEK_OP_RELEASE 0x10u     /* 6 bytes come back, no status */
#define REALTEK_OP_TEST 0x11u        /* u8; no answer */
#define REALTEK_OP_IMAGE_COUNT 0x12u /* id u16, index u8, total u8; no answer */

#define REALTEK_CONTROL_MAX 512u /* bytes of the longest request: ATT's own limit for a value */
#define REALTEK_START_BODY 16u   /* bytes of START's body */

/* Status of an answer. */
#define REALTEK_SUCCESS 0x01u
#define REALTEK_INVALID 0x02u
#define REALTEK_FAILED 0x03u
#define REALTEK_TOO_LARGE 0x04u
#define REALTEK_INTEGRITY 0x05u
#define REALTEK_LENGTH 0x06u
#define REALTEK_PROGRAM 0x07u
#define REALTEK_ERASE 0x08u
#define REALTEK_VERSION 0x09u
#define REALTEK_UNKNOWN_OP 0xFFu

/* Padding byte 0 of START: where the image goes. */
#define REALTEK_START_NORMAL 0u
#define REALTEK_START_TEMP 1u
#define REALTEK_START_COMPRESSED 4u

/* Result of SHA. */
#define REALTEK_SHA_SEND 0u     /* send it */
#define REALTEK_SHA_INACTIVE 1u /* the inactive bank has it: skip */
#define REALTEK_SHA_ACTIVE 2u   /* the active bank has it: COPY */
#define REALTEK_SHA_BOTH 3u     /* skip */

/* The bits of TEST. */
#define REALTEK_TEST_AES 0x01u
#define REALTEK_TEST_NO_CHECK 0x10u

/* ---- dialects ---- */

#define REALTEK_PROTOCOL_ABSENT 0xFFFFu /* there is no FFF3 */

/* How a dialect differs from the others. */
#define REALTEK_ATT_ERRORS 0x01u    /* bad length, unknown op: an ATT error, else a notification */
#define REALTEK_LISTS 0x02u         /* versions with ids and banks; section sizes; else u32 after u32 */
#define REALTEK_IS_LAST 0x04u       /* VALIDATE says whether it is the last image */
#define REALTEK_CHECK_OFFSET 0x08u  /* the first chunk is shortened; CHECK's status is 1 on, 0 off */
#define REALTEK_STORES_HEADER 0x10u /* the device writes the control header itself; data begin behind it */
#define REALTEK_RESUMES 0x20u       /* TARGET's offset means something */

struct realtek_dialect {
    uint16_t protocol;     /* FFF3 */
    uint16_t image_header; /* bytes before an image's payload */
    uint8_t spec;          /* of the device information, as devices of today give it */
    uint8_t info_size;     /* bytes of it */
    uint8_t op_max;        /* last op of the control point */
    uint8_t data_from;     /* offset of the first byte sent */
    uint8_t target_size;   /* bytes of TARGET's answer */
    uint8_t flags;         /* REALTEK_… above */
};

/* The row of a dialect; never NULL. */
const struct realtek_dialect *tandem_realtek_dialect_row(enum tandem_realtek_dialect dialect);

/* How images of a chip are laid out. */
struct realtek_layout {
    uint16_t control;  /* offset of the control header in an image */
    uint16_t header;   /* bytes before the payload */
    uint8_t new_order; /* the control header begins with the CRC: 1 is TANDEM_REALTEK_NEW, 0 TANDEM_REALTEK_OLD */
    uint8_t sure;      /* 0: guessed from the chip's neighbours */
};

struct realtek_layout tandem_realtek_layout_of(uint8_t ic);

/* ---- device information ---- */

#define REALTEK_INFO_MAX 20u

/* Mode, the same for all dialects. */
#define REALTEK_MODE_CHECK 0x01u      /* buffer check */
#define REALTEK_MODE_AES 0x02u        /* what is sent is encrypted */
#define REALTEK_MODE_AES_ALL 0x04u    /* all 16-byte blocks, else the first of each packet */
#define REALTEK_MODE_COPY 0x08u       /* COPY works */
#define REALTEK_MODE_MULTI 0x10u      /* several images before one activation */
#define REALTEK_MODE_HANDSHAKE 0x20u  /* HANDSHAKE comes first */
#define REALTEK_MODE_COMPRESSED 0x40u /* takes compressed images */
#define REALTEK_MODE_OTA 0x80u        /* has an OTA mode */

/* Active bank. */
#define REALTEK_BANK_0 1u
#define REALTEK_BANK_1 2u
#define REALTEK_BANK_SINGLE 3u

/* Bud status: link state, role. */
#define REALTEK_BUD_LINK 0x03u
#define REALTEK_BUD_ALONE 0x00u    /* a product of one piece */
#define REALTEK_BUD_UNLINKED 0x01u /* the other bud is away */
#define REALTEK_BUD_LINKED 0x02u   /* the pair is there */
#define REALTEK_BUD_ROLE 0x0Cu
#define REALTEK_BUD_PRIMARY 0x04u
#define REALTEK_BUD_SECONDARY 0x08u

/* Image indicator, two bits an image. */
#define REALTEK_INDICATOR_ABSENT 0u
#define REALTEK_INDICATOR_BANK_0 1u /* runs there */
#define REALTEK_INDICATOR_BANK_1 2u
#define REALTEK_INDICATOR_SINGLE 3u

struct realtek_info {
    uint8_t ic;
    uint8_t spec;
    uint8_t secure_version;
    uint8_t mode;               /* REALTEK_MODE_… */
    uint16_t buffer_size;       /* BEE2, 8752H: of the buffer check; 0: not told */
    uint16_t temp_size;         /* 4 KiB; 0: none, or no limit */
    uint32_t indicator;         /* BEE2, 8752H, old forms of AUDIO */
    uint16_t control_offset;    /* 8752H, 87X2G: of the control header in an image */
    uint16_t compressed_offset; /* 8752H: in a compressed one */
    uint16_t mtu;               /* AUDIO: ATT MTU; STREAM: frame payload limit; 0: not told */
    uint16_t single_image;      /* BEE2 spec 2: id of an image without temp area; BEE1: 0 */
    uint8_t active_bank;        /* REALTEK_BANK_…; 0: not told */
    uint8_t bud;                /* REALTEK_BUD_… */
    uint8_t voice;              /* voice-prompt update: 0 none, 1 in sequence, 2 by id */
    uint8_t boot_patch;         /* AUDIO: its number; 87X2G: its active bank */
    uint8_t channel;            /* AUDIO: 0 LE, 1 BR/EDR */
    uint8_t secure_app;         /* 87X2G: bank of the secure app */
    uint8_t merged;             /* 87X2G: both banks in one pack */
    uint8_t pair_pending;       /* old forms of AUDIO and STREAM: the second bud is due */
};

/* The information that a dialect gives, in the form of today. @return bytes stored, at most REALTEK_INFO_MAX */
size_t tandem_realtek_info_store(enum tandem_realtek_dialect dialect, const struct realtek_info *info, uint8_t *bytes);
/*
 * Say who a device is, and what it says of itself, from its protocol type
 * and information; all known forms. Reads only what `size` covers.
 * @return TANDEM_OK; TANDEM_ERROR_UNSUPPORTED a protocol type not known here; TANDEM_ERROR_FORMAT
 */
enum tandem_status tandem_realtek_classify(uint16_t protocol, const uint8_t *bytes, size_t size,
                                           enum tandem_realtek_dialect *dialect, struct realtek_info *info);

static inline unsigned realtek_indicator(uint32_t indicator, unsigned index)
{
    return index < 16 ? (unsigned)(indicator >> (2 * index)) & 3u : REALTEK_INDICATOR_ABSENT;
}

/* ---- lists of versions and sections ---- */

#define REALTEK_ENTRY 6u /* bytes: id u16, value u32 */

struct realtek_entry {
    uint16_t image;
    uint32_t value; /* version, or size of the section */
};

/*
 * A list {bank u8 if versions} {n u8} {n entries}, padded with zeros up to
 * `padded` entries (0: not padded). @return bytes stored
 */
size_t tandem_realtek_list_store(uint8_t *bytes, int bank, const struct realtek_entry *entries, unsigned count,
                                 unsigned padded);
/*
 * Read entry `index` of a list as above. @param bank 1: the list begins with a bank
 * @return 1, or 0 if there is none such
 */
int tandem_realtek_list_entry(const uint8_t *bytes, size_t size, int bank, unsigned index, struct realtek_entry *entry);

/* How a version's bits lie, low bits first. */
enum realtek_version_bits {
    REALTEK_VERSION_IMAGE = 0,  /* major 4, minor 8, revision 15, build 5 */
    REALTEK_VERSION_HEADER = 1, /* build 8, revision 8, minor 8, major 8: OTA headers */
    REALTEK_VERSION_AUDIO = 2,  /* major 4, minor 8, revision 9, build 11 */
    REALTEK_VERSION_DATA = 3,   /* major 8, minor 8, revision 8, build 8 */
    REALTEK_VERSION_OPAQUE = 4  /* DSP: equal or not, no order */
};

/* The version as a number that grows with it. */
uint32_t tandem_realtek_version_key(uint32_t version, enum realtek_version_bits bits);
/* How the versions of an image are laid out. */
enum realtek_version_bits tandem_realtek_version_bits(enum tandem_realtek_dialect dialect, uint16_t image);

/* ---- buffer check ---- */

/*
 * Go on with the check value of a chunk: 0 begins one. As a number it goes
 * over the wire like any other u16: first the exclusive or of the bytes at
 * odd places, then that of those at even ones.
 * @param at offset of `data` in the chunk
 */
uint16_t tandem_realtek_check(uint16_t check, uint32_t at, const void *data, size_t size);

/* ---- stream ---- */

#define REALTEK_SYNC 0xAAu
#define REALTEK_FRAME_HEADER 6u        /* sync, sequence, length u16, id u16 */
#define REALTEK_FRAME_PAYLOAD_MAX 640u /* bytes that a frame may carry at most; devices of today say 512 */
#define REALTEK_FRAME_MAX (REALTEK_FRAME_HEADER + REALTEK_FRAME_PAYLOAD_MAX + 1u)

/* Commands (host to device) and, up to DATA, their events. */
#define REALTEK_ACK 0x0000u /* id u16, status u8; both ways */
#define REALTEK_CMD_INFO 0x0600u
#define REALTEK_CMD_VERSIONS 0x0601u /* bank u8; spec up to 5: nothing */
#define REALTEK_CMD_START 0x0602u    /* as REALTEK_OP_START */
#define REALTEK_CMD_DATA 0x0603u     /* acknowledged, no event */
#define REALTEK_CMD_VALIDATE 0x0604u /* id u16, is-last u8 */
#define REALTEK_CMD_ABORT 0x0605u    /* no event */
#define REALTEK_CMD_ACTIVATE 0x0606u /* nothing, or u8 */
#define REALTEK_CMD_CHECK 0x0607u
#define REALTEK_CMD_REPORT 0x0608u /* size u16, check u16 */
#define REALTEK_CMD_TARGET 0x0609u /* id u16 */
#define REALTEK_CMD_SECTIONS 0x060Au
#define REALTEK_CMD_EXTRA 0x060Bu
#define REALTEK_CMD_PROTOCOL 0x060Cu /* anything */
#define REALTEK_CMD_RELEASE 0x060Du
#define REALTEK_CMD_INACTIVE 0x060Eu
#define REALTEK_CMD_COPY 0x060Fu /* id u16 */
#define REALTEK_CMD_SHA 0x0610u  /* as REALTEK_OP_SHA */
#define REALTEK_CMD_SWAP 0x0611u /* u8: 0 this bud is done, 1 only swap */
#define REALTEK_CMD_TEST 0x0612u /* u8; no event */
#define REALTEK_CMD_LAST 0x0612u

/* Events (device to host). */
#define REALTEK_EVENT_INFO 0x0600u
#define REALTEK_EVENT_VERSIONS 0x0601u
#define REALTEK_EVENT_START 0x0602u    /* status */
#define REALTEK_EVENT_VALIDATE 0x0604u /* status */
#define REALTEK_EVENT_CHECK 0x0605u    /* u8 on, size u16, 0 u16 */
#define REALTEK_EVENT_REPORT 0x0606u   /* status, next offset u32 */
#define REALTEK_EVENT_TARGET 0x0607u   /* status, 0 u32, offset u32, buffer-check offset u16 */
#define REALTEK_EVENT_SECTIONS 0x0608u
#define REALTEK_EVENT_EXTRA 0x0609u    /* 6 bytes, bit 0: the second bud is due */
#define REALTEK_EVENT_PROTOCOL 0x060Au /* protocol u16, spec u8 */
#define REALTEK_EVENT_ACTIVATE 0x060Bu /* status; what follows waits for its acknowledgement */
#define REALTEK_EVENT_RELEASE 0x060Cu  /* 12 bytes */
#define REALTEK_EVENT_INACTIVE 0x060Du
#define REALTEK_EVENT_COPY 0x060Eu /* status */
#define REALTEK_EVENT_SHA 0x060Fu
#define REALTEK_EVENT_SWAP 0x0610u /* status; what follows waits for its acknowledgement */

/* Status of an acknowledgement. */
#define REALTEK_ACK_COMPLETE 0x00u
#define REALTEK_ACK_DISALLOWED 0x01u
#define REALTEK_ACK_UNKNOWN 0x02u
#define REALTEK_ACK_PARAMETER 0x03u
#define REALTEK_ACK_BUSY 0x04u
#define REALTEK_ACK_FAILED 0x05u
#define REALTEK_ACK_ONE_WIRE 0x06u
#define REALTEK_ACK_VERSION 0x07u
#define REALTEK_ACK_SCENARIO 0x0Au

#define REALTEK_RESEND_MS 2000u /* an event not acknowledged goes out once more */
#define REALTEK_SENDINGS 2u     /* times that it goes out at most */

/* A frame that arrived. `payload` lies in the parser's buffer until the next call. */
struct realtek_frame {
    uint8_t sequence;
    uint16_t id;
    uint16_t size; /* of `payload` */
    const uint8_t *payload;
};

/* Frames out of a byte stream. */
struct realtek_frames {
    uint8_t *buffer;
    uint16_t capacity; /* bytes of `buffer`: longer frames are garbage */
    uint16_t fill;
    uint16_t done;    /* bytes at the front that the last frame had */
    uint8_t checksum; /* 1: frames end with one (UART) */
};

/* @param buffer,capacity REALTEK_FRAME_HEADER + the largest payload + 1 */
void tandem_realtek_frames_init(struct realtek_frames *frames, uint8_t *buffer, uint16_t capacity, int checksum);
/*
 * Take bytes up to the end of a frame: call until it returns 0. What is no
 * frame is skipped, and what was taken for one is looked through again.
 * @param data,size moved on past what was taken
 * @return 1: `*frame` is one; 0: all bytes are taken
 */
int tandem_realtek_frames_next(struct realtek_frames *frames, const uint8_t **data, size_t *size,
                               struct realtek_frame *frame);
/* 1: a frame has begun and not ended. If that goes on for long, its beginning was none. */
int tandem_realtek_frames_waiting(const struct realtek_frames *frames);
/* Take the beginning of the frame under way for garbage; then call next() for what may be behind it. */
void tandem_realtek_frames_give_up(struct realtek_frames *frames);

/*
 * Make a frame. @param bytes room for REALTEK_FRAME_HEADER + size + 1; the payload may be there already
 * @return bytes of the frame
 */
size_t tandem_realtek_frame_store(uint8_t *bytes, uint8_t sequence, uint16_t id, const void *payload, size_t size,
                                  int checksum);
/* The sequence number after this one. */
static inline uint8_t realtek_sequence_next(uint8_t sequence)
{
    return sequence == 255 ? 1 : (uint8_t)(sequence + 1);
}

#endif
