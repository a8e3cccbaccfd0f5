#ifndef AK_TEST_PARQUET_SAME_H
#define AK_TEST_PARQUET_SAME_H
/* Documents that were read two ways, or written and read. */
#include "akidb/batch.h"
#include "test.h"

static inline void assert_same_texts(const akidb_texts *a, const akidb_texts *b, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        akidb_slice x = akidb_texts_at(a, i), y = akidb_texts_at(b, i);
        assert_int_equal(x.data == NULL, y.data == NULL);
        assert_int_equal(x.size, y.size);
        if (x.size > 0)
            assert_memory_equal(x.data, y.data, x.size);
    }
}

#endif
