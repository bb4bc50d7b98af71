/*
 * What the bare door's files share: bare.c (the door), bare_head.c (the head
 * that describes what came in).
 */
#ifndef TANDEM_CORE_BARE_H
#define TANDEM_CORE_BARE_H

#include "tandem/bare.h"

/* Bytes of the head for `count` images. */
uint32_t tandem_bare_head_size(const struct tandem_device *device, uint8_t count);
/* Compose the unsigned head of the set at the beginning of the installer's buffer. @return its bytes */
uint32_t tandem_bare_compose(const struct tandem_bare *bare);

#endif
