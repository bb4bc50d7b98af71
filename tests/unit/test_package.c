/*
 * Packages: written and read back, every structural rule of docs/package.md
 * broken once, every bit turned over, and the document's own example.
 */
#include "check.h"
#include "core/bytes.h"
#include "core/package_wire.h"
#include "fixture.h"
#include "hex.h"

/* ---- a head built field by field, right or wrong ---- */

struct draft {
    uint8_t bytes[0x20000];
    uint32_t size;     /* so far */
    uint32_t manifest; /* where the manifest ends; 0: still open */
    uint32_t payloads; /* bytes of payload announced */
};

static struct draft draft;

static void draft_field(uint16_t type, const void *value, uint32_t size)
{
    tandem_store_le16(draft.bytes + draft.size, type);
    tandem_store_le16(draft.bytes + draft.size + 2, (uint16_t)size);
    memcpy(draft.bytes + draft.size + FIELD_HEAD, value, size);
    draft.size += FIELD_HEAD + size;
}

static void draft_identity(void)
{
    static const uint8_t version[TANDEM_VERSION_WIRE_SIZE] = {2};
    static const uint8_t counter[4] = {1};
    draft_field(FIELD_VENDOR, "Acme", 4);
    draft_field(FIELD_PRODUCT, "Bud", 3);
    draft_field(FIELD_VERSION, version, sizeof version);
    draft_field(FIELD_COUNTER, counter, sizeof counter);
}

/* Offsets of payloads are counted from the head's end and set right by draft_end(). */
static uint8_t *draft_image(uint8_t kind, uint8_t variant, uint32_t size, const void *nested, uint32_t nested_size)
{
    uint8_t value[512] = {0};
    uint32_t payload = size + (size - 1) / 512 * TANDEM_BLOCK_DIGEST_SIZE;
    value[IMAGE_KIND] = kind;
    value[IMAGE_VARIANT] = variant;
    tandem_store_le32(value + IMAGE_SIZE, size);
    tandem_store_le32(value + IMAGE_PAYLOAD_OFFSET, draft.payloads);
    tandem_store_le32(value + IMAGE_PAYLOAD_SIZE, payload);
    tandem_store_le16(value + IMAGE_BLOCK_SIZE, 512);
    if (nested_size != 0)
        memcpy(value + IMAGE_FIXED, nested, nested_size);
    draft.payloads += payload;
    uint8_t *place = draft.bytes + draft.size + FIELD_HEAD;
    draft_field(FIELD_IMAGE, value, IMAGE_FIXED + nested_size);
    return place;
}

static void draft_begin(void)
{
    memset(&draft, 0, sizeof draft);
    draft.size = TANDEM_PACKAGE_HEADER_SIZE;
}

/* Make the header, with the head's checksum right. */
static void draft_header(uint32_t manifest_size, uint32_t signatures_size, uint32_t package_size)
{
    tandem_store_le32(draft.bytes + HEADER_MAGIC, TANDEM_PACKAGE_MAGIC);
    draft.bytes[HEADER_FORMAT] = PACKAGE_FORMAT;
    draft.bytes[HEADER_FLAGS] = 0;
    tandem_store_le16(draft.bytes + HEADER_SIZE, TANDEM_PACKAGE_HEADER_SIZE);
    tandem_store_le16(draft.bytes + HEADER_MANIFEST_SIZE, (uint16_t)manifest_size);
    tandem_store_le16(draft.bytes + HEADER_SIGNATURES_SIZE, (uint16_t)signatures_size);
    tandem_store_le32(draft.bytes + HEADER_PACKAGE_SIZE, package_size);
    tandem_store_le32(draft.bytes + HEADER_CRC,
                      tandem_crc32(TANDEM_CRC32_START, draft.bytes, HEADER_CRC) ^ 0xFFFFFFFFu);
}

/* The manifest is complete: payload offsets become absolute. */
static void draft_end(void)
{
    uint32_t at = TANDEM_PACKAGE_HEADER_SIZE;
    while (at + FIELD_HEAD <= draft.size) {
        uint32_t size = tandem_load_le16(draft.bytes + at + 2);
        uint8_t *value = draft.bytes + at + FIELD_HEAD;
        if (tandem_load_le16(draft.bytes + at) == FIELD_IMAGE && size >= IMAGE_FIXED)
            tandem_store_le32(value + IMAGE_PAYLOAD_OFFSET,
                              tandem_load_le32(value + IMAGE_PAYLOAD_OFFSET) + draft.size);
        at += FIELD_HEAD + size;
    }
    draft_header(draft.size - TANDEM_PACKAGE_HEADER_SIZE, 0, draft.size + draft.payloads);
}

/* Parse from memory that ends with the head, so that a sanitizer sees a step beyond. */
static enum tandem_status draft_parse(struct tandem_manifest *manifest)
{
    uint8_t *copy = (uint8_t *)malloc(draft.size);
    REQUIRE(copy != NULL);
    memcpy(copy, draft.bytes, draft.size);
    enum tandem_status status = tandem_manifest_parse(manifest, NULL, copy, draft.size);
    free(copy);
    return status;
}

static enum tandem_status parse(void)
{
    struct tandem_manifest manifest;
    return draft_parse(&manifest);
}

/* ---- written and read back ---- */

static void fill_recipe(struct recipe *recipe, uint8_t count)
{
    static const uint16_t hardware[3][2] = {{1, 3}, {7, 7}, {0x100, 0xFFFF}};
    static const uint8_t revoke[2][TANDEM_KEY_ID_SIZE] = {{1, 2, 3}, {9}};
    recipe_begin(recipe, 4);
    for (uint8_t i = 0; i < count; i++) {
        struct tandem_pack_image *image = recipe_image(recipe, (uint8_t)(i / 2 + 1), i, 1u + 700u * i);
        image->variant = i / 2 % 2 ? i % 2 : (i % 2 ? 1 : 0);
        image->load_address = 0x08000000u + i;
        image->version.build = i;
        image->dependency_count = (uint8_t)(i % (TANDEM_DEPENDENCIES_MAX + 1));
        for (uint8_t j = 0; j < image->dependency_count; j++) {
            image->dependencies[j].kind = (uint8_t)(j + 1);
            image->dependencies[j].minimum.patch = j;
        }
    }
    recipe->pack.minimum.minor = 5;
    recipe->pack.counter = 0xFEDCBA98u;
    recipe->pack.hardware = hardware;
    recipe->pack.hardware_count = 3;
    recipe->pack.description = "What is new";
    recipe->pack.revoke = revoke;
    recipe->pack.revoke_count = 2;
    recipe->signers[1] = fixture_signer(1);
    recipe->pack.signer_count = 2;
    recipe->pack.block_size = (uint16_t)(512u << count % 4);
}

static void check_image_back(const struct package *package, const struct tandem_manifest *manifest,
                             const struct tandem_pack_image *packed, uint8_t index)
{
    struct tandem_image image;
    uint8_t digest[TANDEM_SHA256_SIZE], block_digest[TANDEM_BLOCK_DIGEST_SIZE];
    CHECK_EQUAL(tandem_manifest_image(manifest, index, &image), TANDEM_OK);
    CHECK_EQUAL(image.kind, packed->kind);
    CHECK_EQUAL(image.variant, packed->variant);
    CHECK_EQUAL(image.encoding, TANDEM_ENCODING_PLAIN);
    CHECK_EQUAL(tandem_version_compare(&image.version, &packed->version), 0);
    CHECK_EQUAL(image.load_address, packed->load_address);
    CHECK_EQUAL(image.size, packed->size);
    CHECK_EQUAL(image.dependency_count, packed->dependency_count);
    for (uint8_t i = 0; i < image.dependency_count; i++) {
        CHECK_EQUAL(image.dependencies[i].kind, packed->dependencies[i].kind);
        CHECK_EQUAL(image.dependencies[i].minimum.patch, packed->dependencies[i].minimum.patch);
    }
    tandem_sha256(NULL, packed->data, packed->size, digest);
    CHECK_BYTES(image.digest, digest, sizeof digest);
    /* The chain: each block has the digest that the one before it, or the manifest, gave. */
    uint32_t at = image.payload_offset, left = image.payload_size, done = 0;
    memcpy(block_digest, image.first_block, sizeof block_digest);
    while (left != 0) {
        uint32_t whole = image.block_size + (uint32_t)TANDEM_BLOCK_DIGEST_SIZE;
        uint32_t need = left < whole ? left : whole, data = need == left ? need : image.block_size;
        uint8_t got[TANDEM_BLOCK_DIGEST_SIZE];
        tandem_block_digest(NULL, package->bytes + at, need, got);
        CHECK_BYTES(got, block_digest, sizeof got);
        CHECK_BYTES(package->bytes + at, packed->data + done, data);
        if (need != left)
            memcpy(block_digest, package->bytes + at + data, sizeof block_digest);
        at += need;
        left -= need;
        done += data;
    }
    CHECK_EQUAL(done, packed->size);
}

