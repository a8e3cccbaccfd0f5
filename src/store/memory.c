/* Store in memory: a sorted array of keys under one lock. Objects never change once they are
 * stored and are counted by those who use them, so that bytes are copied without the lock. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "akidb/sys/store_backend.h"
#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"

typedef struct object {
    size_t users; /* entries and readers; under the store's lock */
    akidb_buffer bytes;
} object;

typedef struct entry {
    char *key;
    object *object;
    int64_t modified_at;
} entry;

typedef struct memory_store {
    pthread_mutex_t lock; /* of all below */
    entry *entries;       /* ascending by key, each once */
    size_t count;
    size_t capacity;
} memory_store;

typedef struct memory_upload {
    akidb_put_mode mode;
    object *object;
    char key[];
} memory_upload;

/* ---- objects --------------------------------------------------------------------------------- */

static object *object_new(akidb_error *err)
{
    object *made = calloc(1, sizeof *made);
    if (made == NULL)
        ak_fail_memory(err, sizeof *made);
    else
        made->users = 1;
    return made;
}

static void object_free(object *o)
{
    akidb_buffer_free(&o->bytes);
    free(o);
}

/* The caller holds the lock. */
static void object_leave(object *o)
{
    if (--o->users == 0)
        object_free(o);
}

static void leave(memory_store *store, object *o)
{
    pthread_mutex_lock(&store->lock);
    object_leave(o);
    pthread_mutex_unlock(&store->lock);
}

static akidb_status object_append(object *o, const akidb_slice *slices, size_t count,
                                  akidb_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        if (!ak_add_size(total, slices[i].size, &total))
            return ak_fail_memory(err, SIZE_MAX);
    akidb_status status = ak_buffer_reserve(&o->bytes, total, err);
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = ak_buffer_append(&o->bytes, slices[i].data, slices[i].size, err);
    return status;
}

/* ---- entries; the caller holds the lock ------------------------------------------------------ */

