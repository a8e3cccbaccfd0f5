/* layers: codec os json document parquet */
/* Any bytes as a Parquet file whose vectors are handed out in place: what is handed out lies in the
 * file, aligned and in the order of the rows. The first byte chooses the options, the rest is the
 * file. */
#include <stdlib.h>
#include <string.h>

#include "parquet/mapped.h"

static void check(bool condition)
{
    if (!condition)
        abort();
}

static uint64_t look_at(const akidb_mapped_vectors *mapped, const uint8_t *file, size_t size)
{
    uint64_t sum = 0, row = 0;
    size_t count;
    const akidb_mapped_piece *pieces = akidb_mapped_vectors_pieces(mapped, &count);
    const size_t dimension = akidb_mapped_vectors_dimension(mapped);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *begin = (const uint8_t *)pieces[i].vectors;
        size_t floats = pieces[i].rows * dimension;
        check(pieces[i].first_row == row && pieces[i].rows > 0);
        check((uintptr_t)begin % 64 == 0);
        check(begin >= file && floats * sizeof(float) <= size - (size_t)(begin - file));
        check(akidb_mapped_vectors_row(mapped, row) == pieces[i].vectors);
        for (size_t j = 0; j < floats; j++)
            sum += pieces[i].vectors[j] > 0;
        row += pieces[i].rows;
    }
    check(row == akidb_mapped_vectors_rows(mapped));
    check(akidb_mapped_vectors_row(mapped, row) == NULL);
    return sum;
}

static uint64_t map(const uint8_t *file, size_t size, bool verify)
{
    akidb_error err;
    uint64_t sum = 0;
    akidb_mapped_vectors *mapped;
    akidb_parquet_reader *reader = NULL;
    const akidb_mapped_options options = {.struct_size = sizeof options,
                                          .verify = verify ? AKIDB_ON : AKIDB_OFF};
    const akidb_parquet_read_options columns = {.struct_size = sizeof columns,
                                                .columns = AKIDB_COLUMN_VECTOR};
    akidb_input input = akidb_input_from_memory((akidb_slice){file, size}, "fuzz");
    if (ak_mapped_new(&options, &mapped, &err) != AKIDB_OK)
        return 0;
    if (akidb_parquet_reader_open(&input, &columns, &reader, &err) == AKIDB_OK &&
        ak_mapped_add(mapped, reader, file, &err) == AKIDB_OK)
        sum = look_at(mapped, file, size);
    akidb_parquet_reader_close(reader);
    akidb_mapped_vectors_close(mapped);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    void *file;
    if (posix_memalign(&file, 64, size - 1) != 0)
        return 0;
    memcpy(file, data + 1, size - 1);
    volatile uint64_t used = map(file, size - 1, (data[0] & 1) != 0);
    (void)used; /* or the compiler would leave out the looking */
    free(file);
    return 0;
}
