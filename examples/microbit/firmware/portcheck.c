/*
 * The port checker on the board: a firmware of its own, in the bootloader's
 * place. It waits for a letter on the UART and answers in words:
 *
 *   r  everything that needs no reset
 *   k  write a pattern; then reset, or cut the power
 *   v  see whether it is still there
 *   d  look what the last cut left, and write on and on for the next one
 *   l  look only
 */
#include "tandem/portcheck.h"

#include <string.h>

#include "board.h"
#include "handover.h"
#include "layout.h"
#include "start.h"
#include "vectors.h"

#define FOUR(handler) handler, handler, handler, handler

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    &stack_top,
    {start, unexpected, unexpected, FOUR(unexpected), FOUR(unexpected), FOUR(unexpected),
     /* interrupts from 0 on */
     unexpected, unexpected, board_uart_interrupt, unexpected, FOUR(unexpected), board_timer_interrupt, unexpected,
     unexpected, unexpected, FOUR(unexpected), FOUR(unexpected), FOUR(unexpected), FOUR(unexpected), FOUR(unexpected)},
};

static void print(const char *text)
{
    size_t size = strlen(text), sent;
    while (size != 0) {
        (void)board_uart.write(NULL, text, size, &sent);
        text += sent;
        size -= sent;
    }
}

static void report(void *ctx, const struct tandem_portcheck_finding *finding)
{
    char line[TANDEM_PORTCHECK_TEXT_SIZE];
    (void)ctx;
    print(tandem_portcheck_line(finding, line, sizeof line));
    print("\r\n");
}

static uint32_t clock_us(void *ctx)
{
    (void)ctx;
    return board_now_us();
}

static uint8_t buffer[1024 + 16];
static const struct tandem_portcheck check = {
    .scratch = {&board_flash, BANK_1_ADDRESS, 4 * FLASH_PAGE},
    .buffer = buffer,
    .buffer_size = sizeof buffer,
    .system = &board_system,
    .clock_us = clock_us,
    .watchdog_ms = BOARD_FEED_MS,
    .link_rate = 11520, /* 115200 baud */
    .probes = TANDEM_PORTCHECK_PROBE_TWICE | TANDEM_PORTCHECK_PROBE_ODD | TANDEM_PORTCHECK_PROBE_OUTSIDE,
    .report = report,
};

static void obey(uint8_t letter)
{
    struct tandem_portcheck_result result;
    enum tandem_status status;
    switch (letter) {
    case 'r':
        status = tandem_portcheck_run(&check, &result);
        break;
    case 'k':
        status = tandem_portcheck_keep(&check, &result);
        break;
    case 'v':
        status = tandem_portcheck_kept(&check, &result);
        break;
    case 'd':
        status = tandem_portcheck_drill(&check, 0, &result);
        break;
    case 'l':
        status = tandem_portcheck_drill(&check, UINT32_MAX, &result);
        break;
    default:
        return;
    }
    print(status == TANDEM_OK ? "No fault.\r\n" : "This port will not do yet.\r\n");
}

int main(void)
{
    uint8_t letter;
    size_t sent;
    board_init();
    board_uart_init();
    for (;;) {
        board_feed();
        if (board_uart_read(&letter, 1) == 1)
            obey(letter);
        /* QEMU forgets the UART's interrupt when whoever reads the line is slow; writing nothing asks for it anew. */
        (void)board_uart.write(NULL, "", 0, &sent);
        board_sleep();
    }
}
