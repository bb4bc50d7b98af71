/*
 * The demo product's firmware: it runs from the bank that an update wrote, and
 * it is what takes the next update. Tests itself at start, confirms itself,
 * then serves the link.
 *
 *   EARBUD_RELEASE  1, 2: what the two versions differ in
 *   EARBUD_FAULT    0 none; 1 the self-test fails; 2 it crashes; 3 it hangs.
 *                   Faulty versions show what happens to bad firmware.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"
#include "realtek.h"
#include "tandem/crypto.h"
#include "tandem/link.h"

#ifndef EARBUD_RELEASE
#define EARBUD_RELEASE 1
#endif
#ifndef EARBUD_FAULT
#define EARBUD_FAULT 0
#endif

#define CONNECTIONS 4      /* hosts at once; one of them may update */
#define IDLE_MS 20         /* longest sleep */
#define SELF_TEST_MS 50    /* after the start: let the system settle first */
#define FAULT_RESET_MS 100 /* from a failed self-test to the restart */
#define ERASE_IDLE_MS 1000 /* quiet time before the free bank is erased */
#define FRAME (TANDEM_LINK_PACKET_MAX + TANDEM_STREAM_OVERHEAD)

/* One host. */
struct connection {
    struct tandem_posix_stream wire;
    struct tandem_stream stream;
    struct tandem_link_device link;
    uint8_t in[FRAME], out[FRAME];
};

static struct board board;
static struct tandem_install install;
static struct tandem_link_service service;
static struct tandem_boot_report report; /* what the boot process decided */
static struct connection connections[CONNECTIONS];
static struct realtek_face face; /* in place of the connections, if it is a Realtek device */
static uint8_t buffer[BOARD_BUFFER];
static const char *boot_program;
static int listener;
static volatile sig_atomic_t stop; /* the switch on the case */

static void switched_off(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

static const char *name(void)
{
    return board.facts.name;
}

/* ---- start ---- */

/* Known answers: a chip whose engine or memory is broken must not confirm anything. */
static int self_test(void)
{
    static const uint8_t want[4] = {0xBA, 0x78, 0x16, 0xBF}; /* SHA-256 of "abc" */
    uint8_t digest[TANDEM_SHA256_SIZE];
    if (EARBUD_FAULT == 1)
        return -1;
    if (tandem_sha256(NULL, "abc", 3, digest) != TANDEM_OK || memcmp(digest, want, sizeof want) != 0)
        return -1;
    return fcntl(listener, F_GETFD) >= 0 ? 0 : -1;
}

static void introduce(void)
{
    char version[TANDEM_VERSION_TEXT_SIZE];
    tandem_version_format(&service.version, version);
    printf("%s: firmware %s runs from bank %u%s\n", name(), version, tandem_bank_running(&install.bank),
           EARBUD_RELEASE > 1 ? ", now with transparency mode" : "");
}

/* The trial's decision: confirm, or restart and let the bootloader count. */
static void judge(void)
{
    if (self_test() != 0) {
        printf("%s: self-test failed, restarting\n", name());
        tandem_posix_sleep_ms(FAULT_RESET_MS);
        board.reboot = 1;
        return;
    }
    tandem_boot_report_well(board.report);
    board_ram_store(&board);
    if (tandem_install_state(&install) != TANDEM_STATE_TRIAL)
        return;
    enum tandem_status status = tandem_install_confirm(&install);
    if (status == TANDEM_OK)
        printf("%s: self-test passed, confirmed\n", name());
    else
        printf("%s: cannot confirm, status 0x%02x\n", name(), (unsigned)status);
}

/* ---- hosts ---- */

static void receive(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    struct connection *connection = ctx;
    tandem_link_device_receive(&connection->link, channel, data, size);
}

static void connection_init(struct connection *connection)
{
    tandem_posix_stream_init(&connection->wire);
    (void)tandem_stream_init(&connection->stream, &connection->wire.port, connection->in, sizeof connection->in,
                             connection->out, sizeof connection->out, receive, connection);
    tandem_link_device_init(&connection->link, &service, tandem_stream_packets(&connection->stream),
                            tandem_stream_receive_max(&connection->stream));
}

static void hang_up(struct connection *connection)
{
    tandem_posix_stream_close(&connection->wire);
    tandem_stream_reset(&connection->stream);
    tandem_link_device_disconnected(&connection->link);
}

static void answer_calls(void)
{
    struct tandem_posix_stream caller;
    while (tandem_posix_accept(listener, &caller) == TANDEM_OK) {
        struct connection *free_one = NULL;
        if (board.facts.realtek) {
            realtek_answer(&face, &caller);
            continue;
        }
        for (unsigned i = 0; i < CONNECTIONS; i++)
            if (connections[i].wire.fd < 0)
                free_one = &connections[i];
        if (free_one == NULL) {
            tandem_posix_stream_close(&caller);
            continue;
        }
        free_one->wire.fd = caller.fd;
        free_one->wire.socket = caller.socket;
        tandem_stream_reset(&free_one->stream);
    }
}

/* Move one connection on. Returns 1 if there is more to do at once. */
static int serve(struct connection *connection)
{
    uint8_t data[2048];
    size_t got = 0;
    if (connection->wire.fd >= 0) {
        if (tandem_posix_stream_read(&connection->wire, data, sizeof data, &got) != TANDEM_OK)
            hang_up(connection);
        else
            tandem_stream_receive(&connection->stream, data, got);
    }
    enum tandem_status status = tandem_link_device_poll(&connection->link, tandem_posix_now_ms());
    if (connection->wire.fd >= 0)
        (void)tandem_stream_poll(&connection->stream);
    return got == sizeof data || status == TANDEM_AGAIN;
}

/* Sleep until there is something to do, or a moment. */
static void rest(int more)
{
    struct pollfd fds[CONNECTIONS + 5];
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        fds[i].fd = connections[i].wire.fd;
        fds[i].events = POLLIN;
    }
    fds[CONNECTIONS].fd = listener;
    fds[CONNECTIONS].events = POLLIN;
    fds[CONNECTIONS + 1].fd = board.facts.realtek ? face.wire.fd : -1;
    fds[CONNECTIONS + 1].events = POLLIN;
    fds[CONNECTIONS + 2].fd = board.facts.realtek ? face.air : -1;
    fds[CONNECTIONS + 2].events = POLLIN;
    fds[CONNECTIONS + 3].fd = board.facts.realtek ? face.advertiser : -1;
    fds[CONNECTIONS + 3].events = POLLIN;
    fds[CONNECTIONS + 4].fd = board.facts.realtek ? face.phone.wire.fd : -1;
    fds[CONNECTIONS + 4].events = POLLIN;
    int moment = !more ? IDLE_MS : board.flash.busy_until != 0 ? 1 : 0;
    (void)tandem_posix_wait(fds, CONNECTIONS + 5, moment);
}

