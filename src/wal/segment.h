#ifndef AK_WAL_SEGMENT_H
#define AK_WAL_SEGMENT_H
/*
 * The folder of a log: segments are named by their numbers ("00000000000000000001.wal"), what is
 * not one yet ends in ".tmp", what recovery kept aside in ".torn" or ".dropped".
 */
#include "akidb/sys/files.h"
#include "wal/record.h"

typedef struct ak_wal_folder {
    const akidb_files *files;
    akidb_folder folder;
    char *path; /* for messages */
} ak_wal_folder;

enum { AK_WAL_NAME_SIZE = 64 };

#define AK_WAL_TEMPORARY ".tmp"

/* A segment on the disk. */
typedef struct ak_wal_segment {
    uint64_t number; /* by its name */
    uint64_t size;   /* of the file, in bytes */
    uint64_t end;    /* behind the last record, as far as is known */
    uint64_t first_lsn;
    ak_wal_head_state state;
    uint32_t version; /* of an unknown version */
    ak_wal_segment_head head;
} ak_wal_segment;

/* Opens the folder; makes it and the folders above it, durably, when they are missing and `make`
 * says so. */
AKIDB_CHECK akidb_status ak_wal_folder_open(const akidb_files *files, const char *path, bool make,
                                            ak_wal_folder *folder_out, akidb_error *err);
void ak_wal_folder_close(ak_wal_folder *folder);

/* A failed call on the file `name` of the folder (NULL: on the folder): never AKIDB_E_NOT_FOUND or
 * AKIDB_E_ALREADY_EXISTS, which would say something else of a log. */
akidb_status ak_wal_fail_errno(const ak_wal_folder *folder, int error_number, const char *name,
                               const char *doing, akidb_error *err);

/* A failure at a place in a file of the folder, e.g. damage. */
akidb_status ak_wal_fail_at(const ak_wal_folder *folder, akidb_status status, const char *name,
                            uint64_t offset, akidb_error *err, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

void ak_wal_segment_name(uint64_t number, char name_out[AK_WAL_NAME_SIZE]);

/* All segments, by number, with their heads. *segments_out is yours to free(). */
AKIDB_CHECK akidb_status ak_wal_segments_list(const ak_wal_folder *folder,
                                              ak_wal_segment **segments_out, size_t *count_out,
                                              akidb_error *err);

/* Removes files that a crash left before they became segments. */
AKIDB_CHECK akidb_status ak_wal_remove_temporary(const ak_wal_folder *folder, akidb_error *err);

/* Makes a file for a segment to come, with room for `size` bytes where the file system can promise
 * that. */
AKIDB_CHECK akidb_status ak_wal_spare_make(const ak_wal_folder *folder, const char *name,
                                           uint64_t size, akidb_file *file_out, akidb_error *err);

/* Finds a name that nothing has: `stem` + `suffix`, or with "-2", "-3", ... between them. */
AKIDB_CHECK akidb_status ak_wal_free_name(const ak_wal_folder *folder, const char *stem,
                                          const char *suffix, char name_out[AK_WAL_NAME_SIZE],
                                          akidb_error *err);

#endif
