/*
 * A simulated device on a simulated bus, for hosts in other processes: the
 * real device half, installer and bootloader on simulated flash, in real time.
 * Tests give it orders over the same socket: what to be, when to lose power,
 * and what its bootloader would start.
 *
 *   usb_device SOCKET FOLDER [full|high REDIR-SOCKET]
 *
 * FOLDER gets the packages that it may be sent: old.tdm, new.tdm and others.
 * With the latter two it is not on the simulated bus but on that of a QEMU
 * machine, whose kernel enumerates it.
 */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../unit/fixture.h"
#include "bus.h"
#include "check.h"
#include "core/bytes.h"
#include "redir.h"
#include "tandem/usb_endpoint.h"

#define CLIENTS 8
#define BLOCK_MAX 8192
#define AWAY_MS 100 /* off the bus between two modes */
#define TRACE 60000

#define CODE_IO (-1)
#define CODE_GONE (-4)
#define CODE_OTHER_NOW (-5)
#define CODE_STALL (-9)

struct bench {
    struct fixture f;
    struct package old;
    struct tandem_usb_dfu_alternate alternates[2];
    struct tandem_usb_dfu_config config;
    struct tandem_usb_device_port port;
    struct tandem_usb_identity identity;
    struct tandem_usb_dfu dfu;
    struct tandem_usb_endpoint endpoint;
    struct tandem_bare bare;
    uint8_t block[BLOCK_MAX];
    uint8_t address; /* 0: not on the bus */
    uint8_t last_address;
    uint32_t back_at;               /* when it comes back */
    enum tandem_usb_mode start;     /* in which it starts */
    int restart;                    /* the device asked for it */
    long blocks;                    /* of data received */
    long transfers;                 /* class requests */
    uint64_t first_us, last_us;     /* from the first block to the last answer about one */
    uint64_t first_busy, last_busy; /* the flash's time until then */
    long unplug_at;                 /* power fails after that many; 0: never */
    long cut_ops;                   /* and so many flash operations later */
    int battery_at_end;             /* the charge once the empty block comes; -1: as before */
    int resets;
    char trace[TRACE]; /* requests and states */
    size_t traced;
};

static struct bench b;
static int redirected; /* it is on a QEMU machine's bus */

static uint64_t now_us(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000u;
}

static uint32_t now_ms(void)
{
    return (uint32_t)(now_us() / 1000);
}

static void note(const char *text)
{
    size_t length = strlen(text);
    if (b.traced + length < TRACE) {
        memcpy(b.trace + b.traced, text, length + 1);
        b.traced += length;
    }
}

/* ---- on and off the bus ---- */

static void get_descriptor(uint16_t value, uint16_t length)
{
    struct tandem_usb_setup setup = {0x80, 6, value, 0, length};
    struct tandem_usb_data data;
    (void)tandem_usb_endpoint_setup(&b.endpoint, &setup, &data);
}

static void standard(uint8_t request, uint16_t value)
{
    struct tandem_usb_setup setup = {0, request, value, 0, 0};
    struct tandem_usb_data data;
    (void)tandem_usb_endpoint_setup(&b.endpoint, &setup, &data);
}

/* As a kernel does, resets and all, before programs see the device. */
static void enumerate(void)
{
    if (redirected) {
        b.address = ++b.last_address;
        return;
    }
    for (int i = 0; i < 3; i++) {
        tandem_usb_endpoint_reset(&b.endpoint);
        get_descriptor(0x0100, 64);
    }
    b.address = ++b.last_address;
    standard(5, b.address);
    get_descriptor(0x0100, 18);
    get_descriptor(0x0F00, 5);
    get_descriptor(0x0200, 9);
    get_descriptor(0x0200, 255);
    standard(9, 1);
}

static enum tandem_status attach(void *ctx, enum tandem_usb_mode mode, int in_reset)
{
    (void)ctx;
    note(mode == TANDEM_USB_DFU ? " to-dfu" : " to-runtime");
    if (!in_reset) {
        b.address = 0;
        b.back_at = now_ms() + AWAY_MS;
    }
    return TANDEM_OK;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    b.restart = 1;
    return TANDEM_OK;
}

