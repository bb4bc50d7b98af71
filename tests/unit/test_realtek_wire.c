/*
 * Realtek's DFU on the wire. The bytes below are those of published
 * descriptions and of vendors' images, not of our encoder.
 */
#include "transport/realtek/realtek_wire.h"

#include "check.h"
#include "unit/hex.h"

static const uint8_t *bytes(const char *text)
{
    static uint8_t buffer[256];

    memset(buffer, 0, sizeof buffer);
    (void)hex(buffer, text);
    return buffer;
}

static void test_names(void)
{
    uint8_t uuid[16], advertisement[8];
    const uint8_t address[6] = {0x00, 0xE0, 0x4C, 0x12, 0x34, 0x56};

    tandem_realtek_uuid(TANDEM_REALTEK_DFU_SERVICE, uuid);
    CHECK_BYTES(uuid, bytes("12a24d2efe14488e93d2173c87620000"), 16);
    tandem_realtek_uuid(TANDEM_REALTEK_CONTROL, uuid);
    CHECK_BYTES(uuid, bytes("12a24d2efe14488e93d2173c87640000"), 16);
    tandem_realtek_uuid(TANDEM_REALTEK_OTA_SERVICE, uuid);
    CHECK_BYTES(uuid, bytes("12a24d2efe14488e93d2173cffd00000"), 16);
    tandem_realtek_uuid(TANDEM_REALTEK_INFO, uuid);
    CHECK_BYTES(uuid, bytes("fb349b5f8000008000100000f1ff0000"), 16);
    tandem_realtek_advertisement(address, advertisement);
    CHECK_BYTES(advertisement, bytes("5d0000e04c123456"), 8);
}

/* Of an RTL8762C app, an RTL8752H ROM patch, an RTL87x2G boot patch. */
static void test_control_headers(void)
{
    static const struct {
        const char *text;
        uint8_t new_order;
        struct tandem_realtek_control want;
        uint16_t header;
        uint32_t total;
    } vectors[] = {
        {"0500010193270000a0b60000", 0, {5, 0, 0x0101, 0x2793, 0, 0xB6A0}, 1024, 0xBAA0},
        {"67b2100001099227006c0000", 1, {0x10, 0, 0x0901, 0x2792, 0xB267, 0x6C00}, 1024, 0x7000},
        {"57760f0004019f37003b0000", 1, {0x0F, 0, 0x0104, 0x379F, 0x7657, 0x3B00}, 1280, 0x4000},
    };

    for (unsigned i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct tandem_realtek_control control;
        struct realtek_layout layout = tandem_realtek_layout_of(vectors[i].want.ic);
        uint8_t stored[12];

        CHECK_EQUAL(layout.new_order, vectors[i].new_order);
        CHECK_EQUAL(layout.header, vectors[i].header);
        tandem_realtek_control_get(&control, layout.new_order, bytes(vectors[i].text));
        CHECK_EQUAL(control.ic, vectors[i].want.ic);
        CHECK_EQUAL(control.secure_version, vectors[i].want.secure_version);
        CHECK_EQUAL(control.flags, vectors[i].want.flags);
        CHECK_EQUAL(control.image, vectors[i].want.image);
        CHECK_EQUAL(control.crc, vectors[i].want.crc);
        CHECK_EQUAL(control.payload, vectors[i].want.payload);
        CHECK_EQUAL(control.payload + layout.header, vectors[i].total);
        tandem_realtek_control_put(&vectors[i].want, layout.new_order, stored);
        CHECK_BYTES(stored, bytes(vectors[i].text), 12);
    }
    CHECK_EQUAL(tandem_realtek_layout_of(11).control, 304);
    CHECK_EQUAL(tandem_realtek_layout_of(16).control, 432);
    CHECK_EQUAL(tandem_realtek_layout_of(15).control, 416);
    CHECK_EQUAL(tandem_realtek_layout_of(4).control, 0);
    CHECK_EQUAL(tandem_realtek_layout_of(17).sure, 0);
}

static void test_check_value(void)
{
    const uint8_t chunk[4] = {1, 2, 3, 4};
    uint16_t check = tandem_realtek_check(0, 0, chunk, 4);

    CHECK_EQUAL(check & 0xFF, 0x06); /* on the wire: 06 02 */
    CHECK_EQUAL(check >> 8, 0x02);
    check = tandem_realtek_check(0, 0, chunk, 1);
    check = tandem_realtek_check(check, 1, chunk + 1, 3);
    CHECK_EQUAL(check, 0x0206);
}

