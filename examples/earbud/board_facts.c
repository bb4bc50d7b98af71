/*
 * A board's facts in a file: lines of a word and its value, for people to
 * read and for scripts to change.
 */
#define _POSIX_C_SOURCE 200809L

#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 512

/* The words that name one text or one number, and where it goes. */
static const struct {
    const char *word;
    size_t offset;
    size_t size; /* of a text; 0: a number */
} words[] = {
    {"name", offsetof(struct board_facts, name), sizeof((struct board_facts *)0)->name},
    {"vendor", offsetof(struct board_facts, vendor), sizeof((struct board_facts *)0)->vendor},
    {"product", offsetof(struct board_facts, product), sizeof((struct board_facts *)0)->product},
    {"listen", offsetof(struct board_facts, listen), sizeof((struct board_facts *)0)->listen},
    {"address", offsetof(struct board_facts, address), sizeof((struct board_facts *)0)->address},
    {"hardware", offsetof(struct board_facts, hardware), 0},
    {"role", offsetof(struct board_facts, role), 0},
    {"battery", offsetof(struct board_facts, battery), 0},
    {"erase_us", offsetof(struct board_facts, erase_us), 0},
    {"program_us", offsetof(struct board_facts, program_us), 0},
    {"watchdog", offsetof(struct board_facts, watchdog), 0},
    {"erase_idle", offsetof(struct board_facts, erase_idle), 0},
    {"realtek", offsetof(struct board_facts, realtek), 0},
    {"one_bank", offsetof(struct board_facts, one_bank), 0},
    {"radio", offsetof(struct board_facts, radio), sizeof((struct board_facts *)0)->radio},
    {"pair", offsetof(struct board_facts, pair), sizeof((struct board_facts *)0)->pair},
};

#define WORDS (sizeof words / sizeof words[0])

int board_path(char path[BOARD_PATH_SIZE], const char *state, const char *name)
{
    int n = snprintf(path, BOARD_PATH_SIZE, "%s/%s", state, name);
    return n > 0 && n < BOARD_PATH_SIZE ? 0 : -1;
}

void board_facts_default(struct board_facts *facts)
{
    memset(facts, 0, sizeof *facts);
    facts->hardware = 1;
    facts->battery = 101;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at != NULL ? (int)(at - digits) : -1;
}

/* "1 3f80..." : type and bytes of a key. */
static int take_key(struct board_facts *facts, const char *value)
{
    char *hex;
    unsigned long type = strtoul(value, &hex, 10);
    size_t size = type == TANDEM_KEY_P256 ? TANDEM_P256_KEY_SIZE : TANDEM_ED25519_KEY_SIZE;
    if (facts->key_count == BOARD_KEYS || *hex++ != ' ' || strlen(hex) != 2 * size)
        return -1;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return -1;
        facts->keys[facts->key_count].bytes[i] = (uint8_t)(high << 4 | low);
    }
    facts->keys[facts->key_count].type = (uint8_t)type;
    facts->key_count++;
    return 0;
}

static int take_line(struct board_facts *facts, char *line)
{
    char *value = strchr(line, ' ');
    if (value == NULL)
        return line[0] == '\0' || line[0] == '#' ? 0 : -1;
    *value++ = '\0';
    if (strcmp(line, "key") == 0)
        return take_key(facts, value);
    for (size_t i = 0; i < WORDS; i++) {
        if (strcmp(line, words[i].word) != 0)
            continue;
        char *place = (char *)facts + words[i].offset;
        if (words[i].size == 0) {
            uint32_t number = (uint32_t)strtoul(value, NULL, 10);
            memcpy(place, &number, sizeof number);
        } else if (strlen(value) < words[i].size) {
            memcpy(place, value, strlen(value) + 1);
        } else {
            return -1;
        }
        return 0;
    }
    return line[0] == '#' ? 0 : -1;
}

enum tandem_status board_facts_load(struct board_facts *facts, const char *state, char *reason)
{
    char path[BOARD_PATH_SIZE], line[LINE_SIZE];
    board_facts_default(facts);
    if (board_path(path, state, "board") != 0)
        return TANDEM_ERROR_SPACE;
    FILE *file = fopen(path, "r");
    if (file == NULL && errno == ENOENT)
        return TANDEM_ERROR_NOTHING;
    if (file == NULL) {
        (void)snprintf(reason, TANDEM_POSIX_REASON_SIZE, "cannot read %.150s: %s", path, strerror(errno));
        return TANDEM_ERROR_PORT;
    }
    enum tandem_status status = TANDEM_OK;
    while (status == TANDEM_OK && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (take_line(facts, line) != 0) {
            (void)snprintf(reason, TANDEM_POSIX_REASON_SIZE, "%.150s is damaged at '%.40s'", path, line);
            status = TANDEM_ERROR_FORMAT;
        }
    }
    (void)fclose(file);
    return status;
}

static void put_facts(FILE *file, const struct board_facts *facts)
{
    for (size_t i = 0; i < WORDS; i++) {
        const char *place = (const char *)facts + words[i].offset;
        uint32_t number;
        memcpy(&number, place, sizeof number);
        if (words[i].size == 0)
            fprintf(file, "%s %lu\n", words[i].word, (unsigned long)number);
        else if (*place != '\0')
            fprintf(file, "%s %s\n", words[i].word, place);
    }
    for (uint32_t i = 0; i < facts->key_count; i++) {
        size_t size = facts->keys[i].type == TANDEM_KEY_P256 ? TANDEM_P256_KEY_SIZE : TANDEM_ED25519_KEY_SIZE;
        fprintf(file, "key %u ", facts->keys[i].type);
        for (size_t j = 0; j < size; j++)
            fprintf(file, "%02x", facts->keys[i].bytes[j]);
        fputc('\n', file);
    }
}

enum tandem_status board_facts_store(const struct board_facts *facts, const char *state, char *reason)
{
    char path[BOARD_PATH_SIZE], name[BOARD_PATH_SIZE];
    if (board_path(path, state, "board") != 0 || board_path(name, state, "board.new") != 0)
        return TANDEM_ERROR_SPACE;
    FILE *file = fopen(name, "w");
    int failed = file == NULL;
    if (file != NULL) {
        put_facts(file, facts);
        failed = fflush(file) != 0 || fsync(fileno(file)) != 0;
        failed |= fclose(file) != 0;
    }
    if (failed || rename(name, path) != 0) {
        (void)snprintf(reason, TANDEM_POSIX_REASON_SIZE, "cannot write %.150s: %s", path, strerror(errno));
        (void)unlink(name);
        return TANDEM_ERROR_PORT;
    }
    return TANDEM_OK;
}
