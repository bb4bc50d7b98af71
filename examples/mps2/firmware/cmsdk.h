/*
 * The registers that the example uses: of the board's FPGA image (CMSDK
 * peripherals) by the names in its application note, and the Cortex-M3's own.
 */
#ifndef CMSDK_H
#define CMSDK_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CLOCK_HZ 25000000u

/* UART0: interrupt 0 is its receiver. */
#define UART_DATA REGISTER(0x40004000u)
#define UART_STATE REGISTER(0x40004004u)
#define UART_CTRL REGISTER(0x40004008u)
#define UART_INTCLEAR REGISTER(0x4000400Cu)
#define UART_BAUDDIV REGISTER(0x40004010u)
#define UART_STATE_TX_FULL (1u << 0)
#define UART_STATE_RX_FULL (1u << 1)
#define UART_CTRL_TX (1u << 0)
#define UART_CTRL_RX (1u << 1)
#define UART_CTRL_RX_INTERRUPT (1u << 3)
#define UART_INT_RX (1u << 1)

/* The watchdog: an NMI when the time is up, a reset when it is up once more. */
#define WDOG_LOAD REGISTER(0x40008000u)
#define WDOG_CONTROL REGISTER(0x40008008u)
#define WDOG_INTCLR REGISTER(0x4000800Cu)
#define WDOG_LOCK REGISTER(0x40008C00u)
#define WDOG_CONTROL_NMI_AND_RESET 3u
#define WDOG_LOCK_OPEN 0x1ACCE551u

/* SysTick. */
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define SYST_CSR_ON 7u /* counting the processor's clock, with interrupts */

/* Interrupts, vectors. */
#define NVIC_ISER REGISTER(0xE000E100u)
#define NVIC_ICER REGISTER(0xE000E180u)
#define NVIC_ISPR REGISTER(0xE000E200u)
#define NVIC_ICPR REGISTER(0xE000E280u)
#define SCB_ICSR REGISTER(0xE000ED04u)
#define SCB_ICSR_PENDSTCLR (1u << 25)
#define SCB_VTOR REGISTER(0xE000ED08u)

/* The memory protection unit. */
#define MPU_CTRL REGISTER(0xE000ED94u)
#define MPU_RBAR REGISTER(0xE000ED9Cu)
#define MPU_RASR REGISTER(0xE000EDA0u)
#define MPU_CTRL_ON 5u                /* the rest of the memory as without it */
#define MPU_RBAR_REGION_0 0x10u       /* with the address: selects the region */
#define MPU_RASR_16MB (23u << 1 | 1u) /* that large, and in force */
#define MPU_RASR_MEMORY (1u << 17)    /* cached, write-through */
#define MPU_RASR_READ_WRITE (3u << 24)
#define MPU_RASR_READ_ONLY (6u << 24)

enum { IRQ_UART0_RX = 0, IRQ_SPARE = 31 };

#endif
