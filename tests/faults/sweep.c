/*
 * The fault sweep: the boot decision on an emulated Cortex-M0, once for every
 * instruction that it runs, with that one instruction disturbed. Whatever
 * becomes of it: no image may be started that must not be, then or later.
 *
 *   fault_sweep [options] BOOTLOADER.elf APPLICATION.elf [SCENARIO...]
 *     --model skip|invert|zero|none  what the fault does: skip the instruction (this unless told otherwise), turn a
 *                           conditional branch, load zero, nothing at all (to try the rig)
 *     --each N              at most about N times each instruction of the program, 0: every time (0)
 *     --engine N            the same for the engine's code (8)
 *     --inside              hashes and signatures on the emulated core; else the emulator's host makes them
 *     --seed N              which times, where not every time (1)
 *     --jobs N              processes (1)
 *     --explain             name the instructions whose fault had a bad end, by arm-none-eabi-addr2line
 *
 * A run follows the undisturbed program instruction by instruction on one
 * core. At each, a second core takes over memory and registers, with the
 * fault, and runs to its end.
 */
#define _DEFAULT_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emulator.h"
#include "scenario.h"

#define PLACES (ROM_SIZE / 2)
#define JOBS_MAX 64
#define LIMIT_UNDISTURBED 40000000u
#define MEMOS 4096u

enum model { NONE, SKIP, INVERT, ZERO };

static const char *const model_names[] = {"none", "skip", "invert", "zero"};

static struct {
    const char *programs[2];
    enum model model;
    uint32_t each, engine;
    uint64_t seed;
    unsigned jobs;
    uint8_t inside;
    uint8_t explain;
} options = {{NULL, NULL}, SKIP, 0, 8, 1, 1, 0, 0};

/* What the processes count together: each its own. */
struct count {
    uint64_t runs, good, none, crashed, hung, bad_now, bad_later, wrong_state, wrong_home, wrong_update, bad_any;
    uint32_t places[PLACES]; /* bad runs, by the instruction that was disturbed */
};
static struct count *counts;

