# Install: headers, libraries, a CMake package with components, a pkg-config
# file. Everything is relocatable: no file names the place it was built or
# installed.
include(CMakePackageConfigHelpers)

set(TANDEM_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/tandem)

# tandem_install(<component> <target>): one component of find_package(tandem).
function(tandem_install component target)
    install(TARGETS ${target} EXPORT tandem-${component}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(EXPORT tandem-${component} NAMESPACE tandem:: DESTINATION ${TANDEM_CMAKE_DIR})
endfunction()

install(DIRECTORY include/tandem DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
tandem_install(static tandem)
tandem_install(device tandem_device)
tandem_install(host tandem_host)
if(TANDEM_BUILD_SHARED)
    tandem_install(shared tandem_shared)
endif()

configure_package_config_file(cmake/tandem-config.cmake.in tandem-config.cmake
    INSTALL_DESTINATION ${TANDEM_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(compatibility SameMinorVersion)
else()
    set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(tandem-config-version.cmake COMPATIBILITY ${compatibility})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tandem-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/tandem-config-version.cmake
    DESTINATION ${TANDEM_CMAKE_DIR})

# The .pc file finds its prefix from where it lies, as far as the layout allows.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR} OR IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
    set(TANDEM_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
    set(TANDEM_PC_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
    set(TANDEM_PC_INCLUDEDIR ${CMAKE_INSTALL_FULL_INCLUDEDIR})
else()
    file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
    string(REGEX REPLACE "/$" "" up "${up}")
    set(TANDEM_PC_PREFIX "\${pcfiledir}/${up}")
    set(TANDEM_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(TANDEM_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(cmake/tandem.pc.in tandem.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tandem.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
