#ifndef AK_TEST_FAULT_FILES_H
#define AK_TEST_FAULT_FILES_H
/* Files of which one call fails, or ends the process: the nth of some kinds, counted from 0. */
#include <pthread.h>

#include "akidb/sys/files.h"

typedef enum file_call {
    CALL_OPEN_ROOT = 0,
    CALL_OPEN_FOLDER,
    CALL_SYNC_FOLDER,
    CALL_MAKE_FOLDER,
    CALL_REMOVE_FOLDER,
    CALL_LIST,
    CALL_STAT,
    CALL_RENAME,
    CALL_LINK,
    CALL_UNLINK,
    CALL_OPEN_FILE,
    CALL_FILE_INFO,
    CALL_READ_AT,
    CALL_WRITE_AT,
    CALL_SYNC_FILE,
    CALL_CLOSE_FILE,
    CALL_SYNC_DATA,
    CALL_ALLOCATE,
    CALL_TRUNCATE,
    CALL_LOCK,
    CALL_COUNT
} file_call;

/* "rename", ...; for messages. */
const char *file_call_name(file_call call);

typedef struct fault_files {
    akidb_files files; /* hand this to what is tested */
    const akidb_files *inner;
    pthread_mutex_t lock;
    uint32_t kinds;   /* bit i: file_call i counts */
    uint64_t seen;    /* calls that counted */
    uint64_t fail_at; /* which of them fails; UINT64_MAX: none */
    bool from_then_on;
    int error_number; /* what it fails with */
    bool kills;       /* it does not fail, but ends the process by SIGKILL */
    bool half_write;  /* a failing write_at first writes half of its bytes */
    file_call failed; /* the kind of the call that failed; CALL_COUNT: none yet */
} fault_files;

#define ALL_CALLS UINT32_MAX

/* Over `inner`, which must outlive it, with nothing failing. Nothing to release. */
void fault_files_init(fault_files *f, const akidb_files *inner);

/* From now on: of the calls of these kinds the nth fails. */
void fault_files_fail(fault_files *f, uint32_t kinds, uint64_t nth, int error_number);

/* From now on: with the nth call of these kinds the process ends, as by kill -9. A write_at has
 * written half of its bytes, any other call has not been made. */
void fault_files_kill(fault_files *f, uint32_t kinds, uint64_t nth);

/* From now on nothing fails. */
void fault_files_heal(fault_files *f);

#endif
