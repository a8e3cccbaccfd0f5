/* A store whose calls fail as a test decides. */
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "base/error.h"

typedef akidb_fault decide_function(void *context, akidb_store_op op, const char *key);

typedef struct fault_store {
    akidb_store *inner;
    decide_function *decide;
    void *context;
} fault_store;

typedef struct fault_upload {
    akidb_upload *inner;
    char key[];
} fault_upload;

static akidb_fault decide(const fault_store *store, akidb_store_op op, const char *key)
{
    return store->decide(store->context, op, key);
}

static akidb_status fail_before(akidb_fault fault, akidb_store_op op, const char *key,
                                akidb_error *err)
{
    akidb_status status = fault.status == AKIDB_OK ? AKIDB_E_STORE : fault.status;
    return ak_fail_at(err, status, AK_IN(key), "%s: a fault was asked for, and nothing was done",
                      akidb_store_op_name(op));
}

/* The answer of a call that went through: lost, when the fault says so. */
static akidb_status answer(akidb_fault fault, akidb_store_op op, const char *key,
                           akidb_status status, akidb_error *err)
{
    if (fault.effect != AKIDB_FAULT_AFTER)
        return status;
    return ak_fail_at(err, AKIDB_E_UNCERTAIN, AK_IN(key),
                      "%s: a fault was asked for: the answer is lost", akidb_store_op_name(op));
}

static akidb_status fault_put(void *handle, const char *key, const akidb_slice *slices,
                              size_t count, akidb_put_mode mode, akidb_error *err)
{
    fault_store *store = handle;
    akidb_fault fault = decide(store, AKIDB_STORE_PUT, key);
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_PUT, key, err);
    akidb_status status = akidb_store_put(store->inner, key, slices, count, mode, err);
    return answer(fault, AKIDB_STORE_PUT, key, status, err);
}

/* Spoils an answer of *size bytes, when the fault says so. */
static void spoil(akidb_fault fault, uint8_t *bytes, size_t *size)
{
    if (*size == 0)
        return;
    if (fault.effect == AKIDB_FAULT_SHORT)
        *size /= 2;
    if (fault.effect == AKIDB_FAULT_FLIP)
        bytes[*size / 2] ^= 0x10;
}

static akidb_status fault_get(void *handle, const char *key, uint64_t max_size,
                              akidb_buffer *buffer_out, akidb_error *err)
{
    fault_store *store = handle;
    akidb_fault fault = decide(store, AKIDB_STORE_GET, key);
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_GET, key, err);
    akidb_status status = akidb_store_get(store->inner, key, max_size, buffer_out, err);
    if (status == AKIDB_OK)
        spoil(fault, buffer_out->data, &buffer_out->size);
    return answer(fault, AKIDB_STORE_GET, key, status, err);
}

static akidb_status fault_get_range(void *handle, const char *key, uint64_t offset, void *dst,
                                    size_t size, size_t *read_out, akidb_error *err)
{
    fault_store *store = handle;
    akidb_fault fault = decide(store, AKIDB_STORE_GET_RANGE, key);
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_GET_RANGE, key, err);
    akidb_status status =
        akidb_store_get_range(store->inner, key, offset, dst, size, read_out, err);
    if (status == AKIDB_OK)
        spoil(fault, dst, read_out);
    return answer(fault, AKIDB_STORE_GET_RANGE, key, status, err);
}

static akidb_status fault_head(void *handle, const char *key, akidb_object_info *info_out,
                               akidb_error *err)
{
    fault_store *store = handle;
    akidb_fault fault = decide(store, AKIDB_STORE_HEAD, key);
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_HEAD, key, err);
    akidb_status status = akidb_store_head(store->inner, key, info_out, err);
    return answer(fault, AKIDB_STORE_HEAD, key, status, err);
}

static akidb_status fault_remove(void *handle, const char *key, akidb_error *err)
{
    fault_store *store = handle;
    akidb_fault fault = decide(store, AKIDB_STORE_DELETE, key);
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_DELETE, key, err);
    akidb_status status = akidb_store_delete(store->inner, key, err);
    return answer(fault, AKIDB_STORE_DELETE, key, status, err);
}

static akidb_status fault_list(void *handle, const char *prefix, char delimiter,
                               akidb_list_visitor *visitor, void *context, akidb_error *err)
{
    fault_store *store = handle;
    akidb_fault fault = decide(store, AKIDB_STORE_LIST, prefix);
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_LIST, prefix, err);
    akidb_status status = akidb_store_list(store->inner, prefix, delimiter, visitor, context, err);
    return answer(fault, AKIDB_STORE_LIST, prefix, status, err);
}

static akidb_status fault_copy(void *handle, const char *from_key, const char *to_key,
                               akidb_put_mode mode, akidb_error *err)
{
    fault_store *store = handle;
    akidb_fault fault = decide(store, AKIDB_STORE_COPY, to_key);
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_COPY, to_key, err);
    akidb_status status = akidb_store_copy(store->inner, from_key, to_key, mode, err);
    return answer(fault, AKIDB_STORE_COPY, to_key, status, err);
}

/* ---- uploads --------------------------------------------------------------------------------- */

