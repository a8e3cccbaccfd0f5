/* Snapshots on a local disk that loses power: what was acknowledged is there, what was not is whole
 * or not there. */
#include "support.h"

#include "simulated_disk.h"

static const akidb_uuid collection = {{3, 3, 3}};

typedef struct place {
    akidb_store *store;
    akidb_snapshotter *snapshotter;
} place;

static place place_open(simulated_disk *disk)
{
    akidb_error err;
    place p;
    akidb_snapshotter_options options = {.struct_size = sizeof options, .part_rows = 8};
    assert_ok(
        err, akidb_store_local_open_with("/srv/store", simulated_disk_files(disk), &p.store, &err));
    assert_ok(err, akidb_snapshotter_open(p.store, &options, &p.snapshotter, &err));
    return p;
}

static void place_close(place *p)
{
    akidb_snapshotter_close(p->snapshotter);
    akidb_store_close(p->store);
}

/* What a user did, and which of it was acknowledged. */
typedef struct life {
    akidb_status created[2], deleted;
    akidb_uuid ids[2];
} life;

/* Two snapshots are created, and the first is deleted. */
static life live(simulated_disk *disk, const akidb_documents *documents)
{
    place p = place_open(disk);
    akidb_batch batch = akidb_documents_batch(documents);
    life l;
    for (int i = 0; i < 2; i++)
        l.created[i] =
            akidb_snapshot_create(p.snapshotter, &collection, &batch, NULL, &l.ids[i], NULL, NULL);
    l.deleted = akidb_snapshot_delete(p.snapshotter, &collection, &l.ids[0], NULL);
    place_close(&p);
    return l;
}

static bool is_listed(const akidb_snapshot_list *list, const akidb_uuid *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (akidb_uuid_compare(&list->entries[i].snapshot_id, id) == 0)
            return true;
    return false;
}

static void check_after(simulated_disk *disk, const life *l, const akidb_documents *documents)
{
    akidb_error err;
    place p = place_open(disk);
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(p.snapshotter, &collection, &list, &err));
    for (size_t i = 0; i < list.count; i++) {
        assert_restores(p.snapshotter, &collection, &list.entries[i].snapshot_id, documents);
        assert_verifies(p.snapshotter, &collection, &list.entries[i].snapshot_id,
                        AKIDB_VERIFY_GOOD);
    }
    if (l->created[1] == AKIDB_OK)
        assert_true(is_listed(&list, &l->ids[1]));
    if (l->created[0] == AKIDB_OK && l->deleted == AKIDB_OK)
        assert_false(is_listed(&list, &l->ids[0]));
    /* A create that was not acknowledged hands out no id, and no delete of it was tried. */
    if (l->created[0] == AKIDB_OK && l->created[1] != AKIDB_OK && l->deleted != AKIDB_OK)
        assert_true(list.count > 0);
    akidb_snapshot_list_free(&list);
    place_close(&p);
}

static void what_was_acknowledged_survives_a_power_cut(void **state)
{
    (void)state;
    akidb_documents *documents = test_documents(6, 20, 3);
    simulated_disk *disk = simulated_disk_new();
    assert_non_null(disk);
    life whole = live(disk, documents);
    assert_int_equal(whole.deleted, AKIDB_OK);
    uint64_t changes = simulated_disk_changes(disk);
    simulated_disk_free(disk);
    for (uint64_t cut = 0; cut <= changes; cut++) {
        for (uint64_t seed = 0; seed < 3; seed++) {
            disk = simulated_disk_new();
            assert_non_null(disk);
            simulated_disk_cut_at(disk, cut);
            life l = live(disk, documents);
            simulated_disk_power_on(disk, cut * 3 + seed);
            check_after(disk, &l, documents);
            simulated_disk_free(disk);
        }
    }
    akidb_documents_free(documents);
}

/* As Linux does it: a sync fails once, and the next one succeeds without having done its work. */
static void a_sync_that_fails_once_acknowledges_nothing_that_is_lost(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents = test_documents(6, 20, 3);
    akidb_batch batch = akidb_documents_batch(documents);
    size_t failed = 0;
    for (uint64_t sync = 0; sync < 64; sync++) {
        simulated_disk *disk = simulated_disk_new();
        assert_non_null(disk);
        simulated_disk_fail_sync(disk, sync);
        place p = place_open(disk);
        life l = {.deleted = AKIDB_E_CANCELLED, .created = {AKIDB_E_CANCELLED}};
        l.created[1] =
            akidb_snapshot_create(p.snapshotter, &collection, &batch, NULL, &l.ids[1], NULL, &err);
        failed += l.created[1] != AKIDB_OK;
        place_close(&p);
        simulated_disk_cut_at(disk, simulated_disk_changes(disk));
        simulated_disk_power_on(disk, sync);
        check_after(disk, &l, documents);
        simulated_disk_free(disk);
    }
    assert_true(failed > 10 && failed < 64); /* all syncs of a create, and none */
    akidb_documents_free(documents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_a_power_cut),
        cmocka_unit_test(a_sync_that_fails_once_acknowledges_nothing_that_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
