/*
 * A damaged log under a storage: at every record, every head and every segment in turn. A strict
 * open names the place. With AKIDB_RECOVER_UP_TO or AKIDB_RECOVER_SALVAGE just what those promise
 * is there, the report says what is not, and the storage is whole again: it takes writes, flushes,
 * and opens strictly.
 */
#include "simulated_disk.h"
#include "storage/storage.h"

#include "support.h"

enum { COLLECTIONS = 2, DOCUMENTS = 1000, LSN_MAX = 64, PLACES_MAX = 160, SEGMENTS_MAX = 16 };

static const akidb_uuid ids[COLLECTIONS] = {{{1}}, {{2}}};

/* ---- what was done --------------------------------------------------------------------------- */

typedef enum deed { CREATE, UPSERT, DELETE, FLUSH } deed;

typedef struct step {
    deed what;
    size_t collection;
    size_t first, count;
} step;

/* The large ones do not fit one segment together. */
static const step steps[] = {
    {CREATE, 0, 0, 0},    {CREATE, 1, 0, 0},    {UPSERT, 0, 0, 9},   {UPSERT, 1, 0, 5},
    {UPSERT, 0, 0, 900},  {DELETE, 0, 3, 4},    {UPSERT, 1, 5, 300}, {UPSERT, 0, 2, 3},
    {UPSERT, 1, 0, 1000}, {UPSERT, 0, 990, 10}, {DELETE, 1, 0, 500}, {UPSERT, 0, 100, 700},
    {UPSERT, 1, 3, 3},    {DELETE, 0, 0, 1},    {UPSERT, 1, 0, 2},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

typedef struct contents_model {
    bool exists[COLLECTIONS];
    uint32_t versions[COLLECTIONS][DOCUMENTS]; /* 0: not there */
} contents_model;

/* What happened to one collection or, for a flush, the checkpoint behind it. */
typedef struct logged {
    const step *step;
    uint64_t lsn;
} logged;

typedef struct history {
    logged entries[LSN_MAX];
    size_t count;
    uint64_t flushed;   /* collection 0 has a snapshot of this LSN; 0: none */
    uint64_t catalogue; /* the catalogue knows which collections there were at this LSN */
} history;

static void take_step(contents_model *s, const step *done, uint64_t lsn)
{
    size_t c = done->collection;
    if (done->what == CREATE)
        s->exists[c] = true;
    for (size_t i = 0; i < done->count && s->exists[c]; i++)
        s->versions[c][done->first + i] = done->what == DELETE ? 0 : (uint32_t)lsn;
}

/* What must be there when the log has kept only the entries that are marked in `kept`. */
static contents_model state_of(const history *h, const bool kept[LSN_MAX])
{
    contents_model s = {0};
    for (size_t i = 0; i < h->count; i++) {
        const logged *entry = &h->entries[i];
        bool in_snapshot = entry->step->collection == 0 && entry->lsn <= h->flushed;
        bool in_catalogue = entry->step->what == CREATE && entry->lsn <= h->catalogue;
        if (entry->step->what != FLUSH && (kept[entry->lsn] || in_snapshot || in_catalogue))
            take_step(&s, entry->step, entry->lsn);
    }
    return s;
}

/* ---- doing it -------------------------------------------------------------------------------- */

typedef struct life {
    simulated_disk *disk;
    akidb_store *store;
    akidb_storage_options options;
    history history;
} life;

static akidb_status open_life(life *l, akidb_recovery recovery, akidb_storage **storage,
                              akidb_recovery_report *report, akidb_error *err)
{
    l->options.recovery = recovery;
    return ak_storage_open_with(&l->options, simulated_disk_files(l->disk), storage, report, err);
}

static void do_step(life *l, akidb_storage *storage, const step *now)
{
    history *h = &l->history;
    uint64_t lsn = h->count == 0 ? 1 : h->entries[h->count - 1].lsn + 1;
    const akidb_uuid *id = &ids[now->collection];
    switch (now->what) {
    case CREATE: test_create(storage, id); break;
    case UPSERT: test_upsert(storage, id, now->first, now->count, lsn); break;
    case DELETE: {
        akidb_error err;
        akidb_uuid gone[DOCUMENTS];
        for (size_t i = 0; i < now->count; i++)
            gone[i] = test_id(now->first + i);
        assert_ok(err, akidb_storage_delete(storage, id, gone, now->count, NULL, &err));
        break;
    }
    case FLUSH:
        (void)test_flush(storage, id);
        h->flushed = h->catalogue = lsn - 1;
        break;
    }
    assert_true(lsn < LSN_MAX);
    h->entries[h->count++] = (logged){now, lsn};
}

/* With a flush of collection 0 behind step `flush_after`. */
static life live(size_t flush_after)
{
    static const step flush = {FLUSH, 0, 0, 0};
    akidb_error err;
    akidb_storage *storage;
    life l = {.disk = simulated_disk_new(), .options = test_options("/data")};
    assert_non_null(l.disk);
    assert_ok(err, akidb_store_memory_open(&l.store, &err));
    l.options.store = l.store;
    assert_ok(err, open_life(&l, AKIDB_RECOVER_STRICT, &storage, NULL, &err));
    for (size_t i = 0; i < STEPS; i++) {
        do_step(&l, storage, &steps[i]);
        if (i == flush_after)
            do_step(&l, storage, &flush);
    }
    test_close(storage);
    return l;
}

static void end(life *l)
{
    simulated_disk_free(l->disk);
    akidb_store_close(l->store);
}

/* ---- where the entries lie ------------------------------------------------------------------- */

typedef struct place {
    uint64_t segment, offset, size;
    uint64_t lsn; /* 0: a seal */
} place;

typedef struct map {
    place places[PLACES_MAX]; /* records, in order */
    size_t count;
    uint64_t segments[SEGMENTS_MAX];
    size_t segment_count;
} map;

static akidb_status map_segment(void *context, const ak_wal_segment_info *segment, akidb_error *err)
{
    (void)err;
    map *m = context;
    assert_true(m->segment_count < SEGMENTS_MAX);
    m->segments[m->segment_count++] = segment->number;
    return AKIDB_OK;
}

static akidb_status map_record(void *context, const ak_wal_record_info *record, akidb_error *err)
{
    (void)err;
    map *m = context;
    assert_true(m->count < PLACES_MAX);
    m->places[m->count++] = (place){record->segment, record->offset, 32 + record->payload.size,
                                    record->kind == AK_WAL_SEAL ? 0 : record->lsn};
    return AKIDB_OK;
}

static map map_of(const life *l)
{
    akidb_error err;
    map m = {0};
    ak_wal_report report;
    ak_wal_options options = {.files = simulated_disk_files(l->disk), .folder = "/data/wal"};
    ak_wal_check_visitor visitor = {map_segment, map_record, &m};
    assert_ok(err, ak_wal_check(&options, &visitor, &report, &err));
    assert_true(m.segment_count >= 2);
    return m;
}

static bool is_before(const place *a, uint64_t segment, uint64_t offset)
{
    return a->segment < segment || (a->segment == segment && a->offset < offset);
}

/* ---- one damage ------------------------------------------------------------------------------ */

typedef enum kind { FLIPPED_RECORD, FLIPPED_HEAD, MISSING_SEGMENT } kind;

typedef struct damage {
    kind kind;
    uint64_t segment, offset; /* of the record, the head: 0 */
    uint64_t flip;            /* the byte, in the segment */
} damage;

static void segment_path(uint64_t number, char path[64])
{
    snprintf(path, 64, "/data/wal/%020llu.wal", (unsigned long long)number);
}

static void inflict(life *l, const damage *d)
{
    char path[64];
    uint64_t size;
    segment_path(d->segment, path);
    if (d->kind == MISSING_SEGMENT) {
        const akidb_files *files = simulated_disk_files(l->disk);
        akidb_folder folder;
        assert_int_equal(files->ops->open_root(files->handle, "/data/wal", &folder), 0);
        assert_int_equal(files->ops->unlink(files->handle, folder, path + strlen("/data/wal/")), 0);
        files->ops->close_folder(files->handle, folder);
        return;
    }
    uint8_t *bytes = simulated_disk_bytes(l->disk, path, &size);
    assert_non_null(bytes);
    assert_true(d->flip < size);
    bytes[d->flip] ^= 4;
}

/* Whether a record is lost by the damage itself. */
static bool is_hit(const damage *d, const place *p)
{
    if (d->kind == MISSING_SEGMENT)
        return p->segment == d->segment;
    return d->kind == FLIPPED_RECORD && p->segment == d->segment && p->offset == d->offset;
}

/* Which entries are to be there: those all of whose records lie before the damage, or all that have
 * lost none. Returns how many are not. */
static uint64_t mark_kept(const damage *d, const map *m, akidb_recovery recovery,
                          bool kept[LSN_MAX])
{
    uint64_t dropped = 0;
    for (size_t i = 0; i < LSN_MAX; i++)
        kept[i] = true;
    for (size_t i = 0; i < m->count; i++) {
        const place *p = &m->places[i];
        bool lost =
            recovery == AKIDB_RECOVER_UP_TO ? !is_before(p, d->segment, d->offset) : is_hit(d, p);
        if (lost && p->lsn != 0 && kept[p->lsn]) {
            kept[p->lsn] = false;
            dropped++;
        }
    }
    return dropped;
}

/* ---- looking --------------------------------------------------------------------------------- */

static contents_model look(akidb_storage *storage)
{
    akidb_error err;
    contents_model found = {0};
    for (size_t c = 0; c < COLLECTIONS; c++) {
        akidb_cursor *cursor;
        akidb_documents *documents;
        bool done;
        akidb_status status = akidb_storage_iterate(storage, &ids[c], &cursor, &err);
        if (status == AKIDB_E_NOT_FOUND)
            continue;
        assert_ok(err, status);
        found.exists[c] = true;
        assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
        assert_ok(err, akidb_cursor_next(cursor, SIZE_MAX, documents, &done, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        for (size_t row = 0; row < batch.rows; row++) {
            uint64_t number = (uint64_t)batch.vectors[row * TEST_DIMENSION];
            uint64_t version = (uint64_t)batch.vectors[row * TEST_DIMENSION + 1];
            assert_document(&batch, row, number, version);
            assert_int_equal(found.versions[c][number], 0);
            found.versions[c][number] = (uint32_t)version;
        }
        akidb_documents_free(documents);
        akidb_cursor_close(cursor);
    }
    return found;
}

/* Whole entries of a collection whose creation is lost go with it. */
static uint64_t count_orphans(const history *h, const bool kept[LSN_MAX],
                              const contents_model *expected)
{
    uint64_t orphans = 0;
    for (size_t i = 0; i < h->count; i++) {
        const logged *entry = &h->entries[i];
        bool writes = entry->step->what == UPSERT || entry->step->what == DELETE;
        orphans += writes && kept[entry->lsn] && !expected->exists[entry->step->collection];
    }
    return orphans;
}

static void assert_state(const damage *d, const contents_model *found,
                         const contents_model *expected)
{
    for (size_t c = 0; c < COLLECTIONS; c++) {
        if (found->exists[c] != expected->exists[c])
            fail_msg("damage %d in segment %llu at %llu: collection %zu %s", d->kind,
                     (unsigned long long)d->segment, (unsigned long long)d->flip, c,
                     found->exists[c] ? "is there" : "is not there");
        for (size_t i = 0; i < DOCUMENTS; i++)
            if (found->versions[c][i] != expected->versions[c][i])
                fail_msg("damage %d in segment %llu at %llu: collection %zu, document %zu: "
                         "expected version %u, found %u",
                         d->kind, (unsigned long long)d->segment, (unsigned long long)d->flip, c, i,
                         expected->versions[c][i], found->versions[c][i]);
    }
}

/* It takes writes, flushes, and opens strictly: with and without the flush. */
static void assert_in_order(life *l, akidb_storage *storage, const damage *d,
                            contents_model expected)
{
    enum { VERSION = 10001 };
    akidb_error err;
    for (size_t c = 0; c < COLLECTIONS; c++) {
        if (!expected.exists[c])
            test_create(storage, &ids[c]);
        expected.exists[c] = true;
        test_upsert(storage, &ids[c], 40, 7, VERSION);
        for (size_t i = 40; i < 47; i++)
            expected.versions[c][i] = VERSION;
    }
    for (int flushed = 0; flushed < 2; flushed++) {
        test_close(storage);
        akidb_recovery_report report;
        assert_ok(err, open_life(l, AKIDB_RECOVER_STRICT, &storage, &report, &err));
        assert_int_equal(report.dropped_entries, 0);
        contents_model found = look(storage);
        assert_state(d, &found, &expected);
        for (size_t c = 0; c < COLLECTIONS && flushed == 0; c++)
            (void)test_flush(storage, &ids[c]);
    }
    test_close(storage);
}

static void check_damage(const damage *d, size_t flush_after, akidb_recovery recovery)
{
    akidb_error err;
    akidb_storage *storage;
    akidb_recovery_report report;
    char words[64];
    bool kept[LSN_MAX];
    life l = live(flush_after);
    map m = map_of(&l);
    inflict(&l, d);
    assert_status(AKIDB_E_CORRUPTION, open_life(&l, AKIDB_RECOVER_STRICT, &storage, NULL, &err));
    uint64_t named = d->segment + (d->kind == MISSING_SEGMENT); /* the one that misses it */
    snprintf(words, sizeof words, "%020llu.wal", (unsigned long long)named);
    assert_non_null(strstr(err.message, words));
    uint64_t dropped = mark_kept(d, &m, recovery, kept);
    contents_model expected = state_of(&l.history, kept);
    assert_ok(err, open_life(&l, recovery, &storage, &report, &err));
    contents_model found = look(storage);
    assert_state(d, &found, &expected);
    uint64_t orphans = count_orphans(&l.history, kept, &expected);
    assert_int_equal(report.dropped_entries, dropped + orphans);
    assert_int_equal(orphans > 0, strstr(report.detail, "with the creation") != NULL);
    snprintf(words, sizeof words, "dropped from segment %llu, offset %llu",
             (unsigned long long)named, (unsigned long long)d->offset);
    if (strstr(report.detail, words) == NULL)
        fail_msg("expected \"%s\", found \"%s\"", words, report.detail);
    assert_in_order(&l, storage, d, expected);
    end(&l);
}

/* Every damage there is: three bytes of each record, the head of each segment but a lone one, each
 * segment that has one before it and one behind it. */
static void check_all(size_t flush_after, akidb_recovery recovery)
{
    life l = live(flush_after);
    map m = map_of(&l);
    end(&l);
    for (size_t i = 0; i < m.count; i++) {
        const place *p = &m.places[i];
        const uint64_t bytes[] = {0, 33 < p->size ? 33 : 8, p->size - 1};
        for (size_t b = 0; b < sizeof bytes / sizeof bytes[0]; b++) {
            damage d = {FLIPPED_RECORD, p->segment, p->offset, p->offset + bytes[b]};
            check_damage(&d, flush_after, recovery);
        }
    }
    for (size_t i = 0; i < m.segment_count; i++) {
        damage d = {FLIPPED_HEAD, m.segments[i], 0, 20};
        check_damage(&d, flush_after, recovery);
        d = (damage){MISSING_SEGMENT, m.segments[i], 0, 0};
        if (i > 0 && i + 1 < m.segment_count)
            check_damage(&d, flush_after, recovery);
    }
}

static void up_to_keeps_what_was_before_the_damage(void **state)
{
    (void)state;
    check_all(SIZE_MAX, AKIDB_RECOVER_UP_TO);
}

static void up_to_keeps_what_snapshots_hold(void **state)
{
    (void)state;
    check_all(6, AKIDB_RECOVER_UP_TO);
}

/* Then the snapshot seems to be of the future, and a write gets a lower LSN than it has. */
static void a_cursor_keeps_its_moment_after_the_log_lost_its_end(void **state)
{
    (void)state;
    akidb_error err;
    akidb_storage *storage;
    akidb_recovery_report report;
    akidb_cursor *cursor;
    akidb_documents *documents;
    bool done;
    life l = live(11);
    assert_true(l.history.flushed > 4);
    /* One LSN of all that were given is left to be found. */
    map m = map_of(&l);
    for (size_t i = m.segment_count; i-- > 1;) {
        damage gone = {MISSING_SEGMENT, m.segments[i], 0, 0};
        inflict(&l, &gone);
    }
    damage first = {FLIPPED_RECORD, m.segments[0], m.places[0].offset, m.places[0].offset + 33};
    inflict(&l, &first);
    assert_ok(err, open_life(&l, AKIDB_RECOVER_UP_TO, &storage, &report, &err));
    assert_ok(err, akidb_storage_iterate(storage, &ids[0], &cursor, &err));
    contents_model before = look(storage);
    uint64_t count = 0;
    for (size_t i = 0; i < DOCUMENTS; i++)
        count += before.versions[0][i] != 0;
    assert_true(count > 300);
    test_delete(storage, &ids[0], 200, 100, 100);
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_cursor_next(cursor, SIZE_MAX, documents, &done, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, count);
    akidb_documents_free(documents);
    akidb_cursor_close(cursor);
    test_close(storage);
    end(&l);
}

static void salvage_keeps_all_but_what_is_damaged(void **state)
{
    (void)state;
    check_all(SIZE_MAX, AKIDB_RECOVER_SALVAGE);
}

static void salvage_keeps_what_snapshots_hold(void **state)
{
    (void)state;
    check_all(6, AKIDB_RECOVER_SALVAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_keeps_what_was_before_the_damage),
        cmocka_unit_test(up_to_keeps_what_snapshots_hold),
        cmocka_unit_test(a_cursor_keeps_its_moment_after_the_log_lost_its_end),
        cmocka_unit_test(salvage_keeps_all_but_what_is_damaged),
        cmocka_unit_test(salvage_keeps_what_snapshots_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
