/**
 * @file
 * Versions: major.minor.patch+build, as Semantic Versioning writes them, with
 * the build number taking part in the order.
 */
#ifndef TANDEM_VERSION_H
#define TANDEM_VERSION_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_VERSION_WIRE_SIZE 12 /**< bytes of a version on the wire and in flash */
#define TANDEM_VERSION_TEXT_SIZE 36 /**< bytes of its longest text, with the final zero */

/** A version. */
struct tandem_version {
    uint16_t major; /**< first number */
    uint16_t minor; /**< second */
    uint32_t patch; /**< third */
    uint32_t build; /**< fourth, after a plus sign; 0 if not written */
};

/** Order two versions. @return below, equal to or above zero as `a` is older, equal or newer */
int tandem_version_compare(const struct tandem_version *a, const struct tandem_version *b);
/** Write as text ("2.1.0", "2.1.0+7"). @param text at least TANDEM_VERSION_TEXT_SIZE bytes @return its length */
size_t tandem_version_format(const struct tandem_version *version, char *text);
/**
 * Read from text: one to three numbers with dots, then "+build" (or a fourth
 * dotted number, as DJI and Realtek write it). Nothing else may follow.
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT
 */
enum tandem_status tandem_version_parse(struct tandem_version *version, const char *text);
/** Write 12 bytes: major u16, minor u16, patch u32, build u32, little-endian. */
void tandem_version_store(const struct tandem_version *version, uint8_t bytes[TANDEM_VERSION_WIRE_SIZE]);
/** Read what tandem_version_store() wrote. */
void tandem_version_load(struct tandem_version *version, const uint8_t bytes[TANDEM_VERSION_WIRE_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
