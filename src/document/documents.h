#ifndef AK_DOCUMENT_DOCUMENTS_H
#define AK_DOCUMENT_DOCUMENTS_H
/* The inside of akidb_documents, for the decoders that fill it column by column. */
#include "akidb/batch.h"
#include "document/new_ids.h"

/* Texts of a column, growing. Row i is bytes[offsets[i]] .. bytes[offsets[i + 1]]. offsets NULL
 * means that all rows are null; validity NULL means that none is, if there are offsets. Starts from
 * {0}. The caller counts the rows; bytes after the last of them are nobody's. */
typedef struct ak_texts {
    uint64_t *offsets;
    size_t offset_capacity;
    akidb_buffer bytes;
    uint8_t *validity;
    size_t validity_capacity;
} ak_texts;

struct akidb_documents {
    uint32_t dimension;
    size_t rows;
    bool has_vectors; /* false when the vector column was not read; the batch then has none */
    bool has_times;   /* the same for inserted_at. Both are true at first; set them while empty */
    float *vectors;
    size_t vector_capacity; /* in floats */
    akidb_uuid *document_ids;
    size_t id_capacity;
    int64_t *inserted_at;
    size_t time_capacity;
    ak_texts external_ids;
    ak_texts metadata;
    ak_id_sequence new_ids; /* for documents that come without an id */
    /* Arrays that a caller lent, of `lent_rows` rows, are neither grown nor freed. */
    bool lent_vectors, lent_ids, lent_times;
    size_t lent_rows;
};

/* Documents in arrays of a caller, each of room for `rows` rows, or NULL: then of memory of its
 * own, as texts are. Appending beyond the room is AKIDB_E_LIMIT. */
AKIDB_CHECK akidb_status ak_documents_new_over(uint32_t dimension, float *vectors, akidb_uuid *ids,
                                               int64_t *times, size_t rows,
                                               akidb_documents **documents_out, akidb_error *err);

/* Makes room for `rows` more documents, so that filling them cannot fail for lack of memory of the
 * fixed-width columns that there are. */
AKIDB_CHECK akidb_status ak_documents_reserve(akidb_documents *documents, size_t rows,
                                              akidb_error *err);

/* Adds one text to a column that has `rows` rows so far; data NULL is null. On failure, here and
 * below, the column has `rows` rows as before. */
AKIDB_CHECK akidb_status ak_texts_append(ak_texts *texts, size_t rows, akidb_slice text,
                                         akidb_error *err);

/* Adds `count` rows of another column to one that has `rows` rows so far. */
AKIDB_CHECK akidb_status ak_texts_append_rows(ak_texts *texts, size_t rows, const akidb_texts *from,
                                              size_t first, size_t count, akidb_error *err);

/* Cuts a column back to `rows` rows. */
void ak_texts_truncate(ak_texts *texts, size_t rows);
void ak_texts_free(ak_texts *texts);
akidb_texts ak_texts_view(const ak_texts *texts);

/* Cuts the documents back to `rows`: how a decoder undoes a failed append. */
void ak_documents_truncate(akidb_documents *documents, size_t rows);

/* Appends the chosen rows of a batch that a decoder gave, in order; unlike the function for callers
 * it makes up nothing: columns that were not read stay so. Empty documents take over which columns
 * there are; others must have the same (AKIDB_E_VALIDATION). On failure nothing is appended. */
AKIDB_CHECK akidb_status ak_documents_append_rows(akidb_documents *documents,
                                                  const akidb_batch *batch, const size_t *rows,
                                                  size_t count, akidb_error *err);

#endif