static fault_upload *upload_new(const char *key, akidb_error *err)
{
    size_t key_size = strlen(key) + 1;
    fault_upload *upload = malloc(sizeof *upload + key_size);
    if (upload == NULL)
        ak_fail_memory(err, sizeof *upload + key_size);
    else
        memcpy(upload->key, key, key_size);
    return upload;
}

/* An upload whose beginning was not answered is lost to the caller, so nobody could abort it. */
static akidb_status fault_upload_begin(void *handle, const char *key, akidb_put_mode mode,
                                       void **upload_out, akidb_error *err)
{
    fault_store *store = handle;
    akidb_fault fault = decide(store, AKIDB_STORE_UPLOAD_BEGIN, key);
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_UPLOAD_BEGIN, key, err);
    fault_upload *upload = upload_new(key, err);
    if (upload == NULL)
        return AKIDB_E_OUT_OF_MEMORY;
    akidb_status status = akidb_store_upload_begin(store->inner, key, mode, &upload->inner, err);
    bool begun = status == AKIDB_OK;
    status = answer(fault, AKIDB_STORE_UPLOAD_BEGIN, key, status, err);
    if (status == AKIDB_OK) {
        *upload_out = upload;
        return status;
    }
    if (begun)
        akidb_upload_abort(upload->inner);
    free(upload);
    return status;
}

static akidb_status fault_upload_write(void *handle, void *upload, const akidb_slice *slices,
                                       size_t count, akidb_error *err)
{
    fault_upload *u = upload;
    akidb_fault fault = decide(handle, AKIDB_STORE_UPLOAD_WRITE, u->key);
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_UPLOAD_WRITE, u->key, err);
    akidb_status status = akidb_upload_write(u->inner, slices, count, err);
    return answer(fault, AKIDB_STORE_UPLOAD_WRITE, u->key, status, err);
}

static akidb_status fault_upload_commit(void *handle, void *upload, akidb_error *err)
{
    fault_upload *u = upload;
    akidb_fault fault = decide(handle, AKIDB_STORE_UPLOAD_COMMIT, u->key);
    akidb_status status;
    if (fault.effect == AKIDB_FAULT_BEFORE) {
        akidb_upload_abort(u->inner);
        status = fail_before(fault, AKIDB_STORE_UPLOAD_COMMIT, u->key, err);
    } else {
        status = akidb_upload_commit(u->inner, err);
        status = answer(fault, AKIDB_STORE_UPLOAD_COMMIT, u->key, status, err);
    }
    free(u);
    return status;
}

/* An abort has no answer that could be wrong; the decision function sees it all the same. */
static void fault_upload_abort(void *handle, void *upload)
{
    fault_upload *u = upload;
    (void)decide(handle, AKIDB_STORE_UPLOAD_ABORT, u->key);
    akidb_upload_abort(u->inner);
    free(u);
}

static akidb_status fault_remove_leftovers(void *handle, int64_t before, bool dry_run,
                                           uint64_t *count_out, uint64_t *bytes_out,
                                           akidb_error *err)
{
    fault_store *store = handle;
    akidb_fault fault = decide(store, AKIDB_STORE_REMOVE_LEFTOVERS, "");
    if (fault.effect == AKIDB_FAULT_BEFORE)
        return fail_before(fault, AKIDB_STORE_REMOVE_LEFTOVERS, NULL, err);
    akidb_status status =
        akidb_store_remove_leftovers(store->inner, before, dry_run, count_out, bytes_out, err);
    return answer(fault, AKIDB_STORE_REMOVE_LEFTOVERS, NULL, status, err);
}

static void fault_statistics(void *handle, akidb_store_statistics *statistics_out)
{
    akidb_store_get_statistics(((fault_store *)handle)->inner, statistics_out);
}

/* Without remove_many: of many keys, each has a fate of its own. */
/* Pieces have no slot: they come through get_range, with its faults. */
static bool fault_is_near(const void *handle)
{
    return akidb_store_is_near(((const fault_store *)handle)->inner);
}

static const akidb_store_ops fault_ops = {
    .put = fault_put,
    .get = fault_get,
    .get_range = fault_get_range,
    .is_near = fault_is_near,
    .head = fault_head,
    .remove = fault_remove,
    .list = fault_list,
    .copy = fault_copy,
    .upload_begin = fault_upload_begin,
    .upload_write = fault_upload_write,
    .upload_commit = fault_upload_commit,
    .upload_abort = fault_upload_abort,
    .remove_leftovers = fault_remove_leftovers,
    .statistics = fault_statistics,
    .close = free,
};

akidb_status akidb_store_fault_open(akidb_store *inner, decide_function *decision, void *context,
                                    akidb_store **store_out, akidb_error *err)
{
    *store_out = NULL;
    fault_store *store = malloc(sizeof *store);
    if (store == NULL)
        return ak_fail_memory(err, sizeof *store);
    *store = (fault_store){inner, decision, context};
    akidb_status status =
        akidb_store_new(&fault_ops, store, akidb_store_name(inner), store_out, err);
    if (status != AKIDB_OK)
        free(store);
    return status;
}
