/*
 * Realtek, host half: who the device is and what it runs, asked before
 * anything is written; and whether the file suits it.
 */
#include <string.h>

#include "core/bytes.h"
#include "realtek_host_inner.h"

enum query_step { QUERY_PROTOCOL, QUERY_INFO, QUERY_IC, QUERY_ADDRESS, QUERY_VERSIONS, QUERY_SECTIONS, QUERY_DFU };

static void next(struct tandem_realtek_host *host, unsigned step)
{
    host->step = (uint8_t)step;
    host->part = 0;
}

/* A number that stands for why; the device's own words. */
static enum tandem_status refuse(struct tandem_realtek_host *host, enum tandem_status status, uint32_t detail)
{
    memset(&host->outcome, 0, sizeof host->outcome);
    host->outcome.status = status;
    host->outcome.stage = TANDEM_STAGE_CHECK;
    host->outcome.detail = detail;
    host->reported = 1;
    return status;
}

static enum tandem_status take_protocol(struct tandem_realtek_host *host, enum tandem_status status)
{
    uint16_t absent = realtek_is_stream(host) ? 0x0011 : REALTEK_PROTOCOL_ABSENT;

    if (status != TANDEM_OK && status != TANDEM_ERROR_NOT_SUPPORTED)
        return status;
    host->check = status == TANDEM_OK && host->answer_size >= 2 ? tandem_load_le16(host->answer) : absent;
    next(host, QUERY_INFO);
    return TANDEM_OK;
}

static enum tandem_status classify(struct tandem_realtek_host *host, const uint8_t *bytes, size_t size)
{
    enum tandem_realtek_dialect dialect;
    struct realtek_info info;
    enum tandem_status status = tandem_realtek_classify(host->check, bytes, size, &dialect, &info);

    if (status != TANDEM_OK)
        return refuse(host, status, status == TANDEM_ERROR_UNSUPPORTED ? host->check : (uint32_t)size);
    host->protocol = host->check;
    host->dialect = (uint8_t)dialect;
    host->info_size = (uint8_t)size;
    memcpy(host->info, bytes, size);
    host->known = 1;
    host->version_count = host->section_count = 0;
    next(host, QUERY_ADDRESS);
    return TANDEM_OK;
}

static enum tandem_status take_info(struct tandem_realtek_host *host, enum tandem_status status)
{
    size_t size = host->answer_size < sizeof host->info ? host->answer_size : sizeof host->info;

    if (status == TANDEM_OK)
        return classify(host, host->answer, size);
    if (status != TANDEM_ERROR_NOT_SUPPORTED || host->check != REALTEK_PROTOCOL_ABSENT)
        return status;
    /* OTA mode may lack the service that tells. What the application said still holds. */
    next(host, host->known ? QUERY_DFU : QUERY_IC);
    return TANDEM_OK;
}

/* All that a device in OTA mode tells, to one who never saw its application. */
static enum tandem_status take_ic(struct tandem_realtek_host *host, enum tandem_status status)
{
    uint8_t bytes[16] = {0};

    if (status != TANDEM_OK)
        return status == TANDEM_ERROR_NOT_SUPPORTED ? refuse(host, TANDEM_ERROR_UNSUPPORTED, host->check) : status;
    if (host->answer_size < 2 || host->answer[0] != REALTEK_SUCCESS)
        return refuse(host, TANDEM_ERROR_UNSUPPORTED, host->check);
    bytes[0] = host->answer[1];
    bytes[1] = bytes[0] == TANDEM_REALTEK_IC_8752H ? 5 : 1;
    bytes[3] = REALTEK_MODE_CHECK;
    host->check = bytes[0] == TANDEM_REALTEK_IC_8752H ? 0x0012 : 0;
    status = classify(host, bytes, sizeof bytes);
    next(host, QUERY_DFU);
    return status;
}

static enum tandem_status take_address(struct tandem_realtek_host *host, enum tandem_status status)
{
    if (status != TANDEM_OK && status != TANDEM_ERROR_NOT_SUPPORTED)
        return status;
    if (status == TANDEM_OK && host->answer_size >= 6) {
        host->has_address = host->answer_size >= 12 ? 12 : 6;
        memcpy(host->address, host->answer, host->has_address);
    }
    next(host, QUERY_VERSIONS);
    return TANDEM_OK;
}

