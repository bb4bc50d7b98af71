/*
 * `tandem pack --format ...`: files for other makers' tools and apps.
 */
#ifndef TANDEM_PACK_FOREIGN_H
#define TANDEM_PACK_FOREIGN_H

/* Whether the command line asks for a format of others. Returns 1 or 0. */
int pack_foreign_asked(int argc, char **argv);
/* Do it. argv[0] is the command's name; returns the exit code. */
int pack_foreign(int argc, char **argv);

#endif
