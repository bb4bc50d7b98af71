/*
 * From reset to main(), for bootloaders and applications.
 */
#include "start.h"

/* ARMv6-M and ARMv7-M: application interrupt and reset control, with its key */
#define SCB_AIRCR (*(volatile uint32_t *)0xE000ED0Cu)
#define SCB_AIRCR_SYSRESETREQ 0x05FA0004u

void start(void)
{
    const uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end;)
        *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    (void)main();
    restart();
}

void restart(void)
{
    __asm__ volatile("dsb" ::: "memory"); /* what was stored for the next start is stored */
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) {
    }
}

void unexpected(void)
{
    restart();
}
