/*
 * UART0: its receiver has room for one byte, so an interrupt empties it into
 * a ring; it is written without.
 */
#include "board.h"
#include "cmsdk.h"

#define RX_SIZE 512u /* a power of two */

/* The interrupt moves `head`, the reader `tail`; they run on and are masked when used. */
static volatile uint16_t head, tail;
static uint8_t ring[RX_SIZE];

void board_uart_interrupt(void)
{
    UART_INTCLEAR = UART_INT_RX; /* before the look: what comes after it interrupts again */
    while (UART_STATE & UART_STATE_RX_FULL) {
        uint8_t byte = (uint8_t)UART_DATA;
        if ((uint16_t)(head - tail) < RX_SIZE)
            ring[head++ % RX_SIZE] = byte;
    }
}

void board_uart_init(void)
{
    head = tail = 0;
    UART_BAUDDIV = CLOCK_HZ / 115200u;
    UART_CTRL = UART_CTRL_TX | UART_CTRL_RX | UART_CTRL_RX_INTERRUPT;
    UART_INTCLEAR = UART_INT_RX;
    NVIC_ISER = 1u << IRQ_UART0_RX;
}

int board_uart_received(void)
{
    return head != tail;
}

size_t board_uart_read(uint8_t *data, size_t size)
{
    size_t got = 0;
    while (got < size && head != tail)
        data[got++] = ring[tail++ % RX_SIZE];
    return got;
}

static enum tandem_status uart_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    const uint8_t *bytes = data;
    (void)ctx;
    for (*sent = 0; *sent < size && !(UART_STATE & UART_STATE_TX_FULL); ++*sent)
        UART_DATA = bytes[*sent];
    return TANDEM_OK;
}

const struct tandem_stream_port board_uart = {.write = uart_write};
