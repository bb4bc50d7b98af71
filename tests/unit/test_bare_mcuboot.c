/*
 * MCUboot's images through the bare door of a device that takes nothing
 * unsigned: authenticated when they come, and by the bootloader, over what is
 * in flash. The images are the real imgtool's (mcuboot_images.py).
 *
 * Usage: test_bare_mcuboot FOLDER [STRIDE]; the stride makes the sweeps coarser
 */
#include "bare_rig.h"
#include "core/bytes.h"
#include "core/mcuboot.h"
#include "core/package_wire.h"

#define KB 1024u
#define APP TANDEM_KIND_APPLICATION
#define STACK TANDEM_KIND_STACK
#define IMAGE_MAX 20000
#define HEADER 0x80u

static const char *folder;
static uint32_t stride = 1;
static uint8_t ed25519_bytes[32], p256_bytes[64];

static uint32_t load(const char *name, const char *end, uint8_t *bytes, size_t size)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, end);
    FILE *stream = fopen(path, "rb");
    REQUIRE(stream != NULL);
    size_t got = fread(bytes, 1, size, stream);
    fclose(stream);
    REQUIRE(got > 0);
    return (uint32_t)got;
}

/* An image that a tool sends; its transport knows nothing of its version. */
static struct payload image(uint8_t kind, const char *name)
{
    static struct {
        char name[32];
        uint8_t bytes[IMAGE_MAX];
        uint32_t size;
    } known[32];
    unsigned i = 0;
    while (known[i].size != 0 && strcmp(known[i].name, name) != 0)
        REQUIRE(++i < sizeof known / sizeof known[0]);
    if (known[i].size == 0) {
        REQUIRE(strlen(name) < sizeof known[i].name);
        strcpy(known[i].name, name);
        known[i].size = load(name, "bin", known[i].bytes, sizeof known[i].bytes);
    }
    struct payload payload = {kind, 0, known[i].size, 0, known[i].bytes};
    return payload;
}

/* A device in production that trusts the fixture's key 0 for packages and imgtool's two keys. */
static void start_strict(struct world *w, uint8_t mode, uint16_t old)
{
    struct tandem_boot boot;
    struct fixture_options options = {0, 0, 0, 0, 0};
    const char *reason;
    w->old = fixture_package(old);
    fixture_open(&w->f, &options);
    w->f.slots[0].mode = mode;
    w->f.device.mcuboot = 1;
    w->f.keys[1].type = TANDEM_KEY_ED25519;
    w->f.keys[1].key = ed25519_bytes;
    w->f.keys[2].type = TANDEM_KEY_P256;
    w->f.keys[2].key = p256_bytes;
    w->f.device.key_count = 3;
    w->f.device.crypto = NULL; /* the engine's own, for both algorithms */
    CHECK_EQUAL(tandem_device_check(&w->f.device, &reason), TANDEM_OK);
    fixture_factory(&w->f, 0, &w->old);
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.images[0].offset, 0);
    reset(w);
}

/* The old firmware starts, and nothing else. */
static void stays(struct world *w, enum tandem_boot_reason reason)
{
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w->f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, reason);
    CHECK_EQUAL(boot.version.major, 1);
    CHECK(fixture_holds(&w->f, boot.bank, APP, &w->old));
}

/* ---- what is taken ---- */

static void taken(void)
{
    static const struct {
        const char *name;
        uint8_t mode;
        uint32_t counter;
    } cases[] = {
        {"counter7", TANDEM_MODE_DIRECT, 7},
        {"counter8", TANDEM_MODE_DIRECT, 8},
        {"counter7", TANDEM_MODE_SWAP, 7},
        {"counter8", TANDEM_MODE_OVERWRITE, 8},
        {"needs", TANDEM_MODE_DIRECT, 7},
        {"p256_padded", TANDEM_MODE_DIRECT, 0},
        {"ed25519_whole_key", TANDEM_MODE_DIRECT, 0},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        struct tandem_boot boot;
        struct payload app = image(APP, cases[i].name);
        w.old.bytes = NULL;
        start_strict(&w, cases[i].mode, 1);
        if (cases[i].counter == 0) { /* no counter is as good as 0 */
            struct tandem_bank_state *state = &w.f.install.bank.state;
            CHECK_EQUAL(state->counter, 1);
            state->counter = 0;
            CHECK_EQUAL(tandem_bank_store(&w.f.install.bank), TANDEM_OK);
            reset(&w);
        }
        CHECK_EQUAL(send(&w, &app), TANDEM_OK);
        CHECK_EQUAL(finish(&w), TANDEM_OK);
        CHECK_EQUAL(state(&w), TANDEM_STATE_VALIDATED);
        CHECK_EQUAL(outcome(&w)->version.build, 5);
        CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
        CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
        CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
        CHECK(boot.version.major == 2 && boot.version.minor == 3 && boot.version.patch == 4);
        CHECK_EQUAL(boot.images[0].offset, HEADER);
        CHECK_EQUAL(boot.images[0].size, app.size);
        CHECK_EQUAL(boot.images[1].offset, 0);
        CHECK(holds(&w, boot.bank, &app) && fixture_holds(&w.f, boot.bank, STACK, &w.old));
        CHECK_EQUAL(fixture_state(&w.f).counter, cases[i].counter != 0);
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        CHECK_EQUAL(fixture_state(&w.f).counter, cases[i].counter);
        CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
        CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
        CHECK_EQUAL(boot.images[0].offset, HEADER);
        end(&w);
    }
}

