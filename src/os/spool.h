#ifndef AK_OS_SPOOL_H
#define AK_OS_SPOOL_H
/*
 * Bytes that are gathered and then read, in order: the first of them in memory, the others in a
 * temporary file.
 *
 *   Memory   About the limit. Where no temporary file can be made, or none can grow, the bytes stay
 *            in memory: a full disk costs memory, not the work.
 *   Damage   What comes back from the file is compared with a checksum: AKIDB_E_CORRUPTION, and
 *            what was handed out before that must be thrown away.
 *   Threads  A spool belongs to one thread at a time.
 */
#include "akidb/base.h"

typedef struct ak_spool {
    const char *folder; /* borrowed; NULL: TMPDIR or /tmp */
    size_t memory_limit;
    akidb_buffer memory; /* what came after the bytes in the file */
    int file;            /* -1: none yet */
    bool keeps_memory;   /* the file cannot take more */
    uint64_t in_file;
    uint32_t crc32c; /* of the bytes in the file */
} ak_spool;

/* `folder`, if any, must outlive the spool. */
void ak_spool_init(ak_spool *spool, const char *folder, size_t memory_limit);
void ak_spool_free(ak_spool *spool);

AKIDB_CHECK akidb_status ak_spool_append(ak_spool *spool, akidb_slice bytes, akidb_error *err);

uint64_t ak_spool_size(const ak_spool *spool);

/* Takes the next bytes of a spool, none of it empty; they are borrowed for the call. */
typedef akidb_status ak_spool_take(void *context, akidb_slice bytes, akidb_error *err);

/* Hands all bytes to `take`, until it fails. */
AKIDB_CHECK akidb_status ak_spool_read(const ak_spool *spool, ak_spool_take *take, void *context,
                                       akidb_error *err);

#endif
