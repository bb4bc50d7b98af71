/*
 * Where everything lies in the STM32F407's 1 MB of flash and its RAM. Sectors
 * are of 16, 64 and 128 KB, so the image runs from one place and the rest of
 * the flash is its store. The linker scripts say the same.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define FLASH_ADDRESS 0x08000000u
#define FLASH_SIZE 0x100000u

/* Sectors 0 and 1 */
#define BOOTLOADER_ADDRESS 0x08000000u
#define BOOTLOADER_SIZE 0x8000u
#define BOOTLOADER_LAST_SECTOR 1u
/* Sectors 2 and 3 */
#define JOURNAL_ADDRESS 0x08008000u
#define JOURNAL_SIZE 0x8000u
/* Sectors 4 to 7: 64 KB, 3 times 128 KB. The manifest takes their end. */
#define APPLICATION_ADDRESS 0x08010000u
#define APPLICATION_SIZE 0x6F000u
/* Sectors 8 to 11: 4 times 128 KB. */
#define STORE_ADDRESS 0x08080000u
#define STORE_SIZE 0x7F000u
#define MANIFEST_SIZE 0x1000u

/* Where stacks may be: SRAM1 with SRAM2, and the core-coupled memory. Their ends are allowed. */
#define RAM_ADDRESS 0x20000000u
#define RAM_SIZE 0x20000u
#define CCM_ADDRESS 0x10000000u
#define CCM_SIZE 0x10000u
/* The last bytes of RAM outlive a reset: a word from one image to the next. */
#define HANDOVER_SIZE 0x10u
#define HANDOVER_ADDRESS (RAM_ADDRESS + RAM_SIZE - HANDOVER_SIZE)

#endif
