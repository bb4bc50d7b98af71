/*
 * What is in firmware files of other makers' formats: Realtek, MCUboot, USB
 * DFU, Intel HEX. What protects a file against accidents is checked on the
 * way; who made it is not.
 */
#include "inspect_image.h"

#include <string.h>

#include "tandem/image.h"
#include "tandem/image_hex.h"
#include "tandem/image_mcuboot.h"
#include "tandem/image_mppack.h"
#include "tandem/image_realtek.h"
#include "tandem/image_usb.h"

/* What is shown, and where it goes. */
struct view {
    const char *path;
    struct tandem_source source;
    int json;
    int broken; /* something does not hold */
};

int inspect_knows(const struct tool_file *file)
{
    struct tandem_source source;
    if (file->size > 0xFFFFFFFFu)
        return 0;
    tandem_image_memory(&source, file->data, (uint32_t)file->size);
    enum tandem_image_format format = tandem_image_format(&source);
    return format != TANDEM_FORMAT_RAW && format != TANDEM_FORMAT_PACKAGE;
}

int inspect_fail(const char *path, const char *what, enum tandem_status status)
{
    switch (status) {
    case TANDEM_ERROR_TRUNCATED:
        return tool_fail((int)status, "%s is truncated: it begins as a %s, and its end is missing; fetch it again",
                         path, what);
    case TANDEM_ERROR_FORMAT:
        return tool_fail((int)status, "%s is damaged: it begins as a %s, and contradicts itself; fetch it again", path,
                         what);
    case TANDEM_ERROR_UNSUPPORTED:
        return tool_fail((int)status, "%s is a %s of a kind that is not known here", path, what);
    default:
        return tool_fail((int)status, "%s, a %s: %s", path, what, tandem_status_text(status));
    }
}

/* One check against accidents. */
static void show_check(struct view *view, const char *name, int holds, const char *separator)
{
    if (view->json)
        printf("%s\"%s\":%s", separator, name, holds ? "true" : "false");
    else
        printf("%s%s %s", separator, name, holds ? "holds" : "DOES NOT HOLD");
    if (!holds)
        view->broken = 1;
}

static void begin(const struct view *view, const char *type, const char *words, uint32_t size)
{
    if (view->json)
        printf("{\"type\":\"%s\",\"size\":%lu", type, (unsigned long)size);
    else
        printf("%s: %s, %lu bytes\n", view->path, words, (unsigned long)size);
}

static int end(const struct view *view)
{
    if (view->json)
        puts("}");
    if (view->broken)
        return tool_fail(TANDEM_ERROR_DIGEST,
                         "%s is damaged: what it holds is not what its maker counted; fetch it again", view->path);
    return TOOL_OK;
}

/* ---- Realtek ---- */

static void show_realtek_checks(struct view *view, const struct tandem_realtek_check *check)
{
    const char *separator = view->json ? ",\"integrity\":{" : "    integrity  ";
    if (check->integrity & TANDEM_INTEGRITY_SHA256) {
        show_check(view, view->json ? "sha256" : "SHA-256", !(check->broken & TANDEM_INTEGRITY_SHA256), separator);
        separator = view->json ? "," : ", ";
    }
    if (check->integrity & TANDEM_INTEGRITY_CRC16)
        show_check(view, view->json ? "crc16" : "CRC-16", !(check->broken & TANDEM_INTEGRITY_CRC16), separator);
    fputs(view->json ? "}" : "\n", stdout);
}

static void show_realtek_header(const struct view *view, const struct tandem_realtek_header *image, uint32_t offset,
                                const struct tandem_source *source)
{
    const struct tandem_realtek_control *control = &image->control;
    const char *name = tandem_realtek_image_name(control->ic, control->image);
    char version[TANDEM_VERSION_TEXT_SIZE] = "";
    struct tandem_version number;
    if (tandem_realtek_image_version(image, source, &number))
        tandem_version_format(&number, version);
    if (view->json) {
        printf(",\"chip\":\"%s\",\"ic\":%u,\"image\":\"0x%04x\",\"name\":\"%s\",\"version\":",
               tandem_realtek_ic_name(control->ic), control->ic, control->image, name);
        printf(version[0] != '\0' ? "\"%s\"" : "null", version);
        printf(",\"offset\":%lu,\"image_size\":%lu,\"header_size\":%u,\"payload_size\":%lu,\"flags\":%u,"
               "\"secure_version\":%u,\"ready\":%s,\"layout_known\":%s",
               (unsigned long)offset, (unsigned long)image->size, image->layout.header, (unsigned long)control->payload,
               control->flags, control->secure_version, control->flags & TANDEM_REALTEK_NOT_READY ? "false" : "true",
               image->layout.sure ? "true" : "false");
        return;
    }
    printf("  image        %s (0x%04x) for %s%s%s\n", name, control->image, tandem_realtek_ic_name(control->ic),
           version[0] != '\0' ? ", version " : "", version);
    printf("    size       %lu bytes at %lu: header %u, payload %lu\n", (unsigned long)image->size,
           (unsigned long)offset, image->layout.header, (unsigned long)control->payload);
    printf("    header     %s form, flags 0x%04x%s, secure version %u\n",
           image->layout.form == TANDEM_REALTEK_OLD ? "old" : "new", control->flags,
           control->flags & TANDEM_REALTEK_NOT_READY ? " (not ready)" : "", control->secure_version);
    if (!image->layout.sure)
        puts("    note       nobody has described this chip's images; read as those of its neighbours");
}

