#ifndef AK_DOCUMENT_UNIQUE_IDS_H
#define AK_DOCUMENT_UNIQUE_IDS_H
/*
 * Whether any document id comes twice in a stream of them: exact, and in bounded memory.
 *
 *   Ascending   Ids that only rise need no check; the ids are kept all the same, because the next
 *               one may be lower.
 *   Memory      At most the limit. Past half of it ids go to a temporary file without a name, in
 *               the order in which they came; at the end a second such file takes them divided by a
 *               keyed hash, so that each division fits memory, whatever the ids have in common.
 *   Disk        16 bytes for each id, twice that at the end if the ids were not ascending. A full
 *               disk is AKIDB_E_IO, but only once ids turn out not to be ascending.
 *   Threads     A checker belongs to one thread at a time.
 */
#include "akidb/base.h"

/* So that what is searched at a time fits the caches: more memory would make it slower. */
#define AK_UNIQUE_IDS_MEMORY_DEFAULT (UINT64_C(16) << 20)

typedef struct ak_unique_ids ak_unique_ids;

/* `temporary_folder` is copied; NULL: TMPDIR or /tmp. memory_limit in bytes; 0: the default. */
AKIDB_CHECK akidb_status ak_unique_ids_new(const char *temporary_folder, uint64_t memory_limit,
                                           ak_unique_ids **checker_out, akidb_error *err);

/* Takes the next `count` ids. AKIDB_E_VALIDATION at once when one equals the id just before it,
 * otherwise from _finish. After a failure only _free is left. */
AKIDB_CHECK akidb_status ak_unique_ids_add(ak_unique_ids *checker, const akidb_uuid *ids,
                                           size_t count, akidb_error *err);

/* Call once, after the last ids. AKIDB_E_VALIDATION when an id came twice: the message names the id
 * and both rows, counted from the first id added; the error's row is the second of them. */
AKIDB_CHECK akidb_status ak_unique_ids_finish(ak_unique_ids *checker, akidb_error *err);

void ak_unique_ids_free(ak_unique_ids *checker);

#endif
