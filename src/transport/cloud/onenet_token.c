/*
 * OneNET's token: who asks and until when, signed with an access key. An HMAC
 * whose hash the product chooses, so it is written out here for three of them.
 */
#include "tandem/cloud.h"

#include <string.h>

#define BLOCK 64u
#define VERSION "2018-10-31"

union hash {
    struct tandem_md5 md5;
    struct tandem_sha1 sha1;
    struct tandem_sha256 sha256;
};

static void begin(union hash *hash, uint8_t method)
{
    if (method == TANDEM_ONENET_MD5)
        tandem_md5_init(&hash->md5);
    else if (method == TANDEM_ONENET_SHA1)
        tandem_sha1_init(&hash->sha1);
    else
        (void)tandem_sha256_init(&hash->sha256, NULL);
}

static void update(union hash *hash, uint8_t method, const void *data, size_t size)
{
    if (method == TANDEM_ONENET_MD5)
        tandem_md5_update(&hash->md5, data, size);
    else if (method == TANDEM_ONENET_SHA1)
        tandem_sha1_update(&hash->sha1, data, size);
    else
        (void)tandem_sha256_update(&hash->sha256, data, size);
}

static size_t final(union hash *hash, uint8_t method, uint8_t *digest)
{
    if (method == TANDEM_ONENET_MD5) {
        tandem_md5_final(&hash->md5, digest);
        return TANDEM_MD5_SIZE;
    }
    if (method == TANDEM_ONENET_SHA1) {
        tandem_sha1_final(&hash->sha1, digest);
        return TANDEM_SHA1_SIZE;
    }
    (void)tandem_sha256_final(&hash->sha256, digest);
    return TANDEM_SHA256_SIZE;
}

static void begin_padded(union hash *hash, uint8_t method, const uint8_t key[BLOCK], uint8_t pad)
{
    uint8_t block[BLOCK];

    for (unsigned i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    begin(hash, method);
    update(hash, method, block, BLOCK);
    tandem_wipe(block, sizeof block);
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c)
{
    for (int i = 0; i < 64; i++)
        if (alphabet[i] == c)
            return i;
    return -1;
}

/* The key, with zeros behind it. */
static enum tandem_status decode(const char *text, uint8_t key[BLOCK])
{
    uint32_t bits = 0, count = 0, size = 0;

    memset(key, 0, BLOCK);
    for (; *text != 0 && *text != '='; text++) {
        int value = value_of(*text);
        if (value < 0)
            return TANDEM_ERROR_ARGUMENT;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            if (size == BLOCK)
                return TANDEM_ERROR_ARGUMENT;
            key[size++] = (uint8_t)(bits >> count);
        }
    }
    while (*text == '=')
        text++;
    return *text == 0 && size > 0 ? TANDEM_OK : TANDEM_ERROR_ARGUMENT;
}

struct writer {
    char *to;
    size_t size, at;
};

static void put(struct writer *w, char c)
{
    if (w->at < w->size)
        w->to[w->at] = c;
    w->at++;
}

static void put_text(struct writer *w, const char *text)
{
    while (*text != 0)
        put(w, *text++);
}

/* Values are URL-encoded, the rest is not. */
static void put_encoded(struct writer *w, char c)
{
    static const char digits[] = "0123456789ABCDEF";

    if (c == '+' || c == ' ' || c == '/' || c == '?' || c == '%' || c == '#' || c == '&' || c == '=') {
        put(w, '%');
        put(w, digits[(uint8_t)c >> 4]);
        put(w, digits[(uint8_t)c & 15u]);
    } else {
        put(w, c);
    }
}

static void put_base64(struct writer *w, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits =
            (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) | (left > 2 ? data[i + 2] : 0u);
        for (unsigned j = 0; j < 4; j++)
            put_encoded(w, j <= left ? alphabet[bits >> (18 - 6 * j) & 63u] : '=');
    }
}

enum tandem_status tandem_onenet_token(const struct tandem_onenet_key *key, char *token, size_t size)
{
    static const char *const names[] = {"md5", "sha1", "sha256"};
    uint8_t secret[BLOCK], digest[TANDEM_SHA256_SIZE];
    char expires[21];
    unsigned at = sizeof expires - 1;
    union hash hash;
    struct writer w = {token, size, 0};

    if (key->method > TANDEM_ONENET_SHA256)
        return TANDEM_ERROR_ARGUMENT;
    enum tandem_status status = decode(key->key, secret);
    if (status != TANDEM_OK)
        return status;
    expires[at] = 0;
    for (uint64_t left = key->expires; left > 0 || expires[at] == 0; left /= 10)
        expires[--at] = (char)('0' + left % 10);

    const char *lines[] = {expires + at, "\n", names[key->method], "\n", key->resource, "\n", VERSION};
    begin_padded(&hash, key->method, secret, 0x36);
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        size_t length = 0;
        while (lines[i][length] != 0)
            length++;
        update(&hash, key->method, lines[i], length);
    }
    size_t length = final(&hash, key->method, digest);
    begin_padded(&hash, key->method, secret, 0x5C);
    update(&hash, key->method, digest, length);
    length = final(&hash, key->method, digest);
    tandem_wipe(secret, sizeof secret);
    tandem_wipe(&hash, sizeof hash);

    put_text(&w, "version=" VERSION "&res=");
    for (const char *c = key->resource; *c != 0; c++)
        put_encoded(&w, *c);
    put_text(&w, "&et=");
    put_text(&w, expires + at);
    put_text(&w, "&method=");
    put_text(&w, names[key->method]);
    put_text(&w, "&sign=");
    put_base64(&w, digest, length);
    put(&w, 0);
    return w.at <= size ? TANDEM_OK : TANDEM_ERROR_SPACE;
}
