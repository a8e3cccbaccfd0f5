/* Leftovers: parts that no snapshot refers to, and what the store itself has left. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "snapshot/keys.h"
#include "snapshot/snapshotter.h"

typedef struct candidate {
    char key[AK_KEY_SIZE];
    uint64_t size;
} candidate;

typedef struct collecting {
    akidb_snapshotter *snapshotter;
    int64_t before; /* what was written later is left alone */
    candidate *candidates;
    size_t count, capacity;
    akidb_status status;
    akidb_error *err;
} collecting;

static akidb_visit collect(void *context, const akidb_list_entry *entry)
{
    collecting *found = context;
    ak_key_kind kind = ak_key_parse(entry->key).kind;
    if ((kind != AK_KEY_PART && kind != AK_KEY_OLD_PART) ||
        entry->info.modified_at >= found->before)
        return AKIDB_VISIT_CONTINUE;
    void *candidates = found->candidates;
    found->status = ak_array_reserve(&candidates, &found->capacity, found->count + 1,
                                     sizeof *found->candidates, found->err);
    found->candidates = candidates;
    if (found->status != AKIDB_OK)
        return AKIDB_VISIT_STOP;
    candidate *added = &found->candidates[found->count++];
    *added = (candidate){.size = entry->info.size};
    strncpy(added->key, entry->key, sizeof added->key - 1);
    return AKIDB_VISIT_CONTINUE;
}

/* ---- references ------------------------------------------------------------------------------ */

/* The metadata object that a part of this key would belong to. */
static void owner_of(const char *part_key, char metadata_key[AK_KEY_SIZE])
{
    ak_key key = ak_key_parse(part_key);
    if (key.kind == AK_KEY_OLD_PART)
        ak_key_old_metadata(&key.snapshot_id, metadata_key);
    else
        ak_key_metadata(&key.collection_id, &key.snapshot_id, metadata_key);
}

/* What the parts of one snapshot's key are worth. */
typedef struct owner {
    bool damaged;                      /* protects all of its parts */
    akidb_snapshot_metadata *metadata; /* NULL: not there, or damaged */
} owner;

static akidb_status read_owner(akidb_snapshotter *snapshotter, const char *metadata_key,
                               owner *owner_out, akidb_error *err)
{
    akidb_snapshot_metadata_free(owner_out->metadata);
    *owner_out = (owner){0};
    akidb_error cause = {0};
    akidb_status status =
        ak_metadata_fetch(snapshotter->store, metadata_key, &owner_out->metadata, &cause);
    owner_out->damaged = status != AKIDB_OK && ak_status_is_damage(status);
    if (status == AKIDB_OK || status == AKIDB_E_NOT_FOUND || owner_out->damaged)
        return AKIDB_OK;
    if (err != NULL)
        *err = cause;
    return status;
}

/* Metadata without checksums does not name its parts: where they lie is only inferred, and nothing
 * is removed on an inference. */
static bool needs(const owner *own, const char *part_key)
{
    if (own->damaged || (own->metadata != NULL && !own->metadata->checked))
        return true;
    for (size_t i = 0; own->metadata != NULL && i < own->metadata->part_count; i++)
        if (strcmp(own->metadata->parts[i].key, part_key) == 0)
            return true;
    return false;
}

/* ---- removing -------------------------------------------------------------------------------- */

enum { RUN_MAX = 1000 }; /* as many as a bucket deletes by one request */

typedef struct visitor {
    void (*visit)(void *context, const char *key, uint64_t bytes);
    void *context;
} visitor;

/* Removes those parts of one snapshot's key that nothing needs. Its metadata has just been read, so
 * that a commit which came after the listing is seen. */
static akidb_status remove_unneeded(collecting *found, const candidate *parts, size_t count,
                                    const owner *own, bool dry_run, const visitor *told,
                                    akidb_gc_report *report)
{
    const char *keys[RUN_MAX];
    akidb_status outcomes[RUN_MAX] = {AKIDB_OK};
    uint64_t sizes[RUN_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        sizes[used] = parts[i].size;
        keys[used] = parts[i].key;
        used += !needs(own, parts[i].key);
    }
    akidb_status status = AKIDB_OK;
    if (!dry_run && used > 0)
        status =
            akidb_store_delete_many(found->snapshotter->store, keys, used, outcomes, found->err);
    for (size_t i = 0; i < used; i++) {
        if (outcomes[i] != AKIDB_OK)
            continue;
        report->objects++;
        report->bytes += sizes[i];
        if (told->visit != NULL)
            told->visit(told->context, keys[i], sizes[i]);
    }
    return status;
}

/* How many candidates from `first` on belong to the same metadata. */
static size_t run_length(const collecting *found, size_t first, char metadata_key[AK_KEY_SIZE])
{
    char other[AK_KEY_SIZE];
    size_t count = 1;
    owner_of(found->candidates[first].key, metadata_key);
    for (; count < RUN_MAX && first + count < found->count; count++) {
        owner_of(found->candidates[first + count].key, other);
        if (strcmp(other, metadata_key) != 0)
            break;
    }
    return count;
}

static akidb_status remove_parts(collecting *found, bool dry_run, const visitor *told,
                                 akidb_gc_report *report)
{
    owner own = {0};
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < found->count && status == AKIDB_OK;) {
        char metadata_key[AK_KEY_SIZE] = {0};
        size_t count = run_length(found, i, metadata_key);
        status = read_owner(found->snapshotter, metadata_key, &own, found->err);
        if (status == AKIDB_OK)
            status =
                remove_unneeded(found, &found->candidates[i], count, &own, dry_run, told, report);
        i += count;
        akidb_progress progress = {.rows_done = i, .rows_total = found->count};
        if (status == AKIDB_OK)
            status = ak_snapshotter_progress(found->snapshotter, &progress, found->err);
    }
    akidb_snapshot_metadata_free(own.metadata);
    return status;
}

akidb_status akidb_snapshot_gc(akidb_snapshotter *snapshotter, int64_t age, bool dry_run,
                               void (*visit)(void *context, const char *key, uint64_t bytes),
                               void *context, akidb_gc_report *report_out, akidb_error *err)
{
    *report_out = (akidb_gc_report){0};
    if (age < 0)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "age: expected microseconds that are not negative, found %lld",
                       (long long)age);
    collecting found = {.snapshotter = snapshotter, .err = err};
    if (__builtin_sub_overflow(ak_snapshotter_now(snapshotter), age, &found.before))
        found.before = INT64_MIN;
    akidb_gc_report report = {0};
    uint64_t count = 0, bytes = 0;
    akidb_status status =
        akidb_store_list(snapshotter->store, AK_SNAPSHOTS_PREFIX, 0, collect, &found, err);
    if (status == AKIDB_OK)
        status = found.status;
    if (status == AKIDB_OK)
        status = remove_parts(&found, dry_run, &(visitor){visit, context}, &report);
    if (status == AKIDB_OK)
        status = akidb_store_remove_leftovers(snapshotter->store, found.before, dry_run, &count,
                                              &bytes, err);
    free(found.candidates);
    if (status != AKIDB_OK)
        return status;
    report.objects += count;
    report.bytes += bytes;
    *report_out = report;
    return AKIDB_OK;
}
