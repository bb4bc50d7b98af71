/*
 * The bench for Realtek's DFU: see realtek_rig.h.
 */
#include "realtek_rig.h"

#include "core/bytes.h"

/* ---- ports ---- */

static enum tandem_status notify(void *ctx, uint16_t characteristic, const void *data, size_t size)
{
    struct rig *r = (struct rig *)ctx;
    struct rig_note *note = &r->box[r->notes % RIG_BOX];

    if (r->deaf)
        return TANDEM_ERROR_STATE;
    if (r->again > 0) {
        r->again--;
        return TANDEM_AGAIN;
    }
    CHECK(size + 3 <= r->mtu);
    REQUIRE(size <= sizeof note->bytes);
    note->characteristic = characteristic;
    note->size = (uint16_t)size;
    memcpy(note->bytes, data, size);
    r->notes++;
    return TANDEM_OK;
}

static uint16_t mtu(void *ctx)
{
    return ((const struct rig *)ctx)->mtu;
}

static enum tandem_status parameters(void *ctx, const struct tandem_gatt_parameters *wish)
{
    ((struct rig *)ctx)->parameters = *wish;
    return TANDEM_OK;
}

static enum tandem_status disconnect(void *ctx)
{
    ((struct rig *)ctx)->disconnects++;
    return TANDEM_OK;
}

static enum tandem_status reboot(void *ctx)
{
    struct rig *r = (struct rig *)ctx;

    r->reboots++;
    return TANDEM_OK;
}

static enum tandem_status enter(void *ctx)
{
    struct rig *r = (struct rig *)ctx;

    r->entered++;
    return TANDEM_OK;
}

/* The fixture's port has its own context, which lies at the rig's beginning. */
static enum tandem_status reboot_of(void *ctx)
{
    return reboot(ctx);
}

static enum tandem_status enter_of(void *ctx)
{
    return enter(ctx);
}

/* ---- life ---- */

void rig_start(struct rig *r)
{
    CHECK_EQUAL(fixture_install(&r->f), TANDEM_OK);
    tandem_bare_init(&r->bare, &r->f.install);
    memset(&r->device, 0xA5, sizeof r->device);
    CHECK_EQUAL(tandem_realtek_device_init(&r->device, &r->config, &r->bare, &r->gatt), TANDEM_OK);
    tandem_realtek_device_connected(&r->device);
    r->notes = 0;
    r->seen = 0;
}

void rig_open(struct rig *r, uint8_t dialect, uint8_t ic)
{
    rig_open_on(r, dialect, ic, NULL);
}

void rig_open_on(struct rig *r, uint8_t dialect, uint8_t ic, const struct fixture_options *options)
{
    static const uint8_t address[6] = {0x00, 0xE0, 0x4C, 0x12, 0x34, 0x56};
    static const struct tandem_realtek_map map[4] = {
        {RIG_OTA_HEADER, 0, 2, 0x01000000},
        {RIG_PATCH, TANDEM_KIND_STACK, 4, 0x00002001},
        {RIG_APP, TANDEM_KIND_APPLICATION, 5, 0x00004001},
        {RIG_DATA, TANDEM_KIND_DATA, 6, 0x00000005},
    };
    struct tandem_boot boot;

    memset(r, 0, sizeof *r);
    r->old = fixture_package(1);
    fixture_open(&r->f, options);
    r->f.device.allow_unsigned = 1;
    r->f.system.reboot = reboot_of;
    r->f.system.enter_ota = enter_of;
    fixture_factory(&r->f, 0, &r->old);
    CHECK_EQUAL(fixture_boot(&r->f, &boot), TANDEM_OK);
    memcpy(r->map, map, sizeof map);
    r->config.dialect = dialect;
    r->config.ic = ic;
    r->config.address = address;
    r->config.patch_version = 0x2001;
    r->config.app_version = 0x4001;
    r->config.images = r->map;
    r->config.image_count = 4;
    r->gatt.ctx = r;
    r->gatt.notify = notify;
    r->gatt.mtu = mtu;
    r->gatt.parameters = parameters;
    r->gatt.disconnect = disconnect;
    r->mtu = 247;
    r->ms = 1000;
    rig_start(r);
}

