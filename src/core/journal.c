/*
 * The journal: an append-only log over two halves of an area.
 *
 * A half begins with four places for its seal (a record of its epoch); two
 * are written when everything else in the half is whole, the other two are
 * for repair. A record's checksum starts from the half's epoch, so nothing
 * older than the half's last erase can pass for a record.
 *
 * Cells whose programming was cut short may read differently each time. So
 * nothing rests on a single write: seals and all but checkpoints stand twice,
 * what follows a torn record is written clear of it, and the half that follows
 * the sealed one counts as soon as it is whole, because a torn seal may make
 * it count at any later time.
 */
#include "core/journal.h"

#include <string.h>

#include "core/bytes.h"
#include "core/flash.h"

#define SEAL JOURNAL_TYPES /* the type of a seal, whose checksum starts from no epoch */
#define SEAL_SIZE 4u
#define SEAL_PLACES 4u
#define SEALS_CHECKED 0xFF
#define OTHER_IN_DOUBT 0
#define GRAIN JOURNAL_GRAIN
#define SEAL_SPACE JOURNAL_SPACE(SEAL_SIZE)
#define FIRST (SEAL_PLACES * SEAL_SPACE) /* place of the first record */
#define RECORD_MAX JOURNAL_SPACE(JOURNAL_STATE_SIZE)
#define ROLLED_MAX \
    (FIRST + 2 * RECORD_MAX + JOURNAL_SPACE(JOURNAL_PROGRESS_SIZE) + 2 * JOURNAL_SPACE(JOURNAL_EXCHANGE_SIZE))

static const uint8_t payload_sizes[] = {JOURNAL_STATE_SIZE, JOURNAL_PROGRESS_SIZE, JOURNAL_EXCHANGE_SIZE, SEAL_SIZE};

static uint32_t record_size(uint8_t type)
{
    return JOURNAL_SPACE((uint32_t)payload_sizes[type]);
}

/* A lost checkpoint costs time only. */
static uint8_t copies(uint8_t type)
{
    return type == JOURNAL_PROGRESS ? 1 : 2;
}

static uint32_t address_of(const struct tandem_journal *journal, uint8_t half, uint32_t offset)
{
    return journal->area.address + (half ? journal->half_size : 0) + offset;
}

static uint32_t record_checksum(const uint8_t *record, uint32_t size, uint32_t epoch)
{
    return tandem_crc32(TANDEM_CRC32_START ^ epoch, record, size);
}

/* Read a record with its head; returns its type, or more than any if there is no whole one. */
static uint8_t read_record(const struct tandem_journal *journal, uint8_t half, uint32_t epoch, uint32_t offset,
                           uint8_t record[RECORD_MAX])
{
    const struct tandem_flash_port *flash = journal->area.flash;
    uint32_t address = address_of(journal, half, offset);
    /* Not a byte beyond it: what follows may be torn, and not even read. */
    if (offset + GRAIN > journal->half_size || flash->read(flash->ctx, address, record, 4) != TANDEM_OK)
        return SEAL + 1;
    uint8_t type = record[0] ^ JOURNAL_MARK(flash);
    if (type > SEAL || offset + record_size(type) > journal->half_size)
        return SEAL + 1;
    uint32_t size = payload_sizes[type] + 1u;
    if (flash->read(flash->ctx, address, record, size + 4) != TANDEM_OK ||
        tandem_load_le32(record + size) != record_checksum(record, size, epoch))
        return SEAL + 1;
    return type;
}

/* Count the whole copies of a half's seal and tell its epoch. */
static uint8_t count_seals(const struct tandem_journal *journal, uint8_t half, uint32_t *epoch)
{
    uint8_t record[RECORD_MAX], count = 0;
    for (uint32_t place = 0; place < FIRST; place += SEAL_SPACE) {
        if (read_record(journal, half, 0, place, record) == SEAL) {
            *epoch = tandem_load_le32(record + 1);
            count++;
        }
    }
    return count;
}

static uint8_t read_newest(const struct tandem_journal *journal, uint32_t offset, uint8_t record[RECORD_MAX])
{
    return read_record(journal, journal->half, journal->epoch, offset, record);
}

