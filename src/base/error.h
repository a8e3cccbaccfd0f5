#ifndef AK_BASE_ERROR_H
#define AK_BASE_ERROR_H
/* How the library reports failures: one call that fills the caller's akidb_error and returns the
 * status, so that a failing branch is one line: `return ak_fail(err, AKIDB_E_..., "...", ...)`. */
#include <stdarg.h>

#include "akidb/base.h"

#if defined(__GNUC__) || defined(__clang__)
#define AK_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define AK_PRINTF(text, first)
#endif

/* Where a failure happened. Build one with the macros below: zero is a legal row and offset. */
typedef struct ak_place {
    const char *object; /* key or path; NULL: none */
    const char *column; /* NULL: none */
    int64_t row;        /* -1: none */
    int64_t offset;     /* -1: none */
} ak_place;

#define AK_NOWHERE                  ((ak_place){NULL, NULL, -1, -1})
#define AK_IN(object)               ((ak_place){(object), NULL, -1, -1})
#define AK_AT(object, offset)       ((ak_place){(object), NULL, -1, (int64_t)(offset)})
#define AK_ROW(object, row, column) ((ak_place){(object), (column), (int64_t)(row), -1})

/* Fills *err, when given, and returns `status`. The message becomes
 * "object: row R: column C: at byte O: text", without what the place does not say. The text says
 * what was being done, what was expected and what was found; it has no final newline or period. */
akidb_status ak_fail_at(akidb_error *err, akidb_status status, ak_place place, const char *format,
                        ...) AK_PRINTF(4, 5);

#define ak_fail(err, status, ...) ak_fail_at((err), (status), AK_NOWHERE, __VA_ARGS__)

/* For a failed system call: the status that `error_number` stands for, and its text at the end. */
akidb_status ak_fail_errno(akidb_error *err, int error_number, const char *object,
                           const char *format, ...) AK_PRINTF(4, 5);

/* AKIDB_E_OUT_OF_MEMORY; `size` is what was asked for, in bytes. */
akidb_status ak_fail_memory(akidb_error *err, size_t size);

/* The three above in calls, so that a compiler and an analyzer know what a reader knows: a failure
 * is never AKIDB_OK, and what follows a call that succeeded has its outputs. */
static inline akidb_status ak_failed(akidb_status status)
{
    return status == AKIDB_OK ? AKIDB_E_VALIDATION : status;
}
#define ak_fail_at(...)     ak_failed(ak_fail_at(__VA_ARGS__))
#define ak_fail_errno(...)  ak_failed(ak_fail_errno(__VA_ARGS__))
#define ak_fail_memory(...) ak_failed(ak_fail_memory(__VA_ARGS__))

/* Puts "text: " before the message of an error that a lower layer has filled; status and place
 * stay. For what only the caller knows, e.g. which snapshot was being restored. */
void ak_error_context(akidb_error *err, const char *format, ...) AK_PRINTF(2, 3);

#endif
