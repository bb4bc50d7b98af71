# Local upgrade.
tandem_test(NAME local SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_local.c LIBRARIES tandem_fixture TIMEOUT 200)
