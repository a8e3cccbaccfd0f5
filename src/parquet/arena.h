#ifndef AK_PARQUET_ARENA_H
#define AK_PARQUET_ARENA_H
/* Memory that is handed out piece by piece and freed all at once: a file's metadata. */
#include "parquet/metadata.h"

AKIDB_CHECK akidb_status ak_arena_new(ak_arena **arena_out, akidb_error *err);
void ak_arena_free(ak_arena *arena);

/* count x size zeroed bytes, aligned for anything, until the arena is freed. Never NULL on success,
 * not even for nothing. */
AKIDB_CHECK akidb_status ak_arena_alloc(ak_arena *arena, size_t count, size_t size,
                                        void *memory_out, akidb_error *err);

#endif
