/* layers: codec */
/* The RLE hybrid: what decodes keeps its bounds and survives being written again. Input: bit width,
 * count (two bytes), then the runs. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "codec/rle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void write_again(const uint32_t *values, size_t count, unsigned width, uint32_t maximum)
{
    akidb_buffer buffer = {0};
    uint32_t *again = malloc((count + 1) * sizeof *again);
    require(again != NULL);
    require(ak_rle_encode(&buffer, values, count, width, NULL) == AKIDB_OK);
    const akidb_slice bytes = {buffer.data, buffer.size};
    size_t used;
    require(ak_rle_decode(bytes, width, maximum, count, again, &used, NULL) == AKIDB_OK);
    require(used == buffer.size);
    require(count == 0 || memcmp(again, values, count * sizeof *again) == 0);
    free(again);
    akidb_buffer_free(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    unsigned width = data[0] % 34; /* 33 is illegal */
    uint32_t maximum = width >= 32 ? UINT32_MAX : (UINT32_C(1) << width) - 1;
    maximum -= data[0] / 34;
    size_t count = (size_t)data[1] | (size_t)data[2] << 8;
    uint32_t *values = malloc((count + 1) * sizeof *values);
    require(values != NULL);
    size_t used;
    akidb_error err;
    const akidb_slice bytes = {data + 3, size - 3};
    akidb_status status = ak_rle_decode(bytes, width, maximum, count, values, &used, &err);
    require(status == AKIDB_OK || (status == AKIDB_E_CORRUPTION && used == 0));
    require(used <= size - 3);
    if (status == AKIDB_OK) {
        for (size_t i = 0; i < count; i++)
            require(values[i] <= maximum);
        write_again(values, count, width, maximum);
    }
    free(values);
    return 0;
}
