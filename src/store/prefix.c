/* A part of another store: the keys that begin with a prefix, without it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "base/error.h"
#include "store/descriptor.h"
#include "store/keys.h"

typedef struct prefix_store {
    akidb_store *inner;
    size_t size;   /* of prefix */
    char prefix[]; /* ends in '/' */
} prefix_store;

typedef struct full_key {
    char text[2 * AKIDB_KEY_MAX + 2]; /* any prefix and any key: which are too long, inner says */
} full_key;

static const char *full(const prefix_store *store, const char *key, full_key *out)
{
    size_t size = strlen(key); /* at most AKIDB_KEY_MAX */
    memcpy(out->text, store->prefix, store->size);
    memcpy(out->text + store->size, key, size + 1);
    return out->text;
}

static akidb_status prefix_put(void *handle, const char *key, const akidb_slice *slices,
                               size_t count, akidb_put_mode mode, akidb_error *err)
{
    prefix_store *store = handle;
    full_key k;
    return akidb_store_put(store->inner, full(store, key, &k), slices, count, mode, err);
}

static akidb_status prefix_get(void *handle, const char *key, uint64_t max_size,
                               akidb_buffer *buffer_out, akidb_error *err)
{
    prefix_store *store = handle;
    full_key k;
    return akidb_store_get(store->inner, full(store, key, &k), max_size, buffer_out, err);
}

static akidb_status prefix_get_range(void *handle, const char *key, uint64_t offset, void *dst,
                                     size_t size, size_t *read_out, akidb_error *err)
{
    prefix_store *store = handle;
    full_key k;
    return akidb_store_get_range(store->inner, full(store, key, &k), offset, dst, size, read_out,
                                 err);
}

static akidb_status prefix_get_pieces(void *handle, const char *key, uint64_t offset,
                                      const akidb_piece *pieces, size_t count, size_t *read_out,
                                      akidb_error *err)
{
    prefix_store *store = handle;
    full_key k;
    return akidb_store_get_pieces(store->inner, full(store, key, &k), offset, pieces, count,
                                  read_out, err);
}

static akidb_status prefix_descriptor(void *handle, const char *key, int *descriptor_out,
                                      akidb_error *err)
{
    prefix_store *store = handle;
    full_key k;
    return ak_store_descriptor(store->inner, full(store, key, &k), descriptor_out, err);
}

static bool prefix_is_near(const void *handle)
{
    return akidb_store_is_near(((const prefix_store *)handle)->inner);
}

static akidb_status prefix_head(void *handle, const char *key, akidb_object_info *info_out,
                                akidb_error *err)
{
    prefix_store *store = handle;
    full_key k;
    return akidb_store_head(store->inner, full(store, key, &k), info_out, err);
}

static akidb_status prefix_remove(void *handle, const char *key, akidb_error *err)
{
    prefix_store *store = handle;
    full_key k;
    return akidb_store_delete(store->inner, full(store, key, &k), err);
}

static akidb_status prefix_remove_many(void *handle, const char *const *keys, size_t count,
                                       akidb_status *outcomes, akidb_error *err)
{
    prefix_store *store = handle;
    full_key *k = calloc(count, sizeof *k);
    const char **fulls = calloc(count, sizeof *fulls);
    akidb_status status = AKIDB_OK;
    if (k == NULL || fulls == NULL) {
        status = ak_fail_memory(err, count * sizeof *k);
        for (size_t i = 0; i < count; i++)
            outcomes[i] = status;
    } else {
        for (size_t i = 0; i < count; i++)
            fulls[i] = full(store, keys[i], &k[i]);
        status = akidb_store_delete_many(store->inner, fulls, count, outcomes, err);
    }
    free(fulls);
    free(k);
    return status;
}

static akidb_status prefix_copy(void *handle, const char *from_key, const char *to_key,
                                akidb_put_mode mode, akidb_error *err)
{
    prefix_store *store = handle;
    full_key from;
    full_key to;
    return akidb_store_copy(store->inner, full(store, from_key, &from), full(store, to_key, &to),
                            mode, err);
}

typedef struct shortening {
    size_t size; /* what the visitor must not see of each key */
    akidb_list_visitor *visitor;
    void *context;
} shortening;

