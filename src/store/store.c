/* What callers meet: arguments are checked here, once, and outputs are zeroed, so that no
 * implementation has to. */
#include "akidb/store.h"

#include <stdlib.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "base/error.h"
#include "store/keys.h"

struct akidb_store {
    const akidb_store_ops *ops;
    void *handle;
    char name[];
};

struct akidb_upload {
    akidb_store *store;
    void *own; /* the implementation's */
    bool failed;
};

akidb_status akidb_store_new(const akidb_store_ops *ops, void *handle, const char *name,
                             akidb_store **store_out, akidb_error *err)
{
    *store_out = NULL;
    size_t name_size = strlen(name) + 1;
    akidb_store *store = malloc(sizeof *store + name_size);
    if (store == NULL)
        return ak_fail_memory(err, sizeof *store + name_size);
    store->ops = ops;
    store->handle = handle;
    memcpy(store->name, name, name_size);
    *store_out = store;
    return AKIDB_OK;
}

void akidb_store_close(akidb_store *store)
{
    if (store == NULL)
        return;
    if (store->ops->close != NULL)
        store->ops->close(store->handle);
    free(store);
}

const char *akidb_store_name(const akidb_store *store)
{
    return store->name;
}

const char *akidb_store_op_name(akidb_store_op op)
{
    switch (op) {
    case AKIDB_STORE_PUT: return "put";
    case AKIDB_STORE_GET: return "get";
    case AKIDB_STORE_GET_RANGE: return "get range";
    case AKIDB_STORE_HEAD: return "head";
    case AKIDB_STORE_DELETE: return "delete";
    case AKIDB_STORE_LIST: return "list";
    case AKIDB_STORE_COPY: return "copy";
    case AKIDB_STORE_UPLOAD_BEGIN: return "upload begin";
    case AKIDB_STORE_UPLOAD_WRITE: return "upload write";
    case AKIDB_STORE_UPLOAD_COMMIT: return "upload commit";
    case AKIDB_STORE_UPLOAD_ABORT: return "upload abort";
    case AKIDB_STORE_REMOVE_LEFTOVERS: return "remove leftovers";
    case AKIDB_STORE_OP_COUNT: break;
    }
    return "unknown";
}

/* ---- argument checks ------------------------------------------------------------------------- */

static akidb_status check_mode(const char *key, akidb_put_mode mode, akidb_error *err)
{
    if (mode != AKIDB_PUT_ALWAYS && mode != AKIDB_PUT_IF_ABSENT)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key), "%d is no put mode", (int)mode);
    return AKIDB_OK;
}

static akidb_status check_slices(const char *key, const akidb_slice *slices, size_t count,
                                 akidb_error *err)
{
    if (count > 0 && slices == NULL)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key), "%zu slices, but no array", count);
    for (size_t i = 0; i < count; i++)
        if (slices[i].data == NULL && slices[i].size > 0)
            return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key),
                              "slice %zu has %zu bytes, but no data", i, slices[i].size);
    return AKIDB_OK;
}

static akidb_status check_write(const char *key, akidb_put_mode mode, akidb_error *err)
{
    akidb_status status = ak_key_check(key, err);
    return status == AKIDB_OK ? check_mode(key, mode, err) : status;
}

/* ---- objects --------------------------------------------------------------------------------- */

akidb_status akidb_store_put(akidb_store *store, const char *key, const akidb_slice *slices,
                             size_t count, akidb_put_mode mode, akidb_error *err)
{
    akidb_status status = check_write(key, mode, err);
    if (status == AKIDB_OK)
        status = check_slices(key, slices, count, err);
    if (status != AKIDB_OK)
        return status;
    return store->ops->put(store->handle, key, slices, count, mode, err);
}

akidb_status akidb_store_get(akidb_store *store, const char *key, uint64_t max_size,
                             akidb_buffer *buffer_out, akidb_error *err)
{
    *buffer_out = (akidb_buffer){0};
    akidb_status status = ak_key_check(key, err);
    if (status != AKIDB_OK)
        return status;
    status = store->ops->get(store->handle, key, max_size, buffer_out, err);
    if (status != AKIDB_OK)
        akidb_buffer_free(buffer_out);
    return status;
}

akidb_status akidb_store_get_range(akidb_store *store, const char *key, uint64_t offset, void *dst,
                                   size_t size, size_t *read_out, akidb_error *err)
{
    *read_out = 0;
    akidb_status status = ak_key_check(key, err);
    if (status != AKIDB_OK)
        return status;
    if (dst == NULL && size > 0)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key),
                          "%zu bytes wanted, but nowhere to put them", size);
    status = store->ops->get_range(store->handle, key, offset, dst, size, read_out, err);
    if (status != AKIDB_OK)
        *read_out = 0;
    return status;
}

akidb_status akidb_store_head(akidb_store *store, const char *key, akidb_object_info *info_out,
                              akidb_error *err)
{
    *info_out = (akidb_object_info){0};
    akidb_status status = ak_key_check(key, err);
    if (status != AKIDB_OK)
        return status;
    status = store->ops->head(store->handle, key, info_out, err);
    if (status != AKIDB_OK)
        *info_out = (akidb_object_info){0};
    return status;
}

