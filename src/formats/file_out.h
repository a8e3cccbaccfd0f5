#ifndef AK_FORMATS_FILE_OUT_H
#define AK_FORMATS_FILE_OUT_H
/*
 * A file that appears under its name only when it is whole: written beside it under another name,
 * made durable, then renamed. "-" is standard output instead, where bytes go as they come.
 */
#include "akidb/sys/output.h"

typedef struct ak_file_out ak_file_out;

/* AKIDB_E_VALIDATION when the name is taken by something that is no regular file; nothing is
 * replaced before the commit. The path is copied. */
AKIDB_CHECK akidb_status ak_file_out_open(const char *path, ak_file_out **out, akidb_error *err);

/* Adds bytes at the end; small writes are gathered. */
AKIDB_CHECK akidb_status ak_file_out_write(ak_file_out *out, akidb_slice bytes, akidb_error *err);

/* Replaces bytes at the beginning, which must have been written before; not on standard output. */
AKIDB_CHECK akidb_status ak_file_out_patch(ak_file_out *out, akidb_slice bytes, akidb_error *err);

/* The same file as an akidb_output, which lasts as long as it. */
akidb_output ak_file_out_output(ak_file_out *out);

/* Makes the file durable under its name. Frees `out`, whatever the outcome. */
AKIDB_CHECK akidb_status ak_file_out_commit(ak_file_out *out, akidb_error *err);

/* Removes what was written and frees `out`. NULL is fine. */
void ak_file_out_abort(ak_file_out *out);

#endif
