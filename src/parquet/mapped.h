#ifndef AK_PARQUET_MAPPED_H
#define AK_PARQUET_MAPPED_H
/* akidb_mapped_vectors, made of one file after the other: those of a snapshot come one by one. */
#include "akidb/mapped.h"
#include "os/mapping.h"
#include "os/pool.h"

struct akidb_mapped_vectors {
    akidb_mapped_options options;
    ak_pool *pool;
    uint32_t dimension; /* 0 while no file has told it */
    uint64_t rows;
    akidb_mapped_piece *pieces;
    size_t piece_count;
    size_t piece_capacity;
    ak_mapping *mappings;
    size_t mapping_count;
    size_t mapping_capacity;
};

/* Without any file yet. */
AKIDB_CHECK akidb_status ak_mapped_new(const akidb_mapped_options *options,
                                       akidb_mapped_vectors **mapped_out, akidb_error *err);

/* Takes the mapping over, whatever the outcome, and closes it with the vectors. */
AKIDB_CHECK akidb_status ak_mapped_keep(akidb_mapped_vectors *mapped, ak_mapping *mapping,
                                        akidb_error *err);

/* Adds the pieces of a file that lies at `bytes` in memory, which must stay as long as the vectors
 * and be aligned as a mapping is. `reader` is open on the same bytes. */
AKIDB_CHECK akidb_status ak_mapped_add(akidb_mapped_vectors *mapped,
                                       const akidb_parquet_reader *reader, const uint8_t *bytes,
                                       akidb_error *err);

#endif
