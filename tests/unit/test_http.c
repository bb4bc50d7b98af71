/*
 * The HTTP client against a server that is a script: what it sends, byte by
 * byte or all at once, and every way in which answers have been seen to go
 * wrong.
 */
#include "check.h"
#include "tandem/http.h"

#define ANSWERS 8

/* A wire with a scripted server behind it. The n-th request is answered with answers[n]; "!" in front closes the
 * connection after it, "-" closes it instead of an answer. */
struct wire {
    struct tandem_http_client client;
    struct tandem_dial_port dial;
    struct tandem_stream_port stream;
    const struct tandem_http_port *http;
    uint8_t buffer[512];
    uint8_t body[4096];
    size_t body_size;
    const char *answers[ANSWERS];
    size_t answer_sizes[ANSWERS]; /* 0: a text */
    unsigned next;
    char sent[4096];
    size_t sent_size, request_at;
    char host[100];
    unsigned port, tls, opens, closes;
    int open, refuse;
    size_t piece;      /* bytes delivered and accepted at a time */
    size_t read_piece; /* bytes read at a time */
    uint32_t now;
    size_t out; /* of the answer in hand */
    int answering;
    const struct tandem_http_response *response;
};

static enum tandem_status wire_open(void *ctx, const char *host, size_t size, uint16_t port, uint8_t tls)
{
    struct wire *w = ctx;
    if (w->refuse)
        return TANDEM_ERROR_DISCONNECTED;
    REQUIRE(size < sizeof w->host);
    memcpy(w->host, host, size);
    w->host[size] = 0;
    w->port = port;
    w->tls = tls;
    w->open = 1;
    w->opens++;
    w->answering = 0;
    w->request_at = w->sent_size;
    return TANDEM_OK;
}

static void wire_close(void *ctx)
{
    struct wire *w = ctx;
    w->open = 0;
    w->closes++;
}

static enum tandem_status wire_write(void *ctx, const void *data, size_t size, size_t *sent)
{
    struct wire *w = ctx;
    CHECK(w->open);
    *sent = size < w->piece ? size : w->piece;
    REQUIRE(w->sent_size + *sent < sizeof w->sent);
    memcpy(w->sent + w->sent_size, data, *sent);
    w->sent_size += *sent;
    w->sent[w->sent_size] = 0;
    return TANDEM_OK;
}

static void wire_start(struct wire *w, size_t piece)
{
    memset(w, 0, sizeof *w);
    w->piece = piece;
    w->read_piece = 100;
    w->dial = (struct tandem_dial_port){w, wire_open, wire_close};
    w->stream = (struct tandem_stream_port){w, wire_write};
    REQUIRE(tandem_http_client_init(&w->client, &w->dial, &w->stream, w->buffer, sizeof w->buffer, NULL) == TANDEM_OK);
    w->http = tandem_http_client_port(&w->client);
}

/* Whether the request in hand has been sent whole, with its body. */
static int request_whole(const struct wire *w)
{
    const char *request = w->sent + w->request_at, *end = strstr(request, "\r\n\r\n");
    const char *length = strstr(request, "Content-Length: ");
    if (end == NULL)
        return 0;
    return strlen(end + 4) >= (length != NULL ? (size_t)atoi(length + 16) : 0);
}

static void serve(struct wire *w)
{
    const char *answer = w->answers[w->next];
    if (!w->open || answer == NULL || (!w->answering && !request_whole(w)))
        return;
    if (*answer == '-') {
        w->next++;
        w->open = 0;
        tandem_http_client_closed(&w->client);
        return;
    }
    int close = *answer == '!';
    size_t size = w->answer_sizes[w->next] > 0 ? w->answer_sizes[w->next] : strlen(answer);
    answer += close;
    size -= (size_t)close;
    w->answering = 1;
    size_t left = size - w->out, take = left < w->piece ? left : w->piece;
    /* From a copy of that size, so that a reader too far is seen. */
    uint8_t *copy = malloc(take > 0 ? take : 1);
    memcpy(copy, answer + w->out, take);
    unsigned opens = w->opens;
    size_t taken = tandem_http_client_receive(&w->client, copy, take);
    free(copy);
    w->out += taken;
    if (w->out < size && w->open && w->opens == opens)
        return;
    w->out = 0;
    w->answering = 0;
    w->next++;
    w->request_at = w->sent_size;
    if (close && w->open) {
        w->open = 0;
        tandem_http_client_closed(&w->client);
    }
}

