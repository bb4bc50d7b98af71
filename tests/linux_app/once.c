/*
 * A program for the supervisor: confirms itself and ends. Its exit code is its
 * version, so that whoever looks knows what ran.
 */
#include <stdio.h>

#include "product.h"

static struct product product;
static struct tandem_linux_app app;
static struct tandem_bank bank;
static uint8_t buffer[TANDEM_LINUX_APP_BUFFER];

int main(int argc, char **argv)
{
    char reason[TANDEM_POSIX_REASON_SIZE];
    if (argc != 2 || product_describe(&product, argv[1]) != 0)
        return 100;
    if (tandem_linux_app_open(&app, &product.options, reason) != TANDEM_OK)
        return 101;
    if (tandem_bank_open(&bank, &app.device) != TANDEM_OK)
        return 102;
    if (tandem_bank_confirm(&bank, buffer, sizeof buffer) != TANDEM_OK)
        return 103;
    tandem_linux_app_close(&app);
    return ONCE_RELEASE;
}
