/*
 * MCUboot's images, as the real imgtool makes them (mcuboot_images.py): what
 * is in them, who signed them, and that nothing altered passes.
 *
 * Usage: test_mcuboot FOLDER [STRIDE]; the stride makes the sweeps coarser
 */
#include "check.h"
#include "core/bytes.h"
#include "core/mcuboot.h"

#define SIZE_MAX_HERE 20000
#define HEADER 0x80u
#define BODY 1500u

static const char *folder;
static uint32_t stride = 1;
static uint8_t ed25519_bytes[32], p256_bytes[64];
static struct tandem_key keys[2];

struct file {
    uint8_t bytes[SIZE_MAX_HERE];
    uint32_t size;
    uint32_t fail_at; /* reading this byte fails; 0: none does */
};

static enum tandem_status read_file(void *ctx, uint32_t offset, void *data, size_t size)
{
    const struct file *file = (const struct file *)ctx;
    REQUIRE(offset <= file->size && size <= file->size - offset); /* it was told how much there is */
    if (file->fail_at != 0 && file->fail_at >= offset && file->fail_at - offset < size)
        return TANDEM_ERROR_FLASH;
    memcpy(data, file->bytes + offset, size);
    return TANDEM_OK;
}

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

static void load_image(struct file *file, const char *name)
{
    file->size = load(name, "bin", file->bytes, sizeof file->bytes);
    file->fail_at = 0;
}

static struct tandem_source source_of(struct file *file)
{
    struct tandem_source source = {.ctx = file, .size = file->size, .read = read_file};
    return source;
}

/* Read, hash and verify. */
static enum tandem_status judge(struct file *file, struct tandem_mcuboot *image, uint32_t revoked)
{
    uint8_t digest[TANDEM_SHA256_SIZE];
    struct tandem_source source = source_of(file);
    enum tandem_status status = tandem_mcuboot_open(image, &source);
    if (status == TANDEM_OK)
        status = tandem_mcuboot_hash(image, &source, NULL, digest);
    return status == TANDEM_OK ? tandem_mcuboot_verify(image, &source, NULL, keys, 2, revoked, digest) : status;
}

static enum tandem_status judge_case(const char *name, struct tandem_mcuboot *image)
{
    static struct file file;
    load_image(&file, name);
    return judge(&file, image, 0);
}

/* ---- what is in them ---- */

static void contents(void)
{
    static const char *const names[] = {"ed25519", "p256"};
    static const struct tandem_version version = {2, 3, 4, 5}, minimum = {1, 2, 3, 4};
    for (unsigned i = 0; i < 2; i++) {
        static struct file file;
        struct tandem_mcuboot image;
        load_image(&file, names[i]);
        CHECK_EQUAL(judge(&file, &image, 0), TANDEM_OK);
        CHECK_EQUAL(image.header_size, HEADER);
        CHECK_EQUAL(image.image_size, BODY);
        CHECK_EQUAL(image.protected_size, 4 + 8 + 2 * 16);
        CHECK_EQUAL(image.signed_size, HEADER + BODY + image.protected_size);
        CHECK_EQUAL(image.total_size, file.size);
        CHECK_EQUAL(image.flags, 0);
        CHECK_EQUAL(tandem_version_compare(&image.version, &version), 0);
        CHECK(image.has_counter && image.has_digest);
        CHECK_EQUAL(image.counter, 7);
        CHECK_EQUAL(image.dependency_count, 2);
        CHECK_EQUAL(image.dependencies[0].image, 1);
        CHECK_EQUAL(tandem_version_compare(&image.dependencies[0].minimum, &minimum), 0);
        CHECK_EQUAL(image.dependencies[1].image, 0);
        CHECK_EQUAL(image.dependencies[1].minimum.major, 9);
    }
}

