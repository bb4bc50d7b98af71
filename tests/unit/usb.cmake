# USB DFU: the device half's protocol, descriptors, downloads of every kind; both halves on a simulated bus.
set(unit ${CMAKE_CURRENT_LIST_DIR})

tandem_test(NAME usb_dfu_host SOURCES ${unit}/test_usb_dfu_host.c LIBRARIES tandem_fixture TIMEOUT 400)
set(mcuboot)
if(TARGET mcuboot_images)
    set(mcuboot ${CMAKE_CURRENT_BINARY_DIR}/mcuboot_images)
endif()
tandem_test(NAME usb_dfu SOURCES ${unit}/test_usb_dfu.c LIBRARIES tandem_fixture TIMEOUT 400 ARGS ${mcuboot})
if(TARGET mcuboot_images)
    add_dependencies(test_usb_dfu mcuboot_images)
endif()
