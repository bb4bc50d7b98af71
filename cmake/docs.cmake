# cmake --build DIR --target docs: the documentation in DIR/docs/html; a warning is an error.
find_program(TANDEM_DOXYGEN doxygen)
if(TANDEM_DOXYGEN)
    configure_file(docs/Doxyfile.in Doxyfile @ONLY)
    add_custom_target(docs COMMAND ${TANDEM_DOXYGEN} ${PROJECT_BINARY_DIR}/Doxyfile
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
endif()
