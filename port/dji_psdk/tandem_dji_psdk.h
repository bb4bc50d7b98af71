/**
 * @file
 * Local upgrade by DJI's Payload SDK, and by those that have its shape: the
 * SDK's callbacks on one side, tandem/local.h on the other. It is compiled
 * with the SDK's own headers, which are not part of Tandem.
 *
 * A vendor that took over the interface under names of its own is served by
 * defining what is defined here, on the compiler's command line or before
 * this is included.
 */
#ifndef TANDEM_DJI_PSDK_H
#define TANDEM_DJI_PSDK_H

#include "tandem/local.h"

#ifndef TANDEM_PSDK_HEADER
#define TANDEM_PSDK_HEADER "dji_upgrade.h"                           /**< the SDK's header */
#define TANDEM_PSDK_TYPE(name) T_Dji##name                           /**< its types */
#define TANDEM_PSDK_CALL(name) DjiUpgrade_##name                     /**< its functions */
#define TANDEM_PSDK_STAGE(name) DJI_UPGRADE_STAGE_##name             /**< its stages */
#define TANDEM_PSDK_END(name) DJI_UPGRADE_END_STATE_##name           /**< its two outcomes */
#define TANDEM_PSDK_TRANSFER(name) DJI_FIRMWARE_TRANSFER_TYPE_##name /**< its ways to send a file */
#endif
#include TANDEM_PSDK_HEADER

#ifdef __cplusplus
extern "C" {
#endif

/** What the adapter needs. Zero in a number is a good choice. */
struct tandem_dji_psdk_options {
    TANDEM_PSDK_TYPE(FirmwareVersion) version; /**< of the program that runs, as the SDK shows it */
    uint8_t ftp;                               /**< 1: files come by FTP, and something else takes them to `local` */
    uint16_t ftp_port;                         /**< of the server; 0: 21 */
    uint32_t patience_ms;                      /**< longest that a callback of the SDK is held up; 0: 10 s */
    void *ctx;                                 /**< handed to the functions */
    void (*lock)(void *ctx);       /**< the SDK calls from a thread of its own: around all that uses `local` */
    void (*unlock)(void *ctx);     /**< its other half */
    uint32_t (*now_ms)(void *ctx); /**< a clock that may wrap */
    void (*sleep_ms)(void *ctx, uint32_t ms); /**< give others a moment */
};

/**
 * Put the push function of the adapter into the service's options: `push` = this, `ctx` is not looked at.
 * @return TANDEM_OK
 */
enum tandem_status tandem_dji_psdk_push(void *ctx, const struct tandem_local_report *report);

/**
 * Register with the SDK, and let it show its page. Call it after DjiCore_Init() and before
 * DjiCore_ApplicationStart(). There is one adapter in a process: the SDK's callbacks know no context.
 * @param options,local must outlive the process; `local` is prepared, with tandem_dji_psdk_push()
 * @return what the SDK's functions return: 0, or the first that was something else
 */
TANDEM_PSDK_TYPE(ReturnCode)
tandem_dji_psdk_start(const struct tandem_dji_psdk_options *options, struct tandem_local *local);

/**
 * Work, and push what is new. Call it every few milliseconds from a task of the product's own.
 * @return as tandem_local_poll()
 */
enum tandem_status tandem_dji_psdk_poll(void);

#ifdef __cplusplus
}
#endif

#endif
