#ifndef AK_FORMATS_FILE_FORMAT_H
#define AK_FORMATS_FILE_FORMAT_H
#include "akidb/formats.h"

/* Replaces AKIDB_FILE_BY_ENDING by what the path ends in, in any case; "-" is .jsonl and nothing
 * else. For a file that is read, .jsonl may be compressed: ".jsonl.gz". AKIDB_E_VALIDATION when
 * nothing fits. */
AKIDB_CHECK akidb_status ak_file_format(const char *path, bool is_read, akidb_file_format *format,
                                        akidb_error *err);

#endif