void rig_close(struct rig *r)
{
    fixture_close(&r->f);
    package_free(&r->old);
}

unsigned rig_failures(void)
{
    return check_failures;
}

uint8_t rig_reset(struct rig *r)
{
    struct tandem_boot boot;

    CHECK_EQUAL(fixture_boot(&r->f, &boot), TANDEM_OK);
    r->reboots = 0;
    rig_start(r);
    return boot.bank;
}

void rig_settle(struct rig *r, uint32_t ms)
{
    uint32_t until = r->ms + ms;
    int idle = 0;

    while (r->ms != until && idle < 2) {
        idle = tandem_realtek_device_poll(&r->device, r->ms) == TANDEM_OK ? idle + 1 : 0;
        r->ms++;
        r->f.now_us += 1000;
    }
}

/* ---- images ---- */

static void put_hash(struct rig_image *image, uint32_t at, const uint32_t (*ranges)[2], unsigned count)
{
    struct tandem_sha256 hash;

    (void)tandem_sha256_init(&hash, NULL);
    for (unsigned i = 0; i < count; i++)
        (void)tandem_sha256_update(&hash, image->bytes + ranges[i][0], ranges[i][1] - ranges[i][0]);
    (void)tandem_sha256_final(&hash, image->bytes + at);
}

void rig_image_seal(struct rig_image *image, uint8_t ic)
{
    int old = ic == 4 || ic == 5 || ic == 9;
    uint32_t control = ic == 11 ? 304 : ic == 16 ? 432 : 0;
    const uint32_t of_old[3][2] = {{12, 372}, {404, 752}, {1008, image->size}};
    const uint32_t of_new[1][2] = {{control, image->size}};

    put_hash(image, old ? 372 : control - 32, old ? of_old : of_new, old ? 3 : 1);
}

struct rig_image rig_image(uint8_t ic, uint16_t id, const uint8_t *payload, uint32_t size, int crc)
{
    struct rig_image image = {id, RIG_HEADER + size, {0}, NULL};
    int old = ic == 4 || ic == 5 || ic == 9;
    uint32_t control = ic == 11 ? 304 : ic == 16 ? 432 : 0;

    image.bytes = (uint8_t *)malloc(image.size);
    REQUIRE(image.bytes != NULL);
    memcpy(image.bytes, fixture_bytes(60, RIG_HEADER), RIG_HEADER);
    memcpy(image.bytes + RIG_HEADER, payload, size);
    uint8_t *head = image.bytes + control;
    uint8_t *chip = old ? head : head + 2;
    chip[0] = ic;
    chip[1] = 0;
    tandem_store_le16(chip + 2, 0x0101);
    tandem_store_le16(head + (old ? 4 : 6), id);
    tandem_store_le16(head + (old ? 6 : 0), 0);
    tandem_store_le32(head + 8, size);
    if (crc) {
        uint16_t value = 0;

        if (old)
            value = tandem_crc16_reflected(value, image.bytes + 12, 752 - 12);
        value = old ? tandem_crc16_reflected(value, image.bytes + 1008, image.size - 1008)
                    : tandem_crc16_reflected(value, head + 2, image.size - control - 2);
        REQUIRE(value != 0);
        tandem_store_le16(head + (old ? 6 : 0), value);
    }
    if (!crc || !old)
        rig_image_seal(&image, ic);
    memcpy(image.control, head, 12);
    return image;
}

void rig_image_free(struct rig_image *image)
{
    free(image->bytes);
    image->bytes = NULL;
}

