/*
 * The journal over flash that holds anything: raw bytes, and seals and
 * records that are whole but out of place. It must mount, and what it then
 * says it has written must be there after the next mount; no rule of flash
 * may be broken.
 */
#include <string.h>

#include "core/bytes.h"
#include "core/journal.h"
#include "flash.h"
#include "fuzz.h"

#define HALF 1024u

static const uint8_t sizes[JOURNAL_TYPES] = {JOURNAL_STATE_SIZE, JOURNAL_PROGRESS_SIZE, JOURNAL_EXCHANGE_SIZE};

static struct sim_power power;
static struct sim_flash flash;
static uint64_t now_us;

/* Put bytes there; what does not read as erased counts as programmed. */
static void put(uint32_t at, const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size && at + i < 2 * HALF; i++) {
        flash.cells[at + i] = bytes[i];
        if (bytes[i] != flash.spec.erased)
            flash.spent[(at + i) / flash.spec.program_unit] = 1;
    }
}

static void put_seal(struct fuzz_script *script)
{
    uint32_t half = fuzz_byte(script) & 1u, place = fuzz_byte(script) & 3u;
    uint32_t epoch = fuzz_number(script, 4);
    uint8_t seal[9] = {JOURNAL_TYPES ^ JOURNAL_MARK(&flash.port)};

    tandem_store_le32(seal + 1, epoch);
    tandem_store_le32(seal + 5, tandem_crc32(TANDEM_CRC32_START, seal, 5));
    put(half * HALF + place * JOURNAL_SPACE(4u), seal, sizeof seal);
}

static void put_record(struct fuzz_script *script)
{
    uint32_t at = fuzz_number(script, 2) % (2 * HALF) & ~7u, epoch = fuzz_number(script, 4);
    uint8_t record[JOURNAL_PAYLOAD_MAX + 8], type = fuzz_byte(script) % JOURNAL_TYPES, fill = fuzz_byte(script);
    uint32_t size = sizes[type];

    record[0] = type ^ JOURNAL_MARK(&flash.port);
    memset(record + 1, fill, size);
    tandem_store_le32(record + 1 + size, tandem_crc32(TANDEM_CRC32_START ^ epoch, record, size + 1));
    put(at, record, size + 5);
}

static void put_bytes(struct fuzz_script *script)
{
    uint32_t at = fuzz_number(script, 2) % (2 * HALF), size = fuzz_byte(script) % 64u;
    uint8_t bytes[64];

    for (uint32_t i = 0; i < size; i++)
        bytes[i] = fuzz_byte(script);
    put(at, bytes, size);
}

static void prepare(struct fuzz_script *script)
{
    struct sim_flash_spec spec = {.regions = {{0, 512, 4}}, .region_count = 1};
    uint8_t how = fuzz_byte(script);

    spec.program_unit = (uint8_t)(1u << how % 6);
    spec.erased = how & 0x80 ? 0x00 : 0xFF;
    sim_power_init(&power, 1);
    sim_flash_init(&flash, &spec, &power, &now_us);
    for (unsigned count = fuzz_byte(script) % 16u; count; count--)
        switch (fuzz_byte(script) % 3) {
        case 0:
            put_seal(script);
            break;
        case 1:
            put_record(script);
            break;
        default:
            put_bytes(script);
            break;
        }
}

static void use(struct fuzz_script *script)
{
    struct tandem_area area = {&flash.port, 0, 2 * HALF};
    struct tandem_journal journal;
    uint8_t written[JOURNAL_TYPES][JOURNAL_PAYLOAD_MAX], read[JOURNAL_PAYLOAD_MAX];
    int there[JOURNAL_TYPES] = {0};

    MUST(tandem_journal_mount(&journal, &area, NULL) == TANDEM_OK);
    for (unsigned count = 1 + fuzz_byte(script) % 40u; count; count--) {
        uint8_t what = fuzz_byte(script), type = what / 8 % JOURNAL_TYPES;

        if (what % 8 == 7)
            MUST(tandem_journal_tidy(&journal) == TANDEM_OK);
        else if (what % 8 == 6)
            MUST(tandem_journal_mount(&journal, &area, NULL) == TANDEM_OK);
        else {
            memset(written[type], what >> 1 ^ (int)count, sizes[type]);
            written[type][0] = (uint8_t)count;
            MUST(tandem_journal_append(&journal, type, written[type]) == TANDEM_OK);
            there[type] = 1;
            if (fuzz_planted() && count % 8 == 1) /* a record is lost again, with its twin */
                memset(flash.cells + journal.newest[type] + journal.half * HALF, 0, 2 * JOURNAL_PAYLOAD_MAX);
        }
        for (type = 0; type < JOURNAL_TYPES; type++)
            if (there[type]) {
                MUST(tandem_journal_read(&journal, type, read) == TANDEM_OK);
                MUST(memcmp(read, written[type], sizes[type]) == 0);
            }
    }
    MUST(sim_flash_violations(&flash) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = {data, size};

    prepare(&script);
    use(&script);
    sim_flash_free(&flash);
    return 0;
}