/* Begin as after a reset or with the power back. */
static void power_on(void)
{
    struct sim_flash *flash = &b.f.flash;
    struct tandem_boot boot;
    sim_power_return(&b.f.power, &flash, 1);
    REQUIRE(fixture_boot(&b.f, &boot) == TANDEM_OK);
    if (boot.reason == TANDEM_BOOT_TRIAL)
        REQUIRE(fixture_confirm(&b.f) == TANDEM_OK); /* what starts is well */
    REQUIRE(fixture_install(&b.f) == TANDEM_OK);
    tandem_bare_init(&b.bare, &b.f.install);
    REQUIRE(tandem_usb_dfu_init(&b.dfu, &b.config, b.start) == TANDEM_OK);
    tandem_usb_endpoint_init(&b.endpoint, &b.dfu, &b.identity);
    b.restart = 0;
    b.address = 0;
    b.back_at = now_ms() + AWAY_MS;
}

/* What the processor does after its power has failed is not done. */
static void power_off(void)
{
    b.f.flash.violations[SIM_VIOLATION_DEAD] = 0;
    note(" power-fails");
    b.unplug_at = 0;
    b.cut_ops = 0;
    power_on();
}

/* ---- orders ---- */

static long number_of(const char *order, const char *name, long otherwise)
{
    char key[32];
    (void)snprintf(key, sizeof key, " %s=", name);
    const char *at = strstr(order, key);
    return at != NULL ? strtol(at + strlen(key), NULL, 0) : otherwise;
}

/* A new device, as from the factory, with version 1 in bank 0. */
static void be(const char *order)
{
    static char serial[8] = "4711";
    struct fixture_options options = {1024, 4, 0, 1, 0};
    static int opened;
    if (opened)
        fixture_close(&b.f);
    opened = 1;
    fixture_open(&b.f, &options);
    b.f.flash.spec.erase_us = (uint32_t)number_of(order, "erase_us", 500);
    b.f.flash.spec.program_ns = (uint32_t)number_of(order, "program_ns", 100);
    b.f.system.reboot = reboot;
    b.f.device.allow_unsigned = (uint8_t)number_of(order, "unsigned", 0);
    b.f.device.battery_minimum = 20;
    fixture_factory(&b.f, 0, &b.old);
    memset(&b.config, 0, sizeof b.config);
    memset(b.alternates, 0, sizeof b.alternates);
    b.alternates[0].name = "Firmware";
    b.alternates[0].area = b.f.slots[0].areas[0];
    b.alternates[0].area.size = 20480; /* DfuSe: a window that a package fits */
    b.alternates[0].address = 0x08000000u;
    b.alternates[1].name = "Settings";
    b.alternates[1].content = TANDEM_USB_DFU_MEMORY;
    b.alternates[1].readable = 1;
    b.alternates[1].area = b.f.slots[2].areas[0];
    b.alternates[1].address = 0x09000000u;
    b.port.attach = attach;
    b.config.install = &b.f.install;
    b.config.bare = &b.bare;
    b.config.port = &b.port;
    b.config.alternates = b.alternates;
    b.config.alternate_count = (uint8_t)number_of(order, "alternates", 2);
    b.config.buffer = b.block;
    b.config.buffer_size = (uint16_t)number_of(order, "block", 1024);
    b.config.version = (uint16_t)number_of(order, "version", 0x110);
    b.config.attributes = (uint8_t)number_of(order, "attributes", b.config.alternate_count > 1 ? 15 : 13);
    b.config.strict = (uint8_t)number_of(order, "strict", 0);
    b.config.leave_ms = (uint16_t)number_of(order, "leave_ms", 0);
    b.config.text = tandem_usb_dfu_text;
    b.identity = (struct tandem_usb_identity){
        0x1209, 0x0001, 0x0002, 0x0100, "Acme", "Bud", serial, "{01234567-89AB-CDEF-0123-456789ABCDEF}",
        NULL,   0x20,   0,      0,      0};
    b.start = number_of(order, "dfu", 1) ? TANDEM_USB_DFU : TANDEM_USB_RUNTIME;
    b.battery_at_end = (int)number_of(order, "battery_at_end", -1);
    b.blocks = 0;
    b.transfers = 0;
    b.first_us = b.last_us = 0;
    b.first_busy = b.last_busy = 0;
    b.unplug_at = number_of(order, "unplug_at", 0);
    b.cut_ops = number_of(order, "cut_ops", 0);
    power_on();
    if (!redirected)
        enumerate();
    b.traced = 0;
    b.resets = 0;
}

