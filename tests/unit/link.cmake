# The link, the updater and groups: both halves on a bench of simulated wires,
# with the real installer and bootloader in the devices.
set(unit ${CMAKE_CURRENT_LIST_DIR})

tandem_test(NAME stream SOURCES ${unit}/test_stream.c)
tandem_test(NAME link SOURCES ${unit}/test_link.c ${unit}/link_rig.c TIMEOUT 600
    ARGS ${PROJECT_SOURCE_DIR}/docs/link.md)
tandem_test(NAME recovery SOURCES ${unit}/test_recovery.c LIBRARIES tandem_fixture TIMEOUT 600)
tandem_test(NAME update SOURCES ${unit}/test_update.c ${unit}/link_rig.c TIMEOUT 600)
tandem_test(NAME group SOURCES ${unit}/test_group.c ${unit}/link_rig.c TIMEOUT 600)
