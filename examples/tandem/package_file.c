/*
 * Packages in files: reading one, and proving what is in it.
 */
#include "package_file.h"

#include <string.h>

#include "tandem/crypto.h"

/* What a file that is no package seems to be, from its first bytes. */
static const char *looks_like(const struct tool_file *file)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *what;
    } known[] = {
        {"\177ELF", 4, "an ELF program"}, {":", 1, "an Intel HEX file"},      {"tandem-p", 8, "a key"},
        {"# Tandem ", 9, "a key"},        {"PK\003\004", 4, "a zip archive"}, {"\037\213", 2, "a gzip archive"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (file->size >= known[i].size && memcmp(file->data, known[i].magic, known[i].size) == 0)
            return known[i].what;
    return NULL;
}

static int has_magic(const struct tool_file *file)
{
    return file->size >= 4 && memcmp(file->data, "TDM1", 4) == 0;
}

static int fail_parse(const struct package_file *package, enum tandem_status status, const char *path)
{
    const struct tool_file *file = &package->file;
    const char *what = looks_like(file);
    if (file->size == 0)
        return tool_fail(TANDEM_ERROR_FORMAT, "%s is empty, not a package", path);
    if (!has_magic(file))
        return tool_fail(TANDEM_ERROR_FORMAT, "%s is not a Tandem package%s%s; make one with `tandem pack`", path,
                         what != NULL ? " but " : "", what != NULL ? what : "");
    if (status == TANDEM_ERROR_TRUNCATED)
        return tool_fail((int)status, "%s is truncated: it ends after %lu bytes, inside the package's head", path,
                         (unsigned long)file->size);
    if (status == TANDEM_ERROR_FORMAT)
        return tool_fail((int)status, "%s is damaged: its head contradicts itself", path);
    if (status == TANDEM_ERROR_UNSUPPORTED)
        return tool_fail((int)status, "%s needs a newer tandem: it holds a required field that is not known here",
                         path);
    return tool_fail((int)status, "%s: %s", path, tandem_status_text(status));
}

int package_read(struct package_file *package, const char *path)
{
    memset(package, 0, sizeof *package);
    int code = tool_read(&package->file, path);
    return code == TOOL_OK ? package_parse(package, path) : code;
}

int package_parse(struct package_file *package, const char *path)
{
    enum tandem_status status = tandem_manifest_parse(&package->manifest, NULL, package->file.data, package->file.size);
    return status == TANDEM_OK ? TOOL_OK : fail_parse(package, status, path);
}

void package_release(struct package_file *package)
{
    tool_release(&package->file);
}

/* The signature block: entries of type u16, length u16, key id, signature. docs/package.md. */
int package_signature(const struct package_file *package, unsigned index, struct package_signature *signature)
{
    const struct tandem_package_header *header = &package->manifest.header;
    const uint8_t *at = package->manifest.head + TANDEM_PACKAGE_HEADER_SIZE + header->manifest_size;
    size_t left = header->signatures_size;
    while (left >= 4) {
        size_t size = tool_load16(at + 2);
        if (size > left - 4)
            return -1;
        if (size >= TANDEM_KEY_ID_SIZE && index-- == 0) {
            signature->type = (uint8_t)tool_load16(at);
            memcpy(signature->key_id, at + 4, TANDEM_KEY_ID_SIZE);
            return 0;
        }
        at += 4 + size;
        left -= 4 + size;
    }
    return -1;
}

int package_check_size(const struct package_file *package, const char *path)
{
    uint32_t size = package->manifest.header.package_size;
    if (package->file.size < size)
        return tool_fail(TANDEM_ERROR_TRUNCATED, "%s is truncated: it has %lu of its %lu bytes; fetch it again", path,
                         (unsigned long)package->file.size, (unsigned long)size);
    if (package->file.size > size)
        return tool_fail(TANDEM_ERROR_FORMAT, "%s has %lu bytes too many after the package's end", path,
                         (unsigned long)(package->file.size - size));
    return TOOL_OK;
}

static int fail_digest(const struct tandem_image *image, uint32_t offset, const char *path)
{
    char kind[TOOL_KIND_SIZE];
    return tool_fail(TANDEM_ERROR_DIGEST, "%s was altered: image %s is not what was signed, at offset %lu", path,
                     tool_kind(image->kind, kind), (unsigned long)offset);
}

int package_check_image(const struct package_file *package, const struct tandem_image *image, const char *path)
{
    const uint8_t *at = package->file.data + image->payload_offset;
    uint8_t expected[TANDEM_BLOCK_DIGEST_SIZE], digest[TANDEM_SHA256_SIZE];
    struct tandem_sha256 whole;
    uint32_t left = image->payload_size;
    enum tandem_status status = tandem_sha256_init(&whole, NULL);
    memcpy(expected, image->first_block, sizeof expected);
    while (left > 0 && status == TANDEM_OK) {
        uint32_t full = image->block_size + TANDEM_BLOCK_DIGEST_SIZE;
        uint32_t size = left > image->block_size ? full : left;
        uint32_t data = left > image->block_size ? image->block_size : left;
        status = tandem_block_digest(NULL, at, size, digest);
        if (status == TANDEM_OK && memcmp(digest, expected, sizeof expected) != 0)
            return fail_digest(image, (uint32_t)(at - package->file.data), path);
        status = tandem_sha256_update(&whole, at, data);
        if (size > data)
            memcpy(expected, at + data, sizeof expected);
        at += size;
        left -= size;
    }
    if (status == TANDEM_OK)
        status = tandem_sha256_final(&whole, digest);
    if (status != TANDEM_OK)
        return tool_fail((int)status, "%s: %s", path, tandem_status_text(status));
    return memcmp(digest, image->digest, sizeof image->digest) == 0 ? TOOL_OK
                                                                    : fail_digest(image, image->payload_offset, path);
}

void package_copy_image(const struct package_file *package, const struct tandem_image *image, uint8_t *out)
{
    const uint8_t *at = package->file.data + image->payload_offset;
    for (uint32_t done = 0; done < image->size;) {
        uint32_t left = image->size - done;
        uint32_t size = left < image->block_size ? left : image->block_size;
        memcpy(out + done, at, size);
        at += size + TANDEM_BLOCK_DIGEST_SIZE;
        done += size;
    }
}

static int check_signatures(const struct package_file *package, const struct tandem_key *keys, uint8_t count,
                            uint8_t needed, const char *path)
{
    char id[2 * TANDEM_KEY_ID_SIZE + 1] = "?";
    struct package_signature signature;
    enum tandem_status status = tandem_manifest_verify(&package->manifest, NULL, keys, count, 0, needed);
    switch (status) {
    case TANDEM_OK:
        return TOOL_OK;
    case TANDEM_ERROR_UNSIGNED:
        return tool_fail((int)status, "%s is not signed", path);
    case TANDEM_ERROR_KEY:
        if (needed > 1)
            return tool_fail((int)status, "%s is signed by fewer than %u of the keys given", path, needed);
        if (package_signature(package, 0, &signature) == 0)
            tool_hex(id, signature.key_id, sizeof signature.key_id);
        return tool_fail((int)status, "%s is signed by key %s, which is not trusted; give its public half with --pub",
                         path, id);
    case TANDEM_ERROR_SIGNATURE:
        return tool_fail((int)status, "%s was altered: its signature is wrong", path);
    default:
        return tool_fail((int)status, "%s: %s", path, tandem_status_text(status));
    }
}

int package_verify(const struct package_file *package, const struct tandem_key *keys, uint8_t count, uint8_t needed,
                   const char *path)
{
    struct tandem_image image;
    int code = check_signatures(package, keys, count, needed, path);
    if (code == TOOL_OK)
        code = package_check_size(package, path);
    for (uint8_t i = 0; code == TOOL_OK && tandem_manifest_image(&package->manifest, i, &image) == TANDEM_OK; i++)
        code = package_check_image(package, &image, path);
    return code;
}
