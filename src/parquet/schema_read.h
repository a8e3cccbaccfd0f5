#ifndef AK_PARQUET_SCHEMA_READ_H
#define AK_PARQUET_SCHEMA_READ_H
/*
 * The schema of a file by any writer: its leaves, and which of them hold the fields of a document.
 *
 *   Columns are found by name, exactly, then in any case. Default names: document_id or doc_id;
 *   external_id; vector; metadata_json or metadata; inserted_at. Their order, and columns beside
 *   them, do not matter.
 *   The vector is a list of FLOAT (of DOUBLE or FLOAT16 as the options have it) in three levels, in
 *   two, or a bare repeated leaf, with any names below the top; wrappers may be optional. Without a
 *   column of its name it is the only list of floats.
 *   `dimension` is checked against the vectors when it is there, as an integer.
 */
#include "akidb/parquet.h"
#include "parquet/arena.h"
#include "parquet/metadata.h"

typedef struct ak_file_leaf {
    const ak_schema_element *element;
    const char *column; /* top-level name */
    size_t index;       /* among the leaves: the column chunk in each row group */
    size_t top;         /* top-level element, as an index into the schema */
    size_t depth;       /* elements from the top to the leaf; 1: the leaf is the top */
    unsigned max_definition;
    unsigned max_repetition;
} ak_file_leaf;

typedef struct ak_file_columns {
    const ak_file_leaf *leaves;
    size_t leaf_count;
    /* NULL: not in the file. Only the vector is always there. */
    const ak_file_leaf *document_id;
    const ak_file_leaf *external_id;
    const ak_file_leaf *vector;
    const ak_file_leaf *metadata;
    const ak_file_leaf *inserted_at;
    const ak_file_leaf *dimension;
    bool has_other_ids; /* document_id may hold what is no UUID: allow_other_ids */
} ak_file_columns;

/* AKIDB_E_CORRUPTION for a schema that is no tree, AKIDB_E_UNSUPPORTED for VECTOR repetition,
 * AKIDB_E_VALIDATION for a column that is not there or not of a usable type. */
AKIDB_CHECK akidb_status ak_file_columns_find(const ak_file_metadata *metadata, const char *file,
                                              const akidb_parquet_read_options *options,
                                              ak_arena *arena, ak_file_columns *columns_out,
                                              akidb_error *err);

/* "INT64", ...; "group" for -1. */
const char *ak_physical_type_name(int type);

/* Whether the leaf is annotated as text. */
bool ak_leaf_is_text(const ak_file_leaf *leaf);

/* The unit of a leaf of times that are INT64. Without an annotation they count microseconds, as
 * the batch does. */
ak_time_unit_kind ak_leaf_time_unit(const ak_file_leaf *leaf);

#endif
