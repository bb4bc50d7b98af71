/*
 * Simulated devices: flash laid out in banks, a bootloader's start, the
 * running firmware's side of an update, and releases to update them with.
 * What the firmware does is read from the bytes in its slot, so that a board
 * runs what was really installed.
 */
#ifndef TANDEM_SIM_BOARD_H
#define TANDEM_SIM_BOARD_H

#include "flash.h"
#include "tandem/boot.h"
#include "tandem/install.h"
#include "tandem/loader.h"

#define SIM_SLOTS 3
#define SIM_CHIPS 2
#define SIM_SCRATCH 1024

/* ---- layouts ---- */

struct sim_place {
    uint8_t chip;     /* which flash */
    uint32_t address; /* first byte */
    uint32_t size;    /* bytes */
};

struct sim_slot_plan {
    uint8_t kind;              /* enum tandem_kind */
    struct sim_place banks[2]; /* where; or as its mode says: where it runs and its store, or two copies */
    uint32_t image_size;       /* largest image that the campaigns put there */
    uint8_t mode;              /* enum tandem_mode */
};

/* How a product lays out its flash. */
struct sim_layout {
    const char *name;                       /* for --layout and replay ids */
    struct sim_flash_spec chips[SIM_CHIPS]; /* flashes */
    uint8_t chip_count;                     /* used */
    uint32_t chip_base[SIM_CHIPS];          /* with `wrap`: what its port adds to an address */
    struct sim_slot_plan slots[SIM_SLOTS];  /* images */
    uint8_t slot_count;                     /* used */
    struct sim_place manifests[2];          /* of each bank */
    struct sim_place journal;               /* both halves */
    uint16_t block_size;                    /* of the packages */
    uint32_t buffer_size;                   /* of the installer */
    uint8_t linked;                         /* bit n: slot n's images are linked for their bank, or their copy */
    uint8_t verify_policy;                  /* enum tandem_verify_policy */
    uint8_t loaders;                        /* copies of the bootloader that the factory writes: 1 or 2 */
    /* Optional: put a port of one's own between Tandem and the simulated chip. @return the port to use */
    const struct tandem_flash_port *(*wrap)(struct sim_flash *chip);
};

/* Layout number `index`, or NULL past the last: a product's own, if it built with some, else those of this folder. */
const struct sim_layout *sim_layout_at(unsigned index);
const struct sim_layout *sim_layout_named(const char *name);

/* Whether a slot holds the bootloader. */
int sim_layout_is_loader(const struct sim_layout *layout, unsigned slot);
/* Where a bank's image runs from. */
const struct sim_place *sim_layout_runs(const struct sim_layout *layout, unsigned slot, unsigned bank);
/* Whether a place in a chip is part of where an image runs that was brought there. */
int sim_layout_moved_to(const struct sim_layout *layout, unsigned chip, uint32_t address);
/* Whether an update writes over what was before, so that nothing comes back. */
int sim_layout_one_way(const struct sim_layout *layout);

/* ---- releases ---- */

struct sim_release_spec {
    uint32_t number;     /* of the release: its version is number.0.0 */
    uint32_t counter;    /* security counter */
    unsigned kinds;      /* bit n: brings an image for slot n; 0: all */
    int bad;             /* 1: the firmware never confirms itself */
    int bad_loader;      /* 1: its bootloader hangs; 2: it does not get to the firmware */
    int stranger;        /* 1: signed by a key that nobody trusts */
    int unsigned_;       /* 1: not signed */
    uint32_t image_size; /* of slot 0; 0: as the layout says */
};

struct sim_release {
    struct sim_release_spec spec;
    unsigned kinds;                     /* bit n: brings slot n */
    uint8_t *images[SIM_SLOTS][2];      /* as installed in each bank */
    uint32_t sizes[SIM_SLOTS];          /* bytes */
    uint8_t *bytes;                     /* the package */
    uint32_t size;                      /* its bytes */
    uint8_t id[TANDEM_PACKAGE_ID_SIZE]; /* its id */
    struct tandem_version version;      /* its version */
};

void sim_release_make(struct sim_release *release, const struct sim_layout *layout,
                      const struct sim_release_spec *spec);
void sim_release_free(struct sim_release *release);

/* What a bank holds after updates: the release that each slot's image came with. */
struct sim_set {
    const struct sim_release *head;            /* the newest package; NULL: no set */
    const struct sim_release *from[SIM_SLOTS]; /* whose images */
};

/* The set that installing `release` over `base` makes. `base` may be NULL. */
void sim_set_apply(struct sim_set *set, const struct sim_set *base, const struct sim_release *release);

/* ---- boards ---- */

