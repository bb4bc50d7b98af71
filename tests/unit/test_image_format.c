/*
 * What a file is: one of each format made here, told apart and summed up;
 * damaged ones; the vendor's own, where they are.
 */
#include "check.h"
#include "hex.h"
#include "realtek_files.h"
#include "tandem/image.h"
#include "tandem/image_mppack.h"
#include "tandem/image_usb.h"
#include "tandem/package.h"

static uint8_t bytes[30000];
static uint8_t more[30000];
static const char *vendor_folder;

static enum tandem_status look(struct tandem_image_info *info, const void *data, uint32_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* so that reading beyond is seen */
    struct tandem_source source;
    enum tandem_status status;

    REQUIRE(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    tandem_image_memory(&source, copy, size);
    status = tandem_image_inspect(info, &source, NULL);
    free(copy);
    return status;
}

static void test_raw(void)
{
    struct tandem_image_info info;

    CHECK_EQUAL(look(&info, "", 0), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_RAW);
    CHECK_EQUAL(look(&info, "whatever", 8), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_RAW);
    CHECK_EQUAL(info.payload_size, 8);
    CHECK_EQUAL(look(&info, "GM, as a text may begin, and what else is in it is no pack", 59), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_RAW);
    CHECK_EQUAL(look(&info, ": a colon", 9), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_RAW);
    for (unsigned i = 0; i < 20; i++)
        CHECK(tandem_image_format_name((enum tandem_image_format)i)[0] != '\0');
}

static void test_package(void)
{
    static const uint8_t image[2000] = {1, 2, 3};
    struct tandem_pack_image images[] = {{.kind = TANDEM_KIND_APPLICATION,
                                          .variant = TANDEM_VARIANT_ANY,
                                          .version = {2, 1, 0, 0},
                                          .data = image,
                                          .size = sizeof image}};
    struct tandem_pack pack = {.vendor = "a",
                               .product = "b",
                               .version = {2, 1, 0, 0},
                               .counter = 1,
                               .block_size = 1024,
                               .images = images,
                               .image_count = 1};
    struct tandem_image_info info;
    uint32_t size;

    REQUIRE(tandem_pack_size(&pack, &size) == TANDEM_OK && size <= sizeof bytes);
    REQUIRE(tandem_pack_write(&pack, NULL, bytes, size) == TANDEM_OK);
    CHECK_EQUAL(look(&info, bytes, size), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_PACKAGE);
    CHECK_EQUAL(info.parts, 1);
    CHECK_EQUAL(info.size, size);
    CHECK_EQUAL(info.version.major, 2);
    CHECK_EQUAL(info.integrity, TANDEM_INTEGRITY_SHA256);
    CHECK_EQUAL(look(&info, bytes, size - 1), TANDEM_ERROR_TRUNCATED);
    CHECK_EQUAL(look(&info, bytes, 10), TANDEM_ERROR_TRUNCATED);
    bytes[19] ^= 1;
    CHECK_EQUAL(look(&info, bytes, size), TANDEM_ERROR_FORMAT);
}

static void test_realtek(void)
{
    for (size_t i = 0; i < MADE_LAYOUTS; i++) {
        uint32_t size = made_image(bytes, &made_layouts[i], 0x2793, 500, 1);
        struct tandem_image_info info;

        CHECK_EQUAL(look(&info, bytes, size), TANDEM_OK);
        CHECK_EQUAL(info.format, TANDEM_FORMAT_REALTEK);
        CHECK_EQUAL(info.kind, TANDEM_KIND_APPLICATION);
        CHECK_EQUAL(info.parts, 1);
        CHECK_EQUAL(info.payload_size, 500);
        CHECK_EQUAL(info.payload_offset, made_layouts[i].header);
        CHECK_EQUAL(info.has_version, 1);
        CHECK_EQUAL(info.integrity, made_layouts[i].old ? 1 : 5);
        CHECK_EQUAL(info.checked, info.integrity);
        CHECK_EQUAL(info.broken, 0);
        CHECK_EQUAL(look(&info, bytes, size - 1), TANDEM_ERROR_TRUNCATED);
        CHECK_EQUAL(info.format, TANDEM_FORMAT_REALTEK);
        bytes[size - 1] ^= 1;
        CHECK_EQUAL(look(&info, bytes, size), TANDEM_OK);
        CHECK_EQUAL(info.broken, info.integrity);
        bytes[size - 1] ^= 1;

        /* Behind an MP header, as the tools keep images. */
        struct tandem_mp_header mp = {.has = TANDEM_MP_BIN_ID | TANDEM_MP_IMAGE | TANDEM_MP_ADDRESS,
                                      .bin_id = 0x0300,
                                      .image = 0x2793,
                                      .address = 0x80E000};
        tandem_mp_header_write(&mp, more);
        memcpy(more + 512, bytes, size);
        CHECK_EQUAL(look(&info, more, 512 + size), TANDEM_OK);
        CHECK_EQUAL(info.format, TANDEM_FORMAT_REALTEK_FILE);
        CHECK_EQUAL(info.has_address, 1);
        CHECK_EQUAL(info.load_address, 0x80E000);
        CHECK_EQUAL(info.payload_offset, 512 + made_layouts[i].header);
        CHECK_EQUAL(info.broken, 0);
        CHECK_EQUAL(look(&info, more, 512 + size - 1), TANDEM_ERROR_TRUNCATED);
    }
}

/* @return bytes of a pack of two images in `more` */
static uint32_t make_pack(void)
{
    static uint8_t second[2000];
    uint32_t size = made_image(bytes, &made_layouts[1], 0x2793, 500, 0);
    struct tandem_mppack_item items[2] = {{.function = 5, .data = bytes, .size = size, .name = "app"},
                                          {.function = 6, .data = second, .name = "data"}};
    struct tandem_mppack_plan plan = {.ic = 5, .version = 1, .ota_allowed = 1, .items = items, .count = 2};
    uint32_t whole;

    items[0].mp = (struct tandem_mp_header){.has = TANDEM_MP_BIN_ID | TANDEM_MP_IMAGE, .image = 0x2793};
    items[1].mp = (struct tandem_mp_header){.has = TANDEM_MP_BIN_ID | TANDEM_MP_IMAGE, .image = 0x2794};
    items[1].size = made_image(second, &made_layouts[1], 0x2794, 60, 0);
    REQUIRE(tandem_mppack_plan_size(&plan, &whole) == TANDEM_OK && whole <= sizeof more);
    REQUIRE(tandem_mppack_write(&plan, more, whole) == TANDEM_OK);
    return whole;
}

static void test_pack(void)
{
    uint32_t size = make_pack();
    struct tandem_image_info info;

    CHECK_EQUAL(look(&info, more, size), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_REALTEK_PACK);
    CHECK_EQUAL(info.parts, 2);
    CHECK_EQUAL(info.size, size);
    CHECK_EQUAL(info.integrity, TANDEM_INTEGRITY_SHA256);
    CHECK_EQUAL(info.broken, 0);
    CHECK_EQUAL(look(&info, more, 1500), TANDEM_ERROR_TRUNCATED);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_REALTEK_PACK);

    /* Both buds'. */
    hex(bytes, "C8B59796"
               "01000000"
               "02000000"
               "01000000"
               "00000000"
               "02000000"
               "00000000");
    made_put(bytes + 16, size, 4);
    made_put(bytes + 24, size, 4);
    memcpy(bytes + 28, more, size);
    memcpy(bytes + 28 + size, more, size);
    CHECK_EQUAL(look(&info, bytes, 28 + 2 * size), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_REALTEK_PAIR);
    CHECK_EQUAL(info.parts, 4);
    CHECK_EQUAL(info.size, 28 + 2 * size);
    CHECK_EQUAL(look(&info, bytes, 27 + 2 * size), TANDEM_ERROR_TRUNCATED);

    more[44 + 24 + 512 + 1024] ^= 1; /* the first image's first byte behind its header */
    CHECK_EQUAL(look(&info, more, size), TANDEM_OK);
    CHECK_EQUAL(info.broken, TANDEM_INTEGRITY_SHA256);
}