int rig_holds(struct rig *r, uint8_t bank, uint8_t kind, const uint8_t *bytes, uint32_t size)
{
    for (unsigned i = 0; i < FIXTURE_SLOTS; i++)
        if (r->f.slots[i].kind == kind)
            return memcmp(sim_flash_at(&r->f.flash, r->f.slots[i].areas[bank].address), bytes, size) == 0;
    return 0;
}

/* ---- a host of few words ---- */

enum tandem_att rig_ask(struct rig *r, const char *request)
{
    uint8_t bytes[600];
    size_t size = hex(bytes, request);
    enum tandem_att att = tandem_realtek_device_write(&r->device, TANDEM_REALTEK_CONTROL, bytes, size);

    rig_settle(r, 20000);
    return att;
}

const struct rig_note *rig_next(struct rig *r)
{
    return r->seen < r->notes ? &r->box[r->seen++ % RIG_BOX] : NULL;
}

void rig_answers(struct rig *r, const char *answer, const char *request, const char *file, int line)
{
    uint8_t want[200];
    size_t size = hex(want, answer);
    const struct rig_note *note = rig_next(r);
    char text[100];

    snprintf(text, sizeof text, "answer to %.60s", request);
    if (size == 0) {
        check_equal(note != NULL, 0, text, file, line);
        return;
    }
    if (!check_equal(note != NULL, 1, text, file, line))
        return;
    if (check_equal(note->size, (long long)size, text, file, line))
        check_bytes(note->bytes, want, size, text, file, line);
    check_equal(rig_next(r) != NULL, 0, "a second answer", file, line);
}

void rig_reads(struct rig *r, uint16_t characteristic, const char *value, const char *file, int line)
{
    uint8_t want[200], got[200];
    size_t size = hex(want, value), is, part;

    /* in parts, as Read Blob does */
    for (is = 0;; is += part) {
        enum tandem_att att = tandem_realtek_device_read(&r->device, characteristic, (uint16_t)is, got + is, 22, &part);

        check_equal(att, TANDEM_ATT_OK, "read", file, line);
        if (part < 22)
            break;
    }
    is += part;
    if (check_equal((long long)is, (long long)size, "size of the value", file, line))
        check_bytes(got, want, size, "value", file, line);
}

static uint8_t request(struct rig *r, const uint8_t *bytes, size_t size)
{
    const struct rig_note *note;
    enum tandem_att att = tandem_realtek_device_write(&r->device, TANDEM_REALTEK_CONTROL, bytes, size);

    if (att != TANDEM_ATT_OK)
        return 0xF0;
    rig_settle(r, 20000);
    note = rig_next(r);
    if (note == NULL)
        return 0;
    CHECK_EQUAL(note->bytes[0], 0x10);
    CHECK_EQUAL(note->bytes[1], bytes[0]);
    return note->bytes[2];
}

/* What AES makes of a packet. */
static void encrypt(const struct rig_way *way, uint8_t *bytes, size_t size)
{
    struct tandem_aes aes;

    if (way->key == NULL || size < 16)
        return;
    CHECK_EQUAL(tandem_aes_init(&aes, NULL, way->key, way->key_size), TANDEM_OK);
    (void)tandem_aes_encrypt(&aes, bytes, bytes, way->all ? size / 16 : 1);
}

static uint32_t begin_at(const struct rig *r)
{
    return r->config.dialect == TANDEM_REALTEK_BEE2 ? 12 : 0;
}

/* @return status of the report; the offset that it names */
static uint8_t report(struct rig *r, uint16_t size, const uint8_t check[2], uint32_t *offset)
{
    uint8_t bytes[5] = {0x0A, (uint8_t)size, (uint8_t)(size >> 8), check[0], check[1]};
    uint8_t status = request(r, bytes, sizeof bytes);

    *offset = tandem_load_le32(r->box[(r->seen - 1) % RIG_BOX].bytes + 3);
    return status;
}

