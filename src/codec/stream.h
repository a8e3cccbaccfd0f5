#ifndef AK_CODEC_STREAM_H
#define AK_CODEC_STREAM_H
/* Compression of a stream, piece by piece, in bounded memory; what a JSON snapshot is stored as.
 * One thread at a time. After a failure only free is left. */
#include "akidb/base.h"

typedef enum ak_stream_codec {
    AK_STREAM_NONE = 0,
    AK_STREAM_GZIP = 1,   /* RFC 1952; several members when reading */
    AK_STREAM_SNAPPY = 2, /* Snappy's framing format (framing_format.txt), checksums and all */
    AK_STREAM_ZSTD = 3    /* RFC 8878, with a content checksum; several frames when reading */
} ak_stream_codec;

typedef struct ak_stream_encoder ak_stream_encoder;

/* `level`: gzip 1 to 9, zstd 1 to 19; 0 is the default (6 and 1). AKIDB_E_VALIDATION beyond that.
 */
AKIDB_CHECK akidb_status ak_stream_encoder_new(ak_stream_codec codec, int level,
                                               ak_stream_encoder **encoder_out, akidb_error *err);
void ak_stream_encoder_free(ak_stream_encoder *encoder);

/* Appends what has become of the bytes so far; some may be held back until later. */
AKIDB_CHECK akidb_status ak_stream_encode(ak_stream_encoder *encoder, akidb_slice bytes,
                                          akidb_buffer *out, akidb_error *err);

/* Appends the end of the stream. */
AKIDB_CHECK akidb_status ak_stream_encoder_finish(ak_stream_encoder *encoder, akidb_buffer *out,
                                                  akidb_error *err);

typedef struct ak_stream_decoder ak_stream_decoder;

AKIDB_CHECK akidb_status ak_stream_decoder_new(ak_stream_codec codec,
                                               ak_stream_decoder **decoder_out, akidb_error *err);
void ak_stream_decoder_free(ak_stream_decoder *decoder);

/* Takes bytes off the beginning of *bytes and writes at most `capacity` decoded ones to out. All
 * has been taken and given when it takes nothing and gives nothing: *size_out is 0 and bytes->size
 * is 0. AKIDB_E_CORRUPTION. */
AKIDB_CHECK akidb_status ak_stream_decode(ak_stream_decoder *decoder, akidb_slice *bytes,
                                          uint8_t *out, size_t capacity, size_t *size_out,
                                          akidb_error *err);

/* AKIDB_E_CORRUPTION unless the bytes so far are a whole stream. */
AKIDB_CHECK akidb_status ak_stream_decoder_finish(const ak_stream_decoder *decoder,
                                                  akidb_error *err);

#endif
