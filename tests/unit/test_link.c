/*
 * The link: both halves over wires that lose, repeat, overtake and break; the
 * device half against hosts that mean harm or know nothing; two hosts that
 * want the same device; and what it all costs in bytes and time.
 */
#include "check.h"
#include "link_rig.h"

#include "core/bytes.h"
#include "transport/link/link_wire.h"

static struct rig_release old_release, new_release, next_release;
static struct rig_device device;
static struct rig_host hosts[2];

static void setup(const struct rig_wire_spec *spec)
{
    rig_device_make(&device, &old_release, "SN-0001");
    rig_host_make(&hosts[0], &device, 0, spec);
}

static void teardown(void)
{
    rig_host_free(&hosts[0]);
}

/* ---- the device half, spoken to by hand ---- */

static struct tandem_link_device *link_by_hand;
static uint8_t sequence;
static uint8_t said[64][600]; /* messages of the device, assembled */
static size_t said_size[64];
static unsigned said_count;
static size_t said_fill;
static unsigned segments;
static uint16_t hand_mtu = 244;
static unsigned hand_budget = 1000000; /* packets that the port takes */

static enum tandem_status hand_send(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    (void)ctx;
    if (hand_budget == 0)
        return TANDEM_AGAIN;
    hand_budget--;
    CHECK_EQUAL(channel, TANDEM_CHANNEL_CONTROL);
    CHECK(size >= 2 && size <= hand_mtu);
    segments++;
    if (bytes[0] & LINK_SEGMENT_FIRST)
        said_fill = 0;
    REQUIRE(said_count < 64 && said_fill + size < 600);
    memcpy(said[said_count] + said_fill, bytes + 1, size - 1);
    said_fill += size - 1;
    if (bytes[0] & LINK_SEGMENT_LAST) {
        said_size[said_count++] = said_fill;
        said_fill = 0;
    }
    return TANDEM_OK;
}

static uint16_t hand_packet_max(void *ctx)
{
    (void)ctx;
    return hand_mtu;
}

static const struct tandem_packet_port hand_port = {NULL, hand_send, hand_packet_max};

static void by_hand(void)
{
    rig_device_make(&device, &old_release, "SN-0001");
    link_by_hand = &device.links[0];
    tandem_link_device_init(link_by_hand, &device.service, &hand_port, 0);
    said_count = 0;
    said_fill = 0;
    segments = 0;
    hand_mtu = 244;
    hand_budget = 1000000;
    (void)tandem_link_device_poll(link_by_hand, ++rig_now);
}

static void hand_over(uint8_t header, const void *data, size_t size)
{
    uint8_t packet[600];

    packet[0] = (uint8_t)(header | (sequence++ & LINK_SEGMENT_SEQUENCE));
    memcpy(packet + 1, data, size);
    tandem_link_device_receive(link_by_hand, TANDEM_CHANNEL_CONTROL, packet, size + 1);
}

/* Say one message in one segment. @return the device's last message */
static const uint8_t *say(const void *message, size_t size)
{
    unsigned before = said_count;

    hand_over(LINK_SEGMENT_FIRST | LINK_SEGMENT_LAST, message, size);
    return said_count > before ? said[said_count - 1] : NULL;
}

static const uint8_t *say_short(uint8_t operation, uint8_t tag)
{
    uint8_t message[LINK_HEADER] = {operation, tag, 0};

    return say(message, sizeof message);
}

static const uint8_t *say_query(uint8_t tag, uint16_t packet_max)
{
    uint8_t message[LINK_HEADER + LINK_QUERY_SIZE] = {LINK_QUERY, tag, 0, TANDEM_LINK_VERSION};

    tandem_store_le16(message + 4, packet_max);
    return say(message, sizeof message);
}

static const uint8_t *say_begin(uint8_t tag, const struct rig_release *release, uint8_t flags)
{
    uint8_t message[LINK_HEADER + LINK_BEGIN_SIZE] = {LINK_BEGIN, tag, 0, flags};

    tandem_store_le32(message + 4, release->size);
    memcpy(message + 8, release->id, TANDEM_PACKAGE_ID_SIZE);
    return say(message, sizeof message);
}

static void say_data(const struct rig_release *release, uint32_t offset, size_t size, uint8_t generation)
{
    uint8_t packet[600];

    tandem_store_le16(packet, (uint16_t)((offset & LINK_DATA_POSITION) | (generation ? LINK_DATA_GENERATION : 0)));
    memcpy(packet + LINK_DATA_HEADER, release->bytes + offset, size);
    tandem_link_device_receive(link_by_hand, TANDEM_CHANNEL_DATA, packet, size + LINK_DATA_HEADER);
}

static void wait_ms(uint32_t ms)
{
    while (ms-- != 0) {
        rig_now++;
        (void)tandem_link_device_poll(link_by_hand, rig_now);
    }
}

static void test_info(void)
{
    const uint8_t *info;
    static const uint8_t names[] = {4, 'a', 'c', 'm', 'e', 3, 'b', 'u', 'd', 7, 'S', 'N', '-', '0', '0', '0', '1'};

    by_hand();
    info = say_query(5, 512);
    REQUIRE(info != NULL);
    CHECK_EQUAL(segments, 1);
    CHECK_EQUAL(said_size[0], LINK_INFO_FIXED + sizeof names);
    CHECK_EQUAL(info[0], 0x81);
    CHECK_EQUAL(info[1], 5);
    CHECK_EQUAL(info[2], 0);
    CHECK_EQUAL(info[LINK_STATUS_RESULT], TANDEM_OK);
    CHECK_EQUAL(info[LINK_STATUS_STATE], TANDEM_STATE_IDLE);
    CHECK_EQUAL(tandem_load_le16(info + LINK_STATUS_WINDOW), 8192);
    CHECK_EQUAL(info[LINK_INFO_PROTOCOL], TANDEM_LINK_VERSION);
    CHECK_EQUAL(info[LINK_INFO_CAPABILITIES], LINK_CAN_RESTART | LINK_CAN_ENTER);
    CHECK_EQUAL(tandem_load_le16(info + LINK_INFO_PACKET_MAX), 244);
    CHECK_EQUAL(tandem_load_le16(info + LINK_INFO_HARDWARE), 3);
    CHECK_EQUAL(info[LINK_INFO_BANK], 0);
    CHECK_EQUAL(info[LINK_INFO_BATTERY], 80);
    CHECK_EQUAL(tandem_load_le16(info + LINK_INFO_VERSION), 1);
    CHECK_EQUAL(tandem_load_le32(info + LINK_INFO_COUNTER), device.install.bank.state.counter);
    CHECK_BYTES(info + LINK_INFO_FIXED, names, sizeof names);
    /* A device with no surroundings at all, and one that does not know its charge. */
    device.system.battery = NULL;
    CHECK_EQUAL(say_query(6, 512)[LINK_INFO_BATTERY], LINK_BATTERY_UNKNOWN);
    device.device.system = NULL;
    device.device.serial = NULL;
    info = say_query(7, 512);
    CHECK_EQUAL(info[LINK_INFO_BATTERY], LINK_BATTERY_UNKNOWN);
    CHECK_EQUAL(info[LINK_INFO_CAPABILITIES], 0);
    CHECK_EQUAL(said_size[said_count - 1], LINK_INFO_FIXED + sizeof names - 7);
    CHECK_EQUAL(say_short(LINK_ENTER, 8)[LINK_STATUS_RESULT], TANDEM_ERROR_NOT_SUPPORTED);
    /* A window never beyond what the position field allows. */
    device.install.buffer_size = sizeof device.buffer;
    CHECK_EQUAL(tandem_load_le16(say_query(9, 512) + LINK_STATUS_WINDOW), TANDEM_LINK_WINDOW_MAX);
}

