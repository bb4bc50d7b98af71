/*
 * The registers of the STM32F407 that the example uses besides the flash
 * interface's, by their names in RM0090.
 */
#ifndef STM32F407_H
#define STM32F407_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* Clocks. After a reset the chip runs from its own 16 MHz, which needs no crystal and no wait states. */
#define CLOCK_HZ 16000000u
#define RCC_AHB1ENR REGISTER(0x40023830u)
#define RCC_AHB1ENR_GPIOA (1u << 0)
#define RCC_APB1ENR REGISTER(0x40023840u)
#define RCC_APB1ENR_USART2 (1u << 17)

/* Port A: two bits a pin for mode and pull, four for the function. */
#define GPIOA_MODER REGISTER(0x40020000u)
#define GPIOA_PUPDR REGISTER(0x4002000Cu)
#define GPIOA_IDR REGISTER(0x40020010u)
#define GPIOA_AFRL REGISTER(0x40020020u)
#define GPIO_MODE_FUNCTION 2u
#define GPIO_PULL_UP 1u
#define GPIO_PULL_DOWN 2u
#define GPIO_FUNCTION_USART 7u

/* USART2, interrupt 38. */
#define USART_SR REGISTER(0x40004400u)
#define USART_DR REGISTER(0x40004404u)
#define USART_BRR REGISTER(0x40004408u)
#define USART_CR1 REGISTER(0x4000440Cu)
#define USART_SR_ORE (1u << 3)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TXE (1u << 7)
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_UE (1u << 13)

/* The independent watchdog, on its own 32 kHz, which may be 17 to 47. Once started it runs until the next reset. */
#define IWDG_KR REGISTER(0x40003000u)
#define IWDG_PR REGISTER(0x40003004u)
#define IWDG_RLR REGISTER(0x40003008u)
#define IWDG_SR REGISTER(0x4000300Cu)
#define IWDG_KR_FEED 0xAAAAu
#define IWDG_KR_OPEN 0x5555u
#define IWDG_KR_START 0xCCCCu
#define IWDG_PR_128 5u
#define IWDG_HZ (32000u / 128u)

/* The Cortex-M4's own. */
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define SYST_CSR_ON 7u /* with its interrupt, by the processor's clock */
#define NVIC_ISER(n) REGISTER(0xE000E100u + 4u * (n))
#define NVIC_ISPR(n) REGISTER(0xE000E200u + 4u * (n))

enum { IRQ_USART2 = 38, IRQ_SPARE = 81 /* of the FPU; the example does not use it */ };

#endif