/* Note a record found: the newest of its type, or the second copy of the newest, right behind it. */
static void note(struct tandem_journal *journal, uint8_t type, uint32_t offset, const uint8_t *record)
{
    uint8_t before[RECORD_MAX];
    uint32_t last = journal->newest[type];
    if (last != 0 && last + record_size(type) == offset && read_newest(journal, last, before) == type &&
        memcmp(before, record, payload_sizes[type] + 1u) == 0) {
        journal->twins |= (uint8_t)(1u << type);
        return;
    }
    journal->twins &= (uint8_t) ~(1u << type);
    journal->newest[type] = offset;
}

/* Read the active half from end to end. */
static void scan(struct tandem_journal *journal)
{
    uint32_t offset = FIRST, whole = offset;
    uint8_t record[RECORD_MAX];
    while (offset < journal->half_size) {
        uint8_t type = read_newest(journal, offset, record);
        if (type < JOURNAL_TYPES) {
            note(journal, type, offset, record);
            offset += record_size(type);
            whole = offset;
        } else {
            offset += GRAIN;
        }
    }
    /* Keep clear of what reads as written, and beyond it of where the rest of a torn record could be that reads as
     * erased: cells whose programming had only begun, or whose programmed value is that of erased ones. */
    uint32_t end = journal->half_size & ~(GRAIN - 1);
    while (end > whole &&
           tandem_flash_is_erased(journal->area.flash, address_of(journal, journal->half, end - GRAIN), GRAIN))
        end -= GRAIN;
    journal->tail = end + RECORD_MAX;
    /* What is torn may pass for whole another time, and a seal that stands alone for none. */
    if (end > whole || journal->seals < 2)
        journal->twins = 0;
}

/* Whether a half holds all that a roll writes to it: the state comes last, and twice. */
static int is_whole(const struct tandem_journal *journal, uint8_t half, uint32_t epoch)
{
    uint32_t at = FIRST;
    uint8_t record[RECORD_MAX], twin[RECORD_MAX];
    for (uint8_t type = JOURNAL_TYPES; type-- > 0;) {
        if (read_record(journal, half, epoch, at, record) != type) {
            if (type == JOURNAL_STATE)
                return 0;
            continue;
        }
        at += record_size(type);
        if (copies(type) == 1)
            continue;
        if (read_record(journal, half, epoch, at, twin) != type || memcmp(record, twin, payload_sizes[type] + 1u) != 0)
            return 0;
        at += record_size(type);
    }
    return 1;
}

/* The other half carries no seal that reads well. What it is decides whether the active one can be built on. */
static void look_at_unsealed(struct tandem_journal *journal)
{
    if (is_whole(journal, !journal->half, journal->epoch + 1)) {
        journal->half = !journal->half;
        journal->epoch++;
        journal->seals = 1;
    } else if (!tandem_flash_is_erased(journal->area.flash, address_of(journal, !journal->half, 0), ROLLED_MAX)) {
        journal->seals = OTHER_IN_DOUBT;
    }
}

static int is_empty(const struct tandem_journal *journal)
{
    return (journal->newest[JOURNAL_STATE] | journal->newest[JOURNAL_PROGRESS] | journal->newest[JOURNAL_EXCHANGE]) ==
           0;
}

uint32_t tandem_journal_half_size(const struct tandem_area *area, uint32_t sector_size)
{
    uint32_t size = 0;
    while (area->size - 2 * size >= 2 * sector_size)
        size += sector_size;
    return size;
}