static void round_trip(void)
{
    for (uint8_t count = 1; count <= 8; count++) {
        struct recipe recipe;
        struct tandem_manifest manifest;
        struct tandem_image image;
        fill_recipe(&recipe, count);
        struct package package = recipe_make(&recipe);
        CHECK_EQUAL(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size), TANDEM_OK);
        CHECK_EQUAL(manifest.header.package_size, package.size);
        CHECK_EQUAL(manifest.vendor_size, 4);
        CHECK_BYTES(manifest.vendor, "Acme", 4);
        CHECK_EQUAL(manifest.product_size, 3);
        CHECK_BYTES(manifest.product, "Bud", 3);
        CHECK_EQUAL(manifest.version.major, 4);
        CHECK_EQUAL(manifest.minimum.minor, 5);
        CHECK_EQUAL(manifest.counter, 0xFEDCBA98u);
        CHECK_EQUAL(manifest.hardware_count, 3);
        CHECK_EQUAL(manifest.description_size, 11);
        CHECK_BYTES(manifest.description, "What is new", 11);
        CHECK_EQUAL(manifest.revoked_count, 2);
        CHECK_EQUAL(manifest.revoked[8], 9);
        CHECK_EQUAL(manifest.image_count, count);
        for (uint8_t i = 0; i < count; i++)
            check_image_back(&package, &manifest, &recipe.images[i], i);
        CHECK_EQUAL(tandem_manifest_image(&manifest, count, &image), TANDEM_ERROR_ARGUMENT);
        CHECK_EQUAL(tandem_manifest_verify(&manifest, NULL, fixture_key(0), 1, 0, 1), TANDEM_OK);
        CHECK_EQUAL(tandem_manifest_verify(&manifest, NULL, fixture_key(1), 1, 0, 1), TANDEM_OK);
        package_free(&package);
    }
}

static void find_and_fit(void)
{
    struct recipe recipe;
    struct tandem_manifest manifest;
    struct tandem_image image;
    fill_recipe(&recipe, 3);
    recipe.images[2].variant = TANDEM_VARIANT_ANY;
    struct package package = recipe_make(&recipe);
    CHECK_EQUAL(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size), TANDEM_OK);
    for (uint8_t bank = 0; bank < 2; bank++) {
        CHECK_EQUAL(tandem_manifest_find(&manifest, 1, bank, &image), TANDEM_OK);
        CHECK_EQUAL(image.variant, bank);
        CHECK_EQUAL(tandem_manifest_find(&manifest, 2, bank, &image), TANDEM_OK);
        CHECK_EQUAL(image.variant, TANDEM_VARIANT_ANY);
        CHECK_EQUAL(tandem_manifest_find(&manifest, 3, bank, &image), TANDEM_ERROR_INCOMPLETE);
    }
    static const struct {
        uint16_t revision;
        int fits;
    } revisions[] = {{0, 0}, {1, 1}, {3, 1}, {4, 0}, {6, 0}, {7, 1}, {8, 0}, {0xFF, 0}, {0x100, 1}, {0xFFFF, 1}};
    for (unsigned i = 0; i < sizeof revisions / sizeof revisions[0]; i++)
        CHECK_EQUAL(tandem_manifest_fits_hardware(&manifest, revisions[i].revision), revisions[i].fits);
    package_free(&package);
    recipe.pack.hardware_count = 0;
    package = recipe_make(&recipe);
    CHECK_EQUAL(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size), TANDEM_OK);
    CHECK_EQUAL(tandem_manifest_fits_hardware(&manifest, 12345), 1);
    package_free(&package);
}

/* ---- structure ---- */

static void headers(void)
{
    struct tandem_package_header header;
    uint8_t good[TANDEM_PACKAGE_HEADER_SIZE], bytes[TANDEM_PACKAGE_HEADER_SIZE];
    draft_begin();
    draft_header(100, 76, 1000);
    memcpy(good, draft.bytes, sizeof good);
    CHECK_EQUAL(tandem_package_header(&header, good), TANDEM_OK);
    CHECK_EQUAL(header.manifest_size, 100);
    CHECK_EQUAL(header.signatures_size, 76);
    CHECK_EQUAL(header.head_size, 196);
    CHECK_EQUAL(header.package_size, 1000);
    for (unsigned bit = 0; bit < 8 * sizeof good; bit++) {
        memcpy(bytes, good, sizeof good);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQUAL(tandem_package_header(&header, bytes), TANDEM_ERROR_FORMAT);
    }
    static const struct {
        unsigned offset;
        uint8_t value;
        enum tandem_status status;
    } cases[] = {
        {HEADER_FORMAT, 0, TANDEM_ERROR_UNSUPPORTED}, {HEADER_FORMAT, 2, TANDEM_ERROR_UNSUPPORTED},
        {HEADER_FLAGS, 1, TANDEM_ERROR_UNSUPPORTED},  {HEADER_SIZE, 19, TANDEM_ERROR_UNSUPPORTED},
        {HEADER_SIZE, 24, TANDEM_ERROR_UNSUPPORTED},  {HEADER_SIZE + 1, 1, TANDEM_ERROR_UNSUPPORTED},
        {HEADER_MAGIC, 'X', TANDEM_ERROR_FORMAT},     {HEADER_MAGIC + 3, '2', TANDEM_ERROR_FORMAT},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(bytes, good, sizeof good);
        bytes[cases[i].offset] = cases[i].value;
        tandem_store_le32(bytes + HEADER_CRC, tandem_crc32(TANDEM_CRC32_START, bytes, HEADER_CRC) ^ 0xFFFFFFFFu);
        CHECK_EQUAL(tandem_package_header(&header, bytes), cases[i].status);
    }
    draft_header(100, 76, 196);
    CHECK_EQUAL(tandem_package_header(&header, draft.bytes), TANDEM_ERROR_FORMAT); /* no payload */
    draft_header(100, 76, 197);
    CHECK_EQUAL(tandem_package_header(&header, draft.bytes), TANDEM_OK);
    draft_header(0xFFFF, 0xFFFF, 0xFFFFFFFFu);
    CHECK_EQUAL(tandem_package_header(&header, draft.bytes), TANDEM_OK);
    CHECK_EQUAL(header.head_size, 20 + 2 * 0xFFFF);
    draft_header(0xFFFF, 0xFFFF, 20);
    CHECK_EQUAL(tandem_package_header(&header, draft.bytes), TANDEM_ERROR_FORMAT);
}

static void truncated_heads(void)
{
    struct recipe recipe;
    struct tandem_manifest manifest;
    fill_recipe(&recipe, 8);
    struct package package = recipe_make(&recipe);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
    uint32_t head = manifest.header.head_size;
    for (uint32_t size = 0; size <= head; size++) {
        uint8_t *copy = (uint8_t *)malloc(size != 0 ? size : 1);
        REQUIRE(copy != NULL);
        memcpy(copy, package.bytes, size);
        CHECK_EQUAL(tandem_manifest_parse(&manifest, NULL, copy, size),
                    size < head ? TANDEM_ERROR_TRUNCATED : TANDEM_OK);
        free(copy);
    }
    package_free(&package);
}

