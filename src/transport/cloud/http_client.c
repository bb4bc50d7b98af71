/*
 * A small HTTP/1.1 client. One buffer serves three turns: the request is
 * gathered in it, then the lines of the answer's head, then its body waits
 * there to be read. Of a head only what counts is kept.
 *
 * RFC 9110, RFC 9112.
 */
#include "tandem/http.h"

#include <string.h>

enum {
    IDLE,       /* nothing under way */
    OPENING,    /* a connection */
    SENDING,    /* the request */
    STATUS,     /* waits for the answer's first line, or is in it */
    HEADERS,    /* in the lines after it */
    BODY,       /* `left` bytes of it are to come */
    BODY_CLOSE, /* it ends with the connection */
    CHUNK_SIZE, /* in the number in front of a chunk */
    CHUNK_REST, /* behind it, up to the end of its line */
    CHUNK_DATA, /* `left` bytes of it are to come */
    CHUNK_END,  /* the line end behind it */
    TRAILER,    /* in the lines after the last chunk */
    WHOLE,      /* all is here */
    CUT_SHORT,  /* the body, by `error` */
    FAILED      /* before the body, by `error` */
};

#define CONNECTED 0x01u /* the connection is open */
#define REUSED 0x02u    /* and has served before */
#define CLOSING 0x04u   /* the server will close it */
#define CHUNKED 0x08u   /* the body is in chunks */
#define FOREIGN 0x10u   /* a redirect led to another host */
#define TLS 0x20u       /* the target wants it */
#define CUT 0x40u       /* the line in hand is longer than the buffer */
#define MOVED 0x80u     /* the answer is a redirect */
#define OF_TARGET (CONNECTED | REUSED | TLS)

#define LINE_MIN 64u      /* bytes that the buffer must have besides a redirect's target */
#define IDLE_MAX_MS 4000u /* after so long a kept connection is not trusted with what must not be sent twice */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether `text` begins with `word`, whatever the case. */
static int begins(const char *text, const char *word)
{
    while (*word != 0 && lower(*text) == *word) {
        text++;
        word++;
    }
    return *word == 0;
}

static size_t text_size(const char *text)
{
    size_t size = 0;

    while (text[size] != 0)
        size++;
    return size;
}

static void drop_connection(struct tandem_http_client *client)
{
    if ((client->flags & CONNECTED) != 0 || client->state == OPENING)
        client->dial->close(client->dial->ctx);
    client->flags &= (uint8_t) ~(CONNECTED | REUSED);
}

static int in_body(const struct tandem_http_client *client)
{
    return client->state >= BODY && client->state <= TRAILER;
}

static enum tandem_status fail(struct tandem_http_client *client, enum tandem_status status)
{
    drop_connection(client);
    client->state = in_body(client) ? CUT_SHORT : FAILED;
    client->error = (uint8_t)status;
    return status;
}

/* ---- numbers ---- */

/* The number at `*text`, which moves behind it; TANDEM_HTTP_UNKNOWN: none, or too large. */
static uint32_t number_at(const char **text)
{
    uint32_t number = 0;
    const char *begin = *text;
    int fits = 1;

    while (**text >= '0' && **text <= '9') {
        uint32_t digit = (uint32_t)(**text - '0');
        if (number > (TANDEM_HTTP_UNKNOWN - 1 - digit) / 10)
            fits = 0;
        else
            number = number * 10 + digit;
        (*text)++;
    }
    return fits && *text != begin ? number : TANDEM_HTTP_UNKNOWN;
}

/* A text that is one number. */
static uint32_t whole_number(const char *text)
{
    uint32_t number = number_at(&text);

    return *text == 0 ? number : TANDEM_HTTP_UNKNOWN;
}

static size_t put_number(char *to, uint32_t number)
{
    char digits[10];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t i = 0; i < count; i++)
        to[i] = digits[count - 1 - i];
    to[count] = 0;
    return count;
}

