/*
 * The installer under any sequence of calls, bytes of good, foreign, unsigned
 * and damaged packages, restarts and power cuts. Only what was signed by the
 * trusted key may ever be validated or start, and in the end a fresh update
 * must go in.
 */
#include <string.h>

#include "board.h"
#include "fuzz.h"

#define RELEASES 5
#define FRESH (RELEASES - 1)

static struct sim_release releases[RELEASES]; /* factory, newer, foreign, unsigned, fresh */
static struct sim_board board;
static int prepared;

/* Planted: the stranger's key is trusted too. */
static struct tandem_key keys[2];

static void prepare(void)
{
    static const struct sim_release_spec specs[RELEASES] = {{.number = 1, .counter = 1},
                                                            {.number = 2, .counter = 2},
                                                            {.number = 3, .counter = 3, .stranger = 1},
                                                            {.number = 4, .counter = 4, .unsigned_ = 1},
                                                            {.number = 99, .counter = 99}};
    const struct sim_layout *layout = sim_layout_named("tiny");

    for (unsigned i = 0; i < RELEASES && !prepared; i++)
        sim_release_make(&releases[i], layout, &specs[i]);
    if (!prepared)
        sim_board_init(&board, layout, 0, 1, NULL);
    for (unsigned i = 0; i < 2; i++) {
        keys[i].type = TANDEM_KEY_ED25519;
        keys[i].key = sim_key_public((int)i);
    }
    board.device.keys = keys;
    board.device.key_count = fuzz_planted() ? 2 : 1;
    prepared = 1;
}

static int is_good(uint8_t bank)
{
    static const unsigned good[] = {0, 1, FRESH};

    for (unsigned i = 0; i < 3; i++) {
        struct sim_set set;

        sim_set_apply(&set, NULL, &releases[good[i]]);
        if (sim_board_holds(&board, bank, &set))
            return 1;
    }
    return 0;
}

static void open_installer(void)
{
    MUST(tandem_install_init(&board.install, &board.device, board.buffer, board.layout->buffer_size) == TANDEM_OK);
}

static void start(void)
{
    MUST(sim_board_start(&board) == TANDEM_OK);
    MUST(is_good(board.boot.bank));
    open_installer();
}

static void feed(struct fuzz_script *script)
{
    const struct sim_release *release = &releases[fuzz_byte(script) % FRESH];
    uint32_t how = fuzz_byte(script), offset = tandem_install_wants(&board.install), size;
    uint8_t bytes[512];

    if (how & 1)
        offset = fuzz_number(script, 2);
    if (how & 2)
        offset = fuzz_number(script, 4);
    size = how & 4 ? fuzz_byte(script) : sizeof bytes;
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = offset < release->size && i < release->size - offset ? release->bytes[offset + i] : 0x5A;
    if (how & 8 && size)
        bytes[fuzz_byte(script) % size] ^= (uint8_t)(1u << (fuzz_byte(script) & 7));
    tandem_install_feed(&board.install, offset, bytes, size);
}

/* The honest way: everything, in order. */
static void feed_all(const struct sim_release *release)
{
    sim_board_feed(&board, release, 0, NULL);
}

static void begin(struct fuzz_script *script)
{
    const struct sim_release *release = &releases[fuzz_byte(script) % FRESH];
    uint8_t how = fuzz_byte(script);

    tandem_install_begin(&board.install, how & 1 ? NULL : release->id, how & 2 ? 0 : release->size, how >> 2 & 1);
}

static void step(struct fuzz_script *script)
{
    switch (fuzz_byte(script) % 12) {
    case 0:
        begin(script);
        break;
    case 1:
    case 2:
    case 3:
        feed(script);
        break;
    case 4:
    case 5:
        for (unsigned polls = fuzz_byte(script); polls; polls--)
            sim_board_poll(&board);
        break;
    case 6:
        tandem_install_abort(&board.install);
        break;
    case 7:
        tandem_install_activate(&board.install);
        break;
    case 8:
        start();
        break;
    case 9:
        tandem_install_confirm(&board.install);
        break;
    case 10:
        tandem_install_erase_idle(&board.install);
        break;
    default:
        feed_all(&releases[fuzz_byte(script) % FRESH]);
        break;
    }
    sim_board_settle(&board);
}

static void check(void)
{
    enum tandem_state state = tandem_install_state(&board.install);

    if (state == TANDEM_STATE_VALIDATED || state == TANDEM_STATE_PENDING)
        MUST(is_good(tandem_bank_free(&board.install.bank)));
    MUST(is_good(tandem_bank_running(&board.install.bank)));
    MUST(sim_board_violations(&board) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = {data, size};
    struct sim_op erase = {.kind = SIM_OP_ERASE};

    prepare();
    erase.size = board.chips[0].size;
    sim_power_init(&board.power, 1);
    sim_flash_tear(&board.chips[0], &erase, SIM_TEAR_AFTER, &board.power.rng); /* all of it */
    memset(board.chips[0].violations, 0, sizeof board.chips[0].violations);
    sim_board_factory(&board, &releases[0]);
    start();
    for (unsigned steps = 0; script.size && steps < 200; steps++) {
        step(&script);
        check();
    }
    start();
    MUST(sim_board_update(&board, &releases[FRESH]) == TANDEM_OK);
    start();
    check();
    return 0;
}
