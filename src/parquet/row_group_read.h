#ifndef AK_PARQUET_ROW_GROUP_READ_H
#define AK_PARQUET_ROW_GROUP_READ_H
/*
 * One row group, from the input to the documents: its bytes in one or two reads when they lie
 * together, their checksums when an earlier summary has them, then column after column. Vectors,
 * ids and times go straight to their place; texts are collected, since their place depends on the
 * row groups before. What is found damaged is read once more, plainly: bytes may be damaged on the
 * way, and only those that stay so are damaged in the file.
 */
#include "os/pool.h"
#include "parquet/column_read.h"
#include "parquet/placement.h"
#include "parquet/reader_state.h"

/* The leaves that are read; the index into arrays of them. */
enum {
    AK_FIELD_DOCUMENT_ID,
    AK_FIELD_EXTERNAL_ID,
    AK_FIELD_METADATA,
    AK_FIELD_INSERTED_AT,
    AK_FIELD_DIMENSION,
    AK_FIELD_VECTOR, /* after the small ones */
    AK_FIELD_COUNT
};

/* The work on one row group; used again for the next. Start from {0}. */
typedef struct ak_row_group_job {
    ak_task task;
    const akidb_parquet_reader *reader;
    size_t group;
    uint64_t text_bytes_max;
    /* Where the rows go; NULL: the column is not read. */
    float *vectors;
    akidb_uuid *document_ids;
    int64_t *inserted_at;
    /* What was read besides. */
    ak_texts external_ids;
    ak_texts metadata;
    ak_texts other_ids; /* ids that are no UUIDs, when they are allowed */
    uint8_t *is_other;  /* per row: the document gets a new id */
    size_t is_other_capacity;
    bool decodes_early; /* bytes were decoded before they were compared with a checksum */
    bool was_damaged;   /* when it was first read, but not when it was read again */
    akidb_error damage;
    /* Storage. */
    ak_decoding decoding;
    bool has_decoding;
    akidb_buffer small;  /* bytes of all columns but the vector */
    akidb_buffer vector; /* and of the vector, unless its floats could be placed */
    ak_placement placement;
} ak_row_group_job;

/* The leaf of a field when the reader's options want it and the file has it, else NULL. */
const ak_file_leaf *ak_reader_field(const akidb_parquet_reader *reader, int field);

/* Decodes one column, or a piece of one, to where the job has it. The job has a decoding. */
AKIDB_CHECK akidb_status ak_row_group_read_field(ak_row_group_job *job, int field,
                                                 const ak_chunk *chunk, akidb_error *err);

/* Reads the row group; an ak_task_function over a job. */
akidb_status ak_row_group_read(void *job, akidb_error *err);

void ak_row_group_job_free(ak_row_group_job *job);

/* The length of the first vector of a row group that has rows. */
AKIDB_CHECK akidb_status ak_row_group_first_length(const akidb_parquet_reader *reader, size_t group,
                                                   uint64_t *length_out, akidb_error *err);

#endif
