/*
 * What Realtek's host half makes of files: packs of one bank and of two, single
 * images with and without what their tools put before them, combined files for
 * a pair. With a folder of real files as argument, a real pack too.
 */
#include "check.h"

#include "tandem/image_mppack.h"
#include "tandem/realtek_host.h"

#define IMAGE_MAX 8192

static uint8_t images[4][IMAGE_MAX];
static uint32_t sizes[4];
static uint8_t bytes[6 * IMAGE_MAX];
static struct tandem_source source;
static struct tandem_realtek_file file;
static const char *folder;

static void make(unsigned index, uint8_t ic, uint16_t image, uint16_t major, uint32_t payload)
{
    static uint8_t content[IMAGE_MAX];
    struct tandem_realtek_wrap wrap = {.ic = ic, .image = image, .version = {major, 2, 3, 0}, .payload = content};

    memset(content, (int)index + 1, sizeof content);
    wrap.size = payload;
    REQUIRE(tandem_realtek_wrap_size(&wrap, &sizes[index]) == TANDEM_OK && sizes[index] <= IMAGE_MAX);
    REQUIRE(tandem_realtek_wrap_write(&wrap, NULL, images[index], sizes[index]) == TANDEM_OK);
}

static uint32_t pack(uint8_t *out, uint8_t ic, unsigned count, int both, uint8_t ota_allowed)
{
    struct tandem_mppack_item items[4];
    struct tandem_mppack_plan plan = {.ic = ic, .version = 3, .ota_allowed = ota_allowed, .items = items};
    uint32_t size;

    memset(items, 0, sizeof items);
    for (unsigned i = 0; i < count; i++) {
        items[i].function = i & 1 ? 5 : 2;
        items[i].bank = both && i >= 2;
        items[i].mp.has = TANDEM_MP_BIN_ID | TANDEM_MP_IMAGE | TANDEM_MP_IMAGE_VERSION;
        items[i].mp.image = i & 1 ? 0x2793 : 0x2790;
        items[i].mp.image_version = 0x100u + i;
        items[i].data = images[i];
        items[i].size = sizes[i];
        items[i].name = "n";
    }
    plan.count = (uint16_t)count;
    REQUIRE(tandem_mppack_plan_size(&plan, &size) == TANDEM_OK);
    REQUIRE(tandem_mppack_write(&plan, out, size) == TANDEM_OK);
    return size;
}

static void make_all(uint8_t ic)
{
    for (unsigned i = 0; i < 4; i++)
        make(i, ic, i & 1 ? 0x2793 : 0x2790, 1, 700 + 100 * i);
}

static void test_packs(void)
{
    static const uint8_t chips[3] = {5, 11, 16};

    for (unsigned c = 0; c < 3; c++) {
        for (int both = 0; both < 2; both++) {
            unsigned count = both ? 4 : 2;

            make_all(chips[c]);
            tandem_image_memory(&source, bytes, pack(bytes, chips[c], count, both, 1));
            CHECK_EQUAL(tandem_realtek_file_open(&file, &source, 0), TANDEM_OK);
            CHECK_EQUAL(file.ic, chips[c]);
            CHECK_EQUAL(file.packed, 1);
            CHECK_EQUAL(file.count, count);
            for (unsigned i = 0; i < count; i++) {
                CHECK_EQUAL(file.parts[i].image, i & 1 ? 0x2793 : 0x2790);
                CHECK_EQUAL(file.parts[i].bank, i >= 2);
                CHECK_EQUAL(file.parts[i].version, 0x100 + i);
                CHECK_EQUAL(file.parts[i].size, sizes[i]);
                CHECK_BYTES(bytes + file.parts[i].offset, images[i], sizes[i]);
            }
        }
    }
    tandem_image_memory(&source, bytes, pack(bytes, 16, 2, 0, 0));
    CHECK_EQUAL(tandem_realtek_file_open(&file, &source, 0), TANDEM_ERROR_UNSUPPORTED);
}

