/*
 * Whether an image can be started: each condition on both of its sides.
 */
#include "check.h"
#include "tandem_cortex_m.h"

#define ADDRESS 0x10000u
#define SIZE 0x1000u
#define RAM 0x20000000u
#define RAM_END 0x20004000u
#define VECTORS 0xC0u

static const struct tandem_cortex_m_rules rules = {RAM, RAM_END, VECTORS};

static enum tandem_cortex_m_start check(uint32_t stack, uint32_t entry)
{
    const uint32_t vectors[] = {stack, entry};
    return tandem_cortex_m_check(&rules, vectors, ADDRESS, SIZE, ADDRESS);
}

static void stacks(void)
{
    const uint32_t entry = ADDRESS + VECTORS + 1;
    CHECK_EQUAL(check(RAM_END, entry), TANDEM_CORTEX_M_STARTABLE);
    CHECK_EQUAL(check(RAM_END - 8, entry), TANDEM_CORTEX_M_STARTABLE);
    CHECK_EQUAL(check(RAM + 8, entry), TANDEM_CORTEX_M_STARTABLE);
    CHECK_EQUAL(check(RAM, entry), TANDEM_CORTEX_M_STACK); /* the first push would leave RAM */
    CHECK_EQUAL(check(RAM - 8, entry), TANDEM_CORTEX_M_STACK);
    CHECK_EQUAL(check(RAM_END + 8, entry), TANDEM_CORTEX_M_STACK);
    CHECK_EQUAL(check(RAM_END - 4, entry), TANDEM_CORTEX_M_STACK);
    CHECK_EQUAL(check(RAM_END - 1, entry), TANDEM_CORTEX_M_STACK);
    CHECK_EQUAL(check(0, entry), TANDEM_CORTEX_M_STACK);
    CHECK_EQUAL(check(0xFFFFFFFF, entry), TANDEM_CORTEX_M_STACK);
}

static void entries(void)
{
    CHECK_EQUAL(check(RAM_END, ADDRESS + VECTORS + 1), TANDEM_CORTEX_M_STARTABLE);
    CHECK_EQUAL(check(RAM_END, ADDRESS + SIZE - 2 + 1), TANDEM_CORTEX_M_STARTABLE);
    CHECK_EQUAL(check(RAM_END, ADDRESS + VECTORS), TANDEM_CORTEX_M_THUMB);
    CHECK_EQUAL(check(RAM_END, 0), TANDEM_CORTEX_M_THUMB);
    CHECK_EQUAL(check(RAM_END, ADDRESS + VECTORS - 2 + 1), TANDEM_CORTEX_M_ENTRY);
    CHECK_EQUAL(check(RAM_END, ADDRESS + 1), TANDEM_CORTEX_M_ENTRY);
    CHECK_EQUAL(check(RAM_END, ADDRESS - 2 + 1), TANDEM_CORTEX_M_ENTRY);
    CHECK_EQUAL(check(RAM_END, 1), TANDEM_CORTEX_M_ENTRY);
    CHECK_EQUAL(check(RAM_END, ADDRESS + SIZE + 1), TANDEM_CORTEX_M_ENTRY);
    CHECK_EQUAL(check(RAM_END, 0xFFFFFFFF), TANDEM_CORTEX_M_ENTRY); /* erased flash */
}

static void places(void)
{
    const uint32_t vectors[] = {RAM_END, ADDRESS + VECTORS + 1};
    CHECK_EQUAL(tandem_cortex_m_check(&rules, vectors, ADDRESS, SIZE, 0), TANDEM_CORTEX_M_STARTABLE);
    CHECK_EQUAL(tandem_cortex_m_check(&rules, vectors, ADDRESS, SIZE, ADDRESS + 4), TANDEM_CORTEX_M_PLACE);
    /* The flash's own address instead of the processor's, say. */
    CHECK_EQUAL(tandem_cortex_m_check(&rules, vectors, 0, SIZE, ADDRESS), TANDEM_CORTEX_M_PLACE);
    CHECK_EQUAL(tandem_cortex_m_check(&rules, vectors, 0, SIZE, 0), TANDEM_CORTEX_M_ENTRY);
}

static void sizes(void)
{
    const uint32_t vectors[] = {RAM_END, ADDRESS + VECTORS + 1};
    CHECK_EQUAL(tandem_cortex_m_check(&rules, vectors, ADDRESS, VECTORS + 2, 0), TANDEM_CORTEX_M_STARTABLE);
    CHECK_EQUAL(tandem_cortex_m_check(&rules, vectors, ADDRESS, VECTORS, 0), TANDEM_CORTEX_M_ENTRY);
    CHECK_EQUAL(tandem_cortex_m_check(&rules, NULL, ADDRESS, VECTORS - 1, 0), TANDEM_CORTEX_M_SHORT);
    CHECK_EQUAL(tandem_cortex_m_check(&rules, NULL, ADDRESS, 0, 0), TANDEM_CORTEX_M_SHORT);
}

static void texts(void)
{
    for (unsigned i = 0; i <= TANDEM_CORTEX_M_ENTRY; i++)
        for (unsigned j = 0; j < i; j++)
            CHECK(strcmp(tandem_cortex_m_text((enum tandem_cortex_m_start)i),
                         tandem_cortex_m_text((enum tandem_cortex_m_start)j)) != 0);
    CHECK(strcmp(tandem_cortex_m_text((enum tandem_cortex_m_start)99), "unknown") == 0);
}

int main(void)
{
    RUN(stacks);
    RUN(entries);
    RUN(places);
    RUN(sizes);
    RUN(texts);
    return check_report();
}
