/*
 * The gateway's description.
 */
#define _XOPEN_SOURCE 700 /* realpath() */

#include "product.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int path(char *out, const char *home, const char *name)
{
    int n = snprintf(out, TANDEM_LINUX_APP_PATH_SIZE, "%s/%s", home, name);
    if (n > 0 && n < TANDEM_LINUX_APP_PATH_SIZE)
        return 0;
    fprintf(stderr, "%s: the name is too long\n", home);
    return -1;
}

/* The one line of a public key file: what it is, of which kind, 64 hexadecimal digits. */
static int read_key(struct product *product, const char *home)
{
    char name[TANDEM_LINUX_APP_PATH_SIZE], line[256], hex[65] = "";
    if (path(name, home, "release.key.pub") != 0)
        return -1;
    FILE *file = fopen(name, "r");
    if (file == NULL) {
        perror(name);
        return -1;
    }
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "tandem-public ed25519 %64[0-9a-f]", hex) == 1)
            break;
    (void)fclose(file);
    for (unsigned i = 0; i < sizeof product->key_bytes; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) {
            fprintf(stderr, "%s: not a public Ed25519 key of `tandem keygen`\n", name);
            return -1;
        }
        product->key_bytes[i] = (uint8_t)byte;
    }
    return 0;
}

static int find_all(struct product *product, const char *home)
{
    if (path(product->program, home, "bin/gateway") != 0 || path(product->settings, home, "bin/gateway.conf") != 0 ||
        path(product->state, home, "state") != 0 || path(product->upgrade, home, "upgrade") != 0)
        return -1;
    return read_key(product, home);
}

int product_describe(struct product *product, const char *folder)
{
    memset(product, 0, sizeof *product);
    char *home = realpath(folder, NULL);
    if (home == NULL)
        perror(folder);
    int bad = home == NULL || find_all(product, home) != 0;
    free(home);
    if (bad)
        return -1;
    product->files[0].kind = TANDEM_KIND_APPLICATION;
    product->files[0].path = product->program;
    product->files[0].size_max = 8u << 20;
    product->files[1].kind = TANDEM_KIND_CONFIG;
    product->files[1].optional = 1;
    product->files[1].path = product->settings;
    product->files[1].size_max = 64u << 10;
    product->key.type = TANDEM_KEY_ED25519;
    product->key.key = product->key_bytes;
    product->options.state = product->state;
    product->options.files = product->files;
    product->options.file_count = 2;
    product->options.device.vendor = "tandem";
    product->options.device.product = PRODUCT_NAME;
    product->options.device.hardware = 1;
    product->options.device.keys = &product->key;
    product->options.device.key_count = 1;
    return 0;
}
