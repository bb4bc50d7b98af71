/*
 * What the port checker says, and how a finding becomes a line.
 */
#include "portcheck/portcheck_ops.h"

#define INFO TANDEM_PORTCHECK_INFO
#define WARNING TANDEM_PORTCHECK_WARNING
#define FAULT TANDEM_PORTCHECK_FAULT

static const struct words {
    const char *name, *text;
    enum tandem_portcheck_severity severity;
} words[TANDEM_PORTCHECK_IDS] = {
    [TANDEM_PORTCHECK_TABLE_FUNCTION] = {"table-function",
                                         "the table has no read, no program or no erase: Tandem needs all three",
                                         FAULT},
    [TANDEM_PORTCHECK_TABLE_UNIT] = {"table-unit",
                                     "program_unit is %v: it must be a power of two, and at most what "
                                     "TANDEM_CONFIG_MAX_PROGRAM_UNIT allows",
                                     FAULT},
    [TANDEM_PORTCHECK_TABLE_ERASED] = {"table-erased", "erased is %x: it must be 0xff or 0x00", FAULT},
    [TANDEM_PORTCHECK_MAP_EMPTY] = {"map-empty", "the sector map is missing or has no entry", FAULT},
    [TANDEM_PORTCHECK_MAP_SECTOR] = {"map-sector",
                                     "this run has no sectors, or its sectors of %v bytes are not whole program units",
                                     FAULT},
    [TANDEM_PORTCHECK_MAP_ORDER] = {"map-order",
                                    "this run begins before the one listed before it ends: list them ascending, "
                                    "without overlap",
                                    FAULT},
    [TANDEM_PORTCHECK_MAP_END] = {"map-end", "this run reaches beyond 32 bits of address", FAULT},
    [TANDEM_PORTCHECK_MAP_GAP] = {"map-gap", "%v bytes before this run belong to no sector: fine, if it is meant so",
                                  INFO},
    [TANDEM_PORTCHECK_MAP_READ] = {"map-read",
                                   "the map has a sector here, but the port does not read it: fine, if it guards a "
                                   "bootloader or the like; otherwise the map is wrong, or cells here are damaged",
                                   INFO},
    [TANDEM_PORTCHECK_MAP_ALIAS] = {"map-alias",
                                    "what was programmed elsewhere is seen here too: two addresses lead to the same "
                                    "cells. Is the chip smaller than the map, or an address cut short?",
                                    FAULT},
    [TANDEM_PORTCHECK_LAYOUT] = {"layout", "", FAULT},
    [TANDEM_PORTCHECK_SCRATCH] = {"scratch",
                                  "the scratch area of %v bytes will not do: it must begin and end on sector borders, "
                                  "without a gap, and have two sectors; for pattern and drill sectors of 128 bytes, "
                                  "for the drill three of them",
                                  FAULT},
    [TANDEM_PORTCHECK_SCRATCH_USED] = {"scratch-used",
                                       "the scratch area lies in the device's journal or manifests, which would be "
                                       "lost: name another place, such as the free bank",
                                       FAULT},
    [TANDEM_PORTCHECK_BUFFER] = {"buffer",
                                 "the buffer of %v bytes is too small: TANDEM_PORTCHECK_BUFFER_MIN is the least",
                                 FAULT},
    [TANDEM_PORTCHECK_CLOCK] = {"clock", "the clock given stands still: no times are told", WARNING},
    [TANDEM_PORTCHECK_STATUS] = {"status",
                                 "the port answers status %v: say TANDEM_OK or TANDEM_ERROR_FLASH, and TANDEM_AGAIN "
                                 "from program and erase only",
                                 WARNING},
    [TANDEM_PORTCHECK_ENDLESS] = {"endless",
                                  "TANDEM_AGAIN without an end, after %v calls or a minute: a call with the same "
                                  "arguments must ask whether the operation is over, and in the end say so. Tandem "
                                  "would wait for ever",
                                  FAULT},
    [TANDEM_PORTCHECK_EARLY] = {"early",
                                "cells became right only some time after TANDEM_OK: wait for the chip to be ready, "
                                "and discard caches, before saying so",
                                FAULT},
    [TANDEM_PORTCHECK_ERASE] = {"erase",
                                "the erase of this sector fails: does a sector begin here, is the flash unlocked, is "
                                "the sector protected?",
                                FAULT},
    [TANDEM_PORTCHECK_ERASED_VALUE] = {"erased-value",
                                       "erased cells read as %x, and the table says otherwise: correct `erased`",
                                       FAULT},
    [TANDEM_PORTCHECK_ERASE_WHOLE] = {"erase-whole",
                                      "after an erase the sector is not erased from here on, %v bytes behind its "
                                      "beginning: the chip's sectors are smaller than the map says, or the erase does "
                                      "nothing",
                                      FAULT},
    [TANDEM_PORTCHECK_ERASE_NEIGHBOUR] = {"erase-neighbour",
                                          "the erase of another sector changed this one: the chip's sectors are larger "
                                          "than the map says, or the wrong one is erased",
                                          FAULT},
    [TANDEM_PORTCHECK_ERASE_AGAIN] = {"erase-again",
                                      "a sector that is erased cannot be erased again, or is not erased afterwards: "
                                      "Tandem erases before each use, whatever a sector holds",
                                      FAULT},
    [TANDEM_PORTCHECK_PROGRAM] = {"program",
                                  "an erased unit cannot be programmed: is the flash unlocked, is program_unit right?",
                                  FAULT},
    [TANDEM_PORTCHECK_READ_BACK] = {"read-back",
                                    "what was programmed reads differently: is the address right, the byte order, is a "
                                    "cache discarded?",
                                    FAULT},
    [TANDEM_PORTCHECK_PROGRAM_BEYOND] = {"program-beyond",
                                         "programming changed this cell, which lies outside what was given: are size "
                                         "and address rounded?",
                                         FAULT},
    [TANDEM_PORTCHECK_UNIT_SMALL] = {"unit-small",
                                     "a unit cannot be programmed beside one that is, or disturbs it: the chip writes "
                                     "(or protects by ECC) more at once. Set program_unit to %v",
                                     FAULT},
    [TANDEM_PORTCHECK_PROGRAM_RUN] = {"program-run",
                                      "%v bytes in one call are not programmed right, while single units are: program "
                                      "must take any number of units",
                                      FAULT},
    [TANDEM_PORTCHECK_PROGRAM_SOURCE] = {"program-source",
                                         "data that lie at an address of 8n + %v are not programmed right: copy each "
                                         "unit to an aligned variable first",
                                         FAULT},
    [TANDEM_PORTCHECK_PROGRAM_BORDER] = {"program-border",
                                         "a call that goes on into the next sector is not done right: split it there",
                                         FAULT},
    [TANDEM_PORTCHECK_READ] = {"read", "cells that are sound cannot be read", FAULT},
    [TANDEM_PORTCHECK_READ_ODD] =
        {"read-odd",
         "a read of %v bytes from here is not right: read must take any address, any size and "
         "any destination",
         FAULT},
    [TANDEM_PORTCHECK_READ_BORDER] = {"read-border", "a read of %v bytes over the end of a sector is not right", FAULT},
    [TANDEM_PORTCHECK_READ_DEST] = {"read-dest",
                                    "a read of %v bytes wrote beside the bytes asked for: it destroys its caller's "
                                    "memory",
                                    FAULT},
    [TANDEM_PORTCHECK_SYNC] = {"sync", "sync fails", FAULT},
    [TANDEM_PORTCHECK_OUTSIDE] = {"outside",
                                  "something outside the scratch area changed meanwhile: the port writes where it was "
                                  "not told to, or somebody else writes to this flash",
                                  FAULT},
    [TANDEM_PORTCHECK_TWICE] = {"twice", "", INFO},
    [TANDEM_PORTCHECK_ODD_PROGRAM] = {"odd-program",
                                      "%v bytes were taken here, which are not whole units: refuse them, so that a "
                                      "mistake shows",
                                      WARNING},
    [TANDEM_PORTCHECK_ODD_ERASE] = {"odd-erase",
                                    "an erase was taken here, where no sector begins: refuse it, so that a mistake "
                                    "shows",
                                    WARNING},
    [TANDEM_PORTCHECK_READ_OUTSIDE] = {"read-outside",
                                       "what lies outside the map can be read: refuse it; does the address wrap?",
                                       FAULT},
    [TANDEM_PORTCHECK_PROGRAM_OUTSIDE] = {"program-outside",
                                          "what lies outside the map can be programmed: refuse it; does the address "
                                          "wrap?",
                                          FAULT},
    [TANDEM_PORTCHECK_ERASE_OUTSIDE] = {"erase-outside",
                                        "what lies outside the map can be erased: refuse it; does the address wrap?",
                                        FAULT},
    [TANDEM_PORTCHECK_NOT_TRIED] = {"not-tried",
                                    "some of the probes were not asked for: a second program, odd sizes, addresses "
                                    "outside",
                                    INFO},
    [TANDEM_PORTCHECK_STOPPED] = {"stopped", "the rest was not tried: mend this first", INFO},
    [TANDEM_PORTCHECK_TIME_ERASE] = {"time-erase", "an erase takes up to %v us", INFO},
    [TANDEM_PORTCHECK_TIME_PROGRAM] = {"time-program", "programming 1 KB takes %v us", INFO},
    [TANDEM_PORTCHECK_TIME_READ] = {"time-read", "reading 1 KB takes %v us", INFO},
    [TANDEM_PORTCHECK_TIME_CALL] = {"time-call",
                                    "one call holds the processor for %v us, longer than the watchdog waits: begin the "
                                    "operation and answer TANDEM_AGAIN, or give the watchdog more time",
                                    WARNING},
    [TANDEM_PORTCHECK_TIME_RATE] = {"time-rate", "%v bytes a second can be erased and programmed", INFO},
    [TANDEM_PORTCHECK_TIME_SLOW] = {"time-slow",
                                    "%v bytes a second can be erased and programmed, fewer than the link brings: erase "
                                    "in idle time, or in larger sectors",
                                    WARNING},
    [TANDEM_PORTCHECK_WEAR] = {"wear", "the check erased no sector more than %v times", INFO},
    [TANDEM_PORTCHECK_KEPT] = {"kept", "the pattern is all there: what was said to be written is durable", INFO},
    [TANDEM_PORTCHECK_KEPT_NONE] = {"kept-none",
                                    "there is no pattern: it was not written, or the flash has kept nothing at all",
                                    FAULT},
    [TANDEM_PORTCHECK_KEPT_LOST] = {"kept-lost",
                                    "what was written before the reset is not here any more: TANDEM_OK was said before "
                                    "the cells had it, sync does nothing, or the start-up erases",
                                    FAULT},
    [TANDEM_PORTCHECK_CUT_BEGIN] = {"cut-begin", "no round is found: the drill begins", INFO},
    [TANDEM_PORTCHECK_CUT_ROUND] = {"cut-round", "round %v is found", INFO},
    [TANDEM_PORTCHECK_CUT_NONE] = {"cut-none", "nothing was being written when the power failed", INFO},
    [TANDEM_PORTCHECK_CUT_PROGRAM] = {"cut-program", "the power failed between two calls: nothing is torn", INFO},
    [TANDEM_PORTCHECK_CUT_UNITS] = {"cut-units",
                                    "a program call was cut short between its units: some are done, others not", INFO},
    [TANDEM_PORTCHECK_CUT_UNIT] = {"cut-unit",
                                   "a unit is torn: %v bytes are neither erased nor what was being programmed. Tandem "
                                   "allows for it",
                                   INFO},
    [TANDEM_PORTCHECK_CUT_ERASE] = {"cut-erase",
                                    "an erase was cut short: the sector is neither as it was nor erased. Tandem allows "
                                    "for it",
                                    INFO},
    [TANDEM_PORTCHECK_CUT_UNSTABLE] = {"cut-unstable",
                                       "cells that were cut read differently from one time to the next. Tandem allows "
                                       "for it",
                                       INFO},
    [TANDEM_PORTCHECK_CUT_READ] = {"cut-read",
                                   "cells that were cut cannot be read, and the port says so with TANDEM_ERROR_FLASH: "
                                   "as it should be",
                                   INFO},
    [TANDEM_PORTCHECK_CUT_BEYOND] = {"cut-beyond",
                                     "a cut changed cells of the sector that were not in the call under way: Tandem "
                                     "cannot rely on what it has written. Is brown-out detection on, is the write "
                                     "buffer larger than the port knows?",
                                     FAULT},
    [TANDEM_PORTCHECK_CUT_NEIGHBOUR] = {"cut-neighbour",
                                        "a cut changed this sector while another one was written: no dual bank is safe "
                                        "on such flash. Is brown-out detection on, is the sector map right?",
                                        FAULT},
};

