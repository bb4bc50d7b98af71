/*
 * The programs that are disturbed, by PROGRAM: a bootloader with the fixture's
 * device on flash in memory; that device's application, which confirms itself;
 * and a bootloader that one fault leads astray, to see that the sweep sees it.
 */
#include <string.h>

#include "machine.h"
#include "tandem/boot.h"

#define BOOTLOADER 1
#define APPLICATION 2
#define CARELESS 3

#define BOARD ((const struct board *)BOARD_ADDRESS)

extern uint32_t stack_top; /* from the linker, as the next two */
extern const uint8_t engine_begin, engine_end;

/* ---- flash ---- */

static enum tandem_status flash_read(void *ctx, uint32_t address, void *data, size_t size)
{
    (void)ctx;
    if (address > FLASH_SIZE || size > FLASH_SIZE - address)
        return TANDEM_ERROR_FLASH;
    memcpy(data, (const void *)(FLASH_ADDRESS + address), size);
    return TANDEM_OK;
}

static enum tandem_status flash_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    (void)ctx;
    const uint8_t *from = (const uint8_t *)data;
    volatile uint8_t *to = (volatile uint8_t *)(FLASH_ADDRESS + address);
    if (address > FLASH_SIZE || size > FLASH_SIZE - address)
        return TANDEM_ERROR_FLASH;
    while (size-- > 0)
        *to++ &= *from++; /* NOR: bits only fall */
    return TANDEM_OK;
}

static enum tandem_status flash_erase(void *ctx, uint32_t address)
{
    (void)ctx;
    if (address >= FLASH_SIZE || address % SECTOR_SIZE != 0)
        return TANDEM_ERROR_FLASH;
    memset((void *)(FLASH_ADDRESS + address), 0xFF, SECTOR_SIZE);
    return TANDEM_OK;
}

static const struct tandem_flash_region regions[] = {{0, SECTOR_SIZE, FLASH_SIZE / SECTOR_SIZE}};
static const struct tandem_flash_port flash = {
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
    .regions = regions,
    .region_count = 1,
    .program_unit = 4,
    .erased = 0xFF,
};

static void watchdog(void *ctx)
{
    (void)ctx;
}

static const struct tandem_system_port board_system = {.watchdog = watchdog};

/* ---- hashes and signatures by the emulator, which acts when one of these is entered ---- */

#define OUTSIDE __attribute__((naked, noinline))
#define RETURN __asm__("bx lr")

OUTSIDE static enum tandem_status sha256_init(void *ctx, struct tandem_sha256 *hash)
{
    (void)ctx, (void)hash;
    RETURN;
}

OUTSIDE static enum tandem_status sha256_update(void *ctx, struct tandem_sha256 *hash, const void *data, size_t size)
{
    (void)ctx, (void)hash, (void)data, (void)size;
    RETURN;
}

OUTSIDE static enum tandem_status sha256_final(void *ctx, struct tandem_sha256 *hash, uint8_t *digest)
{
    (void)ctx, (void)hash, (void)digest;
    RETURN;
}

OUTSIDE static enum tandem_status ed25519_verify(void *ctx, const uint8_t *signature, const uint8_t *key,
                                                 const void *message, size_t size)
{
    (void)ctx, (void)signature, (void)key, (void)message, (void)size;
    RETURN;
}

static const struct tandem_crypto_port outside = {
    .sha256_init = sha256_init,
    .sha256_update = sha256_update,
    .sha256_final = sha256_final,
    .ed25519_verify = ed25519_verify,
};

/* ---- the device: that of tests/unit/fixture.c ---- */

#define AREA(sector, sectors)                               \
    {                                                       \
        &flash, (sector)*SECTOR_SIZE, (sectors)*SECTOR_SIZE \
    }