/* The first entry whose key is not before `key`; `count` when there is none. */
static size_t lower_bound(const memory_store *store, const char *key)
{
    size_t low = 0;
    size_t high = store->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(store->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool find(const memory_store *store, const char *key, size_t *index_out)
{
    *index_out = lower_bound(store, key);
    return *index_out < store->count && strcmp(store->entries[*index_out].key, key) == 0;
}

static akidb_status insert(memory_store *store, size_t index, const char *key, object *o,
                           akidb_error *err)
{
    void *entries = store->entries;
    akidb_status status =
        ak_array_reserve(&entries, &store->capacity, store->count + 1, sizeof *store->entries, err);
    store->entries = entries;
    if (status != AKIDB_OK)
        return status;
    char *copy = strdup(key);
    if (copy == NULL)
        return ak_fail_memory(err, strlen(key) + 1);
    entry *at = &store->entries[index];
    memmove(at + 1, at, (store->count - index) * sizeof *at);
    at->key = copy;
    at->object = o;
    at->modified_at = akidb_clock_now(NULL);
    store->count++;
    return AKIDB_OK;
}

/* Stores `o` under the key; on success the entry is one more user of it. */
static akidb_status store_object(memory_store *store, const char *key, object *o,
                                 akidb_put_mode mode, akidb_error *err)
{
    size_t index;
    akidb_status status = AKIDB_OK;
    if (!find(store, key, &index)) {
        status = insert(store, index, key, o, err);
    } else if (mode == AKIDB_PUT_IF_ABSENT) {
        status = ak_fail_at(err, AKIDB_E_ALREADY_EXISTS, AK_IN(key), "the object is there already");
    } else {
        entry *at = &store->entries[index];
        object_leave(at->object);
        *at = (entry){at->key, o, akidb_clock_now(NULL)};
    }
    if (status == AKIDB_OK)
        o->users++;
    return status;
}

static akidb_status fail_not_found(const char *key, akidb_error *err)
{
    return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(key), "there is no such object");
}

/* ---- operations ------------------------------------------------------------------------------ */

static akidb_status memory_put(void *handle, const char *key, const akidb_slice *slices,
                               size_t count, akidb_put_mode mode, akidb_error *err)
{
    memory_store *store = handle;
    object *o = object_new(err);
    if (o == NULL)
        return AKIDB_E_OUT_OF_MEMORY;
    akidb_status status = object_append(o, slices, count, err);
    pthread_mutex_lock(&store->lock);
    if (status == AKIDB_OK)
        status = store_object(store, key, o, mode, err);
    object_leave(o);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* The caller becomes a user of the object; NULL when there is none. */
static object *use(memory_store *store, const char *key)
{
    object *o = NULL;
    size_t index;
    pthread_mutex_lock(&store->lock);
    if (find(store, key, &index)) {
        o = store->entries[index].object;
        o->users++;
    }
    pthread_mutex_unlock(&store->lock);
    return o;
}

static akidb_status memory_get(void *handle, const char *key, uint64_t max_size,
                               akidb_buffer *buffer_out, akidb_error *err)
{
    object *o = use(handle, key);
    if (o == NULL)
        return fail_not_found(key, err);
    akidb_status status;
    if (o->bytes.size > max_size)
        status = ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(key),
                            "the object has %zu bytes, more than the %llu allowed", o->bytes.size,
                            (unsigned long long)max_size);
    else
        status = ak_buffer_append(buffer_out, o->bytes.data, o->bytes.size, err);
    leave(handle, o);
    return status;
}

static akidb_status memory_get_range(void *handle, const char *key, uint64_t offset, void *dst,
                                     size_t size, size_t *read_out, akidb_error *err)
{
    object *o = use(handle, key);
    if (o == NULL)
        return fail_not_found(key, err);
    if (offset < o->bytes.size && size > 0) {
        size_t left = o->bytes.size - (size_t)offset;
        *read_out = size < left ? size : left;
        memcpy(dst, o->bytes.data + offset, *read_out);
    }
    leave(handle, o);
    return AKIDB_OK;
}

static akidb_status memory_get_pieces(void *handle, const char *key, uint64_t offset,
                                      const akidb_piece *pieces, size_t count, size_t *read_out,
                                      akidb_error *err)
{
    object *o = use(handle, key);
    if (o == NULL)
        return fail_not_found(key, err);
    for (size_t i = 0; i < count && offset < o->bytes.size; i++) {
        size_t left = o->bytes.size - (size_t)offset;
        size_t some = pieces[i].size < left ? pieces[i].size : left;
        memcpy(pieces[i].data, o->bytes.data + offset, some);
        *read_out += some;
        offset += some;
    }
    leave(handle, o);
    return AKIDB_OK;
}

static bool memory_is_near(const void *handle)
{
    (void)handle;
    return true;
}

static akidb_object_info info_of(const entry *e)
{
    return (akidb_object_info){e->object->bytes.size, e->modified_at};
}

static akidb_status memory_head(void *handle, const char *key, akidb_object_info *info_out,
                                akidb_error *err)
{
    memory_store *store = handle;
    size_t index;
    pthread_mutex_lock(&store->lock);
    bool found = find(store, key, &index);
    if (found)
        *info_out = info_of(&store->entries[index]);
    pthread_mutex_unlock(&store->lock);
    return found ? AKIDB_OK : fail_not_found(key, err);
}

static akidb_status memory_remove(void *handle, const char *key, akidb_error *err)
{
    (void)err;
    memory_store *store = handle;
    size_t index;
    pthread_mutex_lock(&store->lock);
    if (find(store, key, &index)) {
        entry *at = &store->entries[index];
        object_leave(at->object);
        free(at->key);
        store->count--;
        memmove(at, at + 1, (store->count - index) * sizeof *at);
    }
    pthread_mutex_unlock(&store->lock);
    return AKIDB_OK;
}

static akidb_status memory_copy(void *handle, const char *from_key, const char *to_key,
                                akidb_put_mode mode, akidb_error *err)
{
    memory_store *store = handle;
    object *o = use(store, from_key);
    if (o == NULL)
        return fail_not_found(from_key, err);
    pthread_mutex_lock(&store->lock);
    akidb_status status = store_object(store, to_key, o, mode, err);
    object_leave(o);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- listing --------------------------------------------------------------------------------- */

/* Where a list is. Between two visits only this is kept, no place in the array, for the visitor may
 * change the store. */
typedef struct cursor {
    const char *prefix;
    size_t prefix_size;
    char delimiter;
    bool begun;
    char last[AKIDB_KEY_MAX + 1]; /* the key or prefix told last */
    akidb_list_entry entry;       /* its key is `last` */
} cursor;

/* The caller holds the lock. The first entry after all that `last` stands for. */
static size_t next_index(const memory_store *store, const cursor *c)
{
    if (!c->begun)
        return lower_bound(store, c->prefix);
    if (!c->entry.is_prefix) {
        size_t index = lower_bound(store, c->last);
        bool there = index < store->count && strcmp(store->entries[index].key, c->last) == 0;
        return there ? index + 1 : index;
    }
    /* The prefix ends in '/': what comes after all its keys is not before the same text with the
     * character after '/'. */
    char end[AKIDB_KEY_MAX + 1];
    size_t size = strlen(c->last);
    memcpy(end, c->last, size + 1);
    end[size - 1] = '/' + 1;
    return lower_bound(store, end);
}

/* Steps to the next key or prefix; false at the end. */
static bool cursor_next(memory_store *store, cursor *c)
{
    pthread_mutex_lock(&store->lock);
    size_t index = next_index(store, c);
    const entry *e = index < store->count ? &store->entries[index] : NULL;
    if (e != NULL && strncmp(e->key, c->prefix, c->prefix_size) != 0)
        e = NULL;
    if (e != NULL) {
        const char *slash =
            c->delimiter == '\0' ? NULL : strchr(e->key + c->prefix_size, c->delimiter);
        size_t size = slash == NULL ? strlen(e->key) : (size_t)(slash + 1 - e->key);
        memcpy(c->last, e->key, size);
        c->last[size] = '\0';
        c->entry = (akidb_list_entry){.key = c->last, .is_prefix = slash != NULL};
        if (slash == NULL)
            c->entry.info = info_of(e);
        c->begun = true;
    }
    pthread_mutex_unlock(&store->lock);
    return e != NULL;
}

static akidb_status memory_list(void *handle, const char *prefix, char delimiter,
                                akidb_list_visitor *visitor, void *context, akidb_error *err)
{
    (void)err;
    cursor c = {.prefix = prefix, .prefix_size = strlen(prefix), .delimiter = delimiter};
    while (cursor_next(handle, &c))
        if (visitor(context, &c.entry) == AKIDB_VISIT_STOP)
            break;
    return AKIDB_OK;
}

/* ---- uploads --------------------------------------------------------------------------------- */

static akidb_status memory_upload_begin(void *handle, const char *key, akidb_put_mode mode,
                                        void **upload_out, akidb_error *err)
{
    (void)handle;
    size_t key_size = strlen(key) + 1;
    memory_upload *upload = malloc(sizeof *upload + key_size);
    if (upload == NULL)
        return ak_fail_memory(err, sizeof *upload + key_size);
    upload->object = object_new(err);
    if (upload->object == NULL) {
        free(upload);
        return AKIDB_E_OUT_OF_MEMORY;
    }
    upload->mode = mode;
    memcpy(upload->key, key, key_size);
    *upload_out = upload;
    return AKIDB_OK;
}

static akidb_status memory_upload_write(void *handle, void *upload, const akidb_slice *slices,
                                        size_t count, akidb_error *err)
{
    (void)handle;
    return object_append(((memory_upload *)upload)->object, slices, count, err);
}

static void memory_upload_abort(void *handle, void *upload)
{
    leave(handle, ((memory_upload *)upload)->object);
    free(upload);
}

static akidb_status memory_upload_commit(void *handle, void *upload, akidb_error *err)
{
    memory_store *store = handle;
    memory_upload *u = upload;
    pthread_mutex_lock(&store->lock);
    akidb_status status = store_object(store, u->key, u->object, u->mode, err);
    pthread_mutex_unlock(&store->lock);
    memory_upload_abort(handle, upload);
    return status;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void memory_close(void *handle)
{
    memory_store *store = handle;
    for (size_t i = 0; i < store->count; i++) {
        object_leave(store->entries[i].object);
        free(store->entries[i].key);
    }
    free(store->entries);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static const akidb_store_ops memory_ops = {
    .put = memory_put,
    .get = memory_get,
    .get_range = memory_get_range,
    .head = memory_head,
    .remove = memory_remove,
    .list = memory_list,
    .copy = memory_copy,
    .upload_begin = memory_upload_begin,
    .upload_write = memory_upload_write,
    .upload_commit = memory_upload_commit,
    .upload_abort = memory_upload_abort,
    .close = memory_close,
    .get_pieces = memory_get_pieces,
    .is_near = memory_is_near,
};

akidb_status akidb_store_memory_open(akidb_store **store_out, akidb_error *err)
{
    *store_out = NULL;
    memory_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return ak_fail_memory(err, sizeof *store);
    pthread_mutex_init(&store->lock, NULL);
    akidb_status status = akidb_store_new(&memory_ops, store, "memory:", store_out, err);
    if (status != AKIDB_OK)
        memory_close(store);
    return status;
}
