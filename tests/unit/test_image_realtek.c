/*
 * Realtek images: headers against the reference's numbers, integrity on images
 * made here and on the vendor's own where they are (their folder is the first
 * argument), every truncation, every changed byte.
 */
#include "check.h"
#include "hex.h"
#include "realtek_files.h"
#include "tandem/image_realtek.h"
#include "tandem/package.h"

static uint8_t bytes[8192];
static const char *vendor_folder;

static enum tandem_status check_all(const struct tandem_realtek_header *image, const struct tandem_source *source,
                                    size_t piece, uint8_t *broken)
{
    static uint8_t buffer[5000];
    struct tandem_realtek_check check;
    enum tandem_status status;

    REQUIRE(tandem_realtek_check_init(&check, image, source, NULL) == TANDEM_OK);
    do
        status = tandem_realtek_check_step(&check, buffer, piece);
    while (status == TANDEM_AGAIN);
    if (broken != NULL)
        *broken = check.broken;
    return status;
}

static void test_layouts(void)
{
    static const uint8_t none[] = {0, 1, 2, 3, 18, 19, 20, 255};
    struct tandem_realtek_layout layout;

    for (size_t i = 0; i < MADE_LAYOUTS; i++) {
        CHECK_EQUAL(tandem_realtek_layout(&layout, made_layouts[i].ic), TANDEM_OK);
        CHECK_EQUAL(layout.control, made_layouts[i].control);
        CHECK_EQUAL(layout.digest, made_layouts[i].digest);
        CHECK_EQUAL(layout.header, made_layouts[i].header);
        CHECK_EQUAL(layout.uuid, layout.control + 12);
        CHECK_EQUAL(layout.form, made_layouts[i].old ? TANDEM_REALTEK_OLD : TANDEM_REALTEK_NEW);
        CHECK_EQUAL(layout.sure, made_layouts[i].ic != 12);
    }
    for (size_t i = 0; i < sizeof none; i++)
        CHECK_EQUAL(tandem_realtek_layout(&layout, none[i]), TANDEM_ERROR_UNSUPPORTED);
}

/* Control headers of real images. */
static void test_control(void)
{
    static const struct {
        const char *bytes;
        uint8_t form;
        struct tandem_realtek_control control;
    } vectors[] = {
        {"050001019327"
         "0000A0B60000",
         TANDEM_REALTEK_OLD,
         {5, 0, 0x0101, 0x2793, 0, 0xB6A0}},
        {"67B210000109"
         "9227006C0000",
         TANDEM_REALTEK_NEW,
         {16, 0, 0x0901, 0x2792, 0xB267, 0x6C00}},
        {"57760F000401"
         "9F37003B0000",
         TANDEM_REALTEK_NEW,
         {15, 0, 0x0104, 0x379F, 0x7657, 0x3B00}},
    };
    uint8_t want[12];
    uint8_t got[12];
    struct tandem_realtek_control control;

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        hex(want, vectors[i].bytes);
        tandem_realtek_control_get(&control, vectors[i].form, want);
        CHECK_EQUAL(control.ic, vectors[i].control.ic);
        CHECK_EQUAL(control.secure_version, vectors[i].control.secure_version);
        CHECK_EQUAL(control.flags, vectors[i].control.flags);
        CHECK_EQUAL(control.image, vectors[i].control.image);
        CHECK_EQUAL(control.crc, vectors[i].control.crc);
        CHECK_EQUAL(control.payload, vectors[i].control.payload);
        tandem_realtek_control_put(&vectors[i].control, vectors[i].form, got);
        CHECK_BYTES(got, want, 12);
    }
}

