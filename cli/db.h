#ifndef CLI_DB_H
#define CLI_DB_H
/*
 * What the db commands share: the options that say which data folder and how to open it, the
 * storage while a command runs, and how recovery is told.
 *
 * A command opens, does its work, and returns what cli_db_close returns:
 *
 *     cli_db db;
 *     int code = cli_db_open(session, &v->db, &(cli_db_how){0}, &db);
 *     if (code == CLI_DONE)
 *         code = ...;
 *     return cli_db_close(&db, code);
 */
#include "encoding.h"
#include "json_out.h"
#include "retention.h"

#include <stddef.h>

/* The values of every db command begin with these. */
typedef struct cli_db_values {
    const char *data;
    int durability;
    cli_count interval;
    cli_count wal_segment_size;
    cli_count wal_max_size;
    cli_count memory_limit;
    int recovery;
    bool allow_older_snapshot;
    const char *metrics_file;
} cli_db_values;

extern const cli_family cli_family_db;
extern const cli_choice cli_recoveries[]; /* akidb_recovery + 1 */

/* ---- options of commands that flush ---------------------------------------------------------- */

typedef struct cli_db_flushing {
    int format;
    cli_encoding encoding;
    cli_retention retention;
} cli_db_flushing;

/* Rows of an options table; `at` is the offset of the cli_db_flushing in the values. */
#define CLI_DB_FLUSHING_OPTIONS(at)                                                                \
    {"format",                                                                                     \
     0,                                                                                            \
     "FORMAT",                                                                                     \
     "The format of snapshots; default parquet",                                                   \
     cli_read_choice,                                                                              \
     (at) + offsetof(cli_db_flushing, format),                                                     \
     cli_formats,                                                                                  \
     0,                                                                                            \
     0},                                                                                           \
        CLI_ENCODING_OPTIONS((at) + offsetof(cli_db_flushing, encoding)),                          \
        CLI_RETENTION_OPTIONS((at) + offsetof(cli_db_flushing, retention))

/* ---- the storage ----------------------------------------------------------------------------- */

typedef struct cli_db {
    cli *session;
    const char *folder;
    akidb_storage *storage;
    akidb_tiering *watch; /* notes accesses for the tier commands; NULL when nobody uses those */
    akidb_recovery_report recovered;
} cli_db;

typedef struct cli_db_how {
    bool makes; /* a data folder that is not there is made; otherwise it is an error */
    /* How snapshots are written; NULL: the command makes none, also not by itself when the log has
     * grown. */
    const cli_db_flushing *flushing;
    bool flushes_itself; /* when the log has grown, while the command runs */
    bool has_tiering;    /* the command opens one of its own */
} cli_db_how;

/* The folder that --data names. Returns an exit code, having said why. */
int cli_db_folder(cli *session, const cli_db_values *v, const char **folder_out);

/* CLI_MISSING, having said so, when there is no data folder: a command that only looks must not
 * make one where the user mistyped its name. */
int cli_db_check_there(cli *session, const char *folder);

/* Opens the folder's own store, DATA/store, as the session's, unless --store names another one,
 * which cli_open takes. Returns an exit code, having said why. */
int cli_db_open_store(cli *session, const char *folder);

/* Opens the store (by default the folder DATA/store; AKIDB_STORE is not looked at) and the storage,
 * and tells what recovery had to cut off, drop or replace. Returns an exit code, having said why.
 */
int cli_db_open(cli *session, const cli_db_values *v, const cli_db_how *how, cli_db *db_out);

/* Closes what is open and returns the worse of `code` and that of the close. */
int cli_db_close(cli_db *db, int code);

/* The collection that the user named, which must be there. Returns an exit code, having said why.
 */
int cli_db_collection(cli_db *db, const char *name, akidb_collection_info *info_out);

/* cli_fail for a failure of the library that may name the collection by its id: that is told by
 * what the user typed. */
int cli_db_fail(cli *session, const char *typed, const akidb_uuid *id, const akidb_error *err);

/* The name to give to a new collection: NULL when what the user typed is a UUID, or no name that a
 * collection can have. */
const char *cli_db_given_name(const char *typed);

/* An object with "collection_id" and "name" is begun, as all results about one collection do. */
void cli_db_json_open(cli_json *json, const char *name, const akidb_collection_info *info);

#endif
