/*
 * The adapter to the Payload SDK between a host that follows a script, or
 * does not, and the device: what the SDK is told, and what becomes of it.
 */
#include "check.h"
#include "tandem_dji_psdk.h"
#include "unit/fixture.h"

#define PUSHES 200

/* ---- the SDK ---- */

static T_DjiUpgradeConfig config;
static T_DjiUpgradeHandler handler;
static unsigned enabled, registered;
static T_DjiReturnCode push_answer;
static T_DjiUpgradeState pushes[PUSHES];
static unsigned pushed;
static int locked;

T_DjiReturnCode DjiUpgrade_Init(const T_DjiUpgradeConfig *given)
{
    config = *given; /* it may be on the caller's stack */
    return 0;
}

T_DjiReturnCode DjiUpgrade_RegHandler(const T_DjiUpgradeHandler *given)
{
    handler = *given;
    registered++;
    return 0;
}

T_DjiReturnCode DjiUpgrade_EnableLocalUpgrade(void)
{
    CHECK_EQUAL(registered, 1); /* the first command may follow at once */
    enabled++;
    return 0;
}

T_DjiReturnCode DjiUpgrade_PushUpgradeState(const T_DjiUpgradeState *state)
{
    CHECK(!locked); /* it may wait for the thread that calls back */
    if (push_answer == 0 && pushed < PUSHES)
        pushes[pushed++] = *state;
    return push_answer;
}

/* ---- the product ---- */

static struct fixture f;
static struct package old, new;
static struct tandem_local local;
static struct tandem_local_options options;
static uint32_t now;
static unsigned reboots;

static void take_lock(void *ctx)
{
    (void)ctx;
    CHECK(!locked);
    locked = 1;
}

static void give_lock(void *ctx)
{
    (void)ctx;
    CHECK(locked);
    locked = 0;
}

static uint32_t clock_ms(void *ctx)
{
    (void)ctx;
    now += 1;
    f.now_us += 1000;
    return now;
}

static void pause(void *ctx, uint32_t ms)
{
    (void)ctx;
    CHECK(!locked);
    now += ms;
    f.now_us += ms * 1000u;
}

static enum tandem_status reboot(void *ctx)
{
    (void)ctx;
    reboots++;
    return TANDEM_OK;
}

static const struct tandem_dji_psdk_options psdk = {
    .version = {1, 0, 0, 0}, .lock = take_lock, .unlock = give_lock, .now_ms = clock_ms, .sleep_ms = pause};

/* As a process that starts. */
static void begin_process(void)
{
    registered = 0;
    pushed = 0;
    CHECK_EQUAL(fixture_install(&f), TANDEM_OK);
    tandem_local_init(&local, &options, &f.install);
    CHECK_EQUAL(tandem_dji_psdk_start(&psdk, &local), 0);
}

static void start(uint8_t asynchronous)
{
    const struct fixture_options slow = {.asynchronous = asynchronous};
    struct tandem_boot boot;
    old = fixture_package(1);
    new = fixture_package(2);
    fixture_open(&f, &slow);
    f.system.reboot = reboot;
    fixture_factory(&f, 0, &old);
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    memset(&options, 0, sizeof options);
    options.product = "PSDK_DEMO";
    options.alias = "Camera";
    options.push = tandem_dji_psdk_push;
    reboots = 0;
    push_answer = 0;
    begin_process();
}

static void end(void)
{
    fixture_close(&f);
    package_free(&old);
    package_free(&new);
}

static void run_ms(uint32_t ms)
{
    for (uint32_t begin = now; now - begin < ms;)
        if (tandem_dji_psdk_poll() != TANDEM_AGAIN)
            pause(NULL, 5);
}

/* ---- the host ---- */

#define SYSTEM_ERROR 0xECu
#define PARAMETER 0xE3u
#define WRONG_STATE 0xE4u
#define TIME_OUT 0xE1u

static T_DjiReturnCode announce(const char *name, uint32_t size)
{
    T_DjiUpgradeFileInfo file;
    memset(&file, 'x', sizeof file); /* what is behind the name's end is anything */
    memcpy(file.fileName, name, strlen(name) + 1);
    file.fileSize = size;
    return config.firmwareTransferInfo.dcftpFileTransferOpt.start(&file);
}

static T_DjiReturnCode send(const uint8_t *bytes, uint32_t size, uint32_t chunk)
{
    T_DjiReturnCode code = 0;
    for (uint32_t at = 0; at < size && code == 0; at += chunk)
        code = config.firmwareTransferInfo.dcftpFileTransferOpt.transfer(
            bytes + at, (uint16_t)(size - at < chunk ? size - at : chunk));
    return code;
}

