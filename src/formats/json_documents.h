#ifndef AK_FORMATS_JSON_DOCUMENTS_H
#define AK_FORMATS_JSON_DOCUMENTS_H
/*
 * Documents as JSON text and back, as a stream both ways: what a JSON snapshot holds (one array)
 * and what .jsonl holds (one document a line). docs/formats/json.md describes the text:
 *
 *     {"doc_id":"uuid","external_id":"text"|null,"vector":[0.25,-1e-3],"metadata":value|null,
 *      "inserted_at":"2026-11-22T09:00:00.000000Z"}
 *
 *   Exact     What was written is read back bit for bit: floats as the shortest decimal that does
 *             so, NaN and infinities as strings ("NaN", "Infinity", "-Infinity", "0x7fc00001"),
 *             metadata as the raw text. Where the raw text cannot stand in its place (white space
 *             around it, the value null, a line break in .jsonl) a member "metadata_text" follows,
 *             which holds the text as a string and goes before "metadata" when it is read.
 *   Memory    The reader holds the bytes that were fed and not read yet, and of those at most one
 *             document that is not complete (AK_JSON_DOCUMENT_MAX, AKIDB_E_LIMIT).
 *   Threads   Appending may be done from many threads, into different buffers. A reader belongs to
 *             one thread at a time, and may have a pool decode for it: what is read, and what is
 *             told to be wrong, do not depend on how many threads did it.
 */
#include "akidb/batch.h"
#include "akidb/parquet.h"
#include "os/pool.h"

/* ---- writing --------------------------------------------------------------------------------- */

typedef struct ak_json_style {
    bool lines;       /* .jsonl: one document a line and no array around them */
    unsigned columns; /* akidb_column bits: the members that are written; 0: all */
} ak_json_style;

/* What stands around the documents of an array. */
#define AK_JSON_ARRAY_BEGIN "["
#define AK_JSON_ARRAY_END   "\n]\n"

/* Appends rows first .. first + count - 1 of a batch that has passed akidb_batch_validate. In an
 * array, `begins` says that no document stands before them: no comma then. Ids, times and vectors
 * must be there when their columns are written (AKIDB_E_VALIDATION). On failure the buffer holds
 * what it held. A row takes about 60 + 12 * dimension bytes and its texts. */
AKIDB_CHECK akidb_status ak_json_append_documents(akidb_buffer *buffer, const akidb_batch *batch,
                                                  size_t first, size_t count, ak_json_style style,
                                                  bool begins, akidb_error *err);

/* ---- reading --------------------------------------------------------------------------------- */

#define AK_JSON_DOCUMENT_MAX ((size_t)256 << 20)

typedef struct ak_json_read_options {
    const char *name;   /* of the object, for messages; copied */
    bool lines;         /* .jsonl; otherwise one array */
    bool stored;        /* a snapshot's: "doc_id" and "inserted_at" must be there, and what is wrong
                           is AKIDB_E_CORRUPTION. Otherwise a missing one is new (version 7) or the
                           time of the call, and what is wrong is AKIDB_E_VALIDATION */
    unsigned columns;   /* akidb_column bits: what is kept; 0: all. Ids always are, and what is
                           not kept is checked all the same */
    uint32_t dimension; /* that every document must have; 0: as the first one has it */
    ak_pool *pool;      /* decodes on its threads too; borrowed until free. NULL: on the caller's */
} ak_json_read_options;

typedef struct ak_json_reader ak_json_reader;

AKIDB_CHECK akidb_status ak_json_reader_new(const ak_json_read_options *options,
                                            ak_json_reader **reader_out, akidb_error *err);
void ak_json_reader_free(ak_json_reader *reader);

/* Takes more bytes (copied). Feed pieces of some 64 KiB to 1 MiB, and read before the next. */
AKIDB_CHECK akidb_status ak_json_reader_feed(ak_json_reader *reader, akidb_slice bytes,
                                             akidb_error *err);

/* Says that all bytes were fed. Documents may still be there to read; what comes after the end, or
 * is missing there, is told by the read that gets so far. */
void ak_json_reader_finish(ak_json_reader *reader);

/* Appends documents until they have `max_rows` in all or the bytes that were fed hold no further
 * whole one: then *more_out is false, and more must be fed; after finish it means the end. Errors
 * name the row, counted from 0, the column, and the offset in the stream; the messages of .jsonl
 * the line and the byte in it, both counted from 1, instead. On failure the documents are as they
 * were, and only free is left. */
AKIDB_CHECK akidb_status ak_json_reader_read(ak_json_reader *reader, size_t max_rows,
                                             akidb_documents *documents, bool *more_out,
                                             akidb_error *err);

/* The dimension, from the first document where the options do not say it; 0 while that has not been
 * fed whole, or when there is none. */
AKIDB_CHECK akidb_status ak_json_reader_dimension(ak_json_reader *reader, uint32_t *dimension_out,
                                                  akidb_error *err);

/* Documents read so far. */
uint64_t ak_json_reader_rows(const ak_json_reader *reader);

/* Whether a document that was read has a member that is none of a document's, whose value went: the
 * first one's name, borrowed until free, and its line; its row where there are no lines. */
bool ak_json_reader_unknown(const ak_json_reader *reader, akidb_slice *name_out,
                            uint64_t *line_out);

#endif
