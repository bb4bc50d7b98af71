/*
 * The boot process in recovery: it takes an update itself, from one host at a
 * time, over the same address as a firmware would.
 */
#define _POSIX_C_SOURCE 200809L

#include "device.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tandem/recovery.h"

#define IDLE_MS 20 /* longest sleep */
#define FRAME (TANDEM_LINK_PACKET_MAX + TANDEM_STREAM_OVERHEAD)

static struct tandem_posix_stream wire;
static struct tandem_stream stream;
static struct tandem_recovery recovery;
static uint32_t heard_ms; /* when the host on the wire last said something */
static volatile sig_atomic_t stop;

static void switched_off(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

static void set_handler(void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

static void hang_up(void)
{
    tandem_posix_stream_close(&wire);
    tandem_stream_reset(&stream);
    tandem_recovery_disconnected(&recovery);
}

/* One caller is served; another one only if that one is silent, as somebody may just have forgotten to leave. */
static void answer_call(int listener)
{
    struct tandem_posix_stream caller;
    if (tandem_posix_accept(listener, &caller) != TANDEM_OK)
        return;
    if (wire.fd >= 0 && tandem_posix_now_ms() - heard_ms < TANDEM_LINK_SILENCE_MS) {
        tandem_posix_stream_close(&caller);
        return;
    }
    if (wire.fd >= 0)
        hang_up();
    wire.fd = caller.fd;
    wire.socket = caller.socket;
    heard_ms = tandem_posix_now_ms();
}

static void receive(void)
{
    uint8_t data[2048];
    size_t got = 0;
    if (wire.fd < 0)
        return;
    if (tandem_posix_stream_read(&wire, data, sizeof data, &got) != TANDEM_OK) {
        hang_up();
        return;
    }
    if (got != 0)
        heard_ms = tandem_posix_now_ms();
    tandem_stream_receive(&stream, data, got);
}

static void rest(int listener, int more, const struct board *board)
{
    struct pollfd fds[2];
    fds[0].fd = wire.fd;
    fds[1].fd = listener;
    fds[0].events = fds[1].events = POLLIN;
    (void)tandem_posix_wait(fds, 2, !more ? IDLE_MS : board->flash.busy_until != 0 ? 1 : 0);
}

/* Serve until there is a reason to restart, or the device is switched off. */
static void serve(struct board *board, int listener)
{
    enum tandem_status status = TANDEM_OK;
    while (!stop && !board->reboot && status != TANDEM_ERROR_TIMEOUT) {
        answer_call(listener);
        receive();
        status = tandem_recovery_poll(&recovery, tandem_posix_now_ms());
        if (wire.fd >= 0)
            (void)tandem_stream_poll(&stream);
        rest(listener, status == TANDEM_AGAIN, board);
    }
}

int device_recover(struct board *board, const struct tandem_boot_report *report, int listener, int *restart)
{
    static uint8_t buffer[BOARD_BUFFER], in[FRAME], out[FRAME];
    static struct tandem_recovery_options options;
    printf("%s: recovery, waiting for an update: %s", board->facts.name, tandem_recovery_cause_text(report->recovery));
    if (report->status != TANDEM_OK)
        printf(" (%s)", tandem_status_text(report->status));
    putchar('\n');
    tandem_posix_stream_init(&wire);
    (void)tandem_stream_init(&stream, &wire.port, in, sizeof in, out, sizeof out, tandem_recovery_receive, &recovery);
    options.device = &board->device;
    options.buffer = buffer;
    options.buffer_size = sizeof buffer;
    options.port = tandem_stream_packets(&stream);
    options.receive_max = tandem_stream_receive_max(&stream);
    options.boot = report;
    enum tandem_status status = tandem_recovery_init(&recovery, &options);
    if (status != TANDEM_OK)
        return tool_fail((int)status, "%s: no recovery: %s", board->facts.name, tandem_status_text(status));
    set_handler(switched_off);
    serve(board, listener);
    set_handler(SIG_DFL);
    tandem_posix_stream_close(&wire);
    *restart = !stop;
    if (*restart)
        return TOOL_OK;
    printf("%s: off\n", board->facts.name);
    if (strncmp(board->facts.address, "unix:", 5) == 0)
        (void)unlink(board->facts.address + 5);
    return TOOL_OK;
}
