/*
 * The bootloader: starts what Tandem decides, and takes a new firmware over
 * the UART when there is nothing to start, when the button is held at reset,
 * when the application asked for it or restarts again and again, and, for a
 * moment, when the last update went wrong.
 */
#include "board.h"
#include "decision.h"
#include "service.h"
#include "start.h"
#include "tandem_cortex_m.h"
#include "vectors.h"

#define MOMENT_MS 3000u

int board_is_startable(const struct tandem_boot_image *image)
{
    /* The end of RAM is where most linker scripts let the stack begin. */
    static const struct tandem_cortex_m_rules rams[] = {
        {RAM_ADDRESS, RAM_ADDRESS + RAM_SIZE, sizeof(struct vectors)},
        {CCM_ADDRESS, CCM_ADDRESS + CCM_SIZE, sizeof(struct vectors)},
    };
    uint32_t address = image->area.address;
    for (unsigned i = 0; i < sizeof rams / sizeof rams[0]; i++)
        if (tandem_cortex_m_check(&rams[i], (const uint32_t *)address, address, image->size, image->load_address) ==
            TANDEM_CORTEX_M_STARTABLE)
            return 1;
    return 0;
}

int main(void)
{
    static struct tandem_boot boot;
    board_init(BOOTLOADER_SECTORS);
    enum tandem_recovery_cause cause = decision_make(&boot, board_button());
    if (cause != TANDEM_RECOVERY_NOT)
        service_recover(cause == TANDEM_RECOVERY_DOUBT ? MOMENT_MS : 0);
    board_uart_stop();
    if (cause != TANDEM_RECOVERY_NOT && cause != TANDEM_RECOVERY_DOUBT)
        restart();
    tandem_stm32f4_start(boot.images[0].area.address);
}
