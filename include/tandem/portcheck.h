/**
 * @file
 * The port checker: runs a flash port through everything that Tandem will ask
 * of it, on the chip itself or on a PC, and says in words what is wrong.
 *
 * It erases and programs nothing but a scratch area that the caller names.
 * No heap, no OS: less than 1 KB of stack besides the caller's buffer.
 */
#ifndef TANDEM_PORTCHECK_H
#define TANDEM_PORTCHECK_H

#include "tandem/device.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_PORTCHECK_BUFFER_MIN 128u /**< least bytes of the buffer; 1 KB and 16 bytes is what Tandem uses */
#define TANDEM_PORTCHECK_TEXT_SIZE 320u  /**< bytes that hold any finding's line */

#define TANDEM_PORTCHECK_NOWHERE UINT32_MAX /**< address of a finding that has no place on the flash */

/**
 * @name Probes
 * What a chip or a port may not forgive, and so is tried only if asked for.
 * @{
 */
#define TANDEM_PORTCHECK_PROBE_TWICE 1u /**< program a unit again: shows whether the flash is plain NOR or has ECC */
#define TANDEM_PORTCHECK_PROBE_ODD 2u   /**< program half units, erase inside a sector: must be refused */
#define TANDEM_PORTCHECK_PROBE_OUTSIDE                                         \
    4u /**< read, program and erase outside the map: must be refused. A port   \
            that wraps around loses a sector by it, and one that reads blindly \
            may fault */
/** @} */

/** How much a finding matters. */
enum tandem_portcheck_severity {
    TANDEM_PORTCHECK_INFO = 0,    /**< good to know */
    TANDEM_PORTCHECK_WARNING = 1, /**< will do, but not well */
    TANDEM_PORTCHECK_FAULT = 2    /**< Tandem cannot rely on this port */
};

