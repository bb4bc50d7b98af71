/*
 * Where everything lies in the micro:bit's 256 KB of flash and 16 KB of RAM.
 * The linker scripts and CMakeLists.txt say the same: what they contradict does not start.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define FLASH_PAGE 0x400u
#define FLASH_SIZE 0x40000u

#define BOOTLOADER_ADDRESS 0x00000u
#define BOOTLOADER_SIZE 0x08000u
#define JOURNAL_ADDRESS 0x08000u
#define JOURNAL_SIZE 0x01000u
#define MANIFEST_0_ADDRESS 0x09000u
#define MANIFEST_1_ADDRESS 0x09400u
#define MANIFEST_SIZE 0x00400u
/* 0x09800 … 0x09FFF: free for the product's own settings */
#define BANK_0_ADDRESS 0x0A000u
#define BANK_1_ADDRESS 0x25000u
#define BANK_SIZE 0x1B000u

#define RAM_ADDRESS 0x20000000u
#define RAM_END 0x20003FC0u /* of an image's; the 64 bytes behind it outlive a reset */
#define VECTORS_IN_USE_ADDRESS 0x20003FC0u
#define HANDOVER_ADDRESS 0x20003FC4u

#define DEVICE_BUFFER_SIZE 2048u

#endif
