/*
 * The code of the guides, run: the bootloader and the application of
 * docs/firmware.md on simulated flash, updated by the app of docs/bridge.md.
 */
#include <setjmp.h>
#include <string.h>

#include "check.h"
#include "sim/flash.h"

/* Made from the pages by samples.cmake. */
#include "bridge.c"
#include "firmware.c"

#define IMAGE_SIZE 5000

static struct sim_power power;
static struct sim_flash chip;
static uint32_t now;
static int healthy;     /* what the self-test finds */
static int wants_reset; /* the board is to restart */
static jmp_buf out;     /* where the processor goes when it leaves a main loop, and why */
#define RESET 1
#define LEFT_LOOP 2
static enum { BOOTING, SERVING, RECOVERING } mode;
static uint32_t started; /* address of the firmware that was started */
static unsigned starts;
static struct bridge *peer; /* the app's end of the radio */
static struct job *job;     /* the app's update, while the bootloader recovers */
static int job_status;
static struct tandem_stream wire; /* the app's end of the serial line */
uint8_t report_memory[TANDEM_BOOT_REPORT_SIZE], request_memory[TANDEM_BOOT_REQUEST_SIZE];
static int pin;               /* the recovery button is held */
static uint8_t line[2][4096]; /* to the device, to the app */
static size_t line_fill[2];

/* ---- the board, as docs/firmware.md and docs/bridge.md declare it ---- */

static enum tandem_status chip_read(void *ctx, uint32_t address, void *data, size_t size)
{
    (void)ctx;
    return chip.port.read(chip.port.ctx, address, data, size);
}

static enum tandem_status chip_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    (void)ctx;
    return chip.port.program(chip.port.ctx, address, data, size);
}

static enum tandem_status chip_erase(void *ctx, uint32_t address)
{
    (void)ctx;
    return chip.port.erase(chip.port.ctx, address);
}

static const struct tandem_flash_region chip_regions[] = {{0x08000000, 2048, 256}};
const struct tandem_flash_port flash = {.read = chip_read,
                                        .program = chip_program,
                                        .erase = chip_erase,
                                        .regions = chip_regions,
                                        .region_count = 1,
                                        .program_unit = 8,
                                        .erased = 0xFF};

static const uint8_t seed[TANDEM_ED25519_KEY_SIZE] = {1, 2, 3};
const uint8_t release_key[TANDEM_ED25519_KEY_SIZE] = {
    0x22, 0x1F, 0xE5, 0xF6, 0x85, 0x9A, 0x1A, 0x4F, 0xEC, 0x79, 0x05, 0x7C, 0x9D, 0x32, 0xC8, 0xD3,
    0xFC, 0x35, 0x6E, 0x14, 0x4B, 0x1D, 0xA3, 0xB0, 0xF9, 0x01, 0x6E, 0xF6, 0xF2, 0x98, 0x88, 0xDA,
};
const uint8_t spare_key[TANDEM_ED25519_KEY_SIZE] = {0};

static enum tandem_status board_reboot(void *ctx)
{
    (void)ctx;
    wants_reset = 1;
    return TANDEM_OK;
}

const struct tandem_system_port surroundings = {.reboot = board_reboot};

static enum tandem_status radio_send(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    (void)ctx;
    CHECK_EQUAL(channel, TANDEM_CHANNEL_CONTROL);
    bridge_received(peer, data, size);
    return TANDEM_OK;
}

static uint16_t radio_mtu(void *ctx)
{
    (void)ctx;
    return 244;
}

const struct tandem_packet_port gatt = {.send = radio_send, .mtu = radio_mtu};

static enum tandem_status put(unsigned way, const void *data, size_t size, size_t *sent)
{
    size_t room = sizeof line[way] - line_fill[way];

    *sent = size < room ? size : room;
    memcpy(line[way] + line_fill[way], data, *sent);
    line_fill[way] += *sent;
    return TANDEM_OK;
}

static size_t take(unsigned way, void *data, size_t size)
{
    size_t part = size < line_fill[way] ? size : line_fill[way];

    memcpy(data, line[way], part);
    memmove(line[way], line[way] + part, line_fill[way] - part);
    line_fill[way] -= part;
    return part;
}

static enum tandem_status device_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    (void)ctx;
    return put(1, data, size, sent);
}

static enum tandem_status app_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    (void)ctx;
    return put(0, data, size, sent);
}

const struct tandem_stream_port uart = {.write = device_write};
static const struct tandem_stream_port app_line = {.write = app_write};

size_t uart_read(void *data, size_t size)
{
    return take(0, data, size);
}

/* Held until the device has seen it. */
int recovery_pin(void)
{
    int held = pin;

    pin = 0;
    return held;
}

void watchdog_start(void)
{
}

int self_test(void)
{
    return healthy;
}

void board_reset(void)
{
    longjmp(out, RESET);
}

int nobody_is_connected(void)
{
    return 1;
}

