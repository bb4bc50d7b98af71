/*
 * Bytes from the UART to the link, and the link's poll.
 */
#include "service.h"

#include "board.h"
#include "device.h"
#include "handover.h"

static struct tandem_install install;
static struct tandem_link_service service;
static struct tandem_link_device link;
static struct tandem_stream stream;
static struct tandem_boot_report report;
static uint8_t in[BOARD_IN_SIZE], out[BOARD_OUT_SIZE];

static void receive(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    (void)ctx;
    tandem_link_device_receive(&link, channel, data, size);
}

enum tandem_status service_open(const struct tandem_version *version)
{
    enum tandem_status status = tandem_install_init(&install, &device, device_buffer, sizeof device_buffer);
    if (status != TANDEM_OK)
        return status;
    status = tandem_stream_init(&stream, &board_uart, in, sizeof in, out, sizeof out, receive, NULL);
    if (status != TANDEM_OK)
        return status;
    tandem_link_service_init(&service, &install, version);
    if (tandem_boot_report_load(&report, HANDOVER->report) == TANDEM_OK)
        tandem_link_service_boot(&service, &report);
    tandem_link_device_init(&link, &service, tandem_stream_packets(&stream), tandem_stream_receive_max(&stream));
    board_uart_init();
    return TANDEM_OK;
}

struct tandem_install *service_install(void)
{
    return &install;
}

void service_run(void)
{
    uint8_t piece[64];
    size_t got = board_uart_read(piece, sizeof piece);
    board_feed();
    if (got != 0)
        tandem_stream_receive(&stream, piece, got);
    enum tandem_status status = tandem_link_device_poll(&link, board_now_ms());
    if (tandem_stream_poll(&stream) == TANDEM_OK && status == TANDEM_OK && got == 0)
        board_sleep();
}
