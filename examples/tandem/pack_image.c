/*
 * The value of `--image`: KIND=FILE[,version=V][,bank=N][,load=ADDRESS][,needs=KIND:VERSION].
 */
#include "pack_image.h"

#include <stdlib.h>
#include <string.h>

#include "flatten.h"

static const char *const names[] = {"version", "bank", "load", "needs"};

/* Whether a comma begins an option. Any other belongs to the file's name. */
static int begins_option(const char *comma)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(comma + 1, names[i], length) == 0 && comma[1 + length] == '=')
            return 1;
    }
    return 0;
}

/* Cut at the next comma that begins an option. Returns what follows it, or NULL. */
static char *cut(char *text)
{
    for (char *comma = strchr(text, ','); comma != NULL; comma = strchr(comma + 1, ','))
        if (begins_option(comma)) {
            *comma = '\0';
            return comma + 1;
        }
    return NULL;
}

static int parse_bank(struct tandem_pack_image *image, const char *value)
{
    if (strcmp(value, "any") == 0)
        image->variant = TANDEM_VARIANT_ANY;
    else if (strcmp(value, "0") == 0 || strcmp(value, "1") == 0)
        image->variant = (uint8_t)(value[0] - '0');
    else
        return tool_usage("pack", "bank=%s is neither 0, 1 nor any", value);
    return TOOL_OK;
}

/* KIND:VERSION, or KIND>=VERSION for those who quote it from the shell. */
static int parse_needs(struct tandem_pack_image *image, char *value)
{
    if (image->dependency_count == TANDEM_DEPENDENCIES_MAX)
        return tool_usage("pack", "an image can need at most %d others", TANDEM_DEPENDENCIES_MAX);
    struct tandem_dependency *dependency = &image->dependencies[image->dependency_count];
    char *end = strpbrk(value, ":>");
    const char *version = end == NULL ? "" : *end == ':' ? end + 1 : end[1] == '=' ? end + 2 : "";
    if (end != NULL)
        *end = '\0';
    if (tool_parse_kind(&dependency->kind, value) != 0 ||
        tandem_version_parse(&dependency->minimum, version) != TANDEM_OK)
        return tool_usage("pack", "needs=... is not KIND:VERSION, as in needs=app:1.2.0");
    image->dependency_count++;
    return TOOL_OK;
}

static int parse_option(struct pack_image *image, char *option)
{
    char *value = strchr(option, '=') + 1; /* cut() has seen it */
    switch (option[0]) {
    case 'v':
        if (tandem_version_parse(&image->pack.version, value) != TANDEM_OK)
            return tool_usage("pack", "'%s' is not a version such as 2.1.0 or 2.1.0+7", value);
        image->has_version = 1;
        return TOOL_OK;
    case 'b':
        return parse_bank(&image->pack, value);
    case 'l':
        if (tool_number(&image->pack.load_address, value, 0xFFFFFFFFu) != 0)
            return tool_usage("pack", "load=%s is not an address such as 0x08010000", value);
        return TOOL_OK;
    default:
        return parse_needs(&image->pack, value);
    }
}

int pack_image_parse(struct pack_image *image, char *text)
{
    memset(image, 0, sizeof *image);
    image->pack.variant = TANDEM_VARIANT_ANY;
    char *path = strchr(text, '=');
    if (path == NULL || path[1] == '\0')
        return tool_usage("pack", "--image %s is not KIND=FILE, as in --image app=firmware.bin", text);
    *path++ = '\0';
    if (tool_parse_kind(&image->pack.kind, text) != 0)
        return tool_usage("pack", "'%s' is no kind of image; use app, stack, config, data, boot or 0x80 to 0xfe", text);
    image->path = path;
    int code = TOOL_OK;
    for (char *option = cut(path); option != NULL && code == TOOL_OK;) {
        char *next = cut(option);
        code = parse_option(image, option);
        option = next;
    }
    return code;
}

int pack_image_load(struct pack_image *image)
{
    struct flat flat;
    int code = tool_read(&image->file, image->path);
    if (code == TOOL_OK)
        code = flatten(&image->file, image->path, &flat);
    if (code != TOOL_OK)
        return code;
    if (flat.has_address && image->pack.load_address == 0)
        image->pack.load_address = flat.address;
    if (image->file.size == 0)
        return tool_fail(TANDEM_ERROR_ARGUMENT, "%s is empty: an image has at least one byte", image->path);
    image->pack.data = image->file.data;
    image->pack.size = (uint32_t)image->file.size;
    return TOOL_OK;
}
