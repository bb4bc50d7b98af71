/*
 * The inner loops of number.c for Arm's Thumb, where a compiler cannot say
 * "carry": chains of ADC, the product of two words on cores that multiply
 * 32 × 32 bits to 32 bits only, UMAAL on those that have it. Flow depends on
 * no value. Other machines, and compilers without GNU assembly, take the plain
 * C in number.c, which does the same.
 *
 * LDM, STM, AND and MOV leave the carry flag alone, so that chains can run
 * through them.
 */
#ifndef TANDEM_CORE_NUMBER_ARM_H
#define TANDEM_CORE_NUMBER_ARM_H

#include "number.h"

uint32_t tandem_number_add(uint32_t *r, const uint32_t *a, const uint32_t *b, uint32_t mask)
{
    uint32_t x = 0;
    uint32_t y;

    __asm__ volatile(".syntax unified\n"
                     "    lsrs  %[x], %[x], #1\n" /* no carry yet */
                     ".rept 8\n"
                     "    ldmia %[a]!, {%[x]}\n"
                     "    ldmia %[b]!, {%[y]}\n"
                     "    ands  %[y], %[y], %[mask]\n"
                     "    adcs  %[x], %[x], %[y]\n"
                     "    stmia %[r]!, {%[x]}\n"
                     ".endr\n"
                     "    movs  %[x], #0\n"
                     "    adcs  %[x], %[x], %[x]\n"
                     : [r] "+l"(r), [a] "+l"(a), [b] "+l"(b), [x] "+l"(x), [y] "=&l"(y)
                     : [mask] "l"(mask)
                     : "cc", "memory");
    return x;
}

uint32_t tandem_number_subtract(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    uint32_t x = 0;
    uint32_t y;

    __asm__ volatile(".syntax unified\n"
                     "    cmp   %[x], %[x]\n" /* no borrow yet */
                     ".rept 8\n"
                     "    ldmia %[a]!, {%[x]}\n"
                     "    ldmia %[b]!, {%[y]}\n"
                     "    sbcs  %[x], %[x], %[y]\n"
                     "    stmia %[r]!, {%[x]}\n"
                     ".endr\n"
                     "    sbcs  %[x], %[x], %[x]\n" /* 0 or -1 */
                     : [r] "+l"(r), [a] "+l"(a), [b] "+l"(b), [x] "+l"(x), [y] "=&l"(y)
                     :
                     : "cc", "memory");
    return 0u - x;
}

#if defined(__ARM_FEATURE_DSP)
static inline __attribute__((always_inline)) uint32_t row(uint32_t *r, const uint32_t *b, uint32_t a)
{
    const uint32_t *end = b + TANDEM_WORDS;
    uint32_t carry = 0;
    uint32_t x;
    uint32_t y;

    __asm__ volatile(".syntax unified\n"
                     "1:\n"
                     ".rept 4\n"
                     "    ldmia %[b]!, {%[x]}\n"
                     "    ldr   %[y], [%[r]]\n"
                     "    umaal %[y], %[carry], %[x], %[a]\n" /* carry:y = x a + y + carry */
                     "    stmia %[r]!, {%[y]}\n"
                     ".endr\n"
                     "    cmp   %[b], %[end]\n"
                     "    bne   1b\n"
                     : [r] "+l"(r), [b] "+l"(b), [carry] "+r"(carry), [x] "=&l"(x), [y] "=&l"(y)
                     : [a] "r"(a), [end] "r"(end)
                     : "cc", "memory");
    return carry;
}
#elif defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
static inline __attribute__((always_inline)) uint32_t row(uint32_t *r, const uint32_t *b, uint32_t a)
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
