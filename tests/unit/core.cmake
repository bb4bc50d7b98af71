# The core beside the engine: versions, packages, journal, banks, boot, installer.
set(unit ${CMAKE_CURRENT_LIST_DIR})

# A small device on simulated flash, and a maker of packages.
add_library(tandem_fixture STATIC ${unit}/fixture.c ${unit}/../sim/flash.c)
target_include_directories(tandem_fixture PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(tandem_fixture PUBLIC tandem)
set_target_properties(tandem_fixture PROPERTIES C_EXTENSIONS OFF)
tandem_warnings(tandem_fixture)

foreach(name version file_name package journal device bank boot boot_report exchange install loader bare)
    if(EXISTS ${unit}/test_${name}.c)
        set(document)
        if(name STREQUAL package) # its example is the document's
            set(document ${PROJECT_SOURCE_DIR}/docs/package.md)
        endif()
        if(name STREQUAL bare AND TANDEM_TEST_LAUNCHER) # everything is slow there: one cut in so many
            set(document 40)
        endif()
        tandem_test(NAME ${name} SOURCES ${unit}/test_${name}.c LIBRARIES tandem_fixture ARGS ${document}
            TIMEOUT 400) # a second or two; under valgrind, on a busy machine, minutes
    endif()
endforeach()
