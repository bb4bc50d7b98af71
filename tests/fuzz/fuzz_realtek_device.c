/*
 * Fuzzing: Realtek's DFU, device half, over GATT and over a stream, with the
 * bare door and the real installer behind it. The input is a list of things
 * that happen: requests, data, bytes of a stream, reads, time, a connection
 * lost, what the other bud says; some of them are right, so that others come
 * late. Whatever they were, a good update succeeds after them.
 */
#include <string.h>

#include "fuzz.h"
#include "tandem/boot.h"
#include "tandem/realtek_device.h"
#include "transport/realtek/realtek_wire.h"

#define SECTOR 1024u
#define SLOT (4u * SECTOR)
#define FLASH (16u * SECTOR)
#define IMAGE 1800u /* bytes of the good image */
#define APP 0x2793u

static uint8_t flash[FLASH];
static const struct tandem_flash_region region = {0, SECTOR, 16};

static enum tandem_status flash_read(void *ctx, uint32_t address, void *data, size_t size)
{
    (void)ctx;
    MUST(address <= FLASH && size <= FLASH - address);
    memcpy(data, flash + address, size);
    return TANDEM_OK;
}

static enum tandem_status flash_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    (void)ctx;
    MUST(address % 4 == 0 && size % 4 == 0 && address <= FLASH && size <= FLASH - address);
    for (size_t i = 0; i < size; i++)
        MUST(flash[address + i] == 0xFF); /* programmed once between erases */
    memcpy(flash + address, data, size);
    return TANDEM_OK;
}

static enum tandem_status flash_erase(void *ctx, uint32_t address)
{
    (void)ctx;
    MUST(address < FLASH && address % SECTOR == 0);
    memset(flash + address, 0xFF, SECTOR);
    return TANDEM_OK;
}

static int restarted; /* the device has asked for it */

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    restarted = 1;
    return TANDEM_OK;
}

static const struct tandem_flash_port port = {
    NULL, flash_read, flash_program, flash_erase, NULL, &region, 1, 4, 0xFF,
};
static const struct tandem_slot slot = {
    TANDEM_KIND_APPLICATION,
    TANDEM_MODE_DIRECT,
    0,
    {{&port, 0, SLOT}, {&port, SLOT, SLOT}},
};
static const struct tandem_system_port surroundings = {NULL, reboot, reboot, NULL, NULL, NULL, NULL, NULL};
static const struct tandem_realtek_map map[2] = {{0x2790, 0, 2, 0}, {APP, TANDEM_KIND_APPLICATION, 5, 1}};
static const uint8_t address[6] = {1, 2, 3, 4, 5, 6}, key[16] = {7};

static struct tandem_device description;
static struct tandem_install install;
static struct tandem_bare bare;
static struct tandem_realtek_config config;
static struct tandem_realtek_device device;
static struct tandem_realtek_stream stream;
static uint8_t buffer[1500], in[TANDEM_REALTEK_STREAM_IN], out[TANDEM_REALTEK_STREAM_OUT_MIN];
static uint8_t image[IMAGE]; /* what a good host sends */
static uint16_t att_mtu;
static uint8_t bud;
static unsigned turn; /* of the ports, which are sometimes full */
static uint8_t last[20];
static size_t last_size;
static uint32_t now;

/* ---- ports ---- */

static enum tandem_status notify(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    (void)ctx;
    MUST(characteristic == TANDEM_REALTEK_CONTROL && size != 0 && size <= att_mtu - 3u);
    if (++turn % 7 == 0)
        return TANDEM_AGAIN;
    last_size = size < sizeof last ? size : sizeof last;
    memcpy(last, data, last_size);
    return TANDEM_OK;
}

static uint16_t mtu(void *ctx)
{
    (void)ctx;
    return att_mtu;
}

static const struct tandem_gatt_port gatt = {NULL, notify, NULL, mtu, NULL, NULL};

static enum tandem_status write_bytes(void *ctx, const void *data, size_t size, size_t *sent)
{
    (void)ctx;
    (void)data;
    *sent = ++turn % 5 == 0 ? 0 : size < 50 ? size : 50;
    return TANDEM_OK;
}

static const struct tandem_stream_port bytes_port = {NULL, write_bytes};

static uint8_t pair_bud(void *ctx)
{
    (void)ctx;
    return bud;
}

static void pair_other(void *ctx, uint8_t other[6])
{
    (void)ctx;
    memset(other, 9, 6);
}

