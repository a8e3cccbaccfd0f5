/* layers: os codec json document parquet formats */
/* Properties: an array that is taken has just the values that the file has room for; every block
 * can be read, unless a float64 is beyond the range of float32, and there are as many rows as the
 * header says. */
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    akidb_input input = akidb_input_from_memory((akidb_slice){data, size}, "fuzz.npy");
    ak_source *source;
    akidb_status opened = ak_npy_source_new(input, true, &source, NULL);
    check_source(source, opened, size);
    return 0;
}
