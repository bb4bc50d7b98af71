/*
 * Start-up for the unit tests on an emulated microcontroller: RAM, the C
 * library's semihosting, main(), and its result as the emulator's.
 */
#include <stdint.h>
#include <stdlib.h>

extern uint32_t data_from;
extern uint32_t data_start;
extern uint32_t data_end;
extern uint32_t end;
extern uint32_t top;
extern void initialise_monitor_handles(void);
int main(void);
void reset(void);
void fault(void);

void reset(void)
{
    uint32_t *from = &data_from;
    uint32_t *to = &data_start;

    while (to < &data_end)
        *to++ = *from++;
    while (to < &end)
        *to++ = 0;
    initialise_monitor_handles();
    exit(main());
}

void fault(void)
{
    abort();
}

/* Asked for by the C library; there are no constructors. */
void _init(void);
void _init(void)
{
}
void _fini(void);
void _fini(void)
{
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {&top, reset, fault, fault};
