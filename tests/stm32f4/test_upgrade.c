/*
 * The whole way of a local upgrade on an STM32F407: chunks over the Payload
 * SDK's command channel, the store, the restart, the bootloader's copy, the
 * new application, and the outcome that the host hears. With chunks that are
 * no multiple of a word, and power that fails on the way.
 */
#include <setjmp.h>

#include "board.h"
#include "check.h"
#include "tandem_dji_psdk.h"

#define OLD_SIZE 40001u
#define NEW_SIZE 60003u

static struct package old, new;
static struct board board;
static struct tandem_local local;
static T_DjiUpgradeHandler handler;
static T_DjiUpgradeDcftpFileTransferOpt transfer;
static unsigned ended, succeeded, reboots;
static uint32_t now;

/* ---- the SDK ---- */

T_DjiReturnCode DjiUpgrade_Init(const T_DjiUpgradeConfig *config)
{
    transfer = config->firmwareTransferInfo.dcftpFileTransferOpt;
    return 0;
}

T_DjiReturnCode DjiUpgrade_RegHandler(const T_DjiUpgradeHandler *given)
{
    handler = *given;
    return 0;
}

T_DjiReturnCode DjiUpgrade_EnableLocalUpgrade(void)
{
    return 0;
}

T_DjiReturnCode DjiUpgrade_PushUpgradeState(const T_DjiUpgradeState *state)
{
    if (state->upgradeStage == DJI_UPGRADE_STAGE_END) {
        ended++;
        succeeded += state->upgradeEndInfo.upgradeEndState == DJI_UPGRADE_END_STATE_SUCCESS;
    }
    return 0;
}

/* ---- the application ---- */

static void nothing(void *ctx)
{
    (void)ctx;
}

static uint32_t clock_ms(void *ctx)
{
    (void)ctx;
    return now;
}

static void pass_time(void *ctx, uint32_t ms)
{
    (void)ctx;
    now += ms;
    board.now_us += ms * 1000u;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    reboots++;
    return TANDEM_OK;
}

static const struct tandem_local_options options = {.product = "Camera", .push = tandem_dji_psdk_push};
static const struct tandem_dji_psdk_options psdk = {
    .lock = nothing, .unlock = nothing, .now_ms = clock_ms, .sleep_ms = pass_time};

/* The application starts. */
static void begin(void)
{
    ended = succeeded = reboots = 0;
    board.system.reboot = reboot;
    CHECK_EQUAL(tandem_install_init(&board.install, &board.device, board.buffer, sizeof board.buffer), TANDEM_OK);
    tandem_local_init(&local, &options, &board.install);
    CHECK_EQUAL(tandem_dji_psdk_start(&psdk, &local), 0);
}

static void run_ms(uint32_t ms)
{
    for (uint32_t first = now; now - first < ms;) {
        (void)tandem_dji_psdk_poll();
        pass_time(NULL, 1);
    }
}

/* ---- the host ---- */

/* @return 0; else what was answered */
static T_DjiReturnCode upgrade(uint32_t chunk)
{
    T_DjiUpgradeFileInfo file = {.fileSize = new.size, .fileName = "Camera_V02.00.00.00.bin"};
    struct tandem_md5 hash;
    uint8_t digest[TANDEM_MD5_SIZE];
    uint16_t wait_s;
    T_DjiReturnCode code = handler.EnterUpgradeMode(&wait_s);
    run_ms(wait_s * 1000u);
    code = code != 0 ? code : transfer.start(&file);
    for (uint32_t at = 0; at < new.size &&code == 0; at += chunk)
        code = transfer.transfer(new.bytes + at, (uint16_t)(new.size - at < chunk ? new.size - at : chunk));
    tandem_md5_init(&hash);
    tandem_md5_update(&hash, new.bytes, new.size);
    tandem_md5_final(&hash, digest);
    code = code != 0 ? code : transfer.finish(digest);
    code = code != 0 ? code : handler.CheckFirmware();
    code = code != 0 ? code : handler.StartUpgrade();
    run_ms(code == 0 ? 1500 : 0);
    return code;
}

/* ---- the tests ---- */

static void open_board(void)
{
    board_open(&board);
    board_factory(&board, &old);
    CHECK_EQUAL(board_start(&board), TANDEM_OK);
    begin();
}

/* After the restart: copied, tried, confirmed, told, acknowledged. */
static void becomes_the_new_one(void)
{
    CHECK_EQUAL(board_start(&board), TANDEM_OK);
    CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_TRIAL);
    CHECK(board_holds(&board, &new));
    begin();
    CHECK_EQUAL(tandem_install_confirm(&board.install), TANDEM_OK);
    run_ms(1500);
    CHECK_EQUAL(ended, 2);
    CHECK_EQUAL(succeeded, 2);
    CHECK_EQUAL(handler.FinishUpgrade(), 0);
    run_ms(1500);
    CHECK_EQUAL(ended, 2);
    CHECK_EQUAL(board_start(&board), TANDEM_OK);
    CHECK_EQUAL(board.boot.reason, TANDEM_BOOT_CONFIRMED);
    CHECK(board_holds(&board, &new));
    CHECK(board_behaved(&board));
}

static void from_chunks_to_application(void)
{
    static const uint32_t chunks[] = {1, 3, 127, 128, 1000, 65535};
    for (unsigned i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        open_board();
        CHECK_EQUAL(upgrade(chunks[i]), 0);
        CHECK_EQUAL(reboots, 1);
        becomes_the_new_one();
        board_close(&board);
    }
}

/* Run a part of it; power fails in operation `op`. @return 1 if it came to that */
static int cut(void (*part)(void), uint64_t op, enum sim_tear tear)
{
    jmp_buf out;
    board.power.cut_at = board.power.ops + op;
    board.power.tear = tear;
    board.power.out = &out;
    if (setjmp(out) != 0)
        return 1;
    part();
    board.power.cut_at = 0;
    board.power.out = NULL;
    return 0;
}

static void do_upgrade(void)
{
    (void)upgrade(700);
}

static void do_start(void)
{
    (void)tandem_boot_decide(&board.boot, &board.device, board.buffer, sizeof board.buffer);
}

/* The host begins again after each cut; the old application runs until the new one is whole. */
static void power_fails_on_the_way(void)
{
    static struct board pending;
    unsigned cuts = 0;
    open_board();
    for (uint64_t op = 3; cut(do_upgrade, op, (enum sim_tear)(op % SIM_TEARS)); op += 211) {
        cuts++;
        CHECK_EQUAL(board_start(&board), TANDEM_OK);
        CHECK(board_holds(&board, &old));
        begin();
    }
    CHECK(cuts > 5);
    CHECK_EQUAL(reboots, 1);
    board_open(&pending);
    board_copy(&pending, &board);
    cuts = 0;
    for (uint64_t op = 1;; op += 97) {
        board_copy(&board, &pending);
        board_power(&board);
        if (!cut(do_start, op, (enum sim_tear)(op % SIM_TEARS)))
            break;
        cuts++;
        becomes_the_new_one();
    }
    CHECK(cuts > 5);
    board_close(&pending);
    board_close(&board);
}

int main(void)
{
    old = board_package(1, OLD_SIZE);
    new = board_package(2, NEW_SIZE);
    RUN(from_chunks_to_application);
    RUN(power_fails_on_the_way);
    package_free(&old);
    package_free(&new);
    return check_report();
}
