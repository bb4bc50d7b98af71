/*
 * A bench for the link, the updater and groups: devices whose flash is
 * memory, with the real installer and bootloader inside; wires that delay,
 * lose, repeat, overtake and break; and a clock that the test holds.
 */
#ifndef TANDEM_TESTS_LINK_RIG_H
#define TANDEM_TESTS_LINK_RIG_H

#include "tandem/boot.h"
#include "tandem/group.h"
#include "tandem/link.h"
#include "tandem/link_host.h"

#define RIG_SECTOR 4096u
#define RIG_BANK (16u * RIG_SECTOR)
#define RIG_FLASH (2u * RIG_BANK + 4u * RIG_SECTOR)
#define RIG_CONNECTIONS 2
#define RIG_QUEUE 512
#define RIG_PACKET_MAX 600
#define RIG_BYTES 65536u

/* ---- releases ---- */

struct rig_release {
    uint8_t *bytes; /* the package */
    uint32_t size;  /* its bytes */
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
    uint8_t *image;              /* the firmware in it */
    uint32_t image_size;         /* its bytes */
    struct tandem_source source; /* reads it */
    struct tandem_offer offer;   /* offers it */
    uint8_t head[1024];          /* offer's buffer */
    uint32_t reads;              /* how often the source was read */
    uint32_t broken_at;          /* reading beyond fails; 0: never */
};

/* Firmware that confirms itself ("good") or does not; `twin` makes another package of the same version. */
struct rig_spec {
    uint16_t version;
    uint32_t counter;
    uint32_t image_size;
    int bad;
    int twin;
    const char *product; /* NULL: the right one */
    int stranger;        /* signed by a key that nobody trusts */
    uint16_t hardware;   /* for this revision only; 0: for all */
    uint16_t minimum;    /* oldest version that it may replace */
};
void rig_release_make(struct rig_release *release, const struct rig_spec *spec);
void rig_release_free(struct rig_release *release);

/* ---- wires ---- */

struct rig_packet {
    uint32_t due;
    uint8_t channel;
    uint16_t size;
    uint8_t data[RIG_PACKET_MAX];
};

/* One direction. */
struct rig_lane {
    struct rig_packet *packets;
    unsigned first, count;
    uint8_t *bytes; /* of a stream wire */
    uint32_t byte_first, byte_count;
    uint32_t carried; /* bytes handed to the wire */
    uint32_t packets_carried;
    uint32_t data_carried; /* of these, on the data channel */
};

struct rig_wire_spec {
    uint32_t latency;   /* ms */
    uint32_t loss_ppm;  /* data packets lost; on a stream: bytes damaged */
    uint32_t twin_ppm;  /* data packets that come twice */
    uint32_t flip_ppm;  /* data packets in which one bit is turned over */
    uint32_t swap_ppm;  /* data packets that are overtaken */
    uint32_t interval;  /* ms between connection events; 0: none, a packet takes just the latency */
    unsigned per_event; /* packets each way in an event */
    uint32_t cut_ms;    /* the connection breaks each time this has passed */
    uint16_t mtu;       /* largest packet */
    unsigned queue;     /* packets that wait at most; 0: RIG_QUEUE */
    uint32_t per_ms;    /* bytes that leave in a ms; 0: all */
    int stream;         /* 1: bytes, framed by tandem_stream */
    int silent_cut;     /* 1: nobody is told when it breaks */
};

struct rig_host;
struct rig_device;

struct rig_wire {
    struct rig_wire_spec spec;
    struct rig_lane up, down; /* device to host, host to device */
    struct tandem_packet_port host_port, device_port;
    struct tandem_stream_port host_bytes, device_bytes;
    struct tandem_stream host_stream, device_stream;
    uint8_t buffers[4][TANDEM_LINK_PACKET_MAX + TANDEM_STREAM_OVERHEAD];
    struct rig_host *host;
    struct rig_device *device;
    struct tandem_link_device *link; /* device's end */
    uint32_t random;
    uint32_t cut_at;
    uint32_t cuts;
    int up_now;
    int barred; /* no connection can be made */
    int deaf;   /* what the host sends vanishes */
};

/* ---- devices ---- */

struct rig_device {
    uint8_t flash[RIG_FLASH];
    struct tandem_flash_port port;
    struct tandem_flash_region region;
    struct tandem_slot slot;
    struct tandem_system_port system;
    struct tandem_device device;
    struct tandem_key key;
    struct tandem_boot boot;
    struct tandem_install install;
    struct tandem_link_service service;
    struct tandem_link_device links[RIG_CONNECTIONS];
    struct rig_wire *wires[RIG_CONNECTIONS];
    uint8_t buffer[16384];
    uint32_t buffer_size;
    uint32_t started_at;  /* ms */
    uint32_t down_until;  /* ms */
    uint32_t confirm_ms;  /* from start to confirmation */
    uint32_t steps;       /* polls in a ms */
    uint32_t erase_ms;    /* an erase takes so long; 0: none */
    uint32_t erase_until; /* an erase under way */
    uint32_t starts;
    uint32_t damage; /* program operations until one goes wrong; 0: never */
    uint8_t battery;
    int erasing;
    int reboot;
    int ota_entered;
    int up;
    int frozen; /* it does nothing */
};

/* ---- hosts ---- */

struct rig_host {
    struct tandem_link_connector connector;
    struct tandem_link_host link;
    struct rig_wire wire;
    struct tandem_update update;
    uint32_t connects;
};

extern uint32_t rig_now;

/* A device with a release in bank 0, running. */
void rig_device_make(struct rig_device *device, const struct rig_release *release, const char *serial);
void rig_device_reboot(struct rig_device *device);
uint16_t rig_device_runs(const struct rig_device *device);

/* A host wired to connection `which` of a device. */
void rig_host_make(struct rig_host *host, struct rig_device *device, unsigned which, const struct rig_wire_spec *spec);
void rig_host_free(struct rig_host *host);
void rig_cut(struct rig_wire *wire);

/* One ms for all of them; the hosts' targets and updates are polled by the caller. */
void rig_tick(struct rig_device *devices, unsigned device_count, struct rig_host *hosts, unsigned host_count);
/* Run one host's update to its end. @return its status */
enum tandem_status rig_run(struct rig_device *device, struct rig_host *host, const struct rig_release *release,
                           const struct tandem_update_options *options, uint32_t limit_ms);

uint32_t rig_random(uint32_t *state);

#endif
