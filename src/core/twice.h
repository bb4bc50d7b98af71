/*
 * Against skipped instructions. A processor that is disturbed for a moment may
 * skip one, and with it a check, or the beginning of a function. The decision
 * to start holds against one such fault by four habits:
 *
 * - Agree: what matters is worked out anew until two results are the same
 *   (the state that is read, what confirmation makes of it, a bank's checks).
 * - Read back: what was to be kept is read and compared with what was meant.
 * - Leave a mark: a check that was passed writes a number into memory that
 *   does not come about by itself, and the last question is for that.
 * - Question the whole: before anything is kept, the result is compared with
 *   what there was. Some things no decision may change.
 *
 * A compiler must not find out that it knows the answers: hence what is below.
 * tests/faults skips every instruction in turn.
 */
#ifndef TANDEM_CORE_TWICE_H
#define TANDEM_CORE_TWICE_H

#include <stdint.h>

#define AGREE_TRIES 4

/* A number as memory has it. */
static inline uint32_t tandem_again(const uint32_t *value)
{
    return *(const volatile uint32_t *)value;
}

/* The same pointer, of which a compiler does not know that: what hangs on it is worked out anew. */
static inline void *tandem_anew(void *pointer)
{
#if defined(__GNUC__)
    __asm__ volatile("" : "+r"(pointer));
    return pointer;
#else
    void *volatile unknown = pointer;
    return unknown;
#endif
}

#endif
