/*
 * Fuzzing: Realtek's host half under the updater, alone and as a pair. The
 * input is what a device says, over GATT or in a stream, and how time passes.
 * Whatever it was, the host reads only what the file has, sends no packet
 * larger than the link takes, and asks one thing at a time.
 */
#include "fuzz.h"

#include <string.h>

#include "tandem/image.h"
#include "tandem/realtek_host.h"

#define SOURCE 20000u
#define MTU 100

static struct tandem_realtek_host host;
static struct tandem_realtek_rws rws;
static struct tandem_realtek_file file;
static struct tandem_update updates[2];
static struct tandem_group group;
static unsigned turn;
static int owed; /* 1: the port has not told the end of something */
static int up;

static enum tandem_status read_source(void *ctx, uint32_t offset, void *data, size_t size)
{
    (void)ctx;
    MUST(offset <= SOURCE && size <= SOURCE - offset);
    memset(data, (int)(offset & 0xFF), size);
    return TANDEM_OK;
}

static const struct tandem_source source = {NULL, SOURCE, read_source};

/* ---- the ports ---- */

static enum tandem_status find(void *ctx, const struct tandem_gatt_peer *peer)
{
    (void)ctx;
    MUST(peer->address != NULL || peer->manufacturer_size != 0 || peer->name != NULL);
    up = 1;
    return TANDEM_OK;
}

static enum tandem_status leave(void *ctx)
{
    (void)ctx;
    owed = 0;
    up = 0;
    return TANDEM_OK;
}

static enum tandem_status one_thing(void)
{
    MUST(!owed);
    if (++turn % 11 == 0)
        return TANDEM_AGAIN;
    owed = 1;
    return TANDEM_OK;
}

static enum tandem_status read_value(void *ctx, uint16_t characteristic)
{
    (void)ctx;
    (void)characteristic;
    return one_thing();
}

static enum tandem_status write_value(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    (void)ctx;
    (void)data;
    MUST(characteristic == TANDEM_REALTEK_CONTROL && size >= 1 && size <= 512);
    return one_thing();
}

static enum tandem_status write_command(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    (void)ctx;
    (void)data;
    MUST(characteristic == TANDEM_REALTEK_DATA || characteristic == TANDEM_REALTEK_OTA_COMMAND);
    MUST(size >= 1 && size <= MTU - 3);
    return ++turn % 7 == 0 ? TANDEM_AGAIN : TANDEM_OK;
}

static enum tandem_status subscribe(void *ctx, uint16_t characteristic, int on)
{
    (void)ctx;
    (void)characteristic;
    (void)on;
    return one_thing();
}

static uint16_t mtu(void *ctx)
{
    (void)ctx;
    return MTU;
}

static const struct tandem_gatt_host_port gatt = {NULL,          find,      leave, read_value, write_value,
                                                  write_command, subscribe, mtu,   NULL};

static enum tandem_status write_bytes(void *ctx, const void *data, size_t size, size_t *sent)
{
    (void)ctx;
    (void)data;
    *sent = ++turn % 5 == 0 ? size / 2 : size;
    return TANDEM_OK;
}

static const struct tandem_stream_port stream = {NULL, write_bytes};

/* ---- a scene ---- */

