/*
 * Fuzzing: USB DFU's host half. The input is what a device answers: stalls,
 * descriptors, states, times, or nothing for a while. Whatever it is, the
 * updater ends, and what it sends never exceeds what was offered.
 */
#include <string.h>

#include "fuzz.h"
#include "tandem/update.h"
#include "tandem/usb_dfu_host.h"

#define OFFERED 700u

static struct fuzz_script script;
static struct tandem_usb_dfu_host host;
static struct tandem_usb_dfu_host_config config;
static struct tandem_usb_port port;
static uint8_t block[512];
static uint32_t taken; /* bytes that were uploaded */

static enum tandem_status list(void *ctx, unsigned number, struct tandem_usb_place *place)
{
    struct tandem_usb_place here = {1, 1, 1, {3}};
    (void)ctx;
    here.address = fuzz_byte(&script) | 1;
    *place = here;
    return number == 0 ? TANDEM_OK : TANDEM_ERROR_NOTHING;
}

static enum tandem_status open_device(void *ctx, const struct tandem_usb_place *place)
{
    (void)ctx;
    (void)place;
    return TANDEM_OK;
}

static enum tandem_status answer(uint8_t how)
{
    static const enum tandem_status answers[] = {
        TANDEM_OK,        TANDEM_AGAIN, TANDEM_ERROR_PROTOCOL, TANDEM_ERROR_TIMEOUT, TANDEM_ERROR_DISCONNECTED,
        TANDEM_ERROR_PORT};
    return how >= 0xF0 ? answers[(how & 15) % 6] : TANDEM_OK;
}

static enum tandem_status claim(void *ctx, uint8_t interface, uint8_t alternate)
{
    (void)ctx;
    (void)interface;
    (void)alternate;
    return answer(fuzz_byte(&script));
}

static enum tandem_status reset(void *ctx)
{
    (void)ctx;
    return answer(fuzz_byte(&script));
}

static void close_device(void *ctx)
{
    (void)ctx;
}

/* What a usual device would say, so that a script gets far; the script then changes it. */
static void usual(const struct tandem_usb_setup *setup, uint8_t *bytes, uint16_t *size)
{
    static const uint8_t device[18] = {18, 1, 0, 2, 0, 0, 0, 64, 9, 18, 2, 0, 0, 1, 0, 0, 3, 1};
    static const uint8_t configuration[36] = {9, 2, 36, 0, 1, 1,    0, 0x80, 50, 9, 4,    0,  0,   0, 0xFE, 1, 2,    1,
                                              9, 4, 0,  1, 0, 0xFE, 1, 2,    1,  9, 0x21, 15, 232, 3, 0,    1, 0x1A, 1};
    static const char text[] = "@F /0x08000000/4*1Kg,2*16Kg";
    uint8_t string[2 + 2 * (sizeof text - 1)] = {sizeof string, 3};
    uint8_t status[6] = {0, 1, 0, 0, 5, 0};
    const uint8_t *what = status;
    size_t whole = sizeof status;
    for (unsigned i = 0; i < sizeof text - 1; i++)
        string[2 + 2 * i] = (uint8_t)text[i];
    if (setup->request == 6) {
        what = setup->value >> 8 == 1 ? device : setup->value >> 8 == 2 ? configuration : string;
        whole = what == device ? sizeof device : what == configuration ? sizeof configuration : sizeof string;
    }
    status[4] = host.step <= 3 ? 2 : 5;
    memset(bytes, 0, setup->length);
    *size = (uint16_t)(setup->length < whole ? setup->length : whole);
    if (setup->request == 2)
        *size = setup->length;
    else
        memcpy(bytes, what, *size);
}

static enum tandem_status control(void *ctx, const struct tandem_usb_setup *setup, void *data, uint16_t *size)
{
    uint8_t *bytes = data;
    uint8_t how = fuzz_byte(&script);
    (void)ctx;
    MUST(setup->length == 0 || data != NULL);
    if (!(setup->type & 0x80)) {
        MUST(setup->request != 1 || setup->length <= sizeof block);
        return answer(how);
    }
    if (answer(how) != TANDEM_OK)
        return answer(how);
    usual(setup, bytes, size);
    for (unsigned changes = how & 7; changes != 0 && *size != 0; changes--) {
        uint16_t at = (uint16_t)(fuzz_number(&script, 1) % *size);
        bytes[at] = fuzz_byte(&script);
    }
    if (how & 8)
        *size = (uint16_t)(fuzz_byte(&script) % (*size + 1u));
    return TANDEM_OK;
}

static enum tandem_status read_source(void *ctx, uint32_t offset, void *data, size_t size)
{
    (void)ctx;
    MUST(offset <= OFFERED && size <= OFFERED - offset && size <= sizeof block);
    memset(data, 0x5A, size);
    return TANDEM_OK;
}

static enum tandem_status keep(void *ctx, const void *data, size_t size)
{
    (void)ctx;
    MUST(data == block && size <= sizeof block);
    taken += (uint32_t)size;
    return TANDEM_OK;
}

static void upload(uint32_t now)
{
    const struct tandem_target *target = tandem_usb_dfu_host_target(&host);
    enum tandem_status status = TANDEM_AGAIN;
    taken = 0;
    for (unsigned i = 0; i < 50 && status == TANDEM_AGAIN; i++)
        status = target->connect(target->ctx);
    for (unsigned i = 0; i < 50 && (status == TANDEM_OK || status == TANDEM_AGAIN); i++) {
        now += 200;
        tandem_usb_dfu_host_poll(&host, now);
        status = tandem_usb_dfu_host_upload(&host, keep, NULL, 1000);
        if (status == TANDEM_OK)
            break;
    }
    MUST(taken <= 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tandem_source source = {NULL, OFFERED, read_source};
    struct tandem_update_options options = {0};
    struct tandem_update update;
    struct tandem_offer offer;
    uint32_t now = 0xFFFFFF00u;
    enum tandem_status status = TANDEM_AGAIN;
    script.data = data;
    script.size = size;
    memset(&config, 0, sizeof config);
    port.list = list;
    port.open = open_device;
    port.claim = claim;
    port.control = control;
    port.reset = reset;
    port.close = close_device;
    config.port = &port;
    config.buffer = block;
    config.buffer_size = sizeof block;
    tandem_usb_dfu_host_init(&host, &config);
    if (fuzz_byte(&script) & 1) {
        upload(now);
        return 0;
    }
    tandem_offer_bare(&offer, &source);
    options.attempts = 3;
    options.confirm_ms = 5000;
    tandem_update_init(&update, tandem_usb_dfu_host_target(&host), &offer, &options);
    for (unsigned i = 0; i < 20000 && status == TANDEM_AGAIN; i++) {
        status = tandem_update_poll(&update, now);
        now += i < 2000 ? 5 : 60000; /* a device may ask for hours */
    }
    MUST(status != TANDEM_AGAIN);
    return 0;
}