/* What the bootloader starts, by its bank's content. The power goes off and on for that. */
static void judge(char *answer, size_t size, const char *folder)
{
    uint32_t application = b.f.slots[0].areas[tandem_bank_running(&b.f.install.bank)].address;
    power_on();
    uint8_t bank = tandem_bank_running(&b.f.install.bank);
    application = b.f.slots[0].areas[bank].address;
    (void)folder;
    (void)snprintf(answer, size, "bank=%u version=%u state=%u violations=%u first=%02x%02x%02x%02x", bank,
                   b.f.install.running.major, (unsigned)tandem_install_state(&b.f.install),
                   sim_flash_violations(&b.f.flash), *sim_flash_at(&b.f.flash, application),
                   *sim_flash_at(&b.f.flash, application + 1), *sim_flash_at(&b.f.flash, application + 2),
                   *sim_flash_at(&b.f.flash, application + 3));
    if (!redirected)
        enumerate();
}

static void order(const char *text, char *answer, size_t size, const char *folder)
{
    answer[0] = '\0';
    if (strncmp(text, "be", 2) == 0) {
        be(text);
    } else if (strncmp(text, "judge", 5) == 0) {
        judge(answer, size, folder);
    } else if (strncmp(text, "state", 5) == 0) {
        (void)snprintf(answer, size,
                       "state=%u status=%u mode=%u present=%u blocks=%ld programmed=%llu resets=%d transfers=%ld "
                       "us=%llu busy=%llu",
                       b.dfu.state, b.dfu.status, b.dfu.mode, b.address != 0, b.blocks,
                       (unsigned long long)b.f.flash.stats.bytes, b.resets, b.transfers,
                       (unsigned long long)(b.last_us - b.first_us), (unsigned long long)(b.last_busy - b.first_busy));
    } else if (strncmp(text, "trace", 5) == 0) {
        (void)snprintf(answer, size, "%s", b.trace);
        b.traced = 0;
    } else if (strncmp(text, "peek", 4) == 0) {
        (void)snprintf(answer, size, "%s", b.trace);
    } else if (strncmp(text, "settings", 8) == 0) {
        for (unsigned i = 0; i < 2048; i++)
            (void)snprintf(answer + 2 * i, 3, "%02x", *sim_flash_at(&b.f.flash, b.alternates[1].area.address + i));
    }
}

/* ---- the bus ---- */

static void trace(const struct tandem_usb_setup *setup, int code)
{
    char text[64];
    b.transfers += (setup->type & 0x60) == 0x20;
    if (setup->type == 0x21 && setup->request == 1 && b.first_us == 0) {
        b.first_us = now_us();
        b.first_busy = b.f.flash.stats.busy_us;
    }
    if (b.dfu.begun && setup->type == 0xA1 && setup->request == 3) {
        b.last_us = now_us();
        b.last_busy = b.f.flash.stats.busy_us;
    }
    static const char *const names[] = {"detach", "dnload", "upload", "getstatus", "clrstatus", "getstate", "abort"};
    if ((setup->type & 0x60) == 0x20 && setup->request < 7)
        (void)snprintf(text, sizeof text, " %s%s%s:%u", names[setup->request],
                       setup->request == 1 && setup->length == 0 ? "-empty" : "", code < 0 ? "-stalled" : "",
                       b.dfu.state);
    else if (setup->type == 0x01 && setup->request == 11)
        (void)snprintf(text, sizeof text, " alternate-%u%s:%u", setup->value, code < 0 ? "-stalled" : "", b.dfu.state);
    else
        return;
    note(text);
}

