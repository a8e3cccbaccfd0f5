#include "tiering/state.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/files.h"
#include "base/buffer.h"
#include "base/endian.h"
#include "base/error.h"

#define NAME         "tiering.sqlite"
#define DAMAGED_NAME NAME ".damaged"

enum {
    APPLICATION_ID = 0x616B7472, /* "aktr" */
    SCHEMA_VERSION = 1,
    BUSY_MS = 500, /* less than a stop may take */
    SLOTS_SIZE = AK_LEDGER_SLOTS * 4
};

struct ak_state {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *write, *forget;
    bool keeps_slots;
};

static const char settings_sql[] =
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID";

static const char collections_sql[] =
    "CREATE TABLE collections ("
    "id BLOB PRIMARY KEY CHECK (length(id) = 16), "
    "tier INTEGER NOT NULL CHECK (tier BETWEEN 0 AND 2), "
    "cause INTEGER NOT NULL CHECK (cause BETWEEN 0 AND 3), "
    "pinned INTEGER NOT NULL CHECK (pinned BETWEEN 0 AND 1), "
    "fresh_at INTEGER NOT NULL, "
    "last_access INTEGER NOT NULL, "
    "moved_at INTEGER NOT NULL, "
    "accesses INTEGER NOT NULL CHECK (accesses >= 0), "
    "hot_bytes INTEGER NOT NULL CHECK (hot_bytes >= 0), "
    "hot_documents INTEGER NOT NULL CHECK (hot_documents >= 0), "
    "newest_slot INTEGER NOT NULL, "
    "slots BLOB NOT NULL CHECK (length(slots) = 240)) STRICT, WITHOUT ROWID";

static const char write_sql[] =
    "INSERT OR REPLACE INTO collections VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)";

static const char read_sql[] =
    "SELECT id, tier, cause, pinned, fresh_at, last_access, moved_at, accesses, hot_bytes,"
    " hot_documents, newest_slot, slots FROM collections";

/* ---- errors ---------------------------------------------------------------------------------- */

static akidb_status status_of(int code)
{
    switch (code & 0xFF) {
    case SQLITE_ERROR: /* our statements do not fit the tables */
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return AKIDB_E_CORRUPTION;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return AKIDB_E_TIMEOUT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return AKIDB_E_PERMISSION;
    case SQLITE_NOMEM: return AKIDB_E_OUT_OF_MEMORY;
    default: return AKIDB_E_IO;
    }
}

static akidb_status fail(ak_state *state, int code, const char *what, akidb_error *err)
{
    return ak_fail_at(err, status_of(code), AK_IN(state->path), "%s: %s", what,
                      state->db != NULL ? sqlite3_errmsg(state->db) : sqlite3_errstr(code));
}

