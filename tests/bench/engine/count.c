/*
 * A plugin for QEMU that counts the instructions a guest executes between two
 * markers: `mov r10, r10` and `mov r11, r11`, which no compiler emits.
 *
 * The prototypes are those of QEMU's plugin interface, version 1; QEMU itself
 * resolves them when it loads the plugin.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;

extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation, void *counter,
                                                       uint64_t value);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned, void *),
                                                   int flags, void *data);
extern void qemu_plugin_outs(const char *text);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

int qemu_plugin_version = 1;

static uint64_t executed; /* instructions so far; QEMU adds to it */
static uint64_t at_start; /* their number at the first marker */

static void on_start(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    at_start = executed;
}

static void on_stop(unsigned cpu, void *data)
{
    char text[64];

    (void)cpu;
    (void)data;
    snprintf(text, sizeof text, "instructions %llu\n", (unsigned long long)(executed - at_start));
    qemu_plugin_outs(text);
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
    static const uint8_t start[2] = {0xD2, 0x46};
    static const uint8_t stop[2] = {0xDB, 0x46};

    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

        if (qemu_plugin_insn_size(insn) == 2 && memcmp(qemu_plugin_insn_data(insn), start, 2) == 0)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_start, 0, NULL);
        else if (qemu_plugin_insn_size(insn) == 2 && memcmp(qemu_plugin_insn_data(insn), stop, 2) == 0)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_stop, 0, NULL);
        else
            qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &executed, 1);
    }
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info;
    (void)argc;
    (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