/* Run an exchange to its end. @return what ended it; the body is in w->body */
static enum tandem_status fetch(struct wire *w, const struct tandem_http_request *request)
{
    enum tandem_status status = w->http->begin(w->http->ctx, request);
    w->body_size = 0;
    w->request_at = w->sent_size;
    for (unsigned i = 0; status == TANDEM_OK && i < 200000; i++) {
        w->http->poll(w->http->ctx, w->now += 10);
        serve(w);
        enum tandem_status head = w->http->head(w->http->ctx, &w->response);
        if (head == TANDEM_AGAIN)
            continue;
        if (head != TANDEM_OK)
            return head;
        size_t got = 0, room = sizeof w->body - w->body_size;
        status = w->http->read(w->http->ctx, w->body + w->body_size, w->read_piece < room ? w->read_piece : room, &got);
        w->body_size += got;
        if (status == TANDEM_AGAIN)
            status = TANDEM_OK;
        else if (status == TANDEM_OK && got == 0)
            return TANDEM_OK;
    }
    return status;
}

static const struct tandem_http_request plain = {
    .method = "GET", .url = "http://a.example/x", .authorization = "secret"};

static int body_is(const struct wire *w, const char *text)
{
    return w->body_size == strlen(text) && memcmp(w->body, text, w->body_size) == 0;
}

static size_t pieces[] = {1, 2, 3, 7, 64, 4096};
#define EACH_PIECE(i)                     \
    unsigned i = 0;                       \
    i < sizeof pieces / sizeof pieces[0]; \
    i++

/* ---- requests ---- */

static void what_is_sent(void)
{
    for (EACH_PIECE(i)) {
        struct wire w;
        struct tandem_http_request request = {.method = "POST",
                                              .url = "http://a.example:8080?q=1#part",
                                              .authorization = "Basic x",
                                              .accept = "text/plain",
                                              .content_type = "application/json",
                                              .if_range = "\"tag\"",
                                              .body = "{\"a\":1}",
                                              .body_size = 7,
                                              .offset = 100,
                                              .length = 50};
        wire_start(&w, pieces[i]);
        w.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        CHECK_EQUAL(fetch(&w, &request), TANDEM_OK);
        CHECK(body_is(&w, "ok"));
        CHECK(strcmp(w.sent, "POST /?q=1 HTTP/1.1\r\nHost: a.example:8080\r\nAuthorization: Basic x\r\n"
                             "Accept: text/plain\r\nContent-Type: application/json\r\nRange: bytes=100-149\r\n"
                             "If-Range: \"tag\"\r\nContent-Length: 7\r\nAccept-Encoding: identity\r\n"
                             "User-Agent: Tandem\r\n\r\n{\"a\":1}") == 0);
        CHECK_EQUAL(w.port, 8080);
        CHECK(strcmp(w.host, "a.example") == 0);
    }
}

static void bad_urls(void)
{
    static const char *const urls[] = {"",
                                       "ftp://a/x",
                                       "http://",
                                       "http:///x",
                                       "http://u:p@a/",
                                       "http://[::1]/",
                                       "/x",
                                       "http://a/x y",
                                       "http://a/x\r\nEvil: 1",
                                       "http://a:0/",
                                       "http://a:65536/",
                                       "http://a:99999999999/",
                                       "http://a:x/"};
    struct wire w;
    char url[200] = "https://";
    struct tandem_http_request request = plain;
    wire_start(&w, 64);
    for (unsigned i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        request.url = urls[i];
        CHECK_EQUAL(w.http->begin(w.http->ctx, &request), TANDEM_ERROR_ARGUMENT);
    }
    memset(url + 8, 'a', 81);
    request.url = url;
    CHECK_EQUAL(w.http->begin(w.http->ctx, &request), TANDEM_ERROR_SPACE);
    CHECK_EQUAL(w.opens, 0);
}

/* ---- answers ---- */