struct sim_board {
    const struct sim_layout *layout;
    struct sim_power power;
    uint64_t clock_us; /* the board's own time, when no world gives one */
    struct sim_flash chips[SIM_CHIPS];
    struct tandem_slot slots[SIM_SLOTS];
    struct tandem_key key;
    struct tandem_system_port system;
    struct tandem_device device;
    struct tandem_boot boot; /* the last start */
    uint32_t loader;         /* release of the bootloader that led to the firmware; 0: it cannot be replaced */
    int reboot;              /* the firmware asked for a restart */
    uint8_t battery;         /* percent */
    uint64_t feeds;          /* of the watchdog */
    uint64_t fed_reads;      /* bytes read when it was last fed */
    uint64_t fed_ops;        /* operations begun when it was last fed */
    uint64_t hungry_reads;   /* most bytes read between two feeds, while blocking */
    uint64_t hungry_ops;     /* most operations between two feeds, while blocking */
    /* RAM: garbage after each start */
    struct tandem_install install;
    uint8_t *buffer;
    uint8_t scratch[SIM_SCRATCH];
};

/* Make a board with erased flash. `now_us`: the world's clock, or NULL for a clock of its own. */
void sim_board_init(struct sim_board *board, const struct sim_layout *layout, int asynchronous, uint64_t seed,
                    const uint64_t *now_us);
void sim_board_free(struct sim_board *board);
/* Take over another board's flash; RAM is garbage then. */
void sim_board_copy(struct sim_board *to, const struct sim_board *from);
/* As it leaves the factory: a release in bank 0, no journal. */
void sim_board_factory(struct sim_board *board, const struct sim_release *release);
/* Power on: RAM is garbage, the bootloader decides; where it can be replaced, as often as it takes to get to a
 * firmware.
 * @return what tandem_boot_decide() says; TANDEM_ERROR_TIMEOUT (no firmware is reached); TANDEM_ERROR_DIGEST (a
 * bootloader that is not whole is started) */
enum tandem_status sim_board_start(struct sim_board *board);
/* One step of the installer and of the board's own clock. */
enum tandem_status sim_board_poll(struct sim_board *board);
/* Time passes in the calls made so far. */
void sim_board_settle(struct sim_board *board);
/* Where a place is, in the chip's addresses. */
uint32_t sim_board_address(const struct sim_board *board, const struct sim_place *place);
/* Where a bank's image, and the bank's manifests, lie at present. */
struct sim_place sim_board_image(struct sim_board *board, unsigned slot, unsigned bank);
struct sim_place sim_board_manifests(struct sim_board *board, unsigned bank);
/* Whether a bank holds a whole set where it runs, bit by bit. */
int sim_board_holds(const struct sim_board *board, uint8_t bank, const struct sim_set *set);
/* The release number that the firmware in the started bank says it is, 0 if it is none; *bad if it never confirms. */
uint32_t sim_board_runs(const struct sim_board *board, int *bad);
/* Rules of flash that were broken. */
uint32_t sim_board_violations(const struct sim_board *board);
uint64_t sim_board_hash(const struct sim_board *board, uint64_t seed);
/* Print what rules were broken. */
void sim_board_complain(const struct sim_board *board);

/* How bytes reach the installer without a link. */
struct sim_feed {
    uint32_t chunk;   /* bytes at once; 0: as much as there is room */
    uint32_t sent;    /* out: bytes handed over, repetitions included */
    uint32_t first;   /* out: offset wanted first */
    uint32_t reached; /* out: highest offset that was wanted so far */
};

/* Bring a package in. @return TANDEM_OK validated (or pending, if `activate`); the outcome's status if it failed;
 * TANDEM_ERROR_TIMEOUT if it hangs */
enum tandem_status sim_board_feed(struct sim_board *board, const struct sim_release *release, int activate,
                                  struct sim_feed *feed);
/* The same, with bytes that need not be the release's own. */
enum tandem_status sim_board_feed_bytes(struct sim_board *board, const uint8_t *bytes, uint32_t size, const uint8_t *id,
                                        int activate, struct sim_feed *feed);
/* From a started board to the release confirmed, as a good host and a good firmware do it, whatever the board's state:
 * confirm or leave a trial, bring the package in, activate, restart, confirm. @return TANDEM_OK or what stopped it,
 * the bootloader's refusal included */
enum tandem_status sim_board_update(struct sim_board *board, const struct sim_release *release);
/* The durable state as a fresh look at flash gives it. */
enum tandem_status sim_board_state(struct sim_board *board, struct tandem_bank_state *state);

/* The key that the boards trust, and a signer for it. */
const uint8_t *sim_key_public(int stranger);
/* Signatures are checked once each: the campaigns see the same few again and again. */
extern const struct tandem_crypto_port sim_crypto;

#endif
