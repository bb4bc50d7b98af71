# How the firmware of a board is built: the device half in the board's measure,
# the key that its devices trust, programs. Include it after project().
set(board_shared ${CMAKE_CURRENT_LIST_DIR})

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "Build type" FORCE)
endif()
set(TANDEM_COMMAND tandem CACHE STRING "The tandem command")
set(TANDEM_KEY "" CACHE FILEPATH "Private key that signs the packages; devices get the public one beside it")
if(NOT TANDEM_KEY)
    message(FATAL_ERROR "TANDEM_KEY is not set: make a key with `tandem keygen FILE`. None comes with Tandem.")
endif()

get_filename_component(key_name ${TANDEM_KEY} NAME)
add_custom_command(OUTPUT public_key.c
    COMMAND ${CMAKE_COMMAND} -DKEY=${TANDEM_KEY}.pub -DNAME=${key_name}.pub -DOUT=public_key.c
            -P ${board_shared}/public_key.cmake
    DEPENDS ${TANDEM_KEY}.pub ${board_shared}/public_key.cmake VERBATIM)

# board_tandem(DEFINITION...): the library, and everything else here, with these limits
macro(board_tandem)
    add_compile_definitions(${ARGN})
    add_subdirectory(${board_shared}/../.. tandem EXCLUDE_FROM_ALL)
endmacro()

# board_image(NAME SCRIPT SOURCE [DEFINITION...]): NAME.elf, NAME.bin and NAME.hex, linked by SCRIPT.ld and what that
# includes: `board_script`. All of a board's programs share `board_sources` and `board_includes`.
function(board_image name script source)
    set(cortex_m ${board_shared}/../../port/cortex_m)
    add_executable(${name} ${source} ${board_sources} ${CMAKE_CURRENT_BINARY_DIR}/public_key.c
        ${board_shared}/decision.c ${board_shared}/service.c ${board_shared}/start.c ${cortex_m}/cortex_m_start.c)
    set_target_properties(${name} PROPERTIES SUFFIX .elf C_STANDARD 99 C_EXTENSIONS OFF
        LINK_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${script}.ld;${CMAKE_CURRENT_SOURCE_DIR}/${board_script}")
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${board_shared} ${cortex_m} ${board_includes})
    target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
    target_compile_definitions(${name} PRIVATE ${ARGN})
    target_link_libraries(${name} PRIVATE tandem::device)
    target_link_options(${name} PRIVATE -L${CMAKE_CURRENT_SOURCE_DIR} -T${script}.ld -Wl,-Map=${name}.map
        -Wl,--print-memory-usage)
    add_custom_command(TARGET ${name} POST_BUILD
        COMMAND ${CMAKE_OBJCOPY} -O binary $<TARGET_FILE:${name}> ${name}.bin
        COMMAND ${CMAKE_OBJCOPY} -O ihex $<TARGET_FILE:${name}> ${name}.hex
        BYPRODUCTS ${name}.bin ${name}.hex VERBATIM)
endfunction()