static void ranges_and_heads(void)
{
    for (EACH_PIECE(i)) {
        struct wire w;
        struct tandem_http_request request = plain;
        request.offset = 5;
        request.extra = "Ota-Errno";
        wire_start(&w, pieces[i]);
        w.answers[0] = "HTTP/1.1 100 Continue\r\nContent-Length: 77\r\n\r\n"
                       "HTTP/1.1 206 Partial Content\r\ncontent-LENGTH:  5 \r\nContent-Range: bytes 5-9/10\r\n"
                       "ETag: \"abc\"\r\nRetry-After: 120\r\nX-Folded: a\r\n b\r\nota-errno: 4\r\n\r\n56789";
        CHECK_EQUAL(fetch(&w, &request), TANDEM_OK);
        CHECK(body_is(&w, "56789"));
        CHECK_EQUAL(w.response->status, 206);
        CHECK_EQUAL(w.response->length, 5);
        CHECK_EQUAL(w.response->first, 5);
        CHECK_EQUAL(w.response->last, 9);
        CHECK_EQUAL(w.response->total, 10);
        CHECK_EQUAL(w.response->retry_after_s, 120);
        CHECK(strcmp(w.response->etag, "\"abc\"") == 0);
        CHECK(w.response->has_extra && strcmp(w.response->extra, "4") == 0);
        CHECK(strstr(w.sent, "Range: bytes=5-\r\n") != NULL);
        w.answers[1] = "HTTP/1.1 416 No\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\n\r\n";
        CHECK_EQUAL(fetch(&w, &request), TANDEM_OK);
        CHECK_EQUAL(w.response->status, 416);
        CHECK_EQUAL(w.response->first, TANDEM_HTTP_UNKNOWN);
        CHECK_EQUAL(w.response->total, 10);
        CHECK_EQUAL(w.body_size, 0);
        CHECK(!w.response->has_extra);
        CHECK_EQUAL(w.opens, 1); /* one connection for both */
    }
}

static void chunks(void)
{
    for (EACH_PIECE(i)) {
        struct wire w;
        wire_start(&w, pieces[i]);
        w.answers[0] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
                       "3;ext=\"a;b\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\nAnother: y\r\n\r\n";
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
        CHECK(body_is(&w, "abc0123456789"));
        CHECK_EQUAL(w.response->length, TANDEM_HTTP_UNKNOWN);
        w.answers[1] = "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n";
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
        CHECK_EQUAL(w.opens, 1);
        static const char *const bad[] = {"g\r\n", "\r\n", "fffffffff\r\n", "1\r\nab\r\n", "2x\r\nab"};
        for (unsigned j = 0; j < sizeof bad / sizeof bad[0]; j++) {
            char text[200];
            wire_start(&w, pieces[i]);
            snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s", bad[j]);
            w.answers[0] = text;
            CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_PROTOCOL);
            CHECK_EQUAL(w.open, 0);
        }
        wire_start(&w, pieces[i]); /* X8: ends in the middle, which is no success */
        w.answers[0] = "!HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc";
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_TRUNCATED);
        CHECK(body_is(&w, "abc"));
    }
}

/* X16: a body that ends before its length is an error, and what came is handed out first. */
static void short_bodies(void)
{
    for (EACH_PIECE(i)) {
        struct wire w;
        wire_start(&w, pieces[i]);
        w.answers[0] = "!HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345";
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_TRUNCATED);
        CHECK(body_is(&w, "12345"));
        wire_start(&w, pieces[i]); /* without a length the end of the connection ends it */
        w.answers[0] = "!HTTP/1.0 200 OK\r\n\r\n12345";
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
        CHECK(body_is(&w, "12345"));
        CHECK_EQUAL(w.response->length, TANDEM_HTTP_UNKNOWN);
        wire_start(&w, pieces[i]); /* in the head */
        w.answers[0] = "!HTTP/1.1 200 OK\r\nContent-Le";
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_DISCONNECTED);
        wire_start(&w, pieces[i]); /* more than announced: the rest is not the next answer's */
        w.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
        CHECK(body_is(&w, "ok"));
    }
}

static void bad_heads(void)
{
    static const char *const bad[] = {
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4294967295\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
    };
    for (EACH_PIECE(i))
        for (unsigned j = 0; j < sizeof bad / sizeof bad[0]; j++) {
            struct wire w;
            wire_start(&w, pieces[i]);
            w.answers[0] = bad[j];
            CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_PROTOCOL);
            CHECK_EQUAL(w.open, 0);
        }
}