enum tandem_status tandem_journal_mount(struct tandem_journal *journal, const struct tandem_area *area,
                                        const struct tandem_system_port *system)
{
    struct tandem_sector sector;
    memset(journal, 0, sizeof *journal);
    journal->area = *area;
    journal->system = system;
    if (!tandem_flash_sector(area->flash, area->address, &sector))
        return TANDEM_ERROR_LAYOUT;
    journal->half_size = tandem_journal_half_size(area, sector.size);
    if (journal->half_size < JOURNAL_HALF_MIN)
        return TANDEM_ERROR_LAYOUT;

    uint32_t epochs[2] = {0, 0};
    uint8_t seals[2];
    for (uint8_t half = 0; half < 2; half++)
        seals[half] = count_seals(journal, half, &epochs[half]);
    if (seals[0] == 0 && seals[1] == 0)
        return TANDEM_OK;
    journal->half = seals[0] == 0 || (seals[1] != 0 && (epochs[1] - epochs[0]) < 0x80000000u);
    journal->epoch = epochs[journal->half];
    journal->seals = seals[journal->half];
    if (seals[!journal->half] == 0)
        look_at_unsealed(journal);
    scan(journal);
    if (is_empty(journal) && seals[!journal->half] != 0) {
        journal->half = !journal->half;
        journal->epoch = epochs[journal->half];
        journal->seals = OTHER_IN_DOUBT;
        scan(journal);
    }
    /* What was being erased may still be sealed, with nothing in it. */
    journal->used = !is_empty(journal);
    return TANDEM_OK;
}

enum tandem_status tandem_journal_read(const struct tandem_journal *journal, uint8_t type, uint8_t *payload)
{
    uint8_t record[RECORD_MAX];
    uint32_t place = journal->newest[type];
    if (place == 0)
        return TANDEM_ERROR_NOTHING;
    /* Its twin, then itself. What was torn may have read well in the mount and no longer: then the one before counts.
     */
    for (place += record_size(type); place >= FIRST; place -= GRAIN)
        if (read_newest(journal, place, record) == type) {
            memcpy(payload, record + 1, payload_sizes[type]);
            return TANDEM_OK;
        }
    return TANDEM_ERROR_FLASH;
}

/* Write a record `count` times from `*place` on, which moves also when it fails. */
static enum tandem_status put(struct tandem_journal *journal, uint8_t type, const uint8_t *payload, uint8_t count,
                              uint8_t half, uint32_t epoch, uint32_t *place)
{
    const struct tandem_flash_port *flash = journal->area.flash;
    enum tandem_status status = TANDEM_OK;
    uint8_t record[RECORD_MAX];
    uint32_t used = payload_sizes[type] + 1u, size = record_size(type);
    memset(record, JOURNAL_MARK(flash), sizeof record); /* no unit of it may look like erased cells */
    record[0] = type ^ JOURNAL_MARK(flash);
    memcpy(record + 1, payload, payload_sizes[type]);
    tandem_store_le32(record + used, record_checksum(record, used, epoch));
    for (; count > 0 && status == TANDEM_OK; count--) {
        status = tandem_flash_program(flash, address_of(journal, half, *place), record, size, journal->system);
        *place += size;
    }
    return status;
}

static enum tandem_status put_seal(struct tandem_journal *journal, uint8_t half, uint32_t place, uint32_t epoch)
{
    uint8_t payload[SEAL_SIZE];
    tandem_store_le32(payload, epoch);
    return put(journal, SEAL, payload, 1, half, 0, &place);
}

static enum tandem_status erase_half(struct tandem_journal *journal, uint8_t half)
{
    const struct tandem_flash_port *flash = journal->area.flash;
    uint32_t address = address_of(journal, half, 0), end = address + journal->half_size;
    struct tandem_sector sector;
    enum tandem_status status = TANDEM_OK;
    for (; address < end && status == TANDEM_OK; address += sector.size) {
        if (!tandem_flash_sector(flash, address, &sector))
            return TANDEM_ERROR_FLASH;
        status = tandem_flash_erase(flash, address, journal->system);
    }
    return status;
}

/* Seal a half: two copies, and where one cannot be written, the next place. @return how many there are */
static uint8_t seal(struct tandem_journal *journal, uint8_t half, uint32_t epoch)
{
    uint8_t good = 0;
    for (uint32_t place = 0; place < FIRST && good < 2; place += SEAL_SPACE)
        good = (uint8_t)(good + (put_seal(journal, half, place, epoch) == TANDEM_OK));
    return good;
}