/* A restart that is asked for again and again comes when it was first due, or earlier. */
static void test_restart_is_not_put_off(void)
{
    uint8_t activate[LINK_HEADER + LINK_ACTIVATE_SIZE] = {LINK_ACTIVATE, 0, 0};
    uint32_t begin;
    unsigned i;

    by_hand();
    (void)say_query(1, 512);
    begin = rig_now;
    for (i = 0; device.ota_entered == 0 && i < 100; i++) {
        CHECK_EQUAL(say_short(LINK_ENTER, (uint8_t)(2 + i))[LINK_STATUS_RESULT], TANDEM_OK);
        wait_ms(30);
    }
    CHECK(rig_now - begin >= TANDEM_LINK_RESTART_MS && rig_now - begin < TANDEM_LINK_RESTART_MS + 60);
    by_hand();
    device.install.bank.state.phase = TANDEM_PHASE_PENDING;
    (void)say_query(1, 512);
    begin = rig_now;
    for (i = 0; !device.reboot && i < 100; i++) {
        activate[1] = (uint8_t)(2 + i);
        tandem_store_le16(activate + LINK_HEADER, i == 0 ? 5000 : i == 3 ? 200 : 4000);
        CHECK_EQUAL(say(activate, sizeof activate)[LINK_STATUS_RESULT], TANDEM_OK);
        wait_ms(30);
    }
    CHECK(rig_now - begin >= 290 && rig_now - begin < 350);
}

static void test_info_in_pieces(void)
{
    uint8_t whole[300];
    size_t size, mtu;
    unsigned round;

    by_hand();
    REQUIRE(say_query(5, 512) != NULL);
    size = said_size[0];
    memcpy(whole, said[0], size);
    for (mtu = TANDEM_LINK_PACKET_MIN; mtu < 130; mtu++) {
        /* Once the host's limit binds, once the port's. */
        for (round = 0; round < 2; round++) {
            by_hand();
            if (round == 0)
                hand_mtu = (uint16_t)mtu;
            CHECK(say_query(5, round == 0 ? 512 : (uint16_t)mtu) != NULL);
            CHECK_EQUAL(segments, (size + mtu - 2) / (mtu - 1));
            CHECK_EQUAL(said_size[0], size);
            whole[LINK_INFO_PACKET_MAX] = (uint8_t)hand_mtu;
            CHECK_BYTES(said[0], whole, size);
        }
    }
    /* The port takes one segment at a time. */
    by_hand();
    hand_mtu = 20;
    hand_budget = 0;
    CHECK(say_query(5, 512) == NULL);
    for (round = 0; round < 20; round++) {
        enum tandem_status status;

        hand_budget = 1;
        status = tandem_link_device_poll(link_by_hand, ++rig_now);
        CHECK_EQUAL(status, said_count != 0 ? TANDEM_OK : TANDEM_AGAIN);
    }
    CHECK_EQUAL(said_count, 1);
    whole[LINK_INFO_PACKET_MAX] = 20;
    CHECK_BYTES(said[0], whole, size);
}

static void test_requests_in_pieces(void)
{
    uint8_t message[LINK_HEADER + LINK_BEGIN_SIZE] = {LINK_BEGIN, 1, 0, 0};
    size_t cut, twice;

    tandem_store_le32(message + 4, new_release.size);
    memcpy(message + 8, new_release.id, TANDEM_PACKAGE_ID_SIZE);
    for (cut = 1; cut < sizeof message; cut++) {
        for (twice = 0; twice < 3; twice++) {
            by_hand();
            hand_over(LINK_SEGMENT_FIRST, message, cut);
            if (twice == 1) { /* the first segment once more */
                sequence--;
                hand_over(LINK_SEGMENT_FIRST, message, cut);
            }
            CHECK_EQUAL(said_count, 0);
            hand_over(LINK_SEGMENT_LAST, message + cut, sizeof message - cut);
            if (twice == 2) { /* the last one once more */
                sequence--;
                hand_over(LINK_SEGMENT_LAST, message + cut, sizeof message - cut);
            }
            CHECK_EQUAL(said_count, 1);
            CHECK_EQUAL(said[0][LINK_STATUS_RESULT], TANDEM_OK);
        }
    }
    /* Three segments, the middle one twice, then with the middle one missing, then afresh. */
    by_hand();
    hand_over(LINK_SEGMENT_FIRST, message, 8);
    hand_over(0, message + 8, 8);
    sequence--;
    hand_over(0, message + 8, 8);
    hand_over(LINK_SEGMENT_LAST, message + 16, sizeof message - 16);
    CHECK_EQUAL(said_count, 1);
    hand_over(LINK_SEGMENT_FIRST, message, 8);
    sequence++;
    hand_over(LINK_SEGMENT_LAST, message + 16, sizeof message - 16);
    CHECK_EQUAL(said_count, 1);
    CHECK(say_short(LINK_STATUS, 9) != NULL);
    /* A tail without a head, and a request that never ends. */
    hand_over(LINK_SEGMENT_LAST, message, 5);
    CHECK_EQUAL(said_count, 2);
    hand_over(LINK_SEGMENT_FIRST, message, 20);
    for (cut = 0; cut < 10; cut++)
        hand_over(0, message, 20);
    hand_over(LINK_SEGMENT_LAST, message, 20);
    CHECK_EQUAL(said_count, 2);
    CHECK(say_short(LINK_STATUS, 10) != NULL);
}

static void test_refusals(void)
{
    uint8_t message[40] = {0};
    const uint8_t *answer;
    unsigned operation;
    size_t size;

    by_hand();
    /* Every operation with every length: never silence, never harm, always its tag. */
    for (operation = 0; operation < 0x80; operation++) {
        for (size = LINK_HEADER; size < TANDEM_LINK_REQUEST_MAX; size++) {
            said_count = 0;
            message[0] = (uint8_t)operation;
            message[1] = (uint8_t)size;
            answer = say(message, size);
            REQUIRE(answer != NULL);
            CHECK_EQUAL(answer[0], operation | 0x80);
            CHECK_EQUAL(answer[1], size);
            if (operation == 0 || operation > LINK_ENTER)
                CHECK_EQUAL(answer[LINK_STATUS_RESULT], TANDEM_ERROR_NOT_SUPPORTED);
        }
    }
    said_count = 0;
    message[0] = LINK_BEGIN;
    message[1] = 77;
    CHECK_EQUAL(say(message, LINK_HEADER + LINK_BEGIN_SIZE - 1)[LINK_STATUS_RESULT], TANDEM_ERROR_PROTOCOL);
    message[0] = LINK_ACTIVATE;
    CHECK_EQUAL(say(message, LINK_HEADER + LINK_ACTIVATE_SIZE - 1)[LINK_STATUS_RESULT], TANDEM_ERROR_PROTOCOL);
    message[1] = 78;
    CHECK_EQUAL(say(message, LINK_HEADER + LINK_ACTIVATE_SIZE)[LINK_STATUS_RESULT], TANDEM_ERROR_STATE);
    message[2] = 1; /* for another member */
    for (operation = 1; operation <= LINK_ENTER; operation++) {
        message[0] = (uint8_t)operation;
        message[1]++;
        CHECK_EQUAL(say(message, 30)[LINK_STATUS_RESULT], TANDEM_ERROR_NOT_SUPPORTED);
    }
    /* Answers are not answered, nor are stumps. */
    said_count = 0;
    message[0] = 0x81;
    CHECK(say(message, 30) == NULL);
    message[0] = LINK_STATUS;
    CHECK(say(message, 2) == NULL);
    tandem_link_device_receive(link_by_hand, TANDEM_CHANNEL_CONTROL, message, 0);
    tandem_link_device_receive(link_by_hand, TANDEM_CHANNEL_DATA, message, 2);
    tandem_link_device_receive(link_by_hand, (enum tandem_channel)7, message, 20);
    hand_over(LINK_SEGMENT_FIRST | LINK_SEGMENT_LAST, message, 0);
    CHECK_EQUAL(said_count, 0);
}

