/*
 * The flash ports of docs/porting.md, on chips that are simulated: the port
 * checker finds nothing wrong with them.
 */
#include "check.h"

/* Made from the page by samples.cmake. */
#include "porting.c"

static struct sim_power power;
static struct sim_flash chip;
static uint64_t now_us;
static unsigned busy; /* how often the serial flash is yet to say so */

/* ---- the driver of the chip that works at once ---- */

int hal_program(uint32_t address, const void *data, size_t size)
{
    return chip.port.program(chip.port.ctx, address, data, size) != TANDEM_OK;
}

int hal_erase(uint32_t address)
{
    return chip.port.erase(chip.port.ctx, address) != TANDEM_OK;
}

void hal_cache_discard(uint32_t address, size_t size)
{
    (void)address;
    (void)size;
}

/* ---- the serial flash ---- */

int nor_begin_program(uint32_t address, const void *data, size_t size)
{
    CHECK(busy == 0 && size != 0 && address / 256 == (address + size - 1) / 256); /* within one page */
    busy = 3;
    return chip.port.program(chip.port.ctx, address, data, size) != TANDEM_OK;
}

int nor_begin_erase(uint32_t address)
{
    CHECK_EQUAL(busy, 0);
    busy = 50;
    return chip.port.erase(chip.port.ctx, address) != TANDEM_OK;
}

int nor_read(uint32_t address, void *data, size_t size)
{
    CHECK_EQUAL(busy, 0);
    return chip.port.read(chip.port.ctx, address, data, size) != TANDEM_OK;
}

int nor_is_busy(void)
{
    busy -= busy != 0;
    return busy != 0;
}

/* ---- what else the page declares ---- */

void board_reset_soon(void)
{
}

void board_feed_watchdog(void)
{
}

int board_battery(void)
{
    return -1;
}

int radio_notify(uint16_t handle, const void *data, size_t size)
{
    (void)handle;
    (void)data;
    (void)size;
    return 1;
}

uint16_t radio_att_mtu(void)
{
    return 23;
}

size_t uart_room(void)
{
    return 0;
}

void uart_put(const void *data, size_t size)
{
    (void)data;
    (void)size;
}

/* ---- the hash engine: our own, which keeps its state where it is told ---- */

static void engine_take(struct tandem_sha256 *hash, const struct sha_engine_state *state)
{
    memset(hash, 0, sizeof *hash);
    memcpy(&hash->u, state, sizeof *state);
}

int sha_engine_begin(struct sha_engine_state *state)
{
    struct tandem_sha256 hash;
    int result = tandem_sha256_init(&hash, NULL) != TANDEM_OK;

    memcpy(state, &hash.u, sizeof *state);
    return result;
}

int sha_engine_add(struct sha_engine_state *state, const void *data, size_t size)
{
    struct tandem_sha256 hash;

    engine_take(&hash, state);
    int result = tandem_sha256_update(&hash, data, size) != TANDEM_OK;
    memcpy(state, &hash.u, sizeof *state);
    return result;
}

int sha_engine_end(struct sha_engine_state *state, uint8_t *digest)
{
    struct tandem_sha256 hash;

    engine_take(&hash, state);
    return tandem_sha256_final(&hash, digest) != TANDEM_OK;
}

/* ---- what is tried ---- */

static void open_chip(uint32_t base, uint32_t sector, uint32_t count, uint8_t unit)
{
    struct sim_flash_spec spec = {.regions = {{base, sector, count}},
                                  .region_count = 1,
                                  .program_unit = unit,
                                  .erased = 0xFF,
                                  .erase_us = 20000,
                                  .program_ns = 1000};

    sim_power_init(&power, 1);
    sim_flash_init(&chip, &spec, &power, &now_us);
}

/* The chip's memory is not the processor's here, so this port's read() is left out. */
static enum tandem_status read_cells(void *ctx, uint32_t address, void *data, size_t size)
{
    (void)ctx;
    return chip.port.read(chip.port.ctx, address, data, size);
}

static void report(void *ctx, const struct tandem_portcheck_finding *finding)
{
    char line[TANDEM_PORTCHECK_TEXT_SIZE];

    (void)ctx;
    if (finding->severity != TANDEM_PORTCHECK_INFO)
        fprintf(stderr, "%s\n", tandem_portcheck_line(finding, line, sizeof line));
}

