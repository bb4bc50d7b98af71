/*
 * The bootloader: starts what Tandem decides, forwards interrupts to it, and
 * takes a new firmware over the UART when there is nothing to start, when
 * what it starts does not get well, when button A is held at reset, or when
 * the application asked for it.
 */
#include "board.h"
#include "decision.h"
#include "service.h"
#include "start.h"
#include "tandem_cortex_m.h"
#include "vectors.h"

#ifndef RECOVERY_SILENCE_MS
#define RECOVERY_SILENCE_MS 60000u /* then the firmware, if there is one, is started after all */
#endif

/*
 * The Cortex-M0 fetches every vector from address 0. So all of them lead
 * here, and from here to the table of whoever runs. Registers r0 to r3 are
 * free, as on any entry of an interrupt.
 */
__attribute__((naked)) static void forward(void)
{
    __asm__(".syntax unified\n"
            "mrs  r0, ipsr\n"
            "ldr  r1, =0x20003FC0\n" /* VECTORS_IN_USE_ADDRESS */
            "ldr  r1, [r1]\n"
            "lsls r0, r0, #2\n"
            "ldr  r0, [r1, r0]\n"
            "bx   r0\n"
            ".pool\n");
}

/* Load the stack pointer and go. */
__attribute__((naked, noreturn)) static void jump(const struct vectors *vectors)
{
    (void)vectors;
    __asm__("ldmia r0!, {r1, r2}\n"
            "msr   msp, r1\n"
            "bx    r2\n");
}

static void enter(void);

#define FOUR(handler) handler, handler, handler, handler

__attribute__((section(".vectors"), used)) static const struct vectors at_zero = {
    &stack_top,
    {enter, forward, forward, FOUR(forward), FOUR(forward), FOUR(forward), FOUR(forward), FOUR(forward), FOUR(forward),
     FOUR(forward), FOUR(forward), FOUR(forward), FOUR(forward), FOUR(forward)},
};

static const struct vectors own = {
    &stack_top,
    {enter, unexpected, unexpected, FOUR(unexpected), FOUR(unexpected), FOUR(unexpected),
     /* interrupts from 0 on */
     unexpected, unexpected, board_uart_interrupt, unexpected, FOUR(unexpected), board_timer_interrupt, unexpected,
     unexpected, unexpected, FOUR(unexpected), FOUR(unexpected), FOUR(unexpected), FOUR(unexpected), FOUR(unexpected)},
};

static void enter(void)
{
    VECTORS_IN_USE = &own; /* RAM is random: from here on a fault leads somewhere */
    start();
}

int board_is_startable(const struct tandem_boot_image *image)
{
    static const struct tandem_cortex_m_rules rules = {RAM_ADDRESS, RAM_END, sizeof(struct vectors)};
    uint32_t address = image->area.address;
    return tandem_cortex_m_check(&rules, (const uint32_t *)address, address, image->size, image->load_address) ==
           TANDEM_CORTEX_M_STARTABLE;
}

static void start_image(const struct tandem_boot_image *image)
{
    const struct vectors *vectors = (const struct vectors *)image->area.address;
    board_quiet();
    VECTORS_IN_USE = vectors;
    jump(vectors);
}

int main(void)
{
    static struct tandem_boot boot;
    board_init();
    if (decision_make(&boot, board_button()) == TANDEM_RECOVERY_NOT)
        start_image(&boot.images[0]);
    service_recover(RECOVERY_SILENCE_MS);
    restart();
}
