# The library's targets. Each source is compiled once; the libraries are
# different selections of the same objects.
include(GNUInstallDirs)

set(TANDEM_INCLUDES
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# tandem_part(<name> <source>...): objects that the libraries below are made of.
function(tandem_part name)
    add_library(tandem_part_${name} OBJECT ${ARGN})
    target_include_directories(tandem_part_${name} PRIVATE include src)
    # The same objects serve the shared library and, in a static one, a program's own shared library.
    set_target_properties(tandem_part_${name} PROPERTIES POSITION_INDEPENDENT_CODE ${TANDEM_BUILD_SHARED}
        C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
    tandem_warnings(tandem_part_${name})
endfunction()

# tandem_library(<target> <export name> <type> <part>...)
function(tandem_library target name type)
    set(objects)
    foreach(part IN LISTS ARGN)
        list(APPEND objects $<TARGET_OBJECTS:tandem_part_${part}>)
    endforeach()
    add_library(${target} ${type} ${objects})
    add_library(tandem::${name} ALIAS ${target})
    target_include_directories(${target} PUBLIC ${TANDEM_INCLUDES})
    # The sources are not listed by name, so the language has to be.
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE C)
endfunction()

tandem_part(cloud ${TANDEM_CLOUD_SOURCES})
tandem_part(engine ${TANDEM_ENGINE_SOURCES})
tandem_part(package ${TANDEM_PACKAGE_SOURCES})
tandem_part(device ${TANDEM_DEVICE_SOURCES})
tandem_part(portcheck ${TANDEM_PORTCHECK_SOURCES})
tandem_part(host ${TANDEM_HOST_SOURCES})
tandem_part(link ${TANDEM_LINK_SOURCES})
tandem_part(link_device ${TANDEM_LINK_DEVICE_SOURCES})
tandem_part(link_host ${TANDEM_LINK_HOST_SOURCES})
tandem_part(local_device ${TANDEM_LOCAL_DEVICE_SOURCES})
tandem_part(realtek ${TANDEM_REALTEK_SOURCES})
tandem_part(realtek_device ${TANDEM_REALTEK_DEVICE_SOURCES})
tandem_part(realtek_host ${TANDEM_REALTEK_HOST_SOURCES})
tandem_part(usb_dfu ${TANDEM_USB_DFU_SOURCES})
tandem_part(usb_dfu_device ${TANDEM_USB_DFU_DEVICE_SOURCES})
tandem_part(usb_dfu_host ${TANDEM_USB_DFU_HOST_SOURCES})

set(TANDEM_PARTS_BOTH engine package link realtek usb_dfu)
set(TANDEM_PARTS_DEVICE cloud device portcheck link_device local_device realtek_device usb_dfu_device)
set(TANDEM_PARTS_HOST host link_host realtek_host usb_dfu_host)

tandem_library(tandem tandem STATIC ${TANDEM_PARTS_BOTH} ${TANDEM_PARTS_DEVICE} ${TANDEM_PARTS_HOST})
tandem_library(tandem_device device STATIC ${TANDEM_PARTS_BOTH} ${TANDEM_PARTS_DEVICE})
tandem_library(tandem_host host STATIC ${TANDEM_PARTS_BOTH} ${TANDEM_PARTS_HOST})

if(TANDEM_BUILD_SHARED)
    include(cmake/exports.cmake)
    tandem_library(tandem_shared shared SHARED
        ${TANDEM_PARTS_BOTH} ${TANDEM_PARTS_DEVICE} ${TANDEM_PARTS_HOST})
    # Before 1.0 a minor version may change the binary interface.
    if(PROJECT_VERSION_MAJOR EQUAL 0)
        set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    else()
        set(soversion ${PROJECT_VERSION_MAJOR})
    endif()
    set_target_properties(tandem_shared PROPERTIES OUTPUT_NAME tandem
        VERSION ${PROJECT_VERSION} SOVERSION ${soversion})
    tandem_export_only_public(tandem_shared)
endif()