/* Heads are bounded, and a line longer than the buffer does no harm unless it counts. */
static void long_heads(void)
{
    static char text[20000];
    struct wire w;
    wire_start(&w, 64);
    size_t at = (size_t)snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nX-Long: ");
    memset(text + at, 'x', 3000);
    snprintf(text + at + 3000, 200, "\r\nContent-Length: 2\r\n\r\nok");
    w.answers[0] = text;
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    CHECK(body_is(&w, "ok"));
    wire_start(&w, 64);
    memset(text + at, 'x', sizeof text - at - 1);
    w.answers[0] = text;
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_PROTOCOL);
    wire_start(&w, 64);
    at = (size_t)snprintf(text, sizeof text, "HTTP/1.1 302 Found\r\nLocation: http://b.example/");
    memset(text + at, 'x', 600);
    snprintf(text + at + 600, 200, "\r\nContent-Length: 0\r\n\r\n");
    w.answers[0] = text;
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_SPACE);
}

/* ---- X9: redirects ---- */

static void redirects(void)
{
    static const unsigned codes[] = {301, 302, 303, 307, 308};
    for (EACH_PIECE(i))
        for (unsigned j = 0; j < 5; j++) {
            struct wire w;
            char text[200];
            wire_start(&w, pieces[i]);
            snprintf(text, sizeof text,
                     "HTTP/1.1 %u Moved\r\nLocation: https://b.example/y?z#f\r\nContent-Length: 4\r\n\r\nbody",
                     codes[j]);
            w.answers[0] = text;
            w.answers[1] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            w.answers[2] = w.answers[1];
            CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
            CHECK(body_is(&w, "ok"));
            CHECK(strcmp(w.host, "b.example") == 0);
            CHECK_EQUAL(w.tls, 1);
            CHECK_EQUAL(w.port, 443);
            const char *second = strstr(w.sent, "GET /y?z HTTP/1.1\r\nHost: b.example\r\n");
            REQUIRE(second != NULL);
            CHECK(strstr(second, "secret") == NULL);   /* credentials stay at home */
            CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK); /* and the next exchange asks at home again */
            CHECK(strcmp(w.host, "a.example") == 0);
            CHECK(strstr(second, "secret") != NULL);
        }
}

static unsigned count(const char *text, const char *word)
{
    unsigned found = 0;
    while ((text = strstr(text, word)) != NULL) {
        found++;
        text++;
    }
    return found;
}

static void redirects_at_home(void)
{
    struct wire w;
    struct tandem_http_request request = plain;
    wire_start(&w, 5);
    w.answers[0] = "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n";
    w.answers[1] = "HTTP/1.1 302 Found\r\nLocation: https://A.EXAMPLE/third\r\nContent-Length: 0\r\n\r\n";
    w.answers[2] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    CHECK_EQUAL(count(w.sent, "secret"), 3); /* the same host, if anything better protected */
    CHECK_EQUAL(w.opens, 2);
    wire_start(&w, 5); /* back into the open: never */
    request.url = "https://a.example/";
    w.answers[0] = "HTTP/1.1 302 Found\r\nLocation: http://a.example/\r\nContent-Length: 0\r\n\r\n";
    CHECK_EQUAL(fetch(&w, &request), TANDEM_ERROR_PROTOCOL);
    wire_start(&w, 5); /* another port is another server; and what is lost is not found again */
    w.answers[0] = "HTTP/1.1 302 Found\r\nLocation: http://a.example:81/\r\nContent-Length: 0\r\n\r\n";
    w.answers[1] = "HTTP/1.1 302 Found\r\nLocation: //a.example:80/\r\nContent-Length: 0\r\n\r\n";
    w.answers[2] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    CHECK_EQUAL(count(w.sent, "secret"), 1);
    wire_start(&w, 5); /* in a circle */
    for (unsigned i = 0; i < 7; i++)
        w.answers[i] = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n";
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_PROTOCOL);
    CHECK_EQUAL(count(w.sent, "GET "), 6);
    static const char *const bad[] = {"x", "", "?q", "http://u@b/", "ftp://b/", "/a b", "/a\tb"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[200];
        wire_start(&w, 5);
        snprintf(text, sizeof text, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", bad[i]);
        w.answers[0] = text;
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_PROTOCOL);
    }
    wire_start(&w, 5); /* without a target it is an answer like others */
    w.answers[0] = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n";
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    CHECK_EQUAL(w.response->status, 302);
}