static void test_good(void)
{
    static const size_t pieces[] = {32, 33, 64, 1000, 5000};

    for (size_t i = 0; i < MADE_LAYOUTS; i++) {
        const struct made_layout *made = &made_layouts[i];

        for (unsigned with_crc = 0; with_crc < 2; with_crc++) {
            uint32_t payload = i % 2 ? 3001 : 0;
            uint32_t size = made_image(bytes, made, 0x2793, payload, (int)with_crc);
            struct tandem_source source;
            struct tandem_realtek_header image;
            struct tandem_realtek_layout layout;
            struct tandem_version version;

            tandem_image_memory(&source, bytes, size);
            CHECK_EQUAL(tandem_realtek_image_find(&image, &source), TANDEM_OK);
            CHECK_EQUAL(image.size, size);
            CHECK_EQUAL(image.control.ic, made->ic);
            CHECK_EQUAL(image.control.payload, payload);
            for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++)
                CHECK_EQUAL(check_all(&image, &source, pieces[j], NULL), TANDEM_OK);

            /* More behind it, as in a slot. */
            tandem_realtek_layout(&layout, made->ic);
            tandem_image_memory(&source, bytes, sizeof bytes);
            CHECK_EQUAL(tandem_realtek_image_read(&image, &source, &layout, made->ic), TANDEM_OK);
            CHECK_EQUAL(image.size, size);
            CHECK_EQUAL(check_all(&image, &source, 512, NULL), TANDEM_OK);
            CHECK_EQUAL(tandem_realtek_image_read(&image, &source, &layout, (uint8_t)(made->ic + 1)),
                        TANDEM_ERROR_TARGET);
            CHECK_EQUAL(tandem_realtek_image_version(&image, &source, &version), 1);
            CHECK_EQUAL(version.major, 1);
            CHECK_EQUAL(version.minor, 0);
            CHECK_EQUAL(version.patch, 4);

            /* Not yet validated: the flag is in no digest. */
            bytes[made->control + (made->old ? 2 : 4)] |= TANDEM_REALTEK_NOT_READY;
            CHECK_EQUAL(tandem_realtek_image_read(&image, &source, &layout, made->ic), TANDEM_OK);
            CHECK_EQUAL(check_all(&image, &source, 512, NULL), TANDEM_OK);
            CHECK_EQUAL(check_all(&image, &source, 33, NULL), TANDEM_OK);
            bytes[size - 1] ^= 1;
            CHECK_EQUAL(check_all(&image, &source, 512, NULL), TANDEM_ERROR_DIGEST);
            if (!made->old) { /* but some are made with it, and then it is */
                size = made_image(bytes, made, 0x278D, payload, 0);
                bytes[made->control + 4] |= TANDEM_REALTEK_NOT_READY;
                tandem_sha256(NULL, bytes + made->control, size - made->control, bytes + made->digest);
                CHECK_EQUAL(tandem_realtek_image_read(&image, &source, &layout, made->ic), TANDEM_OK);
                CHECK_EQUAL(check_all(&image, &source, 512, NULL), TANDEM_OK);
            }
        }
    }
}

/* One bit of each covered byte. */
static void test_changed(void)
{
    for (size_t i = 0; i < MADE_LAYOUTS; i++) {
        const struct made_layout *made = &made_layouts[i];

        for (unsigned with_crc = 0; with_crc < 2; with_crc++) {
            uint32_t size = made_image(bytes, made, 0x2793, 200, (int)with_crc);
            struct tandem_realtek_header good;
            struct tandem_source source;

            tandem_image_memory(&source, bytes, size);
            REQUIRE(tandem_realtek_image_find(&good, &source) == TANDEM_OK);
            for (uint32_t at = 0; at < size; at++) {
                struct tandem_realtek_header image;
                enum tandem_status status;
                /* Where authentication has its place nothing is covered, nor in the old form the control header. */
                int by_digest = at >= made->digest && at < made->digest + 32u;
                int covered = made->old ? (at >= 12 && at < 752 && !by_digest) || at >= 1008 : at >= made->control;
                int in_control = at >= made->control && at < made->control + 12u;

                if (made->old && with_crc && by_digest)
                    covered = 1; /* the CRC takes it too */
                else if (by_digest)
                    covered = 1;
                bytes[at] ^= 0x10;
                status = tandem_realtek_image_find(&image, &source);
                if (status == TANDEM_OK && image.size == good.size) {
                    enum tandem_status verdict = check_all(&image, &source, 700, NULL);

                    if (covered && !(made->old && in_control))
                        CHECK_EQUAL(verdict, TANDEM_ERROR_DIGEST);
                    else if (!in_control)
                        CHECK_EQUAL(verdict, TANDEM_OK);
                    else /* the CRC itself, or what the old form does not protect: its chip, flags and id */
                        CHECK(verdict == TANDEM_OK || verdict == TANDEM_ERROR_DIGEST);
                } else {
                    CHECK(in_control);
                    CHECK(status == TANDEM_ERROR_FORMAT || status == TANDEM_ERROR_TRUNCATED || status == TANDEM_OK);
                }
                bytes[at] ^= 0x10;
            }
            CHECK_EQUAL(check_all(&good, &source, 700, NULL), TANDEM_OK);
        }
    }
}

