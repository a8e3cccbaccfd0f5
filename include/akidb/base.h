#ifndef AKIDB_BASE_H
#define AKIDB_BASE_H
/*
 * What every other header rests on: status and error, slices and buffers, UUIDs, times, hooks.
 *
 *   Errors     A function that can fail returns akidb_status (0 is success) and takes, last, an
 *              akidb_error that may be NULL. On failure its outputs are zeroed and the error, when
 *              given, says what was being done, to which object, where, what was expected and what
 *              was found. On success the error is left as it was.
 *   Ownership  X_new and X_open give what you hand back to X_free or X_close; NULL is fine there.
 *              Input pointers are borrowed for the call only, unless a function says otherwise.
 *   Options    An options struct begins with struct_size, which you set to sizeof of that struct;
 *              every other field may stay zero, which means the default. A NULL options pointer
 *              means all defaults. One options struct holds another by pointer only. So a struct
 *              can grow without breaking its callers.
 *   Threads    All functions of this header may be called from any thread at any time.
 *   Host       The library never prints, never exits, installs no signal handler, keeps no mutable
 *              globals and asserts nothing about its input.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define AKIDB_API   __attribute__((visibility("default")))
#define AKIDB_CHECK __attribute__((warn_unused_result))
#else
#define AKIDB_API
#define AKIDB_CHECK
#endif

#ifdef __cplusplus
#define AKIDB_BEGIN_DECLS extern "C" {
#define AKIDB_END_DECLS   }
#else
#define AKIDB_BEGIN_DECLS
#define AKIDB_END_DECLS
#endif

AKIDB_BEGIN_DECLS

#define AKIDB_VERSION_MAJOR  0
#define AKIDB_VERSION_MINOR  1
#define AKIDB_VERSION_PATCH  0
#define AKIDB_VERSION_STRING "0.1.0"

/* The version of the library that is running, e.g. "0.1.0"; lives as long as the program. */
AKIDB_API const char *akidb_version(void);

/* ---- status and error ------------------------------------------------------------------------ */

/* The values are stable. "Missing", "corrupt" and "unreachable" are three different answers. */
typedef enum akidb_status {
    AKIDB_OK = 0,
    AKIDB_E_VALIDATION = 1,     /* the caller's input breaks a rule; nothing was changed */
    AKIDB_E_NOT_FOUND = 2,      /* the named thing is not there */
    AKIDB_E_ALREADY_EXISTS = 3, /* the named thing is there, and must not be */
    AKIDB_E_PRECONDITION = 4,   /* a condition of the call no longer holds */
    AKIDB_E_UNCERTAIN = 5,      /* the answer was lost: it may have happened; read before a retry */
    AKIDB_E_CORRUPTION = 6,     /* stored bytes are not what was written */
    AKIDB_E_IO = 7,             /* the operating system refused or failed: disk full, EIO, ... */
    AKIDB_E_STORE = 8,          /* the object store could not be reached or answered nonsense */
    AKIDB_E_PERMISSION = 9,     /* not allowed */
    AKIDB_E_TIMEOUT = 10,       /* gave up waiting */
    AKIDB_E_UNSUPPORTED = 11,   /* valid, but not something this version does */
    AKIDB_E_LIMIT = 12,         /* a configured or built-in limit would be passed */
    AKIDB_E_OUT_OF_MEMORY = 13, /* an allocation failed; nothing was changed */
    AKIDB_E_CANCELLED = 14      /* a progress hook asked to stop; nothing visible is left */
} akidb_status;

/* A short lower-case name, e.g. "not found"; "unknown status" for a value that is none. */
AKIDB_API const char *akidb_status_name(akidb_status status);

/* Detail of a failure. Owned by the caller, holds no pointers, may be copied and reused.
 * Initialise with {0} or not at all: it is only ever written on failure. */
typedef struct akidb_error {
    akidb_status status;
    int64_t offset;     /* byte offset in the object, or -1 */
    int64_t row;        /* row, counted from 0, or -1 */
    char column[64];    /* column name, or "" */
    char object[1100];  /* key, path or id of the object, or "" */
    char message[1400]; /* one line of UTF-8 without a final newline; tells all of the above */
} akidb_error;

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Borrowed bytes. data may be NULL when size is 0. */
typedef struct akidb_slice {
    const void *data;
    size_t size;
} akidb_slice;

/* Borrowed room for bytes. data may be NULL when size is 0. */
typedef struct akidb_piece {
    void *data;
    size_t size;
} akidb_piece;

