/**
 * @file
 * Intel HEX files, reading. Host builds only.
 */
#ifndef TANDEM_IMAGE_HEX_H
#define TANDEM_IMAGE_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "tandem/port.h"
#include "tandem/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What an Intel HEX file holds. */
struct tandem_hex {
    uint32_t line;     /**< lines read; where it failed, the one that is wrong */
    uint32_t bytes;    /**< bytes of data */
    uint32_t first;    /**< lowest address, if there are bytes */
    uint32_t last;     /**< highest address, if there are bytes */
    uint32_t start;    /**< where execution starts, if `has_start` */
    uint8_t has_start; /**< 1: `start` says something (record 05) */
};

/**
 * Read all of a file: every record, every checksum.
 * @param hex to fill
 * @param source the file
 * @return TANDEM_OK; TANDEM_ERROR_FORMAT (`line` says where: no record, a wrong checksum, something behind the end);
 *         TANDEM_ERROR_TRUNCATED (no end record); TANDEM_ERROR_UNSUPPORTED (a type of record that is not known); the
 *         source's reason
 */
enum tandem_status tandem_hex_read(struct tandem_hex *hex, const struct tandem_source *source);
/**
 * Place its bytes as they lie in memory.
 * @param hex to fill, as tandem_hex_read()
 * @param source the file
 * @param out,size memory from address `first` on: `last` - `first` + 1 bytes, filled with what gaps shall hold
 * @param taken as many bytes, all zero: set to 1 where there are data
 * @param first as tandem_hex_read() found it
 * @return as tandem_hex_read(); TANDEM_ERROR_FORMAT also where two records claim one address
 */
enum tandem_status tandem_hex_load(struct tandem_hex *hex, const struct tandem_source *source, uint32_t first,
                                   uint8_t *out, uint8_t *taken, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
