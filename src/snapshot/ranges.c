#include "snapshot/ranges.h"

#include <inttypes.h>

#include "base/checksum.h"
#include "base/error.h"

const akidb_parquet_range ak_parquet_magic = {
    .offset = 0, .size = 4, .crc32c = UINT32_C(0x4D9E7A63) /* of "PAR1" */
};

akidb_status ak_range_read(const akidb_input *input, const akidb_parquet_range *range,
                           uint8_t *piece, ak_piece_visitor *visit, void *context, akidb_error *err)
{
    uint32_t crc = 0;
    for (uint64_t done = 0; done < range->size;) {
        uint64_t left = range->size - done;
        size_t size = left < AK_PIECE_BYTES ? (size_t)left : AK_PIECE_BYTES;
        akidb_status status = akidb_input_read_at(input, range->offset + done, piece, size, err);
        if (status != AKIDB_OK)
            return status;
        crc = ak_crc32c(crc, piece, size);
        done += size;
        status = visit(context, piece, size, err);
        if (status != AKIDB_OK)
            return status;
    }
    if (crc != range->crc32c)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, range->offset),
                          "range of %" PRIu64 " bytes: expected crc32c %08" PRIx32
                          ", found %08" PRIx32,
                          range->size, range->crc32c, crc);
    return AKIDB_OK;
}
