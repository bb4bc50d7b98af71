# A board's firmware and its emulated update, from the host's build:
#
#   cmake --build DIR --target NAME          its firmware, in DIR/examples/NAME/firmware
#   cmake --build DIR --target NAME-update   and an emulated board is updated with it, if one can be emulated
#
# The firmware is a project of its own, in firmware/, for another processor.
find_program(TANDEM_ARM_GCC arm-none-eabi-gcc)
find_program(TANDEM_QEMU_ARM qemu-system-arm)
find_package(Python3 COMPONENTS Interpreter QUIET)

# tandem_board(NAME): the targets of the board in the present folder; needs TANDEM_ARM_GCC
function(tandem_board name)
    # A key for this build folder alone, so that the demo is signed. Real devices get a real one.
    set(key ${CMAKE_CURRENT_BINARY_DIR}/demo.key)
    add_custom_command(OUTPUT ${key} ${key}.pub
        COMMAND ${CMAKE_COMMAND} -E rm -f ${key} ${key}.pub
        COMMAND tandem_command keygen ${key} VERBATIM)

    add_custom_command(OUTPUT firmware/CMakeCache.txt
        COMMAND ${CMAKE_COMMAND} -E env --unset=CFLAGS --unset=LDFLAGS # they are the host's
                ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_SOURCE_DIR}/firmware -B firmware -G ${CMAKE_GENERATOR}
                --toolchain ${CMAKE_CURRENT_SOURCE_DIR}/firmware/toolchain.cmake
                -DTANDEM_COMMAND=$<TARGET_FILE:tandem_command> -DTANDEM_KEY=${key}
        DEPENDS ${key} ${key}.pub VERBATIM)
    add_custom_target(${name} # a build of its own, with its own number of jobs
        COMMAND ${CMAKE_COMMAND} -E env --unset=MAKEFLAGS ${CMAKE_COMMAND} --build firmware --parallel 2
        DEPENDS firmware/CMakeCache.txt VERBATIM)
    add_dependencies(${name} tandem_command)

    if(TANDEM_QEMU_ARM AND Python3_FOUND AND EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/run.py)
        add_custom_target(${name}-update
            COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/run.py firmware $<TARGET_FILE:tandem_command>
            USES_TERMINAL VERBATIM)
        add_dependencies(${name}-update ${name})
    endif()
endfunction()
