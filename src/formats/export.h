#ifndef AK_FORMATS_EXPORT_H
#define AK_FORMATS_EXPORT_H
/* What stands behind akidb_export: one sink per file format. */
#include "akidb/formats.h"
#include "formats/file_out.h"
#include "formats/json_texts.h"

/* What a sink works with. */
typedef struct ak_sink {
    ak_file_out *file;
    uint32_t dimension;
    uint64_t rows;    /* written so far, without the batch in hand */
    unsigned columns; /* akidb_column bits */
    ak_json_texts *texts;
    akidb_output output;
    akidb_parquet_writer *writer;
} ak_sink;

/* Each slot but append may be NULL: nothing to do. The caller has checked the batch's dimension,
 * and that it has what the sink needs; the file is committed or removed by the caller too. */
typedef struct ak_sink_ops {
    akidb_status (*begin)(ak_sink *sink, const akidb_export_options *options, akidb_error *err);
    akidb_status (*append)(ak_sink *sink, const akidb_batch *batch, akidb_error *err);
    akidb_status (*end)(ak_sink *sink, akidb_error *err);
} ak_sink_ops;

extern const ak_sink_ops ak_npy_sink;
extern const ak_sink_ops ak_fvecs_sink;
extern const ak_sink_ops ak_jsonl_sink;
extern const ak_sink_ops ak_parquet_sink;

#endif
