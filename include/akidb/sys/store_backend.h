#ifndef AKIDB_SYS_STORE_BACKEND_H
#define AKIDB_SYS_STORE_BACKEND_H
/*
 * For those who implement an object store of their own. Callers never meet these slots: they go
 * through akidb/store.h, where arguments are checked once (keys are legal, outputs are not NULL and
 * are zeroed), so that an implementation need not. The contract of akidb/store.h holds for each
 * slot; tests/conformance/store_suite.c checks it. The promise of stability is weaker than that of
 * the headers above this folder.
 */
#include "akidb/store.h"
#include "akidb/sys/files.h"

AKIDB_BEGIN_DECLS

enum { AKIDB_REMOVE_MANY_MAX = 1000 };

typedef struct akidb_store_ops {
    /* Must. */
    akidb_status (*put)(void *handle, const char *key, const akidb_slice *slices, size_t count,
                        akidb_put_mode mode, akidb_error *err);
    /* Must. One call gives the bytes of one version of the object, never a mixture of two. */
    akidb_status (*get)(void *handle, const char *key, uint64_t max_size, akidb_buffer *buffer_out,
                        akidb_error *err);
    /* Must. */
    akidb_status (*get_range)(void *handle, const char *key, uint64_t offset, void *dst,
                              size_t size, size_t *read_out, akidb_error *err);
    /* Must. Serves akidb_store_exists too, which turns AKIDB_E_NOT_FOUND into false. */
    akidb_status (*head)(void *handle, const char *key, akidb_object_info *info_out,
                         akidb_error *err);
    /* Must. */
    akidb_status (*remove)(void *handle, const char *key, akidb_error *err);
    /* Must. delimiter is 0 or '/'. */
    akidb_status (*list)(void *handle, const char *prefix, char delimiter,
                         akidb_list_visitor *visitor, void *context, akidb_error *err);
    /* May be NULL: the wrapper reads and uploads. */
    akidb_status (*copy)(void *handle, const char *from_key, const char *to_key,
                         akidb_put_mode mode, akidb_error *err);
    /* Must. *upload_out is the implementation's own; the three below get it back. */
    akidb_status (*upload_begin)(void *handle, const char *key, akidb_put_mode mode,
                                 void **upload_out, akidb_error *err);
    akidb_status (*upload_write)(void *handle, void *upload, const akidb_slice *slices,
                                 size_t count, akidb_error *err);
    /* Must free `upload`, whatever the outcome. */
    akidb_status (*upload_commit)(void *handle, void *upload, akidb_error *err);
    void (*upload_abort)(void *handle, void *upload);
    /* May be NULL: the store leaves nothing behind. */
    akidb_status (*remove_leftovers)(void *handle, int64_t before, bool dry_run,
                                     uint64_t *count_out, uint64_t *bytes_out, akidb_error *err);
    /* May be NULL: nothing to release. */
    void (*close)(void *handle);
    /* May be NULL: the wrapper calls `remove` for each. Has 2 to AKIDB_REMOVE_MANY_MAX keys, and
     * sets outcomes[i] for each of them: AKIDB_E_UNSUPPORTED leaves it to `remove`. Returns one of
     * the other failures, if there is any, and tells of it in *err. */
    akidb_status (*remove_many)(void *handle, const char *const *keys, size_t count,
                                akidb_status *outcomes, akidb_error *err);
    /* May be NULL: the wrapper counts calls. */
    void (*statistics)(void *handle, akidb_store_statistics *statistics_out);
    /* May be NULL: the wrapper reads the range into memory of its own, and copies. There is one
     * piece at least. */
    akidb_status (*get_pieces)(void *handle, const char *key, uint64_t offset,
                               const akidb_piece *pieces, size_t count, size_t *read_out,
                               akidb_error *err);
    /* May be NULL: it is not near. */
    bool (*is_near)(const void *handle);
    /* May be NULL: objects are no files of the system (AKIDB_E_UNSUPPORTED). Opens the object's
     * file for reading; the caller closes the descriptor. */
    akidb_status (*descriptor)(void *handle, const char *key, int *descriptor_out,
                               akidb_error *err);
} akidb_store_ops;

/* Makes a store of an implementation. `ops` must outlive the store, `name` is copied. On failure
 * the handle is still the caller's. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_new(const akidb_store_ops *ops, void *handle,
                                                   const char *name, akidb_store **store_out,
                                                   akidb_error *err);

/* akidb_store_local_open on other files than the system's; they are borrowed until the store is
 * closed. NULL means the system's. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_local_open_with(const char *path,
                                                               const akidb_files *files,
                                                               akidb_store **store_out,
                                                               akidb_error *err);

/* ---- faults, for tests ----------------------------------------------------------------------- */

typedef enum akidb_fault_effect {
    AKIDB_FAULT_NONE = 0,   /* the call goes through */
    AKIDB_FAULT_BEFORE = 1, /* fails, and nothing has happened */
    AKIDB_FAULT_AFTER = 2,  /* happens, and the answer is lost: AKIDB_E_UNCERTAIN */
    AKIDB_FAULT_SHORT = 3,  /* get: bytes missing at the end; get_range: *read_out too small */
    AKIDB_FAULT_FLIP = 4    /* get and get_range: one bit of the answer is wrong */
} akidb_fault_effect;

typedef struct akidb_fault {
    akidb_fault_effect effect;
    akidb_status status; /* for AKIDB_FAULT_BEFORE; 0 means AKIDB_E_STORE */
} akidb_fault;

/* Asks `decide` before each call to `inner` what is to go wrong with it. The decision function may
 * be called from many threads at once. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_fault_open(
    akidb_store *inner, akidb_fault (*decide)(void *context, akidb_store_op op, const char *key),
    void *context, akidb_store **store_out, akidb_error *err);

AKIDB_END_DECLS
#endif
