/*
 * The usbredir protocol, device's side; see redir.h. Numbers are
 * little-endian. Only what a device with endpoint zero needs.
 */
#define _POSIX_C_SOURCE 200809L

#include "redir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/bytes.h"

enum {
    HELLO = 0,
    CONNECT = 1,
    DISCONNECT = 2,
    RESET = 3,
    INTERFACE_INFO = 4,
    EP_INFO = 5,
    SET_CONFIGURATION = 6,
    GET_CONFIGURATION = 7,
    CONFIGURATION_STATUS = 8,
    SET_ALTERNATE = 9,
    GET_ALTERNATE = 10,
    ALTERNATE_STATUS = 11,
    CONTROL = 100
};

#define CAPABILITIES 0x7Au /* device version, disconnect ack, max packet size, 64-bit ids, 32-bit lengths */
#define WIDE_IDS 0x20u
#define STATUS_STALL 4u
#define CONTROL_HEAD 10u

static int listener = -1, client = -1, high_speed, greeted, wide, shown;
static uint8_t alternate, configuration;

static int all(int writing, void *data, size_t size)
{
    uint8_t *at = data;
    while (size > 0) {
        ssize_t part = writing ? write(client, at, size) : read(client, at, size);
        if (part <= 0) {
            close(client);
            client = -1;
            return -1;
        }
        at += part;
        size -= (size_t)part;
    }
    return 0;
}

static void send_packet(uint32_t type, uint64_t id, const void *body, uint32_t size)
{
    uint8_t head[16];
    if (client < 0)
        return;
    tandem_store_le32(head, type);
    tandem_store_le32(head + 4, size);
    tandem_store_le64(head + 8, id);
    if (all(1, head, wide ? 16 : 12) == 0 && size != 0)
        (void)all(1, (void *)(uintptr_t)body, size);
}

int redir_listen(const char *path, int high)
{
    struct sockaddr_un place;
    memset(&place, 0, sizeof place);
    place.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof place.sun_path)
        return -1;
    memcpy(place.sun_path, path, strlen(path));
    high_speed = high;
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)unlink(path);
    return bind(listener, (struct sockaddr *)&place, sizeof place) == 0 && listen(listener, 1) == 0 ? listener : -1;
}

int redir_fd(void)
{
    return client >= 0 ? client : listener;
}

/* ---- on and off the bus ---- */

static void describe(uint8_t device[18])
{
    static const uint8_t setup[8] = {0x80, 6, 0, 1, 0, 0, 18, 0};
    uint16_t length = 18;
    memset(device, 0, 18);
    (void)device_control(setup, device, &length);
}

static void send_info(void)
{
    uint8_t endpoints[160], interfaces[132];
    memset(endpoints, 0, sizeof endpoints);
    memset(endpoints, 0xFF, 32);
    endpoints[0] = endpoints[16] = 0; /* control */
    tandem_store_le16(endpoints + 96, 64);
    tandem_store_le16(endpoints + 96 + 32, 64);
    memset(interfaces, 0, sizeof interfaces);
    interfaces[0] = 1;
    interfaces[4 + 32] = 0xFE;
    interfaces[4 + 64] = 1;
    interfaces[4 + 96] = 2;
    send_packet(EP_INFO, 0, endpoints, sizeof endpoints);
    send_packet(INTERFACE_INFO, 0, interfaces, sizeof interfaces);
}

static void be_connected(void)
{
    uint8_t device[18], body[10];
    describe(device);
    send_info();
    body[0] = high_speed ? 2 : 1;
    memcpy(body + 1, device + 4, 3);
    memcpy(body + 4, device + 8, 6);
    send_packet(CONNECT, 0, body, sizeof body);
}

void redir_follow(int present)
{
    if (client < 0 || !greeted || present == shown)
        return;
    shown = present;
    configuration = 0;
    alternate = 0;
    if (present)
        be_connected();
    else
        send_packet(DISCONNECT, 0, NULL, 0);
}

void redir_changed(void)
{
    if (client >= 0 && greeted && shown)
        send_info();
}

/* ---- packets ---- */

static void hello(void)
{
    uint8_t body[68] = "tandem simulated device";
    tandem_store_le32(body + 64, CAPABILITIES);
    wide = 0;
    send_packet(HELLO, 0, body, sizeof body);
}

static int ask(uint8_t type, uint8_t request, uint16_t value, uint16_t index)
{
    uint8_t setup[8] = {type, request, (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)index, (uint8_t)(index >> 8)};
    uint16_t length = 0;
    return device_control(setup, NULL, &length);
}

static void take_control(uint64_t id, uint8_t *body, uint32_t size)
{
    static uint8_t answer[CONTROL_HEAD + 65536];
    uint8_t setup[8] = {body[2], body[1], body[4], body[5], body[6], body[7], body[8], body[9]};
    uint16_t length = tandem_load_le16(body + 8), got = 0;
    int in = body[2] & 0x80;
    memcpy(answer, body, CONTROL_HEAD);
    if (!in && size - CONTROL_HEAD < length)
        length = (uint16_t)(size - CONTROL_HEAD);
    if (!in)
        memcpy(answer + CONTROL_HEAD, body + CONTROL_HEAD, length);
    int code = shown ? device_control(setup, answer + CONTROL_HEAD, &got) : -1;
    answer[3] = code == 0 ? 0 : code == -9 ? STATUS_STALL : 3;
    if (!in)
        got = code == 0 ? length : 0;
    tandem_store_le16(answer + 8, got);
    send_packet(CONTROL, id, answer, CONTROL_HEAD + (in ? got : 0u));
}

static void take(uint32_t type, uint64_t id, uint8_t *body, uint32_t size)
{
    uint8_t answer[3] = {0, 0, 0};
    switch (type) {
    case HELLO:
        wide = size >= 68 && (tandem_load_le32(body + 64) & WIDE_IDS);
        greeted = 1;
        shown = 0;
        break;
    case RESET:
        (void)device_reset();
        break;
    case SET_CONFIGURATION:
        answer[0] = ask(0, 9, body[0], 0) == 0 ? 0 : STATUS_STALL;
        configuration = body[0];
        send_info();
        /* fall through */
    case GET_CONFIGURATION:
        answer[1] = configuration;
        send_packet(CONFIGURATION_STATUS, id, answer, 2);
        break;
    case SET_ALTERNATE:
        answer[0] = ask(1, 11, body[1], body[0]) == 0 ? 0 : STATUS_STALL;
        alternate = body[1];
        send_info();
        /* fall through */
    case GET_ALTERNATE:
        answer[1] = body[0];
        answer[2] = alternate;
        send_packet(ALTERNATE_STATUS, id, answer, 3);
        break;
    case CONTROL:
        if (size >= CONTROL_HEAD)
            take_control(id, body, size);
        break;
    default: /* what was cancelled is answered already */
        break;
    }
}

void redir_serve(void)
{
    static uint8_t body[70000];
    uint8_t head[16] = {0};
    if (client < 0) {
        client = accept(listener, NULL, NULL);
        greeted = 0;
        shown = 0;
        hello();
        return;
    }
    if (all(0, head, wide && greeted ? 16 : 12) != 0)
        return;
    uint32_t size = tandem_load_le32(head + 4);
    if (size > sizeof body || all(0, body, size) != 0)
        return;
    take(tandem_load_le32(head), wide ? tandem_load_le64(head + 8) : tandem_load_le32(head + 8), body, size);
}
