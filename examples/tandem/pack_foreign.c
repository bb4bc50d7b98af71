/*
 * Files for other makers' tools and apps: Realtek packs and images, DFU
 * suffixes, DfuSe files, plain bytes.
 */
#include "pack_foreign.h"

#include <stdlib.h>
#include <string.h>

#include "flatten.h"
#include "tandem/crypto.h"
#include "tandem/image.h"
#include "tandem/image_mppack.h"
#include "tandem/image_realtek.h"
#include "tandem/image_usb.h"
#include "tool.h"

#define IMAGES_MAX 64

static const char help[] =
    "Usage: tandem pack --format FORMAT [OPTION ...] --image FILE[,OPTION...] [...] -o OUT\n"
    "\n"
    "Write a file for other makers' tools and apps. Nothing is signed. Intel HEX, DFU and\n"
    "DfuSe files are taken for the bytes that they describe.\n"
    "\n"
    "  --format mppack    a Realtek pack, as phone apps send it\n"
    "      --ic N             chip, as 5 (RTL8762C), 11 (RTL87x3E), 15 (RTL87x2G), 16 (RTL8752H)\n"
    "      --pack-version N   of the format, 0 to 4 (1 for chips 4, 5, 9 and 12, else 3)\n"
    "      --production       for production lines only\n"
    "      --wrap             put files that are no Realtek images behind an image header\n"
    "      --image FILE[,OPTION...]   repeat for several\n"
    "          bank=0|1           which bank it is made for (0)\n"
    "          bit=N              its place, if its id does not tell\n"
    "          id=N               image id, when wrapped (the application's)\n"
    "          version=V          when wrapped\n"
    "          load=ADDRESS       where it goes in flash\n"
    "  --format pair      two Realtek packs, of the primary and of the secondary bud, as one file\n"
    "  --format realtek   one image behind a Realtek image header: --ic, and id=, version=, load=\n"
    "  --format dfu       one file with a DFU suffix, for dfu-util\n"
    "      --usb-vendor N, --usb-product N, --usb-device N   for which device (any)\n"
    "  --format dfuse     a DfuSe file: load= for each image, unless it says so itself, and\n"
    "          alt=N              alternate setting (0)\n"
    "          name=TEXT          its name\n"
    "      --usb-vendor N, --usb-product N, --usb-device N   (0x0483, 0xdf11, 0)\n"
    "  --format bin       the bytes alone: takes a DFU suffix off, unfolds Intel HEX\n"
    "\n"
    "  -o, --output OUT   an existing file is not overwritten\n"
    "  --force            overwrite it\n"
    "  -h, --help         this text\n"
    "\n"
    "A wrapped image carries a digest and no signature: for devices that speak Realtek's\n"
    "protocol and are no Realtek chips. Their own image may well be a Tandem package.\n";

enum format { MPPACK, PAIR, REALTEK, DFU, DFUSE, BIN, FORMATS };
static const char *const format_names[FORMATS] = {"mppack", "pair", "realtek", "dfu", "dfuse", "bin"};

enum {
    OPTION_FORMAT = 256,
    OPTION_IMAGE,
    OPTION_IC,
    OPTION_PACK_VERSION,
    OPTION_PRODUCTION,
    OPTION_WRAP,
    OPTION_VENDOR,
    OPTION_PRODUCT,
    OPTION_DEVICE,
    OPTION_FORCE
};

static const struct option options[] = {
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"image", required_argument, NULL, OPTION_IMAGE},
    {"ic", required_argument, NULL, OPTION_IC},
    {"pack-version", required_argument, NULL, OPTION_PACK_VERSION},
    {"production", no_argument, NULL, OPTION_PRODUCTION},
    {"wrap", no_argument, NULL, OPTION_WRAP},
    {"usb-vendor", required_argument, NULL, OPTION_VENDOR},
    {"usb-product", required_argument, NULL, OPTION_PRODUCT},
    {"usb-device", required_argument, NULL, OPTION_DEVICE},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* One file that goes in. */
