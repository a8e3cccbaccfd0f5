/* layers: os codec json document parquet formats */
/* Properties: a file that is taken has whole records; every block can be read, unless a record has
 * another dimension, and there are as many rows as there is room for. Only an empty file does not
 * say its dimension. */
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    akidb_input input = akidb_input_from_memory((akidb_slice){data, size}, "fuzz.fvecs");
    ak_source *source;
    akidb_status opened = ak_fvecs_source_new(input, &source, NULL);
    check_source(source, opened, size);
    return 0;
}
