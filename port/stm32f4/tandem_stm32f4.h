/**
 * @file
 * Tandem on the STM32F4: its flash interface as a flash port, and what a
 * bootloader needs besides: the jump and the restart. What to look at before
 * the jump is in tandem_cortex_m.h.
 *
 * Written against the register map of ST's RM0090 (F405, F407, F415, F417,
 * F42x, F43x); the F401, F411, F412, F446 and F469 have the same one. Run on
 * a model of these registers, not on silicon.
 */
#ifndef TANDEM_STM32F4_H
#define TANDEM_STM32F4_H

#include "tandem/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_STM32F4_FLASH 0x08000000u     /**< where the flash begins */
#define TANDEM_STM32F4_REGISTERS 0x40023C00u /**< where its interface's registers begin */
#define TANDEM_STM32F4_REGIONS 6             /**< most runs of equal sectors: three for each of two banks */

/** Sectors `first` to `last` as a mask for `locked`. Those of a second bank count from 16 on, as the chip has it. */
#define TANDEM_STM32F4_SECTORS(first, last) ((0xFFFFFFFFu >> (31u - (last))) & (0xFFFFFFFFu << (first)))

#ifndef TANDEM_STM32F4_BUS
#ifdef __arm__
/** 1: the port reaches registers and flash through a `struct tandem_stm32f4_bus`; 0: directly, at no cost. */
#define TANDEM_STM32F4_BUS 0
#else
#define TANDEM_STM32F4_BUS 1
#endif
#endif

/** The processor's way to registers and flash, so that a model can stand in for the chip. */
struct tandem_stm32f4_bus {
    void *ctx; /**< handed to every function */
    /** Read a register. */
    uint32_t (*load)(void *ctx, uint32_t address);
    /** Write 1, 2 or 4 bytes to a register or to flash, in one access. */
    void (*store)(void *ctx, uint32_t address, uint32_t value, unsigned size);
    /** Read flash. */
    void (*copy)(void *ctx, uint32_t address, void *data, size_t size);
};

/** Which chip, and how it is used. */
struct tandem_stm32f4_flash_options {
    uint32_t bank_size; /**< bytes of flash in one bank: 128 KB … 2 MB, in steps of 128 KB */
    uint8_t banks;      /**< 1; 2: the chip has two, and they are in use (F42x, F43x, F469, F479) */
    /** Bytes written at once, by the supply: 4 from 2.7 V on, 2 from 2.1 V, 1 below; 8 with 8 to 9 V at VPP. */
    uint8_t parallelism;
    /** 1: erases and long programs answer TANDEM_AGAIN while the chip works. Of use where the program runs from RAM
     *  or from the other bank: else the processor stands still meanwhile. */
    uint8_t asynchronous;
    uint32_t locked; /**< sectors that the port never changes, such as the bootloader's: bit n is sector n */
    const struct tandem_stm32f4_bus *bus; /**< with TANDEM_STM32F4_BUS only: the chip's model */
};

/** The flash. Hand out `port`; the other fields are its own. Bootloader and application each have one, in RAM. */
struct tandem_stm32f4_flash {
    struct tandem_flash_port port;                              /**< the table for Tandem */
    struct tandem_flash_region regions[TANDEM_STM32F4_REGIONS]; /**< sector map */
    const struct tandem_stm32f4_bus *bus;                       /**< see the options */
    uint32_t bank_size;                                         /**< see the options */
    uint32_t size;                                              /**< bytes of all banks */
    uint32_t locked;                                            /**< see the options */
    uint32_t erasing;                                           /**< sector whose erase is under way; 0: none */
    uint32_t done;                                              /**< bytes of the present program() that are in */
    uint8_t asynchronous;                                       /**< see the options */
};

/**
 * Set up the port: waits for an operation that was under way before a reset,
 * and locks the controller. Call it before Tandem uses the flash.
 * @param flash caller's; must not move while its port is in use
 * @param options which chip
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (options)
 */
enum tandem_status tandem_stm32f4_flash_init(struct tandem_stm32f4_flash *flash,
                                             const struct tandem_stm32f4_flash_options *options);

/**
 * Start the image whose vectors are at `address`. Stops SysTick, switches off
 * and forgets all interrupts, sets VTOR, leaves privileged thread mode on the
 * main stack with interrupts enabled, as after a reset. Peripherals are the
 * caller's: stop what could write to memory (DMA) before.
 */
void tandem_stm32f4_start(uint32_t address) __attribute__((noreturn));

/** Restart the chip. */
void tandem_stm32f4_restart(void) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