/* One image, `offset` bytes into the file. Returns the status of reading it. */
static enum tandem_status show_realtek(struct view *view, uint32_t offset, uint32_t size)
{
    struct tandem_image_part part;
    struct tandem_realtek_header image;
    struct tandem_realtek_check check;
    enum tandem_status status = tandem_image_part(&part, &view->source, offset, size);
    if (status == TANDEM_OK)
        status = tandem_realtek_image_find(&image, &part.source);
    if (status == TANDEM_OK)
        status = tandem_realtek_check_whole(&check, &image, &part.source, NULL);
    if (status != TANDEM_OK && status != TANDEM_ERROR_DIGEST)
        return status;
    show_realtek_header(view, &image, offset, &part.source);
    show_realtek_checks(view, &check);
    if (!view->json && image.size < size)
        printf("    too long   %lu bytes follow the image's end\n", (unsigned long)(size - image.size));
    return TANDEM_OK;
}

static void show_mp(const struct view *view, const struct tandem_mp_header *mp)
{
    size_t size = 0; /* of the part number; the header is all zero where it does not say */
    while (size < sizeof mp->part && mp->part[size] != 0 && mp->part[size] != 0xFF)
        size++;
    if (view->json) {
        fputs(",\"part\":", stdout);
        tool_print_json(stdout, mp->part, size);
        if (mp->has & TANDEM_MP_ADDRESS)
            printf(",\"address\":%lu", (unsigned long)mp->address);
        return;
    }
    if (mp->has & TANDEM_MP_ADDRESS)
        printf("    flash      0x%08lx\n", (unsigned long)mp->address);
    if (size > 0) {
        fputs("    part       ", stdout);
        tool_print(stdout, mp->part, size);
        putchar('\n');
    }
}

static int show_realtek_file(struct view *view, int has_mp)
{
    const char *what = has_mp ? "Realtek image with MP header" : "Realtek image";
    uint32_t skip = has_mp ? TANDEM_MP_HEADER_SIZE : 0;
    struct tandem_mp_header mp;
    uint8_t bytes[TANDEM_MP_HEADER_SIZE];
    begin(view, has_mp ? "realtek-file" : "realtek-image", what, view->source.size);
    enum tandem_status status = show_realtek(view, skip, view->source.size - skip);
    if (status == TANDEM_OK && has_mp)
        status = tandem_image_read(&view->source, 0, bytes, sizeof bytes);
    if (status == TANDEM_OK && has_mp)
        status = tandem_mp_header_read(&mp, bytes);
    if (status == TANDEM_OK && has_mp)
        show_mp(view, &mp);
    if (status == TANDEM_OK)
        return end(view);
    if (view->json)
        puts("}");
    return inspect_fail(view->path, what, status);
}

static void show_pack_head(const struct view *view, const struct tandem_mppack *pack)
{
    const char *chip = tandem_realtek_ic_name(pack->ic);
    if (view->json) {
        printf(",\"chip\":\"%s\",\"ic\":%u,\"pack_version\":%u,\"dual_bank\":%s,\"ota\":%s,\"compressed\":%s,"
               "\"files\":[",
               chip, pack->ic, pack->version, pack->dual_bank ? "true" : "false", pack->ota_allowed ? "true" : "false",
               pack->compressed ? "true" : "false");
        return;
    }
    printf("  for          %s (ic %u)\n", chip, pack->ic);
    printf("  pack         version %u, %u file%s%s%s\n", pack->version, pack->count, pack->count == 1 ? "" : "s",
           pack->dual_bank ? ", for both banks" : "", pack->ota_allowed ? "" : ", for production lines only");
}

