# The Cortex-M port, as far as it needs no Cortex-M.
tandem_test(NAME cortex_m SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_cortex_m.c
    ${PROJECT_SOURCE_DIR}/port/cortex_m/cortex_m_start.c)
target_include_directories(test_cortex_m PRIVATE ${PROJECT_SOURCE_DIR}/port/cortex_m)
