/*
 * The link's numbers: what both halves put on the wire. docs/link.md is the
 * specification; this is its index.
 */
#ifndef TANDEM_LINK_WIRE_H
#define TANDEM_LINK_WIRE_H

/* Control packets: one byte, then a piece of a message. */
#define LINK_SEGMENT_FIRST 0x80u
#define LINK_SEGMENT_LAST 0x40u
#define LINK_SEGMENT_SEQUENCE 0x3Fu

/* Messages: operation, tag, member, then the operation's own. */
#define LINK_HEADER 3u
#define LINK_QUERY 0x01u
#define LINK_BEGIN 0x02u
#define LINK_ACTIVATE 0x03u
#define LINK_ABORT 0x04u
#define LINK_SEEN 0x05u
#define LINK_STATUS 0x06u
#define LINK_ENTER 0x07u
#define LINK_ANSWER 0x80u       /* or-ed into the request's operation */
#define LINK_EVENT_ACK 0xC1u    /* {flags, wants u32, window u16, gap u16} */
#define LINK_EVENT_STATUS 0xC2u /* as the answer to STATUS */

#define LINK_QUERY_SIZE 3u    /* protocol version, largest packet taken u16 */
#define LINK_BEGIN_SIZE 21u   /* flags, package size u32, package id */
#define LINK_ACTIVATE_SIZE 2u /* delay u16, ms */

#define LINK_BEGIN_ACTIVATE 0x01u   /* activate once validated */
#define LINK_BEGIN_FORCE 0x02u      /* take over from another host */
#define LINK_BEGIN_GENERATION 0x04u /* generation of the first data */

/* Flags that a device sends. */
#define LINK_FLAG_GENERATION 0x01u /* of the data wanted */
#define LINK_FLAG_GAP 0x02u        /* data beyond a gap arrived */
#define LINK_FLAG_YOURS 0x04u      /* this connection feeds the update */
#define LINK_FLAG_HELD 0x08u       /* another, living connection does */

/* Answer or event STATUS, from the operation on. */
#define LINK_STATUS_SIZE 19u
#define LINK_STATUS_RESULT 3u
#define LINK_STATUS_STATE 4u
#define LINK_STATUS_STATUS 5u
#define LINK_STATUS_STAGE 6u
#define LINK_STATUS_IMAGE 7u
#define LINK_STATUS_DETAIL 8u
#define LINK_STATUS_FLAGS 12u
#define LINK_STATUS_WANTS 13u
#define LINK_STATUS_WINDOW 17u

/* Event ACK, from the operation on. */
#define LINK_ACK_SIZE 12u
#define LINK_ACK_FLAGS 3u
#define LINK_ACK_WANTS 4u
#define LINK_ACK_WINDOW 8u
#define LINK_ACK_GAP 10u

/* Answer to QUERY, from the operation on; begins like STATUS. Three counted
   strings follow the fixed part: vendor, product, serial number; then what
   is known of the last start. */
#define LINK_INFO_PROTOCOL 19u
#define LINK_INFO_CAPABILITIES 20u
#define LINK_INFO_SEEN 21u
#define LINK_INFO_OUTCOME_ID 22u
#define LINK_INFO_OUTCOME_VERSION 38u
#define LINK_INFO_RESUME_ID 50u
#define LINK_INFO_PACKET_MAX 66u
#define LINK_INFO_HARDWARE 68u
#define LINK_INFO_ROLE 70u
#define LINK_INFO_BANK 71u
#define LINK_INFO_REASON 72u
#define LINK_INFO_BATTERY 73u
#define LINK_INFO_BATTERY_MINIMUM 74u
#define LINK_INFO_POLICY 75u
#define LINK_INFO_VERSION 76u
#define LINK_INFO_COUNTER 88u
#define LINK_INFO_FIXED 92u
#define LINK_INFO_BOOT 2u /* status of the bank not taken, cause of recovery */
#define LINK_INFO_MAX (LINK_INFO_FIXED + 3u + 3u * 31u + LINK_INFO_BOOT)

#define LINK_CAN_RESTART 0x01u /* ACTIVATE restarts the device */
#define LINK_CAN_ENTER 0x02u   /* ENTER works */
#define LINK_BATTERY_UNKNOWN 0xFFu

/* Data packets: u16, then package bytes. */
#define LINK_DATA_HEADER 2u
#define LINK_DATA_GENERATION 0x8000u
#define LINK_DATA_POSITION 0x7FFFu

#endif