/* ---- targets ---- */

struct target {
    const char *host;
    size_t host_size;
    const char *path;
    uint32_t port;
    uint8_t tls;
};

static enum tandem_status parse_authority(struct target *target, const char *text)
{
    target->host = text;
    while (*text != 0 && *text != ':' && *text != '/' && *text != '?' && *text != '#') {
        if (*text == '@' || *text == '[')
            return TANDEM_ERROR_ARGUMENT; /* names and passwords do not belong here; no literal IPv6 */
        text++;
    }
    target->host_size = (size_t)(text - target->host);
    target->port = target->tls ? 443 : 80;
    if (*text == ':') {
        text++;
        target->port = number_at(&text);
    }
    target->path = text;
    if (target->host_size == 0 || target->port == 0 || target->port > 65535)
        return TANDEM_ERROR_ARGUMENT;
    return target->host_size <= TANDEM_HTTP_HOST_MAX ? TANDEM_OK : TANDEM_ERROR_SPACE;
}

static int same_host(const struct tandem_http_client *client, const struct target *target)
{
    if (client->host_size != target->host_size)
        return 0;
    for (size_t i = 0; i < target->host_size; i++)
        if (lower(client->host[i]) != lower(target->host[i]))
            return 0;
    return 1;
}

static int same_server(const struct tandem_http_client *client, const struct target *target)
{
    return same_host(client, target) && client->target_port == target->port &&
           ((client->flags & TLS) != 0) == target->tls;
}

/* From here on the client speaks to this target. */
static void aim(struct tandem_http_client *client, const struct target *target)
{
    if (!same_server(client, target) || (client->flags & CLOSING) != 0)
        drop_connection(client);
    memmove(client->host, target->host, target->host_size);
    client->host_size = (uint8_t)target->host_size;
    client->target_port = (uint16_t)target->port;
    client->flags &= (uint8_t)~TLS;
    if (target->tls)
        client->flags |= TLS;
    client->path = target->path;
}

/* Parse a URL; `relative` allows one without scheme, for the same server. */
static enum tandem_status parse_url(const struct tandem_http_client *client, struct target *target, const char *url,
                                    int relative)
{
    for (const char *c = url; *c != 0; c++)
        if (*c <= ' ' || *c == 0x7F)
            return TANDEM_ERROR_ARGUMENT; /* would end the line it is written to */
    target->tls = (client->flags & TLS) != 0;
    if (begins(url, "http://")) {
        target->tls = 0;
        return parse_authority(target, url + 7);
    }
    if (begins(url, "https://")) {
        target->tls = 1;
        return parse_authority(target, url + 8);
    }
    if (!relative || url[0] != '/')
        return TANDEM_ERROR_ARGUMENT;
    if (url[1] == '/')
        return parse_authority(target, url + 2);
    target->host = client->host;
    target->host_size = client->host_size;
    target->port = client->target_port;
    target->path = url;
    return TANDEM_OK;
}

/* ---- the request ---- */

static void forget_answer(struct tandem_http_client *client)
{
    client->flags &= OF_TARGET | FOREIGN;
    memset(&client->response, 0, sizeof client->response);
    client->response.length = client->response.first = client->response.last = TANDEM_HTTP_UNKNOWN;
    client->response.total = client->response.retry_after_s = TANDEM_HTTP_UNKNOWN;
}

static void start_sending(struct tandem_http_client *client)
{
    forget_answer(client);
    client->piece = 0;
    client->piece_at = 0;
    client->at = client->fill = client->stash;
    client->head_size = 0;
    client->heard_ms = client->now;
    client->fresh = 1;
    client->state = (client->flags & CONNECTED) != 0 ? SENDING : OPENING;
}