struct sweep {
    const struct scenario *scenario;
    struct emulator *calm, *disturbed;
    uint32_t times[PLACES], seen[PLACES]; /* how often each instruction runs; so far */
    uint64_t instructions, places, engine_instructions;
    uint32_t limit;
    int counting, begun;
    unsigned job;
    uint64_t chosen;
    uint32_t last_load; /* model zero: 1 + the register that the last instruction loaded; 0: none */
    uint32_t last_place;
    struct count *count;
    struct {
        uint64_t hash;
        unsigned wrong;
    } memos[MEMOS];
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = a * 0x9E3779B97F4A7C15u ^ b;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static uint64_t hash_flash(const uint8_t *flash)
{
    uint64_t hash = 1, word;
    for (uint32_t i = 0; i < FLASH_SIZE; i += 8) {
        memcpy(&word, flash + i, 8);
        hash = mix(hash, word);
    }
    return hash != 0 ? hash : 1;
}

/* ---- one disturbed run ---- */

static int in_bank(uint32_t address, uint8_t forbidden)
{
    uint32_t offset = address - FLASH_ADDRESS;
    return (offset < FLASH_SIZE && forbidden != 0) ? forbidden >> (offset / (16 * SECTOR_SIZE)) & 1 : 0;
}

static struct emulator *core(const struct sweep *sweep, const struct emulator *like);

static unsigned judge(struct sweep *sweep)
{
    const uint8_t *flash = emulator_flash(sweep->disturbed);
    uint64_t hash = hash_flash(flash);
    unsigned place = (unsigned)(hash % MEMOS);
    if (sweep->memos[place].hash != hash) {
        sweep->memos[place].wrong = scenario_judge(sweep->scenario, flash);
        sweep->memos[place].hash = hash;
    }
    return sweep->memos[place].wrong;
}

static void disturb(struct sweep *sweep, const uint32_t reg[REG_COUNT], uint32_t place)
{
    struct count *count = sweep->count;
    memcpy(emulator_ram(sweep->disturbed), emulator_ram(sweep->calm), RAM_SIZE);
    memcpy(emulator_flash(sweep->disturbed), emulator_flash(sweep->calm), FLASH_SIZE);
    struct run run = emulator_run(sweep->disturbed, reg, sweep->limit, NULL, NULL);
    int now = 0;
    count->runs++;
    if (run.ending == ENDING_STARTED) {
        now = in_bank(run.r0 + FLASH_ADDRESS, sweep->scenario->forbidden);
        count->good += !now;
    } else if (run.ending == ENDING_STOPPED) {
        count->none++;
    } else if (run.ending == ENDING_HUNG) {
        count->hung++;
    } else {
        now = in_bank(run.pc, sweep->scenario->forbidden); /* went astray, into the image */
        count->crashed += !now;
    }
    unsigned wrong = judge(sweep);
    /* What a crash leaves in the emulator would make all later runs crash: they would prove nothing. */
    if (run.ending == ENDING_CRASHED || run.ending == ENDING_HUNG) {
        emulator_free(sweep->disturbed);
        sweep->disturbed = core(sweep, sweep->calm);
    }
    count->bad_now += (unsigned)now;
    count->bad_later += wrong & WRONG_START ? 1 : 0;
    count->wrong_state += wrong & WRONG_STATE ? 1 : 0;
    count->wrong_home += wrong & WRONG_HOME ? 1 : 0;
    count->wrong_update += wrong & WRONG_UPDATE ? 1 : 0;
    if (now || (wrong & ~(unsigned)WRONG_HOME) != 0) {
        count->bad_any++;
        count->places[place / 2]++;
    }
}

/* ---- faults ---- */

/* Whether a condition of ARMv6-M holds. */
static int holds(uint32_t condition, uint32_t xpsr)
{
    uint32_t n = xpsr >> 31, z = xpsr >> 30 & 1, c = xpsr >> 29 & 1, v = xpsr >> 28 & 1, result;
    switch (condition >> 1) {
    case 0:
        result = z;
        break;
    case 1:
        result = c;
        break;
    case 2:
        result = n;
        break;
    case 3:
        result = v;
        break;
    case 4:
        result = c && !z;
        break;
    case 5:
        result = n == v;
        break;
    default:
        result = n == v && !z;
        break;
    }
    return (int)(result ^ (condition & 1));
}

/* 1 + the register that an instruction loads, 0 if it loads none or many. */
static uint32_t loads(uint16_t code)
{
    if ((code & 0xF800u) == 0x4800u || (code & 0xF800u) == 0x9800u) /* LDR from the pool, from the stack */
        return 1 + (code >> 8 & 7u);
    int from_register = (code & 0xF000u) == 0x5000u && (code >> 9 & 7u) >= 3;   /* LDR, LDRB, LDRH, LDRSB, LDRSH */
    int immediate = (code & 0xE800u) == 0x6800u || (code & 0xF800u) == 0x8800u; /* LDR, LDRB; LDRH */
    return from_register || immediate ? 1 + (code & 7u) : 0;
}

/* The registers after the instruction at hand, disturbed; 0 if the model has nothing for it. */
static int make_fault(const struct sweep *sweep, uint32_t reg[REG_COUNT], uint32_t size)
{
    uint32_t here = reg[REG_PC];
    uint16_t code = emulator_code(sweep->calm, here);
    if (options.model == NONE)
        return 1;
    if (options.model == SKIP) {
        reg[REG_PC] += size;
        return 1;
    }
    if (options.model == ZERO || (code & 0xF000u) != 0xD000u || (code & 0x0F00u) >= 0x0E00u)
        return 0;
    reg[REG_PC] += 2;
    if (!holds(code >> 8 & 15u, reg[REG_XPSR]))
        reg[REG_PC] += 2 + 2 * (uint32_t)(int8_t)(code & 0xFF);
    return 1;
}

static int is_engine(const struct sweep *sweep, uint32_t place)
{
    return place >= emulator_place(sweep->calm, AT_ENGINE) && place < emulator_place(sweep->calm, AT_ENGINE_END);
}

/* Whether this time is one to disturb: the first, the last, some between. */
static int is_chosen(const struct sweep *sweep, uint32_t place, uint32_t time)
{
    uint32_t most = is_engine(sweep, place) ? options.engine : options.each, times = sweep->times[place / 2];
    if (most == 0 || times <= most || time == 0 || time == times - 1)
        return 1;
    return most > 2 && mix(options.seed, (uint64_t)place << 32 | time) % times < most - 2;
}

static void on_instruction(void *ctx, const uint32_t reg[REG_COUNT], uint32_t size)
{
    struct sweep *sweep = (struct sweep *)ctx;
    uint32_t place = reg[REG_PC], changed[REG_COUNT];
    memcpy(changed, reg, sizeof changed);
    sweep->begun |= place == emulator_place(sweep->calm, AT_PROGRAM);
    if (!sweep->begun || place >= ROM_SIZE || emulator_is_outside(sweep->calm, place))
        return;
    if (sweep->counting) {
        sweep->instructions++;
        sweep->engine_instructions += (uint64_t)is_engine(sweep, place);
        sweep->places += sweep->times[place / 2]++ == 0;
        return;
    }
    if (options.model == ZERO) {
        uint32_t loaded = sweep->last_load, from = sweep->last_place;
        sweep->last_load = loads(emulator_code(sweep->calm, place));
        sweep->last_place = place;
        if (sweep->last_load != 0 &&
            !(is_chosen(sweep, place, sweep->seen[place / 2]++) && sweep->chosen++ % options.jobs == sweep->job))
            sweep->last_load = 0;
        if (loaded != 0) {
            changed[loaded - 1] = 0;
            disturb(sweep, changed, from);
        }
        return;
    }
    if (make_fault(sweep, changed, size) && is_chosen(sweep, place, sweep->seen[place / 2]++) &&
        sweep->chosen++ % options.jobs == sweep->job)
        disturb(sweep, changed, place);
}

/* ---- a scenario ---- */

static struct emulator *core(const struct sweep *sweep, const struct emulator *like)
{
    struct emulator *emulator = emulator_new(options.programs[sweep->scenario->confirms]);
    if (like != NULL)
        *emulator_board(emulator) = *emulator_board((struct emulator *)like);
    emulator_board(emulator)->outside = !options.inside;
    return emulator;
}

/* RAM is what the last start left, which was one of the bank in question. */
static void leave_ram(uint8_t ram[RAM_SIZE], const struct board *board)
{
    struct emulator *emulator = emulator_new(options.programs[0]);
    uint32_t reg[REG_COUNT];
    *emulator_board(emulator) = *board;
    scenario_ordinary(emulator_flash(emulator));
    emulator_reset(emulator, reg);
    struct run run = emulator_run(emulator, reg, LIMIT_UNDISTURBED, NULL, NULL);
    if (run.ending != ENDING_STARTED || !in_bank(run.r0 + FLASH_ADDRESS, 2)) {
        fprintf(stderr, "an ordinary trial does not start: ending %d, r0 0x%x\n", run.ending, (unsigned)run.r0);
        exit(1);
    }
    memcpy(ram, emulator_ram(emulator), RAM_SIZE);
    emulator_free(emulator);
}

static void expect(const struct scenario *scenario, const struct run *run, unsigned wrong)
{
    int right = scenario->now == NO_BANK
                    ? run->ending == ENDING_STOPPED && run->r0 == (uint32_t)scenario->status
                    : run->ending == ENDING_STARTED && in_bank(run->r0 + FLASH_ADDRESS, (uint8_t)(1u << scenario->now));
    if (right && wrong == 0)
        return;
    fprintf(stderr,
            "%s: undisturbed, it ends otherwise than it should: ending %d, r0 0x%x, r1 0x%x, pc 0x%x, wrong %u\n",
            scenario->name, run->ending, (unsigned)run->r0, (unsigned)run->r1, (unsigned)run->pc, wrong);
    exit(1);
}

static void work(struct sweep *sweep, const uint8_t *flash, const uint8_t *ram, int counting)
{
    uint32_t reg[REG_COUNT];
    memcpy(emulator_flash(sweep->calm), flash, FLASH_SIZE);
    memcpy(emulator_ram(sweep->calm), ram, RAM_SIZE);
    emulator_reset(sweep->calm, reg);
    sweep->counting = counting;
    sweep->begun = 0;
    struct run run = emulator_run(sweep->calm, reg, LIMIT_UNDISTURBED, on_instruction, sweep);
    if (!counting)
        return;
    sweep->limit = 2 * run.blocks + 20000;
    expect(sweep->scenario, &run, scenario_judge(sweep->scenario, emulator_flash(sweep->calm)));
}

static void add(struct count *sum, const struct count *part)
{
    sum->runs += part->runs;
    sum->good += part->good;
    sum->none += part->none;
    sum->crashed += part->crashed;
    sum->hung += part->hung;
    sum->bad_now += part->bad_now;
    sum->bad_later += part->bad_later;
    sum->wrong_state += part->wrong_state;
    sum->wrong_home += part->wrong_home;
    sum->wrong_update += part->wrong_update;
    sum->bad_any += part->bad_any;
    for (unsigned i = 0; i < PLACES; i++)
        sum->places[i] += part->places[i];
}

static void print(const char *name, const struct sweep *sweep, const struct count *sum)
{
    if (sweep != NULL)
        printf("%-16s %9llu %6llu", name, (unsigned long long)sweep->instructions, (unsigned long long)sweep->places);
    else
        printf("%-16s %9s %6s", name, "", "");
    printf(" %9llu %9llu %9llu %8llu %7llu | %5llu %6llu %6llu %6llu %6llu\n", (unsigned long long)sum->runs,
           (unsigned long long)sum->good, (unsigned long long)sum->none, (unsigned long long)sum->crashed,
           (unsigned long long)sum->hung, (unsigned long long)sum->bad_now, (unsigned long long)sum->bad_later,
           (unsigned long long)sum->wrong_state, (unsigned long long)sum->wrong_update,
           (unsigned long long)sum->wrong_home);
    fflush(stdout);
}

/* Where the faults with a bad end were: how many, of how many times, function and line. */
static void explain(const struct sweep *sweep, const struct count *sum)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        char command[512], where[256] = "";
        if (sum->places[i] == 0)
            continue;
        snprintf(command, sizeof command, "arm-none-eabi-addr2line -f -s -p -e '%s' 0x%x",
                 options.programs[sweep->scenario->confirms], (unsigned)(2 * i));
        FILE *pipe = popen(command, "r");
        if (pipe == NULL || fgets(where, sizeof where, pipe) == NULL)
            snprintf(where, sizeof where, "?\n");
        if (pipe != NULL)
            pclose(pipe);
        printf("    %5x %6u of %-6u %s", (unsigned)(2 * i), (unsigned)sum->places[i], (unsigned)sweep->times[i], where);
    }
}