akidb_status akidb_store_exists(akidb_store *store, const char *key, bool *exists_out,
                                akidb_error *err)
{
    *exists_out = false;
    akidb_object_info info;
    akidb_error local; /* so that "not found", which is an answer here, leaves *err as it was */
    akidb_status status = akidb_store_head(store, key, &info, &local);
    if (status == AKIDB_E_NOT_FOUND)
        return AKIDB_OK;
    *exists_out = status == AKIDB_OK;
    if (status != AKIDB_OK && err != NULL)
        *err = local;
    return status;
}

akidb_status akidb_store_delete(akidb_store *store, const char *key, akidb_error *err)
{
    akidb_status status = ak_key_check(key, err);
    return status == AKIDB_OK ? store->ops->remove(store->handle, key, err) : status;
}

/* For a store that cannot copy. One get, and not ranges of it: the copy must be one version. */
static akidb_status read_and_put(akidb_store *store, const char *from_key, const char *to_key,
                                 akidb_put_mode mode, akidb_error *err)
{
    akidb_buffer bytes;
    akidb_status status = akidb_store_get(store, from_key, UINT64_MAX, &bytes, err);
    if (status != AKIDB_OK)
        return status;
    akidb_slice slice = {bytes.data, bytes.size};
    status = akidb_store_put(store, to_key, &slice, 1, mode, err);
    akidb_buffer_free(&bytes);
    return status;
}

akidb_status akidb_store_copy(akidb_store *store, const char *from_key, const char *to_key,
                              akidb_put_mode mode, akidb_error *err)
{
    akidb_status status = ak_key_check(from_key, err);
    if (status == AKIDB_OK)
        status = check_write(to_key, mode, err);
    if (status != AKIDB_OK)
        return status;
    if (store->ops->copy == NULL)
        return read_and_put(store, from_key, to_key, mode, err);
    return store->ops->copy(store->handle, from_key, to_key, mode, err);
}

akidb_status akidb_store_list(akidb_store *store, const char *prefix, char delimiter,
                              akidb_list_visitor *visitor, void *context, akidb_error *err)
{
    if (prefix == NULL || visitor == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "listing needs a prefix and a visitor");
    if (delimiter != '\0' && delimiter != '/')
        return ak_fail(err, AKIDB_E_VALIDATION, "the delimiter must be 0 or '/', found 0x%02X",
                       (unsigned)(unsigned char)delimiter);
    return store->ops->list(store->handle, prefix, delimiter, visitor, context, err);
}

/* ---- uploads --------------------------------------------------------------------------------- */

akidb_status akidb_store_upload_begin(akidb_store *store, const char *key, akidb_put_mode mode,
                                      akidb_upload **upload_out, akidb_error *err)
{
    *upload_out = NULL;
    akidb_status status = check_write(key, mode, err);
    if (status != AKIDB_OK)
        return status;
    akidb_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL)
        return ak_fail_memory(err, sizeof *upload);
    upload->store = store;
    status = store->ops->upload_begin(store->handle, key, mode, &upload->own, err);
    if (status != AKIDB_OK) {
        free(upload);
        return status;
    }
    *upload_out = upload;
    return AKIDB_OK;
}

akidb_status akidb_upload_write(akidb_upload *upload, const akidb_slice *slices, size_t count,
                                akidb_error *err)
{
    if (upload->failed)
        return ak_fail(err, AKIDB_E_PRECONDITION,
                       "a write to this upload failed: only abort is left");
    akidb_status status = check_slices(NULL, slices, count, err);
    if (status == AKIDB_OK) {
        akidb_store *store = upload->store;
        status = store->ops->upload_write(store->handle, upload->own, slices, count, err);
    }
    upload->failed = status != AKIDB_OK;
    return status;
}

akidb_status akidb_upload_commit(akidb_upload *upload, akidb_error *err)
{
    if (upload->failed) {
        akidb_upload_abort(upload);
        return ak_fail(err, AKIDB_E_PRECONDITION, "a write to this upload failed: it was aborted");
    }
    akidb_store *store = upload->store;
    akidb_status status = store->ops->upload_commit(store->handle, upload->own, err);
    free(upload);
    return status;
}

void akidb_upload_abort(akidb_upload *upload)
{
    if (upload == NULL)
        return;
    upload->store->ops->upload_abort(upload->store->handle, upload->own);
    free(upload);
}

/* ---- leftovers ------------------------------------------------------------------------------- */

akidb_status akidb_store_remove_leftovers(akidb_store *store, int64_t before, bool dry_run,
                                          uint64_t *count_out, uint64_t *bytes_out,
                                          akidb_error *err)
{
    *count_out = 0;
    *bytes_out = 0;
    if (store->ops->remove_leftovers == NULL)
        return AKIDB_OK;
    akidb_status status =
        store->ops->remove_leftovers(store->handle, before, dry_run, count_out, bytes_out, err);
    if (status != AKIDB_OK)
        *count_out = *bytes_out = 0;
    return status;
}