static enum tandem_status pair_tell(void *ctx, uint8_t event)
{
    (void)ctx;
    MUST(event >= TANDEM_REALTEK_PAIR_DONE && event < TANDEM_REALTEK_PAIR_LOST);
    return TANDEM_OK;
}

static enum tandem_status pair_swap(void *ctx)
{
    (void)ctx;
    return TANDEM_OK;
}

static void pair_advertise(void *ctx, int on)
{
    (void)ctx;
    (void)on;
}

static const struct tandem_realtek_pair_port pair = {NULL, pair_bud, pair_other, pair_tell, pair_swap, pair_advertise};

/* ---- life ---- */

static int has_stream(void)
{
    return config.dialect >= TANDEM_REALTEK_AUDIO;
}

static void start(void)
{
    struct tandem_boot boot;

    restarted = 0;
    (void)tandem_boot_decide(&boot, &description, buffer, sizeof buffer);
    MUST(tandem_install_init(&install, &description, buffer, sizeof buffer) == TANDEM_OK);
    if (tandem_install_state(&install) == TANDEM_STATE_TRIAL)
        MUST(tandem_install_confirm(&install) == TANDEM_OK);
    tandem_bare_init(&bare, &install);
    MUST(tandem_realtek_device_init(&device, &config, &bare, &gatt) == TANDEM_OK);
    if (has_stream())
        MUST(tandem_realtek_stream_init(&stream, &device, &bytes_port, in, out, sizeof out, 0) == TANDEM_OK);
    tandem_realtek_device_connected(&device);
}

static void poll(unsigned times)
{
    while (times-- > 0) {
        now++;
        (void)(has_stream() ? tandem_realtek_stream_poll(&stream, now) : tandem_realtek_device_poll(&device, now));
        if (restarted)
            start();
    }
}

static void make_image(void)
{
    struct realtek_layout layout = tandem_realtek_layout_of(config.ic);
    struct tandem_realtek_control control = {config.ic, 0, 0x0101, APP, 0, IMAGE - layout.header};
    struct tandem_sha256 hash;

    for (unsigned i = 0; i < IMAGE; i++)
        image[i] = (uint8_t)(i * 7 + i / 256);
    tandem_realtek_control_put(&control, layout.new_order, image + layout.control);
    (void)tandem_sha256_init(&hash, NULL);
    if (layout.new_order) {
        (void)tandem_sha256_update(&hash, image + layout.control, IMAGE - layout.control);
    } else {
        (void)tandem_sha256_update(&hash, image + 12, 360);
        (void)tandem_sha256_update(&hash, image + 404, 348);
        (void)tandem_sha256_update(&hash, image + 1008, IMAGE - 1008);
    }
    (void)tandem_sha256_final(&hash, image + (layout.new_order ? layout.control - 32 : 372));
}

/* ---- what a good host would do ---- */

static enum tandem_att control(const void *data, size_t size)
{
    return tandem_realtek_device_write(&device, TANDEM_REALTEK_CONTROL, data, size);
}

/* Requests that are right at some moment. */
static void good_request(uint8_t which)
{
    struct realtek_layout layout = tandem_realtek_layout_of(config.ic);
    uint8_t start_request[17] = {1}, report[5] = {0x0A};
    uint16_t size = (uint16_t)(device.at - device.chunk);

    switch (which % 7) {
    case 0:
        memcpy(start_request + 1, image + layout.control, 12);
        if (device.aes_on)
            (void)tandem_aes_encrypt(&device.aes, start_request + 1, start_request + 1, 1);
        (void)control(start_request, sizeof start_request);
        break;
    case 1:
        (void)control("\x09", 1);
        break;
    case 2:
        report[1] = (uint8_t)size;
        report[2] = (uint8_t)(size >> 8);
        report[3] = (uint8_t)device.check;
        report[4] = (uint8_t)(device.check >> 8);
        (void)control(report, sizeof report);
        break;
    case 3:
        (void)control("\x03\x93\x27", 3);
        break;
    case 4:
        (void)control("\x04", 1);
        break;
    case 5:
        (void)control("\x05", 1);
        break;
    default:
        (void)control("\x06\x93\x27", 3);
        break;
    }
}

/* The next bytes of the good image. */
static void good_data(uint32_t size)
{
    uint8_t packet[512] = {0};
    uint32_t at = device.at;

    for (uint32_t i = 0; i < size && at + i < IMAGE; i++)
        packet[i] = image[at + i];
    if (device.aes_on && size >= 16)
        (void)tandem_aes_encrypt(&device.aes, packet, packet, config.aes_all ? size / 16 : 1);
    (void)tandem_realtek_device_write(&device, TANDEM_REALTEK_DATA, packet, size);
}

