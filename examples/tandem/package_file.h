/*
 * A package in a file, and what the commands ask of it.
 */
#ifndef TANDEM_PACKAGE_FILE_H
#define TANDEM_PACKAGE_FILE_H

#include "tool.h"

struct package_file {
    struct tool_file file;
    struct tandem_manifest manifest; /* points into the file */
};

/* Read a package and parse its head; says what is wrong and returns the exit code. Release it in any case. */
int package_read(struct package_file *package, const char *path);
/* The same when its `file` is read. */
int package_parse(struct package_file *package, const char *path);
void package_release(struct package_file *package);

/* One signature in the head. */
struct package_signature {
    uint8_t type; /* enum tandem_key_type */
    uint8_t key_id[TANDEM_KEY_ID_SIZE];
};
/* The signature `index`. Returns 0, or -1 when there are no more. */
int package_signature(const struct package_file *package, unsigned index, struct package_signature *signature);

/* Whether the file holds all of it: says what is wrong and returns the exit code. */
int package_check_size(const struct package_file *package, const char *path);
/* Check an image's block chain and its digest; says where it breaks and returns the exit code. */
int package_check_image(const struct package_file *package, const struct tandem_image *image, const char *path);
/* Copy the bytes of a checked image, without its chain, to `out`: image->size bytes. */
void package_copy_image(const struct package_file *package, const struct tandem_image *image, uint8_t *out);
/* The whole of it: signatures by `needed` of the keys, all bytes there, every image. As the two above. */
int package_verify(const struct package_file *package, const struct tandem_key *keys, uint8_t count, uint8_t needed,
                   const char *path);

#endif
