/*
 * The steps of the port checker's run, in their order. Each reports what it
 * finds, and returns whether the next ones make sense.
 */
#ifndef TANDEM_PORTCHECK_CELLS_H
#define TANDEM_PORTCHECK_CELLS_H

#include "portcheck/portcheck_ops.h"

int tandem_pc_try_erase(struct tandem_pc *pc);   /* each sector, whatever it holds */
int tandem_pc_try_units(struct tandem_pc *pc);   /* units one by one, in any order */
int tandem_pc_try_runs(struct tandem_pc *pc);    /* several units in a call */
int tandem_pc_try_sources(struct tandem_pc *pc); /* data at any address in RAM */
int tandem_pc_try_border(struct tandem_pc *pc);  /* a call over the end of a sector */
int tandem_pc_try_fill(struct tandem_pc *pc);    /* all of the scratch area */
int tandem_pc_try_reads(struct tandem_pc *pc);   /* any address, any size, any destination */
int tandem_pc_try_alias(struct tandem_pc *pc);   /* each address has cells of its own */
int tandem_pc_try_erases(struct tandem_pc *pc);  /* a sector between sectors that hold something */
int tandem_pc_try_probes(struct tandem_pc *pc);  /* what Tandem never does, inside the scratch area; sync; tidy up */
int tandem_pc_try_outside(struct tandem_pc *pc); /* the same outside the map */

#endif
