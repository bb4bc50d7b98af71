/*
 * The bootloader: starts what Tandem decides, and takes a new firmware over
 * the UART when there is nothing to start, when the button is held at reset,
 * when the application asked for it or restarts again and again, and, for a
 * moment, when the last update went wrong.
 */
#include "board.h"
#include "device.h"
#include "handover.h"
#include "service.h"
#include "start.h"
#include "tandem_cortex_m.h"

#define MOMENT_MS 3000u

static struct tandem_boot boot;

/* Whether an image can be started at all: what was signed may still have been linked for another place. */
static int is_startable(const struct tandem_boot_image *image)
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

/* Nothing brings back what was written over: what is left after an update that went wrong may be a firmware that
   crashes at once. It is started all the same, but not before hosts have had a chance. */
static int is_in_doubt(void)
{
    struct tandem_bank bank;
    if (tandem_bank_open(&bank, &device) != TANDEM_OK)
        return 0;
    return bank.state.reason == TANDEM_BOOT_KEPT || bank.state.reason == TANDEM_BOOT_REFUSED ||
           bank.state.reason == TANDEM_BOOT_FALLBACK;
}

int main(void)
{
    board_init(BOOTLOADER_SECTORS);
    enum tandem_recovery_cause cause = tandem_recovery_wanted(HANDOVER->report, HANDOVER->request, board_button());
    enum tandem_status status = cause == TANDEM_RECOVERY_NOT
                                    ? tandem_boot_decide(&boot, &device, device_buffer, sizeof device_buffer)
                                    : tandem_recovery_decide(&boot, &device, device_buffer, sizeof device_buffer);
    int startable = status == TANDEM_OK && is_startable(&boot.images[0]);
    /* Signed, but not startable: let its trial run out. */
    if (!startable && status == TANDEM_OK && boot.reason == TANDEM_BOOT_TRIAL)
        tandem_stm32f4_restart();
    if (!startable) {
        boot.reason = TANDEM_BOOT_NONE;
        cause = TANDEM_RECOVERY_NOTHING;
    } else if (cause == TANDEM_RECOVERY_NOT && is_in_doubt()) {
        cause = TANDEM_RECOVERY_DOUBT;
    }
    tandem_boot_report_store(HANDOVER->report, &boot, cause);
    if (cause != TANDEM_RECOVERY_NOT)
        service_recover(cause == TANDEM_RECOVERY_DOUBT ? MOMENT_MS : 0);
    board_uart_stop();
    if (cause != TANDEM_RECOVERY_NOT && cause != TANDEM_RECOVERY_DOUBT)
        tandem_stm32f4_restart();
    tandem_stm32f4_start(boot.images[0].area.address);
}
