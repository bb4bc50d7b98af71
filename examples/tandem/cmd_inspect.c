/*
 * tandem inspect: what is in a package, in words or as JSON. It shows what
 * the package says; whether that is true is for `tandem verify`. Firmware in
 * other formats is for inspect_image.c.
 */
#include "tool.h"

#include <string.h>

#include "inspect_image.h"
#include "package_file.h"

static const char help[] = "Usage: tandem inspect [--json] FILE\n"
                           "\n"
                           "Show what is in a package. Its head is enough: a file that is cut off after it\n"
                           "is shown, and called incomplete.\n"
                           "\n"
                           "Other formats are shown too, and their checksums and digests checked: Realtek\n"
                           "images and packs, MCUboot images, USB DFU and DfuSe files, Intel HEX.\n"
                           "\n"
                           "  --json       as one JSON object\n"
                           "  -h, --help   this text\n"
                           "\n"
                           "Nothing is proved by this; use `tandem verify` for that.\n";

static const char *key_type(uint8_t type)
{
    return type == TANDEM_KEY_ED25519 ? "ed25519" : type == TANDEM_KEY_P256 ? "p256" : "unknown";
}

/* ---- in words ---- */

static void show_hardware(const struct tandem_manifest *manifest)
{
    printf("  hardware     %s", manifest->hardware_count == 0 ? "every revision" : "revisions ");
    for (uint8_t i = 0; i < manifest->hardware_count; i++) {
        unsigned first = tool_load16(manifest->hardware + 4u * i), last = tool_load16(manifest->hardware + 4u * i + 2);
        printf("%s%u", i > 0 ? ", " : "", first);
        if (last != first)
            printf(" to %u", last);
    }
    putchar('\n');
}

static void show_signatures(const struct package_file *package)
{
    char id[2 * TANDEM_KEY_ID_SIZE + 1];
    struct package_signature signature;
    unsigned i = 0;
    for (; package_signature(package, i, &signature) == 0; i++)
        printf("  signed by    key %s (%s)\n", tool_hex(id, signature.key_id, sizeof signature.key_id),
               key_type(signature.type));
    if (i == 0)
        puts("  signed by    nobody");
    for (uint8_t j = 0; j < package->manifest.revoked_count; j++)
        printf("  revokes      key %s\n",
               tool_hex(id, package->manifest.revoked + (size_t)TANDEM_KEY_ID_SIZE * j, TANDEM_KEY_ID_SIZE));
}

static void show_image(const struct tandem_image *image, unsigned number)
{
    char version[TANDEM_VERSION_TEXT_SIZE], kind[TOOL_KIND_SIZE], hex[2 * TANDEM_SHA256_SIZE + 1];
    tandem_version_format(&image->version, version);
    printf("  image %-6u %s %s, %lu bytes, ", number, tool_kind(image->kind, kind), version,
           (unsigned long)image->size);
    if (image->variant == TANDEM_VARIANT_ANY)
        fputs("for either bank", stdout);
    else
        printf("for bank %u", image->variant);
    if (image->load_address != 0)
        printf(", runs at 0x%08lx", (unsigned long)image->load_address);
    printf("\n    payload    %lu bytes at %lu, plain, in blocks of %u\n", (unsigned long)image->payload_size,
           (unsigned long)image->payload_offset, image->block_size);
    printf("    sha-256    %s\n", tool_hex(hex, image->digest, sizeof image->digest));
    for (uint8_t i = 0; i < image->dependency_count; i++) {
        tandem_version_format(&image->dependencies[i].minimum, version);
        printf("    needs      %s %s or newer\n", tool_kind(image->dependencies[i].kind, kind), version);
    }
}

static void show_text(const char *label, const uint8_t *text, size_t size)
{
    printf("  %-12s ", label);
    tool_print(stdout, text, size);
    putchar('\n');
}

static void show(const struct package_file *package, const char *path)
{
    const struct tandem_manifest *manifest = &package->manifest;
    static const struct tandem_version none = {0, 0, 0, 0};
    char version[TANDEM_VERSION_TEXT_SIZE], minimum[TANDEM_VERSION_TEXT_SIZE], id[2 * TANDEM_PACKAGE_ID_SIZE + 1];
    struct tandem_image image;
    printf("%s: Tandem package, %lu bytes\n", path, (unsigned long)manifest->header.package_size);
    show_text("vendor", manifest->vendor, manifest->vendor_size);
    show_text("product", manifest->product, manifest->product_size);
    tandem_version_format(&manifest->version, version);
    tandem_version_format(&manifest->minimum, minimum);
    if (tandem_version_compare(&manifest->minimum, &none) == 0)
        printf("  version      %s\n", version);
    else
        printf("  version      %s, replaces %s or newer\n", version, minimum);
    printf("  counter      %lu\n", (unsigned long)manifest->counter);
    show_hardware(manifest);
    if (manifest->description != NULL)
        show_text("description", manifest->description, manifest->description_size);
    printf("  id           %s\n", tool_hex(id, manifest->id, sizeof manifest->id));
    show_signatures(package);
    for (uint8_t i = 0; tandem_manifest_image(manifest, i, &image) == TANDEM_OK; i++)
        show_image(&image, i + 1u);
    if (package->file.size < manifest->header.package_size)
        printf("  incomplete   %lu of %lu bytes are here\n", (unsigned long)package->file.size,
               (unsigned long)manifest->header.package_size);
    else if (package->file.size > manifest->header.package_size)
        printf("  too long     %lu bytes follow the package's end\n",
               (unsigned long)(package->file.size - manifest->header.package_size));
}