/* A command whose answer was lost is repeated with its tag: it is answered again, and not executed again. */
static void test_repeated_commands(void)
{
    const uint8_t *answer;

    by_hand();
    REQUIRE(say_query(1, 244) != NULL);
    CHECK_EQUAL(say_begin(2, &new_release, 0)[LINK_STATUS_RESULT], TANDEM_OK);
    say_data(&new_release, 0, 400, 0);
    answer = say_begin(2, &new_release, 0);
    CHECK_EQUAL(answer[LINK_STATUS_RESULT], TANDEM_OK);
    CHECK_EQUAL(tandem_load_le32(answer + LINK_STATUS_WANTS), 400);
    /* With a new tag it is a new command, and still the same package goes on. */
    answer = say_begin(3, &new_release, 0);
    CHECK_EQUAL(tandem_load_le32(answer + LINK_STATUS_WANTS), 400);
    CHECK_EQUAL(say_short(LINK_ABORT, 4)[LINK_STATUS_STATE], TANDEM_STATE_IDLE);
    CHECK_EQUAL(say_begin(5, &new_release, 0)[LINK_STATUS_STATE], TANDEM_STATE_RECEIVING);
    CHECK_EQUAL(say_short(LINK_ABORT, 6)[LINK_STATUS_STATE], TANDEM_STATE_IDLE);
    say_begin(7, &new_release, 0);
    say_short(LINK_STATUS, 8);
    /* QUERY opens a new conversation, in which tags mean nothing old. */
    say_begin(9, &new_release, 0);
    REQUIRE(say_query(10, 244) != NULL);
    CHECK_EQUAL(say_short(LINK_ABORT, 9)[LINK_STATUS_STATE], TANDEM_STATE_IDLE);
}

static void test_data_positions(void)
{
    by_hand();
    REQUIRE(say_query(1, 244) != NULL);
    say_data(&new_release, 0, 100, 0); /* before BEGIN: nobody's */
    CHECK_EQUAL(say_begin(2, &new_release, LINK_BEGIN_GENERATION)[LINK_STATUS_FLAGS],
                LINK_FLAG_GENERATION | LINK_FLAG_YOURS);
    say_data(&new_release, 0, 100, 0); /* of another generation */
    CHECK_EQUAL(tandem_install_wants(&device.install), 0);
    say_data(&new_release, 0, 100, 1);
    CHECK_EQUAL(tandem_install_wants(&device.install), 100);
    say_data(&new_release, 50, 100, 1); /* overlaps */
    CHECK_EQUAL(tandem_install_wants(&device.install), 150);
    say_data(&new_release, 0, 100, 1);   /* comes again */
    say_data(&new_release, 250, 100, 1); /* early */
    CHECK_EQUAL(tandem_install_wants(&device.install), 150);
    wait_ms(1);
    CHECK_EQUAL(said[said_count - 1][0], LINK_EVENT_ACK);
    CHECK_EQUAL(tandem_load_le32(said[said_count - 1] + LINK_ACK_WANTS), 150);
    CHECK_EQUAL(tandem_load_le16(said[said_count - 1] + LINK_ACK_GAP), 100);
    CHECK_EQUAL(said[said_count - 1][LINK_ACK_FLAGS], LINK_FLAG_GENERATION | LINK_FLAG_YOURS | LINK_FLAG_GAP);
    say_data(&new_release, 150, 100, 1);
    CHECK_EQUAL(tandem_install_wants(&device.install), 350);
    /* Far behind what is wanted, where there is nothing yet: not a place at the far end of a 4 GB package. */
    say_data(&new_release, 0x7000, 100, 1);
    CHECK_EQUAL(tandem_install_wants(&device.install), 350);
    CHECK_EQUAL(tandem_install_gap(&device.install), 0);
}

static void test_ticks(void)
{
    unsigned before;

    by_hand();
    REQUIRE(say_query(1, 244) != NULL);
    say_begin(2, &new_release, 0);
    before = said_count;
    wait_ms(99);
    CHECK_EQUAL(said_count, before);
    wait_ms(1); /* 100 ms after BEGIN */
    CHECK_EQUAL(said_count, before + 1);
    wait_ms(200);
    CHECK_EQUAL(said_count, before + 2);
    wait_ms(400 + 800 + 1600 + 1600);
    CHECK_EQUAL(said_count, before + 6);
    say_data(&new_release, 0, 10, 0);
    wait_ms(21);
    CHECK_EQUAL(said_count, before + 7);
    /* Nothing is said to a host that never spoke. */
    tandem_link_device_disconnected(link_by_hand);
    before = said_count;
    wait_ms(5000);
    CHECK_EQUAL(said_count, before);
}

static void test_restart_comes_after_the_answer(void)
{
    uint8_t message[LINK_HEADER + LINK_ACTIVATE_SIZE] = {LINK_ACTIVATE, 50, 0, 0x2C, 0x01}; /* 300 ms */
    uint32_t at;

    by_hand();
    REQUIRE(say_query(1, 244) != NULL);
    say_begin(2, &new_release, 0);
    at = 0;
    while (tandem_install_state(&device.install) < TANDEM_STATE_VALIDATING) {
        uint32_t size = new_release.size - at < 240 ? new_release.size - at : 240;

        if (at + size <= tandem_install_limit(&device.install)) {
            say_data(&new_release, at, size, 0);
            at += size;
        }
        wait_ms(1);
        said_count = 0;
    }
    wait_ms(100);
    REQUIRE(tandem_install_state(&device.install) == TANDEM_STATE_VALIDATED);
    CHECK_EQUAL(say(message, sizeof message)[LINK_STATUS_RESULT], TANDEM_OK);
    CHECK_EQUAL(said[said_count - 1][LINK_STATUS_STATE], TANDEM_STATE_PENDING);
    wait_ms(299);
    CHECK_EQUAL(device.reboot, 0);
    wait_ms(1);
    CHECK_EQUAL(device.reboot, 1);
    device.reboot = 0;
    wait_ms(1000);
    CHECK_EQUAL(device.reboot, 0);
    /* Asked again, it restarts again, after the least delay; ABORT calls it off. */
    message[1]++;
    message[3] = message[4] = 0;
    CHECK_EQUAL(say(message, sizeof message)[LINK_STATUS_RESULT], TANDEM_OK);
    wait_ms(TANDEM_LINK_RESTART_MS - 1);
    CHECK_EQUAL(device.reboot, 0);
    CHECK_EQUAL(say_short(LINK_ABORT, 60)[LINK_STATUS_STATE], TANDEM_STATE_VALIDATED);
    wait_ms(1000);
    CHECK_EQUAL(device.reboot, 0);
    CHECK_EQUAL(say_short(LINK_ENTER, 61)[LINK_STATUS_RESULT], TANDEM_OK);
    wait_ms(TANDEM_LINK_RESTART_MS);
    CHECK_EQUAL(device.ota_entered, 1);
    device.system.enter_ota = NULL;
    CHECK_EQUAL(say_short(LINK_ENTER, 62)[LINK_STATUS_RESULT], TANDEM_ERROR_NOT_SUPPORTED);
    device.system.reboot = NULL; /* the application restarts by itself */
    message[1]++;
    CHECK_EQUAL(say(message, sizeof message)[LINK_STATUS_RESULT], TANDEM_OK);
    wait_ms(1000);
}