static void test_single_images(void)
{
    uint32_t version;

    make(1, 5, 0x2793, 7, 3000);
    tandem_image_memory(&source, images[1], sizes[1]);
    CHECK_EQUAL(tandem_realtek_file_open(&file, &source, 0), TANDEM_OK);
    CHECK_EQUAL(file.count, 1);
    CHECK_EQUAL(file.packed, 0);
    CHECK_EQUAL(file.parts[0].size, sizes[1]);
    CHECK_EQUAL(file.parts[0].versioned, 1);
    CHECK_EQUAL(
        tandem_realtek_version_pack(&version, 5, 0x2793, &(struct tandem_version){.major = 7, .minor = 2, .patch = 3}),
        TANDEM_OK);
    CHECK_EQUAL(file.parts[0].version, version);
    CHECK_BYTES(file.parts[0].control, images[1], 12); /* the old layout begins with it */
    memset(bytes, 0x5A, sizeof bytes);
    tandem_image_memory(&source, bytes, 5000);
    CHECK_EQUAL(tandem_realtek_file_open(&file, &source, 0), TANDEM_ERROR_FORMAT);
}

static void test_combined(void)
{
    static const uint8_t head[12] = {0xC8, 0xB5, 0x97, 0x96, 1, 0, 0, 0, 2, 0, 0, 0};
    uint32_t first, second;

    make_all(11);
    memcpy(bytes, head, sizeof head);
    memset(bytes + 12, 0, 16);
    first = pack(bytes + 28, 11, 2, 0, 1);
    make(1, 11, 0x2793, 1, 1500);
    second = pack(bytes + 28 + first, 11, 2, 0, 1);
    bytes[12] = 1;
    memcpy(bytes + 16, (uint8_t[4]){(uint8_t)first, (uint8_t)(first >> 8), (uint8_t)(first >> 16), 0}, 4);
    bytes[20] = 2;
    memcpy(bytes + 24, (uint8_t[4]){(uint8_t)second, (uint8_t)(second >> 8), (uint8_t)(second >> 16), 0}, 4);
    tandem_image_memory(&source, bytes, 28 + first + second);
    for (uint8_t role = 0; role < 3; role++) {
        CHECK_EQUAL(tandem_realtek_file_open(&file, &source, role), TANDEM_OK);
        CHECK_EQUAL(file.count, 2);
        CHECK_EQUAL(file.parts[1].size, role == 2 ? sizes[1] : 1024 + 800);
        CHECK_EQUAL(file.parts[1].offset >= 28 + first, role == 2);
    }
    for (uint32_t size = 0; size < 28 + first + second; size += 97) { /* whatever is cut off */
        tandem_image_memory(&source, bytes, size);
        (void)tandem_realtek_file_open(&file, &source, 2);
    }
    CHECK_EQUAL(tandem_realtek_file_open(&file, &source, 2) != TANDEM_OK, 1);
}

static void test_real_pack(void)
{
    static uint8_t real[60000];
    char path[1000];
    FILE *in;
    size_t size;

    if (folder == NULL)
        return;
    snprintf(path, sizeof path, "%s/ImgPacketFile-3afb193b40e40dec6db3d7349c50fd06.bin", folder);
    in = fopen(path, "rb");
    if (in == NULL) {
        printf("  %s is not there\n", path);
        return;
    }
    size = fread(real, 1, sizeof real, in);
    fclose(in);
    tandem_image_memory(&source, real, (uint32_t)size);
    CHECK_EQUAL(tandem_realtek_file_open(&file, &source, 0), TANDEM_OK);
    CHECK_EQUAL(file.ic, 5);
    CHECK_EQUAL(file.count, 1);
    CHECK_EQUAL(file.parts[0].image, 0x2793);
    CHECK_EQUAL(file.parts[0].version, 0x4001);
    CHECK_EQUAL(file.parts[0].size, 0xBAA0);
}

int main(int argc, char **argv)
{
    folder = argc > 1 ? argv[1] : NULL;
    RUN(test_packs);
    RUN(test_single_images);
    RUN(test_combined);
    RUN(test_real_pack);
    return check_report();
}
