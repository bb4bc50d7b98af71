/*
 * From reset to main(), for the bootloader and for the application.
 */
#include "start.h"

#include "nrf51.h"

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
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) {
    }
}

void unexpected(void)
{
    restart();
}