/* A manifest that ends inside a field: the header says so, the head is all there. */
static void truncated_manifests(void)
{
    draft_begin();
    draft_identity();
    uint32_t before = draft.size;
    draft_image(1, TANDEM_VARIANT_ANY, 600, NULL, 0);
    draft_end();
    CHECK_EQUAL(parse(), TANDEM_OK);
    uint32_t whole = draft.size;
    for (draft.size = TANDEM_PACKAGE_HEADER_SIZE; draft.size < whole; draft.size++) {
        draft_header(draft.size - TANDEM_PACKAGE_HEADER_SIZE, 0, whole + draft.payloads);
        CHECK_EQUAL(parse(), TANDEM_ERROR_FORMAT);
    }
    /* A field that reaches beyond the manifest, with the signatures behind it. */
    draft.size = whole;
    tandem_store_le16(draft.bytes + before + 2, IMAGE_FIXED + 1);
    draft_header(whole - TANDEM_PACKAGE_HEADER_SIZE, 0, whole + draft.payloads);
    CHECK_EQUAL(parse(), TANDEM_ERROR_FORMAT);
    tandem_store_le16(draft.bytes + before + 2, 0xFFFF);
    CHECK_EQUAL(parse(), TANDEM_ERROR_FORMAT);
}

/* One manifest field among the usual ones, at its place in the order. */
static enum tandem_status with_field(uint16_t type, const void *value, uint32_t size)
{
    static const struct {
        uint16_t type;
        uint8_t size;
        const char *value;
    } usual[] = {
        {FIELD_VENDOR, 4, "Acme"},
        {FIELD_PRODUCT, 3, "Bud"},
        {FIELD_VERSION, TANDEM_VERSION_WIRE_SIZE, "\2\0\0\0\0\0\0\0\0\0\0"},
        {FIELD_COUNTER, 4, "\1\0\0"},
    };
    uint16_t order = type & 0x7FFF;
    int placed = 0;
    draft_begin();
    for (unsigned i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (!placed && order <= (usual[i].type & 0x7FFF)) {
            draft_field(type, value, size);
            placed = 1;
        }
        if (type != usual[i].type)
            draft_field(usual[i].type, usual[i].value, usual[i].size);
    }
    if (!placed && order <= (FIELD_IMAGE & 0x7FFF)) {
        draft_field(type, value, size);
        placed = 1;
    }
    draft_image(1, TANDEM_VARIANT_ANY, 600, NULL, 0);
    if (!placed)
        draft_field(type, value, size);
    draft_end();
    return parse();
}

static void fields_alone(void)
{
    static uint8_t zeros[0x8000];
    static const uint16_t names[2] = {FIELD_VENDOR, FIELD_PRODUCT};
    char name[40];
    for (unsigned i = 0; i < 2; i++) {
        memset(name, 'x', sizeof name);
        CHECK_EQUAL(with_field(names[i], name, 0), TANDEM_ERROR_FORMAT);
        CHECK_EQUAL(with_field(names[i], name, 1), TANDEM_OK);
        CHECK_EQUAL(with_field(names[i], name, 31), TANDEM_OK);
        CHECK_EQUAL(with_field(names[i], name, 32), TANDEM_ERROR_FORMAT);
        for (unsigned c = 0; c < 256; c++) {
            name[2] = (char)c;
            CHECK_EQUAL(with_field(names[i], name, 3), c < 0x20 || c == 0x7F ? TANDEM_ERROR_FORMAT : TANDEM_OK);
        }
    }
    static const struct {
        uint16_t type;
        uint32_t size;
        enum tandem_status status;
    } cases[] = {
        {FIELD_HARDWARE, 0, TANDEM_ERROR_FORMAT},
        {FIELD_HARDWARE, 3, TANDEM_ERROR_FORMAT},
        {FIELD_HARDWARE, 4, TANDEM_OK},
        {FIELD_HARDWARE, 4 * 255, TANDEM_OK},
        {FIELD_HARDWARE, 4 * 256, TANDEM_ERROR_FORMAT},
        {FIELD_HARDWARE, 4 * 512, TANDEM_ERROR_FORMAT},
        {FIELD_VERSION, 11, TANDEM_ERROR_FORMAT},
        {FIELD_VERSION, 12, TANDEM_OK},
        {FIELD_VERSION, 13, TANDEM_ERROR_FORMAT},
        {FIELD_MINIMUM, 0, TANDEM_ERROR_FORMAT},
        {FIELD_MINIMUM, 12, TANDEM_OK},
        {FIELD_MINIMUM, 24, TANDEM_ERROR_FORMAT},
        {FIELD_COUNTER, 3, TANDEM_ERROR_FORMAT},
        {FIELD_COUNTER, 4, TANDEM_OK},
        {FIELD_COUNTER, 5, TANDEM_ERROR_FORMAT},
        {FIELD_REVOKE, 0, TANDEM_ERROR_FORMAT},
        {FIELD_REVOKE, 8, TANDEM_OK},
        {FIELD_REVOKE, 12, TANDEM_ERROR_FORMAT},
        {FIELD_REVOKE, 8 * 255, TANDEM_OK},
        {FIELD_REVOKE, 8 * 256, TANDEM_ERROR_FORMAT},
        {FIELD_DESCRIPTION, 0, TANDEM_OK},
        {FIELD_DESCRIPTION, 0x8000, TANDEM_OK},
        {0x8000, 1, TANDEM_ERROR_UNSUPPORTED},
        {0x0000, 1, TANDEM_ERROR_FORMAT},
        {0x8008, 1, TANDEM_ERROR_UNSUPPORTED},
        {0x0008, 1, TANDEM_OK},
        {0x0008, 0, TANDEM_OK},
        {0x8020, 1, TANDEM_ERROR_UNSUPPORTED},
        {0x0021, 0x8000, TANDEM_OK},
        {0x7FFF, 1, TANDEM_OK},
        {0xFFFF, 1, TANDEM_ERROR_UNSUPPORTED},
        {0x0010, 1, TANDEM_OK},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!CHECK_EQUAL(with_field(cases[i].type, zeros, cases[i].size), cases[i].status))
            fprintf(stderr, "  field %04x of %u bytes\n", cases[i].type, (unsigned)cases[i].size);
}

/* All fields that a manifest may have, in order, with one left out, doubled, or taken out of order. */
static void put_one(unsigned which)
{
    static const uint8_t bytes[16] = {1};
    switch (which) {
    case 0:
        draft_field(FIELD_VENDOR, "Acme", 4);
        break;
    case 1:
        draft_field(FIELD_PRODUCT, "Bud", 3);
        break;
    case 2:
        draft_field(FIELD_HARDWARE, bytes, 4);
        break;
    case 3:
        draft_field(FIELD_VERSION, bytes, 12);
        break;
    case 4:
        draft_field(FIELD_MINIMUM, bytes, 12);
        break;
    case 5:
        draft_field(FIELD_COUNTER, bytes, 4);
        break;
    case 6:
        draft_field(FIELD_REVOKE, bytes, 8);
        break;
    case 7:
        draft_image((uint8_t)(draft.payloads + 1), TANDEM_VARIANT_ANY, 1, NULL, 0);
        break;
    case 8:
        draft_field(FIELD_DESCRIPTION, bytes, 3);
        break;
    default:
        draft_field(0x0030, bytes, 5);
        break;
    }
}

#define FIELDS_ALL 10

