#ifndef AKIDB_SYS_OUTPUT_H
#define AKIDB_SYS_OUTPUT_H
/*
 * Output: bytes, one after the other. What the Parquet writer writes to; a buffer, a file or an
 * upload. It has no finish: whoever made it knows when the bytes are complete. For implementors;
 * the promise of stability is weaker than that of the headers above this folder.
 */
#include "akidb/base.h"

AKIDB_BEGIN_DECLS

typedef struct akidb_output_ops {
    /* Must. Takes all bytes of all slices, in order, or fails; after a failure the output is not
     * used again. The slices are borrowed for the call. Called from one thread at a time. */
    akidb_status (*write)(void *handle, const akidb_slice *slices, size_t count, akidb_error *err);
} akidb_output_ops;

typedef struct akidb_output {
    const akidb_output_ops *ops;
    void *handle;
} akidb_output;

AKIDB_API AKIDB_CHECK akidb_status akidb_output_write(const akidb_output *output,
                                                      const akidb_slice *slices, size_t count,
                                                      akidb_error *err);

/* An output that appends to a buffer, which must outlive it. */
AKIDB_API akidb_output akidb_output_to_buffer(akidb_buffer *buffer);

AKIDB_END_DECLS
#endif