/* ---- as JSON ---- */

static void json_image(const struct tandem_image *image)
{
    char version[TANDEM_VERSION_TEXT_SIZE], kind[TOOL_KIND_SIZE], hex[2 * TANDEM_SHA256_SIZE + 1];
    tandem_version_format(&image->version, version);
    printf("{\"kind\":\"%s\",\"version\":\"%s\",\"size\":%lu,\"bank\":", tool_kind(image->kind, kind), version,
           (unsigned long)image->size);
    if (image->variant == TANDEM_VARIANT_ANY)
        fputs("null", stdout);
    else
        printf("%u", image->variant);
    printf(",\"load_address\":%lu,\"encoding\":\"plain\",\"payload_offset\":%lu,\"payload_size\":%lu,"
           "\"block_size\":%u,\"sha256\":\"%s\",\"needs\":[",
           (unsigned long)image->load_address, (unsigned long)image->payload_offset, (unsigned long)image->payload_size,
           image->block_size, tool_hex(hex, image->digest, sizeof image->digest));
    for (uint8_t i = 0; i < image->dependency_count; i++) {
        tandem_version_format(&image->dependencies[i].minimum, version);
        printf("%s{\"kind\":\"%s\",\"minimum\":\"%s\"}", i > 0 ? "," : "", tool_kind(image->dependencies[i].kind, kind),
               version);
    }
    fputs("]}", stdout);
}

static void json_lists(const struct package_file *package)
{
    const struct tandem_manifest *manifest = &package->manifest;
    char id[2 * TANDEM_KEY_ID_SIZE + 1];
    struct package_signature signature;
    struct tandem_image image;
    fputs(",\"hardware\":[", stdout);
    for (uint8_t i = 0; i < manifest->hardware_count; i++)
        printf("%s[%u,%u]", i > 0 ? "," : "", tool_load16(manifest->hardware + 4u * i),
               tool_load16(manifest->hardware + 4u * i + 2));
    fputs("],\"signatures\":[", stdout);
    for (unsigned i = 0; package_signature(package, i, &signature) == 0; i++)
        printf("%s{\"type\":\"%s\",\"key\":\"%s\"}", i > 0 ? "," : "", key_type(signature.type),
               tool_hex(id, signature.key_id, sizeof signature.key_id));
    fputs("],\"revokes\":[", stdout);
    for (uint8_t i = 0; i < manifest->revoked_count; i++)
        printf("%s\"%s\"", i > 0 ? "," : "",
               tool_hex(id, manifest->revoked + (size_t)TANDEM_KEY_ID_SIZE * i, TANDEM_KEY_ID_SIZE));
    fputs("],\"images\":[", stdout);
    for (uint8_t i = 0; tandem_manifest_image(manifest, i, &image) == TANDEM_OK; i++) {
        if (i > 0)
            putchar(',');
        json_image(&image);
    }
    putchar(']');
}

static void show_json(const struct package_file *package)
{
    const struct tandem_manifest *manifest = &package->manifest;
    char version[TANDEM_VERSION_TEXT_SIZE], id[2 * TANDEM_PACKAGE_ID_SIZE + 1];
    printf("{\"type\":\"tandem-package\",\"size\":%lu,\"complete\":%s,\"vendor\":",
           (unsigned long)manifest->header.package_size,
           package->file.size == manifest->header.package_size ? "true" : "false");
    tool_print_json(stdout, manifest->vendor, manifest->vendor_size);
    fputs(",\"product\":", stdout);
    tool_print_json(stdout, manifest->product, manifest->product_size);
    tandem_version_format(&manifest->version, version);
    printf(",\"version\":\"%s\"", version);
    tandem_version_format(&manifest->minimum, version);
    printf(",\"minimum_version\":\"%s\",\"counter\":%lu,\"id\":\"%s\",\"description\":", version,
           (unsigned long)manifest->counter, tool_hex(id, manifest->id, sizeof manifest->id));
    if (manifest->description != NULL)
        tool_print_json(stdout, manifest->description, manifest->description_size);
    else
        fputs("null", stdout);
    json_lists(package);
    puts("}");
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option, json = 0;
    while ((option = tool_option(argc, argv, options)) != TOOL_OPTION_END) {
        if (option == TOOL_OPTION_BAD)
            return TOOL_USAGE;
        if (option == TOOL_OPTION_HELP)
            return tool_help(&cmd_inspect);
        json = 1;
    }
    if (optind + 1 != argc)
        return tool_usage("inspect", optind == argc ? "which file?" : "give one file only");
    struct package_file package;
    int code = tool_read(&package.file, argv[optind]);
    if (code == TOOL_OK && inspect_knows(&package.file)) {
        code = inspect_image(&package.file, argv[optind], json);
        tool_release(&package.file);
        return code;
    }
    if (code == TOOL_OK)
        code = package_parse(&package, argv[optind]);
    if (code == TOOL_OK && json)
        show_json(&package);
    else if (code == TOOL_OK)
        show(&package, argv[optind]);
    package_release(&package);
    return code;
}

const struct tool_command cmd_inspect = {"inspect", "show what is in a package, or in another firmware file", help,
                                         run};