static void test_usb(void)
{
    struct tandem_source source;
    struct tandem_image_info info;
    struct tandem_dfu_suffix suffix = {0xFFFF, 1, 0x1209, TANDEM_DFU_PLAIN, 0, 0};
    struct tandem_dfuse_item item = {0, "x", 0x08000000, (const uint8_t *)"1234", 4};
    uint32_t size = make_pack(); /* anything may have a suffix */

    tandem_image_memory(&source, more, size);
    tandem_dfu_suffix_write(&suffix, &source, more + size);
    CHECK_EQUAL(look(&info, more, size + 16), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_DFU);
    CHECK_EQUAL(info.payload_size, size);
    CHECK_EQUAL(info.broken, 0);
    more[0] ^= 1;
    CHECK_EQUAL(look(&info, more, size + 16), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_DFU);
    CHECK_EQUAL(info.broken, TANDEM_INTEGRITY_CRC32);

    REQUIRE(tandem_dfuse_size(&item, 1, &size) == TANDEM_OK);
    REQUIRE(tandem_dfuse_write(&item, 1, &suffix, bytes, size) == TANDEM_OK);
    CHECK_EQUAL(look(&info, bytes, size), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_DFUSE);
    CHECK_EQUAL(info.load_address, 0x08000000);
    CHECK_EQUAL(info.payload_size, 4);
    bytes[size - 1] ^= 1;
    CHECK_EQUAL(look(&info, bytes, size), TANDEM_OK);
    CHECK_EQUAL(info.broken, TANDEM_INTEGRITY_CRC32);
    CHECK_EQUAL(look(&info, bytes, size - 1), TANDEM_ERROR_TRUNCATED);
}

