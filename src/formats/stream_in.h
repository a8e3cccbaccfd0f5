#ifndef AK_FORMATS_STREAM_IN_H
#define AK_FORMATS_STREAM_IN_H
/* A file or standard input, read from its beginning to its end. */
#include "akidb/base.h"

typedef struct ak_stream_in {
    int fd;
    char *name; /* for messages: the path, or "standard input" */
} ak_stream_in;

/* Opens a file; "-" is standard input. The path is copied. */
AKIDB_CHECK akidb_status ak_stream_in_open(ak_stream_in *in, const char *path, akidb_error *err);
void ak_stream_in_close(ak_stream_in *in);

/* Appends what comes next, up to some hundred KiB; nothing only at the end. */
AKIDB_CHECK akidb_status ak_stream_in_read(ak_stream_in *in, akidb_buffer *buffer,
                                           akidb_error *err);

/* Whether a read would give something, or the end, without waiting for who writes into the pipe. */
bool ak_stream_in_ready(const ak_stream_in *in);

#endif
