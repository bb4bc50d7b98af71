/*
 * Where everything lies. The linker scripts, CMakeLists.txt and emulator.py
 * say the same: what they contradict does not start.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

/* The flash: small sectors for records and for the place where the application runs, large ones for the store. */
#define FLASH_ADDRESS 0x21000000u
#define FLASH_SIZE 0x00074000u
#define FLASH_SECTOR 0x1000u
#define FLASH_LARGE_SECTOR 0x4000u
#define FLASH_UNIT 8u

#define JOURNAL_ADDRESS 0x21000000u
#define JOURNAL_SIZE 0x4000u
#define MANIFEST_0_ADDRESS 0x21004000u
#define MANIFEST_1_ADDRESS 0x21005000u
#define MANIFEST_SIZE 0x1000u
/* 0x21006000 … 0x2100FFFF: free for the product's own settings */
#define PRIMARY_ADDRESS 0x21010000u
#define PRIMARY_SIZE 0x30000u
#define STORE_ADDRESS 0x21040000u
#define STORE_SIZE 0x34000u /* one large sector more than the primary: the room that an exchange needs */

#define RAM_ADDRESS 0x20000000u
#define RAM_END 0x2000FFC0u /* of an image's; the 64 bytes behind it outlive a reset */
#define HANDOVER_ADDRESS RAM_END

#define DEVICE_BUFFER_SIZE 2048u

#endif
