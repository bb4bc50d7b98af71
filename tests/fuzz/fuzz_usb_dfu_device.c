/*
 * Fuzzing: USB DFU's device half, endpoint zero and the real installer behind
 * it. The input is what a host does: set-up packets, data, resets, waits.
 * Whatever it was, nothing is sent that was not asked for, no memory is shown
 * that is not readable, and the interface can be chosen anew for a download.
 */
#include <string.h>

#include "fuzz.h"
#include "tandem/usb_endpoint.h"

#define SECTOR 1024u
#define FLASH (16u * SECTOR)
#define BLOCK 256u

static uint8_t flash[FLASH];
static const struct tandem_flash_region region = {0, SECTOR, 16};
static int busy; /* operations take a while */

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
    MUST(address <= FLASH && size <= FLASH - address);
    if (busy++ % 3 != 2)
        return TANDEM_AGAIN;
    memcpy(flash + address, data, size);
    return TANDEM_OK;
}

static enum tandem_status flash_erase(void *ctx, uint32_t address)
{
    (void)ctx;
    MUST(address < FLASH && address % SECTOR == 0);
    if (busy++ % 5 != 4)
        return TANDEM_AGAIN;
    memset(flash + address, 0xFF, SECTOR);
    return TANDEM_OK;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    return TANDEM_OK;
}

static enum tandem_status attach(void *ctx, enum tandem_usb_mode mode, int in_reset)
{
    (void)ctx;
    (void)mode;
    (void)in_reset;
    return TANDEM_OK;
}

static const struct tandem_flash_port port = {
    NULL, flash_read, flash_program, flash_erase, NULL, &region, 1, 4, 0xFF,
};
static const struct tandem_slot slot = {
    TANDEM_KIND_APPLICATION,
    TANDEM_MODE_DIRECT,
    0,
    {{&port, 0, 4 * SECTOR}, {&port, 4 * SECTOR, 4 * SECTOR}},
};
static const struct tandem_system_port surroundings = {NULL, reboot, reboot, NULL, NULL, NULL, NULL, NULL};
static const struct tandem_usb_device_port bus = {NULL, attach};
static const struct tandem_usb_dfu_alternate alternates[] = {
    {"Firmware", TANDEM_USB_DFU_FIRMWARE, 0, 0, 0, {&port, 0, 4 * SECTOR}, 0x08000000u},
    {"Log", TANDEM_USB_DFU_MEMORY, 1, 0, 0, {&port, 12 * SECTOR, SECTOR}, 0x09000000u},
};
static const struct tandem_usb_identity identity = {
    0x1209, 1, 2, 0x0100, "Acme", "Bud", "1", "{01234567-89AB-CDEF-0123-456789ABCDEF}", "example.com", 0x20, 0, 0, 0,
};

static struct tandem_device device;
static struct tandem_install install;
static struct tandem_bare bare;
static struct tandem_usb_dfu dfu;
static struct tandem_usb_dfu_config config;
static struct tandem_usb_endpoint endpoint;
static uint8_t buffer[1024], block[BLOCK];

static void setup(uint8_t how)
{
    static const uint16_t versions[] = {0, TANDEM_USB_DFU_1_0, TANDEM_USB_DFUSE, TANDEM_USB_DFU_1_1};
    memset(&device, 0, sizeof device);
    device.vendor = "v";
    device.product = "p";
    device.slots = &slot;
    device.slot_count = 1;
    device.manifests[0].flash = device.manifests[1].flash = device.journal.flash = &port;
    device.manifests[0].address = 8 * SECTOR;
    device.manifests[1].address = 10 * SECTOR;
    device.journal.address = 12 * SECTOR;
    device.manifests[0].size = device.manifests[1].size = 2 * SECTOR;
    device.journal.size = 4 * SECTOR;
    device.allow_unsigned = 1;
    device.system = &surroundings;
    memset(flash, 0xFF, sizeof flash);
    busy = 0;
    MUST(tandem_install_init(&install, &device, buffer, sizeof buffer) == TANDEM_OK);
    memset(&config, 0, sizeof config);
    config.install = &install;
    config.bare = how & 0x80 ? &bare : NULL;
    tandem_bare_init(&bare, &install);
    config.port = how & 1 ? &bus : NULL;
    config.alternates = alternates;
    config.alternate_count = 2;
    config.buffer = block;
    config.buffer_size = BLOCK;
    config.version = versions[how >> 1 & 3];
    config.strict = how >> 3 & 1;
    config.attributes = (uint8_t)(3 | (how >> 2 & 12));
    config.text = tandem_usb_dfu_text;
    MUST(tandem_usb_dfu_init(&dfu, &config, how & 0x40 ? TANDEM_USB_RUNTIME : TANDEM_USB_DFU) == TANDEM_OK);
    tandem_usb_endpoint_init(&endpoint, &dfu, &identity);
}

