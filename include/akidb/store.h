#ifndef AKIDB_STORE_H
#define AKIDB_STORE_H
/*
 * Object store: whole byte objects under string keys; one contract for every implementation.
 *
 *   Keys     NUL-terminated UTF-8 of 1 to 1,024 bytes, parts of at most 255 bytes divided by '/';
 *            no empty, "." or ".." part, no part that begins with ".akidb-tmp-", no control
 *            character (below U+0020, or U+007F). Anything else is AKIDB_E_VALIDATION. A key and
 *            the same key with '/' and more after it cannot both be stored everywhere: a store that
 *            cannot hold both (a disk) answers the later put with AKIDB_E_VALIDATION.
 *   Atomic   A put, a copy and an upload become visible whole or not at all, also after a crash.
 *   Durable  What a call reported as done survives a power cut.
 *   Threads  Any calls may run at once on one store, except that akidb_store_close runs alone. An
 *            upload belongs to one thread at a time.
 *   Errors   AKIDB_E_NOT_FOUND, AKIDB_E_ALREADY_EXISTS, AKIDB_E_PERMISSION and AKIDB_E_UNCERTAIN
 *            mean what base.h says; AKIDB_E_IO or AKIDB_E_STORE is all else that went wrong.
 *
 * Each line is a case of tests/conformance/store_suite.c, which runs on every implementation and
 * every wrapper. Who implements a store of his own includes akidb/sys/store_backend.h.
 */
#include "akidb/base.h"

AKIDB_BEGIN_DECLS

#define AKIDB_KEY_MAX 1024u

typedef struct akidb_store akidb_store;

/* ---- opening --------------------------------------------------------------------------------- */

/* Opens what the URI names: "file:///path", or a bare path, for a local folder; "memory:" for a
 * new store in memory; "s3://bucket/prefix" for a bucket, with the settings of the environment that
 * akidb/s3.h names. Another scheme is AKIDB_E_UNSUPPORTED. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_open(const char *uri, akidb_store **store_out,
                                                    akidb_error *err);

/* A folder of the local disk; objects are files under it, folders 0700 and files 0600. The folder
 * is made at the first write, if it is not there; reading a folder that is not there finds nothing.
 * A relative path means the working folder of now. Symbolic links are followed up to the folder and
 * never below it: AKIDB_E_PERMISSION. An object that was stored, or deleted, but could not be made
 * durable is AKIDB_E_UNCERTAIN; after such a put, so is "already exists" through this handle. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_local_open(const char *path, akidb_store **store_out,
                                                          akidb_error *err);

/* A new, empty store in memory; gone when it is closed. "Durable" means nothing here. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_memory_open(akidb_store **store_out,
                                                           akidb_error *err);

/* Frees the handle; stored objects stay. A wrapper does not close the store that it wraps. */
AKIDB_API void akidb_store_close(akidb_store *store);

/* What the store is, for messages, e.g. "file:///srv/akidb"; lives as long as the store. */
AKIDB_API const char *akidb_store_name(const akidb_store *store);

/* ---- objects --------------------------------------------------------------------------------- */

typedef enum akidb_put_mode {
    AKIDB_PUT_ALWAYS = 0,   /* create or replace */
    AKIDB_PUT_IF_ABSENT = 1 /* AKIDB_E_ALREADY_EXISTS when the key is taken: of many, one wins */
} akidb_put_mode;

/* Stores the slices, one after the other, as one object. AKIDB_E_UNCERTAIN: read before a retry. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_put(akidb_store *store, const char *key,
                                                   const akidb_slice *slices, size_t count,
                                                   akidb_put_mode mode, akidb_error *err);

/* Reads a whole object, at most max_size bytes of it: AKIDB_E_LIMIT when it is larger.
 * `buffer_out` is yours to free. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_get(akidb_store *store, const char *key,
                                                   uint64_t max_size, akidb_buffer *buffer_out,
                                                   akidb_error *err);

/* Fills dst with size bytes from offset on; *read_out is less than size only where the object
 * ends, and 0 at or past its end. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_get_range(akidb_store *store, const char *key,
                                                         uint64_t offset, void *dst, size_t size,
                                                         size_t *read_out, akidb_error *err);

/* The same into several pieces, none of them empty: they are filled one after the other, by one
 * request where the store has requests. *read_out is less than all of them together only where the
 * object ends; the room behind it holds anything. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_get_pieces(akidb_store *store, const char *key,
                                                          uint64_t offset,
                                                          const akidb_piece *pieces, size_t count,
                                                          size_t *read_out, akidb_error *err);

/* Whether a call costs little beyond its bytes, as on a local disk: then many small reads are as
 * good as a few large ones. A wrapper answers for the store that it wraps. */