/* Packets of noise, then of sense, in any order; then a good host still finds a good device. */
static void test_hostile_packets(void)
{
    uint32_t random = 99;
    unsigned round, i;

    for (round = 0; round < 16; round++) {
        by_hand();
        if (round & 1)
            say_query(1, 244);
        if (round & 2)
            say_begin(2, &new_release, (uint8_t)round);
        for (i = 0; i < 1500; i++) {
            uint8_t packet[600];
            size_t size = rig_random(&random) % (i % 10 == 0 ? 600 : 30), j;

            for (j = 0; j < size; j++)
                packet[j] = (uint8_t)rig_random(&random);
            if (i % 3 == 0 && size > 4) { /* something that looks right */
                packet[0] |= LINK_SEGMENT_FIRST | LINK_SEGMENT_LAST;
                packet[1] %= 9;
                packet[3] %= 2;
                if (packet[1] == LINK_ACTIVATE && size > 5)
                    packet[5] = 0;
            }
            said_count = 0;
            said_fill = 0;
            tandem_link_device_receive(link_by_hand, (enum tandem_channel)(rig_random(&random) % 2), packet, size);
            wait_ms(1);
        }
        device.reboot = 0;
        tandem_link_device_disconnected(link_by_hand);
        rig_host_make(&hosts[0], &device, 1, &(struct rig_wire_spec){.latency = 2, .mtu = 244});
        CHECK_EQUAL(rig_run(&device, &hosts[0], &new_release, NULL, 120000), TANDEM_OK);
        CHECK_EQUAL(rig_device_runs(&device), 2);
        rig_host_free(&hosts[0]);
    }
}

/* ---- the specification's example ---- */

static const char *specification; /* its path, or NULL */
static uint8_t spoken[16][32];    /* what the device sent and the page has not yet shown */
static size_t spoken_size[16];
static unsigned spoken_count;

static enum tandem_status example_send(void *ctx, enum tandem_channel channel, const void *data, size_t size)
{
    (void)ctx;
    CHECK_EQUAL(channel, TANDEM_CHANNEL_CONTROL);
    REQUIRE(spoken_count < 16 && size <= 20);
    memcpy(spoken[spoken_count], data, size);
    spoken_size[spoken_count++] = size;
    return TANDEM_OK;
}

static uint16_t example_mtu(void *ctx)
{
    (void)ctx;
    return 20;
}

static size_t read_hex(const char *text, uint8_t *bytes, size_t most)
{
    size_t size = 0;
    char *end;

    for (;; text = end) {
        unsigned long value = strtoul(text, &end, 16);

        if (end == text || size == most)
            return size;
        bytes[size++] = (uint8_t)value;
    }
}

/* Play one line of the example. @return 1 if the device was to say something there */
static int play_line(const char *line)
{
    uint8_t bytes[64];
    size_t size;

    if (strncmp(line, "wait ", 5) == 0) {
        wait_ms((uint32_t)atoi(line + 5));
    } else if (strncmp(line, "> control ", 10) == 0) {
        size = read_hex(line + 10, bytes, sizeof bytes);
        tandem_link_device_receive(link_by_hand, TANDEM_CHANNEL_CONTROL, bytes, size);
    } else if (strncmp(line, "> data ", 7) == 0) {
        size = read_hex(line + 7, bytes, sizeof bytes);
        tandem_link_device_receive(link_by_hand, TANDEM_CHANNEL_DATA, bytes, size);
    } else {
        REQUIRE(strncmp(line, "< control ", 10) == 0 && spoken_count > 0);
        size = read_hex(line + 10, bytes, sizeof bytes);
        CHECK_EQUAL(spoken_size[0], size);
        CHECK_BYTES(spoken[0], bytes, size);
        spoken_count--;
        memmove(spoken, spoken + 1, sizeof spoken - sizeof spoken[0]);
        memmove(spoken_size, spoken_size + 1, sizeof spoken_size - sizeof spoken_size[0]);
        return 1;
    }
    CHECK_EQUAL(spoken_count > 6, 0);
    return 0;
}

static void test_specification(void)
{
    static const struct tandem_packet_port port = {NULL, example_send, example_mtu};
    FILE *file = specification != NULL ? fopen(specification, "r") : NULL;
    char line[200];
    int inside = 0, shown = 0;

    if (file == NULL) {
        CHECK(specification == NULL);
        return;
    }
    rig_device_make(&device, &old_release, "L-0042");
    device.install.bank.state.counter = 1;
    link_by_hand = &device.links[0];
    tandem_link_device_init(link_by_hand, &device.service, &port, 244);
    spoken_count = 0;
    wait_ms(1);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "```", 3) == 0)
            inside = strncmp(line, "```link", 7) == 0;
        else if (inside)
            shown += play_line(line);
    }
    fclose(file);
    CHECK_EQUAL(spoken_count, 0); /* nothing was said that the page does not show */
    CHECK_EQUAL(shown, 11);
}

/* ---- the host half, spoken to by hand ---- */

static void test_hostile_device(void)
{
    uint32_t random = 4711;
    unsigned round, i;

    for (round = 0; round < 200; round += 3) {
        enum tandem_status status = TANDEM_AGAIN;

        setup(&(struct rig_wire_spec){.latency = 2, .mtu = 244});
        tandem_update_init(&hosts[0].update, tandem_link_host_target(&hosts[0].link), &new_release.offer, NULL);
        for (i = 0; i < 600; i++) {
            uint8_t packet[600];
            size_t size = rig_random(&random) % (i % 10 == 0 ? 600 : 40), j;

            for (j = 0; j < size; j++)
                packet[j] = (uint8_t)rig_random(&random);
            if (size > LINK_STATUS_SIZE + 1) { /* events and answers with senseless numbers in them */
                static const uint8_t operations[] = {0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0xC1, 0xC2};

                packet[0] |= LINK_SEGMENT_FIRST | (rig_random(&random) % 2 ? LINK_SEGMENT_LAST : 0);
                packet[1] = operations[rig_random(&random) % sizeof operations];
                packet[2] = hosts[0].link.tag;
            }
            if (i > round)
                tandem_link_host_receive(&hosts[0].link, (enum tandem_channel)(rig_random(&random) % 2), packet, size);
            rig_tick(&device, 1, hosts, 1);
            status = tandem_update_poll(&hosts[0].update, rig_now);
        }
        /* Whatever it believes now, once the noise ends an update goes through. */
        CHECK_EQUAL(rig_run(&device, &hosts[0], &new_release, NULL, 120000), TANDEM_OK);
        CHECK_EQUAL(rig_device_runs(&device), 2);
        (void)status;
        teardown();
    }
}

static const struct tandem_target *host_by_hand;

/* Hand the host a message as the device's. */
static void tell(const uint8_t *message, size_t size)
{
    uint8_t packet[300] = {LINK_SEGMENT_FIRST | LINK_SEGMENT_LAST};

    memcpy(packet + 1, message, size);
    tandem_link_host_receive(&hosts[0].link, TANDEM_CHANNEL_CONTROL, packet, size + 1);
}

static void tell_status(uint8_t operation, uint8_t result, uint8_t state, uint8_t flags, uint32_t wants,
                        uint16_t window)
{
    uint8_t message[LINK_STATUS_SIZE] = {operation, hosts[0].link.tag, 0, result, state};

    message[LINK_STATUS_FLAGS] = flags;
    tandem_store_le32(message + LINK_STATUS_WANTS, wants);
    tandem_store_le16(message + LINK_STATUS_WINDOW, window);
    tell(message, sizeof message);
}

