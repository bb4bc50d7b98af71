/*
 * Realtek, host half: what a device gets of a file. Which bank is written,
 * what must be there for it, whether each image suits its place, and in how
 * many groups a chip without a second bank takes them.
 */
#include <string.h>

#include "core/bytes.h"
#include "realtek_host_inner.h"

#define SECTOR 4096u /* unit of temp sizes */

/* ---- the device ---- */

uint16_t tandem_realtek_host_indexed(unsigned index)
{
    static const uint16_t images[16] = {0x278D, 0x278E, 0x2790, 0x2791, 0x2792, 0x2793, 0x2794, 0x2795,
                                        0x2796, 0x2797, 0x2798, 0x2799, 0x279A, 0x279B, 0x279C, 0x279D};

    return index < 16 ? images[index] : 0;
}

static unsigned index_of(uint16_t image)
{
    unsigned index = 0;

    while (index < 16 && tandem_realtek_host_indexed(index) != image)
        index++;
    return index;
}

void tandem_realtek_host_info_of(const struct tandem_realtek_host *host, struct realtek_info *info)
{
    enum tandem_realtek_dialect dialect;

    (void)tandem_realtek_classify(host->protocol, host->info, host->info_size, &dialect, info);
}

int tandem_realtek_host_has_banks(const struct realtek_info *info)
{
    unsigned index;

    if (info->active_bank == REALTEK_BANK_0 || info->active_bank == REALTEK_BANK_1)
        return 1;
    for (index = 0; index < 16; index++) {
        unsigned place = realtek_indicator(info->indicator, index);

        if (place == REALTEK_INDICATOR_BANK_0 || place == REALTEK_INDICATOR_BANK_1)
            return 1;
    }
    return 0;
}

/* Bank that an image is written to: 0, 1; TANDEM_REALTEK_BANK_ANY: it has one place only; -1: it has none. */
static int bank_for(const struct realtek_info *info, uint16_t image)
{
    if (info->active_bank == REALTEK_BANK_0 || info->active_bank == REALTEK_BANK_1)
        return info->active_bank == REALTEK_BANK_0;
    if (info->indicator == 0)
        return TANDEM_REALTEK_BANK_ANY;
    switch (realtek_indicator(info->indicator, index_of(image))) {
    case REALTEK_INDICATOR_BANK_0:
        return 1;
    case REALTEK_INDICATOR_BANK_1:
        return 0;
    case REALTEK_INDICATOR_SINGLE:
        return TANDEM_REALTEK_BANK_ANY;
    default:
        return -1;
    }
}

static const struct tandem_realtek_entry *entry_of(const struct tandem_realtek_entry *entries, unsigned count,
                                                   uint16_t image)
{
    unsigned i;

    for (i = 0; i < count; i++)
        if (entries[i].image == image)
            return &entries[i];
    return NULL;
}

static const struct tandem_realtek_entry *running(const struct tandem_realtek_host *host, uint16_t image)
{
    return entry_of(host->versions, host->version_count, image);
}

static int is_header(uint16_t image)
{
    return image == TANDEM_REALTEK_IMAGE_OTA_HEADER || image == TANDEM_REALTEK_IMAGE_G_OTA_HEADER;
}

int tandem_realtek_host_version(const struct tandem_realtek_host *host, struct tandem_version *version)
{
    const struct tandem_realtek_entry *app = running(host, TANDEM_REALTEK_IMAGE_APP);
    enum realtek_version_bits bits;
    uint32_t key;

    if (app == NULL)
        app = running(host, TANDEM_REALTEK_IMAGE_G_APP);
    if (app == NULL)
        return 0;
    bits = tandem_realtek_version_bits((enum tandem_realtek_dialect)host->dialect, app->image);
    key = tandem_realtek_version_key(app->value, bits);
    version->major = (uint16_t)(key >> 28);
    version->minor = (uint16_t)(key >> 20 & 0xFFu);
    version->patch = bits == REALTEK_VERSION_AUDIO ? key >> 11 & 0x1FFu : key >> 5 & 0x7FFFu;
    version->build = bits == REALTEK_VERSION_AUDIO ? key & 0x7FFu : key & 0x1Fu;
    return 1;
}

/* ---- the file ---- */