static akidb_status execute(ak_state *state, const char *sql, const char *what, akidb_error *err)
{
    int code = sqlite3_exec(state->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? AKIDB_OK : fail(state, code, what, err);
}

/* The one number that a query gives; `missing` when it gives none. */
static akidb_status query_number(ak_state *state, const char *sql, int64_t missing,
                                 int64_t *number_out, akidb_error *err)
{
    sqlite3_stmt *statement = NULL;
    *number_out = missing;
    int code = sqlite3_prepare_v2(state->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *number_out = sqlite3_column_int64(statement, 0);
    akidb_status status =
        code == SQLITE_ROW || code == SQLITE_DONE ? AKIDB_OK : fail(state, code, "reading", err);
    sqlite3_finalize(statement);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static uint64_t positive(sqlite3_stmt *row, int column, bool *sane)
{
    int64_t value = sqlite3_column_int64(row, column);
    *sane = *sane && value >= 0;
    return (uint64_t)value;
}

/* The rules of the schema again: a file may come from anywhere. */
static bool read_record(sqlite3_stmt *row, ak_record *record)
{
    const uint8_t *id = sqlite3_column_blob(row, 0);
    int id_size = sqlite3_column_bytes(row, 0);
    const uint8_t *slots = sqlite3_column_blob(row, 11);
    int slots_size = sqlite3_column_bytes(row, 11);
    int64_t tier = sqlite3_column_int64(row, 1), cause = sqlite3_column_int64(row, 2);
    if (id == NULL || id_size != (int)sizeof record->id || slots == NULL ||
        slots_size != SLOTS_SIZE || tier < AKIDB_TIER_HOT || tier > AKIDB_TIER_COLD ||
        cause < AK_CAME_SOMEHOW || cause > AK_CAME_FOR_ROOM)
        return false;
    bool sane = true;
    *record = (ak_record){
        .tier = (akidb_tier)tier,
        .cause = (ak_tier_cause)cause,
        .pinned = sqlite3_column_int64(row, 3) != 0,
        .fresh_at = (int64_t)positive(row, 4, &sane),
        .last_access = (int64_t)positive(row, 5, &sane),
        .moved_at = (int64_t)positive(row, 6, &sane),
        .accesses = positive(row, 7, &sane),
        .hot_bytes = positive(row, 8, &sane),
        .hot_documents = positive(row, 9, &sane),
        .newest_slot = (int64_t)positive(row, 10, &sane),
    };
    memcpy(record->id.bytes, id, sizeof record->id.bytes);
    for (size_t i = 0; i < AK_LEDGER_SLOTS; i++)
        record->slots[i] = ak_load_u32(slots + 4 * i);
    return sane;
}

typedef struct record_list {
    ak_record *items;
    size_t count, capacity;
} record_list;

static akidb_status read_records(ak_state *state, record_list *all, akidb_error *err)
{
    sqlite3_stmt *rows = NULL;
    akidb_status status = AKIDB_OK;
    int code = sqlite3_prepare_v2(state->db, read_sql, -1, &rows, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(rows);
    for (; code == SQLITE_ROW && status == AKIDB_OK; code = sqlite3_step(rows)) {
        void *grown = all->items;
        status = ak_array_reserve(&grown, &all->capacity, all->count + 1, sizeof *all->items, err);
        all->items = grown;
        if (status == AKIDB_OK && !read_record(rows, &all->items[all->count++]))
            status = ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(state->path),
                                "reading: a row of collections breaks the rules of its columns");
    }
    if (status == AKIDB_OK && code != SQLITE_DONE)
        status = fail(state, code, "reading", err);
    sqlite3_finalize(rows);
    return status;
}

/* Nothing of a damaged file gets into the ledger. Slots of another length say nothing about ours.
 */
static akidb_status read_all(ak_state *state, ak_ledger *ledger, akidb_error *err)
{
    record_list all = {0};
    int64_t slot_length;
    akidb_status status = query_number(
        state, "SELECT value FROM settings WHERE name = 'slot_length'", 0, &slot_length, err);
    if (status == AKIDB_OK)
        status = read_records(state, &all, err);
    const int64_t longest = INT64_C(366) * 86400 * 1000000 / AK_LEDGER_SLOTS;
    if (status == AKIDB_OK && state->keeps_slots && slot_length > 0 && slot_length <= longest)
        ak_ledger_set_slot_length(ledger, slot_length);
    for (size_t i = 0; i < all.count && status == AKIDB_OK; i++) {
        if (slot_length != ak_ledger_slot_length(ledger)) {
            memset(all.items[i].slots, 0, sizeof all.items[i].slots);
            all.items[i].newest_slot = 0;
        }
        status = ak_ledger_restore(ledger, &all.items[i], err);
    }
    free(all.items);
    return status;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Made beforehand, so that it and the files that SQLite puts beside it are their owner's alone. */
static int make_file(const akidb_files *files, akidb_folder folder)
{
    akidb_file file;
    int error_number = files->ops->open_file(files->handle, folder, NAME, AKIDB_FILE_CREATE, &file);
    if (error_number == 0)
        files->ops->close_file(files->handle, file);
    return error_number == EEXIST ? 0 : error_number;
}

/* Gives a file and SQLite's log beside it their other names. */
static int set_aside(const akidb_files *files, akidb_folder folder)
{
    int error_number = files->ops->rename(files->handle, folder, NAME, DAMAGED_NAME);
    if (error_number != 0)
        return error_number;
    int log_error = files->ops->rename(files->handle, folder, NAME "-wal", DAMAGED_NAME "-wal");
    return log_error == ENOENT ? 0 : log_error;
}

static void close_database(ak_state *state)
{
    sqlite3_finalize(state->write);
    sqlite3_finalize(state->forget);
    sqlite3_close(state->db);
    state->write = state->forget = NULL;
    state->db = NULL;
}

/* A file without tables is a new one; one with tables must be ours. */
static akidb_status check_version(ak_state *state, bool *is_new_out, akidb_error *err)
{
    int64_t tables, application, version;
    akidb_status status =
        query_number(state, "SELECT count(*) FROM sqlite_schema", 0, &tables, err);
    *is_new_out = tables == 0;
    if (status == AKIDB_OK)
        status = query_number(state, "PRAGMA application_id", 0, &application, err);
    if (status == AKIDB_OK)
        status = query_number(state, "PRAGMA user_version", 0, &version, err);
    if (status != AKIDB_OK || tables == 0)
        return status;
    if (application != APPLICATION_ID)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(state->path),
                          "expected a state of tiering, found another SQLite file");
    if (version > SCHEMA_VERSION)
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(state->path),
                          "expected schema version %d, found %lld, of a newer version of akidb; "
                          "remove the file to begin anew",
                          SCHEMA_VERSION, (long long)version);
    return version == SCHEMA_VERSION ? AKIDB_OK
                                     : ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(state->path),
                                                  "expected schema version %d, found %lld",
                                                  SCHEMA_VERSION, (long long)version);
}

static akidb_status check_pages(ak_state *state, akidb_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(state->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    const char *answer =
        code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    akidb_status status = AKIDB_OK;
    if (code != SQLITE_ROW)
        status = fail(state, code, "checking", err);
    else if (answer == NULL || strcmp(answer, "ok") != 0)
        status = ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(state->path), "checking: %s",
                            answer != NULL ? answer : "no answer");
    sqlite3_finalize(statement);
    return status;
}

static akidb_status prepare(ak_state *state, const char *sql, sqlite3_stmt **statement_out,
                            akidb_error *err)
{
    int code =
        sqlite3_prepare_v3(state->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement_out, NULL);
    return code == SQLITE_OK ? AKIDB_OK : fail(state, code, "preparing", err);
}

/* Tables whose words differ may refuse what we write, or take what we cannot read. */
static akidb_status check_tables(ak_state *state, akidb_error *err)
{
    sqlite3_stmt *statement = NULL;
    int64_t matches = 0;
    int code =
        sqlite3_prepare_v2(state->db, "SELECT count(*) FROM sqlite_schema WHERE sql IN (?1, ?2)",
                           -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, settings_sql, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 2, collections_sql, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    akidb_status status = AKIDB_OK;
    if (code == SQLITE_ROW)
        matches = sqlite3_column_int64(statement, 0);
    else
        status = fail(state, code, "checking", err);
    sqlite3_finalize(statement);
    if (status == AKIDB_OK && matches != 2)
        status =
            ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(state->path),
                       "checking: the tables are not those of schema version %d", SCHEMA_VERSION);
    return status;
}

/* Makes the tables of a new file, and notes the length of our slots. */
static akidb_status write_settings(ak_state *state, bool is_new, int64_t slot_length,
                                   akidb_error *err)
{
    char settings[256];
    snprintf(settings, sizeof settings,
             "PRAGMA application_id = %d; PRAGMA user_version = %d;"
             "INSERT OR REPLACE INTO settings VALUES ('slot_length', %lld); COMMIT",
             APPLICATION_ID, SCHEMA_VERSION, (long long)slot_length);
    akidb_status status = execute(state, "BEGIN IMMEDIATE", "making the tables", err);
    if (status == AKIDB_OK && is_new)
        status = execute(state, settings_sql, "making the tables", err);
    if (status == AKIDB_OK && is_new)
        status = execute(state, collections_sql, "making the tables", err);
    if (status == AKIDB_OK)
        status = execute(state, settings, "making the tables", err);
    if (status != AKIDB_OK)
        sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* What is there is read before anything is written: a file that cannot be written still has pins.
 */
static akidb_status open_database(ak_state *state, ak_ledger *ledger, akidb_error *err)
{
    bool is_new = true;
    int code =
        sqlite3_open_v2(state->path, &state->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return fail(state, code, "opening", err);
    sqlite3_extended_result_codes(state->db, 1);
    sqlite3_busy_timeout(state->db, BUSY_MS);
    akidb_status status = check_version(state, &is_new, err);
    if (status == AKIDB_OK)
        status = check_pages(state, err);
    if (status == AKIDB_OK && !is_new)
        status = check_tables(state, err);
    if (status == AKIDB_OK && !is_new)
        status = read_all(state, ledger, err);
    if (status == AKIDB_OK)
        status = execute(state, "PRAGMA journal_mode = WAL", "choosing WAL mode", err);
    if (status == AKIDB_OK)
        status = write_settings(state, is_new, ak_ledger_slot_length(ledger), err);
    if (status == AKIDB_OK)
        status = prepare(state, write_sql, &state->write, err);
    if (status == AKIDB_OK)
        status = prepare(state, "DELETE FROM collections WHERE id = ?1", &state->forget, err);
    return status;
}

/* A second try, with a new file, when the first found damage. */
static akidb_status open_or_begin(ak_state *state, ak_ledger *ledger, const akidb_files *files,
                                  akidb_folder folder, char note_out[AK_STATE_NOTE_SIZE],
                                  akidb_error *err)
{
    akidb_error found;
    int error_number = make_file(files, folder);
    if (error_number != 0)
        return ak_fail_errno(err, error_number, state->path, "making the state of tiering");
    akidb_status status = open_database(state, ledger, &found);
    if (status == AKIDB_OK)
        return AKIDB_OK;
    close_database(state);
    if (status != AKIDB_E_CORRUPTION) {
        if (err != NULL)
            *err = found;
        return status;
    }
    error_number = set_aside(files, folder);
    if (error_number == 0)
        error_number = make_file(files, folder);
    if (error_number != 0)
        return ak_fail_errno(err, error_number, state->path,
                             "setting aside the damaged state of tiering");
    snprintf(note_out, AK_STATE_NOTE_SIZE,
             "the state of tiering is damaged and begins anew, without its pins; the old one is "
             "now " DAMAGED_NAME ": %s",
             found.message);
    return open_database(state, ledger, err);
}

akidb_status ak_state_open(const char *data_folder, ak_ledger *ledger, bool keeps_slots,
                           ak_state **state_out, char note_out[AK_STATE_NOTE_SIZE],
                           akidb_error *err)
{
    *state_out = NULL;
    note_out[0] = '\0';
    ak_state *state = calloc(1, sizeof *state);
    size_t size = strlen(data_folder) + sizeof "/" NAME;
    char *path = malloc(size);
    if (state == NULL || path == NULL) {
        free(state);
        free(path);
        return ak_fail_memory(err, size);
    }
    snprintf(path, size, "%s/%s", data_folder, NAME);
    state->path = path;
    state->keeps_slots = keeps_slots;

    const akidb_files *files = akidb_files_system();
    akidb_folder folder;
    int error_number = files->ops->open_root(files->handle, data_folder, &folder);
    akidb_status status;
    if (error_number != 0) {
        status = ak_fail_errno(err, error_number, data_folder, "opening the data folder");
    } else {
        status = open_or_begin(state, ledger, files, folder, note_out, err);
        files->ops->close_folder(files->handle, folder);
    }
    if (status != AKIDB_OK) {
        ak_state_close(state);
        return status;
    }
    *state_out = state;
    return AKIDB_OK;
}

void ak_state_close(ak_state *state)
{
    if (state == NULL)
        return;
    close_database(state);
    free(state->path);
    free(state);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int64_t stored(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static int write_record(sqlite3_stmt *statement, const ak_record *record)
{
    uint8_t slots[SLOTS_SIZE];
    for (size_t i = 0; i < AK_LEDGER_SLOTS; i++)
        ak_store_u32(slots + 4 * i, record->slots[i]);
    const int64_t numbers[] = {
        record->tier,
        record->cause,
        record->pinned,
        record->fresh_at,
        record->last_access,
        record->moved_at,
        stored(record->accesses),
        stored(record->hot_bytes),
        stored(record->hot_documents),
        record->newest_slot,
    };
    const int count = (int)(sizeof numbers / sizeof numbers[0]);
    int code =
        sqlite3_bind_blob(statement, 1, record->id.bytes, sizeof record->id.bytes, SQLITE_STATIC);
    for (int i = 0; i < count && code == SQLITE_OK; i++)
        code = sqlite3_bind_int64(statement, 2 + i, numbers[i]);
    if (code == SQLITE_OK)
        code = sqlite3_bind_blob(statement, 2 + count, slots, sizeof slots, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int forget_one(sqlite3_stmt *statement, const akidb_uuid *id)
{
    int code = sqlite3_bind_blob(statement, 1, id->bytes, sizeof id->bytes, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* `code` is what the statements within gave. */
static akidb_status end_transaction(ak_state *state, int code, akidb_error *err)
{
    if (code == SQLITE_OK)
        code = sqlite3_exec(state->db, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return AKIDB_OK;
    akidb_status status = fail(state, code, "writing", err);
    sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

akidb_status ak_state_write(ak_state *state, const ak_record *records, size_t count, bool sync,
                            akidb_error *err)
{
    const char *begin = sync ? "PRAGMA synchronous = FULL; BEGIN IMMEDIATE"
                             : "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE";
    akidb_status status = execute(state, begin, "writing", err);
    if (status != AKIDB_OK)
        return status;
    int code = SQLITE_OK;
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = write_record(state->write, &records[i]);
    return end_transaction(state, code, err);
}

akidb_status ak_state_forget(ak_state *state, const akidb_uuid *ids, size_t count, akidb_error *err)
{
    akidb_status status = execute(state, "BEGIN IMMEDIATE", "writing", err);
    if (status != AKIDB_OK)
        return status;
    int code = SQLITE_OK;
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = forget_one(state->forget, &ids[i]);
    return end_transaction(state, code, err);
}
