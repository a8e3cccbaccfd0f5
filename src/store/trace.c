/* Tells each call that goes to another store: key, bytes and outcome. */
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "base/error.h"
#include "store/descriptor.h"

typedef struct trace_store {
    akidb_store *inner;
    void (*trace)(void *context, const akidb_store_call *call);
    void *context;
} trace_store;

typedef struct trace_upload {
    akidb_upload *inner;
    char key[];
} trace_upload;

/* Tells a call, and hands its status on. */
static akidb_status told(const trace_store *store, akidb_store_op op, const char *key,
                         uint64_t bytes, akidb_status status)
{
    akidb_store_call call = {.op = op, .key = key, .bytes = bytes, .status = status, .keys = 1};
    store->trace(store->context, &call);
    return status;
}

static uint64_t total(const akidb_slice *slices, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += slices[i].size;
    return bytes;
}

static akidb_status trace_put(void *handle, const char *key, const akidb_slice *slices,
                              size_t count, akidb_put_mode mode, akidb_error *err)
{
    trace_store *store = handle;
    akidb_status status = akidb_store_put(store->inner, key, slices, count, mode, err);
    return told(store, AKIDB_STORE_PUT, key, total(slices, count), status);
}

static akidb_status trace_get(void *handle, const char *key, uint64_t max_size,
                              akidb_buffer *buffer_out, akidb_error *err)
{
    trace_store *store = handle;
    akidb_status status = akidb_store_get(store->inner, key, max_size, buffer_out, err);
    return told(store, AKIDB_STORE_GET, key, buffer_out->size, status);
}

static akidb_status trace_get_range(void *handle, const char *key, uint64_t offset, void *dst,
                                    size_t size, size_t *read_out, akidb_error *err)
{
    trace_store *store = handle;
    akidb_status status =
        akidb_store_get_range(store->inner, key, offset, dst, size, read_out, err);
    return told(store, AKIDB_STORE_GET_RANGE, key, *read_out, status);
}

static akidb_status trace_get_pieces(void *handle, const char *key, uint64_t offset,
                                     const akidb_piece *pieces, size_t count, size_t *read_out,
                                     akidb_error *err)
{
    trace_store *store = handle;
    akidb_status status =
        akidb_store_get_pieces(store->inner, key, offset, pieces, count, read_out, err);
    return told(store, AKIDB_STORE_GET_RANGE, key, *read_out, status);
}

/* Not told: what is read of the file is not known here. */
static akidb_status trace_descriptor(void *handle, const char *key, int *descriptor_out,
                                     akidb_error *err)
{
    trace_store *store = handle;
    return ak_store_descriptor(store->inner, key, descriptor_out, err);
}

static bool trace_is_near(const void *handle)
{
    return akidb_store_is_near(((const trace_store *)handle)->inner);
}

static akidb_status trace_head(void *handle, const char *key, akidb_object_info *info_out,
                               akidb_error *err)
{
    trace_store *store = handle;
    akidb_status status = akidb_store_head(store->inner, key, info_out, err);
    return told(store, AKIDB_STORE_HEAD, key, 0, status);
}

static akidb_status trace_remove(void *handle, const char *key, akidb_error *err)
{
    trace_store *store = handle;
    return told(store, AKIDB_STORE_DELETE, key, 0, akidb_store_delete(store->inner, key, err));
}

static akidb_status trace_remove_many(void *handle, const char *const *keys, size_t count,
                                      akidb_status *outcomes, akidb_error *err)
{
    trace_store *store = handle;
    akidb_status status = akidb_store_delete_many(store->inner, keys, count, outcomes, err);
    akidb_store_call call = {
        .op = AKIDB_STORE_DELETE_MANY, .key = keys[0], .status = status, .keys = count};
    store->trace(store->context, &call);
    return status;
}

static akidb_status trace_list(void *handle, const char *prefix, char delimiter,
                               akidb_list_visitor *visitor, void *context, akidb_error *err)
{
    trace_store *store = handle;
    akidb_status status = akidb_store_list(store->inner, prefix, delimiter, visitor, context, err);
    return told(store, AKIDB_STORE_LIST, prefix, 0, status);
}