/* Every TLV once, in its area. */
static void walk(void)
{
    static struct file file;
    static const uint16_t types[] = {MCUBOOT_TLV_COUNTER, 0xA0, MCUBOOT_TLV_SHA256, MCUBOOT_TLV_KEY_HASH,
                                     MCUBOOT_TLV_ED25519};
    static const uint16_t sizes[] = {4, 5, 32, 32, 64};
    struct tandem_mcuboot image;
    struct tandem_mcuboot_tlv tlv;
    uint32_t at = 0;
    load_image(&file, "custom");
    struct tandem_source source = source_of(&file);
    CHECK_EQUAL(judge(&file, &image, 0), TANDEM_OK);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQUAL(tandem_mcuboot_next(&image, &source, &at, &tlv), TANDEM_OK);
        CHECK_EQUAL(tlv.type, types[i]);
        CHECK_EQUAL(tlv.size, sizes[i]);
        CHECK_EQUAL(tlv.is_protected, i < 2);
    }
    CHECK_BYTES(file.bytes + image.signed_size - 5, "\1\2\3\4\5", 5);
    CHECK_EQUAL(tandem_mcuboot_next(&image, &source, &at, &tlv), TANDEM_ERROR_NOTHING);
}

/* ---- who signed them ---- */

static void signatures(void)
{
    static const struct {
        const char *name;
        enum tandem_status status;
    } cases[] = {
        {"ed25519_plain", TANDEM_OK},        {"p256_plain", TANDEM_OK},      {"ed25519_whole_key", TANDEM_OK},
        {"p256_whole_key", TANDEM_OK},       {"p256_padded", TANDEM_OK},     {"loaded", TANDEM_OK},
        {"unsigned", TANDEM_ERROR_UNSIGNED}, {"rsa", TANDEM_ERROR_UNSIGNED}, /* by an algorithm that is not known here
                                                                              */
        {"stranger", TANDEM_ERROR_KEY},      {"pure", TANDEM_ERROR_DIGEST},  /* over all of it, and no digest */
        {"sha512", TANDEM_ERROR_DIGEST},
    };
    struct tandem_mcuboot image;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!CHECK_EQUAL(judge_case(cases[i].name, &image), cases[i].status))
            fprintf(stderr, "  %s\n", cases[i].name);
    CHECK_EQUAL(judge_case("loaded", &image), TANDEM_OK);
    CHECK_EQUAL(image.load_address, 0x20001000);
    CHECK_EQUAL(image.flags, MCUBOOT_FLAG_RAM_LOAD);
    judge_case("encrypted", &image);
    CHECK(image.flags & MCUBOOT_FLAG_ENCRYPTED);
    judge_case("ed25519_plain", &image);
    CHECK(!image.has_counter && image.protected_size == 0 && image.dependency_count == 0);
    /* With a trailer behind it: the image ends where its TLVs end. */
    CHECK_EQUAL(judge_case("slot", &image), TANDEM_OK);
    CHECK_EQUAL(image.total_size, HEADER + BODY + 4 + 36 + 36 + 68);
}

static void revoked(void)
{
    static struct file file;
    struct tandem_mcuboot image;
    load_image(&file, "ed25519");
    CHECK_EQUAL(judge(&file, &image, 1), TANDEM_ERROR_REVOKED);
    CHECK_EQUAL(judge(&file, &image, 2), TANDEM_OK);
    load_image(&file, "p256");
    CHECK_EQUAL(judge(&file, &image, 2), TANDEM_ERROR_REVOKED);
    CHECK_EQUAL(judge(&file, &image, 1), TANDEM_OK);
}

/* The same key under another type is another key; and a key nobody names is not tried. */
static void key_names(void)
{
    static struct file file;
    struct tandem_mcuboot image;
    uint8_t hash[TANDEM_SHA256_SIZE];
    load_image(&file, "ed25519_plain");
    CHECK_EQUAL(judge(&file, &image, 0), TANDEM_OK);
    CHECK_EQUAL(tandem_mcuboot_key_hash(NULL, &keys[0], hash), TANDEM_OK);
    CHECK_BYTES(file.bytes + image.total_size - 68 - 32, hash, 32);
    tandem_store_le16(file.bytes + image.total_size - 68 - 36, 0x99); /* another type */
    CHECK_EQUAL(judge(&file, &image, 0), TANDEM_ERROR_KEY);
}

/* ---- altered ---- */

/* Whatever bit is turned over: refused. Bits of every byte of what surrounds the image, and of one in many of its own.
 */
