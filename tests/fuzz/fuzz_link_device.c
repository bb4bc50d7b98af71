/*
 * Fuzzing: the link's device half with the real installer behind it. The
 * input is a list of things that happen: packets, bytes of a stream, time,
 * a connection lost. Whatever they were, the device answers a QUERY after.
 */
#include <stdlib.h>
#include <string.h>

#include "tandem/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECTOR 1024u
#define FLASH (16u * SECTOR)

static uint8_t flash[FLASH];
static const struct tandem_flash_region region = {0, SECTOR, 16};

static void must(int holds)
{
    if (!holds)
        abort();
}

static enum tandem_status flash_read(void *ctx, uint32_t address, void *data, size_t size)
{
    (void)ctx;
    must(address <= FLASH && size <= FLASH - address);
    memcpy(data, flash + address, size);
    return TANDEM_OK;
}

static enum tandem_status flash_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    (void)ctx;
    must(address <= FLASH && size <= FLASH - address);
    memcpy(flash + address, data, size);
    return TANDEM_OK;
}

static enum tandem_status flash_erase(void *ctx, uint32_t address)
{
    (void)ctx;
    must(address < FLASH && address % SECTOR == 0);
    memset(flash + address, 0xFF, SECTOR);
    return TANDEM_OK;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    return TANDEM_OK;
}

static enum tandem_status battery(void *ctx, uint8_t *percent)
{
    (void)ctx;
    *percent = 50;
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
static const struct tandem_system_port surroundings = {NULL, reboot, reboot, battery, NULL, NULL, NULL, NULL};

static unsigned answers; /* to QUERY */
static unsigned turn;    /* of the port, which is sometimes full */

static enum tandem_status send(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    (void)ctx;
    must(channel == TANDEM_CHANNEL_CONTROL && size >= 2 && size <= TANDEM_LINK_PACKET_MIN);
    if (++turn % 5 == 0)
        return TANDEM_AGAIN;
    if ((bytes[0] & 0x80) && bytes[1] == 0x81)
        answers++;
    return TANDEM_OK;
}

static uint16_t mtu(void *ctx)
{
    (void)ctx;
    return TANDEM_LINK_PACKET_MIN;
}

static const struct tandem_packet_port packets = {NULL, send, mtu};

static enum tandem_status write_bytes(void *ctx, const void *data, size_t size, size_t *sent)
{
    (void)ctx;
    (void)data;
    *sent = size < 7 ? size : 7;
    return TANDEM_OK;
}

static const struct tandem_stream_port bytes_port = {NULL, write_bytes};

static struct tandem_install install;
static struct tandem_link_service service;
static struct tandem_link_device link_device, link_stream;
static struct tandem_stream stream;
static uint8_t buffer[1024], in[80], out[40];

static void take(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    (void)ctx;
    tandem_link_device_receive(&link_stream, channel, data, size);
}

static void setup(void)
{
    static struct tandem_device device;
    enum tandem_status status;

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
    status = tandem_install_init(&install, &device, buffer, sizeof buffer);
    must(status == TANDEM_OK);
    tandem_link_service_init(&service, &install, NULL);
    must(tandem_stream_init(&stream, &bytes_port, in, sizeof in, out, sizeof out, take, NULL) == TANDEM_OK);
    tandem_link_device_init(&link_device, &service, &packets, 0);
    tandem_link_device_init(&link_stream, &service, tandem_stream_packets(&stream), tandem_stream_receive_max(&stream));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t query[] = {0xC0, 0x01, 0x77, 0x00, 0x01, 0x14, 0x00};
    uint32_t now = 0xFFFFF000u;
    unsigned i;

    setup();
    while (size >= 2) {
        size_t length = data[1] < size - 2 ? data[1] : size - 2;
        const uint8_t *bytes = data + 2;

        switch (data[0] & 7) {
        case 0:
            tandem_link_device_receive(&link_device, TANDEM_CHANNEL_CONTROL, bytes, length);
            break;
        case 1:
            tandem_link_device_receive(&link_device, TANDEM_CHANNEL_DATA, bytes, length);
            break;
        case 2:
            tandem_stream_receive(&stream, bytes, length);
            break;
        case 3:
            tandem_link_device_disconnected(&link_device);
            length = 0;
            break;
        case 4:
            now += data[1] * 50u;
            length = 0;
            break;
        default:
            length = 0;
            break;
        }
        for (i = 0; i < 4; i++) {
            (void)tandem_link_device_poll(&link_device, ++now);
            (void)tandem_link_device_poll(&link_stream, now);
        }
        must(tandem_install_limit(&install) >= tandem_install_wants(&install));
        data += 2 + length;
        size -= 2 + length;
    }
    answers = 0;
    tandem_link_device_receive(&link_device, TANDEM_CHANNEL_CONTROL, query, sizeof query);
    for (i = 0; i < 8; i++)
        (void)tandem_link_device_poll(&link_device, ++now);
    must(answers == 1);
    return 0;
}
