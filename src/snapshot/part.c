#include "snapshot/part.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

/* ---- writing --------------------------------------------------------------------------------- */

void ak_sink_begin(ak_sink *sink, akidb_store *store, const char *key)
{
    *sink = (ak_sink){.store = store};
    strncpy(sink->key, key, sizeof sink->key - 1);
}

akidb_status ak_part_failure(akidb_status status, akidb_error *err)
{
    if (status != AKIDB_E_UNCERTAIN)
        return status;
    if (err != NULL)
        err->status = AKIDB_E_STORE;
    return AKIDB_E_STORE;
}

static akidb_status start_upload(ak_sink *sink, akidb_error *err)
{
    akidb_status status =
        akidb_store_upload_begin(sink->store, sink->key, AKIDB_PUT_ALWAYS, &sink->upload, err);
    akidb_slice gathered = {sink->buffer.data, sink->buffer.size};
    if (status == AKIDB_OK && gathered.size > 0)
        status = akidb_upload_write(sink->upload, &gathered, 1, err);
    akidb_buffer_free(&sink->buffer);
    return status;
}

static akidb_status gather(ak_sink *sink, const akidb_slice *slices, size_t count, size_t size,
                           akidb_error *err)
{
    akidb_status status = ak_buffer_reserve(&sink->buffer, size, err);
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = ak_buffer_append(&sink->buffer, slices[i].data, slices[i].size, err);
    return status;
}

static akidb_status sink_write(void *handle, const akidb_slice *slices, size_t count,
                               akidb_error *err)
{
    ak_sink *sink = handle;
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += slices[i].size;
    sink->size += size;
    akidb_status status = AKIDB_OK;
    if (sink->upload == NULL && sink->size >= AK_SINK_MEMORY)
        status = start_upload(sink, err);
    if (status == AKIDB_OK)
        status = sink->upload != NULL ? akidb_upload_write(sink->upload, slices, count, err)
                                      : gather(sink, slices, count, (size_t)size, err);
    if (status == AKIDB_OK && sink->watch != NULL)
        status = sink->watch(sink->context, err);
    return ak_part_failure(status, err);
}

akidb_output ak_sink_output(ak_sink *sink)
{
    static const akidb_output_ops ops = {sink_write};
    return (akidb_output){&ops, sink};
}

/* The answer was lost. The key is random and ours, and objects become visible whole: if one of our
 * size is there, it is ours. Whether it lasts, the store says when it is asked to put something
 * there if nothing is: that a key is taken it says of what lasts. `err` keeps the first failure
 * unless that one is settled. */
static akidb_status settle(const ak_sink *sink, akidb_status status)
{
    akidb_object_info info;
    if (akidb_store_head(sink->store, sink->key, &info, NULL) == AKIDB_OK &&
        info.size == sink->size &&
        akidb_store_put(sink->store, sink->key, NULL, 0, AKIDB_PUT_IF_ABSENT, NULL) ==
            AKIDB_E_ALREADY_EXISTS)
        return AKIDB_OK;
    return status;
}

akidb_status ak_sink_commit(ak_sink *sink, akidb_error *err)
{
    akidb_status status;
    if (sink->upload != NULL) {
        status = akidb_upload_commit(sink->upload, err);
        sink->upload = NULL;
    } else {
        akidb_slice bytes = {sink->buffer.data, sink->buffer.size};
        status = akidb_store_put(sink->store, sink->key, &bytes, 1, AKIDB_PUT_ALWAYS, err);
    }
    if (status == AKIDB_E_UNCERTAIN)
        status = settle(sink, status);
    akidb_buffer_free(&sink->buffer);
    return ak_part_failure(status, err);
}

void ak_sink_abort(ak_sink *sink)
{
    akidb_upload_abort(sink->upload);
    sink->upload = NULL;
    akidb_buffer_free(&sink->buffer);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What a call to the store has come to. */
static akidb_status count_read(ak_part_input *part, akidb_status status, uint64_t offset,
                               size_t size, size_t read, akidb_error *err)
{
    if (status != AKIDB_OK)
        return status;
    atomic_fetch_add(&part->bytes_read, read);
    if (read < size)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(part->key, offset),
                          "expected %zu bytes, found %zu: the object is shorter than its metadata "
                          "says",
                          size, read);
    return AKIDB_OK;
}

static akidb_status input_read_at(void *handle, uint64_t offset, void *dst, size_t size,
                                  akidb_error *err)
{
    ak_part_input *part = handle;
    size_t read = 0;
    akidb_status status =
        akidb_store_get_range(part->store, part->key, offset, dst, size, &read, err);
    return count_read(part, status, offset, size, read, err);
}

static akidb_status input_read_pieces(void *handle, uint64_t offset, const akidb_piece *pieces,
                                      size_t count, akidb_error *err)
{
    ak_part_input *part = handle;
    size_t read = 0, size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    akidb_status status =
        akidb_store_get_pieces(part->store, part->key, offset, pieces, count, &read, err);
    return count_read(part, status, offset, size, read, err);
}

akidb_input ak_part_input_open(ak_part_input *part, akidb_store *store, const char *key,
                               uint64_t size)
{
    static const akidb_input_ops far_ops = {.read_at = input_read_at,
                                            .read_pieces = input_read_pieces};
    static const akidb_input_ops near_ops = {
        .read_at = input_read_at, .read_pieces = input_read_pieces, .is_near = true};
    const akidb_input_ops *ops = akidb_store_is_near(store) ? &near_ops : &far_ops;
    part->store = store;
    part->key = key;
    atomic_init(&part->bytes_read, 0);
    return (akidb_input){ops, part, size, key};
}