static void fields_together(void)
{
    static const uint8_t required[FIELDS_ALL] = {1, 1, 0, 1, 0, 1, 0, 1, 0, 0};
    for (unsigned missing = 0; missing <= FIELDS_ALL; missing++) {
        draft_begin();
        for (unsigned i = 0; i < FIELDS_ALL; i++)
            if (i != missing)
                put_one(i);
        draft_end();
        CHECK_EQUAL(parse(), missing < FIELDS_ALL && required[missing] ? TANDEM_ERROR_FORMAT : TANDEM_OK);
    }
    for (unsigned twice = 0; twice < FIELDS_ALL; twice++) {
        draft_begin();
        for (unsigned i = 0; i < FIELDS_ALL; i++) {
            put_one(i);
            if (i == twice)
                put_one(i);
        }
        draft_end();
        CHECK_EQUAL(parse(), twice == 7 ? TANDEM_OK : TANDEM_ERROR_FORMAT);
    }
    for (unsigned a = 0; a < FIELDS_ALL; a++)
        for (unsigned b = a + 1; b < FIELDS_ALL; b++) {
            draft_begin();
            for (unsigned i = 0; i < FIELDS_ALL; i++)
                put_one(i == a ? b : i == b ? a : i);
            draft_end();
            CHECK_EQUAL(parse(), TANDEM_ERROR_FORMAT);
        }
    /* Nothing at all. */
    draft_begin();
    draft.payloads = 1;
    draft_end();
    CHECK_EQUAL(parse(), TANDEM_ERROR_FORMAT);
}

/* ---- image fields ---- */

static enum tandem_status with_image(unsigned offset, uint32_t value, unsigned width)
{
    draft_begin();
    draft_identity();
    uint8_t *image = draft_image(1, TANDEM_VARIANT_ANY, 600, NULL, 0);
    draft_end();
    for (unsigned i = 0; i < width; i++)
        image[offset + i] = (uint8_t)(value >> (8 * i));
    return parse();
}

static void images_alone(void)
{
    static const struct {
        unsigned offset;
        uint32_t value;
        unsigned width;
        enum tandem_status status;
    } cases[] = {
        {IMAGE_KIND, 0, 1, TANDEM_ERROR_FORMAT},
        {IMAGE_KIND, 0xFE, 1, TANDEM_OK},
        {IMAGE_VARIANT, 0, 1, TANDEM_OK},
        {IMAGE_VARIANT, 1, 1, TANDEM_OK},
        {IMAGE_VARIANT, 2, 1, TANDEM_ERROR_FORMAT},
        {IMAGE_VARIANT, 0xFE, 1, TANDEM_ERROR_FORMAT},
        {IMAGE_ENCODING, 1, 1, TANDEM_ERROR_UNSUPPORTED},
        {IMAGE_ENCODING, 0xFF, 1, TANDEM_ERROR_UNSUPPORTED},
        {IMAGE_RESERVED, 1, 1, TANDEM_ERROR_FORMAT},
        {IMAGE_RESERVED2, 1, 2, TANDEM_ERROR_FORMAT},
        {IMAGE_RESERVED2, 0x100, 2, TANDEM_ERROR_FORMAT},
        {IMAGE_SIZE, 0, 4, TANDEM_ERROR_FORMAT},
        {IMAGE_SIZE, 599, 4, TANDEM_ERROR_FORMAT},
        {IMAGE_SIZE, 601, 4, TANDEM_ERROR_FORMAT},
        {IMAGE_SIZE, 0xFFFFFFFF, 4, TANDEM_ERROR_FORMAT},
        {IMAGE_PAYLOAD_SIZE, 0, 4, TANDEM_ERROR_FORMAT},
        {IMAGE_PAYLOAD_SIZE, 615, 4, TANDEM_ERROR_FORMAT},
        {IMAGE_PAYLOAD_SIZE, 617, 4, TANDEM_ERROR_FORMAT},
        {IMAGE_PAYLOAD_SIZE, 0xFFFFFFFF, 4, TANDEM_ERROR_FORMAT},
        {IMAGE_BLOCK_SIZE, 0, 2, TANDEM_ERROR_FORMAT},
        {IMAGE_BLOCK_SIZE, 256, 2, TANDEM_ERROR_FORMAT},
        {IMAGE_BLOCK_SIZE, 768, 2, TANDEM_ERROR_FORMAT},
        {IMAGE_BLOCK_SIZE, 1024, 2, TANDEM_ERROR_FORMAT}, /* then 616 bytes are one block of 616 */
        {IMAGE_BLOCK_SIZE, 8192, 2, TANDEM_ERROR_FORMAT},
        {IMAGE_BLOCK_SIZE, 513, 2, TANDEM_ERROR_FORMAT},
        {IMAGE_PAYLOAD_OFFSET, 0, 4, TANDEM_ERROR_FORMAT},
        {IMAGE_PAYLOAD_OFFSET, 0xFFFFFFFF, 4, TANDEM_ERROR_FORMAT},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!CHECK_EQUAL(with_image(cases[i].offset, cases[i].value, cases[i].width), cases[i].status))
            fprintf(stderr, "  offset %u value %u\n", cases[i].offset, (unsigned)cases[i].value);
}

/* Sizes of payloads around every border of the block chain. */
static void payload_sizes(void)
{
    for (uint32_t block = 512; block <= 4096; block *= 2)
        for (uint32_t size = 1; size < 3 * block;
             size += size % block < 3 || size % block > block - 3 ? 1 : block - 5) {
            draft_begin();
            draft_identity();
            uint32_t payload = size + (size - 1) / block * TANDEM_BLOCK_DIGEST_SIZE;
            uint8_t *image = draft_image(1, 0, size, NULL, 0);
            draft.payloads = payload;
            tandem_store_le16(image + IMAGE_BLOCK_SIZE, (uint16_t)block);
            tandem_store_le32(image + IMAGE_PAYLOAD_SIZE, payload);
            draft_end();
            CHECK_EQUAL(parse(), TANDEM_OK);
            for (uint32_t wrong = size; wrong < payload + 40; wrong++) {
                tandem_store_le32(image + IMAGE_PAYLOAD_SIZE, wrong);
                draft_header(draft.size - TANDEM_PACKAGE_HEADER_SIZE, 0, draft.size + wrong);
                CHECK_EQUAL(parse(), wrong == payload ? TANDEM_OK : TANDEM_ERROR_FORMAT);
            }
        }
}

static enum tandem_status with_nested(const void *nested, uint32_t size)
{
    draft_begin();
    draft_identity();
    draft_image(1, TANDEM_VARIANT_ANY, 600, nested, size);
    draft_end();
    return parse();
}

static void nested_fields(void)
{
    uint8_t nested[256] = {0};
    CHECK_EQUAL(with_nested(nested, 1), TANDEM_ERROR_FORMAT);
    CHECK_EQUAL(with_nested(nested, 3), TANDEM_ERROR_FORMAT);
    CHECK_EQUAL(with_nested(nested, 4), TANDEM_OK); /* an empty field that nobody knows */
    tandem_store_le16(nested, 0x8002);
    CHECK_EQUAL(with_nested(nested, 4), TANDEM_ERROR_UNSUPPORTED);
    tandem_store_le16(nested, 0x0001);
    tandem_store_le16(nested + 2, 104);
    CHECK_EQUAL(with_nested(nested, 108), TANDEM_OK); /* 192 bytes in all */
    CHECK_EQUAL(with_nested(nested, 107), TANDEM_ERROR_FORMAT);
    tandem_store_le16(nested + 2, 105);
    CHECK_EQUAL(with_nested(nested, 109), TANDEM_ERROR_UNSUPPORTED); /* 193 */
    for (unsigned count = 1; count <= 6; count++) {
        memset(nested, 0, sizeof nested);
        for (unsigned i = 0; i < count; i++) {
            uint8_t *at = nested + i * (FIELD_HEAD + DEPENDENCY_SIZE);
            tandem_store_le16(at, IMAGE_FIELD_DEPENDENCY);
            tandem_store_le16(at + 2, DEPENDENCY_SIZE);
            at[FIELD_HEAD] = 2;
        }
        CHECK_EQUAL(with_nested(nested, count * (FIELD_HEAD + DEPENDENCY_SIZE)),
                    count <= TANDEM_DEPENDENCIES_MAX ? TANDEM_OK : TANDEM_ERROR_UNSUPPORTED);
    }
    memset(nested, 0, sizeof nested);
    tandem_store_le16(nested, IMAGE_FIELD_DEPENDENCY);
    tandem_store_le16(nested + 2, DEPENDENCY_SIZE);
    CHECK_EQUAL(with_nested(nested, FIELD_HEAD + DEPENDENCY_SIZE), TANDEM_ERROR_FORMAT); /* of kind 0 */
    nested[FIELD_HEAD] = 1;
    tandem_store_le16(nested + 2, DEPENDENCY_SIZE - 1);
    CHECK_EQUAL(with_nested(nested, FIELD_HEAD + DEPENDENCY_SIZE - 1), TANDEM_ERROR_FORMAT);
    tandem_store_le16(nested + 2, DEPENDENCY_SIZE + 1);
    CHECK_EQUAL(with_nested(nested, FIELD_HEAD + DEPENDENCY_SIZE + 1), TANDEM_ERROR_FORMAT);
    /* An image field that is too short for its fixed part. */
    for (uint32_t size = 0; size < IMAGE_FIXED; size++) {
        draft_begin();
        draft_identity();
        draft_field(FIELD_IMAGE, nested, size);
        draft.payloads = 1;
        draft_end();
        CHECK_EQUAL(parse(), TANDEM_ERROR_FORMAT);
    }
}