static void show_file_head(const struct view *view, const struct tandem_mppack *pack,
                           const struct tandem_mppack_file *file)
{
    char name[128] = "";
    size_t length = tandem_mppack_name(pack, file->index, name, sizeof name);
    const char *function = tandem_mppack_function_name(pack->ic, file->function);
    if (view->json) {
        printf("%s{\"function\":\"%s\",\"bit\":%u,\"bank\":", file->index > 0 ? "," : "", function,
               file->function + (file->bank ? pack->bits / 2u : 0u));
        if (file->any_bank)
            fputs("null", stdout);
        else
            printf("%u", file->bank);
        printf(",\"flash\":%lu,\"file_size\":%lu,\"is_compressed\":%s,\"file_name\":", (unsigned long)file->address,
               (unsigned long)file->size, file->is_compressed ? "true" : "false");
        tool_print_json(stdout, name, length);
        return;
    }
    printf("  file %-7u %s, bit %u, ", file->index + 1u, function,
           file->function + (file->bank ? pack->bits / 2u : 0u));
    if (file->any_bank)
        fputs("for either bank", stdout);
    else
        printf("for bank %u", file->bank);
    printf(", to 0x%08lx%s", (unsigned long)file->address, file->is_compressed ? ", compressed" : "");
    if (length > 0) {
        fputs(", \"", stdout);
        tool_print(stdout, name, length);
        putchar('"');
    }
    putchar('\n');
}

/* A pack, `offset` bytes into the file. */
static enum tandem_status show_pack(struct view *view, uint32_t offset, uint32_t size)
{
    struct tandem_image_part part;
    struct tandem_mppack pack;
    struct tandem_mppack_file file;
    enum tandem_status status = tandem_image_part(&part, &view->source, offset, size);
    if (status == TANDEM_OK)
        status = tandem_mppack_open(&pack, &part.source);
    if (status != TANDEM_OK)
        return status;
    show_pack_head(view, &pack);
    for (uint16_t i = 0; i < pack.count && status == TANDEM_OK; i++) {
        status = tandem_mppack_file(&pack, i, &file);
        if (status != TANDEM_OK)
            break;
        show_file_head(view, &pack, &file);
        if (!file.is_compressed)
            status =
                show_realtek(view, offset + file.offset + TANDEM_MP_HEADER_SIZE, file.size - TANDEM_MP_HEADER_SIZE);
        if (status == TANDEM_OK)
            show_mp(view, &file.mp);
        if (view->json)
            putchar('}');
    }
    if (view->json)
        putchar(']');
    return status;
}

static int show_whole_pack(struct view *view)
{
    begin(view, "realtek-pack", "Realtek pack", view->source.size);
    enum tandem_status status = show_pack(view, 0, view->source.size);
    if (status == TANDEM_OK)
        return end(view);
    if (view->json)
        puts("}");
    return inspect_fail(view->path, "Realtek pack", status);
}

static int show_pair(struct view *view)
{
    struct tandem_realtek_pair pair;
    enum tandem_status status = tandem_realtek_pair_open(&pair, &view->source);
    begin(view, "realtek-pair", "Realtek packs for a pair", view->source.size);
    if (view->json)
        fputs(",\"packs\":[", stdout);
    for (uint32_t i = 0; status == TANDEM_OK && i < pair.count; i++) {
        const char *role = pair.packs[i].role == 1 ? "primary" : pair.packs[i].role == 2 ? "secondary" : "unknown";
        if (view->json)
            printf("%s{\"role\":\"%s\",\"pack_size\":%lu", i > 0 ? "," : "", role, (unsigned long)pair.packs[i].size);
        else
            printf("for the %s bud: pack of %lu bytes at %lu\n", role, (unsigned long)pair.packs[i].size,
                   (unsigned long)pair.packs[i].offset);
        status = show_pack(view, pair.packs[i].offset, pair.packs[i].size);
        if (view->json)
            putchar('}');
    }
    if (view->json)
        putchar(']');
    if (status == TANDEM_OK)
        return end(view);
    if (view->json)
        puts("}");
    return inspect_fail(view->path, "file of Realtek packs for a pair", status);
}

/* ---- MCUboot ---- */

