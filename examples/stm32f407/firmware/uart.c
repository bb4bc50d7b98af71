/*
 * USART2: an interrupt empties its receiver into a ring; it is written
 * without. While a sector is erased the processor stands still and bytes are
 * lost, which the link sends again; a product that minds has DMA fill the
 * ring, as DMA to RAM goes on.
 */
#include "board.h"
#include "stm32f407.h"

#define BAUD 115200u
#define RX_SIZE 512u /* a power of two */

/* The interrupt moves `head`, the reader `tail`; they run on and are masked when used. */
static volatile uint16_t head, tail;
static uint8_t ring[RX_SIZE];

void board_uart_interrupt(void)
{
    while ((USART_SR & (USART_SR_RXNE | USART_SR_ORE)) != 0) { /* an overrun ends with a read, too */
        uint8_t byte = (uint8_t)USART_DR;
        if ((uint16_t)(head - tail) < RX_SIZE)
            ring[head++ % RX_SIZE] = byte;
    }
}

void board_uart_init(void)
{
    RCC_AHB1ENR |= RCC_AHB1ENR_GPIOA;
    RCC_APB1ENR |= RCC_APB1ENR_USART2;
    (void)RCC_APB1ENR; /* a clock needs a moment */
    GPIOA_AFRL = (GPIOA_AFRL & ~0xFF00u) | GPIO_FUNCTION_USART << 8 | GPIO_FUNCTION_USART << 12;
    GPIOA_PUPDR = (GPIOA_PUPDR & ~0xF0u) | GPIO_PULL_UP << 6;
    GPIOA_MODER = (GPIOA_MODER & ~0xF0u) | GPIO_MODE_FUNCTION << 4 | GPIO_MODE_FUNCTION << 6;
    head = tail = 0;
    USART_BRR = (CLOCK_HZ + BAUD / 2) / BAUD;
    USART_CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
    NVIC_ISER(IRQ_USART2 / 32) = 1u << IRQ_USART2 % 32;
}

void board_uart_stop(void)
{
    if ((RCC_APB1ENR & RCC_APB1ENR_USART2) != 0)
        USART_CR1 = 0;
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
    for (*sent = 0; *sent < size && (USART_SR & USART_SR_TXE) != 0; ++*sent)
        USART_DR = bytes[*sent];
    return TANDEM_OK;
}

const struct tandem_stream_port board_uart = {.write = uart_write};