/* Two images of kinds and variants, and whether one bank could get both. */
static void images_together(void)
{
    static const uint8_t variants[3] = {0, 1, TANDEM_VARIANT_ANY};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned j = 0; j < 3; j++)
            for (uint8_t kind = 1; kind <= 2; kind++) {
                int clash = kind == 1 && (i == j || i == 2 || j == 2);
                draft_begin();
                draft_identity();
                draft_image(1, variants[i], 10, NULL, 0);
                draft_image(kind, variants[j], 20, NULL, 0);
                draft_end();
                CHECK_EQUAL(parse(), clash ? TANDEM_ERROR_FORMAT : TANDEM_OK);
            }
    for (unsigned count = 1; count <= TANDEM_CONFIG_MAX_IMAGES + 1; count++) {
        draft_begin();
        draft_identity();
        for (unsigned i = 0; i < count; i++)
            draft_image((uint8_t)(i + 1), TANDEM_VARIANT_ANY, 10, NULL, 0);
        draft_end();
        CHECK_EQUAL(parse(), count <= TANDEM_CONFIG_MAX_IMAGES ? TANDEM_OK : TANDEM_ERROR_TOO_LARGE);
    }
}

/* Payloads that overlap, leave a gap, are out of order, end early or late. */
static void payload_places(void)
{
    for (int shift = -20; shift <= 20; shift++) {
        draft_begin();
        draft_identity();
        draft_image(1, 0, 10, NULL, 0);
        uint8_t *second = draft_image(2, 0, 20, NULL, 0);
        draft_end();
        uint32_t offset = tandem_load_le32(second + IMAGE_PAYLOAD_OFFSET);
        tandem_store_le32(second + IMAGE_PAYLOAD_OFFSET, offset + (uint32_t)shift);
        CHECK_EQUAL(parse(), shift == 0 ? TANDEM_OK : TANDEM_ERROR_FORMAT);
        tandem_store_le32(second + IMAGE_PAYLOAD_OFFSET, offset);
        uint32_t size = draft.size + draft.payloads + (uint32_t)shift;
        draft_header(draft.size - TANDEM_PACKAGE_HEADER_SIZE, 0, size);
        CHECK_EQUAL(parse(), shift == 0 ? TANDEM_OK : TANDEM_ERROR_FORMAT);
    }
    /* Sizes whose sum passes 2^32: the second payload would end before it begins. */
    draft_begin();
    draft_identity();
    draft_image(1, 0, 0x7FFFFE00u, NULL, 0);
    draft_image(2, 0, 0x7FFFFE00u, NULL, 0);
    draft_end();
    CHECK_EQUAL(parse(), TANDEM_ERROR_FORMAT);
}

/* ---- bits ---- */

static void head_bits(void)
{
    struct recipe recipe;
    struct tandem_manifest manifest;
    unsigned refused = 0, unverified = 0;
    fill_recipe(&recipe, 2);
    recipe.pack.signer_count = 1;
    struct package package = recipe_make(&recipe);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
    uint32_t head = manifest.header.head_size;
    for (uint32_t bit = 0; bit < 8 * head; bit++) {
        package.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum tandem_status status = tandem_manifest_parse(&manifest, NULL, package.bytes, package.size);
        if (status == TANDEM_OK) {
            unverified++;
            status = tandem_manifest_verify(&manifest, NULL, fixture_key(0), 1, 0, 1);
        } else {
            refused++;
        }
        CHECK(status != TANDEM_OK);
        package.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(refused > 500 && unverified > 500);
    package_free(&package);
}

/* The first block whose digest is not the announced one; the number of blocks if there is none. */
static unsigned first_bad_block(const struct package *package, const struct tandem_image *image)
{
    uint8_t want[TANDEM_BLOCK_DIGEST_SIZE], got[TANDEM_BLOCK_DIGEST_SIZE];
    uint32_t at = image->payload_offset, left = image->payload_size;
    unsigned block = 0;
    memcpy(want, image->first_block, sizeof want);
    while (left != 0) {
        uint32_t whole = image->block_size + (uint32_t)TANDEM_BLOCK_DIGEST_SIZE, need = left < whole ? left : whole;
        tandem_block_digest(NULL, package->bytes + at, need, got);
        if (memcmp(got, want, sizeof got) != 0)
            return block;
        memcpy(want, package->bytes + at + need - sizeof want, sizeof want);
        at += need;
        left -= need;
        block++;
    }
    return block;
}

static void payload_bits(void)
{
    struct recipe recipe;
    struct tandem_manifest manifest;
    struct tandem_image image;
    recipe_begin(&recipe, 2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 5, 1200);
    struct package package = recipe_make(&recipe);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
    REQUIRE(tandem_manifest_image(&manifest, 0, &image) == TANDEM_OK);
    CHECK_EQUAL(first_bad_block(&package, &image), 3);
    for (uint32_t bit = 0; bit < 8 * image.payload_size; bit++) {
        uint8_t *byte = package.bytes + image.payload_offset + bit / 8;
        *byte ^= (uint8_t)(1u << bit % 8);
        CHECK_EQUAL(first_bad_block(&package, &image), bit / 8 / (512 + TANDEM_BLOCK_DIGEST_SIZE));
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    package_free(&package);
}

/* Random damage with the header's checksum put right: the reader answers, and what it accepts is consistent. */
static void random_damage(void)
{
    struct recipe recipe;
    struct sim_rng rng = {7};
    unsigned accepted = 0;
    fill_recipe(&recipe, 5);
    struct package package = recipe_make(&recipe);
    uint8_t *copy = (uint8_t *)malloc(package.size);
    REQUIRE(copy != NULL);
    for (unsigned round = 0; round < 20000; round++) {
        struct tandem_manifest manifest;
        struct tandem_image image;
        struct package damaged = {copy, package.size, {0}};
        memcpy(copy, package.bytes, package.size);
        for (uint32_t i = 1 + sim_below(&rng, 4); i > 0; i--)
            copy[sim_below(&rng, 1000)] = (uint8_t)sim_random(&rng);
        package_fix_header(&damaged);
        if (tandem_manifest_parse(&manifest, NULL, copy, package.size) != TANDEM_OK)
            continue;
        accepted++;
        CHECK(manifest.image_count >= 1 && manifest.vendor_size >= 1 && manifest.product_size >= 1);
        for (uint8_t i = 0; i < manifest.image_count; i++) {
            CHECK_EQUAL(tandem_manifest_image(&manifest, i, &image), TANDEM_OK);
            CHECK(image.payload_size <= package.size && image.payload_offset <= package.size - image.payload_size);
            CHECK(image.size != 0 && image.size <= image.payload_size);
        }
    }
    CHECK(accepted > 100);
    free(copy);
    package_free(&package);
}

/* ---- signatures ---- */

static uint8_t *signature_entry(const struct package *package, unsigned n)
{
    return package->bytes + TANDEM_PACKAGE_HEADER_SIZE + tandem_load_le16(package->bytes + HEADER_MANIFEST_SIZE) +
           n * (FIELD_HEAD + SIGNATURE_VALUE_SIZE);
}

/* Verify against the first `count` of the fixture's keys. */
static enum tandem_status verify(const struct package *package, uint8_t count, uint32_t revoked, uint8_t needed)
{
    struct tandem_key keys[FIXTURE_KEYS];
    struct tandem_manifest manifest;
    for (unsigned i = 0; i < FIXTURE_KEYS; i++)
        keys[i] = *fixture_key(i);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package->bytes, package->size) == TANDEM_OK);
    return tandem_manifest_verify(&manifest, NULL, keys, count, revoked, needed);
}

