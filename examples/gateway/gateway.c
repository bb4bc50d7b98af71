/*
 * The gateway's program: does what a gateway does, which is nothing here, and
 * takes the next version of itself out of the upgrade folder.
 *
 *   GATEWAY_RELEASE  1, 2, 3: what the versions differ in
 *   GATEWAY_FAULT    0 none; 1 the self-test fails; 2 it crashes; 3 it hangs.
 *                    Faulty versions show what happens to bad programs.
 */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "product.h"
#include "tandem_linux_drop.h"

#ifndef GATEWAY_RELEASE
#define GATEWAY_RELEASE 1
#endif
#ifndef GATEWAY_FAULT
#define GATEWAY_FAULT 0
#endif

#define IDLE_MS 20
#define SELF_TEST_MS 50

static struct product product;
static struct tandem_linux_app app;
static struct tandem_install install;
static struct tandem_local local;
static struct tandem_linux_drop drop;
static uint8_t buffer[TANDEM_LINUX_APP_BUFFER];
static volatile sig_atomic_t stop;
static int restart, told;

static void end(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    restart = 1; /* the main loop does it when its output is out */
    return TANDEM_OK;
}

static const struct tandem_system_port surroundings = {.reboot = reboot};

/* Whoever looks after the product: here, the terminal. */
static enum tandem_status push(void *ctx, const struct tandem_local_report *report)
{
    static const char *const names[] = {"idle",       "preparing", "receiving", "verifying", "ready",
                                        "restarting", "trial",     "done",      "failed"};
    char version[TANDEM_VERSION_TEXT_SIZE];
    (void)ctx;
    tandem_version_format(&report->version, version);
    printf("gateway: state %s, %u %%, version %s%s%s\n", names[report->stage], report->percent, version,
           report->status != TANDEM_OK ? ": " : "",
           report->status != TANDEM_OK ? tandem_status_text(report->status) : "");
    told = report->stage == TANDEM_LOCAL_DONE || report->stage == TANDEM_LOCAL_FAILED;
    return TANDEM_OK;
}

static void say(void *ctx, const char *line)
{
    (void)ctx;
    printf("gateway: upgrade: %s\n", line);
}

static const struct tandem_local_options local_options = {.product = PRODUCT_NAME, .push = push, .grace_ms = 100};
static struct tandem_linux_drop_options drop_options = {.say = say};

static int open_all(const char *home)
{
    char reason[TANDEM_POSIX_REASON_SIZE] = "";
    if (product_describe(&product, home) != 0)
        return -1;
    product.options.system = &surroundings;
    drop_options.folder = product.upgrade;
    enum tandem_status status = tandem_linux_app_open(&app, &product.options, reason);
    if (status == TANDEM_OK)
        status = tandem_install_init(&install, &app.device, buffer, sizeof buffer);
    tandem_local_init(&local, &local_options, &install);
    tandem_local_enable(&local);
    if (status == TANDEM_OK)
        status = tandem_linux_drop_open(&drop, &drop_options, &local, reason);
    if (status == TANDEM_OK)
        return 0;
    fprintf(stderr, "gateway: %s\n", reason[0] != '\0' ? reason : tandem_status_text(status));
    return -1;
}

/* The trial's decision: confirm, or end, and let the supervisor count. */
static void judge(void)
{
    if (GATEWAY_FAULT == 1) {
        printf("gateway: self-test failed\n");
        restart = 1;
        return;
    }
    if (tandem_install_state(&install) != TANDEM_STATE_TRIAL)
        return;
    enum tandem_status status = tandem_install_confirm(&install);
    printf("gateway: self-test passed, %s\n", status == TANDEM_OK ? "confirmed" : tandem_status_text(status));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s HOME\n", argv[0]);
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    printf("gateway: release %d\n", GATEWAY_RELEASE);
    if (GATEWAY_FAULT == 2)
        abort();
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = end;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    while (GATEWAY_FAULT == 3 && !stop)
        tandem_posix_sleep_ms(IDLE_MS);
    if (stop || open_all(argv[1]) != 0)
        return stop ? 0 : 1;
    tandem_posix_sleep_ms(SELF_TEST_MS);
    judge();
    while (!stop && !restart) {
        uint32_t now = tandem_posix_now_ms();
        enum tandem_status status = tandem_local_poll(&local, now);
        if (told) {
            told = 0;
            (void)tandem_local_acknowledge(&local);
        }
        enum tandem_status dropped = tandem_linux_drop_poll(&drop, now);
        if (dropped != TANDEM_AGAIN && status != TANDEM_AGAIN)
            tandem_posix_sleep_ms(IDLE_MS);
    }
    tandem_linux_drop_close(&drop);
    tandem_linux_app_close(&app);
    return restart ? TANDEM_LINUX_APP_RESTART : 0;
}
