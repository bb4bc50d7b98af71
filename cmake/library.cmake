# The library's targets. Each part is compiled once; the four libraries are
# different selections of the same objects.

function(tandem_part name)
    add_library(tandem_part_${name} OBJECT ${ARGN})
    target_include_directories(tandem_part_${name} PUBLIC include PRIVATE src)
    # One set of objects serves the shared library too.
    set_target_properties(tandem_part_${name} PROPERTIES
        POSITION_INDEPENDENT_CODE ${TANDEM_BUILD_SHARED} C_EXTENSIONS OFF)
    tandem_warnings(tandem_part_${name})
endfunction()

set(TANDEM_PARTS)
foreach(part ENGINE PACKAGE DEVICE HOST LINK)
    if(TANDEM_${part}_SOURCES)
        string(TOLOWER ${part} name)
        tandem_part(${name} ${TANDEM_${part}_SOURCES})
        list(APPEND TANDEM_PARTS $<TARGET_OBJECTS:tandem_part_${name}>)
    endif()
endforeach()

function(tandem_library target type)
    add_library(${target} ${type} ${ARGN})
    target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
    target_compile_features(${target} PUBLIC c_std_99)
endfunction()

tandem_library(tandem STATIC ${TANDEM_PARTS})
if(TANDEM_BUILD_SHARED)
    tandem_library(tandem_shared SHARED ${TANDEM_PARTS})
    set_target_properties(tandem_shared PROPERTIES OUTPUT_NAME tandem
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
endif()
