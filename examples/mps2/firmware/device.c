/*
 * The board as Tandem sees it: an application that runs from one place, and
 * a store that takes the next one. The bootloader exchanges them.
 */
#include "device.h"

#include "board.h"
#include "layout.h"

uint8_t device_buffer[sizeof device_buffer];

static const struct tandem_key keys[] = {{TANDEM_KEY_ED25519, public_key}};

static const struct tandem_slot slots[] = {{
    .kind = TANDEM_KIND_APPLICATION,
    .mode = TANDEM_MODE_SWAP,
    .areas = {{&board_flash, PRIMARY_ADDRESS, PRIMARY_SIZE}, {&board_flash, STORE_ADDRESS, STORE_SIZE}},
}};

const struct tandem_device device = {
    .vendor = "tandem",
    .product = "mps2",
    .hardware = 1,
    .slots = slots,
    .slot_count = 1,
    .manifests = {{&board_flash, MANIFEST_0_ADDRESS, MANIFEST_SIZE}, {&board_flash, MANIFEST_1_ADDRESS, MANIFEST_SIZE}},
    .journal = {&board_flash, JOURNAL_ADDRESS, JOURNAL_SIZE},
    .keys = keys,
    .key_count = 1,
    .system = &board_system,
};