static uint8_t take_list(const struct tandem_realtek_host *host, int bank, struct tandem_realtek_entry *entries)
{
    struct realtek_entry entry;
    uint8_t count = 0;

    while (count < TANDEM_REALTEK_ENTRIES_MAX &&
           tandem_realtek_list_entry(host->answer, host->answer_size, bank, count, &entry)) {
        entries[count].image = entry.image;
        entries[count++].value = entry.value;
    }
    return count;
}

/* Versions without ids: those of the images that the indicator names, in its order. */
static void take_indexed(struct tandem_realtek_host *host)
{
    struct realtek_info info;
    unsigned index, place = 0;
    size_t at;

    tandem_realtek_host_info_of(host, &info);
    for (index = 0; index < 16 && place < host->version_count; index++)
        place += realtek_indicator(info.indicator, index) != REALTEK_INDICATOR_ABSENT;
    for (at = 0; at + 4 <= host->answer_size; at += 4) {
        while (index < 16 && realtek_indicator(info.indicator, index) == REALTEK_INDICATOR_ABSENT)
            index++;
        if (index >= 16 || host->version_count == TANDEM_REALTEK_ENTRIES_MAX)
            return;
        host->versions[host->version_count].image = tandem_realtek_host_indexed(index++);
        host->versions[host->version_count++].value = tandem_load_le32(host->answer + at);
    }
}

static enum tandem_status take_versions(struct tandem_realtek_host *host, enum tandem_status status)
{
    if (status != TANDEM_OK && status != TANDEM_ERROR_NOT_SUPPORTED)
        return status;
    host->fresh = status == TANDEM_OK;
    if (status == TANDEM_OK && realtek_has(host, REALTEK_LISTS)) {
        host->version_count = take_list(host, 1, host->versions);
    } else if (status == TANDEM_OK) {
        uint8_t before = host->version_count;

        take_indexed(host);
        if (host->version_count >= before + 5 && ++host->part < 16)
            return TANDEM_OK; /* five in each characteristic: there may be more */
    }
    next(host, realtek_has(host, REALTEK_LISTS) ? QUERY_SECTIONS : QUERY_DFU);
    return TANDEM_OK;
}

static enum tandem_status take_sections(struct tandem_realtek_host *host, enum tandem_status status)
{
    if (status != TANDEM_OK && status != TANDEM_ERROR_NOT_SUPPORTED)
        return status;
    if (status == TANDEM_OK)
        host->section_count = take_list(host, 0, host->sections);
    next(host, QUERY_DFU);
    return TANDEM_OK;
}

/* One question, one answer. @return TANDEM_OK: on to the next */
static enum tandem_status query_step(struct tandem_realtek_host *host)
{
    static const uint8_t active = 0;
    enum tandem_status status;
    uint8_t which = realtek_is_stream(host) ? active : host->part;
    size_t size = 1;

    switch ((enum query_step)host->step) {
    case QUERY_PROTOCOL:
        status = tandem_realtek_host_ask(host, ASK_PROTOCOL, NULL, 0);
        return status == TANDEM_AGAIN ? status : take_protocol(host, status);
    case QUERY_INFO:
        status = tandem_realtek_host_ask(host, ASK_INFO, NULL, 0);
        return status == TANDEM_AGAIN ? status : take_info(host, status);
    case QUERY_IC:
        if (!host->has_dfu) {
            status = tandem_realtek_host_ask(host, ASK_SUBSCRIBE, NULL, 0);
            host->has_dfu = status == TANDEM_OK;
            return status;
        }
        status = tandem_realtek_host_ask(host, ASK_IC, NULL, 0);
        return status == TANDEM_AGAIN ? status : take_ic(host, status);
    case QUERY_ADDRESS:
        status = tandem_realtek_host_ask(host, ASK_ADDRESS, NULL, 0);
        return status == TANDEM_AGAIN ? status : take_address(host, status);
    case QUERY_VERSIONS:
        if (realtek_is_stream(host) && host->info_size > 1 && host->info[1] <= 5)
            size = 0;
        status = tandem_realtek_host_ask(host, ASK_VERSIONS, &which, size);
        return status == TANDEM_AGAIN ? status : take_versions(host, status);
    case QUERY_SECTIONS:
        status = tandem_realtek_host_ask(host, ASK_SECTIONS, NULL, 0);
        return status == TANDEM_AGAIN ? status : take_sections(host, status);
    default:
        status = realtek_is_stream(host) ? TANDEM_OK : tandem_realtek_host_ask(host, ASK_SUBSCRIBE, NULL, 0);
        host->has_dfu = status == TANDEM_OK;
        return status;
    }
}

