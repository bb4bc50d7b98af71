# The engine: published vectors and edge cases, then trusted libraries beside it.
set(unit ${CMAKE_CURRENT_LIST_DIR})

tandem_test(NAME crc SOURCES ${unit}/test_crc.c)
tandem_test(NAME hash SOURCES ${unit}/test_hash.c)
tandem_test(NAME aes SOURCES ${unit}/test_aes.c)
tandem_test(NAME ed25519 SOURCES ${unit}/test_ed25519.c)
tandem_test(NAME p256 SOURCES ${unit}/test_p256.c)
tandem_test(NAME field25519 SOURCES ${unit}/test_field25519.c)
tandem_test(NAME field_p256 SOURCES ${unit}/test_field_p256.c)
# The reduction that small cores use, in C, in place of the library's.
tandem_test(NAME p256_columns SOURCES ${unit}/test_p256.c ${PROJECT_SOURCE_DIR}/src/core/p256.c)
target_compile_definitions(test_p256_columns PRIVATE TANDEM_SLOW_PRODUCT=1)
tandem_test(NAME field_p256_columns SOURCES ${unit}/test_field_p256.c)
target_compile_definitions(test_field_p256_columns PRIVATE TANDEM_SLOW_PRODUCT=1)

find_package(OpenSSL 3.0 COMPONENTS Crypto ${TANDEM_PEERS})
find_package(PkgConfig ${TANDEM_PEERS})
if(PKG_CONFIG_FOUND)
    pkg_check_modules(sodium ${TANDEM_PEERS} IMPORTED_TARGET libsodium)
endif()
if(TANDEM_REQUIRE_PEERS AND NOT (OPENSSL_FOUND AND sodium_FOUND))
    message(FATAL_ERROR "The engine's tests need OpenSSL and libsodium beside it")
endif()
if(OPENSSL_FOUND AND sodium_FOUND)
    tandem_test(NAME engine_peer SOURCES ${unit}/test_engine_peer.c TIMEOUT 300
        LIBRARIES OpenSSL::Crypto PkgConfig::sodium)
endif()

# Collections of vectors that are too large to keep in the tree, if they are on this machine.
add_executable(engine_verdict ${unit}/engine_verdict.c)
target_include_directories(engine_verdict PRIVATE ${unit})
target_link_libraries(engine_verdict PRIVATE tandem)
tandem_warnings(engine_verdict)
if(Python3_FOUND)
    add_test(NAME engine_vectors
        COMMAND ${Python3_EXECUTABLE} ${unit}/engine_vectors.py $<TARGET_FILE:engine_verdict>)
    set_tests_properties(engine_vectors PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()

# No branch and no address depends on a secret: memcheck watches. Not with sanitizers, which it does not run.
find_program(TANDEM_VALGRIND valgrind)
find_path(TANDEM_VALGRIND_INCLUDE valgrind/memcheck.h)
if(TANDEM_VALGRIND AND TANDEM_VALGRIND_INCLUDE AND NOT TANDEM_SANITIZE)
    add_executable(test_secret ${unit}/test_secret.c)
    target_include_directories(test_secret PRIVATE ${PROJECT_SOURCE_DIR}/tests ${TANDEM_VALGRIND_INCLUDE})
    target_link_libraries(test_secret PRIVATE tandem)
    add_test(NAME secret COMMAND ${TANDEM_VALGRIND} -q --error-exitcode=9 $<TARGET_FILE:test_secret>)
elseif(TANDEM_REQUIRE_PEERS AND NOT TANDEM_SANITIZE)
    message(FATAL_ERROR "The engine's test of constant time needs valgrind and its headers")
endif()

# The same tests on emulated microcontrollers, where the inner loops are assembly. They take minutes: only where the
# build promised to run all there is.
if(TANDEM_REQUIRE_PEERS AND Python3_FOUND AND NOT TANDEM_SANITIZE AND NOT TANDEM_COVERAGE)
    add_test(NAME engine_target
        COMMAND ${Python3_EXECUTABLE} ${unit}/engine_target.py --require)
    set_tests_properties(engine_target PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1800 LABELS "target")
    add_test(NAME engine_limits
        COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/bench/engine.py --check)
    set_tests_properties(engine_limits PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS "target")
endif()
