/*
 * tandem keygen: a new pair of keys.
 */
#define _DEFAULT_SOURCE /* getentropy() */
#define _DARWIN_C_SOURCE

#include "tool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include "tandem/crypto.h"

static const char help[] = "Usage: tandem keygen KEY\n"
                           "\n"
                           "Make a pair of Ed25519 keys: KEY, the private one that signs packages, and\n"
                           "KEY.pub, the public one that devices trust. Files that exist are not\n"
                           "overwritten.\n"
                           "\n"
                           "  -h, --help   this text\n"
                           "\n"
                           "KEY can be read by you alone. Keep it where the build machine can use it and\n"
                           "nobody else can: whoever has it can sign firmware for your devices.\n";

static int make_keys(const char *path)
{
    struct tool_private key;
    char id[2 * TANDEM_KEY_ID_SIZE + 1];
    memset(&key, 0, sizeof key);
    if (getentropy(key.seed, sizeof key.seed) != 0)
        return tool_fail(TOOL_SYSTEM, "the system gives no random numbers: %s", strerror(errno));
    key.public_half.type = TANDEM_KEY_ED25519;
    tandem_ed25519_public_key(key.public_half.bytes, key.seed);
    struct tandem_key view = {TANDEM_KEY_ED25519, key.public_half.bytes};
    int code = (int)tandem_key_id(NULL, &view, key.public_half.id);
    if (code == TOOL_OK)
        code = tool_write_keys(&key, path);
    tandem_wipe(&key.seed, sizeof key.seed);
    if (code == TOOL_OK)
        printf("%s: private key, keep it secret\n%s.pub: public key %s, for your devices\n", path, path,
               tool_hex(id, key.public_half.id, sizeof key.public_half.id));
    return code;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option = tool_option(argc, argv, options);
    if (option == TOOL_OPTION_HELP)
        return tool_help(&cmd_keygen);
    if (option != TOOL_OPTION_END)
        return TOOL_USAGE;
    if (optind + 1 != argc)
        return tool_usage("keygen", optind == argc ? "the name of the key is missing" : "give one name only");
    return make_keys(argv[optind]);
}

const struct tool_command cmd_keygen = {"keygen", "make a pair of keys for signing", help, run};