/* Bring over what counts, with `payload` as the newest of `type`; the state last. */
static enum tandem_status bring_over(struct tandem_journal *journal, uint8_t half, uint32_t epoch, uint8_t type,
                                     const uint8_t *payload, uint32_t newest[JOURNAL_TYPES], uint32_t *tail)
{
    enum tandem_status status = TANDEM_OK;
    for (uint8_t each = JOURNAL_TYPES; each-- > 0 && status == TANDEM_OK;) {
        uint8_t old[JOURNAL_PAYLOAD_MAX];
        if (each != type && tandem_journal_read(journal, each, old) != TANDEM_OK) {
            /* A checkpoint may be lost, what stands twice may not. */
            if (copies(each) == 2 && journal->newest[each] != 0)
                return TANDEM_ERROR_FLASH;
            continue;
        }
        newest[each] = *tail;
        status = put(journal, each, each == type ? payload : old, copies(each), half, epoch, tail);
    }
    return status;
}

/* Go on in the other half: erase it, fill it, seal it. */
static enum tandem_status try_roll(struct tandem_journal *journal, uint8_t type, const uint8_t *payload)
{
    uint8_t half = journal->used ? !journal->half : 0, seals = 0;
    uint32_t epoch = journal->epoch + 1, tail = FIRST;
    uint32_t newest[JOURNAL_TYPES] = {0};
    enum tandem_status status = erase_half(journal, half);
    if (status != TANDEM_OK)
        return status;
    status = bring_over(journal, half, epoch, type, payload, newest, &tail);
    if (status == TANDEM_OK)
        seals = seal(journal, half, epoch);
    /* The old half must stay, then, and this one not count. */
    if (seals == 0)
        erase_half(journal, half);
    /* The next mount takes a whole half for the newer one, whatever was said of its programming: so it is here. */
    if (newest[JOURNAL_STATE] != 0 ? !is_whole(journal, half, epoch) : seals == 0)
        return TANDEM_ERROR_FLASH;
    memcpy(journal->newest, newest, sizeof newest);
    journal->half = half;
    journal->epoch = epoch;
    journal->tail = tail;
    journal->seals = seals == 2 ? SEALS_CHECKED : 1;
    journal->used = 1;
    return tandem_flash_sync(journal->area.flash);
}

/* One operation that fails is no reason to give up. */
static enum tandem_status roll(struct tandem_journal *journal, uint8_t type, const uint8_t *payload)
{
    enum tandem_status status = try_roll(journal, type, payload);
    return status == TANDEM_OK ? status : try_roll(journal, type, payload);
}

/*
 * A seal that stands alone may be a torn write that happens to read well.
 * Before anything is built on it, and above all before the other half is
 * erased, put another copy where nothing has been written yet.
 */
static enum tandem_status firm_up(struct tandem_journal *journal)
{
    enum tandem_status status = TANDEM_OK;
    for (uint32_t place = 2 * SEAL_SPACE; journal->seals == 1 && place < FIRST; place += SEAL_SPACE) {
        if (!tandem_flash_is_erased(journal->area.flash, address_of(journal, journal->half, place), SEAL_SPACE))
            continue;
        status = put_seal(journal, journal->half, place, journal->epoch);
        break;
    }
    journal->seals = SEALS_CHECKED;
    return status;
}

enum tandem_status tandem_journal_append(struct tandem_journal *journal, uint8_t type, const uint8_t *payload)
{
    if (!journal->used)
        return roll(journal, type, payload);
    /* Should the other half turn out whole after all, what is appended here would be lost. So it is written anew. */
    if (journal->seals == OTHER_IN_DOUBT && roll(journal, type, payload) == TANDEM_OK)
        return TANDEM_OK;
    enum tandem_status status = firm_up(journal);
    if (status == TANDEM_OK && journal->tail + 2 * record_size(type) <= journal->half_size) {
        uint32_t place = journal->tail;
        status = put(journal, type, payload, copies(type), journal->half, journal->epoch, &journal->tail);
        if (status == TANDEM_OK) {
            journal->newest[type] = place;
            return tandem_flash_sync(journal->area.flash);
        }
    }
    return roll(journal, type, payload);
}

enum tandem_status tandem_journal_tidy(struct tandem_journal *journal)
{
    if (!journal->used || journal->tail <= journal->half_size / 2)
        return TANDEM_OK;
    return roll(journal, JOURNAL_TYPES, NULL);
}