static void tell_charge(struct tandem_realtek_host *host, struct tandem_info *info)
{
    if (host->options.battery == NULL ||
        host->options.battery(host->options.ctx, host->bud, &info->battery) != TANDEM_OK)
        return;
    info->known |= TANDEM_INFO_BATTERY | TANDEM_INFO_POLICY;
    info->battery_minimum = host->options.battery_minimum;
    info->version_policy = TANDEM_VERSION_ANY; /* versions are compared image by image, in check() */
}

static void tell_place(struct tandem_realtek_host *host, struct tandem_info *info)
{
    int runs = tandem_realtek_host_runs(host);

    if (host->validated) {
        info->known |= TANDEM_INFO_PLACE;
        info->place = TANDEM_GOAL_VALIDATED;
        return;
    }
    if (runs < 0)
        return;
    info->known |= TANDEM_INFO_PLACE;
    info->place = runs ? TANDEM_GOAL_CONFIRMED : TANDEM_GOAL_CHECKED;
    if (!runs && host->switched) { /* it has restarted, and runs what it ran before */
        info->known |= TANDEM_INFO_STATE;
        info->state = TANDEM_STATE_IDLE;
    }
}

static void tell(struct tandem_realtek_host *host, struct tandem_info *info)
{
    struct realtek_info facts;

    memset(info, 0, sizeof *info);
    tandem_realtek_host_info_of(host, &facts);
    info->hardware = facts.ic;
    info->known = TANDEM_INFO_HARDWARE;
    info->protocol = host->dialect;
    if (tandem_realtek_host_version(host, &info->version))
        info->known |= TANDEM_INFO_VERSION;
    if (facts.active_bank == REALTEK_BANK_0 || facts.active_bank == REALTEK_BANK_1) {
        info->known |= TANDEM_INFO_BANK;
        info->bank = facts.active_bank == REALTEK_BANK_1;
    }
    host->role = (uint8_t)((facts.bud & REALTEK_BUD_ROLE) >> 2);
    host->file = host->role == 2 && host->files[1] != NULL ? host->files[1] : host->files[0];
    if ((facts.bud & REALTEK_BUD_LINK) != REALTEK_BUD_ALONE) {
        info->known |= TANDEM_INFO_ROLE;
        info->role = host->role;
    }
    info->ota_mode = !host->has_dfu || (host->options.ota_mode && host->seek != SEEK_OTA);
    tell_charge(host, info);
    tell_place(host, info);
}

enum tandem_status tandem_realtek_host_query(void *ctx, struct tandem_info *info)
{
    struct tandem_realtek_host *host = ctx;
    enum tandem_status status = TANDEM_OK;

    if (host->validated && host->broken == TANDEM_OK) {
        tell(host, info); /* it waits for one word only */
        return TANDEM_OK;
    }
    if (host->asking == ASK_NONE && host->step == 0)
        host->has_dfu = 0;
    while (status == TANDEM_OK && (host->step != QUERY_DFU || !host->has_dfu))
        status = query_step(host);
    if (status == TANDEM_AGAIN)
        return status;
    if (status == TANDEM_ERROR_NOT_SUPPORTED && host->step == QUERY_DFU)
        status = realtek_has(host, REALTEK_LISTS) && !(realtek_mode(host) & REALTEK_MODE_OTA) ? status : TANDEM_OK;
    host->step = 0;
    if (status == TANDEM_OK)
        tell(host, info);
    return status;
}

/* Do the images of the present group run? */
static int round_runs(const struct tandem_realtek_host *host)
{
    unsigned i, j;

    for (i = 0; i < host->plan_count; i++) {
        const struct tandem_realtek_part *part = realtek_part(host, (uint8_t)i);

        for (j = 0; j < host->version_count && host->rounds[i] == host->round && part->versioned; j++)
            if (host->versions[j].image == part->image && host->versions[j].value != part->version)
                return 0;
    }
    return 1;
}

enum tandem_status tandem_realtek_host_check(void *ctx, const struct tandem_offer *offer, uint32_t *detail)
{
    struct tandem_realtek_host *host = ctx;

    (void)offer;
    if (host->planned && host->unsure && (!host->fresh || round_runs(host)))
        host->round++;
    host->unsure = 0;
    if (host->planned && host->round != 0)
        return TANDEM_OK; /* in the middle of groups, versions are no measure */
    host->planned = 0;
    host->round = 0;
    host->switched = 0;
    return tandem_realtek_host_plan(host, detail);
}