/** What was found. tandem_portcheck_name() has the names; docs/portcheck.md says what to do. */
enum tandem_portcheck_id {
    /* the port table */
    TANDEM_PORTCHECK_TABLE_FUNCTION, /**< read, program or erase is missing */
    TANDEM_PORTCHECK_TABLE_UNIT,     /**< the program unit is none */
    TANDEM_PORTCHECK_TABLE_ERASED,   /**< the erased value is none */
    TANDEM_PORTCHECK_MAP_EMPTY,      /**< no sector map */
    TANDEM_PORTCHECK_MAP_SECTOR,     /**< sectors that are not whole units, or a run without any */
    TANDEM_PORTCHECK_MAP_ORDER,      /**< runs overlap or descend */
    TANDEM_PORTCHECK_MAP_END,        /**< beyond 32 bits of address */
    TANDEM_PORTCHECK_MAP_GAP,        /**< a gap between runs */
    TANDEM_PORTCHECK_MAP_READ,       /**< the port does not read where its map has sectors */
    TANDEM_PORTCHECK_MAP_ALIAS,      /**< two addresses lead to the same cells */
    /* what the caller gave */
    TANDEM_PORTCHECK_LAYOUT,       /**< tandem_device_check() is not content; its reason is the text */
    TANDEM_PORTCHECK_SCRATCH,      /**< the scratch area is not whole sectors, or too few */
    TANDEM_PORTCHECK_SCRATCH_USED, /**< the scratch area holds a journal or manifests */
    TANDEM_PORTCHECK_BUFFER,       /**< the buffer is too small */
    TANDEM_PORTCHECK_CLOCK,        /**< the clock stands still */
    /* any call */
    TANDEM_PORTCHECK_STATUS,  /**< an answer that is none */
    TANDEM_PORTCHECK_ENDLESS, /**< TANDEM_AGAIN for ever */
    TANDEM_PORTCHECK_EARLY,   /**< cells change after TANDEM_OK */
    /* erase */
    TANDEM_PORTCHECK_ERASE,           /**< it fails */
    TANDEM_PORTCHECK_ERASED_VALUE,    /**< erased cells read otherwise than the table says */
    TANDEM_PORTCHECK_ERASE_WHOLE,     /**< part of the sector stays */
    TANDEM_PORTCHECK_ERASE_NEIGHBOUR, /**< another sector changes */
    TANDEM_PORTCHECK_ERASE_AGAIN,     /**< an erased sector cannot be erased */
    /* program */
    TANDEM_PORTCHECK_PROGRAM,        /**< it fails */
    TANDEM_PORTCHECK_READ_BACK,      /**< other bytes come back */
    TANDEM_PORTCHECK_PROGRAM_BEYOND, /**< cells beside the given ones change */
    TANDEM_PORTCHECK_UNIT_SMALL,     /**< the unit is smaller than the chip's */
    TANDEM_PORTCHECK_PROGRAM_RUN,    /**< several units at once */
    TANDEM_PORTCHECK_PROGRAM_SOURCE, /**< data at an odd address */
    TANDEM_PORTCHECK_PROGRAM_BORDER, /**< over the end of a sector */
    /* read */
    TANDEM_PORTCHECK_READ,        /**< it fails */
    TANDEM_PORTCHECK_READ_ODD,    /**< any address, any size */
    TANDEM_PORTCHECK_READ_BORDER, /**< over the end of a sector */
    TANDEM_PORTCHECK_READ_DEST,   /**< it writes beside the bytes asked for */
    /* sync, and all that was not to change */
    TANDEM_PORTCHECK_SYNC,    /**< it fails */
    TANDEM_PORTCHECK_OUTSIDE, /**< something outside the scratch area has changed */
    /* probes */
    TANDEM_PORTCHECK_TWICE,           /**< what a second program does */
    TANDEM_PORTCHECK_ODD_PROGRAM,     /**< half units are taken */
    TANDEM_PORTCHECK_ODD_ERASE,       /**< an erase may begin inside a sector */
    TANDEM_PORTCHECK_READ_OUTSIDE,    /**< what the map does not have is read */
    TANDEM_PORTCHECK_PROGRAM_OUTSIDE, /**< what the map does not have is programmed */
    TANDEM_PORTCHECK_ERASE_OUTSIDE,   /**< what the map does not have is erased */
    TANDEM_PORTCHECK_NOT_TRIED,       /**< probes that were not asked for */
    TANDEM_PORTCHECK_STOPPED,         /**< the rest makes no sense yet */
    /* time */
    TANDEM_PORTCHECK_TIME_ERASE,   /**< longest erase */
    TANDEM_PORTCHECK_TIME_PROGRAM, /**< one KB */
    TANDEM_PORTCHECK_TIME_READ,    /**< one KB */
    TANDEM_PORTCHECK_TIME_CALL,    /**< one call outlasts the watchdog */
    TANDEM_PORTCHECK_TIME_RATE,    /**< bytes a second, erase included */
    TANDEM_PORTCHECK_TIME_SLOW,    /**< slower than the link */
    TANDEM_PORTCHECK_WEAR,         /**< erases that the check took */
    /* after a reset */
    TANDEM_PORTCHECK_KEPT,      /**< all is there, or written and waiting */
    TANDEM_PORTCHECK_KEPT_NONE, /**< nothing is there */
    TANDEM_PORTCHECK_KEPT_LOST, /**< something is not */
    /* the power-cut drill */
    TANDEM_PORTCHECK_CUT_BEGIN,     /**< the drill begins */
    TANDEM_PORTCHECK_CUT_ROUND,     /**< it goes on */
    TANDEM_PORTCHECK_CUT_NONE,      /**< nothing was under way */
    TANDEM_PORTCHECK_CUT_PROGRAM,   /**< between two program calls, or behind an erase */
    TANDEM_PORTCHECK_CUT_UNITS,     /**< between two units of a call */
    TANDEM_PORTCHECK_CUT_UNIT,      /**< inside a unit */
    TANDEM_PORTCHECK_CUT_ERASE,     /**< inside an erase */
    TANDEM_PORTCHECK_CUT_UNSTABLE,  /**< torn cells read differently each time */
    TANDEM_PORTCHECK_CUT_READ,      /**< torn cells cannot be read, and the port says so */
    TANDEM_PORTCHECK_CUT_BEYOND,    /**< cells of the sector that were not being programmed have changed */
    TANDEM_PORTCHECK_CUT_NEIGHBOUR, /**< another sector has changed */
    TANDEM_PORTCHECK_IDS            /**< how many there are */
};

/** One finding. Each id is reported once a run, where it was met first. */
struct tandem_portcheck_finding {
    enum tandem_portcheck_id id;             /**< what */
    enum tandem_portcheck_severity severity; /**< how bad */
    uint32_t address;                        /**< where on the flash, or TANDEM_PORTCHECK_NOWHERE */
    uint32_t value;                          /**< the number in the text, if it has one */
    const char *text;                        /**< in words; %v stands for `value`, %x for it as a hexadecimal byte */
};

