# Realtek's DFU: the bytes on the wire, each half.
set(unit ${CMAKE_CURRENT_LIST_DIR})

tandem_test(NAME realtek_wire SOURCES ${unit}/test_realtek_wire.c)
tandem_test(NAME realtek_device SOURCES ${unit}/test_realtek_device.c ${unit}/realtek_rig.c
    LIBRARIES tandem_fixture TIMEOUT 400)
tandem_test(NAME realtek_stream SOURCES ${unit}/test_realtek_stream.c ${unit}/realtek_rig.c
    LIBRARIES tandem_fixture TIMEOUT 400)
# Under an instrument that makes everything slow, the sweeps over all packets look at every so many.
set(stride 1)
if(TANDEM_TEST_LAUNCHER)
    set(stride 5)
endif()
tandem_test(NAME realtek_host SOURCES ${unit}/test_realtek_host.c ${unit}/realtek_peer.c)
tandem_test(NAME realtek_rws SOURCES ${unit}/test_realtek_rws.c ${unit}/realtek_peer.c ARGS ${stride})
tandem_test(NAME realtek_file SOURCES ${unit}/test_realtek_file.c ARGS ${realtek_files})
tandem_test(NAME realtek_both SOURCES ${unit}/test_realtek_both.c ${unit}/realtek_rig.c
    LIBRARIES tandem_fixture TIMEOUT 400 ARGS ${stride})
tandem_test(NAME realtek_both_rws SOURCES ${unit}/test_realtek_both_rws.c ${unit}/realtek_rig.c
    LIBRARIES tandem_fixture TIMEOUT 400 ARGS ${stride})