AKIDB_API bool akidb_store_is_near(const akidb_store *store);

typedef struct akidb_object_info {
    uint64_t size;       /* in bytes */
    int64_t modified_at; /* microseconds since the epoch, by the store's own clock */
} akidb_object_info;

AKIDB_API AKIDB_CHECK akidb_status akidb_store_head(akidb_store *store, const char *key,
                                                    akidb_object_info *info_out, akidb_error *err);

AKIDB_API AKIDB_CHECK akidb_status akidb_store_exists(akidb_store *store, const char *key,
                                                      bool *exists_out, akidb_error *err);

/* Deleting what is not there is AKIDB_OK. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_delete(akidb_store *store, const char *key,
                                                      akidb_error *err);

/* Deletes many objects in as few requests as the store can: a bucket takes 1,000 keys in one. What
 * is not there counts as deleted, and a key that cannot be deleted does not keep the others.
 * outcomes_out (NULL: not wanted) has room for `count` and gets what became of each key; the call
 * returns one that is not AKIDB_OK, if there is any, and tells of it in *err. An illegal key is
 * AKIDB_E_VALIDATION for all of them, and nothing is deleted. After a cancel, and after 1,000 keys
 * of which none could be deleted, the rest is not tried and has the same outcome. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_delete_many(akidb_store *store,
                                                           const char *const *keys, size_t count,
                                                           akidb_status *outcomes_out,
                                                           akidb_error *err);

/* Copies an object within the store. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_copy(akidb_store *store, const char *from_key,
                                                    const char *to_key, akidb_put_mode mode,
                                                    akidb_error *err);

/* ---- listing --------------------------------------------------------------------------------- */

typedef struct akidb_list_entry {
    const char *key; /* borrowed until the visit returns */
    bool is_prefix;  /* keys that share this beginning up to the delimiter; info is zero */
    akidb_object_info info;
} akidb_list_entry;

typedef enum akidb_visit { AKIDB_VISIT_CONTINUE = 0, AKIDB_VISIT_STOP = 1 } akidb_visit;

typedef akidb_visit akidb_list_visitor(void *context, const akidb_list_entry *entry);

/* Visits the keys that begin with `prefix` (any string, "" for all), in byte order, each once. With
 * delimiter '/', keys that go on after the prefix past a '/' are told once, as a prefix that ends
 * in it; 0 tells every key. Objects put or deleted meanwhile may be told or not. The visitor may
 * call the store. A stop ends the list with AKIDB_OK. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_list(akidb_store *store, const char *prefix,
                                                    char delimiter, akidb_list_visitor *visitor,
                                                    void *context, akidb_error *err);

/* ---- uploads: objects written piece by piece ------------------------------------------------- */

typedef struct akidb_upload akidb_upload;

/* Begins an object; nothing is visible until the commit. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_upload_begin(akidb_store *store, const char *key,
                                                            akidb_put_mode mode,
                                                            akidb_upload **upload_out,
                                                            akidb_error *err);

/* Adds bytes at the end; the slices are borrowed for the call. After a failure only abort is left.
 */
AKIDB_API AKIDB_CHECK akidb_status akidb_upload_write(akidb_upload *upload,
                                                      const akidb_slice *slices, size_t count,
                                                      akidb_error *err);

/* Makes the object visible and durable, and frees the upload, whatever the outcome. */
AKIDB_API AKIDB_CHECK akidb_status akidb_upload_commit(akidb_upload *upload, akidb_error *err);