int device_control(const uint8_t head[8], uint8_t *data, uint16_t *length)
{
    struct tandem_usb_setup setup;
    struct tandem_usb_data stage = {NULL, 0};
    int code = CODE_STALL;
    tandem_usb_setup_load(&setup, head);
    *length = 0;
    if (setup.type == 0x21 && setup.request == 1 && setup.length == 0 && b.battery_at_end >= 0)
        b.f.battery = (uint8_t)b.battery_at_end;
    switch (tandem_usb_endpoint_setup(&b.endpoint, &setup, &stage)) {
    case TANDEM_USB_SEND:
        memcpy(data, stage.bytes, stage.size);
        *length = stage.size;
        code = 0;
        break;
    case TANDEM_USB_RECEIVE:
        memcpy(stage.bytes, data, setup.length);
        code = tandem_usb_dfu_received(&b.dfu, setup.length) == TANDEM_USB_DONE ? 0 : CODE_STALL;
        b.blocks++;
        break;
    case TANDEM_USB_DONE:
        code = 0;
        break;
    default:
        break;
    }
    trace(&setup, code);
    if (b.unplug_at != 0 && b.blocks >= b.unplug_at) {
        if (b.cut_ops == 0) {
            power_off();
            return CODE_GONE;
        }
        if (b.f.power.cut_at == 0)
            b.f.power.cut_at = b.f.power.ops + (uint64_t)b.cut_ops;
    }
    return code;
}

int device_reset(void)
{
    enum tandem_usb_mode mode = tandem_usb_dfu_mode(&b.dfu);
    uint8_t address = b.address;
    b.resets++;
    note(" reset");
    tandem_usb_endpoint_reset(&b.endpoint);
    if (b.restart || b.address == 0) { /* it fell off in the middle */
        b.address = 0;
        return CODE_OTHER_NOW;
    }
    if (redirected) {
        redir_changed();
        return 0;
    }
    enumerate();
    if (mode != tandem_usb_dfu_mode(&b.dfu))
        return CODE_OTHER_NOW;
    b.address = address; /* the same device, at the same address */
    b.last_address--;
    return 0;
}

static int all(int fd, int writing, void *data, size_t size)
{
    uint8_t *at = data;
    while (size > 0) {
        ssize_t part = writing ? write(fd, at, size) : read(fd, at, size);
        if (part <= 0)
            return -1;
        at += part;
        size -= (size_t)part;
    }
    return 0;
}

/* One request of a client. @return -1: it is gone */
static int serve(int client, const char *folder)
{
    static uint8_t data[70000];
    uint8_t head[BUS_REQUEST], answer[BUS_ANSWER];
    uint16_t length = 0;
    int code = CODE_GONE;
    if (all(client, 0, head, sizeof head) != 0)
        return -1;
    uint16_t size = tandem_load_le16(head + 8);
    int alive = b.address != 0 && head[1] == b.address;
    switch (head[0]) {
    case BUS_LIST:
        code = 0;
        length = b.address != 0 ? 1 : 0;
        data[0] = b.address;
        break;
    case BUS_CONTROL:
        if (!(head[2] & 0x80) && all(client, 0, data, size) != 0)
            return -1;
        if (alive)
            code = device_control(head + 2, data, &length);
        break;
    case BUS_RESET:
        code = alive ? device_reset() : CODE_GONE;
        break;
    case BUS_ORDER: {
        static char text[256];
        size = tandem_load_le16(head + 2);
        if (size >= sizeof text || all(client, 0, text, size) != 0)
            return -1;
        text[size] = '\0';
        order(text, (char *)data, 65535, folder);
        length = (uint16_t)strlen((const char *)data);
        code = 0;
        break;
    }
    default:
        return -1;
    }
    answer[0] = (uint8_t)code;
    tandem_store_le16(answer + 1, length);
    return all(client, 1, answer, sizeof answer) != 0 || all(client, 1, data, length) != 0 ? -1 : 0;
}

