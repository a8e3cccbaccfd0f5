/* The vectors of a snapshot, in place: each part is mapped, and compared with the metadata. */
#include <inttypes.h>

#include "base/error.h"
#include "parquet/mapped.h"
#include "snapshot/parquet_part.h"
#include "store/descriptor.h"

static akidb_status map_part(akidb_snapshotter *snapshotter,
                             const akidb_snapshot_metadata *metadata,
                             const akidb_snapshot_part *part, akidb_mapped_vectors *mapped,
                             ak_mapping *mapping_out, akidb_error *err)
{
    int descriptor;
    bool deleted;
    akidb_status status = ak_store_descriptor(snapshotter->store, part->key, &descriptor, err);
    if (status == AKIDB_E_NOT_FOUND)
        return ak_part_is_missing(snapshotter, metadata, part, &deleted, err);
    if (status == AKIDB_OK)
        status = ak_mapping_take(descriptor, part->key, mapping_out, err);
    if (status == AKIDB_OK)
        status = ak_mapped_keep(mapped, mapping_out, err);
    if (status == AKIDB_OK && mapping_out->size != part->summary.file.size)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(part->key),
                          "expected %" PRIu64 " bytes, as the metadata has it, found %zu",
                          part->summary.file.size, mapping_out->size);
    return status;
}

static akidb_status add_part(akidb_snapshotter *snapshotter,
                             const akidb_snapshot_metadata *metadata,
                             const akidb_snapshot_part *part, akidb_mapped_vectors *mapped,
                             akidb_error *err)
{
    ak_mapping mapping = {NULL, 0};
    akidb_status status = map_part(snapshotter, metadata, part, mapped, &mapping, err);
    if (status != AKIDB_OK)
        return status;
    akidb_input input =
        akidb_input_from_memory((akidb_slice){mapping.data, mapping.size}, part->key);
    const ak_part_source source = {.input = &input,
                                   .metadata = metadata,
                                   .part = part,
                                   .threads = 1,
                                   .hooks = &snapshotter->log_only};
    akidb_parquet_reader *reader;
    status = ak_parquet_part_open(&source, AKIDB_COLUMN_VECTOR, false, &reader, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_parquet_part_failure(ak_mapped_add(mapped, reader, mapping.data, err), err);
    akidb_parquet_reader_close(reader);
    return status;
}

static akidb_status add_parts(akidb_snapshotter *snapshotter,
                              const akidb_snapshot_metadata *metadata, akidb_mapped_vectors *mapped,
                              akidb_error *err)
{
    if (metadata->format != AKIDB_FORMAT_PARQUET)
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(metadata->key),
                          "expected a Parquet snapshot, to map its vectors, found JSON");
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; status == AKIDB_OK && i < metadata->part_count; i++)
        status = add_part(snapshotter, metadata, &metadata->parts[i], mapped, err);
    mapped->dimension = metadata->dimension;
    return status;
}

akidb_status akidb_mapped_vectors_open_snapshot(akidb_snapshotter *snapshotter,
                                                const akidb_uuid *collection_id,
                                                const akidb_uuid *snapshot_id,
                                                const akidb_mapped_options *options,
                                                akidb_mapped_vectors **mapped_out, akidb_error *err)
{
    *mapped_out = NULL;
    akidb_mapped_vectors *mapped;
    akidb_status status = ak_mapped_new(options, &mapped, err);
    if (status != AKIDB_OK)
        return status;
    akidb_snapshot_metadata *metadata;
    status = ak_metadata_find(snapshotter, collection_id, snapshot_id, &metadata, err);
    if (status == AKIDB_OK) {
        status = add_parts(snapshotter, metadata, mapped, err);
        akidb_snapshot_metadata_free(metadata);
    }
    if (status != AKIDB_OK) {
        akidb_mapped_vectors_close(mapped);
        return status;
    }
    *mapped_out = mapped;
    return AKIDB_OK;
}