static T_DjiReturnCode finish(const uint8_t *bytes, uint32_t size)
{
    struct tandem_md5 hash;
    uint8_t digest[16];
    tandem_md5_init(&hash);
    tandem_md5_update(&hash, bytes, size);
    tandem_md5_final(&hash, digest);
    return config.firmwareTransferInfo.dcftpFileTransferOpt.finish(digest);
}

/* All of it as it should be. @return the first code that is not 0 */
static T_DjiReturnCode upgrade(uint32_t chunk)
{
    uint16_t wait_s = 0;
    T_DjiReturnCode code = handler.EnterUpgradeMode(&wait_s);
    if (code == 0)
        run_ms(wait_s * 1000u);
    if (code == 0)
        code = announce("Camera_V02.00.00.00.bin", new.size);
    if (code == 0)
        code = send(new.bytes, new.size, chunk);
    if (code == 0)
        code = finish(new.bytes, new.size);
    if (code == 0)
        code = handler.CheckFirmware();
    return code == 0 ? handler.StartUpgrade() : code;
}

/* ---- the tests ---- */

static void as_it_should_be(void)
{
    static const uint32_t chunks[] = {1, 3, 127, 128, 1000, 65535};
    for (unsigned i = 0; i < 2 * sizeof chunks / sizeof chunks[0]; i++) {
        struct tandem_boot boot;
        start((uint8_t)(i & 1));
        CHECK_EQUAL(config.firmwareTransferInfo.transferType, DJI_FIRMWARE_TRANSFER_TYPE_DCFTP);
        CHECK_EQUAL(config.currentFirmwareVersion.majorVersion, 1);
        CHECK_EQUAL(upgrade(chunks[i / 2]), 0);
        CHECK_EQUAL(pushed, 0); /* nothing before the host has said go */
        run_ms(900);
        CHECK_EQUAL(reboots, 0);
        REQUIRE(pushed >= 1);
        CHECK_EQUAL(pushes[pushed - 1].upgradeStage, DJI_UPGRADE_STAGE_DEVICE_REBOOT);
        CHECK_EQUAL(pushes[pushed - 1].upgradeRebootInfo.rebootTimeout, 30);
        run_ms(300);
        CHECK_EQUAL(reboots, 1);
        /* While the new version has not confirmed itself there is nothing to tell. */
        CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
        CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
        begin_process();
        run_ms(500);
        CHECK_EQUAL(pushed, 0);
        CHECK_EQUAL(handler.EnterUpgradeMode(&(uint16_t){0}), WRONG_STATE);
        CHECK_EQUAL(tandem_install_confirm(&f.install), TANDEM_OK);
        run_ms(3500);
        CHECK(pushed >= 3 && pushed <= 5); /* once a second */
        CHECK_EQUAL(pushes[0].upgradeStage, DJI_UPGRADE_STAGE_END);
        CHECK_EQUAL(pushes[0].upgradeEndInfo.upgradeEndState, DJI_UPGRADE_END_STATE_SUCCESS);
        CHECK_EQUAL(handler.FinishUpgrade(), 0);
        pushed = 0;
        run_ms(3000);
        CHECK_EQUAL(pushed, 0);
        begin_process();
        run_ms(3000);
        CHECK_EQUAL(pushed, 0);
        end();
    }
}

static void goes_back(void)
{
    struct tandem_boot boot;
    start(0);
    CHECK_EQUAL(upgrade(500), 0);
    run_ms(1200);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_REVERTED);
    begin_process();
    run_ms(500);
    REQUIRE(pushed == 1);
    CHECK_EQUAL(pushes[0].upgradeStage, DJI_UPGRADE_STAGE_END);
    CHECK_EQUAL(pushes[0].upgradeEndInfo.upgradeEndState, DJI_UPGRADE_END_STATE_UNKNOWN_ERROR);
    /* The host never finishes; the next upgrade works all the same. */
    CHECK_EQUAL(upgrade(500), 0);
    end();
}

