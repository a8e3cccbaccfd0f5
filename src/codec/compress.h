#ifndef AK_CODEC_COMPRESS_H
#define AK_CODEC_COMPRESS_H
/* One face for the compression libraries. */
#include "akidb/base.h"

/* The numbers of CompressionCodec in parquet.thrift. */
typedef enum ak_codec {
    AK_CODEC_UNCOMPRESSED = 0,
    AK_CODEC_SNAPPY = 1,     /* a raw block */
    AK_CODEC_GZIP = 2,       /* RFC 1952 members; several when reading */
    AK_CODEC_LZO = 3,        /* not read */
    AK_CODEC_BROTLI = 4,     /* not read */
    AK_CODEC_LZ4_HADOOP = 5, /* deprecated LZ4: Hadoop's frames or a bare block; read only */
    AK_CODEC_ZSTD = 6,       /* frames; several when reading; no content size needed */
    AK_CODEC_LZ4_RAW = 7     /* a bare block */
} ak_codec;

/* "UNCOMPRESSED", "SNAPPY", ... as parquet.thrift has it; NULL for no such number. */
const char *ak_codec_name(int codec);

/* Whether compress and decompress below can do it. */
bool ak_codec_can_write(int codec);
bool ak_codec_can_read(int codec);

/* Contexts that are made once and used for many pages. One thread at a time. */
typedef struct ak_compressor ak_compressor;
/* `level`: zstd 1 to 19, gzip 1 to 9, 0 for the codec's default (1 and 6); AKIDB_E_VALIDATION
 * beyond that. AKIDB_E_UNSUPPORTED for a codec that is not written. */
AKIDB_CHECK akidb_status ak_compressor_new(ak_codec codec, int level,
                                           ak_compressor **compressor_out, akidb_error *err);
void ak_compressor_free(ak_compressor *compressor);

/* Appends the compressed bytes of the slices, taken as one. AKIDB_E_LIMIT for more than a block of
 * the codec can hold (about 2 GiB for LZ4, 4 GiB for Snappy). On failure the buffer is as it was.
 */
AKIDB_CHECK akidb_status ak_compress(ak_compressor *compressor, const akidb_slice *slices,
                                     size_t count, akidb_buffer *buffer, akidb_error *err);

/* The same for split floats (codec/split.h) of four bytes behind `head` other bytes. In their bytes
 * hardly anything repeats but single values: zstd at level 1 then looks for long matches only, and
 * stores the planes that are noise without a look (codec/zstd_around.h), which is faster, and
 * smaller too. Other codecs and levels do not care. */
AKIDB_CHECK akidb_status ak_compress_split_floats(ak_compressor *compressor, akidb_slice page,
                                                  size_t head, akidb_buffer *buffer,
                                                  akidb_error *err);

typedef struct ak_decompressor ak_decompressor;
AKIDB_CHECK akidb_status ak_decompressor_new(ak_decompressor **decompressor_out, akidb_error *err);
void ak_decompressor_free(ak_decompressor *decompressor);

/* Fills `out` with exactly out_size bytes, or AKIDB_E_CORRUPTION: what a header claims is never
 * trusted, and nothing is allocated by it. No bytes at all stand for out_size 0 with every codec.
 * AKIDB_E_UNSUPPORTED for a codec that is not read. */
AKIDB_CHECK akidb_status ak_decompress(ak_decompressor *decompressor, int codec, akidb_slice bytes,
                                       uint8_t *out, size_t out_size, akidb_error *err);

#endif
