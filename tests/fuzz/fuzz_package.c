/*
 * The package reader under arbitrary heads. The first byte says whether they
 * are raw bytes or edits of a head that is really signed, and what is repaired
 * before parsing (sizes and checksum of the header), so that inputs get past
 * it. Nothing that was not signed may verify, and whatever parses must keep to
 * its bounds.
 */
#include <string.h>

#include "board.h"
#include "core/bytes.h"
#include "core/package_wire.h"
#include "fuzz.h"

static struct sim_release known[2]; /* what the key really signed */
static struct tandem_key key;

/* Planted: a verification that lets everything pass. */
static enum tandem_status trust(void *ctx, const uint8_t *signature, const uint8_t *public, const void *message,
                                size_t size)
{
    (void)ctx;
    (void)signature;
    (void)public;
    (void)message;
    (void)size;
    return TANDEM_OK;
}

static const struct tandem_crypto_port trusting = {.ed25519_verify = trust};

static void prepare(void)
{
    static int done;

    if (done)
        return;
    done = 1;
    sim_release_make(&known[0], sim_layout_named("tiny"), &(struct sim_release_spec){.number = 1, .counter = 1});
    sim_release_make(&known[1], sim_layout_named("duo"), &(struct sim_release_spec){.number = 2, .counter = 2});
    key.type = TANDEM_KEY_ED25519;
    key.key = sim_key_public(0);
}

/* Make the header consistent, so that what follows it is looked at. */
static void repair(uint8_t *head, size_t size, unsigned how)
{
    uint16_t manifest;

    if (size < TANDEM_PACKAGE_HEADER_SIZE)
        return;
    if (how & 2) {
        manifest = tandem_load_le16(head + HEADER_MANIFEST_SIZE);
        if (manifest > size - TANDEM_PACKAGE_HEADER_SIZE)
            manifest = (uint16_t)(size - TANDEM_PACKAGE_HEADER_SIZE);
        tandem_store_le32(head, TANDEM_PACKAGE_MAGIC);
        head[HEADER_FORMAT] = PACKAGE_FORMAT;
        head[HEADER_FLAGS] = 0;
        tandem_store_le16(head + HEADER_SIZE, TANDEM_PACKAGE_HEADER_SIZE);
        tandem_store_le16(head + HEADER_MANIFEST_SIZE, manifest);
        tandem_store_le16(head + HEADER_SIGNATURES_SIZE, (uint16_t)(size - TANDEM_PACKAGE_HEADER_SIZE - manifest));
    }
    tandem_store_le32(head + HEADER_CRC, ~tandem_crc32(TANDEM_CRC32_START, head, HEADER_CRC));
}

static void check_image(const struct tandem_manifest *manifest, uint8_t index)
{
    struct tandem_image image, found;

    MUST(tandem_manifest_image(manifest, index, &image) == TANDEM_OK);
    MUST(image.kind != 0);
    MUST(image.payload_offset >= manifest->header.head_size);
    MUST(image.payload_size <= manifest->header.package_size - image.payload_offset);
    MUST(image.dependency_count <= TANDEM_DEPENDENCIES_MAX);
    MUST(image.block_size >= TANDEM_BLOCK_SIZE_MIN && image.block_size <= TANDEM_BLOCK_SIZE_MAX);
    for (uint8_t bank = 0; bank < 2; bank++)
        if (image.variant == TANDEM_VARIANT_ANY || image.variant == bank)
            MUST(tandem_manifest_find(manifest, image.kind, bank, &found) == TANDEM_OK);
}

static void check_manifest(const struct tandem_manifest *manifest, const uint8_t *head, size_t size)
{
    struct tandem_image image;
    volatile uint8_t sum = 0;
    int signed_by_us = 0;

    MUST(manifest->header.head_size <= size);
    MUST(manifest->image_count <= TANDEM_CONFIG_MAX_IMAGES);
    MUST(manifest->vendor_size <= TANDEM_NAME_SIZE_MAX && manifest->product_size <= TANDEM_NAME_SIZE_MAX);
    for (uint8_t i = 0; i < manifest->image_count; i++)
        check_image(manifest, i);
    MUST(tandem_manifest_image(manifest, manifest->image_count, &image) != TANDEM_OK);
    for (unsigned i = 0; i < manifest->vendor_size; i++)
        sum = (uint8_t)(sum + manifest->vendor[i]);
    for (unsigned i = 0; i < manifest->product_size; i++)
        sum = (uint8_t)(sum + manifest->product[i]);
    for (unsigned i = 0; i < manifest->description_size; i++)
        sum = (uint8_t)(sum + manifest->description[i]);
    for (unsigned i = 0; i < manifest->revoked_count * (unsigned)TANDEM_KEY_ID_SIZE; i++)
        sum = (uint8_t)(sum + manifest->revoked[i]);
    tandem_manifest_fits_hardware(manifest, 7);
    if (tandem_manifest_verify(manifest, fuzz_planted() ? &trusting : &sim_crypto, &key, 1, 0, 1) != TANDEM_OK)
        return;
    for (unsigned i = 0; i < 2; i++) {
        size_t signed_size = (size_t)TANDEM_PACKAGE_HEADER_SIZE + manifest->header.manifest_size;

        if (signed_size <= known[i].size && memcmp(head, known[i].bytes, signed_size) == 0)
            signed_by_us = 1;
    }
    MUST(signed_by_us);
}

/* A signed head, with bytes changed. @return its size */
static size_t edited_head(struct fuzz_script *script, uint8_t **head)
{
    const struct sim_release *release = &known[fuzz_byte(script) & 1];
    struct tandem_package_header header;
    size_t size;

    tandem_package_header(&header, release->bytes);
    size = header.head_size;
    *head = malloc(size);
    MUST(*head);
    memcpy(*head, release->bytes, size);
    while (script->size) {
        uint32_t at = fuzz_number(script, 2);

        (*head)[at % size] ^= fuzz_byte(script);
    }
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = {data, size};
    struct tandem_manifest manifest;
    struct tandem_package_header header;
    unsigned how = fuzz_byte(&script);
    uint8_t *head;

    prepare();
    if (how & 4) {
        size = edited_head(&script, &head);
    } else {
        size = script.size;
        head = malloc(size ? size : 1);
        MUST(head);
        if (size)
            memcpy(head, script.data, size);
    }
    if (how & 1)
        repair(head, size, how);
    if (size >= TANDEM_PACKAGE_HEADER_SIZE && tandem_package_header(&header, head) == TANDEM_OK)
        MUST(header.head_size <= header.package_size);
    if (tandem_manifest_parse(&manifest, NULL, head, size) == TANDEM_OK)
        check_manifest(&manifest, head, size);
    free(head);
    return 0;
}
