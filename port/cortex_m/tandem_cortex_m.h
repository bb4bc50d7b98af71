/**
 * @file
 * Tandem on Cortex-M: whether an image can be started at all. It may be signed
 * and whole, and yet be linked for another place or another chip; a bootloader
 * that jumps into such an image is gone until the watchdog brings it back.
 */
#ifndef TANDEM_CORTEX_M_H
#define TANDEM_CORTEX_M_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a chip and its bootloader ask of an image. */
struct tandem_cortex_m_rules {
    uint32_t ram;          /**< first byte of the RAM that an image may use */
    uint32_t ram_end;      /**< one past the last; a stack that grows down may begin there */
    uint32_t vectors_size; /**< bytes of the least vector table, at least 8; nothing in it can be executed */
};

/** Whether an image can be started, and if not, why. */
enum tandem_cortex_m_start {
    TANDEM_CORTEX_M_STARTABLE = 0, /**< it can */
    TANDEM_CORTEX_M_SHORT,         /**< smaller than its vector table */
    TANDEM_CORTEX_M_PLACE,         /**< wants to run elsewhere than where it lies */
    TANDEM_CORTEX_M_STACK,         /**< its stack is not in RAM, or not on 8 bytes */
    TANDEM_CORTEX_M_THUMB,         /**< its entry lacks the Thumb bit */
    TANDEM_CORTEX_M_ENTRY          /**< its entry lies outside of it, or in its vectors */
};

/**
 * Check an image before the jump.
 * @param rules of this chip
 * @param vectors the image's first bytes, where this code can read them; not read if it is shorter than its vectors
 * @param address where it lies, as the processor that is to run it sees it
 * @param size its bytes
 * @param load_address where it wants to run; 0: anywhere
 * @return TANDEM_CORTEX_M_STARTABLE, or the first fault
 */
enum tandem_cortex_m_start tandem_cortex_m_check(const struct tandem_cortex_m_rules *rules, const uint32_t *vectors,
                                                 uint32_t address, uint32_t size, uint32_t load_address);

/** A short English text for an answer of tandem_cortex_m_check(). */
const char *tandem_cortex_m_text(enum tandem_cortex_m_start start);

#ifdef __cplusplus
}
#endif

#endif
