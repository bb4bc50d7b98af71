/*
 * The bootloader: starts what Tandem decides, and takes a new firmware over
 * the UART when there is nothing to start, when what it starts does not get
 * well, or when the application asked for it.
 */
#include "board.h"
#include "cmsdk.h"
#include "decision.h"
#include "service.h"
#include "start.h"
#include "tandem_cortex_m.h"
#include "vectors.h"

int board_is_startable(const struct tandem_boot_image *image)
{
    static const struct tandem_cortex_m_rules rules = {RAM_ADDRESS, RAM_END, sizeof(struct vectors)};
    uint32_t address = image->area.address;
    return tandem_cortex_m_check(&rules, (const uint32_t *)address, address, image->size, image->load_address) ==
           TANDEM_CORTEX_M_STARTABLE;
}

/* Load the stack pointer and go. */
__attribute__((naked, noreturn)) static void jump(const struct vectors *vectors)
{
    (void)vectors;
    __asm__("ldmia r0, {r1, r2}\n"
            "msr   msp, r1\n"
            "bx    r2\n");
}

static void start_image(const struct tandem_boot_image *image)
{
    board_quiet();
    SCB_VTOR = image->area.address;
    __asm__ volatile("dsb\nisb" ::: "memory");
    jump((const struct vectors *)image->area.address);
}

int main(void)
{
    static struct tandem_boot boot;
    board_init();
    if (decision_make(&boot, 0) == TANDEM_RECOVERY_NOT)
        start_image(&boot.images[0]);
    service_recover(0);
    restart();
}
