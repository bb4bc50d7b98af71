/*
 * The Cortex-M0: see emulator.h. Memory is given to the emulator by pointer,
 * so setting it up anew costs a memcpy. Code lies in memory of its own and
 * never changes: what has been translated stays so.
 */
#define _POSIX_C_SOURCE 200809L

#include "emulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

#include "core/bytes.h"
#include "tandem/crypto.h"
#include "unit/fixture.h"

struct emulator {
    uc_engine *uc;
    uint8_t *rom, *ram, *flash, *board;
    uint32_t places[AT_COUNT];
    uc_hook watching; /* 0: nobody watches */
    emulator_watch watch;
    void *watch_ctx;
    uint32_t limit;
    struct run run;
    int over;
};

static int reg_ids[REG_COUNT] = {UC_ARM_REG_R0,  UC_ARM_REG_R1,  UC_ARM_REG_R2,  UC_ARM_REG_R3, UC_ARM_REG_R4,
                                 UC_ARM_REG_R5,  UC_ARM_REG_R6,  UC_ARM_REG_R7,  UC_ARM_REG_R8, UC_ARM_REG_R9,
                                 UC_ARM_REG_R10, UC_ARM_REG_R11, UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR,
                                 UC_ARM_REG_PC,  UC_ARM_REG_XPSR};

static void need(uc_err error, const char *what)
{
    if (error != UC_ERR_OK) {
        fprintf(stderr, "emulator: %s: %s\n", what, uc_strerror(error));
        exit(2);
    }
}

static uint32_t get(struct emulator *emulator, int id)
{
    uint32_t value = 0;
    need(uc_reg_read(emulator->uc, reg_ids[id], &value), "read a register");
    return value;
}

static void end(struct emulator *emulator, enum ending ending)
{
    emulator->run.ending = ending;
    emulator->over = 1;
    need(uc_emu_stop(emulator->uc), "stop");
}

/* ---- hashes and signatures outside ---- */

/* The bytes at a guest's address; NULL where they are not all in one memory. */
static uint8_t *at(struct emulator *emulator, uint32_t address, uint32_t size)
{
    const struct {
        uint32_t address, size;
        uint8_t *bytes;
    } memories[] = {{ROM_ADDRESS, ROM_SIZE, emulator->rom},
                    {FLASH_ADDRESS, FLASH_SIZE, emulator->flash},
                    {RAM_ADDRESS, RAM_SIZE, emulator->ram},
                    {BOARD_ADDRESS, BOARD_SIZE, emulator->board}};
    for (unsigned i = 0; i < sizeof memories / sizeof memories[0]; i++) {
        uint32_t offset = address - memories[i].address;
        if (offset < memories[i].size && size <= memories[i].size - offset)
            return memories[i].bytes + offset;
    }
    return NULL;
}

/* The guest's hash: behind its pointer to the port the engine's own state, which is the same on both machines. */
#define GUEST_STATE 8u

static int hash_outside(struct emulator *emulator, uint32_t place, const uint32_t argument[4])
{
    struct tandem_sha256 hash;
    uint8_t *state = at(emulator, argument[1] + GUEST_STATE, sizeof hash.u.soft);
    if (state == NULL)
        return 0;
    tandem_sha256_init(&hash, NULL);
    if (place != emulator->places[AT_SHA256_INIT])
        memcpy(&hash.u.soft, state, sizeof hash.u.soft);
    hash.u.soft.length[1] = 0; /* of what came together by a fault, no more than fits the memories */
    if (place == emulator->places[AT_SHA256_UPDATE]) {
        const uint8_t *data = at(emulator, argument[2], argument[3]);
        if (data == NULL)
            return 0;
        tandem_sha256_update(&hash, data, argument[3]);
    } else if (place == emulator->places[AT_SHA256_FINAL]) {
        uint8_t *digest = at(emulator, argument[2], TANDEM_SHA256_SIZE);
        if (digest == NULL)
            return 0;
        tandem_sha256_final(&hash, digest);
        return 1;
    }
    memcpy(state, &hash.u.soft, sizeof hash.u.soft);
    return 1;
}

