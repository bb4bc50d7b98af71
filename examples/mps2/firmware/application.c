/*
 * The application: answers the link, and keeps its place only if its
 * self-test is content. APPLICATION_MAJOR is its version.
 */
#include "tandem/link.h"

#include "board.h"
#include "cmsdk.h"
#include "device.h"
#include "handover.h"
#include "layout.h"
#include "start.h"

enum what { WORKS, FAILS, HANGS, STRAYS }; /* what APPLICATION_DOES on its trial */

#define GIVE_UP_MS 300u /* a firmware that failed its test restarts then */

/* What a product has besides. It comes first and grows with the version, so no two versions have a sector in common. */
#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number
__asm__(".pushsection .ballast, \"a\"\n"
        ".fill 0x0A00 * " TEXT(APPLICATION_MAJOR) " / 4, 4, " TEXT(APPLICATION_MAJOR) "\n"
                                                                                      ".popsection");

static struct tandem_install install;
static struct tandem_link_service service;
static struct tandem_link_device link;
static struct tandem_stream stream;
static struct tandem_boot_report report;
static uint8_t in[BOARD_IN_SIZE], out[BOARD_OUT_SIZE];

static volatile uint32_t alarms;

void spare_interrupt(void)
{
    alarms++;
}

static void receive(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    (void)ctx;
    tandem_link_device_receive(&link, channel, data, size);
}

static enum tandem_status open_service(void)
{
    static const struct tandem_version version = {APPLICATION_MAJOR, 0, 0, 0};
    enum tandem_status status = tandem_install_init(&install, &device, device_buffer, sizeof device_buffer);
    if (status != TANDEM_OK)
        return status;
    status = tandem_stream_init(&stream, &board_uart, in, sizeof in, out, sizeof out, receive, NULL);
    if (status != TANDEM_OK)
        return status;
    tandem_link_service_init(&service, &install, &version);
    if (tandem_boot_report_load(&report, HANDOVER->report) == TANDEM_OK)
        tandem_link_service_boot(&service, &report);
    tandem_link_device_init(&link, &service, tandem_stream_packets(&stream), tandem_stream_receive_max(&stream));
    board_uart_init();
    return TANDEM_OK;
}

/* Do what there is to do for updates, then sleep until the next interrupt. */
static void run_service(void)
{
    uint8_t piece[64];
    size_t got = board_uart_read(piece, sizeof piece);
    if (got != 0)
        tandem_stream_receive(&stream, piece, got);
    enum tandem_status status = tandem_link_device_poll(&link, board_now_ms());
    if (tandem_stream_poll(&stream) == TANDEM_OK && status == TANDEM_OK && got == 0)
        board_sleep();
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
    if (open_service() != TANDEM_OK)
        restart();
    while (APPLICATION_DOES == HANGS) {
        /* the watchdog ends it */
    }
    if (APPLICATION_DOES == STRAYS)
        *(volatile uint32_t *)MANIFEST_0_ADDRESS = 0; /* a fault: flash is not written like that */
    int works = self_test();
    if (works) {
        tandem_boot_report_well(HANDOVER->report);
        (void)tandem_install_confirm(&install); /* if that fails, the next start tries again */
    }
    for (uint32_t begin = board_now_ms(); works || board_now_ms() - begin < GIVE_UP_MS;) {
        board_feed();
        run_service();
    }
    restart();
}