static void setup(uint8_t how, struct tandem_offer *offer)
{
    static const uint8_t address[6] = {1, 2, 3, 4, 5, 6}, key[16] = {7};
    static const struct tandem_gatt_peer peer = {.address = address};
    static const struct tandem_update_options wishes = {.attempts = 3, .confirm_ms = 20000};
    static const uint8_t chips[4] = {5, 11, 15, 16};
    struct tandem_realtek_options options;

    memset(&options, 0, sizeof options);
    memset(&file, 0, sizeof file);
    options.settle_ms = 1;
    options.any_version = how & 1;
    options.aes_key = how & 2 ? key : NULL;
    options.aes_key_size = sizeof key;
    file.source = &source;
    file.ic = chips[how >> 2 & 3];
    file.count = 4;
    for (unsigned i = 0; i < file.count; i++) {
        file.parts[i].offset = i * 5000;
        file.parts[i].size = 5000;
        file.parts[i].image = (uint16_t)((file.ic == 15 ? 0x37A0 : 0x2790) + i);
        file.parts[i].bank = how & 0x10 ? (uint8_t)(i & 1) : TANDEM_REALTEK_BANK_ANY;
        file.parts[i].version = 0x1000;
        file.parts[i].versioned = i != 1;
    }
    owed = up = 0;
    if (how & 0x20)
        tandem_realtek_host_init_stream(&host, &stream, NULL, &file, &options);
    else
        tandem_realtek_host_init_gatt(&host, &gatt, &peer, &file, &options);
    tandem_realtek_rws_init(&rws, &host, NULL);
    tandem_offer_bare(offer, &source);
    for (unsigned i = 0; i < 2; i++)
        tandem_update_init(&updates[i],
                           how & 0x40 ? tandem_realtek_rws_target(&rws, i) : tandem_realtek_host_target(&host), offer,
                           &wishes);
    (void)tandem_group_init(&group, updates, 2, NULL);
}

/* What the device says: a whole answer to what is asked, or anything. */
static void speak(uint8_t what, const uint8_t *bytes, size_t size)
{
    uint8_t answer[64];

    if (size > 60)
        size = 60;
    switch (what & 7) {
    case 0:
        owed = 0;
        tandem_realtek_host_on_read(&host, what & 0x80 ? TANDEM_ATT_NOT_FOUND : TANDEM_ATT_OK, bytes, size);
        break;
    case 1:
        owed = 0;
        tandem_realtek_host_on_written(&host, what & 0x80 ? TANDEM_ATT_INVALID_PDU : TANDEM_ATT_OK);
        break;
    case 2:
        owed = 0;
        tandem_realtek_host_on_subscribed(&host, what & 0x80 ? TANDEM_ATT_NOT_FOUND : TANDEM_ATT_OK);
        break;
    case 3: /* the answer to the request that went out last */
        answer[0] = 0x10;
        answer[1] = host.frame[0];
        memcpy(answer + 2, bytes, size);
        tandem_realtek_host_on_notification(&host, TANDEM_REALTEK_CONTROL, answer, size + 2);
        break;
    case 4:
        tandem_realtek_host_on_notification(&host, what & 0x80 ? TANDEM_REALTEK_VENDOR_TX : TANDEM_REALTEK_CONTROL,
                                            bytes, size);
        break;
    case 5: /* a frame, its length right */
        answer[0] = 0xAA;
        answer[1] = what;
        answer[2] = (uint8_t)size;
        answer[3] = 0;
        memcpy(answer + 4, bytes, size);
        tandem_realtek_host_receive(&host, answer, size + 4);
        break;
    case 6:
        tandem_realtek_host_receive(&host, bytes, size);
        break;
    default:
        owed = 0;
        tandem_realtek_host_on_disconnected(&host);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = {data, size};
    struct tandem_offer offer;
    uint32_t now = 0xFFFFF000u;
    uint8_t how = fuzz_byte(&script);

    setup(how, &offer);
    while (script.size >= 2) {
        uint8_t what = fuzz_byte(&script);
        size_t length = fuzz_byte(&script) & 63u;

        if (what & 0x40) {
            now += (uint32_t)length * 100u;
        } else {
            if (length > script.size)
                length = script.size;
            speak(what, script.data, length);
            script.data += length;
            script.size -= length;
        }
        if (up)
            tandem_realtek_host_on_connected(&host);
        for (unsigned i = 0; i < 4; i++) {
            if (how & 0x40)
                (void)tandem_group_poll(&group, ++now);
            else
                (void)tandem_update_poll(&updates[0], ++now);
            now += 10;
        }
    }
    return 0;
}
