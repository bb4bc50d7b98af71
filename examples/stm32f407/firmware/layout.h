/*
 * Where everything lies in the STM32F407's 1 MB of flash and its RAM. Sectors
 * are of 16, 64 and 128 KB, so the image runs from one place, and the upper
 * half of the flash is its store. The linker scripts and CMakeLists.txt say
 * the same: what they contradict does not start.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define FLASH_ADDRESS 0x08000000u
#define FLASH_SIZE 0x100000u

/* Sectors 0 and 1, of 16 KB */
#define BOOTLOADER_ADDRESS 0x08000000u
#define BOOTLOADER_SIZE 0x8000u
/* Sectors 2 and 3, of 16 KB */
#define JOURNAL_ADDRESS 0x08008000u
#define JOURNAL_SIZE 0x8000u
/* Sectors 4 to 7, of 64 and three times 128 KB; the end is the manifest's */
#define APPLICATION_ADDRESS 0x08010000u
#define APPLICATION_SIZE 0x6F000u
#define MANIFEST_0_ADDRESS 0x0807F000u
/* Sectors 8 to 11, of 128 KB; the same */
#define STORE_ADDRESS 0x08080000u
#define STORE_SIZE 0x7F000u
#define MANIFEST_1_ADDRESS 0x080FF000u
#define MANIFEST_SIZE 0x1000u

#define BOOTLOADER_SECTORS TANDEM_STM32F4_SECTORS(0, 1)
#define APPLICATION_SECTORS TANDEM_STM32F4_SECTORS(4, 7)

/* SRAM1 and SRAM2 in one, and the core-coupled memory: where a stack may be. */
#define RAM_ADDRESS 0x20000000u
#define RAM_SIZE 0x20000u
#define CCM_ADDRESS 0x10000000u
#define CCM_SIZE 0x10000u
/* The last bytes of RAM outlive a reset: what one image tells the other. */
#define HANDOVER_ADDRESS 0x2001FFC0u

#define DEVICE_BUFFER_SIZE 4096u

/* Stack, entry, 14 exceptions, 82 interrupts. */
#define VECTORS 98u

#endif
