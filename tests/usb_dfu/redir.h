/*
 * The simulated device on a QEMU machine's bus: the device's side of the
 * usbredir protocol, by which QEMU takes devices from elsewhere.
 */
#ifndef TANDEM_TESTS_USB_DFU_REDIR_H
#define TANDEM_TESTS_USB_DFU_REDIR_H

#include <stdint.h>

/* What the device does with it. */
int device_control(const uint8_t setup[8], uint8_t *data, uint16_t *length); /* as libusb: 0, -9 stalled */
int device_reset(void);

/* Listen for QEMU. `high` 1: a high-speed device. @return a file descriptor to wait for, or -1 */
int redir_listen(const char *path, int high);
/* What to wait for now. */
int redir_fd(void);
/* Something has come there. */
void redir_serve(void);
/* Be on the bus, or not; `changed`: with other descriptors, at a reset. */
void redir_follow(int present);
void redir_changed(void);

#endif
