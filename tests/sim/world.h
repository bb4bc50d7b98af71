/*
 * The simulated world: a clock and its queue of events, processors that flash
 * can stall, radio links with connection events, wires with noise. Everything
 * follows from one seed, so what happened once happens again.
 */
#ifndef TANDEM_SIM_WORLD_H
#define TANDEM_SIM_WORLD_H

#include "flash.h"
#include "tandem/port.h"

#define SIM_NEVER UINT64_MAX

/* ---- clock ---- */

struct sim_event {
    uint64_t at;                             /* when */
    uint64_t order;                          /* first come, first served */
    void (*action)(void *ctx, uint64_t tag); /* what */
    void *ctx;                               /* handed to it */
    uint64_t tag;                            /* handed to it */
};

struct sim_world {
    uint64_t now_us;          /* the time */
    struct sim_event *events; /* a heap */
    size_t count;             /* entries used */
    size_t capacity;          /* entries there */
    uint64_t order;           /* events ever queued */
    uint64_t seed;            /* everything follows from it */
    uint64_t parts;           /* parts that drew a generator of their own */
    int stop;                 /* set to 1 to leave sim_world_run() */
};

void sim_world_init(struct sim_world *world, uint64_t seed);
void sim_world_free(struct sim_world *world);
void sim_world_at(struct sim_world *world, uint64_t at, void (*action)(void *ctx, uint64_t tag), void *ctx,
                  uint64_t tag);
/* Run until `until`, until nothing is left to happen, or until `stop` is set. @return 1 if stopped */
int sim_world_run(struct sim_world *world, uint64_t until);
/* A generator for one more part of the world. */
struct sim_rng sim_world_rng(struct sim_world *world);

/* ---- processors ---- */

#define SIM_CPU_FLASHES 2

/* Who runs a program: a main loop that sleeps until it is woken, and stands still while flash stalls it. */
struct sim_cpu {
    struct sim_world *world;                    /* where */
    uint64_t (*step)(void *ctx);                /* one turn of the loop. @return µs to sleep, or SIM_NEVER */
    void *ctx;                                  /* handed to it */
    struct sim_flash *flashes[SIM_CPU_FLASHES]; /* whose stalls it suffers */
    uint32_t step_us;                           /* processor time of one turn, at least 1 */
    uint64_t busy_until;                        /* it cannot do anything before */
    uint64_t due;                               /* its next turn; SIM_NEVER: none */
    uint64_t generation;                        /* turns queued for an earlier one are void */
    uint64_t turns;                             /* taken */
    int running;                                /* 0: switched off, or inside none */
};

void sim_cpu_init(struct sim_cpu *cpu, struct sim_world *world, uint64_t (*step)(void *ctx), void *ctx,
                  uint32_t step_us);
/* Take a turn as soon as it can. */
void sim_cpu_wake(struct sim_cpu *cpu);
/* Switch off: nothing of what was due happens. sim_cpu_wake() switches on again. */
void sim_cpu_stop(struct sim_cpu *cpu);
/* The time as the program inside sees it, stalls of this turn included. */
uint64_t sim_cpu_now(const struct sim_cpu *cpu);

/* ---- links ---- */

#define SIM_PACKET_MAX 512
#define SIM_QUEUE_MAX 64
#define SIM_WIRE_MAX 8192

struct sim_packet {
    uint64_t ready_us;            /* not on air before */
    uint16_t size;                /* bytes */
    uint16_t sent;                /* bytes of the L2CAP frame that are acknowledged */
    uint8_t channel;              /* enum tandem_channel, or SIM_CHANNEL_RESPONSE */
    uint8_t data[SIM_PACKET_MAX]; /* bytes */
};

struct sim_queue {
    struct sim_packet *packets; /* ring */
    unsigned size;              /* entries there */
    unsigned first;             /* oldest */
    unsigned count;             /* used */
};

/* A radio link. Times and queues of a Bluetooth LE connection. */
struct sim_radio_spec {
    uint32_t interval_us;     /* connection interval */
    uint32_t guard_us;        /* end of an event left free */
    uint32_t supervision_us;  /* lost contact for so long ends the connection; 0: never */
    uint32_t reconnect_us;    /* from both ends' being there to a connection */
    uint32_t disconnect_us;   /* the connection is dropped each time this has passed; 0: never */
    uint32_t event_loss_ppm;  /* connection events in which nothing gets through */
    uint32_t packet_loss_ppm; /* data packets that the stack above the link layer drops */
    uint32_t swap_ppm;        /* data packets that come after the next one */
    uint32_t flip_ppm;        /* data packets with one bit turned over */
    uint16_t mtu;             /* ATT MTU */
    uint16_t pdu;             /* link-layer payload: 27 or 251 */
    uint8_t phy;              /* 1 or 2 Mbit/s */
    uint8_t encrypted;        /* 1: four bytes more on air */
    uint8_t host_queue;       /* packets that the host's stack takes */
    uint8_t device_queue;     /* packets that the device's stack takes */
    uint8_t device_receive;   /* packets that the device's controller keeps for a stalled processor */
    uint8_t max_exchanges;    /* in an event; 0: what fits */
};

