# Realtek's DFU: the bytes on the wire, each half.
set(unit ${CMAKE_CURRENT_LIST_DIR})

tandem_test(NAME realtek_wire SOURCES ${unit}/test_realtek_wire.c)
tandem_test(NAME realtek_host SOURCES ${unit}/test_realtek_host.c ${unit}/realtek_peer.c)
