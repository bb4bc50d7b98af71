/*
 * The engine as a filter, for vectors that are kept elsewhere: reads a case a
 * line, words separated by a space, bytes in hexadecimal after an "=", and
 * answers each with a line.
 *
 *   ed25519 =key =signature =message       1 or 0
 *   p256 =key =signature =message          1 or 0
 *   hmac =key =message                     the tag
 *   hkdf =secret =salt =info size          the output, or "refused"
 *   encrypt =key =blocks                   AES of each block
 *   sign =seed =message                    the Ed25519 signature
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "tandem/crypto.h"

#define LINE 400000

static char line[LINE];
static uint8_t bytes[4][LINE / 2];
static size_t sizes[4];

static void print_bytes(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", data[i]);
    printf("\n");
}

static int verdict(const char *what)
{
    uint8_t digest[32];

    if (sizes[1] != TANDEM_SIGNATURE_SIZE)
        return 0;
    if (strcmp(what, "ed25519") == 0)
        return sizes[0] == TANDEM_ED25519_KEY_SIZE &&
               tandem_ed25519_verify(bytes[1], bytes[0], bytes[2], sizes[2]) == TANDEM_OK;
    tandem_sha256(NULL, bytes[2], sizes[2], digest);
    return sizes[0] == TANDEM_P256_KEY_SIZE && tandem_p256_verify(bytes[1], bytes[0], digest) == TANDEM_OK;
}

static void answer(const char *what, size_t size)
{
    static uint8_t out[255 * 32 + 64];

    if (strcmp(what, "hmac") == 0) {
        struct tandem_hmac_sha256 mac;

        tandem_hmac_sha256_init(&mac, NULL, bytes[0], sizes[0]);
        tandem_hmac_sha256_update(&mac, bytes[1], sizes[1]);
        tandem_hmac_sha256_final(&mac, out);
        print_bytes(out, 32);
    } else if (strcmp(what, "hkdf") == 0) {
        if (size > sizeof out || tandem_hkdf_sha256(NULL, bytes[1], sizes[1], bytes[0], sizes[0], bytes[2], sizes[2],
                                                    out, size) != TANDEM_OK)
            printf("refused\n");
        else
            print_bytes(out, size);
    } else if (strcmp(what, "encrypt") == 0) {
        struct tandem_aes aes;

        tandem_aes_init(&aes, NULL, bytes[0], sizes[0]);
        tandem_aes_encrypt(&aes, bytes[1], bytes[1], sizes[1] / 16);
        print_bytes(bytes[1], sizes[1]);
    } else if (strcmp(what, "sign") == 0) {
        tandem_ed25519_sign(out, bytes[0], bytes[1], sizes[1]);
        print_bytes(out, 64);
    } else {
        printf("%d\n", verdict(what));
    }
}

int main(void)
{
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *what = strtok(line, " \n");
        size_t count = 0;
        size_t size = 0;

        if (what == NULL)
            continue;
        for (char *word = strtok(NULL, " \n"); word != NULL && count < 4; word = strtok(NULL, " \n")) {
            if (word[0] == '=') {
                sizes[count] = hex(bytes[count], word + 1);
                count++;
            } else {
                size = (size_t)strtoul(word, NULL, 10);
            }
        }
        answer(what, size);
    }
    return 0;
}