void start(uint32_t address)
{
    started = address;
    starts++;
    mode = SERVING;
    application();
}

/* While the bootloader recovers, the app runs beside it here. The application's loop is left: the test turns it. */
uint32_t clock_ms(void)
{
    uint8_t bytes[256];
    size_t size;

    now++;
    if (mode == SERVING)
        longjmp(out, LEFT_LOOP);
    if (mode == RECOVERING) {
        while ((size = take(1, bytes, sizeof bytes)) != 0)
            tandem_stream_receive(&wire, bytes, size);
        job_status = job_poll(job, now);
        (void)tandem_stream_poll(&wire);
        if (wants_reset || job_status != TANDEM_AGAIN)
            longjmp(out, RESET);
    }
    return now;
}

/* Reset: the bootloader runs, and so on, until a main loop was reached or left. A firmware that resets starts anew. */
static void reset_board(void)
{
    static unsigned resets; /* static: setjmp() keeps no promise for others */

    mode = job != NULL ? RECOVERING : BOOTING;
    resets = 0;
    if (setjmp(out) != LEFT_LOOP && resets++ < 8) {
        wants_reset = 0;
        bootloader();
    }
    mode = BOOTING;
}

/* ---- the app's surroundings ---- */

struct transport {
    int serial; /* 1: over the wire, 0: radio */
};

int transport_connect(struct transport *transport)
{
    if (transport->serial)
        tandem_stream_reset(&wire);
    return 0;
}

void transport_disconnect(struct transport *transport)
{
    if (!transport->serial)
        tandem_link_device_disconnected(&radio);
}

static int transport_send(struct transport *transport, enum tandem_channel channel, const void *data, size_t size)
{
    const struct tandem_packet_port *packets = tandem_stream_packets(&wire);

    if (transport->serial)
        return packets->send(packets->ctx, channel, data, size) == TANDEM_OK ? 0 : 1;
    tandem_link_device_receive(&radio, channel, data, size);
    return 0;
}

int transport_write(struct transport *transport, const void *data, size_t size)
{
    return transport_send(transport, TANDEM_CHANNEL_CONTROL, data, size);
}

int transport_write_without_response(struct transport *transport, const void *data, size_t size)
{
    return transport_send(transport, TANDEM_CHANNEL_DATA, data, size);
}

uint16_t transport_att_mtu(struct transport *transport)
{
    return transport->serial ? 203 : 247;
}

static void wire_received(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    (void)ctx;
    CHECK_EQUAL(channel, TANDEM_CHANNEL_CONTROL);
    bridge_received(&job->bridge, data, size);
}

static uint8_t last_percent;

void show_bar(uint8_t percent, const char *what)
{
    CHECK(percent >= last_percent && what[0] != '\0');
    last_percent = percent;
}

/* The device's turn. */
void wait_for_event(unsigned ms)
{
    for (unsigned i = 0; i < ms; i++, now++)
        while (tandem_link_device_poll(&radio, now) == TANDEM_AGAIN)
            ;
    if (wants_reset)
        reset_board();
}

int user_wants_to_stop(void)
{
    return 0;
}

/* ---- releases ---- */

static enum tandem_status sign(void *ctx, const uint8_t *message, size_t size, uint8_t signature[TANDEM_SIGNATURE_SIZE])
{
    (void)ctx;
    tandem_ed25519_sign(signature, seed, message, size);
    return TANDEM_OK;
}

static uint8_t images[4][IMAGE_SIZE];
static uint8_t packed[4][8192];
static uint32_t packed_size[4];

static void make_release(unsigned number)
{
    struct tandem_signer signer = {NULL, {TANDEM_KEY_ED25519, release_key}, sign};
    struct tandem_pack_image image = {.kind = TANDEM_KIND_APPLICATION,
                                      .variant = TANDEM_VARIANT_ANY,
                                      .version = {(uint16_t)number, 0, 0, 0},
                                      .data = images[number],
                                      .size = IMAGE_SIZE};
    struct tandem_pack pack = {.vendor = "acme",
                               .product = "bud",
                               .version = {(uint16_t)number, 0, 0, 0},
                               .counter = number,
                               .block_size = 1024,
                               .images = &image,
                               .image_count = 1,
                               .signers = &signer,
                               .signer_count = 1};

    for (unsigned i = 0; i < IMAGE_SIZE; i++)
        images[number][i] = (uint8_t)(i * number + (i >> 8));
    REQUIRE(tandem_pack_size(&pack, &packed_size[number]) == TANDEM_OK && packed_size[number] <= sizeof packed[0]);
    REQUIRE(tandem_pack_write(&pack, NULL, packed[number], packed_size[number]) == TANDEM_OK);
}

static int runs(unsigned number)
{
    return memcmp(sim_flash_at(&chip, started), images[number], IMAGE_SIZE) == 0;
}

/* ---- what is tried ---- */

