/*
 * Who acts in the simulated world: devices whose firmware serves the link,
 * and hosts that update them. Both run on simulated processors; a device's
 * power can fail in any flash operation, and it starts again as it would.
 */
#ifndef TANDEM_SIM_ACTORS_H
#define TANDEM_SIM_ACTORS_H

#include "board.h"
#include "tandem/group.h"
#include "tandem/link.h"
#include "tandem/link_host.h"
#include "world.h"

#define SIM_UNIT_LINKS 2
#define SIM_STREAM_BUFFER (TANDEM_LINK_PACKET_MAX + TANDEM_STREAM_OVERHEAD)

/* How a device behaves. */
struct sim_unit_spec {
    uint32_t boot_us;    /* from reset to the running firmware, flash reads aside */
    uint32_t confirm_us; /* from its start to its confirming itself */
    uint32_t off_us;     /* how long the power stays off after a cut */
    uint32_t step_us;    /* processor time of one turn of its loop */
    int asynchronous;    /* flash */
    int erase_idle;      /* 1: erases the free bank when it has nothing to do */
};

enum sim_unit_state {
    SIM_UNIT_OFF,     /* no power, or in reset */
    SIM_UNIT_BOOTING, /* the bootloader decides */
    SIM_UNIT_RUNS,    /* the firmware runs and serves the link */
    SIM_UNIT_DEAF,    /* the firmware runs, but its installer does not open: it tries again */
    SIM_UNIT_BRICK    /* the bootloader gave up */
};

struct sim_unit_port {
    struct sim_link *link;            /* to one host */
    struct tandem_link_device device; /* the protocol */
    struct tandem_stream stream;      /* over a wire */
    uint8_t in[SIM_STREAM_BUFFER];    /* the stream's */
    uint8_t out[SIM_STREAM_BUFFER];   /* the stream's */
};

struct sim_unit {
    struct sim_world *world;
    struct sim_unit_spec spec;
    struct sim_board board;
    struct sim_cpu cpu;
    struct sim_unit_port ports[SIM_UNIT_LINKS];
    unsigned port_count;
    struct tandem_link_service service;
    enum sim_unit_state state;
    jmp_buf out;         /* where the processor goes when power fails */
    uint64_t started_us; /* its firmware, last */
    uint64_t restart_us; /* when it last asked for a restart; 0: never */
    uint64_t pending_us; /* when an update was first found pending; 0: never */
    unsigned starts;     /* times that it booted */
    unsigned cuts;       /* times that power failed */
    int idle_erased;     /* the free bank is erased */
};

void sim_unit_init(struct sim_unit *unit, struct sim_world *world, const struct sim_layout *layout,
                   const struct sim_unit_spec *spec);
void sim_unit_free(struct sim_unit *unit);
/* Put a release into bank 0, as the factory does. */
void sim_unit_factory(struct sim_unit *unit, const struct sim_release *release);
/* Connect one of its ports to a link. */
void sim_unit_attach(struct sim_unit *unit, struct sim_link *link);
void sim_unit_power_on(struct sim_unit *unit);
/* Take the power away now, between operations; it comes back after the spec's time. */
void sim_unit_power_cut(struct sim_unit *unit);

/* One device as a host sees it. */
struct sim_peer {
    struct sim_link *link;
    struct tandem_link_host host;
    struct tandem_link_connector connector;
    struct tandem_stream stream;
    uint8_t in[SIM_STREAM_BUFFER];
    uint8_t out[SIM_STREAM_BUFFER];
};

struct sim_host {
    struct sim_world *world;
    struct sim_cpu cpu;
    struct sim_peer *peers;
    struct tandem_update *updates; /* one a peer */
    unsigned count;                /* peers */
    struct tandem_group group;
    int grouped; /* 1: the group is polled */
    struct tandem_source source;
    struct tandem_offer offer;
    const struct sim_release *release;
    uint8_t head[2048];        /* the offer's */
    enum tandem_status status; /* TANDEM_AGAIN: under way */
    uint64_t ended_us;         /* when it was no longer so */
    int *stop;                 /* world's: set when all is over; NULL: nobody waits */
    uint32_t tick_us;          /* it looks around so often */
};

/* A host for `count` devices, over links already made (radio or wire). */
void sim_host_init(struct sim_host *host, struct sim_world *world, const struct sim_release *release, unsigned count);
void sim_host_attach(struct sim_host *host, unsigned index, struct sim_link *link,
                     const struct tandem_update_options *options);
/* Begin. `group`: as one; NULL: each for itself */
void sim_host_run(struct sim_host *host, const struct tandem_group_options *group, int grouped);
/* The process dies: nothing is said to anybody. */
void sim_host_kill(struct sim_host *host);
void sim_host_free(struct sim_host *host);

#endif