static void run_jobs(struct sweep *sweep, const uint8_t *flash, const uint8_t *ram)
{
    for (unsigned job = 0; job < options.jobs; job++) {
        memset(&counts[job], 0, sizeof counts[job]);
        pid_t child = fork();
        if (child == 0) {
            sweep->job = job;
            sweep->count = &counts[job];
            sweep->calm = core(sweep, sweep->calm); /* an emulator does not outlive a fork */
            sweep->disturbed = core(sweep, sweep->calm);
            work(sweep, flash, ram, 0);
            _exit(0);
        }
    }
    int status;
    while (wait(&status) > 0)
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "a process of the sweep failed\n");
            exit(1);
        }
}

static void sweep_scenario(const struct scenario *scenario, struct count *total)
{
    static uint8_t flash[FLASH_SIZE], ram[RAM_SIZE];
    struct sweep *sweep = (struct sweep *)calloc(1, sizeof *sweep);
    struct count *sum = (struct count *)calloc(1, sizeof *sum);
    struct board board;
    if (sweep == NULL || sum == NULL)
        exit(2);
    memset(&board, 0, sizeof board);
    sweep->scenario = scenario;
    scenario_open(scenario, flash, &board);
    leave_ram(ram, &board);
    scenario_open(scenario, flash, &board);
    sweep->calm = core(sweep, NULL);
    *emulator_board(sweep->calm) = board;
    emulator_board(sweep->calm)->outside = !options.inside;
    work(sweep, flash, ram, 1);
    run_jobs(sweep, flash, ram);
    for (unsigned job = 0; job < options.jobs; job++)
        add(sum, &counts[job]);
    print(scenario->name, sweep, sum);
    if (options.explain)
        explain(sweep, sum);
    add(total, sum);
    emulator_free(sweep->calm);
    free(sweep);
    free(sum);
}

