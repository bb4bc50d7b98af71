/*
 * tandem pack: images in, a signed package out.
 */
#include "tool.h"

#include <stdlib.h>
#include <string.h>

#include "pack_foreign.h"
#include "pack_image.h"
#include "tandem/crypto.h"

#define KEYS_MAX 8
#define HARDWARE_MAX 32

static const char help[] = "Usage: tandem pack --key KEY --vendor NAME --product NAME --version V\n"
                           "                   --counter N --image KIND=FILE [...] -o OUT.tdm\n"
                           "\n"
                           "Pack images into a package and sign it.\n"
                           "\n"
                           "Who and what:\n"
                           "  --vendor NAME, --product NAME   for which devices; at most 31 bytes each\n"
                           "  --version V          of the package, as 2.1.0 or 2.1.0+7\n"
                           "  --counter N          security counter; a device never takes a package with a\n"
                           "                       lower one than its own. Raise it when an older version\n"
                           "                       must not come back.\n"
                           "  --min-version V      devices with an older version must take another first\n"
                           "  --hardware LIST      revisions, as 1-3,5; without it every revision\n"
                           "  --description TEXT   for people; shown by `tandem inspect`\n"
                           "\n"
                           "Images:\n"
                           "  --image KIND=FILE[,OPTION...]   repeat for several; KIND is app, stack, config,\n"
                           "                       data, boot or a number from 0x80 to 0xfe of your own\n"
                           "      version=V          its version, if it is not the package's\n"
                           "      bank=0|1|any       the bank it is linked for (any)\n"
                           "      load=ADDRESS       where it runs\n"
                           "      needs=KIND:V       another image that must be there, at least that version\n"
                           "    Intel HEX, DFU and DfuSe files are taken for the bytes that they describe.\n"
                           "  --block-size N       512, 1024, 2048 or 4096; a device checks block by block\n"
                           "                       and needs a buffer of that size (1024)\n"
                           "\n"
                           "Signing:\n"
                           "  --key KEY            private key; repeat for several signatures\n"
                           "  --unsigned           sign nothing; only development devices take it\n"
                           "  --revoke KEY.pub     devices stop trusting that key once the update is confirmed\n"
                           "\n"
                           "Output:\n"
                           "  -o, --output OUT     the package; an existing file is not overwritten\n"
                           "  --force              overwrite it\n"
                           "  --format FORMAT      tdm is the package; mppack, pair, realtek, dfu, dfuse and\n"
                           "                       bin are for others: `tandem pack --format mppack --help`\n"
                           "  -h, --help           this text\n";

/* Everything that the command line says. */
struct work {
    struct tandem_pack pack;
    struct pack_image images[TANDEM_CONFIG_MAX_IMAGES];
    struct tandem_pack_image views[TANDEM_CONFIG_MAX_IMAGES];
    struct tool_private keys[KEYS_MAX];
    struct tandem_signer signers[KEYS_MAX];
    uint16_t hardware[HARDWARE_MAX][2];
    uint8_t revoke[KEYS_MAX][TANDEM_KEY_ID_SIZE];
    const char *key_paths[KEYS_MAX];
    const char *revoke_paths[KEYS_MAX];
    const char *output;
    int has_version, has_counter, is_unsigned, force;
};

enum {
    OPTION_KEY = 256,
    OPTION_VENDOR,
    OPTION_PRODUCT,
    OPTION_VERSION,
    OPTION_MIN_VERSION,
    OPTION_COUNTER,
    OPTION_HARDWARE,
    OPTION_BLOCK_SIZE,
    OPTION_DESCRIPTION,
    OPTION_REVOKE,
    OPTION_IMAGE,
    OPTION_UNSIGNED,
    OPTION_FORMAT,
    OPTION_FORCE
};

static const struct option options[] = {
    {"key", required_argument, NULL, OPTION_KEY},
    {"vendor", required_argument, NULL, OPTION_VENDOR},
    {"product", required_argument, NULL, OPTION_PRODUCT},
    {"version", required_argument, NULL, OPTION_VERSION},
    {"min-version", required_argument, NULL, OPTION_MIN_VERSION},
    {"counter", required_argument, NULL, OPTION_COUNTER},
    {"hardware", required_argument, NULL, OPTION_HARDWARE},
    {"block-size", required_argument, NULL, OPTION_BLOCK_SIZE},
    {"description", required_argument, NULL, OPTION_DESCRIPTION},
    {"revoke", required_argument, NULL, OPTION_REVOKE},
    {"image", required_argument, NULL, OPTION_IMAGE},
    {"unsigned", no_argument, NULL, OPTION_UNSIGNED},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* ---- reading the command line ---- */

/* "1-3,5" */
static int parse_hardware(struct work *work, char *text)
{
    for (char *item = strtok(text, ","); item != NULL; item = strtok(NULL, ",")) {
        uint32_t first, last;
        char *dash = strchr(item, '-');
        if (dash != NULL)
            *dash = '\0';
        if (tool_number(&first, item, 0xFFFF) != 0 || tool_number(&last, dash != NULL ? dash + 1 : item, 0xFFFF) != 0)
            return tool_usage("pack", "--hardware is not a list of revisions such as 1-3,5");
        if (last < first)
            return tool_usage("pack", "--hardware: %lu-%lu runs backwards", (unsigned long)first, (unsigned long)last);
        if (work->pack.hardware_count == HARDWARE_MAX)
            return tool_usage("pack", "--hardware: at most %d ranges", HARDWARE_MAX);
        uint16_t *pair = work->hardware[work->pack.hardware_count++];
        pair[0] = (uint16_t)first;
        pair[1] = (uint16_t)last;
    }
    return work->pack.hardware_count > 0 ? TOOL_OK : tool_usage("pack", "--hardware: the list is empty");
}

static int parse_version(struct tandem_version *version, const char *text)
{
    if (tandem_version_parse(version, text) == TANDEM_OK)
        return TOOL_OK;
    return tool_usage("pack", "'%s' is not a version such as 2.1.0 or 2.1.0+7", text);
}

static int parse_name(const char **name, const char *option, const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > TANDEM_NAME_SIZE_MAX)
        return tool_usage("pack", "%s has 1 to %d bytes, not %lu", option, TANDEM_NAME_SIZE_MAX, (unsigned long)length);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return tool_usage("pack", "%s holds a control character", option);
    *name = text;
    return TOOL_OK;
}

