#ifndef AK_CODEC_STREAM_OPS_H
#define AK_CODEC_STREAM_OPS_H
/* What one stream format does; the contracts are those of codec/stream.h. */
#include "akidb/base.h"

typedef struct ak_stream_ops {
    const char *name;
    int level_max; /* 0: has no levels */
    int level_default;
    akidb_status (*encoder_new)(int level, void **state_out, akidb_error *err);
    akidb_status (*encode)(void *state, akidb_slice bytes, bool finish, akidb_buffer *out,
                           akidb_error *err);
    void (*encoder_free)(void *state);
    akidb_status (*decoder_new)(void **state_out, akidb_error *err);
    akidb_status (*decode)(void *state, akidb_slice *bytes, uint8_t *out, size_t capacity,
                           size_t *size_out, akidb_error *err);
    bool (*at_end)(const void *state); /* between streams, and at least one has been there */
    void (*decoder_free)(void *state);
} ak_stream_ops;

extern const ak_stream_ops ak_stream_gzip;
extern const ak_stream_ops ak_stream_snappy;
extern const ak_stream_ops ak_stream_zstd;

#endif
