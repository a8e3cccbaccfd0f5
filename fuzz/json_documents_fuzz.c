/* layers: os codec json document parquet formats */
/* Properties: documents are read the same however the text is cut into pieces; what is read can be
 * written, and comes back bit for bit. The first byte chooses the mode and the cut. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "formats/json_documents.h"
#include "same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIMENSION = 2 };

static akidb_status read_text(akidb_slice text, bool lines, bool stored, size_t step,
                              akidb_documents *documents)
{
    ak_json_reader *reader;
    ak_json_read_options options = {.lines = lines, .stored = stored, .dimension = DIMENSION};
    akidb_status status = ak_json_reader_new(&options, &reader, NULL);
    bool more;
    for (size_t at = 0; status == AKIDB_OK && at < text.size; at += step) {
        size_t piece = text.size - at < step ? text.size - at : step;
        status = ak_json_reader_feed(reader, (akidb_slice){(const uint8_t *)text.data + at, piece},
                                     NULL);
        if (status == AKIDB_OK)
            status = ak_json_reader_read(reader, SIZE_MAX, documents, &more, NULL);
    }
    if (status == AKIDB_OK) {
        ak_json_reader_finish(reader);
        status = ak_json_reader_read(reader, SIZE_MAX, documents, &more, NULL);
    }
    ak_json_reader_free(reader);
    return status;
}

static akidb_documents *new_documents(void)
{
    akidb_documents *documents;
    if (akidb_documents_new(DIMENSION, &documents, NULL) != AKIDB_OK)
        abort();
    return documents;
}

static void check_round_trip(const akidb_documents *documents, bool lines)
{
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_buffer text = {0};
    akidb_documents *back = new_documents();
    const ak_json_style style = {.lines = lines};
    if ((!lines && ak_buffer_append(&text, AK_JSON_ARRAY_BEGIN, 1, NULL) != AKIDB_OK) ||
        ak_json_append_documents(&text, &batch, 0, batch.rows, style, true, NULL) != AKIDB_OK ||
        (!lines &&
         ak_buffer_append(&text, AK_JSON_ARRAY_END, strlen(AK_JSON_ARRAY_END), NULL) != AKIDB_OK))
        abort();
    if (read_text((akidb_slice){text.data, text.size}, lines, true, SIZE_MAX / 2, back) != AKIDB_OK)
        abort();
    check_same(documents, back, true, true);
    akidb_documents_free(back);
    akidb_buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool lines = (data[0] & 1) != 0;
    bool stored = (data[0] & 2) != 0;
    size_t step = (size_t)(data[0] >> 2) + 1;
    akidb_slice text = {data + 1, size - 1};
    akidb_documents *whole = new_documents();
    akidb_documents *pieces = new_documents();
    akidb_status status = read_text(text, lines, stored, SIZE_MAX / 2, whole);
    if (read_text(text, lines, stored, step, pieces) != status)
        abort();
    if (status == AKIDB_OK) {
        check_same(whole, pieces, stored, stored);
        check_round_trip(whole, lines);
        check_round_trip(whole, !lines);
    }
    akidb_documents_free(whole);
    akidb_documents_free(pieces);
    return 0;
}