/* The text that goes with a header, if it goes out at all. */
static const char *range_text(struct tandem_http_client *client)
{
    const struct tandem_http_request *request = client->request;

    if (request->offset == 0 && request->length == 0)
        return NULL;
    size_t size = put_number(client->number, request->offset);
    client->number[size++] = '-';
    client->number[size] = 0;
    if (request->length > 0) {
        uint32_t last = request->offset + (request->length - 1);
        put_number(client->number + size, last < request->offset ? TANDEM_HTTP_UNKNOWN - 1 : last);
    }
    return client->number;
}

static const char *port_text(struct tandem_http_client *client)
{
    if (client->target_port == ((client->flags & TLS) != 0 ? 443 : 80))
        return NULL;
    put_number(client->number, client->target_port);
    return client->number;
}

static const char *length_text(struct tandem_http_client *client)
{
    if (client->request->body == NULL)
        return NULL;
    put_number(client->number, client->request->body_size);
    return client->number;
}

enum { PIECE_PATH = 1, PIECE_HOST = 3, PIECE_BODY = 20, PIECE_END };

/* Value of the header that piece `piece` is of; NULL: it is not sent. */
static const char *header_value(struct tandem_http_client *client, unsigned piece)
{
    const struct tandem_http_request *request = client->request;

    switch (piece / 2) {
    case 2:
        return port_text(client);
    case 3:
        return (client->flags & FOREIGN) == 0 ? request->authorization : NULL;
    case 4:
        return request->accept;
    case 5:
        return request->content_type;
    case 6:
        return range_text(client);
    case 7:
        return request->if_range;
    case 8:
        return length_text(client);
    default:
        return "identity\r\nUser-Agent: Tandem\r\n\r\n";
    }
}

/* A piece of the request. Even ones from 4 on name a header whose value is the next one. */
static const char *piece_text(struct tandem_http_client *client, unsigned piece, size_t *size)
{
    static const char *const names[] = {":",
                                        "\r\nAuthorization: ",
                                        "\r\nAccept: ",
                                        "\r\nContent-Type: ",
                                        "\r\nRange: bytes=",
                                        "\r\nIf-Range: ",
                                        "\r\nContent-Length: ",
                                        "\r\nAccept-Encoding: "};
    const char *text;

    if (piece == PIECE_BODY) {
        *size = client->request->body != NULL ? client->request->body_size : 0;
        return client->request->body;
    }
    if (piece == PIECE_HOST) {
        *size = client->host_size;
        return client->host;
    }
    if (piece == PIECE_PATH) {
        text = client->path;
        for (*size = 0; text[*size] != 0 && text[*size] != '#';)
            (*size)++;
        return text;
    }
    if (piece == 0) {
        text = client->request->method;
    } else if (piece == 2) {
        text = " HTTP/1.1\r\nHost: ";
    } else {
        text = header_value(client, piece);
        if (text != NULL && piece % 2 == 0)
            text = names[piece / 2 - 2];
    }
    *size = text != NULL ? text_size(text) : 0;
    return text;
}

/* Gather what fits of the request. */
static void gather(struct tandem_http_client *client)
{
    while (client->piece < PIECE_END && client->fill < client->size) {
        size_t size, room = (size_t)(client->size - client->fill);
        const char *text = piece_text(client, client->piece, &size);
        size_t left = size - client->piece_at, take = left < room ? left : room;

        if (take > 0)
            memcpy(client->buffer + client->fill, text + client->piece_at, take);
        client->fill = (uint16_t)(client->fill + take);
        client->piece_at = (uint16_t)(client->piece_at + take);
        if (take < left)
            return;
        if (client->piece == 0 && client->fill + 2 > client->size)
            return; /* the blank comes with the next buffer */
        if (client->piece == 0) {
            client->buffer[client->fill++] = ' ';
            if (client->path[0] != '/')
                client->buffer[client->fill++] = '/';
        }
        client->piece++;
        client->piece_at = 0;
    }
}

