#ifndef AK_PARQUET_WRITER_OPTIONS_H
#define AK_PARQUET_WRITER_OPTIONS_H
/* The writer's options, checked, with every default filled in. */
#include "akidb/parquet.h"
#include "codec/compress.h"
#include "parquet/metadata.h"

/* Limits that keep a row group's pages below a million, which is what Arrow C++ reads, and every
 * page below the 2^31 - 1 bytes of its header. */
#define AK_ROW_GROUP_BYTES_MAX (UINT64_C(2) << 30)
#define AK_PAGE_BYTES_MIN      (UINT32_C(4) << 10)
#define AK_PAGE_BYTES_MAX      (UINT32_C(256) << 20)
#define AK_TEXT_BYTES_MAX      (UINT64_C(512) << 20)

/* Of Bloom filters: those of 640,000 documents at least. */
#define AK_BLOOM_MEMORY_DEFAULT ((size_t)4 << 20)

typedef struct ak_writer_settings {
    uint32_t dimension;
    ak_codec codec; /* of all columns but the vectors */
    int level;
    ak_codec vector_codec;
    int vector_level;
    uint32_t row_group_size;
    uint64_t row_group_bytes;
    uint32_t page_bytes;
    bool dictionary;
    bool bloom_filter;
    int vector_encoding; /* ak_encoding */
    ak_time_unit_kind unit;
    bool unit_is_default; /* nobody asked for it */
    size_t threads;

    /* Bloom filters stand in the tail: those beyond so many bytes wait for it in a temporary file.
     */
    size_t bloom_memory;
    const char *temporary_folder; /* borrowed from who makes the writer; NULL: TMPDIR or /tmp */

    akidb_profile profile;
    bool codec_is_given;    /* by the caller, who outvotes the profile */
    bool encoding_is_given; /* likewise */
    bool is_undecided;      /* until ak_profile_decide has looked at vectors */
    char choice[256];       /* what was decided for the vectors, and why; "": nothing to decide */
} ak_writer_settings;

/* AKIDB_E_VALIDATION names the option, what it may be and what it is. */
AKIDB_CHECK akidb_status ak_writer_settings_make(ak_writer_settings *settings_out,
                                                 uint32_t dimension,
                                                 const akidb_parquet_options *options,
                                                 akidb_error *err);

#endif
