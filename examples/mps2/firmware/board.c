/*
 * Clock, sleep, watchdog, restart.
 */
#include "board.h"

#include "cmsdk.h"
#include "handover.h"
#include "start.h"

static volatile uint32_t now_ms;

uint32_t board_now_ms(void)
{
    return now_ms;
}

void board_clock_interrupt(void)
{
    now_ms++;
}

void board_sleep(void)
{
    if (!board_uart_received()) /* what comes just now waits for the clock's next tick */
        __asm__ volatile("wfi");
}

void board_feed(void)
{
    WDOG_LOCK = WDOG_LOCK_OPEN;
    WDOG_INTCLR = 1;
    WDOG_LOCK = 0;
}

static void start_watchdog(void)
{
    WDOG_LOCK = WDOG_LOCK_OPEN;
    WDOG_LOAD = BOARD_FEED_MS * (CLOCK_HZ / 1000);
    WDOG_CONTROL = WDOG_CONTROL_NMI_AND_RESET;
    WDOG_LOCK = 0;
}

void board_init(void)
{
    SYST_RVR = CLOCK_HZ / 1000 - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ON;
    start_watchdog();
    board_flash_protect();
}

void board_quiet(void)
{
    SYST_CSR = 0;
    SCB_ICSR = SCB_ICSR_PENDSTCLR;
    UART_CTRL = 0;
    UART_INTCLEAR = UART_INT_RX;
    NVIC_ICER = 0xFFFFFFFFu;
    NVIC_ICPR = 0xFFFFFFFFu;
    MPU_CTRL = 0;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    restart();
}

static enum tandem_status enter_ota(void *ctx)
{
    (void)ctx;
    tandem_boot_request_store(HANDOVER->request);
    restart();
}

static void feed(void *ctx)
{
    (void)ctx;
    board_feed();
}

const struct tandem_system_port board_system = {.reboot = reboot, .enter_ota = enter_ota, .watchdog = feed};