struct input {
    const char *path;
    const char *base; /* its name without folders */
    struct tool_file file;
    struct flat flat;
    uint32_t bank, bit, id, load, alt;
    int has_bit, has_id, has_load, has_version, has_alt, has_bank;
    const char *name;
    struct tandem_version version;
};

struct work {
    enum format format;
    struct input inputs[IMAGES_MAX];
    unsigned count;
    uint32_t ic, pack_version, usb[3]; /* vendor, product, device */
    int has_ic, has_pack_version, has_usb[3], production, wrap, force;
    const char *output;
};

/* ---- the command line ---- */

static const char *const input_options[] = {"bank", "bit", "id", "load", "alt", "name", "version"};

/* Cut at the next comma that begins an option. Returns what follows it, or NULL. */
static char *cut(char *text)
{
    for (char *comma = strchr(text, ','); comma != NULL; comma = strchr(comma + 1, ','))
        for (size_t i = 0; i < sizeof input_options / sizeof input_options[0]; i++) {
            size_t length = strlen(input_options[i]);
            if (strncmp(comma + 1, input_options[i], length) == 0 && comma[1 + length] == '=') {
                *comma = '\0';
                return comma + 1;
            }
        }
    return NULL;
}

static int take_number(uint32_t *number, int *has, const char *option, uint32_t limit)
{
    const char *value = strchr(option, '=') + 1;
    if (tool_number(number, value, limit) != 0)
        return tool_usage("pack", "%s is not a number up to %lu", option, (unsigned long)limit);
    *has = 1;
    return TOOL_OK;
}

static int take_input_option(struct input *input, char *option)
{
    char *value = strchr(option, '=') + 1; /* cut() has seen it */
    switch (option[0]) {
    case 'b':
        if (option[1] == 'i')
            return take_number(&input->bit, &input->has_bit, option, TANDEM_MPPACK_BITS_MAX / 2 - 1);
        return take_number(&input->bank, &input->has_bank, option, 1);
    case 'i':
        return take_number(&input->id, &input->has_id, option, 0xFFFF);
    case 'l':
        return take_number(&input->load, &input->has_load, option, 0xFFFFFFFFu);
    case 'a':
        return take_number(&input->alt, &input->has_alt, option, 255);
    case 'n':
        if (strlen(value) >= TANDEM_DFUSE_NAME_SIZE)
            return tool_usage("pack", "name= has at most %d bytes", TANDEM_DFUSE_NAME_SIZE - 1);
        input->name = value;
        return TOOL_OK;
    default:
        if (tandem_version_parse(&input->version, value) != TANDEM_OK)
            return tool_usage("pack", "'%s' is not a version such as 2.1.0 or 2.1.0+7", value);
        input->has_version = 1;
        return TOOL_OK;
    }
}

static int take_input(struct work *work, char *text)
{
    if (work->count == IMAGES_MAX)
        return tool_usage("pack", "--image at most %d times", IMAGES_MAX);
    struct input *input = &work->inputs[work->count++];
    int code = TOOL_OK;
    char *option = cut(text);
    input->path = text;
    if (*text == '\0')
        return tool_usage("pack", "--image is FILE, with options after commas");
    while (option != NULL && code == TOOL_OK) {
        char *following = cut(option);
        code = take_input_option(input, option);
        option = following;
    }
    const char *slash = strrchr(text, '/');
    input->base = slash != NULL ? slash + 1 : text;
    return code;
}

static int take_format(struct work *work, const char *text)
{
    for (int i = 0; i < FORMATS; i++)
        if (strcmp(format_names[i], text) == 0) {
            work->format = (enum format)i;
            return TOOL_OK;
        }
    return tool_usage("pack", "there is no format '%s'; use tdm, mppack, pair, realtek, dfu, dfuse or bin", text);
}

static int take_usb(struct work *work, int which, const char *option, const char *value)
{
    if (tool_number(&work->usb[which], value, 0xFFFF) != 0)
        return tool_usage("pack", "%s is a number up to 0xffff, not '%s'", option, value);
    work->has_usb[which] = 1;
    return TOOL_OK;
}