/* Its counter binds what comes after it, be it an image or a package; and it is carried along by a package. */
static void afterwards(void)
{
    struct world w;
    struct recipe recipe;
    struct tandem_boot boot;
    struct payload seven = image(APP, "counter7"), six = image(APP, "counter6"), eight = image(APP, "counter8");
    start_strict(&w, TANDEM_MODE_DIRECT, 1);
    CHECK_EQUAL(send(&w, &eight), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    CHECK_EQUAL(send(&w, &seven), TANDEM_ERROR_COUNTER);
    CHECK_EQUAL(outcome(&w)->status, TANDEM_ERROR_COUNTER);
    recipe_begin(&recipe, 3);
    recipe.pack.counter = 7;
    recipe_image(&recipe, STACK, 9, 2500);
    struct package package = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&w.f, &package, 0), TANDEM_STATE_FAILED);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->status, TANDEM_ERROR_COUNTER);
    package_free(&package);
    recipe.pack.counter = 9;
    package = recipe_make(&recipe);
    for (unsigned damaged = 0; damaged < 2; damaged++) {
        CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
        if (damaged) /* of the image that was carried: one bit of its signature */
            sim_flash_flip(&w.f.flash, w.f.slots[0].areas[0].address + eight.size - 9, 3);
        CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
        CHECK_EQUAL(boot.version.major, damaged ? 2 : 3);
        CHECK_EQUAL(boot.images[0].offset, HEADER);
        while (boot.reason == TANDEM_BOOT_TRIAL) /* and back again */
            CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
        CHECK_EQUAL(boot.version.major, 2);
    }
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    CHECK(holds(&w, boot.bank, &eight) && fixture_holds(&w.f, boot.bank, STACK, &package));
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    reset(&w);
    CHECK_EQUAL(send(&w, &six), TANDEM_ERROR_VERSION); /* 2.3.4, and 3.0.0 is running */
    package_free(&package);
    end(&w);
}

/* ---- what is refused ---- */