/* A package signed by these keys, in this order. */
static struct package signed_by(unsigned count, unsigned first, unsigned second)
{
    struct recipe recipe;
    recipe_begin(&recipe, 3);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 1, 100);
    recipe.pack.signer_count = (uint8_t)count;
    recipe.signers[0] = fixture_signer(first);
    recipe.signers[1] = fixture_signer(second);
    return recipe_make(&recipe);
}

static void signatures(void)
{
    struct package none = signed_by(0, 0, 0), one = signed_by(1, 0, 0), both = signed_by(2, 0, 1),
                   same = signed_by(2, 0, 0), third = signed_by(1, 2, 0);
    CHECK_EQUAL(verify(&none, 3, 0, 1), TANDEM_ERROR_UNSIGNED);
    CHECK_EQUAL(verify(&none, 0, 0, 0), TANDEM_ERROR_UNSIGNED);
    CHECK_EQUAL(verify(&one, 1, 0, 1), TANDEM_OK);
    CHECK_EQUAL(verify(&one, 3, 0, 1), TANDEM_OK);
    CHECK_EQUAL(verify(&one, 3, 6, 1), TANDEM_OK);
    CHECK_EQUAL(verify(&one, 0, 0, 1), TANDEM_ERROR_KEY);
    CHECK_EQUAL(verify(&one, 0, 0, 0), TANDEM_ERROR_KEY); /* none needed is no way in */
    CHECK_EQUAL(verify(&one, 3, 1, 1), TANDEM_ERROR_REVOKED);
    CHECK_EQUAL(verify(&one, 3, 0, 2), TANDEM_ERROR_KEY);
    CHECK_EQUAL(verify(&third, 2, 0, 1), TANDEM_ERROR_KEY);
    CHECK_EQUAL(verify(&third, 3, 0, 1), TANDEM_OK);
    CHECK_EQUAL(verify(&both, 3, 0, 2), TANDEM_OK);
    CHECK_EQUAL(verify(&both, 1, 0, 1), TANDEM_OK);
    CHECK_EQUAL(verify(&both, 1, 0, 2), TANDEM_ERROR_KEY);
    CHECK_EQUAL(verify(&both, 3, 1, 1), TANDEM_OK);
    CHECK_EQUAL(verify(&both, 3, 2, 2), TANDEM_ERROR_REVOKED);
    CHECK_EQUAL(verify(&both, 3, 3, 1), TANDEM_ERROR_REVOKED);
    CHECK_EQUAL(verify(&both, 3, 0, 3), TANDEM_ERROR_KEY);
    CHECK_EQUAL(verify(&same, 3, 0, 1), TANDEM_OK);
    CHECK_EQUAL(verify(&same, 3, 0, 2), TANDEM_ERROR_KEY); /* one key is one signer */

    /* A signature of one package under another one's head. */
    memcpy(signature_entry(&third, 0), signature_entry(&one, 0), FIELD_HEAD + SIGNATURE_VALUE_SIZE);
    CHECK_EQUAL(verify(&third, 3, 0, 1), TANDEM_OK); /* the manifests are the same: so are their signatures */
    tandem_store_le32(third.bytes + TANDEM_PACKAGE_HEADER_SIZE + FIELD_HEAD, 0x31323334u);
    CHECK_EQUAL(verify(&third, 3, 0, 1), TANDEM_ERROR_SIGNATURE);

    /* A wrong signature by a trusted key is a refusal, whoever else has signed; a stranger's is nothing. */
    signature_entry(&both, 1)[FIELD_HEAD + TANDEM_KEY_ID_SIZE + 40] ^= 1;
    CHECK_EQUAL(verify(&both, 3, 0, 1), TANDEM_ERROR_SIGNATURE);
    CHECK_EQUAL(verify(&both, 1, 0, 1), TANDEM_OK);
    CHECK_EQUAL(verify(&both, 2, 2, 1), TANDEM_OK);
    package_free(&none);
    package_free(&one);
    package_free(&both);
    package_free(&same);
    package_free(&third);
}

static void signature_entries(void)
{
    struct package package = signed_by(2, 0, 1);
    uint8_t *entry = signature_entry(&package, 0);
    struct tandem_key odd = {9, fixture_key(0)->key}, twice[2] = {*fixture_key(1), *fixture_key(1)};
    struct tandem_manifest manifest;
    uint8_t id[TANDEM_KEY_ID_SIZE];
    /* An algorithm that is not known here is somebody else's signature. */
    tandem_store_le16(entry, 9);
    CHECK_EQUAL(verify(&package, 1, 0, 1), TANDEM_ERROR_KEY);
    CHECK_EQUAL(verify(&package, 2, 0, 1), TANDEM_OK);
    tandem_store_le16(entry, TANDEM_KEY_P256);
    CHECK_EQUAL(verify(&package, 2, 0, 1), TANDEM_OK);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
    CHECK_EQUAL(tandem_manifest_verify(&manifest, NULL, twice, 2, 0, 1), TANDEM_OK);
    CHECK_EQUAL(tandem_manifest_verify(&manifest, NULL, twice, 2, 0, 2), TANDEM_ERROR_KEY);
    /* A trusted key of a type that this build cannot verify. */
    tandem_store_le16(entry, 9);
    CHECK_EQUAL(tandem_key_id(NULL, &odd, id), TANDEM_OK);
    memcpy(entry + FIELD_HEAD, id, sizeof id);
    CHECK_EQUAL(tandem_manifest_verify(&manifest, NULL, &odd, 1, 0, 1), TANDEM_ERROR_NOT_SUPPORTED);
    /* Entries of other sizes are skipped; one that reaches beyond the block is a refusal. */
    tandem_store_le16(entry, TANDEM_KEY_ED25519);
    tandem_store_le16(entry + 2, 2 * SIGNATURE_VALUE_SIZE + FIELD_HEAD);
    CHECK_EQUAL(verify(&package, 3, 0, 1), TANDEM_ERROR_KEY);
    tandem_store_le16(entry + 2, 2 * SIGNATURE_VALUE_SIZE + FIELD_HEAD + 1);
    CHECK_EQUAL(verify(&package, 3, 0, 1), TANDEM_ERROR_FORMAT);
    tandem_store_le16(entry + 2, 0xFFFF);
    CHECK_EQUAL(verify(&package, 3, 0, 1), TANDEM_ERROR_FORMAT);
    tandem_store_le16(entry + 2, 2 * SIGNATURE_VALUE_SIZE + 1); /* leaves three bytes, too few for an entry */
    CHECK_EQUAL(verify(&package, 3, 0, 1), TANDEM_ERROR_FORMAT);
    package_free(&package);
}

/* A P-256 key and its signature of the package below, made once by OpenSSL. */
static const char p256_key[] = "7a4d691756e8dc92cad6f0228097d50fad89912d6a1f2dfb504ad2a26da644d9"
                               "20bf8b6df7909c4690e340b7d7257184e723da3c5af17a63d437959a0ce4c358";
