#ifndef AK_FORMATS_TEXT_IN_H
#define AK_FORMATS_TEXT_IN_H
/* The text of a file or of standard input, from its beginning to its end, decompressed when its
 * first bytes are those of gzip or zstd, whatever its name. */
#include "codec/stream.h"
#include "formats/stream_in.h"

typedef struct ak_text_in {
    ak_stream_in in;
    ak_stream_decoder *decoder; /* NULL: it is not compressed */
    akidb_buffer stored;        /* read, and not given out or decoded from `at` on */
    size_t at;
    bool begun, ended;
} ak_text_in;

/* Opens a file; "-" is standard input. The path is copied. */
AKIDB_CHECK akidb_status ak_text_in_open(ak_text_in *text, const char *path, akidb_error *err);
void ak_text_in_close(ak_text_in *text);

/* Appends what comes next, up to some hundred KiB; nothing only at the end. AKIDB_E_CORRUPTION for
 * compressed data that is damaged or cut off. */
AKIDB_CHECK akidb_status ak_text_in_read(ak_text_in *text, akidb_buffer *buffer, akidb_error *err);

/* Whether a read would give something, or the end, without waiting for who writes into the pipe. */
bool ak_text_in_ready(const ak_text_in *text);

#endif