static void refused(void)
{
    static const struct {
        const char *name;
        enum tandem_status status; /* when it is ended */
        enum tandem_status finish;
    } cases[] = {
        {"unsigned", TANDEM_ERROR_UNSIGNED, TANDEM_ERROR_STATE},
        {"rsa", TANDEM_ERROR_UNSIGNED, TANDEM_ERROR_STATE},
        {"stranger", TANDEM_ERROR_KEY, TANDEM_ERROR_STATE},
        {"pure", TANDEM_ERROR_DIGEST, TANDEM_ERROR_STATE},
        {"sha512", TANDEM_ERROR_DIGEST, TANDEM_ERROR_STATE},
        {"p256_plain", TANDEM_ERROR_COUNTER, TANDEM_ERROR_STATE},
        {"encrypted", TANDEM_ERROR_UNSUPPORTED, TANDEM_ERROR_STATE},
        {"needs_slot", TANDEM_OK, TANDEM_ERROR_DEPENDENCY},
        {"ed25519", TANDEM_OK, TANDEM_ERROR_DEPENDENCY},
    };
    struct world w;
    struct payload good = image(APP, "counter7");
    start_strict(&w, TANDEM_MODE_DIRECT, 1);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct payload app = image(APP, cases[i].name);
        uint64_t before = w.f.power.ops;
        if (!CHECK_EQUAL(send(&w, &app), cases[i].status))
            fprintf(stderr, "  %s\n", cases[i].name);
        CHECK_EQUAL(finish(&w), cases[i].finish);
        CHECK(state(&w) != TANDEM_STATE_VALIDATED);
        CHECK_EQUAL(outcome(&w)->status, cases[i].status != TANDEM_OK ? cases[i].status : outcome(&w)->status);
        CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_ERROR_STATE);
        if (cases[i].status == TANDEM_ERROR_UNSUPPORTED)
            CHECK_EQUAL(w.f.power.ops, before); /* the header says so: nothing was touched */
        CHECK_EQUAL(tandem_bare_abort(&w.bare), TANDEM_OK);
        stays(&w, TANDEM_BOOT_CONFIRMED);
    }
    /* A trailer behind it is signed by nobody. */
    struct payload trailed = good;
    uint8_t bytes[3000];
    memcpy(bytes, good.bytes, good.size);
    memset(bytes + good.size, 0xFF, 16);
    trailed.bytes = bytes;
    trailed.size += 16;
    CHECK_EQUAL(send(&w, &trailed), TANDEM_ERROR_FORMAT);
    /* Announced as MCUboot's, and something else. */
    bytes[0] ^= 1;
    struct tandem_bare_image what = describe(&good);
    uint64_t before = w.f.power.ops;
    CHECK_EQUAL(tandem_bare_begin(&w.bare, &what), TANDEM_OK);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 0, bytes, 31), TANDEM_OK);
    settle(&w);
    CHECK_EQUAL(state(&w), TANDEM_STATE_RECEIVING);
    CHECK_EQUAL(tandem_bare_feed(&w.bare, 31, bytes + 31, 100), TANDEM_OK);
    settle(&w);
    CHECK_EQUAL(state(&w), TANDEM_STATE_FAILED);
    CHECK_EQUAL(outcome(&w)->status, TANDEM_ERROR_FORMAT);
    CHECK_EQUAL(w.f.power.ops, before);
    /* Not asked for, or not enough. */
    what.payload = TANDEM_PAYLOAD_BARE;
    CHECK_EQUAL(tandem_bare_begin(&w.bare, &what), TANDEM_ERROR_UNSIGNED);
    w.f.device.signatures_needed = 2;
    CHECK_EQUAL(send(&w, &good), TANDEM_ERROR_KEY);
    w.f.device.signatures_needed = 0;
    w.f.device.mcuboot = 0;
    CHECK_EQUAL(send(&w, &good), TANDEM_ERROR_UNSIGNED);
    w.f.device.mcuboot = 1;
    CHECK_EQUAL(send(&w, &good), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    end(&w);
}