static const char p256_signature[] = "aa427126c0fa35f6cf99df901542d9e4632fefb1dece22bc9ece65fda4870528"
                                     "77fb5aea531d56254097f4e43ea21182abde2ba396ad2aa7c93326cceb85298f";

static enum tandem_status sign_p256(void *ctx, const uint8_t *message, size_t size, uint8_t *signature)
{
    (void)ctx;
    CHECK_EQUAL(size, SIGNED_SIZE);
    CHECK_BYTES(message, "tandem-package-1", 16);
    CHECK_EQUAL(hex(signature, p256_signature), TANDEM_SIGNATURE_SIZE);
    return TANDEM_OK;
}

static unsigned replaced;

static enum tandem_status replaced_p256(void *ctx, const uint8_t *signature, const uint8_t *key, const uint8_t *digest)
{
    (void)ctx;
    replaced++;
    return tandem_p256_verify(signature, key, digest);
}

static void p256(void)
{
    static const struct tandem_crypto_port port = {.p256_verify = replaced_p256};
    uint8_t bytes[1 + TANDEM_P256_KEY_SIZE] = {TANDEM_KEY_P256}, digest[TANDEM_SHA256_SIZE], id[TANDEM_KEY_ID_SIZE];
    struct tandem_key key = {TANDEM_KEY_P256, bytes + 1};
    struct tandem_manifest manifest;
    struct recipe recipe;
    CHECK_EQUAL(hex(bytes + 1, p256_key), TANDEM_P256_KEY_SIZE);
    tandem_sha256(NULL, bytes, sizeof bytes, digest);
    CHECK_EQUAL(tandem_key_id(NULL, &key, id), TANDEM_OK);
    CHECK_BYTES(id, digest, sizeof id);
    recipe_begin(&recipe, 5);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 1, 100);
    recipe.signers[1].key = key;
    recipe.signers[1].sign = sign_p256;
    recipe.pack.signer_count = 2;
    struct package package = recipe_make(&recipe);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
    if (!CHECK_EQUAL(tandem_manifest_verify(&manifest, NULL, &key, 1, 0, 1), TANDEM_OK))
        check_hex("digest of header and manifest", manifest.digest, sizeof manifest.digest);
    CHECK_EQUAL(tandem_manifest_verify(&manifest, &port, &key, 1, 0, 1), TANDEM_OK);
    CHECK_EQUAL(replaced, 1);
    struct tandem_key mixed[2] = {key, *fixture_key(0)};
    CHECK_EQUAL(tandem_manifest_verify(&manifest, NULL, mixed, 2, 0, 2), TANDEM_OK);
    signature_entry(&package, 1)[FIELD_HEAD + TANDEM_KEY_ID_SIZE + 7] ^= 4;
    CHECK_EQUAL(tandem_manifest_verify(&manifest, NULL, &key, 1, 0, 1), TANDEM_ERROR_SIGNATURE);
    package_free(&package);
}

/* ---- a hash that fails ---- */

static unsigned hashes, fail_init, fail_update; /* digests begun; which of them fails, and where */

static enum tandem_status failing_init(void *ctx, struct tandem_sha256 *hash)
{
    (void)ctx;
    hash->u.opaque[0] = 0;
    return ++hashes == fail_init ? TANDEM_ERROR_PORT : TANDEM_OK;
}

static enum tandem_status failing_update(void *ctx, struct tandem_sha256 *hash, const void *data, size_t size)
{
    (void)ctx;
    (void)data;
    hash->u.opaque[0] += size;
    return hashes == fail_update ? TANDEM_ERROR_PORT : TANDEM_OK;
}

static enum tandem_status failing_final(void *ctx, struct tandem_sha256 *hash, uint8_t *digest)
{
    (void)ctx;
    memset(digest, (int)(hash->u.opaque[0] & 0xFF), TANDEM_SHA256_SIZE);
    return TANDEM_OK;
}

static const struct tandem_crypto_port *failing(unsigned init, unsigned update)
{
    static const struct tandem_crypto_port port = {
        .sha256_init = failing_init, .sha256_update = failing_update, .sha256_final = failing_final};
    hashes = 0;
    fail_init = init;
    fail_update = update;
    return &port;
}

static void failing_reader(void)
{
    struct package package = signed_by(1, 0, 0);
    struct tandem_manifest manifest;
    uint8_t digest[TANDEM_BLOCK_DIGEST_SIZE], id[TANDEM_KEY_ID_SIZE];
    for (unsigned i = 0; i < 2; i++) {
        const struct tandem_crypto_port *port = failing(i == 0, i == 1);
        CHECK_EQUAL(tandem_manifest_parse(&manifest, port, package.bytes, package.size), TANDEM_ERROR_PORT);
        port = failing(i == 0, i == 1);
        CHECK_EQUAL(tandem_block_digest(port, package.bytes, 10, digest), TANDEM_ERROR_PORT);
        port = failing(i == 0, i == 1);
        CHECK_EQUAL(tandem_key_id(port, fixture_key(0), id), TANDEM_ERROR_PORT);
        REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
        port = failing(i == 0, i == 1);
        CHECK_EQUAL(tandem_manifest_verify(&manifest, port, fixture_key(0), 1, 0, 1), TANDEM_ERROR_KEY);
    }
    package_free(&package);
}

/* The writer gives the reason on, wherever it happens. */
static void failing_writer(void)
{
    struct recipe recipe;
    uint32_t size;
    recipe_begin(&recipe, 3);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 1, 100);
    recipe_image(&recipe, TANDEM_KIND_STACK, 2, 1000);
    recipe.pack.images = recipe.images;
    recipe.pack.signers = recipe.signers;
    REQUIRE(tandem_pack_size(&recipe.pack, &size) == TANDEM_OK);
    uint8_t *out = (uint8_t *)malloc(size);
    REQUIRE(out != NULL);
    CHECK_EQUAL(tandem_pack_write(&recipe.pack, failing(0, 0), out, size), TANDEM_OK);
    unsigned all = hashes;
    CHECK_EQUAL(all, 7); /* two images, three blocks, what is signed, a key's id */
    for (unsigned i = 1; i <= all; i++) {
        CHECK_EQUAL(tandem_pack_write(&recipe.pack, failing(i, 0), out, size), TANDEM_ERROR_PORT);
        CHECK_EQUAL(tandem_pack_write(&recipe.pack, failing(0, i), out, size), TANDEM_ERROR_PORT);
    }
    free(out);
}

/* ---- the writer's arguments ---- */

static void make_recipe(struct recipe *recipe)
{
    recipe_begin(recipe, 3);
    recipe_image(recipe, TANDEM_KIND_APPLICATION, 1, 100);
    recipe_image(recipe, TANDEM_KIND_STACK, 2, 1000);
    recipe->pack.images = recipe->images;
    recipe->pack.signers = recipe->signers;
}

#define REFUSED(change, status)                                                        \
    do {                                                                               \
        uint32_t size_ = 77;                                                           \
        uint8_t out_[16];                                                              \
        make_recipe(&recipe);                                                          \
        change;                                                                        \
        CHECK_EQUAL(tandem_pack_size(&recipe.pack, &size_), status);                   \
        CHECK_EQUAL(size_, 77);                                                        \
        CHECK_EQUAL(tandem_pack_write(&recipe.pack, NULL, out_, sizeof out_), status); \
    } while (0)

