#ifndef AK_SNAPSHOT_METADATA_H
#define AK_SNAPSHOT_METADATA_H
/*
 * The metadata object: text to struct and back. Pure; docs/formats/snapshot.md has every field.
 *
 * The last member, "checksum", is the CRC-32C of all bytes before the comma in front of it, and
 * nothing may follow it but a brace and a newline. An object that has any field of ours must have
 * it; one of the plan's eight fields alone, or of the old layout, is taken as it is and says
 * checked = false.
 */
#include "akidb/snapshot.h"

/* Larger objects are refused: AKIDB_E_LIMIT. */
#define AK_METADATA_BYTES_MAX (UINT64_C(256) << 20)

enum { AK_LABEL_KEY_MAX = 128, AK_LABEL_VALUE_MAX = 1024 };

/* The text of a snapshot's metadata, checksum and all. Labels are sorted already; `key`, `text` and
 * `checked` are not used. */
AKIDB_CHECK akidb_status ak_metadata_write(const akidb_snapshot_metadata *metadata,
                                           akidb_buffer *text, akidb_error *err);

/* Reads and checks an object that is stored under `key`. AKIDB_E_CORRUPTION names field, expected
 * and found; AKIDB_E_UNSUPPORTED: written by a later version. */
AKIDB_CHECK akidb_status ak_metadata_read(const char *key, akidb_slice text,
                                          akidb_snapshot_metadata **metadata_out, akidb_error *err);

/* The collection that a damaged object names, if so much of it can be read. */
bool ak_metadata_collection(akidb_slice text, akidb_uuid *collection_id_out);

/* Checks labels and copies them, sorted by key. AKIDB_E_VALIDATION: not UTF-8, too long, an empty
 * key or one that comes twice. */
AKIDB_CHECK akidb_status ak_labels_copy(const akidb_label *labels, size_t count,
                                        akidb_label **labels_out, akidb_error *err);
void ak_labels_free(akidb_label *labels, size_t count);

#endif