/* Everything, probes too: no fault and no warning. */
static void check_port(const struct tandem_flash_port *port, uint32_t address, uint32_t size)
{
    static uint8_t buffer[1024 + 16];
    struct tandem_portcheck check = {.scratch = {port, address, size},
                                     .buffer = buffer,
                                     .buffer_size = sizeof buffer,
                                     .probes = TANDEM_PORTCHECK_PROBE_TWICE | TANDEM_PORTCHECK_PROBE_ODD |
                                               TANDEM_PORTCHECK_PROBE_OUTSIDE,
                                     .report = report};
    struct tandem_portcheck_result result;

    CHECK_EQUAL(tandem_portcheck_run(&check, &result), TANDEM_OK);
    CHECK_EQUAL(result.warnings, 0);
}

static void at_once(void)
{
    struct tandem_flash_port port = flash;

    open_chip(0x08000000, 2048, 256, 8);
    port.read = read_cells;
    check_port(&port, 0x08001000, 4 * 2048);
    CHECK_EQUAL(flash.read(flash.ctx, 0x08000000u + 512 * 1024, NULL, 1), TANDEM_ERROR_FLASH);
    CHECK_EQUAL(flash.read(flash.ctx, 0x07FFFFFFu, NULL, 2), TANDEM_ERROR_FLASH);
    /* Of all that was tried only the second program of a unit reached the chip. */
    CHECK_EQUAL(chip.violations[SIM_VIOLATION_TWICE], 1);
    CHECK_EQUAL(chip.violations[SIM_VIOLATION_UNALIGNED] + chip.violations[SIM_VIOLATION_SECTOR], 0);
    sim_flash_free(&chip);
}

static enum tandem_status port_program(const struct tandem_flash_port *port, uint32_t address, const void *data,
                                       size_t size)
{
    enum tandem_status status;

    do
        status = port->program(port->ctx, address, data, size);
    while (status == TANDEM_AGAIN);
    return status;
}

static void later(void)
{
    static uint8_t data[1000], back[1000];

    open_chip(0, 4096, 512, 1);
    check_port(&nor_flash, 8192, 3 * 4096);
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    CHECK_EQUAL(port_program(&nor_flash, 8192 + 200, data, sizeof data), TANDEM_OK); /* over several pages */
    CHECK_EQUAL(nor_flash.read(nor_flash.ctx, 8192 + 200, back, sizeof back), TANDEM_OK);
    CHECK_BYTES(back, data, sizeof data);
    sim_flash_free(&chip);
}

/* Two digests at once, as the bootloader has them. */
static void hash_port(void)
{
    struct tandem_sha256 first, second;
    uint8_t text[200], digest[TANDEM_SHA256_SIZE], want[TANDEM_SHA256_SIZE];

    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    CHECK_EQUAL(tandem_sha256_init(&first, &crypto), TANDEM_OK);
    CHECK_EQUAL(tandem_sha256_update(&first, text, 70), TANDEM_OK);
    CHECK_EQUAL(tandem_sha256_init(&second, &crypto), TANDEM_OK);
    CHECK_EQUAL(tandem_sha256_update(&second, text, 10), TANDEM_OK);
    CHECK_EQUAL(tandem_sha256_update(&first, text + 70, 130), TANDEM_OK);
    CHECK_EQUAL(tandem_sha256_final(&first, digest), TANDEM_OK);
    CHECK_EQUAL(tandem_sha256(NULL, text, sizeof text, want), TANDEM_OK);
    CHECK_BYTES(digest, want, sizeof want);
    CHECK_EQUAL(tandem_sha256_final(&second, digest), TANDEM_OK);
    CHECK_EQUAL(tandem_sha256(NULL, text, 10, want), TANDEM_OK);
    CHECK_BYTES(digest, want, sizeof want);
}

/* The layout given as an example is one that Tandem takes. */
static void example_layout(void)
{
    CHECK_EQUAL(strcmp(sim_own_layouts[0]->name, "product"), 0);
    CHECK(sim_own_layouts[1] == NULL);
}

int main(void)
{
    RUN(at_once);
    RUN(later);
    RUN(hash_port);
    RUN(example_layout);
    return check_report();
}
