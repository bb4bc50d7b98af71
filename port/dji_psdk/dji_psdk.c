/*
 * The SDK's callbacks post to the local upgrade service and return; a task of
 * the product works and pushes. Nothing is pushed while the lock is held.
 */
#include "tandem_dji_psdk.h"

#include <string.h>

#define PATIENCE_MS 10000u
#define FTP_PORT 21u
#define REBOOT_MAX_S 255u

typedef TANDEM_PSDK_TYPE(ReturnCode) code;

/* Raw codes of the SDK's system module. */
#define CODE_SUCCESS 0x000u
#define CODE_NOT_SUPPORTED 0x0E0u
#define CODE_TIMEOUT 0x0E1u
#define CODE_PARAMETER 0x0E3u
#define CODE_STATE 0x0E4u
#define CODE_SYSTEM 0x0ECu
#define CODE_BUSY 0x102u

/* The one adapter. */
static struct {
    const struct tandem_dji_psdk_options *options;
    struct tandem_local *local;
    struct tandem_local_report report; /* to be pushed */
    uint8_t due;                       /* 1: it was not pushed yet */
    uint8_t started;                   /* 1: the host has asked for the installation, or it was before this start */
    char name[sizeof((TANDEM_PSDK_TYPE(UpgradeFileInfo) *)0)->fileName + 1]; /* the SDK's need not be terminated */
} psdk;

static code code_of(enum tandem_status status)
{
    switch (status) {
    case TANDEM_OK:
        return CODE_SUCCESS;
    case TANDEM_ERROR_NOT_SUPPORTED:
    case TANDEM_ERROR_UNSUPPORTED:
        return CODE_NOT_SUPPORTED;
    case TANDEM_AGAIN:
    case TANDEM_ERROR_TIMEOUT:
        return CODE_TIMEOUT;
    case TANDEM_ERROR_STATE:
    case TANDEM_ERROR_TRIAL:
        return CODE_STATE;
    case TANDEM_ERROR_BUSY:
        return CODE_BUSY;
    default:
        break;
    }
    /* What the file or the call is to blame for, and what this device is. */
    enum tandem_status_group group = tandem_status_group(status);
    return group == TANDEM_STATUS_CALLER || group == TANDEM_STATUS_FORMAT || group == TANDEM_STATUS_TARGET
               ? CODE_PARAMETER
               : CODE_SYSTEM;
}

static void lock(void)
{
    psdk.options->lock(psdk.options->ctx);
}

static void unlock(void)
{
    psdk.options->unlock(psdk.options->ctx);
}

static uint32_t now_ms(void)
{
    return psdk.options->now_ms(psdk.options->ctx);
}

/* Let the work go on for a moment. The lock is held, and given up meanwhile. @return 0: patience has run out */
static int wait_since(uint32_t begin)
{
    uint32_t patience = psdk.options->patience_ms != 0 ? psdk.options->patience_ms : PATIENCE_MS;
    enum tandem_status status = tandem_local_poll(psdk.local, now_ms());
    unlock();
    if (status != TANDEM_AGAIN)
        psdk.options->sleep_ms(psdk.options->ctx, 1);
    lock();
    return now_ms() - begin < patience;
}

/* ---- called by the SDK ---- */

static code enter(uint16_t *wait_s)
{
    lock();
    enum tandem_status status = tandem_local_enter(psdk.local, wait_s);
    if (status == TANDEM_OK)
        psdk.started = 0;
    unlock();
    return code_of(status);
}

static code transfer_start(const TANDEM_PSDK_TYPE(UpgradeFileInfo) * file)
{
    lock();
    memcpy(psdk.name, file->fileName, sizeof file->fileName);
    enum tandem_status status = tandem_local_begin(psdk.local, psdk.name, file->fileSize);
    if (status == TANDEM_OK)
        psdk.started = 0;
    unlock();
    return code_of(status);
}

static code transfer_data(const uint8_t *data, uint16_t size)
{
    uint32_t begin = now_ms();
    size_t at = 0, taken;
    enum tandem_status status = TANDEM_AGAIN;
    lock();
    while (status == TANDEM_AGAIN) {
        status = tandem_local_data(psdk.local, data + at, size - at, &taken);
        at += taken;
        if (status == TANDEM_AGAIN && !wait_since(begin)) {
            (void)tandem_local_abort(psdk.local); /* the host goes on with the next bytes: these would be missing */
            break;
        }
    }
    unlock();
    return code_of(status);
}

static code transfer_finish(const uint8_t md5[TANDEM_MD5_SIZE])
{
    lock();
    enum tandem_status status = tandem_local_end(psdk.local, md5);
    unlock();
    return code_of(status);
}

/* By FTP the file may still be on its way to the service. */
static int is_coming(enum tandem_status status)
{
    return status == TANDEM_AGAIN || (status == TANDEM_ERROR_STATE && psdk.options->ftp);
}