/* Each form of the device information, by its table. */
static void test_information(void)
{
    enum tandem_realtek_dialect dialect;
    struct realtek_info info;
    uint8_t stored[REALTEK_INFO_MAX];

    CHECK_EQUAL(tandem_realtek_classify(REALTEK_PROTOCOL_ABSENT, bytes("01"), 1, &dialect, &info), TANDEM_OK);
    CHECK_EQUAL(dialect, TANDEM_REALTEK_BEE1);
    CHECK_EQUAL(info.ic, 3);
    CHECK_EQUAL(info.active_bank, REALTEK_BANK_0);
    CHECK_EQUAL(tandem_realtek_classify(REALTEK_PROTOCOL_ABSENT, bytes(""), 0, &dialect, &info), TANDEM_OK);
    CHECK_EQUAL(dialect, TANDEM_REALTEK_BEE1);
    CHECK_EQUAL(info.active_bank, REALTEK_BANK_SINGLE);

    /* RTL8762C, spec 1: buffer check, AES, several images; 2000 bytes; image 2 runs from bank 0, 5 from bank 1 */
    CHECK_EQUAL(tandem_realtek_classify(0, bytes("05010313d007000010080000"), 12, &dialect, &info), TANDEM_OK);
    CHECK_EQUAL(dialect, TANDEM_REALTEK_BEE2);
    CHECK_EQUAL(info.secure_version, 3);
    CHECK_EQUAL(info.mode, REALTEK_MODE_CHECK | REALTEK_MODE_AES | REALTEK_MODE_MULTI);
    CHECK_EQUAL(info.buffer_size, 2000);
    CHECK_EQUAL(realtek_indicator(info.indicator, 2), REALTEK_INDICATOR_BANK_0);
    CHECK_EQUAL(realtek_indicator(info.indicator, 5), REALTEK_INDICATOR_BANK_1);
    CHECK_EQUAL(realtek_indicator(info.indicator, 1), REALTEK_INDICATOR_ABSENT);
    CHECK_EQUAL(tandem_realtek_info_store(dialect, &info, stored), 12);
    CHECK_BYTES(stored, bytes("05010313d007000010080000"), 12);

    /* RTL8752H */
    CHECK_EQUAL(tandem_realtek_classify(0x12, bytes("10050011000840007c550000b0010000"), 16, &dialect, &info), 0);
    CHECK_EQUAL(dialect, TANDEM_REALTEK_8752H);
    CHECK_EQUAL(info.buffer_size, 2048);
    CHECK_EQUAL(info.temp_size, 64);
    CHECK_EQUAL(info.control_offset, 432);
    CHECK_EQUAL(tandem_realtek_info_store(dialect, &info, stored), 16);
    CHECK_BYTES(stored, bytes("10050011000840007c550000b0010000"), 16);

    /* RTL87x3E over GATT: buffer check, several images; linked primary; bank 0; MTU 247 */
    CHECK_EQUAL(tandem_realtek_classify(0x10, bytes("0b0509060001f70002010000"), 12, &dialect, &info), 0);
    CHECK_EQUAL(dialect, TANDEM_REALTEK_AUDIO);
    CHECK_EQUAL(info.mode, REALTEK_MODE_CHECK | REALTEK_MODE_MULTI);
    CHECK_EQUAL(info.bud, REALTEK_BUD_LINKED | REALTEK_BUD_PRIMARY);
    CHECK_EQUAL(info.active_bank, REALTEK_BANK_0);
    CHECK_EQUAL(info.mtu, 247);
    CHECK_EQUAL(info.boot_patch, 2);
    CHECK_EQUAL(info.channel, 1);
    CHECK_EQUAL(tandem_realtek_info_store(dialect, &info, stored), 12);
    CHECK_BYTES(stored, bytes("0b0509060001f70002010000"), 12);

    /* The same as a stream: spec 7, payloads of 512, voice prompts by id */
    CHECK_EQUAL(tandem_realtek_classify(0x11, bytes("0b07290a1002000200000000"), 12, &dialect, &info), 0);
    CHECK_EQUAL(dialect, TANDEM_REALTEK_STREAM);
    CHECK_EQUAL(info.voice, 2);
    CHECK_EQUAL(info.mtu, 512);
    CHECK_EQUAL(info.active_bank, REALTEK_BANK_1);
    CHECK_EQUAL(tandem_realtek_info_store(dialect, &info, stored), 12);
    CHECK_BYTES(stored, bytes("0b07290a1002000200000000"), 12);

    /* An older audio product: pair enabled, secondary, its update due */
    CHECK_EQUAL(tandem_realtek_classify(0x10, bytes("040302e10100200000040000"), 12, &dialect, &info), 0);
    CHECK_EQUAL(info.secure_version, 2);
    CHECK_EQUAL(info.mode, REALTEK_MODE_CHECK);
    CHECK_EQUAL(info.bud, REALTEK_BUD_LINKED | REALTEK_BUD_SECONDARY);
    CHECK_EQUAL(info.pair_pending, 1);
    CHECK_EQUAL(info.temp_size, 32);
    CHECK_EQUAL(realtek_indicator(info.indicator, 5), REALTEK_INDICATOR_BANK_0);

    /* RTL87x2G */
    CHECK_EQUAL(tandem_realtek_classify(0x15, bytes("0f0119000001010200a00100"), 12, &dialect, &info), 0);
    CHECK_EQUAL(dialect, TANDEM_REALTEK_87X2G);
    CHECK_EQUAL(info.mode, REALTEK_MODE_CHECK | REALTEK_MODE_MULTI | REALTEK_MODE_OTA);
    CHECK_EQUAL(info.temp_size, 256);
    CHECK_EQUAL(info.control_offset, 416);
    CHECK_EQUAL(info.boot_patch, 2);
    CHECK_EQUAL(tandem_realtek_info_store(dialect, &info, stored), 12);
    CHECK_BYTES(stored, bytes("0f0119000001010200a00100"), 12);

    /* Watch */
    CHECK_EQUAL(tandem_realtek_classify(0x14, bytes("0a0001000200030002"), 9, &dialect, &info), TANDEM_OK);
    CHECK_EQUAL(dialect, TANDEM_REALTEK_WATCH);
    CHECK_EQUAL(info.active_bank, REALTEK_BANK_SINGLE);
    CHECK_EQUAL(info.mtu, 512);

    /* What is not known, or too short for what it says */
    CHECK_EQUAL(tandem_realtek_classify(0x13, bytes("0b05"), 12, &dialect, &info), TANDEM_ERROR_UNSUPPORTED);
    CHECK_EQUAL(tandem_realtek_classify(0x16, bytes("0b05"), 12, &dialect, &info), TANDEM_ERROR_UNSUPPORTED);
    CHECK_EQUAL(tandem_realtek_classify(0, bytes("0507"), 12, &dialect, &info), TANDEM_ERROR_UNSUPPORTED);
    for (size_t size = 0; size < 16; size++) {
        static const uint16_t protocols[] = {0x00, 0x10, 0x11, 0x12, 0x14, 0x15};
        static const uint8_t sizes[] = {12, 12, 12, 16, 9, 12};

        for (unsigned i = 0; i < 6; i++)
            if (size < sizes[i] && !(protocols[i] == 0 && size < 2))
                CHECK_EQUAL(tandem_realtek_classify(protocols[i], bytes(i == 0 ? "" : "1005"), size, &dialect, &info),
                            i == 0 && size >= 6 ? TANDEM_OK : TANDEM_ERROR_FORMAT);
    }
}

