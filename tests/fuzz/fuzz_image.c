/*
 * Files in the formats of others, from arbitrary bytes. The first byte says
 * what is repaired before reading (the CRC of a DFU suffix, the digest of a
 * Realtek image), so that inputs get past it. Nothing is read beyond the file,
 * and what is said of it holds together.
 */
#include <string.h>

#include "core/bytes.h"
#include "fuzz_file.h"
#include "tandem/image.h"
#include "tandem/image_hex.h"
#include "tandem/image_mcuboot.h"
#include "tandem/image_realtek.h"
#include "tandem/image_usb.h"

static void check_status(enum tandem_status status)
{
    MUST(status == TANDEM_OK || status == TANDEM_ERROR_FORMAT || status == TANDEM_ERROR_TRUNCATED ||
         status == TANDEM_ERROR_UNSUPPORTED || status == TANDEM_ERROR_TOO_LARGE || status == TANDEM_ERROR_DIGEST ||
         status == TANDEM_ERROR_NOTHING);
}

/* The digest of what could be a Realtek image, set right. */
static int repair_image(uint8_t *bytes, const struct tandem_source *source)
{
    struct tandem_realtek_header image;
    struct tandem_sha256 hash;
    uint8_t *control;

    if (tandem_realtek_image_find(&image, source) != TANDEM_OK || image.layout.form != TANDEM_REALTEK_NEW)
        return 0;
    control = bytes + image.layout.control;
    control[4] &= (uint8_t)~TANDEM_REALTEK_NOT_READY;
    tandem_store_le16(control, 0);
    tandem_sha256_init(&hash, NULL);
    tandem_sha256_update(&hash, control, image.size - image.layout.control);
    tandem_sha256_final(&hash, bytes + image.layout.digest);
    return 1;
}

static void check_dfu(const struct tandem_source *source)
{
    struct tandem_dfu_suffix suffix;
    struct tandem_dfuse file;
    struct tandem_dfuse_element element;
    uint32_t elements = 0;
    enum tandem_status status = tandem_dfu_suffix_read(&suffix, source);

    check_status(status);
    if (status == TANDEM_OK)
        MUST(suffix.size >= TANDEM_DFU_SUFFIX_SIZE && suffix.size <= source->size);
    status = tandem_dfuse_open(&file, source);
    check_status(status);
    if (status != TANDEM_OK && status != TANDEM_ERROR_DIGEST)
        return;
    memset(&element, 0, sizeof element);
    while (tandem_dfuse_next(&file, &element) == TANDEM_OK) {
        MUST(element.offset <= file.size && element.size <= file.size - element.offset);
        MUST(memchr(element.name, 0, sizeof element.name) != NULL);
        elements++;
    }
    MUST(elements == file.elements);
}

static void check_hex(const struct tandem_source *source)
{
    struct tandem_hex hex, again;
    uint8_t *out, *taken;
    uint32_t span, sum = 0;
    enum tandem_status status = tandem_hex_read(&hex, source);

    check_status(status);
    if (status != TANDEM_OK || hex.bytes == 0)
        return;
    MUST(hex.last >= hex.first);
    if (hex.last - hex.first >= 0x10000)
        return;
    span = hex.last - hex.first + 1;
    out = malloc(span);
    taken = calloc(span, 1);
    MUST(out && taken);
    status = tandem_hex_load(&again, source, hex.first, out, taken, span);
    MUST(status == TANDEM_OK || status == TANDEM_ERROR_FORMAT);
    for (uint32_t i = 0; i < span; i++)
        sum += taken[i];
    MUST(status != TANDEM_OK || (sum == hex.bytes && again.last == hex.last));
    free(out);
    free(taken);
}

static void check_info(const struct tandem_source *source, int repaired)
{
    struct tandem_image_info info;
    struct tandem_mcuboot_info mcuboot;
    enum tandem_status status = tandem_image_inspect(&info, source, NULL);

    check_status(status);
    MUST(info.format == tandem_image_format(source));
    MUST(tandem_image_format_name((enum tandem_image_format)info.format) != NULL);
    check_status(tandem_mcuboot_inspect(&mcuboot, source, NULL));
    if (status != TANDEM_OK)
        return;
    MUST((info.broken & ~info.checked) == 0 && (info.checked & ~info.integrity) == 0);
    if (info.format != TANDEM_FORMAT_PACKAGE) /* whose size is what it says */
        MUST(info.size <= source->size);
    if (info.format != TANDEM_FORMAT_INTEL_HEX) /* whose bytes are those that it describes */
        MUST(info.payload_offset <= info.size && info.payload_size <= info.size - info.payload_offset);
    if (info.format == TANDEM_FORMAT_REALTEK && repaired)
        MUST(info.broken == 0 && (info.checked & TANDEM_INTEGRITY_SHA256));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = {data, size};
    unsigned how = fuzz_byte(&script);
    uint8_t *bytes = malloc(script.size ? script.size : 1);
    struct fuzz_file watched = {bytes, script.size};
    struct tandem_source source = {.ctx = &watched, .size = (uint32_t)script.size, .read = fuzz_file_read};
    int repaired = 0;

    MUST(bytes);
    if (script.size)
        memcpy(bytes, script.data, script.size);
    if ((how & 1) && script.size >= 16)
        tandem_store_le32(bytes + script.size - 4, tandem_crc32(TANDEM_CRC32_START, bytes, script.size - 4));
    if (how & 2)
        repaired = repair_image(bytes, &source);
    if (fuzz_planted())
        source.size += 16;
    check_info(&source, repaired);
    check_dfu(&source);
    check_hex(&source);
    free(bytes);
    return 0;
}