static void send_request(struct tandem_http_client *client)
{
    for (;;) {
        size_t sent = 0, left = (size_t)(client->fill - client->at);

        if (left == 0) {
            client->at = client->fill = client->stash;
            gather(client);
            left = (size_t)(client->fill - client->at);
        }
        if (left == 0) {
            client->state = STATUS;
            return;
        }
        enum tandem_status status =
            client->stream->write(client->stream->ctx, client->buffer + client->at, left, &sent);
        if (status != TANDEM_OK) {
            if (status == TANDEM_ERROR_DISCONNECTED)
                tandem_http_client_closed(client);
            else
                (void)fail(client, status);
            return;
        }
        if (sent == 0 || sent > left)
            return;
        client->at = (uint16_t)(client->at + sent);
        client->heard_ms = client->now;
    }
}

/* ---- the answer's head ---- */

static void parse_range(struct tandem_http_response *response, const char *value)
{
    if (begins(value, "bytes"))
        value += 5;
    while (*value == ' ' || *value == '=')
        value++;
    if (*value == '*') {
        value++;
    } else {
        response->first = number_at(&value);
        if (*value++ != '-') {
            response->first = TANDEM_HTTP_UNKNOWN;
            return;
        }
        response->last = number_at(&value);
    }
    if (*value++ == '/')
        response->total = whole_number(value);
}

static enum tandem_status take_length(struct tandem_http_client *client, const char *value)
{
    uint32_t length = whole_number(value);

    if (length == TANDEM_HTTP_UNKNOWN ||
        (client->response.length != TANDEM_HTTP_UNKNOWN && client->response.length != length))
        return TANDEM_ERROR_PROTOCOL;
    client->response.length = length;
    return TANDEM_OK;
}

static enum tandem_status take_location(struct tandem_http_client *client, const char *value)
{
    size_t size = text_size(value) + 1;

    if ((client->flags & MOVED) == 0)
        return TANDEM_OK;
    if (size + LINE_MIN > client->size || (client->flags & CUT) != 0)
        return TANDEM_ERROR_SPACE;
    memmove(client->buffer, value, size);
    client->stash = (uint16_t)size;
    return TANDEM_OK;
}

static void copy_text(char *to, size_t room, const char *from)
{
    size_t size = text_size(from);

    if (size >= room)
        size = room - 1;
    memcpy(to, from, size);
    to[size] = 0;
}

static enum tandem_status take_header(struct tandem_http_client *client, const char *name, const char *value)
{
    struct tandem_http_response *response = &client->response;

    if (begins(name, "location:"))
        return take_location(client, value);
    if ((client->flags & CUT) != 0)
        return TANDEM_OK; /* nothing else that counts is so long */
    if (begins(name, "content-length:"))
        return take_length(client, value);
    if (begins(name, "transfer-encoding:")) {
        if (!begins(value, "chunked") || text_size(value) != 7)
            return TANDEM_ERROR_PROTOCOL;
        client->flags |= CHUNKED;
    } else if (begins(name, "content-encoding:")) {
        if (!begins(value, "identity"))
            return TANDEM_ERROR_PROTOCOL; /* it was not asked for */
    } else if (begins(name, "content-range:")) {
        parse_range(response, value);
    } else if (begins(name, "etag:")) {
        if (text_size(value) < sizeof response->etag)
            copy_text(response->etag, sizeof response->etag, value);
    } else if (begins(name, "connection:")) {
        if (begins(value, "close"))
            client->flags |= CLOSING;
    } else if (begins(name, "retry-after:")) {
        response->retry_after_s = whole_number(value);
    }
    return TANDEM_OK;
}

/* The header that this request wants besides. */
static void take_extra(struct tandem_http_client *client, const char *name, const char *value)
{
    const char *wanted = client->request->extra;
    size_t i = 0;

    if (wanted == NULL || (client->flags & CUT) != 0)
        return;
    while (wanted[i] != 0 && lower(wanted[i]) == lower(name[i]))
        i++;
    if (wanted[i] != 0 || name[i] != ':')
        return;
    client->response.has_extra = 1;
    copy_text(client->response.extra, sizeof client->response.extra, value);
}