static int parse_block_size(struct work *work, const char *text)
{
    uint32_t size;
    if (tool_number(&size, text, TANDEM_BLOCK_SIZE_MAX) != 0 || size < TANDEM_BLOCK_SIZE_MIN ||
        (size & (size - 1)) != 0)
        return tool_usage("pack", "--block-size is 512, 1024, 2048 or 4096, not %s", text);
    work->pack.block_size = (uint16_t)size;
    return TOOL_OK;
}

static int add_path(const char **paths, uint8_t *count, const char *option, const char *path)
{
    if (*count == KEYS_MAX)
        return tool_usage("pack", "%s at most %d times", option, KEYS_MAX);
    paths[(*count)++] = path;
    return TOOL_OK;
}

static int take_option(struct work *work, int option, char *value)
{
    struct tandem_pack *pack = &work->pack;
    switch (option) {
    case OPTION_KEY:
        return add_path(work->key_paths, &pack->signer_count, "--key", value);
    case OPTION_REVOKE:
        return add_path(work->revoke_paths, &pack->revoke_count, "--revoke", value);
    case OPTION_VENDOR:
        return parse_name(&pack->vendor, "--vendor", value);
    case OPTION_PRODUCT:
        return parse_name(&pack->product, "--product", value);
    case OPTION_VERSION:
        work->has_version = 1;
        return parse_version(&pack->version, value);
    case OPTION_MIN_VERSION:
        return parse_version(&pack->minimum, value);
    case OPTION_COUNTER:
        work->has_counter = 1;
        if (tool_number(&pack->counter, value, 0xFFFFFFFFu) != 0)
            return tool_usage("pack", "--counter is a number from 0 to 4294967295, not '%s'", value);
        return TOOL_OK;
    case OPTION_HARDWARE:
        return parse_hardware(work, value);
    case OPTION_BLOCK_SIZE:
        return parse_block_size(work, value);
    case OPTION_IMAGE:
        if (pack->image_count == TANDEM_CONFIG_MAX_IMAGES)
            return tool_usage("pack", "a package holds at most %d images", TANDEM_CONFIG_MAX_IMAGES);
        return pack_image_parse(&work->images[pack->image_count++], value);
    case OPTION_DESCRIPTION:
        pack->description = value;
        return TOOL_OK;
    case OPTION_UNSIGNED:
        work->is_unsigned = 1;
        return TOOL_OK;
    case OPTION_FORMAT: /* tdm: the others went elsewhere */
        return TOOL_OK;
    case OPTION_FORCE:
        work->force = 1;
        return TOOL_OK;
    default:
        work->output = value;
        return TOOL_OK;
    }
}

/* What is missing, or does not go together. */
static int check(const struct work *work, const char *rest)
{
    if (rest != NULL)
        return tool_usage("pack", "what is '%s'? Images are given as --image KIND=FILE", rest);
    const char *missing = work->pack.vendor == NULL     ? "--vendor"
                          : work->pack.product == NULL  ? "--product"
                          : !work->has_version          ? "--version"
                          : !work->has_counter          ? "--counter"
                          : work->pack.image_count == 0 ? "--image"
                          : work->output == NULL        ? "-o"
                                                        : NULL;
    if (missing != NULL)
        return tool_usage("pack", "%s is missing", missing);
    if (work->pack.signer_count == 0 && !work->is_unsigned)
        return tool_usage("pack", "--key is missing; say --unsigned if the package is not to be signed");
    if (work->pack.signer_count != 0 && work->is_unsigned)
        return tool_usage("pack", "--key and --unsigned do not go together");
    return TOOL_OK;
}

/* ---- doing it ---- */

