/*
 * A device leaves the factory: its flash is written as a production
 * programmer writes it, the first firmware in bank 0. Nothing is confirmed
 * here; the bootloader verifies it at the first start like anything else.
 */
#define _POSIX_C_SOURCE 200809L

#include "device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "package_file.h"

int device_take_names(struct board_facts *facts, const char *path)
{
    struct package_file package;
    int code = package_read(&package, path);
    if (code == TOOL_OK && facts->vendor[0] == '\0')
        memcpy(facts->vendor, package.manifest.vendor, package.manifest.vendor_size);
    if (code == TOOL_OK && facts->product[0] == '\0')
        memcpy(facts->product, package.manifest.product, package.manifest.product_size);
    package_release(&package);
    return code;
}

/* Program bytes of any number: the last unit is filled up with erased bytes. */
static enum tandem_status program(const struct tandem_area *area, const uint8_t *data, size_t size)
{
    const struct tandem_flash_port *flash = area->flash;
    uint8_t unit[32];
    size_t whole = size / flash->program_unit * flash->program_unit;
    enum tandem_status status = TANDEM_OK;
    if (whole > 0)
        while ((status = flash->program(flash->ctx, area->address, data, whole)) == TANDEM_AGAIN)
            tandem_posix_sleep_ms(1);
    if (status != TANDEM_OK || whole == size)
        return status;
    memset(unit, flash->erased, sizeof unit);
    memcpy(unit, data + whole, size - whole);
    uint32_t address = area->address + (uint32_t)whole;
    while ((status = flash->program(flash->ctx, address, unit, flash->program_unit)) == TANDEM_AGAIN)
        tandem_posix_sleep_ms(1);
    return status;
}

static const struct tandem_slot *find_slot(const struct board *board, uint8_t kind)
{
    for (uint8_t i = 0; i < board->device.slot_count; i++)
        if (board->device.slots[i].kind == kind)
            return &board->device.slots[i];
    return NULL;
}

static int write_image(struct board *board, const struct package_file *package, const struct tandem_image *image,
                       const char *path)
{
    char kind[TOOL_KIND_SIZE];
    const struct tandem_slot *slot = find_slot(board, image->kind);
    if (slot == NULL)
        return tool_fail(TANDEM_ERROR_TARGET, "%s: this device has no slot for image %s", path,
                         tool_kind(image->kind, kind));
    if (image->size > slot->areas[0].size)
        return tool_fail(TANDEM_ERROR_TOO_LARGE, "%s: image %s has %lu bytes, its slot %lu", path,
                         tool_kind(image->kind, kind), (unsigned long)image->size, (unsigned long)slot->areas[0].size);
    uint8_t *bytes = malloc(image->size);
    if (bytes == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    package_copy_image(package, image, bytes);
    enum tandem_status status = program(&slot->areas[0], bytes, image->size);
    free(bytes);
    return status == TANDEM_OK ? TOOL_OK : tool_fail((int)status, "%s", board->flash.fault);
}

static int write_bank(struct board *board, const struct package_file *package, const char *path)
{
    const struct tandem_manifest *manifest = &package->manifest;
    struct tandem_image image;
    if (tandem_manifest_find(manifest, TANDEM_KIND_APPLICATION, 0, &image) != TANDEM_OK)
        return tool_fail(TANDEM_ERROR_INCOMPLETE, "%s has no image app, which this device runs", path);
    if (manifest->header.head_size > board->device.manifests[0].size)
        return tool_fail(TANDEM_ERROR_TOO_LARGE, "%s: its head has %lu bytes, there is room for %lu", path,
                         (unsigned long)manifest->header.head_size, (unsigned long)board->device.manifests[0].size);
    int code = TOOL_OK;
    for (uint8_t i = 0; code == TOOL_OK && tandem_manifest_image(manifest, i, &image) == TANDEM_OK; i++)
        if (image.variant != 1)
            code = write_image(board, package, &image, path);
    if (code != TOOL_OK)
        return code;
    enum tandem_status status = program(&board->device.manifests[0], manifest->head, manifest->header.head_size);
    return status == TANDEM_OK ? TOOL_OK : tool_fail((int)status, "%s", board->flash.fault);
}

static int same_name(const uint8_t *name, size_t size, const char *text)
{
    return strlen(text) == size && memcmp(name, text, size) == 0;
}

static int check_target(const struct board_facts *facts, const struct tandem_manifest *manifest, const char *path)
{
    if (!same_name(manifest->vendor, manifest->vendor_size, facts->vendor) ||
        !same_name(manifest->product, manifest->product_size, facts->product))
        return tool_fail(TANDEM_ERROR_TARGET, "%s is for another product than %s %s", path, facts->vendor,
                         facts->product);
    if (!tandem_manifest_fits_hardware(manifest, (uint16_t)facts->hardware))
        return tool_fail(TANDEM_ERROR_HARDWARE, "%s is not for hardware revision %lu", path,
                         (unsigned long)facts->hardware);
    return TOOL_OK;
}

static int fill(struct board *board, const char *path)
{
    struct package_file package;
    int code = package_read(&package, path);
    if (code == TOOL_OK)
        code = package_verify(&package, board->device.keys, board->device.key_count, 1, path);
    if (code == TOOL_OK)
        code = check_target(&board->facts, &package.manifest, path);
    if (code == TOOL_OK)
        code = write_bank(board, &package, path);
    package_release(&package);
    return code;
}

int device_provision(const char *state, const char *path)
{
    char from[BOARD_PATH_SIZE], to[BOARD_PATH_SIZE], reason[TANDEM_POSIX_REASON_SIZE] = "";
    static struct board board;
    if (board_path(from, state, "flash.new") != 0 || board_path(to, state, "flash.bin") != 0)
        return tool_fail(TOOL_SYSTEM, "%s: the name is too long", state);
    (void)unlink(from); /* what an earlier attempt left */
    enum tandem_status status = board_open(&board, state, "flash.new", reason);
    int code = status == TANDEM_OK ? fill(&board, path)
                                   : tool_fail(status == TANDEM_ERROR_PORT ? TOOL_SYSTEM : (int)status, "%s", reason);
    board_close(&board);
    if (code == TOOL_OK && rename(from, to) != 0)
        code = tool_fail(TOOL_SYSTEM, "cannot make %s: %s", to, strerror(errno));
    if (code != TOOL_OK)
        (void)unlink(from);
    return code;
}
