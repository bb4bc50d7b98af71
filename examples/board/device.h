/*
 * The device: one constant for bootloader and application.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "layout.h"
#include "tandem/device.h"

extern const struct tandem_device device;

/* The one large buffer: the boot decision's scratch, or the installer's window. It holds the largest package head,
   and a block of 1 KB with its digest, with room for the next. */
extern uint8_t device_buffer[DEVICE_BUFFER_SIZE];

/* The key that signs its packages; the build makes this from a file of `tandem keygen`. */
extern const uint8_t public_key[32];

#endif