static void tell_ack(uint8_t flags, uint32_t wants, uint16_t window, uint16_t missing)
{
    uint8_t message[LINK_ACK_SIZE] = {LINK_EVENT_ACK, 0, 0, flags};

    tandem_store_le32(message + LINK_ACK_WANTS, wants);
    tandem_store_le16(message + LINK_ACK_WINDOW, window);
    tandem_store_le16(message + LINK_ACK_GAP, missing);
    tell(message, sizeof message);
}

static void tell_info(uint8_t flags, uint16_t window, uint32_t resume, const uint8_t *id)
{
    uint8_t message[LINK_INFO_FIXED + 3] = {LINK_QUERY | LINK_ANSWER, hosts[0].link.tag};

    message[LINK_STATUS_FLAGS] = flags;
    tandem_store_le32(message + LINK_STATUS_WANTS, resume);
    tandem_store_le16(message + LINK_STATUS_WINDOW, window);
    tandem_store_le16(message + LINK_INFO_PACKET_MAX, 102);
    if (id != NULL)
        memcpy(message + LINK_INFO_RESUME_ID, id, TANDEM_PACKAGE_ID_SIZE);
    tell(message, sizeof message);
}

/* The offsets of the data that the host sent since the last look, as a sum that tells them apart, and their number. */
static unsigned data_sent;
static uint32_t data_first, data_end;

static void look(void)
{
    struct rig_lane *lane = &hosts[0].wire.down;

    host_by_hand->poll(host_by_hand->ctx, ++rig_now);
    data_sent = 0;
    for (; lane->count != 0; lane->count--, lane->first = (lane->first + 1) % RIG_QUEUE) {
        const struct rig_packet *packet = &lane->packets[lane->first];
        uint32_t position = tandem_load_le16(packet->data) & LINK_DATA_POSITION;

        if (packet->channel != TANDEM_CHANNEL_DATA)
            continue;
        CHECK_EQUAL((packet->data[1] & 0x80) != 0, hosts[0].link.generation);
        if (data_sent++ == 0)
            data_first = position;
        data_end = position + packet->size - LINK_DATA_HEADER;
    }
}

static struct tandem_info told;

static void host_up(uint8_t flags, uint16_t window, uint32_t resume, const uint8_t *id, uint8_t begin_flags)
{
    setup(&(struct rig_wire_spec){.latency = 5, .mtu = 244});
    host_by_hand = tandem_link_host_target(&hosts[0].link);
    look();
    REQUIRE(host_by_hand->connect(host_by_hand->ctx) == TANDEM_OK);
    REQUIRE(host_by_hand->query(host_by_hand->ctx, &told) == TANDEM_AGAIN);
    tell_info(flags, window, resume, id);
    REQUIRE(host_by_hand->query(host_by_hand->ctx, &told) == TANDEM_OK);
    REQUIRE(host_by_hand->begin(host_by_hand->ctx, &new_release.offer, 0, begin_flags) == TANDEM_AGAIN);
    look();
}

static void test_early_data(void)
{
    static const uint8_t other[TANDEM_PACKAGE_ID_SIZE] = {1};

    host_up(0, 1000, 0, NULL, 0);
    CHECK_EQUAL(data_sent, 10);
    CHECK_EQUAL(data_first, 0);
    CHECK_EQUAL(data_end, 1000);
    CHECK_EQUAL(hosts[0].link.generation, 1);
    teardown();
    host_up(LINK_FLAG_GENERATION, 1000, 40000, new_release.id, 0);
    CHECK_EQUAL(data_first, 40000 & LINK_DATA_POSITION);
    CHECK_EQUAL(hosts[0].link.generation, 0);
    teardown();
    host_up(0, 1000, 40000, other, 0);
    CHECK_EQUAL(data_first, 0);
    CHECK_EQUAL(data_sent, 10);
    teardown();
    host_up(LINK_FLAG_HELD, 1000, 0, NULL, 0);
    CHECK_EQUAL(data_sent, 0);
    teardown();
    host_up(LINK_FLAG_HELD, 1000, 0, NULL, TANDEM_BEGIN_FORCE);
    CHECK_EQUAL(data_sent, 10);
    teardown();
    host_up(0, 60000, 0, NULL, 0); /* more than may ever be under way */
    CHECK(data_end <= TANDEM_LINK_WINDOW_MAX);
    teardown();
    /* The device turns out to have had no room: it is sent again. */
    host_up(0, 1000, 0, NULL, 0);
    tell_status(0x82, TANDEM_OK, TANDEM_STATE_RECEIVING, LINK_FLAG_GENERATION | LINK_FLAG_YOURS, 0, 0);
    look();
    CHECK_EQUAL(data_sent, 0);
    tell_ack(LINK_FLAG_GENERATION | LINK_FLAG_YOURS, 0, 1000, 0);
    look();
    CHECK_EQUAL(data_first, 0);
    CHECK_EQUAL(data_end, 1000);
    teardown();
    /* The device goes on elsewhere. */
    host_up(0, 1000, 40000, new_release.id, 0);
    tell_status(0x82, TANDEM_OK, TANDEM_STATE_RECEIVING, LINK_FLAG_GENERATION | LINK_FLAG_YOURS, 0, 1000);
    look();
    CHECK_EQUAL(data_first, 0);
    CHECK_EQUAL(data_end, 1000);
    teardown();
    /* It is refused: nothing more flows. */
    host_up(0, 1000, 0, NULL, 0);
    tell_status(0x82, TANDEM_ERROR_BUSY, TANDEM_STATE_RECEIVING, LINK_FLAG_HELD, 0, 5000);
    CHECK_EQUAL(host_by_hand->begin(host_by_hand->ctx, &new_release.offer, 0, 0), TANDEM_ERROR_BUSY);
    look();
    CHECK_EQUAL(data_sent, 0);
    CHECK(host_by_hand->report(host_by_hand->ctx) != NULL);
    CHECK_EQUAL(host_by_hand->begin(host_by_hand->ctx, &new_release.offer, 1, 0), TANDEM_ERROR_ARGUMENT);
    teardown();
}

static void host_flowing(void)
{
    host_up(0, 1000, 0, NULL, 0);
    tell_status(0x82, TANDEM_OK, TANDEM_STATE_RECEIVING, LINK_FLAG_GENERATION | LINK_FLAG_YOURS, 0, 1000);
    REQUIRE(host_by_hand->begin(host_by_hand->ctx, &new_release.offer, 0, 0) == TANDEM_OK);
    look();
    CHECK_EQUAL(data_sent, 0);
}

static void test_flow(void)
{
    const uint8_t mine = LINK_FLAG_GENERATION | LINK_FLAG_YOURS;

    host_flowing();
    tell_ack(mine, 300, 1000, 0); /* 300 more: full packets only */
    look();
    CHECK_EQUAL(data_first, 1000);
    CHECK_EQUAL(data_end, 1300);
    tell_ack(mine, 300, 1040, 0); /* 40 more: not worth a packet yet */
    look();
    CHECK_EQUAL(data_sent, 0);
    tell_ack(mine, 1300, 40, 0); /* nothing under way: then a small one */
    look();
    CHECK_EQUAL(data_first, 1300);
    CHECK_EQUAL(data_end, 1340);
    tell_ack(mine, 1340, 1000, 0);
    look();
    /* A hole: just that, and once. */
    tell_ack(mine | LINK_FLAG_GAP, 1540, 800, 150);
    look();
    CHECK_EQUAL(data_sent, 2);
    CHECK_EQUAL(data_first, 1540);
    CHECK_EQUAL(data_end, 1690);
    tell_ack(mine | LINK_FLAG_GAP, 1540, 800, 150);
    look();
    CHECK_EQUAL(data_sent, 0);
    /* A jump back, a jump forward: with the new generation. */
    tell_ack(LINK_FLAG_YOURS, 1340, 500, 0);
    look();
    CHECK_EQUAL(hosts[0].link.generation, 0);
    CHECK_EQUAL(data_first, 1340);
    CHECK_EQUAL(data_end, 1840);
    tell_ack(mine, 50000, 500, 0);
    look();
    CHECK_EQUAL(data_first, 50000 & LINK_DATA_POSITION);
    /* Senseless: ignored. */
    tell_ack(mine, 50000, TANDEM_LINK_WINDOW_MAX + 1, 0);
    look();
    CHECK_EQUAL(data_sent, 0);
    CHECK_EQUAL(hosts[0].link.limit, 50500);
    teardown();
}