/* ---- the command ---- */

static int is_wanted(const char *name, char **names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return 1;
    return count == 0;
}

static int parse(int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        options.inside |= strcmp(argv[i], "--inside") == 0;
        options.explain |= strcmp(argv[i], "--explain") == 0;
        if (strcmp(argv[i], "--inside") == 0 || strcmp(argv[i], "--explain") == 0)
            continue;
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--each") == 0)
            options.each = (uint32_t)strtoul(value, NULL, 0);
        else if (strcmp(argv[i], "--engine") == 0)
            options.engine = (uint32_t)strtoul(value, NULL, 0);
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = strtoull(value, NULL, 0);
        else if (strcmp(argv[i], "--jobs") == 0)
            options.jobs = (unsigned)strtoul(value, NULL, 0);
        else if (strcmp(argv[i], "--model") == 0)
            for (unsigned model = NONE; model <= ZERO; model++)
                options.model = strcmp(value, model_names[model]) == 0 ? (enum model)model : options.model;
        else
            return 0;
        i++;
    }
    if (i + 2 > argc || options.jobs == 0 || options.jobs > JOBS_MAX)
        return 0;
    options.programs[0] = argv[i];
    options.programs[1] = argv[i + 1];
    return i + 2;
}

int main(int argc, char **argv)
{
    int first = parse(argc, argv);
    struct count *total = (struct count *)calloc(1, sizeof *total);
    if (first == 0 || total == NULL) {
        fprintf(stderr, "usage: fault_sweep [--model skip|invert|zero|none] [--each N] [--engine N] [--inside] "
                        "[--seed N] [--jobs N] [--explain] BOOTLOADER.elf APPLICATION.elf [SCENARIO...]\n");
        return 2;
    }
    counts = (struct count *)mmap(NULL, options.jobs * sizeof *counts, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED)
        return 2;
    printf("fault: %s; %s; seed %llu\n", model_names[options.model],
           options.inside ? "hashes and signatures on the core" : "hashes and signatures outside",
           (unsigned long long)options.seed);
    printf("%-16s %9s %6s %9s %9s %9s %8s %7s | %5s %6s %6s %6s %6s\n", "", "executed", "places", "faults", "good",
           "none", "crashed", "hung", "BAD", "later", "state", "update", "lost");
    for (unsigned i = 0; i < scenario_count; i++)
        if (is_wanted(scenarios[i].name, argv + first, argc - first))
            sweep_scenario(&scenarios[i], total);
    print("all", NULL, total);
    uint64_t runs = total->runs, bad = total->bad_any;
    free(total);
    printf("%llu faults, %llu with a bad end\n", (unsigned long long)runs, (unsigned long long)bad);
    return bad != 0 || runs == 0;
}
