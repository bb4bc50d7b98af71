/*
 * The way to Realtek devices: a socket or a serial line in place of SPP, to
 * one device, or to whichever bud of a pair holds the phone's link; or a
 * simulated radio.
 */
#ifndef TANDEM_HOST_REALTEK_H
#define TANDEM_HOST_REALTEK_H

#include "air.h"
#include "tandem/realtek_host.h"
#include "tandem_posix.h"
#include "tool.h"

#define HOST_REALTEK_BUDS 2

/* Must not move once it is open. */
struct host_realtek {
    const char *addresses[HOST_REALTEK_BUDS];
    size_t count;      /* 1; 2: a pair */
    const char *radio; /* the air, a folder; addresses are then those of devices; NULL: a stream */
    int serial;
    uint32_t baud;
    uint8_t any_version;
    struct tool_file file;
    struct tool_file wrapped; /* a Tandem package, as images for a device behind this protocol */
    struct tandem_source source;
    struct tandem_realtek_file files[HOST_REALTEK_BUDS]; /* primary's, secondary's */
    struct tandem_realtek_host host;
    struct tandem_realtek_rws rws;
    struct tandem_realtek_connector connector;
    struct tandem_posix_stream wire;
    struct tandem_gatt_host_port gatt;
    struct tandem_gatt_peer peer;
    struct air phone;
    uint8_t address[6];   /* of the device */
    uint8_t sought[3][6]; /* whom to connect to: as an application, in OTA mode, as a bud */
    int seeking;          /* 1: looking; 2: connecting */
    size_t tried;         /* address in hand */
    int connecting;       /* 1: being made; 2: waiting whether it is hung up at once */
    uint64_t connected_us;
    char note[TANDEM_POSIX_REASON_SIZE]; /* why it could not be reached last; "" */
};

/* Read what is to be sent: a pack, an image, a combined file, a Tandem package. Says what is wrong, returns the exit
 * code. */
int host_realtek_read(struct host_realtek *realtek, const char *path);
/* Prepare the way; addresses and file are there. */
void host_realtek_init(struct host_realtek *realtek);
/* The device, or a bud. */
const struct tandem_target *host_realtek_target(const struct host_realtek *realtek, size_t index);
void host_realtek_receive(struct host_realtek *realtek);
void host_realtek_rest(struct host_realtek *realtek, int ms);
void host_realtek_close(struct host_realtek *realtek);
/* Why a device did not take it, where Realtek's own numbers matter. Returns 1, or 0: as for others. */
int host_realtek_explain(const struct host_realtek *realtek, char *text, size_t size,
                         const struct tandem_update_result *result, const struct tandem_info *info);

#endif