/* Nothing comes back: one packet, then silence, then one packet … and on as soon as there is progress. */
static void test_probing(void)
{
    unsigned i, probes = 0;

    host_flowing();
    tell_ack(LINK_FLAG_GENERATION | LINK_FLAG_YOURS, 0, 1000, 0);
    for (i = 0; i < 7500; i++) {
        tell_ack(LINK_FLAG_GENERATION | LINK_FLAG_YOURS, 0, 1000, 0);
        look();
        CHECK(data_sent <= 1);
        probes += data_sent;
        if (data_sent != 0)
            CHECK_EQUAL(data_first, 0);
    }
    CHECK_EQUAL(probes, 3); /* after 1, 3 and 7 s */
    tell_ack(LINK_FLAG_GENERATION | LINK_FLAG_YOURS, 100, 1000, 0);
    look();
    CHECK_EQUAL(data_first, 100);
    CHECK_EQUAL(data_end, 1100);
    teardown();
}

static void test_entering_by_link(void)
{
    unsigned i;
    enum tandem_status status = TANDEM_AGAIN;

    setup(&(struct rig_wire_spec){.latency = 5, .mtu = 244});
    host_by_hand = tandem_link_host_target(&hosts[0].link);
    host_by_hand->poll(host_by_hand->ctx, rig_now);
    REQUIRE(host_by_hand->connect(host_by_hand->ctx) == TANDEM_OK);
    for (i = 0; i < 100 && status == TANDEM_AGAIN; i++) {
        rig_tick(&device, 1, hosts, 1);
        host_by_hand->poll(host_by_hand->ctx, rig_now);
        status = host_by_hand->enter(host_by_hand->ctx);
    }
    CHECK_EQUAL(status, TANDEM_OK);
    for (i = 0; i < 200; i++)
        rig_tick(&device, 1, hosts, 1);
    CHECK_EQUAL(device.ota_entered, 1);
    teardown();
}

/* ---- both halves ---- */

static void expect_update(const struct rig_wire_spec *spec, uint32_t erase_ms, uint32_t most_sent)
{
    enum tandem_status status;

    setup(spec);
    device.erase_ms = erase_ms;
    status = rig_run(&device, &hosts[0], &new_release, NULL, 600000);
    if (!CHECK_EQUAL(status, TANDEM_OK) || !CHECK(hosts[0].link.payload_sent <= most_sent))
        fprintf(stderr, "  mtu %u, loss %u, twin %u, swap %u, stream %d: sent %u of %u\n", spec->mtu, spec->loss_ppm,
                spec->twin_ppm, spec->swap_ppm, spec->stream, hosts[0].link.payload_sent, new_release.size);
    CHECK_EQUAL(rig_device_runs(&device), 2);
    CHECK_BYTES(device.flash + RIG_BANK, new_release.image, new_release.image_size);
    teardown();
}

static void test_matrix(void)
{
    static const uint16_t mtus[] = {20, 21, 64, 182, 244, 495, 512};
    static const struct rig_wire_spec specs[] = {
        {.latency = 0},
        {.latency = 15},
        {.latency = 15, .queue = 4},
        {.latency = 15, .queue = 1},
        {.latency = 15, .twin_ppm = 100000},
        {.latency = 15, .swap_ppm = 100000},
        {.latency = 15, .stream = 1},
        {.latency = 0, .stream = 1, .per_ms = 11, .queue = 64},
    };
    unsigned mtu, i;

    for (mtu = 0; mtu < sizeof mtus / sizeof mtus[0]; mtu++) {
        for (i = 0; i < sizeof specs / sizeof specs[0]; i++) {
            struct rig_wire_spec spec = specs[i];

            spec.mtu = mtus[mtu];
            /* Nothing was lost, so next to nothing is sent twice. */
            expect_update(&spec, 0, new_release.size + new_release.size / 100);
        }
    }
}

/* A buffer that is larger than the position field allows under way. */
static void test_large_window(void)
{
    setup(&(struct rig_wire_spec){.latency = 40, .mtu = 244, .loss_ppm = 5000});
    device.buffer_size = sizeof device.buffer;
    rig_device_reboot(&device);
    CHECK_EQUAL(rig_run(&device, &hosts[0], &new_release, NULL, 60000), TANDEM_OK);
    CHECK_EQUAL(rig_device_runs(&device), 2);
    teardown();
}

static void test_losses(void)
{
    static const uint32_t losses[] = {1000, 10000, 50000, 200000};
    unsigned loss, shape;

    for (loss = 0; loss < 4; loss++) {
        struct rig_wire_spec spec = {.latency = 15, .mtu = 244, .loss_ppm = losses[loss]};

        for (shape = 0; shape < 3; shape++) {
            spec.twin_ppm = shape == 1 ? 20000 : 0;
            spec.swap_ppm = shape == 2 ? 20000 : 0;
            expect_update(&spec, shape == 0 ? 0 : 85,
                          losses[loss] <= 10000 ? new_release.size + new_release.size / 20 : 4 * new_release.size);
        }
    }
    expect_update(&(struct rig_wire_spec){.latency = 15, .mtu = 20, .loss_ppm = 10000}, 0, 2 * new_release.size);
    expect_update(&(struct rig_wire_spec){.latency = 15, .mtu = 244, .flip_ppm = 10000}, 0, 2 * new_release.size);
    expect_update(&(struct rig_wire_spec){.mtu = 244, .stream = 1, .per_ms = 100, .queue = 600, .loss_ppm = 100}, 0,
                  2 * new_release.size);
    expect_update(&(struct rig_wire_spec){.mtu = 64, .stream = 1, .per_ms = 100, .queue = 600, .loss_ppm = 1000}, 0,
                  4 * new_release.size);
}

/* One loss at 1 % costs one packet, and no standstill. */
static void test_one_loss_costs_one_packet(void)
{
    uint32_t begin;

    setup(&(struct rig_wire_spec){.latency = 15, .mtu = 244, .loss_ppm = 10000});
    begin = rig_now;
    CHECK_EQUAL(rig_run(&device, &hosts[0], &new_release, NULL, 60000), TANDEM_OK);
    CHECK(hosts[0].link.payload_sent - new_release.size <= 8 * 242);
    CHECK(rig_now - begin < 2200); /* without losses it takes 1400 ms, 300 of them the trial and 650 the restart */
    teardown();
}

static void test_cuts(void)
{
    uint32_t cut;

    for (cut = 40; cut < 400; cut += 7) {
        setup(&(struct rig_wire_spec){.latency = 7, .mtu = 244, .cut_ms = cut, .queue = 12});
        CHECK_EQUAL(rig_run(&device, &hosts[0], &new_release, NULL, 120000), TANDEM_OK);
        CHECK_EQUAL(rig_device_runs(&device), 2);
        /* No break costs more than the window. */
        CHECK(hosts[0].link.payload_sent <= new_release.size + hosts[0].wire.cuts * 8192u);
        teardown();
    }
}

