# USB DFU: control transfers and time for a download, by dfu-util and by `tandem usb`, to the same simulated device.
if(TARGET usb_device AND TARGET tandem_libusb)
    tandem_bench(NAME usb COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/usb.py
        --device $<TARGET_FILE:usb_device> --shim $<TARGET_FILE_DIR:usb_shim> --dfu-util ${TANDEM_DFU_UTIL}
        --tandem $<TARGET_FILE:tandem_command> --work ${CMAKE_CURRENT_BINARY_DIR}/usb
        DEPENDS usb_device usb_shim tandem_command)
endif()
