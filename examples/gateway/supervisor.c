/*
 * The gateway's supervisor: what systemd starts (gateway.service).
 *
 *   gateway-supervisor HOME [CONFIRM_MS]         run the product; a version on trial has so long, or 5 s
 *   gateway-supervisor HOME --install PACKAGE    install its first version, or heal it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "product.h"

static void say(void *ctx, const char *line)
{
    (void)ctx;
    printf("supervisor: %s\n", line);
    (void)fflush(stdout);
}

static int install(const struct product *product, const char *package)
{
    char reason[TANDEM_POSIX_REASON_SIZE];
    struct tandem_outcome outcome;
    enum tandem_status status = tandem_linux_app_install(&product->options, package, &outcome, reason);
    if (status == TANDEM_OK) {
        printf("supervisor: installed; the next start tries it\n");
        return 0;
    }
    fprintf(stderr, "supervisor: %s\n", reason[0] != '\0' ? reason : tandem_status_text(status));
    return (int)status;
}

int main(int argc, char **argv)
{
    static struct product product;
    unsigned long confirm_ms = argc == 3 ? strtoul(argv[2], NULL, 10) : 5000;
    if (argc < 2 || argc > 4 || (argc == 4 && strcmp(argv[2], "--install") != 0) || confirm_ms == 0 ||
        confirm_ms > 3600000) {
        fprintf(stderr, "usage: %s HOME [CONFIRM_MS | --install PACKAGE]\n", argv[0]);
        return 2;
    }
    if (product_describe(&product, argv[1]) != 0)
        return 1;
    if (argc == 4)
        return install(&product, argv[3]);
    char name[] = PRODUCT_NAME;
    char *arguments[] = {name, argv[1], NULL};
    struct tandem_linux_supervise_options options;
    memset(&options, 0, sizeof options);
    options.app = &product.options;
    options.arguments = arguments;
    options.confirm_ms = (uint32_t)confirm_ms;
    options.say = say;
    return tandem_linux_app_supervise(&options);
}
