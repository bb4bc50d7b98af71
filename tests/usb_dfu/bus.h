/*
 * The simulated bus: what goes over the socket between a host's library and
 * the simulated device.
 */
#ifndef TANDEM_TESTS_USB_DFU_BUS_H
#define TANDEM_TESTS_USB_DFU_BUS_H

#define BUS_VARIABLE "TANDEM_USB_SOCKET" /* names the socket */

/* A request: operation, address of the device, set-up packet, for BUS_CONTROL followed by the data that go out. */
#define BUS_REQUEST 10
/* An answer: result as libusb counts, length of what follows, low byte first. */
#define BUS_ANSWER 3

#define BUS_LIST 'L'    /* -> the device's address; nothing if there is none */
#define BUS_CONTROL 'C' /* -> data that come in */
#define BUS_RESET 'R'
#define BUS_ORDER 'O' /* of the test: the set-up packet's first two bytes are the length of a text -> a text */

#endif