static int order(const struct tandem_realtek_host *host, const struct tandem_realtek_part *part, uint32_t installed)
{
    enum realtek_version_bits bits =
        tandem_realtek_version_bits((enum tandem_realtek_dialect)host->dialect, part->image);
    uint32_t offered = tandem_realtek_version_key(part->version, bits);
    uint32_t present = tandem_realtek_version_key(installed, bits);

    if (bits == REALTEK_VERSION_OPAQUE && offered != present)
        return 1; /* they have no order */
    return offered < present ? -1 : offered > present;
}

/* Is this the part to be written, of those with its id? */
static int suits_bank(const struct tandem_realtek_host *host, const struct realtek_info *info,
                      const struct tandem_realtek_part *part)
{
    int bank = bank_for(info, part->image);

    if (bank < 0 || (is_header(part->image) && !tandem_realtek_host_has_banks(info)))
        return 0; /* with one bank there is no choice that an OTA header could make: such chips refuse it */
    if (part->bank == TANDEM_REALTEK_BANK_ANY || !host->file->packed)
        return 1;
    return part->bank == (bank == TANDEM_REALTEK_BANK_ANY ? 0 : bank);
}

static const struct tandem_realtek_part *offered(const struct tandem_realtek_host *host,
                                                 const struct realtek_info *info, uint16_t image)
{
    unsigned i;

    for (i = 0; i < host->file->count; i++)
        if (host->file->parts[i].image == image && suits_bank(host, info, &host->file->parts[i]))
            return &host->file->parts[i];
    return NULL;
}

int tandem_realtek_host_runs(const struct tandem_realtek_host *host)
{
    struct realtek_info info;
    int runs = -1;
    unsigned i;

    tandem_realtek_host_info_of(host, &info);
    for (i = 0; i < host->file->count && runs != 0; i++) {
        const struct tandem_realtek_part *part = &host->file->parts[i];
        const struct tandem_realtek_entry *entry = running(host, part->image);

        if (part->versioned && entry != NULL && (!is_header(part->image) || tandem_realtek_host_has_banks(&info)))
            runs = entry->value == part->version;
    }
    return runs;
}

/* ---- checks ---- */

static enum tandem_status check_part(const struct tandem_realtek_host *host, const struct realtek_info *info,
                                     const struct tandem_realtek_part *part, uint32_t *detail)
{
    const struct tandem_realtek_entry *section = entry_of(host->sections, host->section_count, part->image);
    const struct tandem_realtek_entry *entry = running(host, part->image);
    struct tandem_realtek_control control;
    int banks = tandem_realtek_host_has_banks(info);

    tandem_realtek_control_get(&control, tandem_realtek_layout_of(host->file->ic).new_order, part->control);
    *detail = section != NULL ? section->value : 0;
    if (section != NULL && part->size > section->value)
        return TANDEM_ERROR_TOO_LARGE;
    *detail = (uint32_t)info->temp_size * SECTOR;
    if (!banks && info->temp_size != 0 && part->size > *detail)
        return TANDEM_ERROR_TOO_LARGE;
    *detail = info->secure_version;
    if (control.secure_version < info->secure_version && host->dialect != TANDEM_REALTEK_BEE1)
        return TANDEM_ERROR_COUNTER;
    *detail = entry != NULL ? entry->value : 0;
    if (host->options.any_version || !part->versioned || entry == NULL)
        return TANDEM_OK;
    /* The bank whose OTA header is newer runs: one that is not would change nothing. */
    if (order(host, part, entry->value) < (banks && is_header(part->image) && !host->same))
        return TANDEM_ERROR_VERSION;
    return TANDEM_OK;
}

/* A chip with one bank need not be sent what it runs already. */
static int is_there(const struct tandem_realtek_host *host, const struct realtek_info *info,
                    const struct tandem_realtek_part *part)
{
    const struct tandem_realtek_entry *entry = running(host, part->image);

    return !tandem_realtek_host_has_banks(info) && !host->options.any_version && !host->same && part->versioned &&
           entry != NULL && entry->value == part->version;
}

/* ---- the plan ---- */

static enum tandem_status add(struct tandem_realtek_host *host, uint8_t part, uint16_t image)
{
    if (host->plan_count == TANDEM_REALTEK_PLAN_MAX)
        return TANDEM_ERROR_SPACE;
    host->plan[host->plan_count] = part;
    host->images[host->plan_count] = image;
    host->rounds[host->plan_count++] = 0;
    return TANDEM_OK;
}

/* Can the device copy an image to its other bank, told only which? */
static int copies(const struct tandem_realtek_host *host)
{
    return (tandem_realtek_dialect_row((enum tandem_realtek_dialect)host->dialect)->flags & REALTEK_LISTS) != 0;
}

