/*
 * UART0 with a ring in each direction, both served by its interrupt.
 */
#include "board.h"
#include "nrf51.h"

#define PIN_TXD 24u /* to the interface chip */
#define PIN_RXD 25u
#define RX_SIZE 256u /* powers of two */
#define TX_SIZE 64u

/* One end moves `head`, the other `tail`; they run on and are masked when used. */
struct ring {
    volatile uint16_t head, tail;
};

static struct ring rx, tx;
static uint8_t rx_data[RX_SIZE], tx_data[TX_SIZE];
static volatile uint8_t sending;

static uint16_t used(const struct ring *ring)
{
    return (uint16_t)(ring->head - ring->tail);
}

static void send_next(void)
{
    sending = used(&tx) != 0;
    if (sending)
        UART_TXD = tx_data[tx.tail++ % TX_SIZE];
}

void board_uart_interrupt(void)
{
    while (UART_EVENTS_RXDRDY) {
        UART_EVENTS_RXDRDY = 0; /* before the read, which brings up the next */
        uint8_t byte = (uint8_t)UART_RXD;
        if (used(&rx) < RX_SIZE)
            rx_data[rx.head++ % RX_SIZE] = byte;
    }
    if (UART_EVENTS_TXDRDY) {
        UART_EVENTS_TXDRDY = 0;
        send_next();
    }
}

void board_uart_init(void)
{
    rx.head = rx.tail = tx.head = tx.tail = 0;
    sending = 0;
    GPIO_OUTSET = 1u << PIN_TXD; /* idle is high */
    GPIO_DIRSET = 1u << PIN_TXD;
    GPIO_CNF(PIN_RXD) = GPIO_CNF_INPUT;
    UART_PSELTXD = PIN_TXD;
    UART_PSELRXD = PIN_RXD;
    UART_BAUDRATE = UART_BAUD_115200;
    UART_ENABLE = UART_ENABLE_ON;
    UART_EVENTS_RXDRDY = 0;
    UART_EVENTS_TXDRDY = 0;
    UART_INTENSET = UART_INT_RXDRDY | UART_INT_TXDRDY;
    NVIC_ISER = 1u << IRQ_UART0;
    UART_TASKS_STARTTX = 1;
    UART_TASKS_STARTRX = 1;
}

size_t board_uart_read(uint8_t *data, size_t size)
{
    size_t got = 0;
    while (got < size && used(&rx) != 0)
        data[got++] = rx_data[rx.tail++ % RX_SIZE];
    return got;
}

static enum tandem_status uart_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    const uint8_t *bytes = data;
    (void)ctx;
    *sent = 0;
    while (*sent < size && used(&tx) < TX_SIZE)
        tx_data[tx.head++ % TX_SIZE] = bytes[(*sent)++];
    UART_INTENCLR = UART_INT_TXDRDY;
    if (!sending)
        send_next();
    UART_INTENSET = UART_INT_TXDRDY;
    return TANDEM_OK;
}

int board_uart_received(void)
{
    return used(&rx) != 0;
}

const struct tandem_stream_port board_uart = {.write = uart_write};