static int take_option(struct work *work, int option, char *value)
{
    switch (option) {
    case OPTION_FORMAT:
        return take_format(work, value);
    case OPTION_IMAGE:
        return take_input(work, value);
    case OPTION_IC:
        work->has_ic = 1;
        return tool_number(&work->ic, value, 255) == 0 ? TOOL_OK : tool_usage("pack", "--ic is a number up to 255");
    case OPTION_PACK_VERSION:
        work->has_pack_version = 1;
        return tool_number(&work->pack_version, value, 4) == 0 ? TOOL_OK
                                                               : tool_usage("pack", "--pack-version is 0 to 4");
    case OPTION_VENDOR:
        return take_usb(work, 0, "--usb-vendor", value);
    case OPTION_PRODUCT:
        return take_usb(work, 1, "--usb-product", value);
    case OPTION_DEVICE:
        return take_usb(work, 2, "--usb-device", value);
    case OPTION_PRODUCTION:
        work->production = 1;
        return TOOL_OK;
    case OPTION_WRAP:
        work->wrap = 1;
        return TOOL_OK;
    case OPTION_FORCE:
        work->force = 1;
        return TOOL_OK;
    default:
        work->output = value;
        return TOOL_OK;
    }
}

static int check(const struct work *work, const char *rest)
{
    const char *format = format_names[work->format];
    int realtek = work->format == MPPACK || work->format == REALTEK;
    int usb = work->format == DFU || work->format == DFUSE;
    if (rest != NULL)
        return tool_usage("pack", "what is '%s'? Images are given as --image FILE", rest);
    if (work->count == 0)
        return tool_usage("pack", "--image is missing");
    if (work->output == NULL)
        return tool_usage("pack", "-o is missing");
    if (realtek && !work->has_ic)
        return tool_usage("pack", "--ic is missing: for which chip?");
    if (!realtek && work->has_ic)
        return tool_usage("pack", "--ic and --format %s do not go together", format);
    if (!usb && (work->has_usb[0] || work->has_usb[1] || work->has_usb[2]))
        return tool_usage("pack", "--usb-... and --format %s do not go together", format);
    if (work->format != MPPACK && (work->has_pack_version || work->production || work->wrap))
        return tool_usage("pack", "--pack-version, --production and --wrap are for --format mppack");
    if (work->format == PAIR && work->count != 2)
        return tool_usage("pack", "--format pair takes two packs: the primary bud's, then the secondary's");
    if (work->count > 1 && work->format != MPPACK && work->format != PAIR && work->format != DFUSE)
        return tool_usage("pack", "--format %s takes one image", format);
    return TOOL_OK;
}

/* ---- input ---- */

static int load(struct input *input)
{
    int code = tool_read(&input->file, input->path);
    if (code != TOOL_OK)
        return code;
    code = flatten(&input->file, input->path, &input->flat);
    if (code == TOOL_OK && input->file.size == 0)
        return tool_fail(TANDEM_ERROR_ARGUMENT, "%s is empty", input->path);
    if (code == TOOL_OK && !input->has_load && input->flat.has_address) {
        input->load = input->flat.address;
        input->has_load = 1;
    }
    return code;
}

/* ---- Realtek ---- */

