# MCUboot's images beside the tool that makes them: imgtool, from PyPI.
set(unit ${CMAKE_CURRENT_LIST_DIR})
if(Python3_FOUND)
    execute_process(COMMAND ${Python3_EXECUTABLE} -c "import imgtool" RESULT_VARIABLE missing OUTPUT_QUIET ERROR_QUIET)
endif()
# Under an instrument that makes everything slow, the sweeps look at every so many.
set(stride 1)
if(TANDEM_TEST_LAUNCHER)
    set(stride 10)
endif()
if(Python3_FOUND AND NOT missing)
    set(images ${CMAKE_CURRENT_BINARY_DIR}/mcuboot_images)
    add_custom_command(OUTPUT ${images}/slot.bin
        COMMAND ${Python3_EXECUTABLE} ${unit}/mcuboot_images.py ${images}
        DEPENDS ${unit}/mcuboot_images.py VERBATIM)
    add_custom_target(mcuboot_images DEPENDS ${images}/slot.bin)
    tandem_test(NAME mcuboot SOURCES ${unit}/test_mcuboot.c ARGS ${images} ${stride})
    add_dependencies(test_mcuboot mcuboot_images)
    tandem_test(NAME bare_mcuboot SOURCES ${unit}/test_bare_mcuboot.c LIBRARIES tandem_fixture
        ARGS ${images} ${stride})
    add_dependencies(test_bare_mcuboot mcuboot_images)
    tandem_test(NAME realtek_mcuboot SOURCES ${unit}/test_realtek_mcuboot.c ${unit}/realtek_rig.c
        LIBRARIES tandem_fixture ARGS ${images})
    add_dependencies(test_realtek_mcuboot mcuboot_images)
elseif(TANDEM_REQUIRE_PEERS)
    message(FATAL_ERROR "The test of MCUboot's images needs imgtool: python3 -m pip install imgtool")
endif()
