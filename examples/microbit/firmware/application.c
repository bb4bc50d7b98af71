/*
 * The application: answers the link, and keeps its place only if its
 * self-test is content. APPLICATION_MAJOR is its version.
 */
#include "board.h"
#include "handover.h"
#include "nrf51.h"
#include "service.h"
#include "start.h"
#include "vectors.h"

#define GIVE_UP_MS 300u /* a firmware that failed its test restarts then */

static const struct tandem_version version = {APPLICATION_MAJOR, 0, 0, 0};

static volatile uint32_t alarms;

static void alarm(void)
{
    alarms++;
}

#define FOUR(handler) handler, handler, handler, handler

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    &stack_top,
    {start, unexpected, unexpected, FOUR(unexpected), FOUR(unexpected), FOUR(unexpected),
     /* interrupts from 0 on */
     unexpected, unexpected, board_uart_interrupt, unexpected, FOUR(unexpected), board_timer_interrupt, unexpected,
     unexpected, unexpected, FOUR(unexpected), FOUR(unexpected), alarm, unexpected, unexpected, unexpected,
     FOUR(unexpected), FOUR(unexpected)},
};

/* The clock runs, and interrupts find their way here. A product tests what it needs to be updated again. */
static int self_test(void)
{
    uint32_t begin = board_now_ms();
    NVIC_ISER = 1u << IRQ_SWI0;
    NVIC_ISPR = 1u << IRQ_SWI0;
    for (uint32_t i = 0; board_now_ms() - begin < 2; i++)
        if (i > 1000000)
            return 0;
    return alarms == 1 && APPLICATION_WORKS;
}

int main(void)
{
    board_init();
    if (service_open(&version) != TANDEM_OK)
        restart();
    int works = self_test();
    if (works) {
        tandem_boot_report_well(HANDOVER->report);
        (void)tandem_install_confirm(service_install()); /* if that fails, the next start tries again */
    }
    for (uint32_t begin = board_now_ms(); works || board_now_ms() - begin < GIVE_UP_MS;)
        service_run();
    restart();
}