static enum tandem_status header_line(struct tandem_http_client *client, char *line)
{
    char *value = line;

    if (*line == ' ' || *line == '\t')
        return TANDEM_OK; /* a folded line: nothing that counts is long enough for one */
    while (*value != 0 && *value != ':')
        value++;
    if (*value == 0)
        return (client->flags & CUT) != 0 ? TANDEM_OK : TANDEM_ERROR_PROTOCOL;
    value++;
    while (*value == ' ' || *value == '\t')
        value++;
    size_t size = text_size(value);
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        value[--size] = 0;
    take_extra(client, line, value);
    return take_header(client, line, value);
}

static enum tandem_status status_line(struct tandem_http_client *client, const char *line)
{
    uint16_t status = 0;

    if (!begins(line, "http/1.") || (line[7] != '0' && line[7] != '1') || line[8] != ' ')
        return TANDEM_ERROR_PROTOCOL;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return TANDEM_ERROR_PROTOCOL;
        status = (uint16_t)(status * 10 + (line[i] - '0'));
    }
    if (status < 100 || status > 599 || status == 101 || (line[12] != ' ' && line[12] != 0))
        return TANDEM_ERROR_PROTOCOL;
    client->response.status = status;
    if (line[7] == '0')
        client->flags |= CLOSING;
    if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
        client->flags |= MOVED;
    client->state = HEADERS;
    return TANDEM_OK;
}

static enum tandem_status redirect(struct tandem_http_client *client)
{
    struct target target;
    uint16_t status = client->response.status;
    int get = begins(client->request->method, "get");

    if (client->redirects++ == TANDEM_HTTP_REDIRECTS_MAX || (!get && status < 307))
        return TANDEM_ERROR_PROTOCOL; /* a report must not turn into a question */
    enum tandem_status parsed = parse_url(client, &target, (const char *)client->buffer, 1);
    if (parsed != TANDEM_OK)
        return parsed == TANDEM_ERROR_ARGUMENT ? TANDEM_ERROR_PROTOCOL : parsed;
    if ((client->flags & TLS) != 0 && !target.tls)
        return TANDEM_ERROR_PROTOCOL; /* out of the protected into the open */
    int upgrade = target.tls && (client->flags & TLS) == 0 && client->target_port == 80 && target.port == 443;
    if (!same_host(client, &target) || (target.port != client->target_port && !upgrade))
        client->flags |= FOREIGN;
    if (client->response.length != 0 || (client->flags & CHUNKED) != 0)
        client->flags |= CLOSING; /* nobody reads that body */
    aim(client, &target);
    if ((client->flags & CONNECTED) != 0)
        client->flags |= REUSED;
    start_sending(client);
    return TANDEM_OK;
}

static void body_whole(struct tandem_http_client *client)
{
    client->state = WHOLE;
    if ((client->flags & CLOSING) != 0)
        drop_connection(client);
    else
        client->flags |= REUSED;
}

static enum tandem_status head_ended(struct tandem_http_client *client)
{
    uint16_t status = client->response.status;

    if (status < 200) { /* an interim answer: the real one follows */
        forget_answer(client);
        client->stash = client->fill = 0;
        client->state = STATUS;
        return TANDEM_OK;
    }
    if ((client->flags & MOVED) != 0 && client->stash > 0)
        return redirect(client);
    client->stash = client->at = client->fill = 0;
    client->rate = 0;
    client->rate_ms = client->now;
    if (status == 204 || status == 304) {
        client->response.length = 0;
        client->flags &= (uint8_t)~CHUNKED;
    }
    if ((client->flags & CHUNKED) != 0) {
        client->response.length = TANDEM_HTTP_UNKNOWN;
        client->left = TANDEM_HTTP_UNKNOWN;
        client->state = CHUNK_SIZE;
    } else if (client->response.length == TANDEM_HTTP_UNKNOWN) {
        client->state = BODY_CLOSE;
    } else {
        client->left = client->response.length;
        client->state = BODY;
        if (client->left == 0)
            body_whole(client);
    }
    return TANDEM_OK;
}

