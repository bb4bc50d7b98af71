/*
 * Calls something of each half, in the language that C and C++ share.
 */
#include <stdio.h>
#include <string.h>

#include <tandem/tandem.h>

int main(void)
{
    uint8_t digest[TANDEM_SHA256_SIZE];
    int failures = 0;

    /* FIPS 180-4's example, by its first byte */
    failures += tandem_sha256(NULL, "abc", 3, digest) != TANDEM_OK || digest[0] != 0xBA;
#ifndef NO_HOST
    failures += strcmp(tandem_status_text(TANDEM_OK), "") == 0;
#endif
#ifndef NO_DEVICE
    const char *reason = NULL;
    struct tandem_device device;
    memset(&device, 0, sizeof device);
    failures += tandem_device_check(&device, &reason) == TANDEM_OK || reason == NULL;
    failures += strcmp(tandem_portcheck_name(TANDEM_PORTCHECK_ERASE), "erase") != 0;
#endif
    printf("tandem %s: %s\n", TANDEM_VERSION_STRING, failures == 0 ? "ok" : "FAILED");
    return failures;
}
