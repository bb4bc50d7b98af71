/*
 * tandem verify: is this package what was signed, all of it?
 */
#include "tool.h"

#include <stdlib.h>
#include <string.h>

#include "inspect_image.h"
#include "package_file.h"
#include "tandem/image.h"
#include "tandem/image_mcuboot.h"

#define KEYS_MAX 32

static const char help[] = "Usage: tandem verify --pub KEY.pub [--pub KEY2.pub ...] FILE\n"
                           "\n"
                           "Check a package as a device would, and all of it: its signature, every block\n"
                           "and every image. An MCUboot image: its digest and its signature.\n"
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

/* An image in a format of others: of these, Tandem knows MCUboot's signatures. */
static int verify_image(const struct tool_file *file, const struct trust *trust, const char *path)
{
    struct tandem_source source;
    struct tandem_mcuboot_info info;
    char version[TANDEM_VERSION_TEXT_SIZE];
    tandem_image_memory(&source, file->data, (uint32_t)file->size);
    enum tandem_image_format format = tandem_image_format(&source);
    if (format != TANDEM_FORMAT_MCUBOOT)
        return tool_fail(TANDEM_ERROR_UNSIGNED,
                         "%s is a %s, which carries no signature that can be checked here; "
                         "`tandem inspect` checks that it is whole",
                         path, tandem_image_format_name(format));
    if (trust->needed > 1)
        return tool_usage("verify", "--needed %lu: an MCUboot image is signed by one key",
                          (unsigned long)trust->needed);
    enum tandem_status status = tandem_mcuboot_inspect(&info, &source, NULL);
    if (status != TANDEM_OK)
        return inspect_fail(path, "MCUboot image", status);
    status = tandem_mcuboot_check(&source, NULL, trust->views, trust->count);
    switch (status) {
    case TANDEM_OK:
        tandem_version_format(&info.version, version);
        printf("%s: good, MCUboot image %s\n", path, version);
        return TOOL_OK;
    case TANDEM_ERROR_DIGEST:
        return tool_fail((int)status, "%s was altered: its digest is not the one it states", path);
    case TANDEM_ERROR_UNSIGNED:
        return tool_fail((int)status, "%s is not signed by an algorithm that is known here", path);
    case TANDEM_ERROR_KEY:
        return tool_fail((int)status, "%s is not signed by a key that is trusted", path);
    case TANDEM_ERROR_SIGNATURE:
        return tool_fail((int)status, "%s was altered: its signature is wrong", path);
    default:
        return inspect_fail(path, "MCUboot image", status);
    }
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
    int code = tool_read(&package.file, argv[optind]);
    if (code == TOOL_OK && inspect_knows(&package.file)) {
        code = verify_image(&package.file, &trust, argv[optind]);
        tool_release(&package.file);
        return code;
    }
    if (code == TOOL_OK)
        code = package_parse(&package, argv[optind]);
    if (code == TOOL_OK)
        code = verify(&package, &trust, argv[optind]);
    package_release(&package);
    return code;
}

const struct tool_command cmd_verify = {"verify", "check a package's signature and contents", help, run};
