/**
 * @file
 * File names that say what is in them: `Product_Vaa.bb.cc.dd.bin`, the form
 * of vendors' upgrade tools (DJI Assistant 2, "Local Upgrade"). Both halves.
 */
#ifndef TANDEM_FILE_NAME_H
#define TANDEM_FILE_NAME_H

#include <stddef.h>

#include "tandem/package.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_FILE_NAME_SIZE                                                              \
    (TANDEM_NAME_SIZE_MAX + 18) /**< bytes of the longest one that is built, with its zero \
                                 */

/** What a file name says. */
struct tandem_file_name {
    const char *product;           /**< where the product's name begins: the file name's own bytes, not terminated */
    size_t product_size;           /**< bytes of it, 1 … TANDEM_NAME_SIZE_MAX */
    struct tandem_version version; /**< four numbers, 0 … 99 */
};

/**
 * Read a file name. The last `_V` divides product and version; the version is
 * four numbers of one or two digits; it ends in `.bin` or `.tdm`, in either
 * case. A name with a path, a control character or a leading dot is none.
 * @param parsed to fill; points into `name`
 * @param name terminated
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT
 */
enum tandem_status tandem_file_name_parse(struct tandem_file_name *parsed, const char *name);

/**
 * Whether a file name is for this product.
 * @param parsed as above
 * @param product,alias names of the product; either may be NULL
 * @return 1 or 0
 */
int tandem_file_name_fits(const struct tandem_file_name *parsed, const char *product, const char *alias);

/**
 * Build a file name, two digits for each number.
 * @param out,size where, TANDEM_FILE_NAME_SIZE suffice for every name
 * @param product,version what it shall say
 * @return TANDEM_OK; TANDEM_ERROR_ARGUMENT (not a product's name, or a number over 99); TANDEM_ERROR_SPACE
 */
enum tandem_status tandem_file_name_build(char *out, size_t size, const char *product,
                                          const struct tandem_version *version);

#ifdef __cplusplus
}
#endif

#endif
