/* layers: os codec json document parquet store formats snapshot */
/* Metadata objects: an error that says corrupt, or a snapshot whose parts add up, and which comes
 * back the same when it is written again. Input: a byte (bit 0: the old layout's key; bit 1: a
 * right checksum is put at the end), then the text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "snapshot/metadata.h"

#define COLLECTION "0945db03-3ed2-5aea-b1b9-96709bcb3b20"
#define SNAPSHOT   "11111111-2222-4333-8444-5555aaaa6666"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_sums(const akidb_snapshot_metadata *metadata)
{
    uint64_t rows = 0, size = 0;
    require(metadata->part_count > 0);
    for (size_t i = 0; i < metadata->part_count; i++) {
        const akidb_parquet_summary *part = &metadata->parts[i].summary;
        rows += part->rows;
        size += part->file.size;
        for (size_t g = 0; g < part->row_group_count; g++) {
            const akidb_parquet_row_group_summary *group = &part->row_groups[g];
            require(group->all.offset + group->all.size <= part->file.size);
            require(group->small.size <= group->all.size);
        }
        require(part->tail.offset + part->tail.size <= part->file.size);
    }
    require(rows == metadata->vector_count && size == metadata->size_bytes);
    require(metadata->dimension >= 1 && metadata->dimension <= AKIDB_DIMENSION_MAX);
    require(metadata->created_at >= AKIDB_TIME_MIN && metadata->created_at <= AKIDB_TIME_MAX);
}

/* Without the unknown fields, which a writer does not know, all must come back. */
static void check_again(const akidb_snapshot_metadata *metadata)
{
    akidb_buffer first = {0}, second = {0};
    akidb_snapshot_metadata *again;
    require(ak_metadata_write(metadata, &first, NULL) == AKIDB_OK);
    require(ak_metadata_read(metadata->key, (akidb_slice){first.data, first.size}, &again, NULL) ==
            AKIDB_OK);
    require(ak_metadata_write(again, &second, NULL) == AKIDB_OK);
    require(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    akidb_snapshot_metadata_free(again);
    akidb_buffer_free(&first);
    akidb_buffer_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *key = (data[0] & 1) != 0 ? "snapshots/" SNAPSHOT ".meta.json"
                                         : "snapshots/" COLLECTION "/" SNAPSHOT ".metadata.json";
    akidb_buffer text = {0};
    require(ak_buffer_append(&text, data + 1, size - 1, NULL) == AKIDB_OK);
    if ((data[0] & 2) != 0)
        require(ak_buffer_printf(&text, NULL, ",\"checksum\":\"crc32c:%08x\"}\n",
                                 (unsigned)ak_crc32c(0, text.data, text.size)) == AKIDB_OK);
    akidb_error err;
    akidb_snapshot_metadata *metadata;
    akidb_status status =
        ak_metadata_read(key, (akidb_slice){text.data, text.size}, &metadata, &err);
    require(status == AKIDB_OK || status == AKIDB_E_CORRUPTION || status == AKIDB_E_UNSUPPORTED);
    require((status == AKIDB_OK) == (metadata != NULL));
    if (metadata != NULL) {
        check_sums(metadata);
        if (metadata->checked)
            check_again(metadata);
    }
    akidb_snapshot_metadata_free(metadata);
    akidb_buffer_free(&text);
    return 0;
}
