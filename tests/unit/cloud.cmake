# The cloud: HTTP and JSON by themselves, then the client against scripted servers.
set(unit ${CMAKE_CURRENT_LIST_DIR})

tandem_test(NAME http SOURCES ${unit}/test_http.c)
tandem_test(NAME json SOURCES ${unit}/test_json.c)
