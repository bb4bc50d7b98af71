/*
 * What the fuzz targets share: the entry point that libFuzzer and the driver
 * call, and a check that ends the program.
 */
#ifndef TANDEM_FUZZ_H
#define TANDEM_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is. */
#define MUST(condition)                                                             \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

/* A fault planted on purpose, to show that the target would find it: environment TANDEM_PLANT set. */
static inline int fuzz_planted(void)
{
    return getenv("TANDEM_PLANT") != NULL;
}

/* Input as a script: numbers taken from its front, zeros when it is used up. */
struct fuzz_script {
    const uint8_t *data;
    size_t size;
};

static inline uint8_t fuzz_byte(struct fuzz_script *script)
{
    if (script->size == 0)
        return 0;
    script->size--;
    return *script->data++;
}

static inline uint32_t fuzz_number(struct fuzz_script *script, unsigned bytes)
{
    uint32_t number = 0;

    for (unsigned i = 0; i < bytes; i++)
        number |= (uint32_t)fuzz_byte(script) << (8 * i);
    return number;
}

#endif
