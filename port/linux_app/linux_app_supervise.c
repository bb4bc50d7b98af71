/*
 * The supervisor: what a bootloader is on a chip. It decides, puts the files
 * of the bank that runs in place, starts the program and waits for its end.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE

#include "linux_app_inner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "../posix/posix_reason.h"

#define CONFIRM_MS 60000u
#define STOP_MS 5000u
#define LOOK_MS 50u     /* between two looks at a program on trial */
#define PAUSE_MS 200u   /* between two starts: a program that ends at once shall not use up the machine */
#define EXEC_FAILED 126 /* as a shell says it */

static volatile sig_atomic_t child; /* its process; 0: none */
static volatile sig_atomic_t stop;

static void pass_on(int signal_number)
{
    stop = 1;
    if (child > 0)
        (void)kill((pid_t)child, signal_number);
}

static void set_handlers(void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

static void say(const struct tandem_linux_supervise_options *options, const char *what, const char *more)
{
    char line[2 * TANDEM_POSIX_REASON_SIZE];
    if (options->say == NULL)
        return;
    (void)snprintf(line, sizeof line, "%s%s%s", what, more[0] != '\0' ? ": " : "", more);
    options->say(options->ctx, line);
}

/* ---- before the program ---- */

static uint16_t mode_of(const struct tandem_linux_file *file)
{
    if (file->mode != 0)
        return file->mode;
    return file->kind == TANDEM_KIND_APPLICATION ? 0755 : 0644;
}

/* Put the files of a bank in place. The program does not run meanwhile, and what a cut leaves undone is done at the
 * next start: no program ever sees files of two versions. */
static enum tandem_status place_all(const struct tandem_linux_app *app, const struct tandem_boot *boot, char *reason)
{
    enum tandem_status status = TANDEM_OK;
    for (uint8_t i = 0; i < app->options->file_count && status == TANDEM_OK; i++) {
        const struct tandem_linux_file *file = &app->options->files[i];
        const struct tandem_boot_image *image = &boot->images[i];
        if (image->kind == file->kind)
            status = tandem_linux_app_place(&image->area, image->size, file->path, mode_of(file), reason);
        else if (unlink(file->path) != 0 && errno != ENOENT)
            posix_reason(reason, file->path, strerror(errno)); /* an optional one that this version does not have */
    }
    return status;
}

/* Decide, and make the files what was decided. `*on_trial` tells whether the program has to confirm itself. */
static enum tandem_status prepare(const struct tandem_linux_supervise_options *options, int *on_trial)
{
    static struct tandem_linux_app app;
    static uint8_t buffer[TANDEM_LINUX_APP_BUFFER];
    char reason[TANDEM_POSIX_REASON_SIZE] = "", version[TANDEM_VERSION_TEXT_SIZE];
    struct tandem_boot boot;
    enum tandem_status status = tandem_linux_app_open(&app, options->app, reason);
    if (status != TANDEM_OK) {
        say(options, "the product cannot be opened", reason);
        return status;
    }
    status = tandem_boot_decide(&boot, &app.device, buffer, sizeof buffer);
    if (status != TANDEM_OK) {
        say(options, "nothing may be started", tandem_status_text(boot.status != TANDEM_OK ? boot.status : status));
    } else {
        tandem_version_format(&boot.version, version);
        say(options, tandem_boot_reason_text(boot.reason), version);
        *on_trial = boot.reason == TANDEM_BOOT_TRIAL;
        status = place_all(&app, &boot, reason);
        if (status != TANDEM_OK)
            say(options, "its files cannot be put in place", reason);
    }
    tandem_linux_app_close(&app);
    return status;
}

/* ---- the program ---- */

static const char *program(const struct tandem_linux_app_options *app)
{
    for (uint8_t i = 0; i < app->file_count; i++)
        if (app->files[i].kind == TANDEM_KIND_APPLICATION)
            return app->files[i].path;
    return NULL;
}

static void become(const struct tandem_linux_supervise_options *options, pid_t parent)
{
    set_handlers(SIG_DFL);
#if defined(__linux__)
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a supervisor that is started anew must find the folder free */
#endif
    if (getppid() == parent)
        (void)execv(program(options->app), options->arguments);
    _exit(EXEC_FAILED);
}

/* Ask it to end, and after a while no longer ask. */
static void end_program(const struct tandem_linux_supervise_options *options, int *status)
{
    uint32_t patience = options->stop_ms != 0 ? options->stop_ms : STOP_MS;
    (void)kill((pid_t)child, SIGTERM);
    for (uint32_t begin = tandem_posix_now_ms(); tandem_posix_now_ms() - begin < patience;) {
        if (waitpid((pid_t)child, status, WNOHANG) != 0)
            return;
        tandem_posix_sleep_ms(LOOK_MS);
    }
    (void)kill((pid_t)child, SIGKILL);
    while (waitpid((pid_t)child, status, 0) < 0 && errno == EINTR) {
    }
}

/* Wait for its end. One that is on trial for too long is ended. @return its status as of waitpid() */
static int wait_for_end(const struct tandem_linux_supervise_options *options, int on_trial)
{
    uint32_t patience = options->confirm_ms != 0 ? options->confirm_ms : CONFIRM_MS, begin = tandem_posix_now_ms();
    int status = 0;
    while (on_trial) {
        if (waitpid((pid_t)child, &status, WNOHANG) != 0)
            return status;
        if (tandem_posix_now_ms() - begin >= patience) {
            /* Looked at twice: once may have been in the middle of its confirming. */
            on_trial = linux_app_is_on_trial(options->app);
            tandem_posix_sleep_ms(LOOK_MS);
            on_trial = on_trial && linux_app_is_on_trial(options->app);
            if (!on_trial)
                break;
            say(options, "the program has not confirmed itself in time", "it is ended");
            end_program(options, &status);
            return status;
        }
        tandem_posix_sleep_ms(LOOK_MS);
    }
    while (waitpid((pid_t)child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

/* @return 1: it ran, `*status` is as of waitpid(); 0: it could not be started */
static int run(const struct tandem_linux_supervise_options *options, int on_trial, int *status)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(options, parent);
    if (pid < 0) {
        say(options, "no process for the program", strerror(errno));
        return 0;
    }
    child = (sig_atomic_t)pid;
    if (stop)
        (void)kill(pid, SIGTERM); /* the signal came before there was a child to pass it to */
    *status = wait_for_end(options, on_trial);
    child = 0;
    return 1;
}

/* What the supervisor ends with when the program ended so. */
static int exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int tandem_linux_app_supervise(const struct tandem_linux_supervise_options *options)
{
    if (program(options->app) == NULL)
        return TANDEM_ERROR_ARGUMENT;
    stop = 0;
    set_handlers(pass_on);
    for (;;) {
        int on_trial = 0, status = 0;
        char ended[32];
        enum tandem_status prepared = prepare(options, &on_trial);
        if (prepared != TANDEM_OK)
            return (int)prepared;
        if (!run(options, on_trial, &status))
            return TANDEM_ERROR_PORT;
        int code = exit_code(status);
        /* On trial its end is what the trial was for, whatever its code. */
        on_trial = on_trial && linux_app_is_on_trial(options->app);
        if (stop || (code != TANDEM_LINUX_APP_RESTART && !on_trial))
            return code;
        (void)snprintf(ended, sizeof ended, "%s %d", WIFEXITED(status) ? "exit code" : "signal",
                       WIFEXITED(status) ? code : WTERMSIG(status));
        say(options, code == TANDEM_LINUX_APP_RESTART ? "the program asks to be restarted" : "the program has ended",
            ended);
        tandem_posix_sleep_ms(PAUSE_MS);
        if (stop)
            return code;
    }
}
