/*
 * fetch URL FILE SLICE: a file over the HTTP client, in ranges of so many
 * bytes (0: one request). Prints the last status, how many requests it took
 * and how many connections; exits with a status of the library's.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tandem/http.h"
#include "tandem_posix.h"

static struct tandem_posix_stream stream;
static struct tandem_http_client client;
static uint8_t buffer[512], early[700];
static size_t early_size;
static unsigned connections;

static enum tandem_status dial_open(void *ctx, const char *host, size_t host_size, uint16_t port, uint8_t tls)
{
    char address[160];

    (void)ctx;
    if (tls)
        return TANDEM_ERROR_NOT_SUPPORTED;
    if (stream.fd >= 0)
        return tandem_posix_connected(&stream, NULL);
    connections++;
    early_size = 0;
    snprintf(address, sizeof address, "%.*s:%u", (int)host_size, host, (unsigned)port);
    return tandem_posix_connect(&stream, address, NULL);
}

static void dial_close(void *ctx)
{
    (void)ctx;
    tandem_posix_stream_close(&stream);
    early_size = 0;
}

/* What has arrived, as far as the client takes it. */
static void receive(void)
{
    size_t got = 0;
    enum tandem_status status = TANDEM_OK;

    if (stream.fd < 0)
        return;
    if (early_size < sizeof early)
        status = tandem_posix_stream_read(&stream, early + early_size, sizeof early - early_size, &got);
    early_size += got;
    size_t taken = tandem_http_client_receive(&client, early, early_size);
    if (early_size >= taken) { /* else it closed the connection, and forgot them */
        memmove(early, early + taken, early_size - taken);
        early_size -= taken;
    }
    if (status != TANDEM_OK && early_size == 0)
        tandem_http_client_closed(&client);
}

/* One exchange. @return how it ended */
static enum tandem_status exchange(const struct tandem_http_port *http, const struct tandem_http_request *request,
                                   FILE *file, const struct tandem_http_response **head)
{
    enum tandem_status status = http->begin(http->ctx, request);
    uint8_t data[300];
    size_t got = 1;

    while (status == TANDEM_OK || status == TANDEM_AGAIN) {
        struct pollfd fd = {.fd = stream.fd, .events = POLLIN};
        http->poll(http->ctx, tandem_posix_now_ms());
        receive();
        status = http->head(http->ctx, head);
        if (status == TANDEM_OK) {
            status = http->read(http->ctx, data, sizeof data, &got);
            if (status == TANDEM_OK && got == 0)
                return TANDEM_OK;
            if ((*head)->status < 300)
                fwrite(data, 1, got, file);
        }
        if (status == TANDEM_AGAIN)
            (void)tandem_posix_wait(&fd, 1, 5);
    }
    return status;
}

int main(int argc, char **argv)
{
    const struct tandem_dial_port dial = {NULL, dial_open, dial_close};
    const struct tandem_http_response *head = NULL;
    struct tandem_http_request request = {.method = "GET"};
    enum tandem_status status;
    unsigned requests = 0;

    if (argc != 4)
        return 2;
    FILE *file = fopen(argv[2], "wb");
    if (file == NULL)
        return 1;
    tandem_posix_stream_init(&stream);
    (void)tandem_http_client_init(&client, &dial, &stream.port, buffer, sizeof buffer, NULL);
    request.url = argv[1];
    request.length = (uint32_t)strtoul(argv[3], NULL, 10);
    do {
        requests++;
        status = exchange(tandem_http_client_port(&client), &request, file, &head);
        request.offset = (uint32_t)ftell(file);
    } while (status == TANDEM_OK && head->status == 206 && head->last + 1 < head->total);
    printf("%u %u %u\n", head != NULL ? (unsigned)head->status : 0, requests, connections);
    fclose(file);
    tandem_posix_stream_close(&stream);
    return (int)status;
}
