/*
 * The head of a set of bare images: what a package's head would say, as far as
 * anybody knows, and no signature. docs/package.md is the specification.
 */
#include <string.h>

#include "core/bank.h"
#include "core/bare.h"
#include "core/bytes.h"
#include "core/install.h"
#include "core/mcuboot.h"
#include "core/package_wire.h"

#define BLOCK_SHIFT 9 /* there are no blocks, but a head must give their size */

static uint16_t name_size(const char *name)
{
    uint16_t size = 0;
    while (name[size] != '\0')
        size++;
    return size;
}

uint32_t tandem_bare_head_size(const struct tandem_device *device, uint32_t images, uint32_t dependencies)
{
    return TANDEM_PACKAGE_HEADER_SIZE + 4u * FIELD_HEAD + name_size(device->vendor) + name_size(device->product) +
           TANDEM_VERSION_WIRE_SIZE + 4u + images * (FIELD_HEAD + IMAGE_FIXED) +
           dependencies * (FIELD_HEAD + DEPENDENCY_SIZE);
}

/* Open a field at `*at`; its value follows at the returned place. */
static uint8_t *put_field(uint8_t **at, uint16_t type, uint16_t size)
{
    uint8_t *value = *at + FIELD_HEAD;
    tandem_store_le16(*at, type);
    tandem_store_le16(*at + 2, size);
    *at = value + size;
    return value;
}

static void put_name(uint8_t **at, uint16_t type, const char *name)
{
    uint16_t size = name_size(name);
    memcpy(put_field(at, type, size), name, size);
}

/* What an MCUboot image needs of others, whose numbers are those of the device's slots. */
static enum tandem_status put_dependencies(uint8_t **at, const struct tandem_device *device,
                                           const struct tandem_mcuboot *image)
{
    for (uint8_t i = 0; i < image->dependency_count; i++) {
        const struct tandem_mcuboot_dependency *dependency = &image->dependencies[i];
        if (dependency->image >= device->slot_count)
            return TANDEM_ERROR_DEPENDENCY;
        uint8_t *value = put_field(at, IMAGE_FIELD_DEPENDENCY, DEPENDENCY_SIZE);
        value[0] = device->slots[dependency->image].kind;
        tandem_version_store(&dependency->minimum, value + 1);
    }
    return TANDEM_OK;
}

/* `*offset` is where its payload would begin, had it one, and is moved behind it. */
static enum tandem_status put_image(uint8_t **at, const struct tandem_bare *bare, uint8_t slot, uint32_t *offset)
{
    const struct tandem_bare_entry *entry = &bare->entries[slot];
    const struct tandem_device *device = device_of(bare->install);
    uint32_t payload = entry->size + ((entry->size - 1) >> BLOCK_SHIFT) * TANDEM_BLOCK_DIGEST_SIZE;
    uint32_t dependencies = entry->dependency_count * (uint32_t)(FIELD_HEAD + DEPENDENCY_SIZE);
    uint8_t *value = put_field(at, FIELD_IMAGE, (uint16_t)(IMAGE_FIXED + dependencies));
    memset(value, 0, IMAGE_FIXED);
    value[IMAGE_KIND] = device->slots[slot].kind;
    value[IMAGE_VARIANT] = entry->variant;
    value[IMAGE_ENCODING] = TANDEM_ENCODING_PLAIN;
    tandem_version_store(&entry->version, value + IMAGE_VERSION);
    tandem_store_le32(value + IMAGE_LOAD_ADDRESS, entry->load_address);
    tandem_store_le32(value + IMAGE_SIZE, entry->size);
    tandem_store_le32(value + IMAGE_PAYLOAD_OFFSET, *offset);
    tandem_store_le32(value + IMAGE_PAYLOAD_SIZE, payload);
    tandem_store_le16(value + IMAGE_BLOCK_SIZE, 1u << BLOCK_SHIFT);
    memcpy(value + IMAGE_DIGEST, entry->digest, sizeof entry->digest);
    *offset += payload;
    if (!TANDEM_CONFIG_MCUBOOT || dependencies == 0)
        return TANDEM_OK;
    struct tandem_mcuboot image;
    struct tandem_area area = tandem_bank_area(&bare->install->bank, slot, tandem_bank_free(&bare->install->bank));
    enum tandem_status status = tandem_bank_mcuboot_open(&image, device, &area, entry->size);
    if (status == TANDEM_OK && image.dependency_count != entry->dependency_count)
        status = TANDEM_ERROR_FLASH;
    value += IMAGE_FIXED;
    return status == TANDEM_OK ? put_dependencies(&value, device, &image) : status;
}