/* The link breaks at each data packet in turn, and with it, each second time, the device's power. */
static void test_cut_at_every_packet(void)
{
    uint32_t at, total = (new_release.size + 241) / 242 + 4;

    /* Every one around the head, the first sector and the end; every third of those between. */
    for (at = 1; at < total; at += at < 40 || at + 30 > total ? 1 : 3) {
        enum tandem_status status = TANDEM_AGAIN;
        int done = 0;
        uint32_t begin;

        setup(&(struct rig_wire_spec){.latency = 3, .mtu = 244, .queue = 6});
        begin = rig_now;
        tandem_update_init(&hosts[0].update, tandem_link_host_target(&hosts[0].link), &new_release.offer, NULL);
        while (status == TANDEM_AGAIN && rig_now - begin < 60000) {
            rig_tick(&device, 1, hosts, 1);
            status = tandem_update_poll(&hosts[0].update, rig_now);
            if (!done && hosts[0].wire.down.packets_carried >= at) {
                done = 1;
                if (at & 1)
                    rig_cut(&hosts[0].wire);
                else
                    rig_device_reboot(&device);
            }
        }
        CHECK_EQUAL(status, TANDEM_OK);
        CHECK_EQUAL(rig_device_runs(&device), 2);
        /* A break costs the window at most; a power cut besides what was received since the last checkpoint. */
        CHECK(hosts[0].link.payload_sent <= new_release.size + 8192u + (at & 1 ? 0 : RIG_SECTOR + 1040u));
        teardown();
    }
}

/* A cut that nobody is told of, as on a UART: both sides find out by themselves. */
static void test_silent_restart(void)
{
    uint32_t when;

    for (when = 20; when < 500; when += 40) {
        enum tandem_status status = TANDEM_AGAIN;
        uint32_t begin = 0;

        setup(&(struct rig_wire_spec){.mtu = 244, .stream = 1, .silent_cut = 1, .per_ms = 100, .queue = 600});
        begin = rig_now;
        tandem_update_init(&hosts[0].update, tandem_link_host_target(&hosts[0].link), &new_release.offer, NULL);
        while (status == TANDEM_AGAIN && rig_now - begin < 60000) {
            if (rig_now - begin == when) { /* the device restarts; the wire does not care */
                device.up = 0;
                device.down_until = rig_now + 100;
            }
            rig_tick(&device, 1, hosts, 1);
            status = tandem_update_poll(&hosts[0].update, rig_now);
        }
        CHECK_EQUAL(status, TANDEM_OK);
        CHECK_EQUAL(rig_device_runs(&device), 2);
        CHECK(rig_now - begin < 12000);
        teardown();
    }
}

static void test_clock_wraps(void)
{
    uint32_t before;

    for (before = 0; before < 3000; before += 100) {
        rig_now = 0u - before;
        setup(&(struct rig_wire_spec){.latency = 15, .mtu = 244, .loss_ppm = 10000, .cut_ms = 500});
        CHECK_EQUAL(rig_run(&device, &hosts[0], &new_release, NULL, 60000), TANDEM_OK);
        CHECK(rig_now - (0u - before) < 10000);
        teardown();
    }
}

/* ---- costs ---- */

/* Run until pending. @return ms from first contact */
static uint32_t run_to_pending(const struct rig_release *release)
{
    uint32_t begin, end = 0;
    enum tandem_status status = TANDEM_AGAIN;

    while (rig_now % 15 != 0)
        rig_tick(&device, 1, hosts, 1);
    begin = rig_now;
    tandem_update_init(&hosts[0].update, tandem_link_host_target(&hosts[0].link), &release->offer, NULL);
    while (status == TANDEM_AGAIN && rig_now - begin < 60000) {
        rig_tick(&device, 1, hosts, 1);
        status = tandem_update_poll(&hosts[0].update, rig_now);
        if (end == 0 && tandem_install_state(&device.install) == TANDEM_STATE_PENDING)
            end = rig_now;
    }
    CHECK_EQUAL(status, TANDEM_OK);
    return end - begin;
}

static void test_round_trips(void)
{
    uint32_t packets = (new_release.size + 241) / 242, payload_ms = (packets + 9) / 10 * 15, ms;

    setup(&(struct rig_wire_spec){.mtu = 244, .interval = 15, .per_event = 10, .queue = 12});
    ms = run_to_pending(&new_release);
    printf("       %u bytes: pending after %u ms at a 15 ms interval; %u packets alone take %u ms\n", new_release.size,
           ms, packets, payload_ms);
    CHECK(ms <= payload_ms + 4 * 15);
    /* Each package byte was sent once, and little else. */
    CHECK_EQUAL(hosts[0].link.payload_sent, new_release.size);
    CHECK(hosts[0].wire.down.carried <= new_release.size + packets * LINK_DATA_HEADER + 100);
    CHECK(hosts[0].wire.up.carried < new_release.size / 50);
    teardown();
}

static void test_bytes_on_the_wire(void)
{
    static const struct {
        uint16_t mtu;
        int stream;
        unsigned percent; /* of what goes down that is package */
    } cases[] = {{20, 0, 89}, {182, 0, 98}, {244, 0, 99}, {495, 0, 99}, {20, 1, 66}, {244, 1, 96}, {495, 1, 97}};
    unsigned i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig_wire_spec spec = {.latency = 8, .mtu = cases[i].mtu, .stream = cases[i].stream};
        uint32_t down;

        setup(&spec);
        CHECK_EQUAL(rig_run(&device, &hosts[0], &new_release, NULL, 60000), TANDEM_OK);
        down = hosts[0].wire.down.carried;
        printf("       packets of %3u bytes%s: %u bytes down (%u.%u %% are package), %u up\n", cases[i].mtu,
               cases[i].stream ? ", framed" : "", down, new_release.size * 100 / down,
               (uint32_t)((uint64_t)new_release.size * 1000 / down % 10), hosts[0].wire.up.carried);
        CHECK(new_release.size * 100 / down >= cases[i].percent);
        teardown();
    }
}

/* ---- two hosts ---- */

static struct tandem_update *updates[2] = {&hosts[0].update, &hosts[1].update};

static void setup_two(void)
{
    static const struct rig_wire_spec spec = {.latency = 5, .mtu = 244, .queue = 1}; /* 48 KB/s */

    rig_device_make(&device, &old_release, "SN-0001");
    rig_host_make(&hosts[0], &device, 0, &spec);
    rig_host_make(&hosts[1], &device, 1, &spec);
}

static void teardown_two(void)
{
    rig_host_free(&hosts[0]);
    rig_host_free(&hosts[1]);
}

/* Both hosts are polled, those that live. */
static void run_two(uint32_t ms, int first, int second)
{
    while (ms-- != 0) {
        rig_tick(&device, 1, hosts, 2);
        if (first)
            (void)tandem_update_poll(updates[0], rig_now);
        if (second)
            (void)tandem_update_poll(updates[1], rig_now);
    }
}

static void begin_two(const struct rig_release *first, const struct rig_release *second,
                      const struct tandem_update_options *options)
{
    tandem_update_init(updates[0], tandem_link_host_target(&hosts[0].link), &first->offer, NULL);
    tandem_update_init(updates[1], tandem_link_host_target(&hosts[1].link), &second->offer, options);
}

static void test_second_host_waits(void)
{
    static const struct tandem_update_options few = {.attempts = 2};

    setup_two();
    begin_two(&new_release, &next_release, &few);
    run_two(100, 1, 0);
    run_two(2000, 1, 1);
    CHECK_EQUAL(tandem_update_result(updates[1])->status, TANDEM_ERROR_BUSY);
    run_two(3000, 1, 1);
    CHECK_EQUAL(tandem_update_result(updates[0])->status, TANDEM_OK);
    CHECK_EQUAL(hosts[0].link.payload_sent, new_release.size);
    CHECK_EQUAL(rig_device_runs(&device), 2);
    teardown_two();
}

