/* Everything that is counted, in Prometheus' text format (version 0.0.4). */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/prometheus.h"
#include "storage/storage.h"

static void put_writes(ak_metrics *m, ak_counters *c)
{
    ak_metrics_counter(m, "akidb_upserts_total", "Upsert calls that succeeded.",
                       atomic_load(&c->upserts));
    ak_metrics_counter(m, "akidb_upserted_documents_total", "Documents inserted or replaced.",
                       atomic_load(&c->upserted));
    ak_metrics_counter(m, "akidb_deletes_total", "Delete calls that succeeded.",
                       atomic_load(&c->deletes));
    ak_metrics_counter(m, "akidb_deleted_documents_total", "Documents deleted.",
                       atomic_load(&c->deleted));
    ak_metrics_counter(m, "akidb_gets_total", "Get calls that succeeded.", atomic_load(&c->gets));
    ak_metrics_counter(m, "akidb_restores_total", "Restores that succeeded.",
                       atomic_load(&c->restores));
    ak_metrics_counter(m, "akidb_snapshots_made_total", "Snapshots made by flushes.",
                       atomic_load(&c->snapshots_made));
    ak_metrics_counter(m, "akidb_snapshots_failed_total", "Flushes that made no snapshot.",
                       atomic_load(&c->snapshots_failed));
    ak_metrics_counter(m, "akidb_snapshot_bytes_total", "Bytes of the snapshots made.",
                       atomic_load(&c->snapshot_bytes));
}

static void put_log(ak_metrics *m, akidb_storage *storage)
{
    ak_wal_statistics s;
    ak_wal_get_statistics(storage->wal, &s);
    ak_metrics_counter(m, "akidb_wal_entries_total", "Entries appended to the log.", s.entries);
    ak_metrics_counter(m, "akidb_wal_bytes_total", "Bytes appended to the log.", s.bytes);
    ak_metrics_counter(m, "akidb_wal_syncs_total",
                       "Syncs of the log; entries divided by syncs share one.", s.syncs);
    ak_metrics_gauge(m, "akidb_wal_segments", "Segments of the log on the disk.", s.segments);
    ak_metrics_gauge(m, "akidb_wal_size_bytes", "Bytes of the log on the disk.", s.segment_bytes);
    ak_metrics_gauge(m, "akidb_wal_last_lsn", "LSN of the last entry.", s.last_lsn);
    ak_metrics_gauge(m, "akidb_wal_durable_lsn", "LSN up to which the log is on the disk.",
                     s.durable_lsn);
    ak_metrics_gauge(m, "akidb_wal_failed", "1 when a write or sync of the log has failed.",
                     s.failed ? 1 : 0);
}

static void put_store(ak_metrics *m, akidb_storage *storage)
{
    const char *name = "akidb_store_requests_total";
    const akidb_store_statistics *before = &storage->store_before;
    akidb_store_statistics now;
    akidb_store_get_statistics(storage->store, &now);
    ak_metrics_head(m, name, "counter",
                    "Requests to the object store by kind; of a local one, its calls.");
    for (int kind = 0; kind < AKIDB_REQUEST_KIND_COUNT; kind++)
        ak_metrics_put(m, "%s{kind=\"%s\"} %" PRIu64 "\n", name,
                       akidb_request_kind_name((akidb_request_kind)kind),
                       now.requests[kind] - before->requests[kind]);
    ak_metrics_counter(m, "akidb_store_requests_retried_total",
                       "Of these, those that repeat one that failed.",
                       now.retries - before->retries);
    ak_metrics_counter(m, "akidb_store_requests_failed_total",
                       "Of these, those that failed; not found is no failure.",
                       now.failed - before->failed);
    ak_metrics_counter(m, "akidb_store_sent_bytes_total", "Bytes sent to the object store.",
                       now.sent_bytes - before->sent_bytes);
    ak_metrics_counter(m, "akidb_store_received_bytes_total", "Bytes received from it.",
                       now.received_bytes - before->received_bytes);
}

