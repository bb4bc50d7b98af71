/*
 * From one image to another, and back to reset. For the target only.
 */
#include "tandem_stm32f4.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* The Cortex-M4's own, by their names in the architecture's manual. */
#define SYST_CSR REGISTER(0xE000E010u)
#define NVIC_ICER(n) REGISTER(0xE000E180u + 4u * (n))
#define NVIC_ICPR(n) REGISTER(0xE000E280u + 4u * (n))
#define NVIC_WORDS 8u
#define ICSR REGISTER(0xE000ED04u)
#define ICSR_PENDSVCLR (1u << 27)
#define ICSR_PENDSTCLR (1u << 25)
#define VTOR REGISTER(0xE000ED08u)
#define AIRCR REGISTER(0xE000ED0Cu)
#define AIRCR_SYSRESETREQ 0x05FA0004u

/* To the main stack, then onto the image's own, with nothing masked; and go. */
__attribute__((naked, noreturn)) static void jump(uint32_t vectors)
{
    (void)vectors;
    __asm__ volatile("movs  r1, #0\n"
                     "msr   control, r1\n"
                     "isb\n"
                     "msr   basepri, r1\n"
                     "ldr   r2, [r0]\n"
                     "msr   msp, r2\n"
                     "ldr   r2, [r0, #4]\n"
                     "dsb\n"
                     "cpsie f\n"
                     "cpsie i\n"
                     "isb\n"
                     "bx    r2\n");
}

void tandem_stm32f4_start(uint32_t address)
{
    __asm__ volatile("cpsid i" ::: "memory");
    SYST_CSR = 0;
    for (uint32_t i = 0; i < NVIC_WORDS; i++) {
        NVIC_ICER(i) = 0xFFFFFFFFu;
        NVIC_ICPR(i) = 0xFFFFFFFFu;
    }
    ICSR = ICSR_PENDSTCLR | ICSR_PENDSVCLR;
    VTOR = address;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    jump(address);
}

void tandem_stm32f4_restart(void)
{
    __asm__ volatile("dsb" ::: "memory");
    AIRCR = AIRCR_SYSRESETREQ;
    __asm__ volatile("dsb" ::: "memory");
    for (;;) {
    }
}