static int verify_outside(struct emulator *emulator, const uint32_t argument[4], uint32_t *status)
{
    uint32_t size = 0;
    uint8_t *stack = at(emulator, get(emulator, REG_SP), 4);
    if (stack != NULL)
        memcpy(&size, stack, 4);
    const uint8_t *signature = at(emulator, argument[1], TANDEM_SIGNATURE_SIZE);
    const uint8_t *key = at(emulator, argument[2], TANDEM_ED25519_KEY_SIZE);
    const uint8_t *message = at(emulator, argument[3], size);
    if (signature == NULL || key == NULL || message == NULL || size == 0 || size > 64)
        return 0;
    *status = (uint32_t)fixture_crypto()->ed25519_verify(NULL, signature, key, message, size);
    return 1;
}

int emulator_is_outside(const struct emulator *emulator, uint32_t place)
{
    return place == emulator->places[AT_SHA256_INIT] || place == emulator->places[AT_SHA256_UPDATE] ||
           place == emulator->places[AT_SHA256_FINAL] || place == emulator->places[AT_ED25519_VERIFY];
}

static void outside(struct emulator *emulator, uint32_t place)
{
    uint32_t argument[4], status = TANDEM_OK;
    for (int i = 0; i < 4; i++)
        argument[i] = get(emulator, i);
    int good = place == emulator->places[AT_ED25519_VERIFY] ? verify_outside(emulator, argument, &status)
                                                            : hash_outside(emulator, place, argument);
    if (!good)
        end(emulator, ENDING_CRASHED);
    need(uc_reg_write(emulator->uc, UC_ARM_REG_R0, &status), "write a register");
}

/* ---- running ---- */

static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *ctx)
{
    struct emulator *emulator = (struct emulator *)ctx;
    uint32_t place = (uint32_t)address;
    (void)uc, (void)size;
    if (place == emulator->places[AT_STARTED])
        end(emulator, ENDING_STARTED);
    else if (place == emulator->places[AT_RECOVERY])
        end(emulator, ENDING_STOPPED);
    else if (++emulator->run.blocks >= emulator->limit)
        end(emulator, ENDING_HUNG);
    else if (emulator_is_outside(emulator, place))
        outside(emulator, place);
}

static void on_instruction(uc_engine *uc, uint64_t address, uint32_t size, void *ctx)
{
    struct emulator *emulator = (struct emulator *)ctx;
    uint32_t reg[REG_COUNT];
    (void)uc;
    if (emulator->over)
        return;
    for (int i = 0; i < REG_COUNT; i++)
        reg[i] = get(emulator, i);
    reg[REG_PC] = (uint32_t)address;
    emulator->watch(emulator->watch_ctx, reg, size);
}

/* Unicorn takes all kinds of callbacks as one pointer. */
static void *callback(uc_cb_hookcode_t function)
{
    void *pointer;
    memcpy(&pointer, &function, sizeof pointer);
    return pointer;
}

static uint8_t *map(struct emulator *emulator, uint32_t address, uint32_t size, uint32_t rights)
{
    void *bytes = NULL;
    if (posix_memalign(&bytes, 0x1000, size) != 0)
        exit(2);
    memset(bytes, 0, size);
    need(uc_mem_map_ptr(emulator->uc, address, size, rights, bytes), "map memory");
    return (uint8_t *)bytes;
}

/* The segments of an ELF file of 32 bits that lie in ROM. Returns the bytes of ROM that they reach to. */
static uint32_t load(struct emulator *emulator, const uint8_t *elf, size_t size)
{
    uint32_t reach = 0;
    if (size < 52 || memcmp(elf, "\177ELF\1\1", 6) != 0)
        return 0;
    uint32_t header = tandem_load_le32(elf + 28), step = tandem_load_le16(elf + 42), count = tandem_load_le16(elf + 44);
    for (; count-- > 0 && header + 32 <= size; header += step) {
        uint32_t from = tandem_load_le32(elf + header + 4), to = tandem_load_le32(elf + header + 12),
                 bytes = tandem_load_le32(elf + header + 16);
        if (tandem_load_le32(elf + header) != 1 || bytes == 0) /* PT_LOAD */
            continue;
        if (to >= ROM_SIZE || bytes > ROM_SIZE - to || from > size || bytes > size - from)
            return 0;
        memcpy(emulator->rom + to, elf + from, bytes);
        reach = to + bytes > reach ? to + bytes : reach;
    }
    return reach;
}

