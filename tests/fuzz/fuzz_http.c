/*
 * Fuzzing: the HTTP client. The input is what a server says on a connection.
 * Whatever it is, the exchange comes to an end, a body is never longer than
 * announced, credentials go to the first host alone, and it is all one how
 * the bytes come in.
 */
#include <string.h>

#include "fuzz.h"
#include "tandem/http.h"

struct side {
    struct tandem_http_client client;
    struct tandem_dial_port dial;
    struct tandem_stream_port stream;
    uint8_t buffer[160];
    char host[TANDEM_HTTP_HOST_MAX];
    size_t host_size;
    unsigned opens;
    char last[16]; /* bytes sent last */
    unsigned secrets;
    uint32_t now;
};

struct result {
    enum tandem_status status;
    uint16_t code;
    uint32_t trace, body;
    unsigned opens;
};

static enum tandem_status dial_open(void *ctx, const char *host, size_t size, uint16_t port, uint8_t tls)
{
    struct side *side = ctx;

    (void)tls;
    MUST(size > 0 && size <= TANDEM_HTTP_HOST_MAX && port > 0);
    for (size_t i = 0; i < size; i++)
        MUST(host[i] > ' ' && host[i] != '/' && host[i] != ':');
    memcpy(side->host, host, size);
    side->host_size = size;
    side->opens++;
    return TANDEM_OK;
}

static void dial_close(void *ctx)
{
    (void)ctx;
}

static enum tandem_status write_some(void *ctx, const void *data, size_t size, size_t *sent)
{
    struct side *side = ctx;
    const char *bytes = data;

    *sent = size > 50 ? 50 : size;
    for (size_t i = 0; i < *sent; i++) {
        memmove(side->last, side->last + 1, sizeof side->last - 1);
        side->last[sizeof side->last - 1] = bytes[i];
        if (memcmp(side->last + 9, "PASSWORD", 7) == 0) {
            side->secrets++;
            MUST(side->host_size == 9 && (memcmp(side->host, "a.example", 9) == 0 || side->host[0] == 'A' ||
                                          memcmp(side->host + 1, ".", 1) == 0));
        }
    }
    return TANDEM_OK;
}

static struct result run(struct side *side, const uint8_t *data, size_t size, size_t piece)
{
    static const struct tandem_http_request request = {
        .method = "GET", .url = "http://a.example/x", .authorization = "PASSWORD", .offset = 10, .extra = "Ota-Errno"};
    const struct tandem_http_response *response;
    struct result result = {TANDEM_AGAIN, 0, 0, 0, 0};
    const struct tandem_http_port *http;
    size_t at = 0, got = 0;
    uint8_t bytes[37];

    memset(side, 0, sizeof *side);
    side->dial = (struct tandem_dial_port){side, dial_open, dial_close};
    side->stream = (struct tandem_stream_port){side, write_some};
    MUST(tandem_http_client_init(&side->client, &side->dial, &side->stream, side->buffer, sizeof side->buffer, NULL) ==
         TANDEM_OK);
    http = tandem_http_client_port(&side->client);
    MUST(http->begin(http->ctx, &request) == TANDEM_OK);
    for (unsigned i = 0; result.status == TANDEM_AGAIN; i++) {
        MUST(i < 200000);
        for (unsigned j = 0; j < 20; j++)
            http->poll(http->ctx, side->now++);
        if (side->opens > 1) {
            /* The input was one connection's. */
        } else if (at < size) {
            size_t take = 0; /* lines, or bytes: an answer to a request that was not sent yet is another matter */
            do {
                take++;
            } while (at + take < size && take < piece && data[at + take - 1] != '\n');
            size_t taken =
                fuzz_planted() && at == 30 ? take : tandem_http_client_receive(&side->client, data + at, take);
            MUST(taken <= take);
            at += taken;
        } else {
            tandem_http_client_closed(&side->client);
        }
        if (side->opens > 1)
            side->now += 40000;
        enum tandem_status head = http->head(http->ctx, &response);
        if (head == TANDEM_AGAIN)
            continue;
        if (head != TANDEM_OK) {
            result.status = head;
            break;
        }
        result.code = response->status;
        do {
            result.status = http->read(http->ctx, bytes, sizeof bytes, &got);
            result.body += (uint32_t)got;
            for (size_t j = 0; j < got; j++)
                result.trace = result.trace * 31 + bytes[j];
        } while (got > 0);
        MUST(response->length == TANDEM_HTTP_UNKNOWN || result.body <= response->length);
        MUST(result.status != TANDEM_OK || response->length == TANDEM_HTTP_UNKNOWN || result.body == response->length);
    }
    http->cancel(http->ctx);
    result.opens = side->opens;
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct side side;
    struct result whole = run(&side, data, size, size + 1), pieces = run(&side, data, size, 1);

    MUST(whole.status == pieces.status && whole.code == pieces.code);
    MUST(whole.trace == pieces.trace && whole.body == pieces.body && whole.opens == pieces.opens);
    return 0;
}
