/*
 * The inner loops of number.c for Arm's Thumb, where a compiler cannot say
 * "carry": chains of ADC, the product of two words on cores that multiply
 * 32 × 32 bits to 32 bits only, UMAAL on those that have it. Flow depends on
 * no value. Other machines, and compilers without GNU assembly, take the plain
 * C in number.c, which does the same, as do builds with TANDEM_CONFIG_ASSEMBLY off.
 *
 * LDM, STM, AND and MOV leave the carry flag alone, so that chains can run
 * through them.
 */
#ifndef TANDEM_CORE_NUMBER_ARM_H
#define TANDEM_CORE_NUMBER_ARM_H

#include "number.h"

#if defined(__thumb2__)
/* Four words at a time; r7 is left alone, it may be the frame pointer. */
uint32_t tandem_number_add(uint32_t *r, const uint32_t *a, const uint32_t *b, uint32_t mask)
{
    uint32_t carry;

    __asm__ volatile(".syntax unified\n"
                     "    cmn   %[r], #0\n" /* no carry yet: adding 0 makes none */
                     ".rept 2\n"
                     "    ldmia %[a]!, {r3, r4, r5, r6}\n"
                     "    ldmia %[b]!, {r8, r9, r10, r12}\n"
                     "    and   r8, r8, %[mask]\n"
                     "    and   r9, r9, %[mask]\n"
                     "    and   r10, r10, %[mask]\n"
                     "    and   r12, r12, %[mask]\n"
                     "    adcs  r3, r3, r8\n"
                     "    adcs  r4, r4, r9\n"
                     "    adcs  r5, r5, r10\n"
                     "    adcs  r6, r6, r12\n"
                     "    stmia %[r]!, {r3, r4, r5, r6}\n"
                     ".endr\n"
                     "    mov   %[carry], #0\n"
                     "    adc   %[carry], %[carry], %[carry]\n"
                     : [r] "+r"(r), [a] "+r"(a), [b] "+r"(b), [carry] "=r"(carry)
                     : [mask] "r"(mask)
                     : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc", "memory");
    return carry;
}

uint32_t tandem_number_subtract(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    uint32_t borrow;

    __asm__ volatile(".syntax unified\n"
                     "    cmp   %[r], %[r]\n" /* no borrow yet */
                     ".rept 2\n"
                     "    ldmia %[a]!, {r3, r4, r5, r6}\n"
                     "    ldmia %[b]!, {r8, r9, r10, r12}\n"
                     "    sbcs  r3, r3, r8\n"
                     "    sbcs  r4, r4, r9\n"
                     "    sbcs  r5, r5, r10\n"
                     "    sbcs  r6, r6, r12\n"
                     "    stmia %[r]!, {r3, r4, r5, r6}\n"
                     ".endr\n"
                     "    sbc   %[borrow], %[r], %[r]\n" /* 0 or -1 */
                     : [r] "+r"(r), [a] "+r"(a), [b] "+r"(b), [borrow] "=r"(borrow)
                     :
                     : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc", "memory");
    return 0u - borrow;
}
#else
/* A word at a time, for size; between words the carry is in a register. */
uint32_t tandem_number_add(uint32_t *r, const uint32_t *a, const uint32_t *b, uint32_t mask)
{
    register const uint32_t *end __asm__("r12") = b + TANDEM_WORDS;
    uint32_t carry = 0;
    uint32_t x;
    uint32_t y;

    __asm__ volatile(".syntax unified\n"
                     "1:  ldmia %[a]!, {%[x]}\n"
                     "    ldmia %[b]!, {%[y]}\n"
                     "    ands  %[y], %[y], %[mask]\n"
                     "    lsrs  %[carry], %[carry], #1\n" /* to the flag */
                     "    adcs  %[x], %[x], %[y]\n"
                     "    adcs  %[carry], %[carry], %[carry]\n"
                     "    stmia %[r]!, {%[x]}\n"
                     "    cmp   %[b], %[end]\n"
                     "    bne   1b\n"
                     : [r] "+l"(r), [a] "+l"(a), [b] "+l"(b), [carry] "+l"(carry), [x] "=&l"(x), [y] "=&l"(y)
                     : [mask] "l"(mask), [end] "r"(end)
                     : "cc", "memory");
    return carry;
}

uint32_t tandem_number_subtract(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    register const uint32_t *end __asm__("r12") = b + TANDEM_WORDS;
    uint32_t borrow = 0; /* 0 or -1 */
    uint32_t x;
    uint32_t y;

    __asm__ volatile(".syntax unified\n"
                     "1:  ldmia %[a]!, {%[x]}\n"
                     "    ldmia %[b]!, {%[y]}\n"
                     "    rsbs  %[borrow], %[borrow], #0\n" /* to the flag */
                     "    sbcs  %[x], %[x], %[y]\n"
                     "    sbcs  %[borrow], %[borrow], %[borrow]\n"
                     "    stmia %[r]!, {%[x]}\n"
                     "    cmp   %[b], %[end]\n"
                     "    bne   1b\n"
                     : [r] "+l"(r), [a] "+l"(a), [b] "+l"(b), [borrow] "+l"(borrow), [x] "=&l"(x), [y] "=&l"(y)
                     : [end] "r"(end)
                     : "cc", "memory");
    return 0u - borrow;
}
#endif

#if defined(__ARM_FEATURE_DSP)
uint32_t tandem_number_row(uint32_t *r, const uint32_t *b, uint32_t a)
{
    uint32_t carry = 0;

    /* UMAAL x, carry, a, b: carry:x = a b + x + carry, which just fits. */
    __asm__ volatile(".syntax unified\n"
                     ".rept 2\n"
                     "    ldmia %[b]!, {r8, r9, r10, r12}\n"
                     "    ldmia %[r], {r3, r4, r5, r6}\n"
                     "    umaal r3, %[carry], %[a], r8\n"
                     "    umaal r4, %[carry], %[a], r9\n"
                     "    umaal r5, %[carry], %[a], r10\n"
                     "    umaal r6, %[carry], %[a], r12\n"
                     "    stmia %[r]!, {r3, r4, r5, r6}\n"
                     ".endr\n"
                     : [r] "+r"(r), [b] "+r"(b), [carry] "+r"(carry)
                     : [a] "r"(a)
                     : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "memory");
    return carry;
}
#elif defined(TANDEM_SLOW_PRODUCT)
uint32_t tandem_number_row(uint32_t *r, const uint32_t *b, uint32_t a)
{
    /* What MOV and CMP alone reach sits in high registers: there are eight others. */
    register uint32_t carry __asm__("r8") = 0;
    register uint32_t a0 __asm__("r9") = a & 0xFFFFu;
    register uint32_t a1 __asm__("r10") = a >> 16;
    register const uint32_t *end __asm__("r12") = b + TANDEM_WORDS;
    uint32_t x;
    uint32_t y;
    uint32_t t;
    uint32_t u;
    uint32_t v;

    __asm__ volatile(".syntax unified\n"
                     "1:  ldmia %[b]!, {%[x]}\n"
                     "    uxth  %[y], %[x]\n"
                     "    lsrs  %[x], %[x], #16\n"
                     "    mov   %[t], %[a0]\n"
                     "    movs  %[u], %[y]\n"
                     "    muls  %[u], %[t], %[u]\n" /* u = a0 b0 */
                     "    muls  %[t], %[x], %[t]\n" /* t = a0 b1 */
                     "    mov   %[v], %[a1]\n"
                     "    muls  %[y], %[v], %[y]\n" /* y = a1 b0 */
                     "    muls  %[x], %[v], %[x]\n" /* x = a1 b1 */
                     "    lsls  %[v], %[t], #16\n"
                     "    lsrs  %[t], %[t], #16\n"
                     "    adds  %[u], %[u], %[v]\n"
                     "    adcs  %[x], %[x], %[t]\n"
                     "    lsls  %[v], %[y], #16\n"
                     "    lsrs  %[y], %[y], #16\n"
                     "    adds  %[u], %[u], %[v]\n"
                     "    adcs  %[x], %[x], %[y]\n" /* x:u = a b */
                     "    ldr   %[t], [%[r]]\n"
                     "    mov   %[v], %[carry]\n"
                     "    movs  %[y], #0\n"
                     "    adds  %[u], %[u], %[t]\n"
                     "    adcs  %[x], %[x], %[y]\n"
                     "    adds  %[u], %[u], %[v]\n"
                     "    adcs  %[x], %[x], %[y]\n"
                     "    stmia %[r]!, {%[u]}\n"
                     "    mov   %[carry], %[x]\n"
                     "    cmp   %[b], %[end]\n"
                     "    bne   1b\n"
                     : [r] "+l"(r), [b] "+l"(b), [carry] "+r"(carry), [x] "=&l"(x), [y] "=&l"(y), [t] "=&l"(t),
                       [u] "=&l"(u), [v] "=&l"(v)
                     : [a0] "r"(a0), [a1] "r"(a1), [end] "r"(end)
                     : "cc", "memory");
    return carry;
}
#else
#define NUMBER_ROW_C 1 /* a core whose 64-bit products the compiler knows */
#endif

#endif
