/*
 * Clock, sleep, watchdog, button, flash, restart.
 */
#include "board.h"

#include "handover.h"
#include "stm32f407.h"

struct tandem_stm32f4_flash board_flash;

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
    __asm__ volatile("wfi"); /* the clock's tick ends it */
}

void board_feed(void)
{
    IWDG_KR = IWDG_KR_FEED;
}

static void start_watchdog(void)
{
    IWDG_KR = IWDG_KR_START;
    IWDG_KR = IWDG_KR_OPEN;
    IWDG_PR = IWDG_PR_128;
    IWDG_RLR = BOARD_FEED_MS / 1000u * IWDG_HZ;
    while (IWDG_SR != 0) {
    } /* some of its own ticks until it has the new values */
    board_feed();
}

static void open_flash(uint32_t locked)
{
    static const struct tandem_stm32f4_flash_options chip = {.bank_size = FLASH_SIZE, .banks = 1, .parallelism = 4};
    struct tandem_stm32f4_flash_options options = chip;
    options.locked = locked;
    (void)tandem_stm32f4_flash_init(&board_flash, &options); /* these options are right */
}

void board_init(uint32_t locked)
{
    SYST_RVR = CLOCK_HZ / 1000u - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ON;
    start_watchdog();
    open_flash(locked);
}

int board_button(void)
{
    RCC_AHB1ENR |= RCC_AHB1ENR_GPIOA;
    (void)RCC_AHB1ENR; /* a clock needs a moment */
    GPIOA_PUPDR |= GPIO_PULL_DOWN;
    for (uint32_t begin = now_ms; now_ms - begin < 2;) {
        /* so does the pull-down */
    }
    return (GPIOA_IDR & 1) != 0;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    tandem_stm32f4_restart();
}

static enum tandem_status enter_ota(void *ctx)
{
    (void)ctx;
    tandem_boot_request_store(HANDOVER->request);
    tandem_stm32f4_restart();
}

static void feed(void *ctx)
{
    (void)ctx;
    board_feed();
}

const struct tandem_system_port board_system = {.reboot = reboot, .enter_ota = enter_ota, .watchdog = feed};
