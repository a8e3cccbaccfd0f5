/*
 * A store of one's own: a wrapper that counts the bytes that pass, given to the library through the
 * table of functions in akidb/sys/store_backend.h. A real one would speak to some other service.
 */
#include <akidb/akidb.h>
#include <akidb/sys/store_backend.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct counting {
    akidb_store *inner;
    uint64_t written;
    uint64_t read;
} counting;

static void count_slices(counting *self, const akidb_slice *slices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        self->written += slices[i].size;
}

static akidb_status counting_put(void *handle, const char *key, const akidb_slice *slices,
                                 size_t count, akidb_put_mode mode, akidb_error *err)
{
    counting *self = handle;
    count_slices(self, slices, count);
    return akidb_store_put(self->inner, key, slices, count, mode, err);
}

static akidb_status counting_get(void *handle, const char *key, uint64_t max_size,
                                 akidb_buffer *buffer_out, akidb_error *err)
{
    counting *self = handle;
    akidb_status status = akidb_store_get(self->inner, key, max_size, buffer_out, err);
    self->read += buffer_out->size;
    return status;
}

static akidb_status counting_get_range(void *handle, const char *key, uint64_t offset, void *dst,
                                       size_t size, size_t *read_out, akidb_error *err)
{
    counting *self = handle;
    akidb_status status = akidb_store_get_range(self->inner, key, offset, dst, size, read_out, err);
    self->read += *read_out;
    return status;
}

static akidb_status counting_head(void *handle, const char *key, akidb_object_info *info_out,
                                  akidb_error *err)
{
    return akidb_store_head(((counting *)handle)->inner, key, info_out, err);
}

static akidb_status counting_remove(void *handle, const char *key, akidb_error *err)
{
    return akidb_store_delete(((counting *)handle)->inner, key, err);
}

static akidb_status counting_list(void *handle, const char *prefix, char delimiter,
                                  akidb_list_visitor *visitor, void *context, akidb_error *err)
{
    counting *self = handle;
    return akidb_store_list(self->inner, prefix, delimiter, visitor, context, err);
}

static akidb_status counting_upload_begin(void *handle, const char *key, akidb_put_mode mode,
                                          void **upload_out, akidb_error *err)
{
    akidb_upload *upload = NULL;
    akidb_status status =
        akidb_store_upload_begin(((counting *)handle)->inner, key, mode, &upload, err);
    *upload_out = upload;
    return status;
}

static akidb_status counting_upload_write(void *handle, void *upload, const akidb_slice *slices,
                                          size_t count, akidb_error *err)
{
    count_slices(handle, slices, count);
    return akidb_upload_write(upload, slices, count, err);
}

static akidb_status counting_upload_commit(void *handle, void *upload, akidb_error *err)
{
    (void)handle;
    return akidb_upload_commit(upload, err);
}

static void counting_upload_abort(void *handle, void *upload)
{
    (void)handle;
    akidb_upload_abort(upload);
}

/* copy, remove_leftovers and close are left out: each may be NULL. */
static const akidb_store_ops counting_ops = {
    .put = counting_put,
    .get = counting_get,
    .get_range = counting_get_range,
    .head = counting_head,
    .remove = counting_remove,
    .list = counting_list,
    .upload_begin = counting_upload_begin,
    .upload_write = counting_upload_write,
    .upload_commit = counting_upload_commit,
    .upload_abort = counting_upload_abort,
};

static akidb_status run(akidb_store *store, akidb_error *err)
{
    static const float vectors[2][3] = {{1, 2, 3}, {4, 5, 6}};
    akidb_batch batch = {.rows = 2, .dimension = 3, .vectors = &vectors[0][0]};
    akidb_snapshotter *snapshotter = NULL;
    akidb_documents *documents = NULL;
    akidb_uuid collection, snapshot;
    akidb_status status = akidb_snapshotter_open(store, NULL, &snapshotter, err);
    if (status == AKIDB_OK)
        status = akidb_collection_id("counted", &collection, err);
    if (status == AKIDB_OK)
        status =
            akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &snapshot, NULL, err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_restore(snapshotter, &collection, &snapshot, NULL, &documents, err);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    return status;
}

int main(void)
{
    akidb_error err = {0};
    counting self = {0};
    akidb_store *store = NULL;
    akidb_status status = akidb_store_memory_open(&self.inner, &err);
    if (status == AKIDB_OK)
        status = akidb_store_new(&counting_ops, &self, "counting", &store, &err);
    if (status == AKIDB_OK)
        status = run(store, &err);
    if (status != AKIDB_OK)
        fprintf(stderr, "%s\n", err.message);
    else
        printf("%" PRIu64 " bytes written, %" PRIu64 " bytes read\n", self.written, self.read);
    akidb_store_close(store);
    akidb_store_close(self.inner);
    return status == AKIDB_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