/* @return the status of the answer to a good request */
static uint8_t ask(uint8_t which)
{
    last_size = 0;
    for (unsigned i = 0; i < 4000 && last_size == 0; i++) {
        if (i == 0)
            good_request(which);
        poll(1);
    }
    MUST(last_size >= 3);
    return last[2];
}

static void good_update(void)
{
    tandem_realtek_device_disconnected(&device);
    tandem_realtek_device_pair(&device, TANDEM_REALTEK_PAIR_LOST);
    for (unsigned i = 0; i < 80; i++) { /* more than any timer that keeps something */
        now += 5000;
        poll(3);
    }
    bud = TANDEM_REALTEK_BUD_ALONE;
    tandem_realtek_device_connected(&device);
    MUST(ask(0) == REALTEK_SUCCESS);
    while (device.at < IMAGE) {
        good_data(IMAGE - device.at < 96 ? IMAGE - device.at : 96);
        poll(2);
    }
    MUST(ask(3) == REALTEK_SUCCESS);
    good_request(4);
    for (unsigned i = 0; i < 4000; i++) {
        now += 10;
        poll(1);
    }
    MUST(memcmp(flash, image, IMAGE) == 0 || memcmp(flash + SLOT, image, IMAGE) == 0);
}

/* ---- the script ---- */

static void set_up(struct fuzz_script *script)
{
    uint8_t how = fuzz_byte(script);

    memset(&description, 0, sizeof description);
    memset(&config, 0, sizeof config);
    memset(&stream, 0, sizeof stream);
    description.vendor = "v";
    description.product = "p";
    description.slots = &slot;
    description.slot_count = 1;
    description.manifests[0].flash = description.manifests[1].flash = description.journal.flash = &port;
    description.manifests[0].address = 8 * SECTOR;
    description.manifests[1].address = 10 * SECTOR;
    description.journal.address = 12 * SECTOR;
    description.manifests[0].size = description.manifests[1].size = 2 * SECTOR;
    description.journal.size = 4 * SECTOR;
    description.allow_unsigned = 1;
    description.system = &surroundings;
    config.dialect = (uint8_t)(TANDEM_REALTEK_BEE2 + how % 3);
    config.ic = config.dialect == TANDEM_REALTEK_BEE2 ? 5 : config.dialect == TANDEM_REALTEK_8752H ? 16 : 11;
    config.address = address;
    config.images = map;
    config.image_count = 2;
    config.single_bank = how >> 3 & 1;
    if (how & 0x10) {
        config.aes_key = key;
        config.aes_key_size = 16;
        config.aes_all = how >> 5 & 1;
    }
    if (how & 0x40)
        config.pair = &pair;
    bud = how & 0x80 ? TANDEM_REALTEK_BUD_LINKED : TANDEM_REALTEK_BUD_ALONE;
    att_mtu = (uint16_t)(23 + fuzz_byte(script));
    turn = 0;
    now = 0xFFFF0000u;
    memset(flash, 0xFF, sizeof flash);
    make_image();
    start();
}

static void happen(struct fuzz_script *script)
{
    uint8_t what = fuzz_byte(script), number = fuzz_byte(script);
    size_t size = number < script->size ? number : script->size, stored;
    uint8_t value[64];

    switch (what % 10) {
    case 0:
        (void)control(script->data, size);
        break;
    case 1:
        (void)tandem_realtek_device_write(&device, TANDEM_REALTEK_DATA, script->data, size);
        break;
    case 2:
        if (has_stream())
            tandem_realtek_stream_receive(&stream, script->data, size);
        break;
    case 3:
        if (number & 1)
            tandem_realtek_device_disconnected(&device);
        else
            tandem_realtek_device_connected(&device);
        size = 0;
        break;
    case 4:
        now += number * 500u;
        size = 0;
        break;
    case 5:
        (void)tandem_realtek_device_read(&device, (uint16_t)(0xFFD0 + number % 48), number % 5, value, number % 65u,
                                         &stored);
        MUST(stored <= number % 65u);
        size = 0;
        break;
    case 6:
        tandem_realtek_device_pair(&device, number % 7);
        size = 0;
        break;
    case 7:
        good_data(number * 2u);
        size = 0;
        break;
    default:
        good_request(number);
        size = 0;
        break;
    }
    script->data += size;
    script->size -= size;
    poll(1 + number % 8u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = {data, size};

    set_up(&script);
    while (script.size > 0)
        happen(&script);
    good_update();
    return 0;
}
