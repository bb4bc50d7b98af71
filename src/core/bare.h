/*
 * What the bare door's files share: bare.c (the door), bare_head.c (the head
 * that describes what came in).
 */
#ifndef TANDEM_CORE_BARE_H
#define TANDEM_CORE_BARE_H

#include "tandem/bare.h"

/* Bytes of the head for `images` with so many dependencies in all. */
uint32_t tandem_bare_head_size(const struct tandem_device *device, uint32_t images, uint32_t dependencies);
/* Compose the unsigned head of the set, `*size` bytes, at the beginning of the installer's buffer. @return TANDEM_OK;
 * TANDEM_ERROR_SPACE (more than `room`); TANDEM_ERROR_DEPENDENCY (on an image that has no slot); TANDEM_ERROR_FLASH */
enum tandem_status tandem_bare_compose(const struct tandem_bare *bare, uint32_t room, uint32_t *size);

#endif