static void show_mcuboot_lists(const struct view *view, const struct tandem_mcuboot_info *info)
{
    char version[TANDEM_VERSION_TEXT_SIZE], hex[2 * TANDEM_SHA256_SIZE + 1];
    for (unsigned i = 0; i < info->dependency_count; i++) {
        tandem_version_format(&info->dependencies[i].minimum, version);
        if (view->json)
            printf("%s{\"image\":%u,\"minimum\":\"%s\"}", i > 0 ? "," : "", info->dependencies[i].image, version);
        else
            printf("  needs        image %u, %s or newer\n", info->dependencies[i].image, version);
    }
    if (view->json)
        fputs("],\"signatures\":[", stdout);
    for (unsigned i = 0; i < info->signature_count; i++) {
        const char *type = info->signatures[i].type == TANDEM_KEY_ED25519 ? "ed25519" : "p256";
        tool_hex(hex, info->signatures[i].key, TANDEM_SHA256_SIZE);
        if (!info->signatures[i].has_key)
            hex[0] = '\0';
        if (view->json)
            printf("%s{\"type\":\"%s\",\"key_sha256\":\"%s\"}", i > 0 ? "," : "", type, hex);
        else
            printf("  signed by    key %s (%s)\n", hex, type);
    }
    if (view->json)
        printf("],\"other_signatures\":%u", info->other_signatures);
    else if (info->other_signatures > 0)
        printf("  signed also  by %u of a kind that is not known here\n", info->other_signatures);
    else if (info->signature_count == 0)
        puts("  signed by    nobody");
}

static int show_mcuboot(struct view *view)
{
    struct tandem_mcuboot_info info;
    char version[TANDEM_VERSION_TEXT_SIZE];
    enum tandem_status status = tandem_mcuboot_inspect(&info, &view->source, NULL);
    if (status != TANDEM_OK)
        return inspect_fail(view->path, "MCUboot image", status);
    tandem_version_format(&info.version, version);
    begin(view, "mcuboot-image", "MCUboot image", view->source.size);
    if (view->json) {
        printf(",\"version\":\"%s\",\"image_size\":%lu,\"header_size\":%lu,\"payload_size\":%lu,\"flags\":%lu,"
               "\"load_address\":%lu,\"counter\":",
               version, (unsigned long)info.total_size, (unsigned long)info.header_size, (unsigned long)info.image_size,
               (unsigned long)info.flags, (unsigned long)info.load_address);
        printf(info.has_counter ? "%lu" : "null", (unsigned long)info.counter);
    } else {
        printf("  version      %s\n", version);
        printf("  size         %lu bytes: header %lu, image %lu, the rest TLVs\n", (unsigned long)info.total_size,
               (unsigned long)info.header_size, (unsigned long)info.image_size);
        if (info.flags != 0)
            printf("  flags        0x%lx\n", (unsigned long)info.flags);
        if (info.load_address != 0)
            printf("  runs at      0x%08lx\n", (unsigned long)info.load_address);
        if (info.has_counter)
            printf("  counter      %lu\n", (unsigned long)info.counter);
    }
    if (info.has_digest)
        show_check(view, view->json ? "sha256" : "SHA-256", info.digest_holds,
                   view->json ? ",\"integrity\":{" : "  integrity    ");
    else
        fputs(view->json ? ",\"integrity\":{" : "  integrity    none", stdout);
    fputs(view->json ? "},\"needs\":[" : "\n", stdout);
    show_mcuboot_lists(view, &info);
    if (!view->json && info.total_size < view->source.size)
        printf("  too long     %lu bytes follow the image's end\n",
               (unsigned long)(view->source.size - info.total_size));
    return end(view);
}

/* ---- USB DFU ---- */

static void show_id(const struct view *view, const char *name, uint16_t id)
{
    if (view->json) {
        printf(",\"%s\":", name);
        printf(id == TANDEM_DFU_ANY ? "null" : "%u", id);
    } else if (id == TANDEM_DFU_ANY) {
        printf("%s any", name);
    } else {
        printf("%s 0x%04x", name, id);
    }
}

static void show_suffix(struct view *view, const struct tandem_dfu_suffix *suffix, int holds)
{
    if (!view->json)
        fputs("  for          ", stdout);
    show_id(view, "vendor", suffix->vendor);
    fputs(view->json ? "" : ", ", stdout);
    show_id(view, "product", suffix->product);
    fputs(view->json ? "" : ", ", stdout);
    show_id(view, "device", suffix->device);
    if (view->json)
        printf(",\"dfu_version\":\"%x.%02x\"", suffix->version >> 8, suffix->version & 0xFFu);
    else
        printf("\n  suffix       %u bytes, DFU %x.%02x\n", suffix->size, suffix->version >> 8, suffix->version & 0xFFu);
    show_check(view, view->json ? "crc32" : "CRC-32", holds, view->json ? ",\"integrity\":{" : "  integrity    ");
    fputs(view->json ? "}" : "\n", stdout);
}

