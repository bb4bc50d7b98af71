/*
 * The STM32F407 as Tandem sees it: the image runs from one place, and a copy
 * of the store is written over it.
 */
#include "device.h"

#include "board.h"
#include "layout.h"

uint8_t device_buffer[sizeof device_buffer];

static const struct tandem_key keys[] = {{TANDEM_KEY_ED25519, public_key}};

static const struct tandem_slot slots[] = {{
    .kind = TANDEM_KIND_APPLICATION,
    .mode = TANDEM_MODE_OVERWRITE,
    .areas = {{&board_flash.port, APPLICATION_ADDRESS, APPLICATION_SIZE},
              {&board_flash.port, STORE_ADDRESS, STORE_SIZE}},
}};

const struct tandem_device device = {
    .vendor = "tandem",
    .product = "stm32f407",
    .hardware = 1,
    .slots = slots,
    .slot_count = 1,
    .manifests = {{&board_flash.port, MANIFEST_0_ADDRESS, MANIFEST_SIZE},
                  {&board_flash.port, MANIFEST_1_ADDRESS, MANIFEST_SIZE}},
    .journal = {&board_flash.port, JOURNAL_ADDRESS, JOURNAL_SIZE},
    .keys = keys,
    .key_count = 1,
    .system = &board_system,
};

/* What a hand that changes the layout may forget does not compile. */
#define HOLDS(name, condition) typedef char name[(condition) ? 1 : -1]
HOLDS(journal_follows_bootloader,
      BOOTLOADER_ADDRESS == FLASH_ADDRESS && JOURNAL_ADDRESS == BOOTLOADER_ADDRESS + BOOTLOADER_SIZE);
HOLDS(application_follows_journal, APPLICATION_ADDRESS == JOURNAL_ADDRESS + JOURNAL_SIZE);
HOLDS(manifest_ends_application, MANIFEST_0_ADDRESS == APPLICATION_ADDRESS + APPLICATION_SIZE);
HOLDS(store_follows_application, STORE_ADDRESS == MANIFEST_0_ADDRESS + MANIFEST_SIZE);
HOLDS(manifest_ends_store, MANIFEST_1_ADDRESS == STORE_ADDRESS + STORE_SIZE);
HOLDS(store_ends_flash, MANIFEST_1_ADDRESS + MANIFEST_SIZE == FLASH_ADDRESS + FLASH_SIZE);
HOLDS(application_fits_store, APPLICATION_SIZE <= STORE_SIZE);
HOLDS(application_is_aligned_for_vtor, APPLICATION_ADDRESS % 0x200 == 0);
HOLDS(application_is_on_a_sector, APPLICATION_ADDRESS == FLASH_ADDRESS + 4 * 0x4000);
HOLDS(store_is_on_a_sector, STORE_ADDRESS % 0x20000 == 0);
