#ifndef AK_SNAPSHOT_PART_H
#define AK_SNAPSHOT_PART_H
/* Parts as streams: an output that becomes an object, and an object as an input. */
#include <stdatomic.h>

#include "akidb/sys/input.h"
#include "akidb/sys/output.h"
#include "snapshot/keys.h"

/* A part below this size is gathered in memory and stored by one put; a larger one is uploaded
 * while it is being written, and a row group that is larger goes there without a copy. A store for
 * which larger puts are better than uploads gathers by itself. */
enum { AK_SINK_MEMORY = 4 << 20 };

typedef struct ak_sink {
    akidb_store *store;
    char key[AK_KEY_SIZE];
    akidb_buffer buffer;  /* while there is no upload */
    akidb_upload *upload; /* NULL: all in memory so far */
    uint64_t size;
    /* Called after each write, when set, from the thread that wrote; a failure ends the part. */
    akidb_status (*watch)(void *context, akidb_error *err);
    void *context;
} ak_sink;

/* Starts anew from a zeroed struct; touches no store. */
void ak_sink_begin(ak_sink *sink, akidb_store *store, const char *key);

/* Valid while the sink stays where it is. */
akidb_output ak_sink_output(ak_sink *sink);

/* Makes the object durable and empties the sink. A lost answer is settled by looking whether the
 * object is there, whole and for good: its key is this writer's own. */
AKIDB_CHECK akidb_status ak_sink_commit(ak_sink *sink, akidb_error *err);

/* A lost answer about a part leaves no doubt about the snapshot, which does not exist without its
 * metadata: turns AKIDB_E_UNCERTAIN, also in *err, into AKIDB_E_STORE. */
akidb_status ak_part_failure(akidb_status status, akidb_error *err);

/* Forgets what was written. */
void ak_sink_abort(ak_sink *sink);

/* An object of known size, read by ranges. Must stay where it is while the input is used. */
typedef struct ak_part_input {
    akidb_store *store;
    const char *key; /* borrowed */
    atomic_uint_fast64_t bytes_read;
} ak_part_input;

akidb_input ak_part_input_open(ak_part_input *part, akidb_store *store, const char *key,
                               uint64_t size);

#endif
