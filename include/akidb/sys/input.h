#ifndef AKIDB_SYS_INPUT_H
#define AKIDB_SYS_INPUT_H
/*
 * Input: bytes of known size at any offset. What the Parquet reader reads through; a file, an
 * object in a store, or memory. For implementors; the promise of stability is weaker than that of
 * the headers above this folder.
 */
#include "akidb/base.h"

AKIDB_BEGIN_DECLS

typedef struct akidb_input_ops {
    /* Must. Fills dst with exactly size bytes from offset; the caller has checked that they lie
     * within the input's size. Fewer bytes than asked for is AKIDB_E_CORRUPTION ("became shorter").
     * Called from many threads at once. */
    akidb_status (*read_at)(void *handle, uint64_t offset, void *dst, size_t size,
                            akidb_error *err);
    /* May be NULL: nothing to release. Called once, by akidb_input_close. */
    void (*close)(void *handle);
    /* May be NULL: each piece is a read_at of its own. Fills the pieces, one after the other, with
     * the bytes from offset on; they lie within the input, and no piece is empty. For who can do it
     * by one request or one system call. On failure the pieces hold anything. Called from many
     * threads at once. */
    akidb_status (*read_pieces)(void *handle, uint64_t offset, const akidb_piece *pieces,
                                size_t count, akidb_error *err);
    /* Whether a read costs little beyond its bytes, as one of a local file or of memory does: then
     * the reader makes many small ones. Otherwise it makes few, and large ones. */
    bool is_near;
} akidb_input_ops;

typedef struct akidb_input {
    const akidb_input_ops *ops;
    void *handle;
    uint64_t size;    /* in bytes; constant for the life of the input */
    const char *name; /* for messages: a path or key; lives as long as the input */
} akidb_input;

/* Fills dst with size bytes from offset. AKIDB_E_CORRUPTION when they do not lie within the input.
 */
AKIDB_API AKIDB_CHECK akidb_status akidb_input_read_at(const akidb_input *input, uint64_t offset,
                                                       void *dst, size_t size, akidb_error *err);

/* Fills the pieces, one after the other, with the bytes from offset on: floats go to where they are
 * wanted, and what stands between them elsewhere. AKIDB_E_CORRUPTION when they do not lie within
 * the input. On failure the pieces hold anything. */
AKIDB_API AKIDB_CHECK akidb_status akidb_input_read_pieces(const akidb_input *input,
                                                           uint64_t offset,
                                                           const akidb_piece *pieces, size_t count,
                                                           akidb_error *err);

/* Releases the handle and zeroes the struct. NULL is fine, and so is a zeroed struct. */
AKIDB_API void akidb_input_close(akidb_input *input);

/* An input over memory, which must outlive it. */
AKIDB_API akidb_input akidb_input_from_memory(akidb_slice bytes, const char *name);

/* Opens a file for reading. AKIDB_E_NOT_FOUND, AKIDB_E_PERMISSION, AKIDB_E_IO. */
AKIDB_API AKIDB_CHECK akidb_status akidb_input_open_file(const char *path, akidb_input *input_out,
                                                         akidb_error *err);

AKIDB_END_DECLS
#endif