static void writer_arguments(void)
{
    static const char name32[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    struct recipe recipe;
    REFUSED(recipe.pack.vendor = NULL, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.vendor = "", TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.vendor = name32, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.vendor = "a\tb", TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.product = NULL, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.product = "", TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.product = name32, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.product = "b\x7F", TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.image_count = 0, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.image_count = TANDEM_CONFIG_MAX_IMAGES + 1, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.images = NULL, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.signers = NULL, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.hardware_count = 1, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.revoke_count = 1, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.block_size = 0, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.block_size = 256, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.block_size = 1000, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.pack.block_size = 8192, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.images[1].kind = 0, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.images[1].data = NULL, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.images[1].size = 0, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.images[1].variant = 2, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.images[1].kind = recipe.images[0].kind, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.images[0].dependency_count = TANDEM_DEPENDENCIES_MAX + 1, TANDEM_ERROR_ARGUMENT);
    REFUSED(recipe.images[0].dependency_count = 1, TANDEM_ERROR_ARGUMENT); /* of kind 0 */
    REFUSED(recipe.images[0].size = 0xFFFFFFFFu, TANDEM_ERROR_TOO_LARGE);
    REFUSED(recipe.images[0].size = recipe.images[1].size = 0x7FFFFFFFu, TANDEM_ERROR_TOO_LARGE);
}

static enum tandem_status no_signature(void *ctx, const uint8_t *message, size_t size, uint8_t *signature)
{
    (void)ctx;
    (void)message;
    (void)size;
    (void)signature;
    return TANDEM_ERROR_CANCELLED;
}

static void writer_limits(void)
{
    struct recipe recipe;
    uint32_t size;
    char *text = (char *)malloc(0x4002);
    REQUIRE(text != NULL);
    memset(text, 'x', 0x4002);
    text[0x4001] = '\0';
    REFUSED(recipe.pack.description = text, TANDEM_ERROR_TOO_LARGE);
    text[0x4000] = '\0';
    make_recipe(&recipe);
    recipe.pack.description = text;
    struct package package = recipe_make(&recipe);
    struct tandem_manifest manifest;
    CHECK_EQUAL(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size), TANDEM_OK);
    CHECK_EQUAL(manifest.description_size, 0x4000);
    package_free(&package);
    make_recipe(&recipe);
    recipe.pack.description = "";
    package = recipe_make(&recipe);
    CHECK_EQUAL(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size), TANDEM_OK);
    CHECK(manifest.description == NULL);
    /* The buffer has to be of exactly the right size. */
    make_recipe(&recipe);
    REQUIRE(tandem_pack_size(&recipe.pack, &size) == TANDEM_OK);
    CHECK_EQUAL(size, package.size);
    CHECK_EQUAL(tandem_pack_write(&recipe.pack, NULL, package.bytes, size - 1), TANDEM_ERROR_ARGUMENT);
    CHECK_EQUAL(tandem_pack_write(&recipe.pack, NULL, package.bytes, size + 1), TANDEM_ERROR_ARGUMENT);
    recipe.signers[0].sign = no_signature;
    CHECK_EQUAL(tandem_pack_write(&recipe.pack, NULL, package.bytes, size), TANDEM_ERROR_CANCELLED);
    package_free(&package);
    free(text);
}

/* ---- the example of docs/package.md ---- */

/* The bytes of the first block of code after a heading: lines of an offset in four digits, two spaces, bytes. */
static uint32_t read_example(const char *path, const char *heading, uint8_t *out, uint32_t size)
{
    char line[256];
    uint32_t count = 0;
    int found = 0, inside = 0;
    FILE *file = fopen(path, "r");
    REQUIRE(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        found |= strstr(line, heading) == line;
        if (found && strncmp(line, "```", 3) == 0 && inside++ == 1)
            break;
        if (inside != 1 || hex_digit(line[0]) < 0)
            continue;
        if (!CHECK_EQUAL(strtoul(line, NULL, 16), count))
            fprintf(stderr, "  in the line %s", line);
        for (const char *at = line + 6; hex_digit(at[0]) >= 0 && hex_digit(at[1]) >= 0 && count < size; at += 3) {
            count += (uint32_t)hex(out + count, at);
            if (at[2] != ' ')
                break;
        }
    }
    fclose(file);
    return count;
}

static const char *document;

static void make_example(struct recipe *recipe)
{
    static const uint16_t hardware[1][2] = {{1, 3}};
    static const uint8_t seed[TANDEM_ED25519_KEY_SIZE] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                          11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                          22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    static uint8_t context[TANDEM_ED25519_KEY_SIZE], public_key[TANDEM_ED25519_KEY_SIZE];
    memcpy(context, seed, sizeof context);
    tandem_ed25519_public_key(public_key, seed);
    recipe_begin(recipe, 2);
    recipe->pack.version.minor = 1;
    recipe->pack.minimum.major = 1;
    recipe->pack.counter = 3;
    recipe->pack.hardware = hardware;
    recipe->pack.hardware_count = 1;
    recipe->pack.description = "Example";
    recipe->signers[0].ctx = context;
    recipe->signers[0].key.key = public_key;
    struct tandem_pack_image *image = recipe_image(recipe, TANDEM_KIND_APPLICATION, 0, 1);
    image->data = (const uint8_t *)"Hello, firmware!";
    image->size = 16;
    image->load_address = 0x08010000u;
    image->dependency_count = 1;
    image->dependencies[0].kind = TANDEM_KIND_STACK;
    image->dependencies[0].minimum.major = 1;
    image->dependencies[0].minimum.minor = 4;
}

static void example(void)
{
    uint8_t want[1024];
    struct recipe recipe;
    make_example(&recipe);
    struct package package = recipe_make(&recipe);
    uint32_t size = read_example(document, "## A worked example", want, sizeof want);
    CHECK_EQUAL(size, package.size);
    if (!CHECK(size == package.size && memcmp(want, package.bytes, size) == 0)) {
        for (uint32_t i = 0; i < package.size; i++)
            printf("%s%02x", i % 16 != 0 ? " " : "\n", package.bytes[i]);
        printf("\n");
    }
    CHECK_EQUAL(verify(&package, 3, 0, 1), TANDEM_ERROR_KEY);
    struct tandem_manifest manifest;
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
    CHECK_EQUAL(tandem_manifest_verify(&manifest, NULL, &recipe.signers[0].key, 1, 0, 1), TANDEM_OK);
    package_free(&package);
}

/* The document's second example: how three blocks chain. 1200 bytes, each its own offset's low byte. */
static void example_chain(void)
{
    static uint8_t data[1200];
    uint8_t want[3 * TANDEM_BLOCK_DIGEST_SIZE], got[3 * TANDEM_BLOCK_DIGEST_SIZE];
    struct recipe recipe;
    struct tandem_manifest manifest;
    struct tandem_image image;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    make_example(&recipe);
    recipe.images[0].data = data;
    recipe.images[0].size = sizeof data;
    struct package package = recipe_make(&recipe);
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) == TANDEM_OK);
    REQUIRE(tandem_manifest_image(&manifest, 0, &image) == TANDEM_OK);
    memcpy(got, image.first_block, TANDEM_BLOCK_DIGEST_SIZE);
    for (unsigned i = 0; i < 2; i++)
        memcpy(got + (i + 1) * TANDEM_BLOCK_DIGEST_SIZE, package.bytes + image.payload_offset + i * 528 + 512,
               TANDEM_BLOCK_DIGEST_SIZE);
    CHECK_EQUAL(read_example(document, "### A chain of three blocks", want, sizeof want), sizeof want);
    CHECK_BYTES(got, want, sizeof got);
    package_free(&package);
}

int main(int argc, char **argv)
{
    RUN(round_trip);
    RUN(find_and_fit);
    RUN(headers);
    RUN(truncated_heads);
    RUN(truncated_manifests);
    RUN(fields_alone);
    RUN(fields_together);
    RUN(images_alone);
    RUN(payload_sizes);
    RUN(nested_fields);
    RUN(images_together);
    RUN(payload_places);
    RUN(head_bits);
    RUN(payload_bits);
    RUN(random_damage);
    RUN(signatures);
    RUN(signature_entries);
    RUN(p256);
    RUN(failing_reader);
    RUN(failing_writer);
    RUN(writer_arguments);
    RUN(writer_limits);
    REQUIRE(argc == 2);
    document = argv[1];
    RUN(example);
    RUN(example_chain);
    return check_report();
}