/** What to check, and with what. Unnamed fields of an initializer are zero, and zero will do where it says optional. */
struct tandem_portcheck {
    struct tandem_area scratch; /**< the port, and what may be lost: whole sectors, two at least; three for the drill,
                                     four suit well */
    uint8_t *buffer;            /**< working memory */
    uint32_t buffer_size; /**< TANDEM_PORTCHECK_BUFFER_MIN at least; as large as program calls shall be, plus 16 */
    const struct tandem_device *device;      /**< optional: its layout is checked too */
    const struct tandem_system_port *system; /**< optional: its watchdog is fed */
    uint32_t (*clock_us)(void *ctx);         /**< optional: microseconds, may wrap */
    uint32_t watchdog_ms;                    /**< optional: the watchdog's period */
    uint32_t link_rate;                      /**< optional: bytes a second of the link */
    uint32_t again_calls;                    /**< calls that an operation may take; 0: 10 million */
    uint8_t probes;                          /**< TANDEM_PORTCHECK_PROBE_…, or 0 */
    void (*report)(void *ctx, const struct tandem_portcheck_finding *finding); /**< takes each finding */
    void *ctx;                                                                 /**< handed to `report` and `clock_us` */
};

/** What it came to. */
struct tandem_portcheck_result {
    uint32_t faults;      /**< kinds of them */
    uint32_t warnings;    /**< kinds of them */
    uint32_t erases;      /**< calls of erase */
    uint32_t sector_wear; /**< erases of the sector that had most */
    uint32_t erase_us;    /**< longest erase; times are 0 without a clock */
    uint32_t program_us;  /**< 1 KB, in calls as large as the buffer allows */
    uint32_t read_us;     /**< 1 KB */
    uint32_t call_us;     /**< longest single call */
    uint32_t rate;        /**< bytes a second that can be erased and programmed */
    uint32_t round;       /**< of the drill: last round that is whole */
};

/**
 * Check everything that needs no reset. Reads the whole flash; erases and programs the scratch area, and leaves it
 * erased.
 * @param check what to check
 * @param result filled in
 * @return TANDEM_OK no fault; TANDEM_ERROR_FLASH faults; TANDEM_ERROR_LAYOUT the table, map or description is wrong;
 *         TANDEM_ERROR_ARGUMENT scratch area or buffer will not do. Each was reported in words. Not for interrupts.
 */
enum tandem_status tandem_portcheck_run(const struct tandem_portcheck *check, struct tandem_portcheck_result *result);

/**
 * First half of a check of durability: fill the scratch area with a pattern. Then reset, cut the power, or end the
 * process.
 * @return as tandem_portcheck_run()
 */
enum tandem_status tandem_portcheck_keep(const struct tandem_portcheck *check, struct tandem_portcheck_result *result);

/**
 * Second half: is it all still there? Changes nothing.
 * @return as tandem_portcheck_run()
 */
enum tandem_status tandem_portcheck_kept(const struct tandem_portcheck *check, struct tandem_portcheck_result *result);

/**
 * The power-cut drill. Looks at what the last cut left and says how this flash tears; then erases and programs on and
 * on, for the next cut. The pattern describes itself, so nothing else has to be remembered. Needs three sectors.
 * @param check what to check; the scratch area and the program unit stay the same from one call to the next
 * @param rounds sectors to write before it returns; 0: for ever, UINT32_MAX: only look
 * @param result filled in, before anything is written
 * @return as tandem_portcheck_run()
 */
enum tandem_status tandem_portcheck_drill(const struct tandem_portcheck *check, uint32_t rounds,
                                          struct tandem_portcheck_result *result);

/**
 * A finding as one line: how bad, which, where, and the text with its number.
 * @param finding to print
 * @param line where to; a line that does not fit is cut, and ends with a zero in any case
 * @param size of it; TANDEM_PORTCHECK_TEXT_SIZE holds any
 * @return `line`
 */
const char *tandem_portcheck_line(const struct tandem_portcheck_finding *finding, char *line, size_t size);

/** A finding's short name, as "erase-neighbour"; "" for a number that is none. */
const char *tandem_portcheck_name(enum tandem_portcheck_id id);

#ifdef __cplusplus
}
#endif

#endif