static void test_second_host_goes_on(void)
{
    uint32_t had;

    /* The first host leaves in the middle: the second goes on where it was. */
    setup_two();
    begin_two(&new_release, &new_release, NULL);
    run_two(300, 1, 0);
    had = tandem_install_wants(&device.install);
    CHECK(had > 8192 && had < new_release.size);
    rig_cut(&hosts[0].wire);
    run_two(4000, 0, 1);
    CHECK_EQUAL(tandem_update_result(updates[1])->status, TANDEM_OK);
    CHECK(hosts[1].link.payload_sent <= new_release.size - had);
    CHECK_EQUAL(rig_device_runs(&device), 2);
    teardown_two();

    /* The first host falls silent without leaving: the same, after a while. */
    setup_two();
    begin_two(&new_release, &new_release, NULL);
    run_two(300, 1, 0);
    had = tandem_install_wants(&device.install);
    run_two(TANDEM_LINK_SILENCE_MS - 1000, 0, 1);
    CHECK_EQUAL(tandem_update_result(updates[1])->status, TANDEM_AGAIN);
    CHECK(tandem_install_wants(&device.install) - had <= 8192);
    run_two(20000, 0, 1);
    CHECK_EQUAL(tandem_update_result(updates[1])->status, TANDEM_OK);
    CHECK(hosts[1].link.payload_sent <= new_release.size - had);
    teardown_two();
}

static void test_takeover_by_force(void)
{
    static const struct tandem_update_options force = {.force = 1};

    setup_two();
    begin_two(&new_release, &next_release, &force);
    run_two(300, 1, 0);
    CHECK_EQUAL(tandem_install_state(&device.install), TANDEM_STATE_RECEIVING);
    run_two(4000, 1, 1);
    CHECK_EQUAL(tandem_update_result(updates[1])->status, TANDEM_OK);
    CHECK_EQUAL(rig_device_runs(&device), 3);
    /* The first one heard of it, tried again, and found a newer firmware than its own. */
    run_two(60000, 1, 1);
    CHECK_EQUAL(tandem_update_result(updates[0])->status, TANDEM_ERROR_COUNTER);
    CHECK_EQUAL(tandem_update_info(updates[0])->version.major, 3);
    teardown_two();
}

static void test_onlookers(void)
{
    struct tandem_info info;
    const struct tandem_target *target;

    setup_two();
    begin_two(&new_release, &new_release, NULL);
    run_two(200, 1, 0);
    /* Another connection may look, and may not touch. */
    target = tandem_link_host_target(&hosts[1].link);
    target->poll(target->ctx, rig_now);
    REQUIRE(target->connect(target->ctx) == TANDEM_OK);
    while (target->query(target->ctx, &info) == TANDEM_AGAIN) {
        run_two(1, 1, 0);
        target->poll(target->ctx, rig_now);
    }
    CHECK_EQUAL(info.state, TANDEM_STATE_RECEIVING);
    CHECK(info.known & TANDEM_INFO_RESUME);
    CHECK_BYTES(info.resume_id, new_release.id, TANDEM_PACKAGE_ID_SIZE);
    CHECK_EQUAL(strcmp(info.product, "bud"), 0);
    CHECK_EQUAL(strcmp(info.serial, "SN-0001"), 0);
    while (target->abort(target->ctx) == TANDEM_AGAIN) {
        run_two(1, 1, 0);
        target->poll(target->ctx, rig_now);
    }
    CHECK_EQUAL(target->report(target->ctx) != NULL, 1);
    CHECK_EQUAL(hosts[1].link.result, TANDEM_ERROR_BUSY);
    while (target->activate(target->ctx) == TANDEM_AGAIN) {
        run_two(1, 1, 0);
        target->poll(target->ctx, rig_now);
    }
    CHECK_EQUAL(hosts[1].link.result, TANDEM_ERROR_BUSY);
    run_two(3000, 1, 0);
    CHECK_EQUAL(tandem_update_result(updates[0])->status, TANDEM_OK);
    teardown_two();
}

/* ---- silence ---- */

static void test_silent_device(void)
{
    static const struct tandem_update_options few = {.attempts = 2};
    uint32_t begin;

    setup(&(struct rig_wire_spec){.latency = 5, .mtu = 244});
    hosts[0].wire.deaf = 1;
    begin = rig_now;
    CHECK_EQUAL(rig_run(&device, &hosts[0], &new_release, &few, 120000), TANDEM_ERROR_TIMEOUT);
    CHECK(rig_now - begin > 28000 && rig_now - begin < 40000);
    CHECK_EQUAL(hosts[0].update.result.stage, TANDEM_STAGE_CONNECT);
    hosts[0].wire.deaf = 0;
    CHECK_EQUAL(rig_run(&device, &hosts[0], &new_release, NULL, 120000), TANDEM_OK);
    teardown();
}

/* A host that holds a validated device keeps its link alive; the device keeps its owner. */
static void test_keep_alive(void)
{
    unsigned i;

    setup(&(struct rig_wire_spec){.latency = 5, .mtu = 244});
    tandem_update_init(&hosts[0].update, tandem_link_host_target(&hosts[0].link), &new_release.offer, NULL);
    REQUIRE(tandem_update_goal(&hosts[0].update, TANDEM_GOAL_VALIDATED) == TANDEM_OK);
    for (i = 0; i < 60000; i++) {
        rig_tick(&device, 1, hosts, 1);
        (void)tandem_update_poll(&hosts[0].update, rig_now);
    }
    CHECK_EQUAL(hosts[0].connects, 1);
    CHECK_EQUAL(hosts[0].link.broken, TANDEM_OK);
    CHECK(device.service.owner == &device.links[0]);
    CHECK(device.service.now - device.service.heard_ms < TANDEM_LINK_SILENCE_MS);
    teardown();
}

int main(int argc, char **argv)
{
    specification = argc > 1 ? argv[1] : NULL;
    rig_release_make(&old_release, &(struct rig_spec){.version = 1, .counter = 1});
    rig_release_make(&new_release, &(struct rig_spec){.version = 2, .counter = 2, .image_size = 65000});
    rig_release_make(&next_release, &(struct rig_spec){.version = 3, .counter = 3, .image_size = 30000});
    RUN(test_info);
    RUN(test_restart_is_not_put_off);
    RUN(test_info_in_pieces);
    RUN(test_requests_in_pieces);
    RUN(test_refusals);
    RUN(test_repeated_commands);
    RUN(test_data_positions);
    RUN(test_ticks);
    RUN(test_restart_comes_after_the_answer);
    RUN(test_specification);
    RUN(test_hostile_packets);
    RUN(test_hostile_device);
    RUN(test_early_data);
    RUN(test_flow);
    RUN(test_probing);
    RUN(test_entering_by_link);
    RUN(test_matrix);
    RUN(test_large_window);
    RUN(test_losses);
    RUN(test_one_loss_costs_one_packet);
    RUN(test_cuts);
    RUN(test_cut_at_every_packet);
    RUN(test_silent_restart);
    RUN(test_clock_wraps);
    RUN(test_round_trips);
    RUN(test_bytes_on_the_wire);
    RUN(test_second_host_waits);
    RUN(test_second_host_goes_on);
    RUN(test_takeover_by_force);
    RUN(test_onlookers);
    RUN(test_silent_device);
    RUN(test_keep_alive);
    rig_release_free(&old_release);
    rig_release_free(&new_release);
    rig_release_free(&next_release);
    return check_report();
}
