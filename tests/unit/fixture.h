/*
 * What the tests of the core share: a small device on simulated flash, keys,
 * a maker of packages, a factory, and a transport that loses nothing. All of
 * it is the same in every run.
 */
#ifndef TANDEM_TESTS_UNIT_FIXTURE_H
#define TANDEM_TESTS_UNIT_FIXTURE_H

#include "../sim/flash.h"
#include "tandem/boot.h"
#include "tandem/install.h"
#include "tandem/package.h"

#define FIXTURE_KEYS 3      /* Ed25519 keys with seeds known here */
#define FIXTURE_SLOTS 3     /* app, stack, data (optional) */
#define FIXTURE_BUFFER 2048 /* bytes of the usual buffer */

/* How a fixture differs from the usual: 1 KB sectors, 4-byte units, 0xFF, synchronous, all three slots. */
struct fixture_options {
    uint32_t sector;
    uint8_t unit;
    uint8_t erased_zero;
    uint8_t asynchronous;
    uint8_t slots;
};

struct fixture {
    struct sim_power power;
    uint64_t now_us;
    struct sim_flash flash;
    struct tandem_slot slots[FIXTURE_SLOTS];
    struct tandem_key keys[FIXTURE_KEYS];
    struct tandem_system_port system;
    struct tandem_device device;
    struct tandem_install install;
    uint8_t buffer[FIXTURE_BUFFER];
    uint8_t battery;                 /* percent */
    enum tandem_status battery_says; /* what asking for it answers */
    enum tandem_status consent;      /* the user's answer */
    unsigned asked;                  /* times that the user was asked */
    unsigned fed;                    /* times that the watchdog was fed */
    uint64_t sent;                   /* bytes fed by fixture_send() */
};

/* A package in memory. */
struct package {
    uint8_t *bytes;
    uint32_t size;
    uint8_t id[TANDEM_PACKAGE_ID_SIZE];
};

/* An image of a package under construction. */
#define FIXTURE_IMAGES TANDEM_CONFIG_MAX_IMAGES
struct recipe {
    struct tandem_pack pack;
    struct tandem_pack_image images[FIXTURE_IMAGES];
    struct tandem_signer signers[FIXTURE_KEYS];
};

/* Options may be NULL. The device trusts keys[0] and keys[1]. */
void fixture_open(struct fixture *f, const struct fixture_options *options);
void fixture_close(struct fixture *f);

/* A public key, its signer. */
const struct tandem_key *fixture_key(unsigned n);
struct tandem_signer fixture_signer(unsigned n);
/* Verification by the built-in engine with a memory, for tests that verify the same thing many times. */
const struct tandem_crypto_port *fixture_crypto(void);

/* Bytes that depend on the seed alone; valid until the program ends. At most 16 KB. */
const uint8_t *fixture_bytes(unsigned seed, uint32_t size);

/* An empty recipe: names of the fixture's device, version `major`.0.0, counter 1, 512-byte blocks, signed by key 0. */
void recipe_begin(struct recipe *recipe, uint16_t major);
/* Add an image, of version `major`.0.0, for either bank. */
struct tandem_pack_image *recipe_image(struct recipe *recipe, uint8_t kind, unsigned seed, uint32_t size);
/* Make it. Ends the program if it cannot. */
struct package recipe_make(const struct recipe *recipe);
/* The three usual images in version `major`. */
struct package fixture_package(uint16_t major);
void package_free(struct package *package);
/* Let key 0 sign the package again after its manifest was changed (and make the header's checksum right). */
void package_resign(struct package *package);
void package_fix_header(struct package *package);

/* As the factory does: the head and the images of a package in a bank. No journal. */
void fixture_factory(struct fixture *f, uint8_t bank, const struct package *package);
/* Make everything erased, no journal. */
void fixture_erase(struct fixture *f);

/* Open the installer anew, as after a reset. */
enum tandem_status fixture_install(struct fixture *f);
/* Feed what it wants, `chunk` bytes at a time, until it is no longer receiving or `stop` bytes are fed (0: all). */
enum tandem_state fixture_send(struct fixture *f, const struct package *package, uint32_t chunk, uint32_t stop);
/* Poll until there is nothing to do. */
void fixture_settle(struct fixture *f);
/* install, begin, send. @return the state reached */
enum tandem_state fixture_update(struct fixture *f, const struct package *package, uint8_t activate);
/* Decide; the buffer is the fixture's. */
enum tandem_status fixture_boot(struct fixture *f, struct tandem_boot *boot);
/* Confirm the running firmware. */
enum tandem_status fixture_confirm(struct fixture *f);
/* Whether bank `bank` holds the image of `package` for `kind`, bit by bit. */
int fixture_holds(struct fixture *f, uint8_t bank, uint8_t kind, const struct package *package);
/* The durable state as another start would see it. */
struct tandem_bank_state fixture_state(struct fixture *f);

#endif