static int show_dfu(struct view *view)
{
    struct tandem_dfu_suffix suffix;
    struct tandem_source payload = view->source;
    enum tandem_status status = tandem_dfu_suffix_read(&suffix, &view->source);
    payload.size -= suffix.size;
    const char *inside = tandem_image_format_name(tandem_image_format(&payload));
    begin(view, "dfu", "file with a DFU suffix", view->source.size);
    show_suffix(view, &suffix, status == TANDEM_OK);
    if (view->json)
        printf(",\"payload_size\":%lu,\"payload\":\"%s\"", (unsigned long)payload.size, inside);
    else
        printf("  payload      %lu bytes: %s\n", (unsigned long)payload.size, inside);
    return end(view);
}

static int show_dfuse(struct view *view)
{
    struct tandem_dfuse file;
    struct tandem_dfuse_element element;
    enum tandem_status status = tandem_dfuse_open(&file, &view->source);
    if (status != TANDEM_OK && status != TANDEM_ERROR_DIGEST)
        return inspect_fail(view->path, "DfuSe file", status);
    begin(view, "dfuse", "DfuSe file", view->source.size);
    if (file.has_suffix)
        show_suffix(view, &file.suffix, status == TANDEM_OK);
    if (view->json)
        fputs(",\"elements\":[", stdout);
    memset(&element, 0, sizeof element);
    for (unsigned i = 0; tandem_dfuse_next(&file, &element) == TANDEM_OK; i++) {
        if (view->json) {
            printf("%s{\"alternate\":%u,\"address\":%lu,\"size\":%lu,\"offset\":%lu,\"name\":", i > 0 ? "," : "",
                   element.alternate, (unsigned long)element.address, (unsigned long)element.size,
                   (unsigned long)element.offset);
            tool_print_json(stdout, element.name, strlen(element.name));
            putchar('}');
            continue;
        }
        printf("  element %-4u %lu bytes to 0x%08lx, alternate setting %u", i + 1, (unsigned long)element.size,
               (unsigned long)element.address, element.alternate);
        if (element.is_named) {
            fputs(", \"", stdout);
            tool_print(stdout, element.name, strlen(element.name));
            putchar('"');
        }
        putchar('\n');
    }
    if (view->json)
        putchar(']');
    return end(view);
}

/* ---- Intel HEX ---- */

static int show_hex(struct view *view)
{
    struct tandem_hex hex;
    enum tandem_status status = tandem_hex_read(&hex, &view->source);
    if (status == TANDEM_ERROR_FORMAT || status == TANDEM_ERROR_UNSUPPORTED)
        return tool_fail((int)status, "%s is damaged: line %lu is no record of an Intel HEX file", view->path,
                         (unsigned long)hex.line);
    if (status != TANDEM_OK)
        return inspect_fail(view->path, "Intel HEX file", status);
    begin(view, "intel-hex", "Intel HEX file", view->source.size);
    if (view->json) {
        printf(",\"bytes\":%lu,\"first\":%lu,\"last\":%lu,\"start\":", (unsigned long)hex.bytes,
               (unsigned long)hex.first, (unsigned long)hex.last);
        printf(hex.has_start ? "%lu" : "null", (unsigned long)hex.start);
    } else if (hex.bytes == 0) {
        puts("  data         none");
    } else {
        printf("  data         %lu bytes from 0x%08lx to 0x%08lx\n", (unsigned long)hex.bytes, (unsigned long)hex.first,
               (unsigned long)hex.last);
        if (hex.bytes - 1 != hex.last - hex.first)
            printf("  gaps         %lu bytes\n", (unsigned long)(hex.last - hex.first - (hex.bytes - 1)));
        if (hex.has_start)
            printf("  starts at    0x%08lx\n", (unsigned long)hex.start);
    }
    return end(view);
}

int inspect_image(const struct tool_file *file, const char *path, int json)
{
    struct view view = {.path = path, .json = json};
    tandem_image_memory(&view.source, file->data, (uint32_t)file->size);
    switch (tandem_image_format(&view.source)) {
    case TANDEM_FORMAT_MCUBOOT:
        return show_mcuboot(&view);
    case TANDEM_FORMAT_REALTEK:
        return show_realtek_file(&view, 0);
    case TANDEM_FORMAT_REALTEK_FILE:
        return show_realtek_file(&view, 1);
    case TANDEM_FORMAT_REALTEK_PACK:
        return show_whole_pack(&view);
    case TANDEM_FORMAT_REALTEK_PAIR:
        return show_pair(&view);
    case TANDEM_FORMAT_DFU:
        return show_dfu(&view);
    case TANDEM_FORMAT_DFUSE:
        return show_dfuse(&view);
    default:
        return show_hex(&view);
    }
}
