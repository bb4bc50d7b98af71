/*
 * What the tests of the core share: see fixture.h.
 */
#include "fixture.h"

#include "check.h"
#include "core/bytes.h"
#include "core/package_wire.h"

#define POLLS_MAX 2000000

static const uint8_t seeds[FIXTURE_KEYS][TANDEM_ED25519_KEY_SIZE] = {"fixture key 0", "fixture key 1", "fixture key 2"};

/* ---- keys ---- */

const struct tandem_key *fixture_key(unsigned n)
{
    static uint8_t publics[FIXTURE_KEYS][TANDEM_ED25519_KEY_SIZE];
    static struct tandem_key keys[FIXTURE_KEYS];
    if (keys[n].key == NULL) {
        tandem_ed25519_public_key(publics[n], seeds[n]);
        keys[n].type = TANDEM_KEY_ED25519;
        keys[n].key = publics[n];
    }
    return &keys[n];
}

#define MEMOS 256
#define MEMO_MESSAGE 64

/* Signatures are made once: the same packages are made again and again. */
static enum tandem_status sign(void *ctx, const uint8_t *message, size_t size, uint8_t *signature)
{
    static struct {
        uint8_t signature[TANDEM_SIGNATURE_SIZE], seed[TANDEM_ED25519_KEY_SIZE], message[MEMO_MESSAGE];
        size_t size;
    } memos[MEMOS];
    const uint8_t *seed = (const uint8_t *)ctx;
    REQUIRE(size > 40 && size <= MEMO_MESSAGE);
    unsigned place = (message[20] + seed[12]) % MEMOS;
    if (memos[place].size != size || memcmp(memos[place].seed, seed, TANDEM_ED25519_KEY_SIZE) != 0 ||
        memcmp(memos[place].message, message, size) != 0) {
        memcpy(memos[place].seed, seed, TANDEM_ED25519_KEY_SIZE);
        memcpy(memos[place].message, message, size);
        memos[place].size = size;
        tandem_ed25519_sign(memos[place].signature, seed, message, size);
    }
    memcpy(signature, memos[place].signature, TANDEM_SIGNATURE_SIZE);
    return TANDEM_OK;
}

struct tandem_signer fixture_signer(unsigned n)
{
    /* sign() only reads it; a context is not const because an HSM's is not. */
    static uint8_t contexts[FIXTURE_KEYS][TANDEM_ED25519_KEY_SIZE];
    struct tandem_signer signer = {contexts[n], *fixture_key(n), sign};
    memcpy(contexts[n], seeds[n], sizeof contexts[n]);
    return signer;
}

static enum tandem_status remembered_verify(void *ctx, const uint8_t *signature, const uint8_t *key,
                                            const void *message, size_t size)
{
    static struct {
        uint8_t signature[TANDEM_SIGNATURE_SIZE], key[TANDEM_ED25519_KEY_SIZE], message[MEMO_MESSAGE];
        size_t size;
        enum tandem_status status;
    } memos[MEMOS];
    unsigned place = (signature[1] ^ signature[40] ^ key[3]) % MEMOS;
    (void)ctx;
    REQUIRE(size != 0 && size <= MEMO_MESSAGE);
    if (memos[place].size != size || memcmp(memos[place].signature, signature, TANDEM_SIGNATURE_SIZE) != 0 ||
        memcmp(memos[place].key, key, TANDEM_ED25519_KEY_SIZE) != 0 ||
        memcmp(memos[place].message, message, size) != 0) {
        memcpy(memos[place].signature, signature, TANDEM_SIGNATURE_SIZE);
        memcpy(memos[place].key, key, TANDEM_ED25519_KEY_SIZE);
        memcpy(memos[place].message, message, size);
        memos[place].size = size;
        memos[place].status = tandem_ed25519_verify(signature, key, message, size);
    }
    return memos[place].status;
}

const struct tandem_crypto_port *fixture_crypto(void)
{
    static const struct tandem_crypto_port port = {.ed25519_verify = remembered_verify};
    return &port;
}

/* ---- packages ---- */

