# Firmware in the formats of others.
set(unit ${CMAKE_CURRENT_LIST_DIR})

# Images and packs that Realtek's tools made: looked at where they are, never needed.
set(TANDEM_REALTEK_FILES "" CACHE PATH "Folder of files made by Realtek's tools, for the tests of their readers")
set(realtek_files ${TANDEM_REALTEK_FILES})
if(NOT realtek_files AND EXISTS ${PROJECT_SOURCE_DIR}/../shared/data/realtek)
    set(realtek_files ${PROJECT_SOURCE_DIR}/../shared/data/realtek)
endif()

foreach(name realtek mppack usb hex format)
    tandem_test(NAME image_${name} SOURCES ${unit}/test_image_${name}.c ARGS ${realtek_files})
endforeach()