/* Put the file behind an image header, in place. */
static int wrap_input(const struct work *work, struct input *input)
{
    struct tandem_realtek_wrap wrap = {.ic = (uint8_t)work->ic,
                                       .image = (uint16_t)(input->has_id    ? input->id
                                                           : work->ic == 15 ? 0x37A9
                                                                            : 0x2793),
                                       .version = input->version,
                                       .address = input->has_load ? input->load : 0,
                                       .payload = input->file.data,
                                       .size = (uint32_t)input->file.size};
    uint32_t size;
    if (!tandem_realtek_image_known(wrap.image))
        return tool_usage("pack", "there is no Realtek image id 0x%04x", wrap.image);
    enum tandem_status status = tandem_realtek_wrap_size(&wrap, &size);
    if (status == TANDEM_ERROR_UNSUPPORTED)
        return tool_fail((int)status, "how images for ic %lu are laid out is not known", (unsigned long)work->ic);
    uint8_t *out = status == TANDEM_OK ? malloc(size) : NULL;
    if (status == TANDEM_OK && out == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    if (status == TANDEM_OK)
        status = tandem_realtek_wrap_write(&wrap, NULL, out, size);
    if (status != TANDEM_OK) {
        free(out);
        if (status == TANDEM_ERROR_TOO_LARGE)
            return tool_fail((int)status, "%s: its version or its size does not fit into a Realtek header",
                             input->path);
        return tool_fail((int)status, "%s: %s", input->path, tandem_status_text(status));
    }
    free(input->file.data);
    input->file.data = out;
    input->file.size = size;
    return TOOL_OK;
}

/* What the tools of others call an image; 0: not known. */
static uint16_t bin_id_of(uint16_t image)
{
    static const uint16_t known[][2] = {{0x278D, 0x0100}, {0x278E, 0x0101}, {0x2792, 0x0200}, {0x279B, 0x0203},
                                        {0x2793, 0x0300}, {0x37A9, 0x0300}, {0x2796, 0x0400}, {0x2794, 0x0500},
                                        {0x2791, 0x0700}, {0x2790, 0x0800}, {0x37A0, 0x0800}, {0x379F, 0x0B01}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i][0] == image)
            return known[i][1];
    return 0x0900; /* data */
}

static void describe(struct tandem_mppack_item *item, const struct input *input,
                     const struct tandem_realtek_header *image, const struct tandem_source *source)
{
    struct tandem_mp_header *mp = &item->mp;
    struct tandem_version version;
    mp->has = TANDEM_MP_BIN_ID | TANDEM_MP_DATA_SIZE | TANDEM_MP_REVISION | TANDEM_MP_OTA_VERSION | TANDEM_MP_IMAGE |
              TANDEM_MP_IMAGE_SIZE | TANDEM_MP_IC;
    mp->bin_id = bin_id_of(image->control.image);
    mp->data_size = mp->image_size = item->size;
    mp->revision = mp->ota_version = 1;
    mp->image = image->control.image;
    mp->ic = image->control.ic;
    if (input->has_load) {
        mp->has |= TANDEM_MP_ADDRESS;
        mp->address = input->load;
    }
    if (tandem_realtek_image_version(image, source, &version) &&
        tandem_realtek_version_pack(&mp->image_version, image->control.ic, image->control.image, &version) ==
            TANDEM_OK) {
        mp->has |= TANDEM_MP_BIN_VERSION | TANDEM_MP_IMAGE_VERSION;
        mp->bin_version = mp->image_version;
    }
}

/* Whether the image is whole. Returns the exit code. */
static int check_image(const struct tandem_realtek_header *image, const struct tandem_source *source, const char *path)
{
    struct tandem_realtek_check run;
    enum tandem_status status = tandem_realtek_check_whole(&run, image, source, NULL);
    if (status == TANDEM_ERROR_DIGEST)
        return tool_fail((int)status, "%s is damaged: its digest does not hold", path);
    return status == TANDEM_OK ? TOOL_OK : tool_fail((int)status, "%s: %s", path, tandem_status_text(status));
}

