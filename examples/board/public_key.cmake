# A public key of `tandem keygen` as a C array: cmake -DKEY=x.pub -DOUT=x.c -P public_key.cmake
file(STRINGS ${KEY} line REGEX "^tandem-public +ed25519 +[0-9a-f]+ *$")
string(REGEX REPLACE ".* ([0-9a-f]+) *$" "\\1" hex "${line}")
string(LENGTH "${hex}" length)
if(NOT length EQUAL 64)
    message(FATAL_ERROR "${KEY} is not a public Ed25519 key of `tandem keygen`")
endif()
string(REGEX REPLACE "(..)" "0x\\1, " bytes "${hex}")
file(WRITE ${OUT} "/* The key that this device trusts. Made from ${NAME}. */\n#include \"device.h\"\n\n"
    "const uint8_t public_key[32] = {${bytes}};\n")