/* A bank is whole or worthless: what the file does not bring is copied over from the one that runs. */
static enum tandem_status complete_bank(struct tandem_realtek_host *host, const struct realtek_info *info,
                                        uint32_t *detail)
{
    enum tandem_status status = TANDEM_OK;
    int header = 0;
    unsigned i;

    for (i = 0; i < host->plan_count; i++)
        header |= is_header(host->images[i]);
    *detail = TANDEM_REALTEK_IMAGE_OTA_HEADER;
    if (!header)
        return TANDEM_ERROR_INCOMPLETE;
    for (i = 0; status == TANDEM_OK && i < host->version_count; i++) {
        uint16_t image = host->versions[i].image;
        int bank = bank_for(info, image);

        if (bank < 0 || bank == TANDEM_REALTEK_BANK_ANY || offered(host, info, image) != NULL)
            continue;
        if (image > TANDEM_REALTEK_IMAGE_LAST && host->dialect != TANDEM_REALTEK_87X2G)
            continue; /* user data have one place */
        *detail = image;
        status = copies(host) ? add(host, PLAN_COPY, image) : TANDEM_ERROR_INCOMPLETE;
    }
    return status;
}

/* The header comes first, as it tells the places of the others; then what is copied; what was sent last is told to be
 * the last. */
static unsigned rank(const struct tandem_realtek_host *host, unsigned index)
{
    if (is_header(host->images[index]))
        return 0;
    return host->plan[index] == PLAN_COPY ? 1 : 2;
}

static void swap(struct tandem_realtek_host *host, unsigned a, unsigned b)
{
    uint8_t part = host->plan[a];
    uint16_t image = host->images[a];

    host->plan[a] = host->plan[b];
    host->images[a] = host->images[b];
    host->plan[b] = part;
    host->images[b] = image;
}

static void sort(struct tandem_realtek_host *host)
{
    unsigned i, j;

    for (i = 1; i < host->plan_count; i++)
        for (j = i; j > 0 && rank(host, j) < rank(host, j - 1); j--)
            swap(host, j, j - 1);
}

/* Chips with one bank: as many images at once as the temp area holds; without that ability one at a time. */
static void group(struct tandem_realtek_host *host, const struct realtek_info *info)
{
    uint32_t most = (uint32_t)info->temp_size * SECTOR, fill = 0;
    int several = (info->mode & REALTEK_MODE_MULTI) != 0;
    uint8_t round = 0;
    unsigned i;

    for (i = 0; i < host->plan_count; i++) {
        uint32_t size = host->file->parts[host->plan[i]].size;

        if (i != 0 && (!several || (most != 0 && fill + size > most))) {
            round++;
            fill = 0;
        }
        fill += size;
        host->rounds[i] = round;
    }
}

static enum tandem_status choose(struct tandem_realtek_host *host, const struct realtek_info *info, uint32_t *detail)
{
    enum tandem_status status = TANDEM_OK;
    unsigned i;

    for (i = 0; status == TANDEM_OK && i < host->file->count; i++) {
        const struct tandem_realtek_part *part = &host->file->parts[i];

        if (!suits_bank(host, info, part) || is_there(host, info, part))
            continue;
        status = check_part(host, info, part, detail);
        if (status == TANDEM_OK)
            status = add(host, (uint8_t)i, part->image);
    }
    return status;
}

enum tandem_status tandem_realtek_host_plan(struct tandem_realtek_host *host, uint32_t *detail)
{
    struct realtek_info info;
    enum tandem_status status;
    unsigned i;

    tandem_realtek_host_info_of(host, &info);
    host->plan_count = 0;
    host->total = 0;
    *detail = info.ic;
    if (host->file->ic != info.ic)
        return TANDEM_ERROR_HARDWARE;
    status = choose(host, &info, detail);
    if (status != TANDEM_OK)
        return status;
    if (host->plan_count == 0) {
        *detail = 0;
        return TANDEM_ERROR_INCOMPLETE; /* nothing of it has a place in this device */
    }
    if (tandem_realtek_host_has_banks(&info))
        status = complete_bank(host, &info, detail);
    else
        group(host, &info);
    if (status != TANDEM_OK)
        return status;
    sort(host);
    for (i = 0; i < host->plan_count; i++)
        if (host->plan[i] != PLAN_COPY)
            host->total += host->file->parts[host->plan[i]].size;
    *detail = 0;
    host->planned = 1;
    return TANDEM_OK;
}