static enum tandem_status line_ended(struct tandem_http_client *client)
{
    char *line = (char *)client->buffer + client->stash;
    size_t size = (size_t)(client->fill - client->stash);

    if (size > 0 && line[size - 1] == '\r')
        size--;
    line[size] = 0;
    client->fill = client->stash;
    enum tandem_status status;
    if (size == 0 && (client->flags & CUT) == 0)
        status = client->state == STATUS ? TANDEM_OK : head_ended(client);
    else
        status = client->state == STATUS ? status_line(client, line) : header_line(client, line);
    client->flags &= (uint8_t)~CUT;
    /* A redirect's target found in this line moved the place of the next one. */
    if (client->state == HEADERS)
        client->fill = client->stash;
    return status;
}

static enum tandem_status head_byte(struct tandem_http_client *client, uint8_t byte)
{
    if (++client->head_size > TANDEM_HTTP_HEAD_MAX)
        return TANDEM_ERROR_PROTOCOL;
    if (byte == '\n')
        return line_ended(client);
    if (byte == 0)
        return TANDEM_ERROR_PROTOCOL;
    if (client->fill + 1 < client->size) /* one is kept for the end */
        client->buffer[client->fill++] = byte;
    else
        client->flags |= CUT;
    return TANDEM_OK;
}

/* ---- the body ---- */

/* Store body bytes. @return how many were taken */
static size_t store_body(struct tandem_http_client *client, const uint8_t *data, size_t size)
{
    if (client->at == client->fill) {
        client->at = client->fill = 0;
    } else if (client->fill == client->size && client->at > 0) {
        memmove(client->buffer, client->buffer + client->at, (size_t)(client->fill - client->at));
        client->fill = (uint16_t)(client->fill - client->at);
        client->at = 0;
    }
    size_t room = (size_t)(client->size - client->fill), take = size < room ? size : room;
    if (client->state != BODY_CLOSE && take > client->left)
        take = client->left;
    memcpy(client->buffer + client->fill, data, take);
    client->fill = (uint16_t)(client->fill + take);
    client->rate += (uint32_t)take;
    if (client->state != BODY_CLOSE)
        client->left -= (uint32_t)take;
    return take;
}

static int hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* What surrounds chunks, byte by byte. `left` counts the chunk, UNKNOWN before its first digit; in the trailer it
 * counts the line. */
static enum tandem_status chunk_byte(struct tandem_http_client *client, uint8_t byte)
{
    int digit = hex_value(byte);

    switch (client->state) {
    case CHUNK_SIZE:
        if (digit >= 0) {
            uint32_t before = client->left == TANDEM_HTTP_UNKNOWN ? 0 : client->left;
            if (before > 0x07FFFFFFu)
                return TANDEM_ERROR_PROTOCOL;
            client->left = before * 16 + (uint32_t)digit;
            return TANDEM_OK;
        }
        if (client->left == TANDEM_HTTP_UNKNOWN || (byte != ';' && byte != ' ' && byte != '\r' && byte != '\n'))
            return TANDEM_ERROR_PROTOCOL;
        client->state = CHUNK_REST;
        /* fall through */
    case CHUNK_REST:
        if (byte == '\n') {
            client->head_size = 0;
            client->state = client->left > 0 ? CHUNK_DATA : TRAILER;
        } else if (++client->head_size > TANDEM_HTTP_HEAD_MAX) {
            return TANDEM_ERROR_PROTOCOL;
        }
        return TANDEM_OK;
    case CHUNK_END:
        if (byte == '\n') {
            client->left = TANDEM_HTTP_UNKNOWN;
            client->state = CHUNK_SIZE;
            return TANDEM_OK;
        }
        return byte == '\r' ? TANDEM_OK : TANDEM_ERROR_PROTOCOL;
    default: /* the trailer: read over */
        if (++client->head_size > TANDEM_HTTP_HEAD_MAX)
            return TANDEM_ERROR_PROTOCOL;
        if (byte == '\n' && client->left == 0)
            body_whole(client);
        else if (byte == '\n')
            client->left = 0;
        else if (byte != '\r')
            client->left = 1;
        return TANDEM_OK;
    }
}

