/*
 * The port checker as a program, on flash in a file. To check a port of your
 * own on a PC, put it in the place of tandem_posix_flash_open(), and name the
 * sectors that may be lost.
 *
 *   portcheck FILE           everything that needs no reset
 *   portcheck FILE keep      write a pattern; end, kill or switch off what you like, then
 *   portcheck FILE kept      see whether it is still there
 *   portcheck FILE drill     look what the last end of this command left; write on and on, until it is killed
 *   portcheck FILE look      look only
 */
#include <stdio.h>
#include <string.h>

#include "tandem/portcheck.h"
#include "tandem_posix.h"

#define SCRATCH 0x4000u
#define SCRATCH_SIZE 0x4000u

static uint32_t clock_us(void *ctx)
{
    (void)ctx;
    return (uint32_t)tandem_posix_now_us();
}

static void report(void *ctx, const struct tandem_portcheck_finding *finding)
{
    char line[TANDEM_PORTCHECK_TEXT_SIZE];
    (void)ctx;
    (void)puts(tandem_portcheck_line(finding, line, sizeof line));
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct tandem_flash_region regions[] = {{0, 0x1000, 16}};
    static uint8_t buffer[1024 + 16];
    static struct tandem_posix_flash flash;
    struct tandem_posix_flash_options options = {
        .path = argv[1], .regions = regions, .region_count = 1, .program_unit = 8, .erased = 0xFF, .durable = 1};
    struct tandem_portcheck check = {
        .scratch = {&flash.port, SCRATCH, SCRATCH_SIZE},
        .buffer = buffer,
        .buffer_size = sizeof buffer,
        .clock_us = clock_us,
        .watchdog_ms = 1000,
        .probes = TANDEM_PORTCHECK_PROBE_TWICE | TANDEM_PORTCHECK_PROBE_ODD | TANDEM_PORTCHECK_PROBE_OUTSIDE,
        .report = report,
    };
    struct tandem_portcheck_result result;
    char reason[TANDEM_POSIX_REASON_SIZE];
    const char *what = argc > 2 ? argv[2] : "run";
    enum tandem_status status = TANDEM_ERROR_ARGUMENT;

    if (argc < 2 || argc > 3) {
        (void)fprintf(stderr, "usage: portcheck FILE [run | keep | kept | drill | look]\n");
        return 2;
    }
    if (tandem_posix_flash_open(&flash, &options, reason) != TANDEM_OK) {
        (void)fprintf(stderr, "portcheck: %s\n", reason);
        return 2;
    }
    if (strcmp(what, "run") == 0)
        status = tandem_portcheck_run(&check, &result);
    else if (strcmp(what, "keep") == 0)
        status = tandem_portcheck_keep(&check, &result);
    else if (strcmp(what, "kept") == 0)
        status = tandem_portcheck_kept(&check, &result);
    else if (strcmp(what, "drill") == 0)
        status = tandem_portcheck_drill(&check, 0, &result);
    else if (strcmp(what, "look") == 0)
        status = tandem_portcheck_drill(&check, UINT32_MAX, &result);
    else
        (void)fprintf(stderr, "portcheck: %s is none of run, keep, kept, drill, look\n", what);
    (void)printf("%s\n", status == TANDEM_OK ? "No fault." : "This port will not do yet.");
    tandem_posix_flash_close(&flash);
    return status == TANDEM_OK ? 0 : 1;
}
