/*
 * What the commands of `tandem` share: how they take options, how they fail,
 * how they read and write files, keys and text.
 */
#ifndef TANDEM_TOOL_H
#define TANDEM_TOOL_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tandem/package.h"
#include "tandem/status.h"

/* Exit codes. Any other is an enum tandem_status, 16 ... 113. */
#define TOOL_OK 0     /* done */
#define TOOL_SYSTEM 1 /* a file, a permission, memory: the machine said no */
#define TOOL_USAGE 2  /* the command line is wrong */

/* One command. */
struct tool_command {
    const char *name;
    const char *summary;               /* one line, for `tandem --help` */
    const char *help;                  /* the whole text of `tandem NAME --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit code */
};

extern const struct tool_command cmd_keygen;
extern const struct tool_command cmd_pack;
extern const struct tool_command cmd_inspect;
extern const struct tool_command cmd_verify;
extern const struct tool_command cmd_update;
extern const struct tool_command cmd_status;
extern const struct tool_command cmd_device;
extern const struct tool_command cmd_usb;

/* ---- report.c: how a command fails ---- */

#if defined(__GNUC__)
#define TOOL_PRINTF(text, rest) __attribute__((format(printf, text, rest)))
#else
#define TOOL_PRINTF(text, rest)
#endif

/* Print "tandem: ..." on stderr. Returns `code`, so that `return tool_fail(...)` reads well. */
int tool_fail(int code, const char *format, ...) TOOL_PRINTF(2, 3);
/* The same for a wrong command line; adds where the help is. Returns TOOL_USAGE. */
int tool_usage(const char *command, const char *format, ...) TOOL_PRINTF(2, 3);
/* Print "tandem: warning: ...". */
void tool_warn(const char *format, ...) TOOL_PRINTF(1, 2);

#define TOOL_OPTION_END (-1)
#define TOOL_OPTION_BAD (-2)
#define TOOL_OPTION_HELP 'h'
/* The next option, TOOL_OPTION_END, or TOOL_OPTION_BAD after saying what is wrong. */
int tool_option(int argc, char **argv, const struct option *options);
/* Print a command's help. Returns TOOL_OK. */
int tool_help(const struct tool_command *command);

/* ---- file.c ---- */

/* A whole file in memory. */
struct tool_file {
    uint8_t *data;
    size_t size;
};

/* Read one, "-" is the standard input; says why not and returns the exit code. Release it in any case. */
int tool_read(struct tool_file *file, const char *path);
void tool_release(struct tool_file *file);
/*
 * Write one, whole or not at all. `force` lets it replace a file that is
 * there. Says why not and returns the exit code.
 */
int tool_write(const char *path, const void *data, size_t size, unsigned mode, int force);

/* ---- keyfile.c ---- */

struct tool_public {
    uint8_t type;                        /* enum tandem_key_type */
    uint8_t bytes[TANDEM_P256_KEY_SIZE]; /* 32 or 64 used */
    uint8_t id[TANDEM_KEY_ID_SIZE];
};

struct tool_private {
    uint8_t seed[TANDEM_ED25519_KEY_SIZE];
    struct tool_public public_half;
};

/* Read a key; says why not and returns the exit code. */
int tool_read_public(struct tool_public *key, const char *path);
int tool_read_private(struct tool_private *key, const char *path);
/* Write the pair as PATH and PATH.pub; overwrites nothing. */
int tool_write_keys(const struct tool_private *key, const char *path);

/* ---- text.c ---- */

/* Hexadecimal, lower case, with a final zero: 2 * size + 1 bytes. Returns `text`. */
char *tool_hex(char *text, const uint8_t *bytes, size_t size);
/* Read exactly `size` bytes of hexadecimal. Returns 0, or -1. */
int tool_unhex(uint8_t *bytes, size_t size, const char *text);
/* A number, decimal or 0x..., of at most `limit`, and nothing behind it. Returns 0, or -1. */
int tool_number(uint32_t *number, const char *text, uint32_t limit);
/* Print text from outside: control characters would drive the terminal, so they are shown as \xNN. */
void tool_print(FILE *out, const void *text, size_t size);
/* Print a JSON string with its quotes. */
void tool_print_json(FILE *out, const void *text, size_t size);
/* The name of a kind of image: "app", or "kind 0x80". The returned text is constant or in `text`. */
#define TOOL_KIND_SIZE 12
const char *tool_kind(uint8_t kind, char text[TOOL_KIND_SIZE]);
/* Read one. Returns 0, or -1. */
int tool_parse_kind(uint8_t *kind, const char *text);

/* A number of two bytes, the low one first, as packages hold it. */
static inline unsigned tool_load16(const uint8_t *bytes)
{
    return bytes[0] | (unsigned)bytes[1] << 8;
}

#endif