static void put_recovery(ak_metrics *m, akidb_storage *storage)
{
    const char *name = "akidb_recovery_seconds";
    int64_t duration = storage->report.duration < 0 ? 0 : storage->report.duration;
    ak_metrics_head(m, name, "gauge", "How long the open took.");
    ak_metrics_put(m, "%s %" PRId64 ".%06" PRId64 "\n", name, duration / 1000000,
                   duration % 1000000);
    ak_metrics_gauge(m, "akidb_recovered_entries", "Entries of the log that the open replayed.",
                     storage->report.log_entries);
    ak_metrics_gauge(m, "akidb_memory_bytes", "Bytes of documents and their indexes in memory.",
                     atomic_load(&storage->memory));
}

/* ---- by tier --------------------------------------------------------------------------------- */

static const char *const tier_names[] = {"hot", "warm", "cold"};

/* Bytes of memory, of files in DATA/warm, of snapshots in the store. */
static uint64_t bytes_in_tier(const akidb_collection_info *info)
{
    switch (info->tier) {
    case AKIDB_TIER_HOT: return info->memory_bytes;
    case AKIDB_TIER_WARM: return info->warm_bytes;
    default: return info->snapshot_bytes;
    }
}

static void put_tier_sizes(ak_metrics *m, const akidb_collection_info *infos, size_t count)
{
    uint64_t collections[AK_TIERS] = {0}, bytes[AK_TIERS] = {0};
    for (size_t i = 0; i < count; i++) {
        collections[infos[i].tier]++;
        bytes[infos[i].tier] += bytes_in_tier(&infos[i]);
    }
    const char *name = "akidb_tier_collections";
    ak_metrics_head(m, name, "gauge", "Collections by tier.");
    for (int tier = 0; tier < AK_TIERS; tier++)
        ak_metrics_put(m, "%s{tier=\"%s\"} %" PRIu64 "\n", name, tier_names[tier],
                       collections[tier]);
    name = "akidb_tier_bytes";
    ak_metrics_head(m, name, "gauge",
                    "Bytes by tier: of memory, of local copies, of newest snapshots in the store.");
    for (int tier = 0; tier < AK_TIERS; tier++)
        ak_metrics_put(m, "%s{tier=\"%s\"} %" PRIu64 "\n", name, tier_names[tier], bytes[tier]);
}