static void test_truncated(void)
{
    for (size_t i = 0; i < MADE_LAYOUTS; i++) {
        const struct made_layout *made = &made_layouts[i];
        uint32_t size = made_image(bytes, made, 0x2793, 200, 1);
        struct tandem_realtek_layout layout;

        tandem_realtek_layout(&layout, made->ic);
        for (uint32_t cut = 0; cut < size; cut++) {
            uint8_t *copy = malloc(cut ? cut : 1); /* so that reading beyond is seen */
            struct tandem_source source;
            struct tandem_realtek_header image;
            enum tandem_status status;

            REQUIRE(copy != NULL);
            memcpy(copy, bytes, cut);
            tandem_image_memory(&source, copy, cut);
            status = tandem_realtek_image_find(&image, &source);
            CHECK_EQUAL(status, cut < made->control + 12u ? TANDEM_ERROR_FORMAT : TANDEM_ERROR_TRUNCATED);
            CHECK_EQUAL(tandem_realtek_image_read(&image, &source, &layout, made->ic), TANDEM_ERROR_TRUNCATED);
            free(copy);
        }
    }
}

/* ---- sources that are slow, or break ---- */

struct moody {
    struct tandem_source good;
    unsigned calls;
    unsigned fail_at; /* 0: answers TANDEM_AGAIN every other time */
};

static enum tandem_status read_moody(void *ctx, uint32_t offset, void *data, size_t size)
{
    struct moody *moody = ctx;

    moody->calls++;
    if (moody->fail_at == 0 && moody->calls % 2)
        return TANDEM_AGAIN;
    if (moody->fail_at != 0 && moody->calls == moody->fail_at)
        return TANDEM_ERROR_FLASH;
    return moody->good.read(moody->good.ctx, offset, data, size);
}

static enum tandem_status through_moods(struct moody *moody, const struct tandem_source *source)
{
    struct tandem_realtek_header image;
    enum tandem_status status;

    do
        status = tandem_realtek_image_find(&image, source);
    while (status == TANDEM_AGAIN && ++moody->calls < 1000);
    return status == TANDEM_OK ? check_all(&image, source, 500, NULL) : status;
}

static void test_sources(void)
{
    const struct made_layout *made = &made_layouts[MADE_LAYOUTS - 1];
    uint32_t size = made_image(bytes, made, 0x2793, 900, 1);
    struct moody moody = {.calls = 0};
    struct tandem_source source = {.ctx = &moody, .size = size, .read = read_moody};
    struct tandem_realtek_layout layout;
    struct tandem_realtek_header image;
    unsigned calls;

    tandem_image_memory(&moody.good, bytes, size);
    tandem_realtek_layout(&layout, made->ic);
    CHECK_EQUAL(tandem_realtek_image_read(&image, &source, &layout, made->ic), TANDEM_AGAIN);
    CHECK_EQUAL(tandem_realtek_image_read(&image, &source, &layout, made->ic), TANDEM_OK);
    CHECK_EQUAL(check_all(&image, &source, 500, NULL), TANDEM_OK);

    moody.fail_at = 1000000;
    moody.calls = 0;
    CHECK_EQUAL(through_moods(&moody, &source), TANDEM_OK);
    calls = moody.calls;
    for (moody.fail_at = 1; moody.fail_at <= calls; moody.fail_at++) {
        moody.calls = 0;
        CHECK_EQUAL(through_moods(&moody, &source), TANDEM_ERROR_FLASH);
    }
}

static enum tandem_status broken_update(void *ctx, struct tandem_sha256 *hash, const void *data, size_t size)
{
    (void)ctx;
    (void)hash;
    (void)data;
    (void)size;
    return TANDEM_ERROR_PORT;
}

static enum tandem_status idle_init(void *ctx, struct tandem_sha256 *hash)
{
    (void)ctx;
    (void)hash;
    return TANDEM_OK;
}

static enum tandem_status broken_final(void *ctx, struct tandem_sha256 *hash, uint8_t *digest)
{
    (void)ctx;
    (void)hash;
    (void)digest;
    return TANDEM_ERROR_PORT;
}

static void test_port_fails(void)
{
    static const struct tandem_crypto_port port = {
        .sha256_init = idle_init, .sha256_update = broken_update, .sha256_final = broken_final};
    uint32_t size = made_image(bytes, &made_layouts[1], 0x2793, 900, 0);
    struct tandem_source source;
    struct tandem_realtek_header image;
    struct tandem_realtek_check check;
    uint8_t buffer[64];

    tandem_image_memory(&source, bytes, size);
    REQUIRE(tandem_realtek_image_find(&image, &source) == TANDEM_OK);
    CHECK_EQUAL(tandem_realtek_check_init(&check, &image, &source, &port), TANDEM_OK);
    CHECK_EQUAL(tandem_realtek_check_step(&check, buffer, 31), TANDEM_ERROR_ARGUMENT);
    CHECK_EQUAL(tandem_realtek_check_step(&check, buffer, sizeof buffer), TANDEM_ERROR_PORT);
}