/* Bytes that own their memory. Start from {0}; hand back to akidb_buffer_free. */
typedef struct akidb_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity; /* of data, in bytes */
} akidb_buffer;

/* Frees the memory and zeroes the struct. NULL is fine. */
AKIDB_API void akidb_buffer_free(akidb_buffer *buffer);

/* For an option whose default is neither on nor off by being zero. */
typedef enum akidb_toggle { AKIDB_DEFAULT = 0, AKIDB_ON = 1, AKIDB_OFF = 2 } akidb_toggle;

/* ---- UUIDs (RFC 9562; bytes in network order) ------------------------------------------------ */

typedef struct akidb_uuid {
    uint8_t bytes[16];
} akidb_uuid;

#define AKIDB_UUID_TEXT_SIZE 37 /* 36 characters and a NUL */

/* Version 4, from the operating system's random numbers. AKIDB_E_IO when there are none. */
AKIDB_API AKIDB_CHECK akidb_status akidb_uuid_new_v4(akidb_uuid *uuid_out, akidb_error *err);

/* Version 5: SHA-1 over the namespace's bytes and `name`. */
AKIDB_API AKIDB_CHECK akidb_status akidb_uuid_new_v5(const akidb_uuid *name_space, akidb_slice name,
                                                     akidb_uuid *uuid_out, akidb_error *err);

/* Reads 36 characters, in any case, with hyphens; AKIDB_E_VALIDATION for anything else. */
AKIDB_API AKIDB_CHECK akidb_status akidb_uuid_parse(const char *text, akidb_uuid *uuid_out,
                                                    akidb_error *err);

/* Writes lower-case text with hyphens and a NUL into text_out. */
AKIDB_API void akidb_uuid_format(const akidb_uuid *uuid, char text_out[AKIDB_UUID_TEXT_SIZE]);

/* Below, at or above 0 as a sorts before, with or after b: bytewise, as the text sorts too. */
AKIDB_API int akidb_uuid_compare(const akidb_uuid *a, const akidb_uuid *b);

/* The UUID of a collection that the user named: `name` itself when it is a UUID, otherwise the
 * version 5 UUID of its exact bytes in the namespace 0945db03-3ed2-5aea-b1b9-96709bcb3b20.
 * AKIDB_E_VALIDATION when the name is empty, over 1,024 bytes or not UTF-8. */
AKIDB_API AKIDB_CHECK akidb_status akidb_collection_id(const char *name, akidb_uuid *uuid_out,
                                                       akidb_error *err);

/* ---- times: UTC, microseconds since 1970-01-01T00:00:00Z ------------------------------------- */

#define AKIDB_TIME_MIN       INT64_C(-62135596800000000) /* 0001-01-01T00:00:00Z */
#define AKIDB_TIME_MAX       INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
#define AKIDB_TIME_TEXT_SIZE 28 /* "2026-11-22T09:00:00.000000Z" and a NUL */

/* Writes RFC 3339 text with six decimals and "Z". `time` must lie within the limits above. */
AKIDB_API void akidb_time_format(int64_t time, char text_out[AKIDB_TIME_TEXT_SIZE]);

/* Reads an RFC 3339 time with up to nine decimals (beyond six only zeros) and "Z" or an offset, or
 * a date alone ("2026-11-22", midnight UTC). AKIDB_E_VALIDATION for anything else. */
AKIDB_API AKIDB_CHECK akidb_status akidb_time_parse(const char *text, int64_t *time_out,
                                                    akidb_error *err);

/* ---- hooks: what a long call tells its caller while it runs ---------------------------------- */

typedef struct akidb_progress {
    uint64_t rows_done;
    uint64_t rows_total; /* 0 when not known */
    uint64_t bytes_done;
    uint64_t bytes_total; /* 0 when not known */
} akidb_progress;

typedef enum akidb_log_level { AKIDB_LOG_INFO = 0, AKIDB_LOG_WARNING = 1 } akidb_log_level;

/* Any function may be NULL. They are called from the thread that made the long call, except log,
 * which any thread of the library may call, one call at a time. */
typedef struct akidb_hooks {
    void *context; /* handed to each function */
    /* Called at least once a second; false asks to stop, and the call ends with
     * AKIDB_E_CANCELLED within a second, leaving nothing visible behind. */
    bool (*progress)(void *context, const akidb_progress *progress);
    /* Retries, fallbacks and leftovers that could not be removed. `message` is one line, borrowed
     * until the function returns. */
    void (*log)(void *context, akidb_log_level level, const char *message);
} akidb_hooks;

AKIDB_END_DECLS
#endif
