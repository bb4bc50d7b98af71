/*
 * Clock, sleep, watchdog, button, restart.
 */
#include "board.h"

#include "handover.h"
#include "nrf51.h"
#include "start.h"

#define PIN_BUTTON_A 17u
#define SLEEP_US 10000u

static uint32_t last_us, rest_us, now_ms;

uint32_t board_now_us(void)
{
    TIMER_TASKS_CAPTURE0 = 1;
    return TIMER_CC0;
}

uint32_t board_now_ms(void)
{
    /* The timer wraps at a number of microseconds that is no whole number of milliseconds: count its steps. */
    uint32_t now = board_now_us();
    rest_us += now - last_us;
    last_us = now;
    now_ms += rest_us / 1000;
    rest_us %= 1000;
    return now_ms;
}

void board_timer_interrupt(void)
{
    TIMER_EVENTS_COMPARE1 = 0;
}

void board_sleep(void)
{
    TIMER_CC1 = board_now_us() + SLEEP_US;
    TIMER_INTENSET = TIMER_INT_COMPARE1;
    NVIC_ISER = 1u << IRQ_TIMER0;
    /* An interrupt that came after the look at the ring still ends the sleep, as it stays pending. */
    __asm__ volatile("cpsid i" ::: "memory");
    if (!board_uart_received())
        __asm__ volatile("wfi");
    __asm__ volatile("cpsie i" ::: "memory");
}

void board_feed(void)
{
    WDT_RR0 = WDT_RELOAD;
}

static void start_watchdog(void)
{
    WDT_CONFIG = WDT_CONFIG_ASLEEP_TOO;
    WDT_CRV = BOARD_FEED_MS / 1000u * WDT_HZ;
    WDT_RREN = 1;
    WDT_TASKS_START = 1; /* no effect if it runs */
    board_feed();
}

void board_init(void)
{
    CLOCK_EVENTS_HFCLKSTARTED = 0;
    CLOCK_TASKS_HFCLKSTART = 1;
    while (CLOCK_EVENTS_HFCLKSTARTED == 0) {
    }
    TIMER_BITMODE = TIMER_BITMODE_32;
    TIMER_PRESCALER = TIMER_PRESCALER_1MHZ;
    TIMER_TASKS_START = 1;
    start_watchdog();
}

int board_button(void)
{
    GPIO_CNF(PIN_BUTTON_A) = GPIO_CNF_INPUT_PULLUP;
    for (uint32_t begin = board_now_us(); board_now_us() - begin < 10;) {
        /* the pull-up needs a moment */
    }
    return (GPIO_IN >> PIN_BUTTON_A & 1) == 0;
}

void board_quiet(void)
{
    NVIC_ICER = 0xFFFFFFFFu;
    UART_INTENCLR = 0xFFFFFFFFu;
    UART_ENABLE = 0;
    TIMER_INTENCLR = 0xFFFFFFFFu;
    TIMER_TASKS_STOP = 1;
    NVIC_ICPR = 0xFFFFFFFFu;
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