static void test_lists(void)
{
    static const struct realtek_entry entries[] = {{0x2790, 0x01020304}, {0x2793, 0x00004001}};
    struct realtek_entry entry;
    uint8_t stored[256];

    CHECK_EQUAL(tandem_realtek_list_store(stored, 0, entries, 2, 0), 14);
    CHECK_BYTES(stored, bytes("0002902704030201932701400000"), 14);
    CHECK_EQUAL(tandem_realtek_list_entry(stored, 14, 1, 1, &entry), 1);
    CHECK_EQUAL(entry.image, 0x2793);
    CHECK_EQUAL(entry.value, 0x4001);
    CHECK_EQUAL(tandem_realtek_list_entry(stored, 14, 1, 2, &entry), 0);
    CHECK_EQUAL(tandem_realtek_list_entry(stored, 13, 1, 1, &entry), 0);
    CHECK_EQUAL(tandem_realtek_list_entry(stored, 0, 1, 0, &entry), 0);
    CHECK_EQUAL(tandem_realtek_list_store(stored, -1, entries, 2, 0), 13);
    CHECK_BYTES(stored, bytes("02902704030201932701400000"), 13);
    CHECK_EQUAL(tandem_realtek_list_store(stored, 1, entries, 2, 15), 92); /* 6 N + 2 */
    CHECK_BYTES(stored + 14, bytes(""), 78);
}

