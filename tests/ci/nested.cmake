# Configures, builds and tests the sources once more, in another way.
#
#   cmake -D SOURCE=... -D WORK=... -D GENERATOR=... -D "OPTIONS=-DA=1;-DB=2" [-D "TESTS=-L;unit"] -P nested.cmake

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "failed: ${command}")
    endif()
endfunction()

run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE} -B ${WORK} ${OPTIONS})
run(${CMAKE_COMMAND} --build ${WORK} --parallel 2)
run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK} --parallel 4 --output-on-failure --no-tests=error ${TESTS})
