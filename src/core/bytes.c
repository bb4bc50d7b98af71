/*
 * Byte order, for cores on which calling costs less than the code itself: see
 * bytes.h.
 */
#include <stdint.h>

#if defined(__thumb__) && !defined(__ARM_FEATURE_UNALIGNED)
#define TANDEM_BYTES /* here they are defined */
#endif

#include "bytes.h"

/* For builds that find nothing here. */
typedef int tandem_bytes_unused;