static uint8_t out[BLOCK];

static int ask(uint8_t type, uint8_t request, uint16_t value, uint16_t index, uint16_t length, uint16_t sent)
{
    struct tandem_usb_setup packet = {type, request, value, index, length};
    struct tandem_usb_data data = {NULL, 0};
    switch (tandem_usb_endpoint_setup(&endpoint, &packet, &data)) {
    case TANDEM_USB_SEND:
        MUST(data.size <= length && (data.size == 0 || data.bytes != NULL) && (type & 0x80));
        memcpy(out, data.bytes, data.size < BLOCK ? data.size : BLOCK);
        return data.size;
    case TANDEM_USB_RECEIVE:
        MUST(data.bytes == block && data.size == length && length <= BLOCK && !(type & 0x80));
        return sent == 0xFFFF || tandem_usb_dfu_received(&dfu, sent) != TANDEM_USB_DONE ? -1 : 0;
    case TANDEM_USB_DONE:
        return 0;
    case TANDEM_USB_OTHER:
        MUST(0);
        return -1;
    default:
        return -1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = {data, size};
    uint32_t now = 0xFFFFF000u;
    setup(fuzz_byte(&script));
    while (script.size != 0) {
        uint8_t what = fuzz_byte(&script);
        uint16_t length = (uint16_t)fuzz_number(&script, 2), value = fuzz_byte(&script);
        uint16_t taken = script.size < BLOCK ? (uint16_t)script.size : BLOCK;
        switch (what & 7) {
        case 0: /* a block; the script's own bytes */
        case 1:
            length %= BLOCK + 2;
            taken = taken < length ? taken : length;
            memcpy(block, script.data, taken);
            script.data += taken;
            script.size -= taken;
            (void)ask(0x21, 1, value, 0, length, what & 8 ? length : taken);
            break;
        case 2: /* any packet at all */
            (void)ask(what & 8 ? 0xA1 : (uint8_t)value, fuzz_byte(&script), (uint16_t)fuzz_number(&script, 2),
                      fuzz_byte(&script) & 7, length, what & 16 ? 0xFFFF : length);
            break;
        case 3:
            tandem_usb_endpoint_reset(&endpoint);
            break;
        case 4:
            now += value * 20u;
            break;
        case 5:
            (void)ask(0x01, 11, value & 3, 0, 0, 0);
            break;
        default:
            (void)ask(0xA1, 3, 0, 0, 6, 0);
            break;
        }
        for (unsigned i = 0; i < (what >> 5) + 1u; i++)
            (void)tandem_usb_dfu_poll(&dfu, ++now);
        MUST(dfu.state <= 10 && dfu.status <= 15);
        MUST((dfu.mode == TANDEM_USB_RUNTIME) == (dfu.state <= 1));
    }
    if (dfu.mode != TANDEM_USB_DFU || dfu.state == 8)
        return 0;
    MUST(ask(0x01, 11, 0, 0, 0, 0) == 0);
    MUST(ask(0xA1, 3, 0, 0, 6, 0) == 6 && out[0] == 0 && out[4] == 2);
    static const uint8_t set_address[5] = {0x21, 0, 0, 0, 8};
    memcpy(block, set_address, sizeof set_address);
    MUST(ask(0x21, 1, 0, 0, 5, 5) == 0);
    MUST(ask(0xA1, 3, 0, 0, 6, 0) == 6 && out[0] == 0);
    return 0;
}