static void load_program(struct emulator *emulator, const char *program)
{
    static uint8_t elf[1u << 20];
    FILE *file = fopen(program, "rb");
    if (file == NULL) {
        perror(program);
        exit(2);
    }
    size_t size = fread(elf, 1, sizeof elf, file);
    fclose(file);
    if (load(emulator, elf, size) < sizeof emulator->places) {
        fprintf(stderr, "%s: not a program for this machine\n", program);
        exit(2);
    }
    memcpy(emulator->places, emulator->rom, sizeof emulator->places);
    for (unsigned i = AT_RESET; i < AT_COUNT; i++)
        emulator->places[i] &= ~1u;
}

struct emulator *emulator_new(const char *program)
{
    struct emulator *emulator = (struct emulator *)calloc(1, sizeof *emulator);
    uc_hook block;
    if (emulator == NULL)
        exit(2);
    need(uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &emulator->uc), "open");
    need(uc_ctl_set_cpu_model(emulator->uc, UC_CPU_ARM_CORTEX_M0), "be a Cortex-M0");
    emulator->rom = map(emulator, ROM_ADDRESS, ROM_SIZE, UC_PROT_READ | UC_PROT_EXEC);
    emulator->flash = map(emulator, FLASH_ADDRESS, FLASH_SIZE, UC_PROT_READ | UC_PROT_WRITE);
    emulator->ram = map(emulator, RAM_ADDRESS, RAM_SIZE, UC_PROT_READ | UC_PROT_WRITE);
    emulator->board = map(emulator, BOARD_ADDRESS, BOARD_SIZE, UC_PROT_READ);
    load_program(emulator, program);
    need(uc_hook_add(emulator->uc, &block, UC_HOOK_BLOCK, callback(on_block), emulator, 1, 0), "watch blocks");
    return emulator;
}

void emulator_free(struct emulator *emulator)
{
    uc_close(emulator->uc);
    free(emulator->rom);
    free(emulator->flash);
    free(emulator->ram);
    free(emulator->board);
    free(emulator);
}

uint8_t *emulator_ram(struct emulator *emulator)
{
    return emulator->ram;
}

uint8_t *emulator_flash(struct emulator *emulator)
{
    return emulator->flash;
}

struct board *emulator_board(struct emulator *emulator)
{
    return (struct board *)emulator->board;
}

uint32_t emulator_place(const struct emulator *emulator, enum watched which)
{
    return emulator->places[which];
}

uint16_t emulator_code(const struct emulator *emulator, uint32_t address)
{
    uint16_t code = 0;
    if (address < ROM_SIZE - 1)
        memcpy(&code, emulator->rom + address, sizeof code);
    return code;
}

void emulator_reset(const struct emulator *emulator, uint32_t reg[REG_COUNT])
{
    memset(reg, 0, REG_COUNT * sizeof reg[0]);
    reg[REG_SP] = emulator->places[AT_STACK];
    reg[REG_LR] = 0xFFFFFFFFu;
    reg[REG_PC] = emulator->places[AT_RESET];
    reg[REG_XPSR] = 1u << 24;
}

struct run emulator_run(struct emulator *emulator, const uint32_t reg[REG_COUNT], uint32_t limit, emulator_watch watch,
                        void *ctx)
{
    memset(&emulator->run, 0, sizeof emulator->run);
    emulator->over = 0;
    emulator->limit = limit;
    emulator->watch = watch;
    emulator->watch_ctx = ctx;
    if (watch != NULL && emulator->watching == 0)
        need(uc_hook_add(emulator->uc, &emulator->watching, UC_HOOK_CODE, callback(on_instruction), emulator, 1, 0),
             "watch instructions");
    for (int i = 0; i < REG_COUNT; i++)
        if (i != REG_PC)
            need(uc_reg_write(emulator->uc, reg_ids[i], &reg[i]), "write a register");
    uc_err error = uc_emu_start(emulator->uc, reg[REG_PC] | 1, 0xFFFFFFFEu, 0, 0);
    emulator->run.pc = get(emulator, REG_PC);
    emulator->run.r0 = get(emulator, 0);
    emulator->run.r1 = get(emulator, 1);
    if (!emulator->over && error != UC_ERR_OK)
        emulator->run.ending = ENDING_CRASHED;
    else if (!emulator->over)
        emulator->run.ending = ENDING_HUNG;
    return emulator->run;
}