static const struct tandem_slot slots[] = {
    {.kind = TANDEM_KIND_APPLICATION, .areas = {AREA(0, 8), AREA(16, 8)}},
    {.kind = TANDEM_KIND_STACK, .areas = {AREA(8, 4), AREA(24, 4)}},
    {.kind = TANDEM_KIND_DATA, .areas = {AREA(12, 2), AREA(28, 2)}, .optional = 1},
};
static const struct tandem_key keys[KEYS] = {
    {TANDEM_KEY_ED25519, (const uint8_t *)BOARD_ADDRESS},
    {TANDEM_KEY_ED25519, (const uint8_t *)BOARD_ADDRESS + KEY_SIZE},
};

#define DEVICE(policy, port)                                                                      \
    {                                                                                             \
        .vendor = "Acme", .product = "Bud", .hardware = 7, .slots = slots,                        \
        .slot_count = sizeof slots / sizeof slots[0], .keys = keys, .key_count = KEYS,            \
        .manifests = {AREA(14, 2), AREA(30, 2)}, .journal = AREA(32, 4), .system = &board_system, \
        .verify_policy = (policy), .crypto = (port)                                               \
    }
static const struct tandem_device devices[2][2] = {
    {DEVICE(TANDEM_VERIFY_ALWAYS, NULL), DEVICE(TANDEM_VERIFY_ALWAYS, &outside)},
    {DEVICE(TANDEM_VERIFY_ONCE, NULL), DEVICE(TANDEM_VERIFY_ONCE, &outside)},
};

static uint8_t buffer[1024];

/* ---- what it does ---- */

__attribute__((noinline, noreturn)) static void started(uint32_t address, uint32_t reason)
{
    __asm__ volatile("" ::"r"(address), "r"(reason));
    for (;;)
        continue;
}

__attribute__((noinline, noreturn)) static void recovery(uint32_t status)
{
    __asm__ volatile("" ::"r"(status));
    for (;;)
        continue;
}

/* From here on every instruction may be the one that is disturbed. */
#if PROGRAM == BOOTLOADER
__attribute__((noinline)) static void program(const struct tandem_device *device)
{
    struct tandem_boot boot;
    enum tandem_status status = tandem_boot_decide(&boot, device, buffer, sizeof buffer);
    if (status == TANDEM_OK && boot.images[0].kind == TANDEM_KIND_APPLICATION)
        started(boot.images[0].area.address, boot.reason);
    recovery(status);
}
#elif PROGRAM == APPLICATION
__attribute__((noinline)) static void program(const struct tandem_device *device)
{
    struct tandem_bank bank;
    enum tandem_status status = tandem_bank_open(&bank, device);
    if (status == TANDEM_OK)
        status = tandem_bank_confirm(&bank, buffer, sizeof buffer);
    recovery(status);
}
#else
/* Where the image lies is no question to it, and one branch decides. */
__attribute__((noinline)) static void program(const struct tandem_device *device)
{
    struct tandem_boot boot;
    enum tandem_status status = tandem_boot_decide(&boot, device, buffer, sizeof buffer);
    if (status == TANDEM_OK)
        started(device->slots[0].areas[1].address, boot.reason);
    recovery(status);
}
#endif

static void reset(void)
{
    program(&devices[BOARD->verify_once][BOARD->outside]);
    recovery(TANDEM_ERROR_STATE);
}

/* See enum watched. */
union watched_place {
    const void *data;
    void (*code)(void);
};

#define CODE(function)                     \
    {                                      \
        .code = (void (*)(void))(function) \
    }

__attribute__((section(".head"), used)) static const union watched_place head[AT_COUNT] = {
    [AT_STACK] = {.data = &stack_top},
    [AT_RESET] = CODE(reset),
    [AT_PROGRAM] = CODE(program),
    [AT_STARTED] = CODE(started),
    [AT_RECOVERY] = CODE(recovery),
    [AT_SHA256_INIT] = CODE(sha256_init),
    [AT_SHA256_UPDATE] = CODE(sha256_update),
    [AT_SHA256_FINAL] = CODE(sha256_final),
    [AT_ED25519_VERIFY] = CODE(ed25519_verify),
    [AT_ENGINE] = {.data = &engine_begin},
    [AT_ENGINE_END] = {.data = &engine_end},
};