static void redirected_reports(void)
{
    struct wire w;
    struct tandem_http_request request = {
        .method = "POST", .url = "http://a.example/", .body = "hello", .body_size = 5};
    wire_start(&w, 9);
    w.answers[0] = "HTTP/1.1 307 Moved\r\nLocation: https://a.example/\r\nContent-Length: 0\r\n\r\n";
    w.answers[1] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    CHECK_EQUAL(fetch(&w, &request), TANDEM_OK);
    CHECK_EQUAL(count(w.sent, "hello"), 2);
    wire_start(&w, 9);
    w.answers[0] = "HTTP/1.1 302 Moved\r\nLocation: https://a.example/\r\nContent-Length: 0\r\n\r\n";
    CHECK_EQUAL(fetch(&w, &request), TANDEM_ERROR_PROTOCOL);
}

/* ---- connections ---- */

/* X5: one connection for all slices; a kept one that died is opened again, once, except for a report. */
static void kept_connections(void)
{
    struct wire w;
    struct tandem_http_request report = {.method = "POST", .url = "http://a.example/", .body = "x", .body_size = 1};
    const char *ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    wire_start(&w, 4096);
    w.answers[0] = w.answers[1] = w.answers[2] = ok;
    w.answers[3] = "-";
    w.answers[4] = ok;
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    CHECK_EQUAL(w.opens, 2);
    CHECK_EQUAL(count(w.sent, "GET "), 5);
    w.answers[5] = "-";
    CHECK_EQUAL(fetch(&w, &report), TANDEM_ERROR_DISCONNECTED);
    wire_start(&w, 4096); /* a fresh connection that dies is not tried again here */
    w.answers[0] = "-";
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_DISCONNECTED);
    wire_start(&w, 4096); /* closed while idle; closed because it was said */
    w.answers[0] = "!HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    w.answers[1] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    w.answers[2] = ok;
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    CHECK_EQUAL(w.opens, 3);
    w.http->poll(w.http->ctx, w.now += 5000); /* a report does not go over a connection that has long been idle */
    w.answers[3] = ok;
    CHECK_EQUAL(fetch(&w, &report), TANDEM_OK);
    CHECK_EQUAL(w.opens, 4);
    wire_start(&w, 4096); /* what comes before the next request is not its answer */
    w.answers[0] = w.answers[1] = ok;
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    REQUIRE(w.http->begin(w.http->ctx, &plain) == TANDEM_OK);
    CHECK_EQUAL(tandem_http_client_receive(&w.client, "HTTP/1.1 408 Late\r\n", 19), 19);
    CHECK_EQUAL(w.open, 0);
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    CHECK_EQUAL(w.response->status, 200);
    CHECK_EQUAL(w.opens, 2);
    wire_start(&w, 4096); /* given up in the middle: closed */
    w.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok";
    REQUIRE(w.http->begin(w.http->ctx, &plain) == TANDEM_OK);
    for (unsigned i = 0; i < 5; i++) {
        w.http->poll(w.http->ctx, w.now += 10);
        serve(&w);
    }
    w.http->cancel(w.http->ctx);
    CHECK_EQUAL(w.open, 0);
    wire_start(&w, 4096);
    w.refuse = 1;
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_DISCONNECTED);
}

