/*
 * A plugin for QEMU that watches the micro:bit's flash controller: it counts
 * the words programmed and the pages erased, and can stop the processor for
 * ever right after the n-th of them, which is where the power fails. It also
 * counts accesses to registers that the emulator has and the chip has not, the
 * instructions of a start, and the longest stretch of them in which nobody fed
 * the watchdog.
 *
 * What it finds stands in a file that the test maps too (struct report). The
 * prototypes are those of QEMU's plugin interface, version 1; QEMU resolves
 * them when it loads the plugin.
 *
 *   -plugin cut.so,report=FILE[,at=N][,only=records|erases][,word=US][,erase=US]
 *
 * With the times given, an operation takes as long as on the chip, and the
 * processor stands still meanwhile as it does there.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op, void *counter,
                                                     uint64_t amount);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
                                             void (*cb)(unsigned cpu, uint32_t info, uint64_t address, void *data),
                                             int flags, int access, void *data);
extern _Bool qemu_plugin_mem_is_store(uint32_t info);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

int qemu_plugin_version = 1;

#define ACCESS_BOTH 3
#define FLASH_END 0x40000u
#define BANKS_BEGIN 0x0A000u
#define ERASEPAGE 0x4001E508u
#define WATCHDOG_RELOAD 0x40010600u
#define VTOR 0xE000ED08u
#define SYSTICK_BEGIN 0xE000E010u
#define SYSTICK_END 0xE000E020u

enum { KIND_NONE = 0, KIND_WORD = 1, KIND_ERASE = 2 };

/* All in the host's byte order. */
struct report {
    volatile uint32_t all;       /* operations so far */
    volatile uint32_t records;   /* of these, all but words in the banks */
    volatile uint32_t erases;    /* of these, pages erased */
    volatile uint32_t kind;      /* of the last operation */
    volatile uint32_t address;   /* of the last word; of an erase: which register holds the page's address */
    volatile uint32_t stopped;   /* 1: the processor stands still */
    volatile uint32_t armed;     /* written by the test; 1: stop at the next operation */
    volatile uint32_t busy;      /* 1: an operation takes long */
    volatile uint32_t forbidden; /* accesses to what a Cortex-M0 of this chip lacks */
    volatile uint32_t start;     /* instructions from power-on to the first of a bank; 0: none yet */
    volatile uint32_t unfed;     /* instructions of the longest stretch in which nobody fed the watchdog */
};

static struct report *report;
static uint32_t stop_at, counted;
static uint32_t word_us, erase_us;
static int only_records; /* words in the banks do not count */
static int only_erases;  /* no words count */
static uint64_t instructions, fed_at;

static void take_time(uint32_t us)
{
    if (us == 0)
        return;
    report->busy = us > 500; /* longer than the UART has room for */
    usleep(us);
    report->busy = 0;
}

static void note(uint32_t kind, uint32_t address)
{
    uint32_t is_erase = kind == KIND_ERASE, is_record = is_erase || address < BANKS_BEGIN;
    uint32_t counts = only_erases ? is_erase : only_records ? is_record : 1;

    report->kind = kind;
    report->address = address;
    report->all++;
    report->records += is_record;
    report->erases += is_erase;
    counted += counts;
    take_time(is_erase ? erase_us : word_us);
    if (!report->armed && !(counts && counted == stop_at))
        return;
    report->stopped = 1;
    for (;;)
        pause();
}

static void note_feed(void)
{
    if (instructions - fed_at > report->unfed)
        report->unfed = (uint32_t)(instructions - fed_at);
    fed_at = instructions;
}

static void on_access(unsigned cpu, uint32_t info, uint64_t address, void *data)
{
    (void)cpu;
    if (address == VTOR || (address >= SYSTICK_BEGIN && address < SYSTICK_END))
        report->forbidden++;
    else if (address < FLASH_END && qemu_plugin_mem_is_store(info))
        note(KIND_WORD, (uint32_t)address);
    else if (address == WATCHDOG_RELOAD)
        note_feed();
    else if (address == ERASEPAGE && qemu_plugin_mem_is_store(info))
        note(KIND_ERASE, (uint32_t)(uintptr_t)data & 7); /* all 16-bit stores name their source there */
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
    uint64_t address = qemu_plugin_tb_vaddr(tb);

    (void)id;
    if (report->start == 0 && address >= BANKS_BEGIN && address < FLASH_END)
        report->start = (uint32_t)instructions; /* it is translated because it is to run */
    qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &instructions, qemu_plugin_tb_n_insns(tb));
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint16_t code;

        memcpy(&code, qemu_plugin_insn_data(insn), sizeof code);
        qemu_plugin_register_vcpu_mem_cb(insn, on_access, 0, ACCESS_BOTH, (void *)(uintptr_t)code);
    }
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    const char *path = NULL;

    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "report=", 7) == 0)
            path = argv[i] + 7;
        else if (strncmp(argv[i], "at=", 3) == 0)
            stop_at = (uint32_t)strtoul(argv[i] + 3, NULL, 10);
        else if (strncmp(argv[i], "word=", 5) == 0)
            word_us = (uint32_t)strtoul(argv[i] + 5, NULL, 10);
        else if (strncmp(argv[i], "erase=", 6) == 0)
            erase_us = (uint32_t)strtoul(argv[i] + 6, NULL, 10);
        else if (strcmp(argv[i], "only=records") == 0)
            only_records = 1;
        else if (strcmp(argv[i], "only=erases") == 0)
            only_erases = 1;
        else
            return -1;
    }
    int file = path != NULL ? open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof *report) != 0)
        return -1;
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (report == MAP_FAILED)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
