#ifndef AK_OS_PATH_H
#define AK_OS_PATH_H
#include "akidb/base.h"

/* The path from "/" on, by the working folder of now, without "./" at the beginning and without '/'
 * at the end (but "/" itself stays that). Nothing is looked up: links and ".." stay. *absolute_out
 * is yours to free(). */
AKIDB_CHECK akidb_status ak_path_absolute(const char *path, char **absolute_out, akidb_error *err);

#endif
