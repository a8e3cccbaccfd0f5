#ifndef AK_FORMATS_EXTERNAL_IDS_H
#define AK_FORMATS_EXTERNAL_IDS_H
/* A text file of external ids: UTF-8, one a line, in the order of the documents. A line ends in \n
 * or \r\n; the last one need not. An empty line is a document without an external id. */
#include "akidb/base.h"

typedef struct ak_external_ids ak_external_ids;

AKIDB_CHECK akidb_status ak_external_ids_open(const char *path, ak_external_ids **ids_out,
                                              akidb_error *err);
void ak_external_ids_close(ak_external_ids *ids); /* NULL is fine */

/* The next id, borrowed until the next call; data NULL for an empty line. */
AKIDB_CHECK akidb_status ak_external_ids_next(ak_external_ids *ids, akidb_slice *id_out,
                                              bool *found_out, akidb_error *err);

/* The failure when the ids came to their end first. `documents_path` has `total` documents, or,
 * where that is 0, at least `seen`. */
akidb_status ak_external_ids_too_few(const ak_external_ids *ids, const char *documents_path,
                                     uint64_t total, uint64_t seen, akidb_error *err);

/* After the last of `documents` documents: AKIDB_E_VALIDATION with both counts when ids are left.
 */
AKIDB_CHECK akidb_status ak_external_ids_end(ak_external_ids *ids, const char *documents_path,
                                             uint64_t documents, akidb_error *err);

#endif