/* An older version is refused by its header, before anything is touched; an unsigned build takes it, if signed. */
static void versions(void)
{
    struct world w;
    struct payload app = image(APP, "counter7"), plain = image(APP, "unsigned"), stranger = image(APP, "stranger");
    start_strict(&w, TANDEM_MODE_DIRECT, 3);
    uint64_t before = w.f.power.ops;
    CHECK_EQUAL(send(&w, &app), TANDEM_ERROR_VERSION);
    CHECK_EQUAL(w.f.power.ops, before);
    w.f.device.version_policy = TANDEM_VERSION_ANY;
    CHECK_EQUAL(send(&w, &app), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    /* In development, an image need not be signed; but a signature must be good. */
    w.f.device.allow_unsigned = 1;
    w.f.install.bank.state.counter = 0;
    CHECK_EQUAL(send(&w, &stranger), TANDEM_ERROR_KEY);
    CHECK_EQUAL(send(&w, &plain), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    end(&w);
}

/* ---- at the start ---- */

/* Whatever bit of the image turns over once it is installed: the old firmware starts. */
static void flips(void)
{
    static const uint8_t modes[] = {TANDEM_MODE_DIRECT, TANDEM_MODE_SWAP};
    for (unsigned m = 0; m < 2; m++) {
        struct payload app = image(APP, m ? "counter8" : "counter7");
        for (uint32_t at = 0; at < app.size; at += (at < HEADER || at > HEADER + 1500 ? 11 : 211) * stride) {
            struct world w;
            start_strict(&w, modes[m], 1);
            CHECK_EQUAL(send(&w, &app), TANDEM_OK);
            CHECK_EQUAL(finish(&w), TANDEM_OK);
            struct tandem_area area = tandem_bank_area(&w.f.install.bank, 0, 1);
            CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
            sim_flash_flip(&w.f.flash, area.address + at, at % 8);
            stays(&w, TANDEM_BOOT_REFUSED);
            end(&w);
        }
    }
}

/* Make the head in flash say something else, and hold together. */
static void forge(struct world *w, uint16_t field, uint32_t at, uint8_t value)
{
    uint8_t head[1024];
    uint32_t address = w->f.device.manifests[1].address;
    memcpy(head, sim_flash_at(&w->f.flash, address), sizeof head);
    uint32_t place = TANDEM_PACKAGE_HEADER_SIZE;
    while (tandem_load_le16(head + place) != field)
        place += FIELD_HEAD + (uint32_t)tandem_load_le16(head + place + 2);
    REQUIRE(place < sizeof head - 200);
    head[place + FIELD_HEAD + at] = value;
    memset(w->f.flash.cells + address, 0xFF, sizeof head);
    sim_flash_put(&w->f.flash, address, head, sizeof head);
}

/* A head that was written by somebody else: it cannot say more than its images. */
static void forged(void)
{
    static const struct {
        uint16_t field;
        uint32_t at;
        uint8_t value;
        int starts;
    } cases[] = {
        {FIELD_COUNTER, 0, 8, 0},                /* more than the image's */
        {FIELD_COUNTER, 0, 7, 1},                /* as it is */
        {FIELD_VERSION, 0, 9, 0},                /* the package's is the application's */
        {FIELD_IMAGE, IMAGE_VERSION, 9, 0},      /* and that the image's */
        {FIELD_IMAGE, IMAGE_LOAD_ADDRESS, 4, 0}, /* where it runs */
        {FIELD_IMAGE, IMAGE_SIZE, 0, 0},         /* less of it */
        {FIELD_IMAGE, IMAGE_SIZE + 2, 1, 0},     /* more than there is room for */
        {FIELD_IMAGE, IMAGE_DIGEST, 0, 0},       /* something else */
        {FIELD_IMAGE, IMAGE_KIND, STACK, 0},     /* in another place */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        struct tandem_boot boot;
        struct payload app = image(APP, "counter7");
        start_strict(&w, TANDEM_MODE_DIRECT, 1);
        CHECK_EQUAL(send(&w, &app), TANDEM_OK);
        CHECK_EQUAL(finish(&w), TANDEM_OK);
        CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
        forge(&w, cases[i].field, cases[i].at, cases[i].value);
        if (cases[i].starts) {
            CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
            CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
        } else {
            stays(&w, TANDEM_BOOT_REFUSED);
        }
        end(&w);
    }
}

/* Bytes that no image vouches for, under an unsigned head: not without `mcuboot`, nor with it. */
static void unsigned_head(void)
{
    for (uint8_t mcuboot = 0; mcuboot < 2; mcuboot++) {
        struct world w;
        static const struct payload bare = {APP, 40, 5000, 2, NULL};
        start_strict(&w, TANDEM_MODE_DIRECT, 1);
        w.f.device.allow_unsigned = 1;
        CHECK_EQUAL(send(&w, &bare), TANDEM_OK);
        CHECK_EQUAL(finish(&w), TANDEM_OK);
        CHECK_EQUAL(tandem_install_activate(&w.f.install), TANDEM_OK);
        w.f.device.allow_unsigned = 0;
        w.f.device.mcuboot = mcuboot;
        stays(&w, TANDEM_BOOT_REFUSED);
        end(&w);
    }
}

/* A key that is revoked: what it signed starts no more, and is not carried along. */
static void revocation(void)
{
    struct world w;
    struct recipe recipe;
    uint8_t id[1][TANDEM_KEY_ID_SIZE];
    struct payload app = image(APP, "counter7");
    start_strict(&w, TANDEM_MODE_DIRECT, 1);
    CHECK_EQUAL(tandem_key_id(NULL, &w.f.keys[1], id[0]), TANDEM_OK);
    CHECK_EQUAL(send(&w, &app), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    recipe_begin(&recipe, 3);
    recipe.pack.counter = 9;
    recipe.pack.revoke = (const uint8_t(*)[TANDEM_KEY_ID_SIZE])id;
    recipe.pack.revoke_count = 1;
    recipe_image(&recipe, STACK, 9, 2500);
    struct package package = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_FAILED);
    CHECK_EQUAL(tandem_install_outcome(&w.f.install)->status, TANDEM_ERROR_REVOKED);
    package_free(&package);
    recipe_image(&recipe, APP, 10, 2500);
    package = recipe_make(&recipe);
    CHECK_EQUAL(fixture_update(&w.f, &package, 1), TANDEM_STATE_PENDING);
    struct tandem_boot boot;
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
    CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
    reset(&w);
    CHECK_EQUAL(send(&w, &app), TANDEM_ERROR_VERSION);
    w.f.device.version_policy = TANDEM_VERSION_ANY;
    CHECK_EQUAL(send(&w, &app), TANDEM_ERROR_REVOKED);
    package_free(&package);
    end(&w);
}

/* A copy that was damaged where it runs is made anew from its store, and vouched for again. */
static void overwritten(void)
{
    struct world w;
    struct tandem_boot boot;
    struct payload app = image(APP, "counter7");
    start_strict(&w, TANDEM_MODE_OVERWRITE, 1);
    CHECK_EQUAL(send(&w, &app), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    sim_flash_flip(&w.f.flash, w.f.slots[0].areas[0].address + 5, 2);
    CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
    CHECK_EQUAL(boot.images[0].offset, HEADER);
    CHECK(holds(&w, boot.bank, &app));
    end(&w);
}

/* With a proof the bootloader does not look again, and says the same. */
static void verified_once(void)
{
    struct world w;
    struct tandem_boot boot;
    struct payload app = image(APP, "counter7");
    start_strict(&w, TANDEM_MODE_DIRECT, 1);
    w.f.device.verify_policy = TANDEM_VERIFY_ONCE;
    CHECK_EQUAL(send(&w, &app), TANDEM_OK);
    CHECK_EQUAL(finish(&w), TANDEM_OK);
    run(&w, 2);
    uint64_t reads[2];
    for (unsigned i = 0; i < 2; i++) {
        reads[i] = w.f.flash.stats.reads;
        CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
        CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
        reads[i] = w.f.flash.stats.reads - reads[i];
        w.f.device.verify_policy = TANDEM_VERIFY_ALWAYS;
    }
    CHECK(reads[0] + app.size < reads[1]);
    CHECK_EQUAL(boot.images[0].offset, HEADER);
    end(&w);
}

/* Power fails in every operation of it: the old or the new firmware, whole, and the image goes in afterwards. */
static void cuts(void)
{
    struct payload app = image(APP, "counter7");
    uint64_t last = 1;
    for (uint64_t k = 0; k <= last; k += k == 0 ? 1 : 5 * stride + (stride > 1)) {
        struct world w;
        struct tandem_boot boot;
        struct sim_flash *flash = &w.f.flash;
        start_strict(&w, k % 2 ? TANDEM_MODE_DIRECT : TANDEM_MODE_SWAP, 1);
        uint64_t first = w.f.power.ops;
        w.f.power.cut_at = k != 0 ? first + k : 0;
        w.f.power.tear = (enum sim_tear)(k % SIM_TEARS);
        if (send(&w, &app) == TANDEM_OK && finish(&w) == TANDEM_OK)
            (void)tandem_install_activate(&w.f.install);
        last = k == 0 ? w.f.power.ops - first : last;
        sim_power_return(&w.f.power, &flash, 1);
        w.f.power.cut_at = 0;
        w.f.flash.violations[SIM_VIOLATION_DEAD] = 0;
        CHECK_EQUAL(fixture_boot(&w.f, &boot), TANDEM_OK);
        CHECK(boot.version.major == 1 ? fixture_holds(&w.f, boot.bank, APP, &w.old) : holds(&w, boot.bank, &app));
        CHECK_EQUAL(fixture_confirm(&w.f), TANDEM_OK);
        reset(&w);
        CHECK_EQUAL(send(&w, &app), TANDEM_OK);
        CHECK_EQUAL(finish(&w), TANDEM_OK);
        run(&w, 2);
        end(&w);
    }
    CHECK(last > 300);
}

int main(int argc, char **argv)
{
    REQUIRE(argc >= 2);
    folder = argv[1];
    if (argc > 2)
        stride = (uint32_t)atoi(argv[2]);
    REQUIRE(stride != 0);
    REQUIRE(load("ed25519", "key", ed25519_bytes, sizeof ed25519_bytes) == sizeof ed25519_bytes);
    REQUIRE(load("p256", "key", p256_bytes, sizeof p256_bytes) == sizeof p256_bytes);
    RUN(taken);
    RUN(afterwards);
    RUN(refused);
    RUN(versions);
    RUN(flips);
    RUN(forged);
    RUN(unsigned_head);
    RUN(revocation);
    RUN(overwritten);
    RUN(verified_once);
    RUN(cuts);
    return check_report();
}