/* A wire. */
struct sim_wire_spec {
    uint32_t baud;         /* bits per second, ten to a byte */
    uint32_t noise_ppm;    /* bytes with one bit turned over */
    uint32_t loss_ppm;     /* bytes lost */
    uint32_t receive_size; /* bytes kept for a stalled processor; 0: SIM_WIRE_MAX */
    uint32_t unplug_us;    /* as disconnect_us */
    uint32_t replug_us;    /* as reconnect_us */
};

struct sim_link_stats {
    uint64_t packets;      /* delivered to this end */
    uint64_t bytes;        /* delivered to this end */
    uint64_t data_bytes;   /* delivered to this end on the data channel */
    uint64_t dropped;      /* packets or bytes lost on the way to this end */
    uint64_t data_sent;    /* bytes taken from this end on the data channel */
    uint64_t data_packets; /* packets of them */
};

struct sim_link;

/* One end of a link. */
struct sim_end {
    struct tandem_packet_port packet; /* give this, or */
    struct tandem_stream_port stream; /* this, to Tandem */
    struct sim_link *link;            /* whose end */
    struct sim_cpu *cpu;              /* who is woken */
    int host;                         /* 1: the central */
    struct sim_queue out;             /* waiting to be sent */
    struct sim_queue in;              /* received, not yet taken by the processor */
    uint8_t *wire_out;                /* the same for a wire */
    uint8_t *wire_in;                 /* the same for a wire */
    uint32_t wire_out_count;          /* bytes */
    uint32_t wire_in_count;           /* bytes */
    uint32_t on_air;                  /* bytes of the link-layer packet in the present exchange */
    int awaiting;                     /* a write request without its response */
    int turned_away;                  /* a send found no room since the last wake */
    int up_seen;                      /* connection state last taken by the processor */
    struct sim_link_stats stats;      /* counts */
};

struct sim_link {
    struct sim_world *world;
    struct sim_radio_spec radio;
    struct sim_wire_spec wire;
    int is_radio;
    struct sim_end host;
    struct sim_end device;
    struct sim_rng rng;
    int up;              /* connected */
    unsigned enabled;    /* SIM_LINK_HOST and SIM_LINK_DEVICE: who is there and willing; both make a connection */
    uint64_t generation; /* of the connection: events for an earlier one are void */
    uint64_t anchor_us;  /* start of the present connection event */
    uint64_t contact_us; /* last time that something got through */
    unsigned exchanges;  /* in the present event */
    uint64_t bytes;      /* carried both ways so far */
    uint64_t flip_at;    /* this byte of them, from 1, arrives with bit `flip_bit` turned over; 0: none */
    unsigned flip_bit;
    struct sim_packet held; /* a packet that the next one overtakes */
    int holding;
    uint64_t connections; /* made so far */
    uint64_t events;      /* connection events so far */
};

void sim_radio_init(struct sim_link *link, struct sim_world *world, const struct sim_radio_spec *spec,
                    struct sim_cpu *host, struct sim_cpu *device);
void sim_wire_init(struct sim_link *link, struct sim_world *world, const struct sim_wire_spec *spec,
                   struct sim_cpu *host, struct sim_cpu *device);
void sim_link_free(struct sim_link *link);
#define SIM_LINK_HOST 1u
#define SIM_LINK_DEVICE 2u
/* Ends (SIM_LINK_… bits) come or go: a connection is made as soon as both are there. */
void sim_link_enable(struct sim_link *link, unsigned ends, int enabled);
/* Break the connection now; it comes back after the spec's time. */
void sim_link_drop(struct sim_link *link);
/* For an end's program: the connection came (1), went (-1), or neither (0), since it last asked. */
int sim_end_change(struct sim_end *end);
/* For an end's program: take the next received packet. @return 1 if there was one */
int sim_end_packet(struct sim_end *end, struct sim_packet *packet);
/* For an end's program: take received bytes. @return how many */
size_t sim_end_bytes(struct sim_end *end, uint8_t *bytes, size_t size);

/* Time on air of one link-layer packet with `size` payload bytes, in µs. */
uint32_t sim_radio_air_us(const struct sim_radio_spec *spec, uint32_t size);
/* Attribute payload at best, in bytes per second, with full packets one way and nothing the other. */
double sim_radio_best(const struct sim_radio_spec *spec);

#endif
