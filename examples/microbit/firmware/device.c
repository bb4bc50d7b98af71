/*
 * The micro:bit as Tandem sees it: two banks of 108 KB, from either of which
 * an application runs that was linked for it.
 */
#include "device.h"

#include "board.h"
#include "layout.h"

#ifndef DEVICE_VERIFY
#define DEVICE_VERIFY TANDEM_VERIFY_ALWAYS
#endif

uint8_t device_buffer[sizeof device_buffer];

static const struct tandem_key keys[] = {{TANDEM_KEY_ED25519, public_key}};

static const struct tandem_slot slots[] = {{
    .kind = TANDEM_KIND_APPLICATION,
    .mode = TANDEM_MODE_DIRECT,
    .areas = {{&board_flash, BANK_0_ADDRESS, BANK_SIZE}, {&board_flash, BANK_1_ADDRESS, BANK_SIZE}},
}};

const struct tandem_device device = {
    .vendor = "tandem",
    .product = "microbit",
    .hardware = 1,
    .slots = slots,
    .slot_count = 1,
    .manifests = {{&board_flash, MANIFEST_0_ADDRESS, MANIFEST_SIZE}, {&board_flash, MANIFEST_1_ADDRESS, MANIFEST_SIZE}},
    .journal = {&board_flash, JOURNAL_ADDRESS, JOURNAL_SIZE},
    .keys = keys,
    .key_count = 1,
    .verify_policy = DEVICE_VERIFY,
    .system = &board_system,
};