static void hosts_that_do_not_follow(void)
{
    struct tandem_boot boot;
    uint16_t wait_s;
    start(0);
    CHECK_EQUAL(handler.CheckFirmware(), WRONG_STATE);
    CHECK_EQUAL(handler.StartUpgrade(), WRONG_STATE);
    CHECK_EQUAL(send(new.bytes, 10, 10), WRONG_STATE);
    CHECK_EQUAL(finish(new.bytes, 10), WRONG_STATE);
    CHECK_EQUAL(announce("Camera_V02.00.00.00.bin", 0), PARAMETER);
    CHECK_EQUAL(announce("Gimbal_V02.00.00.00.bin", 100), PARAMETER);
    CHECK_EQUAL(announce("Camera_V00.01.00.00.bin", 100), PARAMETER);
    CHECK_EQUAL(announce("../Camera_V02.00.00.00.bin", 100), PARAMETER);
    CHECK_EQUAL(handler.EnterUpgradeMode(&wait_s), 0);
    CHECK_EQUAL(handler.EnterUpgradeMode(&wait_s), 0); /* twice, and without waiting */
    CHECK_EQUAL(announce("Camera_V02.00.00.00.bin", new.size), 0);
    CHECK_EQUAL(send(new.bytes, new.size / 2, 1000), 0);
    CHECK_EQUAL(announce("PSDK_DEMO_V02.00.00.00.bin", new.size), 0); /* again, half way */
    CHECK_EQUAL(send(new.bytes, new.size - 10, 1000), 0);
    CHECK_EQUAL(finish(new.bytes, new.size), PARAMETER); /* short */
    CHECK_EQUAL(handler.CheckFirmware(), PARAMETER);
    CHECK_EQUAL(handler.StartUpgrade(), PARAMETER);
    CHECK_EQUAL(announce("Camera_V02.00.00.00.bin", new.size), 0);
    CHECK_EQUAL(send(new.bytes, new.size, 1000), 0);
    CHECK_EQUAL(send(new.bytes, 1, 1), PARAMETER); /* overshoots */
    CHECK_EQUAL(announce("Camera_V02.00.00.00.bin", new.size), 0);
    CHECK_EQUAL(send(new.bytes, new.size, 1000), 0);
    CHECK_EQUAL(finish(new.bytes, new.size - 1), SYSTEM_ERROR); /* another MD5 */
    new.bytes[new.size - 100] ^= 1;
    CHECK_EQUAL(announce("Camera_V02.00.00.00.bin", new.size), 0);
    T_DjiReturnCode code = send(new.bytes, new.size, 1000); /* the MD5 of what was sent, but not what was signed */
    CHECK_EQUAL(code != 0 ? code : finish(new.bytes, new.size) | handler.CheckFirmware(), SYSTEM_ERROR);
    new.bytes[new.size - 100] ^= 1;
    run_ms(2000);
    CHECK_EQUAL(pushed, 0);
    CHECK_EQUAL(reboots, 0);
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.version.major, 1);
    begin_process();
    CHECK_EQUAL(announce("Camera_V02.00.00.00.bin", new.size), 0); /* goes away */
    CHECK_EQUAL(send(new.bytes, new.size / 3, 1000), 0);
    run_ms(70000);
    CHECK_EQUAL(send(new.bytes, 10, 10), TIME_OUT);
    push_answer = SYSTEM_ERROR; /* a link that takes no push for a while */
    CHECK_EQUAL(upgrade(65535), 0);
    run_ms(500);
    CHECK_EQUAL(pushed, 0);
    push_answer = 0;
    run_ms(100);
    CHECK(pushed > 0);
    run_ms(1000);
    CHECK_EQUAL(reboots, 1);
    end();
}

/* A flash that takes longer than anybody can wait does not hold the SDK's thread for ever. */
static enum tandem_status (*real_erase)(void *ctx, uint32_t address);
static uint32_t busy_until;

static enum tandem_status slow_erase(void *ctx, uint32_t address)
{
    if (now >= busy_until)
        return real_erase(ctx, address);
    now++;
    return TANDEM_AGAIN;
}

static void patience(void)
{
    start(0);
    real_erase = f.flash.port.erase;
    f.flash.port.erase = slow_erase;
    CHECK_EQUAL(announce("Camera_V02.00.00.00.bin", new.size), 0);
    uint32_t begin = now;
    busy_until = now + 12000;
    CHECK_EQUAL(send(new.bytes, new.size, 65535), TIME_OUT);
    CHECK(now - begin >= 10000 && now - begin < 13000);
    CHECK_EQUAL(upgrade(65535), 0);
    end();
}

int main(void)
{
    RUN(as_it_should_be);
    RUN(goes_back);
    RUN(hosts_that_do_not_follow);
    RUN(patience);
    return check_report();
}