const uint8_t *fixture_bytes(unsigned seed, uint32_t size)
{
    static uint8_t *known[64];
    REQUIRE(seed < 64 && size <= 16384);
    if (known[seed] == NULL) {
        struct sim_rng rng = {sim_mix(0x7461u, seed)};
        known[seed] = (uint8_t *)malloc(16384);
        REQUIRE(known[seed] != NULL);
        sim_random_bytes(&rng, known[seed], 16384);
    }
    return known[seed];
}

void recipe_begin(struct recipe *recipe, uint16_t major)
{
    memset(recipe, 0, sizeof *recipe);
    recipe->pack.vendor = "Acme";
    recipe->pack.product = "Bud";
    recipe->pack.version.major = major;
    recipe->pack.counter = 1;
    recipe->pack.block_size = 512;
    recipe->pack.signer_count = 1;
    recipe->signers[0] = fixture_signer(0);
}

struct tandem_pack_image *recipe_image(struct recipe *recipe, uint8_t kind, unsigned seed, uint32_t size)
{
    REQUIRE(recipe->pack.image_count < FIXTURE_IMAGES);
    struct tandem_pack_image *image = &recipe->images[recipe->pack.image_count++];
    image->kind = kind;
    image->variant = TANDEM_VARIANT_ANY;
    image->version = recipe->pack.version;
    image->data = fixture_bytes(seed, size);
    image->size = size;
    return image;
}

struct package recipe_make(const struct recipe *recipe)
{
    struct tandem_pack pack = recipe->pack;
    struct package package = {NULL, 0, {0}};
    struct tandem_manifest manifest;
    pack.images = recipe->images;
    pack.signers = recipe->signers;
    REQUIRE(tandem_pack_size(&pack, &package.size) == TANDEM_OK);
    package.bytes = (uint8_t *)malloc(package.size);
    REQUIRE(package.bytes != NULL);
    memset(package.bytes, 0xA5, package.size);
    REQUIRE(tandem_pack_write(&pack, NULL, package.bytes, package.size) == TANDEM_OK);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
    memcpy(package.id, manifest.id, sizeof package.id);
    return package;
}

struct package fixture_package(uint16_t major)
{
    struct recipe recipe;
    recipe_begin(&recipe, major);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 3u * major, 5000u + 10u * major);
    recipe_image(&recipe, TANDEM_KIND_STACK, 3u * major + 1, 3000u + major);
    recipe_image(&recipe, TANDEM_KIND_DATA, 3u * major + 2, 1024);
    return recipe_make(&recipe);
}

void package_free(struct package *package)
{
    free(package->bytes);
    package->bytes = NULL;
}

void package_fix_header(struct package *package)
{
    tandem_store_le32(package->bytes + HEADER_CRC,
                      tandem_crc32(TANDEM_CRC32_START, package->bytes, HEADER_CRC) ^ 0xFFFFFFFFu);
}

void package_resign(struct package *package)
{
    uint8_t message[SIGNED_SIZE];
    uint32_t size = TANDEM_PACKAGE_HEADER_SIZE + tandem_load_le16(package->bytes + HEADER_MANIFEST_SIZE);
    package_fix_header(package);
    memcpy(message, SIGNED_PREFIX, SIGNED_PREFIX_SIZE);
    tandem_sha256(NULL, package->bytes, size, message + SIGNED_PREFIX_SIZE);
    memcpy(package->id, message + SIGNED_PREFIX_SIZE, sizeof package->id);
    tandem_ed25519_sign(package->bytes + size + FIELD_HEAD + TANDEM_KEY_ID_SIZE, seeds[0], message, sizeof message);
}

/* ---- the device ---- */

static enum tandem_status battery(void *ctx, uint8_t *percent)
{
    const struct fixture *f = (const struct fixture *)ctx;
    *percent = f->battery;
    return f->battery_says;
}

static enum tandem_status consent(void *ctx, const struct tandem_consent *question)
{
    struct fixture *f = (struct fixture *)ctx;
    f->asked++;
    CHECK(question->size != 0);
    return f->consent;
}

static void watchdog(void *ctx)
{
    struct fixture *f = (struct fixture *)ctx;
    f->fed++;
}