static code check(void)
{
    uint32_t begin = now_ms();
    lock();
    enum tandem_status status = tandem_local_check(psdk.local);
    while (is_coming(status) && wait_since(begin))
        status = tandem_local_check(psdk.local);
    unlock();
    return code_of(status);
}

static code start(void)
{
    lock();
    enum tandem_status status = tandem_local_start(psdk.local);
    if (status == TANDEM_OK)
        psdk.started = 1;
    unlock();
    return code_of(status);
}

static code finish(void)
{
    lock();
    enum tandem_status status = tandem_local_acknowledge(psdk.local);
    psdk.started = 0;
    psdk.due = 0;
    unlock();
    return code_of(status);
}

/* ---- pushing ---- */

enum tandem_status tandem_dji_psdk_push(void *ctx, const struct tandem_local_report *report)
{
    (void)ctx;
    psdk.report = *report;
    psdk.due = 1;
    return TANDEM_OK;
}

/* What the SDK knows of it. @return 0: nothing, for it is not told before the host has asked for the installation */
static int translate(const struct tandem_local_report *report, TANDEM_PSDK_TYPE(UpgradeState) * state)
{
    memset(state, 0, sizeof *state);
    switch (report->stage) {
    case TANDEM_LOCAL_VERIFYING:
    case TANDEM_LOCAL_READY:
        state->upgradeStage = TANDEM_PSDK_STAGE(ONGOING);
        state->upgradeOngoingInfo.upgradeProgress = report->percent;
        return psdk.started;
    case TANDEM_LOCAL_RESTARTING:
        state->upgradeStage = TANDEM_PSDK_STAGE(DEVICE_REBOOT);
        state->upgradeRebootInfo.rebootTimeout =
            (uint8_t)(report->restart_s < REBOOT_MAX_S ? report->restart_s : REBOOT_MAX_S);
        return psdk.started;
    case TANDEM_LOCAL_DONE:
    case TANDEM_LOCAL_FAILED:
        state->upgradeStage = TANDEM_PSDK_STAGE(END);
        if (report->stage == TANDEM_LOCAL_DONE)
            state->upgradeEndInfo.upgradeEndState = TANDEM_PSDK_END(SUCCESS);
        else
            state->upgradeEndInfo.upgradeEndState = TANDEM_PSDK_END(UNKNOWN_ERROR);
        return psdk.started;
    default:
        return 0;
    }
}

enum tandem_status tandem_dji_psdk_poll(void)
{
    TANDEM_PSDK_TYPE(UpgradeState) state;
    lock();
    enum tandem_status status = tandem_local_poll(psdk.local, now_ms());
    int due = psdk.due && translate(&psdk.report, &state);
    psdk.due = 0;
    unlock();
    if (due && TANDEM_PSDK_CALL(PushUpgradeState)(&state) != CODE_SUCCESS) {
        lock();
        psdk.due = 1; /* or what is newer by then */
        unlock();
    }
    return status;
}

TANDEM_PSDK_TYPE(ReturnCode)
tandem_dji_psdk_start(const struct tandem_dji_psdk_options *options, struct tandem_local *local)
{
    TANDEM_PSDK_TYPE(UpgradeConfig) config;
    TANDEM_PSDK_TYPE(UpgradeHandler) handler;
    memset(&psdk, 0, sizeof psdk);
    memset(&config, 0, sizeof config);
    memset(&handler, 0, sizeof handler);
    psdk.options = options;
    psdk.local = local;
    psdk.started = 1; /* how an earlier process's upgrade ended is told */
    config.currentFirmwareVersion = options->version;
    config.firmwareTransferInfo.transferType = TANDEM_PSDK_TRANSFER(DCFTP);
    if (options->ftp)
        config.firmwareTransferInfo.transferType = TANDEM_PSDK_TRANSFER(FTP);
    config.firmwareTransferInfo.ftpTransferInfo.port = options->ftp_port != 0 ? options->ftp_port : FTP_PORT;
    /* None of them is left empty, whichever way files come. */
    config.firmwareTransferInfo.dcftpFileTransferOpt.start = transfer_start;
    config.firmwareTransferInfo.dcftpFileTransferOpt.transfer = transfer_data;
    config.firmwareTransferInfo.dcftpFileTransferOpt.finish = transfer_finish;
    handler.EnterUpgradeMode = enter;
    handler.CheckFirmware = check;
    handler.StartUpgrade = start;
    handler.FinishUpgrade = finish;
    tandem_local_enable(local);
    code result = TANDEM_PSDK_CALL(Init)(&config);
    if (result == CODE_SUCCESS)
        result = TANDEM_PSDK_CALL(RegHandler)(&handler); /* before it is shown: the first command may follow at once */
    return result == CODE_SUCCESS ? TANDEM_PSDK_CALL(EnableLocalUpgrade)() : result;
}
