# Installs the build into an empty prefix and uses it from there: by CMake and
# by pkg-config, static and shared, from C and from C++; then the sources as a
# part of another project. Moves the prefix first, since packagers do.
#
#   cmake -D BUILD=... -D SOURCE=... -D WORK=... -D CC=... -D GENERATOR=...
#         [-D NM=...] [-D PKG_CONFIG=...] [-D STRICT=ON] -P check.cmake

# run(<command>...): output goes to `output`; a failure ends the check.
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error)
    if(NOT result EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${command}\n${output}${error}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

# missing(<what>): a tool that is not here leaves a part out, or fails a strict run.
function(missing what)
    if(STRICT)
        message(FATAL_ERROR "${what} is missing")
    endif()
    message(STATUS "left out: ${what} is missing")
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${WORK}/prefix)
set(prefix ${WORK}/prefix)

# Nothing that was installed may name the place where it was built.
file(GLOB_RECURSE texts ${prefix}/*.cmake ${prefix}/*.pc ${prefix}/*.h)
foreach(text IN LISTS texts)
    file(READ ${text} content)
    foreach(place ${SOURCE} ${BUILD} ${WORK})
        string(FIND "${content}" "${place}" at)
        if(NOT at EQUAL -1)
            message(FATAL_ERROR "${text} names ${place}")
        endif()
    endforeach()
endforeach()

message(STATUS "find_package")
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE}/tests/install/consumer -B ${WORK}/package -D CMAKE_C_COMPILER=${CC}
    -D CMAKE_PREFIX_PATH=${prefix} -D CXX_REQUIRED=${STRICT})
run(${CMAKE_COMMAND} --build ${WORK}/package)

message(STATUS "add_subdirectory")
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE}/tests/install/consumer -B ${WORK}/subdirectory -D CMAKE_C_COMPILER=${CC}
    -D TANDEM_SOURCE=${SOURCE} -D CXX_REQUIRED=${STRICT})
run(${CMAKE_COMMAND} --build ${WORK}/subdirectory --parallel 2)

file(GLOB_RECURSE pc ${prefix}/tandem.pc)
cmake_path(GET pc PARENT_PATH pc_folder)
cmake_path(GET pc_folder PARENT_PATH libraries)
if(PKG_CONFIG)
    message(STATUS "pkg-config")
    set(consumer ${SOURCE}/tests/install/consumer/consumer.c)
    set(ENV{PKG_CONFIG_PATH} ${pc_folder})
    run(${PKG_CONFIG} --cflags --libs tandem)
    separate_arguments(flags UNIX_COMMAND "${output}")
    run(${CC} -std=c99 ${consumer} -o ${WORK}/by_pc ${flags} -Wl,-rpath,${libraries})
    run(${WORK}/by_pc)
    run(${PKG_CONFIG} --static --cflags --libs tandem)
    separate_arguments(flags UNIX_COMMAND "${output}")
    run(${CC} -std=c99 -static ${consumer} -o ${WORK}/by_pc_static ${flags})
    run(${WORK}/by_pc_static)
else()
    missing(pkg-config)
endif()

if(NM)
    message(STATUS "visible symbols")
    run(${NM} -D --defined-only ${libraries}/libtandem.so)
    string(REGEX REPLACE "[0-9a-f]+ [A-Z] ([A-Za-z_0-9]+)[^\n]*" "\\1" symbols "${output}")
    string(REGEX MATCHALL "[A-Za-z_0-9]+" symbols "${symbols}")
    list(LENGTH symbols count)
    list(FILTER symbols EXCLUDE REGEX "^(tandem_[a-z0-9_]+|TANDEM_[0-9]+)$") # the latter: the interface's own name
    if(symbols OR count LESS 50)
        message(FATAL_ERROR "libtandem.so shows ${count} symbols, among them: ${symbols}")
    endif()
    # Every function that a header declares is there, under one interface name.
    file(STRINGS ${BUILD}/exports.txt declared REGEX "tandem_")
    foreach(line IN LISTS declared)
        string(REGEX MATCH "tandem_[a-z0-9_]+" name "${line}")
        if(NOT output MATCHES " ${name}@")
            message(FATAL_ERROR "a header declares ${name}, libtandem.so has it not")
        endif()
    endforeach()
else()
    missing(nm)
endif()