/* ---- bytes in ---- */

size_t tandem_http_client_receive(struct tandem_http_client *client, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t at = 0;

    if (size > 0 && client->state == SENDING && client->piece == 0) {
        /* An answer to nothing: what a server says before it closes a connection that was idle too long. */
        drop_connection(client);
        start_sending(client);
    }
    while (at < size && client->state >= SENDING && client->state < WHOLE) {
        enum tandem_status status = TANDEM_OK;
        size_t take = 1;

        client->heard_ms = client->now;
        if (client->state == SENDING || (client->state == STATUS && client->head_size == 0)) {
            if (client->state == SENDING)
                client->flags |= CLOSING; /* it does not want to hear the rest */
            client->state = STATUS;
            client->stash = client->at = client->fill = 0;
        }
        if (client->state == STATUS || client->state == HEADERS) {
            status = head_byte(client, bytes[at]);
        } else if (client->state == BODY || client->state == BODY_CLOSE || client->state == CHUNK_DATA) {
            take = store_body(client, bytes + at, size - at);
            if (take == 0)
                break;
            if (client->state == BODY && client->left == 0)
                body_whole(client);
            else if (client->state == CHUNK_DATA && client->left == 0)
                client->state = CHUNK_END;
        } else {
            status = chunk_byte(client, bytes[at]);
        }
        at += take;
        if (status != TANDEM_OK)
            (void)fail(client, status);
    }
    if (at < size && client->state < SENDING)
        return size; /* after its time: nobody wants it */
    if (at < size && client->state >= WHOLE) {
        drop_connection(client); /* more than it announced: what follows cannot be trusted */
        return size;
    }
    return at;
}

void tandem_http_client_closed(struct tandem_http_client *client)
{
    int answered = client->head_size > 0, again = (client->flags & REUSED) != 0;

    if (client->state == OPENING)
        return;
    drop_connection(client);
    if (client->state == BODY_CLOSE) {
        client->state = WHOLE;
    } else if (in_body(client)) {
        (void)fail(client, TANDEM_ERROR_TRUNCATED);
    } else if (client->state == SENDING || client->state == STATUS || client->state == HEADERS) {
        /* A kept connection may have been closed just before the request arrived. */
        if (again && !answered && !begins(client->request->method, "post"))
            start_sending(client);
        else
            (void)fail(client, TANDEM_ERROR_DISCONNECTED);
    }
}

/* ---- the port ---- */

static void http_cancel(void *ctx)
{
    struct tandem_http_client *client = ctx;

    if (client->state != WHOLE)
        drop_connection(client);
    client->state = IDLE;
}

static enum tandem_status http_begin(void *ctx, const struct tandem_http_request *request)
{
    struct tandem_http_client *client = ctx;
    struct target target;

    http_cancel(client);
    enum tandem_status status = parse_url(client, &target, request->url, 0);
    if (status != TANDEM_OK)
        return status;
    client->request = request;
    client->redirects = 0;
    client->stash = 0;
    if (begins(request->method, "post") && client->now - client->heard_ms > IDLE_MAX_MS)
        drop_connection(client);
    aim(client, &target);
    client->flags &= OF_TARGET;
    start_sending(client);
    return TANDEM_OK;
}

static enum tandem_status http_head(void *ctx, const struct tandem_http_response **response)
{
    struct tandem_http_client *client = ctx;