/* X6, X14: no limit on the whole, one on silence and one on the rate. */
static void patience(void)
{
    struct wire w;
    struct tandem_http_limits limits = {.slow_ms = 1000, .slow_bytes = 50};
    size_t got;
    uint8_t byte;
    wire_start(&w, 4096);
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_ERROR_TIMEOUT);
    CHECK(w.now >= 30000 && w.now < 31000);
    wire_start(&w, 4096); /* an hour at one byte a second is fine if nobody minds */
    REQUIRE(w.http->begin(w.http->ctx, &plain) == TANDEM_OK);
    w.http->poll(w.http->ctx, 10);
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    CHECK_EQUAL(tandem_http_client_receive(&w.client, head, sizeof head - 1), sizeof head - 1);
    for (unsigned i = 1; i < 3600; i++) {
        w.http->poll(w.http->ctx, 10 + i * 1000);
        CHECK_EQUAL(tandem_http_client_receive(&w.client, "x", 1), 1);
        CHECK_EQUAL(w.http->read(w.http->ctx, &byte, 1, &got), TANDEM_OK);
        CHECK_EQUAL(got, 1);
    }
    w.http->poll(w.http->ctx, 10 + 3599 * 1000 + 30001);
    CHECK_EQUAL(w.http->read(w.http->ctx, &byte, 1, &got), TANDEM_ERROR_TIMEOUT);
    wire_start(&w, 4096); /* if somebody minds it is over after a second */
    REQUIRE(tandem_http_client_init(&w.client, &w.dial, &w.stream, w.buffer, sizeof w.buffer, &limits) == TANDEM_OK);
    REQUIRE(w.http->begin(w.http->ctx, &plain) == TANDEM_OK);
    w.http->poll(w.http->ctx, 10);
    (void)tandem_http_client_receive(&w.client, head, sizeof head - 1);
    for (unsigned i = 1; i < 12; i++) {
        w.http->poll(w.http->ctx, 10 + i * 100);
        (void)tandem_http_client_receive(&w.client, "x", 1);
        (void)w.http->read(w.http->ctx, &byte, 1, &got);
    }
    CHECK_EQUAL(w.http->read(w.http->ctx, &byte, 1, &got), TANDEM_ERROR_TIMEOUT);
}

/* A reader that is slow holds the server back, and nothing is lost or timed out. */
static void back_pressure(void)
{
    static char text[3200];
    struct wire w;
    wire_start(&w, 4096);
    size_t at = (size_t)snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n");
    for (unsigned i = 0; i < 3000; i++)
        text[at + i] = (char)('a' + i % 26);
    w.answers[0] = text;
    REQUIRE(w.http->begin(w.http->ctx, &plain) == TANDEM_OK);
    for (unsigned i = 0; i < 20; i++) {
        w.http->poll(w.http->ctx, w.now += 10000);
        serve(&w);
    }
    CHECK_EQUAL(w.client.fill, sizeof w.buffer);
    w.body_size = 0;
    size_t got = 1;
    while (got > 0) {
        w.http->poll(w.http->ctx, w.now += 10);
        serve(&w);
        REQUIRE(w.http->read(w.http->ctx, w.body + w.body_size, 33, &got) == TANDEM_OK);
        w.body_size += got;
    }
    CHECK_EQUAL(w.body_size, 3000);
    CHECK_BYTES(w.body, text + at, 3000);
}

/* The clock may be anywhere when the first exchange begins. */
static void late_clock(void)
{
    struct wire w;
    wire_start(&w, 64);
    w.now = 0xFFFFF000u;
    w.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    CHECK(body_is(&w, "ok"));
}

static void buffers(void)
{
    struct wire w;
    wire_start(&w, 64);
    CHECK_EQUAL(tandem_http_client_init(&w.client, &w.dial, &w.stream, w.buffer, 127, NULL), TANDEM_ERROR_SPACE);
    CHECK_EQUAL(tandem_http_client_init(&w.client, &w.dial, &w.stream, NULL, 512, NULL), TANDEM_ERROR_SPACE);
    REQUIRE(tandem_http_client_init(&w.client, &w.dial, &w.stream, w.buffer, 128, NULL) == TANDEM_OK);
    w.answers[0] = "HTTP/1.1 302 Found\r\nLocation: http://b.example/0123456789012345678901234567\r\n\r\n";
    w.answers[1] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    CHECK_EQUAL(fetch(&w, &plain), TANDEM_OK);
    CHECK(body_is(&w, "ok"));
}

int main(void)
{
    RUN(what_is_sent);
    RUN(bad_urls);
    RUN(ranges_and_heads);
    RUN(chunks);
    RUN(short_bodies);
    RUN(bad_heads);
    RUN(long_heads);
    RUN(redirects);
    RUN(redirects_at_home);
    RUN(redirected_reports);
    RUN(kept_connections);
    RUN(patience);
    RUN(back_pressure);
    RUN(late_clock);
    RUN(buffers);
    return check_report();
}
