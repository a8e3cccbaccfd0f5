/* What callers meet: arguments are checked here, once, and outputs are zeroed, so that no
 * implementation has to. */
#include "akidb/store.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "base/checked.h"
#include "base/error.h"
#include "store/descriptor.h"
#include "store/keys.h"

/* For an implementation that counts nothing itself. */
typedef struct counters {
    atomic_uint_fast64_t calls[AKIDB_REQUEST_KIND_COUNT];
    atomic_uint_fast64_t failed, sent_bytes, received_bytes;
} counters;

struct akidb_store {
    const akidb_store_ops *ops;
    void *handle;
    counters counters;
    char name[];
};

struct akidb_upload {
    akidb_store *store;
    void *own; /* the implementation's */
    bool failed;
    uint64_t bytes; /* written */
};

akidb_status akidb_store_new(const akidb_store_ops *ops, void *handle, const char *name,
                             akidb_store **store_out, akidb_error *err)
{
    *store_out = NULL;
    size_t name_size = strlen(name) + 1;
    akidb_store *store = calloc(1, sizeof *store + name_size);
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
    case AKIDB_STORE_DELETE_MANY: return "delete many";
    case AKIDB_STORE_OP_COUNT: break;
    }
    return "unknown";
}

/* ---- statistics ------------------------------------------------------------------------------ */

const char *akidb_request_kind_name(akidb_request_kind kind)
{
    switch (kind) {
    case AKIDB_REQUEST_GET: return "GET";
    case AKIDB_REQUEST_HEAD: return "HEAD";
    case AKIDB_REQUEST_LIST: return "LIST";
    case AKIDB_REQUEST_PUT: return "PUT";
    case AKIDB_REQUEST_POST: return "POST";
    case AKIDB_REQUEST_DELETE: return "DELETE";
    case AKIDB_REQUEST_KIND_COUNT: break;
    }
    return "unknown";
}

/* Counts a call, and hands its status on. */
static akidb_status counted(akidb_store *store, akidb_request_kind kind, uint64_t sent,
                            uint64_t received, akidb_status status)
{
    counters *c = &store->counters;
    atomic_fetch_add(&c->calls[kind], 1);
    if (status != AKIDB_OK && status != AKIDB_E_NOT_FOUND && status != AKIDB_E_ALREADY_EXISTS)
        atomic_fetch_add(&c->failed, 1);
    if (sent > 0)
        atomic_fetch_add(&c->sent_bytes, sent);
    if (received > 0)
        atomic_fetch_add(&c->received_bytes, received);
    return status;
}

void akidb_store_get_statistics(akidb_store *store, akidb_store_statistics *statistics_out)
{
    *statistics_out = (akidb_store_statistics){0};
    if (store->ops->statistics != NULL) {
        store->ops->statistics(store->handle, statistics_out);
        return;
    }
    counters *c = &store->counters;
    for (int kind = 0; kind < AKIDB_REQUEST_KIND_COUNT; kind++)
        statistics_out->requests[kind] = atomic_load(&c->calls[kind]);
    statistics_out->failed = atomic_load(&c->failed);
    statistics_out->sent_bytes = atomic_load(&c->sent_bytes);
    statistics_out->received_bytes = atomic_load(&c->received_bytes);
}

static uint64_t total(const akidb_slice *slices, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += slices[i].size;
    return bytes;
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
    status = store->ops->put(store->handle, key, slices, count, mode, err);
    return counted(store, AKIDB_REQUEST_PUT, total(slices, count), 0, status);
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
    return counted(store, AKIDB_REQUEST_GET, 0, buffer_out->size, status);
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
    return counted(store, AKIDB_REQUEST_GET, 0, *read_out, status);
}

/* For a store that fills one piece only. */
static akidb_status read_and_scatter(akidb_store *store, const char *key, uint64_t offset,
                                     const akidb_piece *pieces, size_t size, size_t *read_out,
                                     akidb_error *err)
{
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        return ak_fail_memory(err, size);
    akidb_status status =
        store->ops->get_range(store->handle, key, offset, bytes, size, read_out, err);
    size_t left = status == AKIDB_OK ? *read_out : 0;
    for (const uint8_t *from = bytes; left > 0; pieces++) {
        size_t some = pieces->size < left ? pieces->size : left;
        memcpy(pieces->data, from, some);
        from += some;
        left -= some;
    }
    free(bytes);
    return status;
}

static akidb_status check_pieces(const char *key, const akidb_piece *pieces, size_t count,
                                 size_t *size_out, akidb_error *err)
{
    if (count == 0 || pieces == NULL)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key), "no pieces to fill");
    *size_out = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].data == NULL || pieces[i].size == 0)
            return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key), "piece %zu is empty", i);
        if (!ak_add_size(*size_out, pieces[i].size, size_out))
            return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key), "more bytes than memory has");
    }
    return AKIDB_OK;
}

akidb_status akidb_store_get_pieces(akidb_store *store, const char *key, uint64_t offset,
                                    const akidb_piece *pieces, size_t count, size_t *read_out,
                                    akidb_error *err)
{
    size_t size;
    *read_out = 0;
    akidb_status status = ak_key_check(key, err);
    if (status == AKIDB_OK)
        status = check_pieces(key, pieces, count, &size, err);
    if (status != AKIDB_OK)
        return status;
    if (store->ops->get_pieces != NULL)
        status = store->ops->get_pieces(store->handle, key, offset, pieces, count, read_out, err);
    else
        status = read_and_scatter(store, key, offset, pieces, size, read_out, err);
    if (status != AKIDB_OK)
        *read_out = 0;
    return counted(store, AKIDB_REQUEST_GET, 0, *read_out, status);
}

