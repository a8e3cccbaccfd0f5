#ifndef AK_FUZZ_SOURCE_H
#define AK_FUZZ_SOURCE_H
/* What the targets of files of vectors alone have in common. */
#include <stdlib.h>

#include "formats/import.h"

/* A source that was opened over `size` bytes, or NULL: it has as many rows as it says, all of which
 * can be read, unless one is refused. Closes it. */
static inline void check_source(ak_source *source, akidb_status opened, size_t size)
{
    if (opened != AKIDB_OK) {
        if (source != NULL)
            abort();
        return;
    }
    if (source->rows > size || (source->dimension == 0 && size > 0))
        abort();
    akidb_documents *documents = NULL;
    akidb_status status = AKIDB_OK;
    if (source->dimension > 0 &&
        akidb_documents_new(source->dimension, &documents, NULL) != AKIDB_OK)
        abort();
    uint64_t rows = 0;
    for (size_t found = 1; documents != NULL && status == AKIDB_OK && found > 0; rows += found) {
        akidb_documents_clear(documents);
        status = source->ops->next(source, 7, documents, NULL);
        found = status == AKIDB_OK ? akidb_documents_batch(documents).rows : 0;
    }
    if (status == AKIDB_OK && rows != source->rows)
        abort();
    akidb_documents_free(documents);
    source->ops->close(source);
}

#endif