/* A new device: nothing can be started, so the bootloader's recovery takes the first firmware. */
static void first_firmware_by_recovery(void)
{
    static uint8_t in[512 + TANDEM_STREAM_OVERHEAD], out_frame[512 + TANDEM_STREAM_OVERHEAD];
    struct transport serial_line = {1};
    const char *reason = "";

    CHECK_EQUAL(tandem_device_check(&device, &reason), TANDEM_OK);
    CHECK_BYTES(reason, "", 1);
    REQUIRE(tandem_stream_init(&wire, &app_line, in, sizeof in, out_frame, sizeof out_frame, wire_received, NULL) ==
            TANDEM_OK);
    job = job_new(&serial_line, packed[1], packed_size[1]);
    REQUIRE(job != NULL);
    healthy = 1;
    reset_board();
    CHECK_EQUAL(job_status, TANDEM_AGAIN); /* it waits for the device to come back */
    job_free(job);
    job = NULL;
    CHECK_EQUAL(started, 0x08048000); /* the other bank than the one that counts as confirmed */
    CHECK(runs(1));
    CHECK_EQUAL(service.boot->reason, TANDEM_BOOT_TRIAL);
    CHECK_EQUAL(service.boot->starts, 2);
    CHECK_EQUAL(tandem_install_state(&install), TANDEM_STATE_CONFIRMED);
}

static enum tandem_status update_to(unsigned number, struct tandem_update_result *result)
{
    static struct bridge bridge;
    static struct package package;
    static struct transport air = {0};

    bridge_init(&bridge, &air);
    peer = &bridge;
    last_percent = 0;
    REQUIRE(package_open(&package, packed[number], packed_size[number]) == TANDEM_OK);
    return update_one(&bridge, &package, result);
}

static void update_over_the_radio(void)
{
    struct tandem_update_result result;

    CHECK_EQUAL(update_to(2, &result), TANDEM_OK);
    CHECK_EQUAL(result.runs, TANDEM_RUNS_NEW);
    CHECK_EQUAL(started, 0x08010000);
    CHECK(runs(2));
    CHECK_EQUAL(tandem_install_state(&install), TANDEM_STATE_CONFIRMED);
}

static void bad_firmware_reverts(void)
{
    struct tandem_update_result result;
    unsigned before = starts;

    healthy = 0; /* the old firmware is not on trial, and so does not ask */
    CHECK_EQUAL(update_to(3, &result), TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(result.runs, TANDEM_RUNS_OLD);
    CHECK_EQUAL(result.reported, 1);
    CHECK_EQUAL(starts, before + 4); /* three on trial, one back */
    CHECK_EQUAL(started, 0x08010000);
    CHECK(runs(2));
    healthy = 1;
}

static void erase_in_idle_time(void)
{
    struct tandem_update_result result;

    for (unsigned i = 0; i < 200; i++)
        idle();
    CHECK_EQUAL(install.bank.state.phase, TANDEM_PHASE_ERASED);
    CHECK_EQUAL(update_to(3, &result), TANDEM_OK);
    CHECK(runs(3));
}

/* The pin, and the application's wish: recovery, and after a minute without a host the firmware again. */
static void recovery_on_demand(void)
{
    unsigned before = starts;
    uint32_t begin = now, resets = service.boot->starts;

    pin = 1;
    reset_board();
    CHECK_EQUAL(starts, before + 1);
    CHECK(now - begin >= TANDEM_RECOVERY_SILENCE_MS);
    CHECK_EQUAL(service.boot->starts, resets + 2); /* into recovery, and out of it */
    CHECK_EQUAL(service.boot->recovery, TANDEM_RECOVERY_NOT);
    CHECK(runs(3));
    begin = now;
    tandem_boot_request_store(request_memory);
    reset_board();
    CHECK_EQUAL(starts, before + 2);
    CHECK(now - begin >= TANDEM_RECOVERY_SILENCE_MS);
    CHECK(runs(3));
    begin = now;
    reset_board();
    CHECK(now - begin < 10);
}

int main(void)
{
    struct sim_flash_spec spec = {
        .regions = {{0x08000000, 2048, 256}}, .region_count = 1, .program_unit = 8, .erased = 0xFF};
    static uint64_t chip_us;
    uint8_t key[TANDEM_ED25519_KEY_SIZE];

    tandem_ed25519_public_key(key, seed);
    CHECK_BYTES(key, release_key, sizeof key);
    sim_power_init(&power, 1);
    sim_flash_init(&chip, &spec, &power, &chip_us);
    for (unsigned number = 1; number <= 3; number++)
        make_release(number);
    RUN(first_firmware_by_recovery);
    RUN(update_over_the_radio);
    RUN(bad_firmware_reverts);
    RUN(erase_in_idle_time);
    RUN(recovery_on_demand);
    CHECK_EQUAL(sim_flash_violations(&chip), 0);
    sim_flash_free(&chip);
    return check_report();
}