akidb_status ak_store_descriptor(akidb_store *store, const char *key, int *descriptor_out,
                                 akidb_error *err)
{
    *descriptor_out = -1;
    akidb_status status = ak_key_check(key, err);
    if (status != AKIDB_OK)
        return status;
    if (store->ops->descriptor == NULL)
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(key),
                          "expected a store whose objects are files of this machine, found %s",
                          store->name);
    return store->ops->descriptor(store->handle, key, descriptor_out, err);
}

bool akidb_store_is_near(const akidb_store *store)
{
    return store->ops->is_near != NULL && store->ops->is_near(store->handle);
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
    return counted(store, AKIDB_REQUEST_HEAD, 0, 0, status);
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

static akidb_status remove_one(akidb_store *store, const char *key, akidb_error *err)
{
    akidb_status status = store->ops->remove(store->handle, key, err);
    return counted(store, AKIDB_REQUEST_DELETE, 0, 0, status);
}

akidb_status akidb_store_delete(akidb_store *store, const char *key, akidb_error *err)
{
    akidb_status status = ak_key_check(key, err);
    return status == AKIDB_OK ? remove_one(store, key, err) : status;
}

static akidb_status set_all(akidb_status *outcomes, size_t count, akidb_status status)
{
    for (size_t i = 0; i < count; i++)
        outcomes[i] = status;
    return status;
}

/* At most AKIDB_REMOVE_MANY_MAX keys. */
static akidb_status remove_some(akidb_store *store, const char *const *keys, size_t count,
                                akidb_status *outcomes, akidb_error *err)
{
    akidb_status first = AKIDB_OK;
    if (store->ops->remove_many != NULL && count > 1) {
        first = store->ops->remove_many(store->handle, keys, count, outcomes, err);
        counted(store, AKIDB_REQUEST_POST, 0, 0, first);
    } else {
        set_all(outcomes, count, AKIDB_E_UNSUPPORTED);
    }
    bool cancelled = first == AKIDB_E_CANCELLED;
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i] != AKIDB_E_UNSUPPORTED)
            continue;
        outcomes[i] = cancelled ? AKIDB_E_CANCELLED
                                : remove_one(store, keys[i], first == AKIDB_OK ? err : NULL);
        cancelled = outcomes[i] == AKIDB_E_CANCELLED;
        if (first == AKIDB_OK)
            first = outcomes[i];
    }
    return first;
}

static bool has_any(const akidb_status *outcomes, size_t count, akidb_status status)
{
    for (size_t i = 0; i < count; i++)
        if (outcomes[i] == status)
            return true;
    return false;
}

static akidb_status check_keys(const char *const *keys, size_t count, akidb_error *err)
{
    if (count > 0 && keys == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "%zu keys, but no array", count);
    for (size_t i = 0; i < count; i++) {
        akidb_status status = ak_key_check(keys[i], err);
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

akidb_status akidb_store_delete_many(akidb_store *store, const char *const *keys, size_t count,
                                     akidb_status *outcomes_out, akidb_error *err)
{
    akidb_status unwanted[AKIDB_REMOVE_MANY_MAX];
    akidb_status first = check_keys(keys, count, err);
    if (first != AKIDB_OK)
        return outcomes_out == NULL ? first : set_all(outcomes_out, count, first);
    for (size_t done = 0; done < count;) {
        size_t left = count - done;
        size_t some = left < AKIDB_REMOVE_MANY_MAX ? left : AKIDB_REMOVE_MANY_MAX;
        akidb_status *outcomes = outcomes_out == NULL ? unwanted : outcomes_out + done;
        akidb_status status =
            remove_some(store, keys + done, some, outcomes, first == AKIDB_OK ? err : NULL);
        done += some;
        if (first == AKIDB_OK)
            first = status;
        bool cancelled = has_any(outcomes, some, AKIDB_E_CANCELLED);
        if (cancelled || !has_any(outcomes, some, AKIDB_OK)) {
            if (outcomes_out != NULL)
                set_all(outcomes_out + done, count - done, cancelled ? AKIDB_E_CANCELLED : status);
            return first;
        }
    }
    return first;
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
    status = store->ops->copy(store->handle, from_key, to_key, mode, err);
    return counted(store, AKIDB_REQUEST_PUT, 0, 0, status);
}

akidb_status akidb_store_list(akidb_store *store, const char *prefix, char delimiter,
                              akidb_list_visitor *visitor, void *context, akidb_error *err)
{
    if (prefix == NULL || visitor == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "listing needs a prefix and a visitor");
    if (delimiter != '\0' && delimiter != '/')
        return ak_fail(err, AKIDB_E_VALIDATION, "the delimiter must be 0 or '/', found 0x%02X",
                       (unsigned)(unsigned char)delimiter);
    akidb_status status = store->ops->list(store->handle, prefix, delimiter, visitor, context, err);
    return counted(store, AKIDB_REQUEST_LIST, 0, 0, status);
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
    upload->bytes += upload->failed ? 0 : total(slices, count);
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
    counted(store, AKIDB_REQUEST_PUT, upload->bytes, 0, status);
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
