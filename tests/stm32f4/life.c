/*
 * What happens to a board's flash on the model, from a file and back to it, so
 * that an emulated board can start what Tandem left there.
 *
 *   stm32f4_life FLASH KEY.pub STEP...
 *
 *   factory PACKAGE  head and image into place, no journal
 *   start            the bootloader's decision, which copies if there is something to copy
 *   cut N            the same; power fails in its operation N
 *   receive PACKAGE  the application brings it in, to be activated at the next start
 *   confirm          the application is content
 */
#include <setjmp.h>

#include "board.h"
#include "check.h"
#include "layout.h"

static struct board board;

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "stm32f4_life: %s: %s\n", what, name);
    exit(1);
}

static struct package load(const char *path)
{
    struct package package = {NULL, 0, {0}};
    struct tandem_manifest manifest;
    FILE *file = fopen(path, "rb");
    package.bytes = malloc(FLASH_SIZE);
    if (file == NULL || package.bytes == NULL)
        fail("cannot read", path);
    package.size = (uint32_t)fread(package.bytes, 1, FLASH_SIZE, file);
    (void)fclose(file);
    if (tandem_manifest_parse(&manifest, NULL, package.bytes, package.size) != TANDEM_OK)
        fail("not a package", path);
    memcpy(package.id, manifest.id, sizeof package.id);
    return package;
}

static void load_key(uint8_t key[TANDEM_ED25519_KEY_SIZE], const char *path)
{
    char line[200] = "";
    unsigned byte;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail("cannot read", path);
    while (strncmp(line, "tandem-public", 13) != 0)
        if (fgets(line, sizeof line, file) == NULL)
            fail("not a public key", path);
    (void)fclose(file);
    const char *hex = strrchr(line, ' ') + 1;
    for (unsigned i = 0; i < TANDEM_ED25519_KEY_SIZE; i++) {
        if (sscanf(hex + 2 * (size_t)i, "%2x", &byte) != 1)
            fail("not a public key", path);
        key[i] = (uint8_t)byte;
    }
}

/* Cells from a file, if it is there: what is not erased is taken as programmed. */
static void load_flash(const char *path)
{
    static uint8_t cells[FLASH_SIZE];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return;
    if (fread(cells, 1, sizeof cells, file) != sizeof cells)
        fail("not a flash", path);
    (void)fclose(file);
    for (uint32_t at = 0; at < FLASH_SIZE; at += 4)
        if (memcmp(cells + at, "\xFF\xFF\xFF\xFF", 4) != 0)
            sim_flash_put(&board.chip, FLASH_ADDRESS + at, cells + at, 4);
}

static void save_flash(const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(board.chip.cells, 1, FLASH_SIZE, file) != FLASH_SIZE || fclose(file) != 0)
        fail("cannot write", path);
}

static void cut(unsigned long op)
{
    jmp_buf out;
    board_power(&board);
    board.power.cut_at = board.power.ops + op;
    board.power.tear = SIM_TEAR_SOME;
    board.power.out = &out;
    if (setjmp(out) != 0)
        return;
    (void)tandem_boot_decide(&board.boot, &board.device, board.buffer, sizeof board.buffer);
    fail("it did not come to that operation", "cut");
}

/* @return how many words of the command line the step took */
static int step(char **words)
{
    if (strcmp(words[0], "start") == 0) {
        enum tandem_status status = board_start(&board);
        printf("start: status %d, reason %d, version %u\n", (int)status, (int)board.boot.reason,
               board.boot.version.major);
        return 1;
    }
    if (strcmp(words[0], "confirm") == 0) {
        if (board_confirm(&board) != TANDEM_OK)
            fail("failed", "confirm");
        return 1;
    }
    if (words[1] == NULL)
        fail("no such step", words[0]);
    if (strcmp(words[0], "cut") == 0) {
        cut(strtoul(words[1], NULL, 10));
        return 2;
    }
    struct package package = load(words[1]);
    if (strcmp(words[0], "factory") == 0)
        board_factory(&board, &package);
    else if (strcmp(words[0], "receive") != 0 || board_receive(&board, &package, 1, 0) != TANDEM_STATE_PENDING)
        fail("failed", words[0]);
    package_free(&package);
    return 2;
}

int main(int argc, char **argv)
{
    static uint8_t key[TANDEM_ED25519_KEY_SIZE];
    if (argc < 4)
        fail("usage", "FLASH KEY.pub STEP...");
    board_open(&board);
    load_key(key, argv[2]);
    board.key.key = key;
    board.device.vendor = "tandem";
    board.device.product = "stm32f407";
    load_flash(argv[1]);
    for (char **word = argv + 3; *word != NULL;)
        word += step(word);
    save_flash(argv[1]);
    board_close(&board);
    return check_failures != 0;
}
