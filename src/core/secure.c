/*
 * Two habits of careful code: comparing without telling by the time taken
 * where the difference lies, and erasing what must not stay in memory.
 */
#include "tandem/crypto.h"

int tandem_equal(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint32_t difference = 0;

    for (size_t i = 0; i < size; i++)
        difference |= (uint32_t)(x[i] ^ y[i]);
    return (int)(((difference - 1) >> 8) & 1); /* 0 - 1 is the only one that borrows from above the byte */
}

void tandem_wipe(void *data, size_t size)
{
    volatile uint8_t *p = data; /* volatile: these stores may not be left out */

    while (size-- > 0)
        *p++ = 0;
}
