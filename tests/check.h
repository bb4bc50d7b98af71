/*
 * The tests' few words. A test program is a main() that calls RUN() for each
 * of its test functions and returns check_report(). It needs nothing but a C
 * compiler, so the tests also run where no package manager is: on a board, in
 * an emulator, on a customer's machine.
 */
#ifndef TANDEM_TESTS_CHECK_H
#define TANDEM_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test and its rig are several files: they count together. */
#ifdef __GNUC__
#define CHECK_SHARED __attribute__((weak))
#else
#define CHECK_SHARED static
#endif
CHECK_SHARED unsigned check_count;    /* assertions made */
CHECK_SHARED unsigned check_failures; /* assertions that did not hold */
CHECK_SHARED unsigned check_tests;    /* test functions run */

/* Assert; on failure say where and go on. */
#define CHECK(condition) check_that((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
/* Assert that two integers are equal; on failure print both. */
#define CHECK_EQUAL(got, want) check_equal((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
/* Assert that `size` bytes are equal; on failure print both in hexadecimal. */
#define CHECK_BYTES(got, want, size) check_bytes((got), (want), (size), #got, __FILE__, __LINE__)
/* Assert what nothing after it can do without: on failure end the program. */
#define REQUIRE(condition)                     \
    do {                                       \
        if (!CHECK(condition)) {               \
            fprintf(stderr, "cannot go on\n"); \
            exit(1);                           \
        }                                      \
    } while (0)
/* Run one test function. */
#define RUN(function)                                                                  \
    do {                                                                               \
        unsigned before_ = check_failures;                                             \
        function();                                                                    \
        check_tests++;                                                                 \
        printf("%s %s\n", check_failures == before_ ? "ok    " : "FAILED", #function); \
        fflush(stdout);                                                                \
    } while (0)

static inline int check_that(int holds, const char *text, const char *file, int line)
{
    check_count++;
    if (!holds) {
        check_failures++;
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, text);
    }
    return holds;
}

static inline int check_equal(long long got, long long want, const char *text, const char *file, int line)
{
    check_count++;
    if (got == want)
        return 1;
    check_failures++;
    fprintf(stderr, "%s:%d: %s is %lld (0x%llx), should be %lld (0x%llx)\n", file, line, text, got,
            (unsigned long long)got, want, (unsigned long long)want);
    return 0;
}

static inline void check_hex(const char *name, const unsigned char *data, size_t size)
{
    fprintf(stderr, "  %s ", name);
    for (size_t i = 0; i < size && i < 80; i++)
        fprintf(stderr, "%02x", data[i]);
    fprintf(stderr, "%s\n", size > 80 ? "..." : "");
}

static inline int check_bytes(const void *got, const void *want, size_t size, const char *text, const char *file,
                              int line)
{
    check_count++;
    if (size == 0 || memcmp(got, want, size) == 0)
        return 1;
    check_failures++;
    fprintf(stderr, "%s:%d: %s differs\n", file, line, text);
    check_hex("got ", (const unsigned char *)got, size);
    check_hex("want", (const unsigned char *)want, size);
    return 0;
}

/* Say how it went. A program that asserted nothing has failed. */
static inline int check_report(void)
{
    printf("%u tests, %u checks, %u failures\n", check_tests, check_count, check_failures);
    return check_failures != 0 || check_count == 0;
}

#endif
