# How things are compiled: warnings, sanitizers, coverage.

# Warnings for our own code, never for a program that uses us.
function(tandem_warnings target)
    if(CMAKE_C_COMPILER_ID MATCHES "GNU|Clang")
        target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion
            # In C++ it also finds fault with a function that has the name of a struct.
            $<$<COMPILE_LANGUAGE:C>:-Wshadow>)
        if(TANDEM_WERROR)
            target_compile_options(${target} PRIVATE -Werror)
        endif()
    elseif(MSVC)
        target_compile_options(${target} PRIVATE /W4)
        if(TANDEM_WERROR)
            target_compile_options(${target} PRIVATE /WX)
        endif()
    endif()
endfunction()

if(TANDEM_SANITIZE)
    add_compile_options(-fsanitize=${TANDEM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${TANDEM_SANITIZE})
endif()
if(TANDEM_COVERAGE)
    # Absolute names in the notes, so that gcovr finds the sources from anywhere.
    add_compile_options(-O0 --coverage -fprofile-abs-path)
    add_link_options(--coverage)
endif()