const char *tandem_portcheck_name(enum tandem_portcheck_id id)
{
    return (unsigned)id < TANDEM_PORTCHECK_IDS ? words[id].name : "";
}

const char *tandem_pc_words(enum tandem_portcheck_id id, enum tandem_portcheck_severity *severity)
{
    *severity = words[id].severity;
    return words[id].text;
}

/* ---- a line ---- */

struct line {
    char *text;
    size_t size, fill;
};

static void put(struct line *line, char letter)
{
    if (line->fill + 1 < line->size)
        line->text[line->fill++] = letter;
}

static void put_text(struct line *line, const char *text)
{
    while (*text != '\0')
        put(line, *text++);
}

static void put_decimal(struct line *line, uint32_t value)
{
    uint32_t place = 1;
    while (value / place >= 10)
        place *= 10;
    for (; place != 0; place /= 10)
        put(line, (char)('0' + value / place % 10));
}

static void put_hex(struct line *line, uint32_t value, unsigned digits)
{
    put_text(line, "0x");
    while (digits-- != 0)
        put(line, "0123456789abcdef"[value >> 4 * digits & 15]);
}

const char *tandem_portcheck_line(const struct tandem_portcheck_finding *finding, char *text, size_t size)
{
    static const char *const weights[] = {"info     ", "WARNING  ", "FAULT    "};
    struct line line = {text, size, 0};
    put_text(&line, weights[finding->severity]);
    put_text(&line, tandem_portcheck_name(finding->id));
    if (finding->address != TANDEM_PORTCHECK_NOWHERE) {
        put_text(&line, " at ");
        put_hex(&line, finding->address, 8);
    }
    put_text(&line, ": ");
    for (const char *from = finding->text; *from != '\0'; from++) {
        if (*from == '%' && (from[1] == 'v' || from[1] == 'x')) {
            if (*++from == 'v')
                put_decimal(&line, finding->value);
            else
                put_hex(&line, finding->value, 2);
        } else {
            put(&line, *from);
        }
    }
    if (size != 0)
        text[line.fill] = '\0';
    return text;
}
