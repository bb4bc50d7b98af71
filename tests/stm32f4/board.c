/*
 * A board with an STM32F407: see board.h.
 */
#include "board.h"

#include "check.h"
#include "layout.h"

#define POLLS_MAX 10000000u
#define ACR 0x40023C00u
#define ACR_RUN 0x705u /* 5 wait states, prefetch, both caches: what start-up code sets for 168 MHz */

static void feed(void *ctx)
{
    struct board *board = ctx;
    board->fed++;
}

static struct tandem_area area(struct board *board, uint32_t address, uint32_t size)
{
    struct tandem_area result = {&board->flash.port, address, size};
    return result;
}

static void open_chip(struct board *board, uint8_t banks)
{
    struct sim_flash_spec spec;
    memset(board, 0, sizeof *board);
    model_spec(&spec, FLASH_SIZE, banks, 4);
    sim_power_init(&board->power, 7);
    sim_flash_init(&board->chip, &spec, &board->power, &board->now_us);
    model_init(&board->model, &board->chip, FLASH_SIZE, banks);
    board->options.bank_size = FLASH_SIZE;
    board->options.banks = banks;
    board->options.parallelism = 4;
    board->options.locked = BOOTLOADER_SECTORS;
    board->options.bus = &board->model.bus;
    board->key = *fixture_key(0);
    board->system.ctx = board;
    board->system.watchdog = feed;
    board->device.vendor = "Acme";
    board->device.product = "Bud";
    board->device.hardware = 1;
    board->device.slots = &board->slot;
    board->device.slot_count = 1;
    board->device.keys = &board->key;
    board->device.key_count = 1;
    board->device.crypto = fixture_crypto();
    board->device.system = &board->system;
    board->slot.kind = TANDEM_KIND_APPLICATION;
    board->device.journal = area(board, JOURNAL_ADDRESS, JOURNAL_SIZE);
}

void board_open(struct board *board)
{
    open_chip(board, 1);
    board->slot.mode = TANDEM_MODE_OVERWRITE;
    board->slot.areas[0] = area(board, APPLICATION_ADDRESS, APPLICATION_SIZE);
    board->slot.areas[1] = area(board, STORE_ADDRESS, STORE_SIZE);
    board->device.manifests[0] = area(board, MANIFEST_0_ADDRESS, MANIFEST_SIZE);
    board->device.manifests[1] = area(board, MANIFEST_1_ADDRESS, MANIFEST_SIZE);
    board_power(board);
    REQUIRE(tandem_device_check(&board->device, NULL) == TANDEM_OK);
}

void board_open_direct(struct board *board, uint8_t banks)
{
    open_chip(board, banks);
    for (uint32_t bank = 0; bank < 2; bank++) {
        uint32_t address =
            banks == 2 ? APPLICATION_ADDRESS + bank * FLASH_SIZE : FLASH_ADDRESS + 0x20000 + bank * 0x60000;
        uint32_t size = (banks == 2 ? 0xF0000u : 0x60000u) - MANIFEST_SIZE;
        board->slot.areas[bank] = area(board, address, size);
        board->device.manifests[bank] = area(board, address + size, MANIFEST_SIZE);
    }
    board_power(board);
    REQUIRE(tandem_device_check(&board->device, NULL) == TANDEM_OK);
}

void board_close(struct board *board)
{
    CHECK(board_behaved(board));
    model_free(&board->model);
    sim_flash_free(&board->chip);
}

int board_behaved(const struct board *board)
{
    uint32_t misused = model_misused(&board->model), violations = sim_flash_violations(&board->chip);
    if (misused != 0)
        model_complain(&board->model);
    for (unsigned i = 0; violations != 0 && i < SIM_VIOLATIONS; i++)
        if (board->chip.violations[i] != 0)
            fprintf(stderr, "flash: %s, at 0x%08x\n", sim_violation_text((enum sim_violation)i),
                    (unsigned)board->chip.violation_address);
    return misused == 0 && violations == 0;
}

void board_power(struct board *board)
{
    struct sim_flash *chip = &board->chip;
    struct sim_rng rng = {board->power.ops};
    sim_power_return(&board->power, &chip, 1);
    model_reset(&board->model);
    sim_random_bytes(&rng, (uint8_t *)&board->boot, sizeof board->boot);
    sim_random_bytes(&rng, (uint8_t *)&board->install, sizeof board->install);
    sim_random_bytes(&rng, board->buffer, sizeof board->buffer);
    sim_random_bytes(&rng, (uint8_t *)&board->flash, sizeof board->flash);
    board->model.bus.store(board->model.bus.ctx, ACR, ACR_RUN, 4);
    REQUIRE(tandem_stm32f4_flash_init(&board->flash, &board->options) == TANDEM_OK);
}

