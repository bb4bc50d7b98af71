/*
 * What the files of Realtek's host half share: requests, whichever way they
 * go, and what is to be sent.
 */
#ifndef TANDEM_REALTEK_HOST_INNER_H
#define TANDEM_REALTEK_HOST_INNER_H

#include "realtek_wire.h"
#include "tandem/realtek_host.h"

/* Requests. Each has its form on GATT and on the stream; some exist on one only. */
enum realtek_ask {
    ASK_NONE,
    ASK_PROTOCOL,
    ASK_INFO,
    ASK_ADDRESS,
    ASK_VERSIONS, /* GATT: of more characteristics than one; `body` is which */
    ASK_SECTIONS,
    ASK_SUBSCRIBE,
    ASK_OTA_MODE,
    ASK_IC,
    ASK_HANDSHAKE,
    ASK_CHECK,
    ASK_TARGET,
    ASK_START,
    ASK_RECEIVE,
    ASK_DATA, /* stream only: GATT's data are not answered */
    ASK_REPORT,
    ASK_VALIDATE,
    ASK_ACTIVATE,
    ASK_ABORT,
    ASK_COPY,
    ASK_SHA,
    ASK_SWAP,
    ASKS
};

/* How the link comes up. */
enum realtek_linking { LINK_DOWN, LINK_COMING, LINK_SETTLING, LINK_UP };

/* Whom to connect to. */
enum realtek_seek {
    SEEK_APPLICATION, /* as the caller described it */
    SEEK_OTA,         /* the same device in its OTA mode */
    SEEK_BUD          /* the other bud, which advertises for an update */
};

#define BLOCK TANDEM_AES_BLOCK_SIZE
#define PLAN_COPY 0xFFu /* tandem_realtek_host::plan: no part of the file, an image to be copied */

/*
 * Ask, or go on asking: the answer is then in host->answer, its status first
 * if it has one.
 * @return TANDEM_OK; TANDEM_AGAIN; TANDEM_ERROR_NOT_SUPPORTED the device does not know it; TANDEM_ERROR_TIMEOUT;
 *         TANDEM_ERROR_BUSY; TANDEM_ERROR_PROTOCOL; why the link is of no use
 */
enum tandem_status tandem_realtek_host_ask(struct tandem_realtek_host *host, enum realtek_ask ask, const void *body,
                                           size_t size);
/* The same for requests whose answer begins with a status: a refusal becomes an error, and is noted for report(). */
enum tandem_status tandem_realtek_host_demand(struct tandem_realtek_host *host, enum realtek_ask ask, const void *body,
                                              size_t size, enum tandem_stage stage);
/* Note a refusal by the device. @return what it means */
enum tandem_status tandem_realtek_host_refused(struct tandem_realtek_host *host, uint8_t status,
                                               enum tandem_stage stage);
/* Send image bytes. @return TANDEM_OK they are out; TANDEM_AGAIN call again with the same; an error */
enum tandem_status tandem_realtek_host_data(struct tandem_realtek_host *host, const void *data, size_t size);
/* The most bytes that one packet of data carries now. */
uint16_t tandem_realtek_host_data_max(struct tandem_realtek_host *host);
/* Send what waits. */
void tandem_realtek_host_pump(struct tandem_realtek_host *host);
/* Forget the request in hand and what came for it. */
void tandem_realtek_host_forget(struct tandem_realtek_host *host);

static inline int realtek_is_stream(const struct tandem_realtek_host *host)
{
    return host->stream != NULL;
}

/* What the device says of itself, once it is known. */
void tandem_realtek_host_info_of(const struct tandem_realtek_host *host, struct realtek_info *info);

static inline const struct realtek_dialect *realtek_row(const struct tandem_realtek_host *host)
{
    return tandem_realtek_dialect_row((enum tandem_realtek_dialect)host->dialect);
}

static inline int realtek_has(const struct tandem_realtek_host *host, uint8_t flag)
{
    return (realtek_row(host)->flags & flag) != 0;
}

static inline uint8_t realtek_mode(const struct tandem_realtek_host *host)
{
    struct realtek_info info;

    tandem_realtek_host_info_of(host, &info);
    return info.mode;
}

static inline int realtek_is_copy(const struct tandem_realtek_host *host, uint8_t part)
{
    return host->plan[part] == PLAN_COPY;
}

/* The image of a part that is no copy. */
static inline const struct tandem_realtek_part *realtek_part(const struct tandem_realtek_host *host, uint8_t part)
{
    return &host->file->parts[host->plan[part]];
}

/* ---- realtek_host_query.c, realtek_host_send.c: functions of the target ---- */

enum tandem_status tandem_realtek_host_query(void *ctx, struct tandem_info *info);
enum tandem_status tandem_realtek_host_check(void *ctx, const struct tandem_offer *offer, uint32_t *detail);
enum tandem_status tandem_realtek_host_send(void *ctx, const struct tandem_offer *offer, uint8_t part);

/* ---- realtek_host.c ---- */

/*
 * Tell the device to switch, or to hand over, and wait until its link goes
 * down. Many go down before they answer: host->unsure then says that the word
 * may have been lost.
 * @return TANDEM_OK; TANDEM_AGAIN; its reason not to
 */
enum tandem_status tandem_realtek_host_switch(struct tandem_realtek_host *host, enum realtek_ask ask, uint8_t body,
                                              size_t size);

/* ---- realtek_host_plan.c ---- */

/* Choose what the device gets, and in which groups. @return TANDEM_OK; why it does not suit, with `*detail` */
enum tandem_status tandem_realtek_host_plan(struct tandem_realtek_host *host, uint32_t *detail);
/* Does the device run what is offered, by its versions? @return 1 yes; 0 no; -1 it cannot be told */
int tandem_realtek_host_runs(const struct tandem_realtek_host *host);
/* Version of the running application, if it is told. @return 1 or 0 */
int tandem_realtek_host_version(const struct tandem_realtek_host *host, struct tandem_version *version);
/* A device that has two places for each image, one of which runs. */
int tandem_realtek_host_has_banks(const struct realtek_info *info);
/* The image whose entry `index` is in the indicator and in lists without ids. */
uint16_t tandem_realtek_host_indexed(unsigned index);

#endif
