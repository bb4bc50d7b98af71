/*
 * What the device says of itself: information, versions, section sizes, and
 * which images it has already. Both fronts tell it.
 */
#include "realtek_device.h"

#include <string.h>

#include "core/bytes.h"

static const struct tandem_bank *bank_of(const struct tandem_realtek_device *device)
{
    return &device->bare->install->bank;
}

/* Where an image of a kind lies in a bank. @return 0: there is no such slot */
static int find_area(const struct tandem_realtek_device *device, uint8_t kind, uint8_t which, struct tandem_area *area)
{
    const struct tandem_bank *bank = bank_of(device);

    for (uint8_t slot = 0; slot < bank->device->slot_count; slot++)
        if (kind != 0 && bank->device->slots[slot].kind == kind) {
            *area = tandem_bank_area(bank, slot, which);
            return 1;
        }
    return 0;
}

uint32_t tandem_realtek_section(const struct tandem_realtek_device *device, const struct tandem_realtek_map *map)
{
    struct tandem_area area;

    if (map->kind == 0)
        return INT32_MAX; /* it is not kept: any size will do */
    return find_area(device, map->kind, tandem_bank_free(bank_of(device)), &area) ? area.size : 0;
}

static uint32_t indicator(const struct tandem_realtek_device *device)
{
    const struct tandem_realtek_config *config = device->config;
    uint32_t state = config->single_bank                         ? REALTEK_INDICATOR_SINGLE
                     : tandem_bank_running(bank_of(device)) == 0 ? REALTEK_INDICATOR_BANK_0
                                                                 : REALTEK_INDICATOR_BANK_1;
    uint32_t bits = 0;

    for (unsigned i = 0; i < config->image_count; i++)
        bits |= state << (2 * config->images[i].index);
    return bits;
}

/* The free bank, as a temp area of 4 KiB units. */
static uint16_t temp_size(const struct tandem_realtek_device *device)
{
    const struct tandem_bank *bank = bank_of(device);
    uint32_t size = 0;

    for (uint8_t slot = 0; slot < bank->device->slot_count; slot++)
        size += tandem_bank_area(bank, slot, tandem_bank_free(bank)).size;
    size /= 4096;
    return (uint16_t)(size < 255 ? size : 255);
}

size_t tandem_realtek_tell_info(const struct tandem_realtek_device *device, enum tandem_realtek_dialect dialect,
                                uint8_t *bytes)
{
    const struct tandem_realtek_config *config = device->config;
    struct realtek_info info = {0};

    info.ic = config->ic;
    info.secure_version = config->secure_version;
    info.mode = REALTEK_MODE_CHECK | REALTEK_MODE_COPY | REALTEK_MODE_MULTI;
    if (device->aes_on)
        info.mode |= (uint8_t)(REALTEK_MODE_AES | (config->aes_all ? REALTEK_MODE_AES_ALL : 0));
    if (bank_of(device)->device->system != NULL && bank_of(device)->device->system->enter_ota != NULL)
        info.mode |= REALTEK_MODE_OTA;
    info.buffer_size = (uint16_t)(device->bare->install->buffer_size < 2048 + 255 ? 1024 : 2048);
    info.temp_size = temp_size(device);
    info.indicator = indicator(device);
    info.control_offset = device->layout_control;
    info.active_bank =
        (uint8_t)(config->single_bank ? REALTEK_BANK_SINGLE : REALTEK_BANK_0 + tandem_bank_running(bank_of(device)));
    info.mtu = TANDEM_REALTEK_STREAM_PAYLOAD;
    if (dialect != TANDEM_REALTEK_STREAM && device->gatt != NULL)
        info.mtu = device->gatt->mtu(device->gatt->ctx);
    if (config->pair != NULL)
        info.bud = config->pair->bud(config->pair->ctx);
    return tandem_realtek_info_store(dialect, &info, bytes);
}

static size_t tell_list(const struct tandem_realtek_device *device, int bank, int sizes, unsigned padded,
                        uint8_t *bytes)
{
    const struct tandem_realtek_config *config = device->config;
    struct realtek_entry entries[TANDEM_REALTEK_IMAGES_MAX];

    for (unsigned i = 0; i < config->image_count; i++) {
        entries[i].image = config->images[i].image;
        entries[i].value = sizes       ? tandem_realtek_section(device, &config->images[i])
                           : bank == 1 ? 0 /* the inactive bank holds nothing that may be relied on */
                                       : config->images[i].version;
    }
    return tandem_realtek_list_store(bytes, bank, entries, config->image_count, padded);
}

size_t tandem_realtek_tell_versions(const struct tandem_realtek_device *device, uint8_t bank, unsigned padded,
                                    uint8_t *bytes)
{
    return tell_list(device, bank, 0, padded, bytes);
}

size_t tandem_realtek_tell_sections(const struct tandem_realtek_device *device, unsigned padded, uint8_t *bytes)
{
    return tell_list(device, -1, 1, padded, bytes);
}

/* Whether the running image of an id carries this SHA-256. */
static int runs_already(const struct tandem_realtek_device *device, uint16_t image, const uint8_t *sha)
{
    const struct tandem_realtek_map *map = tandem_realtek_find(device, image);
    uint8_t is[TANDEM_SHA256_SIZE];
    struct tandem_area area;

    if (map == NULL || !find_area(device, map->kind, tandem_bank_running(bank_of(device)), &area))
        return 0;
    return area.flash->read(area.flash->ctx, area.address + realtek_sha_at(device), is, sizeof is) == TANDEM_OK &&
           memcmp(is, sha, sizeof is) == 0;
}

size_t tandem_realtek_tell_sha(const struct tandem_realtek_device *device, const uint8_t *body, size_t size,
                               uint8_t *bytes)
{
    const size_t entry = 2 + TANDEM_SHA256_SIZE;
    size_t count = size >= 2 ? tandem_load_le16(body) : 0, i;

    if (count == 0 || count > TANDEM_REALTEK_IMAGES_MAX || size != 2 + count * entry)
        return 0;
    for (i = 0; i < count; i++) {
        const uint8_t *asked = body + 2 + i * entry;

        memcpy(bytes + 3 * i, asked, 2);
        bytes[3 * i + 2] =
            runs_already(device, tandem_load_le16(asked), asked + 2) ? REALTEK_SHA_ACTIVE : REALTEK_SHA_SEND;
    }
    return 3 * count;
}
