# The cloud: HTTP and JSON by themselves, then the client against scripted services.
set(unit ${CMAKE_CURRENT_LIST_DIR})

tandem_test(NAME http SOURCES ${unit}/test_http.c)
tandem_test(NAME json SOURCES ${unit}/test_json.c)
tandem_test(NAME cloud SOURCES ${unit}/test_cloud.c LIBRARIES tandem_fixture TIMEOUT 600)
# Power cut at every operation of the flash and every byte of the download.
add_custom_target(cloud_cuts COMMAND test_cloud 1 USES_TERMINAL VERBATIM)