/* One file of a pack, whatever it is. */
static int make_item(const struct work *work, struct input *input, struct tandem_mppack_item *item)
{
    struct tandem_source source;
    struct tandem_realtek_header image;
    struct tandem_mp_header mp;
    uint16_t function;
    tandem_image_memory(&source, input->file.data, (uint32_t)input->file.size);
    enum tandem_image_format format = tandem_image_format(&source);
    if (format != TANDEM_FORMAT_REALTEK && format != TANDEM_FORMAT_REALTEK_FILE) {
        if (!work->wrap)
            return tool_fail(TANDEM_ERROR_FORMAT, "%s is no Realtek image; say --wrap to put it behind an image header",
                             input->path);
        int code = wrap_input(work, input);
        if (code != TOOL_OK)
            return code;
        format = TANDEM_FORMAT_REALTEK;
    }
    item->data = input->file.data;
    item->size = (uint32_t)input->file.size;
    if (format == TANDEM_FORMAT_REALTEK_FILE) {
        item->mp_bytes = item->data;
        item->data += TANDEM_MP_HEADER_SIZE;
        item->size -= TANDEM_MP_HEADER_SIZE;
        if (!input->has_load && tandem_mp_header_read(&mp, item->mp_bytes) == TANDEM_OK) {
            input->load = mp.address; /* 0 if it does not say */
            input->has_load = (mp.has & TANDEM_MP_ADDRESS) != 0;
        }
    }
    tandem_image_memory(&source, item->data, item->size);
    enum tandem_status status = tandem_realtek_image_find(&image, &source);
    if (status != TANDEM_OK)
        return tool_fail((int)status, "%s is a damaged Realtek image: %s", input->path, tandem_status_text(status));
    int code = check_image(&image, &source, input->path);
    if (code != TOOL_OK)
        return code;
    if (image.control.ic != work->ic)
        return tool_fail(TANDEM_ERROR_TARGET, "%s is for ic %u (%s), the pack for ic %lu", input->path,
                         image.control.ic, tandem_realtek_ic_name(image.control.ic), (unsigned long)work->ic);
    if (!input->has_bit && tandem_mppack_function((uint8_t)work->ic, image.control.image, &function) != TANDEM_OK)
        return tool_usage("pack", "%s: which bit has image 0x%04x in packs for ic %lu? Say bit=N", input->path,
                          image.control.image, (unsigned long)work->ic);
    item->function = input->has_bit ? (uint16_t)input->bit : function;
    item->bank = (uint8_t)input->bank;
    item->address = input->load;
    item->name = input->base;
    if (item->mp_bytes == NULL)
        describe(item, input, &image, &source);
    if (strchr(input->base, ':') != NULL || strchr(input->base, '|') != NULL)
        return tool_usage("pack", "%s: a name in a pack holds neither ':' nor '|'", input->base);
    return TOOL_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct tandem_mppack_item *left = a, *right = b;
    int l = left->bank * TANDEM_MPPACK_BITS_MAX + left->function;
    int r = right->bank * TANDEM_MPPACK_BITS_MAX + right->function;
    return l < r ? -1 : l > r;
}

/* The name by which the vendor's tools and apps know a pack: they look for the digest in it. */
static void suggest_name(const uint8_t *pack, uint32_t size)
{
    struct tandem_md5 hash;
    uint8_t digest[TANDEM_MD5_SIZE];
    char hex[2 * TANDEM_MD5_SIZE + 1];
    tandem_md5_init(&hash);
    tandem_md5_update(&hash, pack, size);
    tandem_md5_final(&hash, digest);
    printf("  Realtek's own name for it: ImgPacketFile-%s.bin\n", tool_hex(hex, digest, sizeof digest));
}

