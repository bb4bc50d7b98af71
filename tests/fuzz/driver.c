/*
 * Runs a fuzz target without libFuzzer: every file of its corpus, then seeded
 * mutations of them. Any compiler will do, and the same seed does the same.
 *
 *   fuzz_x [-seed=N] [-runs=N] FILE_OR_FOLDER...
 *
 * When the target dies, the seed and the number of the run are printed and
 * its input is left in the file crash-N; give that file as the only argument.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX 65536
#define INPUTS_MAX 1024

struct input {
    uint8_t *data;
    size_t size;
};

static struct input inputs[INPUTS_MAX];
static unsigned input_count;
static uint64_t state;
static uint8_t current[INPUT_MAX];
static size_t current_size;
static unsigned long long seed = 1, number;

static uint32_t below(uint32_t bound)
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return bound ? (uint32_t)(z % bound) : 0;
}

static void on_signal(int signal_number)
{
    char name[40], line[160];
    int file, length;
    ssize_t written;

    snprintf(name, sizeof name, "crash-%llu", number);
    file = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0666);
    length = snprintf(line, sizeof line, "signal %d in run %llu, seed %llu; its input is in %s\n", signal_number,
                      number, seed, name);
    written = write(2, line, (size_t)length);
    if (file >= 0) {
        written = write(file, current, current_size);
        close(file);
    }
    (void)written;
    _exit(1);
}

static void add_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct input *input = &inputs[input_count];

    if (!file || input_count == INPUTS_MAX) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    input->data = malloc(INPUT_MAX);
    if (!input->data)
        exit(2);
    input->size = fread(input->data, 1, INPUT_MAX, file);
    fclose(file);
    input_count++;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add(const char *path)
{
    char *names[INPUTS_MAX], full[4096];
    DIR *folder = opendir(path);
    struct dirent *entry;
    size_t count = 0;

    if (!folder) {
        add_file(path);
        return;
    }
    while ((entry = readdir(folder)) != NULL && count < INPUTS_MAX)
        if (entry->d_name[0] != '.')
            names[count++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, count, sizeof *names, compare_names); /* the same order everywhere */
    for (size_t i = 0; i < count; i++) {
        snprintf(full, sizeof full, "%s/%s", path, names[i]);
        add_file(full);
        free(names[i]);
    }
}

static void insert(size_t at, const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX - current_size)
        size = INPUT_MAX - current_size;
    memmove(current + at + size, current + at, current_size - at);
    memmove(current + at, data, size);
    current_size += size;
}

static void mutate(void)
{
    static const uint8_t special[] = {0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF, 16, 32, 64};
    uint8_t bytes[16];
    size_t at = below((uint32_t)current_size + 1), size;
    const struct input *other;

    switch (current_size ? below(8) : 5) {
    case 0:
        current[at % current_size] ^= (uint8_t)(1u << below(8));
        break;
    case 1:
        current[at % current_size] = (uint8_t)below(256);
        break;
    case 2:
        current[at % current_size] = special[below(sizeof special)];
        break;
    case 3:
        current[at % current_size] = (uint8_t)(current[at % current_size] + below(9) - 4);
        break;
    case 4: /* leave some out */
        size = below((uint32_t)(current_size - at < 32 ? current_size - at : 32) + 1);
        memmove(current + at, current + at + size, current_size - at - size);
        current_size -= size;
        break;
    case 5: /* put something in */
        size = below(sizeof bytes) + 1;
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)below(256);
        insert(at, bytes, size);
        break;
    case 6: /* the end of another */
        other = &inputs[below(input_count)];
        size = below((uint32_t)other->size + 1);
        current_size = at;
        insert(at, other->data + size, other->size - size);
        break;
    default: /* the same again */
        size = below((uint32_t)(current_size - at < 64 ? current_size - at : 64) + 1);
        insert(at, current + at, size);
        break;
    }
}

static void run_current(void)
{
    uint8_t *copy = malloc(current_size ? current_size : 1); /* exact, so that tools see reads beyond it */

    if (!copy)
        exit(2);
    memcpy(copy, current, current_size);
    LLVMFuzzerTestOneInput(copy, current_size);
    free(copy);
}

static void take(const struct input *input)
{
    memcpy(current, input->data, input->size);
    current_size = input->size;
}

int main(int argc, char **argv)
{
    unsigned long long runs = 20000;
    static const int deadly[] = {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL, SIGALRM};

    for (int i = 1; i < argc; i++)
        if (sscanf(argv[i], "-seed=%llu", &seed) != 1 && sscanf(argv[i], "-runs=%llu", &runs) != 1)
            add(argv[i]);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        signal(deadly[i], on_signal);
    state = seed;
    for (unsigned i = 0; i < input_count; i++, number++) {
        take(&inputs[i]);
        alarm(20);
        run_current();
    }
    if (input_count == 0)
        inputs[input_count++] = (struct input){(uint8_t *)malloc(1), 0};
    else if (input_count == 1 && number == 1 && inputs[0].size && strstr(argv[argc - 1], "crash-"))
        runs = 0; /* a replay */
    for (unsigned long long run = 0; run < runs; run++, number++) {
        state = seed ^ (run * 0xD6E8FEB86659FD93u);
        take(&inputs[below(input_count)]);
        for (unsigned left = below(6) + 1; left; left--)
            mutate();
        alarm(20);
        run_current();
    }
    printf("%u inputs, %llu mutations, seed %llu\n", input_count, runs, seed);
    for (unsigned i = 0; i < input_count; i++)
        free(inputs[i].data);
    return 0;
}
