/*
 * Hashes and what is made of them, on published vectors: FIPS 180-4's
 * examples, RFC 1321, RFC 4231, RFC 5869. Streaming at every cut, and the port
 * that replaces SHA-256.
 */
#include "check.h"
#include "hex.h"
#include "tandem/crypto.h"

static uint8_t message[512];

static void fill_message(void)
{
    for (unsigned i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 151 + (i >> 8));
}

struct vector {
    const char *message;
    const char *digest;
};

static void test_sha256_published(void)
{
    static const struct vector vectors[] = {{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                                            {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                                            {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                                             "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
                                            {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopj"
                                             "klmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                                             "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"}};
    uint8_t digest[32];
    uint8_t want[32];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        hex(want, vectors[i].digest);
        CHECK_EQUAL(tandem_sha256(NULL, vectors[i].message, strlen(vectors[i].message), digest), TANDEM_OK);
        CHECK_BYTES(digest, want, 32);
    }
}

static void test_sha512_published(void)
{
    static const struct vector vectors[] = {{"", "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                                                 "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
                                            {"abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                                                    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
                                            {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopj"
                                             "klmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                                             "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
                                             "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"}};
    struct tandem_sha512 hash;
    uint8_t digest[64];
    uint8_t want[64];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        hex(want, vectors[i].digest);
        tandem_sha512_init(&hash);
        tandem_sha512_update(&hash, vectors[i].message, strlen(vectors[i].message));
        tandem_sha512_final(&hash, digest);
        CHECK_BYTES(digest, want, 64);
    }
}

static void test_md5_published(void)
{
    static const struct vector vectors[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"}};
    struct tandem_md5 hash;
    uint8_t digest[16];
    uint8_t want[16];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        hex(want, vectors[i].digest);
        tandem_md5_init(&hash);
        tandem_md5_update(&hash, vectors[i].message, strlen(vectors[i].message));
        tandem_md5_final(&hash, digest);
        CHECK_BYTES(digest, want, 16);
    }
}

static void test_sha1_published(void)
{
    /* FIPS 180 examples; the empty one is well known. */
    static const struct vector vectors[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    };
    struct tandem_sha1 hash;
    uint8_t digest[20];
    uint8_t want[20];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        tandem_sha1_init(&hash);
        tandem_sha1_update(&hash, vectors[i].message, strlen(vectors[i].message));
        tandem_sha1_final(&hash, digest);
        hex(want, vectors[i].digest);
        CHECK_BYTES(digest, want, 20);
    }
    /* A million letters a, in pieces of every size up to 200. */
    uint8_t as[200];
    uint32_t left = 1000000, piece = 0;
    memset(as, 'a', sizeof as);
    tandem_sha1_init(&hash);
    while (left > 0) {
        piece = piece % 200 + 1;
        if (piece > left)
            piece = left;
        tandem_sha1_update(&hash, as, piece);
        left -= piece;
    }
    tandem_sha1_final(&hash, digest);
    hex(want, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    CHECK_BYTES(digest, want, 20);
}

/* A million times "a", in pieces of a size that meets every offset in a block. */
static void test_a_million(void)
{
    struct tandem_sha256 sha256;
    struct tandem_sha512 sha512;
    struct tandem_md5 md5;
    uint8_t as[125];
    uint8_t digest[64];
    uint8_t want[64];

    memset(as, 'a', sizeof as);
    tandem_sha256_init(&sha256, NULL);
    tandem_sha512_init(&sha512);
    tandem_md5_init(&md5);
    for (int i = 0; i < 8000; i++) {
        tandem_sha256_update(&sha256, as, sizeof as);
        tandem_sha512_update(&sha512, as, sizeof as);
        tandem_md5_update(&md5, as, sizeof as);
    }
    tandem_sha256_final(&sha256, digest);
    hex(want, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK_BYTES(digest, want, 32);
    tandem_sha512_final(&sha512, digest);
    hex(want, "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
              "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
    CHECK_BYTES(digest, want, 64);
    tandem_md5_final(&md5, digest);
    hex(want, "7707d6ae4e027c70eea2a935c2296f21");
    CHECK_BYTES(digest, want, 16);
}

static void test_every_cut(void)
{
    for (size_t size = 0; size <= 272; size += 17) {
        uint8_t whole[64];
        uint8_t parts[64];
        struct tandem_sha512 sha512;
        struct tandem_md5 md5;

        for (size_t cut = 0; cut <= size; cut++) {
            struct tandem_sha256 sha256;

            tandem_sha256(NULL, message, size, whole);
            tandem_sha256_init(&sha256, NULL);
            tandem_sha256_update(&sha256, message, cut);
            tandem_sha256_update(&sha256, message + cut, size - cut);
            tandem_sha256_final(&sha256, parts);
            CHECK_BYTES(parts, whole, 32);

            tandem_sha512_init(&sha512);
            tandem_sha512_update(&sha512, message, size);
            tandem_sha512_final(&sha512, whole);
            tandem_sha512_init(&sha512);
            tandem_sha512_update(&sha512, message, cut);
            tandem_sha512_update(&sha512, message + cut, size - cut);
            tandem_sha512_final(&sha512, parts);
            CHECK_BYTES(parts, whole, 64);

            tandem_md5_init(&md5);
            tandem_md5_update(&md5, message, size);
            tandem_md5_final(&md5, whole);
            tandem_md5_init(&md5);
            tandem_md5_update(&md5, message, cut);
            tandem_md5_update(&md5, message + cut, size - cut);
            tandem_md5_final(&md5, parts);
            CHECK_BYTES(parts, whole, 16);
        }
    }
}

/* Nothing of the message is left behind. */
static void test_final_wipes(void)
{
    static const uint8_t zeros[sizeof(struct tandem_sha512)];
    struct tandem_sha256 sha256;
    struct tandem_sha512 sha512;
    struct tandem_hmac_sha256 mac;
    uint8_t digest[64];

    tandem_sha256_init(&sha256, NULL);
    tandem_sha256_update(&sha256, message, 100);
    tandem_sha256_final(&sha256, digest);
    CHECK_BYTES(&sha256.u, zeros, sizeof sha256.u);
    tandem_sha512_init(&sha512);
    tandem_sha512_update(&sha512, message, 100);
    tandem_sha512_final(&sha512, digest);
    CHECK_BYTES(&sha512, zeros, sizeof sha512);
    tandem_hmac_sha256_init(&mac, NULL, message, 10);
    tandem_hmac_sha256_update(&mac, message, 100);
    tandem_hmac_sha256_final(&mac, digest);
    CHECK_BYTES(&mac, zeros, sizeof mac);
}

static void test_hmac_rfc4231(void)
{
    static const struct {
        const char *key;
        const char *data;
        const char *tag;
    } vectors[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819",
         "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", "546573742057697468205472756e636174696f6e",
         "a3b6167473100ee06e0c796c2955552b"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b65792046"
         "69727374",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920"
         "616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e656564732074"
         "6f20626520686173686564206265666f7265206265696e6720757365642062792074686520484d414320616c676f72697468"
         "6d2e",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    uint8_t key[160];
    uint8_t data[200];
    uint8_t tag[32];
    uint8_t want[32];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct tandem_hmac_sha256 mac;
        size_t key_size = hex(key, vectors[i].key);
        size_t data_size = hex(data, vectors[i].data);
        size_t tag_size = hex(want, vectors[i].tag);

        CHECK_EQUAL(tandem_hmac_sha256_init(&mac, NULL, key, key_size), TANDEM_OK);
        CHECK_EQUAL(tandem_hmac_sha256_update(&mac, data, data_size / 3), TANDEM_OK);
        CHECK_EQUAL(tandem_hmac_sha256_update(&mac, data + data_size / 3, data_size - data_size / 3), TANDEM_OK);
        CHECK_EQUAL(tandem_hmac_sha256_final(&mac, tag), TANDEM_OK);
        CHECK_BYTES(tag, want, tag_size);
    }
}

static void test_hkdf_rfc5869(void)
{
    static const struct {
        const char *secret;
        const char *salt;
        const char *info;
        const char *out;
    } vectors[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031"
         "32333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
         "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f9091"
         "92939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
         "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1"
         "e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da32"
         "75600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
    };
    uint8_t secret[100];
    uint8_t salt[100];
    uint8_t info[100];
    uint8_t out[100];
    uint8_t want[100];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        size_t secret_size = hex(secret, vectors[i].secret);
        size_t salt_size = hex(salt, vectors[i].salt);
        size_t info_size = hex(info, vectors[i].info);
        size_t size = hex(want, vectors[i].out);

        CHECK_EQUAL(tandem_hkdf_sha256(NULL, salt_size ? salt : NULL, salt_size, secret, secret_size,
                                       info_size ? info : NULL, info_size, out, size),
                    TANDEM_OK);
        CHECK_BYTES(out, want, size);
    }
}

static void test_hkdf_limits(void)
{
    static uint8_t out[255 * 32 + 1];
    uint8_t first[32];

    CHECK_EQUAL(tandem_hkdf_sha256(NULL, NULL, 0, "k", 1, NULL, 0, out, sizeof out), TANDEM_ERROR_ARGUMENT);
    CHECK_EQUAL(tandem_hkdf_sha256(NULL, NULL, 0, "k", 1, NULL, 0, out, sizeof out - 1), TANDEM_OK);
    CHECK_EQUAL(out[sizeof out - 1], 0);
    CHECK_EQUAL(tandem_hkdf_sha256(NULL, NULL, 0, "k", 1, NULL, 0, first, 32), TANDEM_OK);
    CHECK_BYTES(out, first, 32);
    CHECK_EQUAL(tandem_hkdf_sha256(NULL, NULL, 0, "k", 1, NULL, 0, NULL, 0), TANDEM_OK);
}

/* A port that counts its calls, keeps the built-in state in the opaque one, and can fail. */
struct counting_port {
    int calls;
    int fail_at; /* the call that fails, 0 for none */
};

static int called(struct counting_port *self)
{
    return ++self->calls == self->fail_at;
}

static enum tandem_status port_init(void *ctx, struct tandem_sha256 *hash)
{
    struct tandem_sha256 inner;

    if (called(ctx))
        return TANDEM_ERROR_PORT;
    tandem_sha256_init(&inner, NULL);
    memcpy(hash->u.opaque, &inner.u.soft, sizeof inner.u.soft);
    return TANDEM_OK;
}

static enum tandem_status port_update(void *ctx, struct tandem_sha256 *hash, const void *data, size_t size)
{
    struct tandem_sha256 inner = *hash;

    if (called(ctx))
        return TANDEM_ERROR_PORT;
    inner.port = NULL;
    tandem_sha256_update(&inner, data, size);
    memcpy(hash->u.opaque, &inner.u.soft, sizeof inner.u.soft);
    return TANDEM_OK;
}

static enum tandem_status port_final(void *ctx, struct tandem_sha256 *hash, uint8_t *digest)
{
    struct tandem_sha256 inner = *hash;

    if (called(ctx))
        return TANDEM_ERROR_PORT;
    inner.port = NULL;
    return tandem_sha256_final(&inner, digest);
}

static void test_port(void)
{
    struct counting_port self = {0, 0};
    struct tandem_crypto_port port = {
        .ctx = &self, .sha256_init = port_init, .sha256_update = port_update, .sha256_final = port_final};
    struct tandem_crypto_port none = {.ctx = NULL};
    uint8_t digest[32];
    uint8_t want[32];
    uint8_t out[70];
    uint8_t want_out[70];

    tandem_sha256(NULL, message, 200, want);
    CHECK_EQUAL(tandem_sha256(&none, message, 200, digest), TANDEM_OK);
    CHECK_BYTES(digest, want, 32);
    CHECK_EQUAL(tandem_sha256(&port, message, 200, digest), TANDEM_OK);
    CHECK_BYTES(digest, want, 32);
    CHECK_EQUAL(self.calls, 3);

    tandem_hkdf_sha256(NULL, message, 20, message, 100, message, 7, want_out, sizeof out);
    self.calls = 0;
    CHECK_EQUAL(tandem_hkdf_sha256(&port, message, 20, message, 100, message, 7, out, sizeof out), TANDEM_OK);
    CHECK_BYTES(out, want_out, sizeof out);
    /* Whichever call fails, the failure comes out. */
    int calls = self.calls;
    for (self.fail_at = 1; self.fail_at <= calls; self.fail_at++) {
        self.calls = 0;
        CHECK_EQUAL(tandem_hkdf_sha256(&port, message, 20, message, 100, message, 7, out, sizeof out),
                    TANDEM_ERROR_PORT);
        CHECK_EQUAL(self.calls, self.fail_at);
    }
    for (self.fail_at = 1; self.fail_at <= 3; self.fail_at++) {
        self.calls = 0;
        CHECK_EQUAL(tandem_sha256(&port, message, 200, digest), TANDEM_ERROR_PORT);
    }
}

/* Lengths that no test can afford to hash: the counter's carry into its upper word. */
static void test_sha256_long(void)
{
    struct tandem_sha256 hash;
    uint8_t digest[32];
    uint8_t want[32];

    tandem_sha256_init(&hash, NULL);
    hash.u.soft.length[0] = 0xFFFFFFC0u; /* as if 2^32 - 64 bytes had gone by */
    tandem_sha256_update(&hash, message, 64);
    CHECK_EQUAL(hash.u.soft.length[0], 0);
    CHECK_EQUAL(hash.u.soft.length[1], 1);
    tandem_sha256_final(&hash, digest);

    /* The same by hand: one block of the message, one of padding with the length 2^35 bits. */
    uint8_t padding[64] = {0x80};
    padding[59] = 8;
    tandem_sha256_init(&hash, NULL);
    tandem_sha256_update(&hash, message, 64);
    tandem_sha256_update(&hash, padding, 64);
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4; j++)
            want[4 * i + j] = (uint8_t)(hash.u.soft.state[i] >> (24 - 8 * j));
    }
    CHECK_BYTES(digest, want, 32);
}

static void test_equal_and_wipe(void)
{
    uint8_t a[40];
    uint8_t b[40];

    memcpy(a, message, 40);
    memcpy(b, message, 40);
    CHECK_EQUAL(tandem_equal(a, b, 40), 1);
    CHECK_EQUAL(tandem_equal(a, b, 0), 1);
    for (int bit = 0; bit < 320; bit++) {
        b[bit >> 3] ^= (uint8_t)(1 << (bit & 7));
        CHECK_EQUAL(tandem_equal(a, b, 40), 0);
        b[bit >> 3] ^= (uint8_t)(1 << (bit & 7));
    }
    memset(b, 0, 40);
    tandem_wipe(a + 1, 38);
    CHECK_BYTES(a + 1, b, 38);
    CHECK_EQUAL(a[0], message[0]);
    CHECK_EQUAL(a[39], message[39]);
}

int main(void)
{
    fill_message();
    RUN(test_sha256_published);
    RUN(test_sha512_published);
    RUN(test_md5_published);
    RUN(test_sha1_published);
    RUN(test_a_million);
    RUN(test_every_cut);
    RUN(test_final_wipes);
    RUN(test_hmac_rfc4231);
    RUN(test_hkdf_rfc5869);
    RUN(test_hkdf_limits);
    RUN(test_port);
    RUN(test_sha256_long);
    RUN(test_equal_and_wipe);
    return check_report();
}