/* Bank 0's slots and manifest, bank 1's, the journal: 8, 4, 2 and 2 sectors, twice, then 4. */
static void lay_out(struct fixture *f, uint32_t sector, uint8_t slots)
{
    static const uint8_t kinds[FIXTURE_SLOTS] = {TANDEM_KIND_APPLICATION, TANDEM_KIND_STACK, TANDEM_KIND_DATA};
    static const uint8_t sizes[FIXTURE_SLOTS] = {8, 4, 2};
    uint32_t at = 0;
    for (unsigned bank = 0; bank < 2; bank++) {
        for (unsigned i = 0; i < FIXTURE_SLOTS; i++) {
            struct tandem_area area = {&f->flash.port, at, sizes[i] * sector};
            f->slots[i].kind = kinds[i];
            f->slots[i].mode = TANDEM_MODE_DIRECT;
            f->slots[i].optional = kinds[i] == TANDEM_KIND_DATA;
            f->slots[i].areas[bank] = area;
            at += area.size;
        }
        struct tandem_area manifest = {&f->flash.port, at, 2 * sector};
        f->device.manifests[bank] = manifest;
        at += manifest.size;
    }
    struct tandem_area journal = {&f->flash.port, at, 4 * sector};
    f->device.journal = journal;
    f->device.slots = f->slots;
    f->device.slot_count = slots;
}

void fixture_open(struct fixture *f, const struct fixture_options *options)
{
    struct fixture_options o = {0, 0, 0, 0, 0};
    if (options != NULL)
        o = *options;
    memset(f, 0, sizeof *f);
    if (o.sector == 0)
        o.sector = 1024;
    struct sim_flash_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.regions[0].sector_size = o.sector;
    spec.regions[0].count = 36;
    spec.region_count = 1;
    spec.program_unit = o.unit != 0 ? o.unit : 4;
    spec.erased = o.erased_zero ? 0x00 : 0xFF;
    spec.asynchronous = o.asynchronous;
    spec.erase_us = 85000;
    spec.program_ns = 1000;
    sim_power_init(&f->power, 1);
    sim_flash_init(&f->flash, &spec, &f->power, &f->now_us);
    for (unsigned i = 0; i < FIXTURE_KEYS; i++)
        f->keys[i] = *fixture_key(i);
    lay_out(f, o.sector, o.slots != 0 ? o.slots : FIXTURE_SLOTS);
    f->device.vendor = "Acme";
    f->device.product = "Bud";
    f->device.hardware = 7;
    f->device.keys = f->keys;
    f->device.key_count = 2;
    f->device.crypto = fixture_crypto();
    f->device.system = &f->system;
    f->system.ctx = f;
    f->system.battery = battery;
    f->system.consent = consent;
    f->system.watchdog = watchdog;
    f->battery = 100;
}

void fixture_close(struct fixture *f)
{
    CHECK_EQUAL(sim_flash_violations(&f->flash), 0);
    sim_flash_free(&f->flash);
}

void fixture_erase(struct fixture *f)
{
    memset(f->flash.cells, f->flash.spec.erased, f->flash.size);
    memset(f->flash.spent, 0, f->flash.size / f->flash.spec.program_unit);
    memset(f->flash.doubt, 0, f->flash.size);
    memset(f->flash.weak, 0, f->flash.size);
    f->flash.doubtful = 0;
}

void fixture_factory(struct fixture *f, uint8_t bank, const struct package *package)
{
    struct tandem_manifest manifest;
    struct tandem_image image;
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package->bytes, package->size) == TANDEM_OK);
    sim_flash_put(&f->flash, f->device.manifests[bank].address, package->bytes, manifest.header.head_size);
    for (uint8_t i = 0; i < f->device.slot_count; i++) {
        if (tandem_manifest_find(&manifest, f->slots[i].kind, bank, &image) != TANDEM_OK)
            continue;
        const uint8_t *from = package->bytes + image.payload_offset;
        for (uint32_t at = 0; at < image.size; at += image.block_size) {
            uint32_t part = image.size - at < image.block_size ? image.size - at : image.block_size;
            sim_flash_put(&f->flash, f->slots[i].areas[bank].address + at, from, part);
            from += part + TANDEM_BLOCK_DIGEST_SIZE;
        }
    }
}

