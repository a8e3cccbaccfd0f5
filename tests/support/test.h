#ifndef AK_TEST_H
#define AK_TEST_H
/* What every test includes: cmocka, and a few helpers that print the library's own error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "akidb/base.h"

/* The call must succeed; prints the error's message when it does not. `err` is an akidb_error. */
#define assert_ok(err, call)                                                                       \
    do {                                                                                           \
        akidb_status assert_ok_status = (call);                                                    \
        if (assert_ok_status != AKIDB_OK)                                                          \
            fail_msg("%s: %s: %s", #call, akidb_status_name(assert_ok_status), (err).message);     \
    } while (0)

/* The call must fail with just this status. */
#define assert_status(expected, call)                                                              \
    do {                                                                                           \
        akidb_status assert_status_found = (call);                                                 \
        if (assert_status_found != (expected))                                                     \
            fail_msg("%s: expected \"%s\", found \"%s\"", #call, akidb_status_name(expected),      \
                     akidb_status_name(assert_status_found));                                      \
    } while (0)

/* A reproducible stream of numbers (splitmix64). */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline void test_random_bytes(uint64_t seed, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)test_random(&seed);
}

#endif