static void test_versions(void)
{
    /* 1.0.4 of an app: major 1, minor 0, revision 4 */
    CHECK_EQUAL(tandem_realtek_version_key(0x4001, REALTEK_VERSION_IMAGE), 1 << 28 | 0 << 20 | 4 << 5);
    CHECK(tandem_realtek_version_key(0x00000012, REALTEK_VERSION_IMAGE) >
          tandem_realtek_version_key(0xFFFFF001, REALTEK_VERSION_IMAGE)); /* 2.1 after 1.0.many */
    CHECK_EQUAL(tandem_realtek_version_key(0x01020304, REALTEK_VERSION_HEADER), 0x01020304);
    CHECK_EQUAL(tandem_realtek_version_key(0x01020304, REALTEK_VERSION_DATA), 0x04030201);
    CHECK_EQUAL(tandem_realtek_version_key(3u | 2u << 4 | 1u << 12 | 7u << 21, REALTEK_VERSION_AUDIO),
                3u << 28 | 2u << 20 | 1u << 11 | 7u);
    CHECK_EQUAL(tandem_realtek_version_bits(TANDEM_REALTEK_AUDIO, 0x2790), REALTEK_VERSION_HEADER);
    CHECK_EQUAL(tandem_realtek_version_bits(TANDEM_REALTEK_AUDIO, 0x2793), REALTEK_VERSION_AUDIO);
    CHECK_EQUAL(tandem_realtek_version_bits(TANDEM_REALTEK_8752H, 0x2793), REALTEK_VERSION_IMAGE);
}

/* Hand `data` over in pieces of `piece` bytes. @return frames found; the last in *last */
static unsigned frames_of(struct realtek_frames *frames, const uint8_t *data, size_t size, size_t piece,
                          struct realtek_frame *last)
{
    unsigned count = 0;

    while (size > 0) {
        size_t part = size < piece ? size : piece;
        const uint8_t *at = data;
        size_t left = part;

        while (tandem_realtek_frames_next(frames, &at, &left, last))
            count++;
        CHECK_EQUAL(left, 0);
        data += part;
        size -= part;
    }
    return count;
}

static void test_frames(void)
{
    uint8_t buffer[64], stored[64], data[64];
    struct realtek_frames frames;
    struct realtek_frame frame;
    size_t size;

    CHECK_EQUAL(tandem_realtek_frame_store(stored, 1, REALTEK_CMD_INFO, NULL, 0, 0), 6);
    CHECK_BYTES(stored, bytes("aa0102000006"), 6);
    CHECK_EQUAL(tandem_realtek_frame_store(stored, 7, REALTEK_ACK, bytes("000600"), 3, 0), 9);
    CHECK_BYTES(stored, bytes("aa0705000000000600"), 9);
    /* UART: the bytes behind the sync and the checksum add up to 0 */
    CHECK_EQUAL(tandem_realtek_frame_store(stored, 1, REALTEK_CMD_INFO, NULL, 0, 1), 7);
    CHECK_BYTES(stored, bytes("aa0102000006f7"), 7);
    CHECK_EQUAL(realtek_sequence_next(254), 255);
    CHECK_EQUAL(realtek_sequence_next(255), 1);

    /* Two frames behind garbage, with a false sync in it, in pieces of every size. */
    size = hex(data, "0055aa00ff7faaaa010200000611aa0205000000000600");
    for (size_t piece = 1; piece <= size; piece++) {
        tandem_realtek_frames_init(&frames, buffer, sizeof buffer, 0);
        CHECK_EQUAL(frames_of(&frames, data, size, piece, &frame), 2);
        CHECK_EQUAL(frame.sequence, 2);
        CHECK_EQUAL(frame.id, REALTEK_ACK);
        CHECK_EQUAL(frame.size, 3);
        CHECK_BYTES(frame.payload, bytes("000600"), 3);
        CHECK_EQUAL(tandem_realtek_frames_waiting(&frames), 0);
    }
    /* A damaged byte costs the frame it is in, no other. */
    size = hex(data, "aa0102000106f6aa0202000206f4aa0302000306f2");
    for (size_t damaged = 7; damaged < 14; damaged++) {
        data[damaged] ^= 0x40;
        tandem_realtek_frames_init(&frames, buffer, sizeof buffer, 1);
        unsigned found = frames_of(&frames, data, size, 5, &frame);
        while (tandem_realtek_frames_waiting(&frames)) { /* a length that reaches past the end: time passes */
            const uint8_t *at = NULL;
            size_t left = 0;

            tandem_realtek_frames_give_up(&frames);
            while (tandem_realtek_frames_next(&frames, &at, &left, &frame))
                found++;
        }
        CHECK_EQUAL(found, 2);
        CHECK_EQUAL(frame.sequence, 3);
        data[damaged] ^= 0x40;
    }
    /* Longer than the buffer: garbage, and what it holds is looked through. */
    size = hex(data, "aa01ff000306aa0202000206");
    tandem_realtek_frames_init(&frames, buffer, sizeof buffer, 0);
    CHECK_EQUAL(frames_of(&frames, data, size, size, &frame), 1);
    CHECK_EQUAL(frame.sequence, 2);
}

int main(void)
{
    RUN(test_names);
    RUN(test_control_headers);
    RUN(test_check_value);
    RUN(test_information);
    RUN(test_lists);
    RUN(test_versions);
    RUN(test_frames);
    return check_report();
}
