/*
 * Bytes from the UART to the link or to the recovery, and their polls.
 */
#include "service.h"

#include "board.h"
#include "device.h"
#include "handover.h"

#define IN_SIZE (256u + TANDEM_STREAM_OVERHEAD)  /* a host's largest packet */
#define OUT_SIZE (204u + TANDEM_STREAM_OVERHEAD) /* the board's */

static struct tandem_stream stream;
static struct tandem_boot_report report;
static uint8_t in[IN_SIZE], out[OUT_SIZE];

/* Returns how many bytes came. */
static size_t receive_bytes(void)
{
    uint8_t piece[64];
    size_t got = board_uart_read(piece, sizeof piece);
    if (got != 0)
        tandem_stream_receive(&stream, piece, got);
    return got;
}

/* Send what waits, and sleep if nothing else is to be done. */
static void send_bytes(size_t got, enum tandem_status polled)
{
    if (tandem_stream_poll(&stream) == TANDEM_OK && polled == TANDEM_OK && got == 0)
        board_sleep();
}

/* ---- the application's ---- */

static struct tandem_install install;
static struct tandem_link_service service;
static struct tandem_link_device link;

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
    if (tandem_boot_report_load(&report, HANDOVER->report) == TANDEM_OK) {
        report.recovery = TANDEM_RECOVERY_NOT; /* whatever it was before: now an application answers */
        tandem_link_service_boot(&service, &report);
    }
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
    size_t got = receive_bytes();
    board_feed();
    send_bytes(got, tandem_link_device_poll(&link, board_now_ms()));
}

/* ---- the bootloader's ---- */

static struct tandem_recovery recovery;
static struct tandem_recovery_options options;

void service_recover(uint32_t silence_ms)
{
    enum tandem_status status =
        tandem_stream_init(&stream, &board_uart, in, sizeof in, out, sizeof out, tandem_recovery_receive, &recovery);
    (void)tandem_boot_report_load(&report, HANDOVER->report);
    options.device = &device;
    options.buffer = device_buffer;
    options.buffer_size = sizeof device_buffer;
    options.port = tandem_stream_packets(&stream);
    options.receive_max = tandem_stream_receive_max(&stream);
    options.boot = &report;
    options.silence_ms = silence_ms;
    if (status == TANDEM_OK)
        status = tandem_recovery_init(&recovery, &options);
    board_uart_init();
    while (status == TANDEM_OK || status == TANDEM_AGAIN) {
        size_t got = receive_bytes();
        status = tandem_recovery_poll(&recovery, board_now_ms());
        send_bytes(got, status);
    }
}
