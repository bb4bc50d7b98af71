/*
 * MCUboot's images behind a Realtek image header, to a device that takes
 * nothing unsigned. The images are the real imgtool's (mcuboot_images.py).
 *
 * Usage: test_realtek_mcuboot FOLDER
 */
#include "realtek_rig.h"

#define APP TANDEM_KIND_APPLICATION

static const char *folder;
static uint8_t ed25519[32], p256[64];
static struct rig rig;

static uint32_t load(const char *name, uint8_t *bytes, size_t size)
{
    char path[1000];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *stream = fopen(path, "rb");
    REQUIRE(stream != NULL);
    size = fread(bytes, 1, size, stream);
    fclose(stream);
    REQUIRE(size > 0);
    return (uint32_t)size;
}

static void begin(uint8_t dialect, uint8_t ic)
{
    rig_open(&rig, dialect, ic);
    rig.f.device.allow_unsigned = 0;
    rig.f.device.mcuboot = 1;
    rig.f.keys[1].type = TANDEM_KEY_ED25519;
    rig.f.keys[1].key = ed25519;
    rig.f.keys[2].type = TANDEM_KEY_P256;
    rig.f.keys[2].key = p256;
    rig.f.device.key_count = 3;
    rig.f.device.crypto = NULL;
    rig_start(&rig);
}

/* Each way to send it, each chunk damaged once. */
static void test_taken(void)
{
    static const struct {
        uint8_t dialect, ic;
    } devices[] = {{TANDEM_REALTEK_BEE2, 5}, {TANDEM_REALTEK_8752H, 16}, {TANDEM_REALTEK_AUDIO, 11}};
    static const char *const names[] = {"counter7.bin", "counter8.bin"};
    uint8_t bytes[8192];

    for (unsigned d = 0; d < 3; d++)
        for (unsigned way = 0; way < 8; way++) {
            struct rig_way how = {240, way > 0, NULL, 0, 0, 0, way > 1 ? way - 1 : 0};
            uint32_t size = load(names[way % 2], bytes, sizeof bytes);
            struct rig_image image = rig_image(devices[d].ic, RIG_APP, bytes, size, 0);

            begin(devices[d].dialect, devices[d].ic);
            CHECK_EQUAL(rig_send(&rig, &image, &how), 1);
            CHECK(rig_activate(&rig));
            CHECK_EQUAL(rig_reset(&rig), 1);
            CHECK(rig_holds(&rig, 1, APP, bytes, size)); /* without what was before it */
            rig_close(&rig);
            rig_image_free(&image);
        }
}

/* Without a signature, by a stranger, damaged: not taken, and a good one is after it. */
static void test_refused(void)
{
    static const char *const names[] = {"unsigned.bin", "stranger.bin", "counter7.bin"};
    static const enum tandem_status reasons[] = {TANDEM_ERROR_UNSIGNED, TANDEM_ERROR_KEY, TANDEM_ERROR_DIGEST};
    uint8_t bytes[8192];

    for (unsigned i = 0; i < 3; i++) {
        uint32_t size = load(names[i], bytes, sizeof bytes);
        if (i == 2)
            bytes[size / 2] ^= 1;
        struct rig_image image = rig_image(11, RIG_APP, bytes, size, 0);
        size = load("counter8.bin", bytes, sizeof bytes);
        struct rig_image good = rig_image(11, RIG_APP, bytes, size, 0);

        begin(TANDEM_REALTEK_AUDIO, 11);
        CHECK_EQUAL(rig_send(&rig, &image, NULL), 5);
        CHECK_EQUAL(tandem_install_outcome(&rig.f.install)->status, reasons[i]);
        CHECK_EQUAL(rig_ask(&rig, "04"), TANDEM_ATT_OK);
        CHECK_EQUAL(rig_next(&rig)->bytes[2], 3);
        CHECK_EQUAL(rig_send(&rig, &good, NULL), 1);
        CHECK(rig_activate(&rig));
        CHECK_EQUAL(rig_reset(&rig), 1);
        rig_close(&rig);
        rig_image_free(&image);
        rig_image_free(&good);
    }
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2);
    folder = argv[1];
    REQUIRE(load("ed25519.key", ed25519, sizeof ed25519) == sizeof ed25519);
    REQUIRE(load("p256.key", p256, sizeof p256) == sizeof p256);
    RUN(test_taken);
    RUN(test_refused);
    CHECK_EQUAL(rig_failures(), 0);
    return check_report();
}