/* ---- the life of a device ---- */

enum tandem_status fixture_install(struct fixture *f)
{
    return tandem_install_init(&f->install, &f->device, f->buffer, sizeof f->buffer);
}

void fixture_settle(struct fixture *f)
{
    unsigned polls = 0;
    while (tandem_install_poll(&f->install) == TANDEM_AGAIN) {
        f->now_us += 1000;
        REQUIRE(++polls < POLLS_MAX);
    }
}

static int is_receiving(const struct tandem_install *install)
{
    enum tandem_state state = tandem_install_state(install);
    return state == TANDEM_STATE_RECEIVING || state == TANDEM_STATE_VALIDATING;
}

enum tandem_state fixture_send(struct fixture *f, const struct package *package, uint32_t chunk, uint32_t stop)
{
    struct tandem_install *install = &f->install;
    unsigned polls = 0;
    uint64_t until = f->sent + stop;
    for (;;) {
        enum tandem_status status = tandem_install_poll(install);
        f->now_us += 1000;
        REQUIRE(++polls < POLLS_MAX);
        if (!is_receiving(install) && status != TANDEM_AGAIN)
            break;
        uint32_t wants = tandem_install_wants(install), limit = tandem_install_limit(install);
        REQUIRE(wants <= limit && wants <= package->size);
        limit = limit < package->size ? limit : package->size;
        uint32_t part = limit - wants < chunk ? limit - wants : chunk;
        if (stop != 0 && f->sent + part > until)
            part = (uint32_t)(until - f->sent);
        if (part != 0)
            CHECK_EQUAL(tandem_install_feed(install, wants, package->bytes + wants, part), TANDEM_OK);
        f->sent += part;
        if (status == TANDEM_OK && part == 0)
            break;
    }
    return tandem_install_state(install);
}

enum tandem_state fixture_update(struct fixture *f, const struct package *package, uint8_t activate)
{
    REQUIRE(fixture_install(f) == TANDEM_OK);
    CHECK_EQUAL(tandem_install_begin(&f->install, package->id, package->size, activate), TANDEM_OK);
    return fixture_send(f, package, 244, 0);
}

enum tandem_status fixture_boot(struct fixture *f, struct tandem_boot *boot)
{
    return tandem_boot_decide(boot, &f->device, f->buffer, sizeof f->buffer);
}

enum tandem_status fixture_confirm(struct fixture *f)
{
    struct tandem_bank bank;
    enum tandem_status status = tandem_bank_open(&bank, &f->device);
    return status == TANDEM_OK ? tandem_bank_confirm(&bank, f->buffer, sizeof f->buffer) : status;
}

int fixture_holds(struct fixture *f, uint8_t bank, uint8_t kind, const struct package *package)
{
    struct tandem_manifest manifest;
    struct tandem_image image;
    uint8_t digest[TANDEM_SHA256_SIZE];
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package->bytes, package->size) == TANDEM_OK);
    REQUIRE(tandem_manifest_find(&manifest, kind, bank, &image) == TANDEM_OK);
    for (uint8_t i = 0; i < FIXTURE_SLOTS; i++) {
        if (f->slots[i].kind != kind)
            continue;
        struct tandem_area area = f->slots[i].areas[bank];
        if (f->slots[i].mode != TANDEM_MODE_DIRECT) {
            struct tandem_bank opened;
            REQUIRE(tandem_bank_open(&opened, &f->device) == TANDEM_OK);
            area = tandem_bank_area(&opened, i, bank);
        }
        /* The port's context is the simulated flash, on which a test may have put a second one. */
        tandem_sha256(NULL, sim_flash_at((const struct sim_flash *)area.flash->ctx, area.address), image.size, digest);
    }
    return memcmp(digest, image.digest, sizeof digest) == 0;
}

struct tandem_bank_state fixture_state(struct fixture *f)
{
    struct tandem_bank bank;
    CHECK_EQUAL(tandem_bank_open(&bank, &f->device), TANDEM_OK);
    return bank.state;
}
