/*
 * The watchdog: what a chip has in hardware. The device runs in a child; when
 * that crashes or hangs, it is reset. Killing this process pulls the plug.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE

#include "device.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#define RESET_MS 50

static volatile sig_atomic_t child; /* its process; 0: none */
static volatile sig_atomic_t stop;

static void pass_on(int signal_number)
{
    stop = 1;
    if (child > 0)
        (void)kill((pid_t)child, signal_number);
}

/* The child must not outlive its power supply. */
static void follow(pid_t parent)
{
#if defined(__linux__)
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent)
        _exit(TOOL_SYSTEM);
}

static void set_handler(void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

/* Start the child and wait for its end. Returns its status, or -1. */
static int run_once(const char *state, int listener, const char *program, int pin)
{
    int status = 0;
    pid_t parent = getpid();
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        follow(parent);
        set_handler(SIG_DFL);
        int code = device_boot(state, listener, program, pin);
        (void)fflush(NULL);
        _exit(code);
    }
    if (pid < 0)
        return -1;
    child = (sig_atomic_t)pid;
    if (stop)
        (void)kill(pid, SIGTERM); /* the signal came before there was a child to pass it to */
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    child = 0;
    return status;
}

int device_watch(const char *state, int listener, const char *program, const char *name, int pin)
{
    set_handler(pass_on);
    for (;;) {
        int status = run_once(state, listener, program, pin);
        pin = 0;
        if (status < 0)
            return tool_fail(TOOL_SYSTEM, "cannot start the device: %s", strerror(errno));
        if (WIFEXITED(status))
            return WEXITSTATUS(status);
        if (stop || WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGINT)
            return TOOL_OK; /* switched off, or unplugged */
        if (WTERMSIG(status) == SIGALRM)
            printf("%s: the firmware hangs: the watchdog resets the chip\n", name);
        else
            printf("%s: the firmware crashed (signal %d): the chip resets\n", name, WTERMSIG(status));
        tandem_posix_sleep_ms(RESET_MS);
    }
}
