# Read by CMake before it chooses a generator. On Unix its default is Make even
# where there is only Ninja; then take Ninja. A choice made with -G, a preset or
# CMAKE_GENERATOR stays as it is.
if(NOT WIN32 AND NOT DEFINED CMAKE_GENERATOR AND NOT DEFINED ENV{CMAKE_GENERATOR})
    find_program(tandem_make NAMES gmake make smake NO_CACHE)
    find_program(tandem_ninja NAMES ninja ninja-build NO_CACHE)
    if(NOT tandem_make AND tandem_ninja)
        set(CMAKE_GENERATOR Ninja CACHE INTERNAL "Name of generator.")
    endif()
endif()