    *response = &client->response;
    if (client->state == FAILED)
        return (enum tandem_status)client->error;
    if (client->state == IDLE)
        return TANDEM_ERROR_DISCONNECTED;
    return client->state >= BODY ? TANDEM_OK : TANDEM_AGAIN;
}

static enum tandem_status http_read(void *ctx, void *data, size_t size, size_t *got)
{
    struct tandem_http_client *client = ctx;
    size_t there = client->state >= BODY && client->state != FAILED ? (size_t)(client->fill - client->at) : 0;

    *got = size < there ? size : there;
    if (*got > 0) {
        if (client->fill == client->size)
            client->heard_ms = client->now; /* it was the reader who kept the server waiting */
        memcpy(data, client->buffer + client->at, *got);
        client->at = (uint16_t)(client->at + *got);
        return TANDEM_OK;
    }
    if (client->state >= CUT_SHORT)
        return (enum tandem_status)client->error;
    if (client->state == IDLE)
        return TANDEM_ERROR_DISCONNECTED;
    return client->state == WHOLE ? TANDEM_OK : TANDEM_AGAIN;
}

static void check_patience(struct tandem_http_client *client)
{
    const struct tandem_http_limits *limits = &client->limits;
    uint32_t patience = client->state == OPENING ? limits->connect_ms : limits->silence_ms;
    int unread = in_body(client) && client->fill > client->at;

    if (client->now - client->heard_ms > patience && !unread) {
        (void)fail(client, TANDEM_ERROR_TIMEOUT);
        return;
    }
    if (!in_body(client) || client->now - client->rate_ms < limits->slow_ms)
        return;
    if (client->rate < limits->slow_bytes && !unread)
        (void)fail(client, TANDEM_ERROR_TIMEOUT);
    client->rate = 0;
    client->rate_ms = client->now;
}

static void http_poll(void *ctx, uint32_t now_ms)
{
    struct tandem_http_client *client = ctx;

    client->now = now_ms;
    if (client->fresh) { /* only now it is known when it began */
        client->heard_ms = now_ms;
        client->fresh = 0;
    }
    if (client->state == OPENING) {
        enum tandem_status status = client->dial->open(client->dial->ctx, client->host, client->host_size,
                                                       client->target_port, (client->flags & TLS) != 0);
        if (status == TANDEM_OK) {
            client->flags |= CONNECTED;
            client->heard_ms = now_ms;
            client->state = SENDING;
        } else if (status != TANDEM_AGAIN) {
            (void)fail(client, status);
        }
    }
    if (client->state == SENDING)
        send_request(client);
    if (client->state >= OPENING && client->state < WHOLE)
        check_patience(client);
}

enum tandem_status tandem_http_client_init(struct tandem_http_client *client, const struct tandem_dial_port *dial,
                                           const struct tandem_stream_port *stream, uint8_t *buffer, size_t size,
                                           const struct tandem_http_limits *limits)
{
    memset(client, 0, sizeof *client);
    if (buffer == NULL || size < TANDEM_HTTP_BUFFER_MIN)
        return TANDEM_ERROR_SPACE;
    client->port.ctx = client;
    client->port.begin = http_begin;
    client->port.head = http_head;
    client->port.read = http_read;
    client->port.cancel = http_cancel;
    client->port.poll = http_poll;
    client->dial = dial;
    client->stream = stream;
    client->buffer = buffer;
    client->size = (uint16_t)(size < 0xFFFF ? size : 0xFFFF);
    if (limits != NULL)
        client->limits = *limits;
    if (client->limits.connect_ms == 0)
        client->limits.connect_ms = 20000;
    if (client->limits.silence_ms == 0)
        client->limits.silence_ms = 30000;
    if (client->limits.slow_ms == 0)
        client->limits.slow_ms = 60000;
    return TANDEM_OK;
}

const struct tandem_http_port *tandem_http_client_port(const struct tandem_http_client *client)
{
    return &client->port;
}