/* ---- compressed ---- */

static void test_compressed(void)
{
    struct tandem_realtek_layout layout;
    struct tandem_realtek_header image;
    struct tandem_source source;
    struct tandem_version version;

    memset(bytes, 0, 96 + 500);
    hex(bytes, "00001000010C9327F4010000");
    made_put(bytes + 28, 0x00004001, 4);
    memset(bytes + 96, 0x5D, 500);
    tandem_sha256(NULL, bytes + 96, 500, bytes + 36);
    tandem_image_memory(&source, bytes, 96 + 500);
    tandem_realtek_layout_compressed(&layout);
    CHECK_EQUAL(tandem_realtek_image_read(&image, &source, &layout, 16), TANDEM_OK);
    CHECK_EQUAL(image.size, 596);
    CHECK_EQUAL(check_all(&image, &source, 100, NULL), TANDEM_OK);
    CHECK_EQUAL(tandem_realtek_image_version(&image, &source, &version), 1);
    CHECK_EQUAL(version.patch, 4);
    bytes[595] ^= 1;
    CHECK_EQUAL(check_all(&image, &source, 100, NULL), TANDEM_ERROR_DIGEST);
}

/* ---- ids and versions ---- */

static void test_ids(void)
{
    unsigned known = 0;

    for (uint32_t id = 0; id < 0x10000; id++)
        known += (unsigned)tandem_realtek_image_known((uint16_t)id);
    CHECK_EQUAL(known, (0x27A4 - 0x278D + 1) + 1 + 2 + 2 + 3 + 2 + 6 + 1 + 8);
    CHECK_EQUAL(tandem_realtek_image_kind(0x2793), TANDEM_KIND_APPLICATION);
    CHECK_EQUAL(tandem_realtek_image_kind(0x37A9), TANDEM_KIND_APPLICATION);
    CHECK_EQUAL(tandem_realtek_image_kind(0x2792), TANDEM_KIND_STACK);
    CHECK_EQUAL(tandem_realtek_image_kind(0x278D), TANDEM_KIND_CONFIG);
    CHECK_EQUAL(tandem_realtek_image_kind(0x379F), TANDEM_KIND_BOOTLOADER);
    CHECK_EQUAL(tandem_realtek_image_kind(0xFFFE), TANDEM_KIND_DATA);
    CHECK_EQUAL(tandem_realtek_image_kind(0x2790), 0);
    CHECK_EQUAL(tandem_realtek_image_kind(0x37A1), 0);
}

static void test_versions(void)
{
    static const struct {
        uint8_t ic;
        uint16_t image;
        uint32_t packed;
        struct tandem_version version;
    } vectors[] = {
        {5, 0x2793, 0x00004001, {1, 0, 4, 0}},           /* a real application */
        {16, 0x2792, 0x10142000, {0, 0, 322, 2}},        /* a real ROM patch, 0.0.322.2 */
        {16, 0x2791, 0x00004021, {1, 2, 4, 0}},          /* a real boot loader, 1.2.4.0 */
        {15, 0x379F, 0xD80B7001, {1, 0, 183, 27}},       /* a real boot patch, 1.0.183.27 */
        {16, 0x2790, 0x01000001, {1, 0, 0, 1}},          /* a real OTA header, 1.0.0.1 */
        {15, 0x37A0, 0x01000001, {1, 0, 0, 1}},          /* a real OTA header */
        {16, 0x278D, 0x04030201, {1, 2, 3, 4}},          /* configuration: a byte each */
        {11, 0x2793, 0x00000000, {0, 0, 0, 0}},          /* audio: 4, 8, 9, 11 bits */
        {11, 0x2793, 0xFFE00000, {0, 0, 0, 2047}},       /* */
        {11, 0x2793, 0x001FF000, {0, 0, 511, 0}},        /* */
        {11, 0x279F, 0x00000FFF, {15, 255, 0, 0}},       /* */
        {11, 0x2794, 0xDEADBEEF, {0, 0, 0, 0xDEADBEEF}}, /* DSP: nobody agrees */
    };
    struct tandem_version version;
    uint32_t packed;

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        tandem_realtek_version(&version, vectors[i].ic, vectors[i].image, vectors[i].packed);
        CHECK_EQUAL(tandem_version_compare(&version, &vectors[i].version), 0);
        CHECK_EQUAL(tandem_realtek_version_pack(&packed, vectors[i].ic, vectors[i].image, &vectors[i].version),
                    TANDEM_OK);
        CHECK_EQUAL(packed, vectors[i].packed);
    }
    version = (struct tandem_version){16, 0, 0, 0}; /* four bits */
    CHECK_EQUAL(tandem_realtek_version_pack(&packed, 5, 0x2793, &version), TANDEM_ERROR_TOO_LARGE);
    version = (struct tandem_version){1, 256, 0, 0};
    CHECK_EQUAL(tandem_realtek_version_pack(&packed, 16, 0x2790, &version), TANDEM_ERROR_TOO_LARGE);
    version = (struct tandem_version){1, 0, 0, 32};
    CHECK_EQUAL(tandem_realtek_version_pack(&packed, 5, 0x2793, &version), TANDEM_ERROR_TOO_LARGE);
}