static akidb_visit visit_shortened(void *context, const akidb_list_entry *entry)
{
    shortening *s = context;
    akidb_list_entry shortened = *entry;
    shortened.key += s->size;
    return s->visitor(s->context, &shortened);
}

static akidb_status prefix_list(void *handle, const char *prefix, char delimiter,
                                akidb_list_visitor *visitor, void *context, akidb_error *err)
{
    prefix_store *store = handle;
    if (strnlen(prefix, AKIDB_KEY_MAX + 1) > AKIDB_KEY_MAX)
        return AKIDB_OK; /* no key is that long */
    full_key k;
    shortening s = {store->size, visitor, context};
    return akidb_store_list(store->inner, full(store, prefix, &k), delimiter, visit_shortened, &s,
                            err);
}

static akidb_status prefix_upload_begin(void *handle, const char *key, akidb_put_mode mode,
                                        void **upload_out, akidb_error *err)
{
    prefix_store *store = handle;
    full_key k;
    akidb_upload *upload;
    akidb_status status =
        akidb_store_upload_begin(store->inner, full(store, key, &k), mode, &upload, err);
    *upload_out = upload;
    return status;
}

static akidb_status prefix_upload_write(void *handle, void *upload, const akidb_slice *slices,
                                        size_t count, akidb_error *err)
{
    (void)handle;
    return akidb_upload_write(upload, slices, count, err);
}

static akidb_status prefix_upload_commit(void *handle, void *upload, akidb_error *err)
{
    (void)handle;
    return akidb_upload_commit(upload, err);
}

static void prefix_upload_abort(void *handle, void *upload)
{
    (void)handle;
    akidb_upload_abort(upload);
}

/* Leftovers have no keys: those of all of `inner` are meant. */
static akidb_status prefix_remove_leftovers(void *handle, int64_t before, bool dry_run,
                                            uint64_t *count_out, uint64_t *bytes_out,
                                            akidb_error *err)
{
    prefix_store *store = handle;
    return akidb_store_remove_leftovers(store->inner, before, dry_run, count_out, bytes_out, err);
}

static void prefix_statistics(void *handle, akidb_store_statistics *statistics_out)
{
    akidb_store_get_statistics(((prefix_store *)handle)->inner, statistics_out);
}

static const akidb_store_ops prefix_ops = {
    .put = prefix_put,
    .get = prefix_get,
    .get_range = prefix_get_range,
    .head = prefix_head,
    .remove = prefix_remove,
    .list = prefix_list,
    .copy = prefix_copy,
    .upload_begin = prefix_upload_begin,
    .upload_write = prefix_upload_write,
    .upload_commit = prefix_upload_commit,
    .upload_abort = prefix_upload_abort,
    .remove_leftovers = prefix_remove_leftovers,
    .remove_many = prefix_remove_many,
    .statistics = prefix_statistics,
    .get_pieces = prefix_get_pieces,
    .is_near = prefix_is_near,
    .descriptor = prefix_descriptor,
    .close = free,
};

akidb_status akidb_store_prefix_open(akidb_store *inner, const char *prefix,
                                     akidb_store **store_out, akidb_error *err)
{
    *store_out = NULL;
    akidb_status status = ak_key_check(prefix, err);
    if (status != AKIDB_OK) {
        ak_error_context(err, "the prefix of a store");
        return status;
    }
    size_t size = strlen(prefix) + 1;
    prefix_store *store = malloc(sizeof *store + size + 1);
    if (store == NULL)
        return ak_fail_memory(err, sizeof *store + size + 1);
    store->inner = inner;
    store->size = size;
    snprintf(store->prefix, size + 1, "%s/", prefix);

    char name[AKIDB_KEY_MAX + 512]; /* for messages: a longer one may be cut */
    const char *outer = akidb_store_name(inner);
    size_t length = strlen(outer);
    bool slash = length > 0 && outer[length - 1] == '/';
    snprintf(name, sizeof name, "%s%s%s", outer, slash ? "" : "/", prefix);
    status = akidb_store_new(&prefix_ops, store, name, store_out, err);
    if (status != AKIDB_OK)
        free(store);
    return status;
}