static int write_mppack(struct work *work)
{
    static struct tandem_mppack_item items[IMAGES_MAX];
    struct tandem_mppack_plan plan = {
        .ic = (uint8_t)work->ic, .ota_allowed = !work->production, .items = items, .count = (uint16_t)work->count};
    uint32_t size;
    int first = work->ic == 4 || work->ic == 5 || work->ic == 9 || work->ic == 12;
    plan.version = (uint8_t)(work->has_pack_version ? work->pack_version : first ? 1 : 3);
    for (unsigned i = 0; i < work->count; i++) {
        int code = make_item(work, &work->inputs[i], &items[i]);
        if (code != TOOL_OK)
            return code;
    }
    qsort(items, work->count, sizeof items[0], by_place);
    for (unsigned i = 1; i < work->count; i++)
        if (by_place(&items[i - 1], &items[i]) == 0)
            return tool_usage("pack", "%s and %s have the same place in the pack (bit %u, bank %u)", items[i - 1].name,
                              items[i].name, items[i].function, items[i].bank);
    enum tandem_status status = tandem_mppack_plan_size(&plan, &size);
    if (status == TANDEM_ERROR_ARGUMENT)
        return tool_usage("pack", "a pack of version %u has no bit that high; say --pack-version 2 or more",
                          plan.version);
    uint8_t *out = status == TANDEM_OK ? malloc(size) : NULL;
    if (status == TANDEM_OK && out == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    if (status == TANDEM_OK)
        status = tandem_mppack_write(&plan, out, size);
    int code = status == TANDEM_OK ? tool_write(work->output, out, size, 0644, work->force)
                                   : tool_fail((int)status, "cannot pack this: %s", tandem_status_text(status));
    if (code == TOOL_OK) {
        printf("%s: Realtek pack for %s, %u image%s, %lu bytes, not signed\n", work->output,
               tandem_realtek_ic_name(plan.ic), plan.count, plan.count == 1 ? "" : "s", (unsigned long)size);
        suggest_name(out, size);
    }
    free(out);
    return code;
}

static int write_pair(struct work *work)
{
    struct tandem_realtek_pair pair = {.version = 1, .count = work->count};
    uint8_t head[12 + 8 * TANDEM_REALTEK_PAIR_MAX];
    size_t size = 0;
    for (unsigned i = 0; i < work->count; i++) {
        struct tandem_source source;
        struct tandem_mppack pack;
        const struct tool_file *file = &work->inputs[i].file;
        tandem_image_memory(&source, file->data, (uint32_t)file->size);
        enum tandem_status status = tandem_mppack_open(&pack, &source);
        if (status != TANDEM_OK)
            return tool_fail((int)status, "%s is no Realtek pack, or a damaged one; see `tandem inspect`",
                             work->inputs[i].path);
        pair.packs[i].role = i + 1;
        pair.packs[i].size = (uint32_t)file->size;
        size += file->size;
    }
    size_t head_size = tandem_realtek_pair_write(&pair, head);
    uint8_t *out = malloc(head_size + size);
    if (out == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    memcpy(out, head, head_size);
    size = head_size;
    for (unsigned i = 0; i < work->count; size += work->inputs[i++].file.size)
        memcpy(out + size, work->inputs[i].file.data, work->inputs[i].file.size);
    int code = tool_write(work->output, out, size, 0644, work->force);
    free(out);
    if (code == TOOL_OK)
        printf("%s: Realtek packs for a pair, %lu bytes\n", work->output, (unsigned long)size);
    return code;
}

static int write_realtek(struct work *work)
{
    struct input *input = &work->inputs[0];
    int code = wrap_input(work, input);
    if (code == TOOL_OK)
        code = tool_write(work->output, input->file.data, input->file.size, 0644, work->force);
    if (code == TOOL_OK)
        printf("%s: Realtek image for %s, %lu bytes, not signed\n", work->output,
               tandem_realtek_ic_name((uint8_t)work->ic), (unsigned long)input->file.size);
    return code;
}

/* ---- USB ---- */

static int write_dfu(struct work *work)
{
    struct input *input = &work->inputs[0];
    struct tandem_dfu_suffix suffix = {.vendor = (uint16_t)(work->has_usb[0] ? work->usb[0] : TANDEM_DFU_ANY),
                                       .product = (uint16_t)(work->has_usb[1] ? work->usb[1] : TANDEM_DFU_ANY),
                                       .device = (uint16_t)(work->has_usb[2] ? work->usb[2] : TANDEM_DFU_ANY),
                                       .version = TANDEM_DFU_PLAIN};
    struct tandem_source source;
    size_t size = input->file.size + TANDEM_DFU_SUFFIX_SIZE;
    uint8_t *out = malloc(size);
    if (out == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    tandem_image_memory(&source, input->file.data, (uint32_t)input->file.size);
    memcpy(out, input->file.data, input->file.size);
    (void)tandem_dfu_suffix_write(&suffix, &source, out + input->file.size); /* from memory: it cannot fail */
    int code = tool_write(work->output, out, size, 0644, work->force);
    free(out);
    if (code == TOOL_OK)
        printf("%s: %lu bytes with a DFU suffix\n", work->output, (unsigned long)size);
    return code;
}

static int write_dfuse(struct work *work)
{
    static struct tandem_dfuse_item items[IMAGES_MAX];
    struct tandem_dfu_suffix suffix = {.vendor = (uint16_t)(work->has_usb[0] ? work->usb[0] : 0x0483),
                                       .product = (uint16_t)(work->has_usb[1] ? work->usb[1] : 0xDF11),
                                       .device = (uint16_t)(work->has_usb[2] ? work->usb[2] : 0)};
    uint32_t size;
    for (unsigned i = 0; i < work->count; i++) {
        const struct input *input = &work->inputs[i];
        if (!input->has_load)
            return tool_usage("pack", "%s: where does it go? Say load=ADDRESS", input->path);
        items[i] = (struct tandem_dfuse_item){(uint8_t)input->alt, input->name, input->load, input->file.data,
                                              (uint32_t)input->file.size};
    }
    enum tandem_status status = tandem_dfuse_size(items, work->count, &size);
    if (status == TANDEM_ERROR_ARGUMENT)
        return tool_usage("pack", "images of one alternate setting stand together");
    uint8_t *out = status == TANDEM_OK ? malloc(size) : NULL;
    if (status == TANDEM_OK && out == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    if (status == TANDEM_OK)
        status = tandem_dfuse_write(items, work->count, &suffix, out, size);
    int code = status == TANDEM_OK ? tool_write(work->output, out, size, 0644, work->force)
                                   : tool_fail((int)status, "cannot pack this: %s", tandem_status_text(status));
    free(out);
    if (code == TOOL_OK)
        printf("%s: DfuSe file, %u element%s, %lu bytes\n", work->output, work->count, work->count == 1 ? "" : "s",
               (unsigned long)size);
    return code;
}

static int write_bin(struct work *work)
{
    struct input *input = &work->inputs[0];
    if (input->flat.from == NULL)
        return tool_fail(TANDEM_ERROR_ARGUMENT, "%s is no Intel HEX, DFU or DfuSe file: there is nothing to take off",
                         input->path);
    int code = tool_write(work->output, input->file.data, input->file.size, 0644, work->force);
    if (code != TOOL_OK)
        return code;
    printf("%s: %lu bytes out of a %s", work->output, (unsigned long)input->file.size, input->flat.from);
    if (input->flat.has_address)
        printf(", for 0x%08lx", (unsigned long)input->flat.address);
    putchar('\n');
    return TOOL_OK;
}

static int write_file(struct work *work)
{
    static int (*const writers[FORMATS])(struct work *) = {write_mppack, write_pair,  write_realtek,
                                                           write_dfu,    write_dfuse, write_bin};
    for (unsigned i = 0; i < work->count; i++) {
        int code = load(&work->inputs[i]);
        if (code != TOOL_OK)
            return code;
    }
    return writers[work->format](work);
}

/* ---- */

int pack_foreign_asked(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = strncmp(argv[i], "--format=", 9) == 0              ? argv[i] + 9
                            : strcmp(argv[i], "--format") == 0 && i + 1 < argc ? argv[i + 1]
                                                                               : NULL;
        if (value != NULL)
            return strcmp(value, "tdm") != 0;
    }
    return 0;
}

int pack_foreign(int argc, char **argv)
{
    struct work *work = calloc(1, sizeof *work);
    int option, code = TOOL_OK, helped = 0;
    if (work == NULL)
        return tool_fail(TOOL_SYSTEM, "not enough memory");
    while (code == TOOL_OK && !helped && (option = tool_option(argc, argv, options)) != TOOL_OPTION_END) {
        if (option == TOOL_OPTION_HELP) {
            fputs(help, stdout);
            helped = 1;
        } else {
            code = option == TOOL_OPTION_BAD ? TOOL_USAGE : take_option(work, option, optarg);
        }
    }
    if (code == TOOL_OK && !helped)
        code = check(work, optind < argc ? argv[optind] : NULL);
    if (code == TOOL_OK && !helped)
        code = write_file(work);
    for (unsigned i = 0; i < work->count; i++)
        tool_release(&work->inputs[i].file);
    free(work);
    return code;
}
