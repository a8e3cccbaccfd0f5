#ifndef AKIDB_BATCH_H
#define AKIDB_BATCH_H
/*
 * Documents by the batch: columns, not objects.
 *
 *   akidb_batch      a view: many documents as one row-major float matrix and one array per other
 *                    field. Nothing in it is owned; build one over memory that you have already.
 *   akidb_documents  the same, owning its memory, growing: what restore gives, and a builder for
 *                    those who have one document at a time.
 *
 *   Rules      1 <= dimension <= 65,536. Every float is legal and kept bit for bit: NaN with its
 *              payload, Inf, -0.0, subnormals. Text is UTF-8. Metadata is one JSON value (RFC
 * 8259). Times lie within AKIDB_TIME_MIN and AKIDB_TIME_MAX. Document ids differ from each other
 * within a snapshot. Threads    A batch is plain data. An akidb_documents may be read from many
 * threads while none writes to it.
 */
#include "akidb/base.h"

AKIDB_BEGIN_DECLS

#define AKIDB_DIMENSION_MAX 65536u

/* A column of optional texts. Row i is bytes[offsets[i]] up to bytes[offsets[i + 1]], unless it is
 * null. All NULL: the column is absent, which reads as all null. */
typedef struct akidb_texts {
    const uint64_t *offsets; /* rows + 1 of them, never falling, the first usually 0 */
    const char *bytes;
    const uint8_t *validity; /* a bit per row, least significant first; 0 is null. NULL: none is */
} akidb_texts;

typedef struct akidb_batch {
    size_t rows;
    uint32_t dimension;
    const float *vectors;           /* rows x dimension, row-major; NULL only where not read */
    const akidb_uuid *document_ids; /* rows; NULL: every document gets a new UUID */
    akidb_texts external_ids;
    akidb_texts metadata;       /* JSON text */
    const int64_t *inserted_at; /* rows; microseconds since the epoch; NULL: the time of the call */
} akidb_batch;

/* The text of one row; size 0 and data NULL when it is null; an empty text has data not NULL. */
AKIDB_API akidb_slice akidb_texts_at(const akidb_texts *texts, size_t row);

/* Checks every rule above that one batch can break, except duplicate ids: structure, dimension,
 * offsets, UTF-8, JSON, times. AKIDB_E_VALIDATION names the first bad row and its column. An empty
 * batch (rows 0) is AKIDB_E_VALIDATION. */
AKIDB_API AKIDB_CHECK akidb_status akidb_batch_validate(const akidb_batch *batch, akidb_error *err);

/* Rows first .. first + rows - 1 as a view of the same memory. They must lie in the batch, and
 * `first` must be a multiple of 8 when a text column has a validity bitmap. */
AKIDB_API akidb_batch akidb_batch_rows(const akidb_batch *batch, size_t first, size_t rows);

/* ---- documents that own their memory --------------------------------------------------------- */

/* One document, to append. Texts are slices: data NULL means null. */
typedef struct akidb_document {
    const akidb_uuid *document_id; /* NULL: a new UUID (version 7: later ones sort later) */
    akidb_slice external_id;
    const float *vector;
    uint32_t dimension;         /* of vector */
    akidb_slice metadata;       /* JSON text */
    const int64_t *inserted_at; /* NULL: now */
} akidb_document;

typedef struct akidb_documents akidb_documents;

/* Empty. AKIDB_E_VALIDATION when the dimension is 0 or over AKIDB_DIMENSION_MAX. */
AKIDB_API AKIDB_CHECK akidb_status akidb_documents_new(uint32_t dimension,
                                                       akidb_documents **documents_out,
                                                       akidb_error *err);
AKIDB_API void akidb_documents_free(akidb_documents *documents);

/* Copies one document to the end, after checking it by the rules above. On failure nothing is
 * appended; the error's row is the row that the document would have had. */
AKIDB_API AKIDB_CHECK akidb_status akidb_documents_append(akidb_documents *documents,
                                                          const akidb_document *document,
                                                          akidb_error *err);

/* Copies a whole batch to the end, checking its structure and dimension only (akidb_batch_validate
 * checks the rest). On failure nothing is appended. */
AKIDB_API AKIDB_CHECK akidb_status akidb_documents_append_batch(akidb_documents *documents,
                                                                const akidb_batch *batch,
                                                                akidb_error *err);

/* Forgets the documents and keeps the memory for the next ones. */
AKIDB_API void akidb_documents_clear(akidb_documents *documents);

/* The documents as a batch, valid until the next call that appends, clears or frees. */
AKIDB_API akidb_batch akidb_documents_batch(const akidb_documents *documents);

AKIDB_END_DECLS
#endif
