/*
 * The application: answers the link, and keeps its place only if its
 * self-test is content. APPLICATION_MAJOR is its version.
 */
#include "board.h"
#include "handover.h"
#include "service.h"
#include "start.h"
#include "stm32f407.h"
#include "vectors.h"

#define GIVE_UP_MS 300u /* a firmware that failed its test restarts then */

static const struct tandem_version version = {APPLICATION_MAJOR, 0, 0, 0};

static volatile uint32_t alarms;

void spare_interrupt(void)
{
    alarms++;
}

/* The clock runs, and interrupts find their way here. A product tests what it needs to be updated again. */
static int self_test(void)
{
    uint32_t begin = board_now_ms();
    NVIC_ISER(IRQ_SPARE / 32) = 1u << IRQ_SPARE % 32;
    NVIC_ISPR(IRQ_SPARE / 32) = 1u << IRQ_SPARE % 32;
    for (uint32_t i = 0; board_now_ms() - begin < 2; i++)
        if (i > 10000000)
            return 0;
    return alarms == 1 && APPLICATION_WORKS;
}

int main(void)
{
    /* Only the bootloader writes where the application runs, and nobody where the bootloader is. */
    board_init(BOOTLOADER_SECTORS | APPLICATION_SECTORS);
    if (service_open(&version) != TANDEM_OK)
        restart();
    int works = self_test();
    if (works) {
        (void)tandem_install_confirm(service_install()); /* if that fails, the next start tries again */
        tandem_boot_report_well(HANDOVER->report);
    }
    for (uint32_t begin = board_now_ms(); works || board_now_ms() - begin < GIVE_UP_MS;)
        service_run();
    restart();
}