/* ---- life ---- */

static enum tandem_status work(void)
{
    enum tandem_status status = TANDEM_OK;
    b.f.now_us = now_us();
    b.f.flash.stall_us = 0; /* time is real here */
    for (int i = 0; i < 16 && b.f.power.on; i++)
        status = tandem_usb_dfu_poll(&b.dfu, now_ms());
    if (!b.f.power.on)
        power_off();
    else if (b.restart) {
        note(" restarts");
        power_on();
    }
    if (b.address == 0 && now_ms() - b.back_at <= UINT32_MAX / 2)
        enumerate();
    if (redirected)
        redir_follow(b.address != 0);
    return status;
}

static void write_file(const char *folder, const char *name, const struct package *package)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL && fwrite(package->bytes, 1, package->size, file) == package->size && fclose(file) == 0);
}

static void write_packages(const char *folder)
{
    struct recipe recipe;
    struct package package = fixture_package(2);
    b.old = fixture_package(1);
    write_file(folder, "old.tdm", &b.old);
    write_file(folder, "new.tdm", &package);
    package_free(&package);
    package = fixture_package(3);
    write_file(folder, "newer.tdm", &package);
    package_free(&package);
    recipe_begin(&recipe, 2);
    recipe.pack.product = "Case";
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 5000);
    package = recipe_make(&recipe);
    write_file(folder, "other.tdm", &package);
    package_free(&package);
    recipe_begin(&recipe, 2);
    recipe.signers[0] = fixture_signer(2);
    recipe_image(&recipe, TANDEM_KIND_APPLICATION, 6, 5000);
    package = recipe_make(&recipe);
    write_file(folder, "stranger.tdm", &package);
    package_free(&package);
}

int main(int argc, char **argv)
{
    struct sockaddr_un place;
    struct pollfd fds[CLIENTS + 2];
    nfds_t count = 1;
    if ((argc != 3 && argc != 5) || strlen(argv[1]) >= sizeof place.sun_path)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    memset(&place, 0, sizeof place);
    place.sun_family = AF_UNIX;
    memcpy(place.sun_path, argv[1], strlen(argv[1]));
    write_packages(argv[2]);
    redirected = argc == 5;
    if (redirected && redir_listen(argv[4], strcmp(argv[3], "high") == 0) < 0)
        return 1;
    be("");
    fds[0].fd = socket(AF_UNIX, SOCK_STREAM, 0);
    fds[0].events = POLLIN;
    (void)unlink(argv[1]);
    if (bind(fds[0].fd, (struct sockaddr *)&place, sizeof place) != 0 || listen(fds[0].fd, CLIENTS) != 0)
        return 1;
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        int busy = work() == TANDEM_AGAIN;
        fds[count].fd = redir_fd(); /* -1: not waited for */
        fds[count].events = POLLIN;
        if (poll(fds, count + 1, busy ? 0 : 1) < 0)
            return 1;
        if (redirected && fds[count].revents != 0) {
            (void)work();
            redir_serve();
        }
        if ((fds[0].revents & POLLIN) && count <= CLIENTS) {
            fds[count].fd = accept(fds[0].fd, NULL, NULL);
            fds[count].events = POLLIN;
            fds[count++].revents = 0;
        }
        for (nfds_t i = 1; i < count; i++) {
            if (fds[i].revents == 0)
                continue;
            (void)work(); /* its clock is right when a packet comes */
            if (serve(fds[i].fd, argv[2]) == 0)
                continue;
            close(fds[i].fd);
            fds[i--] = fds[--count];
        }
        if (getppid() == 1)
            return 0; /* whoever started it is gone */
    }
}
