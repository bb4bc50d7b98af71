# USB DFU: the device half's protocol, descriptors, downloads of every kind.
set(unit ${CMAKE_CURRENT_LIST_DIR})

tandem_test(NAME usb_dfu SOURCES ${unit}/test_usb_dfu.c LIBRARIES tandem_fixture TIMEOUT 400)
