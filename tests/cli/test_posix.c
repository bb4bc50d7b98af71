/*
 * The POSIX ports: a flash file that refuses what flash cannot do and keeps
 * what it was given, sockets of both families, serial lines.
 */
#define _XOPEN_SOURCE 700

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "tandem_posix.h"

static char reason[TANDEM_POSIX_REASON_SIZE];

static const struct tandem_flash_region two_sizes[] = {{0x1000, 4096, 4}, {0x5000, 16384, 2}};

static struct tandem_posix_flash_options options_for(const char *path)
{
    struct tandem_posix_flash_options options = {0};
    options.path = path;
    options.regions = two_sizes;
    options.region_count = 2;
    options.program_unit = 8;
    options.erased = 0xFF;
    return options;
}

static void flash_behaves_as_nor(void)
{
    struct tandem_posix_flash flash;
    struct tandem_posix_flash_options options = options_for("nor.bin");
    const uint8_t data[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    uint8_t back[16], erased[16];
    memset(erased, 0xFF, sizeof erased);
    (void)unlink("nor.bin");
    REQUIRE(tandem_posix_flash_open(&flash, &options, reason) == TANDEM_OK);
    const struct tandem_flash_port *port = &flash.port;
    CHECK_EQUAL(port->read(port->ctx, 0x1000, back, 16), TANDEM_OK);
    CHECK_BYTES(back, erased, 16);
    CHECK_EQUAL(port->program(port->ctx, 0x1008, data, 16), TANDEM_OK);
    CHECK_EQUAL(port->read(port->ctx, 0x1008, back, 16), TANDEM_OK);
    CHECK_BYTES(back, data, 16);
    CHECK_EQUAL(port->program(port->ctx, 0x1010, data, 8), TANDEM_ERROR_FLASH); /* written already */
    CHECK(strstr(flash.fault, "not erased") != NULL);
    CHECK_EQUAL(port->program(port->ctx, 0x1024, data, 8), TANDEM_ERROR_FLASH); /* half a unit */
    CHECK_EQUAL(port->program(port->ctx, 0x1020, data, 4), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(port->erase(port->ctx, 0x1800), TANDEM_ERROR_FLASH); /* inside a sector */
    CHECK_EQUAL(port->erase(port->ctx, 0x7000), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(port->erase(port->ctx, 0x1000), TANDEM_OK);
    CHECK_EQUAL(port->read(port->ctx, 0x1008, back, 16), TANDEM_OK);
    CHECK_BYTES(back, erased, 16);
    CHECK_EQUAL(port->program(port->ctx, 0xCFF8, data, 8), TANDEM_OK); /* the very end */
    CHECK_EQUAL(port->program(port->ctx, 0xD000, data, 8), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(port->read(port->ctx, 0xCFF9, back, 8), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(port->read(port->ctx, 0x0FFF, back, 1), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(port->erase(port->ctx, 0x9000), TANDEM_OK);
    CHECK_EQUAL(port->read(port->ctx, 0xCFF8, back, 8), TANDEM_OK);
    CHECK_BYTES(back, erased, 8);
    CHECK_EQUAL(port->sync(port->ctx), TANDEM_OK);
    tandem_posix_flash_close(&flash);
}

static void flash_with_zeros_when_erased(void)
{
    struct tandem_posix_flash flash;
    struct tandem_posix_flash_options options = options_for("zero.bin");
    uint8_t back = 1;
    options.erased = 0;
    options.durable = 1;
    (void)unlink("zero.bin");
    REQUIRE(tandem_posix_flash_open(&flash, &options, reason) == TANDEM_OK);
    CHECK_EQUAL(flash.port.read(flash.port.ctx, 0x3000, &back, 1), TANDEM_OK);
    CHECK_EQUAL(back, 0);
    CHECK_EQUAL(flash.port.sync(flash.port.ctx), TANDEM_OK);
    tandem_posix_flash_close(&flash);
}

static void flash_takes_its_time(void)
{
    struct tandem_posix_flash flash;
    struct tandem_posix_flash_options options = options_for("slow.bin");
    uint64_t begin = tandem_posix_now_us();
    unsigned calls = 0;
    options.erase_us = 20000;
    (void)unlink("slow.bin");
    REQUIRE(tandem_posix_flash_open(&flash, &options, reason) == TANDEM_OK);
    while (flash.port.erase(flash.port.ctx, 0x2000) == TANDEM_AGAIN) {
        tandem_posix_sleep_ms(1);
        calls++;
    }
    CHECK(calls > 0);
    CHECK(tandem_posix_now_us() - begin >= 20000);
    tandem_posix_flash_close(&flash);
}

/* A process that is killed leaves what it had programmed, and its lock goes with it. */
static void flash_survives_a_kill(void)
{
    struct tandem_posix_flash flash;
    struct tandem_posix_flash_options options = options_for("killed.bin");
    const uint8_t data[8] = "survive";
    uint8_t back[8] = {0};
    int ready[2];
    char byte;
    (void)unlink("killed.bin");
    REQUIRE(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        if (tandem_posix_flash_open(&flash, &options, reason) != TANDEM_OK ||
            flash.port.program(flash.port.ctx, 0x1000, data, 8) != TANDEM_OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    REQUIRE(child > 0 && read(ready[0], &byte, 1) == 1);
    CHECK_EQUAL(tandem_posix_flash_open(&flash, &options, reason), TANDEM_ERROR_BUSY);
    CHECK(strstr(reason, "in use by process") != NULL);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    REQUIRE(tandem_posix_flash_open(&flash, &options, reason) == TANDEM_OK);
    CHECK_EQUAL(flash.port.read(flash.port.ctx, 0x1000, back, 8), TANDEM_OK);
    CHECK_BYTES(back, data, 8);
    tandem_posix_flash_close(&flash);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void flash_options_are_checked(void)
{
    static const struct tandem_flash_region gap[] = {{0, 4096, 1}, {8192, 4096, 1}};
    struct tandem_posix_flash flash;
    struct tandem_posix_flash_options options = options_for("none.bin");
    options.program_unit = 3;
    CHECK_EQUAL(tandem_posix_flash_open(&flash, &options, reason), TANDEM_ERROR_ARGUMENT);
    options = options_for("none.bin");
    options.erased = 0x55;
    CHECK_EQUAL(tandem_posix_flash_open(&flash, &options, NULL), TANDEM_ERROR_ARGUMENT);
    options = options_for("none.bin");
    options.regions = gap;
    CHECK_EQUAL(tandem_posix_flash_open(&flash, &options, reason), TANDEM_ERROR_ARGUMENT);
    options = options_for("nowhere/none.bin");
    CHECK_EQUAL(tandem_posix_flash_open(&flash, &options, reason), TANDEM_ERROR_PORT);
    CHECK(strstr(reason, "No such file") != NULL);
    options = options_for("zero.bin");
    options.region_count = 1;
    CHECK_EQUAL(tandem_posix_flash_open(&flash, &options, reason), TANDEM_ERROR_LAYOUT);
    CHECK(access("none.bin", F_OK) != 0);
}

/* Connect to a listener, and send a word each way. */
static void talk(int listener, const char *address)
{
    struct tandem_posix_stream host, device;
    char word[8] = {0};
    size_t size = 0;
    tandem_posix_stream_init(&host);
    tandem_posix_stream_init(&device);
    enum tandem_status status = tandem_posix_connect(&host, address, reason);
    for (int i = 0; i < 200 && status == TANDEM_AGAIN; i++) {
        tandem_posix_sleep_ms(5);
        status = tandem_posix_connected(&host, reason);
    }
    REQUIRE(status == TANDEM_OK);
    struct pollfd ready = {listener, POLLIN, 0};
    CHECK_EQUAL(tandem_posix_wait(&ready, 1, 1000), TANDEM_OK);
    REQUIRE(tandem_posix_accept(listener, &device) == TANDEM_OK);
    CHECK_EQUAL(tandem_posix_accept(listener, &device), TANDEM_AGAIN);
    CHECK_EQUAL(tandem_posix_stream_read(&device, word, sizeof word, &size), TANDEM_OK);
    CHECK_EQUAL(size, 0);
    CHECK_EQUAL(host.port.write(host.port.ctx, "hello", 5, &size), TANDEM_OK);
    CHECK_EQUAL(size, 5);
    ready.fd = device.fd;
    CHECK_EQUAL(tandem_posix_wait(&ready, 1, 1000), TANDEM_OK);
    CHECK_EQUAL(tandem_posix_stream_read(&device, word, sizeof word, &size), TANDEM_OK);
    CHECK_EQUAL(size, 5);
    CHECK_BYTES(word, "hello", 5);
    tandem_posix_stream_close(&device);
    ready.fd = host.fd;
    CHECK_EQUAL(tandem_posix_wait(&ready, 1, 1000), TANDEM_OK);
    CHECK_EQUAL(tandem_posix_stream_read(&host, word, sizeof word, &size), TANDEM_ERROR_DISCONNECTED);
    /* Writing to it ends in an answer, never in a signal. */
    for (int i = 0; i < 20 && host.port.write(host.port.ctx, "hello", 5, &size) == TANDEM_OK; i++)
        tandem_posix_sleep_ms(5);
    CHECK_EQUAL(host.port.write(host.port.ctx, "hello", 5, &size), TANDEM_ERROR_DISCONNECTED);
    tandem_posix_stream_close(&host);
    CHECK_EQUAL(host.port.write(host.port.ctx, "hello", 5, &size), TANDEM_ERROR_DISCONNECTED);
}

static void sockets_over_tcp(void)
{
    char address[TANDEM_POSIX_ADDRESS_SIZE];
    int listener, second;
    REQUIRE(tandem_posix_listen(&listener, "127.0.0.1:0", address, reason) == TANDEM_OK);
    CHECK(strncmp(address, "127.0.0.1:", 10) == 0 && atoi(address + 10) > 0);
    talk(listener, address);
    CHECK_EQUAL(tandem_posix_listen(&second, address, NULL, reason), TANDEM_ERROR_BUSY);
    (void)close(listener);
    REQUIRE(tandem_posix_listen(&listener, address, NULL, reason) == TANDEM_OK); /* at once again */
    talk(listener, address);
    (void)close(listener);

    struct tandem_posix_stream host;
    tandem_posix_stream_init(&host);
    enum tandem_status status = tandem_posix_connect(&host, address, reason);
    for (int i = 0; i < 200 && status == TANDEM_AGAIN; i++) {
        tandem_posix_sleep_ms(5);
        status = tandem_posix_connected(&host, reason);
    }
    CHECK_EQUAL(status, TANDEM_ERROR_DISCONNECTED);
    CHECK(strstr(reason, "refused") != NULL);
    CHECK_EQUAL(host.fd, -1);
}

static void sockets_over_unix(void)
{
    char actual[TANDEM_POSIX_ADDRESS_SIZE];
    int listener, second;
    REQUIRE(tandem_posix_listen(&listener, "unix:test.sock", actual, reason) == TANDEM_OK);
    CHECK(strcmp(actual, "unix:test.sock") == 0);
    talk(listener, "unix:test.sock");
    CHECK_EQUAL(tandem_posix_listen(&second, "unix:test.sock", NULL, reason), TANDEM_ERROR_BUSY);
    (void)close(listener);
    /* The file of a server that died is no obstacle; any other file is. */
    REQUIRE(tandem_posix_listen(&listener, "unix:test.sock", NULL, reason) == TANDEM_OK);
    talk(listener, "unix:test.sock");
    (void)close(listener);
    (void)unlink("test.sock");
    int file = open("test.sock", O_CREAT | O_WRONLY, 0600);
    CHECK(file >= 0);
    (void)close(file);
    CHECK_EQUAL(tandem_posix_listen(&listener, "unix:test.sock", NULL, reason), TANDEM_ERROR_BUSY);
    CHECK(access("test.sock", F_OK) == 0);
    (void)unlink("test.sock");
}

static void addresses_are_checked(void)
{
    static const char *const bad[] = {"",           "host",  ":80",    "host:",   "host:port",
                                      "host:65536", "unix:", "::1:80", "[::1]80", "host:-1"};
    struct tandem_posix_stream host;
    int listener;
    tandem_posix_stream_init(&host);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_EQUAL(tandem_posix_connect(&host, bad[i], reason), TANDEM_ERROR_ARGUMENT);
        CHECK_EQUAL(tandem_posix_listen(&listener, bad[i], NULL, NULL), TANDEM_ERROR_ARGUMENT);
        CHECK_EQUAL(tandem_posix_address_check(bad[i], NULL), TANDEM_ERROR_ARGUMENT);
    }
}

static void good_addresses(void)
{
    static const char *const good[] = {"host:80", "[::1]:80", "unix:a", "127.0.0.1:0", "a.b-c:65535"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK_EQUAL(tandem_posix_address_check(good[i], reason), TANDEM_OK);
}

static void serial_lines(void)
{
    struct tandem_posix_stream line, other;
    const char all[] = "\x00\x03\x04\x0A\x0D\x11\x13\x1A\x7F\xFF\x80";
    char back[32];
    size_t size = 0;
    tandem_posix_stream_init(&line);
    tandem_posix_stream_init(&other);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    char name[64];
    (void)snprintf(name, sizeof name, "%s", ptsname(master));
    REQUIRE(tandem_posix_serial_open(&line, name, 115200, reason) == TANDEM_OK);
    CHECK_EQUAL(tandem_posix_stream_read(&line, back, sizeof back, &size), TANDEM_OK);
    CHECK_EQUAL(size, 0);
    /* Every byte passes as it is, both ways. */
    CHECK_EQUAL(write(master, all, sizeof all), (ssize_t)sizeof all);
    struct pollfd ready = {line.fd, POLLIN, 0};
    CHECK_EQUAL(tandem_posix_wait(&ready, 1, 1000), TANDEM_OK);
    CHECK_EQUAL(tandem_posix_stream_read(&line, back, sizeof back, &size), TANDEM_OK);
    CHECK_EQUAL(size, sizeof all);
    CHECK_BYTES(back, all, sizeof all);
    CHECK_EQUAL(line.port.write(line.port.ctx, all, sizeof all, &size), TANDEM_OK);
    CHECK_EQUAL(size, sizeof all);
    CHECK_EQUAL(read(master, back, sizeof back), (ssize_t)sizeof all);
    CHECK_BYTES(back, all, sizeof all);
    (void)close(master);
    CHECK_EQUAL(tandem_posix_stream_read(&line, back, sizeof back, &size), TANDEM_ERROR_DISCONNECTED);
    tandem_posix_stream_close(&line);

    CHECK_EQUAL(tandem_posix_serial_open(&line, "/dev/null", 115200, reason), TANDEM_ERROR_PORT);
    CHECK(strstr(reason, "not a serial line") != NULL);
    CHECK_EQUAL(tandem_posix_serial_open(&line, "/dev/null", 12345, reason), TANDEM_ERROR_ARGUMENT);
    CHECK_EQUAL(tandem_posix_serial_open(&line, "nowhere", 115200, reason), TANDEM_ERROR_PORT);
}

static void time_passes(void)
{
    uint32_t begin = tandem_posix_now_ms();
    tandem_posix_sleep_ms(30);
    CHECK(tandem_posix_now_ms() - begin >= 30);
    CHECK_EQUAL(tandem_posix_wait(NULL, 0, 10), TANDEM_AGAIN);
    CHECK(tandem_posix_now_ms() - begin >= 39);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        REQUIRE((mkdir(argv[1], 0700) == 0 || access(argv[1], W_OK) == 0) && chdir(argv[1]) == 0);
    RUN(flash_behaves_as_nor);
    RUN(flash_with_zeros_when_erased);
    RUN(flash_takes_its_time);
    RUN(flash_survives_a_kill);
    RUN(flash_options_are_checked);
    RUN(sockets_over_tcp);
    RUN(sockets_over_unix);
    RUN(addresses_are_checked);
    RUN(good_addresses);
    RUN(serial_lines);
    RUN(time_passes);
    return check_report();
}
