#ifndef AK_FORMATS_JSON_DECODE_H
#define AK_FORMATS_JSON_DECODE_H
/*
 * The text of one document to the columns of its row. A reader has several decoders, so that many
 * threads decode at once; a decoder belongs to one thread at a time.
 */
#include "document/documents.h"
#include "formats/json_documents.h"

typedef struct ak_json_decoder {
    const ak_json_read_options *options; /* borrowed; columns are set */
    int64_t now;                         /* for documents without a time */
    uint64_t row;  /* of the document in hand, from the beginning of the stream: for messages */
    uint64_t line; /* of .jsonl, from 1 */
    uint64_t line_begin; /* its first byte, in the stream */
    bool has_unknown; /* a member was met that is none of a document's: the first, in this line */
    uint64_t unknown_line;
    akidb_buffer unknown; /* its name */
    akidb_buffer text;    /* of one string, unescaped */
    float *scratch;       /* a vector that is read to be checked only */
    size_t scratch_capacity;
} ak_json_decoder;

void ak_json_decoder_free(ak_json_decoder *decoder);

/* A whole document, raw. */
typedef struct ak_json_text {
    akidb_slice text;
    uint64_t offset;           /* in the stream */
    uint64_t line, line_begin; /* as the decoder has them */
} ak_json_text;

/* Where its values go. */
typedef struct ak_json_row {
    float *vector; /* room for options->dimension; NULL: it is only checked */
    akidb_uuid *id;
    int64_t *time; /* NULL: it is only checked */
    ak_texts *external_ids;
    ak_texts *metadata;
    size_t texts_before; /* rows that the two have */
    bool has_id;         /* told: without one, *id is as it was */
} ak_json_row;

/* Decodes one document; on failure the row's columns hold anything. */
AKIDB_CHECK akidb_status ak_json_decode(ak_json_decoder *decoder, const ak_json_text *document,
                                        ak_json_row *row, akidb_error *err);

/* The dimension of a document's vector, from 1 to AKIDB_DIMENSION_MAX. */
AKIDB_CHECK akidb_status ak_json_decode_dimension(ak_json_decoder *decoder,
                                                  const ak_json_text *document,
                                                  uint32_t *dimension_out, akidb_error *err);

/* Tells a failure of a function that saw only a piece, which begins at `offset`, as one of the
 * stream; `column` may be NULL. */
AKIDB_CHECK akidb_status ak_json_decode_fail(const ak_json_decoder *decoder, akidb_status status,
                                             const akidb_error *inner, uint64_t offset,
                                             const char *column, akidb_error *err);

#endif