static void bits(void)
{
    static const char *const names[] = {"ed25519", "p256", "p256_padded", "ed25519_whole_key"};
    static struct file file;
    struct tandem_mcuboot image;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        load_image(&file, names[i]);
        CHECK_EQUAL(judge(&file, &image, 0), TANDEM_OK);
        uint32_t tlvs = image.header_size + image.image_size;
        for (uint32_t at = 0; at < file.size; at += at < 32 || at >= tlvs ? stride : 97)
            for (unsigned bit = at % 3; bit < 8; bit += 3) {
                file.bytes[at] ^= (uint8_t)(1u << bit);
                if (!CHECK(judge(&file, &image, 0) != TANDEM_OK))
                    fprintf(stderr, "  %s, byte %lu, bit %u\n", names[i], (unsigned long)at, bit);
                file.bytes[at] ^= (uint8_t)(1u << bit);
            }
        CHECK_EQUAL(judge(&file, &image, 0), TANDEM_OK);
    }
}

static void cut_short(void)
{
    static struct file file;
    struct tandem_mcuboot image;
    load_image(&file, "p256");
    uint32_t size = file.size;
    for (file.size = 0; file.size < size; file.size += stride)
        CHECK_EQUAL(judge(&file, &image, 0), TANDEM_ERROR_TRUNCATED);
    file.size = size;
    /* A read that fails is no verdict, wherever it is. */
    for (uint32_t at = 1; at < size; at += 3 * stride) {
        file.fail_at = at;
        CHECK_EQUAL(judge(&file, &image, 0), TANDEM_ERROR_FLASH);
    }
}

/* Sizes that lie: each field of the header, and of an area, at its extremes. */
static void sizes(void)
{
    static const uint32_t values[] = {0, 1, 3, 4, 5, 31, 0x7FFFFFFF, 0x80000000, 0xFFFFFF00, 0xFFFFFFFF};
    static struct file file;
    struct tandem_mcuboot image;
    load_image(&file, "ed25519");
    uint32_t tlvs = HEADER + BODY + 44;
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        static struct file wrong;
        wrong = file;
        tandem_store_le32(wrong.bytes + 12, values[i]);
        CHECK(judge(&wrong, &image, 0) != TANDEM_OK);
        for (unsigned at = 8; at < 12; at += 2) {
            wrong = file;
            tandem_store_le16(wrong.bytes + at, (uint16_t)values[i]);
            CHECK(judge(&wrong, &image, 0) != TANDEM_OK);
        }
        wrong = file;
        tandem_store_le16(wrong.bytes + tlvs + 2, (uint16_t)values[i]);
        CHECK(judge(&wrong, &image, 0) != TANDEM_OK);
        wrong = file;
        tandem_store_le16(wrong.bytes + tlvs + 6, (uint16_t)values[i]);
        CHECK(judge(&wrong, &image, 0) != TANDEM_OK);
    }
}

/* A counter and a digest that come twice, and a counter that anybody could have written. */
static void twice(void)
{
    static struct file file;
    struct tandem_mcuboot image;
    load_image(&file, "ed25519");
    uint32_t tlvs = HEADER + BODY + 44;
    memmove(file.bytes + tlvs + 40, file.bytes + tlvs + 4, file.size - tlvs - 4); /* the digest once more */
    file.size += 36;
    tandem_store_le16(file.bytes + tlvs + 2, (uint16_t)(file.size - tlvs));
    CHECK_EQUAL(judge(&file, &image, 0), TANDEM_ERROR_FORMAT);
    load_image(&file, "ed25519_plain");
    memcpy(file.bytes + file.size, "\x50\0\4\0\xFF\0\0\0", 8); /* a counter, outside what is signed */
    file.size += 8;
    tandem_store_le16(file.bytes + HEADER + BODY + 2, (uint16_t)(file.size - HEADER - BODY));
    CHECK_EQUAL(judge(&file, &image, 0), TANDEM_OK);
    CHECK(!image.has_counter && image.counter == 0);
    load_image(&file, "ed25519");
    tandem_store_le16(file.bytes + HEADER + BODY + 4 + 8, MCUBOOT_TLV_COUNTER); /* a dependency turned counter */
    CHECK_EQUAL(judge(&file, &image, 0), TANDEM_ERROR_FORMAT);
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
    keys[0].type = TANDEM_KEY_ED25519;
    keys[0].key = ed25519_bytes;
    keys[1].type = TANDEM_KEY_P256;
    keys[1].key = p256_bytes;
    RUN(contents);
    RUN(walk);
    RUN(signatures);
    RUN(revoked);
    RUN(key_names);
    RUN(bits);
    RUN(cut_short);
    RUN(sizes);
    RUN(twice);
    return check_report();
}