/* ---- the vendor's own ---- */

static void test_vendor(void)
{
    static const struct {
        const char *name;
        uint32_t skip; /* to the image: what the tools put before it */
        uint8_t ic;
        uint16_t image;
        uint32_t size;
        uint8_t integrity;
        struct tandem_version version; /* in the file's name */
    } files[] = {
        {"ImgPacketFile-3afb193b40e40dec6db3d7349c50fd06.bin", 44 + 12 + 512, 5, 0x2793, 0xBAA0, 4, {1, 0, 4, 0}},
        {"BANK0_Patch_MP_release_0.0.322.2_56a2dbcd-2ca079e00bca6b92dd2af96124332221.bin",
         512,
         16,
         0x2792,
         0x7000,
         5,
         {0, 0, 322, 2}},
        {"BANK0_fsbl_MP_master_1.2.4.0_722f404-e67afdd707414f84601a5bf52b53c788.bin",
         512,
         16,
         0x2791,
         0xCF0,
         5,
         {1, 2, 4, 0}},
        {"OTAHeader_Bank0_1.0.0.1-5f705cfe1b867919a422c6a4428a97be.bin", 512, 16, 0x2790, 0x400, 4, {1, 0, 0, 1}},
        {"configFile_2025.09.23.16-cb37be4c6e99e774aa3bef2bfdc9faef.bin", 512, 16, 0x278D, 0x5FC, 5, {0, 0, 0, 0}},
        {"OTAHeader_Bank0_1.0.0.1-3e442e5fa761e6422f0b936bc5fb0c25.bin", 512, 15, 0x37A0, 0x500, 5, {1, 0, 0, 1}},
        {"BANK0_boot_patch_MP_release_1.0.183.27_e91dd4ad-dffb4c6d9a02fea1a24302c6e1a76fda.bin",
         512,
         15,
         0x379F,
         0x4000,
         5,
         {1, 0, 183, 27}},
    };
    static uint8_t file[65536];

    if (vendor_folder == NULL || vendor_folder[0] == '\0') {
        printf("       the vendor's files are not here\n");
        return;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uint32_t size;
        struct tandem_source whole;
        struct tandem_image_part part;
        struct tandem_realtek_header image;
        struct tandem_realtek_check check;
        struct tandem_version version;

        size = vendor_file(vendor_folder, files[i].name, file, sizeof file);
        tandem_image_memory(&whole, file, size);
        REQUIRE(tandem_image_part(&part, &whole, files[i].skip, files[i].size) == TANDEM_OK);
        CHECK_EQUAL(tandem_realtek_image_find(&image, &part.source), TANDEM_OK);
        CHECK_EQUAL(image.control.ic, files[i].ic);
        CHECK_EQUAL(image.control.image, files[i].image);
        CHECK_EQUAL(image.size, files[i].size);
        CHECK_EQUAL(tandem_realtek_check_whole(&check, &image, &part.source, NULL), TANDEM_OK);
        CHECK_EQUAL(check.integrity, files[i].integrity);
        if (tandem_realtek_image_kind(files[i].image) != TANDEM_KIND_CONFIG) {
            CHECK_EQUAL(tandem_realtek_image_version(&image, &part.source, &version), 1);
            CHECK_EQUAL(tandem_version_compare(&version, &files[i].version), 0);
        }
        file[files[i].skip + files[i].size - 1] ^= 1;
        CHECK_EQUAL(check_all(&image, &part.source, 512, NULL), TANDEM_ERROR_DIGEST);
    }
}

int main(int argc, char **argv)
{
    vendor_folder = argc > 1 ? argv[1] : NULL;
    RUN(test_layouts);
    RUN(test_control);
    RUN(test_good);
    RUN(test_changed);
    RUN(test_truncated);
    RUN(test_sources);
    RUN(test_port_fails);
    RUN(test_compressed);
    RUN(test_ids);
    RUN(test_versions);
    RUN(test_vendor);
    return check_report();
}
