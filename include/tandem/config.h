/**
 * @file
 * The few compile-time limits. Set one with -DTANDEM_CONFIG_… for the whole
 * build (library and application alike) or leave the default.
 */
#ifndef TANDEM_CONFIG_H
#define TANDEM_CONFIG_H

#ifndef TANDEM_CONFIG_MAX_IMAGES
/** Images in one bank, and image entries that a manifest may hold (1 … 32). */
#define TANDEM_CONFIG_MAX_IMAGES 8
#endif

#ifndef TANDEM_CONFIG_MAX_PROGRAM_UNIT
/** Largest program unit of any flash used, in bytes (1 … 32), a power of two. The grain of the journal: part of the
 * format in flash. */
#define TANDEM_CONFIG_MAX_PROGRAM_UNIT 32
#endif

#ifndef TANDEM_CONFIG_CRC_TABLE
/** 1: CRCs by 256-entry tables (fast, +1.5 KB); 0: bit by bit (small). */
#define TANDEM_CONFIG_CRC_TABLE 0
#endif

#ifndef TANDEM_CONFIG_ED25519
/** 1: Ed25519 signatures are understood; 0: they are somebody else's, and the code is left out. */
#define TANDEM_CONFIG_ED25519 1
#endif

#ifndef TANDEM_CONFIG_P256
/** 1: ECDSA P-256 signatures are understood; 0: they are somebody else's, and the code is left out. */
#define TANDEM_CONFIG_P256 1
#endif

#ifndef TANDEM_CONFIG_CRYPTO_PORT
/** 1: a struct tandem_crypto_port may replace the engine's code; 0: it is not looked at, all is built in (-0.1 KB). */
#define TANDEM_CONFIG_CRYPTO_PORT 1
#endif

#ifndef TANDEM_CONFIG_LAYOUT_WORDS
/** 1: tandem_device_check() says in words what is wrong with a layout; 0: only that it is wrong (-1 KB). */
#define TANDEM_CONFIG_LAYOUT_WORDS 1
#endif

#ifndef TANDEM_CONFIG_EXCHANGE
/** 1: images may run from one place only (swap and overwrite modes); 0: direct mode only, and the code is left out. */
#define TANDEM_CONFIG_EXCHANGE 1
#endif

#ifndef TANDEM_CONFIG_LOADER
/** 1: the bootloader itself may be replaced (two copies, see loader.h); 0: it may not, and the code is left out. */
#define TANDEM_CONFIG_LOADER 1
#endif

#ifndef TANDEM_CONFIG_VERIFY_TWICE
/** 1: a bootloader verifies what it starts twice, against a single instruction that is skipped: docs/security.md says
 * what that holds and what not; 0: once, in half the time, which leaves it open to such faults. */
#define TANDEM_CONFIG_VERIFY_TWICE 1
#endif

#ifndef TANDEM_CONFIG_MCUBOOT
/** 1: a device's description may ask for images that MCUboot's imgtool signed; 0: it may not, and the code is left out.
 */
#define TANDEM_CONFIG_MCUBOOT 1
#endif

#ifndef TANDEM_CONFIG_ASSEMBLY
/** 1: the engine's inner loops are inline assembly where the compiler and the core know it (Thumb); 0: C throughout. */
#define TANDEM_CONFIG_ASSEMBLY 1
#endif

#endif