static void test_hex(void)
{
    static const char text[] = ":0100000022DD\n:00000001FF\n";
    struct tandem_image_info info;

    CHECK_EQUAL(look(&info, text, sizeof text - 1), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_INTEL_HEX);
    CHECK_EQUAL(info.payload_size, 1);
    CHECK_EQUAL(look(&info, text, 20), TANDEM_ERROR_TRUNCATED);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_INTEL_HEX);
}

static void test_mcuboot(void)
{
    struct tandem_image_info info;
    struct tandem_sha256 hash;

    memset(bytes, 0, 600);
    hex(bytes, "3DB8F396"
               "00000000"
               "2000"
               "0000"
               "00010000"
               "00000000"
               "01020300"
               "04000000");
    made_put(bytes + 32 + 256, 0x6907, 2); /* TLVs: one digest */
    made_put(bytes + 32 + 258, 4 + 4 + 32, 2);
    made_put(bytes + 32 + 260, 0x10, 2);
    made_put(bytes + 32 + 262, 32, 2);
    tandem_sha256_init(&hash, NULL);
    tandem_sha256_update(&hash, bytes, 32 + 256);
    tandem_sha256_final(&hash, bytes + 32 + 264);
    CHECK_EQUAL(look(&info, bytes, 32 + 256 + 40), TANDEM_OK);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_MCUBOOT);
    CHECK_EQUAL(info.version.major, 1);
    CHECK_EQUAL(info.version.minor, 2);
    CHECK_EQUAL(info.version.patch, 3);
    CHECK_EQUAL(info.version.build, 4);
    CHECK_EQUAL(info.payload_offset, 32);
    CHECK_EQUAL(info.payload_size, 256);
    CHECK_EQUAL(info.integrity, TANDEM_INTEGRITY_SHA256);
    CHECK_EQUAL(info.broken, 0);
    bytes[100] ^= 1;
    CHECK_EQUAL(look(&info, bytes, 32 + 256 + 40), TANDEM_OK);
    CHECK_EQUAL(info.broken, TANDEM_INTEGRITY_SHA256);
    CHECK_EQUAL(look(&info, bytes, 200), TANDEM_ERROR_TRUNCATED);
    CHECK_EQUAL(info.format, TANDEM_FORMAT_MCUBOOT);
}

static void test_vendor(void)
{
    static const struct {
        const char *name;
        uint8_t format, kind;
    } files[] = {
        {"ImgPacketFile-3afb193b40e40dec6db3d7349c50fd06.bin", TANDEM_FORMAT_REALTEK_PACK, 0},
        {"BANK0_Patch_MP_release_0.0.322.2_56a2dbcd-2ca079e00bca6b92dd2af96124332221.bin", TANDEM_FORMAT_REALTEK_FILE,
         TANDEM_KIND_STACK},
        {"BANK0_fsbl_MP_master_1.2.4.0_722f404-e67afdd707414f84601a5bf52b53c788.bin", TANDEM_FORMAT_REALTEK_FILE,
         TANDEM_KIND_BOOTLOADER},
        {"OTAHeader_Bank0_1.0.0.1-5f705cfe1b867919a422c6a4428a97be.bin", TANDEM_FORMAT_REALTEK_FILE, 0},
        {"configFile_2025.09.23.16-cb37be4c6e99e774aa3bef2bfdc9faef.bin", TANDEM_FORMAT_REALTEK_FILE,
         TANDEM_KIND_CONFIG},
        {"OTAHeader_Bank0_1.0.0.1-3e442e5fa761e6422f0b936bc5fb0c25.bin", TANDEM_FORMAT_REALTEK_FILE, 0},
        {"BANK0_boot_patch_MP_release_1.0.183.27_e91dd4ad-dffb4c6d9a02fea1a24302c6e1a76fda.bin",
         TANDEM_FORMAT_REALTEK_FILE, TANDEM_KIND_BOOTLOADER},
    };
    static uint8_t file[65536];

    if (vendor_folder == NULL || vendor_folder[0] == '\0') {
        printf("       the vendor's files are not here\n");
        return;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uint32_t size;
        struct tandem_image_info info;

        size = vendor_file(vendor_folder, files[i].name, file, sizeof file);
        CHECK_EQUAL(look(&info, file, size), TANDEM_OK);
        CHECK_EQUAL(info.format, files[i].format);
        CHECK_EQUAL(info.kind, files[i].kind);
        CHECK_EQUAL(info.parts, 1);
        CHECK_EQUAL(info.size, size);
        CHECK(info.integrity & TANDEM_INTEGRITY_SHA256);
        CHECK_EQUAL(info.broken, 0);
    }
}

int main(int argc, char **argv)
{
    vendor_folder = argc > 1 ? argv[1] : NULL;
    RUN(test_raw);
    RUN(test_package);
    RUN(test_realtek);
    RUN(test_pack);
    RUN(test_usb);
    RUN(test_hex);
    RUN(test_mcuboot);
    RUN(test_vendor);
    return check_report();
}
