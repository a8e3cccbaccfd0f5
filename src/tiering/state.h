#ifndef AK_TIERING_STATE_H
#define AK_TIERING_STATE_H
/*
 * The records of a ledger on the disk: one SQLite file in WAL mode, docs/formats/tiering.md. No
 * data depends on it. A file that is damaged, or is no such file, is set aside as
 * tiering.sqlite.damaged, in the place of an earlier one, and a new one is begun.
 *
 *   Threads   One call at a time.
 *   Errors    AKIDB_E_UNSUPPORTED: a newer version wrote the file; AKIDB_E_TIMEOUT: another program
 *             keeps it locked; AKIDB_E_IO: it cannot be read or written.
 */
#include "tiering/ledger.h"

typedef struct ak_state ak_state;

enum { AK_STATE_NOTE_SIZE = 1600 };

/* Opens DATA/tiering.sqlite, makes it if need be, and puts what it has into the ledger. When the
 * file counts in slots of another length, the ledger does too if `keeps_slots`; otherwise the
 * counts begin anew. `note_out` receives a line for the log when a file was set aside, or "". */
AKIDB_CHECK akidb_status ak_state_open(const char *data_folder, ak_ledger *ledger, bool keeps_slots,
                                       ak_state **state_out, char note_out[AK_STATE_NOTE_SIZE],
                                       akidb_error *err);
void ak_state_close(ak_state *state); /* NULL is fine */

/* All of it happens, or nothing. Durable after a kill; a power cut may take the last writes, unless
 * `sync`. */
AKIDB_CHECK akidb_status ak_state_write(ak_state *state, const ak_record *records, size_t count,
                                        bool sync, akidb_error *err);
AKIDB_CHECK akidb_status ak_state_forget(ak_state *state, const akidb_uuid *ids, size_t count,
                                         akidb_error *err);

#endif
