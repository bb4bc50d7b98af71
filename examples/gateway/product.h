/*
 * The gateway as Tandem sees it: a Linux product of two files, a program and
 * its settings. One description for the supervisor and the program.
 *
 *   HOME/bin/gateway          the program
 *   HOME/bin/gateway.conf     its settings; a version may do without
 *   HOME/release.key.pub      the key that signs its packages, of `tandem keygen`
 *   HOME/state/               the two banks and the journal
 *   HOME/upgrade/             where files are dropped
 */
#ifndef PRODUCT_H
#define PRODUCT_H

#include "tandem_linux_app.h"

#define PRODUCT_NAME "gateway"

struct product {
    char program[TANDEM_LINUX_APP_PATH_SIZE], settings[TANDEM_LINUX_APP_PATH_SIZE];
    char state[TANDEM_LINUX_APP_PATH_SIZE], upgrade[TANDEM_LINUX_APP_PATH_SIZE];
    uint8_t key_bytes[32];
    struct tandem_key key;
    struct tandem_linux_file files[2];
    struct tandem_linux_app_options options;
};

/* Describe the product in a folder. Says on stderr what is wrong, and returns -1. */
int product_describe(struct product *product, const char *folder);

#endif
