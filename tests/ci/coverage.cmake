# After a nested build with TANDEM_COVERAGE: lines and branches of the core.
# Nothing is left out; --exclude-throw-branches concerns C++ only and is said
# for the day that there is some. Counted are the library's own objects
# (${WORK}/CMakeFiles), not copies that a test compiles for itself.
#
#   cmake -D SOURCE=... -D WORK=... -D GCOVR=... -P coverage.cmake

set(common --root ${SOURCE} --exclude-throw-branches ${WORK}/CMakeFiles)
execute_process(COMMAND ${GCOVR} ${common} --filter ${SOURCE}/src/transport/ --branches)
execute_process(COMMAND ${GCOVR} ${common} --filter ${SOURCE}/src/core/ --branches)
execute_process(COMMAND ${GCOVR} ${common} --filter ${SOURCE}/src/core/ --print-summary
    --html-details ${WORK}/coverage.html --fail-under-line 95 --fail-under-branch 90 RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "src/core is covered too little: see ${WORK}/coverage.html")
endif()