/* One counter for each pair of tiers. */
static void put_moves(ak_metrics *m, const char *name, const char *type, const char *help,
                      ak_counters *c, size_t member, bool is_time)
{
    if (help != NULL)
        ak_metrics_head(m, name, type, help);
    for (int from = 0; from < AK_TIERS; from++)
        for (int to = 0; to < AK_TIERS; to++) {
            _Atomic uint64_t *values =
                (_Atomic uint64_t *)(void *)((char *)&c->tiers[from] + member);
            uint64_t value = atomic_load(&values[to]);
            if (from == to && value == 0)
                continue;
            ak_metrics_put(m, "%s%s{from=\"%s\",to=\"%s\"} ", name, is_time ? "_sum" : "",
                           tier_names[from], tier_names[to]);
            if (is_time)
                ak_metrics_put(m, "%" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
            else
                ak_metrics_put(m, "%" PRIu64 "\n", value);
        }
}

static void put_tiers(ak_metrics *m, akidb_storage *storage)
{
    ak_counters *c = &storage->counters;
    const char *name = "akidb_tier_hits_total";
    ak_metrics_head(m, name, "counter",
                    "Gets, iterations and upserts by the tier of their collection.");
    for (int tier = 0; tier < AK_TIERS; tier++)
        ak_metrics_put(m, "%s{tier=\"%s\"} %" PRIu64 "\n", name, tier_names[tier],
                       atomic_load(&c->tiers[tier].hits));
    put_moves(m, "akidb_tier_moves_total", "counter", "Moves that succeeded.", c,
              offsetof(ak_tier_counters, moves), false);
    put_moves(m, "akidb_tier_move_failures_total", "counter", "Moves that failed.", c,
              offsetof(ak_tier_counters, failures), false);
    name = "akidb_tier_move_seconds";
    put_moves(m, name, "summary", "How long moves that succeeded took.", c,
              offsetof(ak_tier_counters, move_micros), true);
    put_moves(m, "akidb_tier_move_seconds_count", NULL, NULL, c, offsetof(ak_tier_counters, moves),
              false);
    ak_metrics_counter(m, "akidb_warm_damaged_total",
                       "Local copies that were missing or damaged, so that the store serves them.",
                       atomic_load(&c->local_damage));
    ak_cache_statistics s = ak_cache_get_statistics(storage->cache);
    ak_metrics_gauge(m, "akidb_page_cache_bytes",
                     "Bytes of pages of warm and cold collections in memory.", s.bytes);
    ak_metrics_counter(m, "akidb_page_cache_hits_total", "Pages found in the cache.", s.hits);
    ak_metrics_counter(m, "akidb_page_cache_misses_total", "Pages that had to be read.", s.misses);
}

/* ---- by collection --------------------------------------------------------------------------- */

static uint64_t documents_of(const akidb_collection_info *info)
{
    return info->documents;
}

static uint64_t memory_of(const akidb_collection_info *info)
{
    return info->memory_bytes;
}

static uint64_t flushed_of(const akidb_collection_info *info)
{
    return info->flushed_at <= 0 ? 0 : (uint64_t)info->flushed_at / 1000000;
}

/* A label's value: backslash, quote and newline are escaped. */
static void put_label(ak_metrics *m, const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\n')
            ak_metrics_put(m, "\\n");
        else if (*at == '\\' || *at == '"')
            ak_metrics_put(m, "\\%c", *at);
        else
            ak_metrics_put(m, "%c", *at);
    }
}

static void put_each(ak_metrics *m, const char *name, const char *help,
                     uint64_t (*value)(const akidb_collection_info *),
                     const akidb_collection_info *infos, size_t count)
{
    ak_metrics_head(m, name, "gauge", help);
    for (size_t i = 0; i < count; i++) {
        char id[AKIDB_UUID_TEXT_SIZE];
        akidb_uuid_format(&infos[i].id, id);
        ak_metrics_put(m, "%s{collection=\"%s\",name=\"", name, id);
        put_label(m, infos[i].name);
        ak_metrics_put(m, "\"} %" PRIu64 "\n", value(&infos[i]));
    }
}

akidb_status akidb_storage_metrics(akidb_storage *storage, akidb_buffer *text_out, akidb_error *err)
{
    *text_out = (akidb_buffer){0};
    akidb_collection_info *infos;
    size_t count;
    akidb_status status = akidb_storage_collections(storage, &infos, &count, err);
    if (status != AKIDB_OK)
        return status;
    ak_metrics m = {text_out, AKIDB_OK, err};
    put_writes(&m, &storage->counters);
    put_log(&m, storage);
    put_store(&m, storage);
    put_recovery(&m, storage);
    put_tiers(&m, storage);
    put_tier_sizes(&m, infos, count);
    ak_metrics_gauge(&m, "akidb_collections", "Collections.", count);
    put_each(&m, "akidb_documents", "Documents of the collection.", documents_of, infos, count);
    put_each(&m, "akidb_collection_memory_bytes", "Bytes of the collection in memory.", memory_of,
             infos, count);
    put_each(&m, "akidb_last_snapshot_timestamp_seconds",
             "When the newest good snapshot was begun; 0: never.", flushed_of, infos, count);
    free(infos);
    if (m.status != AKIDB_OK)
        akidb_buffer_free(text_out);
    return m.status;
}