static enum tandem_status sign(void *ctx, const uint8_t *message, size_t size, uint8_t signature[TANDEM_SIGNATURE_SIZE])
{
    const struct tool_private *key = ctx;
    tandem_ed25519_sign(signature, key->seed, message, size);
    return TANDEM_OK;
}

static int load_keys(struct work *work)
{
    struct tandem_pack *pack = &work->pack;
    for (uint8_t i = 0; i < pack->signer_count; i++) {
        struct tool_private *key = &work->keys[i];
        int code = tool_read_private(key, work->key_paths[i]);
        if (code != TOOL_OK)
            return code;
        for (uint8_t j = 0; j < i; j++)
            if (memcmp(work->keys[j].public_half.id, key->public_half.id, TANDEM_KEY_ID_SIZE) == 0)
                return tool_usage("pack", "%s and %s are the same key", work->key_paths[j], work->key_paths[i]);
        work->signers[i].ctx = key;
        work->signers[i].key.type = key->public_half.type;
        work->signers[i].key.key = key->public_half.bytes;
        work->signers[i].sign = sign;
    }
    for (uint8_t i = 0; i < pack->revoke_count; i++) {
        struct tool_public key;
        int code = tool_read_public(&key, work->revoke_paths[i]);
        if (code != TOOL_OK)
            return code;
        memcpy(work->revoke[i], key.id, TANDEM_KEY_ID_SIZE);
    }
    return TOOL_OK;
}

/* Two images of one kind for the same bank would leave it open which one is meant. */
static int check_images(const struct work *work)
{
    char kind[TOOL_KIND_SIZE];
    for (uint8_t i = 0; i < work->pack.image_count; i++)
        for (uint8_t j = 0; j < i; j++) {
            const struct tandem_pack_image *a = &work->views[j], *b = &work->views[i];
            if (a->kind == b->kind &&
                (a->variant == b->variant || a->variant == TANDEM_VARIANT_ANY || b->variant == TANDEM_VARIANT_ANY))
                return tool_usage("pack", "two images of kind %s for the same bank; give each its bank=0 or bank=1",
                                  tool_kind(a->kind, kind));
        }
    return TOOL_OK;
}

static int load_images(struct work *work)
{
    for (uint8_t i = 0; i < work->pack.image_count; i++) {
        struct pack_image *image = &work->images[i];
        int code = pack_image_load(image);
        if (code != TOOL_OK)
            return code;
        if (!image->has_version)
            image->pack.version = work->pack.version;
        work->views[i] = image->pack;
    }
    return check_images(work);
}

static int write_package(struct work *work)
{
    char version[TANDEM_VERSION_TEXT_SIZE];
    uint32_t size = 0;
    enum tandem_status status = tandem_pack_size(&work->pack, &size);
    if (status != TANDEM_OK)
        return tool_fail((int)status, "cannot pack this: %s", tandem_status_text(status));
    uint8_t *package = malloc(size);
    if (package == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory for a package of %lu bytes", (unsigned long)size);
    status = tandem_pack_write(&work->pack, NULL, package, size);
    int code = status == TANDEM_OK ? tool_write(work->output, package, size, 0644, work->force)
                                   : tool_fail((int)status, "cannot pack this: %s", tandem_status_text(status));
    free(package);
    if (code != TOOL_OK)
        return code;
    tandem_version_format(&work->pack.version, version);
    printf("%s: %s %s %s, %u image%s, %lu bytes, %s\n", work->output, work->pack.vendor, work->pack.product, version,
           work->pack.image_count, work->pack.image_count == 1 ? "" : "s", (unsigned long)size,
           work->is_unsigned ? "not signed" : "signed");
    return TOOL_OK;
}

static int pack(struct work *work, int argc, char **argv)
{
    int option;
    work->pack.block_size = 1024;
    while ((option = tool_option(argc, argv, options)) != TOOL_OPTION_END) {
        if (option == TOOL_OPTION_BAD)
            return TOOL_USAGE;
        if (option == TOOL_OPTION_HELP)
            return tool_help(&cmd_pack);
        int code = take_option(work, option, optarg);
        if (code != TOOL_OK)
            return code;
    }
    int code = check(work, optind < argc ? argv[optind] : NULL);
    if (code == TOOL_OK)
        code = load_images(work);
    if (code == TOOL_OK)
        code = load_keys(work);
    work->pack.images = work->views;
    work->pack.signers = work->signers;
    work->pack.hardware = (const uint16_t(*)[2])work->hardware;
    work->pack.revoke = (const uint8_t(*)[TANDEM_KEY_ID_SIZE])work->revoke;
    return code == TOOL_OK ? write_package(work) : code;
}

static int run(int argc, char **argv)
{
    if (pack_foreign_asked(argc, argv))
        return pack_foreign(argc, argv);
    struct work *work = calloc(1, sizeof *work);
    if (work == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    int code = pack(work, argc, argv);
    tandem_wipe(work->keys, sizeof work->keys);
    for (size_t i = 0; i < TANDEM_CONFIG_MAX_IMAGES; i++)
        tool_release(&work->images[i].file);
    free(work);
    return code;
}

const struct tool_command cmd_pack = {"pack", "pack images into a signed package, or for tools of others", help, run};
