#ifndef AK_FORMATS_JSON_TEXTS_H
#define AK_FORMATS_JSON_TEXTS_H
/*
 * Documents as JSON text, made on all threads and handed on in order: what writes a JSON snapshot
 * and .jsonl. A text is that of some rows, about 256 KiB unless one document is larger; a thread
 * has one at a time, and one more is handed on meanwhile. Where texts are cut does not depend on
 * the threads.
 */
#include "formats/json_documents.h"

typedef struct ak_json_texts ak_json_texts;

/* Where a text goes, on the thread that appends. */
typedef akidb_status ak_json_put(void *context, akidb_slice text, akidb_error *err);

/* `threads` as ak_pool_new has them. */
AKIDB_CHECK akidb_status ak_json_texts_new(ak_json_style style, size_t threads,
                                           ak_json_texts **texts_out, akidb_error *err);
void ak_json_texts_free(ak_json_texts *texts); /* NULL is fine */

/* Hands on the text of all documents of a batch, as ak_json_append_documents makes it. A document
 * beyond AK_JSON_DOCUMENT_MAX is AKIDB_E_LIMIT and names its row, counted from the first append. */
AKIDB_CHECK akidb_status ak_json_texts_append(ak_json_texts *texts, const akidb_batch *batch,
                                              ak_json_put *put, void *context, akidb_error *err);

/* Documents handed on so far. */
uint64_t ak_json_texts_rows(const ak_json_texts *texts);

#endif
