/*
 * The application: answers the link, and keeps its place only if its
 * self-test is content. APPLICATION_MAJOR is its version.
 */
#include "board.h"
#include "cmsdk.h"
#include "handover.h"
#include "layout.h"
#include "service.h"
#include "start.h"
#include "vectors.h"

enum what { WORKS, FAILS, HANGS, STRAYS }; /* what APPLICATION_DOES on its trial */

#define GIVE_UP_MS 300u /* a firmware that failed its test restarts then */

/* What a product has besides. It comes first and grows with the version, so no two versions have a sector in common. */
#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number
__asm__(".pushsection .ballast, \"a\"\n"
        ".fill 0x0A00 * " TEXT(APPLICATION_MAJOR) " / 4, 4, " TEXT(APPLICATION_MAJOR) "\n"
                                                                                      ".popsection");

static const struct tandem_version version = {APPLICATION_MAJOR, 0, 0, 0};

static volatile uint32_t alarms;

void spare_interrupt(void)
{
    alarms++;
}

/* The clock runs, and interrupts find their way here. A product tests what it needs to be updated again. */
static int self_test(void)
{
    uint32_t begin = board_now_ms();
    NVIC_ISER = 1u << IRQ_SPARE;
    NVIC_ISPR = 1u << IRQ_SPARE;
    for (uint32_t i = 0; board_now_ms() - begin < 2; i++)
        if (i > 10000000)
            return 0;
    return alarms == 1 && APPLICATION_DOES != FAILS;
}

int main(void)
{
    board_init();
    if (service_open(&version) != TANDEM_OK)
        restart();
    while (APPLICATION_DOES == HANGS) {
        /* the watchdog ends it */
    }
    if (APPLICATION_DOES == STRAYS)
        *(volatile uint32_t *)MANIFEST_0_ADDRESS = 0; /* a fault: flash is not written like that */
    int works = self_test();
    if (works) {
        tandem_boot_report_well(HANDOVER->report);
        (void)tandem_install_confirm(service_install()); /* if that fails, the next start tries again */
    }
    for (uint32_t begin = board_now_ms(); works || board_now_ms() - begin < GIVE_UP_MS;)
        service_run();
    restart();
}