static int is_quiet(void)
{
    for (unsigned i = 0; i < CONNECTIONS; i++)
        if (connections[i].wire.fd >= 0)
            return 0;
    return !board.facts.realtek || (face.wire.fd < 0 && face.phone.wire.fd < 0);
}

/* ---- the main loop ---- */

static void run(void)
{
    uint32_t started = tandem_posix_now_ms(), busy = started;
    int judged = 0;
    while (!stop && !board.reboot) {
        uint32_t now = tandem_posix_now_ms();
        int more = 0;
        board.system.watchdog(&board);
        answer_calls();
        for (unsigned i = 0; i < CONNECTIONS; i++)
            more |= serve(&connections[i]);
        if (board.facts.realtek)
            more |= realtek_serve(&face);
        if (!judged && now - started >= SELF_TEST_MS) {
            judge();
            judged = 1;
        }
        if (!is_quiet())
            busy = now;
        if (judged && board.facts.erase_idle && now - busy >= ERASE_IDLE_MS)
            more |= tandem_install_erase_idle(&install) == TANDEM_AGAIN;
        rest(more);
    }
}

/* A reset: the boot process takes over this process, as the bootloader does the chip. */
static void reset(void)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", listener);
    char *arguments[] = {
        (char *)"tandem", (char *)"device", (char *)"--state", board.state, (char *)"--after-reset", number, NULL};
    for (unsigned i = 0; i < CONNECTIONS; i++)
        tandem_posix_stream_close(&connections[i].wire);
    if (board.facts.realtek)
        realtek_close(&face);
    board_close(&board);
    (void)fflush(stdout);
    (void)execv(boot_program, arguments);
    fprintf(stderr, "%s: cannot restart: %s: %s\n", name(), boot_program, strerror(errno));
}

static int begin(const char *state)
{
    char reason[TANDEM_POSIX_REASON_SIZE] = "";
    enum tandem_status status = board_open(&board, state, "flash.bin", reason);
    if (status == TANDEM_OK)
        status = tandem_install_init(&install, &board.device, buffer, sizeof buffer);
    if (status != TANDEM_OK) {
        fprintf(stderr, "earbud: cannot start, status 0x%02x %s\n", (unsigned)status, reason);
        return -1;
    }
    tandem_link_service_init(&service, &install, NULL);
    if (tandem_boot_report_load(&report, board.report) == TANDEM_OK)
        tandem_link_service_boot(&service, &report);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        connection_init(&connections[i]);
    if (board.facts.realtek && realtek_open(&face, &board, &install, &service.version) != 0) {
        fprintf(stderr, "%s: cannot open its Realtek side: %s\n", name(), strerror(errno));
        return -1;
    }
    return 0;
}

/* earbud STATE LISTENER BOOT-PROGRAM, as the boot process calls it. */
int main(int argc, char **argv)
{
    struct sigaction action;
    if (argc != 4) {
        fputs("This is an earbud's firmware; `tandem device` starts it.\n", stderr);
        return 2;
    }
    if (EARBUD_FAULT == 2)
        abort();
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    memset(&action, 0, sizeof action);
    action.sa_handler = switched_off;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    listener = atoi(argv[2]);
    boot_program = argv[3];
    if (begin(argv[1]) != 0)
        return 1;
    introduce();
    while (EARBUD_FAULT == 3 && !stop)
        (void)pause(); /* until the watchdog bites */
    run();
    if (board.reboot && !stop)
        reset();
    printf("%s: off\n", name());
    if (strncmp(board.facts.address, "unix:", 5) == 0)
        (void)unlink(board.facts.address + 5);
    return board.reboot && !stop;
}
