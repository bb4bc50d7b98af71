/*
 * Realtek's packs. Even inputs are bytes of a pack, whose size is set right if
 * the next bit says so; odd ones describe a pack that is written, and has to
 * be read as it was meant.
 */
#include <string.h>

#include "core/bytes.h"
#include "fuzz_file.h"
#include "tandem/image_mppack.h"

#define ITEMS_MAX 12

/* A header that was read is written and read as the same. */
static void check_mp(const struct tandem_mp_header *header)
{
    uint8_t bytes[TANDEM_MP_HEADER_SIZE];
    struct tandem_mp_header again, plain = *header;

    plain.has |= TANDEM_MP_BIN_ID; /* they begin with it */
    tandem_mp_header_write(&plain, bytes);
    MUST(tandem_mp_header_read(&again, bytes) == TANDEM_OK);
    MUST(memcmp(&again, &plain, sizeof again) == 0);
}

static void check_pack(const struct tandem_mppack *pack)
{
    struct tandem_mppack_file file;
    uint32_t at = pack->data_at;
    char name[40];

    MUST(pack->size <= pack->source->size && pack->count > 0);
    for (uint16_t i = 0; i < pack->count; i++) {
        enum tandem_status status = tandem_mppack_file(pack, i, &file);

        MUST(status == TANDEM_OK || status == TANDEM_ERROR_FORMAT);
        MUST(file.offset == at && file.index == i && file.function < pack->bits / 2 && file.bank < 2);
        at += file.size;
        if (status == TANDEM_OK)
            check_mp(&file.mp);
        MUST(tandem_mppack_name(pack, i, name, sizeof name) < sizeof name);
    }
    MUST(at == pack->size);
    for (uint8_t bank = 0; bank < 2; bank++) {
        uint16_t function = 0, before = 0;

        for (unsigned i = 0; tandem_mppack_next(pack, bank, &function, &file) == TANDEM_OK; i++) {
            MUST(i < pack->count && function > before);
            MUST(file.bank == bank || file.any_bank);
            before = function;
        }
    }
}

static void check_bytes(struct fuzz_script *script, unsigned how)
{
    uint8_t *bytes = malloc(script->size ? script->size : 1);
    struct fuzz_file watched = {bytes, script->size};
    struct tandem_source source = {.ctx = &watched, .size = (uint32_t)script->size, .read = fuzz_file_read};
    struct tandem_mppack pack;
    struct tandem_realtek_pair pair;

    MUST(bytes);
    if (script->size)
        memcpy(bytes, script->data, script->size);
    if ((how & 2) && script->size >= 40)
        tandem_store_le32(bytes + 2, (uint32_t)script->size);
    if (fuzz_planted())
        source.size += 64;
    if (tandem_mppack_open(&pack, &source) == TANDEM_OK)
        check_pack(&pack);
    if (tandem_realtek_pair_open(&pair, &source) == TANDEM_OK)
        for (uint32_t i = 0; i < pair.count; i++)
            MUST(pair.packs[i].offset <= source.size && pair.packs[i].size <= source.size - pair.packs[i].offset);
    free(bytes);
}

static void check_written(struct fuzz_script *script)
{
    static uint8_t data[256];
    static const char *const names[] = {"a", "a longer name, 50 characters to see how it is cut.", "", NULL};
    struct tandem_mppack_item items[ITEMS_MAX];
    struct tandem_mppack_plan plan = {.items = items, .count = (uint16_t)(fuzz_byte(script) % ITEMS_MAX)};
    struct fuzz_file watched;
    struct tandem_source source = {.ctx = &watched, .read = fuzz_file_read};
    struct tandem_mppack pack;
    uint32_t size;
    uint8_t *out;

    plan.ic = fuzz_byte(script);
    plan.version = fuzz_byte(script) % 6;
    plan.ota_allowed = fuzz_byte(script) & 1;
    memset(items, 0, sizeof items);
    for (uint16_t i = 0; i < plan.count; i++) {
        items[i].function = fuzz_byte(script) % 130;
        items[i].bank = fuzz_byte(script) % 3;
        items[i].address = fuzz_number(script, 4);
        items[i].data = data;
        items[i].size = fuzz_byte(script);
        items[i].name = names[fuzz_byte(script) % 4];
        items[i].mp.has = TANDEM_MP_BIN_ID | TANDEM_MP_IMAGE;
        items[i].mp.image = (uint16_t)fuzz_number(script, 2);
    }
    if (tandem_mppack_plan_size(&plan, &size) != TANDEM_OK)
        return;
    out = malloc(size);
    MUST(out);
    MUST(tandem_mppack_write(&plan, out, size) == TANDEM_OK);
    watched.bytes = out;
    watched.size = source.size = size;
    MUST(tandem_mppack_open(&pack, &source) == TANDEM_OK);
    check_pack(&pack);
    MUST(pack.count == plan.count && pack.ic == plan.ic && pack.version == plan.version);
    for (uint16_t i = 0; i < plan.count; i++) {
        struct tandem_mppack_file file;

        MUST(tandem_mppack_file(&pack, i, &file) == TANDEM_OK);
        MUST(file.function == items[i].function && file.bank == items[i].bank);
        MUST(file.address == items[i].address && file.size == TANDEM_MP_HEADER_SIZE + items[i].size);
        MUST(file.mp.image == items[i].mp.image);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = {data, size};
    unsigned how = fuzz_byte(&script);

    if (how & 1)
        check_written(&script);
    else
        check_bytes(&script, how);
    return 0;
}
