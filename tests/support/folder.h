#ifndef AK_TEST_FOLDER_H
#define AK_TEST_FOLDER_H
/* A folder for one test, and its end. */
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEST_FOLDER_SIZE 256

/* Makes a new folder below TMPDIR or, without that, in memory, where a sync costs nothing, or in
 * /tmp; false, and a word on stderr, when that fails. */
static inline bool test_folder_make(char folder_out[TEST_FOLDER_SIZE])
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] == '\0' || strlen(parent) > TEST_FOLDER_SIZE - 20)
        parent = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder_out, TEST_FOLDER_SIZE, "%s/akidb-test-XXXXXX", parent);
    if (mkdtemp(folder_out) != NULL)
        return true;
    perror(folder_out);
    return false;
}

static inline int test_folder_remove_one(const char *path, const struct stat *st, int type,
                                         struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

/* With all that is in it; symbolic links are removed, not followed. */
static inline void test_folder_remove(const char *folder)
{
    nftw(folder, test_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