static uint8_t send_chunks(struct rig *r, const struct rig_image *image, const struct rig_way *way, uint32_t buffer)
{
    uint32_t at = begin_at(r), packet = way->packet != 0 ? way->packet : 96, sent = 0;
    unsigned tries = 0, chunks = 0;

    while (at < image->size) {
        uint32_t chunk = image->size - at < buffer ? image->size - at : buffer, done = 0, next;
        uint8_t check[2] = {0, 0}, status;

        chunks++;
        while (done < chunk) {
            uint8_t bytes[512];
            uint32_t part = chunk - done < packet ? chunk - done : packet;

            if (way->stop != 0 && sent >= way->stop)
                return 0xFE;
            memcpy(bytes, image->bytes + at + done, part);
            encrypt(way, bytes, part);
            for (uint32_t i = 0; i < part; i++)
                check[(done + i) % 2 == 0] ^= bytes[i];
            if (chunks == way->damage && done == 0)
                bytes[part / 2] ^= 0x04;
            if (tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes, part) != TANDEM_ATT_OK)
                r->refused++;
            if (!r->quick)
                (void)tandem_realtek_device_poll(&r->device, r->ms);
            done += part;
            sent += part;
        }
        status = report(r, (uint16_t)chunk, check, &next);
        if (status != 1 && ++tries > 3)
            return status;
        at = status == 1 || status == 5 || status == 6 || status == 7 ? next : image->size;
        if (status == 3 || status == 8)
            return status;
    }
    return 1;
}

static uint8_t send_plain(struct rig *r, const struct rig_image *image, const struct rig_way *way)
{
    uint32_t at = begin_at(r), packet = way->packet != 0 ? way->packet : 100;

    while (at < image->size) {
        uint8_t bytes[512];
        uint32_t part = image->size - at < packet ? image->size - at : packet;

        if (way->stop != 0 && at >= way->stop)
            return 0xFE;
        memcpy(bytes, image->bytes + at, part);
        encrypt(way, bytes, part);
        (void)tandem_realtek_device_write(&r->device, TANDEM_REALTEK_DATA, bytes, part);
        if (!r->quick)
            (void)tandem_realtek_device_poll(&r->device, r->ms);
        at += part;
    }
    return 1;
}

uint8_t rig_send(struct rig *r, const struct rig_image *image, const struct rig_way *way)
{
    static const struct rig_way usual = {0, 0, NULL, 0, 0, 0, 0};
    uint8_t start[17] = {0x01}, validate[4] = {0x03, (uint8_t)image->id, (uint8_t)(image->id >> 8), 1};
    uint8_t receive[7] = {0x02, (uint8_t)image->id, (uint8_t)(image->id >> 8), (uint8_t)begin_at(r), 0, 0, 0};
    uint8_t check[1] = {0x09}, status;
    uint32_t buffer = 0;

    if (way == NULL)
        way = &usual;
    if (way->check) {
        CHECK_EQUAL(request(r, check, 1), 1);
        buffer = tandem_load_le16(r->box[(r->seen - 1) % RIG_BOX].bytes + 3);
        REQUIRE(buffer >= 16);
    }
    memcpy(start + 1, image->control, 12);
    if (way->key != NULL) {
        struct rig_way one = *way;

        one.all = 0;
        encrypt(&one, start + 1, 16);
    }
    status = request(r, start, sizeof start);
    if (status != 1)
        return status;
    CHECK_EQUAL(request(r, receive, sizeof receive), 0);
    status = buffer != 0 ? send_chunks(r, image, way, buffer) : send_plain(r, image, way);
    if (status != 1)
        return status;
    return request(r, validate, r->config.dialect >= TANDEM_REALTEK_AUDIO ? 4 : 3);
}

int rig_activate(struct rig *r)
{
    const uint8_t activate[1] = {0x04};

    CHECK_EQUAL(request(r, activate, 1), 0);
    for (unsigned i = 0; i < 5000 && r->reboots == 0; i++)
        rig_settle(r, 10);
    return r->reboots != 0;
}
