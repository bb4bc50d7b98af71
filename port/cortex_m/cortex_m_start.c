/*
 * The start conditions: what a Cortex-M fetches at reset, looked at by the
 * bootloader while it can still say no.
 */
#include "tandem_cortex_m.h"

enum { STACK = 0, RESET = 1 }; /* of the vectors */

enum tandem_cortex_m_start tandem_cortex_m_check(const struct tandem_cortex_m_rules *rules, const uint32_t *vectors,
                                                 uint32_t address, uint32_t size, uint32_t load_address)
{
    if (size < rules->vectors_size)
        return TANDEM_CORTEX_M_SHORT;
    if (load_address != 0 && load_address != address)
        return TANDEM_CORTEX_M_PLACE;
    if (vectors[STACK] <= rules->ram || vectors[STACK] > rules->ram_end || vectors[STACK] % 8 != 0)
        return TANDEM_CORTEX_M_STACK;
    if ((vectors[RESET] & 1) == 0)
        return TANDEM_CORTEX_M_THUMB;
    uint32_t offset = vectors[RESET] - 1 - address; /* below the image: huge */
    if (offset < rules->vectors_size || offset >= size)
        return TANDEM_CORTEX_M_ENTRY;
    return TANDEM_CORTEX_M_STARTABLE;
}

const char *tandem_cortex_m_text(enum tandem_cortex_m_start start)
{
    switch (start) {
    case TANDEM_CORTEX_M_STARTABLE:
        return "can be started";
    case TANDEM_CORTEX_M_SHORT:
        return "smaller than its vector table";
    case TANDEM_CORTEX_M_PLACE:
        return "linked for another address";
    case TANDEM_CORTEX_M_STACK:
        return "its stack is not in RAM, or not on 8 bytes";
    case TANDEM_CORTEX_M_THUMB:
        return "its entry lacks the Thumb bit";
    case TANDEM_CORTEX_M_ENTRY:
        return "its entry lies outside of it, or in its vectors";
    }
    return "unknown";
}
