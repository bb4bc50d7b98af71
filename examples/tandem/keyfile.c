/*
 * Keys in files: one line of text that says what it is, so that a private key
 * is never taken for a public one. docs/command.md describes the format.
 */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tandem/crypto.h"

#define WORD_PRIVATE "tandem-private"
#define WORD_PUBLIC "tandem-public"

/* The words of a key's line. */
struct line {
    char role[24];
    char type[16];
    char hex[2 * TANDEM_P256_KEY_SIZE + 1];
};

/* Find the line: the first that is neither empty nor a remark, and nothing after it. */
static int parse_line(struct line *line, const struct tool_file *file)
{
    char text[1024], extra[2];
    const char *at = text;
    if (file->size >= sizeof text || (file->size > 0 && memchr(file->data, '\0', file->size) != NULL))
        return -1;
    if (file->size > 0)
        memcpy(text, file->data, file->size);
    text[file->size] = '\0';
    for (;;) {
        at += strspn(at, " \t\r\n");
        if (*at != '#')
            break;
        at += strcspn(at, "\n");
    }
    int words = sscanf(at, "%23s %15s %128s %1s", line->role, line->type, line->hex, extra);
    tandem_wipe(text, sizeof text);
    return words == 3 ? 0 : -1;
}

/* Read a key file's line and see to it that it has the role that is wanted. */
static int read_line(struct line *line, const char *path, const char *role)
{
    struct tool_file file;
    int code = tool_read(&file, path);
    int bad = code == TOOL_OK && parse_line(line, &file) != 0;
    if (file.data != NULL)
        tandem_wipe(file.data, file.size);
    tool_release(&file);
    if (code != TOOL_OK)
        return code;
    if (!bad && strcmp(line->role, role) == 0)
        return TOOL_OK;
    if (!bad && strcmp(line->role, WORD_PRIVATE) == 0)
        return tool_fail(TANDEM_ERROR_FORMAT, "%s is a private key; give the public one, which ends in .pub", path);
    if (!bad && strcmp(line->role, WORD_PUBLIC) == 0)
        return tool_fail(TANDEM_ERROR_FORMAT, "%s is a public key; give the private one, without .pub", path);
    return tool_fail(TANDEM_ERROR_FORMAT, "%s is not a Tandem key; make one with `tandem keygen`", path);
}

static int find_id(struct tool_public *key)
{
    struct tandem_key view = {key->type, key->bytes};
    return tandem_key_id(NULL, &view, key->id) == TANDEM_OK ? TOOL_OK : TANDEM_ERROR_PORT;
}

int tool_read_public(struct tool_public *key, const char *path)
{
    struct line line;
    memset(key, 0, sizeof *key);
    int code = read_line(&line, path, WORD_PUBLIC);
    if (code != TOOL_OK)
        return code;
    size_t size;
    if (strcmp(line.type, "ed25519") == 0) {
        key->type = TANDEM_KEY_ED25519;
        size = TANDEM_ED25519_KEY_SIZE;
    } else if (strcmp(line.type, "p256") == 0) {
        key->type = TANDEM_KEY_P256;
        size = TANDEM_P256_KEY_SIZE;
    } else {
        return tool_fail(TANDEM_ERROR_UNSUPPORTED, "%s: keys of type %s are not known here", path, line.type);
    }
    if (tool_unhex(key->bytes, size, line.hex) != 0)
        return tool_fail(TANDEM_ERROR_FORMAT, "%s is damaged: it does not hold %lu bytes in hexadecimal", path,
                         (unsigned long)size);
    return find_id(key);
}

/* A private key that others may read is not private. */
static void check_mode(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 077) != 0)
        tool_warn("%s can be read by other users; do `chmod 600 %s`", path, path);
}

int tool_read_private(struct tool_private *key, const char *path)
{
    struct line line;
    memset(key, 0, sizeof *key);
    int code = read_line(&line, path, WORD_PRIVATE);
    if (code == TOOL_OK && strcmp(line.type, "ed25519") != 0)
        code = tool_fail(TANDEM_ERROR_UNSUPPORTED, "%s: keys of type %s cannot sign here", path, line.type);
    if (code == TOOL_OK && tool_unhex(key->seed, sizeof key->seed, line.hex) != 0)
        code = tool_fail(TANDEM_ERROR_FORMAT, "%s is damaged: it does not hold %d bytes in hexadecimal", path,
                         TANDEM_ED25519_KEY_SIZE);
    tandem_wipe(&line, sizeof line);
    if (code != TOOL_OK)
        return code;
    check_mode(path);
    key->public_half.type = TANDEM_KEY_ED25519;
    tandem_ed25519_public_key(key->public_half.bytes, key->seed);
    return find_id(&key->public_half);
}

int tool_write_keys(const struct tool_private *key, const char *path)
{
    char text[512], hex[2 * TANDEM_ED25519_KEY_SIZE + 1], id[2 * TANDEM_KEY_ID_SIZE + 1];
    struct stat status;
    size_t length = strlen(path) + sizeof ".pub";
    char *public_path = malloc(length);
    if (public_path == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    (void)snprintf(public_path, length, "%s.pub", path);
    tool_hex(id, key->public_half.id, sizeof key->public_half.id);
    int code = TOOL_OK;
    if (lstat(public_path, &status) == 0) /* before the private half is there: both or none */
        code = tool_fail(TOOL_SYSTEM, "%s exists; it is not overwritten", public_path);
    if (code == TOOL_OK) {
        int n = snprintf(text, sizeof text,
                         "# Tandem private key %s. Keep it secret: whoever has it can sign firmware.\n" WORD_PRIVATE
                         " ed25519 %s\n",
                         id, tool_hex(hex, key->seed, sizeof key->seed));
        code = tool_write(path, text, (size_t)n, 0600, 0);
    }
    tandem_wipe(text, sizeof text);
    tandem_wipe(hex, sizeof hex);
    if (code == TOOL_OK) {
        int n = snprintf(text, sizeof text, "# Tandem public key %s\n" WORD_PUBLIC " ed25519 %s\n", id,
                         tool_hex(hex, key->public_half.bytes, TANDEM_ED25519_KEY_SIZE));
        code = tool_write(public_path, text, (size_t)n, 0644, 0);
        if (code != TOOL_OK)
            (void)unlink(path);
    }
    free(public_path);
    return code;
}