/* The set's version is its application's. A set without one, or without a known version, leaves the version as it is.
 */
static const struct tandem_version *version_of(const struct tandem_bare *bare)
{
    static const struct tandem_version none = {0, 0, 0, 0};
    const struct tandem_install *install = bare->install;
    for (uint8_t i = 0; i < device_of(install)->slot_count; i++)
        if ((bare->here >> i & 1) && device_of(install)->slots[i].kind == TANDEM_KIND_APPLICATION &&
            (tandem_version_compare(&bare->entries[i].version, &none) != 0 ||
             bare->entries[i].payload == TANDEM_PAYLOAD_MCUBOOT))
            return &bare->entries[i].version;
    return &install->running;
}

/* The least of its images': whatever the set is taken for, none of them is older. */
static uint32_t counter_of(const struct tandem_bare *bare)
{
    uint32_t counter = 0xFFFFFFFFu;
    for (uint8_t i = 0; i < device_of(bare->install)->slot_count; i++)
        if ((bare->here >> i & 1) && bare->entries[i].counter < counter)
            counter = bare->entries[i].counter;
    return counter;
}

enum tandem_status tandem_bare_compose(const struct tandem_bare *bare, uint32_t room, uint32_t *size)
{
    const struct tandem_install *install = bare->install;
    const struct tandem_device *device = device_of(install);
    uint8_t *head = install->buffer, *at = head + TANDEM_PACKAGE_HEADER_SIZE;
    uint32_t images = 0, dependencies = 0;
    for (uint8_t i = 0; i < device->slot_count; i++)
        if (bare->here >> i & 1) {
            images++;
            dependencies += bare->entries[i].dependency_count;
        }
    *size = tandem_bare_head_size(device, images, dependencies);
    if (*size > room)
        return TANDEM_ERROR_SPACE;
    put_name(&at, FIELD_VENDOR, device->vendor);
    put_name(&at, FIELD_PRODUCT, device->product);
    tandem_version_store(version_of(bare), put_field(&at, FIELD_VERSION, TANDEM_VERSION_WIRE_SIZE));
    tandem_store_le32(put_field(&at, FIELD_COUNTER, 4), counter_of(bare));
    uint32_t offset = *size;
    enum tandem_status status = TANDEM_OK;
    for (uint8_t i = 0; i < device->slot_count && status == TANDEM_OK; i++)
        if (bare->here >> i & 1)
            status = put_image(&at, bare, i, &offset);

    tandem_store_le32(head + HEADER_MAGIC, TANDEM_PACKAGE_MAGIC);
    head[HEADER_FORMAT] = PACKAGE_FORMAT;
    head[HEADER_FLAGS] = 0;
    tandem_store_le16(head + HEADER_SIZE, TANDEM_PACKAGE_HEADER_SIZE);
    tandem_store_le16(head + HEADER_MANIFEST_SIZE, (uint16_t)(*size - TANDEM_PACKAGE_HEADER_SIZE));
    tandem_store_le16(head + HEADER_SIGNATURES_SIZE, 0);
    tandem_store_le32(head + HEADER_PACKAGE_SIZE, offset);
    tandem_store_le32(head + HEADER_CRC, tandem_crc32(TANDEM_CRC32_START, head, HEADER_CRC) ^ 0xFFFFFFFFu);
    return status;
}