/* Forgets what was written and frees the upload. NULL is fine. */
AKIDB_API void akidb_upload_abort(akidb_upload *upload);

/* ---- leftovers ------------------------------------------------------------------------------- */

/* Removes what interrupted puts and uploads left behind, if it was last written before `before`
 * (microseconds since the epoch); counts and sums it. With dry_run it only counts. An upload that
 * is still going on and was last written before then fails at its commit. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_remove_leftovers(akidb_store *store, int64_t before,
                                                                bool dry_run, uint64_t *count_out,
                                                                uint64_t *bytes_out,
                                                                akidb_error *err);

/* ---- statistics ------------------------------------------------------------------------------ */

typedef enum akidb_request_kind {
    AKIDB_REQUEST_GET = 0, /* whole objects and ranges */
    AKIDB_REQUEST_HEAD,
    AKIDB_REQUEST_LIST,
    AKIDB_REQUEST_PUT,  /* whole objects, parts of uploads, copies */
    AKIDB_REQUEST_POST, /* the beginning and the end of an upload in parts; delete many */
    AKIDB_REQUEST_DELETE,
    AKIDB_REQUEST_KIND_COUNT
} akidb_request_kind;

/* "GET", "HEAD", ...; "unknown" for a value that is none. */
AKIDB_API const char *akidb_request_kind_name(akidb_request_kind kind);

/* What a store has done since it was opened. A bucket counts the HTTP requests that it sent, each
 * try for one, but for those that fetch credentials; a store that sends none counts its calls, an
 * upload as one PUT at its commit. */
typedef struct akidb_store_statistics {
    uint64_t requests[AKIDB_REQUEST_KIND_COUNT];
    uint64_t retries;        /* of these, those that repeat one that failed */
    uint64_t failed;         /* of these; "not there" and "already there" are answers */
    uint64_t sent_bytes;     /* of bodies, also of requests that failed */
    uint64_t received_bytes; /* likewise */
} akidb_store_statistics;

/* A wrapper answers for the store that it wraps. Any thread, at any time. */
AKIDB_API void akidb_store_get_statistics(akidb_store *store,
                                          akidb_store_statistics *statistics_out);

/* ---- wrappers: a store around a store -------------------------------------------------------- */

/* Everything lies under `prefix` ("a/b", without a final '/') in `inner`, which must outlive it.
 * Leftovers have no keys: removing them means those of all of `inner`. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_prefix_open(akidb_store *inner, const char *prefix,
                                                           akidb_store **store_out,
                                                           akidb_error *err);

typedef enum akidb_store_op {
    AKIDB_STORE_PUT = 0,
    AKIDB_STORE_GET,
    AKIDB_STORE_GET_RANGE,
    AKIDB_STORE_HEAD,
    AKIDB_STORE_DELETE,
    AKIDB_STORE_LIST,
    AKIDB_STORE_COPY,
    AKIDB_STORE_UPLOAD_BEGIN,
    AKIDB_STORE_UPLOAD_WRITE,
    AKIDB_STORE_UPLOAD_COMMIT,
    AKIDB_STORE_UPLOAD_ABORT,
    AKIDB_STORE_REMOVE_LEFTOVERS,
    AKIDB_STORE_DELETE_MANY,
    AKIDB_STORE_OP_COUNT
} akidb_store_op;

/* "put", "get range", ...; "unknown" for a value that is none. */
AKIDB_API const char *akidb_store_op_name(akidb_store_op op);

typedef struct akidb_store_call {
    akidb_store_op op;
    const char *key; /* key, the first of many, or the list's prefix; borrowed */
    uint64_t bytes;  /* handed over or received */
    akidb_status status;
    size_t keys; /* 1 but for delete many */
} akidb_store_call;

/* Calls `trace` after each call to `inner`, from the thread that made it. exists counts as head. */
AKIDB_API AKIDB_CHECK akidb_status
akidb_store_trace_open(akidb_store *inner, void (*trace)(void *context, const akidb_store_call *),
                       void *context, akidb_store **store_out, akidb_error *err);

AKIDB_END_DECLS
#endif
