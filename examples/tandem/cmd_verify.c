/*
 * tandem verify: is this package what was signed, all of it?
 */
#include "tool.h"

#include <stdlib.h>
#include <string.h>

#include "package_file.h"

#define KEYS_MAX 32

static const char help[] = "Usage: tandem verify --pub KEY.pub [--pub KEY2.pub ...] PACKAGE\n"
                           "\n"
                           "Check a package as a device would, and all of it: its signature, every block\n"
                           "and every image.\n"
                           "\n"
                           "  --pub KEY.pub   a trusted key; repeat for several\n"
                           "  --needed N      how many different keys must have signed (1)\n"
                           "  -h, --help      this text\n";

struct trust {
    struct tool_public keys[KEYS_MAX];
    struct tandem_key views[KEYS_MAX];
    uint8_t count;
    uint32_t needed;
};

static int add_key(struct trust *trust, const char *path)
{
    if (trust->count == KEYS_MAX)
        return tool_usage("verify", "--pub at most %d times", KEYS_MAX);
    struct tool_public *key = &trust->keys[trust->count];
    int code = tool_read_public(key, path);
    trust->views[trust->count].type = key->type;
    trust->views[trust->count].key = key->bytes;
    trust->count++;
    return code;
}

static int verify(const struct package_file *package, const struct trust *trust, const char *path)
{
    const struct tandem_manifest *manifest = &package->manifest;
    char version[TANDEM_VERSION_TEXT_SIZE];
    int code = package_verify(package, trust->views, trust->count, (uint8_t)trust->needed, path);
    if (code != TOOL_OK)
        return code;
    tandem_version_format(&manifest->version, version);
    printf("%s: good, ", path);
    tool_print(stdout, manifest->vendor, manifest->vendor_size);
    putchar(' ');
    tool_print(stdout, manifest->product, manifest->product_size);
    printf(" %s, security counter %lu, %u image%s\n", version, (unsigned long)manifest->counter, manifest->image_count,
           manifest->image_count == 1 ? "" : "s");
    return TOOL_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"pub", required_argument, NULL, 'p'},
                                            {"needed", required_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static struct trust trust;
    int option;
    trust.needed = 1;
    while ((option = tool_option(argc, argv, options)) != TOOL_OPTION_END) {
        int code = TOOL_OK;
        if (option == TOOL_OPTION_BAD)
            return TOOL_USAGE;
        if (option == TOOL_OPTION_HELP)
            return tool_help(&cmd_verify);
        if (option == 'p')
            code = add_key(&trust, optarg);
        else if (tool_number(&trust.needed, optarg, KEYS_MAX) != 0 || trust.needed == 0)
            code = tool_usage("verify", "--needed is a number from 1 to %d", KEYS_MAX);
        if (code != TOOL_OK)
            return code;
    }
    if (optind + 1 != argc)
        return tool_usage("verify", optind == argc ? "which package?" : "give one package only");
    if (trust.count == 0)
        return tool_usage("verify", "--pub is missing: whose signature is to be trusted?");
    struct package_file package;
    int code = package_read(&package, argv[optind]);
    if (code == TOOL_OK)
        code = verify(&package, &trust, argv[optind]);
    package_release(&package);
    return code;
}

const struct tool_command cmd_verify = {"verify", "check a package's signature and contents", help, run};