static akidb_status trace_copy(void *handle, const char *from_key, const char *to_key,
                               akidb_put_mode mode, akidb_error *err)
{
    trace_store *store = handle;
    akidb_status status = akidb_store_copy(store->inner, from_key, to_key, mode, err);
    return told(store, AKIDB_STORE_COPY, to_key, 0, status);
}

static akidb_status trace_upload_begin(void *handle, const char *key, akidb_put_mode mode,
                                       void **upload_out, akidb_error *err)
{
    trace_store *store = handle;
    size_t key_size = strlen(key) + 1;
    trace_upload *upload = malloc(sizeof *upload + key_size);
    if (upload == NULL)
        return ak_fail_memory(err, sizeof *upload + key_size);
    memcpy(upload->key, key, key_size);
    akidb_status status = akidb_store_upload_begin(store->inner, key, mode, &upload->inner, err);
    if (status == AKIDB_OK)
        *upload_out = upload;
    else
        free(upload);
    return told(store, AKIDB_STORE_UPLOAD_BEGIN, key, 0, status);
}

static akidb_status trace_upload_write(void *handle, void *upload, const akidb_slice *slices,
                                       size_t count, akidb_error *err)
{
    trace_upload *u = upload;
    akidb_status status = akidb_upload_write(u->inner, slices, count, err);
    return told(handle, AKIDB_STORE_UPLOAD_WRITE, u->key, total(slices, count), status);
}

static akidb_status trace_upload_commit(void *handle, void *upload, akidb_error *err)
{
    trace_upload *u = upload;
    akidb_status status = akidb_upload_commit(u->inner, err);
    told(handle, AKIDB_STORE_UPLOAD_COMMIT, u->key, 0, status);
    free(u);
    return status;
}

static void trace_upload_abort(void *handle, void *upload)
{
    trace_upload *u = upload;
    akidb_upload_abort(u->inner);
    told(handle, AKIDB_STORE_UPLOAD_ABORT, u->key, 0, AKIDB_OK);
    free(u);
}

static akidb_status trace_remove_leftovers(void *handle, int64_t before, bool dry_run,
                                           uint64_t *count_out, uint64_t *bytes_out,
                                           akidb_error *err)
{
    trace_store *store = handle;
    akidb_status status =
        akidb_store_remove_leftovers(store->inner, before, dry_run, count_out, bytes_out, err);
    return told(store, AKIDB_STORE_REMOVE_LEFTOVERS, "", 0, status);
}

static void trace_statistics(void *handle, akidb_store_statistics *statistics_out)
{
    akidb_store_get_statistics(((trace_store *)handle)->inner, statistics_out);
}

static const akidb_store_ops trace_ops = {
    .put = trace_put,
    .get = trace_get,
    .get_range = trace_get_range,
    .head = trace_head,
    .remove = trace_remove,
    .list = trace_list,
    .copy = trace_copy,
    .upload_begin = trace_upload_begin,
    .upload_write = trace_upload_write,
    .upload_commit = trace_upload_commit,
    .upload_abort = trace_upload_abort,
    .remove_leftovers = trace_remove_leftovers,
    .remove_many = trace_remove_many,
    .statistics = trace_statistics,
    .get_pieces = trace_get_pieces,
    .is_near = trace_is_near,
    .descriptor = trace_descriptor,
    .close = free,
};

akidb_status akidb_store_trace_open(akidb_store *inner,
                                    void (*trace)(void *context, const akidb_store_call *),
                                    void *context, akidb_store **store_out, akidb_error *err)
{
    *store_out = NULL;
    trace_store *store = malloc(sizeof *store);
    if (store == NULL)
        return ak_fail_memory(err, sizeof *store);
    *store = (trace_store){inner, trace, context};
    akidb_status status =
        akidb_store_new(&trace_ops, store, akidb_store_name(inner), store_out, err);
    if (status != AKIDB_OK)
        free(store);
    return status;
}
