#ifndef AK_FUZZ_SAME_H
#define AK_FUZZ_SAME_H
/* Documents that two ways of reading gave. */
#include <stdlib.h>
#include <string.h>

#include "akidb/batch.h"

static inline void check_same_bytes(const void *a, const void *b, size_t size)
{
    if ((a == NULL) != (b == NULL) || (a != NULL && b != NULL && memcmp(a, b, size) != 0))
        abort();
}

static inline void check_same_texts(const akidb_texts *a, const akidb_texts *b, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        akidb_slice x = akidb_texts_at(a, i);
        akidb_slice y = akidb_texts_at(b, i);
        if (x.size != y.size)
            abort();
        check_same_bytes(x.data, y.data, x.size);
    }
}

/* Ids and times may be new where the input has none, and differ then. */
static inline void check_same(const akidb_documents *a, const akidb_documents *b, bool ids,
                              bool times)
{
    akidb_batch x = akidb_documents_batch(a);
    akidb_batch y = akidb_documents_batch(b);
    if (x.rows != y.rows)
        abort();
    if (x.rows == 0)
        return;
    check_same_bytes(x.vectors, y.vectors, x.rows * x.dimension * sizeof(float));
    if (ids)
        check_same_bytes(x.document_ids, y.document_ids, x.rows * sizeof(akidb_uuid));
    if (times)
        check_same_bytes(x.inserted_at, y.inserted_at, x.rows * sizeof(int64_t));
    check_same_texts(&x.external_ids, &y.external_ids, x.rows);
    check_same_texts(&x.metadata, &y.metadata, x.rows);
}

#endif
