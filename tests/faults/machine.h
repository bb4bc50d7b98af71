/*
 * The machine that the sweep runs on, as its program and the emulator see it:
 * what lies where.
 */
#ifndef TANDEM_TESTS_FAULTS_MACHINE_H
#define TANDEM_TESTS_FAULTS_MACHINE_H

#define ROM_ADDRESS 0x00000000u /* the program */
#define ROM_SIZE 0x10000u
#define FLASH_ADDRESS 0x08000000u /* what Tandem's addresses count from: the fixture's flash */
#define FLASH_SIZE 0x9000u
#define RAM_ADDRESS 0x20000000u
#define RAM_SIZE 0x4000u
#define BOARD_ADDRESS 0x30000000u /* struct board, set by the emulator */
#define BOARD_SIZE 0x1000u

#define SECTOR_SIZE 1024u
#define KEYS 2
#define KEY_SIZE 32

/* What differs between runs of one program. */
struct board {
    unsigned char keys[KEYS][KEY_SIZE]; /* trusted */
    unsigned char verify_once;          /* the device's policy */
    unsigned char outside;              /* 1: hashes and signatures are the emulator's */
};

/*
 * The head of the program: the vector table, then places that the emulator
 * watches. All but the first are addresses of functions, with the Thumb bit.
 */
enum watched {
    AT_STACK,
    AT_RESET,
    AT_PROGRAM,  /* what is disturbed begins here */
    AT_STARTED,  /* started(address, reason): the bootloader jumps to an image */
    AT_RECOVERY, /* recovery(status): nothing may be started; or the application has done what it could */
    AT_SHA256_INIT,
    AT_SHA256_UPDATE,
    AT_SHA256_FINAL,
    AT_ED25519_VERIFY,
    AT_ENGINE,     /* first byte of the engine's code */
    AT_ENGINE_END, /* one past its last */
    AT_COUNT
};

#endif
