/* layers: os codec json document parquet formats */
/* Properties: an array that is taken has just the values that the file has room for; every block
 * can be read, and there are as many rows as the header says. */
#include <stdlib.h>

#include "formats/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    akidb_input input = akidb_input_from_memory((akidb_slice){data, size}, "fuzz.npy");
    ak_source *source;
    if (ak_npy_source_new(input, true, &source, NULL) != AKIDB_OK) {
        if (source != NULL)
            abort();
        return 0;
    }
    if (source->dimension == 0 || source->rows > size)
        abort();
    akidb_documents *documents;
    if (akidb_documents_new(source->dimension, &documents, NULL) != AKIDB_OK)
        abort();
    uint64_t rows = 0;
    size_t found;
    do {
        akidb_documents_clear(documents);
        /* A float64 beyond the range of float32 ends it early. */
        if (source->ops->next(source, 7, documents, NULL) != AKIDB_OK)
            goto done;
        found = akidb_documents_batch(documents).rows;
        rows += found;
    } while (found > 0);
    if (rows != source->rows)
        abort();
done:
    akidb_documents_free(documents);
    source->ops->close(source);
    return 0;
}
