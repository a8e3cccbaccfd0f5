#ifndef AK_PARQUET_SCHEMA_WRITE_H
#define AK_PARQUET_SCHEMA_WRITE_H
/* The columns of the files that we write. */
#include "parquet/metadata.h"

/* The leaf columns, in the order of the schema and of a row group's column chunks. */
typedef enum ak_leaf {
    AK_LEAF_DOCUMENT_ID,
    AK_LEAF_EXTERNAL_ID,
    AK_LEAF_DIMENSION,
    AK_LEAF_VECTOR,
    AK_LEAF_METADATA,
    AK_LEAF_INSERTED_AT,
    AK_LEAF_COUNT
} ak_leaf;

/* The root, six columns, and the two levels below the vector. */
enum { AK_SCHEMA_ELEMENTS = 9 };

/* The schema, depth first; the names live as long as the program. */
void ak_schema_fill(ak_schema_element elements_out[AK_SCHEMA_ELEMENTS], ak_time_unit_kind unit);

/* A leaf's physical type and its path from the root. */
typedef struct ak_leaf_schema {
    ak_physical_type type;
    const char *path[3];
    size_t path_count;
} ak_leaf_schema;

const ak_leaf_schema *ak_leaf_schema_of(ak_leaf leaf);

#endif