enum tandem_status board_start(struct board *board)
{
    board_power(board);
    return tandem_boot_decide(&board->boot, &board->device, board->buffer, sizeof board->buffer);
}

static uint8_t *make_image(uint16_t major, uint32_t size)
{
    struct sim_rng rng = {sim_mix(0xF407, major)};
    uint8_t *bytes = malloc(size);
    REQUIRE(bytes != NULL);
    sim_random_bytes(&rng, bytes, size);
    return bytes;
}

struct package board_package(uint16_t major, uint32_t size)
{
    struct recipe recipe;
    uint8_t *bytes = make_image(major, size);
    recipe_begin(&recipe, major);
    struct tandem_pack_image *image = recipe_image(&recipe, TANDEM_KIND_APPLICATION, 0, 16);
    image->data = bytes;
    image->size = size;
    recipe.pack.block_size = 1024;
    struct package package = recipe_make(&recipe);
    free(bytes);
    return package;
}

void board_factory(struct board *board, const struct package *package)
{
    struct tandem_manifest manifest;
    struct tandem_image image;
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package->bytes, package->size) == TANDEM_OK);
    REQUIRE(tandem_manifest_find(&manifest, TANDEM_KIND_APPLICATION, 0, &image) == TANDEM_OK);
    sim_flash_put(&board->chip, board->device.manifests[0].address, package->bytes, manifest.header.head_size);
    const uint8_t *from = package->bytes + image.payload_offset;
    for (uint32_t at = 0; at < image.size; at += image.block_size) {
        uint32_t part = image.size - at < image.block_size ? image.size - at : image.block_size;
        sim_flash_put(&board->chip, board->slot.areas[0].address + at, from, part);
        from += part + TANDEM_BLOCK_DIGEST_SIZE;
    }
}

void board_copy(struct board *board, const struct board *from)
{
    sim_flash_copy(&board->chip, &from->chip);
    memset(board->model.cached, 0, board->chip.size / 16); /* it is another moment's */
}

enum tandem_status board_confirm(struct board *board)
{
    enum tandem_status status =
        tandem_install_init(&board->install, &board->device, board->buffer, sizeof board->buffer);
    return status == TANDEM_OK ? tandem_install_confirm(&board->install) : status;
}

int board_holds(const struct board *board, const struct package *package)
{
    struct tandem_manifest manifest;
    struct tandem_image image;
    REQUIRE(tandem_manifest_parse(&manifest, NULL, package->bytes, package->size) == TANDEM_OK);
    REQUIRE(tandem_manifest_find(&manifest, TANDEM_KIND_APPLICATION, 0, &image) == TANDEM_OK);
    const uint8_t *from = package->bytes + image.payload_offset;
    for (uint32_t at = 0; at < image.size; at += image.block_size) {
        uint32_t part = image.size - at < image.block_size ? image.size - at : image.block_size;
        if (memcmp(sim_flash_at(&board->chip, board->slot.areas[0].address + at), from, part) != 0)
            return 0;
        from += part + TANDEM_BLOCK_DIGEST_SIZE;
    }
    return 1;
}

/* One step of the installer, and what it wants. @return 1 while there is more to do */
static int step(struct board *board, const struct package *package, uint32_t end)
{
    struct tandem_install *install = &board->install;
    enum tandem_status status = tandem_install_poll(install);
    enum tandem_state state = tandem_install_state(install);
    if (state != TANDEM_STATE_RECEIVING && state != TANDEM_STATE_VALIDATING)
        return status == TANDEM_AGAIN;
    uint32_t wants = tandem_install_wants(install), limit = tandem_install_limit(install);
    limit = limit < end ? limit : end;
    if (wants < limit) {
        CHECK_EQUAL(tandem_install_feed(install, wants, package->bytes + wants, limit - wants), TANDEM_OK);
        board->sent += limit - wants;
    }
    return status == TANDEM_AGAIN || wants < limit;
}

enum tandem_state board_receive(struct board *board, const struct package *package, uint8_t activate, uint32_t stop)
{
    unsigned polls = 0;
    REQUIRE(tandem_install_init(&board->install, &board->device, board->buffer, sizeof board->buffer) == TANDEM_OK);
    CHECK_EQUAL(tandem_install_begin(&board->install, package->id, package->size, activate), TANDEM_OK);
    while (step(board, package, stop != 0 ? stop : package->size))
        REQUIRE(++polls < POLLS_MAX);
    return tandem_install_state(&board->install);
}
